#include "http_head.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_BYTES = 512 };
#define OK  HTTP_REFUSAL_NONE
#define BAD HTTP_REFUSAL_MALFORMED

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: test\r\n"

// What comes of bytes that come in pieces of step bytes.
static struct http_fault read_in_steps(struct http_head *head, char *copy,
                                       const char *bytes, size_t step, bool *is_whole)
{
    struct http_scan scan = { 0 };
    struct http_fault fault = { 0 };
    size_t all = strlen(bytes);

    for (size_t len = step; len < all + step; len += step)
        if (!fault.refusal && !scan.is_whole)
            http_head_scan(&scan, bytes, len < all ? len : all, MAX_BYTES, &fault);
    *is_whole = scan.is_whole;
    memcpy(copy, bytes, scan.at);
    copy[scan.at] = '\0';
    if (scan.is_whole && !fault.refusal)
        http_head_parse(head, copy, &fault);
    return fault;
}

static const struct {
    const char *what, *bytes;
    enum http_refusal refusal;
} heads[] = {
    { "the least", GET HOST "\r\n", OK },
    { "an empty line first", "\r\n" GET HOST "\r\n", OK },
    { "two empty lines first", "\r\n\r\n" GET HOST "\r\n", BAD },
    { "a bare line feed after the request line", "GET / HTTP/1.1\n" HOST "\r\n", BAD },
    { "a bare line feed after a field", GET "Host: test\n\r\n", BAD },
    { "a bare line feed at the end", GET HOST "\n", BAD },
    { "a bare carriage return in a value", GET "Host: a\rb\r\n\r\n", BAD },
    { "a carriage return twice", GET "Host: test\r\r\n\r\n", BAD },
    { "an escape character", GET HOST "X: \x1b[0m\r\n\r\n", BAD },
    { "a delete character", GET HOST "X: \x7f\r\n\r\n", BAD },
    { "a tab in a value", GET HOST "X: a\tb\r\n\r\n", OK },
    { "bytes above 127 in a value", GET HOST "X: \xc3\xa4\r\n\r\n", OK },
    { "a folded field", GET HOST "X: a\r\n b\r\n\r\n", BAD },
    { "a blank before the first field", GET " " HOST "\r\n", BAD },
    { "a blank before the colon", GET "Host : test\r\n\r\n", BAD },
    { "no colon", GET HOST "nothing\r\n\r\n", BAD },
    { "no name", GET HOST ": x\r\n\r\n", BAD },
    { "a name in brackets", GET HOST "(x): y\r\n\r\n", BAD },
    { "no version", "GET /\r\n" HOST "\r\n", BAD },
    { "only a word", "GET\r\n\r\n", BAD },
    { "two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "a tab for a blank", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "a blank at the end of the line", "GET / HTTP/1.1 \r\n" HOST "\r\n", BAD },
    { "a version in small letters", "GET / http/1.1\r\n" HOST "\r\n", BAD },
    { "a version with two digits", "GET / HTTP/1.10\r\n" HOST "\r\n", BAD },
    { "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\n", HTTP_REFUSAL_VERSION },
    { "HTTP/0.9", "GET / HTTP/0.9\r\n" HOST "\r\n", HTTP_REFUSAL_VERSION },
    { "HTTP/1.7", "GET / HTTP/1.7\r\n" HOST "\r\n", OK },
    { "a method that is no token", "G(T / HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "no method", " / HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "no host", GET "\r\n", BAD },
    { "two hosts", GET HOST HOST "\r\n", BAD },
    { "a host with a path", GET "Host: test/x\r\n\r\n", BAD },
    { "a host with a user", GET "Host: a@test\r\n\r\n", BAD },
    { "an empty host", GET "Host:\r\n\r\n", OK },
    { "an IPv6 host", GET "Host: [::1]:8000\r\n\r\n", OK },
    { "* for OPTIONS", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", OK },
    { "* for GET", "GET * HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "CONNECT", "CONNECT test:443 HTTP/1.1\r\n" HOST "\r\n", OK },
    { "a URL", "GET http://test:80/a?b HTTP/1.1\r\n" HOST "\r\n", OK },
    { "a URL of another kind", "GET ftp://test/ HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "a URL with a user", "GET http://a@test/ HTTP/1.1\r\n" HOST "\r\n", BAD },
    { "a length", GET HOST "Content-Length: 0017\r\n\r\n", OK },
    { "a length with a sign", GET HOST "Content-Length: +1\r\n\r\n", BAD },
    { "a negative length", GET HOST "Content-Length: -1\r\n\r\n", BAD },
    { "a length in hexadecimal", GET HOST "Content-Length: 0x1\r\n\r\n", BAD },
    { "an empty length", GET HOST "Content-Length:\r\n\r\n", BAD },
    { "a list of lengths", GET HOST "Content-Length: 1, 1\r\n\r\n", BAD },
    { "a length above 63 bits", GET HOST "Content-Length: 9223372036854775808\r\n\r\n",
      BAD },
    { "a length twice", GET HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", BAD },
    { "a length and chunks",
      GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", BAD },
    { "chunks", GET HOST "Transfer-Encoding: Chunked\r\n\r\n", OK },
    { "chunks twice", GET HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", BAD },
    { "chunks in two fields",
      GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", BAD },
    { "chunks and something else", GET HOST "Transfer-Encoding: chunked, x\r\n\r\n",
      BAD },
    { "no encoding", GET HOST "Transfer-Encoding:\r\n\r\n", BAD },
    { "identity", GET HOST "Transfer-Encoding: identity\r\n\r\n", BAD },
    { "a vertical tab", GET HOST "Transfer-Encoding: \vchunked\r\n\r\n", BAD },
    { "chunks in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", BAD },
    { "HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n", OK },
    { "100-continue", GET HOST "Expect: 100-Continue\r\n\r\n", OK },
    { "another expectation", GET HOST "Expect: tea\r\n\r\n", HTTP_REFUSAL_EXPECT },
    { "an expectation of HTTP/1.0", "GET / HTTP/1.0\r\nExpect: tea\r\n\r\n", OK },
};

static void takes_and_refuses_heads_whole_or_in_pieces(void **state)
{
    struct http_head head;
    char copy[MAX_BYTES + 1];
    bool is_whole;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        print_message("%s\n", heads[i].what);
        for (size_t step = 1; step <= strlen(heads[i].bytes); step++) {
            struct http_fault fault =
                read_in_steps(&head, copy, heads[i].bytes, step, &is_whole);
            assert_int_equal(fault.refusal, heads[i].refusal);
            assert_int_equal(fault.complaint != NULL, heads[i].refusal == BAD);
            if (heads[i].refusal == OK)
                assert_true(is_whole);
        }
    }
}

static void a_nul_is_refused(void **state)
{
    static const char bytes[] = GET "Host: a\0b\r\n\r\n";
    struct http_scan scan = { 0 };
    struct http_fault fault = { 0 };

    (void)state;
    http_head_scan(&scan, bytes, sizeof(bytes) - 1, MAX_BYTES, &fault);
    assert_int_equal(fault.refusal, BAD);
    assert_false(scan.is_whole);
}

static void what_is_too_large_is_refused_before_it_ends(void **state)
{
    static const struct {
        const char *begin;
        size_t filler;
        enum http_refusal refusal;
    } cases[] = {
        { "GET /", MAX_BYTES, HTTP_REFUSAL_TARGET },
        { GET "X: ", MAX_BYTES, HTTP_REFUSAL_HEADER },
        { GET "X: ", MAX_BYTES - 32, OK },
    };
    char bytes[2 * MAX_BYTES] = "";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_scan scan = { 0 };
        struct http_fault fault = { 0 };
        size_t len = strlen(cases[i].begin);
        memcpy(bytes, cases[i].begin, len);
        memset(bytes + len, 'f', cases[i].filler);
        http_head_scan(&scan, bytes, len + cases[i].filler, MAX_BYTES, &fault);
        assert_int_equal(fault.refusal, cases[i].refusal);
        assert_false(scan.is_whole);
    }
}

static void more_fields_than_a_hundred_are_refused(void **state)
{
    struct http_head head;

    (void)state;
    for (int count = HTTP_FIELDS_MAX; count <= HTTP_FIELDS_MAX + 1; count++) {
        struct http_fault fault = { 0 };
        struct buf text = BUF_INIT(1024);
        buf_add_text(&text, GET HOST);
        for (int i = 1; i < count; i++)
            buf_add_text(&text, "x: y\r\n");
        buf_add_text(&text, "\r\n");
        http_head_parse(&head, text.bytes, &fault);
        assert_int_equal(fault.refusal,
                         count > HTTP_FIELDS_MAX ? HTTP_REFUSAL_HEADER : OK);
        buf_free(&text);
    }
}

static void parts_are_found(void **state)
{
    char text[] = "POST http://test/a%20b?c=d HTTP/1.1\r\nHost: test\r\nX:\t 1 2 \r\n"
                  "x: 3\r\nEmpty:\r\nContent-Length: 12\r\nExpect: 100-continue\r\n"
                  "Content-Type: a/b\r\nContent-Encoding: gzip\r\n"
                  "Connection: TE, Close\r\n\r\n";
    struct http_fault fault = { 0 };
    struct http_head head;

    (void)state;
    http_head_parse(&head, text, &fault);
    assert_int_equal(fault.refusal, OK);
    assert_string_equal(head.method, "POST");
    assert_string_equal(head.target, "/a%20b?c=d");
    assert_string_equal(http_head_field(&head, "x"), "1 2");
    assert_string_equal(http_head_field(&head, "EMPTY"), "");
    assert_null(http_head_field(&head, "Y"));
    assert_true(head.has_body && !head.chunked && head.expects_continue);
    assert_int_equal(head.content_length, 12);
    assert_string_equal(head.content_type, "a/b");
    assert_string_equal(head.content_encoding, "gzip");
    assert_true(head.wants_close);
    char again[] = GET HOST "\r\n";
    http_head_parse(&head, again, &fault);
    assert_false(head.has_body || head.expects_continue || head.wants_close);
    assert_int_equal(head.content_length, 0);
    assert_null(head.content_type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_refuses_heads_whole_or_in_pieces),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(what_is_too_large_is_refused_before_it_ends),
        cmocka_unit_test(more_fields_than_a_hundred_are_refused),
        cmocka_unit_test(parts_are_found),
    };
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
