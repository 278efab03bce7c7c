#include "segments.h"

#include <assert.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>

// What one SMS holds, alone and as a part of several, in septets or 16-bit units.
static const struct room {
    int single, part;
} rooms[] = {
    [SEGMENTS_GSM7] = { 160, 153 },
    [SEGMENTS_UCS2] = { 70, 67 },
};

// GSM 03.38 septets of U+0000 to U+00FF: 1 basic, 2 extension, 0 not in the alphabet.
static const char latin_septets[] = "0000000000102100"   // 00
                                    "0000000000000000"   // 10
                                    "1111111111111111"   // 20
                                    "1111111111111111"   // 30
                                    "1111111111111111"   // 40
                                    "1111111111122221"   // 50
                                    "0111111111111111"   // 60
                                    "1111111111122220"   // 70
                                    "0000000000000000"   // 80
                                    "0000000000000000"   // 90
                                    "0101110100000000"   // a0
                                    "0000000000000001"   // b0
                                    "0000111101000000"   // c0
                                    "0100001010001001"   // d0
                                    "1000111011001000"   // e0
                                    "0110001011001000";  // f0

static UChar32 next_wide_char(const char *text, int32_t len, int32_t *i)
{
    unsigned char first = (unsigned char)text[(*i)++];
    int tail = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    UChar32 c = first & (0x3f >> tail);

    for (; tail > 0 && *i < len; tail--)
        c = c << 6 | (text[(*i)++] & 0x3f);
    return c;
}

// Returns the code point at text[*i] and moves *i behind it.
static inline UChar32 next_char(const char *text, int32_t len, int32_t *i)
{
    if ((unsigned char)text[*i] < 0x80)
        return text[(*i)++];
    return next_wide_char(text, len, i);
}

static int septets_of(UChar32 c)
{
    if (c < 0x100)
        return latin_septets[c] - '0';
    switch (c) {
    case 0x393:  // Greek capitals that Latin has no look-alike for
    case 0x394:
    case 0x398:
    case 0x39b:
    case 0x39e:
    case 0x3a0:
    case 0x3a3:
    case 0x3a6:
    case 0x3a8:
    case 0x3a9:
        return 1;
    case 0x20ac:  // euro
        return 2;
    default:
        return 0;
    }
}

static int units_of(UChar32 c)
{
    return c > 0xffff ? 2 : 1;
}

// Parts that are filled one after the other with pieces that must not be split.
struct parts {
    int room;   // of one part
    int count;  // begun so far
    int used;   // in the last one
};

static void parts_add(struct parts *p, int size)
{
    if (p->used + size > p->room) {
        p->count++;
        p->used = 0;
    }
    p->used += size;
}

static int count_gsm7_parts(const char *text, int32_t len)
{
    struct parts parts = { .room = rooms[SEGMENTS_GSM7].part, .count = 1 };

    for (int32_t i = 0; i < len;)
        parts_add(&parts, septets_of(next_char(text, len, &i)));
    return parts.count;
}

// Adds the cluster [start, end). CR LF is one to Unicode and two to a telephone, and a
// cluster that no part can hold is split between its characters.
static void add_cluster(struct parts *parts, const char *text, int32_t start, int32_t end)
{
    bool is_crlf = text[start] == '\r' && end - start == 2;
    int units = 0;

    for (int32_t i = start; i < end;)
        units += units_of(next_char(text, end, &i));
    if (units <= parts->room && !is_crlf) {
        parts_add(parts, units);
        return;
    }
    for (int32_t i = start; i < end;)
        parts_add(parts, units_of(next_char(text, end, &i)));
}

// True if some character may belong to the one before it; most scripts have none such,
// and then the break iterator (5 us to open) is not needed.
static bool has_joiners(const char *text, int32_t len)
{
    for (int32_t i = 0; i < len;) {
        UChar32 c = next_char(text, len, &i);
        if (c < 0x300)  // the first combining mark
            continue;
        int32_t kind = u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK);
        if (kind != U_GCB_OTHER && kind != U_GCB_CONTROL)
            return true;
    }
    return false;
}

static void add_clusters(struct parts *parts, const char *text, int32_t len)
{
    UErrorCode rc = U_ZERO_ERROR;
    UText utext = UTEXT_INITIALIZER;
    UBreakIterator *breaks = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &rc);

    utext_openUTF8(&utext, text, len, &rc);
    ubrk_setUText(breaks, &utext, &rc);
    assert(U_SUCCESS(rc));  // the rules are part of the library

    int32_t start = ubrk_first(breaks);
    for (int32_t end; (end = ubrk_next(breaks)) != UBRK_DONE; start = end)
        add_cluster(parts, text, start, end);

    ubrk_close(breaks);
    utext_close(&utext);
}

static int count_ucs2_parts(const char *text, int32_t len)
{
    struct parts parts = { .room = rooms[SEGMENTS_UCS2].part, .count = 1 };

    if (has_joiners(text, len)) {
        add_clusters(&parts, text, len);
        return parts.count;
    }
    for (int32_t i = 0; i < len;)
        parts_add(&parts, units_of(next_char(text, len, &i)));
    return parts.count;
}

static int count_units(const char *text, int32_t len)
{
    int units = 0;

    for (int32_t i = 0; i < len;)
        units += units_of(next_char(text, len, &i));
    return units;
}

// Counts septets up to the first character that is not in GSM-7, which forces UCS-2.
static void measure(struct segments *s, const char *text, int32_t len)
{
    for (int32_t i = 0; i < len;) {
        int32_t start = i;
        UChar32 c = next_char(text, len, &i);
        int septets = septets_of(c);
        if (septets == 0) {
            s->encoding = SEGMENTS_UCS2;
            s->units = count_units(text, len);
            s->forced_by = text + start;
            s->forced_by_len = (size_t)(i - start);
            return;
        }
        s->units += septets;
    }
}

struct segments segments_count(const char *text, size_t len)
{
    struct segments s = { .encoding = SEGMENTS_GSM7, .count = 1 };
    int32_t bytes = (int32_t)len;

    assert(len <= INT32_MAX);
    measure(&s, text, bytes);
    if (s.units > rooms[s.encoding].single)
        s.count = s.encoding == SEGMENTS_GSM7 ? count_gsm7_parts(text, bytes)
                                              : count_ucs2_parts(text, bytes);
    return s;
}
