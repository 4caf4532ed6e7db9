/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of networks. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Its id, gen and MTU are set here. */
RESULT network_write(struct op *op, struct network *network);
/* With what was granted of it, and its firewall rules. */
RESULT network_delete_with_grants(struct op *op, uuid network);
