#include "keys.h"

#include "buf.h"
#include "kdf.h"
#include "seal.h"
#include "test.h"

#include <string.h>

#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER64 "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"

// Texts of a settings struct are char *; the tests never write through them.
#define T(text) ((char *)(uintptr_t)(text))

static const int64_t november = INT64_C(1795000000) * 1000000;  // 2026-11-18

static void a_derived_key_is_hkdf_sha_256(void **state)
{
    (void)state;
    // Expected: RFC 5869 extract (salt of 32 zero bytes) and expand, done by hand with
    // Python's hmac module.
    unsigned char master[32], out[32];
    char hex[65];

    assert_true(hex_decode(master, 32, HEX64, 64));
    kdf_derive(master, "smsq test", 9, out);
    hex_encode(hex, out, 32);
    assert_string_equal(
        hex, "ffd7cc3c2a30e72751e28f2b838a619aa194a0943dc75a0220aab5d1229ac7ae");
}

static struct keys open_keys(const char *lookup, const char *seal)
{
    struct keys k;
    struct err err = { 0 };
    struct keys_settings set = { T(lookup), T(seal) };
    assert_int_equal(keys_open(&k, &set, &err), OUTCOME_OK);
    return k;
}

static void malformed_keys_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *lookup, *seal, *complaint;
    } refused[] = {
        { "xyz", "1:" HEX64, "keys.lookup is not 64 hex digits" },
        { HEX64, HEX64, "keys.seal: a sealing key begins with 1 to 255 and ':'" },
        { HEX64, "0:" HEX64, "keys.seal: a sealing key begins with 1 to 255 and ':'" },
        { HEX64, "256:" HEX64, "keys.seal: a sealing key begins with 1 to 255 and ':'" },
        { HEX64, "1:abcd", "keys.seal: sealing key 1 is not 64 hex digits" },
        { HEX64, "1:" HEX64 ",",
          "keys.seal: a sealing key begins with 1 to 255 and ':'" },
        { HEX64, "1:" HEX64 ",1:" HEX64, "keys.seal: sealing key 1 is given twice" },
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct keys k;
        struct err err = { 0 };
        struct keys_settings set = { T(refused[i].lookup), T(refused[i].seal) };
        assert_int_equal(keys_open(&k, &set, &err), OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
    }
}

static void a_recipient_has_one_hash_per_installation(void **state)
{
    (void)state;
    struct keys a = open_keys(HEX64, "1:" HEX64), b = open_keys(OTHER64, "1:" HEX64);
    unsigned char x[TO_HASH_BYTES], y[TO_HASH_BYTES];

    keys_to_hash(&a, "+41791234567", x);
    keys_to_hash(&a, "+41791234567", y);
    assert_memory_equal(x, y, sizeof(x));
    keys_to_hash(&a, "+41791234568", y);
    assert_memory_not_equal(x, y, sizeof(x));
    keys_to_hash(&b, "+41791234567", y);
    assert_memory_not_equal(x, y, sizeof(x));
    keys_close(&a);
    keys_close(&b);
}

static void a_callback_tag_binds_id_and_turn(void **state)
{
    (void)state;
    struct keys k = open_keys(HEX64, "1:" HEX64);
    const unsigned char id[16] = "0123456789abcde", other[16] = "0123456789abcdf";
    char tag[CALLBACK_TAG_TEXT_BYTES];

    keys_callback_tag(&k, id, 3, tag);
    assert_int_equal(strlen(tag), 16);
    assert_true(keys_callback_tag_is(&k, id, 3, tag));
    assert_false(keys_callback_tag_is(&k, id, 4, tag));
    assert_false(keys_callback_tag_is(&k, other, 3, tag));
    assert_false(keys_callback_tag_is(&k, id, 3, ""));
    tag[15] ^= 1;
    assert_false(keys_callback_tag_is(&k, id, 3, tag));
    keys_close(&k);
}

static void sealed_text_opens_only_unchanged_and_for_its_aad(void **state)
{
    (void)state;
    struct keys k = open_keys(HEX64, "1:" HEX64);
    struct buf sealed = BUF_INIT(1000), plain = BUF_INIT(1000);
    struct err err = { 0 };

    seal_close(k.seal, november, "aad", 3, "hello", 5, &sealed);
    assert_int_equal(sealed.len, 5 + SEAL_OVERHEAD_BYTES);
    assert_int_equal(seal_open(k.seal, "aad", 3, sealed.bytes, sealed.len, &plain, &err),
                     OUTCOME_OK);
    assert_string_equal(plain.bytes, "hello");
    assert_int_equal(seal_open(k.seal, "aae", 3, sealed.bytes, sealed.len, &plain, &err),
                     OUTCOME_REJECT);
    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.bytes[bit / 8] ^= (char)(1 << bit % 8);
        buf_clear(&plain);
        assert_int_equal(seal_open(k.seal, "aad", 3, sealed.bytes, sealed.len, &plain,
                                   &err),
                         OUTCOME_REJECT);
        assert_int_equal(plain.len, 0);
        sealed.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_int_equal(seal_open(k.seal, "aad", 3, sealed.bytes, len, &plain, &err),
                         OUTCOME_REJECT);
    buf_free(&sealed);
    buf_free(&plain);
    keys_close(&k);
}

static void the_last_key_seals_and_all_open(void **state)
{
    (void)state;
    struct keys old = open_keys(HEX64, "1:" HEX64);
    struct keys both = open_keys(HEX64, "1:" HEX64 ",2:" OTHER64);
    struct keys new_only = open_keys(HEX64, "2:" OTHER64);
    struct buf a = BUF_INIT(100), b = BUF_INIT(100), plain = BUF_INIT(100);
    struct err err = { 0 };

    seal_close(old.seal, november, "", 0, "x", 1, &a);
    seal_close(both.seal, november, "", 0, "y", 1, &b);
    assert_int_equal(seal_open(both.seal, "", 0, a.bytes, a.len, &plain, &err), 0);
    assert_int_equal(seal_open(new_only.seal, "", 0, b.bytes, b.len, &plain, &err), 0);
    assert_string_equal(plain.bytes, "xy");
    assert_int_equal(seal_open(new_only.seal, "", 0, a.bytes, a.len, &plain, &err),
                     OUTCOME_REJECT);
    assert_string_equal(err.text, "sealed with key 1, which is not configured");
    buf_free(&a);
    buf_free(&b);
    buf_free(&plain);
    keys_close(&old);
    keys_close(&both);
    keys_close(&new_only);
}

static void months_beyond_the_cache_still_open(void **state)
{
    (void)state;
    struct keys k = open_keys(HEX64, "1:" HEX64);
    struct buf sealed[12], plain = BUF_INIT(100);
    struct err err = { 0 };
    const int64_t month_us = (int64_t)31 * 86400 * 1000000;

    for (int i = 0; i < 12; i++) {
        buf_init(&sealed[i], 100);
        seal_close(k.seal, november + i * month_us, "", 0, "z", 1, &sealed[i]);
    }
    for (int i = 0; i < 12; i++) {
        assert_int_equal(seal_open(k.seal, "", 0, sealed[i].bytes, sealed[i].len, &plain,
                                   &err),
                         OUTCOME_OK);
        buf_free(&sealed[i]);
    }
    assert_string_equal(plain.bytes, "zzzzzzzzzzzz");
    buf_free(&plain);
    keys_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_derived_key_is_hkdf_sha_256),
        cmocka_unit_test(malformed_keys_are_named),
        cmocka_unit_test(a_recipient_has_one_hash_per_installation),
        cmocka_unit_test(a_callback_tag_binds_id_and_turn),
        cmocka_unit_test(sealed_text_opens_only_unchanged_and_for_its_aad),
        cmocka_unit_test(the_last_key_seals_and_all_open),
        cmocka_unit_test(months_beyond_the_cache_still_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
