/* SPDX-License-Identifier: Apache-2.0
 * Ports of an instance as Nova's users see them: made and plugged in one go, and unplugged; and the security
 * groups of all of them at once. */
#pragma once

#include "engine/network/port.h"

/* A port that is there, or a new one in a subnet, or in any subnet of a network; nothing of these: in that
 * of its primary port. Errors as of engine_create_port() and engine_attach_port(). A new one goes with the
 * instance, and when it is unplugged. */
struct interface_wish {
	struct ref instance, port, subnet, network;
	struct ip ip; /* of a new one; none: any */
	/* made: */
	uuid plugged;
};
OPERATION(engine_plug_interface, interface_wish)

/* ERR_NOT_FOUND with KIND_PORT: it is not the instance's. */
struct interface_target {
	struct ref instance, port;
};
OPERATION(engine_unplug_interface, interface_target)

/* On all its ports. ERR_NOT_FOUND with KIND_SECURITY_GROUP: to remove one that none of them has. */
struct instance_group_change {
	struct ref instance, group;
	bool remove;
};
OPERATION(engine_change_instance_groups, instance_group_change)
