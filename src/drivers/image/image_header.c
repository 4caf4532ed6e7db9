/* SPDX-License-Identifier: Apache-2.0
 * Checks the headers of qcow2 and VMDK files for everything that could make qemu-img open another file. */
#include "drivers/image/image_header.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

/* QEMU reads what a qcow2 file has beside the disk whenever it opens the file. It compares each snapshot with all others,
 * and expands each bitmap to up to 512 MiB, which may be a few bytes in the file. */
enum { SECTOR_SIZE = 512, SNAPSHOTS_MAX = 256 };

static RESULT fail_not(struct ctx *c, const char *path, const char *what)
{
	return ctx_fail(c, ERR_INVALID, "%s is no %s", path, what);
}

static RESULT fail_refers(struct ctx *c, const char *path)
{
	return ctx_fail(c, ERR_INVALID, "%s refers to another file; an image has to stand by itself", path);
}

/* Reads up to size bytes; fewer at the end of the file. */
static struct str read_some(struct ctx *c, int fd, uint64_t at, size_t size)
{
	char *bytes = arena_alloc(c->arena, size);
	size_t done = 0;
	ssize_t n = 0;
	while (bytes && done < size && at <= INT64_MAX - size &&
	       ((n = pread(fd, bytes + done, size - done, (off_t) (at + done))) > 0 ||
		(n < 0 && errno == EINTR)))
		done += n > 0 ? (size_t) n : 0;
	return (struct str){bytes, bytes ? done : 0};
}

/* ---- qcow2: its numbers begin with their most significant byte ---- */

static uint64_t big(struct str s, size_t at, size_t size)
{
	uint64_t number = 0;
	for (size_t k = at; k < at + size; k++)
		number = number << 8 | (uint8_t) s.p[k];
	return number;
}

static RESULT check_qcow2(struct ctx *c, int fd, const char *path)
{
	enum {
		HEAD = 80, /* all of version 2's 72 bytes, and of version 3's what is read here before AUTOCLEAR */
		VERSION = 4,
		BACKING_AT = 8,
		BACKING_SIZE = 16,
		SNAPSHOTS = 60,
		INCOMPATIBLE = 72,
		DATA_FILE = 4,
		AUTOCLEAR = 88,
		AUTOCLEAR_END = 96,
		BITMAPS = 1
	};
	struct str head = read_some(c, fd, 0, HEAD);
	if (head.n < HEAD || memcmp(head.p, "QFI\xfb", 4) != 0 || big(head, VERSION, 4) < 2 ||
	    big(head, VERSION, 4) > 3)
		return fail_not(c, path, "qcow2");
	if (big(head, BACKING_AT, 8) || big(head, BACKING_SIZE, 4))
		return fail_refers(c, path);
	if (big(head, VERSION, 4) == 3 && (big(head, INCOMPATIBLE, 8) & DATA_FILE))
		return fail_refers(c, path);
	if (big(head, SNAPSHOTS, 4) > SNAPSHOTS_MAX)
		return ctx_fail(
			c, ERR_INVALID,
			"%s has more than %d snapshots inside: copy it with qemu-img convert, which leaves "
			"them out",
			path, SNAPSHOTS_MAX);
	struct str autoclear = read_some(c, fd, AUTOCLEAR, AUTOCLEAR_END - AUTOCLEAR);
	if (big(head, VERSION, 4) == 3 && autoclear.n == AUTOCLEAR_END - AUTOCLEAR &&
	    (big(autoclear, 0, AUTOCLEAR_END - AUTOCLEAR) & BITMAPS))
		return ctx_fail(
			c, ERR_INVALID,
			"%s has dirty bitmaps inside: copy it with qemu-img convert, which leaves them out",
			path);
	return OK;
}

/* ---- VMDK: with their least significant byte ---- */

enum {
	VMDK_CAPACITY = 12, /* in sectors, as the next two */
	VMDK_DESCRIPTOR_AT = 28,
	VMDK_DESCRIPTOR_SIZE = 36,
	VMDK_GRAINS_AT = 56,       /* all ones: see the footer */
	VMDK_DESCRIPTOR_MAX = 128, /* qemu-img writes 20 */
	VMDK_PARENT_AT = 1,        /* sector that qemu-img searches for a parent's name, wherever the
				    * descriptor is */
	VMDK_PARENT_SIZE = 20,
	VMDK_FOOTER_FROM_END = 2, /* followed by the end marker */
};

static uint64_t little(struct str s, size_t at)
{
	uint64_t number = 0;
	for (size_t k = at + 8; k-- > at;)
		number = number << 8 | (uint8_t) s.p[k];
	return number;
}

/* Accepts "RW 2048 SPARSE "disk.vmdk"": an extent in the same file; its name is ignored, because files get
 * renamed. */
static bool is_own_extent(struct str line)
{
	struct str words = STR_NONE, name = STR_NONE;
	(void) str_split_next(&line, '"', &words);
	(void) str_split_next(&line, '"', &name);
	return str_ends_with(str_trim(words), STR(" SPARSE")) && name.n && !str_contains(name, STR("/")) &&
	       str_is_empty(str_trim(line));
}

static bool is_extent(struct str line)
{
	return str_starts_with(line, STR("RW")) || str_starts_with(line, STR("RDONLY")) ||
	       str_starts_with(line, STR("NOACCESS"));
}

/* Accepts a descriptor with exactly one extent, in the same file, and without a parent. */
static bool is_whole_description(struct str text)
{
	struct str line = STR_NONE;
	size_t extents = 0;
	bool is_sparse = false;
	while (str_split_next(&text, '\n', &line)) {
		line = str_trim(line);
		is_sparse = is_sparse || str_is(line, "createType=\"monolithicSparse\"") ||
			    str_is(line, "createType=\"streamOptimized\"");
		if (is_extent(line) && (extents++ || !is_own_extent(line)))
			return false;
		if (str_starts_with(line, STR("parentCID=")) && !str_is(line, "parentCID=ffffffff"))
			return false;
	}
	return is_sparse && extents == 1;
}

/* Checks that the descriptor ends, at its first NUL, within the size stated in the header. */
static RESULT check_description(struct ctx *c, int fd, const char *path, struct str head)
{
	uint64_t at = little(head, VMDK_DESCRIPTOR_AT), sectors = little(head, VMDK_DESCRIPTOR_SIZE);
	if (!at || at > INT64_MAX / SECTOR_SIZE || !sectors || sectors > VMDK_DESCRIPTOR_MAX)
		return fail_not(c, path, "VMDK of one file");
	struct str text = read_some(c, fd, at * SECTOR_SIZE, sectors * SECTOR_SIZE);
	const char *end = text.n ? memchr(text.p, 0, text.n) : NULL;
	if (!end)
		return fail_not(c, path, "VMDK of one file");
	if (str_contains(text, STR("parentFileNameHint")))
		return fail_refers(c, path);
	text.n = (size_t) (end - text.p);
	return is_whole_description(text) ? OK : fail_refers(c, path);
}

/* Checks the footer, a second copy of the header that takes precedence; it is written last, with all fields
 * known. */
static RESULT check_footer(struct ctx *c, int fd, const char *path, struct str head)
{
	int64_t size = 0;
	TRY(file_size(c, path, &size));
	int64_t at = size - (int64_t) VMDK_FOOTER_FROM_END * SECTOR_SIZE;
	struct str foot = read_some(c, fd, at < 0 ? 0 : (uint64_t) at, SECTOR_SIZE);
	if (foot.n < SECTOR_SIZE || memcmp(foot.p, "KDMV", 4) != 0 || !little(foot, VMDK_CAPACITY))
		return fail_not(c, path, "whole VMDK");
	uint64_t described_at = little(foot, VMDK_DESCRIPTOR_AT);
	return !described_at || described_at == little(head, VMDK_DESCRIPTOR_AT) ? OK : fail_refers(c, path);
}

static RESULT check_vmdk(struct ctx *c, int fd, const char *path)
{
	struct str head = read_some(c, fd, 0, SECTOR_SIZE);
	if (head.n < SECTOR_SIZE || memcmp(head.p, "KDMV", 4) != 0)
		return fail_not(c, path, "VMDK of one file");
	if (!little(head, VMDK_CAPACITY)) /* a header with only a descriptor, of other files */
		return fail_refers(c, path);
	TRY(check_description(c, fd, path, head));
	struct str parent = read_some(c, fd, (uint64_t) VMDK_PARENT_AT * SECTOR_SIZE,
				      (size_t) VMDK_PARENT_SIZE * SECTOR_SIZE);
	if (str_contains(parent, STR("parentFileNameHint")))
		return fail_refers(c, path);
	return little(head, VMDK_GRAINS_AT) == UINT64_MAX ? check_footer(c, fd, path, head) : OK;
}

RESULT image_header_check(struct ctx *c, const char *path, const char *format)
{
	bool is_qcow2 = strcmp(format, "qcow2") == 0, is_vmdk = strcmp(format, "vmdk") == 0;
	if (!is_qcow2 && !is_vmdk)
		return OK;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ctx_fail(c, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path,
				strerrordesc_np(errno));
	return is_qcow2 ? check_qcow2(c, fd, path) : check_vmdk(c, fd, path);
}
