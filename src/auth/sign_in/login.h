/* SPDX-License-Identifier: Apache-2.0
 * Signing in by name and password, in every face: the password of a user of this region is compared with its hash, that of a
 * directory's user is proved by the directory (drivers/ldap_directory.h). A name of the directory's domain that the region does not
 * know is looked up there, and becomes a user at the first sign-in.
 *
 * A domain may refuse passwords, or those that the directory does not prove: for its people, and for its accounts' own users. The way in
 * that stays is `dari console` on the machine, and keys.
 *
 * A face calls login_find() with its view, login_check() on the passwords' lane, and login_find_proved() with a later view. */
#pragma once

#include "auth/sign_in/password.h"
#include "drivers/ldap_directory.h"

struct store;
struct tables;
struct user;

/* The directory that people of one domain come from, and which of its groups are groups of that domain. */
struct login_directory {
	struct str domain; /* name */
	struct ldap_directory ldap;
	struct strs groups; /* "GROUP", or "GROUP = GROUP OF THE DOMAIN"; LOGIN_GROUPS_MAX at most */
};
enum { LOGIN_GROUPS_MAX = 64 };

/* A person who has typed name and password. Strings are in the arena of login_find()'s context. */
struct login {
	uuid user; /* none: unknown, disabled, or new from the directory */
	struct str hash;
	uuid domain; /* the directory's domain, where the directory proves the password; none: the hash is compared */
	struct str name;
	/* The domain refuses passwords: nobody is found, and the face says so in its own words. Unset for an account's own users, so that
	 * strangers do not learn which accounts there are. */
	bool is_off;
};

/* user: the one of that domain and name, or NULL. domain none: an account's own users, whom no directory knows. */
RESULT login_find(struct passwords *p, struct ctx *c, const struct tables *t, uuid domain, struct str name,
		  const struct user *user, struct login *ret_login);
/* Blocks. True: the password is right, and login->user is set. A directory that can't be reached lets nobody in, and is in the log. */
bool login_check(struct passwords *p, struct ctx *c, struct login *login, struct ip peer, struct str plain);
/* Makes a person of the directory a user of the domain, with name, address and groups as they are there now. ret_user may be NULL.
 * ERR_UNAUTHENTICATED: the user is disabled, or the name is another user's. */
RESULT login_admit(struct store *store, struct ctx *c, const struct login_directory *d, uuid domain,
		   const struct ldap_person *person, uuid *ret_user);
/* True if a domain's setting lets the password that this region stores prove who the user is. Ask before comparing it for another
 * purpose than a sign-in, such as setting a new one: the answer would tell whether a guess is right. */
bool login_accepts_hash(const struct tables *t, const struct user *user);
/* The user, if nothing has changed since login_find(), or NULL. */
const struct user *login_find_proved(const struct tables *t, const struct login *login);
