/* SPDX-License-Identifier: Apache-2.0
 * Creates encrypted disks with qemu-img. */
#include "drivers/crypt_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "drivers/image/image_tool.h"

static const struct image_tool_limits CREATE_LIMITS = {300, (size_t) 1 << 30, 0};

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
	struct str options = STR(CRYPT_FILE_OPTIONS);
	if (backing.n)
		options =
			str_print(c->arena, CRYPT_FILE_OPTIONS ",backing_file=%" STR_FMT ",backing_fmt=qcow2",
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
			  const char *to, const struct image_tool_limits *limits)
{
	const char *argv[] = {"qemu-img", "convert",
			      "--object", "secret,id=key,file=/dev/stdin",
			      "-f",       format,
			      "-O",       "qcow2",
			      "-o",       CRYPT_FILE_OPTIONS,
			      from,       to,
			      NULL};
	return run(c, key, argv, *limits, ERR_INVALID);
}

/* ---- containers, as pools of Ceph have them */

RESULT crypt_file_find_payload(struct ctx *c, struct str head, int64_t *ret_offset)
{
	enum { PAYLOAD_AT = 104, SECTOR = 512 };
	int64_t sectors = 0;
	if (head.n < CRYPT_HEAD_LOOK || memcmp(head.p, "LUKS\xba\xbe\0\1", 8) != 0)
		return ctx_fail(c, ERR_CONFLICT, "what is to be encrypted begins with no LUKS header");
	for (int k = 0; k < 4; k++)
		sectors = sectors << 8 | (unsigned char) head.p[PAYLOAD_AT + k];
	*ret_offset = sectors * SECTOR;
	return sectors > 0 && *ret_offset <= CRYPT_HEAD_MAX
		       ? OK
		       : ctx_fail(c, ERR_CONFLICT, "a LUKS header of %" PRId64 " sectors", sectors);
}

static RESULT read_head(struct ctx *c, int fd, struct str *ret_head)
{
	char *bytes = arena_new_array(c->arena, char, CRYPT_HEAD_MAX);
	int64_t size = 0;
	if (!bytes)
		return ctx_no_memory(c);
	ssize_t n = pread(fd, bytes, CRYPT_HEAD_MAX, 0);
	if (n < CRYPT_HEAD_LOOK)
		return ctx_fail(c, ERR_IO, "qemu-img made no encrypted disk");
	TRY(crypt_file_find_payload(c, (struct str){bytes, (size_t) n}, &size));
	*ret_head = (struct str){bytes, (size_t) size};
	return size <= n ? OK : ctx_fail(c, ERR_IO, "qemu-img made half of an encrypted disk");
}

RESULT crypt_file_make_head(struct ctx *c, const struct disk_key *key, struct str *ret_head)
{
	AUTO_FD fd = memfd_create("disk", MFD_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "a file in memory: %s", strerrordesc_np(errno));
	struct str path = str_print(c->arena, "/proc/%d/fd/%d", (int) getpid(), fd);
	if (!path.p)
		return ctx_no_memory(c);
	const char *argv[] = {"qemu-img",
			      "create",
			      "-q",
			      "-f",
			      "luks",
			      "--object",
			      "secret,id=key,file=/dev/stdin",
			      "-o",
			      CRYPT_CONTAINER_OPTIONS,
			      path.p,
			      "1M",
			      NULL};
	TRY(run(c, key, argv, CREATE_LIMITS, ERR_IO));
	return read_head(c, fd, ret_head);
}
