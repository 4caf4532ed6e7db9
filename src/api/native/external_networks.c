/* SPDX-License-Identifier: Apache-2.0
 * External networks and their public address ranges. For administrators.
 */
#include "api/native/write.h"

#include "engine/network/external_network.h"

#define N(name, member, ...) PARAM(struct external_network_wish, name, member, __VA_ARGS__)
static const struct param network_params[] = {
	N("name", name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Name; unique."),
	N("physical_network", physical_network, .min = 1, .max = 255, .flags = REQUIRED,
	  .doc = "Key of the network in the hosts' ovn-bridge-mappings."),
	N("next_hop", next_hop, .flags = REQUIRED, .doc = "Address of the upstream router."),
	N("infra_first", infra_first, .flags = REQUIRED, .doc = "First address for the routers' own ports."),
	N("infra_last", infra_last, .flags = REQUIRED, .doc = "Last address for the routers' own ports."),
	N("first", first, .doc = "First public address to assign; absent: none yet."),
	N("last", last, .doc = "Last public address to assign."),
};
static const struct param default_params[] = {
	PARAM(struct external_default_wish, "is_default", is_default, .flags = REQUIRED,
	      .doc = "Makes the network the region's default."),
};
static const struct param range_params[] = {
	PARAM(struct address_range_wish, "external_network", external_network, .kind = KIND_EXTERNAL_NETWORK,
	      .flags = REQUIRED, .doc = "External network, by name or id."),
	PARAM(struct address_range_wish, "first", first, .flags = REQUIRED, .doc = "First public address."),
	PARAM(struct address_range_wish, "last", last, .flags = REQUIRED, .doc = "Last public address."),
};
static const struct param gateway_params[] = {
	PARAM(struct gateway_range_wish, "first", first, .flags = REQUIRED,
	      .doc = "First address for the routers' own ports."),
	PARAM(struct gateway_range_wish, "last", last, .flags = REQUIRED,
	      .doc = "Last address for the routers' own ports."),
};
static const struct param ipv6_params[] = {
	PARAM(struct external_ipv6_wish, "pool", pool, .flags = REQUIRED | IPV6,
	      .doc = "IPv6 block from /40 to /56 on that network. Each VPC that requests a block gets a "
		     "/56."),
	PARAM(struct external_ipv6_wish, "next_hop", next_hop,
	      .doc = "IPv6 address of the upstream router; absent: IPv6 has no route out."),
};

#define OUTSIDE(verb, path, ...)                                                                             \
	ADMIN_CHANGE(verb, path, "ec2:ModifyHypervisor", EXTERNAL_NETWORK, __VA_ARGS__)
static const struct native_action actions[] = {
	ADMIN_CREATE("/external-networks", "ec2:ModifyHypervisor", EXTERNAL_NETWORK,
		     .args = PARAMS(struct external_network_wish, network_params),
		     .operation = engine_add_external_network_run,
		     .doc = "Adds an external network and its public addresses."),
	OUTSIDE(PATCH, "/external-networks/{id}",
		.args = PARAMS(struct external_default_wish, default_params),
		.target = NATIVE_AT(external_default_wish, external_network),
		.operation = engine_set_default_external_run,
		.doc = "Makes an external network the default one, or not."),
	OUTSIDE(DELETE, "/external-networks/{id}", .args = {.size = sizeof(struct external_network_target)},
		.target = NATIVE_AT(external_network_target, external_network),
		.operation = engine_delete_external_network_run,
		.doc = "Deletes an external network and its address ranges. Fails while a gateway or an "
		       "associated address uses it."),
	OUTSIDE(PUT, "/external-networks/{id}/gateway-range",
		.args = PARAMS(struct gateway_range_wish, gateway_params),
		.target = NATIVE_AT(gateway_range_wish, external_network),
		.operation = engine_set_gateway_range_run,
		.doc = "Enlarges the address range for routers' own ports. The range cannot shrink."),
	OUTSIDE(PUT, "/external-networks/{id}/ipv6", .args = PARAMS(struct external_ipv6_wish, ipv6_params),
		.target = NATIVE_AT(external_ipv6_wish, external_network),
		.operation = engine_set_external_ipv6_run,
		.doc = "Sets the IPv6 pool of VPCs and the IPv6 next hop of an external network."),
	ADMIN_CREATE("/address-ranges", "ec2:ModifyHypervisor", ADDRESS_RANGE,
		     .args = PARAMS(struct address_range_wish, range_params),
		     .operation = engine_add_address_range_run,
		     .doc = "Adds a range of public addresses to an external network."),
	ADMIN_CHANGE(DELETE, "/address-ranges/{id}", "ec2:ModifyHypervisor", ADDRESS_RANGE,
		     .args = {.size = sizeof(struct address_range_target)},
		     .target = NATIVE_AT(address_range_target, address_range),
		     .operation = engine_remove_address_range_run,
		     .doc = "Deletes a range of public addresses. Fails while one of them is allocated."),
};
const struct api_actions native_outside_actions = API_ACTIONS(actions);
