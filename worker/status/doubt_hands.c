#include "doubt_hands.h"

#include "db.h"
#include "doubt_look.h"
#include "fail_point.h"
#include "json.h"
#include "log.h"
#include "metrics.h"
#include "status.h"
#include "store_adopt.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

static const char *const way_names[DOUBT_WAY_COUNT] = {
    "callback", "list", "resend", "unknown", "expired", "person",
};

// A message in hand: being looked for, or its end being written.
struct hand {
    struct doubt_hands *owner;
    LIST_ENTRY(hand) next;
    struct doubt_key key;
    struct doubt_facts facts;
    bool simulated;
    struct doubt_look_at *look;
    enum doubt_way way;  // that the statement in flight is to bring about
    struct proof {
        struct receipt receipt;
        char sid[SID_TEXT_BYTES], word[33];
    } proofs[DOUBT_PAIRS_MAX];
    char reason[160];
};

struct doubt_hands {
    struct doubts_settings set;
    struct json_reader *json;
    LIST_HEAD(, hand) all;
    size_t count;
    struct metric *resolved[DOUBT_WAY_COUNT];
};

static void drop(struct hand *hand)
{
    LIST_REMOVE(hand, next);
    hand->owner->count--;
    doubt_look_free(hand->look);
    free(hand);
}

struct doubt_hands *doubt_hands_new(const struct doubts_settings *set)
{
    struct doubt_hands *h = xcalloc(1, sizeof(*h));
    char labels[48];

    h->set = *set;
    h->json = json_reader_new();
    LIST_INIT(&h->all);
    for (size_t i = 0; i < DOUBT_WAY_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), "way=\"%s\"", way_names[i]);
        h->resolved[i] = metrics_counter(set->metrics, "smsq_doubts_resolved_total",
                                         labels, "Messages whose doubt ended this way.");
    }
    return h;
}

void doubt_hands_free(struct doubt_hands *h)
{
    if (!h)
        return;
    while (!LIST_EMPTY(&h->all))
        drop(LIST_FIRST(&h->all));
    json_reader_free(h->json);
    free(h);
}

void doubt_failed(const char *step, const struct db_answer *answer)
{
    log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", step),
             LOG_T("reason", answer->reason));
}

// --- the end of one ---

static void count_way(struct doubt_hands *h, enum doubt_way way,
                      const unsigned char id[16], int32_t turn, const char *reason)
{
    metric_add(h->resolved[way], 1);
    log_line(way == DOUBT_WAY_CALLBACK || way == DOUBT_WAY_LIST || way == DOUBT_WAY_PERSON
                 ? LOG_LEVEL_INFO
                 : LOG_LEVEL_WARN,
             "doubt_resolved", LOG_U("message_id", id), LOG_I("turn", turn),
             LOG_T("way", way_names[way]), LOG_T("reason", reason));
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc)
        doubt_failed(way_names[hand->way], answer);
    else if (db_rows(answer->rows) > 0)
        count_way(hand->owner, hand->way, hand->key.message_id, hand->key.turn,
                  hand->reason);
    drop(hand);
}

static void on_proof(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc) {
        doubt_failed("proof", answer);
        drop(hand);
        return;
    }
    store_doubts_found(hand->owner->set.db, &hand->key, hand->reason, on_ended, hand);
}

static void fill_proof(struct hand *hand, struct proof *proof,
                       const struct doubt_pair *pair)
{
    const struct provider_message *m = pair->message;
    int rank = status_rank(m->status);
    bool is_known = rank >= RANK_QUEUED;

    memcpy(proof->sid, m->sid, sizeof(proof->sid));
    (void)snprintf(proof->word, sizeof(proof->word), "%s", m->status);
    proof->receipt = (struct receipt){
        .turn = pair->turn,
        .twilio_sid = proof->sid,
        .word = proof->word,
        .status = is_known ? status_of_provider(proof->word) : "queued",
        .rank = is_known ? rank : RANK_QUEUED,
        .error_code = m->error_code,
        .received_at_us =
            rank >= RANK_FAILED || !m->created_us ? clock_wall_us() : m->created_us,
        .simulated = hand->simulated,
    };
    memcpy(proof->receipt.message_id, hand->key.message_id, 16);
}

// Also of older turns: whichever was taken ends the doubt.
static void write_proof(struct hand *hand, const struct doubt_sight *sight)
{
    const struct receipt *best[DOUBT_PAIRS_MAX];

    hand->way = DOUBT_WAY_LIST;
    for (size_t i = 0; i < sight->pair_count; i++) {
        fill_proof(hand, &hand->proofs[i], &sight->pairs[i]);
        best[i] = &hand->proofs[i].receipt;
    }
    const struct receipt_batch batch = { NULL, 0, best, sight->pair_count, false };
    store_receipts(hand->owner->set.db, &batch, hand->owner->set.retry, on_proof, hand);
}

// --- looking ---

static void on_noted(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc)
        doubt_failed("look", answer);
    drop(hand);
}

static int64_t next_look_us(struct hand *hand, enum doubt_look look)
{
    const struct doubt_settings *policy = hand->owner->set.policy;
    struct doubt_facts *facts = &hand->facts;
    int64_t at_us;
    const char *why;

    facts->now_us = clock_wall_us();
    facts->looks++;
    if (look != LOOK_FAILED) {
        facts->empty_lists++;
        facts->last_empty_us = facts->now_us;
        facts->is_ambiguous = look == LOOK_AMBIGUOUS;
    }
    switch (doubt_judge(policy, facts, &at_us, &why)) {
    case DOUBT_WAIT:
        return at_us;
    case DOUBT_LOOK:  // it is behind; but never at once
        return facts->now_us + policy->list_interval_us;
    default:
        return facts->now_us;
    }
}

static void note(struct hand *hand, enum doubt_look look, const char *text)
{
    log_line(LOG_LEVEL_INFO, "doubt_looked", LOG_U("message_id", hand->key.message_id),
             LOG_I("turn", hand->key.turn), LOG_T("result", text));
    store_doubts_looked(hand->owner->set.db, &hand->key, look, next_look_us(hand, look),
                        text, on_noted, hand);
}

static void on_sight(void *arg, const struct doubt_sight *sight)
{
    struct hand *hand = arg;

    fail_point("reconciler_after_list", hand->owner->count);
    (void)snprintf(hand->reason, sizeof(hand->reason), "%s", sight->note);
    if (sight->pair_count > 0)
        write_proof(hand, sight);
    else
        note(hand, sight->look, sight->note);
}

static void look(struct hand *hand, const struct doubt_row *row)
{
    const struct doubt_look_settings set = {
        .db = hand->owner->set.db,
        .provider = hand->owner->set.provider,
        .keys = hand->owner->set.keys,
        .json = hand->owner->json,
        .margin_us = hand->owner->set.policy->margin_us,
    };

    hand->look = doubt_look_begin(&set, row, on_sight, hand);
    if (!hand->look)
        note(hand, LOOK_FAILED, "its content cannot be opened with these keys");
}

static void end(struct hand *hand, enum doubt_way way, const char *why)
{
    struct db *db = hand->owner->set.db;

    hand->way = way;
    (void)snprintf(hand->reason, sizeof(hand->reason), "%s", why);
    if (way == DOUBT_WAY_RESEND)
        store_doubts_resend(db, &hand->key, hand->reason, on_ended, hand);
    else
        store_doubts_end(db, &hand->key, way_names[way], hand->reason, on_ended, hand);
}

static void fill_facts(struct doubt_facts *facts, const struct doubt_row *row)
{
    *facts = (struct doubt_facts){
        .class = doubt_class_find(row->message_class),
        .is_ambiguous = row->is_ambiguous,
        .wants_resend = row->on_doubt != NULL,
        .resends = row->resends,
        .since_us = row->since_us,
        .expires_us = row->expires_us,
        .looks = row->looks,
        .empty_lists = row->empty_lists,
        .last_empty_us = row->last_empty_us,
        .now_us = row->now_us,
    };
}

void doubt_hands_take(struct doubt_hands *h, const struct doubt_row *row)
{
    struct hand *hand = xcalloc(1, sizeof(*hand));
    const char *why;
    int64_t at_us;

    hand->owner = h;
    memcpy(hand->key.message_id, row->message_id, sizeof(hand->key.message_id));
    hand->key.turn = row->turn;
    hand->key.looks = row->looks;
    hand->simulated = strcmp(row->mode, "simulate") == 0;
    fill_facts(&hand->facts, row);
    LIST_INSERT_HEAD(&h->all, hand, next);
    h->count++;
    if (row->is_settled) {  // the note goes when the message has left the doubt
        const unsigned char(*id)[16] =
            (const unsigned char(*)[16]) & hand->key.message_id;
        store_adopt(h->set.db, id, 1, on_noted, hand);
        return;
    }
    switch (doubt_judge(h->set.policy, &hand->facts, &at_us, &why)) {
    case DOUBT_WAIT:
        store_doubts_later(h->set.db, &hand->key, at_us, on_noted, hand);
        return;
    case DOUBT_LOOK:
        look(hand, row);
        return;
    case DOUBT_EXPIRED:
        end(hand, DOUBT_WAY_EXPIRED, why);
        return;
    case DOUBT_UNKNOWN:
        end(hand, DOUBT_WAY_UNKNOWN, why);
        return;
    case DOUBT_RESEND:
        end(hand, DOUBT_WAY_RESEND, why);
        return;
    }
}

size_t doubt_hands_ids(const struct doubt_hands *h,
                       unsigned char ids[DOUBT_HANDS_MAX][16])
{
    const struct hand *hand;
    size_t count = 0;

    LIST_FOREACH(hand, &h->all, next)
    memcpy(ids[count++], hand->key.message_id, 16);
    return count;
}

void doubt_hands_count(struct doubt_hands *h, const char *way,
                       const unsigned char message_id[16], int32_t turn)
{
    for (size_t i = 0; i < DOUBT_WAY_COUNT; i++)
        if (strcmp(way, way_names[i]) == 0)
            count_way(h, (enum doubt_way)i, message_id, turn, way);
}
