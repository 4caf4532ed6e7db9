/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of NAT gateways. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* ERR_QUOTA with KIND_SECONDARY_IP: more than it may have, the first included. */
RESULT nat_gateway_check_count(struct op *op, size_t count, struct str field);
/* An elastic one that the caller may associate. */
RESULT nat_gateway_find_address(struct op *op, const struct ref *ref, const struct address **ret_address);
/* Lets it stand for another private address of the gateway's interface: that one, or any when it is none. */
RESULT nat_gateway_add_address(struct op *op, const struct port *port, const struct address *address,
			       struct ip wanted, struct str field);
