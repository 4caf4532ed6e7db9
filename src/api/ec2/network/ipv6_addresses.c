/* SPDX-License-Identifier: Apache-2.0
 * IPv6 addresses of network interfaces: AssignIpv6Addresses, UnassignIpv6Addresses. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/port.h"

#define P(wire, member, ...) PARAM(struct port_assignment, wire, member, __VA_ARGS__)
static const struct param assign_params[] = {
	P("NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT, .doc = "The interface."),
	P("Ipv6Addresses", ips, .flags = IPV6, .doc = "Addresses of its subnet's IPv6 block."),
	P("Ipv6AddressCount", more, .min = 0, .max = PORT_IPS_MAX, .doc = "Or as many that are free."),
	NOT_BUILT("Ipv6PrefixCount", .only = "0"),
	NOT_BUILT("Ipv6Prefix"),
};
#undef P
#define P(wire, member, ...) PARAM(struct port_unassignment, wire, member, __VA_ARGS__)
static const struct param unassign_params[] = {
	P("NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT, .doc = "The interface."),
	P("Ipv6Addresses", ips, .flags = REQUIRED | IPV6, .doc = "IPv6 addresses of it."),
	NOT_BUILT("Ipv6Prefix"),
};
#undef P

static RESULT prepare_assign(struct ec2_call *e, void *args)
{
	struct port_assignment *wish = args;
	wish->field = STR("Ipv6Addresses");
	wish->is_ipv6 = true;
	if ((wish->ips.count > 0) == (wish->more > 0))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Ipv6Addresses"),
				      "You must specify either Ipv6Addresses or Ipv6AddressCount");
	return OK;
}

static RESULT prepare_unassign(struct ec2_call *e, void *args)
{
	struct port_unassignment *wish = args;
	(void) e;
	wish->field = STR("Ipv6Addresses");
	wish->is_ipv6 = true;
	return OK;
}

static void write_ips(struct xml *x, const char *set, struct ips ips)
{
	xml_open(x, set);
	for (size_t k = 0; k < ips.count; k++)
		ec2_write_ip(x, "item", ips.at[k]);
	xml_close(x, set);
}

static RESULT ec2_assign_ipv6_addresses(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct port_assignment *wish = args;
	(void) e;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, wish->assigned_to);
	write_ips(x, "assignedIpv6Addresses", wish->made);
	return OK;
}

static RESULT ec2_unassign_ipv6_addresses(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct port_unassignment *wish = args;
	(void) e;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, wish->unassigned_from);
	write_ips(x, "unassignedIpv6Addresses", wish->ips);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("AssignIpv6Addresses"), .flags = API_WRITES,
	 .args = PARAMS(struct port_assignment, assign_params), .prepare = prepare_assign,
	 .operation = engine_assign_ips_run, .answer = ec2_assign_ipv6_addresses,
	 .doc = "Gives an interface IPv6 addresses."},
	{EC2_ACTION("UnassignIpv6Addresses"), .flags = API_WRITES,
	 .args = PARAMS(struct port_unassignment, unassign_params), .prepare = prepare_unassign,
	 .operation = engine_unassign_ips_run, .answer = ec2_unassign_ipv6_addresses,
	 .doc = "Takes IPv6 addresses from an interface."},
};
const struct api_actions ec2_ipv6_address_actions = API_ACTIONS(actions);
