// Signatures of callbacks, and what is read in their address.
#include "sim_sign.h"
#include "sim_url.h"
#include "test.h"

#include <string.h>

#define P                                                                                \
    { "CallSid", "CA1234567890ABCDE" }, { "Caller", "+14158675309" },                    \
        { "Digits", "1234" }, { "From", "+14158675309" },                                \
    {                                                                                    \
        "To", "+18005551212"                                                             \
    }

// Published by the test suites of Twilio's libraries; the token is 12345.
static const struct {
    const char *what, *url;
    struct sim_param params[8];
    size_t count;
    const char *signature;
} vectors[] = {
    { "base case",
      "https://mycompany.com/myapp.php?foo=1&bar=2",
      { P },
      5,
      "RSOYDt4T1cUTdK1PDd93/VVr8B8=" },
    { "no parameters",
      "https://mycompany.com/myapp.php?foo=1&bar=2",
      { { 0 } },
      0,
      "zYQTYrRWXE7LtzbG4PfP7/bkkGo=" },
    { "no query",
      "https://mycompany.com/myapp.php",
      { P },
      5,
      "1xaxFBvyzXYvWplzNOSs28HWO94=" },
    { "a port",
      "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
      { P },
      5,
      "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=" },
    { "escapes stay as they are",
      "https://mycompany.com/myapp.php?foo=hello%20world&bar=test%2Bvalue",
      { P },
      5,
      "er2tvAP1Wx+iuTTE2BPgvEaN1cs=" },
    { "user and password",
      "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
      { P },
      5,
      "CukzLTc1tT5dXEDIHm/tKBanW10=" },
    { "one name begins another",
      "https://mycompany.com/myapp.php?foo=1&bar=2",
      { P, { "ReasonConferenceEnded", "test" }, { "Reason", "Participant" } },
      7,
      "vOEb5UThFn24KEfnOFLQY2AE5FY=" },
    { "empty values",
      "https://mycompany.com/myapp.php?foo=1&bar=2",
      { { "Digits", "" }, { "CallSid", "CA1234567890ABCDE" }, { "EmptyParam", "" } },
      3,
      "9HHp/OqQMEwdrVebHDdA/+tqjX8=" },
    { "case decides the order",
      "https://mycompany.com/myapp.php?foo=1&bar=2",
      { { "callSid", "lowercase" },
        { "CallSid", "uppercase" },
        { "CALLSID", "allcaps" } },
      3,
      "jDK7WKT8wiNrwggd4ceTv4e1MJ4=" },
};

static void signs_as_twilios_libraries_expect(void **state)
{
    struct sim_signer *signer = sim_signer_new("12345");
    char out[SIM_SIGN_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        print_message("%s\n", vectors[i].what);
        sim_sign(signer, vectors[i].url, strlen(vectors[i].url), vectors[i].params,
                 vectors[i].count, out);
        assert_string_equal(out, vectors[i].signature);
    }
    sim_signer_free(signer);
}

static struct sim_text text(const char *t)
{
    return (struct sim_text){ t, strlen(t) };
}

static void knows_an_address_for_callbacks(void **state)
{
    static const char *const good[] = {
        "http://127.0.0.1:8001/sms/webhook/status?m=1&t=1&k=2#rc=5&rp=all",
        "https://example.com",
        "HTTPS://Example.com/",
        "http://user:pa_ss@example.com/a_b",
        "http://[::1]:80/",
    };
    static const char *const bad[] = {
        "",
        "http://",
        "https:///path",
        "ftp://example.com/",
        "example.com/path",
        "http://my_host.com/",
        "http://ho st/",
        "http://example.com/\"",
        "http://:80/",
        "http://example.com/\x01",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!sim_url_is_callback(text(good[i])))
            fail_msg("%s is one", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (sim_url_is_callback(text(bad[i])))
            fail_msg("%s is none", bad[i]);
}

static void reads_the_query_but_not_the_fragment(void **state)
{
    (void)state;
    struct sim_text value = sim_url_query("http://h/p?a=1&m=x%20y&t=2#m=no", "m");
    assert_int_equal(value.len, 5);
    assert_memory_equal(value.bytes, "x%20y", 5);
    assert_int_equal(sim_url_query("http://h/p?mm=1", "m").len, 0);
    assert_int_equal(sim_url_query("http://h/p?m=", "m").len, 0);
    assert_int_equal(sim_url_query("http://h/p#?m=1", "m").len, 0);
    assert_int_equal(sim_url_query("http://h/p", "m").len, 0);
    assert_int_equal(sim_url_sent_len("http://h/p?m=1#rc=1"), 14);
    assert_int_equal(sim_url_sent_len("http://h/p"), 10);
}

static void reads_the_overrides(void **state)
{
    static const struct {
        const char *url;
        struct sim_url_overrides wanted;
    } cases[] = {
        { "http://h/", { 1, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
        { "http://h/#", { 1, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
        { "http://h/?x#rc=5&rp=all",
          { 5, SIM_URL_RETRY_ALL, 15000000, 5000000, 15000000 } },
        { "http://h/#rc=0", { 0, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
        { "http://h/#rc=6&rp=never&tt=99",
          { 1, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
        { "http://h/#rp=5xx,rt&tt=2000",
          { 1, SIM_URL_RETRY_5XX | SIM_URL_RETRY_READ, 2000000, 5000000, 15000000 } },
        { "http://h/#ct=3000&rc=3&rp=4xx&rt=1500",
          { 3, SIM_URL_RETRY_4XX, 15000000, 3000000, 1500000 } },
        { "http://h/#ct=10001&rt=99",
          { 1, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
        { "http://h/#rc=x&tt=16000",
          { 1, SIM_URL_RETRY_CONNECT, 15000000, 5000000, 15000000 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].url);
        struct sim_url_overrides o = sim_url_read_overrides(cases[i].url);
        assert_int_equal(o.retries, cases[i].wanted.retries);
        assert_int_equal(o.kinds, cases[i].wanted.kinds);
        assert_int_equal(o.total_us, cases[i].wanted.total_us);
        assert_int_equal(o.connect_us, cases[i].wanted.connect_us);
        assert_int_equal(o.read_us, cases[i].wanted.read_us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_twilios_libraries_expect),
        cmocka_unit_test(knows_an_address_for_callbacks),
        cmocka_unit_test(reads_the_query_but_not_the_fragment),
        cmocka_unit_test(reads_the_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
