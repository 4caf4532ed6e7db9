/* SPDX-License-Identifier: Apache-2.0
 * Lists and reads files of a guest's disk without starting the guest: ext2, ext3 and ext4, on the whole disk or in a
 * partition of a GPT or MBR. Other file systems are recognised and refused by name. The disk is never mounted: debugfs
 * of e2fsprogs reads it as a child with limits, because its content is hostile. Blocks: never use it on an HTTP thread
 * or the committer. */
#pragma once

#include "base/ctx.h"

enum {
	GUEST_PARTITIONS_MAX = 32,
	GUEST_ENTRIES_MAX = 5000, /* listed entries of a directory; is_cut tells of more */
	GUEST_PATH_MAX = 1024,
	GUEST_NAME_MAX = 255
};
#define GUEST_FILE_MAX (INT64_C(1) << 30)

enum guest_entry_kind { GUEST_FILE, GUEST_DIRECTORY, GUEST_LINK, GUEST_OTHER };
extern const char *const guest_entry_words[];

struct guest_partition {
	int number;           /* as the table counts, from 1; 0: the whole disk */
	int64_t offset, size; /* bytes */
	const char *type;     /* "ext", "xfs", "ntfs", …; "unknown" */
};

struct guest_entry {
	struct str name; /* UTF-8; entries with other names are left out */
	enum guest_entry_kind kind;
	int64_t size; /* bytes; files and links alone have one */
	int mode;     /* permission bits */
};

struct guest_listing {
	struct guest_partition partitions[GUEST_PARTITIONS_MAX];
	size_t partition_count;
	int partition; /* the listed one */
	struct guest_entry *at;
	size_t count;
	bool is_cut; /* the directory has more entries than GUEST_ENTRIES_MAX */
};

/* A path on a disk. `path` is absolute. `partition` below 0 means the largest one whose file system can be read. */
struct guest_place {
	const char *disk; /* a raw image */
	int partition;
	struct str path;
};

/* Lists a directory. ERR_INVALID: the path. ERR_NOT_FOUND: there is no such partition or directory. ERR_UNSUPPORTED: the
 * file system, by its name. ERR_IO. */
RESULT guest_files_list(struct ctx *c, const struct guest_place *place, struct guest_listing *ret_listing);
/* Copies a regular file of up to GUEST_FILE_MAX bytes to the file `to`. Errors as above; ERR_STATE: it is no regular file.
 * ERR_TOO_LARGE. */
RESULT guest_files_read(struct ctx *c, const struct guest_place *place, const char *to);
