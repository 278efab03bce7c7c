#include "lease.h"

#include "db.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOST_MAX_BYTES = 256, HELD_BY_BYTES = 384, LABELS_BYTES = 64 };

struct lease {
    struct lease_settings set;
    struct reactor_timer *ask;
    int64_t holder;
    char held_by[HELD_BY_BYTES];
    int64_t sent_us;   // of the request in flight
    int64_t until_us;  // boot clock; 0 = not held
    bool asked;        // PostgreSQL owes an answer
    bool given_up;
    struct metric *held;
};

static const char take_sql[] =
    "insert into leases as l (name, holder, held_by, expires_at)"
    " values ($1::text, $2::bigint, $3::text,"
    "         clock_timestamp() + $4::bigint * interval '1 microsecond')"
    " on conflict (name) do update set"
    "    holder = excluded.holder, held_by = excluded.held_by,"
    "    expires_at = excluded.expires_at"
    "  where l.holder = excluded.holder or l.expires_at <= clock_timestamp()"
    " returning holder";

static const char give_sql[] =
    "delete from leases where name = $1::text and holder = $2::bigint";

static const struct db_statement take = { "lease_take", take_sql };
static const struct db_statement give = { "lease_give", give_sql };

static void set_gauge(void *arg)
{
    const struct lease *lease = arg;
    metric_set(lease->held, lease_is_held(lease) ? 1 : 0);
}

static void on_taken(void *arg, const struct db_answer *answer)
{
    struct lease *lease = arg;
    bool was_held = lease_is_held(lease);

    lease->asked = false;
    if (answer->rc)
        log_line(LOG_LEVEL_ERROR, "lease_failed", LOG_T("lease", lease->set.name),
                 LOG_T("reason", answer->reason));
    bool is_ours = !answer->rc && db_rows(answer->rows) > 0;
    lease->until_us = is_ours ? lease->sent_us + lease->set.term_us : 0;
    if (lease->given_up) {
        lease_give_up(lease);
        return;
    }
    reactor_timer_set(lease->ask, lease->set.term_us / 3);
    if (was_held || !lease_is_held(lease))
        return;
    log_line(LOG_LEVEL_INFO, "lease_taken", LOG_T("lease", lease->set.name));
    if (lease->set.taken)
        lease->set.taken(lease->set.arg);
}

static void ask(void *arg)
{
    struct lease *lease = arg;
    struct db_args *args = db_args_new();

    db_args_text(args, lease->set.name);
    db_args_int8(args, lease->holder);
    db_args_text(args, lease->held_by);
    db_args_int8(args, lease->set.term_us);
    lease->sent_us = clock_boot_us();
    lease->asked = true;
    db_submit(lease->set.db, &take, args, on_taken, lease);
}

struct lease *lease_new(struct reactor *r, const struct lease_settings *set,
                        struct metrics *metrics)
{
    struct lease *lease = xcalloc(1, sizeof(*lease));
    char host[HOST_MAX_BYTES] = "", labels[LABELS_BYTES];

    lease->set = *set;
    random_bytes(&lease->holder, sizeof(lease->holder));
    lease->holder &= INT64_MAX;
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(lease->held_by, sizeof(lease->held_by), "%s on %s, process %d",
                   set->program, host, (int)getpid());
    (void)snprintf(labels, sizeof(labels), "lease=\"%s\"", set->name);
    lease->held = metrics_gauge(metrics, "smsq_lease_held", labels,
                                "1 = this process does this work now.");
    metrics_before_render(metrics, set_gauge, lease);
    lease->ask = reactor_timer_new(r, ask, lease);
    reactor_timer_set(lease->ask, 0);
    return lease;
}

void lease_free(struct lease *lease)
{
    if (!lease)
        return;
    reactor_timer_free(lease->ask);
    free(lease);
}

bool lease_is_held(const struct lease *lease)
{
    return clock_boot_us() < lease->until_us;
}

static void on_given(void *arg, const struct db_answer *answer)
{
    struct lease *lease = arg;

    (void)answer;  // refused or not: it expires
    lease->asked = false;
}

void lease_give_up(struct lease *lease)
{
    struct db_args *args;

    lease->given_up = true;
    reactor_timer_stop(lease->ask);
    if (lease->asked || lease->until_us == 0)
        return;
    lease->until_us = 0;
    args = db_args_new();
    db_args_text(args, lease->set.name);
    db_args_int8(args, lease->holder);
    lease->asked = true;
    db_submit(lease->set.db, &give, args, on_given, lease);
}

bool lease_is_idle(const struct lease *lease)
{
    return !lease->asked;
}
