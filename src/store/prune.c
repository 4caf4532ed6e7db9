/* SPDX-License-Identifier: Apache-2.0
 * Changes that delete history. sqlite_prune.c executes them. */
#include "store/prune.h"

#include "store/internal.h"

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
	return s->config.sql->read_segment(s->config.sql, c, ret_segment);
}
