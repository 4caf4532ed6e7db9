/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: port forwardings that follow addresses and ports. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct address;
struct subnet;

/* Finds an elastic address of the caller, or with may_be_source_nat a router's source NAT address.
 * ERR_NOT_FOUND. */
RESULT port_forwarding_find_address(struct op *op, const struct ref *ref, bool may_be_source_nat,
				    const struct address **ret_address);
/* Checks public ports of an address against forwardings and load balancers except the row `but`. With the
 * kind: ERR_CONFLICT, ports are in use; ERR_QUOTA, FORWARDED_PORTS_MAX. */
RESULT port_forwarding_check_public(struct op *op, enum kind kind, uuid but, uuid address,
				    const char *protocol, int64_t first, int64_t last);
/* True if the address has a port forwarding or a load balancer. */
bool port_forwarding_has_any(const struct tables *t, uuid address);
/* ERR_IN_USE with KIND_ADDRESS: the address has a port forwarding or a load balancer. */
RESULT port_forwarding_check_none(struct op *op, const struct address *address, struct str field);
/* End the forwardings of an address, to a port, or to one of its private addresses.
 * port_forwarding_permit_ends() asks for the permission first. */
RESULT port_forwarding_permit_ends(struct op *op, uuid address,
				   const char *permission); /* port_permit_end() of each */
RESULT port_forwarding_leave_address(struct op *op, uuid address);
RESULT port_forwarding_leave_port(struct op *op, uuid port);
RESULT port_forwarding_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* Moves the forwardings to a private address to another port along with it. */
RESULT port_forwarding_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);
/* True if a forwarding leads to a port in the subnet, behind the router. */
bool port_forwarding_is_in(const struct tables *t, uuid router, const struct subnet *subnet);
