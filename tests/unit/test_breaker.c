#include "breaker.h"

#include "test.h"

#include <string.h>

#define S INT64_C(1000000)

enum { STEPS_MAX = 16 };

// One step of a life. Times are seconds.
struct step {
    enum { HEAR, PROBE, PERMIT, SET, WAY, END } what;
    int64_t at_s;
    int value;        // word, state or way
    int count;        // how many words; 0 = one
    int change;       // of the last word
    int64_t began_s;  // 0 = at_s
};

#define WORDS(at, word, count, change)                                                   \
    {                                                                                    \
        HEAR, at, BREAKER_##word, count, BREAKER_##change, 0                             \
    }
#define LATE(at, began, word, change)                                                    \
    {                                                                                    \
        HEAR, at, BREAKER_##word, 1, BREAKER_##change, began                             \
    }
#define PROBED(at, word, change)                                                         \
    {                                                                                    \
        PROBE, at, BREAKER_##word, 1, BREAKER_##change, 0                                \
    }
#define ASKED(at)                                                                        \
    {                                                                                    \
        PERMIT, at, 0, 0, 0, 0                                                           \
    }
#define OTHERS(at, state)                                                                \
    {                                                                                    \
        SET, at, BREAKER_##state, 0, 0, 0                                                \
    }
#define IS(at, way)                                                                      \
    {                                                                                    \
        WAY, at, BREAKER_##way, 0, 0, 0                                                  \
    }

static const struct {
    const char *what;
    struct step steps[STEPS_MAX];
} lives[] = {
    { "what works flows",
      { WORDS(100, WELL, 1000, STAYS), IS(100, PASS), { END, 0, 0, 0, 0, 0 } } },
    { "one refusal stops at once",
      { WORDS(100, WELL, 1000, STAYS),
        WORDS(100, REFUSED, 1, OPENS),
        IS(100, HOLD),
        { END, 0, 0, 0, 0, 0 } } },
    { "nothing of ours counts",
      { WORDS(100, NOTHING, 1000, STAYS), IS(100, PASS), { END, 0, 0, 0, 0, 0 } } },
    { "nineteen doubts are no storm yet",
      { WORDS(100, DOUBT, 19, STAYS),
        IS(100, PASS),
        WORDS(100, DOUBT, 1, OPENS),
        IS(100, HOLD),
        { END, 0, 0, 0, 0, 0 } } },
    { "half of the answers in doubt is no storm, one more is",
      { WORDS(100, WELL, 20, STAYS),
        WORDS(105, DOUBT, 20, STAYS),
        IS(105, PASS),
        WORDS(105, DOUBT, 1, OPENS),
        { END, 0, 0, 0, 0, 0 } } },
    { "what is older than ten seconds is forgotten",
      { WORDS(100, DOUBT, 19, STAYS),
        WORDS(110, DOUBT, 19, STAYS),
        IS(110, PASS),
        WORDS(119, DOUBT, 1, OPENS),
        { END, 0, 0, 0, 0, 0 } } },
    { "also where no answer came since",
      { WORDS(100, DOUBT, 19, STAYS),
        WORDS(113, DOUBT, 1, STAYS),
        IS(113, PASS),
        { END, 0, 0, 0, 0, 0 } } },
    { "five connections that fail are enough",
      { WORDS(100, UNREACHED, 4, STAYS),
        WORDS(101, UNREACHED, 1, OPENS),
        { END, 0, 0, 0, 0, 0 } } },
    { "but not among many that work",
      { WORDS(100, WELL, 100, STAYS),
        WORDS(100, UNREACHED, 100, STAYS),
        IS(100, PASS),
        { END, 0, 0, 0, 0, 0 } } },
    { "without a permit nothing probes, and an old permit is none",
      { WORDS(100, REFUSED, 1, OPENS),
        IS(200, HOLD),
        ASKED(200),
        IS(202, PROBE),
        IS(203, HOLD),
        { END, 0, 0, 0, 0, 0 } } },
    { "answers of before the stop change nothing",
      { WORDS(100, REFUSED, 1, OPENS),
        WORDS(101, WELL, 10, STAYS),
        IS(101, HOLD),
        WORDS(102, REFUSED, 10, STAYS),
        { END, 0, 0, 0, 0, 0 } } },
    { "a probe that goes well closes it",
      { WORDS(100, REFUSED, 1, OPENS),
        ASKED(110),
        IS(110, PROBE),
        PROBED(111, WELL, CLOSES),
        IS(111, PASS),
        { END, 0, 0, 0, 0, 0 } } },
    { "a probe that fails needs another permit",
      { WORDS(100, REFUSED, 1, OPENS),
        ASKED(110),
        PROBED(111, REFUSED, FAILS),
        IS(111, HOLD),
        ASKED(120),
        PROBED(121, DOUBT, FAILS),
        ASKED(130),
        PROBED(131, UNREACHED, FAILS),
        IS(131, HOLD),
        { END, 0, 0, 0, 0, 0 } } },
    { "a probe that never left says nothing, and another job takes its place",
      { WORDS(100, REFUSED, 1, OPENS),
        ASKED(110),
        PROBED(111, NOTHING, STAYS),
        IS(111, PROBE),
        { END, 0, 0, 0, 0, 0 } } },
    { "what began before it closed cannot open it again",
      { WORDS(100, REFUSED, 1, OPENS),
        ASKED(110),
        PROBED(112, WELL, CLOSES),
        LATE(113, 99, REFUSED, STAYS),
        IS(113, PASS),
        LATE(114, 113, REFUSED, OPENS),
        { END, 0, 0, 0, 0, 0 } } },
    { "the storm before it closed is over",
      { WORDS(100, DOUBT, 20, OPENS),
        ASKED(102),
        PROBED(102, WELL, CLOSES),
        WORDS(103, DOUBT, 10, STAYS),
        IS(103, PASS),
        { END, 0, 0, 0, 0, 0 } } },
    { "what a person stopped is not probed, and no answer starts it",
      { OTHERS(100, OFF),
        ASKED(100),
        IS(101, HOLD),
        PROBED(101, WELL, STAYS),
        IS(101, HOLD),
        OTHERS(102, CLOSED),
        IS(102, PASS),
        { END, 0, 0, 0, 0, 0 } } },
    { "a probe under way when a person starts it is an answer like others",
      { WORDS(100, REFUSED, 1, OPENS),
        ASKED(101),
        OTHERS(102, CLOSED),
        LATE(103, 101, REFUSED, STAYS),
        PROBED(103, WELL, STAYS),
        IS(103, PASS),
        PROBED(104, REFUSED, OPENS),
        { END, 0, 0, 0, 0, 0 } } },
    { "what others opened is open here",
      { OTHERS(100, OPEN),
        IS(100, HOLD),
        ASKED(101),
        IS(101, PROBE),
        { END, 0, 0, 0, 0, 0 } } },
};

static void take(struct breaker *b, const struct step *step)
{
    int64_t at_us = step->at_s * S;
    int64_t began_us = step->began_s ? step->began_s * S : at_us;
    enum breaker_change change = BREAKER_STAYS;

    switch (step->what) {
    case HEAR:
        for (int i = 0; i < (step->count ? step->count : 1); i++) {
            assert_int_equal(change, BREAKER_STAYS);
            change =
                breaker_hear(b, (enum breaker_word)step->value, false, began_us, at_us);
        }
        assert_int_equal(change, step->change);
        return;
    case PROBE:
        breaker_begin(b);
        assert_int_equal(breaker_way(b, at_us), b->state ? BREAKER_HOLD : BREAKER_PASS);
        change = breaker_hear(b, (enum breaker_word)step->value, true, began_us, at_us);
        assert_int_equal(change, step->change);
        return;
    case PERMIT:
        b->permit_us = at_us;
        return;
    case SET:
        breaker_set(b, (enum breaker_state)step->value, at_us);
        return;
    case WAY:
        assert_int_equal(breaker_way(b, at_us), step->value);
        return;
    case END:
        return;
    }
}

static void it_lives_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lives); i++) {
        struct breaker b = { 0 };

        print_message("%s\n", lives[i].what);
        for (const struct step *step = lives[i].steps; step->what != END; step++)
            take(&b, step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lives_as_the_table_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
