/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/: parts of the reconciler, and what a step has at hand.
 *   reconcile.c        start, end, and the timer
 *   wake.c             wakes resources after a commit, a host's return or a timer tick
 *   resources.def      table of kinds: the step, and the resources that a change wakes
 *   work.c             queue of resources, and retries
 *   step.c             runs one step: arena, reports, condition
 *   hosts.c            two lanes per host; host.c: the host's step; host_disks.c: its storage
 *   host_connection.c  connections, and calls that hang
 *   gather.c           copies rows out of a view
 *   storage_pool.c     step of a Ceph pool, which has a lane as a host does
 *   instance.c, volume.c, port.c, …: the steps, one file per resource */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "reconcile/reconcile.h"

struct access_collector;
struct disk_key;
struct flow_collector;
struct log_share;
struct condition;
struct ceph_place;
struct host;
struct snapshot;
struct storage_pool;
struct volume;

struct provider_lane;
struct queue_waits;
struct rec_host;
struct step;
struct router_rows;
struct security_group;

/* ---- work.c ---- */

/* Lane on which a resource's steps run. */
struct lane {
	struct actor *actor;   /* NULL: a fetch lane, to be chosen */
	struct rec_host *host; /* owner of the actor; NULL: not a host's */
	bool is_disks;         /* the actor of the host's disks */
	uuid account;          /* fetch lane to be chosen: the account that is charged */
	bool is_playbooks;     /* fetch lane to be chosen: one for playbooks */
};

/* Pseudo-kinds beside those of rows, each with a host's id: the files in its storage, and a host whose own
 * step hangs. */
#define KIND_HOST_DISKS ((enum kind) KIND_COUNT)
#define KIND_HOST_SILENCE ((enum kind)(KIND_COUNT + 1))
/* The OVN chassis of a silent host. */
#define KIND_HOST_CHASSIS ((enum kind)(KIND_COUNT + 2))
#define STEP_KINDS (KIND_COUNT + 3)

enum work_state {
	WORK_IDLE,
	WORK_QUEUED,
	WORK_RUNNING,
	WORK_REPORTING /* the step has ended; its reports are in the committer */
};

/* A resource with pending work. Lives from its first wake-up until a step ends with nothing left to do.
 * Changed with the map's lock held, except the fields below that belong to steps: only one step runs at a
 * time. */
struct work {
	struct job job; /* on its lane's actor; must be the first member */
	struct reconciler *reconciler;
	struct work *next; /* in its hash bucket */
	enum kind kind;
	uuid id;
	struct lane lane, next_lane; /* lanes of the queued or running step, and of the step after it */
	unsigned fetch_lane;         /* index of its fetch lane, from 1; 0: none */
	uuid fetch_account;          /* account that the fetch lane is charged to */
	struct work *next_fetch;     /* next work on the same fetch lane */
	enum work_state state;
	bool woken;             /* woken by a row while its step runs: another step follows */
	bool has_news;          /* woken by a driver while its step runs: another step follows unless this one
			    * fails */
	unsigned failures;      /* consecutive failures */
	unsigned streak;        /* consecutive steps without a pause */
	int64_t due_us;         /* time of the pending retry or look; 0: none */
	int64_t kept_us;        /* instance: time of the first unplug request to its guest; 0: none */
	int64_t asked_us;       /* instance: time of the last unplug request, or when one was found to be
			    * pending */
	uuid swap_begun;        /* instance: volume whose block copy was started or seen by this process */
	int64_t held_us;        /* snapshot: since when guests are to be held for the cut */
	bool has_begun;         /* live migration, reboot elsewhere: this process recorded the beginning */
	int64_t rests_until_us; /* snapshot: no attempt before, since one failed while guests were held */
};

/* An account may occupy at most FETCH_SHARE of the FETCH_LANES, because remote servers answer as slowly as
 * they like: sixteen accounts would have to collude before another account's downloads wait. */
enum { WORK_BUCKETS = 16384, FETCH_LANES = 64, FETCH_SHARE = 4 };
/* Playbooks run for up to an hour, on lanes behind those of downloads, so that neither waits for the other. */
enum { PLAYBOOK_LANES = 8, PLAYBOOK_SHARE = 2, LONG_LANES = FETCH_LANES + PLAYBOOK_LANES };

struct work_map {
	pthread_mutex_t lock; /* guards the map and its works, except their steps' fields */
	struct work *buckets[WORK_BUCKETS];
	size_t count, failing;
	struct work *fetches[LONG_LANES]; /* works on each fetch lane */
	uint64_t steps;
	bool stopping; /* nothing is posted from now on */
	bool has_lost; /* a wake-up was lost for lack of memory: resync soon */
};

enum wake {
	WAKE_WISH, /* rows changed, or a success is to be confirmed: step at once */
	WAKE_NEWS  /* an event of a driver: step at once, unless the last step failed, since the failing
		    * itself may cause the event */
};

/* Queues a step on the lane. Any thread; wake-ups of a queued resource coalesce; only posts. */
void work_wake(struct reconciler *r, struct lane lane, enum kind kind, uuid id, enum wake why);

/* Continuation that a step requests, beside its result. */
enum again {
	AGAIN_NO,   /* settled, or an event will wake it */
	AGAIN_SOON, /* something was done: look again at once */
	AGAIN_LATER /* look again at due_us */
};

struct step_end {
	struct result result;
	enum again again;
	int64_t due_us;
};

/* Ends a step and schedules the next one. May free w. */
void work_conclude(struct reconciler *r, struct work *w, const struct step_end *end);
/* Marks w as reporting, before the reports are submitted; work_conclude() follows when they are committed. */
void work_wait_for_reports(struct reconciler *r, struct work *w);
/* A wake-up was lost for lack of memory: the timer resyncs soon. */
void work_note_loss(struct reconciler *r);
/* True if a wake-up was lost since the last call. Also queues failed works without a retry time, whose row
 * may be gone so that a resync would not reach them. */
bool work_take_loss(struct reconciler *r);
/* After the return nothing is posted any more. */
void work_stop(struct reconciler *r);
/* Polled by long operations, because the end waits for them. */
bool work_is_stopping(struct reconciler *r);
/* Frees all works. Call it after the actors were freed. */
void work_free_all(struct reconciler *r);

/* ---- step.c ---- */

/* An operation that the committer runs for a step, with what the step saw. */
struct report {
	op_run run;
	void *wish;
};

enum { STEP_REPORTS_MAX = 64 };

/* A step: context, subject and outcome. Lives in its own arena. */
struct step {
	struct ctx ctx;
	struct reconciler *r;
	struct work *work;
	enum kind kind;
	uuid id;
	struct rec_host *host;              /* owner of the lane; NULL: not a host's lane */
	struct host_connection *connection; /* connection of a host lane, owned by this step while it runs */
	bool is_disks;                      /* the lane is that of the host's disks */
	struct step_end end;
	struct report reports[STEP_REPORTS_MAX];
	size_t report_count;
	struct change change; /* carries the reports */
};

bool step_is_known(enum kind kind); /* the kind has steps */
const char *step_kind_name(enum kind kind);
/* Runs a step of w. On its lane. */
void step_run(struct reconciler *r, struct work *w, struct lane lane);
/* Adds an operation to the reports. wish lives in the step's arena. Beyond STEP_REPORTS_MAX the report is
 * dropped and another step follows, which makes it. */
void step_report(struct step *s, op_run run, void *wish);
/* Requests another step, at once or at a time. A step does one thing, so one that has more to do (the next page, batch or stage)
 * requests another, which begins when the reports of this one are committed and sees them in the rows. */
void step_again(struct step *s);
/* Step of a row that awaits an upload: looks again at the deadline, and then fails the upload. */
RESULT step_sending(struct step *s, enum kind kind, int64_t until_us);
void step_again_at(struct step *s, int64_t due_us);
/* The same for kinds that the resync sweeps: a distant time needs no timer, since a resync wakes the row before. So
 * rows that wait for days do not count as work. */
void step_again_by(struct step *s, int64_t due_us);
/* Sets or clears a condition, unless the row already says so. Opens a view. */
RESULT step_report_condition(struct step *s, const struct condition *wanted, bool holds);
/* Strays are objects with our mark on a host that have no row. step_name_stray() adds one to the list and
 * returns the new count; step_report_strays() sets or clears the host's condition. */
size_t step_name_stray(struct step *s, size_t count, const char *what, uuid id, struct str *names);
RESULT step_report_strays(struct step *s, const char *name, size_t count, struct str names);
/* Allocates an object in the step's arena; returns ERR_NO_MEMORY from the calling function on failure. */
#define STEP_NEW(step, type)                                                                                 \
	__extension__({                                                                                      \
		type *made_ = arena_new_object((step)->ctx.arena, type);                                     \
		if (!made_)                                                                                  \
			return ctx_no_memory(&(step)->ctx);                                                  \
		made_;                                                                                       \
	})

/* ---- hosts.c: a thread and a connection per host, and a second connection for its disks ---- */

enum { HOST_BUCKETS = 1024 };

/* The disks of a host: an actor from the thread pool, and a connection that is opened on demand and closed
 * after DISKS_IDLE_US. */
struct rec_disks {
	struct lane lane;
	struct host_connection *connection; /* guarded as the host's own */
	_Atomic bool has_strays;            /* the storage contains files without a row */
	_Atomic bool has_unproven;          /* a pool is not yet proven to be visible; tried again at each
					     * probe */
	_Atomic bool idle_posted;
	struct job idle_job;
	struct unneeded_base { /* used only by steps of whole pools, one of which runs at a time */
		uuid pool;     /* a shared pool; none: the host's own directory */
		char sha256[65];
		int64_t since_us;
	} * unneeded; /* owned; cached images that no volume there is based on */
	size_t unneeded_count;
};

/* A connection to a host for its guests or its disks, with what is known through it. Each lane has one
 * current connection. If a call does not return (a guest's QEMU hangs, and libvirt waits for it without a
 * limit), the lane gets a new connection; the old one then belongs to the hanging job alone, which frees
 * it. */
struct host_connection {
	const struct lane *lane; /* the lane that owns or owned it */
	/* belong to the job that entered it: */
	const struct compute_driver *driver;
	void *driver_self;
	struct compute_host *connection; /* NULL: not connected */
	const struct disk_driver *disk_driver;
	struct disk_host *disks; /* disk lane: its connection; NULL: not connected */
	bool is_fresh;           /* newly opened: the host has not been welcomed yet */
	bool has_strays;         /* domains without a row were seen */
	uint64_t gen;            /* gen of the row it was opened with */
	uint64_t round;          /* resync round in which strays were last searched */
	char boot_id[64];        /* boot id reported by the last probe */
	/* with the host's lock: */
	struct host_connection *next; /* in h->left */
	int64_t since_us; /* start of the call that may hang: on a guest lane, of the job; on a disk lane,
			   * of the request to a QEMU. 0: none */
	enum kind kind;   /* subject of the job; KIND_NONE: an observation */
	uuid id;
	uuid guest;      /* of disks: the guest whose QEMU is being asked */
	uuid volume;     /* of disks: the volume that no other job may work on */
	int64_t used_us; /* of disks: time of the last use; 0: not connected */
	bool is_left;
};

/* Limit for both lanes of a host; beyond it a hanging call blocks its lane. libvirtd has 20 threads for calls
 * that may hang. */
enum { HOST_LINKS_LEFT_MAX = 16 };

/* A resource whose own call hangs, or whose QEMU hangs in another one's call. */
struct host_hanging_call {
	enum kind kind;
	uuid id;
	int64_t since_us;
	bool is_own; /* its own step hangs, so no other step of it runs */
};
enum { HOST_HANGING_MAX = 2 * HOST_LINKS_LEFT_MAX };
struct host_hanging {
	struct host_hanging_call at[HOST_HANGING_MAX];
	size_t count;
};

/* A host, or a Ceph pool, whose disks are worked on in the same way; a pool has no guests, so its `lane` and
 * `connection` are unused. */
struct rec_host {
	struct rec_host *next; /* in its hash bucket */
	uuid id;
	bool is_pool;
	struct lane lane;
	struct rec_disks disks;
	struct reconciler *reconciler;
	/* Guards the connections' places and the fields marked as such. May be taken with hosts_lock held, never
	 * the other way round. */
	pthread_mutex_t lock;
	struct host_connection
		*connection;          /* current connection of the guest lane; changes with the lock held,
				       * as do the next two */
	struct host_connection *left; /* connections left to hanging jobs, of both lanes */
	size_t left_count;
	struct host_hanging
		*reported;  /* resources that have a condition for a hanging call; used by the host's step
			    * alone; NULL: none */
	int64_t behind_us;  /* since when its OVN chassis lags; 0: it does not. Used on the network's lane
			    * alone */
	int64_t blocked_us; /* when this process last had Ceph block the host; 0: never. Used on its fence
			     * lane alone */
	/* Guests and disks may be worked on. While false, wake-ups for them are dropped, because the return
	 * of the host or pool wakes everything. */
	_Atomic bool is_ready;
	struct job figures_job;      /* figures/figures.c */
	_Atomic bool figures_posted; /* the job is queued, and must not be queued twice */
};

/* Finds or creates the host's lanes; NULL: out of memory. Any thread. */
struct rec_host *hosts_ensure(struct reconciler *r, const struct host *row);
/* Finds or creates the lane of a Ceph pool; NULL: out of memory. Any thread. */
struct rec_host *hosts_ensure_pool(struct reconciler *r, uuid pool);
/* Driver for the URI's scheme; NULL: none. */
const struct compute_driver *hosts_driver(struct reconciler *r, struct str uri, void **ret_self);
struct rec_host *hosts_find(struct reconciler *r, uuid id);
void hosts_free_all(struct reconciler *r);
/* True if the step runs on that host's lane. An event of an instance may come from another host that has a
 * copy of the domain; no step may act there. */
bool hosts_is_here(const struct step *s, uuid host);
/* True if the step runs on the lane of that host's disks. */
bool hosts_has_disks_here(const struct step *s, uuid host);
/* ERR_GONE, with a message, while the step's host is not connected; its return wakes everything on it. */
RESULT hosts_connected(struct step *s);
/* On the actor of the host's disks: connects them on demand and enters the directory (disk_enter()), which
 * the following calls refer to. A Ceph pool is connected by its own step only (hosts_connect_pool()).
 * ERR_GONE: not reachable. */
struct disk_place;
RESULT hosts_connect_disks(struct host_connection *connection, struct ctx *c, struct str directory);
/* Driver for a Ceph pool, chosen by the first monitor's address: simulated pools use "sim:". NULL: none. */
const struct disk_driver *hosts_find_pool_driver(const struct reconciler *r, const struct ceph_place *place);
/* On the actor of a Ceph pool: connects it unless it is connected. */
RESULT hosts_connect_pool(struct step *s, const struct storage_pool *row);
/* Enters a directory for a step. ERR_AGAIN: the host is not yet proven to see the pool. */
RESULT hosts_enter(struct step *s, const struct disk_place *place);
/* Checks the files of the entered pool: host_disks.c. */
RESULT host_disks_look_at(struct step *s, uuid host, uuid pool, size_t *ret_strays);
/* Wakes everything that waited for the host's proof that it sees the pool. host none: everything in the
 * pool. */
void wake_in_pool(struct reconciler *r, const struct tables *t, uuid pool, uuid host);
/* Has the host check the shared pools that it should see. */
void wake_pools_on(struct rec_host *h);
/* Closes disk connections that were idle for a while, and relieves lanes whose call hangs. On the home
 * actor. */
void hosts_look_after(struct reconciler *r);
void hosts_close_disks_soon(struct rec_host *h);

/* ---- host_connection.c ---- */

/* NULL: out of memory. lane outlives the connection. */
struct host_connection *host_connection_new(const struct lane *lane);
/* Takes the lane's current connection for the time of a job on that lane. */
struct host_connection *host_connection_enter(struct lane lane, enum kind kind, uuid id);
/* Returns the connection; closes and frees it if the lane has left it meanwhile. */
void host_connection_leave(struct host_connection *connection);
/* Closes the connection, if open. To be called by the job that entered it, as is the next one. */
void host_connection_disconnect(struct host_connection *connection);
/* Closes a connection that failed and, for guests or a Ceph pool, wakes the step of the host or pool to
 * reconnect. */
void host_connection_lost(struct host_connection *connection);
/* Leaves connections whose call lasts too long. On the home actor. */
void host_connection_relieve(struct rec_host *h, int64_t now_us);
/* Callback of drivers/disk.h: a request to a guest's QEMU begins, or ends (guest none). arg: the
 * connection. */
void host_connection_ask(void *arg, uuid guest);
/* On the lane of a host's disks: reserves the volume for this step. ERR_IO, with a message: another call
 * about the volume hangs. */
RESULT host_connection_claim_volume(struct step *s, uuid volume);
/* ERR_AGAIN: the lane has left this step's connection, so the step must end here. */
RESULT host_connection_check_current(struct step *s);
/* True if a call of the resource, or to its QEMU, hangs. Any thread. */
bool host_connection_hangs(struct rec_host *h, enum kind kind, uuid id);
/* Reports each resource with a hanging call, forces off instances that should be off, and wakes those whose
 * call has returned. In the host's step, connected. */
RESULT host_connection_look_at_left(struct step *s);

/* ---- reconcile.c ---- */

/* An account's images share IMAGE_SHARE of the IMAGE_LANES, since one disk may take an hour to convert. */
enum {
	IMAGE_LANES = 64,
	IMAGE_SHARE = 4,
	POOL_TURNS = 64,
	FENCE_LANES = 4,
	DESK_LANES = 4,
	PROXY_LANES = 8,
	PROVIDER_BUCKETS = 64
};

/* Chains of backups whose chunks a step writes or removes now: backups of a chain share chunks, so steps take
 * turns. */
struct backup_chains {
	pthread_mutex_t lock; /* guards the next two, for steps on different fetch lanes */
	uuid at[FETCH_LANES];
	size_t count;
};

struct reconciler {
	bool (*may_act)(void *self); /* NULL: steps never wait */
	void *may_act_self;
	int64_t epoch;
	_Atomic size_t references; /* held by the owner, and by each change in the committer */
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	struct proxy_handle proxies;
	struct vpn_handle vpns;
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX];
	void *compute_self[RECONCILE_DRIVERS_MAX];
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX];
	char *image_directory, *export_directory, *own_chassis; /* owned */
	struct ip api_ip;
	const uint8_t *master_key;
	struct egress_policy *reach;
	const struct backup_target *backup; /* NULL: none */
	struct backup_chains chains;
	RESULT(*write_drive)
	(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
	 struct compute_files *ret_files);
	struct ip *resolvers; /* owned */
	size_t resolver_count;
	int64_t shutdown_grace_us, host_interval_us, resync_interval_us, call_patience_us;
	int64_t base_keep_us, base_unneeded_max, base_reserve_percent;
	/* Locks for sending a base image to a shared pool, indexed by a hash of the pool, so several pools
	 * may share one. */
	_Atomic bool pool_turns[POOL_TURNS];
	/* Actors that take images in, which may last; an image always uses the same one. They have no threads of their
	 * own. */
	struct actor *image_actors[IMAGE_LANES];
	struct actor *fence_actors[FENCE_LANES]; /* each has a thread of its own, so nothing else delays a
						  * fence */
	const struct fence_driver *fences[RECONCILE_DRIVERS_MAX];
	struct actor *desk_actors[DESK_LANES]; /* a thread each, since desks may answer slowly */
	const struct desk_driver *desks[RECONCILE_DESKS_MAX];
	struct actor *proxy_actors[PROXY_LANES]; /* a proxy always uses the same one */
	pthread_mutex_t providers_lock;
	struct provider_lane
		*providers[PROVIDER_BUCKETS]; /* buckets of remote/lane.h; owned, with providers_lock */
	struct provider_lane *idle_providers; /* lanes of forgotten providers; owned, with providers_lock */
	char *endpoint;                       /* owned */
	char *playbook_directory, *playbook_runner; /* owned */
	unsigned playbook_user, playbook_group;     /* user 0: playbooks run as this process */
	bool has_playbook_units;
	char *ticket_directory; /* owned */
	reconcile_write_facts *write_facts;
	void *facts_self;
	struct later_guard *later_guard; /* NULL: roles alone decide */
	reconcile_read_spot *read_spot;
	reconcile_read_fleet *read_fleet;
	reconcile_read_scaling *read_scaling, *read_scale_set;
	reconcile_read_scaling *read_autoscale; /* of groups with a profile of CloudStack's */
	/* Actors for downloads, which last as long as the remote server likes. */
	struct actor *fetch_actors[LONG_LANES]; /* those of playbooks last */
	/* home_actor keeps time and runs steps that need neither a host nor the network. */
	struct actor *network_actor, *home_actor;
	struct job tick_job, wake_all_job, routers_job, unplaced_job;
	/* True while that job is queued: any thread posts it, and a job must not be queued twice. */
	_Atomic bool wake_all_posted, routers_posted, unplaced_posted;
	_Atomic int64_t resync_due_us, tick_due_us; /* set by the home actor, clock_steady_us() */
	_Atomic uint64_t round;                     /* number of resyncs */
	struct work_map work;
	_Atomic int64_t dunned_us;    /* time of the last payment evaluation; 0: evaluate at once */
	pthread_mutex_t hosts_lock;   /* guards the next three; taken before a host's lock */
	struct cached_images *cached; /* owned, with hosts_lock: one element for each pool that was checked */
	size_t cached_count;
	struct rec_host *hosts[HOST_BUCKETS];
	uuid region;
	struct figures *figures;                   /* owned; NULL: no sampling */
	struct traffic *traffic;                   /* owned; NULL: no metering */
	struct flow_collector *flow_collector;     /* owned */
	struct access_collector *access_collector; /* owned */
	char *access_log_directory;                /* owned; empty: requests wait in memory alone */
	struct log_share *log_share;               /* owned; bytes of log files by account */
	const struct backup_target *flow_logs;     /* where files of flow logs go; NULL: none are written */
	struct job figures_job;
	struct metrics *metrics; /* owned; datapoints that accounts publish */
	struct job metrics_job;
	struct queue_waits *queue_waits; /* owned; receives that wait for a message */
	struct job alarms_job;
	int64_t ticked_us; /* when alarms were woken last */
	int64_t began_us;  /* when this process began to watch metrics */
	struct {           /* the audit requested by a row; at most one runs, and its step alone uses this */
		uuid row;
		struct ctx ctx;
		struct audit_run *run; /* NULL: none is running */
	} audit;
};

/* Lane of an image: one of its account's, which lie a prime number apart, so that neighbours share few. */
static inline struct lane lane_images(const struct reconciler *r, uuid account, uuid image)
{
	enum { APART = 17 };
	return (struct lane){
		.actor = r->image_actors[(account.b[15] + image.b[15] % IMAGE_SHARE * APART) % IMAGE_LANES]};
}
static inline struct lane lane_fences(const struct reconciler *r, uuid host)
{
	return (struct lane){.actor = r->fence_actors[host.b[15] % FENCE_LANES]};
}
static inline struct lane lane_desks(const struct reconciler *r, uuid desk)
{
	return (struct lane){.actor = r->desk_actors[desk.b[15] % DESK_LANES]};
}
static inline struct lane lane_proxies(const struct reconciler *r, uuid proxy)
{
	return (struct lane){.actor = r->proxy_actors[proxy.b[15] % PROXY_LANES]};
}
/* Fetch lane for downloads and copies on this machine; the actor is chosen when the work is queued. account:
 * whom the lane is charged to; none: the operator. */
static inline struct lane lane_fetches(uuid account)
{
	return (struct lane){.account = account};
}
/* Lane of a playbook, charged to the account like a fetch lane. */
static inline struct lane lane_playbooks(uuid account)
{
	return (struct lane){.account = account, .is_playbooks = true};
}
static inline struct lane lane_home(const struct reconciler *r)
{
	return (struct lane){.actor = r->home_actor};
}
static inline struct lane lane_network(const struct reconciler *r)
{
	return (struct lane){.actor = r->network_actor};
}

/* Drops a reference; frees the reconciler with the last one. */
void reconciler_release(struct reconciler *r);
/* Resyncs everything, the routers with a gateway, or the instances without a host, soon. Any thread; only
 * posts. */
void reconciler_wake_all_soon(struct reconciler *r);
void reconciler_wake_routers_soon(struct reconciler *r);
void reconciler_wake_unplaced_soon(struct reconciler *r);

/* ---- resources.def: behaviour for each kind of row ---- */

/* Something in the network that a row's change wakes, given by a field of the row that contains its id (which
 * may be none). */
struct resource_wake {
	enum kind kind; /* KIND_NONE: end of the list */
	size_t id_offset;
};
enum { RESOURCE_WAKES_MAX = 2 };

/* The reconciler's behaviour for one kind of row, defined in the file of that resource. Each wake depends on
 * rows alone, takes O(1) and only posts. */
struct resource {
	/* Runs a step on the resource's lane. Returns OK, ERR_AGAIN, ERR_GONE, or an error that is reported.
	 * NULL: the kind has no steps. */
	struct result (*step)(struct step *s);
	bool is_swept; /* the resync wakes all rows of the kind */
	/* Resources to wake for a row that is new to us: */
	struct resource_wake wakes[RESOURCE_WAKES_MAX];
	void (*wake)(struct reconciler *r, const struct row *row); /* further resources; NULL: none */
	/* Called for a commit of the row in place of the above; before: NULL for a new row. NULL: as for a
	 * new row. */
	void (*wake_changed)(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after);
	/* Called when a row is gone for good. NULL: nothing is woken or, with wakes_forgotten, as for a new
	 * row. */
	void (*wake_forgotten)(struct reconciler *r, const struct tables *t, const struct row *row);
	bool wakes_forgotten;
};
#define RESOURCE(kind, name) extern const struct resource reconcile_##name;
#include "reconcile/resources.def"
#undef RESOURCE

/* step.c. Returns an empty resource for a kind that is not in resources.def. */
const struct resource *resource_of(enum kind kind);

/* ---- network/flow_log.c ---- */

/* Tells the collector which interfaces flow logs cover. */
void reconciler_plan_flow_logs(struct reconciler *r);
/* Starts the collector's thread, which wakes flow logs; nothing without a target for their files. */
void reconciler_start_flow_logs(struct reconciler *r);

/* ---- balancing/access_log.c ---- */

/* Starts the thread that receives access logs; nothing without a target for their files. */
void reconciler_start_access_logs(struct reconciler *r);

/* ---- snapshot_blocks.c ---- */

struct disk_payer;
/* Step of a pending snapshot that a client writes block by block. payer: its account. On a fetch lane. */
RESULT snapshot_blocks_step(struct step *s, const struct snapshot *row, const struct disk_payer *payer);
/* Removes what the client wrote. */
void snapshot_blocks_remove(struct step *s, const struct snapshot *row);

/* ---- backup.c ---- */

/* Step of a pending snapshot that comes from a backup. On a fetch lane. */
RESULT step_restored_snapshot(struct step *s, const struct snapshot *row);
/* Wakes backups written from the snapshot. */
void wake_backups_of(struct reconciler *r, const struct tables *t, uuid snapshot);

/* ---- audit/audit.c, audit/region_audit.c ---- */

/* Works like reconciler_begin_audit(); each answer wakes the step of `row`. */
RESULT audit_run_begin(struct reconciler *r, struct ctx *c, int64_t deadline_us, uuid row,
		       struct audit_run **ret_run);
void audit_run_count(struct audit_run *run, size_t *ret_asked, size_t *ret_answered);
/* Frees a run without evaluating it; all must have answered. */
void audit_run_drop(struct audit_run *run);
/* Frees an unfinished audit when the reconciler ends. */
void region_audit_drop(struct reconciler *r);

/* ---- fence_block.c: on a lane of fences ---- */

struct fence;
/* Has Ceph block f->blocked in the pools in which the host's guests have disks, and checks that no other
 * client uses those disks: OK is a proof. */
RESULT fence_block_host(struct step *s, const struct fence *f, const struct host *host);
/* Renews the block before it expires. */
RESULT fence_renew_block(struct step *s, const struct fence *f);
RESULT fence_unblock_host(struct step *s, const struct fence *f);

/* ---- reconcile/resource_group.c ---- */

/* Wakes the group being emptied that contains the resource, and its name once the row is gone. */
void wake_names_of(struct reconciler *r, const struct tables *t, uuid target);

/* ---- tombstone.c ---- */

/* Step of tombstones, and the wake function of address groups. */
RESULT step_ended(struct step *s);
/* Reports that nothing is left of a row that is marked deleted: engine_forget_deleted(). */
RESULT step_forget(struct step *s, enum kind kind, uuid id);
void wake_ended_addresses(struct reconciler *r, const struct row *row);

/* ---- wake.c ---- */

/* A store_listener: runs on the committer's thread. */
void wake_on_publish(void *self, const struct tables *tables, const struct published *published,
		     size_t count);
/* Wakes all resources concerned by a row that is new to us. */
void wake_for_row(struct reconciler *r, enum kind kind, const struct row *row);
/* Wakes something in the network; none: nothing. */
void wake_network(struct reconciler *r, enum kind kind, uuid id);
/* balancing/target_group.c: wakes the target groups that listeners lead to. */
void wake_target_groups(struct reconciler *r);
/* balancing/proxy.c */
void wake_proxies(struct reconciler *r);
/* network/vpn.c; each opens a view */
void wake_vpn_tunnels(struct reconciler *r);
void wake_vpn_routers(struct reconciler *r);
/* Wakes an instance or something in a host's storage; host: or a Ceph pool. Dropped while the host is not
 * ready. */
void wake_on_host(struct reconciler *r, uuid host, enum kind kind, uuid id);
/* Wakes something on a host's guest lane; or something with files in the pool or, if that is none, on the
 * host. */
void wake_among_guests(struct reconciler *r, uuid host, enum kind kind, uuid id);
void wake_with_disks(struct reconciler *r, uuid pool, uuid host, enum kind kind, uuid id);
/* Wakes instances that share the volume, besides the one its row names. */
void wake_further_users(struct reconciler *r, const struct tables *t, const struct volume *v);
/* Wakes a deleted row that may have waited for something that is gone now. */
void wake_deleted(struct reconciler *r, const struct tables *t, enum kind kind, uuid id);
void wake_due_policies(struct reconciler *r);        /* opens a view */
void wake_due_backup_plans(struct reconciler *r);    /* opens a view */
void wake_due_backup_rules(struct reconciler *r);    /* opens a view */
void wake_due_backups(struct reconciler *r);         /* opens a view */
void wake_due_machine_backups(struct reconciler *r); /* opens a view */
void wake_due_licences(struct reconciler *r);        /* opens a view */
/* Wakes policies that may have taken the snapshot or that it gives a surplus one. */
void wake_policy_of(struct reconciler *r, const struct tables *t, const struct snapshot *snapshot);
/* Wakes jobs that wait for the row (reconcile/job.c). */
void wake_jobs(struct reconciler *r, const struct tables *t, uuid subject);
void wake_all(struct reconciler *r);   /* opens a view, as does the next */
void wake_hosts(struct reconciler *r); /* and everything that is due at a tick */
void wake_gateway_routers(struct reconciler *r);
void wake_unplaced(struct reconciler *r);
/* Wakes everything on a host that has come back. On its actor. */
void wake_all_on(struct rec_host *h);

/* ---- the steps: one file per resource ---- */

/* Condition of a resource that failed several times or hangs. */
#define NOT_RECONCILED "NotReconciled"
/* Condition of a volume whose file disappeared: its instance is not started. */
#define DISK_MISSING "DiskMissing"
/* Condition of an instance with a disk that is not ready; the volume's condition says why. */
#define WAITS_FOR_DISK "WaitsForDisk"

/* Condition of an instance that QEMU paused because its host has no space. */
#define IO_PAUSED "HeldForRoom"
/* Condition of an instance whose guest does not release a detached device. */
#define KEEPS_DEVICE "KeepsDevice"

/* Wakes the instance's live migration, if there is one. */
void wake_migration(struct reconciler *r, const struct tables *t, uuid instance);

/* Creates or updates a router with its networks, whether or not it is needed yet. */
RESULT reconcile_apply_router(struct step *s, const struct router_rows *rows);
/* Removes a network unless something is in it. */
RESULT reconcile_remove_unused_network(struct step *s, uuid network);
/* Wakes routers attached to the network by a subnet or an interface. */
void reconcile_wake_routers_in(struct step *s, uuid network);

/* ---- gather.c: rows copied out of a view into the step's arena ---- */

/* Deep copy of a row into the step's arena, or ERR_NO_MEMORY: STEP_COPY(s, KIND_PORT, struct port, row). */
#define STEP_COPY(step, kind, type, source)                                                                  \
	__extension__({                                                                                      \
		const type *copied_ =                                                                        \
			(const type *) row_copy((step)->ctx.arena, &model_kinds[kind], &(source)->row);      \
		if (!copied_)                                                                                \
			return ctx_no_memory(&(step)->ctx);                                                  \
		copied_;                                                                                     \
	})

/* Everything that a router's desired state depends on. ret_rows->wish.router is NULL if the row does not
 * exist. */
struct router_rows {
	struct network_router wish;
	VEC(struct network_subnet) arms;
	VEC(const struct network_guard *) guards;
	VEC(struct network_segment) segments; /* the networks that the router is attached to */
	VEC(const struct port *) interfaces;  /* live ones, including those at a subnet's gateway address */
	VEC(const struct port *) deleted_interfaces;
	VEC(const struct subnet *) deleted_subnets;
	VEC(const struct nat_gateway *) going_nats;         /* deleted, not yet confirmed as removed from the
						     * network */
	VEC(const struct peering *) peerings;               /* accepted ones in both directions */
	VEC(const struct peering *) going_peerings;         /* deleted, not yet confirmed as removed from the
						     * network */
	VEC(const struct transit_attachment *) attachments; /* to transit gateways */
	VEC(const struct transit_attachment *) going_attachments; /* deleted, not yet confirmed as removed
								   * from the network */
	bool has_ports; /* a network of the router has a port, so the router must exist */
};
/* transit/transit.c: the router's ends of attachments to transit gateways. */
RESULT transit_gather_ends(struct step *s, const struct tables *t, uuid router, struct router_rows *rows);
RESULT report_transit_ends(struct step *s, const struct router_rows *rows);
/* Wakes the transit gateways that the router is attached to, because its blocks have changed. */
void wake_transits_of(struct reconciler *r, const struct tables *t, uuid router);
/* Hosts that may carry gateways. */
struct host_name {
	uuid zone;
	struct str name;
};
struct host_names {
	VEC(struct host_name) at;
};
/* The host that carries the resource, preferably one of the zone: the same for everybody who asks. Empty: there is no host. */
struct str gather_choose_host(const struct host_names *hosts, uuid resource, uuid zone);
/* gather_endpoints.c: the router's ends of connections between VPC endpoints and endpoint services; requires
 * rows->wish.balancers. */
RESULT gather_endpoints(struct step *s, const struct tables *t, const struct host_names *hosts, uuid router,
			struct router_rows *rows);
/* network/vpn.c: the tunnels of the router's VPN gateway, and routes that lead there. */
RESULT vpn_gather(struct step *s, const struct tables *t, const struct host_names *hosts, uuid router,
		  struct router_rows *rows);
/* Wakes the tunnels of the router's VPN gateway, because its blocks have changed. */
void wake_vpn_tunnels_behind(struct reconciler *r, const struct tables *t, uuid router);
/* Wakes the routers of endpoints whose service has that interface, if a service has. */
void wake_entries_of(struct reconciler *r, const struct tables *t, const struct port *leg);
/* Wakes the routers of endpoints with that security group. */
void wake_endpoints_with(struct reconciler *r, const struct tables *t, const struct security_group *group);
/* gather_firewall.c: firewalls of the router's networks; requires rows->segments. */
RESULT gather_firewalls(struct step *s, const struct tables *t, struct router_rows *rows);
/* Wakes the routers that implement the firewall of the port's network, if it has one. */
void wake_firewalls_of(struct reconciler *r, const struct tables *t, uuid port);
RESULT gather_router(struct step *s, const struct tables *t, uuid router, struct router_rows *ret_rows);
/* True if the port has DHCP options other than its subnet's. */
bool reconcile_is_told_apart(const struct tables *t, const struct port *port);
/* The network's DHCP options may have changed: wakes its ports that have DHCP options of their own. */
void reconcile_wake_told_apart(struct step *s, uuid network);
RESULT gather_segment(struct step *s, const struct tables *t, uuid network, struct network_segment *ret_wish);
/* True if the network has ports other than router interfaces. */
bool gather_network_has_ports(const struct tables *t, uuid network);
RESULT gather_group(struct step *s, const struct tables *t, uuid group, struct network_group *ret_wish);
/* ret_wish->policy is NULL if the row does not exist. */
RESULT gather_port_policy(struct step *s, const struct tables *t, uuid policy,
			  struct network_policy *ret_wish);
/* Lists the policies that apply to the port, each once, in the step's arena. */
RESULT gather_policies_of(struct step *s, const struct tables *t, const struct port *port,
			  struct uuids *ret_policies);
/* Wakes policies behind the router, because its virtual network has changed. */
void wake_policies_behind(struct reconciler *r, const struct tables *t, uuid router);
/* Place of a disk's file, and the connection that works on it. */
struct disk_place {
	uuid through;         /* the Ceph pool, or else the host; none: not placed yet */
	struct str directory; /* directory of a shared pool, in the step's arena; empty: the host's own */
	bool is_hidden;       /* the host is not yet proven to see the pool; the proof wakes whatever waits */
};
RESULT gather_place(struct step *s, const struct tables *t, uuid pool, uuid host,
		    struct disk_place *ret_place);
/* True for a Ceph pool. */
bool gather_is_ceph(const struct tables *t, uuid pool);
/* Connection data of a Ceph pool; NULL: another kind. ERR_INVALID, with a message: the pool's key cannot be
 * decrypted. */
RESULT gather_ceph(struct step *s, const struct storage_pool *pool, const struct ceph_place **ret_place);
/* The file in the image store that a volume is based on. */
struct volume_base {
	struct str sha256; /* empty: a blank volume */
	int64_t file_size;
	bool is_encrypted; /* encrypted with the volume's key */
};
RESULT gather_volume_base(struct step *s, const struct tables *t, const struct volume *v,
			  struct volume_base *ret_base);
/* Decrypts a sealed key for the driver; NULL: not encrypted. ERR_INVALID, with a message: the key cannot be
 * decrypted. */
RESULT gather_disk_key(struct step *s, struct str sealed, const struct disk_key **ret_key);
/* Path of a file in the image store. */
struct str gather_store_path(struct step *s, struct str sha256);
/* True if a file of the volume is, or should be, in the shared pool or, if that is none, on the host. */
bool gather_volume_is_in(const struct volume *v, uuid host, uuid pool);
