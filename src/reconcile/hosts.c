/* SPDX-License-Identifier: Apache-2.0
 * A lane per host: an actor and a connection, so that a hung host holds nobody else; where the driver
 * says that its hosts don't hang, their actors share threads. Lanes are made
 * at a host's first sight and live until the reconciler ends (a removed host's is idle). */
#include <stdio.h>

#include "base/heap.h"
#include "reconcile/work.h"

static struct rec_host **bucket_of(struct reconciler *r, uuid id)
{
	uint32_t bits = 0;
	memcpy(&bits, id.b + 4, sizeof bits);
	return &r->hosts[bits % HOST_BUCKETS];
}

/* With the lock held. */
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

static struct rec_host *make_host(struct reconciler *r, const struct host *row)
{
	struct rec_host *h = heap_new(struct rec_host);
	struct actor *actor = h ? make_actor(r, row) : NULL;
	uuid id = row->row.id;
	if (!actor) {
		heap_free(h);
		return NULL;
	}
	*h = (struct rec_host){.id = id, .reconciler = r, .lane = {actor, h}, .next = *bucket_of(r, id)};
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

struct rec_host *hosts_ensure(struct reconciler *r, const struct host *row)
{
	(void) pthread_mutex_lock(&r->hosts_lock);
	struct rec_host *h = find_host(r, row->row.id);
	if (!h)
		h = make_host(r, row);
	(void) pthread_mutex_unlock(&r->hosts_lock);
	if (!h)
		work_note_loss(r);
	return h;
}

void hosts_disconnect(struct rec_host *h)
{
	atomic_store(&h->is_ready, false);
	if (h->connection)
		h->driver->close_host(h->connection);
	h->connection = NULL;
}

void hosts_lost(struct rec_host *h)
{
	bool was_connected = h->connection != NULL;
	hosts_disconnect(h);
	if (was_connected)
		work_wake(h->reconciler, h->lane, KIND_HOST, h->id, WAKE_NEWS);
}

/* Drivers may bring news until their connection is closed; nobody posts any more. */
void hosts_free_all(struct reconciler *r)
{
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		for (struct rec_host *h = r->hosts[k]; h; h = h->next) {
			actor_free(h->lane.actor);
			hosts_disconnect(h);
		}
	for (size_t k = 0; k < HOST_BUCKETS; k++)
		while (r->hosts[k]) {
			struct rec_host *h = r->hosts[k];
			r->hosts[k] = h->next;
			heap_free(h);
		}
}

bool hosts_is_here(const struct step *s, uuid host)
{
	return s->host && uuid_equal(s->host->id, host);
}

RESULT hosts_connected(struct step *s)
{
	if (s->host && s->host->connection)
		return OK;
	return ctx_fail(&s->ctx, ERR_GONE, "its host does not answer at present");
}
