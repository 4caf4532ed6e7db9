/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of network ACLs. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct network_acl_plan {
	uuid account, router;
	bool is_default; /* lets everything pass; else nothing */
	struct tags tags;
};
RESULT network_acl_write(struct op *op, const struct network_acl_plan *plan, uuid *ret_acl);
/* To everything of IPv6, as to IPv4, where its first entries are those that it was made with. */
RESULT network_acl_let_ipv6_through(struct op *op, uuid acl);
/* At once, as route tables. */
RESULT network_acl_forget_with_entries(struct op *op, uuid acl);
