/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: networks, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Writes a new row; sets its id, gen and, if 0, its MTU. */
RESULT network_write(struct op *op, struct network *network);
/* Checks that a network with this MTU may have a subnet of the block. ERR_STATE, in Neutron's words. */
RESULT network_check_mtu(struct op *op, uuid network, int64_t mtu, struct cidr block);
/* Raises the network's gen, which Neutron shows as revision_number, after a change of one of its parts. No-op
 * without a live network. */
RESULT network_touch(struct op *op, uuid network);
/* Deletes a network together with its firewall rules. */
RESULT network_delete_with_rules(struct op *op, uuid network);
