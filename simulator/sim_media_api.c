// sim_media_api.c: what belongs to one message: its media, and feedback about it.
#include "sim_clock.h"
#include "sim_dates.h"
#include "sim_json.h"
#include "sim_messages_api.h"
#include "sim_page.h"
#include "sim_request.h"
#include "simulator.h"

#include <stdio.h>
#include <string.h>

enum { URI_BYTES = 192 };

static void media_sid(const struct sim_request *r, const struct sim_message *m, size_t i,
                      char out[SIM_SIDS_TEXT_BYTES])
{
    sim_sids_other(r->sim->sids, "ME", (uint64_t)m->number << 8 | i, out);
}

const char *sim_media_type(const char *url)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        { ".png", "image/png" },  { ".gif", "image/gif" },       { ".mp4", "video/mp4" },
        { ".mp3", "audio/mpeg" }, { ".pdf", "application/pdf" }, { ".vcf", "text/vcard" },
    };
    size_t len = strcspn(url, "?#");

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        size_t end = strlen(types[i].end);
        if (len > end && memcmp(url + len - end, types[i].end, end) == 0)
            return types[i].type;
    }
    return "image/jpeg";
}

static void add_medium(struct sim_request *r, const struct sim_message *m, size_t i)
{
    char sid[SIM_SIDS_TEXT_BYTES], parent[SIM_SIDS_TEXT_BYTES], uri[URI_BYTES];

    media_sid(r, m, i, sid);
    sim_message_sid(parent, r->sim->sids, m);
    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/Messages/%s/Media/%s.json",
                   r->account->sid, parent, sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "sid", sid);
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "parent_sid", parent);
    sim_json_text(r->out, "content_type", sim_media_type(sim_message_media(m, i)));
    sim_json_date_member(r->out, "date_created", m->created_us);
    sim_json_date_member(r->out, "date_updated", m->created_us);
    sim_json_text(r->out, "uri", uri);
    buf_add_char(r->out, '}');
}

static bool is_there(const struct sim_message *m, size_t i)
{
    return !(m->media_gone & 1u << i);
}

// All media of a message are of its moment, so the filters take all or none.
static enum outcome read_dates(struct sim_request *r, struct sim_page *page,
                               const struct sim_message *m, bool *is_wanted,
                               struct sim_error *error)
{
    static const char *const names[] = { "DateCreated", "DateCreated<", "DateCreated>" };
    static const int64_t day_us = 86400LL * 1000000;

    *is_wanted = true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = sim_page_filter(page, r->http, names[i]);
        int64_t at_us = 0;
        bool is_day = false;
        if (!value)
            continue;
        if (!sim_dates_parse(&at_us, &is_day, value, strlen(value)))
            return sim_error_code(error, 20001,
                                  (struct sim_text){ value, strlen(value) });
        if ((i == 0 && m->created_us / day_us != at_us / day_us) ||
            (i == 1 && m->created_us > at_us) || (i == 2 && m->created_us < at_us))
            *is_wanted = false;
    }
    return OUTCOME_OK;
}

enum outcome sim_media_list(struct sim_request *r, struct sim_error *error)
{
    const struct sim_message *m = sim_messages_find(r);
    struct sim_page page;
    size_t there[SIM_MESSAGE_MEDIA_MAX], count = 0;
    bool is_wanted = false;

    if (!m)
        return sim_request_not_found(r, error);
    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (!rc)
        rc = read_dates(r, &page, m, &is_wanted, error);
    if (rc)
        return rc;
    for (size_t i = 0; is_wanted && i < m->media_count; i++)
        if (is_there(m, i))
            there[count++] = i;
    buf_add_text(r->out, "{\"media_list\":[");
    for (size_t i = sim_page_first(&page, count); i < sim_page_end(&page, count); i++) {
        if (i > sim_page_first(&page, count))
            buf_add_char(r->out, ',');
        add_medium(r, m, there[i]);
    }
    buf_add_char(r->out, ']');
    sim_page_close(r->out, &page, count);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

// Finds the medium whose SID is the third '*' of the path.
static struct sim_message *find_medium(const struct sim_request *r, size_t *place)
{
    struct sim_message *m = sim_messages_find(r);
    char sid[SIM_SIDS_TEXT_BYTES];

    for (size_t i = 0; m && i < m->media_count; i++) {
        media_sid(r, m, i, sid);
        if (!is_there(m, i) || strcmp(sid, r->ids[2]) != 0)
            continue;
        *place = i;
        return m;
    }
    return NULL;
}

enum outcome sim_media_fetch(struct sim_request *r, struct sim_error *error)
{
    size_t i = 0;
    const struct sim_message *m = find_medium(r, &i);

    if (!m)
        return sim_request_not_found(r, error);
    add_medium(r, m, i);
    return OUTCOME_OK;
}

enum outcome sim_media_delete(struct sim_request *r, struct sim_error *error)
{
    size_t i = 0;
    struct sim_message *m = find_medium(r, &i);

    if (!m)
        return sim_request_not_found(r, error);
    m->media_gone = (uint16_t)(m->media_gone | 1u << i);
    r->status = 204;
    return OUTCOME_OK;
}

// Twilio sends those who ask for the content on to where it is.
enum outcome sim_media_content(struct sim_request *r, struct sim_error *error)
{
    size_t i = 0;
    const struct sim_message *m = find_medium(r, &i);

    if (!m)
        return sim_request_not_found(r, error);
    r->status = 307;
    r->location = sim_message_media(m, i);
    return OUTCOME_OK;
}

enum outcome sim_feedback_create(struct sim_request *r, struct sim_error *error)
{
    const struct sim_message *m = sim_messages_find(r);
    const struct form_pair *pair = form_find(&r->form, "Outcome");
    struct sim_text outcome = { "confirmed", 9 };
    char sid[SIM_SIDS_TEXT_BYTES], uri[URI_BYTES];

    if (!m)
        return sim_request_not_found(r, error);
    if (pair)
        outcome = (struct sim_text){ pair->value, pair->value_len };
    if (!(outcome.len == 9 && memcmp(outcome.bytes, "confirmed", 9) == 0) &&
        !(outcome.len == 11 && memcmp(outcome.bytes, "unconfirmed", 11) == 0))
        return sim_request_bad_param(error, "Outcome");
    sim_message_sid(sid, r->sim->sids, m);
    (void)snprintf(uri, sizeof(uri),
                   "/" SIM_JSON_API_VERSION "/Accounts/%s/Messages/%s/Feedback.json",
                   r->account->sid, sid);
    buf_add_char(r->out, '{');
    sim_json_text(r->out, "account_sid", r->account->sid);
    sim_json_text(r->out, "message_sid", sid);
    sim_json_text_of(r->out, "outcome", outcome);
    sim_json_date_member(r->out, "date_created", sim_clock_now_us(r->sim->clock));
    sim_json_date_member(r->out, "date_updated", sim_clock_now_us(r->sim->clock));
    sim_json_text(r->out, "uri", uri);
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}
