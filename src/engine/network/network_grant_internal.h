/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: network grants, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct network_grant;

/* A grant's target and kind; all zero: all accounts may have ports in the network. */
struct network_grantee {
	uuid target;
	bool is_external;
};
/* Permissions and errors are those of engine_grant_network() and engine_revoke_network(). */
RESULT network_grant_write(struct op *op, const struct network *network,
			   const struct network_grantee *grantee, struct str field, uuid *ret_grant);
/* Lets all accounts use a new external network. The caller has checked permissions. */
RESULT network_grant_open_to_all(struct op *op, const struct network *network);
/* Removes all grants of an external network that becomes internal, except those for ports. */
RESULT network_grant_forget_external(struct op *op, uuid network);
RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field);
