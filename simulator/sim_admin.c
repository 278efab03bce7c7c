#include "sim_admin.h"
#include "buf.h"
#include "form.h"
#include "http_server.h"
#include "metrics.h"
#include "settings.h"
#include "sim_callbacks.h"
#include "sim_ledger.h"
#include "sim_store.h"
#include "simulator.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX_BYTES = 256 << 20,
    SMALL_MAX_BYTES = 4096,
    DELAY_MAX_S = 86400,
    REPEAT_MAX = 100,
    VALUE_BYTES = 32,
};

static void send_json(struct http_request *req, const struct buf *body)
{
    http_answer(req, 200, "application/json", buf_text(body), body->len, NULL);
}

static void refuse(struct http_request *req, const char *field, const char *detail)
{
    const struct http_problem problem = {
        .status = 400,
        .code = "invalid_parameter",
        .detail = detail,
        .field = field,
    };
    http_problem(req, &problem);
}

void sim_admin_health(void *arg, struct http_request *req)
{
    static const char ok[] = "ok\n";

    (void)arg;
    http_answer(req, 200, "text/plain", ok, sizeof(ok) - 1, NULL);
}

static struct sim_ledger_counts count_all(const struct simulator *sim)
{
    struct sim_ledger_counts counts = *sim_ledger_counts(sim->ledger);

    counts.callbacks_sent = sim_callbacks_sent(sim->callbacks);
    counts.callbacks_failed = sim_callbacks_failed(sim->callbacks);
    counts.callbacks_pending = sim_callbacks_pending(sim->callbacks);
    return counts;
}

void sim_admin_ledger(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    const struct sim_ledger_counts counts = count_all(sim);
    struct buf body = BUF_INIT(SMALL_MAX_BYTES);

    sim_ledger_render(&counts, sim->json.currency, &body);
    send_json(req, &body);
    buf_free(&body);
}

// Reads the query parameter name into *out, which keeps its value when that is not given.
static bool read_number(const struct http_request *req, const char *name, uint32_t max,
                        uint32_t *out)
{
    const char *text = http_request_query(req, name);
    char *end = NULL;

    if (!text)
        return true;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

void sim_admin_messages(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    uint32_t after = 0, limit = SIM_ADMIN_ROWS, count = sim_store_count(sim->store);
    struct buf body = BUF_INIT(ROWS_MAX_BYTES);

    if (!read_number(req, "after", UINT32_MAX, &after)) {
        refuse(req, "after", "after is the number of the last message you have");
        return;
    }
    if (!read_number(req, "limit", SIM_ADMIN_ROWS_MAX, &limit) || limit == 0) {
        refuse(req, "limit", "limit is 1 to 10000");
        return;
    }
    buf_add_text(&body, "{\"messages\":[");
    uint32_t end = after < count && count - after > limit ? after + limit : count;
    for (uint32_t number = after < count ? after + 1 : end + 1; number <= end; number++) {
        if (number > after + 1)
            buf_add_text(&body, ",\n");
        sim_json_row(&body, &sim->json, sim_store_get(sim->store, number));
    }
    if (end < count)
        buf_addf(&body,
                 "],\"next_uri\":\"/_sim/messages?after=%" PRIu32 "&limit=%" PRIu32
                 "\"}\n",
                 end, limit);
    else
        buf_add_text(&body, "],\"next_uri\":null}\n");
    send_json(req, &body);
    buf_free(&body);
}

void sim_admin_delays(void *arg, struct http_request *req)
{
    const struct simulator *sim = arg;
    const struct simulator_switches *s = &sim->switches;
    struct buf body = BUF_INIT(SMALL_MAX_BYTES);

    buf_addf(&body, "{\"answer_delay_us\":%" PRId64, s->answer_delay_us);
    buf_addf(&body, ",\"queued_delay_us\":%" PRId64, s->life.queued_us);
    buf_addf(&body, ",\"sent_delay_us\":%" PRId64, s->life.sent_us);
    buf_addf(&body, ",\"delivered_delay_us\":%" PRId64, s->life.delivered_us);
    buf_addf(&body, ",\"price_delay_us\":%" PRId64, s->life.price_us);
    buf_addf(&body, ",\"callback_repeat\":%" PRId64, s->callback_repeat);
    buf_addf(&body, ",\"callback_reverse\":%s}\n",
             s->callback_reverse ? "true" : "false");
    send_json(req, &body);
    buf_free(&body);
}

static bool read_delay(const char *text, int64_t *out)
{
    int64_t us = 0;

    if (!settings_parse_us(text, &us) || us < 0 || us > (int64_t)DELAY_MAX_S * 1000000)
        return false;
    *out = us;
    return true;
}

static bool read_repeat(const char *text, int64_t *out)
{
    char *end = NULL;
    long value = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;

    if (value < 1 || value > REPEAT_MAX || *end)
        return false;
    *out = value;
    return true;
}

static bool read_yes_no(const char *text, bool *out)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return false;
    *out = strcmp(text, "yes") == 0;
    return true;
}

// Puts one pair of the form into s. Returns false for an unknown name or a bad value.
static bool apply(struct simulator_switches *s, const char *name, const char *value)
{
    const struct {
        const char *name;
        int64_t *delay_us;
    } delays[] = {
        { "answer_delay", &s->answer_delay_us },
        { "queued_delay", &s->life.queued_us },
        { "sent_delay", &s->life.sent_us },
        { "delivered_delay", &s->life.delivered_us },
        { "price_delay", &s->life.price_us },
    };

    for (size_t i = 0; i < COUNT_OF(delays); i++)
        if (strcmp(delays[i].name, name) == 0)
            return read_delay(value, delays[i].delay_us);
    if (strcmp(name, "callback_repeat") == 0)
        return read_repeat(value, &s->callback_repeat);
    return strcmp(name, "callback_reverse") == 0 &&
           read_yes_no(value, &s->callback_reverse);
}

static bool copy_text(char out[VALUE_BYTES], const char *bytes, size_t len)
{
    if (len >= VALUE_BYTES || memchr(bytes, '\0', len))
        return false;
    memcpy(out, bytes, len);
    out[len] = '\0';
    return true;
}

// All pairs, or none: bad names the first that is wrong.
static bool apply_form(struct simulator_switches *s, const struct form *form,
                       char bad[VALUE_BYTES])
{
    char value[VALUE_BYTES];

    for (size_t i = 0; i < form->count; i++) {
        const struct form_pair *p = &form->pairs[i];
        bad[0] = '\0';
        if (!copy_text(bad, p->name, p->name_len) ||
            !copy_text(value, p->value, p->value_len) || !apply(s, bad, value))
            return false;
    }
    return true;
}

void sim_admin_set_delays(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct simulator_switches switches = sim->switches;
    struct form form = { 0 };
    size_t len = 0;
    const char *body = http_request_body(req, &len);
    char bad[VALUE_BYTES] = "";

    bool is_good = !form_parse(&form, body ? body : "", len, NULL) &&
                   apply_form(&switches, &form, bad);
    form_free(&form);
    if (!is_good) {
        refuse(req, utf8_is_valid(bad, strlen(bad)) ? bad : NULL,
               "answer_delay, queued_delay, sent_delay, delivered_delay and price_delay "
               "are times such as 50ms, callback_repeat is 1 to 100, callback_reverse "
               "is yes or no");
        return;
    }
    simulator_switch(sim, &switches);
    sim_admin_delays(sim, req);
}

void sim_admin_reset(void *arg, struct http_request *req)
{
    simulator_reset(arg);
    http_answer(req, 204, NULL, NULL, 0, NULL);
}

static void set_gauges(void *arg)
{
    struct simulator *sim = arg;
    const struct sim_ledger_counts counts = count_all(sim);

    metric_set(sim->gauges.messages, (double)counts.creates);
    metric_set(sim->gauges.pending, (double)counts.callbacks_pending);
    metric_set(sim->gauges.failed, (double)counts.callbacks_failed);
}

void sim_admin_add_metrics(struct simulator *sim, struct metrics *metrics)
{
    sim->gauges = (struct simulator_gauges){
        .messages = metrics_gauge(metrics, "smsq_simulator_messages", NULL,
                                  "messages accepted since the last reset"),
        .pending = metrics_gauge(metrics, "smsq_simulator_callbacks_pending", NULL,
                                 "status callbacks that wait or are on their way"),
        .failed = metrics_gauge(metrics, "smsq_simulator_callbacks_failed", NULL,
                                "status callbacks given up since the last reset"),
    };
    metrics_before_render(metrics, set_gauges, sim);
}
