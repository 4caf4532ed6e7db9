/* SPDX-License-Identifier: Apache-2.0
 * Describes the API from its own tables: `/schema` for pages and completion, `/openapi.json` for client
 * generators, JSON and Markdown for `dari dump` and the documentation.
 */
#include "api/core/dump.h"
#include "api/native/action.h"
#include "api/native/rows.h"

#include "model/permission.h"

static const char *method_of(const struct native_action *a)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};
	return names[a->method];
}

static const char *type_of(const struct param *p)
{
	static const char *const names[] = {[PARAM_NOT_BUILT] = "nothing",
					    [PARAM_TEXT] = "text",
					    [PARAM_INT] = "integer",
					    [PARAM_BOOL] = "boolean",
					    [PARAM_CHOICE] = "boolean",
					    [PARAM_ID] = "id",
					    [PARAM_IP] = "ip",
					    [PARAM_CIDR] = "cidr",
					    [PARAM_MAC] = "mac",
					    [PARAM_TEXTS] = "texts",
					    [PARAM_IDS] = "ids",
					    [PARAM_IPS] = "ips",
					    [PARAM_TAGS] = "tags",
					    [PARAM_STRUCT] = "object",
					    [PARAM_STRUCTS] = "objects",
					    [PARAM_JSON] = "any",
					    [PARAM_PASSED_OVER] = "nothing"};
	return names[p->type];
}

static const char *place_of(const struct param *p)
{
	return p->place == IN_PATH ? "path" : p->place == IN_QUERY ? "query" : "body";
}

/* ---- /schema ---- */

static void write_words(struct json_writer *w, const char *key, const char *words)
{
	struct str rest = str_from(words), word;
	json_write_open_list(w, key);
	while (str_split_next(&rest, '|', &word))
		json_write_text(w, NULL, word);
	json_write_close_list(w);
}

static void write_params(struct json_writer *w, const char *key, const struct params *params)
{
	json_write_open_list(w, key);
	for (size_t k = 0; k < params->count; k++) {
		const struct param *p = &params->at[k];
		json_write_open(w, NULL);
		json_write_z(w, "name", p->wire);
		json_write_z(w, "in", place_of(p));
		json_write_z(w, "type", type_of(p));
		if (p->flags & REQUIRED)
			json_write_bool(w, "required", true);
		if (p->kind != KIND_NONE)
			json_write_z(w, "kind", model_kinds[p->kind].name);
		if (p->min || p->max) {
			json_write_int(w, "min", p->min);
			json_write_int(w, "max", p->max);
		}
		if (param_words(p))
			write_words(w, "words", param_words(p));
		if (p->doc)
			json_write_z(w, "doc", p->doc);
		if (param_sub(p))
			write_params(w, "members", param_sub(p));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_action(struct json_writer *w, const struct native_action *a)
{
	const struct permission *permission = a->permit ? permission_of_action(str_from(a->permit)) : NULL;
	json_write_open(w, NULL);
	if (a->name)
		json_write_z(w, "name", a->name);
	json_write_z(w, "method", method_of(a));
	json_write_z(w, "path", a->path);
	if (permission)
		json_write_z(w, "permission", permission->name);
	if (a->permit)
		json_write_z(w, "iam", a->permit);
	if (a->kind != KIND_NONE)
		json_write_z(w, "kind", model_kinds[a->kind].name);
	json_write_bool(w, "changes", a->flags & API_WRITES);
	json_write_bool(w, "admin", a->flags & NATIVE_ADMIN);
	json_write_bool(w, "many", a->flags & NATIVE_BULK);
	json_write_z(w, "doc", a->doc);
	write_params(w, "params", &a->args);
	json_write_close(w);
}

static const char *field_type(enum kind kind, unsigned n)
{
	static const char *const names[] = {
		[FIELD_UUID] = "id",      [FIELD_TEXT] = "text",   [FIELD_INT] = "integer",
		[FIELD_BOOL] = "boolean", [FIELD_ENUM] = "word",   [FIELD_IP] = "ip",
		[FIELD_CIDR] = "cidr",    [FIELD_MAC] = "mac",     [FIELD_BLOB] = "blob",
		[FIELD_UUIDS] = "ids",    [FIELD_TEXTS] = "texts", [FIELD_IPS] = "ips",
		[FIELD_CIDRS] = "cidrs",  [FIELD_TAGS] = "tags"};
	unsigned flags = model_shown[kind].flags[n];
	return flags & SHOWN_IS_TIME   ? "time"
	       : flags & SHOWN_IS_SIZE ? "bytes"
				       : names[model_kinds[kind].fields[n].type];
}

static void write_field(struct json_writer *w, enum kind kind, unsigned n)
{
	static const char *const groups[] = {"wanted", "placed", "seen", "history"};
	const struct field *f = &model_kinds[kind].fields[n];
	unsigned flags = model_shown[kind].flags[n];
	json_write_open(w, NULL);
	json_write_z(w, "name", f->name);
	json_write_z(w, "type", field_type(kind, n));
	json_write_z(w, "group", groups[f->group]);
	if (f->ref != KIND_NONE)
		json_write_z(w, "kind", model_kinds[f->ref].name);
	if (f->words) {
		json_write_open_list(w, "words");
		for (size_t k = 0; f->words[k]; k++)
			json_write_z(w, NULL, f->words[k]);
		json_write_close_list(w);
	}
	if (flags & SHOWN_COLUMN)
		json_write_bool(w, "column", true);
	if (flags & SHOWN_SEARCHED)
		json_write_bool(w, "searched", true);
	if (flags & SHOWN_TO_ADMINS)
		json_write_bool(w, "admin", true);
	json_write_z(w, "doc", f->doc);
	json_write_close(w);
}

static void write_kind(struct json_writer *w, enum kind kind)
{
	const struct kind_info *k = &model_kinds[kind];
	const struct shown_kind *s = &model_shown[kind];
	json_write_open(w, NULL);
	json_write_z(w, "name", k->name);
	json_write_z(w, "path", s->name);
	json_write_z(w, "doc", k->doc);
	json_write_z(w, "read", s->read);
	json_write_bool(w, "admin", s->is_for_admins);
	if (*k->ec2_prefix)
		json_write_z(w, "ec2_prefix", k->ec2_prefix);
	if (k->state_count) {
		json_write_open_list(w, "states");
		for (unsigned n = 0; n < k->state_count; n++)
			json_write_z(w, NULL, k->states[n].name);
		json_write_close_list(w);
	}
	json_write_open_list(w, "fields");
	for (unsigned n = 0; n < k->field_count; n++)
		if (!(s->flags[n] & SHOWN_TO_NOBODY))
			write_field(w, kind, n);
	json_write_close_list(w);
	json_write_open_list(w, "derived");
	for (size_t n = 0; s->derived[n]; n++)
		json_write_z(w, NULL, s->derived[n]);
	json_write_close_list(w);
	json_write_close(w);
}

static void each_action(struct json_writer *w, const struct native_face *face,
			void (*write)(struct json_writer *w, const struct native_action *a))
{
	for (size_t k = 0; face && k < face->read_count; k++)
		write(w, &face->reads[k]);
	for (size_t g = 0; g < native_count_groups(); g++)
		for (size_t k = 0; k < native_group_at(g)->count; k++)
			write(w, native_row_of(api_action_at(native_group_at(g), k)));
}

RESULT native_answer_schema(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "kinds");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		if (model_shown[k].name)
			write_kind(w, k);
	json_write_close_list(w);
	json_write_open_list(w, "actions");
	each_action(w, native_face_of(e), write_action);
	json_write_close_list(w);
	return OK;
}

/* ---- /openapi.json ---- */

static void write_format(struct json_writer *w, const char *type, const char *format)
{
	json_write_z(w, "type", type);
	if (format)
		json_write_z(w, "format", format);
}

static void write_items(struct json_writer *w, const char *format)
{
	json_write_z(w, "type", "array");
	json_write_open(w, "items");
	write_format(w, "string", format);
	json_write_close(w);
}

static void write_texts_object(struct json_writer *w)
{
	json_write_z(w, "type", "object");
	json_write_open(w, "additionalProperties");
	json_write_z(w, "type", "string");
	json_write_close(w);
}

static void write_field_schema(struct json_writer *w, enum kind kind, unsigned n)
{
	const struct field *f = &model_kinds[kind].fields[n];
	json_write_open(w, f->name);
	switch (f->type) {
	case FIELD_INT:
		write_format(w, "integer", "int64");
		break;
	case FIELD_BOOL:
		write_format(w, "boolean", NULL);
		break;
	case FIELD_UUIDS:
		write_items(w, "uuid");
		break;
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
		write_items(w, NULL);
		break;
	case FIELD_TAGS:
		write_texts_object(w);
		break;
	case FIELD_UUID:
		write_format(w, "string", "uuid");
		break;
	case FIELD_BLOB:
		write_format(w, "string", "byte");
		break;
	case FIELD_ENUM:
	case FIELD_TEXT:
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
		write_format(w, "string", NULL);
		break;
	}
	if (f->words) {
		json_write_open_list(w, "enum");
		for (size_t k = 0; f->words[k]; k++)
			json_write_z(w, NULL, f->words[k]);
		json_write_close_list(w);
	}
	json_write_z(w, "description", f->doc);
	json_write_close(w);
}

static void write_plain(struct json_writer *w, const char *name, const char *type, const char *doc)
{
	json_write_open(w, name);
	json_write_z(w, "type", type);
	json_write_z(w, "description", doc);
	json_write_close(w);
}

static void write_kind_schema(struct json_writer *w, enum kind kind)
{
	const struct kind_info *k = &model_kinds[kind];
	json_write_open(w, k->name);
	json_write_z(w, "type", "object");
	json_write_z(w, "description", k->doc);
	json_write_open(w, "properties");
	write_plain(w, "id", "string", "Its UUID.");
	if (*k->ec2_prefix)
		write_plain(w, "ec2", "string", "EC2's form of the id.");
	write_plain(w, "gen", "integer", "Counts wishes; If-Match takes it.");
	write_plain(w, "batch", "integer", "The commit that changed it last.");
	write_plain(w, "created_us", "integer", "UTC microseconds.");
	write_plain(w, "state", "string", "What it is in now.");
	write_plain(w, "conditions", "array", "What is in its way.");
	for (unsigned n = 0; n < k->field_count; n++)
		if (!(model_shown[kind].flags[n] & SHOWN_TO_NOBODY))
			write_field_schema(w, kind, n);
	json_write_close(w);
	json_write_close(w);
}

static void write_param_schema(struct json_writer *w, const struct param *p);

static void write_object_schema(struct json_writer *w, const struct params *params)
{
	json_write_z(w, "type", "object");
	json_write_open(w, "properties");
	for (size_t k = 0; k < params->count; k++)
		if (params->at[k].place == IN_BODY && params->at[k].type != PARAM_NOT_BUILT) {
			json_write_open(w, params->at[k].wire);
			write_param_schema(w, &params->at[k]);
			json_write_close(w);
		}
	json_write_close(w);
	json_write_open_list(w, "required");
	for (size_t k = 0; k < params->count; k++)
		if (params->at[k].place == IN_BODY && params->at[k].flags & REQUIRED)
			json_write_z(w, NULL, params->at[k].wire);
	json_write_close_list(w);
}

static void write_param_schema(struct json_writer *w, const struct param *p)
{
	switch (p->type) {
	case PARAM_INT:
		write_format(w, "integer", "int64");
		break;
	case PARAM_BOOL:
	case PARAM_CHOICE:
		write_format(w, "boolean", NULL);
		break;
	case PARAM_TEXTS:
	case PARAM_IDS:
	case PARAM_IPS:
		write_items(w, NULL);
		break;
	case PARAM_TAGS:
		write_texts_object(w);
		break;
	case PARAM_STRUCT:
		write_object_schema(w, p->sub);
		break;
	case PARAM_STRUCTS:
		json_write_z(w, "type", "array");
		json_write_open(w, "items");
		write_object_schema(w, p->sub);
		json_write_close(w);
		break;
	case PARAM_JSON:
		break;
	case PARAM_NOT_BUILT:
	case PARAM_PASSED_OVER:
	case PARAM_TEXT:
	case PARAM_ID:
	case PARAM_IP:
	case PARAM_CIDR:
	case PARAM_MAC:
		write_format(w, "string", NULL);
		break;
	}
	if (param_words(p) && p->type == PARAM_TEXT)
		write_words(w, "enum", param_words(p));
	if (p->doc)
		json_write_z(w, "description", p->doc);
}

static void write_parameter(struct json_writer *w, struct str name, const char *in, const char *doc,
			    bool is_required)
{
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	json_write_z(w, "in", in);
	if (is_required)
		json_write_bool(w, "required", true);
	if (doc)
		json_write_z(w, "description", doc);
	json_write_open(w, "schema");
	json_write_z(w, "type", "string");
	json_write_close(w);
	json_write_close(w);
}

static const struct {
	const char *name, *doc;
} of_lists[] = {{"q", "Words that must be in what is searched."},
		{"fields", "The members to show, or *."},
		{"order", "A field, with - before it from the highest on."},
		{"limit", "1 to 1000."},
		{"after", "The cursor of the page before."},
		{"total", "1: count all."},
		{"all", "1: of all accounts; administrators."}};

static void write_parameters(struct json_writer *w, const struct native_action *a)
{
	struct str rest = str_from(a->path), segment;
	json_write_open_list(w, "parameters");
	while (str_split_next(&rest, '/', &segment))
		if (segment.n && segment.p[0] == '{')
			write_parameter(w, str_slice(segment, 1, segment.n - 1), "path", NULL, true);
	for (size_t k = 0; a->flags & NATIVE_LISTS && k < sizeof of_lists / sizeof of_lists[0]; k++)
		write_parameter(w, str_from(of_lists[k].name), "query", of_lists[k].doc, false);
	for (size_t k = 0; k < a->args.count; k++)
		if (a->args.at[k].place == IN_QUERY)
			write_parameter(w, str_from(a->args.at[k].wire), "query", a->args.at[k].doc, false);
	json_write_close_list(w);
}

static bool has_body(const struct native_action *a)
{
	for (size_t k = 0; k < a->args.count; k++)
		if (a->args.at[k].place == IN_BODY)
			return true;
	return false;
}

static void write_ref(struct json_writer *w, enum kind kind)
{
	char ref[96];
	(void) snprintf(ref, sizeof ref, "#/components/schemas/%s", model_kinds[kind].name);
	json_write_z(w, "$ref", ref);
}

static void write_responses(struct json_writer *w, const struct native_action *a)
{
	char status[8];
	(void) snprintf(status, sizeof status, "%d",
			a->status               ? a->status
			: a->flags & API_WRITES ? 202
						: 200);
	json_write_open(w, "responses");
	json_write_open(w, status);
	json_write_z(w, "description", a->doc);
	if (a->flags & (NATIVE_LISTS | NATIVE_READS) && a->kind != KIND_NONE) {
		json_write_open(w, "content");
		json_write_open(w, "application/json");
		json_write_open(w, "schema");
		json_write_z(w, "type", "object");
		json_write_open(w, "properties");
		json_write_open(w, a->flags & NATIVE_LISTS ? "items" : "item");
		if (a->flags & NATIVE_LISTS) {
			json_write_z(w, "type", "array");
			json_write_open(w, "items");
		}
		write_ref(w, a->kind);
		for (int depth = a->flags & NATIVE_LISTS ? 6 : 5; depth > 0; depth--)
			json_write_close(w);
	}
	json_write_close(w);
	json_write_open(w, "default");
	json_write_z(w, "$ref", "#/components/responses/problem");
	json_write_close(w);
	json_write_close(w);
}

static const char *method_key(const struct native_action *a)
{
	static const char *const names[] = {
		[HTTP_GET] = "get", [HTTP_HEAD] = "head",   [HTTP_POST] = "post",
		[HTTP_PUT] = "put", [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete"};
	return names[a->method];
}

static void write_data_body(struct json_writer *w)
{
	json_write_open(w, "requestBody");
	json_write_open(w, "content");
	json_write_open(w, NATIVE_DATA_TYPE);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}

static void write_operation(struct json_writer *w, const struct native_action *a)
{
	json_write_open(w, method_key(a));
	json_write_z(w, "summary", a->doc);
	if (a->permit)
		json_write_z(w, "x-permission", a->permit);
	write_parameters(w, a);
	if (a->flags & NATIVE_UPLOAD)
		write_data_body(w);
	else if (has_body(a)) {
		json_write_open(w, "requestBody");
		json_write_open(w, "content");
		json_write_open(w, "application/json");
		json_write_open(w, "schema");
		write_object_schema(w, &a->args);
		json_write_close(w);
		json_write_close(w);
		json_write_close(w);
		json_write_close(w);
	}
	write_responses(w, a);
	json_write_close(w);
}

/* Routes are sorted by path, so the methods of a path are adjacent. */
static void write_paths(struct json_writer *w, const struct native_face *face)
{
	const char *path = NULL;
	for (size_t k = 0; k < face->route_count; k++) {
		const struct native_action *a = native_row_of(face->routes[k].entry.action);
		if (!path || strcmp(path, a->path) != 0) {
			if (path)
				json_write_close(w);
			path = a->path;
			json_write_key(w, str_from(path));
			json_write_open(w, NULL);
		}
		write_operation(w, a);
	}
	if (path)
		json_write_close(w);
}

static void write_problem_component(struct json_writer *w)
{
	static const char *const members[] = {"type", "title", "detail", "advice",
					      "kind", "field", "id",     "request_id"};
	json_write_open(w, "responses");
	json_write_open(w, "problem");
	json_write_z(w, "description", "A problem, as RFC 9457 has it.");
	json_write_open(w, "content");
	json_write_open(w, "application/problem+json");
	json_write_open(w, "schema");
	json_write_z(w, "type", "object");
	json_write_open(w, "properties");
	write_plain(w, "status", "integer", "The answer's status.");
	for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
		write_plain(w, members[k], "string", "See docs/api.md.");
	for (int depth = 6; depth > 0; depth--)
		json_write_close(w);
}

RESULT native_answer_openapi(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_z(w, "openapi", "3.1.0");
	json_write_open(w, "info");
	json_write_z(w, "title", "Dari");
	json_write_z(w, "version", "1");
	json_write_close(w);
	json_write_open_list(w, "servers");
	json_write_open(w, NULL);
	json_write_text(w, "url",
			str_print(e->c->arena, "%" STR_FMT NATIVE_PREFIX, STR_ARG(api_base_url(&e->core))));
	json_write_close(w);
	json_write_close_list(w);
	json_write_open(w, "paths");
	write_paths(w, native_face_of(e));
	json_write_close(w);
	json_write_open(w, "components");
	json_write_open(w, "schemas");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		if (model_shown[k].name)
			write_kind_schema(w, k);
	json_write_close(w);
	write_problem_component(w);
	json_write_close(w);
	return OK;
}

/* ---- dumps ---- */

static const struct dump_form form = {.face = "native", .list_suffix = ""};

static void dump_action(struct json_writer *w, const struct native_action *a)
{
	dump_open_action(w, &form, &a->core, "native", a->name ? a->name : a->permit);
	json_write_bool(w, "admin", a->flags & NATIVE_ADMIN);
	json_write_bool(w, "many", a->flags & NATIVE_BULK);
	json_write_bool(w, "lists", a->flags & NATIVE_LISTS);
	json_write_z(w, "method", method_of(a));
	json_write_z(w, "path", a->path);
	json_write_z(w, "kind", model_kinds[a->kind].name);
	dump_params_of_path(w, &form, a->path, a->kind, &a->args);
	json_write_close(w);
}

void native_dump_actions(struct buf *out)
{
	struct json_writer w;
	struct native_face *face = native_face_for_dumps();
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	each_action(&w, face, dump_action);
	json_write_close_list(&w);
	json_write_close(&w);
	native_free_dumped(face);
}

void native_write_coverage(struct buf *out)
{
	buf_add_str(out, STR("| call | path | what it does |\n| --- | --- | --- |\n"));
	for (size_t g = 0; g < native_count_groups(); g++)
		for (size_t k = 0; k < native_group_at(g)->count; k++) {
			const struct native_action *a = native_row_of(api_action_at(native_group_at(g), k));
			buf_print(out, "| %s | `%s %s` | %s |\n", a->name ? a->name : a->permit, method_of(a),
				  a->path, a->doc);
		}
}
