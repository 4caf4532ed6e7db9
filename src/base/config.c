/* SPDX-License-Identifier: Apache-2.0
 * Reads the configuration from libyaml's events. Accepts only one document, containing a mapping of keys and
 * sections, which contain keys; no anchors or tags. Deeper nesting is refused at its first event, so parsing
 * cost is linear in the input's length. */
#include "base/config.h"

#include <inttypes.h>
#include <yaml.h>

#include "base/vec.h"

enum { TEXT_CAP_SIZE = 1024 * 1024, NAME_CAP_SIZE = 100, LIST_CAP_COUNT = 10000 };

struct reading {
	struct ctx *c;
	const struct config_key *keys;
	size_t key_count;
	bool *seen;               /* per key */
	VEC(struct str) sections; /* sections already read */
	char *out;
	yaml_parser_t parser;
	yaml_event_t event; /* the current one; valid when has_event */
	bool has_event;
};

static void reading_done(struct reading *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
}

static size_t line_of(const struct reading *r)
{
	return r->event.start_mark.line + 1;
}

static bool has_anchor_or_tag(const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor || e->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor || e->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor || e->data.mapping_start.tag;
	case YAML_ALIAS_EVENT:
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return false;
	}
	return true;
}

static RESULT next(struct reading *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = yaml_parser_parse(&r->parser, &r->event);
	if (!r->has_event && r->parser.error == YAML_MEMORY_ERROR)
		return ctx_no_memory(r->c);
	if (!r->has_event) {
		size_t line = r->parser.problem_mark.line + 1;
		const char *problem = r->parser.problem ? r->parser.problem : "not YAML";
		return ctx_fail(r->c, ERR_INVALID, "line %zu: %s", line, problem);
	}
	if (has_anchor_or_tag(&r->event))
		return ctx_fail(r->c, ERR_INVALID, "line %zu: anchors, aliases and tags have no place here",
				line_of(r));
	return OK;
}

static struct str scalar_of(const struct reading *r)
{
	return (struct str){(const char *) r->event.data.scalar.value, r->event.data.scalar.length};
}

static bool is_null(const struct reading *r)
{
	struct str s = scalar_of(r);
	return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (s.n == 0 || str_is(s, "~") || str_is(s, "null"));
}

static RESULT store_int(struct ctx *c, const struct config_key *key, struct str text, void *at, size_t line)
{
	int64_t value = 0;
	struct str name = str_from(key->name);
	if (!result_is_ok(str_parse_int(text, &value)))
		return ctx_fail_field(c, ERR_INVALID, name,
				      "line %zu: %s must be a whole number, not \"%" STR_FMT "\"", line,
				      key->name, STR_ARG(text));
	if ((key->min || key->max) && (value < key->min || value > key->max))
		return ctx_fail_field(c, ERR_INVALID, name,
				      "line %zu: %s must be from %" PRId64 " to %" PRId64 ", not %" PRId64,
				      line, key->name, key->min, key->max, value);
	*(int64_t *) at = value;
	return OK;
}

static RESULT store_text(struct ctx *c, const struct config_key *key, struct str text, struct str *at,
			 size_t line)
{
	if (!str_is_utf8(text)) /* contains a NUL, written as "\0" */
		return ctx_fail_field(c, ERR_INVALID, str_from(key->name),
				      "line %zu: %s holds a NUL character", line, key->name);
	struct str copy = str_copy(c->arena, text);
	if (text.n && !copy.p)
		return ctx_no_memory(c);
	*at = copy;
	return OK;
}

/* Stores a scalar for a key that takes one. */
static RESULT store_scalar(struct ctx *c, const struct config_key *key, struct str text, void *at,
			   size_t line)
{
	switch (key->type) {
	case CONFIG_TEXT:
		return store_text(c, key, text, at, line);
	case CONFIG_INT:
		return store_int(c, key, text, at, line);
	case CONFIG_BOOL:
		if (!result_is_ok(str_parse_bool(text, at)))
			return ctx_fail_field(c, ERR_INVALID, str_from(key->name),
					      "line %zu: %s must be true or false, not \"%" STR_FMT "\"",
					      line, key->name, STR_ARG(text));
		return OK;
	case CONFIG_TEXTS:
		break;
	}
	return ctx_fail_field(c, ERR_INVALID, str_from(key->name), "line %zu: %s must be a list: [a, b]",
			      line, key->name);
}

/* A list's default is its items separated by commas. */
static RESULT store_default_texts(struct ctx *c, const struct config_key *key, struct strs *at)
{
	VEC(struct str) items = {0};
	struct str rest = str_from(key->absent), item;
	while (str_split_next(&rest, ',', &item)) {
		struct str copy = STR_NONE;
		TRY(store_text(c, key, str_trim(item), &copy, 0));
		if (!VEC_PUSH(c->arena, &items, copy))
			return ctx_no_memory(c);
	}
	*at = (struct strs){items.at, items.count};
	return OK;
}

static RESULT store_default(struct ctx *c, const struct config_key *key, void *at)
{
	switch (key->type) {
	case CONFIG_TEXT:
		*(struct str *) at = STR_NONE;
		break;
	case CONFIG_INT:
		*(int64_t *) at = 0;
		break;
	case CONFIG_BOOL:
		*(bool *) at = false;
		break;
	case CONFIG_TEXTS:
		return store_default_texts(c, key, at);
	}
	return key->absent ? store_scalar(c, key, str_from(key->absent), at, 0) : OK;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

/* Levenshtein distance, for names up to NAME_CAP_SIZE; else SIZE_MAX. */
static size_t edits_between(struct str a, struct str b)
{
	size_t row[NAME_CAP_SIZE + 1];
	if (a.n > NAME_CAP_SIZE || b.n > NAME_CAP_SIZE)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t swapped = diagonal + (a.p[i - 1] != b.p[j - 1]);
			diagonal = row[j];
			row[j] = least_of(row[j] + 1, row[j - 1] + 1, swapped);
		}
	}
	return row[b.n];
}

static RESULT fail_unknown(struct reading *r, struct str name)
{
	struct str field = str_slice(name, 0, NAME_CAP_SIZE);
	const struct config_key *nearest = NULL;
	size_t least = name.n / 3 + 1 < 4 ? name.n / 3 + 1 : 4; /* more edits than a typo has */
	for (size_t k = 0; k < r->key_count; k++) {
		size_t edits = edits_between(name, str_from(r->keys[k].name));
		if (edits < least) {
			least = edits;
			nearest = &r->keys[k];
		}
	}
	if (nearest)
		return ctx_fail_field(r->c, ERR_INVALID, field,
				      "line %zu: unknown key \"%" STR_FMT "\"; perhaps \"%s\" was meant",
				      line_of(r), STR_ARG(field), nearest->name);
	return ctx_fail_field(r->c, ERR_INVALID, field, "line %zu: unknown key \"%" STR_FMT "\"", line_of(r),
			      STR_ARG(field));
}

static const struct config_key *find_key(const struct reading *r, struct str name)
{
	for (size_t k = 0; k < r->key_count; k++)
		if (str_is(name, r->keys[k].name))
			return &r->keys[k];
	return NULL;
}

static bool is_section(const struct reading *r, struct str name)
{
	for (size_t k = 0; k < r->key_count; k++) {
		struct str key = str_from(r->keys[k].name);
		if (key.n > name.n && key.p[name.n] == '.' && str_starts_with(key, name))
			return true;
	}
	return false;
}

/* Reads a list, from its start event to its end. */
static RESULT read_list(struct reading *r, const struct config_key *key, struct strs *at)
{
	VEC(struct str) items = {0};
	for (;;) {
		TRY(next(r));
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (r->event.type != YAML_SCALAR_EVENT)
			return ctx_fail_field(r->c, ERR_INVALID, str_from(key->name),
					      "line %zu: %s must be a list of plain values", line_of(r),
					      key->name);
		if (items.count == LIST_CAP_COUNT)
			return ctx_fail_field(r->c, ERR_TOO_LARGE, str_from(key->name),
					      "%s has more than %d items", key->name, LIST_CAP_COUNT);
		struct str item = STR_NONE;
		TRY(store_text(r->c, key, scalar_of(r), &item, line_of(r)));
		if (!VEC_PUSH(r->c->arena, &items, item))
			return ctx_no_memory(r->c);
	}
	*at = (struct strs){items.at, items.count};
	return OK;
}

/* Reads a key's value at the current event. */
static RESULT read_value(struct reading *r, const struct config_key *key)
{
	void *at = r->out + key->offset;
	size_t line = line_of(r);
	if (r->seen[key - r->keys])
		return ctx_fail_field(r->c, ERR_INVALID, str_from(key->name), "line %zu: %s is given twice",
				      line, key->name);
	r->seen[key - r->keys] = true;
	if (r->event.type == YAML_SCALAR_EVENT && is_null(r))
		return OK; /* "key:" alone keeps the default */
	if (r->event.type == YAML_SCALAR_EVENT)
		return store_scalar(r->c, key, scalar_of(r), at, line);
	if (r->event.type == YAML_SEQUENCE_START_EVENT && key->type == CONFIG_TEXTS)
		return read_list(r, key, at);
	return ctx_fail_field(r->c, ERR_INVALID, str_from(key->name), "line %zu: %s must be %s", line,
			      key->name, key->type == CONFIG_TEXTS ? "a list: [a, b]" : "a single value");
}

/* Reads a key at its name, inside or outside a section, and its value. */
static RESULT read_key(struct reading *r, struct str section, struct str name)
{
	if (!str_is_utf8(name)) /* printing it below would stop at the NUL */
		return ctx_fail(r->c, ERR_INVALID, "line %zu: a key holds a NUL character", line_of(r));
	struct str full =
		section.n ? str_print(r->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(section), STR_ARG(name))
			  : name;
	if (section.n && !full.p)
		return ctx_no_memory(r->c);
	const struct config_key *key = find_key(r, full);
	if (!key)
		return fail_unknown(r, full);
	TRY(next(r));
	return read_value(r, key);
}

/* Reads a section, from its name to its end. */
static RESULT read_section(struct reading *r, struct str section)
{
	for (size_t k = 0; k < r->sections.count; k++)
		if (str_equal(r->sections.at[k], section))
			return ctx_fail_field(r->c, ERR_INVALID, section,
					      "line %zu: %" STR_FMT " is given twice", line_of(r),
					      STR_ARG(section));
	if (!VEC_PUSH(r->c->arena, &r->sections, section))
		return ctx_no_memory(r->c);
	TRY(next(r));
	if (r->event.type == YAML_SCALAR_EVENT && is_null(r))
		return OK; /* "section:" without content */
	if (r->event.type != YAML_MAPPING_START_EVENT)
		return ctx_fail_field(r->c, ERR_INVALID, section,
				      "line %zu: %" STR_FMT " must hold keys of its own", line_of(r),
				      STR_ARG(section));
	for (;;) {
		TRY(next(r));
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return OK;
		if (r->event.type != YAML_SCALAR_EVENT)
			return ctx_fail(r->c, ERR_INVALID, "line %zu: a key must be a plain word",
					line_of(r));
		TRY(read_key(r, section, scalar_of(r)));
	}
}

static RESULT read_root(struct reading *r)
{
	for (;;) {
		TRY(next(r));
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return next(r);
		if (r->event.type != YAML_SCALAR_EVENT)
			return ctx_fail(r->c, ERR_INVALID, "line %zu: a key must be a plain word",
					line_of(r));
		struct str name = str_copy(r->c->arena, scalar_of(r)); /* must outlive the event */
		if (scalar_of(r).n && !name.p)
			return ctx_no_memory(r->c);
		if (name.n && is_section(r, name))
			TRY(read_section(r, name));
		else
			TRY(read_key(r, STR_NONE, name));
	}
}

static RESULT read_document(struct reading *r)
{
	TRY(next(r)); /* start of the stream */
	TRY(next(r));
	if (r->event.type == YAML_STREAM_END_EVENT)
		return OK;
	TRY(next(r)); /* after the document's start */
	if (r->event.type == YAML_MAPPING_START_EVENT)
		TRY(read_root(r));
	else if (r->event.type == YAML_SCALAR_EVENT && is_null(r))
		TRY(next(r));
	else
		return ctx_fail(r->c, ERR_INVALID, "line %zu: the configuration must be keys and values",
				line_of(r));
	TRY(next(r)); /* after the document's end */
	if (r->event.type != YAML_STREAM_END_EVENT)
		return ctx_fail(r->c, ERR_INVALID, "line %zu: only one document may be here", line_of(r));
	return OK;
}

RESULT config_parse(struct ctx *c, struct str yaml, const struct config_key *keys, size_t key_count,
		    void *out)
{
	if (yaml.n > TEXT_CAP_SIZE)
		return ctx_fail(c, ERR_TOO_LARGE, "the configuration is larger than %d bytes", TEXT_CAP_SIZE);
	__attribute__((cleanup(reading_done))) struct reading r = {
		.c = c, .keys = keys, .key_count = key_count};
	r.out = out;
	r.seen = arena_new_array(c->arena, bool, key_count);
	if (!r.seen || !yaml_parser_initialize(&r.parser))
		return ctx_no_memory(c);
	for (size_t k = 0; k < key_count; k++)
		TRY(store_default(c, &keys[k], r.out + keys[k].offset));
	yaml_parser_set_input_string(&r.parser, (const unsigned char *) (yaml.p ? yaml.p : ""), yaml.n);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	return read_document(&r);
}
