#include "provider_read.h"

#include "json.h"
#include "timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICRO_DIGITS = 6, WHOLE_DIGITS_MAX = 9 };

// What the walk fills. A page has the member messages; a single message has its own
// members at the top.
struct draft {
    struct provider_page *page;
    struct provider_message *message;  // at hand
    bool is_list;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool provider_read_price(int64_t *out, const char *text)
{
    int64_t micros = 0;
    int whole = 0, places = 0;

    if (*text == '-')
        text++;
    for (; is_digit(*text) && whole <= WHOLE_DIGITS_MAX; text++, whole++)
        micros = micros * 10 + (*text - '0');
    if (whole == 0 || whole > WHOLE_DIGITS_MAX)
        return false;
    bool has_point = *text == '.';
    if (has_point)
        text++;
    for (; places < MICRO_DIGITS; places++) {
        micros *= 10;
        if (has_point && is_digit(*text))
            micros += *text++ - '0';
    }
    if (has_point && *text >= '5' && *text <= '9')
        micros++;
    while (has_point && is_digit(*text))
        text++;
    *out = micros;
    return *text == '\0';
}

// Rewrites the date as RFC 3339, which has a reader that checks it.
bool provider_read_date(int64_t *out_us, const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char rfc3339[] = "YYYY-MM-DDThh:mm:ss+00:00";
    const char *month;

    if (strlen(text) == 30 && text[5] == ' ')  // a day of one digit
        return false;
    if (strlen(text) != 31 || text[3] != ',' || text[4] != ' ' || text[7] != ' ')
        return false;
    char name[4] = { text[8], text[9], text[10], '\0' };
    month = strstr(months, name);
    if (!month || (month - months) % 3 != 0)
        return false;
    long number = (month - months) / 3 + 1;
    memcpy(rfc3339, text + 12, 4);
    rfc3339[5] = (char)('0' + number / 10);
    rfc3339[6] = (char)('0' + number % 10);
    memcpy(rfc3339 + 8, text + 5, 2);
    memcpy(rfc3339 + 11, text + 17, 8);
    memcpy(rfc3339 + 19, text + 26, 3);
    memcpy(rfc3339 + 23, text + 29, 2);
    return timestamp_parse(out_us, rfc3339, strlen(rfc3339));
}

static bool copy(char *out, size_t size, const struct json_value *value)
{
    out[0] = '\0';
    if (value->kind != JSON_STRING || value->len >= size ||
        memchr(value->text, '\0', value->len))
        return false;
    memcpy(out, value->text, value->len);
    out[value->len] = '\0';
    return true;
}

static void read_price(struct provider_message *m, const struct json_value *value)
{
    char text[40];

    m->has_price =
        copy(text, sizeof(text), value) && provider_read_price(&m->price_micros, text);
}

static void read_segments(struct provider_message *m, const struct json_value *value)
{
    char text[8];

    if (copy(text, sizeof(text), value) && text[strspn(text, "0123456789")] == '\0')
        m->segments = (int32_t)strtol(text, NULL, 10);
}

static void read_created(struct provider_message *m, const struct json_value *value)
{
    char text[64];

    if (!copy(text, sizeof(text), value) || !provider_read_date(&m->created_us, text))
        m->created_us = 0;
}

static void read_direction(struct provider_message *m, const struct json_value *value)
{
    char text[32];

    m->is_outbound = copy(text, sizeof(text), value) && strncmp(text, "outbound", 8) == 0;
}

static void read_body(struct provider_message *m, const struct json_value *value)
{
    if (value->kind != JSON_STRING || m->body)
        return;
    m->body = xmemdup0(value->text, value->len);
}

static bool is_named(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static void read_text_member(struct provider_message *m, const char *name, size_t len,
                             const struct json_value *value)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } texts[] = {
        { "sid", m->sid, sizeof(m->sid) },
        { "messaging_service_sid", m->service_sid, sizeof(m->service_sid) },
        { "from", m->from, sizeof(m->from) },
        { "status", m->status, sizeof(m->status) },
        { "price_unit", m->price_unit, sizeof(m->price_unit) },
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (is_named(name, len, texts[i].name))
            (void)copy(texts[i].out, texts[i].size, value);
}

static enum outcome on_member(void *arg, const char *name, size_t len,
                              const struct json_value *value, struct err *err)
{
    static const struct {
        const char *name;
        void (*read)(struct provider_message *m, const struct json_value *value);
    } members[] = {
        { "price", read_price },
        { "num_segments", read_segments },
        { "date_created", read_created },
        { "direction", read_direction },
        { "body", read_body },
    };
    struct provider_message *m = arg;

    (void)err;
    if (is_named(name, len, "error_code") && value->kind == JSON_INTEGER &&
        value->integer > 0 && value->integer <= INT32_MAX)
        m->error_code = (int32_t)value->integer;
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (is_named(name, len, members[i].name))
            members[i].read(m, value);
    read_text_member(m, name, len, value);
    return OUTCOME_OK;
}

static enum outcome check(const struct provider_message *m, struct err *err)
{
    if (!sid_is_message(m->sid) || !m->status[0])
        return err_set(err, OUTCOME_REJECT,
                       "a message in the answer has no SID or status");
    return OUTCOME_OK;
}

static enum outcome on_message(void *arg, const char *name, size_t len,
                               const struct json_value *value, struct err *err)
{
    struct provider_page *page = arg;

    (void)name, (void)len;
    if (value->kind != JSON_OBJECT)
        return err_set(err, OUTCOME_REJECT,
                       "messages holds something else than messages");
    if (page->count == PROVIDER_PAGE_MAX)
        return err_set(err, OUTCOME_REJECT, "the page is longer than was asked for");
    struct provider_message *m = &page->messages[page->count++];
    *m = (struct provider_message){ 0 };
    enum outcome rc = json_each(value, on_member, m, err);
    return rc ? rc : check(m, err);
}

static enum outcome on_top(void *arg, const char *name, size_t len,
                           const struct json_value *value, struct err *err)
{
    struct draft *d = arg;

    if (is_named(name, len, "messages") && value->kind == JSON_ARRAY) {
        d->is_list = true;
        return json_each(value, on_message, d->page, err);
    }
    if (is_named(name, len, "next_page_uri") && value->kind == JSON_STRING &&
        value->len > 0 && value->text[0] == '/' && !d->page->next_uri)
        d->page->next_uri = xmemdup0(value->text, value->len);
    return on_member(d->message, name, len, value, err);
}

enum outcome provider_read(struct provider_page *out, struct json_reader *json,
                           const char *body, size_t len, struct err *err)
{
    struct provider_message one = { 0 };
    struct draft d = { .page = out, .message = &one };

    out->count = 0;  // the messages are many: each is cleared when it is needed
    out->next_uri = NULL;
    enum outcome rc = json_read(json, body, len, on_top, &d, err);
    if (!rc && !d.is_list)
        rc = check(&one, err);
    if (!rc && !d.is_list) {
        out->messages[out->count++] = one;
        one.body = NULL;
    }
    free(one.body);
    if (rc)
        provider_page_free(out);
    return rc;
}

void provider_page_free(struct provider_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->messages[i].body);
    free(page->next_uri);
    page->count = 0;
    page->next_uri = NULL;
}
