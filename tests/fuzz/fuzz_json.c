/* SPDX-License-Identifier: Apache-2.0
 * JSON that we read back: a domain's memo, and lists and tags in a row's text. What was read can be
 * written, and read again as the same. */
#include <stdlib.h>

#include "model/memo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_memo(struct ctx *c, struct str text)
{
	struct memo memo, again;
	struct str written = STR_NONE;
	if (!result_is_ok(memo_read(c, text, &memo)) || !result_is_ok(memo_write(c, &memo, &written)))
		return;
	if (!result_is_ok(memo_read(c, written, &again)) || again.count != memo.count)
		abort();
	for (size_t k = 0; k < memo.count; k++)
		if (!row_equal(&model_kinds[memo.at[k].kind], memo.at[k].row, again.at[k].row))
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
		read_memo(&c, text);
	} else {
		const struct kind_info *kind = &model_kinds[1 + data[0] / 2 % (KIND_COUNT - 1)];
		read_field(arena, kind, data[1] % kind->field_count, text);
	}
	arena_free(arena);
	return 0;
}
