// letters.h: which dead letters a command is about, and the statements' common part.
#ifndef LETTERS_H
#define LETTERS_H

#include "base.h"
#include "buf.h"

struct call;

enum { LETTERS_VALUES = 8 };

// The filter as parameters $1 to $8 of LETTERS_WHERE.
struct letters_filter {
    const char *values[LETTERS_VALUES];
    bool is_narrow;  // letters or a filter were named, so it is not simply all of them
    struct buf ids, since, until, client;
};

// $1 ids, $2 reason, $3 topic, $4 since, $5 until, $6 message, $7 client, $8 states.
#define LETTERS_WHERE                                                                    \
    " ($1::bigint[] is null or letter_id = any ($1::bigint[]))"                          \
    " and ($2::text is null or reason = $2) and ($3::text is null or topic = $3)"        \
    " and ($4::timestamptz is null or buried_at >= $4::timestamptz)"                     \
    " and ($5::timestamptz is null or buried_at < $5::timestamptz)"                      \
    " and ($6::uuid is null or message_id = $6::uuid)"                                   \
    " and ($7::int is null or client = $7::int) and state = any ($8::text[])"

// letters_filter_read takes the command's arguments as letters, and its filters; states
// is an array of PostgreSQL's: "{waiting,replayed}". Free it in any case.
//   OUTCOME_REJECT  one of them is wrong; the text names it.
MUST_CHECK enum outcome letters_filter_read(struct letters_filter *out,
                                            const struct call *call, const char *states,
                                            struct err *err);
void letters_filter_free(struct letters_filter *f);

// letters_change runs a command that changes letters: it reads the filter, wants it
// narrow or --all, and PostgreSQL in the settings. Returns its exit code, or that of what
// was wrong, which was said.
int letters_change(const struct call *call, const char *states,
                   int (*change)(const struct call *call,
                                 const struct letters_filter *filter));

// letters_states is the array for a value of --state; "any" is all.
const char *letters_states(const char *state);

// letters_time writes a moment: "2h" (so long ago), "2026-11-21", or RFC 3339; false for
// anything else.
MUST_CHECK bool letters_time(struct buf *out, const char *text);

#endif
