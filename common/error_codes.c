#include "error_codes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct error_codes {
    struct error_code *rows;  // sorted by code; their texts are ours
    size_t count;
};

static const char *const names[ERROR_ACTION_COUNT] = {
    [ERROR_NONE] = "none",
    [ERROR_REFUSE] = "refuse",
    [ERROR_RETRY] = "retry",
    [ERROR_SLOW_DOWN] = "slow_down",
    [ERROR_STOP_SENDER] = "stop_sender",
    [ERROR_STOP_ACCOUNT] = "stop_account",
    [ERROR_UNKNOWN] = "unknown",
};

struct error_codes *error_codes_new(void)
{
    return xcalloc(1, sizeof(struct error_codes));
}

static void empty(struct error_codes *codes)
{
    for (size_t i = 0; i < codes->count; i++) {
        free((char *)(uintptr_t)codes->rows[i].meaning);
        free((char *)(uintptr_t)codes->rows[i].advice);
    }
    free(codes->rows);
}

void error_codes_free(struct error_codes *codes)
{
    if (!codes)
        return;
    empty(codes);
    free(codes);
}

void error_codes_replace(struct error_codes *codes, const struct error_code *rows,
                         size_t count)
{
    empty(codes);
    codes->rows = xcalloc(count ? count : 1, sizeof(*codes->rows));
    codes->count = count;
    for (size_t i = 0; i < count; i++) {
        codes->rows[i] = rows[i];
        codes->rows[i].meaning = xmemdup0(rows[i].meaning, strlen(rows[i].meaning));
        codes->rows[i].advice = xmemdup0(rows[i].advice, strlen(rows[i].advice));
    }
}

static int compare(const void *key, const void *row)
{
    int32_t a = *(const int32_t *)key, b = ((const struct error_code *)row)->code;
    return (a > b) - (a < b);
}

const struct error_code *error_codes_find(const struct error_codes *codes, int32_t code)
{
    if (codes->count == 0)
        return NULL;
    return bsearch(&code, codes->rows, codes->count, sizeof(*codes->rows), compare);
}

size_t error_codes_count(const struct error_codes *codes)
{
    return codes->count;
}

const char *error_action_name(enum error_action action)
{
    return names[action];
}

enum error_action error_action_find(const char *word)
{
    for (enum error_action action = ERROR_REFUSE; action < ERROR_ACTION_COUNT; action++)
        if (strcmp(names[action], word) == 0)
            return action;
    return ERROR_NONE;
}
