/* SPDX-License-Identifier: Apache-2.0
 * Reads the request of a deployment and its scope.
 */
#include "api/azure/deployments/deployments.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/arm_resource.h"
#include "store/deployment.h"
#include "store/domain.h"
#include "store/resource_group.h"
#include "store/user.h"

static const struct api_error bad_template = {ERR_INVALID, 0, 400, "InvalidTemplate"};
static const struct api_error bad_name = {ERR_INVALID, 0, 400, "InvalidDeploymentName"}; /* guessed */
static const struct api_error bad_content = {ERR_INVALID, 0, 400, "InvalidRequestContent"};
static const struct api_error no_deployment = {ERR_NOT_FOUND, 0, 404, "DeploymentNotFound"};

/* ---- the body ---- */

static RESULT fail_content(struct az_call *e, const char *what)
{
	e->error = &bad_content;
	return ctx_fail(e->c, ERR_INVALID,
			"The request content was invalid and could not be deserialized: 'Required property "
			"'%s' not found in JSON. "
			"Path '', line 1, position 1.'.",
			what);
}

static RESULT refuse(struct az_call *e, const json_t *properties, const char *name)
{
	const json_t *value = template_get(properties, name);
	if (!value || json_is_null(value))
		return OK;
	return ctx_fail(e->c, ERR_UNSUPPORTED, "The property '%s' of a deployment is not supported.", name);
}

static RESULT read_mode(struct az_call *e, const json_t *properties, bool *ret_is_complete)
{
	const char *mode = json_string_value(template_get(properties, "mode"));
	if (!mode)
		return fail_content(e, "mode");
	*ret_is_complete = str_equal_nocase(str_from(mode), STR("Complete"));
	if (*ret_is_complete || str_equal_nocase(str_from(mode), STR("Incremental")))
		return OK;
	e->error = &bad_content;
	return ctx_fail(e->c, ERR_INVALID,
			"The request content was invalid and could not be deserialized: 'Error converting "
			"value \"%" STR_FMT "\" to type 'DeploymentMode'.",
			STR_ARG(str_cut(str_from(mode), 64)));
}

static RESULT check_source(struct az_call *e, struct deployment_source *s)
{
	const json_t *properties = template_get(s->root, "properties");
	if (!json_is_object(properties))
		return fail_content(e, "properties");
	TRY(read_mode(e, properties, &s->is_complete));
	TRY(refuse(e, properties, "templateLink"));
	TRY(refuse(e, properties, "parametersLink"));
	TRY(refuse(e, properties, "onErrorDeployment"));
	s->template = template_get(properties, "template");
	s->parameters = template_get(properties, "parameters");
	e->error = s->template ? NULL : &bad_template;
	if (!s->template)
		return ctx_fail(
			e->c, ERR_INVALID,
			"Deployment template validation failed: 'The template is missing.'."); /* guessed */
	return s->is_complete && !az_path_value(e, "resourceGroupName").n
		       ? ctx_fail(e->c, ERR_UNSUPPORTED,
				  "Deployments of a subscription have the mode Incremental alone.")
		       : OK;
}

RESULT deployment_read_source(struct az_call *e, struct deployment_source *ret_source)
{
	struct deployment_source s = {0};
	TRY(template_read_json(e->c, e->call->body, &s.root));
	struct result result = json_is_object(s.root) ? check_source(e, &s) : fail_content(e, "properties");
	if (!result_is_ok(result)) {
		json_decref(s.root);
		return result;
	}
	e->error = &bad_template; /* errors after this point are the template's */
	*ret_source = s;
	return OK;
}

/* ---- where ---- */

static struct pairs copy_tags(struct ctx *c, const struct tags *tags)
{
	struct pair *to = arena_new_array(c->arena, struct pair, tags->count + 1);
	for (size_t k = 0; to && k < tags->count; k++)
		to[k] = (struct pair){str_copy(c->arena, tags->at[k].key),
				      str_copy(c->arena, tags->at[k].value)};
	return (struct pairs){to, to ? tags->count : 0};
}

struct template_place deployment_place_of(struct ctx *c, const struct api_config *config,
					  const struct tables *t, const struct deployment *d)
{
	const struct account *account = account_find(t, d->account);
	const struct resource_group *group =
		engine_find_resource_group(t, c->arena, d->account, d->resource_group);
	const struct user *user = user_find(t, d->made_by);
	const struct domain *domain = user ? domain_find(t, user->domain) : NULL;
	return (struct template_place){
		.deployer_id = user ? uuid_to_str(c->arena, user->row.id) : STR_NONE,
		.deployer_name = domain ? str_print(c->arena, "%" STR_FMT "@%" STR_FMT, STR_ARG(user->name),
						    STR_ARG(domain->name))
				 : user ? str_copy(c->arena, user->name)
					: STR_NONE,
		.subscription = uuid_to_str(c->arena, d->account),
		.tenant = account ? uuid_to_str(c->arena, account->domain) : STR_NONE,
		.subscription_name = account ? str_copy(c->arena, account->name) : STR_NONE,
		.group = str_copy(c->arena, d->resource_group),
		.group_location = str_copy(c->arena, d->location),
		.group_tags = group ? copy_tags(c, &group->tags) : (struct pairs){0},
		.deployment = str_copy(c->arena, d->name),
		.endpoint = config->endpoint,
		.now_us = d->row.created_us ? d->row.created_us : clock_now_us(),
	};
}

RESULT deployment_find_place(struct az_call *e, struct template_place *ret_place)
{
	TRY(az_find_group(e));
	const struct resource_group *group = resource_group_find(az_tables(e), e->group);
	struct str in_path = az_path_value(e, "resourceGroupName");
	struct deployment d = {.account = e->c->who->account,
			       .made_by = e->c->who->user,
			       .resource_group = group       ? group->name
						 : in_path.n ? STR(AZ_DEFAULT_GROUP)
							     : STR_NONE,
			       .name = az_path_value(e, "deploymentName"),
			       .location = az_location(e)};
	if (!d.name.n || d.name.n > 64 || !str_is_line(d.name)) {
		e->error = &bad_name;
		return az_fail(e, "deploymentName",
			       "The deployment name '%" STR_FMT
			       "' is not valid: it has 1 to 64 characters.", /* guessed */
			       STR_ARG(str_cut(d.name, 128)));
	}
	*ret_place = deployment_place_of(e->c, e->config, az_tables(e), &d);
	return OK;
}

/* ---- rows ---- */

struct str deployment_id_of(struct arena *a, const struct deployment *d)
{
	char account[UUID_TEXT_SIZE];
	return str_print(
		a, "/subscriptions/%s%s%" STR_FMT "/providers/Microsoft.Resources/deployments/%" STR_FMT,
		uuid_write(d->account, account), d->resource_group.n ? "/resourceGroups/" : "",
		STR_ARG(d->resource_group), STR_ARG(d->name));
}

RESULT deployment_find_named(struct az_call *e, const struct deployment **ret_row)
{
	struct str name = az_path_value(e, "deploymentName");
	TRY(az_find_group(e));
	*ret_row = engine_find_deployment(az_tables(e), e->c->arena, e->c->who->account,
					  az_path_value(e, "resourceGroupName"), name);
	if (*ret_row)
		return engine_check_found(e->c, az_tables(e), KIND_DEPLOYMENT, &(*ret_row)->row);
	e->error = &no_deployment;
	return ctx_fail(e->c, ERR_NOT_FOUND, "Deployment '%" STR_FMT "' could not be found.",
			STR_ARG(str_cut(name, 128)));
}

/* ---- what is in a group ---- */

static const struct az_type *find_type(struct str type)
{
	for (size_t k = 0; k < AZ_TYPE_COUNT; k++) {
		struct str space = str_from(az_types[k].space);
		if (str_equal_nocase(str_slice(type, 0, space.n), space) && type.n > space.n &&
		    type.p[space.n] == '/' &&
		    str_equal_nocase(str_slice(type, space.n + 1, type.n), str_from(az_types[k].name)))
			return &az_types[k];
	}
	return NULL;
}

static struct str newest_version(const struct az_type *type)
{
	struct str rest = str_from(type->versions), version = STR_NONE;
	while (str_split_next(&rest, '|', &version))
		;
	return version;
}

RESULT deployment_list_group(struct ctx *c, const struct tables *t, uuid account, struct str group,
			     struct deployment_steps *ret_steps)
{
	const struct resource_group *g = engine_find_resource_group(t, c->arena, account, group);
	const struct arm_resource *r = g ? arm_resource_first_by_resource_group(t, g->row.id) : NULL;
	VEC(struct deployment_step) steps = {0};
	char subscription[UUID_TEXT_SIZE];
	for (; r; r = arm_resource_next_by_resource_group(t, r)) {
		const struct az_type *type = find_type(r->type);
		if (!type || strchr(type->name, '/') || engine_is_resource_gone(t, r))
			continue;
		struct deployment_step step = {
			.target = str_print(c->arena,
					    "/subscriptions/%s/resourceGroups/%" STR_FMT
					    "/providers/%s/%s/%" STR_FMT,
					    uuid_write(account, subscription), STR_ARG(g->name), type->space,
					    type->name, STR_ARG(r->name)),
			.target_type = str_print(c->arena, "%s/%s", type->space, type->name),
			.target_name = str_copy(c->arena, r->name),
			.version = newest_version(type)};
		if (!VEC_PUSH(c->arena, &steps, step))
			return ctx_no_memory(c);
	}
	*ret_steps = (struct deployment_steps){steps.at, steps.count};
	return OK;
}

/* ---- words ---- */

RESULT deployment_write_json(struct ctx *c, const json_t *value, struct str *ret_text)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return ctx_no_memory(c);
	*ret_text = str_copy(c->arena, str_from(text));
	free(text);
	return ret_text->p ? OK : ctx_no_memory(c);
}

struct str deployment_make_problem(struct ctx *c, const char *code, struct str message, struct str target)
{
	struct buf b;
	struct json_writer w;
	buf_init(&b, 60000);
	json_write_begin(&w, &b);
	json_write_open(&w, NULL);
	json_write_z(&w, "code", code);
	json_write_text(&w, "message", str_cut(message, 8192));
	if (target.n)
		json_write_text(&w, "target", target);
	json_write_close(&w);
	struct str made = result_is_ok(json_write_end(&w)) ? str_copy(c->arena, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	return made;
}

struct str deployment_write_duration(struct arena *a, int64_t us)
{
	return str_print(a, "PT%lld.%07lldS", (long long) (us / SECOND), (long long) (us % SECOND * 10));
}

const char *deployment_word(const struct deployment *d)
{
	static const char *const words[] = {[DEPLOYMENT_ENDED_SUCCEEDED] = "Succeeded",
					    [DEPLOYMENT_ENDED_FAILED] = "Failed",
					    [DEPLOYMENT_ENDED_CANCELLED] = "Canceled"};
	return d->ended != DEPLOYMENT_ENDED_NONE ? words[d->ended] : d->begun_us ? "Running" : "Accepted";
}
