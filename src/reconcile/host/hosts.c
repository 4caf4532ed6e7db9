/* SPDX-License-Identifier: Apache-2.0
 * Per host two lanes, each with an actor and a connection: one for guests, one for disks. A host that hangs
 * delays no other host, and long copies delay no guests; host_connection.c handles single calls that hang.
 * Drivers marked is_quick share threads. Lanes are created when a host is first seen and live until the
 * reconciler ends; lanes of removed hosts stay idle. */
#include <stdio.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/ceph.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "reconcile/work.h"
#include "store/host.h"
#include "store/storage_pool.h"

static const int64_t DISKS_IDLE_US = 2 * MINUTE;

static void idle_run(struct job *job);

static struct rec_host **bucket_of(struct reconciler *r, uuid id)
{
	uint32_t bits = 0;
	memcpy(&bits, id.b + 4, sizeof bits);
	return &r->hosts[bits % HOST_BUCKETS];
}

/* With hosts_lock held. */
static struct rec_host *find_host(struct reconciler *r, uuid id)
{
	struct rec_host *h = *bucket_of(r, id);
	while (h && !uuid_equal(h->id, id))
		h = h->next;
	return h;
}

const struct compute_driver *hosts_driver(struct reconciler *r, struct str uri, void **ret_self)
{
	for (size_t k = 0; k < RECONCILE_DRIVERS_MAX && r->compute[k]; k++)
		if (str_starts_with(uri, str_from(r->compute[k]->scheme))) {
			*ret_self = r->compute_self[k];
			return r->compute[k];
		}
	return NULL;
}

static struct actor *make_actor(struct reconciler *r, const struct host *row)
{
	char name[16];
	void *self = NULL;
	const struct compute_driver *driver = hosts_driver(r, row->uri, &self);
	snprintf(name, sizeof name, "host-%" STR_FMT, row->name.n > 10 ? 10 : (int) row->name.n, row->name.p);
	return driver && driver->is_quick ? actor_new_pooled(r->executor, name)
					  : actor_new(r->executor, name);
}

/* row NULL: creates the lane of a Ceph pool, which gets its own thread because a call may block as long as
 * the cluster hangs. */
static struct rec_host *make_host(struct reconciler *r, uuid id, const struct host *row)
{
	struct rec_host *h = heap_new(struct rec_host);
	struct host_connection *connection = h ? host_connection_new(&h->lane) : NULL;
	struct host_connection *disk_link = connection ? host_connection_new(&h->disks.lane) : NULL;
	struct actor *actor = disk_link && row ? make_actor(r, row) : NULL;
	struct actor *disks = !disk_link || (row && !actor) ? NULL
			      : row                         ? actor_new_pooled(r->executor, "disks")
							    : actor_new(r->executor, "ceph");
	if (!disks) {
		actor_free(actor);
		heap_free(disk_link);
		heap_free(connection);
		heap_free(h);
		return NULL;
	}
	*h = (struct rec_host){
		.id = id,
		.is_pool = row == NULL,
		.reconciler = r,
		.lane = {actor, h, false},
		.disks = {.lane = {disks, h, true}, .connection = disk_link, .idle_job = {.run = idle_run}},
		.connection = connection,
		.next = *bucket_of(r, id)};
	(void) pthread_mutex_init(&h->lock, NULL);
	*bucket_of(r, id) = h;
	return h;
}

struct rec_host *hosts_find(struct reconciler *r, uuid id)
{
	(void) pthread_mutex_lock(&r->hosts_lock);
	struct rec_host *h = find_host(r, id);
	(void) pthread_mutex_unlock(&r->hosts_lock);
	return h;
}

static struct rec_host *ensure(struct reconciler *r, uuid id, const struct host *row)
{
	(void) pthread_mutex_lock(&r->hosts_lock);
	struct rec_host *h = find_host(r, id);
	if (!h)
		h = make_host(r, id, row);
	(void) pthread_mutex_unlock(&r->hosts_lock);
	if (!h)
		work_note_loss(r);
	return h;
}

struct rec_host *hosts_ensure(struct reconciler *r, const struct host *row)
{
	return ensure(r, row->row.id, row);
}

struct rec_host *hosts_ensure_pool(struct reconciler *r, uuid pool)
{
	return ensure(r, pool, NULL);
}

/* ---- disks ---- */

/* When the disks were last used, clock_steady_us(); 0: not connected. */
static int64_t disks_used_us(struct rec_host *h)
{
	(void) pthread_mutex_lock(&h->lock);
	int64_t used_us = h->disks.connection->used_us;
	(void) pthread_mutex_unlock(&h->lock);
	return used_us;
}

static void note_use(struct host_connection *connection)
{
	struct rec_host *h = connection->lane->host;
	(void) pthread_mutex_lock(&h->lock);
	connection->used_us = clock_steady_us();
	(void) pthread_mutex_unlock(&h->lock);
}

void hosts_close_disks_soon(struct rec_host *h)
{
	if (disks_used_us(h) && !atomic_exchange(&h->disks.idle_posted, true))
		actor_post(h->disks.lane.actor, &h->disks.idle_job);
}

/* Checks that the host still exists; copies its row into c's arena if the connection must be (re)opened,
 * because there is none or the row has a newer gen. */
static RESULT find_row(const struct host_connection *connection, struct ctx *c, const struct host **ret_row)
{
	const struct rec_host *h = connection->lane->host;
	AUTO_VIEW view = {0};
	view_open(h->reconciler->store, &view);
	const struct host *row = host_find(view.tables, h->id);
	*ret_row = NULL;
	if (!row)
		return ctx_fail(c, ERR_GONE, "its host was removed");
	if (connection->disks && connection->gen == row->row.gen)
		return OK;
	*ret_row = host_of(row_copy(c->arena, &model_kinds[KIND_HOST], &row->row));
	return *ret_row ? OK : ctx_no_memory(c);
}

static RESULT open_disks(struct host_connection *connection, struct ctx *c, const struct host *row)
{
	struct reconciler *r = connection->lane->host->reconciler;
	host_connection_disconnect(connection);
	size_t k = 0;
	while (k < RECONCILE_DRIVERS_MAX && r->disks[k] &&
	       !str_starts_with(row->uri, str_from(r->disks[k]->scheme)))
		k++;
	if (k == RECONCILE_DRIVERS_MAX || !r->disks[k])
		return ctx_fail(c, ERR_UNSUPPORTED, "no driver for the disks at the address %" STR_FMT,
				STR_ARG(row->uri));
	connection->disk_driver = r->disks[k];
	connection->gen = row->row.gen;
	TRY(connection->disk_driver->open_host(c, r->region, row, &connection->disks));
	connection->disk_driver->watch(connection->disks, host_connection_ask, connection);
	return OK;
}

const struct disk_driver *hosts_find_pool_driver(const struct reconciler *r, const struct ceph_place *place)
{
	bool is_sim = str_starts_with(place->monitors.at[0], STR("sim:"));
	for (size_t k = 0; k < RECONCILE_DRIVERS_MAX && r->disks[k]; k++)
		if (r->disks[k]->open_pool && str_is(str_from(r->disks[k]->scheme), "sim") == is_sim)
			return r->disks[k];
	return NULL;
}

RESULT hosts_connect_pool(struct step *s, const struct storage_pool *row)
{
	struct host_connection *connection = s->connection;
	const struct ceph_place *place = NULL;
	if (connection->disks && connection->gen == row->row.gen)
		return OK;
	host_connection_disconnect(connection);
	TRY(gather_ceph(s, row, &place));
	connection->disk_driver = hosts_find_pool_driver(s->r, place);
	connection->gen = row->row.gen;
	if (!connection->disk_driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "no driver for pools of Ceph");
	return connection->disk_driver->open_pool(&s->ctx, s->r->region, place, &connection->disks);
}

RESULT hosts_connect_disks(struct host_connection *connection, struct ctx *c, struct str directory)
{
	const struct host *row = NULL;
	if (connection->lane->host->is_pool)
		return connection->disks
			       ? OK
			       : ctx_fail(c, ERR_GONE, "its storage pool does not answer at present");
	if (!atomic_load(&connection->lane->host->is_ready))
		return ctx_fail(c, ERR_GONE, "its host does not answer at present");
	TRY(find_row(connection, c, &row));
	if (row)
		TRY(open_disks(connection, c, row));
	note_use(connection);
	return connection->disk_driver->enter(connection->disks, c, directory);
}

RESULT hosts_enter(struct step *s, const struct disk_place *place)
{
	if (place->is_hidden)
		return ctx_fail(&s->ctx, ERR_AGAIN,
				"its host has yet to prove that it sees the storage pool");
	return hosts_connect_disks(s->connection, &s->ctx, place->directory);
}

static bool is_idle(struct rec_host *h)
{
	int64_t used_us = disks_used_us(h);
	return used_us && (clock_steady_us() > used_us + DISKS_IDLE_US || !atomic_load(&h->is_ready));
}

static void idle_run(struct job *job)
{
	struct rec_host *h =
		(struct rec_host *) (void *) ((char *) job - offsetof(struct rec_host, disks.idle_job));
	atomic_store(&h->disks.idle_posted, false);
	struct host_connection *connection = host_connection_enter(h->disks.lane, KIND_HOST_DISKS, h->id);
	if (is_idle(h))
		host_connection_disconnect(connection);
	host_connection_leave(connection);
}

void hosts_look_after(struct reconciler *r)
{
	int64_t now_us = clock_steady_us();
	(void) pthread_mutex_lock(&r->hosts_lock);
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		for (struct rec_host *h = r->hosts[k]; h; h = h->next) {
			if (is_idle(h))
				hosts_close_disks_soon(h);
			host_connection_relieve(h, now_us);
		}
	(void) pthread_mutex_unlock(&r->hosts_lock);
}

/* ---- the end ---- */

/* After work_stop(): drivers may report news until their connection is closed, but work_wake() ignores it.
 * Freeing an actor waits for its running job, so the connection is idle when it is closed. */
void hosts_free_all(struct reconciler *r)
{
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		for (struct rec_host *h = r->hosts[k]; h; h = h->next) {
			actor_free(h->lane.actor);
			host_connection_disconnect(h->connection);
			actor_free(h->disks.lane.actor);
			host_connection_disconnect(h->disks.connection);
		}
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		while (r->hosts[k]) {
			struct rec_host *h = r->hosts[k];
			r->hosts[k] = h->next;
			heap_free(h->disks.unneeded);
			heap_free(h->reported);
			heap_free(h->disks.connection);
			heap_free(h->connection);
			(void) pthread_mutex_destroy(&h->lock);
			heap_free(h);
		}
}

bool hosts_is_here(const struct step *s, uuid host)
{
	return s->host && uuid_equal(s->host->id, host);
}

bool hosts_has_disks_here(const struct step *s, uuid host)
{
	return s->is_disks && hosts_is_here(s, host);
}

RESULT hosts_connected(struct step *s)
{
	if (s->connection && s->connection->connection)
		return OK;
	return ctx_fail(&s->ctx, ERR_GONE, "its host does not answer at present");
}
