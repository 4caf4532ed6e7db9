/* SPDX-License-Identifier: Apache-2.0
 * What commands about networks share: the traffic that a rule is about. */
#pragma once

#include "api/cloudstack/core/action.h"
#include "model/network.h"

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
/* Each of a list's; a failure says the words before and behind what is none. ERR_INVALID. */
RESULT cs_read_blocks(struct cs_call *e, const char *field, const char *before, const char *behind,
		      const struct strs *texts, struct cidrs *ret_blocks);
/* "10.0.0.0/8,192.0.2.0/24" */
struct str cs_write_blocks(struct api_call *e, struct cidrs blocks);
/* protocol, and startport with endport or icmptype with icmpcode. */
void cs_write_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic);
/* The same members of a network ACL's item: ports are texts there. */
void cs_write_item_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic);

/* ---- networks and what they are part of ---- */

struct gateway;
struct network;
struct router;
struct subnet;
struct zone;

/* Of IPv4; NULL: the network has none. */
const struct subnet *cs_find_subnet(struct api_call *e, uuid network);
/* Whether the subnet's router has a gateway that translates addresses. */
bool cs_has_source_nat(const struct tables *t, const struct subnet *s);
/* The account's isolated networks in a zone, as CloudStack chooses from where a command names none. */
struct cs_isolated {
	size_t count; /* without VPCs' tiers */
	uuid network; /* one of them, else one of the tiers; none: there is neither */
	size_t tiers;
};
/* with_source_nat: leaves out networks without source NAT that are no tiers; no public address can lead into them. */
struct cs_isolated cs_find_isolated(const struct tables *t, uuid account, uuid zone, bool with_source_nat);
/* CloudStack's type Shared. */
bool cs_is_shared(const struct network *network);
/* Shared network for the accounts of a domain (acltype Domain), and not for one account. */
bool cs_is_network_of_domain(struct api_call *e, const struct network *network);
struct str cs_get_network_name(struct api_call *e, const struct row *network);
/* The router, if it is a VPC: one that has address blocks of its own. NULL: it is none, or gone. */
const struct router *cs_find_vpc(struct api_call *e, uuid router);
struct str cs_get_vpc_name(struct api_call *e, const struct row *router);
/* vpcid and vpcname; NULL: neither. */
void cs_write_vpc(struct api_call *e, struct json_writer *w, const struct router *vpc);

/* Of a network ACL; a VPC's own lets everything pass. */
struct str cs_get_acl_name(struct api_call *e, const struct row *row);

/* What a NIC shows, of a port's row. */
extern const struct members cs_nic;

/* "openfirewall", of an address: by default it does, but for one that was taken for a VPC. ERR_INVALID. */
RESULT cs_read_opens(struct cs_call *e, enum choice asked, const struct ref *address, bool *ret_opens);

/* ---- offerings: tables of ours, and the operator's rows ---- */

struct network_offering;

struct cs_offering {
	const char *name, *text;
	const char *type; /* "Isolated" */
	bool is_vpcs;     /* of a VPC's tiers; leads out by the VPC */
	bool leads_out;   /* a router of the network's own leads out, and it has a firewall */
	bool egress_open; /* which lets all go out but what rules name */
	enum network_guest_type guest_type; /* of networks of the type Shared */
	const char *provider, *services;
	const struct network_offering *own; /* the operator's row; NULL: it came with the cloud */
};
/* The one that a network was made by, else the one that describes it as it is. */
const struct cs_offering *cs_find_offering_of(struct api_call *e, const struct network *network);
/* As that of the operator's row; in the call's arena, with the row's texts. */
const struct cs_offering *cs_own_offering(struct api_call *e, const struct network_offering *row);
/* The members of its object. */
void cs_write_offering(struct cs_call *e, struct json_writer *w, const void *offering);
/* Whether a network of the one can get the other. What leads out of a network is made with it: the way out has to be the
 * same, and all services of the present one have to be there. */
bool cs_offering_may_follow(const struct cs_offering *present, const struct cs_offering *next);
/* Whether the services, "Dhcp|Dns", have this one. */
bool cs_has_service(const char *services, struct str service);
bool cs_has_services(const char *services, const struct strs *wanted); /* all of them */
/* The services of an operator's offering: where its row and the wish for it say so, + 1; 0: every network has it. */
enum { CS_SERVICES = 11 };
extern const struct cs_service {
	const char *name;
	size_t row, wish;
} cs_services[CS_SERVICES];
/* By its id; ERR_INVALID. */
RESULT cs_find_offering(struct cs_call *e, struct str id, const char *field,
			const struct cs_offering **ret_offering);
/* Ends a list of offerings whose id was not found: see cs_end_list(). */
RESULT cs_end_offerings(struct cs_call *e, struct result failure, struct str id);
uuid cs_offering_id(const struct cs_offering *offering);
/* Id derived from the name, so it is the same in every region. */
uuid cs_id_of_name(const char *kind, const char *name);
/* A service and its provider, as commands that make offerings name them. */
struct cs_service_provider {
	struct str service, provider;
};
extern const struct params cs_provider_params;
enum { CS_NAMED_MAX = 100 };

/* A VPC offering by its id. ret_own: the operator's row; kind none: it came with the cloud. ERR_INVALID. */
RESULT cs_find_vpc_offering(struct cs_call *e, struct str id, const char *field, struct ref *ret_own);
uuid cs_vpc_offering_id(struct api_call *e, const struct router *vpc);
/* The services that a VPC's tiers may have, "Dhcp|Dns". */
const char *cs_services_of_vpc(struct api_call *e, const struct router *vpc);
/* vpcofferingid and vpcofferingname, of a router's row. */
void cs_write_vpc_offering(struct api_call *e, struct json_writer *w, const char *name,
			   const struct row *row);
/* Writes the list "service" of what a provider provides: "Dhcp|Dns". A network's services show their capabilities, an offering's do
 * not. Vpn is a service that an offering may name, and that no network or VPC has. */
enum cs_services_of { CS_OF_OFFERING, CS_OF_VPC, CS_OF_NETWORK };
void cs_write_services(struct json_writer *w, const char *services, const char *provider,
		       enum cs_services_of of);
extern const char cs_vpc_services[], cs_vpc_provider[];
extern const char cs_l2_provider[]; /* of L2 networks' user data */

/* What a guest network shows. */
extern const struct api_listing cs_networks;
