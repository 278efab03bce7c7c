#include "peer.h"

#include "raw_http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_MAX = 256, BODIES_MAX = 4096 };

struct line {
    struct peer *peer;
    int fd;
    pthread_t thread;
};

struct peer {
    int listen_fd, port;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool holds, closing;
    const char *answer;
    size_t body_count, line_count;
    char *bodies[BODIES_MAX];
    struct line lines[LINES_MAX];
};

// Keeps the body and waits until it may be answered; false when the peer closes.
static bool take_request(struct peer *p, const char *body, char *answer, size_t size)
{
    static const char created[] = "{\"sid\":\"SM%032zx\",\"status\":\"queued\","
                                  "\"num_segments\":\"1\"}";

    pthread_mutex_lock(&p->lock);
    size_t number = p->body_count;
    if (number == BODIES_MAX)
        abort();
    p->bodies[p->body_count++] = xstrdup(body);
    while (p->holds && !p->closing)
        pthread_cond_wait(&p->changed, &p->lock);
    if (p->answer) {
        (void)snprintf(answer, size, "%s", p->answer);
    } else {
        char json[128];
        int len = snprintf(json, sizeof(json), created, number + 1);
        (void)snprintf(answer, size,
                       "HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s", len, json);
    }
    bool goes_on = !p->closing;
    pthread_mutex_unlock(&p->lock);
    return goes_on;
}

static void *serve(void *arg)
{
    struct line *line = arg;
    struct raw_message *m = xcalloc(1, sizeof(*m));
    char answer[1024];

    while (raw_read(line->fd, m, true)) {
        if (!take_request(line->peer, m->body, answer, sizeof(answer)) || !answer[0] ||
            !raw_say(line->fd, answer))
            break;
        raw_free(m);
    }
    raw_free(m);
    free(m);
    (void)shutdown(line->fd, SHUT_RDWR);
    return NULL;
}

static void *listen_on(void *arg)
{
    struct peer *p = arg;
    int fd;

    while ((fd = accept(p->listen_fd, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&p->lock);
        if (p->line_count == LINES_MAX)
            abort();
        struct line *line = &p->lines[p->line_count++];
        pthread_mutex_unlock(&p->lock);
        *line = (struct line){ .peer = p, .fd = fd };
        if (pthread_create(&line->thread, NULL, serve, line))
            abort();
    }
    return NULL;
}

struct peer *peer_open(void)
{
    struct peer *p = xcalloc(1, sizeof(*p));
    const struct timeval forever = { 0 };

    p->listen_fd = raw_listen(&p->port);
    (void)setsockopt(p->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    if (pthread_create(&p->thread, NULL, listen_on, p))
        abort();
    return p;
}

void peer_close(struct peer *p)
{
    if (!p)
        return;
    (void)shutdown(p->listen_fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->line_count; i++) {
        (void)shutdown(p->lines[i].fd, SHUT_RDWR);
        pthread_join(p->lines[i].thread, NULL);
        close(p->lines[i].fd);
    }
    for (size_t i = 0; i < p->body_count; i++)
        free(p->bodies[i]);
    close(p->listen_fd);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int peer_port(const struct peer *p)
{
    return p->port;
}

void peer_answer(struct peer *p, const char *answer)
{
    pthread_mutex_lock(&p->lock);
    p->answer = answer;
    pthread_mutex_unlock(&p->lock);
}

void peer_hold(struct peer *p, bool hold)
{
    pthread_mutex_lock(&p->lock);
    p->holds = hold;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

size_t peer_lines(struct peer *p)
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->line_count;
    pthread_mutex_unlock(&p->lock);
    return count;
}

size_t peer_count(struct peer *p)
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->body_count;
    pthread_mutex_unlock(&p->lock);
    return count;
}

const char *peer_body(struct peer *p, size_t i)
{
    pthread_mutex_lock(&p->lock);
    const char *body = i < p->body_count ? p->bodies[i] : NULL;
    pthread_mutex_unlock(&p->lock);
    return body;
}
