#include "status.h"

#include <string.h>

static const struct {
    const char *word;   // Twilio's
    const char *inner;  // ours
    int rank;
} provider_statuses[] = {
    { "queued", "queued", RANK_QUEUED },
    { "sent", "sent", RANK_SENT },
    { "delivered", "delivered", RANK_DELIVERED },
    { "accepted", "queued", RANK_QUEUED },
    { "scheduled", "queued", RANK_QUEUED },
    { "sending", "sending", RANK_SENDING },
    { "partially_delivered", "partially_delivered", 65 },
    { "failed", "failed", RANK_FAILED },
    { "canceled", "canceled", 71 },
    { "undelivered", "undelivered", 72 },
    { "read", "read", 80 },
};

int status_rank(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(provider_statuses); i++)
        if (strcmp(provider_statuses[i].word, word) == 0)
            return provider_statuses[i].rank;
    return -1;
}

const char *status_of_provider(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(provider_statuses); i++)
        if (strcmp(provider_statuses[i].word, word) == 0)
            return provider_statuses[i].inner;
    return NULL;
}

static const char *waiting_shown(const char *kind)
{
    if (kind && strcmp(kind, "schedule") == 0)
        return "scheduled";
    if (kind && strcmp(kind, "hold") == 0)
        return "held";
    return "queued";
}

const char *status_shown(const char *status, const char *kind)
{
    static const struct {
        const char *status, *shown;
    } renamed[] = {
        { "claimed", "queued" },
        { "in_doubt", "sending" },
        { "timed_out", "sent" },
        { "partially_delivered", "delivered" },
    };

    if (strcmp(status, "waiting") == 0)
        return waiting_shown(kind);
    for (size_t i = 0; i < COUNT_OF(renamed); i++)
        if (strcmp(renamed[i].status, status) == 0)
            return renamed[i].shown;
    return status;
}
