// http_route.h: finds the row of a route table that a request means. Pure.
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "base.h"

struct buf;
struct http_route;

// http_route_find returns the row for method and path, NULL if there is none. An exact
// path comes before one with '*', a longer one before a shorter; HEAD finds GET.
const struct http_route *http_route_find(const struct http_route *routes,
                                         const char *method, const char *path);

// http_route_allow appends the methods that path is known with, "GET, HEAD, OPTIONS";
// nothing when the path is unknown. "*" is the whole server: all methods of the table.
void http_route_allow(const struct http_route *routes, const char *path, struct buf *out);

// http_route_rest returns the part of path behind the row's '*', or "". Borrows path.
const char *http_route_rest(const struct http_route *route, const char *path);

#endif
