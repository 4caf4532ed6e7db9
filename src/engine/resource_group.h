/* SPDX-License-Identifier: Apache-2.0
 * Azure's resource groups, and the names that Azure Resource Manager gives to rows. The rest of the engine
 * does not know them: a resource is a name for a row and disappears with the row. reconcile/resource_group.c
 * deletes the contents of a group that is being deleted, and forgets names of deleted rows. */
#pragma once

#include "engine/operation.h"

struct arm_resource;
struct later_guard;
struct resource_group;

enum { RESOURCE_GROUP_NAME_MAX = 90, RESOURCE_GROUPS_MAX = 980, ARM_RESOURCES_MAX = 100000 };

/* ---- groups ---- */

/* Creates a group, or replaces its attributes. ERR_STATE: it is being deleted. */
struct resource_group_wish {
	struct str name; /* 1 to 90 characters */
	struct str managed_by;
	bool set_tags;
	struct tags tags;
	/* created or found: */
	uuid group;
	bool is_new;
};
OPERATION(engine_put_resource_group, resource_group_wish)

/* Starts the deletion of a group with its contents. ERR_DENIED: a policy denies the caller the deletion of
 * something in it. ERR_NOT_FOUND. */
struct resource_group_target {
	uuid group;
};
OPERATION(engine_delete_resource_group, resource_group_target)
/* For the reconciler: one step of the deletion; forgets the group when nothing is left. If nothing can be
 * deleted and nothing is being deleted, or its asker may not delete it any more, the group stays, and its problem
 * says why. OK if it is gone. */
struct resource_group_emptying {
	uuid group;
	struct later_guard *
		guard; /* asks the asker's policies again (engine/people/asker.h); NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_empty_resource_group, resource_group_emptying)

/* The account's group with that name, case-insensitive, or NULL. */
const struct resource_group *engine_find_resource_group(const struct tables *t, struct arena *a, uuid account,
							struct str name);

/* ---- resources ---- */

/* Names a row that the change created, or changes a named row. ERR_EXISTS: another row has that name. */
struct arm_resource_wish {
	uuid group;            /* none: dari-default */
	struct str type, name; /* "Microsoft.Network/virtualNetworks/subnets", "vnet1/default" */
	enum kind kind;        /* of target */
	uuid target;
	struct str definition; /* JSON object with attributes that no row stores; empty: none */
	/* created or found: */
	uuid resource;
};
SYSTEM_OPERATION(engine_name_resource, arm_resource_wish)

/* For the reconciler: forgets the name of a deleted row. */
struct arm_resource_target {
	uuid resource;
};
SYSTEM_OPERATION(engine_forget_resource, arm_resource_target)

/* The resource with that name, case-insensitive, or NULL. Leaves out deleted rows. */
const struct arm_resource *engine_find_resource(const struct tables *t, struct arena *a, uuid account,
						uuid group, struct str type, struct str name);
/* The name that a row's own account gave it, or NULL. */
const struct arm_resource *engine_find_name(const struct tables *t, uuid target);
/* True if the named row is gone, or belongs to another account. */
bool engine_is_resource_gone(const struct tables *t, const struct arm_resource *r);
