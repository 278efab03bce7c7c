// db_internal.h: what the files of db share. A request is in one of three lists:
// waiting (for a connection, or for room in the pipeline), sent, or delayed (it met an
// error that another run may not meet). db.c owns the requests, db_connect.c brings the
// connection up again and again, db_pipeline.c sends and reads.
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db.h"
#include "db_args_internal.h"

#include <libpq-fe.h>
#include <sys/queue.h>

struct db_metrics;
struct metrics;
struct reactor_timer;

enum {
    DB_PIPELINE_MAX = 16,  // requests sent and not answered; the rest waits with us
    DB_SQLSTATE_BYTES = 6,
};

struct db_result {
    PGresult *pg;
};

struct db_step {
    const struct db_statement *statement;
    struct db_args *args;
    struct db_prepared *prepared;
    uint64_t serial;  // of prepared when this step was sent
    bool parsing;     // an answer to its preparation comes first
};

struct db_request {
    struct db *db;
    TAILQ_ENTRY(db_request) next;
    uint64_t serial;  // order of submission
    db_done *done;
    void *arg;
    int64_t submitted_us;
    unsigned sends, delays;
    struct reactor_timer *timer;       // while delayed; NULL before the first time
    size_t at;                         // step whose answer comes next
    PGresult *rows;                    // of the latest step
    bool again;                        // the error is worth a repeat
    char sqlstate[DB_SQLSTATE_BYTES];  // "" unless this run failed
    char *reason;
    size_t count;
    struct db_step steps[];
};

TAILQ_HEAD(db_queue, db_request);

enum db_state { DB_DOWN, DB_CONNECTING, DB_UP };

struct db {
    struct reactor *reactor;
    char *url, *options, *application_name;
    int64_t answer_timeout_us;
    struct db_metrics *metrics;  // NULL = not measured

    enum db_state state;
    PGconn *conn;                         // NULL while down
    int fd;                               // watched socket, -1 = none
    uint32_t events;                      // it is watched for
    unsigned connect_tries;               // since the connection last proved good
    unsigned connect_count;               // successful ones
    int64_t up_us, heard_us;              // boot clock
    struct err error;                     // why it is down
    struct reactor_timer *connect_timer;  // down: next try; else: patience ends

    struct db_queue waiting, sent, delayed;
    size_t in_flight;   // in all three
    size_t sent_count;  // in sent
    size_t troubled;    // unanswered requests that were delayed at least once
    struct err trouble;
    uint64_t request_serial, prepared_serial;
    SLIST_HEAD(, db_prepared) prepared;
    struct reactor_timer *pump_timer;
    bool answering;  // inside done
};

// db_connect starts to connect; db_lost gives the connection up, for the reason why,
// queues what was sent again and plans the next try.
void db_connect(struct db *db);
void db_lost(struct db *db, const char *why);
void db_disconnect(struct db *db);

// db_options makes the session settings, with those of url behind; the caller frees.
//   OUTCOME_REJECT  url is malformed.
MUST_CHECK enum outcome db_options(char **out, const char *url, struct err *err);

// db_backoff_us is the full jitter before try number tries, counted from 0.
int64_t db_backoff_us(unsigned tries);

// db_pipeline_start begins to read and to send on a fresh connection; db_pipeline_pump
// sends what waits. db_pipeline_free forgets what was prepared.
void db_pipeline_start(struct db *db);
void db_pipeline_pump(struct db *db);
void db_pipeline_free(struct db *db);

// db_metrics_new declares the smsq_db_ series; NULL gives NULL. The others count what
// happened to the connection and to a request.
struct db_metrics *db_metrics_new(struct metrics *m, const char *application_name);
void db_metrics_free(struct db_metrics *dm);
void db_count_up(const struct db *db);
void db_count_in_flight(const struct db *db);
void db_count_sent(const struct db_request *request);
void db_count_answered(const struct db_request *request);

// db_requeue puts an unanswered request back into its place in waiting.
void db_requeue(struct db *db, struct db_request *request);

// db_finish calls done, or delays the request when the error is worth a repeat.
void db_finish(struct db *db, struct db_request *request);

#endif
