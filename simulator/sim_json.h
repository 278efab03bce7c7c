// sim_json.h: Twilio's JSON: the message resource with every property.
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include "sim_message.h"
#include "sim_sids.h"

struct buf;

#define SIM_JSON_API_VERSION "2010-04-01"

enum { SIM_JSON_DATE_BYTES = 32 };

struct sim_accounts;

// What all messages share; borrowed.
struct sim_json {
    struct sim_sids *sids;
    const struct sim_accounts *accounts;
    const char *currency;
    int64_t date_s;  // the second that date holds
    char date[SIM_JSON_DATE_BYTES];
};

// sim_json_message appends m; at_create shows it as the answer to its create does,
// whatever happened since.
void sim_json_message(struct buf *out, struct sim_json *j, const struct sim_message *m,
                      bool at_create);

// sim_json_row appends what the ledger's list shows of m.
void sim_json_row(struct buf *out, struct sim_json *j, const struct sim_message *m);

// sim_json_date writes seconds of UTC as RFC 2822: "Thu, 24 Aug 2023 05:01:45 +0000".
void sim_json_date(char out[SIM_JSON_DATE_BYTES], int64_t utc_s);

// sim_json_iso writes them as ISO 8601: "2023-08-24T05:01:45Z".
void sim_json_iso(char out[SIM_JSON_DATE_BYTES], int64_t utc_s);

// Each appends "name":value to an object, with a comma in front unless it is the first
// member. NULL texts, and dates of 0, are null.
void sim_json_text(struct buf *out, const char *name, const char *text);
void sim_json_text_of(struct buf *out, const char *name, struct sim_text text);
void sim_json_bool(struct buf *out, const char *name, bool value);
void sim_json_date_member(struct buf *out, const char *name, int64_t utc_us);
void sim_json_iso_member(struct buf *out, const char *name, int64_t utc_us);

// sim_json_price appends the quoted price: negative, five places, six where needed.
void sim_json_price(struct buf *out, int64_t cost_micros);

#endif
