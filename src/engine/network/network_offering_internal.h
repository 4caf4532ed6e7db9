/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: checks of network offerings. */
#pragma once

#include "engine/internal.h"

struct network_offering;

/* Finds an offering for new networks, or (of_vpc) for new VPCs. ERR_NOT_FOUND: unknown, of the other sort, or not
 * offered to the caller. ERR_STATE: disabled. */
RESULT network_offering_find_enabled(struct op *op, const struct ref *ref, bool of_vpc,
				     const struct network_offering **ret_offering);

enum network_service { NETWORK_STATIC_NAT, NETWORK_PORT_FORWARDING, NETWORK_LOAD_BALANCING };
/* Checks that the network's offering includes the service. ERR_UNSUPPORTED. A network without an offering may
 * use all services. */
RESULT network_check_service(struct op *op, uuid network, enum network_service service, struct str field);
