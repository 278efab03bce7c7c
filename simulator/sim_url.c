#include "sim_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Twilio's own, in "Webhook connection overrides".
static const int64_t total_max_ms = 15000, connect_ms = 5000, connect_max_ms = 10000;

static const char *past_scheme(struct sim_text url)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (url.len > len && strncasecmp(url.bytes, schemes[i], len) == 0)
            return url.bytes + len;
    }
    return NULL;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == ':' || c == '[' || c == ']';
}

bool sim_url_is_callback(struct sim_text url)
{
    const char *host = past_scheme(url);
    const char *end = url.bytes + url.len;

    if (!host || url.len > SIM_MESSAGE_CALLBACK_MAX_BYTES)
        return false;
    for (const char *at = host; at < end; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7F || *at == '"' || *at == '<' ||
            *at == '>')
            return false;

    const char *host_end = host;
    while (host_end < end && !strchr("/?#", *host_end))
        host_end++;
    for (const char *at = host; at < host_end; at++)
        if (*at == '@')
            host = at + 1;  // user and password stand in front
    for (const char *at = host; at < host_end; at++)
        if (!is_host_char(*at))
            return false;
    return host < host_end && *host != ':';
}

size_t sim_url_sent_len(const char *url)
{
    return strcspn(url, "#");
}

// Finds name=value among pairs joined by '&'.
static struct sim_text find_pair(struct sim_text pairs, const char *name)
{
    size_t name_len = strlen(name);
    const char *end = pairs.bytes + pairs.len;

    for (const char *at = pairs.bytes; at < end;) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        if (!next)
            next = end;
        if ((size_t)(next - at) > name_len && at[name_len] == '=' &&
            memcmp(at, name, name_len) == 0)
            return (struct sim_text){ at + name_len + 1,
                                      (size_t)(next - at) - name_len - 1 };
        at = next + 1;
    }
    return (struct sim_text){ 0 };
}

struct sim_text sim_url_query(const char *url, const char *name)
{
    size_t sent_len = sim_url_sent_len(url);
    const char *mark = memchr(url, '?', sent_len);

    if (!mark)
        return (struct sim_text){ 0 };
    mark++;
    return find_pair((struct sim_text){ mark, sent_len - (size_t)(mark - url) }, name);
}

static int64_t read_int(struct sim_text text, int64_t min, int64_t max, int64_t fallback)
{
    int64_t value = 0;

    if (text.len == 0 || text.len > 6)
        return fallback;
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return fallback;
        value = value * 10 + (text.bytes[i] - '0');
    }
    return value >= min && value <= max ? value : fallback;
}

static unsigned read_kind(const char *word, size_t len)
{
    static const struct {
        const char *word;
        unsigned kind;
    } kinds[] = {
        { "4xx", SIM_URL_RETRY_4XX },    { "5xx", SIM_URL_RETRY_5XX },
        { "ct", SIM_URL_RETRY_CONNECT }, { "rt", SIM_URL_RETRY_READ },
        { "all", SIM_URL_RETRY_ALL },
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strlen(kinds[i].word) == len && memcmp(kinds[i].word, word, len) == 0)
            return kinds[i].kind;
    return 0;
}

static unsigned read_kinds(struct sim_text list)
{
    unsigned kinds = 0;
    const char *end = list.bytes + list.len;

    for (const char *at = list.bytes; at < end;) {
        const char *next = memchr(at, ',', (size_t)(end - at));
        if (!next)
            next = end;
        kinds |= read_kind(at, (size_t)(next - at));
        at = next + 1;
    }
    return kinds ? kinds : SIM_URL_RETRY_CONNECT;
}

struct sim_url_overrides sim_url_read_overrides(const char *url)
{
    struct sim_url_overrides o = { 1, SIM_URL_RETRY_CONNECT, total_max_ms * 1000,
                                   connect_ms * 1000, total_max_ms * 1000 };
    const char *fragment = url + sim_url_sent_len(url);

    if (!*fragment)
        return o;
    fragment++;
    struct sim_text pairs = { fragment, strlen(fragment) };
    o.retries = (int)read_int(find_pair(pairs, "rc"), 0, 5, 1);
    o.kinds = read_kinds(find_pair(pairs, "rp"));
    o.total_us = read_int(find_pair(pairs, "tt"), 100, total_max_ms, total_max_ms) * 1000;
    o.connect_us =
        read_int(find_pair(pairs, "ct"), 100, connect_max_ms, connect_ms) * 1000;
    o.read_us = read_int(find_pair(pairs, "rt"), 100, total_max_ms, total_max_ms) * 1000;
    return o;
}

bool sim_url_may_try_again(const struct sim_url_overrides *o, int tries, unsigned failure,
                           int64_t elapsed_us)
{
    return tries <= o->retries && (failure & o->kinds) && elapsed_us <= o->total_us;
}

int64_t sim_url_left_us(const struct sim_url_overrides *o, int64_t elapsed_us)
{
    int64_t left_us = o->total_us - elapsed_us;
    return left_us > 1000 ? left_us : 1000;
}
