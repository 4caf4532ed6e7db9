/* SPDX-License-Identifier: Apache-2.0
 * assignVirtualMachine: moves a stopped machine and its disks to another account. Failures of limits and
 * permissions keep their codes; CloudStack answers 530. Source: API reference, "assignVirtualMachine", 4.18
 * to 4.20.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance.h"

enum { NETWORKS_MAX = 8, GROUPS_MAX = 16 };

struct assign_args {
	struct instance_assigning wish;
	struct cs_owner taker;
	struct refs networks, groups;
};
#define P(wire, member, ...) PARAM(struct assign_args, wire, member, __VA_ARGS__)
static const struct param params[] = {
	P("virtualmachineid", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "A stopped virtual machine."),
	CS_FOR_PARAMS(struct assign_args, taker),
	P("networkids", networks, .kind = KIND_NETWORK, .max = NETWORKS_MAX,
	  .doc = "Networks of the new NICs, the default first. Absent: the present ones if the account may "
		 "use them, else the account's default network."),
	P("securitygroupids", groups, .kind = KIND_SECURITY_GROUP, .max = GROUPS_MAX,
	  .doc = "Security groups; empty: the default one."),
};
#undef P

static RESULT prepare(struct cs_call *e, void *args)
{
	struct assign_args *a = args;
	size_t count = a->networks.count ? a->networks.count : 1;
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, count);
	if (!ports)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < count; k++) {
		ports[k] = (struct launch_port){.groups = a->groups,
						.may_lack_ip = true,
						.device_index = (int64_t) k,
						.field = STR("networkids")};
		if (k < a->networks.count)
			ports[k].network = a->networks.at[k];
	}
	a->wish.ports = ports;
	a->wish.port_count = count;
	return cs_find_taker(e, &a->wish.account);
}

static const struct cs_action actions[] = {
	{CS_ACTION("assignVirtualMachine", "ec2:AssignInstances"), .flags = API_WRITES,
	 .args = PARAMS(struct assign_args, params), .prepare = prepare,
	 .operation = engine_assign_instance_run, .returns = KIND_INSTANCE,
	 CS_SUBJECT(struct assign_args, wish.instance.prefix), .shows = &cs_machines,
	 .doc = "Assigns a stopped virtual machine to another account."},
};
const struct api_actions cs_assign_actions = API_ACTIONS(actions);
