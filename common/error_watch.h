// error_watch.h: keeps error_codes as the table is: reads it at the start and looks every
// two seconds whether it has changed. Logs error_codes_loaded.
#ifndef ERROR_WATCH_H
#define ERROR_WATCH_H

#include "base.h"

struct db;
struct error_codes;
struct error_watch;
struct reactor;

struct error_watch_settings {
    struct reactor *reactor;
    struct db *db;              // borrowed; closed before the watch is freed
    void (*loaded)(void *arg);  // the first rows are there
    // PostgreSQL refuses the statement: the schema or a right is missing.
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

struct error_watch *error_watch_new(const struct error_watch_settings *set);
void error_watch_free(struct error_watch *w);

// error_watch_codes is empty before loaded; the pointer stays good until the free.
const struct error_codes *error_watch_codes(const struct error_watch *w);
bool error_watch_is_loaded(const struct error_watch *w);

#endif
