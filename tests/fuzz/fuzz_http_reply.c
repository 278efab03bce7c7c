// Answers of HTTP servers: the first byte says how large the pieces are in which the rest
// arrives. What comes of them is the same in one piece.
#include "fuzz.h"

#include "http_reply.h"

#include <string.h>

enum { BODY_MAX_BYTES = 4096 };

static void feed(struct http_reply *r, const char *bytes, size_t len, size_t piece)
{
    http_reply_begin(r);
    for (size_t at = 0; at < len && r->state < HTTP_REPLY_DONE; at += piece) {
        size_t left = len - at < piece ? len - at : piece;
        size_t taken = http_reply_read(r, bytes + at, left);
        CHECK(taken == left || r->state >= HTTP_REPLY_DONE);
    }
    http_reply_ended(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_reply whole, pieces;

    if (size < 2)
        return 0;
    if (!whole.body.max) {
        http_reply_init(&whole, BODY_MAX_BYTES);
        http_reply_init(&pieces, BODY_MAX_BYTES);
    }
    char *bytes = fuzz_text(data + 1, size - 1);
    feed(&whole, bytes, size - 1, size);
    feed(&pieces, bytes, size - 1, data[0] % 64 + 1);
    CHECK(whole.state == pieces.state);
    if (whole.state == HTTP_REPLY_DONE) {
        CHECK(whole.status == pieces.status && whole.status >= 200);
        CHECK(whole.retry_after_us == pieces.retry_after_us);
        CHECK(strcmp(whole.content_type, pieces.content_type) == 0);
        CHECK(whole.body.len == pieces.body.len && !whole.body.failed);
        CHECK(memcmp(buf_text(&whole.body), buf_text(&pieces.body), whole.body.len) == 0);
    }
    free(bytes);
    return 0;
}
