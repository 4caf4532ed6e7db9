/* SPDX-License-Identifier: Apache-2.0
 * An account's password policy: the form of its users' passwords, their age, and the reuse of earlier ones. Users of domains have
 * no policy. Sources: IAM User Guide, "Set an account password policy for IAM users"; API reference, PasswordPolicy. */
#pragma once

#include "engine/operation.h"
#include "engine/people/user.h"

struct account;
struct user;

enum {
	PASSWORD_AGE_DAYS_MAX = 1095,
	PASSWORD_REUSE_MAX = 24, /* IAM's bound, and so the bound of a user's stored hashes */
};

struct password_policy {
	int64_t length_min; /* 0: there is no policy, and the usual rule holds */
	bool symbols, digits, capitals, small_letters;
	bool own;         /* users may change their own */
	int64_t age_days; /* 0: passwords do not expire */
	int64_t reuse; /* the user's latest passwords, the present one among them, that are refused; 0: none */
	bool hard_expiry; /* an expired password is not renewed at the sign-in */
};
OPERATION(engine_set_password_policy, password_policy)
OPERATION(engine_clear_password_policy, password_policy) /* ERR_NOT_FOUND: there is none */

/* Checks a password against the account's policy; without one it must have eight characters of
 * three kinds. account NULL: any password will do. ERR_INVALID with KIND_ACCOUNT. */
RESULT engine_check_password(struct ctx *c, const struct account *account, struct str plain);

/* Time at which the user's password expires; 0: never, or there is no password. */
int64_t engine_password_expiry(const struct tables *t, const struct user *user);

/* Effect of a correct password at sign-in. Access keys do not expire. */
enum password_standing {
	PASSWORD_LETS_IN,
	PASSWORD_MUST_CHANGE, /* before it lets in: it has expired, or an administrator set it for the first sign-in */
	PASSWORD_DEAD, /* it has expired, and only an administrator or an access key replaces it */
};
enum password_standing engine_weigh_password(const struct tables *t, const struct user *user, int64_t now_us);

/* Hashes of the passwords that the user may not choose again, in the arena: hashing them is the caller's work
 * (auth/sign_in/password.h). */
RESULT engine_list_refused_passwords(struct ctx *c, const struct tables *t, const struct user *user,
				     struct strs *ret_hashes);
RESULT engine_fail_reused_password(struct ctx *c);

/* Replaces the password of the caller, who has proved the present one. ERR_CONFLICT: it was changed meanwhile. ERR_DENIED: the caller
 * is another user or nobody; a policy denies it; the password is dead; or it need not change, and the account does not let its users
 * change theirs. */
OPERATION(engine_renew_password, own_password)
