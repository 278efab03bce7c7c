// smsq topics list, create, check.
#include "buf.h"
#include "command.h"
#include "terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT_MAX_BYTES = 65536 };

static const char *const states[] = { "created", "exists", "missing" };
static const enum terminal_colour colours[] = { TERMINAL_GREEN, TERMINAL_PLAIN,
                                                TERMINAL_RED };

// One run of a command over all topics.
struct listing {
    const struct topics_settings *set;
    bool as_json, checks;
    size_t count, problems;
    struct buf json;
};

static void find_problem(struct err *problem, const struct topics_settings *set,
                         const struct topics_row *row)
{
    int64_t partitions = topics_wanted(set, row->name);

    if (row->state == TOPICS_MISSING)
        err_set(problem, OUTCOME_REJECT, "it is missing: smsq topics create makes it");
    else if (row->partitions < partitions)
        err_set(problem, OUTCOME_REJECT,
                "it has %d partitions, and the settings want %" PRId64, row->partitions,
                partitions);
    else if (row->replication < set->replication)
        err_set(problem, OUTCOME_REJECT,
                "it has %d copies, and the settings want %" PRId64, row->replication,
                set->replication);
}

static void add_json(struct listing *l, const struct topics_row *row,
                     const struct err *problem)
{
    buf_addf(&l->json,
             "%s{\"topic\":\"%s\",\"state\":\"%s\",\"partitions\":%d,\"replication\":%d",
             l->count ? "," : "", row->name, states[row->state], row->partitions,
             row->replication);
    if (l->checks && problem->text[0]) {
        buf_add_text(&l->json, ",\"problem\":");
        buf_add_json_string(&l->json, problem->text, strlen(problem->text));
    } else if (l->checks) {
        buf_add_text(&l->json, ",\"problem\":null");
    }
    buf_add_char(&l->json, '}');
}

static void print(const struct listing *l, const struct topics_row *row,
                  const struct err *problem)
{
    printf("%-16s ", row->name);
    terminal_colour(stdout, colours[row->state], states[row->state]);
    printf("%*s partitions=%d replication=%d", (int)(8 - strlen(states[row->state])), "",
           row->partitions, row->replication);
    if (l->checks) {
        putchar(' ');
        terminal_colour(stdout, problem->text[0] ? TERMINAL_RED : TERMINAL_GREEN,
                        problem->text[0] ? problem->text : "ok");
    }
    putchar('\n');
}

static void on_topic(void *arg, const struct topics_row *row)
{
    struct listing *l = arg;
    struct err problem = { 0 };

    find_problem(&problem, l->set, row);
    if (l->as_json)
        add_json(l, row, &problem);
    else
        print(l, row, &problem);
    l->count++;
    l->problems += problem.text[0] != '\0';
}

static int finish(struct listing *l, enum outcome rc, const struct err *err)
{
    int code = rc ? command_failed(rc, err) : EXIT_OK;

    if (!rc && l->as_json)
        printf("[%s]\n", buf_text(&l->json));
    if (!rc && l->checks && l->problems > 0)
        code = EXIT_FAILED;
    buf_free(&l->json);
    return code;
}

static void begin(struct listing *l, const struct call *call)
{
    *l = (struct listing){ .set = &call->set->topics, .as_json = call_has(call, "json") };
    buf_init(&l->json, OUTPUT_MAX_BYTES);
}

int command_topics_create(const struct call *call)
{
    struct listing l;
    struct err err = { 0 };

    begin(&l, call);
    enum outcome rc =
        topics_create(&call->set->kafka, &call->set->topics, on_topic, &l, &err);
    return finish(&l, rc, &err);
}

static int list(const struct call *call, bool checks)
{
    struct listing l;
    struct err err = { 0 };

    begin(&l, call);
    l.checks = checks;
    enum outcome rc =
        topics_list(&call->set->kafka, call->set->topics.deadline_us, on_topic, &l, &err);
    return finish(&l, rc, &err);
}

int command_topics_list(const struct call *call)
{
    return list(call, false);
}

int command_topics_check(const struct call *call)
{
    return list(call, true);
}
