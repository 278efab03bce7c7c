// pg.h: a private PostgreSQL server for one component test: its own temporary folder,
// a unix socket and no port. It dies with the test. fsync is off: a restart loses
// nothing, only a crash of the machine would. What goes wrong fails the test.
#ifndef PG_H
#define PG_H

#include "base.h"

struct pg;

enum pg_schema {
    PG_EMPTY,     // nothing in it
    PG_MIGRATED,  // migrations/ deployed, in the order of its plan
};

// pg_start makes the server and returns when it takes connections. pg_stop ends it and
// removes the folder; NULL is accepted.
struct pg *pg_start(enum pg_schema schema);
void pg_stop(struct pg *pg);

// pg_url is the connection string of a superuser, borrowed until pg_stop.
const char *pg_url(const struct pg *pg);

// pg_down ends the server: PG_FAST rolls back and says good-bye, PG_IMMEDIATE is a
// crash. pg_up starts it again. pg_restart does both.
enum pg_mode { PG_FAST, PG_IMMEDIATE };
void pg_down(struct pg *pg, enum pg_mode mode);
void pg_up(struct pg *pg);
void pg_restart(struct pg *pg, enum pg_mode mode);

// pg_exec runs statements in a session of its own. pg_int and pg_text return the first
// column of the first row, which must exist; the caller frees the text.
void pg_exec(struct pg *pg, const char *sql);
int64_t pg_int(struct pg *pg, const char *sql);
char *pg_text(struct pg *pg, const char *sql);

#endif
