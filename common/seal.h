// seal.h: AES-256-GCM envelopes for numbers and texts, so that neither Kafka nor
// PostgreSQL holds one in clear. The data key is derived per month from a master key.
#ifndef SEAL_H
#define SEAL_H

#include "base.h"

struct buf;
struct seal;

// Layout: version 1 (1 byte) ‖ key id (1) ‖ month since 1970-01 (2, big-endian) ‖ nonce
// (12) ‖ ciphertext ‖ tag (16).
enum { SEAL_OVERHEAD_BYTES = 32, SEAL_KEYS_MAX = 8, SEAL_AAD_BYTES = 20 };

// seal_new reads "1:<64 hex>,2:<64 hex>": ids 1..255; the last one seals.
//   OUTCOME_REJECT  malformed; the text says where.
MUST_CHECK enum outcome seal_new(struct seal **out, const char *keys, struct err *err);
void seal_free(struct seal *s);

// seal_close appends the envelope of plain to out; aad is bound, not stored. The month
// is that of wall_us.
void seal_close(struct seal *s, int64_t wall_us, const void *aad, size_t aad_len,
                const void *plain, size_t len, struct buf *out);

// seal_open appends the plain bytes.
//   OUTCOME_REJECT  unknown version or key id, cut, changed, or sealed for another aad.
MUST_CHECK enum outcome seal_open(struct seal *s, const void *aad, size_t aad_len,
                                  const void *sealed, size_t len, struct buf *out,
                                  struct err *err);

// seal_message_aad writes what a message's content is bound to: its id ‖ its client as 4
// bytes big-endian.
void seal_message_aad(unsigned char out[SEAL_AAD_BYTES], const unsigned char id[16],
                      int32_t client);

#endif
