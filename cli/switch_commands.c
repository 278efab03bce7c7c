// smsq switch: what holds messages back (table switches), and holding them by hand.
#include "account.h"
#include "buf.h"
#include "command.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128, REASON_MAX_BYTES = 500 };

#define MEMBERS                                                                          \
    "json_build_object('name', name, 'scope', scope, 'state', state, "                   \
    "'since', " SQL_TIME("since") ", 'probe_at', " SQL_TIME(                             \
        "probe_at") ", 'http_status', http_status, 'code', code, 'reason', reason,"      \
                    " 'changed_by', changed_by)"
#define SHOWN                                                                            \
    "name, state, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"           \
    " concat_ws(', ', reason, changed_by), " MEMBERS

static const char list_sql[] =
    "select " SHOWN " from switches where state <> 'closed' order by name";

// $1 names, $2 state, $3 reason, $4 who. The same again changes nothing but the reason.
static const char hold_sql[] =
    "insert into switches as s (name, scope, state, reason, changed_by)"
    " select name, case when name = 'emergency_only' then 'class'"
    "                   else split_part(name, '/', 1) end, $2::text, $3::text, $4::text"
    "   from unnest($1::text[]) as n(name)"
    " on conflict (name) do update set"
    "   since = case when s.state = excluded.state then s.since else now() end,"
    "   state = excluded.state, probe_at = null, prober = null, code = null,"
    "   http_status = null, reason = excluded.reason, changed_by = excluded.changed_by"
    " returning " SHOWN;

// What a person holds flows again. A breaker that opened by itself is probed at once:
// one message finds out, not all of them.
static const char release_sql[] =
    "update switches set"
    "   state = case state when 'open' then 'open' else 'closed' end,"
    "   since = case state when 'open' then since else now() end,"
    "   probe_at = case state when 'open' then now() end, prober = null, probes = 0,"
    "   changed_by = $2::text, reason = case state when 'open' then reason end"
    " where name = any ($1::text[]) and state <> 'closed' returning " SHOWN;

static void print_row(const struct sql_answer *answer, size_t row)
{
    static const int widths[] = { 24, 6, 19, 0 };

    for (int column = 0; column < 4; column++) {
        const char *text = sql_text(answer, row, column);
        if (column == 1 && strcmp(text, "closed") != 0)
            terminal_colour(stdout, TERMINAL_RED, text);
        else
            terminal_print(stdout, text, strlen(text));
        int pad = widths[column] - (int)strlen(text);
        printf("%*s", column < 3 ? (pad > 0 ? pad : 0) + 2 : 0, "");
    }
    putchar('\n');
}

static void print_rows(const struct sql_answer *answer, bool as_json)
{
    if (as_json)
        fputs("{\"switches\":[", stdout);
    for (size_t i = 0; i < sql_rows(answer); i++) {
        const char *json = sql_text(answer, i, 4);
        if (!as_json) {
            print_row(answer, i);
            continue;
        }
        fputs(i ? ",\n" : "\n", stdout);
        terminal_print(stdout, json, strlen(json));
    }
    if (as_json)
        puts("]}");
    else if (sql_rows(answer) == 0)
        command_says("nothing is held");
}

static int run(const struct call *call, const char *sql, const char *const *values,
               int count)
{
    struct sql_answer answer;
    struct err err = { 0 };

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    enum outcome rc = sql_ask(&answer, call->set->database_url, sql, values, count, &err);
    if (rc)
        return command_failed(rc, &err);
    print_rows(&answer, call_has(call, "json"));
    sql_answer_free(&answer);
    return EXIT_OK;
}

int command_switch_list(const struct call *call)
{
    return run(call, list_sql, NULL, 0);
}

// names is an array of PostgreSQL's; hold is the state that holds.
static int turn(const struct call *call, const char *names, const char *hold)
{
    struct buf who = BUF_INIT(SQL_WHO_MAX_BYTES);
    const char *reason = call_text(call, "reason");

    if (reason && strlen(reason) > REASON_MAX_BYTES)
        return command_usage(call, "--reason has more than %d bytes", REASON_MAX_BYTES);
    sql_who(&who);
    const char *const holding[] = { names, hold, reason, buf_text(&who) };
    const char *const releasing[] = { names, buf_text(&who) };
    int code = hold ? run(call, hold_sql, holding, COUNT_OF(holding))
                    : run(call, release_sql, releasing, COUNT_OF(releasing));
    buf_free(&who);
    return code;
}

// Reads "on" or "off"; false for anything else.
static bool read_state(bool *on, const char *text)
{
    *on = strcmp(text, "on") == 0;
    return *on || strcmp(text, "off") == 0;
}

int command_switch_account(const struct call *call)
{
    const char *account = call->positional_count > 1 ? call->positionals[1] : NULL;
    const char *names = "{account/twilio,account/simulator}";
    bool on;

    if (!read_state(&on, call->positionals[0]))
        return command_usage(call, "STATE is on or off");
    if (account && strcmp(account, "twilio") == 0)
        names = "{account/twilio}";
    else if (account && strcmp(account, "simulator") == 0)
        names = "{account/simulator}";
    else if (account)
        return command_usage(call, "ACCOUNT is twilio or simulator");
    return turn(call, names, on ? NULL : "off");
}

int command_switch_emergency_only(const struct call *call)
{
    bool on;

    if (!read_state(&on, call->positionals[0]))
        return command_usage(call, "STATE is on or off");
    return turn(call, "{emergency_only}", on ? "on" : NULL);
}

int command_switch_sender(const struct call *call)
{
    const char *sender = call->positionals[0];
    struct buf names = BUF_INIT(2 * NAME_MAX_BYTES);
    bool on;

    if (!account_sender_type(sender))
        return command_usage(call, "SENDER is a number with +, a short code, a Messaging "
                                   "Service SID or a sender id");
    if (!read_state(&on, call->positionals[1]))
        return command_usage(call, "STATE is on or off");
    buf_addf(&names, "{\"sender/%s\"}", sender);  // no such sender has a quote in it
    int code = turn(call, buf_text(&names), on ? NULL : "off");
    buf_free(&names);
    return code;
}
