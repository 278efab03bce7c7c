#include "readiness.h"

#include "buf.h"
#include "db.h"
#include "kafka_in.h"
#include "kafka_out.h"

#include <assert.h>
#include <string.h>

void readiness_part(struct readiness *r, const char *name, const char *why)
{
    assert(r->count < READINESS_PARTS_MAX);
    r->parts[r->count].name = name;
    err_set(&r->parts[r->count].why, OUTCOME_RETRY, "%s", why ? why : "");
    r->count++;
}

void readiness_kafka_out(struct readiness *r, const char *name,
                         const struct kafka_out *out)
{
    const char *error = kafka_out_error(out);
    struct err why = { 0 };

    if (error)
        err_set(&why, OUTCOME_RETRY, "Kafka is away: %s", error);
    readiness_part(r, name, why.text);
}

void readiness_kafka_in(struct readiness *r, const char *name, const struct kafka_in *in)
{
    const char *error = kafka_in_error(in);
    struct err why = { 0 };

    if (error)
        err_set(&why, OUTCOME_RETRY, "Kafka gives no records: %s", error);
    else if (!kafka_in_is_assigned(in))
        err_set(&why, OUTCOME_RETRY, "the consumer group is forming");
    readiness_part(r, name, why.text);
}

void readiness_db(struct readiness *r, const char *name, const struct db *db)
{
    const char *error = db_error(db);
    struct err why = { 0 };

    if (!db_is_up(db))
        err_set(&why, OUTCOME_RETRY, "PostgreSQL is away: %s",
                error[0] ? error : "no connection stands yet");
    else if (error[0])
        err_set(&why, OUTCOME_RETRY, "PostgreSQL makes us repeat statements: %s", error);
    readiness_part(r, name, why.text);
}

const char *readiness_missing(const struct readiness *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->parts[i].why.text[0])
            return r->parts[i].why.text;
    return NULL;
}

// What others wrote may be cut in the middle of a character.
static void add_reason(struct buf *out, const char *why)
{
    const char *text = utf8_is_valid(why, strlen(why)) ? why : "?";

    buf_add_text(out, ",\"reason\":");
    buf_add_json_string(out, text, strlen(text));
}

void readiness_json(const struct readiness *r, struct buf *out)
{
    const char *missing = readiness_missing(r);

    buf_addf(out, "{\"ready\":%s", missing ? "false" : "true");
    if (missing)
        add_reason(out, missing);
    buf_add_text(out, ",\"parts\":[");
    for (size_t i = 0; i < r->count; i++) {
        const char *why = r->parts[i].why.text;
        buf_addf(out, "%s{\"part\":\"%s\",\"ready\":%s", i > 0 ? "," : "",
                 r->parts[i].name, why[0] ? "false" : "true");
        if (why[0])
            add_reason(out, why);
        buf_add_char(out, '}');
    }
    buf_add_text(out, "]}\n");
}
