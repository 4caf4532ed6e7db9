/* SPDX-License-Identifier: Apache-2.0
 * An instance's ports as Nova's users see them: made and plugged in by one call, and unplugged; and
 * the security groups of all of them at once. */
#pragma once

#include "engine/network/port.h"

/* Plugs in an existing port, or a new one in a subnet, or in any subnet of a network; if none of
 * these is given, in the subnet of its primary port. Errors as of engine_create_port() and
 * engine_attach_port(). A new port is deleted when it is unplugged, or with the instance. */
struct interface_wish {
	struct ref instance, port, subnet, network;
	struct ip ip;           /* of a new one; none: any */
	struct str tag;         /* what its guest is told of it */
	bool is_only;           /* ERR_EXISTS with KIND_PORT: the instance has one in the network */
	bool by_firewall_alone; /* as of struct port_wish */
	/* made: */
	uuid plugged;
};
OPERATION(engine_plug_interface, interface_wish)

/* Unplugs a port. ERR_NOT_FOUND with KIND_PORT: it is not the instance's. ERR_PROTECTED: it is the first one,
 * which is to stay. */
struct interface_target {
	struct ref instance, port;
	bool keeps_first;
};
OPERATION(engine_unplug_interface, interface_target)

/* Gives the port the device index 0, and the one that has it the port's: it is the primary one then, whose addresses, subnet
 * and router are the instance's. A guest that runs finds them in their new order after it was off; by DHCP it learns sooner
 * what each leads to. ERR_NOT_FOUND with KIND_PORT: it is not the instance's. ERR_STATE with KIND_PORT: it is the primary
 * one already; with KIND_INSTANCE: the instance neither runs nor is off. */
struct interface_choice {
	struct ref instance, port;
};
OPERATION(engine_put_interface_first, interface_choice)

/* Adds a group to all of the instance's ports, or removes it. ERR_NOT_FOUND with
 * KIND_SECURITY_GROUP: a group to be removed is on none of them. */
struct instance_group_change {
	struct ref instance, group;
	bool remove;
};
OPERATION(engine_change_instance_groups, instance_group_change)
