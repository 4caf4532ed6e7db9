/* SPDX-License-Identifier: Apache-2.0
 * Encrypted disks, by qemu-img. */
#include "drivers/crypt_file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"

enum { CREATE_TIMEOUT_S = 300, CONVERT_TIMEOUT_S = 3600 };
static const size_t CREATE_MEMORY = (size_t) 1 << 30, CONVERT_MEMORY = (size_t) 4 << 30;

/* The key is as random as what is derived from it: rounds that make guessing dear are few. */
#define CRYPT_OPTIONS "compat=1.1,encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"

/* qemu-img measures how long its derivation of a key takes, and gives up where the clock of its thread's work
 * has not ticked meanwhile. Nothing was made then, and nothing is the matter: who asks again finds it so. */
static bool has_not_ticked(const struct child_end *end)
{
	return str_contains(end->err, STR("accurate CPU usage"));
}

static RESULT run(struct ctx *c, const struct disk_key *key, const char *const *argv, int64_t timeout_s,
		  size_t memory, enum err failure)
{
	struct child child = {.argv = argv,
			      .input = str_from(key->text),
			      .timeout_us = timeout_s * SECOND,
			      .memory_limit_size = memory,
			      .cpu_limit_s = timeout_s};
	struct child_end end = {0};
	TRY(child_run(c, &child, &end));
	if (end.status == 0)
		return OK;
	return ctx_fail(c, has_not_ticked(&end) ? ERR_AGAIN : failure,
			"qemu-img makes no encrypted disk: %" STR_FMT, STR_ARG(str_trim(end.err)));
}

RESULT crypt_file_create(struct ctx *c, const struct disk_key *key, int64_t size, struct str backing,
			 int *ret_fd)
{
	AUTO_FD fd = memfd_create("disk", MFD_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "a file in memory: %s", strerrordesc_np(errno));
	struct str path = str_print(c->arena, "/proc/%d/fd/%d", (int) getpid(), fd);
	struct str bytes = str_print(c->arena, "%" PRId64, size);
	struct str options = STR(CRYPT_OPTIONS);
	if (backing.n)
		options = str_print(c->arena, CRYPT_OPTIONS ",backing_file=%" STR_FMT ",backing_fmt=qcow2",
				    STR_ARG(backing));
	if (!path.p || !bytes.p || !options.p)
		return ctx_no_memory(c);
	const char *argv[] = {"qemu-img", "create",  "-q",       "-u",
			      "-f",       "qcow2",   "--object", "secret,id=key,file=/dev/stdin",
			      "-o",       options.p, path.p,     bytes.p,
			      NULL};
	TRY(run(c, key, argv, CREATE_TIMEOUT_S, CREATE_MEMORY, ERR_IO));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

RESULT crypt_file_convert(struct ctx *c, const struct disk_key *key, const char *from, const char *format,
			  const char *to)
{
	const char *argv[] = {"qemu-img", "convert",     "--object", "secret,id=key,file=/dev/stdin",
			      "-f",       format,        "-O",       "qcow2",
			      "-o",       CRYPT_OPTIONS, from,       to,
			      NULL};
	return run(c, key, argv, CONVERT_TIMEOUT_S, CONVERT_MEMORY, ERR_INVALID);
}
