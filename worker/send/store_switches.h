// store_switches.h: the table of what holds messages back, shared by all workers. Each is
// one statement that may run twice and ignores what comes late; done runs as db.h says.
// Texts are borrowed for the call only.
#ifndef STORE_SWITCHES_H
#define STORE_SWITCHES_H

#include "base.h"
#include "db.h"

enum { SWITCH_NAME_BYTES = 128 };

// A row that holds something back; texts are borrowed from the answer.
struct switch_row {
    const char *name;     // "account/twilio", "sender/+1…", "emergency_only"
    const char *state;    // "open", "off" or "on"
    const char *reason;   // a sentence, "" = none
    int64_t age_us;       // for how long it has stood so
    int64_t probe_in_us;  // until the next probe; 0 or less: now
    int32_t code;         // Twilio's, 0 = none
};

// store_switches_read asks for all rows that are not closed.
void store_switches_read(struct db *db, db_done *done, void *arg);
void store_switches_row(struct switch_row *out, const struct db_result *rows, size_t row);

// What a worker has to say about a breaker.
struct switch_word {
    const char *name;
    const char *scope;  // "account" or "sender"
    const char *reason;
    int32_t code;         // 0 = none
    int32_t http_status;  // likewise
    int64_t prober;       // 63 random bits of the permit
    const char *changed_by;
};

// store_switch_open opens it if it is closed, or if this prober held the permit: then the
// probe has failed. The next probe comes the later the more often that happened.
void store_switch_open(struct db *db, const struct switch_word *word, db_done *done,
                       void *arg);

// store_switch_close closes it if this prober holds the permit.
void store_switch_close(struct db *db, const struct switch_word *word, db_done *done,
                        void *arg);

// store_switch_probe asks for the permit, or prolongs it: a row back = granted for
// lease_us. With lease_us 0 it is given back.
void store_switch_probe(struct db *db, const char *name, int64_t prober, int64_t lease_us,
                        db_done *done, void *arg);

#endif
