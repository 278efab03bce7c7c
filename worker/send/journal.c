#include "journal.h"

#include "journal_file.h"
#include "journal_origin.h"
#include "store_claims.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// A field more must be kept here too, or a takeover would write a result without it.
_Static_assert(sizeof(struct send_outcome) == 160,
               "see journal_answer and journal_read.c");

struct journal {
    int folder;  // borrowed
    char name[sizeof(JOURNAL_PREFIX) + 16];
    size_t slot_count, mapped_bytes;
    struct journal_header *header;  // NULL until mapped
    struct journal_slot *slots;     // behind the header
    struct journal_slot **free;     // a stack
    size_t free_count;
    size_t epochs;  // noted so far
};

static void read_boot_id(char *out, size_t size)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, out, size - 1);

    if (fd >= 0)
        close(fd);
    out[len < 0 ? 0 : len] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

void journal_origin_here(struct journal_origin *out)
{
    memset(out, 0, sizeof(*out));
    read_boot_id(out->boot_id, sizeof(out->boot_id));
    (void)gethostname(out->host, sizeof(out->host) - 1);
}

static void seal_header(struct journal_header *h)
{
    h->check = journal_check(h, offsetof(struct journal_header, check), 0);
}

static enum outcome map_file(struct journal *j, int fd, struct err *err)
{
    int cause = posix_fallocate(fd, 0, (off_t)j->mapped_bytes);
    void *at = MAP_FAILED;

    if (!cause) {
        at = mmap(NULL, j->mapped_bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_POPULATE, fd, 0);
        cause = errno;
    }
    if (at == MAP_FAILED)
        return err_set(err, OUTCOME_FATAL,
                       "cannot keep a journal of %zu bytes in worker.state_dir: %s",
                       j->mapped_bytes, strerror(cause));
    j->header = at;
    j->slots = (struct journal_slot *)(j->header + 1);
    return OUTCOME_OK;
}

static enum outcome make_file(struct journal *j, struct err *err)
{
    uint64_t number;

    random_bytes(&number, sizeof(number));
    (void)snprintf(j->name, sizeof(j->name), JOURNAL_PREFIX "%016llx",
                   (unsigned long long)number);
    int fd = openat(j->folder, j->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, OUTCOME_FATAL,
                       "cannot make a journal in worker.state_dir: %s", strerror(errno));
    enum outcome rc = map_file(j, fd, err);
    close(fd);
    return rc;
}

enum outcome journal_open(struct journal **out, int folder, size_t slots, struct err *err)
{
    struct journal *j = xcalloc(1, sizeof(*j));

    j->folder = folder;
    j->slot_count = slots;
    j->mapped_bytes = sizeof(struct journal_header) + slots * sizeof(struct journal_slot);
    j->free = xcalloc(slots, sizeof(struct journal_slot *));
    enum outcome rc = make_file(j, err);
    if (rc) {
        journal_close(j, true);
        return rc;
    }
    memcpy(j->header->magic, JOURNAL_MAGIC, sizeof(j->header->magic));
    j->header->version = JOURNAL_VERSION;
    j->header->slot_bytes = sizeof(struct journal_slot);
    j->header->slot_count = (uint32_t)slots;
    journal_origin_here(&j->header->origin);
    seal_header(j->header);
    while (j->free_count < slots) {
        j->free[j->free_count] = &j->slots[slots - 1 - j->free_count];
        j->free_count++;
    }
    *out = j;
    return OUTCOME_OK;
}

void journal_close(struct journal *j, bool nothing_held)
{
    if (!j)
        return;
    if (nothing_held && (!j->header || j->free_count == j->slot_count))
        (void)unlinkat(j->folder, j->name, 0);
    if (j->header)
        (void)munmap(j->header, j->mapped_bytes);
    free(j->free);
    free(j);
}

const char *journal_name(const struct journal *j)
{
    return j->name;
}

void journal_set_database(struct journal *j, const char *database)
{
    (void)snprintf(j->header->origin.database, sizeof(j->header->origin.database), "%s",
                   database);
    seal_header(j->header);
}

// A claim of an epoch that fell out, after 64 lost connections within a minute, is the
// rescuer's.
void journal_set_epoch(struct journal *j, int64_t epoch)
{
    if (!j)
        return;
    struct journal_epoch *e = &j->header->epochs[j->epochs++ % JOURNAL_EPOCHS_MAX];
    e->epoch = epoch;
    e->check = journal_epoch_check(epoch);
}

size_t journal_free_slots(const struct journal *j)
{
    return j ? j->free_count : SIZE_MAX;
}

size_t journal_used_slots(const struct journal *j)
{
    return j ? j->slot_count - j->free_count : 0;
}

struct journal_slot *journal_take(struct journal *j)
{
    return j && j->free_count > 0 ? j->free[--j->free_count] : NULL;
}

// The fences keep the compiler from moving stores over the word that vouches for them.
static void set_word(_Atomic uint32_t *state, uint32_t value)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(state, value, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

static void write_key(struct journal_slot *slot, const unsigned char id[16], int32_t turn)
{
    memcpy(slot->message_id, id, sizeof(slot->message_id));
    slot->turn = turn;
    slot->key_check = journal_key_check(slot);
}

void journal_begin(struct journal_slot *slot, const struct sms_job *sms)
{
    if (!slot)
        return;
    write_key(slot, sms->message_id, sms->turn);
    set_word(&slot->state, JOURNAL_BEGUN);
}

static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = text ? strnlen(text, size - 1) : 0;

    if (len > 0)
        memcpy(out, text, len);
    memset(out + len, 0, size - len);
}

#define COPY(field) copy_text(a->field, sizeof(a->field), o->field)

void journal_answer(struct journal_slot *slot, const struct send_outcome *o)
{
    if (!slot)
        return;
    struct journal_answer *a = &slot->answer;
    if (slot->state == JOURNAL_FREE)  // the gate kept it back
        write_key(slot, o->message_id, o->turn);
    a->due_us = o->due_us;
    a->answered_us = o->answered_us;
    a->estimate_micros = o->estimate_micros;
    a->epoch = o->epoch;
    a->claimed_us = o->claimed_us;
    a->posted_us = o->posted_us;
    a->rank = o->rank;
    a->http_status = o->http_status;
    a->error_code = o->error_code;
    a->segments = o->segments;
    a->failures = o->failures;
    COPY(status);
    COPY(outcome);
    COPY(sid);
    COPY(currency);
    COPY(rate_note);
    COPY(mode);
    COPY(reason);
    COPY(decision);
    slot->answer_check = journal_check(a, sizeof(*a), slot->key_check);
    set_word(&slot->state, JOURNAL_ANSWERED);
}

void journal_give_back(struct journal *j, struct journal_slot *slot)
{
    if (!slot)
        return;
    set_word(&slot->state, JOURNAL_FREE);
    j->free[j->free_count++] = slot;
}

void journal_parsing(struct journal *j, int lane, int32_t partition, int64_t offset)
{
    if (!j)
        return;
    j->header->parsing_partition = partition;
    j->header->parsing_offset = offset;
    set_word(&j->header->parsing_lane, (uint32_t)lane + 1);
}

void journal_parsed(struct journal *j)
{
    if (j)
        set_word(&j->header->parsing_lane, 0);
}
