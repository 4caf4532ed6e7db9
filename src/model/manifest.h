/* SPDX-License-Identifier: Apache-2.0
 * A manifest: rows as one text, stored with the domain they describe, outside the database. If a host has a
 * domain without rows (e.g. after starting with an older database), `dari adopt` rebuilds the rows from it.
 *
 * The text is a JSON object in ASCII:
 *
 *     {"manifest": 1, "rows": [{"kind": "instance", "id": "ec2…", "gen": 3, "fields": {"name": "…"}}, …]}
 *
 * Fields are written by row_field_to_text(); those with a new row's value are omitted. The manifest contains no seen values and
 * no administrative ones (commit, times of creation and deletion, usage), which adoption reads from the host.
 * Pure; any thread. */
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
/* Parses rows into c's arena, each live and like a new one: no commit, times or seen values. Unknown fields
 * are skipped, and missing fields are empty. ERR_INVALID, with a message: not a manifest. */
RESULT manifest_read(struct ctx *c, struct str text, struct manifest *ret_manifest);
