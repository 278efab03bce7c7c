// smsq send, smsq status: the HTTP API from the command line.
#include "buf.h"
#include "command.h"
#include "json.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 65536, REQUEST_MAX_BYTES = 65536, TIMEOUT_S = 35 };
enum { WAIT_MAX_S = 30 };  // the API waits no longer

// One exchange with the API.
struct exchange {
    struct buf url;
    struct buf body;  // POST when not empty
    long wait_s;      // Prefer: wait=N; 0 = none
    struct buf answer;
    long status;
    CURLcode result;
};

static void exchange_init(struct exchange *x)
{
    *x = (struct exchange){ 0 };
    buf_init(&x->url, 2048);
    buf_init(&x->body, REQUEST_MAX_BYTES);
    buf_init(&x->answer, ANSWER_MAX_BYTES);
}

static void exchange_free(struct exchange *x)
{
    buf_free(&x->url);
    buf_free(&x->body);
    buf_free(&x->answer);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct buf *answer = arg;

    buf_add(answer, bytes, size * count);
    return answer->failed ? 0 : size * count;
}

static void perform(struct exchange *x, const char *token)
{
    CURL *curl = curl_easy_init();
    struct buf authorization = BUF_INIT(1024);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");

    buf_addf(&authorization, "Authorization: Bearer %s", token);
    headers = curl_slist_append(headers, buf_text(&authorization));
    if (x->wait_s > 0) {
        char prefer[40];
        (void)snprintf(prefer, sizeof(prefer), "Prefer: wait=%ld", x->wait_s);
        headers = curl_slist_append(headers, prefer);
    }
    curl_easy_setopt(curl, CURLOPT_URL, buf_text(&x->url));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "smsq/" SMSQ_VERSION);
    if (x->body.len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body.bytes);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)x->body.len);
    }
    x->result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    buf_free(&authorization);
}

static int exit_code(const struct exchange *x)
{
    bool again = x->status == 409 || x->status == 429 || x->status >= 500;

    if (x->result != CURLE_OK || again)
        return EXIT_TEMPORARY;
    if (x->status == 404)
        return EXIT_NOT_FOUND;
    return x->status >= 400 ? EXIT_REFUSED : EXIT_OK;
}

// Prints "name  value" of an object's member; objects as their members.
static enum outcome print_member(void *arg, const char *name, size_t len,
                                 const struct json_value *value, struct err *err)
{
    const char *prefix = arg;

    switch (value->kind) {
    case JSON_STRING:
        printf("%s%-14.*s %.*s\n", prefix, (int)len, name, (int)value->len, value->text);
        break;
    case JSON_INTEGER:
        printf("%s%-14.*s %lld\n", prefix, (int)len, name, (long long)value->integer);
        break;
    case JSON_BOOL:
        printf("%s%-14.*s %s\n", prefix, (int)len, name, value->boolean ? "yes" : "no");
        break;
    case JSON_OBJECT:
        printf("%s%.*s\n", prefix, (int)len, name);
        return json_each(value, print_member, (void *)(uintptr_t) "  ", err);
    default:
        break;
    }
    return OUTCOME_OK;
}

static enum outcome print_problem(void *arg, const char *name, size_t len,
                                  const struct json_value *value, struct err *err)
{
    static const char *const wanted[] = { "detail", "field" };

    (void)arg, (void)err;
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        if (value->kind == JSON_STRING && strlen(wanted[i]) == len &&
            memcmp(wanted[i], name, len) == 0)
            fprintf(stderr,
                    i == 0 ? "smsq: %.*s\n" : "smsq: it is about the field %.*s\n",
                    (int)value->len, value->text);
    return OUTCOME_OK;
}

static int report(const struct exchange *x, bool as_json)
{
    struct json_reader *json = json_reader_new();
    struct err err = { 0 };
    int code = exit_code(x);

    if (x->result != CURLE_OK) {
        fprintf(stderr, "smsq: could not reach %s: %s\n", buf_text(&x->url),
                curl_easy_strerror(x->result));
    } else if (as_json) {
        printf("%s\n", buf_text(&x->answer));
    } else {
        json_member *print = code == EXIT_OK ? print_member : print_problem;
        if (json_read(json, buf_text(&x->answer), x->answer.len, print,
                      (void *)(uintptr_t) "", &err))
            fprintf(stderr, "smsq: the API answered %ld: %s\n", x->status, err.text);
    }
    json_reader_free(json);
    return code;
}

static bool has_token(const struct command_settings *set)
{
    if (set->api_token && set->api_token[0])
        return true;
    fputs("smsq: no API token: set SMSQ_TOKEN; make one with: smsq token create --client "
          "NAME --scope send_sms\n",
          stderr);
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

// Returns the seconds of --wait, 0 without it, -1 when that is no number from 1 to 30.
static long read_wait(const char *value)
{
    size_t digits = value ? strspn(value, "0123456789") : 0;

    if (!value)
        return 0;
    if (digits == 0 || digits > 2 || value[digits])
        return -1;
    long seconds = strtol(value, NULL, 10);
    return seconds >= 1 && seconds <= WAIT_MAX_S ? seconds : -1;
}

// What smsq send was told.
struct send_words {
    const char *to, *message, *from, *class, *reference, *expires_in, *region, *key,
        *wait, *json;
};

static enum outcome read_send_words(struct send_words *w, int argc, char *argv[],
                                    struct err *err)
{
    const struct command_option options[] = {
        { .name = "message", .value = &w->message },
        { .name = "from", .value = &w->from },
        { .name = "class", .value = &w->class },
        { .name = "reference", .value = &w->reference },
        { .name = "expires-in", .value = &w->expires_in },
        { .name = "region", .value = &w->region },
        { .name = "idempotency-key", .value = &w->key },
        { .name = "wait", .value = &w->wait },
        { .name = "json", .is_flag = true, .value = &w->json },
        { 0 },
    };

    if (command_options(argc, argv, options, &w->to, 1, err))
        return OUTCOME_REJECT;
    if (!w->to || !w->message)
        return err_set(err, OUTCOME_REJECT, "a number and --message are wanted");
    if (!utf8_is_valid(w->to, strlen(w->to)) ||
        !utf8_is_valid(w->message, strlen(w->message)) ||
        (w->key && !utf8_is_valid(w->key, strlen(w->key))))
        return err_set(err, OUTCOME_REJECT, "number, message and key must be UTF-8");
    if (read_wait(w->wait) < 0)
        return err_set(err, OUTCOME_REJECT, "--wait takes 1 to %d seconds", WAIT_MAX_S);
    return OUTCOME_OK;
}

static void build_send(struct exchange *x, const char *api_url,
                       const struct send_words *w)
{
    x->wait_s = read_wait(w->wait);
    buf_addf(&x->url, "%s/sms/send", api_url);
    buf_add_text(&x->body, "{\"to\":");
    buf_add_json_string(&x->body, w->to, strlen(w->to));
    add_member(&x->body, "body", w->message);
    add_member(&x->body, "from", w->from);
    add_member(&x->body, "class", w->class);
    add_member(&x->body, "reference", w->reference);
    add_member(&x->body, "region", w->region);
    add_member(&x->body, "idempotency_key", w->key);
    add_seconds(&x->body, w->expires_in);
    buf_add_char(&x->body, '}');
}

int command_send(const struct command *self, const struct command_settings *set, int argc,
                 char *argv[])
{
    struct send_words words = { 0 };
    struct exchange x;
    struct err err = { 0 };

    if (read_send_words(&words, argc, argv, &err))
        return command_usage(self, "%s", err.text);
    if (!has_token(set))
        return EXIT_SETTINGS;
    exchange_init(&x);
    build_send(&x, set->api_url, &words);
    perform(&x, set->api_token);
    int code = report(&x, words.json != NULL);
    exchange_free(&x);
    return code;
}

int command_status(const struct command *self, const struct command_settings *set,
                   int argc, char *argv[])
{
    const char *id = NULL, *json = NULL;
    const struct command_option options[] = {
        { .name = "json", .is_flag = true, .value = &json },
        { 0 },
    };
    struct exchange x;
    struct err err = { 0 };

    if (command_options(argc, argv, options, &id, 1, &err))
        return command_usage(self, "%s", err.text);
    if (!id)
        return command_usage(self, "the id or SID of a message is wanted");
    if (!has_token(set))
        return EXIT_SETTINGS;
    exchange_init(&x);
    buf_addf(&x.url, "%s/sms/status/", set->api_url);
    buf_add_url_escaped(&x.url, id, strlen(id));
    perform(&x, set->api_token);
    int code = report(&x, json != NULL);
    exchange_free(&x);
    return code;
}
