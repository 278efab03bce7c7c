// sweep_ask.h: asks Twilio about the attempts of one slice: one by one, or, when many are
// missing, by pages of its list of their time. Used by the sweeps only.
#ifndef SWEEP_ASK_H
#define SWEEP_ASK_H

#include "base.h"
#include "provider.h"
#include "store_receipts.h"
#include "turn_key.h"

// One attempt that is asked about, and what was told.
struct sweep_taken {
    struct turn_key key;
    char sid[SID_TEXT_BYTES], word[33], currency[4];  // sid "": there is nothing to ask
    char mode[12];
    int32_t stage;
    int64_t at_us;                   // when it was posted, as far as is known
    bool simulated, waits, is_open;  // is_open: still on its way
    bool is_answered;
    struct receipt fact;
    bool has_fact, has_price;
    int64_t price_micros;
    int32_t segments;
};

struct sweep_ask;

struct sweep_ask_settings {
    struct provider *provider;
    enum provider_share share;
    bool may_list;              // all of one line
    bool at_last;               // nobody asks about them later
    struct sweep_taken *taken;  // stays where it is until done
    size_t count;
};

// failures: how many got no answer that says anything; answers: how many did.
typedef void sweep_ask_done(void *arg, size_t answers, size_t failures);

// sweep_ask_begin calls done once, later, unless there is nothing to ask: then it returns
// NULL. done frees it with sweep_ask_free; else it must outlive the provider.
struct sweep_ask *sweep_ask_begin(const struct sweep_ask_settings *set,
                                  sweep_ask_done *done, void *arg);
void sweep_ask_free(struct sweep_ask *ask);

#endif
