/* SPDX-License-Identifier: Apache-2.0
 * Shared by commands about networks: the traffic of a rule, networks, offerings. */
#pragma once

#include "api/cloudstack/core/action.h"
#include "model/network.h"

/* ---- traffic of rules ---- */

struct cs_traffic {
	struct str protocol;
	int64_t start, end, icmp_type, icmp_code;
	bool has_start, has_end, has_type, has_code;
	struct strs blocks;
};
enum { CS_BLOCKS_MAX = 100 };
#define CS_TRAFFIC_PARAMS(T, member)                                                                         \
	PARAM(T, "startport", member.start, .min = 0, .max = 65535,                                          \
	      .given = offsetof(T, member.has_start) + 1, .doc = "First port."),                             \
		PARAM(T, "endport", member.end, .min = 0, .max = 65535,                                      \
		      .given = offsetof(T, member.has_end) + 1, .doc = "Last port."),                        \
		PARAM(T, "icmptype", member.icmp_type, .min = -1, .max = 255,                                \
		      .given = offsetof(T, member.has_type) + 1, .doc = "ICMP type; -1: all."),              \
		PARAM(T, "icmpcode", member.icmp_code, .min = -1, .max = 255,                                \
		      .given = offsetof(T, member.has_code) + 1, .doc = "ICMP code; -1: all."),              \
		PARAM(T, "cidrlist", member.blocks, .max = CS_BLOCKS_MAX,                                    \
		      .doc = "CIDR blocks of the peers.")

/* The same in the form of the engine's rules. */
struct cs_read_traffic {
	int64_t protocol, from_port, to_port;
};
/* must_be_whole: TCP and UDP need both ports, and ICMP its type and code; without it an absent value means all.
 * ERR_INVALID. */
RESULT cs_read_traffic(struct cs_call *e, const struct cs_traffic *asked, bool must_be_whole,
		       struct cs_read_traffic *ret_traffic);
/* ERR_INVALID. */
RESULT cs_read_block(struct cs_call *e, struct str text, struct cidr *ret_block);
/* Reads each block of a list; a failure has the words `before` and `behind` around the malformed one. ERR_INVALID. */
RESULT cs_read_blocks(struct cs_call *e, const char *field, const char *before, const char *behind,
		      const struct strs *texts, struct cidrs *ret_blocks);
/* "10.0.0.0/8,192.0.2.0/24" */
struct str cs_write_blocks(struct api_call *e, struct cidrs blocks);
/* Writes protocol, and startport with endport or icmptype with icmpcode. */
void cs_write_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic);
/* The same members of a network ACL's item: ports are texts there. */
void cs_write_item_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic);

/* ---- networks and VPCs ---- */

struct gateway;
struct network;
struct router;
struct subnet;
struct zone;

/* The network's IPv4 subnet; NULL: it has none. */
const struct subnet *cs_find_subnet(struct api_call *e, uuid network);
/* True if the subnet's router has a gateway that translates addresses. */
bool cs_has_source_nat(const struct tables *t, const struct subnet *s);
/* The account's isolated networks in a zone, from which CloudStack chooses if a command names none. */
struct cs_isolated {
	size_t count; /* without VPCs' tiers */
	uuid network; /* one of them, else one of the tiers; none: there is neither */
	size_t tiers;
};
/* with_source_nat: leaves out networks without source NAT that are no tiers; no public address can lead into them. */
struct cs_isolated cs_find_isolated(const struct tables *t, uuid account, uuid zone, bool with_source_nat);
/* True for a network of CloudStack's type Shared. */
bool cs_is_shared(const struct network *network);
/* True for a shared network of all accounts of a domain (acltype Domain). */
bool cs_is_network_of_domain(struct api_call *e, const struct network *network);
struct str cs_get_network_name(struct api_call *e, const struct row *network);
/* The router, if it is a VPC, which has address blocks of its own. NULL: it is no VPC, or is gone. */
const struct router *cs_find_vpc(struct api_call *e, uuid router);
struct str cs_get_vpc_name(struct api_call *e, const struct row *router);
/* Writes vpcid and vpcname; vpc NULL: nothing. */
void cs_write_vpc(struct api_call *e, struct json_writer *w, const struct router *vpc);

/* Name of a network ACL; a VPC's default one permits all traffic. */
struct str cs_get_acl_name(struct api_call *e, const struct row *row);

/* Members of a NIC's object, from a port's row. */
extern const struct members cs_nic;

/* Reads "openfirewall" for an address: true by default, except for an address of a VPC. ERR_INVALID. */
RESULT cs_read_opens(struct cs_call *e, enum choice asked, const struct ref *address, bool *ret_opens);

/* ---- offerings: tables of ours, and the operator's rows ---- */

struct network_offering;

struct cs_offering {
	const char *name, *text;
	const char *type; /* "Isolated" */
	bool is_vpcs;     /* for tiers of a VPC, whose router leads out */
	bool leads_out;   /* the network has a router of its own, with a firewall */
	bool egress_open; /* the firewall permits outgoing traffic, except where rules forbid it */
	enum network_guest_type guest_type; /* for networks of the type Shared */
	const char *provider, *services;
	const struct network_offering *own; /* the operator's row; NULL: a built-in offering */
};
/* The offering that a network was created with, else the built-in one that describes it. */
const struct cs_offering *cs_find_offering_of(struct api_call *e, const struct network *network);
/* The offering of an operator's row; in the call's arena, with the row's texts. */
const struct cs_offering *cs_own_offering(struct api_call *e, const struct network_offering *row);
/* The members of its object. */
void cs_write_offering(struct cs_call *e, struct json_writer *w, const void *offering);
/* True if a network with offering `present` can change to `next`. The way out of a network is created with it, so it has to
 * be the same, and `next` needs all services of `present`. */
bool cs_offering_may_follow(const struct cs_offering *present, const struct cs_offering *next);
/* True if the services, "Dhcp|Dns", contain this one. */
bool cs_has_service(const char *services, struct str service);
bool cs_has_services(const char *services, const struct strs *wanted); /* all of them */
/* Services of an operator's offering, with the offsets of their bools in the row and the wish, + 1; 0: every network has the
 * service. */
enum { CS_SERVICES = 11 };
extern const struct cs_service {
	const char *name;
	size_t row, wish;
} cs_services[CS_SERVICES];
/* Finds an offering by its id. ERR_INVALID. */
RESULT cs_find_offering(struct cs_call *e, struct str id, const char *field,
			const struct cs_offering **ret_offering);
/* Ends a list of offerings whose id was not found: see cs_end_list(). */
RESULT cs_end_offerings(struct cs_call *e, struct result failure, struct str id);
uuid cs_offering_id(const struct cs_offering *offering);
/* Id derived from the name, so it is the same in every region. */
uuid cs_id_of_name(const char *kind, const char *name);
/* A service and its provider, in commands that create offerings. */
struct cs_service_provider {
	struct str service, provider;
};
extern const struct params cs_provider_params;
enum { CS_NAMED_MAX = 100 };

/* A VPC offering by its id. ret_own: the operator's row; kind none: it is built in. ERR_INVALID. */
RESULT cs_find_vpc_offering(struct cs_call *e, struct str id, const char *field, struct ref *ret_own);
uuid cs_vpc_offering_id(struct api_call *e, const struct router *vpc);
/* The services that a VPC's tiers may have, "Dhcp|Dns". */
const char *cs_services_of_vpc(struct api_call *e, const struct router *vpc);
/* Writes vpcofferingid and vpcofferingname for a router's row. */
void cs_write_vpc_offering(struct api_call *e, struct json_writer *w, const char *name,
			   const struct row *row);
/* Writes the list "service" with the services of a provider, "Dhcp|Dns". A network's services show their capabilities, an offering's do
 * not. Vpn is a service of a VPC and of offerings; the tiers do not show it. */
enum cs_services_of { CS_OF_OFFERING, CS_OF_VPC, CS_OF_NETWORK };
void cs_write_services(struct json_writer *w, const char *services, const char *provider,
		       enum cs_services_of of);
extern const char cs_vpc_services[], cs_vpc_provider[];
extern const char cs_l2_provider[]; /* provider of user data in L2 networks */

/* The listing of guest networks. */
extern const struct api_listing cs_networks;

/* Members of a customer gateway of site-to-site VPN, which its connections show, too; the words are those behind the first. */
extern const struct members cs_vpn_site_members;
#define CS_VPN_SITE_WORDS                                                                                    \
	"cidrlist|ipsecpsk|ikepolicy|esppolicy|ikelifetime|esplifetime|dpd|forceencap|splitconnections|"     \
	"ikeversion"
