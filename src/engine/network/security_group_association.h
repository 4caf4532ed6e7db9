/* SPDX-License-Identifier: Apache-2.0
 * Security groups in further routers of their account: rows only, so that ports there may be in the group and
 * the groups there name it in rules. The group stays its own router's; neither it nor the other router goes
 * before the association does. A group of no router is good in each and needs none. */
#pragma once

#include "engine/operation.h"

struct security_group;

enum { GROUP_ASSOCIATIONS_MAX = 100 }; /* of one group */

struct security_group_association_wish {
	struct ref group, router;
};
/* There already: OK, as a call that was sent twice. ERR_INVALID: a default group, a group of no router, its
 * own router, an account's default router. ERR_QUOTA with KIND_SECURITY_GROUP_ASSOCIATION. */
OPERATION(engine_associate_security_group, security_group_association_wish)
/* ERR_NOT_FOUND with KIND_SECURITY_GROUP_ASSOCIATION: it is not there. ERR_IN_USE with KIND_SECURITY_GROUP: a
 * port of that router is in the group. Rules of that router's groups that name it are stale from now on. */
OPERATION(engine_disassociate_security_group, security_group_association_wish)

/* ---- reading: on the head or on a view that walks ---- */

/* Whether ports of the router (none: of no router) may be in the group. */
bool engine_is_group_in(const struct tables *t, const struct security_group *group, uuid router);
