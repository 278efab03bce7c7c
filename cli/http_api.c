#include "http_api.h"

#include <curl/curl.h>

enum { ANSWER_MAX_BYTES = 1 << 20, REQUEST_MAX_BYTES = 65536, URL_MAX_BYTES = 2048 };

void http_api_init(struct http_api *x)
{
    *x = (struct http_api){ 0 };
    buf_init(&x->url, URL_MAX_BYTES);
    buf_init(&x->body, REQUEST_MAX_BYTES);
    buf_init(&x->answer, ANSWER_MAX_BYTES);
}

void http_api_free(struct http_api *x)
{
    buf_free(&x->url);
    buf_free(&x->body);
    buf_free(&x->answer);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
    struct buf *answer = arg;

    buf_add(answer, bytes, size * count);
    return answer->failed ? 0 : size * count;
}

static struct curl_slist *headers_of(const char *token, int64_t wait_s)
{
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/json");
    struct buf authorization = BUF_INIT(1024), prefer = BUF_INIT(64);

    if (wait_s > 0) {
        buf_addf(&prefer, "Prefer: wait=%lld", (long long)wait_s);
        headers = curl_slist_append(headers, buf_text(&prefer));
        buf_free(&prefer);
    }
    if (!token)
        return headers;
    buf_addf(&authorization, "Authorization: Bearer %s", token);
    headers = curl_slist_append(headers, buf_text(&authorization));
    buf_free(&authorization);
    return headers;
}

void http_api_perform(struct http_api *x, const char *token, int64_t timeout_ms)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = headers_of(token, x->wait_s);

    curl_easy_setopt(curl, CURLOPT_URL, buf_text(&x->url));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "smsq/" SMSQ_VERSION);
    if (x->body.len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body.bytes);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)x->body.len);
    }
    if (x->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
    if (result != CURLE_OK) {
        x->status = 0;
        x->reason = curl_easy_strerror(result);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}
