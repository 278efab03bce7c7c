#include "pg_relay.h"

#include "pg.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LINES_MAX = 64,
    PATH_BYTES = 90,
    URL_BYTES = 256,
    CHUNK_BYTES = 65536,
    QUIET_US = 200000,
    POLL_US = 10000,
    PATIENCE_US = 30000000,
};

struct line {
    struct pg_relay *relay;
    int client_fd, server_fd;
    pthread_t thread;
    bool owes;  // a request went out and no answer came since
    bool asks;  // the request has the statement whose answer is to be lost
};

struct pg_relay {
    char server_path[PATH_BYTES], folder[PATH_BYTES], path[PATH_BYTES + 24];
    char url[URL_BYTES];
    int listen_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    const char *loses;   // name of the statement; NULL = nothing is lost
    int64_t traffic_us;  // clock_boot_us of the latest bytes in any direction
    size_t lost, line_count;
    struct line lines[LINES_MAX];
};

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    assert(strlen(path) < sizeof(at.sun_path));
    memcpy(at.sun_path, path, strlen(path) + 1);
    return at;
}

// Names on the line are "name.number".
static bool names(const struct pg_relay *r, const char *bytes, size_t len)
{
    char text[64];

    if (!r->loses)
        return false;
    int n = snprintf(text, sizeof(text), "%s.", r->loses);
    return memmem(bytes, len, text, (size_t)n) != NULL;
}

static bool pass_on(struct line *line, int from, int to)
{
    struct pg_relay *r = line->relay;
    char bytes[CHUNK_BYTES];
    ssize_t len = recv(from, bytes, sizeof(bytes), 0);

    if (from == line->client_fd && len > 0) {
        pthread_mutex_lock(&r->lock);
        line->asks = names(r, bytes, (size_t)len);
        pthread_mutex_unlock(&r->lock);
    }

    for (ssize_t sent = 0; sent < len;) {
        ssize_t n = send(to, bytes + sent, (size_t)(len - sent), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += n;
    }
    return len > 0;
}

// The server has answered: by then the transaction is committed.
static bool must_lose(struct line *line)
{
    struct pg_relay *r = line->relay;

    pthread_mutex_lock(&r->lock);
    bool loses = r->loses && line->asks;
    if (loses)
        r->loses = NULL;
    r->lost += loses;
    pthread_mutex_unlock(&r->lock);
    return loses;
}

// Notes that bytes went through; a line owes an answer from a request to the next answer.
static void note(struct line *line, bool owes)
{
    struct pg_relay *r = line->relay;

    pthread_mutex_lock(&r->lock);
    line->owes = owes;
    r->traffic_us = clock_boot_us();
    pthread_mutex_unlock(&r->lock);
}

static void *serve(void *arg)
{
    struct line *line = arg;
    struct pollfd fds[] = { { .fd = line->client_fd, .events = POLLIN },
                            { .fd = line->server_fd, .events = POLLIN } };

    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents) {
            note(line, true);
            if (!pass_on(line, line->client_fd, line->server_fd))
                break;
        }
        if (!fds[1].revents)
            continue;
        if (must_lose(line) || !pass_on(line, line->server_fd, line->client_fd))
            break;
        note(line, false);
    }
    note(line, false);
    (void)shutdown(line->client_fd, SHUT_RDWR);
    (void)shutdown(line->server_fd, SHUT_RDWR);
    return NULL;
}

static void *listen_on(void *arg)
{
    struct pg_relay *r = arg;
    const struct sockaddr_un to = address(r->server_path);
    int fd;

    while ((fd = accept(r->listen_fd, NULL, NULL)) >= 0) {
        if (r->line_count == LINES_MAX)
            abort();
        struct line *line = &r->lines[r->line_count];
        *line = (struct line){ r, fd,    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                               0, false, false };
        (void)connect(line->server_fd, (const struct sockaddr *)&to, sizeof(to));
        if (pthread_create(&line->thread, NULL, serve, line))
            abort();
        r->line_count++;
    }
    return NULL;
}

struct pg_relay *pg_relay_open(struct pg *pg)
{
    struct pg_relay *r = xcalloc(1, sizeof(*r));
    char *folder = pg_text(pg, "show unix_socket_directories");

    (void)snprintf(r->server_path, sizeof(r->server_path), "%s/.s.PGSQL.5432", folder);
    free(folder);
    (void)snprintf(r->folder, sizeof(r->folder), "/tmp/smsq-relay-XXXXXX");
    if (!mkdtemp(r->folder))
        abort();
    (void)snprintf(r->path, sizeof(r->path), "%s/.s.PGSQL.5432", r->folder);
    (void)snprintf(r->url, sizeof(r->url), "postgresql:///postgres?host=%s&user=postgres",
                   r->folder);
    const struct sockaddr_un at = address(r->path);
    r->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(r->listen_fd, (const struct sockaddr *)&at, sizeof(at)) ||
        listen(r->listen_fd, LINES_MAX))
        abort();
    pthread_mutex_init(&r->lock, NULL);
    if (pthread_create(&r->thread, NULL, listen_on, r))
        abort();
    return r;
}

void pg_relay_close(struct pg_relay *r)
{
    if (!r)
        return;
    (void)shutdown(r->listen_fd, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    for (size_t i = 0; i < r->line_count; i++) {
        (void)shutdown(r->lines[i].client_fd, SHUT_RDWR);
        pthread_join(r->lines[i].thread, NULL);
        close(r->lines[i].client_fd);
        close(r->lines[i].server_fd);
    }
    close(r->listen_fd);
    (void)unlink(r->path);
    (void)rmdir(r->folder);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

const char *pg_relay_url(const struct pg_relay *r)
{
    return r->url;
}

// Sets loses once nothing is on its way; false while something is.
static bool lose_if_quiet(struct pg_relay *r, const char *statement)
{
    bool quiet = true;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->line_count; i++)
        quiet = quiet && !r->lines[i].owes;
    quiet = quiet && clock_boot_us() - r->traffic_us > QUIET_US;
    r->loses = quiet ? statement : NULL;
    pthread_mutex_unlock(&r->lock);
    return quiet;
}

void pg_relay_lose(struct pg_relay *r, const char *statement)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US;

    while (!lose_if_quiet(r, statement)) {
        if (clock_boot_us() > until_us)
            abort();
        (void)usleep(POLL_US);
    }
}

size_t pg_relay_lost(struct pg_relay *r)
{
    pthread_mutex_lock(&r->lock);
    size_t lost = r->lost;
    pthread_mutex_unlock(&r->lock);
    return lost;
}
