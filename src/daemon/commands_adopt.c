/* SPDX-License-Identifier: Apache-2.0
 * dari adopt, purge: objects with our mark but without a row (reconcile/audit/leftover.h). */
#include "daemon/command.h"
#include "engine/region/region_audit.h"
#include "reconcile/audit/leftover.h"

/* Requires the full UUID, since "i-…" and "vol-…" contain its leading bits only. */
static RESULT read_id(struct command_call *call, const char *command, uuid *ret_id)
{
	struct str text = command_arg(call, "id");
	if (result_is_ok(uuid_parse(text, ret_id)))
		return OK;
	return ctx_fail(&call->ctx, ERR_MALFORMED,
			"%s wants the whole UUID that `dari audit` prints, not %" STR_FMT, command,
			STR_ARG(text));
}

static void say_instance(struct command_call *call, const struct instance_adoption *wish)
{
	buf_print(&call->text,
		  "instance %" STR_FMT
		  " is adopted, %s, with %zu network interfaces, %zu public addresses and "
		  "%zu volumes\n",
		  STR_ARG(id_to_ec2(call->ctx.arena, KIND_INSTANCE, wish->instance)),
		  wish->is_on ? "running" : "stopped", wish->port_count, wish->address_count,
		  wish->volume_count);
	if (wish->dropped_count > 0)
		buf_print(&call->text, "%zu of its security groups and addresses could not be had back\n",
			  wish->dropped_count);
}

static RESULT adopt(struct command_call *call)
{
	uuid id = UUID_NONE;
	struct leftover leftover;
	const struct ref account = {.kind = KIND_ACCOUNT, .text = command_arg(call, "account")};
	TRY(read_id(call, "adopt", &id));
	TRY(reconciler_find_leftover(call->daemon->reconciler, &call->ctx, id, &account, &leftover));
	struct leftover_adoption *adoption = &leftover.adoption;
	TRY(command_commit(call, "dari:adopt", engine_adopt_leftover_run, adoption));
	if (adoption->is_disk)
		buf_print(&call->text, "volume %" STR_FMT " of %lld bytes is adopted and free\n",
			  STR_ARG(id_to_ec2(call->ctx.arena, KIND_VOLUME, id)),
			  (long long) adoption->volume.disk.size);
	else
		say_instance(call, &adoption->instance);
	reconciler_wake_leftover(call->daemon->reconciler, &leftover);
	return OK;
}

static RESULT purge(struct command_call *call)
{
	struct leftover_purge purged = {0};
	TRY(read_id(call, "purge", &purged.subject));
	TRY(reconciler_purge_leftover(call->daemon->reconciler, &call->ctx, purged.subject));
	TRY(command_commit(call, "dari:purge", engine_note_purge_run, &purged));
	buf_print(&call->text, "%" STR_FMT " is removed\n", STR_ARG(command_arg(call, "id")));
	return OK;
}

const struct command leftover_commands[] = {
	{"adopt",
	 "Restores the row of an orphaned domain, or makes an orphaned disk a volume. Changes nothing on its "
	 "host.",
	 {{"id", PARAM_POSITIONAL, true, "UUID of the resource, as `dari audit` prints it."},
	  {"account", PARAM_OPTION, false, "Owner of an adopted disk; a domain names its own."}},
	 .run = adopt,
	 .is_anywhere = true},
	{"purge",
	 "Deletes an orphaned domain or disk from its host or storage pool, or an orphaned network object. "
	 "This cannot be undone.",
	 {{"id", PARAM_POSITIONAL, true, "UUID of the resource, as `dari audit` prints it."}},
	 .run = purge,
	 .is_anywhere = true},
	{0},
};
