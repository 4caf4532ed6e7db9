/* SPDX-License-Identifier: Apache-2.0
 * Roles, who has which where, and what follows from it. */
#pragma once

#include "engine/operation.h"
#include "model/role.h"

enum { ROLES_MAX = 64 }; /* in a region */

/* Effective roles: assigned ones and what they imply, each once; and the rights in them. */
struct roles {
	uuid at[ROLES_MAX];
	size_t count;
	unsigned rights; /* as in struct identity */
};

/* What a user has there: by itself, by its groups, by what a domain passes on to its accounts. where is an
 * account or a domain by the scope; unscoped: nothing. On the head or on a view that walks. */
void engine_find_roles(const struct tables *t, uuid user, enum identity_scope scope, uuid where,
		       struct roles *ret_roles);
/* Adds what the roles imply, and works out their rights. */
void engine_close_roles(const struct tables *t, struct roles *roles);
/* Of those only what is in the list or implied by it. */
void engine_narrow_roles(const struct tables *t, const struct uuids *list, struct roles *roles);
/* The role that the region was made with, or NULL. */
const struct role *engine_find_standard_role(const struct tables *t, enum role_right right);

/* Who is an administrator of the region is in the hands of such ones only: neither their passwords nor the
 * members of their groups are a domain's administrator's to change. Either may be none. ERR_DENIED. */
RESULT engine_guard_administrators(struct op *op, uuid user, uuid user_group);

struct role_wish {
	struct str name, description;
	struct tags extra; /* names and JSON values */
	/* made: */
	uuid role;
};
OPERATION(engine_create_role, role_wish)

struct role_change {
	struct ref role;
	const struct str *name, *description; /* NULL: as it is */
	struct tags extra;                    /* added to those there are, or in their place */
};
OPERATION(engine_update_role, role_change)

/* ERR_PROTECTED for those that the region was made with. */
struct role_target {
	struct ref role;
};
OPERATION(engine_delete_role, role_target)

/* One role implying another. Both may be said again. ERR_INVALID when it would go round in a circle. */
struct role_implication {
	struct ref role, implied;
	bool implies; /* from now on, or no longer: then ERR_NOT_FOUND when it did not */
};
OPERATION(engine_imply_role, role_implication)

/* Exactly one of user and user_group, and of account, domain and system. */
struct role_grant {
	struct ref role, user, user_group, account, domain;
	bool system;
	bool inherited; /* of a domain: on its accounts, not on itself */
};
OPERATION(engine_grant_role, role_grant)  /* which is there already: nothing changes */
OPERATION(engine_revoke_role, role_grant) /* ERR_NOT_FOUND with KIND_ROLE_ASSIGNMENT */
