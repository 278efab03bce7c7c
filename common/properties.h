// properties.h: "key=value;key=value", the text in which librdkafka's properties pass
// through a settings struct. A ';' inside a value is written twice; blanks and newlines
// around keys and values do not count.
#ifndef PROPERTIES_H
#define PROPERTIES_H

#include "base.h"
#include "buf.h"

struct property {
    struct buf key, value;
};

enum { PROPERTIES_MAX_BYTES = 65536 };

#define PROPERTY_INIT                                                                    \
    {                                                                                    \
        BUF_INIT(PROPERTIES_MAX_BYTES), BUF_INIT(PROPERTIES_MAX_BYTES)                   \
    }

// property_free frees the texts, the value after it was overwritten.
void property_free(struct property *p);

// properties_next reads the next property and moves *at behind it. NULL is like "".
//   OUTCOME_OK      out holds it.
//   OUTCOME_RETRY   there is none any more.
//   OUTCOME_REJECT  what stands there is not key=value; err shows no value.
MUST_CHECK enum outcome properties_next(const char **at, struct property *out,
                                        struct err *err);

// properties_add appends one.
void properties_add(struct buf *out, const char *key, const char *value);

#endif
