#include "store_survey.h"

// What waits for a later time may be many: it is counted up to a limit, in the index by
// due time.
static const char survey_sql[] =
    "select status as what, class as word, '' as kind, count(*) as n,"
    "       coalesce(extract(epoch from now() - min(claimed_at)), 0)::bigint as oldest"
    "  from messages_held group by status, class"
    " union all "
    "select 'delayed', lane, kind, count(*),"
    "       coalesce(extract(epoch from now() - min(due)), 0)::bigint"
    "  from (select lane, kind, due from delayed limit 100000) d group by lane, kind"
    " union all "
    "select 'due', lane, '', count(*),"
    "       coalesce(extract(epoch from now() - min(due)), 0)::bigint"
    "  from (select lane, due from delayed where due <= now() limit 100000) d"
    " group by lane"
    " union all "
    "select 'partitions_missing', coalesce(min(relname)::text, ''), '', count(*), 0"
    "  from pg_class where relkind = 'p' and relnamespace = 'public'::regnamespace"
    "   and to_regclass(format('public.%I', relname || to_char("
    "           (date_trunc('month', now() at time zone 'UTC') + interval '1 month'),"
    "           '_YYYY_MM'))) is null";

static const struct db_statement survey = { "survey", survey_sql };

void store_survey(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &survey, db_args_new(), done, arg);
}

void store_survey_read(struct survey_row *out, const struct db_result *rows, size_t row)
{
    *out = (struct survey_row){
        .what = db_text(rows, row, 0),
        .word = db_text(rows, row, 1),
        .kind = db_text(rows, row, 2),
        .count = db_int(rows, row, 3),
        .oldest_s = db_int(rows, row, 4),
    };
}
