#include "sim_dates.h"
#include "timestamp.h"

#include <string.h>
#include <time.h>

enum { TEXT_BYTES = 64, DAY_CHARACTERS = 10 };

static bool parse_rfc_2822(int64_t *utc_us, const char *text)
{
    static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S ", "%d %b %Y %H:%M:%S " };

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct tm tm = { 0 };
        const char *zone = strptime(text, forms[i], &tm);
        if (zone && (strcmp(zone, "+0000") == 0 || strcmp(zone, "GMT") == 0)) {
            *utc_us = (int64_t)timegm(&tm) * 1000000;
            return true;
        }
    }
    return false;
}

bool sim_dates_parse(int64_t *utc_us, bool *is_day, const char *text, size_t len)
{
    static const char midnight[] = "T00:00:00Z";
    char copy[TEXT_BYTES + sizeof(midnight)];

    if (len == 0 || len >= TEXT_BYTES)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *is_day = len == DAY_CHARACTERS;
    if (*is_day) {
        memcpy(copy + len, midnight, sizeof(midnight));
        return timestamp_parse(utc_us, copy, len + sizeof(midnight) - 1);
    }
    if (len > DAY_CHARACTERS && copy[DAY_CHARACTERS] == ' ')
        copy[DAY_CHARACTERS] = 'T';
    if (timestamp_parse(utc_us, copy, len))
        return true;
    memcpy(copy + len, "Z", 2);
    if (timestamp_parse(utc_us, copy, len + 1))
        return true;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return parse_rfc_2822(utc_us, copy);
}

void sim_dates_day(char out[SIM_DATES_DAY_BYTES], int64_t utc_s)
{
    time_t seconds = (time_t)utc_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&seconds, &tm);
    (void)strftime(out, SIM_DATES_DAY_BYTES, "%Y-%m-%d", &tm);
}
