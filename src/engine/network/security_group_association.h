/* SPDX-License-Identifier: Apache-2.0
 * Security groups in further routers of their account. An association is a row only: ports of the
 * router may be in the group, and the router's groups may name it in rules. The group still belongs
 * to its own router, and neither it nor the other router can be deleted before the association. A
 * group of no router is good in each router and needs none. */
#pragma once

#include "engine/operation.h"

struct security_group;

enum { GROUP_ASSOCIATIONS_MAX = 100 }; /* of one group */

struct security_group_association_wish {
	struct ref group, router;
};
/* An existing association: OK, as for a call that was sent twice. ERR_INVALID: a default group, a
 * group of no router, its own router, or an account's default router. ERR_QUOTA with
 * KIND_SECURITY_GROUP_ASSOCIATION. */
OPERATION(engine_associate_security_group, security_group_association_wish)
/* ERR_NOT_FOUND with KIND_SECURITY_GROUP_ASSOCIATION: there is none. ERR_IN_USE with
 * KIND_SECURITY_GROUP: a port of that router is in the group. Rules of that router's groups that
 * name it are stale from now on. */
OPERATION(engine_disassociate_security_group, security_group_association_wish)

/* ---- reading: on the head or on a view that is read ---- */

/* Whether ports of the router (none: of no router) may be in the group. */
bool engine_is_group_in(const struct tables *t, const struct security_group *group, uuid router);
