#include "sim_hook.h"
#include "sim_url.h"

#include <stdlib.h>
#include <string.h>

enum { METHOD_MAX_BYTES = 8 };

const struct sim_hook_names sim_hook_sms_names = { "SmsUrl", "SmsMethod",
                                                   "SmsFallbackUrl",
                                                   "SmsFallbackMethod" };

enum outcome sim_hook_update_url(char **url, const struct sim_request *r,
                                 const char *name, struct sim_error *error)
{
    bool is_bad = false;

    if (!name)
        return OUTCOME_OK;
    char *value = sim_request_param(r, name, SIM_MESSAGE_CALLBACK_MAX_BYTES, &is_bad);
    if (!value)
        return is_bad ? sim_request_bad_param(error, name) : OUTCOME_OK;
    struct sim_text text = { value, strlen(value) };
    if (text.len && !sim_url_is_callback(text)) {
        free(value);
        return sim_request_bad_param(error, name);
    }
    free(*url);
    *url = text.len ? value : NULL;
    if (!text.len)
        free(value);
    return OUTCOME_OK;
}

static enum outcome update_method(bool *is_get, const struct sim_request *r,
                                  const char *name, struct sim_error *error)
{
    bool is_bad = false;

    if (!name)
        return OUTCOME_OK;
    char *value = sim_request_param(r, name, METHOD_MAX_BYTES, &is_bad);
    if (value && strcmp(value, "GET") == 0)
        *is_get = true;
    else if (value && strcmp(value, "POST") == 0)
        *is_get = false;
    else
        is_bad = is_bad || (value && *value);
    free(value);
    return is_bad ? sim_request_bad_param(error, name) : OUTCOME_OK;
}

enum outcome sim_hook_update(struct sim_hook *hook, const struct sim_request *r,
                             const struct sim_hook_names *names, struct sim_error *error)
{
    enum outcome rc = sim_hook_update_url(&hook->url, r, names->url, error);

    if (!rc)
        rc = sim_hook_update_url(&hook->fallback_url, r, names->fallback_url, error);
    if (!rc)
        rc = update_method(&hook->is_get, r, names->method, error);
    if (!rc)
        rc = update_method(&hook->is_fallback_get, r, names->fallback_method, error);
    return rc;
}

const char *sim_hook_method(bool is_get)
{
    return is_get ? "GET" : "POST";
}
