#include "store_switches.h"

// An age, or a time to come, in microseconds.
#define US(interval) "(extract(epoch from " interval ") * 1000000)::bigint"

static const char read_sql[] = "select name, state, coalesce(reason, ''), " US(
    "now() - since") ","
                     "       coalesce(" US(
                         "probe_at - now()") ", 0), coalesce(code, 0)"
                                             "  from switches where state <> 'closed' "
                                             "order by name";

// 2 s, 4 s, … to a minute, a sender's to five, and a fifth more or less. It remembers for
// five good minutes: what fails again and again is not asked every other second.
#define PROBES                                                                           \
    "case when s.state = 'closed' and s.since < now() - interval '5 min' then 1"         \
    "     else least(s.probes + 1, 12) end"
#define PROBE_AT(probes, scope)                                                          \
    "now() + (0.8 + 0.4 * random()) * interval '1 s'"                                    \
    "      * least(2 ^ (" probes "), case " scope " when 'sender' then 300 else 60 end)"

static const char open_sql[] =
    "insert into switches as s (name, scope, state, probe_at, probes, code, http_status,"
    "                           reason, changed_by)"
    " values ($1::text, $2::text, 'open', " PROBE_AT(
        "1",
        "$2::text") ", 1,"
                    "         nullif($3::int, 0), nullif($4::int, 0), $5::text, $7::text)"
                    " on conflict (name) do update set"
                    "   state = 'open', since = case s.state when 'open' then s.since "
                    "else now() end,"
                    "   probes = " PROBES ", probe_at = " PROBE_AT(
                        PROBES, "s.scope") ", prober = null,"
                                           "   code = excluded.code, http_status = "
                                           "excluded.http_status,"
                                           "   reason = excluded.reason, changed_by = "
                                           "excluded.changed_by"
                                           " where s.state = 'closed' or (s.state = "
                                           "'open' and s.prober = $6::bigint)";

static const char close_sql[] =
    "update switches set state = 'closed', since = now(), probe_at = null, prober = null,"
    "                    changed_by = $3::text"
    " where name = $1::text and state = 'open' and prober = $2::bigint";

static const char probe_sql[] =
    "update switches set probe_at = now() + $3::bigint * interval '1 microsecond',"
    "                    prober = case when $3::bigint > 0 then $2::bigint end"
    " where name = $1::text and state = 'open'"
    "   and (prober = $2::bigint or (probe_at <= now() and $3::bigint > 0))"
    " returning name";

static const struct db_statement read_switches = { "switches_read", read_sql };
static const struct db_statement open_switch = { "switch_open", open_sql };
static const struct db_statement close_switch = { "switch_close", close_sql };
static const struct db_statement probe_switch = { "switch_probe", probe_sql };

void store_switches_read(struct db *db, db_done *done, void *arg)
{
    db_submit(db, &read_switches, db_args_new(), done, arg);
}

void store_switches_row(struct switch_row *out, const struct db_result *rows, size_t row)
{
    *out = (struct switch_row){
        .name = db_text(rows, row, 0),
        .state = db_text(rows, row, 1),
        .reason = db_text(rows, row, 2),
        .age_us = db_int(rows, row, 3),
        .probe_in_us = db_int(rows, row, 4),
        .code = (int32_t)db_int(rows, row, 5),
    };
}

void store_switch_open(struct db *db, const struct switch_word *word, db_done *done,
                       void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, word->name);
    db_args_text(args, word->scope);
    db_args_int4(args, word->code);
    db_args_int4(args, word->http_status);
    db_args_text(args, word->reason);
    db_args_int8(args, word->prober);
    db_args_text(args, word->changed_by);
    db_submit(db, &open_switch, args, done, arg);
}

void store_switch_close(struct db *db, const struct switch_word *word, db_done *done,
                        void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, word->name);
    db_args_int8(args, word->prober);
    db_args_text(args, word->changed_by);
    db_submit(db, &close_switch, args, done, arg);
}

void store_switch_probe(struct db *db, const char *name, int64_t prober, int64_t lease_us,
                        db_done *done, void *arg)
{
    struct db_args *args = db_args_new();

    db_args_text(args, name);
    db_args_int8(args, prober);
    db_args_int8(args, lease_us);
    db_submit(db, &probe_switch, args, done, arg);
}
