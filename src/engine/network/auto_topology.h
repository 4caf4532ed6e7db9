/* SPDX-License-Identifier: Apache-2.0
 * A network, with a subnet from each of the region's default pools and a router that leads to its default external network,
 * made for an account as a whole where it asks for any network: Neutron's auto-allocated topology. */
#pragma once

#include "engine/operation.h"

struct auto_topology {
	struct ref
		account; /* another's: for administrators. ERR_DENIED with KIND_EXTERNAL_NETWORK. Kind none: the caller's */
	bool only_checks; /* says whether it could be made, and makes nothing */
	/* made: */
	uuid account_id, network; /* network: found or made; none with only_checks */
};
/* The account's one, made if there is none. ERR_STATE with KIND_EXTERNAL_NETWORK: the region lacks what it is made of. */
OPERATION(engine_get_auto_topology, auto_topology)
/* Deletes it; none: OK. ERR_IN_USE: something is in it. */
OPERATION(engine_delete_auto_topology, auto_topology)
