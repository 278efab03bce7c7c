#include "sim_life.h"
#include "sim_clock.h"
#include "sim_senders.h"
#include "sim_store.h"

#include <stdlib.h>

enum step {
    STEP_SCHEDULED,
    STEP_QUEUED,
    STEP_SENT,
    STEP_DELIVERED,
    STEP_READ,
    STEP_PRICED,
};

enum { QUEUE_FULL = 30001, CAP_REACHED = 30023, EXPIRED = 30036, NO_SENDER = 21704 };

struct sim_life {
    struct sim_clock *clock;
    struct sim_store *store;
    struct sim_senders *senders;
    struct sim_life_hooks hooks;
    struct sim_life_delays delays;
};

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

// From sent to delivered.
static int64_t delivery_us(const struct sim_life_delays *d)
{
    return later(d->delivered_us - d->sent_us, 0);
}

static void wait_for(struct sim_life *l, const struct sim_message *m, enum step step,
                     int64_t due_us)
{
    sim_clock_put(l->clock, &(struct sim_entry){ .due_us = due_us,
                                                 .number = m->number,
                                                 .kind = SIM_CLOCK_LIFE,
                                                 .step = (uint8_t)step });
}

static void raise_to(struct sim_life *l, struct sim_message *m, enum sim_status status,
                     int64_t at_us)
{
    m->status = (uint8_t)status;
    m->updated_s = (uint32_t)(at_us / 1000000);
    l->hooks.changed(l->hooks.arg, m);
}

// The message has its sender and waits until that has handed over what came before.
static void enter_queue(struct sim_life *l, struct sim_message *m, int64_t at_us)
{
    int64_t start_us = at_us, valid_us = m->validity_s * INT64_C(1000000);
    int64_t sent_us = later(m->created_us + l->delays.sent_us, at_us);

    switch (sim_senders_enter(l->senders, m, at_us, valid_us, &start_us)) {
    case SIM_SENDERS_LEAVES:
        sent_us += start_us - at_us;
        break;
    case SIM_SENDERS_FULL:
        m->fate_code = QUEUE_FULL;
        break;
    case SIM_SENDERS_CAPPED:
        m->fate_code = CAP_REACHED;
        break;
    case SIM_SENDERS_EXPIRES:
        m->fate_code = EXPIRED;
        sent_us = at_us + valid_us;
        break;
    }
    wait_for(l, m, STEP_SENT, sent_us);
}

static void on_picked(struct sim_life *l, struct sim_message *m, int64_t at_us)
{
    size_t count = 0;

    if (!m->from) {
        const char *const *pool = l->hooks.pool(l->hooks.arg, m, &count);
        if (count)
            m->from = sim_senders_pick(l->senders, m, pool, count, at_us);
        m->is_from_picked = true;
    }
    raise_to(l, m, SIM_STATUS_QUEUED, at_us);
    if (m->from) {
        enter_queue(l, m, at_us);
        return;
    }
    m->fate_code = NO_SENDER;
    wait_for(l, m, STEP_SENT, at_us);
}

static void on_left(struct sim_life *l, struct sim_message *m, int64_t at_us)
{
    if (m->fate_code && !(m->faults & SIM_MESSAGE_UNDELIVERED)) {
        raise_to(l, m, SIM_STATUS_FAILED, at_us);
        return;
    }
    m->sent_s = (uint32_t)(at_us / 1000000);
    raise_to(l, m, SIM_STATUS_SENT, at_us);
    wait_for(l, m, STEP_DELIVERED, at_us + delivery_us(&l->delays));
}

static void on_receipt(struct sim_life *l, struct sim_message *m, int64_t at_us)
{
    wait_for(l, m, STEP_PRICED, at_us + l->delays.price_us);
    if (m->faults & SIM_MESSAGE_STUCK)
        return;
    if (m->faults & SIM_MESSAGE_UNDELIVERED) {
        raise_to(l, m, SIM_STATUS_UNDELIVERED, at_us);
        return;
    }
    raise_to(l, m, SIM_STATUS_DELIVERED, at_us);
    if (l->delays.read_us && sim_message_is_whatsapp(m))
        wait_for(l, m, STEP_READ, at_us + l->delays.read_us);
}

static void on_due(void *arg, const struct sim_entry *entry)
{
    struct sim_life *l = arg;
    struct sim_message *m = sim_store_get(l->store, entry->number);

    switch (entry->step) {
    case STEP_SCHEDULED:
        if (m->status == SIM_STATUS_SCHEDULED)  // or canceled meanwhile
            on_picked(l, m, entry->due_us);
        return;
    case STEP_QUEUED:
        on_picked(l, m, entry->due_us);
        return;
    case STEP_SENT:
        on_left(l, m, entry->due_us);
        return;
    case STEP_DELIVERED:
        on_receipt(l, m, entry->due_us);
        return;
    case STEP_READ:
        raise_to(l, m, SIM_STATUS_READ, entry->due_us);
        return;
    default:
        m->price_known = true;
        return;
    }
}

struct sim_life *sim_life_new(struct sim_clock *clock, struct sim_store *store,
                              struct sim_senders *senders,
                              const struct sim_life_hooks *hooks)
{
    struct sim_life *l = xcalloc(1, sizeof(*l));

    l->clock = clock;
    l->store = store;
    l->senders = senders;
    l->hooks = *hooks;
    sim_clock_on(clock, SIM_CLOCK_LIFE, on_due, l);
    return l;
}

void sim_life_free(struct sim_life *l)
{
    free(l);
}

void sim_life_set_delays(struct sim_life *l, const struct sim_life_delays *d)
{
    const struct sim_life_delays old = l->delays;
    const struct {
        enum step step;
        int64_t by_us;
    } moves[] = {
        { STEP_QUEUED, d->queued_us - old.queued_us },
        { STEP_SENT, d->sent_us - old.sent_us },
        { STEP_DELIVERED, delivery_us(d) - delivery_us(&old) },
        { STEP_READ, d->read_us - old.read_us },
        { STEP_PRICED, d->price_us - old.price_us },
    };

    l->delays = *d;
    for (size_t i = 0; i < COUNT_OF(moves); i++)
        sim_clock_move(l->clock, SIM_CLOCK_LIFE, (uint8_t)moves[i].step, moves[i].by_us);
}

const struct sim_life_delays *sim_life_delays(const struct sim_life *l)
{
    return &l->delays;
}

void sim_life_begin(struct sim_life *l, struct sim_message *m)
{
    if (m->status == SIM_STATUS_SCHEDULED)
        wait_for(l, m, STEP_SCHEDULED, m->send_at_s * INT64_C(1000000));
    else if (m->status == SIM_STATUS_ACCEPTED)
        wait_for(l, m, STEP_QUEUED, m->created_us + l->delays.queued_us);
    else
        enter_queue(l, m, m->created_us);
}
