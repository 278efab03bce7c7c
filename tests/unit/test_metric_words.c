// Series of words that are known only when they come, and never too many.
#include "metric_words.h"

#include "buf.h"
#include "metrics.h"
#include "test.h"

#include <string.h>

static void assert_rendered(struct metrics *m, const char *wanted)
{
    struct buf out = BUF_INIT(65536);

    metrics_render(m, &out);
    assert_string_equal(buf_text(&out), wanted);
    buf_free(&out);
}

static void words_are_counted_apart_up_to_a_bound(void **state)
{
    static const char *const words[] = {
        "USD", "CHF", "USD", "EUR", "GBP", "other", "CHF"
    };
    static const char *const first[] = { "USD", NULL };
    const struct metric_words_settings set = {
        "smsq_cost_total", "mode=\"live\"", "currency", "Cost.", 2, first, metrics_counter
    };
    struct metrics *m = metrics_new();
    struct metric_words *w = metric_words_new(m, &set);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        metric_add(metric_words_find(w, words[i]), 1);
    assert_rendered(m, "# HELP smsq_cost_total Cost.\n"
                       "# TYPE smsq_cost_total counter\n"
                       "smsq_cost_total{mode=\"live\",currency=\"USD\"} 2\n"
                       "smsq_cost_total{mode=\"live\",currency=\"CHF\"} 2\n"
                       "smsq_cost_total{mode=\"live\",currency=\"other\"} 3\n");
    metric_words_free(w);
    metrics_free(m);
}

static void what_is_no_plain_word_is_other(void **state)
{
    static const char *const words[] = { "", "a b", "a\"b", "a\nb", "\xc3\xa4", "a\\" };
    char long_word[METRIC_WORD_BYTES + 1];
    const struct metric_words_settings set = { "smsq_x_total", NULL, "word",
                                               "X.",           9,    NULL,
                                               metrics_counter };
    struct metrics *m = metrics_new();
    struct metric_words *w = metric_words_new(m, &set);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        metric_add(metric_words_find(w, words[i]), 1);
    memset(long_word, 'a', sizeof(long_word) - 1);
    long_word[sizeof(long_word) - 1] = '\0';
    metric_add(metric_words_find(w, long_word), 1);
    metric_add(metric_words_number(w, -2147483647 - 1), 1);
    assert_rendered(m, "# HELP smsq_x_total X.\n# TYPE smsq_x_total counter\n"
                       "smsq_x_total{word=\"other\"} 7\n"
                       "smsq_x_total{word=\"-2147483648\"} 1\n");
    metric_words_free(w);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_counted_apart_up_to_a_bound),
        cmocka_unit_test(what_is_no_plain_word_is_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
