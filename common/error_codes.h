// error_codes.h: what to do about each of Twilio's error codes, in memory: the rows of
// the table error_codes. Whoever reads them keeps one pointer; the rows behind it change
// when an operator changes the table (error_watch.h). Belongs to one thread.
#ifndef ERROR_CODES_H
#define ERROR_CODES_H

#include "base.h"

// The words of error_codes.action; ERROR_NONE = no code, or one that nobody knows.
enum error_action {
    ERROR_NONE,
    ERROR_REFUSE,        // final
    ERROR_RETRY,         // a failure worth another try
    ERROR_SLOW_DOWN,     // not processed: later, and slower
    ERROR_STOP_SENDER,   // hold all that has this sender
    ERROR_STOP_ACCOUNT,  // hold all that has this account
    ERROR_UNKNOWN,       // it may have gone out
    ERROR_ACTION_COUNT
};

struct error_code {
    int32_t code;
    enum error_action action;
    int32_t least_wait_s;  // 0 = the back-off alone
    int32_t tries_max;     // 0 = the class's alone
    bool opt_out;          // the recipient wants no more
    const char *meaning;   // a sentence
    const char *advice;    // a sentence
};

struct error_codes;

struct error_codes *error_codes_new(void);
void error_codes_free(struct error_codes *codes);

// error_codes_replace takes count rows, sorted by code, for those before; texts are
// copied. What error_codes_find returned before is gone.
void error_codes_replace(struct error_codes *codes, const struct error_code *rows,
                         size_t count);

// error_codes_find returns the row, or NULL. Borrowed until the next replace.
const struct error_code *error_codes_find(const struct error_codes *codes, int32_t code);
size_t error_codes_count(const struct error_codes *codes);

// error_action_name is the word in the table; "none" for ERROR_NONE.
// error_action_find is ERROR_NONE for any other word.
const char *error_action_name(enum error_action action);
enum error_action error_action_find(const char *word);

#endif
