#include "sim_twiml.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Where in the document the parser stands.
enum place {
    PLACE_START,
    PLACE_RESPONSE,
    PLACE_MESSAGE,
    PLACE_BODY,
    PLACE_MEDIA,
    PLACE_REDIRECT,
    PLACE_UNKNOWN
};

struct reader {
    XML_Parser parser;
    struct sim_twiml *twiml;
    struct sim_twiml_message *message;  // the one that is open
    struct buf loose;                   // text in a Message outside of its Body
    struct buf text;                    // of Media and Redirect
    enum place places[SIM_TWIML_DEPTH_MAX];
    size_t depth;
    bool is_over;  // behind a Redirect nothing counts
};

static void complain(struct reader *r, int code)
{
    if (r->twiml->code == 0)
        r->twiml->code = code;
}

static void stop(struct reader *r, int code)
{
    complain(r, code);
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static enum place place_of(const struct reader *r)
{
    return r->depth ? r->places[r->depth - 1] : PLACE_START;
}

static struct sim_twiml_message *message_new(struct sim_twiml *t)
{
    t->messages = xrealloc(t->messages, (t->count + 1) * sizeof(*t->messages));
    struct sim_twiml_message *m = &t->messages[t->count++];
    memset(m, 0, sizeof(*m));
    buf_init(&m->body, SIM_TWIML_MAX_BYTES);
    return m;
}

static void copy(struct reader *r, char *out, size_t room, const char *text)
{
    size_t len = strlen(text);

    if (len >= room)
        complain(r, SIM_TWIML_BAD_SCHEMA);
    else
        memcpy(out, text, len + 1);
}

static enum place open_message(struct reader *r, const char **attributes)
{
    if (r->twiml->count == SIM_TWIML_MESSAGES_MAX) {
        complain(r, SIM_TWIML_TOO_MANY);
        return PLACE_UNKNOWN;
    }
    struct sim_twiml_message *m = r->message = message_new(r->twiml);
    buf_clear(&r->loose);
    for (; *attributes; attributes += 2) {
        const char *name = attributes[0], *value = attributes[1];
        if (strcmp(name, "to") == 0)
            copy(r, m->to, sizeof(m->to), value);
        else if (strcmp(name, "from") == 0)
            copy(r, m->from, sizeof(m->from), value);
        else if (strcmp(name, "statusCallback") == 0 || strcmp(name, "action") == 0)
            copy(r, m->callback, sizeof(m->callback), value);
        else if (strcmp(name, "method") != 0)
            complain(r, SIM_TWIML_BAD_SCHEMA);
    }
    return PLACE_MESSAGE;
}

static enum place open_redirect(struct reader *r, const char **attributes)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], "method") == 0)
            r->twiml->is_redirect_get = strcasecmp(attributes[1], "GET") == 0;
    return PLACE_REDIRECT;
}

// Returns the place inside an element, by the place it stands in. "Sms" is the verb's
// older name.
static enum place open_element(struct reader *r, const char *name,
                               const char **attributes)
{
    switch (place_of(r)) {
    case PLACE_START:
        if (strcmp(name, "Response") == 0)
            return PLACE_RESPONSE;
        break;
    case PLACE_RESPONSE:
        if (r->is_over)
            return PLACE_UNKNOWN;
        if (strcmp(name, "Message") == 0 || strcmp(name, "Sms") == 0)
            return open_message(r, attributes);
        if (strcmp(name, "Redirect") == 0)
            return open_redirect(r, attributes);
        break;
    case PLACE_MESSAGE:
        if (strcmp(name, "Body") == 0)
            return PLACE_BODY;
        if (strcmp(name, "Media") == 0)
            return PLACE_MEDIA;
        break;
    case PLACE_UNKNOWN:
        return PLACE_UNKNOWN;
    default:
        break;
    }
    complain(r, SIM_TWIML_BAD_SCHEMA);
    return PLACE_UNKNOWN;
}

static void XMLCALL on_start(void *arg, const char *name, const char **attributes)
{
    struct reader *r = arg;

    if (r->depth == SIM_TWIML_DEPTH_MAX) {
        stop(r, SIM_TWIML_BAD_SCHEMA);
        return;
    }
    enum place place = open_element(r, name, attributes);
    if (place == PLACE_MEDIA || place == PLACE_REDIRECT)
        buf_clear(&r->text);
    r->places[r->depth++] = place;
}

// Takes blanks and line breaks off both ends.
static struct sim_text trim(const struct buf *b)
{
    static const char blanks[] = " \t\r\n";
    const char *text = buf_text(b);
    size_t skip = strspn(text, blanks), len = b->len;

    while (len > skip && strchr(blanks, text[len - 1]))
        len--;
    return (struct sim_text){ text + skip, len > skip ? len - skip : 0 };
}

// Text that stands beside nested elements is no body unless there is nothing but text.
static void close_message(struct reader *r)
{
    struct sim_twiml_message *m = r->message;

    if (m->body.len == 0) {
        struct sim_text text = trim(&r->loose);
        buf_add(&m->body, text.bytes, text.len);
    }
    r->message = NULL;
}

static void close_medium(struct reader *r)
{
    struct sim_twiml_message *m = r->message;
    struct sim_text text = trim(&r->text);

    if (m->media_count == SIM_MESSAGE_MEDIA_MAX ||
        text.len > SIM_MESSAGE_MEDIA_URL_MAX_BYTES) {
        complain(r, SIM_TWIML_BAD_SCHEMA);
        return;
    }
    memcpy(m->media[m->media_count], text.bytes, text.len);
    m->media[m->media_count++][text.len] = '\0';
}

static void close_redirect(struct reader *r)
{
    struct sim_text text = trim(&r->text);

    r->is_over = true;
    if (text.len == 0 || text.len >= sizeof(r->twiml->redirect)) {
        complain(r, SIM_TWIML_BAD_SCHEMA);
        return;
    }
    memcpy(r->twiml->redirect, text.bytes, text.len);
    r->twiml->redirect[text.len] = '\0';
}

static void XMLCALL on_end(void *arg, const char *name)
{
    struct reader *r = arg;

    (void)name;
    switch (r->places[--r->depth]) {
    case PLACE_MESSAGE:
        close_message(r);
        return;
    case PLACE_MEDIA:
        close_medium(r);
        return;
    case PLACE_REDIRECT:
        close_redirect(r);
        return;
    default:
        return;
    }
}

static void XMLCALL on_text(void *arg, const char *text, int len)
{
    struct reader *r = arg;
    enum place place = place_of(r);

    if (place == PLACE_BODY)
        buf_add(&r->message->body, text, (size_t)len);
    else if (place == PLACE_MESSAGE)
        buf_add(&r->loose, text, (size_t)len);
    else if (place == PLACE_MEDIA || place == PLACE_REDIRECT)
        buf_add(&r->text, text, (size_t)len);
}

// A document type could define entities that grow without end.
static void XMLCALL on_doctype(void *arg, const char *name, const char *system_id,
                               const char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    stop(arg, SIM_TWIML_BAD_DOCUMENT);
}

static void read_xml(struct sim_twiml *t, const char *body, size_t len)
{
    struct reader r = { .twiml = t, .parser = XML_ParserCreate(NULL) };

    if (!r.parser)
        abort();  // out of memory
    buf_init(&r.loose, SIM_TWIML_MAX_BYTES);
    buf_init(&r.text, SIM_TWIML_MAX_BYTES);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    if (XML_Parse(r.parser, body, (int)len, XML_TRUE) != XML_STATUS_OK)
        complain(&r, SIM_TWIML_BAD_DOCUMENT);
    XML_ParserFree(r.parser);
    buf_free(&r.loose);
    buf_free(&r.text);
}

// Compares the media type in front of any parameters.
static bool is_type(const char *content_type, const char *type)
{
    size_t len = strlen(type);

    return strncasecmp(content_type, type, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';' ||
            content_type[len] == ' ');
}

struct sim_twiml *sim_twiml_read(const char *content_type, const char *body, size_t len)
{
    struct sim_twiml *t = xcalloc(1, sizeof(*t));

    if (len == 0)
        return t;
    if (len > SIM_TWIML_MAX_BYTES) {
        t->code = SIM_TWIML_TOO_LARGE;
    } else if (is_type(content_type, "text/plain")) {
        if (utf8_is_valid(body, len))
            buf_add(&message_new(t)->body, body, len);
        else
            t->code = SIM_TWIML_BAD_DOCUMENT;
    } else if (is_type(content_type, "text/xml") || is_type(content_type, "text/html") ||
               is_type(content_type, "application/xml")) {
        read_xml(t, body, len);
    } else {
        t->code = SIM_TWIML_BAD_CONTENT_TYPE;
    }
    // What cannot be read as a whole sends nothing.
    if (t->code == SIM_TWIML_BAD_DOCUMENT) {
        while (t->count > 0)
            buf_free(&t->messages[--t->count].body);
        t->redirect[0] = '\0';
    }
    return t;
}

void sim_twiml_free(struct sim_twiml *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        buf_free(&t->messages[i].body);
    free(t->messages);
    free(t);
}
