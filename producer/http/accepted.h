// accepted.h: the 202 of POST /sms/send.
#ifndef ACCEPTED_H
#define ACCEPTED_H

#include "base.h"
#include "message_id.h"
#include "phone.h"

struct http_request;
struct wait_news;

struct accepted {
    unsigned char id[MESSAGE_ID_BYTES];
    char to[PHONE_E164_BYTES];
    int segments;
    bool scheduled;  // it waits for its send_at
    bool valid;      // false: the number is in no known range
    bool replayed;   // Kafka had the message before this request
    int waited_s;    // Prefer: wait=N that was kept to; 0 = none
};

// accepted_answer answers req. news is what was waited for, or NULL: nothing is known.
void accepted_answer(struct http_request *req, const struct accepted *a,
                     const struct wait_news *news);

#endif
