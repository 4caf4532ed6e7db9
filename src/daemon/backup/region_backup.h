/* SPDX-License-Identifier: Apache-2.0
 * Backups of the whole region, in a store of objects (drivers/backup_store.h):
 *
 *   regions/REGION/BACKUP/             the database as a file of SQLite, as drivers/backup_data.h keeps it
 *   regions/REGION/BACKUP/sealed.cms   the small files (sealed_files.h); absent without a recovery certificate
 *   regions/REGION/BACKUP/region.json  the record, written last: without it there is no backup
 *   regions/REGION/attachments/ID      attachments of tickets
 *   regions/REGION/images/ID/          files of images, each as drivers/backup_data.h keeps it, if they were asked for
 *
 * REGION and BACKUP are UUIDs. A backup's begins with its time, so that the order of names is that of time.
 * Attachments and images never change, and all backups share them. Calls block. */
#pragma once

#include <jansson.h>

#include "drivers/backup_data.h"

enum { REGION_BACKUPS_MAX = 900 }; /* A region's backups fit in one list, which has BACKUP_LIST_MAX names. */

/* The record. Texts are in the arena of the context that read it. */
struct region_backup {
	uuid region, id;
	struct str region_name;
	struct str version; /* the program's that wrote the backup */
	struct str data_directory;
	int64_t made_us;
	bool has_database;         /* false in a backup of an older program of a region on PostgreSQL */
	int64_t commit, row_count; /* of the copy */
	struct str database_sha256;
	struct str database_path; /* where the region has it; empty: dari.db in the data directory */
	bool is_on_server;        /* the region has its database in PostgreSQL */
	struct str sealed_sha256; /* empty: no small files */
	/* Names and sizes, in bytes. An image is named by its file in the directory of images. */
	struct region_backup_files {
		const struct region_backup_file {
			struct str name;
			int64_t size;
		} * at;
		size_t count;
	} attachments, images;
};

/* An id that begins with the time. newest: an id that the new one follows in order, even if the clock was set back. */
uuid region_backup_new_id(int64_t now_us, uuid newest);
/* Names of objects, in the arena. */
struct str region_backup_container(struct arena *a, uuid region);
struct str region_backup_name(struct arena *a, const struct region_backup *b, const char *object);
struct str region_backup_attachment(struct arena *a, uuid region, struct str name);

/* Writes the record, which completes the backup. */
RESULT region_backup_save(struct ctx *c, struct backup_store *store, const struct region_backup *b);
/* ERR_NOT_FOUND: no such backup, or an incomplete one. ERR_INVALID: no record of ours. */
RESULT region_backup_load(struct ctx *c, struct backup_store *store, uuid region, uuid id,
			  struct region_backup *ret_backup);
/* Ids in the order of time, with incomplete backups. */
RESULT region_backup_list(struct ctx *c, struct backup_store *store, uuid region, struct uuids *ret_ids);
/* The only region that the store has backups of. ERR_NOT_FOUND; ERR_COMBINATION, naming them, if there are several. */
RESULT region_backup_find_region(struct ctx *c, struct backup_store *store, uuid *ret_region);
/* The newest complete backup, or the one with the id that `text` gives. ERR_NOT_FOUND. */
RESULT region_backup_find(struct ctx *c, struct backup_store *store, uuid region, struct str text,
			  struct region_backup *ret_backup);
/* Removes the record first, then the rest. Attachments stay. */
RESULT region_backup_remove(struct ctx *c, struct backup_store *store, uuid region, uuid id);

/* Regular files directly in a directory, in the order of names; an absent directory has none. is_meant: selects names; NULL:
 * all. */
RESULT region_backup_list_files(struct ctx *c, const char *directory, bool (*is_meant)(struct str name),
				struct region_backup_files *ret_files);
/* True if the list, in the order of names, has the file with that size. */
bool region_backup_has_file(const struct region_backup_files *files, const struct region_backup_file *file);

/* ---- images: region_images.c ---- */

/* The files of images in a directory, without those that are still being written. */
RESULT region_images_list(struct ctx *c, const char *directory, struct region_backup_files *ret_files);
/* Copies the files that the store lacks. A file that is deleted meanwhile is left out. *ret_size: bytes that were stored. */
RESULT region_images_copy(struct ctx *c, struct backup_store *store, uuid region, const char *directory,
			  const struct region_backup_files *files, int64_t *ret_size);
/* Checks that the store has the whole file, by reading it into a file at path. ERR_NOT_FOUND: it was not copied. */
RESULT region_images_read(struct ctx *c, struct backup_store *store, uuid region, struct str name,
			  const char *path);
RESULT region_images_remove(struct ctx *c, struct backup_store *store, uuid region, struct str name);

/* Reads the database into a file, replacing it, and compares it with the record: its digest, rows and commit. ERR_CONFLICT. */
RESULT region_backup_read_database(struct ctx *c, struct backup_store *store, const struct region_backup *b,
				   const char *path);
/* Opens a copy of the database, and counts its rows. Leaves no file beside it. */
RESULT region_backup_count_rows(struct ctx *c, const char *path, int64_t *ret_rows, int64_t *ret_commit);
/* The digest of a file or of bytes, in hex. */
RESULT region_backup_digest_file(struct ctx *c, const char *path, struct str *ret_hex);
struct str region_backup_digest(struct arena *a, struct str bytes);
