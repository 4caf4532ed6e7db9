/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: trunks, for the operations of ports. */
#pragma once

#include "engine/internal.h"

struct port;

/* ERR_IN_USE with KIND_TRUNK, field "subport": the port is a sub-port; field "parent": it is the parent of a trunk. */
RESULT trunk_check_no_subport(struct op *op, const struct port *port);
RESULT trunk_check_no_parent(struct op *op, const struct port *port);
/* Before the port goes: forgets its trunk, and releases it or its sub-ports. */
RESULT trunk_leave_port(struct op *op, uuid port);
