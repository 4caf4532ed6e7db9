/* SPDX-License-Identifier: Apache-2.0
 * Users. The user that an account has of its own, EC2's root, is shown in the account's domain, but only by
 * id. */
#include "api/openstack/core/read_policies.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "auth/limit.h"
#include "auth/sign_in/login.h"
#include "engine/people/credential/password_policy.h"
#include "engine/people/user.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/user.h"

struct shown_user {
	const struct user *user;
	uuid domain;
	int64_t expires_us;
};

static struct shown_user describe(struct os_call *e, const struct user *user)
{
	return (struct shown_user){user, os_user_domain(os_tables(e), user),
				   engine_password_expiry(os_tables(e), user)};
}

static const void *gather_user(struct os_call *e, const struct row *row)
{
	struct shown_user *shown = arena_new_object(e->c->arena, struct shown_user);
	if (shown)
		*shown = describe(e, user_of(row));
	return shown;
}

static void write_shown(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct shown_user *shown = item;
	const struct user *u = shown->user;
	os_write_hex(w, "id", u->row.id);
	json_write_text(w, "name", u->name);
	os_write_domain_id(w, "domain_id", shown->domain);
	json_write_bool(w, "enabled", u->enabled);
	if (u->description.n)
		json_write_text(w, "description", u->description);
	if (u->email.n)
		json_write_text(w, "email", u->email);
	if (!uuid_is_none(u->default_account))
		os_write_hex(w, "default_project_id", u->default_account);
	os_write_password_expiry(w, shown->expires_us);
	json_write_open(w, "options");
	json_write_close(w);
	os_write_extra(w, u->extra);
	os_write_self(e, w, "users", u->row.id);
}

void os_write_user(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct shown_user shown = describe(e, item);
	write_shown(e, w, &shown);
}

static bool fits_domain(struct os_call *e, const struct row *row, struct str value)
{
	struct ref ref;
	return os_parse_id(value, KIND_DOMAIN, &ref) &&
	       uuid_equal(os_user_domain(os_tables(e), user_of(row)), ref.prefix);
}

static const struct os_filter filters[] = {
	{"name", "name"},
	{"enabled", "enabled"},
	{"domain_id", .fits = fits_domain},
	{"description", "description"}, /* these three are shown only if set */
	{"email", "email"},
	{"default_project_id", "default_account"},
};
static const struct os_listing users = {
	.kind = KIND_USER,
	.flags = OS_ALL_SEE_ALL,
	.items = "users",
	.filters = OS_FILTERS(filters),
	.gather = gather_user,
	.write = write_shown,
};

/* Lists omit account owners: every account has one of the same name. They are found by id. */
static bool is_no_owner(struct os_call *e, const struct row *row)
{
	(void) e;
	return !user_of(row)->is_owner;
}

static const struct os_listing listed_users = {
	.kind = KIND_USER,
	.flags = OS_ALL_SEE_ALL,
	.items = "users",
	.filters = OS_FILTERS(filters),
	.shows = is_no_owner,
	.gather = gather_user,
	.write = write_shown,
};

static RESULT list_users(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return os_list_people(e, &listed_users, w);
}

/* ---- changes ---- */

struct new_user {
	struct user_wish wish;
	struct str password, others;
};
static const struct param create_params[] = {
	OS_BODY(struct new_user, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct new_user, "domain_id", wish.domain, .kind = KIND_DOMAIN, .flags = NULLABLE,
		.doc = "Domain; absent: the token's."),
	OS_BODY(struct new_user, "password", password, .max = PASSWORD_SIZE_MAX, .flags = NULLABLE,
		.doc = "Password; absent: the user cannot sign in by password."),
	OS_BODY(struct new_user, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct new_user, "email", wish.email, .flags = NULLABLE, .doc = "Email address."),
	OS_BODY(struct new_user, "enabled", wish.enabled,
		.doc = "Whether the user is enabled; absent: true."),
	OS_BODY(struct new_user, "default_project_id", wish.default_account, .kind = KIND_ACCOUNT,
		.flags = NULLABLE, .doc = "Project for tokens that are requested without a scope."),
	OS_UNBUILT("options", .only = "{}"),
	OS_UNBUILT("federated", .only = "[]"),
};

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_user *a = args;
	if (a->wish.domain.kind == KIND_NONE)
		a->wish.domain = os_own_domain(e);
	e->skips_work = !a->password.n;
	return os_take_extra(e, a->others, &a->wish.extra);
}

static RESULT hash_new(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct new_user *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

/* Applies the password policy of the user's account; domains have none. */
static RESULT check_wanted(struct os_call *e, const struct user *user, struct str plain)
{
	const struct account *account = user ? account_find(os_tables(e), user->account) : NULL;
	return engine_check_password(e->c, account, plain);
}

struct changed_user {
	struct user_change wish;
	struct str password, others;
	struct ref domain;
	bool has_password;
};
static const struct param update_params[] = {
	OS_PATH(struct changed_user, "user_id", wish.user, .kind = KIND_USER, .doc = "The user."),
	OS_BODY(struct changed_user, "name", wish.name, .min = 1, .max = 255,
		.doc = "Name; unique in the domain."),
	OS_BODY(struct changed_user, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct changed_user, "email", wish.email, .flags = NULLABLE, .doc = "Email address."),
	OS_BODY(struct changed_user, "password", password, .max = PASSWORD_SIZE_MAX, .flags = NULLABLE,
		.given = offsetof(struct changed_user, has_password) + 1,
		.doc = "New password; earlier tokens are revoked. null: the user cannot sign in by "
		       "password."),
	OS_BODY(struct changed_user, "enabled", wish.enabled, .doc = "Whether the user is enabled."),
	OS_BODY(struct changed_user, "default_project_id", wish.default_account, .kind = KIND_ACCOUNT,
		.flags = NULLABLE, .doc = "Project for tokens that are requested without a scope."),
	OS_SAME_DOMAIN(struct changed_user, domain),
	OS_UNBUILT("options", .only = "{}"),
	OS_UNBUILT("federated", .only = "[]"),
};

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct changed_user *a = args;
	e->skips_work = !a->password.n;
	a->wish.clears_password = a->has_password && !a->password.n;
	const struct user *user = user_find(os_tables(e), a->wish.user.prefix);
	if (user)
		TRY(os_check_domain(e, &a->domain, &user->row, os_user_domain(os_tables(e), user)));
	if (a->password.n && user &&
	    engine_may_see(e->c, KIND_USER, &user->row)) /* else no policy tells of it */
		TRY(check_wanted(e, user, a->password));
	return os_take_extra(e, a->others, &a->wish.extra);
}

static RESULT hash_changed(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct changed_user *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

struct user_args {
	struct user_target wish;
};
static const struct param user_params[] = {
	OS_PATH(struct user_args, "user_id", wish.user, .kind = KIND_USER, .doc = "The user."),
};

static RESULT show_user(struct os_call *e, const void *args, struct json_writer *w)
{
	return os_hide_absence(e,
			       os_write_found(e, &users, &((const struct user_args *) args)->wish.user, w));
}

/* ---- one's own password ---- */

struct new_password {
	struct own_password wish;
	struct str original, password;
	struct strs refused;
	uuid user;
	bool is_by_password; /* no token was sent */
};
static const struct param password_params[] = {
	OS_PATH(struct new_password, "user_id", wish.user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
	OS_BODY(struct new_password, "original_password", original, .flags = REQUIRED,
		.max = PASSWORD_SIZE_MAX, .doc = "Present password."),
	OS_BODY(struct new_password, "password", password, .flags = REQUIRED, .min = 1,
		.max = PASSWORD_SIZE_MAX, .doc = "New password; earlier tokens are revoked."),
};

/* Keystone asks for no token: the original password proves who asks, so that an expired one can be replaced. Strangers learn
 * nothing about users: a hash is made for every id. */
static RESULT prepare_renewal(struct os_call *e, struct new_password *a)
{
	if (!limits_take_stranger(e->config->limits, e->call->peer))
		return ctx_fail(e->c, ERR_THROTTLED, "This request was rate-limited.");
	const struct user *user = user_find(os_tables(e), a->wish.user.prefix);
	e->asker = login_attempt_address(e->call->peer);
	if (!engine_is_user_open(os_tables(e), user) || !login_accepts_hash(os_tables(e), user))
		return OK;
	a->user = user->row.id;
	a->wish.hash_before = str_copy(e->c->arena, user->password_hash);
	return engine_list_refused_passwords(e->c, os_tables(e), user, &a->refused);
}

static RESULT change_password(struct op *op, void *args)
{
	struct new_password *a = args;
	return a->is_by_password ? engine_renew_password(op, &a->wish)
				 : engine_change_own_password(op, &a->wish);
}

static RESULT prepare_password(struct os_call *e, void *args)
{
	struct new_password *a = args;
	const struct user *user = NULL;
	a->is_by_password = uuid_is_none(e->c->who->user);
	if (a->is_by_password)
		return prepare_renewal(e, a);
	TRY(os_check_own(e, "password.change", &a->wish.user, &user));
	if (!login_accepts_hash(os_tables(e), user))
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"Attempted to authenticate with an unsupported method.");
	a->user = user->row.id;
	a->wish.hash_before = str_copy(e->c->arena, user->password_hash);
	TRY(engine_list_refused_passwords(e->c, os_tables(e), user, &a->refused));
	return check_wanted(e, user, a->password);
}

/* Behind the proof: strangers do not learn an account's policy. The view is not kept open for the change that follows. */
static RESULT check_form(struct os_call *e, const struct new_password *a)
{
	struct result result = check_wanted(e, user_find(os_tables(e), a->user), a->password);
	view_close(&e->view);
	e->view = (struct view){0};
	return result;
}

/* The password has proved whose call this is: the policies of that user hold from now on. */
static RESULT admit_renewal(struct os_call *e, const struct new_password *a)
{
	const struct guard_request request = {.action = str_from(e->action->permit),
					      .words = GUARD_OF_OPENSTACK,
					      .is_change = true,
					      .has_role = true};
	TRY(check_form(e, a));
	return guard_admit_proved(e->config->guards, e->call, e->config->store, a->user, &request);
}

static RESULT fail_reused(struct os_call *e, size_t count)
{
	return ctx_fail(e->c, ERR_INVALID,
			"The new password cannot be identical to a previous password. The total number which "
			"includes the new password must be unique is %zu.",
			count + 1);
}

static RESULT check_and_hash(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct new_password *a = e->args;
	const struct login_attempt who = {a->user, e->call->peer};
	if (password_check(e->config->passwords, e->c, &who, a->wish.hash_before, a->original) !=
	    PASSWORD_RIGHT)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"The request you have made requires authentication.");
	if (a->is_by_password)
		TRY(admit_renewal(e, a));
	if (password_is_one_of(e->config->passwords, e->c, &a->refused, a->password))
		return fail_reused(e, a->refused.count);
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v3/users", .permit = "identity:list_users", .args = {0, 0, sizeof(struct user_args)},
	 .list = &listed_users, .answer = list_users, .doc = "Lists users."},
	{HTTP_POST, "/v3/users", .permit = "identity:create_user", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201,
	 .args = OS_PARAMS(struct new_user, create_params, .members = offsetof(struct new_user, others) + 1),
	 .wrap = "user", .item = "user", .prepare = prepare_new, .work = hash_new,
	 .operation = engine_create_user_run, .returns = KIND_USER,
	 OS_SHOWS(users, struct new_user, wish.user), .doc = "Creates a user."},
	{HTTP_GET, "/v3/users/{user_id}", .permit = "identity:get_user",
	 .args = OS_PARAMS(struct user_args, user_params), .item = "user", .answer = show_user,
	 .doc = "Shows one user."},
	{HTTP_PATCH, "/v3/users/{user_id}", .permit = "identity:update_user",
	 .flags = API_WRITES | OS_UNSCOPED,
	 .args = OS_PARAMS(struct changed_user, update_params,
			   .members = offsetof(struct changed_user, others) + 1),
	 .wrap = "user", .item = "user", .prepare = prepare_change, .work = hash_changed,
	 .operation = engine_update_user_run, .returns = KIND_USER,
	 OS_SHOWS(users, struct changed_user, wish.user.prefix), .doc = "Changes a user."},
	{HTTP_DELETE, "/v3/users/{user_id}", .permit = "identity:delete_user",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204, .args = OS_PARAMS(struct user_args, user_params),
	 .operation = engine_delete_user_run, .doc = "Deletes a user with its keys and credentials."},
	{HTTP_POST, "/v3/users/{user_id}/password", .permit = "identity:change_password",
	 .flags = API_WRITES | API_OPEN | OS_TOKEN_IF_SENT | OS_UNSCOPED, .status = 204,
	 .args = OS_PARAMS(struct new_password, password_params), .wrap = "user", .prepare = prepare_password,
	 .work = check_and_hash, .operation = change_password,
	 .doc = "Changes the caller's own password, authenticated by a token or by the present password "
		"alone."},
};
const struct os_actions os_user_actions = OS_ACTIONS(OS_IDENTITY, actions);
