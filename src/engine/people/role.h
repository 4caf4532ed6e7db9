/* SPDX-License-Identifier: Apache-2.0
 * Keystone's roles, who has which of them where, and what follows from it. */
#pragma once

#include "engine/operation.h"
#include "model/role.h"

enum { ROLES_MAX = 64 }; /* in a region */

/* Effective roles: the assigned ones and those that they imply, each once; and the rights in
 * them. */
struct roles {
	uuid at[ROLES_MAX];
	size_t count;
	unsigned rights; /* as in struct identity */
};

/* The roles that a user has in a scope: by itself, by its groups, and by what a domain passes on to
 * its accounts. `where` is an account or a domain, by the scope. Unscoped: none. On the head, or on
 * a view that is read. */
void engine_find_roles(const struct tables *t, uuid user, enum identity_scope scope, uuid where,
		       struct roles *ret_roles);
/* Adds what the roles imply, and computes their rights. */
void engine_close_roles(const struct tables *t, struct roles *roles);
/* Whether a is within b, at any depth. On the head, or on a view that is read. */
bool engine_is_account_within(const struct tables *t, uuid a, uuid b);
/* Keeps only those that are in the list, or that the list implies. */
void engine_narrow_roles(const struct tables *t, const struct uuids *list, struct roles *roles);
#define ROLE_SERVICE "service" /* of other services' own users: gives no right, and validates tokens */
/* True for the roles that every region is made with; they cannot be changed or deleted. */
bool engine_is_standard_role(const struct role *role);
/* The role with that right that the region was made with, or NULL. */
const struct role *engine_find_standard_role(const struct tables *t, enum role_right right);

/* True if somebody who asked for work that runs later may still act for the account: the user is there and enabled (whether
 * the account itself is suspended is another question), and belongs to the account, has a role in it or a trust for it, or is an administrator of its domain or of the region. user
 * none: true, because no row names the system, the operator or a role's session. */
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
	struct ref domain; /* kind none: of the region */
	struct tags extra; /* names and JSON values */
	/* made: */
	uuid role;
};
OPERATION(engine_create_role, role_wish)

struct role_change {
	struct ref role;
	const struct str *name, *description; /* NULL: as it is */
	struct tags extra;                    /* added to the present ones, or replace them */
};
OPERATION(engine_update_role, role_change)

/* Deletes a role. ERR_PROTECTED: the region was made with it. */
struct role_target {
	struct ref role;
};
OPERATION(engine_delete_role, role_target)

/* Makes a role imply another, or no longer. A repetition is OK. ERR_QUOTA: it implies ROLES_MAX already. ERR_INVALID: roles
 * would imply each other in a circle. ERR_DENIED: a role of the region would imply one of a domain. */
struct role_implication {
	struct ref role, implied;
	bool implies; /* true: from now on; false: no longer, and ERR_NOT_FOUND if it did not */
};
OPERATION(engine_imply_role, role_implication)

/* Exactly one of user and user_group, and one of account, domain and system. */
struct role_grant {
	struct ref role, user, user_group, account, domain;
	bool system;
	bool inherited; /* from a domain or an account: on the accounts in it, and not on itself */
};
OPERATION(engine_grant_role, role_grant)  /* an assignment that exists: nothing changes */
OPERATION(engine_revoke_role, role_grant) /* ERR_NOT_FOUND with KIND_ROLE_ASSIGNMENT */
