// estate.h: one dead worker's journal, from its reading until PostgreSQL has answered for
// every claim in it. Only takeover.c includes this.
#ifndef ESTATE_H
#define ESTATE_H

#include "base.h"

struct db;
struct estate;
struct journal_origin;
struct metric;
struct reactor;

enum estate_fate { FATE_RECORDED, FATE_IN_DOUBT, FATE_RELEASED, FATE_COUNT };

struct estate_settings {
    struct reactor *loop;  // borrowed, as all here
    struct db *db;
    int64_t late_us;
    struct metric *fates[FATE_COUNT];
    void (*done)(void *arg, struct estate *e);  // resolved, or kept aside: free it
    void (*fail)(void *arg, const char *reason);
    void *arg;
};

// estate_new takes the folder's descriptor, which holds the lock; set is borrowed.
struct estate *estate_new(const struct estate_settings *set, int folder_take,
                          const char *name);
void estate_free(struct estate *e);

// estate_open reads the journal and begins to resolve it.
void estate_open(struct estate *e, const struct journal_origin *here);

#endif
