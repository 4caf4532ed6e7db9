/* SPDX-License-Identifier: Apache-2.0
 * dari user …, dari console: users and their passwords. */
#include "auth/sign_in/login_link.h"
#include "base/clock.h"
#include "base/random.h"
#include "daemon/command.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/role_assignment.h"
#include "store/user.h"

/* Parses a name or UUID; kind none: not given. */
static struct ref ref_arg(const struct command_call *call, const char *name, enum kind kind)
{
	struct ref ref = {.text = command_arg(call, name), .field = str_from(name)};
	if (str_is_empty(ref.text))
		return ref;
	ref.kind = kind;
	if (result_is_ok(uuid_parse(ref.text, &ref.prefix)))
		ref.bits = 128;
	return ref;
}

/* Takes the password from standard input, or generates one; returns it with its hash. */
static RESULT choose_password(struct command_call *call, struct str *ret_plain, struct str *ret_hash)
{
	struct str plain = command_arg(call, "password-stdin");
	if (str_is_empty(plain))
		plain = password_draw(&call->ctx);
	TRY(password_hash(call->daemon->passwords, &call->ctx, plain, ret_hash));
	*ret_plain = plain;
	return OK;
}

/* Prints a generated password once, since only its hash is stored; a given one is not printed. */
static void print_password(struct command_call *call, struct str plain)
{
	if (command_arg(call, "password-stdin").n)
		return;
	buf_print(&call->text, "  password  %" STR_FMT "\n", STR_ARG(plain));
	(void) json_object_set_new(call->value, "password", json_stringn(plain.p, plain.n));
}

/* ---- users ---- */

struct new_user {
	struct user_wish user;
	struct role_grant grant; /* account none: no role */
};

static RESULT create_with_role(struct op *op, void *arg)
{
	struct new_user *new = arg;
	TRY(engine_create_user(op, &new->user));
	if (new->grant.account.kind == KIND_NONE)
		return OK;
	new->grant.user = ref_by_id(KIND_USER, new->user.user);
	return engine_grant_role(op, &new->grant);
}

static RESULT user_create(struct command_call *call)
{
	struct str plain = STR_NONE;
	struct new_user new = {
		.user = {.domain = ref_arg(call, "domain", KIND_DOMAIN),
			 .name = command_arg(call, "name"),
			 .email = command_arg(call, "email"),
			 .default_account = ref_arg(call, "account", KIND_ACCOUNT)},
		.grant = {.account = ref_arg(call, "account", KIND_ACCOUNT),
			  .role = ref_arg(call, "role", KIND_ROLE)},
	};
	if (new.grant.role.kind != KIND_NONE &&new.grant.account.kind == KIND_NONE)
		return ctx_fail(&call->ctx, ERR_COMBINATION,
				"--role wants --account: a role is had somewhere");
	if (new.grant.role.kind == KIND_NONE)
		new.grant.role = (struct ref){.kind = KIND_ROLE, .text = STR("member")};
	TRY(choose_password(call, &plain, &new.user.password_hash));
	TRY(command_commit(call, "dari:user create", create_with_role, &new));
	struct str id = str_encode_hex(call->ctx.arena, new.user.user.b, sizeof new.user.user.b);
	buf_print(&call->text, "user %" STR_FMT " (%" STR_FMT ")\n", STR_ARG(new.user.name), STR_ARG(id));
	call->value =
		json_pack("{s:s%, s:s%}", "user_id", id.p, id.n, "name", new.user.name.p, new.user.name.n);
	print_password(call, plain);
	return OK;
}

static RESULT user_password(struct command_call *call)
{
	struct str plain = STR_NONE;
	struct user_change wish = {.user = ref_arg(call, "name", KIND_USER)};
	TRY(choose_password(call, &plain, &wish.password_hash));
	TRY(command_commit(call, "dari:user password", engine_update_user_run, &wish));
	buf_print(&call->text, "user %" STR_FMT " has a new password; tokens of before are refused\n",
		  STR_ARG(wish.user.text));
	call->value = json_pack("{s:s%}", "name", wish.user.text.p, wish.user.text.n);
	print_password(call, plain);
	return OK;
}

#define PASSWORD {"password-stdin", PARAM_STDIN, false, "Reads the password from standard input, one line."},

/* ---- into the pages ---- */

/* The region's administrator, if no user is named: access to the machine implies control of the region. */
static const struct user *find_administrator(const struct tables *t, struct roles *roles, uuid *ret_account)
{
	for (const struct role_assignment *r = role_assignment_first(t); r; r = role_assignment_next(t, r)) {
		const struct user *user = user_find(t, r->user);
		if (!engine_is_user_open(t, user) || uuid_is_none(r->account))
			continue;
		engine_find_roles(t, user->row.id, IDENTITY_ACCOUNT, r->account, roles);
		*ret_account = r->account;
		if (roles->rights & RIGHT(ADMIN))
			return user;
	}
	return NULL;
}

/* Requires a role there; otherwise the console would open another account. */
static RESULT check_entry(struct command_call *call, const struct tables *t, const struct user *user,
			  const struct account *account)
{
	struct roles roles = {0};
	engine_find_roles(t, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
	if (roles.count || uuid_equal(user->account, account->row.id))
		return OK;
	return ctx_fail(&call->ctx, ERR_DENIED,
			"the user %" STR_FMT " has no role on the account %" STR_FMT
			": dari role grant gives one, or --user names somebody who has",
			STR_ARG(user->name), STR_ARG(account->name));
}

static RESULT find_entry(struct command_call *call, struct entry *ret_entry)
{
	struct roles roles = {0};
	const struct row *row = NULL;
	struct ref wanted = ref_arg(call, "user", KIND_USER),
		   account = ref_arg(call, "account", KIND_ACCOUNT);
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct tables *t = view.tables;
	const struct user *user = NULL;
	if (wanted.kind == KIND_NONE) {
		user = find_administrator(t, &roles, &ret_entry->account);
		if (!user)
			return ctx_fail(&call->ctx, ERR_NOT_FOUND,
					"nobody is an administrator of the region yet: `dari account create "
					"admin`, then "
					"`dari user create NAME --account admin --role admin`; or --user "
					"names the user "
					"whom the link signs in");
	} else {
		TRY(engine_look_up(&call->ctx, t, KIND_USER, &wanted, &row));
		user = user_of(row);
		ret_entry->account = user->default_account;
	}
	if (account.kind != KIND_NONE) {
		TRY(engine_look_up(&call->ctx, t, KIND_ACCOUNT, &account, &row));
		ret_entry->account = row->id;
		TRY(check_entry(call, t, user, account_of(row)));
	}
	ret_entry->user = user->row.id;
	return OK;
}

static RESULT console_link(struct command_call *call)
{
	struct entry entry = {0};
	struct str secret = STR_NONE;
	TRY(find_entry(call, &entry));
	TRY(login_link_issue(call->daemon->entries, &call->ctx, &entry, &secret));
	struct str endpoint = settings_endpoint(call->ctx.arena, &call->daemon->settings);
	struct str link = str_print(call->ctx.arena, "%" STR_FMT "/console/#t=%" STR_FMT, STR_ARG(endpoint),
				    STR_ARG(secret));
	buf_print(&call->text, "%" STR_FMT "\n", STR_ARG(link));
	call->value = json_pack("{s:s%, s:i}", "url", link.p, link.n, "seconds",
				(int) (LOGIN_LINK_LIFETIME_US / SECOND));
	return OK;
}

const struct command user_commands[] = {
	{"console",
	 "Prints a one-time link, valid for a minute, that signs in to the web console without a password.",
	 {{"user", PARAM_OPTION, false, "The user (default: the region's administrator)."},
	  {"account", PARAM_OPTION, false, "Account that is opened first (default: the user's own)."}},
	 .run = console_link},
	{"user create",
	 "Creates a user of a domain with a generated password, which is printed once.",
	 {{"name", PARAM_POSITIONAL, true, "Name; unique in the domain."},
	  {"domain", PARAM_OPTION, false, "Domain of the user (default: Default)."},
	  {"account", PARAM_OPTION, false, "Account on which the user gets a role."},
	  {"role", PARAM_OPTION, false, "Role on the account (default: member)."},
	  {"email", PARAM_OPTION, false, "E-mail address."},
	  PASSWORD},
	 .run = user_create,
	 .is_anywhere = true},
	{"user password",
	 "Sets a new password of a user, and ends the user's tokens.",
	 {{"name", PARAM_POSITIONAL, true, "User: NAME of the default domain, DOMAIN/NAME, or an id."},
	  PASSWORD},
	 .run = user_password,
	 .is_anywhere = true},
	{0},
};
