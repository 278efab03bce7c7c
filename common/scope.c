#include "scope.h"

#include <string.h>

static const struct {
    const char *name;
    enum scope scope;
} scopes[] = {
    { "send_sms", SCOPE_SEND_SMS },
    { "view_sms_history", SCOPE_VIEW_SMS_HISTORY },
    { "view_dashboard", SCOPE_VIEW_DASHBOARD },
    { "admin", SCOPE_ADMIN },
};

unsigned scope_find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        if (strlen(scopes[i].name) == len && memcmp(scopes[i].name, name, len) == 0)
            return scopes[i].scope;
    return 0;
}

const char *scope_name(unsigned wanted)
{
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        if (wanted & scopes[i].scope)
            return scopes[i].name;
    return "";
}
