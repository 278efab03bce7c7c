// http_socket.h: watches libcurl's sockets on the reactor. A connection that waits for
// its next request stays registered, which saves two system calls per request.
#ifndef HTTP_SOCKET_H
#define HTTP_SOCKET_H

#include "base.h"

#include <curl/curl.h>

struct http_sockets;
struct reactor;

// events are CURL_CSELECT_... bits, for curl_multi_socket_action.
typedef void http_socket_ready(void *arg, int fd, int events);

// http_sockets_free comes after the last curl_multi_cleanup and curl_easy_cleanup.
struct http_sockets *http_sockets_new(struct reactor *r);
void http_sockets_free(struct http_sockets *all);

// http_sockets_use_multi calls fn(arg, ...) for the sockets of this multi handle; each
// easy handle that is ever added to it needs http_sockets_use_easy.
void http_sockets_use_multi(struct http_sockets *all, CURLM *multi, http_socket_ready *fn,
                            void *arg);
void http_sockets_use_easy(struct http_sockets *all, CURL *easy);

#endif
