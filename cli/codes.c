// smsq codes list, show, set: what each of Twilio's error codes comes to.
#include "buf.h"
#include "command.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_JSON, COLUMN_CODE, COLUMN_SHOWS, COLUMN_ACTION, COLUMN_MEANING };
enum { WAIT_MAX_S = 604800, TRIES_MAX = 100, NUMBER_BYTES = 24 };

#define COLUMNS                                                                          \
    " json_build_object('code', code, 'shows', shows, 'action', action,"                 \
    "  'least_wait_s', least_wait_s, 'tries_max', tries_max, 'opt_out', opt_out,"        \
    "  'meaning', meaning, 'advice', advice, 'changed_at', " SQL_TIME(                   \
        "changed_at") ","                                                                \
                      "  'changed_by', changed_by), code, shows, action, meaning,"       \
                      " least_wait_s, tries_max, opt_out, advice, " SQL_TIME(            \
                          "changed_at") ", changed_by"

static const char list_sql[] =
    "select" COLUMNS " from error_codes"
    " where ($1::text is null or action = $1) and ($2::bool or changed_at is not null)"
    " order by code";

static const char show_sql[] = "select" COLUMNS " from error_codes where code = $1::int";

// A new code needs what it means; a row that is there keeps what is not given. 0 takes a
// wait or a number of tries away.
static const char set_sql[] =
    "with changed as ("
    "  update error_codes set action = coalesce($2, action),"
    "         least_wait_s = nullif(coalesce($3::int, least_wait_s), 0),"
    "         tries_max = nullif(coalesce($4::smallint, tries_max), 0),"
    "         opt_out = coalesce($5::bool, opt_out), meaning = coalesce($6, meaning),"
    "         advice = coalesce($7, advice), changed_at = now(), changed_by = $8"
    "   where code = $1::int returning *"
    "), made as ("
    "  insert into error_codes (code, shows, action, least_wait_s, tries_max, opt_out,"
    "                           meaning, advice, changed_at, changed_by)"
    "  select $1::int, 'both', $2, nullif($3::int, 0), nullif($4::smallint, 0),"
    "         coalesce($5::bool, false), $6, $7, now(), $8"
    "   where not exists (select from changed) and $2 is not null and $6 is not null"
    "     and $7 is not null returning *"
    ")"
    "select" COLUMNS " from changed union all select" COLUMNS " from made";

static void print_row(const struct sql_answer *answer, size_t row)
{
    const char *meaning = sql_text(answer, row, COLUMN_MEANING);

    printf("%-7s %-9s %-13s ", sql_text(answer, row, COLUMN_CODE),
           sql_text(answer, row, COLUMN_SHOWS), sql_text(answer, row, COLUMN_ACTION));
    terminal_print(stdout, meaning, strlen(meaning));
    putchar('\n');
}

static void print_json(const struct sql_answer *answer, size_t row)
{
    const char *json = sql_text(answer, row, COLUMN_JSON);

    terminal_print(stdout, json, strlen(json));
    putchar('\n');
}

// One line per member that is set.
static void print_whole(const struct sql_answer *answer)
{
    static const char *const names[] = { "code",      "shows",        "action",
                                         "meaning",   "least_wait_s", "tries_max",
                                         "opt_out",   "advice",       "changed_at",
                                         "changed_by" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *text = sql_text(answer, 0, (int)i + COLUMN_CODE);
        if (!text[0])
            continue;
        if (strcmp(names[i], "opt_out") == 0)
            text = text[0] == 't' ? "yes" : "no";
        printf("%-13s ", names[i]);
        terminal_print(stdout, text, strlen(text));
        putchar('\n');
    }
}

static int print_one(const struct call *call, const char *sql, const char *const *values,
                     int count, const char *missing)
{
    struct sql_answer answer;
    struct err err = { 0 };
    enum outcome rc = sql_ask(&answer, call->set->database_url, sql, values, count, &err);

    if (rc)
        return command_failed(rc, &err);
    bool found = sql_rows(&answer) > 0;
    if (!found)
        command_says("%s", missing);
    else if (call_has(call, "json"))
        print_json(&answer, 0);
    else
        print_whole(&answer);
    sql_answer_free(&answer);
    return found ? EXIT_OK : EXIT_NOT_FOUND;
}

int command_codes_list(const struct call *call)
{
    const char *const values[] = { call_text(call, "action"),
                                   call_has(call, "changed") ? "false" : "true" };
    struct sql_answer answer;
    struct err err = { 0 };

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    enum outcome rc = sql_ask(&answer, call->set->database_url, list_sql, values,
                              COUNT_OF(values), &err);
    if (rc)
        return command_failed(rc, &err);
    for (size_t i = 0; i < sql_rows(&answer); i++) {
        if (call_has(call, "json"))
            print_json(&answer, i);
        else
            print_row(&answer, i);
    }
    sql_answer_free(&answer);
    return EXIT_OK;
}

static bool is_code(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 6 && text[0] != '0' && strspn(text, "0123456789") == len;
}

int command_codes_show(const struct call *call)
{
    const char *code = call->positionals[0];

    if (!is_code(code))
        return command_usage(call, "CODE is one of Twilio's numbers, as 30008");
    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    return print_one(call, show_sql, &code, 1,
                     "the table has no such code; smsq codes list shows them");
}

static enum outcome read_number(char out[NUMBER_BYTES], const char **value,
                                const struct call *call, const char *name, int64_t max,
                                struct err *err)
{
    int64_t number = 0;

    *value = NULL;
    if (!call_text(call, name))
        return OUTCOME_OK;
    enum outcome rc = call_number(&number, call, name, 0, max, err);
    if (rc)
        return rc;
    (void)snprintf(out, NUMBER_BYTES, "%lld", (long long)number);
    *value = out;
    return OUTCOME_OK;
}

int command_codes_set(const struct call *call)
{
    char wait[NUMBER_BYTES], tries[NUMBER_BYTES];
    struct buf who = BUF_INIT(SQL_WHO_MAX_BYTES);
    const char *values[8] = { call->positionals[0] };
    const char *opt_out = call_text(call, "opt-out");
    struct err err = { 0 };

    if (!is_code(values[0]))
        return command_usage(call, "CODE is one of Twilio's numbers, as 30008");
    if (read_number(wait, &values[2], call, "least-wait", WAIT_MAX_S, &err) ||
        read_number(tries, &values[3], call, "tries", TRIES_MAX, &err))
        return command_usage(call, "%s", err.text);
    if (call->given_count == (size_t)call_has(call, "json"))
        return command_usage(call, "say what to change");
    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    values[1] = call_text(call, "action");
    values[4] = !opt_out ? NULL : strcmp(opt_out, "yes") == 0 ? "true" : "false";
    values[5] = call_text(call, "meaning");
    values[6] = call_text(call, "advice");
    sql_who(&who);
    values[7] = buf_text(&who);
    int code = print_one(call, set_sql, values, COUNT_OF(values),
                         "the table has no such code: a new one needs --action, "
                         "--meaning and --advice");
    buf_free(&who);
    return code;
}
