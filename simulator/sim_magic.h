// sim_magic.h: the numbers that always fail, as with Twilio's test credentials.
#ifndef SIM_MAGIC_H
#define SIM_MAGIC_H

#include "base.h"

// The one sender that test credentials may use.
#define SIM_MAGIC_SENDER "+15005550006"

// sim_magic_from is the error code of a create with this sender, 0 for none;
// sim_magic_to that of a create to this recipient.
int sim_magic_from(const char *e164);
int sim_magic_to(const char *e164);

// sim_magic_is_late: with a Messaging Service this failure comes after the answer.
bool sim_magic_is_late(int code);

#endif
