#include "sim_admin.h"
#include "buf.h"
#include "form.h"
#include "http_server.h"
#include "metrics.h"
#include "settings.h"
#include "sim_callbacks.h"
#include "sim_clock.h"
#include "sim_faults.h"
#include "sim_ledger.h"
#include "sim_store.h"
#include "simulator.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX_BYTES = 256 << 20,
    SMALL_MAX_BYTES = 4096,
    FAULTS_MAX_BYTES = 1 << 20,
    ADVANCE_MAX_S = 400 * 86400,
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
    counts.callbacks_pending = sim_callbacks_pending(sim->callbacks) + sim->held;
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

static enum outcome read_form(struct form *form, struct http_request *req,
                              struct err *err)
{
    size_t len = 0;
    const char *body = http_request_body(req, &len);

    return form_parse(form, body ? body : "", len, err);
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
                 "],\"next_uri\":\"/_sim/messages?after=%" PRIu32 "&limit=%" PRIu32 "\"",
                 end, limit);
    else
        buf_add_text(&body, "],\"next_uri\":null");
    buf_addf(&body, ",\"newest\":%" PRIu32 "}\n", count);
    send_json(req, &body);
    buf_free(&body);
}

void sim_admin_delays(void *arg, struct http_request *req)
{
    const struct simulator *sim = arg;
    struct buf body = BUF_INIT(SMALL_MAX_BYTES);

    sim_switches_render(&sim->switches, &body);
    send_json(req, &body);
    buf_free(&body);
}

void sim_admin_set_delays(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct sim_switches switches = sim->switches;
    char bad[SIM_SWITCHES_NAME_BYTES] = "";
    struct form form = { 0 };
    struct err err = { 0 };

    enum outcome rc = read_form(&form, req, &err);
    if (!rc)
        rc = sim_switches_apply(&switches, &form, bad, &err);
    form_free(&form);
    if (rc) {
        refuse(req, bad[0] ? bad : NULL, err.text);
        return;
    }
    simulator_switch(sim, &switches);
    sim_admin_delays(sim, req);
}

void sim_admin_faults(void *arg, struct http_request *req)
{
    const struct simulator *sim = arg;
    struct buf body = BUF_INIT(FAULTS_MAX_BYTES);

    sim_faults_render(sim->faults, &body);
    send_json(req, &body);
    buf_free(&body);
}

void sim_admin_add_fault(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct form form = { 0 };
    struct err err = { 0 };

    enum outcome rc = read_form(&form, req, &err);
    if (!rc)
        rc = sim_faults_add(sim->faults, &form, &err);
    form_free(&form);
    if (rc)
        refuse(req, NULL, err.text);
    else
        sim_admin_faults(sim, req);
}

void sim_admin_remove_faults(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    uint32_t id = 0;

    if (!read_number(req, "id", UINT32_MAX, &id) || !sim_faults_remove(sim->faults, id))
        refuse(req, "id", "no rule has this id; GET /_sim/faults lists them");
    else
        http_answer(req, 204, NULL, NULL, 0, NULL);
}

void sim_admin_clock(void *arg, struct http_request *req)
{
    const struct simulator *sim = arg;
    struct buf body = BUF_INIT(SMALL_MAX_BYTES);
    int64_t next_us = sim_clock_next_us(sim->clock);

    buf_add_text(&body, "{\"now\":\"");
    buf_add_time(&body, sim_clock_now_us(sim->clock));
    buf_addf(&body, "\",\"speed\":%" PRId64 ",\"waiting\":%zu,\"next\":",
             sim_clock_speed(sim->clock), sim_clock_waiting(sim->clock));
    if (next_us == INT64_MAX) {
        buf_add_text(&body, "null}\n");
    } else {
        buf_add_char(&body, '"');
        buf_add_time(&body, next_us);
        buf_add_text(&body, "\"}\n");
    }
    send_json(req, &body);
    buf_free(&body);
}

// An advance, until everything that was due has happened.
struct advance {
    struct simulator *sim;
    struct http_request *req;
};

static void on_advanced(void *arg)
{
    struct advance *a = arg;

    sim_admin_clock(a->sim, a->req);
    free(a);
}

static bool read_speed(const char *text, int64_t *out)
{
    char *end = NULL;

    *out = *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    return end && *end == '\0' && *out <= SIM_CLOCK_SPEED_MAX;
}

static bool read_clock(const struct form *form, int64_t *speed, int64_t *by_us)
{
    char value[VALUE_BYTES];

    if (form_copy(value, sizeof(value), form, "speed") && !read_speed(value, speed))
        return false;
    if (form_copy(value, sizeof(value), form, "advance") &&
        !settings_parse_us(value, by_us))
        return false;
    return *by_us >= 0 && *by_us <= (int64_t)ADVANCE_MAX_S * 1000000;
}

void sim_admin_set_clock(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    int64_t speed = sim_clock_speed(sim->clock), by_us = 0;
    struct form form = { 0 };
    struct err err = { 0 };

    bool is_good = !read_form(&form, req, &err) && read_clock(&form, &speed, &by_us);
    form_free(&form);
    if (!is_good) {
        refuse(req, NULL,
               "speed is 0 (it stands) to 1000000, advance a time such as "
               "10m, up to 400d");
        return;
    }
    struct advance *a = xcalloc(1, sizeof(*a));
    *a = (struct advance){ sim, req };
    sim_clock_set_speed(sim->clock, speed);
    sim_clock_advance(sim->clock, by_us, on_advanced, a);
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
