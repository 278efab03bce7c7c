#include "sid.h"

#include <string.h>

bool sid_is(const char *text, const char *kind)
{
    unsigned char bytes[16];

    return strncmp(text, kind, 2) == 0 &&
           hex_decode(bytes, sizeof(bytes), text + 2, strlen(text + 2));
}

bool sid_is_message(const char *text)
{
    return sid_is(text, "SM") || sid_is(text, "MM");
}
