#include "http_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct http_peer *enter(struct http_peers *peers, const char *text, size_t max)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return http_peers_enter(peers, (const struct sockaddr *)&v4, max);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return http_peers_enter(peers, (const struct sockaddr *)&v6, max);
}

static const struct {
    const char *one, *other;
    bool are_same;
} pairs[] = {
    { "10.0.0.1", "10.0.0.1", true },
    { "10.0.0.1", "10.0.0.2", false },
    { "10.0.0.1", "::ffff:10.0.0.1", true },
    { "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true },
    { "2001:db8:1:2::1", "2001:db8:1:3::1", false },
    { "::1", "10.0.0.1", false },
};

static void counts_by_ipv4_address_or_ipv6_64(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct http_peers *peers = http_peers_new();
        assert_non_null(enter(peers, pairs[i].one, 1));
        assert_int_equal(enter(peers, pairs[i].other, 1) == NULL, pairs[i].are_same);
        http_peers_free(peers);
    }
}

static void who_leaves_makes_room(void **state)
{
    struct http_peers *peers = http_peers_new();

    (void)state;
    struct http_peer *first = enter(peers, "10.0.0.1", 2);
    struct http_peer *second = enter(peers, "10.0.0.1", 2);
    assert_non_null(first);
    assert_null(enter(peers, "10.0.0.1", 2));
    assert_non_null(enter(peers, "10.0.0.1", 0));
    http_peers_leave(peers, first);
    http_peers_leave(peers, second);
    assert_non_null(enter(peers, "10.0.0.1", 2));
    http_peers_leave(peers, NULL);
    http_peers_free(peers);
}

static void thousands_of_addresses_come_and_go(void **state)
{
    enum { MANY = 20000 };
    struct http_peer **all = xcalloc(MANY, sizeof(struct http_peer *));
    struct http_peers *peers = http_peers_new();
    char text[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "10.%d.%d.1", i / 256, i % 256);
        assert_non_null(all[i] = enter(peers, text, 1));
        assert_null(enter(peers, text, 1));
    }
    for (int i = 0; i < MANY; i++)
        http_peers_leave(peers, all[i]);
    assert_non_null(enter(peers, "10.0.0.1", 1));
    http_peers_free(peers);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_ipv4_address_or_ipv6_64),
        cmocka_unit_test(who_leaves_makes_room),
        cmocka_unit_test(thousands_of_addresses_come_and_go),
    };
    return cmocka_run_group_tests_name("http_peers", tests, NULL, NULL);
}
