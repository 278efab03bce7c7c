#include "breaker.h"

#include <string.h>

enum { SECOND_US = 1000000 };

enum breaker_way breaker_way(const struct breaker *b, int64_t now_us)
{
    if (b->state == BREAKER_CLOSED)
        return BREAKER_PASS;
    bool may_probe = b->state == BREAKER_OPEN && !b->probing && b->permit_us &&
                     now_us - b->permit_us < BREAKER_PERMIT_US;
    return may_probe ? BREAKER_PROBE : BREAKER_HOLD;
}

void breaker_begin(struct breaker *b)
{
    b->probing = true;
}

void breaker_set(struct breaker *b, enum breaker_state state, int64_t now_us)
{
    if (b->state == state)
        return;
    b->state = state;
    b->permit_us = 0;
    b->changed_us = now_us;
    memset(b->window, 0, sizeof(b->window));
}

static void note(struct breaker *b, enum breaker_word word, int64_t now_us)
{
    int64_t second = now_us / SECOND_US;
    struct breaker_second *s = &b->window[second % BREAKER_WINDOW_S];

    if (s->second != second)
        *s = (struct breaker_second){ .second = second };
    s->answers++;
    s->unreached += word == BREAKER_UNREACHED;
    s->doubts += word == BREAKER_DOUBT;
}

static bool is_storm(const struct breaker *b, int64_t now_us)
{
    int64_t oldest = now_us / SECOND_US - BREAKER_WINDOW_S + 1;
    uint32_t answers = 0, unreached = 0, doubts = 0;

    for (size_t i = 0; i < BREAKER_WINDOW_S; i++) {
        const struct breaker_second *s = &b->window[i];
        if (s->second < oldest)
            continue;
        answers += s->answers;
        unreached += s->unreached;
        doubts += s->doubts;
    }
    return (answers >= BREAKER_STORM_MIN && 2 * doubts > answers) ||
           (unreached >= BREAKER_UNREACHED_MIN && 2 * unreached > answers);
}

static enum breaker_change hear_probe(struct breaker *b, enum breaker_word word,
                                      int64_t now_us)
{
    if (word == BREAKER_NOTHING)
        return BREAKER_STAYS;
    b->permit_us = 0;
    if (word != BREAKER_WELL)
        return BREAKER_FAILS;
    breaker_set(b, BREAKER_CLOSED, now_us);
    return BREAKER_CLOSES;
}

enum breaker_change breaker_hear(struct breaker *b, enum breaker_word word, bool is_probe,
                                 int64_t began_us, int64_t now_us)
{
    if (is_probe)
        b->probing = false;
    if (is_probe && b->state == BREAKER_OPEN)
        return hear_probe(b, word, now_us);
    if (b->state != BREAKER_CLOSED || word == BREAKER_NOTHING || began_us < b->changed_us)
        return BREAKER_STAYS;
    note(b, word, now_us);
    if (word != BREAKER_REFUSED && (word == BREAKER_WELL || !is_storm(b, now_us)))
        return BREAKER_STAYS;
    breaker_set(b, BREAKER_OPEN, now_us);
    return BREAKER_OPENS;
}
