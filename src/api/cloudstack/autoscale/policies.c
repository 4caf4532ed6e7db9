/* SPDX-License-Identifier: Apache-2.0
 * Policies of AutoScale. Source: API reference, "AutoScale", 4.18. */
#include "api/cloudstack/autoscale/autoscale.h"

struct list_policies {
	struct cs_list_args list;
	struct ref project, condition, group;
	struct str action;
};
#define P(wire, member, ...) PARAM(struct list_policies, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_policies, KIND_AUTOSCALE_POLICY),
	CS_NAME_PARAM(struct list_policies),
	CS_OWNER_PARAMS(struct list_policies),
	CS_PROJECT_PARAM(struct list_policies, project),
	P("action", action, .doc = "Action: ScaleUp or ScaleDown."),
	P("conditionid", condition, .kind = KIND_AUTOSCALE_CONDITION,
	  .doc = "Condition that the policy names."),
	P("vmgroupid", group, .kind = KIND_SCALING_GROUP, .doc = "AutoScale group of the policy."),
};
#undef P

static struct str get_action(struct api_call *e, const struct row *row)
{
	(void) e;
	return autoscale_policy_of(row)->is_down ? STR("ScaleDown") : STR("ScaleUp");
}

static bool is_in_group(const struct tables *t, uuid policy, uuid group)
{
	const struct scaling_policy *p = scaling_policy_first_by_autoscale_policy(t, policy);
	while (p && !uuid_equal(p->scaling_group, group))
		p = scaling_policy_next_by_autoscale_policy(t, p);
	return p != NULL;
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_policies *a = args;
	return (!a->action.n || str_equal_nocase(a->action, get_action(e, row))) &&
	       (!ref_is_given(&a->condition) ||
		uuids_have(&autoscale_policy_of(row)->conditions, a->condition.prefix)) &&
	       (!ref_is_given(&a->group) || is_in_group(api_tables(e), row->id, a->group.prefix));
}

void cs_write_rows(struct api_call *e, struct json_writer *w, const struct api_listing *listing,
		   const struct row *row)
{
	json_write_open(w, NULL);
	members_write(e, w, cs_write_time, &listing->members, row);
	json_write_close(w);
}

static void write_conditions(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row)
{
	const struct uuids *conditions = &autoscale_policy_of(row)->conditions;
	json_write_open_list(w, name);
	for (size_t k = 0; k < conditions->count; k++) {
		const struct autoscale_condition *c =
			autoscale_condition_find(api_tables(e), conditions->at[k]);
		if (c)
			cs_write_rows(e, w, &cs_autoscale_conditions, &c->row);
	}
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct autoscale_policy, "id", row.id),
	MEMBER(struct autoscale_policy, "name", name, .is_optional = true),
	MEMBER_TEXT("action", get_action),
	MEMBER(struct autoscale_policy, "duration", duration_s),
	MEMBER(struct autoscale_policy, "quiettime", quiet_s),
	MEMBER_WRITTEN("conditions", write_conditions),
	CS_OWNER_MEMBERS(autoscale_policy),
};
const struct api_listing cs_autoscale_policies =
	CS_LISTING(KIND_AUTOSCALE_POLICY, "autoscalepolicy", members,
		   .name = offsetof(struct autoscale_policy, name), .matches = matches);

/* ---- changes ---- */

struct make_policy {
	struct autoscale_policy_wish wish;
	struct str action;
};
#define QUIET(T)                                                                                             \
	PARAM(T, "quiettime", wish.quiet_s.value, .min = 0, .max = AUTOSCALE_SECONDS_MAX,                    \
	      .given = offsetof(T, wish.quiet_s.is_given) + 1,                                               \
	      .doc = "Seconds after an action during which the group rests; absent: 300.")
#define P(wire, member, ...) PARAM(struct make_policy, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("action", action, .flags = REQUIRED, .doc = "ScaleUp or ScaleDown, in upper or lower case."),
	P("conditionids", wish.conditions, .kind = KIND_AUTOSCALE_CONDITION, .flags = REQUIRED,
	  .max = AUTOSCALE_POLICY_CONDITIONS_MAX,
	  .doc = "Conditions that must hold together, on different counters."),
	P("duration", wish.duration_s, .flags = REQUIRED, .min = 0, .max = AUTOSCALE_SECONDS_MAX,
	  .doc = "Seconds for which the conditions hold before the policy acts."),
	P("name", wish.name, .max = 255, .doc = "Name."),
	QUIET(struct make_policy),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_policy *a = args;
	a->wish.is_down = str_equal_nocase(a->action, STR("ScaleDown"));
	return a->wish.is_down || str_equal_nocase(a->action, STR("ScaleUp"))
		       ? OK
		       : cs_fail(e, "action",
				 "action is invalid. Supported actions are: [ScaleUp, ScaleDown]");
}

struct change_policy {
	struct autoscale_policy_change wish;
};
#define P(wire, member, ...) PARAM(struct change_policy, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.policy, .kind = KIND_AUTOSCALE_POLICY, .flags = REQUIRED, .doc = "The policy."),
	P("name", wish.name, .max = 255, .doc = "New name."),
	P("duration", wish.duration_s.value, .min = 0, .max = AUTOSCALE_SECONDS_MAX,
	  .given = offsetof(struct change_policy, wish.duration_s.is_given) + 1,
	  .doc = "Seconds for which the conditions hold before the policy acts."),
	P("conditionids", wish.conditions, .kind = KIND_AUTOSCALE_CONDITION,
	  .max = AUTOSCALE_POLICY_CONDITIONS_MAX, .doc = "New conditions; absent: the present ones."),
	QUIET(struct change_policy),
};
#undef P

static const struct cs_action actions[] = {
	{CS_ACTION("listAutoScalePolicies", "ec2:DescribeAutoScalePolicies"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_policies, list_params), .listing = &cs_autoscale_policies,
	 .doc = "Lists policies of AutoScale groups."},
	{CS_ACTION("createAutoScalePolicy", "ec2:CreateAutoScalePolicy"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct make_policy, create_params), .prepare = prepare_create,
	 .operation = engine_create_autoscale_policy_run, CS_SUBJECT(struct make_policy, wish.policy),
	 .shows = &cs_autoscale_policies, CS_JOB(NOW), .doc = "Creates a policy of AutoScale groups."},
	{CS_ACTION("updateAutoScalePolicy", "ec2:ModifyAutoScalePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct change_policy, update_params), .operation = engine_update_autoscale_policy_run,
	 CS_SUBJECT(struct change_policy, wish.policy.prefix), .shows = &cs_autoscale_policies, CS_JOB(NOW),
	 .doc = "Changes a policy whose groups are all disabled."},
	{CS_ACTION("deleteAutoScalePolicy", "ec2:DeleteAutoScalePolicy"), .flags = API_WRITES,
	 .args = CS_ONE(struct autoscale_policy_target, "id", policy, KIND_AUTOSCALE_POLICY, "The policy."),
	 .operation = engine_delete_autoscale_policy_run, CS_JOB(NOW),
	 .doc = "Deletes a policy that no group has."},
};
const struct api_actions cs_autoscale_policy_actions = API_ACTIONS(actions);
