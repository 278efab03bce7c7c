// http_caller.h: an HTTP client on a loop of its own, and a socket where its test plays
// the peer: take the connection, read the request byte by byte, answer or cut the line.
#ifndef HTTP_CALLER_H
#define HTTP_CALLER_H

#include "http_client.h"
#include "loop_thread.h"
#include "raw_http.h"

enum { CALLER_ANSWER_MAX_BYTES = 1000, CALLER_TEXT_BYTES = 2048 };

struct caller {
    struct loop_thread loop;
    struct http_client *client;
    struct http_client_settings set;
    int listen_fd, port;  // where the test listens
    char url[CALLER_TEXT_BYTES];
    struct http_call call;  // what caller_submit sends: POST "hello" to url
    bool taken;             // what the latest submit returned
    bool gate_open;
    int gate_calls;
    int again;  // done submits so many times more
    sem_t done;
    int done_calls;
    struct {  // a copy of what done was given
        bool left_us;
        int status;
        char body[CALLER_TEXT_BYTES];
        size_t body_len;
        int64_t retry_after_us, took_us;
        char error[CALLER_TEXT_BYTES];
    } seen;
};

// caller_setup and caller_teardown are for cmocka; caller_start opens the client with
// caller->set.
int caller_setup(void **state);
int caller_teardown(void **state);
void caller_start(struct caller *c);

// Jobs for loop_do. caller_idle does nothing: what had happened when it was given has
// been seen by the loop after two of them.
void caller_close(void *caller);
void caller_try(void *caller);
void caller_idle(void *caller);

void caller_submit(struct caller *c);
void caller_wait(struct caller *c);  // until done has run once more

// caller_take accepts the client's connection; caller_is_dialled says whether one waits,
// and is asked when all that can happen has happened.
int caller_take(struct caller *c);
bool caller_is_dialled(const struct caller *c);

// caller_first lets one request through, so that a connection stands and is idle.
int caller_first(struct caller *c);

void assert_request(int fd, const char *body);
void assert_seen(const struct caller *c, bool left_us, int status);

#define ANSWER(status, body_len, rest)                                                   \
    "HTTP/1.1 " status "\r\nContent-Length: " body_len "\r\n" rest
#define CREATED ANSWER("201 Created", "2", "\r\nok")

#endif
