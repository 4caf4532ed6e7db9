/* SPDX-License-Identifier: Apache-2.0
 * Azure's resource groups, and what Azure Resource Manager calls the rows that its users made. The engine's other parts
 * know nothing of them: a resource is a name of a row, and passes away with that row, whoever deletes it.
 * reconcile/resource_group.c deletes what is in a group that is to go, and forgets names of what is gone. */
#pragma once

#include "engine/operation.h"

struct arm_resource;
struct resource_group;

enum { RESOURCE_GROUP_NAME_MAX = 90, RESOURCE_GROUPS_MAX = 980, ARM_RESOURCES_MAX = 100000 };

/* ---- groups ---- */

/* Makes a group, or replaces what is said of it. ERR_STATE: it is being deleted. */
struct resource_group_wish {
	struct str name; /* 1 to 90 characters */
	struct str managed_by;
	bool set_tags;
	struct tags tags;
	/* made or found: */
	uuid group;
	bool is_new;
};
OPERATION(engine_put_resource_group, resource_group_wish)

/* Has the group deleted, with all that is in it. ERR_DENIED: a policy keeps the caller from something of that.
 * ERR_NOT_FOUND. */
struct resource_group_target {
	uuid group;
};
OPERATION(engine_delete_resource_group, resource_group_target)
/* For the reconciler: deletes what can be deleted now of a group that is to go, and forgets it when nothing is left. Where something
 * cannot be deleted, and nothing is on its way out, the group stays and its problem says why. Gone: OK. */
OPERATION(engine_empty_resource_group, resource_group_target)

/* The account's group of that name, in any case; NULL: none. */
const struct resource_group *engine_find_resource_group(const struct tables *t, struct arena *a, uuid account,
							struct str name);

/* ---- resources ---- */

/* Names a row that the change has made, or says something else of one that has a name. ERR_EXISTS: another row has that
 * name. */
struct arm_resource_wish {
	uuid group;            /* none: dari-default */
	struct str type, name; /* "Microsoft.Network/virtualNetworks/subnets", "vnet1/default" */
	enum kind kind;        /* of target */
	uuid target;
	struct str definition; /* a JSON object of what no row has; empty: nothing */
	/* made or found: */
	uuid resource;
};
OPERATION(engine_name_resource, arm_resource_wish)

/* For the reconciler: forgets the name of what is gone. */
struct arm_resource_target {
	uuid resource;
};
OPERATION(engine_forget_resource, arm_resource_target)

/* What has that name, if it is not gone; NULL: nothing. Letter case does not matter. */
const struct arm_resource *engine_find_resource(const struct tables *t, struct arena *a, uuid account,
						uuid group, struct str type, struct str name);
/* The name of a row, that its own account gave it; NULL: it has none. */
const struct arm_resource *engine_find_name(const struct tables *t, uuid target);
/* Whether what it names is gone, or another account's. */
bool engine_is_resource_gone(const struct tables *t, const struct arm_resource *r);
