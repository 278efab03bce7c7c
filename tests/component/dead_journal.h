// dead_journal.h: the journal that a worker leaves when it is killed, made by the code
// that workers run; and changes of its bytes.
#ifndef DEAD_JOURNAL_H
#define DEAD_JOURNAL_H

#include "base.h"
#include "journal.h"
#include "journal_file.h"
#include "state_folder.h"
#include "store_claims.h"
#include "wire.h"

struct dead_journal {
    struct state_folder *folder;
    struct journal *journal;
    char path[200];  // of the file
};

enum { DEAD_JOURNAL_SLOTS = 8 };

// dead_journal_open takes a slot of the state folder, as a worker does.
void dead_journal_open(struct dead_journal *d, const char *state_dir);

// Each takes a slot for a POST of that turn.
struct journal_slot *dead_journal_begin(struct dead_journal *d,
                                        const unsigned char id[16], int32_t turn);
void dead_journal_answer(struct dead_journal *d, const struct send_outcome *outcome,
                         bool begun);

// dead_journal_kill: the process is gone, the file stands.
void dead_journal_kill(struct dead_journal *d);

// dead_journal_patch writes over the file's bytes; dead_journal_reseal makes its header
// whole again.
void dead_journal_patch(const char *path, size_t at, const void *bytes, size_t len);
void dead_journal_reseal(const char *path);

// dead_journal_accepted is what a POST of that turn may have come to.
struct send_outcome dead_journal_accepted(const unsigned char id[16], int32_t turn,
                                          const char *sid);

#endif
