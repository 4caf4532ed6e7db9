/* SPDX-License-Identifier: Apache-2.0
 * Creates, starts and frees the reconciler, and runs its timer: hosts are checked at every tick, all rows at
 * the resync interval. */
#include "reconcile/reconcile.h"

#include "base/clock.h"
#include "base/heap.h"
#include "engine/region/region.h"
#include "reconcile/balancing/access_collector.h"
#include "reconcile/billing/traffic.h"
#include "reconcile/figures/internal.h"
#include "reconcile/log_share.h"
#include "reconcile/messaging/queue_waits.h"
#include "reconcile/network/flow_collector.h"
#include "reconcile/remote/lane.h"
#include "reconcile/work.h"

enum { ROUTERS_DELAY_MS = 500 }; /* batches the changes of hosts that come and go together */

/* ---- resync ---- */

static void look_at_everything(struct reconciler *r)
{
	atomic_fetch_add(&r->round, 1);
	wake_all(r);
	work_wake(r, lane_home(r), KIND_CLIENT_TOKEN, UUID_NONE, WAKE_WISH);
	work_wake(r, lane_home(r), KIND_TOKEN_REVOCATION, UUID_NONE, WAKE_WISH);
	work_wake(r, lane_home(r), KIND_ASYNC_JOB, UUID_NONE, WAKE_WISH);
	work_wake(r, lane_home(r), KIND_SNAPSHOT, UUID_NONE, WAKE_WISH);       /* files of the image store */
	work_wake(r, lane_home(r), KIND_SUPPORT_TICKET, UUID_NONE, WAKE_WISH); /* stored attachment files */
}

static void tick_run(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, tick_job));
	int64_t now_us = clock_steady_us();
	if (work_take_loss(r) || now_us >= atomic_load(&r->resync_due_us)) {
		atomic_store(&r->resync_due_us, now_us + r->resync_interval_us);
		look_at_everything(r);
		heap_trim_slack(); /* the resync is the only rare periodic event, so it also returns memory
				    * of past peaks */
	} else {
		wake_hosts(r);
	}
	hosts_look_after(r);
	wake_target_groups(r);
	wake_proxies(r);
	wake_vpn_tunnels(r);
	atomic_store(&r->tick_due_us, now_us + r->host_interval_us);
	actor_post_at(r->home_actor, &r->tick_job, clock_now_us() + r->host_interval_us);
}

static void wake_all_run(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, wake_all_job));
	atomic_store(&r->wake_all_posted, false);
	look_at_everything(r);
}

static void routers_run(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, routers_job));
	atomic_store(&r->routers_posted, false);
	wake_gateway_routers(r);
	wake_vpn_routers(r);
}

static void unplaced_run(struct job *job)
{
	struct reconciler *r =
		(struct reconciler *) (void *) ((char *) job - offsetof(struct reconciler, unplaced_job));
	atomic_store(&r->unplaced_posted, false);
	wake_unplaced(r);
}

/* Posts the job to the home actor unless it is already posted or the reconciler is stopping. The map's lock
 * orders this check against work_stop(): after work_stop() has returned, nobody posts to an actor that is
 * about to be freed. */
static void post_home(struct reconciler *r, struct job *job, _Atomic bool *posted, int64_t due_us)
{
	(void) pthread_mutex_lock(&r->work.lock);
	if (!r->work.stopping && !atomic_exchange(posted, true))
		actor_post_at(r->home_actor, job, due_us);
	(void) pthread_mutex_unlock(&r->work.lock);
}

void reconciler_wake_all_soon(struct reconciler *r)
{
	post_home(r, &r->wake_all_job, &r->wake_all_posted, clock_now_us());
}

void reconciler_wake_routers_soon(struct reconciler *r)
{
	post_home(r, &r->routers_job, &r->routers_posted, clock_now_us() + ROUTERS_DELAY_MS * MILLISECOND);
}

void reconciler_wake_unplaced_soon(struct reconciler *r)
{
	post_home(r, &r->unplaced_job, &r->unplaced_posted, clock_now_us());
}

/* Callback of the network driver: the port was bound or unbound; none: anything may have changed. */
static void network_changed(void *arg, uuid port)
{
	struct reconciler *r = arg;
	if (uuid_is_none(port))
		reconciler_wake_all_soon(r);
	else
		work_wake(r, lane_network(r), KIND_PORT, port, WAKE_NEWS);
}

void reconciler_wake(struct reconciler *r, enum kind kind, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct row *row = tables_find(view.tables, kind, id);
	if (row)
		wake_for_row(r, kind, row);
}

/* ---- life ---- */

static char *copy_str_z(struct str s)
{
	char *z = heap_alloc(s.n + 1);
	if (z && s.n)
		memcpy(z, s.p, s.n);
	return z;
}

/* The configured directory, or one in the image store's. */
static char *copy_export_directory(const struct reconcile_config *config)
{
	static const char below[] = "/exports";
	if (config->export_directory.n)
		return copy_str_z(config->export_directory);
	char *z = heap_alloc(config->image_directory.n + sizeof below);
	if (z && config->image_directory.n)
		memcpy(z, config->image_directory.p, config->image_directory.n);
	if (z)
		memcpy(z + config->image_directory.n, below, sizeof below);
	return z;
}

static bool copy_directories(struct reconciler *r, const struct reconcile_config *config)
{
	r->image_directory = copy_str_z(config->image_directory);
	r->export_directory = copy_export_directory(config);
	r->ticket_directory = copy_str_z(config->ticket_directory);
	r->playbook_directory = copy_str_z(config->playbook_directory);
	r->playbook_runner = copy_str_z(config->playbook_runner);
	r->access_log_directory = copy_str_z(config->access_log_directory);
	return r->image_directory && r->export_directory && r->ticket_directory && r->playbook_directory &&
	       r->playbook_runner && r->access_log_directory;
}

void reconciler_release(struct reconciler *r)
{
	if (atomic_fetch_sub(&r->references, 1) != 1)
		return;
	region_audit_drop(r);
	heap_free(r->image_directory);
	heap_free(r->export_directory);
	heap_free(r->own_chassis);
	heap_free(r->ticket_directory);
	heap_free(r->access_log_directory);
	heap_free(r->playbook_directory);
	heap_free(r->playbook_runner);
	heap_free(r->endpoint);
	heap_free(r->resolvers);
	(void) pthread_mutex_destroy(&r->work.lock);
	(void) pthread_mutex_destroy(&r->hosts_lock);
	(void) pthread_mutex_destroy(&r->providers_lock);
	(void) pthread_mutex_destroy(&r->chains.lock);
	heap_free(r->cached);
	figures_free(r->figures);
	metrics_free(r->metrics);
	queue_waits_free(r->queue_waits);
	traffic_free(r->traffic);
	flow_collector_free(r->flow_collector);
	log_share_free(r->log_share);
	access_collector_free(r->access_collector);
	heap_free(r);
}

/* Keeps only addresses that DHCPv4 can announce and a guest can reach: drops IPv6 and loopback addresses. */
static bool copy_resolvers(struct reconciler *r, struct strs texts)
{
	r->resolvers = heap_alloc_array(texts.count, sizeof *r->resolvers);
	for (size_t k = 0; r->resolvers && k < texts.count; k++) {
		struct ip *ip = &r->resolvers[r->resolver_count];
		if (result_is_ok(ip_parse(texts.at[k], ip)) && ip->family == IP_V4 && ip->b[0] != 127)
			r->resolver_count++;
	}
	return r->resolvers != NULL;
}

static bool make_lanes(struct reconciler *r, struct actor **lanes, size_t count, const char *name)
{
	bool has_all = true;
	for (size_t k = 0; k < count; k++)
		has_all = (lanes[k] = actor_new_pooled(r->executor, name)) && has_all;
	return has_all;
}

static bool make_all_lanes(struct reconciler *r)
{
	bool has_all = make_lanes(r, r->image_actors, IMAGE_LANES, "images");
	has_all = make_lanes(r, r->fetch_actors, FETCH_LANES, "fetches") && has_all;
	has_all = make_lanes(r, r->fetch_actors + FETCH_LANES, PLAYBOOK_LANES, "playbooks") && has_all;
	has_all = make_lanes(r, r->proxy_actors, PROXY_LANES, "proxies") && has_all;
	for (size_t k = 0; k < FENCE_LANES; k++)
		has_all = (r->fence_actors[k] = actor_new(r->executor, "fence")) && has_all;
	for (size_t k = 0; k < DESK_LANES; k++)
		has_all = (r->desk_actors[k] = actor_new(r->executor, "desk")) && has_all;
	return has_all;
}

static bool make_parts(struct reconciler *r, const struct reconcile_config *config)
{
	if (config->traffic_device.n)
		r->traffic = traffic_new(config->traffic_device, config->traffic_netns);
	r->endpoint = copy_str_z(config->endpoint);
	r->metrics = metrics_new();
	r->queue_waits = queue_waits_new(r);
	r->access_collector = access_collector_new();
	r->log_share = log_share_new(config->log_bytes_a_day);
	r->began_us = clock_now_us();
	return make_all_lanes(r) && r->endpoint && r->metrics && r->queue_waits && r->access_collector &&
	       r->log_share && (r->traffic || !config->traffic_device.n);
}

RESULT reconciler_new(struct ctx *c, const struct reconcile_config *config,
		      struct reconciler **ret_reconciler)
{
	AUTO(reconciler) r = heap_new(struct reconciler);
	if (!r)
		return ctx_no_memory(c);
	r->references = 1;
	(void) pthread_mutex_init(&r->work.lock, NULL);
	(void) pthread_mutex_init(&r->hosts_lock, NULL);
	(void) pthread_mutex_init(&r->providers_lock, NULL);
	(void) pthread_mutex_init(&r->chains.lock, NULL);
	r->executor = config->executor;
	r->store = config->store;
	r->network = config->network;
	r->proxies = config->proxies;
	r->vpns = config->vpns;
	r->may_act = config->may_act;
	r->may_act_self = config->may_act_self;
	r->epoch = config->epoch;
	memcpy(r->compute, config->compute, sizeof r->compute);
	memcpy(r->fences, config->fences, sizeof r->fences);
	memcpy(r->desks, config->desks, sizeof r->desks);
	r->write_facts = config->write_facts;
	r->facts_self = config->facts_self;
	r->later_guard = config->later_guard;
	r->read_spot = config->read_spot;
	r->read_fleet = config->read_fleet;
	r->read_scaling = config->read_scaling;
	r->read_scale_set = config->read_scale_set;
	memcpy(r->compute_self, config->compute_self, sizeof r->compute_self);
	memcpy(r->disks, config->disks, sizeof r->disks);
	r->read_autoscale = config->read_autoscale;
	r->shutdown_grace_us = config->shutdown_grace_us ? config->shutdown_grace_us : 60 * SECOND;
	r->host_interval_us = config->host_interval_us ? config->host_interval_us : 20 * SECOND;
	/* Longer than a forced power-off, in which libvirt waits 10 s for QEMU before it sends SIGKILL. */
	r->call_patience_us = config->call_patience_us ? config->call_patience_us : 20 * SECOND;
	r->resync_interval_us = config->resync_interval_us ? config->resync_interval_us : 10 * MINUTE;
	r->base_keep_us = config->base_keep_us ? config->base_keep_us : 24 * HOUR;
	r->base_unneeded_max = config->base_unneeded_max;
	r->base_reserve_percent = config->base_reserve_percent ? config->base_reserve_percent : 10;
	r->own_chassis = copy_str_z(config->own_chassis);
	r->api_ip = config->api_ip;
	r->master_key = config->master_key;
	r->reach = config->reach;
	r->backup = config->backup;
	r->flow_logs = config->flow_logs;
	TRY(flow_collector_new(c, config->flow_log_listen, config->flow_log_exporters, &r->flow_collector));
	r->write_drive = config->write_drive;
	r->network_actor = actor_new(r->executor, "network");
	r->home_actor = actor_new(r->executor, "reconcile");
	bool has_parts = make_parts(r, config);
	if (!copy_resolvers(r, config->resolvers) || !copy_directories(r, config) || !r->ticket_directory ||
	    !r->own_chassis || !r->network_actor || !r->home_actor || !has_parts)
		return ctx_no_memory(c);
	*ret_reconciler = TAKE(r);
	return OK;
}

void reconciler_start(struct reconciler *r)
{
	{
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		r->region = engine_get_region_id(view.tables);
	}
	r->tick_job = (struct job){.run = tick_run};
	r->wake_all_job = (struct job){.run = wake_all_run};
	r->routers_job = (struct job){.run = routers_run};
	r->unplaced_job = (struct job){.run = unplaced_run};
	atomic_store(&r->resync_due_us, clock_steady_us());
	store_listen(r->store, wake_on_publish, r);
	r->network.driver->watch(r->network.self, network_changed, r);
	actor_post(r->home_actor, &r->tick_job);
	reconciler_start_flow_logs(r);
	reconciler_start_access_logs(r);
}

/* The order matters: work_stop() ends new posts, the listeners are removed, and only then are the actors
 * freed, each of which waits for its running job. Reports still in the committer hold a reference
 * (submit_reports()), so the memory outlives them. */
void reconciler_free(struct reconciler *r)
{
	if (!r)
		return;
	work_stop(r);
	flow_collector_stop(r->flow_collector);
	access_collector_stop(r->access_collector);
	store_unlisten(r->store, wake_on_publish, r);
	if (r->network.driver)
		r->network.driver->watch(r->network.self, NULL, NULL);
	actor_free(r->home_actor);
	actor_free(r->network_actor);
	for (size_t k = 0; k < IMAGE_LANES; k++)
		actor_free(r->image_actors[k]);
	for (size_t k = 0; k < LONG_LANES; k++)
		actor_free(r->fetch_actors[k]);
	for (size_t k = 0; k < PROXY_LANES; k++)
		actor_free(r->proxy_actors[k]);
	for (size_t k = 0; k < FENCE_LANES; k++)
		actor_free(r->fence_actors[k]);
	for (size_t k = 0; k < DESK_LANES; k++)
		actor_free(r->desk_actors[k]);
	provider_lane_free_all(r);
	hosts_free_all(r);
	work_free_all(r);
	reconciler_release(r);
}

/* ---- figures ---- */

void reconciler_read_figures(struct reconciler *r, struct reconcile_figures *ret_figures)
{
	(void) pthread_mutex_lock(&r->work.lock);
	*ret_figures = (struct reconcile_figures){
		.waiting = r->work.count, .failing = r->work.failing, .steps = r->work.steps};
	(void) pthread_mutex_unlock(&r->work.lock);
	struct access_figures access = access_collector_read(r->access_collector);
	ret_figures->access_reports = access.received;
	ret_figures->access_dropped = access.dropped;
}

bool reconciler_is_settled(struct reconciler *r)
{
	(void) pthread_mutex_lock(&r->work.lock);
	bool settled = r->work.count == 0 && !r->work.has_lost;
	(void) pthread_mutex_unlock(&r->work.lock);
	return settled && atomic_load(&r->round) > 0 && !atomic_load(&r->wake_all_posted) &&
	       !atomic_load(&r->routers_posted) && !atomic_load(&r->unplaced_posted);
}
