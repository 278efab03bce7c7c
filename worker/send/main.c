#include "log.h"
#include "reactor.h"
#include "worker.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct worker_settings set = { 0 };
    struct worker *worker = NULL;
    struct err err = { 0 };

    log_init("smsq-worker");
    stop_install();  // must come before any library starts a thread

    enum outcome rc = settings_load(&set, &worker_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &worker_settings_source, argc, argv };
    if (!rc)
        rc = worker_open(&worker, &set, &err);
    if (!rc)
        rc = worker_run(worker, &err);  // returns after SIGTERM, drained

    worker_close(worker);
    settings_free(&set, &worker_settings_source);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "program_failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
