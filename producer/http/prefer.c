#include "prefer.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

// Returns the comma behind a preference, or the end; those in quotes do not count.
static const char *preference_end(const char *p)
{
    bool quoted = false;

    for (; *p && (quoted || *p != ','); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    return p;
}

// Reads "=N" or "=\"N\"", which ends the preference or is followed by parameters.
static int read_seconds(const char *p)
{
    int seconds = 0;

    p += strspn(p, BLANKS);
    if (*p++ != '=')
        return 0;
    p += strspn(p, BLANKS);
    bool quoted = *p == '"';
    p += quoted;
    size_t digits = strspn(p, "0123456789");
    for (; digits > 0; digits--, p++)
        if (seconds < PREFER_WAIT_MAX_S)
            seconds = seconds * 10 + (*p - '0');
    if (quoted && *p++ != '"')
        return 0;
    p += strspn(p, BLANKS);
    if (*p && *p != ',' && *p != ';')
        return 0;
    return seconds < PREFER_WAIT_MAX_S ? seconds : PREFER_WAIT_MAX_S;
}

int prefer_wait_s(const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (const char *p = values[i]; *p; p = preference_end(p)) {
            p += strspn(p, BLANKS ",");
            size_t len = strcspn(p, BLANKS "=;,\"");
            if (len == 4 && strncasecmp(p, "wait", 4) == 0)
                return read_seconds(p + len);
        }
    }
    return 0;
}
