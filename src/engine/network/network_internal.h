/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: networks, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Writes a new row; sets its id, gen and, if 0, its MTU. */
RESULT network_write(struct op *op, struct network *network);
/* Deletes a network together with its grants and firewall rules. */
RESULT network_delete_with_grants(struct op *op, uuid network);
