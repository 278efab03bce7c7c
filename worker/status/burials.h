// burials.h: records of one topic on their way to sms.dead: acknowledged at their origin
// once Kafka has the letter.
#ifndef BURIALS_H
#define BURIALS_H

#include "base.h"

struct burials;
struct dead_letters;
struct kafka_in;
struct kafka_record;

// burials_new borrows dead; on_room(arg) runs after each letter that sms.dead has taken.
struct burials *burials_new(struct dead_letters *dead, void (*on_room)(void *arg),
                            void *arg);

// burials_free forgets what is on its way; free the dead_letters first.
void burials_free(struct burials *b);

// burials_bury copies rec; reason is a literal. in must live until sms.dead has the
// letter, or until its kafka_out is closed.
void burials_bury(struct burials *b, struct kafka_in *in, const struct kafka_record *rec,
                  const char *reason, const char *detail);

#endif
