/* SPDX-License-Identifier: Apache-2.0
 * Parses answers of the faces: see answer.h. */
#include "answer.h"

#include <jansson.h>

#include "base/buf.h"

/* Position after the tag that starts at `at`. *ret_depth: 1 for an opening tag, -1 for a closing one, 0 for
 * an empty element. */
static size_t end_of_tag(struct str s, size_t at, int *ret_depth)
{
	size_t end = str_find_char(s, '>', at);
	if (end == s.n)
		return s.n;
	bool is_remark = s.p[at + 1] == '?';
	*ret_depth = s.p[at + 1] == '/' ? -1 : is_remark || s.p[end - 1] == '/' ? 0 : 1;
	return end + 1;
}

bool answer_next(struct str *rest, struct str *ret_name, struct str *ret_inner)
{
	int depth = 0, by = 0;
	size_t open = str_find_char(*rest, '<', 0);
	if (open == rest->n)
		return false;
	size_t inside = end_of_tag(*rest, open, &depth), at = inside, close = inside;
	size_t name_end = open + 1;
	while (name_end < inside && !strchr(" />", rest->p[name_end]))
		name_end++;
	*ret_name = str_slice(*rest, open + 1, name_end);
	while (depth > 0 && (close = str_find_char(*rest, '<', at)) < rest->n) {
		at = end_of_tag(*rest, close, &by);
		depth += by;
	}
	*ret_inner = str_slice(*rest, inside, close);
	*rest = str_slice(*rest, at, rest->n);
	return true;
}

struct str answer_root(struct str document)
{
	struct str name, inner;
	while (answer_next(&document, &name, &inner))
		if (!str_starts_with(name, STR("?")))
			return inner;
	return STR_NONE;
}

struct str answer_at(struct str inner, const char *path)
{
	struct str way = str_from(path), step, name, found = inner;
	while (str_split_next(&way, '/', &step)) {
		struct str rest = found;
		found = STR_NONE;
		while (!found.p && answer_next(&rest, &name, &inner))
			if (str_equal(name, step))
				found = inner;
	}
	return found;
}

bool answer_next_item(struct str *rest, struct str *ret_item)
{
	struct str name;
	while (answer_next(rest, &name, ret_item))
		if (str_is(name, "item"))
			return true;
	return false;
}

/* ---- JSON ---- */

static void add_json(struct buf *b, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t k;
	json_object_foreach ((json_t *) value, key, member) {
		buf_print(b, "<%s>", key);
		add_json(b, member);
		buf_print(b, "</%s>", key);
	}
	json_array_foreach (value, k, member) {
		buf_add_str(b, STR("<item>"));
		add_json(b, member);
		buf_add_str(b, STR("</item>"));
	}
	if (json_is_string(value))
		buf_add_str(b, str_from(json_string_value(value)));
	else if (json_is_integer(value))
		buf_print(b, "%lld", (long long) json_integer_value(value));
	else if (json_is_boolean(value))
		buf_add_str(b, json_is_true(value) ? STR("true") : STR("false"));
}

struct str answer_of_json(struct arena *a, struct str document)
{
	struct buf b;
	json_t *value = document.n ? json_loadb(document.p, document.n, 0, NULL) : NULL;
	buf_init(&b, 16 << 20);
	add_json(&b, value);
	json_decref(value);
	struct str text = str_copy(a, buf_str(&b));
	buf_done(&b);
	return text;
}
