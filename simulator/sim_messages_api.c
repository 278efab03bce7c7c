// sim_messages_api.c: the Message resource: create, fetch, list, update, delete.
#include "sim_messages_api.h"
#include "http_server.h"
#include "sim_check.h"
#include "sim_clock.h"
#include "sim_faults.h"
#include "sim_ledger.h"
#include "sim_list.h"
#include "sim_request.h"
#include "sim_sids.h"
#include "sim_store.h"
#include "simulator.h"

#include <string.h>

// Test credentials get an answer; no message is kept, billed or called back about.
static void answer_test(struct sim_request *r, const struct sim_draft *draft)
{
    struct simulator *sim = r->sim;
    struct sim_store *scratch = sim_store_new();
    struct sim_message *m = sim_store_add(scratch, draft, sim_clock_now_us(sim->clock));

    m->number = UINT32_MAX - sim->test_count++;
    sim_json_message(r->out, &sim->json, m, true);
    sim_store_free(scratch);
}

// A message with a sender of its own choice is refused when the queue is full; a service
// takes it and lets it fail.
static enum outcome check_queue(const struct simulator *sim, struct sim_error *error)
{
    const struct sim_draft *d = &sim->checked.draft;
    const char *from = sim->checked.from_text;

    if (d->service.len || sim_senders_has_room(sim->senders, from, sim->checked.to_text,
                                               d->segments, sim->checker.now_us))
        return OUTCOME_OK;
    return sim_error_code(error, 21611, d->from);
}

enum outcome sim_messages_create(struct sim_request *r, struct sim_error *error)
{
    struct simulator *sim = r->sim;

    sim->checker.now_us = sim_clock_now_us(sim->clock);
    r->is_late = true;
    enum outcome rc =
        sim_check(&sim->checked, &sim->checker, r->account, &r->form, error);
    if (!rc)
        rc = check_queue(sim, error);
    if (rc) {
        sim_ledger_refuse(sim->ledger);
        return rc;
    }
    r->status = 201;
    if (r->account->is_test) {
        answer_test(r, &sim->checked.draft);
        return OUTCOME_OK;
    }
    const struct sim_message *m = simulator_create(sim, &sim->checked.draft);
    r->created = m->number;
    sim_json_message(r->out, &sim->json, m, true);
    return OUTCOME_OK;
}

struct sim_message *sim_messages_find(const struct sim_request *r)
{
    const char *sid = r->ids[1];
    uint32_t number = 0;

    if (!sim_sids_read(r->sim->sids, sid, strlen(sid), &number))
        return NULL;
    struct sim_message *m = sim_store_get(r->sim->store, number);
    if (!m || m->is_deleted || m->account != r->account->index ||
        sid[0] != (m->media_count ? 'M' : 'S'))
        return NULL;
    return m;
}

enum outcome sim_messages_fetch(struct sim_request *r, struct sim_error *error)
{
    const struct sim_message *m = sim_messages_find(r);

    if (!m)
        return sim_request_not_found(r, error);
    sim_json_message(r->out, &r->sim->json, m, false);
    return OUTCOME_OK;
}

enum outcome sim_messages_list(struct sim_request *r, struct sim_error *error)
{
    struct simulator *sim = r->sim;
    struct sim_list_query q;

    enum outcome rc = sim_list_read(&q, sim->sids, r->http, r->path, error);
    if (rc)
        return rc;
    q.account = r->account->index;
    q.hidden = sim_store_count(sim->store);
    if (!r->fault || r->fault->kind != SIM_FAULT_EMPTY_LIST)
        q.hidden -= simulator_newest_listed(sim);
    sim_list_select(&sim->list, sim->store, &q);
    sim_list_render(r->out, &sim->json, sim->store, &q, &sim->list);
    return OUTCOME_OK;
}

static enum outcome cancel(struct sim_request *r, struct sim_message *m,
                           struct sim_error *error)
{
    if (m->status != SIM_STATUS_SCHEDULED)
        return sim_error_code(error, 30409, (struct sim_text){ r->ids[1], 34 });
    simulator_cancel(r->sim, m);
    return OUTCOME_OK;
}

// Either cancels or redacts. What is neither, or both, is no update.
enum outcome sim_messages_update(struct sim_request *r, struct sim_error *error)
{
    struct sim_message *m = sim_messages_find(r);
    const struct form_pair *body = form_find(&r->form, "Body");
    const struct form_pair *status = form_find(&r->form, "Status");
    enum outcome rc = OUTCOME_OK;

    if (!m)
        return sim_request_not_found(r, error);
    if ((body != NULL) == (status != NULL) || (body && body->value_len > 0) ||
        (status && (status->value_len != 8 || memcmp(status->value, "canceled", 8) != 0)))
        return sim_error_code(error, 30400, (struct sim_text){ r->ids[1], 34 });
    if (status)
        rc = cancel(r, m, error);
    else
        simulator_redact(r->sim, m);
    if (!rc)
        sim_json_message(r->out, &r->sim->json, m, false);
    return rc;
}

enum outcome sim_messages_delete(struct sim_request *r, struct sim_error *error)
{
    struct sim_message *m = sim_messages_find(r);

    if (!m)
        return sim_request_not_found(r, error);
    if (!sim_message_is_final(m))
        return sim_error_code(error, 20009, (struct sim_text){ r->ids[1], 34 });
    m->is_deleted = true;
    r->status = 204;
    return OUTCOME_OK;
}
