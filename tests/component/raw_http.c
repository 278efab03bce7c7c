#include "raw_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void raw_deadline(int fd)
{
    const struct timeval wait = { .tv_sec = RAW_WAIT_S };
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

int raw_dial(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    raw_deadline(fd);
    return fd;
}

int raw_knock(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)connect(fd, (const struct sockaddr *)&to, sizeof(to));
    return fd;
}

int raw_listen(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (const struct sockaddr *)&at, len) || listen(fd, 512) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        abort();
    raw_deadline(fd);
    *port = ntohs(at.sin_port);
    return fd;
}

int raw_take(int listen_fd)
{
    int fd = accept(listen_fd, NULL, NULL);
    if (fd >= 0)
        raw_deadline(fd);
    return fd;
}

bool raw_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

bool raw_say(int fd, const char *text)
{
    return raw_send(fd, text, strlen(text));
}

const char *raw_field(const struct raw_message *m, const char *name)
{
    static _Thread_local char value[1024];
    size_t len = strlen(name);

    for (const char *line = strstr(m->header, "\r\n"); line;
         line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, len) != 0 || at[len] != ':')
            continue;
        at += len + 1;
        at += strspn(at, " ");
        (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
        return value;
    }
    return NULL;
}

static bool read_header(int fd, struct raw_message *m)
{
    size_t len = 0;

    while (len + 1 < sizeof(m->header) && recv(fd, m->header + len, 1, 0) == 1) {
        m->header[++len] = '\0';
        if (len >= 4 && memcmp(m->header + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

bool raw_read(int fd, struct raw_message *m, bool has_body)
{
    memset(m, 0, sizeof(*m));
    m->body = calloc(1, 1);
    if (!read_header(fd, m))
        return false;
    if (strncmp(m->header, "HTTP/1.", 7) == 0)
        m->status = (int)strtol(m->header + 9, NULL, 10);
    const char *length = raw_field(m, "Content-Length");
    if (!length || !has_body)
        return true;
    m->body_len = (size_t)strtoul(length, NULL, 10);
    free(m->body);
    m->body = calloc(1, m->body_len + 1);
    return m->body_len == 0 ||
           recv(fd, m->body, m->body_len, MSG_WAITALL) == (ssize_t)m->body_len;
}

void raw_free(struct raw_message *m)
{
    free(m->body);
    m->body = NULL;
}

bool raw_is_closed(int fd)
{
    char c;
    ssize_t got = recv(fd, &c, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

void raw_end(int fd, bool with_reset)
{
    const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

    if (with_reset)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(fd);
}
