// http_chunks.h: takes a chunked body apart (RFC 9112, 7.1). Strict: CR LF ends every
// line, sizes are bare hexadecimal digits. Extensions and trailer fields are checked,
// capped and dropped. Pure.
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "base.h"

struct buf;

enum { HTTP_CHUNK_EXTRAS_MAX_BYTES = 1024 };  // extensions and trailers of one body

enum http_chunks_state {
    HTTP_CHUNKS_SIZE,
    HTTP_CHUNKS_EXTENSION,
    HTTP_CHUNKS_SIZE_LF,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_CR,
    HTTP_CHUNKS_DATA_LF,
    HTTP_CHUNKS_LINE,  // of the trailer, or the last, empty one
    HTTP_CHUNKS_NAME,
    HTTP_CHUNKS_VALUE,
    HTTP_CHUNKS_LINE_LF,
    HTTP_CHUNKS_END_LF,
    HTTP_CHUNKS_DONE,
    HTTP_CHUNKS_MALFORMED,
    HTTP_CHUNKS_TOO_LARGE,  // more data than the body may have
};

// Zeroed for each new body.
struct http_chunks {
    enum http_chunks_state state;
    uint64_t size;  // of the chunk; while DATA what is left of it
    int digits;
    size_t extras;
};

// http_chunks_read appends the data in bytes to body, up to body->max, and returns how
// many bytes it took: fewer than len only in one of the last three states.
size_t http_chunks_read(struct http_chunks *c, const char *bytes, size_t len,
                        struct buf *body);

#endif
