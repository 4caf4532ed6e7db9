/* SPDX-License-Identifier: Apache-2.0
 * Extra attributes of users, groups, roles, projects and domains: names and values without meaning here,
 * stored and returned unchanged. */
#include "engine/internal.h"
#include "engine/people/keystone_extra_internal.h"

static struct tag *place_of(struct tag *sorted, size_t count, struct str key)
{
	size_t at = 0;
	while (at < count && str_compare(sorted[at].key, key) < 0)
		at++;
	return &sorted[at];
}

RESULT keystone_extra_add(struct op *op, enum kind kind, struct tags more, struct tags *extra)
{
	size_t count = extra->count, size = 0;
	if (!more.count)
		return OK;
	struct tag *next = arena_new_array(op->ctx->arena, struct tag, count + more.count);
	if (!next)
		return ctx_no_memory(op->ctx);
	if (count)
		memcpy(next, extra->at, count * sizeof *next);
	for (size_t n = 0; n < more.count; n++) {
		struct tag *at = place_of(next, count, more.at[n].key);
		if (at == next + count || !str_equal(at->key, more.at[n].key)) {
			memmove(at + 1, at, (size_t) (next + count - at) * sizeof *next);
			count++;
		}
		if (more.at[n].value.n) {
			*at = more.at[n];
			continue;
		}
		memmove(at, at + 1, (size_t) (next + count - at - 1) * sizeof *next);
		count--;
	}
	for (size_t n = 0; n < count; n++)
		size += next[n].key.n + next[n].value.n;
	if (count > EXTRA_COUNT_MAX || size > EXTRA_SIZE_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, (int) kind,
				     "There are at most %d further attributes, of %d bytes in all.",
				     EXTRA_COUNT_MAX, EXTRA_SIZE_MAX);
	*extra = (struct tags){next, count};
	return OK;
}
