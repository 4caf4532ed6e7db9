/* SPDX-License-Identifier: Apache-2.0
 * Ceph pools: connection data, additions to drivers/disk.h's contract, and fencing hosts. drivers/ceph
 * implements the contract with RBD images, over librados and librbd, which are loaded when the first pool is
 * opened: a region without such pools doesn't need them.
 *
 * Differences between an RBD pool and a host's files as described in drivers/disk.h:
 *
 * 1. Hosts. A pool belongs to no host: every host with access sees the same images, and a guest migrates
 *    without its disks. The driver never queries a QEMU, so watch() never calls back. A running guest's QEMU
 *    notices by itself that its disk grew, but the guest doesn't: after growing, call that guest's host
 *    (compute.h).
 * 2. Forms. An image is raw whatever is_raw and was_raw are, and list() never reports is_raw. pull() writes
 *    and push() reads qcow2 nevertheless, without a backing file: an image that is exported and imported
 *    again has none.
 * 3. Cuts are complete immediately whatever is_raw and is_copied are, and guests continue. An increment is
 *    the difference from the snapshot of tracked_from, which the volume keeps: a crash doesn't lose it, and
 *    it occupies the space of the blocks overwritten since. Removing a volume copies its content into its
 *    remaining cuts.
 * 4. Encryption. An image is a LUKS container, whose header precedes the disk's bytes. It never has a parent,
 *    so a wish with key and base is refused (ERR_INVALID). pull() and push() transfer containers unchanged;
 *    recast() converts between them and the image store. Cuts are always full. Unwritten blocks of a blank
 *    disk read as random data.
 * 5. Space. A cluster without a manager doesn't report it, and pool_size is 0. */
#pragma once

#include "drivers/disk.h"

struct ceph_place {
	uuid id;              /* the storage pool's; identifies its key on a host */
	struct strs monitors; /* address:port, or [address]:port */
	struct str pool;      /* name of the pool in Ceph */
	struct str user;      /* without the "client." prefix */
	struct str key;       /* secret; as `ceph auth get-key` prints it */
};

/* ERR_INVALID, with a message: contains characters that would need escaping in a definition or command.
 * Pure. */
RESULT ceph_check_place(struct ctx *c, const struct ceph_place *place);
/* The name of a volume's image. */
struct str ceph_volume_name(struct arena *a, uuid region, uuid volume);

/* Connects to a pool, like disk_open_host() to a host. region: the mark of its images. Use the connection
 * with disk_rbd, and close it with its close_host(). Gives up after about ten seconds. ERR_GONE: no monitor
 * answers, or the key is refused. ERR_NOT_FOUND: no such pool, or the libraries are not installed (the
 * message names the packages). ERR_INVALID: as ceph_check_place(). */
RESULT ceph_open_pool(struct ctx *c, uuid region, const struct ceph_place *place,
		      struct disk_host **ret_host);

/* ---- keeping a host out
 *
 * Ceph's OSDs refuse requests of a blocked client: a QEMU with an open image gets ESHUTDOWN permanently, even
 * if its host was only cut off and comes back. An OSD that hasn't learned of the block yet learns of it with
 * the first request of any client that connected after the call, before it serves that. Earlier writes are
 * complete. The next client to open the image takes over its lock. None of this involves the host, so it is a
 * proof that nothing on it writes to the cluster any more. It says nothing about other storage. */

/* Blocks a host's address, for all its clients, or one client by address:port/nonce as listed by
 * ceph_list_users(). The block expires after expire_s; repeating the call renews it. ERR_INVALID: not an
 * address. */
RESULT ceph_block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s);
/* Ends a block. For a host, only when none of its earlier guests exists any more. Absent: OK. */
RESULT ceph_unblock(struct disk_host *h, struct ctx *c, struct str address);
/* True while the address is blocked. */
RESULT ceph_see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked);
/* Lists the clients that have a volume open, except this connection: address:port/nonce, in c's arena. A
 * crashed one is listed for another half minute. Absent: none. */
RESULT ceph_list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses);

extern const struct disk_driver disk_rbd; /* open_host() refuses: use ceph_open_pool() */
