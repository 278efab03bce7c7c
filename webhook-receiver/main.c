#include "log.h"
#include "reactor.h"
#include "receiver.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct receiver_settings set = { 0 };
    struct receiver *receiver = NULL;
    struct err err = { 0 };

    log_init("smsq-webhook-receiver");
    stop_install();  // must come before any library starts a thread

    enum outcome rc = settings_load(&set, &receiver_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &receiver_settings_source, argc, argv };
    if (!rc)
        rc = receiver_open(&receiver, &set, &err);
    if (!rc)
        rc = receiver_run(receiver, &err);

    receiver_close(receiver);
    settings_free(&set, &receiver_settings_source);
    if (rc)
        log_line(LOG_LEVEL_ERROR, "program_failed", LOG_T("reason", err.text));
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
