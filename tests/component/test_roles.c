// Each program's role, tried: what it must do, and what it must never do.
#include "pg.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DENIED "42501"  // insufficient_privilege
#define OK     ""

// A row of each kind that rights are tried on.
static const char rows_sql[] =
    "insert into clients (name) values ('shop');"
    "insert into api_tokens (client_id, token_hash, key_id, shown_prefix, scopes)"
    " values (1, decode(repeat('ab', 32), 'hex'), '0123456789Ab', 'x', '{send_sms}');"
    "insert into messages (message_id, client, turn, status, rank)"
    " select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0')"
    "         || '70008000000000000001')::uuid, 1, 1, 'queued', 30;"
    "insert into attempts (message_id, turn, rank)"
    " select message_id, 1, 30 from messages;"
    "insert into cost_entries (message_id, twilio_sid, kind, seq, amount_micros,"
    "                          total_micros, currency)"
    " select message_id, 'SM1', 'estimate', 0, 1, 1, 'USD' from messages;"
    "insert into delayed (message_id, turn, due, lane, kind)"
    " select message_id, 1, now(), 'normal', 'retry' from messages;"
    "insert into receipts (recorded_at, off, part, received_at, twilio_sid, word, raw)"
    " values (now(), 1, 0, now(), 'SM1', 'sent', 'raw');"
    "insert into receipts_unmatched (recorded_at, off, part, received_at, rank,"
    "                                twilio_sid, status)"
    " values (now(), 1, 0, now(), 50, 'SM1', 'sent');"
    "insert into workers (epoch, host, pid, version) values (1, 'h', 1, 'v');"
    "insert into claim_batches (epoch, number, message_ids)"
    " select 1, 1, array[message_id] from messages";

// The statements of the programs themselves run under their roles in the system tests;
// here stands what must never work, beside the right that is next to it.
static const struct {
    const char *role, *sql, *state;
} tries[] = {
    // Tokens: the producer compares hashes, operators never see one, others nothing.
    { "smsq_producer", "select key_id, token_hash, version from api_tokens", OK },
    { "smsq_producer", "update api_tokens set last_used_at = now()", OK },
    { "smsq_producer", "update api_tokens set revoked_at = null", DENIED },
    { "smsq_producer", "update api_tokens set scopes = '{admin}'", DENIED },
    { "smsq_producer", "insert into api_tokens (client_id) values (1)", DENIED },
    { "smsq_producer", "update api_token_changes set version = 0", DENIED },
    // It cancels and reschedules; who, what and what it costs are not its to change.
    { "smsq_producer", "update messages set status = 'canceled'", OK },
    { "smsq_producer", "update messages set sealed = null", DENIED },
    { "smsq_producer", "update messages set claimed_epoch = 1", DENIED },
    { "smsq_producer", "delete from messages", DENIED },
    { "smsq_producer", "delete from delayed", OK },
    { "smsq_producer", "update decisions set reason = null", DENIED },
    { "smsq_producer", "insert into rate_limits values (1, now())", OK },
    { "smsq_producer", "update rate_card set price_micros = 0", DENIED },
    { "smsq_producer", "select make_partitions(13)", DENIED },
    { "smsq_producer", "truncate rate_limits", DENIED },

    { "smsq_worker", "select message_id, sealed from messages", OK },
    { "smsq_worker", "update messages set status = 'sent', rank = 50", OK },
    { "smsq_worker", "delete from messages", DENIED },
    { "smsq_worker",
      "insert into cost_entries select message_id, now(), 1, 1, 1, 'SM1',"
      " 'estimate', 'USD' from messages",
      OK },
    { "smsq_worker", "update cost_entries set amount_micros = 0", DENIED },
    { "smsq_worker", "delete from cost_entries", DENIED },
    { "smsq_worker", "select token_hash from api_tokens", DENIED },
    { "smsq_worker", "select name from clients", DENIED },
    { "smsq_worker", "select raw from receipts", DENIED },
    { "smsq_worker", "delete from delayed", DENIED },
    { "smsq_worker", "delete from workers", DENIED },
    { "smsq_worker", "delete from claim_batches", OK },

    { "smsq_status", "update messages set status = 'sent', rank = 50", OK },
    { "smsq_status", "update messages set sealed = 'x'", DENIED },
    { "smsq_status", "update messages set client = 2", DENIED },
    { "smsq_status", "insert into messages select * from messages", DENIED },
    { "smsq_status", "delete from receipts_unmatched", OK },
    { "smsq_status", "update receipts set word = 'delivered'", DENIED },
    { "smsq_status", "delete from receipts", DENIED },
    { "smsq_status", "update cost_entries set amount_micros = 0", DENIED },
    { "smsq_status", "delete from cost_entries", DENIED },
    { "smsq_status", "select key_id from api_tokens", DENIED },
    { "smsq_status", "insert into delayed select * from delayed on conflict do nothing",
      OK },
    { "smsq_status", "delete from delayed", DENIED },
    { "smsq_status", "delete from claim_batches", OK },
    { "smsq_status", "update claim_batches set epoch = 2", DENIED },
    { "smsq_status", "update error_codes set action = 'retry'", DENIED },
    { "smsq_worker", "select action from error_codes", OK },
    { "smsq_worker", "update error_codes set action = 'retry'", DENIED },
    { "smsq_admin", "update error_codes set action = 'retry'", OK },
    { "smsq_admin", "delete from error_codes", DENIED },

    { "smsq_scheduler", "select sealed from messages", OK },
    { "smsq_scheduler", "delete from delayed", OK },
    { "smsq_scheduler", "select make_partitions(13)", OK },
    { "smsq_scheduler", "update messages set status = 'canceled'", OK },
    { "smsq_scheduler", "update messages set sealed = null", DENIED },
    { "smsq_scheduler", "insert into delayed select * from delayed", DENIED },
    { "smsq_scheduler", "select amount_micros from cost_entries", DENIED },
    { "smsq_scheduler", "select key_id from api_tokens", DENIED },
    { "smsq_scheduler", "select count(*) from messages_held", OK },
    { "smsq_scheduler", "delete from claim_batches", DENIED },

    { "smsq_admin", "select key_id, mode, last_used_at from api_tokens", OK },
    { "smsq_admin", "update api_tokens set revoked_at = now()", OK },
    { "smsq_admin", "select make_partitions(13)", OK },
    { "smsq_admin", "select count(*) from messages_held", OK },
    { "smsq_admin", "delete from claim_batches", DENIED },
    { "smsq_admin", "select token_hash from api_tokens", DENIED },
    { "smsq_admin", "update api_tokens set token_hash = decode(repeat('00', 32), 'hex')",
      DENIED },
    { "smsq_admin", "update api_tokens set scopes = '{admin}'", DENIED },
    { "smsq_admin", "delete from api_tokens", DENIED },
    { "smsq_admin", "select sealed from messages", DENIED },
    { "smsq_admin", "update cost_entries set amount_micros = 0", DENIED },

    { "smsq_analyst", "select status, country, client from messages", OK },
    { "smsq_analyst", "select amount_micros from cost_entries", OK },
    { "smsq_analyst", "select word from receipts", OK },
    { "smsq_analyst", "select sealed from messages", DENIED },
    { "smsq_analyst", "select to_hash from messages", DENIED },
    { "smsq_analyst", "select to_hint from messages", DENIED },
    { "smsq_analyst", "select * from messages", DENIED },
    { "smsq_analyst", "select raw from receipts", DENIED },
    { "smsq_analyst", "select key_id from api_tokens", DENIED },
    { "smsq_analyst", "insert into clients (name) values ('x')", "25006" },
    { "smsq_analyst", "begin read write; insert into clients (name) values ('x')",
      DENIED },
};

static const char *const roles[] = { "smsq_producer",  "smsq_worker", "smsq_status",
                                     "smsq_scheduler", "smsq_admin",  "smsq_analyst" };

// What none of them may do.
static const char *const never[] = {
    "drop table messages",
    "alter table messages add column x int",
    "truncate messages",
    "truncate cost_entries",
    "truncate receipts",
    "truncate api_tokens",
    "create table mine (x int)",
    "create schema mine",
    "create temporary table mine (x int)",
    "create role mine",
    "alter role smsq_owner login",
    "set role smsq_owner",
    "update cost_entries set amount_micros = 0",
    "delete from cost_entries",
    "delete from messages",
    "delete from attempts",
    "delete from api_tokens",
    "update clients set name = 'x'",
    "update partitioned_tables set settings = ''",
    "select make_partition(p, now()::date) from partitioned_tables p",
    "alter function make_partitions(integer) owner to current_user",
    "copy clients to program 'true'",
    "select pg_read_file('/etc/passwd')",
};

static int start(void **state)
{
    *state = pg_start(PG_MIGRATED);
    pg_exec(*state, rows_sql);
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        char sql[64];
        (void)snprintf(sql, sizeof(sql), "alter role %s login", roles[i]);
        pg_exec(*state, sql);
    }
    return 0;
}

static int stop(void **state)
{
    pg_stop(*state);
    return 0;
}

// The later user= wins over the superuser's.
static PGconn *log_in(struct pg *pg, const char *role)
{
    char url[512];

    (void)snprintf(url, sizeof(url), "%s&user=%s", pg_url(pg), role);
    PGconn *conn = PQconnectdb(url);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

// Runs it, takes it back, and compares SQLSTATE. The statement may begin with its own
// "begin".
static void try_one(struct pg *pg, const char *role, const char *sql, const char *wanted)
{
    PGconn *conn = log_in(pg, role);

    if (strncmp(sql, "begin", 5) != 0)
        PQclear(PQexec(conn, "begin"));
    PGresult *answer = PQexec(conn, sql);
    const char *state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);

    if (strcmp(state ? state : "", wanted) != 0)
        fail_msg("%s: %s: \"%s\", not \"%s\": %s", role, sql, state ? state : "", wanted,
                 PQerrorMessage(conn));
    PQclear(answer);
    PQfinish(conn);
}

static void each_role_does_its_own_and_no_more(void **state)
{
    for (size_t i = 0; i < COUNT_OF(tries); i++)
        try_one(*state, tries[i].role, tries[i].sql, tries[i].state);
}

static void nobody_does_what_only_the_owner_may(void **state)
{
    for (size_t r = 0; r < COUNT_OF(roles); r++)
        for (size_t i = 0; i < COUNT_OF(never); i++) {
            // A session that only reads hears of that first.
            bool reads = strcmp(roles[r], "smsq_analyst") == 0;
            char sql[256];
            (void)snprintf(sql, sizeof(sql), "%s%s", reads ? "begin read write; " : "",
                           never[i]);
            try_one(*state, roles[r], sql, DENIED);
        }
}

static void the_owner_cannot_log_in_and_the_public_has_nothing(void **state)
{
    assert_int_equal(pg_int(*state, "select count(*) from pg_roles where rolname ="
                                    " 'smsq_owner' and not rolcanlogin"
                                    " and not rolsuper and not rolcreaterole"),
                     1);
    assert_int_equal(
        pg_int(*state,
               "select count(*) from pg_class c, aclexplode(c.relacl) a"
               " where c.relnamespace = 'public'::regnamespace and a.grantee = 0"),
        0);
    assert_int_equal(
        pg_int(*state, "select has_schema_privilege('public', 'public', 'usage')::int"
                       "     + has_database_privilege('public', current_database(),"
                       "                              'connect')::int"),
        0);
}

static void paths_of_roles_and_functions_are_pinned(void **state)
{
    for (size_t r = 0; r < COUNT_OF(roles); r++) {
        PGconn *conn = log_in(*state, roles[r]);
        PGresult *path = PQexec(conn, "show search_path");
        assert_string_equal(PQgetvalue(path, 0, 0), "public, pg_temp");
        PQclear(path);
        PQfinish(conn);
    }
    assert_int_equal(
        pg_int(*state, "select count(*) from pg_proc where prosecdef"
                       " and pronamespace = 'public'::regnamespace"
                       " and not 'search_path=pg_catalog, pg_temp' = any (proconfig)"),
        0);
}

static void a_token_is_never_deleted_and_every_change_has_a_number(void **state)
{
    struct pg *pg = *state;
    int64_t before = pg_int(pg, "select version from api_token_changes");

    try_one(pg, "postgres", "delete from api_tokens", "23001");
    pg_exec(pg, "set role smsq_admin; update api_tokens set revoked_at = now()");
    assert_int_equal(pg_int(pg, "select version from api_tokens"), before + 1);
    pg_exec(pg, "set role smsq_producer; update api_tokens set last_used_at = now()");
    assert_int_equal(pg_int(pg, "select version from api_tokens"), before + 1);
    assert_int_equal(pg_int(pg, "select version from api_token_changes"), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_does_its_own_and_no_more),
        cmocka_unit_test(nobody_does_what_only_the_owner_may),
        cmocka_unit_test(the_owner_cannot_log_in_and_the_public_has_nothing),
        cmocka_unit_test(paths_of_roles_and_functions_are_pinned),
        cmocka_unit_test(a_token_is_never_deleted_and_every_change_has_a_number),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
