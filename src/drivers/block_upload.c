/* SPDX-License-Identifier: Apache-2.0
 * Order of writes: content, then digest. So a digest proves that the content was written, as far as this boot goes. */
#include "drivers/block_upload.h"

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
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

static void path_of(const struct block_upload *u, const char *suffix, char path[static PATH_SIZE])
{
	char id[UUID_TEXT_SIZE];
	(void) snprintf(path, PATH_SIZE, "%s/snapshot-%s%s", u->directory, uuid_write(u->id, id), suffix);
}

static RESULT fail_file(struct ctx *c, const char *path)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG
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
	TRY(check_boot(c, map, map_path));
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_file(c, path);
	TRY(write_at(c, fd, bytes, DISK_BLOCK_SIZE, index * DISK_BLOCK_SIZE, path));
	return write_at(c, map, digest, SHA256_SIZE, digest_at(index), map_path);
}

/* Calls each written block in order. */
struct walk {
	RESULT (*visit)(struct walk *w, int64_t index, const uint8_t *digest); /* digest NULL: not written */
	struct ctx *c;
	void *arg;
};

static RESULT walk_digests(struct walk *w, const struct block_upload *u, int fd, const char *path)
{
	static const uint8_t none[SHA256_SIZE];
	int64_t count = disk_blocks_count(u->size);
	uint8_t *digests = arena_alloc_array(w->c->arena, READ_DIGESTS, SHA256_SIZE);
	if (!digests)
		return ctx_no_memory(w->c);
	for (int64_t at = 0; at < count; at += READ_DIGESTS) {
		size_t size = 0;
		TRY(read_at(w->c, fd, digests, (size_t) READ_DIGESTS * SHA256_SIZE, digest_at(at), path,
			    &size));
		for (int64_t k = 0; k < READ_DIGESTS && at + k < count; k++) {
			const uint8_t *digest = digests + k * SHA256_SIZE;
			bool is_there = (size_t) (k + 1) * SHA256_SIZE <= size &&
					memcmp(digest, none, sizeof none) != 0;
			TRY(w->visit(w, at + k, is_there ? digest : NULL));
		}
	}
	return OK;
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

struct summing {
	struct block_upload_sum *sum;
	struct crypto_digest *hash;
};

static RESULT add_digest(struct walk *w, int64_t index, const uint8_t *digest)
{
	struct summing *s = w->arg;
	(void) index;
	if (!digest)
		return OK;
	s->sum->count++;
	crypto_digest_add(s->hash, (struct str){(const char *) digest, SHA256_SIZE});
	return OK;
}

RESULT block_upload_sum(struct ctx *c, const struct block_upload *u, struct block_upload_sum *ret_sum)
{
	char path[PATH_SIZE];
	struct summing summing = {ret_sum, crypto_digest_new(CRYPTO_SHA256)};
	struct walk walk = {.visit = add_digest, .c = c, .arg = &summing};
	AUTO_FD map = -1;
	*ret_sum = (struct block_upload_sum){0};
	if (!summing.hash)
		return ctx_no_memory(c);
	struct result result = open_map(c, u, path, &map);
	if (result_is_ok(result) && map >= 0)
		result = walk_digests(&walk, u, map, path);
	ret_sum->sha256 = crypto_digest_end(summing.hash, c->arena);
	crypto_digest_free(summing.hash);
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
	int fd;
	const char *path;
	uint8_t *bytes;
};

/* Copies a block that was not written from the file below. */
static RESULT fill_block(struct walk *w, int64_t index, const uint8_t *digest)
{
	struct filling *f = w->arg;
	bool has_data = false;
	if (digest || index >= disk_blocks_count(qcow2_size(f->over)))
		return OK;
	TRY(disk_blocks_read(f->over, w->c, index, f->bytes, &has_data));
	return has_data ? write_at(w->c, f->fd, f->bytes, DISK_BLOCK_SIZE, index * DISK_BLOCK_SIZE, f->path)
			: OK;
}

/* Without a file of digests no block was written, and all come from below. */
static RESULT fill_rest(struct walk *w, const struct block_upload *u)
{
	char path[PATH_SIZE];
	AUTO_FD map = -1;
	TRY(open_map(w->c, u, path, &map));
	if (map >= 0)
		return walk_digests(w, u, map, path);
	for (int64_t k = 0; k < disk_blocks_count(u->size); k++)
		TRY(fill_block(w, k, NULL));
	return OK;
}

static RESULT fill(struct ctx *c, const struct block_upload *u, const char *over, int fd, const char *path)
{
	AUTO_QCOW2_FILE *file = NULL;
	struct filling filling = {.fd = fd, .path = path, .bytes = arena_alloc(c->arena, DISK_BLOCK_SIZE)};
	struct walk walk = {.visit = fill_block, .c = c, .arg = &filling};
	if (!filling.bytes)
		return ctx_no_memory(c);
	struct result result = qcow2_open(c, over, &file);
	if (result.code == ERR_IO)
		return ctx_fail(c, ERR_GONE, "The parent snapshot's file is missing.");
	TRY(result);
	filling.over = file;
	return fill_rest(&walk, u);
}

RESULT block_upload_import(struct ctx *c, const struct block_upload *u, const char *over,
			   const struct disk_key *key, const struct disk_payer *payer,
			   struct image_file *ret_file)
{
	char path[PATH_SIZE];
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
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
	char path[PATH_SIZE];
	path_of(u, BLOCK_UPLOAD_SUFFIX, path);
	(void) unlink(path);
	path_of(u, BLOCK_UPLOAD_MAP_SUFFIX, path);
	(void) unlink(path);
}
