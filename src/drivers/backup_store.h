/* SPDX-License-Identifier: Apache-2.0
 * Where backups are kept: a directory (file:///srv/backups), or a bucket of an S3 service
 * (s3://bucket/prefix). An object's name has parts between slashes (model/backup_name.h). An object is there whole or not at all, and a second one of its name
 * replaces it. Everything here blocks: never on an HTTP thread or the committer. A store is one thread's.
 * Source of S3's requests: Amazon S3 API Reference, PutObject, GetObject, DeleteObject, ListObjectsV2. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* As the settings backup.… say. Of a directory only the URL counts. */
struct backup_target {
	struct str url;
	struct str endpoint, region, key_id;
	struct str secret_file; /* its first line is the secret */
};

enum { BACKUP_NAME_MAX = 512, BACKUP_LIST_MAX = 1000 };

struct backup_store;
/* ERR_INVALID, in words: the target is no such URL, or lacks something. ERR_NOT_FOUND, ERR_IO: the secret
 * cannot be read. Connects to nothing. */
RESULT backup_store_new(struct ctx *c, const struct backup_target *target, struct backup_store **ret_store);
/* One that takes objects only, by PUT below a URL of http or https without a password in it. ERR_INVALID. */
RESULT backup_store_new_web(struct ctx *c, struct str url, struct backup_store **ret_store);
void backup_store_free(struct backup_store *s); /* NULL: nothing */
DEFINE_AUTO(backup_store)

/* Puts an object. This and each of the next: ERR_IO, in words: the target does not do it; ERR_INVALID: no such
 * name can be. */
RESULT backup_store_put(struct backup_store *s, struct ctx *c, struct str name, struct str bytes);
/* Adds the bytes to `into`, which bounds them. ERR_NOT_FOUND; ERR_TOO_LARGE. */
RESULT backup_store_get(struct backup_store *s, struct ctx *c, struct str name, struct buf *into);
/* The names of what lies directly in a folder, in c's arena: BACKUP_LIST_MAX at most, any of them if there
 * are more. An absent folder has none. */
RESULT backup_store_list(struct backup_store *s, struct ctx *c, struct str folder, struct strs *ret_names);
/* Absent: OK. */
RESULT backup_store_remove(struct backup_store *s, struct ctx *c, struct str name);
/* Removes a folder of objects with all that is in it. Absent: OK. */
RESULT backup_store_remove_folder(struct backup_store *s, struct ctx *c, struct str folder);
