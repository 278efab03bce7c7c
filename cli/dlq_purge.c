// smsq dlq purge: throws the content of letters away, some at a time, each committed.
#include "command.h"
#include "letters.h"
#include "sql.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct purge {
    const struct call *call;
    const struct letters_filter *filter;
    struct sql_answer db;
    uint64_t total, purged, removed;
    const char *last;  // no letter above this one, NUL-ended copy
};

static const char count_sql[] =
    "select count(*), coalesce(max(letter_id), 0) from dead_letters where " LETTERS_WHERE;

static const char purge_sql[] =
    "with these as (select letter_id from dead_letters where " LETTERS_WHERE
    "   and letter_id <= $9::bigint order by letter_id limit 500),"
    " gone as (update dead_letters d set state = 'purged', sealed = null,"
    "                 settled_at = now(), settled_by = $10 from these s"
    "           where d.letter_id = s.letter_id returning 1)"
    " select count(*) from gone";

// The topic has forgotten them long ago, so they cannot come again.
static const char remove_sql[] =
    "with gone as (delete from dead_letters where state = 'purged'"
    "                 and settled_at < now() - interval '90 days' returning 1)"
    " select count(*) from gone";

static uint64_t number(const struct purge *p, int column)
{
    return strtoull(sql_text(&p->db, 0, column), NULL, 10);
}

static enum outcome purge_all(struct purge *p, struct err *err)
{
    const char *values[LETTERS_VALUES + 2];
    struct buf who = BUF_INIT(SQL_WHO_MAX_BYTES);
    struct progress progress;
    enum outcome rc;
    uint64_t count;

    sql_who(&who);
    memcpy(values, p->filter->values, sizeof(p->filter->values));
    values[LETTERS_VALUES] = p->last;
    values[LETTERS_VALUES + 1] = buf_text(&who);
    progress_begin(&progress, "purged", p->total);
    do {
        rc = sql_more(&p->db, purge_sql, values, COUNT_OF(values), err);
        count = rc ? 0 : number(p, 0);
        p->purged += count;
        progress_at(&progress, p->purged);
    } while (count > 0);
    if (!rc)
        rc = sql_more(&p->db, remove_sql, NULL, 0, err);
    p->removed = rc ? 0 : number(p, 0);
    progress_end(&progress);
    buf_free(&who);
    return rc;
}

static int summarise(const struct purge *p, bool is_dry)
{
    if (call_has(p->call, "json"))
        printf("{\"purged\":%" PRIu64 ",\"removed\":%" PRIu64 ",\"dry_run\":%s}\n",
               p->purged, p->removed, is_dry ? "true" : "false");
    else
        printf("%" PRIu64 " letters %s\n", p->purged,
               is_dry ? "would be purged" : "purged");
    return EXIT_OK;
}

// Returns EXIT_OK to go on.
static int confirm(const struct purge *p)
{
    char answer[8] = "";

    if (call_has(p->call, "yes") || p->total == 0)
        return EXIT_OK;
    if (!isatty(STDIN_FILENO))
        return command_usage(p->call, "nobody can be asked here: --yes is wanted");
    fprintf(stderr, "Purge %" PRIu64 " letters for good? [y/N] ", p->total);
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return EXIT_OK;
    command_says("nothing was purged");
    return EXIT_REFUSED;
}

static int purge(const struct call *call, const struct letters_filter *filter)
{
    struct purge p = { .call = call, .filter = filter };
    char last[24];
    struct err err = { 0 };
    int code;
    enum outcome rc = sql_ask(&p.db, call->set->database_url, count_sql, filter->values,
                              LETTERS_VALUES, &err);

    if (rc)
        return command_failed(rc, &err);
    p.total = number(&p, 0);
    (void)snprintf(last, sizeof(last), "%s", sql_text(&p.db, 0, 1));
    p.last = last;
    if (call_has(call, "dry-run")) {
        p.purged = p.total;
        code = summarise(&p, true);
    } else {
        code = confirm(&p);
        if (code == EXIT_OK)
            rc = purge_all(&p, &err);
        if (code == EXIT_OK)
            code = rc ? command_failed(rc, &err) : summarise(&p, false);
    }
    sql_answer_free(&p.db);
    return code;
}

int command_dlq_purge(const struct call *call)
{
    const char *state = call_text(call, "state");
    bool is_one = state && strcmp(state, "any") != 0;

    return letters_change(call, is_one ? letters_states(state) : "{waiting,replayed}",
                          purge);
}
