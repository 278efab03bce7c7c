#include "http_chunks.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BODY_MAX_BYTES = 20 };
#define BAD  HTTP_CHUNKS_MALFORMED
#define DONE HTTP_CHUNKS_DONE

static const struct {
    const char *what, *bytes;
    enum http_chunks_state state;
    const char *body;  // when it is done
} bodies[] = {
    { "nothing", "0\r\n\r\n", DONE, "" },
    { "one", "3\r\nabc\r\n0\r\n\r\n", DONE, "abc" },
    { "three", "3\r\nabc\r\n1\r\nd\r\n00A\r\n0123456789\r\n000\r\n\r\n", DONE,
      "abcd0123456789" },
    { "line ends inside the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", DONE, "\r\n\r\n" },
    { "extensions", "3;a;b=\"c d\"\r\nabc\r\n0;e\r\n\r\n", DONE, "abc" },
    { "trailers", "0\r\nA: b\r\nC:\r\n\r\n", DONE, "" },
    { "as many as allowed", "14\r\n01234567890123456789\r\n0\r\n\r\n", DONE,
      "01234567890123456789" },
    { "one too many", "15\r\n", HTTP_CHUNKS_TOO_LARGE, NULL },
    { "too many in two", "14\r\n01234567890123456789\r\n1\r\n", HTTP_CHUNKS_TOO_LARGE,
      NULL },
    { "far too many", "fffffffffffffff\r\n", HTTP_CHUNKS_TOO_LARGE, NULL },
    { "more digits than fit", "1000000000000000\r\n", BAD, NULL },
    { "no size", "\r\n", BAD, NULL },
    { "only an extension", ";a\r\n", BAD, NULL },
    { "a sign", "+3\r\n", BAD, NULL },
    { "a minus", "-3\r\n", BAD, NULL },
    { "0x", "0x3\r\n", BAD, NULL },
    { "a blank before", " 3\r\n", BAD, NULL },
    { "a blank behind", "3 \r\n", BAD, NULL },
    { "a letter", "3g\r\n", BAD, NULL },
    { "a bare line feed after the size", "3\nabc", BAD, NULL },
    { "a bare carriage return after the size", "3\rabc", BAD, NULL },
    { "a bare line feed in an extension", "3;a\nabc", BAD, NULL },
    { "a control character in an extension", "3;\x01\r\n", BAD, NULL },
    { "data longer than the size", "3\r\nabcd\r\n0\r\n\r\n", BAD, NULL },
    { "data shorter than the size", "3\r\nab\r\n0\r\n\r\n", BAD, NULL },
    { "a bare line feed after the data", "3\r\nabc\n0\r\n\r\n", BAD, NULL },
    { "a bare line feed at the end", "0\r\n\n", BAD, NULL },
    { "a trailer without a colon", "0\r\nabc\r\n\r\n", BAD, NULL },
    { "a trailer without a name", "0\r\n: b\r\n\r\n", BAD, NULL },
    { "a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", BAD, NULL },
    { "a blank before the colon", "0\r\nA : b\r\n\r\n", BAD, NULL },
    { "a bare line feed in a trailer", "0\r\nA: b\n\r\n", BAD, NULL },
};

static void reads_bodies_whole_or_in_pieces(void **state)
{
    struct buf body = BUF_INIT(BODY_MAX_BYTES);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        size_t all = strlen(bodies[i].bytes);
        print_message("%s\n", bodies[i].what);
        for (size_t step = 1; step <= all; step++) {
            struct http_chunks chunks = { 0 };
            buf_clear(&body);
            for (size_t at = 0; at < all; at += step)
                (void)http_chunks_read(&chunks, bodies[i].bytes + at,
                                       all - at < step ? all - at : step, &body);
            assert_int_equal(chunks.state, bodies[i].state);
            assert_false(body.failed);
            if (bodies[i].body)
                assert_string_equal(buf_text(&body), bodies[i].body);
        }
    }
    buf_free(&body);
}

static void leaves_what_comes_behind_the_body(void **state)
{
    static const char bytes[] = "1\r\na\r\n0\r\n\r\nGET /";
    struct buf body = BUF_INIT(BODY_MAX_BYTES);
    struct http_chunks chunks = { 0 };

    (void)state;
    assert_int_equal(http_chunks_read(&chunks, bytes, strlen(bytes), &body),
                     strlen(bytes) - strlen("GET /"));
    assert_int_equal(chunks.state, DONE);
    buf_free(&body);
}

static void caps_extensions_and_trailers(void **state)
{
    static const char *const begins[] = { "1;", "0\r\nA: ", "0\r\n" };
    char filler[HTTP_CHUNK_EXTRAS_MAX_BYTES + 2];
    struct buf body = BUF_INIT(BODY_MAX_BYTES);

    (void)state;
    memset(filler, 'f', sizeof(filler));
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        struct http_chunks chunks = { 0 };
        (void)http_chunks_read(&chunks, begins[i], strlen(begins[i]), &body);
        (void)http_chunks_read(&chunks, filler, HTTP_CHUNK_EXTRAS_MAX_BYTES - 10, &body);
        assert_true(chunks.state < DONE);
        (void)http_chunks_read(&chunks, filler, 20, &body);
        assert_int_equal(chunks.state, BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bodies_whole_or_in_pieces),
        cmocka_unit_test(leaves_what_comes_behind_the_body),
        cmocka_unit_test(caps_extensions_and_trailers),
    };
    return cmocka_run_group_tests_name("http_chunks", tests, NULL, NULL);
}
