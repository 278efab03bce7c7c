#include "http_transfer.h"

#include "buf.h"
#include "http_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECEIVE_BYTES = 2048,  // small buffers stay in the cache
    SEND_BYTES = 16384,
    IDLE_MAX_S = 25,  // below the remote's idle timeout
    AGE_MAX_S = 600,
    DNS_CACHE_S = 60,
    LINE_MAX_BYTES = 8192,
};

bool http_transfer_open(struct http_transfer *t, const struct http_client_settings *set,
                        const char *authorization)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_FOLLOWLOCATION, 0 },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_BUFFERSIZE, RECEIVE_BYTES },
        { CURLOPT_UPLOAD_BUFFERSIZE, SEND_BYTES },
        { CURLOPT_MAXAGE_CONN, IDLE_MAX_S },
        { CURLOPT_MAXLIFETIME_CONN, AGE_MAX_S },
        { CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    };

    assert(set->connect_us >= 1000 && set->total_us >= 1000);
    t->authorization = authorization;
    t->connect_us = set->connect_us;
    t->total_us = set->total_us;
    t->easy = curl_easy_init();
    if (!t->easy)
        return false;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        curl_easy_setopt(t->easy, numbers[i].option, numbers[i].value);
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (set->user_agent)
        curl_easy_setopt(t->easy, CURLOPT_USERAGENT, set->user_agent);
    if (set->ca_file)
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, set->ca_file);
    return true;
}

void http_transfer_close(struct http_transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    free(t->url);
}

static bool is_content_type(const char *line, const char *type)
{
    static const char name[] = "Content-Type:";

    if (strncmp(line, name, sizeof(name) - 1) != 0)
        return false;
    line += sizeof(name) - 1;
    return type ? line[0] == ' ' && strcmp(line + 1, type) == 0 : line[0] == '\0';
}

// Says whether the header list is what this call needs: after the fixed lines its
// Content-Type, then its own lines.
static bool headers_fit(const struct http_transfer *t, const struct http_call *call)
{
    const struct curl_slist *at = t->headers;
    size_t fixed = t->authorization ? 3 : 2;

    for (size_t i = 0; at && i < fixed; i++)
        at = at->next;
    if (!at || !is_content_type(at->data, call->content_type))
        return false;
    at = at->next;
    for (size_t i = 0; call->headers && call->headers[i]; i++) {
        if (!at || strcmp(at->data, call->headers[i]) != 0)
            return false;
        at = at->next;
    }
    return at == NULL;
}

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer)
        abort();  // out of memory
    *list = longer;
}

static void set_headers(struct http_transfer *t, const struct http_call *call)
{
    struct buf type = BUF_INIT(LINE_MAX_BYTES);

    if (headers_fit(t, call))
        return;
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    add_line(&t->headers, "Expect:");  // without a value: not sent
    add_line(&t->headers, "Accept:");
    if (t->authorization)
        add_line(&t->headers, t->authorization);
    buf_add_text(&type, "Content-Type:");
    if (call->content_type)
        buf_addf(&type, " %s", call->content_type);
    add_line(&t->headers, buf_text(&type));
    buf_free(&type);
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        add_line(&t->headers, call->headers[i]);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(struct http_transfer *t, const struct http_call *call)
{
    bool is_post = strcmp(call->method, "POST") == 0;
    bool is_get = strcmp(call->method, "GET") == 0;

    if (is_post || call->body) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, call->body ? call->body : "");
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)call->body_len);
    } else {
        curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST,
                     is_post || (is_get && !call->body) ? NULL : call->method);
}

static void set_times(struct http_transfer *t, int64_t connect_us, int64_t total_us)
{
    if (t->set_connect_us == connect_us && t->set_total_us == total_us)
        return;
    t->set_connect_us = connect_us;
    t->set_total_us = total_us;
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_us / 1000));
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(total_us / 1000));
}

void http_transfer_set(struct http_transfer *t, const struct http_call *call)
{
    set_headers(t, call);
    set_method(t, call);
    set_times(t, call->connect_us ? call->connect_us : t->connect_us,
              call->total_us ? call->total_us : t->total_us);
    if (t->url && strcmp(t->url, call->url) == 0)
        return;
    free(t->url);
    t->url = xstrdup(call->url);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
}

int64_t http_transfer_retry_after_us(const struct http_transfer *t)
{
    struct curl_header *header;
    char *end;

    if (curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) !=
        CURLHE_OK)
        return -1;
    if (header->value[0] < '0' || header->value[0] > '9')
        return -1;
    long seconds = strtol(header->value, &end, 10);
    if (*end != '\0' || seconds > INT32_MAX)
        return -1;
    return (int64_t)seconds * 1000000;
}
