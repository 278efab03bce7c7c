#include "http_link.h"

#include "reactor.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_CACHE_S = 60 };

struct http_links {
    struct reactor *reactor;
    CURLM *multi;
    CURLSH *share;  // TLS sessions
    struct reactor_timer *timer;
    const char *ca_file;
};

// A socket on which libcurl dials.
struct socket {
    struct http_links *all;
    int fd;
};

static void on_open(struct http_link *link)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    char byte;
    size_t n;

    // The first call gives the connection to its handle for good: without it libcurl
    // would take it for an idle one, which it may close.
    (void)curl_easy_recv(link->easy, &byte, 0, &n);
    (void)curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &fd);
    link->fd = fd;
    link->state = HTTP_LINK_OPEN;
    link->opened_us = clock_boot_us();
    http_link_want_room(link, false);
}

static void finish_all(struct http_links *all)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(all->multi, &left))) {
        struct http_link *link;
        CURLcode rc = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &link);
        if (rc == CURLE_OK) {
            on_open(link);
        } else {
            if (!link->error[0])
                memcpy(link->error, curl_easy_strerror(rc),
                       strlen(curl_easy_strerror(rc)) + 1);
            http_link_close(link);
        }
        link->dialled(link->arg, rc == CURLE_OK);
    }
}

// --- what libcurl asks of the reactor ---

static void on_socket_ready(void *arg, uint32_t events)
{
    struct socket *s = arg;
    struct http_links *all = s->all;
    int bits = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    int running;

    (void)curl_multi_socket_action(all->multi, s->fd, bits, &running);  // s may be gone
    finish_all(all);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct http_links *all = arg;
    struct socket *s = known;
    uint32_t wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        reactor_unwatch(all->reactor, fd);
        free(s);
        return 0;
    }
    if (!s) {
        s = xcalloc(1, sizeof(*s));
        *s = (struct socket){ all, fd };
        (void)curl_multi_assign(all->multi, fd, s);
    }
    // The kernel refuses only when it is out of memory for it: the dial times out then.
    (void)!reactor_watch(all->reactor, fd, wanted, on_socket_ready, s, NULL);
    return 0;
}

static void on_time(void *arg)
{
    struct http_links *all = arg;
    int running;

    (void)curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(all);
}

// Only notes the time: libcurl must not be called from its own callback.
static int on_timer_change(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_links *all = arg;

    (void)multi;
    if (timeout_ms < 0)
        reactor_timer_stop(all->timer);
    else
        reactor_timer_set(all->timer, (int64_t)timeout_ms * 1000);
    return 0;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    (void)arg;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

struct http_links *http_links_new(struct reactor *r, const char *ca_file)
{
    struct http_links *all = xcalloc(1, sizeof(*all));

    all->reactor = r;
    all->ca_file = ca_file;
    all->timer = reactor_timer_new(r, on_time, all);
    all->multi = curl_multi_init();
    all->share = curl_share_init();
    if (!all->multi || !all->share) {
        http_links_free(all);
        return NULL;
    }
    curl_share_setopt(all->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
    curl_multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
    return all;
}

void http_links_free(struct http_links *all)
{
    if (!all)
        return;
    curl_multi_cleanup(all->multi);
    curl_share_cleanup(all->share);
    reactor_timer_free(all->timer);
    free(all);
}

// --- one link ---

bool http_link_open(struct http_link *link, struct http_links *all,
                    http_link_dialled *dialled, http_link_ready *ready, void *arg)
{
    // What judges an idle connection is http_client.c, so libcurl never does.
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        { CURLOPT_CONNECT_ONLY, 1 },
        { CURLOPT_HTTPPROXYTUNNEL, 1 },
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_MAXAGE_CONN, INT32_MAX },
        { CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S },
        { CURLOPT_SSL_VERIFYPEER, 1 },
        { CURLOPT_SSL_VERIFYHOST, 2 },
        { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    };

    *link = (struct http_link){ .all = all, .fd = -1 };
    link->dialled = dialled;
    link->ready = ready;
    link->arg = arg;
    link->easy = curl_easy_init();
    if (!link->easy)
        return false;
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        curl_easy_setopt(link->easy, numbers[i].option, numbers[i].value);
    curl_easy_setopt(link->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(link->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(link->easy, CURLOPT_SHARE, all->share);
    curl_easy_setopt(link->easy, CURLOPT_PRIVATE, link);
    curl_easy_setopt(link->easy, CURLOPT_ERRORBUFFER, link->error);
    if (all->ca_file)
        curl_easy_setopt(link->easy, CURLOPT_CAINFO, all->ca_file);
    return true;
}

void http_link_free(struct http_link *link)
{
    if (link->all)
        http_link_close(link);
    curl_easy_cleanup(link->easy);
    link->easy = NULL;
}

void http_link_dial(struct http_link *link, const char *url, int64_t connect_us)
{
    link->state = HTTP_LINK_DIALLING;
    link->error[0] = '\0';
    curl_easy_setopt(link->easy, CURLOPT_URL, url);
    curl_easy_setopt(link->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_us / 1000));
    // libcurl asks for a timer at once, so it dials in this turn of the loop.
    if (curl_multi_add_handle(link->all->multi, link->easy) != CURLM_OK)
        abort();  // out of memory is all that can fail here
}

void http_link_close(struct http_link *link)
{
    if (link->state == HTTP_LINK_CLOSED)
        return;
    if (link->state == HTTP_LINK_OPEN)
        reactor_unwatch(link->all->reactor, link->fd);
    link->state = HTTP_LINK_CLOSED;
    link->fd = -1;
    (void)curl_multi_remove_handle(link->all->multi, link->easy);  // closes it
}

static void on_ready(void *arg, uint32_t events)
{
    struct http_link *link = arg;

    (void)events;
    link->ready(link->arg);
}

void http_link_want_room(struct http_link *link, bool on)
{
    link->wants_room = on;
    // The kernel refuses only when it is out of memory for it: the call times out then.
    (void)!reactor_watch(link->all->reactor, link->fd,
                         on ? EPOLLIN | EPOLLOUT : (uint32_t)EPOLLIN, on_ready, link,
                         NULL);
}

ssize_t http_link_send(struct http_link *link, const char *bytes, size_t len)
{
    size_t n = 0;
    CURLcode rc = curl_easy_send(link->easy, bytes, len, &n);

    if (rc == CURLE_AGAIN)
        return 0;
    return rc == CURLE_OK ? (ssize_t)n : -1;
}

ssize_t http_link_read(struct http_link *link, char *bytes, size_t room)
{
    size_t n = 0;
    CURLcode rc = curl_easy_recv(link->easy, bytes, room, &n);

    if (rc == CURLE_AGAIN)
        return 0;
    return rc == CURLE_OK && n > 0 ? (ssize_t)n : -1;
}

bool http_link_is_quiet(const struct http_link *link)
{
    struct pollfd p = { .fd = link->fd, .events = POLLIN };
    return poll(&p, 1, 0) == 0;
}
