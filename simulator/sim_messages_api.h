// sim_messages_api.h: what the subresources of a message share with it.
#ifndef SIM_MESSAGES_API_H
#define SIM_MESSAGES_API_H

#include "sim_message.h"

struct sim_request;

// sim_messages_find returns the message whose SID is the second '*' of the path, NULL
// when the account has none of that SID.
struct sim_message *sim_messages_find(const struct sim_request *r);

// sim_media_type guesses the content type of a medium from its address.
const char *sim_media_type(const char *url);

#endif
