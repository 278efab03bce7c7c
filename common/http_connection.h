// http_connection.h: one connection of the HTTP server: reads requests, hands them over
// one after the other, writes the answers in the same order. Shared by the files of the
// HTTP server; others use http_server.h.
//
//   HEAD -> BODY -> HANDLER -> IDLE -> HEAD ...     and at the end: WRITE -> LINGER
//
// Each phase but HANDLER has a deadline that nothing the peer sends can move.
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "buf.h"
#include "http_chunks.h"
#include "http_head.h"
#include "http_listen.h"
#include "http_server.h"

struct http_peer;
struct http_request;
struct http_server;
struct sockaddr;

enum http_phase {
    HTTP_PHASE_IDLE,     // waits for the next request
    HTTP_PHASE_HEAD,     // waits for the rest of a head, or for the first one
    HTTP_PHASE_BODY,     // waits for the rest of a body
    HTTP_PHASE_HANDLER,  // a handler has the request; nothing is read meanwhile
    HTTP_PHASE_WRITE,    // the peer does not take its answers
    HTTP_PHASE_LINGER,   // the last answer is out; what still comes is dropped
    HTTP_PHASES
};

struct http_connection {
    struct http_server *server;
    struct http_connection *prev, *next;  // in the queue of its phase
    enum http_phase phase;
    int64_t due_us;
    int fd;           // -1 once the connection is lost while a handler has the request
    uint32_t events;  // that the reactor watches for
    struct http_peer *counted;
    char peer[HTTP_PEER_BYTES];
    bool eof;   // the peer sends no more
    bool last;  // close when the answers are out
    bool cut;   // and at once, whether they are out or not
    struct http_connection *next_ready;
    int64_t served;  // requests answered
    struct buf in;   // came and was not used yet
    struct buf out;  // answers; sent_bytes of them are out
    size_t sent_bytes;
    struct http_scan scan;  // of the head that comes
    struct http_chunks chunks;
    uint64_t body_left;        // when not chunked
    size_t lingered_bytes;     // dropped after the last answer
    struct http_request *req;  // NULL between requests
};

// http_connection_open takes fd. Without a peer entry (NULL: its address, or all, have
// too many) the connection is refused with 503 and ended. It may be gone on return.
void http_connection_open(struct http_server *s, int fd, const struct sockaddr *address,
                          struct http_peer *counted);

// http_connection_ready makes the server go on with c later in this turn, after the
// handler of its request has answered.
void http_connection_ready(struct http_connection *c);

// http_connection_resume is that going on. c may be gone afterwards.
void http_connection_resume(struct http_connection *c);

// http_connection_expire ends a wait that took too long. c may be gone afterwards.
void http_connection_expire(struct http_connection *c);

// http_connection_drop closes c at once; when a handler has its request, c stays until
// that is answered, and the answer is dropped.
void http_connection_drop(struct http_connection *c);

// http_connection_move begins the next phase and its deadline.
void http_connection_move(struct http_connection *c, enum http_phase phase);

// http_connection_unsent returns the bytes of answers that wait to be written.
size_t http_connection_unsent(const struct http_connection *c);

#endif
