// journal_file.h: the journal as it stands on disk, for journal.c and journal_read.c. One
// file per life of a worker: a header of HEADER_BYTES, then slots. Where magic, version
// and epochs stand never changes: a newer version reads them of an older one.
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

#include "sid.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JOURNAL_MAGIC "smsqjrnl"

enum {
    JOURNAL_VERSION = 1,
    JOURNAL_EPOCHS_MAX = 64,
    JOURNAL_HEADER_BYTES = 4096,
    JOURNAL_EPOCHS_AT = 1024,
    JOURNAL_SLOT_BYTES = 256,
};

enum journal_state {
    JOURNAL_FREE = 0,
    JOURNAL_BEGUN = 0x42474e42,  // one flipped bit is none of them
    JOURNAL_ANSWERED = 0x414e5341,
};

// Who wrote it: only on the same boot of the same machine is the page cache what the
// process left, and only in the same database do its claims stand.
struct journal_origin {
    char boot_id[40];
    char host[72];
    char database[80];  // "" = not known yet: nothing was claimed
};

struct journal_epoch {
    int64_t epoch;  // 0 = none
    uint64_t check;
};

struct journal_header {
    char magic[8];
    uint32_t version, slot_bytes, slot_count, reserved;
    struct journal_origin origin;
    uint64_t check;  // of all before
    unsigned char pad[JOURNAL_EPOCHS_AT - 224];
    struct journal_epoch epochs[JOURNAL_EPOCHS_MAX];
    _Atomic uint32_t parsing_lane;  // of the record that is parsed, + 1; 0 = none
    int32_t parsing_partition;
    int64_t parsing_offset;
    unsigned char
        more_pad[JOURNAL_HEADER_BYTES - JOURNAL_EPOCHS_AT - 16 * JOURNAL_EPOCHS_MAX - 16];
};

// What a POST came to, as store_claims.h tells it; "" stands for NULL.
struct journal_answer {
    int64_t due_us, answered_us, estimate_micros, epoch, claimed_us, posted_us;
    int32_t rank, http_status, error_code, segments, failures;
    char status[24], outcome[16], sid[SID_TEXT_BYTES + 1], currency[4], rate_note[16],
        mode[12], reason[16], decision[16];
};

// Written in this order: key and its check, then state BEGUN; answer and its check, then
// ANSWERED; FREE. A process that is killed leaves every earlier store in the page cache,
// so the state never says more than what stands there.
struct journal_slot {
    _Atomic uint32_t state;
    int32_t turn;
    unsigned char message_id[16];
    uint64_t key_check;
    struct journal_answer answer;
    uint64_t answer_check;
    unsigned char pad[JOURNAL_SLOT_BYTES - 40 - sizeof(struct journal_answer)];
};

_Static_assert(sizeof(struct journal_header) == JOURNAL_HEADER_BYTES, "fixed layout");
_Static_assert(offsetof(struct journal_header, epochs) == JOURNAL_EPOCHS_AT,
               "fixed layout");
_Static_assert(sizeof(struct journal_slot) == JOURNAL_SLOT_BYTES, "fixed layout");

// journal_check is a checksum of whole words, len a multiple of 8: no single word can
// change without it.
static inline uint64_t journal_check(const void *bytes, size_t len, uint64_t seed)
{
    const unsigned char *from = bytes;
    uint64_t sum = seed, factor = UINT64_C(0x9e3779b97f4a7c15);

    for (size_t i = 0; i < len; i += 8, factor += UINT64_C(0x632be59bd9b4e01a)) {
        uint64_t word;
        memcpy(&word, from + i, sizeof(word));
        sum += (word + 1) * factor;  // the factors are odd
    }
    return sum;
}

static inline uint64_t journal_key_check(const struct journal_slot *slot)
{
    return journal_check(slot->message_id, sizeof(slot->message_id),
                         (uint64_t)(uint32_t)slot->turn + 1);
}

static inline uint64_t journal_epoch_check(int64_t epoch)
{
    return journal_check(&epoch, sizeof(epoch), 1);
}

#endif
