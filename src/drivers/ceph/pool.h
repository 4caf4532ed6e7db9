/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/ceph: one connection to one pool, and what its files share.
 *
 * An image is ours by its name (drivers/disk_name.h), which has the first digits of the region, and by its
 * metadata, which has all of them and is written last: an image of our name without is one that was being made.
 * Threads: as in drivers/disk.h; librbd has its own below. */
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
/* Loads both libraries, once for all. ERR_NOT_FOUND: they are not installed, or lack a call. Any thread. */
RESULT ceph_load(struct ctx *c);

/* ---- pool.c */

struct ceph_plan; /* copy.c */

struct disk_host {
	rados_t cluster;
	rados_ioctx_t io;
	uuid region;
	char region_text[UUID_TEXT_SIZE]; /* all of its digits */
	char *pool;                       /* owned */
	struct ceph_plan *plan;           /* owned: of the last pull(); NULL: none */
};

/* Turns a call's negative answer into words and a kind: "what: why". */
RESULT ceph_fail(struct disk_host *h, struct ctx *c, int answer, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
/* Fails a driver call that a test wants to fail. First line of every call. */
RESULT ceph_begin(struct disk_host *h, struct ctx *c);
/* Asks the monitors. ret_output: in c's arena. */
RESULT ceph_ask_monitors(struct disk_host *h, struct ctx *c, const char *command, int *ret_answer,
			 struct str *ret_output);

/* Its pool_size and pool_free; what a cluster without a manager does not tell is 0. */
RESULT ceph_find_room(struct disk_host *h, struct ctx *c, struct disk_inventory *inventory);

/* Of drivers/disk.h, as the next three. A host is no pool: ERR_INVALID. */
RESULT ceph_refuse_host(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host);
/* See above. */
void ceph_close_pool(struct disk_host *h);
/* Nothing here asks a QEMU. */
void ceph_watch(struct disk_host *h, disk_asks *asks, void *arg);
/* See above. */
RESULT ceph_list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);

/* ---- image.c */

/* NULL: nothing. */
void ceph_autoclose(rbd_image_t *image);
#define AUTO_IMAGE __attribute__((cleanup(ceph_autoclose))) rbd_image_t

/* Keys of an image's metadata. */
#define META_REGION "dari.region" /* the region's UUID; written when the image is made, but for its content */
#define META_DONE "dari.done" /* of an image on its way: bytes of the disk that are there. Absent: all are */
#define META_SEALED "dari.sealed"   /* it is a LUKS container, which the disk's bytes are in */
#define META_VOLUME "dari.volume"   /* of a cut, as the next two: the volume's UUID */
#define META_SINCE "dari.since"     /* the snapshot since which it is wanted; absent: all of it is */
#define META_PASSING "dari.passing" /* the volume's record stays as it was */

/* The snapshot of a base that its volumes stand on: there when the base is whole. */
#define BASE_SNAPSHOT "base"

/* Of its image, in c's arena. */
struct str ceph_name_of(struct disk_host *h, struct ctx *c, const struct disk_name *name);
/* snapshot NULL: the image as it is now, which may be written to and changed. NULL: there is none. */
RESULT ceph_open_image(struct disk_host *h, struct ctx *c, struct str name, const char *snapshot,
		       rbd_image_t *ret_image);
/* To look at. NULL: there is none. */
RESULT ceph_look_at(struct disk_host *h, struct ctx *c, struct str name, rbd_image_t *ret_image);
/* An empty text: it has none of that name. */
RESULT ceph_get_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     struct str *ret_value);
/* value NULL: it is removed. Absent: OK. */
RESULT ceph_set_meta(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *key,
		     const char *value);
/* ret_is_made: it was made to its end. ERR_CONFLICT: it is another region's. */
RESULT ceph_check_mark(struct disk_host *h, struct ctx *c, rbd_image_t image, struct str name,
		       bool *ret_is_made);
/* The last that is done to an image that is made. */
RESULT ceph_set_mark(struct disk_host *h, struct ctx *c, rbd_image_t image);
/* Of the image, or the snapshot, that was opened; bytes. */
RESULT ceph_get_size_of(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_size);
/* Blank; without the mark. */
RESULT ceph_make_blank(struct disk_host *h, struct ctx *c, struct str name, int64_t size);
/* Of a snapshot of another image; without the mark. */
RESULT ceph_make_clone(struct disk_host *h, struct ctx *c, struct str of, const char *snapshot,
		       struct str name);
/* The images that stand on any of the image's snapshots, in c's arena. */
RESULT ceph_list_children_of(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names);
/* Their names, in c's arena. */
RESULT ceph_list_snapshots(struct disk_host *h, struct ctx *c, rbd_image_t image, struct strs *ret_names);
/* Of that name. */
RESULT ceph_has_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name,
			 bool *ret_has);
/* Absent: OK. */
RESULT ceph_drop_snapshot(struct disk_host *h, struct ctx *c, rbd_image_t image, const char *name);
/* With its snapshots; what stands on them stands by itself from then on. Absent: OK. ERR_IN_USE. */
RESULT ceph_remove_image(struct disk_host *h, struct ctx *c, struct str name);

/* ---- disk.c */

/* Where the bytes of an encrypted image's disk begin: behind the head of its container. ERR_CONFLICT: it is none. */
RESULT ceph_find_payload(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset);
/* Likewise, of one that is encrypted if its metadata say so; else 0. */
RESULT ceph_find_sealed(struct disk_host *h, struct ctx *c, rbd_image_t image, int64_t *ret_offset);

/* ---- cut.c */

/* What a snapshot is called in its volume; in c's arena. */
struct str ceph_snapshot_name(struct ctx *c, struct str snapshot);
/* Of drivers/disk.h. */
RESULT ceph_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		struct disk_cut_seen *ret_seen);
/* Of a cut that is there: the image goes, and what the volume need not keep for it. */
RESULT ceph_remove_cut(struct disk_host *h, struct ctx *c, uuid snapshot);

/* ---- copy.c */

/* Of drivers/disk.h, as the next. */
RESULT ceph_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* See above. */
RESULT ceph_push(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
/* None: nothing. */
void ceph_forget_plan(struct disk_host *h);
