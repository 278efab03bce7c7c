#include "kafka_client.h"

#include "log.h"
#include "metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// The same error comes with every attempt to connect: it is logged once in this time.
enum { LOG_AGAIN_US = 10000000, LABELS_BYTES = 300 };

enum outcome kafka_client_open_take(struct kafka_client *c, rd_kafka_type_t type,
                                    rd_kafka_conf_t *conf, struct err *err)
{
    char reason[256];

    c->eventfd = -1;
    if (reactor_eventfd(&c->eventfd, c->reactor, c->on_events, c->arg, err)) {
        rd_kafka_conf_destroy(conf);
        return OUTCOME_FATAL;
    }
    c->rk = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, OUTCOME_FATAL, "cannot start the Kafka client: %s", reason);
    }
    if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_poll_set_consumer(c->rk);
        c->queue = rd_kafka_queue_get_consumer(c->rk);
    } else {
        c->queue = rd_kafka_queue_get_main(c->rk);
    }
    rd_kafka_set_log_queue(c->rk, c->queue);
    kafka_client_watch(c, c->queue);
    return OUTCOME_OK;
}

void kafka_client_watch(struct kafka_client *c, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;  // what one write to an eventfd must be

    rd_kafka_queue_io_event_enable(queue, c->eventfd, &one, sizeof(one));
}

void kafka_client_unwatch(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
}

// librdkafka uses syslog's levels. It repairs by itself all that it calls an error, so
// only what is worse asks for somebody.
static enum log_level level_of(int syslog_level)
{
    if (syslog_level <= 2)
        return LOG_LEVEL_ERROR;
    if (syslog_level <= 4)
        return LOG_LEVEL_WARN;
    return syslog_level <= 6 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

static void take_log(const struct kafka_client *c, rd_kafka_event_t *event)
{
    const char *facility = "", *text = "";
    int level = 7;

    if (rd_kafka_event_log(event, &facility, &text, &level) == 0)
        log_line(level_of(level), "kafka_log", LOG_T("client", rd_kafka_name(c->rk)),
                 LOG_T("facility", facility), LOG_T("text", text));
}

// librdkafka logs by itself what happens to its connections.
static bool is_logged_by_library(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
        return true;
    default:
        return false;
    }
}

static void log_error(struct kafka_client *c, rd_kafka_resp_err_t code,
                      const char *reason)
{
    int64_t now_us = clock_boot_us();

    if (is_logged_by_library(code) ||
        (strcmp(reason, c->reason) == 0 && now_us - c->logged_us < LOG_AGAIN_US))
        return;
    log_line(c->is_fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "kafka_error",
             LOG_T("client", rd_kafka_name(c->rk)),
             LOG_T("code", rd_kafka_err2name(code)), LOG_T("text", reason));
    c->logged_us = now_us;
}

void kafka_client_answered(struct kafka_client *c)
{
    if (!c->broker_answers && !c->is_fatal)
        c->reason[0] = '\0', c->is_cause = false;  // it was about the connection
    if (!c->broker_answers && c->has_answered && c->reconnects)
        metric_add(c->reconnects, 1);
    c->broker_answers = c->has_answered = true;
    if (c->up)
        metric_set(c->up, 1);
}

static void note_lost(struct kafka_client *c)
{
    c->broker_answers = false;
    if (c->up)
        metric_set(c->up, 0);
}

static void take_error(struct kafka_client *c, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    char reason[sizeof(c->reason)];

    (void)snprintf(reason, sizeof(reason), "%s", text ? text : rd_kafka_err2str(code));
    if (c->errors)
        metric_add(c->errors, 1);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        note_lost(c);
    if (rd_kafka_event_error_is_fatal(event) || code == RD_KAFKA_RESP_ERR__FATAL) {
        c->is_fatal = true;
        rd_kafka_fatal_error(c->rk, reason, sizeof(reason));
    }
    log_error(c, code, reason);
    // "all brokers are down" follows the error that says why.
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && c->is_cause)
        return;
    memcpy(c->reason, reason, sizeof(reason));
    c->is_cause =
        is_logged_by_library(code) && code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

// The statistics are JSON of librdkafka's own making: a broker is connected and has told
// its API versions exactly when its state is UP, and nothing else is written like that.
static void take_stats(struct kafka_client *c, rd_kafka_event_t *event)
{
    const char *json = rd_kafka_event_stats(event);

    if (json && strstr(json, "\"state\":\"UP\""))
        kafka_client_answered(c);
    else
        note_lost(c);
}

void kafka_client_take(struct kafka_client *c, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_LOG:
        take_log(c, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        take_error(c, event);
        break;
    case RD_KAFKA_EVENT_STATS:
        take_stats(c, event);
        break;
    default:
        break;
    }
}

void kafka_client_measure(struct kafka_client *c, struct metrics *m, const char *name)
{
    char labels[LABELS_BYTES];

    (void)snprintf(labels, sizeof(labels), "client=\"%s\"", name);
    c->up = metrics_gauge(m, "smsq_kafka_up", labels, "1 while a Kafka broker answers.");
    c->reconnects = metrics_counter(m, "smsq_kafka_reconnects_total", labels,
                                    "Times that Kafka came back after it was away.");
    c->errors = metrics_counter(m, "smsq_kafka_errors_total", labels,
                                "Errors that the Kafka client told about.");
}

const char *kafka_client_error(const struct kafka_client *c)
{
    if (c->is_fatal)
        return c->reason;
    if (c->broker_answers)
        return NULL;
    return c->reason[0] ? c->reason : "no Kafka broker has answered yet";
}

void kafka_client_unhook(struct kafka_client *c)
{
    if (c->queue) {
        kafka_client_unwatch(c->queue);
        rd_kafka_queue_destroy(c->queue);
        c->queue = NULL;
    }
    if (c->reactor)
        reactor_eventfd_close(c->reactor, c->eventfd);
    c->eventfd = -1;
}

static void *destroy(void *rk)
{
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

// rd_kafka_destroy has no time limit of its own and is known to hang (2.0.2, a consumer
// that lost a partition), so it runs on a thread that can be left behind.
void kafka_client_destroy(struct kafka_client *c, int64_t wait_ms)
{
    pthread_t thread;
    struct timespec until;

    if (!c->rk)
        return;
    if (pthread_create(&thread, NULL, destroy, c->rk) != 0) {
        destroy(c->rk);
    } else {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += (time_t)(wait_ms / 1000);
        if (pthread_timedjoin_np(thread, NULL, &until) != 0)
            pthread_detach(thread);
    }
    c->rk = NULL;
}
