// journal_origin.h: who we are, as a journal's header says it.
#ifndef JOURNAL_ORIGIN_H
#define JOURNAL_ORIGIN_H

struct journal_origin;

// journal_origin_here fills in boot and host; the database is for the caller.
void journal_origin_here(struct journal_origin *out);

#endif
