/* SPDX-License-Identifier: Apache-2.0
 * History within a change: deletes it, which sqlite_prune.c executes, and adds samples of metrics, which it also reads. */
#include "store/prune.h"

#include "base/reads.h"
#include "store/internal.h"
#include "store/series.h"

/* ---- deletions ---- */

static RESULT add_note(struct op *op, const struct note *wanted)
{
	struct note *note = op_new_note(NULL, 0);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for a deletion of history");
	*note = *wanted;
	op_add_note(op, note);
	return OK;
}

RESULT op_prune_events(struct op *op, int64_t before_us)
{
	const struct note note = {.type = NOTE_PRUNE, .before_us = before_us};
	return add_note(op, &note);
}

RESULT op_cut_audit(struct op *op, const struct audit_segment *segment)
{
	const struct note note = {.type = NOTE_AUDIT_CUT, .segment = *segment};
	return add_note(op, &note);
}

RESULT store_read_segment(struct store *s, struct ctx *c, struct audit_segment *ret_segment)
{
	reads_note_outside();
	return s->config.sql->read_segment(s->config.sql, c, ret_segment);
}

/* ---- metrics ---- */

RESULT op_series(struct op *op, const struct series *series)
{
	struct series copy = *series;
	struct str *const texts[] = {&copy.bytes};
	struct note *note = op_new_note(texts, 1);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for figures");
	note->type = NOTE_SERIES;
	note->series = copy;
	op_add_note(op, note);
	return OK;
}

RESULT store_read_series(struct store *s, struct ctx *c, const struct series_query *query,
			 RESULT (*each)(void *arg, const struct series *series), void *arg)
{
	reads_note_outside();
	struct sql_driver *sql = s->config.sql;
	return sql->read_series ? sql->read_series(sql, c, query, each, arg) : OK;
}
