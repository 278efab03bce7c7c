// Messages in doubt that are not alone: an older turn's proof, a later turn, another
// message with the same text.
#include "doubt_scene.h"

#include "list_site.h"
#include "store_claims.h"

// Its first POST was taken after all: the callback takes the row that waits.
static void proof_of_an_older_turn_stops_the_resend(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;
    struct ask ask = { .check = ask_no_rows };

    doubt_lose(s, &job, "emergency", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("waiting"));
    doubt_call_back(s, &job, 1, SID "1", "queued");
    ask_is(&s->db, IS("queued") " and shown_turn = 1", 1);
    ask_is(&s->db, DECIDED("late_truth") " and turn = 1 and reason like '%not go out'",
           1);
    job.turn = 2;
    struct sms_job *jobs[] = { &job };
    store_claim(s->db.db, jobs, 1, 1, 1, ask_done, &ask);
    ask_wait(&s->db, &ask);
    ask_is(&s->db, IS("queued"), 1);
}

// Its resend is claimed.
static void resend(struct doubt_scene *s, struct sms_job *job)
{
    doubt_lose(s, job, "emergency", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("waiting"));
    doubt_claim_again(s, job, 2);
}

// Too late to stop it: both may arrive, and a row says so.
static void proof_of_an_older_turn_beside_a_claimed_one_is_flagged(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    resend(s, &job);
    doubt_call_back(s, &job, 1, SID "1", "queued");
    doubt_call_back(s, &job, 1, SID "1", "sent");
    ask_is(&s->db, IS("claimed") " and turn = 2", 1);
    ask_is(&s->db, DECIDED("late_truth") " and turn = 1 and reason like '%twice'", 1);
    ask_is(&s->db, DECIDED("late_truth"), 1);
}

// Its later turn ends in doubt: the older one is shown, and nothing goes out again.
static void a_doubt_beside_an_older_turn_on_its_way_is_settled(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    resend(s, &job);
    doubt_call_back(s, &job, 1, SID "1", "sent");
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    ask_until(&s->db, DECIDED("adopted"));
    ask_is(&s->db, IS("sent") " and shown_turn = 1 and claimed_epoch is null", 1);
    ask_until(&s->db, "select (count(*) = 0)::int from doubts");
    ask_is(&s->db, DECIDED("resend"), 1);
}

// The list is read back to the oldest turn without a SID.
static void a_list_that_shows_an_older_turn_ends_the_doubt(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    resend(s, &job);
    pg_exec(s->db.pg,
            "update attempts set claimed_at = now() - interval '5 min' where turn = 1");
    list_site_put(s->site,
                  &(struct listed){ .sid = SID "1",
                                    .to = DOUBT_TO,
                                    .from = "+15005550006",
                                    .body = "hello",
                                    .status = "sent",
                                    .created_us = clock_wall_us() - 299 * SECOND_US });
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    ask_until(&s->db, DECIDED("found"));
    ask_is(&s->db, IS("sent") " and shown_turn = 1", 1);
    ask_is(&s->db,
           "select count(*) from attempts where turn = 1 and twilio_sid = '" SID "1'", 1);
    ask_is(&s->db, DECIDED("resend"), 1);
}

static void a_message_from_another_sender_is_no_rival(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job a, b;

    doubt_lose(s, &a, "transactional", "hello", NULL);
    pg_exec(s->db.pg, "update messages set sender = '+15005550009'");
    doubt_lose(s, &b, "transactional", "hello", NULL);
    doubt_show(s, SID "1", "hello", "sent");
    doubt_scene_start(s);
    ask_until(&s->db, DECIDED("found"));
    ask_is(&s->db, IS("sent") " and sender = '+15005550006'", 1);
}

static void a_client_s_choice_is_one_resend(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job job;

    doubt_lose(s, &job, "transactional", "hello", "resend");
    doubt_scene_start(s);
    ask_until(&s->db, IS("waiting") " and turn = 2");
    doubt_claim_again(s, &job, 2);
    pg_exec(s->db.pg, "update messages set status = 'in_doubt', rank = 20");
    ask_until(&s->db, IS("unknown") " and turn = 2");
    ask_is(&s->db, DECIDED("resend"), 1);
    ask_is(&s->db, DECIDED("unknown") " and reason like '%again already%'", 1);
}

// Two POSTs of the same text and one message in the list: nobody knows whose it is.
static void of_two_equal_texts_one_message_proves_neither(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job a, b;

    doubt_lose(s, &a, "transactional", "hello", "resend");
    doubt_lose(s, &b, "transactional", "hello", "resend");
    doubt_show(s, SID "1", "hello", "sent");
    doubt_scene_start(s);
    ask_until(&s->db,
              "select (count(*) = 2)::int from messages where status = 'unknown'");
    ask_is(&s->db, DECIDED("found"), 0);
    ask_is(&s->db, DECIDED("unknown") " and reason like '%which is whose%'", 2);
}

static void of_two_equal_texts_two_messages_prove_both(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job a, b;

    doubt_lose(s, &a, "transactional", "hello", NULL);
    doubt_show(s, SID "1", "hello", "sent");
    doubt_lose(s, &b, "transactional", "hello", NULL);
    doubt_show(s, SID "2", "hello", "sent");
    doubt_scene_start(s);
    ask_until(&s->db, "select (count(*) = 2)::int from decisions where kind = 'found'");
    ask_is(&s->db,
           "select count(distinct twilio_sid) from messages where status = 'sent'", 2);
    ask_is(&s->db,
           "select (array_agg(right(twilio_sid, 1)::int order by message_id))[1]"
           "  from messages",
           1);
}

// A message whose SID another attempt has is not ours.
static void a_message_of_another_attempt_is_not_taken(void **state)
{
    struct doubt_scene *s = *state;
    struct sms_job a, b;

    doubt_lose(s, &a, "transactional", "hello", NULL);
    doubt_show(s, SID "1", "hello", "sent");
    doubt_call_back(s, &a, 1, SID "1", "sent");
    doubt_lose(s, &b, "transactional", "hello", NULL);
    doubt_scene_start(s);
    ask_until(&s->db, IS("unknown"));
    ask_is(&s->db, IS("sent"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBT_TEST(proof_of_an_older_turn_stops_the_resend),
        DOUBT_TEST(proof_of_an_older_turn_beside_a_claimed_one_is_flagged),
        DOUBT_TEST(a_doubt_beside_an_older_turn_on_its_way_is_settled),
        DOUBT_TEST(a_list_that_shows_an_older_turn_ends_the_doubt),
        DOUBT_TEST(a_message_from_another_sender_is_no_rival),
        DOUBT_TEST(a_client_s_choice_is_one_resend),
        DOUBT_TEST(of_two_equal_texts_one_message_proves_neither),
        DOUBT_TEST(of_two_equal_texts_two_messages_prove_both),
        DOUBT_TEST(a_message_of_another_attempt_is_not_taken),
    };

    return cmocka_run_group_tests(tests, doubt_group_start, db_group_stop);
}
