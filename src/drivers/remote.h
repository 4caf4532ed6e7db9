/* SPDX-License-Identifier: Apache-2.0
 * The remote drivers' contract: calls to a cloud elsewhere, whose machines are listed and changed from here.
 * drivers/remote/ has a folder for each cloud.
 *
 * Rules. A driver makes no decisions, keeps nothing between calls except the connection and its session in struct
 * remote, never retries and never sleeps. Each call sends one request, and blocks for up to timeout_us; clouds
 * that give tokens or sessions need up to seven more for a sign-in, about once in half an hour. VMware's driver sends two
 * for a listing or a look, up to eight for a creation, and keeps notes of running tasks with the connection. Hyper-V's sends one
 * for each class of WMI and page, within one timeout_us, and up to forty for a creation. Redirects and
 * proxies are not followed. An answer is hostile input: its size, depth, counts and texts are bounded, and
 * everything in a page is of the form that the schema allows.
 *
 * Errors are a closed set, with the cloud's own words in the context:
 *   UNAUTHENTICATED  the cloud refuses the credentials, in its own words: a proxy's page is IO
 *   EXPIRED          the cloud refuses the request's time
 *   DENIED           the credentials lack the right
 *   DRY_RUN          a dry run would have been carried out
 *   NOT_FOUND        the cloud says that there is no such object
 *   STATE            the object's state does not allow the act
 *   QUOTA            a limit of the account there leaves no room; EC2's driver alone tells it from INVALID
 *   THROTTLED        too many requests; not before wait_us of struct remote
 *   AGAIN            the cloud is busy, or had an internal error
 *   GONE, TIMEOUT    the endpoint cannot be reached, or does not answer in time
 *   IO               the answer cannot be used: cut, malformed, too large, a redirect, a refusal without the
 *                    cloud's own words
 *   INVALID          the cloud refuses the request; a retry would fail again
 *   UNSUPPORTED      the cloud cannot do that */
#pragma once

#include "base/ctx.h"
#include "model/cloud_migration.h"
#include "model/cloud_migration_disk.h"
#include "model/remote_machine.h"
#include "model/remote_resource_words.h"
#include "model/row.h"

struct egress_policy;
struct remote_resource;
struct remote_connection; /* drivers/remote/http.h */

enum {
	REMOTE_TIMEOUT_S = 60,
	REMOTE_PAGE_MAX = 2000,
	REMOTE_RESOURCES_PAGE_MAX = 5000, /* some lists come in one page */
	REMOTE_RIGHTS_MAX = 32
};

/* The cloud to call. The texts belong to the caller. */
struct remote {
	struct str name; /* for messages */
	struct str endpoint, region, login;
	struct str project, domain; /* as in schema/provider.toml */
	struct str secret;          /* never shown or logged */
	struct str ca, pin;
	struct str queue;            /* URL of the queue that is the change feed; empty: none */
	bool is_trusted;             /* any address may be called, by http, too */
	struct egress_policy *reach; /* otherwise: the addresses that may be called */
	int64_t timeout_us;
	struct remote_connection *connection; /* kept open between calls; NULL: check() alone may be called */
	/* results: */
	int64_t wait_us;   /* requested delay before the next call; 0: none */
	bool is_under_way; /* the act that ended with ERR_AGAIN has a task there, which the next call follows */
};

/* Result of verify(). */
struct remote_identity {
	struct str account; /* the cloud's id of the account that the credentials belong to */
	struct strs lacks;  /* rights that the credentials lack, by the cloud's names */
};

struct remote_page {
	/* With the seen fields and ref; row.id is the token of a machine that was created from here. In the
	 * context's arena. */
	struct remote_machine *machines;
	size_t count;
	struct str cursor; /* token for the next page; empty: this page is the last */
	/* Machines of the listing that are not in `machines`, because their ids have letters outside ASCII, and the
	 * first of those ids in the order of bytes. */
	size_t unnamed;
	struct str unnamed_id;
	size_t entries; /* entries of the page, if some of them are no machines of the listing; otherwise 0 */
};

/* Resources of one type. */
struct remote_resource_page {
	struct remote_resource *at; /* type, ref and the seen fields. In the context's arena. */
	size_t count;
	struct str cursor; /* as above */
	size_t entries;    /* as above */
};

/* A stack: ids and name of its row. */
struct remote_stack {
	struct str ref, name;
};

/* An act on a machine. Every act may be repeated, also after a crash in the middle; a repeated reboot reboots again, and a
 * repeated snapshot makes another one unless a note of this process says that the first is under way. */
struct remote_act {
	enum remote_machine_act verb;
	struct str ref;
	struct tags tags;     /* of tag */
	struct str type;      /* of resize */
	struct str raw_state; /* the machine's state in the cloud's word, as seen just now */
	int64_t asked_us;     /* when the act was requested: notes of earlier ones do not count */
};

/* A machine to be created. */
struct remote_new {
	uuid token; /* the row's id */
	struct str name, image, type, zone, subnet, key_name;
	struct strs groups;
	struct tags tags;
	/* Volumes there to boot from, the root disk first: `made` of each. None: the image makes the disks. */
	const struct cloud_migration_disk *disks;
	size_t disk_count;
};

/* Tag with the token of a machine that was created from here. */
#define REMOTE_TOKEN_TAG "dari:id"

/* ---- disks of machines, for migrations ---- */

enum {
	REMOTE_BLOCK_SIZE = 512 * 1024,
	REMOTE_DISKS_MAX = 26,
	REMOTE_POINTS_MAX = 256,
	REMOTE_BLOCKS_MAX = 10000,
	REMOTE_OBSTACLES_MAX = 16 /* refusals, and warnings, of a description */
};

/* A machine with its disks. */
struct remote_layout {
	struct cloud_migration machine;                      /* the seen fields, name and ref */
	struct cloud_migration_disk disks[REMOTE_DISKS_MAX]; /* placed fields, the root disk first */
	size_t disk_count;
	struct strs lacks; /* rights that a migration needs and the credentials lack */
};

/* Snapshot of a disk that a migration has made there. */
struct remote_point {
	struct str id, volume; /* volume empty: `number` has the disk's place, unless is_of_all */
	int64_t round, size, number;
	bool is_complete, has_failed;
	bool is_open;   /* it has no data yet, and takes an upload */
	bool is_of_all; /* the point has all disks of the machine */
	bool is_step;   /* a step towards a point that is read; deleted with that point */
	bool waits; /* it cannot be deleted now, for another point needs it or its deletion is under way */
};
struct remote_points {
	struct remote_point *at;
	size_t count;
};

/* A round of a migration: what its snapshots are tagged with. */
struct remote_round {
	uuid migration;
	int64_t round;  /* 0: all rounds */
	struct str ref; /* the source; empty on the way out */
};

/* A page of a snapshot's blocks, in ascending order. */
struct remote_block {
	int64_t index;
	struct str token;
	bool is_gone; /* the later snapshot has no data there */
};
struct remote_block_page {
	struct remote_block *at;
	size_t count;
	struct str cursor; /* where the next page begins; empty: this page is the last */
};
struct remote_block_query {
	struct str snapshot;
	struct str base; /* lists the blocks that differ from that snapshot's; empty: all blocks with data */
	int64_t from;    /* lists no block before */
	int64_t count;   /* number of blocks that the disk has */
	struct str cursor;
};

/* A round's points that are to be made: those of disks that `found` has none for. */
struct remote_freezing {
	struct remote_round round;
	const struct cloud_migration_disk *disks;
	size_t disk_count;
	struct remote_points found; /* result of find() for the round */
};

/* A disk that is read whole. */
struct remote_download {
	struct str point;
	int64_t number;                                            /* the disk's place */
	RESULT (*add)(void *arg, struct ctx *c, struct str bytes); /* takes the data in pieces */
	bool (*goes_on)(void *arg); /* false ends the download with ERR_AGAIN */
	void *arg;
	/* results: */
	struct str
		format; /* qcow2, raw, vmdk, vhd or vhdx, as the cloud says; a guest can forge what the data look like */
	struct str digest; /* SHA-256 or SHA-512 of the data, hex; empty: the cloud has none */
};

/* Points that migrations have made there: snapshots, or images of disks. */
struct remote_point_ops {
	/* Finds the points of a round. */
	RESULT(*find)
	(struct ctx *c, struct remote *r, const struct remote_round *round, struct remote_points *ret_points);
	/* Deletes a point that find() returned. Absent: OK. */
	RESULT (*thaw)(struct ctx *c, struct remote *r, struct str point);
};

/* The source of a migration. A cloud gives blocks by list() and read(), or whole disks by fetch(); the others are NULL.
 * All calls may be repeated. None changes or deletes anything there but the migration's points. */
struct remote_source_ops {
	const struct remote_point_ops *points;
	/* freeze() makes one part of each point a call, and is called until all points are complete. Otherwise it
	 * requests all points, and is called only when find() finds none. */
	bool freezes_in_steps;
	/* Describes a machine: several requests. ERR_NOT_FOUND only if the cloud says so. ERR_DENIED names the right. */
	RESULT (*describe)(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout);
	/* Makes the round's points. Not idempotent: find() first. */
	RESULT (*freeze)(struct ctx *c, struct remote *r, const struct remote_freezing *wish);
	/* Lists blocks. ERR_NOT_FOUND: one of the snapshots is gone. */
	RESULT(*list)
	(struct ctx *c, struct remote *r, const struct remote_block_query *query,
	 struct remote_block_page *ret_page);
	/* Reads a block, and compares its checksum. ERR_IO: it differs. */
	RESULT(*read)
	(struct ctx *c, struct remote *r, struct str point, const struct remote_block *block,
	 uint8_t ret_bytes[static REMOTE_BLOCK_SIZE], uint8_t ret_digest[static 32]);
	/* Reads a whole disk. ERR_NOT_FOUND: the point is gone. ERR_INVALID: its format cannot be read here. */
	RESULT (*fetch)(struct ctx *c, struct remote *r, struct remote_download *download);
};

/* ---- the way out: disks that are written there ---- */

/* A snapshot that is to be written there, or an image that is to be uploaded. Repeated requests with the same token make one. */
struct remote_sink {
	uuid migration, token;
	int64_t round, number; /* number: position of the disk */
	int64_t size;          /* bytes of the disk */
	bool is_uefi;          /* the guest boots by UEFI */
	struct str base;       /* snapshot there whose blocks stay unless they are written; empty: zeros */
};

/* An image of the snapshots there. */
struct remote_image_wish {
	uuid migration; /* names the image, so that it is found again */
	struct str description, boot_mode, arch;
	const struct cloud_migration_disk *disks; /* the root disk first; base: the snapshot or image there */
	size_t count;
};

/* Source of a machine there: an image, or volumes. */
struct remote_image {
	bool is_ready;
	struct str id;                        /* empty: the machine is made of volumes */
	struct str volumes[REMOTE_DISKS_MAX]; /* ids in the order of the disks */
};

/* A disk's file, in qcow2. */
struct remote_file {
	const char *path;
	bool (*goes_on)(void *arg); /* false ends the upload with ERR_AGAIN */
	void *arg;
	int64_t size; /* result: bytes that were sent */
};

/* All calls may be repeated. None changes or deletes anything there that the migration did not make. A cloud takes blocks
 * by put() and end(), or whole disks by upload(); the others are NULL. */
struct remote_sink_ops {
	const struct remote_point_ops *points;
	/* Names the rights in `lacks` that the way out needs and the credentials lack. */
	RESULT (*check)(struct ctx *c, struct remote *r, uuid migration, struct strs *ret_lacks);
	/* Starts a snapshot or an image. ERR_NOT_FOUND: the base is gone. */
	RESULT(*begin)
	(struct ctx *c, struct remote *r, const struct remote_sink *sink, struct str *ret_point);
	/* Writes a block with its SHA-256. ERR_INVALID, ERR_NOT_FOUND: the snapshot takes no blocks. */
	RESULT(*put)
	(struct ctx *c, struct remote *r, struct str point, int64_t index,
	 const uint8_t bytes[static REMOTE_BLOCK_SIZE], const uint8_t digest[static 32]);
	/* Says that all blocks are written. ERR_INVALID: it was said before, or the count is another one there. */
	RESULT (*end)(struct ctx *c, struct remote *r, struct str point, int64_t blocks);
	/* Sends a whole disk into an open image, and compares the checksum. ERR_STATE: the image takes no data. ERR_IO: the
	 * checksum differs. */
	RESULT (*upload)(struct ctx *c, struct remote *r, struct str point, struct remote_file *file);
	/* Reads the state of a snapshot or an image. ERR_NOT_FOUND only if the cloud says so. */
	RESULT (*look)(struct ctx *c, struct remote *r, struct str point, struct remote_point *ret_point);
	/* Finds the migration's image or volumes, or makes them. */
	RESULT(*make_image)
	(struct ctx *c, struct remote *r, const struct remote_image_wish *wish,
	 struct remote_image *ret_image);
	/* Deletes the migration's image, and its volumes but the disks' `made`. Absent: OK. */
	RESULT(*drop_image)
	(struct ctx *c, struct remote *r, uuid migration, const struct cloud_migration_disk *disks,
	 size_t count);
	/* Finds the machine that was created with the name and the token. *ret_machine.ref empty: there is none. */
	RESULT(*find_machine)
	(struct ctx *c, struct remote *r, struct str name, uuid token, struct remote_machine *ret_machine);
	/* Lets disks outlive the machine that do not go with the instance here. NULL: create() has said so. */
	RESULT(*keep_disks)
	(struct ctx *c, struct remote *r, struct str ref, const struct cloud_migration_disk *disks,
	 size_t count);
};

/* ---- metrics ---- */

enum { REMOTE_METRIC_MACHINES = 20, REMOTE_METRIC_POINTS = 12 };
#define REMOTE_METRIC_STEP_US (INT64_C(300) * 1000000)

/* Measurements of a machine in an interval of five minutes. */
struct remote_metric_point {
	bool is_there;
	double cpu_percent;                   /* use of all processors together */
	double received, sent, read, written; /* bytes */
	double memory;                        /* bytes in use; 0: unknown */
};
struct remote_metrics_query {
	const struct str *refs;
	const int64_t *vcpus;  /* processors of each machine; 0: unknown */
	const int64_t *memory; /* bytes of memory of each machine; 0: unknown; NULL: all are unknown */
	size_t count;          /* at most metric_machines of the driver */
	int64_t from_us;       /* start of the first of REMOTE_METRIC_POINTS intervals */
};

/* ---- changes ---- */

enum { REMOTE_TOUCHES_MAX = 500 };

/* Something about a machine has changed. Never its contents, which get() reads. */
struct remote_touch {
	struct str ref;
	uint64_t event; /* digest of the event's id: feeds repeat events */
};
struct remote_changes {
	struct remote_touch *at; /* in the context's arena */
	size_t count;
	unsigned types; /* of resources that have changed: bits 1 << enum remote_resource_type */
	bool has_overflow; /* more machines than REMOTE_TOUCHES_MAX, or a change that names none: they are to be listed */
	bool has_more;     /* the feed may have more already */
	struct str cursor; /* for the next call */
};
/* Adds a machine. For drivers. Ignores an id that no row can have. */
RESULT remote_touch_machine(struct ctx *c, struct remote_changes *changes, struct str ref, uint64_t event);

/* Verbs that every driver has. */
#define REMOTE_VERBS_COMMON                                                                                  \
	(1U << REMOTE_MACHINE_ACT_START | 1U << REMOTE_MACHINE_ACT_STOP | 1U << REMOTE_MACHINE_ACT_REBOOT |  \
	 1U << REMOTE_MACHINE_ACT_TERMINATE | 1U << REMOTE_MACHINE_ACT_TAG |                                 \
	 1U << REMOTE_MACHINE_ACT_CREATE | 1U << REMOTE_MACHINE_ACT_RESIZE)
#define REMOTE_VERB_SAVE (1U << REMOTE_MACHINE_ACT_SAVE)
#define REMOTE_VERB_SNAPSHOT (1U << REMOTE_MACHINE_ACT_SNAPSHOT)

struct remote_driver {
	const char *name;
	unsigned verbs; /* bit 1 << enum remote_machine_act: the driver can do it */
	/* Checks the texts without a request. ERR_INVALID names the field. */
	RESULT (*check)(struct ctx *c, const struct remote *r);
	/* Step `step` of the verification, from 0: the identity first, then one right a step.
	 * *ret_is_over: there is no such step. A missing right is added to `lacks` and is no failure. */
	RESULT(*verify)
	(struct ctx *c, struct remote *r, size_t step, struct str machine, struct remote_identity *identity,
	 bool *ret_is_over);
	/* Reads a page of machines. cursor: from the page before; empty: the first page. */
	RESULT (*list)(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page);
	unsigned types; /* bit 1 << enum remote_resource_type: the driver can list it */
	/* Reads a page of resources of that type. NULL: `types` is 0. */
	RESULT(*list_resources)
	(struct ctx *c, struct remote *r, enum remote_resource_type type, struct str cursor,
	 struct remote_resource_page *ret_page);
	/* Reads a page of the resources of a stack, which list_resources() has found. ERR_NOT_FOUND: the stack is gone
	 * there. NULL: `types` has no stack resources. */
	RESULT(*list_stack)
	(struct ctx *c, struct remote *r, const struct remote_stack *stack, struct str cursor,
	 struct remote_resource_page *ret_page);
	/* Reads one machine. ERR_NOT_FOUND only if the cloud says so. */
	RESULT (*get)(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine);
	RESULT (*act)(struct ctx *c, struct remote *r, const struct remote_act *act);
	/* Finds the machine with the token, or creates it: several requests, of which the last one creates. NULL: the
	 * driver cannot create machines. */
	RESULT(*create)
	(struct ctx *c, struct remote *r, const struct remote_new *wish, struct remote_machine *ret_machine);
	const struct remote_source_ops *source; /* NULL: its machines cannot be migrated */
	const struct remote_sink_ops *sink;     /* NULL: instances cannot be migrated to it */
	size_t metric_machines; /* machines of one read_metrics(), at most REMOTE_METRIC_MACHINES */
	/* Reads metrics: ret_points[machine * REMOTE_METRIC_POINTS + interval]. Clouds may bill it. NULL: the driver
	 * cannot. */
	RESULT(*read_metrics)
	(struct ctx *c, struct remote *r, const struct remote_metrics_query *query,
	 struct remote_metric_point *ret_points);
	/* Reads what has changed there since the cursor; empty: from now on. *ret_changes is zeroed. NULL: the cloud has no
	 * feed that an ordinary account can read. */
	RESULT(*read_changes)
	(struct ctx *c, struct remote *r, struct str cursor, struct remote_changes *ret_changes);
	bool needs_queue; /* read_changes() needs `queue` of struct remote */
	bool gets_unlisted; /* get() also reads machines that list() leaves out, such as those of other locations */
	/* Ends the session there, if one is open: at the provider's end and before the process ends. Takes a few seconds
	 * at most. NULL: the cloud has no sessions that count. */
	void (*leave)(struct ctx *c, struct remote *r);
};

/* Name of the snapshot of an act, where the cloud takes one. For drivers. */
struct str remote_snapshot_name(struct ctx *c, const struct remote_act *act);
/* Names a missing right in `lacks`. For drivers. */
RESULT remote_add_lack(struct ctx *c, struct remote_identity *identity, struct str right);

extern const struct remote_driver remote_ec2, remote_openstack, remote_cloudstack, remote_azure,
	remote_vmware, remote_hyperv;
/* The driver of a cloud, by enum provider_cloud. */
const struct remote_driver *remote_driver_of(int cloud);
/* Reads a type of a cloud without instance types, such as 2x4096. False: a type of another form, and the outputs stay. */
bool remote_read_size(struct ctx *c, struct str type, int64_t *ret_vcpus, int64_t *ret_bytes);

/* A connection to be kept between calls. Frees it: remote_connection_free(), which ignores NULL. */
struct remote_connection *remote_connection_new(void);
void remote_connection_free(struct remote_connection *k);
DEFINE_AUTO(remote_connection)
