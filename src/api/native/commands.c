/* SPDX-License-Identifier: Apache-2.0
 * Runs the operator's commands, as `dari` sends them. The daemon implements them (daemon/command.h). They
 * may take long, so they run on threads of their own.
 */
#include "api/native/action.h"

struct command_args {
	struct native_command command;
};
static const struct param command_params[] = {
	PARAM(struct command_args, "command", command.words, .min = 1, .max = 64, .flags = REQUIRED,
	      .doc = "Command words, such as \"host list\"."),
	{.wire = "args",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct command_args, command.args),
	 .doc = "Parameters by name, as an object: strings, or true for a flag."},
};

static RESULT prepare_command(struct native_call *e, void *args)
{
	struct command_args *a = args;
	if (!e->config->commands)
		return ctx_fail(e->c, ERR_GONE, "No commands are run here.");
	a->command.who = e->c->who;
	a->command.from = audit_write_from(e->call);
	e->threads = &e->config->commands->threads;
	return OK;
}

static RESULT run_command(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct command_args *a = e->args;
	const struct native_commands *commands = e->config->commands;
	return commands->run(commands->self, e->c, &a->command);
}

static RESULT answer_command(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_raw(w, "outcome", ((const struct command_args *) args)->command.outcome);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_POST, "/commands", .name = "RunCommand", .permit = "ec2:RunRegionCommand",
	 .flags = NATIVE_ADMIN | NATIVE_UNSCOPED, .args = PARAMS(struct command_args, command_params),
	 .prepare = prepare_command, .work = run_command, .answer = answer_command,
	 .doc = "Runs a command of the operator."},
};
const struct api_actions native_command_actions = API_ACTIONS(actions);
