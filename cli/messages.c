// smsq send, status, cancel, reschedule: the HTTP API from the command line.
#include "command.h"
#include "http_api.h"
#include "json.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 35000, WAIT_MAX_S = 30 };  // the API waits no longer

static int exit_code(const struct http_api *x)
{
    // A request to send meets one with its key; a change meets what no longer waits.
    if (x->reason || x->status == 429 || x->status >= 500 ||
        (x->status == 409 && !x->method))
        return EXIT_TEMPORARY;
    if (x->status == 404)
        return EXIT_NOT_FOUND;
    return x->status >= 400 ? EXIT_REFUSED : EXIT_OK;
}

static enum terminal_colour colour_of(const char *name, const char *text)
{
    static const char *const good[] = { "delivered", "read", "received" };
    static const char *const bad[] = { "failed", "undelivered", "canceled", "expired",
                                       "unknown" };

    if (strcmp(name, "status") != 0)
        return TERMINAL_PLAIN;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (strcmp(text, good[i]) == 0)
            return TERMINAL_GREEN;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (strcmp(text, bad[i]) == 0)
            return TERMINAL_RED;
    return TERMINAL_YELLOW;
}

static void print_string(const char *prefix, const char *name, const struct json_value *v)
{
    char *text = xmemdup0(v->text, v->len);

    printf("%s%-14s ", prefix, name);
    if (strlen(text) == v->len)
        terminal_colour(stdout, colour_of(name, text), text);
    else
        terminal_print(stdout, v->text, v->len);  // with a NUL in it
    putchar('\n');
    free(text);
}

// Prints "name  value" of an object's member; objects as their members, arrays line by
// line.
static enum outcome print_member(void *arg, const char *name, size_t len,
                                 const struct json_value *value, struct err *err)
{
    const char *prefix = arg;
    struct buf safe = BUF_INIT(256);

    terminal_add(&safe, name ? name : "-", name ? len : 1);
    switch (value->kind) {
    case JSON_STRING:
        print_string(prefix, buf_text(&safe), value);
        break;
    case JSON_INTEGER:
        printf("%s%-14s %lld\n", prefix, buf_text(&safe), (long long)value->integer);
        break;
    case JSON_NUMBER:
        printf("%s%-14s %g\n", prefix, buf_text(&safe), value->number);
        break;
    case JSON_BOOL:
        printf("%s%-14s %s\n", prefix, buf_text(&safe), value->boolean ? "yes" : "no");
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        printf("%s%s\n", prefix, buf_text(&safe));
        buf_free(&safe);
        return json_each(value, print_member, (void *)(uintptr_t) "  ", err);
    case JSON_NULL:
        break;
    }
    buf_free(&safe);
    return OUTCOME_OK;
}

static enum outcome print_problem(void *arg, const char *name, size_t len,
                                  const struct json_value *value, struct err *err)
{
    (void)arg, (void)err;
    if (value->kind != JSON_STRING)
        return OUTCOME_OK;
    if (len == strlen("detail") && memcmp(name, "detail", len) == 0)
        command_says("%.*s", (int)value->len, value->text);
    if (len == strlen("field") && memcmp(name, "field", len) == 0)
        command_says("it is about the field %.*s", (int)value->len, value->text);
    return OUTCOME_OK;
}

static int report(const struct http_api *x, bool as_json)
{
    struct json_reader *json = json_reader_new();
    struct err err = { 0 };
    int code = exit_code(x);

    if (x->reason) {
        command_says("could not reach %s: %s; is smsq-producer there? smsq ping tells",
                     buf_text(&x->url), x->reason);
    } else if (as_json) {
        terminal_print(stdout, buf_text(&x->answer), x->answer.len);
        putchar('\n');
    } else {
        json_member *print = code == EXIT_OK ? print_member : print_problem;
        if (json_read(json, buf_text(&x->answer), x->answer.len, print,
                      (void *)(uintptr_t) "", &err))
            command_says("the API answered %ld: %s", x->status, err.text);
        if (x->status == 401)
            command_says("make a token with: smsq token create --client NAME --scope "
                         "send_sms");
    }
    json_reader_free(json);
    return code;
}

static bool has_token(const struct command_settings *set)
{
    if (set->api_token && set->api_token[0])
        return true;
    command_says(
        "no API token: set SMSQ_TOKEN; make one with: smsq token create --client "
        "NAME --scope send_sms");
    return false;
}

static void add_member(struct buf *body, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(body, ",\"%s\":", name);
    buf_add_json_string(body, value, strlen(value));
}

// The API checks the values; digits go as a number so that it can say what is wrong.
static void add_seconds(struct buf *body, const char *value)
{
    bool digits = value && value[0] && strspn(value, "0123456789") == strlen(value);

    if (digits && strlen(value) < 18)
        buf_addf(body, ",\"expires_in\":%lld", strtoll(value, NULL, 10));
    else
        add_member(body, "expires_in", value);
}

static void add_request(struct buf *body, const struct call *call)
{
    const char *to = call->positionals[0];

    buf_add_text(body, "{\"to\":");
    buf_add_json_string(body, to, strlen(to));
    add_member(body, "body", call_text(call, "message"));
    add_member(body, "from", call_text(call, "from"));
    add_member(body, "class", call_text(call, "class"));
    add_member(body, "reference", call_text(call, "reference"));
    add_member(body, "region", call_text(call, "region"));
    if (call_has(call, "if-in-doubt"))
        add_member(body, "if_in_doubt", "send_again");
    add_member(body, "idempotency_key", call_text(call, "idempotency-key"));
    add_member(body, "send_at", call_text(call, "at"));
    add_seconds(body, call_text(call, "expires-in"));
    buf_add_char(body, '}');
}

static int perform(struct http_api *x, const struct call *call)
{
    http_api_perform(x, call->set->api_token, TIMEOUT_MS);
    int code = report(x, call_has(call, "json"));
    http_api_free(x);
    return code;
}

int command_send(const struct call *call)
{
    struct http_api x;
    struct err err = { 0 };
    int64_t wait_s = 0;

    if (!call_has(call, "message"))
        return command_usage(call, "--message TEXT is wanted");
    if (call_number(&wait_s, call, "wait", 1, WAIT_MAX_S, &err))
        return command_usage(call, "%s", err.text);
    if (!has_token(call->set))
        return EXIT_SETTINGS;
    http_api_init(&x);
    buf_addf(&x.url, "%s/sms/send", call->set->api_url);
    x.wait_s = wait_s;
    add_request(&x.body, call);
    if (x.body.failed) {
        http_api_free(&x);
        return command_usage(call, "the message is too long");
    }
    return perform(&x, call);
}

// A request about one message: path, then its id.
static void name_message(struct http_api *x, const struct call *call, const char *path)
{
    const char *id = call->positionals[0];

    http_api_init(x);
    buf_addf(&x->url, "%s%s", call->set->api_url, path);
    buf_add_url_escaped(&x->url, id, strlen(id));
}

int command_status(const struct call *call)
{
    struct http_api x;

    if (call->positional_count == 0)
        return command_overview(call);
    if (!has_token(call->set))
        return EXIT_SETTINGS;
    name_message(&x, call, "/sms/status/");
    return perform(&x, call);
}

int command_cancel(const struct call *call)
{
    struct http_api x;

    if (!has_token(call->set))
        return EXIT_SETTINGS;
    name_message(&x, call, "/sms/");
    x.method = "DELETE";
    return perform(&x, call);
}

int command_reschedule(const struct call *call)
{
    const char *at = call_text(call, "at");
    struct http_api x;

    if (!at)
        return command_usage(call, "--at TIME is wanted");
    if (!has_token(call->set))
        return EXIT_SETTINGS;
    name_message(&x, call, "/sms/");
    x.method = "PATCH";
    buf_add_text(&x.body, "{\"send_at\":");
    buf_add_json_string(&x.body, at, strlen(at));
    buf_add_char(&x.body, '}');
    return perform(&x, call);
}
