/* SPDX-License-Identifier: Apache-2.0
 * Ports: network interfaces. Instances' primary ports are made and deleted with them. */
#pragma once

#include "engine/operation.h"

/* ERR_CAPACITY with KIND_SUBNET: no address left; ERR_IN_USE with KIND_PORT: that ip is taken;
 * ERR_RANGE with KIND_PORT: outside of the subnet or reserved. */
struct port_wish {
	struct ref subnet;
	struct ip ip;       /* none: any */
	struct refs groups; /* by id or name; none: the VPC's default */
	struct str name, description;
	struct tags tags;
	/* made: */
	uuid port;
};
OPERATION(engine_create_port, port_wish)

/* ERR_IN_USE: attached to an instance. */
struct port_target {
	struct ref port;
};
OPERATION(engine_delete_port, port_target)

/* The groups of a port, or of an instance's primary port. */
struct port_groups_wish {
	struct ref port, instance; /* one of them */
	struct refs groups;        /* at least one */
	enum choice source_dest_check;
};
OPERATION(engine_set_port_groups, port_groups_wish)

/* The reconciler's. Absent: OK. */
struct port_sight {
	uuid port;
	uint64_t gen; /* of the row that was brought about */
	bool up;
};
OPERATION(engine_see_port, port_sight)
/* Gone from the network: its IP may be handed out again. ERR_STATE unless deleted. */
OPERATION(engine_forget_port, port_sight)
