/* SPDX-License-Identifier: Apache-2.0
 * The reconciler: brings what the drivers report to what the rows want, level-triggered. It is
 * woken by every publish, by drivers' news and by a slow timer; each waking of a resource runs one
 * step: gather its rows (copied into the step's arena, so that no view is held across a driver
 * call), ask the driver what is there, decide purely, do at most one idempotent thing, look again.
 * What was seen goes back through the committer as an engine operation, with the gen it acted on.
 *
 * Threads: each host has an actor (drivers/compute.h calls come from it alone) and one more, without
 * a thread of its own, for its disks (drivers/disk.h), whose copies take long; the network has one,
 * and another keeps time and runs the steps that need none of them. This is the only place with retries: a
 * failed step is tried again with a growing delay, and its words become a condition of the resource. */
#pragma once

#include "base/exec.h"
#include "base/vec.h"
#include "base/work_item.h"
#include "drivers/network.h"
#include "store/store.h"

struct compute_driver;
struct compute_files;
struct compute_host;
struct disk_driver;
struct disk_host;
struct instance;
struct volume;

struct reconciler;
struct web_reach;

enum { RECONCILE_DRIVERS_MAX = 4 };

struct reconcile_config {
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX]; /* by their scheme; NULL-ended */
	void *compute_self[RECONCILE_DRIVERS_MAX];
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX]; /* likewise */
	struct str image_directory; /* where images lie on this machine, named <sha256>.qcow2 */
	struct str own_chassis;     /* OVN's name of this machine */
	struct strs resolvers;   /* IPv4 addresses that guests are told of besides our own; others are passed
				    over */
	struct web_reach *reach; /* where images are fetched from; outlives the reconciler; NULL: nothing is
				    configured */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; for write_drive, and volumes' keys */
	/* What is on an instance's config drive; view walks, and it may end that. In c's arena. NULL:
	 * nothing. */
	RESULT(*write_drive)
	(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
	 struct compute_files *ret_files);
	int64_t shutdown_grace_us;  /* ACPI, then force; 0: 60 s */
	int64_t host_interval_us;   /* between looks at an idle host; 0: 20 s */
	int64_t call_patience_us;   /* a call to a host that lasts longer hangs; 0: 20 s */
	int64_t resync_interval_us; /* everything is looked at again; 0: 10 minutes */
	int64_t base_keep_us; /* how long a host keeps a cached file that no disk there is made from; 0: a day
			       */
	int64_t base_reserve_percent; /* of its pool: while less is free such files go at once; 0: 10 */
};

/* Strings of the config are copied. */
RESULT reconciler_new(struct ctx *c, const struct reconcile_config *config,
		      struct reconciler **ret_reconciler);
/* Starts: looks at every row once. Call after the store is open and before requests come. */
void reconciler_start(struct reconciler *r);
/* Ends its actors, waiting for a step under way; before the network's close and store_close(). */
void reconciler_free(struct reconciler *r);
DEFINE_AUTO(reconciler)

/* Looks at a resource soon. Any thread that walks no view; never blocks. */
void reconciler_wake(struct reconciler *r, enum kind kind, uuid id);

/* ---- explain: for people who wonder why something is not done yet ---- */

/* When a resource gets its next step. */
struct reconcile_next {
	bool has_steps;    /* false: no step ever is about this kind by itself */
	bool is_now;       /* one runs, or is queued */
	unsigned failures; /* of its steps, in a row */
	int64_t due_us;    /* 0: no time is set; with failures, its host's return brings the next step */
	int64_t look_us;   /* when it is looked at again with all of its kind, whatever happens */
};
/* Any thread. */
void reconciler_read_next(struct reconciler *r, enum kind kind, uuid id, struct reconcile_next *ret_next);
/* The first of its volumes for which an instance that is to run is not started yet; NULL: it waits for none.
 */
const struct volume *reconciler_find_awaited_volume(const struct tables *t, const struct instance *i);

/* ---- observe: read through to a host, off the HTTP threads, changing nothing ---- */

struct observation {
	uuid host;
	int64_t deadline_us; /* clock_now_us() scale */
	struct ctx *ctx;     /* lent until done() */
	/* On the host's actor; h is its open connection. */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	/* Instead of look: on the actor of the host's disks. */
	RESULT (*look_disks)(struct observation *o, const struct disk_driver *driver, struct disk_host *h);
	/* Any thread, exactly once, also from within reconciler_observe(). ERR_GONE when the host is
	 * away; ERR_TIMEOUT at the deadline when the host's queue did not come to it in time. A look
	 * that has begun is not given up: it ends when its call returns. */
	void (*done)(struct observation *o, struct result result);
	void *arg;
};
/* o and what it lends must stay until done(). */
void reconciler_observe(struct reconciler *r, struct observation *o);

/* The same on the network's actor. */
struct network_observation {
	struct ctx *ctx; /* lent until done() */
	RESULT (*look)(struct network_observation *o, const struct network_handle *network);
	/* As above, but without a deadline. */
	void (*done)(struct network_observation *o, struct result result);
	void *arg;
	/* private: */
	struct job job;
	const struct network_handle *network;
};
void reconciler_observe_network(struct reconciler *r, struct network_observation *o);

/* ---- what is sent for an image, taken in off the HTTP threads ---- */

/* Work on the files of the image store, which may last: on the actor that works for that image. */
void reconciler_work_on_image(struct reconciler *r, uuid image, struct work_item *w);
/* Where the image store is; as long as the reconciler. */
const char *reconciler_image_directory(const struct reconciler *r);

/* ---- audit ---- */

struct audit_finding {
	struct str words;    /* one difference, as a sentence */
	bool is_quarantined; /* something with our mark and no row, left alone */
};
/* A copy that a host has of a file of the image store: no difference, for whoever looks for space. */
struct audit_cached {
	struct str host, sha256;
	int64_t file_size;
};
struct audit {
	struct ctx *ctx;
	VEC(struct audit_finding) findings;
	VEC(struct audit_cached) cached;
};
/* Compares rows with every host's domains and disks and with the network; and rows with SQL.
 * Blocks until each answered or deadline_us; from a thread of the caller's own. What changes
 * meanwhile may be told as a difference. */
RESULT reconciler_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us, struct audit *ret_audit);
/* The same in parts, for who must not block: once begun it has to be ended, after all answered. */
struct audit_run;
RESULT reconciler_begin_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us,
			      struct audit_run **ret_run);
bool reconciler_audit_is_answered(struct audit_run *run);
void reconciler_end_audit(struct audit_run *run, struct audit *ret_audit);

struct reconcile_figures {
	size_t waiting, failing; /* resources on their way; of those, with a failure */
	uint64_t steps;          /* since start */
};
void reconciler_read_figures(struct reconciler *r, struct reconcile_figures *ret_figures);
/* True when everything was looked at once and nothing is on its way, nor waits for a retry: for
 * tests. What waits for a host that is away does not count. */
bool reconciler_is_settled(struct reconciler *r);
