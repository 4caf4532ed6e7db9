/* SPDX-License-Identifier: Apache-2.0
 * Runs another program (qemu-img, ip) without a shell. argv is passed unchanged, standard input comes from a
 * string, the environment is Dari's without sockets of the service manager and without credentials, and output is
 * captured up to a cap. The program is killed at its deadline; limits on memory and CPU
 * time protect the machine against hostile input. Blocks: never use it on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct child {
	const char *const *argv; /* NULL-terminated; argv[0] is an absolute path, or searched in PATH */
	struct str input;
	int64_t timeout_us;
	size_t output_cap_size;   /* 0: 1 MiB */
	size_t memory_limit_size; /* RLIMIT_AS; 0: none */
	bool keeps_ends; /* output beyond the cap is dropped, and a killed program's output is returned */
	/* Kills all descendants at the end, in other process groups and sessions, too. Otherwise a program that ends by
	 * itself may leave daemons. */
	bool ends_descendants;
	bool (*is_over)(
		void *over_of); /* asked every second: true kills the program, ERR_GONE; NULL: never */
	void *over_of;
	int64_t cpu_limit_s;     /* RLIMIT_CPU; 0: none */
	int64_t file_limit_size; /* RLIMIT_FSIZE; 0: none. Exceeding it gives status 128 + SIGXFSZ */
	int netns_fd;            /* 0: the current one; otherwise the program starts in this network
				   * namespace */
};

struct child_end {
	int status;          /* exit status, or 128 + signal */
	struct str out, err; /* in the context's arena; with keeps_ends also after ERR_TIMEOUT and ERR_GONE */
};

/* ERR_NOT_FOUND: no such program. ERR_TIMEOUT. ERR_TOO_LARGE: too much output. ERR_IO. A nonzero exit status
 * is OK, for the caller to check. */
RESULT child_run(struct ctx *c, const struct child *child, struct child_end *ret_end);
