#include "sim_webhooks.h"
#include "buf.h"
#include "reactor.h"
#include "sim_caller.h"

#include <stdlib.h>
#include <string.h>

enum { FORM_MAX_BYTES = 65536, ADDRESS_MAX_BYTES = 8000 };

enum { NOT_FETCHED = 11200, NOT_CONNECTED = 11205 };

// One address and what goes there; a webhook has up to two.
struct target {
    struct sim_url_overrides overrides;
    bool is_get;
    struct buf url;  // as it is sent and signed
    char signature[SIM_SIGN_TEXT_BYTES];
};

struct hook {
    struct hook *next;
    struct sim_webhooks *owner;
    sim_webhook_done *done;  // NULL once nobody waits for the answer
    void *arg;
    struct target targets[2];
    size_t target_count, target;  // target: where it goes now
    struct buf form;
    char *token;
    int tries;
    int64_t began_us;
    int64_t due_us;  // of the next try
    bool is_flying;
};

struct sim_webhooks {
    struct sim_caller *caller;
    struct reactor_timer *timer;
    int64_t retry_delay_us;
    struct hook *first, **last;  // in the order of submission
    size_t count;
};

static void fill_target(struct target *t, const struct sim_webhook *hook, const char *url,
                        const char *method)
{
    size_t len = sim_url_sent_len(url);

    t->overrides = sim_url_read_overrides(url);
    t->is_get = method && strcmp(method, "GET") == 0;
    buf_init(&t->url, ADDRESS_MAX_BYTES);
    buf_add(&t->url, url, len);
    for (size_t i = 0; t->is_get && i < hook->count; i++) {
        buf_add_char(&t->url, i == 0 && !memchr(url, '?', len) ? '?' : '&');
        buf_add_url_escaped(&t->url, hook->params[i].name, strlen(hook->params[i].name));
        buf_add_char(&t->url, '=');
        buf_add_url_escaped(&t->url, hook->params[i].value,
                            strlen(hook->params[i].value));
    }
    sim_sign(hook->signer, buf_text(&t->url), t->url.len, hook->params,
             t->is_get ? 0 : hook->count, t->signature);
}

static void hook_free(struct hook *h)
{
    for (size_t i = 0; i < h->target_count; i++)
        buf_free(&h->targets[i].url);
    buf_free(&h->form);
    free(h->token);
    free(h);
}

static void forget(struct hook *h)
{
    struct sim_webhooks *w = h->owner;
    struct hook **at = &w->first;

    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    if (w->last == &h->next)
        w->last = at;
    w->count--;
    hook_free(h);
}

// Decides after a failed try: once more, the fallback, or the end.
static bool goes_on(struct hook *h, unsigned failure)
{
    const struct target *t = &h->targets[h->target];

    h->due_us = clock_boot_us() + h->owner->retry_delay_us;
    if (sim_url_may_try_again(&t->overrides, h->tries, failure, h->due_us - h->began_us))
        return true;
    if (failure == 0 || h->target + 1 == h->target_count)
        return false;
    h->target++;
    h->tries = 0;
    h->began_us = h->due_us = 0;
    return true;
}

static void on_answer(void *arg, const struct sim_call_answer *answer)
{
    struct hook *h = arg;
    struct sim_webhooks *w = h->owner;

    h->is_flying = false;
    reactor_timer_set(w->timer, 0);
    if (h->done && goes_on(h, answer->failure))
        return;
    if (h->done) {
        int code = answer->failure == SIM_URL_RETRY_CONNECT ? NOT_CONNECTED : NOT_FETCHED;
        const struct sim_webhook_answer result = {
            .status = answer->status,
            .error_code = answer->failure ? code : 0,
            .is_from_fallback = h->target > 0,
            .content_type = answer->content_type,
            .body = answer->body,
            .body_len = answer->body_len,
        };
        h->done(h->arg, &result);
    }
    forget(h);
}

static bool start(struct sim_webhooks *w, struct hook *h, int64_t now_us)
{
    const struct target *t = &h->targets[h->target];
    int64_t began_us = h->began_us ? h->began_us : now_us;
    const struct sim_call call = {
        .method = t->is_get ? "GET" : "POST",
        .url = { buf_text(&t->url), t->url.len },
        .body = t->is_get ? NULL : buf_text(&h->form),
        .body_len = h->form.len,
        .signature = t->signature,
        .token = h->token,
        .connect_us = t->overrides.connect_us,
        .read_us = t->overrides.read_us,
        .total_us = sim_url_left_us(&t->overrides, now_us - began_us),
    };

    if (!sim_caller_submit(w->caller, &call, on_answer, h))
        return false;
    h->began_us = began_us;
    h->tries++;
    h->is_flying = true;
    return true;
}

// Starts what is due, and comes back for the earliest of the rest.
static void on_timer(void *arg)
{
    struct sim_webhooks *w = arg;
    int64_t now_us = clock_boot_us(), next_us = INT64_MAX;

    for (struct hook *h = w->first; h; h = h->next) {
        if (h->is_flying)
            continue;
        if (h->due_us <= now_us && !start(w, h, now_us))
            h->due_us = now_us + w->retry_delay_us;  // no connection is free
        if (!h->is_flying && h->due_us < next_us)
            next_us = h->due_us;
    }
    if (next_us != INT64_MAX)
        reactor_timer_set(w->timer, next_us - now_us);
}

struct sim_webhooks *sim_webhooks_new(struct reactor *r, struct sim_caller *caller,
                                      int64_t retry_delay_us)
{
    struct sim_webhooks *w = xcalloc(1, sizeof(*w));

    w->caller = caller;
    w->timer = reactor_timer_new(r, on_timer, w);
    w->retry_delay_us = retry_delay_us;
    w->last = &w->first;
    return w;
}

void sim_webhooks_free(struct sim_webhooks *w)
{
    if (!w)
        return;
    while (w->first) {
        struct hook *h = w->first;
        w->first = h->next;
        hook_free(h);
    }
    reactor_timer_free(w->timer);
    free(w);
}

void sim_webhooks_clear(struct sim_webhooks *w)
{
    for (struct hook *h = w->first, *next; h; h = next) {
        next = h->next;
        h->done = NULL;
        if (!h->is_flying)
            forget(h);
    }
}

void sim_webhooks_submit(struct sim_webhooks *w, const struct sim_webhook *hook,
                         sim_webhook_done *done, void *arg)
{
    struct hook *h = xcalloc(1, sizeof(*h));

    h->owner = w;
    h->done = done;
    h->arg = arg;
    h->token = xstrdup(hook->token);
    buf_init(&h->form, FORM_MAX_BYTES);
    for (size_t i = 0; i < hook->count; i++)
        buf_add_form(&h->form, hook->params[i].name, hook->params[i].value);
    fill_target(&h->targets[h->target_count++], hook, hook->url, hook->method);
    if (hook->fallback)
        fill_target(&h->targets[h->target_count++], hook, hook->fallback,
                    hook->fallback_method);
    *w->last = h;
    w->last = &h->next;
    w->count++;
    reactor_timer_set(w->timer, 0);
}

size_t sim_webhooks_pending(const struct sim_webhooks *w)
{
    return w->count;
}
