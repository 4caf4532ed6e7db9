/* SPDX-License-Identifier: Apache-2.0
 * DHCP options sets: what DHCP tells the guests of a VPC besides their addresses. A subnet's own DNS servers
 * override those of its VPC's set. */
#pragma once

#include "engine/operation.h"

enum {
	DHCP_OPTIONS_MAX = 100,         /* per account */
	DHCP_SERVERS_MAX = 4,           /* for each option that takes addresses */
	DHCP_DOMAIN_NAME_MAX = 255 - 2, /* one DHCP option has 255 bytes, of which OVN's quotes take two */
};

/* An option by its DHCP name, with its values: addresses, a domain name, a number, or for domain-name-servers
 * "AmazonProvidedDNS". A value may hold several, separated by commas. */
struct dhcp_option {
	struct str key;
	struct strs values;
};

struct dhcp_options_wish {
	const struct dhcp_option *options;
	size_t option_count;
	struct tags tags;
	/* outputs: */
	uuid dhcp_options;
};
/* ERR_INVALID: an option is unknown, duplicated or has a bad value. ERR_QUOTA. */
OPERATION(engine_create_dhcp_options, dhcp_options_wish)

struct dhcp_options_association {
	struct ref dhcp_options; /* bits = 0: no set, guests get the defaults */
	struct ref router;
};
OPERATION(engine_associate_dhcp_options, dhcp_options_association)

/* Deletes a set. ERR_IN_USE: a VPC uses it. */
struct dhcp_options_target {
	struct ref dhcp_options;
};
OPERATION(engine_delete_dhcp_options, dhcp_options_target)
