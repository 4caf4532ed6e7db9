/* SPDX-License-Identifier: Apache-2.0
 * Checks a host's own storage directory, or a shared pool on behalf of all hosts. Files without a row are
 * reported and left alone. Cached image files that no volume is based on are deleted after a while, or
 * earlier, longest unneeded first, when the pool is short of space or holds more of them than configured.
 * Drivers refuse to delete a file that backs another one. Unneeded times are kept in memory and start again
 * when the process restarts. Runs at each resync, and while strays remain. */
#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/reads.h"
#include "drivers/disk.h"
#include "reconcile/work.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* the storage that is being checked */
struct place {
	uuid host;
	uuid pool; /* none: the host's own directory */
};

static bool belongs_here(const struct tables *t, const struct disk_item *item, const struct place *place)
{
	const struct volume *v = NULL;
	const struct snapshot *snapshot = NULL;
	switch (item->name.kind) {
	case DISK_VOLUME:
		v = volume_find(t, item->name.id);
		return v && gather_volume_is_in(v, place->host, place->pool);
	case DISK_CUT:
		snapshot = snapshot_find(t, item->name.id);
		return snapshot && uuid_equal(snapshot->pool, place->pool) &&
		       (!uuid_is_none(place->pool) || uuid_equal(snapshot->host, place->host));
	case DISK_BASE: /* cached copy; needs no row */
		return true;
	}
	return false;
}

/* Lists files that have no row. The files were listed before the rows are read, because a row is created
 * before its file and removed after it: the other order would report new files as strays. */
static size_t name_strays(struct step *s, const struct place *place, const struct disk_inventory *inventory,
			  struct str *ret_names)
{
	size_t count = 0;
	struct str names = STR_NONE;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (size_t k = 0; k < inventory->count; k++)
		if (!belongs_here(view.tables, &inventory->at[k], place))
			count = step_name_stray(s, count, "disk", inventory->at[k].name.id, &names);
	*ret_names = names;
	return count;
}

/* ---- cached files ---- */

static bool is_made_from(const struct tables *t, const struct volume *v, struct str sha256)
{
	const struct snapshot *snapshot = snapshot_find(t, v->snapshot);
	return snapshot && str_equal(snapshot->sha256, sha256);
}

/* True if a volume in the host's own directory, or arriving there or leaving it, is based on the image. */
static bool is_needed_on(const struct tables *t, uuid host, struct str sha256)
{
	const struct volume *v = volume_first_by_host(t, host);
	while (v && !(gather_volume_is_in(v, host, UUID_NONE) && is_made_from(t, v, sha256)))
		v = volume_next_by_host(t, v);
	if (v)
		return true;
	v = volume_first_by_seen_host(t, host);
	while (v && !(gather_volume_is_in(v, host, UUID_NONE) && is_made_from(t, v, sha256)))
		v = volume_next_by_seen_host(t, v);
	if (v)
		return true;
	v = volume_first_by_left_host(t, host);
	while (v && !(gather_volume_is_in(v, host, UUID_NONE) && is_made_from(t, v, sha256)))
		v = volume_next_by_left_host(t, v);
	return v != NULL;
}

static bool is_needed_in(const struct tables *t, uuid pool, struct str sha256)
{
	const struct volume *v = volume_first_by_pool(t, pool);
	while (v && !is_made_from(t, v, sha256))
		v = volume_next_by_pool(t, v);
	const struct volume *coming = volume_first_by_next_pool(t, pool);
	while (coming && !is_made_from(t, coming, sha256))
		coming = volume_next_by_next_pool(t, coming);
	return v || coming;
}

static bool is_needed(const struct tables *t, const struct place *place, struct str sha256)
{
	return uuid_is_none(place->pool) ? is_needed_on(t, place->host, sha256)
					 : is_needed_in(t, place->pool, sha256);
}

static struct unneeded_base *find_unneeded(struct rec_disks *d, uuid pool, struct str sha256)
{
	for (size_t k = 0; k < d->unneeded_count; k++)
		if (uuid_equal(d->unneeded[k].pool, pool) && str_is(sha256, d->unneeded[k].sha256))
			return &d->unneeded[k];
	return NULL;
}

static RESULT note_need(struct step *s, uuid pool, struct str sha256, bool needed)
{
	struct rec_disks *d = &s->host->disks;
	struct unneeded_base *known = find_unneeded(d, pool, sha256);
	if (needed && known)
		*known = d->unneeded[--d->unneeded_count];
	if (needed || known)
		return OK;
	struct unneeded_base *more = heap_resize(d->unneeded, (d->unneeded_count + 1) * sizeof *more);
	if (!more)
		return ctx_no_memory(&s->ctx);
	d->unneeded = more;
	struct unneeded_base *made = &more[d->unneeded_count++];
	*made = (struct unneeded_base){.pool = pool, .since_us = clock_now_us()};
	memcpy(made->sha256, sha256.p, sha256.n < sizeof made->sha256 ? sha256.n : sizeof made->sha256 - 1);
	return OK;
}

static RESULT note_needs(struct step *s, const struct place *place, const struct disk_inventory *inventory)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (size_t k = 0; k < inventory->count; k++) {
		const struct disk_name *name = &inventory->at[k].name;
		if (name->kind == DISK_BASE)
			TRY(note_need(s, place->pool, name->sha256,
				      is_needed(view.tables, place, name->sha256)));
	}
	return OK;
}

/* Sums the sizes of cached images, and of those that no volume is based on. */
static struct cached_images add_up(struct step *s, const struct place *place,
				   const struct disk_inventory *inventory)
{
	struct cached_images sums = {.place = uuid_is_none(place->pool) ? place->host : place->pool};
	for (size_t k = 0; k < inventory->count; k++) {
		const struct disk_item *item = &inventory->at[k];
		if (item->name.kind != DISK_BASE)
			continue;
		sums.images += item->file_size;
		if (find_unneeded(&s->host->disks, place->pool, item->name.sha256))
			sums.unneeded += item->file_size;
	}
	return sums;
}

/* With hosts_lock held. NULL: the place was not checked yet. */
static struct cached_images *find_figures(struct reconciler *r, uuid place)
{
	for (size_t k = 0; k < r->cached_count; k++)
		if (uuid_equal(r->cached[k].place, place))
			return &r->cached[k];
	return NULL;
}

static RESULT note_figures(struct step *s, const struct cached_images *sums)
{
	struct reconciler *r = s->r;
	(void) pthread_mutex_lock(&r->hosts_lock);
	struct cached_images *known = find_figures(r, sums->place);
	struct cached_images *more =
		known ? r->cached : heap_resize(r->cached, (r->cached_count + 1) * sizeof *more);
	if (more) {
		r->cached = more;
		known = known ? known : &more[r->cached_count++];
		*known = *sums;
	}
	(void) pthread_mutex_unlock(&r->hosts_lock);
	return more ? OK : ctx_no_memory(&s->ctx);
}

struct cached_images reconciler_read_cached_images(struct reconciler *r, uuid place)
{
	reads_note_outside();
	(void) pthread_mutex_lock(&r->hosts_lock);
	const struct cached_images *known = find_figures(r, place);
	struct cached_images found = known ? *known : (struct cached_images){.place = place};
	(void) pthread_mutex_unlock(&r->hosts_lock);
	return found;
}

/* The longest unneeded image if it is due for removal; NULL: none is. */
static struct unneeded_base *choose(struct step *s, const struct place *place,
				    const struct disk_inventory *inventory, int64_t unneeded)
{
	struct rec_disks *d = &s->host->disks;
	struct unneeded_base *oldest = NULL;
	bool is_short = inventory->pool_free < inventory->pool_size / 100 * s->r->base_reserve_percent ||
			(s->r->base_unneeded_max && unneeded > s->r->base_unneeded_max);
	for (size_t k = 0; k < d->unneeded_count; k++)
		if (uuid_equal(d->unneeded[k].pool, place->pool) &&
		    (!oldest || d->unneeded[k].since_us < oldest->since_us))
			oldest = &d->unneeded[k];
	return oldest && (is_short || clock_now_us() >= oldest->since_us + s->r->base_keep_us) ? oldest
											       : NULL;
}

/* Removes at most one file a step; the next step measures the effect. */
static RESULT evict(struct step *s, const struct place *place, const struct disk_inventory *inventory)
{
	struct rec_disks *d = &s->host->disks;
	TRY(note_needs(s, place, inventory));
	const struct cached_images sums = add_up(s, place, inventory);
	TRY(note_figures(s, &sums));
	struct unneeded_base *base = choose(s, place, inventory, sums.unneeded);
	if (!base)
		return OK;
	struct disk_name name = {.kind = DISK_BASE, .sha256 = str_from(base->sha256)};
	struct result result = s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name);
	if (result.code == ERR_IN_USE) { /* a file that is not ours is based on it */
		ctx_clear_problem(&s->ctx);
		base->since_us = clock_now_us();
		return OK;
	}
	TRY(result);
	log_event(LOG_INFO, "cached-image-removed", "sha256=%s", base->sha256);
	*base = d->unneeded[--d->unneeded_count];
	step_again(s);
	return OK;
}

/* ---- the step ---- */

RESULT host_disks_look_at(struct step *s, uuid host, uuid pool, size_t *ret_strays)
{
	struct place place = {host, pool};
	struct disk_inventory inventory = {0};
	struct str names = STR_NONE;
	TRY(s->connection->disk_driver->list(s->connection->disks, &s->ctx, &inventory));
	*ret_strays = name_strays(s, &place, &inventory, &names);
	TRY(step_report_strays(s, "QuarantinedDisks", *ret_strays, names));
	return evict(s, &place, &inventory);
}

static RESULT step_host_disks(struct step *s)
{
	size_t count = 0;
	TRY(hosts_connect_disks(s->connection, &s->ctx, STR_NONE));
	struct result result = host_disks_look_at(s, s->id, UUID_NONE, &count);
	atomic_store(&s->host->disks.has_strays, count > 0);
	return result;
}

const struct resource reconcile_host_disks = {.step = step_host_disks};
