/* SPDX-License-Identifier: Apache-2.0
 * Domains, accounts and users are made, changed and deleted: Keystone's, so that both faces show them. */
#include "api/cloudstack/account/people.h"
#include "auth/password.h"
#include "base/json_write.h"
#include "engine/people/account_person.h"
#include "engine/people/domain.h"
#include "engine/resolve.h"

enum { EXTRA_MAX = 3 };

/* ---- what a person is called ---- */

struct names {
	struct str first, last, timezone;
};
#define NAMES(T, member, flag)                                                                               \
	PARAM(T, "firstname", member.first, .flags = (flag), .doc = "The person's first name."),             \
		PARAM(T, "lastname", member.last, .flags = (flag), .doc = "The person's last name."),        \
		PARAM(T, "timezone", member.timezone, .doc = "Kept and shown.")

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

/* As Keystone's further attributes. */
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
	      .doc = "Unique in the domain."),                                                               \
		PARAM(struct make_person, "password", password, .flags = REQUIRED, .max = PASSWORD_SIZE_MAX, \
		      .doc = "The password."),                                                               \
		PARAM(struct make_person, "email", wish.user.email, .flags = REQUIRED,                       \
		      .doc = "For people."),                                                                 \
		NAMES(struct make_person, names, REQUIRED),                                                  \
		PARAM(struct make_person, "domainid", domain, .kind = KIND_DOMAIN,                           \
		      .doc = "In which domain; absent: the root."),                                          \
		NOT_BUILT("userid")
static const struct param account_params[] = {
	PERSON,
	PARAM(struct make_person, "account", account, .doc = "Its name; absent: the user's."),
	PARAM(struct make_person, "accounttype", type, .min = 0, .max = 2,
	      .doc = "0: a user's; 1: a root administrator's; 2: a domain's administrator's."),
	PARAM(struct make_person, "roleid", role, .kind = KIND_ROLE, .doc = "Or the role."),
	NOT_BUILT("accountid|accountdetails|networkdomain"),
};
static const struct param user_params[] = {
	PERSON,
	PARAM(struct make_person, "account", account, .flags = REQUIRED, .doc = "Of which account."),
};

static RESULT choose_right(struct cs_call *e, struct make_person *a)
{
	static const enum role_right of_types[] = {ROLE_RIGHT_MEMBER, ROLE_RIGHT_ADMIN, ROLE_RIGHT_MANAGER};
	const struct role *role = ref_is_given(&a->role) ? role_find(cs_tables(e), a->role.prefix) : NULL;
	a->wish.right = role ? role->right : of_types[a->type];
	if (ref_is_given(&a->role) && (!role || role->right == ROLE_RIGHT_NONE))
		return cs_fail_id(e, KIND_ROLE, "roleid", a->role.text);
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
	struct str name, email, password;
	bool has_name, has_email;
};
#define GIVEN(member) .given = offsetof(struct change_user, member) + 1
#define USER                                                                                                 \
	PARAM(struct change_user, "id", wish.user, .kind = KIND_USER, .flags = REQUIRED, .doc = "The user.")
static const struct param update_user_params[] = {
	USER,
	PARAM(struct change_user, "username", name, GIVEN(has_name), .doc = "Another name."),
	PARAM(struct change_user, "email", email, GIVEN(has_email), .doc = "Another address."),
	PARAM(struct change_user, "password", password, .max = PASSWORD_SIZE_MAX,
	      .doc = "Another password, which ends the sessions of before."),
	NAMES(struct change_user, names, 0),
	NOT_BUILT("apikeyaccess|currentpassword|mandate2fa|userapikey|usersecretkey"),
};
static const struct param one_user_params[] = {USER};

static RESULT prepare_update_user(struct cs_call *e, void *args)
{
	struct change_user *a = args;
	a->wish.name = a->has_name ? &a->name : NULL;
	a->wish.email = a->has_email ? &a->email : NULL;
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

struct drop_user {
	struct user_target wish;
};
static const struct param delete_user_params[] = {
	PARAM(struct drop_user, "id", wish.user, .kind = KIND_USER, .flags = REQUIRED, .doc = "The user."),
};

/* ---- accounts ---- */

struct change_account {
	struct account_change wish;
	struct str account, name;
	struct ref domain;
	enum choice locks;
};
#define ACCOUNT                                                                                              \
	PARAM(struct change_account, "id", wish.account, .kind = KIND_ACCOUNT, .doc = "The account."),       \
		PARAM(struct change_account, "account", account, .doc = "Or its name, with the domain."),    \
		PARAM(struct change_account, "domainid", domain, .kind = KIND_DOMAIN, .doc = "Its domain.")
static const struct param update_account_params[] = {
	ACCOUNT,
	PARAM(struct change_account, "newname", name, .doc = "Another name."),
	NOT_BUILT("accountdetails|apikeyaccess|networkdomain|roleid"),
};
static const struct param enable_account_params[] = {ACCOUNT};
static const struct param disable_account_params[] = {
	ACCOUNT,
	PARAM(struct change_account, "lock", locks, .flags = REQUIRED,
	      .doc = "false: nobody gets in any more; true, which only forbids to make anything, is not "
		     "built."),
};

/* By its id, or by its name and its domain. */
static RESULT choose_account(struct cs_call *e, struct change_account *a)
{
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

static RESULT prepare_update_account(struct cs_call *e, void *args)
{
	struct change_account *a = args;
	a->wish.name = a->name.n ? &a->name : NULL;
	return choose_account(e, a);
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

struct drop_account {
	struct account_target wish;
};
static const struct param delete_account_params[] = {
	PARAM(struct drop_account, "id", wish.account, .kind = KIND_ACCOUNT, .flags = REQUIRED,
	      .doc = "The account; its users go with it."),
};

/* ---- domains ---- */

struct make_domain {
	struct domain_wish wish;
	struct ref parent;
};
static const struct param create_domain_params[] = {
	PARAM(struct make_domain, "name", wish.name, .flags = REQUIRED, .min = 1, .doc = "Unique."),
	PARAM(struct make_domain, "parentdomainid", parent, .kind = KIND_DOMAIN,
	      .doc = "The root, which all others are below."),
	NOT_BUILT("domainid|networkdomain"),
};

static RESULT prepare_domain(struct cs_call *e, void *args)
{
	const struct make_domain *a = args;
	if (ref_is_given(&a->parent) && !uuid_equal(a->parent.prefix, DOMAIN_DEFAULT))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("parentdomainid"),
				      "A domain is below the root, not below another");
	return OK;
}

struct change_domain {
	struct domain_change wish;
	struct str name;
};
static const struct param update_domain_params[] = {
	PARAM(struct change_domain, "id", wish.domain, .kind = KIND_DOMAIN, .flags = REQUIRED,
	      .doc = "The domain."),
	PARAM(struct change_domain, "name", name, .doc = "Another name."),
	NOT_BUILT("networkdomain"),
};

static RESULT prepare_domain_change(struct cs_call *e, void *args)
{
	struct change_domain *a = args;
	(void) e;
	a->wish.name = a->name.n ? &a->name : NULL;
	return OK;
}

struct drop_domain {
	struct domain_target wish;
};
static const struct param delete_domain_params[] = {
	PARAM(struct drop_domain, "id", wish.domain, .kind = KIND_DOMAIN, .flags = REQUIRED,
	      .doc = "The domain; its users go with it."),
	NOT_BUILT("cleanup", .only = "false"),
};

#define CHANGES .flags = API_WRITES | CS_ADMIN
#define NOTHING_STORED .returns = API_RETURNS_NOTHING_STORED
static const struct cs_action actions[] = {
	{.name = "createAccount",
	 .permit = "identity:create_project",
	 CHANGES,
	 .args = PARAMS(struct make_person, account_params),
	 .prepare = prepare_account,
	 .work = hash_new,
	 .operation = engine_create_person_run,
	 .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct make_person, wish.account.account),
	 .shows = &cs_accounts,
	 .doc = "Makes an account with a user."},
	{.name = "createUser",
	 .permit = "identity:create_user",
	 CHANGES,
	 .args = PARAMS(struct make_person, user_params),
	 .prepare = prepare_user,
	 .work = hash_new,
	 .operation = engine_create_person_run,
	 .returns = KIND_USER,
	 CS_SUBJECT(struct make_person, wish.user.user),
	 .shows = &cs_users,
	 .doc = "Makes a user of an account."},
	{.name = "updateUser",
	 .permit = "identity:update_user",
	 CHANGES,
	 .args = PARAMS(struct change_user, update_user_params),
	 .prepare = prepare_update_user,
	 .work = hash_changed,
	 .operation = engine_update_user_run,
	 .returns = KIND_USER,
	 CS_SUBJECT(struct change_user, wish.user.prefix),
	 .shows = &cs_users,
	 .doc = "Changes a user."},
	{.name = "enableUser",
	 .permit = "identity:update_user",
	 CHANGES,
	 .args = PARAMS(struct change_user, one_user_params),
	 .prepare = enable_user,
	 .operation = engine_update_user_run,
	 .returns = KIND_USER,
	 CS_SUBJECT(struct change_user, wish.user.prefix),
	 .shows = &cs_users,
	 .doc = "Lets a user in."},
	{.name = "disableUser",
	 .permit = "identity:update_user",
	 CHANGES,
	 .args = PARAMS(struct change_user, one_user_params),
	 .prepare = disable_user,
	 .operation = engine_update_user_run,
	 NOTHING_STORED,
	 CS_SUBJECT(struct change_user, wish.user.prefix),
	 .shows = &cs_users,
	 .outcome = ASYNC_JOB_OUTCOME_NOW,
	 .doc = "Keeps a user out."},
	{.name = "deleteUser",
	 .permit = "identity:delete_user",
	 CHANGES,
	 .args = PARAMS(struct drop_user, delete_user_params),
	 .operation = engine_delete_user_run,
	 NOTHING_STORED,
	 .doc = "Deletes a user."},
	{.name = "updateAccount",
	 .permit = "identity:update_project",
	 CHANGES,
	 .args = PARAMS(struct change_account, update_account_params),
	 .prepare = prepare_update_account,
	 .operation = engine_update_account_run,
	 .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct change_account, wish.account.prefix),
	 .shows = &cs_accounts,
	 .doc = "Changes an account."},
	{.name = "enableAccount",
	 .permit = "identity:update_project",
	 CHANGES,
	 .args = PARAMS(struct change_account, enable_account_params),
	 .prepare = enable_account,
	 .operation = engine_update_account_run,
	 .returns = KIND_ACCOUNT,
	 CS_SUBJECT(struct change_account, wish.account.prefix),
	 .shows = &cs_accounts,
	 .doc = "Opens an account."},
	{.name = "disableAccount",
	 .permit = "identity:update_project",
	 CHANGES,
	 .args = PARAMS(struct change_account, disable_account_params),
	 .prepare = disable_account,
	 .operation = engine_update_account_run,
	 NOTHING_STORED,
	 CS_SUBJECT(struct change_account, wish.account.prefix),
	 .shows = &cs_accounts,
	 .outcome = ASYNC_JOB_OUTCOME_NOW,
	 .doc = "Closes an account: its keys and sessions are refused."},
	{.name = "deleteAccount",
	 .permit = "identity:delete_project",
	 CHANGES,
	 .args = PARAMS(struct drop_account, delete_account_params),
	 .operation = engine_delete_account_with_people_run,
	 NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_NOW,
	 .doc = "Deletes an account that has nothing, with its users."},
	{.name = "createDomain",
	 .permit = "identity:create_domain",
	 CHANGES,
	 .args = PARAMS(struct make_domain, create_domain_params),
	 .prepare = prepare_domain,
	 .operation = engine_create_domain_run,
	 .returns = KIND_DOMAIN,
	 CS_SUBJECT(struct make_domain, wish.domain),
	 .shows = &cs_domains,
	 .doc = "Makes a domain."},
	{.name = "updateDomain",
	 .permit = "identity:update_domain",
	 CHANGES,
	 .args = PARAMS(struct change_domain, update_domain_params),
	 .prepare = prepare_domain_change,
	 .operation = engine_update_domain_run,
	 .returns = KIND_DOMAIN,
	 CS_SUBJECT(struct change_domain, wish.domain.prefix),
	 .shows = &cs_domains,
	 .doc = "Changes a domain."},
	{.name = "deleteDomain",
	 .permit = "identity:delete_domain",
	 CHANGES,
	 .args = PARAMS(struct drop_domain, delete_domain_params),
	 .operation = engine_close_domain_run,
	 NOTHING_STORED,
	 .outcome = ASYNC_JOB_OUTCOME_NOW,
	 .doc = "Deletes a domain without accounts."},
};
const struct api_actions cs_people_actions = API_ACTIONS(actions);
