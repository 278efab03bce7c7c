#include "doubt_match.h"

#include <stdlib.h>
#include <string.h>

enum { TRUNCATION_US = 1000000 };  // Twilio cuts to seconds

bool doubt_fits(int64_t claimed_us, int64_t created_us, int64_t margin_us)
{
    return created_us >= claimed_us - margin_us - TRUNCATION_US &&
           created_us <= claimed_us + DOUBT_POST_MAX_US + margin_us;
}

static int by_claim(const void *a, const void *b)
{
    const struct doubt_try *x = a, *y = b;

    if (x->claimed_us != y->claimed_us)
        return x->claimed_us < y->claimed_us ? -1 : 1;
    return memcmp(x->message_id, y->message_id, sizeof(x->message_id));
}

static int by_turn(const void *a, const void *b)
{
    const struct doubt_pair *x = a, *y = b;
    return x->turn < y->turn ? -1 : x->turn > y->turn;
}

// The latest try that was claimed before the message was made, of those not given away;
// else the first that it fits. -1: none.
static int best_try(const struct doubt_try *tries, size_t count, const bool *given,
                    const struct provider_message *message, int64_t margin_us)
{
    int best = -1;

    for (size_t i = 0; i < count; i++) {
        if (given[i] || !doubt_fits(tries[i].claimed_us, message->created_us, margin_us))
            continue;
        if (best < 0 || tries[i].claimed_us - TRUNCATION_US <= message->created_us)
            best = (int)i;
    }
    return best;
}

static size_t match_ours(struct doubt_pair *pairs, const struct doubt_try *tries,
                         size_t try_count, const struct provider_message *messages,
                         size_t message_count, int64_t margin_us)
{
    bool given[DOUBT_TRIES_MAX] = { false };
    size_t count = 0;

    for (size_t i = message_count; i-- > 0;) {
        int at = best_try(tries, try_count, given, &messages[i], margin_us);
        if (at < 0)
            return 0;
        given[at] = true;
        pairs[count++] = (struct doubt_pair){ tries[at].turn, &messages[i] };
    }
    return count;
}

static size_t match_in_order(struct doubt_pair *pairs, const struct doubt_try *tries,
                             size_t count, const struct provider_message *messages)
{
    size_t ours = 0;

    for (size_t i = 0; i < count; i++)
        if (tries[i].turn > 0)
            pairs[ours++] =
                (struct doubt_pair){ tries[i].turn, &messages[count - 1 - i] };
    return ours;
}

size_t doubt_match(struct doubt_pair pairs[DOUBT_PAIRS_MAX], struct doubt_try *tries,
                   size_t try_count, const struct provider_message *messages,
                   size_t message_count, int64_t margin_us)
{
    size_t others = 0, count = 0;

    qsort(tries, try_count, sizeof(*tries), by_claim);
    for (size_t i = 0; i < try_count; i++)
        others += tries[i].turn == 0;
    if (others > 0 && message_count == try_count)
        count = match_in_order(pairs, tries, try_count, messages);
    else if (others == 0 && message_count <= try_count)
        count = match_ours(pairs, tries, try_count, messages, message_count, margin_us);
    qsort(pairs, count, sizeof(*pairs), by_turn);
    return count;
}
