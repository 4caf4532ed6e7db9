/* SPDX-License-Identifier: Apache-2.0
 * Associations of security groups with further routers of their account. Ports of the router may then be in
 * the group, and its groups may name the group in rules. The group still belongs to its own router; neither
 * the group nor the associated router can be deleted before the association. A group without a router is
 * valid everywhere and needs none. */
#pragma once

#include "engine/operation.h"

struct security_group;

enum { GROUP_ASSOCIATIONS_MAX = 100 }; /* per group */

struct security_group_association_wish {
	struct ref group, router;
};
/* OK if the association exists. ERR_INVALID: a default group, a group without a router, the group's own
 * router, or an account's default router. ERR_QUOTA with KIND_SECURITY_GROUP_ASSOCIATION. */
OPERATION(engine_associate_security_group, security_group_association_wish)
/* ERR_NOT_FOUND with KIND_SECURITY_GROUP_ASSOCIATION: there is no association. ERR_IN_USE with
 * KIND_SECURITY_GROUP: a port of the router is in the group. Rules of the router's groups that name the group
 * become stale. */
OPERATION(engine_disassociate_security_group, security_group_association_wish)

/* ---- reading, on any tables ---- */

/* True if ports of the router (none: ports without a router) may be in the group. */
bool engine_is_group_in(const struct tables *t, const struct security_group *group, uuid router);
