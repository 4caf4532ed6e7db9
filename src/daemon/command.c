/* SPDX-License-Identifier: Apache-2.0
 * The table of commands, and shared functions. */
#include "daemon/command.h"

#include "base/clock.h"
#include "engine/resolve.h"
#include "store/account.h"

static const struct command *const tables[] = {
	init_commands,       local_commands,       login_commands,         row_commands,
	change_commands,     rc_commands,          account_commands,       user_commands,
	host_commands,       host_change_commands, host_check_commands,    host_add_commands,
	host_sign_commands,  fence_commands,       pool_commands,          network_commands,
	image_commands,      image_get_commands,   log_commands,           store_commands,
	backup_commands,     restore_commands,     backup_plan_commands,   prices_commands,
	bill_commands,       billing_commands,     webhook_commands,       signup_commands,
	commitment_commands, inspect_commands,     leftover_commands,      doctor_commands,
	whatif_commands,     dump_commands,        ticket_commands,        desk_commands,
	remote_commands,     migrate_commands,     subscriptions_commands, subscriptions_report_commands,
	sign_in_commands,    whatwas_commands,     export_commands,        policy_commands,
	terraform_commands,  cluster_commands,     upgrade_commands};

const struct command_param *command_params_end(const struct command *command)
{
	const struct command_param *p = command->params;
	while (p < command->params + COMMAND_PARAMS_MAX && p->name)
		p++;
	return p;
}

const struct command *command_find(struct str words)
{
	for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++)
		for (const struct command *command = tables[k]; command->words; command++)
			if (str_is(words, command->words))
				return command;
	return NULL;
}

void command_each(void (*each)(void *arg, const struct command *command), void *arg)
{
	for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++)
		for (const struct command *command = tables[k]; command->words; command++)
			each(arg, command);
}

void command_call_init(struct command_call *call, struct daemon *d, struct arena *a)
{
	*call = (struct command_call){.daemon = d};
	ctx_init(&call->ctx, a);
	call->operator.is_operator = true;
	call->operator.user_name = STR("operator");
	call->ctx.who = &call->operator;
	buf_init(&call->text, BUF_ANSWER_CAP);
}

void command_act_for(struct command_call *call, const struct identity *who)
{
	call->operator.user = who->user;
	call->operator.user_name = who->user_name;
}

/* Refuses paths for remote callers: these are paths on the server's machine. */
RESULT command_check_remote(struct command_call *call, const struct command *command)
{
	if (!command->is_anywhere)
		return ctx_fail(&call->ctx, ERR_DENIED,
				"this has to do with the server's own machine: type it there");
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		struct str value = command_arg(call, p->name);
		if (p->is_path && value.n && !str_starts_with(value, STR("https://")) &&
		    !str_starts_with(value, STR("http://")))
			return ctx_fail_field(&call->ctx, ERR_DENIED, str_from(p->name),
					      "%s names a file of the server's machine: type it there",
					      p->name);
	}
	return OK;
}

void command_call_done(struct command_call *call)
{
	json_decref(call->value);
	json_decref(call->more);
	json_decref(call->files);
	buf_done(&call->text);
}

struct str command_arg(const struct command_call *call, const char *name)
{
	const json_t *value = json_object_get(call->args, name);
	return (struct str){json_string_value(value), json_string_length(value)};
}

bool command_has_flag(const struct command_call *call, const char *name)
{
	return json_is_true(json_object_get(call->args, name));
}

RESULT command_int_arg(struct command_call *call, const char *name, int64_t absent, int64_t min, int64_t max,
		       int64_t *ret_value)
{
	struct str text = command_arg(call, name);
	*ret_value = absent;
	if (str_is_empty(text))
		return OK;
	if (!result_is_ok(str_parse_int(text, ret_value)) || *ret_value < min || *ret_value > max)
		return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
				      "--%s wants a number from %lld to %lld, not %" STR_FMT, name,
				      (long long) min, (long long) max, STR_ARG(text));
	return OK;
}

RESULT command_id_arg(struct command_call *call, const char *name, enum kind kind, struct ref *ret_ref)
{
	struct str text = command_arg(call, name);
	uuid id = UUID_NONE;
	if (!result_is_ok(id_parse_ec2(text, kind, ret_ref)) && !result_is_ok(uuid_parse(text, &id)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
				      "%" STR_FMT " is no id of the %s", STR_ARG(text), name);
	if (!uuid_is_none(id))
		*ret_ref = ref_by_id(kind, id);
	ret_ref->field = str_from(name);
	return OK;
}

struct ref command_account_ref(struct command_call *call, struct str text, const char *name)
{
	uuid id = UUID_NONE;
	AUTO_VIEW view = {0};
	if (!text.n)
		return (struct ref){0};
	view_open(call->daemon->store, &view);
	const struct account *a = account_find_by_number(view.tables, text);
	struct ref ref = {.kind = KIND_ACCOUNT, .text = text};
	if (a || result_is_ok(uuid_parse(text, &id)))
		ref = ref_by_id(KIND_ACCOUNT, a ? a->row.id : id);
	ref.field = str_from(name);
	return ref;
}

RESULT command_word_arg(struct command_call *call, const char *name, const char *const *words, int absent,
			int *ret_value)
{
	struct str text = command_arg(call, name), list = STR_NONE;
	*ret_value = absent;
	for (int k = 0; words[k]; k++) {
		list = str_print(call->ctx.arena, "%" STR_FMT "%s%s", STR_ARG(list), k ? ", " : "", words[k]);
		if (str_is(text, words[k])) {
			*ret_value = k;
			return OK;
		}
	}
	if (text.n)
		return ctx_fail(&call->ctx, ERR_INVALID, "--%s is one of %" STR_FMT ", not %" STR_FMT, name,
				STR_ARG(list), STR_ARG(text));
	return OK;
}

RESULT command_run_typed(struct daemon *d, struct ctx *c, const char *words, json_t *args,
			 struct str *ret_text)
{
	struct command_call call;
	command_call_init(&call, d, c->arena);
	call.args = args;
	struct result result = args ? command_find(str_from(words))->run(&call) : ctx_no_memory(&call.ctx);
	bool is_there = result.code == ERR_EXISTS;
	if (ret_text)
		*ret_text = is_there ? STR_NONE : str_copy(c->arena, buf_str(&call.text));
	if (!is_there)
		c->problem = call.ctx.problem;
	json_decref(args);
	command_call_done(&call);
	return is_there ? OK : result;
}
