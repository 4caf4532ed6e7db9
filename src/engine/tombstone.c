/* SPDX-License-Identifier: Apache-2.0
 * Ended resources: listed for a while, then forgotten; and deleted ones, once nothing is left of them. Called by:
 * reconcile/tombstone.c. */
#include "engine/tombstone.h"

#include "base/clock.h"

/* The one that ended first if the list is full, else NULL. The limit keeps repeated creation and deletion
 * from filling the memory. */
static const struct row *find_surplus(const struct tables *t, enum kind kind, const struct row *like,
				      unsigned index)
{
	int count = 0;
	const struct row *oldest = NULL;
	for (const struct row *row = tables_first(t, kind, index, like, 1); row;
	     row = tables_next(t, kind, index, row, 1)) {
		count += !row_is_live(row);
		if (!row_is_live(row) && (!oldest || row->deleted_us < oldest->deleted_us))
			oldest = row;
	}
	return count >= TOMBSTONES_LISTED_MAX ? oldest : NULL;
}

RESULT tombstone_leave(struct op *op, enum kind kind, const struct row *row, unsigned index)
{
	const struct row *surplus = find_surplus(op->head, kind, row, index);
	if (surplus)
		TRY(op_forget(op, kind, surplus->id));
	return op_delete(op, kind, row->id);
}

RESULT engine_forget_tombstone(struct op *op, struct tombstone *wish)
{
	const struct row *row = tables_find(op->head, wish->kind, wish->id);
	if (!row)
		return OK;
	if (row_is_live(row) || op->now_us < row->deleted_us + ENDED_LISTED_US)
		return ctx_fail_kind(op->ctx, ERR_STATE, wish->kind, "It is still listed.");
	return op_forget(op, wish->kind, wish->id);
}

RESULT engine_forget_deleted(struct op *op, struct tombstone *wish)
{
	const struct row *row = tables_find(op->head, wish->kind, wish->id);
	if (!row)
		return OK;
	if (row_is_live(row))
		return ctx_fail_kind(op->ctx, ERR_STATE, wish->kind, "It is not deleted.");
	return op_forget(op, wish->kind, wish->id);
}
