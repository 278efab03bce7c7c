#include "buf.h"
#include "db_internal.h"
#include "reactor.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

enum {
    BACKOFF_MIN_US = 50 * 1000,
    BACKOFF_MAX_US = 5 * 1000 * 1000,
    BACKOFF_DOUBLINGS = 7,  // from the least to above the most
    CONNECT_US = 15 * 1000 * 1000,
};

// Plans are pinned to what batches need, on empty tables too: the planner takes an
// unknown array for ten rows and a range of ids for a few, and would then compare each
// with each. A batch joins by hash; the rows of the table come by an array of keys, never
// by a scan. Plans that only a pin makes possible look dear, which must not wake the JIT
// compiler.
static const char session_settings[] = "-c enable_nestloop=off -c enable_mergejoin=off"
                                       " -c enable_seqscan=off -c jit=off"
                                       " -c plan_cache_mode=force_generic_plan"
                                       " -c statement_timeout=5s -c lock_timeout=1s"
                                       " -c idle_in_transaction_session_timeout=10s";

// libpq quotes the input it complains about, which may be the password.
static void hide_quoted(char *text)
{
    bool quoted = false;
    char *out = text;

    for (const char *p = text; *p && *p != '\n'; p++) {
        if (*p == '"')
            quoted = !quoted;
        if (!quoted || *p == '"')
            *out++ = *p;
    }
    *out = '\0';
}

enum outcome db_options(char **out, const char *url, struct err *err)
{
    char *complaint = NULL;
    PQconninfoOption *all = PQconninfoParse(url, &complaint);

    if (!all) {
        hide_quoted(complaint);
        err_set(err, OUTCOME_REJECT, "cannot read the connection string: %s", complaint);
        PQfreemem(complaint);
        return OUTCOME_REJECT;
    }

    struct buf options = BUF_INIT(SIZE_MAX - 1);
    buf_add_text(&options, session_settings);
    for (const PQconninfoOption *o = all; o->keyword; o++)
        if (o->val && strcmp(o->keyword, "options") == 0)
            buf_addf(&options, " %s", o->val);
    PQconninfoFree(all);
    *out = options.bytes;
    return OUTCOME_OK;
}

static enum outcome check_settings(const void *part, struct err *err)
{
    const struct db_settings *set = part;
    char *options = NULL;

    enum outcome rc = db_options(&options, set->url, err);
    if (rc)
        err_context(err, "database.url");
    free(options);
    return rc;
}

static const char *value_of(const PQconninfoOption *all, const char *keyword,
                            const char *variable)
{
    for (const PQconninfoOption *o = all; o->keyword; o++)
        if (o->val && o->val[0] && strcmp(o->keyword, keyword) == 0)
            return o->val;
    const char *value = getenv(variable);
    return value ? value : "";
}

static bool is_local(const char *host)
{
    return !host[0] || host[0] == '/' || host[0] == '@' ||
           strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static void review_settings(const void *part, struct settings_notes *notes)
{
    const struct db_settings *set = part;
    PQconninfoOption *all = PQconninfoParse(set->url, NULL);

    if (!all)
        return;
    const char *address = value_of(all, "hostaddr", "PGHOSTADDR");
    const char *host = address[0] ? address : value_of(all, "host", "PGHOST");
    if (!is_local(host) &&
        strcmp(value_of(all, "sslmode", "PGSSLMODE"), "verify-full") != 0)
        settings_warn(
            notes,
            "database.url: the server %s is not checked: add sslmode=verify-full "
            "and sslrootcert=FILE",
            host);
    PQconninfoFree(all);
}

const struct settings_part db_settings_part = { check_settings, review_settings };

int64_t db_backoff_us(unsigned tries)
{
    int64_t most_us = BACKOFF_MAX_US;

    if (tries < BACKOFF_DOUBLINGS)
        most_us = (int64_t)BACKOFF_MIN_US << tries;
    if (most_us > BACKOFF_MAX_US)
        most_us = BACKOFF_MAX_US;
    return 1 + (int64_t)random_below((uint64_t)most_us);
}

// libpq writes several lines, some of them indented.
static void one_line(struct err *err, const char *text)
{
    size_t len = 0;
    const char *p = text + strspn(text, " \t\n");

    while (*p && len + 3 < sizeof(err->text)) {
        if (*p != '\n') {
            err->text[len++] = *p++;
            continue;
        }
        p += strspn(p, " \t\n");
        if (*p) {
            err->text[len++] = ';';
            err->text[len++] = ' ';
        }
    }
    err->text[len] = '\0';
}

void db_disconnect(struct db *db)
{
    reactor_unwatch(db->reactor, db->fd);
    db->fd = -1;
    db->events = 0;
    db->state = DB_DOWN;
    PQfinish(db->conn);
    db->conn = NULL;
}

void db_lost(struct db *db, const char *why)
{
    // A connection that stood for a while was good, although nobody used it.
    if (db->state == DB_UP && clock_boot_us() - db->up_us > BACKOFF_MAX_US)
        db->connect_tries = 0;
    one_line(&db->error, why);
    db_disconnect(db);
    db_count_up(db);

    for (struct db_request *last; (last = TAILQ_LAST(&db->sent, db_queue));) {
        TAILQ_REMOVE(&db->sent, last, next);
        db->sent_count--;
        db_requeue(db, last);
    }
    reactor_timer_set(db->connect_timer, db_backoff_us(db->connect_tries++));
}

static void on_connected(struct db *db)
{
    if (PQsetnonblocking(db->conn, 1) || !PQenterPipelineMode(db->conn)) {
        db_lost(db, PQerrorMessage(db->conn));
        return;
    }
    db->state = DB_UP;
    db->connect_count++;
    db->up_us = clock_boot_us();
    db->error.text[0] = '\0';
    db_count_up(db);
    db_pipeline_start(db);
}

static void on_connect_io(void *arg, uint32_t events);

static void watch_connect(struct db *db, uint32_t events)
{
    struct err err = { 0 };

    db->fd = PQsocket(db->conn);
    if (reactor_watch(db->reactor, db->fd, events, on_connect_io, db, &err))
        db_lost(db, err.text);
}

static void on_connect_io(void *arg, uint32_t events)
{
    struct db *db = arg;

    (void)events;
    // libpq may close the socket and go on with another.
    reactor_unwatch(db->reactor, db->fd);
    db->fd = -1;
    reactor_timer_set(db->connect_timer, CONNECT_US);
    switch (PQconnectPoll(db->conn)) {
    case PGRES_POLLING_READING:
        watch_connect(db, EPOLLIN);
        return;
    case PGRES_POLLING_WRITING:
        watch_connect(db, EPOLLOUT);
        return;
    case PGRES_POLLING_OK:
        on_connected(db);
        return;
    default:
        db_lost(db, PQerrorMessage(db->conn));
    }
}

// Common code has no log, and stderr is not ours.
static void ignore_notice(void *arg, const char *text)
{
    (void)arg, (void)text;
}

void db_connect(struct db *db)
{
    // A later keyword wins: the connection string may change those in front of it.
    const struct {
        const char *keyword, *value;
    } parameters[] = {
        { "keepalives_idle", "10" },
        { "keepalives_interval", "5" },
        { "keepalives_count", "3" },
        { "tcp_user_timeout", "10000" },
        { "target_session_attrs", "read-write" },
        { "dbname", db->url },
        { "options", db->options },
        { "application_name", db->application_name },
        { "client_encoding", "UTF8" },
        { NULL, NULL },
    };
    const char *keywords[COUNT_OF(parameters)], *values[COUNT_OF(parameters)];

    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        keywords[i] = parameters[i].keyword;
        values[i] = parameters[i].value;
    }
    db->state = DB_CONNECTING;
    db->conn = PQconnectStartParams(keywords, values, 1);
    if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD) {
        db_lost(db, PQerrorMessage(db->conn));
        return;
    }
    PQsetNoticeProcessor(db->conn, ignore_notice, NULL);
    reactor_timer_set(db->connect_timer, CONNECT_US);
    watch_connect(db, EPOLLOUT);
}
