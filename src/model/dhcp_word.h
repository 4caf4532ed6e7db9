/* SPDX-License-Identifier: Apache-2.0
 * The options of DHCP that a port may have of its own: Neutron's names for them, OVN's, and what their values look
 * like to OVN. Sources: neutron.common.ovn.constants (SUPPORTED_DHCP_OPTS_MAPPING); OVN's ovn-l7 header. Pure; any
 * thread. */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/str.h"

enum dhcp_form {
	DHCP_IP,     /* one address of the family */
	DHCP_IPS,    /* one or several */
	DHCP_HOST,   /* an address, or a text */
	DHCP_TEXT,   /* a text, in quotes */
	DHCP_ROUTES, /* blocks and next hops in turn */
	DHCP_NUMBER, /* up to most */
	DHCP_MAC,
	DHCP_NOTHING, /* no option: "true" says that the port is told nothing at all */
};

struct dhcp_word {
	const char *name; /* Neutron's; its number is a name, too */
	int number;
	const char *ovn;
	enum dhcp_form form;
	int64_t most;
};

/* NULL: OVN has no such option. */
const struct dhcp_word *dhcp_word_find(enum ip_family family, struct str name);
/* The value in OVN's form, which takes nothing else: what follows an option in a logical flow is code. p NULL: it is
 * none of that form. In the arena. */
struct str dhcp_word_write(struct arena *a, const struct dhcp_word *word, enum ip_family family,
			   struct str value);
