// http_loop.c: the bound of the worker: libcurl posts the worker's form over kept
// connections, and nothing else. Prints one line of JSON.
//
//   http_loop URL USER:PASSWORD CALLBACK_URL CONNECTIONS SECONDS
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

enum { EVENTS = 256, FORM_BYTES = 1024, TIMES_MAX = 4000000, FDS_MAX = 8192 };

struct transfer {
    CURL *easy;
    char form[FORM_BYTES];
    double began;
};

static CURLM *multi;
static int epoll_fd;
static double timer_at = -1;
static unsigned watched[FDS_MAX];  // events that epoll knows of each descriptor
static const char *callback_url;
static unsigned long posted;
static float *times;
static unsigned long finished, failed;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t drop(char *bytes, size_t one, size_t len, void *arg)
{
    (void)bytes, (void)one, (void)arg;
    return len;
}

// A connection between two requests stays registered: two system calls less for each.
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    unsigned wanted = (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0) |
                      (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0);
    struct epoll_event event = { .events = wanted, .data.fd = fd };

    (void)easy, (void)arg, (void)unused;
    if (what == CURL_POLL_REMOVE || fd >= FDS_MAX || watched[fd] == wanted)
        return 0;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
    watched[fd] = wanted;
    return 0;
}

static int on_timer(CURLM *m, long timeout_ms, void *arg)
{
    (void)m, (void)arg;
    timer_at = timeout_ms < 0 ? -1 : now() + (double)timeout_ms / 1e3;
    return 0;
}

static void begin(struct transfer *t)
{
    int len = snprintf(
        t->form, sizeof(t->form),
        "To=%%2B1415%07lu&From=%%2B15005550006&Body=Your+table+for+two+is+booked%%2C+"
        "number+%lu.+See+you+soon%%21&ValidityPeriod=36000&StatusCallback=%s%%3Fm%%3D"
        "018f0000-0000-7000-8000-%012lx%%26t%%3D1%%26k%%3D0123456789abcdef%%23rc%%3D5"
        "%%26rp%%3Dall",
        2000000 + posted % 7999999, posted, callback_url, posted);

    posted++;
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)len);
    t->began = now();
    curl_multi_add_handle(multi, t->easy);
}

static bool open_transfer(struct transfer *t, const char *url, const char *user)
{
    t->easy = curl_easy_init();
    if (!t->easy)
        return false;
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
    curl_easy_setopt(t->easy, CURLOPT_USERPWD, user);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->form);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    return true;
}

static void finish_all(bool again)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        CURL *easy = message->easy_handle;
        struct transfer *t;
        long status = 0;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (status != 201)
            failed++;
        if (finished < TIMES_MAX)
            times[finished++] = (float)(now() - t->began);
        curl_multi_remove_handle(multi, easy);
        if (again)
            begin(t);
    }
}

static void turn(bool again)
{
    struct epoll_event events[EVENTS];
    double left = timer_at < 0 ? 1 : timer_at - now();
    int running;
    int n = epoll_wait(epoll_fd, events, EVENTS, left > 0 ? (int)(left * 1e3) + 1 : 0);

    for (int i = 0; i < n; i++) {
        int bits = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi, events[i].data.fd, bits, &running);
        finish_all(again);
    }
    if (timer_at >= 0 && now() >= timer_at) {
        timer_at = -1;
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        finish_all(again);
    }
}

static int by_time(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double ms_at(double part)
{
    return finished ? times[(unsigned long)((double)(finished - 1) * part)] * 1e3 : 0;
}

static double cpu_us(struct timeval t)
{
    return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static void report(double seconds)
{
    struct rusage used;
    double n = finished ? (double)finished : 1;

    getrusage(RUSAGE_SELF, &used);
    qsort(times, finished, sizeof(*times), by_time);
    printf("{\"requests\": %lu, \"failed\": %lu, \"rate\": %.0f, \"user_us\": %.2f,"
           " \"system_us\": %.2f, \"peak_mib\": %.1f, \"p50_ms\": %.3f,"
           " \"p95_ms\": %.3f, \"p99_ms\": %.3f}\n",
           finished, failed, n / seconds, cpu_us(used.ru_utime) / n,
           cpu_us(used.ru_stime) / n, (double)used.ru_maxrss / 1024, ms_at(.5),
           ms_at(.95), ms_at(.99));
}

int main(int argc, char **argv)
{
    int connections = argc == 6 ? (int)strtol(argv[4], NULL, 10) : 0;
    struct transfer *transfers = calloc((size_t)connections + 1, sizeof(*transfers));

    times = calloc(TIMES_MAX, sizeof(*times));
    if (connections < 1 || !transfers || !times || curl_global_init(CURL_GLOBAL_ALL)) {
        fputs("http_loop URL USER:PASSWORD CALLBACK_URL CONNECTIONS SECONDS\n", stderr);
        return EXIT_FAILURE;
    }
    callback_url = argv[3];
    epoll_fd = epoll_create1(0);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
    double began = now(), end = began + strtod(argv[5], NULL);
    for (int i = 0; i < connections; i++) {
        if (!open_transfer(&transfers[i], argv[1], argv[2]))
            return EXIT_FAILURE;
        begin(&transfers[i]);
    }
    while (now() < end)
        turn(true);
    report(now() - began);
    return EXIT_SUCCESS;
}
