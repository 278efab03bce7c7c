// The command line of smsq: which command, which options; and what is made of its table.
#include "command.h"

#include "letters.h"
#include "manual.h"
#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 12, LINE_BYTES = 256 };

// Divides a line at its blanks; the words live in the line.
static int divide(char *line, char *argv[WORDS_MAX])
{
    int argc = 0;

    for (char *word = line; *word && argc < WORDS_MAX;) {
        size_t len = strcspn(word, " ");
        argv[argc++] = word;
        word += len;
        if (*word)
            *word++ = '\0';
    }
    return argc;
}

static enum outcome parse(struct call *call, char line[LINE_BYTES], const char *text,
                          struct err *err)
{
    char *argv[WORDS_MAX];
    int used;

    (void)snprintf(line, LINE_BYTES, "%s", text);
    int argc = divide(line, argv);
    *call = (struct call){ .command = command_find(argc, argv, &used) };
    assert_non_null(call->command);
    return call_parse(call, argc - used, argv + used, err);
}

static void options_stand_anywhere_and_take_values_both_ways(void **state)
{
    static const char *const lines[] = {
        "send +1 --message hi --class otp --json",
        "send --message=hi --json --class=otp +1",
        "send --class otp --json --message hi -- +1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char line[LINE_BYTES];
        struct call call;

        print_message("%s\n", lines[i]);
        assert_int_equal(parse(&call, line, lines[i], NULL), OUTCOME_OK);
        assert_string_equal(call.positionals[0], "+1");
        assert_int_equal(call.positional_count, 1);
        assert_string_equal(call_text(&call, "message"), "hi");
        assert_string_equal(call_text(&call, "class"), "otp");
        assert_true(call_has(&call, "json"));
        assert_null(call_text(&call, "from"));
    }
}

static void an_option_that_repeats_keeps_all_values_in_order(void **state)
{
    const char *scopes[3];
    char line[LINE_BYTES];
    struct call call;

    (void)state;
    assert_int_equal(parse(&call, line,
                           "token create --scope admin --client x --scope=send_sms",
                           NULL),
                     OUTCOME_OK);
    assert_int_equal(call_texts(&call, "scope", scopes, 3), 2);
    assert_string_equal(scopes[0], "admin");
    assert_string_equal(scopes[1], "send_sms");
    assert_int_equal(call_texts(&call, "scope", scopes, 1), 1);
}

static const struct {
    const char *line, *complaint;
} refused[] = {
    { "explain", "ID is missing" },
    { "status 1 2", "one argument too many: \"2\"" },
    { "status 1 --jsonn", "unknown option --jsonn" },
    { "send 1 --message", "--message wants a value: TEXT" },
    { "send 1 --json=1", "--json takes no value" },
    { "send 1 --class vip",
      "--class is \"vip\"; it may be otp|emergency|transactional|marketing" },
    { "send 1 --message a --message b", "--message is given twice" },
    { "send 1 --message \xff", "--message must be UTF-8" },
    { "explain \xff", "ID must be UTF-8" },
};

static void a_wrong_line_is_refused_and_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        char line[LINE_BYTES];
        struct call call;
        struct err err = { 0 };

        print_message("%s\n", refused[i].line);
        assert_int_equal(parse(&call, line, refused[i].line, &err), OUTCOME_REJECT);
        assert_string_equal(err.text, refused[i].complaint);
    }
}

static void help_needs_no_arguments(void **state)
{
    char line[LINE_BYTES];
    struct call call;

    (void)state;
    assert_int_equal(parse(&call, line, "status --help", NULL), OUTCOME_OK);
    assert_int_equal(parse(&call, line, "dlq show -h", NULL), OUTCOME_OK);
    assert_true(call_has(&call, "help"));
}

static void numbers_are_whole_and_in_their_range(void **state)
{
    static const struct {
        const char *line;
        enum outcome rc;
        int64_t value;
    } cases[] = {
        { "dlq list", OUTCOME_OK, 50 },
        { "dlq list --limit 7", OUTCOME_OK, 7 },
        { "dlq list --limit 0", OUTCOME_REJECT, 50 },
        { "dlq list --limit 10001", OUTCOME_REJECT, 50 },
        { "dlq list --limit -7", OUTCOME_REJECT, 50 },
        { "dlq list --limit 7x", OUTCOME_REJECT, 50 },
        { "dlq list --limit 99999999999999999999", OUTCOME_REJECT, 50 },
        { "dlq list --limit=", OUTCOME_REJECT, 50 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char line[LINE_BYTES];
        struct call call;
        int64_t value = 50;

        print_message("%s\n", cases[i].line);
        assert_int_equal(parse(&call, line, cases[i].line, NULL), OUTCOME_OK);
        assert_int_equal(call_number(&value, &call, "limit", 1, 10000, NULL),
                         cases[i].rc);
        assert_int_equal(value, cases[i].value);
    }
}

static void a_filter_says_when_it_is_about_everything(void **state)
{
    static const struct {
        const char *line;
        bool is_narrow;
    } cases[] = {
        { "dlq replay --all", false },     { "dlq replay 17", true },
        { "dlq replay --client 7", true }, { "dlq replay --since 2h", true },
        { "dlq replay --reason x", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char line[LINE_BYTES];
        struct call call;
        struct letters_filter filter;

        print_message("%s\n", cases[i].line);
        assert_int_equal(parse(&call, line, cases[i].line, NULL), OUTCOME_OK);
        assert_int_equal(letters_filter_read(&filter, &call, "{waiting}", NULL),
                         OUTCOME_OK);
        assert_int_equal(filter.is_narrow, cases[i].is_narrow);
        letters_filter_free(&filter);
    }
}

static void a_moment_is_a_day_a_time_or_so_long_ago(void **state)
{
    static const struct {
        const char *text, *time;
    } cases[] = {
        { "2026-11-21", "2026-11-21T00:00:00.000Z" },
        { "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z" },
        { "yesterday", NULL },
        { "2026-13-01", NULL },
        { "", NULL },
    };
    struct buf ago = BUF_INIT(64);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf out = BUF_INIT(64);

        print_message("%s\n", cases[i].text);
        assert_int_equal(letters_time(&out, cases[i].text), cases[i].time != NULL);
        if (cases[i].time)
            assert_string_equal(buf_text(&out), cases[i].time);
        buf_free(&out);
    }
    assert_true(letters_time(&ago, "2h"));
    assert_int_equal(strlen(buf_text(&ago)), strlen("2026-11-21T10:00:00.000Z"));
    buf_free(&ago);
}

// Completion looks at the row before only, help prints the texts as they are.
static void the_table_is_complete_and_in_groups(void **state)
{
    (void)state;
    for (const struct command *c = commands; c->words; c++) {
        size_t first = strcspn(c->words, " ");

        print_message("%s\n", c->words);
        assert_true(c->arguments && c->run && islower((unsigned char)c->summary[0]));
        assert_int_equal(c->text[strlen(c->text) - 1], '.');
        assert_int_equal(strncmp(c->example, "smsq ", 5), 0);
        assert_non_null(c->json);
        assert_true(c->positional_min <= c->positional_max);
        assert_int_equal(c->arguments[0] != '\0', c->positional_max > 0);
        for (const struct command *d = commands; d < c; d++)
            assert_false(strncmp(d->words, c->words, first + 1) == 0 &&
                         strncmp(c[-1].words, c->words, first + 1) != 0);
    }
}

static char *written_by(void (*write)(FILE *to))
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    write(to);
    (void)fclose(to);
    return text;
}

static void every_text_names_every_command(void **state)
{
    static void (*const writers[])(FILE * to) = { manual_help, manual_page,
                                                  manual_markdown, manual_completion };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        char *text = written_by(writers[i]);

        for (const struct command *c = commands; c->words; c++)
            if (!strchr(c->words, '-'))  // roff writes "\-"
                assert_non_null(strstr(text, c->words));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_and_take_values_both_ways),
        cmocka_unit_test(an_option_that_repeats_keeps_all_values_in_order),
        cmocka_unit_test(a_wrong_line_is_refused_and_says_why),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(numbers_are_whole_and_in_their_range),
        cmocka_unit_test(a_filter_says_when_it_is_about_everything),
        cmocka_unit_test(a_moment_is_a_day_a_time_or_so_long_ago),
        cmocka_unit_test(the_table_is_complete_and_in_groups),
        cmocka_unit_test(every_text_names_every_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
