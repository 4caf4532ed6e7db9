/* SPDX-License-Identifier: Apache-2.0
 * Moves of volumes between pools and directories: requests and results. */
#include "engine/storage/volume/volume_move.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume.h"

/* ---- conditions ---- */

/* The instance's activity that prevents a move, or NULL. */
static const char *find_busy_instance(const struct tables *t, const struct volume *v)
{
	const struct instance *i = instance_find(t, engine_volume_holder(v));
	if (!i)
		return NULL;
	if (!uuid_is_none(i->target))
		return "in an instance that goes to another host";
	return i->seen_saved || i->wanted_save ? "in an instance that is suspended" : NULL;
}

/* The volume's activity that prevents a move, or NULL. */
static const char *find_busy(const struct tables *t, const struct volume *v)
{
	enum attachment attachment = model_derive_attachment(v->instance, v->seen_instance);
	if (v->seen_size == 0)
		return "being created";
	if (attachment == ATTACHMENT_ATTACHING || attachment == ATTACHMENT_DETACHING)
		return "being attached or detached";
	if (engine_has_several_attachments(t, v->row.id))
		return "attached to several instances";
	if (v->seen_size < v->size || (v->is_shared && !v->is_raw))
		return "being modified";
	if (!uuid_equal(v->host, v->seen_host))
		return "on its way to another host";
	if (!uuid_is_none(v->left_host))
		return "not gone yet from where it was before";
	return engine_volume_is_being_copied(t, v->row.id) ? "being copied for a snapshot"
							   : find_busy_instance(t, v);
}

RESULT volume_check_movable(struct op *op, const struct volume *v, const struct ref *ref)
{
	if (v->is_medium)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_VOLUME, ref->field,
				   "The volume '%" STR_FMT "' lies in a CD-ROM drive: eject it before.",
				   STR_ARG(ref->text));
	TRY(volume_check_unreserved(op, v, ref));
	const char *why = find_busy(op->head, v);
	return why ? ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field, "The volume '%" STR_FMT "' is %s.",
				 STR_ARG(ref->text), why)
		   : OK;
}

/* ---- target ---- */

static bool may_have(const struct tables *t, const struct volume *v, const struct host *host, uuid pool)
{
	return uuid_equal(host->zone, v->zone) && host->seen_state == HOST_SEEN_STATE_UP &&
	       !host->forced_down && (uuid_is_none(pool) || engine_host_sees_pool(t, host->row.id, pool));
}

/* Prefers the requested or present host if it sees the pool. A free volume may go to another host of the
 * pool. NULL: none. */
static const struct host *choose_host(const struct tables *t, const struct volume *v,
				      const struct volume_destination *to)
{
	uuid pool = to->pool ? to->pool->row.id : UUID_NONE;
	const struct host *own = host_find(t, v->host), *host = to->host ? to->host : own;
	bool is_free = uuid_is_none(engine_volume_holder(v));
	if (host && may_have(t, v, host, pool) && (is_free || host == own))
		return host;
	const struct pool_host *p = to->host || !is_free ? NULL : pool_host_first_by_pool(t, pool);
	for (; p; p = pool_host_next_by_pool(t, p)) {
		host = host_find(t, p->host);
		if (host && may_have(t, v, host, pool))
			return host;
	}
	return NULL;
}

static RESULT find_host(struct op *op, const struct volume *v, const struct volume_destination *to,
			const struct host **ret_host)
{
	*ret_host = choose_host(op->head, v, to);
	if (*ret_host)
		return OK;
	return ENGINE_FAIL(
		op, ERR_CAPACITY, KIND_VOLUME, to->field,
		to->pool ? "No host that may have the volume is up and sees the storage pool."
			 : "That host is not up, or may not have the volume: it is in another zone, or not "
			   "its instance's.");
}

static RESULT check_room(struct op *op, const struct volume *v, const struct volume_destination *to,
			 const struct host *host)
{
	if (to->pool && uuid_equal(to->pool->row.id, v->pool))
		return OK;
	return to->pool ? storage_pool_check_room(op, to->pool, v->size, to->field)
			: volume_check_room(op, NULL, host, v->size, to->field);
}

/* ---- request ---- */

static RESULT fail_is_there(struct op *op, const struct volume_destination *to)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, to->field, "The volume is there already.");
}

static struct str describe(struct op *op, const struct storage_pool *pool, const struct host *host)
{
	return pool ? str_print(op->ctx->arena, "storage pool %" STR_FMT, STR_ARG(pool->name))
		    : str_print(op->ctx->arena, "the directory of host %" STR_FMT,
				STR_ARG(host ? host->name : STR_NONE));
}

RESULT volume_begin_move(struct op *op, uuid id, const struct volume_destination *to)
{
	const struct volume *volume = volume_find(op->head, id);
	const struct host *host = NULL;
	uuid pool = to->pool ? to->pool->row.id : UUID_NONE;
	TRY(find_host(op, volume, to, &host));
	if (uuid_equal(pool, volume->pool) && (to->pool || uuid_equal(host->row.id, volume->seen_host)))
		return fail_is_there(op, to);
	TRY(check_room(op, volume, to, host));
	struct volume next = *volume;
	next.moves = true;
	next.next_pool = pool;
	next.host = host->row.id;
	next.is_next_blank = false;
	next.last_move = VOLUME_LAST_MOVE_NONE;
	next.reservation = to->reservation;
	if (to->reservation == VOLUME_RESERVATION_RETYPING)
		next.modified_end_us = 0;
	next.row.gen++;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "move asked", "To %" STR_FMT ".",
				STR_ARG(describe(op, to->pool, host)));
}

static RESULT find_destination(struct op *op, const struct volume_moving *wish,
			       struct volume_destination *ret_to)
{
	*ret_to = (struct volume_destination){.field = wish->pool.kind == KIND_NONE ? wish->host.field
										    : wish->pool.field};
	if (ref_is_given(&wish->pool))
		TRY(engine_find_own_storage_pool(op->ctx, op->head, &wish->pool, &ret_to->pool));
	if (!ref_is_given(&wish->host))
		return OK;
	ret_to->host = host_find_by_name(op->head, wish->host.text);
	return ret_to->host ? OK : engine_fail_not_found(op->ctx, KIND_HOST, &wish->host);
}

RESULT engine_move_volume(struct op *op, struct volume_moving *wish)
{
	const struct volume *volume = NULL;
	struct volume_destination to;
	TRY(engine_permit_volume(op, &wish->volume, "volume.move", &volume));
	TRY(find_destination(op, wish, &to));
	TRY(volume_check_movable(op, volume, &wish->volume));
	bool is_free = uuid_is_none(engine_volume_holder(volume));
	to.reservation = wish->locks && is_free ? VOLUME_RESERVATION_MAINTENANCE : VOLUME_RESERVATION_NONE;
	return volume_begin_move(op, volume->row.id, &to);
}

/* ---- end ---- */

void volume_stop_move(struct volume *volume)
{
	if (!volume->moves)
		return;
	if (uuid_is_none(volume->left_host)) {
		volume->left_host = volume->host;
		volume->left_pool = volume->next_pool;
	}
	volume->host = volume->seen_host;
	volume->moves = volume->is_next_blank = false;
	volume->next_pool = UUID_NONE;
}

static void end_reservation(struct op *op, struct volume *next)
{
	if (next->reservation == VOLUME_RESERVATION_RETYPING) {
		next->modified_end_us = op->now_us;
		next->reservation = VOLUME_RESERVATION_NONE;
	}
	if (next->reservation == VOLUME_RESERVATION_MAINTENANCE)
		next->reservation = VOLUME_RESERVATION_NONE;
}

/* Restores the type from before a failed retype. */
static RESULT write_old_type(struct op *op, struct volume *next)
{
	TRY(volume_meter(op, next, 0));
	next->type = str_copy(op->ctx->arena, next->before_type);
	next->iops = next->before_iops;
	next->throughput = next->before_throughput;
	return volume_meter(op, next, next->size);
}

RESULT volume_give_up_move(struct op *op, uuid id, struct str why)
{
	const struct volume *volume = volume_find(op->head, id);
	if (!volume || !volume->moves)
		return OK;
	struct volume next = *volume;
	if (next.reservation == VOLUME_RESERVATION_RETYPING)
		TRY(write_old_type(op, &next));
	end_reservation(op, &next);
	volume_stop_move(&next);
	next.last_move = VOLUME_LAST_MOVE_ERROR;
	next.row.gen++;
	TRY(volume_put(op, &next));
	return engine_log_event(op, KIND_VOLUME, &next.row, "move given up",
				"It stays where it is: %" STR_FMT ".", STR_ARG(why));
}

static RESULT write_moved(struct op *op, const struct volume *volume, bool stands_alone)
{
	struct volume next = *volume;
	end_reservation(op, &next);
	next.left_host = next.seen_host;
	next.left_pool = next.pool;
	next.seen_host = next.host;
	next.pool = next.next_pool;
	next.next_pool = UUID_NONE;
	next.moves = next.is_next_blank = false;
	next.last_move = VOLUME_LAST_MOVE_SUCCESS;
	if (stands_alone) {
		next.stands_alone = true;
		next.tracked_from = UUID_NONE; /* the record of its writes belonged to the old file */
	}
	next.row.gen++;
	TRY(volume_put(op, &next));
	const struct storage_pool *pool =
		uuid_is_none(next.pool) ? NULL : storage_pool_find(op->head, next.pool);
	return engine_log_event(op, KIND_VOLUME, &next.row, "moved", "To %" STR_FMT ".",
				STR_ARG(describe(op, pool, host_find(op->head, next.host))));
}

static RESULT write_blank(struct op *op, const struct volume *volume, bool is_blank)
{
	struct volume next = *volume;
	next.is_next_blank = is_blank;
	return next.is_next_blank == volume->is_next_blank ? OK : volume_put(op, &next);
}

RESULT engine_see_volume_move(struct op *op, struct volume_move_report *report)
{
	const struct volume *volume = volume_find(op->head, report->volume);
	if (!volume || !volume->moves || !row_is_live(&volume->row) ||
	    !uuid_equal(volume->next_pool, report->pool) || !uuid_equal(volume->host, report->host))
		return OK;
	switch (report->stage) {
	case VOLUME_MOVE_BLANK:
	case VOLUME_MOVE_SPOILT:
		return write_blank(op, volume, report->stage == VOLUME_MOVE_BLANK);
	case VOLUME_MOVE_MOVED:
	case VOLUME_MOVE_COPIED:
		return write_moved(op, volume, report->stage == VOLUME_MOVE_COPIED);
	case VOLUME_MOVE_FAILED:
		return volume_give_up_move(op, volume->row.id, report->why);
	}
	return FAIL(INTERNAL);
}
