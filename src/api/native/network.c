/* SPDX-License-Identifier: Apache-2.0
 * Changes of networks: VPCs, subnets, gateways, routes, ACLs, peerings, ports and addresses.
 */
#include "api/native/write.h"

#include "engine/network/address/address.h"
#include "engine/network/dhcp_options.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/subnet.h"
#include "engine/tag.h"
#include "store/network_acl_entry.h"
#include "store/port.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/subnet.h"

#define NAMED(T)                                                                                             \
	PARAM(struct T, "name", name, .max = 255, .doc = "Name."),                                           \
		PARAM(struct T, "description", description, .max = 255, .doc = "Description: free text.")
#define TAGS(T) PARAM(struct T, "tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags.")

/* ---- VPCs and subnets ---- */

static const struct param router_params[] = {
	NAMED(router_wish),
	PARAM(struct router_wish, "block", block, .flags = REQUIRED,
	      .doc = "CIDR block, such as 10.0.0.0/16."),
	TAGS(router_wish),
};
static const struct param router_change_params[] = {
	NAMED(router_settings),
	PARAM(struct router_settings, "dns_support", dns_support,
	      .doc = "DNS resolution: guests receive a name server by DHCP."),
	PARAM(struct router_settings, "dns_hostnames", dns_hostnames,
	      .doc = "DNS hostnames: instances get public names."),
};
static const struct param block_params[] = {
	PARAM(struct router_block_wish, "block", block, .flags = REQUIRED, .doc = "Additional CIDR block."),
};
static const struct param subnet_params[] = {
	REF(subnet_wish, "router", router, ROUTER, .flags = REQUIRED, .doc = "VPC of the subnet."),
	PARAM(struct subnet_wish, "block", block, .flags = REQUIRED, .doc = "CIDR block."),
	REF(subnet_wish, "zone", zone, ZONE, .doc = "Availability Zone; absent: the first."),
	PARAM(struct subnet_wish, "name", name, .max = 255, .doc = "Name."),
	PARAM(struct subnet_wish, "public_on_launch", public_on_launch,
	      .doc = "Whether instances launched in the subnet get a public address."),
	TAGS(subnet_wish),
};
static const struct param subnet_change_params[] = {
	NAMED(subnet_settings),
	PARAM(struct subnet_settings, "public_on_launch", public_on_launch,
	      .doc = "Whether instances launched in the subnet get a public address."),
};
static const struct param network_params[] = {
	NAMED(network_wish),
	PARAM(struct network_wish, "mtu", mtu, .min = NETWORK_MTU_MIN, .max = NETWORK_MTU_MAX,
	      .doc = "MTU; absent: the largest possible."),
	TAGS(network_wish),
};
static const struct param network_change_params[] = {
	NAMED(network_settings),
	PARAM(struct network_settings, "is_down", is_down, .doc = "Disables the network: no packets pass."),
};

/* ---- ways out ---- */

static const struct param gateway_params[] = {TAGS(gateway_wish)};
static const struct param attachment_params[] = {
	REF(gateway_attachment, "router", router, ROUTER, .flags = REQUIRED, .doc = "The VPC."),
};
static const struct param egress_params[] = {
	REF(egress_gateway_wish, "router", router, ROUTER, .flags = REQUIRED, .doc = "The VPC."),
	TAGS(egress_gateway_wish),
};
static const struct param nat_params[] = {
	REF(nat_gateway_wish, "subnet", subnet, SUBNET, .flags = REQUIRED,
	    .doc = "Subnet of the NAT gateway."),
	REF(nat_gateway_wish, "address", address, ADDRESS,
	    .doc = "Public address; absent: a private NAT gateway."),
	TAGS(nat_gateway_wish),
};

/* ---- routes ---- */

static const struct param table_params[] = {
	REF(route_table_wish, "router", router, ROUTER, .flags = REQUIRED, .doc = "The VPC."),
	TAGS(route_table_wish),
};
static const struct param use_params[] = {
	REF(route_table_association, "subnet", subnet, SUBNET, .doc = "Associated subnet."),
	REF(route_table_association, "gateway", gateway, GATEWAY, .doc = "Gateway, instead of a subnet."),
};
/* The engine identifies a subnet's use of a route table by an association. A subnet with the main table
 * has none. */
struct table_use {
	struct route_table_association wish;
	struct ref table, subnet;
};
static const struct param table_use_params[] = {
	REF(table_use, "subnet", subnet, SUBNET, .flags = REQUIRED,
	    .doc = "Subnet whose association is removed."),
};

static RESULT find_use(struct op *op, struct table_use *a, const struct subnet **ret_subnet)
{
	TRY(engine_find_own_subnet(op->ctx, op->head, &a->subnet, ret_subnet));
	if (uuid_is_none((*ret_subnet)->route_table))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SUBNET, "It uses the main route table.");
	a->wish.association =
		(struct ref){.prefix = (*ret_subnet)->route_association, .bits = 128, .field = STR("subnet")};
	return OK;
}

static RESULT replace_table(struct op *op, void *args)
{
	struct table_use *a = args;
	const struct subnet *subnet = NULL;
	TRY(find_use(op, a, &subnet));
	a->wish.route_table = a->table;
	return engine_replace_route_table(op, &a->wish);
}

static RESULT disassociate_table(struct op *op, void *args)
{
	struct table_use *a = args;
	const struct subnet *subnet = NULL;
	const struct route_table *table = NULL;
	TRY(find_use(op, a, &subnet));
	TRY(engine_find_own_route_table(op->ctx, op->head, &a->table, &table));
	if (!uuid_equal(subnet->route_table, table->row.id))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_SUBNET, "It uses another route table.");
	return engine_disassociate_route_table(op, &a->wish);
}

#define ROUTE_PARAMS                                                                                         \
	PARAM(struct route_wish, "destination", destination, .flags = REQUIRED,                              \
	      .doc = "Destination, such as 0.0.0.0/0."),                                                     \
		REF(route_wish, "gateway", gateway, GATEWAY,                                                 \
		    .doc = "Target: an internet gateway. A route has exactly one target."),                  \
		REF(route_wish, "nat_gateway", nat_gateway, NAT_GATEWAY, .doc = "Target: a NAT gateway."),   \
		REF(route_wish, "egress_gateway", egress_gateway, EGRESS_GATEWAY,                            \
		    .doc = "Target: an egress-only internet gateway."),                                      \
		REF(route_wish, "peering", peering, PEERING, .doc = "Target: a peering connection."),        \
		REF(route_wish, "instance", instance, INSTANCE,                                              \
		    .doc = "Target: the only network interface of an instance."),                            \
		REF(route_wish, "port", port, PORT, .doc = "Target: a network interface.")
static const struct param route_params[] = {
	REF(route_wish, "table", route_table, ROUTE_TABLE, .flags = REQUIRED, .doc = "The route table."),
	ROUTE_PARAMS,
};

/* Routes have ids here; the engine identifies a route by table and destination. */
struct route_args {
	struct route_wish wish;
	struct ref route;
};

static RESULT delete_route(struct op *op, void *args)
{
	struct route_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_ROUTE, &a->route, &row));
	a->wish.route_table = ref_by_id(KIND_ROUTE_TABLE, route_of(row)->table);
	a->wish.destination = route_of(row)->destination;
	return engine_delete_route(op, &a->wish);
}

/* ---- ACLs ---- */

static const struct param acl_params[] = {
	REF(network_acl_wish, "router", router, ROUTER, .flags = REQUIRED, .doc = "The VPC."),
	NAMED(network_acl_wish),
	TAGS(network_acl_wish),
};
struct entry_args {
	struct network_acl_entry_wish wish;
	struct ref entry;
	struct cidr block;
};
static const struct param entry_params[] = {
	REF(entry_args, "acl", wish.acl, NETWORK_ACL, .flags = REQUIRED, .doc = "The network ACL."),
	PARAM(struct entry_args, "egress", wish.egress, .doc = "True: outbound; false: inbound."),
	PARAM(struct entry_args, "number", wish.number, .min = 1, .max = NETWORK_ACL_NUMBER_MAX,
	      .flags = REQUIRED, .doc = "Rule number. The matching entry with the lowest number decides."),
	PARAM(struct entry_args, "allows", wish.allows, .flags = REQUIRED,
	      .doc = "True: allow; false: deny."),
	PARAM(struct entry_args, "protocol", wish.protocol, .min = -1, .max = 255, .absent = "-1",
	      .doc = "Protocol: 6 for TCP, 17 for UDP, -1 for all."),
	PARAM(struct entry_args, "from_port", wish.from_port, .min = -1, .max = 65535, .absent = "-1",
	      .doc = "First port, or ICMP type."),
	PARAM(struct entry_args, "to_port", wish.to_port, .min = -1, .max = 65535, .absent = "-1",
	      .doc = "Last port, or ICMP code."),
	PARAM(struct entry_args, "block", block, .flags = REQUIRED, .doc = "Source or destination block."),
	PARAM(struct entry_args, "description", wish.description, .max = 255,
	      .doc = "Description: free text."),
};

static RESULT prepare_entry(struct native_call *e, void *args)
{
	struct entry_args *a = args;
	(void) e;
	a->wish.blocks = (struct cidrs){&a->block, 1};
	return OK;
}

static RESULT delete_entry(struct op *op, void *args)
{
	struct entry_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_NETWORK_ACL_ENTRY, &a->entry, &row));
	a->wish.acl = ref_by_id(KIND_NETWORK_ACL, network_acl_entry_of(row)->acl);
	a->wish.egress = network_acl_entry_of(row)->egress;
	a->wish.number = network_acl_entry_of(row)->number;
	return engine_delete_network_acl_entry(op, &a->wish);
}

/* Replaces a subnet's ACL by the association that the engine identifies it by. */
struct acl_use {
	struct network_acl_association wish;
	struct ref subnet;
};
static const struct param acl_use_params[] = {
	REF(acl_use, "subnet", subnet, SUBNET, .flags = REQUIRED, .doc = "Subnet that uses the network ACL."),
};

static RESULT use_acl(struct op *op, void *args)
{
	struct acl_use *a = args;
	const struct subnet *subnet = NULL;
	TRY(engine_find_own_subnet(op->ctx, op->head, &a->subnet, &subnet));
	a->wish.association =
		(struct ref){.prefix = subnet->acl_association, .bits = 128, .field = STR("subnet")};
	return engine_replace_network_acl_association(op, &a->wish);
}

/* ---- peerings ---- */

static const struct param peering_params[] = {
	REF(peering_wish, "router", router, ROUTER, .flags = REQUIRED, .doc = "Requester VPC."),
	REF(peering_wish, "peer_router", peer_router, ROUTER, .flags = REQUIRED, .doc = "Accepter VPC."),
	PARAM(struct peering_wish, "peer_account", peer_owner, .max = 12,
	      .doc = "Number of the accepter's account, if it is another one."),
	TAGS(peering_wish),
};
#define PEERING(verb, permission, run, text)                                                                 \
	CHANGE(POST, "/peerings/{id}/" verb, permission, PEERING,                                            \
	       .args = {.size = sizeof(struct peering_target)},                                              \
	       .target = NATIVE_AT(peering_target, peering), .operation = (run), .doc = (text))

/* ---- ports ---- */

static const struct param port_params[] = {
	REF(port_wish, "subnet", subnet, SUBNET, .flags = REQUIRED, .doc = "Subnet of the interface."),
	PARAM(struct port_wish, "groups", groups, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security groups; absent: the VPC's default group."),
	PARAM(struct port_wish, "ip", ips.primary, .doc = "Private address; absent: any free one."),
	NAMED(port_wish),
	TAGS(port_wish),
};
static const struct param port_change_params[] = {
	PARAM(struct port_settings, "name", name, .max = 255, .doc = "Name."),
	PARAM(struct port_settings, "groups", groups, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security groups of the interface."),
	PARAM(struct port_settings, "source_dest_check", source_dest_check,
	      .doc = "Source/destination check."),
	PARAM(struct port_settings, "is_down", is_down, .doc = "Disables the interface: no packets pass."),
};
static const struct param plug_params[] = {
	REF(port_attaching, "instance", instance, INSTANCE, .flags = REQUIRED,
	    .doc = "Instance that gets the interface."),
	PARAM(struct port_attaching, "device_index", device_index, .min = 0, .max = PORT_DEVICE_INDEX_MAX,
	      .flags = REQUIRED, .doc = "Device index on the instance."),
};
struct unplug_args {
	struct port_detaching wish;
	struct ref port;
};
static const struct param unplug_params[] = {
	PARAM(struct unplug_args, "force", wish.force,
	      .doc = "Detaches even if the guest does not release the device."),
};

static RESULT unplug(struct op *op, void *args)
{
	struct unplug_args *a = args;
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &a->port, &port));
	if (uuid_is_none(port->attachment))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PORT, "It is in no instance.");
	a->wish.attachment = (struct ref){.prefix = port->attachment, .bits = 128, .field = STR("id")};
	return engine_detach_port(op, &a->wish);
}

/* ---- public addresses ---- */

static const struct param address_params[] = {
	REF(address_wish, "external_network", external_network, EXTERNAL_NETWORK,
	    .doc = "External network; absent: any."),
	PARAM(struct address_wish, "ip", ip, .doc = "Requested address; absent: any free one."),
	PARAM(struct address_wish, "description", description, .max = 255, .doc = "Description: free text."),
	TAGS(address_wish),
};
static const struct param associate_params[] = {
	REF(address_association, "instance", instance, INSTANCE,
	    .doc = "Instance whose only interface gets the address."),
	REF(address_association, "port", port, PORT,
	    .doc = "Interface that gets the address, instead of an instance."),
	PARAM(struct address_association, "private_ip", private_ip,
	      .doc = "Private address of the interface; absent: the first."),
	PARAM(struct address_association, "allow_reassociation", allow_reassociation,
	      .doc = "Whether an address that is already associated may be moved."),
};
static const struct param release_params[] = {
	PARAM(struct address_target, "force", with_association,
	      .doc = "Releases the address even if it is associated."),
};

static const struct native_action actions[] = {
	CREATE("/routers", "ec2:CreateVpc", ROUTER, .args = PARAMS(struct router_wish, router_params),
	       .operation = engine_create_router_run, .doc = "Creates a VPC."),
	CHANGE(PATCH, "/routers/{id}", "ec2:ModifyVpcAttribute", ROUTER,
	       .args = PARAMS(struct router_settings, router_change_params),
	       .target = NATIVE_AT(router_settings, router), .operation = engine_update_router_run,
	       .doc = "Changes a VPC."),
	CHANGE(POST, "/routers/{id}/add-block", "ec2:AssociateVpcCidrBlock", ROUTER,
	       .args = PARAMS(struct router_block_wish, block_params),
	       .target = NATIVE_AT(router_block_wish, router), .operation = engine_add_router_block_run,
	       .doc = "Adds a CIDR block to a VPC."),
	DELETION("/routers/{id}", "ec2:DeleteVpc", ROUTER, router_target, router, engine_delete_router_run,
		 .doc = "Deletes a VPC."),
	CREATE("/subnets", "ec2:CreateSubnet", SUBNET, .args = PARAMS(struct subnet_wish, subnet_params),
	       .operation = engine_create_subnet_run, .doc = "Creates a subnet in a VPC."),
	CHANGE(PATCH, "/subnets/{id}", "ec2:ModifySubnetAttribute", SUBNET,
	       .args = PARAMS(struct subnet_settings, subnet_change_params),
	       .target = NATIVE_AT(subnet_settings, subnet), .operation = engine_update_subnet_run,
	       .doc = "Changes a subnet."),
	DELETION("/subnets/{id}", "ec2:DeleteSubnet", SUBNET, subnet_target, subnet, engine_delete_subnet_run,
		 .doc = "Deletes a subnet."),
	CREATE("/networks", "ec2:CreateNetwork", NETWORK, .args = PARAMS(struct network_wish, network_params),
	       .operation = engine_create_network_run, .doc = "Creates a network without a VPC."),
	CHANGE(PATCH, "/networks/{id}", "ec2:ModifyNetwork", NETWORK,
	       .args = PARAMS(struct network_settings, network_change_params),
	       .target = NATIVE_AT(network_settings, network), .operation = engine_update_network_run,
	       .doc = "Changes a network."),
	DELETION("/networks/{id}", "ec2:DeleteNetwork", NETWORK, network_target, network,
		 engine_delete_network_run, .doc = "Deletes a network."),
	CREATE("/gateways", "ec2:CreateInternetGateway", GATEWAY,
	       .args = PARAMS(struct gateway_wish, gateway_params), .operation = engine_create_gateway_run,
	       .doc = "Creates an internet gateway."),
	CHANGE(POST, "/gateways/{id}/attach", "ec2:AttachInternetGateway", GATEWAY,
	       .args = PARAMS(struct gateway_attachment, attachment_params),
	       .target = NATIVE_AT(gateway_attachment, gateway), .operation = engine_attach_gateway_run,
	       .doc = "Attaches an internet gateway to a VPC."),
	CHANGE(POST, "/gateways/{id}/detach", "ec2:DetachInternetGateway", GATEWAY,
	       .args = PARAMS(struct gateway_attachment, attachment_params),
	       .target = NATIVE_AT(gateway_attachment, gateway), .operation = engine_detach_gateway_run,
	       .doc = "Detaches an internet gateway from its VPC."),
	DELETION("/gateways/{id}", "ec2:DeleteInternetGateway", GATEWAY, gateway_target, gateway,
		 engine_delete_gateway_run, .doc = "Deletes an internet gateway."),
	CREATE("/egress-gateways", "ec2:CreateEgressOnlyInternetGateway", EGRESS_GATEWAY,
	       .args = PARAMS(struct egress_gateway_wish, egress_params),
	       .operation = engine_create_egress_gateway_run,
	       .doc = "Creates an egress-only internet gateway."),
	DELETION("/egress-gateways/{id}", "ec2:DeleteEgressOnlyInternetGateway", EGRESS_GATEWAY,
		 egress_gateway_target, gateway, engine_delete_egress_gateway_run,
		 .doc = "Deletes an egress-only internet gateway."),
	CREATE("/nat-gateways", "ec2:CreateNatGateway", NAT_GATEWAY,
	       .args = PARAMS(struct nat_gateway_wish, nat_params),
	       .operation = engine_create_nat_gateway_run, .doc = "Creates a NAT gateway."),
	DELETION("/nat-gateways/{id}", "ec2:DeleteNatGateway", NAT_GATEWAY, nat_gateway_target, nat_gateway,
		 engine_delete_nat_gateway_run, .doc = "Deletes a NAT gateway."),
	CREATE("/route-tables", "ec2:CreateRouteTable", ROUTE_TABLE,
	       .args = PARAMS(struct route_table_wish, table_params),
	       .operation = engine_create_route_table_run, .doc = "Creates a route table."),
	CHANGE_OF(POST, "/route-tables/{id}/associate", "ec2:AssociateRouteTable", ROUTE_TABLE, KIND_SUBNET,
		  .args = PARAMS(struct route_table_association, use_params),
		  .target = NATIVE_AT(route_table_association, route_table),
		  .operation = engine_associate_route_table_run,
		  .doc = "Associates a route table with a subnet or a gateway."),
	CHANGE_OF(POST, "/route-tables/{id}/replace", "ec2:ReplaceRouteTableAssociation", ROUTE_TABLE,
		  KIND_SUBNET, .args = PARAMS(struct table_use, table_use_params),
		  .target = NATIVE_AT(table_use, table), .operation = replace_table,
		  .doc = "Associates a subnet with another route table."),
	CHANGE_OF(POST, "/route-tables/{id}/disassociate", "ec2:DisassociateRouteTable", ROUTE_TABLE,
		  KIND_SUBNET, .args = PARAMS(struct table_use, table_use_params),
		  .target = NATIVE_AT(table_use, table), .operation = disassociate_table,
		  .doc = "Disassociates a subnet, which then uses the main route table."),
	DELETION("/route-tables/{id}", "ec2:DeleteRouteTable", ROUTE_TABLE, route_table_target, route_table,
		 engine_delete_route_table_run, .doc = "Deletes a route table with its routes."),
	CREATE("/routes", "ec2:CreateRoute", ROUTE, .args = PARAMS(struct route_wish, route_params),
	       .operation = engine_create_route_run, .doc = "Adds a route."),
	{.method = HTTP_PUT,
	 .path = "/routes",
	 .permit = "ec2:ReplaceRoute",
	 .flags = API_WRITES,
	 .returns = KIND_ROUTE,
	 .args = PARAMS(struct route_wish, route_params),
	 .operation = engine_replace_route_run,
	 .doc = "Replaces the target of a route."},
	CHANGE_MANY(DELETE, "/routes/{id}", "ec2:DeleteRoute", ROUTE,
		    .args = {.size = sizeof(struct route_args)}, .target = NATIVE_AT(route_args, route),
		    .operation = delete_route, .doc = "Deletes a route."),
	CREATE("/network-acls", "ec2:CreateNetworkAcl", NETWORK_ACL,
	       .args = PARAMS(struct network_acl_wish, acl_params),
	       .operation = engine_create_network_acl_run,
	       .doc = "Creates a network ACL, which denies all traffic."),
	CHANGE_OF(POST, "/network-acls/{id}/associate", "ec2:ReplaceNetworkAclAssociation", NETWORK_ACL,
		  KIND_SUBNET, .args = PARAMS(struct acl_use, acl_use_params),
		  .target = NATIVE_AT(acl_use, wish.acl), .operation = use_acl,
		  .doc = "Associates a network ACL with a subnet."),
	DELETION("/network-acls/{id}", "ec2:DeleteNetworkAcl", NETWORK_ACL, network_acl_target, acl,
		 engine_delete_network_acl_run, .doc = "Deletes a network ACL."),
	CREATE("/network-acl-entries", "ec2:CreateNetworkAclEntry", NETWORK_ACL_ENTRY,
	       .args = PARAMS(struct entry_args, entry_params), .prepare = prepare_entry,
	       .operation = engine_create_network_acl_entry_run, .doc = "Adds an entry to a network ACL."),
	CHANGE_MANY(DELETE, "/network-acl-entries/{id}", "ec2:DeleteNetworkAclEntry", NETWORK_ACL_ENTRY,
		    .args = {.size = sizeof(struct entry_args)}, .target = NATIVE_AT(entry_args, entry),
		    .operation = delete_entry, .doc = "Deletes an entry of a network ACL."),
	CREATE("/peerings", "ec2:CreateVpcPeeringConnection", PEERING,
	       .args = PARAMS(struct peering_wish, peering_params), .operation = engine_create_peering_run,
	       .doc = "Requests a peering connection."),
	PEERING("accept", "ec2:AcceptVpcPeeringConnection", engine_accept_peering_run,
		"Accepts a peering request."),
	PEERING("reject", "ec2:RejectVpcPeeringConnection", engine_reject_peering_run,
		"Rejects a peering request."),
	DELETION("/peerings/{id}", "ec2:DeleteVpcPeeringConnection", PEERING, peering_target, peering,
		 engine_delete_peering_run, .doc = "Deletes a peering connection."),
	CREATE("/ports", "ec2:CreateNetworkInterface", PORT, .args = PARAMS(struct port_wish, port_params),
	       .operation = engine_create_port_run, .doc = "Creates a network interface."),
	CHANGE(PATCH, "/ports/{id}", "ec2:ModifyNetworkInterfaceAttribute", PORT,
	       .args = PARAMS(struct port_settings, port_change_params),
	       .target = NATIVE_AT(port_settings, port), .operation = engine_update_port_run,
	       .doc = "Changes a network interface."),
	CHANGE(POST, "/ports/{id}/attach", "ec2:AttachNetworkInterface", PORT,
	       .args = PARAMS(struct port_attaching, plug_params), .target = NATIVE_AT(port_attaching, port),
	       .operation = engine_attach_port_run, .doc = "Attaches a network interface to an instance."),
	CHANGE(POST, "/ports/{id}/detach", "ec2:DetachNetworkInterface", PORT,
	       .args = PARAMS(struct unplug_args, unplug_params), .target = NATIVE_AT(unplug_args, port),
	       .operation = unplug, .doc = "Detaches a network interface."),
	DELETION("/ports/{id}", "ec2:DeleteNetworkInterface", PORT, port_target, port, engine_delete_port_run,
		 .doc = "Deletes a network interface."),
	CREATE("/addresses", "ec2:AllocateAddress", ADDRESS,
	       .args = PARAMS(struct address_wish, address_params), .operation = engine_allocate_address_run,
	       .doc = "Allocates a public address."),
	CHANGE(POST, "/addresses/{id}/associate", "ec2:AssociateAddress", ADDRESS,
	       .args = PARAMS(struct address_association, associate_params),
	       .target = NATIVE_AT(address_association, address), .operation = engine_associate_address_run,
	       .doc = "Associates a public address with an instance or a network interface."),
	CHANGE_MANY(POST, "/addresses/{id}/disassociate", "ec2:DisassociateAddress", ADDRESS,
		    .args = {.size = sizeof(struct address_association)},
		    .target = NATIVE_AT(address_association, address),
		    .operation = engine_disassociate_address_run, .doc = "Disassociates a public address."),
	CHANGE_MANY(DELETE, "/addresses/{id}", "ec2:ReleaseAddress", ADDRESS,
		    .args = PARAMS(struct address_target, release_params),
		    .target = NATIVE_AT(address_target, address), .operation = engine_release_address_run,
		    .doc = "Releases a public address."),
};
const struct api_actions native_network_actions = API_ACTIONS(actions);
