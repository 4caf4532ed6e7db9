/* SPDX-License-Identifier: Apache-2.0
 * Volumes: made, modified, deleted, seen. What happens next: reconcile/volume.c makes the disk on its
 * host, moves, grows or removes it. Attaching: volume_attach.c. */
#include "engine/storage/volume.h"
#include "engine/storage/sending.h"
#include "model/host.h"
#include "store/volume_type.h"

#include <inttypes.h>

#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/placement.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/disk_plan_internal.h"
#include "engine/storage/image_internal.h"
#include "engine/storage/snapshot.h"
#include "engine/storage/snapshot_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume_attachment.h"
#include "engine/storage/volume_group_internal.h"
#include "engine/storage/volume_internal.h"
#include "engine/storage/volume_swap.h"
#include "engine/storage/volume_type_limit_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/image.h"
#include "model/instance_type.h"
#include "model/states.h"
#include "model/zone.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/volume_transfer.h"
#include "store/zone.h"

RESULT volume_meter(struct op *op, const struct volume *volume, int64_t size)
{
	struct str meter = str_print(op->ctx->arena, "volume:%" STR_FMT, STR_ARG(volume->type));
	return volume->local == VOLUME_LOCAL_NO
		       ? op_usage(op, KIND_VOLUME, volume->row.id, volume->account, meter, size)
		       : OK;
}

static RESULT check_offered(struct op *op, struct str type, uuid zone, struct str field)
{
	const struct volume_type *row = volume_type_find_by_name(op->head, type);
	return row ? offered_check_zone(op, KIND_VOLUME_TYPE, type, &row->zones, zone, field) : OK;
}

RESULT volume_write(struct op *op, struct volume *volume, const struct disk_plan *disk)
{
	if (disk->local == VOLUME_LOCAL_NO)
		TRY(quota_check_each(op, volume->account, QUOTA_VOLUME_SIZE, disk->size));
	volume->row.id = engine_new_id(op, KIND_VOLUME);
	volume->row.gen = 1;
	volume->size = disk->size;
	volume->type = disk->type;
	volume->iops = disk->iops;
	volume->throughput = disk->throughput;
	volume->snapshot = disk->snapshot ? disk->snapshot->row.id : UUID_NONE;
	volume->is_encrypted = disk->is_encrypted || (disk->snapshot && disk->snapshot->is_encrypted);
	volume->data_key = disk->snapshot ? disk->snapshot->data_key : STR_NONE;
	volume->image = disk->image ? disk->image->row.id : UUID_NONE;
	volume->is_bootable = disk->is_bootable;
	volume->is_shared = disk->is_shared;
	volume->local = (enum volume_local) disk->local;
	volume->is_medium = volume->is_readonly = disk->is_medium;
	if (disk->image)
		volume->image_properties = disk->image->properties;
	TRY(check_offered(op, disk->type, volume->zone, disk->field));
	if (!disk->is_unplaced) {
		const struct storage_pool *pool = engine_find_pool_of_type(op->head, disk->type);
		volume->pool = pool ? pool->row.id : UUID_NONE;
		TRY(storage_pool_check_room(op, pool, disk->size, disk->field));
	}
	TRY(volume_put(op, volume));
	return volume_meter(op, volume, volume->size);
}

RESULT volume_check_sees(struct op *op, const struct volume *volume, const struct host *host,
			 struct str field)
{
	if (!host || uuid_is_none(volume->pool) ||
	    engine_host_sees_pool(op->head, host->row.id, volume->pool))
		return OK;
	return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
			   "The host '%" STR_FMT "' does not see the storage pool of the volume.",
			   STR_ARG(host->name));
}

/* To go to another host it needs no more room. */
static RESULT check_pool_room(struct op *op, const struct volume *volume, const struct host *host,
			      int64_t more, struct str field)
{
	bool stays = host && uuid_equal(host->row.id, volume->host);
	if (!stays || volume->seen_size == 0)
		TRY(volume_check_sees(op, volume, host, field));
	return stays ? storage_pool_check_room(op, storage_pool_find(op->head, volume->pool), more, field)
		     : OK;
}

RESULT volume_check_room(struct op *op, const struct volume *volume, const struct host *host, int64_t more,
			 struct str field)
{
	if (volume && !uuid_is_none(volume->pool))
		return check_pool_room(op, volume, host, more, field);
	if (!host || more <= 0 || host_usage(host)->disk + more <= host->seen_disk)
		return OK;
	return ENGINE_FAIL(op, ERR_CAPACITY, KIND_VOLUME, field,
			   "The host '%" STR_FMT "' lacks disk space for %" PRId64 " more bytes.",
			   STR_ARG(host->name), more);
}

/* ---- create ---- */

/* A copy comes by way of a snapshot that goes when it is made. */
RESULT volume_begin_copy(struct op *op, struct disk_plan *plan)
{
	struct snapshot *snapshot = arena_new_object(op->ctx->arena, struct snapshot);
	if (!snapshot)
		return ctx_no_memory(op->ctx);
	*snapshot = (struct snapshot){.description = STR("To copy the volume."), .is_bound = true};
	TRY(snapshot_write_of(op, plan->volume, snapshot));
	plan->snapshot = snapshot;
	plan->least = plan->volume->size;
	plan->volume = NULL;
	return OK;
}

RESULT volume_check_words(struct op *op, struct str name, struct str description)
{
	if (name.n <= 255 && str_is_xml_text(name) && description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("name"),
			   "A volume's name and description have up to 255 characters.");
}

static RESULT plan_disk(struct op *op, const struct volume_wish *wish, struct disk_plan *ret_plan)
{
	struct disk_plan plan = {.type = STR("gp2"), .is_placed_later = wish->keeps_unplaced};
	TRY(disk_plan_apply_wish(op, &wish->disk, &plan));
	if (plan.volume)
		TRY(volume_begin_copy(op, &plan));
	TRY(disk_plan_finish(op, &plan));
	TRY(disk_plan_check_source(op, &plan));
	*ret_plan = plan;
	return OK;
}

RESULT volume_place(struct op *op, uuid account, uuid zone, uuid on_host, const struct disk_plan *disk,
		    const struct host **ret_host)
{
	int64_t size = disk->size;
	struct placement_need need = {
		.zone = zone, .host = on_host, .account = account, .arch = INSTANCE_TYPE_ARCH_X86_64};
	placement_add_disk(&need, engine_find_pool_of_type(op->head, disk->type), size);
	struct placement placement;
	struct placement_report report;
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	*ret_host = placement_next(&placement);
	if (*ret_host)
		return OK;
	placement_report(&placement, &report);
	const struct zone *row = zone_find(op->head, zone);
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_VOLUME,
			     "There is no room in zone '%" STR_FMT "' for a volume of %" PRId64
			     " bytes: %" STR_FMT ".",
			     STR_ARG(row ? row->name : STR_NONE), size,
			     STR_ARG(placement_explain(op->ctx->arena, &report)));
}

RESULT volume_permit_new(struct op *op, const char *permission, const struct volume *like, uuid zone,
			 const struct disk_plan *disk)
{
	struct volume planned = *like;
	planned.zone = zone;
	planned.size = disk->size;
	planned.type = disk->type;
	planned.iops = disk->iops;
	planned.throughput = disk->throughput;
	planned.is_encrypted = disk->is_encrypted;
	planned.snapshot = disk->snapshot ? disk->snapshot->row.id : UUID_NONE;
	return engine_permit_new(op, permission, KIND_VOLUME, &planned.row);
}

RESULT volume_check_quotas(struct op *op, uuid account, const struct disk_plan *disk)
{
	const struct volume_type_figures more = {.volumes = 1, .bytes = disk->size};
	TRY(quota_check(op, account, QUOTA_VOLUMES, 1));
	TRY(quota_check(op, account, QUOTA_VOLUME_BYTES, disk->size));
	return volume_type_limit_check(op, account, disk->type, &more);
}

static RESULT place_new(struct op *op, const struct volume_wish *wish, const struct volume *volume,
			const struct disk_plan *disk, const struct host **ret_host)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	uuid host = instance ? instance->host : UUID_NONE;
	TRY(storage_pool_check_type(op, disk->type, disk->field));
	TRY(volume_place(op, volume->account, volume->zone, host, disk, ret_host));
	return storage_pool_check_room(op, engine_find_pool_of_type(op->head, disk->type), disk->size,
				       disk->field);
}

/* Where nothing can hold it, the call fails, or it is made all the same. */
static RESULT place_or_keep(struct op *op, const struct volume_wish *wish, struct volume *volume,
			    struct disk_plan *disk, const struct host **ret_host, struct str *ret_why)
{
	struct result placed = place_new(op, wish, volume, disk, ret_host);
	if (placed.code == ERR_CAPACITY && wish->keeps_unplaced) {
		disk->is_unplaced = true;
		*ret_why = str_copy(op->ctx->arena, op->ctx->problem.message);
		ctx_clear_problem(op->ctx);
		*ret_host = NULL;
		return OK;
	}
	TRY(placed);
	volume->host = (*ret_host)->row.id;
	return OK;
}

static RESULT say_unplaced(struct op *op, const struct volume *volume, struct str why)
{
	return condition_set(op, KIND_VOLUME, volume->row.id, VOLUME_NOT_PLACED, why,
			     "Delete the volume, and make it again when there is room for its type.");
}

static RESULT create(struct op *op, struct volume_wish *wish, const struct account *account)
{
	const struct zone *zone = NULL;
	const struct host *host = NULL;
	struct disk_plan disk;
	struct str why = STR_NONE;
	struct volume volume = {
		.account = account->row.id, .name = wish->name, .description = wish->description};
	TRY(volume_check_words(op, wish->name, wish->description));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(plan_disk(op, wish, &disk));
	TRY(tag_normalize(op, wish->tags, &volume.tags));
	TRY(volume_group_find_for(op, &wish->group, disk.type, &volume.group));
	TRY(volume_permit_new(op, "volume.create", &volume, zone->row.id, &disk));
	TRY(volume_check_quotas(op, account->row.id, &disk));
	volume.zone = zone->row.id;
	TRY(place_or_keep(op, wish, &volume, &disk, &host, &why));
	TRY(volume_write(op, &volume, &disk));
	if (disk.is_unplaced)
		TRY(say_unplaced(op, &volume, why));
	TRY(client_token_write(op, account->row.id, wish->client_token, wish->digest, volume.row.id));
	wish->volume = volume.row.id;
	return engine_log_event(op, KIND_VOLUME, &volume.row, "created",
				"Volume of %" PRId64 " bytes on host %" STR_FMT ".", disk.size,
				STR_ARG(host ? host->name : STR("none")));
}

RESULT engine_create_volume(struct op *op, struct volume_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_made(op, account->row.id, wish->client_token, wish->digest, KIND_VOLUME,
				   &wish->volume));
	return uuid_is_none(wish->volume) ? create(op, wish, account) : OK;
}

RESULT engine_forget_volume_message(struct op *op, struct volume_message_target *wish)
{
	const struct condition *condition = condition_find(op->head, wish->message.prefix);
	const struct volume *volume = condition ? volume_find(op->head, condition->subject) : NULL;
	if (!volume || !row_is_live(&volume->row) ||
	    !uuid_equal(volume->account, engine_get_account(op->ctx)))
		return engine_fail_not_found(op->ctx, KIND_CONDITION, &wish->message);
	TRY(engine_permit(op, "volume.forget_message", KIND_VOLUME, &volume->row));
	return condition_forget(op, condition->row.id);
}

/* ---- delete ---- */

RESULT volume_delete_metered(struct op *op, const struct volume *volume)
{
	struct volume stopped = *volume;
	TRY(snapshot_end_policies(op, volume->row.id));
	volume_stop_move(&stopped);
	if (volume->moves)
		TRY(volume_put(op, &stopped));
	TRY(volume_delete(op, volume->row.id));
	TRY(volume_meter(op, volume, 0));
	return engine_log_event(op, KIND_VOLUME, &volume->row, "deleted", "Volume of %lld bytes.",
				(long long) volume->size);
}

bool engine_volume_is_being_copied(const struct tables *t, uuid volume)
{
	for (const struct snapshot *s = snapshot_first_by_volume(t, volume); s;
	     s = snapshot_next_by_volume(t, s))
		if (engine_snapshot_is_pending(s))
			return true;
	return false;
}

/* Those of its own account: what it left with others when it changed hands is theirs. */
static RESULT delete_snapshots(struct op *op, const struct volume *volume)
{
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume->row.id); s;
	     s = snapshot_next_by_volume(op->head, s)) {
		if (!row_is_live(&s->row) || !uuid_equal(s->account, volume->account))
			continue;
		struct snapshot_target target = {
			.snapshot = {.kind = KIND_SNAPSHOT,
				     .prefix = s->row.id,
				     .bits = 128,
				     .text = engine_write_id(op, KIND_SNAPSHOT, s->row.id)}};
		TRY(engine_delete_snapshot(op, &target));
	}
	return OK;
}

static RESULT check_childless(struct op *op, const struct volume *volume, struct str field)
{
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume->row.id); s;
	     s = snapshot_next_by_volume(op->head, s))
		if (row_is_live(&s->row) && !s->is_bound && uuid_equal(s->account, volume->account))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, field,
					   "Invalid volume: Volume has dependent snapshots; delete them "
					   "first, or with cascade.");
	return OK;
}

static RESULT change_image_properties(struct op *op, const struct volume_settings *wish, struct volume *next)
{
	struct tags before = next->image_properties;
	struct tag *after =
		arena_new_array(op->ctx->arena, struct tag, before.count + wish->image_properties.count + 1);
	size_t count = 0;
	if (!after)
		return ctx_no_memory(op->ctx);
	if (wish->image_property_gone.n && !tags_find(before, wish->image_property_gone))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME, STR("key"),
				   "Metadata item was not found.");
	for (size_t n = 0; n < before.count; n++)
		if (!tags_find(wish->image_properties, before.at[n].key) &&
		    !str_equal(before.at[n].key, wish->image_property_gone))
			after[count++] = before.at[n];
	for (size_t n = 0; n < wish->image_properties.count; n++)
		after[count++] = wish->image_properties.at[n];
	return image_take_properties(op, (struct tags){after, count}, &next->image_properties);
}

RESULT engine_update_volume(struct op *op, struct volume_settings *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_permit(op, "volume.update", KIND_VOLUME, &volume->row));
	struct volume next = *volume;
	if (wish->set_name)
		next.name = wish->name;
	if (wish->set_description)
		next.description = wish->description;
	TRY(volume_check_words(op, next.name, next.description));
	choice_apply(wish->is_bootable, &next.is_bootable);
	choice_apply(wish->is_readonly, &next.is_readonly);
	next.says_readonly = next.says_readonly || wish->is_readonly != CHOICE_DEFAULT;
	choice_apply(wish->auto_enable_io, &next.auto_enable_io);
	TRY(change_image_properties(op, wish, &next));
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "changed", "What is said of it.");
}

RESULT volume_write_revert(struct op *op, const struct volume *volume, const struct snapshot *snapshot)
{
	struct volume next = *volume;
	next.snapshot = snapshot->row.id;
	next.reverts++;
	next.row.gen++;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "revert asked", "To snapshot %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_SNAPSHOT, snapshot->row.id)));
}

RESULT engine_revert_volume(struct op *op, struct volume_reverting *wish)
{
	const struct volume *volume = NULL;
	const struct snapshot *snapshot = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_find_own_snapshot(op->ctx, op->head, &wish->snapshot, &snapshot));
	TRY(engine_permit(op, "volume.modify", KIND_VOLUME, &volume->row));
	if (!uuid_equal(snapshot->volume, volume->row.id))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT, wish->snapshot.field,
				   "The snapshot '%" STR_FMT "' is of another volume.",
				   STR_ARG(wish->snapshot.text));
	TRY(volume_check_unreserved(op, volume, &wish->volume));
	bool is_free = model_derive_volume_state(volume) == VOLUME_AVAILABLE &&
		       uuid_equal(volume->host, volume->seen_host) && uuid_is_none(volume->left_host) &&
		       !engine_volume_is_being_copied(op->head, volume->row.id);
	if (!is_free || model_derive_snapshot_state(snapshot) != SNAPSHOT_COMPLETED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume and the snapshot must be available.");
	if (volume->size != snapshot->volume_size || volume->seen_size != volume->size)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume must have the size of the snapshot.");
	return volume_write_revert(op, volume, snapshot);
}

RESULT engine_delete_volume(struct op *op, struct volume_target *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_permit(op, "volume.delete", KIND_VOLUME, &volume->row));
	if (model_derive_attachment(volume->instance, volume->seen_instance) != ATTACHMENT_NONE)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, wish->volume.field,
				   "Volume %" STR_FMT " is currently attached to %" STR_FMT,
				   STR_ARG(wish->volume.text),
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, engine_volume_holder(volume))));
	TRY(volume_group_check_none(op, volume, &wish->volume));
	if (wish->snapshots == VOLUME_SNAPSHOTS_FORBID)
		TRY(check_childless(op, volume, wish->volume.field));
	if (engine_volume_is_being_copied(op->head, volume->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "A snapshot of the volume %" STR_FMT " is on its way.",
				   STR_ARG(wish->volume.text));
	bool is_broken = volume->lost_us || volume->reservation == VOLUME_RESERVATION_ERROR ||
			 volume->reservation == VOLUME_RESERVATION_ERROR_RESTORING;
	if ((!wish->force && !is_broken) || engine_is_swapping(op->head, volume))
		TRY(volume_check_unreserved(op, volume, &wish->volume));
	if (wish->snapshots == VOLUME_SNAPSHOTS_GO)
		TRY(delete_snapshots(op, volume));
	FORGET_EACH(op, volume_transfer, volume, volume->row.id);
	return volume_delete_metered(op, volume);
}

/* ---- modify ---- */

static RESULT check_modifiable(struct op *op, const struct volume_modifying *wish,
			       const struct volume *volume)
{
	if (volume->seen_size == 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "The volume '%" STR_FMT "' is being created.", STR_ARG(wish->volume.text));
	if (!wish->size && str_is_empty(wish->type) && !wish->iops && !wish->throughput &&
	    wish->is_shared == CHOICE_DEFAULT)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_VOLUME, STR("Size"),
				   "The request must contain the parameter size, volumeType, iops or "
				   "throughput");
	if (volume->modified_us && !volume->modified_end_us)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_VOLUME, wish->volume.field,
				   "Cannot modify volume in modification state MODIFYING");
	if (wish->size && wish->size < volume->size + wish->must_grow)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("Size"),
				   wish->must_grow ? "New size for extend must be greater than current size."
						   : "New size cannot be smaller than existing size");
	return OK;
}

/* What the wish makes of it; a new type begins with its own figures, those that have to be asked for
 * at 3,000. */
static void apply_modification(const struct volume_modifying *wish, struct disk_plan *disk)
{
	if (wish->size)
		disk->size = wish->size;
	if (!str_is_empty(wish->type) && !str_equal(wish->type, disk->type)) {
		disk->type = wish->type;
		disk->iops = str_starts_with(wish->type, STR("io")) ? 3000 : 0;
		disk->throughput = 0;
	}
	if (wish->iops)
		disk->iops = wish->iops;
	if (wish->throughput)
		disk->throughput = wish->throughput;
}

static RESULT fail_sharing(struct op *op, enum err err, struct str field, const char *why)
{
	return ENGINE_FAIL(op, err, KIND_VOLUME, field, "%s", why);
}

/* EC2's pages say what cannot be changed; the codes are guesses. A type of the operator's own, which Cinder
 * knows, has none of these limits. */
static RESULT check_shared_change(struct op *op, const struct volume_modifying *wish,
				  const struct volume *volume, const struct disk_plan *disk)
{
	bool is_ec2 = disk_plan_is_ec2_type(volume->type) && !disk_plan_type_shares(op, volume->type);
	if (is_ec2 && !str_equal(disk->type, volume->type))
		return fail_sharing(
			op, ERR_UNSUPPORTED, STR("VolumeType"),
			"The type of a volume that is enabled for Multi-Attach cannot be modified.");
	if (is_ec2 && str_is(volume->type, "io1") && (wish->size || wish->iops))
		return fail_sharing(
			op, ERR_UNSUPPORTED, STR("Size"),
			"Size and iops of an io1 volume that is enabled for Multi-Attach cannot be "
			"modified.");
	return OK;
}

/* Its file has another form then, which it gets while nobody has it. */
static RESULT check_sharing(struct op *op, const struct volume_modifying *wish, const struct volume *volume,
			    const struct disk_plan *disk)
{
	bool is_ec2 = disk_plan_is_ec2_type(disk->type) && !disk_plan_type_shares(op, disk->type);
	if (disk->is_shared == volume->is_shared)
		return volume->is_shared ? check_shared_change(op, wish, volume, disk) : OK;
	if (!uuid_is_none(engine_volume_holder(volume)))
		return fail_sharing(op, ERR_STATE, wish->volume.field,
				    "Multi-Attach can be enabled and disabled only while the volume is not "
				    "attached to an instance.");
	if (engine_volume_is_being_copied(op->head, volume->row.id))
		return fail_sharing(op, ERR_STATE, wish->volume.field,
				    "A snapshot of the volume is on its way.");
	if (is_ec2 && str_equal(disk->type, volume->type) && !str_is(disk->type, "io2"))
		return fail_sharing(op, ERR_COMBINATION, STR("MultiAttachEnabled"),
				    "Multi-Attach can be enabled and disabled only for volumes of the type "
				    "io2 once they are made.");
	return disk->is_shared ? disk_plan_check_sharing(op, disk->type, volume->is_encrypted) : OK;
}

static bool is_as_modified(const struct volume *volume)
{
	return volume->seen_size >= volume->size && (volume->is_raw || !volume->is_shared) && !volume->moves;
}

static RESULT write_modification(struct op *op, const struct volume *volume, const struct disk_plan *disk)
{
	struct volume next = *volume;
	next.before_size = volume->size;
	next.before_type = volume->type;
	next.before_iops = volume->iops;
	next.before_throughput = volume->throughput;
	next.before_shared = volume->is_shared;
	next.size = disk->size;
	next.type = disk->type;
	next.iops = disk->iops;
	next.throughput = disk->throughput;
	next.is_shared = disk->is_shared;
	next.modified_us = op->now_us;
	next.modified_end_us = is_as_modified(&next) ? op->now_us : 0;
	next.row.gen++;
	TRY(volume_put(op, &next));
	if (!str_equal(volume->type, next.type))
		TRY(volume_meter(op, volume, 0));
	TRY(volume_meter(op, &next, next.size));
	return engine_log_event(op, KIND_VOLUME, &next.row, "modify asked",
				"From %" PRId64 " bytes of %" STR_FMT " to %" PRId64 " of %" STR_FMT ".",
				volume->size, STR_ARG(volume->type), next.size, STR_ARG(next.type));
}

/* Those that have it learn of it from their history, as Nova's users know it. */
static RESULT log_growth(struct op *op, const struct volume *volume, uuid holder, int64_t size)
{
	const struct instance *instance = uuid_is_none(holder) ? NULL : instance_find(op->head, holder);
	return instance ? engine_log_event(op, KIND_INSTANCE, &instance->row, "volume extension asked",
					   "Volume %" STR_FMT " to %" PRId64 " bytes.",
					   STR_ARG(engine_write_id(op, KIND_VOLUME, volume->row.id)), size)
			: OK;
}

static RESULT log_growth_to_all(struct op *op, const struct volume *volume, int64_t size)
{
	TRY(log_growth(op, volume, volume->instance, size));
	for (const struct volume_attachment *f = volume_attachment_first_by_volume(op->head, volume->row.id);
	     f; f = volume_attachment_next_by_volume(op->head, f))
		TRY(log_growth(op, volume, f->instance, size));
	return OK;
}

static bool changes_pool(struct op *op, const struct volume *volume, struct str type)
{
	const struct storage_pool *pool = engine_find_pool_of_type(op->head, type);
	return !str_equal(type, volume->type) && !uuid_equal(pool ? pool->row.id : UUID_NONE, volume->pool);
}

/* To the pool of its new type: that, and nothing else. */
static RESULT check_pool_change(struct op *op, const struct volume_modifying *wish,
				const struct volume *volume, const struct disk_plan *disk)
{
	if (!changes_pool(op, volume, disk->type))
		return OK;
	if (wish->stays_in_pool)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_VOLUME, STR("VolumeType"),
				   "Volumes of the type '%" STR_FMT
				   "' lie in another storage pool: to go there was not allowed.",
				   STR_ARG(disk->type));
	if (disk->size != volume->size || disk->is_shared != volume->is_shared)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VOLUME, STR("VolumeType"),
				   "Volumes of the type '%" STR_FMT
				   "' lie in another storage pool: change the size, and whether several "
				   "instances may have it, before or after that.",
				   STR_ARG(disk->type));
	TRY(storage_pool_check_type(op, disk->type, STR("VolumeType")));
	return volume_check_movable(op, volume, &wish->volume);
}

static RESULT begin_pool_change(struct op *op, uuid volume, struct str type)
{
	const struct volume_destination to = {.pool = engine_find_pool_of_type(op->head, type),
					      .reservation = VOLUME_RESERVATION_RETYPING,
					      .field = STR("VolumeType")};
	return volume_begin_move(op, volume, &to);
}

static RESULT check_type_limits(struct op *op, const struct volume *volume, const struct disk_plan *disk)
{
	struct volume_type_figures more = {.bytes = disk->size - volume->size};
	if (!str_equal(disk->type, volume->type))
		more = (struct volume_type_figures){.volumes = 1, .bytes = disk->size};
	return volume_type_limit_check(op, volume->account, disk->type, &more);
}

RESULT engine_modify_volume(struct op *op, struct volume_modifying *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	TRY(engine_permit(op, "volume.modify", KIND_VOLUME, &volume->row));
	TRY(check_modifiable(op, wish, volume));
	TRY(volume_check_unreserved(op, volume, &wish->volume));
	struct disk_plan disk = {.size = volume->size,
				 .type = volume->type,
				 .iops = volume->iops,
				 .throughput = volume->throughput,
				 .is_shared = choice_or(wish->is_shared, volume->is_shared),
				 .field = STR("Size")};
	apply_modification(wish, &disk);
	if (!str_equal(disk.type, volume->type))
		TRY(volume_group_check_none(op, volume, &wish->volume));
	TRY(disk_plan_check_type(op, &disk));
	if (!str_equal(disk.type, volume->type))
		TRY(check_offered(op, disk.type, volume->zone, disk.field));
	TRY(check_sharing(op, wish, volume, &disk));
	if (!volume->is_encrypted && !str_equal(disk.type, volume->type) &&
	    disk_plan_type_encrypts(op, disk.type))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("VolumeType"),
				   "Retype cannot change encryption requirements.");
	TRY(check_pool_change(op, wish, volume, &disk));
	bool goes = changes_pool(op, volume, disk.type);
	int64_t more = disk.size - volume->size;
	if (more > 0) {
		TRY(instance_check_no_snapshots(
			op, engine_volume_holder(volume), wish->volume.field,
			"A volume that is attached to a VM with any VM snapshots cannot be resized."));
		TRY(quota_check_each(op, volume->account, QUOTA_VOLUME_SIZE, disk.size));
		TRY(quota_check(op, volume->account, QUOTA_VOLUME_BYTES, more));
	}
	TRY(volume_check_room(op, volume, host_find(op->head, volume->host), more, STR("Size")));
	TRY(check_type_limits(op, volume, &disk));
	wish->modified_volume = volume->row.id;
	if (more > 0)
		TRY(log_growth_to_all(op, volume, disk.size));
	TRY(write_modification(op, volume, &disk));
	return goes ? begin_pool_change(op, wish->modified_volume, disk.type) : OK;
}

/* ---- the reconciler's ---- */

/* A disk that was there and is not any more stays as it was seen: that is nothing to go on from. */
static RESULT log_missing(struct op *op, const struct volume *volume)
{
	return condition_set(op, KIND_VOLUME, volume->row.id, "DiskMissing",
			     STR("Its host does not have the disk."),
			     "Bring the disk back, or delete the volume.");
}

/* Found on another host than before, it was moved: from now on the copy counts, and the file it was
 * made of is to go. In a shared pool it is the same
 * file. */
static void write_place(const struct volume_report *report, struct volume *next)
{
	uuid host = report->size > 0 ? report->host : UUID_NONE;
	if (!uuid_is_none(host) && !uuid_is_none(next->seen_host) && !uuid_equal(host, next->seen_host) &&
	    uuid_is_none(next->pool))
		next->left_host = next->seen_host;
	next->seen_size = report->size;
	next->seen_host = host;
	next->is_raw = report->is_raw && report->size > 0;
	if (next->is_raw)
		next->tracked_from = UUID_NONE; /* such a file notes nothing */
}

/* It is made from its snapshot again. */
static void see_reverted(const struct volume_report *report, struct volume *next)
{
	next->seen_reverts = report->reverts;
	next->stands_alone = false;
}

/* What was noted of its writes went with the old file. */
static void see_blank(const struct volume_report *report, struct volume *next)
{
	next->seen_takes_over = report->blank_for;
	next->stands_alone = true;
	next->tracked_from = UUID_NONE;
}

/* What the look tells of the volume besides where it is. */
static void see_changes(const struct op *op, const struct volume_report *report, struct volume *next)
{
	if (report->reverts > next->seen_reverts)
		see_reverted(report, next);
	if (!uuid_is_none(report->blank_for) && uuid_equal(report->blank_for, next->takes_over))
		see_blank(report, next);
	if (next->modified_us && !next->modified_end_us && is_as_modified(next))
		next->modified_end_us = op->now_us;
}

RESULT engine_see_volume(struct op *op, struct volume_report *report)
{
	const struct volume *volume = volume_find(op->head, report->volume);
	if (!volume)
		return OK;
	bool is_live = row_is_live(&volume->row);
	if (is_live && report->size == 0 && volume->seen_size > 0)
		return log_missing(op, volume);
	struct volume next = *volume;
	if ((int64_t) report->gen > next.seen_gen)
		next.seen_gen = (int64_t) report->gen;
	/* A look that is older than the last wish says nothing about a disk that was to go since. */
	if (is_live || report->gen == volume->row.gen)
		write_place(report, &next);
	see_changes(op, report, &next);
	if (row_equal(&model_kinds[KIND_VOLUME], &volume->row, &next.row))
		return OK;
	TRY(condition_clear(op, volume->row.id, STR("DiskMissing")));
	return volume_put(op, &next);
}

RESULT engine_leave_volume_host(struct op *op, struct volume_report *report)
{
	const struct volume *volume = volume_find(op->head, report->volume);
	if (!volume)
		return OK;
	struct volume next = *volume;
	if (uuid_equal(volume->left_host, report->host))
		next.left_host = next.left_pool = UUID_NONE;
	else if (!row_is_live(&volume->row) && uuid_equal(volume->host, report->host))
		next.host = volume->seen_host;
	return row_equal(&model_kinds[KIND_VOLUME], &volume->row, &next.row) ? OK : volume_put(op, &next);
}

RESULT engine_key_volume(struct op *op, struct volume_keying *keying)
{
	const struct volume *volume = volume_find(op->head, keying->volume);
	if (!volume || !row_is_live(&volume->row) || !volume->is_encrypted || volume->data_key.n)
		return OK;
	struct volume next = *volume;
	next.data_key = keying->data_key;
	return volume_put(op, &next);
}

RESULT engine_forget_volume(struct op *op, struct volume_report *report)
{
	const struct volume *volume = volume_find(op->head, report->volume);
	if (!volume)
		return OK;
	if (row_is_live(&volume->row) || !uuid_is_none(volume->seen_host) || !uuid_is_none(volume->left_host))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_VOLUME,
				     "The volume is not deleted, or a host still has its disk.");
	TRY(condition_clear_all(op, report->volume));
	return volume_forget(op, report->volume);
}

bool engine_host_has_volumes(const struct tables *t, uuid host)
{
	return volume_first_by_host(t, host) != NULL;
}

bool engine_host_has_volumes_of_others(const struct tables *t, uuid host, uuid account)
{
	const struct volume *v = volume_first_by_host(t, host);
	while (v && uuid_equal(v->account, account))
		v = volume_next_by_host(t, v);
	return v != NULL;
}

/* ---- in shared pools ---- */

bool engine_host_sees_disks(const struct tables *t, uuid instance, uuid host)
{
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		if (!engine_host_sees_pool(t, host, v->pool))
			return false;
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		if (!engine_host_sees_pool(t, host, v->pool))
			return false;
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance); f;
	     f = volume_attachment_next_by_instance(t, f)) {
		const struct volume *v = volume_find(t, f->volume);
		if (v && !engine_host_sees_pool(t, host, v->pool))
			return false;
	}
	return true;
}

bool engine_has_local_disks(const struct tables *t, uuid instance)
{
	const struct volume *v = volume_first_by_instance(t, instance);
	while (v && !uuid_is_none(v->pool))
		v = volume_next_by_instance(t, v);
	return v != NULL;
}

bool volume_is_any_in(const struct tables *t, uuid pool, uuid host)
{
	const struct volume *v = volume_first_by_pool(t, pool);
	const struct volume *coming = volume_first_by_next_pool(t, pool),
			    *left = volume_first_by_left_pool(t, pool);
	while (v && !uuid_is_none(host) && !uuid_equal(v->host, host) && !uuid_equal(v->seen_host, host))
		v = volume_next_by_pool(t, v);
	while (coming && !uuid_is_none(host) && !uuid_equal(coming->host, host))
		coming = volume_next_by_next_pool(t, coming);
	while (left && !uuid_is_none(host) && !uuid_equal(left->left_host, host))
		left = volume_next_by_left_pool(t, left);
	return v || coming || left;
}

/* What moves left in shared pools, another host removes there. */
static RESULT pass_on_leftovers(struct op *op, uuid host)
{
	for (const struct volume *v = volume_first_by_left_host(op->head, host), *after = NULL; v;
	     v = after) {
		after = volume_next_by_left_host(op->head, v);
		struct volume next = *v;
		next.left_host = uuid_is_none(v->left_pool)
					 ? UUID_NONE
					 : storage_pool_find_host(op->head, v->left_pool, host);
		if (!uuid_is_none(next.left_host))
			TRY(volume_put(op, &next));
	}
	return OK;
}

RESULT volume_pass_on_all(struct op *op, uuid host)
{
	TRY(pass_on_leftovers(op, host));
	for (const struct volume *v = volume_first_by_host(op->head, host), *after = NULL; v; v = after) {
		after = volume_next_by_host(op->head, v);
		uuid other =
			uuid_is_none(v->pool) ? UUID_NONE : storage_pool_find_host(op->head, v->pool, host);
		struct volume next = *v;
		if (uuid_is_none(other) || !uuid_is_none(v->instance) || !uuid_is_none(v->seen_instance) ||
		    engine_volume_is_being_copied(op->head, v->row.id))
			continue;
		if (v->moves && uuid_is_none(v->next_pool))
			continue; /* it is to go to that very host */
		next.host = other;
		TRY(volume_put(op, &next));
	}
	return OK;
}

/* ---- data that are sent ---- */

RESULT engine_await_volume(struct op *op, struct volume_awaiting *wish)
{
	const struct account *account = NULL;
	const struct zone *zone = NULL;
	const struct tag format = {STR("disk_format"), wish->format}; /* for the upload, until it is there */
	struct volume volume = {.name = wish->name,
				.type = STR("gp2"),
				.image_properties = {&format, 1},
				.sending = VOLUME_SENDING_WAITING,
				.sending_until_us = op->now_us + SENDING_WAITS_US};
	const struct volume_type *type = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(volume_check_words(op, wish->name, STR_NONE));
	if (ref_is_given(&wish->type)) {
		TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
		volume.type = type->name;
		TRY(check_offered(op, type->name, zone->row.id, wish->type.field));
	}
	volume.account = account->row.id;
	volume.zone = zone->row.id;
	TRY(volume_permit_new(op, "volume.create", &volume, zone->row.id,
			      &(struct disk_plan){.type = volume.type}));
	TRY(volume_check_quotas(op, account->row.id, &(struct disk_plan){.type = volume.type}));
	volume.row.id = engine_new_id(op, KIND_VOLUME);
	volume.row.gen = 1;
	TRY(volume_put(op, &volume));
	wish->volume = volume.row.id;
	return engine_log_event(op, KIND_VOLUME, &volume.row, "created", "Its data are to be sent.");
}

/* As a copy's, the snapshot goes at once: the volume that is made of it keeps its file. */
static RESULT make_of(struct op *op, struct volume *next, struct snapshot *snapshot)
{
	const struct host *host = NULL;
	struct disk_plan plan = {.snapshot = snapshot, .type = next->type};
	TRY(disk_plan_finish(op, &plan));
	TRY(quota_check(op, next->account, QUOTA_VOLUME_BYTES, plan.size));
	TRY(volume_type_limit_check(op, next->account, plan.type,
				    &(struct volume_type_figures){.bytes = plan.size}));
	TRY(quota_check_each(op, next->account, QUOTA_VOLUME_SIZE, plan.size));
	TRY(volume_place(op, next->account, next->zone, UUID_NONE, &plan, &host));
	const struct storage_pool *pool = engine_find_pool_of_type(op->head, next->type);
	next->pool = pool ? pool->row.id : UUID_NONE;
	TRY(storage_pool_check_room(op, pool, plan.size, plan.field));
	next->host = host->row.id;
	next->size = plan.size;
	next->iops = plan.iops;
	next->throughput = plan.throughput;
	next->is_encrypted = plan.is_encrypted;
	next->snapshot = snapshot->row.id;
	next->image_properties = (struct tags){0};
	next->sending = VOLUME_SENDING_NONE;
	next->sending_until_us = 0;
	next->row.gen++;
	TRY(volume_put(op, next));
	TRY(snapshot_delete_metered(op, snapshot));
	return volume_meter(op, next, next->size);
}

RESULT engine_fill_volume(struct op *op, struct image_filling *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->image, &volume));
	TRY(engine_permit(op, "volume.update", KIND_VOLUME, &volume->row));
	if (volume->sending != VOLUME_SENDING_WAITING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->image.field,
				   "No data of the volume '%" STR_FMT "' are waited for.",
				   STR_ARG(volume->name));
	struct volume next = *volume;
	struct snapshot snapshot = {.account = volume->account,
				    .description = STR("What was sent for a volume."),
				    .volume_size = wish->virtual_size,
				    .sha256 = wish->sha256,
				    .file_size = wish->file_size,
				    .is_bound = true};
	TRY(image_write_file_snapshot(op, &snapshot));
	TRY(make_of(op, &next, &snapshot));
	return engine_log_event(op, KIND_VOLUME, &next.row, "filled", "With %lld bytes, a disk of %lld.",
				(long long) wish->data_size, (long long) wish->virtual_size);
}

RESULT volume_end_sending(struct op *op, const struct sending_end *wish)
{
	const struct volume *volume = volume_find(op->head, wish->id);
	if (!volume || !row_is_live(&volume->row) || volume->sending != VOLUME_SENDING_WAITING ||
	    (!wish->failed && op->now_us < volume->sending_until_us))
		return OK;
	struct volume next = *volume;
	next.sending = wish->failed ? VOLUME_SENDING_FAILED : VOLUME_SENDING_ABANDONED;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "not filled", "%s.",
				wish->failed ? "What was sent is no disk" : "Nothing was sent in time");
}

RESULT engine_find_awaited(struct ctx *c, const struct tables *t, uuid id, struct awaited *ret_awaited)
{
	const struct volume *volume = NULL;
	const struct image *image = NULL;
	bool is_volume = volume_find(t, id) != NULL, waits = false;
	*ret_awaited = (struct awaited){.ref = ref_by_id(is_volume ? KIND_VOLUME : KIND_IMAGE, id)};
	ret_awaited->ref.text = uuid_to_str(c->arena, id);
	ret_awaited->ref.field = STR("uuid");
	if (is_volume) {
		TRY(engine_find_own_volume(c, t, &ret_awaited->ref, &volume));
		const struct tag *format = tags_find(volume->image_properties, STR("disk_format"));
		waits = volume->sending == VOLUME_SENDING_WAITING;
		ret_awaited->format = str_copy(c->arena, format ? format->value : STR("raw"));
	} else {
		TRY(engine_find_own_image(c, t, &ret_awaited->ref, &image));
		waits = image->sending == IMAGE_SENDING_WAITING;
		ret_awaited->format =
			engine_is_iso(image) ? STR("raw") : str_copy(c->arena, image->disk_format);
	}
	if (!waits)
		return ctx_fail(c, ERR_STATE,
				"'%" STR_FMT "' has its data already, or they are not waited for any more.",
				STR_ARG(is_volume ? volume->name : image->name));
	return is_volume ? OK : engine_check_image_takes_data(c, t, image);
}
