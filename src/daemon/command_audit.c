/* SPDX-License-Identifier: Apache-2.0
 * Audit records of commands. As for calls of the faces (api/core/audit.h), a change's record is committed
 * with it, and a read's before its answer is sent. */
#include "api/core/audit.h"
#include "daemon/command.h"
#include "model/permission.h"

struct audited_change {
	op_run run; /* NULL: no change */
	void *wish;
	struct command_call *call;
	struct result result; /* the command's */
};

static RESULT run_audited(struct op *op, void *arg)
{
	struct audited_change *change = arg;
	struct audit_record *record = &change->call->record;
	uuid id = UUID_NONE;
	if (change->run)
		TRY(change->run(op, change->wish));
	enum kind kind = change->call->audited->kind;
	if (change->run && kind != KIND_NONE && op_find_touched(op, kind, &id)) {
		record->texts[AUDIT_KIND] = str_from(model_kinds[kind].name);
		record->texts[AUDIT_ID] = str_encode_hex(change->call->ctx.arena, id.b, sizeof id.b);
	}
	record->texts[AUDIT_OUTCOME] =
		result_is_ok(change->result) ? STR("ok") : str_from(err_name(change->result.code));
	return op_audit(op, record);
}

/* Records the parameters. Passwords aren't among them, since they come by standard input. */
static void add_subject(struct command_call *call, const struct command *command)
{
	struct str *subject = &call->record.texts[AUDIT_SUBJECT];
	for (const struct command_param *p = command->params; p < command_params_end(command); p++) {
		struct str value = command_arg(call, p->name);
		if (p->kind == PARAM_STDIN || p->kind == PARAM_FLAG || p->repeats || str_is_empty(value))
			continue;
		*subject = str_print(call->ctx.arena, "%" STR_FMT "%s%s=%" STR_FMT, STR_ARG(*subject),
				     subject->n ? " " : "", p->name, STR_ARG(str_slice(value, 0, 256)));
	}
}

void command_begin_audit(struct command_call *call, const struct command *command, const struct identity *who)
{
	struct arena *a = call->ctx.arena;
	const char *action = str_to_z(a, str_print(a, "dari:%s", command->words));
	struct str *texts = call->record.texts;
	call->audited = audited_find_recorded(action);
	if (!call->audited)
		return;
	texts[AUDIT_FACE] = STR("dari");
	texts[AUDIT_ACTION] = str_from(action);
	texts[AUDIT_DOES] = audit_write_does(a, call->audited->does);
	texts[AUDIT_ACCOUNT] = who->account_number;
	texts[AUDIT_USER] =
		uuid_is_none(who->user) ? STR_NONE : str_encode_hex(a, who->user.b, sizeof who->user.b);
	texts[AUDIT_USER_NAME] = who->user_name;
	texts[AUDIT_CREDENTIAL] = audit_write_credential(a, who);
	texts[AUDIT_FROM] = call->from;
	add_subject(call, command);
}

RESULT command_commit(struct command_call *call, const char *action, op_run run, void *wish)
{
	struct audited_change change = {.run = run, .wish = wish, .call = call, .result = OK};
	if (!call->audited)
		return store_commit(call->daemon->store, &call->ctx, action, run, wish);
	TRY(store_commit(call->daemon->store, &call->ctx, action, run_audited, &change));
	call->is_recorded = true;
	return OK;
}

RESULT command_end_audit(struct command_call *call, struct result result)
{
	struct audited_change change = {.call = call, .result = result};
	struct ctx c = call->ctx; /* keeps the command's problem unchanged */
	if (!call->audited || call->is_recorded)
		return result;
	ctx_clear_problem(&c);
	struct result written =
		store_commit(call->daemon->store, &c, call->audited->action, run_audited, &change);
	if (result_is_ok(result) && !result_is_ok(written))
		return ctx_fail(&call->ctx, ERR_IO, "the audit log could not be written: %" STR_FMT,
				STR_ARG(c.problem.message));
	return result;
}
