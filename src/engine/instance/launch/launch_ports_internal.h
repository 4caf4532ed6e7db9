/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: ports of a launch. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/port/port.h"

struct launch_slot {
	const struct launch_port *wish;
	const struct port *port;       /* existing port; NULL: a new one */
	const struct subnet *subnet;   /* NULL: a new port without an address, in the network below */
	const struct network *network; /* network without subnets; NULL unless subnet is */
	struct uuids groups;           /* a new port's */
	bool is_open;                  /* a new port has no port security */
	bool wants_public_ip;
};
struct launch_ports { /* sorted by device index: the primary port is first */
	struct launch_slot at[PORTS_OF_INSTANCE_MAX];
	size_t count, new_count;
};
/* Checks the wishes for consistency, without resolving anything. limits: type whose port and address limits
 * apply; NULL: an instance's slots are the limit. */
RESULT launch_ports_begin(struct op *op, const struct instance_launch *wish,
			  const struct instance_type *limits, struct launch_ports *ret_ports);
/* Resolves the port, subnet or network that the slot's wish names. */
RESULT launch_ports_find(struct op *op, const struct instance_type *limits, struct launch_slot *slot);
/* Chooses a subnet of the named network for the primary address, preferably IPv4. wanted: the subnet that
 * contains it; ERR_RANGE with KIND_PORT if none does. Of a network without subnets: *ret_subnet is NULL if
 * may_lack_ip, else ERR_MISSING with KIND_NETWORK. */
struct launch_network {
	struct ref network;
	struct ip wanted;
	bool may_lack_ip;
};
RESULT launch_ports_find_in_network(struct op *op, const struct launch_network *in,
				    const struct network **ret_network, const struct subnet **ret_subnet);
/* Resolves all slots; the primary one must be resolved already, by launch_ports_find() or by the caller. zone:
 * the instance's, which decides if the primary port has no subnet. */
RESULT launch_ports_resolve(struct op *op, const struct instance_type *limits, uuid zone,
			    struct launch_ports *ports);
/* True if there are ports, and none has an IPv4 address. Requires launch_ports_resolve(). */
bool launch_ports_lack_ipv4(const struct launch_ports *ports);
/* Writes the ports of one instance, whose row exists. */
RESULT launch_ports_write(struct op *op, const struct launch_ports *ports, const struct instance *instance,
			  struct tags tags);
