// sim_twiml.h: reads the TwiML that answers an inbound message: which messages to send
// back, and where to ask next. Written by outsiders: no DTD, no entities of its own, and
// everything has a limit.
#ifndef SIM_TWIML_H
#define SIM_TWIML_H

#include "buf.h"
#include "sim_message.h"

enum {
    SIM_TWIML_MAX_BYTES = 64 << 10,  // Twilio's limit, 11750
    SIM_TWIML_MESSAGES_MAX = 10,     // Twilio's limit, 14109
    SIM_TWIML_DEPTH_MAX = 16,
    SIM_TWIML_URL_BYTES = 4097,
};

enum {
    SIM_TWIML_TOO_LARGE = 11750,
    SIM_TWIML_BAD_DOCUMENT = 12100,
    SIM_TWIML_BAD_SCHEMA = 12200,
    SIM_TWIML_BAD_CONTENT_TYPE = 12300,
    SIM_TWIML_TOO_MANY = 14109,
};

struct sim_twiml_message {
    char to[64], from[64];               // empty = as the inbound message says
    char callback[SIM_TWIML_URL_BYTES];  // statusCallback or action; empty = none
    struct buf body;
    char media[SIM_MESSAGE_MEDIA_MAX][SIM_MESSAGE_MEDIA_URL_MAX_BYTES + 1];
    size_t media_count;
};

struct sim_twiml {
    struct sim_twiml_message *messages;  // in the order of the document
    size_t count;
    char redirect[SIM_TWIML_URL_BYTES];  // where to ask next; empty = nowhere
    bool is_redirect_get;
    int code;  // 0, or the first thing wrong: what was right before it holds
};

// sim_twiml_read reads an answer of that content type ("text/xml; charset=utf-8"): XML,
// or plain text, which is one message. An empty body is no message.
struct sim_twiml *sim_twiml_read(const char *content_type, const char *body, size_t len);
void sim_twiml_free(struct sim_twiml *t);

#endif
