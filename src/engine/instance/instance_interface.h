/* SPDX-License-Identifier: Apache-2.0
 * An instance's ports as Nova's API handles them: created and attached, or detached, by one call; and the
 * security groups of all ports together. */
#pragma once

#include "engine/network/port/port.h"

/* Attaches an existing port, or a new one in a subnet or network; by default in the subnet of the primary
 * port. Errors as for engine_create_port() and engine_attach_port(). A new port is deleted when it is
 * detached, and with the instance. */
struct interface_wish {
	struct ref instance, port, subnet, network;
	struct ip ip;           /* of a new port; none: any */
	struct str tag;         /* device tag, which the guest reads from its metadata */
	bool is_only;           /* ERR_EXISTS with KIND_PORT: the instance has a port in the network */
	bool by_firewall_alone; /* see struct port_wish */
	bool may_lack_ip;       /* see struct launch_port */
	/* outputs: */
	uuid plugged;
};
OPERATION(engine_plug_interface, interface_wish)

/* Detaches a port. ERR_NOT_FOUND with KIND_PORT: not a port of the instance. ERR_PROTECTED: keeps_first is
 * set, and the port is the primary one. */
struct interface_target {
	struct ref instance, port;
	bool keeps_first;
};
OPERATION(engine_unplug_interface, interface_target)

/* Makes the port primary by exchanging its device index with the port at index 0. The instance's subnet and
 * router become the port's. A running guest sees the new order after it was off, but learns the new routes by
 * DHCP earlier. ERR_NOT_FOUND with KIND_PORT: not a port of the instance. ERR_STATE with KIND_PORT: primary
 * already; with KIND_INSTANCE: neither running nor stopped. */
struct interface_choice {
	struct ref instance, port;
};
OPERATION(engine_put_interface_first, interface_choice)

/* Adds a security group to all ports of the instance, or removes it. ERR_NOT_FOUND with KIND_SECURITY_GROUP:
 * no port is in the group to be removed. */
struct instance_group_change {
	struct ref instance, group;
	bool remove;
};
OPERATION(engine_change_instance_groups, instance_group_change)
