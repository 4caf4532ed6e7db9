/* SPDX-License-Identifier: Apache-2.0
 * Exports a resource group as a template: a GET of each resource, without read-only members, with
 * resourceId() and dependsOn for references. Names are literals, not parameters. Resources of other faces
 * (dari-default) are not exported. Source: Azure REST API reference, "Resource Groups - Export Template",
 * 2021-04-01.
 */
#include "api/azure/deployments/deployments.h"

struct export_args {
	struct strs resources;
	struct str options;
	struct deployment_steps steps;
	struct str template;
};
static const struct param export_rows[] = {
	PARAM(struct export_args, "resources", resources, .flags = REQUIRED, .max = 800,
	      .doc = "Ids of the resources, or * for all."),
	NOT_BUILT("outputFormat", .only = "Json"),
	PARAM(struct export_args, "options", options,
	      .doc = "Accepted; exported templates have no parameters in any case."),
};
enum { DEPTH_MAX = 32 };

/* ---- which ---- */

static bool is_asked(const struct export_args *a, struct str id)
{
	for (size_t k = 0; k < a->resources.count; k++)
		if (str_is(a->resources.at[k], "*") || str_equal_nocase(a->resources.at[k], id))
			return true;
	return false;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct export_args *a = args;
	struct deployment_steps all = {0};
	TRY(az_find_group(e));
	TRY(deployment_list_group(e->c, az_tables(e), e->c->who->account,
				  az_path_value(e, "resourceGroupName"), &all));
	a->steps.at = arena_new_array(e->c->arena, struct deployment_step, all.count + 1);
	if (!a->steps.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < all.count; k++)
		if (is_asked(a, all.at[k].target))
			a->steps.at[a->steps.count++] = all.at[k];
	return OK;
}

/* ---- bodies ---- */

/* True for members that only answers have. */
static bool is_shown_only(const char *name)
{
	static const char *const names[] = {
		"provisioningState", "etag",          "uniqueId",         "vmId",         "timeCreated",
		"resourceGuid",      "diskSizeBytes", "diskState",        "instanceView", "exactVersion",
		"managedBy",         "systemData",    "completionPercent"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (strcmp(names[k], name) == 0)
			return true;
	return false;
}

struct export
{
	struct az_call *e;
	const struct export_args *args;
	const struct deployment_step *step;
	json_t *depends;
};

/* Returns "[resourceId('Microsoft.Compute/disks', 'disk1')]"; NULL: the text is not the id of an
 * exported resource. */
static const char *refer(struct export *x, struct str text)
{
	for (size_t k = 0; k < x->args->steps.count; k++) {
		const struct deployment_step *s = &x->args->steps.at[k];
		if (s != x->step && str_equal_nocase(s->target, text))
			return str_to_z(x->e->c->arena,
					str_print(x->e->c->arena,
						  "[resourceId('%" STR_FMT "', '%" STR_FMT "')]",
						  STR_ARG(s->target_type), STR_ARG(s->target_name)));
	}
	return NULL;
}

static json_t *copy_text(struct export *x, const json_t *value)
{
	struct str text = {json_string_value(value), json_string_length(value)};
	const char *expression = refer(x, text);
	if (expression) {
		(void) json_array_append_new(x->depends, json_string(expression));
		return json_string(expression);
	}
	if (!str_starts_with(text, STR("[")))
		return json_deep_copy(value);
	struct str escaped = str_print(x->e->c->arena, "[%" STR_FMT, STR_ARG(text));
	return json_stringn(escaped.p, escaped.n);
}

static json_t *copy(struct export *x, const json_t *value, unsigned depth)
{
	const char *name;
	json_t *item;
	size_t k;
	if (depth > DEPTH_MAX || json_is_string(value))
		return depth > DEPTH_MAX ? json_null() : copy_text(x, value);
	if (json_is_array(value)) {
		json_t *list = json_array();
		json_array_foreach ((json_t *) value, k, item)
			(void) json_array_append_new(list, copy(x, item, depth + 1));
		return list;
	}
	if (!json_is_object(value))
		return json_deep_copy(value);
	json_t *object = json_object();
	json_object_foreach ((json_t *) value, name, item)
		if (!is_shown_only(name) && !json_is_null(item))
			(void) json_object_set_new(object, name, copy(x, item, depth + 1));
	return object;
}

static RESULT add_resource(struct az_call *e, const struct export_args *a, const struct deployment_step *s,
			   json_t *resources)
{
	static const char *const members[] = {"location", "tags", "sku", "zones", "identity", "properties"};
	int status = 0;
	json_auto_t *body = NULL, *depends = json_array();
	struct arena *arena = e->c->arena;
	struct export x = {e, a, s, depends};
	TRY(deployer_ask(e, s->target, s->version, &status, &body));
	if (status != 200) /* deleted, or hidden from the caller */
		return OK;
	json_auto_t *one = json_pack("{s:s, s:s, s:s}", "type", str_to_z(arena, s->target_type), "apiVersion",
				     str_to_z(arena, s->version), "name", str_to_z(arena, s->target_name));
	for (size_t k = 0; one && k < sizeof members / sizeof members[0]; k++) {
		const json_t *value = json_object_get(body, members[k]);
		bool is_empty = json_is_object(value) && !json_object_size(value);
		if (value && !is_empty)
			(void) json_object_set_new(one, members[k], copy(&x, value, 0));
	}
	if (one && json_array_size(depends))
		(void) json_object_set(one, "dependsOn", depends);
	return one && !json_array_append(resources, one) ? OK : ctx_no_memory(e->c);
}

/* Runs on a lane, because it sends a GET for each resource. */
static RESULT work(struct work_item *w)
{
	struct az_call *e = az_call_of(w->arg);
	struct export_args *a = e->args;
	json_auto_t *resources = json_array();
	for (size_t k = 0; k < a->steps.count; k++)
		TRY(add_resource(e, a, &a->steps.at[k], resources));
	json_auto_t *template =
		json_pack("{s:s, s:s, s:{}, s:{}, s:O}", "$schema",
			  "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
			  "contentVersion", "1.0.0.0", "parameters", "variables", "resources", resources);
	return template ? deployment_write_json(e->c, template, &a->template) : ctx_no_memory(e->c);
}

static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct export_args *a = args;
	(void) e;
	json_write_raw(w, "template", a->template);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_POST, AZ_GROUP "/exportTemplate", .name = "ResourceGroups_ExportTemplate",
	 .permit = "ec2:DescribeTags", .flags = API_CHANGES_BY_TIME, .type = AZ_GROUPS,
	 .args = PARAMS(struct export_args, export_rows, .object = "ExportTemplateRequest"),
	 .prepare = prepare, .work = work, .answer = show, .doc = "Exports a resource group as a template."},
};
const struct api_actions az_export_actions = API_ACTIONS(actions);
