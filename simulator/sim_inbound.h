// sim_inbound.h: a person writes to a sender of an account: POST /_sim/inbound. The
// message is recorded and billed, opt-out words are obeyed, the webhook is called, and
// the TwiML that answers it is run. The request is answered when all that has happened.
#ifndef SIM_INBOUND_H
#define SIM_INBOUND_H

#include "base.h"

struct http_request;
struct sim_inbound;
struct simulator;

enum { SIM_INBOUND_REDIRECTS_MAX = 10 };

struct sim_inbound *sim_inbound_new(struct simulator *sim);
void sim_inbound_free(struct sim_inbound *in);

// sim_inbound_clear answers those whose webhooks were just forgotten
// (sim_webhooks_clear): goes with a reset.
void sim_inbound_clear(struct sim_inbound *in);

// sim_inbound_handle answers the path; arg is the simulator.
void sim_inbound_handle(void *arg, struct http_request *req);

#endif
