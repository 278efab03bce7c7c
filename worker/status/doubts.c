#include "doubts.h"

#include "db.h"
#include "doubt_look.h"
#include "fail_point.h"
#include "json.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "status.h"
#include "store_doubts.h"
#include "store_receipts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    LOOKS_MAX = 32,   // at a time
    ENTER_MAX = 500,  // in one statement
    LEASE_US = 10000000,
    OVERDUE_US = 300000000,  // beyond the class's time: what an alert is for
};

enum way { WAY_CALLBACK, WAY_LIST, WAY_RESEND, WAY_UNKNOWN, WAY_EXPIRED, WAY_PERSON };
enum { WAY_COUNT = WAY_PERSON + 1 };

static const char *const way_names[WAY_COUNT] = {
    "callback", "list", "resend", "unknown", "expired", "person",
};

// A message in hand: being looked for, or its end being written.
struct hand {
    struct doubts *owner;
    LIST_ENTRY(hand) next;
    struct doubt_key key;
    struct doubt_facts facts;
    bool simulated;
    struct doubt_look_at *look;
    enum way way;          // that the statement in flight is to bring about
    struct receipt proof;  // its texts live here
    char sid[SID_TEXT_BYTES], word[33];
    char reason[160];
};

struct doubts {
    struct doubts_settings set;
    struct reactor_timer *tick;
    struct lease *lease;
    struct json_reader *json;
    LIST_HEAD(, hand) hands;
    size_t hand_count;
    bool busy;  // a tick's statements are on their way
    bool stopping;
    struct metric *resolved[WAY_COUNT];
    struct metric *open[DOUBT_CLASS_COUNT], *overdue[DOUBT_CLASS_COUNT];
};

static void tick(void *arg);

static void declare_metrics(struct doubts *d)
{
    struct metrics *m = d->set.metrics;
    char labels[48];

    for (size_t i = 0; i < WAY_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), "way=\"%s\"", way_names[i]);
        d->resolved[i] = metrics_counter(m, "smsq_doubts_resolved_total", labels,
                                         "Messages whose doubt ended this way.");
    }
    for (size_t i = 0; i < DOUBT_CLASS_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), "class=\"%s\"",
                       doubt_class_name((enum doubt_class)i));
        d->open[i] = metrics_gauge(m, "smsq_doubts", labels,
                                   "Messages in doubt, as the holder of the lease sees.");
        d->overdue[i] =
            metrics_gauge(m, "smsq_doubts_overdue", labels,
                          "Of them those 5 minutes and more past their class's time.");
    }
}

// Only the holder of the lease knows.
static void forget_gauges(void *arg)
{
    const struct doubts *d = arg;

    for (size_t i = 0; i < DOUBT_CLASS_COUNT && !lease_is_held(d->lease); i++) {
        metric_set(d->open[i], 0);
        metric_set(d->overdue[i], 0);
    }
}

static void on_lease(void *arg)
{
    struct doubts *d = arg;

    if (!d->busy && !d->stopping)
        reactor_timer_set(d->tick, 0);
}

struct doubts *doubts_new(struct reactor *r, const struct doubts_settings *set)
{
    struct doubts *d = xcalloc(1, sizeof(*d));
    const struct lease_settings lease = {
        .name = "doubts",
        .program = "smsq-status-consumer",
        .term_us = LEASE_US,
        .db = set->db,
        .taken = on_lease,
        .arg = d,
    };

    d->set = *set;
    d->json = json_reader_new();
    LIST_INIT(&d->hands);
    d->tick = reactor_timer_new(r, tick, d);
    declare_metrics(d);
    d->lease = lease_new(r, &lease, set->metrics);
    metrics_before_render(set->metrics, forget_gauges, d);
    return d;
}

static void drop(struct hand *hand)
{
    LIST_REMOVE(hand, next);
    hand->owner->hand_count--;
    doubt_look_free(hand->look);
    free(hand);
}

void doubts_free(struct doubts *d)
{
    if (!d)
        return;
    while (!LIST_EMPTY(&d->hands))
        drop(LIST_FIRST(&d->hands));
    reactor_timer_free(d->tick);
    lease_free(d->lease);
    json_reader_free(d->json);
    free(d);
}

void doubts_stop(struct doubts *d)
{
    d->stopping = true;
    reactor_timer_stop(d->tick);
    lease_give_up(d->lease);
}

// What is in hand may be dropped at any time: the note in doubts stays.
bool doubts_is_idle(const struct doubts *d)
{
    return !d->busy && lease_is_idle(d->lease);
}

static void failed(const char *what, const struct db_answer *answer)
{
    log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", what),
             LOG_T("reason", answer->reason));
}

// --- the end of one ---

static void count_way(struct doubts *d, enum way way, const unsigned char id[16],
                      int32_t turn, const char *reason)
{
    metric_add(d->resolved[way], 1);
    log_line(way == WAY_CALLBACK || way == WAY_LIST || way == WAY_PERSON ? LOG_LEVEL_INFO
                                                                         : LOG_LEVEL_WARN,
             "doubt_resolved", LOG_U("message_id", id), LOG_I("turn", turn),
             LOG_T("way", way_names[way]), LOG_T("reason", reason));
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc)
        failed(way_names[hand->way], answer);
    else if (db_rows(answer->rows) > 0)
        count_way(hand->owner, hand->way, hand->key.message_id, hand->key.turn,
                  hand->reason);
    drop(hand);
}

static void on_proof(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc) {
        failed("proof", answer);
        drop(hand);
        return;
    }
    store_doubts_found(hand->owner->set.db, &hand->key, hand->reason, on_ended, hand);
}

static void write_proof(struct hand *hand, const struct provider_message *m)
{
    const struct receipt *best[] = { &hand->proof };
    int rank = status_rank(m->status);
    bool is_known = rank >= RANK_QUEUED;

    hand->way = WAY_LIST;
    memcpy(hand->sid, m->sid, sizeof(hand->sid));
    (void)snprintf(hand->word, sizeof(hand->word), "%s", m->status);
    hand->proof = (struct receipt){
        .turn = hand->key.turn,
        .twilio_sid = hand->sid,
        .word = hand->word,
        .status = is_known ? status_of_provider(hand->word) : "queued",
        .rank = is_known ? rank : RANK_QUEUED,
        .error_code = m->error_code,
        .received_at_us =
            rank >= RANK_FAILED || !m->created_us ? clock_wall_us() : m->created_us,
        .simulated = hand->simulated,
    };
    memcpy(hand->proof.message_id, hand->key.message_id, 16);
    const struct receipt_batch batch = { NULL, 0, best, 1 };
    store_receipts(hand->owner->set.db, &batch, hand->owner->set.retry, on_proof, hand);
}

// --- looking ---

static void on_noted(void *arg, const struct db_answer *answer)
{
    struct hand *hand = arg;

    if (answer->rc)
        failed("look", answer);
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

    fail_point("reconciler_after_list", hand->owner->hand_count);
    (void)snprintf(hand->reason, sizeof(hand->reason), "%s", sight->note);
    if (sight->is_found)
        write_proof(hand, &sight->message);
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

static void end(struct hand *hand, enum way way, const char *why)
{
    struct db *db = hand->owner->set.db;

    hand->way = way;
    (void)snprintf(hand->reason, sizeof(hand->reason), "%s", why);
    if (way == WAY_RESEND)
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

static void take(struct doubts *d, const struct doubt_row *row)
{
    struct hand *hand = xcalloc(1, sizeof(*hand));
    const char *why;
    int64_t at_us;

    hand->owner = d;
    memcpy(hand->key.message_id, row->message_id, sizeof(hand->key.message_id));
    hand->key.turn = row->turn;
    hand->key.looks = row->looks;
    hand->simulated = strcmp(row->mode, "simulate") == 0;
    fill_facts(&hand->facts, row);
    LIST_INSERT_HEAD(&d->hands, hand, next);
    d->hand_count++;
    switch (doubt_judge(d->set.policy, &hand->facts, &at_us, &why)) {
    case DOUBT_WAIT:
        store_doubts_later(d->set.db, &hand->key, at_us, on_noted, hand);
        return;
    case DOUBT_LOOK:
        look(hand, row);
        return;
    case DOUBT_EXPIRED:
        end(hand, WAY_EXPIRED, why);
        return;
    case DOUBT_UNKNOWN:
        end(hand, WAY_UNKNOWN, why);
        return;
    case DOUBT_RESEND:
        end(hand, WAY_RESEND, why);
        return;
    }
}

// --- a tick: enter, clean, due, count ---

static void rest(struct doubts *d, int64_t delay_us)
{
    d->busy = false;
    if (!d->stopping && lease_is_held(d->lease))
        reactor_timer_set(d->tick, delay_us);
}

static void copy_in_hand(const struct doubts *d, unsigned char ids[LOOKS_MAX][16])
{
    const struct hand *hand;
    size_t count = 0;

    LIST_FOREACH(hand, &d->hands, next)
    memcpy(ids[count++], hand->key.message_id, 16);
}

static struct doubt_firsts times_of(const struct doubts *d, bool firsts)
{
    const struct doubt_settings *p = d->set.policy;
    int64_t us[DOUBT_CLASS_COUNT];

    for (size_t i = 0; i < DOUBT_CLASS_COUNT; i++) {
        int64_t half_us = p->wait_us[i] / 2;
        us[i] = firsts ? (half_us < p->first_look_us ? half_us : p->first_look_us)
                       : p->wait_us[i] + OVERDUE_US;
    }
    return (struct doubt_firsts){ us[DOUBT_OTP], us[DOUBT_EMERGENCY],
                                  us[DOUBT_TRANSACTIONAL], us[DOUBT_MARKETING] };
}

static void on_count(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;

    for (size_t i = 0; i < DOUBT_CLASS_COUNT && !answer->rc; i++) {
        metric_set(d->open[i], 0);
        metric_set(d->overdue[i], 0);
    }
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++) {
        enum doubt_class class = doubt_class_find(db_text(answer->rows, i, 0));
        metric_set(d->open[class], (double)db_int(answer->rows, i, 1));
        metric_set(d->overdue[class], (double)db_int(answer->rows, i, 2));
    }
    if (answer->rc)
        failed("count", answer);
    rest(d, *d->set.interval_us);
}

static void on_due(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    const struct doubt_firsts overdue = times_of(d, false);

    if (answer->rc)
        failed("due", answer);
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++) {
        struct doubt_row row;
        store_doubts_read(&row, answer->rows, i);
        take(d, &row);
    }
    store_doubts_count(d->set.db, &overdue, on_count, d);
}

static void on_cleaned(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    unsigned char ids[LOOKS_MAX][16];

    if (answer->rc)
        failed("clean", answer);
    for (size_t i = 0; !answer->rc && i < db_rows(answer->rows); i++)
        for (size_t way = 0; way < WAY_COUNT; way++)
            if (strcmp(db_text(answer->rows, i, 2), way_names[way]) == 0)
                count_way(d, (enum way)way, db_uuid(answer->rows, i, 0),
                          (int32_t)db_int(answer->rows, i, 1), way_names[way]);
    copy_in_hand(d, ids);
    store_doubts_due(d->set.db, (const unsigned char(*)[16])ids, d->hand_count,
                     (int32_t)(LOOKS_MAX - d->hand_count), on_due, d);
}

static void on_entered(void *arg, const struct db_answer *answer)
{
    struct doubts *d = arg;
    unsigned char ids[LOOKS_MAX][16];

    if (answer->rc)
        failed("enter", answer);
    copy_in_hand(d, ids);
    store_doubts_clean(d->set.db, (const unsigned char(*)[16])ids, d->hand_count,
                       on_cleaned, d);
}

static void tick(void *arg)
{
    struct doubts *d = arg;
    const struct doubt_firsts firsts = times_of(d, true);

    if (!lease_is_held(d->lease)) {
        rest(d, 0);
        return;
    }
    d->busy = true;
    store_doubts_enter(d->set.db, &firsts, ENTER_MAX, on_entered, d);
}
