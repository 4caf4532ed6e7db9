/* SPDX-License-Identifier: Apache-2.0
 * Formats of answers in golden files; see golden_answer.h. */
#include "golden_answer.h"

#include <jansson.h>
#include <stdlib.h>

enum { ANSWER_CAP = 16 << 20, ONLY_MAX = 64, WIDTH_MAX = 120 };

/* ---- whole ---- */

static bool is_masked(const struct script *s, struct str name)
{
	struct str rest = s->masks, mask;
	while (str_split_next(&rest, ' ', &mask))
		if (mask.n && str_equal(mask, name))
			return true;
	return false;
}

static void blank_masked(const struct script *s, json_t *value)
{
	const char *key;
	json_t *member;
	size_t k;
	json_array_foreach (value, k, member)
		blank_masked(s, member);
	json_object_foreach (value, key, member)
		if (is_masked(s, str_from(key)))
			(void) json_object_set_new(value, key, json_string("*"));
		else
			blank_masked(s, member);
}

static json_t *load(const struct script *s, const struct world_answer *answer)
{
	json_t *value = answer->body.n ? json_loadb(answer->body.p, answer->body.n, 0, NULL) : NULL;
	blank_masked(s, value);
	return value;
}

static struct str finish(struct arena *a, struct buf *b)
{
	struct str text = str_copy(a, buf_str(b));
	buf_done(b);
	return text;
}

static void indent(struct buf *b, size_t depth)
{
	for (size_t k = 0; k < depth; k++)
		buf_add_char(b, ' ');
}

/* "name": value, indented by depth spaces; ahead: text before the value. */
static void lay_out_json(struct buf *b, const json_t *value, const char *ahead, size_t depth, bool is_last)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY);
	const char *key;
	json_t *member;
	size_t k, left = json_object_size(value) + json_array_size(value);
	const char *end = is_last ? "" : ",";
	indent(b, depth);
	if (left == 0 || depth + strlen(ahead) + strlen(text) < WIDTH_MAX) {
		buf_print(b, "%s%s%s\n", ahead, text, end);
		free(text);
		return;
	}
	free(text);
	buf_print(b, "%s%s\n", ahead, json_is_object(value) ? "{" : "[");
	json_object_foreach ((json_t *) value, key, member) {
		char *name = NULL;
		if (asprintf(&name, "\"%s\": ", key) < 0)
			abort();
		lay_out_json(b, member, name, depth + 1, --left == 0);
		free(name);
	}
	json_array_foreach (value, k, member)
		lay_out_json(b, member, "", depth + 1, --left == 0);
	indent(b, depth);
	buf_print(b, "%s%s\n", json_is_object(value) ? "}" : "]", end);
}

/* On one line. */
static void add_headers(struct buf *b, struct str headers)
{
	struct str header;
	while (str_split_next(&headers, '\n', &header))
		buf_print(b, "%" STR_FMT "%s", STR_ARG(header), headers.n ? " | " : "\n");
}

static struct str show_json(struct arena *a, const struct script *s, const struct world_answer *answer)
{
	struct buf b;
	json_t *value = load(s, answer);
	buf_init(&b, ANSWER_CAP);
	buf_print(&b, "%d\n", answer->status);
	add_headers(&b, answer->headers);
	if (value)
		lay_out_json(&b, value, "", 0, true);
	else if (answer->body.n)
		buf_print(&b, "%" STR_FMT "\n", STR_ARG(answer->body));
	json_decref(value);
	return finish(a, &b);
}

/* Content of the element whose tag ends at `at`; *ret_end: the position past its closing tag. */
static struct str take_element(struct str body, size_t at, struct str *ret_name, size_t *ret_end)
{
	size_t close = str_find_char(body, '>', at), depth = 1;
	struct str tag = str_slice(body, at + 1, close);
	*ret_name = str_slice(tag, 0, str_find_char(tag, ' ', 0));
	*ret_end = close + 1;
	if (str_ends_with(tag, STR("/"))) {
		*ret_name = str_slice(tag, 0, tag.n - 1);
		return STR_NONE;
	}
	for (size_t k = close + 1; k < body.n; k = str_find_char(body, '>', k) + 1) {
		k = str_find_char(body, '<', k);
		size_t end = str_find_char(body, '>', k);
		if (k + 1 < body.n && body.p[k + 1] == '/')
			depth--;
		else if (body.p[end - 1] != '/')
			depth++;
		if (depth == 0) {
			*ret_end = end + 1;
			return str_slice(body, close + 1, k);
		}
	}
	return STR_NONE;
}

/* The same body with "*" for each masked text. */
static struct str mask_xml(struct arena *a, const struct script *s, struct str body)
{
	struct buf b;
	buf_init(&b, ANSWER_CAP);
	for (size_t k = 0; k < body.n;) {
		size_t end = str_find_char(body, '>', k) + 1, open = str_find_char(body, '<', k);
		bool is_hidden = open + 1 < end && is_masked(s, str_slice(body, open + 1, end - 1));
		buf_add_str(&b, str_slice(body, k, end));
		k = end;
		if (is_hidden) {
			buf_add_str(&b, STR("*"));
			k = str_find_char(body, '<', k);
		}
	}
	return finish(a, &b);
}

static void add_line(struct buf *b, struct str line, size_t depth)
{
	indent(b, depth);
	buf_add_str(b, line);
	buf_add_char(b, '\n');
}

/* A sequence of elements, with the text between them. */
static void lay_out_xml(struct buf *b, struct str text, size_t depth)
{
	size_t end = 0;
	for (size_t at = 0; at < text.n; at = end) {
		struct str name, inside;
		end = str_find_char(text, '<', at);
		if (end > at) {
			add_line(b, str_slice(text, at, end), depth);
			continue;
		}
		inside = take_element(text, at, &name, &end);
		struct str whole = str_slice(text, at, end);
		if (whole.n + depth < WIDTH_MAX || str_find_char(inside, '<', 0) == inside.n) {
			add_line(b, whole, depth);
			continue;
		}
		add_line(b, str_slice(whole, 0, str_find_char(whole, '>', 0) + 1), depth);
		lay_out_xml(b, inside, depth + 1);
		indent(b, depth);
		buf_print(b, "</%" STR_FMT ">\n", STR_ARG(name));
	}
}

static struct str show_xml(struct arena *a, const struct script *s, const struct world_answer *answer)
{
	struct buf b;
	struct str body = mask_xml(a, s, answer->body);
	size_t head = str_find_char(body, '\n', 0) + 1; /* <?xml …?> */
	buf_init(&b, ANSWER_CAP);
	buf_print(&b, "%d\n%" STR_FMT, answer->status, STR_ARG(str_slice(body, 0, head)));
	lay_out_xml(&b, str_slice(body, head, body.n), 0);
	return finish(a, &b);
}

struct str golden_show_whole(struct arena *a, const struct script *s, const struct world_answer *answer)
{
	return answer->is_json ? show_json(a, s, answer) : show_xml(a, s, answer);
}

/* ---- only some members ---- */

struct showing {
	struct arena *arena;
	const struct script *script;
	struct buf *out;
	struct str names[ONLY_MAX];
	bool is_met[ONLY_MAX];
	size_t count;
};

/* The name "a.b" selects the member "x.a.b"; indexes in brackets of the path are ignored. */
static bool is_named(struct str path, struct str name)
{
	size_t at = path.n;
	for (size_t k = name.n; k > 0; k--) {
		while (at > 0 && path.p[at - 1] == ']') {
			while (path.p[at - 1] != '[')
				at--;
			at--;
		}
		if (at == 0 || path.p[at - 1] != name.p[k - 1])
			return false;
		at--;
	}
	return at == 0 || path.p[at - 1] == '.';
}

/* Whether a name selects the member. Marks all names that do. */
static bool meet(struct showing *s, struct str path)
{
	bool is_shown = false;
	for (size_t k = 0; k < s->count; k++)
		if (is_named(path, s->names[k]))
			is_shown = s->is_met[k] = true;
	return is_shown;
}

static void show_leaf(struct showing *s, struct str path, struct str value)
{
	buf_print(s->out, "%" STR_FMT " =%s%" STR_FMT "\n", STR_ARG(path), value.n ? " " : "",
		  STR_ARG(value));
}

static void only_json(struct showing *s, struct str path, const json_t *value, bool is_shown)
{
	const char *key;
	json_t *member;
	size_t k;
	is_shown = (path.n && meet(s, path)) || is_shown;
	if (is_shown && json_object_size(value) == 0 && json_array_size(value) == 0) {
		char *text = json_dumps(value, JSON_ENCODE_ANY);
		show_leaf(s, path, str_from(text));
		free(text);
	}
	json_object_foreach ((json_t *) value, key, member)
		only_json(s, str_print(s->arena, "%" STR_FMT "%s%s", STR_ARG(path), path.n ? "." : "", key),
			  member, is_shown);
	json_array_foreach (value, k, member)
		only_json(s, str_print(s->arena, "%" STR_FMT "[%zu]", STR_ARG(path), k), member, is_shown);
}

static void only_xml(struct showing *s, struct str path, struct str inside, bool is_shown)
{
	is_shown = (path.n && meet(s, path)) || is_shown;
	if (str_find_char(inside, '<', 0) == inside.n) {
		if (is_shown)
			show_leaf(s, path, inside);
		return;
	}
	size_t place = 0, end = 0;
	for (size_t at = 0; at < inside.n; at = end) {
		struct str name, within;
		at = str_find_char(inside, '<', at);
		if (at == inside.n)
			return;
		within = take_element(inside, at, &name, &end);
		bool is_place = str_is(name, "item") || str_is(name, "member");
		struct str below = is_place ? str_print(s->arena, "%" STR_FMT "[%zu]", STR_ARG(path), place++)
					    : str_print(s->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(path),
							path.n ? "." : "", STR_ARG(name));
		only_xml(s, below, is_masked(s->script, name) ? STR("*") : within, is_shown);
	}
}

static void only_root(struct showing *s, struct str body)
{
	struct str name;
	size_t end, at = str_find_char(body, '\n', 0) + 1;
	struct str inside = take_element(body, at, &name, &end);
	buf_print(s->out, "%" STR_FMT "\n", STR_ARG(name));
	only_xml(s, STR_NONE, inside, false);
}

struct str golden_show_only(struct arena *a, const struct script *s, const struct world_answer *answer,
			    struct str *ret_absent)
{
	struct buf b;
	struct showing showing = {.arena = a, .script = s, .out = &b};
	struct str rest = s->only, name;
	while (str_split_next(&rest, ' ', &name))
		if (name.n && showing.count < ONLY_MAX)
			showing.names[showing.count++] = name;
	buf_init(&b, ANSWER_CAP);
	if (answer->is_json) {
		json_t *value = load(s, answer);
		buf_print(&b, "%d\n", answer->status);
		only_json(&showing, STR_NONE, value, false);
		json_decref(value);
	} else {
		buf_print(&b, "%d ", answer->status);
		only_root(&showing, answer->body);
	}
	*ret_absent = STR_NONE;
	for (size_t k = 0; k < showing.count && !ret_absent->n; k++)
		if (!showing.is_met[k])
			*ret_absent = showing.names[k];
	return finish(a, &b);
}
