/* SPDX-License-Identifier: Apache-2.0
 * The servers that the region itself connects to. */
#include "engine/region/remotes.h"

#include <string.h>

#include "base/vec.h"
#include "model/kinds.h"

const struct remote_field engine_remote_fields[] = {
	{KIND_HOST, "uri", false},
	{KIND_HOST, "address", true},
	{KIND_HOST, "fence_addresses", true},
	{KIND_STORAGE_POOL, "monitors", true},
	{KIND_DESK, "url", false},
	{KIND_WEBHOOK, "url", false},
	{KIND_SUBSCRIPTION_SERVER, "url", false},
	{KIND_NONE, NULL, false},
};

struct remotes {
	struct str *at;
	size_t count, capacity;
};

/* Writes a bare "10.0.0.5:6789" in OVSDB's form. */
static bool add(struct arena *a, const struct remote_field *f, struct str said, struct remotes *list)
{
	struct str remote = f->is_bare ? str_print(a, "tcp:%" STR_FMT, STR_ARG(said)) : str_copy(a, said);
	return !said.n || (remote.n && VEC_PUSH(a, list, remote));
}

static const struct field *find_field(const struct remote_field *f)
{
	const struct kind_info *k = &model_kinds[f->kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (strcmp(k->fields[n].name, f->field) == 0)
			return &k->fields[n];
	return NULL;
}

static bool add_row(struct arena *a, const struct remote_field *f, const struct row *row,
		    struct remotes *list)
{
	const struct field *field = find_field(f);
	const void *at = field ? (const char *) row + field->offset : NULL;
	if (!field || field->type == FIELD_TEXT)
		return !field || add(a, f, *(const struct str *) at, list);
	const struct strs *texts = at;
	for (size_t k = 0; k < texts->count; k++)
		if (!add(a, f, texts->at[k], list))
			return false;
	return true;
}

bool engine_list_remotes(const struct tables *t, struct arena *a, struct strs *ret_remotes)
{
	struct remotes list = {0};
	for (const struct remote_field *f = engine_remote_fields; f->field; f++)
		for (const struct row *row = tables_first(t, f->kind, 0, NULL, 0); row;
		     row = tables_next(t, f->kind, 0, row, 0))
			if (row_is_live(row) && !add_row(a, f, row, &list))
				return false;
	*ret_remotes = (struct strs){list.at, list.count};
	return true;
}
