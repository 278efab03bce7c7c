// sim_message.h: one message that the simulator accepted or received. Kept small: a
// million of them must fit easily.
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include "sim_sids.h"

// In the order of a life; a status is only ever raised.
enum sim_status {
    SIM_STATUS_SCHEDULED,  // waits for send_at_s; then ACCEPTED
    SIM_STATUS_ACCEPTED,   // a Messaging Service has not picked a sender yet
    SIM_STATUS_QUEUED,
    SIM_STATUS_SENT,
    SIM_STATUS_FAILED,
    SIM_STATUS_CANCELED,
    SIM_STATUS_UNDELIVERED,
    SIM_STATUS_DELIVERED,
    SIM_STATUS_READ,      // WhatsApp only
    SIM_STATUS_RECEIVED,  // inbound: the whole life
};

// What goes wrong with a message after it was accepted.
enum sim_message_fault {
    SIM_MESSAGE_REORDERED = 1,    // its callbacks come last status first
    SIM_MESSAGE_UNDELIVERED = 2,  // fate_code comes after sent, not instead of it
    SIM_MESSAGE_STUCK = 4,        // it stays sent
};

enum sim_direction { SIM_OUTBOUND_API, SIM_OUTBOUND_REPLY, SIM_INBOUND };

enum {
    SIM_MESSAGE_BODY_MAX_BYTES = 6400,  // 1600 characters of up to 4 bytes
    SIM_MESSAGE_CALLBACK_MAX_BYTES = 4096,
    SIM_MESSAGE_MEDIA_MAX = 10,
    SIM_MESSAGE_MEDIA_URL_MAX_BYTES = 2048,
    SIM_MESSAGE_VALIDITY_MAX_S = 36000,
};

struct sim_text {
    const char *bytes;  // not NUL-terminated
    size_t len;
};

// sim_text_copy writes the text as a string; false when it does not fit into size bytes,
// has a NUL, or is not UTF-8: out is untouched then.
bool sim_text_copy(char *out, size_t size, struct sim_text text);

// What a create asks for, checked and normalised. Texts are borrowed; empty = not given.
struct sim_draft {
    struct sim_text to, from, service, body, callback;
    struct sim_text media[SIM_MESSAGE_MEDIA_MAX];
    size_t media_count;
    enum sim_direction direction;
    uint16_t account;  // index in sim_accounts
    int segments;
    int64_t cost_micros;  // what sending it costs: price and carrier fee
    int64_t fee_micros;   // the carrier fee in it
    int fate_code;        // 0, or the error with which it fails after the answer
    int validity_s;       // how long it may wait to be sent; 0 = the longest
    int64_t send_at_us;   // 0, or when a scheduled message begins its life
};

struct sim_message {
    int64_t created_us;   // the simulator's clock: UTC
    int64_t cost_micros;  // billed when sent; with the carrier fee
    const char *texts;    // to, body, service, callback, media: each with a NUL
    const char *from;     // NULL until a Messaging Service has picked one
    uint32_t number;      // 1, 2, 3 ... in the order of creation
    uint32_t older_to;    // the number of the previous message to the same phone, or 0
    uint32_t sent_s;      // seconds of UTC; 0 = not sent
    uint32_t updated_s;
    uint32_t send_at_s;  // 0, or when a scheduled message begins its life
    uint32_t fate_code;
    uint32_t fee_micros;                               // the carrier fee in cost_micros
    uint16_t service_at, body_at, callback_at, id_at;  // offsets in texts; 0 = not there
    uint16_t media_at, body_len, id_len;
    uint16_t media_gone;  // a bit for each medium that was deleted
    uint16_t account;     // index in sim_accounts
    uint16_t validity_s;  // how long it may wait to be sent
    uint8_t segments;
    uint8_t media_count;
    uint8_t status;     // enum sim_status
    uint8_t direction;  // enum sim_direction
    uint8_t faults;     // enum sim_message_fault, ored
    bool price_known;
    bool is_from_picked;  // by the service, after the answer
    bool is_deleted;      // by the account: neither fetched nor listed any more
};

// sim_message_sid writes the SID of m: MM with media, SM without.
void sim_message_sid(char out[SIM_SIDS_TEXT_BYTES], struct sim_sids *sids,
                     const struct sim_message *m);

const char *sim_message_to(const struct sim_message *m);
const char *sim_message_service(const struct sim_message *m);   // NULL without one
const char *sim_message_callback(const struct sim_message *m);  // NULL without one
struct sim_text sim_message_body(const struct sim_message *m);

// sim_message_media returns the address of medium i, below media_count.
const char *sim_message_media(const struct sim_message *m, size_t i);

// sim_message_id is the value of m= in the callback's query, empty without one: by it
// the ledger tells one message of the client from another.
struct sim_text sim_message_id(const struct sim_message *m);

// sim_message_is_whatsapp: the recipient has an address of that channel.
bool sim_message_is_whatsapp(const struct sim_message *m);

// sim_message_is_final: no status follows, but for read.
bool sim_message_is_final(const struct sim_message *m);

// sim_message_error_code is 0 unless the message failed or was not delivered.
int sim_message_error_code(const struct sim_message *m);

// sim_message_first_status is what the answer to the create said.
enum sim_status sim_message_first_status(const struct sim_message *m);

// sim_message_status_word is Twilio's: "queued"; sim_message_direction_word too.
const char *sim_message_status_word(enum sim_status status);
const char *sim_message_direction_word(const struct sim_message *m);

#endif
