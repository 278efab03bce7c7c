// Which messages of Twilio's list are which POSTs: by turn, by order, or nobody can tell.
#include "doubt_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { S = 1000000, MARGIN_US = 5 * S, NEVER = -1000 };

// Times in seconds, NEVER = there are no more; turn 0 = another message's.
struct match_case {
    const char *what;
    struct {
        int32_t turn;
        int claimed_s;
    } tries[4];
    int created_s[4];  // the newest first
    int32_t turns[4];  // to which they go, 0 = to none of ours
};

static const struct match_case cases[] = {
    { "one POST, one message", { { 1, 100 }, { 0, NEVER } }, { 101, NEVER }, { 1 } },
    { "one POST, two messages",
      { { 1, 100 }, { 0, NEVER } },
      { 103, 101, NEVER },
      { 0, 0 } },
    { "only the older turn was taken",
      { { 2, 400 }, { 1, 100 }, { 0, NEVER } },
      { 101, NEVER },
      { 1 } },
    { "only the later turn was taken",
      { { 2, 130 }, { 1, 100 }, { 0, NEVER } },
      { 131, NEVER },
      { 2 } },
    { "both were taken",
      { { 2, 130 }, { 1, 100 }, { 0, NEVER } },
      { 131, 120, NEVER },
      { 2, 1 } },
    { "made within Twilio's whole second, before the claim",
      { { 1, 100 }, { 0, NEVER } },
      { 99, NEVER },
      { 1 } },
    { "another's came first",
      { { 1, 100 }, { 0, 98 }, { 0, NEVER } },
      { 101, 99, NEVER },
      { 1, 0 } },
    { "another's, and one message",
      { { 1, 100 }, { 0, 98 }, { 0, NEVER } },
      { 101, NEVER },
      { 0 } },
    { "made when no POST of ours was under way",
      { { 1, 100 }, { 0, NEVER } },
      { 300, NEVER },
      { 0 } },
};

static int32_t turn_of(const struct doubt_pair *pairs, size_t count,
                       const struct provider_message *message)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].message == message)
            return pairs[i].turn;
    return 0;
}

static void messages_go_to_the_turns_that_made_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct match_case *c = &cases[i];
        struct doubt_try tries[DOUBT_TRIES_MAX] = { 0 };
        static struct provider_message messages[4];
        struct doubt_pair pairs[DOUBT_PAIRS_MAX];
        size_t try_count = 0, count = 0;

        for (; c->tries[try_count].claimed_s != NEVER; try_count++) {
            tries[try_count].turn = c->tries[try_count].turn;
            tries[try_count].claimed_us =
                c->tries[try_count].claimed_s * INT64_C(1000000);
        }
        for (; c->created_s[count] != NEVER; count++)
            messages[count].created_us = c->created_s[count] * INT64_C(1000000);
        size_t given = doubt_match(pairs, tries, try_count, messages, count, MARGIN_US);
        for (size_t k = 0; k < count; k++)
            if (turn_of(pairs, given, &messages[k]) != c->turns[k])
                fail_msg("%s: message %zu went to turn %d", c->what, k,
                         (int)turn_of(pairs, given, &messages[k]));
        for (size_t k = 1; k < given; k++)
            assert_true(pairs[k - 1].turn < pairs[k].turn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_to_the_turns_that_made_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
