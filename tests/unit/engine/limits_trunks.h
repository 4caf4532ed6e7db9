/* SPDX-License-Identifier: Apache-2.0
 * Private to test_limits.c: trunks. */
#pragma once

#include "engine/network/port/trunk.h"

/* Every trunk has a port of its own, in one network. */
static uuid trunk_network;
static void has_a_network(struct cloud *c)
{
	is_a_network(c);
	trunk_network = owner;
	owner = c->alice.account;
}
static RESULT make_trunk(struct cloud *c, int n)
{
	struct network_port_wish port = {.network = ref_to(c, KIND_NETWORK, trunk_network),
					 .name = numbered(c, "parent", n)};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	struct trunk_wish wish = {.port = ref_to(c, KIND_PORT, port.port), .name = numbered(c, "trunk", n)};
	MAKE(c, &c->alice, engine_create_trunk, wish, trunk);
}
DROP(trunk, engine_delete_trunk, trunk_target, .trunk = ref_to(c, KIND_TRUNK, made))
