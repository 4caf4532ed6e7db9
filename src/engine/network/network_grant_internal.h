/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: network grants, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct network_grant;

/* target none: all accounts. Permissions and errors are those of engine_grant_network() and
 * engine_revoke_network(). */
RESULT network_grant_write(struct op *op, const struct network *network, uuid target, struct str field,
			   uuid *ret_grant);
RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field);
