#include "sim_ledger.h"
#include "buf.h"
#include "sim_index.h"
#include "sim_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct sim_ledger {
    const struct sim_store *store;
    struct sim_index to_body, message_ids;
    struct sim_ledger_counts counts;
};

struct key {
    const struct sim_store *store;
    const struct sim_message *message;
};

struct sim_ledger *sim_ledger_new(const struct sim_store *store)
{
    struct sim_ledger *l = xcalloc(1, sizeof(*l));
    l->store = store;
    return l;
}

void sim_ledger_clear(struct sim_ledger *l)
{
    sim_index_free(&l->to_body);
    sim_index_free(&l->message_ids);
    l->counts = (struct sim_ledger_counts){ 0 };
}

void sim_ledger_free(struct sim_ledger *l)
{
    if (!l)
        return;
    sim_ledger_clear(l);
    free(l);
}

static bool is_same_text(struct sim_text a, struct sim_text b)
{
    return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static bool has_same_to_body(const void *arg, uint32_t number)
{
    const struct key *key = arg;
    const struct sim_message *m = sim_store_get(key->store, number);

    return is_same_text(sim_message_body(m), sim_message_body(key->message)) &&
           strcmp(sim_message_to(m), sim_message_to(key->message)) == 0;
}

static bool has_same_id(const void *arg, uint32_t number)
{
    const struct key *key = arg;

    return is_same_text(sim_message_id(sim_store_get(key->store, number)),
                        sim_message_id(key->message));
}

void sim_ledger_create(struct sim_ledger *l, const struct sim_message *m)
{
    struct key key = { l->store, m };
    struct sim_text body = sim_message_body(m), id = sim_message_id(m);
    const char *to = sim_message_to(m);

    l->counts.creates++;
    l->counts.segments += m->segments;

    uint64_t hash =
        sim_index_hash(sim_index_hash(0, to, strlen(to)), body.bytes, body.len);
    if (sim_index_put(&l->to_body, hash, m->number, has_same_to_body, &key))
        l->counts.repeated_to_body++;
    else
        l->counts.distinct_to_body++;

    if (id.len == 0)
        return;
    hash = sim_index_hash(0, id.bytes, id.len);
    if (sim_index_put(&l->message_ids, hash, m->number, has_same_id, &key))
        l->counts.repeated_message_ids++;
    else
        l->counts.distinct_message_ids++;
}

void sim_ledger_bill(struct sim_ledger *l, const struct sim_message *m)
{
    l->counts.billed_messages++;
    l->counts.billed_micros += m->cost_micros;
    l->counts.carrier_fee_micros += m->fee_micros;
}

void sim_ledger_bill_fee(struct sim_ledger *l, int64_t micros)
{
    l->counts.billed_micros += micros;
    l->counts.failed_fee_micros += micros;
}

void sim_ledger_refuse(struct sim_ledger *l)
{
    l->counts.refused++;
}

void sim_ledger_in_flight(struct sim_ledger *l, uint64_t count)
{
    if (count > l->counts.in_flight_max)
        l->counts.in_flight_max = count;
}

const struct sim_ledger_counts *sim_ledger_counts(const struct sim_ledger *l)
{
    return &l->counts;
}

void sim_ledger_render(const struct sim_ledger_counts *c, const char *currency,
                       struct buf *out)
{
    buf_addf(out, "{\"creates\":%" PRIu64 ",\"distinct_to_body\":%" PRIu64, c->creates,
             c->distinct_to_body);
    buf_addf(out, ",\"repeated_to_body\":%" PRIu64, c->repeated_to_body);
    buf_addf(out, ",\"distinct_message_ids\":%" PRIu64, c->distinct_message_ids);
    buf_addf(out, ",\"repeated_message_ids\":%" PRIu64, c->repeated_message_ids);
    buf_addf(out, ",\"billed_messages\":%" PRIu64, c->billed_messages);
    buf_addf(out, ",\"billed_micros\":%" PRId64 ",\"currency\":", c->billed_micros);
    buf_add_json_string(out, currency, strlen(currency));
    buf_addf(out, ",\"carrier_fee_micros\":%" PRId64, c->carrier_fee_micros);
    buf_addf(out, ",\"failed_fee_micros\":%" PRId64, c->failed_fee_micros);
    buf_addf(out, ",\"segments\":%" PRIu64 ",\"refused\":%" PRIu64, c->segments,
             c->refused);
    buf_addf(out, ",\"callbacks_sent\":%" PRIu64, c->callbacks_sent);
    buf_addf(out, ",\"callbacks_failed\":%" PRIu64, c->callbacks_failed);
    buf_addf(out, ",\"callbacks_pending\":%" PRIu64, c->callbacks_pending);
    buf_addf(out, ",\"in_flight_max\":%" PRIu64 "}\n", c->in_flight_max);
}
