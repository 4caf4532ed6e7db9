/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/network/. */
#pragma once

#include "api/azure/core/action.h"
#include "engine/virtual/virtual_network.h"

struct port;
struct port_policy;
struct subnet;

/* ---- shared.c ---- */

/* {"id": "…"} */
struct az_link {
	struct str id;
};
struct az_links {
	const struct az_link *at;
	size_t count;
};
extern const struct params az_link_params;
/* To the row that a link of a body leads to; of kind none, where it says nothing. Errors as of az_find_id(). */
RESULT az_follow(struct az_call *e, const char *field, const struct az_link *link, enum az_types type,
		 enum kind kind, struct ref *ret_ref);
RESULT az_follow_all(struct az_call *e, const char *field, const struct az_links *links, enum az_types type,
		     enum kind kind, struct refs *ret_refs);
/* What is sold as: balancers and addresses are Basic or Standard, prefixes of addresses and NAT gateways Standard only. */
struct az_network_sku {
	struct str name, tier;
};
extern const struct params az_network_sku_params, az_standard_sku_params;
void az_write_network_sku(struct json_writer *w, const char *name);
void az_write_etag(struct az_call *e, struct json_writer *w, const struct row *row);
/* "provisioningState" and "resourceGuid", with which most properties begin. */
void az_begin_properties(struct az_call *e, struct json_writer *w, const char *name, const struct row *row);
/* id, name, type and etag, of a part of another resource, and opens its properties. */
void az_begin_part(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row);
void az_write_texts(struct json_writer *w, const char *name, struct strs texts);
/* A part that a body lists: its name, as "vnet1/default". */
struct str az_part_name(struct az_call *e, struct str whole, struct str name);
/* The same on the committer: gives the part its name in the group of the whole, and keeps what is said of it besides. */
RESULT az_name_part(struct op *op, uuid group, enum az_types type, struct str name, enum kind kind,
		    uuid target, struct str definition);
/* What a virtual network's body says of a subnet besides; empty: nothing new. */
RESULT az_keep_subnet(struct az_call *e, uuid subnet, const json_t *body, struct str *ret_definition);
#define AZ_SUBNET_KEEPS                                                                                      \
	"properties.privateEndpointNetworkPolicies|properties.privateLinkServiceNetworkPolicies"
RESULT az_fail_name(struct az_call *e, const char *field);

/* ---- subnets.c ---- */

/* The engine refuses it, too; here the interface that is in it has its name. ERR_IN_USE. */
RESULT az_check_subnet_unused(struct az_call *e, uuid subnet);

/* ---- interfaces.c ---- */

/* "…/networkInterfaces/eni-…/ipConfigurations/ipconfig1", of one of an interface's addresses. */
struct str az_ip_config_id(struct az_call *e, const struct port *p, struct ip ip);

/* ---- security_groups.c ---- */

/* "securityRules": those of a network security group. */
void az_write_rules(struct az_call *e, struct json_writer *w, uuid policy);

/* ---- peerings.c ---- */

/* "virtualNetworkPeerings": those of a virtual network. */
void az_write_peerings(struct az_call *e, struct json_writer *w, uuid router);

/* ---- subnets.c ---- */

struct az_subnet_says {
	struct cidr prefix;
	struct strs prefixes;
	struct az_link policy, plan, nat;
};
extern const struct params az_subnet_params;
/* What a body says of a subnet, as a wish. */
RESULT az_read_subnet(struct az_call *e, const struct az_subnet_says *says, struct virtual_subnet_wish *wish);
void az_write_subnet(struct az_call *e, struct json_writer *w, const struct subnet *s);
/* What the virtual network's guests ask for names. */
struct ips az_servers_of(struct az_call *e, uuid router);
