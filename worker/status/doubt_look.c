#include "doubt_look.h"

#include "buf.h"
#include "db.h"
#include "keys.h"
#include "provider.h"
#include "seal.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGES_MAX = 5,
    CANDIDATES_MAX = 32,
    POST_MAX_US =
        45 * 1000000,  // from the claim: 3 s, and 35 s for the request, and some
    NOTE_BYTES = 160,
};

struct doubt_look_at {
    struct doubt_look_settings set;
    doubt_sight_done *done;
    void *arg;
    struct doubt_key key;
    int32_t client;
    int64_t claimed_us;
    char *mode, *sender;
    unsigned char to_hash[TO_HASH_BYTES];
    char *to, *body;
    struct doubt_post post;
    int pages;
    size_t candidate_count;
    struct provider_message candidates[CANDIDATES_MAX];  // the newest first, no bodies
    char note[NOTE_BYTES];
};

void doubt_look_free(struct doubt_look_at *at)
{
    if (!at)
        return;
    free(at->mode);
    free(at->sender);
    free(at->to);
    free(at->body);
    free(at);
}

static void answer_nothing(struct doubt_look_at *at, enum doubt_look look,
                           const char *note)
{
    const struct doubt_sight sight = { .look = look, .note = note };
    at->done(at->arg, &sight);
}

// Opens a sealed content; the caller frees memory. False: it cannot be opened.
static bool unseal(const struct doubt_look_settings *set, const unsigned char id[16],
                   int32_t client, const void *sealed, size_t len,
                   struct sms_content *out, struct wire_memory **memory)
{
    unsigned char aad[SEAL_AAD_BYTES];
    struct buf plain = BUF_INIT(WIRE_SEALED_MAX_BYTES);
    struct err err = { 0 };

    seal_message_aad(aad, id, client);
    enum outcome rc =
        seal_open(set->keys->seal, aad, sizeof(aad), sealed, len, &plain, &err);
    if (!rc)
        rc = wire_decode(out, memory, sms_content_fields, set->json, buf_text(&plain),
                         plain.len, &err);
    buf_free(&plain);
    return !rc;
}

// --- who else may own it ---

static bool is_same_text(struct doubt_look_at *at, const struct db_result *rows, size_t i)
{
    struct sms_content content = { 0 };
    struct wire_memory *memory = NULL;
    size_t len;
    const void *sealed = db_bytes(rows, i, RIVAL_SEALED, &len);

    if (!unseal(&at->set, db_uuid(rows, i, RIVAL_ID),
                (int32_t)db_int(rows, i, RIVAL_CLIENT), sealed, len, &content, &memory))
        return true;  // nobody can say that it is another
    bool same = strcmp(content.body, at->body) == 0;
    wire_free(memory);
    return same;
}

static void drop_sid(struct doubt_look_at *at, const char *sid)
{
    size_t kept = 0;

    for (size_t i = 0; i < at->candidate_count; i++)
        if (strcmp(at->candidates[i].sid, sid) != 0)
            at->candidates[kept++] = at->candidates[i];
    at->candidate_count = kept;
}

static bool is_before(const struct doubt_look_at *at, const struct db_result *rows,
                      size_t i)
{
    int64_t claimed_us = db_time_us(rows, i, RIVAL_CLAIMED_AT);

    if (claimed_us != at->claimed_us)
        return claimed_us < at->claimed_us;
    return memcmp(db_uuid(rows, i, RIVAL_ID), at->key.message_id, 16) < 0;
}

static void conclude(struct doubt_look_at *at, size_t rivals, size_t before)
{
    struct doubt_sight sight = { .is_found = true };

    if (at->candidate_count == 0) {
        answer_nothing(at, LOOK_EMPTY, "the list shows only messages of others");
        return;
    }
    if (at->candidate_count != rivals + 1) {
        (void)snprintf(at->note, sizeof(at->note),
                       "the list shows %zu messages with this text, and %zu of ours may "
                       "be them",
                       at->candidate_count, rivals + 1);
        answer_nothing(at, LOOK_AMBIGUOUS, at->note);
        return;
    }
    // As many as there are POSTs: each has one, in the order in which they were made.
    sight.message = at->candidates[at->candidate_count - 1 - before];
    (void)snprintf(at->note, sizeof(at->note), "Twilio's list shows it as %s, %s",
                   sight.message.sid, sight.message.status);
    sight.note = at->note;
    at->done(at->arg, &sight);
}

static void on_rivals(void *arg, const struct db_answer *answer)
{
    struct doubt_look_at *at = arg;
    size_t count = 0, before = 0;

    if (answer->rc) {
        answer_nothing(at, LOOK_FAILED, answer->reason);
        return;
    }
    for (size_t i = 0; i < db_rows(answer->rows); i++) {
        if (!db_is_null(answer->rows, i, RIVAL_SID)) {
            drop_sid(at, db_text(answer->rows, i, RIVAL_SID));
        } else if (is_same_text(at, answer->rows, i)) {
            count++;
            before += is_before(at, answer->rows, i);
        }
    }
    conclude(at, count, before);
}

static void ask_for_rivals(struct doubt_look_at *at)
{
    const char *sids[CANDIDATES_MAX];
    const struct doubt_rivals rivals = {
        .key = &at->key,
        .sids = sids,
        .sid_count = at->candidate_count,
        .to_hash = { at->to_hash, sizeof(at->to_hash) },
        // Who was posted in an overlapping time can be what we take for ours.
        .from_us = at->claimed_us - POST_MAX_US - 2 * at->set.margin_us,
        .to_us = at->claimed_us + POST_MAX_US + 2 * at->set.margin_us,
    };

    for (size_t i = 0; i < at->candidate_count; i++)
        sids[i] = at->candidates[i].sid;
    store_doubts_rivals(at->set.db, &rivals, on_rivals, at);
}

// --- the list ---

static bool collect(struct doubt_look_at *at, const struct provider_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        if (!doubt_matches(&at->post, &page->messages[i]))
            continue;
        if (at->candidate_count == CANDIDATES_MAX)
            return false;
        at->candidates[at->candidate_count] = page->messages[i];
        at->candidates[at->candidate_count++].body = NULL;
    }
    return true;
}

// The newest come first, so a page that ends before our time is the last that matters.
static bool is_last(const struct doubt_look_at *at, const struct provider_page *page)
{
    return !page->next_uri || page->count == 0 ||
           page->messages[page->count - 1].created_us < at->post.from_us;
}

static void on_list(void *arg, const struct provider_answer *answer)
{
    struct doubt_look_at *at = arg;

    if (answer->result != PROVIDER_OK) {
        (void)snprintf(at->note, sizeof(at->note), "the list did not come: %s",
                       answer->reason);
        answer_nothing(at, LOOK_FAILED, at->note);
    } else if (!collect(at, answer->page)) {
        answer_nothing(at, LOOK_AMBIGUOUS, "the list shows too many with this text");
    } else if (!is_last(at, answer->page) && ++at->pages < PAGES_MAX) {
        provider_list(at->set.provider, PROVIDER_DOUBTS, at->mode, at->to,
                      answer->page->next_uri, on_list, at);
    } else if (!is_last(at, answer->page)) {
        answer_nothing(at, LOOK_FAILED, "the list is too long to be read to its end");
    } else if (at->candidate_count == 0) {
        answer_nothing(at, LOOK_EMPTY, "the list shows nothing of it");
    } else {
        ask_for_rivals(at);
    }
}

static bool open_content(struct doubt_look_at *at, const struct doubt_row *row)
{
    struct sms_content content = { 0 };
    struct wire_memory *memory = NULL;

    if (!unseal(&at->set, row->message_id, row->client, row->sealed.bytes,
                row->sealed.len, &content, &memory))
        return false;
    at->to = xstrdup(content.to);
    at->body = xstrdup(content.body);
    wire_free(memory);
    return true;
}

struct doubt_look_at *doubt_look_begin(const struct doubt_look_settings *set,
                                       const struct doubt_row *row,
                                       doubt_sight_done *done, void *arg)
{
    struct doubt_look_at *at = xcalloc(1, sizeof(*at));

    at->set = *set;
    at->done = done;
    at->arg = arg;
    memcpy(at->key.message_id, row->message_id, sizeof(at->key.message_id));
    at->key.turn = row->turn;
    at->client = row->client;
    at->claimed_us = row->claimed_us;
    at->mode = xstrdup(row->mode);
    at->sender = xstrdup(row->sender);
    if (row->to_hash.len == sizeof(at->to_hash))
        memcpy(at->to_hash, row->to_hash.bytes, sizeof(at->to_hash));
    if (!open_content(at, row)) {
        doubt_look_free(at);
        return NULL;
    }
    at->post = (struct doubt_post){
        .sender = at->sender,
        .is_service = strcmp(row->sender_type, "messaging_service") == 0,
        .body = at->body,
        .from_us = at->claimed_us - set->margin_us - 1000000,  // Twilio cuts to seconds
        .to_us = at->claimed_us + POST_MAX_US + set->margin_us,
    };
    provider_list(set->provider, PROVIDER_DOUBTS, at->mode, at->to, NULL, on_list, at);
    return at;
}
