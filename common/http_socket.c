#include "http_socket.h"

#include "reactor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Whom to tell: one per multi handle.
struct user {
    struct http_sockets *all;
    http_socket_ready *fn;
    void *arg;
    struct user *next;
};

struct watched {
    struct http_sockets *all;
    struct user *user;
    int fd;
    bool ours;            // opened and closed by our callbacks, so it may stay registered
    uint32_t wanted;      // what libcurl waits for; 0 while the connection is idle
    uint32_t registered;  // what epoll was told
};

struct http_sockets {
    struct reactor *reactor;
    struct user *users;
    struct watched **by_fd;  // NULL where libcurl has no socket
    size_t count;
};

struct http_sockets *http_sockets_new(struct reactor *r)
{
    struct http_sockets *all = xcalloc(1, sizeof(*all));
    all->reactor = r;
    return all;
}

static void forget(struct http_sockets *all, int fd)
{
    if (fd < 0 || (size_t)fd >= all->count || !all->by_fd[fd])
        return;
    if (all->by_fd[fd]->registered)
        reactor_unwatch(all->reactor, fd);
    free(all->by_fd[fd]);
    all->by_fd[fd] = NULL;
}

void http_sockets_free(struct http_sockets *all)
{
    if (!all)
        return;
    for (size_t fd = 0; fd < all->count; fd++)
        forget(all, (int)fd);
    while (all->users) {
        struct user *user = all->users;
        all->users = user->next;
        free(user);
    }
    free(all->by_fd);
    free(all);
}

static struct watched *find_or_add(struct http_sockets *all, int fd)
{
    size_t count = all->count ? all->count : 64;

    while (count <= (size_t)fd)
        count *= 2;
    if (count > all->count) {
        all->by_fd = xrealloc(all->by_fd, count * sizeof(struct watched *));
        memset(all->by_fd + all->count, 0,
               (count - all->count) * sizeof(struct watched *));
        all->count = count;
    }
    if (!all->by_fd[fd]) {
        all->by_fd[fd] = xcalloc(1, sizeof(struct watched));
        all->by_fd[fd]->all = all;
        all->by_fd[fd]->fd = fd;
    }
    return all->by_fd[fd];
}

// Whatever comes on an idle connection means its end: FIN, RST, or bytes nobody asked for
// (TLS says good-bye before it closes). libcurl 7.88 takes the last two for signs of life
// and would send a request into it, which then is in doubt. After this it reads as ended.
static void end_idle(struct watched *w)
{
    char dropped[512];

    reactor_unwatch(w->all->reactor, w->fd);
    w->registered = 0;
    (void)shutdown(w->fd, SHUT_RDWR);
    while (recv(w->fd, dropped, sizeof(dropped), MSG_DONTWAIT) > 0)
        continue;
}

static void on_ready(void *arg, uint32_t events)
{
    struct watched *w = arg;  // may be gone after the call at the end
    int bits = 0;

    if (!w->wanted) {
        end_idle(w);
        return;
    }
    if (events & EPOLLIN)
        bits |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        bits |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        bits |= CURL_CSELECT_ERR;
    w->user->fn(w->user->arg, w->fd, bits);
}

static int on_change(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    struct user *user = arg;

    (void)easy;
    (void)unused;
    struct watched *w = find_or_add(user->all, fd);
    if (what == CURL_POLL_REMOVE) {
        w->wanted = 0;
        if (!w->ours)
            forget(user->all, fd);
        return 0;
    }
    w->user = user;
    w->wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (w->wanted == w->registered)
        return 0;
    // The kernel refuses only when it is out of memory for it: the call times out then.
    if (reactor_watch(user->all->reactor, fd, w->wanted, on_ready, w, NULL) == OUTCOME_OK)
        w->registered = w->wanted;
    return 0;
}

void http_sockets_use_multi(struct http_sockets *all, CURLM *multi, http_socket_ready *fn,
                            void *arg)
{
    struct user *user = xcalloc(1, sizeof(*user));

    *user = (struct user){ all, fn, arg, all->users };
    all->users = user;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_change);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, user);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct http_sockets *all = arg;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    forget(all, fd);  // nothing may be left of an older socket with this number
    find_or_add(all, fd)->ours = true;
    return fd;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    forget(arg, fd);
    return close(fd);
}

void http_sockets_use_easy(struct http_sockets *all, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, all);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, all);
}
