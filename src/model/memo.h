/* SPDX-License-Identifier: Apache-2.0
 * A memo: rows as one text that is kept with what they stand for, outside of the database, so that
 * what is found on a host without its rows (after a start on an older database) can be adopted.
 *
 * The text is one JSON object in ASCII:
 *     {"memo": 1, "rows": [{"kind": "instance", "id": "ec2…", "gen": 3, "fields": {"name": "…"}}, …]}
 * with every field as row_field_to_text() writes it; empty ones are left out. What was seen and what
 * is not the row's own (batch, times of making and deleting, side) is not in it: who adopts looks for
 * himself. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct memo_row {
	enum kind kind;
	const struct row *row;
};

struct memo {
	const struct memo_row *at;
	size_t count;
};

enum { MEMO_SIZE_MAX = 64 * 1024, MEMO_ROWS_MAX = 256 };

/* ret_text in c's arena. ERR_TOO_LARGE past MEMO_SIZE_MAX or MEMO_ROWS_MAX; ERR_INVALID for a text
 * that is not UTF-8; ERR_NO_MEMORY. */
RESULT memo_write(struct ctx *c, const struct memo *memo, struct str *ret_text);
/* Rows in c's arena, each live and as new: no batch, no times, nothing seen. Fields that this program does
 * not know are skipped, those left out are empty. ERR_INVALID with words for all that is no memo. */
RESULT memo_read(struct ctx *c, struct str text, struct memo *ret_memo);
