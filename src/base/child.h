/* SPDX-License-Identifier: Apache-2.0
 * Running a helper program (qemu-img, ip) without a shell: argv as given, standard input from a
 * string, output captured up to a cap, a deadline after which it is killed, and rlimits so that a
 * hostile input can't take the machine with it. Blocks: never on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct child {
	const char *const *argv; /* argv[0] is an absolute path or is looked up in PATH; NULL-ended */
	struct str input;
	int64_t timeout_us;
	size_t output_cap_size;   /* 0: 1 MiB */
	size_t memory_limit_size; /* RLIMIT_AS; 0: none */
	int64_t cpu_limit_s;      /* RLIMIT_CPU; 0: none */
	int netns_fd;             /* 0: stay; else the child enters this network namespace first */
};

struct child_end {
	int status;          /* exit status, or 128 + signal */
	struct str out, err; /* in the context's arena */
};

/* ERR_NOT_FOUND (no such program), ERR_TIMEOUT, ERR_TOO_LARGE (output), ERR_IO. A non-zero exit
 * status is OK here: the caller looks. */
RESULT child_run(struct ctx *c, const struct child *child, struct child_end *ret_end);
