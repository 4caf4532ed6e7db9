/* SPDX-License-Identifier: Apache-2.0
 * Transfers of volumes: rows only. The disk stays where it is. */
#include "engine/storage/volume/volume_transfer.h"

#include "base/crypto.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_group_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/account.h"
#include "model/states.h"
#include "store/image_device.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_transfer.h"
#include "store/volume_type.h"

static RESULT check_free(struct op *op, const struct volume *volume, struct str field)
{
	bool is_free = model_derive_volume_state(volume) == VOLUME_AVAILABLE &&
		       !engine_volume_is_being_copied(op->head, volume->row.id);
	return is_free ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, field,
				     "Invalid volume: status must be available, without pending snapshots.");
}

RESULT engine_offer_volume(struct op *op, struct volume_transfer_wish *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.offer", &volume));
	if (wish->name.n > 255 || !str_is_xml_text(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_TRANSFER, STR("name"),
				   "A transfer's name has up to 255 characters.");
	TRY(check_free(op, volume, wish->volume.field));
	TRY(volume_check_unreserved(op, volume, &wish->volume));
	/* Cinder allows it, and then a project's group contains another project's volume. */
	TRY(volume_group_check_none(op, volume, &wish->volume));
	struct volume_transfer transfer = {.row.id = engine_new_id(op, KIND_VOLUME_TRANSFER),
					   .row.gen = 1,
					   .volume = volume->row.id,
					   .account = volume->account,
					   .name = wish->name,
					   .with_snapshots = !wish->without_snapshots,
					   .key_sha256 = wish->key_sha256};
	TRY(volume_transfer_put(op, &transfer));
	wish->transfer = transfer.row.id;
	return engine_log_event(op, KIND_VOLUME, &volume->row, "offered", "To another account.");
}

/* ---- accept ---- */

/* Snapshots used by an image or created with a group stay behind. */
static bool goes_along(const struct tables *t, const struct volume *volume, const struct snapshot *s)
{
	return row_is_live(&s->row) && !s->is_bound && uuid_is_none(s->group_snapshot) &&
	       uuid_equal(s->account, volume->account) && !image_device_first_by_snapshot(t, s->row.id);
}

static RESULT check_taker(struct op *op, const struct volume_transfer *transfer, const struct volume *volume,
			  const struct account *taker)
{
	const struct volume_type *type = volume_type_find_by_name(op->head, volume->type);
	int64_t snapshots = 0, bytes = 0;
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume->row.id);
	     s && transfer->with_snapshots; s = snapshot_next_by_volume(op->head, s)) {
		if (!goes_along(op->head, volume, s))
			continue;
		snapshots++;
		bytes += s->volume_size;
	}
	if (type && !engine_may_use_volume_type(op->ctx, type))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_VOLUME_TYPE,
				     "The account may not have volumes of the type '%" STR_FMT "'.",
				     STR_ARG(volume->type));
	if (uuid_equal(volume->account, taker->row.id))
		return OK; /* the account has them already */
	return snapshot_check_quotas(op, taker->row.id, volume->type, snapshots, bytes);
}

static RESULT give_snapshots(struct op *op, const struct volume *volume, uuid taker)
{
	for (const struct snapshot *s = snapshot_first_by_volume(op->head, volume->row.id); s;
	     s = snapshot_next_by_volume(op->head, s)) {
		if (!goes_along(op->head, volume, s))
			continue;
		struct snapshot next = *s;
		TRY(snapshot_meter(op, s, 0));
		next.account = taker;
		next.made_by = op->ctx->who ? op->ctx->who->user : UUID_NONE; /* the accepting user */
		TRY(snapshot_put(op, &next));
		TRY(snapshot_meter(op, &next, next.file_size));
	}
	return OK;
}

static RESULT check_fits(struct op *op, const struct volume *volume, uuid taker)
{
	TRY(quota_check_each(op, taker, QUOTA_VOLUME_SIZE, volume->size));
	return volume_check_quotas(op, taker,
				   &(struct disk_plan){.type = volume->type, .size = volume->size});
}

static RESULT give_one(struct op *op, const struct volume *volume, uuid taker)
{
	struct volume next = *volume;
	if (!uuid_equal(volume->account, taker) && /* the account has it already */
	    volume->local == VOLUME_LOCAL_NO)
		TRY(check_fits(op, volume, taker));
	TRY(engine_log_event(op, KIND_VOLUME, &volume->row, "given away", "To account %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ACCOUNT, taker))));
	TRY(volume_meter(op, volume, 0));
	next.account = taker;
	next.made_by = op->ctx->who ? op->ctx->who->user : UUID_NONE;
	TRY(volume_put(op, &next));
	TRY(volume_meter(op, &next, next.size));
	TRY(snapshot_end_policies(op, next.row.id));
	return engine_log_event(op, KIND_VOLUME, &next.row, "received", "From account %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_ACCOUNT, volume->account)));
}

/* ---- with an instance ---- */

/* Bound snapshots do not count: CloudStack's templates have no visible snapshots. */
static bool has_snapshot(const struct tables *t, const struct volume *v)
{
	const struct snapshot *s = snapshot_first_by_volume(t, v->row.id);
	while (s && (!row_is_live(&s->row) || s->is_bound))
		s = snapshot_next_by_volume(t, s);
	return s || engine_volume_is_being_copied(t, v->row.id);
}

/* Source of the message about snapshots: UserVmManagerImpl, validateIfVolumesHaveNoSnapshots, 4.20. */
static RESULT check_givable(struct op *op, const struct volume *v, struct str field)
{
	const struct ref ref = engine_ref_to(op, KIND_VOLUME, v->row.id, field);
	if (has_snapshot(op->head, v))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, field,
				   "Snapshots exist for volume [%" STR_FMT
				   "]. Detach volume or remove snapshots for the volume before assigning VM "
				   "to another user.",
				   STR_ARG(v->name.n ? v->name : ref.text));
	if (engine_has_several_attachments(op->head, v->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, field,
				   "The volume '%" STR_FMT "' is attached to other instances, too.",
				   STR_ARG(ref.text));
	TRY(volume_check_unreserved(op, v, &ref));
	return volume_group_check_none(op, v, &ref);
}

RESULT volume_check_all_givable(struct op *op, uuid instance, struct str field)
{
	struct volume_list disks;
	TRY(engine_list_disks(op->ctx->arena, op->head, instance, false, &disks));
	for (size_t k = 0; k < disks.count; k++)
		TRY(check_givable(op, disks.at[k], field));
	return OK;
}

RESULT volume_give_all(struct op *op, uuid instance, uuid giver, uuid taker)
{
	struct volume_list disks;
	TRY(engine_list_all_disks(op->ctx->arena, op->head, instance, &disks));
	for (size_t k = 0; k < disks.count; k++)
		if (uuid_equal(disks.at[k]->account, giver))
			TRY(give_one(op, disks.at[k], taker));
	return OK;
}

/* ---- acceptance ---- */

static RESULT give(struct op *op, const struct volume_transfer *transfer, const struct volume *volume,
		   uuid taker)
{
	if (transfer->with_snapshots)
		TRY(give_snapshots(op, volume, taker));
	TRY(give_one(op, volume, taker));
	return volume_transfer_forget(op, transfer->row.id);
}

RESULT engine_accept_volume(struct op *op, struct volume_transfer_accept *wish)
{
	const struct row *row = NULL;
	const struct account *taker = NULL;
	TRY(engine_find_acting_account(op, &taker));
	TRY(engine_look_up(op->ctx, op->head, KIND_VOLUME_TRANSFER, &wish->transfer, &row));
	const struct volume_transfer *transfer = volume_transfer_of(row);
	TRY(engine_permit(op, "volume.accept", KIND_VOLUME_TRANSFER, NULL));
	if (wish->key_sha256.n != VOLUME_TRANSFER_KEY_SHA256_SIZE ||
	    !crypto_equal(wish->key_sha256.p, transfer->key_sha256.p, VOLUME_TRANSFER_KEY_SHA256_SIZE))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_TRANSFER, STR("auth_key"),
				   "Invalid auth key: Attempt to transfer %" STR_FMT
				   " with invalid auth key.",
				   STR_ARG(wish->transfer.text));
	const struct volume *volume = volume_find(op->head, transfer->volume);
	TRY(check_free(op, volume, wish->transfer.field));
	TRY(check_taker(op, transfer, volume, taker));
	wish->accepted = transfer->row.id;
	wish->volume = volume->row.id;
	wish->name = str_copy(op->ctx->arena, transfer->name);
	return give(op, transfer, volume, taker->row.id);
}

RESULT engine_withdraw_volume(struct op *op, struct volume_transfer_target *wish)
{
	const struct volume_transfer *transfer = NULL;
	TRY(engine_permit_volume_transfer(op, &wish->transfer, "volume.offer", &transfer));
	const struct volume *volume = volume_find(op->head, transfer->volume);
	TRY(volume_transfer_forget(op, transfer->row.id));
	return engine_log_event(op, KIND_VOLUME, &volume->row, "offer withdrawn", "It stays.");
}
