/* SPDX-License-Identifier: Apache-2.0
 * Sources: UEFI Specification 2.10, 5.3 (GPT); the kernel's Documentation/filesystems/ext4; debugfs(8). */
#include "drivers/image/guest_files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

enum {
	SECTOR = 512,
	HEAD_SIZE = 128 << 10, /* contains each magic number below */
	GPT_ENTRIES_MAX = 128,
	GPT_ENTRY_SIZE = 128,
	MBR_ENTRIES = 4,
	MBR_PROTECTIVE = 0xee,
	LISTING_CAP = 4 << 20
};
static const struct child DEBUGFS = {.timeout_us = 60 * SECOND,
				     .output_cap_size = LISTING_CAP,
				     .memory_limit_size = (size_t) 1 << 30,
				     .cpu_limit_s = 60,
				     .file_limit_size = GUEST_FILE_MAX};
const char *const guest_entry_words[] = {"file", "directory", "link", "other", NULL};

/* ---- partitions ---- */

/* MBR, GPT and ext4 are little-endian on every processor. */
static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

static int64_t read_sectors(const uint8_t *p)
{
	uint64_t n = (uint64_t) read_u32(p) | (uint64_t) read_u32(p + 4) << 32;
	return n < (UINT64_C(1) << 50) ? (int64_t) n : -1;
}

static const struct {
	const char *type;
	size_t offset;
	const char *magic;
	size_t size;
} signatures[] = {
	{"ext", 0x438, "\x53\xef", 2},
	{"xfs", 0, "XFSB", 4},
	{"btrfs", 0x10040, "_BHRfS_M", 8},
	{"ntfs", 3, "NTFS    ", 8},
	{"lvm", 0x218, "LVM2 001", 8},
	{"luks", 0, "LUKS\xba\xbe", 6},
	{"swap", 0xff6, "SWAPSPACE2", 10},
	{"fat", 0x52, "FAT32", 5},
	{"fat", 0x36, "FAT", 3},
	{"f2fs", 0x400, "\x10\x20\xf5\xf2", 4},
	{"raid", 0x1000, "\xfc\x4e\x2b\xa9", 4},
	{"bitlocker", 3, "-FVE-FS-", 8},
};

static const char *type_at(int fd, uint8_t *head, int64_t offset)
{
	ssize_t n = pread(fd, head, HEAD_SIZE, offset);
	for (size_t k = 0; k < sizeof signatures / sizeof signatures[0]; k++)
		if (n >= (ssize_t) (signatures[k].offset + signatures[k].size) &&
		    memcmp(head + signatures[k].offset, signatures[k].magic, signatures[k].size) == 0)
			return signatures[k].type;
	return "unknown";
}

static void add(struct guest_listing *l, int number, int64_t first, int64_t sectors, int64_t disk_size)
{
	if (first <= 0 || sectors <= 0 || first > disk_size / SECTOR ||
	    sectors > disk_size / SECTOR - first || l->partition_count == GUEST_PARTITIONS_MAX)
		return;
	l->partitions[l->partition_count++] =
		(struct guest_partition){number, first * SECTOR, sectors * SECTOR, "unknown"};
}

static void read_gpt(int fd, int64_t disk_size, uint8_t *head, struct guest_listing *l)
{
	if (pread(fd, head, SECTOR, SECTOR) != SECTOR || memcmp(head, "EFI PART", 8) != 0)
		return;
	int64_t at = read_sectors(head + 72);
	uint32_t count = read_u32(head + 80);
	if (at <= 0 || at > disk_size / SECTOR || read_u32(head + 84) != GPT_ENTRY_SIZE)
		return;
	if (count > GPT_ENTRIES_MAX)
		count = GPT_ENTRIES_MAX;
	if (pread(fd, head, (size_t) count * GPT_ENTRY_SIZE, at * SECTOR) != (ssize_t) count * GPT_ENTRY_SIZE)
		return;
	for (uint32_t k = 0; k < count; k++) {
		const uint8_t *entry = head + (size_t) k * GPT_ENTRY_SIZE;
		int64_t first = read_sectors(entry + 32);
		add(l, (int) k + 1, first, read_sectors(entry + 40) - first + 1, disk_size);
	}
}

static void read_table(int fd, int64_t disk_size, uint8_t *head, struct guest_listing *l)
{
	uint8_t mbr[SECTOR];
	bool is_gpt = false;
	if (pread(fd, mbr, sizeof mbr, 0) != SECTOR || mbr[510] != 0x55 || mbr[511] != 0xaa)
		return;
	for (int k = 0; k < MBR_ENTRIES; k++)
		is_gpt = is_gpt || mbr[446 + 16 * k + 4] == MBR_PROTECTIVE;
	if (is_gpt)
		read_gpt(fd, disk_size, head, l);
	for (int k = 0; k < MBR_ENTRIES && !is_gpt; k++)
		if (mbr[446 + 16 * k + 4])
			add(l, k + 1, read_u32(mbr + 446 + 16 * k + 8), read_u32(mbr + 446 + 16 * k + 12),
			    disk_size);
}

/* A disk without a table may have a file system of its own. */
static RESULT read_partitions(struct ctx *c, const char *disk, struct guest_listing *l)
{
	int64_t size = 0;
	uint8_t *head = arena_alloc(c->arena, HEAD_SIZE);
	AUTO_FD fd = open(disk, O_RDONLY | O_CLOEXEC);
	if (!head)
		return ctx_no_memory(c);
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "The disk cannot be read.");
	TRY(file_size(c, disk, &size));
	*l = (struct guest_listing){.partition = -1};
	const char *whole = type_at(fd, head, 0);
	if (strcmp(whole, "unknown") == 0 || strcmp(whole, "fat") == 0)
		read_table(fd, size, head, l);
	if (!l->partition_count)
		l->partitions[l->partition_count++] = (struct guest_partition){0, 0, size, whole};
	for (size_t k = 0; k < l->partition_count; k++)
		l->partitions[k].type = type_at(fd, head, l->partitions[k].offset);
	return OK;
}

static RESULT choose(struct ctx *c, const struct guest_place *place, struct guest_listing *l,
		     const struct guest_partition **ret_partition)
{
	const struct guest_partition *found = NULL, *any = NULL;
	for (size_t k = 0; k < l->partition_count; k++) {
		const struct guest_partition *p = &l->partitions[k];
		bool is_ext = strcmp(p->type, "ext") == 0;
		bool fits = place->partition < 0 ? is_ext && (!found || p->size > found->size)
						 : p->number == place->partition;
		if (fits)
			found = p;
		if (!any || p->size > any->size)
			any = p;
	}
	if (!found && place->partition >= 0)
		return ctx_fail_field(c, ERR_NOT_FOUND, STR("partition"), "The disk has no partition %d.",
				      place->partition);
	if (!found)
		found = any;
	if (!found || strcmp(found->type, "ext") != 0)
		return ctx_fail_field(
			c, ERR_UNSUPPORTED, STR("partition"),
			"Files are read from ext2, ext3 and ext4; this file system is %s. Make a volume from "
			"the snapshot, and attach it to an instance.",
			found ? found->type : "unknown");
	l->partition = found->number;
	*ret_partition = found;
	return OK;
}

/* ---- debugfs ---- */

/* Quotes are refused, since the path becomes a part of a command line of debugfs. */
static RESULT check_path(struct ctx *c, struct str path)
{
	bool is_fine = path.n > 0 && path.n <= GUEST_PATH_MAX && path.p[0] == '/';
	for (size_t k = 0; k < path.n; k++)
		is_fine =
			is_fine && (unsigned char) path.p[k] >= ' ' && path.p[k] != '"' && path.p[k] != 0x7f;
	return is_fine ? OK
		       : ctx_fail_field(c, ERR_INVALID, STR("path"),
					"A path begins with a slash, and has up to %d bytes without control "
					"characters and quotation marks.",
					GUEST_PATH_MAX);
}

static RESULT run(struct ctx *c, const char *disk, int64_t offset, struct str command, struct str *ret_output)
{
	struct str where = str_print(c->arena, "%s?offset=%lld", disk, (long long) offset);
	const char *argv[] = {"/usr/sbin/debugfs", "-R", str_to_z(c->arena, command), where.p, NULL};
	struct child child = DEBUGFS;
	struct child_end end = {0};
	if (!command.p || !where.p)
		return ctx_no_memory(c);
	child.argv = argv;
	TRY(child_run(c, &child, &end));
	if (str_contains(end.err, STR("File not found")))
		return ctx_fail_field(c, ERR_NOT_FOUND, STR("path"), "There is no such file or directory.");
	if (str_contains(end.err, STR("not a directory")) || str_contains(end.err, STR("Not a directory")))
		return ctx_fail_field(c, ERR_NOT_FOUND, STR("path"), "It is not a directory.");
	if (end.status || str_contains(end.err, STR("Filesystem not open")) ||
	    str_contains(end.err, STR("while trying to open")))
		return ctx_fail(c, ERR_IO, "The file system cannot be read: its structures are damaged.");
	*ret_output = end.out;
	return OK;
}

static bool read_mode(struct str text, int *ret_mode)
{
	*ret_mode = 0;
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] < '0' || text.p[k] > '7')
			return false;
		*ret_mode = *ret_mode * 8 + (text.p[k] - '0');
	}
	return text.n > 0 && text.n <= 6;
}

static enum guest_entry_kind kind_of(int mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return GUEST_FILE;
	case S_IFDIR:
		return GUEST_DIRECTORY;
	case S_IFLNK:
		return GUEST_LINK;
	default:
		return GUEST_OTHER;
	}
}

static bool is_shown(struct str name)
{
	return name.n && name.n <= GUEST_NAME_MAX && str_is_utf8(name) && !str_is(name, ".") &&
	       !str_is(name, "..");
}

/* A line of `ls -p`: "/inode/mode/uid/gid/name/size/", with mode in octal digits. Names contain no slash. False: another
 * line, such as the second half of a name with a line break. */
static bool read_line(struct str line, struct guest_entry *ret_entry)
{
	struct str at[6] = {STR_NONE};
	int mode = 0;
	if (line.n < 2 || line.p[0] != '/' || line.p[line.n - 1] != '/')
		return false;
	struct str rest = str_slice(line, 1, line.n - 1);
	for (size_t k = 0; k < 6; k++)
		if (!str_split_next(&rest, '/', &at[k]))
			break;
	if (!read_mode(at[1], &mode) || !is_shown(at[4]))
		return false;
	*ret_entry = (struct guest_entry){.name = at[4], .kind = kind_of(mode), .mode = mode & 07777};
	return !at[5].n || result_is_ok(str_parse_int(at[5], &ret_entry->size));
}

static RESULT list(struct ctx *c, const char *disk, int64_t offset, struct str path, struct guest_listing *l)
{
	struct str output = STR_NONE, line = STR_NONE;
	struct guest_entry entry;
	TRY(run(c, disk, offset, str_print(c->arena, "ls -p \"%" STR_FMT "\"", STR_ARG(path)), &output));
	l->at = arena_new_array(c->arena, struct guest_entry, GUEST_ENTRIES_MAX);
	if (!l->at)
		return ctx_no_memory(c);
	l->count = 0;
	while (str_split_next(&output, '\n', &line)) {
		if (!read_line(line, &entry))
			continue;
		l->is_cut = l->count == GUEST_ENTRIES_MAX;
		if (l->is_cut)
			break;
		l->at[l->count++] = entry;
	}
	return OK;
}

RESULT guest_files_list(struct ctx *c, const struct guest_place *place, struct guest_listing *ret_listing)
{
	const struct guest_partition *partition = NULL;
	TRY(check_path(c, place->path));
	TRY(read_partitions(c, place->disk, ret_listing));
	TRY(choose(c, place, ret_listing, &partition));
	return list(c, place->disk, partition->offset, place->path, ret_listing);
}

/* ---- one file ---- */

/* Finds the entry in its directory: debugfs would copy a device or a link's target, too. */
static RESULT check_file(struct ctx *c, const struct guest_place *place, int64_t offset,
			 struct guest_listing *l)
{
	size_t slash = place->path.n;
	while (slash > 0 && place->path.p[slash - 1] != '/')
		slash--;
	struct str name = str_slice(place->path, slash, place->path.n);
	struct str folder = slash > 1 ? str_slice(place->path, 0, slash - 1) : STR("/");
	TRY(list(c, place->disk, offset, folder, l));
	for (size_t k = 0; k < l->count; k++) {
		if (!str_equal(l->at[k].name, name))
			continue;
		if (l->at[k].kind != GUEST_FILE)
			return ctx_fail_field(c, ERR_STATE, STR("path"), "It is no regular file, but a %s.",
					      guest_entry_words[l->at[k].kind]);
		if (l->at[k].size > GUEST_FILE_MAX)
			return ctx_fail_field(c, ERR_TOO_LARGE, STR("path"),
					      "The file has more than %lld MiB.",
					      (long long) (GUEST_FILE_MAX >> 20));
		return OK;
	}
	return ctx_fail_field(c, ERR_NOT_FOUND, STR("path"), "There is no such file or directory.");
}

RESULT guest_files_read(struct ctx *c, const struct guest_place *place, const char *to)
{
	const struct guest_partition *partition = NULL;
	struct guest_listing listing;
	struct str output = STR_NONE;
	TRY(check_path(c, place->path));
	TRY(read_partitions(c, place->disk, &listing));
	TRY(choose(c, place, &listing, &partition));
	TRY(check_file(c, place, partition->offset, &listing));
	TRY(run(c, place->disk, partition->offset,
		str_print(c->arena, "dump \"%" STR_FMT "\" \"%s\"", STR_ARG(place->path), to), &output));
	return file_exists(to) ? OK : ctx_fail(c, ERR_IO, "The file cannot be read.");
}
