#include "provider.h"

#include "account.h"
#include "buf.h"
#include "gcra.h"
#include "http_client.h"
#include "json.h"
#include "metrics.h"
#include "provider_line.h"
#include "reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum {
    URL_MAX_BYTES = 2048,
    LIST_PAGE = 200,  // of the list of one person
};

enum { LINE_REAL, LINE_SIMULATOR, LINE_COUNT };
enum { QUEUE_COUNT = PROVIDER_SHARE_COUNT * LINE_COUNT };

struct ask {
    struct provider *owner;
    struct provider_line *line;  // NULL: no account
    enum provider_share share;
    char *url;
    provider_done *done;
    void *arg;
    TAILQ_ENTRY(ask) next;
};

TAILQ_HEAD(asks, ask);

struct provider {
    const struct accounts *accounts;
    const int64_t *calls_per_second;
    struct reactor_timer *pump;
    struct json_reader *json;
    struct provider_page page;  // of the answer at hand
    struct provider_line lines[LINE_COUNT];
    struct asks queues[QUEUE_COUNT];  // one account that hangs does not stop the other
    struct asks flying;
    int next_queue;
    int64_t budget_ns;  // gcra's arrival time
    struct metric *calls[PROVIDER_SHARE_COUNT], *failed, *queued;
};

static void pump(void *arg);

static void set_gauges(void *arg)
{
    const struct provider *p = arg;
    const struct ask *one;
    size_t waiting = 0;

    for (size_t i = 0; i < QUEUE_COUNT; i++)
        TAILQ_FOREACH(one, &p->queues[i], next) waiting++;
    metric_set(p->queued, (double)waiting);
    for (size_t i = 0; i < LINE_COUNT; i++)
        metric_set(p->lines[i].paused,
                   p->lines[i].paused_until_us > clock_boot_us() ? 1 : 0);
}

static void declare_metrics(struct provider *p, struct metrics *m)
{
    static const char *const shares[PROVIDER_SHARE_COUNT] = {
        [PROVIDER_DOUBTS] = "for=\"doubts\"",
        [PROVIDER_STATUS] = "for=\"status\"",
        [PROVIDER_PRICE] = "for=\"price\"",
    };

    for (size_t i = 0; i < PROVIDER_SHARE_COUNT; i++)
        p->calls[i] = metrics_counter(m, "smsq_reconcile_calls_total", shares[i],
                                      "Times that Twilio was asked about messages.");
    p->failed = metrics_counter(m, "smsq_reconcile_calls_failed_total", NULL,
                                "Of these, answers that said nothing.");
    p->queued = metrics_gauge(m, "smsq_reconcile_calls_waiting", NULL,
                              "Questions to Twilio that wait for the budget.");
    metrics_before_render(m, set_gauges, p);
}

enum outcome provider_open(struct provider **out, struct reactor *r,
                           const struct provider_settings *set, struct err *err)
{
    struct provider *p = xcalloc(1, sizeof(*p));

    p->accounts = set->accounts;
    p->calls_per_second = set->calls_per_second;
    p->json = json_reader_new();
    p->pump = reactor_timer_new(r, pump, p);
    for (size_t i = 0; i < QUEUE_COUNT; i++)
        TAILQ_INIT(&p->queues[i]);
    TAILQ_INIT(&p->flying);
    declare_metrics(p, set->metrics);
    enum outcome rc = provider_line_open(&p->lines[LINE_REAL], r, "twilio",
                                         &set->accounts->twilio, set, err);
    if (!rc)
        rc = provider_line_open(&p->lines[LINE_SIMULATOR], r, "simulator",
                                &set->accounts->simulator, set, err);
    if (rc) {
        provider_close(p);
        return rc;
    }
    *out = p;
    return OUTCOME_OK;
}

static void free_ask(struct ask *ask)
{
    free(ask->url);
    free(ask);
}

static void free_all(struct asks *asks)
{
    struct ask *ask;

    while ((ask = TAILQ_FIRST(asks))) {
        TAILQ_REMOVE(asks, ask, next);
        free_ask(ask);
    }
}

void provider_close(struct provider *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < LINE_COUNT; i++)
        http_client_close(p->lines[i].http);
    for (size_t i = 0; i < QUEUE_COUNT; i++)
        free_all(&p->queues[i]);
    free_all(&p->flying);
    reactor_timer_free(p->pump);
    json_reader_free(p->json);
    free(p);
}

// What was answered; the page stands in p->page.
static enum provider_result judge(struct provider *p, struct provider_line *line,
                                  const struct http_answer *http, struct err *err)
{
    if (http->status == 200 &&
        !provider_read(&p->page, p->json, http->body, http->body_len, err)) {
        line->pause_us = 0;
        return PROVIDER_OK;
    }
    if (http->status == 404) {
        line->pause_us = 0;
        err_set(err, OUTCOME_REJECT, "Twilio knows no such message");
        return PROVIDER_MISSING;
    }
    if (http->status != 200) {
        provider_line_pause(line, http);
        err_set(err, OUTCOME_RETRY, "HTTP %d %s", http->status, http->error);
    }
    return PROVIDER_FAILED;
}

static void on_answer(void *arg, const struct http_answer *http)
{
    struct ask *ask = arg;
    struct provider *p = ask->owner;
    struct err err = { 0 };

    TAILQ_REMOVE(&p->flying, ask, next);
    struct provider_answer answer = { .result = judge(p, ask->line, http, &err) };
    if (answer.result == PROVIDER_OK)
        answer.page = &p->page;
    else
        answer.reason = err.text;
    if (answer.result == PROVIDER_FAILED)
        metric_add(p->failed, 1);
    ask->done(ask->arg, &answer);
    provider_page_free(&p->page);
    free_ask(ask);
    reactor_timer_set(p->pump, 0);
}

static void refuse(struct provider *p, struct ask *ask, enum provider_result result,
                   const char *reason)
{
    const struct provider_answer answer = { .result = result, .reason = reason };

    if (result == PROVIDER_FAILED)
        metric_add(p->failed, 1);
    ask->done(ask->arg, &answer);
    free_ask(ask);
}

static void fly(struct provider *p, struct ask *ask)
{
    const struct http_call call = { .method = "GET", .url = ask->url };

    TAILQ_INSERT_TAIL(&p->flying, ask, next);
    if (!http_client_submit(ask->line->http, &call, on_answer, ask))
        abort();  // pump looked for a free slot
}

// Returns 0 when a call may go out now, else after how long one may.
static int64_t take_budget_us(struct provider *p)
{
    int64_t rate = *p->calls_per_second, now_ns = clock_boot_us() * 1000;
    const struct gcra_rule rule = { 1000000000 / rate, rate };

    if (gcra_take(&p->budget_ns, &rule, now_ns))
        return 0;
    return gcra_wait_ns(p->budget_ns, &rule, now_ns) / 1000 + 1;
}

// Deals with the first of a queue; false when it has to wait.
static bool serve(struct provider *p, struct asks *queue, int64_t *wait_us)
{
    struct ask *ask = TAILQ_FIRST(queue);
    struct provider_line *line;

    if (!ask)
        return false;
    line = ask->line;
    bool is_paused = line && line->paused_until_us > clock_boot_us();
    if (line && !is_paused) {
        if (http_client_free_slots(line->http) == 0)
            return false;
        *wait_us = take_budget_us(p);
        if (*wait_us > 0)
            return false;
    }
    TAILQ_REMOVE(queue, ask, next);
    if (!line) {
        refuse(p, ask, PROVIDER_NO_ACCOUNT, "its mode has no account here");
    } else if (is_paused) {
        refuse(p, ask, PROVIDER_FAILED, "the account is left alone for a while");
    } else {
        metric_add(p->calls[ask->share], 1);
        fly(p, ask);
    }
    return true;
}

// One call of each queue in turn, while budget and connections last.
static void pump(void *arg)
{
    struct provider *p = arg;
    int idle = 0;
    int64_t wait_us = 0;

    while (idle < QUEUE_COUNT && wait_us == 0) {
        bool served = serve(p, &p->queues[p->next_queue], &wait_us);
        if (wait_us == 0)  // who waits for the budget is the next one
            p->next_queue = (p->next_queue + 1) % QUEUE_COUNT;
        idle = served ? 0 : idle + 1;
    }
    if (wait_us > 0)
        reactor_timer_set(p->pump, wait_us);
}

static struct provider_line *find_line(struct provider *p, const char *mode)
{
    enum account_mode found;

    if (!account_mode_find(&found, mode, strlen(mode)))
        return NULL;
    struct provider_line *line =
        &p->lines[found == ACCOUNT_SIMULATE ? LINE_SIMULATOR : LINE_REAL];
    return line->http ? line : NULL;
}

static void submit(struct provider *p, enum provider_share share, const char *mode,
                   struct buf *path, provider_done *done, void *arg)
{
    struct ask *ask = xcalloc(1, sizeof(*ask));
    struct buf url = BUF_INIT(URL_MAX_BYTES);

    ask->owner = p;
    ask->share = share;
    ask->line = find_line(p, mode);
    ask->done = done;
    ask->arg = arg;
    if (ask->line)
        buf_addf(&url, "%s%s", ask->line->account->base_url, buf_text(path));
    if (path->failed || url.failed)  // never of ours: a page's address can be anything
        ask->line = NULL;
    ask->url = xstrdup(buf_text(&url));
    buf_free(&url);
    buf_free(path);
    size_t line = ask->line ? (size_t)(ask->line - p->lines) : 0;
    TAILQ_INSERT_TAIL(&p->queues[line * PROVIDER_SHARE_COUNT + share], ask, next);
    reactor_timer_set(p->pump, 0);
}

static const char *account_sid(struct provider *p, const char *mode)
{
    const struct provider_line *line = find_line(p, mode);
    return line ? line->account->account_sid : "";
}

void provider_fetch(struct provider *p, enum provider_share share, const char *mode,
                    const char *sid, provider_done *done, void *arg)
{
    struct buf path = BUF_INIT(URL_MAX_BYTES);

    buf_addf(&path, "/2010-04-01/Accounts/%s/Messages/", account_sid(p, mode));
    buf_add_url_escaped(&path, sid, strlen(sid));
    buf_add_text(&path, ".json");
    submit(p, share, mode, &path, done, arg);
}

void provider_list(struct provider *p, enum provider_share share, const char *mode,
                   const char *to, const char *next_uri, provider_done *done, void *arg)
{
    struct buf path = BUF_INIT(URL_MAX_BYTES);

    if (next_uri) {
        buf_add_text(&path, next_uri);
    } else {
        buf_addf(&path,
                 "/2010-04-01/Accounts/%s/Messages.json?To=", account_sid(p, mode));
        buf_add_url_escaped(&path, to, strlen(to));
        buf_addf(&path, "&PageSize=%d", LIST_PAGE);
    }
    submit(p, share, mode, &path, done, arg);
}

static void add_time(struct buf *path, const char *name, int64_t wall_us)
{
    char text[64];
    struct tm tm;
    time_t seconds = (time_t)(wall_us / 1000000);

    if (!gmtime_r(&seconds, &tm) ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return;
    buf_addf(path, "%s=", name);
    buf_add_url_escaped(path, text, strlen(text));
    buf_add_char(path, '&');
}

// The operator is part of the parameter's name.
void provider_list_sent(struct provider *p, enum provider_share share, const char *mode,
                        const struct provider_span *span, const char *next_uri,
                        provider_done *done, void *arg)
{
    struct buf path = BUF_INIT(URL_MAX_BYTES);

    if (next_uri) {
        buf_add_text(&path, next_uri);
    } else {
        buf_addf(&path, "/2010-04-01/Accounts/%s/Messages.json?", account_sid(p, mode));
        add_time(&path, "DateSent%3E", span->from_us);
        add_time(&path, "DateSent%3C", span->to_us);
        buf_addf(&path, "PageSize=%d", PROVIDER_PAGE_MAX);
    }
    submit(p, share, mode, &path, done, arg);
}

size_t provider_line_count(const struct provider *p)
{
    size_t count = 0;

    for (size_t i = 0; i < LINE_COUNT; i++)
        count += p->lines[i].http != NULL;
    return count;
}
