#include "sim_error.h"
#include "buf.h"
#include "sim_codes.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 160 };

enum outcome sim_error_set(struct sim_error *error, int status, int code,
                           const char *message, struct sim_text value)
{
    char shown[SHOWN_BYTES + 1];
    size_t len = value.len < SHOWN_BYTES ? value.len : SHOWN_BYTES;

    for (size_t i = 0; i < len; i++) {
        char c = value.bytes[i];
        shown[i] = '?';
        if (c >= ' ' && c <= '~')
            shown[i] = c;
    }
    shown[len] = '\0';

    const char *mark = strstr(message, "%s");
    int before = (int)(mark ? (size_t)(mark - message) : strlen(message));
    *error = (struct sim_error){ .status = status, .code = code };
    (void)snprintf(error->message, sizeof(error->message), "%.*s%s%s", before, message,
                   mark ? shown : "", mark ? mark + 2 : "");
    return OUTCOME_REJECT;
}

enum outcome sim_error_code(struct sim_error *error, int code, struct sim_text value)
{
    const struct sim_code *row = sim_codes_find(code);

    assert(row && row->status);
    return sim_error_set(error, row->status, code, row->message, value);
}

void sim_error_render(struct buf *out, const struct sim_error *error)
{
    buf_addf(out, "{\"code\":%d", error->code);
    if (error->detail) {
        buf_add_text(out, ",\"detail\":");
        buf_add_json_string(out, error->detail, strlen(error->detail));
    }
    buf_add_text(out, ",\"message\":");
    buf_add_json_string(out, error->message, strlen(error->message));
    buf_addf(out, ",\"more_info\":\"https://www.twilio.com/docs/errors/%d\"",
             error->code);
    buf_addf(out, ",\"status\":%d}", error->status);
}
