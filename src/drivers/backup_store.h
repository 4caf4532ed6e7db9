/* SPDX-License-Identifier: Apache-2.0
 * Storage for backups: a directory (file:///srv/backups) or a bucket of an S3 service (s3://bucket/prefix).
 * Object names consist of parts separated by slashes (model/backup_name.h). An object is either complete or
 * absent; writing one replaces an older one of the same name. All calls block: never use them on an HTTP
 * thread or the committer. A store is used by one thread. Source of the S3 requests: Amazon S3 API Reference,
 * PutObject, GetObject, DeleteObject, ListObjectsV2. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* Target by the settings backup.…; for a directory only the URL matters. */
struct backup_target {
	struct str url;
	struct str endpoint, region, key_id;
	struct str secret_file; /* the secret is its first line */
};

enum { BACKUP_NAME_MAX = 512, BACKUP_LIST_MAX = 1000 };

struct backup_store;
/* Makes no connection. ERR_INVALID, with a message: unsupported URL, or something is missing. ERR_NOT_FOUND,
 * ERR_IO: the secret can't be read. */
RESULT backup_store_new(struct ctx *c, const struct backup_target *target, struct backup_store **ret_store);
/* Opens a write-only store: PUT below an http or https URL without a password. ERR_INVALID. */
RESULT backup_store_new_web(struct ctx *c, struct str url, struct backup_store **ret_store);
void backup_store_free(struct backup_store *s); /* ignores NULL */
DEFINE_AUTO(backup_store)

/* Stores an object. This and the following calls: ERR_IO, with a message: the target failed; ERR_INVALID:
 * invalid name. */
RESULT backup_store_put(struct backup_store *s, struct ctx *c, struct str name, struct str bytes);
/* Appends the object's bytes to `into`, up to its limit. ERR_NOT_FOUND; ERR_TOO_LARGE. */
RESULT backup_store_get(struct backup_store *s, struct ctx *c, struct str name, struct buf *into);
/* Lists the names of objects and folders directly in a folder, in c's arena: at most BACKUP_LIST_MAX, an arbitrary selection if
 * there are more. An absent folder is empty. */
RESULT backup_store_list(struct backup_store *s, struct ctx *c, struct str folder, struct strs *ret_names);
/* Absent: OK. */
RESULT backup_store_remove(struct backup_store *s, struct ctx *c, struct str name);
/* Removes a folder with all its objects. Absent: OK. */
RESULT backup_store_remove_folder(struct backup_store *s, struct ctx *c, struct str folder);
