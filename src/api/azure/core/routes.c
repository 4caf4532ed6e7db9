/* SPDX-License-Identifier: Apache-2.0
 * Finds the call of a request by path and method. Paths ignore case and doubled slashes, which az and
 * libcloud send. The API version must be one of the type's. Source: Azure Resource Manager, "Resource
 * providers and types"; error texts as in azure-cli issue 28496.
 */
#include "api/azure/core/action.h"
#include "api/core/path.h"

#include <assert.h>
#include <stdlib.h>

const struct api_actions *const az_groups[] = {
#define GROUP(name) &az_##name##_actions,
#include "api/azure/core/action_groups.def"
#undef GROUP
};
const size_t az_group_count = sizeof az_groups / sizeof az_groups[0];

const struct az_type az_types[] = {
#define TYPE(symbol, space, name, versions, is_global) {space, name, versions, is_global},
#include "api/azure/core/types.def"
/* Indexed by enum az_types. */
#include "api/azure/core/empty_types.def"
#undef TYPE
};

static const char *path_of(const struct az_route *r)
{
	return az_row_of(r->entry.action)->path;
}

/* Orders by the number of segments; then fixed words before variables. */
static int compare_routes(const void *a, const void *b)
{
	const struct az_route *x = a, *y = b;
	if (x->segment_count != y->segment_count)
		return x->segment_count < y->segment_count ? -1 : 1;
	return path_compare_forms(path_of(x), path_of(y));
}

void az_sum_routes(struct az_face *face)
{
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct api_action *action = api_action_at(az_groups[g], k);
			assert(face->route_count < AZ_ROUTES_MAX);
			face->routes[face->route_count++] = (struct az_route){
				path_count_segments(str_from(az_row_of(action)->path)), api_entry_of(action)};
		}
	qsort(face->routes, face->route_count, sizeof face->routes[0], compare_routes);
}

enum { VARIABLES_MAX = 8 };

/* Decodes the variables. One that would become several segments stays encoded, which no name is; a tag may have slashes. */
static void decode(struct az_call *e, struct pair *variables, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		struct str plain = variables[k].value;
		if (path_decode(e->c->arena, &plain) && (str_find_char(plain, '/', 0) == plain.n ||
							 str_starts_with(variables[k].name, STR("tag"))))
			variables[k].value = plain;
	}
}

static const struct az_route *find_route(struct az_call *e, enum http_method method, bool *ret_has_path)
{
	const struct az_face *face = az_face_of(e);
	struct path_parts path;
	size_t count = 0;
	struct pair *variables = arena_new_array(e->c->arena, struct pair, VARIABLES_MAX);
	path_split(e->call->path, &path);
	for (size_t k = 0; variables && k < face->route_count; k++) {
		const struct az_route *r = &face->routes[k];
		if (r->segment_count != path.count ||
		    !path_fits(path_of(r), &path, true, variables, VARIABLES_MAX, &count))
			continue;
		*ret_has_path = true;
		if (az_row_of(r->entry.action)->method != method)
			continue;
		decode(e, variables, count);
		e->path = (struct pairs){variables, count};
		return r;
	}
	return NULL;
}

const struct az_route *az_find_route(struct az_call *e, bool *ret_has_path)
{
	*ret_has_path = false;
	const struct az_route *r = find_route(e, e->call->method, ret_has_path);
	if (r || e->call->method != HTTP_HEAD)
		return r;
	r = find_route(e, HTTP_GET, ret_has_path);
	e->asks_existence = r && !(az_row_of(r->entry.action)->flags & AZ_SIGNIN);
	return e->asks_existence ? r : NULL;
}

/* ---- versions ---- */

static const char date_form[] = "0000-00-00";
enum { DATE_SIZE = sizeof date_form - 1 };

static bool is_version(struct str text)
{
	for (size_t k = 0; k < DATE_SIZE && k < text.n; k++)
		if (date_form[k] == '-' ? text.p[k] != '-' : text.p[k] < '0' || text.p[k] > '9')
			return false;
	if (text.n < DATE_SIZE)
		return false;
	int month = (text.p[5] - '0') * 10 + text.p[6] - '0', day = (text.p[8] - '0') * 10 + text.p[9] - '0';
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	return text.n == DATE_SIZE || (text.n > DATE_SIZE + 1 && text.p[DATE_SIZE] == '-');
}

RESULT az_check_version(struct az_call *e, const struct az_type *type)
{
	struct str version = az_query_value(e, "api-version"), rest = str_from(type->versions),
		   first = STR_NONE;
	if (!version.n) {
		e->error = &az_no_version;
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("api-version"),
			"The api-version query parameter (?api-version=) is required for all requests.");
	}
	if (!is_version(version)) {
		e->error = &az_bad_version;
		return az_fail(e, "api-version", "The api-version '%" STR_FMT "' is invalid.",
			       STR_ARG(str_slice(version, 0, 64)));
	}
	/* serve versions newer than the newest known as the newest: clients are updated monthly */
	(void) str_split_next(&rest, '|', &first);
	if (str_compare(str_slice(version, 0, DATE_SIZE), str_slice(first, 0, DATE_SIZE)) >= 0)
		return OK;
	e->error = type->is_global ? &az_bad_version : &az_no_provider;
	struct str versions = str_from(type->versions), text = STR_NONE, one;
	while (str_split_next(&versions, '|', &one))
		text = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(text), text.n ? ", " : "",
				 STR_ARG(one));
	if (type->is_global)
		return az_fail(e, "api-version",
			       "The api-version '%" STR_FMT
			       "' is invalid. The supported versions are '%" STR_FMT "'.",
			       STR_ARG(version), STR_ARG(text));
	return az_fail(e, "api-version",
		       "No registered resource provider found for location '%" STR_FMT
		       "' and API version '%" STR_FMT
		       "' for type '%s'. The supported api-versions are '%" STR_FMT
		       "'. The supported locations are '%" STR_FMT "'.",
		       STR_ARG(az_location(e)), STR_ARG(version), type->name, STR_ARG(text),
		       STR_ARG(az_location(e)));
}

/* ---- what is not there ---- */

static bool is_space_known(struct str space)
{
	for (size_t k = 0; k < AZ_TYPE_COUNT; k++)
		if (str_equal_nocase(str_from(az_types[k].space), space))
			return true;
	return false;
}

/* The path after its last "providers": namespace, full type ("virtualNetworks/subnets") and a POST's
 * action. */
struct named_path {
	struct str space, type, action;
};

static struct named_path name_path(struct az_call *e)
{
	struct named_path p = {0};
	struct str rest = e->call->path, segment;
	size_t count = 0;
	while (path_next_segment(&rest, &segment)) {
		if (str_equal_nocase(segment, STR("providers"))) {
			p = (struct named_path){0};
			count = 0;
			(void) path_next_segment(&rest, &p.space);
		} else if (p.space.n && count++ % 2 == 0) {
			p.action = count > 1 ? segment : STR_NONE;
			p.type = str_print(e->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(p.type),
					   p.type.n ? "/" : "", STR_ARG(segment));
		}
	}
	bool has_action = e->call->method == HTTP_POST && count % 2 == 1 && p.action.n;
	p.action = has_action ? str_slice(p.action, 0, 64) : STR_NONE;
	if (has_action)
		p.type.n -= p.action.n + 1;
	p.space = str_slice(p.space, 0, 128);
	return p;
}

static bool is_type_known(const struct named_path *p)
{
	for (size_t k = 0; k < AZ_TYPE_COUNT; k++)
		if (str_equal_nocase(str_from(az_types[k].space), p->space) &&
		    str_equal_nocase(str_from(az_types[k].name), p->type))
			return true;
	return false;
}

RESULT az_fail_path(struct az_call *e)
{
	static const struct api_error not_built = {ERR_UNSUPPORTED, 0, 409, "OperationNotAllowed"};
	struct named_path p = name_path(e);
	if (p.space.n && !is_space_known(p.space)) {
		e->error = &az_unknown_space;
		return ctx_fail(e->c, ERR_NOT_FOUND, "The resource namespace '%" STR_FMT "' is invalid.",
				STR_ARG(p.space));
	}
	if (!p.action.n && is_type_known(&p) && e->call->method == HTTP_PUT) {
		e->error = &not_built;
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"Resources of the type '%" STR_FMT "/%" STR_FMT "' are not supported here.",
				STR_ARG(p.space), STR_ARG(str_slice(p.type, 0, 128)));
	}
	if (!p.action.n && is_type_known(&p))
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The Resource '%" STR_FMT "' was not found. For more details please go to "
				"https://aka.ms/ARMResourceNotFoundFix",
				STR_ARG(str_slice(e->call->path, 0, 512)));
	if (p.action.n && is_type_known(&p)) {
		e->error = &not_built;
		return ctx_fail(e->c, ERR_UNSUPPORTED,
				"The operation '%" STR_FMT "' of the resource type '%" STR_FMT "/%" STR_FMT
				"' is not supported.",
				STR_ARG(p.action), STR_ARG(p.space), STR_ARG(str_slice(p.type, 0, 128)));
	}
	e->error = &az_unknown_type;
	if (p.type.n)
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The resource type '%" STR_FMT
				"' could not be found in the namespace '%" STR_FMT
				"' for api version '%" STR_FMT "'.",
				STR_ARG(str_slice(p.type, 0, 128)), STR_ARG(p.space),
				STR_ARG(str_slice(az_query_value(e, "api-version"), 0, 64)));
	return ctx_fail(e->c, ERR_NOT_FOUND,
			"No HTTP resource was found that matches the request URI '%" STR_FMT "'.",
			STR_ARG(str_slice(e->call->path, 0, 512)));
}
