// The Prometheus text, byte for byte (format 0.0.4; promtool check metrics agrees).
#include "metrics.h"

#include "buf.h"
#include "test.h"

#include <math.h>
#include <string.h>

static void set_gauge(void *arg)
{
    metric_set(arg, 0.1);
}

static void the_exposition_is_complete(void **state)
{
    static const double bounds[] = { 0.001, 0.25, 10 };
    static const char wanted[] = "# HELP smsq_jobs_total Jobs read, \\\\ and\\nmore.\n"
                                 "# TYPE smsq_jobs_total counter\n"
                                 "smsq_jobs_total{lane=\"urgent\"} 3\n"
                                 "smsq_jobs_total{lane=\"bulk\"} 18446744073709551615\n"
                                 "# HELP smsq_in_flight Posts in flight.\n"
                                 "# TYPE smsq_in_flight gauge\n"
                                 "smsq_in_flight 0.1\n"
                                 "# HELP smsq_post_seconds Time of a post.\n"
                                 "# TYPE smsq_post_seconds histogram\n"
                                 "smsq_post_seconds_bucket{to=\"a\",le=\"0.001\"} 2\n"
                                 "smsq_post_seconds_bucket{to=\"a\",le=\"0.25\"} 3\n"
                                 "smsq_post_seconds_bucket{to=\"a\",le=\"10\"} 3\n"
                                 "smsq_post_seconds_bucket{to=\"a\",le=\"+Inf\"} 4\n"
                                 "smsq_post_seconds_sum{to=\"a\"} 11.002002\n"
                                 "smsq_post_seconds_count{to=\"a\"} 4\n"
                                 "smsq_post_seconds_bucket{le=\"0.001\"} 0\n"
                                 "smsq_post_seconds_bucket{le=\"0.25\"} 0\n"
                                 "smsq_post_seconds_bucket{le=\"10\"} 0\n"
                                 "smsq_post_seconds_bucket{le=\"+Inf\"} 0\n"
                                 "smsq_post_seconds_sum 0\n"
                                 "smsq_post_seconds_count 0\n";
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(65536);

    (void)state;
    struct metric *urgent = metrics_counter(m, "smsq_jobs_total", "lane=\"urgent\"",
                                            "Jobs read, \\ and\nmore.");
    struct metric *bulk = metrics_counter(m, "smsq_jobs_total", "lane=\"bulk\"",
                                          "Jobs read, \\ and\nmore.");
    struct metric *gauge = metrics_gauge(m, "smsq_in_flight", NULL, "Posts in flight.");
    struct metric *post = metrics_histogram(m, "smsq_post_seconds", "to=\"a\"",
                                            "Time of a post.", bounds, COUNT_OF(bounds));
    metrics_histogram(m, "smsq_post_seconds", NULL, "Time of a post.", bounds,
                      COUNT_OF(bounds));
    metrics_before_render(m, set_gauge, gauge);
    metric_add(urgent, 1);
    metric_add(urgent, 2);
    metric_add(bulk, UINT64_MAX);
    metric_observe_us(post, 1);
    metric_observe_us(post, 1000);  // a bound belongs to its bucket
    metric_observe_us(post, 1001);
    metric_observe_us(post, 11000000);
    assert_int_equal(metric_count(post), 4);
    assert_int_equal(metric_count(urgent), 3);
    metrics_render(m, &out);
    assert_string_equal(buf_text(&out), wanted);
    buf_free(&out);
    metrics_free(m);
}

static void numbers_are_written_so_that_they_come_back(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { -1.5, "-1.5" },
        { 1e15, "1e+15" },
        { 123456789012345, "123456789012345" },
        { 1234567890123456, "1234567890123456" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1e300, "1e+300" },
        { INFINITY, "+Inf" },
        { -INFINITY, "-Inf" },
        { NAN, "NaN" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct metrics *m = metrics_new();
        struct buf out = BUF_INIT(4096), wanted = BUF_INIT(4096);
        metric_set(metrics_gauge(m, "smsq_x", NULL, "X."), cases[i].value);
        metrics_render(m, &out);
        buf_addf(&wanted, "# HELP smsq_x X.\n# TYPE smsq_x gauge\nsmsq_x %s\n",
                 cases[i].text);
        assert_string_equal(buf_text(&out), buf_text(&wanted));
        buf_free(&out);
        buf_free(&wanted);
        metrics_free(m);
    }
}

static void a_counter_kept_elsewhere_is_set(void **state)
{
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(4096);

    (void)state;
    metric_set(metrics_counter(m, "smsq_cpu_seconds_total", NULL, "CPU."), 1.25);
    metrics_render(m, &out);
    assert_non_null(strstr(buf_text(&out), "\nsmsq_cpu_seconds_total 1.25\n"));
    buf_free(&out);
    metrics_free(m);
}

static void latency_buckets_rise_from_a_tenth_of_a_millisecond_to_a_minute(void **state)
{
    (void)state;
    assert_true(metrics_latency[0] <= 0.0001 && metrics_latency[0] >= 0.0001);
    assert_true(metrics_latency[metrics_latency_count - 1] >= 60);
    for (size_t i = 1; i < metrics_latency_count; i++)
        assert_true(metrics_latency[i] > metrics_latency[i - 1]);
    metrics_free(NULL);
}

// Several connections of one program count into the same series.
static void a_series_declared_twice_is_one(void **state)
{
    static const double bounds[] = { 1 }, others[] = { 2, 3 };
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(4096);

    (void)state;
    struct metric *counter = metrics_counter(m, "smsq_a_total", "l=\"x\"", "A.");
    struct metric *gauge = metrics_gauge(m, "smsq_b", NULL, "B.");
    struct metric *times = metrics_histogram(m, "smsq_c", NULL, "C.", bounds, 1);
    metric_add(counter, 2);
    metric_set(gauge, 5);
    metric_observe_us(times, 1);
    assert_ptr_equal(metrics_counter(m, "smsq_a_total", "l=\"x\"", "A."), counter);
    assert_ptr_not_equal(metrics_counter(m, "smsq_a_total", "l=\"y\"", "A."), counter);
    assert_ptr_not_equal(metrics_counter(m, "smsq_a_total", NULL, "A."), counter);
    assert_ptr_equal(metrics_gauge(m, "smsq_b", NULL, "B."), gauge);
    assert_ptr_equal(metrics_histogram(m, "smsq_c", NULL, "C.", others, 2), times);
    assert_int_equal(metric_count(counter), 2);
    assert_int_equal(metric_count(times), 1);
    metrics_render(m, &out);
    assert_string_equal(buf_text(&out), "# HELP smsq_a_total A.\n"
                                        "# TYPE smsq_a_total counter\n"
                                        "smsq_a_total{l=\"x\"} 2\n"
                                        "smsq_a_total{l=\"y\"} 0\n"
                                        "smsq_a_total 0\n"
                                        "# HELP smsq_b B.\n"
                                        "# TYPE smsq_b gauge\n"
                                        "smsq_b 5\n"
                                        "# HELP smsq_c C.\n"
                                        "# TYPE smsq_c histogram\n"
                                        "smsq_c_bucket{le=\"1\"} 1\n"
                                        "smsq_c_bucket{le=\"+Inf\"} 1\n"
                                        "smsq_c_sum 1e-06\n"
                                        "smsq_c_count 1\n");
    buf_free(&out);
    metrics_free(m);
}

static void a_late_series_stands_beside_its_kin(void **state)
{
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(4096);

    (void)state;
    metrics_counter(m, "smsq_a_total", "l=\"1\"", "A.");
    metrics_counter(m, "smsq_b_total", NULL, "B.");
    metrics_counter(m, "smsq_a_total", "l=\"2\"", "A.");
    metrics_counter(m, "smsq_a_total", "l=\"3\"", "A.");
    metrics_counter(m, "smsq_b_total", "l=\"1\"", "B.");
    metrics_counter(m, "smsq_c_total", NULL, "C.");
    metrics_render(m, &out);
    assert_string_equal(buf_text(&out), "# HELP smsq_a_total A.\n"
                                        "# TYPE smsq_a_total counter\n"
                                        "smsq_a_total{l=\"1\"} 0\n"
                                        "smsq_a_total{l=\"2\"} 0\n"
                                        "smsq_a_total{l=\"3\"} 0\n"
                                        "# HELP smsq_b_total B.\n"
                                        "# TYPE smsq_b_total counter\n"
                                        "smsq_b_total 0\n"
                                        "smsq_b_total{l=\"1\"} 0\n"
                                        "# HELP smsq_c_total C.\n"
                                        "# TYPE smsq_c_total counter\n"
                                        "smsq_c_total 0\n");
    buf_free(&out);
    metrics_free(m);
}

static void sizes_are_counted_in_their_own_unit(void **state)
{
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(65536);

    (void)state;
    struct metric *size = metrics_sizes(m, "smsq_batch_rows", NULL, "Rows.");
    metric_observe(size, 1);
    metric_observe(size, 500);
    metric_observe(size, 1001);
    metrics_render(m, &out);
    assert_non_null(strstr(buf_text(&out), "\nsmsq_batch_rows_bucket{le=\"1\"} 1\n"));
    assert_non_null(strstr(buf_text(&out), "\nsmsq_batch_rows_bucket{le=\"200\"} 1\n"));
    assert_non_null(strstr(buf_text(&out), "\nsmsq_batch_rows_bucket{le=\"1000\"} 2\n"));
    assert_non_null(strstr(buf_text(&out), "\nsmsq_batch_rows_sum 1502\n"));
    buf_free(&out);
    metrics_free(m);
}

static void a_clock_that_goes_back_counts_as_no_time(void **state)
{
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(65536);

    (void)state;
    metric_observe_us(metrics_latencies(m, "smsq_a_seconds", NULL, "A."), -5000000);
    metrics_render(m, &out);
    assert_non_null(strstr(buf_text(&out), "\nsmsq_a_seconds_bucket{le=\"0.0001\"} 1\n"));
    assert_non_null(strstr(buf_text(&out), "\nsmsq_a_seconds_sum 0\n"));
    buf_free(&out);
    metrics_free(m);
}

static void sample(void *arg, struct metrics_samples *to)
{
    metrics_sample(to, arg, 1.5);
}

static void series_that_come_and_go_are_sampled(void **state)
{
    static char one[] = "l=\"1\"", two[] = "l=\"2\"";
    struct metrics *m = metrics_new();
    struct buf out = BUF_INIT(4096);

    (void)state;
    metrics_sampled(m, "smsq_lag", "Lag.", sample, one);
    metrics_counter(m, "smsq_b_total", NULL, "B.");
    metrics_sampled(m, "smsq_lag", "Lag.", sample, two);
    metrics_render(m, &out);
    assert_string_equal(buf_text(&out), "# HELP smsq_lag Lag.\n# TYPE smsq_lag gauge\n"
                                        "smsq_lag{l=\"1\"} 1.5\nsmsq_lag{l=\"2\"} 1.5\n"
                                        "# HELP smsq_b_total B.\n"
                                        "# TYPE smsq_b_total counter\nsmsq_b_total 0\n");
    metrics_forget(m, one);
    buf_clear(&out);
    metrics_render(m, &out);
    assert_null(strstr(buf_text(&out), "l=\"1\""));
    assert_non_null(strstr(buf_text(&out), "\nsmsq_lag{l=\"2\"} 1.5\n"));
    buf_free(&out);
    metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exposition_is_complete),
        cmocka_unit_test(numbers_are_written_so_that_they_come_back),
        cmocka_unit_test(a_counter_kept_elsewhere_is_set),
        cmocka_unit_test(a_series_declared_twice_is_one),
        cmocka_unit_test(a_late_series_stands_beside_its_kin),
        cmocka_unit_test(sizes_are_counted_in_their_own_unit),
        cmocka_unit_test(a_clock_that_goes_back_counts_as_no_time),
        cmocka_unit_test(series_that_come_and_go_are_sampled),
        cmocka_unit_test(latency_buckets_rise_from_a_tenth_of_a_millisecond_to_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
