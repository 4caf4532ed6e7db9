/* SPDX-License-Identifier: Apache-2.0
 * DHCP options sets: rows that say what the guests of VPCs are told besides their addresses. A
 * subnet that has resolvers of its own tells its guests those, whatever its VPC's set says. */
#pragma once

#include "engine/operation.h"

enum {
	DHCP_OPTIONS_MAX = 100,         /* of an account */
	DHCP_SERVERS_MAX = 4,           /* of each sort */
	DHCP_DOMAIN_NAME_MAX = 255 - 2, /* characters that fit into the option, in OVN's quotes */
};

/* One option by its DHCP name, with its values: addresses, a domain name, a number, and for
 * domain-name-servers the word AmazonProvidedDNS. Commas separate values, too. */
struct dhcp_option {
	struct str key;
	struct strs values;
};

struct dhcp_options_wish {
	const struct dhcp_option *options;
	size_t option_count;
	struct tags tags;
	/* made: */
	uuid dhcp_options;
};
/* ERR_INVALID: there is no such option, or it is given twice, or it cannot have that value.
 * ERR_QUOTA. */
OPERATION(engine_create_dhcp_options, dhcp_options_wish)

struct dhcp_options_association {
	struct ref dhcp_options; /* bits = 0: no set, so that guests are told the defaults */
	struct ref router;
};
OPERATION(engine_associate_dhcp_options, dhcp_options_association)

/* Deletes a set. ERR_IN_USE: a VPC has it. */
struct dhcp_options_target {
	struct ref dhcp_options;
};
OPERATION(engine_delete_dhcp_options, dhcp_options_target)
