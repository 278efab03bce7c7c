// pg_relay.h: stands between a program and the PostgreSQL of a test, on a unix socket of
// its own, and loses an answer on order.
#ifndef PG_RELAY_H
#define PG_RELAY_H

#include "base.h"

struct pg;
struct pg_relay;

struct pg_relay *pg_relay_open(struct pg *pg);
void pg_relay_close(struct pg_relay *r);

// pg_relay_url is a connection string through the relay, borrowed.
const char *pg_relay_url(const struct pg_relay *r);

// pg_relay_lose waits until no line owes an answer and none has had traffic for a moment;
// the next answer to a statement of this name (db.h) is thrown away and its line is cut.
// pg_relay_lost counts how often it happened. The name is borrowed.
void pg_relay_lose(struct pg_relay *r, const char *statement);
size_t pg_relay_lost(struct pg_relay *r);

#endif
