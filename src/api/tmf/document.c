/* SPDX-License-Identifier: Apache-2.0
 * The desk's document: members of a ticket that Dari does not model, such as related parties, a channel or the desk's own word for a
 * severity. The desk's link stores the document unchanged, and only that desk sees it. A merge patch (RFC 7396) changes the
 * document; a JSON patch (RFC 6902) of whole members is converted to a merge patch. */
#include <stdlib.h>

#include "api/tmf/internal.h"

enum { DOCUMENT_MAX = 16384, OPERATIONS_MAX = 100 };

/* Members that Dari says, or takes for its own. */
static const char *const own[] = {"id",
				  "href",
				  "name",
				  "description",
				  "status",
				  "statusChangeDate",
				  "statusChange",
				  "statusChangeHistory",
				  "creationDate",
				  "lastUpdate",
				  "resolutionDate",
				  "note",
				  "externalId",
				  "externalIdentifier",
				  "@type"};

static bool is_own(const char *name)
{
	for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
		if (strcmp(own[k], name) == 0)
			return true;
	return false;
}

static void free_json(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(free_json))) json_t

static RESULT dump(struct tmf_call *e, const json_t *json, struct str *ret_text)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	*ret_text = text ? str_copy(e->c->arena, str_from(text)) : STR_NONE;
	free(text);
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

json_t *tmf_load_document(struct str document)
{
	json_t *json = document.n ? json_loadb(document.p, document.n, 0, NULL) : json_object();
	return json;
}

RESULT tmf_merge_document(struct tmf_call *e, struct str before, struct str *ret_document)
{
	AUTO_JSON *document = tmf_load_document(before);
	const char *name;
	json_t *value;
	if (!document)
		return ctx_no_memory(e->c);
	json_object_foreach (e->body, name, value) {
		if (is_own(name))
			continue;
		if (json_is_null(value))
			(void) json_object_del(document, name);
		else if (json_object_set(document, name, value) != 0)
			return ctx_no_memory(e->c);
	}
	*ret_document = STR_NONE;
	if (json_object_size(document))
		TRY(dump(e, document, ret_document));
	return ret_document->n <= DOCUMENT_MAX
		       ? OK
		       : ctx_fail(e->c, ERR_TOO_LARGE,
				  "What is said of a trouble ticket besides its texts has up to %d bytes.",
				  DOCUMENT_MAX);
}

RESULT tmf_write_member(struct tmf_call *e, struct json_writer *w, const char *name, const json_t *value)
{
	struct str text = STR_NONE;
	TRY(dump(e, value, &text));
	if (name)
		json_write_key(w, str_copy(e->c->arena, str_from(name)));
	json_write_raw(w, NULL, text);
	return OK;
}

/* ---- JSON patch ---- */

static RESULT fail_operation(struct tmf_call *e)
{
	return ctx_fail_field(
		e->c, ERR_INVALID, STR("path"),
		"An operation adds, replaces or removes a whole member, such as /severity, or adds "
		"to /note: 'op', 'path' and, but to remove, 'value'.");
}

/* Notes are added, one or several. */
static int add_notes(json_t *merge, json_t *value)
{
	json_t *notes = json_object_get(merge, "note");
	if (!notes) {
		notes = json_array();
		if (json_object_set_new(merge, "note", notes) != 0)
			return -1;
	}
	return json_is_array(value) ? json_array_extend(notes, value) : json_array_append(notes, value);
}

static bool is_note_path(const char *path)
{
	return strcmp(path, "/note") == 0 || strcmp(path, "/note/-") == 0;
}

static bool is_member_path(const char *path)
{
	return path[0] == '/' && path[1] && !strpbrk(path + 1, "/~?");
}

static RESULT take_operation(struct tmf_call *e, json_t *merge, const json_t *operation)
{
	const char *op = json_string_value(json_object_get(operation, "op"));
	const char *path = json_string_value(json_object_get(operation, "path"));
	json_t *value = json_object_get(operation, "value");
	int failed = 0;
	if (!op || !path)
		return fail_operation(e);
	bool removes = strcmp(op, "remove") == 0, sets = strcmp(op, "add") == 0 || strcmp(op, "replace") == 0;
	if (sets && value && is_note_path(path))
		failed = add_notes(merge, value);
	else if (sets && value && is_member_path(path))
		failed = json_object_set(merge, path + 1, value);
	else if (removes && is_member_path(path) && !is_note_path(path))
		failed = json_object_set_new(merge, path + 1, json_null());
	else
		return fail_operation(e);
	return failed ? ctx_no_memory(e->c) : OK;
}

RESULT tmf_take_json_patch(struct tmf_call *e)
{
	AUTO_JSON *merge = json_object();
	if (!merge)
		return ctx_no_memory(e->c);
	if (!json_is_array(e->body) || json_array_size(e->body) > OPERATIONS_MAX)
		return ctx_fail(e->c, ERR_MALFORMED, "A JSON patch is a list of up to %d operations.",
				OPERATIONS_MAX);
	for (size_t k = 0; k < json_array_size(e->body); k++)
		TRY(take_operation(e, merge, json_array_get(e->body, k)));
	json_decref(e->body);
	e->body = json_incref(merge);
	return OK;
}
