/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of launch ports. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/network/port.h"

struct launch_slot {
	const struct launch_port *wish;
	const struct port *port; /* one that is there; NULL: a new one */
	const struct subnet *subnet;
	struct uuids groups; /* of a new one */
	bool is_open;        /* likewise */
	bool wants_public_ip;
};
struct launch_ports { /* by device index: the primary one first */
	struct launch_slot at[PORTS_OF_INSTANCE_MAX];
	size_t count, new_count;
};
/* What is asked for makes sense by itself. The slots have nothing looked up yet. limits: the type that says how many
 * ports and addresses there are at most; NULL: as many as any instance has places for. */
RESULT launch_ports_begin(struct op *op, const struct instance_launch *wish,
			  const struct instance_type *limits, struct launch_ports *ret_ports);
/* Looks up the port or the subnet that a slot's wish names. */
RESULT launch_ports_find(struct op *op, const struct instance_type *limits, struct launch_slot *slot);
/* A subnet of the network that is named, for a first address: one of IPv4 if there is one. wanted: that which
 * has it, ERR_RANGE with KIND_PORT: none has. */
RESULT launch_ports_find_in_network(struct op *op, const struct ref *ref, struct ip wanted,
				    const struct subnet **ret_subnet);
/* All of them, once the primary one has its subnet. */
RESULT launch_ports_resolve(struct op *op, const struct instance_type *limits, struct launch_ports *ports);
/* None of those there are has an address of IPv4. After they were resolved. */
bool launch_ports_lack_ipv4(const struct launch_ports *ports);
/* For one instance, whose row is there. */
RESULT launch_ports_write(struct op *op, const struct launch_ports *ports, const struct instance *instance,
			  struct tags tags);
