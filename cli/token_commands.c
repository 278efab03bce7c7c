// smsq token: who may ask the API for what.
#include "buf.h"
#include "command.h"
#include "terminal.h"
#include "tokens.h"

#include <stdio.h>
#include <string.h>

enum {
    SCOPES_MAX = 8,
    CLIENT_NAME_MAX_BYTES = 64,
    EXPIRES_DAYS_MAX = 36500,
    RATE_MAX = 1000000,
    LINE_MAX_BYTES = 4096,
};

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
    buf_add_text(&line, "}");
    terminal_print(stdout, buf_text(&line), line.len);
    putchar('\n');
    buf_free(&line);
}

static void print_row(const struct token_info *info)
{
    printf("%-12s  ", info->key_id);
    terminal_colour(stdout,
                    strcmp(info->state, "active") == 0 ? TERMINAL_GREEN : TERMINAL_PLAIN,
                    info->state);
    printf("%*s  %-8s  %-8s  %-20s  ", (int)(8 - strlen(info->state)), "", info->mode,
           info->rate_per_minute[0] ? info->rate_per_minute : "default",
           info->expires_at[0] ? info->expires_at : "never");
    terminal_print(stdout, info->client, strlen(info->client));
    printf("  %s\n", info->scopes);
}

// Writes what tokens_create tells into a buf, behind the token itself.
static void on_created(void *arg, const struct token_info *info)
{
    add_info(arg, info);
}

static int create(const struct call *call, const struct token_order *order)
{
    const struct command_settings *set = call->set;
    char token[TOKEN_TEXT_BYTES];
    struct buf members = BUF_INIT(LINE_MAX_BYTES);
    struct keys keys;
    struct err err = { 0 };

    if (!command_has_database(set) || !command_open_keys(&keys, set, false))
        return EXIT_SETTINGS;
    enum outcome rc =
        tokens_create(token, order, &keys, set->database_url, on_created, &members, &err);
    keys_close(&keys);
    if (!rc && call_has(call, "json"))
        printf("{\"token\":\"%s\",%s}\n", token, buf_text(&members));
    else if (!rc)
        printf("%s\n", token);
    buf_free(&members);
    if (rc)
        return command_failed(rc, &err);
    command_says("this token is shown once; it is stored as a hash only");
    return EXIT_OK;
}

int command_token_create(const struct call *call)
{
    const char *scopes[SCOPES_MAX], *mode = call_text(call, "mode");
    struct token_order order = { .client = call_text(call, "client"),
                                 .scopes = scopes,
                                 .rate_per_minute = -1 };
    struct err err = { 0 };

    order.scope_count = call_texts(call, "scope", scopes, SCOPES_MAX);
    if (!order.client || !order.client[0] || strlen(order.client) > CLIENT_NAME_MAX_BYTES)
        return command_usage(call, "--client NAME is wanted, 1 to %d bytes",
                             CLIENT_NAME_MAX_BYTES);
    if (order.scope_count == 0)
        return command_usage(call, "at least one --scope is wanted");
    mode = mode ? mode : "live";
    if (!account_mode_find(&order.mode, mode, strlen(mode)))
        return command_usage(call, "--mode wants simulate, listed or live");
    if (call_number(&order.rate_per_minute, call, "rate", 0, RATE_MAX, &err) ||
        call_number(&order.expires_days, call, "expires-days", 1, EXPIRES_DAYS_MAX, &err))
        return command_usage(call, "%s", err.text);
    return create(call, &order);
}

static void on_listed(void *arg, const struct token_info *info)
{
    const bool *as_json = arg;

    if (*as_json)
        print_json(info);
    else
        print_row(info);
}

int command_token_list(const struct call *call)
{
    static const struct token_info head = { .key_id = "ID",
                                            .state = "STATE",
                                            .mode = "MODE",
                                            .rate_per_minute = "RATE",
                                            .expires_at = "EXPIRES",
                                            .client = "CLIENT",
                                            .scopes = "SCOPES" };
    bool as_json = call_has(call, "json");
    struct err err = { 0 };

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    if (!as_json)
        print_row(&head);
    enum outcome rc = tokens_list(call_text(call, "client"), call_has(call, "all"),
                                  call->set->database_url, on_listed, &as_json, &err);
    return rc ? command_failed(rc, &err) : EXIT_OK;
}

struct revoking {
    bool as_json, found;
};

static void on_revoked(void *arg, const struct token_info *info)
{
    struct revoking *r = arg;

    r->found = true;
    if (r->as_json) {
        print_json(info);
        return;
    }
    printf("token %s of ", info->key_id);
    terminal_print(stdout, info->client, strlen(info->client));
    printf(" is revoked since %s\n", info->revoked_at);
}

int command_token_revoke(const struct call *call)
{
    const char *id = call->positionals[0];
    struct revoking revoking = { .as_json = call_has(call, "json") };
    struct token_name name;
    struct err err = { 0 };

    if (!command_has_database(call->set))
        return EXIT_SETTINGS;
    if (token_parse(&name, id, strlen(id)))  // the whole token
        id = name.key_id;
    enum outcome rc =
        tokens_revoke(id, call->set->database_url, on_revoked, &revoking, &err);
    if (rc)
        return command_failed(rc, &err);
    if (revoking.found)
        return EXIT_OK;
    command_says("there is no token with this id; smsq token list --all shows them");
    return EXIT_NOT_FOUND;
}
