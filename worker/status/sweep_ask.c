#include "sweep_ask.h"

#include "provider.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MIN = 50,    // from so many on a page is worth more than a fetch each
    FEW = 5,          // as few as that are fetched although the list goes on
    SINGLES_MAX = 4,  // at a time, so that other sweeps get their turn
    EARLY_US = 60000000,
    LATE_US = 600000000,  // from the POST until Twilio sends it, mostly
    RANK_TIMED_OUT = 60,
    RANK_CANCELED = 71,
};

#define DAY_US INT64_C(86400000000)

struct single;

struct sweep_ask {
    struct sweep_ask_settings set;
    sweep_ask_done *done;
    void *arg;
    struct sweep_taken **wanted;  // sorted by SID
    size_t count, left, next;     // next: of the single fetches
    size_t answers, failures, flying;
    size_t pages, pages_max;
    int64_t from_us, to_us;
    bool is_wide;
    struct single {
        struct sweep_ask *owner;
        struct sweep_taken *taken;  // NULL = free
    } singles[SINGLES_MAX];
};

static void keep_fact(struct sweep_taken *t, const struct provider_message *m)
{
    int rank = status_rank(m->status);

    (void)snprintf(t->word, sizeof(t->word), "%s", m->status);
    (void)snprintf(t->currency, sizeof(t->currency), "%s", m->price_unit);
    t->is_answered = true;
    t->has_fact = rank >= RANK_QUEUED;
    t->is_open = rank < RANK_TIMED_OUT;
    t->fact = (struct receipt){
        .turn = t->key.turn,
        .twilio_sid = t->sid,
        .word = t->word,
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
    if (!m->has_price && (rank == RANK_FAILED || rank == RANK_CANCELED)) {
        t->has_price = true;  // Twilio took no money for what it never sent
        t->price_micros = 0;
    }
}

// --- one by one ---

static void fetch_more(struct sweep_ask *ask);

static void on_single(void *arg, const struct provider_answer *answer)
{
    struct single *one = arg;
    struct sweep_ask *ask = one->owner;

    if (answer->result == PROVIDER_OK && answer->page->count == 1)
        keep_fact(one->taken, &answer->page->messages[0]);
    if (answer->result == PROVIDER_FAILED)
        ask->failures++;
    else
        ask->answers++;
    one->taken = NULL;
    ask->flying--;
    fetch_more(ask);
}

static struct single *free_single(struct sweep_ask *ask)
{
    for (size_t i = 0; i < SINGLES_MAX; i++)
        if (!ask->singles[i].taken)
            return &ask->singles[i];
    return NULL;
}

static void fetch_more(struct sweep_ask *ask)
{
    while (ask->next < ask->count && ask->flying < SINGLES_MAX) {
        struct sweep_taken *t = ask->wanted[ask->next++];
        struct single *one = free_single(ask);
        if (t->is_answered || !one)
            continue;
        *one = (struct single){ ask, t };
        ask->flying++;
        provider_fetch(ask->set.provider, ask->set.share, t->mode, t->sid, on_single,
                       one);
    }
    if (ask->flying == 0)
        ask->done(ask->arg, ask->answers, ask->failures);
}

// --- by the list ---

static int by_sid(const void *a, const void *b)
{
    struct sweep_taken *const *x = a, *const *y = b;
    return strcmp((*x)->sid, (*y)->sid);
}

static int find_sid(const void *key, const void *b)
{
    struct sweep_taken *const *y = b;
    return strcmp(key, (*y)->sid);
}

static void keep_page(struct sweep_ask *ask, const struct provider_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        struct sweep_taken **found = bsearch(page->messages[i].sid, ask->wanted,
                                             ask->count, sizeof(*ask->wanted), find_sid);
        if (!found || (*found)->is_answered)
            continue;
        keep_fact(*found, &page->messages[i]);
        ask->answers++;
        ask->left--;
    }
}

static void ask_for_page(struct sweep_ask *ask, const char *next_uri);

// Twilio may take the bound for its day, and then shows nothing of that day.
static bool widen(struct sweep_ask *ask, const struct provider_page *page)
{
    if (ask->is_wide || ask->pages > 1 || page->count > 0)
        return false;
    ask->is_wide = true;
    ask->to_us += DAY_US;
    ask_for_page(ask, NULL);
    return true;
}

// What the list does not show yet is asked about at the next age; what it never shows,
// because it was not sent, at the last one.
static void end_list(struct sweep_ask *ask, bool is_read)
{
    if (is_read && !ask->set.at_last && ask->left > LIST_MIN)
        ask->next = ask->count;
    fetch_more(ask);
}

static void on_page(void *arg, const struct provider_answer *answer)
{
    struct sweep_ask *ask = arg;
    struct provider_page *page = answer->page;

    ask->pages++;
    if (answer->result != PROVIDER_OK) {
        end_list(ask, false);
        return;
    }
    keep_page(ask, page);
    if (ask->left > 0 && widen(ask, page))
        return;
    if (!page->next_uri || page->count == 0)
        end_list(ask, true);
    else if (ask->left <= FEW || ask->pages >= ask->pages_max)
        end_list(ask, false);
    else
        ask_for_page(ask, page->next_uri);
}

static void ask_for_page(struct sweep_ask *ask, const char *next_uri)
{
    const struct provider_span span = { ask->from_us, ask->to_us };

    provider_list_sent(ask->set.provider, ask->set.share, ask->wanted[0]->mode, &span,
                       next_uri, on_page, ask);
}

static void begin_list(struct sweep_ask *ask)
{
    ask->from_us = INT64_MAX;
    for (size_t i = 0; i < ask->count; i++) {
        int64_t at_us = ask->wanted[i]->at_us;
        if (at_us < ask->from_us)
            ask->from_us = at_us;
        if (at_us > ask->to_us)
            ask->to_us = at_us;
    }
    ask->from_us -= EARLY_US;
    ask->to_us += LATE_US;
    ask->pages_max = ask->count / 2;
    ask_for_page(ask, NULL);
}

struct sweep_ask *sweep_ask_begin(const struct sweep_ask_settings *set,
                                  sweep_ask_done *done, void *arg)
{
    struct sweep_ask *ask = xcalloc(1, sizeof(*ask));

    ask->set = *set;
    ask->done = done;
    ask->arg = arg;
    ask->wanted = xcalloc(set->count ? set->count : 1, sizeof(struct sweep_taken *));
    for (size_t i = 0; i < set->count; i++)
        if (set->taken[i].sid[0] && !set->taken[i].waits)
            ask->wanted[ask->count++] = &set->taken[i];
    if (ask->count == 0) {
        sweep_ask_free(ask);
        return NULL;
    }
    ask->left = ask->count;
    qsort(ask->wanted, ask->count, sizeof(struct sweep_taken *), by_sid);
    if (set->may_list && ask->count >= LIST_MIN)
        begin_list(ask);
    else
        fetch_more(ask);
    return ask;
}

void sweep_ask_free(struct sweep_ask *ask)
{
    if (!ask)
        return;
    free(ask->wanted);
    free(ask);
}
