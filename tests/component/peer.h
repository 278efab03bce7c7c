// peer.h: a Twilio of a test: takes any number of lines in threads of its own, keeps the
// bodies of all requests, and answers as it was told last.
#ifndef PEER_H
#define PEER_H

#include "base.h"

struct peer;

struct peer *peer_open(void);
void peer_close(struct peer *p);
int peer_port(const struct peer *p);

// peer_answer: from now on this text is the whole answer; NULL (at first) is a 201 with
// a new SID each time; "" ends the line when it has read the request. Borrowed until the
// next call. peer_hold keeps answers back until it is called with false.
void peer_answer(struct peer *p, const char *answer);
void peer_hold(struct peer *p, bool hold);

// peer_lines is how many lines were opened, peer_count how many requests came, peer_body
// the body of one; borrowed.
size_t peer_lines(struct peer *p);
size_t peer_count(struct peer *p);
const char *peer_body(struct peer *p, size_t i);

#endif
