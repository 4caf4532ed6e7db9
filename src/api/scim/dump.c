/* SPDX-License-Identifier: Apache-2.0
 * Dumps the tables as JSON (`dari dump scim`). The parameters of a body are the attributes of schema.c: here they become rows
 * as other faces have them, so that one walk writes all faces' parameters. */
#include "api/scim/internal.h"

static const struct dump_form form = {.face = "scim", .list_suffix = ""};

/* ---- parameters that no attribute stands for ---- */

#define SHOWN(where, many)                                                                                   \
	{.wire = "attributes", .type = (many), .place = (where), .doc = "Attributes to return."},            \
	{                                                                                                    \
		.wire = "excludedAttributes", .type = (many), .place = (where),                              \
		.doc = "Attributes to exclude."                                                              \
	}
#define PAGE(where)                                                                                          \
	{.wire = "filter",                                                                                   \
	 .type = PARAM_TEXT,                                                                                 \
	 .place = (where),                                                                                   \
	 .max = SCIM_FILTER_SIZE_MAX,                                                                        \
	 .doc = "A filter (RFC 7644, 3.4.2.2)."},                                                            \
		{.wire = "startIndex",                                                                       \
		 .type = PARAM_INT,                                                                          \
		 .place = (where),                                                                           \
		 .doc = "Number of the first result, from 1."},                                              \
	{                                                                                                    \
		.wire = "count", .type = PARAM_INT, .place = (where),                                        \
		.doc = "Maximum number of results in one page."                                              \
	}

static const struct param one_query[] = {SHOWN(IN_QUERY, PARAM_TEXT)};
static const struct param list_query[] = {SHOWN(IN_QUERY, PARAM_TEXT), PAGE(IN_QUERY)};
static const struct param search_body[] = {SHOWN(IN_BODY, PARAM_TEXTS), PAGE(IN_BODY)};
static const struct param operation_parts[] = {
	{.wire = "op", .type = PARAM_TEXT, .flags = REQUIRED, .words = "add|replace|remove"},
	{.wire = "path",
	 .type = PARAM_TEXT,
	 .max = SCIM_FILTER_SIZE_MAX,
	 .doc = "Path of the attribute; absent: the attributes named by the value."},
	{.wire = "value", .type = PARAM_JSON},
};
static const struct params operation = {.at = operation_parts,
					.count = sizeof operation_parts / sizeof operation_parts[0]};
static const struct param patch_parts[] = {
	SHOWN(IN_QUERY, PARAM_TEXT),
	{.wire = "Operations",
	 .type = PARAM_STRUCTS,
	 .flags = REQUIRED,
	 .max = SCIM_OPERATIONS_MAX,
	 .sub = &operation},
};
#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define TABLE(rows) ((struct params){.at = (rows), .count = COUNT(rows)})

/* ---- attributes as parameters ---- */

static enum param_type type_of(const struct scim_attribute *a)
{
	if (a->mutability == SCIM_READ_ONLY)
		return PARAM_PASSED_OVER;
	if (a->type == SCIM_COMPLEX)
		return a->is_list ? PARAM_STRUCTS : PARAM_STRUCT;
	if (a->names != KIND_NONE)
		return PARAM_ID;
	return a->type == SCIM_BOOLEAN ? PARAM_CHOICE : PARAM_TEXT;
}

static const struct params *make_table(struct arena *a, const struct scim_attribute *at, size_t count);

/* A schema may require "active", but a request without it is accepted: it is true then. */
static void make_row(struct arena *a, const struct scim_attribute *attribute, struct param *row)
{
	enum param_type type = type_of(attribute);
	bool is_read_only = attribute->mutability == SCIM_READ_ONLY;
	bool is_required = attribute->is_required && attribute->type == SCIM_STRING;
	*row = (struct param){.wire = attribute->name,
			      .doc = is_read_only ? "RFC 7644, 3.3: read-only." : attribute->doc,
			      .type = type,
			      .max = type == PARAM_TEXT ? SCIM_TEXT_MAX : 0,
			      .kind = attribute->names,
			      .flags = is_required ? REQUIRED : 0};
	if (type == PARAM_STRUCT || type == PARAM_STRUCTS)
		row->sub = make_table(a, attribute->subs, attribute->sub_count);
}

/* `more` rows of the table are left to the caller. NULL: out of memory. */
static struct param *make_rows(struct arena *a, const struct scim_attribute *at, size_t count, size_t more)
{
	struct param *rows = arena_new_array(a, struct param, count + more);
	for (size_t k = 0; rows && k < count; k++)
		make_row(a, &at[k], &rows[k]);
	return rows;
}

/* The recursion is as deep as the schema: an extension, and a complex attribute in it. */
static const struct params *make_table(struct arena *a, const struct scim_attribute *at, size_t count)
{
	struct params *table = arena_new_object(a, struct params);
	if (table)
		*table = (struct params){.at = make_rows(a, at, count, 0), .count = count};
	return table;
}

/* The body is a resource. */
static struct params list_attributes(struct arena *a, const struct scim_type *type)
{
	struct param *rows = make_rows(a, type->at, type->count, COUNT(one_query));
	if (rows)
		memcpy(rows + type->count, one_query, sizeof one_query);
	return (struct params){.at = rows, .count = type->count + COUNT(one_query)};
}

static struct params list_params(struct arena *a, const struct scim_action *action)
{
	if (!action->type || action->method == HTTP_DELETE)
		return (struct params){0};
	if (action->work == scim_list_work)
		return action->method == HTTP_GET ? TABLE(list_query) : TABLE(search_body);
	if (action->method == HTTP_GET)
		return TABLE(one_query);
	return action->method == HTTP_PATCH ? TABLE(patch_parts) : list_attributes(a, action->type);
}

static void write_members(struct json_writer *w, const struct rest_action *row)
{
	const struct scim_action *a = scim_row_of(&row->core);
	enum kind kind = a->type ? a->type->kind : KIND_NONE;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct params args = arena ? list_params(arena, a) : (struct params){0};
	json_write_bool(w, "lists", a->work == scim_list_work);
	json_write_z(w, "kind", model_kinds[kind].name);
	dump_params_of_path(w, &form, a->path, kind, &args);
}

void scim_dump_actions(struct buf *out)
{
	rest_dump_actions(&scim_actions, &form, write_members, out);
}
