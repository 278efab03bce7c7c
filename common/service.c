#include "service.h"

#include "buf.h"
#include "http_server.h"
#include "log.h"
#include "metrics.h"
#include "process.h"
#include "reactor.h"
#include "readiness.h"
#include "reloader.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

enum {
    DRAIN_POLL_US = 20000,
    LOOP_ALIVE_US = 10000000,
    ADMIN_CONNECTIONS_MAX = 64,
    READY_MAX_BYTES = 65536,
    METRICS_MAX_BYTES = 4194304,
};

struct service {
    struct service_hooks hooks;
    const struct service_settings *set;  // borrowed
    char *address;                       // of the admin port
    int64_t stop_deadline_us;
    struct reactor *reactor;
    struct metrics *metrics;
    struct process *process;
    struct reloader *reloader;
    struct http_server *admin;
    struct reactor_timer *drain, *deadline, *watchdog;
    int64_t watchdog_us;  // between two signs of life for systemd; 0 = not wanted
    void (*say_left)(void *arg, struct buf *to);  // NULL = nothing is said
    void *say_left_arg;
    bool stopping;
    bool failed;
    struct err failure;
};

static void ask_parts(struct service *s, struct readiness *parts)
{
    readiness_part(parts, "process", s->stopping ? "stopping" : NULL);
    if (s->hooks.ready)
        s->hooks.ready(s->hooks.arg, parts);
}

void service_healthz(struct service *s, struct http_request *req)
{
    static const char alive[] = "{\"alive\":true}\n", stuck[] = "{\"alive\":false}\n";

    if (clock_boot_us() - reactor_turned_us(s->reactor) <= LOOP_ALIVE_US)
        http_answer(req, 200, "application/json", alive, strlen(alive), NULL);
    else
        http_answer(req, 503, "application/json", stuck, strlen(stuck), NULL);
}

void service_readyz(struct service *s, struct http_request *req)
{
    struct buf body = BUF_INIT(READY_MAX_BYTES);
    struct readiness parts = { 0 };

    ask_parts(s, &parts);
    readiness_json(&parts, &body);
    http_answer(req, readiness_missing(&parts) ? 503 : 200, "application/json",
                buf_text(&body), body.len, NULL);
    buf_free(&body);
}

static void sample_ready(void *arg, struct metrics_samples *to)
{
    struct readiness parts = { 0 };
    char label[64];

    ask_parts(arg, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        (void)snprintf(label, sizeof(label), "part=\"%s\"", parts.parts[i].name);
        metrics_sample(to, label, parts.parts[i].why.text[0] ? 0 : 1);
    }
}

static void on_healthz(void *arg, struct http_request *req)
{
    service_healthz(arg, req);
}

static void on_readyz(void *arg, struct http_request *req)
{
    service_readyz(arg, req);
}

static void on_metrics(void *arg, struct http_request *req)
{
    struct service *s = arg;
    struct buf body = BUF_INIT(METRICS_MAX_BYTES);

    metrics_render(s->metrics, &body);
    http_answer(req, body.failed ? 500 : 200, "text/plain; version=0.0.4; charset=utf-8",
                buf_text(&body), body.len, NULL);
    buf_free(&body);
}

static const struct http_route admin_routes[] = {
    { "GET", "/healthz", on_healthz, 0, NULL },
    { "GET", "/readyz", on_readyz, 0, NULL },
    { "GET", "/metrics", on_metrics, 0, NULL },
    { 0 },
};

void service_fail(struct service *s, const char *reason)
{
    if (!s->failed)  // the first reason is the cause
        err_set(&s->failure, OUTCOME_FATAL, "%s", reason);
    s->failed = true;
    reactor_stop(s->reactor);
}

static void on_drain(void *arg)
{
    struct service *s = arg;

    if (!s->hooks.is_drained || s->hooks.is_drained(s->hooks.arg))
        reactor_stop(s->reactor);
    else
        reactor_timer_set(s->drain, DRAIN_POLL_US);
}

void service_say_left(struct service *s, void (*say)(void *arg, struct buf *to),
                      void *arg)
{
    s->say_left = say;
    s->say_left_arg = arg;
}

static void cut_short(struct service *s, const char *why)
{
    struct buf text = BUF_INIT(ERR_TEXT_BYTES);

    buf_add_text(&text, why);
    if (s->say_left) {
        buf_add_text(&text, "; left: ");
        s->say_left(s->say_left_arg, &text);
    }
    service_fail(s, buf_text(&text));
    buf_free(&text);
}

static void on_deadline(void *arg)
{
    struct service *s = arg;
    struct err why;

    err_set(&why, OUTCOME_FATAL, "the stop took longer than stop.deadline (%lld ms)",
            (long long)(s->stop_deadline_us / 1000));
    cut_short(s, why.text);
}

static void on_stop_signal(void *arg)
{
    struct service *s = arg;

    if (s->stopping) {
        cut_short(s, "a second signal came before the stop was done");
        return;
    }
    s->stopping = true;
    log_line(LOG_LEVEL_INFO, "stop_begun",
             LOG_I("deadline_ms", s->stop_deadline_us / 1000));
    (void)sd_notify(0, "STOPPING=1");
    reactor_timer_set(s->deadline, s->stop_deadline_us);
    reactor_timer_set(s->drain, 0);
    if (s->hooks.stop)
        s->hooks.stop(s->hooks.arg);
}

static void on_hangup(void *arg)
{
    struct service *s = arg;

    (void)sd_notify(0, "RELOADING=1");
    reloader_run(s->reloader);
    (void)sd_notify(0, "READY=1");
}

static void take_log_level(void *arg)
{
    const struct service *s = arg;
    enum log_level level;

    if (log_level_parse(s->set->log_level, &level))
        log_level_set(level);
}

void service_on_change(struct service *s, const char *name, void (*changed)(void *arg),
                       void *arg)
{
    reloader_on_change(s->reloader, name, changed, arg);
}

static void on_watchdog(void *arg)
{
    struct service *s = arg;

    (void)sd_notify(0, "WATCHDOG=1");
    reactor_timer_set(s->watchdog, s->watchdog_us);
}

static enum outcome open_admin(struct service *s, const struct service_settings *set,
                               struct err *err)
{
    const struct http_server_settings admin = {
        .address = s->address,
        .port = set->admin_port,
        .connections_max = ADMIN_CONNECTIONS_MAX,
        .header_max_bytes = HTTP_HEADER_MAX_BYTES,
        .name = "admin",
    };
    // Its requests are not counted: the program's main port is, under the same names.
    enum outcome rc =
        http_server_open(&s->admin, s->reactor, &admin, admin_routes, s, NULL, err);
    if (rc)
        err_context(err, "admin port");
    return rc;
}

static void prepare_life(struct service *s)
{
    uint64_t watchdog_us = 0;

    s->drain = reactor_timer_new(s->reactor, on_drain, s);
    s->deadline = reactor_timer_new(s->reactor, on_deadline, s);
    s->watchdog = reactor_timer_new(s->reactor, on_watchdog, s);
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        s->watchdog_us = (int64_t)(watchdog_us / 3);
    metrics_sampled(s->metrics, "smsq_ready",
                    "1 for each part that is there, as /readyz says.", sample_ready, s);
    reactor_on_signal(s->reactor, SIGTERM, on_stop_signal, s);
    reactor_on_signal(s->reactor, SIGINT, on_stop_signal, s);
    reactor_on_signal(s->reactor, SIGHUP, on_hangup, s);
    service_on_change(s, "log.level", take_log_level, s);
}

static enum outcome check_settings(const void *part, struct err *err)
{
    const struct service_settings *set = part;
    enum log_level level;

    if (log_level_parse(set->log_level, &level))
        return OUTCOME_OK;
    return err_set(err, OUTCOME_REJECT,
                   "log.level must be error, warn, info or debug, not \"%s\"",
                   set->log_level);
}

const struct settings_part service_settings_part = { check_settings, NULL };

enum outcome service_open(struct service **out, const struct service_settings *set,
                          const struct service_hooks *hooks, struct err *err)
{
    if (check_settings(set, err))
        return OUTCOME_REJECT;

    process_raise_limits();
    if (set->hide_memory)
        process_hide_memory();
    struct service *s = xcalloc(1, sizeof(*s));
    s->hooks = *hooks;
    s->set = set;
    take_log_level(s);
    s->address = xstrdup(set->admin_address);
    s->stop_deadline_us = set->stop_deadline_us;
    s->metrics = metrics_new();
    s->process = process_new(s->metrics, hooks->name);
    s->reloader = reloader_new(&set->origin);
    enum outcome rc = reactor_open(&s->reactor, err);
    if (!rc)
        rc = open_admin(s, set, err);
    if (rc) {
        service_close(s);
        return rc;
    }
    prepare_life(s);
    *out = s;
    return OUTCOME_OK;
}

void service_close(struct service *s)
{
    if (!s)
        return;
    http_server_close(s->admin);
    reactor_timer_free(s->drain);
    reactor_timer_free(s->deadline);
    reactor_timer_free(s->watchdog);
    metrics_free(s->metrics);
    process_free(s->process);
    reloader_free(s->reloader);
    reactor_close(s->reactor);
    free(s->address);
    free(s);
}

struct reactor *service_reactor(struct service *s)
{
    return s->reactor;
}

struct metrics *service_metrics(struct service *s)
{
    return s->metrics;
}

static void flush_log(void *arg)
{
    (void)arg;
    log_flush();
}

enum outcome service_run(struct service *s, struct err *err)
{
    process_log_up(s->address, http_server_port(s->admin));
    reloader_review(s->reloader);
    (void)sd_notify(0, "READY=1");
    if (s->watchdog_us > 0)
        reactor_timer_set(s->watchdog, 0);

    reactor_on_turn(s->reactor, flush_log, NULL);
    log_gather(true);
    reactor_run(s->reactor);
    log_gather(false);

    if (s->failed)
        return err_set(err, OUTCOME_FATAL, "%s", s->failure.text);
    log_line(LOG_LEVEL_INFO, "process_down", LOG_T("reason", "drained"));
    return OUTCOME_OK;
}
