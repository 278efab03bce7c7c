// options.h: the options of each command, besides those that all have; each table is
// ended by a NULL name. Used by commands.c only.
#ifndef OPTIONS_H
#define OPTIONS_H

#include "command.h"

extern const struct option send_options[];
extern const struct option reschedule_options[];
extern const struct option token_create_options[];
extern const struct option token_list_options[];
extern const struct option dlq_list_options[];
extern const struct option dlq_show_options[];
extern const struct option dlq_replay_options[];
extern const struct option dlq_purge_options[];
extern const struct option switch_options[];
extern const struct option doubt_list_options[];
extern const struct option doubt_resend_options[];
extern const struct option doubt_close_options[];
extern const struct option codes_list_options[];
extern const struct option codes_set_options[];

#endif
