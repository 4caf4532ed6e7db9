/* SPDX-License-Identifier: Apache-2.0
 * Private to base/child.c: environments of child processes, and processes found by their environment. */
#pragma once

#include "base/ctx.h"

enum { CHILD_MARK_SIZE = 48 };

struct child_environment {
	char *const *at;            /* NULL-terminated, in the context's arena */
	char mark[CHILD_MARK_SIZE]; /* variable that no other process has; empty: none */
};

/* Copies the process's environment without variables that are meant for Dari alone: sockets and credentials of the service manager,
 * PostgreSQL's, and Dari's own. is_marked: adds the mark, which descendants inherit. */
RESULT child_environment_make(struct ctx *c, bool is_marked, struct child_environment *ret_environment);
/* Kills all processes with the mark. A process that has replaced its environment is not found. */
void child_environment_kill(const struct child_environment *environment);
