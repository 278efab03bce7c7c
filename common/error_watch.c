#include "error_watch.h"

#include "db.h"
#include "error_codes.h"
#include "log.h"
#include "reactor.h"

#include <stdlib.h>

enum { LOOK_US = 2000000 };

struct error_watch {
    struct error_watch_settings set;
    struct reactor_timer *timer;
    struct error_codes *codes;
    int64_t version;  // of what was read
    bool is_loaded;
};

// The version is a sum over all rows, so that it does not matter who changed one, how,
// and in which order two changes were committed. No rows = nothing has changed.
static const char look_sql[] =
    "select v.version, e.code, e.action, coalesce(e.least_wait_s, 0),"
    "       coalesce(e.tries_max, 0), e.opt_out, e.meaning, e.advice"
    "  from error_codes e,"
    "       (select coalesce(sum(hashtext(x::text)), 0)::bigint as version"
    "          from error_codes x) v"
    " where $1::bool or v.version <> $2::bigint order by e.code";

static const struct db_statement look_for_codes = { "error_codes", look_sql };

static void read_row(struct error_code *out, const struct db_result *rows, size_t row)
{
    *out = (struct error_code){
        .code = (int32_t)db_int(rows, row, 1),
        .action = error_action_find(db_text(rows, row, 2)),
        .least_wait_s = (int32_t)db_int(rows, row, 3),
        .tries_max = (int32_t)db_int(rows, row, 4),
        .opt_out = db_bool(rows, row, 5),
        .meaning = db_text(rows, row, 6),
        .advice = db_text(rows, row, 7),
    };
}

static void take(struct error_watch *w, const struct db_result *rows)
{
    size_t count = db_rows(rows);
    struct error_code *read = xcalloc(count ? count : 1, sizeof(*read));

    for (size_t i = 0; i < count; i++)
        read_row(&read[i], rows, i);
    error_codes_replace(w->codes, read, count);
    free(read);
    w->version = db_int(rows, 0, 0);
    log_line(LOG_LEVEL_INFO, "error_codes_loaded", LOG_I("count", (int64_t)count));
}

static void on_looked(void *arg, const struct db_answer *answer)
{
    struct error_watch *w = arg;

    if (answer->rc) {
        w->set.fail(w->set.arg, answer->reason);
        return;
    }
    if (db_rows(answer->rows) > 0)
        take(w, answer->rows);
    reactor_timer_set(w->timer, LOOK_US);
    if (w->is_loaded)
        return;
    w->is_loaded = true;
    w->set.loaded(w->set.arg);
}

static void look(void *arg)
{
    struct error_watch *w = arg;
    struct db_args *args = db_args_new();

    db_args_bool(args, !w->is_loaded);
    db_args_int8(args, w->version);
    db_submit(w->set.db, &look_for_codes, args, on_looked, w);
}

struct error_watch *error_watch_new(const struct error_watch_settings *set)
{
    struct error_watch *w = xcalloc(1, sizeof(*w));

    w->set = *set;
    w->codes = error_codes_new();
    w->timer = reactor_timer_new(set->reactor, look, w);
    look(w);
    return w;
}

void error_watch_free(struct error_watch *w)
{
    if (!w)
        return;
    reactor_timer_free(w->timer);
    error_codes_free(w->codes);
    free(w);
}

const struct error_codes *error_watch_codes(const struct error_watch *w)
{
    return w->codes;
}

bool error_watch_is_loaded(const struct error_watch *w)
{
    return w->is_loaded;
}
