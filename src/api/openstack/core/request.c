/* SPDX-License-Identifier: Apache-2.0
 * Converts a request's path, query and body into the action's struct, and finds the row that a parameter
 * names. */
#include "api/core/path.h"
#include "api/openstack/core/face.h"
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/unknown.h"
#include "api/openstack/core/words.h"
#include "api/openstack/core/write.h"

/* Maximum body in bytes. Parsing JSON takes about 40 ns per byte, also for unauthenticated callers; the
 * services have the same limit. Source: oslo.middleware, "max_request_body_size". */
enum { JSON_BODY_MAX = 114688 };

RESULT os_parse_body(struct os_call *e)
{
	struct str text = str_trim(e->call->body);
	json_error_t error;
	if (str_is_empty(text))
		return OK;
	if (text.n > JSON_BODY_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "Request is too large.");
	e->body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(e->body))
		return OK;
	if (e->body)
		return ctx_fail(e->c, ERR_INVALID, "Malformed request body: it is not an object");
	return ctx_fail(e->c, ERR_INVALID, "Malformed request body: %s (line %d, column %d)", error.text,
			error.line, error.column);
}

/* Requires the path's project to be the token's, unless the caller is an administrator. */
static RESULT check_project(struct os_call *e)
{
	struct str project = pairs_find(&e->request.path, "project_id");
	struct ref ref;
	if (e->service != OS_VOLUME || !project.p || str_is(project, "-") || os_is_admin(e))
		return OK;
	return os_parse_id(project, KIND_ACCOUNT, &ref) && uuid_equal(ref.prefix, e->c->who->account)
		       ? OK
		       : ctx_fail(e->c, ERR_INVALID, "Malformed request url: another project's.");
}

/* Decodes %XX in the path variables. */
static RESULT decode_path(struct os_call *e)
{
	struct pair *at = (struct pair *) e->request.path.at; /* safe cast: os_find_route() allocated this
	                                                       * array in the call's arena */
	for (size_t k = 0; k < e->request.path.count; k++)
		if (!path_decode(e->c->arena, &at[k].value))
			return ctx_fail(e->c, ERR_NOT_FOUND, "The resource could not be found.");
	return OK;
}

/* Checks a member beside the one that holds the parameters. */
static RESULT check_sibling(struct os_call *e, const char *name, const json_t *value)
{
	const struct os_action *a = os_action_of(e);
	bool says_nothing = json_is_null(value) || (json_is_object(value) && !json_object_size(value));
	if (e->is_legacy)
		return OK;
	if (!a->sibling || strcmp(a->sibling, name) != 0)
		return os_fail_unknown_member(e, str_from(name));
	return says_nothing ? OK
			    : ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(a->sibling),
					     "%s is not supported here.", a->sibling);
}

static RESULT check_siblings(struct os_call *e, const json_t *parameters)
{
	const char *name;
	json_t *value;
	json_object_foreach (e->body, name, value)
		if (value != parameters)
			TRY(check_sibling(e, name, value));
	return OK;
}

/* Finds the object that holds the parameters; for OS_BULK possibly a list of objects. */
static RESULT find_parameters(struct os_call *e, const json_t **ret_value)
{
	const struct os_action *a = os_action_of(e);
	const json_t *body = e->body;
	const char *wrap = a->verb ? a->verb : a->wrap;
	*ret_value = body;
	e->arg_count = 1;
	if (!wrap)
		return OK;
	*ret_value = json_object_get(body, wrap);
	if (!*ret_value && a->flags & OS_BULK) {
		*ret_value = json_object_get(body, os_write_plural(e->c->arena, wrap));
		e->is_bulk = *ret_value;
		if (!json_is_array(*ret_value) || !json_array_size(*ret_value) ||
		    json_array_size(*ret_value) > PARAM_LIST_MAX)
			*ret_value = NULL;
		e->arg_count = *ret_value ? json_array_size(*ret_value) : 0;
	}
	if (a->verb) /* verbs without parameters come with null, "" or other values, which are ignored */
		*ret_value = json_is_object(*ret_value) ? *ret_value : NULL;
	else if (!*ret_value)
		return ctx_fail_field(e->c, ERR_MISSING, str_from(wrap), "'%s' is a required property", wrap);
	return a->verb ? OK : check_siblings(e, *ret_value);
}

/* Element of a bulk request's list. Neutron takes each with or without the member that wraps a single one:
 * neutron.api.v2.base, prepare_request_body(). */
static const json_t *find_element(const struct os_action *a, const json_t *list, size_t k)
{
	const json_t *element = json_array_get(list, k), *inner = json_object_get(element, a->wrap);
	return inner ? inner : element;
}

/* Cinder's schema of POST volumes has additionalProperties up to 3.52 (cinder.api.schemas.volumes). */
static bool ignores_unknown(const struct os_call *e, const struct os_action *a)
{
	return e->is_legacy || (a->open_until && e->request.version <= a->open_until);
}

static RESULT read_args(struct os_call *e)
{
	const struct os_action *a = os_action_of(e);
	const json_t *value = NULL;
	TRY(find_parameters(e, &value));
	TRY(api_new_args(&e->core, e->arg_count, a->args.size));
	e->request.is_body_open = ignores_unknown(e, a);
	e->request.unknown = os_unknown_member_words(e->service);
	for (size_t k = 0; k < e->arg_count; k++) {
		void *args = (char *) e->args + k * a->args.size;
		e->request.body = e->is_bulk ? find_element(a, value, k) : value;
		TRY(os_params_read(e->c, &a->args, &e->request, args));
	}
	for (size_t k = 0; a->prepare && k < e->arg_count; k++)
		TRY(a->prepare(e, (char *) e->args + k * a->args.size));
	return OK;
}

RESULT os_prepare(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	const struct os_action *a = os_action_of(e);
	TRY(decode_path(e));
	TRY(check_project(e));
	TRY(os_query_parse(e->c, e->call->query, &e->request.query));
	TRY(os_check_query_names(e));
	TRY(os_read_revision(e));
	TRY(e->service == OS_IDENTITY ? os_hide_absence(e, read_args(e)) : read_args(e));
	if (!e->status)
		e->status = a->status;
	if (!a->answer && !a->list && !a->shows.listing)
		e->has_no_body = true;
	return OK;
}

void os_end_request(struct api_call *core)
{
	struct os_call *e = os_call_of(core);
	json_decref(e->body);
	e->body = NULL;
	e->request.body = NULL;
}

RESULT os_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row)
{
	*ret_row = api_find_in_change(&e->change, kind, ref->prefix);
	if (*ret_row)
		return OK;
	if (!os_words.lingers[kind])
		return engine_find(e->c, os_tables(e), kind, ref, ret_row);
	TRY(engine_find_listed(e->c, os_tables(e), kind, ref, ret_row));
	return row_is_live(*ret_row) || engine_is_lingering(os_tables(e), kind, *ret_row)
		       ? OK
		       : engine_fail_not_found(e->c, kind, ref);
}
