// sim_admin_accounts.c: /_sim/accounts: the accounts with their credentials, and
// /_sim/alerts: what went wrong with their webhooks.
#include "buf.h"
#include "form.h"
#include "http_server.h"
#include "sim_accounts.h"
#include "sim_admin.h"
#include "sim_clock.h"
#include "simulator.h"

#include <string.h>

enum { LIST_MAX_BYTES = 64 << 20 };

static void add_keys(struct buf *out, const char *name, const struct sim_table *rows)
{
    buf_addf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < rows->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add_json_string(out, rows->rows[i], strlen(rows->rows[i]));
    }
    buf_add_char(out, ']');
}

static void add_account(struct buf *out, const struct sim_account *a)
{
    buf_add_char(out, '{');
    sim_json_text(out, "sid", a->sid);
    sim_json_text(out, "auth_token", a->token);
    sim_json_text(out, "friendly_name", a->name);
    sim_json_text(out, "owner", a->owner->sid);
    sim_json_text(out, "type", a->is_trial ? "Trial" : "Full");
    sim_json_bool(out, "test", a->is_test);
    sim_json_bool(out, "advanced_opt_out", a->has_advanced_opt_out);
    sim_json_bool(out, "owns_all_senders", a->owns_all_senders);
    sim_json_bool(out, "has_all_services", a->has_all_services);
    add_keys(out, "senders", &a->senders);
    add_keys(out, "messaging_services", &a->services);
    buf_add_char(out, '}');
}

void sim_admin_accounts(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct buf body = BUF_INIT(LIST_MAX_BYTES);

    buf_add_text(&body, "{\"accounts\":[");
    for (size_t i = 0; i < sim->accounts.table.count; i++) {
        if (i > 0)
            buf_add_text(&body, ",\n");
        add_account(&body, sim_accounts_at(&sim->accounts, i));
    }
    buf_add_text(&body, "]}\n");
    http_answer(req, 200, "application/json", buf_text(&body), body.len, NULL);
    buf_free(&body);
}

void sim_admin_alerts(void *arg, struct http_request *req)
{
    const struct simulator *sim = arg;
    struct buf body = BUF_INIT(LIST_MAX_BYTES);

    sim_alerts_render(&sim->alerts, &body);
    http_answer(req, 200, "application/json", buf_text(&body), body.len, NULL);
    buf_free(&body);
}

void sim_admin_set_account(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct buf body = BUF_INIT(LIST_MAX_BYTES);
    struct form form = { 0 };
    struct err err = { 0 };
    size_t len = 0;
    const char *text = http_request_body(req, &len);
    struct sim_account *a = NULL;

    if (!form_parse(&form, text ? text : "", len, &err))
        a = sim_accounts_configure(&sim->accounts, &form, sim_clock_now_us(sim->clock),
                                   &err);
    form_free(&form);
    if (a) {
        add_account(&body, a);
        buf_add_char(&body, '\n');
        http_answer(req, 200, "application/json", buf_text(&body), body.len, NULL);
    } else {
        const struct http_problem problem = {
            .status = 400,
            .code = "invalid_parameter",
            .detail = err.text,
        };
        http_problem(req, &problem);
    }
    buf_free(&body);
}
