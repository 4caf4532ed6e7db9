/* SPDX-License-Identifier: Apache-2.0
 * What commands about networks share: the traffic that a rule is about, and references to rows that were found. */
#pragma once

#include "api/cloudstack/core/action.h"

/* To a row that is known by its id. */
static inline struct ref cs_ref_to(enum kind kind, uuid id, const char *field)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 8 * sizeof(uuid), .field = str_from(field)};
}

/* ---- what rules are about ---- */

struct cs_traffic {
	struct str protocol;
	int64_t start, end, icmp_type, icmp_code;
	bool has_start, has_end, has_type, has_code;
	struct strs blocks;
};
enum { CS_BLOCKS_MAX = 100 };
#define CS_TRAFFIC_PARAMS(T, member)                                                                         \
	PARAM(T, "startport", member.start, .min = 0, .max = 65535,                                          \
	      .given = offsetof(T, member.has_start) + 1, .doc = "The first port."),                         \
		PARAM(T, "endport", member.end, .min = 0, .max = 65535,                                      \
		      .given = offsetof(T, member.has_end) + 1, .doc = "The last port."),                    \
		PARAM(T, "icmptype", member.icmp_type, .min = -1, .max = 255,                                \
		      .given = offsetof(T, member.has_type) + 1, .doc = "ICMP's type; -1: all."),            \
		PARAM(T, "icmpcode", member.icmp_code, .min = -1, .max = 255,                                \
		      .given = offsetof(T, member.has_code) + 1, .doc = "ICMP's code; -1: all."),            \
		PARAM(T, "cidrlist", member.blocks, .max = CS_BLOCKS_MAX, .doc = "The peers, as blocks.")

/* The same as the engine's rules have it. */
struct cs_read_traffic {
	int64_t protocol, from_port, to_port;
};
/* must_be_whole: TCP and UDP need both ports, and ICMP its type and code; else those that are not given are all.
 * ERR_INVALID. */
RESULT cs_read_traffic(struct cs_call *e, const struct cs_traffic *asked, bool must_be_whole,
		       struct cs_read_traffic *ret_traffic);
/* ERR_INVALID. */
RESULT cs_read_block(struct cs_call *e, struct str text, struct cidr *ret_block);
/* protocol, and startport with endport or icmptype with icmpcode. */
void cs_write_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic);

/* ---- networks and what they are part of ---- */

struct gateway;
struct router;
struct subnet;
struct zone;

/* Of IPv4; NULL: the network has none. */
const struct subnet *cs_find_subnet(struct api_call *e, uuid network);
struct str cs_get_network_name(struct api_call *e, const struct row *network);
/* The router, if it is a VPC: one that has address blocks of its own. NULL: it is none, or gone. */
const struct router *cs_find_vpc(struct api_call *e, uuid router);
struct str cs_get_vpc_name(struct api_call *e, const struct row *router);
/* vpcid and vpcname; NULL: neither. */
void cs_write_vpc(struct api_call *e, struct json_writer *w, const struct router *vpc);
/* zoneid and zonename, of what is in every zone: those of the first. */
void cs_write_any_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row);

/* Of a network ACL; a VPC's own lets everything pass. */
struct str cs_get_acl_name(struct api_call *e, const struct row *row);

/* What a NIC shows, of a port's row. */
extern const struct members cs_nic;

/* ---- offerings: tables of ours ---- */

struct cs_offering {
	const char *name, *text;
	const char *type; /* "Isolated" */
	bool is_vpcs;     /* of a VPC's tiers; leads out by the VPC */
	bool leads_out;   /* a router of the network's own leads out */
	const char *provider, *services;
};
/* The one that describes a network as it is: of its first subnet, which is NULL where it has none. */
const struct cs_offering *cs_find_offering_of(struct api_call *e, const struct subnet *subnet);
/* By its id; ERR_INVALID. */
RESULT cs_find_offering(struct cs_call *e, struct str id, const char *field,
			const struct cs_offering **ret_offering);
uuid cs_offering_id(const struct cs_offering *offering);
/* ERR_INVALID: it is not the id of the one VPC offering. */
RESULT cs_check_vpc_offering(struct cs_call *e, struct str id, const char *field);
/* vpcofferingid and vpcofferingname. */
void cs_write_vpc_offering(struct api_call *e, struct json_writer *w, const char *name,
			   const struct row *row);
/* The list "service" of what a provider provides: "Dhcp|Dns". */
void cs_write_services(struct json_writer *w, const char *services, const char *provider);
extern const char cs_vpc_services[], cs_vpc_provider[];

/* What a guest network shows. */
extern const struct api_listing cs_networks;
