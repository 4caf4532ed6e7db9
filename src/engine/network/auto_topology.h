/* SPDX-License-Identifier: Apache-2.0
 * Neutron's auto-allocated topology: a network with a subnet from each default subnet pool, and a router to
 * the default external network. An account gets one if a call needs any network. */
#pragma once

#include "engine/operation.h"

struct auto_topology {
	struct ref
		account; /* owner, for administrators (ERR_DENIED with KIND_EXTERNAL_NETWORK for others); kind
			  * none: the caller's account */
	bool only_checks; /* only checks whether the topology could be made */
	/* outputs: */
	uuid account_id, network; /* found or made; none with only_checks */
};
/* Finds the account's topology, or makes it. ERR_STATE with KIND_EXTERNAL_NETWORK: the region has no default
 * pool or default external network. */
OPERATION(engine_get_auto_topology, auto_topology)
/* Deletes the account's topology; OK if there is none. ERR_IN_USE: something uses it. */
OPERATION(engine_delete_auto_topology, auto_topology)
