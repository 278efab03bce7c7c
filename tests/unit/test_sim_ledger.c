// What the simulator accepted: kept, found by phone, counted.
#include "buf.h"
#include "sim_ledger.h"
#include "sim_store.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct sim_text text(const char *t)
{
    return (struct sim_text){ t, strlen(t) };
}

static struct sim_message *add(struct sim_store *store, const char *to, const char *body,
                               const char *callback)
{
    const struct sim_draft draft = {
        .to = text(to),
        .from = text("+15005550006"),
        .body = text(body),
        .callback = text(callback),
        .segments = 2,
        .cost_micros = 16600,
    };
    return sim_store_add(store, &draft, 1000000);
}

static void a_message_keeps_its_texts(void **state)
{
    struct sim_store *store = sim_store_new();
    struct sim_message *m =
        add(store, "+14155550100", "", "https://h/p?a=1&m=id-7&t=1#rc=5");

    (void)state;
    assert_string_equal(sim_message_to(m), "+14155550100");
    assert_string_equal(m->from, "+15005550006");
    assert_null(sim_message_service(m));
    assert_int_equal(sim_message_body(m).len, 0);
    assert_string_equal(sim_message_callback(m), "https://h/p?a=1&m=id-7&t=1#rc=5");
    struct sim_text id = sim_message_id(m);
    assert_int_equal(id.len, 4);
    assert_memory_equal(id.bytes, "id-7", 4);
    assert_null(sim_message_callback(add(store, "+14155550100", "x", "")));
    assert_int_equal(sim_message_id(add(store, "+14155550100", "x", "")).len, 0);
    sim_store_free(store);
}

static void a_phone_leads_to_its_messages_newest_first(void **state)
{
    enum { COUNT = 20000, PHONES = 7 };
    struct sim_store *store = sim_store_new();
    char to[32];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(to, sizeof(to), "+1415555%04d", i % PHONES);
        (void)add(store, to, "hi", "");
    }
    assert_int_equal(sim_store_count(store), COUNT);
    uint32_t expected = COUNT - (COUNT - 1) % PHONES;  // the last one to phone 0
    uint32_t number = sim_store_newest_to(store, "+14155550000");
    for (; number; number = sim_store_get(store, number)->older_to, expected -= PHONES)
        assert_int_equal(number, expected);
    assert_int_equal((int32_t)expected, 1 - PHONES);

    assert_int_equal(sim_store_newest_to(store, "+14155559999"), 0);
    assert_null(sim_store_get(store, 0));
    assert_null(sim_store_get(store, COUNT + 1));
    sim_store_clear(store);
    assert_int_equal(sim_store_newest_to(store, "+14155550000"), 0);
    assert_int_equal(add(store, to, "hi", "")->number, 1);
    sim_store_free(store);
}

static void create(struct sim_ledger *ledger, struct sim_store *store, const char *to,
                   const char *body, const char *callback)
{
    sim_ledger_create(ledger, add(store, to, body, callback));
}

static void counts_what_comes_twice(void **state)
{
    struct sim_store *store = sim_store_new();
    struct sim_ledger *ledger = sim_ledger_new(store);

    (void)state;
    create(ledger, store, "+14155550100", "one", "http://h/?m=A&t=1");
    create(ledger, store, "+14155550100", "one", "http://h/?m=A&t=2");  // sent again
    create(ledger, store, "+14155550100", "one", "http://h/?m=B&t=1");
    create(ledger, store, "+14155550100", "two", "http://h/?m=C&t=1");
    create(ledger, store, "+14155550101", "one", "");
    create(ledger, store, "+14155550101", "one", "http://h/?mm=A");  // another name

    const struct sim_ledger_counts *c = sim_ledger_counts(ledger);
    assert_int_equal(c->creates, 6);
    assert_int_equal(c->distinct_to_body, 3);
    assert_int_equal(c->repeated_to_body, 3);
    assert_int_equal(c->distinct_message_ids, 3);
    assert_int_equal(c->repeated_message_ids, 1);
    assert_int_equal(c->segments, 12);
    assert_int_equal(c->billed_micros, 0);
    sim_ledger_free(ledger);
    sim_store_free(store);
}

static void tells_a_hundred_thousand_messages_apart(void **state)
{
    enum { COUNT = 100000 };
    struct sim_store *store = sim_store_new();
    struct sim_ledger *ledger = sim_ledger_new(store);
    char to[32], callback[64];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < COUNT; i++) {
            (void)snprintf(to, sizeof(to), "+1415%07d", i);
            (void)snprintf(callback, sizeof(callback), "http://h/?m=%d", i);
            create(ledger, store, to, "the same text", callback);
        }
    const struct sim_ledger_counts *c = sim_ledger_counts(ledger);
    assert_int_equal(c->distinct_to_body, COUNT);
    assert_int_equal(c->repeated_to_body, COUNT);
    assert_int_equal(c->distinct_message_ids, COUNT);
    assert_int_equal(c->repeated_message_ids, COUNT);
    sim_ledger_free(ledger);
    sim_store_free(store);
}

static void bills_refuses_and_forgets(void **state)
{
    struct sim_store *store = sim_store_new();
    struct sim_ledger *ledger = sim_ledger_new(store);
    struct buf out = BUF_INIT(4096);

    (void)state;
    struct sim_message *m = add(store, "+14155550100", "one", "");
    sim_ledger_create(ledger, m);
    sim_ledger_bill(ledger, m);
    sim_ledger_refuse(ledger);
    sim_ledger_in_flight(ledger, 3);
    sim_ledger_in_flight(ledger, 2);
    sim_ledger_render(sim_ledger_counts(ledger), "USD", &out);
    assert_string_equal(
        buf_text(&out),
        "{\"creates\":1,\"distinct_to_body\":1,\"repeated_to_body\":0,"
        "\"distinct_message_ids\":0,\"repeated_message_ids\":0,\"billed_messages\":1,"
        "\"billed_micros\":16600,\"currency\":\"USD\",\"carrier_fee_micros\":0,\"failed_"
        "fee_micros\":0,\"segments\":2,\"refused\":1,"
        "\"callbacks_sent\":0,\"callbacks_failed\":0,\"callbacks_pending\":0,"
        "\"in_flight_max\":3}\n");
    sim_ledger_clear(ledger);
    sim_ledger_create(ledger, m);
    assert_int_equal(sim_ledger_counts(ledger)->creates, 1);
    assert_int_equal(sim_ledger_counts(ledger)->distinct_to_body, 1);
    assert_int_equal(sim_ledger_counts(ledger)->billed_micros, 0);
    buf_free(&out);
    sim_ledger_free(ledger);
    sim_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_keeps_its_texts),
        cmocka_unit_test(a_phone_leads_to_its_messages_newest_first),
        cmocka_unit_test(counts_what_comes_twice),
        cmocka_unit_test(tells_a_hundred_thousand_messages_apart),
        cmocka_unit_test(bills_refuses_and_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
