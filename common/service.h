// service.h: the life of a long-running program: reactor, metrics, admin port, readiness,
// and a stop in two stages.
#ifndef SERVICE_H
#define SERVICE_H

#include "base.h"
#include "settings_reload.h"

struct buf;
struct http_request;
struct metrics;
struct reactor;
struct readiness;
struct service;
struct settings_part;

struct service_settings {
    char *admin_address;            // <group>.admin_address
    int64_t admin_port;             // <group>.admin_port
    char *log_level;                // log.level
    int64_t stop_deadline_us;       // stop.deadline
    bool hide_memory;               // process.hide_memory
    struct settings_origin origin;  // main fills it, for SIGHUP; all zero: no reload
};

#define SERVICE_SETTINGS(group, base, port)                                              \
    { group ".admin_address",                                                            \
      SETTING_TEXT,                                                                      \
      (base) + offsetof(struct service_settings, admin_address),                         \
      "127.0.0.1",                                                                       \
      1,                                                                                 \
      64,                                                                                \
      NULL,                                                                              \
      "address of the health and metrics port" },                                        \
        { group ".admin_port",                                                           \
          SETTING_PORT,                                                                  \
          (base) + offsetof(struct service_settings, admin_port),                        \
          port,                                                                          \
          0,                                                                             \
          65535,                                                                         \
          NULL,                                                                          \
          "port of /healthz, /readyz and /metrics; 0 = any free one" },                  \
        { "log.level",                                                                   \
          SETTING_TEXT | SETTING_LIVE,                                                   \
          (base) + offsetof(struct service_settings, log_level),                         \
          "info",                                                                        \
          4,                                                                             \
          5,                                                                             \
          NULL,                                                                          \
          "error, warn, info or debug" },                                                \
        { "process.hide_memory",                                                         \
          SETTING_BOOL,                                                                  \
          (base) + offsetof(struct service_settings, hide_memory),                       \
          "yes",                                                                         \
          0,                                                                             \
          1,                                                                             \
          NULL,                                                                          \
          "no core dumps, no debugger but root's: memory holds secrets" },               \
    {                                                                                    \
        "stop.deadline", SETTING_US,                                                     \
            (base) + offsetof(struct service_settings, stop_deadline_us), "25s", 100000, \
            600000000, NULL, "how long a stop may take before the program gives up"      \
    }

struct service_hooks {
    const char *name;  // "smsq-worker"
    // Take no new work; finish what is in hand. Runs at the first SIGTERM or SIGINT.
    void (*stop)(void *arg);
    // True once nothing is in hand any more; asked every 20 ms after stop.
    bool (*is_drained)(void *arg);
    // Adds every part that the work needs, those that are missing with the reason.
    void (*ready)(void *arg, struct readiness *parts);
    void *arg;
};

// service_settings_part refuses a log.level that is none.
extern const struct settings_part service_settings_part;

// service_open keeps set: its log level is read again at SIGHUP.
MUST_CHECK enum outcome service_open(struct service **out,
                                     const struct service_settings *set,
                                     const struct service_hooks *hooks, struct err *err);
void service_close(struct service *s);

struct reactor *service_reactor(struct service *s);
struct metrics *service_metrics(struct service *s);

// service_on_change lets changed(arg) run, from the loop, after a SIGHUP took over a new
// value of the setting of that name (a row with SETTING_LIVE). name is kept.
void service_on_change(struct service *s, const char *name, void (*changed)(void *arg),
                       void *arg);

// service_say_left: say writes what is still in hand, for the last log line of a stop
// that was cut short.
void service_say_left(struct service *s, void (*say)(void *arg, struct buf *to),
                      void *arg);

// service_healthz and service_readyz answer as the admin port does; for a main port.
void service_healthz(struct service *s, struct http_request *req);
void service_readyz(struct service *s, struct http_request *req);

// service_run logs process_up, tells systemd, turns the loop until drained.
//   OUTCOME_FATAL  the stop took longer than stop.deadline, or a second signal came.
MUST_CHECK enum outcome service_run(struct service *s, struct err *err);

// service_fail stops the loop at once; service_run returns OUTCOME_FATAL with the text.
void service_fail(struct service *s, const char *reason);

#endif
