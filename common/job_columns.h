// job_columns.h: struct sms_job as columns of the table messages, all but message_id and
// turn: the claim writes them, the mover reads them back. One order for both.
#ifndef JOB_COLUMNS_H
#define JOB_COLUMNS_H

#include "db_columns.h"

#define JOB_COLUMNS_SQL                                                                  \
    "class, channel, client, sealed, to_hash, country, to_hint, sender, sender_type,"    \
    " segments, estimate_micros, currency, rate_note, template_ref, campaign_id,"        \
    " campaign_row, reference, send_at, expires_at, mode, accepted_at, traceparent,"     \
    " on_doubt"

enum { JOB_COLUMN_COUNT = 23 };

extern const struct db_column job_columns[JOB_COLUMN_COUNT];

#endif
