// segments.h: how many SMS a text is, as Twilio bills it (GSM 03.38; reference vectors
// of Twilio's segment calculator). Twilio's own num_segments is the truth, ours the
// estimate.
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "base.h"

enum segments_encoding { SEGMENTS_GSM7, SEGMENTS_UCS2 };

struct segments {
    enum segments_encoding encoding;
    int count;              // 1 for an empty text
    int units;              // septets (extension = 2) or 16-bit units
    const char *forced_by;  // first character outside GSM-7, into the text; or NULL
    size_t forced_by_len;
};

// segments_count: one SMS holds 160 septets or 70 units, a part of several 153 or 67; an
// extension pair, a surrogate pair and a grapheme cluster are never split. text must be
// valid UTF-8.
struct segments segments_count(const char *text, size_t len);

#endif
