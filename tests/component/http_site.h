// http_site.h: an HTTP server with a few routes for tests, on a loop of its own.
#ifndef HTTP_SITE_H
#define HTTP_SITE_H

#include "buf.h"
#include "http_server.h"
#include "loop_thread.h"
#include "raw_http.h"

enum { SITE_LATER_MAX = 512, SITE_BODY_MAX_BYTES = 1000, SITE_BIG_BYTES = 1 << 20 };

struct site {
    struct loop_thread loop;
    struct http_server *server;
    struct metrics *metrics;
    struct reactor_timer *later;
    struct http_request *waiting[SITE_LATER_MAX];
    size_t waiting_count;
    size_t answer_at;  // that many wait: answer all; 0 = only when told
    size_t calls;      // of any handler
    int port;
    size_t seen;  // what a job read on the loop's thread
    struct buf exposition;
    struct http_server_settings set;
    struct http_limits limits;  // set points here
};

// site_setup and site_teardown are for cmocka; site_start opens the server with
// site->set.
int site_setup(void **state);
int site_teardown(void **state);
void site_start(struct site *site);

// Jobs for loop_do. The readers leave what they read in site->seen.
void site_close(void *site);
void site_answer_all(void *site);
void site_read_in_hand(void *site);
void site_read_waiting(void *site);
void site_read_calls(void *site);
size_t site_ask(struct site *site, void (*job)(void *site));

// site_wait_for waits until job reads wanted; it fails the test after RAW_WAIT_S.
void site_wait_for(struct site *site, void (*job)(void *site), size_t wanted);

// site_routes: GET /hello /big /split /empty/* /items/* /items/special, DELETE /items/*,
// POST /json (application/json) /echo /later.
extern const struct http_route site_routes[];

// talk says text and reads the one answer to it.
struct raw_message talk(int fd, const char *text);
void assert_talk(int fd, const char *text, int status, const char *body);
void assert_answer(int fd, int status, const char *body);

#define HOST      "Host: test\r\n"
#define JSON      "Content-Type: application/json\r\n"
#define LENGTH(n) "Content-Length: " n "\r\n"

#define GET_HELLO  "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define POST_LATER "POST /later HTTP/1.1\r\n" HOST LENGTH("2") "\r\nhi"

#endif
