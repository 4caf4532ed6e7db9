/* SPDX-License-Identifier: Apache-2.0
 * Volumes: create, change, delete. reconcile/storage/volume.c creates the disk on its host, or removes it.
 * Modifications are in volume_modify.c, observations in volume_see.c, attachments in volume_attach.c. */
#include "engine/storage/volume/volume.h"

#include <inttypes.h>

#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/quota_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/sending.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_group_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume/volume_swap.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/host.h"
#include "model/image.h"
#include "store/condition.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/volume_type.h"
#include "store/zone.h"

RESULT volume_meter(struct op *op, const struct volume *volume, int64_t size)
{
	struct str meter = str_print(op->ctx->arena, "volume:%" STR_FMT, STR_ARG(volume->type));
	return volume->local == VOLUME_LOCAL_NO
		       ? op_usage(op, KIND_VOLUME, volume->row.id, volume->account, meter, size)
		       : OK;
}

RESULT volume_check_offered(struct op *op, struct str type, uuid zone, struct str field)
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
	TRY(volume_check_offered(op, disk->type, volume->zone, disk->field));
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

/* A move to another host needs no more room in the pool. */
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

/* A copy goes through a snapshot that is deleted once the copy exists. */
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

/* If no host has room, the call fails, or the volume is created without a host. */
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
	TRY(backup_end_tracks(op, volume->row.id, UUID_NONE));
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

/* Only snapshots of the volume's own account: a previous owner keeps its own. Cinder does not know the bound
 * ones, which are parts of images and copies. */
static RESULT delete_snapshots(struct op *op, const struct volume *volume)
{
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume->row.id); s;
	     s = snapshot_next_by_volume(op->head, s)) {
		if (!row_is_live(&s->row) || s->is_bound || !uuid_equal(s->account, volume->account))
			continue;
		struct snapshot_target target = {
			.leaves_to_images = true,
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
	TRY(engine_permit_volume(op, &wish->volume, "volume.update", &volume));
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
	TRY(engine_permit_volume(op, &wish->volume, "volume.delete", &volume));
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
	bool is_broken = volume->lost_us || volume->destroyed_us ||
			 volume->reservation == VOLUME_RESERVATION_ERROR ||
			 volume->reservation == VOLUME_RESERVATION_ERROR_RESTORING;
	if ((!wish->force && !is_broken) || engine_is_swapping(op->head, volume))
		TRY(volume_check_unreserved(op, volume, &wish->volume));
	if (wish->snapshots == VOLUME_SNAPSHOTS_GO)
		TRY(delete_snapshots(op, volume));
	return volume_delete_metered(op, volume);
}

/* ---- location ---- */

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
