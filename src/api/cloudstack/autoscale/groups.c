/* SPDX-License-Identifier: Apache-2.0
 * AutoScale groups: scaling groups whose machines are members of a load balancer rule. Source: API reference, "AutoScale",
 * 4.18. */
#include "api/cloudstack/autoscale/autoscale.h"
#include "api/cloudstack/network/network.h"
#include "api/cloudstack/region/annotations.h"
#include "auth/guard/guard.h"
#include "engine/instance/instance.h"
#include "engine/instance/launch/fleet.h"
#include "engine/resolve.h"
#include "model/state.h"
#include "store/address.h"
#include "store/instance.h"
#include "store/load_balancer.h"
#include "store/network.h"

/* ---- listAutoScaleVmGroups ---- */

struct list_groups {
	struct cs_list_args list;
	struct ref project, balancer, policy, profile, zone;
};
#define P(wire, member, ...) PARAM(struct list_groups, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_groups, KIND_SCALING_GROUP),
	CS_NAME_PARAM(struct list_groups),
	CS_OWNER_PARAMS(struct list_groups),
	CS_PROJECT_PARAM(struct list_groups, project),
	P("lbruleid", balancer, .kind = KIND_LOAD_BALANCER, .fits = FITS(scaling_group, balancer),
	  .doc = "Load balancer rule of the group."),
	P("vmprofileid", profile, .kind = KIND_AUTOSCALE_PROFILE, .fits = FITS(scaling_group, profile),
	  .doc = "Profile of the group."),
	P("policyid", policy, .kind = KIND_AUTOSCALE_POLICY, .doc = "Policy of the group."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone of the group."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static bool has_policy(const struct tables *t, uuid group, uuid policy)
{
	const struct scaling_policy *p = scaling_policy_first_by_autoscale_policy(t, policy);
	while (p && !uuid_equal(p->scaling_group, group))
		p = scaling_policy_next_by_autoscale_policy(t, p);
	return p != NULL;
}

/* EC2's groups have no profile, and are not listed. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_groups *a = args;
	const struct scaling_group *g = scaling_group_of(row);
	return !uuid_is_none(g->profile) &&
	       (!ref_is_given(&a->zone) || uuids_have(&g->zones, a->zone.prefix)) &&
	       (!ref_is_given(&a->policy) || has_policy(api_tables(e), row->id, a->policy.prefix));
}

/* Writes network, address and ports of the load balancer rule. */
static void write_balancer(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	char ip[IP_TEXT_SIZE];
	const struct load_balancer *b = load_balancer_find(api_tables(e), scaling_group_of(row)->balancer);
	const struct network *network = b ? network_find(api_tables(e), b->network) : NULL;
	const struct address *address = b ? address_find(api_tables(e), b->address) : NULL;
	if (!b)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, b->row.id));
	if (network) {
		json_write_text(w, "associatednetworkid", uuid_to_str(e->c->arena, network->row.id));
		json_write_text(w, "associatednetworkname", cs_get_network_name(e, &network->row));
		json_write_z(w, "lbprovider", "VirtualRouter");
	}
	if (address) {
		json_write_text(w, "publicipid", uuid_to_str(e->c->arena, address->row.id));
		json_write_z(w, "publicip", ip_write(address->ip, ip));
	}
	json_write_text(w, "publicport", str_print(e->c->arena, "%lld", (long long) b->public_port));
	json_write_text(w, "privateport", str_print(e->c->arena, "%lld", (long long) b->private_port));
}

/* Counts machines that run, start, stop or move. */
static void write_available(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	int64_t count = 0;
	const struct tables *t = api_tables(e);
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(t, row->id); m;
	     m = scaling_member_next_by_scaling_group(t, m)) {
		const struct instance *i = instance_find(t, m->instance);
		enum instance_state state = i ? model_derive_instance_state(i) : INSTANCE_TERMINATED;
		count +=
			scaling_member_counts(m) && (state == INSTANCE_RUNNING || state == INSTANCE_PENDING ||
						     state == INSTANCE_STOPPING);
	}
	json_write_int(w, name, count);
}

/* CloudStack's state NEW ends with the command that creates the group. */
static struct str get_state(struct api_call *e, const struct row *row)
{
	const struct scaling_group *g = scaling_group_of(row);
	(void) e;
	return g->is_deleting                    ? STR("REVOKE")
	       : engine_is_autoscale_disabled(g) ? STR("DISABLED")
						 : STR("ENABLED");
}

static void write_policies(struct api_call *e, struct json_writer *w, const char *name, uuid group,
			   bool is_down)
{
	const struct tables *t = api_tables(e);
	json_write_open_list(w, name);
	for (const struct scaling_policy *p = scaling_policy_first_by_scaling_group(t, group); p;
	     p = scaling_policy_next_by_scaling_group(t, p)) {
		const struct autoscale_policy *policy = autoscale_policy_find(t, p->autoscale_policy);
		if (policy && policy->is_down == is_down)
			cs_write_rows(e, w, &cs_autoscale_policies, &policy->row);
	}
	json_write_close_list(w);
}

static void write_up(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	write_policies(e, w, name, row->id, false);
}

static void write_down(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	write_policies(e, w, name, row->id, true);
}

static const struct member members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct scaling_group, "id", row.id),
	MEMBER(struct scaling_group, "name", name),
	MEMBER_WRITTEN("lbruleid", write_balancer,
		       .also = "associatednetworkid|associatednetworkname|lbprovider|publicipid|publicip|"
			       "publicport|privateport"),
	MEMBER(struct scaling_group, "vmprofileid", profile),
	MEMBER(struct scaling_group, "minmembers", min_size),
	MEMBER(struct scaling_group, "maxmembers", max_size),
	MEMBER_WRITTEN("availablevirtualmachinecount", write_available),
	MEMBER(struct scaling_group, "interval", interval_s),
	MEMBER_TEXT("state", get_state),
	MEMBER_WRITTEN("scaleuppolicies", write_up),
	MEMBER_WRITTEN("scaledownpolicies", write_down),
	CS_OWNER_MEMBERS(scaling_group),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_AS(struct scaling_group, TIME, "created", row.created_us),
};
static const struct api_listing groups =
	CS_LISTING(KIND_SCALING_GROUP, "autoscalevmgroup", members,
		   .name = offsetof(struct scaling_group, name), .matches = matches);

/* ---- changes ---- */

struct make_group {
	struct autoscale_group_wish wish;
	struct fleet_override launch;
};
#define NUMBER(T, wire, member, words)                                                                       \
	PARAM(T, wire, wish.member.value, .min = -SCALING_SIZE_MAX, .max = SCALING_SIZE_MAX,                 \
	      .given = offsetof(T, wish.member.is_given) + 1, .doc = (words))
#define INTERVAL(T)                                                                                          \
	PARAM(T, "interval", wish.interval_s.value, .min = 0, .max = AUTOSCALE_SECONDS_MAX,                  \
	      .given = offsetof(T, wish.interval_s.is_given) + 1,                                            \
	      .doc = "Seconds between evaluations; alarms round them up to minutes. Absent: 30.")
#define P(wire, member, ...) PARAM(struct make_group, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("lbruleid", wish.balancer, .kind = KIND_LOAD_BALANCER, .flags = REQUIRED,
	  .doc = "Load balancer rule without members."),
	P("vmprofileid", wish.profile, .kind = KIND_AUTOSCALE_PROFILE, .flags = REQUIRED,
	  .doc = "Profile of the machines."),
	P("minmembers", wish.settings.min.value, .flags = REQUIRED, .min = -SCALING_SIZE_MAX,
	  .max = SCALING_SIZE_MAX, .given = offsetof(struct make_group, wish.settings.min.is_given) + 1,
	  .doc = "Least number of machines."),
	P("maxmembers", wish.settings.max.value, .flags = REQUIRED, .min = -SCALING_SIZE_MAX,
	  .max = SCALING_SIZE_MAX, .given = offsetof(struct make_group, wish.settings.max.is_given) + 1,
	  .doc = "Greatest number of machines."),
	P("scaleuppolicyids", wish.up, .kind = KIND_AUTOSCALE_POLICY, .flags = REQUIRED,
	  .max = AUTOSCALE_GROUP_POLICIES_MAX, .doc = "Policies that add machines."),
	P("scaledownpolicyids", wish.down, .kind = KIND_AUTOSCALE_POLICY, .flags = REQUIRED,
	  .max = AUTOSCALE_GROUP_POLICIES_MAX, .doc = "Policies that remove machines."),
	P("name", wish.name, .max = 255, .doc = "Name; unique in the account. Absent: a name is drawn."),
	INTERVAL(struct make_group),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

/* Reads a launch of the profile. The operation tries it as the caller, and the reconciler reads it again for each machine. */
static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_group *a = args;
	const struct autoscale_profile *profile = NULL;
	const struct row *balancer = NULL;
	TRY(engine_find_own_autoscale_profile(e->c, cs_tables(e), &a->wish.profile, &profile));
	TRY(engine_find_own(e->c, cs_tables(e), KIND_LOAD_BALANCER, &a->wish.balancer, &balancer));
	TRY(cs_read_profile(e, profile, load_balancer_of(balancer)->network, &a->launch.launch));
	a->launch.capacity = 1;
	a->wish.settings.launches = &a->launch;
	a->wish.settings.launch_count = 1;
	a->wish.settings.guard = guards_later(e->config->guards);
	return OK;
}

struct change_group {
	struct autoscale_group_change wish;
};
#define P(wire, member, ...) PARAM(struct change_group, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", wish.group, .kind = KIND_SCALING_GROUP, .flags = REQUIRED, .doc = "The group."),
	NUMBER(struct change_group, "minmembers", min, "Least number of machines."),
	NUMBER(struct change_group, "maxmembers", max, "Greatest number of machines."),
	INTERVAL(struct change_group),
	P("scaleuppolicyids", wish.up, .kind = KIND_AUTOSCALE_POLICY, .max = AUTOSCALE_GROUP_POLICIES_MAX,
	  .doc = "New policies that add machines; absent: the present ones."),
	P("scaledownpolicyids", wish.down, .kind = KIND_AUTOSCALE_POLICY, .max = AUTOSCALE_GROUP_POLICIES_MAX,
	  .doc = "New policies that remove machines; absent: the present ones."),
	NOT_BUILT("customid|name"),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

#define GROUP_PARAM                                                                                          \
	PARAM(struct autoscale_group_target, "id", group, .kind = KIND_SCALING_GROUP, .flags = REQUIRED,     \
	      .doc = "The group.")
static const struct param target_params[] = {GROUP_PARAM};
static const struct param delete_params[] = {
	GROUP_PARAM,
	PARAM(struct autoscale_group_target, "cleanup", is_forced,
	      .doc = "true: also destroys the machines of the group."),
};

static const struct cs_action actions[] = {
	{CS_ACTION("listAutoScaleVmGroups", "autoscaling:DescribeAutoScalingGroups"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_groups, list_params), .listing = &groups,
	 .doc = "Lists AutoScale groups."},
	{CS_ACTION("createAutoScaleVmGroup", "autoscaling:CreateAutoScalingGroup"),
	 .flags = API_WRITES | CS_MAKES, .args = PARAMS(struct make_group, create_params),
	 .prepare = prepare_create, .operation = engine_create_autoscale_group_run,
	 CS_SUBJECT(struct make_group, wish.group), .shows = &groups, CS_JOB(NOW),
	 .doc = "Creates an AutoScale group, enabled, with its least number of machines."},
	{CS_ACTION("updateAutoScaleVmGroup", "autoscaling:UpdateAutoScalingGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct change_group, update_params), .operation = engine_update_autoscale_group_run,
	 CS_SUBJECT(struct change_group, wish.group.prefix), .shows = &groups, CS_JOB(NOW),
	 .doc = "Changes a disabled AutoScale group."},
	{CS_ACTION("enableAutoScaleVmGroup", "autoscaling:ResumeProcesses"), .flags = API_WRITES,
	 .args = PARAMS(struct autoscale_group_target, target_params),
	 .operation = engine_enable_autoscale_group_run,
	 CS_SUBJECT(struct autoscale_group_target, group.prefix), .shows = &groups, CS_JOB(NOW),
	 .doc = "Enables a disabled AutoScale group."},
	{CS_ACTION("disableAutoScaleVmGroup", "autoscaling:SuspendProcesses"), .flags = API_WRITES,
	 .args = PARAMS(struct autoscale_group_target, target_params),
	 .operation = engine_disable_autoscale_group_run,
	 CS_SUBJECT(struct autoscale_group_target, group.prefix), .shows = &groups, CS_JOB(NOW),
	 .doc = "Disables an AutoScale group: it neither adds nor removes machines."},
	{CS_ACTION("deleteAutoScaleVmGroup", "autoscaling:DeleteAutoScalingGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct autoscale_group_target, delete_params),
	 .operation = engine_delete_autoscale_group_run, CS_JOB(GONE), .about = KIND_SCALING_GROUP,
	 CS_SUBJECT(struct autoscale_group_target, group.prefix),
	 .doc = "Deletes a disabled AutoScale group without machines, or any group with its machines."},
};
const struct api_actions cs_autoscale_group_actions = API_ACTIONS(actions);
