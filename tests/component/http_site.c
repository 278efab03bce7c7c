#include "http_site.h"

#include "metrics.h"
#include "reactor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// --- handlers ---

static void answer_text(struct http_request *req, const char *text)
{
    http_answer(req, 200, "text/plain", text, strlen(text), NULL);
}

static void on_hello(void *arg, struct http_request *req)
{
    struct site *site = arg;
    site->calls++;
    answer_text(req, "hello");
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

static void on_echo(void *arg, struct http_request *req)
{
    struct site *site = arg;
    struct buf out = BUF_INIT(65536);
    size_t len;
    const char *body = http_request_body(req, &len);

    site->calls++;
    buf_addf(&out, "%s|%s|%s|%s|", http_request_method(req), http_request_target(req),
             http_request_path(req), http_request_rest(req));
    buf_addf(&out, "q=%s|x=%s|%s|", or_none(http_request_query(req, "q")),
             or_none(http_request_header(req, "X-Thing")), http_request_peer(req));
    buf_add(&out, body, len);
    assert_true(http_request_began_us(req) <= clock_boot_us());
    answer_text(req, buf_text(&out));
    buf_free(&out);
}

void site_answer_all(void *arg)
{
    struct site *site = arg;
    for (size_t i = 0; i < site->waiting_count; i++)
        answer_text(site->waiting[i], "at last");
    site->waiting_count = 0;
}

static void on_later(void *arg, struct http_request *req)
{
    struct site *site = arg;
    site->calls++;
    site->waiting[site->waiting_count++] = req;
    if (site->waiting_count == site->answer_at)
        reactor_timer_set(site->later, 0);
}

static void on_big(void *arg, struct http_request *req)
{
    char *bytes = xcalloc(1, SITE_BIG_BYTES);
    (void)arg;
    memset(bytes, 'b', SITE_BIG_BYTES);
    http_answer(req, 200, "text/plain", bytes, SITE_BIG_BYTES, NULL);
    free(bytes);
}

static void on_split(void *arg, struct http_request *req)
{
    const struct http_header headers[] = { { "X-Good", "yes" },
                                           { "X-Bad", "a\r\nX-Evil: yes" },
                                           { NULL, NULL } };
    (void)arg;
    http_answer(req, 201, NULL, NULL, 0, headers);
}

// A mistake of the handler's: such an answer has no body.
static void on_empty(void *arg, struct http_request *req)
{
    static const char stray[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    int status = strcmp(http_request_rest(req), "304") == 0 ? 304 : 204;

    (void)arg;
    http_answer(req, status, NULL, stray, strlen(stray), NULL);
}

const struct http_route site_routes[] = {
    { "GET", "/hello", on_hello, 0, NULL },
    { "POST", "/json", on_hello, SITE_BODY_MAX_BYTES, "application/json" },
    { "POST", "/echo", on_echo, SITE_BODY_MAX_BYTES, NULL },
    { "GET", "/items/*", on_echo, 0, NULL },
    { "GET", "/items/special", on_hello, 0, NULL },
    { "DELETE", "/items/*", on_hello, 0, NULL },
    { "POST", "/later", on_later, SITE_BODY_MAX_BYTES, NULL },
    { "GET", "/big", on_big, 0, NULL },
    { "GET", "/split", on_split, 0, NULL },
    { "GET", "/empty/*", on_empty, 0, NULL },
    { 0 },
};

// --- the server, on its thread ---

int site_setup(void **state)
{
    struct site *site = xcalloc(1, sizeof(*site));

    site->set = (struct http_server_settings){ .address = "127.0.0.1",
                                               .connections_max = 600,
                                               .limits = &site->limits,
                                               .header_max_bytes = HTTP_HEADER_MAX_BYTES,
                                               .name = "test" };
    site->limits = http_limits_default;
    site->metrics = metrics_new();
    buf_init(&site->exposition, 65536);
    loop_open(&site->loop);
    site->later = reactor_timer_new(site->loop.reactor, site_answer_all, site);
    *state = site;
    return 0;
}

void site_start(struct site *site)
{
    struct err err = { 0 };
    assert_int_equal(http_server_open(&site->server, site->loop.reactor, &site->set,
                                      site_routes, site, site->metrics, &err),
                     OUTCOME_OK);
    site->port = http_server_port(site->server);
    loop_start(&site->loop);
}

void site_close(void *arg)
{
    struct site *site = arg;
    http_server_close(site->server);
    site->server = NULL;
    site->waiting_count = 0;
}

int site_teardown(void **state)
{
    struct site *site = *state;

    loop_do(&site->loop, site_close, site);
    reactor_timer_free(site->later);
    loop_close(&site->loop);
    metrics_free(site->metrics);
    buf_free(&site->exposition);
    free(site);
    return 0;
}

void site_read_in_hand(void *arg)
{
    struct site *site = arg;
    site->seen = http_server_in_hand(site->server);
}

void site_read_waiting(void *arg)
{
    struct site *site = arg;
    site->seen = site->waiting_count;
}

void site_read_calls(void *arg)
{
    struct site *site = arg;
    site->seen = site->calls;
}

size_t site_ask(struct site *site, void (*job)(void *arg))
{
    loop_do(&site->loop, job, site);
    return site->seen;
}

void site_wait_for(struct site *site, void (*job)(void *arg), size_t wanted)
{
    int64_t deadline = clock_boot_us() + RAW_WAIT_S * 1000000LL;
    while (site_ask(site, job) != wanted && clock_boot_us() < deadline)
        usleep(1000);
    assert_int_equal(site->seen, wanted);
}

struct raw_message talk(int fd, const char *text)
{
    struct raw_message m;
    assert_true(raw_say(fd, text));
    assert_true(raw_read(fd, &m, strncmp(text, "HEAD", 4) != 0));
    return m;
}

void assert_talk(int fd, const char *text, int status, const char *body)
{
    struct raw_message m = talk(fd, text);
    assert_int_equal(m.status, status);
    assert_string_equal(m.body, body);
    raw_free(&m);
}

void assert_answer(int fd, int status, const char *body)
{
    assert_talk(fd, "", status, body);
}
