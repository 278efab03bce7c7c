// Segments of a text: bounds that hold for every one, and a character more never makes
// fewer of them.
#include "fuzz.h"

#include "segments.h"

static void check_bounds(const struct segments *s, size_t len)
{
    const int whole = s->encoding == SEGMENTS_GSM7 ? 160 : 70;
    const int part = s->encoding == SEGMENTS_GSM7 ? 153 : 67;

    CHECK(s->units >= 0 && (size_t)s->units <= 2 * len);
    CHECK((s->count == 1) == (s->units <= whole));
    CHECK(s->count >= 1 &&
          s->count >= (s->units + part - 1) / part - (s->units <= whole));
    CHECK((s->encoding == SEGMENTS_UCS2) == (s->forced_by != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    if (utf8_is_valid(text, size)) {
        struct segments all = segments_count(text, size);
        size_t less = size;
        check_bounds(&all, size);
        while (less > 0 && ((unsigned char)text[--less] & 0xC0) == 0x80)
            ;
        CHECK(segments_count(text, less).count <= all.count);
        if (all.forced_by)
            CHECK(all.forced_by >= text &&
                  all.forced_by + all.forced_by_len <= text + size);
    }
    free(text);
    return 0;
}
