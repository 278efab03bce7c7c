#include "dead_journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void dead_journal_open(struct dead_journal *d, const char *state_dir)
{
    struct err err = { 0 };

    if (state_folder_open(&d->folder, state_dir, &err) ||
        journal_open(&d->journal, state_folder_own(d->folder), DEAD_JOURNAL_SLOTS, &err))
        fail_msg("%s", err.text);
    (void)snprintf(d->path, sizeof(d->path), "%s/slot-%d/%s", state_dir,
                   state_folder_number(d->folder), journal_name(d->journal));
}

struct journal_slot *dead_journal_begin(struct dead_journal *d,
                                        const unsigned char id[16], int32_t turn)
{
    struct sms_job sms = { .turn = turn };
    struct journal_slot *slot = journal_take(d->journal);

    assert_non_null(slot);
    memcpy(sms.message_id, id, 16);
    journal_begin(slot, &sms);
    return slot;
}

void dead_journal_answer(struct dead_journal *d, const struct send_outcome *outcome,
                         bool begun)
{
    struct journal_slot *slot =
        begun ? dead_journal_begin(d, outcome->message_id, outcome->turn)
              : journal_take(d->journal);

    assert_non_null(slot);
    journal_answer(slot, outcome);
}

void dead_journal_kill(struct dead_journal *d)
{
    journal_close(d->journal, false);
    state_folder_close(d->folder);
}

void dead_journal_patch(const char *path, size_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}

void dead_journal_reseal(const char *path)
{
    struct journal_header h;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
    h.check = journal_check(&h, offsetof(struct journal_header, check), 0);
    assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
    close(fd);
}

struct send_outcome dead_journal_accepted(const unsigned char id[16], int32_t turn,
                                          const char *sid)
{
    struct send_outcome o = {
        .turn = turn,
        .status = "queued",
        .rank = 30,
        .outcome = "accepted",
        .http_status = 201,
        .error_code = 30034,
        .sid = sid,
        .segments = 2,
        .failures = 1,
        .due_us = 7,
        .answered_us = 1800000000000000,
        .estimate_micros = 7900,
        .currency = "EUR",
        .rate_note = "default_rate",
        .mode = "simulate",
        .epoch = 1,
        .claimed_us = 1799999999000000,
        .posted_us = 1799999999500000,
        .reason = "tries_used_up",
        .decision = "failed",
    };

    memcpy(o.message_id, id, 16);
    return o;
}
