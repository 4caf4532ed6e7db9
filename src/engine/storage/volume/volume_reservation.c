/* SPDX-License-Identifier: Apache-2.0
 * Reservations of volumes: the transitions, and the state each requires. Attach and detach (volume_attach.c)
 * end a reservation, too. */
#include "engine/storage/volume/volume_reservation.h"

#include "engine/instance/instance.h"
#include "engine/internal.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/instance.h"
#include "store/volume.h"
#include "store/volume_transfer.h"

/* ---- conflicts ---- */

RESULT volume_check_unreserved(struct op *op, const struct volume *volume, const struct ref *ref)
{
	bool is_offered = volume_transfer_first_by_volume(op->head, volume->row.id);
	const char *why = volume->lost_us        ? "lost with its host"
			  : volume->destroyed_us ? "destroyed"
			  : is_offered           ? "offered to another account"
			  : volume->reservation != VOLUME_RESERVATION_NONE
				  ? volume_reservation_words[volume->reservation]
			  : volume->moves                           ? "being moved to another pool"
			  : engine_is_swapping(op->head, volume)    ? "being swapped"
			  : volume->reverts != volume->seen_reverts ? "being reverted"
			  : engine_volume_is_restoring(op->head, volume) && volume->seen_size > 0
				  ? "being restored"
				  : NULL;
	return why ? ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field, "The volume '%" STR_FMT "' is %s.",
				 STR_ARG(ref->text), why)
		   : OK;
}

RESULT volume_check_promise(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			    const struct instance *instance)
{
	bool is_his = (volume->reservation == VOLUME_RESERVATION_ATTACHING &&
		       !engine_is_swapping(op->head, volume)) ||
		      (volume->reservation == VOLUME_RESERVATION_RESERVED &&
		       uuid_equal(volume->reserved_for, instance->row.id));
	return wish->is_promised && is_his ? OK : volume_check_unreserved(op, volume, &wish->volume);
}

/* ---- transitions ---- */

/* The required state of a volume in addition to `from`. */
enum needed { NEEDS_NOTHING, NEEDS_FREE, NEEDS_TAKES_MORE, NEEDS_ATTACHED };
struct move {
	enum volume_reservation from, to;
	enum needed needed;
	const char *permission;
};
#define MOVE(from, to, needed, permission)                                                                   \
	{                                                                                                    \
		VOLUME_RESERVATION_##from, VOLUME_RESERVATION_##to, NEEDS_##needed, permission               \
	}
static const struct move begin_attaching = MOVE(NONE, ATTACHING, TAKES_MORE, "volume.attach");
static const struct move cancel_attaching = MOVE(ATTACHING, NONE, NOTHING, "volume.attach");
static const struct move begin_detaching = MOVE(NONE, DETACHING, ATTACHED, "volume.detach");
static const struct move cancel_detaching = MOVE(DETACHING, NONE, NOTHING, "volume.attach");
static const struct move reserve = MOVE(NONE, RESERVED, FREE, "volume.attach");
static const struct move release = MOVE(RESERVED, NONE, NOTHING, "volume.attach");

static bool fits(const struct tables *t, const struct move *move, const struct volume *volume)
{
	enum attachment attachment = model_derive_attachment(volume->instance, volume->seen_instance);
	if (volume->destroyed_us)
		return false;
	switch (move->needed) {
	case NEEDS_FREE:
		return attachment == ATTACHMENT_NONE && volume->seen_size > 0;
	case NEEDS_TAKES_MORE:
		return (attachment == ATTACHMENT_NONE || volume->is_shared) && volume->seen_size > 0;
	case NEEDS_ATTACHED:
		return attachment == ATTACHMENT_ATTACHED;
	case NEEDS_NOTHING:
		return volume->reservation == move->from && !engine_is_swapping(t, volume);
	}
	return false;
}

static RESULT check_move(struct op *op, const struct move *move, const struct ref *ref,
			 const struct volume *volume)
{
	if (!fits(op->head, move, volume))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				   "The volume '%" STR_FMT "' is not in a state for that.",
				   STR_ARG(ref->text));
	return move->from == VOLUME_RESERVATION_NONE ? volume_check_unreserved(op, volume, ref) : OK;
}

static RESULT write_reservation(struct op *op, const struct volume *volume,
				enum volume_reservation reservation, uuid reserved_for)
{
	struct volume next = *volume;
	next.reservation = reservation;
	next.reserved_for = reserved_for;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "held", "Held: %s.",
				volume_reservation_words[reservation]);
}

static RESULT move_volume(struct op *op, const struct volume_reserving *wish, const struct move *move)
{
	const struct volume *volume = NULL;
	const struct instance *instance = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	if (ref_is_given(&wish->instance))
		TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	TRY(engine_permit(op, move->permission, KIND_VOLUME, &volume->row));
	TRY(check_move(op, move, &wish->volume, volume));
	return write_reservation(op, volume, move->to, instance ? instance->row.id : UUID_NONE);
}

RESULT engine_begin_attaching_volume(struct op *op, struct volume_reserving *wish)
{
	return move_volume(op, wish, &begin_attaching);
}

RESULT engine_cancel_attaching_volume(struct op *op, struct volume_reserving *wish)
{
	return move_volume(op, wish, &cancel_attaching);
}

RESULT engine_begin_detaching_volume(struct op *op, struct volume_reserving *wish)
{
	return move_volume(op, wish, &begin_detaching);
}

RESULT engine_cancel_detaching_volume(struct op *op, struct volume_reserving *wish)
{
	return move_volume(op, wish, &cancel_detaching);
}

RESULT engine_reserve_volume(struct op *op, struct volume_reserving *wish)
{
	return move_volume(op, wish, &reserve);
}

RESULT engine_mark_volume(struct op *op, struct volume_marking *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.update", &volume));
	bool takes_over = !uuid_is_none(volume->takes_over); /* a pending swap keeps its instance */
	return write_reservation(op, volume, wish->reservation,
				 takes_over ? volume->reserved_for : UUID_NONE);
}

/* ---- end of a reservation ---- */

RESULT engine_end_volume_attachment(struct op *op, struct volume_reserving *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &wish->volume, &volume));
	if (model_derive_attachment(volume->instance, volume->seen_instance) == ATTACHMENT_NONE)
		return move_volume(op, wish, &release);
	struct volume_detaching detaching = {.volume = wish->volume, .attachment = wish->attachment};
	return engine_detach_volume(op, &detaching);
}

RESULT engine_attach_reserved_volume(struct op *op, struct volume_attaching *wish)
{
	const struct volume *volume = NULL;
	TRY(engine_permit_volume(op, &wish->volume, "volume.attach", &volume));
	if (volume->reservation != VOLUME_RESERVATION_RESERVED || uuid_is_none(volume->reserved_for))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "Invalid attachment: it is not reserved for a server.");
	wish->instance = (struct ref){.kind = KIND_INSTANCE,
				      .prefix = volume->reserved_for,
				      .bits = 128,
				      .text = uuid_to_str(op->ctx->arena, volume->reserved_for)};
	wish->is_promised = true;
	return engine_attach_volume(op, wish);
}
