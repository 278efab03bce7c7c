// Records from Kafka: the first byte chooses the table. What is read can be written, and
// reads the same again.
#include "fuzz.h"

#include "buf.h"
#include "json.h"
#include "wire.h"
#include "wire_records.h"

#include <string.h>

enum { ENCODED_MAX_BYTES = 1 << 22 };

union record {
    struct sms_job job;
    struct sms_status status;
    struct sms_inbound inbound;
    struct sms_dead dead;
    struct sms_content content;
};

static struct json_reader *reader;

static void write_and_read_again(const union record *record,
                                 const struct wire_field *fields)
{
    struct buf first = BUF_INIT(ENCODED_MAX_BYTES), second = BUF_INIT(ENCODED_MAX_BYTES);
    struct wire_memory *memory = NULL;
    union record again = { 0 };
    struct err err;

    wire_encode(record, fields, &first);
    CHECK(!first.failed);
    CHECK(
        !wire_decode(&again, &memory, fields, reader, buf_text(&first), first.len, &err));
    wire_encode(&again, fields, &second);
    CHECK(first.len == second.len && memcmp(first.bytes, second.bytes, first.len) == 0);
    wire_free(memory);
    buf_free(&first);
    buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_field *const tables[] = { sms_job_fields, sms_status_fields,
                                                sms_inbound_fields, sms_dead_fields,
                                                sms_content_fields };
    struct wire_memory *memory = NULL;
    union record record = { 0 };
    struct err err;

    if (size == 0)
        return 0;
    if (!reader)
        reader = json_reader_new();
    const struct wire_field *fields = tables[data[0] % COUNT_OF(tables)];
    char *text = fuzz_text(data + 1, size - 1);
    if (!wire_decode(&record, &memory, fields, reader, text, size - 1, &err))
        write_and_read_again(&record, fields);
    wire_free(memory);
    free(text);
    return 0;
}
