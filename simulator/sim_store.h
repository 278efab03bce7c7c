// sim_store.h: all messages that were accepted, in memory, by number and by recipient.
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "sim_message.h"

struct sim_store;

struct sim_store *sim_store_new(void);
void sim_store_free(struct sim_store *s);

// sim_store_clear forgets every message; numbers begin with 1 again.
void sim_store_clear(struct sim_store *s);

// sim_store_add copies the draft's texts. The message stays where it is until clear.
struct sim_message *sim_store_add(struct sim_store *s, const struct sim_draft *draft,
                                  int64_t now_us);

// sim_store_get returns NULL for a number that was not given yet.
struct sim_message *sim_store_get(const struct sim_store *s, uint32_t number);

uint32_t sim_store_count(const struct sim_store *s);

// sim_store_newest_to returns the number of the newest message to that phone, or 0;
// its older_to leads on.
uint32_t sim_store_newest_to(const struct sim_store *s, const char *to);

#endif
