// sim_sids.h: the simulator's identifiers. A SID is one AES block over a message number,
// so it looks random, repeats with the same seed, and is turned back without a table.
#ifndef SIM_SIDS_H
#define SIM_SIDS_H

#include "base.h"

enum { SIM_SIDS_TEXT_BYTES = 35, SIM_SIDS_TOKEN_BYTES = 37 };  // with the NUL

struct sim_sids;

// sim_sids_new takes its key from seed; with an empty seed the key is random.
struct sim_sids *sim_sids_new(const char *seed);
void sim_sids_free(struct sim_sids *s);

// sim_sids_renew begins a new generation: the same numbers give other SIDs, and the old
// SIDs are unknown from now on.
void sim_sids_renew(struct sim_sids *s);

// sim_sids_message writes "SM" and 32 hex digits (see sim_message_sid); sim_sids_request
// writes "RQ" and 32.
void sim_sids_message(struct sim_sids *s, uint32_t number, char out[SIM_SIDS_TEXT_BYTES]);
void sim_sids_request(struct sim_sids *s, uint64_t count, char out[SIM_SIDS_TEXT_BYTES]);

// sim_sids_other writes the SID of another resource: two capital letters for its kind,
// and 32 hex digits from number, which tells resources of one kind apart.
void sim_sids_other(struct sim_sids *s, const char *kind, uint64_t number,
                    char out[SIM_SIDS_TEXT_BYTES]);

// sim_sids_token writes the idempotency token of one callback, in the form of a UUID.
void sim_sids_token(struct sim_sids *s, uint32_t number, unsigned status,
                    char out[SIM_SIDS_TOKEN_BYTES]);

// sim_sids_read gives the message number back.
// Returns false for anything but a message SID, SM or MM, of this generation.
MUST_CHECK bool sim_sids_read(struct sim_sids *s, const char *text, size_t len,
                              uint32_t *number);

#endif
