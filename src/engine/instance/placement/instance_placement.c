/* SPDX-License-Identifier: Apache-2.0
 * Placement of existing instances: those accepted without a host, those that left their host, and changes of
 * placement by users. Also moves disks along with a live migration. Called by:
 * api/ec2/compute/instance_placement.c. The reconciler (reconcile/instance/instance.c) acts on the rows. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/spot_internal.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/placement/server_group_internal.h"
#include "engine/internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/processor_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/dedicated_host.h"
#include "model/instance_migration.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/server_group.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

/* ---- hosts ---- */

RESULT instance_write_host(struct op *op, const struct instance *instance, uuid host)
{
	struct instance next = *instance;
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, host);
	next.host = host;
	next.next_host = UUID_NONE;
	processor_give(op->head, &next);
	if (next.host_affinity && dedicated)
		next.dedicated_host = dedicated->row.id;
	next.row.gen++;
	/* A resize that is under way is done by that gen, on that host. `task` alone says what the last task was. */
	enum instance_task task = model_derive_instance_task(instance);
	if (task == INSTANCE_TASK_RESIZE || task == INSTANCE_TASK_REVERT)
		next.task_gen = (int64_t) next.row.gen;
	TRY(instance_put(op, &next));
	for (const struct volume *v = volume_first_by_instance(op->head, instance->row.id); v;
	     v = volume_next_by_instance(op->head, v)) {
		struct volume volume = *v;
		if (v->lost_us)
			continue; /* a lost volume is on no host */
		volume_send_to(&volume, host);
		volume.row.gen++;
		TRY(volume_put(op, &volume));
	}
	for (const struct port *p = port_first_by_instance(op->head, instance->row.id); p;
	     p = port_next_by_instance(op->head, p)) {
		struct port port = *p;
		port.host = host;
		port.row.gen++;
		TRY(port_put(op, &port));
	}
	return condition_clear(op, instance->row.id, STR("NoHost"));
}

static const struct storage_pool *find_pool(const struct tables *t, uuid pool)
{
	return uuid_is_none(pool) ? NULL : storage_pool_find(t, pool);
}

static void add_disks(const struct tables *t, uuid instance, struct placement_need *need)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v)) {
		if (v->lost_us)
			continue;
		placement_add_disk(need, find_pool(t, v->pool), v->size);
		if (v->moves)
			placement_add_disk(need, find_pool(t, v->next_pool), v->size);
	}
}

void instance_get_need(const struct tables *t, const struct instance *instance,
		       struct placement_need *ret_need)
{
	const struct instance_type *type = instance_type_find(t, instance->type);
	*ret_need = (struct placement_need){.zone = instance->zone,
					    .host = engine_find_host_of_shared(t, instance->row.id),
					    .arch = type ? type->arch : INSTANCE_TYPE_ARCH_X86_64,
					    .vcpus = instance->vcpus,
					    .memory = instance->memory,
					    .group = server_group_find(t, instance->server_group),
					    .partition = instance->partition,
					    .type = type,
					    .zone_name = instance->zone_name,
					    .account = instance->account,
					    .tenancy = instance->tenancy,
					    .dedicated_host = instance->dedicated_host,
					    .near = instance->near,
					    .apart = instance->apart,
					    .except = instance->row.id};
	add_disks(t, instance->row.id, ret_need);
}

RESULT instance_find_elsewhere(struct op *op, const struct instance *instance, bool *ret_fits)
{
	struct placement_need need;
	struct placement placement;
	instance_get_need(op->head, instance, &need);
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	*ret_fits = placement_next(&placement) != NULL;
	return OK;
}

/* The host that has the root disk already, if it fits: then no disk has to be copied. The need is passed
 * without disk space. */
static const struct host *find_host_of_disks(const struct tables *t, const struct instance *instance,
					     struct placement_need need)
{
	const struct volume *root = instance_find_root(t, instance->row.id);
	const struct host *host = root ? host_find(t, root->seen_host) : NULL;
	need.disk = 0;
	bool fits = host && placement_may_stay(t, &need, host) && uuid_equal(host->zone, need.zone) &&
		    placement_check_host(host, &need) == PLACEMENT_FITS &&
		    placement_follows_hints(t, &need, host) &&
		    placement_check_aggregates(t, &need, host) == PLACEMENT_FITS &&
		    placement_sees_pools(t, &need, host);
	return fits ? host : NULL;
}

/* The host chosen by a cold migration, if it is up. */
static const struct host *find_next_host(const struct tables *t, const struct instance *instance)
{
	const struct host *host =
		uuid_is_none(instance->next_host) ? NULL : host_find(t, instance->next_host);
	bool may = host && host->seen_state == HOST_SEEN_STATE_UP && !host->forced_down;
	return may ? host : NULL;
}

/* Assigns a pool to disks that had none with room when the instance was accepted. ERR_CAPACITY: still no
 * room. */
static RESULT enter_pools(struct op *op, uuid instance)
{
	for (const struct volume *v = volume_first_by_instance(op->head, instance); v;
	     v = volume_next_by_instance(op->head, v)) {
		bool is_nowhere = uuid_is_none(v->pool) && uuid_is_none(v->host) && v->seen_size == 0;
		const struct storage_pool *pool =
			is_nowhere && !v->lost_us ? engine_find_pool_of_type(op->head, v->type) : NULL;
		if (!pool)
			continue;
		TRY(storage_pool_check_room(op, pool, v->size, STR_NONE));
		struct volume next = *v;
		next.pool = pool->row.id;
		TRY(volume_put(op, &next));
	}
	return OK;
}

RESULT engine_place_instance(struct op *op, struct instance_placing *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	wish->placed = instance && !uuid_is_none(instance->host);
	if (!instance || !row_is_live(&instance->row) || instance->wanted_shelved || instance->destroyed_us ||
	    wish->placed || spot_is_awaited(op->head, instance))
		return OK;
	struct placement_need need;
	struct placement placement;
	struct result entered = enter_pools(op, wish->instance);
	if (entered.code == ERR_CAPACITY) {
		ctx_clear_problem(op->ctx);
		return OK;
	}
	TRY(entered);
	instance_get_need(op->head, instance, &need);
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	const struct host *host = find_next_host(op->head, instance);
	if (!host)
		host = find_host_of_disks(op->head, instance, need);
	if (!host)
		host = placement_next(&placement);
	if (!host)
		return OK;
	wish->placed = true;
	TRY(instance_write_host(op, instance, host->row.id));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "placed", "On host %" STR_FMT ".",
				STR_ARG(host->name));
}

RESULT instance_place_or_log(struct op *op, uuid instance)
{
	struct instance_placing placing = {.instance = instance};
	TRY(engine_place_instance(op, &placing));
	if (placing.placed)
		return OK;
	const struct host *host = host_find(op->head, engine_find_host_of_shared(op->head, instance));
	struct str why = STR("No host has room for it.");
	if (host)
		why = str_print(op->ctx->arena,
				"The host %" STR_FMT " has no room for it, and has a volume that it shares "
				"with other instances.",
				STR_ARG(host->name));
	return condition_set(op, KIND_INSTANCE, instance, "NoHost", why,
			     host ? "It is placed as soon as that host has room, or nothing is shared."
				  : "It is placed as soon as a host has room.");
}

/* Returns why the host cannot take the instance, or PLACEMENT_FITS. */
static enum placement_reason weigh_host(const struct tables *t, const struct instance *instance,
					const struct host *host)
{
	const struct volume *root = instance_find_root(t, instance->row.id);
	struct placement_need need;
	instance_get_need(t, instance, &need);
	if (root && uuid_equal(root->seen_host, host->row.id))
		need.disk = 0; /* the root disk is on the host already */
	if (!placement_may_stay(t, &need, host))
		return PLACEMENT_GROUP;
	if (!placement_follows_hints(t, &need, host))
		return PLACEMENT_HINTS;
	if (!placement_sees_pools(t, &need, host))
		return PLACEMENT_POOL;
	enum placement_reason reason = placement_check_aggregates(t, &need, host);
	return reason == PLACEMENT_FITS ? placement_check_host(host, &need) : reason;
}

RESULT instance_place_on(struct op *op, uuid id, const struct host *host, struct str field)
{
	TRY(enter_pools(op, id));
	const struct instance *instance = instance_find(op->head, id);
	enum placement_reason reason = weigh_host(op->head, instance, host);
	if (reason != PLACEMENT_FITS)
		return ENGINE_FAIL(op, ERR_CAPACITY, KIND_INSTANCE, field,
				   "No valid host was found. Hosts that %s: %" STR_FMT ".",
				   placement_reason_words(reason), STR_ARG(host->name));
	TRY(instance_write_host(op, instance, host->row.id));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "placed",
				"On host %" STR_FMT ", as asked.", STR_ARG(host->name));
}

/* ---- disks in a live migration ---- */

bool engine_volume_goes_along(const struct tables *t, const struct volume *v)
{
	uuid instance = uuid_is_none(v->instance) ? v->seen_instance : v->instance;
	const struct instance *i = uuid_is_none(instance) ? NULL : instance_find(t, instance);
	return i && !uuid_is_none(i->target) && uuid_equal(i->target, v->host) &&
	       uuid_equal(i->host, v->seen_host);
}

bool engine_migration_has_disks(const struct tables *t, const struct instance_migration *m)
{
	const struct volume *v = volume_first_by_seen_instance(t, m->instance);
	while (v && (uuid_equal(v->ready_host, m->target) || !uuid_is_none(v->pool)))
		v = volume_next_by_seen_instance(t, v);
	return v == NULL;
}

static bool is_to_be_cut(const struct tables *t, const struct volume *v)
{
	for (const struct snapshot *s = snapshot_first_by_volume(t, v->row.id); s;
	     s = snapshot_next_by_volume(t, s))
		if (engine_snapshot_is_pending(s) && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE)
			return true;
	return false;
}

/* Returns why a disk can never be migrated live, or NULL. A CD-ROM's volume is made again on the target, from
 * its image. */
static const char *find_bound_disk(const struct tables *t, const struct volume *v)
{
	if (engine_has_several_attachments(t, v->row.id))
		return "is one that it shares with another instance: detach it from one of them before";
	if ((v->is_raw || v->is_shared) && uuid_is_none(v->pool))
		return "is one that several instances may have, in its host's own directory: detach it "
		       "before, or "
		       "move it to a storage pool that both hosts see";
	if (v->is_medium && uuid_is_none(v->pool) && (v->stands_alone || uuid_is_none(v->snapshot)))
		return "lies in its CD-ROM drive, and is no copy of an image: eject it before";
	return NULL;
}

/* Returns what a disk is busy with, or NULL. */
static const char *find_busy_disk(const struct tables *t, const struct instance *i, const struct volume *v)
{
	if (!row_is_live(&v->row) || !uuid_equal(v->instance, v->seen_instance))
		return "is being attached or detached";
	if (!uuid_equal(v->host, i->host) || !uuid_equal(v->seen_host, i->host))
		return "is not on its host";
	if (engine_is_swapping(t, v))
		return "is being exchanged for another one";
	if (!uuid_is_none(v->left_host))
		return "was moved a short while ago, and its old file is still there";
	if (v->seen_size < v->size || v->reverts != v->seen_reverts)
		return "is being changed";
	return is_to_be_cut(t, v) ? "is about to be copied for a snapshot" : NULL;
}

static RESULT check_disk(struct ctx *c, const struct tables *t, const struct instance *i,
			 const struct volume *v)
{
	const char *bound = find_bound_disk(t, v), *busy = bound ? NULL : find_busy_disk(t, i, v);
	char id[UUID_TEXT_SIZE];
	if (!bound && !busy)
		return OK;
	return ctx_fail_kind(c, bound ? ERR_UNSUPPORTED : ERR_STATE, KIND_INSTANCE,
			     "The instance cannot be moved while it runs: its volume %s %s.",
			     uuid_write(v->row.id, id), bound ? bound : busy);
}

RESULT instance_check_disks_movable(struct ctx *c, const struct tables *t, const struct instance *i)
{
	if (volume_attachment_first_by_instance(t, i->row.id) ||
	    volume_attachment_first_by_seen_instance(t, i->row.id))
		return ctx_fail_kind(c, ERR_UNSUPPORTED, KIND_INSTANCE,
				     "The instance cannot be moved while it runs: it shares a volume with "
				     "another one. Detach it from one of them before.");
	for (const struct volume *v = volume_first_by_instance(t, i->row.id); v;
	     v = volume_next_by_instance(t, v))
		TRY(check_disk(c, t, i, v));
	for (const struct volume *v = volume_first_by_seen_instance(t, i->row.id); v;
	     v = volume_next_by_seen_instance(t, v))
		TRY(check_disk(c, t, i, v));
	return OK;
}

RESULT instance_send_disks(struct op *op, uuid instance, uuid host)
{
	for (const struct volume *v = volume_first_by_seen_instance(op->head, instance); v;
	     v = volume_next_by_seen_instance(op->head, v)) {
		struct volume next = *v;
		if (!uuid_is_none(v->pool))
			continue; /* both hosts see its pool */
		volume_send_to(&next, host);
		next.ready_host = UUID_NONE;
		next.row.gen++;
		TRY(volume_put(op, &next));
	}
	return OK;
}

/* Moves pending snapshots of a pool's disk to the new host: the former one can no longer reach the guest. */
static RESULT send_cuts(struct op *op, uuid volume, uuid host)
{
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume), *after = NULL; s;
	     s = after) {
		after = snapshot_next_by_volume(op->head, s);
		struct snapshot next = *s;
		next.host = host;
		if (engine_snapshot_is_pending(s) && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE)
			TRY(snapshot_put(op, &next));
	}
	return OK;
}

/* The copies on the target become the disks; the former files are left to be deleted. */
RESULT instance_bring_disks(struct op *op, uuid instance, uuid host)
{
	for (const struct volume *v = volume_first_by_seen_instance(op->head, instance); v;
	     v = volume_next_by_seen_instance(op->head, v)) {
		struct volume next = *v;
		if (uuid_is_none(v->pool))
			next.left_host = next.seen_host;
		next.host = next.seen_host = host;
		next.ready_host = UUID_NONE;
		next.tracked_from = UUID_NONE; /* the dirty bitmap does not cover the copy */
		TRY(volume_put(op, &next));
		if (!uuid_is_none(next.pool))
			TRY(send_cuts(op, next.row.id, host));
	}
	return OK;
}

RESULT engine_see_migration_disk(struct op *op, struct migration_disk_report *report)
{
	const struct volume *v = volume_find(op->head, report->volume);
	if (!v || !engine_volume_goes_along(op->head, v) || !uuid_equal(v->host, report->host) ||
	    uuid_equal(v->ready_host, report->host))
		return OK;
	struct volume next = *v;
	next.ready_host = report->host;
	return volume_put(op, &next);
}

/* ---- changes of placement ---- */

static RESULT find_group(struct op *op, const struct instance_placement *wish,
			 const struct instance *instance, const struct server_group **ret_group)
{
	const struct ref *ref = &wish->server_group;
	*ret_group = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_server_group(op->ctx, op->head, ref, ret_group));
	if (!uuid_equal((*ret_group)->account, instance->account))
		return engine_fail_not_found(op->ctx, KIND_SERVER_GROUP, ref);
	bool is_in_it = uuid_equal((*ret_group)->row.id, instance->server_group);
	return is_in_it ? OK : server_group_check_members(op, *ret_group, 1, ref->field);
}

/* Applies server group and partition. */
static RESULT change_group(struct op *op, const struct instance_placement *wish, struct instance *next)
{
	const struct server_group *group = server_group_find(op->head, next->server_group);
	if (wish->set_group) {
		TRY(find_group(op, wish, next, &group));
		uuid id = group ? group->row.id : UUID_NONE;
		if (!uuid_equal(id, next->server_group))
			next->partition = 0;
		next->server_group = id;
	}
	TRY(server_group_check_partition(op, group, wish->partition, STR("PartitionNumber")));
	if (wish->partition)
		next->partition = wish->partition;
	else if (group && group->partitions && next->partition == 0)
		next->partition = server_group_least_partition(op->head, group);
	return OK;
}

static RESULT change_dedicated_host(struct op *op, const struct instance_placement *wish,
				    struct instance *next)
{
	const struct ref *ref = &wish->dedicated_host;
	const struct dedicated_host *dedicated = NULL;
	TRY(engine_permit_dedicated_host(op, ref, "instance.place", &dedicated));
	TRY(dedicated_host_check_type(op, dedicated, instance_type_find(op->head, next->type), ref->field));
	next->dedicated_host = dedicated->row.id;
	return OK;
}

/* With host affinity, binds the instance to its present dedicated host if it is bound to none. */
static void bind_to_host(const struct op *op, struct instance *next)
{
	const struct dedicated_host *there = engine_find_dedicated(op->head, next->host);
	next->host_affinity = next->host_affinity && next->tenancy == INSTANCE_TENANCY_HOST;
	if (next->host_affinity && uuid_is_none(next->dedicated_host) && there)
		next->dedicated_host = there->row.id;
}

/* Applies tenancy and dedicated host. */
static RESULT change_tenancy(struct op *op, const struct instance_placement *wish, struct instance *next)
{
	bool is_said = wish->set_tenancy || ref_is_given(&wish->dedicated_host) ||
		       wish->host_affinity != CHOICE_DEFAULT;
	if (!is_said)
		return OK;
	enum instance_tenancy before = next->tenancy;
	if (wish->set_tenancy)
		next->tenancy = wish->tenancy;
	bool needs_host = ref_is_given(&wish->dedicated_host) || wish->host_affinity == CHOICE_YES;
	if (before == INSTANCE_TENANCY_DEFAULT || (needs_host && next->tenancy != INSTANCE_TENANCY_HOST))
		return ENGINE_FAIL(op, ERR_STATE, KIND_DEDICATED_HOST, wish->instance.field,
				   "The instance '%" STR_FMT
				   "' has a tenancy of %s, with which that cannot be.",
				   STR_ARG(wish->instance.text), instance_tenancy_words[before]);
	if (ref_is_given(&wish->dedicated_host))
		TRY(change_dedicated_host(op, wish, next));
	else if (wish->host_affinity == CHOICE_NO || next->tenancy != INSTANCE_TENANCY_HOST)
		next->dedicated_host = UUID_NONE;
	choice_apply(wish->host_affinity, &next->host_affinity);
	bind_to_host(op, next);
	return OK;
}

static RESULT check_stopped(struct op *op, const struct instance_placement *wish,
			    const struct instance *instance)
{
	if (model_derive_instance_state(instance) == INSTANCE_STOPPED)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
			   "The instance '%" STR_FMT "' is not in the 'stopped' state.",
			   STR_ARG(wish->instance.text));
}

/* Decides whether the instance has to leave its host, and checks that another one fits. */
static RESULT plan_move(struct op *op, const struct instance_placement *wish, struct instance *next)
{
	const struct host *host = uuid_is_none(next->host) ? NULL : host_find(op->head, next->host);
	struct placement_need need;
	struct placement placement;
	struct placement_report report;
	instance_get_need(op->head, next, &need);
	next->migrating = host && !placement_may_stay(op->head, &need, host);
	if (!next->migrating)
		return OK;
	if (next->tpm)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT
				   "' has a TPM, whose state is its host's: it cannot go to another host.",
				   STR_ARG(wish->instance.text));
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	if (placement_next(&placement))
		return OK;
	placement_report(&placement, &report);
	bool is_dedicated = next->tenancy == INSTANCE_TENANCY_HOST;
	return ENGINE_FAIL(op, ERR_CAPACITY, is_dedicated ? KIND_DEDICATED_HOST : KIND_INSTANCE,
			   wish->instance.field,
			   "There is no room for the instance '%" STR_FMT "' so placed: %" STR_FMT ".",
			   STR_ARG(wish->instance.text), STR_ARG(placement_explain(op->ctx->arena, &report)));
}

RESULT engine_change_placement(struct op *op, struct instance_placement *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.place", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	bool is_affinity_alone = !wish->set_group && !wish->partition && !wish->set_tenancy &&
				 !ref_is_given(&wish->dedicated_host) && row_is_live(&instance->row);
	if (!is_affinity_alone)
		TRY(check_stopped(op, wish, instance));
	struct instance next = *instance;
	TRY(change_group(op, wish, &next));
	TRY(change_tenancy(op, wish, &next));
	if (row_equal(&model_kinds[KIND_INSTANCE], &instance->row, &next.row))
		return OK;
	if (!is_affinity_alone)
		TRY(plan_move(op, wish, &next));
	next.row.gen++;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "placement changed",
				next.migrating ? "It goes to a host that fits." : "It stays where it is.");
}
