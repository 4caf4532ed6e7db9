/* SPDX-License-Identifier: Apache-2.0
 * A domain's users. Callers hash passwords first (auth/sign_in/password.h), because hashing would block the committer
 * for too long. Requires an administrator, except for a user's own password. */
#pragma once

#include "engine/operation.h"

struct user_wish {
	struct ref domain; /* none: the default domain */
	struct str name, description, email;
	struct str password_hash;   /* empty: no password */
	struct ref default_account; /* none: no default account */
	enum choice enabled;        /* CHOICE_DEFAULT: yes */
	struct tags extra;          /* names and JSON values */
	bool ignores_case;          /* ERR_EXISTS also if the name differs from another's in case alone */
	/* result: */
	uuid user;
};
OPERATION(engine_create_user, user_wish)

/* Changes a user. A new password, and disabling, revoke all earlier tokens. ERR_PROTECTED: an account's owner
 * cannot be renamed or disabled. */
struct user_change {
	struct ref user;
	const struct str *name, *description, *email; /* NULL: no change */
	struct str password_hash;                     /* empty: no change */
	bool clears_password;                         /* removes the password */
	const struct ref *default_account;            /* NULL: no change; kind none: removes it */
	enum choice enabled;
	struct tags extra; /* added to the present ones, or replacing those of the same name; an empty value
			    * removes one */
	bool ignores_case; /* compares a new name as user_wish does */
};
OPERATION(engine_update_user, user_change)

/* Deletes a user with its keys, credentials, roles and memberships. ERR_PROTECTED: it is an account's
 * owner. */
struct user_target {
	struct ref user;
};
OPERATION(engine_delete_user, user_target)

/* Changes the user's own password. The caller has verified the password against hash_before. ERR_CONFLICT:
 * the password was changed meanwhile. */
struct own_password {
	struct ref user;
	struct str hash_before, password_hash;
};
OPERATION(engine_change_own_password, own_password)
