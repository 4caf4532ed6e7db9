/* SPDX-License-Identifier: Apache-2.0
 * What Dari asks of a host that keeps disks: files in its pool. drivers/libvirt keeps it with
 * libvirt's storage pools and QEMU, drivers/sim with memory.
 *
 * A connection of its own per host, beside drivers/compute.h's, so that copies never hold the host's
 * domains, used by one thread at a time. On a host calls are made one after another, but for one that asks a
 * QEMU, which may never answer: see watch(). While it does, and from then on, others are made on another
 * connection, of other volumes; what is left to do of that call is about its own volume and cut alone.
 * Long copies go by pieces: a call takes DISK_PIECE_US or so, and the next goes on where it ended, also after
 * a crash. Every call may be repeated after success and after a crash: it then does what is missing.
 * Keys are in nobody's arguments, logs or definitions: hosts keep them in memory, while they have the disk.
 * Files are found by what they are, never by a path; what bears no mark of this region is never
 * touched. What stands on a base names it relative to itself: a file may be copied to a pool at
 * another path.
 * Errors: ERR_AGAIN: try later. ERR_GONE: the connection is lost; open_host() again. ERR_CONFLICT:
 * the host has something of that name which cannot be ours. Anything else is shown to the user as a
 * condition, in the context's words. */
#pragma once

#include "base/clock.h"
#include "base/ctx.h"
#include "model/disk_key.h"
#include "model/host.h"

struct disk_host; /* a driver's own connection */

#define DISK_PIECE_US SECOND

enum disk_kind {
	DISK_VOLUME, /* a volume's file, or what a move has brought of it so far */
	DISK_CUT,    /* a snapshot's content, until the image store has it */
	DISK_BASE    /* a file of the image store, cached: what volumes stand on */
};

struct disk_name {
	enum disk_kind kind;
	uuid id;           /* the volume's or the snapshot's */
	struct str sha256; /* of a base, instead */
};

struct disk_spec {
	uuid volume;
	int64_t size;           /* bytes, as the guest sees it */
	struct str base_sha256; /* what it is made from; empty: blank */
	int64_t base_file_size;
	/* What it is encrypted with (LUKS); NULL: it is plain. One that is there and is otherwise:
	 * ERR_CONFLICT. */
	const struct disk_key *key;
	bool base_is_encrypted; /* what it is made from, with the same key */
	/* The snapshot since whose cut the disk is said to note what is written on it; none: none. Growing
	 * may cost it that. */
	uuid tracked_from;
	/* It was there once, and may hold what a guest wrote: it is never made anew. Gone: ERR_NOT_FOUND. */
	bool was_there;
};

struct disk_seen {
	int64_t size;    /* as the guest sees it */
	bool lacks_base; /* its base is not whole here: push() it; one that was to be made was not */
};

struct disk_cut {
	uuid snapshot, volume;
	const struct disk_key
		*key;              /* the volume's; its cut is encrypted with it, too. NULL: both are plain */
	struct str encrypted_base; /* of what it stands on, where that is encrypted; else empty */
	uuid tracked_from;         /* as of a disk_spec */
	/* What that snapshot's cut held is at hand: what was written since is enough, where the disk knows
	 * what that is. */
	bool takes_increment;
	/* Nothing is going to be cut since this one: what the disk notes is as before. */
	bool is_passing;
};

struct disk_cut_seen {
	bool is_whole;
	int progress; /* percent */
	int64_t size; /* of the volume at that moment; when whole */
	/* When whole: it has only what was written since the cut of tracked_from, see lay(). */
	bool is_increment;
	/* When whole: the disk notes what is written on it from that moment on, until it is lost with a crash
	 * or with the file. What it noted before is gone. */
	bool is_tracked;
};

/* Files here. */
struct disk_layer {
	struct str over;            /* a cut that stands by itself */
	struct str increment;       /* what was written between that and the next */
	struct str made;            /* the next, as if all of it had been cut; what may be there goes */
	const struct disk_key *key; /* of all three */
};

/* A file on its way to or from this machine. */
struct disk_copy {
	struct str path;    /* here */
	int64_t done, size; /* made: bytes that are at the other end, of */
};

/* A file of the image store on this machine, whose content is to be in another one, encrypted. */
struct disk_sealing {
	struct str from, sha256; /* plain: where it lies, and its digest */
	int64_t file_size;       /* its bytes */
	int64_t size;            /* of the disk that it holds */
	const struct disk_key *key;
	struct str to; /* written anew; it stands by itself */
};

struct disk_item {
	struct disk_name name;
	int64_t size;      /* of a volume; as the guest sees it */
	int64_t file_size; /* what it takes of the pool */
	struct str base;   /* file name of what it stands on; empty: nothing */
};

struct disk_inventory {
	const struct disk_item *at;
	size_t count;
	int64_t pool_size, pool_free; /* bytes */
};

struct disk_driver {
	const char *scheme; /* "qemu", "sim": of the host's uri */
	/* region: the mark's first half. Connects within a deadline; ERR_GONE with words. */
	RESULT(*open_host)
	(struct ctx *c, uuid region, const struct host *host, struct disk_host **ret_host);
	void (*close_host)(struct disk_host *h);
	/* Whenever a call is about to ask a QEMU that has a disk, asks() is told whose it is (an instance's
	 * id, or an id of the driver's own), and none once it has answered; on the call's thread. No other
	 * part of a call lasts longer than its work does, unless the host is away. asks() calls no driver. */
	void (*watch)(struct disk_host *h, void (*asks)(void *arg, uuid guest), void *arg);
	/* All that bears our mark; in the context's arena. */
	RESULT (*list)(struct disk_host *h, struct ctx *c, struct disk_inventory *ret_inventory);
	/* Makes the volume's file, or grows it, in use or not; never shrinks one. */
	RESULT(*ensure)
	(struct disk_host *h, struct ctx *c, const struct disk_spec *wish, struct disk_seen *ret_seen);
	/* Absent: OK. ERR_IN_USE: a running domain has it; or, of a base, a file or a domain stands on it,
	 * whoever's. ERR_AGAIN: a job on it is being ended. */
	RESULT (*remove)(struct disk_host *h, struct ctx *c, const struct disk_name *name);
	/* Fixes a volume's content of one moment, used by a running guest or not; it stands by itself then,
	 * or is an increment where that is enough. Repeated until whole, and not after that was noted: what
	 * is there otherwise may be half of one, and is made anew. ERR_NOT_FOUND: the volume's file is not
	 * there. */
	RESULT(*cut)
	(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, struct disk_cut_seen *ret_seen);
	/* Lays an increment, on this machine: asks no host. over and increment stay as they are. ERR_INVALID:
	 * the increment leads out of itself, or is not encrypted as it should be. */
	RESULT (*lay)(struct ctx *c, const struct disk_layer *layer);
	/* Copies a file of the pool behind what copy->path has already, which is made if need be.
	 * ERR_NOT_FOUND: the pool does not have it; ERR_CAPACITY: no room here. */
	RESULT(*pull)
	(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
	/* Copies copy->path, of copy->size bytes, behind what the pool has of it already: a shorter file
	 * there is taken for its beginning. ERR_CONFLICT: a longer one is. ERR_IO: it is not here, or of
	 * another size; of a base ERR_INVALID, also when its bytes do not have its digest. ERR_CAPACITY: no
	 * room there, as of ensure() and cut(). */
	RESULT(*push)
	(struct disk_host *h, struct ctx *c, const struct disk_name *name, struct disk_copy *copy);
	/* Of no host: on this machine, for as long as copying takes. ERR_INVALID, in words: from is not
	 * there, or has not its digest. After any failure to may be half of one. */
	RESULT (*encrypt)(struct ctx *c, const struct disk_sealing *wish);
};

/* The drivers there are. */
extern const struct disk_driver disk_libvirt;
extern const struct disk_driver disk_sim;
