// status_entry.h: one record of sms.status, with the receipt that PostgreSQL gets of it.
#ifndef STATUS_ENTRY_H
#define STATUS_ENTRY_H

#include "base.h"
#include "kafka_in.h"
#include "store_receipts.h"
#include "wire.h"

struct json_reader;

// How far from now a record's time may lie.
#define STATUS_TIME_OFF_MS (INT64_C(28) * 86400000)

struct status_entry {
    struct sms_status record;
    struct receipt receipt;      // its texts are the record's
    struct wire_memory *memory;  // what the texts live in
    struct kafka_origin origin;
};

// status_entry_read decodes the record, which is not needed any more afterwards.
//   OUTCOME_REJECT  it is no record of sms.status, or of a time far from now; out needs
//                   no free.
MUST_CHECK enum outcome status_entry_read(struct status_entry *out,
                                          struct json_reader *json,
                                          const struct kafka_record *rec,
                                          struct err *err);
void status_entry_free(struct status_entry *e);

// status_entry_best writes, of each (id, turn, simulated) that is known and has a known
// word, the highest rank once, sorted by id, then turn; of equal ranks the one that came
// first. best has room for count; returns how many it wrote.
size_t status_entry_best(const struct receipt *all, size_t count,
                         const struct receipt **best);

#endif
