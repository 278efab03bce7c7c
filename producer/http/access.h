// access.h: who is asking, and whether it may: API tokens of services (Authorization:
// Bearer), their scopes, and their rate. A token that is known costs no round trip; one
// that was revoked or expired stops working everywhere within 5 s.
#ifndef ACCESS_H
#define ACCESS_H

#include "account.h"
#include "base.h"
#include "scope.h"

struct access;
struct db;
struct http_request;
struct keys;
struct metrics;
struct patience;
struct reactor;

struct caller {
    int32_t client;
    unsigned scopes;         // of enum scope
    enum account_mode mode;  // the most that its messages may do
};

struct access_settings {
    struct db *db;  // borrowed, as all here
    const struct keys *keys;
    struct patience *patience;
    const int64_t *rate_limit;  // of a token without a rate of its own; 0 = none
};

struct access *access_new(struct reactor *r, const struct access_settings *set,
                          struct metrics *metrics);
void access_free(struct access *a);

// access_check finds the caller and runs granted(arg, req, caller), at once or later,
// when the token holds one of the wanted scopes and its rate allows one more. The answer
// to a request whose token is good carries RateLimit-Policy and RateLimit, unless it has
// no limit. Otherwise it answers the request itself:
//   401  no token, or one that is malformed, unknown, expired or revoked
//   403  the token does not hold the scope; the answer names it
//   429  too many requests; Retry-After says when to come again
//   503  PostgreSQL is away, or silent for too long, and what is known is too old
typedef void access_granted(void *arg, struct http_request *req,
                            const struct caller *caller);
void access_check(struct access *a, struct http_request *req, unsigned wanted,
                  access_granted *granted, void *arg);

bool caller_has(const struct caller *caller, enum scope scope);

#endif
