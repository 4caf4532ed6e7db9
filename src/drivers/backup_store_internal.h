/* SPDX-License-Identifier: Apache-2.0
 * Private to the kinds of backup_store.h. Names are already checked and include the target's prefix. */
#pragma once

#include <curl/curl.h>

#include "drivers/backup_store.h"

struct backup_store_kind {
	RESULT (*put)(struct backup_store *s, struct ctx *c, struct str name, struct str bytes);
	RESULT (*get)(struct backup_store *s, struct ctx *c, struct str name, struct buf *into);
	RESULT (*list)(struct backup_store *s, struct ctx *c, struct str folder, struct strs *ret_names);
	RESULT (*remove)(struct backup_store *s, struct ctx *c, struct str name);
	RESULT (*remove_folder)(struct backup_store *s, struct ctx *c, struct str folder);
};

struct backup_store {
	const struct backup_store_kind *kind;
	struct arena *arena; /* holds the following */
	struct str base;     /* prefix of each name: "/srv/backups/", "prefix/" or empty */
	/* For S3: */
	CURL *curl;
	const char *bucket_url;            /* "https://endpoint/bucket" */
	struct str host, path;             /* of bucket_url, as signatures cover them */
	struct str region, key_id, secret; /* key_id empty: requests are not signed */
};

extern const struct backup_store_kind backup_store_s3, backup_store_web;
/* Initialises the fields for a store by web PUT. */
RESULT backup_store_open_web(struct backup_store *s, struct ctx *c, struct str url);
/* Initialises the fields for S3. bucket: without the prefix. */
RESULT backup_store_open_s3(struct backup_store *s, struct ctx *c, const struct backup_target *target,
			    struct str bucket);
