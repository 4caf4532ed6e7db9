/* SPDX-License-Identifier: Apache-2.0
 * Project roles (CloudStack): rules about the commands that a project's members may run, beside their Keystone role. */
#pragma once

#include "engine/operation.h"

enum { PROJECT_ROLES_MAX = 64 }; /* in one project */

struct project_role_wish {
	struct ref account; /* the project */
	struct str name, description;
	/* result: */
	uuid role;
};
/* ERR_EXISTS with KIND_PROJECT_ROLE: the project has a role of that name. ERR_QUOTA: it has PROJECT_ROLES_MAX. */
OPERATION(engine_create_project_role, project_role_wish)

struct project_role_change {
	struct ref role;
	const struct str *name, *description; /* NULL: no change */
	const struct strs *rules;             /* instead of the present ones; NULL: no change */
};
OPERATION(engine_update_project_role, project_role_change)

/* ERR_DENIED with KIND_PROJECT_ROLE: a member has the role. */
struct project_role_target {
	struct ref role;
};
OPERATION(engine_delete_project_role, project_role_target)
