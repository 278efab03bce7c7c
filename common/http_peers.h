// http_peers.h: counts connections per address, so that one address cannot take them all.
// IPv6 counts by /64: who has one address there has all of them.
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "base.h"

struct http_peer;
struct http_peers;
struct sockaddr;

struct http_peers *http_peers_new(void);
void http_peers_free(struct http_peers *peers);  // with all that were not left

// http_peers_enter counts one more connection from address; NULL when there are max
// already (0 = no limit). http_peers_leave takes it back; NULL is accepted.
struct http_peer *http_peers_enter(struct http_peers *peers,
                                   const struct sockaddr *address, size_t max);
void http_peers_leave(struct http_peers *peers, struct http_peer *peer);

#endif
