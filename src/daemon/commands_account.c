/* SPDX-License-Identifier: Apache-2.0
 * dari account …, dari env: accounts, and access data for their users. */
#include "auth/key/key.h"
#include "daemon/command.h"
#include "daemon/environment/client_env.h"
#include "daemon/ssh.h"
#include "engine/people/account/account.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/user.h"

static RESULT account_create(struct command_call *call)
{
	struct ctx *c = &call->ctx;
	struct access_key key = {.row.id = id_new(KIND_ACCESS_KEY)};
	struct str secret = STR_NONE;
	TRY(key_draw(c, call->daemon->master_key, &key, &secret));
	struct account_wish wish = {
		.name = command_arg(call, "name"), .key = &key, .with_default_router = true};
	TRY(command_commit(call, "dari:account create", engine_create_account_run, &wish));
	buf_print(
		&call->text,
		"account %" STR_FMT " (%" STR_FMT ")\n  access key id      %" STR_FMT
		"\n  secret access key  %" STR_FMT "\nThe secret can be shown again by `dari env %" STR_FMT
		"`.\n",
		STR_ARG(wish.name), STR_ARG(wish.number), STR_ARG(key.key_id), STR_ARG(secret),
		STR_ARG(ssh_has_only(wish.name, "-_.") ? wish.name : ssh_quote(call->ctx.arena, wish.name)));
	call->value =
		json_pack("{s:s%, s:s%, s:s%}", "account_id", wish.number.p, wish.number.n, "access_key_id",
			  key.key_id.p, key.key_id.n, "secret_access_key", secret.p, secret.n);
	return OK;
}

/* The named account, or the only one. */
static RESULT choose_account(struct command_call *call, const struct tables *t,
			     const struct account **ret_account)
{
	struct str name = command_arg(call, "account");
	const struct account *chosen = NULL;
	size_t count = 0;
	for (const struct account *a = account_first(t); a; a = account_next(t, a))
		if (row_is_live(&a->row) && (str_is_empty(name) || str_equal(a->name, name))) {
			chosen = a;
			count++;
		}
	if (count == 0)
		return ctx_fail(&call->ctx, ERR_NOT_FOUND,
				name.n ? "there is no account %" STR_FMT
				       : "there is no account yet: dari account create NAME%" STR_FMT,
				STR_ARG(name));
	if (count > 1)
		return ctx_fail(&call->ctx, ERR_INVALID, "there are %zu accounts: say which, dari env NAME",
				count);
	*ret_account = chosen;
	return OK;
}

static RESULT find_owner_key(struct command_call *call, const struct tables *t, const struct account *a,
			     const struct access_key **ret_key)
{
	for (const struct user *u = user_first_by_owner(t, a->row.id); u; u = user_next_by_owner(t, u)) {
		if (!u->is_owner)
			continue;
		for (const struct access_key *k = access_key_first_by_user(t, u->row.id); k;
		     k = access_key_next_by_user(t, k))
			if (row_is_live(&k->row) && k->enabled) {
				*ret_key = k;
				return OK;
			}
	}
	return ctx_fail(&call->ctx, ERR_NOT_FOUND, "the owner of %" STR_FMT " has no active access key",
			STR_ARG(a->name));
}

/* Versions of aws before 2.13, including Debian 12's, ignore AWS_ENDPOINT_URL. */
static void write_env(struct command_call *call, struct str key_id, struct str secret)
{
	const struct settings *s = &call->daemon->settings;
	struct str endpoint = settings_endpoint(call->ctx.arena, s);
	const struct client_env env = {.endpoint = endpoint,
				       .region = s->region,
				       .ca = s->tls_certificate,
				       .key_id = key_id,
				       .key_secret = secret};
	client_env_print(&call->text, "aws", &env);
	buf_print(&call->text, "export AWS_PAGER=\n"
			       "# an aws older than 2.13 does not read AWS_ENDPOINT_URL:\n"
			       "aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n");
	call->value = json_pack("{s:s%, s:s%, s:s%, s:s%}", "access_key_id", key_id.p, key_id.n,
				"secret_access_key", secret.p, secret.n, "region", s->region.p, s->region.n,
				"endpoint_url", endpoint.p, endpoint.n);
}

static RESULT env_show(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct account *account = NULL;
	const struct access_key *key = NULL;
	TRY(choose_account(call, view.tables, &account));
	TRY(find_owner_key(call, view.tables, account, &key));
	view_end_read(&view);
	struct str secret = STR_NONE;
	TRY(key_open_secret(&call->ctx, call->daemon->master_key, key, &secret));
	write_env(call, key->key_id, secret);
	return OK;
}

const struct command account_commands[] = {
	{"account create",
	 "Creates an account with an access key and a default VPC.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."}},
	 .run = account_create,
	 .is_anywhere = true},
	{"env",
	 "Prints shell lines that configure aws and boto3 for this region.",
	 {{"account", PARAM_POSITIONAL, false, "Name of the account, if there are several."}},
	 .run = env_show},
	{0},
};
