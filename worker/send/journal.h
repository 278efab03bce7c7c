// journal.h: what this worker's POSTs stand at, in a mapped file that outlives a kill: a
// slot per POST, free, begun, answered, and free again once PostgreSQL has committed what
// it came to. So whoever finds the file later (takeover.h) knows of each claim whether
// its POST may have left. Writing is some stores to memory: no system call. Belongs to
// one thread.
#ifndef JOURNAL_H
#define JOURNAL_H

#include "base.h"

struct journal;
struct journal_slot;
struct send_outcome;
struct sms_job;

#define JOURNAL_PREFIX "journal-"  // of the names of journals in a slot's folder

// journal_open makes a journal with so many slots in the folder, and takes all of its
// space on the disk.
//   OUTCOME_FATAL  the file cannot be made, or the disk is full.
MUST_CHECK enum outcome journal_open(struct journal **out, int folder, size_t slots,
                                     struct err *err);

// journal_close deletes the file if nothing_held, and no slot is in use; otherwise it
// stays for the next worker. NULL is accepted, as by all here.
void journal_close(struct journal *j, bool nothing_held);

const char *journal_name(const struct journal *j);

// journal_set_database notes which database all claims stand in (store_takeover.h); call
// it before the first claim. journal_set_epoch notes an epoch before its first claim; the
// journal knows of the latest 64.
void journal_set_database(struct journal *j, const char *database);
void journal_set_epoch(struct journal *j, int64_t epoch);

// journal_take returns a slot for one POST, or NULL when none is free; without a journal
// there are always some, and they are NULL. A slot that was taken still reads as free.
size_t journal_free_slots(const struct journal *j);
size_t journal_used_slots(const struct journal *j);
MUST_CHECK struct journal_slot *journal_take(struct journal *j);

// journal_begin says that the POST of this turn may leave from now on; journal_answer
// what it came to, also when it never left. journal_give_back frees the slot: PostgreSQL
// has the result. All accept a NULL slot.
void journal_begin(struct journal_slot *slot, const struct sms_job *sms);
void journal_answer(struct journal_slot *slot, const struct send_outcome *outcome);
void journal_give_back(struct journal *j, struct journal_slot *slot);

// journal_parsing says which record is parsed right now; journal_parsed that it is over.
void journal_parsing(struct journal *j, int lane, int32_t partition, int64_t offset);
void journal_parsed(struct journal *j);

#endif
