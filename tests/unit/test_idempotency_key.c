// Idempotency-Key: how it is written, and what makes two requests the same.
#include "idempotency_key.h"

#include "json.h"
#include "keys.h"
#include "send_request.h"
#include "test.h"

#include <string.h>

#define X16  "0123456789abcdef"
#define X240 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X255 X240 "0123456789abcde"

static const struct {
    const char *value, *key;  // NULL: refused
} values[] = {
    { "a", "a" },
    { "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324" },
    { "\"8e03978e-40d5\"", "8e03978e-40d5" },
    { "!~", "!~" },
    { X255, X255 },
    { "\"" X255 "\"", X255 },
    { "\"a\\\"b\\\\c\"", "a\"b\\c" },
    { "a\\b", "a\\b" },
    { "a\"b\"", "a\"b\"" },
    { "", NULL },
    { "\"\"", NULL },
    { "\"", NULL },
    { "\"a", NULL },
    { "\"a\"b", NULL },
    { "\"a\";p=1", NULL },
    { "\"a\\", NULL },
    { "\"a\\x\"", NULL },
    { "a b", NULL },
    { "\"a b\"", NULL },
    { "a\tb", NULL },
    { "a\x7f", NULL },
    { "caf\xc3\xa9", NULL },
    { X255 "f", NULL },
    { "\"" X255 "f\"", NULL },
};

static void a_key_is_visible_ascii_with_or_without_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char key[IDEMPOTENCY_KEY_MAX_BYTES + 1];

        print_message("%s\n", values[i].value);
        assert_int_equal(idempotency_key_read(key, values[i].value),
                         values[i].key != NULL);
        if (values[i].key)
            assert_string_equal(key, values[i].key);
    }
}

static struct keys open_keys(void)
{
    const struct keys_settings set = {
        .lookup = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        .seal = "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    };
    struct keys keys = { 0 };
    struct err err = { 0 };

    assert_int_equal(keys_open(&keys, &set, &err), OUTCOME_OK);
    return keys;
}

static struct key_claim hash_in(enum account_mode mode, int32_t client, const char *key,
                                const char *json)
{
    struct keys keys = open_keys();
    struct json_reader *reader = json_reader_new();
    struct send_request request;
    struct complaint complaint;
    struct key_claim claim = { 0 };

    print_message("%s\n", json);
    assert_int_equal(send_request_parse(&request, reader, "US", json, strlen(json),
                                        &complaint),
                     OUTCOME_OK);
    request.mode = mode;
    idempotency_key_hash(&claim, &keys, client, key, &request);
    send_request_free(&request);
    json_reader_free(reader);
    keys_close(&keys);
    return claim;
}

static struct key_claim hash(int32_t client, const char *key, const char *json)
{
    return hash_in(ACCOUNT_SIMULATE, client, key, json);
}

#define TO_HI "\"to\":\"+14155552671\",\"body\":\"Hi\""

static void what_means_the_same_is_the_same_request(void **state)
{
    static const char *const bodies[] = {
        "{\"body\":\"H\\u0069\", \"to\":\"(415) 555-2671\"}",
        "{" TO_HI ",\"class\":\"transactional\"}",
        "{" TO_HI ",\"from\":null,\"expires_in\":null,\"strict\":false}",
        "{" TO_HI ",\"strict\":true,\"region\":\"DE\"}",
        "{" TO_HI ",\"idempotency_key\":\"k\"}",
    };
    const struct key_claim first = hash(7, "k", "{" TO_HI "}");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        const struct key_claim repeat = hash(7, "k", bodies[i]);
        assert_memory_equal(repeat.key_hash, first.key_hash, KEY_HASH_BYTES);
        assert_memory_equal(repeat.request_hash, first.request_hash, KEY_HASH_BYTES);
    }
}

static void what_decides_the_message_makes_another_request(void **state)
{
    static const char *const bodies[] = {
        "{" TO_HI "}",
        "{\"to\":\"+14155552672\",\"body\":\"Hi\"}",
        "{\"to\":\"+14155552671\",\"body\":\"Hi \"}",
        "{\"to\":\"+14155552671\",\"body\":\"Hi\\nfrom 4 ACME\"}",
        "{" TO_HI ",\"from\":\"ACME\"}",
        "{" TO_HI ",\"class\":\"otp\"}",
        "{" TO_HI ",\"reference\":\"7\"}",
        "{" TO_HI ",\"reference\":\"8\"}",
        "{" TO_HI ",\"expires_in\":60}",
        "{" TO_HI ",\"expires_in\":61}",
        "{" TO_HI ",\"if_in_doubt\":\"send_again\"}",
    };
    struct key_claim claims[COUNT_OF(bodies)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        claims[i] = hash(7, "k", bodies[i]);
        assert_memory_equal(claims[i].key_hash, claims[0].key_hash, KEY_HASH_BYTES);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(claims[i].request_hash, claims[j].request_hash,
                                    KEY_HASH_BYTES);
    }
}

static void another_mode_makes_another_request(void **state)
{
    struct key_claim claims[3];
    const enum account_mode modes[] = { ACCOUNT_SIMULATE, ACCOUNT_LISTED, ACCOUNT_LIVE };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++)
        claims[i] = hash_in(modes[i], 7, "k", "{" TO_HI "}");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        const size_t next = (i + 1) % COUNT_OF(modes);
        assert_memory_equal(claims[i].key_hash, claims[next].key_hash, KEY_HASH_BYTES);
        assert_memory_not_equal(claims[i].request_hash, claims[next].request_hash,
                                KEY_HASH_BYTES);
    }
}

static void a_key_belongs_to_its_client(void **state)
{
    const struct key_claim ours = hash(7, "1k", "{" TO_HI "}");
    const struct key_claim theirs = hash(8, "1k", "{" TO_HI "}");
    const struct key_claim other = hash(71, "k", "{" TO_HI "}");

    (void)state;
    assert_int_equal(ours.client, 7);
    assert_memory_not_equal(ours.key_hash, theirs.key_hash, KEY_HASH_BYTES);
    assert_memory_not_equal(ours.key_hash, other.key_hash, KEY_HASH_BYTES);
}

// Keys stand in the table for days: the hashes must outlive a new version. Reckoned with
// Python's hmac: HKDF-SHA-256 of the lookup key, info "smsq idempotency".
static void the_hashes_are_these_for_ever(void **state)
{
    const struct key_claim claim = hash(7, "k", "{" TO_HI ",\"expires_in\":60}");
    char key[2 * KEY_HASH_BYTES + 1], request[2 * KEY_HASH_BYTES + 1];

    (void)state;
    hex_encode(key, claim.key_hash, KEY_HASH_BYTES);
    hex_encode(request, claim.request_hash, KEY_HASH_BYTES);
    assert_string_equal(key, "42c7cbf1c1b058eaf8d4bb063bb265e7");
    assert_string_equal(request, "590d0734d9d0075cecc905d6785bdfe2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_visible_ascii_with_or_without_quotes),
        cmocka_unit_test(what_means_the_same_is_the_same_request),
        cmocka_unit_test(what_decides_the_message_makes_another_request),
        cmocka_unit_test(another_mode_makes_another_request),
        cmocka_unit_test(a_key_belongs_to_its_client),
        cmocka_unit_test(the_hashes_are_these_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
