// http_client.h: many HTTP/1.1 requests at a time on the reactor. libcurl makes the
// connections (http_link.h): names, proxies, TLS. Requests and answers are written and
// read here, so no request is ever sent twice.
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base.h"

struct http_client;
struct reactor;

enum { HTTP_CLIENT_ANSWER_MAX_BYTES = 65536 };

struct http_client_settings {
    size_t in_flight_max;       // requests at a time = connections
    int64_t connect_us;         // 3 s
    int64_t total_us;           // 35 s
    size_t answer_max_bytes;    // a longer answer is cut off: "in doubt" for its sender
    const char *user_password;  // "user:password" for Basic auth, or NULL
    const char *ca_file;        // NULL = the system's
    const char *user_agent;
};

// The gate runs when the connection stands and before the first byte of the request
// leaves, maybe inside submit. Returning false stops it: nothing left us. A kept
// connection that closes before an answer may have taken the request: it is not sent
// again and ends as left_us with status 0. A gate calls nothing of this client.
typedef bool http_gate(void *arg);

struct http_call {
    const char *method;        // "POST", "GET"
    const char *url;           // copied
    const char *content_type;  // NULL without a body; a literal
    const char *body;          // copied
    size_t body_len;
    const char *const *headers;  // extra "Name: value" lines, NULL-ended, or NULL; copied
    http_gate *gate;             // NULL = always open
    int64_t connect_us, total_us;  // at least 1 ms; 0 = those of the settings
};

struct http_answer {
    bool left_us;            // at least one byte of the request may have left
    bool is_new_connection;  // one was opened for it
    bool was_cut;            // a kept connection closed before a byte of the answer
    int status;              // 0: no complete answer came
    const char *body;        // borrowed during done; NUL-terminated
    size_t body_len;
    const char *content_type;  // likewise; "" if the answer names none
    int64_t retry_after_us;    // Retry-After in seconds form, else -1
    int64_t took_us;
    const char *error;  // why status is 0, else ""
};

typedef void http_done(void *arg, const struct http_answer *answer);

MUST_CHECK enum outcome http_client_open(struct http_client **out, struct reactor *r,
                                         const struct http_client_settings *set,
                                         struct err *err);

// http_client_close ends what is in flight without calling done; not from inside done.
void http_client_close(struct http_client *c);

// http_client_submit starts the call and later runs done(arg, answer) exactly once, from
// the loop (never from inside submit). Redirects are not followed, TLS is verified.
// Returns false, and never runs done, when in_flight_max calls are running.
MUST_CHECK bool http_client_submit(struct http_client *c, const struct http_call *call,
                                   http_done *done, void *arg);

// http_client_give_up ends all calls: done runs for each, with status 0, in the next turn
// of the loop. NULL is accepted.
void http_client_give_up(struct http_client *c);

size_t http_client_free_slots(const struct http_client *c);
size_t http_client_in_flight(const struct http_client *c);

#endif
