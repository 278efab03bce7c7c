// sim_request.h: one request to the API, from the route table to its answer.
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include "buf.h"
#include "form.h"
#include "sim_account.h"
#include "sim_error.h"

struct http_request;
struct sim_fault;
struct sim_page;
struct simulator;

enum { SIM_REQUEST_IDS = 3, SIM_REQUEST_ID_BYTES = 64 };

struct sim_request {
    struct simulator *sim;
    struct http_request *http;
    const char *path;
    struct sim_account *caller;                       // whose credentials came along
    struct sim_account *account;                      // whose resources the path is about
    char ids[SIM_REQUEST_IDS][SIM_REQUEST_ID_BYTES];  // what stands for '*' in the path
    struct form form;                                 // of the body; empty without one
    struct buf *out;                                  // the answer's body; empty = none
    int status;                     // of the answer; 200 unless the handler says else
    bool is_late;                   // answered when the delay of creates is over
    const struct sim_fault *fault;  // what goes wrong with it; NULL = nothing
    uint32_t created;               // the number of the message that it made; 0 = none
    const char *location;           // of a redirection; NULL = none
};

// A handler fills out and status, or error. It answers nothing itself.
typedef enum outcome sim_handler(struct sim_request *r, struct sim_error *error);

// '*' in a path stands for some characters other than '/' and '.'.
struct sim_route {
    const char *method;  // NULL ends the table
    const char *path;
    sim_handler *fn;
};

// sim_routes holds every path of Twilio's that the simulator knows.
extern const struct sim_route sim_routes[];

// sim_request_not_found answers that the path leads to nothing.
enum outcome sim_request_not_found(const struct sim_request *r, struct sim_error *error);

// sim_request_param returns the form's first value of that name as a text of its own, at
// most max bytes; NULL when it is not there. Free it. *is_bad: it is too long or not
// UTF-8.
char *sim_request_param(const struct sim_request *r, const char *name, size_t max,
                        bool *is_bad);

// sim_request_bad_param answers 20001 with the name of the parameter.
enum outcome sim_request_bad_param(struct sim_error *error, const char *name);

// sim_request_name copies FriendlyName if it is there; false: it is too long.
bool sim_request_name(const struct sim_request *r, char name[SIM_ACCOUNT_NAME_BYTES]);

// Handlers of the route table, by file.
sim_handler sim_messages_create, sim_messages_list, sim_messages_fetch;
sim_handler sim_messages_update, sim_messages_delete;
sim_handler sim_media_list, sim_media_fetch, sim_media_delete, sim_media_content;
sim_handler sim_feedback_create;
sim_handler sim_accounts_list, sim_accounts_create, sim_accounts_fetch;
sim_handler sim_accounts_update, sim_balance_fetch;
sim_handler sim_keys_list, sim_keys_create, sim_keys_fetch;
sim_handler sim_keys_update, sim_keys_delete;
sim_handler sim_numbers_list, sim_numbers_create, sim_numbers_fetch;
sim_handler sim_numbers_update, sim_numbers_delete;
sim_handler sim_short_codes_list, sim_short_codes_fetch, sim_short_codes_update;
sim_handler sim_usage_list, sim_usage_list_period;
sim_handler sim_triggers_list, sim_triggers_create, sim_triggers_fetch;
sim_handler sim_triggers_update, sim_triggers_delete;
sim_handler sim_services_list, sim_services_create, sim_services_fetch;
sim_handler sim_services_update, sim_services_delete;
sim_handler sim_pool_list, sim_pool_create, sim_pool_fetch, sim_pool_delete;
sim_handler sim_pricing_list, sim_pricing_fetch;

#endif
