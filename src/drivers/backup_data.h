/* SPDX-License-Identifier: Apache-2.0
 * What a backup is made of. Its content is one file, in chunks of BACKUP_CHUNK_SIZE bytes: those of zeros are
 * left out, each other one is an object of its own, compressed (zlib) and called by the SHA-256 of its plain
 * bytes, in the folder CONTAINER/BACKUP. A chunk that the parent has is not stored again: the manifest, the
 * object "manifest.json" of the same folder, says in whose folder each chunk is. It is written last: without
 * it there is no backup. So nothing but the backups that have a backup among their ancestors need its folder.
 * A manifest may come from a bucket of somebody: whatever it says is checked, and so is each chunk's digest.
 * Everything here blocks for as long as copying takes. */
#pragma once

#include "drivers/backup_store.h"
#include "model/row.h"

enum {
	BACKUP_CHUNK_SIZE = 4 << 20,
	BACKUP_ANCESTORS_MAX = 1000,     /* and itself */
	BACKUP_MANIFEST_MAX = 128 << 20, /* bytes; a full disk of 2 TiB has 524,288 chunks */
	BACKUP_PROPERTIES_MAX = 128,
	BACKUP_PROPERTIES_SIZE_MAX = 256 << 10
};

/* Where it is. */
struct backup_place {
	struct backup_store *store;
	struct str container;
	uuid id;
};

/* What is said of it besides its chunks. */
struct backup_facts {
	uuid parent;     /* none: full */
	int64_t size;    /* bytes of the disk, as a guest sees it */
	int64_t data_us; /* since when it is so */
	bool is_file; /* the content is the file of the image store itself, of that digest; else a plain image */
	struct str sha256;
	bool is_encrypted, is_bootable;
	struct str data_key; /* sealed, of an encrypted one */
	struct tags image_properties, volume_tags;
};

struct backup_manifest;
void backup_manifest_free(struct backup_manifest *m); /* NULL: nothing */
DEFINE_AUTO(backup_manifest)
/* The facts live as long as the manifest. */
const struct backup_facts *backup_manifest_facts(const struct backup_manifest *m);
int64_t backup_manifest_data_size(const struct backup_manifest *m); /* bytes of the content */

/* ERR_NOT_FOUND: there is no such backup, or only a part of one. ERR_INVALID, in words: it is none. ERR_IO. */
RESULT backup_manifest_load(struct ctx *c, const struct backup_place *place,
			    struct backup_manifest **ret_manifest);

/* The writer or reader asks both before each chunk. */
struct backup_watch {
	bool (*goes_on)(void *arg); /* false ends the work */
	int64_t (*find_left)(
		void *arg); /* bytes that may be stored, of this backup in all; NULL: any number */
	void *arg;
};

/* Writes the content and then the manifest; what an earlier try left is written over. parent: NULL for a full
 * one. Of what it stored itself it tells how many objects and bytes. ERR_AGAIN: goes_on() ended it. ERR_QUOTA: find_left() leaves less;
 * what was stored so far stays, for backup_data_remove(). ERR_IO. */
struct backup_written {
	int64_t object_count, stored_size;
};
RESULT backup_data_write(struct ctx *c, const struct backup_place *place, const struct backup_facts *facts,
			 const struct backup_manifest *parent, const char *path,
			 const struct backup_watch *watch, struct backup_written *ret_written);
/* Makes the file at path, which is written over. ERR_NOT_FOUND, ERR_INVALID: a chunk is not there, or is not
 * what it should be. ERR_AGAIN: as above. ERR_IO. */
RESULT backup_data_read(struct ctx *c, const struct backup_place *place, const struct backup_manifest *m,
			const char *path, const struct backup_watch *watch);
/* Removes all of it: the manifest first. Absent: OK. ERR_IO. */
RESULT backup_data_remove(struct ctx *c, const struct backup_place *place);
