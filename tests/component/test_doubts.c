// Messages in doubt, to their end: found by callback or list, given up, sent again; each
// with a row that says why.
#include "doubt_scene.h"

#include "list_site.h"

static void a_message_in_the_list_is_found(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "transactional", "hello", NULL);
    doubt_show(s, SID "1", "hello there", "sent");
    doubt_show(s, SID "2", "hello", "delivered");
    doubt_scene_start(s);
    ask_until(&s->db, DECIDED("found"));
    ask_is(&s->db,
           IS("delivered") " and twilio_sid = '" SID "2' and claimed_epoch is null", 1);
    ask_is(&s->db, "select count(*) from attempts where twilio_sid = '" SID "2'", 1);
    ask_is(&s->db,
           "select count(*) from cost_entries where twilio_sid = '" SID
           "2' and kind = 'estimate'",
           1);
    ask_is(&s->db, "select count(*) from doubts", 0);
}

static void a_callback_ends_the_doubt_without_a_list(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    s->policy.first_look_us = s->policy.list_interval_us = 3600 * (int64_t)SECOND_US;
    s->policy.wait_us[DOUBT_TRANSACTIONAL] = 3600 * (int64_t)SECOND_US;
    doubt_lose(s, &job, "transactional", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, "select count(*) from doubts");
    doubt_call_back(s, &job, 1, SID "1", "sent");
    ask_until(&s->db, DECIDED("found") " and reason like '%callback%'");
    ask_is(&s->db, IS("sent"), 1);
    ask_is(&s->db, "select count(*) from doubts", 0);
    assert_int_equal(list_site_lists(s->site), 0);
}

static void what_three_lists_do_not_show_is_unknown(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;
    int64_t began_us = clock_boot_us();

    doubt_lose(s, &job, "transactional", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("unknown"));
    assert_true(clock_boot_us() - began_us >= s->policy.wait_us[DOUBT_TRANSACTIONAL]);
    assert_true(list_site_lists(s->site) >= 3);
    ask_is(&s->db, DECIDED("unknown") " and reason like 'neither%'", 1);
    ask_is(&s->db, "select count(*) from doubts", 0);
}

// A late truth wins over what was given up.
static void a_late_callback_wins_over_unknown(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "marketing", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("unknown"));
    doubt_call_back(s, &job, 1, SID "1", "queued");
    ask_is(&s->db, IS("queued") " and twilio_sid = '" SID "1'", 1);
    ask_is(&s->db, "select count(*) from cost_entries", 1);
    ask_is(&s->db, DECIDED("late_truth") " and reason like '%as unknown'", 1);
    doubt_call_back(s, &job, 1, SID "1", "queued");
    doubt_call_back(s, &job, 1, SID "1", "delivered");
    ask_is(&s->db, DECIDED("late_truth"), 1);
}

// Lists that do not come prove nothing.
static void without_lists_nothing_is_given_up(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "transactional", "hello", NULL);
    list_site_status(s->site, 503, 0);
    doubt_scene_start(s);
    doubt_pass(s, 2 * SECOND_US);
    ask_is(&s->db, IS("in_doubt"), 1);
    ask_is(&s->db, "select count(*) from doubts where looks > 1 and empty_lists = 0", 1);
    list_site_status(s->site, 0, 0);
    ask_until(&s->db, IS("unknown"));
}

// A list that lags shows it late, but before it is given up.
static void a_list_that_lags_is_waited_for(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    s->policy.list_lag_us = 8 * SECOND_US;
    doubt_lose(s, &job, "transactional", "hello", NULL);
    int64_t created_us = clock_wall_us();
    doubt_scene_start(s);
    ask_until(&s->db, "select count(*) from doubts where empty_lists >= 3");
    doubt_pass(s, 2 * SECOND_US);  // its class's time is over, but not the lag
    ask_is(&s->db, IS("in_doubt"), 1);
    list_site_put(s->site, &(struct listed){ .sid = SID "1",
                                             .to = DOUBT_TO,
                                             .from = "+15005550006",
                                             .body = "hello",
                                             .status = "queued",
                                             .created_us = created_us });
    ask_until(&s->db, DECIDED("found"));
    ask_is(&s->db, IS("queued"), 1);
}

static void a_code_expires_even_without_any_list(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "otp", "hello", NULL);
    list_site_status(s->site, 401, 0);
    doubt_scene_start(s);
    ask_until(&s->db, IS("expired"));
    assert_int_equal(list_site_lists(s->site), 1);
    ask_is(&s->db, DECIDED("expired"), 1);
    ask_is(&s->db, "select count(*) from delayed", 0);
}

static void an_emergency_goes_out_again_and_is_marked(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "emergency", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("waiting") " and turn = 2 and reason = 'maybe_twice'");
    assert_true(list_site_lists(s->site) >= 1);
    ask_is(&s->db,
           "select count(*) from delayed where turn = 2 and kind = 'doubt'"
           " and lane = 'urgent'",
           1);
    ask_is(&s->db, DECIDED("resend") " and turn = 1", 1);
}

// A worker that died left no attempt: what is found makes one.
static void a_rescued_message_is_found_too(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "transactional", "hello", NULL);
    pg_exec(s->db.pg, "delete from attempts");
    doubt_show(s, SID "1", "hello", "queued");
    doubt_scene_start(s);
    ask_until(&s->db, DECIDED("found"));
    ask_is(&s->db,
           "select count(*) from attempts where twilio_sid = '" SID
           "1' and turn = 1 and rank = 30",
           1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBT_TEST(a_message_in_the_list_is_found),
        DOUBT_TEST(a_callback_ends_the_doubt_without_a_list),
        DOUBT_TEST(what_three_lists_do_not_show_is_unknown),
        DOUBT_TEST(a_late_callback_wins_over_unknown),
        DOUBT_TEST(without_lists_nothing_is_given_up),
        DOUBT_TEST(a_list_that_lags_is_waited_for),
        DOUBT_TEST(a_code_expires_even_without_any_list),
        DOUBT_TEST(an_emergency_goes_out_again_and_is_marked),
        DOUBT_TEST(a_rescued_message_is_found_too),
    };

    return cmocka_run_group_tests(tests, doubt_group_start, db_group_stop);
}
