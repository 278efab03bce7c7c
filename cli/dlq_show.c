// smsq dlq list, smsq dlq show.
#include "command.h"
#include "dead_letter.h"
#include "letters.h"
#include "sql.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MAX = 10000, PAYLOAD_MAX_BYTES = 4 << 20 };

#define MEMBERS                                                                          \
    "'letter_id', letter_id, 'buried_at', " SQL_TIME(                                    \
        "buried_at") ", 'reason', reason,"                                               \
                     " 'detail', detail, 'topic', topic, 'partition', part, 'offset', "  \
                     "off,"                                                              \
                     " 'program', program, 'message_id', message_id, 'client', client, " \
                     "'state', state,"                                                   \
                     " 'replays', replays, 'replay_of', replay_of"

static const char list_sql[] =
    "select letter_id, to_char(buried_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),"
    "       state, reason, format('%s/%s/%s', topic, part, off), detail,"
    "       json_build_object(" MEMBERS ")"
    "  from dead_letters"
    " where " LETTERS_WHERE "   and ($9::bigint is null or letter_id < $9::bigint)"
    " order by letter_id desc limit $10::int";

static void print_row(const struct sql_answer *answer, size_t row)
{
    const char *state = sql_text(answer, row, 2);
    static const int widths[] = { 8, 19, 8, 20, 26, 0 };

    for (int column = 0; column < 6; column++) {
        const char *text = sql_text(answer, row, column);
        if (column == 2)
            terminal_colour(stdout,
                            strcmp(state, "waiting") == 0 ? TERMINAL_YELLOW
                                                          : TERMINAL_PLAIN,
                            text);
        else
            terminal_print(stdout, text, strlen(text));
        int pad = widths[column] - (int)strlen(text);
        printf("%*s", column < 5 ? (pad > 0 ? pad : 0) + 1 : 0, "");
    }
    putchar('\n');
}

static void print_page(const struct sql_answer *answer, size_t limit, bool as_json)
{
    size_t count = sql_rows(answer);

    if (as_json)
        fputs("{\"letters\":[", stdout);
    for (size_t i = 0; i < count; i++) {
        const char *json = sql_text(answer, i, 6);
        if (!as_json) {
            print_row(answer, i);
            continue;
        }
        fputs(i ? ",\n" : "\n", stdout);
        terminal_print(stdout, json, strlen(json));
    }
    const char *last =
        count == limit && count > 0 ? sql_text(answer, count - 1, 0) : NULL;
    if (as_json)
        printf("],\n\"next\":%s}\n", last ? last : "null");
    else if (last)
        command_says("there may be more: --before %s", last);
    else if (count == 0)
        command_says("no dead letters");
}

static int list(const struct call *call, struct letters_filter *filter)
{
    const char *values[LETTERS_VALUES + 2];
    char limit_text[24];
    int64_t limit = 50, before = 0;
    struct sql_answer answer;
    struct err err = { 0 };

    if (call_number(&limit, call, "limit", 1, LIMIT_MAX, &err) ||
        call_number(&before, call, "before", 1, INT64_MAX, &err))
        return command_usage(call, "%s", err.text);
    (void)snprintf(limit_text, sizeof(limit_text), "%" PRId64, limit);
    memcpy(values, filter->values, sizeof(filter->values));
    values[LETTERS_VALUES] = call_text(call, "before");
    values[LETTERS_VALUES + 1] = limit_text;
    enum outcome rc = sql_ask(&answer, call->set->database_url, list_sql, values,
                              COUNT_OF(values), &err);
    if (rc)
        return command_failed(rc, &err);
    print_page(&answer, (size_t)limit, call_has(call, "json"));
    sql_answer_free(&answer);
    return EXIT_OK;
}

int command_dlq_list(const struct call *call)
{
    const char *state = call_text(call, "state");
    struct letters_filter filter;
    struct err err = { 0 };
    int code;

    if (letters_filter_read(&filter, call, letters_states(state ? state : "waiting"),
                            &err))
        code = command_usage(call, "%s", err.text);
    else if (!command_has_database(call->set))
        code = EXIT_SETTINGS;
    else
        code = list(call, &filter);
    letters_filter_free(&filter);
    return code;
}

// One line per member for people; the whole as JSON.
static const char show_sql[] =
    "with one as (select json_build_object(" MEMBERS ", 'record_at',"
    "         nullif(" SQL_TIME(
        "record_at") ", '1970-01-01T00:00:00.000Z'),"
                     "         'settled_at', " SQL_TIME(
                         "settled_at") ", 'settled_by', settled_by,"
                                       "         'is_whole', is_whole) as json, topic, "
                                       "part, off, sealed"
                                       "  from dead_letters where letter_id = $1::bigint)"
                                       " select rtrim(json::text, '}'), topic, part, "
                                       "off, sealed, (select string_agg("
                                       "          format('%s %s', rpad(m.key, 12), "
                                       "m.value), chr(10))"
                                       "          from json_each_text(json) m where "
                                       "m.value is not null) from one";

static void print_bytes(const char *name, const struct wire_bytes *bytes, bool as_json)
{
    struct buf base64 = BUF_INIT(PAYLOAD_MAX_BYTES);

    if (as_json && bytes->bytes) {
        buf_add_base64(&base64, bytes->bytes, bytes->len);
        printf(", \"%s\" : \"%s\"", name, buf_text(&base64));
    } else if (as_json) {
        printf(", \"%s\" : null", name);
    } else {
        printf("%-12s ", name);
        terminal_print(stdout, (const char *)bytes->bytes, bytes->len);
        putchar('\n');
    }
    buf_free(&base64);
}

static void print_letter(const struct sql_answer *answer,
                         const struct dead_letter *letter, bool as_json)
{
    const char *text = sql_text(answer, 0, as_json ? 0 : 5);

    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        terminal_print(stdout, text, len);
        if (!as_json)
            putchar('\n');
    }
    if (letter) {
        print_bytes("key", &letter->record.key, as_json);
        print_bytes("value", &letter->record.value, as_json);
    }
    if (as_json)
        puts("}");
}

static int show_payload(const struct call *call, const struct sql_answer *answer)
{
    struct dead_letter letter;
    struct keys keys;
    struct err err = { 0 };

    if (!command_open_keys(&keys, call->set, true))
        return EXIT_SETTINGS;
    const struct dead_letter_row row = { sql_text(answer, 0, 1), sql_text(answer, 0, 2),
                                         sql_text(answer, 0, 3), sql_text(answer, 0, 4) };
    enum outcome rc = dead_letter_open(&letter, &row, &keys, &err);
    if (!rc)
        print_letter(answer, &letter, call_has(call, "json"));
    if (!rc)
        dead_letter_free(&letter);
    keys_close(&keys);
    return rc ? command_failed(rc, &err) : EXIT_OK;
}

static int show(const struct call *call)
{
    const char *const values[] = { call->positionals[0] };
    struct sql_answer answer;
    struct err err = { 0 };
    int code = EXIT_OK;
    enum outcome rc =
        sql_ask(&answer, call->set->database_url, show_sql, values, 1, &err);

    if (rc)
        return command_failed(rc, &err);
    if (sql_rows(&answer) == 0) {
        command_says("there is no letter %s; smsq dlq list shows them", values[0]);
        code = EXIT_NOT_FOUND;
    } else if (call_has(call, "payload")) {
        code = show_payload(call, &answer);
    } else {
        print_letter(&answer, NULL, call_has(call, "json"));
    }
    sql_answer_free(&answer);
    return code;
}

int command_dlq_show(const struct call *call)
{
    const char *id = call->positionals[0];

    if (!id[0] || strlen(id) > 18 || id[strspn(id, "0123456789")])
        return command_usage(call, "LETTER is a number; smsq dlq list shows it");
    return command_has_database(call->set) ? show(call) : EXIT_SETTINGS;
}
