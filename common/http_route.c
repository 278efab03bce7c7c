#include "http_route.h"

#include "buf.h"
#include "http_server.h"

#include <limits.h>
#include <string.h>

// Returns how closely the pattern fits path: 0 not at all, then by length, exact last.
static size_t fit(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);

    if (len > 0 && pattern[len - 1] == '*')
        return strncmp(pattern, path, len - 1) == 0 ? len : 0;
    return strcmp(pattern, path) == 0 ? SIZE_MAX : 0;
}

const struct http_route *http_route_find(const struct http_route *routes,
                                         const char *method, const char *path)
{
    const struct http_route *found = NULL;
    size_t found_fit = 0;
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    for (const struct http_route *row = routes; row->method; row++) {
        if (strcmp(row->method, wanted) != 0)
            continue;
        size_t row_fit = fit(row->path, path);
        if (row_fit > found_fit) {
            found = row;
            found_fit = row_fit;
        }
    }
    return found;
}

static void add_word(struct buf *out, const char *word)
{
    if (out->len > 0)
        buf_add_text(out, ", ");
    buf_add_text(out, word);
}

// "*" means the whole server (RFC 9110, 9.3.7).
static bool takes(const struct http_route *row, const char *path)
{
    return strcmp(path, "*") == 0 || fit(row->path, path) > 0;
}

// Says whether an earlier row than end already gave this method for path.
static bool is_listed(const struct http_route *routes, const struct http_route *end,
                      const char *path)
{
    for (const struct http_route *row = routes; row != end; row++)
        if (strcmp(row->method, end->method) == 0 && takes(row, path))
            return true;
    return false;
}

void http_route_allow(const struct http_route *routes, const char *path, struct buf *out)
{
    for (const struct http_route *row = routes; row->method; row++) {
        if (!takes(row, path) || is_listed(routes, row, path))
            continue;
        add_word(out, row->method);
        if (strcmp(row->method, "GET") == 0)
            add_word(out, "HEAD");
    }
    if (out->len > 0)
        add_word(out, "OPTIONS");
}

const char *http_route_rest(const struct http_route *route, const char *path)
{
    size_t len = strlen(route->path);

    return len > 0 && route->path[len - 1] == '*' ? path + len - 1 : "";
}
