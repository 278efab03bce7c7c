// settings_parts.h: what the files of settings share; nobody else includes it.
#ifndef SETTINGS_PARTS_H
#define SETTINGS_PARTS_H

#include "settings.h"

struct buf;
struct stat;

enum { SETTINGS_VALUE_MAX = 65536, SETTINGS_PLACE_MAX = 1024 };

// What was given for one row so far; a later source replaces it. Each key of a row with
// properties has one of its own, behind those of the rows.
struct settings_given {
    const struct setting *row;
    char *key;    // "sasl.password" of SETTING_PROPERTIES; NULL: the row itself
    char *text;   // NULL: nothing was given
    char *place;  // "smsq.cfg:12", "SMSQ_KAFKA_BROKERS", "--kafka.brokers", "default"
};

// One line of the environment file.
struct settings_variable {
    char *name, *value;
    unsigned line;
};

struct settings_variables {
    struct settings_variable *list;
    size_t count;
};

struct settings_note {
    bool is_problem;
    char *text;
};

struct settings_notes {
    struct settings_note *list;
    size_t count, problems;
};

// One loading in hand.
struct settings_loading {
    const struct settings_source *source;
    struct settings_given *given;
    size_t row_count, count;              // of rows, and with the keys of properties
    char *file, *env_file;                // NULL without one
    struct settings_variables variables;  // of the environment file
    struct settings_notes notes;
    bool check_only, print;
    bool file_is_public, env_file_is_public;  // other users can read it
};

// setting_kind is the row's kind alone; setting_is_text: its field is a
// char *; setting_is_secret: it is not shown.
static inline enum setting_kind setting_kind(const struct setting *row)
{
    return (enum setting_kind)(row->kind & ~SETTING_LIVE);
}

static inline bool setting_is_text(const struct setting *row)
{
    return setting_kind(row) == SETTING_TEXT || setting_kind(row) == SETTING_SECRET ||
           setting_kind(row) == SETTING_PROPERTIES;
}

static inline bool setting_is_secret(const struct setting *row)
{
    return setting_kind(row) == SETTING_SECRET || setting_kind(row) == SETTING_PROPERTIES;
}

// settings_replace notes copies of text and place.
void settings_replace(struct settings_given *given, const char *text, const char *place);

// settings_give notes text for the setting of that name, which there is.
void settings_give(struct settings_loading *l, const char *name, size_t len,
                   const char *text, const char *place);

// settings_wipe overwrites what may be a secret, and frees it.
void settings_wipe(struct buf *value);

// settings_problem and settings_warn (settings.h) note what is wrong or odd.
// settings_verdict returns REJECT with the first problem, when there is one.
void settings_problem(struct settings_notes *notes, const struct err *err);
MUST_CHECK enum outcome settings_verdict(const struct settings_notes *notes,
                                         struct err *err);
void settings_print_notes(const struct settings_notes *notes);
void settings_notes_free(struct settings_notes *notes);

// settings_check asks all parts of a source, then its own check.
MUST_CHECK enum outcome settings_check(const struct settings_source *source,
                                       const void *set, struct err *err);

// settings_gather fills set from all sources and runs the source's check. What is wrong
// is in l->notes. settings_gathered frees l.
void settings_gather(struct settings_loading *l, void *set,
                     const struct settings_source *source, int argc, char *argv[]);
void settings_gathered(struct settings_loading *l);

// settings_has_group tells whether a row's name begins with the group and a dot.
bool settings_has_group(const struct settings_source *source, const char *group,
                        size_t len);

// settings_is_secret tells whether the value must not be shown. name is the row's, or of
// one key of a row with properties ("kafka.properties.sasl.password", "sasl.password").
bool settings_is_secret(const struct setting *row, const char *name);

// settings_is_foreign: a group that another program reads. settings_is_known_group: a
// group that some program of ours reads.
bool settings_is_foreign(const struct settings_source *source, const char *group,
                         size_t len);
bool settings_is_known_group(const char *group, size_t len);

// settings_is_meant_for: a group of which every key must be a row of ours.
bool settings_is_meant_for(const struct settings_source *source, const char *group,
                           size_t len);

// settings_property_row returns the row with properties that SMSQ_KAFKA_PROPERTIES_… is
// for, or NULL.
const struct setting *settings_property_row(const struct settings_source *source,
                                            const char *variable, size_t len);

// A name that the guides print, and why no program takes it.
struct settings_known {
    const char *name, *what;
};

// settings_known_at returns NULL behind the last one.
const struct settings_known *settings_known_at(size_t i);

// settings_review_name warns of a variable that has no effect though somebody may have
// meant one. settings_is_of_tools: an SMSQ_… variable of ./dev and the tests.
void settings_review_name(struct settings_loading *l, const char *name,
                          const char *place);
bool settings_is_of_tools(const char *name);

// settings_refuse_name says that a name is unknown and which valid one is near.
enum outcome settings_refuse_name(const struct settings_source *source, const char *name,
                                  const char *place, struct err *err);
enum outcome settings_refuse_group(const struct settings_source *source,
                                   const char *group, const char *place, struct err *err);

// The sources give what they say, and note what is wrong. settings_read_flags: only what
// names files and what to do, or the settings, too. settings_read_file: the
// libconfig file at l->file. settings_read_credentials: $CREDENTIALS_DIRECTORY/<setting>.
// settings_read_variables: those of the environment file or of the environment.
void settings_read_flags(struct settings_loading *l, int argc, char *argv[],
                         bool settings);
void settings_read_file(struct settings_loading *l);
void settings_read_credentials(struct settings_loading *l);
void settings_read_variables(struct settings_loading *l, bool of_file);

// settings_read_env_file fills l->variables from the file at l->env_file.
MUST_CHECK enum outcome settings_read_env_file(struct settings_loading *l,
                                               struct err *err);

// settings_parse_variables reads the text of an environment file, and appends; file is
// for complaints. settings_variable_find returns the last of that name, or NULL.
MUST_CHECK enum outcome settings_parse_variables(struct settings_variables *out,
                                                 const char *text, const char *file,
                                                 struct err *err);
const struct settings_variable *settings_variable_find(
    const struct settings_variables *variables, const char *name);
void settings_variables_free(struct settings_variables *variables);

// settings_take_file gives the one value that the file holds; the newline at its end is
// dropped, an empty file is as if it was not there. place says in complaints who names
// the file. A problem: no file, too large, not a text, a secret that other users can
// read.
void settings_take_file(struct settings_loading *l, const char *setting,
                        const char *place, const char *path);

// settings_is_private: nobody but the owner (or root's own group) may read it.
bool settings_is_private(const struct stat *st);

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
