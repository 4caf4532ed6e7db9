/* SPDX-License-Identifier: Apache-2.0
 * Keystone's roles: definitions, assignments, and the rights they give. */
#pragma once

#include "engine/operation.h"
#include "model/role_words.h"

struct role;

enum { ROLES_MAX = 64 }; /* per region */

/* Effective roles: the assigned ones and those they imply, without duplicates, and their rights. */
struct roles {
	uuid at[ROLES_MAX];
	size_t count;
	unsigned rights; /* as in struct identity */
};

/* Finds the roles that a user has in a scope: direct, through groups, and inherited by a domain's or parent's
 * accounts. `where` is an account or a domain, depending on the scope. Unscoped: none. For the head or a
 * view. */
void engine_find_roles(const struct tables *t, uuid user, enum identity_scope scope, uuid where,
		       struct roles *ret_roles);
/* Adds the implied roles and computes the rights. */
void engine_close_roles(const struct tables *t, struct roles *roles);
/* True if a is within b, at any depth. For the head or a view. */
bool engine_is_account_within(const struct tables *t, uuid a, uuid b);
/* Keeps only the roles that are in the list or implied by it. */
void engine_narrow_roles(const struct tables *t, const struct uuids *list, struct roles *roles);
#define ROLE_SERVICE "service" /* of services' users: no rights, but may validate tokens */
/* True for the roles created with the region; they cannot be changed or deleted. */
bool engine_is_standard_role(const struct role *role);
/* The region's own role with that right, or NULL. */
const struct role *engine_find_standard_role(const struct tables *t, enum role_right right);

/* True if the user who asked for work that runs later may still act for the account: the user exists, is enabled, and
 * belongs to the account, has a role in it or a trust for it, or is an administrator of its domain or of the region. The
 * account itself is checked by engine_is_account_open(). user none: true, because no row names the system, the operator or
 * a role's session. */
bool engine_acts_still(const struct tables *t, uuid user, uuid account);

/* Protects those who make somebody an administrator of the region: only such administrators may
 * change their passwords, and the members of their groups. user or user_group may be none.
 * ERR_DENIED. */
RESULT engine_guard_administrators(struct op *op, uuid user, uuid user_group);
/* Likewise protects an account on which somebody has a role that makes an administrator of the region: only
 * such administrators may disable or delete it, because the role ends with the account. */
RESULT engine_guard_administrators_account(struct op *op, uuid account);

struct role_wish {
	struct str name, description;
	struct ref domain; /* kind none: a role of the region */
	struct tags extra; /* names and JSON values */
	struct strs rules; /* CloudStack's; the engine only keeps them */
	/* result: */
	uuid role;
};
OPERATION(engine_create_role, role_wish)

struct role_change {
	struct ref role;
	const struct str *name, *description; /* NULL: no change */
	struct tags extra;                    /* added to the present ones, or replacing those of the same
					       * name */
	const struct strs *rules;             /* instead of the present ones and of what the role implies;
					       * NULL: no change */
};
OPERATION(engine_update_role, role_change)

/* Deletes a role. ERR_PROTECTED: it was created with the region. */
struct role_target {
	struct ref role;
};
OPERATION(engine_delete_role, role_target)

/* Makes a role imply another, or ends that; no change if it is so. ERR_QUOTA: the role implies ROLES_MAX already. ERR_INVALID: the
 * implications would form a cycle. ERR_DENIED: a role of the region cannot imply one of a domain. */
struct role_implication {
	struct ref role, implied;
	bool implies; /* false: ends the implication; ERR_NOT_FOUND if there is none */
};
OPERATION(engine_imply_role, role_implication)

/* The wish names exactly one of user and user_group, and one of account, domain and system. */
struct role_grant {
	struct ref role, user, user_group, account, domain;
	bool system;
	bool inherited;          /* applies to the accounts within the domain or account, and not to itself */
	struct ref project_role; /* rules of the member of a project; kind none: no rules */
};
/* No change if the assignment exists, but for its project role. ERR_INVALID: the project role is of another project. */
OPERATION(engine_grant_role, role_grant)
OPERATION(engine_revoke_role, role_grant) /* ERR_NOT_FOUND with KIND_ROLE_ASSIGNMENT */
