// letter_keeper.h: reads sms.dead and keeps every letter in the table dead_letters, where
// smsq dlq finds it. A letter is sealed: what nobody could read may hold a number.
#ifndef LETTER_KEEPER_H
#define LETTER_KEEPER_H

#include "base.h"

struct db;
struct kafka_settings;
struct keys;
struct letter_keeper;
struct service;

// letter_keeper_open joins the group smsq-dead-letters. It borrows all of them until
// letter_keeper_close. Outcomes as kafka_in_open.
MUST_CHECK enum outcome letter_keeper_open(struct letter_keeper **out,
                                           struct service *service, struct db *db,
                                           const struct kafka_settings *kafka,
                                           const struct keys *keys, struct err *err);

// letter_keeper_stop_reading takes no more letters; is_drained then tells when PostgreSQL
// has all that was read.
void letter_keeper_stop_reading(struct letter_keeper *k);
bool letter_keeper_is_drained(const struct letter_keeper *k);

// letter_keeper_close commits what PostgreSQL has. Close the db first.
void letter_keeper_close(struct letter_keeper *k);

#endif
