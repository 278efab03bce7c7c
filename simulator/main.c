// smsq-twilio-simulator: Twilio's Messages API on one machine, without SMS and money.
#include "log.h"
#include "reactor.h"
#include "settings.h"
#include "sim_settings.h"
#include "simulator.h"

#include <stdlib.h>

int main(int argc, char *argv[])
{
    struct sim_settings set = { 0 };
    struct simulator *sim = NULL;
    struct err err = { 0 };

    log_init("smsq-twilio-simulator");
    stop_install();

    enum outcome rc = settings_load(&set, &sim_settings_source, argc, argv, &err);
    set.service.origin =
        (struct settings_origin){ &set, &sim_settings_source, argc, argv };
    if (!rc)
        rc = simulator_open(&sim, &set, &err);
    if (!rc)
        rc = simulator_run(sim, &err);

    if (rc)
        log_line(LOG_LEVEL_ERROR, "simulator_failed", LOG_T("reason", err.text));
    simulator_close(sim);
    settings_free(&set, &sim_settings_source);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
