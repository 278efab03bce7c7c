#include "sim_request.h"

#define ACCOUNT  "/2010-04-01/Accounts/*"
#define MESSAGES ACCOUNT "/Messages"
#define MEDIA    MESSAGES "/*/Media"

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
    { 0 },
};
