/* SPDX-License-Identifier: Apache-2.0
 * The miniature database (ovn_model.h). */
#include "ovn_model.h"

#include <string.h>

#include "../base/test_base.h"

/* References that neither keep a row alive nor forbid that it goes. */
static bool is_weak(const struct ovsdb_column *column)
{
	return strcmp(column->name, "dns_records") == 0 ||
	       (strcmp(column->table, "Port_Group") == 0 && strcmp(column->name, "ports") == 0);
}

void model_init(struct model *m, const struct ovsdb_schema *schema)
{
	*m = (struct model){schema, json_object()};
	for (size_t k = 0; k < schema->column_count; k++)
		if (!json_object_get(m->tables, schema->columns[k].table))
			json_object_set_new(m->tables, schema->columns[k].table, json_object());
}

void model_done(struct model *m)
{
	json_decref(m->tables);
}

size_t model_count(const struct model *m, const char *table)
{
	return json_object_size(json_object_get(m->tables, table));
}

/* ---- operations ---- */

static const struct ovsdb_column *need_column(const struct model *m, const char *table, const char *name)
{
	const struct ovsdb_column *column = ovsdb_find_column(m->schema, table, name);
	assert_non_null(column);
	return column;
}

static void write_columns(const struct model *m, const char *table, json_t *row, json_t *wire)
{
	const char *name;
	json_t *value;
	json_object_foreach (wire, name, value) {
		json_t *read = ovsdb_value_read(need_column(m, table, name)->type, value);
		assert_non_null(read);
		json_object_set_new(row, name, read);
	}
}

/* The one row that [["_uuid","==",["uuid",X]]] names. */
static const char *find_row_id(const json_t *op)
{
	const json_t *clause = json_array_get(json_object_get(op, "where"), 0);
	const char *id = json_string_value(json_array_get(json_array_get(clause, 2), 1));
	assert_string_equal(json_string_value(json_array_get(clause, 0)), "_uuid");
	assert_non_null(id);
	return id;
}

static void mutate_set(json_t *set, json_t *change, bool insert)
{
	const char *key;
	json_t *value;
	json_object_foreach (change, key, value) {
		if (insert)
			json_object_set(set, key, value);
		else
			json_object_del(set, key);
	}
}

static void mutate_row(const struct model *m, const char *table, json_t *row, const json_t *mutation)
{
	const char *name = json_string_value(json_array_get(mutation, 0));
	const char *how = json_string_value(json_array_get(mutation, 1));
	const json_t *operand = json_array_get(mutation, 2);
	const struct ovsdb_column *column = need_column(m, table, name);
	bool by_key = column->type == OVSDB_MAP &&
		      strcmp(json_string_value(json_array_get(operand, 0)), "set") == 0;
	json_t *value = json_object_get(row, name);
	if (!value) {
		value = json_object();
		json_object_set_new(row, name, value);
	}
	assert_true(!by_key || strcmp(how, "delete") == 0);
	json_t *change = ovsdb_value_read(by_key ? OVSDB_TEXTS : column->type, operand);
	assert_non_null(change);
	mutate_set(value, change, strcmp(how, "insert") == 0);
	json_decref(change);
}

static void execute(struct model *m, const json_t *op)
{
	const char *table = json_string_value(json_object_get(op, "table"));
	const char *kind = json_string_value(json_object_get(op, "op"));
	json_t *rows = json_object_get(m->tables, table);
	assert_non_null(rows);
	if (strcmp(kind, "insert") == 0) {
		const char *id = json_string_value(json_object_get(op, "uuid"));
		assert_null(json_object_get(rows, id));
		json_object_set_new(rows, id, json_object());
		write_columns(m, table, json_object_get(rows, id), json_object_get(op, "row"));
		return;
	}
	const char *id = find_row_id(op);
	json_t *row = json_object_get(rows, id);
	assert_non_null(row); /* count would be 0 */
	if (strcmp(kind, "update") == 0) {
		write_columns(m, table, row, json_object_get(op, "row"));
	} else if (strcmp(kind, "mutate") == 0) {
		mutate_row(m, table, row, json_array_get(json_object_get(op, "mutations"), 0));
	} else {
		assert_string_equal(kind, "delete");
		json_object_del(rows, id);
	}
}

/* ---- at commit ---- */

static bool has_row(const struct model *m, const char *id)
{
	const char *table;
	json_t *rows;
	json_object_foreach (m->tables, table, rows)
		if (json_object_get(rows, id))
			return true;
	return false;
}

static bool is_referred_to(const struct model *m, const char *id)
{
	for (size_t k = 0; k < m->schema->column_count; k++) {
		const struct ovsdb_column *column = &m->schema->columns[k];
		const char *parent;
		json_t *row;
		if (column->type != OVSDB_UUIDS || is_weak(column))
			continue;
		json_object_foreach (json_object_get(m->tables, column->table), parent, row)
			if (json_object_get(json_object_get(row, column->name), id))
				return true;
	}
	return false;
}

static bool collect_once(struct model *m)
{
	const char *table, *id;
	json_t *rows, *row;
	void *next;
	bool any = false;
	json_object_foreach (m->tables, table, rows) {
		if (ovsdb_is_root(m->schema, table))
			continue;
		json_object_foreach_safe(rows, next, id, row)
		{
			if (is_referred_to(m, id))
				continue;
			json_object_del(rows, id);
			any = true;
		}
	}
	return any;
}

static void check_references(const struct model *m, const struct ovsdb_column *column)
{
	const char *parent, *id;
	json_t *row, *value;
	void *next;
	json_object_foreach (json_object_get(m->tables, column->table), parent, row) {
		json_t *set = json_object_get(row, column->name);
		assert_true(!column->never_empty || json_object_size(set) > 0);
		json_object_foreach_safe(set, next, id, value)
		{
			if (has_row(m, id))
				continue;
			assert_true(is_weak(column)); /* else: referential integrity violation */
			json_object_del(set, id);
		}
	}
}

static void check_names(const struct model *m, const char *table)
{
	json_t *names = json_object(), *row;
	const char *id;
	json_object_foreach (json_object_get(m->tables, table), id, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		assert_null(json_object_get(names, name));
		json_object_set_new(names, name, json_true());
	}
	json_decref(names);
}

void model_commit(struct model *m, const json_t *ops)
{
	static const char *const named[] = {"Logical_Switch_Port", "Logical_Router_Port", "Port_Group",
					    "Gateway_Chassis"};
	size_t k;
	json_t *op;
	json_array_foreach ((json_t *) ops, k, op)
		execute(m, op);
	while (collect_once(m))
		continue;
	for (k = 0; k < m->schema->column_count; k++)
		if (m->schema->columns[k].type == OVSDB_UUIDS)
			check_references(m, &m->schema->columns[k]);
	for (k = 0; k < sizeof named / sizeof named[0]; k++)
		check_names(m, named[k]);
}

void model_load(const struct model *m, struct ovsdb_cache *ret_cache)
{
	json_t *tables = json_object(), *rows, *row, *value;
	const char *table, *id, *name;
	json_object_foreach (m->tables, table, rows) {
		json_t *updates = json_object();
		json_object_foreach (rows, id, row) {
			json_t *wire = json_object();
			json_object_foreach (row, name, value)
				json_object_set_new(
					wire, name,
					ovsdb_value_write(need_column(m, table, name)->type, value));
			json_object_set_new(updates, id, json_pack("{s:o}", "initial", wire));
		}
		json_object_set_new(tables, table, updates);
	}
	assert_ok(ovsdb_cache_init(ret_cache, m->schema));
	assert_ok(ovsdb_cache_update(ret_cache, tables, NULL, NULL));
	json_decref(tables);
}

void model_apply(struct model *m, struct ctx *c, struct wish *wish)
{
	struct ovsdb_cache cache;
	json_t *ops = NULL;
	model_load(m, &cache);
	assert_ok(wish_diff(c, wish, &cache, &ops));
	if (ops)
		model_commit(m, ops);
	json_decref(ops);
	ovsdb_cache_done(&cache);
	wish_free(wish);
}

/* ---- values for rows ---- */

uuid make_id(const char *kind, size_t n, size_t m)
{
	char text[64];
	snprintf(text, sizeof text, "%s %zu %zu", kind, n, m);
	return uuid_v5(UUID_NONE, str_from(text));
}

struct cidr make_cidr(const char *text)
{
	struct cidr c;
	assert_ok(cidr_parse(str_from(text), &c));
	return c;
}

struct ip make_ip(const char *text)
{
	struct ip ip;
	assert_ok(ip_parse(str_from(text), &ip));
	return ip;
}

void make_forwardings(size_t router, struct port_forwarding out[static 2])
{
	out[0] = (struct port_forwarding){.row.id = make_id("forwarding", router, 0),
					  .public_first = 2222,
					  .public_last = 2222,
					  .private_first = 22,
					  .private_last = 22,
					  .private_ip = make_ip("10.0.0.10")};
	out[1] = (struct port_forwarding){.row.id = make_id("forwarding", router, 1),
					  .protocol = PORT_FORWARDING_PROTOCOL_UDP,
					  .public_first = 5000,
					  .public_last = 5002,
					  .private_first = 6000,
					  .private_last = 6002,
					  .private_ip = make_ip("10.0.1.10")};
}

void model_check_has(const struct model *a, const struct model *b)
{
	for (size_t k = 0; k < a->schema->column_count; k++) {
		const struct ovsdb_column *column = &a->schema->columns[k];
		const char *id;
		json_t *row, *rows = json_object_get(a->tables, column->table);
		json_object_foreach (json_object_get(b->tables, column->table), id, row)
			assert_true(
				json_object_get(rows, id) &&
				ovsdb_value_equal(column->type, json_object_get(row, column->name),
						  json_object_get(json_object_get(rows, id), column->name)));
	}
}

const json_t *model_find(const struct model *m, const char *table, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return json_object_get(json_object_get(m->tables, table), uuid_write(id, text));
}
