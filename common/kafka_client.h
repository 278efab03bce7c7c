// kafka_client.h: what kafka_in and kafka_out share: the librdkafka handle, its event
// queue on the reactor, and whether a broker answers. Only those two include it.
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include "base.h"
#include "reactor.h"

#include <librdkafka/rdkafka.h>

struct metric;
struct metrics;

struct kafka_client {
    struct reactor *reactor;  // this and the next two: set them before opening
    reactor_fn *on_events;    // a watched queue got its first element
    void *arg;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;  // events; for a consumer also the group's
    int eventfd;
    bool broker_answers;
    bool is_fatal;      // librdkafka gave up; reason says why
    char reason[256];   // of the latest error since a broker answers; may be ""
    bool is_cause;      // it says why a connection failed, not only that all did
    int64_t logged_us;  // when the reason was last logged
    bool has_answered;  // ever
    struct metric *up, *reconnects, *errors;  // NULL = not measured
};

// kafka_client_measure declares smsq_kafka_up and what goes with it; name is the label.
void kafka_client_measure(struct kafka_client *c, struct metrics *m, const char *name);

// kafka_client_open takes conf, also when it fails. on_events(arg) runs from the loop;
// drain the watched queues until NULL then, or it will not run again.
//   OUTCOME_FATAL  librdkafka cannot start: a contradiction in the properties, a key file
//                  that cannot be read.
MUST_CHECK enum outcome kafka_client_open_take(struct kafka_client *c,
                                               rd_kafka_type_t type,
                                               rd_kafka_conf_t *conf, struct err *err);

// kafka_client_watch lets on_events run for one more queue, until kafka_client_unwatch.
void kafka_client_watch(struct kafka_client *c, rd_kafka_queue_t *queue);
void kafka_client_unwatch(rd_kafka_queue_t *queue);

// kafka_client_take uses an event about logs, errors or statistics; it stays the
// caller's. Other events are ignored.
void kafka_client_take(struct kafka_client *c, rd_kafka_event_t *event);

// kafka_client_answered says that a broker did what it was asked to do.
void kafka_client_answered(struct kafka_client *c);

// kafka_client_error says what is wrong, or NULL. Borrowed until the next event.
const char *kafka_client_error(const struct kafka_client *c);

// kafka_client_unhook ends the events. kafka_client_destroy then frees the handle and
// waits at most wait_ms: what librdkafka has not finished by then ends with the process.
void kafka_client_unhook(struct kafka_client *c);
void kafka_client_destroy(struct kafka_client *c, int64_t wait_ms);

#endif
