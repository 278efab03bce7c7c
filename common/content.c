#include "content.h"

#include "buf.h"
#include "seal.h"
#include "wire.h"

void content_seal(struct seal *seal, const unsigned char id[16], int32_t client,
                  int64_t wall_us, const struct sms_content *content, struct buf *out)
{
    unsigned char aad[SEAL_AAD_BYTES];
    struct buf plain = BUF_INIT(WIRE_SEALED_MAX_BYTES - SEAL_OVERHEAD_BYTES);

    wire_encode(content, sms_content_fields, &plain);
    seal_message_aad(aad, id, client);
    seal_close(seal, wall_us, aad, sizeof(aad), plain.bytes, plain.len, out);
    buf_free(&plain);
}

enum outcome content_open(struct seal *seal, struct json_reader *json,
                          const unsigned char id[16], int32_t client,
                          struct wire_bytes sealed, struct sms_content *out,
                          struct wire_memory **memory, struct err *err)
{
    unsigned char aad[SEAL_AAD_BYTES];
    struct buf plain = BUF_INIT(WIRE_SEALED_MAX_BYTES);

    seal_message_aad(aad, id, client);
    enum outcome rc =
        seal_open(seal, aad, sizeof(aad), sealed.bytes, sealed.len, &plain, err);
    if (!rc)
        rc = wire_decode(out, memory, sms_content_fields, json, buf_text(&plain),
                         plain.len, err);
    buf_free(&plain);
    return rc;
}
