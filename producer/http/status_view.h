// status_view.h: how a message looks to its sender: the answer of GET /sms/status, and of
// what changes a message.
#ifndef STATUS_VIEW_H
#define STATUS_VIEW_H

#include "base.h"

struct caller;
struct http_request;
struct message_row;
struct producer;

// status_view_answer answers 200 with the message. Its number is in clear for tokens with
// the view scope.
void status_view_answer(struct producer *p, struct http_request *req,
                        const struct caller *caller, const struct message_row *row);

// status_view_not_found answers 404; status_view_failed 500: the look-up was refused.
void status_view_not_found(struct http_request *req);
void status_view_failed(struct http_request *req);

#endif
