// What TwiML sends back, and what it is refused for.
#include "sim_twiml.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define XML "text/xml; charset=utf-8"

static const struct {
    const char *what, *type, *body;
    size_t count;
    const char *first;  // body of the first message
    int code;
    const char *redirect;
} cases[] = {
    { "nothing", "", "", 0, NULL, 0, "" },
    { "an empty Response", XML, "<Response/>", 0, NULL, 0, "" },
    { "text in a Message", XML, "<Response><Message> hi </Message></Response>", 1, "hi",
      0, "" },
    { "a Body", XML, "<Response><Message><Body> hi </Body></Message></Response>", 1,
      " hi ", 0, "" },
    { "a Body wins over loose text", XML,
      "<Response><Message>x<Body>hi</Body>y</Message></Response>", 1, "hi", 0, "" },
    { "entities", XML, "<Response><Message>&lt;&#233;&amp;</Message></Response>", 1,
      "<\xC3\xA9&", 0, "" },
    { "another encoding", XML,
      "<?xml version='1.0' encoding='ISO-8859-1'?><Response><Message>\xE9</Message>"
      "</Response>",
      1, "\xC3\xA9", 0, "" },
    { "a Redirect ends it", XML,
      "<Response><Message>a</Message><Redirect> /x </Redirect><Message>b</Message>"
      "</Response>",
      1, "a", 0, "/x" },
    { "an empty Redirect", XML, "<Response><Redirect/></Response>", 0, NULL, 12200, "" },
    { "an unknown verb", XML, "<Response><Say>x</Say><Message>a</Message></Response>", 1,
      "a", 12200, "" },
    { "an unknown noun", XML,
      "<Response><Message><Bold><Body>x</Body></Bold>a</Message></Response>", 1, "a",
      12200, "" },
    { "an unknown attribute", XML, "<Response><Message size='9'>a</Message></Response>",
      1, "a", 12200, "" },
    { "another root", XML, "<Message>a</Message>", 0, NULL, 12200, "" },
    { "cut off", XML, "<Response><Message>a</Message>", 0, NULL, 12100, "" },
    { "two roots", XML, "<Response/><Response/>", 0, NULL, 12100, "" },
    { "not UTF-8", XML, "<Response><Message>\xFF</Message></Response>", 0, NULL, 12100,
      "" },
    { "a DTD", XML,
      "<!DOCTYPE Response [<!ENTITY a \"aaaa\">]><Response><Message>&a;</Message>"
      "</Response>",
      0, NULL, 12100, "" },
    { "an external entity", XML, "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><Response/>", 0,
      NULL, 12100, "" },
    { "plain text", "text/plain", "hi there", 1, "hi there", 0, "" },
    { "plain bytes", "text/plain", "\xFF", 0, NULL, 12100, "" },
    { "JSON", "application/json", "{}", 0, NULL, 12300, "" },
    { "no type", "", "x", 0, NULL, 12300, "" },
    { "a longer type", "text/xmlish", "<Response/>", 0, NULL, 12300, "" },
};

static void reads_what_it_should_send(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct sim_twiml *t =
            sim_twiml_read(cases[i].type, cases[i].body, strlen(cases[i].body));
        assert_int_equal(t->code, cases[i].code);
        assert_int_equal(t->count, cases[i].count);
        if (cases[i].first)
            assert_string_equal(buf_text(&t->messages[0].body), cases[i].first);
        assert_string_equal(t->redirect, cases[i].redirect);
        sim_twiml_free(t);
    }
}

static void reads_attributes_and_media(void **state)
{
    static const char body[] =
        "<Response><Message to='+1' from='+2' action='http://a/' method='GET'>"
        "<Media> http://m/1 </Media><Media>http://m/2</Media></Message>"
        "<Redirect method='get'>b?x=1&amp;y=2</Redirect></Response>";
    struct sim_twiml *t = sim_twiml_read("application/xml", body, strlen(body));
    const struct sim_twiml_message *m = t->messages;

    (void)state;
    assert_int_equal(t->code, 0);
    assert_string_equal(m->to, "+1");
    assert_string_equal(m->from, "+2");
    assert_string_equal(m->callback, "http://a/");
    assert_int_equal(m->media_count, 2);
    assert_string_equal(m->media[0], "http://m/1");
    assert_string_equal(t->redirect, "b?x=1&y=2");
    assert_true(t->is_redirect_get);
    sim_twiml_free(t);
}

// Fills a document with count times part between Response.
static struct sim_twiml *read_many(const char *part, size_t count)
{
    struct buf text = BUF_INIT(1 << 20);

    buf_add_text(&text, "<Response>");
    for (size_t i = 0; i < count; i++)
        buf_add_text(&text, part);
    buf_add_text(&text, "</Response>");
    struct sim_twiml *t = sim_twiml_read(XML, buf_text(&text), text.len);
    buf_free(&text);
    return t;
}

static void has_limits(void **state)
{
    static const struct {
        const char *part;
        size_t times, count;
        int code;
    } limits[] = {
        { "<Message>a</Message>", 10, 10, 0 },
        { "<Message>a</Message>", 11, 10, 14109 },
        { "<Message>a</Message>", 4000, 0, 11750 },
        { "<a>", 30, 0, 12200 },
        { "<Message><Media>u</Media><Media>u</Media><Media>u</Media><Media>u</Media>"
          "<Media>u</Media><Media>u</Media><Media>u</Media><Media>u</Media>"
          "<Media>u</Media><Media>u</Media><Media>u</Media></Message>",
          1, 1, 12200 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct sim_twiml *t = read_many(limits[i].part, limits[i].times);
        assert_int_equal(t->code, limits[i].code);
        assert_int_equal(t->count, limits[i].count);
        sim_twiml_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_should_send),
        cmocka_unit_test(reads_attributes_and_media),
        cmocka_unit_test(has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
