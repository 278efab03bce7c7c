// state_folder.h: worker.state_dir: where the workers of one machine keep what must
// outlive a kill. Each locks the lowest free slot-N in it for its life; the kernel opens
// the lock when the process is gone, however it went. On a local file system: a lock must
// mean what it says.
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "base.h"

struct state_folder;

enum { STATE_SLOTS_MAX = 1000 };

// state_folder_open makes the folder where it is missing, with its parents, and locks a
// slot.
//   OUTCOME_FATAL  it cannot be made or written to, or all slots are in use.
MUST_CHECK enum outcome state_folder_open(struct state_folder **out, const char *path,
                                          struct err *err);

// state_folder_close opens the lock; NULL is accepted.
void state_folder_close(struct state_folder *f);

// Descriptors of the folder and of the own slot, borrowed.
int state_folder_root(const struct state_folder *f);
int state_folder_own(const struct state_folder *f);
int state_folder_number(const struct state_folder *f);  // N of the own slot

// state_folder_has says whether there is a slot of that number: they have no gaps.
bool state_folder_has(const struct state_folder *f, int number);

// state_folder_lock locks the slot of that number, which its worker left, until the
// descriptor is closed. -1: there is none, it is in use, or it is our own.
MUST_CHECK int state_folder_lock(const struct state_folder *f, int number);

#endif
