/* SPDX-License-Identifier: Apache-2.0
 * Acts on machines of vCenter and ESXi. Most of them are tasks there. A task that is still running is noted with the
 * connection, and the next call looks at it instead of starting another one. Source: vSphere Web Services API reference 8.0,
 * VirtualMachine and Task. */
#include "drivers/remote/vmware/acts.h"

#include "base/clock.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "drivers/remote/vmware/machines.h"
#include "model/remote_machine.h"

/* Time that a guest has to shut down, before the machine is powered off. Notes of older requests count as absent. */
#define SHUTDOWN_US (60 * SECOND)
#define SHUTDOWN_NOTE_US (180 * SECOND)

/* ---- tasks ---- */

struct reading {
	struct ctx *c;
	struct vmware_task *task;
};

static RESULT begin(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static RESULT enter(void *self, struct str property, struct str below, struct str xsi_type)
{
	struct reading *r = self;
	if (str_is(property, "info") && str_is(below, "error/fault"))
		r->task->fault.name = str_copy(r->c->arena, xsi_type);
	return OK;
}

static RESULT value(void *self, struct str property, struct str below, struct str text)
{
	struct reading *r = self;
	struct vmware_task *task = r->task;
	const struct {
		const char *path;
		struct str *field;
	} fields[] = {{"state", &task->state},
		      {"result", &task->result},
		      {"error/localizedMessage", &task->fault.words},
		      {"error/fault/privilegeId", &task->fault.privilege}};
	for (size_t k = 0; str_is(property, "info") && k < sizeof fields / sizeof fields[0]; k++)
		if (str_is(below, fields[k].path))
			*fields[k].field = str_clean(r->c->arena, str_cut(text, REMOTE_ACCOUNT_MAX), true);
	return OK;
}

static RESULT end(void *self)
{
	(void) self;
	return OK;
}

RESULT vmware_read_task(struct ctx *c, struct str text, struct vmware_task *ret_task)
{
	struct reading r = {c, ret_task};
	struct vmware_page page;
	*ret_task = (struct vmware_task){0};
	return vmware_read_objects(c, text, "RetrievePropertiesEx",
				   &(struct vmware_visitor){&r, begin, enter, value, end}, &page);
}

static RESULT judge_task(struct ctx *c, const struct vmware_task *task)
{
	if (str_is(task->state, "success"))
		return OK;
	if (str_is(task->state, "error"))
		return vmware_fail(c, &task->fault, vmware_err_of_fault(task->fault.name));
	if (str_is(task->state, "queued") || str_is(task->state, "running"))
		return ctx_fail(c, ERR_AGAIN, "The task is not over yet.");
	return remote_fail_answer(c, "a task has no known state");
}

RESULT vmware_follow(struct ctx *c, struct remote *r, struct str task, struct vmware_task *ret_task)
{
	static const char *const properties[] = {"info", NULL};
	struct reading reading = {c, ret_task};
	*ret_task = (struct vmware_task){0};
	TRY(vmware_get_object(c, r, &(struct vmware_get){"Task", task, properties},
			      &(struct vmware_visitor){&reading, begin, enter, value, end}));
	return judge_task(c, ret_task);
}

/* Looks at a task of this act. A power state that the machine has by now, or a task of somebody else, may pass: the
 * reconciler looks at the machine again. */
static RESULT watch(struct ctx *c, struct remote *r, const struct remote_act *act, struct str task)
{
	struct task_notes *notes = remote_task_notes(r);
	struct vmware_task outcome;
	struct result result = vmware_follow(c, r, task, &outcome);
	if (result.code == ERR_AGAIN && !outcome.fault.name.n)
		r->is_under_way = task_notes_put(notes, act->ref, (int) act->verb, task, clock_now_us());
	else
		task_notes_drop(notes, act->ref);
	bool is_power = act->verb != REMOTE_MACHINE_ACT_RESIZE && act->verb != REMOTE_MACHINE_ACT_SNAPSHOT;
	/* nobody sees whether a task that is forgotten made its snapshot */
	bool is_lost = result.code == ERR_NOT_FOUND && act->verb != REMOTE_MACHINE_ACT_SNAPSHOT;
	bool has_changed = is_lost || (is_power && str_is(outcome.fault.name, "InvalidPowerState"));
	if (!has_changed)
		return result;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_AGAIN, "The task or the machine's power state has changed meanwhile.");
}

/* ---- sending ---- */

/* Starts a task of the machine. */
static RESULT start(struct vmware_call *q, struct remote *r, const struct remote_act *act)
{
	struct str task = STR_NONE;
	TRY(vmware_ask_id(q, r, &task));
	return task.n ? watch(q->c, r, act, task) : remote_fail_answer(q->c, "it has no task");
}

static RESULT start_plain(struct ctx *c, struct remote *r, const struct remote_act *act, const char *method)
{
	struct vmware_call q;
	vmware_begin(&q, c, method, "VirtualMachine", act->ref);
	return start(&q, r, act);
}

/* Asks the guest, by VMware Tools. */
static RESULT ask_guest(struct ctx *c, struct remote *r, const struct remote_act *act, const char *method)
{
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	vmware_begin(&q, c, method, "VirtualMachine", act->ref);
	return vmware_send(&q, r, &answer);
}

/* The guest cannot be asked: it has no tools, or is in no state to hear. */
static bool is_deaf(struct ctx *c, struct result result)
{
	bool is_so = result.code == ERR_STATE || result.code == ERR_UNSUPPORTED || result.code == ERR_INVALID;
	if (is_so)
		ctx_clear_problem(c);
	return is_so;
}

/* Powers the machine off if its guest cannot be asked, or has not obeyed in time. */
static RESULT stop(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct task_notes *notes = remote_task_notes(r);
	int64_t now_us = clock_now_us();
	const struct task_note *note =
		task_notes_find(notes, act->ref, (int) act->verb, act->asked_us, now_us);
	bool is_asked = note && note->at_us + SHUTDOWN_NOTE_US > now_us;
	if (is_asked && note->at_us + SHUTDOWN_US <= now_us)
		return start_plain(c, r, act, "PowerOffVM_Task");
	if (!is_asked) {
		struct result result = ask_guest(c, r, act, "ShutdownGuest");
		if (is_deaf(c, result))
			return start_plain(c, r, act, "PowerOffVM_Task");
		TRY(result);
		task_notes_put(notes, act->ref, (int) act->verb, STR_NONE, now_us);
	}
	return ctx_fail(c, ERR_AGAIN, "The guest is shutting down.");
}

static RESULT reboot(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct result result = ask_guest(c, r, act, "RebootGuest");
	if (!is_deaf(c, result))
		return result;
	struct vmware_call q;
	struct str task = STR_NONE;
	vmware_begin(&q, c, "ResetVM_Task", "VirtualMachine", act->ref);
	return vmware_ask_id(&q, r, &task); /* sent once: nobody waits for it */
}

static RESULT resize(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct vmware_call q;
	int64_t vcpus = 0, mib = 0;
	TRY(machine_size_parse(c, "vCenter", act->type, &vcpus, &mib));
	vmware_begin(&q, c, "ReconfigVM_Task", "VirtualMachine", act->ref);
	vmware_open(&q, "spec", NULL);
	xml_int(&q.xml, "numCPUs", vcpus);
	xml_int(&q.xml, "memoryMB", mib);
	vmware_close(&q, "spec");
	return start(&q, r, act);
}

/* Without the memory, and without asking the guest to be quiet: that fails where VMware Tools do not run. */
static RESULT make_snapshot(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct vmware_call q;
	vmware_begin(&q, c, "CreateSnapshot_Task", "VirtualMachine", act->ref);
	vmware_text(&q, "name", remote_snapshot_name(c, act));
	vmware_text(&q, "memory", STR("false"));
	vmware_text(&q, "quiesce", STR("false"));
	return start(&q, r, act);
}

/* A running machine cannot be destroyed: the next call finds it powered off. */
static RESULT terminate(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	if (str_is(act->raw_state, "poweredOff"))
		return start_plain(c, r, act, "Destroy_Task");
	TRY(start_plain(c, r, act, "PowerOffVM_Task"));
	return ctx_fail(c, ERR_AGAIN, "The machine is powered off before it is destroyed.");
}

/* ---- custom attributes ---- */

static RESULT define_field(struct ctx *c, struct remote *r, struct str name, struct str *ret_key)
{
	static const char *const paths[] = {"returnval/key"};
	struct vmware_call q;
	vmware_begin(&q, c, "AddCustomFieldDef", "CustomFieldsManager", vmware_id(r, VIM_FIELDS));
	vmware_text(&q, "name", name);
	vmware_text(&q, "moType", STR("VirtualMachine"));
	return vmware_ask_texts(&q, r, &(struct vmware_texts){paths, ret_key, 1});
}

static RESULT set_field(struct ctx *c, struct remote *r, const struct remote_act *act, struct str key,
			struct str text)
{
	struct vmware_call q;
	AUTO_VIM_ANSWER answer = {0};
	vmware_begin(&q, c, "SetField", "CustomFieldsManager", vmware_id(r, VIM_FIELDS));
	vmware_ref(&q, "entity", "VirtualMachine", act->ref);
	vmware_text(&q, "key", key);
	vmware_text(&q, "value", text);
	return vmware_send(&q, r, &answer);
}

static RESULT tag(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	struct vmware_fields fields;
	if (!vmware_id(r, VIM_FIELDS).n)
		return ctx_fail(c, ERR_UNSUPPORTED,
				"A host alone has no custom attributes; vCenter is needed.");
	TRY(vmware_list_fields(c, r, &fields));
	for (size_t n = 0; n < act->tags.count; n++) {
		struct str key = STR_NONE;
		for (size_t k = 0; k < fields.count && !key.n; k++)
			if (str_equal(fields.at[k].name, act->tags.at[n].key))
				key = fields.at[k].key;
		if (!key.n)
			TRY(define_field(c, r, act->tags.at[n].key, &key));
		TRY(set_field(c, r, act, key, act->tags.at[n].value));
	}
	return OK;
}

RESULT vmware_act(struct ctx *c, struct remote *r, const struct remote_act *act)
{
	const struct task_note *note = task_notes_find(remote_task_notes(r), act->ref, (int) act->verb,
						       act->asked_us, clock_now_us());
	if (note && note->task[0]) {
		/* The goal is not reached yet: a success shows at the next look. */
		TRY(watch(c, r, act, str_copy(c->arena, str_from(note->task))));
		if (act->verb == REMOTE_MACHINE_ACT_SNAPSHOT)
			return OK;
		return ctx_fail(c, ERR_AGAIN, "The task has just ended.");
	}
	switch (act->verb) {
	case REMOTE_MACHINE_ACT_START:
		return start_plain(c, r, act, "PowerOnVM_Task");
	case REMOTE_MACHINE_ACT_STOP:
		return stop(c, r, act);
	case REMOTE_MACHINE_ACT_REBOOT:
		return reboot(c, r, act);
	case REMOTE_MACHINE_ACT_RESIZE:
		return resize(c, r, act);
	case REMOTE_MACHINE_ACT_TERMINATE:
		return terminate(c, r, act);
	case REMOTE_MACHINE_ACT_TAG:
		return tag(c, r, act);
	case REMOTE_MACHINE_ACT_SAVE:
		return start_plain(c, r, act, "SuspendVM_Task");
	case REMOTE_MACHINE_ACT_SNAPSHOT:
		return make_snapshot(c, r, act);
	case REMOTE_MACHINE_ACT_NONE:
	case REMOTE_MACHINE_ACT_CREATE:
		break;
	}
	return ctx_fail(c, ERR_UNSUPPORTED, "The driver has no such act.");
}
