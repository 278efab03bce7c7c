// sim_reply.h: reads an HTTP/1.1 answer from the bytes that came so far. Pure.
#ifndef SIM_REPLY_H
#define SIM_REPLY_H

#include "base.h"

struct buf;

enum { SIM_REPLY_HEAD_MAX_BYTES = 16384, SIM_REPLY_TYPE_BYTES = 128 };

enum sim_reply_state {
    SIM_REPLY_MORE,   // goes on
    SIM_REPLY_WHOLE,  // all of it is there
    SIM_REPLY_BAD,    // not HTTP, too long, or cut off
};

// Zero-initialised before the first byte.
struct sim_reply {
    size_t head_len;  // 0 while the head is not whole; interim answers are dropped
    int status;
    bool is_chunked, has_length, keeps;  // keeps: the connection stays open behind it
    uint64_t length;
    char content_type[SIM_REPLY_TYPE_BYTES];  // "" if it names none, or one that long
    size_t body_at, body_len;                 // in the bytes, once whole
};

// sim_reply_read looks at in, which holds everything that came: the head, and at most
// body_max bytes of body behind it. is_eof: nothing more will come. A chunked body is
// put together in place.
enum sim_reply_state sim_reply_read(struct sim_reply *r, struct buf *in, size_t body_max,
                                    bool is_eof);

#endif
