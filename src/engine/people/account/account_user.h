/* SPDX-License-Identifier: Apache-2.0
 * An account's own users and groups, as in IAM: named within the account, with a path. Users and groups of
 * domains are in user.h and user_group.h. A domain's user with a role on the account can have policies there,
 * too, but the account cannot change or delete it. Requires the account's owner, a manager or a policy. */
#pragma once

#include "engine/operation.h"

struct account;

enum {
	ACCOUNT_USERS_MAX = 5000,
	ACCOUNT_GROUPS_MAX = 300,
	GROUPS_OF_USER_MAX = 10,
	ACCESS_KEYS_OF_USER_MAX = 2,
};

struct account_user_wish {
	struct str name, path; /* path empty: "/" */
	struct tags tags;
	struct ref boundary; /* none: no boundary */
	/* result: */
	uuid user;
};
OPERATION(engine_create_account_user, account_user_wish)

struct account_user_change {
	struct ref user;
	struct str name, path; /* empty: no change */
};
OPERATION(engine_update_account_user, account_user_change)

/* Deletes a user. ERR_IN_USE: the user still has keys, a password, policies or groups. */
struct account_user_target {
	struct ref user;
};
OPERATION(engine_delete_account_user, account_user_target)

/* The password of a user: IAM's login profile. */
struct login_wish {
	struct ref user;
	struct str password_hash; /* empty: no change */
	enum choice is_first;     /* must be changed at the first sign-in */
};
OPERATION(engine_create_login, login_wish) /* ERR_EXISTS: the user has a password */
OPERATION(engine_update_login, login_wish) /* ERR_NOT_FOUND: the user has none */
OPERATION(engine_delete_login, login_wish) /* ERR_NOT_FOUND: the user has none */

struct account_group_wish {
	struct str name, path;
	/* result: */
	uuid user_group;
};
OPERATION(engine_create_account_group, account_group_wish)

struct account_group_change {
	struct ref user_group;
	struct str name, path; /* empty: no change */
};
OPERATION(engine_update_account_group, account_group_change)

/* Deletes a group. ERR_IN_USE: the group still has members or policies. */
struct account_group_target {
	struct ref user_group;
};
OPERATION(engine_delete_account_group, account_group_target)

/* ---- account settings ---- */

/* Sets or clears the account's alias. Empty: none. ERR_EXISTS: the alias belongs to another account.
 * ERR_NOT_FOUND: the account has another alias, or none. */
struct account_alias {
	struct str alias;
};
OPERATION(engine_set_account_alias, account_alias)
OPERATION(engine_clear_account_alias, account_alias)
