// The life of a program: a child process runs a service, the test talks to its admin
// port, sends it signals, and reads its log, its exit code, and what systemd is told.
#include "service.h"

#include "buf.h"
#include "log.h"
#include "metrics.h"
#include "raw_http.h"
#include "reactor.h"
#include "readiness.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define READY                                                                            \
    "{\"ready\":true,\"parts\":[{\"part\":\"process\",\"ready\":true},"                  \
    "{\"part\":\"disk\",\"ready\":true}]}\n"

enum { WAIT_MS = 10000, LOG_MAX = 1 << 20 };

struct child {
    pid_t pid;
    int log_fd;      // its standard error
    int release_fd;  // written by us: it is drained
    int port;
    struct buf log;  // what was read so far
};

struct plan {
    const char *missing;  // what /readyz complains about, or NULL
    bool fails;           // service_fail at the first question for readiness
    int64_t stop_deadline_us;
    const char *notify_socket;  // or NULL
};

// What the child's hooks know.
struct program {
    const struct plan *plan;
    struct service *service;
    int release_fd;
};

static void on_stop(void *arg)
{
    (void)arg;
    log_event(LOG_LEVEL_INFO, "hook_stop", NULL, 0);
}

static bool is_drained(void *arg)
{
    const struct program *p = arg;
    struct pollfd released = { .fd = p->release_fd, .events = POLLIN };
    return poll(&released, 1, 0) == 1;
}

static void on_ready(void *arg, struct readiness *parts)
{
    const struct program *p = arg;
    if (p->plan->fails)
        service_fail(p->service, "the disk is full");
    readiness_part(parts, "disk", p->plan->missing);
}

static int run_program(const struct plan *plan, int release_fd)
{
    const struct service_settings set = {
        .admin_address = "127.0.0.1",
        .log_level = "info",
        .stop_deadline_us = plan->stop_deadline_us,
    };
    struct program p = { .plan = plan, .release_fd = release_fd };
    const struct service_hooks hooks = { "smsq-test", on_stop, is_drained, on_ready, &p };
    struct err err = { 0 };

    stop_install();
    log_init("smsq-test");
    enum outcome rc = service_open(&p.service, &set, &hooks, &err);
    if (!rc) {
        metric_add(metrics_counter(service_metrics(p.service), "smsq_test_total", NULL,
                                   "Of the test."),
                   7);
        rc = service_run(p.service, &err);
    }
    service_close(p.service);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Reads the log until text is in it behind from; returns where, as an offset.
static size_t wait_for_log(struct child *c, const char *text, size_t from)
{
    char part[4096];

    for (;;) {
        const char *log = buf_text(&c->log);
        const char *found = c->log.len > from ? strstr(log + from, text) : NULL;
        if (found)
            return (size_t)(found - log);
        struct pollfd more = { .fd = c->log_fd, .events = POLLIN };
        if (poll(&more, 1, WAIT_MS) != 1)
            fail_msg("\"%s\" did not come in:\n%s", text, log);
        ssize_t got = read(c->log_fd, part, sizeof(part));
        if (got <= 0)
            fail_msg("the log ended without \"%s\":\n%s", text, log);
        buf_add(&c->log, part, (size_t)got);
    }
}

static void start(struct child *c, const struct plan *plan)
{
    int log_ends[2], release_ends[2];

    assert_int_equal(pipe2(log_ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(release_ends, O_CLOEXEC), 0);
    c->pid = fork();
    if (c->pid == 0) {
        dup2(log_ends[1], STDERR_FILENO);
        close(log_ends[0]);
        close(release_ends[1]);
        if (plan->notify_socket)
            setenv("NOTIFY_SOCKET", plan->notify_socket, 1);
        exit(run_program(plan, release_ends[0]));
    }
    close(log_ends[1]);
    close(release_ends[0]);
    c->log_fd = log_ends[0];
    c->release_fd = release_ends[1];
    buf_init(&c->log, LOG_MAX);
    size_t up = wait_for_log(c, "\"event\":\"process_up\"", 0);
    size_t port = wait_for_log(c, "\"admin_port\":", up);
    (void)wait_for_log(c, "\n", port);
    c->port = (int)strtol(buf_text(&c->log) + port + strlen("\"admin_port\":"), NULL, 10);
    assert_in_range(c->port, 1, 65535);
}

static int exit_code(struct child *c)
{
    int status = -1;
    char part[4096];
    ssize_t got;

    // The pipe ends when the child does.
    while ((got = read(c->log_fd, part, sizeof(part))) > 0)
        buf_add(&c->log, part, (size_t)got);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    close(c->log_fd);
    close(c->release_fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int drained_exit_code(struct child *c)
{
    assert_int_equal(kill(c->pid, SIGTERM), 0);
    assert_int_equal(write(c->release_fd, "x", 1), 1);
    return exit_code(c);
}

static void get(const struct child *c, const char *path, struct raw_message *answer)
{
    struct buf request = BUF_INIT(256);

    int fd = raw_dial(c->port);
    assert_true(fd >= 0);
    buf_addf(&request, "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
             path);
    assert_true(raw_say(fd, buf_text(&request)));
    assert_true(raw_read(fd, answer, true));
    close(fd);
    buf_free(&request);
}

static void assert_answer(const struct child *c, const char *path, int status,
                          const char *body)
{
    struct raw_message answer;

    get(c, path, &answer);
    assert_int_equal(answer.status, status);
    assert_string_equal(answer.body, body);
    raw_free(&answer);
}

static void the_admin_port_answers(void **state)
{
    const struct plan plan = { .stop_deadline_us = 10000000 };
    struct raw_message answer;
    struct child c;

    (void)state;
    start(&c, &plan);
    assert_answer(&c, "/healthz", 200, "{\"alive\":true}\n");
    assert_answer(&c, "/readyz", 200, READY);
    get(&c, "/metrics", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(raw_field(&answer, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(
        answer.body,
        "\nsmsq_build_info{program=\"smsq-test\",version=\"" SMSQ_VERSION "\"} 1\n"));
    assert_non_null(strstr(answer.body, "\nsmsq_test_total 7\n"));
    assert_non_null(strstr(answer.body, "\nsmsq_ready{part=\"disk\"} 1\n"));
    const char *memory = strstr(answer.body, "\nprocess_resident_memory_bytes ");
    assert_non_null(memory);
    assert_true(strtod(strchr(memory, ' '), NULL) > 1e6);
    const char *fds = strstr(answer.body, "\nprocess_open_fds ");
    assert_non_null(fds);
    assert_true(strtod(strchr(fds, ' '), NULL) >= 5);
    assert_non_null(strstr(answer.body, "\nprocess_cpu_seconds_total "));
    raw_free(&answer);
    get(&c, "/nothing", &answer);
    assert_int_equal(answer.status, 404);
    raw_free(&answer);
    assert_int_equal(drained_exit_code(&c), EXIT_SUCCESS);
    buf_free(&c.log);
}

static void what_is_missing_is_told(void **state)
{
    const struct plan plan = { .missing = "database: \"down\"",
                               .stop_deadline_us = 10000000 };
    struct child c;

    (void)state;
    start(&c, &plan);
    assert_answer(&c, "/readyz", 503,
                  "{\"ready\":false,\"reason\":\"database: \\\"down\\\"\","
                  "\"parts\":[{\"part\":\"process\",\"ready\":true},"
                  "{\"part\":\"disk\",\"ready\":false,"
                  "\"reason\":\"database: \\\"down\\\"\"}]}\n");
    assert_answer(&c, "/healthz", 200, "{\"alive\":true}\n");
    assert_int_equal(drained_exit_code(&c), EXIT_SUCCESS);
    buf_free(&c.log);
}

static void a_signal_drains(int signal)
{
    const struct plan plan = { .stop_deadline_us = 10000000 };
    struct child c;

    start(&c, &plan);
    assert_int_equal(kill(c.pid, signal), 0);
    size_t begun = wait_for_log(&c, "\"event\":\"stop_begun\"", 0);
    size_t hook = wait_for_log(&c, "\"event\":\"hook_stop\"", begun);
    assert_answer(&c, "/readyz", 503,
                  "{\"ready\":false,\"reason\":\"stopping\","
                  "\"parts\":[{\"part\":\"process\",\"ready\":false,"
                  "\"reason\":\"stopping\"},"
                  "{\"part\":\"disk\",\"ready\":true}]}\n");
    assert_answer(&c, "/healthz", 200, "{\"alive\":true}\n");
    assert_int_equal(waitpid(c.pid, NULL, WNOHANG), 0);  // not before it is drained
    assert_int_equal(write(c.release_fd, "x", 1), 1);
    assert_int_equal(exit_code(&c), EXIT_SUCCESS);
    const char *rest = buf_text(&c.log) + hook;
    assert_non_null(strstr(rest, "\"event\":\"process_down\",\"reason\":\"drained\"}\n"));
    assert_null(strstr(rest + 1, "\"event\":\"hook_stop\""));
    buf_free(&c.log);
}

static void sigterm_and_sigint_drain(void **state)
{
    (void)state;
    a_signal_drains(SIGTERM);
    a_signal_drains(SIGINT);
}

static void a_second_signal_gives_up(void **state)
{
    const struct plan plan = { .stop_deadline_us = 10000000 };
    struct child c;

    (void)state;
    start(&c, &plan);
    assert_int_equal(kill(c.pid, SIGTERM), 0);
    (void)wait_for_log(&c, "\"event\":\"hook_stop\"", 0);
    assert_int_equal(kill(c.pid, SIGINT), 0);
    assert_int_equal(exit_code(&c), EXIT_FAILURE);
    assert_non_null(strstr(
        buf_text(&c.log), "\"event\":\"failed\",\"reason\":\"a second signal came before "
                          "the stop was done\"}\n"));
    buf_free(&c.log);
}

static void a_stop_that_takes_too_long_gives_up(void **state)
{
    const struct plan plan = { .stop_deadline_us = 150000 };
    struct child c;

    (void)state;
    start(&c, &plan);
    int64_t began = clock_boot_us();
    assert_int_equal(kill(c.pid, SIGTERM), 0);
    assert_int_equal(exit_code(&c), EXIT_FAILURE);
    assert_true(clock_boot_us() - began >= 150000);
    assert_non_null(strstr(buf_text(&c.log), "\"reason\":\"the stop took longer than "
                                             "stop.deadline (150 ms)\"}\n"));
    buf_free(&c.log);
}

static void sighup_is_ignored_with_a_line(void **state)
{
    const struct plan plan = { .stop_deadline_us = 10000000 };
    struct child c;

    (void)state;
    start(&c, &plan);
    assert_int_equal(kill(c.pid, SIGHUP), 0);
    (void)wait_for_log(&c, "\"event\":\"signal_ignored\",\"signal\":\"SIGHUP\"", 0);
    assert_answer(&c, "/readyz", 200, READY);
    assert_int_equal(drained_exit_code(&c), EXIT_SUCCESS);
    buf_free(&c.log);
}

static void a_failed_part_ends_the_program(void **state)
{
    const struct plan plan = { .fails = true, .stop_deadline_us = 10000000 };
    struct child c;

    (void)state;
    start(&c, &plan);
    int fd = raw_dial(c.port);
    assert_true(raw_say(fd, "GET /readyz HTTP/1.1\r\nHost: test\r\n\r\n"));
    assert_int_equal(exit_code(&c), EXIT_FAILURE);
    close(fd);
    assert_non_null(strstr(buf_text(&c.log),
                           "\"event\":\"failed\",\"reason\":\"the disk is full\"}\n"));
    buf_free(&c.log);
}

static void assert_told(int fd, const char *wanted)
{
    char text[256] = "";

    for (;;) {
        ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
        if (got <= 0)
            fail_msg("systemd was not told %s", wanted);
        text[got] = '\0';
        if (strcmp(text, wanted) == 0)
            return;
        assert_string_equal(text, "WATCHDOG=1");
    }
}

static void systemd_is_told(void **state)
{
    // An abstract address: nothing is left in the file system.
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char name[64];

    (void)state;
    (void)snprintf(name, sizeof(name), "@smsq-test-service-%d", getpid());
    memcpy(at.sun_path + 1, name + 1, strlen(name) - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    raw_deadline(fd);
    assert_int_equal(
        bind(fd, (const struct sockaddr *)&at,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
        0);
    const struct plan plan = { .stop_deadline_us = 10000000, .notify_socket = name };
    struct child c;
    setenv("WATCHDOG_USEC", "60000", 1);
    start(&c, &plan);
    unsetenv("WATCHDOG_USEC");
    assert_told(fd, "READY=1");
    assert_told(fd, "WATCHDOG=1");
    assert_told(fd, "WATCHDOG=1");
    assert_int_equal(kill(c.pid, SIGTERM), 0);
    assert_told(fd, "STOPPING=1");
    assert_int_equal(write(c.release_fd, "x", 1), 1);
    assert_int_equal(exit_code(&c), EXIT_SUCCESS);
    close(fd);
    buf_free(&c.log);
}

static void what_cannot_be_opened_is_refused(void **state)
{
    struct service_settings set = { .admin_address = "127.0.0.1", .log_level = "loud" };
    const struct service_hooks hooks = { .name = "smsq-test" };
    struct service *s = NULL;
    struct err err = { 0 };
    int port;

    (void)state;
    assert_int_equal(service_open(&s, &set, &hooks, &err), OUTCOME_REJECT);
    assert_string_equal(err.text,
                        "log.level must be error, warn, info or debug, not \"loud\"");
    int fd = raw_listen(&port);
    set.log_level = "info";
    set.admin_port = port;
    assert_int_equal(service_open(&s, &set, &hooks, &err), OUTCOME_FATAL);
    char digits[16];
    (void)snprintf(digits, sizeof(digits), "%d", port);
    assert_memory_equal(err.text, "admin port: ", strlen("admin port: "));
    assert_non_null(strstr(err.text, digits));
    assert_null(s);
    service_close(NULL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_admin_port_answers),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(sigterm_and_sigint_drain),
        cmocka_unit_test(a_second_signal_gives_up),
        cmocka_unit_test(a_stop_that_takes_too_long_gives_up),
        cmocka_unit_test(sighup_is_ignored_with_a_line),
        cmocka_unit_test(a_failed_part_ends_the_program),
        cmocka_unit_test(systemd_is_told),
        cmocka_unit_test(what_cannot_be_opened_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
