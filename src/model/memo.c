/* SPDX-License-Identifier: Apache-2.0
 * Memos: rows to JSON and back, by the kinds' field tables. Reading trusts nothing: the text comes
 * from a host. */
#include "model/memo.h"

#include <jansson.h>

enum { MEMO_VERSION = 1 };

/* ---- writing ---- */

static RESULT write_field(struct ctx *c, const struct field *f, const struct row *row, json_t *fields)
{
	if (str_starts_with(str_from(f->name), STR("seen_")))
		return OK;
	struct str text = row_field_to_text(c->arena, f, row);
	if (!text.p)
		return ctx_no_memory(c);
	if (str_is_empty(text))
		return OK;
	if (!str_is_utf8(text))
		return ctx_fail(c, ERR_INVALID, "%s is not UTF-8", f->name);
	return json_object_set_new(fields, f->name, json_stringn(text.p, text.n)) < 0 ? ctx_no_memory(c) : OK;
}

static RESULT write_row(struct ctx *c, const struct memo_row *r, json_t *rows)
{
	const struct kind_info *k = &model_kinds[r->kind];
	char id[UUID_TEXT_SIZE];
	json_t *fields = json_object();
	json_t *row = json_pack("{s:s, s:s, s:I, s:O}", "kind", k->name, "id", uuid_write(r->row->id, id),
				"gen", (json_int_t) r->row->gen, "fields", fields);
	bool is_there = row && json_array_append_new(rows, row) == 0;
	struct result result = is_there ? OK : ctx_no_memory(c);
	for (unsigned n = 0; n < k->field_count && result_is_ok(result); n++)
		result = write_field(c, &k->fields[n], r->row, fields);
	json_decref(fields);
	return result;
}

static RESULT write_text(struct ctx *c, const json_t *root, struct str *ret_text)
{
	size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
	size_t size = json_dumpb(root, NULL, 0, flags);
	if (size > MEMO_SIZE_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "the rows need a memo of %zu bytes; %d is the most", size,
				MEMO_SIZE_MAX);
	char *p = arena_alloc(c->arena, size + 1);
	if (!p || size == 0)
		return ctx_no_memory(c);
	if (json_dumpb(root, p, size, flags) != size)
		return ctx_no_memory(c);
	*ret_text = (struct str){p, size};
	return OK;
}

RESULT memo_write(struct ctx *c, const struct memo *memo, struct str *ret_text)
{
	if (memo->count > MEMO_ROWS_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "a memo of %zu rows; %d is the most", memo->count,
				MEMO_ROWS_MAX);
	json_t *rows = json_array();
	json_t *root = json_pack("{s:i, s:O}", "memo", MEMO_VERSION, "rows", rows);
	struct result result = root ? OK : ctx_no_memory(c);
	for (size_t k = 0; k < memo->count && result_is_ok(result); k++)
		result = write_row(c, &memo->at[k], rows);
	if (result_is_ok(result))
		result = write_text(c, root, ret_text);
	json_decref(rows);
	json_decref(root);
	return result;
}

/* ---- reading ---- */

static RESULT read_field(struct ctx *c, const struct kind_info *k, const struct field *f, const json_t *value,
			 struct row *row)
{
	if (!value)
		return OK;
	struct str text = {json_string_value(value), json_string_length(value)};
	struct result result =
		json_is_string(value) ? row_field_from_text(c->arena, f, text, row) : FAIL(INVALID);
	if (result.code == ERR_NO_MEMORY)
		return ctx_no_memory(c);
	if (!result_is_ok(result))
		return ctx_fail(c, ERR_INVALID, "the memo has no sensible %s of a row of %s", f->name,
				k->name);
	return OK;
}

static enum kind kind_named(const char *name)
{
	for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
		if (name && strcmp(model_kinds[kind].name, name) == 0)
			return kind;
	return KIND_NONE;
}

static RESULT read_row(struct ctx *c, const json_t *value, struct memo_row *ret_row)
{
	enum kind kind = kind_named(json_string_value(json_object_get(value, "kind")));
	if (kind == KIND_NONE)
		return ctx_fail(c, ERR_INVALID, "the memo has a row of a kind that is not known here");
	const struct kind_info *k = &model_kinds[kind];
	struct row *row = arena_alloc(c->arena, k->row_size);
	if (!row)
		return ctx_no_memory(c);
	struct str id = str_from(json_string_value(json_object_get(value, "id")));
	json_int_t gen = json_integer_value(json_object_get(value, "gen"));
	const json_t *fields = json_object_get(value, "fields");
	if (!result_is_ok(uuid_parse(id, &row->id)) || uuid_is_none(row->id) || gen < 1 ||
	    !json_is_object(fields))
		return ctx_fail(c, ERR_INVALID, "the memo has a row of %s without id, gen or fields",
				k->name);
	row->gen = (uint64_t) gen;
	for (unsigned n = 0; n < k->field_count; n++)
		TRY(read_field(c, k, &k->fields[n], json_object_get(fields, k->fields[n].name), row));
	*ret_row = (struct memo_row){kind, row};
	return OK;
}

static RESULT read_root(struct ctx *c, const json_t *root, struct memo *ret_memo)
{
	const json_t *rows = json_object_get(root, "rows");
	if (json_integer_value(json_object_get(root, "memo")) != MEMO_VERSION || !json_is_array(rows))
		return ctx_fail(c, ERR_INVALID, "the memo is none, or of another version of dari");
	size_t count = json_array_size(rows);
	if (count > MEMO_ROWS_MAX)
		return ctx_fail(c, ERR_INVALID, "the memo has %zu rows; %d is the most", count,
				MEMO_ROWS_MAX);
	struct memo_row *at = arena_new_array(c->arena, struct memo_row, count);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		TRY(read_row(c, json_array_get(rows, k), &at[k]));
	*ret_memo = (struct memo){at, count};
	return OK;
}

RESULT memo_read(struct ctx *c, struct str text, struct memo *ret_memo)
{
	json_error_t where;
	json_t *root = text.n && text.n <= MEMO_SIZE_MAX
			       ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &where)
			       : NULL;
	if (!root) /* jansson does not tell a shortage of memory apart */
		return ctx_fail(c, ERR_INVALID, "the memo cannot be read");
	struct result result = read_root(c, root, ret_memo);
	json_decref(root);
	return result;
}
