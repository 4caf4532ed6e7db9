/* SPDX-License-Identifier: Apache-2.0
 * The disk driver's contract: what Dari asks of a host that stores disks, which are files in the
 * host's own directory, or in one that it shares with other hosts (enter()): its pool, below. drivers/libvirt keeps it with libvirt's storage pools and QEMU, drivers/sim keeps it
 * in memory, and tests/unit/drivers/disk_contract.c holds both to it. drivers/compute.h is the
 * contract for the machines that use the disks. Pools of Ceph, which belong to no host, are used by the
 * same calls; drivers/ceph.h says what differs there.
 *
 * What holds for every call:
 *
 * 1. Threads. A host has a connection for its disks beside the one of drivers/compute.h, so that a
 *    long copy never delays its domains. One thread at a time uses it: the actor of the host's
 *    disks, which makes one call after another.
 * 2. Time. A long copy goes by pieces: a call of pull() or push() takes about DISK_PIECE_US, and
 *    the next call goes on where that one ended, also after a crash. A call that asks a QEMU may
 *    last for ever. The driver announces each such question (see watch()). The reconciler then
 *    leaves thread and connection to that call and serves other volumes over a new connection; what
 *    is left of the old call concerns its own volume and snapshot alone.
 * 3. Repetition. Every call may be repeated, after success, after failure and after a crash of
 *    dari. A repeated call does what is still missing and returns OK. No driver retries by itself.
 * 4. Identity. The driver finds a file by what it is (struct disk_name), never by a path. A file of
 *    another region, or of anybody else, is never changed. A file names the file that it stands on
 *    by a relative path, so both may be copied to a pool at another path.
 * 5. Secrets. Keys appear in no argument list, no log and no definition. A host has a key in memory
 *    only, for as long as it has the disk.
 * 6. Memory. The caller owns what it passes and may free it after the return. Results are in the
 *    context's arena.
 * 7. Errors. ERR_AGAIN: try later. ERR_GONE: the connection is lost; open_host() again.
 *    ERR_CONFLICT: the host has something of that name which cannot be ours. ERR_CAPACITY: no room.
 *    ERR_IO also says that a guest's QEMU has not answered for some time. ERR_NO_MEMORY is possible
 *    everywhere. The reconciler shows any other error to the user as a condition, in the words of
 *    the context. Outputs are valid on success only. */
#pragma once

#include "base/clock.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "model/disk_key.h"

/* A driver's connection to one host; each driver defines its own. */
struct disk_host;
struct host;       /* model/host.h */
struct ceph_place; /* drivers/ceph.h */

/* About how long one call of pull() or push() copies. */
#define DISK_PIECE_US SECOND

/* ---- files */

/* VOLUME: a volume's disk, or what a move has copied of it so far. CUT: the content of a snapshot,
 * until the image store has it. BASE: a cached copy of a file of the image store, which volumes
 * stand on. */
enum disk_kind { DISK_VOLUME, DISK_CUT, DISK_BASE };

struct disk_name {
	enum disk_kind kind;
	uuid id;           /* of the volume or the snapshot; unused for a base */
	struct str sha256; /* of a base's content, hex; unused for the others */
	bool is_raw;       /* of a volume, or a copy for a cut: a plain image of its bytes; else qcow2 */
};

struct disk_item {
	struct disk_name name;
	int64_t size;      /* of a volume: bytes as the guest sees it; else 0 */
	int64_t file_size; /* length of the file in the pool, bytes */
	struct str base;   /* file name of the file that this one stands on; empty: it stands by itself */
};

struct disk_inventory {
	const struct disk_item *at;
	size_t count;
	int64_t pool_size, pool_free; /* bytes */
};

/* ---- volumes */

struct disk_spec {
	uuid volume;
	int64_t size;           /* bytes as the guest sees it; a multiple of 512 */
	struct str base_sha256; /* the file of the image store that the disk is made from; empty: blank */
	int64_t base_file_size; /* bytes of that file */
	/* The key that the disk is encrypted with (LUKS); NULL: it is not encrypted. A disk that
	 * exists and differs in that: ERR_CONFLICT. */
	const struct disk_key *key;
	bool base_is_encrypted; /* the base is encrypted with the same key */
	bool is_swap; /* a disk that is made is one to swap on, as mkswap leaves it; without base and key */
	/* The disk is believed to record what was written since the cut of this snapshot; none: it
	 * records nothing. Growing a disk may cost that record, and the next cut is then a whole
	 * one. */
	uuid tracked_from;
	/* The disk is to be a plain image of its bytes, which several guests can have at a time; not with
	 * a key. was_raw: it is one already, as a call reported before. Else it is made of the disk as it
	 * is, if that was_there, whose file stays until a call with was_raw removes it. */
	bool is_raw, was_raw;
	bool is_growing; /* with was_raw: guests that have it may not know its size yet, and are told */
	/* The disk existed before and may hold what a guest wrote, so it is never made anew. Gone:
	 * ERR_NOT_FOUND. */
	bool was_there;
};

struct disk_seen {
	int64_t size; /* bytes as the guest sees it; 0: the disk was not made */
	/* The base is not complete on the host: push() it, then repeat the call. A disk that did
	 * not exist was not made. */
	bool lacks_base;
};

/* ---- snapshots */

struct disk_cut {
	uuid snapshot, volume;
	const struct disk_key *key; /* of the volume; the cut is encrypted with it, too. NULL: neither is */
	/* SHA-256 of the volume's base, if that is encrypted; else empty. */
	struct str encrypted_base;
	/* The volume's file is a plain image. Its cut is always a whole one, and made in two calls: one
	 * copies it, only while no guest that has the volume runs (ERR_IN_USE says that nothing else is in
	 * the way); the next, with is_copied, makes the cut of the copy. */
	bool is_raw, is_copied;
	uuid tracked_from; /* as in struct disk_spec */
	/* The image store still has the content of tracked_from, so an increment since then is
	 * enough, if the disk has a record of it. */
	bool takes_increment;
	/* Nobody will cut an increment since this snapshot, so the disk's record stays as it is. */
	bool is_passing;
};

struct disk_cut_seen {
	bool is_whole;  /* the cut is complete; the members below that need it are valid */
	bool is_copied; /* of a plain image: its content is fixed, and guests may go on */
	int progress;   /* percent */
	int64_t size;   /* bytes of the volume as the guest sees it */
	/* When whole: the file holds only what was written since the cut of tracked_from; see
	 * lay(). */
	bool is_increment;
	/* When whole: from the moment of the cut on the disk records what is written, and its older
	 * record is gone. A crash or the loss of the file loses the record. */
	bool is_tracked;
};

/* Three files on this machine. */
struct disk_layer {
	struct str over;            /* the content of an earlier snapshot; it stands by itself */
	struct str increment;       /* what was written between that snapshot and the next */
	struct str made;            /* the content of the next snapshot; a file that is there is replaced */
	const struct disk_key *key; /* of all three; NULL: none is encrypted */
};

/* ---- copies */

struct disk_copy {
	struct str path; /* of the file on this machine */
	int64_t done;    /* set by the call: bytes that the other end has */
	int64_t size;    /* bytes of the whole file: set by pull(), given to push() */
};

/* Encrypts a file of the image store into another file on this machine. */
struct disk_sealing {
	struct str from, sha256;    /* the plain file: its path, and the SHA-256 of its bytes */
	int64_t file_size;          /* bytes of that file */
	int64_t size;               /* bytes of the disk in it, as a guest sees it */
	const struct disk_key *key; /* to encrypt with */
	struct str to;              /* the path of the new file, which stands by itself */
};

/* Writes the disk in a plain file of the image store into another file on this machine, in another
 * form. */
struct disk_export {
	struct str from, sha256; /* the file: its path, and the SHA-256 of its bytes */
	int64_t file_size;       /* bytes of that file */
	struct str format;       /* raw, vmdk, vhd or vhdx */
	struct str to;           /* the path of the new file */
};

/* ---- forms */

/* How a disk lies in a file on this machine. QCOW2: as in a host's directory, and in the image store; an encrypted one
 * is encrypted inside. RAW: a plain image. CEPH: as pull() writes what a pool of Ceph has, and as push() takes it there:
 * qcow2 that stands by itself, and has the whole LUKS container of an encrypted disk. */
enum disk_form { DISK_FORM_QCOW2, DISK_FORM_RAW, DISK_FORM_CEPH };

/* Writes a disk anew. Paths of files on this machine. */
struct disk_recasting {
	struct str from, to; /* a file at `to` is replaced; after a failure it may be half of one */
	struct str
		sha256; /* `from` is a file of the image store, which has these bytes; empty: another one */
	int64_t file_size; /* of that file of the store; else 0 */
	enum disk_form from_form, to_form;
	struct str
		base; /* of the QCOW2 `from`: the file of the image store that it stands on; empty: it stands alone */
	const struct disk_key *key;        /* that opens what is encrypted of the three; NULL: none is */
	bool from_is_plain, base_is_plain; /* though there is a key, which `to` is encrypted with */
};

/* ---- looking */

/* Lists every file in the pool that has this region's mark, whether Dari has a row for it or not,
 * and how full the pool is. Changes nothing. The reconciler calls it to find leftovers and what is
 * cached; `dari audit` and `dari adopt` use it as an observation. */
typedef RESULT disk_list(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);

/* ---- volumes */

/* Makes the volume's disk, or grows it to the wish's size, whether a running guest uses it or not.
 * Never shrinks a disk. Absent: the disk is made, unless was_there is set (ERR_NOT_FOUND) or the
 * base is not complete on the host (OK, with lacks_base). What a crash left of a disk that was
 * being made is removed and made anew, unless was_there is set. Growing a disk asks the QEMU of its
 * guest. The reconciler calls it in each step of a volume that lives on the host. ERR_INVALID: a
 * size that is not a multiple of 512. ERR_CONFLICT: the file is not such a disk, or is encrypted
 * where it should not be, or the reverse; or the base is longer than base_file_size. */
typedef RESULT disk_ensure(struct disk_host *h, struct ctx *c, const struct disk_spec *wish,
			   struct disk_seen *ret_seen);

/* Removes a file. Absent: OK. ERR_IN_USE: a running domain uses the volume; or a file or a domain
 * of anybody, running or not, stands on the base. ERR_AGAIN: the host cannot tell now whether
 * anything stands on the base; or the cut is being made, and this call has asked QEMU to stop that:
 * repeat the call. */
typedef RESULT disk_remove(struct disk_host *h, struct ctx *c, const struct disk_name *name);

/* ---- snapshots */

/* Copies the volume's content of one moment into a file of the snapshot. While a running guest uses
 * the volume, QEMU makes the copy and the guest goes on. The first call begins it, and later calls
 * report the progress; one domain makes one cut at a time, so another cut waits its turn with
 * progress 0. Otherwise the call may itself last as long as the copying.
 *
 * Repeat the call until is_whole is reported. Do not call again once that is recorded: a file that
 * is there then counts as half made, and is made anew, of a later moment. An increment is made only
 * where the wish takes one and the disk has an undamaged record; else the cut is a whole one, and
 * stands by itself. ERR_NOT_FOUND: the volume's file is not there. ERR_INVALID: a plain image begins in a way
 * that keeps the host from copying it. ERR_IO: the copy failed; the
 * next call begins anew. */
typedef RESULT disk_cut_volume(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			       struct disk_cut_seen *ret_seen);

/* Makes a whole file of a snapshot out of an earlier one and an increment. It works on this machine
 * alone, on any thread, for as long as copying takes. over and increment stay as they are. After a
 * failure `made` may be half of a file. ERR_INVALID: the increment refers to files outside of
 * itself, or is not encrypted as it should be. */
typedef RESULT disk_lay(struct ctx *c, const struct disk_layer *layer);

/* ---- copies between this machine and a host */

/* Copies a file of the pool to copy->path, going on behind what that file has already; creates the
 * file if there is none. Sets copy->size and copy->done; call again while done is less than size.
 * ERR_NOT_FOUND: the pool does not have the file. ERR_CAPACITY: this machine has no room.
 * ERR_CONFLICT: the file here is longer than the host's. ERR_IO: the file here cannot be opened. */
typedef RESULT disk_pull(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			 struct disk_copy *copy);

/* Copies copy->path, of copy->size bytes, into the pool, going on behind what the pool has of it: a
 * shorter file there counts as its beginning. Sets copy->done; call again while done is less than
 * size. ERR_CONFLICT: the file there is longer. ERR_IO: the file is not here or has another size.
 * ERR_INVALID: of a base, that too, or its bytes do not have its SHA-256. ERR_CAPACITY: the pool
 * has no room. */
typedef RESULT disk_push(struct disk_host *h, struct ctx *c, const struct disk_name *name,
			 struct disk_copy *copy);

/* Encrypts a file of the image store. It works on this machine alone, on any thread, for as long as
 * copying takes. A file at wish->to is overwritten; after a failure it may be half of a file.
 * ERR_INVALID: `from` is not there, or does not have its SHA-256. */
typedef RESULT disk_encrypt(struct ctx *c, const struct disk_sealing *wish);

/* Writes a disk of the image store in another form. As disk_encrypt() otherwise. ERR_CAPACITY: there
 * is no room for it. */
typedef RESULT disk_export_file(struct ctx *c, const struct disk_export *wish);
/* Makes a file of the image store, at `to`, of the plain image `from`. A file at `to` is overwritten; after a
 * failure it may be half of one. It works on this machine alone, on any thread, for as long as copying takes.
 * ERR_INVALID: `from` is no image. */
typedef RESULT disk_pack(struct ctx *c, const char *from, const char *to);

/* Writes a disk in another form, as a file that stands by itself. It works on this machine alone, on any thread, for as
 * long as copying takes. What is encrypted and goes to a pool of Ceph takes twice the disk's size here meanwhile, and its
 * size there: zeros are encrypted, too. ERR_INVALID: `from` is not that, refers to other files, or is none that has
 * those bytes. ERR_AGAIN: as crypt_file.h. */
typedef RESULT disk_recast(struct ctx *c, const struct disk_recasting *wish);

/* ---- directories that several hosts share */

/* The calls that follow on this connection concern the files of that directory, an absolute path, which
 * other hosts may have, too; empty: those of the host's own, as at the beginning. Asks the host nothing. The
 * calls see and do there what they do in the host's own directory, with these differences: a directory that
 * is absent is not made (ERR_GONE: the host lacks it); and a file may be in use on another host, which the
 * driver does not know: the caller does. */
typedef RESULT disk_enter(struct disk_host *h, struct ctx *c, struct str directory);

/* What shows that two hosts see the same directory: an empty file, whose name has the host's id and a word of
 * letters and digits. */
struct disk_mark {
	uuid host;
	struct str word;
};
struct disk_marks {
	struct disk_mark *at;
	size_t count;
	int64_t size, free; /* of the file system, bytes */
};

/* Makes the host's mark in the directory that was entered, unless it is there, removes that host's others
 * except the kept one (word empty: none is), and lists all marks of the region there. ERR_GONE: the host lacks
 * the directory. The reconciler calls it at each connection with a new word, and now and then. */
typedef RESULT disk_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own,
			  struct str kept_word, struct disk_marks *ret_marks);

/* ---- connections */

/* Connects to the host that a row describes. region: the mark of its files. The call gives up after
 * some ten seconds. ERR_GONE: the host cannot be reached, with the reason in words. ERR_INVALID:
 * the row's pool path cannot be used. */
typedef RESULT disk_open_host(struct ctx *c, uuid region, const struct host *host,
			      struct disk_host **ret_host);

/* Connects to a pool that belongs to no host, likewise: drivers/ceph.h. Such a connection is used with the same
 * calls but enter(); prove() makes and lists no mark, and finds out whether the pool answers. */
typedef RESULT disk_open_pool(struct ctx *c, uuid region, const struct ceph_place *place,
			      struct disk_host **ret_host);

/* Closes the connection and frees it. NULL: nothing. No call of the connection may be under way. A
 * cut that a QEMU is making goes on, unless the driver runs that QEMU itself, for a volume that no
 * guest uses: then it ends, and is made anew. */
typedef void disk_close_host(struct disk_host *h);

/* The call under way is about to ask a QEMU that has a disk open. guest: the instance, or an id of
 * the driver's own for a QEMU that it runs itself. guest none: that QEMU has answered. It runs on
 * the thread of the call, and must not call the driver. */
typedef void disk_asks(void *arg, uuid guest);

/* Sets the function that learns which guest a call is waiting for; NULL: none. The reconciler sets
 * it right after open_host(). Outside of such a question a call lasts no longer than its work does,
 * unless the host is away. */
typedef void disk_watch(struct disk_host *h, disk_asks *asks, void *arg);

/* ---- keeping a host out of a pool that belongs to none: drivers/ceph.h says what that proves */

/* Keeps every client at that address out of the pool, for expire_s seconds. Repeating replaces the time. */
typedef RESULT disk_block(struct disk_host *h, struct ctx *c, struct str address, int64_t expire_s);
/* Ends it. Absent: OK. */
typedef RESULT disk_unblock(struct disk_host *h, struct ctx *c, struct str address);
/* Whether it is blocked at this moment. */
typedef RESULT disk_see_block(struct disk_host *h, struct ctx *c, struct str address, bool *ret_is_blocked);
/* The clients that have a volume open, each as address:port/nonce, in c's arena. Absent: none. */
typedef RESULT disk_list_users(struct disk_host *h, struct ctx *c, uuid volume, struct strs *ret_addresses);

/* ---- the driver */

struct disk_driver {
	const char *scheme; /* of the URIs of its hosts: "qemu", "sim" */

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
	disk_pack *pack; /* NULL: it has no plain images, and what a file holds is its bytes */

	disk_enter *enter;
	disk_prove *prove;

	disk_open_host *open_host;
	disk_open_pool *open_pool; /* NULL, as the next four: it knows no such pools */
	disk_block *block;
	disk_unblock *unblock;
	disk_see_block *see_block;
	disk_list_users *list_users;
	disk_close_host *close_host;
	disk_watch *watch;
};

/* The drivers there are. */
extern const struct disk_driver disk_libvirt;
extern const struct disk_driver disk_sim;
