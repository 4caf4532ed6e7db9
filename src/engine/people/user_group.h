/* SPDX-License-Identifier: Apache-2.0
 * Groups of a domain's users, and their members. Requires an administrator. Members of an account's own group
 * (account_user.h) are users of the account, and its owner and managers change them. */
#pragma once

#include "engine/operation.h"

struct user_group_wish {
	struct ref domain; /* none: the default domain */
	struct str name, description;
	struct tags extra; /* names and JSON values */
	/* result: */
	uuid user_group;
};
OPERATION(engine_create_user_group, user_group_wish)

struct user_group_change {
	struct ref user_group;
	const struct str *name, *description; /* NULL: no change */
	struct tags extra;                    /* added to the present ones, or replacing those of the same
					       * name; an empty value removes one */
};
OPERATION(engine_update_user_group, user_group_change)

struct user_group_target {
	struct ref user_group;
};
OPERATION(engine_delete_user_group, user_group_target)

struct membership {
	struct ref user_group, user;
};
OPERATION(engine_add_group_member, membership)    /* no change if the user is a member */
OPERATION(engine_remove_group_member, membership) /* ERR_NOT_FOUND with KIND_GROUP_MEMBER */
