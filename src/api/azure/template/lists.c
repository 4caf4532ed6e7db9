/* SPDX-License-Identifier: Apache-2.0
 * Functions of lists and objects, and those that take texts, too. Source: "Array functions", "Object functions". */
#include "api/azure/template/internal.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

enum { RANGE_MAX = 10000 };

static RESULT fail_any(struct template *t, const struct template_call *call)
{
	return function_fail(
		t, call,
		"the argument must be an array, an object or a string, and is of type '%s'", /* guessed */
		template_type_word(call->args[0]));
}

RUN(createArray)
{
	json_auto_t *to = json_array();
	for (size_t k = 0; k < call->count; k++)
		if (json_array_append(to, call->args[k]))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

RUN(array)
{
	if (!json_is_array(call->args[0]))
		return run_createArray(t, call, ret);
	*ret = call->args[0];
	return OK;
}

RUN(createObject)
{
	json_auto_t *to = json_object();
	struct str key;
	if (call->count % 2)
		return function_fail(t, call, "each key needs a value"); /* guessed */
	for (size_t k = 0; k < call->count; k += 2) {
		TRY(function_text(t, call, k, &key));
		if (json_object_set(to, str_to_z(t->c->arena, key), call->args[k + 1]))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret);
}

static size_t count_characters(const json_t *text)
{
	size_t count = 0;
	struct str s = template_text_of(text);
	for (size_t k = 0; k < s.n; k++)
		count += ((unsigned char) s.p[k] & 0xc0) != 0x80;
	return count;
}

RUN(length)
{
	const json_t *v = call->args[0];
	if (!json_is_array(v) && !json_is_object(v) && !json_is_string(v))
		return fail_any(t, call);
	size_t count = json_is_array(v)    ? json_array_size(v)
		       : json_is_object(v) ? json_object_size(v)
					   : count_characters(v);
	return template_keep(t, json_integer((json_int_t) count), ret);
}

RUN(empty)
{
	const json_t *v = call->args[0];
	if (!json_is_array(v) && !json_is_object(v) && !json_is_string(v) && !json_is_null(v))
		return fail_any(t, call);
	*ret = json_boolean(!json_array_size(v) && !json_object_size(v) && !json_string_length(v));
	return OK;
}

/* A part of a text, a member of an object, an element of a list. */
RUN(contains)
{
	json_t *v = call->args[0];
	struct str part;
	bool has = false;
	if (json_is_array(v)) {
		TRY(template_has_element(t, v, call->args[1], &has));
	} else if (json_is_string(v)) {
		TRY(function_text(t, call, 1, &part));
		has = str_contains(template_text_of(v), part);
	} else if (json_is_object(v)) {
		TRY(function_text(t, call, 1, &part));
		has = template_get(v, str_to_z(t->c->arena, part)) != NULL;
	} else {
		return fail_any(t, call);
	}
	*ret = json_boolean(has);
	return OK;
}

/* The first or the last element, or character. */
static RESULT take_end(struct template *t, const struct template_call *call, bool is_last, json_t **ret)
{
	const json_t *v = call->args[0];
	size_t count = json_array_size(v);
	struct str s = template_text_of(v);
	if (json_is_array(v)) {
		*ret = count ? json_array_get(v, is_last ? count - 1 : 0) : json_null();
		return OK;
	}
	if (!json_is_string(v))
		return fail_any(t, call);
	size_t from = is_last && s.n ? s.n - 1 : 0;
	while (is_last && from && ((unsigned char) s.p[from] & 0xc0) == 0x80)
		from--;
	size_t end = from + (s.n > 0);
	while (end < s.n && ((unsigned char) s.p[end] & 0xc0) == 0x80)
		end++;
	return template_keep_text(t, str_slice(s, from, end), ret);
}
RUN(first)
{
	return take_end(t, call, false, ret);
}
RUN(last)
{
	return take_end(t, call, true, ret);
}

/* The first elements or characters, or those behind them. */
static RESULT cut(struct template *t, const struct template_call *call, bool takes, json_t **ret)
{
	const json_t *v = call->args[0];
	int64_t wanted = 0;
	struct str s = template_text_of(v);
	TRY(function_int(t, call, 1, &wanted));
	size_t n = wanted > 0 ? (size_t) wanted : 0, size = json_array_size(v), at = 0;
	if (json_is_string(v)) {
		for (; at < s.n; at++)
			if (((unsigned char) s.p[at] & 0xc0) != 0x80 && n-- == 0)
				break;
		return template_keep_text(t, takes ? str_slice(s, 0, at) : str_slice(s, at, s.n), ret);
	}
	if (!json_is_array(v))
		return fail_any(t, call);
	json_auto_t *to = json_array();
	n = n < size ? n : size;
	for (size_t k = takes ? 0 : n; k < (takes ? n : size); k++)
		if (json_array_append(to, json_array_get(v, k)))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}
RUN(take)
{
	return cut(t, call, true, ret);
}
RUN(skip)
{
	return cut(t, call, false, ret);
}

RUN(range)
{
	int64_t from = 0, count = 0;
	TRY(function_int(t, call, 0, &from));
	TRY(function_int(t, call, 1, &count));
	if (count < 0 || count > RANGE_MAX || from > INT32_MAX - count || from < INT32_MIN)
		return function_fail(t, call, "the count must be from 0 to %d, and the end at most %d",
				     RANGE_MAX, INT32_MAX); /* guessed */
	json_auto_t *to = json_array();
	for (int64_t k = 0; k < count; k++)
		if (json_array_append_new(to, json_integer(from + k)))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

/* Elements of lists once each; members of objects, of which the last wins, and objects within are joined likewise. */
static RESULT unite_lists(struct template *t, const struct template_call *call, json_t **ret)
{
	json_auto_t *to = json_array();
	json_t *element;
	bool has = false;
	size_t k;
	for (size_t n = 0; n < call->count; n++) {
		if (!json_is_array(call->args[n]))
			return function_fail(t, call,
					     "all arguments must be arrays, or objects"); /* guessed */
		json_array_foreach (call->args[n], k, element) {
			TRY(template_has_element(t, to, element, &has));
			if (!has && json_array_append(to, element))
				return ctx_no_memory(t->c);
		}
	}
	return template_keep(t, TAKE(to), ret);
}

static RESULT unite_objects(struct template *t, json_t *to, const json_t *from, unsigned depth)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) from, key, value) {
		json_t *there = json_object_get(to, key);
		TRY(template_step(t, 1));
		if (json_is_object(there) && json_is_object(value) && depth < TEMPLATE_DEPTH_MAX) {
			TRY(template_step(t, json_object_size(there)));
			json_auto_t *both = json_copy(there);
			TRY(unite_objects(t, both, value, depth + 1));
			if (json_object_set(to, key, both))
				return ctx_no_memory(t->c);
		} else if (json_object_set(to, key, value)) {
			return ctx_no_memory(t->c);
		}
	}
	return OK;
}

RUN(union)
{
	if (json_is_array(call->args[0]))
		return unite_lists(t, call, ret);
	json_auto_t *to = json_object();
	for (size_t n = 0; n < call->count; n++) {
		if (!json_is_object(call->args[n]))
			return function_fail(t, call,
					     "all arguments must be arrays, or objects"); /* guessed */
		TRY(unite_objects(t, to, call->args[n], 0));
	}
	return template_keep(t, TAKE(to), ret);
}

static RESULT find_in_all(struct template *t, const struct template_call *call, const char *key,
			  const json_t *value, bool *ret_is_in)
{
	*ret_is_in = true;
	for (size_t n = 1; n < call->count && *ret_is_in; n++)
		TRY(key ? template_equal(t, json_object_get(call->args[n], key), value, ret_is_in)
			: template_has_element(t, call->args[n], value, ret_is_in));
	return OK;
}

static RESULT intersect_objects(struct template *t, const struct template_call *call, json_t *to)
{
	const char *key;
	json_t *value;
	bool is_in = false;
	json_object_foreach (call->args[0], key, value) {
		TRY(find_in_all(t, call, key, value, &is_in));
		if (is_in && json_object_set(to, key, value))
			return ctx_no_memory(t->c);
	}
	return OK;
}

static RESULT intersect_lists(struct template *t, const struct template_call *call, json_t *to)
{
	json_t *value;
	size_t k;
	bool is_in = false, has = false;
	json_array_foreach (call->args[0], k, value) {
		TRY(find_in_all(t, call, NULL, value, &is_in));
		if (is_in)
			TRY(template_has_element(t, to, value, &has));
		if (is_in && !has && json_array_append(to, value))
			return ctx_no_memory(t->c);
	}
	return OK;
}

RUN(intersection)
{
	bool is_object = json_is_object(call->args[0]);
	json_auto_t *to = is_object ? json_object() : json_array();
	for (size_t n = 0; n < call->count; n++)
		if (is_object ? !json_is_object(call->args[n]) : !json_is_array(call->args[n]))
			return function_fail(t, call,
					     "all arguments must be arrays, or objects"); /* guessed */
	TRY(is_object ? intersect_objects(t, call, to) : intersect_lists(t, call, to));
	return template_keep(t, TAKE(to), ret);
}

RUN(flatten)
{
	json_auto_t *to = json_array();
	json_t *element;
	size_t k;
	json_array_foreach (call->args[0], k, element)
		if (json_is_array(element) ? json_array_extend(to, element) : json_array_append(to, element))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

/* [{"key", "value"}], in the order of the keys. */
RUN(items)
{
	json_auto_t *to = json_array();
	const char *key;
	json_t *value;
	if (!json_is_object(call->args[0]))
		return fail_any(t, call);
	size_t count = json_object_size(call->args[0]), n = 0;
	const char **keys = arena_new_array(t->c->arena, const char *, count + 1);
	if (!keys)
		return ctx_no_memory(t->c);
	json_object_foreach (call->args[0], key, value) {
		size_t k = n++;
		for (; k > 0 && strcmp(keys[k - 1], key) > 0; k--)
			keys[k] = keys[k - 1];
		keys[k] = key;
		TRY(template_step(t, n - k));
	}
	for (size_t k = 0; k < n; k++)
		if (json_array_append_new(to, json_pack("{s:s, s:O}", "key", keys[k], "value",
							json_object_get(call->args[0], keys[k]))))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

RUN(objectKeys)
{
	json_auto_t *to = json_array();
	const char *key;
	json_t *value;
	json_object_foreach (call->args[0], key, value)
		if (json_array_append_new(to, json_string(key)))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

RUN(tryGet)
{
	json_t *v = call->args[0];
	for (size_t k = 1; k < call->count && v; k++) {
		struct str name = template_text_of(call->args[k]);
		bool is_index = json_is_integer(call->args[k]) && json_integer_value(call->args[k]) >= 0;
		v = is_index ? json_array_get(v, (size_t) json_integer_value(call->args[k]))
			     : template_get(v, str_to_z(t->c->arena, name));
	}
	*ret = v ? v : json_null();
	return OK;
}

/* Members of a list of objects, of which the last wins; objects within are not joined. */
RUN(shallowMerge)
{
	json_auto_t *to = json_object();
	json_t *object;
	size_t k;
	json_array_foreach (call->args[0], k, object) {
		if (!json_is_object(object))
			return function_fail(t, call, "all elements must be objects"); /* guessed */
		TRY(template_step(t, json_object_size(object)));
		if (json_object_update(to, object))
			return ctx_no_memory(t->c);
	}
	return template_keep(t, TAKE(to), ret);
}

/* Element of that number from the end, counted from 1. NULL: there is none. */
static RESULT take_from_end(struct template *t, const struct template_call *call, json_t **ret_element)
{
	int64_t number = 0;
	size_t size = json_array_size(call->args[0]);
	TRY(function_int(t, call, 1, &number));
	*ret_element = number > 0 && (uint64_t) number <= size
			       ? json_array_get(call->args[0], size - (size_t) number)
			       : NULL;
	return OK;
}

RUN(indexFromEnd)
{
	TRY(take_from_end(t, call, ret));
	return *ret ? OK : function_fail(t, call, "the array has no element of that index"); /* guessed */
}

RUN(tryIndexFromEnd)
{
	TRY(take_from_end(t, call, ret));
	*ret = *ret ? *ret : json_null();
	return OK;
}

static const struct template_function rows[] = {
	{"createArray", 0, ARGS_ANY, run_createArray, 0},
	{"array", 1, 1, run_array, 0},
	{"createObject", 0, ARGS_ANY, run_createObject, 0},
	{"length", 1, 1, run_length, 0},
	{"empty", 1, 1, run_empty, 0},
	{"contains", 2, 2, run_contains, 0},
	{"first", 1, 1, run_first, 0},
	{"last", 1, 1, run_last, 0},
	{"take", 2, 2, run_take, 0},
	{"skip", 2, 2, run_skip, 0},
	{"range", 2, 2, run_range, 0},
	{"union", 1, ARGS_ANY, run_union, 0},
	{"intersection", 1, ARGS_ANY, run_intersection, 0},
	{"flatten", 1, 1, run_flatten, 0},
	{"items", 1, 1, run_items, 0},
	{"objectKeys", 1, 1, run_objectKeys, 0},
	{"shallowMerge", 1, 1, run_shallowMerge, 0},
	{"indexFromEnd", 2, 2, run_indexFromEnd, 0},
	{"tryIndexFromEnd", 2, 2, run_tryIndexFromEnd, 0},
	{"tryGet", 2, ARGS_ANY, run_tryGet, 0},
};
const struct template_functions template_lists = {rows, sizeof rows / sizeof rows[0]};
