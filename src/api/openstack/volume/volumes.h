/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: declarations that the files of Block Storage share. */
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

/* Status of a volume without regard to reservations, restores and backups: "available", …. */
const char *os_volume_bare_status(const struct tables *t, const struct volume *v);
/* Status of a volume: its reservation (volume_reservation_words), "restoring-backup", "backing-up", or os_volume_bare_status(). */
const char *os_volume_status(const struct tables *t, const struct volume *v);
const char *os_snapshot_status(const struct snapshot *s);
/* Snapshot that a user made the volume from; none for the snapshot of an image, or a temporary one of a copy. */
uuid os_volume_source_snapshot(const struct tables *t, const struct volume *v);
/* True if the snapshot is no part of an image or a copy. */
bool os_is_snapshot_shown(struct os_call *e, const struct row *row);
/* Reads size (GiB), type and zone of a request into a wish that already has the volume's source. */
RESULT os_take_volume_wish(struct os_call *e, int64_t size, struct str type, struct str zone,
			   struct volume_wish *wish);
/* The region's first open zone, where a call names none. */
struct ref os_first_zone(struct os_call *e);
/* A type by its name or id, as the engine knows it: by name. */
RESULT os_find_volume_type(struct os_call *e, struct str asked, struct str *ret_name);

/* All specs of a type, with those over those there are, and without the one of that key. */
RESULT os_change_specs(struct os_call *e, struct tags before, struct tags over, struct str gone,
		       struct tags *ret_specs);

/* Cinder's location of a volume: host@backend#pool. A host has one back end with one pool. */
struct str os_volume_backend(struct os_call *e, const struct host *host);
struct str os_volume_pool(struct os_call *e, const struct host *host);
/* Cinder's location of volumes in a shared pool. */
struct storage_pool;
struct str os_shared_pool(struct os_call *e, const struct storage_pool *pool);

/* Finds a back end by its location: a host or a shared pool. ERR_INVALID, with Cinder's message: none of that name is up. */
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
/* Reads a dictionary in Python's notation. False: not a dictionary. */
bool os_read_literal(struct os_call *e, struct str text, struct tags *ret_tags);
/* True if the tags have all members of such a dictionary; an invalid dictionary matches nothing. */
bool os_fits_literal(struct os_call *e, struct tags tags, struct str text);
/* Time of the last update that answers show. */
int64_t os_get_update(struct api_call *e, const struct row *row);
/* "links" of a resource below the project. */
void os_write_volume_links(struct os_call *e, struct json_writer *w, const char *collection, uuid id);
