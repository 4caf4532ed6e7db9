/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: addresses of NAT gateways. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* ERR_QUOTA with KIND_SECONDARY_IP: `count`, the primary address included, is over the limit. */
RESULT nat_gateway_check_count(struct op *op, size_t count, struct str field);
/* Finds an elastic address that the caller may associate. */
RESULT nat_gateway_find_address(struct op *op, const struct ref *ref, const struct address **ret_address);
/* Associates the address with a further private address of the gateway's port. wanted none: any free one. */
RESULT nat_gateway_add_address(struct op *op, const struct port *port, const struct address *address,
			       struct ip wanted, struct str field);
