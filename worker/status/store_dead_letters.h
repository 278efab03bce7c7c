// store_dead_letters.h: what the table dead_letters gets of sms.dead.
#ifndef STORE_DEAD_LETTERS_H
#define STORE_DEAD_LETTERS_H

#include "base.h"
#include "db.h"
#include "wire.h"

// One row. Topic, partition, offset and record_at_us are its key, so a letter that comes
// again is the same row.
struct dead_letter {
    const char *topic;  // of the record that nobody could take
    int32_t partition;
    int64_t offset;
    int64_t record_at_us;  // of that record, wall clock; 0 = it had none
    int64_t buried_at_us;  // of the record in sms.dead
    const char *reason;
    const char *detail;
    const char *program;           // NULL = not told
    unsigned char message_id[16];  // zero = not told
    int32_t client;                // 0 = not told
    bool is_whole;
    struct wire_bytes content_hash;
    struct wire_bytes sealed;
};

// store_dead_letters adds the rows that are not there yet. A letter with the content of
// one that was replayed before it came is linked to that one.
void store_dead_letters(struct db *db, const struct dead_letter *letters, size_t count,
                        db_done *done, void *arg);

#endif
