// What is asked of Twilio, and what each of its answers comes to.
#include "buf.h"
#include "form.h"
#include "message_id.h"
#include "poster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD(status)   "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define CLOSED         "Connection: close\r\n\r\n"
#define ANSWER(status) HEAD(status) CLOSED
#define ERROR_21211                                                                      \
    "{\"code\": 21211, \"message\": \"The 'To' number +14155552671\","                   \
    " \"more_info\": \"https://x\", \"status\": 400}"
#define HTML "<html>+14155552671</html>"

static const struct {
    const char *answer;
    enum send_result result;
    int http_status, code;
    int64_t retry_after_us;
} outcomes[] = {
    { ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "\"}", SEND_ACCEPTED, 201, 0, -1 },
    { ANSWER("201 Created") "{}", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "{\"sid\":null}", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "{\"sid\":\"SM01\"}", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "0\"}", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "{\"sid\":\"" POSTER_ACCOUNT "\"}", SEND_IN_DOUBT, 201, 0,
      -1 },
    { ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "\"", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "\"}{}", SEND_IN_DOUBT, 201, 0, -1 },
    { ANSWER("200 OK") "{\"sid\":\"" POSTER_SID "\"}", SEND_IN_DOUBT, 200, 0, -1 },
    { ANSWER("202 Accepted") "{}", SEND_IN_DOUBT, 202, 0, -1 },
    { ANSWER("301 Moved") "", SEND_MISCONFIGURED, 301, 0, -1 },
    { ANSWER("307 Temporary Redirect") ERROR_21211, SEND_MISCONFIGURED, 307, 21211, -1 },
    { ANSWER("400 Bad Request") ERROR_21211, SEND_REJECTED, 400, 21211, -1 },
    { ANSWER("400 Bad Request") "{\"message\":\"no\"}", SEND_MISCONFIGURED, 400, 0, -1 },
    { ANSWER("400 Bad Request") "{\"code\":\"21211\"}", SEND_MISCONFIGURED, 400, 0, -1 },
    { ANSWER("400 Bad Request") "{\"code\":0}", SEND_MISCONFIGURED, 400, 0, -1 },
    { ANSWER("400 Bad Request") "{\"code\":4294967296}", SEND_MISCONFIGURED, 400, 0, -1 },
    { ANSWER("400 Bad Request") HTML, SEND_MISCONFIGURED, 400, 0, -1 },
    { ANSWER("401 Unauthorized") "{\"code\":20003}", SEND_MISCONFIGURED, 401, 20003, -1 },
    { ANSWER("403 Forbidden") HTML, SEND_MISCONFIGURED, 403, 0, -1 },
    { ANSWER("404 Not Found") "{\"code\":20404}", SEND_MISCONFIGURED, 404, 20404, -1 },
    { ANSWER("405 Not Allowed") "{\"code\":20004}", SEND_MISCONFIGURED, 405, 20004, -1 },
    { ANSWER("408 Request Timeout") "{\"code\":20408}", SEND_IN_DOUBT, 408, 20408, -1 },
    { ANSWER("422 Unprocessable") "{\"code\":20422}", SEND_REJECTED, 422, 20422, -1 },
    { ANSWER("429 Too Many Requests") "{\"code\":20429}", SEND_NOT_PROCESSED, 429, 20429,
      -1 },
    { HEAD("429 Too Many Requests") "Retry-After: 7\r\n" CLOSED HTML, SEND_NOT_PROCESSED,
      429, 0, 7000000 },
    { ANSWER("500 Oops") "{\"code\":20500}", SEND_IN_DOUBT, 500, 20500, -1 },
    { ANSWER("502 Bad Gateway") HTML, SEND_IN_DOUBT, 502, 0, -1 },
    { HEAD("503 Unavailable") "Retry-After: 1\r\n" CLOSED "{\"code\":20503}",
      SEND_IN_DOUBT, 503, 20503, 1000000 },
    { ANSWER("504 Gateway Timeout") HTML, SEND_IN_DOUBT, 504, 0, -1 },
    { "HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"sid\":\"" POSTER_SID "\"}",
      SEND_IN_DOUBT, 0, 0, -1 },
    { "HTTP/1.1 201 Cre", SEND_IN_DOUBT, 0, 0, -1 },
    { "", SEND_IN_DOUBT, 0, 0, -1 },
    { "SSH-2.0-OpenSSH_9.2\r\n", SEND_IN_DOUBT, 0, 0, -1 },
};

static void every_answer_has_its_outcome(void **state)
{
    struct poster *p = *state;

    poster_start(p);
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        print_message("%.60s\n", outcomes[i].answer);
        poster_exchange(p, outcomes[i].answer, strlen(outcomes[i].answer));
        print_message("%s: %s\n", send_result_name(p->seen.result), p->reason);
        assert_string_equal(send_result_name(p->seen.result),
                            send_result_name(outcomes[i].result));
        assert_int_equal(p->seen.http_status, outcomes[i].http_status);
        assert_int_equal(p->seen.code, outcomes[i].code);
        assert_int_equal(p->seen.retry_after_us, outcomes[i].retry_after_us);
        assert_string_equal(p->seen.sid,
                            outcomes[i].result == SEND_ACCEPTED ? POSTER_SID : "");
        assert_null(strstr(p->reason, "4155552671"));  // it goes into the log
        assert_int_equal(p->done_calls, i + 1);
    }
}

static const struct {
    const char *segments;
    int read;
} counts[] = {
    { "\"1\"", 1 },   { "\"12\"", 12 },   { "\"999\"", 999 }, { "\"0\"", 0 },
    { "null", 0 },    { "3", 0 },         { "\"\"", 0 },      { "\"-1\"", 0 },
    { "\"1.5\"", 0 }, { "\"40000\"", 0 }, { "\"two\"", 0 },   { "\" 2\"", 0 },
};

static void the_new_message_is_read(void **state)
{
    struct poster *p = *state;

    poster_start(p);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct buf answer = BUF_INIT(1024);
        buf_addf(&answer,
                 ANSWER("201 Created") "{\"body\":\"Hi\",\"num_segments\":%s,"
                                       "\"status\":\"accepted\",\"sid\":\"" POSTER_SID
                                       "\",\"error_code\":null}",
                 counts[i].segments);
        print_message("%s\n", counts[i].segments);
        poster_exchange(p, answer.bytes, answer.len);
        buf_free(&answer);
        assert_int_equal(p->seen.result, SEND_ACCEPTED);
        assert_string_equal(p->seen.sid, POSTER_SID);
        assert_string_equal(p->seen.status, "accepted");
        assert_int_equal(p->seen.segments, counts[i].read);
        assert_true(p->seen.took_us > 0);
    }
}

static void a_huge_answer_leaves_doubt(void **state)
{
    struct poster *p = *state;
    struct buf answer = BUF_INIT(200000);

    buf_addf(&answer,
             ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "\",\"x\":\"%0100000d\"}", 0);
    poster_start(p);
    poster_exchange(p, answer.bytes, answer.len);
    buf_free(&answer);
    assert_int_equal(p->seen.result, SEND_IN_DOUBT);
    assert_string_equal(p->seen.sid, "");
}

// --- what is sent ---

static const char *text_of(const struct form *form, const char *name)
{
    const struct form_pair *pair = form_find(form, name);
    static char text[WIRE_BODY_MAX_BYTES + 1];

    if (!pair)
        return NULL;
    assert_true(pair->value_len < sizeof(text));
    memcpy(text, pair->value, pair->value_len);
    text[pair->value_len] = '\0';
    return text;
}

static void assert_pair(const struct form *form, const char *name, const char *wanted)
{
    const char *text = text_of(form, name);

    if (!wanted) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, wanted);
}

// Lets one request through and keeps what it was.
static void post(struct poster *p, struct raw_message *m, struct form *form)
{
    poster_submit(p);
    int fd = poster_take(p);
    assert_true(raw_read(fd, m, true));
    assert_int_equal(form_parse(form, m->body, m->body_len, NULL), OUTCOME_OK);
    assert_true(raw_say(fd, ANSWER("201 Created") "{\"sid\":\"" POSTER_SID "\"}"));
    close(fd);
    poster_wait(p);
}

static void the_request_is_what_twilio_wants(void **state)
{
    struct poster *p = *state;
    struct raw_message m;
    struct form form;
    static const char head[] =
        "POST /2010-04-01/Accounts/" POSTER_ACCOUNT "/Messages.json HTTP/1.1\r\n";

    p->job.content.body = "a&b+c=d e%\n\xc3\xa4\xf0\x9f\x98\x80";
    poster_start(p);
    post(p, &m, &form);
    assert_memory_equal(m.header, head, sizeof(head) - 1);
    assert_string_equal(raw_field(&m, "Authorization"), "Basic dXNlcjpwYXNzOndvcmQ=");
    assert_string_equal(raw_field(&m, "Content-Type"),
                        "application/x-www-form-urlencoded");
    assert_null(raw_field(&m, "Expect"));
    static const char begin[] =
        "To=%2B14155552671&From=%2B15005550006&Body=a%26b%2Bc%3Dd%20e%25%0A%C3%A4"
        "%F0%9F%98%80&ValidityPeriod=36000&StatusCallback=https%3A%2F%2Fsms.example.org"
        "%2Fsms%2Fwebhook%2Fstatus%3Fm%3D";
    assert_memory_equal(m.body, begin, sizeof(begin) - 1);
    assert_pair(&form, "Body", p->job.content.body);
    assert_int_equal(form.count, 5);
    form_free(&form);
    raw_free(&m);
}

static void a_messaging_service_takes_the_place_of_from(void **state)
{
    struct poster *p = *state;
    struct raw_message m;
    struct form form;

    p->job.sms.from = "MG0123456789abcdef0123456789abcdef";
    p->job.sms.sender_type = "messaging_service";
    poster_start(p);
    post(p, &m, &form);
    assert_pair(&form, "MessagingServiceSid", "MG0123456789abcdef0123456789abcdef");
    assert_pair(&form, "From", NULL);
    form_free(&form);
    raw_free(&m);
}

static void the_validity_is_what_is_left_of_the_useful_time(void **state)
{
    struct poster *p = *state;
    struct raw_message m;
    struct form form;
    int seconds = 0;

    p->job.sms.expires_at = clock_wall_us() + 60500000;
    poster_start(p);
    post(p, &m, &form);
    assert_non_null(text_of(&form, "ValidityPeriod"));
    seconds = (int)strtol(text_of(&form, "ValidityPeriod"), NULL, 10);
    assert_in_range(seconds, 55, 60);
    form_free(&form);
    raw_free(&m);
}

// Takes the query's value out of the URL; it ends at '&', '#' or the end.
static void query_value(char *out, size_t size, const char *url, const char *name)
{
    const char *at = strstr(url, name);

    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(out, size, "%.*s", (int)strcspn(at, "&#"), at);
}

static void check_callback(struct poster *p, const char *begin)
{
    struct raw_message m;
    struct form form;
    char id_text[64], turn[16], tag[64];
    unsigned char id[MESSAGE_ID_BYTES];

    post(p, &m, &form);
    const char *url = text_of(&form, "StatusCallback");
    assert_non_null(url);
    print_message("%s\n", url);
    assert_memory_equal(url, begin, strlen(begin));
    query_value(id_text, sizeof(id_text), url, "m=");
    query_value(turn, sizeof(turn), url, "&t=");
    query_value(tag, sizeof(tag), url, "&k=");
    assert_true(message_id_parse(id, id_text, strlen(id_text)));
    assert_memory_equal(id, p->job.sms.message_id, sizeof(id));
    assert_string_equal(turn, "3");
    assert_true(keys_callback_tag_is(&p->keys, id, 3, tag));
    assert_string_equal(strchr(url, '#'), "#rc=5&rp=all");
    form_free(&form);
    raw_free(&m);
}

static void the_callback_names_message_and_turn(void **state)
{
    struct poster *p = *state;

    p->job.sms.turn = 3;
    poster_start(p);
    check_callback(p, "https://sms.example.org/sms/webhook/status?m=");
}

static void a_callback_address_may_have_a_query_of_its_own(void **state)
{
    struct poster *p = *state;

    p->job.sms.turn = 3;
    p->set.callback_url = "https://sms.example.org/x?y=1";
    poster_start(p);
    check_callback(p, "https://sms.example.org/x?y=1&m=");
}

static void the_longest_text_and_address_fit(void **state)
{
    struct poster *p = *state;
    struct buf body = BUF_INIT(WIRE_BODY_MAX_BYTES), url = BUF_INIT(1100);
    struct raw_message m;
    struct form form;

    while (body.len < WIRE_BODY_MAX_BYTES)
        buf_add_text(&body, "\xf0\x9f\x98\x80");
    buf_addf(&url, "https://sms.example.org/%0999d", 1);
    p->job.content.body = body.bytes;
    p->set.callback_url = url.bytes;
    poster_start(p);
    post(p, &m, &form);
    assert_pair(&form, "Body", body.bytes);
    assert_non_null(strstr(text_of(&form, "StatusCallback"), "1?m="));
    assert_string_equal(strchr(text_of(&form, "StatusCallback"), '#'), "#rc=5&rp=all");
    form_free(&form);
    raw_free(&m);
    buf_free(&body);
    buf_free(&url);
}

static void an_address_that_is_too_long_is_refused_at_once(void **state)
{
    struct poster *p = *state;
    struct buf url = BUF_INIT(2000);
    struct twilio *twilio = NULL;
    struct err err = { 0 };

    buf_addf(&url, "https://sms.example.org/%01500d", 1);
    p->set.callback_url = url.bytes;
    assert_int_equal(twilio_open(&twilio, p->loop.reactor, &p->set, NULL, NULL, &err),
                     OUTCOME_REJECT);
    assert_null(twilio);
    assert_non_null(strstr(err.text, "longer than"));
    buf_free(&url);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, poster_setup, poster_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_answer_has_its_outcome),
        TEST(the_new_message_is_read),
        TEST(a_huge_answer_leaves_doubt),
        TEST(the_request_is_what_twilio_wants),
        TEST(a_messaging_service_takes_the_place_of_from),
        TEST(the_validity_is_what_is_left_of_the_useful_time),
        TEST(the_callback_names_message_and_turn),
        TEST(a_callback_address_may_have_a_query_of_its_own),
        TEST(the_longest_text_and_address_fit),
        TEST(an_address_that_is_too_long_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
