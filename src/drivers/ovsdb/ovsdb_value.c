/* SPDX-License-Identifier: Apache-2.0
 * The canonical form of column values (ovsdb_value.h). */
#include "drivers/ovsdb/ovsdb_value.h"

#include <string.h>

/* Second element of ["tag", x], or NULL for anything else. */
static json_t *get_tagged(const json_t *wire, const char *tag)
{
	const char *first = json_string_value(json_array_get(wire, 0));
	if (!first || strcmp(first, tag) != 0 || json_array_size(wire) != 2)
		return NULL;
	return json_array_get(wire, 1);
}

json_t *ovsdb_uuid_write(const char *text)
{
	return json_pack("[s,s]", "uuid", text);
}

static const char *read_element(enum ovsdb_type type, const json_t *wire)
{
	if (type == OVSDB_UUIDS || type == OVSDB_OPT_UUID)
		wire = get_tagged(wire, "uuid");
	return json_string_value(wire);
}

static json_t *read_set(enum ovsdb_type type, const json_t *wire)
{
	json_t *set = json_object();
	json_t *elements = get_tagged(wire, "set");
	size_t count = elements ? json_array_size(elements) : 1;
	for (size_t k = 0; k < count; k++) {
		const char *key = read_element(type, elements ? json_array_get(elements, k) : wire);
		if (!key || json_object_set_new(set, key, json_true()) < 0) {
			json_decref(set);
			return NULL;
		}
	}
	return set;
}

static json_t *read_map(enum ovsdb_type type, const json_t *wire)
{
	json_t *pairs = get_tagged(wire, "map");
	if (!json_is_array(pairs))
		return NULL;
	json_t *map = json_object(), *pair;
	size_t k;
	json_array_foreach (pairs, k, pair) {
		const char *key = json_string_value(json_array_get(pair, 0));
		json_t *value = json_array_get(pair, 1);
		bool fits = type == OVSDB_MAP ? json_is_string(value) : json_is_integer(value);
		if (!key || !fits || json_object_set(map, key, value) < 0) {
			json_decref(map);
			return NULL;
		}
	}
	return map;
}

static json_t *read_atom(enum ovsdb_type type, const json_t *wire)
{
	bool fits = type == OVSDB_INT || type == OVSDB_OPT_INT     ? json_is_integer(wire)
		    : type == OVSDB_BOOL || type == OVSDB_OPT_BOOL ? json_is_boolean(wire)
								   : json_is_string(wire);
	return fits ? json_incref((json_t *) wire) : NULL;
}

static json_t *read_optional(enum ovsdb_type type, const json_t *wire)
{
	json_t *elements = get_tagged(wire, "set");
	if (elements && json_array_size(elements) == 0)
		return json_null();
	if (elements)
		wire = json_array_get(elements, 0);
	if (type == OVSDB_OPT_UUID)
		wire = get_tagged(wire, "uuid");
	return read_atom(type, wire);
}

json_t *ovsdb_value_read(enum ovsdb_type type, const json_t *wire)
{
	switch (type) {
	case OVSDB_TEXT:
	case OVSDB_INT:
	case OVSDB_BOOL:
		return read_atom(type, wire);
	case OVSDB_OPT_TEXT:
	case OVSDB_OPT_INT:
	case OVSDB_OPT_BOOL:
	case OVSDB_OPT_UUID:
		return read_optional(type, wire);
	case OVSDB_TEXTS:
	case OVSDB_UUIDS:
		return read_set(type, wire);
	case OVSDB_MAP:
	case OVSDB_INTS:
		return read_map(type, wire);
	}
	return NULL;
}

static json_t *write_set(enum ovsdb_type type, const json_t *value)
{
	json_t *elements = json_array();
	const char *key;
	json_t *ignored;
	json_object_foreach ((json_t *) value, key, ignored) {
		json_t *element = type == OVSDB_UUIDS ? ovsdb_uuid_write(key) : json_string(key);
		if (json_array_append_new(elements, element) < 0) {
			json_decref(elements);
			return NULL;
		}
	}
	return json_pack("[s,o]", "set", elements);
}

static json_t *write_map(const json_t *value)
{
	json_t *pairs = json_array();
	const char *key;
	json_t *text;
	json_object_foreach ((json_t *) value, key, text) {
		if (json_array_append_new(pairs, json_pack("[s,O]", key, text)) < 0) {
			json_decref(pairs);
			return NULL;
		}
	}
	return json_pack("[s,o]", "map", pairs);
}

json_t *ovsdb_value_write(enum ovsdb_type type, const json_t *value)
{
	switch (type) {
	case OVSDB_TEXTS:
	case OVSDB_UUIDS:
		return write_set(type, value);
	case OVSDB_MAP:
	case OVSDB_INTS:
		return write_map(value);
	case OVSDB_OPT_TEXT:
	case OVSDB_OPT_INT:
	case OVSDB_OPT_BOOL:
	case OVSDB_OPT_UUID:
		if (!value || json_is_null(value))
			return json_pack("[s,[]]", "set");
		if (type == OVSDB_OPT_UUID)
			return ovsdb_uuid_write(json_string_value(value));
		break;
	case OVSDB_TEXT:
	case OVSDB_INT:
	case OVSDB_BOOL:
		break;
	}
	return json_incref((json_t *) value);
}

static bool is_default(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) == 0;
	case JSON_STRING:
		return json_string_length(value) == 0;
	case JSON_INTEGER:
		return json_integer_value(value) == 0;
	case JSON_NULL:
	case JSON_FALSE:
		return true;
	case JSON_ARRAY:
	case JSON_REAL:
	case JSON_TRUE:
		break;
	}
	return false;
}

bool ovsdb_value_equal(enum ovsdb_type type, const json_t *a, const json_t *b)
{
	bool optional = type == OVSDB_OPT_TEXT || type == OVSDB_OPT_INT || type == OVSDB_OPT_BOOL;
	if (!a || !b) {
		const json_t *there = a ? a : b;
		return !there || (optional ? json_is_null(there) : is_default(there));
	}
	return json_equal(a, b);
}

/* Applies a set difference: toggles the elements. */
static bool change_set(json_t *set, const json_t *change)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) change, key, value)
		if (json_object_del(set, key) < 0 && json_object_set(set, key, value) < 0)
			return false;
	return true;
}

/* Applies a map difference: a pair with the same value is removed; any other is added or replaced. */
static bool change_map(json_t *map, const json_t *change)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) change, key, value) {
		const json_t *have = json_object_get(map, key);
		int rc = have && json_equal(have, value) ? json_object_del(map, key)
							 : json_object_set(map, key, value);
		if (rc < 0)
			return false;
	}
	return true;
}

json_t *ovsdb_value_change(enum ovsdb_type type, json_t *old, const json_t *change)
{
	bool is_set = type == OVSDB_TEXTS || type == OVSDB_UUIDS;
	if (!is_set && type != OVSDB_MAP && type != OVSDB_INTS)
		return json_incref((json_t *) change);
	json_t *value = old ? json_incref(old) : json_object();
	if (is_set ? change_set(value, change) : change_map(value, change))
		return value;
	json_decref(value);
	return NULL;
}
