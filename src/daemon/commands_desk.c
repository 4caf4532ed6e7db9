/* SPDX-License-Identifier: Apache-2.0
 * dari desk …: support systems that tickets are linked to. */
#include <inttypes.h>

#include "auth/key/key.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "daemon/command.h"
#include "engine/support/desk.h"
#include "store/desk.h"
#include "store/ticket_link.h"

enum { SECRET_CAP = 4000, LIST_MAX = 64, TOKEN_BYTES = 24 };

static RESULT split_lines(struct command_call *call, const char *name, struct strs *ret_texts)
{
	struct str rest = command_arg(call, name), line;
	struct str *texts = arena_new_array(call->ctx.arena, struct str, LIST_MAX);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(&call->ctx);
	while (str_split_next(&rest, '\n', &line)) {
		if (count == LIST_MAX)
			return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
					      "--%s may be given %d times", name, LIST_MAX);
		texts[count++] = line;
	}
	*ret_texts = (struct strs){texts, count};
	return OK;
}

static RESULT read_options(struct command_call *call, struct desk_wish *wish)
{
	struct strs lines;
	struct tag *tags = arena_new_array(call->ctx.arena, struct tag, LIST_MAX);
	TRY(split_lines(call, "option", &lines));
	if (!tags)
		return ctx_no_memory(&call->ctx);
	for (size_t k = 0; k < lines.count; k++) {
		size_t sign = str_find_char(lines.at[k], '=', 0);
		if (sign == lines.at[k].n)
			return ctx_fail_field(&call->ctx, ERR_INVALID, STR("option"),
					      "--option wants NAME=VALUE");
		tags[k] = (struct tag){str_slice(lines.at[k], 0, sign),
				       str_slice(lines.at[k], sign + 1, lines.at[k].n)};
	}
	wish->options = (struct tags){tags, lines.count};
	wish->has_options = lines.count > 0;
	return OK;
}

static RESULT read_lists(struct command_call *call, struct desk_wish *wish)
{
	struct strs accounts;
	TRY(split_lines(call, "product", &wish->products));
	TRY(split_lines(call, "account", &accounts));
	struct ref *refs = arena_new_array(call->ctx.arena, struct ref, accounts.count + 1);
	if (!refs)
		return ctx_no_memory(&call->ctx);
	for (size_t k = 0; k < accounts.count; k++)
		refs[k] = command_account_ref(call, accounts.at[k], "account");
	wish->has_products = wish->products.count > 0;
	wish->has_accounts = accounts.count > 0;
	wish->accounts = (struct refs){refs, accounts.count};
	wish->opens_for = command_account_ref(call, command_arg(call, "opens-for"), "opens-for");
	return OK;
}

/* The id of the desk with that name, or a new one. Its secret is sealed with the id. */
static uuid choose_id(struct command_call *call, struct str name)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct desk *desk = engine_find_desk(view.tables, name);
	return desk ? desk->row.id : id_new(KIND_DESK);
}

static RESULT read_secret(struct command_call *call, struct desk_wish *wish)
{
	struct str path = command_arg(call, "secret-file"), text;
	if (!path.n)
		return OK;
	TRY(file_read(&call->ctx, str_to_z(call->ctx.arena, path), SECRET_CAP, &text));
	TRY(key_seal(&call->ctx, call->daemon->master_key, wish->id, str_trim(text), &wish->secret));
	crypto_wipe((void *) text.p, text.n);
	return OK;
}

/* Generates a token, to be shown once; only its digest is stored. */
static RESULT draw_inbound(struct command_call *call, struct desk_wish *wish, struct str *ret_token)
{
	uint8_t bytes[TOKEN_BYTES], digest[SHA256_SIZE];
	*ret_token = STR_NONE;
	if (!command_has_flag(call, "inbound"))
		return OK;
	random_bytes(bytes, sizeof bytes);
	*ret_token = str_print(call->ctx.arena, "desk-%" STR_FMT,
			       STR_ARG(str_encode_hex(call->ctx.arena, bytes, sizeof bytes)));
	crypto_sha256(*ret_token, digest);
	wish->inbound_sha256 = str_encode_hex(call->ctx.arena, digest, sizeof digest);
	return ret_token->p && wish->inbound_sha256.p ? OK : ctx_no_memory(&call->ctx);
}

static RESULT desk_put_command(struct command_call *call, const char *action, bool is_new)
{
	struct desk_wish wish = {.name = command_arg(call, "name"),
				 .url = command_arg(call, "url"),
				 .queue = command_arg(call, "queue"),
				 .login = command_arg(call, "login")};
	struct str token;
	wish.id = choose_id(call, wish.name);
	TRY(command_word_arg(call, "driver", desk_speaks_words, -1, &wish.driver));
	TRY(command_word_arg(call, "mode", desk_mode_words, -1, &wish.mode));
	TRY(command_word_arg(call, "role", desk_role_words, -1, &wish.role));
	TRY(command_int_arg(call, "poll-s", 0, DESK_POLL_MIN_S, DESK_POLL_MAX_S, &wish.poll_s));
	wish.off = command_has_flag(call, "off")  ? CHOICE_YES
		   : command_has_flag(call, "on") ? CHOICE_NO
						  : CHOICE_DEFAULT;
	TRY(read_options(call, &wish));
	TRY(read_lists(call, &wish));
	TRY(read_secret(call, &wish));
	TRY(draw_inbound(call, &wish, &token));
	TRY(command_commit(call, action, engine_put_desk_run, &wish));
	buf_print(&call->text, "desk %" STR_FMT " is %s\n", STR_ARG(wish.name), is_new ? "there" : "changed");
	if (token.n)
		buf_print(&call->text, "  token  %" STR_FMT "\n", STR_ARG(token));
	call->value = json_pack("{s:s%, s:s%}", "desk", wish.name.p, wish.name.n, "token",
				token.p ? token.p : "", token.n);
	return OK;
}

static RESULT desk_add(struct command_call *call)
{
	return desk_put_command(call, "dari:desk add", true);
}

static RESULT desk_set(struct command_call *call)
{
	{
		AUTO_VIEW view = {0};
		view_open(call->daemon->store, &view);
		if (!engine_find_desk(view.tables, command_arg(call, "name")))
			return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("name"),
					      "there is no desk '%" STR_FMT "'",
					      STR_ARG(command_arg(call, "name")));
	}
	return desk_put_command(call, "dari:desk set", false);
}

static RESULT desk_remove(struct command_call *call)
{
	struct desk_target wish = {.name = command_arg(call, "name"),
				   .forced = command_has_flag(call, "force")};
	TRY(command_commit(call, "dari:desk remove", engine_delete_desk_run, &wish));
	buf_print(&call->text, "desk %" STR_FMT " is gone\n", STR_ARG(wish.name));
	return OK;
}

static RESULT desk_list(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-16s %-10s %-8s %-11s %-7s %7s  %s\n", "name", "driver", "role", "mode",
		  "state", "tickets", "url");
	for (const struct desk *d = desk_first(view.tables); d; d = desk_next(view.tables, d)) {
		size_t count = 0;
		for (const struct ticket_link *l = ticket_link_first_by_desk(view.tables, d->row.id); l;
		     l = ticket_link_next_by_desk(view.tables, l))
			count++;
		const char *state = d->is_off ? "off" : desk_state_words[d->state];
		buf_print(&call->text, "%-16.*s %-10s %-8s %-11s %-7s %7zu  %" STR_FMT "  %" STR_FMT "\n",
			  STR_ARG(d->name), desk_speaks_words[d->speaks], desk_role_words[d->role],
			  desk_mode_words[d->mode], state, count, STR_ARG(d->url), STR_ARG(d->problem));
		(void) json_array_append_new(
			call->value,
			json_pack("{s:s%, s:s, s:s, s:s, s:s, s:I, s:s%, s:s%}", "name", d->name.p, d->name.n,
				  "driver", desk_speaks_words[d->speaks], "role", desk_role_words[d->role],
				  "mode", desk_mode_words[d->mode], "state", state, "tickets",
				  (json_int_t) count, "url", d->url.p, d->url.n, "problem",
				  d->problem.p ? d->problem.p : "", d->problem.n));
	}
	return OK;
}

#define DESK_PARAMS                                                                                          \
	{"name", PARAM_POSITIONAL, true, "Name of the desk here."},                                          \
		{"driver", PARAM_OPTION, false, "rt, tmf621, servicenow or webhook."},                       \
		{"url", PARAM_OPTION, false, "URL of the desk, for RT without the path of REST2."},          \
		{"queue", PARAM_OPTION, false,                                                               \
		 "Queue for new tickets: RT's queue, or an assignment group."},                              \
		{"login", PARAM_OPTION, false, "Service account of Dari at the desk."},                      \
		{"secret-file", PARAM_OPTION, false,                                                         \
		 "File with the token, the password or the signing key; stored encrypted.",                  \
		 .is_path = true},                                                                           \
		{"role", PARAM_OPTION, false, "operator or vendor; vendors get fewer facts."},               \
		{"mode", PARAM_OPTION, false,                                                                \
		 "mirror, or collaborate, which does not exchange changes of severity."},                    \
		{"product", PARAM_OPTION, false,                                                             \
		 "Pattern of products whose tickets go to the desk, such as rhel*.", .repeats = true},       \
		{"account", PARAM_OPTION, false, "Account whose tickets go to the desk (default: all).",     \
		 .repeats = true},                                                                           \
		{"opens-for", PARAM_OPTION, false, "Account for tickets that the desk opens here."},         \
		{"poll-s", PARAM_OPTION, false, "Poll interval in seconds (default: 30)."},                  \
		{"option", PARAM_OPTION, false,                                                              \
		 "Option of the driver, NAME=VALUE, as listed in docs/tickets.md.", .repeats = true},        \
		{"inbound", PARAM_FLAG, false, "Creates a token for calls of the desk; shown once."},        \
		{"off", PARAM_FLAG, false, "Pauses the desk: nothing is sent."},                             \
		{"on", PARAM_FLAG, false, "It goes on."},

const struct command desk_commands[] = {
	{"desk add",
	 "Adds a support desk that tickets are linked with.",
	 {DESK_PARAMS},
	 .run = desk_add,
	 .is_anywhere = true},
	{"desk set", "Changes a support desk.", {DESK_PARAMS}, .run = desk_set, .is_anywhere = true},
	{"desk list",
	 "Lists support desks, and whether they answer.",
	 {{0}},
	 .run = desk_list,
	 .is_anywhere = true},
	{"desk remove",
	 "Removes a support desk.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"force", PARAM_FLAG, false, "Removes the desk even if tickets are linked with it."}},
	 .run = desk_remove,
	 .is_anywhere = true},
	{0},
};
