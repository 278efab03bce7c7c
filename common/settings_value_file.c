// Files that hold one value: NAME_FILE, and the credentials that systemd hands over.
#include "settings_parts.h"

#include "buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PATH_TEXT_MAX = 4096 };

static bool is_below(const char *path, const char *folder)
{
    const size_t len = folder ? strlen(folder) : 0;

    return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/';
}

// Container runtimes mount secrets that everybody in the container may read, and systemd
// guards the folder of credentials: there, the mode of the file says nothing.
static bool is_guarded_otherwise(int fd, const char *path)
{
    struct statvfs fs;

    return is_below(path, getenv("CREDENTIALS_DIRECTORY")) ||
           is_below(path, "/run/secrets") || is_below(path, "/var/run/secrets") ||
           (fstatvfs(fd, &fs) == 0 && fs.f_flag & ST_RDONLY);
}

// A file of root's may be open to the group as which the program runs (PostgreSQL has the
// same rule for its keys).
bool settings_is_private(const struct stat *st)
{
    const bool of_root_only = st->st_uid == 0 && geteuid() != 0;

    return (st->st_mode & (of_root_only ? S_IRWXO : S_IRWXO | S_IRWXG)) == 0;
}

static enum outcome check_file(int fd, const char *what, const char *path,
                               const struct setting *row, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return err_set(err, OUTCOME_REJECT, "%s names %s, which is not a file", what,
                       path);
    if (st.st_size > SETTINGS_VALUE_MAX)
        return err_set(err, OUTCOME_REJECT, "%s names %s, which is larger than %d bytes",
                       what, path, SETTINGS_VALUE_MAX);
    if (setting_is_secret(row) && !settings_is_private(&st) &&
        !is_guarded_otherwise(fd, path))
        return err_set(err, OUTCOME_REJECT,
                       "%s names %s, which other users can read: run chmod 600 %s", what,
                       path, path);
    return OUTCOME_OK;
}

static void drop_newline(struct buf *value)
{
    if (value->len > 0 && value->bytes[value->len - 1] == '\n')
        value->bytes[--value->len] = '\0';
    if (value->len > 0 && value->bytes[value->len - 1] == '\r')
        value->bytes[--value->len] = '\0';
}

static enum outcome read_all(struct buf *out, int fd, const char *what, const char *path,
                             struct err *err)
{
    char part[4096];
    ssize_t got;

    while ((got = read(fd, part, sizeof(part))) > 0)
        buf_add(out, part, (size_t)got);
    explicit_bzero(part, sizeof(part));
    if (got < 0)
        return err_set(err, OUTCOME_REJECT, "%s: cannot read %s: %s", what, path,
                       strerror(errno));
    if (out->failed || strlen(buf_text(out)) != out->len)
        return err_set(err, OUTCOME_REJECT, "%s names %s, which is not a text", what,
                       path);
    drop_newline(out);
    return OUTCOME_OK;
}

static enum outcome read_value(struct buf *out, const char *what, const char *path,
                               const struct setting *row, struct err *err)
{
    // A named pipe without a writer must not stop the program for ever.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, OUTCOME_REJECT, "%s: cannot read %s: %s", what, path,
                       strerror(errno));
    enum outcome rc = check_file(fd, what, path, row, err);
    if (!rc)
        rc = read_all(out, fd, what, path, err);
    close(fd);
    return rc;
}

void settings_take_file(struct settings_loading *l, const char *setting,
                        const char *place, const char *path)
{
    const struct setting *row = settings_find(l->source, setting, strlen(setting));
    struct buf value = BUF_INIT(SETTINGS_VALUE_MAX);
    struct err err = { 0 };

    if (read_value(&value, place, path, row, &err))
        settings_problem(&l->notes, &err);
    else if (value.len > 0)
        settings_give(l, setting, strlen(setting), buf_text(&value), place);
    else if (setting_kind(row) != SETTING_PROPERTIES)
        settings_warn(&l->notes, "%s names %s, which is empty: %s is not set by it",
                      place, path, setting);
    settings_wipe(&value);
}

static void take_credential(struct settings_loading *l, const char *folder,
                            const char *name)
{
    struct buf path = BUF_INIT(PATH_TEXT_MAX);
    struct err err = { 0 };

    buf_addf(&path, "%s/%s", folder, name);
    if (settings_find(l->source, name, strlen(name))) {
        settings_take_file(l, name, "CREDENTIALS_DIRECTORY", buf_text(&path));
    } else if (settings_is_meant_for(l->source, name, strcspn(name, "."))) {
        settings_refuse_name(l->source, name, buf_text(&path), &err);
        settings_problem(&l->notes, &err);
    }
    buf_free(&path);
}

void settings_read_credentials(struct settings_loading *l)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    DIR *dir = folder && folder[0] ? opendir(folder) : NULL;
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strchr(entry->d_name, '.') && entry->d_name[0] != '.')
            take_credential(l, folder, entry->d_name);
    closedir(dir);
}
