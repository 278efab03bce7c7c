// access.h: who is asking: API tokens of services (Authorization: Bearer), looked up in
// PostgreSQL by keyed hash and remembered for a few seconds, so that a send costs no
// database round trip and a revoked token stops working everywhere within 5 s.
#ifndef ACCESS_H
#define ACCESS_H

#include "base.h"
#include "scope.h"

struct access;
struct db;
struct http_request;
struct keys;
struct patience;

struct caller {
    int32_t client;
    unsigned scopes;  // of enum scope
};

// access_new borrows all three.
struct access *access_new(struct db *db, const struct keys *keys,
                          struct patience *patience);
void access_free(struct access *a);

// access_check finds the caller and runs granted(arg, req, caller), at once or later,
// when the token holds one of the wanted scopes. Otherwise it answers the request itself:
//   401  no token, or one that is unknown, expired or revoked
//   403  the token does not hold the scope; the answer names it
//   503  PostgreSQL is away, or silent for too long, and the token is not remembered
typedef void access_granted(void *arg, struct http_request *req,
                            const struct caller *caller);
void access_check(struct access *a, struct http_request *req, unsigned wanted,
                  access_granted *granted, void *arg);

bool caller_has(const struct caller *caller, enum scope scope);

#endif
