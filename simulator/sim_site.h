// sim_site.h: the live page at /_sim/: the phones, what each received, and a box to
// answer as that person. The page itself is simulator/page; it reads the paths of
// sim_admin.h.
#ifndef SIM_SITE_H
#define SIM_SITE_H

struct http_request;

// Each answers one path; arg is not used.
void sim_site_redirect(void *arg, struct http_request *req);  // to /_sim/
void sim_site_html(void *arg, struct http_request *req);
void sim_site_css(void *arg, struct http_request *req);
void sim_site_js(void *arg, struct http_request *req);

#endif
