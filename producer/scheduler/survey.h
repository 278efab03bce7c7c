// survey.h: looks every few seconds at what only PostgreSQL knows of the whole, for the
// metrics of the scheduler, and whether next month has its partitions.
#ifndef SURVEY_H
#define SURVEY_H

#include "base.h"

struct db;
struct metrics;
struct reactor;
struct survey;

// survey_new borrows db and starts; survey_stop ends it after the answer that is awaited.
struct survey *survey_new(struct reactor *r, struct db *db, int64_t interval_us,
                          struct metrics *metrics);
void survey_stop(struct survey *s);
void survey_free(struct survey *s);

// survey_complaint says which table has no partition for next month, or NULL.
const char *survey_complaint(const struct survey *s);

#endif
