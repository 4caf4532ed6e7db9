/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what becomes of port forwardings with what they stand on. All of it runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct address;
struct subnet;

/* ERR_IN_USE with KIND_ADDRESS: some of its ports are forwarded. */
RESULT port_forwarding_check_none(struct op *op, const struct address *address, struct str field);
/* Those of an address end; those that lead to a port; to one of its addresses. */
RESULT port_forwarding_leave_address(struct op *op, uuid address);
RESULT port_forwarding_leave_port(struct op *op, uuid port);
RESULT port_forwarding_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* They go with a private address from port to port. */
RESULT port_forwarding_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* One leads to a port in the subnet, behind the router. */
bool port_forwarding_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
