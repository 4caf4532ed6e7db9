/* SPDX-License-Identifier: Apache-2.0
 * Launch templates: CreateLaunchTemplate, DescribeLaunchTemplates, ModifyLaunchTemplate,
 * DeleteLaunchTemplate. Their versions: launch_template_versions.c. Launching by one: run_instances.c. */
#include "api/ec2/compute/launch_templates.h"

#include "api/ec2/compute/launch_template_data.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/instance/launch/launch_template.h"
#include "model/launch_template.h"
#include "store/user.h"

/* ---- describe ---- */

struct ec2_describe_templates {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_templates, "LaunchTemplateId", KIND_LAUNCH_TEMPLATE,
		  "Launch templates by id."),
	QUERY_NAMES(struct ec2_describe_templates, "LaunchTemplateName", KIND_LAUNCH_TEMPLATE,
		    "Launch templates by name."),
	QUERY_FILTERS(struct ec2_describe_templates),
	QUERY_PAGES(struct ec2_describe_templates, 1, 200),
	NOT_BUILT("IncludeManagedResources", .only = "false"),
};

struct str ec2_gather_maker(struct ec2_call *e, uuid made_by)
{
	const struct user *user = user_find(ec2_tables(e), made_by);
	struct str path = user && !user->is_owner
				  ? str_print(e->c->arena, "user/%" STR_FMT, STR_ARG(user->name))
				  : STR("root");
	return str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":%" STR_FMT, STR_ARG(e->owner),
			 STR_ARG(path));
}

ATTRIBUTE_GETTER(launch_template, template, struct str, get_maker,
		 ec2_gather_maker(ec2_call_of(e), template->made_by))

static const struct attribute template_rows[] = {
	ATTRIBUTE_OWN_ID(launch_template, "launchTemplateId", KIND_LAUNCH_TEMPLATE),
	ATTRIBUTE(launch_template, "launchTemplateName", name, .filter = "launch-template-name",
		  .index = LAUNCH_TEMPLATE_INDEX_ACCOUNT),
	ATTRIBUTE_AS(TIME, launch_template, "createTime", row.created_us, .filter = "create-time"),
	ATTRIBUTE_MADE(TEXT, text, "createdBy", get_maker),
	ATTRIBUTE(launch_template, "defaultVersionNumber", default_version),
	ATTRIBUTE(launch_template, "latestVersionNumber", latest_version),
	ATTRIBUTE(launch_template, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE),
};
static const struct attributes template_members = ATTRIBUTES(template_rows);

static const struct ec2_listing template_listing = {.kind = KIND_LAUNCH_TEMPLATE,
						    .set = "launchTemplates",
						    .filters = FILTERS_OF(template_members),
						    .attributes = &template_members};

/* ---- create ---- */

struct ec2_create_template {
	struct launch_template_wish wish;
	struct ec2_launch_words data;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_template, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("LaunchTemplateName", wish.name, .flags = REQUIRED, .min = LAUNCH_TEMPLATE_NAME_MIN,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Name of the launch template; unique in the account."),
	P("VersionDescription", wish.description, .max = LAUNCH_TEMPLATE_WORDS_MAX,
	  .doc = "Description of the first version."),
	P("ClientToken", wish.client_token, .max = 128, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_template, tag_specs),
	LAUNCH_DATA_ROWS(struct ec2_create_template, data),
	NOT_BUILT("Operator"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_template *a = args;
	struct pairs said, none = {0};
	TRY(ec2_take_launch_data(e, &said));
	return ec2_merge_launch_data(e, &said, &none, &a->wish.data);
}

/* ---- modify, delete ---- */

struct ec2_modify_template {
	struct launch_template_settings wish;
	struct ref name;
	struct str client_token;
};
static const struct param_exclusion not_both = {
	"LaunchTemplateName",
	"Either provide launch template ID or launch template name to modify the template."};
#define P(wire, member, ...) PARAM(struct ec2_modify_template, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("LaunchTemplateId", wish.launch_template, .kind = KIND_LAUNCH_TEMPLATE, .excludes = &not_both,
	  .doc = "Launch template by id."),
	P("LaunchTemplateName", name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Launch template by name, instead of its id."),
	P("SetDefaultVersion", wish.default_version, .max = 32, .doc = "Version number, or $Latest."),
	P("ClientToken", client_token, .max = 128, .doc = "Accepted; repeating the request changes nothing."),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_template *a = args;
	return request_choose(e->c, &a->wish.launch_template, "LaunchTemplateId", &a->name,
			      "LaunchTemplateName", &a->wish.launch_template);
}

struct ec2_delete_template {
	struct launch_template_target wish;
	struct ref name;
};
#define P(wire, member, ...) PARAM(struct ec2_delete_template, wire, member, __VA_ARGS__)
static const struct param delete_params[] = {
	P("LaunchTemplateId", wish.launch_template, .kind = KIND_LAUNCH_TEMPLATE,
	  .doc = "Launch template by id."),
	P("LaunchTemplateName", name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Launch template by name, instead of its id."),
};
#undef P

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_template *a = args;
	return request_choose(e->c, &a->wish.launch_template, "LaunchTemplateId", &a->name,
			      "LaunchTemplateName", &a->wish.launch_template);
}

static RESULT ec2_delete_launch_template(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_template *a = args;
	xml_open(x, "launchTemplate");
	ec2_write_members(e, x, &template_members, &a->wish.deleted.row);
	xml_close(x, "launchTemplate");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeLaunchTemplates"),
	 .args = PARAMS(struct ec2_describe_templates, describe_params), .list = &template_listing,
	 .doc = "Lists the account's launch templates."},
	{EC2_ACTION("CreateLaunchTemplate"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_template, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_template, "launch-template"), EC2_DIGEST(struct ec2_create_template),
	 .operation = engine_create_launch_template_run,
	 EC2_SHOWS(template_listing, struct ec2_create_template, wish.launch_template, "launchTemplate"),
	 .returns = KIND_LAUNCH_TEMPLATE, .doc = "Creates a launch template."},
	{EC2_ACTION("ModifyLaunchTemplate"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_template, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_launch_template_run,
	 EC2_SHOWS(template_listing, struct ec2_modify_template, wish.changed, "launchTemplate"),
	 .returns = KIND_LAUNCH_TEMPLATE, .doc = "Sets the default version of a launch template."},
	{EC2_ACTION("DeleteLaunchTemplate"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_template, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_launch_template_run, .answer = ec2_delete_launch_template,
	 .doc = "Deletes a launch template with its versions. Instances stay."},
};
const struct api_actions ec2_launch_template_actions = API_ACTIONS(actions);
