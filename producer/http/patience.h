// patience.h: requests that wait for PostgreSQL. One that waits too long gets 503 with
// Retry-After: its sender has given up by then, and must not find a message sent later.
#ifndef PATIENCE_H
#define PATIENCE_H

#include "base.h"

#include <sys/queue.h>

struct http_request;
struct patience;
struct reactor;

// The first member of whatever waits, which xcalloc made.
struct patient {
    TAILQ_ENTRY(patient) next;
    struct http_request *req;  // NULL once it was answered here
    int64_t until_us;          // clock_boot_us
};

struct patience *patience_new(struct reactor *r, int64_t wait_us);

// patience_free frees all that still waits too: nobody will end it any more.
void patience_free(struct patience *p);

// patience_begin puts req on the list; call it before the statement is submitted.
void patience_begin(struct patience *p, struct patient *one, struct http_request *req);

// patience_end takes it from the list when PostgreSQL has answered, and leaves it to the
// caller. Returns false when the request was answered here.
MUST_CHECK bool patience_end(struct patience *p, struct patient *one);

// patience_refuse answers 503: PostgreSQL is away.
void patience_refuse(struct http_request *req);

#endif
