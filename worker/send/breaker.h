// breaker.h: whether one account, or one sender, may be posted to: a circuit breaker as a
// pure state machine. Times are clock_boot_us, given by the caller. The caller shares the
// state with other workers and gets the permit to probe from them (breakers.h).
#ifndef BREAKER_H
#define BREAKER_H

#include "base.h"

enum {
    BREAKER_WINDOW_S = 10,
    BREAKER_STORM_MIN = 20,           // answers within the window
    BREAKER_UNREACHED_MIN = 5,        // connections that failed within it
    BREAKER_PERMIT_US = 3000000,      // a probe begins within this of asking
    BREAKER_PROBE_LEASE_US = 6000000  // nobody else probes; renewed each second
};

enum breaker_state {
    BREAKER_CLOSED,  // posts flow
    BREAKER_OPEN,    // it stopped by itself; a probe decides when it closes
    BREAKER_OFF,     // somebody stopped it, and nobody else starts it again
};

// What an answer says about the account or the sender, whatever it says of the message.
enum breaker_word {
    BREAKER_NOTHING,    // nothing: the POST was kept back by us
    BREAKER_WELL,       // it works
    BREAKER_REFUSED,    // it is refused, or this is not Twilio: stop at once
    BREAKER_UNREACHED,  // no connection; nothing left us
    BREAKER_DOUBT,  // 5xx, time-out, reset: each may be a message that nobody knows of
};

enum breaker_way { BREAKER_PASS, BREAKER_PROBE, BREAKER_HOLD };

enum breaker_change {
    BREAKER_STAYS,
    BREAKER_OPENS,
    BREAKER_CLOSES,
    BREAKER_FAILS,  // the probe did: open as before, and a longer wait for the next
};

// All zero: closed.
struct breaker {
    enum breaker_state state;
    bool probing;        // a POST is under way as the probe
    int64_t permit_us;   // when the permit in hand was asked for; 0 = none
    int64_t changed_us;  // when the state changed last; 0 = never
    struct breaker_second {
        int64_t second;
        uint32_t answers, unreached, doubts;
    } window[BREAKER_WINDOW_S];
};

// breaker_way says what to do with a job: a probe needs a permit that is young, and no
// other probe under way. It changes nothing: breaker_begin marks the probe.
enum breaker_way breaker_way(const struct breaker *b, int64_t now_us);
void breaker_begin(struct breaker *b);

// breaker_hear takes the word of a POST that began at began_us; is_probe: it was the
// probe. An open breaker hears its probe only; a closed one nothing of what began before
// it closed. It opens at BREAKER_REFUSED, when of at least BREAKER_STORM_MIN answers of
// the window more than half are in doubt, or at least BREAKER_UNREACHED_MIN and more than
// half found no connection.
enum breaker_change breaker_hear(struct breaker *b, enum breaker_word word, bool is_probe,
                                 int64_t began_us, int64_t now_us);

// breaker_set takes the state that others have given it.
void breaker_set(struct breaker *b, enum breaker_state state, int64_t now_us);

#endif
