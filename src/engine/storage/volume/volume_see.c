/* SPDX-License-Identifier: Apache-2.0
 * The reconciler's observations of volumes, and which host it asks about those in shared pools. */
#include "engine/storage/volume/volume_internal.h"

#include "engine/condition_internal.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "store/volume.h"

/* Keeps the last observation of a disk that has vanished, because creating it again would lose data. */
static RESULT log_missing(struct op *op, const struct volume *volume)
{
	return condition_set(op, KIND_VOLUME, volume->row.id, "DiskMissing",
			     STR("Its host does not have the disk."),
			     "Bring the disk back, or delete the volume.");
}

/* A volume found on another host was moved: the copy counts now, and the source file must be removed. In a
 * shared pool both hosts see the same file. */
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
		next->tracked_from = UUID_NONE; /* a raw file keeps no record of writes */
}

/* The volume was created from its snapshot again. */
static void see_reverted(const struct volume_report *report, struct volume *next)
{
	next->seen_reverts = report->reverts;
	next->stands_alone = false;
}

/* The record of writes belonged to the old file. */
static void see_blank(const struct volume_report *report, struct volume *next)
{
	next->seen_takes_over = report->blank_for;
	next->stands_alone = true;
	next->tracked_from = UUID_NONE;
}

/* Applies the parts of the report other than the location. */
static void see_changes(const struct op *op, const struct volume_report *report, struct volume *next)
{
	if (report->reverts > next->seen_reverts)
		see_reverted(report, next);
	if (!uuid_is_none(report->blank_for) && uuid_equal(report->blank_for, next->takes_over))
		see_blank(report, next);
	if (next->modified_us && !next->modified_end_us && volume_is_as_modified(next))
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
	/* A report for an older generation says nothing about a disk deleted since. */
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
	return volume_forget(op, report->volume);
}

/* ---- shared pools ---- */

/* Another host removes the remains of moves in shared pools. */
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
			continue; /* its target is this host */
		next.host = other;
		TRY(volume_put(op, &next));
	}
	return OK;
}
