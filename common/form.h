// form.h: application/x-www-form-urlencoded bodies and queries (WHATWG URL, 5.1).
#ifndef FORM_H
#define FORM_H

#include "base.h"

enum { FORM_PAIRS_MAX = 512 };

struct form_pair {
    const char *name, *value;  // decoded; NUL bytes possible inside
    size_t name_len, value_len;
};

// A decoded form; the pairs point into its own copy of the bytes. Each text ends with a
// NUL behind its length.
struct form {
    struct form_pair *pairs;
    size_t count;
    char *bytes;
};

// form_parse decodes text: '+' is a blank, %XX a byte; a broken escape stays as it is.
//   OUTCOME_REJECT  more than FORM_PAIRS_MAX pairs.
MUST_CHECK enum outcome form_parse(struct form *out, const char *text, size_t len,
                                   struct err *err);
void form_free(struct form *f);

// form_find returns the first pair of that name, or NULL.
const struct form_pair *form_find(const struct form *f, const char *name);

// form_copy writes the first value of that name as a string; false when there is none, or
// it is empty, does not fit into size bytes or has a NUL: out is "" then.
MUST_CHECK bool form_copy(char *out, size_t size, const struct form *f, const char *name);

#endif
