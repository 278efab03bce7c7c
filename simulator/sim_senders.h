// sim_senders.h: the queue of each sender: how many segments it hands over in a second,
// how long that makes the next message wait, and which of a service's senders is next.
// A queue needs no memory for what is in it: with a constant rate the time at which a
// message leaves is known when it enters.
#ifndef SIM_SENDERS_H
#define SIM_SENDERS_H

#include "sim_message.h"

struct sim_senders;
struct sim_store;

// Segments per second by the kind of sender; 0 = no limit. Twilio's own are in
// docs/simulator.md.
struct sim_senders_rates {
    int64_t long_code;         // a number with +1 to a recipient with +1
    int64_t long_code_abroad;  // any other pair of numbers
    int64_t toll_free, short_code, alphanumeric, whatsapp;
    int64_t wait_max_us;   // the queue is full when the next would wait longer
    int64_t segments_day;  // per sender from midnight to midnight, UTC-8; 0 = no limit
};

enum sim_senders_verdict {
    SIM_SENDERS_LEAVES,   // at *start_us; that much of the sender's time is taken
    SIM_SENDERS_FULL,     // the queue holds wait_max_us of segments already
    SIM_SENDERS_EXPIRES,  // it would wait longer than the message is valid
    SIM_SENDERS_CAPPED,   // the day's segments are used up
};

// sim_senders_new borrows store, in which the messages are.
struct sim_senders *sim_senders_new(const struct sim_store *store);
void sim_senders_free(struct sim_senders *s);

// sim_senders_clear empties all queues; goes with sim_store_clear.
void sim_senders_clear(struct sim_senders *s);

// sim_senders_set_rates counts for messages that enter from now on.
void sim_senders_set_rates(struct sim_senders *s, const struct sim_senders_rates *rates);

// sim_senders_enter puts m, whose sender is known, into its queue at at_us; its sender's
// text is borrowed until clear. valid_us is how long it may wait.
enum sim_senders_verdict sim_senders_enter(struct sim_senders *s,
                                           const struct sim_message *m, int64_t at_us,
                                           int64_t valid_us, int64_t *start_us);

// sim_senders_has_room tells whether a message of that many segments could enter.
bool sim_senders_has_room(const struct sim_senders *s, const char *from, const char *to,
                          int segments, int64_t at_us);

// sim_senders_pick chooses for m among pool: the sender that this recipient had last from
// the same service, else the one whose queue is shortest, the first of equals that was
// not picked for longest.
const char *sim_senders_pick(struct sim_senders *s, const struct sim_message *m,
                             const char *const *pool, size_t count, int64_t at_us);

#endif
