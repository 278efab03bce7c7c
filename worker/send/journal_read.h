// journal_read.h: the journal that a dead worker left, read into memory.
#ifndef JOURNAL_READ_H
#define JOURNAL_READ_H

#include "base.h"
#include "journal_file.h"
#include "store_claims.h"
#include "turn_key.h"

struct journal_image {
    bool proves;        // what is not in it never began
    const char *doubt;  // why not, a few words; else NULL
    bool is_foreign;    // of another database, or torn: its claims may stand elsewhere
    int64_t epochs[JOURNAL_EPOCHS_MAX];  // of its claims; 0 of them: it claimed nothing
    size_t epoch_count;
    // Only if it proves: sorted by message and turn; keys holds begun and answered.
    struct turn_key *keys, *begun;
    struct send_outcome *answered;  // its texts are borrowed from bytes
    size_t key_count, begun_count, answered_count;
    char *bytes;
};

// journal_read reads the file of that name and judges it: here says who reads it. A torn
// header, another version, boot, host or database prove nothing; nor does a slot whose
// key is torn. A torn answer is none: begun.
//   OUTCOME_RETRY  it cannot be read.
MUST_CHECK enum outcome journal_read(struct journal_image *out, int folder,
                                     const char *name, const struct journal_origin *here,
                                     struct err *err);
void journal_image_free(struct journal_image *image);

struct journal_parsed_record {
    int lane;
    int32_t partition;
    int64_t offset;
};

// journal_take_parsing tells which record the dead worker was parsing, only once: it is
// struck out of the file.
MUST_CHECK bool journal_take_parsing(struct journal_parsed_record *out, int folder,
                                     const char *name);

#endif
