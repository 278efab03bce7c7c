#include "buf.h"
#include "http_route.h"
#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct http_route routes[] = {
    { "GET", "/a/*", NULL, 0, NULL },    { "GET", "/a/b/*", NULL, 0, NULL },
    { "GET", "/a/b", NULL, 0, NULL },    { "POST", "/a", NULL, 0, NULL },
    { "DELETE", "/a/*", NULL, 0, NULL }, { 0 },
};

static const struct {
    const char *method, *path;
    int row;  // -1 = none
    const char *rest, *allow;
} cases[] = {
    { "GET", "/a/b", 2, "", "GET, HEAD, DELETE, OPTIONS" },
    { "GET", "/a/b/c", 1, "c", "GET, HEAD, DELETE, OPTIONS" },
    { "GET", "/a/c", 0, "c", "GET, HEAD, DELETE, OPTIONS" },
    { "GET", "/a/", 0, "", "GET, HEAD, DELETE, OPTIONS" },
    { "HEAD", "/a/c", 0, "c", "GET, HEAD, DELETE, OPTIONS" },
    { "DELETE", "/a/b", 4, "b", "GET, HEAD, DELETE, OPTIONS" },
    { "POST", "/a", 3, "", "POST, OPTIONS" },
    { "HEAD", "/a", -1, "", "POST, OPTIONS" },
    { "get", "/a/b", -1, "", "GET, HEAD, DELETE, OPTIONS" },
    { "GET", "/", -1, "", "" },
    { "GET", "/A/b", -1, "", "" },
};

static void picks_the_closest_row_and_lists_the_methods(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf allow = BUF_INIT(256);
        const struct http_route *row =
            http_route_find(routes, cases[i].method, cases[i].path);

        print_message("%s %s\n", cases[i].method, cases[i].path);
        assert_ptr_equal(row, cases[i].row < 0 ? NULL : &routes[cases[i].row]);
        if (row)
            assert_string_equal(http_route_rest(row, cases[i].path), cases[i].rest);
        http_route_allow(routes, cases[i].path, &allow);
        assert_string_equal(buf_text(&allow), cases[i].allow);
        buf_free(&allow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_the_closest_row_and_lists_the_methods),
    };
    return cmocka_run_group_tests_name("http_route", tests, NULL, NULL);
}
