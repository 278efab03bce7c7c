// Identifiers of the simulator.
#include "sim_sids.h"
#include "test.h"

#include <string.h>

static void the_same_seed_gives_the_same_sids(void **state)
{
    struct sim_sids *a = sim_sids_new("seed"), *b = sim_sids_new("seed");
    struct sim_sids *other = sim_sids_new("other"), *random = sim_sids_new("");
    char one[SIM_SIDS_TEXT_BYTES], two[SIM_SIDS_TEXT_BYTES];

    (void)state;
    sim_sids_message(a, 7, one);
    sim_sids_message(b, 7, two);
    assert_string_equal(one, two);
    sim_sids_message(other, 7, two);
    assert_string_not_equal(one, two);
    sim_sids_message(random, 7, two);
    assert_string_not_equal(one, two);
    sim_sids_free(a);
    sim_sids_free(b);
    sim_sids_free(other);
    sim_sids_free(random);
}

static void a_sid_is_read_back_until_the_next_generation(void **state)
{
    struct sim_sids *s = sim_sids_new("");
    char sid[SIM_SIDS_TEXT_BYTES], again[SIM_SIDS_TEXT_BYTES];

    (void)state;
    for (uint32_t number = 1; number <= 1000; number++) {
        uint32_t read = 0;
        sim_sids_message(s, number, sid);
        assert_true(sim_sids_read(s, sid, strlen(sid), &read));
        assert_int_equal(read, number);
    }
    uint32_t read = 0;
    sim_sids_renew(s);
    assert_false(sim_sids_read(s, sid, strlen(sid), &read));
    sim_sids_message(s, 1000, again);
    assert_string_not_equal(sid, again);
    sim_sids_free(s);
}

static void refuses_what_it_did_not_make(void **state)
{
    static const char *const strangers[] = {
        "",
        "SM",
        "SM00000000000000000000000000000000",
        "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "SMzzaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct sim_sids *s = sim_sids_new("seed");
    char sid[SIM_SIDS_TEXT_BYTES];
    uint32_t read = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(strangers); i++)
        assert_false(sim_sids_read(s, strangers[i], strlen(strangers[i]), &read));

    sim_sids_request(s, 1, sid);  // of the same number, but of another kind
    memcpy(sid, "SM", 2);
    assert_false(sim_sids_read(s, sid, strlen(sid), &read));
    sim_sids_message(s, 1, sid);
    sid[5] = sid[5] == '0' ? '1' : '0';
    assert_false(sim_sids_read(s, sid, strlen(sid), &read));
    assert_int_equal(read, 0);
    sim_sids_free(s);
}

static void tokens_are_uuids_and_differ_by_message_and_status(void **state)
{
    struct sim_sids *s = sim_sids_new("seed");
    char a[SIM_SIDS_TOKEN_BYTES], b[SIM_SIDS_TOKEN_BYTES];

    (void)state;
    sim_sids_token(s, 1, 2, a);
    assert_int_equal(strlen(a), 36);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-');
    sim_sids_token(s, 1, 2, b);
    assert_string_equal(a, b);
    sim_sids_token(s, 1, 3, b);
    assert_string_not_equal(a, b);
    sim_sids_token(s, 2, 2, b);
    assert_string_not_equal(a, b);
    sim_sids_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_sids),
        cmocka_unit_test(a_sid_is_read_back_until_the_next_generation),
        cmocka_unit_test(refuses_what_it_did_not_make),
        cmocka_unit_test(tokens_are_uuids_and_differ_by_message_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
