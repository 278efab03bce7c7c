// content.h: a message's number and text, sealed for its record and its row. They are
// bound to its id and client, so that no other message can be given them.
#ifndef CONTENT_H
#define CONTENT_H

#include "wire_records.h"

struct buf;
struct json_reader;
struct seal;
struct wire_memory;

// content_seal appends the envelope of content to out; wall_us chooses the month's key.
void content_seal(struct seal *seal, const unsigned char id[16], int32_t client,
                  int64_t wall_us, const struct sms_content *content, struct buf *out);

// content_open fills out, whose texts live until wire_free(*memory).
//   OUTCOME_REJECT  sealed for another message, changed, by a key that is not set, or no
//                   content; err may be NULL.
MUST_CHECK enum outcome content_open(struct seal *seal, struct json_reader *json,
                                     const unsigned char id[16], int32_t client,
                                     struct wire_bytes sealed, struct sms_content *out,
                                     struct wire_memory **memory, struct err *err);

#endif
