/* SPDX-License-Identifier: Apache-2.0
 * Pools of Ceph: what a connection needs, what drivers/disk.h's contract leaves out, and how a host is kept from
 * a pool. drivers/ceph keeps the contract with RBD images, over librados and librbd, which are loaded when the
 * first pool is opened: a region without such a pool does not need them.
 *
 * How an RBD pool differs from the files of a host, where drivers/disk.h speaks of those:
 *
 * 1. Hosts. A pool belongs to no host: every host that may reach it has the same images, and a guest moves
 *    without its disks. Nobody on the way is a QEMU, so watch() is never called back. A running guest's QEMU
 *    learns by itself that its disk grew, but the guest does not: whoever grows it asks that guest's host to
 *    tell it (compute.h).
 * 2. Forms. An image is plain, whatever is_raw and was_raw say, and list() tells of none that it is raw. What pull() writes and push() reads is qcow2 all the same, without a backing file: an image that goes
 *    out and comes back stands by itself.
 * 3. Cuts are whole at once, whatever is_raw and is_copied say, and guests go on. An increment is what differs from the
 *    snapshot of tracked_from, which the volume keeps as its record: no crash loses it, and it takes as much room
 *    as was overwritten since. Removing a volume copies its content into the cuts of it that are there.
 * 4. Encryption: an image is a LUKS container, whose head comes before the disk's bytes. It stands by itself, so none is made of a wish
 *    with a key and a base (ERR_INVALID). pull() and push() pass containers on as they are: recast() is between
 *    them and the image store. Each cut is whole. What nobody wrote on a blank one reads as anything.
 * 5. Room: a cluster that has no manager tells none, and pool_size is 0. */
#pragma once

#include "drivers/disk.h"

struct ceph_place {
	uuid id;              /* of the storage pool; a host knows its key by that */
	struct strs monitors; /* address:port, or [address]:port */
	struct str pool;      /* the pool's name in Ceph */
	struct str user;      /* without the word client */
	struct str key;       /* as `ceph auth get-key` prints it; a secret */
};

/* ERR_INVALID, in words: a place that could not be written into a definition or a command as it is. Pure. */
RESULT ceph_check_place(struct ctx *c, const struct ceph_place *place);
/* The name of a volume's image. */
struct str ceph_volume_name(struct arena *a, uuid region, uuid volume);

/* Connects to a pool: what disk_open_host() is for a host. region: the mark of its images. The connection is
 * used with disk_rbd, and closed by its close_host(). The call gives up after some ten seconds.
 * ERR_GONE: no monitor answers, or the key is refused. ERR_NOT_FOUND: there is no such pool, or its libraries
 * are not installed, with the packages' name in words. ERR_INVALID: as ceph_check_place(). */
RESULT ceph_open_pool(struct ctx *c, uuid region, const struct ceph_place *place,
		      struct disk_host **ret_host);

/* ---- keeping a host out
 *
 * Ceph's OSDs refuse what a blocked client asks: a QEMU that has an image open gets ESHUTDOWN for good, also
 * when its host was only cut off and comes back. An OSD that has not heard of the block yet hears of it with the
 * first request of any client that connected after the call, before it serves that. What was written
 * before is there. The one that opens the image next takes its lock over. This asks nothing of the host, so
 * it is a proof that nothing there writes to the cluster any more. It says nothing of other storage. */

/* address: of a host, for every client on it; or of one client, address:port/nonce, as ceph_list_users() tells it. The
 * block ends by itself after expire_s; repeat the call before that to go on. Repeating replaces the time.
 * ERR_INVALID: it is no address. */
RESULT ceph_block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s);
/* Ends it. Call it for a host only when none of its guests of before is there any more. Absent: OK. */
RESULT ceph_unblock(struct disk_host *h, struct ctx *c, struct str address);
/* Whether it is blocked at this moment. */
RESULT ceph_see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked);
/* The clients that have a volume open, but for this connection: address:port/nonce, in c's arena. One that
 * died without a word is listed for half a minute. Absent: none. */
RESULT ceph_list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses);

extern const struct disk_driver disk_rbd; /* open_host() refuses: ceph_open_pool() */
