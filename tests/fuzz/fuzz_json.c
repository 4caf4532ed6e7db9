/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes JSON that Dari reads back: a domain's manifest, and lists and tags in a row's text. Parsed values
 * can be written, and parsed again with the same result. */
#include <stdlib.h>

#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_manifest(struct ctx *c, struct str text)
{
	struct manifest manifest, again;
	struct str written = STR_NONE;
	if (!result_is_ok(manifest_read(c, text, &manifest)) ||
	    !result_is_ok(manifest_write(c, &manifest, &written)))
		return;
	if (!result_is_ok(manifest_read(c, written, &again)) || again.count != manifest.count)
		abort();
	for (size_t k = 0; k < manifest.count; k++)
		if (!row_equal(&model_kinds[manifest.at[k].kind], manifest.at[k].row, again.at[k].row))
			abort();
}

static void read_field(struct arena *a, const struct kind_info *kind, unsigned n, struct str text)
{
	const struct field *f = &kind->fields[n];
	struct row *row = arena_alloc(a, kind->row_size), *again = arena_alloc(a, kind->row_size);
	if (!row || !again || !result_is_ok(row_field_from_text(a, f, text, row)))
		return;
	struct str written = row_field_to_text(a, f, row);
	if (written.p &&
	    (!result_is_ok(row_field_from_text(a, f, written, again)) || !row_equal(kind, row, again)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctx c;
	if (size < 2)
		return 0;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct str text = {(const char *) data + 2, size - 2};
	ctx_init(&c, arena);
	if (data[0] % 2 == 0) {
		read_manifest(&c, text);
	} else {
		const struct kind_info *kind = &model_kinds[1 + data[0] / 2 % (KIND_COUNT - 1)];
		read_field(arena, kind, data[1] % kind->field_count, text);
	}
	arena_free(arena);
	return 0;
}
