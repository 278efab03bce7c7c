// message_id.h: the identity of a message at every hop: a UUIDv7 (RFC 9562, 5.7) whose
// last 32 bits are a keyed tag over the other 96 and the client. So the API knows an id
// of its client before any row exists, and answers 404 to everybody else's.
#ifndef MESSAGE_ID_H
#define MESSAGE_ID_H

#include "base.h"

enum { MESSAGE_ID_BYTES = 16, MESSAGE_ID_TEXT_BYTES = 37 };

struct mac;

// message_id_new makes an id of this moment: 48 bits of milliseconds, 42 random bits, and
// the first 32 bits of the mac as tag.
void message_id_new(unsigned char id[MESSAGE_ID_BYTES], int64_t wall_ms, int32_t client,
                    struct mac *tags);

// message_id_is_of tells, in constant time, whether the tag is right for this client.
bool message_id_is_of(const unsigned char id[MESSAGE_ID_BYTES], int32_t client,
                      struct mac *tags);

// message_id_parse reads the 36-character form, upper or lower case, version 7 and RFC
// variant only. message_id_format writes 36 lower-case characters and a NUL.
MUST_CHECK bool message_id_parse(unsigned char id[MESSAGE_ID_BYTES], const char *text,
                                 size_t len);
void message_id_format(char text[MESSAGE_ID_TEXT_BYTES],
                       const unsigned char id[MESSAGE_ID_BYTES]);

// message_id_ms is the moment it was made, UTC.
int64_t message_id_ms(const unsigned char id[MESSAGE_ID_BYTES]);

#endif
