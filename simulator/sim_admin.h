// sim_admin.h: the simulator's own paths: /_sim/..., /healthz, and its metrics.
#ifndef SIM_ADMIN_H
#define SIM_ADMIN_H

#include "base.h"

struct http_request;
struct metrics;
struct simulator;

enum { SIM_ADMIN_ROWS = 1000, SIM_ADMIN_ROWS_MAX = 10000 };

// Each answers one path (docs/simulator.md); arg is the simulator.
void sim_admin_health(void *arg, struct http_request *req);
void sim_admin_ledger(void *arg, struct http_request *req);
void sim_admin_messages(void *arg, struct http_request *req);
void sim_admin_delays(void *arg, struct http_request *req);
void sim_admin_set_delays(void *arg, struct http_request *req);
void sim_admin_accounts(void *arg, struct http_request *req);
void sim_admin_alerts(void *arg, struct http_request *req);
void sim_admin_set_account(void *arg, struct http_request *req);
void sim_admin_faults(void *arg, struct http_request *req);
void sim_admin_add_fault(void *arg, struct http_request *req);
void sim_admin_remove_faults(void *arg, struct http_request *req);
void sim_admin_clock(void *arg, struct http_request *req);
void sim_admin_set_clock(void *arg, struct http_request *req);
void sim_admin_reset(void *arg, struct http_request *req);

// sim_admin_add_metrics declares the simulator's series; sim is borrowed.
void sim_admin_add_metrics(struct simulator *sim, struct metrics *metrics);

#endif
