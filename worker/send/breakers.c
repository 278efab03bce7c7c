#include "breakers.h"

#include "breakers_internal.h"
#include "log.h"
#include "metrics.h"
#include "reactor.h"
#include "twilio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PROBE_SOON_US = 1500000,  // the job that asked for a permit comes back with it
    HOLD_FIRST_US = 5000000,
    HOLD_MAX_US = 300000000,
    HOLD_CLASS_MAX_US = 20000000,
    PROBES_ACCOUNT = 1,
    PROBES_SENDER = 2,
};

static void set_gauges(void *arg)
{
    const struct breakers *b = arg;
    const struct breaker_entry *fixed[] = { &b->twilio, &b->simulator,
                                            &b->emergency_only };
    const struct breaker_entry *e;
    double stopped = 0;

    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        metric_set(b->open[i], fixed[i]->machine.state != BREAKER_CLOSED);
    LIST_FOREACH(e, &b->senders, next)
    stopped += e->machine.state != BREAKER_CLOSED;
    metric_set(b->senders_stopped, stopped);
}

static void declare_metrics(struct breakers *b, struct metrics *m)
{
    static const char open[] = "1 while the account is stopped: nothing is posted to it.";
    static const char opened[] = "Breakers that this worker opened, and failed probes.";

    b->open[0] = metrics_gauge(m, "smsq_breaker_open", "account=\"twilio\"", open);
    b->open[1] = metrics_gauge(m, "smsq_breaker_open", "account=\"simulator\"", open);
    b->open[2] = metrics_gauge(m, "smsq_emergency_only", NULL,
                               "1 while all classes but emergency are held.");
    b->senders_stopped = metrics_gauge(m, "smsq_senders_stopped", NULL,
                                       "Senders whose messages are held.");
    b->opened[SCOPE_ACCOUNT] =
        metrics_counter(m, "smsq_breaker_opened_total", "scope=\"account\"", opened);
    b->opened[SCOPE_SENDER] =
        metrics_counter(m, "smsq_breaker_opened_total", "scope=\"sender\"", opened);
    metrics_before_render(m, set_gauges, b);
}

static void init_entry(struct breaker_entry *e, struct breakers *owner,
                       enum switch_scope scope, const char *name)
{
    e->owner = owner;
    e->scope = scope;
    (void)snprintf(e->name, sizeof(e->name), "%s", name);
    (void)snprintf(e->shown, sizeof(e->shown), "%s", name);
    char *digits = strchr(e->shown, '+');
    for (size_t i = 0; digits && i + 3 < strlen(digits); i++)
        digits[i] = '*';
}

struct breakers *breakers_new(struct reactor *r, const struct breakers_settings *set,
                              struct metrics *metrics)
{
    struct breakers *b = xcalloc(1, sizeof(*b));
    char host[256] = "";

    b->set = *set;
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(b->changed_by, sizeof(b->changed_by), "smsq-worker %d@%s", getpid(),
                   host);
    init_entry(&b->twilio, b, SCOPE_ACCOUNT, "account/twilio");
    init_entry(&b->simulator, b, SCOPE_ACCOUNT, "account/simulator");
    init_entry(&b->emergency_only, b, SCOPE_CLASS, "emergency_only");
    declare_metrics(b, metrics);
    b->beat = reactor_timer_new(r, breakers_beat, b);
    reactor_timer_set(b->beat, 0);
    return b;
}

void breakers_free(struct breakers *b)
{
    if (!b)
        return;
    reactor_timer_free(b->beat);
    while (!LIST_EMPTY(&b->senders)) {
        struct breaker_entry *e = LIST_FIRST(&b->senders);
        LIST_REMOVE(e, next);
        free(e);
    }
    free(b);
}

struct breaker_entry *breakers_main(const struct breakers *b)
{
    struct breakers *mutable = (struct breakers *)(uintptr_t)b;
    return b->set.mode == ACCOUNT_SIMULATE ? &mutable->simulator : &mutable->twilio;
}

static struct breaker_entry *account_of(const struct breakers *b, const struct job *job)
{
    struct breakers *mutable = (struct breakers *)(uintptr_t)b;
    bool simulated = strcmp(job->sms.mode, account_mode_name(ACCOUNT_SIMULATE)) == 0;
    return simulated ? &mutable->simulator : &mutable->twilio;
}

struct breaker_entry *breakers_sender(const struct breakers *b, const char *sender)
{
    struct breaker_entry *e;

    LIST_FOREACH(e, &b->senders, next)
    if (strcmp(e->name + strlen("sender/"), sender) == 0)
        return e;
    return NULL;
}

// Beside real messages, simulated ones say nothing about their sender, and pass.
static struct breaker_entry *sender_of(const struct breakers *b, const struct job *job)
{
    return account_of(b, job) == breakers_main(b) ? breakers_sender(b, job->sms.from)
                                                  : NULL;
}

struct breaker_entry *breakers_add_sender(struct breakers *b, const char *name)
{
    struct breaker_entry *e = xcalloc(1, sizeof(*e));

    init_entry(e, b, SCOPE_SENDER, name);
    LIST_INSERT_HEAD(&b->senders, e, next);
    return e;
}

static bool is_held_class(const struct breakers *b, const struct job *job)
{
    return b->emergency_only.machine.state != BREAKER_CLOSED &&
           strcmp(job->sms.message_class, "emergency") != 0;
}

enum breakers_reading breakers_reading(const struct breakers *b, enum lane lane)
{
    if (!b->is_known)
        return READING_NOTHING;
    if (lane != LANE_URGENT && b->emergency_only.machine.state != BREAKER_CLOSED)
        return READING_NOTHING;
    switch (breaker_way(&breakers_main(b)->machine, clock_boot_us())) {
    case BREAKER_PASS:
        return READING_ALL;
    case BREAKER_PROBE:
        return READING_ONE;
    default:
        return READING_NOTHING;
    }
}

bool breakers_are_stopped(const struct breakers *b)
{
    return breakers_main(b)->machine.state != BREAKER_CLOSED;
}

static int64_t between(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

// When a held job is worth another look. Those of this installation's account come back
// to their lane, which is read once the account works; the others would be read, claimed
// and held again: so the longer it lasts the rarer.
static int64_t hold_us(struct breaker_entry *e)
{
    int64_t now_us = clock_boot_us();
    int64_t probe_us = between(e->probe_at_us - now_us, 0, HOLD_MAX_US);
    bool probes = e->machine.state == BREAKER_OPEN;
    bool asks = probes && !e->is_wanted && probe_us == 0;

    e->is_wanted |= asks;
    if (e == breakers_main(e->owner))
        return probes ? probe_us : HOLD_FIRST_US;
    if (asks)
        return PROBE_SOON_US;
    int64_t max_us = e->scope == SCOPE_CLASS ? HOLD_CLASS_MAX_US : HOLD_MAX_US;
    int64_t wait_us = between((now_us - e->since_us) / 4, HOLD_FIRST_US, max_us);
    wait_us = probes && probe_us > wait_us ? probe_us : wait_us;
    return wait_us + (int64_t)random_below((uint64_t)wait_us / 2);
}

static bool hold(struct breaker_entry *e, struct twilio_answer *held)
{
    static const enum send_result results[] = {
        [SCOPE_ACCOUNT] = SEND_HELD_ACCOUNT,
        [SCOPE_SENDER] = SEND_HELD_SENDER,
        [SCOPE_CLASS] = SEND_HELD_CLASS,
    };

    *held = (struct twilio_answer){
        .result = results[e->scope],
        .retry_after_us = hold_us(e),
        .reason = e->why.text,
    };
    return false;
}

bool breakers_admit(struct breakers *b, struct job *job, struct twilio_answer *held)
{
    struct breaker_entry *account = account_of(b, job);
    struct breaker_entry *sender = sender_of(b, job);
    int64_t now_us = clock_boot_us();

    job->probes = 0;
    if (is_held_class(b, job))
        return hold(&b->emergency_only, held);
    enum breaker_way by_sender =
        sender ? breaker_way(&sender->machine, now_us) : BREAKER_PASS;
    if (by_sender == BREAKER_HOLD)
        return hold(sender, held);
    enum breaker_way by_account = breaker_way(&account->machine, now_us);
    if (by_account == BREAKER_HOLD)
        return hold(account, held);
    if (by_sender == BREAKER_PROBE) {
        breaker_begin(&sender->machine);
        job->probes |= PROBES_SENDER;
    }
    if (by_account == BREAKER_PROBE) {
        breaker_begin(&account->machine);
        job->probes |= PROBES_ACCOUNT;
    }
    return true;
}

bool breakers_let_go(const struct breakers *b, const struct job *job)
{
    const struct breaker_entry *sender = sender_of(b, job);

    if (account_of(b, job)->machine.state != BREAKER_CLOSED &&
        !(job->probes & PROBES_ACCOUNT))
        return false;
    if (sender && sender->machine.state != BREAKER_CLOSED &&
        !(job->probes & PROBES_SENDER))
        return false;
    return !is_held_class(b, job);
}

static enum breaker_word word_about_account(const struct job *job,
                                            const struct twilio_answer *answer)
{
    int status = answer->http_status;

    switch (answer->result) {
    case SEND_ACCEPTED:
    case SEND_REJECTED:
    case SEND_NOT_PROCESSED:
        return BREAKER_WELL;
    case SEND_MISCONFIGURED:
        return answer->action == ERROR_STOP_SENDER ? BREAKER_WELL : BREAKER_REFUSED;
    case SEND_NOT_SENT:
        return job->objection ? BREAKER_NOTHING : BREAKER_UNREACHED;
    case SEND_IN_DOUBT:  // Twilio says 201 to nothing else: a page of somebody's
        return status >= 200 && status < 300 && status != 201 ? BREAKER_REFUSED
                                                              : BREAKER_DOUBT;
    default:
        return BREAKER_NOTHING;
    }
}

static enum breaker_word word_about_sender(const struct twilio_answer *answer)
{
    if (answer->action == ERROR_STOP_SENDER)
        return BREAKER_REFUSED;
    return answer->result == SEND_ACCEPTED || answer->result == SEND_REJECTED
               ? BREAKER_WELL
               : BREAKER_NOTHING;
}

// Why it stopped, for people.
static void explain(struct breaker_entry *e, enum breaker_word word,
                    const struct twilio_answer *answer)
{
    const char *kept = answer->reason ? answer->reason : "";

    if (e->scope == SCOPE_SENDER)
        err_set(&e->why, OUTCOME_RETRY, "Twilio refuses this sender with code %d",
                answer->code);
    else if (word == BREAKER_REFUSED)
        err_set(&e->why, OUTCOME_RETRY,
                "Twilio answered %d (code %d): check account, token and base address",
                answer->http_status, answer->code);
    else if (word == BREAKER_UNREACHED)
        err_set(&e->why, OUTCOME_RETRY, "no connection to Twilio: %s", kept);
    else
        err_set(&e->why, OUTCOME_RETRY,
                "most answers leave messages in doubt, the latest: HTTP %d %s",
                answer->http_status, kept);
}

static void hear(struct breaker_entry *e, enum breaker_word word, bool is_probe,
                 const struct twilio_answer *answer)
{
    int64_t now_us = clock_boot_us();
    enum breaker_change change =
        breaker_hear(&e->machine, word, is_probe, now_us - answer->took_us, now_us);

    if (change == BREAKER_STAYS)
        return;
    if (change == BREAKER_CLOSES) {
        breakers_tell_closed(e);
    } else {
        explain(e, word, answer);
        metric_add(e->owner->opened[e->scope], 1);
        breakers_tell_opened(e, answer, change == BREAKER_OPENS);
    }
    e->owner->set.changed(e->owner->set.arg);
}

static void hear_about_sender(struct breakers *b, const struct job *job,
                              const struct twilio_answer *answer)
{
    struct breaker_entry *e = sender_of(b, job);
    char name[SWITCH_NAME_BYTES];
    if (!e && answer->action == ERROR_STOP_SENDER &&
        account_of(b, job) == breakers_main(b)) {
        (void)snprintf(name, sizeof(name), "sender/%s", job->sms.from);
        e = breakers_add_sender(b, name);
    }
    if (e)
        hear(e, word_about_sender(answer), job->probes & PROBES_SENDER, answer);
}

void breakers_hear(struct breakers *b, struct job *job, struct twilio_answer *answer)
{
    struct breaker_entry *account = account_of(b, job);

    hear(account, word_about_account(job, answer), job->probes & PROBES_ACCOUNT, answer);
    hear_about_sender(b, job, answer);
    job->probes = 0;
    if (answer->result != SEND_MISCONFIGURED && answer->result != SEND_NOT_SENT)
        return;
    struct breaker_entry *sender = sender_of(b, job);
    if (answer->action == ERROR_STOP_SENDER && sender)
        answer->retry_after_us = hold_us(sender);
    else if (account->machine.state != BREAKER_CLOSED)
        answer->retry_after_us = hold_us(account);
}

void breakers_withdraw(struct breakers *b, struct job *job)
{
    struct breaker_entry *sender = sender_of(b, job);

    if (job->probes & PROBES_ACCOUNT)
        account_of(b, job)->machine.probing = false;
    if (sender && job->probes & PROBES_SENDER)
        sender->machine.probing = false;
    job->probes = 0;
}

const char *breakers_complaint(const struct breakers *b)
{
    return breakers_are_stopped(b) ? breakers_main(b)->why.text : NULL;
}
