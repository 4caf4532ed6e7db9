/* SPDX-License-Identifier: Apache-2.0
 * PUT and PATCH of a scale set: a scaling group with a model (scale_set_model.c). An absent member keeps its value, as everywhere in
 * Microsoft.Compute. Source: Azure REST API reference, "Virtual Machine Scale Sets", 2022-08-01. */
#include "api/azure/scale_sets/scale_sets.h"

#include "auth/guard/guard.h"
#include "engine/instance/launch/fleet.h"
#include "store/launch_configuration.h"
#include "store/scaling_group.h"

enum { FAULT_DOMAINS_MAX = 5 };

/* ---- what a body says ---- */

struct scale_in {
	struct strs rules;
};
struct set_says {
	struct str mode;
	struct set_upgrade upgrade;
	struct set_profile profile;
	struct scale_in scale_in;
	bool has_upgrade, has_scale_in;
	enum choice overprovision, single;
	int64_t fault_domains;
};
static const struct param scale_in_rows[] = {
	PARAM(struct scale_in, "rules", rules, .words = "Default|OldestVM|NewestVM",
	      .doc = "Rules, in order, that choose the machine that a smaller set deletes."),
	NOT_BUILT("forceDeletion|prioritizeUnhealthyVMs", .only = "false"),
};
static const struct params scale_in_params =
	PARAMS(struct scale_in, scale_in_rows, .object = "ScaleInPolicy");
static const struct param repair_rows[] = {
	NOT_BUILT("enabled", .only = "false"),
	NOT_BUILT("gracePeriod|repairAction"),
};
static const struct params repair_params = AZ_SHAPE(repair_rows, .object = "AutomaticRepairsPolicy");
static const struct param says_rows[] = {
	PARAM(struct set_says, "orchestrationMode", mode, .words = "Uniform|Flexible",
	      .doc = "Uniform: machines with numbers in the set; Flexible: ordinary virtual machines. "
		     "Absent: "
		     "Uniform."),
	PARAM_OBJECT(struct set_says, "upgradePolicy", upgrade, set_upgrade_params,
		     .given = offsetof(struct set_says, has_upgrade) + 1,
		     .doc = "How machines get a changed model."),
	PARAM_OBJECT(struct set_says, "virtualMachineProfile", profile, set_profile_params,
		     .doc = "Model of the machines."),
	PARAM_OBJECT(struct set_says, "scaleInPolicy", scale_in, scale_in_params,
		     .given = offsetof(struct set_says, has_scale_in) + 1,
		     .doc = "Which machines a smaller set deletes."),
	PARAM(struct set_says, "overprovision", overprovision,
	      .doc = "Stored and shown: exactly the machines that are asked for are launched."),
	PARAM(struct set_says, "singlePlacementGroup", single,
	      .doc = "Stored and shown: there are no placement groups of 100 machines."),
	PARAM(struct set_says, "platformFaultDomainCount", fault_domains, .min = 1, .max = FAULT_DOMAINS_MAX,
	      .doc = "Stored and shown; has no effect."),
	AZ_SHAPE_OBJECT("automaticRepairsPolicy", repair_params),
	NOT_BUILT("doNotRunExtensionsOnOverprovisionedVMs|zoneBalance|constrainedMaximumCapacity",
		  .only = "false"),
	NOT_BUILT("additionalCapabilities|proximityPlacementGroup|hostGroup|spotRestorePolicy|"
		  "priorityMixPolicy|resiliencyPolicy|zonalPlatformFaultDomainAlignMode|skuProfile|"
		  "scheduledEventsPolicy"),
	AZ_READ_ONLY("provisioningState|uniqueId|timeCreated"),
};
static const struct params says_params =
	PARAMS(struct set_says, says_rows, .object = "VirtualMachineScaleSetProperties");
struct set_args {
	struct scale_set_wish wish; /* first: the operation reads it */
	struct set_sku sku;
	struct strs zones;
	struct set_says properties;
};
static const struct param put_rows[] = {
	PARAM_OBJECT(struct set_args, "sku", sku, set_sku_params, .doc = "Size and number of the machines."),
	PARAM(struct set_args, "zones", zones, .doc = "Availability zones by number."),
	PARAM_OBJECT(struct set_args, "properties", properties, says_params, .doc = "Settings of the set."),
	NOT_BUILT("plan|extendedLocation|identity|placement"),
	AZ_RESOURCE,
};

/* ---- settings ---- */

static struct str policy_of(struct str rule)
{
	return str_is(rule, "OldestVM")   ? STR("OldestInstance")
	       : str_is(rule, "NewestVM") ? STR("NewestInstance")
					  : STR("Default");
}

static RESULT take_scale_in(struct az_call *e, const struct scale_in *said, struct scaling_settings *s)
{
	struct str *policies = arena_new_array(e->c->arena, struct str, said->rules.count + 1);
	if (!policies)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < said->rules.count; k++)
		policies[k] = policy_of(said->rules.at[k]);
	s->has_policies = true;
	s->policies = (struct strs){policies, said->rules.count};
	return OK;
}

static RESULT take_places(struct az_call *e, struct uuids zones, struct scaling_settings *s)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, zones.count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < zones.count; k++) {
		refs[k] = ref_by_id(KIND_ZONE, zones.at[k]);
		refs[k].field = STR("zones");
	}
	s->has_places = true;
	s->zones = (struct refs){refs, zones.count};
	return OK;
}

/* Reads the launches of the new model: the operation tries them, so that a caller who may not launch is refused. */
static RESULT take_model(struct az_call *e, struct set_args *a, const struct scaling_group *set)
{
	struct scaling_settings *s = &a->wish.settings;
	struct uuids zones = set ? set->zones : (struct uuids){0};
	struct fleet_override *launches = NULL;
	if (!set)
		TRY(scale_set_find_zones(e, a->wish.model, &a->zones, &zones));
	TRY(scale_set_read_model(e, a->wish.model, zones, az_path_value(e, "vmScaleSetName"), &launches,
				 &s->launch_count));
	s->launches = launches;
	s->on_demand_percent = 100;
	a->wish.has_model = true;
	return set ? OK : take_places(e, zones, s);
}

static void take_sizes(const struct set_sku *sku, bool is_new, struct scaling_settings *s)
{
	if (is_new) {
		s->min = (struct scaling_number){true, 0};
		s->max = (struct scaling_number){true, SCALING_SIZE_MAX};
		s->cooldown_s = (struct scaling_number){true, 0};
	}
	s->desired = (struct scaling_number){sku->has_capacity, sku->capacity};
}

/* Name of the scaling group: "group/set", or with eight digits more if a set that was moved away has that name. */
static struct str name_group(struct az_call *e)
{
	char digits[UUID_TEXT_SIZE];
	struct str name = str_lower(e->c->arena, str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT,
							   STR_ARG(az_path_value(e, "resourceGroupName")),
							   STR_ARG(e->put.name)));
	return scaling_group_find_by_account(az_tables(e), e->c->who->account, name)
		       ? str_print(e->c->arena, "%" STR_FMT "-%.8s", STR_ARG(name),
				   uuid_write(uuid_random(), digits))
		       : name;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct set_args *a = args;
	const struct set_says *p = &a->properties;
	const struct scaling_group *set = scale_set_of(e);
	a->wish.mode = str_is(p->mode, "Flexible") ? SCALING_GROUP_MODE_FLEXIBLE : SCALING_GROUP_MODE_UNIFORM;
	a->wish.settings.guard = guards_later(e->config->guards);
	if (set)
		a->wish.set = az_target_ref(e);
	else
		a->wish.name = name_group(e);
	TRY(scale_set_merge_model(e, set ? engine_find_scale_set_model(az_tables(e), set) : NULL,
				  &a->wish.model));
	if (a->wish.model.n || !set)
		TRY(take_model(e, a, set));
	take_sizes(&a->sku, !set, &a->wish.settings);
	if (p->has_scale_in)
		TRY(take_scale_in(e, &p->scale_in, &a->wish.settings));
	if (p->profile.os.password.n)
		az_audit(e);
	return scale_set_take_upgrade(e, p->has_upgrade ? &p->upgrade : NULL, &a->wish.how, &a->wish.upgrade);
}

#define KEEPS                                                                                                \
	"sku.tier|zones|properties.upgradePolicy|properties.overprovision|properties.singlePlacementGroup|"  \
	"properties.platformFaultDomainCount|properties.scaleInPolicy"
#define FIXED                                                                                                \
	"zones:zones|properties.orchestrationMode:orchestrationMode|"                                        \
	"properties.platformFaultDomainCount:platformFaultDomainCount"
#define CHANGE(verb, word, action, more, says)                                                               \
	{                                                                                                    \
		verb, SCALE_SET,                                                                             \
			.name = (word), .permit = (action), .flags = API_WRITES | (more), OF_SCALE_SET,      \
			.keeps = KEEPS, .fixed = FIXED,                                                      \
			.args = PARAMS(struct set_args, put_rows, .object = "VirtualMachineScaleSet"),       \
			.prepare = prepare, .operation = engine_put_scale_set_run,                           \
			.returns = KIND_SCALING_GROUP, AZ_SUBJECT(struct set_args, wish.id),                 \
			.shows = &set_listing, .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = (says)           \
	}
static const struct az_action actions[] = {
	CHANGE(HTTP_PUT, "VirtualMachineScaleSets_CreateOrUpdate", "autoscaling:CreateAutoScalingGroup",
	       AZ_PUT, "Creates or changes a virtual machine scale set."),
	CHANGE(HTTP_PATCH, "VirtualMachineScaleSets_Update", "autoscaling:UpdateAutoScalingGroup", AZ_PATCH,
	       "Changes a virtual machine scale set."),
};
const struct api_actions az_scale_set_put_actions = API_ACTIONS(actions);
