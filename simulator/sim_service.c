#include "sim_service.h"

#include <stdlib.h>
#include <string.h>

static void hook_free(struct sim_hook *hook)
{
    free(hook->url);
    free(hook->fallback_url);
}

void sim_sender_free(struct sim_sender *sender)
{
    hook_free(&sender->sms);
    free(sender->status_callback);
    free(sender);
}

void sim_service_free(struct sim_service *service)
{
    hook_free(&service->inbound);
    free(service->status_callback);
    free(service->pool);
    free(service->pool_texts);
    free(service);
}

bool sim_service_add(struct sim_service *service, struct sim_sender *sender)
{
    if (sim_service_has(service, sender->sender))
        return false;
    size_t count = service->pool_count + 1;
    service->pool = xrealloc(service->pool, count * sizeof(*service->pool));
    service->pool_texts =
        xrealloc(service->pool_texts, count * sizeof(*service->pool_texts));
    service->pool_texts[service->pool_count] = sender->sender;
    service->pool[service->pool_count++] = sender;
    return true;
}

void sim_service_remove(struct sim_service *service, const struct sim_sender *sender)
{
    size_t left = 0;

    for (size_t i = 0; i < service->pool_count; i++) {
        if (service->pool[i] == sender)
            continue;
        service->pool[left] = service->pool[i];
        service->pool_texts[left++] = service->pool[i]->sender;
    }
    service->pool_count = left;
}

bool sim_service_has(const struct sim_service *service, const char *sender)
{
    for (size_t i = 0; i < service->pool_count; i++)
        if (strcmp(service->pool[i]->sender, sender) == 0)
            return true;
    return false;
}
