#include "message_id.h"

#include "mac.h"
#include "test.h"

#include <string.h>

static struct mac *tags;  // of this group

static void an_id_is_a_uuid_of_version_7_and_tells_its_moment(void **state)
{
    (void)state;
    unsigned char id[16];
    message_id_new(id, 1795000000123, 7, tags);

    assert_int_equal(id[6] >> 4, 7);
    assert_int_equal(id[8] >> 6, 2);
    assert_int_equal(message_id_ms(id), 1795000000123);
}

static void an_id_belongs_to_its_client_only(void **state)
{
    (void)state;
    const unsigned char other_key[MAC_KEY_BYTES] = { 1 };
    struct mac *other = mac_new(other_key);
    unsigned char id[16];
    message_id_new(id, 1795000000123, 7, tags);

    assert_true(message_id_is_of(id, 7, tags));
    assert_false(message_id_is_of(id, 8, tags));
    assert_false(message_id_is_of(id, 7, other));
    mac_free(other);
    for (size_t bit = 0; bit < 128; bit++) {
        id[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(message_id_is_of(id, 7, tags));
        id[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void two_ids_of_one_moment_differ(void **state)
{
    (void)state;
    unsigned char a[16], b[16];
    message_id_new(a, 1, 7, tags);
    message_id_new(b, 1, 7, tags);
    assert_memory_not_equal(a, b, 16);
}

static void text_and_bytes_are_the_same_id(void **state)
{
    (void)state;
    const char *text = "01a0f1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
    unsigned char id[16];
    char back[MESSAGE_ID_TEXT_BYTES];

    assert_true(message_id_parse(id, text, strlen(text)));
    message_id_format(back, id);
    assert_string_equal(back, text);
    assert_true(message_id_parse(id, "01A0F1B2-C3D4-7E5F-8A6B-7C8D9E0F1A2B", 36));
    message_id_format(back, id);
    assert_string_equal(back, text);
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "01a0f1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2",    // short
        "01a0f1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2bb",  // long
        "01a0f1b2c3d47e5f8a6b7c8d9e0f1a2b",       // no hyphens
        "01a0f1b2-c3d4-4e5f-8a6b-7c8d9e0f1a2b",   // version 4
        "01a0f1b2-c3d4-7e5f-ca6b-7c8d9e0f1a2b",   // another variant
        "01a0f1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2g",   // no digit
        "01a0f1b2-c3d47-e5f-8a6b-7c8d9e0f1a2b",   // hyphen moved
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        unsigned char id[16] = { 42 };
        print_message("%s\n", refused[i]);
        assert_false(message_id_parse(id, refused[i], strlen(refused[i])));
        assert_int_equal(id[0], 42);
    }
}

static int make_tags(void **state)
{
    (void)state;
    tags = mac_new((const unsigned char *)"a key of thirty-two bytes exact");
    return 0;
}

static int free_tags(void **state)
{
    (void)state;
    mac_free(tags);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_a_uuid_of_version_7_and_tells_its_moment),
        cmocka_unit_test(an_id_belongs_to_its_client_only),
        cmocka_unit_test(two_ids_of_one_moment_differ),
        cmocka_unit_test(text_and_bytes_are_the_same_id),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, make_tags, free_tags);
}
