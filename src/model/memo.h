/* SPDX-License-Identifier: Apache-2.0
 * A memo: rows as one text, stored outside of the database with the domain that they describe. If a
 * host has a domain without rows (after a start with an older database), `dari adopt` rebuilds the
 * rows from it.
 *
 * The text is one JSON object in ASCII:
 *     {"memo": 1, "rows": [{"kind": "instance", "id": "ec2…", "gen": 3, "fields": {"name": "…"}}, …]}
 *
 * Each field is as row_field_to_text() writes it, and empty fields are left out. The memo has
 * nothing that was seen, and nothing that is not the row's own (batch, times of creation and
 * deletion, side): adoption looks at the host for these. Pure; any thread. */
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

/* Writes a memo into c's arena. ERR_TOO_LARGE: over MEMO_SIZE_MAX or MEMO_ROWS_MAX. ERR_INVALID: a
 * text is not UTF-8. ERR_NO_MEMORY. */
RESULT memo_write(struct ctx *c, const struct memo *memo, struct str *ret_text);
/* Reads rows into c's arena, each live and as if new: no batch, no times, nothing seen. Fields that
 * this program does not know are skipped, and fields that are left out are empty. ERR_INVALID, in
 * words: the text is no memo. */
RESULT memo_read(struct ctx *c, struct str text, struct memo *ret_memo);
