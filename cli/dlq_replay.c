// smsq dlq replay: letters back to the topics they came from, some at a time: published,
// confirmed by Kafka, then marked. What ends in between may be published again.
#include "command.h"
#include "dead_letter.h"
#include "kafka_out.h"
#include "letters.h"
#include "reactor.h"
#include "sql.h"
#include "terminal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 20,  // a letter has up to 900 kB
    TIMEOUT_MS = 10000,
    MARK_MAX_BYTES = BATCH_MAX * 24,
    LINGER_US = 500,
};

struct letter {
    struct replay *replay;
    const char *id;  // the answer's
    bool is_confirmed;
};

struct replay {
    const struct call *call;
    const struct letters_filter *filter;
    struct sql_answer db;
    struct keys keys;
    struct reactor *loop;
    struct kafka_out *out;
    struct progress progress;
    uint64_t total, replayed, skipped;
    char after[24];  // the last letter that was looked at
    struct letter letters[BATCH_MAX];
    size_t count, open;  // of the batch, and not reported yet
    bool is_interrupted;
    struct err err;  // of Kafka
};

static const char count_sql[] =
    "select count(*), coalesce(sum((topic = 'sms.dead' or not is_whole)::int), 0),"
    "       coalesce(max(letter_id), 0)"
    "  from dead_letters where " LETTERS_WHERE;

// Says that a replay begins before it does: the record may come back before its mark.
static const char next_sql[] =
    "with these as (select letter_id, topic, part, off, sealed, is_whole"
    "                 from dead_letters where " LETTERS_WHERE
    "                  and letter_id > $9::bigint and letter_id <= $10::bigint"
    "                order by letter_id limit 20),"
    " began as (update dead_letters d set replay_began_at = now() from these t"
    "            where d.letter_id = t.letter_id)"
    " select letter_id, topic, part, off, sealed, is_whole from these order by letter_id";

static const char mark_sql[] =
    "update dead_letters set state = 'replayed', settled_at = now(), settled_by = $2"
    " where letter_id = any ($1::bigint[]) and state <> 'purged'";

static void on_signal(void *arg)
{
    struct replay *r = arg;
    r->is_interrupted = true;
}

static void on_published(void *arg, enum outcome rc, const char *reason)
{
    struct letter *letter = arg;
    struct replay *r = letter->replay;

    letter->is_confirmed = rc == OUTCOME_OK;
    if (rc)
        err_set(&r->err, rc, "Kafka did not take letter %s: %s", letter->id, reason);
    if (--r->open == 0)
        reactor_stop(r->loop);
}

static void skip(struct replay *r, const char *id, const char *reason)
{
    r->skipped++;
    command_says("letter %s is left out: %s", id, reason);
}

// Returns why a letter cannot be replayed, or NULL.
static const char *hindrance(const struct replay *r, size_t row)
{
    const char *topic = sql_text(&r->db, row, 1);

    if (strcmp(topic, TOPIC_DEAD) == 0)
        return "it is no letter, so its origin is unknown";
    if (topics_wanted(&r->call->set->topics, topic) == 0)
        return "its topic is none of ours";
    return sql_text(&r->db, row, 5)[0] == 't'
               ? NULL
               : "it was cut; the whole record stands at its origin";
}

static void submit(struct replay *r, const char *id, const struct sms_dead *dead)
{
    struct letter *letter = &r->letters[r->count];
    const struct kafka_out_record rec = {
        .topic = dead->topic,
        .key = dead->key.bytes,
        .key_len = dead->key.len,
        .value = dead->value.bytes,
        .value_len = dead->value.len,
    };

    *letter = (struct letter){ .replay = r, .id = id };
    r->count++;
    if (!kafka_out_submit(r->out, &rec, on_published, letter, &r->err))
        r->open++;
}

static void publish(struct replay *r, size_t row)
{
    const struct dead_letter_row columns = { sql_text(&r->db, row, 1),
                                             sql_text(&r->db, row, 2),
                                             sql_text(&r->db, row, 3),
                                             sql_text(&r->db, row, 4) };
    const char *id = sql_text(&r->db, row, 0), *reason = hindrance(r, row);
    struct dead_letter letter;
    struct err err = { 0 };

    if (reason) {
        skip(r, id, reason);
    } else if (dead_letter_open(&letter, &columns, &r->keys, &err)) {
        skip(r, id, err.text);
    } else {
        submit(r, id, &letter.record);
        dead_letter_free(&letter);
    }
}

// Marks what Kafka has. The rows of the batch end with the statement.
static enum outcome mark(struct replay *r, struct err *err)
{
    struct buf ids = BUF_INIT(MARK_MAX_BYTES), who = BUF_INIT(SQL_WHO_MAX_BYTES);
    uint64_t count = 0;

    for (size_t i = 0; i < r->count; i++)
        if (r->letters[i].is_confirmed)
            buf_addf(&ids, "%s%s", count++ ? "," : "{", r->letters[i].id);
    buf_add_char(&ids, '}');
    sql_who(&who);
    const char *const values[] = { buf_text(&ids), buf_text(&who) };
    enum outcome rc = count ? sql_more(&r->db, mark_sql, values, 2, err) : OUTCOME_OK;
    if (!rc)
        r->replayed += count;
    buf_free(&ids);
    buf_free(&who);
    return rc;
}

static enum outcome read_batch(struct replay *r, const char *last, struct err *err)
{
    const char *values[LETTERS_VALUES + 2];

    memcpy(values, r->filter->values, sizeof(r->filter->values));
    values[LETTERS_VALUES] = r->after;
    values[LETTERS_VALUES + 1] = last;
    return sql_more(&r->db, next_sql, values, COUNT_OF(values), err);
}

// One batch: read, publish, wait, mark. Sets *is_done after the last one.
static enum outcome step(struct replay *r, const char *last, bool *is_done,
                         struct err *err)
{
    if (read_batch(r, last, err))
        return OUTCOME_RETRY;
    size_t rows = sql_rows(&r->db);
    r->count = 0;
    for (size_t i = 0; i < rows; i++)
        publish(r, i);
    if (rows > 0)
        (void)snprintf(r->after, sizeof(r->after), "%s", sql_text(&r->db, rows - 1, 0));
    if (r->open > 0)
        reactor_run(r->loop);
    enum outcome rc = mark(r, err);
    if (!rc && r->err.text[0])
        rc = err_set(err, OUTCOME_RETRY, "%s", r->err.text);
    progress_at(&r->progress, r->replayed + r->skipped);
    *is_done = rows == 0;
    return rc;
}

static enum outcome open_kafka(struct replay *r, struct err *err)
{
    const struct kafka_out_settings set = {
        .kafka = &r->call->set->kafka,
        .linger_us = LINGER_US,
        .timeout_ms = TIMEOUT_MS,
        .queue_max = BATCH_MAX,
    };

    stop_install();  // before librdkafka starts its threads
    if (reactor_open(&r->loop, err))
        return OUTCOME_FATAL;
    reactor_on_signal(r->loop, SIGINT, on_signal, r);
    reactor_on_signal(r->loop, SIGTERM, on_signal, r);
    return kafka_out_open(&r->out, r->loop, &set, NULL, err);
}

static int summarise(const struct replay *r, bool is_dry)
{
    if (call_has(r->call, "json"))
        printf("{\"replayed\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"dry_run\":%s}\n",
               r->replayed, r->skipped, is_dry ? "true" : "false");
    else
        printf("%" PRIu64 " letters %s, %" PRIu64 " left out\n", r->replayed,
               is_dry ? "would be replayed" : "replayed", r->skipped);
    if (r->is_interrupted) {
        command_says("interrupted; the same command goes on with the rest");
        return EXIT_INTERRUPTED;
    }
    return r->skipped > 0 && !is_dry ? EXIT_FAILED : EXIT_OK;
}

static int replay_all(struct replay *r)
{
    struct err err = { 0 };
    char last[24];
    bool is_done = false;

    (void)snprintf(last, sizeof(last), "%s", sql_text(&r->db, 0, 2));
    (void)snprintf(r->after, sizeof(r->after), "0");
    if (!command_open_keys(&r->keys, r->call->set, true))
        return EXIT_SETTINGS;
    enum outcome rc = open_kafka(r, &err);
    progress_begin(&r->progress, "replayed", r->total);
    while (!rc && !is_done && !r->is_interrupted)
        rc = step(r, last, &is_done, &err);
    progress_end(&r->progress);
    kafka_out_close(r->out);
    reactor_close(r->loop);
    keys_close(&r->keys);
    int code = summarise(r, false);
    return rc ? command_failed(rc, &err) : code;
}

// What was named and is not there, or does not wait any more.
static int check_named(const struct replay *r, int code)
{
    uint64_t named = r->call->positional_count;

    if (named <= r->total)
        return code;
    command_says("%" PRIu64
                 " of these letters are not there or do not wait; --again takes "
                 "those that were replayed",
                 named - r->total);
    return code == EXIT_OK ? EXIT_NOT_FOUND : code;
}

static int replay(const struct call *call, const struct letters_filter *filter)
{
    struct replay r = { .call = call, .filter = filter };
    struct err err = { 0 };
    int code;
    enum outcome rc = sql_ask(&r.db, call->set->database_url, count_sql, filter->values,
                              LETTERS_VALUES, &err);

    if (rc)
        return command_failed(rc, &err);
    r.total = strtoull(sql_text(&r.db, 0, 0), NULL, 10);
    if (call_has(call, "dry-run")) {
        r.skipped = strtoull(sql_text(&r.db, 0, 1), NULL, 10);
        r.replayed = r.total - r.skipped;
        code = summarise(&r, true);
    } else {
        code = r.total > 0 ? replay_all(&r) : summarise(&r, false);
    }
    code = check_named(&r, code);
    sql_answer_free(&r.db);
    return code;
}

int command_dlq_replay(const struct call *call)
{
    return letters_change(call,
                          call_has(call, "again") ? "{waiting,replayed}" : "{waiting}",
                          replay);
}
