// http_address.h: an absolute address, cut up for a request.
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base.h"

struct http_address {
    char *url;            // as given
    char *origin;         // "https://host:port", for comparing and dialling
    char *host;           // the Host field
    char *target;         // path and query
    char *user_password;  // "user:password", or NULL
};

// http_address_set fills a, which was zeroed or set before: the same url again costs a
// comparison. http_address_free accepts one that was zeroed.
//   OUTCOME_REJECT  it is no address with http or https and a host; a is zeroed.
MUST_CHECK enum outcome http_address_set(struct http_address *a, const char *url,
                                         struct err *err);
void http_address_free(struct http_address *a);

#endif
