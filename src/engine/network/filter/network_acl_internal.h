/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: network ACLs, for other files of the engine. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

struct network_acl_plan {
	uuid account, router;
	bool is_default; /* allows everything in both directions; otherwise nothing */
	struct tags tags;
};
RESULT network_acl_write(struct op *op, const struct network_acl_plan *plan, uuid *ret_acl);
/* Allows all IPv6 in each direction in which the entry that allows all IPv4 is still as it was created. */
RESULT network_acl_let_ipv6_through(struct op *op, uuid acl);
