// keeper.h: what of a worker outlives a kill: its folder, its journal, and the search for
// what others left (takeover.h).
#ifndef KEEPER_H
#define KEEPER_H

#include "base.h"

struct crash_notes;
struct db;
struct journal;
struct keeper;
struct metrics;
struct reactor;

// keeper_open locks a slot of the state folder and makes a journal in it.
//   OUTCOME_FATAL  the folder cannot be used, or the disk is full.
MUST_CHECK enum outcome keeper_open(struct keeper **out, const char *state_dir,
                                    size_t slots, struct err *err);

// keeper_start begins to look for what dead workers left, and asks which database this
// is: ready(arg) runs when our journal knows it, fail(arg, reason) when PostgreSQL
// refused a statement. All is borrowed.
void keeper_start(struct keeper *k, struct reactor *loop, struct db *db,
                  struct metrics *metrics, void (*ready)(void *arg),
                  void (*fail)(void *arg, const char *reason), void *arg);

// keeper_is_ready: nothing may be claimed before.
bool keeper_is_ready(const struct keeper *k);

struct journal *keeper_journal(const struct keeper *k);
struct crash_notes *keeper_crashes(const struct keeper *k);

// keeper_close deletes the journal if nothing is held any more. Close the database
// before.
void keeper_close(struct keeper *k, bool nothing_held);

#endif
