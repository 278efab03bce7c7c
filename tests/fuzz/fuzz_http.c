// HTTP requests: the first byte says how large the pieces are in which the bytes arrive.
// A head is whole at the same byte, or refused, whatever the pieces; a chunked body has
// the same data; what is accepted has the form that the rest of the server relies on.
#include "fuzz.h"

#include "buf.h"
#include "http_chunks.h"
#include "http_head.h"
#include "http_refusal.h"
#include "http_target.h"

#include <string.h>

enum { HEAD_MAX_BYTES = 16384, BODY_MAX_BYTES = 4096 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool scan(struct http_scan *s, const char *text, size_t len, size_t piece)
{
    struct http_fault fault = { 0 };

    *s = (struct http_scan){ 0 };
    for (size_t got = 0; got < len && !s->is_whole && !fault.refusal;) {
        got = least(len, got + piece);
        http_head_scan(s, text, got, HEAD_MAX_BYTES, &fault);
    }
    return s->is_whole && !fault.refusal;
}

static void check_head(const struct http_head *head)
{
    struct buf path = BUF_INIT(HTTP_LINE_MAX_BYTES);

    CHECK(http_is_token(head->method, strlen(head->method)));
    CHECK(head->target[0] == '/' || strcmp(head->target, "*") == 0);
    CHECK(head->minor == 0 || head->minor == 1);
    CHECK(head->field_count <= HTTP_FIELDS_MAX);
    for (size_t i = 0; i < head->field_count; i++) {
        const char *name = head->fields[i].name;
        CHECK(http_is_token(name, strlen(name)) && http_is_value(head->fields[i].value));
    }
    CHECK(!head->chunked || head->content_length == 0);
    if (!http_target_check(head->target) && http_target_path(head->target, &path))
        CHECK(utf8_is_valid(buf_text(&path), path.len));
    buf_free(&path);
}

static enum http_chunks_state read_chunks(struct buf *body, const char *text, size_t len,
                                          size_t piece)
{
    struct http_chunks chunks = { 0 };

    for (size_t at = 0; at < len && chunks.state < HTTP_CHUNKS_DONE;) {
        size_t took = http_chunks_read(&chunks, text + at, least(piece, len - at), body);
        CHECK(took > 0 || chunks.state >= HTTP_CHUNKS_DONE);
        at += took;
    }
    return chunks.state;
}

static void check_chunks(const char *text, size_t len, size_t piece)
{
    struct buf whole = BUF_INIT(BODY_MAX_BYTES), pieces = BUF_INIT(BODY_MAX_BYTES);
    enum http_chunks_state state = read_chunks(&whole, text, len, len);

    CHECK(read_chunks(&pieces, text, len, piece) == state);
    CHECK(!whole.failed && !pieces.failed && whole.len <= BODY_MAX_BYTES);
    if (state == HTTP_CHUNKS_DONE)
        CHECK(whole.len == pieces.len &&
              (whole.len == 0 || memcmp(whole.bytes, pieces.bytes, whole.len) == 0));
    buf_free(&whole);
    buf_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_scan whole, pieces;
    struct http_fault fault = { 0 };
    struct http_head head = { 0 };

    if (size < 2)
        return 0;
    const size_t piece = 1 + data[0] % 64, len = size - 1;
    char *text = fuzz_text(data + 1, len);
    check_chunks(text, len, piece);
    bool is_good = scan(&whole, text, len, len);
    CHECK(scan(&pieces, text, len, piece) == is_good);
    if (is_good) {
        CHECK(whole.at == pieces.at && whole.at <= len);
        text[whole.at] = '\0';
        http_head_parse(&head, text, &fault);
        if (!fault.refusal)
            check_head(&head);
    }
    free(text);
    return 0;
}
