/* SPDX-License-Identifier: Apache-2.0
 * PUT, PATCH and DELETE of named resources: existence, common members (location, tags), and members without
 * a row field, which are stored and shown unchanged. Sources: Azure Resource Manager, "Resource Manager REST
 * API" (PUT creates or replaces, DELETE of an absent resource is 204), "Common deployment errors".
 */
#include "api/azure/core/action.h"

#include <stdlib.h>

#include "base/letters.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "model/state.h"
#include "store/arm_resource.h"
#include "store/resource_group.h"

enum { NAME_MAX_CHARACTERS = 80, DEFINITION_MAX = 65536 };

/* ---- what a body says of any resource ---- */

bool az_is_name(struct str name)
{
	bool is_good = name.n >= 1 && name.n <= NAME_MAX_CHARACTERS &&
		       (str_is_alphanumeric(name.p[0]) || name.p[0] == '_') &&
		       (str_is_alphanumeric(name.p[name.n - 1]) || name.p[name.n - 1] == '_');
	for (size_t k = 0; is_good && k < name.n; k++)
		is_good = str_is_alphanumeric(name.p[k]) || strchr("_.-", name.p[k]);
	return is_good;
}

static RESULT check_name(struct az_call *e, struct str name)
{
	if (az_is_name(name))
		return OK;
	e->error = &az_bad_name;
	return ctx_fail(
		e->c, ERR_INVALID,
		"Resource name %" STR_FMT
		" is invalid. The name can be up to 80 characters long. It must begin with a word character, "
		"and it must end with a word character or with '_'. The name may contain word characters or "
		"'.', '-', '_'.",
		STR_ARG(str_slice(name, 0, 128)));
}

static RESULT check_names(struct az_call *e, struct str name)
{
	struct str word;
	while (str_split_next(&name, '/', &word))
		TRY(check_name(e, word));
	return OK;
}

RESULT az_check_location(struct az_call *e)
{
	struct str location = str_from(json_string_value(json_object_get(e->body, "location")));
	const struct az_type *type = &az_types[az_action_of(e)->type];
	if (!location.n) {
		e->error = &az_no_location;
		return ctx_fail_field(e->c, ERR_MISSING, STR("location"),
				      "The location property is required for this definition.");
	}
	if (str_equal(az_fold_location(e, location), az_location(e)))
		return OK;
	e->error = &az_other_location;
	return az_fail(
		e, "location",
		"The provided location '%" STR_FMT
		"' is not available for resource type '%s/%s'. List of available regions for the resource "
		"type is '%" STR_FMT "'.",
		STR_ARG(str_slice(location, 0, 128)), type->space, type->name, STR_ARG(az_location(e)));
}

RESULT az_check_tag_names(struct az_call *e, const struct tags *tags, const char *field)
{
	for (size_t k = 0; k < tags->count; k++)
		for (size_t n = 0; n < k; n++)
			if (str_equal_anycase(tags->at[k].key, tags->at[n].key))
				return az_fail(e, field, /* guessed */
					       "The tag name '%" STR_FMT
					       "' is there twice: names of tags are case-insensitive.",
					       STR_ARG(tags->at[k].key));
	return OK;
}

RESULT az_read_tags(struct az_call *e)
{
	const json_t *tags = json_object_get(e->body, "tags");
	const char *key;
	json_t *value;
	if (!tags || json_is_null(tags))
		return OK;
	size_t count = json_object_size(tags);
	if (!json_is_object(tags) || count > TAG_COUNT_MAX)
		return az_fail(e, "tags", "The tags of a resource are an object of up to %d members.",
			       TAG_COUNT_MAX);
	struct tag *at = arena_new_array(e->c->arena, struct tag, count ? count : 1);
	if (!at)
		return ctx_no_memory(e->c);
	e->put.has_tags = true;
	json_object_foreach ((json_t *) tags, key, value) {
		if (!json_is_string(value))
			return az_fail(e, "tags", "The value of a tag is a text.");
		at[e->put.tags.count++] =
			(struct tag){str_copy(e->c->arena, str_from(key)),
				     str_copy(e->c->arena, str_from(json_string_value(value)))};
	}
	e->put.tags.at = at;
	return az_check_tag_names(e, &e->put.tags, "tags");
}

/* ---- stored members ---- */

/* Finds the member of a path such as "properties.storageProfile.osDisk.caching"; NULL: absent. */
static json_t *find_member(const json_t *o, const char *path)
{
	for (const char *dot; o && (dot = strchr(path, '.')); path = dot + 1)
		o = json_object_getn(o, path, (size_t) (dot - path));
	json_t *value = json_object_get(o, path);
	return json_is_null(value) ? NULL : value;
}

/* Microsoft.Network takes a PUT as the whole resource: what it leaves out has its default again ("Azure
 * Resource Manager deployment modes": properties that are left out are reset). Zones are fixed, and stay.
 * Microsoft.Compute applies PATCH semantics to PUT, too: absent and null members stay, and an empty text removes a value
 * ("PUT calls for creation or updates on compute resources"). */
static bool is_reset_by_absence(const struct az_call *e, const char *path)
{
	const struct az_action *a = az_action_of(e);
	return a->flags & AZ_PUT && strcmp(az_types[a->type].space, az_types[AZ_NETWORKS].space) == 0 &&
	       strcmp(path, "zones") != 0;
}

/* Merges into the stored members; absent members keep their values, unless their absence resets them. */
static RESULT keep(struct az_call *e, const json_t *body, const char *keeps, json_t *kept,
		   struct str *ret_definition)
{
	struct str rest = str_from(keeps), path;
	bool was_empty = !json_object_size(kept);
	while (str_split_next(&rest, '|', &path)) {
		const char *key = str_to_z(e->c->arena, path);
		json_t *value = find_member(body, key);
		if (value && json_object_set(kept, key, value) != 0)
			return ctx_no_memory(e->c);
		if (!value && is_reset_by_absence(e, key))
			(void) json_object_del(kept, key);
	}
	if (was_empty && !json_object_size(kept))
		return OK;
	char *text = json_dumps(kept, JSON_COMPACT);
	if (!text)
		return ctx_no_memory(e->c);
	*ret_definition = str_copy(e->c->arena, str_from(text));
	free(text);
	if (ret_definition->n > DEFINITION_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "What is said of the resource is too long.");
	return OK;
}

RESULT az_keep(struct az_call *e, uuid target, const json_t *body, const char *keeps,
	       struct str *ret_definition)
{
	const json_t *before = az_said(e, target);
	json_t *kept = before ? json_deep_copy(before) : json_object();
	if (!kept)
		return ctx_no_memory(e->c);
	struct result result = keep(e, body, keeps, kept, ret_definition);
	json_decref(kept);
	return result;
}

/* True for values without effect: empty, false, or members that only answers have. */
static bool says_nothing(const json_t *whole, const char *name, const json_t *value)
{
	static const char *const answered[] = {"etag", "type", "provisioningState", "resourceGuid"};
	if (json_is_null(value) || json_is_false(value) ||
	    ((json_is_object(value) || json_is_array(value)) && !json_object_size(value) &&
	     !json_array_size(value)))
		return true;
	for (size_t k = 0; k < sizeof answered / sizeof answered[0]; k++)
		if (strcmp(name, answered[k]) == 0)
			return true;
	return strcmp(name, "id") == 0 && json_object_get(whole, "properties");
}

static void prune(json_t *json)
{
	const char *name;
	json_t *value;
	void *rest;
	for (size_t k = 0; k < json_array_size(json); k++)
		prune(json_array_get(json, k));
	json_object_foreach_safe(json, rest, name, value)
	{
		prune(value);
		if (says_nothing(json, name, value))
			(void) json_object_del(json, name);
	}
}

static bool says_the_same(const json_t *one, const json_t *other)
{
	json_t *a = one ? json_deep_copy(one) : json_object(),
	       *b = other ? json_deep_copy(other) : json_object();
	prune(a);
	prune(b);
	bool is_same =
		a && b && (json_equal(a, b) || (says_nothing(NULL, "", a) && says_nothing(NULL, "", b)));
	json_decref(a);
	json_decref(b);
	return is_same;
}

/* Returns the resource's JSON as a GET shows it; NULL: no memory. */
static json_t *show(struct az_call *e, const struct row *row)
{
	struct buf text;
	struct json_writer w;
	buf_init(&text, BUF_ANSWER_CAP);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	members_write(&e->core, &w, az_write_time, &az_action_of(e)->shows->members, row);
	json_write_close(&w);
	struct str whole = result_is_ok(json_write_end(&w)) ? buf_str(&text) : STR_NONE;
	json_t *shown = whole.n ? json_loadb(whole.p, whole.n, 0, NULL) : NULL;
	buf_done(&text);
	return shown;
}

/* True if the stored members of the body equal what a GET shows: clients may send answers back. */
static bool says_nothing_new(struct az_call *e, const struct row *row)
{
	struct str rest = str_from(az_action_of(e)->keeps), path;
	json_t *shown = show(e, row);
	bool is_same = shown != NULL;
	while (is_same && str_split_next(&rest, '|', &path)) {
		const char *key = str_to_z(e->c->arena, path);
		const json_t *value = find_member(e->body, key);
		is_same = value ? says_the_same(find_member(shown, key), value)
				: !is_reset_by_absence(e, key) || !json_object_get(az_said(e, row->id), key);
	}
	json_decref(shown);
	return is_same;
}

static bool has_twice(const json_t *list, const char **ret_name)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		for (size_t j = 0; j < k; j++) {
			*ret_name = json_string_value(json_object_get(json_array_get(list, k), "name"));
			const char *other =
				json_string_value(json_object_get(json_array_get(list, j), "name"));
			if (*ret_name && other && str_equal_nocase(str_from(*ret_name), str_from(other)))
				return true;
		}
	return false;
}

/* Refuses two parts of the same name. Wording from a recorded answer (migAz 218). */
static RESULT check_parts(struct az_call *e)
{
	const struct az_action *a = az_action_of(e);
	struct str rest = str_from(a->parts), path;
	const char *name = NULL;
	while (e->body && str_split_next(&rest, '|', &path)) {
		const char *key = str_to_z(e->c->arena, path);
		if (has_twice(find_member(e->body, key), &name))
			return az_fail_format(e, "DuplicateResourceName", key,
					      str_print(e->c->arena,
							"Resource %" STR_FMT
							" has two child resources with the same name (%s).",
							STR_ARG(az_named_id(e, a->type, a->names)), name));
	}
	return OK;
}

/* Refuses a new value for members that cannot change. */
static RESULT check_fixed(struct az_call *e, const struct row *row)
{
	struct str rest = str_from(az_action_of(e)->fixed), one, path;
	json_t *shown = rest.n && e->body ? show(e, row) : NULL;
	struct result result = OK;
	while (shown && result_is_ok(result) && str_split_next(&rest, '|', &one)) {
		(void) str_split_next(&one, ':', &path);
		const char *key = str_to_z(e->c->arena, path);
		const json_t *value = find_member(e->body, key), *now = find_member(shown, key);
		bool is_same = json_is_string(value) && json_is_string(now)
				       ? str_equal_nocase(str_from(json_string_value(value)),
							  str_from(json_string_value(now)))
				       : says_the_same(now, value);
		if (value && !is_same)
			result = az_fail_change(e, str_to_z(e->c->arena, one));
	}
	json_decref(shown);
	return result;
}

static RESULT keep_members(struct az_call *e, const struct row *row)
{
	const struct az_action *a = az_action_of(e);
	const struct arm_resource *r = engine_find_name(az_tables(e), e->target);
	if (row && r && a->keeps && a->shows && says_nothing_new(e, row)) {
		e->put.definition = str_copy(e->c->arena, r->definition);
		return OK;
	}
	return a->keeps ? az_keep(e, e->target, e->body, a->keeps, &e->put.definition) : OK;
}

const json_t *az_said(struct az_call *e, uuid id)
{
	if (uuid_equal(e->said_of, id) && !uuid_is_none(id))
		return e->said;
	const struct arm_resource *r = engine_find_name(az_tables(e), id);
	json_decref(e->said);
	e->said_of = id;
	e->said = r && r->definition.n ? json_loadb(r->definition.p, r->definition.n, 0, NULL) : NULL;
	return e->said;
}

void az_write_said(struct az_call *e, struct json_writer *w, uuid id, const char *path, const char *name,
		   const char *otherwise)
{
	const json_t *value = json_object_get(az_said(e, id), path);
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	if (text)
		json_write_raw(w, name, str_from(text));
	free(text);
	if (!value && otherwise)
		json_write_z(w, name, otherwise);
}

/* ---- the row ---- */

RESULT az_check_group_stays(struct az_call *e)
{
	const struct resource_group *g = resource_group_find(az_tables(e), e->group);
	if (!g || !g->is_deleting)
		return OK;
	e->error = &az_group_goes;
	return ctx_fail(e->c, ERR_STATE,
			"The resource group '%" STR_FMT
			"' is in deprovisioning state and cannot perform this operation.",
			STR_ARG(g->name));
}

/* ---- If-Match ---- */

/* ETag of the row and of its stored members. */
static struct str etag_in(struct az_call *e, const struct tables *t, const struct row *row)
{
	char text[UUID_TEXT_SIZE];
	const struct arm_resource *r = engine_find_name(t, row->id);
	struct str gen = str_print(e->c->arena, "%llu-%llu", (unsigned long long) row->gen,
				   r ? (unsigned long long) r->row.gen : 0);
	return str_print(e->c->arena, "W/\"%s\"", uuid_write(uuid_v5(row->id, gen), text));
}

struct str az_etag_of(struct az_call *e, const struct row *row)
{
	return etag_in(e, az_tables(e), row);
}

static RESULT fail_changed(struct az_call *e, const char *header)
{
	e->error = &az_changed;
	return ctx_fail_field(e->c, ERR_CONFLICT, str_from(header),
			      "The condition '%s' of the request is not met by the resource.", header);
}

/* True if the list has the etag; weak ones match, too. */
static bool has_etag(struct str list, struct str etag)
{
	struct str plain = str_slice(etag, 2, etag.n), one;
	while (str_split_next(&list, ',', &one)) {
		one = str_trim(one);
		if (str_equal(one, etag) || str_equal(one, plain))
			return true;
	}
	return false;
}

static bool is_any(struct str header)
{
	return str_is(str_trim(header), "*");
}

static RESULT check_conditions(struct az_call *e, const struct tables *t, const struct row *row)
{
	struct str match = call_header(e->call, "If-Match"), none = call_header(e->call, "If-None-Match");
	if (row && none.n && (is_any(none) || has_etag(none, etag_in(e, t, row))))
		return fail_changed(e, "If-None-Match");
	if (match.n && (!row || (!is_any(match) && !has_etag(match, etag_in(e, t, row)))))
		return fail_changed(e, "If-Match");
	return OK;
}

/* Finds the row again on the committer: another call may have created or changed it meanwhile. */
static const struct row *find_now(struct az_call *e, struct op *op)
{
	const struct az_action *a = az_action_of(e);
	if (!uuid_is_none(e->target) || !a->names)
		return tables_find(op->head, a->kind, e->target);
	const struct arm_resource *r =
		engine_find_resource(op->head, e->c->arena, e->c->who->account, e->group,
				     az_full_type(e->c->arena, a->type), az_path_name(e, a->names));
	return r ? tables_find(op->head, a->kind, r->target) : NULL;
}

RESULT az_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred)
{
	struct az_call *e = az_call_of(core);
	(void) ret_is_deferred;
	return e->is_conditional ? check_conditions(e, op->head, find_now(e, op)) : OK;
}

/* DELETE of an absent resource succeeds. */
static RESULT forgive_absent(struct az_call *e, struct result found)
{
	const struct az_action *a = az_action_of(e);
	bool is_no_group = e->error == &az_no_group;
	if (found.code != ERR_NOT_FOUND || is_no_group || (a->method != HTTP_DELETE && !(a->flags & AZ_PUT)))
		return found;
	ctx_clear_problem(e->c);
	if (a->method == HTTP_DELETE) {
		e->skips_operation = true;
		e->status = 204;
	}
	return OK;
}

static int status_of_new(const struct az_action *a)
{
	return a->flags & AZ_IS_200 ? 200 : a->flags & AZ_IS_202 ? 202 : 201;
}

RESULT az_prepare_target(struct az_call *e)
{
	const struct az_action *a = az_action_of(e);
	const struct row *row = NULL;
	TRY(forgive_absent(
		e, az_find_named(e, a->names_type ? a->names_type : a->type, a->kind, a->names, &row)));
	e->target = row ? row->id : UUID_NONE;
	e->is_conditional = !e->skips_operation && a->operation &&
			    (call_header(e->call, "If-Match").n || call_header(e->call, "If-None-Match").n);
	if (e->is_conditional)
		TRY(check_conditions(e, az_tables(e), row));
	if (!(a->flags & (AZ_PUT | AZ_PATCH)))
		return OK;
	TRY(az_check_group_stays(e));
	TRY(az_read_tags(e));
	if (row && a->flags & AZ_PUT)
		e->put.has_tags = true; /* a PUT without tags removes them */
	if (row)
		TRY(check_fixed(e, row));
	if (a->flags & AZ_PUT) {
		e->put.name = az_path_name(e, a->names);
		e->status = row ? 200 : status_of_new(a);
		if (!row)
			TRY(check_names(e, e->put.name));
		TRY(check_parts(e));
	}
	return keep_members(e, row);
}

RESULT az_check_place(struct az_call *e)
{
	const struct az_action *a = az_action_of(e);
	bool is_whole = a->flags & AZ_PUT && a->names && !strchr(a->names, '/');
	bool is_said = a->flags & AZ_PATCH && json_is_string(json_object_get(e->body, "location"));
	return is_whole || is_said ? az_check_location(e) : OK;
}

static RESULT write_tags(struct az_call *e, struct op *op, uuid id)
{
	enum kind kind = az_action_of(e)->kind;
	struct ref ref = ref_by_id(kind, id);
	struct tags_wish wish = {.resources = {&ref, 1}, .tags = e->put.tags};
	return e->put.has_tags && model_kinds[kind].tags_offset ? engine_replace_tags(op, &wish) : OK;
}

RESULT az_name_target(struct az_call *e, struct op *op)
{
	const struct az_action *a = az_action_of(e);
	struct arm_resource_wish wish = {
		.group = e->group,
		.type = az_full_type(e->c->arena, a->type),
		.name = az_path_name(e, a->names),
		.kind = a->kind,
		.target = az_subject_of(e),
		.definition = e->put.definition,
	};
	if (a->keeps || a->flags & AZ_PUT)
		TRY(engine_name_resource(op, &wish));
	return a->operation == engine_replace_tags_run ? OK : write_tags(e, op, wish.target);
}

/* ---- tags alone ---- */

RESULT az_prepare_tags(struct az_call *e, void *args)
{
	struct tags_wish *wish = args;
	struct ref *ref = arena_new_object(e->c->arena, struct ref);
	if (!ref)
		return ctx_no_memory(e->c);
	*ref = az_target_ref(e);
	*wish = (struct tags_wish){.resources = {ref, 1}, .tags = e->put.tags};
	return OK;
}
