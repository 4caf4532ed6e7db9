/* SPDX-License-Identifier: Apache-2.0
 * Prints the pages of `dari help`, and suggests commands and options for words that are none. */
#pragma once

#include "daemon/command.h"

/* The configuration that is read where nothing names another. */
extern const char help_default_config[];

/* All print to standard output, and return the exit status 0. */
int help_print_all(void);
int help_print_group(const char *word);
int help_print_command(const struct command *command);

/* True for the first word of several commands, such as "host". */
bool help_is_group(const char *word);
/* Says on standard error which command the words are probably meant for, and lists their group. */
void help_suggest_command(int argc, char **argv);
/* The option of the command that is nearest to a mistyped name; NULL: none is near. */
const char *help_near_option(const struct command *command, const char *name);
