// Log lines, read back through a pipe on standard error.
#include "log.h"

#include "buf.h"
#include "json.h"
#include "log_limit.h"
#include "test.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const unsigned char some_id[16] = {
    0x01, 0x9a, 0xa5, 0x4e, 0x2b, 0x40, 0x7d, 0x3c,
    0x9f, 0x01, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77
};

struct capture {
    int saved_stderr;
    int pipe[2];
};

static void begin_capture(struct capture *c)
{
    assert_int_equal(pipe2(c->pipe, O_NONBLOCK | O_DIRECT), 0);
    c->saved_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(c->pipe[1], STDERR_FILENO), STDERR_FILENO);
}

// Returns what the next write(2) wrote: O_DIRECT keeps them apart.
static size_t next_write(struct capture *c, char out[LOG_LINE_MAX + 1])
{
    ssize_t got = read(c->pipe[0], out, LOG_LINE_MAX);
    if (got < 0)
        got = 0;
    out[got] = '\0';
    return (size_t)got;
}

static void end_capture(struct capture *c)
{
    dup2(c->saved_stderr, STDERR_FILENO);
    close(c->saved_stderr);
    close(c->pipe[0]);
    close(c->pipe[1]);
}

static enum outcome add_member(void *arg, const char *name, size_t name_len,
                               const struct json_value *value, struct err *err)
{
    (void)err;
    buf_addf(arg, "%.*s=", (int)name_len, name);
    if (value->kind == JSON_STRING)
        buf_add(arg, value->text, value->len);
    else if (value->kind == JSON_INTEGER)
        buf_add_int(arg, value->integer);
    else
        buf_add_text(arg, value->kind == JSON_NULL ? "null" : "?");
    buf_add_char(arg, ';');
    return OUTCOME_OK;
}

// Reads the line as JSON and checks everything but the time.
static void assert_line_is(const char *line, const char *wanted)
{
    struct json_reader *reader = json_reader_new();
    struct buf members = BUF_INIT(2 * LOG_LINE_MAX);
    struct err err = { 0 };

    if (json_read(reader, line, strlen(line), add_member, &members, &err))
        fail_msg("%s: %s", line, err.text);
    assert_int_equal(line[strlen(line) - 1], '\n');
    const char *rest = strchr(buf_text(&members), ';');
    assert_non_null(rest);
    assert_string_equal(rest + 1, wanted);
    buf_free(&members);
    json_reader_free(reader);
}

static void a_line_is_one_write_with_all_fields(void **state)
{
    struct capture c;
    char line[LOG_LINE_MAX + 1];
    char again[LOG_LINE_MAX + 1];

    (void)state;
    log_init("smsq-test");
    begin_capture(&c);
    errno = EDOM;
    log_line(LOG_LEVEL_INFO, "job_sent", LOG_U("message_id", some_id), LOG_I("turn", -3),
             LOG_I("least", INT64_MIN), LOG_T("note", "a \"b\"\\\n\x1b\x7f \xc3\xa9"),
             LOG_T("none", NULL));
    int kept_errno = errno;
    next_write(&c, line);
    size_t more = next_write(&c, again);
    end_capture(&c);
    assert_int_equal(kept_errno, EDOM);
    assert_int_equal(more, 0);
    assert_memory_equal(line, "{\"time\":\"20", 11);
    assert_line_is(line, "level=info;process=smsq-test;event=job_sent;"
                         "message_id=019aa54e-2b40-7d3c-9f01-223344556677;turn=-3;"
                         "least=-9223372036854775808;note=a \"b\"\\\n\x1b\x7f \xc3\xa9;"
                         "none=null;");
    assert_null(strchr(line, '\x1b'));
    assert_null(strchr(line, '\x7f'));
}

static void broken_utf8_is_replaced(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        { "a\xff"
          "b",
          "a\xef\xbf\xbd"
          "b" },
        { "\xc3", "\xef\xbf\xbd" },
        { "\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "\xed\xa0\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct capture c;
        struct buf wanted = BUF_INIT(256);
        char line[LOG_LINE_MAX + 1];
        begin_capture(&c);
        log_line(LOG_LEVEL_ERROR, "x", LOG_T("t", cases[i].text));
        next_write(&c, line);
        end_capture(&c);
        buf_addf(&wanted, "level=error;process=smsq-test;event=x;t=%s;", cases[i].shown);
        assert_line_is(line, buf_text(&wanted));
        buf_free(&wanted);
    }
}

// However long the text in front, the fields behind it are there.
static void long_texts_are_cut_and_the_line_stays_whole(void **state)
{
    static const char *const units[] = { "x", "\n", "\"", "\xc3\xa9",
                                         "\xf0\x9f\x98\x80" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        for (size_t lead = 0; lead < 7; lead++) {
            struct capture c;
            struct buf text = BUF_INIT(65536), wanted = BUF_INIT(65536);
            char line[LOG_LINE_MAX + 1];
            for (size_t k = 0; k < lead; k++)
                buf_add_char(&text, '-');
            while (text.len < 10000)
                buf_add_text(&text, units[i]);
            begin_capture(&c);
            log_line(LOG_LEVEL_INFO, "long", LOG_T("first", buf_text(&text)),
                     LOG_T("second", buf_text(&text)), LOG_U("id", some_id),
                     LOG_I("last", 7));
            size_t len = next_write(&c, line);
            end_capture(&c);
            assert_in_range(len, LOG_LINE_MAX - 32, LOG_LINE_MAX);
            const char *end = strstr(line, "\",\"second\":\"");
            assert_non_null(end);
            assert_non_null(strstr(end, "\",\"id\":\"019aa54e-2b40-7d3c-9f01-"
                                        "223344556677\",\"last\":7}\n"));
            struct json_reader *reader = json_reader_new();
            assert_int_equal(json_read(reader, line, len, add_member, &wanted, NULL), 0);
            json_reader_free(reader);
            buf_free(&text);
            buf_free(&wanted);
        }
    }
}

static void levels_are_obeyed(void **state)
{
    struct capture c;
    char line[LOG_LINE_MAX + 1];
    enum log_level level = LOG_LEVEL_DEBUG;

    (void)state;
    assert_false(log_is_on(LOG_LEVEL_DEBUG));
    assert_true(log_is_on(LOG_LEVEL_INFO));
    assert_true(log_level_parse("warn", &level));
    assert_int_equal(level, LOG_LEVEL_WARN);
    assert_false(log_level_parse("WARN", &level));
    assert_false(log_level_parse("", &level));
    log_level_set(level);
    begin_capture(&c);
    log_line(LOG_LEVEL_INFO, "quiet", LOG_I("n", 1));
    log_event(LOG_LEVEL_INFO, "quiet", NULL, 0);
    log_event(LOG_LEVEL_ERROR, "loud", NULL, 0);
    next_write(&c, line);
    end_capture(&c);
    log_level_set(LOG_LEVEL_INFO);
    assert_line_is(line, "level=error;process=smsq-test;event=loud;");
}

static void gathered_lines_go_out_together_and_errors_at_once(void **state)
{
    struct capture c;
    char lines[LOG_LINE_MAX + 1];

    (void)state;
    begin_capture(&c);
    log_gather(true);
    log_event(LOG_LEVEL_INFO, "first", NULL, 0);
    log_event(LOG_LEVEL_INFO, "second", NULL, 0);
    assert_int_equal(next_write(&c, lines), 0);
    log_flush();
    next_write(&c, lines);
    assert_non_null(strstr(lines, "first"));
    assert_non_null(strstr(lines, "second"));
    log_event(LOG_LEVEL_INFO, "third", NULL, 0);
    log_event(LOG_LEVEL_ERROR, "fourth", NULL, 0);
    next_write(&c, lines);
    assert_non_null(strstr(lines, "third"));
    assert_non_null(strstr(lines, "fourth"));
    log_event(LOG_LEVEL_INFO, "fifth", NULL, 0);
    log_gather(false);
    next_write(&c, lines);
    assert_non_null(strstr(lines, "fifth"));
    end_capture(&c);
}

static void a_storm_of_warnings_is_counted(void **state)
{
    struct capture c;
    char line[LOG_LINE_MAX + 1];

    (void)state;
    begin_capture(&c);
    for (int i = 0; i < LOG_LIMIT_LINES + 7; i++) {
        log_line(LOG_LEVEL_WARN, "storm", LOG_I("n", i));
        assert_int_equal(next_write(&c, line) > 0, i < LOG_LIMIT_LINES);
    }
    log_gather(false);  // as at the end of a program
    next_write(&c, line);
    assert_line_is(line, "level=warn;process=smsq-test;event=storm;repeated=7;");
    end_capture(&c);
}

static void a_trace_stands_in_a_line_only_when_there_is_one(void **state)
{
    static const char parent[] =
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    struct capture c;
    char line[LOG_LINE_MAX + 1];

    (void)state;
    begin_capture(&c);
    log_line(LOG_LEVEL_INFO, "traced", LOG_C(trace_id_of(parent)), LOG_I("n", 1));
    next_write(&c, line);
    assert_line_is(line, "level=info;process=smsq-test;event=traced;"
                         "trace_id=4bf92f3577b34da6a3ce929d0e0e4736;n=1;");
    log_line(LOG_LEVEL_INFO, "untraced", LOG_C(trace_id_of(NULL)), LOG_I("n", 1));
    next_write(&c, line);
    assert_line_is(line, "level=info;process=smsq-test;event=untraced;n=1;");
    end_capture(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_write_with_all_fields),
        cmocka_unit_test(broken_utf8_is_replaced),
        cmocka_unit_test(long_texts_are_cut_and_the_line_stays_whole),
        cmocka_unit_test(levels_are_obeyed),
        cmocka_unit_test(gathered_lines_go_out_together_and_errors_at_once),
        cmocka_unit_test(a_storm_of_warnings_is_counted),
        cmocka_unit_test(a_trace_stands_in_a_line_only_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
