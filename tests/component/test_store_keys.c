// Who may publish a keyed message, decided by PostgreSQL between requests, repeats and
// producers that died.
#include "store_keys.h"

#include "reactor.h"
#include "store_ask.h"
#include "store_cleaner.h"

#include <stdlib.h>
#include <string.h>

enum { LEASE_US = 60000000, CLIENT = 7, STEPS_MAX = 8 };
enum { KEYS = 400, BATCH = 150, ROUNDS = 60 };

// One key, and requests that come with it. Requests of even numbers are of the first
// producer, the others of the second.
enum verb { END, ASK, ASK_OTHER, ASK_LATE, CONFIRM, GIVE_BACK };

struct step {
    enum verb verb;
    int who;           // request; its number makes its claim
    const char *want;  // of the three that ask
    int id_of;         // whose claim is the message's id
};

static const struct {
    const char *what;
    struct step steps[STEPS_MAX];
} cases[] = {
    { "a repeat before the answer is in flight, and then a replay",
      { { ASK, 1, "claimed", 1 },
        { ASK, 2, "in flight", 1 },
        { CONFIRM, 1, NULL, 0 },
        { ASK, 2, "published", 1 },
        { ASK_LATE, 3, "published", 1 } } },
    { "the same request may ask twice: its answer was lost on the way",
      { { ASK, 1, "claimed", 1 }, { ASK, 1, "claimed", 1 } } },
    { "another request with the key is one at any time",
      { { ASK, 1, "claimed", 1 },
        { ASK_OTHER, 2, "other", 1 },
        { ASK_LATE, 3, "claimed", 1 },
        { CONFIRM, 3, NULL, 0 },
        { ASK_OTHER, 4, "other", 1 } } },
    { "what Kafka refused is published by the next, under the same id",
      { { ASK, 1, "claimed", 1 },
        { GIVE_BACK, 1, NULL, 0 },
        { ASK, 2, "claimed", 1 },
        { ASK, 3, "in flight", 1 },
        { CONFIRM, 2, NULL, 0 },
        { ASK, 1, "published", 1 } } },
    { "another request gets no claim that was given back",
      { { ASK, 1, "claimed", 1 },
        { GIVE_BACK, 1, NULL, 0 },
        { ASK_OTHER, 2, "other", 1 },
        { ASK, 3, "claimed", 1 } } },
    { "the claim of a dead producer lapses",
      { { ASK, 1, "claimed", 1 },
        { ASK, 2, "in flight", 1 },
        { ASK_LATE, 2, "claimed", 1 },
        { ASK, 3, "in flight", 1 } } },
    { "who lost the claim cannot give it back",
      { { ASK, 1, "claimed", 1 },
        { ASK_LATE, 2, "claimed", 1 },
        { GIVE_BACK, 1, NULL, 0 },
        { ASK, 3, "in flight", 1 } } },
    { "a confirmation counts, even of who lost the claim",
      { { ASK, 1, "claimed", 1 },
        { ASK_LATE, 2, "claimed", 1 },
        { CONFIRM, 1, NULL, 0 },
        { GIVE_BACK, 2, NULL, 0 },
        { ASK, 3, "published", 1 } } },
};

struct sessions {
    struct db_fixture first;
    struct db *second;
    size_t asked, answered;
    int claims[KEYS];  // how often each key was claimed
};

static bool is_up(void *arg)
{
    return db_is_up(arg);
}

static int open_sessions(void **state)
{
    struct sessions *s = xcalloc(1, sizeof(*s));
    struct err err = { 0 };

    db_fixture_open(&s->first, *state);
    pg_exec(s->first.pg, "truncate idempotency_keys");
    const struct db_settings set = { .url = (char *)pg_url(s->first.pg) };
    assert_int_equal(db_open(&s->second, s->first.reactor, &set, "second", NULL, &err),
                     OUTCOME_OK);
    loop_until(s->first.reactor, is_up, s->second);
    *state = s;
    return 0;
}

static int close_sessions(void **state)
{
    struct sessions *s = *state;

    db_close(s->second);
    db_fixture_close(&s->first);
    free(s);
    return 0;
}

static struct db *session_of(struct sessions *s, int who)
{
    return who % 2 ? s->second : s->first.db;
}

static struct key_claim make_claim(int key, int who, char content)
{
    struct key_claim claim = { .client = CLIENT };

    memcpy(claim.key_hash, &key, sizeof(key));
    memset(claim.request_hash, content, sizeof(claim.request_hash));
    memcpy(claim.claim, &key, sizeof(key));
    memcpy(claim.claim + sizeof(key), &who, sizeof(who));
    return claim;
}

static const char *word(const struct key_row *row)
{
    if (!row->same_request)
        return "other";
    if (row->published)
        return "published";
    return row->claimed ? "claimed" : "in flight";
}

static void check_row(const struct db_result *rows, void *arg)
{
    const struct step *step = arg;
    const struct key_claim first = make_claim(1, step->id_of, 'a');
    struct key_row row;

    assert_int_equal(db_rows(rows), 1);
    store_keys_read(&row, rows, 0);
    assert_int_equal(row.place, 0);
    assert_string_equal(word(&row), step->want);
    assert_memory_equal(row.message_id, first.claim, 16);
}

static void do_step(struct sessions *s, const struct step *step)
{
    struct ask ask = { .check = step->want ? check_row : NULL, .arg = (void *)step };
    const struct key_claim claim =
        make_claim(1, step->who, step->verb == ASK_OTHER ? 'b' : 'a');
    const struct key_claim *claims[] = { &claim };
    const struct key_end end = { claim, step->verb == CONFIRM };
    struct db *db = session_of(s, step->who);

    if (step->want)
        store_keys_claim(db, claims, 1, step->verb == ASK_LATE ? 0 : LEASE_US, ask_done,
                         &ask);
    else
        store_keys_end(db, &end, 1, ask_done, &ask);
    ask_wait(&s->first, &ask);
}

static void a_key_stands_for_one_message(void **state)
{
    struct sessions *s = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].what);
        pg_exec(s->first.pg, "truncate idempotency_keys");
        for (const struct step *step = cases[i].steps; step->verb != END; step++)
            do_step(s, step);
    }
}

static void check_crowd(const struct db_result *rows, void *arg)
{
    static const char *const wanted[] = { "claimed", "in flight", "other", "claimed",
                                          "in flight" };
    struct key_row row;
    size_t seen = 0;

    (void)arg;
    assert_int_equal(db_rows(rows), COUNT_OF(wanted));
    for (size_t i = 0; i < db_rows(rows); i++) {
        store_keys_read(&row, rows, i);
        assert_string_equal(word(&row), wanted[row.place]);
        seen |= (size_t)1 << row.place;
    }
    assert_int_equal(seen, 31);
}

static void a_key_may_stand_in_a_batch_more_than_once(void **state)
{
    struct sessions *s = *state;
    struct ask ask = { .check = check_crowd };
    const struct key_claim requests[] = {
        make_claim(2, 1, 'a'), make_claim(2, 2, 'a'), make_claim(2, 3, 'b'),
        make_claim(1, 4, 'a'), make_claim(1, 5, 'a'),
    };
    const struct key_claim *claims[COUNT_OF(requests)];

    for (size_t i = 0; i < COUNT_OF(requests); i++)
        claims[i] = &requests[i];
    store_keys_claim(s->first.db, claims, COUNT_OF(claims), LEASE_US, ask_done, &ask);
    ask_wait(&s->first, &ask);
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct sessions *s = arg;

    assert_int_equal(answer->rc, OUTCOME_OK);
    s->answered++;
}

// A batch of random keys of one session.
struct batch {
    struct sessions *sessions;
    int who;
    struct key_claim requests[BATCH];
};

// Half of what was claimed is confirmed at once, in the order in which it came.
static void on_claimed(void *arg, const struct db_answer *answer)
{
    struct batch *b = arg;
    struct sessions *s = b->sessions;
    struct key_end ends[BATCH];
    struct key_row row;
    size_t count = 0;

    on_ended(s, answer);
    assert_int_equal(db_rows(answer->rows), BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        int key;

        store_keys_read(&row, answer->rows, i);
        memcpy(&key, b->requests[row.place].key_hash, sizeof(key));
        if (!row.claimed || row.published)
            continue;
        s->claims[key]++;
        if (random_below(2))
            ends[count++] = (struct key_end){ b->requests[row.place], true };
    }
    s->asked++;
    store_keys_end(session_of(s, b->who), ends, count, on_ended, s);
    free(b);
}

static void ask_at_random(struct sessions *s, int who)
{
    struct batch *b = xcalloc(1, sizeof(*b));
    const struct key_claim *claims[BATCH];

    b->sessions = s;
    b->who = who;
    for (int i = 0; i < BATCH; i++) {
        b->requests[i] = make_claim((int)random_below(KEYS), who * BATCH + i, 'a');
        claims[i] = &b->requests[i];
    }
    s->asked++;
    store_keys_claim(session_of(s, who), claims, BATCH, LEASE_US, on_claimed, b);
}

static bool is_all_answered(void *arg)
{
    const struct sessions *s = arg;
    return s->answered == s->asked;
}

static void of_two_producers_with_the_same_keys_one_claims_each(void **state)
{
    struct sessions *s = *state;

    for (int i = 0; i < ROUNDS; i++)
        ask_at_random(s, i);
    loop_until(s->first.reactor, is_all_answered, s);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(s->claims[i], 1);
    assert_int_equal(pg_int(s->first.pg, "select deadlocks from pg_stat_database"
                                         " where datname = current_database()"),
                     0);
}

static void a_key_is_forgotten_some_time_after_it_was_used_last(void **state)
{
    struct sessions *s = *state;
    struct ask ask = { 0 };

    pg_exec(s->first.pg,
            "insert into idempotency_keys (key_hash, client, request_hash, message_id,"
            "  claim, created_at, claimed_at, published_at)"
            " select decode(lpad(to_hex(n), 32, '0'), 'hex'), 7, '0123456789abcdef',"
            "  gen_random_uuid(), gen_random_uuid(), now() - came, now() - used, now()"
            "   from (values (1, interval '3 h', interval '3 h'), (2, '3 h', '1 h'),"
            "                (3, '1 h', '1 h'), (4, '4 h', '4 h'), (5, '5 h', '5 h'))"
            "     as n(n, came, used)");
    pg_exec(s->first.pg, "update idempotency_keys set claimed_at = '-infinity'"
                         " where created_at < now() - interval '210 min'");
    store_forget_keys(s->first.db, INT64_C(7200000000), 2, ask_done, &ask);
    ask_wait(&s->first, &ask);
    char *left =
        pg_text(s->first.pg, "select string_agg(right(encode(key_hash, 'hex'),"
                             " 1), ' ' order by key_hash) from idempotency_keys");
    assert_string_equal(left, "1 2 3");  // two at a time, the oldest first
    free(left);

    struct ask again = { 0 };
    store_forget_keys(s->second, INT64_C(7200000000), 2, ask_done, &again);
    ask_wait(&s->first, &again);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from idempotency_keys"), 2);
}

// Under the roles of the programs. The connections are given up afterwards.
static void each_program_has_the_rights_that_it_needs(void **state)
{
    struct sessions *s = *state;
    const struct key_claim requests[] = { make_claim(1, 1, 'a'), make_claim(1, 2, 'a') };
    const struct key_claim *claims[] = { &requests[0], &requests[1] };
    const struct key_end end = { requests[0], true };
    struct ask asked = { 0 }, ended = { 0 }, forgotten = { 0 };
    const struct db_statement as_producer = { "p", "set role smsq_producer" };
    const struct db_statement as_scheduler = { "s", "set role smsq_scheduler" };
    struct ask producer = { 0 }, scheduler = { 0 };

    db_submit(s->first.db, &as_producer, db_args_new(), ask_done, &producer);
    ask_wait(&s->first, &producer);
    store_keys_claim(s->first.db, claims, 2, LEASE_US, ask_done, &asked);
    ask_wait(&s->first, &asked);
    store_keys_end(s->first.db, &end, 1, ask_done, &ended);
    ask_wait(&s->first, &ended);
    db_submit(s->second, &as_scheduler, db_args_new(), ask_done, &scheduler);
    ask_wait(&s->first, &scheduler);
    store_forget_keys(s->second, -LEASE_US, 10, ask_done, &forgotten);
    ask_wait(&s->first, &forgotten);
    assert_int_equal(pg_int(s->first.pg, "select count(*) from idempotency_keys"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_sessions, close_sessions)
    const struct CMUnitTest tests[] = {
        TEST(a_key_stands_for_one_message),
        TEST(a_key_may_stand_in_a_batch_more_than_once),
        TEST(of_two_producers_with_the_same_keys_one_claims_each),
        TEST(a_key_is_forgotten_some_time_after_it_was_used_last),
        TEST(each_program_has_the_rights_that_it_needs),
    };

    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
