/* SPDX-License-Identifier: Apache-2.0
 * The reconciler brings hosts and networks to the state that the rows want, and reports what it finds. It is
 * level-triggered: whatever wakes a resource, its step looks at everything that matters. Steps are woken by
 * commits, by events of the drivers and by a slow timer.
 *
 * A *step* copies a resource's rows into its arena (so that no view is open during a driver call), asks the
 * driver what exists, decides by a pure function, does at most one idempotent thing, and looks again.
 * Observations go through the committer as an operation of the engine, with the gen that the step acted on.
 *
 * Threads: each host has an actor that makes all drivers/compute.h calls, and a second one, from a pool of
 * threads, for its disks (drivers/disk.h), because copies take long. The network has one actor. The home
 * actor keeps time and runs steps that need neither. Only this folder retries: a failed step is retried after
 * a growing delay, and a repeated failure becomes a condition of the resource. */
#pragma once

#include "base/exec.h"
#include "base/vec.h"
#include "base/work_item.h"
#include "drivers/network.h"
#include "drivers/proxy.h"
#include "drivers/vpn.h"
#include "store/store.h"

struct backup_target;
struct compute_driver;
struct compute_files;
struct compute_host;
struct desk_driver;
struct disk_driver;
struct disk_host;
struct fence_driver;
struct fleet;
struct fleet_override;
struct scaling_group;
struct instance;
struct instance_launch;
struct later_guard;
struct spot_request;
struct volume;

struct reconciler;
struct egress_policy;

enum { RECONCILE_DRIVERS_MAX = 4, RECONCILE_DESKS_MAX = 8 };

/* Writes the files of an instance's config drive, into c's arena. Reads the view, and may end its reading. */
typedef RESULT reconcile_write_drive(const uint8_t *master_key, struct ctx *c, struct view *view,
				     uuid instance, struct compute_files *ret_files);

/* Writes the region's facts about the resources that a ticket names, into c's arena: as text, and as one JSON
 * object. */
typedef RESULT reconcile_write_facts(void *self, struct ctx *c, uuid ticket, struct str *ret_text,
				     struct str *ret_json);

/* Serves to read a launch again that was asked for once. */
struct later_launch {
	struct store *store;
	struct later_guard *guard; /* NULL: roles alone decide */
};
/* Reads the launch of a spot request, as its asker, into c's arena. Any refusal of the launch's parameters. */
typedef RESULT reconcile_read_spot(struct ctx *c, const struct later_launch *later,
				   const struct spot_request *request, struct instance_launch *ret_launch);
/* Reads the overrides of a fleet, as its asker, into c's arena. An override with parameters that are refused says so
 * itself. ERR_DENIED: the asker may launch no more. */
typedef RESULT reconcile_read_fleet(struct ctx *c, const struct later_launch *later,
				    const struct fleet *fleet, struct fleet_override **ret_overrides,
				    size_t *ret_count);

/* Reads the launches of a scaling group, as the one who chose them, into c's arena; otherwise as reconcile_read_fleet. */
typedef RESULT reconcile_read_scaling(struct ctx *c, const struct later_launch *later,
				      const struct scaling_group *group, struct fleet_override **ret_launches,
				      size_t *ret_count);

struct reconcile_config {
	reconcile_read_spot *read_spot; /* NULL: nothing is launched later */
	reconcile_read_fleet *read_fleet;
	reconcile_read_scaling *read_scaling, *read_scale_set; /* EC2's groups; scale sets */
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	struct proxy_handle proxies; /* driver NULL: proxies of load balancers wait */
	struct vpn_handle vpns;      /* driver NULL: tunnels of VPN connections wait */
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX]; /* by URI scheme; NULL-terminated */
	void *compute_self[RECONCILE_DRIVERS_MAX];
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX]; /* by URI scheme */
	/* the first whose scheme fits the host's URI */
	const struct fence_driver *fences[RECONCILE_DRIVERS_MAX];
	const struct desk_driver
		*desks[RECONCILE_DESKS_MAX]; /* indexed by enum desk_speaks; NULL: protocol not supported */
	struct str ticket_directory;         /* directory of attachments; empty: no attachments */
	/* Asks policies again for work that accounts asked for (engine/people/asker.h). NULL: roles alone decide. */
	struct later_guard *later_guard;
	reconcile_read_scaling *read_autoscale; /* of groups with a profile of CloudStack's */
	reconcile_write_facts *write_facts;     /* NULL: tickets get no facts */
	void *facts_self;
	struct str endpoint;           /* URL of the region's API, for answers to messages; copied */
	struct str image_directory;    /* the image store on this machine: files <sha256>.qcow2 */
	struct str playbook_directory; /* of ansible-runner; empty: no playbooks; copied */
	struct str playbook_runner;    /* program */
	struct str own_chassis;        /* OVN chassis name of this machine */
	struct ip api_ip;              /* IPv4 address of the API; none: gateway endpoints have no routes */
	struct str export_directory;   /* files of exported images; empty: "exports" below image_directory */
	/* DNS servers announced to guests in addition to our own resolver. IPv6 and loopback addresses are
	 * ignored. */
	struct strs resolvers;
	/* Egress policy for image downloads; outlives the reconciler. NULL: not configured. */
	struct egress_policy *reach;
	/* Target of volume backups; outlives the reconciler. NULL or an empty URL: none. */
	const struct backup_target *backup;
	/* Target of flow logs' files; outlives the reconciler. NULL: none are written. */
	const struct backup_target *flow_logs;
	int64_t log_bytes_a_day; /* an account's files of flow logs and access logs; 0: no maximum */
	struct str
		access_log_directory; /* requests of load balancers wait here for their file; empty: in memory alone */
	struct str flow_log_listen;     /* ADDRESS:PORT for hosts' IPFIX; empty: none is received */
	struct strs flow_log_exporters; /* addresses and blocks that may send it; none: all */
	/* Network device whose traffic is billed, and its network namespace (empty: ours). Empty: no
	 * metering. */
	struct str traffic_device, traffic_netns;
	const uint8_t *master_key;          /* MASTER_KEY_SIZE bytes; for write_drive and for volume keys */
	reconcile_write_drive *write_drive; /* NULL: config drives are empty */
	/* False: steps wait, because another process may be the region's writer. NULL: they never do. */
	bool (*may_act)(void *self);
	void *may_act_self;
	int64_t epoch;              /* as in struct ctx; drivers put it on what they change */
	int64_t shutdown_grace_us;  /* from the shutdown request to force-off; 0: 60 s */
	int64_t host_interval_us;   /* between two probes of an idle host; 0: 20 s */
	int64_t call_patience_us;   /* a call to a host that lasts longer counts as hanging; 0: 20 s */
	int64_t resync_interval_us; /* between two resyncs; 0: 10 minutes */
	/* Time after which a host deletes a cached image without dependent volumes; 0: one day. */
	int64_t base_keep_us;
	int64_t base_unneeded_max;    /* limit of such images in a pool, bytes; 0: none */
	int64_t base_reserve_percent; /* free share of a pool, percent, below which such images are removed
				       * at once; 0: 10 */
};

/* Creates an idle reconciler; copies the strings of config. ERR_NO_MEMORY. */
RESULT reconciler_new(struct ctx *c, const struct reconcile_config *config,
		      struct reconciler **ret_reconciler);
/* Starts with a resync. Call it after the store is open and before requests arrive. */
void reconciler_start(struct reconciler *r);
/* Stops, and waits for running steps. Call it before the network driver's close() and store_close(). Ignores
 * NULL. */
void reconciler_free(struct reconciler *r);
DEFINE_AUTO(reconciler)

/* Queues a step of the resource. Any thread that is not walking a view; never blocks. */
void reconciler_wake(struct reconciler *r, enum kind kind, uuid id);

/* ---- explain: schedule of a resource's next step ---- */

/* Schedule of a resource's next step. */
struct reconcile_next {
	bool has_steps;    /* false: rows of this kind have no steps of their own */
	bool is_now;       /* a step is running or queued */
	unsigned failures; /* consecutive failures */
	int64_t due_us;    /* time of the next step; 0: none is set. With failures > 0 and no time, the
			    * return of its host brings the next step */
	int64_t look_us;   /* time of the next resync of its kind; as due_us, on the scale of
			    * clock_now_us() */
};
/* Any thread. */
void reconciler_read_next(struct reconciler *r, enum kind kind, uuid id, struct reconcile_next *ret_next);
/* First volume that an instance waits for before it can start; NULL: none. `t` must belong to a view that is
 * being read. */
const struct volume *reconciler_find_awaited_volume(const struct tables *t, const struct instance *i);

/* ---- observe: read through to a host, off the HTTP threads, changing nothing ---- */

struct observation {
	uuid host;
	int64_t deadline_us; /* on the scale of clock_now_us() */
	struct ctx *ctx;     /* lent until done() */
	/* Runs on the host's actor with its open connection. Must change nothing. */
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	/* In place of look: runs on the actor of the host's disks. */
	RESULT (*look_disks)(struct observation *o, const struct disk_driver *driver, struct disk_host *h);
	/* Called exactly once, on any thread, possibly before reconciler_observe() returns. ERR_GONE: the
	 * host is not connected. ERR_TIMEOUT: still queued at the deadline. A running look is not cancelled;
	 * done() follows its return. */
	void (*done)(struct observation *o, struct result result);
	void *arg;
};
/* Starts an observation. o and everything it refers to must live until done(). */
void reconciler_observe(struct reconciler *r, struct observation *o);

/* An observation of the network, on the network's actor. */
struct network_observation {
	struct ctx *ctx; /* lent until done() */
	RESULT (*look)(struct network_observation *o, const struct network_handle *network);
	/* Same as in struct observation; there is no deadline. */
	void (*done)(struct network_observation *o, struct result result);
	void *arg;
	/* private */
	struct job job;
	const struct network_handle *network;
};
void reconciler_observe_network(struct reconciler *r, struct network_observation *o);

/* ---- image uploads, off the HTTP threads ---- */

/* Runs long work on files of the image store, on the actor of that image. */
void reconciler_work_on_image(struct reconciler *r, uuid image, struct work_item *w);
/* Directory of the image store; valid as long as the reconciler. */
const char *reconciler_image_directory(const struct reconciler *r);
/* Directory of exported images' files; likewise. */
const char *reconciler_export_directory(const struct reconciler *r);
/* Removes the files that an upload stored for a change that failed, unless a row needs them. Blocks. */
struct image_upload;
void reconciler_drop_upload(struct reconciler *r, struct image_upload *upload);

/* Sizes of the cached images in a place, bytes; `unneeded`: those that no volume is based on. */
struct cached_images {
	uuid place; /* a storage pool; or a host, for its own directory */
	int64_t images, unneeded;
};
/* Values of the last check; zero before the first check after a start. Any thread. */
struct cached_images reconciler_read_cached_images(struct reconciler *r, uuid place);

/* ---- audit ---- */

struct audit_finding {
	struct str words;    /* the difference, as a sentence */
	bool is_quarantined; /* an object with our mark and no row, which was left alone */
	int about;           /* enum audit_difference_about */
	bool has_row;        /* quarantined object: its row is on another host */
	uuid subject, place; /* quarantined object: its id, and the host or pool (none: the network) */
};
/* A host's cached copy of an image. Not a difference; listed for people who look for space. */
struct audit_cached {
	struct str host, sha256;
	int64_t file_size;
};
struct audit {
	struct ctx *ctx;
	VEC(struct audit_finding) findings;
	VEC(struct audit_cached) cached;
	size_t asked; /* number of places asked: hosts' domains, hosts' disks, Ceph pools, the network */
};
/* Compares rows with all hosts' domains and disks, with the network, and with SQL. Blocks until all have
 * answered or deadline_us has passed; call it on a thread of your own. Concurrent changes may be reported as
 * differences. */
RESULT reconciler_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us, struct audit *ret_audit);
/* The same in parts, for callers that must not block. A run must be ended once it is answered. */
struct audit_run;
RESULT reconciler_begin_audit(struct reconciler *r, struct ctx *c, int64_t deadline_us,
			      struct audit_run **ret_run);
bool reconciler_audit_is_answered(struct audit_run *run);
void reconciler_end_audit(struct audit_run *run, struct audit *ret_audit);

struct audit_end; /* engine/region/region_audit.h */
/* Converts an audit's findings to rows, in c's arena; sets all fields except the audit's id and its start. */
RESULT reconciler_describe_audit(struct ctx *c, const struct audit *found, struct audit_end *ret_end);

struct reconcile_figures {
	size_t waiting, failing; /* resources with work pending; those of them whose last step failed */
	uint64_t steps;          /* since the start */
	int64_t access_reports, access_dropped; /* requests for access logs: received, and missing there */
};
void reconciler_read_figures(struct reconciler *r, struct reconcile_figures *ret_figures);
/* True if a resync has run and no step is queued, running or waiting for a retry. For tests. Resources on a
 * disconnected host do not count. */
bool reconciler_is_settled(struct reconciler *r);
