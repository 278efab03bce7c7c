// smsq ping: which of the parts can be reached, and what those that answer miss.
#include "buf.h"
#include "command.h"
#include "http_api.h"
#include "json.h"
#include "sql.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 3000, ADDRESS_MAX_BYTES = 1024, OUTPUT_MAX_BYTES = 16384 };

struct pong {
    const char *part;
    char address[ADDRESS_MAX_BYTES];
    struct err err;  // empty: it is there
    int64_t took_ms;
};

static enum outcome read_reason(void *arg, const char *name, size_t len,
                                const struct json_value *value, struct err *err)
{
    struct err *why = arg;

    (void)err;
    if (len == strlen("reason") && memcmp(name, "reason", len) == 0 &&
        value->kind == JSON_STRING)
        err_set(why, OUTCOME_RETRY, "it is not ready: %.*s", (int)value->len,
                value->text);
    return OUTCOME_OK;
}

static void ask_ready(struct pong *p, const char *url)
{
    struct json_reader *json = json_reader_new();
    struct http_api x;

    (void)snprintf(p->address, sizeof(p->address), "%s", url);
    http_api_init(&x);
    buf_addf(&x.url, "%s/readyz", url);
    http_api_perform(&x, NULL, TIMEOUT_MS);
    if (x.reason)
        err_set(&p->err, OUTCOME_RETRY, "no answer: %s", x.reason);
    else if (x.status != 200)
        err_set(&p->err, OUTCOME_RETRY, "it answers %ld", x.status);
    if (x.status == 503 &&
        json_read(json, buf_text(&x.answer), x.answer.len, read_reason, &p->err, NULL))
        err_set(&p->err, OUTCOME_RETRY, "it answers 503");
    http_api_free(&x);
    json_reader_free(json);
}

static void ask_producer(struct pong *p, const struct command_settings *set)
{
    ask_ready(p, set->api_url);
}

static void ask_receiver(struct pong *p, const struct command_settings *set)
{
    ask_ready(p, set->receiver_url);
}

static void count_missing(void *arg, const struct topics_row *row)
{
    size_t *missing = arg;
    *missing += row->state == TOPICS_MISSING;
}

static void ask_kafka(struct pong *p, const struct command_settings *set)
{
    size_t missing = 0;

    (void)snprintf(p->address, sizeof(p->address), "%s", set->kafka.brokers);
    if (!topics_list(&set->kafka, TIMEOUT_MS * INT64_C(1000), count_missing, &missing,
                     &p->err) &&
        missing > 0)
        err_set(&p->err, OUTCOME_RETRY, "%zu topics are missing: smsq topics create",
                missing);
}

static const char has_tables_sql[] = "select to_regclass('messages') is not null";

// The address is shown without password.
static void ask_postgresql(struct pong *p, const struct command_settings *set)
{
    struct sql_answer answer;
    struct buf url = BUF_INIT(8192);

    if (!set->database_url || !set->database_url[0]) {
        err_set(&p->err, OUTCOME_REJECT,
                "no database is set: SMSQ_DATABASE_URL or database.url");
        return;
    }
    buf_add_text(&url, set->database_url);
    if (!sql_ask(&answer, buf_text(&url), has_tables_sql, NULL, 0, &p->err)) {
        (void)snprintf(p->address, sizeof(p->address), "%s:%s/%s", PQhost(answer.conn),
                       PQport(answer.conn), PQdb(answer.conn));
        if (sql_text(&answer, 0, 0)[0] != 't')
            err_set(&p->err, OUTCOME_RETRY, "the tables are missing: sqitch deploy");
        sql_answer_free(&answer);
    }
    buf_free(&url);
}

static const struct {
    const char *name;
    void (*ask)(struct pong *p, const struct command_settings *set);
} parts[] = {
    { "producer", ask_producer },
    { "receiver", ask_receiver },
    { "kafka", ask_kafka },
    { "postgresql", ask_postgresql },
};

static bool is_address(const char *word)
{
    return strncmp(word, "http://", 7) == 0 || strncmp(word, "https://", 8) == 0;
}

static bool is_wanted(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->positional_count; i++)
        if (strcmp(call->positionals[i], name) == 0)
            return true;
    return call->positional_count == 0;
}

static bool are_known(const struct call *call)
{
    for (size_t i = 0; i < call->positional_count; i++) {
        bool is_known = is_address(call->positionals[i]);
        for (size_t j = 0; j < COUNT_OF(parts); j++)
            is_known = is_known || strcmp(call->positionals[i], parts[j].name) == 0;
        if (!is_known)
            return false;
    }
    return true;
}

static void print(const struct pong *p)
{
    bool is_ok = !p->err.text[0];

    printf("%-10s ", p->part);
    terminal_colour(stdout, is_ok ? TERMINAL_GREEN : TERMINAL_RED,
                    is_ok ? "ok" : "missing");
    printf("%*s %5" PRId64 " ms  ", is_ok ? 5 : 0, "", p->took_ms);
    terminal_print(stdout, p->address, strlen(p->address));
    if (!is_ok) {
        fputs("  ", stdout);
        terminal_print(stdout, p->err.text, strlen(p->err.text));
    }
    putchar('\n');
    (void)fflush(stdout);
}

static void add_json(struct buf *json, const struct pong *p)
{
    bool is_ok = !p->err.text[0];

    buf_addf(json, "%s{\"part\":\"%s\",\"ok\":%s,\"ms\":%" PRId64 ",\"address\":",
             json->len ? "," : "", p->part, is_ok ? "true" : "false", p->took_ms);
    buf_add_json_string(json, p->address, strlen(p->address));
    buf_add_text(json, ",\"reason\":");
    if (is_ok)
        buf_add_text(json, "null");
    else
        buf_add_json_string(json, p->err.text, strlen(p->err.text));
    buf_add_char(json, '}');
}

// What is told of all parts that were asked.
struct round {
    const struct call *call;
    struct buf json;
    bool is_all_ok;
};

static void tell(struct round *r, struct pong *p, int64_t began_us)
{
    p->took_ms = (clock_boot_us() - began_us) / 1000;
    r->is_all_ok = r->is_all_ok && !p->err.text[0];
    if (call_has(r->call, "json"))
        add_json(&r->json, p);
    else
        print(p);
}

int command_ping(const struct call *call)
{
    struct round r = { call, BUF_INIT(OUTPUT_MAX_BYTES), true };

    if (!are_known(call))
        return command_usage(call, "PART is producer, receiver, kafka, postgresql or the "
                                   "http address of a program");
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct pong p = { .part = parts[i].name };
        int64_t began_us = clock_boot_us();
        if (!is_wanted(call, p.part))
            continue;
        parts[i].ask(&p, call->set);
        tell(&r, &p, began_us);
    }
    for (size_t i = 0; i < call->positional_count; i++) {
        struct pong p = { .part = "program" };
        int64_t began_us = clock_boot_us();
        if (!is_address(call->positionals[i]))
            continue;
        ask_ready(&p, call->positionals[i]);
        tell(&r, &p, began_us);
    }
    if (call_has(call, "json"))
        printf("{\"ok\":%s,\"parts\":[%s]}\n", r.is_all_ok ? "true" : "false",
               buf_text(&r.json));
    buf_free(&r.json);
    return r.is_all_ok ? EXIT_OK : EXIT_TEMPORARY;
}
