#include "twilio.h"

#include "account.h"
#include "breakers.h"
#include "buf.h"
#include "fail_point.h"
#include "http_client.h"
#include "job.h"
#include "journal.h"
#include "json.h"
#include "keys.h"
#include "message_id.h"
#include "number_list.h"
#include "reactor.h"
#include "trace.h"
#include "twilio_answer.h"
#include "twilio_metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLBACK_URL_MAX_BYTES = 1200,  // as the settings allow, and "m="
    CALLBACK_MAX_BYTES = CALLBACK_URL_MAX_BYTES + 150,
    FORM_MAX_BYTES = 3 * (WIRE_BODY_MAX_BYTES + CALLBACK_MAX_BYTES) + 1024,
    VALIDITY_MAX_S = 36000,  // Twilio's ValidityPeriod, seconds
    USEFUL_MIN_S = 5,        // Twilio advises more than this
};

// Twilio or the simulator, with its own connections and credentials.
struct line {
    struct http_client *http;  // NULL: there is no such account
    struct buf url;            // of the create call
};

struct twilio {
    const struct accounts *accounts;
    struct line real, simulator;
    size_t in_flight_max;  // of both together
    struct journal *journal;
    struct json_reader *json;
    const struct keys *keys;
    const struct breakers *breakers;
    struct buf callback;  // the field StatusCallback up to and including "m=", escaped
    struct buf form;      // of the POST that begins
    const struct error_codes *codes;
    int64_t lease_us;
    bool (*is_alive)(void *arg, int64_t epoch);
    void *is_alive_arg;
    struct reactor_timer *refuse;
    struct job_queue refused;  // by us; their senders hear of it in the next turn
    twilio_done *done;
    void *arg;
    struct twilio_metrics *metrics;
};

static const char *const objections[OBJECTION_COUNT] = {
    [OBJECTION_OLD_CLAIM] = "the claim is too old",
    [OBJECTION_EXPIRED] = "its useful time is over",
    [OBJECTION_MODE] = "its mode is not one that this worker can serve",
    [OBJECTION_NOT_LISTED] = "its number is not in twilio.test_numbers",
    [OBJECTION_STOPPED] = "its account, sender or class was stopped meanwhile",
    [OBJECTION_NOT_ALIVE] = "its epoch is over, or has not beaten lately",
};

const char *send_result_name(enum send_result result)
{
    static const char *const names[] = {
        [SEND_ACCEPTED] = "accepted",           [SEND_NOT_SENT] = "not_sent",
        [SEND_NOT_PROCESSED] = "not_processed", [SEND_REJECTED] = "rejected",
        [SEND_MISCONFIGURED] = "misconfigured", [SEND_IN_DOUBT] = "in_doubt",
        [SEND_NOT_LISTED] = "not_listed",       [SEND_HELD_ACCOUNT] = "account_stopped",
        [SEND_HELD_SENDER] = "sender_stopped",  [SEND_HELD_CLASS] = "emergency_only",
    };
    return names[result];
}

bool send_result_is_held(enum send_result result)
{
    return result == SEND_HELD_ACCOUNT || result == SEND_HELD_SENDER ||
           result == SEND_HELD_CLASS;
}

static enum outcome open_line(struct line *line, struct reactor *r,
                              const struct twilio_settings *set,
                              const struct account *account, struct err *err)
{
    struct buf user = BUF_INIT(512);
    struct http_client_settings http = {
        .in_flight_max = set->in_flight_max,
        .connect_us = set->connect_us,
        .total_us = set->total_us,
        .answer_max_bytes = HTTP_CLIENT_ANSWER_MAX_BYTES,
        .user_agent = "smsq/" SMSQ_VERSION,
    };

    buf_init(&line->url, 1024);
    if (!account->base_url)
        return OUTCOME_OK;
    buf_addf(&line->url, "%s/2010-04-01/Accounts/%s/Messages.json", account->base_url,
             account->account_sid);
    if (line->url.failed)
        return err_set(err, OUTCOME_REJECT, "Twilio's address is longer than 1000 bytes");
    buf_addf(&user, "%s:%s", account->user, account->password);
    http.user_password = buf_text(&user);
    enum outcome rc = http_client_open(&line->http, r, &http, err);
    buf_free(&user);
    return rc;
}

static void refuse_all(void *arg);

static enum outcome open_callback_url(struct twilio *t, const char *url, struct err *err)
{
    struct buf text = BUF_INIT(CALLBACK_URL_MAX_BYTES);

    buf_init(&t->callback, 3 * CALLBACK_URL_MAX_BYTES + 32);
    buf_init(&t->form, FORM_MAX_BYTES);
    buf_addf(&text, "%s%cm=", url, strchr(url, '?') ? '&' : '?');
    bool fits = !text.failed;
    buf_add_text(&t->callback, "&StatusCallback=");
    buf_add_url_escaped(&t->callback, buf_text(&text), text.len);
    buf_free(&text);
    return fits ? OUTCOME_OK
                : err_set(err, OUTCOME_REJECT,
                          "the address for callbacks is longer than 1000 bytes");
}

static size_t in_use(const struct twilio *t, const struct line *line)
{
    return line->http ? t->in_flight_max - http_client_free_slots(line->http) : 0;
}

static size_t in_flight(const void *arg)
{
    const struct twilio *t = arg;
    return in_use(t, &t->real) + in_use(t, &t->simulator);
}

enum outcome twilio_open(struct twilio **out, struct reactor *r,
                         const struct twilio_settings *set, twilio_done *done, void *arg,
                         struct err *err)
{
    struct twilio *t = xcalloc(1, sizeof(*t));

    t->accounts = set->accounts;
    t->in_flight_max = set->in_flight_max;
    t->journal = set->journal;
    t->metrics = twilio_metrics_new(set->metrics, in_flight, t);
    t->keys = set->keys;
    t->breakers = set->breakers;
    t->codes = set->codes;
    t->lease_us = set->lease_us;
    t->is_alive = set->is_alive;
    t->is_alive_arg = set->is_alive_arg;
    t->done = done;
    t->arg = arg;
    t->json = json_reader_new();
    t->refuse = reactor_timer_new(r, refuse_all, t);
    enum outcome rc = open_callback_url(t, set->callback_url, err);
    if (!rc)
        rc = open_line(&t->real, r, set, &set->accounts->twilio, err);
    if (!rc)
        rc = open_line(&t->simulator, r, set, &set->accounts->simulator, err);
    if (rc) {
        twilio_close(t);
        return rc;
    }
    *out = t;
    return OUTCOME_OK;
}

static void close_line(struct line *line)
{
    http_client_close(line->http);
    buf_free(&line->url);
}

void twilio_close(struct twilio *t)
{
    if (!t)
        return;
    twilio_metrics_free(t->metrics);
    close_line(&t->real);
    close_line(&t->simulator);
    reactor_timer_free(t->refuse);
    json_reader_free(t->json);
    buf_free(&t->callback);
    buf_free(&t->form);
    free(t);
}

// m, t and k let the first callback name its message even when the answer to the create
// call is lost; c says which trace it belongs to; the fragment asks Twilio to repeat a
// callback that failed. What stands in %26 and the like is "&", "=" and "#": the address
// is the value of a form's field.
static void add_callback(struct buf *form, const struct twilio *t,
                         const struct sms_job *sms)
{
    char id[MESSAGE_ID_TEXT_BYTES], tag[CALLBACK_TAG_TEXT_BYTES];

    message_id_format(id, sms->message_id);
    keys_callback_tag(t->keys, sms->message_id, sms->turn, tag);
    buf_add(form, t->callback.bytes, t->callback.len);
    buf_add_text(form, id);
    buf_add_text(form, "%26t%3D");
    buf_add_int(form, sms->turn);
    buf_add_text(form, "%26k%3D");
    buf_add_text(form, tag);
    if (sms->traceparent) {
        buf_add_text(form, "%26c%3D");
        buf_add(form, trace_id_of(sms->traceparent), TRACE_ID_DIGITS);
    }
    buf_add_text(form, "%23rc%3D5%26rp%3Dall");
}

static int64_t useful_s(const struct sms_job *sms)
{
    int64_t left = (sms->expires_at - clock_wall_us()) / 1000000;
    return left < VALIDITY_MAX_S ? left : VALIDITY_MAX_S;
}

static void build_form(struct buf *form, const struct twilio *t, const struct job *job)
{
    const struct sms_job *sms = &job->sms;
    bool service = strcmp(sms->sender_type, "messaging_service") == 0;

    buf_clear(form);
    buf_add_form(form, "To", job->content.to);
    buf_add_form(form, service ? "MessagingServiceSid" : "From", sms->from);
    buf_add_form(form, "Body", job->content.body);
    buf_add_text(form, "&ValidityPeriod=");
    buf_add_int(form, useful_s(sms));
    add_callback(form, t, sms);
}

// Why a job must not be posted now. Its claim must be young and its worker alive in
// PostgreSQL's eyes, else the rescuer may have given the message to somebody else.
static enum objection objection(const struct job *job)
{
    const struct twilio *t = job->twilio;

    if (clock_boot_us() - job->claim_sent_us > t->lease_us)
        return OBJECTION_OLD_CLAIM;
    if (t->is_alive && !t->is_alive(t->is_alive_arg, job->epoch))
        return OBJECTION_NOT_ALIVE;
    if (useful_s(&job->sms) < USEFUL_MIN_S)
        return OBJECTION_EXPIRED;
    const struct breakers *breakers = job->twilio->breakers;
    if (breakers && !breakers_let_go(breakers, job))
        return OBJECTION_STOPPED;
    return OBJECTION_NONE;
}

// The last gate before the first byte. From its yes on the POST may have left.
static bool may_leave(void *arg)
{
    struct job *job = arg;

    fail_point("worker_before_note", in_flight(job->twilio));
    job->objection = objection(job);
    if (job->objection)
        twilio_metrics_refused(job->twilio->metrics, job->objection);
    else
        journal_begin(job->slot, &job->sms);
    return !job->objection;
}

static void on_answer(void *arg, const struct http_answer *http)
{
    struct job *job = arg;
    struct twilio *t = job->twilio;
    struct twilio_answer answer;
    struct err err = { 0 };

    twilio_answer_read(&answer, t->json, t->codes, http, &err);
    twilio_metrics_answered(t->metrics, http, answer.code);
    if (job->objection)
        answer.reason = objections[job->objection];
    t->done(t->arg, job, &answer);
}

static void refuse_all(void *arg)
{
    struct twilio *t = arg;

    for (struct job *job; (job = job_queue_pop(&t->refused)) != NULL;) {
        const struct twilio_answer answer = {
            .result =
                job->objection == OBJECTION_NOT_LISTED ? SEND_NOT_LISTED : SEND_NOT_SENT,
            .retry_after_us = -1,
            .reason = objections[job->objection],
        };
        twilio_metrics_refused(t->metrics, job->objection);
        t->done(t->arg, job, &answer);
    }
}

// The account that the job's mode allows, or NULL: what was accepted as a simulation must
// never reach anybody, and what was not must not end in the simulator. A job that came by
// another way than the API is judged here as well.
static struct line *find_line(struct twilio *t, struct job *job)
{
    enum account_mode mode;
    const char *name = job->sms.mode;

    if (!account_mode_find(&mode, name, strlen(name)) ||
        !accounts_of(t->accounts, mode)) {
        job->objection = OBJECTION_MODE;
        return NULL;
    }
    if (mode == ACCOUNT_LISTED &&
        !number_list_has(t->accounts->listed, job->content.to)) {
        job->objection = OBJECTION_NOT_LISTED;
        return NULL;
    }
    return mode == ACCOUNT_SIMULATE ? &t->simulator : &t->real;
}

static bool post(struct twilio *t, struct line *line, struct job *job)
{
    build_form(&t->form, t, job);
    assert(!t->form.failed);  // wire.h limits all that is in it
    const struct http_call call = {
        .method = "POST",
        .url = line->url.bytes,
        .content_type = "application/x-www-form-urlencoded",
        .body = t->form.bytes,
        .body_len = t->form.len,
        .gate = may_leave,
    };
    if (http_client_submit(line->http, &call, on_answer, job))
        return true;
    journal_give_back(t->journal, job->slot);
    job->slot = NULL;
    return false;
}

bool twilio_submit(struct twilio *t, struct job *job)
{
    if (twilio_free_slots(t) == 0)
        return false;
    job->twilio = t;
    job->objection = OBJECTION_NONE;
    job->slot = journal_take(t->journal);
    struct line *line = find_line(t, job);
    if (line)
        return post(t, line, job);
    job_queue_push(&t->refused, job);
    reactor_timer_set(t->refuse, 0);
    return true;
}

void twilio_give_up(struct twilio *t)
{
    http_client_give_up(t->real.http);
    http_client_give_up(t->simulator.http);
}

size_t twilio_free_slots(const struct twilio *t)
{
    size_t used = in_flight(t) + t->refused.count;
    size_t free_slots = used < t->in_flight_max ? t->in_flight_max - used : 0;
    size_t noted = journal_free_slots(t->journal);

    return free_slots < noted ? free_slots : noted;
}
