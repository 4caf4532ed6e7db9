/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/: the reconciler's parts, and what one step has at hand.
 *   reconcile.c  its life; the slow timer
 *   wake.c       has looked at what a publish, a host's return or the timer concerns
 *   resources.def  which file says what is done about which kind: its step, and who looks because of it
 *   work.c       which resources wait for a step, and the retries
 *   step.c       one step: its arena, its reports, its condition
 *   hosts.c      two lanes per host; host.c: the host's own step; host_disks.c: that of its pool
 *   host_connection.c  a host's connection, and what becomes of one in which a call hangs
 *   gather.c     rows copied out of a view
 *   storage_pool.c  the step of a pool that belongs to no host, which has a lane likewise
 *   instance.c, volume.c, port.c, …: the steps, one file per resource */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "reconcile/reconcile.h"

struct disk_key;
struct condition;
struct ceph_place;
struct host;
struct snapshot;
struct storage_pool;
struct volume;

struct rec_host;
struct step;
struct router_rows;

/* ---- work.c ---- */

/* Where a resource's steps run. */
struct lane {
	struct actor *actor;   /* NULL: whichever fetch lane is chosen */
	struct rec_host *host; /* whose actor it is; NULL: not a host's */
	bool is_disks;         /* the actor of its disks */
	uuid account;          /* whose fetch it is, where none is chosen yet */
};

/* Besides the kinds of rows: all that lies in a host's pool, by the host's id; and, likewise, that the host's
 * own step does not come to its end. */
#define KIND_HOST_DISKS ((enum kind) KIND_COUNT)
#define KIND_HOST_SILENCE ((enum kind)(KIND_COUNT + 1))
/* And that a silent host's OVN is looked at. */
#define KIND_HOST_CHASSIS ((enum kind)(KIND_COUNT + 2))
#define STEP_KINDS (KIND_COUNT + 3)

enum work_state {
	WORK_IDLE,
	WORK_QUEUED,
	WORK_RUNNING,
	WORK_REPORTING /* its step has ended, what it saw is on its way through the committer */
};

/* One resource on its way. Lives from its first wake until a step ends with nothing left to do. */
struct work {
	struct job job; /* on its lane's actor */
	struct reconciler *reconciler;
	struct work *next; /* in its bucket */
	enum kind kind;
	uuid id;
	struct lane lane, next_lane; /* of the queued or running step; of the one after it */
	unsigned fetch_lane;         /* the one of the fetch lanes that is its own, counted from 1; 0: none */
	uuid fetch_account;          /* for whom */
	struct work *next_fetch;     /* on that lane */
	enum work_state state;
	bool woken;        /* since its step began: it gets another */
	bool has_news;     /* likewise by a driver: another, unless the step fails */
	unsigned failures; /* in a row */
	unsigned streak;   /* steps at once after another */
	int64_t due_us;    /* when a retry is to come; 0: none */
	int64_t kept_us;   /* since when an instance's guest is asked to let go of a device; 0: it is not */
	int64_t asked_us;  /* when it was asked last, or found to be asked */
	uuid swap_begun; /* the volume that an instance's guest is to get, whose filling was begun or seen */
	int64_t held_us; /* since when guests are to stand still for a cut */
	bool has_begun;  /* a live migration: it was this process that noted its beginning */
	int64_t rests_until_us; /* a cut for which guests stood still failed: not before */
};

/* Of the fetch lanes an account has FETCH_SHARE at most: what strangers' servers send to it takes as long as
 * those like, and sixteen accounts would have to be bent on that before another one's waits. */
enum { WORK_BUCKETS = 16384, FETCH_LANES = 64, FETCH_SHARE = 4 };

struct work_map {
	pthread_mutex_t lock;
	struct work *buckets[WORK_BUCKETS];
	size_t count, failing;
	struct work *fetches[FETCH_LANES]; /* on each */
	uint64_t steps;
	bool stopping; /* nothing is posted any more */
	bool has_lost; /* something was not queued for want of memory: look at everything soon */
};

enum wake {
	WAKE_WISH, /* rows changed, or a condition of success came about: at once */
	WAKE_NEWS  /* a driver's: at once, unless it fails already; its own failing may be the news */
};

/* Queues a step for the resource on the lane. Any thread; coalesces; posts only. */
void work_wake(struct reconciler *r, struct lane lane, enum kind kind, uuid id, enum wake why);

/* What a step ends with besides its result. */
enum again {
	AGAIN_NO,   /* settled, or news will come */
	AGAIN_SOON, /* something was done: look again at once */
	AGAIN_LATER /* look again at due_us */
};

struct step_end {
	struct result result;
	enum again again;
	int64_t due_us;
};

/* What the step's end means for its work, which may be gone afterwards. */
void work_conclude(struct reconciler *r, struct work *w, const struct step_end *end);
/* The step's reports are about to be submitted: work_conclude() comes when they are through. */
void work_wait_for_reports(struct reconciler *r, struct work *w);
/* Memory was short for something that is then not done: the timer looks at everything soon. */
void work_note_loss(struct reconciler *r);
/* Whether it was, since the last call. What failed and has no time for its retry is queued again: its
 * row may be gone, so that looking at every row would not find it. */
bool work_take_loss(struct reconciler *r);
/* From now on nothing is posted. */
void work_stop(struct reconciler *r);
/* For what lasts: it is waited for. */
bool work_is_stopping(struct reconciler *r);
/* Frees what is left; after the actors. */
void work_free_all(struct reconciler *r);

/* ---- step.c ---- */

/* One operation that a step wants run on the committer, with what it saw. */
struct report {
	op_run run;
	void *wish;
};

enum { STEP_REPORTS_MAX = 64 };

/* One step: its context (arena and words), what it is about, what it wants next. In its arena. */
struct step {
	struct ctx ctx;
	struct reconciler *r;
	struct work *work;
	enum kind kind;
	uuid id;
	struct rec_host *host;              /* of a host lane */
	struct host_connection *connection; /* of a host lane: the connection that is this step's */
	bool is_disks;                      /* on the lane of its disks */
	struct step_end end;
	struct report reports[STEP_REPORTS_MAX];
	size_t report_count;
	struct change change; /* that carries the reports */
};

bool step_is_known(enum kind kind); /* there are steps for it */
const char *step_kind_name(enum kind kind);
/* Runs a step of w, on its lane. */
void step_run(struct reconciler *r, struct work *w, struct lane lane);
/* Adds an operation to what the step reports; wish lives in the step's arena. Past the limit the
 * rest is seen by the next step. */
void step_report(struct step *s, op_run run, void *wish);
/* Look again, at once or then. */
void step_again(struct step *s);
/* Of a row whose data are waited for so long: it looks again then, and ends the waiting. */
RESULT step_sending(struct step *s, enum kind kind, int64_t until_us);
void step_again_at(struct step *s, int64_t due_us);
/* Reports that a condition holds or does not, unless its row says so already. Opens a view. */
RESULT step_report_condition(struct step *s, const struct condition *wanted, bool holds);
/* What bears our mark on a host and has no row: adds one to the list of names, returns the count then;
 * and the host's condition of that name. */
size_t step_name_stray(struct step *s, size_t count, const char *what, uuid id, struct str *names);
RESULT step_report_strays(struct step *s, const char *name, size_t count, struct str names);
/* An object in the step's arena, or a return of ERR_NO_MEMORY. */
#define STEP_NEW(step, type)                                                                                 \
	__extension__({                                                                                      \
		type *made_ = arena_new_object((step)->ctx.arena, type);                                     \
		if (!made_)                                                                                  \
			return ctx_no_memory(&(step)->ctx);                                                  \
		made_;                                                                                       \
	})

/* ---- hosts.c: a thread and a connection per host, and a second connection for its disks ---- */

enum { HOST_BUCKETS = 1024 };

/* A host's disks: an actor without a thread of its own, a connection that is made when needed and
 * closed when it was idle for a while. */
struct rec_disks {
	struct lane lane;
	struct host_connection *connection; /* as the host's own */
	_Atomic bool has_strays;            /* something in its pool has no row */
	_Atomic bool has_unproven;          /* it was not proven to see some pool that it is to see */
	_Atomic bool idle_posted;
	struct job idle_job;
	struct unneeded_base { /* of the steps of whole pools alone */
		uuid pool;     /* a shared one; none: the host's own */
		char sha256[65];
		int64_t since_us;
	} * unneeded; /* owned; cached files that no volume there is made from */
	size_t unneeded_count;
};

/* A connection to a host for what is done about its guests, or about its disks, and what is known through it.
 * Each lane has one at a time. When a call does not return (a guest's QEMU hangs, and libvirt waits for it
 * without end), the lane gets a new one, and that is left to whoever is in it, and to nobody else. */
struct host_connection {
	const struct lane *lane; /* whose it is, or was */
	/* of whoever entered it: */
	const struct compute_driver *driver;
	void *driver_self;
	struct compute_host *connection; /* NULL: not connected */
	const struct disk_driver *disk_driver;
	struct disk_host *disks; /* likewise, of the lane of its disks */
	bool is_fresh;           /* the connection is new: nothing was looked at through it */
	bool has_strays;         /* something on it has no row */
	uint64_t gen;            /* of the row it was connected by */
	uint64_t round;          /* in which strays were looked for last */
	char boot_id[64];        /* as its last probe said */
	/* with the host's lock: */
	struct host_connection *next; /* among those that were left */
	int64_t since_us; /* when what may hang began: of guests, the job; of disks, what it asks a QEMU */
	enum kind kind;   /* for what it was entered; KIND_NONE: for an observation */
	uuid id;
	uuid guest;      /* of disks: whose QEMU is asked */
	uuid volume;     /* of disks: nobody else works on that one's meanwhile */
	int64_t used_us; /* of disks: when it was last; 0: not connected */
	bool is_left;
};

/* Of both lanes: then whatever hangs next holds its lane. libvirtd has 20 threads for calls that may hang. */
enum { HOST_LINKS_LEFT_MAX = 16 };

/* For whom a call hangs, or to whose QEMU. */
struct host_hanging_call {
	enum kind kind;
	uuid id;
	int64_t since_us;
	bool is_own; /* of its own step: no other one does anything about it */
};
enum { HOST_HANGING_MAX = 2 * HOST_LINKS_LEFT_MAX };
struct host_hanging {
	struct host_hanging_call at[HOST_HANGING_MAX];
	size_t count;
};

/* Or a storage pool that belongs to no host, whose disks are worked on likewise. It has no guests: the lane and the
 * connection to them are nobody's. */
struct rec_host {
	struct rec_host *next; /* in its bucket */
	uuid id;
	bool is_pool;
	struct lane lane;
	struct rec_disks disks;
	struct reconciler *reconciler;
	pthread_mutex_t lock;
	struct host_connection
		*connection;          /* of the host's lane; changes with the lock held, as what follows */
	struct host_connection *left; /* of both */
	size_t left_count;
	struct host_hanging
		*reported; /* whose conditions say so; of the host's own step alone; NULL: nobody's */
	int64_t behind_us; /* since when its chassis is behind; 0: it is not. Of the network's lane */
	int64_t blocked_us; /* when this process had Ceph keep it out last; 0: it has not. Of its lane of fences */
	/* Its guests and disks may be looked at: while it is not set nobody wakes them, for the
	 * host's return does, or the pool's. */
	_Atomic bool is_ready;
	struct job figures_job; /* figures/figures.c */
	_Atomic bool figures_posted;
};

/* The host's lane, made at the first call; NULL when out of memory. Any thread. */
struct rec_host *hosts_ensure(struct reconciler *r, const struct host *row);
/* Likewise of a pool of Ceph. */
struct rec_host *hosts_ensure_pool(struct reconciler *r, uuid pool);
/* By the uri's scheme; NULL: there is none. */
const struct compute_driver *hosts_driver(struct reconciler *r, struct str uri, void **ret_self);
struct rec_host *hosts_find(struct reconciler *r, uuid id);
void hosts_free_all(struct reconciler *r);
/* Whether the step runs on that host's lane. News of an instance may come from a host that is not
 * its own and has a copy of the domain: nothing must be done there. */
bool hosts_is_here(const struct step *s, uuid host);
/* Likewise the lane of that host's disks. */
bool hosts_has_disks_here(const struct step *s, uuid host);
/* ERR_GONE with words while the step's host is not connected; its return wakes everything on it. */
RESULT hosts_connected(struct step *s);
/* On the actor of the host's disks: connects them if need be; a pool's own step does that (hosts_connect_pool()). The calls that follow concern that directory, as
 * disk_enter() has it. ERR_GONE as above. */
struct disk_place;
RESULT hosts_connect_disks(struct host_connection *connection, struct ctx *c, struct str directory);
/* By the first monitor's address: simulated pools have simulated ones. NULL: there is none. */
const struct disk_driver *hosts_find_pool_driver(const struct reconciler *r, const struct ceph_place *place);
/* On the actor of a pool: connects it, unless it is. */
RESULT hosts_connect_pool(struct step *s, const struct storage_pool *row);
/* Likewise, for files that lie there. ERR_AGAIN: they are hidden. */
RESULT hosts_enter(struct step *s, const struct disk_place *place);
/* What is in the pool as a whole, which was entered: host_disks.c. */
RESULT host_disks_look_at(struct step *s, uuid host, uuid pool, size_t *ret_strays);
/* Whoever waited for the host's proof that it sees the pool; host none: for the pool itself. */
void wake_in_pool(struct reconciler *r, const struct tables *t, uuid pool, uuid host);
/* Has the host look into the shared pools that it is to see. */
void wake_pools_on(struct rec_host *h);
/* Has connections of disks closed that nobody used for a while, and those relieved whose calls hang. On the
 * home actor. */
void hosts_look_after(struct reconciler *r);
void hosts_close_disks_soon(struct rec_host *h);

/* ---- host_connection.c ---- */

/* NULL: out of memory. lane: outlives it. */
struct host_connection *host_connection_new(const struct lane *lane);
/* A job on a host's lane takes its connection, for the time of the job. */
struct host_connection *host_connection_enter(struct lane lane, enum kind kind, uuid id);
/* Closes it when it was left meanwhile. */
void host_connection_leave(struct host_connection *connection);
/* Closes the connection, if any. By whoever is in it, as the next. */
void host_connection_disconnect(struct host_connection *connection);
/* The connection failed under somebody: closes it and, where it was to the guests or a pool's, looks at the host or the
 * pool soon. */
void host_connection_lost(struct host_connection *connection);
/* Leaves those whose calls take too long. On the home actor. */
void host_connection_relieve(struct rec_host *h, int64_t now_us);
/* The word of drivers/disk.h; arg: the connection. */
void host_connection_ask(void *arg, uuid guest);
/* On the lane of a host's disks: from now on the volume's disk is this step's. ERR_IO in words: a call about
 * it hangs. */
RESULT host_connection_claim_volume(struct step *s, uuid volume);
/* ERR_AGAIN: the lane has gone on without this step, which is to end here. */
RESULT host_connection_check_current(struct step *s);
/* A call for it, or to its QEMU, hangs. Any thread. */
bool host_connection_hangs(struct rec_host *h, enum kind kind, uuid id);
/* Says so of each for whom, or to whose QEMU, a call hangs, and forces off the instances that are to be; has
 * those looked at for whom none does any more. In the host's step, connected. */
RESULT host_connection_look_at_left(struct step *s);

/* ---- reconcile.c ---- */

enum { IMAGE_LANES = 8, POOL_TURNS = 64, FENCE_LANES = 4, DESK_LANES = 4 };

struct reconciler {
	_Atomic size_t references; /* its owner, and each step's reports under way */
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	const struct compute_driver *compute[RECONCILE_DRIVERS_MAX];
	void *compute_self[RECONCILE_DRIVERS_MAX];
	const struct disk_driver *disks[RECONCILE_DRIVERS_MAX];
	char *image_directory, *own_chassis; /* owned */
	const uint8_t *master_key;
	struct web_reach *reach;
	const struct backup_target *backup; /* NULL: none */
	RESULT(*write_drive)
	(const uint8_t *master_key, struct ctx *c, struct view *view, uuid instance,
	 struct compute_files *ret_files);
	struct ip *resolvers; /* owned */
	size_t resolver_count;
	int64_t shutdown_grace_us, host_interval_us, resync_interval_us, call_patience_us;
	int64_t base_keep_us, base_unneeded_max, base_reserve_percent;
	/* Somebody sends a cached file to a shared pool: a row of flags, of which a pool has one, maybe with others. */
	_Atomic bool pool_turns[POOL_TURNS];
	/* What takes images in, which may last: an image is always of the same one. */
	struct actor *image_actors[IMAGE_LANES];
	struct actor *fence_actors[FENCE_LANES]; /* each has a thread of its own: nothing else delays them */
	const struct fence_driver *fences[RECONCILE_DRIVERS_MAX];
	struct actor *desk_actors[DESK_LANES]; /* likewise: a desk answers when it likes */
	const struct desk_driver *desks[RECONCILE_DESKS_MAX];
	char *ticket_directory; /* owned */
	reconcile_write_facts *write_facts;
	void *facts_self;
	/* What is fetched from elsewhere lasts as long as a stranger likes: nobody else waits behind it. */
	struct actor *fetch_actors[FETCH_LANES];
	/* home: keeps time, and runs the steps that need neither a host nor the network. */
	struct actor *network_actor, *home_actor;
	struct job tick_job, wake_all_job, routers_job, unplaced_job;
	_Atomic bool wake_all_posted, routers_posted, unplaced_posted;
	_Atomic int64_t resync_due_us, tick_due_us; /* set by the home actor */
	_Atomic uint64_t round;                     /* counts the times that everything was looked at */
	struct work_map work;
	_Atomic int64_t dunned_us; /* when who owes was looked at last; 0: it is to be, at once */
	pthread_mutex_t hosts_lock;
	struct cached_images
		*cached; /* owned, under that lock: an element for each pool that was looked at */
	size_t cached_count;
	struct rec_host *hosts[HOST_BUCKETS];
	uuid region;
	struct figures *figures; /* owned; NULL: none are taken */
	struct traffic *traffic; /* owned; NULL: none is counted */
	struct job figures_job;
	struct { /* an audit that a row asks for; its step alone touches it */
		uuid row;
		struct ctx ctx;
		struct audit_run *run; /* NULL: none is under way */
	} audit;
};

static inline struct lane lane_images(const struct reconciler *r, uuid image)
{
	return (struct lane){.actor = r->image_actors[image.b[15] % IMAGE_LANES]};
}
static inline struct lane lane_fences(const struct reconciler *r, uuid host)
{
	return (struct lane){.actor = r->fence_actors[host.b[15] % FENCE_LANES]};
}
static inline struct lane lane_desks(const struct reconciler *r, uuid desk)
{
	return (struct lane){.actor = r->desk_actors[desk.b[15] % DESK_LANES]};
}
/* For what is fetched, or is copied on this machine. Of no actor until the work is there. account: whose it
 * is; none: the operator's. */
static inline struct lane lane_fetches(uuid account)
{
	return (struct lane){.account = account};
}
static inline struct lane lane_home(const struct reconciler *r)
{
	return (struct lane){.actor = r->home_actor};
}
static inline struct lane lane_network(const struct reconciler *r)
{
	return (struct lane){.actor = r->network_actor};
}

/* Frees it when this was the last reference. */
void reconciler_release(struct reconciler *r);
/* Everything is looked at soon, the routers that lead outside are, or the instances that are on no host. Any
 * thread; post only. */
void reconciler_wake_all_soon(struct reconciler *r);
void reconciler_wake_routers_soon(struct reconciler *r);
void reconciler_wake_unplaced_soon(struct reconciler *r);

/* ---- resources.def: what is done about each kind of row ---- */

/* Something in the network that looks when a row changes: its id is a field of that row, and may be none. */
struct resource_wake {
	enum kind kind; /* KIND_NONE: nobody */
	size_t id_offset;
};
enum { RESOURCE_WAKES_MAX = 2 };

/* What the reconciler does about one kind of row; in the file of that resource. Each wake follows from rows
 * alone, costs O(1) and only posts. */
struct resource {
	/* One step, on the resource's lane: OK, ERR_AGAIN, ERR_GONE, or what is told of it. NULL: the kind
	 * has no steps of its own. */
	struct result (*step)(struct step *s);
	bool is_swept; /* all its rows are looked at now and then */
	/* Whoever has to look at a row that just appeared as far as we know: */
	struct resource_wake wakes[RESOURCE_WAKES_MAX];
	void (*wake)(struct reconciler *r, const struct row *row); /* besides; NULL: nobody */
	/* Of a publish of the row, instead; before: NULL for a new one. NULL: as if it just appeared. */
	void (*wake_changed)(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after);
	/* The row is gone for good. NULL: nobody looks, or, with wakes_forgotten, as if it just appeared. */
	void (*wake_forgotten)(struct reconciler *r, const struct tables *t, const struct row *row);
	bool wakes_forgotten;
};
#define RESOURCE(kind, name) extern const struct resource reconcile_##name;
#include "reconcile/resources.def"
#undef RESOURCE

/* step.c. Of a kind that is not in resources.def: nothing is done. */
const struct resource *resource_of(enum kind kind);

/* ---- backup.c ---- */

/* The file of a pending snapshot that is to come from a backup. On a fetch lane. */
RESULT step_restored_snapshot(struct step *s, const struct snapshot *row);
/* Those that are written from the file of that snapshot. */
void wake_backups_of(struct reconciler *r, const struct tables *t, uuid snapshot);

/* ---- audit/audit.c, audit/region_audit.c ---- */

/* As reconciler_begin_audit(); each answer wakes the row's step. */
RESULT audit_run_begin(struct reconciler *r, struct ctx *c, int64_t deadline_us, uuid row,
		       struct audit_run **ret_run);
void audit_run_count(struct audit_run *run, size_t *ret_asked, size_t *ret_answered);
/* Instead of its end, when all have answered: what was found is not asked for any more. */
void audit_run_drop(struct audit_run *run);
/* What an audit has that the process does not live to end. With the reconciler. */
void region_audit_drop(struct reconciler *r);

/* ---- fence_block.c: on a lane of fences ---- */

struct fence;
/* Ceph keeps f->blocked out of the pools in which guests of the host have disks, and none of those is used from
 * elsewhere: OK is a proof. */
RESULT fence_block_host(struct step *s, const struct fence *f, const struct host *host);
/* Before the block ends by itself. */
RESULT fence_renew_block(struct step *s, const struct fence *f);
RESULT fence_unblock_host(struct step *s, const struct fence *f);

/* ---- reconcile/resource_group.c ---- */

/* The group that is to go with what the row is; and the row's name, where the row is gone. */
void wake_names_of(struct reconciler *r, const struct tables *t, uuid target);

/* ---- ended.c ---- */

/* The step of what has ended and is only listed, and who looks for that at address groups. */
RESULT step_ended(struct step *s);
void wake_ended_addresses(struct reconciler *r, const struct row *row);

/* ---- wake.c ---- */

/* A store_listener. */
void wake_on_publish(void *self, const struct tables *tables, const struct published *published,
		     size_t count);
/* Whoever has to look at this row, which just appeared as far as we know. */
void wake_for_row(struct reconciler *r, enum kind kind, const struct row *row);
/* Something in the network; none: nobody. */
void wake_network(struct reconciler *r, enum kind kind, uuid id);
/* An instance, or what lies in a host's pool; host: or a pool that is worked on by itself. While that is away nobody
 * is queued on it. */
void wake_on_host(struct reconciler *r, uuid host, enum kind kind, uuid id);
/* What is done with a host's guests, or with a disk that lies in that pool or, if that is none, on that host. */
void wake_among_guests(struct reconciler *r, uuid host, enum kind kind, uuid id);
void wake_with_disks(struct reconciler *r, uuid pool, uuid host, enum kind kind, uuid id);
/* The instances that have a shared volume besides the one that its row names. */
void wake_further_users(struct reconciler *r, const struct tables *t, const struct volume *v);
/* A row that is to be forgotten, and may have waited for something that is gone now. */
void wake_deleted(struct reconciler *r, const struct tables *t, enum kind kind, uuid id);
void wake_due_policies(struct reconciler *r); /* opens a view */
void wake_due_licences(struct reconciler *r); /* likewise */
/* The policies that may have taken the snapshot, or that it makes another one superfluous for. */
void wake_policy_of(struct reconciler *r, const struct tables *t, const struct snapshot *snapshot);
/* Jobs that wait for that row, one after the other (reconcile/job.c). */
void wake_jobs(struct reconciler *r, const struct tables *t, uuid subject);
void wake_all(struct reconciler *r);   /* opens a view, as the next */
void wake_hosts(struct reconciler *r); /* and what is due on them */
void wake_gateway_routers(struct reconciler *r);
void wake_unplaced(struct reconciler *r);
/* Everything on a host that has come back. On its actor. */
void wake_all_on(struct rec_host *h);

/* ---- the steps: one file per resource ---- */

/* The condition of what has failed several times, or hangs. */
#define NOT_RECONCILED "NotReconciled"
/* The condition of a volume whose disk was there and is gone: its instance is not started. */
#define DISK_MISSING "DiskMissing"
/* The condition of an instance one of whose disks is not ready, for a reason that the volume's says. */
#define WAITS_FOR_DISK "WaitsForDisk"

/* The condition of an instance that QEMU holds for want of room on its host. */
#define IO_PAUSED "HeldForRoom"
/* The condition of an instance whose guest does not let go of what was detached from it. */
#define KEEPS_DEVICE "KeepsDevice"

/* The live migration of an instance, if one is under way. */
void wake_migration(struct reconciler *r, const struct tables *t, uuid instance);

/* What is wanted of a router with its networks, whether or not it is needed yet. */
RESULT reconcile_apply_router(struct step *s, const struct router_rows *rows);
/* Removes a network that nothing is in; one that something is in stays. */
RESULT reconcile_remove_unused_network(struct step *s, uuid network);
/* By a subnet or by an interface; all but one (none: all). */
void reconcile_wake_routers_in(struct step *s, uuid network, uuid but);

/* ---- gather.c: rows copied out of a view into the step's arena ---- */

/* Typed deep copies: STEP_COPY(s, KIND_PORT, struct port, row) or return ERR_NO_MEMORY. */
#define STEP_COPY(step, kind, type, source)                                                                  \
	__extension__({                                                                                      \
		const type *copied_ =                                                                        \
			(const type *) row_copy((step)->ctx.arena, &model_kinds[kind], &(source)->row);      \
		if (!copied_)                                                                                \
			return ctx_no_memory(&(step)->ctx);                                                  \
		copied_;                                                                                     \
	})

/* All that a router's place in the network needs. ret_wish->router NULL: no such row. */
struct router_rows {
	struct network_router wish;
	VEC(struct network_subnet) arms;
	VEC(const struct network_guard *) guards;
	VEC(struct network_segment) segments; /* the networks that it is in */
	VEC(const struct port *) interfaces;  /* live ones, also that at a subnet's gateway address */
	VEC(const struct port *) deleted_interfaces;
	VEC(const struct subnet *) deleted_subnets;
	VEC(const struct nat_gateway *) going_nats; /* deleted, and not known to be gone from the network */
	VEC(const struct peering *) peerings;       /* that are to lead to or from it */
	VEC(const struct peering *) going_peerings; /* likewise of NAT gateways */
	bool has_ports; /* a port is in one of its networks: it has to exist in the network */
};
/* gather_firewall.c: of the router's networks that have one; its segments are gathered. */
RESULT gather_firewalls(struct step *s, const struct tables *t, struct router_rows *rows);
/* Whoever makes the firewall of the port's network, if it has one. */
void wake_firewalls_of(struct reconciler *r, const struct tables *t, uuid port);
RESULT gather_router(struct step *s, const struct tables *t, uuid router, struct router_rows *ret_rows);
/* A network's; ret_wish->network NULL: no such row. */
/* It is told something else by DHCP than its subnet says. */
bool reconcile_is_told_apart(const struct tables *t, const struct port *port);
/* What is told by DHCP in the network may have changed: those ports of it have rows of their own. */
void reconcile_wake_told_apart(struct step *s, uuid network);
RESULT gather_segment(struct step *s, const struct tables *t, uuid network, struct network_segment *ret_wish);
/* Other than routers' interfaces. */
bool gather_network_has_ports(const struct tables *t, uuid network);
RESULT gather_group(struct step *s, const struct tables *t, uuid group, struct network_group *ret_wish);
/* .policy NULL: there is none. */
RESULT gather_port_policy(struct step *s, const struct tables *t, uuid policy,
			  struct network_policy *ret_wish);
/* Which policies stand before a port, each once; in the step's arena. */
RESULT gather_policies_of(struct step *s, const struct tables *t, const struct port *port,
			  struct uuids *ret_policies);
/* Whoever is behind the router: its virtual network is another one now. */
void wake_policies_behind(struct reconciler *r, const struct tables *t, uuid router);
/* Where a disk lies, and through what it is worked on. */
struct disk_place {
	uuid through; /* the pool, where that has a connection of its own; else the host; none: nothing yet */
	struct str directory; /* of a shared one, in the step's arena; empty: the host's own */
	bool is_hidden;       /* the host has yet to prove that it sees the pool, which wakes whoever waits */
};
RESULT gather_place(struct step *s, const struct tables *t, uuid pool, uuid host,
		    struct disk_place *ret_place);
/* Whether it is a pool of Ceph. */
bool gather_is_ceph(const struct tables *t, uuid pool);
/* What a pool of Ceph is asked with; NULL: it is none. ERR_INVALID, in words: its key does not open. */
RESULT gather_ceph(struct step *s, const struct storage_pool *pool, const struct ceph_place **ret_place);
/* The file that a volume is made from, in the image store. */
struct volume_base {
	struct str sha256; /* empty: blank */
	int64_t file_size;
	bool is_encrypted; /* with the volume's key */
};
RESULT gather_volume_base(struct step *s, const struct tables *t, const struct volume *v,
			  struct volume_base *ret_base);
/* What a row has sealed, as its driver takes it; NULL: nothing is encrypted. ERR_INVALID, in words: it does
 * not open. */
RESULT gather_disk_key(struct step *s, struct str sealed, const struct disk_key **ret_key);
/* Where a file of the image store lies. */
struct str gather_store_path(struct step *s, struct str sha256);
/* Some file of that volume is, or is to be, in the shared pool, or if that is none on that host. */
bool gather_volume_is_in(const struct volume *v, uuid host, uuid pool);
