#include "sim_optout.h"
#include "account.h"

#include <string.h>
#include <strings.h>

enum { WORD_MAX_BYTES = 16 };

static const struct {
    const char *word;
    enum sim_optout kind;
} words[] = {
    { "STOP", SIM_OPTOUT_STOP },        { "STOPALL", SIM_OPTOUT_STOP },
    { "UNSUBSCRIBE", SIM_OPTOUT_STOP }, { "CANCEL", SIM_OPTOUT_STOP },
    { "END", SIM_OPTOUT_STOP },         { "QUIT", SIM_OPTOUT_STOP },
    { "REVOKE", SIM_OPTOUT_STOP },      { "OPTOUT", SIM_OPTOUT_STOP },
    { "START", SIM_OPTOUT_START },      { "YES", SIM_OPTOUT_START },
    { "UNSTOP", SIM_OPTOUT_START },     { "HELP", SIM_OPTOUT_HELP },
    { "INFO", SIM_OPTOUT_HELP },
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum sim_optout sim_optout_read(struct sim_text body)
{
    while (body.len && is_blank(body.bytes[body.len - 1]))
        body.len--;
    while (body.len && is_blank(*body.bytes)) {
        body.bytes++;
        body.len--;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i].word) == body.len &&
            strncasecmp(words[i].word, body.bytes, body.len) == 0)
            return words[i].kind;
    return SIM_OPTOUT_NONE;
}

const char *sim_optout_type(enum sim_optout word)
{
    static const char *const types[] = { NULL, "STOP", "START", "HELP" };
    return types[word];
}

const char *sim_optout_apply(struct sim_pairs *stopped, enum sim_optout word,
                             const char *scope, const char *person, int64_t now_us)
{
    switch (word) {
    case SIM_OPTOUT_STOP:
        if (sim_pairs_get(stopped, scope, person))
            return NULL;  // told already
        sim_pairs_set(stopped, scope, person, now_us);
        return "You have successfully been unsubscribed. You will not receive any more "
               "messages from this number. Reply START to resubscribe.";
    case SIM_OPTOUT_START:
        if (!sim_pairs_get(stopped, scope, person))
            return NULL;  // "yes" is an ordinary answer of all others
        sim_pairs_set(stopped, scope, person, 0);
        return "You have successfully been re-subscribed to messages from this number. "
               "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May "
               "Apply.";
    case SIM_OPTOUT_HELP:
        return "Reply STOP to unsubscribe. Msg&Data Rates May Apply.";
    default:
        return NULL;
    }
}

bool sim_optout_is_handled(const struct sim_account *a, const char *sender)
{
    const char *type = account_sender_type(sender);

    if (!type || strcmp(type, "short_code") == 0)
        return a->has_advanced_opt_out;
    return strcmp(type, "number") == 0;
}
