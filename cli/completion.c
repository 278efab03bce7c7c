// The completion script for bash: a list of cases made of the table, and a short function
// that is the same for all commands.
#include "command.h"
#include "manual.h"

#include <string.h>

static void print_words(FILE *to, const char *words)
{
    for (; *words; words++)
        fputc(*words == '|' ? ' ' : *words, to);
}

static void print_options(FILE *to, const struct command *c)
{
    fprintf(to, "    'options:%s') echo '", c->words);
    for (const struct option *o = c->options; o && o->name; o++)
        fprintf(to, "--%s ", o->name);
    for (const struct option *o = command_common_options; o->name; o++)
        fprintf(to, "--%s ", o->name);
    fputs("' ;;\n", to);
}

static void print_values(FILE *to, const struct command *c)
{
    for (const struct option *o = c->options; o && o->name; o++) {
        if (!o->value)
            continue;
        fprintf(to, "    'values:%s --%s') echo '", c->words, o->name);
        print_words(to, o->words ? o->words : "");
        fputs("' ;;\n", to);
    }
}

// The commands stand in groups: only the row before may have the same first word.
static bool is_first_of_group(const struct command *c)
{
    size_t len = strcspn(c->words, " ");

    return c == commands || strncmp(c[-1].words, c->words, len + 1) != 0;
}

// The words behind "token", or what may stand for the argument.
static void print_next(FILE *to, const struct command *c)
{
    size_t len = strcspn(c->words, " ");

    if (c->argument_words || !c->words[len]) {
        fprintf(to, "    'words:%s') echo '", c->words);
        print_words(to, c->argument_words ? c->argument_words : "");
        fputs("' ;;\n", to);
    }
    if (!c->words[len] || !is_first_of_group(c))
        return;
    fprintf(to, "    'words:%.*s') echo '", (int)len, c->words);
    for (const struct command *one = c; one->words; one++)
        if (strncmp(one->words, c->words, len + 1) == 0)
            fprintf(to, "%s ", one->words + len + 1);
    fputs("' ;;\n", to);
}

static void print_first_words(FILE *to)
{
    fputs("    'words:') echo '", to);
    for (const struct command *c = commands; c->words; c++)
        if (is_first_of_group(c))
            fprintf(to, "%.*s ", (int)strcspn(c->words, " "), c->words);
    fputs("settings' ;;\n", to);
}

static const char head[] = "# bash completion for smsq, made by: smsq completion bash\n"
                           "\n"
                           "_smsq_known() {\n"
                           "    case $1 in\n";

// Options stand anywhere, so the command is what the words without '-' begin with.
static const char tail[] =
    "    *) return 1 ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "_smsq() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command='' next word choices=''\n"
    "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
    "        next=$command${command:+ }$word\n"
    "        if _smsq_known \"words:$next\" || _smsq_known \"options:$next\"; then\n"
    "            command=$next\n"
    "        fi >/dev/null\n"
    "    done\n"
    "    if [[ $before != --* ]] || ! choices=$(_smsq_known \"values:$command "
    "$before\")\n"
    "    then\n"
    "        case $current in\n"
    "        -*) choices=$(_smsq_known \"options:$command\" || true) ;;\n"
    "        *) choices=$(_smsq_known \"words:$command\" || true) ;;\n"
    "        esac\n"
    "    fi\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
    "}\n"
    "\n"
    "complete -o default -F _smsq smsq\n";

void manual_completion(FILE *to)
{
    fputs(head, to);
    print_first_words(to);
    for (const struct command *c = commands; c->words; c++) {
        print_next(to, c);
        print_options(to, c);
        print_values(to, c);
    }
    fputs(tail, to);
}
