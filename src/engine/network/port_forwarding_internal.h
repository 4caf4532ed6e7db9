/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what becomes of port forwardings with what they stand on. All of it runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct address;
struct subnet;

/* An elastic address that the caller may change, or, where that is allowed, the source NAT address of a router.
 * ERR_NOT_FOUND. */
RESULT port_forwarding_find_address(struct op *op, const struct ref *ref, bool may_be_source_nat,
				    const struct address **ret_address);
/* With the kind: ERR_CONFLICT, these public ports of the address lead somewhere already (but by one row);
 * ERR_QUOTA, too many do. */
RESULT port_forwarding_check_public(struct op *op, enum kind kind, uuid but, uuid address,
				    const char *protocol, int64_t first, int64_t last);
/* Ports of it are forwarded, or a load balancer's. */
bool port_forwarding_has_any(const struct tables *t, uuid address);
/* ERR_IN_USE with KIND_ADDRESS: some are. */
RESULT port_forwarding_check_none(struct op *op, const struct address *address, struct str field);
/* Those of an address end; those that lead to a port; to one of its addresses. */
RESULT port_forwarding_permit_ends(struct op *op, uuid address,
				   const char *permission); /* port_permit_end() of each */
RESULT port_forwarding_leave_address(struct op *op, uuid address);
RESULT port_forwarding_leave_port(struct op *op, uuid port);
RESULT port_forwarding_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* They go with a private address from port to port. */
RESULT port_forwarding_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* One leads to a port in the subnet, behind the router. */
bool port_forwarding_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
