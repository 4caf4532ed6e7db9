/* SPDX-License-Identifier: Apache-2.0
 * Scale sets: shown with sku, model and policies; their instance view and the sizes that they may have; deleted with their machines.
 * Scaling groups of EC2 are not listed here: a launch template has no virtualMachineProfile. Source: Azure REST API reference,
 * "Virtual Machine Scale Sets", 2022-08-01. */
#include "api/azure/scale_sets/scale_sets.h"

#include "model/state.h"
#include "store/arm_resource.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_configuration.h"
#include "store/scaling_group.h"
#include "store/scaling_member.h"

const struct scaling_group *scale_set_of(struct az_call *e)
{
	return scaling_group_find(az_tables(e), e->target);
}

const char *scale_set_state(struct az_call *e, const struct scaling_group *set)
{
	struct str problem = STR_NONE;
	int state = engine_weigh_scale_set(az_tables(e), set, &problem);
	return set->is_deleting    ? "Deleting"
	       : state > 0         ? "Failed"
	       : state == 0        ? "Succeeded"
	       : set->row.gen == 1 ? "Creating"
				   : "Updating";
}

/* ---- the object ---- */

AZ_GETTER(scaling_group, set, struct str, get_size,
	  scale_set_size_of(e, engine_find_scale_set_model(az_tables(e), set)))
AZ_GETTER(scaling_group, set, const char *, get_state, scale_set_state(e, set))
AZ_GETTER(scaling_group, set, bool, is_flexible, set->mode == SCALING_GROUP_MODE_FLEXIBLE)
AZ_GETTER(scaling_group, set, bool, is_uniform, set->mode != SCALING_GROUP_MODE_FLEXIBLE)
AZ_GETTER(scaling_group, set, const char *, get_mode, is_uniform(core, row) ? "Uniform" : "Flexible")

static void write_model(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	scale_set_write_model(az_call_of(core), w,
			      engine_find_scale_set_model(api_tables(core), scaling_group_of(row)), name);
}

static const struct member properties[] = {
	MEMBER_MADE(WORD, word, "orchestrationMode", get_mode),
	AZ_SAID("properties.", "upgradePolicy", "{\"mode\":\"Manual\"}"),
	MEMBER_WRITTEN("virtualMachineProfile", write_model),
	MEMBER_MADE(WORD, word, "provisioningState", get_state),
	AZ_SAID("properties.", "overprovision", "false"),
	AZ_SAID("properties.", "singlePlacementGroup", "false"),
	MEMBER_FIXED("doNotRunExtensionsOnOverprovisionedVMs", "false"),
	MEMBER(struct row, "uniqueId", id),
	AZ_SAID("properties.", "platformFaultDomainCount", "1", .shows = is_flexible),
	AZ_SAID("properties.", "platformFaultDomainCount", "5", .shows = is_uniform),
	AZ_SAID("properties.", "scaleInPolicy", NULL),
	MEMBER_AS(struct row, TIME, "timeCreated", created_us),
};

static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	return scaling_is_set(scaling_group_of(row)) && az_matches(core, args, row);
}

static const struct member members[] = {
	AZ_HEAD_OF(AZ_SCALE_SETS, KIND_SCALING_GROUP),
	MEMBER_WITH("sku", MEMBER_TEXT("name", get_size), AZ_SAID("sku.", "tier", "\"Standard\""),
		    MEMBER(struct scaling_group, "capacity", desired)),
	AZ_SAID_ZONES,
	MEMBER_OBJECT("properties", properties),
};
const struct api_listing set_listing = {
	.kind = KIND_SCALING_GROUP, .item = "value", .matches = matches, .members = MEMBERS(members)};

/* ---- instance view ---- */

/* Provisioning states of machines, as the summary counts them. */
static const char *const states[] = {"Succeeded", "Creating", "Updating", "Deleting", "Failed"};
enum { STATES = sizeof states / sizeof states[0] };

static size_t state_of(struct az_call *e, const struct scaling_member *m)
{
	const struct instance *i = instance_find(az_tables(e), m->instance);
	const char *state = i ? az_machine_state(e, i) : "Deleting";
	size_t k = 0;
	while (k + 1 < STATES && strcmp(states[k], state) != 0)
		k++;
	return k;
}

static RESULT show_view(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct scaling_group *set = scale_set_of(e);
	int64_t counts[STATES] = {0};
	(void) args;
	for (const struct scaling_member *m = scaling_member_first_by_scaling_group(az_tables(e), e->target);
	     m; m = scaling_member_next_by_scaling_group(az_tables(e), m))
		counts[state_of(e, m)]++;
	json_write_open(w, "virtualMachine");
	json_write_open_list(w, "statusesSummary");
	for (size_t k = 0; k < STATES; k++) {
		struct str word = str_lower(e->c->arena, str_from(states[k]));
		if (!counts[k])
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "code",
				str_print(e->c->arena, "ProvisioningState/%" STR_FMT, STR_ARG(word)));
		json_write_int(w, "count", counts[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
	const char *state = scale_set_state(e, set);
	struct str word = str_lower(e->c->arena, str_from(state));
	json_write_open_list(w, "statuses");
	json_write_open(w, NULL);
	json_write_text(w, "code", str_print(e->c->arena, "ProvisioningState/%" STR_FMT, STR_ARG(word)));
	json_write_z(w, "level", "Info");
	json_write_text(w, "displayStatus",
			str_is(word, "succeeded") ? STR("Provisioning succeeded") : str_from(state));
	az_write_time(w, "time", set->row.updated_us);
	json_write_close(w);
	json_write_close_list(w);
	return OK;
}

/* ---- sizes ---- */

static RESULT show_sizes(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_open_list(w, "value");
	for (const struct instance_type *t = instance_type_first(az_tables(e)); t;
	     t = instance_type_next(az_tables(e), t)) {
		if (!az_may_use_type(e, t))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "resourceType", "Microsoft.Compute/virtualMachineScaleSets");
		json_write_open(w, "sku");
		json_write_text(w, "name", t->name);
		json_write_z(w, "tier", "Standard");
		json_write_close(w);
		json_write_open(w, "capacity");
		json_write_int(w, "minimum", 0);
		json_write_int(w, "maximum", SCALING_SIZE_MAX);
		json_write_z(w, "scaleType", "Automatic");
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- deletion ---- */

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct scaling_group_target *wish = args;
	*wish = (struct scaling_group_target){.group = az_target_ref(e), .is_forced = true};
	return OK;
}

#define LISTS(where, word, says)                                                                             \
	{                                                                                                    \
		HTTP_GET, where, .name = (word), .permit = "autoscaling:DescribeAutoScalingGroups",          \
				 .type = AZ_SCALE_SETS, .listing = &set_listing, .doc = (says)               \
	}
#define SHOWS(where, word, ...)                                                                              \
	{                                                                                                    \
		HTTP_GET, where, .name = (word), .permit = "autoscaling:DescribeAutoScalingGroups",          \
				 OF_SCALE_SET, __VA_ARGS__                                                   \
	}
static const struct az_action actions[] = {
	LISTS(AZ_SUBSCRIPTION SCALE_SETS, "VirtualMachineScaleSets_ListAll",
	      "Lists the subscription's virtual machine scale sets."),
	LISTS(AZ_GROUP SCALE_SETS, "VirtualMachineScaleSets_List",
	      "Lists a resource group's virtual machine scale sets."),
	LISTS(AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/virtualMachineScaleSets",
	      "VirtualMachineScaleSets_ListByLocation",
	      "Lists the subscription's virtual machine scale sets in a location, which is the region."),
	SHOWS(SCALE_SET, "VirtualMachineScaleSets_Get", .shows = &set_listing, .query = "$expand=userData",
	      .doc = "Gets one virtual machine scale set."),
	SHOWS(SCALE_SET "/instanceView", "VirtualMachineScaleSets_GetInstanceView", .answer = show_view,
	      .doc = "Counts the machines of a scale set by their provisioning states."),
	SHOWS(SCALE_SET "/skus", "VirtualMachineScaleSets_ListSkus", .answer = show_sizes,
	      .doc = "Lists the sizes that a scale set can have."),
	{HTTP_DELETE, SCALE_SET, .name = "VirtualMachineScaleSets_Delete",
	 .permit = "autoscaling:DeleteAutoScalingGroup", .flags = API_WRITES, OF_SCALE_SET,
	 .args = {0, 0, sizeof(struct scaling_group_target)}, .prepare = prepare_delete,
	 .operation = engine_delete_scaling_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_GONE, .query = "forceDeletion",
	 .doc = "Deletes a virtual machine scale set with its machines."},
};
const struct api_actions az_scale_set_actions = API_ACTIONS(actions);
