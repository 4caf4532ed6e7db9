/* SPDX-License-Identifier: Apache-2.0
 * The image store's files: check, convert, digest, store, collect. Uploads and downloads arrive through
 * image_upload.c. */
#include "drivers/image/image_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "base/random.h"
#include "drivers/crypt_file.h"
#include "drivers/image/image_header.h"
#include "drivers/image/image_tool.h"

enum { SECTOR_SIZE = 512 };
static const struct image_tool_limits INFO_LIMITS = {30, (size_t) 1 << 30, 0};

/* Serialises naming and removing files, so that no file is taken into use while it is removed. */
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- formats ---- */

/* Format names here and in qemu-img. */
static const struct {
	const char *name, *qemu;
} formats[] = {{"qcow2", "qcow2"}, {"raw", "raw"}, {"iso", "raw"},
	       {"vmdk", "vmdk"},   {"vhd", "vpc"}, {"vhdx", "vhdx"}};

static RESULT read_at(struct ctx *c, int fd, const char *path, int64_t at, char *bytes, size_t size)
{
	ssize_t n = pread(fd, bytes, size, at);
	return n == (ssize_t) size ? OK
				   : ctx_fail(c, ERR_INVALID, "%s is too short to be a disk image", path);
}

/* Detects the format by the first bytes; a fixed-size VHD by its footer. Anything unknown is a raw disk. */
static RESULT detect_format(struct ctx *c, const char *path, const char **ret_format)
{
	static const struct {
		const char *magic;
		size_t size;
		const char *format; /* NULL: recognised but not supported */
		const char *name;
	} known[] = {
		{"QFI\xfb", 4, "qcow2", "qcow2"},
		{"KDMV", 4, "vmdk", "VMDK"},
		{"conectix", 8, "vpc", "VHD"},
		{"vhdxfile", 8, "vhdx", "VHDX"},
		{"QED\0", 4, NULL, "QED"},
		{"# Disk DescriptorFile", 21, NULL, "the description of a VMDK in several files"},
		{"\x1f\x8b", 2, NULL, "gzip"},
		{"\xfd"
		 "7zXZ",
		 5, NULL, "xz"},
	};
	char head[32] = {0}, foot[8] = {0};
	int64_t size = 0;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path,
				strerrordesc_np(errno));
	TRY(read_at(c, fd, path, 0, head, sizeof head));
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		if (memcmp(head, known[k].magic, known[k].size) != 0)
			continue;
		if (!known[k].format)
			return ctx_fail(c, ERR_UNSUPPORTED,
					"%s is %s: qcow2, raw, vmdk, vhd and vhdx images are taken; convert "
					"it first",
					path, known[k].name);
		*ret_format = known[k].format;
		return OK;
	}
	TRY(file_size(c, path, &size));
	if (size >= 2 * SECTOR_SIZE)
		TRY(read_at(c, fd, path, size - SECTOR_SIZE, foot, sizeof foot));
	*ret_format = memcmp(foot, "conectix", sizeof foot) == 0 ? "vpc" : "raw";
	return OK;
}

static RESULT find_format(struct ctx *c, const char *path, struct str format, const char **ret_format)
{
	if (!format.n)
		return detect_format(c, path, ret_format);
	for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
		if (str_is(format, formats[k].name)) {
			*ret_format = formats[k].qemu;
			return OK;
		}
	return ctx_fail(c, ERR_INVALID, "%" STR_FMT " is no format: qcow2, raw, vmdk, vhd or vhdx",
			STR_ARG(format));
}

/* ---- checks ---- */

static RESULT run_qemu_img(struct ctx *c, const char *const *argv, struct image_tool_limits limits,
			   struct str *ret_output)
{
	const struct image_tool tool = {argv, NULL, limits, ERR_INVALID, "qemu-img refuses the image"};
	return image_tool_run(c, &tool, ret_output);
}

/* A VMDK can name other extent files, even if it looks self-contained. */
static bool has_other_parts(const json_t *data, const char *path)
{
	const json_t *extents = json_object_get(data, "extents"), *extent = NULL;
	size_t k = 0;
	json_array_foreach (extents, k, extent) {
		const char *name = json_string_value(json_object_get(extent, "filename"));
		if (!name || strcmp(name, path) != 0)
			return true;
	}
	return false;
}

static bool is_raw(const json_t *info)
{
	const char *format = json_string_value(json_object_get(info, "format"));
	return format && strcmp(format, "raw") == 0;
}

/* Refuses references to other files, and sizes above the limits. */
static RESULT check_info(struct ctx *c, const json_t *info, const char *path, int64_t *ret_virtual_size)
{
	const json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
	if (json_object_get(info, "backing-filename") || json_object_get(info, "full-backing-filename") ||
	    json_object_get(data, "data-file") || has_other_parts(data, path))
		return ctx_fail(c, ERR_INVALID, "%s refers to another file; an image has to stand by itself",
				path);
	if (json_is_true(json_object_get(info, "encrypted")) || json_object_get(data, "encrypt"))
		return ctx_fail(c, ERR_UNSUPPORTED, "%s is encrypted", path);
	int64_t size = json_integer_value(json_object_get(info, "virtual-size"));
	/* a raw file's size is no claim of a header */
	int64_t most = is_raw(info) ? IMAGE_RAW_SIZE_MAX_GIB : IMAGE_VIRTUAL_SIZE_MAX_GIB;
	if (size <= 0 || size > most << 30)
		return ctx_fail(c, ERR_INVALID, "%s describes a disk of %lld bytes; 1 to %lld GiB are taken",
				path, (long long) size, (long long) most);
	*ret_virtual_size = size;
	return OK;
}

static RESULT inspect(struct ctx *c, const char *path, const char *format, int64_t *ret_virtual_size)
{
	const char *argv[] = {"qemu-img", "info", "--output=json", "-f", format, path, NULL};
	struct str output = STR_NONE;
	TRY(run_qemu_img(c, argv, INFO_LIMITS, &output));
	json_error_t where;
	json_t *info = json_loadb(output.p, output.n, 0, &where);
	if (!info)
		return ctx_fail(c, ERR_IO, "qemu-img info answered no JSON");
	struct result result = check_info(c, info, path, ret_virtual_size);
	json_decref(info);
	return result;
}

static RESULT digest_file(struct ctx *c, const char *path, struct str *ret_hex)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "cannot read %s back: %s", path, strerror(errno));
	uint8_t digest[SHA256_SIZE];
	TRY(crypto_sha256_file(c, fd, digest));
	*ret_hex = str_encode_hex(c->arena, digest, sizeof digest);
	return OK;
}

/* ---- keeping ---- */

struct str image_file_path(struct arena *a, const char *directory, struct str sha256)
{
	return str_print(a, "%s/%" STR_FMT IMAGE_FILE_SUFFIX, directory, STR_ARG(sha256));
}

struct str image_file_data_path(struct arena *a, const char *directory, struct str sha256)
{
	return str_print(a, "%s/%" STR_FMT IMAGE_DATA_SUFFIX, directory, STR_ARG(sha256));
}

RESULT image_file_name(struct ctx *c, const char *part, struct str kept, int64_t *ret_named_us)
{
	int64_t now_us = clock_now_us();
	struct timespec now = {.tv_sec = now_us / SECOND, .tv_nsec = now_us % SECOND * 1000};
	if (!kept.p)
		return ctx_no_memory(c);
	(void) pthread_mutex_lock(&names_lock);
	*ret_named_us = file_exists(kept.p) ? 0 : now_us;
	struct result result = file_rename_synced(c, part, kept.p);
	if (result_is_ok(result))
		(void) utimensat(AT_FDCWD, kept.p, (struct timespec[]){now, now}, 0);
	(void) pthread_mutex_unlock(&names_lock);
	return result;
}

void image_file_drop(const char *path, struct str sha256, int64_t named_us,
		     bool (*is_needed)(void *arg, struct str sha256), void *arg)
{
	struct stat st;
	(void) pthread_mutex_lock(&names_lock);
	if (named_us && stat(path, &st) == 0 &&
	    st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec / 1000 == named_us && !is_needed(arg, sha256))
		(void) unlink(path);
	(void) pthread_mutex_unlock(&names_lock);
}

/* Moves the file to the name derived from its digest. */
static RESULT name_file(struct ctx *c, const char *part, const char *directory, struct image_file *file)
{
	TRY(digest_file(c, part, &file->sha256));
	TRY(file_size(c, part, &file->file_size));
	return image_file_name(c, part, image_file_path(c->arena, directory, file->sha256), &file->named_us);
}

static RESULT convert(struct ctx *c, const char *source, const char *format, const char *part,
		      const struct disk_key *key, const struct image_tool_limits *limits)
{
	const char *argv[] = {"qemu-img", "convert",    "-f",   format, "-O", "qcow2",
			      "-o",       "compat=1.1", source, part,   NULL};
	struct str output = STR_NONE;
	return key ? crypt_file_convert(c, key, source, format, part, limits)
		   : run_qemu_img(c, argv, *limits, &output);
}

/* Limits the size after conversion: a malicious 384 KiB qcow2 whose entries all refer to one cluster would
 * expand to a gigabyte. Compressed system images grow by at most a factor of 4. */
static int64_t find_growth(int64_t sent_size, int64_t virtual_size)
{
	static const int64_t ROUND_SIZE = 64 << 20, TIMES = 32;
	int64_t by_virtual = virtual_size + virtual_size / 1024 + ROUND_SIZE; /* including qcow2's tables */
	return sent_size < (by_virtual - ROUND_SIZE) / TIMES ? sent_size * TIMES + ROUND_SIZE : by_virtual;
}

/* Converts into at most half of the free space, leaving the rest for concurrent writers. A failure for lack
 * of space can be retried; growth beyond the limit can't. */
static RESULT convert_within(struct ctx *c, const char *source, const char *format, const char *part,
			     const struct disk_key *key, const struct disk_payer *payer,
			     const char *directory, const struct image_file *file)
{
	int64_t most = find_growth(file->file_size, file->virtual_size);
	int64_t room = disk_room_largest(directory) / 2, left = disk_room_left_for(payer);
	struct disk_share share = {.payer = payer ? *payer : (struct disk_payer){0}};
	struct image_tool_limits limits = IMAGE_TOOL_LONG;
	bool is_of_quota = left < most && left <= room;
	limits.file_size = is_of_quota ? left : most < room ? most : room;
	TRY(disk_share_take(&share, c, directory, limits.file_size > 0 ? limits.file_size : 1 << 20));
	struct result result = convert(c, source, format, part, key, &limits);
	disk_share_end(&share);
	if (result.code != ERR_TOO_LARGE)
		return result;
	ctx_clear_problem(c);
	if (is_of_quota)
		return disk_room_check_for(c, payer, directory, left + 1);
	if (limits.file_size < most)
		return disk_room_fail(c, limits.file_size);
	return ctx_fail(c, ERR_INVALID,
			"the image becomes more than %lld MiB when it is converted, from %lld KiB",
			(long long) (most >> 20), (long long) (file->file_size >> 10));
}

/* Replaces a failure by "no space" if the file system is full, since qemu-img reports that as text only. */
static RESULT blame_room(struct ctx *c, const char *directory, struct result r)
{
	static const int64_t FULL_BELOW = 16 << 20; /* qemu-img writes large blocks */
	if (result_is_ok(r) || r.code == ERR_CAPACITY || disk_room_largest(directory) >= FULL_BELOW)
		return r;
	ctx_clear_problem(c);
	return disk_room_fail(c, FULL_BELOW);
}

RESULT image_file_check_room(struct ctx *c, const char *directory, int64_t size)
{
	return disk_room_check(c, directory, size);
}

RESULT image_file_export(struct ctx *c, const char *from, struct str format, const char *to)
{
	/* Other clouds import stream-optimised VMDKs. force_size keeps a VHD's exact size instead of rounding
	 * it to CHS geometry. */
	const char *options = str_is(format, "vmdk")  ? "subformat=streamOptimized"
			      : str_is(format, "vhd") ? "subformat=dynamic,force_size=on"
						      : NULL;
	const char *name = NULL;
	TRY(find_format(c, from, format, &name));
	const char *argv[] = {"qemu-img", "convert", "-f", "qcow2", "-O", name,
			      from,       to,        "-o", options, NULL};
	if (!options)
		argv[8] = NULL;
	struct image_tool_limits limits = IMAGE_TOOL_LONG;
	limits.file_size = disk_room_largest(to);
	const struct image_tool tool = {argv, NULL, limits, ERR_IO, "qemu-img converts no image"};
	struct str output = STR_NONE;
	TRY(disk_room_check(c, to, 1 << 20));
	struct result result = blame_room(c, to, image_tool_run(c, &tool, &output));
	if (result.code != ERR_TOO_LARGE)
		return result;
	ctx_clear_problem(c);
	return disk_room_fail(c, limits.file_size);
}

RESULT image_file_import(struct ctx *c, const char *source, struct str format, const struct disk_key *key,
			 const struct disk_payer *payer, const char *directory, struct image_file *ret_file)
{
	struct image_file file = {0};
	const char *qemu_format = NULL;
	TRY(find_format(c, source, format, &qemu_format));
	TRY(file_size(c, source, &file.file_size));
	if (str_is_empty(format) && str_is(str_from(qemu_format), "raw") && file.file_size % SECTOR_SIZE != 0)
		return ctx_fail(c, ERR_INVALID,
				"%s is no disk image: of no known format, nor raw in whole sectors of %d "
				"bytes",
				source, SECTOR_SIZE);
	TRY(image_header_check(c, source, qemu_format));
	TRY(inspect(c, source, qemu_format, &file.virtual_size));
	TRY(file_make_directory(c, directory, 0700));
	struct str part = str_print(c->arena, "%s/%016llx%s", directory, (unsigned long long) random_u64(),
				    IMAGE_PARTIAL_SUFFIX);
	if (!part.p)
		return ctx_no_memory(c);
	struct result result = convert_within(c, source, qemu_format, part.p, key, payer, directory, &file);
	if (result_is_ok(result))
		result = name_file(c, part.p, directory, &file);
	result = blame_room(c, directory, result); /* before the partial file is deleted */
	if (!result_is_ok(result)) {
		(void) unlink(part.p);
		return result;
	}
	*ret_file = file;
	return OK;
}

/* ---- files from hosts ---- */

static uint64_t read_number(const unsigned char *p, int size)
{
	uint64_t number = 0;
	for (int k = 0; k < size; k++)
		number = number << 8 | p[k];
	return number;
}

/* Checks the header fields by which a qcow2 could refer to other files. */
static RESULT check_head(struct ctx *c, const char *path, bool is_encrypted, bool is_alone,
			 int64_t *ret_virtual_size)
{
	enum { BACKING_AT = 8, SIZE_AT = 24, CRYPT_AT = 32, INCOMPATIBLE_AT = 72, DATA_FILE = 4, LUKS = 2 };
	unsigned char head[104] = {0};
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
	TRY(read_at(c, fd, path, 0, (char *) head, sizeof head));
	if (memcmp(head, "QFI\xfb\0\0\0\3", 8) != 0)
		return ctx_fail(c, ERR_INVALID, "%s is no qcow2 of version 3", path);
	if ((is_alone && read_number(head + BACKING_AT, 8)) ||
	    read_number(head + INCOMPATIBLE_AT, 8) & DATA_FILE)
		return ctx_fail(c, ERR_INVALID, "%s does not stand by itself", path);
	if (read_number(head + CRYPT_AT, 4) != (is_encrypted ? LUKS : 0))
		return ctx_fail(c, ERR_INVALID, "%s is %sencrypted", path, is_encrypted ? "not " : "");
	*ret_virtual_size = (int64_t) read_number(head + SIZE_AT, 8);
	return OK;
}

RESULT image_file_check_head(struct ctx *c, const char *path, bool is_encrypted, int64_t *ret_virtual_size)
{
	return check_head(c, path, is_encrypted, true, ret_virtual_size);
}

RESULT image_file_check_overlay(struct ctx *c, const char *path, bool is_encrypted)
{
	int64_t size = 0;
	return check_head(c, path, is_encrypted, false, &size);
}

RESULT image_file_keep(struct ctx *c, const char *part, const char *directory, bool is_encrypted,
		       struct image_file *ret_file)
{
	struct image_file file = {0};
	TRY(image_file_check_head(c, part, is_encrypted, &file.virtual_size));
	TRY(name_file(c, part, directory, &file));
	*ret_file = file;
	return OK;
}

/* ---- files for hosts ---- */

/* Digests already computed, so that a file isn't read again for each host and each piece. Valid while device,
 * inode, size and change time are the same. */
struct known_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	uint8_t digest[SHA256_SIZE];
};
enum { KNOWN_FILES = 64 };
static struct known_file known_files[KNOWN_FILES];
static size_t known_next;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two above */

static bool is_known_as(const struct known_file *k, const struct stat *st)
{
	return k->inode == st->st_ino && k->device == st->st_dev && k->size == st->st_size &&
	       k->changed.tv_sec == st->st_ctim.tv_sec && k->changed.tv_nsec == st->st_ctim.tv_nsec;
}

static bool find_known(const struct stat *st, uint8_t ret_digest[static SHA256_SIZE])
{
	bool found = false;
	(void) pthread_mutex_lock(&known_lock);
	for (size_t k = 0; k < KNOWN_FILES && !found; k++) {
		found = is_known_as(&known_files[k], st);
		if (found)
			memcpy(ret_digest, known_files[k].digest, SHA256_SIZE);
	}
	(void) pthread_mutex_unlock(&known_lock);
	return found;
}

static void remember_file(const struct stat *st, const uint8_t digest[static SHA256_SIZE])
{
	struct known_file made = {
		.device = st->st_dev, .inode = st->st_ino, .size = st->st_size, .changed = st->st_ctim};
	memcpy(made.digest, digest, SHA256_SIZE);
	(void) pthread_mutex_lock(&known_lock);
	known_files[known_next++ % KNOWN_FILES] = made;
	(void) pthread_mutex_unlock(&known_lock);
}

static RESULT read_digest(struct ctx *c, const char *path, int fd, uint8_t ret_digest[static SHA256_SIZE])
{
	struct result result = crypto_sha256_file(c, fd, ret_digest);
	if (result.code != ERR_IO)
		return result;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_IO, "the image file %s cannot be read to its end", path);
}

RESULT image_file_check(struct ctx *c, const char *path, struct str sha256, int64_t size)
{
	struct stat st;
	uint8_t digest[SHA256_SIZE];
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ctx_fail(c, errno == ENOENT ? ERR_INVALID : ERR_IO,
				"the image file %s cannot be read: %s", path, strerrordesc_np(errno));
	if (st.st_size != size)
		return ctx_fail(c, ERR_INVALID, "the image file %s has %lld bytes, not %lld", path,
				(long long) st.st_size, (long long) size);
	if (!find_known(&st, digest)) {
		TRY(read_digest(c, path, fd, digest));
		remember_file(&st, digest);
	}
	struct str has = str_encode_hex(c->arena, digest, sizeof digest);
	if (!has.p)
		return ctx_no_memory(c);
	return str_equal(has, sha256)
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "the image file %s has other bytes than it had", path);
}

/* ---- removing ---- */

static bool is_old(int directory_fd, const char *name)
{
	struct stat st;
	return fstatat(directory_fd, name, &st, 0) == 0 &&
	       st.st_mtim.tv_sec < clock_now_us() / SECOND - IMAGE_UNNEEDED_S;
}

/* True if the name is a digest with that suffix, and the file isn't needed. */
static bool is_unneeded(struct str name, const char *suffix, bool (*is_needed)(void *arg, struct str sha256),
			void *arg)
{
	uint8_t digest[SHA256_SIZE];
	struct str sha256 = str_slice(name, 0, name.n - strlen(suffix));
	return str_ends_with(name, str_from(suffix)) &&
	       result_is_ok(str_decode_hex(sha256, digest, sizeof digest)) && !is_needed(arg, sha256);
}

void image_file_collect(const char *directory, const struct image_file_user *user)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir))) {
		struct str name = str_from(entry->d_name);
		(void) pthread_mutex_lock(&names_lock);
		if (is_old(dirfd(dir), entry->d_name) &&
		    (is_unneeded(name, IMAGE_FILE_SUFFIX, user->needs_file, user->arg) ||
		     is_unneeded(name, IMAGE_DATA_SUFFIX, user->needs_data, user->arg)))
			(void) unlinkat(dirfd(dir), entry->d_name, 0);
		(void) pthread_mutex_unlock(&names_lock);
	}
	if (dir)
		(void) closedir(dir);
}

void image_file_sweep(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry = NULL;
	while (dir && (entry = readdir(dir))) {
		struct str name = str_from(entry->d_name);
		if (str_ends_with(name, STR(IMAGE_PARTIAL_SUFFIX)) ||
		    str_ends_with(name, STR(IMAGE_DOWNLOAD_SUFFIX)))
			(void) unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		(void) closedir(dir);
}
