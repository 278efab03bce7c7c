#include "segments.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FACE          "\xf0\x9f\x98\x9c"  // U+1F61C
#define GRIN          "\xf0\x9f\x98\x80"  // U+1F600
#define QUOTE         "\xe2\x80\x99"      // U+2019
#define EURO          "\xe2\x82\xac"
#define ACUTE         "\xcc\x81"                          // U+0301, combining
#define ITALY         "\xf0\x9f\x87\xae\xf0\x9f\x87\xb9"  // two regional indicators
#define RAINBOW       "\xf0\x9f\x8f\xb3\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x8c\x88"  // flag
#define HANGUL_JAMO   "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"  // one syllable, 3 letters
#define DEVANAGARI_KI "\xe0\xa4\x95\xe0\xa4\xbf"

enum { PIECES_MAX = 4, TEXT_MAX = 1 << 16 };

// A text: each piece repeated so many times.
struct piece {
    const char *text;
    int times;
};

struct row {
    struct piece pieces[PIECES_MAX];
    enum segments_encoding encoding;
    int units, count;
};

static struct segments count_of(const struct piece *pieces, struct buf *text)
{
    for (size_t i = 0; i < PIECES_MAX; i++)
        for (int n = 0; n < pieces[i].times; n++)
            buf_add_text(text, pieces[i].text);
    assert_false(text->failed);
    return segments_count(buf_text(text), text->len);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf text = BUF_INIT(TEXT_MAX);
        struct segments s = count_of(rows[i].pieces, &text);

        print_message("%zu: %.40s, %zu bytes\n", i, buf_text(&text), text.len);
        assert_int_equal(s.encoding, rows[i].encoding);
        assert_int_equal(s.units, rows[i].units);
        assert_int_equal(s.count, rows[i].count);
        assert_true((s.forced_by != NULL) == (s.encoding == SEGMENTS_UCS2));
        buf_free(&text);
    }
}

static const struct row gsm7_rows[] = {
    { { { "", 0 } }, SEGMENTS_GSM7, 0, 1 },
    { { { "1", 160 } }, SEGMENTS_GSM7, 160, 1 },
    { { { "1", 161 } }, SEGMENTS_GSM7, 161, 2 },
    { { { "1", 307 } }, SEGMENTS_GSM7, 307, 3 },
    { { { "a", 306 } }, SEGMENTS_GSM7, 306, 2 },
    { { { "a", 459 } }, SEGMENTS_GSM7, 459, 3 },
    { { { "a", 460 } }, SEGMENTS_GSM7, 460, 4 },
    { { { "a", 1600 } }, SEGMENTS_GSM7, 1600, 11 },
    { { { "{", 80 } }, SEGMENTS_GSM7, 160, 1 },
    { { { "{", 81 } }, SEGMENTS_GSM7, 162, 2 },
    { { { "\r\n", 80 } }, SEGMENTS_GSM7, 160, 1 },
    { { { "\r\n", 81 } }, SEGMENTS_GSM7, 162, 2 },
    { { { "a", 152 }, { "\r\n", 1 }, { "a", 152 } }, SEGMENTS_GSM7, 306, 2 },
};

static void counts_160_septets_alone_and_153_in_a_part(void **state)
{
    (void)state;
    check_rows(gsm7_rows, COUNT_OF(gsm7_rows));
}

static const struct row extension_rows[] = {
    { { { "a", 152 }, { "{", 1 }, { "a", 151 } }, SEGMENTS_GSM7, 305, 2 },
    { { { "a", 152 }, { "{", 1 }, { "a", 152 } }, SEGMENTS_GSM7, 306, 3 },
    { { { "a", 153 }, { "{", 1 }, { "a", 151 } }, SEGMENTS_GSM7, 306, 2 },
    { { { "a", 151 }, { "{", 1 }, { "a", 153 } }, SEGMENTS_GSM7, 306, 2 },
    { { { "a", 158 }, { "{", 1 } }, SEGMENTS_GSM7, 160, 1 },
    { { { "a", 159 }, { "{", 1 } }, SEGMENTS_GSM7, 161, 2 },
};

static void never_splits_an_extension_pair(void **state)
{
    (void)state;
    check_rows(extension_rows, COUNT_OF(extension_rows));
}

static const struct row ucs2_rows[] = {
    { { { FACE, 1 }, { "1", 68 } }, SEGMENTS_UCS2, 70, 1 },
    { { { FACE, 1 }, { "1", 69 } }, SEGMENTS_UCS2, 71, 2 },
    { { { FACE, 1 }, { "1", 133 } }, SEGMENTS_UCS2, 135, 3 },
    { { { GRIN, 1 }, { "]", 68 } }, SEGMENTS_UCS2, 70, 1 },
    { { { GRIN, 1 }, { "]", 69 } }, SEGMENTS_UCS2, 71, 2 },
    { { { "a", 69 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 70, 1 },
    { { { "a", 70 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 71, 2 },
    { { { "a", 133 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 134, 2 },
    { { { "a", 134 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 135, 3 },
    { { { "a", 200 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 201, 3 },
    { { { "a", 201 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 202, 4 },
    { { { EURO, 1 }, { QUOTE, 1 }, { "a", 68 } }, SEGMENTS_UCS2, 70, 1 },
    { { { QUOTE, 1 }, { "a", 65 }, { "\r\n", 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 2 },
    { { { ACUTE, 1 }, { "a", 65 }, { "\r\n", 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 2 },
};

static void counts_70_units_alone_and_67_in_a_part(void **state)
{
    (void)state;
    check_rows(ucs2_rows, COUNT_OF(ucs2_rows));
}

static const struct row surrogate_rows[] = {
    { { { GRIN, 35 } }, SEGMENTS_UCS2, 70, 1 },
    { { { GRIN, 36 } }, SEGMENTS_UCS2, 72, 2 },
    { { { GRIN, 66 } }, SEGMENTS_UCS2, 132, 2 },
    { { { GRIN, 67 } }, SEGMENTS_UCS2, 134, 3 },
    { { { GRIN, 99 } }, SEGMENTS_UCS2, 198, 3 },
    { { { GRIN, 100 } }, SEGMENTS_UCS2, 200, 4 },
    { { { "a", 66 }, { GRIN, 1 }, { "a", 65 } }, SEGMENTS_UCS2, 133, 2 },
    { { { "a", 66 }, { GRIN, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
};

static void never_splits_a_surrogate_pair(void **state)
{
    (void)state;
    check_rows(surrogate_rows, COUNT_OF(surrogate_rows));
}

static const struct row cluster_rows[] = {
    { { { ITALY, 1 }, { "1", 66 } }, SEGMENTS_UCS2, 70, 1 },
    { { { ITALY, 1 }, { "1", 67 } }, SEGMENTS_UCS2, 71, 2 },
    { { { "a", 66 }, { ITALY, 1 }, { "a", 63 } }, SEGMENTS_UCS2, 133, 2 },
    { { { "a", 64 }, { ITALY, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
    { { { RAINBOW, 1 }, { "1", 64 } }, SEGMENTS_UCS2, 70, 1 },
    { { { RAINBOW, 1 }, { "1", 65 } }, SEGMENTS_UCS2, 71, 2 },
    { { { "a", 62 }, { RAINBOW, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
    { { { "a", 61 }, { RAINBOW, 1 }, { "a", 67 } }, SEGMENTS_UCS2, 134, 2 },
    { { { "e" ACUTE "e" ACUTE, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 70, 1 },
    { { { "e" ACUTE "e" ACUTE, 1 }, { "a", 67 } }, SEGMENTS_UCS2, 71, 2 },
    { { { "a", 66 }, { "e" ACUTE, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
    { { { "a", 65 }, { "e" ACUTE, 1 }, { "a", 67 } }, SEGMENTS_UCS2, 134, 2 },
    { { { "a", 65 }, { HANGUL_JAMO, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
    { { { "a", 66 }, { DEVANAGARI_KI, 1 }, { "a", 66 } }, SEGMENTS_UCS2, 134, 3 },
};

static void never_splits_a_grapheme_cluster(void **state)
{
    (void)state;
    check_rows(cluster_rows, COUNT_OF(cluster_rows));
}

static const struct row long_cluster_rows[] = {
    { { { "e", 1 }, { ACUTE, 66 }, { "a", 67 } }, SEGMENTS_UCS2, 134, 2 },
    { { { "e", 1 }, { ACUTE, 133 } }, SEGMENTS_UCS2, 134, 2 },
    { { { "e", 1 }, { ACUTE, 134 } }, SEGMENTS_UCS2, 135, 3 },
    { { { "a", 1 }, { "e", 1 }, { ACUTE, 67 }, { "a", 65 } }, SEGMENTS_UCS2, 134, 2 },
};

static void splits_a_cluster_that_no_part_can_hold(void **state)
{
    (void)state;
    check_rows(long_cluster_rows, COUNT_OF(long_cluster_rows));
}

// The characters of the alphabet as code points (GSM 03.38, 6.2.1 and 6.2.1.1).
static const char basic[] =
    "@\xc2\xa3$\xc2\xa5\xc3\xa8\xc3\xa9\xc3\xb9\xc3\xac\xc3\xb2\xc3\x87\n\xc3\x98\xc3\xb8"
    "\r\xc3\x85\xc3\xa5\xce\x94_\xce\xa6\xce\x93\xce\x9b\xce\xa9\xce\xa0\xce\xa8\xce\xa3"
    "\xce\x98\xce\x9e\xc3\x86\xc3\xa6\xc3\x9f\xc3\x89 !\"#\xc2\xa4%&'()*+,-./0123456789:;"
    "<=>?\xc2\xa1"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\xc3\x84\xc3\x96\xc3\x91\xc3\x9c\xc2\xa7\xc2\xbf"
    "abcdefghijklmnopqrstuvwxyz\xc3\xa4\xc3\xb6\xc3\xb1\xc3\xbc\xc3\xa0";
static const char extension[] = "\f^{}\\[~]|" EURO;

static size_t encode_utf8(char out[5], uint32_t c)
{
    static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(first[len] | c);
    out[len] = '\0';
    return len;
}

static void knows_the_whole_alphabet_and_nothing_else(void **state)
{
    int septets[3] = { 0 };  // how many characters cost 0, 1 and 2 septets

    (void)state;
    for (uint32_t c = 1; c < 0x110000; c++) {
        char text[5];
        if (c >= 0xd800 && c < 0xe000)
            continue;
        size_t len = encode_utf8(text, c);
        struct segments s = segments_count(text, len);
        bool is_basic = strstr(basic, text), is_extension = strstr(extension, text);

        if ((s.encoding == SEGMENTS_GSM7) != (is_basic || is_extension))
            fail_msg("U+%04X has the wrong encoding", c);
        if (s.encoding == SEGMENTS_GSM7)
            assert_int_equal(s.units, is_extension ? 2 : 1);
        else
            assert_int_equal(s.units, c > 0xffff ? 2 : 1);
        septets[s.encoding == SEGMENTS_GSM7 ? s.units : 0]++;
    }
    assert_int_equal(septets[1], 127);
    assert_int_equal(septets[2], 10);
}

static void every_extension_character_costs_two_septets_or_one_unit(void **state)
{
    static const char *const all[] = { "|", "^", EURO, "{", "}", "[", "]", "~", "\\" };
    static const char *const accented[] = { "\xc3\x81", "\xc3\x9a", "\xc3\xba",
                                            "\xc3\xa7", "\xc3\xad", "\xc3\x8d",
                                            "\xc3\xb3", "\xc3\x93" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const struct row rows[] = {
            { { { all[i], 1 }, { "1", 158 } }, SEGMENTS_GSM7, 160, 1 },
            { { { all[i], 1 }, { "1", 159 } }, SEGMENTS_GSM7, 161, 2 },
            { { { all[i], 69 }, { QUOTE, 1 } }, SEGMENTS_UCS2, 70, 1 },
        };
        check_rows(rows, COUNT_OF(rows));
    }
    for (size_t i = 0; i < COUNT_OF(accented); i++) {
        const struct row rows[] = {
            { { { accented[i], 70 } }, SEGMENTS_UCS2, 70, 1 },
            { { { accented[i], 71 } }, SEGMENTS_UCS2, 71, 2 },
        };
        check_rows(rows, COUNT_OF(rows));
    }
}

static void tells_the_first_character_that_forced_ucs2(void **state)
{
    static const struct {
        const char *what, *text, *forced_by;
    } rows[] = {
        { "a tab", "a\tb", "\t" },
        { "a backtick", "`a`", "`" },
        { "a no-break space", "a\xc2\xa0" QUOTE, "\xc2\xa0" },
        { "a small c with cedilla", "\xc3\x87\xc3\xa7", "\xc3\xa7" },
        { "a typographic quote after a euro", EURO QUOTE, QUOTE },
        { "a character beyond 16 bits", "ok " GRIN QUOTE, GRIN },
        { "a combining mark, not the letter it sits on", "e" ACUTE, ACUTE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct segments s = segments_count(rows[i].text, strlen(rows[i].text));

        print_message("%s\n", rows[i].what);
        assert_int_equal(s.encoding, SEGMENTS_UCS2);
        assert_ptr_equal(s.forced_by, strstr(rows[i].text, rows[i].forced_by));
        assert_int_equal(s.forced_by_len, strlen(rows[i].forced_by));
    }
}

static void accepts_no_text_at_all(void **state)
{
    struct segments s = segments_count(NULL, 0);

    (void)state;
    assert_int_equal(s.count, 1);
    assert_null(s.forced_by);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_160_septets_alone_and_153_in_a_part),
        cmocka_unit_test(never_splits_an_extension_pair),
        cmocka_unit_test(counts_70_units_alone_and_67_in_a_part),
        cmocka_unit_test(never_splits_a_surrogate_pair),
        cmocka_unit_test(never_splits_a_grapheme_cluster),
        cmocka_unit_test(splits_a_cluster_that_no_part_can_hold),
        cmocka_unit_test(knows_the_whole_alphabet_and_nothing_else),
        cmocka_unit_test(every_extension_character_costs_two_septets_or_one_unit),
        cmocka_unit_test(tells_the_first_character_that_forced_ucs2),
        cmocka_unit_test(accepts_no_text_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
