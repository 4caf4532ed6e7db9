/* SPDX-License-Identifier: Apache-2.0
 * Order of writes: content, then digest. So a digest proves that the content was written, as far as this boot goes.
 *
 * Locks are those of an open file, which exclude threads, too: a call that writes a block holds the head of the file of
 * digests shared, and its digest exclusively; sealing and removing hold the head exclusively. */
#include "drivers/block_upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/disk_room.h"

enum { HEAD_SIZE = 4096, BOOT_SIZE = 36, PATH_SIZE = 1024, READ_DIGESTS = 2048 };
#define PREFIX "snapshot-"
#define SEAL "s" /* after the boot */
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

static void path_of(const struct block_upload *u, const char *suffix, char path[static PATH_SIZE])
{
	char id[UUID_TEXT_SIZE];
	(void) snprintf(path, PATH_SIZE, "%s/" PREFIX "%s%s", u->directory, uuid_write(u->id, id), suffix);
}

static RESULT fail_file(struct ctx *c, const char *path)
{
	if (errno == EFBIG)
		return ctx_fail(c, ERR_RANGE, "The image store's file system holds no disk of that size.");
	return errno == ENOSPC || errno == EDQUOT
		       ? disk_room_fail(c, DISK_BLOCK_SIZE)
		       : ctx_fail(c, ERR_IO, "the file %s: %s", path, strerrordesc_np(errno));
}

static RESULT write_at(struct ctx *c, int fd, const void *bytes, size_t size, int64_t at, const char *path)
{
	const char *p = bytes;
	while (size > 0) {
		ssize_t n = pwrite(fd, p, size, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_file(c, path);
		p += n;
		size -= (size_t) n;
		at += n;
	}
	return OK;
}

/* *ret_size: less than asked for at the end of the file. */
static RESULT read_at(struct ctx *c, int fd, void *bytes, size_t size, int64_t at, const char *path,
		      size_t *ret_size)
{
	char *p = bytes;
	*ret_size = 0;
	while (*ret_size < size) {
		ssize_t n = pread(fd, p + *ret_size, size - *ret_size, at + (int64_t) *ret_size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_file(c, path);
		if (n == 0)
			return OK;
		*ret_size += (size_t) n;
	}
	return OK;
}

/* Waits for a lock of the open file, which ends when it is closed. */
static RESULT lock_range(struct ctx *c, int fd, short type, int64_t at, int64_t size, const char *path)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = size};
	while (fcntl(fd, F_OFD_SETLKW, &lock) != 0)
		if (errno != EINTR)
			return fail_file(c, path);
	return OK;
}

/* Writes the boot into a new file of digests, or compares it. Threads that find an empty file write the same bytes. */
static RESULT check_boot(struct ctx *c, int fd, const char *path)
{
	char there[BOOT_SIZE], boot[BOOT_SIZE];
	size_t size = 0;
	AUTO_FD system = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	if (system < 0)
		return fail_file(c, BOOT_FILE);
	TRY(read_at(c, system, boot, sizeof boot, 0, BOOT_FILE, &size));
	if (size < sizeof boot)
		return ctx_fail(c, ERR_INTERNAL, "%s is too short", BOOT_FILE);
	TRY(read_at(c, fd, there, sizeof there, 0, path, &size));
	if (size == 0)
		return write_at(c, fd, boot, sizeof boot, 0, path);
	return size == sizeof there && memcmp(there, boot, sizeof there) == 0
		       ? OK
		       : ctx_fail(c, ERR_STATE,
				  "Blocks may be lost: the machine was restarted before the snapshot was "
				  "completed.");
}

static int64_t digest_at(int64_t index)
{
	return HEAD_SIZE + index * SHA256_SIZE;
}

/* Locks the upload for writing one block. Calls that write the same block follow each other, so that its digest is that of
 * its content. ERR_STATE: sealed or removed since the caller looked. */
static RESULT lock_block(struct ctx *c, int map, int64_t index, const char *path)
{
	struct stat st;
	char flag = 0;
	size_t size = 0;
	TRY(lock_range(c, map, F_RDLCK, 0, HEAD_SIZE, path));
	TRY(check_boot(c, map, path));
	if (fstat(map, &st) != 0)
		return fail_file(c, path);
	TRY(read_at(c, map, &flag, 1, BOOT_SIZE, path, &size));
	if (st.st_nlink == 0 || flag == SEAL[0])
		return ctx_fail(c, ERR_STATE, "The snapshot is not pending any more.");
	return lock_range(c, map, F_WRLCK, digest_at(index), SHA256_SIZE, path);
}

RESULT block_upload_put(struct ctx *c, const struct block_upload *u, int64_t index,
			const uint8_t bytes[static DISK_BLOCK_SIZE], const uint8_t digest[static SHA256_SIZE])
{
	char path[PATH_SIZE], map_path[PATH_SIZE];
	if (index < 0 || index >= disk_blocks_count(u->size))
		return ctx_fail(c, ERR_RANGE, "The disk has %lld blocks.",
				(long long) disk_blocks_count(u->size));
	TRY(disk_room_check(c, u->directory, DISK_BLOCK_SIZE));
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, map_path);
	AUTO_FD map = open(map_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (map < 0)
		return fail_file(c, map_path);
	TRY(lock_block(c, map, index, map_path));
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_file(c, path);
	TRY(write_at(c, fd, bytes, DISK_BLOCK_SIZE, index * DISK_BLOCK_SIZE, path));
	return write_at(c, map, digest, SHA256_SIZE, digest_at(index), map_path);
}

static RESULT punch(struct ctx *c, int fd, int64_t at, int64_t size, const char *path)
{
	while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, size) != 0)
		if (errno != EINTR)
			return fail_file(c, path);
	return OK;
}

RESULT block_upload_clear(struct ctx *c, const struct block_upload *u, int64_t index)
{
	static const uint8_t none[SHA256_SIZE];
	char path[PATH_SIZE], map_path[PATH_SIZE];
	if (index < 0 || index >= disk_blocks_count(u->size))
		return ctx_fail(c, ERR_RANGE, "The disk has %lld blocks.",
				(long long) disk_blocks_count(u->size));
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, map_path);
	AUTO_FD map = open(map_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (map < 0)
		return fail_file(c, map_path);
	TRY(lock_block(c, map, index, map_path));
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_file(c, path);
	TRY(write_at(c, map, none, sizeof none, digest_at(index), map_path));
	return punch(c, fd, index * DISK_BLOCK_SIZE, DISK_BLOCK_SIZE, path);
}

/* fd -1: there are no files. */
static RESULT open_map(struct ctx *c, const struct block_upload *u, char path[static PATH_SIZE], int *ret_fd)
{
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, path);
	*ret_fd = open(path, O_RDWR | O_CLOEXEC);
	if (*ret_fd < 0)
		return errno == ENOENT ? OK : fail_file(c, path);
	return check_boot(c, *ret_fd, path);
}

/* Adds the digests of a piece of the file. An all-zero one is a hole: the block was not written. */
static void add_digests(const uint8_t *digests, size_t size, struct crypto_digest *hash,
			struct block_upload_sum *sum)
{
	static const uint8_t none[SHA256_SIZE];
	for (; size >= SHA256_SIZE; digests += SHA256_SIZE, size -= SHA256_SIZE)
		if (memcmp(digests, none, sizeof none) != 0) {
			sum->count++;
			crypto_digest_add(hash, (struct str){(const char *) digests, SHA256_SIZE});
		}
}

/* Skips holes: a disk of 64 TiB has digests of 4 GiB, of which a client may have written the last one alone. */
static RESULT sum_digests(struct ctx *c, int fd, const char *path, struct crypto_digest *hash,
			  struct block_upload_sum *sum)
{
	uint8_t *digests = arena_alloc_array(c->arena, READ_DIGESTS, SHA256_SIZE);
	if (!digests)
		return ctx_no_memory(c);
	for (int64_t at = 0;;) {
		size_t size = 0;
		int64_t data = lseek(fd, digest_at(at), SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? OK : fail_file(c, path);
		at = (data - HEAD_SIZE) / SHA256_SIZE;
		TRY(read_at(c, fd, digests, (size_t) READ_DIGESTS * SHA256_SIZE, digest_at(at), path, &size));
		add_digests(digests, size, hash, sum);
		at += READ_DIGESTS;
	}
}

RESULT block_upload_sum(struct ctx *c, const struct block_upload *u, struct block_upload_sum *ret_sum)
{
	char path[PATH_SIZE];
	struct crypto_digest *hash = crypto_digest_new(CRYPTO_SHA256);
	AUTO_FD map = -1;
	*ret_sum = (struct block_upload_sum){0};
	if (!hash)
		return ctx_no_memory(c);
	struct result result = open_map(c, u, path, &map);
	if (result_is_ok(result) && map >= 0)
		result = sum_digests(c, map, path, hash, ret_sum);
	ret_sum->sha256 = crypto_digest_end(hash, c->arena);
	crypto_digest_free(hash);
	return result_is_ok(result) && !ret_sum->sha256.p ? ctx_no_memory(c) : result;
}

int64_t block_upload_written_us(const struct block_upload *u)
{
	char path[PATH_SIZE];
	struct stat st;
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, path);
	return stat(path, &st) == 0 ? (int64_t) st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec / 1000 : 0;
}

/* ---- the image ---- */

struct filling {
	struct qcow2_file *over;
	int map, fd; /* map -1: no block was written */
	const char *map_path, *path;
	uint8_t *bytes;
};

static RESULT was_written(struct ctx *c, const struct filling *f, int64_t index, bool *ret_was)
{
	static const uint8_t none[SHA256_SIZE];
	uint8_t digest[SHA256_SIZE] = {0};
	size_t size = 0;
	if (f->map >= 0)
		TRY(read_at(c, f->map, digest, sizeof digest, digest_at(index), f->map_path, &size));
	*ret_was = memcmp(digest, none, sizeof none) != 0;
	return OK;
}

/* Copies the blocks of the file below that were not written. */
static RESULT fill_rest(struct ctx *c, const struct filling *f)
{
	for (int64_t index = 0;; index++) {
		bool is_there = false;
		TRY(disk_blocks_find_next(f->over, c, index, &index));
		if (index < 0)
			return OK;
		TRY(was_written(c, f, index, &is_there));
		if (is_there)
			continue;
		TRY(disk_blocks_read(f->over, c, index, f->bytes, &is_there));
		TRY(write_at(c, f->fd, f->bytes, DISK_BLOCK_SIZE, index * DISK_BLOCK_SIZE, f->path));
	}
}

static RESULT fill(struct ctx *c, const struct block_upload *u, const char *over, int fd, const char *path)
{
	char map_path[PATH_SIZE];
	AUTO_QCOW2_FILE *file = NULL;
	AUTO_FD map = -1;
	uint8_t *bytes = arena_alloc(c->arena, DISK_BLOCK_SIZE);
	if (!bytes)
		return ctx_no_memory(c);
	struct result result = qcow2_open(c, over, &file);
	if (result.code == ERR_IO)
		return ctx_fail(c, ERR_GONE, "The parent snapshot's file is missing.");
	TRY(result);
	TRY(open_map(c, u, map_path, &map));
	return fill_rest(c, &(struct filling){file, map, fd, map_path, path, bytes});
}

/* Waits for the calls that are writing a block, and refuses those that come later. */
static RESULT seal(struct ctx *c, const struct block_upload *u)
{
	char path[PATH_SIZE];
	AUTO_FD map = -1;
	TRY(open_map(c, u, path, &map));
	if (map < 0)
		return OK;
	TRY(lock_range(c, map, F_WRLCK, 0, HEAD_SIZE, path));
	return write_at(c, map, SEAL, 1, BOOT_SIZE, path);
}

RESULT block_upload_import(struct ctx *c, const struct block_upload *u, const char *over,
			   const struct disk_key *key, const struct disk_payer *payer,
			   struct image_file *ret_file)
{
	char path[PATH_SIZE];
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
	TRY(seal(c, u));
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_file(c, path);
	if (over)
		TRY(fill(c, u, over, fd, path));
	if (ftruncate(fd, u->size) != 0)
		return fail_file(c, path);
	return image_file_import(c, path, STR("raw"), key, payer, u->directory, ret_file);
}

void block_upload_remove(const struct block_upload *u)
{
	char path[PATH_SIZE], map_path[PATH_SIZE];
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, map_path);
	AUTO_FD map = open(map_path, O_RDWR | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = HEAD_SIZE};
	while (map >= 0 && fcntl(map, F_OFD_SETLKW, &lock) != 0 && errno == EINTR)
		; /* removes the file even if locking fails */
	(void) unlink(path);
	(void) unlink(map_path);
}

/* The id in the name of an upload's file; none: another file. */
static uuid id_in(struct str name)
{
	uuid id = UUID_NONE;
	struct str suffix = str_ends_with(name, STR(BLOCK_UPLOAD_SUFFIX)) ? STR(BLOCK_UPLOAD_SUFFIX)
									  : STR(BLOCK_UPLOAD_MAP_SUFFIX);
	bool is_one = str_starts_with(name, STR(PREFIX)) && str_ends_with(name, suffix) &&
		      result_is_ok(uuid_parse(str_slice(name, strlen(PREFIX), name.n - suffix.n), &id));
	return is_one ? id : UUID_NONE;
}

void block_upload_collect(const char *directory, bool (*is_needed)(void *arg, uuid id), void *arg)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir))) {
		struct block_upload upload = {.directory = directory, .id = id_in(str_from(entry->d_name))};
		if (!uuid_is_none(upload.id) && !is_needed(arg, upload.id))
			block_upload_remove(&upload);
	}
	if (dir)
		(void) closedir(dir);
}
