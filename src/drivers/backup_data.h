/* SPDX-License-Identifier: Apache-2.0
 * The format of backups. The content is one file, in chunks of BACKUP_CHUNK_SIZE bytes. Chunks of zeros are
 * omitted. Every other chunk is an object in the folder CONTAINER/BACKUP, compressed (zlib) and named by the
 * SHA-256 of its uncompressed bytes. The backups that go back to one full backup are a chain, and their chunks
 * are in the folder of that full one. A chunk that the parent has is not stored again. The manifest, object
 * "manifest.json" in the folder of its backup, lists all chunks with their folders, so that no backup needs the
 * manifest of another. The manifest is written last; without it there is no backup.
 *
 * A manifest may come from a foreign bucket, so all of its content is checked, and so is each chunk's digest.
 * Every call blocks as long as copying takes. */
#pragma once

#include "drivers/backup_store.h"
#include "model/row.h"

enum {
	BACKUP_CHUNK_SIZE = 4 << 20,
	BACKUP_ANCESTORS_MAX = 1000,     /* plus the backup itself */
	BACKUP_MANIFEST_MAX = 128 << 20, /* bytes; a full 2 TiB disk has 524,288 chunks */
	BACKUP_PROPERTIES_MAX = 128,
	BACKUP_PROPERTIES_SIZE_MAX = 256 << 10
};

/* The location of a backup. */
struct backup_place {
	struct backup_store *store;
	struct str container;
	uuid id;
	uuid chain; /* the full backup that it goes back to; none: the backup itself */
};

/* The manifest's content besides the chunks. */
struct backup_facts {
	uuid parent;     /* none: a full backup */
	int64_t size;    /* bytes of the disk as seen by a guest */
	int64_t data_us; /* time of the content */
	bool is_file;    /* the content is the image store's file with that digest; else a raw image */
	struct str sha256;
	bool is_encrypted, is_bootable;
	struct str data_key; /* sealed, if the disk is encrypted */
	struct tags image_properties, volume_tags;
};

struct backup_manifest;
void backup_manifest_free(struct backup_manifest *m); /* ignores NULL */
DEFINE_AUTO(backup_manifest)
/* Returned facts live as long as the manifest. */
const struct backup_facts *backup_manifest_facts(const struct backup_manifest *m);
int64_t backup_manifest_data_size(const struct backup_manifest *m); /* bytes of the content */

/* ERR_NOT_FOUND: no backup, or an incomplete one. ERR_INVALID, with a message: not a backup. ERR_IO. */
RESULT backup_manifest_load(struct ctx *c, const struct backup_place *place,
			    struct backup_manifest **ret_manifest);

/* The writer or reader asks both before each chunk. */
struct backup_watch {
	bool (*goes_on)(void *arg); /* false ends the work; NULL: nobody ends it */
	int64_t (*find_left)(
		void *arg); /* bytes that may be stored, of this backup in all; NULL: any number */
	void *arg;
};

/* Writes the content and then the manifest; what an earlier try left is written over. parent: NULL for a full
 * one. The result counts the objects and bytes that this call stored. ERR_AGAIN: goes_on() ended it. ERR_QUOTA: find_left() leaves less;
 * what was stored so far stays, for backup_data_collect(). ERR_IO. No other call may write or collect in the
 * chain meanwhile. */
struct backup_written {
	int64_t object_count, stored_size;
};
RESULT backup_data_write(struct ctx *c, const struct backup_place *place, const struct backup_facts *facts,
			 const struct backup_manifest *parent, const char *path,
			 const struct backup_watch *watch, struct backup_written *ret_written);
/* Writes the content to the file at path, replacing it. ERR_NOT_FOUND, ERR_INVALID: a chunk is missing or
 * damaged. ERR_AGAIN: as above. ERR_IO. */
RESULT backup_data_read(struct ctx *c, const struct backup_place *place, const struct backup_manifest *m,
			const char *path, const struct backup_watch *watch);
/* Removes a backup, and those of its chunks in the chain's folder that none of the others needs; the others are
 * all other backups of the chain. Without others the chain's folder goes. *ret_freed: bytes of removed chunks.
 * Chunks of an unfinished backup whose process was killed stay until the chain ends. ERR_IO. */
RESULT backup_data_collect(struct ctx *c, const struct backup_place *place, const uuid *others, size_t count,
			   int64_t *ret_freed);
/* Removes the manifest, then everything else. Absent: OK. ERR_IO. */
RESULT backup_data_remove(struct ctx *c, const struct backup_place *place);
