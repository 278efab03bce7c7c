// crash_notes.h: how often parsing which record has crashed a worker of this machine. One
// small mapped file beside the slots, which all workers there see at once.
#ifndef CRASH_NOTES_H
#define CRASH_NOTES_H

#include "base.h"

struct crash_notes;

// CRASHES_MAX crashes bury a record; a crash counts for a day.
enum { CRASHES_MAX = 3 };

//   OUTCOME_FATAL  the file cannot be made, or the disk is full.
MUST_CHECK enum outcome crash_notes_open(struct crash_notes **out, int folder,
                                         struct err *err);
void crash_notes_close(struct crash_notes *c);

// crash_notes_add counts one more crash and returns how many they are now. The oldest of
// 64 records is forgotten for a new one.
uint32_t crash_notes_add(struct crash_notes *c, int lane, int32_t partition,
                         int64_t offset);

// crash_notes_forget: the record was buried.
void crash_notes_forget(struct crash_notes *c, int lane, int32_t partition,
                        int64_t offset);

// crash_notes_count costs a comparison while there are no crashes; NULL has none.
uint32_t crash_notes_count(const struct crash_notes *c, int lane, int32_t partition,
                           int64_t offset);

#endif
