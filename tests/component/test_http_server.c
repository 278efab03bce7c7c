// The HTTP server against real sockets: the loop turns in a thread of its own, the test
// speaks to it byte by byte.
#include "buf.h"
#include "http_server.h"
#include "metrics.h"
#include "raw_http.h"
#include "reactor.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { LATER_MAX = 512, BODY_MAX_BYTES = 1000, BIG_BYTES = 1 << 20 };

struct fixture {
    struct reactor *reactor;
    struct http_server *server;
    struct metrics *metrics;
    struct reactor_timer *later;
    struct http_request *waiting[LATER_MAX];
    size_t waiting_count;
    size_t answer_at;  // that many wait: answer all; 0 = only when told
    size_t calls;      // of any handler
    int port;
    int wake_fd;
    void (*job)(struct fixture *f);
    sem_t job_done;
    size_t seen;  // what a job read on the loop's thread
    struct buf exposition;
    pthread_t thread;
    struct http_server_settings set;
};

// --- handlers ---

static void answer_text(struct http_request *req, const char *text)
{
    http_answer(req, 200, "text/plain", text, strlen(text), NULL);
}

static void on_hello(void *arg, struct http_request *req)
{
    struct fixture *f = arg;
    f->calls++;
    answer_text(req, "hello");
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

static void on_echo(void *arg, struct http_request *req)
{
    struct fixture *f = arg;
    struct buf out = BUF_INIT(65536);
    size_t len;
    const char *body = http_request_body(req, &len);

    f->calls++;
    buf_addf(&out, "%s|%s|%s|%s|", http_request_method(req), http_request_target(req),
             http_request_path(req), http_request_rest(req));
    buf_addf(&out, "q=%s|x=%s|%s|", or_none(http_request_query(req, "q")),
             or_none(http_request_header(req, "X-Thing")), http_request_peer(req));
    buf_add(&out, body, len);
    assert_true(http_request_began_us(req) <= clock_boot_us());
    answer_text(req, buf_text(&out));
    buf_free(&out);
}

static void answer_all(void *arg)
{
    struct fixture *f = arg;
    for (size_t i = 0; i < f->waiting_count; i++)
        answer_text(f->waiting[i], "at last");
    f->waiting_count = 0;
}

static void on_later(void *arg, struct http_request *req)
{
    struct fixture *f = arg;
    f->calls++;
    f->waiting[f->waiting_count++] = req;
    if (f->waiting_count == f->answer_at)
        reactor_timer_set(f->later, 0);
}

static void on_big(void *arg, struct http_request *req)
{
    char *bytes = xcalloc(1, BIG_BYTES);
    (void)arg;
    memset(bytes, 'b', BIG_BYTES);
    http_answer(req, 200, "text/plain", bytes, BIG_BYTES, NULL);
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

static const struct http_route routes[] = {
    { "GET", "/hello", on_hello, 0, NULL },
    { "POST", "/json", on_hello, BODY_MAX_BYTES, "application/json" },
    { "POST", "/echo", on_echo, BODY_MAX_BYTES, NULL },
    { "GET", "/items/*", on_echo, 0, NULL },
    { "GET", "/items/special", on_hello, 0, NULL },
    { "DELETE", "/items/*", on_hello, 0, NULL },
    { "POST", "/later", on_later, BODY_MAX_BYTES, NULL },
    { "GET", "/big", on_big, 0, NULL },
    { "GET", "/split", on_split, 0, NULL },
    { 0 },
};

// --- the loop's thread ---

static void on_wake(void *arg)
{
    struct fixture *f = arg;
    f->job(f);
    sem_post(&f->job_done);
}

// Runs job on the loop's thread and waits for it.
static void on_loop(struct fixture *f, void (*job)(struct fixture *f))
{
    const uint64_t one = 1;
    f->job = job;
    assert_int_equal(write(f->wake_fd, &one, sizeof(one)), sizeof(one));
    sem_wait(&f->job_done);
}

static void *turn(void *arg)
{
    struct fixture *f = arg;
    reactor_run(f->reactor);
    return NULL;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err err = { 0 };

    f->set = (struct http_server_settings){ .address = "127.0.0.1",
                                            .connections_max = 600,
                                            .idle_timeout_us = 30000000,
                                            .header_max_bytes = HTTP_HEADER_MAX_BYTES,
                                            .name = "test" };
    f->metrics = metrics_new();
    buf_init(&f->exposition, 65536);
    sem_init(&f->job_done, 0, 0);
    if (reactor_open(&f->reactor, &err) ||
        reactor_eventfd(&f->wake_fd, f->reactor, on_wake, f, &err))
        return -1;
    f->later = reactor_timer_new(f->reactor, answer_all, f);
    *state = f;
    return 0;
}

static void start(struct fixture *f)
{
    struct err err = { 0 };
    assert_int_equal(http_server_open(&f->server, f->reactor, &f->set, routes, f,
                                      f->metrics, &err),
                     OUTCOME_OK);
    f->port = http_server_port(f->server);
    assert_int_equal(pthread_create(&f->thread, NULL, turn, f), 0);
}

static void close_server(struct fixture *f)
{
    http_server_close(f->server);
    f->server = NULL;
    f->waiting_count = 0;
}

static void stop_loop(struct fixture *f)
{
    reactor_stop(f->reactor);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->thread) {
        on_loop(f, close_server);
        on_loop(f, stop_loop);
        pthread_join(f->thread, NULL);
    }
    reactor_eventfd_close(f->reactor, f->wake_fd);
    reactor_timer_free(f->later);
    reactor_close(f->reactor);
    metrics_free(f->metrics);
    buf_free(&f->exposition);
    sem_destroy(&f->job_done);
    free(f);
    return 0;
}

static void read_in_hand(struct fixture *f)
{
    f->seen = http_server_in_hand(f->server);
}

static void read_waiting(struct fixture *f)
{
    f->seen = f->waiting_count;
}

static void read_calls(struct fixture *f)
{
    f->seen = f->calls;
}

static size_t ask(struct fixture *f, void (*job)(struct fixture *f))
{
    on_loop(f, job);
    return f->seen;
}

// Waits until job reads wanted; a test must not hang, so it gives up after a while.
static void wait_for(struct fixture *f, void (*job)(struct fixture *f), size_t wanted)
{
    int64_t deadline = clock_boot_us() + RAW_WAIT_S * 1000000LL;
    while (ask(f, job) != wanted && clock_boot_us() < deadline)
        usleep(1000);
    assert_int_equal(f->seen, wanted);
}

static void answer_now(struct fixture *f)
{
    answer_all(f);
}

// Says text and reads the one answer to it.
static struct raw_message talk(int fd, const char *text)
{
    struct raw_message m;
    assert_true(raw_say(fd, text));
    assert_true(raw_read(fd, &m, strncmp(text, "HEAD", 4) != 0));
    return m;
}

static void assert_talk(int fd, const char *text, int status, const char *body)
{
    struct raw_message m = talk(fd, text);
    assert_int_equal(m.status, status);
    assert_string_equal(m.body, body);
    raw_free(&m);
}

static void assert_answer(int fd, int status, const char *body)
{
    assert_talk(fd, "", status, body);
}

#define HOST      "Host: test\r\n"
#define JSON      "Content-Type: application/json\r\n"
#define LENGTH(n) "Content-Length: " n "\r\n"

static const char get_hello[] = "GET /hello HTTP/1.1\r\n" HOST "\r\n";
static const char post_later[] = "POST /later HTTP/1.1\r\n" HOST LENGTH("2") "\r\nhi";

// --- tests ---

static void answers_at_once_and_keeps_the_connection(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    for (int i = 0; i < 3; i++) {
        struct raw_message m = talk(fd, get_hello);
        assert_int_equal(m.status, 200);
        assert_string_equal(m.body, "hello");
        assert_string_equal(raw_field(&m, "Content-Type"), "text/plain");
        assert_non_null(raw_field(&m, "Date"));
        raw_free(&m);
    }
    close(fd);
}

static void gives_the_handler_all_parts_of_the_request(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_talk(fd,
                "GET /items/a%20b/c?q=x%2By+z&e HTTP/1.1\r\n" HOST "x-thing: 7\r\n\r\n",
                200,
                "GET|/items/a%20b/c?q=x%2By+z&e|/items/a b/c|a b/c|q=x+y z|x=7|"
                "127.0.0.1|");
    assert_talk(fd, "GET /items/?q HTTP/1.1\r\n" HOST "\r\n", 200,
                "GET|/items/?q|/items/||q=|x=none|127.0.0.1|");
    assert_talk(fd, "POST /echo HTTP/1.1\r\n" HOST LENGTH("3") "\r\nabc", 200,
                "POST|/echo|/echo||q=none|x=none|127.0.0.1|abc");
    assert_talk(fd, "GET /items/special HTTP/1.1\r\n" HOST "\r\n", 200, "hello");
    close(fd);
}

static void answers_later(void **state)
{
    struct fixture *f = *state;
    f->answer_at = 1;
    start(f);
    int fd = raw_dial(f->port);

    for (int i = 0; i < 3; i++)
        assert_talk(fd, post_later, 200, "at last");
    close(fd);
    wait_for(f, read_in_hand, 0);
}

static void answers_hundreds_that_waited_in_one_turn(void **state)
{
    struct fixture *f = *state;
    int fds[LATER_MAX];
    f->answer_at = LATER_MAX;
    start(f);

    for (size_t i = 0; i < LATER_MAX; i++) {
        fds[i] = raw_dial(f->port);
        assert_true(raw_say(fds[i], post_later));
    }
    for (size_t i = 0; i < LATER_MAX; i++) {
        assert_answer(fds[i], 200, "at last");
        close(fds[i]);
    }
    wait_for(f, read_in_hand, 0);
}

static void answers_pipelined_requests_in_order(void **state)
{
    struct fixture *f = *state;
    f->answer_at = 1;
    start(f);
    int fd = raw_dial(f->port);

    assert_true(raw_say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n"
                            "POST /later HTTP/1.1\r\n" HOST LENGTH(
                                "0") "\r\n"
                                     "GET /hello HTTP/1.1\r\n" HOST "\r\n"));
    assert_answer(fd, 200, "hello");
    assert_answer(fd, 200, "at last");
    assert_answer(fd, 200, "hello");
    close(fd);
}

static void answers_a_client_that_closed_its_sending_half(void **state)
{
    struct fixture *f = *state;
    f->answer_at = 1;
    start(f);
    int fd = raw_dial(f->port);

    assert_true(raw_say(fd, post_later));
    shutdown(fd, SHUT_WR);
    assert_answer(fd, 200, "at last");
    close(fd);
}

static void delivers_large_answers_whole(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);
    struct raw_message m = talk(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.body_len, BIG_BYTES);
    assert_int_equal(strspn(m.body, "b"), BIG_BYTES);
    raw_free(&m);
    close(fd);
}

static void leaves_out_header_values_that_would_split_the_answer(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);
    struct raw_message m = talk(fd, "GET /split HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.status, 201);
    assert_string_equal(raw_field(&m, "X-Good"), "yes");
    assert_null(raw_field(&m, "X-Evil"));
    assert_null(raw_field(&m, "X-Bad"));
    raw_free(&m);
    close(fd);
}

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
    { "a whole URL as target", "GET http://test/hello HTTP/1.1\r\n" HOST "\r\n", 400,
      "bad_request", true },
};

static void judges_requests_before_the_handler(void **state)
{
    struct fixture *f = *state;
    start(f);
    for (size_t i = 0; i < COUNT_OF(judged); i++) {
        int fd = raw_dial(f->port);

        print_message("%s\n", judged[i].what);
        struct raw_message m = talk(fd, judged[i].request);
        assert_int_equal(m.status, judged[i].status);
        assert_non_null(strstr(m.body, judged[i].in_body));
        if (judged[i].closes)
            assert_true(raw_is_closed(fd));
        else
            assert_talk(fd, get_hello, 200, "hello");
        raw_free(&m);
        close(fd);
    }
}

// libmicrohttpd itself refuses these, and 0.9.75 writes the header of that answer twice;
// what counts is that nothing runs and the connection ends.
static void ends_the_connection_on_a_length_that_is_no_number(void **state)
{
    static const char *const lengths[] = { "2, 2", "x", "99999999999999999999" };
    struct fixture *f = *state;
    char request[256], rest[4096];

    start(f);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        int fd = raw_dial(f->port);
        (void)snprintf(request, sizeof(request),
                       "POST /json HTTP/1.1\r\n" HOST JSON "Content-Length: %s\r\n\r\n{}",
                       lengths[i]);
        struct raw_message m = talk(fd, request);
        assert_true(m.status == 400 || m.status == 413);
        while (recv(fd, rest, sizeof(rest), 0) > 0)
            continue;
        assert_true(raw_is_closed(fd));
        raw_free(&m);
        close(fd);
    }
    assert_int_equal(ask(f, read_calls), 0);
}

static void says_which_methods_a_path_takes(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    struct raw_message m = talk(fd, "POST /items/1 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 405);
    assert_string_equal(raw_field(&m, "Allow"), "GET, HEAD, DELETE, OPTIONS");
    raw_free(&m);
    m = talk(fd, "OPTIONS /json HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 204);
    assert_string_equal(raw_field(&m, "Allow"), "POST, OPTIONS");
    assert_null(raw_field(&m, "Content-Length"));
    raw_free(&m);
    assert_talk(fd, get_hello, 200, "hello");
    close(fd);
}

static void takes_http_1_0_without_host_and_ends_the_connection(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_talk(fd, "GET /hello HTTP/1.0\r\n\r\n", 200, "hello");
    assert_true(raw_is_closed(fd));
    close(fd);
}

static void answers_head_like_get_without_the_body(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    struct raw_message m = talk(fd, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(m.status, 200);
    assert_string_equal(raw_field(&m, "Content-Length"), "5");
    raw_free(&m);
    assert_talk(fd, get_hello, 200, "hello");
    close(fd);
}

static void problems_say_type_title_status_detail_and_code(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);
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
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);
    struct raw_message m =
        talk(fd, "POST /json HTTP/1.1\r\n" HOST JSON LENGTH("2")
                     LENGTH("40") "\r\n{}"
                                  "GET /hello HTTP/1.1\r\n" HOST "\r\n");

    assert_int_equal(m.status, 400);
    raw_free(&m);
    assert_false(raw_read(fd, &m, true));
    raw_free(&m);
    assert_int_equal(ask(f, read_calls), 0);
    close(fd);
}

static void tells_a_waiting_sender_to_go_on(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_talk(fd,
                "POST /json HTTP/1.1\r\n" HOST JSON
                "Expect: 100-continue\r\n" LENGTH("2") "\r\n",
                100, "");
    assert_talk(fd, "{}", 200, "hello");
    close(fd);
}

static void refuses_large_headers(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int bytes, status;
    } sizes[] = { { 16000, 200 }, { 16380, 431 }, { 30000, 431 }, { 70000, 431 } };
    char *filler = xcalloc(1, 70001);
    char *request = xcalloc(1, 70200);

    start(f);
    memset(filler, 'f', 70000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        int fd = raw_dial(f->port);
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
    struct fixture *f = *state;
    struct buf request = BUF_INIT(2000);
    char body[BODY_MAX_BYTES + 2] = { 0 };

    start(f);
    int fd = raw_dial(f->port);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
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
    }
    assert_int_equal(ask(f, read_calls), 1);
    buf_free(&request);
    close(fd);
}

static void cuts_off_a_chunked_body_without_end(void **state)
{
    struct fixture *f = *state;
    char chunk[1100];
    size_t sent = 0;

    start(f);
    int fd = raw_dial(f->port);
    assert_true(
        raw_say(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
    (void)snprintf(chunk, sizeof(chunk), "3e8\r\n%01000d\r\n", 0);
    while (sent < 100000000 && raw_say(fd, chunk))
        sent += 1000;
    assert_in_range(sent, 1, 20000000);  // what the sockets' buffers swallow
    assert_int_equal(ask(f, read_calls), 0);
    close(fd);
}

static void survives_clients_that_leave_while_they_wait(void **state)
{
    struct fixture *f = *state;
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    int fds[20];

    start(f);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = raw_dial(f->port);
        assert_true(raw_say(fds[i], post_later));
    }
    wait_for(f, read_waiting, COUNT_OF(fds));
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (i % 2)
            setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fds[i]);
    }
    int fd = raw_dial(f->port);
    assert_talk(fd, get_hello, 200, "hello");
    assert_int_equal(ask(f, read_waiting), COUNT_OF(fds));
    on_loop(f, answer_now);
    wait_for(f, read_in_hand, 0);
    assert_talk(fd, get_hello, 200, "hello");
    close(fd);
}

static void closing_answers_those_that_wait_with_503(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_true(raw_say(fd, post_later));
    wait_for(f, read_waiting, 1);
    on_loop(f, close_server);
    struct raw_message m = talk(fd, "");
    assert_int_equal(m.status, 503);
    assert_non_null(raw_field(&m, "Retry-After"));
    assert_true(raw_is_closed(fd));
    raw_free(&m);
    close(fd);
}

static void stop_listening(struct fixture *f)
{
    http_server_stop_listening(f->server);
}

static void stops_listening_but_finishes_what_it_has(void **state)
{
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_true(raw_say(fd, post_later));
    wait_for(f, read_waiting, 1);
    on_loop(f, stop_listening);
    assert_int_equal(raw_dial(f->port), -1);
    assert_int_equal(ask(f, read_in_hand), 1);
    on_loop(f, answer_now);
    struct raw_message m = talk(fd, "");
    assert_int_equal(m.status, 200);
    assert_string_equal(raw_field(&m, "Connection"), "close");
    raw_free(&m);
    assert_true(raw_is_closed(fd));
    wait_for(f, read_in_hand, 0);
    close(fd);
}

static void says_which_port_is_in_use(void **state)
{
    struct fixture *f = *state;
    struct http_server *second = NULL;
    struct err err = { 0 };
    char wanted[128];

    start(f);
    f->set.port = f->port;
    assert_int_equal(http_server_open(&second, f->reactor, &f->set, routes, f, NULL,
                                      &err),
                     OUTCOME_FATAL);
    assert_null(second);
    (void)snprintf(wanted, sizeof(wanted),
                   "cannot listen on 127.0.0.1:%d: Address already in use", f->port);
    assert_string_equal(err.text, wanted);
}

static void ends_idle_and_slow_connections(void **state)
{
    struct fixture *f = *state;
    f->set.idle_timeout_us = 1000000;
    start(f);
    int idle = raw_dial(f->port);
    int slow = raw_dial(f->port);

    assert_talk(idle, get_hello, 200, "hello");
    assert_true(raw_say(slow, "POST /echo HTTP/1.1\r\n" HOST LENGTH("5") "\r\nab"));
    assert_true(raw_is_closed(idle));
    assert_true(raw_is_closed(slow));
    wait_for(f, read_in_hand, 0);
    close(idle);
    close(slow);
}

static void takes_the_next_client_when_one_of_the_allowed_leaves(void **state)
{
    struct fixture *f = *state;
    const struct timeval soon = { .tv_usec = 200000 };
    char c;

    f->set.connections_max = 2;
    start(f);
    int first = raw_dial(f->port), second = raw_dial(f->port);
    assert_talk(first, get_hello, 200, "hello");
    assert_talk(second, get_hello, 200, "hello");
    int third = raw_dial(f->port);
    setsockopt(third, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    assert_true(raw_say(third, get_hello));
    assert_int_equal(recv(third, &c, 1, 0), -1);
    close(first);
    raw_deadline(third);
    assert_answer(third, 200, "hello");
    close(second);
    close(third);
}

static void render(struct fixture *f)
{
    metrics_render(f->metrics, &f->exposition);
}

static void counts_answers_by_class(void **state)
{
    static const char *const lines[] = {
        "smsq_http_requests_total{server=\"test\",code=\"2xx\"} 2\n",
        "smsq_http_requests_total{server=\"test\",code=\"4xx\"} 1\n",
        "smsq_http_request_seconds_count{server=\"test\"} 3\n",
    };
    struct fixture *f = *state;
    start(f);
    int fd = raw_dial(f->port);

    assert_talk(fd, get_hello, 200, "hello");
    assert_talk(fd, get_hello, 200, "hello");
    struct raw_message m = talk(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    raw_free(&m);
    wait_for(f, read_in_hand, 0);
    on_loop(f, render);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_non_null(strstr(buf_text(&f->exposition), lines[i]));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_at_once_and_keeps_the_connection),
        TEST(gives_the_handler_all_parts_of_the_request),
        TEST(answers_later),
        TEST(answers_hundreds_that_waited_in_one_turn),
        TEST(answers_pipelined_requests_in_order),
        TEST(answers_a_client_that_closed_its_sending_half),
        TEST(delivers_large_answers_whole),
        TEST(leaves_out_header_values_that_would_split_the_answer),
        TEST(judges_requests_before_the_handler),
        TEST(ends_the_connection_on_a_length_that_is_no_number),
        TEST(says_which_methods_a_path_takes),
        TEST(takes_http_1_0_without_host_and_ends_the_connection),
        TEST(answers_head_like_get_without_the_body),
        TEST(problems_say_type_title_status_detail_and_code),
        TEST(never_runs_what_hides_behind_an_ambiguous_request),
        TEST(tells_a_waiting_sender_to_go_on),
        TEST(refuses_large_headers),
        TEST(refuses_bodies_larger_than_the_route_takes),
        TEST(cuts_off_a_chunked_body_without_end),
        TEST(survives_clients_that_leave_while_they_wait),
        TEST(closing_answers_those_that_wait_with_503),
        TEST(stops_listening_but_finishes_what_it_has),
        TEST(says_which_port_is_in_use),
        TEST(ends_idle_and_slow_connections),
        TEST(takes_the_next_client_when_one_of_the_allowed_leaves),
        TEST(counts_answers_by_class),
    };
    return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}
