// smsq token: who may ask the API for what.
#include "buf.h"
#include "command.h"
#include "scope.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCOPES_MAX = 8,
    CLIENT_NAME_MAX_BYTES = 64,
    EXPIRES_DAYS_MAX = 36500,
    RATE_MAX = 1000000,
    LINE_MAX_BYTES = 4096,
};

// Needs keys.lookup only: the hash of a token hangs on it.
static bool open_keys(struct keys *keys, const struct command_settings *set)
{
    static char no_seal[] =
        "1:"
        "0000000000000000000000000000000000000000000000000000000000000000";
    const struct keys_settings wanted = { set->lookup_key, no_seal };
    struct err err = { 0 };

    if (!set->lookup_key || !set->lookup_key[0]) {
        fputs("smsq: keys.lookup is missing: the same one that the producer has\n",
              stderr);
        return false;
    }
    if (!keys_open(keys, &wanted, &err))
        return true;
    fprintf(stderr, "smsq: %s\n", err.text);
    return false;
}

static void add_member(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, ",\"%s\":", name);
    if (text[0])
        buf_add_json_string(out, text, strlen(text));
    else
        buf_add_text(out, "null");
}

static void add_scopes(struct buf *out, const char *words)
{
    buf_add_text(out, ",\"scopes\":[");
    for (size_t len; (len = strcspn(words, " ")) > 0;) {
        buf_addf(out, "\"%.*s\"", (int)len, words);
        words += len + strspn(words + len, " ");
        buf_add_text(out, *words ? "," : "");
    }
    buf_add_char(out, ']');
}

// Appends the members of a token's object, the first without a comma in front.
static void add_info(struct buf *out, const struct token_info *info)
{
    buf_addf(out, "\"id\":\"%s\"", info->key_id);
    add_member(out, "client", info->client);
    add_member(out, "mode", info->mode);
    add_scopes(out, info->scopes);
    buf_addf(out, ",\"rate_per_minute\":%s",
             info->rate_per_minute[0] ? info->rate_per_minute : "null");
    add_member(out, "state", info->state);
    add_member(out, "created_at", info->created_at);
    add_member(out, "expires_at", info->expires_at);
    add_member(out, "revoked_at", info->revoked_at);
    add_member(out, "last_used_at", info->last_used_at);
}

static void print_json(const struct token_info *info)
{
    struct buf line = BUF_INIT(LINE_MAX_BYTES);

    buf_add_char(&line, '{');
    add_info(&line, info);
    printf("%s}\n", buf_text(&line));
    buf_free(&line);
}

static void print_row(const struct token_info *info)
{
    printf("%-12s  %-8s  %-8s  %-8s  %-20s  %-20s  %s\n", info->key_id, info->state,
           info->mode, info->rate_per_minute[0] ? info->rate_per_minute : "default",
           info->expires_at[0] ? info->expires_at : "never", info->client, info->scopes);
}

// Writes what tokens_create tells into a buf, behind the token itself.
static void on_created(void *arg, const struct token_info *info)
{
    add_info(arg, info);
}

static int create(const struct command_settings *set, const struct token_order *order,
                  bool as_json)
{
    char token[TOKEN_TEXT_BYTES];
    struct buf members = BUF_INIT(LINE_MAX_BYTES);
    struct keys keys;
    struct err err = { 0 };

    if (!command_has_database(set) || !open_keys(&keys, set))
        return EXIT_SETTINGS;
    enum outcome rc =
        tokens_create(token, order, &keys, set->database_url, on_created, &members, &err);
    keys_close(&keys);
    if (!rc && as_json)
        printf("{\"token\":\"%s\",%s}\n", token, buf_text(&members));
    else if (!rc)
        printf("%s\n", token);
    buf_free(&members);
    if (rc)
        return command_failed(rc, &err);
    fputs("this token is shown once; it is stored as a hash only\n", stderr);
    return EXIT_OK;
}

// Reads a whole number from min to max; false for anything else.
static bool read_number(int64_t *out, const char *text, int64_t min, int64_t max)
{
    size_t len = strlen(text);

    if (len == 0 || len > 9 || strspn(text, "0123456789") != len)
        return false;
    *out = strtoll(text, NULL, 10);
    return *out >= min && *out <= max;
}

// Returns EXIT_OK when the order makes sense.
static int check_order(const struct command *self, const struct token_order *order)
{
    if (!order->client || !order->client[0] ||
        strlen(order->client) > CLIENT_NAME_MAX_BYTES)
        return command_usage(self, "--client NAME is wanted, 1 to 64 bytes");
    if (order->scope_count == 0)
        return command_usage(self, "at least one --scope is wanted");
    for (size_t i = 0; i < order->scope_count; i++)
        if (!scope_find(order->scopes[i], strlen(order->scopes[i])))
            return command_usage(self,
                                 "\"%s\" is no scope: send_sms, view_sms_history, "
                                 "view_dashboard or admin",
                                 order->scopes[i]);
    return EXIT_OK;
}

int command_token_create(const struct command *self, const struct command_settings *set,
                         int argc, char *argv[])
{
    const char *days = NULL, *rate = NULL, *mode = "live", *json = NULL;
    const char *scopes[SCOPES_MAX];
    struct token_order order = { .scopes = scopes, .rate_per_minute = -1 };
    const struct command_option options[] = {
        { .name = "client", .value = &order.client },
        { .name = "scope",
          .values = scopes,
          .values_max = SCOPES_MAX,
          .value_count = &order.scope_count },
        { .name = "mode", .value = &mode },
        { .name = "rate", .value = &rate },
        { .name = "expires-days", .value = &days },
        { .name = "json", .is_flag = true, .value = &json },
        { 0 },
    };
    struct err err = { 0 };

    if (command_options(argc, argv, options, NULL, 0, &err))
        return command_usage(self, "%s", err.text);
    int code = check_order(self, &order);
    if (code)
        return code;
    if (!account_mode_find(&order.mode, mode, strlen(mode)))
        return command_usage(self, "--mode wants simulate, listed or live");
    if (rate && !read_number(&order.rate_per_minute, rate, 0, RATE_MAX))
        return command_usage(self, "--rate wants 0 to %d requests per minute", RATE_MAX);
    if (days && !read_number(&order.expires_days, days, 1, EXPIRES_DAYS_MAX))
        return command_usage(self, "--expires-days wants 1 to %d", EXPIRES_DAYS_MAX);
    return create(set, &order, json != NULL);
}

static void on_listed(void *arg, const struct token_info *info)
{
    const bool *as_json = arg;

    if (*as_json)
        print_json(info);
    else
        print_row(info);
}

int command_token_list(const struct command *self, const struct command_settings *set,
                       int argc, char *argv[])
{
    const char *client = NULL, *all = NULL, *json = NULL;
    const struct command_option options[] = {
        { .name = "client", .value = &client },
        { .name = "all", .is_flag = true, .value = &all },
        { .name = "json", .is_flag = true, .value = &json },
        { 0 },
    };
    struct err err = { 0 };

    if (command_options(argc, argv, options, NULL, 0, &err))
        return command_usage(self, "%s", err.text);
    if (!command_has_database(set))
        return EXIT_SETTINGS;
    bool as_json = json != NULL;
    if (!as_json)
        print_row(&(struct token_info){ .key_id = "ID",
                                        .state = "STATE",
                                        .mode = "MODE",
                                        .rate_per_minute = "RATE",
                                        .expires_at = "EXPIRES",
                                        .client = "CLIENT",
                                        .scopes = "SCOPES" });
    enum outcome rc =
        tokens_list(client, all != NULL, set->database_url, on_listed, &as_json, &err);
    return rc ? command_failed(rc, &err) : EXIT_OK;
}

struct revoking {
    bool as_json, found;
};

static void on_revoked(void *arg, const struct token_info *info)
{
    struct revoking *r = arg;

    r->found = true;
    if (r->as_json)
        print_json(info);
    else
        printf("token %s of %s is revoked since %s\n", info->key_id, info->client,
               info->revoked_at);
}

int command_token_revoke(const struct command *self, const struct command_settings *set,
                         int argc, char *argv[])
{
    const char *id = NULL, *json = NULL;
    const struct command_option options[] = {
        { .name = "json", .is_flag = true, .value = &json }, { 0 }
    };
    struct token_name name;
    struct err err = { 0 };

    if (command_options(argc, argv, options, &id, 1, &err))
        return command_usage(self, "%s", err.text);
    if (!id)
        return command_usage(self,
                             "the id of a token is wanted; smsq token list shows it");
    if (!command_has_database(set))
        return EXIT_SETTINGS;
    if (token_parse(&name, id, strlen(id)))  // the whole token
        id = name.key_id;
    struct revoking revoking = { .as_json = json != NULL };
    enum outcome rc = tokens_revoke(id, set->database_url, on_revoked, &revoking, &err);
    if (rc)
        return command_failed(rc, &err);
    if (revoking.found)
        return EXIT_OK;
    fputs("smsq: there is no token with this id; smsq token list --all shows them\n",
          stderr);
    return EXIT_NOT_FOUND;
}
