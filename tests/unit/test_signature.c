#include "signature.h"

#include "form.h"
#include "signature_vectors.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool check_with(struct signature_keys *keys, const struct row *row)
{
    struct form form = { 0 };
    struct signature_input in = {
        .base = row->base,
        .target = row->target,
        .body = row->body,
        .body_len = row->body ? strlen(row->body) : 0,
        .header = row->header,
    };

    if (row->form) {
        assert_int_equal(form_parse(&form, row->form, strlen(row->form), NULL),
                         OUTCOME_OK);
        in.form = &form;
    }
    bool valid = signature_is_valid(keys, &in);
    form_free(&form);
    return valid;
}

static bool check(const char *tokens, const struct row *row)
{
    struct signature_keys *keys = NULL;

    assert_int_equal(signature_keys_open(&keys, tokens, NULL), OUTCOME_OK);
    bool valid = check_with(keys, row);
    signature_keys_close(keys);
    return valid;
}

static void accepts_every_vector_of_the_libraries(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        print_message("%s\n", vectors[i].what);
        assert_true(check(TOKEN, &vectors[i]));
        assert_false(check("12346", &vectors[i]));
    }
}

static void every_vector_fails_when_a_byte_of_the_url_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct row row = vectors[i];
        char *target = xstrdup(row.target);

        print_message("%s\n", row.what);
        row.target = target;
        target[strlen(target) - 1] ^= 1;
        assert_false(check(TOKEN, &row));
        free(target);
    }
}

static const struct row ports[] = {
    { "S1 for a URL with port 1234", SECURE ":1234", PATH, PARAMS, NULL, S1_SIGNATURE },
    { "S5 for a URL with port 1234", SECURE ":1234", PATH, PARAMS, NULL,
      "CYn1h0gLBdNxDGkKJg6hYohgeD8=" },
    { "S1 for a URL without port", SECURE, PATH, PARAMS, NULL, S1_SIGNATURE },
    { "S2 for a URL without port", SECURE, PATH, PARAMS, NULL,
      "kvajT1Ptam85bY51eRf/AJRuM3w=" },
    { "S1 for a URL with port 443", SECURE ":443", PATH, PARAMS, NULL, S1_SIGNATURE },
    { "S3 for http without port", "http://mycompany.com", PATH, PARAMS, NULL,
      "0ZXoZLH/DfblKGATFgpif+LLRf4=" },
    { "http as it is written", "http://mycompany.com", PATH, PARAMS, NULL,
      "OyGYPqTF6ztdbRNCvuQO/oPvqQ4=" },
    { "http with port 80, signed without", "http://mycompany.com:80", PATH, PARAMS, NULL,
      "OyGYPqTF6ztdbRNCvuQO/oPvqQ4=" },
    { "S4 for http with port 1234", "http://mycompany.com:1234", PATH, PARAMS, NULL,
      "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=" },
    { "S26 for http with port 1234", "http://mycompany.com:1234", PATH, REASONS, NULL,
      "n2xBNyzSW7rfYStDtOFiFMv7qNo=" },
    { "S14 for userinfo without port", "https://user:pass@mycompany.com", PATH, PARAMS,
      NULL, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI=" },
    { "S15 for a user without port", "https://user@mycompany.com", PATH, PARAMS, NULL,
      "aZfj4hyX1MLZhSS6QIL18Vn2/RA=" },
    { "S12 for userinfo with port", "https://user:pass@mycompany.com:443", PATH, PARAMS,
      NULL, "CukzLTc1tT5dXEDIHm/tKBanW10=" },
    { "S35 for a URL without port", SECURE, PATH "&bodySHA256=" EMPTY_HASH, NULL, "{}",
      "Ldidvp12m26NI7eqEvxnEpkd9Hc=" },
    { "S11 for a URL without port", SECURE, "//myapp.php?foo=1&bar=2", PARAMS, NULL,
      "A9lH3u16NjyiiM/+wylw5rirFUs=" },
};

static void accepts_the_url_with_and_without_its_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ports); i++) {
        print_message("%s\n", ports[i].what);
        assert_true(check(TOKEN, &ports[i]));
    }
}

static const struct row spellings[] = {
    { "a fragment is not signed", SECURE, PATH "#rc=5&rp=all", PARAMS, NULL,
      S1_SIGNATURE },
    { "the base may hold a part of the path", SECURE "/myapp.php", "?foo=1&bar=2", PARAMS,
      NULL, S1_SIGNATURE },
    { "the order of arrival does not matter", SECURE, PATH,
      "To=%2B18005551212&From=%2B14158675309&Digits=1234&Caller=%2B14158675309"
      "&CallSid=CA1234567890ABCDE",
      NULL, S1_SIGNATURE },
    { "a name in front of its longer sister", SECURE, PATH,
      PARAMS "&Reason=Participant&ReasonConferenceEnded=test", NULL,
      "vOEb5UThFn24KEfnOFLQY2AE5FY=" },
    { "S23 with its values in another order", SECURE, PATH,
      "Digits=1234&Digits=5678&SidAccount=AC123&Digits=1234&Sid=CA123", NULL,
      "IK+Dwps556ElfBT0I3Rgjkr1wJU=" },
    { "S24 with its values in another order", SECURE, PATH,
      "MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx",
      NULL, "83O6e2vORAoJHUNzJjDWN1jz+BA=" },
    { "neither form nor body", SECURE, PATH, NULL, NULL, "zYQTYrRWXE7LtzbG4PfP7/bkkGo=" },
    { "a form leaves the raw body alone", SECURE, PATH, PARAMS, PARAMS, S1_SIGNATURE },
};

static void accepts_other_spellings_of_the_same_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        print_message("%s\n", spellings[i].what);
        assert_true(check(TOKEN, &spellings[i]));
    }
}

static const struct row refused[] = {
    { "another text", SECURE, PATH, PARAMS, NULL, "WRONG_SIGNATURE" },
    { "an empty header", SECURE, PATH, PARAMS, NULL, "" },
    { "no header", SECURE, PATH, PARAMS, NULL, NULL },
    { "a longer header", SECURE, PATH, PARAMS, NULL, "NOT" S1_SIGNATURE },
    { "a header with something behind", SECURE, PATH, PARAMS, NULL, S1_SIGNATURE "AAAA" },
    { "a blank in front", SECURE, PATH, PARAMS, NULL, " " S1_SIGNATURE },
    { "a blank behind", SECURE, PATH, PARAMS, NULL, S1_SIGNATURE " " },
    { "no padding", SECURE, PATH, PARAMS, NULL, "RSOYDt4T1cUTdK1PDd93/VVr8B8" },
    { "a blank for the padding", SECURE, PATH, PARAMS, NULL,
      "RSOYDt4T1cUTdK1PDd93/VVr8B8 " },
    { "other bits behind the last byte", SECURE, PATH, PARAMS, NULL,
      "RSOYDt4T1cUTdK1PDd93/VVr8B9=" },
    { "another last byte", SECURE, PATH, PARAMS, NULL, "RSOYDt4T1cUTdK1PDd93/VVr8CA=" },
    { "the hash in hexadecimal", SECURE, PATH, PARAMS, NULL,
      "4523980ede13d5c51374ad4f0ddf77fd556bf01f" },
    { "twenty zero bytes", SECURE, PATH, PARAMS, NULL, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
    { "another case of the host", "https://MyCompany.com", PATH, PARAMS, NULL,
      S1_SIGNATURE },
    { "another scheme", "http://mycompany.com", PATH, PARAMS, NULL, S1_SIGNATURE },
    { "another port in the signature", SECURE, PATH, PARAMS, NULL,
      "CYn1h0gLBdNxDGkKJg6hYohgeD8=" },
    { "the port of the other scheme", "http://mycompany.com", PATH, PARAMS, NULL,
      "kvajT1Ptam85bY51eRf/AJRuM3w=" },
    { "a base that is no URL", "mycompany.com", PATH, PARAMS, NULL, S1_SIGNATURE },
    { "the query decoded", SECURE, "/myapp.php?foo=hello world&bar=test+value", PARAMS,
      NULL, "er2tvAP1Wx+iuTTE2BPgvEaN1cs=" },
    { "the query encoded otherwise", SECURE, PATH "&Body=It's+amazing", PARAMS, NULL,
      "TfZzewPq8wqrGlMfyAud8+/IvJ0=" },
    { "S25 sorted by name and value as one", SECURE, PATH, REASONS, NULL,
      "95+Bu0JVPi0r/SsESZCVf0dWAjw=" },
    { "a parameter more", SECURE, PATH, PARAMS "&A=", NULL, S1_SIGNATURE },
    { "a parameter less", SECURE, PATH, "CallSid=CA1234567890ABCDE", NULL, S1_SIGNATURE },
    { "another value", SECURE, PATH,
      "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1235&From=%2B14158675309"
      "&To=%2B18005551212",
      NULL, S1_SIGNATURE },
    { "a body in the place of the form", SECURE, PATH, NULL, PARAMS, S1_SIGNATURE },
    { "S1 for a body without hash", SECURE, PATH, NULL, BODY, S1_SIGNATURE },
    { "S6 for a body without hash", SECURE, PATH, NULL, BODY,
      "zYQTYrRWXE7LtzbG4PfP7/bkkGo=" },
    { "S33 with another body", SECURE, PATH "&bodySHA256=" BODY_HASH, NULL, "{}",
      "a9nBmqA0ju/hNViExpshrM61xv4=" },
    { "S33 without its body", SECURE, PATH "&bodySHA256=" BODY_HASH, NULL, NULL,
      "a9nBmqA0ju/hNViExpshrM61xv4=" },
    { "S33 with another hash", SECURE, PATH "&bodySHA256=" EMPTY_HASH, NULL, BODY,
      "a9nBmqA0ju/hNViExpshrM61xv4=" },
    { "S33 with the hash of another body", SECURE, PATH "&bodySHA256=" EMPTY_HASH, NULL,
      "{}", "a9nBmqA0ju/hNViExpshrM61xv4=" },
};

static void refuses_what_twilio_did_not_sign(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        print_message("%s\n", refused[i].what);
        assert_false(check(TOKEN, &refused[i]));
    }
}

// Signs text as Twilio would.
static void sign(char header[29], const char *text, size_t len)
{
    unsigned char mac[20];

    HMAC(EVP_sha1(), TOKEN, strlen(TOKEN), (const unsigned char *)text, len, mac, NULL);
    EVP_EncodeBlock((unsigned char *)header, mac, sizeof(mac));
}

// Here the signature is always right: only the hash decides.
static void judges_bodies_whose_signature_is_right_by_their_hash(void **state)
{
    static const struct {
        const char *what, *target, *body;
        bool valid;
    } rows[] = {
        { "the right hash", "/a?bodySHA256=" BODY_HASH, BODY, true },
        { "among others", "/a?x=1&bodySHA256=" BODY_HASH "&y", BODY, true },
        { "of an empty body", "/a?bodySHA256=" SHA256_OF_NOTHING, NULL, true },
        { "no hash and no body", "/a?x=1", NULL, true },
        { "no query and no body", "/a", NULL, true },
        { "no hash, but a body", "/a?x=1", BODY, false },
        { "no query, but a body", "/a", BODY, false },
        { "of another body", "/a?bodySHA256=" EMPTY_HASH, BODY, false },
        { "of a body that is not there", "/a?bodySHA256=" BODY_HASH, NULL, false },
        { "the first of two counts", "/a?bodySHA256=" EMPTY_HASH "&bodySHA256=" BODY_HASH,
          BODY, false },
        { "cut", "/a?bodySHA256=0a1ff763", BODY, false },
        { "empty", "/a?bodySHA256=", BODY, false },
        { "empty, and no body", "/a?bodySHA256=", NULL, false },
        { "too long", "/a?bodySHA256=" BODY_HASH "00", BODY, false },
        { "no hexadecimal", "/a?bodySHA256=z" BODY_HASH, BODY, false },
        { "another name", "/a?xbodySHA256=" BODY_HASH, BODY, false },
        { "a name that begins the same", "/a?bodySHA2567=" BODY_HASH, BODY, false },
        { "in the path", "/bodySHA256=" BODY_HASH, BODY, false },
        { "in the fragment", "/a#?bodySHA256=" BODY_HASH, BODY, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char url[256], header[29];
        int len = snprintf(url, sizeof(url), SECURE "%s", rows[i].target);
        struct row row = { rows[i].what, SECURE,       rows[i].target,
                           NULL,         rows[i].body, header };

        print_message("%s\n", rows[i].what);
        assert_in_range(len, 1, sizeof(url) - 1);
        sign(header, url, strcspn(url, "#"));
        assert_int_equal(check(TOKEN, &row), rows[i].valid);
    }
}

static void hosts_with_colons_keep_them(void **state)
{
    static const struct {
        const char *base, *with, *without;
    } rows[] = {
        { "https://[2001:db8::1]", "https://[2001:db8::1]:443/a",
          "https://[2001:db8::1]/a" },
        { "https://[2001:db8::1]:8", "https://[2001:db8::1]:8/a",
          "https://[2001:db8::1]/a" },
        { "http://u:1234@h", "http://u:1234@h:80/a", "http://u:1234@h/a" },
        { "http://u:1234@h:99", "http://u:1234@h:99/a", "http://u:1234@h/a" },
        { "HTTPS://h", "HTTPS://h:443/a", "HTTPS://h/a" },
        { "https://h/p:99", "https://h:443/p:99/a", "https://h/p:99/a" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char header[29];
        struct row row = { rows[i].base, rows[i].base, "/a", NULL, NULL, header };

        print_message("%s\n", rows[i].base);
        sign(header, rows[i].with, strlen(rows[i].with));
        assert_true(check(TOKEN, &row));
        sign(header, rows[i].without, strlen(rows[i].without));
        assert_true(check(TOKEN, &row));
    }
}

static void values_are_signed_as_bytes(void **state)
{
    static const char form[] = "b=x%00y&a=%ff&b=x&a=%7f&B=&b=x%00y";
    static const char text[] = SECURE "/a"
                                      "B"
                                      "a\x7f"
                                      "a\xff"
                                      "bx"
                                      "bx\0y";
    char header[29];
    struct row row = { "bytes", SECURE, "/a", form, NULL, header };

    (void)state;
    sign(header, text, sizeof(text) - 1);
    assert_true(check(TOKEN, &row));
}

static void any_of_several_tokens_will_do(void **state)
{
    static const struct {
        const char *tokens;
        bool valid;
    } rows[] = {
        { "12345", true },          { "12345,abcdefgh", true },
        { "abcdefgh,12345", true }, { " abcdefgh , 12345 ", true },
        { "a,b,12345,d", true },    { "abcdefgh", false },
        { "abcdefgh,1234", false }, { "1 2345", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        print_message("\"%s\"\n", rows[i].tokens);
        assert_int_equal(check(rows[i].tokens, &vectors[0]), rows[i].valid);
    }
}

static void the_same_keys_check_one_request_after_the_other(void **state)
{
    struct signature_keys *keys = NULL;

    (void)state;
    assert_int_equal(signature_keys_open(&keys, "old,12345", NULL), OUTCOME_OK);
    for (int pass = 0; pass < 3; pass++) {
        assert_true(check_with(keys, &vectors[0]));
        assert_false(check_with(keys, &refused[0]));
        assert_true(check_with(keys, &vectors[32]));
    }
    signature_keys_close(keys);
}

static void an_empty_token_is_fatal(void **state)
{
    static const char *const tokens[] = { "", " ", ",", "12345,", ",12345", "1,,2" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        struct signature_keys *keys = NULL;
        struct err err = { 0 };

        print_message("\"%s\"\n", tokens[i]);
        assert_int_equal(signature_keys_open(&keys, tokens[i], &err), OUTCOME_FATAL);
        assert_string_equal(err.text, "an auth token is empty");
        assert_null(keys);
    }
    signature_keys_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_vector_of_the_libraries),
        cmocka_unit_test(every_vector_fails_when_a_byte_of_the_url_changes),
        cmocka_unit_test(accepts_the_url_with_and_without_its_port),
        cmocka_unit_test(accepts_other_spellings_of_the_same_request),
        cmocka_unit_test(refuses_what_twilio_did_not_sign),
        cmocka_unit_test(judges_bodies_whose_signature_is_right_by_their_hash),
        cmocka_unit_test(hosts_with_colons_keep_them),
        cmocka_unit_test(values_are_signed_as_bytes),
        cmocka_unit_test(any_of_several_tokens_will_do),
        cmocka_unit_test(the_same_keys_check_one_request_after_the_other),
        cmocka_unit_test(an_empty_token_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
