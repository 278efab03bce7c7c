#include "http_address.h"

#include "buf.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { PART_MAX_BYTES = 65536 };

// The part of it, to be given to curl_free; NULL when it has none.
static char *part_of(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static char *joined(const char *a, const char *between, const char *b)
{
    struct buf text = BUF_INIT(PART_MAX_BYTES);

    buf_add_text(&text, a);
    if (b) {
        buf_add_text(&text, between);
        buf_add_text(&text, b);
    }
    return text.bytes;
}

static void fill(struct http_address *out, CURLU *url, const char *scheme)
{
    char *host = part_of(url, CURLUPART_HOST, 0);
    char *port = part_of(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    char *path = part_of(url, CURLUPART_PATH, 0);
    char *query = part_of(url, CURLUPART_QUERY, 0);
    char *user = part_of(url, CURLUPART_USER, CURLU_URLDECODE);
    char *password = part_of(url, CURLUPART_PASSWORD, CURLU_URLDECODE);

    if (host && host[0] && path) {
        out->host = joined(host, ":", port);
        out->origin = joined(scheme, "://", out->host);
        out->target = joined(path, "?", query);
        if (user || password)
            out->user_password = joined(user ? user : "", ":", password ? password : "");
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_free(user);
    curl_free(password);
}

enum outcome http_address_set(struct http_address *a, const char *url, struct err *err)
{
    char *scheme = NULL;

    if (a->url && strcmp(a->url, url) == 0)
        return OUTCOME_OK;
    http_address_free(a);
    CURLU *parts = curl_url();
    if (!parts)
        abort();  // out of memory
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_URLENCODE) == CURLUE_OK)
        scheme = part_of(parts, CURLUPART_SCHEME, 0);
    if (scheme && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0))
        fill(a, parts, scheme);
    curl_free(scheme);
    curl_url_cleanup(parts);
    if (!a->host || !a->origin || !a->target) {
        http_address_free(a);
        return err_set(err, OUTCOME_REJECT, "this is no address of http or https");
    }
    a->url = xstrdup(url);
    return OUTCOME_OK;
}

void http_address_free(struct http_address *a)
{
    free(a->url);
    free(a->origin);
    free(a->host);
    free(a->target);
    free(a->user_password);
    *a = (struct http_address){ 0 };
}
