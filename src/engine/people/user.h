/* SPDX-License-Identifier: Apache-2.0
 * A domain's users. Callers hash passwords before (auth/password.h), because hashing takes too long
 * for the committer. For administrators, except for a user's own password. */
#pragma once

#include "engine/operation.h"

struct user_wish {
	struct ref domain; /* none: the default one */
	struct str name, description, email;
	struct str password_hash;   /* empty: no password opens it */
	struct ref default_account; /* none: none */
	enum choice enabled;        /* CHOICE_DEFAULT: yes */
	struct tags extra;          /* names and JSON values */
	/* made: */
	uuid user;
};
OPERATION(engine_create_user, user_wish)

/* Changes a user. A new password, and disabling, end all earlier tokens. ERR_PROTECTED: an
 * account's own user keeps its name and cannot be disabled. */
struct user_change {
	struct ref user;
	const struct str *name, *description, *email; /* NULL: as it is */
	struct str password_hash;                     /* empty: as it is */
	bool clears_password;                         /* no password opens it any more */
	const struct ref *default_account;            /* NULL: as it is; to a ref of kind none: none */
	enum choice enabled;
	struct tags extra; /* added to the present ones, or replace them */
};
OPERATION(engine_update_user, user_change)

/* Deletes a user with its keys, credentials, roles and memberships. ERR_PROTECTED: it is an
 * account's own. */
struct user_target {
	struct ref user;
};
OPERATION(engine_delete_user, user_target)

/* A user's change of the own password. The caller has proved the password that hash_before was made
 * of. ERR_CONFLICT: the password was changed meanwhile. */
struct own_password {
	struct ref user;
	struct str hash_before, password_hash;
};
OPERATION(engine_change_own_password, own_password)
