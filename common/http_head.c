#include "http_head.h"

#include "http_target.h"

#include <string.h>
#include <strings.h>

// Fields that mean something to us and must not come twice.
enum { HOST, LENGTH, ENCODING, TYPE, CODING, EXPECT, AUTHORIZATION, SINGLES };

static const char *const singles[SINGLES] = {
    [HOST] = "host",
    [LENGTH] = "content-length",
    [ENCODING] = "transfer-encoding",
    [TYPE] = "content-type",
    [CODING] = "content-encoding",
    [EXPECT] = "expect",
    [AUTHORIZATION] = "authorization",
};

static void refuse(struct http_fault *fault, enum http_refusal refusal,
                   const char *complaint)
{
    *fault = (struct http_fault){ refusal, complaint };
}

static void complain(struct http_fault *fault, const char *complaint)
{
    refuse(fault, HTTP_REFUSAL_MALFORMED, complaint);
}

// --- finding the end ---

// A line ended at scan->at with CR LF. Returns true when it was the last one.
static bool end_line(struct http_scan *scan, struct http_fault *fault)
{
    size_t len = scan->at - scan->line;

    scan->at += 2;
    scan->line = scan->at;
    if (len > 0) {
        scan->lines++;
        return false;
    }
    if (scan->lines > 0)
        return true;
    if (scan->had_blank)
        complain(fault, "the request line is empty");
    scan->had_blank = true;
    return false;
}

static bool is_too_long(const struct http_scan *scan, size_t max_bytes,
                        struct http_fault *fault)
{
    bool first = scan->lines == 0;

    if (first && (scan->at > HTTP_LINE_MAX_BYTES || scan->at > max_bytes))
        refuse(fault, HTTP_REFUSAL_TARGET, NULL);
    else if (scan->at > max_bytes)
        refuse(fault, HTTP_REFUSAL_HEADER, NULL);
    return fault->refusal != HTTP_REFUSAL_NONE;
}

// What a control character at scan->at is: part of a line, its end, or a fault. Returns
// false when the byte behind it must be seen first.
static bool take_control(struct http_scan *scan, const char *bytes, size_t len,
                         struct http_fault *fault)
{
    switch (bytes[scan->at]) {
    case '\t':
        scan->at++;
        return true;
    case '\r':
        if (scan->at + 1 == len)
            return false;
        if (bytes[scan->at + 1] == '\n')
            scan->is_whole = end_line(scan, fault);
        else
            complain(fault, "a carriage return stands without its line feed");
        return true;
    case '\n':
        complain(fault, "a line ends without a carriage return");
        return true;
    default:
        complain(fault, "the header has a control character");
        return true;
    }
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

void http_head_scan(struct http_scan *scan, const char *bytes, size_t len,
                    size_t max_bytes, struct http_fault *fault)
{
    while (scan->at < len && !scan->is_whole) {
        if (!is_control(bytes[scan->at]))
            scan->at++;
        else if (!take_control(scan, bytes, len, fault))
            break;
        if (fault->refusal || is_too_long(scan, max_bytes, fault))
            return;
    }
}

// --- cutting it up ---

// Cuts the line at *at off and returns it; *at is behind it.
static char *cut_line(char **at)
{
    char *line = *at;
    char *end = strstr(line, "\r\n");

    *end = '\0';
    *at = end + 2;
    return line;
}

// Cuts the word up to the next blank off; NULL without a blank.
static char *cut_word(char **at)
{
    char *word = *at;
    char *end = strchr(word, ' ');

    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return word;
}

bool http_is_token(const char *text, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        char lower = (char)(c | 0x20);
        if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9') &&
            (c == '\0' || !strchr(others, c)))
            return false;
    }
    return len > 0;
}

bool http_is_value(const char *text)
{
    for (; *text; text++)
        if (is_control(*text) && *text != '\t')
            return false;
    return true;
}

static void parse_version(struct http_head *head, const char *text,
                          struct http_fault *fault)
{
    bool is_version = strncmp(text, "HTTP/", 5) == 0 && text[5] >= '0' &&
                      text[5] <= '9' && text[6] == '.' && text[7] >= '0' &&
                      text[7] <= '9' && text[8] == '\0';

    head->minor = is_version && text[7] == '0' ? 0 : 1;
    if (!is_version)
        complain(fault, "the request line is not: method, target, HTTP version");
    else if (text[5] != '1')
        refuse(fault, HTTP_REFUSAL_VERSION, NULL);
}

// "http://host/path" means "/path" here; every server must take it (RFC 9112, 3.2.2).
static const char *strip_authority(const char *target)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (strncasecmp(target, schemes[i], len) != 0)
            continue;
        const char *authority = target + len;
        size_t authority_len = strcspn(authority, "/?#");
        if (authority_len == 0 || !http_is_authority(authority, authority_len))
            return target;
        return authority[authority_len] ? authority + authority_len : "/";
    }
    return target;
}

static void parse_target(struct http_head *head, const char *target,
                         struct http_fault *fault)
{
    if ((strcmp(target, "*") == 0 && strcmp(head->method, "OPTIONS") == 0) ||
        strcmp(head->method, "CONNECT") == 0) {  // which no path takes
        head->target = "*";
        return;
    }
    head->target = strip_authority(target);
    const char *complaint = http_target_check(head->target);
    if (complaint)
        complain(fault, complaint);
}

static void parse_request_line(struct http_head *head, char *line,
                               struct http_fault *fault)
{
    const char *method = cut_word(&line);
    const char *target = method ? cut_word(&line) : NULL;

    if (!target || !http_is_token(method, strlen(method))) {
        complain(fault, "the request line is not: method, target, HTTP version");
        return;
    }
    head->method = method;
    parse_version(head, line, fault);
    if (!fault->refusal)
        parse_target(head, target, fault);
}

// --- fields ---

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    text[len] = '\0';
    return text;
}

static void note_single(const char *value[SINGLES], const struct http_field *field,
                        struct http_fault *fault)
{
    for (size_t i = 0; i < SINGLES; i++) {
        if (strcasecmp(field->name, singles[i]) != 0)
            continue;
        if (value[i])
            complain(fault, "a header field that must be single comes twice");
        value[i] = field->value;
        return;
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (*list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, " \t,");
        if (item == len && strncasecmp(list, word, len) == 0)
            return true;
        list += item;
    }
    return false;
}

static void parse_field(struct http_head *head, char *line, const char *value[SINGLES],
                        struct http_fault *fault)
{
    char *colon = strchr(line, ':');

    if (line[0] == ' ' || line[0] == '\t') {
        complain(fault, "a header field is folded over two lines");
    } else if (!colon || !http_is_token(line, (size_t)(colon - line))) {
        complain(fault, "a header field's name is malformed");
    } else if (head->field_count == HTTP_FIELDS_MAX) {
        refuse(fault, HTTP_REFUSAL_HEADER, NULL);
    } else {
        struct http_field *field = &head->fields[head->field_count++];
        *colon = '\0';
        *field = (struct http_field){ line, trim(colon + 1) };
        note_single(value, field, fault);
        if (strcasecmp(line, "connection") == 0 && has_word(field->value, "close"))
            head->wants_close = true;
    }
}

// A length is digits only and fits in 63 bits; so no two programs read it differently.
static bool parse_length(uint64_t *out, const char *text)
{
    uint64_t length = 0;
    size_t i;

    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 19; i++)
        length = length * 10 + (uint64_t)(text[i] - '0');
    if (i == 0 || text[i] != '\0' || length > INT64_MAX)
        return false;
    *out = length;
    return true;
}

static void judge_framing(struct http_head *head, const char *const value[SINGLES],
                          struct http_fault *fault)
{
    const char *encoding = value[ENCODING], *length = value[LENGTH];

    if (length && encoding)
        complain(fault, "Content-Length and Transfer-Encoding exclude each other");
    else if (encoding && head->minor == 0)
        complain(fault, "HTTP/1.0 has no Transfer-Encoding");
    else if (encoding && strcasecmp(encoding, "chunked") != 0)
        complain(fault, "the only Transfer-Encoding taken is chunked");
    else if (length && !parse_length(&head->content_length, length))
        complain(fault, "Content-Length is not a number");
    head->chunked = encoding != NULL;
    head->has_body = head->chunked || head->content_length > 0;
}

static void judge_fields(struct http_head *head, const char *const value[SINGLES],
                         struct http_fault *fault)
{
    if (!value[HOST] && head->minor > 0)
        complain(fault, "the Host field is missing");
    else if (value[HOST] && !http_is_authority(value[HOST], strlen(value[HOST])))
        complain(fault, "the Host field is malformed");
    else
        judge_framing(head, value, fault);

    bool expects = value[EXPECT] && head->minor > 0;
    head->expects_continue = expects && strcasecmp(value[EXPECT], "100-continue") == 0;
    if (!fault->refusal && expects && !head->expects_continue)
        refuse(fault, HTTP_REFUSAL_EXPECT, NULL);
    head->content_type = value[TYPE];
    head->content_encoding = value[CODING];
}

void http_head_parse(struct http_head *head, char *text, struct http_fault *fault)
{
    const char *value[SINGLES] = { NULL };

    head->method = head->target = "";
    head->field_count = 0;
    head->content_length = 0;
    head->has_body = head->chunked = head->expects_continue = false;
    if (strncmp(text, "\r\n", 2) == 0)
        text += 2;
    parse_request_line(head, cut_line(&text), fault);
    head->wants_close = head->minor == 0;
    for (char *line = cut_line(&text); *line && !fault->refusal; line = cut_line(&text))
        parse_field(head, line, value, fault);
    if (!fault->refusal)
        judge_fields(head, value, fault);
}

const char *http_head_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

bool http_media_type_is(const char *content_type, const char *wanted)
{
    size_t len = strcspn(content_type, ";");

    while (len > 0 && (content_type[len - 1] == ' ' || content_type[len - 1] == '\t'))
        len--;
    return len == strlen(wanted) && strncasecmp(content_type, wanted, len) == 0;
}
