#include "idempotency_key.h"

#include "buf.h"
#include "keys.h"
#include "mac.h"
#include "send_request.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST_MAX_BYTES = 32768 };

bool idempotency_key_is_valid(const char *key, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (key[i] < '!' || key[i] > '~')
            return false;
    return len > 0 && len <= IDEMPOTENCY_KEY_MAX_BYTES;
}

// Takes the quotes off; value stands behind the first one.
static bool unquote(char *key, const char *value)
{
    size_t len = 0;

    for (; *value && *value != '"'; value++) {
        if (*value == '\\' && *++value != '"' && *value != '\\')
            return false;
        if (len == IDEMPOTENCY_KEY_MAX_BYTES)
            return false;
        key[len++] = *value;
    }
    key[len] = '\0';
    return value[0] == '"' && value[1] == '\0' && idempotency_key_is_valid(key, len);
}

bool idempotency_key_read(char key[IDEMPOTENCY_KEY_MAX_BYTES + 1], const char *value)
{
    size_t len = strlen(value);

    if (value[0] == '"')
        return unquote(key, value + 1);
    if (!idempotency_key_is_valid(value, len))
        return false;
    memcpy(key, value, len + 1);
    return true;
}

static void add_part(struct buf *out, const char *name, const char *value)
{
    if (value)
        buf_addf(out, "%s %zu %s\n", name, strlen(value), value);
}

static void hash(struct mac *mac, const struct buf *input,
                 unsigned char out[KEY_HASH_BYTES])
{
    unsigned char full[MAC_BYTES];

    mac_sign(mac, input->bytes, input->len, full);
    memcpy(out, full, KEY_HASH_BYTES);
}

void idempotency_key_hash(struct key_claim *out, const struct keys *keys, int32_t client,
                          const char *key, const struct send_request *request)
{
    struct buf input = BUF_INIT(REQUEST_MAX_BYTES);
    char seconds[24] = "", send_at[24] = "";

    buf_addf(&input, "key %d %s", client, key);
    hash(keys->idempotency, &input, out->key_hash);
    buf_clear(&input);
    if (request->expires_in_s)
        (void)snprintf(seconds, sizeof(seconds), "%lld",
                       (long long)request->expires_in_s);
    if (request->send_at)
        (void)snprintf(send_at, sizeof(send_at), "%lld", (long long)request->send_at);
    buf_add_text(&input, "POST /sms/send\n");
    // What was only simulated must not stand for what shall really go out.
    add_part(&input, "mode", account_mode_name(request->mode));
    add_part(&input, "to", request->to.e164);
    add_part(&input, "body", request->body);
    add_part(&input, "from", request->from);
    add_part(&input, "class", request->message_class);
    add_part(&input, "reference", request->reference);
    add_part(&input, "expires_in", seconds[0] ? seconds : NULL);
    add_part(&input, "send_at", send_at[0] ? send_at : NULL);
    add_part(&input, "if_in_doubt", request->resend_in_doubt ? "send_again" : NULL);
    hash(keys->idempotency, &input, out->request_hash);
    buf_free(&input);
    out->client = client;
}
