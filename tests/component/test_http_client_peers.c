// The HTTP client against real servers: our own, many requests at a time, and a TLS
// server whose certificate is or is not to be trusted.
#include "http_caller.h"
#include "http_site.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLS = 2000, IN_FLIGHT = 150, BODY_BYTES = 32 };

struct many {
    struct caller *caller;
    struct one {
        struct many *all;
        char body[BODY_BYTES];
        bool left_us;
        int status, done_calls;
        bool same;  // the answer is the one to this request
    } one[CALLS];
    size_t begun, done;
};

static void begin_more(struct many *all);

static void on_one(void *arg, const struct http_answer *answer)
{
    struct one *one = arg;
    size_t len = strlen(one->body);

    one->status = answer->status;
    one->left_us = answer->left_us;
    one->same = answer->body_len > len &&
                strcmp(answer->body + answer->body_len - len, one->body) == 0;
    one->done_calls++;
    one->all->done++;
    begin_more(one->all);
    if (one->all->done == CALLS)
        sem_post(&one->all->caller->done);
}

static void begin_more(struct many *all)
{
    struct http_call call = all->caller->call;

    call.gate = NULL;
    while (all->begun < CALLS) {
        struct one *one = &all->one[all->begun];
        one->all = all;
        (void)snprintf(one->body, sizeof(one->body), "|call %zu", all->begun);
        call.body = one->body;
        call.body_len = strlen(one->body);
        if (!http_client_submit(all->caller->client, &call, on_one, one))
            return;
        all->begun++;
    }
}

static void begin_job(void *arg)
{
    begin_more(arg);
}

static void each_of_many_gets_its_own_answer(void **state)
{
    struct caller *c = *state;
    struct many *all = xcalloc(1, sizeof(*all));
    struct site *site;

    assert_int_equal(site_setup((void **)&site), 0);
    site_start(site);
    c->set.in_flight_max = IN_FLIGHT;
    (void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d/echo", site->port);
    all->caller = c;
    caller_start(c);
    loop_do(&c->loop, begin_job, all);
    caller_wait(c);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(all->one[i].done_calls, 1);
        assert_int_equal(all->one[i].status, 200);
        assert_true(all->one[i].left_us && all->one[i].same);
    }
    assert_int_equal(site_ask(site, site_read_calls), CALLS);
    assert_int_equal(site_teardown((void **)&site), 0);
    free(all);
}

// --- TLS ---

struct tls_peer {
    char folder[64], certificate[96], key[96];
    pid_t pid;
    int port;
};

static void make_certificate(struct tls_peer *tls)
{
    char command[512];

    (void)snprintf(tls->folder, sizeof(tls->folder), "/tmp/smsq-tls-XXXXXX");
    assert_non_null(mkdtemp(tls->folder));
    (void)snprintf(tls->certificate, sizeof(tls->certificate), "%s/cert.pem",
                   tls->folder);
    (void)snprintf(tls->key, sizeof(tls->key), "%s/key.pem", tls->folder);
    (void)snprintf(command, sizeof(command),
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
                   " -nodes -days 1 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
                   " -keyout %s -out %s 2>/dev/null",
                   tls->key, tls->certificate);
    assert_int_equal(system(command), 0);
}

// openssl says on its output which port it took.
static void start_tls(struct tls_peer *tls)
{
    int out[2];
    char line[256];

    make_certificate(tls);
    assert_int_equal(pipe(out), 0);
    tls->pid = fork();
    if (tls->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "0", "-www", "-cert",
               tls->certificate, "-key", tls->key, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    while (tls->port == 0 && fgets(line, sizeof(line), lines)) {
        const char *colon = strrchr(line, ':');
        if (strncmp(line, "ACCEPT", 6) == 0 && colon)
            tls->port = (int)strtol(colon + 1, NULL, 10);
    }
    fclose(lines);
    assert_true(tls->port > 0);
}

static void stop_tls(struct tls_peer *tls)
{
    kill(tls->pid, SIGKILL);
    waitpid(tls->pid, NULL, 0);
    unlink(tls->certificate);
    unlink(tls->key);
    rmdir(tls->folder);
}

static void call_tls(struct caller *c, const char *host, int port, int status)
{
    (void)snprintf(c->url, sizeof(c->url), "https://%s:%d/", host, port);
    caller_start(c);
    caller_submit(c);
    caller_wait(c);
    assert_seen(c, status != 0, status);
}

static void talks_to_a_server_whose_certificate_is_trusted(void **state)
{
    struct caller *c = *state;
    struct tls_peer tls = { 0 };

    start_tls(&tls);
    c->set.ca_file = tls.certificate;
    c->set.answer_max_bytes = HTTP_CLIENT_ANSWER_MAX_BYTES;
    c->call = (struct http_call){ .method = "GET", .url = c->url };
    call_tls(c, "127.0.0.1", tls.port, 200);
    stop_tls(&tls);
}

static void sends_nothing_to_a_server_nobody_vouches_for(void **state)
{
    struct caller *c = *state;
    struct tls_peer tls = { 0 };

    start_tls(&tls);
    call_tls(c, "127.0.0.1", tls.port, 0);
    stop_tls(&tls);
}

static void sends_nothing_to_a_server_with_another_name(void **state)
{
    struct caller *c = *state;
    struct tls_peer tls = { 0 };

    start_tls(&tls);
    c->set.ca_file = tls.certificate;
    call_tls(c, "127.0.0.2", tls.port, 0);
    stop_tls(&tls);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, caller_setup, caller_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_of_many_gets_its_own_answer),
        TEST(talks_to_a_server_whose_certificate_is_trusted),
        TEST(sends_nothing_to_a_server_nobody_vouches_for),
        TEST(sends_nothing_to_a_server_with_another_name),
    };
    return cmocka_run_group_tests_name("http_client_peers", tests, NULL, NULL);
}
