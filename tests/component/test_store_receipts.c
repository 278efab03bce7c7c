// Who vouches for a callback: the simulator's word moves simulated messages only,
// Twilio's the others only, by id and by SID. Whoever knows the simulator's token, which
// may be the one that everybody knows, signs what he likes with it.
#include "pg.h"
#include "race.h"
#include "sms_job_make.h"
#include "status.h"
#include "store_ask.h"
#include "store_receipts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SID "SM0123456789abcdef0123456789abcde"  // and one digit

enum { TWILIO, SIMULATOR };

// id NULL: the callback names no message.
static void put(struct db_fixture *f, const unsigned char *id, const char *sid,
                const char *word, int signer)
{
    ask_receipt(f, id, id ? 1 : 0, sid, word, signer == SIMULATOR);
}

static void join(struct db_fixture *f)
{
    struct ask ask = { 0 };

    store_receipts_join(f->db, 100, &race_retry, false, ask_done, &ask);
    ask_wait(f, &ask);
}

static void assert_status(struct db_fixture *f, const char *wanted)
{
    char *is = pg_text(f->pg, "select status from messages");

    assert_string_equal(is, wanted);
    free(is);
}

static void clean(struct db_fixture *f)
{
    pg_exec(f->pg, "truncate messages, attempts, receipts, receipts_unmatched");
}

static void claim(struct db_fixture *f, struct sms_job *job, const char *mode)
{
    char sql[128];

    clean(f);
    ask_claim(f, job, 1, 0);
    (void)snprintf(sql, sizeof(sql), "update messages set mode = '%s'", mode);
    pg_exec(f->pg, sql);
}

static void the_simulator_moves_no_real_message(void **state)
{
    static const char *const modes[] = { "live", "listed" };
    struct db_fixture *f = *state;
    struct sms_job job;

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        claim(f, &job, modes[i]);
        put(f, job.message_id, SID "1", "queued", TWILIO);
        put(f, job.message_id, SID "1", "delivered", SIMULATOR);
        put(f, job.message_id, SID "2", "read", SIMULATOR);
        put(f, NULL, SID "1", "undelivered", SIMULATOR);
        join(f);
        assert_status(f, "queued");
        assert_int_equal(pg_int(f->pg, "select count(*) from attempts where status ="
                                       " 'queued' and twilio_sid = '" SID "1'"),
                         1);
        put(f, NULL, SID "1", "sent", TWILIO);
        join(f);
        assert_status(f, "sent");
        put(f, job.message_id, SID "1", "delivered", TWILIO);
        assert_status(f, "delivered");
        assert_int_equal(pg_int(f->pg, "select count(*) from receipts where simulated"),
                         3);
    }
}

static void twilio_moves_no_simulated_message(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    claim(f, &job, "simulate");
    put(f, job.message_id, SID "1", "queued", SIMULATOR);
    put(f, job.message_id, SID "1", "delivered", TWILIO);
    put(f, NULL, SID "1", "delivered", TWILIO);
    join(f);
    assert_status(f, "queued");
    put(f, NULL, SID "1", "delivered", SIMULATOR);
    join(f);
    assert_status(f, "delivered");
}

// A forger may tell a simulated message a SID that is a real one's: Twilio's callback by
// this SID still finds the real one.
static void a_borrowed_sid_hides_no_real_message(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job mine, real;

    clean(f);
    ask_claim(f, &mine, 1, 0);
    put(f, mine.message_id, SID "1", "sent", SIMULATOR);
    ask_claim(f, &real, 2, 0);
    pg_exec(f->pg, "update messages set mode = 'live' where status = 'claimed'");
    put(f, real.message_id, SID "1", "queued", TWILIO);
    put(f, NULL, SID "1", "delivered", TWILIO);
    join(f);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages where mode = 'live' and"
                                   " status = 'delivered'"),
                     1);
    assert_int_equal(pg_int(f->pg, "select count(*) from messages where mode = 'simulate'"
                                   " and status = 'sent'"),
                     1);
}

// A callback that came before its message waits for it, and is dropped if it is not its.
static void a_forged_callback_that_came_early_is_forgotten(void **state)
{
    struct db_fixture *f = *state;
    struct sms_job job;

    clean(f);
    ask_claim(f, &job, 1, 0);
    pg_exec(f->pg, "create table kept as table messages; truncate messages");
    put(f, job.message_id, SID "1", "delivered", SIMULATOR);
    assert_int_equal(pg_int(f->pg, "select count(*) from receipts_unmatched"), 1);
    pg_exec(f->pg, "update kept set mode = 'live';"
                   " insert into messages select * from kept; drop table kept");
    join(f);
    assert_status(f, "claimed");
    assert_int_equal(pg_int(f->pg, "select count(*) from receipts_unmatched"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_simulator_moves_no_real_message),
        STORE_TEST(twilio_moves_no_simulated_message),
        STORE_TEST(a_borrowed_sid_hides_no_real_message),
        STORE_TEST(a_forged_callback_that_came_early_is_forgotten),
    };
    return cmocka_run_group_tests(tests, ask_group_start, db_group_stop);
}
