/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: sets of load balancers. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Removes an address of an interface (none: all its addresses) from all pools. */
RESULT balancer_set_leave_ip(struct op *op, uuid port, struct ip private_ip);
