#include "log.h"
#include "producer.h"
#include "reactor.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct producer_settings set = { 0 };
    struct producer *producer = NULL;
    struct err err = { 0 };

    log_init("smsq-producer");
    stop_install();  // must come before any library starts a thread

    enum outcome rc = settings_load(&set, &producer_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &producer_settings_source, argc, argv };
    if (!rc)
        rc = producer_open(&producer, &set, &err);
    if (!rc)
        rc = producer_run(producer, &err);

    producer_close(producer);
    settings_free(&set, &producer_settings_source);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "program_failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
