/* SPDX-License-Identifier: Apache-2.0
 * listServiceOfferings: the instance types that the account may use. */
#include "api/cloudstack/core/action.h"
#include "engine/resolve.h"
#include "model/instance_type.h"
#include "store/instance.h"

enum { MIB_SHIFT = 20 };

struct list_offerings {
	struct cs_list_args list;
	int64_t cpus, memory;
	struct ref machine, project;
	enum choice is_system;
};
#define P(wire, member, ...) PARAM(struct list_offerings, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_offerings, KIND_INSTANCE_TYPE),
	CS_NAME_PARAM(struct list_offerings),
	CS_OWNER_PARAMS(struct list_offerings),
	CS_PROJECT_PARAM(struct list_offerings, project),
	P("cpunumber", cpus, .min = 1, .max = INT32_MAX, .doc = "At least so many."),
	P("memory", memory, .min = 1, .max = INT32_MAX, .doc = "At least so many MiB."),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE,
	  .doc = "Those that this machine can be changed to."),
	P("issystem", is_system, .doc = "Of system VMs, of which there are none."),
	NOT_BUILT("cpuspeed|systemvmtype|templateid|zoneid|vgpuprofileid"),
	NOT_BUILT("storagetype", .only = "local"),
	NOT_BUILT("encryptroot|gpuenabled", .only = "false"),
	NOT_BUILT("state", .only = "active"),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_offerings *a = args;
	const struct instance_type *type = instance_type_of(row);
	const struct instance *machine = instance_find(api_tables(e), a->machine.prefix);
	if (a->is_system == CHOICE_YES || !type->enabled)
		return false;
	if (ref_is_given(&a->machine) && (!machine || !engine_may_see(e->c, KIND_INSTANCE, &machine->row) ||
					  uuid_equal(machine->type, row->id)))
		return false;
	return type->vcpus >= a->cpus && type->memory >> MIB_SHIFT >= a->memory;
}

static const struct member members[] = {
	MEMBER(struct instance_type, "id", row.id),
	MEMBER(struct instance_type, "name", name),
	MEMBER(struct instance_type, "displaytext", description, .instead = FITS(instance_type, name)),
	MEMBER(struct instance_type, "cpunumber", vcpus),
	MEMBER_FIXED("cpuspeed", CS_CPU_SPEED_MHZ),
	MEMBER(struct instance_type, "memory", memory, .shift = MIB_SHIFT),
	MEMBER_AS(struct instance_type, TIME, "created", row.created_us),
	MEMBER_FIXED("storagetype", "\"local\""),
	MEMBER_FIXED("provisioningtype", "\"thin\""),
	MEMBER_FIXED("offerha|limitcpuuse|isvolatile|issystem|defaultuse|iscustomized|dynamicscalingenabled",
		     "false"),
	MEMBER_FIXED("state", "\"Active\""),
};

static const struct api_listing offerings = {KIND_INSTANCE_TYPE, offsetof(struct instance_type, name),
					     "serviceoffering",  .is_by_name = true,
					     .matches = matches, .members = MEMBERS(members)};
static const struct cs_action actions[] = {{
	.name = "listServiceOfferings",
	.permit = "ec2:DescribeInstanceTypes",
	.flags = CS_OF_ACCOUNT,
	.args = PARAMS(struct list_offerings, params),
	.listing = &offerings,
	.doc = "Service offerings.",
}};
const struct api_actions cs_offering_actions = API_ACTIONS(actions);
