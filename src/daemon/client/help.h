/* SPDX-License-Identifier: Apache-2.0
 * Prints the pages of `dari help`, and suggests corrections for unknown commands and options. */
#pragma once

#include "daemon/command.h"

/* The default configuration file. */
extern const char help_default_config[];

/* Print to standard output, and return exit status 0. */
int help_print_all(void);
int help_print_group(const char *words);
int help_print_command(const struct command *command);

/* True for words with which longer commands begin, such as "host" and "backup machine". */
bool help_is_group(const char *words);
/* Prints the probably intended command to standard error, and its group. */
void help_suggest_command(int argc, char **argv);
/* The command's option nearest to a mistyped name; NULL: none. */
const char *help_near_option(const struct command *command, const char *name);
