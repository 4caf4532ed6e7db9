/* SPDX-License-Identifier: Apache-2.0
 * Encrypted disks, by qemu-img. */
#include "drivers/crypt_file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/image_tool.h"

static const struct image_tool_limits CREATE_LIMITS = {300, (size_t) 1 << 30};

/* The key is as random as what is derived from it: rounds that make guessing dear are few. */
#define CRYPT_OPTIONS "compat=1.1,encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"

static RESULT run(struct ctx *c, const struct disk_key *key, const char *const *argv,
		  struct image_tool_limits limits, enum err failure)
{
	const struct image_tool tool = {argv, key, limits, failure, "qemu-img makes no encrypted disk"};
	struct str output = STR_NONE;
	return image_tool_run(c, &tool, &output);
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
	TRY(run(c, key, argv, CREATE_LIMITS, ERR_IO));
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
	return run(c, key, argv, IMAGE_TOOL_LONG, ERR_INVALID);
}
