/* SPDX-License-Identifier: Apache-2.0
 * The reconciler makes the world what the rows want, and reports what it finds. It works by level,
 * not by edge: whatever wakes a resource, its step looks at everything that matters. Wakers are
 * every publish, drivers' news, and a slow timer.
 *
 * One *step* gathers a resource's rows (copied into the step's arena, so that no view is open
 * during a driver call), asks the driver what exists, decides by a pure function, does at most one
 * idempotent thing, and looks again. What was seen goes through the committer as an operation of
 * the engine, with the gen that the step acted on.
 *
 * Threads: each host has an actor, which makes all drivers/compute.h calls, and a second one
 * without a thread of its own for its disks (drivers/disk.h), whose copies take long. The network
 * has an actor. One more keeps time and runs the steps that need none of these. Only this folder
 * retries: a failed step is tried again after a growing delay, and its words become a condition of
 * the resource. */
#pragma once

#include "base/exec.h"
#include "base/vec.h"
#include "base/work_item.h"
#include "drivers/network.h"
#include "store/store.h"

struct backup_target;
struct compute_driver;
struct compute_files;
struct compute_host;
struct desk_driver;
struct disk_driver;
struct disk_host;
struct fence_driver;
struct instance;
struct volume;

struct reconciler;
struct web_reach;

enum { RECONCILE_DRIVERS_MAX = 4, RECONCILE_DESKS_MAX = 8 };

/* Gives the files on an instance's config drive, in c's arena. view is read, and the function may end
 * that. master_key: MASTER_KEY_SIZE bytes. */
typedef RESULT reconcile_write_drive(const uint8_t *master_key, struct ctx *c, struct view *view,
				     uuid instance, struct compute_files *ret_files);

/* Gives what the region knows of the resources that a ticket names, in c's arena: as text, and as one JSON object. */
typedef RESULT reconcile_write_facts(void *self, struct ctx *c, uuid ticket, struct str *ret_text,
				     struct str *ret_json);

struct reconcile_config {
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX]; /* by their schemes; NULL-ended */
	void *compute_self[RECONCILE_DRIVERS_MAX];
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX];   /* likewise */
	const struct fence_driver *fences[RECONCILE_DRIVERS_MAX]; /* likewise, the first that fits */
	const struct desk_driver
		*desks[RECONCILE_DESKS_MAX]; /* by enum desk_speaks; NULL: nothing speaks it */
	struct str ticket_directory;         /* where files of tickets are; empty: none can be attached */
	reconcile_write_facts *write_facts;  /* NULL: no facts are attached */
	void *facts_self;
	struct str image_directory; /* where images are on this machine, named <sha256>.qcow2 */
	struct str own_chassis;     /* this machine's name in OVN */
	/* IPv4 addresses that guests are told of besides our own resolver. IPv6 and loopback
	 * addresses are ignored. */
	struct strs resolvers;
	/* Where images may be fetched from; outlives the reconciler. NULL: nothing is
	 * configured. */
	struct web_reach *reach;
	/* Where volumes' backups are kept; outlives the reconciler. NULL, or an empty URL: nowhere. */
	const struct backup_target *backup;
	/* The network device whose traffic is billed, and the named namespace that it is in (empty: ours). Empty: none. */
	struct str traffic_device, traffic_netns;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; for write_drive, and for volumes' keys */
	reconcile_write_drive *write_drive; /* NULL: config drives are empty */
	int64_t shutdown_grace_us;          /* from asking the guest to forcing it off; 0: 60 s */
	int64_t host_interval_us;           /* between two looks at an idle host; 0: 20 s */
	int64_t call_patience_us;   /* a call to a host that takes longer counts as hanging; 0: 20 s */
	int64_t resync_interval_us; /* between two looks at everything; 0: 10 minutes */
	/* How long a host keeps a cached base that no disk there is made from; 0: a day. */
	int64_t base_keep_us;
	int64_t base_unneeded_max;    /* bytes of such files that a pool keeps; 0: any */
	int64_t base_reserve_percent; /* percent of the pool: with less room, such files go at once; 0: 10 */
};

/* Makes a reconciler that does nothing yet. The config's strings are copied. ERR_NO_MEMORY. */
RESULT reconciler_new(struct ctx *c, const struct reconcile_config *config,
		      struct reconciler **ret_reconciler);
/* Starts, by looking at every row once. Call it after the store is open and before requests
 * come. */
void reconciler_start(struct reconciler *r);
/* Ends the actors, and waits for steps under way. Call it before the network's close() and
 * store_close(). NULL: nothing. */
void reconciler_free(struct reconciler *r);
DEFINE_AUTO(reconciler)

/* Looks at a resource soon. Any thread that has no walking view; never blocks. */
void reconciler_wake(struct reconciler *r, enum kind kind, uuid id);

/* ---- explain: for people who wonder why something is not done yet ---- */

/* When a resource gets its next step. */
struct reconcile_next {
	bool has_steps;    /* false: no step is ever about a row of this kind by itself */
	bool is_now;       /* a step runs, or is queued */
	unsigned failures; /* how many of its steps failed in a row */
	int64_t due_us;    /* 0: no time is set. With failures: the return of its host brings the next step */
	int64_t look_us;   /* when all of its kind is looked at again, whatever happens */
};
/* Any thread. */
void reconciler_read_next(struct reconciler *r, enum kind kind, uuid id, struct reconcile_next *ret_next);
/* The first volume for which an instance that shall run is not started yet; NULL: it waits for
 * none. On the tables of a view that is read. */
const struct volume *reconciler_find_awaited_volume(const struct tables *t, const struct instance *i);

/* ---- observe: read through to a host, off the HTTP threads, changing nothing ---- */

struct observation {
	uuid host;
	int64_t deadline_us; /* on the scale of clock_now_us() */
	struct ctx *ctx;     /* lent until done() */
	/* Runs on the host's actor; h is its open connection. It must change nothing. */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	/* Instead of look: runs on the actor of the host's disks. */
	RESULT (*look_disks)(struct observation *o, const struct disk_driver *driver, struct disk_host *h);
	/* Called once, on any thread, perhaps before reconciler_observe() has returned. ERR_GONE:
	 * the host is away. ERR_TIMEOUT: the host's queue did not reach it before the deadline. A
	 * look that has begun is not given up: it ends when its call returns. */
	void (*done)(struct observation *o, struct result result);
	void *arg;
};
/* Runs a look. o and what it lends must live until done(). */
void reconciler_observe(struct reconciler *r, struct observation *o);

/* The same on the network's actor. */
struct network_observation {
	struct ctx *ctx; /* lent until done() */
	RESULT (*look)(struct network_observation *o, const struct network_handle *network);
	/* As above; there is no deadline. */
	void (*done)(struct network_observation *o, struct result result);
	void *arg;
	/* private: */
	struct job job;
	const struct network_handle *network;
};
void reconciler_observe_network(struct reconciler *r, struct network_observation *o);

/* ---- what is sent for an image, taken in off the HTTP threads ---- */

/* Runs long work on files of the image store, on the actor that works for that image. */
void reconciler_work_on_image(struct reconciler *r, uuid image, struct work_item *w);
/* Where the image store is. Valid as long as the reconciler. */
const char *reconciler_image_directory(const struct reconciler *r);
/* Removes what an upload has stored for a change that has failed, where no row needs the files. Blocks. */
struct image_upload;
void reconciler_drop_upload(struct reconciler *r, struct image_upload *upload);

/* What images take that are cached in a place, bytes; and of that those that no disk there is made from. */
struct cached_images {
	uuid place; /* a storage pool; or a host, for its own directory */
	int64_t images, unneeded;
};
/* As it was when everything was looked at last; 0: it was not yet, since the process began. Any thread. */
struct cached_images reconciler_read_cached_images(struct reconciler *r, uuid place);

/* ---- audit ---- */

struct audit_finding {
	struct str words;    /* one difference, as a sentence */
	bool is_quarantined; /* something has our mark and no row, and was left alone */
	int about;           /* enum audit_difference_about */
	bool has_row;        /* of what is quarantined: on another host */
	uuid subject, place; /* of what is quarantined: its id, and the host or pool (none: the network) */
};
/* A host's copy of a file of the image store. It is no difference; it is listed for people who look
 * for space. */
struct audit_cached {
	struct str host, sha256;
	int64_t file_size;
};
struct audit {
	struct ctx *ctx;
	VEC(struct audit_finding) findings;
	VEC(struct audit_cached) cached;
	size_t asked; /* hosts' domains, hosts' disks, pools, the network */
};
/* Compares rows with every host's domains and disks, with the network, and with SQL. Blocks until
 * each has answered, or until deadline_us; call it on a thread of your own. What changes meanwhile
 * may be reported as a difference. */
RESULT reconciler_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us, struct audit *ret_audit);
/* The same in parts, for callers that must not block. A run that was begun must be ended, when all
 * have answered. */
struct audit_run;
RESULT reconciler_begin_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us,
			      struct audit_run **ret_run);
bool reconciler_audit_is_answered(struct audit_run *run);
void reconciler_end_audit(struct audit_run *run, struct audit *ret_audit);

struct audit_end; /* engine/region/region_audit.h */
/* What an audit has found, as rows, in c's arena; sets all but the audit and when it began. */
RESULT reconciler_describe_audit(struct ctx *c, const struct audit *found, struct audit_end *ret_end);

struct reconcile_figures {
	size_t waiting, failing; /* resources on their way; of those, the ones that failed last */
	uint64_t steps;          /* since start */
};
void reconciler_read_figures(struct reconciler *r, struct reconcile_figures *ret_figures);
/* Whether everything was looked at once, and nothing is on its way or waits for a retry: for tests.
 * What waits for a host that is away does not count. */
bool reconciler_is_settled(struct reconciler *r);
