// sim_message.h: one message that the simulator accepted. Kept small: a million of them
// must fit easily.
#ifndef SIM_MESSAGE_H
#define SIM_MESSAGE_H

#include "base.h"

// In the order of a life; a status is only ever raised.
enum sim_status {
    SIM_STATUS_ACCEPTED,  // a Messaging Service has not picked a sender yet
    SIM_STATUS_QUEUED,
    SIM_STATUS_SENT,
    SIM_STATUS_FAILED,
    SIM_STATUS_DELIVERED,
};

enum {
    SIM_MESSAGE_BODY_MAX_BYTES = 6400,  // 1600 characters of up to 4 bytes
    SIM_MESSAGE_CALLBACK_MAX_BYTES = 4096,
};

struct sim_text {
    const char *bytes;  // not NUL-terminated
    size_t len;
};

// What a create asks for, checked and normalised. Texts are borrowed; empty = not given.
struct sim_draft {
    struct sim_text to, from, service, body, callback;
    int segments;
    int64_t cost_micros;  // what sending it costs
    int fate_code;        // 0, or the error with which it fails after the answer
};

struct sim_message {
    int64_t created_us;   // the simulator's clock: UTC
    int64_t cost_micros;  // billed when sent
    const char *texts;    // to, service, body, callback: each with a NUL
    const char *from;     // NULL until a Messaging Service has picked one
    uint32_t number;      // 1, 2, 3 ... in the order of creation
    uint32_t older_to;    // the number of the previous message to the same phone, or 0
    uint32_t sent_s;      // seconds of UTC; 0 = not sent
    uint32_t updated_s;
    uint32_t fate_code;
    uint16_t service_at, body_at, callback_at, id_at;  // offsets in texts; 0 = not there
    uint16_t body_len, id_len;
    uint8_t segments;
    uint8_t status;  // enum sim_status
    bool price_known;
    bool is_from_picked;  // by the service, after the answer
};

const char *sim_message_to(const struct sim_message *m);
const char *sim_message_service(const struct sim_message *m);   // NULL without one
const char *sim_message_callback(const struct sim_message *m);  // NULL without one
struct sim_text sim_message_body(const struct sim_message *m);

// sim_message_id is the value of m= in the callback's query, empty without one: by it
// the ledger tells one message of the client from another.
struct sim_text sim_message_id(const struct sim_message *m);

// sim_message_error_code is 0 unless the message failed; the text is never NULL.
int sim_message_error_code(const struct sim_message *m);
const char *sim_message_error_text(int code);

// sim_message_first_status is what the answer to the create said.
enum sim_status sim_message_first_status(const struct sim_message *m);

// sim_message_status_word is Twilio's: "queued".
const char *sim_message_status_word(enum sim_status status);

#endif
