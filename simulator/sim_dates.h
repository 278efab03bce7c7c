// sim_dates.h: the dates that Twilio reads in filters and SendAt.
#ifndef SIM_DATES_H
#define SIM_DATES_H

#include "base.h"

// sim_dates_parse reads "2026-11-20", "2026-11-20T06:56:24Z", the same with an offset,
// with a blank for the T, or without a zone (then UTC: Java's library sends that), and
// RFC 2822. *is_day: only a day was given; *utc_us is its midnight.
// Returns false for anything else.
MUST_CHECK bool sim_dates_parse(int64_t *utc_us, bool *is_day, const char *text,
                                size_t len);

// sim_dates_day writes the day of a second of UTC as "2026-11-20".
enum { SIM_DATES_DAY_BYTES = 16 };
void sim_dates_day(char out[SIM_DATES_DAY_BYTES], int64_t utc_s);

#endif
