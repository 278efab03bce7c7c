#include "retry_policy.h"

#include "error_codes.h"

#include "test.h"

#define S      INT64_C(1000000)
#define H      (3600 * S)
#define ROUNDS 300

static const struct retry_settings set = { 60, 3600, { 3, 10, 8, 5 } };

static const struct error_code hours = { 30003, ERROR_RETRY, 7200, 3, false, "m", "a" };
static const struct error_code once = { 30008, ERROR_RETRY, 60, 2, false, "m", "a" };
static const struct error_code plain = { 20409, ERROR_RETRY, 0, 0, false, "m", "a" };
static const struct error_code full = { 21611, ERROR_SLOW_DOWN, 300, 0, false, "m", "a" };

// Where the wait lies, over many throws: from, and to less than.
static const struct {
    const char *what;
    enum retry_reason reason;
    const char *message_class;
    int32_t tries, turn;
    int64_t retry_after_us;
    const struct error_code *code;
    int64_t useful_us;
    enum retry_next next;
    int64_t from_us, to_us;
} cases[] = {
    { "nothing left us", RETRY_PAUSE, "otp", 0, 1, -1, NULL, H, RETRY_AGAIN, 0, S / 2 },
    { "it doubles", RETRY_PAUSE, "otp", 0, 4, -1, NULL, H, RETRY_AGAIN, 0, 4 * S },
    { "and ends", RETRY_PAUSE, "otp", 0, 99, -1, NULL, H, RETRY_AGAIN, 0, 300 * S },
    { "no tries are burnt", RETRY_PAUSE, "otp", 99, 1, -1, NULL, H, RETRY_AGAIN, 0,
      S / 2 },
    { "as told", RETRY_PAUSE, "otp", 0, 1, 7 * S, NULL, H, RETRY_AGAIN, 7 * S,
      7 * S + S / 2 },
    { "told too long", RETRY_PAUSE, "marketing", 0, 1, 9000 * S, NULL, H, RETRY_AGAIN,
      1000 * S, 1000 * S + 1 },
    { "told beyond its time", RETRY_PAUSE, "otp", 0, 1, 60 * S, NULL, 60 * S,
      RETRY_TOO_LATE, 0, 0 },
    { "cut to its time", RETRY_PAUSE, "otp", 0, 20, -1, NULL, 10 * S, RETRY_AGAIN, 0,
      4 * S + 1 },
    { "no time at all", RETRY_PAUSE, "otp", 0, 1, -1, NULL, 5 * S, RETRY_TOO_LATE, 0, 0 },
    { "a full queue", RETRY_PAUSE, "otp", 0, 1, -1, &full, H, RETRY_AGAIN, 300 * S,
      600 * S },
    { "a full queue again", RETRY_PAUSE, "otp", 0, 3, -1, &full, 9 * H, RETRY_AGAIN,
      300 * S, 1500 * S },
    { "a full queue, told", RETRY_PAUSE, "otp", 0, 1, S, &full, H, RETRY_AGAIN, S,
      2 * S },
    { "a full queue, no time", RETRY_PAUSE, "otp", 0, 1, -1, &full, 300 * S,
      RETRY_TOO_LATE, 0, 0 },
    { "complaint", RETRY_COMPLAINT, "otp", 9, 1, -1, NULL, H, RETRY_AGAIN, 60 * S,
      66 * S },
    { "complaint, cut", RETRY_COMPLAINT, "otp", 0, 1, -1, NULL, 30 * S, RETRY_AGAIN,
      24 * S, 24 * S + 1 },
    { "held", RETRY_COMPLAINT, "otp", 0, 1, 5 * S, NULL, 30 * S, RETRY_AGAIN, 5 * S,
      5 * S + S / 2 },
    { "held, cut", RETRY_COMPLAINT, "otp", 0, 1, 50 * S, NULL, 30 * S, RETRY_AGAIN,
      24 * S, 24 * S + 1 },
    { "a first failure", RETRY_FAILURE, "otp", 0, 1, -1, &plain, H, RETRY_AGAIN, 0,
      60 * S },
    { "a second failure", RETRY_FAILURE, "otp", 1, 9, -1, &plain, H, RETRY_AGAIN, 0,
      120 * S },
    { "a third otp", RETRY_FAILURE, "otp", 2, 3, -1, &plain, H, RETRY_TRIES_USED_UP, 0,
      0 },
    { "a 9th emergency", RETRY_FAILURE, "emergency", 8, 9, -1, &plain, 9 * H, RETRY_AGAIN,
      0, H },
    { "a 10th emergency", RETRY_FAILURE, "emergency", 9, 9, -1, &plain, 9 * H,
      RETRY_TRIES_USED_UP, 0, 0 },
    { "a 7th transactional", RETRY_FAILURE, "transactional", 6, 9, -1, &plain, 9 * H,
      RETRY_AGAIN, 0, H },
    { "an 8th transactional", RETRY_FAILURE, "transactional", 7, 9, -1, &plain, 9 * H,
      RETRY_TRIES_USED_UP, 0, 0 },
    { "a 5th marketing", RETRY_FAILURE, "marketing", 4, 9, -1, &plain, 9 * H,
      RETRY_TRIES_USED_UP, 0, 0 },
    { "another class", RETRY_FAILURE, "letters", 6, 9, -1, &plain, 9 * H, RETRY_AGAIN, 0,
      H },
    { "hours apart", RETRY_FAILURE, "transactional", 0, 1, -1, &hours, 24 * H,
      RETRY_AGAIN, 2 * H, 4 * H },
    { "its wait does not grow beyond the greatest", RETRY_FAILURE, "transactional", 1, 2,
      -1, &hours, 24 * H, RETRY_AGAIN, 2 * H, 4 * H },
    { "the code's tries", RETRY_FAILURE, "transactional", 2, 3, -1, &hours, 24 * H,
      RETRY_TRIES_USED_UP, 0, 0 },
    { "hours are too long for an otp", RETRY_FAILURE, "otp", 0, 1, -1, &hours, 600 * S,
      RETRY_TOO_LATE, 0, 0 },
    { "once", RETRY_FAILURE, "emergency", 0, 1, -1, &once, H, RETRY_AGAIN, 60 * S,
      120 * S },
    { "and no more", RETRY_FAILURE, "emergency", 1, 2, -1, &once, H, RETRY_TRIES_USED_UP,
      0, 0 },
};

static void every_case_has_its_wait(void **state)
{
    const int64_t now_us = INT64_C(1790000000) * S;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct retry_case c = { cases[i].reason,
                                      cases[i].message_class,
                                      cases[i].tries,
                                      cases[i].turn,
                                      cases[i].retry_after_us,
                                      cases[i].code,
                                      now_us + cases[i].useful_us };
        int64_t least_us = INT64_MAX, most_us = -1;
        print_message("%s\n", cases[i].what);
        for (int k = 0; k < ROUNDS; k++) {
            int64_t due_us = now_us;
            assert_int_equal(retry_decide(&due_us, &set, &c, now_us), cases[i].next);
            if (cases[i].next != RETRY_AGAIN)
                continue;
            assert_in_range(due_us - now_us, cases[i].from_us, cases[i].to_us - 1);
            least_us = due_us - now_us < least_us ? due_us - now_us : least_us;
            most_us = due_us - now_us > most_us ? due_us - now_us : most_us;
        }
        // Full jitter: the whole range is used (missed by chance once in 10^8).
        int64_t range_us = cases[i].to_us - cases[i].from_us;
        if (cases[i].next == RETRY_AGAIN && range_us > S / 4 && cases[i].useful_us >= H &&
            cases[i].retry_after_us < 0) {
            assert_true(least_us < cases[i].from_us + range_us / 8);
            assert_true(most_us > cases[i].to_us - range_us / 8);
        }
    }
}

static void a_code_only_lessens_the_tries(void **state)
{
    const struct error_code generous = { 1, ERROR_RETRY, 0, 50, false, "", "" };
    (void)state;

    assert_int_equal(retry_tries_max(&set, "otp", &generous), 3);
    assert_int_equal(retry_tries_max(&set, "otp", NULL), 3);
    assert_int_equal(retry_tries_max(&set, "emergency", &once), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_wait),
        cmocka_unit_test(a_code_only_lessens_the_tries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
