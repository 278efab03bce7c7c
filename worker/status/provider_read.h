// provider_read.h: Twilio's answer to a fetch or a list, read into structs. Pure.
#ifndef PROVIDER_READ_H
#define PROVIDER_READ_H

#include "base.h"
#include "sid.h"

struct json_reader;

enum { PROVIDER_PAGE_MAX = 1000 };

// One message as Twilio knows it.
struct provider_message {
    char sid[SID_TEXT_BYTES];
    char service_sid[SID_TEXT_BYTES];  // "" = none
    char from[65];                     // "" = not picked yet
    char status[33];
    char price_unit[4];    // ISO 4217, "" = not told
    bool is_outbound;      // direction is "outbound-…"
    bool has_price;        // Twilio has billed it
    int64_t price_micros;  // what it costs, positive
    int32_t error_code;    // 0 = none
    int32_t segments;      // 0 = not told
    int64_t created_us;    // wall clock of Twilio, whole seconds; 0 = not told
    char *body;            // owned; NULL = not told
};

// What an answer holds: the messages of a list's page, or the one of a fetch.
struct provider_page {
    size_t count;
    struct provider_message messages[PROVIDER_PAGE_MAX];
    char *next_uri;  // of the next page, from '/' on; NULL = this was the last
};

//   OUTCOME_REJECT  it is not such an answer; out needs no free.
MUST_CHECK enum outcome provider_read(struct provider_page *out, struct json_reader *json,
                                      const char *body, size_t len, struct err *err);
void provider_page_free(struct provider_page *page);

// provider_read_date reads RFC 2822: "Sat, 21 Nov 2026 10:00:00 +0000".
MUST_CHECK bool provider_read_date(int64_t *out_us, const char *text);

// provider_read_price reads a decimal that may be negative, as "-0.00830": its amount
// without the sign, in millionths, rounded to the nearest.
MUST_CHECK bool provider_read_price(int64_t *out, const char *text);

#endif
