/* SPDX-License-Identifier: Apache-2.0
 * Identities: users, groups and access keys of an account; and, for administrators, domains, accounts, limits and role
 * assignments.
 */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "auth/sign_in/password.h"
#include "engine/people/account/account.h"
#include "engine/people/account/account_user.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "engine/people/user_group.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "model/user_group.h"
#include "store/access_key.h"

/* ---- the account's own users ---- */

static const struct param user_params[] = {
	PARAM(struct account_user_wish, "name", name, .min = 1, .max = 64, .flags = REQUIRED,
	      .doc = "Name; unique in the account."),
	PARAM(struct account_user_wish, "path", path, .max = 512, .doc = "Path of the ARN; absent: /."),
	PARAM(struct account_user_wish, "tags", tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
};
static const struct param user_change_params[] = {
	PARAM(struct account_user_change, "name", name, .max = 64, .doc = "Name."),
	PARAM(struct account_user_change, "path", path, .max = 512, .doc = "Path of the ARN."),
};
static const struct param group_params[] = {
	PARAM(struct account_group_wish, "name", name, .min = 1, .max = 128, .flags = REQUIRED,
	      .doc = "Name; unique in the account."),
	PARAM(struct account_group_wish, "path", path, .max = 512, .doc = "Path of the ARN; absent: /."),
};
static const struct param member_params[] = {
	REF(membership, "user", user, USER, .flags = REQUIRED, .doc = "The user."),
};

/* ---- passwords ---- */

struct password_args {
	struct login_wish wish;
	struct str password;
};
static const struct param password_params[] = {
	PARAM(struct password_args, "password", password, .min = 1, .max = PASSWORD_SIZE_MAX,
	      .flags = REQUIRED, .doc = "Password; only a hash is stored."),
	PARAM(struct password_args, "is_first", wish.is_first,
	      .doc = "Whether the user must change the password at the next sign-in."),
};

/* Runs on the passwords' lane. */
static RESULT hash_password(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct password_args *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

static RESULT set_password(struct op *op, void *args)
{
	struct password_args *a = args;
	struct op_place place = op_place_now(op);
	struct result made = engine_create_login(op, &a->wish);
	if (made.code != ERR_EXISTS)
		return made;
	op_go_back(op, place);
	ctx_clear_problem(op->ctx);
	return engine_update_login(op, &a->wish);
}

/* ---- access keys ---- */

struct key_args {
	struct access_key_wish wish;
	struct access_key key;
	struct str secret;
};
static const struct param key_params[] = {
	REF(key_args, "user", wish.user, USER, .doc = "User; absent: the caller."),
};

static RESULT prepare_key(struct native_call *e, void *args)
{
	struct key_args *a = args;
	const struct row *user = NULL;
	if (!ref_is_given(&a->wish.user))
		a->wish.user = ref_by_id(KIND_USER, e->c->who->user);
	TRY(engine_find(e->c, native_tables(e), KIND_USER, &a->wish.user, &user));
	a->wish.user = ref_by_id(KIND_USER, user->id);
	a->wish.account = ref_by_id(KIND_ACCOUNT, e->c->who->account);
	a->wish.count_max = ACCESS_KEYS_OF_USER_MAX;
	a->key.row.id = id_new(KIND_ACCESS_KEY);
	TRY(key_draw(e->c, e->config->master_key, &a->key, &a->secret));
	a->wish.key = &a->key;
	return OK;
}

/* Returns the secret, which is shown only here. */
static RESULT answer_key(struct native_call *e, const void *args, struct json_writer *w)
{
	TRY(native_answer_change(e, w));
	json_write_text(w, "secret", ((const struct key_args *) args)->secret);
	return OK;
}

struct key_target {
	struct access_key_target wish;
	struct ref key;
};
static const struct param enable_params[] = {
	PARAM(struct key_target, "enabled", wish.enabled, .flags = REQUIRED,
	      .doc = "Enables the access key."),
};

/* Finds a key by row id or key id. Fails for keys of other accounts. */
static RESULT find_key(struct op *op, struct key_target *a)
{
	const struct row *row = NULL;
	const struct access_key *key = a->key.bits ? NULL : access_key_find_by_key_id(op->head, a->key.text);
	if (key)
		a->key = ref_by_id(KIND_ACCESS_KEY, key->row.id);
	TRY(engine_find_own(op->ctx, op->head, KIND_ACCESS_KEY, &a->key, &row));
	a->wish.key_id = access_key_of(row)->key_id;
	a->wish.user = ref_by_id(KIND_USER, access_key_of(row)->user);
	return OK;
}

static RESULT enable_key(struct op *op, void *args)
{
	TRY(find_key(op, args));
	return engine_enable_access_key(op, &((struct key_target *) args)->wish);
}

static RESULT delete_key(struct op *op, void *args)
{
	TRY(find_key(op, args));
	return engine_delete_access_key(op, &((struct key_target *) args)->wish);
}

/* ---- domains and accounts ---- */

static const struct param domain_params[] = {
	PARAM(struct domain_wish, "name", name, .min = 1, .max = 64, .flags = REQUIRED,
	      .doc = "Name; unique in the region."),
	PARAM(struct domain_wish, "description", description, .max = 255, .doc = "Description: free text."),
};
static const struct param domain_change_params[] = {
	PARAM(struct domain_change, "name", name, .min = 1, .max = 64, .doc = "Name."),
	PARAM(struct domain_change, "description", description, .max = 255, .doc = "Description: free text."),
	PARAM(struct domain_change, "enabled", enabled,
	      .doc = "Whether the domain is enabled. A disabled domain refuses all its users."),
	PARAM(struct domain_change, "passwords", passwords, .words = "accepted|directory-only|refused",
	      .doc = "Passwords accepted from users of the domain and its accounts: all, those of the LDAP "
		     "directory only, or none."),
};
struct account_args {
	struct account_wish wish;
	struct access_key key;
	struct str secret;
	bool with_key;
};
static const struct param account_params[] = {
	REF(account_args, "domain", wish.domain, DOMAIN, .doc = "Domain; absent: the default one."),
	PARAM(struct account_args, "name", wish.name, .min = 1, .max = 64, .flags = REQUIRED,
	      .doc = "Name; unique in the domain."),
	PARAM(struct account_args, "description", wish.description, .max = 255,
	      .doc = "Description: free text."),
	PARAM(struct account_args, "with_default_router", wish.with_default_router,
	      .doc = "Creates the account's default VPC."),
	PARAM(struct account_args, "with_key", with_key,
	      .doc = "Creates an access key of the owner; the answer contains the secret, once."),
};

static RESULT prepare_account(struct native_call *e, void *args)
{
	struct account_args *a = args;
	if (!a->with_key)
		return OK;
	a->key.row.id = id_new(KIND_ACCESS_KEY);
	a->wish.key = &a->key;
	return key_draw(e->c, e->config->master_key, &a->key, &a->secret);
}

static RESULT answer_account(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct account_args *a = args;
	TRY(native_answer_change(e, w));
	if (!a->with_key)
		return OK;
	json_write_open(w, "access_key");
	json_write_text(w, "key_id", a->key.key_id);
	json_write_text(w, "secret", a->secret);
	json_write_close(w);
	return OK;
}
static const struct param account_change_params[] = {
	PARAM(struct account_change, "name", name, .min = 1, .max = 64, .doc = "Name."),
	PARAM(struct account_change, "description", description, .max = 255,
	      .doc = "Description: free text."),
	PARAM(struct account_change, "enabled", enabled,
	      .doc = "Whether the account is enabled. Keys and tokens of a disabled account are refused."),
};

/* ---- limits ---- */

struct limits_args {
	struct account_limits wish, asked;
	struct {
#define QUOTA(ID, figure, ...) bool figure;
#define EACH(ID, figure, ...) bool figure;
#define KEPT(ID, figure, ...) bool figure;
#include "engine/limits.def"
	} has;
};
static const struct param limit_params[] = {
#define AT_MOST(figure)                                                                                      \
	PARAM(struct limits_args, #figure, asked.figure, .min = -1, .max = INT64_MAX,                        \
	      .given = offsetof(struct limits_args, has.figure) + 1, .doc = "Quota; -1: unlimited.")
#define QUOTA(ID, figure, ...) AT_MOST(figure),
#define EACH(ID, figure, ...) AT_MOST(figure),
#define KEPT(ID, figure, ...) AT_MOST(figure),
#include "engine/limits.def"
};

/* Limits that are not sent keep their values. */
static RESULT prepare_limits(struct native_call *e, void *args)
{
	struct limits_args *a = args;
	(void) e;
	a->wish = account_limits_all(a->wish.account, ACCOUNT_LIMIT_KEEP);
#define TAKE_ASKED(figure)                                                                                   \
	if (a->has.figure)                                                                                   \
		a->wish.figure = a->asked.figure;
#define QUOTA(ID, figure, ...) TAKE_ASKED(figure)
#define EACH(ID, figure, ...) TAKE_ASKED(figure)
#define KEPT(ID, figure, ...) TAKE_ASKED(figure)
#include "engine/limits.def"
	return OK;
}

/* Refuses groups of other accounts as if they did not exist. Groups of a domain are left to the engine. */
static RESULT prepare_member(struct native_call *e, void *args)
{
	const struct row *group = NULL;
	(void) args;
	TRY(engine_look_up_foreign(e->c, native_tables(e), KIND_USER_GROUP, &e->target, &group));
	bool is_accounts = !uuid_is_none(user_group_of(group)->account);
	return !is_accounts || engine_is_own(e->c, KIND_USER_GROUP, group)
		       ? OK
		       : engine_fail_not_found(e->c, KIND_USER_GROUP, &e->target);
}

/* ---- roles ---- */

static const struct param grant_params[] = {
	REF(role_grant, "role", role, ROLE, .flags = REQUIRED, .doc = "The role."),
	REF(role_grant, "user", user, USER, .doc = "Assignee: a user."),
	REF(role_grant, "user_group", user_group, USER_GROUP, .doc = "Assignee: a user group."),
	REF(role_grant, "account", account, ACCOUNT, .doc = "Target of the role assignment: an account."),
	REF(role_grant, "domain", domain, DOMAIN, .doc = "Target of the role assignment: a domain."),
	PARAM(struct role_grant, "system", system, .doc = "Target of the role assignment: the region."),
	PARAM(struct role_grant, "inherited", inherited,
	      .doc = "Whether the assignment applies to all accounts of the domain, instead of the domain "
		     "itself."),
};

static const struct native_action actions[] = {
	CREATE("/users", "iam:CreateUser", USER, .args = PARAMS(struct account_user_wish, user_params),
	       .operation = engine_create_account_user_run, .doc = "Creates a user of the account."),
	CHANGE(PATCH, "/users/{id}", "iam:UpdateUser", USER,
	       .args = PARAMS(struct account_user_change, user_change_params),
	       .target = NATIVE_AT(account_user_change, user), .operation = engine_update_account_user_run,
	       .doc = "Changes a user of the account."),
	DELETION("/users/{id}", "iam:DeleteUser", USER, account_user_target, user,
		 engine_delete_account_user_run, .doc = "Deletes a user of the account."),
	CHANGE(POST, "/users/{id}/password", "iam:CreateLoginProfile", USER,
	       .args = PARAMS(struct password_args, password_params),
	       .target = NATIVE_AT(password_args, wish.user), .work = hash_password,
	       .operation = set_password, .doc = "Sets the password of a user."),
	CREATE("/user-groups", "iam:CreateGroup", USER_GROUP,
	       .args = PARAMS(struct account_group_wish, group_params),
	       .operation = engine_create_account_group_run, .doc = "Creates a user group of the account."),
	CHANGE_OF(POST, "/user-groups/{id}/add", "iam:AddUserToGroup", USER_GROUP, KIND_GROUP_MEMBER,
		  .args = PARAMS(struct membership, member_params),
		  .target = NATIVE_AT(membership, user_group), .prepare = prepare_member,
		  .operation = engine_add_group_member_run, .doc = "Adds a user to a group."),
	CHANGE_OF(POST, "/user-groups/{id}/remove", "iam:RemoveUserFromGroup", USER_GROUP, KIND_GROUP_MEMBER,
		  .args = PARAMS(struct membership, member_params),
		  .target = NATIVE_AT(membership, user_group), .prepare = prepare_member,
		  .operation = engine_remove_group_member_run, .doc = "Removes a user from a group."),
	DELETION("/user-groups/{id}", "iam:DeleteGroup", USER_GROUP, account_group_target, user_group,
		 engine_delete_account_group_run, .doc = "Deletes a user group."),
	CREATE("/access-keys", "iam:CreateAccessKey", ACCESS_KEY, .args = PARAMS(struct key_args, key_params),
	       .prepare = prepare_key, .operation = engine_create_access_key_run, .answer = answer_key,
	       .doc = "Creates an access key. The answer contains the secret, once."),
	CHANGE(POST, "/access-keys/{id}/enable", "iam:UpdateAccessKey", ACCESS_KEY,
	       .args = PARAMS(struct key_target, enable_params), .target = NATIVE_AT(key_target, key),
	       .operation = enable_key, .doc = "Enables or disables an access key."),
	CHANGE(DELETE, "/access-keys/{id}", "iam:DeleteAccessKey", ACCESS_KEY,
	       .args = {.size = sizeof(struct key_target)}, .target = NATIVE_AT(key_target, key),
	       .operation = delete_key, .doc = "Deletes an access key."),
	ADMIN_CREATE("/domains", "organizations:CreateOrganization", DOMAIN,
		     .args = PARAMS(struct domain_wish, domain_params), .operation = engine_create_domain_run,
		     .doc = "Creates a domain."),
	ADMIN_CHANGE(PATCH, "/domains/{id}", "organizations:UpdateOrganization", DOMAIN,
		     .args = PARAMS(struct domain_change, domain_change_params),
		     .target = NATIVE_AT(domain_change, domain), .operation = engine_update_domain_run,
		     .doc = "Changes a domain."),
	ADMIN_CHANGE(DELETE, "/domains/{id}", "organizations:DeleteOrganization", DOMAIN,
		     .args = {.size = sizeof(struct domain_target)},
		     .target = NATIVE_AT(domain_target, domain), .operation = engine_delete_domain_run,
		     .doc = "Deletes a domain."),
	ADMIN_CREATE("/accounts", "organizations:CreateAccount", ACCOUNT,
		     .args = PARAMS(struct account_args, account_params), .prepare = prepare_account,
		     .operation = engine_create_account_run, .answer = answer_account,
		     .doc = "Creates an account."),
	ADMIN_CHANGE(PATCH, "/accounts/{id}", "organizations:UpdateAccount", ACCOUNT,
		     .args = PARAMS(struct account_change, account_change_params),
		     .target = NATIVE_AT(account_change, account), .operation = engine_update_account_run,
		     .doc = "Changes, enables or disables an account."),
	ADMIN_CHANGE(DELETE, "/accounts/{id}", "organizations:CloseAccount", ACCOUNT,
		     .args = {.size = sizeof(struct account_target)},
		     .target = NATIVE_AT(account_target, account), .operation = engine_delete_account_run,
		     .doc = "Deletes an account."),
	ADMIN_CHANGE(PATCH, "/accounts/{id}/limits", "ec2:ModifyAccountLimits", ACCOUNT,
		     .args = PARAMS(struct limits_args, limit_params),
		     .target = NATIVE_AT(limits_args, wish.account), .prepare = prepare_limits,
		     .operation = engine_set_limits_run, .doc = "Sets the quotas of an account."),
	ADMIN_CREATE("/role-assignments", "iam:GrantKeystoneRole", ROLE_ASSIGNMENT,
		     .args = PARAMS(struct role_grant, grant_params), .operation = engine_grant_role_run,
		     .doc = "Assigns a role."),
	ADMIN_CREATE("/role-assignments/revoke", "iam:RevokeKeystoneRole", ROLE_ASSIGNMENT,
		     .args = PARAMS(struct role_grant, grant_params), .operation = engine_revoke_role_run,
		     .doc = "Revokes a role."),
};
const struct api_actions native_people_actions = API_ACTIONS(actions);
