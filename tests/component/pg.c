#include "pg.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    PATH_BYTES = 512,
    READY_US = 60 * 1000000,  // initdb's neighbours may leave us little of the machine
    POLL_US = 10 * 1000,
};

struct pg {
    char folder[PATH_BYTES];
    char url[2 * PATH_BYTES];
    pid_t server;  // 0 while down
    uid_t uid;     // of the server: PostgreSQL refuses root
    gid_t gid;
};

enum spawn_as { AS_SERVER, AS_OURSELVES };

static const char *in_folder(const struct pg *pg, const char *name,
                             char path[2 * PATH_BYTES])
{
    (void)snprintf(path, 2 * PATH_BYTES, "%s/%s", pg->folder, name);
    return path;
}

static void print_log(const struct pg *pg)
{
    char path[2 * PATH_BYTES], line[1024];
    FILE *log = fopen(in_folder(pg, "log", path), "re");

    while (log && fgets(line, sizeof(line), log))
        print_error("%s", line);
    if (log)
        (void)fclose(log);
}

// Between fork and exec: no other thread of the test exists here, nothing allocates.
static void become_child(const struct pg *pg, enum spawn_as who, const char *log_path,
                         char *const argv[])
{
    static char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", NULL };
    sigset_t none;
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    if (who == AS_SERVER && geteuid() == 0 &&
        (setgroups(0, NULL) || setgid(pg->gid) || setuid(pg->uid)))
        _exit(126);
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) || chdir(pg->folder))
        _exit(126);
    execve(argv[0], argv, environment);
    _exit(127);
}

static pid_t spawn(const struct pg *pg, enum spawn_as who, char *const argv[])
{
    char log_path[2 * PATH_BYTES];
    in_folder(pg, "log", log_path);

    pid_t pid = fork();
    if (pid == 0)
        become_child(pg, who, log_path, argv);
    if (pid < 0)
        fail_msg("cannot fork: %s", strerror(errno));
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void run(const struct pg *pg, enum spawn_as who, char *const argv[])
{
    if (wait_for(spawn(pg, who, argv)) == 0)
        return;
    print_log(pg);
    fail_msg("%s failed", argv[0]);
}

void pg_up(struct pg *pg)
{
    char data[2 * PATH_BYTES];
    char *const argv[] = { TEST_PG_BIN "/postgres",
                           "-D",
                           (char *)in_folder(pg, "data", data),
                           "-k",
                           pg->folder,
                           "-clisten_addresses=",
                           "-cfsync=off",
                           "-cshared_buffers=64MB",
                           "-cmax_prepared_transactions=4",
                           NULL };
    int64_t deadline_us = clock_boot_us() + READY_US;

    assert_int_equal(pg->server, 0);
    pg->server = spawn(pg, AS_SERVER, argv);
    while (PQping(pg->url) != PQPING_OK) {
        if (clock_boot_us() > deadline_us ||
            waitpid(pg->server, NULL, WNOHANG) == pg->server) {
            print_log(pg);
            fail_msg("PostgreSQL does not start");
        }
        usleep(POLL_US);
    }
}

void pg_down(struct pg *pg, enum pg_mode mode)
{
    if (pg->server <= 0)
        return;
    kill(pg->server, mode == PG_FAST ? SIGINT : SIGQUIT);
    wait_for(pg->server);
    pg->server = 0;
}

void pg_restart(struct pg *pg, enum pg_mode mode)
{
    pg_down(pg, mode);
    pg_up(pg);
}

static void deploy(const struct pg *pg, const char *change)
{
    char script[2 * PATH_BYTES];
    char *const argv[] = { TEST_PG_BIN "/psql",
                           "-Xqv",
                           "ON_ERROR_STOP=1",
                           "-d",
                           (char *)pg->url,
                           "-f",
                           script,
                           NULL };

    (void)snprintf(script, sizeof(script), "%s/migrations/deploy/%s.sql", TEST_SOURCE_DIR,
                   change);
    run(pg, AS_OURSELVES, argv);
}

// A plan line names a change and says more behind a blank; %pragmas, @tags and comments
// are no changes.
static void deploy_all(const struct pg *pg)
{
    char *line = NULL;
    size_t room = 0;
    FILE *plan = fopen(TEST_SOURCE_DIR "/migrations/sqitch.plan", "re");

    if (!plan)
        fail_msg("cannot read the plan of migrations: %s", strerror(errno));
    while (getline(&line, &room, plan) > 0) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] && !strchr("%@#", line[0]))
            deploy(pg, line);
    }
    free(line);
    (void)fclose(plan);
}

static void make_folder(struct pg *pg)
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(pg->folder, sizeof(pg->folder), "%s/smsq-pg-XXXXXX",
                   base && base[0] ? base : "/tmp");
    if (!mkdtemp(pg->folder))
        fail_msg("cannot make %s: %s", pg->folder, strerror(errno));
    (void)snprintf(pg->url, sizeof(pg->url),
                   "postgresql:///postgres?host=%s&user=postgres", pg->folder);
    if (geteuid() != 0)
        return;

    const struct passwd *postgres = getpwnam("postgres");
    if (!postgres || chown(pg->folder, postgres->pw_uid, postgres->pw_gid))
        fail_msg("root needs the user postgres to run PostgreSQL");
    pg->uid = postgres->pw_uid;
    pg->gid = postgres->pw_gid;
}

struct pg *pg_start(enum pg_schema schema)
{
    struct pg *pg = xcalloc(1, sizeof(*pg));
    char data[2 * PATH_BYTES];

    make_folder(pg);
    char *const initdb[] = {
        TEST_PG_BIN "/initdb", "-D",           (char *)in_folder(pg, "data", data),
        "--username=postgres", "--auth=trust", "--encoding=UTF8",
        "--locale=C",          "--no-sync",    NULL
    };
    run(pg, AS_SERVER, initdb);
    pg_up(pg);
    if (schema == PG_MIGRATED)
        deploy_all(pg);
    return pg;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    (void)remove(path);
    return 0;
}

void pg_stop(struct pg *pg)
{
    if (!pg)
        return;
    pg_down(pg, PG_IMMEDIATE);
    (void)nftw(pg->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(pg);
}

const char *pg_url(const struct pg *pg)
{
    return pg->url;
}

static void ignore_notice(void *arg, const char *text)
{
    (void)arg, (void)text;
}

static PGresult *query(struct pg *pg, const char *sql)
{
    PGconn *conn = PQconnectdb(pg->url);

    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    PGresult *rows = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(rows);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        print_error("%s\n%s", sql, PQerrorMessage(conn));
    PQfinish(conn);
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    return rows;
}

void pg_exec(struct pg *pg, const char *sql)
{
    PQclear(query(pg, sql));
}

char *pg_text(struct pg *pg, const char *sql)
{
    PGresult *rows = query(pg, sql);

    assert_true(PQntuples(rows) > 0);
    char *text = xstrdup(PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return text;
}

int64_t pg_int(struct pg *pg, const char *sql)
{
    char *text = pg_text(pg, sql);
    int64_t value = strtoll(text, NULL, 10);
    free(text);
    return value;
}
