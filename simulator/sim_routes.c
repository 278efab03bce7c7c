#include "sim_request.h"

#define ACCOUNT     "/2010-04-01/Accounts/*"
#define MESSAGES    ACCOUNT "/Messages"
#define MEDIA       MESSAGES "/*/Media"
#define KEYS        ACCOUNT "/Keys"
#define NUMBERS     ACCOUNT "/IncomingPhoneNumbers"
#define SHORT_CODES ACCOUNT "/SMS/ShortCodes"
#define USAGE       ACCOUNT "/Usage/Records"
#define TRIGGERS    ACCOUNT "/Usage/Triggers"
#define SERVICE     "/v1/Services/*"
#define COUNTRY     "/v1/Messaging/Countries"

#define POOL(name)                                                                       \
    { "GET", SERVICE name, sim_pool_list }, { "POST", SERVICE name, sim_pool_create },   \
        { "GET", SERVICE name "/*", sim_pool_fetch },                                    \
    {                                                                                    \
        "DELETE", SERVICE name "/*", sim_pool_delete                                     \
    }

const struct sim_route sim_routes[] = {
    { "POST", MESSAGES ".json", sim_messages_create },  // by far the most frequent
    { "GET", MESSAGES ".json", sim_messages_list },
    { "GET", MESSAGES "/*.json", sim_messages_fetch },
    { "POST", MESSAGES "/*.json", sim_messages_update },
    { "DELETE", MESSAGES "/*.json", sim_messages_delete },
    { "GET", MEDIA ".json", sim_media_list },
    { "GET", MEDIA "/*.json", sim_media_fetch },
    { "DELETE", MEDIA "/*.json", sim_media_delete },
    { "GET", MEDIA "/*", sim_media_content },
    { "POST", MESSAGES "/*/Feedback.json", sim_feedback_create },

    { "GET", "/2010-04-01/Accounts.json", sim_accounts_list },
    { "POST", "/2010-04-01/Accounts.json", sim_accounts_create },
    { "GET", ACCOUNT ".json", sim_accounts_fetch },
    { "POST", ACCOUNT ".json", sim_accounts_update },
    { "GET", ACCOUNT "/Balance.json", sim_balance_fetch },
    { "GET", KEYS ".json", sim_keys_list },
    { "POST", KEYS ".json", sim_keys_create },
    { "GET", KEYS "/*.json", sim_keys_fetch },
    { "POST", KEYS "/*.json", sim_keys_update },
    { "DELETE", KEYS "/*.json", sim_keys_delete },
    { "GET", NUMBERS ".json", sim_numbers_list },
    { "POST", NUMBERS ".json", sim_numbers_create },
    { "GET", NUMBERS "/*.json", sim_numbers_fetch },
    { "POST", NUMBERS "/*.json", sim_numbers_update },
    { "DELETE", NUMBERS "/*.json", sim_numbers_delete },
    { "GET", SHORT_CODES ".json", sim_short_codes_list },
    { "GET", SHORT_CODES "/*.json", sim_short_codes_fetch },
    { "POST", SHORT_CODES "/*.json", sim_short_codes_update },
    { "GET", USAGE ".json", sim_usage_list },
    { "GET", USAGE "/*.json", sim_usage_list_period },
    { "GET", TRIGGERS ".json", sim_triggers_list },
    { "POST", TRIGGERS ".json", sim_triggers_create },
    { "GET", TRIGGERS "/*.json", sim_triggers_fetch },
    { "POST", TRIGGERS "/*.json", sim_triggers_update },
    { "DELETE", TRIGGERS "/*.json", sim_triggers_delete },

    { "GET", "/v1/Services", sim_services_list },
    { "POST", "/v1/Services", sim_services_create },
    { "GET", SERVICE, sim_services_fetch },
    { "POST", SERVICE, sim_services_update },
    { "DELETE", SERVICE, sim_services_delete },
    POOL("/PhoneNumbers"),
    POOL("/ShortCodes"),
    POOL("/AlphaSenders"),

    { "GET", COUNTRY, sim_pricing_list },
    { "GET", COUNTRY "/*", sim_pricing_fetch },
    { 0 },
};
