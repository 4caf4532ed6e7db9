/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ceph: one connection to one pool, and shared functions of the folder.
 *
 * An image is ours by its name (drivers/disk_name.h), which contains the region's first digits, and by its
 * metadata, which contains all of them and is written last: an image with our name but without metadata is
 * unfinished. Threads: as in drivers/disk.h; librbd has its own below. */
#pragma once

#include <rados/librados.h>
#include <rbd/librbd.h>

#include "drivers/ceph.h"
#include "drivers/disk_name.h"

/* ---- library.c */

#define CEPH_RADOS_CALLS(F)                                                                                  \
	F(rados_create2)                                                                                     \
	F(rados_conf_set)                                                                                    \
	F(rados_connect)                                                                                     \
	F(rados_shutdown)                                                                                    \
	F(rados_ioctx_create)                                                                                \
	F(rados_ioctx_destroy)                                                                               \
	F(rados_mon_command)                                                                                 \
	F(rados_buffer_free)                                                                                 \
	F(rados_wait_for_latest_osdmap)

#define CEPH_RBD_CALLS(F)                                                                                    \
	F(rbd_list2)                                                                                         \
	F(rbd_image_spec_list_cleanup)                                                                       \
	F(rbd_image_options_create)                                                                          \
	F(rbd_image_options_destroy)                                                                         \
	F(rbd_image_options_set_uint64)                                                                      \
	F(rbd_create4)                                                                                       \
	F(rbd_clone3)                                                                                        \
	F(rbd_remove)                                                                                        \
	F(rbd_open)                                                                                          \
	F(rbd_open_read_only)                                                                                \
	F(rbd_close)                                                                                         \
	F(rbd_resize)                                                                                        \
	F(rbd_get_size)                                                                                      \
	F(rbd_get_parent)                                                                                    \
	F(rbd_linked_image_spec_cleanup)                                                                     \
	F(rbd_linked_image_spec_list_cleanup)                                                                \
	F(rbd_snap_spec_cleanup)                                                                             \
	F(rbd_snap_list)                                                                                     \
	F(rbd_snap_list_end)                                                                                 \
	F(rbd_snap_exists)                                                                                   \
	F(rbd_snap_create)                                                                                   \
	F(rbd_snap_remove)                                                                                   \
	F(rbd_list_children3)                                                                                \
	F(rbd_flatten)                                                                                       \
	F(rbd_diff_iterate2)                                                                                 \
	F(rbd_read)                                                                                          \
	F(rbd_write)                                                                                         \
	F(rbd_flush)                                                                                         \
	F(rbd_metadata_get)                                                                                  \
	F(rbd_metadata_set)                                                                                  \
	F(rbd_metadata_remove)                                                                               \
	F(rbd_watchers_list)                                                                                 \
	F(rbd_watchers_list_cleanup)

struct ceph_library {
#define CEPH_MEMBER(name) typeof(name) *name;
	CEPH_RADOS_CALLS(CEPH_MEMBER)
	CEPH_RBD_CALLS(CEPH_MEMBER)
#undef CEPH_MEMBER
};
/* Valid after ceph_load(). */
extern struct ceph_library ceph;
/* Loads both libraries, once per process. ERR_NOT_FOUND: not installed, or lacking a function. Any thread. */
RESULT ceph_load(struct ctx *c);

/* ---- pool.c */

struct ceph_plan; /* copy.c */

struct disk_host {
	rados_t cluster;
	rados_ioctx_t io;
	uuid region;
	char region_text[UUID_TEXT_SIZE]; /* all digits */
	char *pool;                       /* owned */
	struct ceph_plan *plan;           /* owned; plan of the latest pull(); NULL: none */
};

/* Turns a negative return value into a message ("what: why") and an error kind. */
RESULT ceph_fail(struct disk_host *h, struct ctx *c, int answer, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
/* Fails a driver call when a test requests it. First line of every call. */
RESULT ceph_begin(struct disk_host *h, struct ctx *c);
/* Sends a command to the monitors. ret_output: in c's arena. */
RESULT ceph_ask_monitors(struct disk_host *h, struct ctx *c, const char *command, int *ret_answer,
			 struct str *ret_output);

/* Sets pool_size and pool_free; 0 if a cluster without a manager doesn't report them. */
RESULT ceph_find_room(struct disk_host *h, struct ctx *c, struct disk_inventory *inventory);

/* Implements drivers/disk.h. A host is not a pool: ERR_INVALID. */
RESULT ceph_refuse_host(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host);
/* Implements drivers/disk.h. */
void ceph_close_pool(struct disk_host *h);
/* Ignored: this driver never queries a QEMU. */
void ceph_watch(struct disk_host *h, disk_asks *asks, void *arg);
/* Implements drivers/disk.h. */
RESULT ceph_list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);

/* ---- image.c */

/* Ignores NULL. */
void ceph_autoclose(rbd_image_t *image);
#define AUTO_IMAGE __attribute__((cleanup(ceph_autoclose))) rbd_image_t

/* Keys of an image's metadata. */
#define META_REGION "dari.region" /* the region's UUID; written once everything but the content exists */
#define META_DONE "dari.done" /* progress of an incomplete image, in bytes of the disk. Absent: complete */
#define META_SEALED "dari.sealed"   /* the image is a LUKS container around the disk's bytes */
#define META_VOLUME "dari.volume"   /* cuts, like the next two: the volume's UUID */
#define META_SINCE "dari.since"     /* base snapshot of the requested increment; absent: full */
#define META_PASSING "dari.passing" /* the volume's base snapshot remains unchanged */

/* Snapshot of a base that volumes are cloned from; exists once the base is complete. */
#define BASE_SNAPSHOT "base"

/* The name of its image, in c's arena. */
struct str ceph_name_of(struct disk_host *h, struct ctx *c, const struct disk_name *name);
/* snapshot NULL: the current image, writable. Result NULL: no such image. */
RESULT ceph_open_image(struct disk_host *h, struct ctx *c, struct str name, const char *snapshot,
		       rbd_image_t *ret_image);
/* Opens read-only. NULL: no such image. */
RESULT ceph_look_at(struct disk_host *h, struct ctx *c, struct str name, rbd_image_t *ret_image);
/* Empty text: no such key. */
RESULT ceph_get_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     struct str *ret_value);
/* value NULL: removes the key. Absent: OK. */
RESULT ceph_set_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     const char *value);
/* ret_is_made: creation is complete. ERR_CONFLICT: another region's. */
RESULT ceph_check_mark(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str name,
		       bool *ret_is_made);
/* Marks an image as complete, as the last step of its creation. */
RESULT ceph_set_mark(struct disk_host *h, struct ctx *c, rbd_image_t image);
/* Size in bytes of the opened image or snapshot. */
RESULT ceph_get_size_of(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_size);
/* Creates a blank image without the mark. */
RESULT ceph_make_blank(struct disk_host *h, struct ctx *c, struct str name, int64_t size);
/* Clones another image's snapshot; without the mark. */
RESULT ceph_make_clone(struct disk_host *h, struct ctx *c, struct str of, const char *snapshot,
		       struct str name);
/* Lists the images cloned from any of the image's snapshots, in c's arena. */
RESULT ceph_list_children_of(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names);
/* Lists snapshot names, in c's arena. */
RESULT ceph_list_snapshots(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names);
/* Sets *ret_has if the image has a snapshot of that name. */
RESULT ceph_has_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name,
			 bool *ret_has);
/* Absent: OK. */
RESULT ceph_drop_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name);
/* Removes an image with its snapshots; flattens clones of these first. Absent: OK. ERR_IN_USE. */
RESULT ceph_remove_image(struct disk_host *h, struct ctx *c, struct str name);

/* ---- disk.c */

/* Finds the offset of the encrypted image's payload, behind the LUKS header. ERR_CONFLICT: not a LUKS
 * container. */
RESULT ceph_find_payload(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset);
/* Likewise if its metadata mark it as encrypted, else 0. */
RESULT ceph_find_sealed(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset);

/* ---- snapshot_copy.c */

/* The volume's snapshot name for a snapshot, in c's arena. */
struct str ceph_snapshot_name(struct ctx *c, struct str snapshot);
/* Implements drivers/disk.h. */
RESULT ceph_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		struct disk_cut_seen *ret_seen);
/* Removes an existing cut: its image, and base snapshots the volume no longer needs. */
RESULT ceph_remove_cut(struct disk_host *h, struct ctx *c, uuid snapshot);

/* ---- copy.c */

/* Implements drivers/disk.h. */
RESULT ceph_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* Implements drivers/disk.h. */
RESULT ceph_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* Ignores NULL. */
void ceph_forget_plan(struct disk_host *h);
