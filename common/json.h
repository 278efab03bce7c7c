// json.h: reads JSON objects member by member (RFC 8259), through simdjson. Writing is
// done with buf_add_json_string and plain buf_add_text.
#ifndef JSON_H
#define JSON_H

#include "base.h"

enum { JSON_DEPTH_MAX = 16 };

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INTEGER,  // fits int64_t and has neither fraction nor exponent
    JSON_NUMBER,   // any other number
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    enum json_kind kind;
    bool boolean;
    int64_t integer;
    double number;     // JSON_NUMBER only
    const char *text;  // JSON_STRING: unescaped UTF-8, not NUL-terminated, may hold NULs
    size_t len;
    const void *node;  // JSON_OBJECT and JSON_ARRAY: for json_each
};

struct json_reader;

// A reader keeps its memory between reads; one per thread. json_reader_free takes NULL.
struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *r);

// json_member is called for each member of an object in the order of the text (name is
// not NUL-terminated) or each element of an array (name NULL). Returning anything but
// OUTCOME_OK ends the walk with that outcome.
typedef enum outcome json_member(void *arg, const char *name, size_t name_len,
                                 const struct json_value *value, struct err *err);

// json_read checks all bytes as one JSON object (UTF-8, depth, nothing behind it) and
// then calls member for each of its members. Values are valid until the next json_read.
//   OUTCOME_REJECT  it is not a JSON object; the text says what is wrong.
//   else            what member returned.
MUST_CHECK enum outcome json_read(struct json_reader *r, const char *bytes, size_t len,
                                  json_member *member, void *arg, struct err *err);

// json_each walks the members or elements of a JSON_OBJECT or JSON_ARRAY value that
// came from the latest json_read.
MUST_CHECK enum outcome json_each(const struct json_value *value, json_member *member,
                                  void *arg, struct err *err);

#endif
