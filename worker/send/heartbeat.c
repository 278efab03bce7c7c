#include "heartbeat.h"

#include "db.h"
#include "job.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "store_claims.h"
#include "store_epochs.h"

#include <stdlib.h>
#include <unistd.h>

// In beats.
enum {
    GATE_BEATS = 5,     // without a confirmed one for longer, nothing is posted
    DEAD_BEATS = 15,    // without one for longer, the epoch is buried
    MARGIN_BEATS = 7,   // from the end of the last POST to the rescue of its claim
    STRAYS_BEATS = 10,  // between two looks for claims that memory does not have
};

enum { ENDED_MAX = 16 };  // epochs whose claims are still looked after

struct heartbeat {
    struct heartbeat_settings set;
    struct reactor_timer *beat, *look;
    int64_t epoch;  // 0 = none
    bool registered;
    int64_t confirmed_us;  // boot clock: when its last confirmed beat was sent; 0 = none
    bool asked;            // PostgreSQL owes the answer to a beat
    int64_t asked_epoch;
    int64_t asked_us;
    bool looking;  // and one about strays
    int64_t looked_us;
    size_t releasing, ending;
    int64_t ended[ENDED_MAX];  // a ring
    size_t ended_count;
    struct metric *age, *buried, *released;
};

static void say(void *arg);
static void look(void *arg);

static void set_age(void *arg)
{
    const struct heartbeat *h = arg;
    int64_t age_us = h->confirmed_us ? clock_boot_us() - h->confirmed_us : -1000000;

    metric_set(h->age, (double)age_us / 1e6);
}

struct heartbeat *heartbeat_new(struct reactor *r, const struct heartbeat_settings *set,
                                struct metrics *metrics)
{
    struct heartbeat *h = xcalloc(1, sizeof(*h));

    h->set = *set;
    h->beat = reactor_timer_new(r, say, h);
    h->look = reactor_timer_new(r, look, h);
    h->age = metrics_gauge(metrics, "smsq_heartbeat_age_seconds", NULL,
                           "Since the last beat that PostgreSQL confirmed; -1 = none.");
    h->buried = metrics_counter(metrics, "smsq_epochs_buried_total", NULL,
                                "Epochs of this worker that others took for dead.");
    h->released = metrics_counter(metrics, "smsq_claims_released_total", NULL,
                                  "Claims that were given back before their POST.");
    metrics_before_render(metrics, set_age, h);
    return h;
}

void heartbeat_free(struct heartbeat *h)
{
    if (!h)
        return;
    reactor_timer_free(h->beat);
    reactor_timer_free(h->look);
    free(h);
}

bool heartbeat_allows(const struct heartbeat *h, int64_t epoch)
{
    return epoch == h->epoch && h->confirmed_us &&
           clock_boot_us() - h->confirmed_us <= GATE_BEATS * h->set.interval_us;
}

bool heartbeat_may_claim(const struct heartbeat *h)
{
    return heartbeat_allows(h, h->epoch);
}

bool heartbeat_is_registered(const struct heartbeat *h)
{
    return h->registered;
}

size_t heartbeat_releasing(const struct heartbeat *h)
{
    return h->releasing;
}

bool heartbeat_is_idle(const struct heartbeat *h)
{
    return h->releasing == 0 && (h->ending == 0 || !db_is_up(h->set.db));
}

// The time counts from before the beat was sent: whoever hears it late hears it fresh.
static void confirm(struct heartbeat *h)
{
    bool was_allowed = heartbeat_may_claim(h);
    int64_t next_us = h->asked_us + h->set.interval_us - clock_boot_us();

    h->registered = true;
    h->confirmed_us = h->asked_us;
    reactor_timer_set(h->beat, next_us > 0 ? next_us : 0);
    if (!was_allowed && heartbeat_may_claim(h))
        h->set.on_alive(h->set.arg);
}

static void on_said(void *arg, const struct db_answer *answer)
{
    struct heartbeat *h = arg;

    h->asked = false;
    if (answer->rc) {
        h->set.fail(h->set.arg, answer->reason);
    } else if (h->asked_epoch != h->epoch) {
        say(h);
    } else if (h->registered && db_rows(answer->rows) == 0) {
        log_line(LOG_LEVEL_WARN, "epoch_buried", LOG_I("epoch", h->epoch));
        metric_add(h->buried, 1);
        int64_t over = h->epoch;
        heartbeat_end_epoch(h, over);
        heartbeat_release(h, over);
    } else {
        confirm(h);
    }
}

static void introduce(struct heartbeat *h)
{
    char host[256] = "";
    const struct worker_start start = {
        .epoch = h->epoch,
        .host = host,
        .pid = getpid(),
        .version = SMSQ_VERSION,
        .dead_after_us = DEAD_BEATS * h->set.interval_us,
        .rescue_after_us = h->set.post_us + MARGIN_BEATS * h->set.interval_us,
    };

    (void)gethostname(host, sizeof(host) - 1);
    store_worker_start(h->set.db, &start, on_said, h);
}

// The first word of an epoch is its row.
static void say(void *arg)
{
    struct heartbeat *h = arg;

    if (h->asked || h->epoch == 0)
        return;
    h->asked = true;
    h->asked_epoch = h->epoch;
    h->asked_us = clock_boot_us();
    if (h->registered)
        store_heartbeat(h->set.db, h->epoch, on_said, h);
    else
        introduce(h);
}

static void take(struct heartbeat *h, int64_t epoch)
{
    h->epoch = epoch;
    h->registered = false;
    h->confirmed_us = 0;
    reactor_timer_stop(h->beat);
    if (epoch)
        log_line(LOG_LEVEL_INFO, "epoch_taken", LOG_I("epoch", epoch));
    h->set.on_epoch(h->set.arg, epoch);
    say(h);
}

static int64_t new_epoch(void)
{
    int64_t epoch;

    do {
        random_bytes(&epoch, sizeof(epoch));
        epoch &= INT64_MAX;
    } while (epoch == 0);
    return epoch;
}

void heartbeat_start(struct heartbeat *h)
{
    take(h, new_epoch());
    reactor_timer_set(h->look, STRAYS_BEATS * h->set.interval_us);
}

static void on_ended(void *arg, const struct db_answer *answer)
{
    struct heartbeat *h = arg;

    h->ending--;
    if (answer->rc)
        h->set.fail(h->set.arg, answer->reason);
}

static void end(struct heartbeat *h, int64_t next)
{
    h->ended[h->ended_count++ % ENDED_MAX] = h->epoch;
    h->ending++;
    store_bury(h->set.db, &h->epoch, 1, on_ended, h);
    take(h, next);
}

void heartbeat_end_epoch(struct heartbeat *h, int64_t epoch)
{
    if (epoch == h->epoch && epoch)
        end(h, new_epoch());
}

void heartbeat_stop(struct heartbeat *h)
{
    int64_t over = h->epoch;

    reactor_timer_stop(h->look);
    if (over == 0)
        return;
    size_t held = h->set.held->count;
    end(h, 0);
    if (h->set.held->count < held)
        heartbeat_release(h, over);
}

static void on_released(void *arg, const struct db_answer *answer)
{
    struct heartbeat *h = arg;
    size_t count = answer->rc ? 0 : db_rows(answer->rows);

    h->releasing--;
    metric_add(h->released, count);
    if (answer->rc)
        h->set.fail(h->set.arg, answer->reason);
    else
        log_line(LOG_LEVEL_WARN, "claims_released", LOG_I("count", (int64_t)count));
}

void heartbeat_release(struct heartbeat *h, int64_t epoch)
{
    struct turn_key *held = job_set_keys(h->set.held);

    h->releasing++;
    store_release(h->set.claims, epoch, held, h->set.held->count, 0, on_released, h);
    free(held);
}

static void on_looked(void *arg, const struct db_answer *answer)
{
    struct heartbeat *h = arg;
    // What was in memory then says little about a table that was looked at much later.
    bool is_late = answer->repeated ||
                   clock_boot_us() - h->looked_us > GATE_BEATS * h->set.interval_us;

    h->looking = false;
    if (answer->rc) {
        h->set.fail(h->set.arg, answer->reason);
        return;
    }
    if (h->epoch)
        reactor_timer_set(h->look, STRAYS_BEATS * h->set.interval_us);
    for (size_t i = 0; i < db_rows(answer->rows) && !is_late; i++) {
        int64_t epoch = db_int(answer->rows, i, 0);
        log_line(LOG_LEVEL_WARN, "claims_astray", LOG_I("epoch", epoch),
                 LOG_I("count", db_int(answer->rows, i, 1)));
        heartbeat_end_epoch(h, epoch);
        heartbeat_release(h, epoch);
    }
}

// Looks for claims of this worker that it knows nothing of. Only looks: the table may be
// read at any later time. Found one, the epoch ends, and the release of an ended epoch is
// safe whenever it runs.
static void look(void *arg)
{
    struct heartbeat *h = arg;
    int64_t epochs[ENDED_MAX + 1];
    size_t count = 0;

    if (h->looking || h->epoch == 0)
        return;
    for (; count < h->ended_count && count < ENDED_MAX; count++)
        epochs[count] = h->ended[count];
    epochs[count++] = h->epoch;
    struct turn_key *held = job_set_keys(h->set.held);
    h->looking = true;
    h->looked_us = clock_boot_us();
    store_strays(h->set.claims, epochs, count, held, h->set.held->count,
                 STRAYS_BEATS * h->set.interval_us, on_looked, h);
    free(held);
}
