// sim_pricing_api.c: Pricing v1: what a country's messages cost, from the rate card that
// bills them.
#include "http_server.h"
#include "phone.h"
#include "rate_card.h"
#include "sim_json.h"
#include "sim_page.h"
#include "sim_request.h"
#include "simulator.h"

#include <stdio.h>
#include <string.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#define HOST "https://pricing.twilio.com"

enum { COUNTRIES_MAX = 26 * 26, NAME_BYTES = 128, URL_BYTES = 96 };

// Twilio's kinds of numbers, and the sender type of the card that prices each.
static const char *const number_types[][2] = {
    { "local", "number" },
    { "mobile", "number" },
    { "toll free", "number" },
    { "shortcode", "short_code" },
};

// Writes the country's English name, which is its code when ICU does not know it.
static void name_of(const char *iso, char out[NAME_BYTES])
{
    char locale[] = "und_XX";
    UChar name[NAME_BYTES / 4];
    UErrorCode status = U_ZERO_ERROR;
    int32_t len = 0;

    memcpy(locale + 4, iso, 2);
    int32_t units = uloc_getDisplayCountry(locale, "en", name, COUNT_OF(name), &status);
    u_strToUTF8(out, NAME_BYTES, &len, name, units, &status);
    if (U_FAILURE(status) || len == 0 || len >= NAME_BYTES)
        (void)snprintf(out, NAME_BYTES, "%s", iso);
}

static void add_head(struct buf *out, const char *iso)
{
    char name[NAME_BYTES], url[URL_BYTES];

    name_of(iso, name);
    (void)snprintf(url, sizeof(url), HOST "/v1/Messaging/Countries/%s", iso);
    sim_json_text(out, "country", name);
    sim_json_text(out, "iso_country", iso);
    sim_json_text(out, "url", url);
}

static size_t list_countries(char out[COUNTRIES_MAX][3])
{
    size_t count = 0;

    for (int a = 'A'; a <= 'Z'; a++)
        for (int b = 'A'; b <= 'Z'; b++) {
            const char iso[] = { (char)a, (char)b, '\0' };
            if (phone_region_is_known(iso))
                memcpy(out[count++], iso, sizeof(iso));
        }
    return count;
}

enum outcome sim_pricing_list(struct sim_request *r, struct sim_error *error)
{
    char countries[COUNTRIES_MAX][3];
    size_t count = list_countries(countries);
    struct sim_page page;

    enum outcome rc = sim_page_read(&page, r->http, r->path, error);
    if (rc)
        return rc;
    size_t first = sim_page_first(&page, count);
    buf_add_text(r->out, "{\"countries\":[");
    for (size_t i = first; i < sim_page_end(&page, count); i++) {
        buf_add_text(r->out, i > first ? ",{" : "{");
        add_head(r->out, countries[i]);
        buf_add_char(r->out, '}');
    }
    buf_add_char(r->out, ']');
    sim_page_close_v1(r->out, &page, count, HOST, "countries");
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}

static void add_prices(const struct sim_request *r, const char *iso,
                       const char *direction)
{
    bool is_first = true, is_default = false;
    char price[RATE_TEXT_BYTES];

    buf_add_char(r->out, '[');
    for (size_t i = 0; i < COUNT_OF(number_types); i++) {
        const struct rate *rate = rate_card_find(r->sim->rates, iso, number_types[i][1],
                                                 "sms", direction, &is_default);
        if (!rate)
            continue;
        rate_card_format_micros(price, rate->price_micros);
        buf_add_text(r->out, is_first ? "{" : ",{");
        is_first = false;
        sim_json_text(r->out, "number_type", number_types[i][0]);
        sim_json_text(r->out, "base_price", price);
        sim_json_text(r->out, "current_price", price);
        buf_add_char(r->out, '}');
    }
    buf_add_char(r->out, ']');
}

enum outcome sim_pricing_fetch(struct sim_request *r, struct sim_error *error)
{
    const char *iso = r->ids[0];

    if (strlen(iso) != 2 || !phone_region_is_known(iso))
        return sim_request_not_found(r, error);
    buf_add_char(r->out, '{');
    add_head(r->out, iso);
    sim_json_text(r->out, "price_unit", r->sim->json.currency);
    buf_add_text(r->out, ",\"outbound_sms_prices\":[{\"carrier\":\"ALL\",\"mcc\":\"\","
                         "\"mnc\":\"\",\"prices\":");
    add_prices(r, iso, "outbound");
    buf_add_text(r->out, "}],\"inbound_sms_prices\":");
    add_prices(r, iso, "inbound");
    buf_add_char(r->out, '}');
    return OUTCOME_OK;
}
