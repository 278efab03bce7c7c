// sim_services_api.h: what the resources of Messaging v1 share.
#ifndef SIM_SERVICES_API_H
#define SIM_SERVICES_API_H

#include "sim_request.h"

// The host in their addresses: clients follow it, and are pointed at the simulator by it.
#define SIM_SERVICES_HOST "https://messaging.twilio.com"

// sim_services_find returns the service of the path, or NULL.
struct sim_service *sim_services_find(const struct sim_request *r);

#endif
