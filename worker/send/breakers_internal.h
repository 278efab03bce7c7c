// breakers_internal.h: what breakers.c and breakers_sync.c share.
#ifndef BREAKERS_INTERNAL_H
#define BREAKERS_INTERNAL_H

#include "breaker.h"
#include "breakers.h"
#include "store_switches.h"

#include <sys/queue.h>

enum switch_scope { SCOPE_ACCOUNT, SCOPE_SENDER, SCOPE_CLASS };

// One row of the table, as this worker knows it.
struct breaker_entry {
    LIST_ENTRY(breaker_entry) next;  // of a sender
    struct breakers *owner;
    enum switch_scope scope;
    char name[SWITCH_NAME_BYTES];
    char shown[SWITCH_NAME_BYTES];  // for logs: of a number the last three digits
    struct breaker machine;         // of emergency-only: BREAKER_OFF while it is on
    struct err why;
    int64_t since_us;     // boot clock, of the state
    int64_t probe_at_us;  // boot clock, about: when the next probe may go
    bool is_wanted;       // a job is here that could be the probe
    int64_t idle_us;      // since when the permit was not used; 0 = there is none
    int64_t rests_us;     // until then others may try to probe
    int64_t nonce;        // names our permit
    int64_t asked_us;     // when the permit was asked for; 0 = no question under way
    size_t writes;        // not answered yet
    int64_t settled_us;   // what was read before is older than what we know
    bool is_seen;         // in the rows that were read last
};

struct breakers {
    struct breakers_settings set;
    struct breaker_entry twilio, simulator, emergency_only;
    LIST_HEAD(, breaker_entry) senders;  // only those that were stopped
    struct reactor_timer *beat;
    int64_t read_us;  // when the rows that are awaited were asked for
    bool is_known;    // the table was read once
    char changed_by[300];
    struct metric *open[3], *senders_stopped, *opened[2];
};

// The account of this installation, without which nothing is read.
struct breaker_entry *breakers_main(const struct breakers *b);

// breakers_sender finds a sender that is, or was just, stopped; NULL = none such.
// breakers_add_sender makes one.
struct breaker_entry *breakers_sender(const struct breakers *b, const char *sender);
struct breaker_entry *breakers_add_sender(struct breakers *b, const char *name);

// breakers_tell_opened writes that this worker opened the breaker (is_new), or that its
// probe failed; breakers_tell_closed that its probe went well.
void breakers_tell_opened(struct breaker_entry *e, const struct twilio_answer *answer,
                          bool is_new);
void breakers_tell_closed(struct breaker_entry *e);

void breakers_beat(void *arg);

#endif
