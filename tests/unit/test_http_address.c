#include "http_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *url, *origin, *host, *target, *user_password;
} addresses[] = {
    { "http://a", "http://a", "a", "/", NULL },
    { "HTTP://a:80/b?c=d&e#f", "http://a", "a", "/b?c=d&e", NULL },
    { "https://a:443/", "https://a", "a", "/", NULL },
    { "https://a:80/", "https://a:80", "a:80", "/", NULL },
    { "http://[::1]:8000/x", "http://[::1]:8000", "[::1]:8000", "/x", NULL },
    { "http://u:p%40s@a/x", "http://a", "a", "/x", "u:p@s" },
    { "http://u@a/x", "http://a", "a", "/x", "u:" },
    { "http://a/b c", "http://a", "a", "/b%20c", NULL },
    { "http://a?b", "http://a", "a", "/?b", NULL },
};

static const char *const refused[] = {
    "", "a", "/a", "http://", "ftp://a/", "file:///a", "http://a:99999/"
};

static void same(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a)
        assert_string_equal(a, b);
}

static void cuts_addresses_up(void **state)
{
    struct http_address a = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        print_message("%s\n", addresses[i].url);
        assert_int_equal(http_address_set(&a, addresses[i].url, NULL), OUTCOME_OK);
        assert_string_equal(a.url, addresses[i].url);
        assert_string_equal(a.origin, addresses[i].origin);
        assert_string_equal(a.host, addresses[i].host);
        assert_string_equal(a.target, addresses[i].target);
        same(a.user_password, addresses[i].user_password);
        char *target = a.target;
        assert_int_equal(http_address_set(&a, addresses[i].url, NULL), OUTCOME_OK);
        assert_ptr_equal(a.target, target);
    }
    http_address_free(&a);
}

static void refuses_what_is_none(void **state)
{
    struct http_address a = { 0 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        print_message("%s\n", refused[i]);
        assert_int_equal(http_address_set(&a, refused[i], &err), OUTCOME_REJECT);
        assert_null(a.url);
        assert_null(a.host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_addresses_up),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests_name("http_address", tests, NULL, NULL);
}
