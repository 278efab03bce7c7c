#include "sim_callbacks.h"
#include "buf.h"
#include "reactor.h"
#include "sim_caller.h"
#include "sim_form.h"
#include "sim_queue.h"
#include "sim_store.h"
#include "sim_url.h"

#include <stdlib.h>

enum { BODY_MAX_BYTES = 4096 };

// One callback on its way. Free ones are linked.
struct flight {
    struct sim_callbacks *owner;
    struct flight *next_free;
    struct sim_callback callback;
    uint32_t generation;
    struct buf body;
};

struct sim_callbacks {
    struct sim_callbacks_settings set;
    const struct sim_store *store;
    struct sim_sids *sids;
    struct sim_caller *caller;
    struct reactor_timer *timer;
    struct sim_queue fresh, again;
    struct flight *flights, *free_flights;
    size_t flying;        // of this generation
    uint32_t generation;  // what flew before a clear is of an older one
    uint64_t sent, failed;
};

// Queues the callback once more if its address asks for that. tries counts this one.
static bool try_again(struct sim_callbacks *c, struct sim_callback *cb, unsigned kind)
{
    const struct sim_message *m = sim_store_get(c->store, cb->number);
    struct sim_url_overrides o = sim_url_read_overrides(sim_message_callback(m));

    cb->due_us = clock_boot_us() + c->set.retry_delay_us;
    if (!sim_url_may_try_again(&o, cb->tries, kind, cb->due_us - cb->began_us))
        return false;
    sim_queue_push(&c->again, cb);
    return true;
}

// Counts the end of a try: for good, or until the next one.
static void end_try(struct sim_callbacks *c, struct sim_callback *cb, bool is_good,
                    unsigned failure)
{
    uint32_t number = cb->number;

    if (!is_good && try_again(c, cb, failure))
        return;
    if (is_good)
        c->sent++;
    else
        c->failed++;
    c->set.ended(c->set.arg, number);
}

// Takes one of the tries that this fault spoils.
static bool spoils(struct sim_callback *cb, enum sim_fault_kind kind)
{
    if (cb->fault != kind || cb->spoilt == 0)
        return false;
    cb->spoilt--;
    return true;
}

static void on_answer(void *arg, const struct sim_call_answer *answer)
{
    struct flight *f = arg;
    struct sim_callbacks *c = f->owner;

    f->next_free = c->free_flights;
    c->free_flights = f;
    reactor_timer_set(c->timer, 0);
    if (f->generation != c->generation)
        return;
    c->flying--;
    if (spoils(&f->callback, SIM_FAULT_UNHEARD))
        end_try(c, &f->callback, false, SIM_URL_RETRY_READ);
    else
        end_try(c, &f->callback, answer->status >= 200 && answer->status < 300,
                answer->failure);
}

static void fill_body(struct buf *body, const struct sim_form *form)
{
    buf_clear(body);
    for (size_t i = 0; i < form->count; i++)
        buf_add_form(body, form->params[i].name, form->params[i].value);
}

// Starts the call. Returns false when the caller has no room.
static bool start(struct sim_callbacks *c, struct flight *f, int64_t now_us)
{
    const struct sim_message *m = sim_store_get(c->store, f->callback.number);
    const char *address = sim_message_callback(m);
    struct sim_url_overrides o = sim_url_read_overrides(address);
    struct sim_callbacks_owner owner = c->set.owner(c->set.arg, m);
    char signature[SIM_SIGN_TEXT_BYTES], token[SIM_SIDS_TOKEN_BYTES];
    struct sim_call call = {
        .method = "POST",
        .url = { address, sim_url_sent_len(address) },
        .signature = signature,
        .token = token,
        .connect_us = o.connect_us,
        .read_us = o.read_us,
        .total_us = sim_url_left_us(&o, now_us - f->callback.began_us),
    };
    struct sim_form form;

    sim_form_fill(&form, c->sids, owner.account_sid, m,
                  (enum sim_status)f->callback.status);
    fill_body(&f->body, &form);
    call.body = buf_text(&f->body);
    call.body_len = f->body.len;
    sim_sign(owner.signer, address, call.url.len, form.params, form.count, signature);
    if (f->callback.fault == SIM_FAULT_WRONG_SIGNATURE)
        signature[0] = signature[0] == 'A' ? 'B' : 'A';
    sim_sids_token(c->sids, m->number, f->callback.status, token);
    return sim_caller_submit(c->caller, &call, on_answer, f);
}

// Returns the queue whose oldest callback may leave now, those to be tried again first.
static struct sim_queue *due_queue(struct sim_callbacks *c, int64_t now_us)
{
    const struct sim_callback *again = sim_queue_peek(&c->again);

    if (again && again->due_us <= now_us)
        return &c->again;
    return sim_queue_peek(&c->fresh) ? &c->fresh : NULL;
}

// Makes one try of the oldest callback of q. Returns false when the caller has no room.
static bool try_first(struct sim_callbacks *c, struct sim_queue *q, int64_t now_us)
{
    struct flight *f = c->free_flights;

    f->callback = *sim_queue_peek(q);
    f->generation = c->generation;
    if (f->callback.began_us == 0)
        f->callback.began_us = now_us;
    f->callback.tries++;
    if (spoils(&f->callback, SIM_FAULT_UNREACHABLE)) {
        struct sim_callback copy = f->callback;
        sim_queue_drop(q);
        end_try(c, &copy, false, SIM_URL_RETRY_CONNECT);
        return true;
    }
    if (!start(c, f, now_us))
        return false;  // an answer makes room and sets the timer
    c->free_flights = f->next_free;
    c->flying++;
    sim_queue_drop(q);
    return true;
}

// Runs in a turn of the loop of its own: starts as many callbacks as there is room for.
static void on_timer(void *arg)
{
    struct sim_callbacks *c = arg;
    int64_t now_us = clock_boot_us();
    struct sim_queue *q;

    while (c->free_flights && (q = due_queue(c, now_us)))
        if (!try_first(c, q, now_us))
            return;
    if (c->free_flights && sim_queue_peek(&c->again))
        reactor_timer_set(c->timer, sim_queue_peek(&c->again)->due_us - now_us);
}

void sim_callbacks_push(struct sim_callbacks *c, uint32_t number, enum sim_status status,
                        int64_t copies, enum sim_fault_kind fault, int spoilt)
{
    const struct sim_callback cb = {
        .number = number,
        .status = (uint8_t)status,
        .fault = (uint8_t)fault,
        .spoilt = (uint8_t)spoilt,
    };

    for (int64_t i = 0; i < copies; i++)
        sim_queue_push(&c->fresh, &cb);
    if (c->free_flights)
        reactor_timer_set(c->timer, 0);
}

static void make_flights(struct sim_callbacks *c)
{
    size_t count = (size_t)c->set.in_flight_max;

    c->flights = xcalloc(count, sizeof(*c->flights));
    for (size_t i = 0; i < count; i++) {
        struct flight *f = &c->flights[i];
        f->owner = c;
        buf_init(&f->body, BODY_MAX_BYTES);
        f->next_free = c->free_flights;
        c->free_flights = f;
    }
}

struct sim_callbacks *sim_callbacks_new(struct reactor *r,
                                        const struct sim_callbacks_settings *set,
                                        struct sim_caller *caller,
                                        const struct sim_store *store,
                                        struct sim_sids *sids)
{
    struct sim_callbacks *c = xcalloc(1, sizeof(*c));

    c->set = *set;
    c->caller = caller;
    c->store = store;
    c->sids = sids;
    c->timer = reactor_timer_new(r, on_timer, c);
    make_flights(c);
    return c;
}

void sim_callbacks_free(struct sim_callbacks *c)
{
    if (!c)
        return;
    for (int64_t i = 0; i < c->set.in_flight_max; i++)
        buf_free(&c->flights[i].body);
    free(c->flights);
    sim_queue_free(&c->fresh);
    sim_queue_free(&c->again);
    reactor_timer_free(c->timer);
    free(c);
}

void sim_callbacks_clear(struct sim_callbacks *c)
{
    sim_queue_free(&c->fresh);
    sim_queue_free(&c->again);
    c->generation++;
    c->flying = 0;
    c->sent = c->failed = 0;
}

uint64_t sim_callbacks_sent(const struct sim_callbacks *c)
{
    return c->sent;
}

uint64_t sim_callbacks_failed(const struct sim_callbacks *c)
{
    return c->failed;
}

uint64_t sim_callbacks_pending(const struct sim_callbacks *c)
{
    return c->fresh.count + c->again.count + c->flying;
}
