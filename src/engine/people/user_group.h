/* SPDX-License-Identifier: Apache-2.0
 * Groups of a domain's users, and their members. For administrators. The members of an account's
 * own group (account_user.h) are users of the account, and its owner and managers decide on
 * them. */
#pragma once

#include "engine/operation.h"

struct user_group_wish {
	struct ref domain; /* none: the default one */
	struct str name, description;
	struct tags extra; /* names and JSON values */
	/* made: */
	uuid user_group;
};
OPERATION(engine_create_user_group, user_group_wish)

struct user_group_change {
	struct ref user_group;
	const struct str *name, *description; /* NULL: as it is */
	struct tags extra;                    /* added to the present ones, or replace them */
};
OPERATION(engine_update_user_group, user_group_change)

struct user_group_target {
	struct ref user_group;
};
OPERATION(engine_delete_user_group, user_group_target)

struct membership {
	struct ref user_group, user;
};
OPERATION(engine_add_group_member, membership)    /* a user who is in it already: nothing changes */
OPERATION(engine_remove_group_member, membership) /* ERR_NOT_FOUND with KIND_GROUP_MEMBER */
