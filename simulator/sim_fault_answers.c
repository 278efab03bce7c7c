#include "sim_fault_answers.h"
#include "buf.h"
#include "sim_codes.h"
#include "sim_error.h"

#include <string.h>

enum { CREATED = 201, REDIRECTED = 307 };

static const struct sim_text nothing = { "", 0 };

static void set_body(struct sim_answer *answer, const struct buf *body)
{
    answer->body = buf_text(body);
    answer->len = body->len;
}

// Twilio's codes are its HTTP statuses with 20 in front, where there is one.
static int code_of(int status)
{
    switch (status) {
    case 401:
        return 20003;
    case 405:
        return 20004;
    default:
        return 20000 + status;
    }
}

static void make_error(struct sim_answer *answer, const struct sim_fault *fault,
                       struct buf *scratch)
{
    struct sim_error error;
    int code = fault->code ? fault->code : code_of(fault->status);
    const struct sim_code *row = sim_codes_find(code);

    (void)sim_error_set(&error, fault->status, code,
                        row && row->message ? row->message : "Service unavailable",
                        nothing);
    sim_error_render(scratch, &error);
    answer->status = fault->status;
    answer->retry_after_s = fault->retry_after_s;
    set_body(answer, scratch);
}

static void make_page(struct sim_answer *answer, const struct sim_fault *fault,
                      struct buf *scratch)
{
    buf_addf(scratch,
             "<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n"
             "<center><h1>%d</h1></center>\r\n<hr><center>proxy</center>\r\n"
             "</body>\r\n</html>\r\n",
             fault->status, fault->status);
    answer->status = fault->status;
    answer->content_type = "text/html";
    set_body(answer, scratch);
}

// The answer's JSON with a member more, which makes it bytes long.
static void make_huge(struct sim_answer *answer, int64_t bytes, struct buf *scratch)
{
    static const char begin[] = ",\"padding\":\"";
    size_t len = answer->len ? answer->len - 1 : 0;

    buf_add(scratch, answer->body, len);
    buf_add_text(scratch, begin);
    for (size_t left = (size_t)bytes; left > scratch->len + 2 && !scratch->failed;)
        buf_add_char(scratch, 'x');
    buf_add_text(scratch, "\"}");
    set_body(answer, scratch);
}

// The answer's JSON without its first member.
static void make_without_sid(struct sim_answer *answer, struct buf *scratch)
{
    const char *rest = answer->len ? memchr(answer->body, ',', answer->len) : NULL;

    buf_add_char(scratch, '{');
    if (rest)
        buf_add(scratch, rest + 1, answer->len - (size_t)(rest + 1 - answer->body));
    else
        buf_add_char(scratch, '}');
    set_body(answer, scratch);
}

static void make_body(struct sim_answer *answer, const struct sim_fault *fault,
                      struct buf *scratch)
{
    buf_clear(scratch);
    switch (fault->kind) {
    case SIM_FAULT_ERROR:
        make_error(answer, fault, scratch);
        return;
    case SIM_FAULT_HTML:
        make_page(answer, fault, scratch);
        return;
    case SIM_FAULT_MALFORMED:
        buf_add_text(scratch, "{\"sid\": \"SM, \"status\": queued,,\n");
        set_body(answer, scratch);
        return;
    case SIM_FAULT_HUGE:
        make_huge(answer, fault->bytes, scratch);
        return;
    case SIM_FAULT_NO_SID:
        make_without_sid(answer, scratch);
        return;
    case SIM_FAULT_REDIRECT:
        answer->status = REDIRECTED;
        answer->location = "http://elsewhere.invalid/2010-04-01/";
        answer->len = 0;
        return;
    default:
        return;
    }
}

static enum sim_answer_end end_of(enum sim_fault_kind kind)
{
    switch (kind) {
    case SIM_FAULT_HANG:
    case SIM_FAULT_CUT:
    case SIM_FAULT_CUT_REUSED:
        return SIM_ANSWER_CUT;
    case SIM_FAULT_RESET:
        return SIM_ANSWER_RESET;
    case SIM_FAULT_TRUNCATED:
        return SIM_ANSWER_TRUNCATED;
    default:
        return SIM_ANSWER_WHOLE;
    }
}

void sim_fault_answer(struct sim_answer *answer, const struct sim_fault *fault,
                      uint32_t number, struct buf *scratch)
{
    if (!answer->body) {
        answer->body = "{}";
        answer->len = 2;
        answer->status = CREATED;
    }
    make_body(answer, fault, scratch);
    answer->end = end_of(fault->kind);
    if (fault->kind == SIM_FAULT_WRONG_TYPE)
        answer->content_type = "text/plain";
    if (fault->kind == SIM_FAULT_OVERTAKEN)
        answer->overtaken_by = number;
    answer->extra_us += fault->delay_us;
}
