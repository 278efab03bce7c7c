// list_site.h: Twilio's Messages resource of a test, read only: lists by To and DateSent,
// in pages, newest first, and fetches, from a table that the test fills.
#ifndef LIST_SITE_H
#define LIST_SITE_H

#include "base.h"

struct list_site;
struct metrics;
struct provider;
struct reactor;

struct listed {
    const char *sid, *to, *from, *body, *status;
    const char *price;   // "-0.00830", or NULL
    int64_t created_us;  // wall clock
    int error_code;
    int segments;
};

struct list_site *list_site_open(struct reactor *r);
void list_site_close(struct list_site *site);

// list_site_provider opens what asks it, with the simulator's account there and none of
// Twilio's, four questions at a time; rate is borrowed. provider_close ends it.
struct provider *list_site_provider(const struct list_site *site, struct reactor *r,
                                    const int64_t *rate, struct metrics *metrics);

// list_site_put adds a message, or takes the place of the one with its SID (of the
// first thousand); texts are borrowed. list_site_status: from now on every answer has
// this status (0 = by the table), and Retry-After when above 0.
void list_site_put(struct list_site *site, const struct listed *one);
void list_site_clear(struct list_site *site);

// list_site_endless: from now on every page leads to another one.
void list_site_endless(struct list_site *site);
void list_site_status(struct list_site *site, int status, int retry_after_s);

size_t list_site_lists(const struct list_site *site);
size_t list_site_fetches(const struct list_site *site);

#endif
