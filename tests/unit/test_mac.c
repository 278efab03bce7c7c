// HMAC-SHA-256 against RFC 4231's cases of keys that we can have, padded with zeros as
// HMAC pads them.
#include "mac.h"

#include "test.h"

#include <string.h>

static void assert_mac(struct mac *m, const char *input, const char *hex)
{
    unsigned char made[MAC_BYTES], wanted[MAC_BYTES];

    mac_sign(m, input, strlen(input), made);
    assert_true(hex_decode(wanted, sizeof(wanted), hex, strlen(hex)));
    assert_memory_equal(made, wanted, sizeof(made));
}

static void it_is_hmac_sha_256_each_time(void **state)
{
    static const char first[] =
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    static const char second[] =
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    unsigned char key[MAC_KEY_BYTES] = { 0 };

    (void)state;
    memset(key, 0x0b, 20);
    struct mac *one = mac_new(key);
    memset(key, 0, sizeof(key));
    memcpy(key, "Jefe", 4);
    struct mac *two = mac_new(key);
    for (int i = 0; i < 3; i++) {
        assert_mac(one, "Hi There", first);
        assert_mac(two, "what do ya want for nothing?", second);
    }
    mac_free(one);
    mac_free(two);
    mac_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_hmac_sha_256_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
