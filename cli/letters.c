#include "letters.h"

#include "command.h"
#include "message_id.h"
#include "timestamp.h"

#include <stdio.h>
#include <string.h>

enum { TIME_TEXT_BYTES = 64, IDS_MAX_BYTES = 4096, DAY_TEXT_LEN = 10 };

bool letters_time(struct buf *out, const char *text)
{
    char day[TIME_TEXT_BYTES];
    int64_t us;

    if (settings_parse_us(text, &us)) {
        buf_add_time(out, clock_wall_us() - us);
        return !out->failed;
    }
    if (strlen(text) == DAY_TEXT_LEN) {
        (void)snprintf(day, sizeof(day), "%sT00:00:00Z", text);
        text = day;
    }
    if (!timestamp_parse(&us, text, strlen(text)))
        return false;
    buf_add_time(out, us);
    return true;
}

static bool add_number(struct buf *out, const char *text, size_t digits_max)
{
    size_t len = strlen(text);

    buf_add_text(out, text);
    return len > 0 && len <= digits_max && strspn(text, "0123456789") == len;
}

static enum outcome read_ids(struct letters_filter *f, const struct call *call,
                             struct err *err)
{
    for (size_t i = 0; i < call->positional_count; i++) {
        buf_add_char(&f->ids, i ? ',' : '{');
        if (!add_number(&f->ids, call->positionals[i], 18))
            return err_set(err, OUTCOME_REJECT,
                           "LETTER is a number; smsq dlq list shows it");
    }
    if (call->positional_count > 0) {
        buf_add_char(&f->ids, '}');
        f->values[0] = buf_text(&f->ids);
    }
    return OUTCOME_OK;
}

static enum outcome read_times(struct letters_filter *f, const struct call *call,
                               struct err *err)
{
    const char *since = call_text(call, "since"), *until = call_text(call, "until");

    if ((since && !letters_time(&f->since, since)) ||
        (until && !letters_time(&f->until, until)))
        return err_set(err, OUTCOME_REJECT,
                       "--since and --until want a time like 2h, 2026-11-21 or "
                       "2026-11-21T10:00:00Z");
    f->values[3] = since ? buf_text(&f->since) : NULL;
    f->values[4] = until ? buf_text(&f->until) : NULL;
    return OUTCOME_OK;
}

static enum outcome read_owners(struct letters_filter *f, const struct call *call,
                                struct err *err)
{
    const char *client = call_text(call, "client"), *id = call_text(call, "message");
    unsigned char bytes[MESSAGE_ID_BYTES];

    if (client && !add_number(&f->client, client, 9))
        return err_set(err, OUTCOME_REJECT, "--client wants the client's number");
    if (id && !message_id_parse(bytes, id, strlen(id)))
        return err_set(err, OUTCOME_REJECT, "--message wants a message's id");
    f->values[5] = id;
    f->values[6] = client ? buf_text(&f->client) : NULL;
    return OUTCOME_OK;
}

enum outcome letters_filter_read(struct letters_filter *out, const struct call *call,
                                 const char *states, struct err *err)
{
    *out = (struct letters_filter){ 0 };
    buf_init(&out->ids, IDS_MAX_BYTES);
    buf_init(&out->since, TIME_TEXT_BYTES);
    buf_init(&out->until, TIME_TEXT_BYTES);
    buf_init(&out->client, TIME_TEXT_BYTES);
    out->values[1] = call_text(call, "reason");
    out->values[2] = call_text(call, "topic");
    enum outcome rc = read_ids(out, call, err);
    if (!rc)
        rc = read_times(out, call, err);
    if (!rc)
        rc = read_owners(out, call, err);
    for (size_t i = 0; i < LETTERS_VALUES; i++)
        out->is_narrow = out->is_narrow || out->values[i];
    out->values[LETTERS_VALUES - 1] = states;
    return rc;
}

void letters_filter_free(struct letters_filter *f)
{
    buf_free(&f->ids);
    buf_free(&f->since);
    buf_free(&f->until);
    buf_free(&f->client);
}

int letters_change(const struct call *call, const char *states,
                   int (*change)(const struct call *call,
                                 const struct letters_filter *filter))
{
    struct letters_filter filter;
    struct err err = { 0 };
    int code;

    if (letters_filter_read(&filter, call, states, &err))
        code = command_usage(call, "%s", err.text);
    else if (!filter.is_narrow && !call_has(call, "all"))
        code = command_usage(call, "name letters, filters, or --all");
    else if (!command_has_database(call->set))
        code = EXIT_SETTINGS;
    else
        code = change(call, &filter);
    letters_filter_free(&filter);
    return code;
}

const char *letters_states(const char *state)
{
    if (strcmp(state, "waiting") == 0)
        return "{waiting}";
    if (strcmp(state, "replayed") == 0)
        return "{replayed}";
    if (strcmp(state, "purged") == 0)
        return "{purged}";
    return "{waiting,replayed,purged}";
}
