// http_listen.h: listening TCP sockets and the addresses of those who come.
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base.h"

struct sockaddr;

enum { HTTP_PEER_BYTES = 46 };  // the longest IPv6 address and a NUL

// http_listen opens a non-blocking socket on address ("127.0.0.1", "::", a name) and port
// (0 = any free one); *port is the one it got.
//   OUTCOME_FATAL  in use, not allowed, no such address: the text names address and port.
MUST_CHECK enum outcome http_listen(int *fd, int *port, const char *address,
                                    int64_t wanted_port, struct err *err);

// http_peer_text writes an IPv4 or IPv6 address as text; IPv4 inside IPv6 as IPv4.
void http_peer_text(char out[HTTP_PEER_BYTES], const struct sockaddr *address);

#endif
