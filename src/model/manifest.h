/* SPDX-License-Identifier: Apache-2.0
 * A manifest: rows as one text, stored outside of the database with the domain that they describe. If a
 * host has a domain without rows (after a start with an older database), `dari adopt` rebuilds the
 * rows from it.
 *
 * The text is one JSON object in ASCII:
 *     {"manifest": 1, "rows": [{"kind": "instance", "id": "ec2…", "gen": 3, "fields": {"name": "…"}}, …]}
 *
 * Each field is as row_field_to_text() writes it, and empty fields are left out. The manifest has
 * nothing that was seen, and nothing that is not the row's own (commit, times of creation and
 * deletion, usage): adoption looks at the host for these. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "model/row.h"

struct manifest_row {
	enum kind kind;
	const struct row *row;
};

struct manifest {
	const struct manifest_row *at;
	size_t count;
};

enum { MANIFEST_SIZE_MAX = 64 * 1024, MANIFEST_ROWS_MAX = 256 };

/* Writes a manifest into c's arena. ERR_TOO_LARGE: over MANIFEST_SIZE_MAX or MANIFEST_ROWS_MAX. ERR_INVALID: a
 * text is not UTF-8. ERR_NO_MEMORY. */
RESULT manifest_write(struct ctx *c, const struct manifest *manifest, struct str *ret_text);
/* Reads rows into c's arena, each live and as if new: no commit, no times, nothing seen. Fields that
 * this program does not know are skipped, and fields that are left out are empty. ERR_INVALID, in
 * words: the text is no manifest. */
RESULT manifest_read(struct ctx *c, struct str text, struct manifest *ret_manifest);
