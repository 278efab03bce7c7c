// breakers_sync.c: what workers tell each other about breakers, through table switches.
#include "breakers.h"

#include "breakers_internal.h"
#include "log.h"
#include "reactor.h"
#include "twilio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEAT_US = 1000000,
    PERMIT_IDLE_US = 10000000,  // a permit without a job goes to somebody else
    REST_US = 5000000,          // and this worker does not ask for so long, or twice that
    PROBE_FIRST_US = 2000000,   // until the row tells
};

static const char *scope_name(enum switch_scope scope)
{
    static const char *const names[] = { "account", "sender", "class" };
    return names[scope];
}

static void on_written(void *arg, const struct db_answer *answer)
{
    struct breaker_entry *e = arg;

    e->writes--;
    e->settled_us = clock_boot_us();
    if (answer->rc)
        e->owner->set.fail(e->owner->set.arg, answer->reason);
}

static struct switch_word word_of(const struct breaker_entry *e)
{
    return (struct switch_word){
        .name = e->name,
        .scope = scope_name(e->scope),
        .reason = e->why.text,
        .prober = e->nonce,
        .changed_by = e->owner->changed_by,
    };
}

// Another permit is asked for under another number, so that what comes late is nobody's.
static void renounce(struct breaker_entry *e)
{
    e->nonce = 0;
    e->idle_us = 0;
    e->asked_us = 0;
    e->is_wanted = false;
}

void breakers_tell_opened(struct breaker_entry *e, const struct twilio_answer *answer,
                          bool is_new)
{
    struct switch_word word = word_of(e);

    word.code = answer->code;
    word.http_status = answer->http_status;
    e->since_us = clock_boot_us();
    e->probe_at_us = e->since_us + PROBE_FIRST_US;
    log_line(is_new ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
             is_new ? "breaker_opened" : "breaker_probe_failed", LOG_T("name", e->shown),
             LOG_I("http_status", answer->http_status), LOG_I("error_code", answer->code),
             LOG_T("reason", e->why.text));
    e->writes++;
    store_switch_open(e->owner->set.db, &word, on_written, e);
    renounce(e);
}

void breakers_tell_closed(struct breaker_entry *e)
{
    const struct switch_word word = word_of(e);

    e->since_us = clock_boot_us();
    log_line(LOG_LEVEL_INFO, "breaker_closed", LOG_T("name", e->shown));
    e->writes++;
    store_switch_close(e->owner->set.db, &word, on_written, e);
    renounce(e);
}

static void on_permit(void *arg, const struct db_answer *answer)
{
    struct breaker_entry *e = arg;
    bool granted = !answer->rc && db_rows(answer->rows) > 0;

    e->writes--;
    if (answer->rc)
        e->owner->set.fail(e->owner->set.arg, answer->reason);
    if (granted && e->asked_us && e->machine.state == BREAKER_OPEN) {
        e->machine.permit_us = e->asked_us;
        if (!e->idle_us)
            e->idle_us = e->asked_us;
        e->owner->set.changed(e->owner->set.arg);
    }
    e->asked_us = 0;
}

static void ask(struct breaker_entry *e, int64_t now_us)
{
    if (!e->nonce) {
        random_bytes(&e->nonce, sizeof(e->nonce));
        e->nonce &= INT64_MAX;
    }
    e->asked_us = now_us;
    e->writes++;
    store_switch_probe(e->owner->set.db, e->name, e->nonce, BREAKER_PROBE_LEASE_US,
                       on_permit, e);
}

// No job came for the permit: it is somebody else's turn.
static void give_back(struct breaker_entry *e, int64_t now_us)
{
    e->machine.permit_us = 0;
    e->rests_us = now_us + REST_US + (int64_t)random_below(REST_US);
    e->writes++;
    store_switch_probe(e->owner->set.db, e->name, e->nonce, 0, on_written, e);
    renounce(e);
}

// A permit is asked for when a probe is due, and again each second until the probe was
// answered: one that nobody renews was a dead worker's.
static void tend(struct breaker_entry *e)
{
    int64_t now_us = clock_boot_us();
    bool is_asked_for = e == breakers_main(e->owner) || e->is_wanted;

    if (e->machine.state != BREAKER_OPEN || e->asked_us)
        return;
    if (e->machine.probing)
        e->idle_us = now_us;
    if (e->idle_us && now_us - e->idle_us > PERMIT_IDLE_US)
        give_back(e, now_us);
    else if (e->idle_us ||
             (is_asked_for && e->probe_at_us <= now_us && e->rests_us <= now_us))
        ask(e, now_us);
}

static enum breaker_state state_of(const struct switch_row *row)
{
    return strcmp(row->state, "open") == 0 ? BREAKER_OPEN : BREAKER_OFF;
}

static struct breaker_entry *entry_of(struct breakers *b, const char *name)
{
    struct breaker_entry *fixed[] = { &b->twilio, &b->simulator, &b->emergency_only };

    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        if (strcmp(fixed[i]->name, name) == 0)
            return fixed[i];
    if (strncmp(name, "sender/", strlen("sender/")) != 0 ||
        strlen(name) >= SWITCH_NAME_BYTES)
        return NULL;
    struct breaker_entry *e = breakers_sender(b, name + strlen("sender/"));
    return e ? e : breakers_add_sender(b, name);
}

// What this worker changed since it asked is newer than what was read.
static bool is_newer(const struct breaker_entry *e)
{
    return e->writes > 0 || e->settled_us >= e->owner->read_us;
}

static bool adopt(struct breaker_entry *e, enum breaker_state state, const char *reason)
{
    if (e->machine.state == state)
        return false;
    breaker_set(&e->machine, state, clock_boot_us());
    renounce(e);
    log_line(LOG_LEVEL_WARN, "switch_changed", LOG_T("name", e->shown),
             LOG_T("state", state == BREAKER_CLOSED ? "closed" : "stopped"),
             LOG_T("reason", reason));
    return true;
}

static bool learn(struct breakers *b, const struct switch_row *row)
{
    struct breaker_entry *e = entry_of(b, row->name);

    if (!e)
        return false;
    e->is_seen = true;
    if (is_newer(e))
        return false;
    bool changed = adopt(e, state_of(row), row->reason);
    err_set(&e->why, OUTCOME_RETRY, "%s", row->reason);
    e->since_us = clock_boot_us() - row->age_us;
    e->probe_at_us = clock_boot_us() + row->probe_in_us;
    return changed;
}

// Without a row it is closed.
static bool forget_unseen(struct breaker_entry *e)
{
    bool changed = !e->is_seen && !is_newer(e) && adopt(e, BREAKER_CLOSED, NULL);

    e->is_seen = false;
    return changed;
}

static bool learn_all(struct breakers *b, const struct db_result *rows)
{
    struct breaker_entry *e, *next;
    bool changed = !b->is_known;

    for (size_t i = 0; i < db_rows(rows); i++) {
        struct switch_row row;
        store_switches_row(&row, rows, i);
        changed |= learn(b, &row);
    }
    b->is_known = true;
    changed |= forget_unseen(&b->twilio);
    changed |= forget_unseen(&b->simulator);
    changed |= forget_unseen(&b->emergency_only);
    for (e = LIST_FIRST(&b->senders); e; e = next) {
        next = LIST_NEXT(e, next);
        changed |= forget_unseen(e);
        if (e->machine.state == BREAKER_CLOSED && !is_newer(e) && !e->machine.probing) {
            LIST_REMOVE(e, next);
            free(e);
        }
    }
    return changed;
}

static void on_read(void *arg, const struct db_answer *answer)
{
    struct breakers *b = arg;
    struct breaker_entry *e;

    if (answer->rc) {
        b->set.fail(b->set.arg, answer->reason);
        return;
    }
    bool changed = learn_all(b, answer->rows);
    tend(&b->twilio);
    tend(&b->simulator);
    LIST_FOREACH(e, &b->senders, next)
    tend(e);
    reactor_timer_set(b->beat, BEAT_US);
    if (changed)
        b->set.changed(b->set.arg);
}

void breakers_beat(void *arg)
{
    struct breakers *b = arg;

    b->read_us = clock_boot_us();
    store_switches_read(b->set.db, on_read, b);
}
