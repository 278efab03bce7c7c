// What each HTTP status, with each kind of code, comes to.
#include "twilio_answer.h"

#include "error_codes.h"
#include "http_client.h"
#include "json.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

enum { CODE_NONE, CODE_UNHEARD = 99999 };

static const struct error_code rows[] = {
    { 1, ERROR_REFUSE, 0, 0, false, "", "" },
    { 2, ERROR_RETRY, 0, 0, false, "", "" },
    { 3, ERROR_SLOW_DOWN, 0, 0, false, "", "" },
    { 4, ERROR_STOP_SENDER, 0, 0, false, "", "" },
    { 5, ERROR_STOP_ACCOUNT, 0, 0, false, "", "" },
    { 6, ERROR_UNKNOWN, 0, 0, false, "", "" },
};

static const int codes[] = { CODE_NONE, CODE_UNHEARD, 1, 2, 3, 4, 5, 6 };

// One letter for each of codes: Refused, reTry, Slow down, stop seNder, stop Account,
// in Doubt.
static const struct {
    int status;
    const char *verdicts;
} cases[] = {
    { 200, "DDDDDDDD" }, { 201, "DDDDDDDD" }, { 202, "DDDDDDDD" }, { 300, "AAAAAAAA" },
    { 307, "AAAAAAAA" }, { 400, "ARRTSNAD" }, { 401, "AAAAAAAA" }, { 402, "ARRTSNAD" },
    { 403, "AARTSNAD" }, { 404, "AARTSNAD" }, { 405, "AARTSNAD" }, { 408, "DDDDDDDD" },
    { 409, "ARRTSNAD" }, { 422, "ARRTSNAD" }, { 429, "SSSSSSSS" }, { 499, "ARRTSNAD" },
    { 500, "DDDDDDDD" }, { 502, "DDDDDDDD" }, { 503, "DDDDDDDD" }, { 504, "DDDDDDDD" },
    { 0, "DDDDDDDD" },
};

static const struct {
    char letter;
    enum send_result result;
    enum error_action action;
} letters[] = {
    { 'R', SEND_REJECTED, ERROR_REFUSE },
    { 'T', SEND_REJECTED, ERROR_RETRY },
    { 'S', SEND_NOT_PROCESSED, ERROR_SLOW_DOWN },
    { 'N', SEND_MISCONFIGURED, ERROR_STOP_SENDER },
    { 'A', SEND_MISCONFIGURED, ERROR_STOP_ACCOUNT },
    { 'D', SEND_IN_DOUBT, ERROR_UNKNOWN },
};

static void read_answer(struct twilio_answer *out, int status, const char *body)
{
    struct json_reader *json = json_reader_new();
    struct error_codes *table = error_codes_new();
    struct err err = { 0 };
    const struct http_answer http = {
        .left_us = true,
        .status = status,
        .body = body,
        .body_len = strlen(body),
        .content_type = "application/json",
        .retry_after_us = -1,
        .error = "",
    };

    error_codes_replace(table, rows, COUNT_OF(rows));
    twilio_answer_read(out, json, table, &http, &err);
    out->known = NULL;
    error_codes_free(table);
    json_reader_free(json);
}

static void check(int status, int code, char letter)
{
    struct twilio_answer answer;
    char body[64];

    (void)snprintf(body, sizeof(body), code ? "{\"code\": %d}" : "{}", code);
    print_message("%d with code %d: %c\n", status, code, letter);
    read_answer(&answer, status, body);
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        if (letters[i].letter != letter)
            continue;
        assert_int_equal(answer.result, letters[i].result);
        assert_int_equal(answer.action, letters[i].action);
        assert_int_equal(answer.code, status ? code : 0);
        return;
    }
    fail_msg("no letter %c", letter);
}

static void every_status_with_every_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t k = 0; k < COUNT_OF(codes); k++)
            check(cases[i].status, codes[k], cases[i].verdicts[k]);
}

static void a_sid_is_believed_whatever_else_is_said(void **state)
{
    struct twilio_answer answer;
    (void)state;

    read_answer(&answer, 201,
                "{\"sid\":\"SM0123456789abcdef0123456789abcdef\",\"code\":1}");
    assert_int_equal(answer.result, SEND_ACCEPTED);
    assert_int_equal(answer.action, ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_with_every_action),
        cmocka_unit_test(a_sid_is_believed_whatever_else_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
