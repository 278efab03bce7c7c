// smsq status without an id: one screen about the whole system.
#include "buf.h"
#include "command.h"
#include "http_api.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 3000 };

#define AGE(column) "round(extract(epoch from now() - " column "), 1)"

// A row per line of the screen: which part, the line, whether it needs a look, and the
// same as an object. Messages are found by the partial index and in delayed: nothing here
// grows with the table.
// clang-format off
static const char screen_sql[] =
    "with r (part, line, is_bad, json) as ( "
    " select 'switches', format('%s %s for %s s, %s%s', name, state, "
    AGE("since") ", concat_ws(', ', reason, changed_by), ', next probe ' || "
    SQL_TIME("probe_at") "), true, json_build_object('name', name, 'state', "
    "state, 'since', " SQL_TIME("since") ", 'reason', reason, 'probe_at', "
    SQL_TIME("probe_at") ", 'changed_by', changed_by) "
    "   from switches "
    "   where state <> 'closed' "
    "  union all select 'workers', format('%s %s, beat %s s ago, up since %s', "
    "host, pid, " AGE("heartbeat_at") ", " SQL_TIME("started_at") "), heartbeat_at "
    "< now() - interval '5 s', json_build_object('host', host, 'pid', pid, "
    "'version', version, 'epoch', epoch, 'beat_age_s', " AGE("heartbeat_at") ", "
    "'started_at', " SQL_TIME("started_at") ") "
    "   from workers "
    "   where dead_at is null and heartbeat_at > now() - interval '1 day' "
    "  union all select 'leases', format('%s held by %s, %s s left', name, held_by, "
    "-" AGE("expires_at") "), expires_at < now(), json_build_object('name', name, "
    "'held_by', held_by, 'left_s', -" AGE("expires_at") ") "
    "   from leases "
    "  union all select 'messages', format('%s %s: %s, oldest %s s', lane, status, "
    "count(*), " AGE("min(claimed_at)") "), status = 'in_doubt' or min(claimed_at) "
    "< now() - interval '1 min', json_build_object('lane', lane, 'status', status, "
    "'count', count(*), 'oldest_s', " AGE("min(claimed_at)") ") "
    "   from messages_held "
    "   group by lane, status "
    "  union all select 'messages', format('%s waiting, %s: %s, %s due, the first "
    "%s', lane, kind, count(*), count(*) filter (where due <= now()), "
    SQL_TIME("min(due)") "), min(due) < now() - interval '1 min', "
    "json_build_object('lane', lane, 'status', 'waiting', 'kind', kind, 'count', "
    "count(*), 'due', count(*) filter (where due <= now()), 'first_due', "
    SQL_TIME("min(due)") ") "
    "   from delayed "
    "   group by lane, kind) "
    " select part, line, is_bad, json "
    "   from r "
    "   order by part, line";
// clang-format on

static const char *const parts[] = { "switches", "workers", "leases", "messages" };

static void print_line(const char *part, const char *line, bool is_bad)
{
    printf("%-9s ", part);
    if (is_bad)
        terminal_colour(stdout, TERMINAL_RED, line);
    else
        terminal_print(stdout, line, strlen(line));
    putchar('\n');
}

static void print_part(const struct sql_answer *answer, const char *part, bool as_json)
{
    size_t shown = 0;

    if (as_json)
        printf(",\n\"%s\":[", part);
    for (size_t i = 0; i < sql_rows(answer); i++) {
        const char *json = sql_text(answer, i, 3);
        if (strcmp(sql_text(answer, i, 0), part) != 0)
            continue;
        if (as_json) {
            fputs(shown ? ",\n" : "\n", stdout);
            terminal_print(stdout, json, strlen(json));
        } else {
            print_line(part, sql_text(answer, i, 1), sql_text(answer, i, 2)[0] == 't');
        }
        shown++;
    }
    if (as_json)
        fputs("]", stdout);
    else if (shown == 0)
        print_line(part, "none", false);
}

// Programs with an address of their own are asked; the others show by beats and leases.
static void print_program(const char *name, const char *url, bool is_first, bool as_json)
{
    struct http_api x;
    char line[128];

    http_api_init(&x);
    buf_addf(&x.url, "%s/readyz", url);
    http_api_perform(&x, NULL, TIMEOUT_MS);
    bool ready = x.status == 200;
    (void)snprintf(line, sizeof(line), "%s %s", name,
                   ready      ? "ready"
                   : x.reason ? "does not answer"
                              : "not ready: smsq ping says why");
    if (as_json)
        printf("%s{\"name\":\"%s\",\"ready\":%s}", is_first ? "{\"programs\":[\n" : ",\n",
               name, ready ? "true" : "false");
    else
        print_line("programs", line, !ready);
    http_api_free(&x);
}

int command_overview(const struct call *call)
{
    bool as_json = call_has(call, "json");
    struct sql_answer answer;
    struct err err = { 0 };

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    enum outcome rc =
        sql_ask(&answer, call->set->database_url, screen_sql, NULL, 0, &err);
    if (rc)
        return command_failed(rc, &err);
    print_program("producer", call->set->api_url, true, as_json);
    print_program("receiver", call->set->receiver_url, false, as_json);
    if (as_json)
        fputs("]", stdout);
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        print_part(&answer, parts[i], as_json);
    if (as_json)
        puts("}");
    sql_answer_free(&answer);
    return EXIT_OK;
}
