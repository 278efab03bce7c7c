// What a POST means for its message: status, tries, reason and decision.
#include "verdict.h"

#include "error_codes.h"
#include "job.h"
#include "retry_policy.h"
#include "twilio.h"

#include "test.h"

#include <string.h>

#define S INT64_C(1000000)

static const struct retry_settings set = { 60, 3600, { 3, 10, 8, 5 } };
static const struct error_code again = { 30008, ERROR_RETRY, 0, 0, false, "m", "a" };
static const struct error_code opt_out = { 21610, ERROR_REFUSE, 0, 0, true, "m", "a" };

static const struct {
    const char *what;
    enum send_result result;
    enum error_action action;
    const struct error_code *known;
    int64_t retry_after_us;
    int32_t tries;
    int64_t useful_us;
    const char *status, *reason, *decision;
    int32_t failures;
} cases[] = {
    { "accepted", SEND_ACCEPTED, ERROR_NONE, NULL, -1, 0, 900 * S, "queued", NULL, NULL,
      0 },
    { "429 burns no try", SEND_NOT_PROCESSED, ERROR_NONE, NULL, -1, 0, 900 * S, "waiting",
      NULL, "retry", 0 },
    { "429 burns no try, told", SEND_NOT_PROCESSED, ERROR_NONE, NULL, S, 0, 900 * S,
      "waiting", NULL, "retry", 0 },
    { "429 after the last try", SEND_NOT_PROCESSED, ERROR_NONE, NULL, -1, 7, 900 * S,
      "waiting", NULL, "retry", 0 },
    { "429 beyond its time", SEND_NOT_PROCESSED, ERROR_NONE, NULL, 60 * S, 0, 30 * S,
      "expired", "too_late", "expired", 0 },
    { "not sent", SEND_NOT_SENT, ERROR_NONE, NULL, -1, 7, 900 * S, "waiting", NULL,
      "retry", 0 },
    { "refused", SEND_REJECTED, ERROR_NONE, NULL, -1, 0, 900 * S, "failed", NULL, NULL,
      1 },
    { "worth another try", SEND_REJECTED, ERROR_RETRY, &again, -1, 0, 900 * S, "waiting",
      NULL, "retry", 1 },
    { "the last try", SEND_REJECTED, ERROR_RETRY, &again, -1, 7, 900 * S, "failed",
      "tries_used_up", "failed", 1 },
    { "an opt-out", SEND_REJECTED, ERROR_REFUSE, &opt_out, -1, 0, 900 * S, "failed", NULL,
      "opt_out", 1 },
    { "misconfigured", SEND_MISCONFIGURED, ERROR_NONE, NULL, -1, 7, 900 * S, "waiting",
      NULL, "retry", 0 },
    { "held", SEND_HELD_SENDER, ERROR_NONE, NULL, 5 * S, 7, 900 * S, "waiting", NULL,
      "hold", 0 },
    { "in doubt", SEND_IN_DOUBT, ERROR_NONE, NULL, -1, 7, 900 * S, "in_doubt", NULL,
      "in_doubt", 0 },
};

static void assert_text(const char *is, const char *wanted)
{
    assert_string_equal(is ? is : "-", wanted ? wanted : "-");
}

static void every_result_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct job job = {
            .sms = { .message_class = "transactional",
                     .turn = 1,
                     .expires_at = clock_wall_us() + cases[i].useful_us },
            .tries = cases[i].tries,
        };
        const struct twilio_answer answer = {
            .result = cases[i].result,
            .action = cases[i].action,
            .known = cases[i].known,
            .retry_after_us = cases[i].retry_after_us,
            .status = "queued",
        };
        struct send_outcome row;
        print_message("%s\n", cases[i].what);
        verdict_fill(&row, &set, &job, &answer);
        assert_text(row.status, cases[i].status);
        assert_text(row.reason, cases[i].reason);
        assert_text(row.decision, cases[i].decision);
        assert_int_equal(row.failures, cases[i].failures);
        assert_int_equal(row.due_us > 0, strcmp(row.status, "waiting") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result_has_its_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
