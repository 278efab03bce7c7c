#include "http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, PORT_TEXT_BYTES = 24 };  // the kernel cuts it to its own limit

static int listen_on(const struct addrinfo *info)
{
    const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    // What is accepted inherits TCP_NODELAY: answers go out in one piece anyway.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
        bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, BACKLOG)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int bound_port(int fd)
{
    struct sockaddr_in6 address = { 0 };  // the port of IPv4 stands at the same place
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len))
        return 0;
    return ntohs(address.sin6_port);
}

static enum outcome refuse(struct err *err, const char *address, const char *port,
                           const char *why)
{
    bool v6 = strchr(address, ':') != NULL;

    return err_set(err, OUTCOME_FATAL, "cannot listen on %s%s%s:%s: %s", v6 ? "[" : "",
                   address, v6 ? "]" : "", port, why);
}

enum outcome http_listen(int *fd, int *port, const char *address, int64_t wanted_port,
                         struct err *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *found;
    char text[PORT_TEXT_BYTES];

    (void)snprintf(text, sizeof(text), "%lld", (long long)wanted_port);
    int rc = getaddrinfo(address, text, &hints, &found);
    if (rc)
        return refuse(err, address, text, gai_strerror(rc));

    int got = listen_on(found);
    int why = errno;
    freeaddrinfo(found);
    if (got < 0)
        return refuse(err, address, text, strerror(why));
    *fd = got;
    *port = bound_port(got);
    return OUTCOME_OK;
}

void http_peer_text(char out[HTTP_PEER_BYTES], const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4->sin_addr, out, HTTP_PEER_BYTES);
    else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        (void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, HTTP_PEER_BYTES);
    else
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, out, HTTP_PEER_BYTES);
}
