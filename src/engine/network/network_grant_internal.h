/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of network grants. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct network_grant;

/* To everybody without a target; permitted and checked as engine_grant_network() and engine_revoke_network()
 * say. */
RESULT network_grant_write(struct op *op, const struct network *network, uuid target, struct str field,
			   uuid *ret_grant);
RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field);
