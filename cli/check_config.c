// smsq check-config: every installed program checks the same file and environment, by its
// own --check-config, so that there is one way to check.
#include "buf.h"
#include "command.h"
#include "terminal.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAYS_MAX_BYTES = 16384, OUTPUT_MAX_BYTES = 65536 };

extern char **environ;

static const char *const programs[] = {
    "smsq-producer",        "smsq-webhook-receiver", "smsq-worker",
    "smsq-status-consumer", "smsq-scheduler",        "smsq",
};

struct check {
    const char *program;
    bool is_here, is_ok;
    struct buf says;  // its last words
};

// The folder of this program: all are installed together.
static bool find_program(char path[PATH_MAX], const char *program)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0)
        return false;
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    *slash = '\0';
    return snprintf(path, PATH_MAX, "%s/%s", self, program) < PATH_MAX &&
           access(path, X_OK) == 0;
}

static void read_all(struct buf *out, int fd)
{
    char bytes[4096];
    ssize_t len;

    while ((len = read(fd, bytes, sizeof(bytes))) > 0 || (len < 0 && errno == EINTR))
        if (len > 0)
            buf_add(out, bytes, (size_t)len);
}

static int spawn(const char *path, const char *config, int out, pid_t *pid)
{
    char flag[PATH_MAX + 16];
    char *const argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t) "--check-config",
                           config ? flag : NULL, NULL };
    posix_spawn_file_actions_t actions;

    (void)snprintf(flag, sizeof(flag), "--config=%s", config ? config : "");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    int failed = posix_spawn(pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static void run(struct check *c, const char *path, const char *config)
{
    int ends[2], status = -1;
    pid_t pid;

    if (pipe(ends)) {
        buf_addf(&c->says, "cannot make a pipe: %s", strerror(errno));
        return;
    }
    int failed = spawn(path, config, ends[1], &pid);
    close(ends[1]);
    if (failed) {
        buf_addf(&c->says, "cannot start: %s", strerror(failed));
    } else {
        read_all(&c->says, ends[0]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    c->is_ok = !failed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A program says why in a log line: {…,"reason":"…"}. Takes the text of its last reason.
static void take_reason(struct buf *says)
{
    static const char mark[] = "\"reason\":\"";
    char *found = NULL;

    for (char *at = says->bytes; at && (at = strstr(at, mark)); at++)
        found = at + strlen(mark);
    if (!found)
        return;
    struct buf reason = BUF_INIT(SAYS_MAX_BYTES);
    for (; *found && *found != '"'; found++) {
        if (*found == '\\' && found[1])
            found++;
        buf_add_char(&reason, *found);
    }
    buf_free(says);
    *says = reason;
}

static void print(const struct check *c)
{
    const char *says = buf_text(&c->says);

    printf("%-22s ", c->program);
    terminal_colour(stdout, c->is_ok ? TERMINAL_GREEN : TERMINAL_RED,
                    c->is_ok     ? "ok"
                    : c->is_here ? "wrong"
                                 : "not installed");
    if (!c->is_ok && c->is_here) {
        putchar(' ');
        terminal_print(stdout, says, strcspn(says, "\n"));
    }
    putchar('\n');
}

static void add_json(struct buf *json, const struct check *c)
{
    const char *says = c->is_here ? buf_text(&c->says) : "it is not installed here";

    buf_addf(json, "%s{\"program\":\"%s\",\"ok\":%s,\"reason\":", json->len ? "," : "",
             c->program, c->is_ok ? "true" : "false");
    if (c->is_ok)
        buf_add_text(json, "null");
    else
        buf_add_json_string(json, says, strcspn(says, "\n"));
    buf_add_char(json, '}');
}

// Returns whether all is well with the program. What is not installed here has no
// settings to be wrong, unless it was asked for.
static bool check(const struct call *call, const char *program, struct buf *json)
{
    struct check c = { .program = program };
    char path[PATH_MAX];

    buf_init(&c.says, SAYS_MAX_BYTES);
    c.is_here = find_program(path, program);
    if (c.is_here) {
        run(&c, path, call->set->config);
        take_reason(&c.says);
    }
    if (call_has(call, "json"))
        add_json(json, &c);
    else
        print(&c);
    buf_free(&c.says);
    return c.is_ok || (!c.is_here && call->positional_count == 0);
}

static bool is_wanted(const struct call *call, const char *program)
{
    for (size_t i = 0; i < call->positional_count; i++)
        if (strcmp(call->positionals[i], program) == 0)
            return true;
    return call->positional_count == 0;
}

static bool are_known(const struct call *call)
{
    size_t known = 0;

    for (size_t i = 0; i < COUNT_OF(programs); i++)
        known += is_wanted(call, programs[i]);
    return call->positional_count == 0 || known == call->positional_count;
}

int command_check_config(const struct call *call)
{
    struct buf json = BUF_INIT(OUTPUT_MAX_BYTES);
    bool is_ok = true;

    if (!are_known(call))
        return command_usage(call, "PROGRAM is smsq, smsq-worker and the like");
    for (size_t i = 0; i < COUNT_OF(programs); i++)
        if (is_wanted(call, programs[i]))
            is_ok = check(call, programs[i], &json) && is_ok;
    if (call_has(call, "json"))
        printf("{\"ok\":%s,\"programs\":[%s]}\n", is_ok ? "true" : "false",
               buf_text(&json));
    buf_free(&json);
    return is_ok ? EXIT_OK : EXIT_SETTINGS;
}
