/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of sets of load balancers. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* An address of an interface goes, or with none all of its addresses: it is in no pool. */
RESULT balancer_set_leave_ip(struct op *op, uuid port, struct ip private_ip);
