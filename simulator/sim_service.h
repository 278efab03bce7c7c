// sim_service.h: the senders of an account, and the Messaging Services that pool them.
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include "sim_sids.h"

enum {
    SIM_ACCOUNT_NAME_BYTES = 65,  // 64 characters of ASCII, as Twilio cuts
    SIM_SENDER_BYTES = 32,
};

// Where a webhook goes. NULL url = nowhere.
struct sim_hook {
    char *url, *fallback_url;
    bool is_get, is_fallback_get;
};

// A number, short code or alphanumeric sender that the account owns.
struct sim_sender {
    char sender[SIM_SENDER_BYTES];  // first: the key of the table
    char sid[SIM_SIDS_TEXT_BYTES];  // PN, SC or AI
    char name[SIM_ACCOUNT_NAME_BYTES];
    const char *type;  // as account_sender_type
    struct sim_hook sms;
    char *status_callback;  // NULL = none
    int64_t created_us, updated_us;
};

struct sim_service {
    char sid[SIM_SIDS_TEXT_BYTES];  // first: the key of the table
    char name[SIM_ACCOUNT_NAME_BYTES];
    char usecase[SIM_ACCOUNT_NAME_BYTES];
    struct sim_hook inbound;
    char *status_callback;
    int validity_s;
    bool sticky_sender, mms_converter, smart_encoding, fallback_to_long_code;
    bool area_code_geomatch, synchronous_validation, use_inbound_webhook_on_number;
    const char *scan_message_content;  // "inherit", "enable", "disable"
    struct sim_sender **pool;          // borrowed from the account
    const char **pool_texts;           // their senders, in the same order
    size_t pool_count;
    int64_t created_us, updated_us;
};

// sim_sender_free and sim_service_free free their texts too.
void sim_sender_free(struct sim_sender *sender);
void sim_service_free(struct sim_service *service);

// sim_service_add returns false when the sender is in the pool already.
bool sim_service_add(struct sim_service *service, struct sim_sender *sender);
void sim_service_remove(struct sim_service *service, const struct sim_sender *sender);
bool sim_service_has(const struct sim_service *service, const char *sender);

#endif
