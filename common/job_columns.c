#include "job_columns.h"

#include "wire.h"

#define AT(field) offsetof(struct sms_job, field)

const struct db_column job_columns[JOB_COLUMN_COUNT] = {
    { DB_TEXT, AT(message_class), NEVER_NULL },
    { DB_TEXT, AT(channel), NEVER_NULL },
    { DB_INT4, AT(client), NEVER_NULL },
    { DB_BYTEA, AT(sealed), NEVER_NULL },
    { DB_BYTEA, AT(to_hash), NEVER_NULL },
    { DB_TEXT, AT(country), NEVER_NULL },
    { DB_TEXT, AT(to_hint), NEVER_NULL },
    { DB_TEXT, AT(from), NEVER_NULL },
    { DB_TEXT, AT(sender_type), NEVER_NULL },
    { DB_INT2, AT(segments), NEVER_NULL },
    { DB_INT8, AT(estimate_micros), NEVER_NULL },
    { DB_TEXT, AT(currency), NEVER_NULL },
    { DB_TEXT, AT(rate_note), NEVER_NULL },
    { DB_TEXT, AT(template_ref), NEVER_NULL },
    { DB_UUID, AT(campaign_id), NEVER_NULL },
    { DB_INT4, AT(row), 0 },
    { DB_TEXT, AT(reference), NEVER_NULL },
    { DB_TIME, AT(send_at), 0 },
    { DB_TIME, AT(expires_at), NEVER_NULL },
    { DB_TEXT, AT(mode), NEVER_NULL },
    { DB_TIME, AT(accepted_at), NEVER_NULL },
    { DB_TEXT, AT(traceparent), NEVER_NULL },
    { DB_TEXT, AT(on_doubt), NEVER_NULL },
};
