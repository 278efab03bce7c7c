// The records in Kafka: what is written is read back, what is wrong is refused with the
// field's name, and docs/schemas says the same as the tables.
#include "wire.h"

#include "buf.h"
#include "json.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char some_id[16] = {
    0x01, 0x9a, 0xa5, 0x4e, 0x2b, 0x40, 0x7d, 0x3c,
    0x9f, 0x01, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77
};
static const char some_id_text[] = "019aa54e-2b40-7d3c-9f01-223344556677";

static struct wire_bytes bytes_of(const char *text, size_t len)
{
    return (struct wire_bytes){ (const unsigned char *)text, len };
}

static void assert_bytes_equal(struct wire_bytes a, struct wire_bytes b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.bytes, b.bytes, b.len);
}

static struct sms_job full_job(void)
{
    static const char sealed[] = "0123456789 sealed bytes \x00\xff with all sorts inside";
    struct sms_job job = {
        .turn = 3,
        .message_class = "transactional",
        .channel = "sms",
        .client = 42,
        .sealed = bytes_of(sealed, sizeof(sealed) - 1),
        .to_hash = bytes_of("0123456789abcdef", 16),
        .country = "CH",
        .to_hint = "CH\xe2\x80\xa6"
                   "567",
        .from = "MG0123456789abcdef0123456789abcdef",
        .sender_type = "messaging_service",
        .segments = 2,
        .estimate_micros = 15800,
        .currency = "USD",
        .rate_note = "default_rate",
        .template_ref = "delivery@7",
        .row = 12345,
        .reference = "order \"77\"\\\n\x01",
        .send_at = 1795255200123000,
        .expires_at = 1795341600000000,
        .mode = "live",
        .accepted_at = 1795255199999000,
        .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        .on_doubt = "resend",
    };
    memcpy(job.message_id, some_id, sizeof(some_id));
    memcpy(job.campaign_id, some_id, sizeof(some_id));
    return job;
}

static struct wire_memory *again(void *out, const void *record,
                                 const struct wire_field *fields)
{
    struct buf json = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    struct json_reader *reader = json_reader_new();
    struct wire_memory *memory = NULL;
    struct err err = { 0 };

    wire_encode(record, fields, &json);
    assert_false(json.failed);
    if (wire_decode(out, &memory, fields, reader, json.bytes, json.len, &err))
        fail_msg("%s: %s", buf_text(&json), err.text);
    json_reader_free(reader);
    buf_free(&json);
    return memory;
}

static void assert_texts_equal(const char *a, const char *b)
{
    if (!a || !b)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void assert_jobs_equal(const struct sms_job *a, const struct sms_job *b)
{
    assert_memory_equal(a->message_id, b->message_id, 16);
    assert_int_equal(a->turn, b->turn);
    assert_texts_equal(a->message_class, b->message_class);
    assert_texts_equal(a->channel, b->channel);
    assert_int_equal(a->client, b->client);
    assert_bytes_equal(a->sealed, b->sealed);
    assert_bytes_equal(a->to_hash, b->to_hash);
    assert_texts_equal(a->country, b->country);
    assert_texts_equal(a->to_hint, b->to_hint);
    assert_texts_equal(a->from, b->from);
    assert_texts_equal(a->sender_type, b->sender_type);
    assert_int_equal(a->segments, b->segments);
    assert_int_equal(a->estimate_micros, b->estimate_micros);
    assert_texts_equal(a->currency, b->currency);
    assert_texts_equal(a->rate_note, b->rate_note);
    assert_texts_equal(a->template_ref, b->template_ref);
    assert_memory_equal(a->campaign_id, b->campaign_id, 16);
    assert_int_equal(a->row, b->row);
    assert_texts_equal(a->reference, b->reference);
    assert_int_equal(a->send_at, b->send_at);
    assert_int_equal(a->expires_at, b->expires_at);
    assert_texts_equal(a->mode, b->mode);
    assert_int_equal(a->accepted_at, b->accepted_at);
    assert_texts_equal(a->traceparent, b->traceparent);
    assert_texts_equal(a->on_doubt, b->on_doubt);
}

static void a_full_job_comes_back(void **state)
{
    const struct sms_job job = full_job();
    struct sms_job back = { 0 };

    (void)state;
    struct wire_memory *memory = again(&back, &job, sms_job_fields);
    assert_jobs_equal(&back, &job);
    wire_free(memory);
}

static void a_job_without_options_comes_back(void **state)
{
    struct sms_job job = full_job(), back = { 0 };

    (void)state;
    job.country = job.rate_note = job.template_ref = job.reference = NULL;
    job.traceparent = job.on_doubt = NULL;
    memset(job.campaign_id, 0, sizeof(job.campaign_id));
    job.row = 0;
    job.send_at = 0;
    struct wire_memory *memory = again(&back, &job, sms_job_fields);
    assert_jobs_equal(&back, &job);
    wire_free(memory);
}

static void a_status_comes_back(void **state)
{
    const struct sms_status status = {
        .turn = 0,
        .twilio_sid = "SM0123456789abcdef0123456789abcdef",
        .status = "undelivered",
        .error_code = 30003,
        .raw = bytes_of("a form, sealed, of 33 bytes and more", 36),
        .received_at = 1795255200123000,
    };
    struct sms_status back = { 0 };

    (void)state;
    struct wire_memory *memory = again(&back, &status, sms_status_fields);
    assert_memory_equal(back.message_id, status.message_id, 16);
    assert_int_equal(back.turn, 0);
    assert_string_equal(back.twilio_sid, status.twilio_sid);
    assert_string_equal(back.status, status.status);
    assert_int_equal(back.error_code, 30003);
    assert_bytes_equal(back.raw, status.raw);
    assert_int_equal(back.received_at, status.received_at);
    wire_free(memory);
}

static void a_dead_record_tells_an_empty_value_from_none(void **state)
{
    const struct sms_dead dead = {
        .reason = "not_json",
        .detail = "not JSON: it is empty",
        .topic = "sms.jobs.bulk",
        .offset = INT64_MAX,
        .value = bytes_of("", 0),
    };
    struct sms_dead back = { 0 };

    (void)state;
    struct wire_memory *memory = again(&back, &dead, sms_dead_fields);
    assert_string_equal(back.reason, "not_json");
    assert_string_equal(back.detail, dead.detail);
    assert_string_equal(back.topic, "sms.jobs.bulk");
    assert_int_equal(back.partition, 0);
    assert_true(back.offset == INT64_MAX);
    assert_int_equal(back.record_at, 0);
    assert_null(back.key.bytes);
    assert_non_null(back.value.bytes);
    assert_int_equal(back.value.len, 0);
    wire_free(memory);
}

static void the_written_form_is_the_contract(void **state)
{
    static const char wanted[] =
        "{\"message_id\":\"019aa54e-2b40-7d3c-9f01-223344556677\",\"turn\":1,"
        "\"twilio_sid\":\"SM0123456789abcdef0123456789abcdef\",\"status\":\"sent\","
        "\"raw\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy\","
        "\"received_at\":\"2026-11-21T10:00:00.123Z\"}";
    struct sms_status status = {
        .turn = 1,
        .twilio_sid = "SM0123456789abcdef0123456789abcdef",
        .status = "sent",
        .raw = bytes_of("012345678901234567890123456789012", 33),
        .received_at = 1795255200123000,
    };
    struct buf json = BUF_INIT(WIRE_RECORD_MAX_BYTES);

    (void)state;
    memcpy(status.message_id, some_id, sizeof(some_id));
    wire_encode(&status, sms_status_fields, &json);
    assert_string_equal(buf_text(&json), wanted);
    buf_free(&json);
}

static void a_record_that_does_not_fit_is_told(void **state)
{
    const struct sms_content content = { "+41791234567", "a text" };
    struct buf json = BUF_INIT(30);

    (void)state;
    wire_encode(&content, sms_content_fields, &json);
    assert_true(json.failed);
    buf_free(&json);
}

static void order_null_and_unknown_members_do_not_matter(void **state)
{
    static const char json[] =
        "{\"future\":{\"a\":[1,2]},\"received_at\":\"2026-11-21T11:00:00+01:00\","
        "\"raw\":\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy\",\"turn\":null,"
        "\"future\":7,\"stat\":\"no\",\"status\":\"sent\",\"statuses\":\"no\","
        "\"message_id\":null,\"twilio_sid\":\"SM0123456789abcdef0123456789abcdef\"}";
    struct json_reader *reader = json_reader_new();
    struct wire_memory *memory = NULL;
    struct sms_status status = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(wire_decode(&status, &memory, sms_status_fields, reader, json,
                                 sizeof(json) - 1, &err),
                     OUTCOME_OK);
    assert_string_equal(status.status, "sent");
    assert_int_equal(status.turn, 0);
    assert_int_equal(status.raw.len, 33);
    assert_int_equal(status.received_at, 1795255200000000);
    wire_free(memory);
    json_reader_free(reader);
}

// A job as JSON in which the value of one member was replaced; NULL leaves it out.
static void job_with(struct buf *out, const char *name, const char *value)
{
    static const char *const members[][2] = {
        { "message_id", "\"019aa54e-2b40-7d3c-9f01-223344556677\"" },
        { "turn", "1" },
        { "class", "\"otp\"" },
        { "channel", "\"sms\"" },
        { "client", "1" },
        { "sealed", "\"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEy\"" },
        { "to_hash", "\"MDEyMzQ1Njc4OWFiY2RlZg==\"" },
        { "country", "\"US\"" },
        { "to_hint", "\"US...123\"" },
        { "from", "\"+15550001111\"" },
        { "sender_type", "\"number\"" },
        { "segments", "1" },
        { "estimate_micros", "0" },
        { "currency", "\"USD\"" },
        { "template", "\"otp@1\"" },
        { "campaign_id", "\"019aa54e-2b40-7d3c-9f01-223344556677\"" },
        { "row", "1" },
        { "send_at", "\"2026-11-21T10:00:00Z\"" },
        { "expires_at", "\"2026-11-21T10:10:00Z\"" },
        { "mode", "\"live\"" },
        { "accepted_at", "\"2026-11-21T10:00:00Z\"" },
    };

    buf_clear(out);
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *v = strcmp(members[i][0], name) == 0 ? value : members[i][1];
        if (v)
            buf_addf(out, "%s\"%s\":%s", out->len ? "," : "{", members[i][0], v);
    }
    buf_add_char(out, '}');
}

static const struct refusal {
    const char *name, *value, *complaint;
} refusals[] = {
    { "message_id", NULL, "\"message_id\" is missing" },
    { "message_id", "null", "\"message_id\" is missing" },
    { "message_id", "7", "\"message_id\" must be a UUID of version 7" },
    { "message_id", "\"019aa54e-2b40-4d3c-9f01-223344556677\"",
      "\"message_id\" must be a UUID of version 7" },
    { "message_id", "\"019aa54e-2b40-7d3c-9f01-22334455667\"",
      "\"message_id\" must be a UUID of version 7" },
    { "turn", NULL, "\"turn\" is missing" },
    { "turn", "\"1\"", "\"turn\" must be an integer" },
    { "turn", "1.0", "\"turn\" must be an integer" },
    { "turn", "true", "\"turn\" must be an integer" },
    { "turn", "[1]", "\"turn\" must be an integer" },
    { "turn", "0", "\"turn\" must be between 1 and 1000000" },
    { "turn", "1000001", "\"turn\" must be between 1 and 1000000" },
    { "turn", "4294967297", "\"turn\" must be between 1 and 1000000" },
    { "turn", "1,\"turn\":1", "\"turn\" comes twice" },
    { "turn", "null,\"turn\":1", "\"turn\" comes twice" },
    { "class", "\"urgent\"",
      "\"class\" must be one of otp|emergency|transactional|marketing" },
    { "class", "\"\"", "\"class\" must be one of otp|emergency|transactional|marketing" },
    { "class", "\"otp|emergency\"",
      "\"class\" must be one of otp|emergency|transactional|marketing" },
    { "class", "3", "\"class\" must be a text" },
    { "channel", "\"fax\"", "\"channel\" must be sms" },
    { "client", "0", "\"client\" must be between 1 and 2147483647" },
    { "client", "2147483648", "\"client\" must be between 1 and 2147483647" },
    { "sealed", "{}", "\"sealed\" must be base64" },
    { "sealed", "\"MDEy MzQ1\"", "\"sealed\" must be base64" },
    { "sealed", "\"MDEyMzQ1\"", "\"sealed\" must be 33 to 16384 bytes long" },
    { "to_hash", "\"MDEyMzQ1Njc4OWFiY2Rl\"", "\"to_hash\" must be 16 bytes long" },
    { "to_hash", "\"MDEyMzQ1Njc4OWFiY2RlZn==\"", "\"to_hash\" must be base64" },
    { "country", "\"USA\"", "\"country\" must be 2 bytes long" },
    { "country", "\"us\"", "\"country\" must be capital letters" },
    { "country", "\"U\\u0000\"", "\"country\" must be capital letters" },
    { "to_hint", "\"\"", "\"to_hint\" must be 1 to 32 bytes long" },
    { "from", "\"+1\\u0000555\"", "\"from\" must not hold a NUL character" },
    { "sender_type", "\"toll_free\"",
      "\"sender_type\" must be one of number|messaging_service|short_code|alphanumeric" },
    { "segments", "0", "\"segments\" must be between 1 and 100" },
    { "estimate_micros", "-1",
      "\"estimate_micros\" must be between 0 and 1000000000000" },
    { "currency", "\"US\"", "\"currency\" must be 3 bytes long" },
    { "campaign_id", "\"\"", "\"campaign_id\" must be a UUID of version 7" },
    { "row", "0", "\"row\" must be between 1 and 2147483647" },
    { "send_at", "1795255200",
      "\"send_at\" must be a time like 2026-11-21T10:00:00.000Z" },
    { "send_at", "\"tomorrow\"",
      "\"send_at\" must be a time like 2026-11-21T10:00:00.000Z" },
    { "send_at", "\"1969-12-31T23:59:59Z\"", "\"send_at\" must be a time after 1970" },
    { "expires_at", NULL, "\"expires_at\" is missing" },
    { "mode", "\"dry\"", "\"mode\" must be one of simulate|listed|live" },
    { "accepted_at", "x",
      "not JSON: a comma, colon, quote or bracket is missing or out "
      "of place" },
};

static void bad_jobs_are_refused_by_field(void **state)
{
    struct json_reader *reader = json_reader_new();
    struct buf json = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    const struct sms_job nothing = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct sms_job job = { 0 };
        struct wire_memory *memory = NULL;
        struct err err = { 0 };
        job_with(&json, refusals[i].name, refusals[i].value);
        enum outcome rc = wire_decode(&job, &memory, sms_job_fields, reader, json.bytes,
                                      json.len, &err);
        if (rc != OUTCOME_REJECT || strcmp(err.text, refusals[i].complaint) != 0)
            fail_msg("%s: outcome %d, %s", json.bytes, (int)rc, err.text);
        assert_null(memory);
        assert_memory_equal(&job, &nothing, sizeof(job));
    }
    buf_free(&json);
    json_reader_free(reader);
}

static void the_refused_jobs_are_good_otherwise(void **state)
{
    struct json_reader *reader = json_reader_new();
    struct buf json = BUF_INIT(WIRE_RECORD_MAX_BYTES);
    struct wire_memory *memory = NULL;
    struct sms_job job = { 0 };
    struct err err = { 0 };

    (void)state;
    job_with(&json, "none", NULL);
    assert_int_equal(wire_decode(&job, &memory, sms_job_fields, reader, json.bytes,
                                 json.len, &err),
                     OUTCOME_OK);
    assert_memory_equal(job.message_id, some_id, sizeof(some_id));
    assert_string_equal(job.currency, "USD");
    assert_non_null(strstr(json.bytes, some_id_text));
    wire_free(memory);
    buf_free(&json);
    json_reader_free(reader);
}

static void every_text_fits_the_memory_block(void **state)
{
    // The tightest records: short names do not exist, so all slack is in the quotes.
    static const char json[] = "{\"to\":\"+1\",\"body\":\"x\"}";
    struct json_reader *reader = json_reader_new();
    struct wire_memory *memory = NULL;
    struct sms_content content = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(wire_decode(&content, &memory, sms_content_fields, reader, json,
                                 sizeof(json) - 1, &err),
                     OUTCOME_OK);
    assert_string_equal(content.to, "+1");
    assert_string_equal(content.body, "x");
    wire_free(memory);
    wire_free(NULL);
    json_reader_free(reader);
}

static void assert_file_is(const char *path, const struct buf *wanted)
{
    struct buf found = BUF_INIT(1 << 20);
    char part[4096];
    size_t got;

    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s", path);
    while ((got = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(&found, part, got);
    fclose(file);
    if (strcmp(buf_text(&found), buf_text(wanted)) != 0)
        fail_msg("%s is not what the table says; run SMSQ_WRITE_SCHEMAS=1 "
                 "unit_test_wire and look at the difference",
                 path);
    buf_free(&found);
}

static void write_file(const char *path, const struct buf *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content->bytes, 1, content->len, file), content->len);
    assert_int_equal(fclose(file), 0);
}

// Runs in the root of the source tree, as ctest does. After a change of a table:
//     SMSQ_WRITE_SCHEMAS=1 build/debug/bin/unit_test_wire
static void the_schemas_in_docs_are_those_of_the_tables(void **state)
{
    static const struct {
        const char *title, *path;
        const struct wire_field *fields;
    } records[] = {
        { "sms_job", "docs/schemas/sms_job.json", sms_job_fields },
        { "sms_status", "docs/schemas/sms_status.json", sms_status_fields },
        { "sms_inbound", "docs/schemas/sms_inbound.json", sms_inbound_fields },
        { "sms_dead", "docs/schemas/sms_dead.json", sms_dead_fields },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct buf schema = BUF_INIT(1 << 20);
        wire_schema(records[i].title, records[i].fields, &schema);
        assert_false(schema.failed);
        if (getenv("SMSQ_WRITE_SCHEMAS"))
            write_file(records[i].path, &schema);
        assert_file_is(records[i].path, &schema);
        buf_free(&schema);
    }
}

// What the producer writes when the rate card has no row at all.
static void a_job_without_any_rate_is_a_job(void **state)
{
    struct sms_job job = full_job(), back = { 0 };

    (void)state;
    job.rate_note = "no_rate";
    job.estimate_micros = 0;
    struct wire_memory *memory = again(&back, &job, sms_job_fields);
    assert_string_equal(back.rate_note, "no_rate");
    wire_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_without_any_rate_is_a_job),
        cmocka_unit_test(a_full_job_comes_back),
        cmocka_unit_test(a_job_without_options_comes_back),
        cmocka_unit_test(a_status_comes_back),
        cmocka_unit_test(a_dead_record_tells_an_empty_value_from_none),
        cmocka_unit_test(the_written_form_is_the_contract),
        cmocka_unit_test(a_record_that_does_not_fit_is_told),
        cmocka_unit_test(order_null_and_unknown_members_do_not_matter),
        cmocka_unit_test(bad_jobs_are_refused_by_field),
        cmocka_unit_test(the_refused_jobs_are_good_otherwise),
        cmocka_unit_test(every_text_fits_the_memory_block),
        cmocka_unit_test(the_schemas_in_docs_are_those_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
