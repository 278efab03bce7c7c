#include "http_target.h"

#include "buf.h"

#include <string.h>

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

    if (c <= ' ' || c >= 0x7f || c == '#')
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
static const char *check_path(const char **at)
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

const char *http_target_check(const char *target)
{
    if (target[0] != '/')
        return "the request target does not begin with a slash";

    const char *complaint = check_path(&target);
    while (!complaint && *target)
        if (next_char(&target) <= 0)
            complaint = "the query has a character that is not allowed";
    return complaint;
}

bool http_target_path(const char *target, struct buf *path)
{
    size_t begin = path->len;

    while (*target && *target != '?') {
        size_t plain = strcspn(target, "%?");
        buf_add(path, target, plain);
        target += plain;
        if (*target == '%')
            buf_add_char(path, (char)next_char(&target));
    }
    const char *text = buf_text(path) + begin;
    return utf8_is_valid(text, path->len - begin);
}

const char *http_target_query(const char *target)
{
    const char *mark = strchr(target, '?');
    return mark ? mark + 1 : "";
}

bool http_is_authority(const char *text, size_t len)
{
    static const char others[] = "-._~!$&'()*+,;=:[]%";

    for (size_t i = 0; i < len; i++) {
        char lower = (char)(text[i] | 0x20);
        if ((lower < 'a' || lower > 'z') && (text[i] < '0' || text[i] > '9') &&
            (text[i] == '\0' || !strchr(others, text[i])))
            return false;
    }
    return true;
}
