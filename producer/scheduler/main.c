#include "log.h"
#include "reactor.h"
#include "scheduler.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct scheduler_settings set = { 0 };
    struct scheduler *scheduler = NULL;
    struct err err = { 0 };

    log_init("smsq-scheduler");
    stop_install();  // must come before any library starts a thread

    enum outcome rc = settings_load(&set, &scheduler_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &scheduler_settings_source, argc, argv };
    if (!rc)
        rc = scheduler_open(&scheduler, &set, &err);
    if (!rc)
        rc = scheduler_run(scheduler, &err);

    scheduler_close(scheduler);
    settings_free(&set, &scheduler_settings_source);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "program_failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
