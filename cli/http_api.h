// http_api.h: one request to a program's HTTP API. Blocks.
#ifndef HTTP_API_H
#define HTTP_API_H

#include "base.h"
#include "buf.h"

struct http_api {
    struct buf url;
    struct buf body;     // POST when not empty
    const char *method;  // a literal, or NULL: GET or POST
    int64_t wait_s;      // Prefer: wait=N; 0 = none
    struct buf answer;
    long status;         // 0 without an answer
    const char *reason;  // why there is none, a literal; else NULL
};

// http_api_init makes an empty request; http_api_free takes what it holds.
void http_api_init(struct http_api *x);
void http_api_free(struct http_api *x);

// http_api_perform sends it and reads the answer, within that time. token may be NULL.
void http_api_perform(struct http_api *x, const char *token, int64_t timeout_ms);

#endif
