#include "sim_json.h"
#include "buf.h"
#include "sim_accounts.h"
#include "sim_codes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void sim_json_date(char out[SIM_JSON_DATE_BYTES], int64_t utc_s)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)utc_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(out, SIM_JSON_DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u +0000",
                   days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
                   months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
                   (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
                   (unsigned)tm.tm_sec % 100);
}

void sim_json_iso(char out[SIM_JSON_DATE_BYTES], int64_t utc_s)
{
    time_t seconds = (time_t)utc_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(out, SIM_JSON_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void add_name(struct buf *out, const char *name)
{
    if (out->len && out->bytes[out->len - 1] != '{')
        buf_add_char(out, ',');
    buf_add_char(out, '"');
    buf_add_text(out, name);
    buf_add_text(out, "\":");
}

void sim_json_text_of(struct buf *out, const char *name, struct sim_text text)
{
    add_name(out, name);
    buf_add_json_string(out, text.bytes, text.len);
}

void sim_json_text(struct buf *out, const char *name, const char *text)
{
    if (text) {
        sim_json_text_of(out, name, (struct sim_text){ text, strlen(text) });
        return;
    }
    add_name(out, name);
    buf_add_text(out, "null");
}

void sim_json_bool(struct buf *out, const char *name, bool value)
{
    add_name(out, name);
    buf_add_text(out, value ? "true" : "false");
}

void sim_json_date_member(struct buf *out, const char *name, int64_t utc_us)
{
    char date[SIM_JSON_DATE_BYTES];

    sim_json_date(date, utc_us / 1000000);
    sim_json_text(out, name, utc_us ? date : NULL);
}

void sim_json_iso_member(struct buf *out, const char *name, int64_t utc_us)
{
    char date[SIM_JSON_DATE_BYTES];

    sim_json_iso(date, utc_us / 1000000);
    sim_json_text(out, name, utc_us ? date : NULL);
}

// Appends the quoted date, or null. Most dates in a row are of the same second.
static void add_date(struct buf *out, struct sim_json *j, int64_t utc_s)
{
    if (utc_s == 0) {
        buf_add_text(out, "null");
        return;
    }
    if (utc_s != j->date_s) {
        sim_json_date(j->date, utc_s);
        j->date_s = utc_s;
    }
    buf_add_char(out, '"');
    buf_add_text(out, j->date);
    buf_add_char(out, '"');
}

void sim_json_price(struct buf *out, int64_t cost_micros)
{
    int64_t rest = cost_micros % 1000000;

    buf_addf(out, "\"-%" PRId64, cost_micros / 1000000);
    if (rest % 10)
        buf_addf(out, ".%06" PRId64 "\"", rest);
    else
        buf_addf(out, ".%05" PRId64 "\"", rest / 10);
}

// Appends "name":"text", or null for NULL; both parts need no escapes.
static void add_plain(struct buf *out, const char *name, const char *text)
{
    buf_add_text(out, name);
    if (!text) {
        buf_add_text(out, "null");
        return;
    }
    buf_add_char(out, '"');
    buf_add_text(out, text);
    buf_add_char(out, '"');
}

static const char *account_sid(const struct sim_json *j, const struct sim_message *m)
{
    return sim_accounts_at(j->accounts, m->account)->sid;
}

static void add_uri(struct buf *out, const struct sim_json *j,
                    const struct sim_message *m, const char *sid, const char *rest)
{
    buf_add_text(out, "\"/" SIM_JSON_API_VERSION "/Accounts/");
    buf_add_text(out, account_sid(j, m));
    buf_add_text(out, "/Messages/");
    buf_add_text(out, sid);
    buf_add_text(out, rest);
    buf_add_char(out, '"');
}

static void add_outcome(struct buf *out, const struct sim_json *j,
                        const struct sim_message *m, bool at_create)
{
    int code = at_create ? 0 : sim_message_error_code(m);

    add_plain(out, ",\"direction\":", sim_message_direction_word(m));
    buf_add_text(out, ",\"api_version\":\"" SIM_JSON_API_VERSION "\",\"price\":");
    if (m->price_known && !at_create)
        sim_json_price(out, m->cost_micros - m->fee_micros);
    else
        buf_add_text(out, "null");
    add_plain(out, ",\"price_unit\":", j->currency);
    if (code == 0) {
        buf_add_text(out, ",\"error_code\":null,\"error_message\":null");
        return;
    }
    buf_add_text(out, ",\"error_code\":");
    buf_add_int(out, code);
    add_plain(out, ",\"error_message\":", sim_codes_title(code));
}

static void add_uris(struct buf *out, const struct sim_json *j,
                     const struct sim_message *m, const char *sid, bool at_create)
{
    buf_add_text(out, ",\"uri\":");
    add_uri(out, j, m, sid, ".json");
    buf_add_text(out, ",\"subresource_uris\":{\"media\":");
    add_uri(out, j, m, sid, "/Media.json");
    if (!at_create) {
        buf_add_text(out, ",\"feedback\":");
        add_uri(out, j, m, sid, "/Feedback.json");
    }
    buf_add_text(out, "}}");
}

void sim_json_message(struct buf *out, struct sim_json *j, const struct sim_message *m,
                      bool at_create)
{
    enum sim_status first = sim_message_first_status(m);
    enum sim_status status = at_create ? first : (enum sim_status)m->status;
    bool is_picked = status > SIM_STATUS_ACCEPTED;
    struct sim_text body = sim_message_body(m);
    int64_t created_s = m->created_us / 1000000;
    char sid[SIM_SIDS_TEXT_BYTES];

    sim_message_sid(sid, j->sids, m);
    add_plain(out, "{\"sid\":", sid);
    buf_add_text(out, ",\"date_created\":");
    add_date(out, j, created_s);
    buf_add_text(out, ",\"date_updated\":");
    add_date(out, j, at_create ? created_s : m->updated_s);
    buf_add_text(out, ",\"date_sent\":");
    add_date(out, j, at_create ? 0 : m->sent_s);
    add_plain(out, ",\"account_sid\":", account_sid(j, m));
    add_plain(out, ",\"to\":", sim_message_to(m));
    add_plain(out, ",\"from\":", at_create && m->is_from_picked ? NULL : m->from);
    add_plain(out, ",\"messaging_service_sid\":", sim_message_service(m));
    buf_add_text(out, ",\"body\":");
    buf_add_json_string(out, body.bytes, body.len);
    add_plain(out, ",\"status\":", sim_message_status_word(status));
    buf_add_text(out, ",\"num_segments\":\"");
    buf_add_int(out, is_picked ? m->segments : 0);
    buf_add_text(out, "\",\"num_media\":\"");
    buf_add_int(out, m->media_count);
    buf_add_char(out, '"');
    add_outcome(out, j, m, at_create);
    add_uris(out, j, m, sid, at_create);
}

void sim_json_row(struct buf *out, struct sim_json *j, const struct sim_message *m)
{
    struct sim_text body = sim_message_body(m), id = sim_message_id(m);
    char sid[SIM_SIDS_TEXT_BYTES];

    sim_message_sid(sid, j->sids, m);
    buf_add_text(out, "{\"number\":");
    buf_add_int(out, m->number);
    add_plain(out, ",\"sid\":", sid);
    add_plain(out, ",\"account_sid\":", account_sid(j, m));
    add_plain(out, ",\"direction\":", sim_message_direction_word(m));
    add_plain(out, ",\"to\":", sim_message_to(m));
    add_plain(out, ",\"from\":", m->from);
    add_plain(out, ",\"messaging_service_sid\":", sim_message_service(m));
    buf_add_text(out, ",\"body\":");
    buf_add_json_string(out, body.bytes, body.len);
    buf_add_text(out, ",\"message_id\":");
    if (id.len)
        buf_add_json_string(out, id.bytes, id.len);
    else
        buf_add_text(out, "null");
    buf_add_text(out, ",\"num_media\":");
    buf_add_int(out, m->media_count);
    buf_add_text(out, ",\"segments\":");
    buf_add_int(out, m->segments);
    buf_add_text(out, ",\"price_micros\":");
    buf_add_int(out, m->sent_s ? m->cost_micros : 0);
    buf_add_text(out, ",\"carrier_fee_micros\":");
    buf_add_int(out, m->sent_s ? m->fee_micros : 0);
    add_plain(out, ",\"status\":", sim_message_status_word(m->status));
    buf_add_text(out, ",\"error_code\":");
    if (sim_message_error_code(m))
        buf_add_int(out, sim_message_error_code(m));
    else
        buf_add_text(out, "null");
    buf_add_text(out, ",\"created_at\":\"");
    buf_add_time(out, m->created_us);
    buf_add_text(out, "\"}");
}
