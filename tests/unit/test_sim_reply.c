// HTTP answers as webhooks give them, whole, byte by byte, and broken.
#include "buf.h"
#include "sim_reply.h"
#include "test.h"

#include <string.h>

enum { BODY_MAX = 100, IN_MAX = 40000 };

static const struct {
    const char *what, *bytes;
    int status;
    bool keeps;
    const char *type, *body;
} good[] = {
    { "no body", "HTTP/1.1 204 No Content\r\n\r\n", 204, true, "", "" },
    { "a length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/xml\r\n\r\nhello", 200,
      true, "text/xml", "hello" },
    { "names in other letters", "HTTP/1.1 200\r\ncontent-length:2\r\n\r\nhi", 200, true,
      "", "hi" },
    { "closes behind it",
      "HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", 500, false,
      "", "hi" },
    { "old", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false, "", "" },
    { "old, but kept",
      "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 200, true,
      "", "" },
    { "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n"
      "0\r\n\r\n",
      200, true, "", "hello!" },
    { "an interim answer", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
      204, true, "", "" },
};

static void reads_an_answer_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        size_t len = strlen(good[i].bytes);
        for (size_t step = 1; step <= len; step += len - 1) {
            struct sim_reply r = { 0 };
            struct buf in = BUF_INIT(IN_MAX);
            enum sim_reply_state got = SIM_REPLY_MORE;

            print_message("%s, %zu bytes at a time\n", good[i].what, step);
            for (size_t at = 0; at < len; at += step) {
                assert_int_equal(got, SIM_REPLY_MORE);
                buf_add(&in, good[i].bytes + at, step < len - at ? step : len - at);
                got = sim_reply_read(&r, &in, BODY_MAX, false);
            }
            assert_int_equal(got, SIM_REPLY_WHOLE);
            assert_int_equal(r.status, good[i].status);
            assert_int_equal(r.keeps, good[i].keeps);
            assert_string_equal(r.content_type, good[i].type);
            assert_int_equal(r.body_len, strlen(good[i].body));
            assert_memory_equal(buf_text(&in) + r.body_at, good[i].body, r.body_len);
            buf_free(&in);
        }
    }
}

static void a_body_without_length_ends_with_the_connection(void **state)
{
    struct sim_reply r = { 0 };
    struct buf in = BUF_INIT(IN_MAX);

    (void)state;
    buf_add_text(&in, "HTTP/1.1 200 OK\r\n\r\nhel");
    assert_int_equal(sim_reply_read(&r, &in, BODY_MAX, false), SIM_REPLY_MORE);
    buf_add_text(&in, "lo");
    assert_int_equal(sim_reply_read(&r, &in, BODY_MAX, true), SIM_REPLY_WHOLE);
    assert_int_equal(r.body_len, 5);
    assert_false(r.keeps);
    buf_free(&in);
}

static const char *const bad[] = {
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "HTTP/1.1 2x0 OK\r\n\r\n",
    "HTTP/1.1 20\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",  // cut off
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "",
};

static void refuses_what_is_no_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct sim_reply r = { 0 };
        struct buf in = BUF_INIT(IN_MAX);

        print_message("%s\n", bad[i]);
        buf_add_text(&in, bad[i]);
        assert_int_equal(sim_reply_read(&r, &in, BODY_MAX, true), SIM_REPLY_BAD);
        buf_free(&in);
    }
}

static void a_head_has_an_end(void **state)
{
    struct sim_reply r = { 0 };
    struct buf in = BUF_INIT(IN_MAX);

    (void)state;
    buf_add_text(&in, "HTTP/1.1 200 OK\r\nX: ");
    while (in.len <= SIM_REPLY_HEAD_MAX_BYTES)
        buf_add_text(&in, "aaaaaaaaaaaaaaaa");
    assert_int_equal(sim_reply_read(&r, &in, BODY_MAX, false), SIM_REPLY_BAD);
    buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_answer_in_any_pieces),
        cmocka_unit_test(a_body_without_length_ends_with_the_connection),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(a_head_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
