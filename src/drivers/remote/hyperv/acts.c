/* SPDX-License-Identifier: Apache-2.0
 * Acts on machines of Hyper-V. Most of them are jobs there. A job that is still running is noted with the connection, and the
 * next call looks at it instead of starting another one. Source: Hyper-V WMI provider (V2), Msvm_ComputerSystem,
 * Msvm_ShutdownComponent and Msvm_VirtualSystemManagementService. */
#include "drivers/remote/hyperv/acts.h"

#include <string.h>

#include "base/clock.h"
#include "drivers/remote/hyperv/embedded.h"
#include "drivers/remote/hyperv/files.h"
#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "model/remote_machine.h"

/* Time that a guest has to shut down, before the machine is turned off. Notes of older requests count as absent. */
#define SHUTDOWN_US (60 * SECOND)
#define SHUTDOWN_NOTE_US (180 * SECOND)
enum {
	STATE_ON = 2,
	STATE_OFF = 3,
	STATE_SAVED = 6,
	STATE_RESET = 11,
	PARTS_MAX = 1000,
	NOTES_MAX = 16 * 1024
};
/* Value of Msvm_ShutdownComponent's methods: the guest is shutting down already, perhaps after a request that Dari forgot. */
enum { SHUTDOWN_UNDER_WAY = 32782 };

struct wsman_object hyperv_machine_object(struct ctx *c, struct str ref)
{
	return (struct wsman_object){
		HYPERV_SPACE,
		"Msvm_ComputerSystem",
		{{"CreationClassName", STR("Msvm_ComputerSystem")}, {"Name", hyperv_upper(c, ref)}}};
}

struct wsman_object hyperv_service_object(void)
{
	return (struct wsman_object){HYPERV_SPACE,
				     "Msvm_VirtualSystemManagementService",
				     {{"CreationClassName", STR("Msvm_VirtualSystemManagementService")},
				      {"SystemCreationClassName", STR("Msvm_ComputerSystem")}}};
}

/* ---- jobs ---- */

static bool changes_power(enum remote_machine_act verb)
{
	return verb != REMOTE_MACHINE_ACT_RESIZE && verb != REMOTE_MACHINE_ACT_TAG &&
	       verb != REMOTE_MACHINE_ACT_SNAPSHOT;
}

/* Looks at the job of this act. A state that the machine has by now may pass: the reconciler looks at the machine again. */
static RESULT watch(struct wsman_link *l, const struct remote_act *act, struct str job)
{
	struct task_notes *notes = remote_task_notes(l->r);
	struct result result = hyperv_follow(l, job);
	if (result.code == ERR_AGAIN)
		l->r->is_under_way = task_notes_put(notes, act->ref, (int) act->verb, job, clock_now_us());
	else
		task_notes_drop(notes, act->ref);
	bool is_power = changes_power(act->verb);
	/* nobody sees whether a job that is forgotten made its checkpoint */
	bool is_lost = result.code == ERR_NOT_FOUND && act->verb != REMOTE_MACHINE_ACT_SNAPSHOT;
	bool has_changed = is_lost || (is_power && result.code == ERR_STATE);
	if (!has_changed)
		return result;
	ctx_clear_problem(l->c);
	return ctx_fail(l->c, ERR_AGAIN, "The job or the machine's state has changed meanwhile.");
}

/* The outcome of a method that may have started a job. */
static RESULT judge(struct wsman_link *l, const struct remote_act *act, const struct hyperv_outcome *outcome,
		    struct result result)
{
	bool is_power = changes_power(act->verb);
	if (result.code == ERR_STATE && is_power) {
		ctx_clear_problem(l->c);
		return ctx_fail(l->c, ERR_AGAIN, "The machine's state has changed meanwhile.");
	}
	TRY(result);
	return outcome->job.n ? watch(l, act, outcome->job) : OK;
}

static RESULT change_state(struct wsman_link *l, const struct remote_act *act, int state)
{
	struct wsman_call q;
	struct hyperv_outcome outcome;
	const struct wsman_object machine = hyperv_machine_object(l->c, act->ref);
	wsman_begin(&q, l, "RequestStateChange", &machine);
	wsman_put_int(&q, "RequestedState", state);
	struct result result = hyperv_invoke(&q, &outcome);
	return judge(l, act, &outcome, result);
}

/* ---- the guest ---- */

/* Asks the guest, by the integration service for shutdown. *ret_is_deaf: the guest has no such service or does not hear, or the
 * host has no such method: InitiateReboot came with Windows Server 2016. */
static RESULT ask_guest(struct wsman_link *l, const struct remote_act *act, const char *method,
			bool *ret_is_deaf)
{
	static const char *const wanted[] = {"DeviceID", NULL};
	struct ctx *c = l->c;
	struct wsman_call q;
	struct hyperv_outcome outcome;
	struct wsman_instance *i = arena_new_object(c->arena, struct wsman_instance);
	struct str upper = hyperv_upper(c, act->ref);
	if (!i)
		return ctx_no_memory(c);
	const struct wsman_query query = {
		HYPERV_SPACE,
		str_print(c->arena, "select * from Msvm_ShutdownComponent where SystemName = '%" STR_FMT "'",
			  STR_ARG(upper)),
		PARTS_MAX};
	bool is_found = false;
	TRY(wsman_find(l, &query, wanted, i, &is_found));
	*ret_is_deaf = !is_found;
	if (!is_found)
		return OK;
	const struct wsman_object component = {HYPERV_SPACE,
					       "Msvm_ShutdownComponent",
					       {{"CreationClassName", STR("Msvm_ShutdownComponent")},
						{"DeviceID", wsman_get(i, "DeviceID")},
						{"SystemCreationClassName", STR("Msvm_ComputerSystem")},
						{"SystemName", upper}}};
	wsman_begin(&q, l, method, &component);
	wsman_put(&q, "Force", STR("false"));
	wsman_put(&q, "Reason", STR("Requested from Dari"));
	struct result result = hyperv_invoke(&q, &outcome);
	/* a guest that shuts down does not reboot by itself */
	bool shuts_down = outcome.value == SHUTDOWN_UNDER_WAY && strcmp(method, "InitiateShutdown") == 0;
	*ret_is_deaf = result.code == ERR_UNSUPPORTED ||
		       (outcome.value > 0 && outcome.value != HYPERV_JOB_STARTED && !shuts_down);
	if (!*ret_is_deaf && !shuts_down)
		return result;
	ctx_clear_problem(c);
	return OK;
}

/* Turns the machine off if its guest cannot be asked, or has not obeyed in time. */
static RESULT stop(struct wsman_link *l, const struct remote_act *act)
{
	struct task_notes *notes = remote_task_notes(l->r);
	int64_t now_us = clock_now_us();
	const struct task_note *note =
		task_notes_find(notes, act->ref, (int) act->verb, act->asked_us, now_us);
	bool is_asked = note && note->at_us + SHUTDOWN_NOTE_US > now_us, is_deaf = false;
	if (is_asked && note->at_us + SHUTDOWN_US <= now_us)
		return change_state(l, act, STATE_OFF);
	if (!is_asked) {
		TRY(ask_guest(l, act, "InitiateShutdown", &is_deaf));
		if (is_deaf)
			return change_state(l, act, STATE_OFF);
		task_notes_put(notes, act->ref, (int) act->verb, STR_NONE, now_us);
	}
	return ctx_fail(l->c, ERR_AGAIN, "The guest is shutting down.");
}

/* Sent once: nobody waits for the job of a reset. */
static RESULT reboot(struct wsman_link *l, const struct remote_act *act)
{
	bool is_deaf = false;
	struct wsman_call q;
	struct hyperv_outcome outcome;
	const struct wsman_object machine = hyperv_machine_object(l->c, act->ref);
	TRY(ask_guest(l, act, "InitiateReboot", &is_deaf));
	if (!is_deaf)
		return OK;
	wsman_begin(&q, l, "RequestStateChange", &machine);
	wsman_put_int(&q, "RequestedState", STATE_RESET);
	return hyperv_invoke(&q, &outcome);
}

/* ---- settings ---- */

/* InstanceID of a part of the machine, and its notes. ERR_NOT_FOUND: there is none. */
static RESULT find_part(struct wsman_link *l, const char *class_name, struct str ref,
			struct wsman_instance *ret_part)
{
	static const char *const wanted[] = {"InstanceID", "Notes", NULL};
	bool is_found = false;
	const struct wsman_query query = {
		HYPERV_SPACE,
		str_print(l->c->arena, "select * from %s where InstanceID like 'Microsoft:%" STR_FMT "%%'",
			  class_name, STR_ARG(hyperv_upper(l->c, ref))),
		PARTS_MAX};
	TRY(wsman_find(l, &query, wanted, ret_part, &is_found));
	bool is_of_machine =
		is_found && str_equal(hyperv_owner(l->c, wsman_get(ret_part, "InstanceID")), ref);
	return is_of_machine
		       ? OK
		       : ctx_fail(l->c, ERR_NOT_FOUND, "The host has no %s of the machine.", class_name);
}

RESULT hyperv_set_notes(struct wsman_link *l, struct str ref, struct str notes,
			struct hyperv_outcome *ret_outcome)
{
	struct wsman_call q;
	struct embedded e;
	struct str settings = STR_NONE;
	const struct wsman_object service = hyperv_service_object();
	embedded_begin(&e, "Msvm_VirtualSystemSettingData");
	embedded_put(&e, "InstanceID", "string",
		     str_print(l->c->arena, "Microsoft:%" STR_FMT, STR_ARG(hyperv_upper(l->c, ref))));
	embedded_put_array(&e, "Notes", notes);
	TRY(embedded_end(&e, l->c, &settings));
	wsman_begin(&q, l, "ModifySystemSettings", &service);
	wsman_put(&q, "SystemSettings", settings);
	return hyperv_invoke(&q, ret_outcome);
}

static RESULT write_quantity(struct wsman_link *l, const char *class_name, struct str ref, int64_t quantity,
			     struct str *ret_text)
{
	struct embedded e;
	struct wsman_instance *part = arena_new_object(l->c->arena, struct wsman_instance);
	if (!part)
		return ctx_no_memory(l->c);
	TRY(find_part(l, class_name, ref, part));
	embedded_begin(&e, class_name);
	embedded_put(&e, "InstanceID", "string", wsman_get(part, "InstanceID"));
	embedded_put_int(&e, "VirtualQuantity", "uint64", quantity);
	return embedded_end(&e, l->c, ret_text);
}

RESULT hyperv_set_size(struct wsman_link *l, struct str ref, int64_t vcpus, int64_t mib,
		       struct hyperv_outcome *ret_outcome)
{
	struct wsman_call q;
	struct str processor = STR_NONE, memory = STR_NONE;
	const struct wsman_object service = hyperv_service_object();
	TRY(write_quantity(l, "Msvm_ProcessorSettingData", ref, vcpus, &processor));
	TRY(write_quantity(l, "Msvm_MemorySettingData", ref, mib, &memory));
	wsman_begin(&q, l, "ModifyResourceSettings", &service);
	wsman_put(&q, "ResourceSettings", processor);
	wsman_put(&q, "ResourceSettings", memory);
	return hyperv_invoke(&q, ret_outcome);
}

static RESULT resize(struct wsman_link *l, const struct remote_act *act)
{
	int64_t vcpus = 0, mib = 0;
	struct hyperv_outcome outcome;
	TRY(machine_size_parse(l->c, "Hyper-V", act->type, &vcpus, &mib));
	struct result result = hyperv_set_size(l, act->ref, vcpus, mib, &outcome);
	return judge(l, act, &outcome, result);
}

/* ---- tags ---- */

RESULT hyperv_check_tag(struct ctx *c, const struct tag *tag)
{
	bool is_line = str_is_line(tag->key) && str_is_line(tag->value) &&
		       str_find_char(tag->key, '=', 0) == tag->key.n &&
		       str_equal(tag->value, str_trim(tag->value));
	return is_line ? OK
		       : ctx_fail(c, ERR_UNSUPPORTED,
				  "Tags of Hyper-V are lines of a machine's notes: no line ends, no '=' in a "
				  "key, "
				  "and no blanks around a value.");
}

/* Adds a tag to the notes. Its key replaces the tag that has it. */
static RESULT add_tag(struct ctx *c, struct str *notes, const struct tag *tag)
{
	struct str start = str_print(c->arena, HYPERV_TAG_LINE "%" STR_FMT "=", STR_ARG(tag->key));
	TRY(hyperv_check_tag(c, tag));
	if (!start.p)
		return ctx_no_memory(c);
	struct str kept = hyperv_strip_notes(c, *notes, str_to_z(c->arena, start));
	*notes = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT "%" STR_FMT, STR_ARG(kept), kept.n ? "\n" : "",
			   STR_ARG(start), STR_ARG(tag->value));
	if (!notes->p)
		return ctx_no_memory(c);
	return notes->n <= NOTES_MAX
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "The machine's notes have no room for the tag.");
}

static RESULT tag(struct wsman_link *l, const struct remote_act *act)
{
	struct hyperv_outcome outcome;
	struct wsman_instance *part = arena_new_object(l->c->arena, struct wsman_instance);
	if (!part)
		return ctx_no_memory(l->c);
	TRY(find_part(l, "Msvm_VirtualSystemSettingData", act->ref, part));
	struct str notes = wsman_get(part, "Notes");
	for (size_t k = 0; k < act->tags.count; k++)
		TRY(add_tag(l->c, &notes, &act->tags.at[k]));
	struct result result = hyperv_set_notes(l, act->ref, notes, &outcome);
	return judge(l, act, &outcome, result);
}

/* ---- checkpoints ---- */

enum { FULL_SNAPSHOT = 2 };

/* The host names the checkpoint by the machine and the time. The machine's own setting decides whether its memory is part of it.
 * Source: Msvm_VirtualSystemSnapshotService.CreateSnapshot. */
static RESULT make_checkpoint(struct wsman_link *l, const struct remote_act *act)
{
	struct wsman_call q;
	struct hyperv_outcome outcome;
	const struct wsman_object service = {HYPERV_SPACE,
					     "Msvm_VirtualSystemSnapshotService",
					     {{"CreationClassName", STR("Msvm_VirtualSystemSnapshotService")},
					      {"SystemCreationClassName", STR("Msvm_ComputerSystem")}}};
	const struct wsman_object machine = hyperv_machine_object(l->c, act->ref);
	wsman_begin(&q, l, "CreateSnapshot", &service);
	wsman_put_object(&q, "AffectedSystem", &machine);
	wsman_put_int(&q, "SnapshotType", FULL_SNAPSHOT);
	struct result result = hyperv_invoke(&q, &outcome);
	return judge(l, act, &outcome, result);
}

/* ---- termination ---- */

/* Deletes the disk of a machine that was created from here. Disks of others stay, as in Hyper-V's own tools. */
static RESULT delete_made_disk(struct wsman_link *l, struct str ref)
{
	struct remote_machine machine;
	if (!l->r->project.n)
		return OK;
	TRY(hyperv_get_machine(l, ref, &machine));
	if (uuid_is_none(machine.row.id))
		return OK;
	return files_delete(l, files_made_disk(l->c, l->r->project, machine.row.id));
}

/* A running machine cannot be deleted: the next call finds it off. */
static RESULT terminate(struct wsman_link *l, const struct remote_act *act)
{
	struct wsman_call q;
	struct hyperv_outcome outcome;
	const struct wsman_object service = hyperv_service_object(),
				  machine = hyperv_machine_object(l->c, act->ref);
	bool is_off = str_is(act->raw_state, "Off") || str_is(act->raw_state, "Saved");
	if (!is_off) {
		TRY(change_state(l, act, STATE_OFF));
		return ctx_fail(l->c, ERR_AGAIN, "The machine is turned off before it is deleted.");
	}
	TRY(delete_made_disk(l, act->ref));
	wsman_begin(&q, l, "DestroySystem", &service);
	wsman_put_object(&q, "AffectedSystem", &machine);
	struct result result = hyperv_invoke(&q, &outcome);
	return judge(l, act, &outcome, result);
}

RESULT hyperv_act(struct wsman_link *l, const struct remote_act *act)
{
	const struct task_note *note = task_notes_find(remote_task_notes(l->r), act->ref, (int) act->verb,
						       act->asked_us, clock_now_us());
	if (note && note->task[0]) {
		/* The goal is not reached yet: a success shows at the next look. */
		TRY(watch(l, act, str_copy(l->c->arena, str_from(note->task))));
		if (act->verb == REMOTE_MACHINE_ACT_SNAPSHOT)
			return OK;
		return ctx_fail(l->c, ERR_AGAIN, "The job has just ended.");
	}
	switch (act->verb) {
	case REMOTE_MACHINE_ACT_START:
		return change_state(l, act, STATE_ON);
	case REMOTE_MACHINE_ACT_STOP:
		return stop(l, act);
	case REMOTE_MACHINE_ACT_REBOOT:
		return reboot(l, act);
	case REMOTE_MACHINE_ACT_RESIZE:
		return resize(l, act);
	case REMOTE_MACHINE_ACT_TERMINATE:
		return terminate(l, act);
	case REMOTE_MACHINE_ACT_TAG:
		return tag(l, act);
	case REMOTE_MACHINE_ACT_SAVE:
		return change_state(l, act, STATE_SAVED);
	case REMOTE_MACHINE_ACT_SNAPSHOT:
		return make_checkpoint(l, act);
	case REMOTE_MACHINE_ACT_NONE:
	case REMOTE_MACHINE_ACT_CREATE:
		break;
	}
	return ctx_fail(l->c, ERR_UNSUPPORTED, "The driver has no such act.");
}
