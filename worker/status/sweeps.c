#include "sweeps.h"

#include "db.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "provider.h"
#include "reactor.h"
#include "settings.h"
#include "status.h"
#include "store_receipts.h"
#include "store_sweeps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCAN_MAX = 2000,  // rows of a slice: some milliseconds
    TAKE_MAX = 50,    // of them asked about at a time
    SWEEPS_MAX = 2 * SWEEP_AGES_MAX + 3,
    NAME_BYTES = 48,
    TRIES_MAX = 3,
    LEASE_US = 30000000,
    AGAIN_US = 5000000,
};

#define HISTORY_US INT64_C(345600000000)  // a new sweep begins four days back

enum kind { KIND_STATUS, KIND_PRICE, KIND_LATE };

struct sweep {
    char name[NAME_BYTES];
    enum kind kind;
    enum sweep_wants wants;
    int64_t age_us;
    bool times_out;   // what is still on its way afterwards has timed out
    bool notes_late;  // the first one notes what has not gone out yet
    struct turn_key upto;
    int64_t rest_until_us;  // boot clock
    int tries;              // of this slice
};

// One attempt that is asked about.
struct taken {
    struct sweeps *owner;
    struct turn_key key;
    char sid[SID_TEXT_BYTES], word[33], currency[4];
    int32_t stage;
    bool simulated, waits, is_answered, is_open;  // is_open: still on its way
    struct receipt fact;
    bool has_fact, has_price;
    int64_t price_micros;
    int32_t segments;
};

struct sweeps {
    struct sweeps_parts set;
    struct reactor_timer *tick;
    struct lease *lease;
    size_t count, next;
    struct sweep all[SWEEPS_MAX];
    int64_t stages_us[SWEEP_AGES_MAX + 1];  // of late messages
    size_t stage_count;
    bool loaded, busy, stopping;
    struct sweep *at;  // the sweep in hand
    struct turn_key end;
    size_t taken_count, awaited, failures;
    bool moved;  // the slice has rows
    struct taken taken[TAKE_MAX];
    struct metric *asked, *facts, *timed_out, *prices;
};

static void tick(void *arg);

size_t sweeps_read_ages(int64_t out[SWEEP_AGES_MAX], const char *text)
{
    char word[32];
    size_t count = 0;

    while (count < SWEEP_AGES_MAX) {
        size_t len = strcspn(text, ",");
        if (len == 0 || len >= sizeof(word))
            return 0;
        memcpy(word, text, len);
        word[len] = '\0';
        if (!settings_parse_us(word, &out[count]) || out[count] <= 0 ||
            (count > 0 && out[count] <= out[count - 1]))
            return 0;
        count++;
        if (text[len] == '\0')
            return count;
        text += len + 1;
    }
    return 0;
}

static void add_sweep(struct sweeps *s, const char *what, enum kind kind,
                      enum sweep_wants wants, int64_t age_us)
{
    struct sweep *sweep = &s->all[s->count++];

    *sweep = (struct sweep){ .kind = kind, .wants = wants, .age_us = age_us };
    (void)snprintf(sweep->name, sizeof(sweep->name), "%s after %lldms", what,
                   (long long)(age_us / 1000));
}

static void plan(struct sweeps *s)
{
    const struct sweep_settings *set = s->set.set;
    int64_t ages_us[SWEEP_AGES_MAX];
    size_t count = sweeps_read_ages(ages_us, set->status_ages);

    for (size_t i = 0; i < count; i++) {
        add_sweep(s, "status", KIND_STATUS, SWEEP_STATUS, ages_us[i]);
        s->stages_us[s->stage_count++] = ages_us[i];
    }
    s->all[0].notes_late = true;
    add_sweep(s, "status at last", KIND_STATUS, SWEEP_STATUS, set->time_out_us);
    s->all[s->count - 1].times_out = true;
    s->stages_us[s->stage_count++] = set->time_out_us;
    add_sweep(s, "status of otp at last", KIND_STATUS, SWEEP_OTP_STATUS,
              set->otp_time_out_us);
    s->all[s->count - 1].times_out = true;
    count = sweeps_read_ages(ages_us, set->price_ages);
    for (size_t i = 0; i < count; i++)
        add_sweep(s, "price", KIND_PRICE, SWEEP_PRICE, ages_us[i]);
    add_sweep(s, "late ones", KIND_LATE, SWEEP_STATUS, 0);
}

static void on_lease(void *arg)
{
    struct sweeps *s = arg;

    s->loaded = false;  // another one may have walked meanwhile
    if (!s->busy && !s->stopping)
        reactor_timer_set(s->tick, 0);
}

struct sweeps *sweeps_new(struct reactor *r, const struct sweeps_parts *parts)
{
    struct sweeps *s = xcalloc(1, sizeof(*s));
    const struct lease_settings lease = {
        .name = "sweeps",
        .program = "smsq-status-consumer",
        .term_us = LEASE_US,
        .db = parts->db,
        .taken = on_lease,
        .arg = s,
    };
    struct metrics *m = parts->metrics;

    s->set = *parts;
    plan(s);
    s->asked = metrics_counter(m, "smsq_sweep_asked_total", NULL,
                               "Attempts whose status or price was asked for.");
    s->facts = metrics_counter(m, "smsq_sweep_answers_total", NULL,
                               "Of these, answers with a status.");
    s->timed_out = metrics_counter(m, "smsq_sweep_timed_out_total", NULL,
                                   "Messages that never got a final status.");
    s->prices = metrics_counter(m, "smsq_sweep_prices_total", NULL,
                                "Entries of Twilio's prices in the ledger.");
    s->tick = reactor_timer_new(r, tick, s);
    s->lease = lease_new(r, &lease, m);
    return s;
}

void sweeps_free(struct sweeps *s)
{
    if (!s)
        return;
    reactor_timer_free(s->tick);
    lease_free(s->lease);
    free(s);
}

void sweeps_stop(struct sweeps *s)
{
    s->stopping = true;
    reactor_timer_stop(s->tick);
    lease_give_up(s->lease);
}

bool sweeps_is_idle(const struct sweeps *s)
{
    return lease_is_idle(s->lease);
}

// --- the end of a slice ---

static void rest(struct sweeps *s, int64_t sweep_rests_us)
{
    if (s->at)
        s->at->rest_until_us = clock_boot_us() + sweep_rests_us;
    s->at = NULL;
    s->busy = false;
    if (!s->stopping && lease_is_held(s->lease))
        reactor_timer_set(s->tick, 0);
}

// Returns true when it has ended the slice.
static bool broke(struct sweeps *s, const struct db_answer *answer)
{
    if (!answer->rc)
        return false;
    log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", s->at->name),
             LOG_T("reason", answer->reason));
    rest(s, AGAIN_US);
    return true;
}

static void on_moved(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (broke(s, answer))
        return;
    s->at->tries = 0;
    if (s->at->kind != KIND_LATE)
        s->at->upto = s->end;
    rest(s, 0);
}

static void fill_later(struct sweeps *s, struct sweep_later *later, const struct taken *t)
{
    memcpy(later->message_id, t->key.message_id, sizeof(later->message_id));
    later->stage = t->stage;
    if (t->waits) {
        later->next_us = clock_wall_us() + s->stages_us[0];
        return;
    }
    size_t stage = (size_t)t->stage;
    later->stage = t->stage + 1;
    if (!t->sid[0] || stage + 1 >= s->stage_count)
        later->next_us = INT64_MAX;
    else
        later->next_us = clock_wall_us() + s->stages_us[stage + 1] - s->stages_us[stage];
}

static void move_on(struct sweeps *s)
{
    struct sweep_later later[TAKE_MAX];

    if (s->at->kind != KIND_LATE) {
        store_sweep_move(s->set.db, s->at->name, &s->end, on_moved, s);
        return;
    }
    for (size_t i = 0; i < s->taken_count; i++)
        fill_later(s, &later[i], &s->taken[i]);
    store_sweep_late_move(s->set.db, later, s->taken_count, on_moved, s);
}

static void on_late_noted(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (!broke(s, answer))
        move_on(s);
}

static void note_late(struct sweeps *s)
{
    if (s->at->notes_late)
        store_sweep_note_late(s->set.db, s->at->upto.message_id, s->end.message_id,
                              on_late_noted, s);
    else
        move_on(s);
}

static void on_timed_out(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (broke(s, answer))
        return;
    metric_add(s->timed_out, db_rows(answer->rows));
    for (size_t i = 0; i < db_rows(answer->rows); i++)
        log_line(LOG_LEVEL_WARN, "message_timed_out",
                 LOG_U("message_id", db_uuid(answer->rows, i, 0)),
                 LOG_I("turn", db_int(answer->rows, i, 1)));
    note_late(s);
}

static bool is_at_last(const struct sweeps *s, const struct taken *t)
{
    if (s->at->kind == KIND_LATE)
        return (size_t)t->stage + 1 >= s->stage_count;
    return s->at->times_out;
}

static void time_out(struct sweeps *s)
{
    struct turn_key keys[TAKE_MAX];
    size_t count = 0;

    for (size_t i = 0; i < s->taken_count; i++)
        if (s->taken[i].is_open && is_at_last(s, &s->taken[i]))
            keys[count++] = s->taken[i].key;
    if (count > 0)
        store_sweep_time_out(s->set.db, keys, count, on_timed_out, s);
    else
        note_late(s);
}

static void on_priced(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (broke(s, answer))
        return;
    metric_add(s->prices, db_rows(answer->rows));
    time_out(s);
}

static void write_prices(struct sweeps *s)
{
    struct sweep_price prices[TAKE_MAX];
    size_t count = 0;

    for (size_t i = 0; i < s->taken_count; i++) {
        const struct taken *t = &s->taken[i];
        if (!t->has_price)
            continue;
        prices[count] =
            (struct sweep_price){ .twilio_sid = t->sid,
                                  .price_micros = t->price_micros,
                                  .currency = t->currency[0] ? t->currency : NULL,
                                  .segments = t->segments };
        memcpy(prices[count++].message_id, t->key.message_id, 16);
    }
    if (count > 0)
        store_sweep_prices(s->set.db, prices, count, on_priced, s);
    else
        time_out(s);
}

static void on_raised(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (!broke(s, answer))
        write_prices(s);
}

static int compare_taken(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;
    return turn_key_compare(&x->key, &y->key);
}

static void write_facts(struct sweeps *s)
{
    const struct receipt *best[TAKE_MAX];
    size_t count = 0;

    qsort(s->taken, s->taken_count, sizeof(*s->taken), compare_taken);
    for (size_t i = 0; i < s->taken_count; i++) {
        struct taken *t = &s->taken[i];
        t->fact.twilio_sid = t->sid;  // the rows moved
        t->fact.word = t->word;
        if (t->has_fact)
            best[count++] = &t->fact;
    }
    const struct receipt_batch batch = { NULL, 0, best, count };
    metric_add(s->facts, count);
    if (count > 0)
        store_receipts(s->set.db, &batch, s->set.retry, on_raised, s);
    else
        write_prices(s);
}

// --- asking ---

static void on_all_answered(struct sweeps *s)
{
    bool all_failed = s->failures > 0 && s->failures == s->taken_count;

    if (s->failures > 0 && (all_failed || ++s->at->tries < TRIES_MAX)) {
        rest(s, AGAIN_US);  // the slice is walked again
        return;
    }
    write_facts(s);
}

static void keep_fact(struct taken *t, const struct provider_message *m)
{
    int rank = status_rank(m->status);

    (void)snprintf(t->word, sizeof(t->word), "%s", m->status);
    (void)snprintf(t->currency, sizeof(t->currency), "%s", m->price_unit);
    t->has_fact = rank >= RANK_QUEUED;
    t->is_open = rank < 60;
    t->fact = (struct receipt){
        .turn = t->key.turn,
        .status = status_of_provider(t->word),
        .rank = rank,
        .error_code = m->error_code,
        .received_at_us = clock_wall_us(),
        .simulated = t->simulated,
    };
    memcpy(t->fact.message_id, t->key.message_id, 16);
    t->segments = m->segments;
    t->has_price = m->has_price;
    t->price_micros = m->price_micros;
    if (!m->has_price && (rank == RANK_FAILED || rank == 71)) {
        t->has_price = true;  // Twilio took no money for what it never sent
        t->price_micros = 0;
    }
}

static void on_answer(void *arg, const struct provider_answer *answer)
{
    struct taken *t = arg;
    struct sweeps *s = t->owner;

    if (answer->result == PROVIDER_OK && answer->page->count == 1)
        keep_fact(t, &answer->page->messages[0]);
    else if (answer->result == PROVIDER_FAILED)
        s->failures++;
    if (--s->awaited == 0)
        on_all_answered(s);
}

static void take(struct sweeps *s, const struct db_result *rows, size_t i)
{
    struct taken *t = &s->taken[s->taken_count++];
    const char *mode = db_text(rows, i, SLICE_MODE);

    *t = (struct taken){ .owner = s, .is_open = true };
    memcpy(t->key.message_id, db_uuid(rows, i, SLICE_ID), 16);
    t->key.turn = (int32_t)db_int(rows, i, SLICE_TURN);
    t->simulated = strcmp(mode, "simulate") == 0;
    if (s->at->kind == KIND_LATE) {
        t->stage = (int32_t)db_int(rows, i, SLICE_STAGE);
        t->waits = db_bool(rows, i, SLICE_WAITS);
    }
    if (db_is_null(rows, i, SLICE_SID) || t->waits) {
        t->is_open = false;
        return;
    }
    (void)snprintf(t->sid, sizeof(t->sid), "%s", db_text(rows, i, SLICE_SID));
    s->awaited++;
    metric_add(s->asked, 1);
    provider_fetch(s->set.provider,
                   s->at->kind == KIND_PRICE ? PROVIDER_PRICE : PROVIDER_STATUS, mode,
                   t->sid, on_answer, t);
}

static void on_late(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    if (broke(s, answer))
        return;
    for (size_t i = 0; i < db_rows(answer->rows); i++)
        take(s, answer->rows, i);
    if (s->taken_count == 0)
        rest(s, s->set.set->rest_us);
    else if (s->awaited == 0)
        move_on(s);
}

static void on_slice(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;
    struct turn_key last = { 0 }, *end = &s->end;

    if (broke(s, answer))
        return;
    for (size_t i = 0; i < db_rows(answer->rows); i++) {
        memcpy(last.message_id, db_uuid(answer->rows, i, SLICE_ID), 16);
        last.turn = (int32_t)db_int(answer->rows, i, SLICE_TURN);
        bool is_mark = db_is_null(answer->rows, i, SLICE_SID);
        if (!is_mark)
            take(s, answer->rows, i);
        // With all room taken the slice ends at the last one that was taken.
        if (is_mark ? s->taken_count < TAKE_MAX : s->taken_count == TAKE_MAX)
            *end = last;
    }
    if (db_rows(answer->rows) == 0)
        rest(s, s->set.set->rest_us);
    else if (s->taken_count == 0)
        note_late(s);
}

static void id_of(unsigned char id[16], int64_t wall_us)
{
    int64_t ms = wall_us / 1000;

    memset(id, 0, 16);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
}

static void begin(struct sweeps *s, struct sweep *sweep)
{
    static const unsigned char zero[16];
    struct sweep_slice slice = { .wants = sweep->wants,
                                 .scan_max = SCAN_MAX,
                                 .take_max = TAKE_MAX };
    int64_t before_us = clock_wall_us() - sweep->age_us;

    s->at = sweep;
    s->taken_count = s->awaited = s->failures = 0;
    if (sweep->kind == KIND_LATE) {
        store_sweep_late(s->set.db, TAKE_MAX, on_late, s);
        return;
    }
    if (memcmp(sweep->upto.message_id, zero, 16) == 0)
        id_of(sweep->upto.message_id, before_us - HISTORY_US);
    slice.after = s->end = sweep->upto;
    id_of(slice.before, before_us);
    store_sweep_slice(s->set.db, &slice, on_slice, s);
}

static void on_loaded(void *arg, const struct db_answer *answer)
{
    struct sweeps *s = arg;

    s->loaded = !answer->rc;
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "reconcile_failed", LOG_T("step", "load"),
                 LOG_T("reason", answer->reason));
    for (size_t i = 0; i < s->count && s->loaded; i++) {
        memset(&s->all[i].upto, 0, sizeof(s->all[i].upto));
        for (size_t row = 0; row < db_rows(answer->rows); row++) {
            if (strcmp(db_text(answer->rows, row, 0), s->all[i].name) != 0)
                continue;
            memcpy(s->all[i].upto.message_id, db_uuid(answer->rows, row, 1), 16);
            s->all[i].upto.turn = (int32_t)db_int(answer->rows, row, 2);
        }
    }
    s->busy = false;
    if (!s->stopping)
        reactor_timer_set(s->tick, s->loaded ? 0 : AGAIN_US);
}

// The sweeps take turns; those at their end rest.
static void tick(void *arg)
{
    struct sweeps *s = arg;
    int64_t now_us = clock_boot_us(), soonest_us = INT64_MAX;

    if (s->busy || !lease_is_held(s->lease))
        return;
    s->busy = true;
    if (!s->loaded) {
        store_sweep_load(s->set.db, on_loaded, s);
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct sweep *sweep = &s->all[(s->next + i) % s->count];
        if (sweep->rest_until_us <= now_us) {
            s->next = (s->next + i + 1) % s->count;
            begin(s, sweep);
            return;
        }
        if (sweep->rest_until_us < soonest_us)
            soonest_us = sweep->rest_until_us;
    }
    s->busy = false;
    reactor_timer_set(s->tick, soonest_us - now_us);
}
