#include "journal_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 << 20 };

static enum outcome read_all(int fd, char **out, size_t *len, struct err *err)
{
    struct stat st;
    size_t done = 0;

    if (fstat(fd, &st))
        return err_set(err, OUTCOME_RETRY, "could not read a journal: %s",
                       strerror(errno));
    if (st.st_size > FILE_MAX_BYTES)
        st.st_size = FILE_MAX_BYTES;
    char *bytes = xcalloc((size_t)st.st_size + 1, 1);
    while (done < (size_t)st.st_size) {
        ssize_t got = read(fd, bytes + done, (size_t)st.st_size - done);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR) {
            free(bytes);
            return err_set(err, OUTCOME_RETRY, "could not read a journal: %s",
                           strerror(errno));
        }
        done += got > 0 ? (size_t)got : 0;
    }
    *out = bytes;
    *len = done;
    return OUTCOME_OK;
}

static bool is_whole(const struct journal_header *h, size_t len)
{
    return h->check == journal_check(h, offsetof(struct journal_header, check), 0) &&
           len == sizeof(*h) + (size_t)h->slot_count * sizeof(struct journal_slot);
}

// Why the header proves nothing about slots that are not in the file, or NULL.
static const char *judge(struct journal_image *image, const struct journal_header *h,
                         size_t len, const struct journal_origin *here)
{
    if (!is_whole(h, len) && h->version == JOURNAL_VERSION)
        return "it is torn";
    image->is_foreign = false;
    if (h->version != JOURNAL_VERSION || h->slot_bytes != sizeof(struct journal_slot))
        return "another version wrote it";
    image->is_foreign = true;
    if (h->origin.database[0] && strcmp(h->origin.database, here->database) != 0)
        return "its database is another one";
    image->is_foreign = false;
    if (strcmp(h->origin.boot_id, here->boot_id) != 0 || !here->boot_id[0])
        return "the machine was started since";
    if (strcmp(h->origin.host, here->host) != 0)
        return "another host wrote it";
    return NULL;
}

static void read_epochs(struct journal_image *image, const struct journal_header *h)
{
    for (size_t i = 0; i < JOURNAL_EPOCHS_MAX; i++) {
        const struct journal_epoch *e = &h->epochs[i];
        if (e->epoch > 0 && e->check == journal_epoch_check(e->epoch))
            image->epochs[image->epoch_count++] = e->epoch;
    }
}

#define TEXT(field) o->field = a->field[0] ? a->field : NULL

static void read_answer(struct send_outcome *o, const struct journal_slot *slot)
{
    const struct journal_answer *a = &slot->answer;

    *o = (struct send_outcome){
        .turn = slot->turn,
        .rank = a->rank,
        .http_status = a->http_status,
        .error_code = a->error_code,
        .segments = a->segments,
        .failures = a->failures,
        .due_us = a->due_us,
        .answered_us = a->answered_us,
        .estimate_micros = a->estimate_micros,
        .epoch = a->epoch,
        .claimed_us = a->claimed_us,
        .posted_us = a->posted_us,
    };
    memcpy(o->message_id, slot->message_id, sizeof(o->message_id));
    TEXT(status);
    TEXT(outcome);
    TEXT(sid);
    TEXT(currency);
    TEXT(rate_note);
    TEXT(mode);
    TEXT(reason);
    TEXT(decision);
}

// Returns false if the slot belongs to a claim that cannot be told.
static bool read_slot(struct journal_image *image, const struct journal_slot *slot)
{
    if (slot->state == JOURNAL_FREE)
        return true;
    if (slot->key_check != journal_key_check(slot))
        return false;

    struct turn_key key = { .turn = slot->turn };
    memcpy(key.message_id, slot->message_id, sizeof(key.message_id));
    image->keys[image->key_count++] = key;
    if (slot->state == JOURNAL_ANSWERED &&
        slot->answer_check ==
            journal_check(&slot->answer, sizeof(slot->answer), slot->key_check))
        read_answer(&image->answered[image->answered_count++], slot);
    else
        image->begun[image->begun_count++] = key;
    return true;
}

static int compare_answers(const void *a, const void *b)
{
    const struct send_outcome *x = a, *y = b;
    int by_id = memcmp(x->message_id, y->message_id, sizeof(x->message_id));
    return by_id ? by_id : (x->turn > y->turn) - (x->turn < y->turn);
}

static void read_slots(struct journal_image *image, const struct journal_header *h)
{
    const struct journal_slot *slots = (const struct journal_slot *)(h + 1);
    size_t count = h->slot_count;

    image->keys = xcalloc(count, sizeof(*image->keys));
    image->begun = xcalloc(count, sizeof(*image->begun));
    image->answered = xcalloc(count, sizeof(*image->answered));
    for (size_t i = 0; i < count; i++)
        if (!read_slot(image, &slots[i])) {
            image->doubt = "a slot of it is torn";
            image->key_count = image->begun_count = image->answered_count = 0;
            return;
        }
    qsort(image->keys, image->key_count, sizeof(*image->keys), turn_key_compare);
    qsort(image->begun, image->begun_count, sizeof(*image->begun), turn_key_compare);
    qsort(image->answered, image->answered_count, sizeof(*image->answered),
          compare_answers);
    image->proves = true;
}

static void read_image(struct journal_image *image, size_t len,
                       const struct journal_origin *here)
{
    const struct journal_header *h = (const struct journal_header *)image->bytes;

    image->doubt = "it is torn";
    image->is_foreign = true;
    if (len < sizeof(*h) || memcmp(h->magic, JOURNAL_MAGIC, sizeof(h->magic)) != 0)
        return;
    read_epochs(image, h);
    image->doubt = judge(image, h, len, here);
    if (image->doubt)
        return;
    read_slots(image, h);
}

enum outcome journal_read(struct journal_image *out, int folder, const char *name,
                          const struct journal_origin *here, struct err *err)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t len = 0;

    if (fd < 0)
        return err_set(err, OUTCOME_RETRY, "could not open a journal: %s",
                       strerror(errno));
    memset(out, 0, sizeof(*out));
    enum outcome rc = read_all(fd, &out->bytes, &len, err);
    close(fd);
    if (!rc)
        read_image(out, len, here);
    return rc;
}

void journal_image_free(struct journal_image *image)
{
    free(image->keys);
    free(image->begun);
    free(image->answered);
    free(image->bytes);
    memset(image, 0, sizeof(*image));
}

bool journal_take_parsing(struct journal_parsed_record *out, int folder, const char *name)
{
    static const uint32_t none;
    struct journal_header h;
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool found = pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
                 memcmp(h.magic, JOURNAL_MAGIC, sizeof(h.magic)) == 0 &&
                 h.version == JOURNAL_VERSION && h.parsing_lane > 0;
    if (found) {
        *out = (struct journal_parsed_record){ (int)h.parsing_lane - 1,
                                               h.parsing_partition, h.parsing_offset };
        found = pwrite(fd, &none, sizeof(none),
                       offsetof(struct journal_header, parsing_lane)) == sizeof(none);
    }
    close(fd);
    return found;
}
