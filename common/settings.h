// settings.h: one table per program feeds loading, checking, --help and the reference
// page. Order of precedence: flag --name=value, environment, environment file, systemd
// credential, settings file (libconfig), default.
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base.h"

enum setting_kind {
    SETTING_TEXT,    // char *, owned by the struct; min..max is its length in bytes
    SETTING_SECRET,  // like TEXT, never printed
    SETTING_COUNT,   // int64_t
    SETTING_US,      // int64_t microseconds; written "500ms", "3s", "10m", "24h"
    SETTING_BOOL,    // bool; true/false, yes/no, on/off, 1/0
    SETTING_PORT,    // int64_t 0..65535; 0 = any free port
    // char * "key=value;key=value" (properties.h), never shown. In the file a group of
    // its own, kafka.properties.sasl_password, where '_' stands for '.'; each key may
    // come from another source.
    SETTING_PROPERTIES,
};

// Or'ed to the kind: a running program takes a new value over at SIGHUP
// (settings_reload.h). Whoever reads the field at each use needs nothing more; whoever
// copied or worked on the value asks service_on_change to be told.
enum { SETTING_LIVE = 64 };

struct settings_notes;

// One row. A NULL fallback makes the key required, except for texts with min 0, which
// are NULL when not given.
struct setting {
    const char *name;      // "kafka.brokers": group and key, in lower case
    int kind;              // an enum setting_kind, perhaps with SETTING_LIVE
    size_t offset;         // of the field in the program's settings struct
    const char *fallback;  // default, in the form a user writes
    int64_t min, max;      // inclusive; microseconds for SETTING_US
    const char *alias;     // another environment name: "TWILIO_AUTH_TOKEN", or NULL
    const char *help;      // one sentence, lower case, without a full stop
};

// Each key has the environment name SMSQ_ + name in capitals with '_' for '.'; the alias
// is read when that is not set; an empty variable is like none. A file is named by
// --config=FILE or SMSQ_CONFIG. Groups of other programs in it are skipped, an unknown
// key or group of ours is refused (the list of groups is in settings_names.c).
// NAME_FILE in the environment names a file that holds the value of any NAME
// (secrets); the newline at its end is dropped. --env-file=FILE or SMSQ_ENV_FILE names a
// file of NAME=value lines, below the environment.
// What belongs to one part of several programs' settings, as kafka_settings_part.
struct settings_part {
    // What no single row can tell: kinds of keys, what belongs together. REJECT names
    // the setting first. Runs at loading and reloading; may be NULL.
    enum outcome (*check)(const void *part, struct err *err);
    // What is allowed and yet unwise, by settings_warn; may be NULL.
    void (*review)(const void *part, struct settings_notes *notes);
};

struct settings_place {
    const struct settings_part *part;
    size_t at;  // of its struct in the program's
};

struct settings_source {
    const char *program;                  // "smsq-worker", for --help
    const char *what;                     // one sentence for --help
    const struct setting *const *tables;  // NULL-ended list of tables, each {0}-ended
    size_t size;                          // of the settings struct; 0: no reload
    const struct settings_place *parts;   // {0}-ended; NULL = none
    enum outcome (*check)(const void *set, struct err *err);  // as a part's, of them all
};

// settings_load fills set (zeroed before) from argv, environment, file and defaults.
// An optional text (min 0, no fallback) that is given empty is NULL too.
//   OUTCOME_REJECT  bad or unknown keys; err names the first one, its place, and the
//                   nearest valid name, never a secret; set is free of texts.
// With --help it prints the table and ends the process with 0; with --version likewise.
// --check-config loads, prints every error and warning; without an error it prints "ok"
// and ends the process with 0. --print-config prints a settings file with every value and
// its origin, without secrets.
MUST_CHECK enum outcome settings_load(void *set, const struct settings_source *source,
                                      int argc, char *argv[], struct err *err);

// settings_free frees the texts.
void settings_free(void *set, const struct settings_source *source);

// settings_parse_us reads a duration as users write it: a whole number and us, ms, s, m,
// h or d; 0 needs no unit.
MUST_CHECK bool settings_parse_us(const char *text, int64_t *out);

// settings_warn notes something for --check-config and for the log of a service.
void settings_warn(struct settings_notes *notes, const char *fmt, ...) PRINTF_LIKE(2, 3);

// settings_distance counts the letters to change, insert, drop or swap to get from one
// name to the other; names beyond SETTINGS_NAME_MAX are infinitely far.
enum { SETTINGS_NAME_MAX = 128 };
size_t settings_distance(const char *a, size_t a_len, const char *b, size_t b_len);

// settings_find returns the row of that name, or the one with properties of which it
// names a key, or NULL.
const struct setting *settings_find(const struct settings_source *source,
                                    const char *name, size_t len);

#endif
