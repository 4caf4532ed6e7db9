/* SPDX-License-Identifier: Apache-2.0
 * Snapshots that were deleted: forgotten when no disk is made from them any more. Their file goes
 * before the row does, unless another snapshot has the same content. Woken by the deletion and,
 * while something still stands on it, whenever everything is looked at. */
#include "engine/snapshot.h"

#include "base/file.h"
#include "reconcile/work.h"

struct snapshot_rows {
	const struct snapshot *snapshot; /* NULL: no such row, or live */
	bool is_used, is_shared;
};

static RESULT gather_snapshot(struct step *s, struct snapshot_rows *ret_rows)
{
	*ret_rows = (struct snapshot_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct snapshot *snapshot = snapshot_find(view.tables, s->id);
	if (!snapshot || row_is_live(&snapshot->row))
		return OK;
	ret_rows->snapshot = STEP_COPY(s, KIND_SNAPSHOT, struct snapshot, snapshot);
	ret_rows->is_used = volume_first_by_snapshot(view.tables, s->id) != NULL;
	const struct snapshot *other = snapshot_first_by_sha256(view.tables, snapshot->sha256);
	for (; other; other = snapshot_next_by_sha256(view.tables, other))
		ret_rows->is_shared |= other != snapshot;
	return OK;
}

static RESULT delete_file(struct step *s, const struct snapshot *snapshot)
{
	struct str path = str_print(s->ctx.arena, "%s/%" STR_FMT ".qcow2", s->r->image_directory,
				    STR_ARG(snapshot->sha256));
	return path.p ? file_delete(&s->ctx, path.p) : ctx_no_memory(&s->ctx);
}

RESULT reconcile_step_snapshot(struct step *s)
{
	struct snapshot_rows rows = {0};
	TRY(gather_snapshot(s, &rows));
	if (!rows.snapshot || rows.is_used)
		return OK;
	if (!rows.is_shared && rows.snapshot->sha256.n > 0)
		TRY(delete_file(s, rows.snapshot));
	struct snapshot_forget *forget = STEP_NEW(s, struct snapshot_forget);
	forget->snapshot = s->id;
	step_report(s, engine_forget_snapshot_run, forget);
	return OK;
}
