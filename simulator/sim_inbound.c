#include "sim_inbound.h"
#include "account.h"
#include "buf.h"
#include "form.h"
#include "http_server.h"
#include "sim_clock.h"
#include "sim_inbound_form.h"
#include "sim_inbound_read.h"
#include "sim_optout.h"
#include "sim_store.h"
#include "sim_twiml.h"
#include "sim_webhooks.h"
#include "simulator.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANSWER_MAX_BYTES = 1 << 20, REPLY_FORM_MAX_BYTES = 1 << 18 };

enum { NOT_FETCHED = 11200, TOKEN_STATUS = 0x80, STATUS_REDIRECT = 300 };

// One inbound message whose webhook is on its way.
struct visit {
    struct visit *next;
    struct simulator *sim;
    struct http_request *req;
    struct sim_message *message;  // stays in the store until a reset
    const char *opt_out_type;
    char *url;  // that is called now
    int redirects;
    struct buf answer;   // what the request is answered with, so far
    struct buf replies;  // SIDs of what was sent back, as members of a JSON array
    struct buf errors;   // codes of what went wrong, likewise
    int webhook_status;
};

struct sim_inbound {
    struct simulator *sim;
    struct visit *first;
};

static void on_webhook(void *arg, const struct sim_webhook_answer *answer);

static struct visit *visit_new(struct sim_inbound *in, struct http_request *req)
{
    struct visit *v = xcalloc(1, sizeof(*v));

    v->sim = in->sim;
    v->req = req;
    buf_init(&v->answer, ANSWER_MAX_BYTES);
    buf_init(&v->replies, ANSWER_MAX_BYTES);
    buf_init(&v->errors, ANSWER_MAX_BYTES);
    v->next = in->first;
    in->first = v;
    return v;
}

static void visit_free(struct visit *v)
{
    struct visit **at = &v->sim->inbound->first;

    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    free(v->url);
    buf_free(&v->answer);
    buf_free(&v->replies);
    buf_free(&v->errors);
    free(v);
}

static void message_sid(const struct visit *v, char out[SIM_SIDS_TEXT_BYTES])
{
    sim_message_sid(out, v->sim->sids, v->message);
}

static void complain(struct visit *v, int code)
{
    struct simulator *sim = v->sim;
    char sid[SIM_SIDS_TEXT_BYTES];

    message_sid(v, sid);
    if (v->errors.len)
        buf_add_char(&v->errors, ',');
    buf_add_int(&v->errors, code);
    sim_alerts_add(&sim->alerts, sim_clock_now_us(sim->clock), code,
                   sim_accounts_at(&sim->accounts, v->message->account)->sid, sid,
                   v->url ? v->url : "");
}

// Answers the request that brought the message, and forgets the visit.
static void finish(struct visit *v)
{
    char sid[SIM_SIDS_TEXT_BYTES];

    message_sid(v, sid);
    buf_add_char(&v->answer, '{');
    sim_json_text(&v->answer, "sid", sid);
    sim_json_text(&v->answer, "account_sid",
                  sim_accounts_at(&v->sim->accounts, v->message->account)->sid);
    sim_json_text(&v->answer, "webhook_url", v->url);
    buf_addf(&v->answer, ",\"webhook_status\":%d,\"replies\":[%s],\"errors\":[%s]}\n",
             v->webhook_status, buf_text(&v->replies), buf_text(&v->errors));
    http_answer(v->req, 201, "application/json", buf_text(&v->answer), v->answer.len,
                NULL);
    visit_free(v);
}

static void add_reply(struct visit *v, const struct sim_message *m)
{
    char sid[SIM_SIDS_TEXT_BYTES];

    sim_message_sid(sid, v->sim->sids, m);
    buf_addf(&v->replies, "%s\"%s\"", v->replies.len ? "," : "", sid);
}

// Calls url with everything that is known of the message.
static void call(struct visit *v, const char *url, bool is_get, const char *fallback,
                 bool is_fallback_get)
{
    struct simulator *sim = v->sim;
    struct sim_inbound_form *form = xcalloc(1, sizeof(*form));
    char token[SIM_SIDS_TOKEN_BYTES];
    char *copy = xstrdup(url);

    free(v->url);
    v->url = copy;
    sim_inbound_form_fill(form, sim, v->message, v->opt_out_type);
    sim_sids_token(sim->sids, v->message->number, TOKEN_STATUS + (unsigned)v->redirects,
                   token);
    const struct sim_webhook hook = {
        .url = v->url,
        .method = is_get ? "GET" : "POST",
        .fallback = fallback,
        .fallback_method = is_fallback_get ? "GET" : "POST",
        .params = form->params,
        .count = form->count,
        .signer = sim_accounts_at(&sim->accounts, v->message->account)->signer,
        .token = token,
    };
    sim_webhooks_submit(sim->webhooks, &hook, on_webhook, v);
    free(form);
}

// What a TwiML message asks for is checked like a create of the account.
static void send_reply(struct visit *v, const struct sim_twiml_message *reply)
{
    struct simulator *sim = v->sim;
    struct buf text = BUF_INIT(REPLY_FORM_MAX_BYTES);
    struct form form = { 0 };
    struct sim_error error = { .code = SIM_TWIML_BAD_SCHEMA };

    buf_add_form(&text, "To", reply->to[0] ? reply->to : v->message->from);
    buf_add_form(&text, "From",
                 reply->from[0] ? reply->from : sim_message_to(v->message));
    buf_add_form(&text, "Body", buf_text(&reply->body));
    if (reply->callback[0])
        buf_add_form(&text, "StatusCallback", reply->callback);
    for (size_t i = 0; i < reply->media_count; i++)
        buf_add_form(&text, "MediaUrl", reply->media[i]);
    sim->checker.now_us = sim_clock_now_us(sim->clock);
    if (text.failed || form_parse(&form, buf_text(&text), text.len, NULL) ||
        sim_check(&sim->checked, &sim->checker,
                  sim_accounts_at(&sim->accounts, v->message->account), &form, &error)) {
        complain(v, error.code);
    } else {
        sim->checked.draft.direction = SIM_OUTBOUND_REPLY;
        add_reply(v, simulator_reply(sim, &sim->checked.draft));
    }
    form_free(&form);
    buf_free(&text);
}

// Returns the address that ref means on the page url, or NULL; curl_free it.
static char *resolve(const char *url, const char *ref)
{
    CURLU *u = curl_url();
    char *out = NULL;

    if (u && !curl_url_set(u, CURLUPART_URL, url, 0) &&
        !curl_url_set(u, CURLUPART_URL, ref, 0))
        (void)curl_url_get(u, CURLUPART_URL, &out, 0);
    curl_url_cleanup(u);
    return out;
}

// Returns whether another answer is waited for.
static bool redirect(struct visit *v, const struct sim_twiml *twiml)
{
    if (!twiml->redirect[0])
        return false;
    char *url = resolve(v->url, twiml->redirect);
    bool is_good = url && v->redirects < SIM_INBOUND_REDIRECTS_MAX;

    if (is_good) {
        v->redirects++;
        call(v, url, twiml->is_redirect_get, NULL, false);
    } else {
        complain(v, NOT_FETCHED);
    }
    curl_free(url);
    return is_good;
}

static bool run(struct visit *v, const struct sim_twiml *twiml)
{
    if (twiml->code)
        complain(v, twiml->code);
    for (size_t i = 0; i < twiml->count; i++)
        send_reply(v, &twiml->messages[i]);
    return redirect(v, twiml);
}

static void on_webhook(void *arg, const struct sim_webhook_answer *answer)
{
    struct visit *v = arg;
    bool waits = false;

    v->webhook_status = answer->status;
    if (answer->error_code) {
        complain(v, answer->error_code);
    } else if (answer->status >= STATUS_REDIRECT) {
        complain(v, NOT_FETCHED);
    } else {
        struct sim_twiml *twiml =
            sim_twiml_read(answer->content_type, answer->body, answer->body_len);
        waits = run(v, twiml);
        sim_twiml_free(twiml);
    }
    if (!waits)
        finish(v);
}

// Twilio's own reply costs nothing and reaches also those who have stopped.
static void send_own_reply(struct visit *v, const char *text)
{
    const struct sim_message *m = v->message;
    const struct sim_draft draft = {
        .to = { m->from, strlen(m->from) },
        .from = { sim_message_to(m), strlen(sim_message_to(m)) },
        .body = { text, strlen(text) },
        .segments = 1,
        .account = m->account,
        .direction = SIM_OUTBOUND_REPLY,
    };
    add_reply(v, simulator_reply(v->sim, &draft));
}

static void obey_words(struct visit *v, const struct sim_inbound_message *in)
{
    struct simulator *sim = v->sim;
    enum sim_optout word = sim_optout_read(in->draft.body);

    if (in->is_whatsapp || !sim_optout_is_handled(in->account, in->to))
        return;
    if (in->account->has_advanced_opt_out)
        v->opt_out_type = sim_optout_type(word);
    const char *reply =
        sim_optout_apply(&sim->stopped, word, in->service ? in->service->sid : in->to,
                         in->from, sim_clock_now_us(sim->clock));
    if (reply)
        send_own_reply(v, reply);
}

// A person who writes opens WhatsApp's window; the sandbox wants to be joined first.
static void note_whatsapp(struct simulator *sim, const struct sim_inbound_message *in)
{
    int64_t now_us = sim_clock_now_us(sim->clock);
    struct sim_text body = in->draft.body;

    if (!in->is_whatsapp)
        return;
    sim_pairs_set(&sim->heard, in->to, in->from, now_us);
    if (body.len > 5 && strncasecmp(body.bytes, "join ", 5) == 0)
        sim_pairs_set(&sim->heard, SIM_CHECK_JOINED, in->from, now_us);
}

// The service's address counts for its senders, unless it leaves that to the number.
static const struct sim_hook *hook_of(const struct sim_inbound_message *in)
{
    if (in->service && !in->service->use_inbound_webhook_on_number &&
        in->service->inbound.url)
        return &in->service->inbound;
    return in->own && in->own->sms.url ? &in->own->sms : NULL;
}

static void receive(struct simulator *sim, struct http_request *req,
                    const struct sim_inbound_message *in)
{
    struct visit *v = visit_new(sim->inbound, req);
    const struct sim_hook *hook = hook_of(in);

    v->message = simulator_receive(sim, &in->draft);
    note_whatsapp(sim, in);
    obey_words(v, in);
    if (hook)
        call(v, hook->url, hook->is_get, hook->fallback_url, hook->is_fallback_get);
    else
        finish(v);
}

void sim_inbound_handle(void *arg, struct http_request *req)
{
    struct simulator *sim = arg;
    struct sim_inbound_message in;
    struct form form = { 0 };
    struct err err = { 0 };
    size_t len = 0;
    const char *body = http_request_body(req, &len);

    enum outcome rc = form_parse(&form, body ? body : "", len, &err);
    if (!rc)
        rc = sim_inbound_read(&in, sim, &form, &err);
    if (rc) {
        const struct http_problem problem = { .status = 400,
                                              .code = "invalid_parameter",
                                              .detail = err.text };
        http_problem(req, &problem);
    } else {
        receive(sim, req, &in);
    }
    form_free(&form);
}

struct sim_inbound *sim_inbound_new(struct simulator *sim)
{
    struct sim_inbound *in = xcalloc(1, sizeof(*in));
    in->sim = sim;
    return in;
}

void sim_inbound_clear(struct sim_inbound *in)
{
    while (in->first)
        finish(in->first);
}

void sim_inbound_free(struct sim_inbound *in)
{
    if (!in)
        return;
    while (in->first)
        visit_free(in->first);
    free(in);
}
