/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's network offerings and VPC offerings. The services of an offering never change; its name and
 * whether it is enabled do. A network remembers its offering (engine/network/guest_network.h), a VPC its own. */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"
#include "model/network_offering_words.h"

struct network_offering_wish {
	struct str name; /* 1 to 255 characters */
	struct str description;
	enum network_offering_guest_type guest_type;
	bool of_vpc; /* VPCs are made by it; its services are those that tiers may have */
	bool for_vpc, dns, user_data, source_nat, static_nat, port_forwarding, load_balancing, network_acl;
	struct str physical_tags;
	bool security_groups, firewall, vpn, egress_open, conserves, persistent, enabled;
	struct offered_wish offered;
	/* outputs: */
	uuid offering;
};
/* ERR_EXISTS: another offering has the name. ERR_COMBINATION with the field at fault: the services contradict
 * each other. */
OPERATION(engine_create_network_offering, network_offering_wish)

struct network_offering_settings {
	struct ref offering;
	const struct str *name, *description; /* NULL: unchanged. ERR_EXISTS: another offering has the name */
	enum choice enabled;
	struct offered_wish offered;
};
OPERATION(engine_update_network_offering, network_offering_settings)

/* ERR_IN_USE: networks, or VPCs, use the offering. */
struct network_offering_target {
	struct ref offering;
};
OPERATION(engine_delete_network_offering, network_offering_target)
