// dead_letters.h: puts records that nobody could take into sms.dead, with reason and
// origin, and keeps trying until Kafka has them.
#ifndef DEAD_LETTERS_H
#define DEAD_LETTERS_H

#include "base.h"

struct dead_letters;
struct kafka_out;
struct kafka_record;
struct kafka_settings;
struct metrics;
struct reactor;
struct sms_dead;

// A key or value longer than this is cut in the dead letter; detail then says so, and the
// whole of it stays at its origin until retention ends.
enum { DEAD_KEY_MAX_BYTES = 4096, DEAD_VALUE_MAX_BYTES = 524288 };

// dead_letters_open_out opens a publisher with the limits that dead letters want; the
// caller closes it. Outcomes as kafka_out_open.
MUST_CHECK enum outcome dead_letters_open_out(struct kafka_out **out, struct reactor *r,
                                              const struct kafka_settings *kafka,
                                              struct metrics *metrics, struct err *err);

// dead_letters_new publishes through out, which it borrows. program is a literal.
struct dead_letters *dead_letters_new(struct reactor *r, struct kafka_out *out,
                                      const char *program, struct metrics *metrics);

// dead_letters_bury copies letter, publishes it, and runs done(arg, letter) once Kafka
// acknowledged it, however long that takes; only then may the origin be acknowledged.
typedef void dead_letters_done(void *arg, const struct sms_dead *letter);
void dead_letters_bury(struct dead_letters *d, const struct sms_dead *letter,
                       dead_letters_done *done, void *arg);

// dead_letters_bury_record buries a record as it came; reason is a literal.
void dead_letters_bury_record(struct dead_letters *d, const struct kafka_record *rec,
                              const char *reason, const char *detail,
                              dead_letters_done *done, void *arg);

// dead_letters_pending counts letters that Kafka has not acknowledged yet.
// dead_letters_have_room is false while they are so many that nothing more should be
// read.
enum { DEAD_PENDING_MAX = 1000 };
size_t dead_letters_pending(const struct dead_letters *d);
bool dead_letters_have_room(const struct dead_letters *d);

// dead_letters_free forgets what is pending without calling done: its origins are not
// acknowledged, so they are read again. Close the kafka_out first.
void dead_letters_free(struct dead_letters *d);

#endif
