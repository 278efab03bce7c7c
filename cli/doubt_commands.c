// smsq doubt: messages of which nobody knows whether Twilio took them, and what a person
// decides about them. Each decision stands in decisions, with who made it.
#include "buf.h"
#include "command.h"
#include "letters.h"
#include "message_id.h"
#include "sid.h"
#include "sql.h"
#include "terminal.h"

#include <stdio.h>
#include <string.h>

enum { IDS_MAX_BYTES = 8192, OLDER_MAX_BYTES = 64 };

// $1 class or null, $2 seconds or null.
// clang-format off
static const char list_sql[] =
    "select m.message_id::text, m.class, "
    "       to_char(coalesce(d.since, m.claimed_at) at time zone 'UTC',"
    "               'YYYY-MM-DD HH24:MI:SS'),"
    "       coalesce(m.to_hint, ''), coalesce(d.note, m.reason, ''),"
    "       json_build_object('message_id', m.message_id, 'turn', m.turn,"
    "         'class', m.class, 'client', m.client, 'to', m.to_hint, 'sender', m.sender,"
    "         'mode', m.mode, 'since', " SQL_TIME("coalesce(d.since, m.claimed_at)") ","
    "         'reason', m.reason, 'lists', coalesce(d.looks, 0),"
    "         'lists_without_it', coalesce(d.empty_lists, 0), 'note', d.note,"
    "         'next_look_at', " SQL_TIME("d.next_look_at") ","
    "         'expires_at', " SQL_TIME("m.expires_at") ")"
    "  from messages_held h join messages m on m.message_id = h.message_id"
    "  left join doubts d on d.message_id = m.message_id and d.turn = m.turn"
    " where m.status = 'in_doubt'"
    "   and ($1::text is null or m.class = $1)"
    "   and ($2::timestamptz is null"
    "        or coalesce(d.since, m.claimed_at) < $2::timestamptz)"
    " order by coalesce(d.since, m.claimed_at), m.message_id limit 1000";
// clang-format on

#define TELL(kind, turn, due)                                                            \
    "insert into decisions (message_id, turn, due, kind, reason, decided_by)"            \
    " select message_id, " turn ", " due ", " kind ", $2::text, $3::text from done"      \
    " returning message_id::text"

// $1 ids, $2 reason, $3 who. Whatever proves a turn forbids it. The turn that may have
// gone out keeps its attempt, so that later lists find it.
static const char resend_sql[] =
    "with done as ("
    "  update messages m set turn = m.turn + 1, status = 'waiting', rank = 0,"
    "         claimed_epoch = null, shown_turn = null, reason = 'maybe_twice'"
    "   where m.message_id = any ($1::uuid[]) and m.status in ('in_doubt', 'unknown')"
    "     and m.expires_at > now() + interval '5 s'"
    "     and not exists (select from attempts a where a.message_id = m.message_id"
    "                        and (a.rank between 30 and 65 or a.rank >= 75))"
    "  returning m.message_id, m.turn, m.lane, m.claimed_at"
    "), tried as ("
    "  insert into attempts as a (message_id, turn, status, rank, claimed_at)"
    "  select message_id, turn - 1, 'in_doubt', 20, claimed_at from done"
    "  on conflict (message_id, turn) do update set claimed_at = excluded.claimed_at"
    "   where a.claimed_at is null"
    "), later as ("
    "  insert into delayed (message_id, turn, due, lane, kind)"
    "  select message_id, turn, now(), lane, 'doubt' from done on conflict do nothing"
    ")" TELL("'resend'", "turn - 1", "now()");

// $4 is expired or unknown.
static const char end_sql[] =
    "with done as ("
    "  update messages m set status = $4::text, rank = 25, claimed_epoch = null,"
    "         reason = 'closed'"
    "   where m.message_id = any ($1::uuid[]) and m.status = 'in_doubt'"
    "  returning m.message_id, m.turn"
    ")" TELL("'closed'", "turn", "null::timestamptz");

// $4 is Twilio's SID. Later news of it raise it further.
static const char sent_sql[] =
    "with done as ("
    "  update messages m set status = 'sent', rank = 50, claimed_epoch = null,"
    "         shown_turn = m.turn, twilio_sid = $4::text, reason = 'closed',"
    "         sent_at = coalesce(m.sent_at, now())"
    "   where m.message_id = any ($1::uuid[])"
    "     and m.status in ('in_doubt', 'unknown', 'expired')"
    "  returning m.message_id, m.turn, m.estimate_micros, m.currency, m.rate_note, m.mode"
    "), kept as ("
    "  insert into attempts as a (message_id, turn, twilio_sid, status, rank)"
    "  select message_id, turn, $4, 'sent', 50 from done"
    "  on conflict (message_id, turn) do update set twilio_sid = excluded.twilio_sid,"
    "     status = excluded.status, rank = excluded.rank where a.rank < excluded.rank"
    "), cost as ("
    "  insert into cost_entries (message_id, twilio_sid, kind, seq, amount_micros,"
    "                            total_micros, currency, rate_note, mode)"
    "  select message_id, $4, 'estimate', 0, estimate_micros, estimate_micros, currency,"
    "         rate_note, mode from done where estimate_micros is not null"
    "  on conflict do nothing"
    ")" TELL("'closed'", "turn", "null::timestamptz");

// Why those that were not changed were not. $1 ids that were named, $2 that were changed.
static const char why_sql[] =
    "select n.id::text, case when m.message_id is null then 'there is no such message'"
    "   when m.status not in ('in_doubt', 'unknown', 'expired')"
    "   then 'it is not in doubt: ' || m.status"
    "   when exists (select from attempts a where a.message_id = m.message_id"
    "                   and (a.rank between 30 and 65 or a.rank >= 75))"
    "   then 'Twilio has it: there is proof of an attempt'"
    "   when m.expires_at <= now() + interval '5 s' then 'its useful time is over'"
    "   else 'it ended already as ' || m.status end"
    "  from unnest($1::uuid[]) as n(id)"
    "  left join messages m on m.message_id = n.id"
    " where not n.id = any ($2::uuid[])";

static void print_text(const char *text, int width)
{
    int pad = width - (int)strlen(text);

    terminal_print(stdout, text, strlen(text));
    printf("%*s", (pad > 0 ? pad : 0) + (width ? 2 : 0), "");
}

static void print_list(const struct sql_answer *answer, bool as_json)
{
    static const int widths[] = { 36, 13, 19, 8, 0 };

    if (as_json)
        fputs("{\"doubts\":[", stdout);
    for (size_t i = 0; i < sql_rows(answer); i++) {
        if (as_json) {
            fputs(i ? ",\n" : "\n", stdout);
            terminal_print(stdout, sql_text(answer, i, 5),
                           strlen(sql_text(answer, i, 5)));
            continue;
        }
        for (int column = 0; column < 5; column++)
            print_text(sql_text(answer, i, column), widths[column]);
        putchar('\n');
    }
    if (as_json)
        puts("]}");
    else if (sql_rows(answer) == 0)
        command_says("nothing is in doubt");
}

int command_doubt_list(const struct call *call)
{
    struct buf older = BUF_INIT(OLDER_MAX_BYTES);
    const char *age = call_text(call, "older");
    struct sql_answer answer;
    struct err err = { 0 };

    if (age && !letters_time(&older, age))
        return command_usage(call, "--older wants a time like 20m, 2h or 2026-11-21");
    if (!command_has_database(call->set)) {
        buf_free(&older);
        return EXIT_SETTINGS;
    }
    const char *const values[] = { call_text(call, "class"),
                                   age ? buf_text(&older) : NULL };
    enum outcome rc = sql_ask(&answer, call->set->database_url, list_sql, values,
                              COUNT_OF(values), &err);
    buf_free(&older);
    if (rc)
        return command_failed(rc, &err);
    print_list(&answer, call_has(call, "json"));
    sql_answer_free(&answer);
    return EXIT_OK;
}

// Writes the named ids as an array of PostgreSQL's; false when one is none.
static bool read_ids(struct buf *out, const struct call *call)
{
    unsigned char id[MESSAGE_ID_BYTES];

    buf_add_char(out, '{');
    for (size_t i = 0; i < call->positional_count; i++) {
        const char *text = call->positionals[i];
        if (!message_id_parse(id, text, strlen(text)))
            return false;
        buf_addf(out, "%s%s", i ? "," : "", text);
    }
    buf_add_char(out, '}');
    return !out->failed;
}

static void print_changed(struct buf *changed, const struct sql_answer *answer,
                          const char *word, bool as_json)
{
    if (as_json)
        printf("{\"%s\":[", word);
    buf_add_char(changed, '{');
    for (size_t i = 0; i < sql_rows(answer); i++) {
        const char *id = sql_text(answer, i, 0);
        buf_addf(changed, "%s%s", i ? "," : "", id);
        if (as_json)
            printf("%s\"%s\"", i ? "," : "", id);
        else
            printf("%s %s\n", id, word);
    }
    buf_add_char(changed, '}');
}

static int print_refused(const struct sql_answer *answer, bool as_json)
{
    if (as_json)
        fputs("],\"refused\":[", stdout);
    for (size_t i = 0; i < sql_rows(answer); i++) {
        const char *id = sql_text(answer, i, 0), *why = sql_text(answer, i, 1);
        if (as_json)
            printf("%s{\"message_id\":\"%s\",\"reason\":\"%s\"}", i ? "," : "", id, why);
        else
            command_says("%s: %s", id, why);
    }
    if (as_json)
        puts("]}");
    return sql_rows(answer) ? EXIT_REFUSED : EXIT_OK;
}

// what is a word or a SID for $4, or NULL.
static int change(const struct call *call, const char *sql, const char *what,
                  const char *word)
{
    struct buf ids = BUF_INIT(IDS_MAX_BYTES), changed = BUF_INIT(IDS_MAX_BYTES);
    struct buf who = BUF_INIT(SQL_WHO_MAX_BYTES);
    struct sql_answer answer = { 0 };
    struct err err = { 0 };
    bool as_json = call_has(call, "json");
    const char *reason = call_text(call, "reason");
    int code;

    sql_who(&who);
    if (!read_ids(&ids, call)) {
        code = command_usage(call, "ID is a message's id, as smsq doubt list shows it");
    } else if (!command_has_database(call->set)) {
        code = EXIT_SETTINGS;
    } else {
        const char *const values[] = { buf_text(&ids), reason ? reason : "by hand",
                                       buf_text(&who), what };
        enum outcome rc =
            sql_ask(&answer, call->set->database_url, sql, values, what ? 4 : 3, &err);
        if (!rc) {
            print_changed(&changed, &answer, word, as_json);
            const char *const both[] = { buf_text(&ids), buf_text(&changed) };
            rc = sql_more(&answer, why_sql, both, COUNT_OF(both), &err);
        }
        code = rc ? command_failed(rc, &err) : print_refused(&answer, as_json);
        sql_answer_free(&answer);
    }
    buf_free(&ids);
    buf_free(&changed);
    buf_free(&who);
    return code;
}

int command_doubt_resend(const struct call *call)
{
    return change(call, resend_sql, NULL, "resent");
}

int command_doubt_close(const struct call *call)
{
    const char *as = call_text(call, "as"), *sid = call_text(call, "sid");

    if (!as)
        return command_usage(call, "--as expired, unknown or sent is wanted");
    if (strcmp(as, "sent") != 0)
        return sid ? command_usage(call, "--sid goes with --as sent only")
                   : change(call, end_sql, as, "closed");
    if (!sid || !sid_is_message(sid) || call->positional_count != 1)
        return command_usage(call, "--as sent wants one ID, and --sid with Twilio's SID");
    return change(call, sent_sql, sid, "closed");
}
