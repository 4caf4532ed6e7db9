/* SPDX-License-Identifier: Apache-2.0
 * IPv6 addresses and prefixes of network interfaces: AssignIpv6Addresses, UnassignIpv6Addresses. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/network_interfaces.h"
#include "engine/network/port/port.h"

struct ec2_assign_ipv6 {
	struct port_assignment wish;
	struct strs prefixes;
};
#define P(wire, member, ...) PARAM(struct ec2_assign_ipv6, wire, member, __VA_ARGS__)
static const struct param assign_params[] = {
	P("NetworkInterfaceId", wish.port, .flags = REQUIRED, .kind = KIND_PORT,
	  .doc = "The network interface."),
	P("Ipv6Addresses", wish.ips, .flags = IPV6,
	  .doc = "IPv6 addresses to assign, from the subnet's IPv6 block."),
	P("Ipv6AddressCount", wish.more, .min = 0, .max = PORT_IPS_MAX,
	  .doc = "Number of free addresses to assign automatically, instead of naming them."),
	P("Ipv6PrefixCount", wish.prefixes.more, .min = 0, .max = PORT_IPS_MAX,
	  .doc = "Number of free /80 prefixes to assign automatically."),
	P("Ipv6Prefix", prefixes, .max = 64, .doc = "Prefixes to assign, instead of a number."),
};
#undef P
struct ec2_unassign_ipv6 {
	struct port_unassignment wish;
	struct strs prefixes;
};
#define P(wire, member, ...) PARAM(struct ec2_unassign_ipv6, wire, member, __VA_ARGS__)
static const struct param unassign_params[] = {
	P("NetworkInterfaceId", wish.port, .flags = REQUIRED, .kind = KIND_PORT,
	  .doc = "The network interface."),
	P("Ipv6Addresses", wish.ips, .flags = IPV6, .doc = "IPv6 addresses to unassign."),
	P("Ipv6Prefix", prefixes, .max = 64, .doc = "Prefixes to unassign."),
};
#undef P

static RESULT prepare_assign(struct ec2_call *e, void *args)
{
	struct ec2_assign_ipv6 *a = args;
	struct port_assignment *wish = &a->wish;
	wish->field = STR("Ipv6Addresses");
	wish->prefixes.field = a->prefixes.count ? STR("Ipv6Prefix") : STR("Ipv6PrefixCount");
	wish->is_ipv6 = true;
	int count = (wish->ips.count > 0) + (wish->more > 0) + (a->prefixes.count > 0) +
		    (wish->prefixes.more > 0);
	if (count != 1)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Ipv6Addresses"),
				      "You must specify either Ipv6Addresses or Ipv6AddressCount, or "
				      "Ipv6Prefix, or Ipv6PrefixCount");
	return ec2_read_prefixes(e, a->prefixes, STR("Ipv6Prefix"), IP_V6, &wish->prefixes.named);
}

static RESULT prepare_unassign(struct ec2_call *e, void *args)
{
	struct ec2_unassign_ipv6 *a = args;
	a->wish.field = STR("Ipv6Addresses");
	a->wish.prefix_field = STR("Ipv6Prefix");
	a->wish.is_ipv6 = true;
	if (a->wish.ips.count == 0 && a->prefixes.count == 0)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Ipv6Addresses"),
				      "The request must contain the parameter ipv6Addresses");
	return ec2_read_prefixes(e, a->prefixes, STR("Ipv6Prefix"), IP_V6, &a->wish.prefixes);
}

static void write_prefixes(struct xml *x, const char *set, struct cidrs blocks)
{
	if (blocks.count == 0)
		return;
	xml_open(x, set);
	for (size_t k = 0; k < blocks.count; k++)
		ec2_write_cidr(x, "item", blocks.at[k]);
	xml_close(x, set);
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
	const struct port_assignment *wish = &((const struct ec2_assign_ipv6 *) args)->wish;
	(void) e;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, wish->assigned_to);
	write_ips(x, "assignedIpv6Addresses", wish->made);
	write_prefixes(x, "assignedIpv6PrefixSet", wish->made_prefixes);
	return OK;
}

static RESULT ec2_unassign_ipv6_addresses(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct port_unassignment *wish = &((const struct ec2_unassign_ipv6 *) args)->wish;
	(void) e;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, wish->unassigned_from);
	write_ips(x, "unassignedIpv6Addresses", wish->ips);
	write_prefixes(x, "unassignedIpv6PrefixSet", wish->prefixes);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("AssignIpv6Addresses"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_assign_ipv6, assign_params), .prepare = prepare_assign,
	 .operation = engine_assign_ips_run, .answer = ec2_assign_ipv6_addresses,
	 .doc = "Assigns IPv6 addresses or prefixes to a network interface."},
	{EC2_ACTION("UnassignIpv6Addresses"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_unassign_ipv6, unassign_params), .prepare = prepare_unassign,
	 .operation = engine_unassign_ips_run, .answer = ec2_unassign_ipv6_addresses,
	 .doc = "Unassigns IPv6 addresses or prefixes from a network interface."},
};
const struct api_actions ec2_ipv6_address_actions = API_ACTIONS(actions);
