/* SPDX-License-Identifier: Apache-2.0
 * An account's own users and groups, as IAM makes them: named within the account, with a path.
 * Users and groups of domains are in user.h and user_group.h. One of those who has a role on the
 * account has policies there, too, but the account cannot change or delete it. For an account's
 * owner and managers, and those whom policies allow it. */
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
	struct ref boundary; /* none: none */
	/* made: */
	uuid user;
};
OPERATION(engine_create_account_user, account_user_wish)

struct account_user_change {
	struct ref user;
	struct str name, path; /* empty: as it is */
};
OPERATION(engine_update_account_user, account_user_change)

/* Deletes a user. ERR_IN_USE: it still has keys, a password, policies or groups. */
struct account_user_target {
	struct ref user;
};
OPERATION(engine_delete_account_user, account_user_target)

/* A user's password, which IAM calls a login profile. */
struct login_wish {
	struct ref user;
	struct str password_hash; /* empty: as it is */
	enum choice is_first;     /* to be changed at the first sign-in */
};
OPERATION(engine_create_login, login_wish) /* ERR_EXISTS: it has one */
OPERATION(engine_update_login, login_wish) /* ERR_NOT_FOUND: it has none */
OPERATION(engine_delete_login, login_wish) /* likewise */

struct account_group_wish {
	struct str name, path;
	/* made: */
	uuid user_group;
};
OPERATION(engine_create_account_group, account_group_wish)

struct account_group_change {
	struct ref user_group;
	struct str name, path; /* empty: as it is */
};
OPERATION(engine_update_account_group, account_group_change)

/* Deletes a group. ERR_IN_USE: it still has members or policies. */
struct account_group_target {
	struct ref user_group;
};
OPERATION(engine_delete_account_group, account_group_target)

/* ---- the account's settings ---- */

/* Sets or removes the account's alias. Empty: none. ERR_EXISTS: another account has it.
 * ERR_NOT_FOUND: it is not the one to be removed. */
struct account_alias {
	struct str alias;
};
OPERATION(engine_set_account_alias, account_alias)
OPERATION(engine_clear_account_alias, account_alias)
