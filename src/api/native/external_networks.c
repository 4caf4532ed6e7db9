/* SPDX-License-Identifier: Apache-2.0
 * External networks and their public address ranges. For administrators.
 */
#include "api/native/write.h"

#include "engine/network/external_network.h"

#define N(name, member, ...) PARAM(struct external_network_wish, name, member, __VA_ARGS__)
static const struct param network_params[] = {
	N("name", name, .min = 1, .max = 255, .flags = REQUIRED, .doc = "Unique."),
	N("physical_network", physical_network, .min = 1, .max = 255, .flags = REQUIRED,
	  .doc = "Key of the network in the hosts' ovn-bridge-mappings."),
	N("next_hop", next_hop, .flags = REQUIRED, .doc = "The upstream router."),
	N("infra_first", infra_first, .flags = REQUIRED,
	  .doc = "The first address for the routers' own ports."),
	N("infra_last", infra_last, .flags = REQUIRED, .doc = "The last of them."),
	N("first", first, .doc = "The first public address to hand out; absent: none yet."),
	N("last", last, .doc = "The last of them."),
};
static const struct param default_params[] = {
	PARAM(struct external_default_wish, "is_default", is_default, .flags = REQUIRED,
	      .doc = "Makes the network the region's default."),
};
static const struct param range_params[] = {
	PARAM(struct address_range_wish, "external_network", external_network, .kind = KIND_EXTERNAL_NETWORK,
	      .flags = REQUIRED, .doc = "On which, by name or id."),
	PARAM(struct address_range_wish, "first", first, .flags = REQUIRED,
	      .doc = "The first public address."),
	PARAM(struct address_range_wish, "last", last, .flags = REQUIRED, .doc = "The last one."),
};
static const struct param gateway_params[] = {
	PARAM(struct gateway_range_wish, "first", first, .flags = REQUIRED,
	      .doc = "The first of all of them."),
	PARAM(struct gateway_range_wish, "last", last, .flags = REQUIRED, .doc = "The last one."),
};
static const struct param ipv6_params[] = {
	PARAM(struct external_ipv6_wish, "pool", pool, .flags = REQUIRED | IPV6,
	      .doc = "A block from /40 to /56, on link there: each VPC that asks gets a /56."),
	PARAM(struct external_ipv6_wish, "next_hop", next_hop,
	      .doc = "The upstream router's IPv6 address; absent: nothing leaves."),
};

#define OUTSIDE(verb, path, ...)                                                                             \
	ADMIN_CHANGE(verb, path, "ec2:ModifyHypervisor", EXTERNAL_NETWORK, __VA_ARGS__)
static const struct native_action actions[] = {
	ADMIN_CREATE("/external-networks", "ec2:ModifyHypervisor", EXTERNAL_NETWORK,
		     .args = PARAMS(struct external_network_wish, network_params),
		     .operation = engine_add_external_network_run,
		     .doc = "Names an outside network, and the public addresses on it."),
	OUTSIDE(PATCH, "/external-networks/{id}",
		.args = PARAMS(struct external_default_wish, default_params),
		.target = NATIVE_AT(external_default_wish, external_network),
		.operation = engine_set_default_external_run, .doc = "Makes it the default one, or not."),
	OUTSIDE(DELETE, "/external-networks/{id}", .args = {.size = sizeof(struct external_network_target)},
		.target = NATIVE_AT(external_network_target, external_network),
		.operation = engine_delete_external_network_run,
		.doc = "Deletes one that no gateway and no associated address uses, with its ranges."),
	OUTSIDE(PUT, "/external-networks/{id}/gateway-range",
		.args = PARAMS(struct gateway_range_wish, gateway_params),
		.target = NATIVE_AT(gateway_range_wish, external_network),
		.operation = engine_set_gateway_range_run,
		.doc = "Gives routers' own ports there more addresses: the range can only grow."),
	OUTSIDE(PUT, "/external-networks/{id}/ipv6", .args = PARAMS(struct external_ipv6_wish, ipv6_params),
		.target = NATIVE_AT(external_ipv6_wish, external_network),
		.operation = engine_set_external_ipv6_run,
		.doc = "Says what VPCs get their IPv6 blocks from, and how IPv6 leaves."),
	ADMIN_CREATE("/address-ranges", "ec2:ModifyHypervisor", ADDRESS_RANGE,
		     .args = PARAMS(struct address_range_wish, range_params),
		     .operation = engine_add_address_range_run,
		     .doc = "Hands out more public addresses of an outside network."),
	ADMIN_CHANGE(DELETE, "/address-ranges/{id}", "ec2:ModifyHypervisor", ADDRESS_RANGE,
		     .args = {.size = sizeof(struct address_range_target)},
		     .target = NATIVE_AT(address_range_target, address_range),
		     .operation = engine_remove_address_range_run,
		     .doc = "Hands out no more addresses of a range of which none is allocated."),
};
const struct api_actions native_outside_actions = API_ACTIONS(actions);
