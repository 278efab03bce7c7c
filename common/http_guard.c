#include "http_guard.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Fields that mean something to us and must not come twice.
enum { HOST, LENGTH, ENCODING, TYPE, CODING, EXPECT, AUTHORIZATION, SINGLES };

static const struct {
    const char *name;
    size_t len;
} singles[SINGLES] = {
    [HOST] = { "host", 4 },
    [LENGTH] = { "content-length", 14 },
    [ENCODING] = { "transfer-encoding", 17 },
    [TYPE] = { "content-type", 12 },
    [CODING] = { "content-encoding", 16 },
    [EXPECT] = { "expect", 6 },
    [AUTHORIZATION] = { "authorization", 13 },
};

struct scan {
    const char *value[SINGLES];
    const char *complaint;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Takes one character of the target, escaped or not; -1 when it is malformed.
static int next_char(const char **at)
{
    unsigned char c = (unsigned char)**at;

    if (c <= ' ' || c >= 0x7f)
        return -1;
    if (c != '%') {
        (*at)++;
        return c;
    }
    int high = hex_digit((*at)[1]);
    int low = high < 0 ? -1 : hex_digit((*at)[2]);
    if (low < 0)
        return -1;
    *at += 3;
    return high << 4 | low;
}

// One segment of a path ended: "." and ".." would name another place.
static bool is_dots(const char *start, size_t len)
{
    return (len == 1 && start[0] == '.') || (len == 2 && memcmp(start, "..", 2) == 0);
}

// Checks the path up to '?' and moves *at behind it.
static const char *guard_path(const char **at)
{
    char segment[3];  // only its first bytes matter: is it "." or ".."
    size_t len = 0;

    while (**at && **at != '?') {
        int c = next_char(at);
        if (c < ' ' || c == 0x7f || c == '\\')
            return "the path has a character that is not allowed";
        if (c == '/') {
            if (is_dots(segment, len))
                return "the path has a dot segment";
            len = 0;
        } else if (len < sizeof(segment)) {
            segment[len++] = (char)c;
        }
    }
    return is_dots(segment, len) ? "the path has a dot segment" : NULL;
}

const char *http_guard_target(const char *target)
{
    if (target[0] != '/')
        return "the request target does not begin with a slash";

    const char *complaint = guard_path(&target);
    while (!complaint && *target)
        if (next_char(&target) <= 0)
            complaint = "the query has a character that is not allowed";
    return complaint;
}

static bool is_token(const char *text, size_t len)
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

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return true;
    return false;
}

static enum MHD_Result scan_field(void *arg, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct scan *scan = arg;

    (void)kind;
    if (!is_token(name, name_len))
        scan->complaint = "a header field's name is malformed";
    else if (!value || has_control(value, value_len))
        scan->complaint = "a header field has a control character";
    for (size_t i = 0; i < SINGLES && !scan->complaint; i++) {
        if (name_len != singles[i].len || strcasecmp(name, singles[i].name) != 0)
            continue;
        if (scan->value[i])
            scan->complaint = "a header field that must be single comes twice";
        scan->value[i] = value;
        break;
    }
    return scan->complaint ? MHD_NO : MHD_YES;
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

const char *http_guard_head(struct MHD_Connection *connection, const char *version,
                            struct http_head *head)
{
    struct scan scan = { { NULL }, NULL };

    *head = (struct http_head){ 0 };
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, scan_field, &scan);
    if (scan.complaint)
        return scan.complaint;
    if (!scan.value[HOST] && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return "the Host field is missing";
    if (scan.value[LENGTH] && scan.value[ENCODING])
        return "Content-Length and Transfer-Encoding exclude each other";
    if (scan.value[ENCODING] && strcasecmp(scan.value[ENCODING], "chunked") != 0)
        return "the only Transfer-Encoding taken is chunked";
    if (scan.value[LENGTH] && !parse_length(&head->content_length, scan.value[LENGTH]))
        return "Content-Length is not a number";

    head->chunked = scan.value[ENCODING] != NULL;
    head->has_body = head->chunked || head->content_length > 0;
    head->expects_continue = scan.value[EXPECT] != NULL;
    head->content_type = scan.value[TYPE];
    head->content_encoding = scan.value[CODING];
    return NULL;
}

bool http_media_type_is(const char *content_type, const char *wanted)
{
    size_t len = strcspn(content_type, ";");

    while (len > 0 && (content_type[len - 1] == ' ' || content_type[len - 1] == '\t'))
        len--;
    return len == strlen(wanted) && strncasecmp(content_type, wanted, len) == 0;
}
