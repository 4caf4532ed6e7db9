/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/network/. */
#pragma once

#include "api/azure/core/members.h"
#include "engine/virtual/virtual_network.h"

struct port;
struct port_policy;
struct subnet;

/* ---- shared.c ---- */

extern const struct params az_link_params;
/* Finds the row that a link in a body names; kind none: the body has no such link. Errors are those of az_find_id(). */
RESULT az_follow(struct az_call *e, const char *field, const struct az_link *link, enum az_types type,
		 enum kind kind, struct ref *ret_ref);
RESULT az_follow_all(struct az_call *e, const char *field, const struct az_links *links, enum az_types type,
		     enum kind kind, struct refs *ret_refs);
/* SKU: Basic or Standard for load balancers and addresses, Standard only for address prefixes and NAT gateways. */
struct az_network_sku {
	struct str name, tier;
};
extern const struct params az_network_sku_params, az_standard_sku_params;
/* Texts of blocks, in the arena. */
struct strs az_write_blocks(struct api_call *core, struct cidrs blocks);
/* Ids of parts that a PUT of the whole lists: `count` of them, each `size` bytes behind the other. */
struct az_kept {
	const uuid *first;
	size_t count, size;
};
/* Finds the live parts of the call's target that are not kept. is_part NULL: all rows are parts. */
RESULT az_find_gone(struct az_call *e, enum kind kind, unsigned index, const struct az_kept *kept,
		    bool (*is_part)(const struct row *row), struct refs *ret_gone);
/* Name of a part that a body lists, such as "vnet1/default". */
struct str az_part_name(struct az_call *e, struct str whole, struct str name);
/* Names a part in the resource group of the whole, and stores `definition`: members of the body that no row of the engine has.
 * Runs on the committer. */
RESULT az_name_part(struct op *op, uuid group, enum az_types type, struct str name, enum kind kind,
		    uuid target, struct str definition);
/* Collects the members of a subnet's body that only this face stores (AZ_SUBNET_KEEPS); empty: they are unchanged. */
RESULT az_keep_subnet(struct az_call *e, uuid subnet, const json_t *body, struct str *ret_definition);
#define AZ_SUBNET_KEEPS                                                                                      \
	"properties.privateEndpointNetworkPolicies|properties.privateLinkServiceNetworkPolicies"
RESULT az_fail_name(struct az_call *e, const char *field);

/* ---- subnets.c ---- */

/* Refuses to delete a subnet with interfaces, and names one. The engine refuses too, but cannot give Azure's name. ERR_IN_USE. */
RESULT az_check_subnet_unused(struct az_call *e, uuid subnet);

/* ---- interfaces.c ---- */

/* Id of the IP configuration of an interface's address: "…/networkInterfaces/eni-…/ipConfigurations/ipconfig1". */
struct str az_ip_config_id(struct az_call *e, const struct port *p, struct ip ip);

/* ---- peerings.c ---- */

extern const struct api_listing az_peerings;

/* ---- subnets.c ---- */

struct az_subnet_says {
	struct cidr prefix;
	struct strs prefixes;
	struct az_link policy, plan, nat;
};
extern const struct params az_subnet_params;
/* Turns the parsed body of a subnet into a wish. */
RESULT az_read_subnet(struct az_call *e, const struct az_subnet_says *says, struct virtual_subnet_wish *wish);
extern const struct members az_subnet_members;
/* DNS servers that the last PUT of the virtual network set; none: Azure's default. */
struct ips az_servers_of(struct az_call *e, uuid router);
