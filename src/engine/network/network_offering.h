/* SPDX-License-Identifier: Apache-2.0
 * Network offerings of the operator's. What networks get by one does not change; its name, and whether new networks are made by
 * it, do. A network remembers its offering (engine/network/guest_network.h). */
#pragma once

#include "engine/operation.h"
#include "engine/region/offered.h"

struct network_offering_wish {
	struct str name; /* 1 to 255 characters */
	struct str description;
	bool for_vpc, dns, user_data, source_nat, static_nat, port_forwarding, load_balancing, network_acl;
	bool firewall, egress_open, conserves, persistent, enabled;
	struct offered_wish offered;
	/* made: */
	uuid offering;
};
/* ERR_EXISTS: the name is taken. ERR_COMBINATION, of the field that is at fault: no network could be so. */
OPERATION(engine_create_network_offering, network_offering_wish)

struct network_offering_settings {
	struct ref offering;
	const struct str *name, *description; /* NULL: as they are. ERR_EXISTS: the name is taken */
	enum choice enabled;
	struct offered_wish offered;
};
OPERATION(engine_update_network_offering, network_offering_settings)

/* ERR_IN_USE: networks have it. */
struct network_offering_target {
	struct ref offering;
};
OPERATION(engine_delete_network_offering, network_offering_target)
