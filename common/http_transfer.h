// http_transfer.h: one of http_client.c's prepared libcurl handles, used for call after
// call: only what differs from the last call is set again.
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "base.h"

#include <curl/curl.h>

struct http_call;
struct http_client_settings;

struct http_transfer {
    CURL *easy;
    const char *authorization;             // the whole header line, borrowed; NULL = none
    struct curl_slist *headers;            // as last set
    char *url;                             // as last set
    int64_t connect_us, total_us;          // those of the settings
    int64_t set_connect_us, set_total_us;  // as last set
};

// http_transfer_open prepares the handle; authorization is borrowed until close. Returns
// false when libcurl cannot make one. http_transfer_close accepts a zeroed transfer.
MUST_CHECK bool http_transfer_open(struct http_transfer *t,
                                   const struct http_client_settings *set,
                                   const char *authorization);
void http_transfer_close(struct http_transfer *t);

// http_transfer_set takes the next request; borrows call->body until it is done.
void http_transfer_set(struct http_transfer *t, const struct http_call *call);

// http_transfer_retry_after_us reads Retry-After of the answer, -1 without seconds there.
int64_t http_transfer_retry_after_us(const struct http_transfer *t);

#endif
