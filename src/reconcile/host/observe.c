/* SPDX-License-Identifier: Apache-2.0
 * Observations: read-only calls to a host on behalf of an HTTP request, run in the host's queue. An
 * observation still queued at its deadline is answered with ERR_TIMEOUT; one that is running is not
 * cancelled, because it uses memory that the caller lent until done(). */
#include <stdatomic.h>

#include "base/clock.h"
#include "base/heap.h"
#include "reconcile/work.h"
#include "store/image.h"

/* A queued observation. Outlives the caller's struct observation, which may be freed as soon as done() was
 * called. */
struct look {
	struct job job;   /* in the host's queue */
	struct job timer; /* fires at the deadline, on the home actor */
	struct rec_host *host;
	struct observation *observation; /* may be used only by whoever wins is_taken */
	_Atomic bool is_taken;
	_Atomic int references; /* held by the two jobs */
};

static void look_release(struct look *look)
{
	if (atomic_fetch_sub(&look->references, 1) == 1)
		heap_free(look);
}

/* True for exactly one caller, which then must call done(). */
static bool look_take(struct look *look)
{
	return !atomic_exchange(&look->is_taken, true);
}

static struct look *look_of_timer(struct job *timer)
{
	return (struct look *) (void *) ((char *) timer - offsetof(struct look, timer));
}

static RESULT look_at_host(struct observation *o, struct rec_host *h)
{
	struct host_connection *connection = host_connection_enter(h->lane, KIND_NONE, UUID_NONE);
	struct result result = connection->connection
				       ? o->look(o, connection->driver, connection->connection)
				       : ctx_fail(o->ctx, ERR_GONE, "the host does not answer at present");
	if (result.code == ERR_GONE)
		host_connection_lost(connection);
	host_connection_leave(connection);
	return result;
}

static RESULT look_at_disks(struct observation *o, struct rec_host *h)
{
	struct host_connection *connection = host_connection_enter(h->disks.lane, KIND_NONE, UUID_NONE);
	struct result result = hosts_connect_disks(connection, o->ctx, STR_NONE);
	if (result_is_ok(result))
		result = o->look_disks(o, connection->disk_driver, connection->disks);
	if (result.code == ERR_GONE)
		host_connection_lost(connection);
	host_connection_leave(connection);
	return result;
}

static void look_run(struct job *job)
{
	struct look *look = (struct look *) job; /* job is the first member */
	if (look_take(look)) {
		struct observation *o = look->observation;
		struct result result;
		if (clock_now_us() > o->deadline_us)
			result = ctx_fail(o->ctx, ERR_TIMEOUT, "the host was too busy to answer in time");
		else
			result = o->look_disks ? look_at_disks(o, look->host) : look_at_host(o, look->host);
		o->done(o, result);
	}
	look_release(look);
}

static void look_drop(struct job *job)
{
	struct look *look = (struct look *) job;
	if (look_take(look))
		look->observation->done(look->observation, ctx_fail(look->observation->ctx, ERR_GONE,
								    "the control plane is stopping"));
	look_release(look);
}

static void timer_run(struct job *timer)
{
	struct look *look = look_of_timer(timer);
	if (look_take(look))
		look->observation->done(look->observation,
					ctx_fail(look->observation->ctx, ERR_TIMEOUT,
						 "the host was too busy to answer in time"));
	look_release(look);
}

static void timer_drop(struct job *timer)
{
	look_release(look_of_timer(timer));
}

/* False if the reconciler is stopping. */
static bool look_post(struct reconciler *r, struct look *look)
{
	(void) pthread_mutex_lock(&r->work.lock);
	bool is_posted = !r->work.stopping;
	/* The timer may fire at once, and then nobody owns the observation any more. */
	const struct observation *o = look->observation;
	struct actor *actor = o->look_disks ? look->host->disks.lane.actor : look->host->lane.actor;
	if (is_posted) {
		actor_post_at(r->home_actor, &look->timer, o->deadline_us);
		actor_post(actor, &look->job);
	}
	(void) pthread_mutex_unlock(&r->work.lock);
	return is_posted;
}

void reconciler_observe(struct reconciler *r, struct observation *o)
{
	struct rec_host *h = hosts_find(r, o->host);
	if (!h) {
		o->done(o, ctx_fail(o->ctx, ERR_GONE, "the host is not known here"));
		return;
	}
	struct look *look = heap_new(struct look);
	if (!look) {
		o->done(o, ctx_no_memory(o->ctx));
		return;
	}
	*look = (struct look){.job = {.run = look_run, .drop = look_drop},
			      .timer = {.run = timer_run, .drop = timer_drop},
			      .host = h,
			      .observation = o,
			      .references = 2};
	if (look_post(r, look))
		return;
	heap_free(look);
	o->done(o, ctx_fail(o->ctx, ERR_GONE, "the control plane is stopping"));
}

/* ---- the network ---- */

static struct network_observation *observation_of(struct job *job)
{
	return (struct network_observation *) (void *) ((char *) job -
							offsetof(struct network_observation, job));
}

static void network_run(struct job *job)
{
	struct network_observation *o = observation_of(job);
	o->done(o, o->look(o, o->network));
}

static void network_drop(struct job *job)
{
	struct network_observation *o = observation_of(job);
	o->done(o, ctx_fail(o->ctx, ERR_GONE, "the control plane is stopping"));
}

void reconciler_observe_network(struct reconciler *r, struct network_observation *o)
{
	o->network = &r->network;
	o->job = (struct job){.run = network_run, .drop = network_drop};
	(void) pthread_mutex_lock(&r->work.lock);
	bool is_posted = !r->work.stopping;
	if (is_posted)
		actor_post(r->network_actor, &o->job);
	(void) pthread_mutex_unlock(&r->work.lock);
	if (!is_posted)
		network_drop(&o->job);
}

/* ---- images ---- */

static uuid find_image_account(struct reconciler *r, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct image *image = image_find(view.tables, id);
	return image ? image->account : UUID_NONE;
}

void reconciler_work_on_image(struct reconciler *r, uuid image, struct work_item *w)
{
	struct lane lane = lane_images(r, find_image_account(r, image), image);
	(void) pthread_mutex_lock(&r->work.lock);
	bool is_posted = !r->work.stopping;
	if (is_posted)
		work_item_post(lane.actor, w);
	(void) pthread_mutex_unlock(&r->work.lock);
	if (!is_posted)
		work_item_refuse(w);
}

const char *reconciler_image_directory(const struct reconciler *r)
{
	return r->image_directory;
}

const char *reconciler_export_directory(const struct reconciler *r)
{
	return r->export_directory;
}
