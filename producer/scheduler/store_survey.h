// store_survey.h: what only PostgreSQL knows of the whole: what is in doubt, what is left
// claimed, what waits, and whether next month has its partitions.
#ifndef STORE_SURVEY_H
#define STORE_SURVEY_H

#include "base.h"
#include "db.h"

// store_survey counts; it reads two small indexes, changes nothing.
void store_survey(struct db *db, db_done *done, void *arg);

// One row of its answer. what is one of
//   in_doubt, claimed      messages held under some worker's epoch, by class
//   delayed                messages that wait for their time, by lane and kind
//   due                    those of them whose time has come, by lane
//   partitions_missing     tables without a partition for next month: count; word names
//   one
struct survey_row {
    const char *what;
    const char *word;  // class, lane or table
    const char *kind;  // of delayed: why it waits; else ""
    int64_t count;
    int64_t oldest_s;  // age of the oldest in seconds, 0 when there is none
};

void store_survey_read(struct survey_row *out, const struct db_result *rows, size_t row);

#endif
