/* SPDX-License-Identifier: Apache-2.0
 * Storage pools. reconcile/host/host_disks.c checks them at each connection to a host, and reconcile/storage/volume.c
 * works on their files. */
#include "engine/storage/storage_pool.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/tag_internal.h"
#include "model/zone.h"
#include "store/host.h"
#include "store/pool_host.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume_type.h"

enum { NAME_MAX_SIZE = 255, DESCRIPTION_MAX_SIZE = 255, PATH_MAX_SIZE = 1024 };
enum { MONITORS_MAX = 16, CEPH_WORD_MAX_SIZE = 128 };

/* ---- queries ---- */

bool engine_host_sees_pool(const struct tables *t, uuid host, uuid pool)
{
	const struct pool_host *p = pool_host_find_by_pool(t, pool, host);
	return p && p->seen_state == POOL_HOST_SEEN_STATE_PROVEN;
}

const struct storage_pool *engine_find_pool_of_type(const struct tables *t, struct str type)
{
	const struct volume_type *row = volume_type_find_by_name(t, type);
	return row && !uuid_is_none(row->pool) ? storage_pool_find(t, row->pool) : NULL;
}

struct str engine_get_pool_directory(const struct tables *t, uuid pool)
{
	const struct storage_pool *p = uuid_is_none(pool) ? NULL : storage_pool_find(t, pool);
	return p ? p->path : STR_NONE;
}

RESULT storage_pool_check_room(struct op *op, const struct storage_pool *pool, int64_t more, struct str field)
{
	if (!pool || more <= 0)
		return OK;
	if (!pool->enabled)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
				   "The storage pool '%" STR_FMT "' takes no new volumes.",
				   STR_ARG(pool->name));
	bool is_ceph = pool->kind == STORAGE_POOL_KIND_RBD;
	if (is_ceph && pool->seen_state != STORAGE_POOL_SEEN_STATE_UP)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
				   "The storage pool '%" STR_FMT "' does not answer.", STR_ARG(pool->name));
	bool is_unknown = is_ceph && pool->seen_size == 0; /* the cluster has no manager */
	if (!pool->seen_full && (is_unknown || storage_pool_usage(pool)->disk + more <= pool->seen_size))
		return OK;
	return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
			   "The storage pool '%" STR_FMT "' lacks room for %" PRId64 " more bytes.",
			   STR_ARG(pool->name), more);
}

/* ---- hosts of a pool ---- */

static RESULT add_host(struct op *op, const struct storage_pool *pool, const struct host *host)
{
	if (pool_host_find_by_pool(op->head, pool->row.id, host->row.id))
		return OK;
	if (!uuid_is_none(pool->zone) && !uuid_equal(pool->zone, host->zone))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("host"),
				   "The host '%" STR_FMT "' is not in the pool's zone.", STR_ARG(host->name));
	if (pool->path.n && str_equal(host->pool_path, pool->path))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("path"),
				   "%" STR_FMT " is the own directory of host '%" STR_FMT "'.",
				   STR_ARG(pool->path), STR_ARG(host->name));
	struct pool_host seen = {.row.id = engine_new_id(op, KIND_POOL_HOST),
				 .row.gen = 1,
				 .pool = pool->row.id,
				 .host = host->row.id};
	return pool_host_put(op, &seen);
}

static RESULT find_host(struct op *op, struct str name, const struct host **ret_host)
{
	*ret_host = host_find_by_name(op->head, name);
	return *ret_host ? OK
			 : ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_HOST, STR("host"),
				       "There is no host '%" STR_FMT "'.", STR_ARG(name));
}

static RESULT add_named_hosts(struct op *op, const struct storage_pool *pool, struct strs names)
{
	const struct host *host = NULL;
	for (size_t n = 0; n < names.count; n++) {
		TRY(find_host(op, names.at[n], &host));
		TRY(add_host(op, pool, host));
	}
	return OK;
}

static RESULT add_all_hosts(struct op *op, const struct storage_pool *pool)
{
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h))
		if (row_is_live(&h->row) && (uuid_is_none(pool->zone) || uuid_equal(pool->zone, h->zone)))
			TRY(add_host(op, pool, h));
	return OK;
}

static RESULT remove_named_hosts(struct op *op, const struct storage_pool *pool, struct strs names)
{
	const struct host *host = NULL;
	for (size_t n = 0; n < names.count; n++) {
		TRY(find_host(op, names.at[n], &host));
		const struct pool_host *p = pool_host_find_by_pool(op->head, pool->row.id, host->row.id);
		if (volume_is_any_in(op->head, pool->row.id, host->row.id))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_STORAGE_POOL, STR("host"),
					   "Volumes of the pool are worked on through host '%" STR_FMT "'.",
					   STR_ARG(host->name));
		if (p)
			TRY(pool_host_forget(op, p->row.id));
	}
	return OK;
}

uuid storage_pool_find_host(const struct tables *t, uuid pool, uuid except)
{
	const struct pool_host *p = pool_host_first_by_pool(t, pool);
	for (; p; p = pool_host_next_by_pool(t, p)) {
		const struct host *h = host_find(t, p->host);
		if (p->seen_state == POOL_HOST_SEEN_STATE_PROVEN && !uuid_equal(p->host, except) && h &&
		    h->seen_state == HOST_SEEN_STATE_UP && !h->forced_down)
			return p->host;
	}
	return UUID_NONE;
}

static RESULT doubt(struct op *op, const struct pool_host *p)
{
	struct pool_host next = *p;
	next.seen_state = POOL_HOST_SEEN_STATE_UNKNOWN;
	next.seen_since_us = op->now_us;
	return p->seen_state == POOL_HOST_SEEN_STATE_UNKNOWN ? OK : pool_host_put(op, &next);
}

RESULT storage_pool_doubt_host(struct op *op, uuid host)
{
	for (const struct pool_host *p = pool_host_first_by_host(op->head, host), *after = NULL; p;
	     p = after) {
		after = pool_host_next_by_host(op->head, p);
		TRY(doubt(op, p));
	}
	return OK;
}

/* ---- for the operator ---- */

static bool is_pool_name(struct str name)
{
	for (size_t n = 0; n < name.n; n++) {
		char c = name.p[n];
		if (!str_is_alphanumeric(c) && (n == 0 || (c != '-' && c != '.' && c != '_')))
			return false;
	}
	return name.n >= 1 && name.n <= NAME_MAX_SIZE;
}

/* The path goes into domain definitions and into lists of paths. */
static bool is_pool_path(struct str path)
{
	for (size_t n = 0; n < path.n; n++)
		if (!str_is_alphanumeric(path.p[n]) && !strchr("/-._", path.p[n]))
			return false;
	return path.n > 1 && path.n <= PATH_MAX_SIZE && path.p[0] == '/' && path.p[path.n - 1] != '/' &&
	       !str_contains(path, STR("//")) && !str_contains(path, STR("/../")) &&
	       !str_ends_with(path, STR("/.."));
}

static RESULT check_directory(struct op *op, const struct storage_pool_wish *wish)
{
	if (wish->monitors.count || wish->rbd_pool.n || wish->rbd_user.n || wish->rbd_key.n)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("kind"),
				   "A directory has no monitors, pool, user and key: those are of Ceph.");
	if (!is_pool_path(wish->path))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("path"),
				   "A pool's path is absolute, of letters, digits, '/', '-', '.' and '_'.");
	for (const struct storage_pool *p = storage_pool_first(op->head); p;
	     p = storage_pool_next(op->head, p))
		if (str_equal(p->path, wish->path))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_STORAGE_POOL, STR("path"),
					   "The storage pool '%" STR_FMT "' is at that path.",
					   STR_ARG(p->name));
	return OK;
}

/* True if the text is safe in domain definitions and in comma-separated lists. */
static bool is_ceph_word(struct str s, const char *others, size_t max)
{
	for (size_t n = 0; n < s.n; n++)
		if (!str_is_alphanumeric(s.p[n]) && !strchr(others, s.p[n]))
			return false;
	return s.n >= 1 && s.n <= max;
}

static RESULT check_monitors(struct op *op, struct strs monitors)
{
	bool is_fine = monitors.count >= 1 && monitors.count <= MONITORS_MAX;
	for (size_t n = 0; n < monitors.count && is_fine; n++)
		is_fine = is_ceph_word(monitors.at[n], ".:-[]", CEPH_WORD_MAX_SIZE);
	return is_fine ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("monitors"),
				     "A pool of Ceph has 1 to %d monitors, each said as address:port.",
				     MONITORS_MAX);
}

static RESULT check_ceph(struct op *op, const struct storage_pool_wish *wish)
{
	if (wish->path.n)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("path"),
				   "A pool of Ceph has no path.");
	TRY(check_monitors(op, wish->monitors));
	if (!is_ceph_word(wish->rbd_pool, "._-", CEPH_WORD_MAX_SIZE))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("pool"),
				   "The pool is named as Ceph has it: letters, digits, '-', '.' and '_'.");
	if (!is_ceph_word(wish->rbd_user, "._-", CEPH_WORD_MAX_SIZE))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_STORAGE_POOL, STR("user"),
			"The user is named as Ceph has it, without the word client: letters, digits, "
			"'-', '.' and '_'.");
	if (!wish->rbd_key.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_STORAGE_POOL, STR("key-file"),
				   "A pool of Ceph needs that user's key.");
	for (const struct storage_pool *p = storage_pool_first(op->head); p;
	     p = storage_pool_next(op->head, p))
		if (str_equal(p->rbd_pool, wish->rbd_pool) && p->monitors.count &&
		    str_equal(p->monitors.at[0], wish->monitors.at[0]))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_STORAGE_POOL, STR("pool"),
					   "The storage pool '%" STR_FMT "' is that pool of Ceph.",
					   STR_ARG(p->name));
	return OK;
}

static RESULT check_pool(struct op *op, const struct storage_pool_wish *wish)
{
	if (!is_pool_name(wish->name) || str_equal(wish->name, STORAGE_POOL_LOCAL))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("name"),
				   "'%" STR_FMT
				   "' cannot name a storage pool: use letters, digits, '-', '.' and '_'.",
				   STR_ARG(str_slice(wish->name, 0, NAME_MAX_SIZE)));
	if (storage_pool_find_by_name(op->head, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_STORAGE_POOL, STR("name"),
				   "The storage pool '%" STR_FMT "' exists already.", STR_ARG(wish->name));
	switch (wish->kind) {
	case STORAGE_POOL_KIND_SHARED_DIR:
		return check_directory(op, wish);
	case STORAGE_POOL_KIND_RBD:
		return check_ceph(op, wish);
	case STORAGE_POOL_KIND_LOCAL:
		break;
	}
	return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_STORAGE_POOL, STR("kind"),
			   "Storage pools of the kind '%s' are not supported.",
			   storage_pool_kind_words[wish->kind]);
}

static RESULT check_description(struct op *op, struct str description)
{
	return description.n <= DESCRIPTION_MAX_SIZE && str_is_xml_text(description)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, STR("description"),
				     "A description has up to %d characters.", DESCRIPTION_MAX_SIZE);
}

void storage_pool_bind_by_specs(struct op *op, struct volume_type *type)
{
	const struct tag *spec = tags_find(type->specs, STORAGE_POOL_SPEC);
	const struct storage_pool *pool = spec ? storage_pool_find_by_name(op->head, spec->value) : NULL;
	type->pool = pool ? pool->row.id : UUID_NONE;
}

/* Binds volume types that named the pool before it existed. */
static RESULT bind_waiting(struct op *op, struct str name)
{
	for (const struct volume_type *t = volume_type_first(op->head), *after = NULL; t; t = after) {
		after = volume_type_next(op->head, t);
		const struct tag *spec = tags_find(t->specs, STORAGE_POOL_SPEC);
		struct volume_type next = *t;
		if (!spec || !str_equal(spec->value, name))
			continue;
		storage_pool_bind_by_specs(op, &next);
		TRY(volume_type_put(op, &next));
	}
	return OK;
}

RESULT engine_add_storage_pool(struct op *op, struct storage_pool_wish *wish)
{
	const struct zone *zone = NULL;
	TRY(engine_permit(op, "storage_pool.add", KIND_STORAGE_POOL, NULL));
	TRY(check_pool(op, wish));
	TRY(check_description(op, wish->description));
	if (ref_is_given(&wish->zone))
		TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	struct storage_pool pool = {.row.id = engine_new_id(op, KIND_STORAGE_POOL),
				    .row.gen = 1,
				    .name = wish->name,
				    .description = wish->description,
				    .kind = wish->kind,
				    .path = wish->path,
				    .monitors = wish->monitors,
				    .rbd_pool = wish->rbd_pool,
				    .rbd_user = wish->rbd_user,
				    .rbd_key = wish->rbd_key,
				    .fence = wish->kind == STORAGE_POOL_KIND_RBD
						     ? STORAGE_POOL_FENCE_BLOCKLIST
						     : STORAGE_POOL_FENCE_NONE,
				    .zone = zone ? zone->row.id : UUID_NONE,
				    .enabled = true};
	TRY(storage_pool_put(op, &pool));
	TRY(wish->hosts.count ? add_named_hosts(op, &pool, wish->hosts) : add_all_hosts(op, &pool));
	TRY(bind_waiting(op, pool.name));
	wish->pool = pool.row.id;
	return engine_log_event(op, KIND_STORAGE_POOL, &pool.row, "added",
				"Storage pool %" STR_FMT " at %" STR_FMT ".", STR_ARG(pool.name),
				STR_ARG(pool.path.n ? pool.path : pool.rbd_pool));
}

/* Keeps the type's extra spec consistent with its pool. */
static RESULT set_spec(struct op *op, const struct storage_pool *pool, struct volume_type *type)
{
	struct tag *specs = arena_new_array(op->ctx->arena, struct tag, type->specs.count + 1);
	size_t count = 0;
	if (!specs)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < type->specs.count; n++)
		if (!str_equal(type->specs.at[n].key, STORAGE_POOL_SPEC))
			specs[count++] = type->specs.at[n];
	if (pool)
		specs[count++] = (struct tag){STORAGE_POOL_SPEC, pool->name};
	TRY(tag_normalize(op, (struct tags){specs, count}, &type->specs));
	type->pool = pool ? pool->row.id : UUID_NONE;
	return OK;
}

static RESULT bind_type(struct op *op, const struct storage_pool *pool, struct str name, bool unbinds)
{
	const struct volume_type *type = NULL;
	struct ref ref = {.kind = KIND_VOLUME_TYPE, .text = name, .field = STR("type")};
	TRY(engine_find_volume_type(op->ctx, op->head, &ref, &type));
	struct volume_type next = *type;
	if (unbinds && !uuid_equal(type->pool, pool->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_TYPE, ref.field,
				   "Volumes of the type '%" STR_FMT "' do not lie in the pool '%" STR_FMT
				   "'.",
				   STR_ARG(type->name), STR_ARG(pool->name));
	TRY(set_spec(op, unbinds ? NULL : pool, &next));
	next.row.gen++;
	return volume_type_put(op, &next);
}

static RESULT bind_types(struct op *op, const struct storage_pool_settings *wish,
			 const struct storage_pool *pool)
{
	for (size_t n = 0; n < wish->more_types.count; n++)
		TRY(bind_type(op, pool, wish->more_types.at[n], false));
	for (size_t n = 0; n < wish->less_types.count; n++)
		TRY(bind_type(op, pool, wish->less_types.at[n], true));
	return OK;
}

/* The pool's hosts must install the new key. */
static RESULT change_ceph(struct op *op, const struct storage_pool_settings *wish, struct storage_pool *next)
{
	if (!wish->monitors.count && !wish->rbd_key.n)
		return OK;
	if (next->kind != STORAGE_POOL_KIND_RBD)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_STORAGE_POOL, wish->pool.field,
				   "The storage pool '%" STR_FMT "' is none of Ceph's.", STR_ARG(next->name));
	if (wish->monitors.count) {
		TRY(check_monitors(op, wish->monitors));
		next->monitors = wish->monitors;
	}
	if (wish->rbd_key.n)
		next->rbd_key = wish->rbd_key;
	for (const struct pool_host *p = pool_host_first_by_pool(op->head, next->row.id), *after = NULL; p;
	     p = after) {
		after = pool_host_next_by_pool(op->head, p);
		TRY(doubt(op, p));
	}
	return OK;
}

RESULT engine_update_storage_pool(struct op *op, struct storage_pool_settings *wish)
{
	const struct storage_pool *pool = NULL;
	TRY(engine_permit_storage_pool(op, &wish->pool, "storage_pool.update", &pool));
	struct storage_pool next = *pool;
	if (wish->set_description)
		next.description = wish->description;
	TRY(check_description(op, next.description));
	choice_apply(wish->enabled, &next.enabled);
	TRY(change_ceph(op, wish, &next));
	TRY(add_named_hosts(op, pool, wish->more_hosts));
	TRY(remove_named_hosts(op, pool, wish->less_hosts));
	TRY(bind_types(op, wish, pool));
	next.row.gen++;
	TRY(storage_pool_put(op, &next));
	return engine_log_event(op, KIND_STORAGE_POOL, &next.row, "changed", "By the operator.");
}

RESULT engine_remove_storage_pool(struct op *op, struct storage_pool_target *wish)
{
	const struct storage_pool *pool = NULL;
	TRY(engine_permit_storage_pool(op, &wish->pool, "storage_pool.remove", &pool));
	const struct volume_type *type = volume_type_first_by_pool(op->head, pool->row.id);
	if (volume_is_any_in(op->head, pool->row.id, UUID_NONE) ||
	    snapshot_first_by_pool(op->head, pool->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_STORAGE_POOL, wish->pool.field,
				   "Volumes lie in the storage pool '%" STR_FMT "'.", STR_ARG(pool->name));
	if (type)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_STORAGE_POOL, wish->pool.field,
				   "Volumes of the type '%" STR_FMT
				   "' are to lie in the storage pool '%" STR_FMT "'.",
				   STR_ARG(type->name), STR_ARG(pool->name));
	TRY(engine_log_event(op, KIND_STORAGE_POOL, &pool->row, "removed", "Storage pool %" STR_FMT ".",
			     STR_ARG(pool->name)));
	return storage_pool_forget(op, pool->row.id);
}

/* ---- for the reconciler ---- */

static RESULT tell_untrusted(struct op *op, const struct pool_host *p, const struct host *host,
			     struct str problem)
{
	struct str why = str_print(op->ctx->arena,
				   "Host %" STR_FMT " does not take the key of the storage pool: %" STR_FMT,
				   STR_ARG(host->name), STR_ARG(problem));
	if (!why.p)
		return ctx_no_memory(op->ctx);
	return condition_set(
		op, KIND_POOL_HOST, p->row.id, "PoolUnproven", why,
		"See that libvirt there knows secrets (Debian: libvirt-daemon) and that its QEMU knows "
		"Ceph (qemu-block-extra). Until then nothing of the pool is used on that host.");
}

/* Clears the host's condition if it is proven, or sets one that says what prevents the proof. */
static RESULT tell(struct op *op, const struct pool_host *p, struct str problem)
{
	const struct host *host = host_find(op->head, p->host);
	const struct storage_pool *pool = storage_pool_find(op->head, p->pool);
	if (p->seen_state != POOL_HOST_SEEN_STATE_UNPROVEN || !host || !pool)
		return condition_clear_all(op, p->row.id);
	if (pool->kind == STORAGE_POOL_KIND_RBD)
		return tell_untrusted(op, p, host, problem);
	struct str why = str_print(op->ctx->arena,
				   "Host %" STR_FMT " does not see in %" STR_FMT
				   ", the storage pool %" STR_FMT ", what another of its hosts made there.",
				   STR_ARG(host->name), STR_ARG(pool->path), STR_ARG(pool->name));
	if (!why.p)
		return ctx_no_memory(op->ctx);
	return condition_set(op, KIND_POOL_HOST, p->row.id, "PoolUnproven", why,
			     "Mount the same directory there on each of its hosts, at the same path. Until "
			     "two hosts see each other's files, nothing is placed in the pool through them.");
}

static RESULT write_seen(struct op *op, const struct pool_host *p, enum pool_host_seen_state state,
			 struct str mark, struct str problem)
{
	struct pool_host next = *p;
	next.mark = mark;
	next.seen_state = state;
	if (state != p->seen_state)
		next.seen_since_us = op->now_us;
	if (row_equal(&model_kinds[KIND_POOL_HOST], &p->row, &next.row))
		return OK;
	TRY(pool_host_put(op, &next));
	return tell(op, &next, problem);
}

/* Looks for another host's mark. Seeing works both ways, because both hosts look at the same directory: the
 * other host is proven, too. */
static RESULT weigh_others(struct op *op, const struct pool_host *own, const struct pool_host_report *report,
			   bool *ret_proves)
{
	const struct pool_host *after = NULL;
	bool is_alone = true, sees = false;
	for (const struct pool_host *p = pool_host_first_by_pool(op->head, own->pool); p; p = after) {
		after = pool_host_next_by_pool(op->head, p);
		if (uuid_equal(p->row.id, own->row.id))
			continue;
		is_alone = false;
		if (!uuids_have(&report->saw, p->host))
			continue;
		sees = true;
		if (p->seen_state == POOL_HOST_SEEN_STATE_UNPROVEN)
			TRY(write_seen(op, p, POOL_HOST_SEEN_STATE_PROVEN, p->mark, STR_NONE));
	}
	*ret_proves = sees || is_alone;
	return OK;
}

static RESULT write_size(struct op *op, uuid id, const struct pool_host_report *report)
{
	const struct storage_pool *pool = storage_pool_find(op->head, id);
	if (!pool || report->size <= 0)
		return OK;
	struct storage_pool next = *pool;
	next.seen_size = report->size;
	next.seen_full = report->is_full;
	return row_equal(&model_kinds[KIND_STORAGE_POOL], &pool->row, &next.row)
		       ? OK
		       : storage_pool_put(op, &next);
}

RESULT engine_see_pool_host(struct op *op, struct pool_host_report *report)
{
	const struct pool_host *p = pool_host_find(op->head, report->pool_host);
	if (!p)
		return OK;
	uuid pool = p->pool;
	bool proves = false;
	const struct storage_pool *row = storage_pool_find(op->head, pool);
	if (row && row->kind == STORAGE_POOL_KIND_RBD)
		proves = report->is_there;
	else if (report->is_there)
		TRY(weigh_others(op, p, report, &proves));
	p = pool_host_find(op->head, report->pool_host);
	TRY(write_seen(op, p, proves ? POOL_HOST_SEEN_STATE_PROVEN : POOL_HOST_SEEN_STATE_UNPROVEN,
		       report->is_there ? report->mark : p->mark, report->problem));
	return proves ? write_size(op, pool, report) : OK;
}

RESULT engine_see_storage_pool(struct op *op, struct storage_pool_report *report)
{
	const struct storage_pool *pool = storage_pool_find(op->head, report->pool);
	if (!pool)
		return OK;
	struct storage_pool next = *pool;
	next.seen_state = report->is_up ? STORAGE_POOL_SEEN_STATE_UP : STORAGE_POOL_SEEN_STATE_DOWN;
	next.seen_size = report->size;
	next.seen_full = report->is_full;
	return row_equal(&model_kinds[KIND_STORAGE_POOL], &pool->row, &next.row)
		       ? OK
		       : storage_pool_put(op, &next);
}
