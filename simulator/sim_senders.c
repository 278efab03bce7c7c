#include "sim_senders.h"
#include "sim_index.h"
#include "sim_store.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, PACIFIC_S = -8 * 3600, HISTORY_MAX = 8 };

static const int64_t whatsapp_wait_us = 4LL * 3600 * 1000000;

struct sender {
    const char *name;
    int64_t free_us;  // when everything in its queue has left
    int64_t day;      // that day_segments counts
    int64_t day_segments;
    uint64_t picked;  // the count of picks when it was picked last
};

struct sim_senders {
    const struct sim_store *store;
    struct sim_senders_rates rates;
    bool is_limited;  // any rate or cap at all
    struct sender *senders;
    size_t count, room;
    struct sim_index by_name;
    uint64_t picks;
};

struct name_key {
    const struct sim_senders *senders;
    const char *name;
};

struct sim_senders *sim_senders_new(const struct sim_store *store)
{
    struct sim_senders *s = xcalloc(1, sizeof(*s));
    s->store = store;
    return s;
}

void sim_senders_clear(struct sim_senders *s)
{
    sim_index_free(&s->by_name);
    s->count = 0;
    s->picks = 0;
}

void sim_senders_free(struct sim_senders *s)
{
    if (!s)
        return;
    sim_senders_clear(s);
    free(s->senders);
    free(s);
}

void sim_senders_set_rates(struct sim_senders *s, const struct sim_senders_rates *r)
{
    s->rates = *r;
    s->is_limited = r->long_code || r->long_code_abroad || r->toll_free ||
                    r->short_code || r->alphanumeric || r->whatsapp || r->segments_day;
}

static bool is_named(const void *arg, uint32_t number)
{
    const struct name_key *key = arg;
    return strcmp(key->senders->senders[number - 1].name, key->name) == 0;
}

static struct sender *find(const struct sim_senders *s, const char *name)
{
    struct name_key key = { s, name };
    uint32_t number = sim_index_find(&s->by_name, sim_index_hash(0, name, strlen(name)),
                                     is_named, &key);

    return number ? &s->senders[number - 1] : NULL;
}

static struct sender *find_or_add(struct sim_senders *s, const char *name)
{
    struct name_key key = { s, name };
    struct sender *known = find(s, name);

    if (known)
        return known;
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->senders = xrealloc(s->senders, s->room * sizeof(*s->senders));
    }
    s->senders[s->count++] = (struct sender){ .name = name };
    (void)sim_index_put(&s->by_name, sim_index_hash(0, name, strlen(name)),
                        (uint32_t)s->count, is_named, &key);
    return &s->senders[s->count - 1];
}

static bool is_toll_free(const char *number)
{
    static const char *const codes[] = {
        "800", "833", "844", "855", "866", "877", "888"
    };

    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (strncmp(number, "+1", 2) == 0 && strncmp(number + 2, codes[i], 3) == 0)
            return true;
    return false;
}

static bool is_whatsapp(const char *address)
{
    return strncmp(address, "whatsapp:", strlen("whatsapp:")) == 0;
}

// Segments per second, 0 without a limit.
static int64_t rate_of(const struct sim_senders *s, const char *from, const char *to)
{
    if (is_whatsapp(from))
        return s->rates.whatsapp;
    if (from[0] != '+')
        return strspn(from, "0123456789") == strlen(from) ? s->rates.short_code
                                                          : s->rates.alphanumeric;
    if (is_toll_free(from))
        return s->rates.toll_free;
    return strncmp(from, "+1", 2) == 0 && strncmp(to, "+1", 2) == 0
               ? s->rates.long_code
               : s->rates.long_code_abroad;
}

static int64_t wait_max_us(const struct sim_senders *s, const char *from)
{
    bool is_short = is_whatsapp(from) && s->rates.wait_max_us > whatsapp_wait_us;

    return is_short ? whatsapp_wait_us : s->rates.wait_max_us;
}

static int64_t busy_us(int64_t rate, int segments)
{
    return rate ? (int64_t)segments * 1000000 / rate : 0;
}

bool sim_senders_has_room(const struct sim_senders *s, const char *from, const char *to,
                          int segments, int64_t at_us)
{
    const struct sender *known = s->is_limited ? find(s, from) : NULL;
    int64_t rate = known ? rate_of(s, from, to) : 0;

    if (rate == 0 || known->free_us <= at_us)
        return true;
    return known->free_us - at_us + busy_us(rate, segments) <= wait_max_us(s, from);
}

static bool is_capped(const struct sim_senders *s, struct sender *sender, int segments,
                      int64_t start_us)
{
    int64_t day = (start_us / 1000000 + PACIFIC_S) / DAY_S;

    if (s->rates.segments_day == 0)
        return false;
    if (sender->day != day)
        sender->day_segments = 0;
    sender->day = day;
    return sender->day_segments + segments > s->rates.segments_day;
}

enum sim_senders_verdict sim_senders_enter(struct sim_senders *s,
                                           const struct sim_message *m, int64_t at_us,
                                           int64_t valid_us, int64_t *start_us)
{
    *start_us = at_us;
    if (!s->is_limited)
        return SIM_SENDERS_LEAVES;
    struct sender *sender = find_or_add(s, m->from);
    int64_t rate = rate_of(s, m->from, sim_message_to(m));

    if (rate && sender->free_us > at_us)
        *start_us = sender->free_us;
    if (!sim_senders_has_room(s, m->from, sim_message_to(m), m->segments, at_us))
        return SIM_SENDERS_FULL;
    if (*start_us - at_us > valid_us)
        return SIM_SENDERS_EXPIRES;
    if (is_capped(s, sender, m->segments, *start_us))
        return SIM_SENDERS_CAPPED;
    sender->day_segments += m->segments;
    sender->free_us = *start_us + busy_us(rate, m->segments);
    return SIM_SENDERS_LEAVES;
}

// Returns the sender of an earlier message of the same service to the same recipient,
// as it stands in pool; NULL without one.
static const char *find_last(const struct sim_senders *s, const struct sim_message *m,
                             const char *const *pool, size_t count)
{
    uint32_t number = m->older_to;

    for (int left = HISTORY_MAX; number && left > 0; left--) {
        const struct sim_message *old = sim_store_get(s->store, number);
        number = old->older_to;
        if (!old->from || !sim_message_service(old) || !sim_message_service(m) ||
            strcmp(sim_message_service(old), sim_message_service(m)) != 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (strcmp(pool[i], old->from) == 0)
                return pool[i];
    }
    return NULL;
}

const char *sim_senders_pick(struct sim_senders *s, const struct sim_message *m,
                             const char *const *pool, size_t count, int64_t at_us)
{
    if (count == 1)
        return pool[0];
    const char *last = find_last(s, m, pool, count);
    if (last)
        return last;
    size_t best = 0;
    int64_t best_us = INT64_MAX;
    uint64_t best_picked = 0;

    for (size_t i = 0; i < count; i++) {
        const struct sender *sender = find_or_add(s, pool[i]);
        int64_t free_us = sender->free_us > at_us ? sender->free_us : at_us;
        if (free_us < best_us || (free_us == best_us && sender->picked < best_picked)) {
            best = i;
            best_us = free_us;
            best_picked = sender->picked;
        }
    }
    find_or_add(s, pool[best])->picked = ++s->picks;
    return pool[best];
}
