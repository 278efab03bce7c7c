#include "sim_fault_kinds.h"

#include <string.h>

#define SECONDS(n) ((n)*INT64_C(1000000))
#define ROW(kind_, name, magic, help, ...)                                               \
    [SIM_FAULT_##kind_] = { name, magic, { SIM_FAULT_##kind_, __VA_ARGS__ }, help }
#define CREATE   .on = SIM_FAULT_ON_CREATE
#define CALLBACK .on = SIM_FAULT_ON_CALLBACK
#define MESSAGE  .on = SIM_FAULT_ON_MESSAGE

const struct sim_fault_row sim_fault_rows[SIM_FAULT_KINDS] = {
    ROW(SLOW, "slow", 1, "answered after delay", CREATE, .accepts = true,
        .delay_us = SECONDS(2)),
    ROW(HANG, "hang", 2, "no answer; the connection ends after delay", CREATE,
        .accepts = true, .delay_us = SECONDS(60)),
    ROW(CUT, "cut", 3, "the connection ends without an answer", CREATE, .accepts = true),
    ROW(RESET, "reset", 4, "the connection is reset without an answer", CREATE),
    ROW(CUT_REUSED, "cut_reused", 5,
        "a connection that had an answer before ends without one", CREATE,
        .accepts = true),
    ROW(ERROR, "error", 6, "an error of that status", CREATE, .status = 500),
    ROW(HTML, "html", 7, "an error page of a proxy, of that status", CREATE,
        .status = 502),
    ROW(MALFORMED, "malformed", 8, "201 with something that is not JSON", CREATE,
        .accepts = true),
    ROW(TRUNCATED, "truncated", 9, "half the answer, then the connection ends", CREATE,
        .accepts = true),
    ROW(HUGE, "huge", 10, "an answer that long", CREATE, .accepts = true,
        .bytes = 10 << 20),
    ROW(WRONG_TYPE, "wrong_type", 11, "the answer as text/plain", CREATE,
        .accepts = true),
    ROW(NO_SID, "no_sid", 12, "201 without a SID", CREATE, .accepts = true),
    ROW(REDIRECT, "redirect", 13, "307 to another host", CREATE),
    ROW(OVERTAKEN, "overtaken", 14,
        "the answer waits for the first callback, delay at most", CREATE, .accepts = true,
        .delay_us = SECONDS(5)),
    ROW(EMPTY_LIST, "empty_list", 15, "a list without messages", .on = SIM_FAULT_ON_LIST,
        .accepts = true),
    ROW(LOST, "lost", 20, "the callback never comes", CALLBACK),
    ROW(LATE, "late", 21, "the callback comes after delay", CALLBACK,
        .delay_us = SECONDS(2)),
    ROW(REPEATED, "repeated", 22, "the callback comes that many times", CALLBACK,
        .times = 2),
    ROW(WRONG_SIGNATURE, "wrong_signature", 23, "the callback's signature is wrong",
        CALLBACK),
    ROW(UNREACHABLE, "unreachable", 24, "that many tries find nobody", CALLBACK,
        .times = 1),
    ROW(UNHEARD, "unheard", 25, "that many tries arrive, but their answer is not heard",
        CALLBACK, .times = 1),
    ROW(REORDERED, "reordered", 26, "the callbacks come last status first", MESSAGE),
    ROW(FAILED, "failed", 30, "fails with error_code instead of being sent", MESSAGE,
        .code = 30008),
    ROW(UNDELIVERED, "undelivered", 31, "is sent and billed, then fails with error_code",
        MESSAGE, .code = 30003),
    ROW(STUCK, "stuck", 32, "stays sent", MESSAGE),
};

const struct sim_fault_row *sim_fault_row_find(const char *name)
{
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        if (strcmp(sim_fault_rows[i].name, name) == 0)
            return &sim_fault_rows[i];
    return NULL;
}

const struct sim_fault_row *sim_fault_row_magic(const char *to)
{
    static const char prefix[] = SIM_FAULT_MAGIC_PREFIX;
    const char *end = to + sizeof(prefix) - 1;

    if (strncmp(to, prefix, sizeof(prefix) - 1) != 0 || strlen(end) != 2)
        return NULL;
    int magic = (end[0] - '0') * 10 + (end[1] - '0');
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        if (sim_fault_rows[i].magic == magic)
            return &sim_fault_rows[i];
    return NULL;
}

static const struct {
    const char *word;
    unsigned on;
} words[] = {
    { "create", SIM_FAULT_ON_CREATE },     { "fetch", SIM_FAULT_ON_FETCH },
    { "list", SIM_FAULT_ON_LIST },         { "request", SIM_FAULT_ON_REQUEST },
    { "callback", SIM_FAULT_ON_CALLBACK }, { "message", SIM_FAULT_ON_MESSAGE },
};

unsigned sim_fault_on_read(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].on;
    return 0;
}

const char *sim_fault_on_word(unsigned on)
{
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (words[i].on == on)
            return words[i].word;
    return "";
}
