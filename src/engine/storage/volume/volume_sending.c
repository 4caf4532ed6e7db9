/* SPDX-License-Identifier: Apache-2.0
 * Volumes whose data are uploaded with a form: waiting, filled, ended. */
#include "engine/storage/volume/volume_internal.h"

#include "engine/acting.h"
#include "engine/quota_internal.h"
#include "engine/storage/image/image_internal.h"
#include "engine/storage/sending.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "model/host.h"
#include "model/image.h"
#include "model/snapshot.h"
#include "model/storage_pool.h"
#include "model/zone.h"
#include "store/volume.h"
#include "store/volume_type.h"

RESULT engine_await_volume(struct op *op, struct volume_awaiting *wish)
{
	uuid account = UUID_NONE;
	const struct zone *zone = NULL;
	const struct tag format = {STR("disk_format"), wish->format}; /* stored in the properties until the
								       * upload */
	struct volume volume = {.name = wish->name,
				.type = STR("gp2"),
				.image_properties = {&format, 1},
				.sending = VOLUME_SENDING_WAITING,
				.sending_until_us = op->now_us + SENDING_WAITS_US};
	const struct volume_type *type = NULL;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(volume_check_words(op, wish->name, STR_NONE));
	if (ref_is_given(&wish->type)) {
		TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
		volume.type = type->name;
		TRY(volume_check_offered(op, type->name, zone->row.id, wish->type.field));
	}
	volume.account = account;
	volume.zone = zone->row.id;
	TRY(volume_permit_new(op, "volume.create", &volume, zone->row.id,
			      &(struct disk_plan){.type = volume.type}));
	TRY(volume_check_quotas(op, account, &(struct disk_plan){.type = volume.type}));
	volume.row.id = engine_new_id(op, KIND_VOLUME);
	volume.row.gen = 1;
	TRY(volume_put(op, &volume));
	wish->volume = volume.row.id;
	return engine_log_event(op, KIND_VOLUME, &volume.row, "created", "Its data are to be sent.");
}

/* Deletes the snapshot at once, like a copy's: the volume created from it keeps its file. */
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
	TRY(engine_permit_volume(op, &wish->image, "volume.update", &volume));
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
	TRY(quota_check_disk(op, volume->account, wish->file_size, KIND_VOLUME));
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
	return engine_log_event(op, KIND_VOLUME, &next.row, "not filled",
				wish->failed ? "What was sent is no disk." : "Nothing was sent in time.");
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
