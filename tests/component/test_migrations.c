#include "pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int start_empty(void **state)
{
    *state = pg_start(PG_EMPTY);
    return 0;
}

static int start_migrated(void **state)
{
    *state = pg_start(PG_MIGRATED);
    return 0;
}

static int stop(void **state)
{
    pg_stop(*state);
    return 0;
}

static void check_text(struct pg *pg, const char *sql, const char *want)
{
    char *is = pg_text(pg, sql);

    assert_string_equal(is, want);
    free(is);
}

// sqitch wants a URI of its own kind; the socket's folder is the host of ours.
static void sqitch(struct pg *pg, const char *words)
{
    char command[1024];
    const char *host = strstr(pg_url(pg), "host=") + strlen("host=");

    (void)snprintf(
        command, sizeof(command),
        "cd migrations && sqitch --quiet %s 'db:pg://postgres@/postgres?host=%.*s'"
        " >&2",
        words, (int)strcspn(host, "&"), host);
    if (system(command))
        fail_msg("sqitch %s failed", words);
}

static const char tables_sql[] =
    "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = 'public' and c.relkind in ('r', 'p', 'i', 'I', 'S')";

static const char functions_sql[] =
    "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
    " where n.nspname = 'public'";

static void all_changes_deploy_verify_revert_and_deploy_again(void **state)
{
    struct pg *pg = *state;

    sqitch(pg, "deploy");
    sqitch(pg, "verify");
    int64_t tables = pg_int(pg, tables_sql);
    assert_true(tables > 100);

    sqitch(pg, "revert -y");
    assert_int_equal(pg_int(pg, tables_sql), 0);
    assert_int_equal(pg_int(pg, functions_sql), 0);

    sqitch(pg, "deploy");
    assert_int_equal(pg_int(pg, tables_sql), tables);
}

static void every_table_and_column_is_explained(void **state)
{
    check_text(*state,
               "select coalesce(string_agg(c.relname || coalesce('.' || a.attname, ''),"
               "                           ', '), '')"
               "  from pg_class c left join pg_attribute a on a.attrelid = c.oid"
               "       and a.attnum > 0 and not a.attisdropped"
               "  left join pg_description d on d.objoid = c.oid"
               "       and d.classoid = 'pg_class'::regclass and d.objsubid = a.attnum"
               " where c.relkind in ('r', 'p')"
               "   and c.relnamespace = 'public'::regnamespace"
               "   and (coalesce(d.description, '') = ''"
               "        or obj_description(c.oid, 'pg_class') is null"
               "           and not c.relispartition)",
               "");
}

static void every_function_is_explained_and_nobody_makes_partitions(void **state)
{
    check_text(*state,
               "select coalesce(string_agg(proname, ', '), '') from pg_proc"
               " where pronamespace = 'public'::regnamespace"
               "   and obj_description(oid, 'pg_proc') is null",
               "");
    check_text(*state,
               "select coalesce(string_agg(proname, ', '), '') from pg_proc"
               " where pronamespace = 'public'::regnamespace and prosecdef"
               "   and (has_function_privilege('public', oid, 'execute')"
               "        or not 'search_path=pg_catalog, pg_temp' = any (proconfig))",
               "");
    check_text(*state,
               "select prosecdef::text from pg_proc where proname = 'make_partitions'",
               "true");
}

// A change that forgets "set local role smsq_owner" is found here.
static void the_owner_owns_everything(void **state)
{
    check_text(*state,
               "select coalesce(string_agg(name, ', '), '') from ("
               " select relname, relowner from pg_class"
               "  where relnamespace = 'public'::regnamespace"
               " union all"
               " select proname, proowner from pg_proc"
               "  where pronamespace = 'public'::regnamespace) x(name, owner)"
               " where owner <> 'smsq_owner'::regrole",
               "");
}

static void partitions_reach_from_last_month_to_thirteen_ahead(void **state)
{
    static const char *const tables[] = { "messages", "attempts", "cost_entries",
                                          "receipts", "decisions" };
    char sql[512];

    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        (void)snprintf(
            sql, sizeof(sql),
            "select string_agg(to_char(date_trunc('month', now() at time zone"
            " 'UTC') + n * interval '1 month', '\"%s_\"YYYY_MM'), ' ' order by n)"
            " = (select string_agg(inhrelid::regclass::text, ' ' order by"
            "    inhrelid::regclass::text)"
            "      from pg_inherits where inhparent = '%s'::regclass)"
            " from generate_series(-1, 13) n",
            tables[i], tables[i]);
        check_text(*state, sql, "t");
    }
    check_text(*state,
               "select count(*)::text from pg_class where relispartition"
               " and pg_get_expr(relpartbound, oid) = 'DEFAULT'",
               "0");
}

// A row of the last millisecond of this month, and one of the first of the next.
static const char borders_sql[] =
    "with month as (select (date_trunc('month', now() at time zone 'UTC')"
    "                       + interval '1 month')::date as next),"
    " ms as (select n, lpad(to_hex((extract(epoch from next::timestamp) * 1000)::bigint"
    "                              - 1 + n), 12, '0') as hex"
    "          from month, generate_series(0, 1) n)"
    " insert into messages (message_id, client, turn, status, rank)"
    " select (hex || case n when 0 then '7fffbfffffffffffffff'"
    "                       else '70008000000000000000' end)::uuid, n, 1, 'unknown', 25"
    "   from ms";

static void ids_of_a_month_lie_in_its_partition(void **state)
{
    struct pg *pg = *state;

    pg_exec(pg, borders_sql);
    check_text(
        pg,
        "select (array_agg(tableoid::regclass::text order by client)"
        "        = array_agg(to_char(now() at time zone 'UTC'"
        "                    + client * interval '1 month', '\"messages_\"YYYY_MM')"
        "                    order by client))::text from messages",
        "true");
}

static void what_is_missing_is_made_once(void **state)
{
    struct pg *pg = *state;

    assert_int_equal(pg_int(pg, "select count(*) from make_partitions(13)"), 0);
    assert_int_equal(pg_int(pg, "select count(*) from make_partitions(15)"), 10);
    assert_int_equal(pg_int(pg, "select count(*) from make_partitions(15)"), 0);
}

static void a_partition_has_the_settings_and_indexes_of_its_table(void **state)
{
    check_text(*state,
               "select string_agg(distinct (select string_agg(x, ' ' order by x)"
               "                             from unnest(reloptions) x), ';')"
               "  from pg_class where relispartition and relkind = 'r'"
               "   and relname like 'messages_%'",
               "autovacuum_vacuum_cost_delay=1 autovacuum_vacuum_insert_scale_factor=0.1"
               " autovacuum_vacuum_scale_factor=0.05 fillfactor=50");
    check_text(
        *state,
        "select string_agg(distinct n::text, ' ') from (select count(*) n"
        "  from pg_index i join pg_class c on c.oid = i.indrelid"
        " where c.relispartition and c.relname like 'messages_%' group by c.oid) x",
        "2");
}

static void only_who_is_granted_makes_partitions_of_tables_he_does_not_own(void **state)
{
    struct pg *pg = *state;

    check_text(pg,
               "select has_function_privilege('smsq_worker', 'make_partitions(integer)',"
               " 'execute')::text",
               "false");
    pg_exec(pg, "set role smsq_admin; select make_partitions(16)");
    assert_int_equal(pg_int(pg, "select count(*) from pg_inherits"
                                " where inhparent = 'messages'::regclass"),
                     18);
}

int main(void)
{
    const struct CMUnitTest on_empty[] = {
        cmocka_unit_test(all_changes_deploy_verify_revert_and_deploy_again),
    };
    const struct CMUnitTest on_migrated[] = {
        cmocka_unit_test(every_table_and_column_is_explained),
        cmocka_unit_test(every_function_is_explained_and_nobody_makes_partitions),
        cmocka_unit_test(the_owner_owns_everything),
        cmocka_unit_test(partitions_reach_from_last_month_to_thirteen_ahead),
        cmocka_unit_test(ids_of_a_month_lie_in_its_partition),
        cmocka_unit_test(a_partition_has_the_settings_and_indexes_of_its_table),
        cmocka_unit_test(what_is_missing_is_made_once),
        cmocka_unit_test(only_who_is_granted_makes_partitions_of_tables_he_does_not_own),
    };
    int failed = cmocka_run_group_tests_name("empty", on_empty, start_empty, stop);

    return failed +
           cmocka_run_group_tests_name("migrated", on_migrated, start_migrated, stop);
}
