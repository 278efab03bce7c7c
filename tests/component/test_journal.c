// What a killed worker leaves reads right, whatever instruction was its last; and what
// was changed since proves nothing.
#include "dead_journal.h"

#include "journal_origin.h"
#include "journal_read.h"
#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SID "SM00112233445566778899aabbccddeeff"

enum { KILLS = 150, ROUNDS = 1000000 };

static const unsigned char ids[4][16] = { { 1 }, { 2 }, { 3 }, { 4 } };

struct scene {
    char dir[SCRATCH_BYTES];
    struct dead_journal dead;
    struct journal_origin here;
    struct journal_image image;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    scratch_make(s->dir);
    dead_journal_open(&s->dead, s->dir);
    journal_set_database(s->dead.journal, "1:2:3");
    journal_origin_here(&s->here);
    (void)snprintf(s->here.database, sizeof(s->here.database), "1:2:3");
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    journal_image_free(&s->image);
    scratch_remove(s->dir);
    free(s);
    return 0;
}

static void read_again(struct scene *s)
{
    struct err err = { 0 };

    journal_image_free(&s->image);
    if (journal_read(&s->image, AT_FDCWD, s->dead.path, &s->here, &err))
        fail_msg("%s", err.text);
}

// One begun, one answered, one kept back, one freed again; two epochs.
static void fill(struct scene *s)
{
    const struct send_outcome accepted = dead_journal_accepted(ids[1], 3, SID);
    struct send_outcome kept_back = dead_journal_accepted(ids[2], 1, NULL);

    journal_set_epoch(s->dead.journal, 17);
    journal_set_epoch(s->dead.journal, 18);
    kept_back.rate_note = NULL;
    journal_give_back(s->dead.journal, dead_journal_begin(&s->dead, ids[3], 1));
    dead_journal_begin(&s->dead, ids[0], 1);
    dead_journal_answer(&s->dead, &accepted, true);
    dead_journal_answer(&s->dead, &kept_back, false);
}

static void assert_same(const struct send_outcome *a, const struct send_outcome *b)
{
    assert_memory_equal(a->message_id, b->message_id, 16);
    assert_int_equal(a->turn, b->turn);
    assert_string_equal(a->status, b->status);
    assert_string_equal(a->outcome, b->outcome);
    assert_string_equal(a->currency, b->currency);
    assert_string_equal(a->rate_note, b->rate_note);
    assert_string_equal(a->mode, b->mode);
    assert_string_equal(a->reason, b->reason);
    assert_string_equal(a->decision, b->decision);
    assert_string_equal(a->sid, b->sid);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->http_status, b->http_status);
    assert_int_equal(a->error_code, b->error_code);
    assert_int_equal(a->segments, b->segments);
    assert_int_equal(a->failures, b->failures);
    assert_int_equal(a->due_us, b->due_us);
    assert_int_equal(a->answered_us, b->answered_us);
    assert_int_equal(a->estimate_micros, b->estimate_micros);
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->claimed_us, b->claimed_us);
    assert_int_equal(a->posted_us, b->posted_us);
}

static void what_was_begun_and_answered_is_read_back_whole(void **state)
{
    struct scene *s = *state;
    const struct send_outcome accepted = dead_journal_accepted(ids[1], 3, SID);

    fill(s);
    assert_int_equal(journal_used_slots(s->dead.journal), 3);
    dead_journal_kill(&s->dead);
    read_again(s);
    assert_true(s->image.proves);
    assert_null(s->image.doubt);
    assert_int_equal(s->image.epoch_count, 2);
    assert_int_equal(s->image.epochs[1], 18);
    assert_int_equal(s->image.key_count, 3);
    assert_int_equal(s->image.begun_count, 1);
    assert_memory_equal(s->image.begun[0].message_id, ids[0], 16);
    assert_int_equal(s->image.answered_count, 2);
    assert_same(&s->image.answered[0], &accepted);
    assert_null(s->image.answered[1].sid);
    assert_null(s->image.answered[1].rate_note);
}

static void there_is_no_slot_more_than_there_are(void **state)
{
    struct scene *s = *state;
    struct journal_slot *last = NULL;

    for (size_t i = 0; i < DEAD_JOURNAL_SLOTS; i++) {
        last = journal_take(s->dead.journal);
        assert_non_null(last);
    }
    assert_int_equal(journal_free_slots(s->dead.journal), 0);
    assert_null(journal_take(s->dead.journal));
    journal_give_back(s->dead.journal, last);
    assert_int_equal(journal_free_slots(s->dead.journal), 1);
    assert_ptr_equal(journal_take(s->dead.journal), last);
    dead_journal_kill(&s->dead);
}

static void a_journal_goes_only_with_nothing_in_it(void **state)
{
    static const struct {
        bool nothing_held, uses_a_slot, stays;
    } cases[] = { { true, false, false }, { false, false, true }, { true, true, true } };
    struct scene *s = *state;

    dead_journal_kill(&s->dead);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dead_journal d;
        dead_journal_open(&d, s->dir);
        if (cases[i].uses_a_slot)
            dead_journal_begin(&d, ids[0], 1);
        journal_close(d.journal, cases[i].nothing_held);
        state_folder_close(d.folder);
        assert_int_equal(access(d.path, F_OK) == 0, cases[i].stays);
    }
}

static void only_the_latest_epochs_are_known(void **state)
{
    struct scene *s = *state;

    for (int64_t i = 1; i <= JOURNAL_EPOCHS_MAX + 3; i++)
        journal_set_epoch(s->dead.journal, i);
    dead_journal_kill(&s->dead);
    read_again(s);
    assert_int_equal(s->image.epoch_count, JOURNAL_EPOCHS_MAX);
    for (size_t i = 0; i < s->image.epoch_count; i++)
        assert_true(s->image.epochs[i] > 3);
}

#define IN_HEADER(field) offsetof(struct journal_header, field)
#define IN_SLOT(n, field)                                                                \
    (sizeof(struct journal_header) + (n) * sizeof(struct journal_slot) +                 \
     offsetof(struct journal_slot, field))

// Slot 0 is the begun one, 1 the answered one, 2 was kept back.
static const struct {
    const char *what;
    size_t at;
    bool resealed;
    const char *doubt;  // NULL: it still proves
    bool foreign;
    size_t epochs, begun;
} changes[] = {
    { "nothing", IN_HEADER(pad), false, NULL, false, 2, 1 },
    { "magic", IN_HEADER(magic), true, "torn", true, 0, 0 },
    { "version", IN_HEADER(version), true, "version", false, 2, 0 },
    { "version, torn", IN_HEADER(version), false, "version", false, 2, 0 },
    { "slot size", IN_HEADER(slot_bytes), true, "version", false, 2, 0 },
    { "slot count", IN_HEADER(slot_count), true, "torn", true, 2, 0 },
    { "boot", IN_HEADER(origin.boot_id), true, "started", false, 2, 0 },
    { "host", IN_HEADER(origin.host), true, "host", false, 2, 0 },
    { "database", IN_HEADER(origin.database), true, "database", true, 2, 0 },
    { "header", IN_HEADER(origin.boot_id), false, "torn", true, 2, 0 },
    { "its check", IN_HEADER(check), false, "torn", true, 2, 0 },
    { "an epoch", IN_HEADER(epochs), false, NULL, false, 1, 1 },
    { "the check of an epoch", IN_HEADER(epochs) + 8, false, NULL, false, 1, 1 },
    { "a begun key", IN_SLOT(0, message_id), false, "slot", false, 2, 0 },
    { "a begun turn", IN_SLOT(0, turn), false, "slot", false, 2, 0 },
    { "a begun state", IN_SLOT(0, state), false, NULL, false, 2, 1 },
    { "an answered state", IN_SLOT(1, state), false, NULL, false, 2, 2 },
    { "an answer", IN_SLOT(1, answer.sid) + 3, false, NULL, false, 2, 2 },
    { "the check of an answer", IN_SLOT(1, answer_check) + 7, false, NULL, false, 2, 2 },
    { "an answered key", IN_SLOT(1, key_check), false, "slot", false, 2, 0 },
    { "what is in no slot", IN_SLOT(3, answer.sid), false, NULL, false, 2, 1 },
};

static void change_and_read(struct scene *s, size_t i)
{
    unsigned char byte;
    int fd = open(s->dead.path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(pread(fd, &byte, 1, (off_t)changes[i].at), 1);
    close(fd);
    byte ^= 0x41;
    dead_journal_patch(s->dead.path, changes[i].at, &byte, 1);
    if (changes[i].resealed)
        dead_journal_reseal(s->dead.path);
    read_again(s);
    byte ^= 0x41;
    dead_journal_patch(s->dead.path, changes[i].at, &byte, 1);
    dead_journal_reseal(s->dead.path);
}

static void what_was_changed_proves_nothing_or_is_in_doubt(void **state)
{
    struct scene *s = *state;

    fill(s);
    dead_journal_kill(&s->dead);
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        print_message("%s\n", changes[i].what);
        change_and_read(s, i);
        assert_int_equal(s->image.proves, changes[i].doubt == NULL);
        if (changes[i].doubt)
            assert_non_null(strstr(s->image.doubt, changes[i].doubt));
        assert_int_equal(s->image.is_foreign, changes[i].foreign);
        assert_int_equal(s->image.epoch_count, changes[i].epochs);
        assert_int_equal(s->image.begun_count, changes[i].begun);
        assert_int_equal(s->image.answered_count,
                         changes[i].doubt ? 0 : 3 - changes[i].begun);
    }
}

static void a_file_that_was_cut_proves_nothing(void **state)
{
    static const off_t lengths[] = { JOURNAL_HEADER_BYTES + 1000, JOURNAL_HEADER_BYTES,
                                     JOURNAL_HEADER_BYTES - 1, 8, 0 };
    struct scene *s = *state;

    fill(s);
    dead_journal_kill(&s->dead);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_int_equal(truncate(s->dead.path, lengths[i]), 0);
        read_again(s);
        assert_false(s->image.proves);
        assert_int_equal(s->image.key_count, 0);
        assert_int_equal(s->image.epoch_count,
                         lengths[i] >= JOURNAL_HEADER_BYTES ? 2 : 0);
    }
}

// A POST after the other, as fast as it goes; number n has n in all its fields.
static void work_until_killed(struct scene *s)
{
    char sid[40] = "SM00000000000000000000000000000001";

    for (int32_t n = 1; n < ROUNDS; n++) {
        unsigned char id[16] = { 0 };
        memcpy(id, &n, sizeof(n));
        struct send_outcome o = dead_journal_accepted(id, n, sid);
        o.answered_us = o.due_us = n;
        struct journal_slot *slot = dead_journal_begin(&s->dead, id, n);
        journal_answer(slot, &o);
        (void)snprintf(sid, sizeof(sid), "SM%032d", n + 1);
        journal_give_back(s->dead.journal, slot);
    }
}

static void check_survivor(const struct journal_image *image, size_t *answers)
{
    assert_true(image->proves);
    assert_true(image->key_count <= 1);
    for (size_t i = 0; i < image->key_count; i++)
        assert_memory_equal(&image->keys[i].turn, image->keys[i].message_id, 4);
    for (size_t i = 0; i < image->answered_count; i++) {
        const struct send_outcome *o = &image->answered[i];
        char sid[40];
        (void)snprintf(sid, sizeof(sid), "SM%032d", o->turn);
        assert_string_equal(o->sid, sid);
        assert_int_equal(o->answered_us, o->turn);
        assert_int_equal(o->due_us, o->turn);
        ++*answers;
    }
}

static void a_kill_at_any_instruction_leaves_slots_that_read_right(void **state)
{
    struct scene *s = *state;
    size_t answers = 0, begun = 0, none = 0;

    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0) {
            work_until_killed(s);
            _exit(0);
        }
        (void)usleep(500 + (useconds_t)random_below(3000));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        read_again(s);
        check_survivor(&s->image, &answers);
        begun += s->image.begun_count;
        none += s->image.key_count == 0;
    }
    print_message("%zu begun, %zu answered, %zu free\n", begun, answers, none);
    assert_true(begun > 0 && answers > 0);
    dead_journal_kill(&s->dead);
}

static void a_record_that_crashed_its_worker_is_told_once(void **state)
{
    struct scene *s = *state;
    struct journal_parsed_record rec;

    journal_parsing(s->dead.journal, 2, 5, INT64_C(1) << 40);
    dead_journal_kill(&s->dead);
    assert_true(journal_take_parsing(&rec, AT_FDCWD, s->dead.path));
    assert_int_equal(rec.lane, 2);
    assert_int_equal(rec.partition, 5);
    assert_int_equal(rec.offset, INT64_C(1) << 40);
    assert_false(journal_take_parsing(&rec, AT_FDCWD, s->dead.path));
}

static void a_record_that_was_parsed_crashed_nobody(void **state)
{
    struct scene *s = *state;
    struct journal_parsed_record rec;

    journal_parsing(s->dead.journal, 0, 0, 1);
    journal_parsed(s->dead.journal);
    dead_journal_kill(&s->dead);
    assert_false(journal_take_parsing(&rec, AT_FDCWD, s->dead.path));
}

static void a_note_costs_next_to_nothing(void **state)
{
    struct scene *s = *state;
    const struct send_outcome o = dead_journal_accepted(ids[0], 1, SID);
    clock_t began = clock();

    for (int i = 0; i < ROUNDS; i++) {
        journal_parsing(s->dead.journal, 0, 0, i);
        journal_parsed(s->dead.journal);
        struct journal_slot *slot = dead_journal_begin(&s->dead, ids[0], 1);
        journal_answer(slot, &o);
        journal_give_back(s->dead.journal, slot);
    }
    double cost_us = (double)(clock() - began) * 1e6 / CLOCKS_PER_SEC / (double)ROUNDS;
    print_message("%.3f us per POST\n", cost_us);
    assert_true(cost_us < 10);  // with sanitizers on a busy machine; else 0.2
    dead_journal_kill(&s->dead);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_begun_and_answered_is_read_back_whole),
        TEST(there_is_no_slot_more_than_there_are),
        TEST(a_journal_goes_only_with_nothing_in_it),
        TEST(only_the_latest_epochs_are_known),
        TEST(what_was_changed_proves_nothing_or_is_in_doubt),
        TEST(a_file_that_was_cut_proves_nothing),
        TEST(a_kill_at_any_instruction_leaves_slots_that_read_right),
        TEST(a_record_that_crashed_its_worker_is_told_once),
        TEST(a_record_that_was_parsed_crashed_nobody),
        TEST(a_note_costs_next_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
