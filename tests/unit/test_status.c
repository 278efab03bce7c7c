#include "status.h"

#include "test.h"

static void every_word_of_twilio_has_its_rank(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int rank;
        const char *inner;
    } words[] = {
        { "accepted", 30, "queued" },
        { "scheduled", 30, "queued" },
        { "queued", 30, "queued" },
        { "sending", 40, "sending" },
        { "sent", 50, "sent" },
        { "partially_delivered", 65, "partially_delivered" },
        { "failed", 70, "failed" },
        { "canceled", 71, "canceled" },
        { "undelivered", 72, "undelivered" },
        { "delivered", 75, "delivered" },
        { "read", 80, "read" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_int_equal(status_rank(words[i].word), words[i].rank);
        assert_string_equal(status_of_provider(words[i].word), words[i].inner);
    }
}

static void unknown_words_have_no_rank(void **state)
{
    (void)state;
    static const char *const words[] = { "", "SENT", "received", "teleported" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_int_equal(status_rank(words[i]), -1);
        assert_null(status_of_provider(words[i]));
    }
}

static void senders_see_the_documented_words(void **state)
{
    (void)state;
    static const struct {
        const char *status, *kind, *shown;
    } words[] = {
        { "waiting", "retry", "queued" },
        { "waiting", NULL, "queued" },
        { "waiting", "schedule", "scheduled" },
        { "waiting", "hold", "held" },
        { "claimed", NULL, "queued" },
        { "queued", NULL, "queued" },
        { "in_doubt", NULL, "sending" },
        { "sending", NULL, "sending" },
        { "timed_out", NULL, "sent" },
        { "partially_delivered", NULL, "delivered" },
        { "delivered", NULL, "delivered" },
        { "expired", NULL, "expired" },
        { "unknown", NULL, "unknown" },
        { "failed", NULL, "failed" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_string_equal(status_shown(words[i].status, words[i].kind), words[i].shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_twilio_has_its_rank),
        cmocka_unit_test(unknown_words_have_no_rank),
        cmocka_unit_test(senders_see_the_documented_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
