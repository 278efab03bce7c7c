// sink.c: answers every HTTP request on 127.0.0.1 with 204 and counts them: a receiver of
// callbacks that costs next to nothing. Prints its port, and the count when it ends.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, READ_BYTES = 65536 };

static volatile sig_atomic_t stopped;
static unsigned long long count;

static void on_signal(int signal)
{
    (void)signal;
    stopped = 1;
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &len)) {
        perror("sink");
        exit(EXIT_FAILURE);
    }
    printf("%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

static void watch(int epoll_fd, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

// The simulator sends a request in one piece and the next one after the answer.
static void answer(int fd)
{
    static const char reply[] = "HTTP/1.1 204 No Content\r\n\r\n";
    static char bytes[READ_BYTES];

    if (recv(fd, bytes, sizeof(bytes), 0) <= 0 ||
        send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL) < 0)
        close(fd);
    else
        count++;
}

static void take(int epoll_fd, int listen_fd)
{
    const int yes = 1;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);

    if (fd < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    watch(epoll_fd, fd);
}

int main(void)
{
    const struct sigaction action = { .sa_handler = on_signal };
    struct epoll_event events[EVENTS];
    int listen_fd = listen_anywhere(), epoll_fd = epoll_create1(0);

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    watch(epoll_fd, listen_fd);
    while (!stopped) {
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listen_fd)
                take(epoll_fd, listen_fd);
            else
                answer(events[i].data.fd);
        }
    }
    printf("%llu\n", count);
    return EXIT_SUCCESS;
}
