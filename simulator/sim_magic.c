#include "sim_magic.h"

#include <string.h>

static const struct {
    const char *from, *to;  // one of them
    int code;
    bool is_late;
} magic[] = {
    { "+15005550001", NULL, 21212, false }, { "+15005550007", NULL, 21606, false },
    { "+15005550008", NULL, 21611, false }, { NULL, "+15005550001", 21211, false },
    { NULL, "+15005550002", 21612, true },  { NULL, "+15005550003", 21408, false },
    { NULL, "+15005550004", 21610, true },  { NULL, "+15005550009", 21614, true },
};

int sim_magic_from(const char *e164)
{
    for (size_t i = 0; i < COUNT_OF(magic); i++)
        if (magic[i].from && strcmp(magic[i].from, e164) == 0)
            return magic[i].code;
    return 0;
}

int sim_magic_to(const char *e164)
{
    for (size_t i = 0; i < COUNT_OF(magic); i++)
        if (magic[i].to && strcmp(magic[i].to, e164) == 0)
            return magic[i].code;
    return 0;
}

bool sim_magic_is_late(int code)
{
    for (size_t i = 0; i < COUNT_OF(magic); i++)
        if (magic[i].code == code)
            return magic[i].is_late;
    return false;
}
