#include "sim_faults.h"
#include "buf.h"
#include "form.h"
#include "sim_fault_kinds.h"
#include "sim_fault_rule.h"
#include "sim_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct sim_faults {
    char *seed_text;
    uint64_t seed;
    struct sim_fault_rule *rules;
    size_t count;
    uint32_t last_id;
    uint64_t bitten[SIM_FAULT_KINDS];
};

struct sim_faults *sim_faults_new(const char *seed)
{
    struct sim_faults *f = xcalloc(1, sizeof(*f));

    f->seed_text = xstrdup(seed);
    f->seed = sim_index_hash(0, seed, strlen(seed));
    f->rules = xcalloc(SIM_FAULTS_RULES_MAX, sizeof(*f->rules));
    return f;
}

void sim_faults_free(struct sim_faults *f)
{
    if (!f)
        return;
    free(f->seed_text);
    free(f->rules);
    free(f);
}

uint64_t sim_faults_dice(const struct sim_faults *f, uint64_t what, uint64_t ordinal)
{
    const uint64_t words[] = { what, ordinal };
    return sim_index_hash(f->seed, words, sizeof(words));
}

static bool is_match(const char *wanted, const char *given)
{
    return !wanted[0] || (given && strcmp(wanted, given) == 0);
}

static bool matches(const struct sim_fault_rule *r, const struct sim_fault_subject *s)
{
    return (r->fault.on & s->on) && is_match(r->to, s->to) &&
           is_match(r->from, s->from) && is_match(r->account, s->account) &&
           is_match(r->status_is, s->status);
}

static bool bites(const struct sim_faults *f, struct sim_fault_rule *r,
                  const struct sim_fault_subject *s)
{
    if (r->fault.kind == SIM_FAULT_CUT_REUSED && !s->is_reused)
        return false;
    if (++r->seen < (uint64_t)r->nth || (r->count && r->bitten >= (uint64_t)r->count))
        return false;
    // The rule's id and stage keep the throws of two rules apart.
    uint64_t what = (uint64_t)r->id << 8 | s->on;
    return (int64_t)(sim_faults_dice(f, what, s->ordinal) % 1000000000) < r->ppb;
}

const struct sim_fault *sim_faults_find(struct sim_faults *f,
                                        const struct sim_fault_subject *s)
{
    const struct sim_fault_row *row = s->to ? sim_fault_row_magic(s->to) : NULL;

    if (row && (row->fault.on & s->on)) {
        f->bitten[row->fault.kind]++;
        return &row->fault;
    }
    for (size_t i = 0; i < f->count; i++) {
        struct sim_fault_rule *r = &f->rules[i];
        if (!matches(r, s) || !bites(f, r, s))
            continue;
        r->bitten++;
        f->bitten[r->fault.kind]++;
        return &r->fault;
    }
    return NULL;
}

enum outcome sim_faults_add(struct sim_faults *f, const struct form *form,
                            struct err *err)
{
    struct sim_fault_rule rule;

    if (f->count == SIM_FAULTS_RULES_MAX)
        return err_set(err, OUTCOME_REJECT, "there are %d rules already: remove some",
                       SIM_FAULTS_RULES_MAX);
    enum outcome rc = sim_fault_rule_read(&rule, form, err);
    if (rc)
        return rc;
    rule.id = ++f->last_id;
    f->rules[f->count++] = rule;
    return OUTCOME_OK;
}

enum outcome sim_faults_add_all(struct sim_faults *f, const char *text, struct err *err)
{
    enum outcome rc = OUTCOME_OK;

    for (text += strspn(text, " "); *text && !rc; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        struct form form = { 0 };

        rc = form_parse(&form, text, len, err);
        if (!rc)
            rc = sim_faults_add(f, &form, err);
        form_free(&form);
        text += len;
    }
    return rc;
}

bool sim_faults_remove(struct sim_faults *f, uint32_t id)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++)
        if (id && f->rules[i].id != id)
            f->rules[kept++] = f->rules[i];
    bool is_removed = id == 0 || kept < f->count;
    f->count = kept;
    return is_removed;
}

void sim_faults_clear(struct sim_faults *f)
{
    for (size_t i = 0; i < f->count; i++)
        f->rules[i].seen = f->rules[i].bitten = 0;
    memset(f->bitten, 0, sizeof(f->bitten));
}

static void render_kind(const struct sim_faults *f, size_t i, struct buf *out)
{
    const struct sim_fault_row *row = &sim_fault_rows[i];

    buf_addf(out, "%s{\"kind\":\"%s\",\"on\":\"%s\"", i ? ",\n" : "", row->name,
             sim_fault_on_word(row->fault.on));
    buf_addf(out, ",\"magic_to\":\"" SIM_FAULT_MAGIC_PREFIX "%02d\"", row->magic);
    buf_addf(out, ",\"bitten\":%" PRIu64 ",\"help\":\"%s\"}", f->bitten[i], row->help);
}

static void render_match(const char *name, const char *value, struct buf *out)
{
    if (!value[0])
        return;
    buf_addf(out, ",\"%s\":", name);
    buf_add_json_string(out, value, strlen(value));
}

static void render_fault(const struct sim_fault *fault, struct buf *out)
{
    buf_addf(out, ",\"kind\":\"%s\",\"on\":\"%s\"", sim_fault_rows[fault->kind].name,
             sim_fault_on_word(fault->on));
    buf_addf(out, ",\"delay_us\":%" PRId64 ",\"status\":%d", fault->delay_us,
             fault->status);
    buf_addf(out, ",\"error_code\":%d,\"accepts\":%s", fault->code,
             fault->accepts ? "true" : "false");
    buf_addf(out, ",\"bytes\":%" PRId64 ",\"retry_after\":%" PRId64, fault->bytes,
             fault->retry_after_s);
    buf_addf(out, ",\"times\":%d", fault->times);
}

static void render_rule(const struct sim_fault_rule *r, bool is_first, struct buf *out)
{
    buf_addf(out, "%s{\"id\":%" PRIu32, is_first ? "" : ",\n", r->id);
    render_fault(&r->fault, out);
    buf_addf(out, ",\"probability\":%.9g", (double)r->ppb / 1e9);
    render_match("to", r->to, out);
    render_match("from", r->from, out);
    render_match("account", r->account, out);
    render_match("status_is", r->status_is, out);
    buf_addf(out, ",\"nth\":%" PRId64 ",\"count\":%" PRId64, r->nth, r->count);
    buf_addf(out, ",\"seen\":%" PRIu64 ",\"bitten\":%" PRIu64 "}", r->seen, r->bitten);
}

void sim_faults_render(const struct sim_faults *f, struct buf *out)
{
    buf_add_text(out, "{\"seed\":");
    buf_add_json_string(out, f->seed_text, strlen(f->seed_text));
    buf_add_text(out, ",\"kinds\":[");
    for (size_t i = 0; i < SIM_FAULT_KINDS; i++)
        render_kind(f, i, out);
    buf_add_text(out, "],\n\"rules\":[");
    for (size_t i = 0; i < f->count; i++)
        render_rule(&f->rules[i], i == 0, out);
    buf_add_text(out, "]}\n");
}
