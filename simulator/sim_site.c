#include "sim_site.h"
#include "http_server.h"
#include "sim_site_files.h"

enum { STATUS_REDIRECT = 308 };

// The page loads nothing from elsewhere, and what people write cannot become a script.
static const struct http_header headers[] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
      "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cache-Control", "no-cache" },
    { 0 },
};

static void send_file(struct http_request *req, const char *type,
                      const unsigned char *bytes, size_t len)
{
    http_answer(req, 200, type, (const char *)bytes, len, headers);
}

void sim_site_redirect(void *arg, struct http_request *req)
{
    static const struct http_header location[] = { { "Location", "/_sim/" }, { 0 } };

    (void)arg;
    http_answer(req, STATUS_REDIRECT, NULL, NULL, 0, location);
}

void sim_site_html(void *arg, struct http_request *req)
{
    (void)arg;
    send_file(req, "text/html; charset=utf-8", sim_site_index_html,
              sim_site_index_html_len);
}

void sim_site_css(void *arg, struct http_request *req)
{
    (void)arg;
    send_file(req, "text/css; charset=utf-8", sim_site_page_css, sim_site_page_css_len);
}

void sim_site_js(void *arg, struct http_request *req)
{
    (void)arg;
    send_file(req, "text/javascript; charset=utf-8", sim_site_page_js,
              sim_site_page_js_len);
}
