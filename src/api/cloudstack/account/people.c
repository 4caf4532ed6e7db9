/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes domains, accounts and users, which are shared with Keystone.
 */
#include "api/cloudstack/account/people.h"
#include "auth/sign_in/password.h"
#include "base/json_write.h"
#include "engine/people/account/account_person.h"
#include "engine/people/account/account_purge.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/role.h"

enum { EXTRA_MAX = 3 };

/* ---- what a person is called ---- */

struct names {
	struct str first, last, timezone;
};
#define NAMES(T, member, flag)                                                                               \
	PARAM(T, "firstname", member.first, .flags = (flag), .doc = "First name."),                          \
		PARAM(T, "lastname", member.last, .flags = (flag), .doc = "Last name."),                     \
		PARAM(T, "timezone", member.timezone, .doc = "Time zone; stored and shown only.")

static RESULT add_name(struct cs_call *e, const char *key, struct str text, struct tag *at, size_t *count)
{
	struct buf out;
	struct json_writer w;
	if (!text.n)
		return OK;
	buf_init(&out, BUF_ANSWER_CAP);
	json_write_begin(&w, &out);
	json_write_text(&w, NULL, text);
	struct result result = json_write_end(&w);
	at[(*count)++] = (struct tag){str_from(key), str_copy(e->c->arena, buf_str(&out))};
	buf_done(&out);
	return result;
}

/* Stores the person's names as extra attributes, as Keystone does. */
static RESULT take_names(struct cs_call *e, const struct names *names, struct tags *ret_extra)
{
	struct tag *at = arena_new_array(e->c->arena, struct tag, EXTRA_MAX);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	TRY(add_name(e, "firstname", names->first, at, &count));
	TRY(add_name(e, "lastname", names->last, at, &count));
	TRY(add_name(e, "timezone", names->timezone, at, &count));
	*ret_extra = (struct tags){at, count};
	return OK;
}

/* ---- made: an account with its first user, or a further one ---- */

struct make_person {
	struct account_person wish;
	struct names names;
	struct str password, account;
	struct ref domain, role;
	int64_t type;
};
#define PERSON                                                                                               \
	PARAM(struct make_person, "username", wish.user.name, .flags = REQUIRED, .min = 1,                   \
	      .doc = "Name; unique in the domain."),                                                         \
		PARAM(struct make_person, "password", password, .flags = REQUIRED, .max = PASSWORD_SIZE_MAX, \
		      .doc = "Password."),                                                                   \
		PARAM(struct make_person, "email", wish.user.email, .flags = REQUIRED,                       \
		      .doc = "Email address."),                                                              \
		NAMES(struct make_person, names, REQUIRED),                                                  \
		PARAM(struct make_person, "domainid", domain, .kind = KIND_DOMAIN,                           \
		      .doc = "Domain of the account; absent: the root."),                                    \
		NOT_BUILT("userid")
static const struct param account_params[] = {
	PERSON,
	PARAM(struct make_person, "account", account, .doc = "Account name; absent: the user's name."),
	PARAM(struct make_person, "accounttype", type, .min = 0, .max = 2,
	      .doc = "Account type: 0 for a user, 1 for a root administrator, 2 for a domain administrator."),
	PARAM(struct make_person, "roleid", role, .kind = KIND_ROLE, .doc = "Role, instead of the type."),
	NOT_BUILT("accountid|accountdetails|networkdomain"),
};
static const struct param user_params[] = {
	PERSON,
	PARAM(struct make_person, "account", account, .flags = REQUIRED, .doc = "Account of the user."),
};

static RESULT choose_right(struct cs_call *e, struct make_person *a)
{
	static const enum role_right of_types[] = {ROLE_RIGHT_MEMBER, ROLE_RIGHT_ADMIN, ROLE_RIGHT_MANAGER};
	const struct role *role = ref_is_given(&a->role) ? role_find(cs_tables(e), a->role.prefix) : NULL;
	a->wish.right = role ? role->right : of_types[a->type];
	bool is_hidden = role && role->right == ROLE_RIGHT_NONE && engine_is_standard_role(role);
	if (ref_is_given(&a->role) && (!role || is_hidden || !uuid_is_none(role->domain)))
		return cs_fail_id(e, KIND_ROLE, "roleid", a->role.text);
	if (role && role->right == ROLE_RIGHT_NONE)
		a->wish.role = a->role;
	return OK;
}

static RESULT prepare_account(struct cs_call *e, void *args)
{
	struct make_person *a = args;
	a->wish.makes_account = true;
	a->wish.account.domain = a->domain;
	a->wish.account.name = a->account.n ? a->account : a->wish.user.name;
	TRY(choose_right(e, a));
	return take_names(e, &a->names, &a->wish.user.extra);
}

static RESULT prepare_user(struct cs_call *e, void *args)
{
	struct make_person *a = args;
	uuid domain = ref_is_given(&a->domain) ? a->domain.prefix : DOMAIN_DEFAULT;
	const struct account *account = account_find_by_domain(cs_tables(e), domain, a->account);
	if (!account || !row_is_live(&account->row))
		return cs_fail(e, "account", "Unable to find account %" STR_FMT " in the domain",
			       STR_ARG(a->account));
	const struct role *role = cs_role_of(cs_tables(e), account->row.id);
	a->wish.in = ref_by_id(KIND_ACCOUNT, account->row.id);
	a->wish.right = role && role->right != ROLE_RIGHT_NONE ? role->right : ROLE_RIGHT_MEMBER;
	if (role && role->right == ROLE_RIGHT_NONE)
		a->wish.role = cs_ref_of(e->c, KIND_ROLE, role->row.id, "account");
	return take_names(e, &a->names, &a->wish.user.extra);
}

static RESULT hash_new(struct work_item *w)
{
	struct cs_call *e = w->arg;
	struct make_person *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.user.password_hash);
}

/* ---- users ---- */

struct change_user {
	struct user_change wish;
	struct names names;
	struct str password;
};
#define USER                                                                                                 \
	PARAM(struct change_user, "id", wish.user, .kind = KIND_USER, .flags = REQUIRED, .doc = "The user.")
static const struct param update_user_params[] = {
	USER,
	PARAM(struct change_user, "username", wish.name, .doc = "New name."),
	PARAM(struct change_user, "email", wish.email, .doc = "New email address."),
	PARAM(struct change_user, "password", password, .max = PASSWORD_SIZE_MAX,
	      .doc = "New password. It ends the user's sessions."),
	NAMES(struct change_user, names, 0),
	NOT_BUILT("apikeyaccess|currentpassword|mandate2fa|userapikey|usersecretkey"),
};
static const struct param one_user_params[] = {USER};

static RESULT prepare_update_user(struct cs_call *e, void *args)
{
	struct change_user *a = args;
	e->skips_work = !a->password.n;
	return take_names(e, &a->names, &a->wish.extra);
}

static RESULT hash_changed(struct work_item *w)
{
	struct cs_call *e = w->arg;
	struct change_user *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

static RESULT enable_user(struct cs_call *e, void *args)
{
	(void) e;
	((struct change_user *) args)->wish.enabled = CHOICE_YES;
	return OK;
}

static RESULT disable_user(struct cs_call *e, void *args)
{
	(void) e;
	((struct change_user *) args)->wish.enabled = CHOICE_NO;
	return OK;
}

/* ---- accounts ---- */

struct change_account {
	struct account_change wish;
	struct str account;
	struct ref domain, role;
	enum choice locks;
};
#define ACCOUNT                                                                                              \
	PARAM(struct change_account, "id", wish.account, .kind = KIND_ACCOUNT, .doc = "The account."),       \
		PARAM(struct change_account, "account", account,                                             \
		      .doc = "Account name, instead of the id; needs the domain."),                          \
		PARAM(struct change_account, "domainid", domain, .kind = KIND_DOMAIN,                        \
		      .doc = "Domain of the account.")
static const struct param update_account_params[] = {
	ACCOUNT,
	PARAM(struct change_account, "newname", wish.name, .doc = "New name."),
	PARAM(struct change_account, "roleid", role, .kind = KIND_ROLE,
	      .doc = "New role of the account's users."),
	NOT_BUILT("accountdetails|apikeyaccess|networkdomain"),
};
static const struct param enable_account_params[] = {ACCOUNT};
static const struct param disable_account_params[] = {
	ACCOUNT,
	PARAM(struct change_account, "lock", locks, .flags = REQUIRED,
	      .doc = "false: disables the account. true, which would lock it, is not implemented."),
};

/* Finds the account by its id, or by name and domain. */
static RESULT choose_account(struct cs_call *e, void *args)
{
	struct change_account *a = args;
	if (ref_is_given(&a->wish.account))
		return OK;
	if (!a->account.n || !ref_is_given(&a->domain))
		return cs_fail(e, "id", "Either the id, or account and domainid, must be specified");
	const struct account *found = account_find_by_domain(cs_tables(e), a->domain.prefix, a->account);
	if (!found || !row_is_live(&found->row))
		return cs_fail(e, "account", "Unable to find account %" STR_FMT " in the domain",
			       STR_ARG(a->account));
	a->wish.account = ref_by_id(KIND_ACCOUNT, found->row.id);
	return OK;
}

static RESULT check_role(struct cs_call *e, const struct ref *ref)
{
	const struct role *role = role_find(cs_tables(e), ref->prefix);
	bool is_hidden = role && role->right == ROLE_RIGHT_NONE && engine_is_standard_role(role);
	return !ref_is_given(ref) || (role && !is_hidden && uuid_is_none(role->domain))
		       ? OK
		       : cs_fail_id(e, KIND_ROLE, "roleid", ref->text);
}

static RESULT prepare_update_account(struct cs_call *e, void *args)
{
	struct change_account *a = args;
	TRY(check_role(e, &a->role));
	TRY(choose_account(e, a));
	if (ref_is_given(&a->role) && uuid_equal(a->wish.account.prefix, e->c->who->account))
		return cs_fail(e, "roleid", "The role of your own account cannot be changed");
	return OK;
}

static RESULT update_account(struct op *op, void *args)
{
	struct change_account *a = args;
	TRY(engine_update_account(op, &a->wish));
	return ref_is_given(&a->role) ? cs_change_account_role(op, a->wish.account.prefix, a->role.prefix)
				      : OK;
}

static RESULT enable_account(struct cs_call *e, void *args)
{
	struct change_account *a = args;
	a->wish.enabled = CHOICE_YES;
	return choose_account(e, a);
}

static RESULT disable_account(struct cs_call *e, void *args)
{
	struct change_account *a = args;
	a->wish.enabled = CHOICE_NO;
	if (a->locks == CHOICE_YES)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("lock"),
				      "Locking an account is not supported");
	return choose_account(e, a);
}

/* ---- domains ---- */

struct make_domain {
	struct domain_wish wish;
};
static const struct param create_domain_params[] = {
	PARAM(struct make_domain, "name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Name; unique."),
	PARAM(struct make_domain, "parentdomainid", wish.parent, .kind = KIND_DOMAIN,
	      .doc = "Parent domain; absent: the root."),
	NOT_BUILT("domainid|networkdomain"),
};

static const struct param update_domain_params[] = {
	PARAM(struct domain_change, "id", domain, .kind = KIND_DOMAIN, .flags = REQUIRED,
	      .doc = "The domain."),
	PARAM(struct domain_change, "name", name, .doc = "New name."),
	NOT_BUILT("networkdomain"),
};

struct delete_domain {
	struct domain_target target;
	enum choice with_accounts;
};
static const struct param delete_domain_params[] = {
	PARAM(struct delete_domain, "id", target.domain, .kind = KIND_DOMAIN, .flags = REQUIRED,
	      .doc = "The domain, which is deleted with its users."),
	PARAM(struct delete_domain, "cleanup", with_accounts,
	      .doc = "Also deletes the accounts of the domain and their resources."),
};

/* Source: DomainManagerImpl.publishRemoveEventsAndRemoveDomain(). */
static RESULT prepare_delete_domain(struct cs_call *e, void *args)
{
	const struct delete_domain *a = args;
	const struct domain *domain = domain_find(cs_tables(e), a->target.domain.prefix);
	const struct account *account = domain ? account_first_by_domain(cs_tables(e), domain->row.id) : NULL;
	bool is_above = domain && domain_first_by_parent(cs_tables(e), domain->row.id);
	while (account && !row_is_live(&account->row))
		account = account_next_by_domain(cs_tables(e), account);
	if (!is_above && (!account || a->with_accounts == CHOICE_YES))
		return OK;
	return cs_fail_within(e,
			      "Delete failed on domain %" STR_FMT " (id: %" STR_FMT
			      "); Please make sure all users and sub domains have been removed from the "
			      "domain before deleting",
			      STR_ARG(domain->name), STR_ARG(uuid_to_str(e->c->arena, domain->row.id)));
}

/* Source: AccountManagerImpl.deleteUserAccount(), isDeleteNeeded() and checkIfAccountManagesProjects(). */
static RESULT prepare_delete_account(struct cs_call *e, void *args)
{
	const struct tables *t = cs_tables(e);
	const struct account *account = account_find(t, ((struct account_target *) args)->account.prefix);
	struct str projects = STR_NONE;
	if (!account || !row_is_live(&account->row))
		return OK;
	struct str id = uuid_to_str(e->c->arena, account->row.id);
	if (uuid_equal(account->row.id, e->c->who->account))
		return cs_fail(e, "id",
			       "Deletion of your own account is not allowed. To delete account %" STR_FMT
			       " (ID: %" STR_FMT ", Domain: %" STR_FMT
			       "), request to another user with permissions to perform the operation.",
			       STR_ARG(account->name), STR_ARG(id),
			       STR_ARG(uuid_to_str(e->c->arena, account->domain)));
	if (cs_is_project(t, account->row.id))
		return cs_fail(e, "id", "The specified account does not exist in the system");
	TRY(cs_list_managed(e->c, t, account->row.id, &projects));
	return projects.n ? cs_fail(e, "id",
				    "Unable to delete account [%" STR_FMT
				    "], because it manages the following project(s): [%" STR_FMT
				    "]. Please, remove the account from these projects or demote it to a "
				    "regular project role first.",
				    STR_ARG(id), STR_ARG(projects))
			  : OK;
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
#define NOTHING_STORED .returns = API_RETURNS_NOTHING_STORED
static const struct cs_action actions[] = {
	{CS_ACTION("createAccount", "identity:create_project"), CHANGES,
	 .args = PARAMS(struct make_person, account_params), .prepare = prepare_account, .work = hash_new,
	 .operation = engine_create_person_run, .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct make_person, wish.account.account), .shows = &cs_accounts,
	 .doc = "Creates an account with a user."},
	{CS_ACTION("createUser", "identity:create_user"), CHANGES,
	 .args = PARAMS(struct make_person, user_params), .prepare = prepare_user, .work = hash_new,
	 .operation = engine_create_person_run, .returns = KIND_USER,
	 CS_SUBJECT(struct make_person, wish.user.user), .shows = &cs_users,
	 .doc = "Creates a user of an account."},
	{CS_ACTION("updateUser", "identity:update_user"), CHANGES,
	 .args = PARAMS(struct change_user, update_user_params), .prepare = prepare_update_user,
	 .work = hash_changed, .operation = engine_update_user_run, .returns = KIND_USER,
	 CS_SUBJECT(struct change_user, wish.user.prefix), .shows = &cs_users, .doc = "Changes a user."},
	{CS_ACTION("enableUser", "identity:update_user"), CHANGES,
	 .args = PARAMS(struct change_user, one_user_params), .prepare = enable_user,
	 .operation = engine_update_user_run, .returns = KIND_USER,
	 CS_SUBJECT(struct change_user, wish.user.prefix), .shows = &cs_users, .doc = "Enables a user."},
	{CS_ACTION("disableUser", "identity:update_user"), CHANGES,
	 .args = PARAMS(struct change_user, one_user_params), .prepare = disable_user,
	 .operation = engine_update_user_run, NOTHING_STORED,
	 CS_SUBJECT(struct change_user, wish.user.prefix), .shows = &cs_users,
	 .outcome = ASYNC_JOB_OUTCOME_NOW, .doc = "Disables a user."},
	{CS_ACTION("deleteUser", "identity:delete_user"), CHANGES,
	 .args = CS_ONE(struct user_target, "id", user, KIND_USER, "The user."),
	 .operation = engine_delete_user_run, NOTHING_STORED, .doc = "Deletes a user."},
	{CS_ACTION("updateAccount", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct change_account, update_account_params), .prepare = prepare_update_account,
	 .operation = update_account, .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct change_account, wish.account.prefix), .shows = &cs_accounts,
	 .doc = "Changes an account."},
	{CS_ACTION("enableAccount", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct change_account, enable_account_params), .prepare = enable_account,
	 .operation = engine_update_account_run, .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct change_account, wish.account.prefix), .shows = &cs_accounts,
	 .doc = "Enables an account."},
	{CS_ACTION("disableAccount", "identity:update_project"), CHANGES,
	 .args = PARAMS(struct change_account, disable_account_params), .prepare = disable_account,
	 .operation = engine_update_account_run, NOTHING_STORED,
	 CS_SUBJECT(struct change_account, wish.account.prefix), .shows = &cs_accounts,
	 .outcome = ASYNC_JOB_OUTCOME_NOW, .doc = "Disables an account. Its keys and sessions are refused."},
	{CS_ACTION("deleteAccount", "identity:delete_project"), CHANGES,
	 .args = CS_ONE(struct account_target, "id", account, KIND_ACCOUNT,
			"The account, which is deleted with its users and resources."),
	 .prepare = prepare_delete_account, .operation = engine_purge_account_run, .about = KIND_ACCOUNT,
	 CS_SUBJECT(struct account_target, account.prefix), CS_JOB(GONE),
	 .doc = "Deletes an account with its users and resources."},
	{CS_ACTION("createDomain", "identity:create_domain"), CHANGES,
	 .args = PARAMS(struct make_domain, create_domain_params), .operation = engine_create_domain_run,
	 .returns = KIND_DOMAIN, CS_SUBJECT(struct make_domain, wish.domain), .shows = &cs_domains,
	 .doc = "Creates a domain."},
	{CS_ACTION("updateDomain", "identity:update_domain"), CHANGES,
	 .args = PARAMS(struct domain_change, update_domain_params), .operation = engine_update_domain_run,
	 .returns = KIND_DOMAIN, CS_SUBJECT(struct domain_change, domain.prefix), .shows = &cs_domains,
	 .doc = "Changes a domain."},
	{CS_ACTION("deleteDomain", "identity:delete_domain"), CHANGES,
	 .args = PARAMS(struct delete_domain, delete_domain_params), .prepare = prepare_delete_domain,
	 .operation = engine_purge_domain_run, .about = KIND_DOMAIN,
	 CS_SUBJECT(struct delete_domain, target.domain.prefix), CS_JOB(GONE),
	 .doc = "Deletes a domain, on request with its accounts."},
};
const struct api_actions cs_people_actions = API_ACTIONS(actions);
