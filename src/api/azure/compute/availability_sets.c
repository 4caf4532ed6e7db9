/* SPDX-License-Identifier: Apache-2.0
 * Availability sets (machines on different hosts where possible) and proximity placement groups (machines on
 * one host). Both are server groups. Counts of fault and update domains are stored and shown unchanged; a
 * host counts as both. Source: Azure REST API reference, "Availability Sets" and "Proximity Placement
 * Groups", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "engine/instance/placement/server_group.h"
#include "engine/tag.h"
#include "model/state.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/server_group.h"

bool az_is_near(const struct server_group *g)
{
	return g->policy == SERVER_GROUP_POLICY_AFFINITY || g->policy == SERVER_GROUP_POLICY_SOFT_AFFINITY;
}

AZ_GETTER(instance, i, bool, is_there, model_derive_instance_state(i) != INSTANCE_TERMINATED)

static bool is_set(struct api_call *core, const void *args, const struct row *row)
{
	return !az_is_near(server_group_of(row)) && az_matches(core, args, row);
}

static bool is_near_group(struct api_call *core, const void *args, const struct row *row)
{
	return az_is_near(server_group_of(row)) && az_matches(core, args, row);
}

#define GROUP_MACHINES                                                                                       \
	AZ_EACH_LINK("virtualMachines", AZ_MACHINES, KIND_INSTANCE, INSTANCE_INDEX_SERVER_GROUP,             \
		     .fits = is_there)
static const struct member set_members[] = {
	AZ_HEAD,
	AZ_SAID("", "sku", "{\"name\":\"Aligned\"}"),
	MEMBER_WITH("properties", AZ_SAID("properties.", "platformUpdateDomainCount", "5"),
		    AZ_SAID("properties.", "platformFaultDomainCount", "2"), GROUP_MACHINES),
};
static const struct member near_members[] = {
	AZ_HEAD,
	MEMBER_WITH("properties", MEMBER_FIXED("proximityPlacementGroupType", "\"Standard\""), GROUP_MACHINES,
		    MEMBER_FIXED("availabilitySets", "[]")),
};
static const struct api_listing sets = {
	.kind = KIND_SERVER_GROUP, .item = "value", .matches = is_set, .members = MEMBERS(set_members)};
static const struct api_listing near_groups = {.kind = KIND_SERVER_GROUP,
					       .item = "value",
					       .matches = is_near_group,
					       .members = MEMBERS(near_members)};

/* ---- changes ---- */

struct domains {
	int64_t faults, updates;
};
struct set_args {
	struct domains properties;
	struct server_group_wish make;
	bool is_new;
	uuid id;
};
static const struct param domain_rows[] = {
	PARAM(struct domains, "platformFaultDomainCount", faults, .min = 1, .max = 3,
	      .doc = "Stored and shown; has no effect."),
	PARAM(struct domains, "platformUpdateDomainCount", updates, .min = 1, .max = 20,
	      .doc = "Stored and shown; has no effect."),
	NOT_BUILT("proximityPlacementGroup|scheduledEventsPolicy"),
	AZ_READ_ONLY("statuses|virtualMachines|virtualMachineScaleSetMigrationInfo"),
};
static const struct params domain_params =
	PARAMS(struct domains, domain_rows, .object = "AvailabilitySetProperties");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct set_args, "properties", properties, domain_params,
		     .doc = "Fault domains and update domains."),
	AZ_KEPT("sku"),
	AZ_RESOURCE,
};
static const struct param near_property_rows[] = {
	NOT_BUILT("intent"),
	NOT_BUILT("proximityPlacementGroupType", .only = "Standard"),
	AZ_READ_ONLY("virtualMachines|virtualMachineScaleSets|availabilitySets|colocationStatus"),
};
static const struct params near_property_params =
	AZ_SHAPE(near_property_rows, .object = "ProximityPlacementGroupProperties");
static const struct param near_rows[] = {
	AZ_SHAPE_OBJECT("properties", near_property_params),
	NOT_BUILT("zones"),
	AZ_RESOURCE,
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct set_args *a = args;
	bool is_set_call = az_action_of(e)->type == AZ_AVAILABILITY_SETS;
	a->id = e->target;
	a->is_new = uuid_is_none(e->target);
	a->make = (struct server_group_wish){.name = e->put.name,
					     .policy = is_set_call ? SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY
								   : SERVER_GROUP_POLICY_AFFINITY};
	return OK;
}

static RESULT put(struct op *op, void *args)
{
	struct set_args *a = args;
	if (!a->is_new)
		return OK;
	TRY(engine_create_server_group(op, &a->make));
	a->id = a->make.server_group;
	return OK;
}

struct delete_args {
	struct server_group_target wish;
};

static RESULT prepare_delete(struct az_call *e, void *args)
{
	((struct delete_args *) args)->wish =
		(struct server_group_target){.server_group = az_target_ref(e), .must_be_empty = true};
	return OK;
}

#define SETS AZ_COMPUTE "/availabilitySets"
#define NEAR AZ_COMPUTE "/proximityPlacementGroups"
#define OF_ONE(verb, path, word, action, of, variable, ...)                                                  \
	{                                                                                                    \
		verb, AZ_GROUP path "/{" variable "}", .name = (word), .permit = (action), .type = (of),     \
						       .kind = KIND_SERVER_GROUP, .names = (variable),       \
						       __VA_ARGS__                                           \
	}
#define PUTS(path, word, of, variable, listing_of, rows, what, says, ...)                                    \
	OF_ONE(HTTP_PUT, path, word, "ec2:CreatePlacementGroup", of, variable, __VA_ARGS__,                  \
	       .args = PARAMS(struct set_args, rows, .object = (what)), .prepare = prepare,                  \
	       .operation = put, .returns = KIND_SERVER_GROUP, AZ_SUBJECT(struct set_args, id),              \
	       .shows = &(listing_of), .doc = (says))
#define FAULTS "properties.platformFaultDomainCount"
#define UPDATES "properties.platformUpdateDomainCount"
#define PATCHES(path, word, of, variable, listing_of, says)                                                  \
	OF_ONE(HTTP_PATCH, path, word, "ec2:CreateTags", of, variable, .flags = API_WRITES | AZ_PATCH,       \
	       .args = {0, 0, sizeof(struct tags_wish)}, .prepare = az_prepare_tags,                         \
	       .operation = engine_replace_tags_run, .returns = KIND_SERVER_GROUP, .shows = &(listing_of),   \
	       .doc = (says))
#define DELETES(path, word, of, variable, says)                                                              \
	OF_ONE(HTTP_DELETE, path, word, "ec2:DeletePlacementGroup", of, variable, .flags = API_WRITES,       \
	       .args = {0, 0, sizeof(struct delete_args)}, .prepare = prepare_delete,                        \
	       .operation = engine_delete_server_group_run, .returns = API_RETURNS_NOTHING_STORED,           \
	       .doc = (says))
#define LISTS(path, word, of, listing_of, names, says)                                                       \
	{                                                                                                    \
		HTTP_GET, path, .name = (word), .permit = "ec2:DescribePlacementGroups", .type = (of),       \
				.listing = &(listing_of), .query = (names), .doc = (says)                    \
	}
#define GETS(path, word, of, variable, listing_of, says)                                                     \
	OF_ONE(HTTP_GET, path, word, "ec2:DescribePlacementGroups", of, variable, .shows = &(listing_of),    \
	       .doc = (says))
static const struct az_action actions[] = {
	LISTS(AZ_SUBSCRIPTION SETS, "AvailabilitySets_ListBySubscription", AZ_AVAILABILITY_SETS, sets,
	      "$expand=virtualMachines/$ref", "Lists the subscription's availability sets."),
	LISTS(AZ_GROUP SETS, "AvailabilitySets_List", AZ_AVAILABILITY_SETS, sets, NULL,
	      "Lists a resource group's availability sets."),
	GETS(SETS, "AvailabilitySets_Get", AZ_AVAILABILITY_SETS, "availabilitySetName", sets,
	     "Gets one availability set."),
	PUTS(SETS, "AvailabilitySets_CreateOrUpdate", AZ_AVAILABILITY_SETS, "availabilitySetName", sets,
	     put_rows, "AvailabilitySet", "Creates an availability set.",
	     .flags = API_WRITES | AZ_PUT | AZ_IS_200, .keeps = "sku|" FAULTS "|" UPDATES,
	     .fixed = FAULTS ":platformFaultDomainCount|" UPDATES ":platformUpdateDomainCount"),
	PATCHES(SETS, "AvailabilitySets_Update", AZ_AVAILABILITY_SETS, "availabilitySetName", sets,
		"Changes an availability set's tags."),
	DELETES(SETS, "AvailabilitySets_Delete", AZ_AVAILABILITY_SETS, "availabilitySetName",
		"Deletes an availability set without virtual machines."),
	LISTS(AZ_SUBSCRIPTION NEAR, "ProximityPlacementGroups_ListBySubscription", AZ_PROXIMITY_GROUPS,
	      near_groups, NULL, "Lists the subscription's proximity placement groups."),
	LISTS(AZ_GROUP NEAR, "ProximityPlacementGroups_ListByResourceGroup", AZ_PROXIMITY_GROUPS, near_groups,
	      NULL, "Lists a resource group's proximity placement groups."),
	GETS(NEAR, "ProximityPlacementGroups_Get", AZ_PROXIMITY_GROUPS, "proximityPlacementGroupName",
	     near_groups, "Gets one proximity placement group."),
	PUTS(NEAR, "ProximityPlacementGroups_CreateOrUpdate", AZ_PROXIMITY_GROUPS,
	     "proximityPlacementGroupName", near_groups, near_rows, "ProximityPlacementGroup",
	     "Creates a proximity placement group.", .flags = API_WRITES | AZ_PUT),
	PATCHES(NEAR, "ProximityPlacementGroups_Update", AZ_PROXIMITY_GROUPS, "proximityPlacementGroupName",
		near_groups, "Changes a proximity placement group's tags."),
	DELETES(NEAR, "ProximityPlacementGroups_Delete", AZ_PROXIMITY_GROUPS, "proximityPlacementGroupName",
		"Deletes a proximity placement group without virtual machines."),
};
const struct api_actions az_availability_set_actions = API_ACTIONS(actions);
