/* SPDX-License-Identifier: Apache-2.0
 * Autoscale settings of scale sets, whose rules are scaling policies. Source: Azure REST API reference, "Autoscale Settings",
 * 2022-10-01. */
#include "api/azure/scale_sets/autoscale_settings.h"
#include "api/azure/core/members.h"

#include "engine/tag.h"

AZ_GETTER(autoscale_setting, s, struct str, get_name,
	  az_last_word(az_name_of(e, AZ_AUTOSCALE_SETTINGS, KIND_AUTOSCALE_SETTING, s->row.id)))

static const struct member properties[] = {
	MEMBER_TEXT("name", get_name),
	MEMBER(struct autoscale_setting, "enabled", is_enabled),
	AZ_ID(struct autoscale_setting, "targetResourceUri", scaling_group, AZ_SCALE_SETS,
	      KIND_SCALING_GROUP),
	AZ_SAID("properties.", "targetResourceLocation", NULL),
	AZ_SAID("properties.", "profiles", NULL),
	AZ_SAID("properties.", "notifications", NULL),
	AZ_SAID("properties.", "predictiveAutoscalePolicy", NULL),
};
static const struct member members[] = {
	AZ_HEAD,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing settings = {
	.kind = KIND_AUTOSCALE_SETTING, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- changes ---- */

struct setting_says {
	struct str target;
	enum choice is_enabled;
	struct autoscale_profiles_says profiles;
};
static const struct param email_rows[] = {
	NOT_BUILT("sendToSubscriptionAdministrator|sendToSubscriptionCoAdministrators", .only = "false"),
	NOT_BUILT("customEmails", .only = "[]"),
};
static const struct params email_params = AZ_SHAPE(email_rows, .object = "EmailNotification");
struct notices {
	const struct notice {
		struct str operation;
	} * at;
	size_t count;
};
static const struct param notice_rows[] = {
	PARAM(struct notice, "operation", operation, .words = "Scale", .doc = "Scale."),
	AZ_SHAPE_OBJECT("email", email_params),
	NOT_BUILT("webhooks", .only = "[]"),
};
static const struct params notice_params =
	PARAMS(struct notice, notice_rows, .object = "AutoscaleNotification");
static const struct param prediction_rows[] = {
	NOT_BUILT("scaleMode", .only = "Disabled"),
	NOT_BUILT("scaleLookAheadTime"),
};
static const struct params prediction_params =
	AZ_SHAPE(prediction_rows, .object = "PredictiveAutoscalePolicy");
struct setting_args {
	struct autoscale_setting_wish wish; /* first: the operation reads it */
	struct setting_properties {
		struct setting_says says;
		struct notices notices;
	} properties;
};
#define P(wire, member, ...) PARAM(struct setting_properties, wire, member, __VA_ARGS__)
static const struct param property_rows[] = {
	P("targetResourceUri", says.target, .flags = REQUIRED, .max = 1024,
	  .doc = "Virtual machine scale set, by its id."),
	P("enabled", says.is_enabled, .doc = "Whether the setting scales; absent: false."),
	PARAM_LIST(struct setting_properties, "profiles", says.profiles, autoscale_profile_params,
		   .max = AUTOSCALE_SETTING_PROFILES_MAX, .doc = "Profiles, one at least."),
	PARAM_LIST(struct setting_properties, "notifications", notices, notice_params, .max = 10,
		   .doc = "Notifications, which may name no recipient."),
	AZ_SHAPE_OBJECT("predictiveAutoscalePolicy", prediction_params),
	AZ_KEPT("targetResourceLocation"),
	AZ_READ_ONLY("name"),
};
#undef P
static const struct params property_params =
	PARAMS(struct setting_properties, property_rows, .object = "AutoscaleSetting");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct setting_args, "properties", properties, property_params, .flags = REQUIRED,
		     .doc = "Profiles of the setting, and the scale set."),
	AZ_RESOURCE,
};

static RESULT prepare(struct az_call *e, void *args)
{
	static const char field[] = "properties.targetResourceUri";
	struct setting_args *a = args;
	const struct row *set = NULL;
	TRY(az_find_id(e, field, a->properties.says.target, AZ_SCALE_SETS, KIND_SCALING_GROUP, &set));
	a->wish.target = ref_by_id(KIND_SCALING_GROUP, set->id);
	a->wish.target.text = str_copy(e->c->arena, a->properties.says.target);
	a->wish.target.field = str_from(field);
	a->wish.name = e->put.name;
	a->wish.is_enabled = a->properties.says.is_enabled == CHOICE_YES;
	if (!uuid_is_none(e->target))
		a->wish.setting = az_target_ref(e);
	return autoscale_read_profiles(e, &a->properties.says.profiles, a->wish.target.text, &a->wish);
}

#define SETTINGS "/providers/Microsoft.Insights/autoscaleSettings"
#define SETTING AZ_GROUP SETTINGS "/{autoscaleSettingName}"
#define OF_ONE .type = AZ_AUTOSCALE_SETTINGS, .kind = KIND_AUTOSCALE_SETTING, .names = "autoscaleSettingName"
#define KEEPS                                                                                                \
	"properties.profiles|properties.notifications|properties.predictiveAutoscalePolicy|"                 \
	"properties.targetResourceLocation"
#define LISTS(where, word, says)                                                                             \
	{                                                                                                    \
		HTTP_GET, where, .name = (word), .permit = "ec2:DescribeAutoscaleSettings",                  \
				 .type = AZ_AUTOSCALE_SETTINGS, .listing = &settings, .doc = (says)          \
	}
static const struct az_action actions[] = {
	LISTS(AZ_SUBSCRIPTION SETTINGS, "AutoscaleSettings_ListBySubscription",
	      "Lists the subscription's autoscale settings."),
	LISTS(AZ_GROUP SETTINGS, "AutoscaleSettings_ListByResourceGroup",
	      "Lists a resource group's autoscale settings."),
	{HTTP_GET, SETTING, .name = "AutoscaleSettings_Get", .permit = "ec2:DescribeAutoscaleSettings",
	 OF_ONE, .shows = &settings, .doc = "Gets one autoscale setting."},
	{HTTP_PUT, SETTING, .name = "AutoscaleSettings_CreateOrUpdate",
	 .permit = "ec2:CreateAutoscaleSetting", .flags = API_WRITES | AZ_PUT, OF_ONE, .keeps = KEEPS,
	 .args = PARAMS(struct setting_args, put_rows, .object = "AutoscaleSettingResource"),
	 .prepare = prepare, .operation = engine_put_autoscale_setting_run, .returns = KIND_AUTOSCALE_SETTING,
	 AZ_SUBJECT(struct setting_args, wish.id), .shows = &settings,
	 .doc = "Creates an autoscale setting of a scale set, or replaces it."},
	{HTTP_PATCH, SETTING, .name = "AutoscaleSettings_Update", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_AUTOSCALE_SETTING,
	 .shows = &settings, .doc = "Changes an autoscale setting's tags."},
	{HTTP_DELETE, SETTING, .name = "AutoscaleSettings_Delete", .permit = "ec2:DeleteAutoscaleSetting",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct autoscale_setting_target)},
	 AZ_TARGET(struct autoscale_setting_target, setting),
	 .operation = engine_delete_autoscale_setting_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes an autoscale setting. Its scale set stays as it is."},
};
const struct api_actions az_autoscale_setting_actions = API_ACTIONS(actions);
