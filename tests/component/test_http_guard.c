// What the HTTP server refuses by itself, before a handler sees it.
#include "http_server.h"
#include "http_site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

// Requests that are judged before a handler runs. The connection lives on unless it
// cannot be trusted any more.
static const struct {
    const char *what, *request;
    int status;
    const char *in_body;
    bool closes;
} judged[] = {
    { "an unknown path", "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404,
      "\"code\":\"not_found\"", false },
    { "a prefix without its slash", "GET /items HTTP/1.1\r\n" HOST "\r\n", 404,
      "not_found", false },
    { "a known path, another method", "PUT /hello HTTP/1.1\r\n" HOST "\r\n", 405,
      "\"code\":\"method_not_allowed\"", false },
    { "another method, with a body",
      "POST /items/1 HTTP/1.1\r\n" HOST LENGTH("2") "\r\nhi", 405, "method_not_allowed",
      false },
    { "a method nobody knows", "BREW /hello HTTP/1.1\r\n" HOST "\r\n", 405,
      "method_not_allowed", false },
    { "OPTIONS of an unknown path", "OPTIONS /nowhere HTTP/1.1\r\n" HOST "\r\n", 404,
      "not_found", false },
    { "the media type with parameters and in capitals",
      "POST /json HTTP/1.1\r\n" HOST
      "Content-Type: Application/JSON ; charset=utf-8\r\n" LENGTH("2") "\r\n{}",
      200, "hello", false },
    { "another media type",
      "POST /json HTTP/1.1\r\n" HOST "Content-Type: text/json\r\n" LENGTH("2") "\r\n{}",
      415, "\"code\":\"unsupported_media_type\"", false },
    { "a longer media type",
      "POST /json HTTP/1.1\r\n" HOST
      "Content-Type: application/json5\r\n" LENGTH("2") "\r\n{}",
      415, "application/json", false },
    { "no media type", "POST /json HTTP/1.1\r\n" HOST LENGTH("2") "\r\n{}", 415,
      "unsupported_media_type", false },
    { "no media type and no body", "POST /json HTTP/1.1\r\n" HOST LENGTH("0") "\r\n", 200,
      "hello", false },
    { "a compressed body",
      "POST /json HTTP/1.1\r\n" HOST JSON
      "Content-Encoding: gzip\r\n" LENGTH("2") "\r\n{}",
      415, "unsupported_media_type", false },
    { "a body announced far too large",
      "POST /json HTTP/1.1\r\n" HOST JSON LENGTH("99999999") "\r\n", 413,
      "\"code\":\"body_too_large\"", true },
    { "a body too large by one whose sender waits",
      "POST /json HTTP/1.1\r\n" HOST JSON
      "Expect: 100-continue\r\n" LENGTH("1001") "\r\n",
      413, "body_too_large", true },
    { "chunks",
      "POST /json HTTP/1.1\r\n" HOST JSON
      "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
      200, "hello", false },
    { "two lengths", "POST /json HTTP/1.1\r\n" HOST JSON LENGTH("2") LENGTH("3") "\r\n{}",
      400, "\"code\":\"bad_request\"", true },
    { "the same length twice",
      "POST /json HTTP/1.1\r\n" HOST JSON LENGTH("2") LENGTH("2") "\r\n{}", 400,
      "bad_request", true },
    { "a length and chunks",
      "POST /json HTTP/1.1\r\n" HOST JSON LENGTH(
          "5") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400, "bad_request", true },
    { "an encoding in front of chunked",
      "POST /json HTTP/1.1\r\n" HOST JSON
      "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      400, "bad_request", true },
    { "an unknown transfer encoding",
      "POST /json HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: x\r\n\r\n", 400,
      "bad_request", true },
    { "a blank before the colon",
      "POST /json HTTP/1.1\r\n" HOST JSON "Content-Length : 2\r\n\r\n{}", 400,
      "bad_request", true },
    { "two hosts", "GET /hello HTTP/1.1\r\n" HOST "Host: other\r\n\r\n", 400,
      "bad_request", true },
    { "no host", "GET /hello HTTP/1.1\r\n\r\n", 400, "bad_request", true },
    { "a blank in the target", "GET /hello x HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "an escaped NUL in the path", "GET /hello%00x HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "an escaped NUL in the query", "GET /hello?a=%00 HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "an escaped line feed in the path", "GET /items/%0a HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "a control character in the path", "GET /items/\x01 HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "a broken escape", "GET /items/%4 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request",
      true },
    { "a dot segment", "GET /items/../hello HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request",
      true },
    { "an escaped dot segment at the end", "GET /items/%2e%2E HTTP/1.1\r\n" HOST "\r\n",
      400, "bad_request", true },
    { "dots in a name", "GET /items/..a...b. HTTP/1.1\r\n" HOST "\r\n", 200, "|..a...b.|",
      false },
    { "a backslash", "GET /items\\..\\hello HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request",
      true },
    { "a path that is not UTF-8", "GET /items/%ff HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "a whole URL as target", "GET http://test/hello HTTP/1.1\r\n" HOST "\r\n", 200,
      "hello", false },
    { "a URL without a host", "GET http:///hello HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
    { "a fragment", "GET /hello#x HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request", true },
};

static void judges_requests_before_the_handler(void **state)
{
    struct site *site = *state;
    site_start(site);
    for (size_t i = 0; i < COUNT_OF(judged); i++) {
        int fd = raw_dial(site->port);

        print_message("%s\n", judged[i].what);
        struct raw_message m = talk(fd, judged[i].request);
        assert_int_equal(m.status, judged[i].status);
        assert_non_null(strstr(m.body, judged[i].in_body));
        if (judged[i].closes)
            assert_true(raw_is_closed(fd));
        else
            assert_talk(fd, GET_HELLO, 200, "hello");
        raw_free(&m);
        close(fd);
    }
}

static void ends_the_connection_on_a_length_that_is_no_number(void **state)
{
    static const char *const lengths[] = { "2, 2", "x", "99999999999999999999" };
    struct site *site = *state;
    char request[256];

    site_start(site);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        int fd = raw_dial(site->port);
        (void)snprintf(request, sizeof(request),
                       "POST /json HTTP/1.1\r\n" HOST JSON "Content-Length: %s\r\n\r\n{}",
                       lengths[i]);
        struct raw_message m = talk(fd, request);
        assert_int_equal(m.status, 400);
        assert_true(raw_is_closed(fd));
        raw_free(&m);
        close(fd);
    }
    assert_int_equal(site_ask(site, site_read_calls), 0);
}

static void says_which_methods_a_path_takes(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    struct raw_message m = talk(fd, "POST /items/1 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 405);
    assert_string_equal(raw_field(&m, "Allow"), "GET, HEAD, DELETE, OPTIONS");
    raw_free(&m);
    m = talk(fd, "OPTIONS /json HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 204);
    assert_string_equal(raw_field(&m, "Allow"), "POST, OPTIONS");
    assert_null(raw_field(&m, "Content-Length"));
    raw_free(&m);
    assert_talk(fd, GET_HELLO, 200, "hello");
    close(fd);
}

static void takes_http_1_0_without_host_and_ends_the_connection(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_talk(fd, "GET /hello HTTP/1.0\r\n\r\n", 200, "hello");
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void answers_head_like_get_without_the_body(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    struct raw_message m = talk(fd, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 200);
    assert_string_equal(raw_field(&m, "Content-Length"), "5");
    raw_free(&m);
    assert_talk(fd, GET_HELLO, 200, "hello");
    close(fd);
}

static void answers_204_and_304_without_what_a_handler_put_in(void **state)
{
    static const char *const requests[] = { "GET /empty/204 HTTP/1.1\r\n" HOST "\r\n",
                                            "GET /empty/304 HTTP/1.1\r\n" HOST "\r\n" };
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct raw_message m = talk(fd, requests[i]);
        assert_int_equal(m.status, i ? 304 : 204);
        assert_null(raw_field(&m, "Content-Length"));
        raw_free(&m);
        assert_talk(fd, GET_HELLO, 200, "hello");
    }
    close(fd);
}

static void problems_say_type_title_status_detail_and_code(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);
    struct raw_message m = talk(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");

    assert_string_equal(raw_field(&m, "Content-Type"), "application/problem+json");
    assert_string_equal(m.body, "{\"type\":\"urn:smsq:problem:not_found\","
                                "\"title\":\"Not Found\",\"status\":404,"
                                "\"detail\":\"there is nothing at this path\","
                                "\"code\":\"not_found\"}");
    raw_free(&m);
    close(fd);
}

static void never_runs_what_hides_behind_an_ambiguous_request(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);
    struct raw_message m =
        talk(fd, "POST /json HTTP/1.1\r\n" HOST JSON LENGTH("2")
                     LENGTH("40") "\r\n{}"
                                  "GET /hello HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.status, 400);
    raw_free(&m);
    assert_false(raw_read(fd, &m, true));
    raw_free(&m);
    assert_int_equal(site_ask(site, site_read_calls), 0);
    close(fd);
}

static void tells_a_waiting_sender_to_go_on(void **state)
{
    struct site *site = *state;
    site_start(site);
    int fd = raw_dial(site->port);

    assert_talk(fd,
                "POST /json HTTP/1.1\r\n" HOST JSON
                "Expect: 100-continue\r\n" LENGTH("2") "\r\n",
                100, "");
    assert_talk(fd, "{}", 200, "hello");
    close(fd);
}

static void refuses_large_headers(void **state)
{
    struct site *site = *state;
    static const struct {
        int bytes, status;
    } sizes[] = { { 16000, 200 }, { 16380, 431 }, { 30000, 431 }, { 70000, 431 } };
    char *filler = xcalloc(1, 70001);
    char *request = xcalloc(1, 70200);

    site_start(site);
    memset(filler, 'f', 70000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        int fd = raw_dial(site->port);
        (void)snprintf(request, 70200, "GET /hello HTTP/1.1\r\n" HOST "X: %.*s\r\n\r\n",
                       sizes[i].bytes, filler);
        struct raw_message m = talk(fd, request);
        assert_int_equal(m.status, sizes[i].status);
        raw_free(&m);
        close(fd);
    }
    free(filler);
    free(request);
}

static void refuses_bodies_larger_than_the_route_takes(void **state)
{
    static const struct {
        const char *what, *format;
        int bytes, status;
    } bodies[] = {
        { "one too many", "POST /echo HTTP/1.1\r\n" HOST LENGTH("1001") "\r\n%s", 1001,
          413 },
        { "one too many in a chunk",
          "POST /echo HTTP/1.1\r\n" HOST
          "Transfer-Encoding: chunked\r\n\r\n3e9\r\n%s\r\n0\r\n\r\n",
          1001, 413 },
        { "just as many as allowed",
          "POST /echo HTTP/1.1\r\n" HOST LENGTH("1000") "\r\n%s", 1000, 200 },
    };
    struct site *site = *state;
    struct buf request = BUF_INIT(2000);
    char body[SITE_BODY_MAX_BYTES + 2] = { 0 };

    site_start(site);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        int fd = raw_dial(site->port);
        const char *place = strstr(bodies[i].format, "%s");
        print_message("%s\n", bodies[i].what);
        memset(body, 0, sizeof(body));
        memset(body, 'x', (size_t)bodies[i].bytes);
        buf_clear(&request);
        buf_add(&request, bodies[i].format, (size_t)(place - bodies[i].format));
        buf_add_text(&request, body);
        buf_add_text(&request, place + 2);
        struct raw_message m = talk(fd, buf_text(&request));
        assert_int_equal(m.status, bodies[i].status);
        raw_free(&m);
        close(fd);
    }
    assert_int_equal(site_ask(site, site_read_calls), 1);
    buf_free(&request);
}

static void cuts_off_a_chunked_body_without_end(void **state)
{
    struct site *site = *state;
    char chunk[1100];
    size_t sent = 0;

    site_start(site);
    int fd = raw_dial(site->port);
    assert_true(
        raw_say(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    (void)snprintf(chunk, sizeof(chunk), "3e8\r\n%01000d\r\n", 0);
    while (sent < 100000000 && raw_say(fd, chunk))
        sent += 1000;
    assert_in_range(sent, 1, 20000000);  // what the sockets' buffers swallow
    assert_int_equal(site_ask(site, site_read_calls), 0);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(judges_requests_before_the_handler),
        TEST(ends_the_connection_on_a_length_that_is_no_number),
        TEST(says_which_methods_a_path_takes),
        TEST(takes_http_1_0_without_host_and_ends_the_connection),
        TEST(answers_head_like_get_without_the_body),
        TEST(answers_204_and_304_without_what_a_handler_put_in),
        TEST(problems_say_type_title_status_detail_and_code),
        TEST(never_runs_what_hides_behind_an_ambiguous_request),
        TEST(tells_a_waiting_sender_to_go_on),
        TEST(refuses_large_headers),
        TEST(refuses_bodies_larger_than_the_route_takes),
        TEST(cuts_off_a_chunked_body_without_end),
    };
    return cmocka_run_group_tests_name("http_guard", tests, NULL, NULL);
}
