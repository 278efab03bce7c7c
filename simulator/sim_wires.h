// sim_wires.h: POSTs over plain HTTP/1.1 to numeric addresses, over connections that are
// kept: a few system calls each. What is more than that is libcurl's (sim_caller.c).
#ifndef SIM_WIRES_H
#define SIM_WIRES_H

#include "sim_caller.h"

struct sim_wire_target;
struct sim_wires;

// sim_wires_new makes room for count calls at a time.
struct sim_wires *sim_wires_new(struct reactor *r, size_t count);

// sim_wires_free ends what is in flight without calling done.
void sim_wires_free(struct sim_wires *w);

// sim_wires_submit: see sim_caller_submit; target is that of the call. A kept connection
// that closes before an answer begins is no try: the call goes over a new one.
MUST_CHECK bool sim_wires_submit(struct sim_wires *w, const struct sim_call *call,
                                 const struct sim_wire_target *target,
                                 sim_call_done *done, void *arg);

#endif
