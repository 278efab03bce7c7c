// sim_account.h: one account of the simulator: who may log in, its senders, its Messaging
// Services, its bill. All accounts live until the simulator ends.
#ifndef SIM_ACCOUNT_H
#define SIM_ACCOUNT_H

#include "sim_service.h"
#include "sim_table.h"
#include "sim_usage.h"

struct sim_signer;
struct sim_trigger;

enum {
    SIM_ACCOUNT_TRIGGERS_MAX = 100,
    SIM_ACCOUNT_SECRET_BYTES = 65,
    SIM_ACCOUNT_SENDERS_EVER_MAX = 1000000,  // removed ones stay in memory
    SIM_ACCOUNT_ROWS_MAX = 10000,            // senders, services, keys of one account
};

enum sim_account_status { SIM_ACCOUNT_ACTIVE, SIM_ACCOUNT_SUSPENDED, SIM_ACCOUNT_CLOSED };

// An API key: its SID and secret log in like the account's own.
struct sim_key {
    char sid[SIM_SIDS_TEXT_BYTES];  // first: the key of the table
    char secret[SIM_ACCOUNT_SECRET_BYTES];
    char name[SIM_ACCOUNT_NAME_BYTES];
    int64_t created_us, updated_us;
};

struct sim_account {
    char sid[SIM_SIDS_TEXT_BYTES];  // first: the key of the table
    char token[SIM_ACCOUNT_SECRET_BYTES];
    char name[SIM_ACCOUNT_NAME_BYTES];
    uint16_t index;
    struct sim_account *owner;  // itself, or the account it is a subaccount of
    enum sim_account_status status;
    bool is_trial;          // sends to verified numbers only
    bool is_test;           // test credentials: nothing is sent, kept or billed
    bool owns_all_senders;  // every sender is its own, listed or not
    bool has_all_services;  // every Messaging Service SID is there once it is used
    bool has_advanced_opt_out;
    char *verified;          // a trial's numbers, with commas; NULL = none
    const char *any_sender;  // what a service without senders picks; NULL = 21704
    int64_t balance_micros;  // at the start
    int64_t created_us, updated_us;
    size_t scheduled_count;  // messages that wait for their SendAt
    struct sim_table senders, services, keys;
    struct sim_table gone;  // senders that were removed: messages still show them
    struct sim_table triggers;
    // of the latest, for the SIDs
    size_t sender_number, service_number, key_number, trigger_number;
    struct sim_usage usage;
    struct sim_signer *signer;  // of the webhooks, with the token
};

struct sim_account *sim_account_new(const char *sid, const char *token, int64_t now_us);
void sim_account_free(struct sim_account *a);

// sim_account_add_sender takes any form account_sender_type knows but a service; returns
// the one there already, NULL when it is none of them or there are too many.
struct sim_sender *sim_account_add_sender(struct sim_account *a, struct sim_sids *sids,
                                          const char *sender, int64_t now_us);

// sim_account_owns tells whether a message may leave as sender.
bool sim_account_owns(const struct sim_account *a, const char *sender);

// sim_account_remove_sender takes it away, and out of every service.
void sim_account_remove_sender(struct sim_account *a, struct sim_sender *sender);

// sim_account_add_service makes one with Twilio's defaults; sid NULL = a new one. NULL
// when there are too many.
struct sim_service *sim_account_add_service(struct sim_account *a, struct sim_sids *sids,
                                            const char *sid, int64_t now_us);
void sim_account_remove_service(struct sim_account *a, struct sim_service *service);

// sim_account_service finds one; with has_all_services it makes one that is not there.
struct sim_service *sim_account_service(struct sim_account *a, struct sim_sids *sids,
                                        const char *sid, size_t len, int64_t now_us);

// sim_account_service_of returns the service whose pool holds sender, or NULL.
struct sim_service *sim_account_service_of(const struct sim_account *a,
                                           const char *sender);

struct sim_key *sim_account_add_key(struct sim_account *a, struct sim_sids *sids,
                                    int64_t now_us);

void sim_account_remove_key(struct sim_account *a, struct sim_key *key);
void sim_account_remove_trigger(struct sim_account *a, struct sim_trigger *t);

// sim_account_sender_of finds a sender by its SID, or returns NULL.
struct sim_sender *sim_account_sender_of(const struct sim_account *a, const char *sid);

// sim_service_pool returns the texts of the pool, or the account's any_sender for an
// empty pool; *count 0: there is none. Borrowed until the pool changes.
const char *const *sim_service_pool(const struct sim_account *a,
                                    const struct sim_service *service, size_t *count);

#endif
