/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: what the files of Block Storage share. */
#pragma once

#include "api/openstack/core/list.h"
#include "engine/storage/volume/volume.h"

struct host;
struct image;
struct snapshot;
struct volume;

#define OS_VOLUME_GIB (INT64_C(1) << 30)

extern const struct os_listing os_volume_details, os_backup_details, os_snapshot_details,
	os_attachment_details, os_volume_group_details, os_group_snapshot_details;

/* "available", …; whoever holds it aside. */
const char *os_volume_bare_status(const struct tables *t, const struct volume *v);
/* Likewise, or as what it is reserved for. */
const char *os_volume_status(const struct tables *t, const struct volume *v);
const char *os_snapshot_status(const struct snapshot *s);
/* The snapshot that it was made from by name: not that of an image, nor one that a copy was made by. */
uuid os_volume_source_snapshot(const struct tables *t, const struct volume *v);
/* Those that are no part of an image or a copy. */
bool os_is_snapshot_shown(struct os_call *e, const struct row *row);
/* GiB, type and zone as they are asked for, into a wish that says what the volume is made from. */
RESULT os_take_volume_wish(struct os_call *e, int64_t size, struct str type, struct str zone,
			   struct volume_wish *wish);
/* The region's first open zone, where a call names none. */
struct ref os_first_zone(struct os_call *e);
/* A type by its name or id, as the engine knows it: by name. */
RESULT os_find_volume_type(struct os_call *e, struct str asked, struct str *ret_name);

/* All specs of a type, with those over those there are, and without the one of that key. */
RESULT os_change_specs(struct os_call *e, struct tags before, struct tags over, struct str gone,
		       struct tags *ret_specs);

/* Where Cinder says that a volume lies: host@backend#pool. A host has one back end with one pool. */
struct str os_volume_backend(struct os_call *e, const struct host *host);
struct str os_volume_pool(struct os_call *e, const struct host *host);
/* Likewise a shared one. */
struct storage_pool;
struct str os_shared_pool(struct os_call *e, const struct storage_pool *pool);

/* One of those by that name: as a host, or as a pool. ERR_INVALID, in Cinder's words: there is none that is up. */
RESULT os_find_volume_backend(struct os_call *e, struct str name, struct ref *ret_host, struct ref *ret_pool);

#define OS_VOLUME_PATH(T, member) OS_PATH(T, "volume_id", member, .kind = KIND_VOLUME, .doc = "The volume.")
#define OS_SNAPSHOT_PATH(T, member)                                                                          \
	OS_PATH(T, "snapshot_id", member, .kind = KIND_SNAPSHOT, .doc = "The snapshot.")

static inline int64_t os_gib(int64_t size)
{
	return (size + OS_VOLUME_GIB - 1) / OS_VOLUME_GIB;
}

/* "metadata": what a volume's image said of itself, and what was said since. The view is read. */
void os_show_image_metadata(struct os_call *e, struct json_writer *w, const struct row *volume);
/* A dictionary as Python writes it. False: the text is none. */
bool os_read_literal(struct os_call *e, struct str text, struct tags *ret_tags);
/* Whether the tags have all of such a dictionary; what is none fits nothing. */
bool os_fits_literal(struct os_call *e, struct tags tags, struct str text);
/* The filter `consumes_quota`: whatever is listed does. */
bool os_fits_consumed(struct os_call *e, const struct row *row, struct str value);
/* Time of the last update that answers show. */
int64_t os_get_update(struct api_call *e, const struct row *row);
/* The filter `user_id`, as os_write_maker() shows it. */
bool os_fits_maker(uuid made_by, uuid account, struct str value);
/* "links" of a resource below the project. */
void os_write_volume_links(struct os_call *e, struct json_writer *w, const char *collection, uuid id);
