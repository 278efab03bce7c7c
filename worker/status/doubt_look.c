#include "doubt_look.h"

#include "content.h"
#include "db.h"
#include "keys.h"
#include "provider.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGES_MAX = 5,
    NOTE_BYTES = 160,
};

struct doubt_look_at {
    struct doubt_look_settings set;
    doubt_sight_done *done;
    void *arg;
    struct doubt_key key;
    int32_t client;
    int64_t first_claimed_us;  // of the oldest turn without a SID
    char *mode, *sender;
    unsigned char to_hash[TO_HASH_BYTES];
    char *to, *body;
    struct doubt_post post;
    int pages;
    size_t candidate_count, try_count;
    struct provider_message candidates[DOUBT_PAIRS_MAX];  // the newest first, no bodies
    struct doubt_try tries[DOUBT_TRIES_MAX];  // the first is the turn in doubt
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

// --- who else may own it ---

static bool is_same_text(struct doubt_look_at *at, const struct db_result *rows, size_t i)
{
    struct sms_content content = { 0 };
    struct wire_memory *memory = NULL;
    struct wire_bytes sealed;

    sealed.bytes = db_bytes(rows, i, RIVAL_SEALED, &sealed.len);
    if (content_open(at->set.keys->seal, at->set.json, db_uuid(rows, i, RIVAL_ID),
                     (int32_t)db_int(rows, i, RIVAL_CLIENT), sealed, &content, &memory,
                     NULL))
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

// What fits no turn of ours was somebody else's.
static void drop_strangers(struct doubt_look_at *at)
{
    size_t kept = 0;

    for (size_t i = 0; i < at->candidate_count; i++) {
        bool fits = false;
        for (size_t k = 0; k < at->try_count; k++)
            fits = fits || (at->tries[k].turn > 0 &&
                            doubt_fits(at->tries[k].claimed_us,
                                       at->candidates[i].created_us, at->set.margin_us));
        if (fits)
            at->candidates[kept++] = at->candidates[i];
    }
    at->candidate_count = kept;
}

static void conclude(struct doubt_look_at *at)
{
    struct doubt_sight sight = { .note = at->note };

    drop_strangers(at);
    if (at->candidate_count == 0) {
        answer_nothing(at, LOOK_EMPTY, "the list shows only messages of others");
        return;
    }
    sight.pair_count = doubt_match(sight.pairs, at->tries, at->try_count, at->candidates,
                                   at->candidate_count, at->set.margin_us);
    if (sight.pair_count == 0) {
        (void)snprintf(at->note, sizeof(at->note),
                       "the list shows %zu messages with this text, and %zu of ours may "
                       "be them",
                       at->candidate_count, at->try_count);
        answer_nothing(at, LOOK_AMBIGUOUS, at->note);
        return;
    }
    const struct doubt_pair *last = &sight.pairs[sight.pair_count - 1];
    (void)snprintf(at->note, sizeof(at->note), "Twilio's list shows turn %d as %s, %s",
                   (int)last->turn, last->message->sid, last->message->status);
    at->done(at->arg, &sight);
}

// Another message counts when its POST can have been at the same time as one of ours.
static bool is_rival(const struct doubt_look_at *at, int64_t claimed_us)
{
    int64_t reach_us = DOUBT_POST_MAX_US + 2 * at->set.margin_us;

    for (size_t i = 0; i < at->try_count; i++)
        if (at->tries[i].turn > 0 && claimed_us >= at->tries[i].claimed_us - reach_us &&
            claimed_us <= at->tries[i].claimed_us + reach_us)
            return true;
    return false;
}

static bool add_try(struct doubt_look_at *at, const struct db_result *rows, size_t i)
{
    struct doubt_try *one = &at->tries[at->try_count];

    if (at->try_count == DOUBT_TRIES_MAX)
        return false;
    memcpy(one->message_id, db_uuid(rows, i, RIVAL_ID), sizeof(one->message_id));
    one->claimed_us = db_time_us(rows, i, RIVAL_CLAIMED_AT);
    one->turn = 0;
    if (memcmp(one->message_id, at->key.message_id, sizeof(one->message_id)) == 0)
        one->turn = (int32_t)db_int(rows, i, RIVAL_TURN);
    at->try_count++;
    return true;
}

static bool is_ours(const struct doubt_look_at *at, const struct db_result *rows,
                    size_t i)
{
    return memcmp(db_uuid(rows, i, RIVAL_ID), at->key.message_id, 16) == 0;
}

// Turns of ours come first: they say which others matter.
static bool add_tries(struct doubt_look_at *at, const struct db_result *rows, bool ours)
{
    for (size_t i = 0; i < db_rows(rows); i++) {
        if (!db_is_null(rows, i, RIVAL_SID) || is_ours(at, rows, i) != ours)
            continue;
        if (!ours && (!is_rival(at, db_time_us(rows, i, RIVAL_CLAIMED_AT)) ||
                      !is_same_text(at, rows, i)))
            continue;
        if (!add_try(at, rows, i))
            return false;
    }
    return true;
}

static void on_rivals(void *arg, const struct db_answer *answer)
{
    struct doubt_look_at *at = arg;

    if (answer->rc) {
        answer_nothing(at, LOOK_FAILED, answer->reason);
        return;
    }
    for (size_t i = 0; i < db_rows(answer->rows); i++)
        if (!db_is_null(answer->rows, i, RIVAL_SID))
            drop_sid(at, db_text(answer->rows, i, RIVAL_SID));
    if (add_tries(at, answer->rows, true) && add_tries(at, answer->rows, false))
        conclude(at);
    else
        answer_nothing(at, LOOK_AMBIGUOUS, "too many of ours may be what the list shows");
}

static void ask_for_rivals(struct doubt_look_at *at)
{
    const char *sids[DOUBT_PAIRS_MAX];
    int64_t reach_us = DOUBT_POST_MAX_US + 2 * at->set.margin_us;
    const struct doubt_rivals rivals = {
        .key = &at->key,
        .sids = sids,
        .sid_count = at->candidate_count,
        .to_hash = { at->to_hash, sizeof(at->to_hash) },
        // Who was posted in an overlapping time can be what we take for ours.
        .from_us = at->first_claimed_us - reach_us,
        .to_us = at->tries[0].claimed_us + reach_us,
        .sender = at->sender,
        .simulated = strcmp(at->mode, "simulate") == 0,
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
        if (at->candidate_count == DOUBT_PAIRS_MAX)
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

    if (content_open(at->set.keys->seal, at->set.json, row->message_id, row->client,
                     row->sealed, &content, &memory, NULL))
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
    at->first_claimed_us = row->first_claimed_us;
    memcpy(at->tries[0].message_id, row->message_id, sizeof(row->message_id));
    at->tries[0].turn = row->turn;
    at->tries[0].claimed_us = row->claimed_us;
    at->try_count = 1;
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
        .from_us = at->first_claimed_us - set->margin_us - 1000000,
        .to_us = row->claimed_us + DOUBT_POST_MAX_US + set->margin_us,
    };
    provider_list(set->provider, PROVIDER_DOUBTS, at->mode, at->to, NULL, on_list, at);
    return at;
}
