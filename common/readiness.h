// readiness.h: whether a program could do its work now, part by part: what it needs, and
// what is wrong with what is missing.
#ifndef READINESS_H
#define READINESS_H

#include "base.h"

struct buf;
struct db;
struct kafka_in;
struct kafka_out;

enum { READINESS_PARTS_MAX = 24 };

struct readiness {
    size_t count;
    struct {
        const char *name;  // "kafka", "postgresql", "twilio": a literal
        struct err why;    // empty = there
    } parts[READINESS_PARTS_MAX];
};

// readiness_part adds a part; why is a sentence, NULL or "" when it is there. It is
// copied.
void readiness_part(struct readiness *r, const char *name, const char *why);

// readiness_kafka_out, readiness_kafka_in and readiness_db add what such a connection
// says. A database that repeats statements because of an error is missing too.
void readiness_kafka_out(struct readiness *r, const char *name,
                         const struct kafka_out *out);
void readiness_kafka_in(struct readiness *r, const char *name, const struct kafka_in *in);
void readiness_db(struct readiness *r, const char *name, const struct db *db);

// readiness_missing returns the sentence about the first part that is missing, or NULL.
const char *readiness_missing(const struct readiness *r);

// readiness_json appends {"ready":…,"reason":…,"parts":[{"part":…,"ready":…,"reason":…}]}
// and a line end; reason stands only where something is missing.
void readiness_json(const struct readiness *r, struct buf *out);

#endif
