/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what networks may by their offerings. */
#pragma once

#include "engine/internal.h"

struct network_offering;

/* One that networks may be made by. ERR_NOT_FOUND: there is none such for the caller. ERR_STATE: it is not enabled. */
RESULT network_offering_find_enabled(struct op *op, const struct ref *ref,
				     const struct network_offering **ret_offering);

enum network_service { NETWORK_STATIC_NAT, NETWORK_PORT_FORWARDING, NETWORK_LOAD_BALANCING };
/* ERR_UNSUPPORTED: the network's offering is without it. One that has no offering may all. */
RESULT network_check_service(struct op *op, uuid network, enum network_service service, struct str field);
