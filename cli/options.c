#include "options.h"

#define END                                                                              \
    {                                                                                    \
        0                                                                                \
    }

#define SCOPES "send_sms|view_sms_history|view_dashboard|admin"

const struct option send_options[] = {
    { "message", "TEXT", "the text; wanted", NULL, false },
    { "from", "SENDER", "instead of the default sender", NULL, false },
    { "class", "CLASS", "otp, emergency, transactional (default) or marketing",
      "otp|emergency|transactional|marketing", false },
    { "reference", "WORD", "your own word for it", NULL, false },
    { "at", "TIME",
      "send it then, 35 days ahead at most: 2026-11-21T18:00:00Z, or with an offset like "
      "+01:00",
      NULL, false },
    { "expires-in", "SECONDS", "for how long it is worth sending", NULL, false },
    { "region", "CC", "country of a number without a country code", NULL, false },
    { "if-in-doubt", "WHAT",
      "send-again: once more if nobody can say whether it went out; transactional only",
      "send-again", false },
    { "idempotency-key", "KEY", "makes repeats of the command one message", NULL, false },
    { "wait", "SECONDS", "wait so long, 30 at most, for Twilio's SID", NULL, false },
    END,
};

const struct option reschedule_options[] = {
    { "at", "TIME", "the new time, 2026-11-21T18:00:00Z or with an offset; wanted", NULL,
      false },
    END,
};

const struct option token_create_options[] = {
    { "client", "NAME", "who uses it; made when it is new; wanted", NULL, false },
    { "scope", "SCOPE", "what it may do; at least one", SCOPES, true },
    { "mode", "MODE",
      "the most its messages may do: simulate, listed (sent to the listed numbers only) "
      "or "
      "live (default)",
      "simulate|listed|live", false },
    { "rate", "COUNT",
      "requests per minute, 0 = no limit; else RATE_LIMIT_PER_MINUTE of the producer "
      "counts",
      NULL, false },
    { "expires-days", "DAYS", "it stops working after so many days", NULL, false },
    END,
};

const struct option token_list_options[] = {
    { "client", "NAME", "only those of this client", NULL, false },
    { "all", NULL, "also those that are revoked or expired", NULL, false },
    END,
};

#define LETTER_FILTERS                                                                   \
    { "reason", "WORD", "only of this reason: bad_record and the like", NULL, false },   \
        { "topic", "TOPIC", "only from this topic", NULL, false },                       \
        { "since", "TIME",                                                               \
          "only buried at this time or later: 2026-11-21, 2026-11-21T10:00:00Z, 2h",     \
          NULL, false },                                                                 \
        { "until", "TIME", "only buried before this time", NULL, false },                \
        { "message", "ID", "only about this message", NULL, false },                     \
    {                                                                                    \
        "client", "NUMBER", "only of the client with this number", NULL, false           \
    }

#define STATES "waiting|replayed|purged|any"

const struct option dlq_list_options[] = {
    LETTER_FILTERS,
    { "state", "STATE", "waiting (default), replayed, purged or any", STATES, false },
    { "limit", "COUNT", "at most so many; 50 by default", NULL, false },
    { "before", "LETTER", "only letters with a smaller number: the next page", NULL,
      false },
    END,
};

const struct option dlq_show_options[] = {
    { "payload", NULL, "show key and value too; they may hold numbers and texts", NULL,
      false },
    END,
};

const struct option dlq_replay_options[] = {
    LETTER_FILTERS,
    { "all", NULL, "all that wait, if no filter is given", NULL, false },
    { "again", NULL, "also letters that were replayed before", NULL, false },
    { "dry-run", NULL, "count what would be replayed, and change nothing", NULL, false },
    END,
};

const struct option dlq_purge_options[] = {
    LETTER_FILTERS,
    { "state", "STATE", "waiting, replayed or any (default)", "waiting|replayed|any",
      false },
    { "all", NULL, "all of them, if no filter is given", NULL, false },
    { "dry-run", NULL, "count what would be purged, and change nothing", NULL, false },
    { "yes", NULL, "do not ask", NULL, false },
    END,
};

const struct option switch_options[] = {
    { "reason", "TEXT", "why, for those who look at it later", NULL, false },
    END,
};

#define CLASSES "otp|emergency|transactional|marketing"

const struct option doubt_list_options[] = {
    { "class", "CLASS", "only of this class", CLASSES, false },
    { "older", "TIME", "only in doubt since before that: 20m, 2h, 2026-11-21T10:00:00Z",
      NULL, false },
    END,
};

const struct option doubt_resend_options[] = {
    { "reason", "TEXT", "why, for smsq explain", NULL, false },
    END,
};

const struct option doubt_close_options[] = {
    { "as", "WHAT", "expired, unknown or sent; wanted", "expired|unknown|sent", false },
    { "sid", "SID", "Twilio's SID of it, with --as sent", NULL, false },
    { "reason", "TEXT", "why, for smsq explain", NULL, false },
    END,
};

#define ACTIONS "refuse|retry|slow_down|stop_sender|stop_account|unknown"

const struct option codes_list_options[] = {
    { "action", "ACTION", "only codes with this action", ACTIONS, false },
    { "changed", NULL, "only codes that somebody changed", NULL, false },
    END,
};

const struct option codes_set_options[] = {
    { "action", "ACTION", "what smsq does when it meets the code", ACTIONS, false },
    { "least-wait", "SECONDS", "another try waits at least so long; 0 = no least wait",
      NULL, false },
    { "tries", "COUNT", "a message ends after so many failures; 0 = as its class says",
      NULL, false },
    { "opt-out", "YES", "whether the recipient wants no more messages", "yes|no", false },
    { "meaning", "TEXT", "what happened, in a sentence", NULL, false },
    { "advice", "TEXT", "what to do, in a sentence", NULL, false },
    END,
};
