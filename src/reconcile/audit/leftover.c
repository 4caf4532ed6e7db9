/* SPDX-License-Identifier: Apache-2.0
 * Finds, adopts and purges leftovers: asks one place after the other and waits for each. Callers:
 * daemon/commands_adopt.c, api/native/audits.c. */
#include "reconcile/audit/leftover.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/vec.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "model/manifest.h"
#include "reconcile/work.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/router.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"

enum { LOOK_DEADLINE_S = 60 };

/* ---- asking one place ---- */

struct search;
typedef RESULT host_look(struct search *s, const struct compute_driver *driver, struct compute_host *h);
typedef RESULT disks_look(struct search *s, const struct disk_driver *driver, struct disk_host *h);

/* A search and its results. */
struct search {
	struct reconciler *r;
	struct ctx *c;
	uuid id;
	bool has_row;
	host_look *look;        /* runs on the host's actor; NULL: not needed */
	disks_look *look_disks; /* runs on the actor of the host's disks, after look */
	struct observation observation;
	struct network_observation network;
	pthread_mutex_t lock; /* guards has_ended and result; the rest belongs to whoever runs */
	pthread_cond_t ended;
	bool has_ended;
	struct result result;
	size_t found_count;          /* matches so far */
	struct leftover_place at;    /* the place being asked */
	struct leftover_place where; /* the place of the last match */
	bool is_disk;                /* the match is a disk, not a domain */
	struct compute_item item;
	int64_t disk_size;
	bool is_raw; /* the disk's file is a raw image */
	/* results of the queried place; after a match, of the place that matched */
	struct compute_inventory inventory;
	struct disk_inventory disks;
};

static void search_ended(struct search *s, struct result result)
{
	(void) pthread_mutex_lock(&s->lock);
	s->result = result;
	s->has_ended = true;
	(void) pthread_cond_signal(&s->ended);
	(void) pthread_mutex_unlock(&s->lock);
}

static struct result search_wait(struct search *s)
{
	(void) pthread_mutex_lock(&s->lock);
	while (!s->has_ended)
		(void) pthread_cond_wait(&s->ended, &s->lock);
	s->has_ended = false;
	(void) pthread_mutex_unlock(&s->lock);
	return s->result;
}

static RESULT look_at_host(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct search *s = o->arg;
	return s->look(s, driver, h);
}

static RESULT look_at_disks(struct observation *o, const struct disk_driver *driver, struct disk_host *h)
{
	struct search *s = o->arg;
	if (s->at.path.n)
		TRY(driver->enter(h, o->ctx, s->at.path));
	return s->look_disks(s, driver, h);
}

static void host_done(struct observation *o, struct result result)
{
	search_ended(o->arg, result);
}

static RESULT observe(struct search *s, const struct leftover_place *place, bool is_disks)
{
	s->at = *place;
	s->observation = (struct observation){
		.host = place->through,
		.deadline_us = clock_now_us() + LOOK_DEADLINE_S * SECOND,
		.ctx = s->c,
		.look = is_disks ? NULL : look_at_host,
		.look_disks = is_disks ? look_at_disks : NULL,
		.done = host_done,
		.arg = s,
	};
	reconciler_observe(s->r, &s->observation);
	return search_wait(s);
}

static RESULT search_on(struct search *s, const struct leftover_place *place)
{
	if (s->look && uuid_is_none(place->pool))
		TRY(observe(s, place, false));
	return observe(s, place, true);
}

/* True if a row with the id places something on the host, or may still do so; then nothing there is a
 * leftover. */
static bool is_on_host(const struct tables *t, uuid id, uuid host)
{
	const struct instance *i = instance_find(t, id);
	const struct volume *v = volume_find(t, id);
	const struct snapshot *s = snapshot_find(t, id);
	return (i && (uuid_is_none(i->host) || uuid_equal(i->host, host))) ||
	       (s && uuid_equal(s->host, host)) ||
	       (v && (uuid_is_none(v->host) || uuid_equal(v->host, host) || uuid_equal(v->seen_host, host) ||
		      uuid_equal(v->left_host, host)));
}

/* The same test for a storage pool. */
static bool is_in_pool(const struct tables *t, uuid id, uuid pool)
{
	const struct volume *v = volume_find(t, id);
	const struct snapshot *s = snapshot_find(t, id);
	return (s && uuid_equal(s->pool, pool)) ||
	       (v && (uuid_equal(v->pool, pool) || uuid_equal(v->next_pool, pool) ||
		      uuid_equal(v->left_pool, pool)));
}

static bool is_placed(const struct tables *t, uuid id, const struct leftover_place *place)
{
	return uuid_is_none(place->pool) ? is_on_host(t, id, place->through) : is_in_pool(t, id, place->pool);
}

/* Chooses a proven host to look through; none if the pool has no proven host. */
static struct leftover_place place_of(struct ctx *c, const struct tables *t, const struct storage_pool *pool)
{
	struct leftover_place place = {.through = pool->row.id, .pool = pool->row.id};
	const struct pool_host *p = pool_host_first_by_pool(t, pool->row.id);
	if (pool->kind == STORAGE_POOL_KIND_RBD)
		return place;
	while (p && p->seen_state != POOL_HOST_SEEN_STATE_PROVEN)
		p = pool_host_next_by_pool(t, p);
	place.through = p ? p->host : UUID_NONE;
	place.path = str_copy(c->arena, pool->path);
	return place;
}

struct places {
	VEC(struct leftover_place) of;
};

static RESULT list_places(struct search *s, struct places *places)
{
	struct ctx *c = s->c;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h)) {
		struct leftover_place place = {.through = h->row.id};
		if (!is_placed(view.tables, s->id, &place) && !VEC_PUSH(c->arena, &places->of, place))
			return ctx_no_memory(c);
	}
	for (const struct storage_pool *p = storage_pool_first(view.tables); p;
	     p = storage_pool_next(view.tables, p)) {
		struct leftover_place place = place_of(c, view.tables, p);
		bool is_looked_at = !uuid_is_none(place.through) && !is_placed(view.tables, s->id, &place);
		if (is_looked_at && !VEC_PUSH(c->arena, &places->of, place))
			return ctx_no_memory(c);
	}
	return OK;
}

/* Asks every place in which no row places the id. An unreachable place is an error only if no other place has
 * the object. */
static RESULT search_places(struct search *s)
{
	struct places places = {0};
	TRY(list_places(s, &places));
	struct result away = OK;
	for (size_t k = 0; k < places.of.count; k++) {
		struct result result = search_on(s, &places.of.at[k]);
		if (result.code == ERR_GONE || result.code == ERR_TIMEOUT)
			away = result; /* leaves its message in the context for the final result */
		else
			TRY(result);
	}
	if (s->found_count > 0)
		ctx_clear_problem(s->c);
	return s->found_count > 0 ? OK : away;
}

/* Has the place's strays reported anew. */
static void wake_place(struct reconciler *r, const struct leftover_place *place)
{
	bool is_pool = uuid_equal(place->through, place->pool);
	reconciler_wake(r, is_pool ? KIND_STORAGE_POOL : KIND_HOST, place->through);
}

static RESULT fail_has_row(struct search *s, enum kind kind)
{
	return ctx_fail(s->c, ERR_PROTECTED, "%" STR_FMT " has a row (%s): it is no leftover",
			STR_ARG(uuid_to_str(s->c->arena, s->id)), model_kinds[kind].name);
}

/* An id with a row is no leftover, except for instances, volumes and snapshots, which may have left something
 * on another host than their row's. */
static RESULT search_begin(struct search *s, struct reconciler *r, struct ctx *c, uuid id)
{
	*s = (struct search){.r = r,
			     .c = c,
			     .id = id,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .ended = PTHREAD_COND_INITIALIZER};
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct instance *instance = instance_find(view.tables, s->id);
	const struct volume *volume = volume_find(view.tables, s->id);
	s->has_row = instance || volume || snapshot_find(view.tables, s->id);
	for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT && !s->has_row; kind++)
		if (tables_find(view.tables, kind, s->id))
			return fail_has_row(s, kind);
	return OK;
}

/* ---- adopt ---- */

static RESULT find_domain(struct search *s, const struct compute_driver *driver, struct compute_host *h)
{
	struct compute_inventory inventory = {0};
	TRY(driver->list(h, s->c, &inventory));
	if (s->found_count == 0)
		s->inventory = inventory;
	for (size_t k = 0; k < inventory.count; k++) {
		if (!uuid_equal(inventory.at[k].id, s->id))
			continue;
		s->found_count++;
		s->where = s->at;
		s->item = inventory.at[k];
		s->inventory = inventory;
	}
	return OK;
}

static RESULT find_disk(struct search *s, const struct disk_driver *driver, struct disk_host *h)
{
	struct disk_inventory disks = {0};
	TRY(driver->list(h, s->c, &disks));
	if (s->found_count > 0 && uuid_equal(s->where.through, s->at.through) && uuid_is_none(s->at.pool))
		s->disks = disks; /* disks beside the domain found */
	for (size_t k = 0; k < disks.count; k++) {
		if (disks.at[k].name.kind != DISK_VOLUME || !uuid_equal(disks.at[k].name.id, s->id))
			continue;
		s->found_count++;
		s->where = s->at;
		s->is_disk = true;
		s->disk_size = disks.at[k].size;
		s->is_raw = disks.at[k].name.is_raw;
		s->disks = disks;
	}
	return OK;
}

static RESULT describe_domain(struct search *s, struct instance_adoption *wish)
{
	struct ctx *c = s->c;
	struct manifest *manifest = arena_new_object(c->arena, struct manifest);
	struct disk_found *disks = arena_new_array(c->arena, struct disk_found, s->disks.count);
	if (!manifest || !disks)
		return ctx_no_memory(c);
	if (str_is_empty(s->item.manifest))
		return ctx_fail(c, ERR_UNSUPPORTED,
				"the domain carries no manifest of its rows: it can only be purged, or left "
				"as it is");
	TRY(manifest_read(c, s->item.manifest, manifest));
	*wish = (struct instance_adoption){.instance = s->id,
					   .host = s->where.through,
					   .manifest = manifest,
					   .is_on = s->item.power == INSTANCE_SEEN_POWER_ON,
					   .disks = disks};
	for (size_t k = 0; k < s->disks.count; k++)
		if (s->disks.at[k].name.kind == DISK_VOLUME)
			disks[wish->disk_count++] = (struct disk_found){
				s->disks.at[k].name.id, s->disks.at[k].size, s->disks.at[k].name.is_raw};
	return OK;
}

/* ERR_CONFLICT: a domain's manifest names the disk, so it must be adopted with the domain. */
static RESULT check_disk_is_alone(struct search *s)
{
	char id[UUID_TEXT_SIZE];
	struct str text = str_from(uuid_write(s->id, id));
	for (size_t k = 0; k < s->inventory.count; k++)
		if (str_contains(s->inventory.at[k].manifest, text))
			return ctx_fail(s->c, ERR_CONFLICT,
					"the disk belongs to the domain %" STR_FMT ": adopt that",
					STR_ARG(uuid_to_str(s->c->arena, s->inventory.at[k].id)));
	return OK;
}

/* Lets the driver open the disk unchanged; the driver refuses an unusable one. */
static RESULT check_disk(struct search *s, const struct disk_driver *driver, struct disk_host *h)
{
	struct disk_spec wish = {.volume = s->id,
				 .size = s->disk_size,
				 .is_raw = s->is_raw,
				 .was_raw = s->is_raw,
				 .was_there = true};
	struct disk_seen seen = {0};
	TRY(driver->ensure(h, s->c, &wish, &seen));
	s->disk_size = seen.size;
	return OK;
}

static RESULT describe_disk(struct search *s, const struct ref *account, struct volume_adoption *wish)
{
	if (!ref_is_given(account))
		return ctx_fail_field(s->c, ERR_MISSING, STR("account"),
				      "it is a disk, and nothing on it says whose: say the account");
	TRY(check_disk_is_alone(s));
	s->look_disks = check_disk;
	TRY(observe(s, &s->where, true));
	*wish = (struct volume_adoption){.host = s->where.through,
					 .pool = s->where.pool,
					 .disk = {s->id, s->disk_size, s->is_raw},
					 .account = *account};
	return OK;
}

RESULT reconciler_find_leftover(struct reconciler *r, struct ctx *c, uuid id, const struct ref *account,
				struct leftover *ret_leftover)
{
	struct search s;
	struct str text = uuid_to_str(c->arena, id);
	TRY(search_begin(&s, r, c, id));
	if (s.has_row)
		return ctx_fail(c, ERR_PROTECTED, "%" STR_FMT " has a row: nothing is to be adopted",
				STR_ARG(text));
	s.look = find_domain;
	s.look_disks = find_disk;
	TRY(search_places(&s));
	if (s.found_count == 0)
		return ctx_fail(c, ERR_NOT_FOUND,
				"no host and no storage pool has a domain or disk %" STR_FMT, STR_ARG(text));
	if (s.found_count > 1)
		return ctx_fail(c, ERR_CONFLICT,
				"%" STR_FMT " is there %zu times: purging all is the only way", STR_ARG(text),
				s.found_count);
	*ret_leftover = (struct leftover){.place = s.where};
	struct leftover_adoption *adoption = &ret_leftover->adoption;
	adoption->is_disk = s.is_disk;
	return s.is_disk ? describe_disk(&s, account, &adoption->volume)
			 : describe_domain(&s, &adoption->instance);
}

void reconciler_wake_leftover(struct reconciler *r, const struct leftover *leftover)
{
	wake_place(r, &leftover->place);
}

/* ---- purge ---- */

/* Checked after the host has listed its objects: a row is created before its object, so an object without a
 * row now is a leftover. */
static RESULT check_is_leftover(struct search *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	if (!is_placed(view.tables, s->id, &s->at))
		return OK;
	return fail_has_row(s, instance_find(view.tables, s->id)   ? KIND_INSTANCE
			       : snapshot_find(view.tables, s->id) ? KIND_SNAPSHOT
								   : KIND_VOLUME);
}

static RESULT purge_domain(struct search *s, const struct compute_driver *driver, struct compute_host *h)
{
	struct ctx *c = s->c;
	struct compute_inventory inventory = {0};
	TRY(driver->list(h, c, &inventory));
	for (size_t k = 0; k < inventory.count; k++) {
		const struct compute_item *item = &inventory.at[k];
		if (!uuid_equal(item->id, s->id))
			continue;
		TRY(check_is_leftover(s));
		s->found_count++;
		s->where = s->at;
		if (item->power == INSTANCE_SEEN_POWER_ON)
			TRY(driver->set_power(h, c, s->id, COMPUTE_FORCE_OFF));
		TRY(driver->undefine(h, c, s->id));
	}
	return OK;
}

static RESULT purge_disk(struct search *s, const struct disk_driver *driver, struct disk_host *h)
{
	struct ctx *c = s->c;
	struct disk_inventory disks = {0};
	TRY(driver->list(h, c, &disks));
	for (size_t k = 0; k < disks.count; k++) {
		const struct disk_name *name = &disks.at[k].name;
		if (name->kind == DISK_BASE || !uuid_equal(name->id, s->id))
			continue;
		TRY(check_is_leftover(s));
		s->found_count++;
		s->where = s->at;
		TRY(driver->remove(h, c, name));
	}
	return OK;
}

static RESULT remove_from_network(const struct network_handle *n, struct ctx *c,
				  const struct network_item *item)
{
	switch (item->kind) {
	case NETWORK_ITEM_ROUTER:
		return n->driver->remove_router(n->self, c, item->id);
	case NETWORK_ITEM_PORT:
		return n->driver->remove_port(n->self, c, item->id);
	case NETWORK_ITEM_GROUP:
		return n->driver->remove_group(n->self, c, item->id);
	case NETWORK_ITEM_POLICY:
		return n->driver->remove_policy(n->self, c, item->id);
	case NETWORK_ITEM_ADDRESS:
		return n->driver->remove_address(n->self, c, item->id);
	case NETWORK_ITEM_NETWORK:
		return n->driver->remove_network(n->self, c, item->id);
	case NETWORK_ITEM_TRANSIT_GATEWAY:
		return n->driver->remove_transit(n->self, c, item->id);
	case NETWORK_ITEM_OTHER:
		break;
	}
	return FAIL(INTERNAL);
}

static RESULT purge_on_network(struct network_observation *o, const struct network_handle *network)
{
	struct search *s = o->arg;
	struct network_inventory inventory = {0};
	TRY(network->driver->list(network->self, o->ctx, &inventory));
	for (size_t k = 0; k < inventory.count; k++) {
		const struct network_item *item = &inventory.at[k];
		if (item->kind == NETWORK_ITEM_OTHER || !uuid_equal(item->id, s->id))
			continue;
		s->found_count++;
		TRY(remove_from_network(network, o->ctx, item));
	}
	return OK;
}

static void network_done(struct network_observation *o, struct result result)
{
	search_ended(o->arg, result);
}

static RESULT search_network(struct search *s)
{
	s->network = (struct network_observation){
		.ctx = s->c, .look = purge_on_network, .done = network_done, .arg = s};
	reconciler_observe_network(s->r, &s->network);
	return search_wait(s);
}

/* A purged port may have been the last one in a network, which its router could not remove before. */
static RESULT wake_routers(struct search *s)
{
	VEC(uuid) routers = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		for (const struct router *r = router_first(view.tables); r; r = router_next(view.tables, r))
			if (!VEC_PUSH(s->c->arena, &routers, r->row.id))
				return ctx_no_memory(s->c);
	}
	for (size_t k = 0; k < routers.count; k++)
		reconciler_wake(s->r, KIND_ROUTER, routers.at[k]);
	return OK;
}

RESULT reconciler_purge_leftover(struct reconciler *r, struct ctx *c, uuid id)
{
	struct search s;
	struct str text = uuid_to_str(c->arena, id);
	TRY(search_begin(&s, r, c, id));
	s.look = purge_domain;
	s.look_disks = purge_disk;
	if (!s.has_row)
		TRY(search_network(&s));
	if (s.found_count > 0)
		TRY(wake_routers(&s));
	TRY(search_places(&s));
	if (s.found_count == 0 && s.has_row)
		return ctx_fail(c, ERR_PROTECTED,
				"%" STR_FMT " has a row, and is on no other host than that says: it is no "
				"leftover; delete it through the API",
				STR_ARG(text));
	if (s.found_count == 0)
		return ctx_fail(c, ERR_NOT_FOUND, "no host, storage pool or network has %" STR_FMT,
				STR_ARG(text));
	wake_place(r, &s.where);
	return OK;
}
