// buf.h: bytes that grow up to a stated maximum. Builders append without checks and
// ask once, at the end, whether everything fitted (buf->failed).
#ifndef BUF_H
#define BUF_H

#include "base.h"

struct buf {
    char *bytes;  // always NUL-terminated once anything was added; NULL before
    size_t len;
    size_t room;  // allocated
    size_t max;   // len never passes it
    bool failed;  // something did not fit; what fitted before is kept
};

#define BUF_INIT(max_bytes)                                                              \
    {                                                                                    \
        .max = (max_bytes)                                                               \
    }

// buf_init is BUF_INIT for a struct that lives on the heap.
void buf_init(struct buf *b, size_t max);

// buf_free frees the bytes and leaves an empty buf with the same maximum.
void buf_free(struct buf *b);

// buf_clear empties the buf, keeps its memory, forgets the failure.
void buf_clear(struct buf *b);

// buf_text returns the bytes as a string, "" when empty. Borrowed until the next add.
const char *buf_text(const struct buf *b);

// Each add appends everything or nothing; nothing sets failed, and later adds are
// ignored until buf_clear.
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t value);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

// buf_add_json_string adds a quoted JSON string (RFC 8259, 7). The input must be UTF-8;
// control characters are escaped.
void buf_add_json_string(struct buf *b, const char *text, size_t len);

// buf_add_base64 adds RFC 4648 base64 with padding.
void buf_add_base64(struct buf *b, const void *bytes, size_t len);

// buf_add_base64_decoded adds the bytes that strict base64 text stands for (padding, no
// stray characters, no bits left over); returns false and adds nothing when the text is
// not that, or when the bytes do not fit.
MUST_CHECK bool buf_add_base64_decoded(struct buf *b, const char *text, size_t len);

// buf_add_url_escaped percent-encodes all but RFC 3986 unreserved characters.
void buf_add_url_escaped(struct buf *b, const char *text, size_t len);

// buf_add_form adds name=value, with '&' in front unless it is the first pair;
// both are percent-encoded.
void buf_add_form(struct buf *b, const char *name, const char *value);

// buf_add_time adds wall-clock microseconds as RFC 3339 in UTC with milliseconds:
// 2026-11-21T10:00:00.000Z. Years outside 0 to 9999 do not fit.
void buf_add_time(struct buf *b, int64_t wall_us);

#endif
