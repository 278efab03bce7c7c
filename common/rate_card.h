// rate_card.h: what a segment costs, by country, sender type, channel and direction: a
// sorted table from a CSV file or from rows of the table rate_card. Money is in integer
// micro-units of the currency; no floating point anywhere.
#ifndef RATE_CARD_H
#define RATE_CARD_H

#include "base.h"

enum {
    RATE_FILE_MAX_BYTES = 1 << 20,
    RATE_SOURCE_MAX_BYTES = 256,
    RATE_PRICE_MAX_MICROS = 1000000000,  // 1 000 units for one segment: a typing error
};

// One row; the first four fields are its key.
struct rate {
    char country[3];       // ISO 3166, or "*": every country without a row of its own
    char sender_type[20];  // number, messaging_service, short_code, alphanumeric
    char channel[9];       // sms
    char direction[9];     // outbound, inbound
    char currency[4];      // ISO 4217
    char as_of[11];        // date, YYYY-MM-DD
    char source[RATE_SOURCE_MAX_BYTES + 1];  // where the figure comes from
    int64_t price_micros;                    // per segment
    int64_t carrier_fee_micros;              // per segment, on top
};

struct rate_card;

struct rate_card *rate_card_new(void);
void rate_card_free(struct rate_card *card);

// rate_card_add copies one row.
//   OUTCOME_REJECT  a field is not one of the words above, the key is there already, a
//                   price is out of range; the text says which.
MUST_CHECK enum outcome rate_card_add(struct rate_card *card, const struct rate *rate,
                                      struct err *err);

// rate_card_parse reads CSV (RFC 4180) with the header country,sender_type,channel,
// direction,price,carrier_fee,currency,source,as_of; prices are decimals with up to six
// places.
//   OUTCOME_REJECT  the text begins with "line N: ".
MUST_CHECK enum outcome rate_card_parse(struct rate_card **out, const char *bytes,
                                        size_t len, struct err *err);

// rate_card_load reads a file of up to RATE_FILE_MAX_BYTES through rate_card_parse.
//   OUTCOME_REJECT  as there, or the file cannot be read; the text names it.
MUST_CHECK enum outcome rate_card_load(struct rate_card **out, const char *path,
                                       struct err *err);

// rate_card_find looks for the country (NULL = unknown), then for "*": *is_default tells
// which. NULL: the card has neither. Borrowed from the card.
const struct rate *rate_card_find(const struct rate_card *card, const char *country,
                                  const char *sender_type, const char *channel,
                                  const char *direction, bool *is_default);

// rate_card_estimate is segments × (price + carrier fee).
int64_t rate_card_estimate(const struct rate *rate, int32_t segments);

// The rows in order of their keys.
size_t rate_card_count(const struct rate_card *card);
const struct rate *rate_card_at(const struct rate_card *card, size_t i);

// rate_card_parse_micros reads a decimal ("0.0083", "12", no sign, up to six places)
// exactly; false for anything else or above RATE_PRICE_MAX_MICROS.
MUST_CHECK bool rate_card_parse_micros(const char *text, size_t len, int64_t *out);

// rate_card_format_micros writes the shortest decimal of a sum, sign included: "-0.0083".
enum { RATE_TEXT_BYTES = 24 };
void rate_card_format_micros(char out[RATE_TEXT_BYTES], int64_t micros);

#endif
