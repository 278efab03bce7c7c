// phone.h: phone numbers in E.164, through libphonenumber. Debian's metadata is of 2022,
// so "not valid" is a warning and only "not possible" a refusal (row B1).
#ifndef PHONE_H
#define PHONE_H

#include "base.h"

enum { PHONE_E164_BYTES = 17, PHONE_HINT_BYTES = 16 };  // "+", 15 digits, NUL

struct phone {
    char e164[PHONE_E164_BYTES];
    char country[3];   // ISO 3166 alpha-2, "" when unknown (satellite, not valid)
    int calling_code;  // 1, 44, 91
    bool valid;        // false: possible, but no such number range is known
};

// phone_parse reads text in any form libphonenumber knows; region ("US") is for numbers
// without a country code. Text longer than 64 bytes is refused unread. For a number that
// is possible and not valid, country is the main country of the calling code.
//   OUTCOME_REJECT  not possible; the text gives the reason in words ("too short", …).
MUST_CHECK enum outcome phone_parse(struct phone *out, const char *text, size_t len,
                                    const char *region, struct err *err);

// phone_is_e164: "+", a digit 1-9, and 6 to 14 more digits. Nothing else is looked at.
bool phone_is_e164(const char *text);

// phone_region_is_known: two letters that libphonenumber knows.
bool phone_region_is_known(const char *region);

// phone_hint writes what may be shown of a number: country and last three digits,
// "CH…567" (the ellipsis is U+2026). country may be "".
void phone_hint(char out[PHONE_HINT_BYTES], const char *country, const char *e164);

#endif
