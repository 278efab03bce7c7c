#include "dead_letter.h"

#include "json.h"
#include "kafka.h"
#include "keys.h"
#include "seal.h"

#include <stdlib.h>
#include <string.h>

enum { SEALED_MAX_BYTES = 2 << 20, PLACE_MAX_BYTES = 320 };

// sealed is PostgreSQL's "\x" and hex digits.
static enum outcome unseal(struct buf *plain, const struct dead_letter_row *row,
                           const struct keys *keys, struct err *err)
{
    struct buf place = BUF_INIT(PLACE_MAX_BYTES);
    size_t hex_len = strlen(row->sealed);

    if (hex_len < 2 || hex_len / 2 > SEALED_MAX_BYTES)
        return err_set(err, OUTCOME_REJECT, "its content was purged");
    size_t len = hex_len / 2 - 1;
    unsigned char *sealed = xcalloc(1, len ? len : 1);
    enum outcome rc =
        hex_decode(sealed, len, row->sealed + 2, hex_len - 2)
            ? OUTCOME_OK
            : err_set(err, OUTCOME_REJECT, "PostgreSQL gives no hex digits");
    buf_addf(&place, "%s/%s/%s", row->topic, row->partition, row->offset);
    if (!rc)
        rc = seal_open(keys->seal, place.bytes, place.len, sealed, len, plain, err);
    buf_free(&place);
    free(sealed);
    return rc;
}

enum outcome dead_letter_open(struct dead_letter *out, const struct dead_letter_row *row,
                              const struct keys *keys, struct err *err)
{
    struct buf plain = BUF_INIT(SEALED_MAX_BYTES);
    struct json_reader *json = json_reader_new();
    bool is_foreign = strcmp(row->topic, TOPIC_DEAD) == 0;
    enum outcome rc = unseal(&plain, row, keys, err);

    *out = (struct dead_letter){ 0 };
    if (!rc && !is_foreign)
        rc = wire_decode(&out->record, &out->memory, sms_dead_fields, json,
                         buf_text(&plain), plain.len, err);
    if (!rc && is_foreign) {
        out->foreign = plain;
        out->record.value =
            (struct wire_bytes){ (const unsigned char *)buf_text(&out->foreign),
                                 plain.len };
    } else {
        buf_free(&plain);
    }
    json_reader_free(json);
    return rc;
}

void dead_letter_free(struct dead_letter *letter)
{
    wire_free(letter->memory);
    buf_free(&letter->foreign);
    *letter = (struct dead_letter){ 0 };
}
