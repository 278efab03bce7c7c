// Answers of HTTP servers, whole and in pieces of every size.
#include "http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BODY_MAX_BYTES = 10 };
#define BAD  HTTP_REPLY_MALFORMED
#define DONE HTTP_REPLY_DONE
#define LONG HTTP_REPLY_TOO_LONG
#define OK   "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *what, *bytes;
    enum http_reply_state state;
    int status;        // of what is done
    const char *body;  // likewise
    bool keeps_alive;
    bool with_end;  // the connection ends behind it
} replies[] = {
    { "a length", OK "Content-Length: 2\r\n\r\nok", DONE, 200, "ok", true, false },
    { "no body", OK "content-length:0\r\n\r\n", DONE, 200, "", true, false },
    { "chunks", OK "Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", DONE, 200,
      "ok", true, false },
    { "no words behind the status", "HTTP/1.1 201\r\nContent-Length: 1\r\n\r\n1", DONE,
      201, "1", true, false },
    { "line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 1\n\n1", DONE, 200, "1", true,
      false },
    { "up to the end", OK "A: b\r\n\r\nok", DONE, 200, "ok", false, true },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", DONE, 200, "1", false,
      false },
    { "close", OK "Connection: a , Close\r\nContent-Length: 1\r\n\r\n1", DONE, 200, "1",
      false, false },
    { "not quite close", OK "Connection: closed\r\nContent-Length: 1\r\n\r\n1", DONE, 200,
      "1", true, false },
    { "204 has none", "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", DONE, 204, "", true,
      false },
    { "304 has none", "HTTP/1.1 304 No\r\n\r\n", DONE, 304, "", true, false },
    { "after interim answers",
      "HTTP/1.1 100 Go\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Hints\r\n"
      "Connection: close\r\n\r\n" OK "Content-Length: 1\r\n\r\n1",
      DONE, 200, "1", true, false },
    { "length and chunks",
      OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      DONE, 200, "a", false, false },
    { "the same length twice", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n1", DONE,
      200, "1", true, false },
    { "as long as allowed", OK "Content-Length: 10\r\n\r\n0123456789", DONE, 200,
      "0123456789", true, false },
    { "too long", OK "Content-Length: 11\r\n\r\n", LONG, 0, NULL, false, false },
    { "too many chunks",
      OK "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\na\r\n", LONG, 0, NULL,
      false, false },
    { "too long up to the end", OK "\r\n01234567890", LONG, 0, NULL, false, false },
    { "two lengths", OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", BAD, 0, NULL,
      false, false },
    { "an empty length", OK "Content-Length:\r\n\r\n", BAD, 0, NULL, false, false },
    { "a length with a sign", OK "Content-Length: +1\r\n\r\n", BAD, 0, NULL, false,
      false },
    { "a length beyond all", OK "Content-Length: 9999999999999999999\r\n\r\n", BAD, 0,
      NULL, false, false },
    { "another encoding", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", BAD, 0, NULL,
      false, false },
    { "chunked twice",
      OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", BAD, 0, NULL,
      false, false },
    { "a bad chunk", OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", BAD, 0, NULL, false,
      false },
    { "another protocol", "HTTP/1.1 101 Switching\r\n\r\n", BAD, 0, NULL, false, false },
    { "HTTP/2", "HTTP/2 200 OK\r\n\r\n", BAD, 0, NULL, false, false },
    { "no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", BAD, 0, NULL, false, false },
    { "no status", "HTTP/1.1 OK\r\n\r\n", BAD, 0, NULL, false, false },
    { "a long status", "HTTP/1.1 2000 OK\r\n\r\n", BAD, 0, NULL, false, false },
    { "a status of 0", "HTTP/1.1 012 OK\r\n\r\n", BAD, 0, NULL, false, false },
    { "no colon", OK "abc\r\n\r\n", BAD, 0, NULL, false, false },
    { "no name", OK ": abc\r\n\r\n", BAD, 0, NULL, false, false },
    { "a blank before the colon", OK "Content-Length : 1\r\n\r\n", BAD, 0, NULL, false,
      false },
    { "a folded line", OK "A: b\r\n c\r\n\r\n", BAD, 0, NULL, false, false },
    { "cut in the head", OK "Content-Le", HTTP_REPLY_FIELDS, 0, NULL, false, true },
    { "cut in the body", OK "Content-Length: 3\r\n\r\nok", HTTP_REPLY_LENGTH, 0, NULL,
      false, true },
    { "cut in a chunk", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nok", HTTP_REPLY_CHUNKS,
      0, NULL, false, true },
};

static void feed(struct http_reply *r, const char *bytes, size_t step)
{
    size_t all = strlen(bytes);

    for (size_t at = 0; at < all && r->state < DONE; at += step)
        (void)http_reply_read(r, bytes + at, all - at < step ? all - at : step);
}

static void reads_answers_whole_and_in_pieces(void **state)
{
    struct http_reply r;

    (void)state;
    http_reply_init(&r, BODY_MAX_BYTES);
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        print_message("%s\n", replies[i].what);
        for (size_t step = 1; step <= strlen(replies[i].bytes); step++) {
            http_reply_begin(&r);
            feed(&r, replies[i].bytes, step);
            if (replies[i].with_end)
                http_reply_ended(&r);
            assert_int_equal(r.state, replies[i].state);
            if (r.state != DONE)
                continue;
            assert_int_equal(r.status, replies[i].status);
            assert_string_equal(buf_text(&r.body), replies[i].body);
            assert_int_equal(r.keeps_alive, replies[i].keeps_alive);
        }
    }
    http_reply_free(&r);
}

static void takes_no_byte_behind_the_answer(void **state)
{
    static const char first[] = OK "Content-Length: 2\r\n\r\nok";
    struct http_reply r;

    (void)state;
    http_reply_init(&r, BODY_MAX_BYTES);
    assert_int_equal(http_reply_read(&r, OK "Content-Length: 2\r\n\r\nokHTTP", 42),
                     sizeof(first) - 1);
    assert_int_equal(r.state, DONE);
    http_reply_begin(&r);
    r.is_bare = true;  // of a HEAD
    feed(&r, OK "Content-Length: 2\r\n\r\n", 100);
    assert_int_equal(r.state, DONE);
    http_reply_free(&r);
}

static void tells_type_and_errors(void **state)
{
    struct http_reply r;

    (void)state;
    http_reply_init(&r, BODY_MAX_BYTES);
    feed(&r, OK "Content-Type:  text/plain; a=b \r\nContent-Length: 0\r\n\r\n", 7);
    assert_string_equal(r.content_type, "text/plain; a=b");
    http_reply_begin(&r);
    assert_string_equal(r.content_type, "");
    assert_string_equal(http_reply_error(&r),
                        "the connection closed before an answer; not sent again");
    feed(&r, OK, 100);
    assert_string_equal(http_reply_error(&r),
                        "the connection closed in the midst of the answer");
    feed(&r, "Content-Length: 11\r\n\r\n", 100);
    assert_string_equal(http_reply_error(&r), "the answer is longer than 10 bytes");
    http_reply_free(&r);
}

// Feeds fields of so many bytes until the head is refused; returns how many it took.
static size_t fields_taken(struct http_reply *r, size_t bytes, size_t step)
{
    struct buf line = BUF_INIT(1 << 20);
    size_t count = 0;

    buf_add_text(&line, "A: ");
    while (line.len < bytes)
        buf_add_char(&line, 'x');
    buf_add_text(&line, "\r\n");
    http_reply_begin(r);
    feed(r, OK, step);
    for (feed(r, buf_text(&line), step); r->state == HTTP_REPLY_FIELDS; count++)
        feed(r, buf_text(&line), step);
    assert_int_equal(r->state, BAD);
    buf_free(&line);
    return count;
}

static void caps_lines_and_heads(void **state)
{
    const size_t steps[] = { 100, 100000 };
    struct http_reply r;

    (void)state;
    http_reply_init(&r, BODY_MAX_BYTES);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_int_equal(fields_taken(&r, HTTP_REPLY_LINE_MAX_BYTES, steps[i]), 0);
        assert_int_equal(fields_taken(&r, 998, steps[i]),
                         HTTP_REPLY_HEAD_MAX_BYTES / 1000);
    }
    http_reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_answers_whole_and_in_pieces),
        cmocka_unit_test(takes_no_byte_behind_the_answer),
        cmocka_unit_test(tells_type_and_errors),
        cmocka_unit_test(caps_lines_and_heads),
    };
    return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}
