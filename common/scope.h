// scope.h: what an API token may be used for.
#ifndef SCOPE_H
#define SCOPE_H

#include "base.h"

enum scope {
    SCOPE_SEND_SMS = 1 << 0,
    SCOPE_VIEW_SMS_HISTORY = 1 << 1,
    SCOPE_VIEW_DASHBOARD = 1 << 2,
    SCOPE_ADMIN = 1 << 3,  // holds every other scope
};

// scope_find returns the scope of that name, 0 for an unknown one.
unsigned scope_find(const char *name, size_t len);

// scope_name is the name of the lowest of the wanted scopes: "send_sms",
// "view_sms_history", "view_dashboard", "admin"; "" of none.
const char *scope_name(unsigned wanted);

#endif
