/* SPDX-License-Identifier: Apache-2.0
 * Keeps rows and their two indexes consistent with the database (ovsdb_cache.h). */
#include "drivers/ovsdb/ovsdb_cache.h"

#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 160 };

const struct ovsdb_column *ovsdb_find_column(const struct ovsdb_schema *s, const char *table,
					     const char *name)
{
	for (size_t k = 0; k < s->column_count; k++)
		if (strcmp(s->columns[k].table, table) == 0 && strcmp(s->columns[k].name, name) == 0)
			return &s->columns[k];
	return NULL;
}

bool ovsdb_is_root(const struct ovsdb_schema *s, const char *table)
{
	for (size_t k = 0; s->roots[k]; k++)
		if (strcmp(s->roots[k], table) == 0)
			return true;
	return false;
}

RESULT ovsdb_cache_init(struct ovsdb_cache *cache, const struct ovsdb_schema *schema)
{
	*cache = (struct ovsdb_cache){schema, json_object(), json_object(), json_object()};
	bool ok = cache->tables && cache->scopes && cache->parents;
	for (size_t k = 0; ok && k < schema->column_count; k++)
		if (!json_object_get(cache->tables, schema->columns[k].table))
			ok = json_object_set_new(cache->tables, schema->columns[k].table, json_object()) == 0;
	return ok ? OK : FAIL(NO_MEMORY);
}

void ovsdb_cache_done(struct ovsdb_cache *cache)
{
	json_decref(cache->tables);
	json_decref(cache->scopes);
	json_decref(cache->parents);
	*cache = (struct ovsdb_cache){0};
}

json_t *ovsdb_cache_table(const struct ovsdb_cache *cache, const char *table)
{
	return json_object_get(cache->tables, table);
}

json_t *ovsdb_cache_row(const struct ovsdb_cache *cache, const char *table, const char *id)
{
	return json_object_get(json_object_get(cache->tables, table), id);
}

json_t *ovsdb_cache_scope(const struct ovsdb_cache *cache, const char *scope)
{
	return json_object_get(cache->scopes, scope);
}

json_t *ovsdb_cache_parents(const struct ovsdb_cache *cache, const char *id)
{
	return json_object_get(cache->parents, id);
}

const char *ovsdb_row_mark(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(json_object_get(row, "external_ids"), key));
}

/* ---- indexes: {group: {member: true}} ---- */

static bool index_add(json_t *index, const char *group, const char *member)
{
	json_t *members = json_object_get(index, group);
	if (!members) {
		members = json_object();
		if (json_object_set_new(index, group, members) < 0)
			return false;
	}
	return json_object_set_new(members, member, json_true()) == 0;
}

static void index_remove(json_t *index, const char *group, const char *member)
{
	json_t *members = json_object_get(index, group);
	json_object_del(members, member);
	if (members && json_object_size(members) == 0)
		json_object_del(index, group);
}

/* A row that is being updated. */
struct row_at {
	struct ovsdb_cache *cache;
	const char *table, *id;
};

static bool index_scope(const struct row_at *at, const json_t *row, bool there)
{
	const char *scope = ovsdb_row_mark(row, at->cache->schema->scope_key);
	char member[KEY_SIZE];
	if (!scope)
		return true;
	snprintf(member, sizeof member, "%s/%s", at->table, at->id);
	if (there)
		return index_add(at->cache->scopes, scope, member);
	index_remove(at->cache->scopes, scope, member);
	return true;
}

/* Toggles the children that are in one of the two sets only; old NULL: adds all. */
static bool index_children(const struct row_at *at, const char *column, const json_t *children,
			   const json_t *old)
{
	char member[KEY_SIZE];
	const char *child;
	json_t *ignored;
	snprintf(member, sizeof member, "%s/%s/%s", at->table, column, at->id);
	json_object_foreach ((json_t *) children, child, ignored) {
		if (json_object_get(old, child))
			index_remove(at->cache->parents, child, member);
		else if (!index_add(at->cache->parents, child, member))
			return false;
	}
	return true;
}

static bool index_row(const struct row_at *at, const json_t *row, bool there)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *) row, name, value) {
		const struct ovsdb_column *column = ovsdb_find_column(at->cache->schema, at->table, name);
		if (column && column->type == OVSDB_UUIDS &&
		    !index_children(at, name, value, there ? NULL : value))
			return false;
	}
	return index_scope(at, row, there);
}

/* ---- row changes ---- */

/* Columns of the wire in canonical form; NULL: malformed. */
static json_t *read_columns(const struct row_at *at, const json_t *wire)
{
	json_t *columns = json_object();
	const char *name;
	json_t *value;
	if (!json_is_object(wire)) {
		json_decref(columns);
		return NULL;
	}
	json_object_foreach ((json_t *) wire, name, value) {
		const struct ovsdb_column *column = ovsdb_find_column(at->cache->schema, at->table, name);
		if (!column ||
		    json_object_set_new(columns, name, ovsdb_value_read(column->type, value)) < 0) {
			json_decref(columns);
			return NULL;
		}
	}
	return columns;
}

static bool delete_row(const struct row_at *at)
{
	json_t *rows = ovsdb_cache_table(at->cache, at->table);
	const json_t *row = json_object_get(rows, at->id);
	if (row && !index_row(at, row, false))
		return false;
	json_object_del(rows, at->id);
	return true;
}

static bool insert_row(const struct row_at *at, const json_t *columns)
{
	json_t *row = json_copy((json_t *) columns);
	return delete_row(at) &&
	       json_object_set_new(ovsdb_cache_table(at->cache, at->table), at->id, row) == 0 &&
	       index_row(at, row, true);
}

static bool modify_column(const struct row_at *at, json_t *row, const char *name, const json_t *change)
{
	const struct ovsdb_column *column = ovsdb_find_column(at->cache->schema, at->table, name);
	json_t *old = json_object_get(row, name);
	if (column->type == OVSDB_UUIDS && !index_children(at, name, change, old))
		return false;
	return json_object_set_new(row, name, ovsdb_value_change(column->type, old, change)) == 0;
}

static bool modify_row(const struct row_at *at, const json_t *columns)
{
	json_t *row = ovsdb_cache_row(at->cache, at->table, at->id), *change;
	const char *name;
	if (!row || !index_scope(at, row, false))
		return false;
	json_object_foreach ((json_t *) columns, name, change)
		if (!modify_column(at, row, name, change))
			return false;
	return index_scope(at, row, true);
}

static RESULT update_row(const struct row_at *at, const json_t *update, ovsdb_changed changed, void *arg)
{
	const json_t *whole = json_object_get(update, "initial"), *part = json_object_get(update, "modify");
	if (!whole)
		whole = json_object_get(update, "insert");
	json_t *columns = NULL, *gone = NULL;
	bool ok;
	if (whole || part) {
		columns = read_columns(at, whole ? whole : part);
		ok = columns && (whole ? insert_row(at, columns) : modify_row(at, columns));
	} else {
		gone = json_incref(ovsdb_cache_row(at->cache, at->table, at->id));
		ok = json_object_get(update, "delete") && delete_row(at);
	}
	if (ok && changed) {
		const json_t *row = ovsdb_cache_row(at->cache, at->table, at->id);
		changed(arg, &(struct ovsdb_change){at->table, at->id, row, columns, gone});
	}
	json_decref(gone);
	json_decref(columns);
	return ok ? OK : FAIL(IO);
}

RESULT ovsdb_cache_update(struct ovsdb_cache *cache, const json_t *tables, ovsdb_changed changed, void *arg)
{
	const char *table, *id;
	json_t *rows, *update;
	uuid parsed;
	if (!json_is_object(tables))
		return FAIL(IO);
	json_object_foreach ((json_t *) tables, table, rows) {
		if (!ovsdb_cache_table(cache, table))
			return FAIL(IO);
		json_object_foreach (rows, id, update) {
			if (uuid_parse(str_from(id), &parsed).code)
				return FAIL(IO);
			TRY(update_row(&(struct row_at){cache, table, id}, update, changed, arg));
		}
	}
	return OK;
}
