#include "scheduler.h"

#include "cleaner.h"
#include "expirer.h"
#include "kafka_out.h"
#include "mover.h"
#include "partitions.h"
#include "readiness.h"
#include "survey.h"

#include <stdlib.h>

#define DAY_US INT64_C(86400000000)

enum {
    LANES = 3,
    QUEUE_MAX = 15000,
    TIMEOUT_MS = 30000,
    EXPIRER_REST_US = 5000000,
    EXPIRER_PAGE_REST_US = 100000,
};

#define AT(field) offsetof(struct scheduler_settings, field)

static const struct setting scheduler_table[] = {
    KAFKA_SETTINGS(AT(kafka)),
    DB_SETTINGS(AT(db)),
    SERVICE_SETTINGS("scheduler", AT(service), "9105"),
    { "scheduler.poll_interval", SETTING_US | SETTING_LIVE, AT(poll_us), "250ms", 10000,
      60000000, NULL, "how often to look for due messages when nothing was due" },
    { "scheduler.idempotency_keep", SETTING_US, AT(keep_keys_us), "48h",
      INT64_C(172800000000), INT64_C(31536000000000), NULL,
      "how long an Idempotency-Key stands for its message" },
    { "scheduler.survey_interval", SETTING_US, AT(survey_us), "10s", 100000, 3600000000,
      NULL, "how often to count what is in doubt, claimed and delayed, for the metrics" },
    { "scheduler.lease", SETTING_US, AT(lease_us), "10s", 1000000, 300000000, NULL,
      "after so long others take over the work of a scheduler that ended without a "
      "word" },
    { 0 },
};

static const struct settings_place places[] = {
    { &kafka_settings_part, AT(kafka) },
    { &db_settings_part, AT(db) },
    { &service_settings_part, AT(service) },
    { 0 },
};

const struct settings_source scheduler_settings_source = {
    .program = "smsq-scheduler",
    .what =
        "Moves messages that fall due to their lane, deletes what was kept long enough.",
    .tables = (const struct setting *const[]){ scheduler_table, NULL },
    .size = sizeof(struct scheduler_settings),
    .parts = places,
};

struct scheduler {
    const struct scheduler_settings *set;
    struct service *service;
    struct db *db;
    struct kafka_out *out;
    struct mover *movers[LANES];
    struct expirer *expirer;
    struct cleaner *cleaner;
    struct partitions *partitions;
    struct survey *survey;
};

static void on_stop(void *arg)
{
    struct scheduler *s = arg;

    for (size_t i = 0; i < LANES; i++)
        mover_stop(s->movers[i]);
    expirer_stop(s->expirer);
    cleaner_stop(s->cleaner);
    partitions_stop(s->partitions);
    survey_stop(s->survey);
}

static bool is_drained(void *arg)
{
    const struct scheduler *s = arg;

    for (size_t i = 0; i < LANES; i++)
        if (!mover_is_idle(s->movers[i]))
            return false;
    return expirer_is_idle(s->expirer);
}

static void say_ready(void *arg, struct readiness *parts)
{
    const struct scheduler *s = arg;

    readiness_db(parts, "postgresql", s->db);
    readiness_kafka_out(parts, "kafka", s->out);
    readiness_part(parts, "partitions", survey_complaint(s->survey));
}

static void take_poll_interval(void *arg)
{
    const struct scheduler *s = arg;

    for (size_t i = 0; i < LANES; i++)
        mover_set_poll(s->movers[i], s->set->poll_us);
}

static void make_movers(struct scheduler *s)
{
    static const struct {
        const char *lane, *topic, *lease;
    } lanes[LANES] = {
        { "urgent", TOPIC_JOBS_URGENT, "mover.urgent" },
        { "normal", TOPIC_JOBS_NORMAL, "mover.normal" },
        { "bulk", TOPIC_JOBS_BULK, "mover.bulk" },
    };

    for (size_t i = 0; i < LANES; i++) {
        const struct mover_settings mover = {
            .lane = lanes[i].lane,
            .topic = lanes[i].topic,
            .lease = lanes[i].lease,
            .db = s->db,
            .out = s->out,
            .poll_us = s->set->poll_us,
            .lease_us = s->set->lease_us,
            .reactor = service_reactor(s->service),
        };
        s->movers[i] = mover_new(&mover, service_metrics(s->service));
    }
}

static void make_sweeps(struct scheduler *s)
{
    struct reactor *loop = service_reactor(s->service);
    struct metrics *metrics = service_metrics(s->service);
    const struct expirer_settings expirer = {
        .reactor = loop,
        .db = s->db,
        .rest_us = EXPIRER_REST_US,
        .page_rest_us = EXPIRER_PAGE_REST_US,
        .lease_us = s->set->lease_us,
    };

    s->expirer = expirer_new(&expirer, metrics);
    s->cleaner = cleaner_new(loop, s->db, s->set->keep_keys_us, metrics);
    s->survey = survey_new(loop, s->db, s->set->survey_us, metrics);
    s->partitions = partitions_new(loop, s->db, DAY_US);
}

enum outcome scheduler_open(struct scheduler **out, const struct scheduler_settings *set,
                            struct err *err)
{
    struct scheduler *s = xcalloc(1, sizeof(*s));
    const struct service_hooks hooks = { "smsq-scheduler", on_stop, is_drained, say_ready,
                                         s };
    static const char *const topics[] = { TOPIC_JOBS_URGENT, TOPIC_JOBS_NORMAL,
                                          TOPIC_JOBS_BULK, NULL };
    const struct kafka_out_settings kafka = {
        .kafka = &set->kafka,
        .topics = topics,
        .linger_us = 500,
        .timeout_ms = TIMEOUT_MS,
        .queue_max = QUEUE_MAX,
    };

    s->set = set;
    enum outcome rc = service_open(&s->service, &set->service, &hooks, err);
    if (!rc)
        rc = db_open(&s->db, service_reactor(s->service), &set->db, "smsq-scheduler",
                     service_metrics(s->service), err);
    if (!rc)
        rc = kafka_out_open(&s->out, service_reactor(s->service), &kafka,
                            service_metrics(s->service), err);
    if (rc) {
        scheduler_close(s);
        return rc;
    }
    make_movers(s);
    service_on_change(s->service, "scheduler.poll_interval", take_poll_interval, s);
    make_sweeps(s);
    *out = s;
    return OUTCOME_OK;
}

enum outcome scheduler_run(struct scheduler *s, struct err *err)
{
    return service_run(s->service, err);
}

void scheduler_close(struct scheduler *s)
{
    if (!s)
        return;
    kafka_out_close(s->out);
    db_close(s->db);
    for (size_t i = 0; i < LANES; i++)
        mover_free(s->movers[i]);
    expirer_free(s->expirer);
    cleaner_free(s->cleaner);
    partitions_free(s->partitions);
    survey_free(s->survey);
    service_close(s->service);
    free(s);
}
