/* SPDX-License-Identifier: Apache-2.0
 * Functions about the deployment's scope and the template's other resources. Source: "Resource functions",
 * "Scope functions", "Deployment functions" of Azure's documentation.
 */
#include "api/azure/template/internal.h"

#include "api/azure/core/types.h"
#include "base/uuid.h"
#include "base/uuid_asked.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

/* ---- members of the template ---- */

RUN(parameters)
{
	struct str name;
	TRY(function_text(t, call, 0, &name));
	return t->frame ? user_function_parameter(t, name, ret) : template_find_parameter(t, name, ret);
}

RUN(variables)
{
	struct str name;
	TRY(function_text(t, call, 0, &name));
	if (t->is_default || t->frame)
		return ctx_fail(
			t->c, ERR_INVALID,
			"The template function 'variables' is not expected at this location. Please see "
			"https://aka.ms/arm-functions for usage details.");
	return template_find_variable(t, name, ret);
}

/* copyIndex(), copyIndex(offset), copyIndex(name), copyIndex(name, offset). Without a name the turn is the resource's, or an
 * output's. */
RUN(copyIndex)
{
	bool has_name = call->count && json_is_string(call->args[0]);
	struct str name = has_name ? template_text_of(call->args[0]) : STR_NONE;
	const struct copy_turn *turn = t->turn;
	int64_t offset = 0;
	while (turn && (has_name ? !str_equal_nocase(turn->name, name) : turn->is_inner))
		turn = turn->up;
	if (call->count > has_name)
		TRY(function_int(t, call, has_name, &offset));
	if (!turn)
		return ctx_fail(t->c, ERR_INVALID,
				"The template function 'copyIndex' is not expected at this location. The "
				"function can only be used "
				"in a resource with copy specified. Please see https://aka.ms/arm-copy for "
				"usage details.");
	if (offset > INT32_MAX || offset < 0)
		return function_fail(t, call, "the offset is not valid"); /* guessed */
	return template_keep(t, json_integer(turn->index + offset), ret);
}

/* ---- the place ---- */

#define TEXT_OF(s) str_to_z(t->c->arena, (s))

RUN(resourceGroup)
{
	const struct template_place *p = &t->place;
	(void) call;
	if (!p->group.n)
		return ctx_fail(
			t->c, ERR_INVALID,
			"The template function 'resourceGroup' is not expected at this location. Please see "
			"https://aka.ms/arm-functions for usage details.");
	json_t *tags = json_object();
	for (size_t k = 0; tags && k < p->group_tags.count; k++)
		if (json_object_set_new(tags, TEXT_OF(p->group_tags.at[k].name),
					json_string(TEXT_OF(p->group_tags.at[k].value)))) {
			json_decref(tags);
			tags = NULL;
		}
	if (!tags)
		return ctx_no_memory(t->c);
	return template_keep(t,
			     json_pack("{s:s, s:s, s:s, s:s, s:o, s:{s:s}}", "id",
				       TEXT_OF(template_make_scope(t, p->subscription, p->group)), "name",
				       TEXT_OF(p->group), "type", "Microsoft.Resources/resourceGroups",
				       "location", TEXT_OF(p->group_location), "tags", tags, "properties",
				       "provisioningState", "Succeeded"),
			     ret);
}

RUN(subscription)
{
	const struct template_place *p = &t->place;
	(void) call;
	return template_keep(t,
			     json_pack("{s:s, s:s, s:s, s:s}", "id",
				       TEXT_OF(template_make_scope(t, p->subscription, STR_NONE)),
				       "subscriptionId", TEXT_OF(p->subscription), "tenantId",
				       TEXT_OF(p->tenant), "displayName", TEXT_OF(p->subscription_name)),
			     ret);
}

RUN(tenant)
{
	(void) call;
	return template_keep(
		t,
		json_pack("{s:s, s:s}", "id",
			  TEXT_OF(str_print(t->c->arena, "/tenants/%" STR_FMT, STR_ARG(t->place.tenant))),
			  "tenantId", TEXT_OF(t->place.tenant)),
		ret);
}

/* Leaves out the template, which could be large. */
RUN(deployment)
{
	json_t *version = template_get(t->document, "contentVersion");
	(void) call;
	json_t *made = json_pack("{s:s, s:{s:s, s:{s:s}, s:{}, s:s}}", "name", TEXT_OF(t->place.deployment),
				 "properties", "mode", "Incremental", "template", "contentVersion",
				 json_is_string(version) ? json_string_value(version) : "1.0.0.0",
				 "parameters", "provisioningState", "Accepted");
	if (made && !t->place.group.n &&
	    json_object_set_new(made, "location", json_string(TEXT_OF(t->place.group_location)))) {
		json_decref(made);
		made = NULL;
	}
	return template_keep(t, made, ret);
}

RUN(deployer)
{
	(void) call;
	return template_keep(t,
			     json_pack("{s:s, s:s, s:s}", "objectId", TEXT_OF(t->place.deployer_id),
				       "tenantId", TEXT_OF(t->place.tenant), "userPrincipalName",
				       TEXT_OF(t->place.deployer_name)),
			     ret);
}

/* No deployment of a management group is offered, so that these have no place. */
static RESULT run_of_management_group(struct template *t, const struct template_call *call, json_t **ret)
{
	(void) ret;
	return ctx_fail(
		t->c, ERR_INVALID,
		"The template function '%" STR_FMT
		"' is not expected at this location. Please see https://aka.ms/arm-functions for usage "
		"details.",
		STR_ARG(call->expr->name));
}

RUN(environment)
{
	const char *endpoint = TEXT_OF(t->place.endpoint);
	(void) call;
	return template_keep(t,
			     json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:[s], s:s}, s:{s:s, s:s}}", "name",
				       "Dari", "resourceManager", endpoint, "portal", endpoint, "gallery",
				       endpoint, "authentication", "loginEndpoint", endpoint, "audiences",
				       endpoint, "tenant", "common", "suffixes", "storage", "", "keyvaultDns",
				       ""),
			     ret);
}

/* ---- ids ---- */

/* The type among the arguments, and behind it as many names as it has segments behind its namespace. The names are joined. */
static RESULT take_names(struct template *t, const struct template_call *call, size_t before_max,
			 size_t *ret_at, struct str *ret_type, struct str *ret_name)
{
	size_t at = 0, segments = 0;
	struct str text;
	for (;; at++) {
		if (at == call->count || at > before_max)
			return function_fail(t, call,
					     "the resource type is missing: an argument such as "
					     "'Microsoft.Compute/disks'"); /* guessed */
		TRY(function_text(t, call, at, ret_type));
		if (str_find_char(*ret_type, '/', 0) < ret_type->n)
			break;
	}
	for (size_t k = 0; k < ret_type->n; k++)
		segments += ret_type->p[k] == '/';
	if (call->count - at - 1 != segments)
		return function_fail(t, call,
				     "the type '%" STR_FMT "' requires '%zu' resource name argument(s)",
				     STR_ARG(str_slice(*ret_type, 0, 256)), segments);
	*ret_name = STR_NONE;
	for (size_t k = at + 1; k < call->count; k++) {
		TRY(function_text(t, call, k, &text));
		*ret_name = str_print(t->c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(*ret_name),
				      k > at + 1 ? "/" : "", STR_ARG(text));
	}
	*ret_at = at;
	return OK;
}

static RESULT keep_id(struct template *t, const struct template_call *call, struct str scope, struct str type,
		      struct str name, json_t **ret)
{
	struct str id = template_make_id(t, scope, type, name);
	if (!id.n)
		return function_fail(t, call,
				     "the number of names does not fit the type '%" STR_FMT "'", /* guessed */
				     STR_ARG(str_slice(type, 0, 256)));
	return template_keep_text(t, id, ret);
}

/* resourceId([subscription], [group], type, name…). One argument before the type is a subscription where it is a GUID. */
RUN(resourceId)
{
	struct str type, name, subscription = t->place.subscription, group = t->place.group, first, second;
	uuid id;
	size_t at = 0;
	TRY(take_names(t, call, 2, &at, &type, &name));
	if (at == 2) {
		TRY(function_text(t, call, 0, &subscription));
		TRY(function_text(t, call, 1, &second));
		group = second;
	} else if (at == 1) {
		TRY(function_text(t, call, 0, &first));
		*(result_is_ok(uuid_parse_asked(first, &id)) ? &subscription : &group) = first;
	}
	return keep_id(t, call, template_make_scope(t, subscription, group), type, name, ret);
}

RUN(subscriptionResourceId)
{
	struct str type, name, subscription = t->place.subscription;
	size_t at = 0;
	TRY(take_names(t, call, 1, &at, &type, &name));
	if (at)
		TRY(function_text(t, call, 0, &subscription));
	return keep_id(t, call, template_make_scope(t, subscription, STR_NONE), type, name, ret);
}

RUN(tenantResourceId)
{
	struct str type, name;
	size_t at = 0;
	TRY(take_names(t, call, 0, &at, &type, &name));
	return keep_id(t, call, STR_NONE, type, name, ret);
}

RUN(extensionResourceId)
{
	struct str type, name, scope;
	size_t at = 0;
	TRY(function_text(t, call, 0, &scope));
	const struct template_call rest = {call->expr, call->args + 1, call->count - 1};
	TRY(take_names(t, &rest, 0, &at, &type, &name));
	return keep_id(t, call, scope, type, name, ret);
}

/* ---- state of resources ---- */

static RESULT read_resource(struct template *t, struct template_reference *what, json_t **ret_body)
{
	struct result result = FAIL(AGAIN);
	if (t->read)
		result = t->read(t->arg, what, ret_body);
	if (result.code == ERR_AGAIN)
		t->missing = *what;
	return result;
}

/* reference(name or id, [version], ['Full']) */
RUN(reference)
{
	struct str name, full = STR_NONE;
	struct template_reference what = {0};
	json_t *body = NULL;
	TRY(function_text(t, call, 0, &name));
	if (call->count > 1 && !json_is_null(call->args[1]))
		TRY(function_text(t, call, 1, &what.version));
	if (call->count > 2)
		TRY(function_text(t, call, 2, &full));
	TRY(template_find_resource(t, name, &what.resource));
	if (what.resource == TEMPLATE_NO_RESOURCE && !str_starts_with(name, STR("/")))
		return ctx_fail(t->c, ERR_INVALID,
				"The template reference '%" STR_FMT
				"' is not valid: could not find template resource or resource copy with this "
				"name. Please see "
				"https://aka.ms/arm-function-reference for usage details.",
				STR_ARG(str_slice(name, 0, 256)));
	const struct template_resource *r =
		what.resource == TEMPLATE_NO_RESOURCE ? NULL : &t->resources[what.resource];
	what.id = r ? r->id : name;
	if (r && !what.version.n)
		what.version = r->version;
	if (!what.version.n)
		return function_fail(t, call,
				     "the resource '%" STR_FMT
				     "' is not in the template, so its API version is needed", /* guessed */
				     STR_ARG(str_slice(name, 0, 256)));
	TRY(read_resource(t, &what, &body));
	*ret = body;
	if (str_equal_nocase(full, STR("Full")))
		return OK;
	*ret = template_get(body, "properties");
	return *ret ? OK : template_keep(t, json_object(), ret);
}

/* references(name of a copy, ['Full']): reference() of each turn. */
RUN(references)
{
	struct str name, full = STR_NONE;
	bool is_there = false;
	json_auto_t *to = json_array();
	TRY(function_text(t, call, 0, &name));
	if (call->count > 1)
		TRY(function_text(t, call, 1, &full));
	TRY(template_step(t, t->resource_count));
	for (size_t k = 0; k < t->resource_count; k++) {
		const struct template_resource *r = &t->resources[k];
		json_t *body = NULL, *shown;
		if (!template_is_turn(r, name))
			continue;
		is_there = true;
		if (r->is_left_out)
			continue;
		TRY(read_resource(t, &(struct template_reference){r->id, r->version, k}, &body));
		shown = str_equal_nocase(full, STR("Full")) ? body : template_get(body, "properties");
		if (shown ? json_array_append(to, shown) : json_array_append_new(to, json_object()))
			return ctx_no_memory(t->c);
	}
	if (!is_there)
		return function_fail(t, call, "there is no resource collection '%" STR_FMT "'", /* guessed */
				     STR_ARG(str_slice(name, 0, 256)));
	return template_keep(t, TAKE(to), ret);
}

/* list*() functions are not built: they mostly concern storage accounts, which do not exist here. */
RUN(list)
{
	(void) ret;
	return function_fail(t, call, "it is not supported here");
}

/* ---- providers ---- */

/* Returns NULL if memory is out. The newest version comes first, as templates take apiVersions[0]. */
static json_t *describe_type(struct template *t, const struct az_type *type)
{
	struct str rest = str_from(type->versions), version;
	json_auto_t *versions = json_array(), *locations = json_array();
	while (str_split_next(&rest, '|', &version))
		if (json_array_insert_new(versions, 0, json_stringn(version.p, version.n)))
			return NULL;
	if (!type->is_global &&
	    json_array_append_new(locations, json_string(TEXT_OF(t->place.group_location))))
		return NULL;
	return json_pack("{s:s, s:O, s:O}", "resourceType", type->name, "locations", locations, "apiVersions",
			 versions);
}

static RESULT describe_space(struct template *t, const struct template_call *call, struct str space,
			     json_t **ret)
{
	json_auto_t *types = json_array();
	for (size_t k = 1; k < AZ_BUILT_TYPE_COUNT; k++)
		if (str_equal_nocase(space, str_from(az_types[k].space)) &&
		    json_array_append_new(types, describe_type(t, &az_types[k])))
			return ctx_no_memory(t->c);
	if (!json_array_size(types))
		return function_fail(t, call, "there is no namespace '%" STR_FMT "'", /* guessed */
				     STR_ARG(str_slice(space, 0, 256)));
	return template_keep(t, json_pack("{s:s, s:O}", "namespace", TEXT_OF(space), "resourceTypes", types),
			     ret);
}

/* providers(namespace), providers(namespace, type). Azure's documentation does not recommend it any more; templates in use
 * still take an API's version from it. */
RUN(providers)
{
	struct str space, name;
	TRY(function_text(t, call, 0, &space));
	if (call->count < 2)
		return describe_space(t, call, space, ret);
	TRY(function_text(t, call, 1, &name));
	for (size_t k = 1; k < AZ_BUILT_TYPE_COUNT; k++)
		if (str_equal_nocase(space, str_from(az_types[k].space)) &&
		    str_equal_nocase(name, str_from(az_types[k].name)))
			return template_keep(t, describe_type(t, &az_types[k]), ret);
	return function_fail(t, call, "there is no type '%" STR_FMT "/%" STR_FMT "'", /* guessed */
			     STR_ARG(str_slice(space, 0, 256)), STR_ARG(str_slice(name, 0, 256)));
}

/* ---- other words ---- */

RUN(pickZones)
{
	int64_t count = 1, offset = 0;
	if (call->count > 3)
		TRY(function_int(t, call, 3, &count));
	if (call->count > 4)
		TRY(function_int(t, call, 4, &offset));
	if (count < 0 || offset < 0 || count > 3 || offset > 3 - count)
		return function_fail(t, call, "there are not so many zones"); /* guessed */
	json_auto_t *to = json_array();
	for (int64_t k = 0; k < count; k++)
		if (json_array_append_new(to, json_string(TEXT_OF(str_print(t->c->arena, "%lld",
									    (long long) (offset + k + 1))))))
			return ctx_no_memory(t->c);
	return template_keep(t, TAKE(to), ret);
}

static const struct template_function rows[] = {
	{"parameters", 1, 1, run_parameters, 0},
	{"variables", 1, 1, run_variables, 0},
	{"copyIndex", 0, 2, run_copyIndex, 0},
	{"resourceGroup", 0, 0, run_resourceGroup, 0},
	{"subscription", 0, 0, run_subscription, 0},
	{"tenant", 0, 0, run_tenant, 0},
	{"deployment", 0, 0, run_deployment, 0},
	{"deployer", 0, 0, run_deployer, 0},
	{"managementGroup", 0, 0, run_of_management_group, 0},
	{"managementGroupResourceId", 2, ARGS_ANY, run_of_management_group, 0},
	{"environment", 0, 0, run_environment, 0},
	{"resourceId", 2, ARGS_ANY, run_resourceId, 0},
	{"subscriptionResourceId", 2, ARGS_ANY, run_subscriptionResourceId, 0},
	{"tenantResourceId", 2, ARGS_ANY, run_tenantResourceId, 0},
	{"extensionResourceId", 3, ARGS_ANY, run_extensionResourceId, 0},
	{"reference", 1, 3, run_reference, FUNCTION_LATE},
	{"references", 1, 2, run_references, FUNCTION_LATE},
	{"listKeys", 1, 4, run_list, FUNCTION_LATE},
	{"listAccountSas", 1, 4, run_list, FUNCTION_LATE},
	{"listServiceSas", 1, 4, run_list, FUNCTION_LATE},
	{"listSecrets", 1, 4, run_list, FUNCTION_LATE},
	{"providers", 1, 2, run_providers, 0},
	{"pickZones", 3, 5, run_pickZones, 0},
};
const struct template_functions template_scopes = {rows, sizeof rows / sizeof rows[0]};
