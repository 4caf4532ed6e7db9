/* SPDX-License-Identifier: Apache-2.0
 * The servers that the region itself connects to. */
#include "engine/region/remotes.h"

#include <string.h>

#include "base/vec.h"
#include "model/kinds.h"

const struct remote_field engine_remote_fields[] = {
	{KIND_HOST, "uri", false, NULL},
	{KIND_HOST, "address", true, NULL},
	{KIND_HOST, "fence_addresses", true, NULL},
	{KIND_STORAGE_POOL, "monitors", true, NULL},
	{KIND_DESK, "url", false, NULL},
	{KIND_WEBHOOK, "url", false, NULL},
	{KIND_SUBSCRIPTION_SERVER, "url", false, NULL},
	/* An endpoint that an account gave is not registered: that would close it to other accounts. */
	{KIND_PROVIDER, "endpoint", false, "is_trusted"},
	{KIND_NONE, NULL, false, NULL},
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

static const struct field *find_field(enum kind kind, const char *name)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (strcmp(k->fields[n].name, name) == 0)
			return &k->fields[n];
	return NULL;
}

static bool is_listed(const struct remote_field *f, const struct row *row)
{
	const struct field *only = f->only ? find_field(f->kind, f->only) : NULL;
	return row_is_live(row) &&
	       (!only || *(const bool *) (const void *) ((const char *) row + only->offset));
}

static bool add_row(struct arena *a, const struct remote_field *f, const struct row *row,
		    struct remotes *list)
{
	const struct field *field = find_field(f->kind, f->field);
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
			if (is_listed(f, row) && !add_row(a, f, row, &list))
				return false;
	*ret_remotes = (struct strs){list.at, list.count};
	return true;
}
