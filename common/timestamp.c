#include "timestamp.h"

struct reader {
    const char *at, *end;
    bool failed;
};

static int read_digits(struct reader *r, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9') {
            r->failed = true;
            return 0;
        }
        value = value * 10 + (*r->at++ - '0');
    }
    return value;
}

// Reads one character, which must be one of the two.
static void read_mark(struct reader *r, char upper, char lower)
{
    if (r->at < r->end && (*r->at == upper || *r->at == lower))
        r->at++;
    else
        r->failed = true;
}

static int64_t read_fraction_us(struct reader *r)
{
    int64_t us = 0, unit = 100000;

    if (r->at == r->end || *r->at != '.')
        return 0;
    r->at++;
    us = read_digits(r, 1) * unit;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        unit /= 10;
        us += (*r->at++ - '0') * unit;
    }
    return us;
}

static int64_t read_offset_s(struct reader *r)
{
    if (r->at < r->end && (*r->at == '+' || *r->at == '-')) {
        int sign = *r->at++ == '-' ? -1 : 1;
        int hours = read_digits(r, 2);
        read_mark(r, ':', ':');
        int minutes = read_digits(r, 2);
        if (hours > 23 || minutes > 59)
            r->failed = true;
        return sign * (hours * 3600 + minutes * 60);
    }
    read_mark(r, 'Z', 'z');
    return 0;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Days from 1970-01-01; day is not checked.
static int64_t days_of(int year, int month, int day)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    const int64_t past =
        year + 399;  // whole years since -399, a year 1 of a 400-year cycle
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400;

    days += before[month - 1] + (month > 2 && is_leap(year) ? 1 : 0) + day - 1;
    return days - 865259;  // days from there to 1970
}

static bool is_date(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

bool timestamp_parse(int64_t *out, const char *text, size_t len)
{
    struct reader r = { text, text + len, false };

    int year = read_digits(&r, 4);
    read_mark(&r, '-', '-');
    int month = read_digits(&r, 2);
    read_mark(&r, '-', '-');
    int day = read_digits(&r, 2);
    read_mark(&r, 'T', 't');
    int hour = read_digits(&r, 2);
    read_mark(&r, ':', ':');
    int minute = read_digits(&r, 2);
    read_mark(&r, ':', ':');
    int second = read_digits(&r, 2);
    int64_t fraction_us = read_fraction_us(&r);
    int64_t offset_s = read_offset_s(&r);

    if (r.failed || r.at != r.end || !is_date(year, month, day))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t seconds =
        days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s;
    if (second == 60 && seconds % 86400 != 0)
        return false;  // a leap second ends a day of UTC
    *out = seconds * 1000000 + fraction_us;
    return true;
}
