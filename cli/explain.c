// smsq explain: the story of one message, from all tables, in order of time.
#include "command.h"
#include "keys.h"
#include "message_id.h"
#include "sid.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char find_sql[] =
    "select message_id from attempts where twilio_sid = $1::text limit 1";

#define MONEY(column) "trim_scale(" column " / 1000000.0)"

// One row per thing that happened: when, what, at which turn, and the rest as an object.
// Columns that an older attempt does not have are null. A callback belongs to the message
// by its address or by its SID; receipts are looked for from the id's own time on.
// clang-format off
static const char events_sql[] =
    "with m as (select * "
    "   from (select message_id, client, class, lane, mode, to_hint, sender, "
    "send_at, expires_at, accepted_at, estimate_micros, currency, rate_note, "
    "segments, reference, claimed_at, claimed_epoch, turn, status "
    "   from messages "
    "   where message_id = $1::uuid) x), a as (select t.*, to_jsonb(t) as more "
    "   from attempts t "
    "   where message_id = $1::uuid), e (at, place, what, turn, detail) as ( "
    " select accepted_at, 0, 'accepted', 1, json_build_object( 'client', (select "
    "name "
    "   from clients "
    "   where client_id = m.client), 'class', class, 'lane', lane, 'mode', mode, "
    "'to', to_hint, 'from', sender, 'segments', segments, 'estimate', "
    MONEY("estimate_micros") ", 'currency', currency, 'rate_note', rate_note, "
    "'reference', reference, 'send_at', " SQL_TIME("send_at") ", 'useful_until', "
    SQL_TIME("expires_at") ") "
    "   from m "
    "  union all select (more ->> 'claimed_at')::timestamptz, 1, 'claimed', turn, "
    "json_build_object('worker', format('%s %s', w.host, w.pid)) "
    "   from a "
    "   left join workers w on w.epoch = (a.more ->> 'epoch')::bigint "
    "   where more ->> 'claimed_at' is not null "
    "  union all select claimed_at, 1, 'claimed', m.turn, "
    "json_build_object('worker', format('%s %s', w.host, w.pid)) "
    "   from m "
    "   left join workers w on w.epoch = m.claimed_epoch "
    "   where status = 'claimed' "
    "  union all select (more ->> 'posted_at')::timestamptz, 2, 'request', turn, "
    "'{}'::json "
    "   from a "
    "   where more ->> 'posted_at' is not null "
    "  union all select answered_at, 3, 'answer', turn, "
    "json_build_object('outcome', outcome, 'http_status', http_status, "
    "'twilio_sid', twilio_sid, 'segments', segments, 'error_code', "
    "   case when outcome <> 'accepted' then error_code end) "
    "   from a "
    "   where answered_at is not null "
    "  union all select received_at, 4, 'callback', r.turn, "
    "json_build_object('status', word, 'error_code', error_code, 'twilio_sid', "
    "twilio_sid) "
    "   from receipts r "
    "   where recorded_at > $2::timestamptz - interval '1 hour' and (message_id = "
    "$1::uuid or twilio_sid in (select twilio_sid "
    "   from a)) "
    "  union all select decided_at, 5, 'decision', turn, "
    "json_build_object('decision', kind, 'reason', reason, 'due', "
    SQL_TIME("due") ", 'by', decided_by) "
    "   from decisions "
    "   where message_id = $1::uuid "
    "  union all select created_at, 6, 'cost', null, json_build_object('kind', "
    "kind, 'amount', " MONEY("amount_micros") ", 'total', "
    MONEY("total_micros") ", 'currency', currency, 'rate_note', rate_note, "
    "'twilio_sid', twilio_sid) "
    "   from cost_entries "
    "   where message_id = $1::uuid "
    "  union all select buried_at, 7, 'dead_letter', null, "
    "json_build_object('letter', letter_id, 'reason', reason, 'detail', detail, "
    "'state', state) "
    "   from dead_letters "
    "   where message_id = $1::uuid), s as (select at, place, what, turn, "
    "json_strip_nulls(detail) as detail "
    "   from e) "
    " select to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS'), what, "
    "turn, (select string_agg(replace(key, '_', ' ') || ' ' || value, ', ') "
    "   from json_each_text(detail)), "
    "rtrim(json_strip_nulls(json_build_object('at', " SQL_TIME("at") ", 'event', "
    "what, 'turn', turn))::text, '}') || "
    "   case detail::text "
    "       when '{}' then '}' "
    "       else ',' || ltrim(detail::text, '{ ') end "
    "   from s "
    "   order by at nulls first, place, turn";
// clang-format on

// Where it stands, and what happens next.
// clang-format off
static const char now_sql[] =
    "select m.status, m.turn, m.tries, concat_ws(', ', 'turn ' || m.turn, "
    "nullif(m.tries, 0) || ' failures', m.reason, 'code ' || m.error_code), "
    "   case when m.status = 'waiting' and d.due is null then 'its record is on its "
    "way to lane ' || m.lane "
    "       when m.status = 'waiting' and (m.lane <> 'urgent' or m.class <> "
    "'emergency') and exists (select "
    "   from switches "
    "   where name = 'emergency_only' and state = 'on') then 'held until "
    "emergency-only is off' "
    "       when m.status = 'waiting' then format('%s: goes to lane %s at %s', "
    "d.kind, m.lane, " SQL_TIME("d.due") ") "
    "       when m.status = 'claimed' then 'a worker posts it, or gives it back' "
    "       when m.status = 'in_doubt' then 'a callback or Twilio''s list tells; "
    "       else its class decides' "
    "       when m.rank between 30 and 60 then 'callbacks tell how it ends' "
    "       else 'nothing: it has ended' end, " SQL_TIME("d.due") ", "
    "json_build_object('status', m.status, 'turn', m.turn, 'tries', m.tries, "
    "'reason', m.reason, 'error_code', m.error_code, 'due', " SQL_TIME("d.due") ", "
    "'kind', d.kind, 'twilio_sid', m.twilio_sid) "
    "   from messages m "
    "   left join delayed d on d.message_id = m.message_id and d.turn = m.turn "
    "   where m.message_id = $1::uuid";
// clang-format on

// Twilio's codes in the story, as the table of codes explains them.
static const char has_codes_sql[] = "select to_regclass('error_codes') is not null";
static const char codes_sql[] =
    "select code, meaning, advice, json_build_object('code', code, 'meaning', meaning,"
    "       'advice', advice)"
    "  from error_codes where code in ("
    "       select error_code from attempts where message_id = $1::uuid union "
    "       select error_code from messages where message_id = $1::uuid union "
    "       select error_code from receipts where message_id = $1::uuid"
    "          and recorded_at > $2::timestamptz - interval '1 hour')"
    " order by code";

static const char clients_sql[] = "select client_id, name from clients order by 1";

struct story {
    const struct call *call;
    bool as_json;
    const char *values[2];  // id, and its own time, of every statement
    struct sql_answer answer;
    bool is_known;  // it has a row
    size_t events;
};

static void print_events(struct story *s)
{
    s->events = sql_rows(&s->answer);
    if (s->as_json)
        printf("{\"id\":\"%s\",\"events\":[", s->values[0]);
    for (size_t i = 0; i < s->events; i++) {
        const char *json = sql_text(&s->answer, i, 4), *turn = sql_text(&s->answer, i, 2);
        const char *detail = sql_text(&s->answer, i, 3);
        if (s->as_json) {
            fputs(i ? ",\n" : "\n", stdout);
            terminal_print(stdout, json, strlen(json));
            continue;
        }
        printf("%-23s  %-11s  %2s  ", sql_text(&s->answer, i, 0),
               sql_text(&s->answer, i, 1), turn);
        terminal_print(stdout, detail, strlen(detail));
        putchar('\n');
    }
    if (s->as_json)
        fputs("]", stdout);
}

static void print_codes(const struct story *s)
{
    for (size_t i = 0; i < sql_rows(&s->answer); i++) {
        const char *meaning = sql_text(&s->answer, i, 1),
                   *advice = sql_text(&s->answer, i, 2);
        const char *json = sql_text(&s->answer, i, 3);
        if (s->as_json) {
            fputs(i ? ",\n" : ",\n\"codes\":[", stdout);
            terminal_print(stdout, json, strlen(json));
            continue;
        }
        printf("code %-5s  ", sql_text(&s->answer, i, 0));
        terminal_print(stdout, meaning, strlen(meaning));
        putchar(' ');
        terminal_print(stdout, advice, strlen(advice));
        putchar('\n');
    }
    if (s->as_json && sql_rows(&s->answer) > 0)
        fputs("]", stdout);
}

static void print_now(struct story *s)
{
    s->is_known = sql_rows(&s->answer) > 0;
    if (!s->is_known)
        return;
    const char *facts = sql_text(&s->answer, 0, 3), *next = sql_text(&s->answer, 0, 4);
    if (s->as_json) {
        printf(",\n\"now\":%s,\n\"next\":\"%s\"}\n", sql_text(&s->answer, 0, 6), next);
        return;
    }
    printf("now   %s, ", sql_text(&s->answer, 0, 0));
    terminal_print(stdout, facts, strlen(facts));
    printf("\nnext  %s\n", next);
}

// Whose message the id names, by its tag; "" = nobody's.
static enum outcome find_client(struct story *s, char *name, size_t size, struct err *err)
{
    unsigned char id[MESSAGE_ID_BYTES];
    struct keys keys;

    name[0] = '\0';
    if (!message_id_parse(id, s->values[0], strlen(s->values[0])) ||
        !command_open_keys(&keys, s->call->set, false))
        return OUTCOME_OK;
    enum outcome rc = sql_more(&s->answer, clients_sql, NULL, 0, err);
    for (size_t i = 0; !rc && i < sql_rows(&s->answer); i++) {
        int32_t client = (int32_t)strtol(sql_text(&s->answer, i, 0), NULL, 10);
        if (message_id_is_of(id, client, keys.id))
            (void)snprintf(name, size, "%s", sql_text(&s->answer, i, 1));
    }
    keys_close(&keys);
    return rc;
}

// No worker has claimed it: it is in Kafka, in sms.dead, or was never accepted.
static int tell_unclaimed(struct story *s, struct err *err)
{
    char client[128];
    enum outcome rc = find_client(s, client, sizeof(client), err);
    const char *next = "no worker has claimed it yet: its record waits in Kafka; smsq "
                       "status shows workers and what holds them";

    if (s->as_json)
        printf(",\n\"now\":null,\n\"next\":\"%s\"}\n",
               client[0] ? next : "no message of ours, or none that was accepted");
    if (rc)
        return command_failed(rc, err);
    if (!client[0]) {
        command_says("there is no such message; an id comes from smsq send");
        return s->events ? EXIT_OK : EXIT_NOT_FOUND;
    }
    if (!s->as_json) {
        fputs("now   accepted, of client ", stdout);
        terminal_print(stdout, client, strlen(client));
        printf("\nnext  %s\n", next);
    }
    return EXIT_OK;
}

static int tell(struct story *s)
{
    struct err err = { 0 };
    enum outcome rc = sql_more(&s->answer, events_sql, s->values, 2, &err);

    if (!rc) {
        print_events(s);
        rc = sql_more(&s->answer, has_codes_sql, NULL, 0, &err);
    }
    if (!rc && sql_text(&s->answer, 0, 0)[0] == 't') {
        rc = sql_more(&s->answer, codes_sql, s->values, 2, &err);
        if (!rc)
            print_codes(s);
    }
    if (!rc)
        rc = sql_more(&s->answer, now_sql, s->values, 1, &err);
    if (rc)
        return command_failed(rc, &err);
    print_now(s);
    return s->is_known ? EXIT_OK : tell_unclaimed(s, &err);
}

static int explain(struct story *s, const char *id)
{
    char text[MESSAGE_ID_TEXT_BYTES], since[32];
    unsigned char bytes[MESSAGE_ID_BYTES];
    const char *const sid[] = { id };
    struct err err = { 0 };
    enum outcome rc =
        sql_ask(&s->answer, s->call->set->database_url, find_sql, sid, 1, &err);

    if (rc)
        return command_failed(rc, &err);
    if (sql_rows(&s->answer) > 0)
        id = sql_text(&s->answer, 0, 0);
    if (!message_id_parse(bytes, id, strlen(id))) {
        command_says("no message has this SID; a callback may be the first to name it");
        return EXIT_NOT_FOUND;
    }
    message_id_format(text, bytes);
    (void)snprintf(since, sizeof(since), "epoch");
    struct tm day;
    time_t seconds = (time_t)(message_id_ms(bytes) / 1000);
    if (gmtime_r(&seconds, &day))
        (void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &day);
    s->values[0] = text;
    s->values[1] = since;
    return tell(s);
}

int command_explain(const struct call *call)
{
    const char *id = call->positionals[0];
    struct story s = { .call = call, .as_json = call_has(call, "json") };
    unsigned char bytes[MESSAGE_ID_BYTES];

    if (!message_id_parse(bytes, id, strlen(id)) && !sid_is_message(id))
        return command_usage(call, "ID is the id of a message, or Twilio's SID of it");
    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    int code = explain(&s, id);
    sql_answer_free(&s.answer);
    return code;
}
