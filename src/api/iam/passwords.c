/* SPDX-License-Identifier: Apache-2.0
 * Passwords. A user's password is IAM's login profile, and Keystone accepts it with the user's id. Also the
 * account's password policy. Hashing runs outside the HTTP threads (auth/sign_in/password.h). */
#include "api/iam/internal.h"
#include "auth/sign_in/login.h"
#include "engine/people/account/account_user.h"
#include "engine/people/credential/password_policy.h"
#include "engine/people/user.h"
#include "model/user.h"
#include "store/account.h"

/* ---- login profiles ---- */

struct login_profile {
	struct login_wish wish;
	struct str password;
	struct strs refused; /* hashes of passwords that the policy refuses */
};
#define PASSWORD(T, wire, member, ...)                                                                       \
	PARAM(T, wire, member, .flags = 0 __VA_ARGS__, .min = 1, .max = 128, .doc = "Password.")
#define IS_FIRST                                                                                             \
	PARAM(struct login_profile, "PasswordResetRequired", wish.is_first,                                  \
	      .doc = "Whether the user must change the password at the next sign-in.")
static const struct param create_params[] = {IAM_USER(struct login_profile, wish.user, | REQUIRED),
					     PASSWORD(struct login_profile, "Password", password, | REQUIRED),
					     IS_FIRST};
static const struct param update_params[] = {IAM_USER(struct login_profile, wish.user, | REQUIRED),
					     PASSWORD(struct login_profile, "Password", password), IS_FIRST};
static const struct param user_params[] = {IAM_USER(struct login_profile, wish.user, | REQUIRED)};

static RESULT check_password(struct iam_call *e, struct str plain)
{
	return engine_check_password(e->c, account_find(iam_tables(e), e->c->who->account), plain);
}

static RESULT prepare_login(struct iam_call *e, void *args)
{
	struct login_profile *a = args;
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->wish.user, &user)); /* checked before the password is hashed */
	e->skips_work = !a->password.n;
	if (e->skips_work)
		return OK;
	TRY(check_password(e, a->password));
	return engine_list_refused_passwords(e->c, iam_tables(e), user, &a->refused);
}

static RESULT hash_new(struct iam_call *e, const struct strs *refused, struct str plain, struct str *ret_hash)
{
	if (password_is_one_of(e->config->passwords, e->c, refused, plain))
		return engine_fail_reused_password(e->c);
	return password_hash(e->config->passwords, e->c, plain, ret_hash);
}

static RESULT hash_login(struct work_item *w)
{
	struct iam_call *e = w->arg;
	struct login_profile *a = e->args;
	return hash_new(e, &a->refused, a->password, &a->wish.password_hash);
}

static RESULT show_login(struct iam_call *e, const void *args, struct xml *x)
{
	const struct login_profile *a = args;
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->wish.user, &user));
	if (!user->password_hash.n)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("UserName"),
				      "Login Profile for User %" STR_FMT " cannot be found.",
				      STR_ARG(user->name));
	xml_open(x, "LoginProfile");
	xml_text(x, "UserName", user->name);
	iam_write_time(x, "CreateDate", user->password_set_us ? user->password_set_us : user->row.created_us);
	xml_z(x, "PasswordResetRequired", user->password_is_first ? "true" : "false");
	xml_close(x, "LoginProfile");
	return OK;
}

/* ---- one's own ---- */

struct own_change {
	struct own_password wish;
	struct str original, password;
	struct strs refused;
	uuid user;
};
static const struct param own_params[] = {PASSWORD(struct own_change, "OldPassword", original, | REQUIRED),
					  PASSWORD(struct own_change, "NewPassword", password, | REQUIRED)};

static RESULT prepare_own(struct iam_call *e, void *args)
{
	struct own_change *a = args;
	const struct user *user = NULL;
	TRY(iam_choose_user(e, &a->wish.user));
	TRY(iam_find_user(e, &a->wish.user, &user));
	if (!user->password_hash.n)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Login Profile for User %" STR_FMT " cannot be found.",
				STR_ARG(user->name));
	if (!login_accepts_hash(iam_tables(e), user))
		return ctx_fail(e->c, ERR_DENIED, "Passwords are not accepted in the account's domain.");
	a->user = user->row.id;
	a->wish.hash_before = str_copy(e->c->arena, user->password_hash);
	TRY(engine_list_refused_passwords(e->c, iam_tables(e), user, &a->refused));
	return check_password(e, a->password);
}

static RESULT check_and_hash(struct work_item *w)
{
	struct iam_call *e = w->arg;
	struct own_change *a = e->args;
	const struct login_attempt who = {a->user, e->call->peer};
	if (password_check(e->config->passwords, e->c, &who, a->wish.hash_before, a->original) !=
	    PASSWORD_RIGHT)
		return ctx_fail(e->c, ERR_DENIED, "The old password is not the user's.");
	return hash_new(e, &a->refused, a->password, &a->wish.password_hash);
}

/* ---- what the account wants of them ---- */

#define W struct password_policy
static const struct param policy_params[] = {
	PARAM(W, "MinimumPasswordLength", length_min, .min = 6, .max = 128, .absent = "6",
	      .doc = "Minimum number of characters."),
	PARAM(W, "RequireSymbols", symbols, .doc = "Requires a symbol."),
	PARAM(W, "RequireNumbers", digits, .doc = "Requires a digit."),
	PARAM(W, "RequireUppercaseCharacters", capitals, .doc = "Requires an uppercase letter."),
	PARAM(W, "RequireLowercaseCharacters", small_letters, .doc = "Requires a lowercase letter."),
	PARAM(W, "AllowUsersToChangePassword", own, .doc = "Whether users may change their own password."),
	PARAM(W, "MaxPasswordAge", age_days, .min = 1, .max = PASSWORD_AGE_DAYS_MAX,
	      .doc = "Number of days after which a password must be changed."),
	PARAM(W, "PasswordReusePrevention", reuse, .min = 1, .max = PASSWORD_REUSE_MAX,
	      .doc = "Number of recent passwords that cannot be reused."),
	PARAM(W, "HardExpiry", hard_expiry,
	      .doc = "Whether an expired password can only be replaced by an administrator or with an access "
		     "key."),
};
#undef W

static RESULT show_policy(struct iam_call *e, const void *args, struct xml *x)
{
	const struct account *a = account_find(iam_tables(e), e->c->who->account);
	(void) args;
	if (!a || !a->password_length_min)
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"The Password Policy with domain name %" STR_FMT " cannot be found.",
				STR_ARG(e->c->who->account_number));
	const struct {
		const char *name;
		bool value;
	} told[] = {{"RequireSymbols", a->password_symbols},
		    {"RequireNumbers", a->password_digits},
		    {"RequireUppercaseCharacters", a->password_capitals},
		    {"RequireLowercaseCharacters", a->password_small_letters},
		    {"AllowUsersToChangePassword", a->password_own},
		    {"ExpirePasswords", a->password_age_days > 0},
		    {"HardExpiry", a->password_hard_expiry}};
	xml_open(x, "PasswordPolicy");
	iam_write_int(e, x, "MinimumPasswordLength", a->password_length_min);
	for (size_t k = 0; k < sizeof told / sizeof told[0]; k++)
		xml_z(x, told[k].name, told[k].value ? "true" : "false");
	if (a->password_age_days)
		iam_write_int(e, x, "MaxPasswordAge", a->password_age_days);
	if (a->password_reuse)
		iam_write_int(e, x, "PasswordReusePrevention", a->password_reuse);
	xml_close(x, "PasswordPolicy");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateLoginProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct login_profile, create_params), .prepare = prepare_login, .work = hash_login,
	 .operation = engine_create_login_run, .answer = show_login, .doc = "Creates a password for a user."},
	{IAM_ACTION("GetLoginProfile"), .args = PARAMS(struct login_profile, user_params),
	 .answer = show_login, .doc = "Returns the creation time of a user's password."},
	{IAM_ACTION("UpdateLoginProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct login_profile, update_params), .prepare = prepare_login, .work = hash_login,
	 .operation = engine_update_login_run,
	 .doc = "Changes a user's password, and revokes earlier tokens."},
	{IAM_ACTION("DeleteLoginProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct login_profile, user_params), .operation = engine_delete_login_run,
	 .doc = "Deletes the password of a user."},
	{IAM_ACTION("ChangePassword"), .flags = API_WRITES | IAM_OWN,
	 .args = PARAMS(struct own_change, own_params), .prepare = prepare_own, .work = check_and_hash,
	 .operation = engine_change_own_password_run, .doc = "Changes the caller's own password."},
	{IAM_ACTION("UpdateAccountPasswordPolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct password_policy, policy_params), .operation = engine_set_password_policy_run,
	 .doc = "Sets the password policy of the account's users, for IAM and Keystone."},
	{IAM_ACTION("GetAccountPasswordPolicy"), .args = {0, 0, sizeof(struct password_policy)},
	 .answer = show_policy, .doc = "Returns the password policy."},
	{IAM_ACTION("DeleteAccountPasswordPolicy"), .flags = API_WRITES,
	 .args = {0, 0, sizeof(struct password_policy)}, .operation = engine_clear_password_policy_run,
	 .doc = "Deletes the password policy. The default one applies again."},
};
const struct api_actions iam_password_actions = API_ACTIONS(actions);
