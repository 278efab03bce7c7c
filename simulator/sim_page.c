#include "sim_page.h"
#include "buf.h"
#include "http_server.h"

#include <string.h>

// Reads a plain decimal of up to nine digits; false for anything else.
static bool read_count(const char *text, size_t *out)
{
    size_t value = 0;

    if (!*text || strlen(text) > 9)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (size_t)(*text - '0');
    }
    *out = value;
    return true;
}

static const char *given(const struct http_request *req, const char *name)
{
    const char *value = http_request_query(req, name);
    return value && value[0] ? value : NULL;
}

enum outcome sim_page_read(struct sim_page *page, const struct http_request *req,
                           const char *path, struct sim_error *error)
{
    const char *size = given(req, "PageSize"), *number = given(req, "Page");
    const char *bad = NULL;

    *page = (struct sim_page){ .page_size = SIM_PAGE_SIZE, .path = path };
    if (size && (!read_count(size, &page->page_size) || page->page_size == 0))
        bad = size;
    else if (number && !read_count(number, &page->page))
        bad = number;
    if (bad)
        return sim_error_code(error, 20001, (struct sim_text){ bad, strlen(bad) });
    if (page->page_size > SIM_PAGE_SIZE_MAX)
        return sim_error_code(error, 20007, (struct sim_text){ size, strlen(size) });
    return OUTCOME_OK;
}

const char *sim_page_filter(struct sim_page *page, const struct http_request *req,
                            const char *name)
{
    const char *value = given(req, name);

    if (value && page->filter_count < SIM_PAGE_FILTERS_MAX) {
        page->filters[page->filter_count].name = name;
        page->filters[page->filter_count++].value = value;
    }
    return value;
}

size_t sim_page_first(const struct sim_page *page, size_t count)
{
    size_t first = page->page * page->page_size;
    return first < count ? first : count;
}

size_t sim_page_end(const struct sim_page *page, size_t count)
{
    size_t first = sim_page_first(page, count);
    return count - first < page->page_size ? count : first + page->page_size;
}

bool sim_page_takes(struct buf *out, const struct sim_page *page, size_t i)
{
    size_t first = page->page * page->page_size;

    if (i < first || i - first >= page->page_size)
        return false;
    if (i > first)
        buf_add_char(out, ',');
    return true;
}

void sim_page_address(struct buf *out, const struct sim_page *page, size_t number)
{
    buf_add_text(out, page->path);
    buf_add_char(out, '?');
    for (size_t i = 0; i < page->filter_count; i++) {
        const char *name = page->filters[i].name, *value = page->filters[i].value;
        buf_add_url_escaped(out, name, strlen(name));
        buf_add_char(out, '=');
        buf_add_url_escaped(out, value, strlen(value));
        buf_add_char(out, '&');
    }
    buf_addf(out, "PageSize=%zu&Page=%zu", page->page_size, number);
}

// Appends "name":"address", or null when there is no such page.
static void add_address(struct buf *out, const struct sim_page *page, const char *host,
                        const char *name, bool is_there, size_t number)
{
    buf_addf(out, ",\"%s\":", name);
    if (!is_there) {
        buf_add_text(out, "null");
        return;
    }
    buf_addf(out, "\"%s", host);
    sim_page_address(out, page, number);
    buf_add_char(out, '"');
}

void sim_page_close(struct buf *out, const struct sim_page *page, size_t count)
{
    size_t first = sim_page_first(page, count), end = sim_page_end(page, count);

    buf_addf(out, ",\"page\":%zu,\"page_size\":%zu,\"start\":%zu,\"end\":%zu", page->page,
             page->page_size, first < end ? first : 0, first < end ? end - 1 : 0);
    add_address(out, page, "", "uri", true, page->page);
    add_address(out, page, "", "first_page_uri", true, 0);
    add_address(out, page, "", "next_page_uri", end < count, page->page + 1);
    add_address(out, page, "", "previous_page_uri", page->page > 0, page->page - 1);
}

void sim_page_close_v1(struct buf *out, const struct sim_page *page, size_t count,
                       const char *host, const char *key)
{
    size_t end = sim_page_end(page, count);

    buf_addf(out, ",\"meta\":{\"page\":%zu,\"page_size\":%zu,\"key\":\"%s\"", page->page,
             page->page_size, key);
    add_address(out, page, host, "url", true, page->page);
    add_address(out, page, host, "first_page_url", true, 0);
    add_address(out, page, host, "next_page_url", end < count, page->page + 1);
    add_address(out, page, host, "previous_page_url", page->page > 0, page->page - 1);
    buf_add_char(out, '}');
}
