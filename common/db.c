#include "db.h"

#include "db_internal.h"
#include "reactor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void on_silence_timer(struct db *db)
{
    int64_t silent_us = clock_boot_us() - db->heard_us;

    if (TAILQ_EMPTY(&db->sent))
        silent_us = 0;
    if (silent_us >= db->answer_timeout_us)
        db_lost(db, "the server owes an answer and is silent");
    else
        reactor_timer_set(db->connect_timer, db->answer_timeout_us - silent_us);
}

static void on_connect_timer(void *arg)
{
    struct db *db = arg;

    switch (db->state) {
    case DB_DOWN:
        db_connect(db);
        return;
    case DB_CONNECTING:
        db_lost(db, "the server does not answer while we connect");
        return;
    case DB_UP:
        on_silence_timer(db);
    }
}

static void on_pump_timer(void *arg)
{
    db_pipeline_pump(arg);
}

enum outcome db_open(struct db **out, struct reactor *r, const struct db_settings *set,
                     const char *application_name, struct metrics *metrics,
                     struct err *err)
{
    char *options;
    enum outcome rc = db_options(&options, set->url, err);
    if (rc)
        return rc;

    struct db *db = xcalloc(1, sizeof(*db));
    db->reactor = r;
    db->url = xstrdup(set->url);
    db->options = options;
    db->application_name = xstrdup(application_name);
    db->answer_timeout_us = set->answer_timeout_us;
    db->metrics = db_metrics_new(metrics, application_name);
    db->fd = -1;
    err_set(&db->error, OUTCOME_OK, "not connected yet");
    TAILQ_INIT(&db->waiting);
    TAILQ_INIT(&db->sent);
    TAILQ_INIT(&db->delayed);
    SLIST_INIT(&db->prepared);
    db->connect_timer = reactor_timer_new(r, on_connect_timer, db);
    db->pump_timer = reactor_timer_new(r, on_pump_timer, db);
    db_connect(db);
    *out = db;
    return OUTCOME_OK;
}

static void free_request(struct db_request *request)
{
    for (size_t i = 0; i < request->count; i++)
        db_args_free(request->steps[i].args);
    reactor_timer_free(request->timer);
    PQclear(request->rows);
    free(request->reason);
    free(request);
}

static void free_queue(struct db_queue *queue)
{
    for (struct db_request *request; (request = TAILQ_FIRST(queue));) {
        TAILQ_REMOVE(queue, request, next);
        free_request(request);
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    assert(!db->answering);
    db_disconnect(db);
    reactor_timer_free(db->connect_timer);
    reactor_timer_free(db->pump_timer);
    free_queue(&db->waiting);
    free_queue(&db->sent);
    free_queue(&db->delayed);
    db_pipeline_free(db);
    free(db->url);
    free(db->options);
    free(db->application_name);
    db_metrics_free(db->metrics);
    free(db);
}

bool db_is_up(const struct db *db)
{
    return db->state == DB_UP;
}

size_t db_in_flight(const struct db *db)
{
    return db->in_flight;
}

const char *db_error(const struct db *db)
{
    if (db->state != DB_UP)
        return db->error.text;
    return db->troubled > 0 ? db->trouble.text : "";
}

// Sent from the loop only: a submitter never finds the connection lost under its feet.
static void plan_pump(struct db *db)
{
    if (db->state == DB_UP && db->sent_count < DB_PIPELINE_MAX &&
        !reactor_timer_is_set(db->pump_timer))
        reactor_timer_set(db->pump_timer, 0);
}

void db_requeue(struct db *db, struct db_request *request)
{
    struct db_request *later;

    TAILQ_FOREACH(later, &db->waiting, next)
    if (later->serial > request->serial)
        break;
    if (later)
        TAILQ_INSERT_BEFORE(later, request, next);
    else
        TAILQ_INSERT_TAIL(&db->waiting, request, next);
}

static void on_delay_over(void *arg)
{
    struct db_request *request = arg;
    struct db *db = request->db;

    TAILQ_REMOVE(&db->delayed, request, next);
    db_requeue(db, request);
    plan_pump(db);
}

static void delay(struct db *db, struct db_request *request)
{
    err_set(&db->trouble, OUTCOME_OK, "%s (%s)", request->reason, request->sqlstate);
    if (request->delays == 0)
        db->troubled++;
    if (!request->timer)
        request->timer = reactor_timer_new(db->reactor, on_delay_over, request);
    TAILQ_INSERT_TAIL(&db->delayed, request, next);
    reactor_timer_set(request->timer, db_backoff_us(request->delays++));
}

static void answer(struct db *db, struct db_request *request)
{
    const struct db_result rows = { request->rows };
    bool failed = request->sqlstate[0] != '\0';
    const struct db_answer answer = {
        .rc = failed ? OUTCOME_REJECT : OUTCOME_OK,
        .repeated = request->sends > 1,
        .sqlstate = request->sqlstate,
        .reason = failed ? request->reason : "",
        .rows = failed ? NULL : &rows,
    };

    db_count_answered(request);
    db->in_flight--;
    db_count_in_flight(db);
    if (request->delays > 0)
        db->troubled--;
    db->answering = true;
    request->done(request->arg, &answer);
    db->answering = false;
    free_request(request);
}

void db_finish(struct db *db, struct db_request *request)
{
    if (request->sqlstate[0] && request->again)
        delay(db, request);
    else
        answer(db, request);
}

void db_submit_group(struct db *db, const struct db_statement *const *statements,
                     struct db_args **args, size_t count, db_done *done, void *arg)
{
    struct db_request *request =
        xcalloc(1, sizeof(*request) + count * sizeof(request->steps[0]));

    assert(count > 0);
    request->db = db;
    request->serial = ++db->request_serial;
    request->done = done;
    request->arg = arg;
    request->submitted_us = clock_boot_us();
    request->count = count;
    for (size_t i = 0; i < count; i++) {
        request->steps[i].statement = statements[i];
        request->steps[i].args = args[i];
    }
    TAILQ_INSERT_TAIL(&db->waiting, request, next);
    db->in_flight++;
    db_count_in_flight(db);
    plan_pump(db);
}

void db_submit(struct db *db, const struct db_statement *statement, struct db_args *args,
               db_done *done, void *arg)
{
    db_submit_group(db, &statement, &args, 1, done, arg);
}
