/* SPDX-License-Identifier: Apache-2.0
 * Computes the operations of one transaction from the desired rows and the cache: first new rows, then
 * columns, references, and removals. References are checked at commit, so the order only serves the reader. A
 * non-root row is not deleted but taken out of its parents' sets: the database collects it. Without a
 * difference there is no operation.
 *
 * A switch is removed only if it contains no port of another resource: after a start on an older database,
 * guests without rows may be connected to it. */
#include <stdio.h>
#include <string.h>

#include "drivers/ovn/wish.h"

enum { KEY_SIZE = 160 };

struct diff {
	struct ctx *ctx;
	const struct wish *wish;
	const struct ovsdb_cache *cache;
	json_t *ops, *deletes; /* deletes come last: they end what a mutation must still find */
	json_t *wanted;        /* {"table/uuid": true} of the desired rows */
	json_t *kept;          /* {id: true} of resources whose switch must stay */
	const char *region;
	bool failed; /* out of memory */
};

static void add_op(struct diff *d, json_t *op)
{
	if (json_array_append_new(d->ops, op) < 0)
		d->failed = true;
}

static json_t *make_where(const char *id)
{
	return json_pack("[[s,s,o]]", "_uuid", "==", ovsdb_uuid_write(id));
}

/* Must match exactly one row; wish_check_results() checks that. */
static void add_mutation(struct diff *d, const char *table, const char *id, json_t *mutation)
{
	add_op(d, json_pack("{s:s,s:s,s:o,s:[o]}", "op", "mutate", "table", table, "where", make_where(id),
			    "mutations", mutation));
}

static bool is_ours(const struct diff *d, const json_t *row)
{
	const char *region = ovsdb_row_mark(row, MARK_REGION);
	return region && strcmp(region, d->region) == 0;
}

/* ---- rows ---- */

static void add_column(struct diff *d, json_t *row, const char *table, const char *name, const json_t *value)
{
	const struct ovsdb_column *column = ovsdb_find_column(d->cache->schema, table, name);
	if (!column || json_object_set_new(row, name, ovsdb_value_write(column->type, value)) < 0)
		d->failed = true;
}

/* Desired members of a set of a new row. */
static json_t *gather_children(const struct wish *w, const struct wish_row *parent, const char *column)
{
	char child[UUID_TEXT_SIZE];
	json_t *children = json_object();
	for (size_t k = 0; k < w->rows.count; k++)
		for (const struct wish_edge *edge = w->rows.at[k]->edges; edge; edge = edge->next)
			if (uuid_equal(edge->parent, parent->id) && strcmp(edge->table, parent->table) == 0 &&
			    strcmp(edge->column, column) == 0)
				json_object_set_new(children, uuid_write(w->rows.at[k]->id, child),
						    json_true());
	return children;
}

static void insert_row(struct diff *d, const struct wish_row *row, const char *id)
{
	const struct ovsdb_schema *schema = d->cache->schema;
	json_t *columns = json_object(), *value;
	const char *name;
	json_object_foreach (row->columns, name, value)
		add_column(d, columns, row->table, name, value);
	for (size_t k = 0; k < schema->column_count; k++) {
		if (!schema->columns[k].never_empty || strcmp(schema->columns[k].table, row->table) != 0)
			continue;
		json_t *children = gather_children(d->wish, row, schema->columns[k].name);
		add_column(d, columns, row->table, schema->columns[k].name, children);
		json_decref(children);
	}
	add_op(d, json_pack("{s:s,s:s,s:s,s:o}", "op", "insert", "table", row->table, "uuid", id, "row",
			    columns));
}

/* Changes our own keys only, because others write to the map too (ovn-controller on an Interface). Copies
 * values: the cache's must not be moved into the operations. */
static json_t *merge_marks(const json_t *have, const json_t *want)
{
	json_t *merged = json_object(), *value;
	const char *key;
	int rc = 0;
	json_object_foreach ((json_t *) have, key, value)
		if (strncmp(key, MARK_PREFIX, strlen(MARK_PREFIX)) != 0)
			rc |= json_object_set_new(merged, key, json_copy(value));
	rc |= json_object_update(merged, (json_t *) want);
	if (rc == 0)
		return merged;
	json_decref(merged);
	return NULL;
}

static void update_column(struct diff *d, json_t *columns, const struct wish_row *row, const char *name,
			  const json_t *have, const json_t *want)
{
	const struct ovsdb_column *column = ovsdb_find_column(d->cache->schema, row->table, name);
	if (!column || !ovsdb_value_equal(column->type, have, want))
		add_column(d, columns, row->table, name, want);
}

static void update_row(struct diff *d, const struct wish_row *row, const char *id, const json_t *have)
{
	json_t *columns = json_object(), *value;
	const char *name;
	json_object_foreach (row->columns, name, value)
		if (strcmp(name, "external_ids") != 0)
			update_column(d, columns, row, name, json_object_get(have, name), value);
	json_t *had = json_object_get(have, "external_ids");
	json_t *marks = merge_marks(had, json_object_get(row->columns, "external_ids"));
	if (!marks)
		d->failed = true;
	else
		update_column(d, columns, row, "external_ids", had, marks);
	json_decref(marks);
	if (json_object_size(columns) == 0)
		json_decref(columns);
	else
		add_op(d, json_pack("{s:s,s:s,s:o,s:o}", "op", "update", "table", row->table, "where",
				    make_where(id), "row", columns));
}

static RESULT diff_row(struct diff *d, const struct wish_row *row)
{
	char id[UUID_TEXT_SIZE], key[KEY_SIZE];
	uuid_write(row->id, id);
	snprintf(key, sizeof key, "%s/%s", row->table, id);
	if (json_object_set_new(d->wanted, key, json_true()) < 0)
		d->failed = true;
	const json_t *have = ovsdb_cache_row(d->cache, row->table, id);
	if (!have)
		insert_row(d, row, id);
	else if (!is_ours(d, have))
		return ctx_fail(d->ctx, ERR_CONFLICT, "%s %s exists and is not this region's", row->table,
				id);
	else
		update_row(d, row, id, have);
	return OK;
}

/* ---- references ---- */

static void mutate_edge(struct diff *d, const char *parent_key, const char *child, const char *how)
{
	char table[KEY_SIZE];
	snprintf(table, sizeof table, "%s", parent_key);
	char *column = strchr(table, '/'), *id = strrchr(table, '/');
	*column++ = 0;
	*id++ = 0;
	add_mutation(d, table, id, json_pack("[s,s,[s,[o]]]", column, how, "set", ovsdb_uuid_write(child)));
}

static RESULT check_parent(struct diff *d, const struct wish_edge *edge, const char *id)
{
	char key[KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", edge->table, id);
	if (json_object_get(d->wanted, key) || ovsdb_cache_row(d->cache, edge->table, id))
		return OK;
	return ctx_fail(d->ctx, ERR_AGAIN, "%s %s is not in the database yet", edge->table, id);
}

/* Adds missing edges and removes edges to rows of ours that are not desired. */
static RESULT diff_edges(struct diff *d, const struct wish_row *row)
{
	char child[UUID_TEXT_SIZE], parent[UUID_TEXT_SIZE], key[KEY_SIZE];
	uuid_write(row->id, child);
	json_t *have = ovsdb_cache_parents(d->cache, child), *ignored;
	json_t *left = have ? json_copy(have) : NULL;
	const char *parent_key;
	struct result r = OK;
	for (const struct wish_edge *edge = row->edges; edge && !r.code; edge = edge->next) {
		r = check_parent(d, edge, uuid_write(edge->parent, parent));
		snprintf(key, sizeof key, "%s/%s/%s", edge->table, edge->column, parent);
		if (!json_object_get(have, key))
			mutate_edge(d, key, child, "insert");
		json_object_del(left, key);
	}
	json_object_foreach (left, parent_key, ignored) {
		char table[KEY_SIZE];
		snprintf(table, sizeof table, "%.*s", (int) strcspn(parent_key, "/"), parent_key);
		if (is_ours(d, ovsdb_cache_row(d->cache, table, strrchr(parent_key, '/') + 1)))
			mutate_edge(d, parent_key, child, "delete");
	}
	json_decref(left);
	return r;
}

/* ---- entries of shared maps ---- */

static void delete_entry(struct diff *d, const struct wish_entry *entry, const char *id)
{
	add_mutation(d, entry->table, id,
		     json_pack("[s,s,[s,[s]]]", entry->column, "delete", "set", entry->key));
}

static RESULT diff_entry(struct diff *d, const struct wish_entry *entry)
{
	char id[UUID_TEXT_SIZE];
	const json_t *row = ovsdb_cache_row(d->cache, entry->table, uuid_write(entry->row, id));
	if (!row && !entry->value)
		return OK;
	if (!row)
		return ctx_fail(d->ctx, ERR_AGAIN, "%s %s is not in the database yet", entry->table, id);
	const char *have =
		json_string_value(json_object_get(json_object_get(row, entry->column), entry->key));
	if (have && entry->value && strcmp(have, entry->value) == 0)
		return OK;
	if (have) /* inserting a pair does not replace one with the same key */
		delete_entry(d, entry, id);
	if (entry->value)
		add_mutation(d, entry->table, id,
			     json_pack("[s,s,[s,[[s,s]]]]", entry->column, "insert", "map", entry->key,
				       entry->value));
	return OK;
}

/* ---- removing ---- */

/* True if the switch contains a port of another resource of ours. */
static bool has_others_ports(const struct diff *d, const json_t *row)
{
	char scope[UUID_TEXT_SIZE];
	const char *id;
	json_t *ignored;
	uuid_write(d->wish->scope, scope);
	json_object_foreach (json_object_get(row, "ports"), id, ignored) {
		const json_t *port = ovsdb_cache_row(d->cache, "Logical_Switch_Port", id);
		const char *owner = is_ours(d, port) ? ovsdb_row_mark(port, MARK_SCOPE) : NULL;
		if (owner && strcmp(owner, scope) != 0)
			return true;
	}
	return false;
}

/* Finds switches of our scope that are neither desired nor empty. */
static RESULT find_kept(struct diff *d)
{
	static const char table[] = "Logical_Switch";
	char scope[UUID_TEXT_SIZE];
	const char *member;
	json_t *ignored;
	json_object_foreach (ovsdb_cache_scope(d->cache, uuid_write(d->wish->scope, scope)), member,
			     ignored) {
		size_t n = strlen(table);
		if (strncmp(member, table, n) != 0 || member[n] != '/' || json_object_get(d->wanted, member))
			continue;
		const json_t *row = ovsdb_cache_row(d->cache, table, member + n + 1);
		const char *id = ovsdb_row_mark(row, MARK_ID);
		if (id && is_ours(d, row) && has_others_ports(d, row) &&
		    json_object_set_new(d->kept, id, json_true()) < 0)
			d->failed = true;
	}
	if (d->wish->rows.count == 0 && json_object_size(d->kept) > 0)
		return ctx_fail(d->ctx, ERR_AGAIN, "ports of other resources are still in it");
	return OK;
}

static bool is_kept(const struct diff *d, const json_t *row)
{
	const char *id = ovsdb_row_mark(row, MARK_ID);
	return id && json_object_get(d->kept, id);
}

/* True if this diff removes the row: it is in our scope and not desired. */
static bool is_going(const struct diff *d, const char *parent_key)
{
	char key[KEY_SIZE], scope[UUID_TEXT_SIZE];
	int table_size = (int) strcspn(parent_key, "/");
	snprintf(key, sizeof key, "%.*s%s", table_size, parent_key, strrchr(parent_key, '/'));
	const json_t *members = ovsdb_cache_scope(d->cache, uuid_write(d->wish->scope, scope));
	const char *id = strchr(key, '/') + 1;
	char table[KEY_SIZE];
	snprintf(table, sizeof table, "%.*s", table_size, parent_key);
	return json_object_get(members, key) && !json_object_get(d->wanted, key) &&
	       !is_kept(d, ovsdb_cache_row(d->cache, table, id));
}

static void remove_row(struct diff *d, const char *table, const char *id)
{
	const char *parent_key;
	json_t *ignored;
	json_object_foreach (ovsdb_cache_parents(d->cache, id), parent_key, ignored)
		if (!is_going(d, parent_key))
			mutate_edge(d, parent_key, id, "delete");
	if (ovsdb_is_root(d->cache->schema, table) &&
	    json_array_append_new(d->deletes, json_pack("{s:s,s:s,s:o}", "op", "delete", "table", table,
							"where", make_where(id))) < 0)
		d->failed = true;
}

static void remove_unwanted(struct diff *d)
{
	char scope[UUID_TEXT_SIZE], table[KEY_SIZE];
	const char *member;
	json_t *ignored;
	json_object_foreach (ovsdb_cache_scope(d->cache, uuid_write(d->wish->scope, scope)), member,
			     ignored) {
		if (json_object_get(d->wanted, member))
			continue;
		snprintf(table, sizeof table, "%s", member);
		char *id = strchr(table, '/');
		*id++ = 0;
		const json_t *row = ovsdb_cache_row(d->cache, table, id);
		if (is_ours(d, row) && !is_kept(d, row))
			remove_row(d, table, id);
	}
}

static RESULT diff_all(struct diff *d)
{
	const struct wish *w = d->wish;
	for (size_t k = 0; k < w->rows.count; k++)
		TRY(diff_row(d, w->rows.at[k]));
	for (size_t k = 0; k < w->rows.count; k++)
		TRY(diff_edges(d, w->rows.at[k]));
	for (size_t k = 0; k < w->entries.count; k++)
		TRY(diff_entry(d, &w->entries.at[k]));
	TRY(find_kept(d));
	remove_unwanted(d);
	if (json_array_extend(d->ops, d->deletes) < 0)
		d->failed = true;
	return d->failed ? ctx_no_memory(d->ctx) : OK;
}

RESULT wish_diff(struct ctx *c, const struct wish *w, const struct ovsdb_cache *cache, json_t **ret_ops)
{
	char region[UUID_TEXT_SIZE];
	struct diff d = {.ctx = c, .wish = w, .cache = cache, .region = uuid_write(w->region, region)};
	d.ops = json_array();
	d.deletes = json_array();
	d.wanted = json_object();
	d.kept = json_object();
	struct result r =
		w->failed || !d.ops || !d.deletes || !d.wanted || !d.kept ? ctx_no_memory(c) : diff_all(&d);
	json_decref(d.deletes);
	json_decref(d.wanted);
	json_decref(d.kept);
	if (r.code || json_array_size(d.ops) == 0) {
		json_decref(d.ops);
		d.ops = NULL;
	}
	if (!r.code)
		*ret_ops = d.ops;
	return r;
}

RESULT wish_check_results(struct ctx *c, const json_t *ops, const json_t *results)
{
	size_t k;
	json_t *op;
	json_array_foreach ((json_t *) ops, k, op) {
		const char *name = json_string_value(json_object_get(op, "op"));
		const json_t *count = json_object_get(json_array_get(results, k), "count");
		if (name && strcmp(name, "insert") != 0 && json_is_integer(count) &&
		    json_integer_value(count) != 1)
			return ctx_fail(c, ERR_AGAIN, "the database changed under operation %zu", k);
	}
	return OK;
}
