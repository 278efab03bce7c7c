// loop.h: for component tests: a reactor that is run until something happened.
#ifndef LOOP_H
#define LOOP_H

#include "base.h"

struct reactor;

// loop_until turns the loop until is_true(arg), asked every millisecond; it fails the
// test after a minute. loop_once runs what is due now.
void loop_until(struct reactor *r, bool (*is_true)(void *arg), void *arg);
void loop_once(struct reactor *r);

#endif
