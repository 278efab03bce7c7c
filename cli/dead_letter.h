// dead_letter.h: opens the sealed content of a row of dead_letters.
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include "base.h"
#include "buf.h"
#include "wire.h"

struct keys;

// Columns as PostgreSQL's texts, borrowed.
struct dead_letter_row {
    const char *topic, *partition, *offset;
    const char *sealed;  // "\x…"; "" = purged
};

struct dead_letter {
    struct sms_dead record;  // its texts and bytes live in memory
    struct wire_memory *memory;
    struct buf foreign;  // the value of a letter that is none
};

// dead_letter_open opens and reads it; of a letter that is none (topic sms.dead) the
// record has only the value. Free it when it is opened.
//   OUTCOME_REJECT  purged, or keys.seal does not open it; the text says which.
MUST_CHECK enum outcome dead_letter_open(struct dead_letter *out,
                                         const struct dead_letter_row *row,
                                         const struct keys *keys, struct err *err);
void dead_letter_free(struct dead_letter *letter);

#endif
