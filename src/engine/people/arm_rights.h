/* SPDX-License-Identifier: Apache-2.0
 * Who may what in Azure's words: role definitions and role assignments. An assignment gives its principal what its role allows,
 * at a place: the whole account, one resource group, or one resource and its parts. The guard asks for them beside IAM's policies
 * (auth/guard.h), so that they give it through every face, and a Deny anywhere wins.
 *
 * Changing any of them takes the account's owner, the role manager, or a policy. Sources: "Azure built-in roles"; "Understand
 * Azure role definitions". */
#pragma once

#include "engine/operation.h"

struct arm_assignment;
struct arm_role;

enum {
	ARM_ROLES_MAX = 5000,            /* of an account, as Azure's tenants have it */
	ARM_ASSIGNMENTS_MAX = 4000,      /* likewise, of a subscription */
	ARM_ASSIGNMENTS_OF_ONE = 256,    /* that may speak of one caller */
	ARM_PERMISSIONS_MAX = 64 * 1024, /* bytes of a role's JSON */
	ARM_SCOPE_MAX = 2048,
	ARM_NAME_MAX = 512, /* of a role, as Azure has it */
	ARM_DESCRIPTION_MAX = 1024,
};

/* Where something holds. */
struct arm_place {
	uuid group; /* this resource group; the account's own id: what is in none; none: anywhere in the account */
	enum kind kind; /* KIND_NONE: no resource by itself */
	uuid resource;
};
/* Whether something that is done in the account to the row is done there: in the group, to the resource or a part of it. */
bool engine_is_at_place(const struct tables *t, const struct arm_place *place, uuid account, enum kind kind,
			const struct row *row);
/* Whether one place is within another of the same account. */
bool engine_is_place_within(const struct arm_place *inner, const struct arm_place *outer);

/* ---- role definitions ---- */

/* One of an account's, or of Azure's own, which every account has. Texts last as long as the tables. */
struct arm_definition {
	uuid id;
	uint64_t commit; /* its version; 0: it is one of Azure's own */
	struct str name, description;
	struct str permissions;     /* JSON */
	const struct arm_role *row; /* NULL: Azure's own */
};
/* False: the account has none of that id. */
bool engine_find_definition(const struct tables *t, uuid account, uuid id,
			    struct arm_definition *ret_definition);
/* Azure's own, one after the other. False: there is no such number. */
bool engine_get_builtin_role(size_t number, struct arm_definition *ret_definition);

/* Makes one of that id, or replaces it. ERR_EXISTS: another one has the name. ERR_DENIED: it is one of Azure's own. */
struct arm_role_wish {
	uuid id;
	struct str name, description, permissions, scopes;
	bool is_new; /* made */
};
OPERATION(engine_put_arm_role, arm_role_wish)
/* ERR_IN_USE: it is assigned. */
struct arm_role_target {
	uuid id;
};
OPERATION(engine_delete_arm_role, arm_role_target)

/* ---- assignments ---- */

/* ERR_EXISTS: the same was assigned before (KIND_ARM_ASSIGNMENT), or the id stands for another. ERR_NOT_FOUND: no such
 * principal (KIND_USER) or role (KIND_ARM_ROLE). */
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

/* Whose it is: a user, a group or a role of IAM's. */
uuid engine_get_assigned(const struct arm_assignment *a);
struct arm_place engine_get_assignment_place(const struct arm_assignment *a);
/* Whether anybody has one, and whether the user (by itself, or by a group) has one in the account. */
bool engine_has_assignments(const struct tables *t);
bool engine_is_assigned(const struct tables *t, uuid user, uuid account);
/* Whether the user is in the group; a group of none: no. */
bool engine_is_member(const struct tables *t, uuid user, uuid user_group);
/* All that speak of a principal in the account, those of its groups, too. False: there are more than fit. */
struct arm_grant {
	struct arm_definition definition;
	struct arm_place place;
};
bool engine_find_grants(const struct tables *t, uuid principal, uuid account,
			struct arm_grant ret_grants[static ARM_ASSIGNMENTS_OF_ONE], size_t *ret_count);
