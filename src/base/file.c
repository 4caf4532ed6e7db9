/* SPDX-License-Identifier: Apache-2.0
 * File operations. Each system call that reads or changes a disk has its own fault point, so tests can
 * produce every state that a crash or a full disk can leave. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/heap.h"
#include "base/random.h"

void fd_autoclose(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd);
	*fd = -1;
}

/* Fails like a defective disk, with errno set, when the fault point fires. */
static bool disk_fails(void)
{
	if (!fault_fires(FAULT_FILE))
		return false;
	errno = EIO;
	return true;
}

/* A service of systemd sees most of the machine as a read-only file system, and operators cannot guess why. */
#define READ_ONLY_HINT                                                                                       \
	". If dari runs as a service, allow it: `systemctl edit dari` with [Service] and ReadWritePaths= "   \
	"the "                                                                                               \
	"directory, which must exist; then `systemctl restart dari`"

static RESULT fail_errno(struct ctx *c, const char *what, const char *path)
{
	int number = errno;
	char text[128];
	enum err err = ERR_IO;
	if (number == ENOENT || number == ENOTDIR)
		err = ERR_NOT_FOUND;
	if (number == EEXIST)
		err = ERR_EXISTS;
	return ctx_fail(c, err, "cannot %s %s: %s%s", what, path, strerror_r(number, text, sizeof text),
			number == EROFS ? READ_ONLY_HINT : "");
}

static int open_file(const char *path, int flags, mode_t mode)
{
	if (disk_fails())
		return -1;
	int fd = -1;
	do {
		fd = open(path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

/* Reads size bytes, fewer at the end of the file. -1: see errno. */
static ssize_t read_up_to(int fd, char *p, size_t size)
{
	size_t n = 0;
	while (n < size) {
		if (disk_fails())
			return -1;
		ssize_t got = read(fd, p + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t) got;
	}
	return (ssize_t) n;
}

RESULT file_read(struct ctx *c, const char *path, size_t cap_size, struct str *ret_bytes)
{
	AUTO_FD fd = open_file(path, O_RDONLY, 0);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail_errno(c, "read", path);
	/* st_size is only an estimate: it is 0 for kernel-generated files, and files may grow */
	size_t have = 0, room = st.st_size > 0 ? (size_t) st.st_size : 4096;
	char *p = NULL;
	for (;;) {
		if (room > cap_size)
			room = cap_size;
		char *wider = room < SIZE_MAX - 2 ? arena_alloc(c->arena, room + 2) : NULL;
		if (!wider)
			return ctx_no_memory(c);
		if (have)
			memcpy(wider, p, have);
		p = wider;
		/* one byte more, to detect the end */
		ssize_t got = read_up_to(fd, p + have, room + 1 - have);
		if (got < 0)
			return fail_errno(c, "read", path);
		have += (size_t) got;
		if (have <= room)
			break;
		if (room == cap_size)
			return ctx_fail(c, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, cap_size);
		room = room > SIZE_MAX / 4 ? cap_size : room * 2;
	}
	p[have] = 0;
	*ret_bytes = (struct str){p, have};
	return OK;
}

static bool write_all(int fd, struct str bytes)
{
	while (bytes.n) {
		if (disk_fails())
			return false;
		ssize_t put = write(fd, bytes.p, bytes.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes = str_slice(bytes, (size_t) put, bytes.n);
	}
	return true;
}

static bool sync_fd(int fd)
{
	return !disk_fails() && fsync(fd) == 0;
}

static bool sync_path(const char *path)
{
	AUTO_FD fd = open_file(path, O_RDONLY, 0);
	return fd >= 0 && sync_fd(fd);
}

RESULT file_sync_parent(struct ctx *c, const char *path)
{
	struct str whole = str_from(path);
	size_t end = whole.n;
	while (end > 0 && path[end - 1] != '/')
		end--;
	const char *parent = end ? str_to_z(c->arena, str_slice(whole, 0, end)) : ".";
	if (!*parent)
		return ctx_no_memory(c);
	return sync_path(parent) ? OK : fail_errno(c, "sync", parent);
}

static bool rename_path(const char *from, const char *to)
{
	return !disk_fails() && rename(from, to) == 0;
}

/* Creates a new file in path's directory; *ret_name: its name. -1: see errno. */
static int create_beside(struct ctx *c, const char *path, struct str *ret_name)
{
	enum { TRIES = 16 }; /* a crash may have left such a name, which a seeded test generates again */
	for (int k = 0; k < TRIES; k++) {
		struct str name = str_print(c->arena, "%s.%08" PRIx32 ".tmp", path, (uint32_t) random_u64());
		if (!name.p) {
			errno = ENOMEM;
			return -1;
		}
		*ret_name = name;
		int fd = open_file(name.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static RESULT write_and_rename(struct ctx *c, int fd, const char *name, const char *path, struct str bytes,
			       mode_t mode)
{
	if (!write_all(fd, bytes) || fchmod(fd, mode) != 0 || !sync_fd(fd))
		return fail_errno(c, "write", name);
	if (!rename_path(name, path))
		return fail_errno(c, "rename to", path);
	return file_sync_parent(c, path);
}

RESULT file_write_synced(struct ctx *c, const char *path, struct str bytes, mode_t mode)
{
	struct str name = STR_NONE;
	AUTO_FD fd = create_beside(c, path, &name);
	if (fd < 0 && !name.p)
		return ctx_no_memory(c);
	if (fd < 0)
		return fail_errno(c, "create", name.p);
	struct result r = write_and_rename(c, fd, name.p, path, bytes, mode);
	if (!result_is_ok(r))
		(void) unlink(name.p); /* already renamed if only the directory's sync failed */
	return r;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static RESULT make_one_directory(struct ctx *c, const char *path, mode_t mode)
{
	if (disk_fails())
		return fail_errno(c, "make directory", path);
	if (mkdir(path, mode) == 0)
		return OK;
	if (errno == EEXIST && is_directory(path))
		return OK;
	return fail_errno(c, "make directory", path);
}

RESULT file_make_directory(struct ctx *c, const char *path, mode_t mode)
{
	struct str whole = str_from(path);
	for (size_t at = 1; at <= whole.n; at++) {
		if (at < whole.n && path[at] != '/')
			continue;
		const char *part = str_to_z(c->arena, str_slice(whole, 0, at));
		if (!*part)
			return ctx_no_memory(c);
		TRY(make_one_directory(c, part, at < whole.n ? mode | 0700 : mode));
	}
	return OK;
}

RESULT file_rename_synced(struct ctx *c, const char *from, const char *to)
{
	if (!sync_path(from)) /* otherwise, after a crash, the new name could have old content or none */
		return fail_errno(c, "sync", from);
	if (!rename_path(from, to))
		return fail_errno(c, "rename to", to);
	TRY(file_sync_parent(c, to));
	return file_sync_parent(c, from);
}

RESULT file_delete(struct ctx *c, const char *path)
{
	if (disk_fails())
		return fail_errno(c, "delete", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(c, "delete", path);
	return OK;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void) st;
	(void) kind;
	(void) where;
	(void) remove(path);
	return 0;
}

/* Without FTW_MOUNT: an overlay's files have other devices than its directories. */
void file_remove_tree(const char *path)
{
	enum { DESCRIPTORS = 16 };
	(void) nftw(path, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

RESULT file_size(struct ctx *c, const char *path, int64_t *ret_size)
{
	struct stat st;
	if (disk_fails() || stat(path, &st) != 0)
		return fail_errno(c, "look at", path);
	*ret_size = st.st_size;
	return OK;
}
