/* SPDX-License-Identifier: Apache-2.0
 * Builds the desired rows (wish.h). */
#include "drivers/ovn/wish.h"

void wish_init(struct wish *w, struct arena *arena, uuid region, uuid scope, const char *kind)
{
	*w = (struct wish){.arena = arena, .region = region, .scope = scope, .kind = kind, .id = scope};
}

void wish_free(struct wish *w)
{
	if (!w)
		return;
	for (size_t k = 0; k < w->rows.count; k++)
		json_decref(w->rows.at[k]->columns);
	w->rows.count = 0;
}

static json_t *make_marks(uuid region, uuid scope, const char *kind, uuid id)
{
	char region_text[UUID_TEXT_SIZE], scope_text[UUID_TEXT_SIZE], id_text[UUID_TEXT_SIZE];
	return json_pack("{s:s,s:s,s:s,s:s}", MARK_REGION, uuid_write(region, region_text), MARK_SCOPE,
			 uuid_write(scope, scope_text), MARK_KIND, kind, MARK_ID, uuid_write(id, id_text));
}

static struct wish_row *add_row(struct wish *w, struct wish_row row, json_t *marks)
{
	struct wish_row *copy = arena_new_object(w->arena, struct wish_row);
	bool ok = !w->failed && copy && row.columns;
	if (json_object_set_new(row.columns, "external_ids", marks) < 0 || !ok ||
	    !VEC_PUSH(w->arena, &w->rows, copy)) {
		json_decref(row.columns);
		w->failed = true;
		return NULL;
	}
	*copy = row;
	return copy;
}

struct wish_row *wish_add_row(struct wish *w, const char *table, uuid id, json_t *columns)
{
	return add_row(w, (struct wish_row){.table = table, .id = id, .columns = columns},
		       make_marks(w->region, w->scope, w->kind, w->id));
}

struct wish_row *wish_add_shared_row(struct wish *w, const char *table, uuid id, const char *kind,
				     uuid marked, json_t *columns)
{
	return add_row(w, (struct wish_row){.table = table, .id = id, .columns = columns, .shared = true},
		       make_marks(w->region, w->region, kind, marked));
}

void wish_add_mark(struct wish *w, struct wish_row *row, const char *key, struct str value)
{
	if (!row || json_object_set_new(json_object_get(row->columns, "external_ids"), key,
					json_stringn(value.p ? value.p : "", value.n)) < 0)
		w->failed = true;
}

void wish_add_edge(struct wish *w, struct wish_row *row, const char *table, const char *column, uuid parent)
{
	struct wish_edge *edge = arena_new_object(w->arena, struct wish_edge);
	if (!row || !edge) {
		w->failed = true;
		return;
	}
	*edge = (struct wish_edge){row->edges, table, column, parent};
	row->edges = edge;
}

void wish_add_entry(struct wish *w, const char *table, const char *column, uuid row, struct str key,
		    struct str value)
{
	struct wish_entry entry = {table, column, row, str_to_z(w->arena, key), NULL};
	if (value.n)
		entry.value = str_to_z(w->arena, value);
	if (arena_is_full(w->arena) || !VEC_PUSH(w->arena, &w->entries, entry))
		w->failed = true;
}

struct str wish_take_text(struct wish *w, struct buf *b)
{
	if (!result_is_ok(buf_finish(b)))
		w->failed = true;
	struct str text = str_copy(w->arena, buf_str(b));
	buf_done(b);
	return text;
}
