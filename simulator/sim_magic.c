#include "sim_magic.h"

#include <string.h>

static const struct {
    const char *from, *to;  // one of them
    int code;
    bool is_late;
    const char *message;
} magic[] = {
    { "+15005550001", NULL, 21212, false,
      "The 'From' number %s is not a valid phone number, shortcode, or alphanumeric "
      "sender ID." },
    { "+15005550007", NULL, 21606, false,
      "The 'From' phone number provided (%s) is not a valid message-capable Twilio phone "
      "number for this destination." },
    { "+15005550008", NULL, 21611, false,
      "This 'From' number has exceeded the maximum number of queued messages: %s." },
    { NULL, "+15005550001", 21211, false,
      "The 'To' number %s is not a valid phone number." },
    { NULL, "+15005550002", 21612, true,
      "The 'To' phone number %s is not currently reachable using this 'From' number." },
    { NULL, "+15005550003", 21408, false,
      "Permission to send an SMS has not been enabled for the region indicated by the "
      "'To' number: %s." },
    { NULL, "+15005550004", 21610, true,
      "The message cannot be sent: recipient %s has opted out of messages from this "
      "sender." },
    { NULL, "+15005550009", 21614, true, "'To' number %s is not a mobile number." },
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

const char *sim_magic_message(int code)
{
    for (size_t i = 0; i < COUNT_OF(magic); i++)
        if (magic[i].code == code)
            return magic[i].message;
    return "The message to %s cannot be sent.";
}

bool sim_magic_is_late(int code)
{
    for (size_t i = 0; i < COUNT_OF(magic); i++)
        if (magic[i].code == code)
            return magic[i].is_late;
    return false;
}
