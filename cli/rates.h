// rates.h: "smsq rates load FILE": puts a CSV rate card into the table rate_card.
#ifndef RATES_H
#define RATES_H

#include "base.h"

// rates_load reads and checks the file, then writes all its rows in one transaction over
// a connection of its own; rows of the same key are replaced, others stay. Blocks.
// Shows its progress.
//   OUTCOME_OK      *count rows are in the table.
//   OUTCOME_RETRY   PostgreSQL could not be reached or gave up; nothing was written.
//   OUTCOME_REJECT  the file or a row is wrong; nothing was written.
MUST_CHECK enum outcome rates_load(size_t *count, const char *path,
                                   const char *database_url, struct err *err);

#endif
