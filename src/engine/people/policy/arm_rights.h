/* SPDX-License-Identifier: Apache-2.0
 * Azure's role definitions and role assignments. An assignment grants a principal the role's permissions at a
 * place: the whole account, one resource group, or one resource and its parts. The guard evaluates them with
 * IAM's policies (auth/guard/guard.h), so they apply to all faces, and a Deny anywhere wins. Changing them requires
 * the account's owner, the role manager, or a policy. Sources: "Azure built-in roles"; "Understand Azure role
 * definitions". */
#pragma once

#include "engine/operation.h"

struct arm_assignment;
struct arm_role;

enum {
	ARM_ROLES_MAX = 5000,            /* per account, like Azure's limit per tenant */
	ARM_ASSIGNMENTS_MAX = 4000,      /* per account, like Azure's limit per subscription */
	ARM_ASSIGNMENTS_OF_ONE = 256,    /* assignments that apply to one caller */
	ARM_PERMISSIONS_MAX = 64 * 1024, /* bytes of a role's JSON */
	ARM_SCOPE_MAX = 2048,
	ARM_NAME_MAX = 512, /* a role's name, Azure's limit */
	ARM_DESCRIPTION_MAX = 1024,
};

/* The scope of an assignment or lock. */
struct arm_place {
	uuid group;     /* this resource group; the account's id: resources in no group; none: the whole
		     * account */
	enum kind kind; /* KIND_NONE: no single resource */
	uuid resource;
};
/* True if an action on the row in the account is within the place: in the group, or on the resource or a part
 * of it. */
bool engine_is_at_place(const struct tables *t, const struct arm_place *place, uuid account, enum kind kind,
			const struct row *row);
/* True if a place is within another place of the same account. */
bool engine_is_place_within(const struct arm_place *inner, const struct arm_place *outer);

/* ---- role definitions ---- */

/* A role definition of an account, or a built-in one, which every account has. The texts live as long as the
 * tables. */
struct arm_definition {
	uuid id;
	uint64_t commit; /* version; 0: built-in */
	struct str name, description;
	struct str permissions;     /* JSON */
	const struct arm_role *row; /* NULL: built-in */
};
/* False: the account has no such definition. */
bool engine_find_definition(const struct tables *t, uuid account, uuid id,
			    struct arm_definition *ret_definition);
/* Enumerates the built-in roles. False: number out of range. */
bool engine_get_builtin_role(size_t number, struct arm_definition *ret_definition);

/* Creates the role with that id, or replaces it. ERR_EXISTS: the name is in use. ERR_DENIED: it is a built-in
 * role. */
struct arm_role_wish {
	uuid id;
	struct str name, description, permissions, scopes;
	bool is_new; /* result */
};
OPERATION(engine_put_arm_role, arm_role_wish)
/* ERR_IN_USE: the role is assigned. */
struct arm_role_target {
	uuid id;
};
OPERATION(engine_delete_arm_role, arm_role_target)

/* ---- assignments ---- */

/* ERR_EXISTS: the same assignment exists (KIND_ARM_ASSIGNMENT), or the id belongs to another. ERR_NOT_FOUND:
 * no such principal (KIND_USER) or role (KIND_ARM_ROLE). */
struct arm_assignment_wish {
	uuid id, principal, definition;
	struct arm_place place;
	struct str scope, description;
};
OPERATION(engine_create_arm_assignment, arm_assignment_wish)
struct arm_assignment_target {
	uuid id;
};
OPERATION(engine_delete_arm_assignment, arm_assignment_target)

/* The principal: a user, a group or an IAM role. */
uuid engine_get_assigned(const struct arm_assignment *a);
struct arm_place engine_get_assignment_place(const struct arm_assignment *a);
/* True if there is any assignment; true if the user has one in the account, directly or through a group. */
bool engine_has_assignments(const struct tables *t);
bool engine_is_assigned(const struct tables *t, uuid user, uuid account);
/* True if the user is in the group; false for no group. */
bool engine_is_member(const struct tables *t, uuid user, uuid user_group);
/* Lists all assignments of a principal in the account, including those of its groups. False: more than
 * ARM_ASSIGNMENTS_OF_ONE. */
struct arm_grant {
	struct arm_definition definition;
	struct arm_place place;
};
bool engine_find_grants(const struct tables *t, uuid principal, uuid account,
			struct arm_grant ret_grants[static ARM_ASSIGNMENTS_OF_ONE], size_t *ret_count);
