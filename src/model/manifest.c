/* SPDX-License-Identifier: Apache-2.0
 * Manifests: rows to JSON and back, by the kinds' field tables. Reading validates everything, because the
 * text comes from a host. */
#include "model/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

enum { MANIFEST_VERSION = 1 };

/* ---- writing ---- */

/* Written directly, without a tree of JSON values: each domain definition contains a manifest, and building
 * the tree would dominate its cost. */
static void add_escaped_character(struct buf *b, uint32_t c)
{
	static const char letters[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
	if (c == '"' || c == '\\')
		buf_print(b, "\\%c", (int) c);
	else if (c < sizeof letters && letters[c])
		buf_print(b, "\\%c", letters[c]);
	else if (c < 0x10000)
		buf_print(b, "\\u%04X", c);
	else
		buf_print(b, "\\u%04X\\u%04X", 0xD800 + ((c - 0x10000) >> 10),
			  0xDC00 + ((c - 0x10000) & 0x3FF));
}

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

/* Writes a JSON string in ASCII; s is UTF-8. */
static void add_string(struct buf *b, struct str s)
{
	buf_add_char(b, '"');
	for (size_t at = 0, end = 0; at < s.n; at = end) {
		uint32_t c = 0;
		while (end < s.n && is_plain(s.p[end]))
			end++;
		buf_add(b, s.p + at, end - at);
		if (end < s.n) {
			end += utf8_decode(s, end, &c);
			add_escaped_character(b, c);
		}
	}
	buf_add_char(b, '"');
}

/* The value that a new row has, and a row that is read back if its field is not written. */
static bool is_initial(const struct field *f, const struct row *row)
{
	const void *at = (const char *) row + f->offset;
	switch (f->type) {
	case FIELD_INT:
		return *(const int64_t *) at == 0;
	case FIELD_BOOL:
		return !*(const bool *) at;
	case FIELD_ENUM:
		return *(const unsigned *) at == 0;
	case FIELD_UUIDS:
		return ((const struct uuids *) at)->count == 0;
	case FIELD_IPS:
		return ((const struct ips *) at)->count == 0;
	case FIELD_CIDRS:
		return ((const struct cidrs *) at)->count == 0;
	case FIELD_TEXTS:
		return ((const struct strs *) at)->count == 0;
	case FIELD_TAGS:
		return ((const struct tags *) at)->count == 0;
	case FIELD_UUID:
	case FIELD_TEXT:
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
	case FIELD_BLOB:
		break;
	}
	return false; /* its text is empty, if so */
}

static RESULT write_field(struct ctx *c, const struct field *f, const struct row *row, bool *first,
			  struct buf *b)
{
	if (strncmp(f->name, "seen_", sizeof "seen_" - 1) == 0 || is_initial(f, row))
		return OK;
	struct str text = row_field_to_text(c->arena, f, row);
	if (!text.p)
		return ctx_no_memory(c);
	if (str_is_empty(text))
		return OK;
	if (!str_is_utf8(text))
		return ctx_fail(c, ERR_INVALID, "%s is not UTF-8", f->name);
	if (!*first)
		buf_add_char(b, ',');
	*first = false;
	add_string(b, str_from(f->name));
	buf_add_char(b, ':');
	add_string(b, text);
	return OK;
}

static RESULT write_row(struct ctx *c, const struct manifest_row *r, struct buf *b)
{
	const struct kind_info *k = &model_kinds[r->kind];
	char id[UUID_TEXT_SIZE];
	bool first = true;
	buf_print(b, "{\"kind\":\"%s\",\"id\":\"%s\",\"gen\":%" PRIu64 ",\"fields\":{", k->name,
		  uuid_write(r->row->id, id), r->row->gen);
	for (unsigned n = 0; n < k->field_count; n++)
		TRY(write_field(c, &k->fields[n], r->row, &first, b));
	buf_add_str(b, STR("}}"));
	return OK;
}

static RESULT write_rows(struct ctx *c, const struct manifest *manifest, struct buf *b)
{
	buf_print(b, "{\"manifest\":%d,\"rows\":[", MANIFEST_VERSION);
	for (size_t k = 0; k < manifest->count; k++) {
		if (k)
			buf_add_char(b, ',');
		TRY(write_row(c, &manifest->at[k], b));
	}
	buf_add_str(b, STR("]}"));
	return OK;
}

static RESULT take_text(struct ctx *c, const struct buf *b, struct str *ret_text)
{
	if (b->too_large)
		return ctx_fail(c, ERR_TOO_LARGE, "the rows need a manifest of more than %d bytes",
				MANIFEST_SIZE_MAX);
	struct str text = b->failed ? STR_NONE : str_copy(c->arena, buf_str(b));
	if (!text.p)
		return ctx_no_memory(c);
	*ret_text = text;
	return OK;
}

RESULT manifest_write(struct ctx *c, const struct manifest *manifest, struct str *ret_text)
{
	if (manifest->count > MANIFEST_ROWS_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "a manifest of %zu rows; %d is the most", manifest->count,
				MANIFEST_ROWS_MAX);
	struct buf b;
	buf_init(&b, MANIFEST_SIZE_MAX);
	struct result result = write_rows(c, manifest, &b);
	if (result_is_ok(result))
		result = take_text(c, &b, ret_text);
	buf_done(&b);
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
		return ctx_fail(c, ERR_INVALID, "the manifest has no sensible %s of a row of %s", f->name,
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

static RESULT read_row(struct ctx *c, const json_t *value, struct manifest_row *ret_row)
{
	enum kind kind = kind_named(json_string_value(json_object_get(value, "kind")));
	if (kind == KIND_NONE)
		return ctx_fail(c, ERR_INVALID, "the manifest has a row of a kind that is not known here");
	const struct kind_info *k = &model_kinds[kind];
	struct row *row = arena_alloc(c->arena, k->row_size);
	if (!row)
		return ctx_no_memory(c);
	struct str id = str_from(json_string_value(json_object_get(value, "id")));
	json_int_t gen = json_integer_value(json_object_get(value, "gen"));
	const json_t *fields = json_object_get(value, "fields");
	if (!result_is_ok(uuid_parse(id, &row->id)) || uuid_is_none(row->id) || gen < 1 ||
	    !json_is_object(fields))
		return ctx_fail(c, ERR_INVALID, "the manifest has a row of %s without id, gen or fields",
				k->name);
	row->gen = (uint64_t) gen;
	for (unsigned n = 0; n < k->field_count; n++)
		TRY(read_field(c, k, &k->fields[n], json_object_get(fields, k->fields[n].name), row));
	*ret_row = (struct manifest_row){kind, row};
	return OK;
}

static RESULT read_root(struct ctx *c, const json_t *root, struct manifest *ret_manifest)
{
	const json_t *rows = json_object_get(root, "rows");
	if (json_integer_value(json_object_get(root, "manifest")) != MANIFEST_VERSION || !json_is_array(rows))
		return ctx_fail(c, ERR_INVALID, "the manifest is none, or of another version of dari");
	size_t count = json_array_size(rows);
	if (count > MANIFEST_ROWS_MAX)
		return ctx_fail(c, ERR_INVALID, "the manifest has %zu rows; %d is the most", count,
				MANIFEST_ROWS_MAX);
	struct manifest_row *at = arena_new_array(c->arena, struct manifest_row, count);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++)
		TRY(read_row(c, json_array_get(rows, k), &at[k]));
	*ret_manifest = (struct manifest){at, count};
	return OK;
}

RESULT manifest_read(struct ctx *c, struct str text, struct manifest *ret_manifest)
{
	json_error_t where;
	json_t *root = text.n && text.n <= MANIFEST_SIZE_MAX
			       ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &where)
			       : NULL;
	if (!root) /* jansson doesn't report out of memory separately */
		return ctx_fail(c, ERR_INVALID, "the manifest cannot be read");
	struct result result = read_root(c, root, ret_manifest);
	json_decref(root);
	return result;
}
