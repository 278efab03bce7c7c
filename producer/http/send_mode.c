#include "send_mode.h"

#include "number_list.h"
#include "producer.h"
#include "send_request.h"

static enum outcome complain(struct complaint *complaint, int status, const char *code,
                             const char *field, const char *detail)
{
    *complaint = (struct complaint){ .status = status, .code = code, .field = field };
    return err_set(&complaint->detail, OUTCOME_REJECT, "%s", detail);
}

// An installation that has no account for its own mode is not ready, and takes nothing.
enum outcome send_mode_check(const struct producer *p, const struct send_request *request,
                             struct complaint *complaint)
{
    const struct account *account = accounts_of(&p->accounts, request->mode);

    if (request->mode == ACCOUNT_SIMULATE && !account)
        return complain(complaint, 403, "mode_not_available", NULL,
                        "this token only simulates, and no simulator is configured: set "
                        "simulator.url, simulator.account_sid and simulator.auth_token");
    if (request->mode == ACCOUNT_LISTED &&
        !number_list_has(p->accounts.listed, request->to.e164))
        return complain(complaint, 403, "number_not_listed", "to",
                        "this token reaches listed numbers only: add the number to "
                        "twilio.test_numbers (TWILIO_TEST_NUMBERS)");
    if (account && !request->from && !account->sender)
        return complain(complaint, 422, "no_sender", "from",
                        "no default sender is configured: give from, or set "
                        "TWILIO_PHONE_NUMBER");
    return OUTCOME_OK;
}
