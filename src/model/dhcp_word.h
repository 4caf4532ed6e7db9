/* SPDX-License-Identifier: Apache-2.0
 * DHCP options that a port may set: Neutron's names, OVN's names, and the form of OVN's values. Sources:
 * neutron.common.ovn.constants (SUPPORTED_DHCP_OPTS_MAPPING); OVN's ovn-l7 header. Pure; any thread. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/str.h"

enum dhcp_form {
	DHCP_IP,     /* an address of the family */
	DHCP_IPS,    /* one or more addresses */
	DHCP_HOST,   /* an address or a text */
	DHCP_TEXT,   /* a quoted text */
	DHCP_ROUTES, /* alternating blocks and next hops */
	DHCP_NUMBER, /* at most `most` */
	DHCP_MAC,
	DHCP_NOTHING, /* not an option: "true" turns DHCP off for the port */
};

struct dhcp_word {
	const char *name; /* Neutron's; the option's number is also accepted */
	int number;
	const char *ovn;
	enum dhcp_form form;
	int64_t most;
};

/* NULL: unsupported by OVN. */
const struct dhcp_word *dhcp_word_find(enum ip_family family, struct str name);
/* Converts the value to OVN's form and rejects everything else, because text after an option in a logical
 * flow would be code. p NULL: invalid value. In the arena. */
struct str dhcp_word_write(struct arena *a, const struct dhcp_word *word, enum ip_family family,
			   struct str value);
