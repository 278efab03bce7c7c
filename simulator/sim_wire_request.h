// sim_wire_request.h: where a call over a wire goes, and its bytes. Pure.
#ifndef SIM_WIRE_REQUEST_H
#define SIM_WIRE_REQUEST_H

#include "sim_caller.h"

#include <netinet/in.h>

struct buf;

// Texts are borrowed from the URL.
struct sim_wire_target {
    struct sockaddr_in address;
    struct sim_text host, path;  // as they stand in the URL; path with its query
};

// sim_wire_target_read splits the URL. Returns false for anything but http, an IPv4
// address or localhost, without a user in front.
bool sim_wire_target_read(struct sim_wire_target *out, struct sim_text url);

// sim_wire_request writes head and body of the call into out.
void sim_wire_request(struct buf *out, const struct sim_call *call,
                      const struct sim_wire_target *target);

#endif
