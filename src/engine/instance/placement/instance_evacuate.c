/* SPDX-License-Identifier: Apache-2.0
 * Evacuates instances from hosts that are proven off. One change releases the former host and places the
 * instance on the new one, so it never counts as running on both. The reconciler (reconcile/instance/instance.c)
 * starts it; reconcile/host/host.c cleans up the former host when that returns. Called by:
 * api/openstack/compute/evacuations.c, api/native/hosts.c. */
#include "engine/instance/placement/instance_evacuate.h"

#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement/instance_migration_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/fence.h"
#include "engine/region/fence_internal.h"
#include "engine/region/host_forget.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/dedicated_host.h"
#include "model/image.h"
#include "model/instance_migration.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* ---- whether an instance can leave ---- */

enum disk_fate {
	DISK_GOES,      /* not on the host, or in a pool that other hosts see */
	DISK_IS_REMADE, /* root disk: from its image; local disk: blank; CD-ROM: ejected */
	DISK_STAYS      /* exists on the host only */
};

static bool is_remade(const struct tables *t, const struct instance *i, const struct volume *v)
{
	const struct image *image = image_find(t, i->image);
	bool is_root = v->device_slot == 0 && !i->root_is_volume && uuid_equal(v->instance, i->row.id);
	return v->is_medium || v->local != VOLUME_LOCAL_NO ||
	       (is_root && image && row_is_live(&image->row) &&
		engine_derive_image_state(t, image) == IMAGE_AVAILABLE);
}

static enum disk_fate fate_of(const struct tables *t, const struct instance *i, const struct volume *v,
			      bool rebuilds)
{
	if (!uuid_is_none(v->pool) || !uuid_equal(v->seen_host, i->host))
		return DISK_GOES; /* a disk not yet made is made where its instance goes */
	return rebuilds && is_remade(t, i, v) ? DISK_IS_REMADE : DISK_STAYS;
}

/* Why the instance cannot leave whatever its disks are, or NULL. */
static const char *find_bond(const struct instance *i, bool rebuilds)
{
	if (i->tpm)
		return "it has a TPM, whose state is its host's";
	if (rebuilds && !uuid_is_none(i->rescue_disk))
		return "it is rescued, and its root disk cannot be made anew meanwhile";
	if (i->seen_saved)
		return "it is suspended, and its memory is kept on its host";
	return NULL;
}

static RESULT check_leaving(struct ctx *c, const struct tables *t, const struct instance *i, bool rebuilds)
{
	const char *bond = find_bond(i, rebuilds);
	struct volume_list disks;
	if (!engine_is_host_fenced(t, i->host))
		return ctx_fail_kind(c, ERR_STATE, KIND_HOST,
				     "The host of the instance is not proven to be off.");
	if (!engine_is_let_go(t, i->host, i->row.id))
		return ctx_fail_kind(
			c, ERR_STATE, KIND_HOST,
			"The instance waits for its host, which only Ceph keeps out: it has disks "
			"elsewhere.");
	if (!uuid_is_none(i->target) || i->wanted_shelved || i->destroyed_us || !row_is_live(&i->row))
		return ctx_fail_kind(c, ERR_STATE, KIND_INSTANCE,
				     "Something else is under way of the instance, or it ends.");
	if (bond)
		return ctx_fail_kind(c, ERR_UNSUPPORTED, KIND_INSTANCE,
				     "The instance waits for its host: %s.", bond);
	TRY(engine_list_all_disks(c->arena, t, i->row.id, &disks));
	for (size_t k = 0; k < disks.count; k++) {
		char id[UUID_TEXT_SIZE];
		if (fate_of(t, i, disks.at[k], rebuilds) == DISK_STAYS)
			return ctx_fail_kind(c, ERR_UNSUPPORTED, KIND_INSTANCE,
					     "The instance waits for its host: its volume %s is there alone.",
					     uuid_write(disks.at[k]->row.id, id));
	}
	return OK;
}

/* ---- target ---- */

static RESULT find_target(struct op *op, const struct instance *i, const struct instance_evacuation *wish,
			  const struct host **ret_host)
{
	struct placement_need need;
	instance_get_need(op->head, i, &need);
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, i->host);
	if (dedicated && !uuid_is_none(dedicated->replacement))
		need.dedicated_host = dedicated->replacement;
	if (!ref_is_given(&wish->host))
		return instance_choose_target(op->ctx, op->head, &need, ret_host);
	TRY(engine_find_own_host(op->ctx, op->head, &wish->host, ret_host));
	return instance_check_target(op->ctx, op->head, i, &need, *ret_host, wish->forces);
}

/* ---- leaving ---- */

/* Reports the instance as absent, as if the reconciler had looked: it cannot run on a host that is off. Skips
 * the restart that an unexpected power-off would cause. */
static RESULT write_absent(struct op *op, const struct instance *i, uint64_t gen)
{
	struct instance_report report = {.instance = i->row.id,
					 .gen = gen,
					 .power = INSTANCE_SEEN_POWER_ABSENT,
					 .off = INSTANCE_OFF_UNKNOWN,
					 .devices_known = true};
	return engine_see_instance(op, &report);
}

/* Moves disks in shared pools to the new host, which accesses them as they are. */
static RESULT bring_disks(struct op *op, const struct instance *next, const struct volume_list *disks)
{
	for (size_t k = 0; k < disks->count; k++) {
		const struct volume *v = volume_find(op->head, disks->at[k]->row.id);
		if (!v || uuid_is_none(v->pool) || uuid_is_none(v->seen_host))
			continue;
		TRY(volume_give_up_move(op, v->row.id, STR("its host is lost")));
		struct volume volume = *volume_find(op->head, disks->at[k]->row.id);
		volume.host = volume.seen_host = next->host;
		if (!uuid_is_none(volume.left_pool))
			volume.left_host = next->host;
		volume.row.gen++;
		TRY(volume_put(op, &volume));
	}
	return OK;
}

/* was: the instance on its former host. Rebuilt disks are made on the host of `next`. */
static RESULT remake_disks(struct op *op, const struct instance *was, struct instance *next,
			   const struct volume_list *disks, struct str field, bool *ret_is_rebuilt)
{
	for (size_t k = 0; k < disks->count; k++) {
		const struct volume *v = volume_find(op->head, disks->at[k]->row.id);
		if (!v || fate_of(op->head, was, v, true) != DISK_IS_REMADE)
			continue;
		if (v->is_medium) {
			TRY(instance_leave_disk(op, v));
			continue;
		}
		if (v->local != VOLUME_LOCAL_NO) {
			TRY(local_disk_renew(op, next, v, field));
			continue;
		}
		struct ref ref = engine_ref_to(op, KIND_INSTANCE, next->row.id, field);
		TRY(instance_replace_root(op, next, image_find(op->head, next->image), v, &ref));
		*ret_is_rebuilt = true;
	}
	return OK;
}

static RESULT record(struct op *op, const struct instance *i, uuid from)
{
	struct instance_migration m = {.account = i->account,
				       .instance = i->row.id,
				       .method = INSTANCE_MIGRATION_METHOD_EVACUATE,
				       .host = from,
				       .target = i->host,
				       .old_type = i->type,
				       .type = i->type,
				       .outcome = INSTANCE_MIGRATION_OUTCOME_COMPLETED,
				       .ended_us = op->now_us};
	return instance_record_migration(op, &m);
}

static RESULT log_leaving(struct op *op, const struct instance *i, uuid from, bool is_rebuilt)
{
	const struct host *was = host_find(op->head, from), *is = host_find(op->head, i->host);
	return engine_log_event(op, KIND_INSTANCE, &i->row, "evacuated",
				is_rebuilt ? "Its host %" STR_FMT " is off. It is on host %" STR_FMT
					     " now, with a root disk made anew from its image."
					   : "Its host %" STR_FMT " is off. It is on host %" STR_FMT " now.",
				STR_ARG(was ? was->name : STR("?")), STR_ARG(is ? is->name : STR("?")));
}

static RESULT leave(struct op *op, const struct instance *i, const struct host *host,
		    struct instance_evacuation *wish)
{
	const struct instance was = *i;
	struct instance next = *i;
	struct volume_list disks;
	TRY(engine_list_all_disks(op->ctx->arena, op->head, i->row.id, &disks));
	TRY(fence_let_go(op, was.host, i->row.id));
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, was.host);
	if (dedicated && uuid_equal(next.dedicated_host, dedicated->row.id))
		next.dedicated_host = dedicated->replacement;
	next.migrating = false;
	next.host = host->row.id;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(write_absent(op, &next, was.row.gen));
	next = *instance_find(op->head, was.row.id);
	next.seen_boot_id = STR_NONE;
	TRY(bring_disks(op, &next, &disks));
	if (wish->rebuilds)
		TRY(remake_disks(op, &was, &next, &disks, wish->instance.field, &wish->is_rebuilt));
	if (wish->is_rebuilt) {
		instance_begin_task(op, INSTANCE_TASK_REBUILD, false, &next);
		next.admin_password = wish->admin_password;
		next.guest_password = STR_NONE;
	}
	TRY(instance_write_host(op, &next, host->row.id));
	wish->target = host->row.id;
	const struct instance *now = instance_find(op->head, was.row.id);
	TRY(condition_clear(op, now->row.id, STR(WAITS_FOR_HOST)));
	TRY(record(op, now, was.host));
	TRY(instance_join_maintenance(op, now));
	TRY(dedicated_host_leave(op, was.host));
	return log_leaving(op, now, was.host, wish->is_rebuilt);
}

RESULT engine_evacuate_instance(struct op *op, struct instance_evacuation *wish)
{
	const struct instance *i = NULL;
	const struct host *host = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.migrate", &i));
	TRY(engine_fail_about(op->ctx, &wish->instance, check_leaving(op->ctx, op->head, i, wish->rebuilds)));
	struct result found = find_target(op, i, wish, &host);
	TRY(engine_fail_about(op->ctx, ref_is_given(&wish->host) ? &wish->host : &wish->instance, found));
	return leave(op, i, host, wish);
}

/* ---- all instances of a host ---- */

static RESULT evacuate_one(struct op *op, const struct instance *i, bool rebuilds,
			   struct drained_instance *item)
{
	struct instance_evacuation wish = {.instance = engine_ref_to(op, KIND_INSTANCE, i->row.id, STR_NONE),
					   .rebuilds = rebuilds};
	*item = (struct drained_instance){.instance = i->row.id};
	struct result result = engine_evacuate_instance(op, &wish);
	item->target = wish.target;
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	item->why = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return OK;
}

/* Collects ids first, because leaving changes the index. */
static RESULT list_instances(struct op *op, uuid host, struct uuids *ret_list)
{
	VEC(uuid) ids = {0};
	for (const struct instance *i = instance_first_by_host(op->head, host); i;
	     i = instance_next_by_host(op->head, i))
		if (model_derive_instance_state(i) != INSTANCE_TERMINATED &&
		    !VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
	*ret_list = (struct uuids){ids.at, ids.count};
	return OK;
}

RESULT engine_evacuate_host(struct op *op, struct host_evacuation *wish)
{
	const struct host *host = NULL;
	struct uuids ids = {0};
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	if (!engine_is_host_fenced(op->head, host->row.id))
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_HOST, wish->host.field,
			"The host '%" STR_FMT
			"' is not proven to be off: `dari host fence` turns it off, `dari host fenced` takes "
			"your word.",
			STR_ARG(host->name));
	TRY(list_instances(op, host->row.id, &ids));
	struct drained_instance *items =
		arena_new_array(op->ctx->arena, struct drained_instance, ids.count + 1);
	if (!items)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < ids.count; k++)
		TRY(evacuate_one(op, instance_find(op->head, ids.at[k]), wish->rebuilds, &items[k]));
	wish->instances = items;
	wish->instance_count = ids.count;
	return OK;
}

/* ---- deleted instances, replacement of dedicated hosts ---- */

/* A deleted instance has ended with its host. */
static RESULT end_with_host(struct op *op, const struct instance *i)
{
	uuid host = i->host;
	TRY(fence_let_go(op, host, i->row.id));
	TRY(write_absent(op, i, i->row.gen));
	return dedicated_host_leave(op, host);
}

/* Replaces a failed dedicated host of the account, if the instance can leave it. */
static RESULT recover_host(struct op *op, const struct instance *i)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(op->head, i->host);
	struct result leaves = dedicated ? check_leaving(op->ctx, op->head, i, false) : OK;
	if (!dedicated || leaves.code == ERR_NO_MEMORY)
		return leaves;
	ctx_clear_problem(op->ctx);
	return result_is_ok(leaves) ? dedicated_host_replace(op, dedicated, i) : OK;
}

/* ---- hosts that never return ---- */

RESULT instance_check_disks(struct op *op, const struct instance *instance, const struct ref *ref)
{
	for (const struct volume *v = volume_first_by_instance(op->head, instance->row.id); v;
	     v = volume_next_by_instance(op->head, v)) {
		if (v->lost_us)
			return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
					   "The volume '%" STR_FMT
					   "' of the instance is lost with its host: detach it, or rebuild "
					   "the instance.",
					   STR_ARG(engine_write_id(op, KIND_VOLUME, v->row.id)));
		if (v->seen_size > 0 && snapshot_first_by_restores(op->head, v->row.id) &&
		    engine_volume_is_restoring(op->head, v))
			return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
					   "A backup is being restored to the volume '%" STR_FMT
					   "' of the instance.",
					   STR_ARG(engine_write_id(op, KIND_VOLUME, v->row.id)));
	}
	return OK;
}

/* Assigns disks in shared pools to another host of the pool. */
static RESULT pass_on_disks(struct op *op, const struct volume_list *disks, uuid from)
{
	for (size_t k = 0; k < disks->count; k++) {
		const struct volume *v = volume_find(op->head, disks->at[k]->row.id);
		if (!v || uuid_is_none(v->pool))
			continue;
		struct volume next = *v;
		next.host = storage_pool_find_host(op->head, v->pool, from);
		next.seen_host = uuid_is_none(v->seen_host) ? UUID_NONE : next.host;
		next.row.gen++;
		TRY(volume_put(op, &next));
	}
	return OK;
}

/* The instance lost something: it is off, and only its owner starts it again. */
static void write_lost(struct instance *next)
{
	next->rescue_disk = UUID_NONE;
	next->wanted_save = next->wanted_pause = next->force_off = false;
	next->wanted_power = INSTANCE_WANTED_POWER_OFF;
	next->error_override = true;
	next->reason_code = STR("Server.ScheduledStop");
	next->reason_text = STR("Server.ScheduledStop: Stopped due to a scheduled retirement");
}

/* Takes the instance off its host. If nothing is lost it stays wanted on, and is started wherever there is
 * room. */
static RESULT give_up(struct op *op, const struct instance *i, bool *ret_loses)
{
	const struct instance was = *i;
	struct instance next = *i;
	struct volume_list disks;
	*ret_loses = find_bond(i, false) || engine_has_local_disks(op->head, i->row.id);
	if (!uuid_is_none(i->target))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_INSTANCE,
				     "The instance %" STR_FMT " is on its way to another host.",
				     STR_ARG(engine_write_id(op, KIND_INSTANCE, i->row.id)));
	TRY(engine_list_disks(op->ctx->arena, op->head, was.row.id, false, &disks));
	TRY(fence_let_go(op, was.host, was.row.id));
	if (*ret_loses)
		write_lost(&next);
	next.host = next.dedicated_host = UUID_NONE;
	next.migrating = false;
	next.row.gen++;
	TRY(instance_put(op, &next));
	TRY(write_absent(op, &next, next.row.gen));
	TRY(instance_write_host(op, instance_find(op->head, was.row.id), UUID_NONE));
	TRY(pass_on_disks(op, &disks, was.host));
	TRY(condition_clear_all(op, was.row.id));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "given up",
				*ret_loses ? "Its host never came back, and something of it was there alone."
					   : "Its host never came back.");
}

RESULT instance_give_up_all(struct op *op, uuid host, struct host_forgetting *wish)
{
	struct uuids ids = {0};
	TRY(list_instances(op, host, &ids));
	for (size_t k = 0; k < ids.count; k++) {
		const struct instance *i = instance_find(op->head, ids.at[k]);
		struct drained_instance item = {0};
		struct lost_thing lost = {KIND_INSTANCE, i->row.id};
		if (!row_is_live(&i->row)) {
			TRY(end_with_host(op, i));
			continue;
		}
		TRY(recover_host(op, i));
		TRY(evacuate_one(op, i, false, &item));
		if (!item.why.n)
			continue;
		bool loses = false;
		TRY(give_up(op, instance_find(op->head, ids.at[k]), &loses));
		if (loses && !VEC_PUSH(op->ctx->arena, &wish->lost, lost))
			return ctx_no_memory(op->ctx);
	}
	return OK;
}

/* ---- automatic evacuation ---- */

static RESULT tell_waiting(struct op *op, uuid instance, struct str why)
{
	return condition_set(
		op, KIND_INSTANCE, instance, WAITS_FOR_HOST, why,
		"It is started there again when its host is back. `dari host evacuate HOST --rebuild` or "
		"Nova's evacuate gives it a root disk made anew from its image, elsewhere.");
}

RESULT engine_follow_fence(struct op *op, struct fence_following *wish)
{
	const struct instance *i = instance_find(op->head, wish->instance);
	struct drained_instance item;
	if (!i || !engine_is_host_fenced(op->head, i->host) || !uuid_is_none(i->target) ||
	    model_derive_instance_state(i) == INSTANCE_TERMINATED)
		return OK;
	if (!row_is_live(&i->row))
		return engine_is_let_go(op->head, i->host, i->row.id) ? end_with_host(op, i) : OK;
	if (i->recovery == INSTANCE_RECOVERY_DISABLED)
		return tell_waiting(
			op, i->row.id,
			STR("The host is off, and automatic recovery is disabled for this instance."));
	TRY(recover_host(op, i));
	TRY(evacuate_one(op, i, false, &item));
	return item.why.n ? tell_waiting(op, item.instance, item.why) : OK;
}
