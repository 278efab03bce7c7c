// sim_faults.h: what goes wrong on purpose. A rule says what happens (a kind, with its
// parameters) and when: to which messages, from the how-manieth on, how often, how
// likely. A To number out of a small range stands for a kind by itself. Every decision
// depends on the seed and on the place of the request or message in the order of arrival,
// never on time.
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim_message.h"

struct buf;
struct form;
struct sim_faults;

enum sim_fault_kind {
    SIM_FAULT_SLOW,
    SIM_FAULT_HANG,
    SIM_FAULT_CUT,
    SIM_FAULT_RESET,
    SIM_FAULT_CUT_REUSED,
    SIM_FAULT_ERROR,
    SIM_FAULT_HTML,
    SIM_FAULT_MALFORMED,
    SIM_FAULT_TRUNCATED,
    SIM_FAULT_HUGE,
    SIM_FAULT_WRONG_TYPE,
    SIM_FAULT_NO_SID,
    SIM_FAULT_REDIRECT,
    SIM_FAULT_OVERTAKEN,
    SIM_FAULT_EMPTY_LIST,
    SIM_FAULT_LOST,
    SIM_FAULT_LATE,
    SIM_FAULT_REPEATED,
    SIM_FAULT_WRONG_SIGNATURE,
    SIM_FAULT_UNREACHABLE,
    SIM_FAULT_UNHEARD,
    SIM_FAULT_REORDERED,
    SIM_FAULT_FAILED,
    SIM_FAULT_UNDELIVERED,
    SIM_FAULT_STUCK,
    SIM_FAULT_KINDS
};

// What a rule looks at. A kind belongs to requests, to callbacks, or to messages.
enum sim_fault_on {
    SIM_FAULT_ON_CREATE = 1,
    SIM_FAULT_ON_FETCH = 2,
    SIM_FAULT_ON_LIST = 4,
    SIM_FAULT_ON_REQUEST = 7,  // any of these three
    SIM_FAULT_ON_CALLBACK = 8,
    SIM_FAULT_ON_MESSAGE = 16,  // decided once, when it is accepted
};

enum {
    SIM_FAULTS_RULES_MAX = 256,
    SIM_FAULTS_TEXT_BYTES = 64,
    SIM_FAULTS_BYTES_MAX = 256 << 20,
};

struct sim_fault {
    enum sim_fault_kind kind;
    unsigned on;       // enum sim_fault_on, one or more
    int64_t delay_us;  // SLOW, HANG, OVERTAKEN (at most), LATE
    int status;        // ERROR, HTML: of HTTP
    int code;          // ERROR, FAILED, UNDELIVERED: Twilio's; 0 = that of the status
    bool accepts;      // a create is accepted and billed all the same
    int64_t bytes;     // HUGE
    int64_t retry_after_s;  // ERROR: the header; 0 = none
    int times;              // REPEATED: how often; UNREACHABLE, UNHEARD: tries that fail
};

// Who a decision is about; NULL matches only rules that do not ask.
struct sim_fault_subject {
    enum sim_fault_on on;
    const char *to, *from, *account;
    const char *status;  // of a callback
    bool is_reused;      // its connection had an answer before
    uint64_t ordinal;    // place in the order of arrival, of this sort of decision
};

// sim_faults_new: seed is copied, and never empty.
struct sim_faults *sim_faults_new(const char *seed);
void sim_faults_free(struct sim_faults *f);

// sim_faults_find returns the fault that bites, which is counted, or NULL; borrowed until
// rules change. A magic number comes first, then the rules in their order.
const struct sim_fault *sim_faults_find(struct sim_faults *f,
                                        const struct sim_fault_subject *subject);

// sim_faults_add makes a rule of a form: kind, and any of on, probability, to, from,
// account, status_is, nth, count, delay, status, error_code, accepts, bytes, retry_after,
// times.
//   OUTCOME_REJECT  the text names the parameter that is wrong.
MUST_CHECK enum outcome sim_faults_add(struct sim_faults *f, const struct form *form,
                                       struct err *err);

// sim_faults_add_all makes rules of a setting: forms with blanks between them.
MUST_CHECK enum outcome sim_faults_add_all(struct sim_faults *f, const char *text,
                                           struct err *err);

// sim_faults_remove removes the rule of that id, all for 0. Returns false if none has it.
bool sim_faults_remove(struct sim_faults *f, uint32_t id);

// sim_faults_clear sets all counts to zero; rules stay.
void sim_faults_clear(struct sim_faults *f);

// sim_faults_render appends kinds and rules, with how often each was seen and bit.
void sim_faults_render(const struct sim_faults *f, struct buf *out);

// sim_faults_dice mixes seed, what and ordinal into a number that looks random.
uint64_t sim_faults_dice(const struct sim_faults *f, uint64_t what, uint64_t ordinal);

#endif
