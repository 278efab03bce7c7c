// manual.h: the table of commands as --help, man pages, Markdown and bash completion.
#ifndef MANUAL_H
#define MANUAL_H

#include "base.h"

#include <stdio.h>

struct command;

// manual_help prints what smsq --help shows; manual_command_help that of one command.
void manual_help(FILE *to);
void manual_command_help(FILE *to, const struct command *command);

// manual_page writes smsq(1), manual_command_page that of a command:
// smsq-token-create(1).
void manual_page(FILE *to);
void manual_command_page(FILE *to, const struct command *command);

// manual_markdown writes the reference part of docs/cli.md.
void manual_markdown(FILE *to);

// manual_completion writes the script for bash.
void manual_completion(FILE *to);

#endif
