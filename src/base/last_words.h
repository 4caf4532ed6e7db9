/* SPDX-License-Identifier: Apache-2.0
 * Ends the process after an unrecoverable failure, such as a library that can't start, with a message:
 * SIGABRT alone would tell an operator nothing. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline _Noreturn void end_with_words(const char *words)
{
	ssize_t written = write(STDERR_FILENO, words, strlen(words));
	(void) written;
	abort();
}
