// settings_parts.h: what the files of settings share; nobody else includes it.
#ifndef SETTINGS_PARTS_H
#define SETTINGS_PARTS_H

#include "settings.h"

struct buf;

enum { SETTINGS_NAME_MAX = 128, SETTINGS_VALUE_MAX = 65536 };

// What was given for one row so far; a later source replaces it.
struct settings_given {
    const struct setting *row;
    char *text;   // NULL: nothing was given
    char *place;  // "smsq.cfg:12", "SMSQ_KAFKA_BROKERS", "--kafka.brokers", "default"
};

// One loading in hand.
struct settings_loading {
    const struct settings_source *source;
    struct settings_given *given;
    size_t count;
    char *file;  // NULL without one
    bool check_only, print;
};

// setting_kind is the row's kind alone; setting_is_text: of a text, secret or not.
static inline enum setting_kind setting_kind(const struct setting *row)
{
    return (enum setting_kind)(row->kind & ~SETTING_LIVE);
}

static inline bool setting_is_text(const struct setting *row)
{
    return setting_kind(row) == SETTING_TEXT || setting_kind(row) == SETTING_SECRET;
}

// settings_replace notes copies of text and place.
void settings_replace(struct settings_given *given, const char *text, const char *place);

// settings_give notes text for all rows of that name; false when there is none.
MUST_CHECK bool settings_give(struct settings_loading *l, const char *name, size_t len,
                              const char *text, const char *place);

// settings_has_group tells whether a row's name begins with the group and a dot.
bool settings_has_group(const struct settings_source *source, const char *group,
                        size_t len);

// settings_is_foreign: a group that another program reads. settings_is_known_group: a
// group that some program of ours reads.
bool settings_is_foreign(const struct settings_source *source, const char *group,
                         size_t len);
bool settings_is_known_group(const char *group, size_t len);

// settings_refuse_name says that a name is unknown and which valid one is near.
enum outcome settings_refuse_name(const struct settings_source *source, const char *name,
                                  const char *place, struct err *err);
enum outcome settings_refuse_group(const struct settings_source *source,
                                   const char *group, const char *place, struct err *err);

// settings_distance counts the letters to change, insert, drop or swap to get from one
// name to the other; names beyond SETTINGS_NAME_MAX are infinitely far.
size_t settings_distance(const char *a, size_t a_len, const char *b, size_t b_len);

// settings_read_file gives what the libconfig file at l->file says.
MUST_CHECK enum outcome settings_read_file(struct settings_loading *l, struct err *err);

// settings_read_environment gives what SMSQ_…, aliases and …_FILE say.
MUST_CHECK enum outcome settings_read_environment(struct settings_loading *l,
                                                  struct err *err);

// settings_environment_name appends SMSQ_KAFKA_BROKERS for kafka.brokers.
void settings_environment_name(struct buf *out, const char *name);

// settings_store checks the text and writes it to the row's field. The complaint never
// shows a text or a secret, only numbers and durations.
MUST_CHECK enum outcome settings_store(void *set, const struct setting *row,
                                       const char *text, const char *place,
                                       struct err *err);

// settings_add_range appends what may be given: "1 to 20", "100ms to 10m".
void settings_add_range(struct buf *out, const struct setting *row);

// settings_add_field appends what the row's field of set holds, as a user writes it;
// (not set), and *** for a secret.
void settings_add_field(struct buf *out, const struct setting *row, const void *set);

// settings_print_help and settings_print_values write to standard output.
void settings_print_help(const struct settings_source *source);
void settings_print_values(const struct settings_loading *l);

#endif
