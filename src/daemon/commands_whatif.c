/* SPDX-License-Identifier: Apache-2.0
 * dari whatif …, dari balance: predicts the fate of machines with the operations that would act, but changes
 * nothing. */
#include "daemon/command.h"
#include "engine/instance/placement/whatif.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)
enum { MOVES_USUAL = 10 };

static json_t *text_value(struct str text)
{
	return json_stringn(text.p ? text.p : "", text.n);
}

static size_t count_homeless(const struct whatif *w)
{
	size_t count = 0;
	for (size_t k = 0; k < w->machine_count; k++)
		count += str_is_empty(w->machines[k].host);
	return count;
}

/* Prints each machine in a line, and adds it to a list. */
static json_t *write_machines(struct command_call *call, const struct whatif *w, const char *goes,
			      const char *stays)
{
	json_t *list = json_array();
	for (size_t k = 0; k < w->machine_count; k++) {
		const struct whatif_machine *m = &w->machines[k];
		struct str id = id_to_ec2(call->ctx.arena, KIND_INSTANCE, m->instance);
		buf_print(&call->text, "%" STR_FMT "  %s %" STR_FMT "\n", STR_ARG(id),
			  m->host.n ? goes : stays, STR_ARG(m->host.n ? m->host : m->why));
		(void) json_array_append_new(list,
					     json_pack("{s:o, s:o, s:b, s:o}", "instance", text_value(id),
						       "host", text_value(m->host), "fits",
						       (int) (m->host.n > 0), "problem", text_value(m->why)));
	}
	if (w->is_cut)
		buf_print(&call->text, "and more, which were not tried\n");
	return list;
}

static struct ref host_ref(struct str name)
{
	return (struct ref){.kind = KIND_HOST, .text = name, .field = STR("host")};
}

static RESULT answer(struct command_call *call, struct whatif *w)
{
	return command_commit(call, "dari:whatif", engine_answer_whatif_run, w);
}

/* ---- one host less ---- */

static RESULT ask_about_host(struct command_call *call, enum whatif_event event, const char *goes,
			     const char *stays)
{
	struct whatif w = {.event = event, .host = host_ref(command_arg(call, "host"))};
	TRY(answer(call, &w));
	json_t *machines = write_machines(call, &w, goes, stays);
	size_t homeless = count_homeless(&w);
	buf_print(&call->text, "%zu of %zu instances would %s\n", homeless, w.machine_count,
		  event == WHATIF_DRAIN ? "stay" : "not fit");
	call->value =
		json_pack("{s:I, s:I, s:b, s:o}", "machines_tried", (json_int_t) w.machine_count,
			  "not_fitting", (json_int_t) homeless, "cut", (int) w.is_cut, "machines", machines);
	call->status = homeless || w.is_cut ? 1 : 0;
	return OK;
}

static RESULT whatif_down(struct command_call *call)
{
	return ask_about_host(call, WHATIF_HOST_DOWN, "fits on", "does not fit:");
}

static RESULT whatif_drain(struct command_call *call)
{
	return ask_about_host(call, WHATIF_DRAIN, "goes to", "stays:");
}

/* ---- one host more ---- */

static RESULT read_addition(struct command_call *call, struct whatif_addition *ret_addition)
{
	struct str zone = command_arg(call, "zone");
	int64_t memory_mib = 0, disk_gib = 0;
	*ret_addition = (struct whatif_addition){0};
	if (zone.n)
		ret_addition->zone = (struct ref){.kind = KIND_ZONE, .text = zone, .field = STR("zone")};
	TRY(command_int_arg(call, "cpus", 0, 1, 65536, &ret_addition->cpus));
	TRY(command_int_arg(call, "memory", 0, 1, INT64_C(1) << 30, &memory_mib));
	TRY(command_int_arg(call, "disk", 0, 1, 1 << 20, &disk_gib));
	ret_addition->memory = memory_mib * MIB;
	ret_addition->disk = disk_gib * GIB;
	return OK;
}

/* Simulates each host's failure without and with the new one: one change each, so that others don't wait for
 * all of them. */
static RESULT compare_losses(struct command_call *call, struct strs names,
			     const struct whatif_addition *addition, json_t *list)
{
	buf_print(&call->text, "%-16s %9s %14s %14s\n", "if it is down:", "machines", "would not fit",
		  "with the new");
	for (size_t k = 0; k < names.count; k++) {
		struct whatif before = {.event = WHATIF_HOST_DOWN, .host = host_ref(names.at[k])},
			      after = before;
		after.addition = addition;
		struct result result = answer(call, &before);
		if (result_is_ok(result))
			result = answer(call, &after);
		if (result.code == ERR_NOT_FOUND) { /* removed in the meantime */
			ctx_clear_problem(&call->ctx);
			continue;
		}
		TRY(result);
		buf_print(&call->text, "%-16.*s %9zu %14zu %14zu\n", STR_ARG(names.at[k]),
			  before.machine_count, count_homeless(&before), count_homeless(&after));
		(void) json_array_append_new(
			list, json_pack("{s:o, s:I, s:I, s:I}", "host", text_value(names.at[k]), "machines",
					(json_int_t) before.machine_count, "not_fitting",
					(json_int_t) count_homeless(&before), "not_fitting_with_it",
					(json_int_t) count_homeless(&after)));
	}
	return OK;
}

static RESULT whatif_add(struct command_call *call)
{
	struct whatif_addition addition;
	TRY(read_addition(call, &addition));
	struct whatif w = {.event = WHATIF_NOTHING, .addition = &addition};
	TRY(answer(call, &w));
	json_t *hosts = json_array(),
	       *waiting = write_machines(call, &w, "waits, and would fit on", "waits, and would not fit:");
	call->value = json_pack("{s:I, s:o, s:o}", "not_fitting", (json_int_t) count_homeless(&w), "waiting",
				waiting, "hosts", hosts);
	TRY(compare_losses(call, w.hosts, &addition, hosts));
	call->status = count_homeless(&w) ? 1 : 0;
	return OK;
}

/* ---- balance ---- */

static void write_move(struct command_call *call, const struct rebalancing_move *m)
{
	struct str id = id_to_ec2(call->ctx.arena, KIND_INSTANCE, m->instance);
	buf_print(&call->text,
		  "dari host move %" STR_FMT " --to %" STR_FMT "\n    %" STR_FMT
		  " is %d.%d %% full, then %d.%d %%; %" STR_FMT " %d.%d %%, then %d.%d %%\n",
		  STR_ARG(id), STR_ARG(m->to), STR_ARG(m->from), m->from_before / 10, m->from_before % 10,
		  m->from_after / 10, m->from_after % 10, STR_ARG(m->to), m->to_before / 10,
		  m->to_before % 10, m->to_after / 10, m->to_after % 10);
	(void) json_array_append_new(json_object_get(call->value, "moves"),
				     json_pack("{s:o, s:o, s:o, s:f, s:f, s:f, s:f}", "instance",
					       text_value(id), "from", text_value(m->from), "to",
					       text_value(m->to), "from_before", m->from_before / 1000.0,
					       "from_after", m->from_after / 1000.0, "to_before",
					       m->to_before / 1000.0, "to_after", m->to_after / 1000.0));
}

static RESULT balance(struct command_call *call)
{
	struct rebalancing wish = {0};
	int64_t cap = 0;
	if (!command_has_flag(call, "plan"))
		return ctx_fail_field(&call->ctx, ERR_MISSING, STR("plan"),
				      "nothing moves by itself: --plan says which moves would help");
	TRY(command_int_arg(call, "moves", MOVES_USUAL, 1, REBALANCING_MOVES_MAX, &cap));
	wish.move_cap = (size_t) cap;
	TRY(command_commit(call, "dari:balance", engine_plan_rebalancing_run, &wish));
	call->value = json_pack("{s:[], s:f, s:f, s:f, s:f}", "moves", "fullest_before",
				wish.fullest_before / 1000.0, "fullest_after", wish.fullest_after / 1000.0,
				"emptiest_before", wish.emptiest_before / 1000.0, "emptiest_after",
				wish.emptiest_after / 1000.0);
	for (size_t k = 0; k < wish.move_count; k++)
		write_move(call, &wish.moves[k]);
	buf_print(&call->text, "hosts are %d.%d to %d.%d %% full", wish.emptiest_before / 10,
		  wish.emptiest_before % 10, wish.fullest_before / 10, wish.fullest_before % 10);
	if (wish.move_count)
		buf_print(&call->text, ", then %d.%d to %d.%d %%\n", wish.emptiest_after / 10,
			  wish.emptiest_after % 10, wish.fullest_after / 10, wish.fullest_after % 10);
	else
		buf_print(&call->text, "; no move would help by 5 %% or more\n");
	return OK;
}

const struct command whatif_commands[] = {
	{"whatif host-down",
	 "Lists instances that could not be restarted elsewhere if the host failed; exit status 1 if any. "
	 "Changes nothing.",
	 {{"host", PARAM_POSITIONAL, true, "The host."}},
	 .run = whatif_down,
	 .is_anywhere = true},
	{"whatif drain",
	 "Shows where `dari host drain` would move each instance, and which cannot move; exit status 1 if "
	 "any. Changes nothing.",
	 {{"host", PARAM_POSITIONAL, true, "The host."}},
	 .run = whatif_drain,
	 .is_anywhere = true},
	{"whatif add",
	 "Shows what another host would change: for instances that wait for capacity, and if a host failed.",
	 {{"cpus", PARAM_OPTION, true, "Number of CPU threads."},
	  {"memory", PARAM_OPTION, true, "Memory in MiB."},
	  {"disk", PARAM_OPTION, false, "Disk space in GiB (default: as the largest host)."},
	  {"zone", PARAM_OPTION, false, "Availability zone (default: the first)."}},
	 .run = whatif_add,
	 .is_anywhere = true},
	{"balance",
	 "Lists live migrations that would balance the hosts, with reasons. Changes nothing.",
	 {{"plan", PARAM_FLAG, false, "Accepted for symmetry: the command only prints its plan."},
	  {"moves", PARAM_OPTION, false, "Maximum number of migrations (default: 10)."}},
	 .run = balance,
	 .is_anywhere = true},
	{0},
};
