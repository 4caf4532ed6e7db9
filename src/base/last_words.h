/* SPDX-License-Identifier: Apache-2.0
 * An end without a way back, such as a library that cannot start: SIGABRT alone would tell an operator nothing. */
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
