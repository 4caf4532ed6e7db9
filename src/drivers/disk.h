/* SPDX-License-Identifier: Apache-2.0
 * The disk driver's contract: calls to a host that stores disks. These are files in its pool: the host's own
 * directory, or one shared with other hosts (enter()). drivers/libvirt implements it with libvirt's storage
 * pools and QEMU, drivers/sim in memory; tests/unit/drivers/disk_contract.c tests both. drivers/compute.h is
 * the contract for the domains that use the disks. Ceph pools, which belong to no host, are used by the same
 * calls; drivers/ceph.h lists the differences.
 *
 * Rules for every call:
 *
 * 1. Threads. A host has a connection for its disks in addition to that of drivers/compute.h, so that a long
 *    copy never delays its domains. One thread at a time uses it: the actor of the host's disks, which makes
 *    one call after another.
 * 2. Time. Long copies are made in pieces: a call of pull() or push() takes about DISK_PIECE_US, and the next
 *    call continues where that one ended, also after a crash. A call that queries a QEMU may block forever.
 *    The driver announces each such query (see watch()). The reconciler then abandons thread and connection
 *    to that call and serves other volumes over a new connection; the abandoned call affects only its own
 *    volume and snapshot.
 * 3. Repetition. Every call may be repeated, after success, after failure and after a crash of dari. A
 *    repeated call does only what is still missing and returns OK. No driver retries by itself.
 * 4. Identity. The driver finds a file by its identity (struct disk_name), never by a path. Files of other
 *    regions and foreign files are never changed. A file refers to its backing file by a relative path, so
 *    both may be copied to a pool at another path.
 * 5. Secrets. Keys appear in no argument list, log or definition. A host has a key in memory only, for as
 *    long as it has the disk.
 * 6. Memory. The caller owns all arguments and may free them after the return. Results are in the context's
 *    arena.
 * 7. Errors. ERR_AGAIN: try later. ERR_GONE: the connection is lost; open_host() again. ERR_CONFLICT: a file
 *    of that name exists that can't be ours. ERR_CAPACITY: no space. ERR_IO includes a guest's QEMU that
 *    hasn't answered for some time. ERR_NO_MEMORY is always possible. The reconciler shows any other error to
 *    the user as a condition, with the context's message. Outputs are valid on success only. */
#pragma once

#include "base/clock.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "model/disk_key.h"

/* A driver's connection to one host; each driver defines its own. */
struct disk_host;
struct host;       /* model/host.h */
struct ceph_place; /* drivers/ceph.h */

/* Approximate duration of one call of pull() or push(). */
#define DISK_PIECE_US SECOND

/* ---- files */

/* VOLUME: a volume's disk, or the partial copy of a migration. CUT: a snapshot's content, until it is in the
 * image store. BASE: a cached file of the image store, used as backing file by volumes. */
enum disk_kind { DISK_VOLUME, DISK_CUT, DISK_BASE };

struct disk_name {
	enum disk_kind kind;
	uuid id;           /* volume or snapshot; unused for a base */
	struct str sha256; /* a base's digest, hex; unused for the others */
	bool is_raw;       /* a raw image, of a volume or a copy for a cut; else qcow2 */
};

struct disk_item {
	struct disk_name name;
	int64_t size;      /* a volume's bytes as the guest sees it; else 0 */
	int64_t file_size; /* length of the file in the pool, bytes */
	struct str base;   /* file name of its backing file; empty: none */
};

struct disk_inventory {
	const struct disk_item *at;
	size_t count;
	int64_t pool_size, pool_free; /* bytes */
};

/* ---- volumes */

struct disk_spec {
	uuid volume;
	int64_t size;           /* bytes as seen by the guest; a multiple of 512 */
	struct str base_sha256; /* the image store's file to start from; empty: blank */
	int64_t base_file_size; /* bytes of that file */
	/* The disk's encryption key (LUKS); NULL: unencrypted. An existing disk that differs in that:
	 * ERR_CONFLICT. */
	const struct disk_key *key;
	bool base_is_encrypted; /* the base is encrypted with the same key */
	bool is_swap; /* a new disk is formatted as swap space, as by mkswap; without base and key */
	/* Snapshot since whose cut the disk is believed to have a dirty bitmap; none: it has none. Growing
	 * may lose the bitmap, and the next cut is then a full one. */
	uuid tracked_from;
	/* Requests a raw image, which several guests can use at the same time; not with a key. was_raw: an
	 * earlier call reported it as raw. Otherwise it is created from the existing disk if was_there, whose
	 * file remains until a call with was_raw removes it. */
	bool is_raw, was_raw;
	bool is_growing; /* with was_raw: guests may not know its size yet and are notified */
	/* The disk existed before and may hold guest data, so it is never recreated. Missing:
	 * ERR_NOT_FOUND. */
	bool was_there;
};

struct disk_seen {
	int64_t size; /* bytes as seen by the guest; 0: not created */
	/* The base isn't complete on the host: push() it, then repeat the call. A new disk was not
	 * created. */
	bool lacks_base;
};

/* ---- snapshots */

struct disk_cut {
	uuid snapshot, volume;
	const struct disk_key *key; /* the volume's, also used for the cut. NULL: both unencrypted */
	/* SHA-256 of the volume's base if it is encrypted; else empty. */
	struct str encrypted_base;
	/* The volume's file is a raw image. Its cut is always a full one, made in two calls: the first copies
	 * it, and only while no guest using the volume runs (ERR_IN_USE: this is the only obstacle); the
	 * second, with is_copied, makes the cut from the copy. */
	bool is_raw, is_copied;
	uuid tracked_from; /* as in struct disk_spec */
	/* The image store still has the content of tracked_from, so an increment is sufficient if the disk
	 * has its dirty bitmap. */
	bool takes_increment;
	/* No increment will be based on this snapshot, so the disk's bitmap stays unchanged. */
	bool is_passing;
	/* Cuts of other disks of the guest, in the same pool, that should have the same moment. If the guest
	 * runs, one job copies all of these disks, and the guest is paused while it begins; each cut is then
	 * reported by calls of its own. */
	const struct disk_cut *others;
	size_t other_count;
};

struct disk_cut_seen {
	bool is_whole;  /* the cut is complete; only then the fields below marked so are valid */
	bool is_copied; /* for a raw image: the content is fixed, and guests may continue */
	int progress;   /* percent */
	int64_t size;   /* bytes of the volume as seen by the guest */
	/* When whole: the file contains only blocks written since the cut of tracked_from; see lay(). */
	bool is_increment;
	/* When whole: the disk has a dirty bitmap starting at this cut, and the older one is gone. A crash or
	 * the loss of the file loses the bitmap. */
	bool is_tracked;
	/* When whole: the snapshot whose call began the job of several disks; none: it was the only one, or
	 * that is not known. */
	uuid moment;
};

/* Three files on this machine. */
struct disk_layer {
	struct str over;            /* an earlier snapshot's content, without a backing file */
	struct str increment;       /* blocks written between that snapshot and the next */
	struct str made;            /* output: the next snapshot's content, replacing an existing file */
	const struct disk_key *key; /* for all three; NULL: unencrypted */
};

/* ---- copies */

struct disk_copy {
	struct str path; /* local file */
	int64_t done;    /* result: bytes present at the destination */
	int64_t size;    /* size of the whole file: set by pull(), input of push() */
};

/* Encrypts a file of the image store into another file on this machine. */
struct disk_sealing {
	struct str from, sha256;    /* the plain file's path, and its SHA-256 */
	int64_t file_size;          /* bytes of that file */
	int64_t size;               /* bytes of its disk as seen by a guest */
	const struct disk_key *key; /* for encrypting */
	struct str to;              /* path of the new file, which has no backing file */
};

/* Converts a plain file of the image store into another local file of another format. */
struct disk_export {
	struct str from, sha256; /* the file's path, and its SHA-256 */
	int64_t file_size;       /* bytes of that file */
	struct str format;       /* raw, vmdk, vhd or vhdx */
	struct str to;           /* the path of the new file */
};

/* ---- forms */

/* Forms of disks in local files. QCOW2: as in a host's directory and in the image store, with qcow2's own
 * encryption. RAW: a raw image. CEPH: as pull() and push() exchange with a Ceph pool: qcow2 without a backing
 * file, containing the complete LUKS container of an encrypted disk. */
enum disk_form { DISK_FORM_QCOW2, DISK_FORM_RAW, DISK_FORM_CEPH };

/* Converts a disk. All paths are of local files. */
struct disk_recasting {
	struct str from, to; /* `to` replaces an existing file; incomplete after a failure */
	struct str sha256;   /* of `from`, if it is a file of the image store; else empty */
	int64_t file_size;   /* of that image store file; else 0 */
	enum disk_form from_form, to_form;
	struct str base;            /* backing file of a QCOW2 `from` in the image store; empty: none */
	const struct disk_key *key; /* opens the encrypted ones among the three; NULL: none are */
	bool from_is_plain, base_is_plain; /* unencrypted despite the key, which encrypts `to` */
};

/* ---- looking */

/* Lists every file in the pool with this region's mark, whether Dari has a row for it or not, and the pool's
 * usage. Changes nothing. The reconciler finds leftovers and cached bases with it; `dari audit` and `dari
 * adopt` use it as an observation. */
typedef RESULT disk_list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);

/* ---- volumes */

/* Creates the volume's disk, or grows it to the wish's size, whether a running guest uses it or not. Never
 * shrinks a disk. An absent disk is created, unless was_there is set (ERR_NOT_FOUND) or the base isn't
 * complete on the host (OK, with lacks_base). A partial disk left by a crash is deleted and created again,
 * unless was_there is set. Growing queries the guest's QEMU. The reconciler calls it in each step of a volume
 * on the host. ERR_INVALID: the size is not a multiple of 512. ERR_CONFLICT: the file is not such a disk, or
 * its encryption differs; or the base is longer than base_file_size. */
typedef RESULT disk_ensure(struct disk_host *h, struct ctx *c, const struct disk_spec *wish,
			   struct disk_seen *ret_seen);

/* Removes a file. Absent: OK. ERR_IN_USE: a running domain uses the volume; or a file or domain, whoever owns
 * it and running or not, uses the base. ERR_AGAIN: use of the base can't be determined now; or the cut is in
 * progress and QEMU was asked to stop it: repeat the call. */
typedef RESULT disk_remove(struct disk_host *h, struct ctx *c, const struct disk_name *name);

/* ---- snapshots */

/* Copies a volume's content at one moment into the snapshot's file. If a running guest uses the volume, QEMU
 * makes the copy while the guest continues: the first call begins it, later calls report progress. A domain
 * makes one cut at a time; others wait with progress 0. Otherwise the call itself may last as long as the
 * copy.
 *
 * Repeat the call until is_whole is reported, then record it and don't call again: an existing file would
 * count as incomplete and be created again, with a later content. An increment is made only if the wish
 * accepts one and the disk has a valid dirty bitmap; otherwise the cut is a full one without a backing file.
 * ERR_NOT_FOUND: the volume's file is missing. ERR_INVALID: a raw image starts with bytes that prevent the
 * host from copying it. ERR_IO: the copy failed; the next call begins again. */
typedef RESULT disk_cut_volume(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			       struct disk_cut_seen *ret_seen);

/* Merges an earlier snapshot's file and an increment into a full file. Works on this machine only, on any
 * thread, for as long as copying takes. over and increment remain unchanged. After a failure `made` may be
 * incomplete. ERR_INVALID: the increment refers to other files, or its encryption is wrong. */
typedef RESULT disk_lay(struct ctx *c, const struct disk_layer *layer);

/* ---- copies between this machine and a host */

/* Copies a pool's file to copy->path, continuing after existing content; creates the file if needed. Sets
 * copy->size and copy->done; repeat while done is less than size. ERR_NOT_FOUND: not in the pool.
 * ERR_CAPACITY: no space on this machine. ERR_CONFLICT: the local file is longer than the host's. ERR_IO: the
 * local file can't be opened. */
typedef RESULT disk_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			 struct disk_copy *copy);

/* Copies copy->path (copy->size bytes) into the pool, continuing after existing content: a shorter file there
 * counts as its beginning. Sets copy->done; repeat while done is less than size. ERR_CONFLICT: the file there
 * is longer. ERR_IO: the local file is missing or has another size. ERR_INVALID: likewise for a base, or its
 * SHA-256 is wrong. ERR_CAPACITY: no space in the pool. */
typedef RESULT disk_push(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			 struct disk_copy *copy);

/* Encrypts a file of the image store. Works on this machine only, on any thread, for as long as copying
 * takes. Overwrites wish->to, which may be incomplete after a failure. ERR_INVALID: `from` is missing, or its
 * SHA-256 is wrong. */
typedef RESULT disk_encrypt(struct ctx *c, const struct disk_sealing *wish);

/* Converts a disk of the image store to another format. Otherwise like disk_encrypt(). ERR_CAPACITY: no
 * space. */
typedef RESULT disk_export_file(struct ctx *c, const struct disk_export *wish);
/* Creates an image store file `to` from the raw image `from`. Overwrites `to`, which may be incomplete after
 * a failure. Works on this machine only, on any thread, for as long as copying takes. ERR_INVALID: not an
 * image. */
typedef RESULT disk_pack(struct ctx *c, const char *from, const char *to);

/* Converts a disk to another form, without a backing file. Works on this machine only, on any thread, for as
 * long as copying takes. An encrypted disk for a Ceph pool temporarily needs twice its size here and its full
 * size there, because zeros are encrypted too. ERR_INVALID: `from` has another form, refers to other files,
 * or has the wrong SHA-256. ERR_AGAIN: as in crypt_file.h. */
typedef RESULT disk_recast(struct ctx *c, const struct disk_recasting *wish);

/* ---- directories that several hosts share */

/* Selects the directory for the following calls on this connection: an absolute path that other hosts may
 * share; empty: the host's own, the initial one. Makes no call to the host. Calls behave as in the host's own
 * directory, with these differences: a missing directory is not created (ERR_GONE: the host lacks it); and a
 * file may be in use on another host, which the caller must know, since the driver doesn't. */
typedef RESULT disk_enter(struct disk_host *h, struct ctx *c, struct str directory);

/* Proof that two hosts see the same directory: an empty file, whose name contains the host's id and an
 * alphanumeric word. */
struct disk_mark {
	uuid host;
	struct str word;
};
struct disk_marks {
	struct disk_mark *at;
	size_t count;
	int64_t size, free; /* bytes of the file system */
};

/* Creates the host's mark in the current directory if needed, removes that host's other marks except the kept
 * one (word empty: all others), and lists all marks of the region there. ERR_GONE: the host lacks the
 * directory. The reconciler calls it with a new word after each connection, and periodically. */
typedef RESULT disk_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own,
			  struct str kept_word, struct disk_marks *ret_marks);

/* ---- connections */

/* Connects to the host of a row. region: the mark of its files. Gives up after about ten seconds. ERR_GONE:
 * unreachable, with a message. ERR_INVALID: the row's pool path is unusable. */
typedef RESULT disk_open_host(struct ctx *c, uuid region, const struct host *host,
			      struct disk_host **ret_host);

/* Likewise connects to a pool without a host: drivers/ceph.h. Its connections support the same calls except
 * enter(); prove() uses no marks and only checks that the pool answers. */
typedef RESULT disk_open_pool(struct ctx *c, uuid region, const struct ceph_place *place,
			      struct disk_host **ret_host);

/* Closes and frees the connection; ignores NULL. No call on it may be running. A cut made by a guest's QEMU
 * continues. One of an unused volume, made by a QEMU that the driver started, ends, and will be made
 * again. */
typedef void disk_close_host(struct disk_host *h);

/* Reports that the current call is about to query a QEMU. guest: the instance, or an id of the driver's for a
 * QEMU it runs itself; none: the QEMU has answered. Called on the call's thread; must not call the driver. */
typedef void disk_asks(void *arg, uuid guest);

/* Sets the callback that learns which guest a call is waiting for; NULL: none. The reconciler sets it right
 * after open_host(). Outside such queries a call takes only as long as its work, unless the host is
 * unreachable. */
typedef void disk_watch(struct disk_host *h, disk_asks *asks, void *arg);

/* ---- keeping a host out of a pool that belongs to none: drivers/ceph.h says what that proves */

/* Blocks all clients at that address for expire_s seconds. Repeating renews the time. */
typedef RESULT disk_block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s);
/* Ends a block. Absent: OK. */
typedef RESULT disk_unblock(struct disk_host *h, struct ctx *c, struct str address);
/* True while the address is blocked. */
typedef RESULT disk_see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked);
/* The clients that have a volume open, each as address:port/nonce, in c's arena. Absent: none. */
typedef RESULT disk_list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses);

/* ---- the driver */

struct disk_driver {
	const char *scheme; /* URI scheme of its hosts: "qemu", "sim" */

	disk_list *list;

	disk_ensure *ensure;
	disk_remove *remove;

	disk_cut_volume *cut;
	disk_lay *lay;

	disk_pull *pull;
	disk_push *push;
	disk_encrypt *encrypt;
	disk_export_file *export_file;
	disk_recast *recast;
	disk_pack *pack; /* NULL: no raw images; a file's content is its bytes */

	disk_enter *enter;
	disk_prove *prove;

	disk_open_host *open_host;
	disk_open_pool *open_pool; /* NULL, as the next four: no such pools */
	disk_block *block;
	disk_unblock *unblock;
	disk_see_block *see_block;
	disk_list_users *list_users;
	disk_close_host *close_host;
	disk_watch *watch;
};

/* The existing drivers. */
extern const struct disk_driver disk_libvirt;
extern const struct disk_driver disk_sim;
