/* SPDX-License-Identifier: Apache-2.0
 * Adds usage samples within a change, and reads them back. */
#include "store/series.h"

#include "store/internal.h"

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
	struct sql_driver *sql = s->config.sql;
	return sql->read_series ? sql->read_series(sql, c, query, each, arg) : OK;
}
