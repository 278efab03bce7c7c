#include "sim_life.h"
#include "sim_store.h"

#include <stdlib.h>

enum step { STEP_QUEUED, STEP_SENT, STEP_DELIVERED, STEP_PRICED, STEP_COUNT };

struct sim_life {
    struct sim_store *store;
    const char *service_sender;
    sim_life_changed *changed;
    void *arg;
    struct sim_life_delays delays;
    uint32_t next[STEP_COUNT];  // the message whose turn it is
};

struct sim_life *sim_life_new(struct sim_store *store, const char *service_sender,
                              sim_life_changed *changed, void *arg)
{
    struct sim_life *l = xcalloc(1, sizeof(*l));

    l->store = store;
    l->service_sender = service_sender;
    l->changed = changed;
    l->arg = arg;
    sim_life_clear(l);
    return l;
}

void sim_life_free(struct sim_life *l)
{
    free(l);
}

void sim_life_set_delays(struct sim_life *l, const struct sim_life_delays *delays)
{
    l->delays = *delays;
}

const struct sim_life_delays *sim_life_delays(const struct sim_life *l)
{
    return &l->delays;
}

void sim_life_clear(struct sim_life *l)
{
    for (size_t i = 0; i < STEP_COUNT; i++)
        l->next[i] = 1;
}

static void raise_to(struct sim_life *l, struct sim_message *m, enum sim_status status,
                     int64_t at_us)
{
    m->status = (uint8_t)status;
    m->updated_s = (uint32_t)(at_us / 1000000);
    l->changed(l->arg, m);
}

static void take_step(struct sim_life *l, enum step step, struct sim_message *m,
                      int64_t now_us)
{
    switch (step) {
    case STEP_QUEUED:
        if (m->status != SIM_STATUS_ACCEPTED)
            return;
        if (!m->from) {
            m->from = l->service_sender;
            m->is_from_picked = true;
        }
        raise_to(l, m, SIM_STATUS_QUEUED, now_us);
        return;
    case STEP_SENT:
        if (m->fate_code) {
            raise_to(l, m, SIM_STATUS_FAILED, now_us);
            return;
        }
        m->sent_s = (uint32_t)(now_us / 1000000);
        raise_to(l, m, SIM_STATUS_SENT, now_us);
        return;
    case STEP_DELIVERED:
        if (m->status == SIM_STATUS_SENT)
            raise_to(l, m, SIM_STATUS_DELIVERED, now_us);
        return;
    default:
        m->price_known = m->sent_s != 0;
        return;
    }
}

static int64_t delay_of(const struct sim_life_delays *d, size_t step)
{
    switch (step) {
    case STEP_QUEUED:
        return d->queued_us;
    case STEP_SENT:
        return d->sent_us;
    case STEP_DELIVERED:
        return d->delivered_us;
    default:
        return d->delivered_us + d->price_us;
    }
}

// Returns when the step's next message is due; INT64_MAX while there is none, or while
// that message waits for the step before.
static int64_t due_us(const struct sim_life *l, size_t step)
{
    const struct sim_message *m = sim_store_get(l->store, l->next[step]);

    if (!m || (step > 0 && l->next[step] >= l->next[step - 1]))
        return INT64_MAX;
    return m->created_us + delay_of(&l->delays, step);
}

int64_t sim_life_run(struct sim_life *l, int64_t now_us, int steps_max)
{
    int64_t next_us = INT64_MAX;
    int left = steps_max;

    for (size_t step = 0; step < STEP_COUNT; step++) {
        while (left > 0 && due_us(l, step) <= now_us) {
            struct sim_message *m = sim_store_get(l->store, l->next[step]++);
            take_step(l, (enum step)step, m, now_us);
            left--;
        }
    }
    for (size_t step = 0; step < STEP_COUNT; step++)
        if (due_us(l, step) < next_us)
            next_us = due_us(l, step);
    return next_us;
}
