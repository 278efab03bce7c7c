#include "log.h"
#include "reactor.h"
#include "status_consumer.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct status_consumer_settings set = { 0 };
    struct status_consumer *consumer = NULL;
    struct err err = { 0 };

    log_init("smsq-status-consumer");
    stop_install();  // must come before any library starts a thread

    enum outcome rc =
        settings_load(&set, &status_consumer_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &status_consumer_settings_source, argc, argv };
    if (!rc)
        rc = status_consumer_open(&consumer, &set, &err);
    if (!rc)
        rc = status_consumer_run(consumer, &err);

    status_consumer_close(consumer);
    settings_free(&set, &status_consumer_settings_source);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "program_failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
