// sim_api.h: the paths of Twilio: who may ask, and which handler answers (sim_request.h).
#ifndef SIM_API_H
#define SIM_API_H

#include "base.h"

struct http_request;
struct sim_api;
struct simulator;

struct sim_api *sim_api_new(struct simulator *sim);

void sim_api_free(struct sim_api *api);

// sim_api_clear counts requests anew, for faults.
void sim_api_clear(struct sim_api *api);

// sim_api_handle answers any request that is not the simulator's own; arg is the
// simulator.
void sim_api_handle(void *arg, struct http_request *req);

#endif
