// http_link.h: connections to HTTP servers, made by libcurl on the reactor: names,
// proxies, TLS and its verification are libcurl's; the bytes that go over them are the
// caller's. libcurl sends nothing of its own but what TLS or a proxy needs.
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include "base.h"

#include <curl/curl.h>

struct http_client_settings;
struct http_links;
struct reactor;

enum http_link_state { HTTP_LINK_CLOSED, HTTP_LINK_DIALLING, HTTP_LINK_OPEN };

// Runs when an open link can be read, or written while http_link_want_room is on.
typedef void http_link_ready(void *arg);

// Runs when a dialled link stands or failed; then it is closed, and link->error tells.
typedef void http_link_dialled(void *arg, bool ok);

struct http_link {
    struct http_links *all;
    CURL *easy;
    enum http_link_state state;
    int fd;  // while open
    bool wants_room;
    int64_t opened_us;
    http_link_dialled *dialled;
    http_link_ready *ready;
    void *arg;
    char error[CURL_ERROR_SIZE];
};

// http_links_new returns NULL when libcurl refuses to start. ca_file of set is borrowed.
struct http_links *http_links_new(struct reactor *r, const char *ca_file);
void http_links_free(struct http_links *all);  // after its last link

// http_link_open prepares a link and connects nothing yet. http_link_free accepts one
// that was zeroed only.
MUST_CHECK bool http_link_open(struct http_link *link, struct http_links *all,
                               http_link_dialled *dialled, http_link_ready *ready,
                               void *arg);
void http_link_free(struct http_link *link);

// http_link_dial connects a closed link to the scheme, host and port of url. dialled runs
// later, from the loop, unless http_link_close comes first.
void http_link_dial(struct http_link *link, const char *url, int64_t connect_us);
void http_link_close(struct http_link *link);

// http_link_send and http_link_read return how many bytes went: 0 = none at the moment,
// -1 = the connection has ended or failed.
ssize_t http_link_send(struct http_link *link, const char *bytes, size_t len);
ssize_t http_link_read(struct http_link *link, char *bytes, size_t room);

void http_link_want_room(struct http_link *link, bool on);

// http_link_is_quiet says whether the kernel has nothing for us on an idle link: neither
// its end nor bytes that nobody asked for.
bool http_link_is_quiet(const struct http_link *link);

#endif
