/* SPDX-License-Identifier: Apache-2.0
 * Machines that are created from a template disk. Each call looks at what is there and does the next step: the disk is copied
 * under a name of its own and renamed, the machine is defined, gets its size, controller, drive, disk and network adapter, is
 * started, and last of all its notes get the token. Until then its notes say that it is being made, and listings leave it out.
 * So a crash at any moment neither makes a second machine nor shows half of one. Source: Hyper-V WMI provider (V2),
 * Msvm_ImageManagementService and Msvm_VirtualSystemManagementService. */
#include "base/clock.h"
#include "drivers/remote/hyperv/acts.h"
#include "drivers/remote/hyperv/embedded.h"
#include "drivers/remote/hyperv/files.h"
#include "drivers/remote/hyperv/hosts.h"
#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "model/remote_machine.h"

enum {
	NAME_SIZE_MAX = 100,
	IMAGE_SIZE_MAX = 100,
	PARTS_MAX = 20000,
	STATE_ON = 2,
	TYPE_DYNAMIC = 3,
	FORMAT_VHDX = 3
};

struct making {
	struct ctx *c;
	struct wsman_link *l;
	const struct remote_new *wish;
	struct str token, host;
	struct str disk, part; /* paths of the copy, and of the copy while it is being made */
	int64_t vcpus, mib;
	struct str ref, notes; /* machine that is being made; empty: not defined yet */
	bool is_marked;        /* its notes say that it is being made */
	bool has_copied;       /* the job of the copy has just ended well */
};

/* ---- checks ---- */

static bool is_image(struct str s)
{
	bool is_one = s.n > 5 && s.n <= IMAGE_SIZE_MAX && s.p[0] != '.' && str_is_line(s) &&
		      str_equal_nocase(str_slice(s, s.n - 5, s.n), STR(".vhdx")) &&
		      !str_contains(s, STR(".."));
	for (size_t k = 0; is_one && k < s.n; k++)
		is_one = s.p[k] != '\\' && s.p[k] != '/' && s.p[k] != ':' && s.p[k] != '%';
	return is_one;
}

static RESULT check_wish(struct making *m, const struct remote *r)
{
	const struct remote_new *wish = m->wish;
	if (wish->key_name.n || wish->groups.count)
		return ctx_fail(m->c, ERR_UNSUPPORTED, "Hyper-V has no key pairs and no security groups.");
	if (!r->project.n)
		return ctx_fail(m->c, ERR_UNSUPPORTED,
				"The provider has no folder of template disks: give it one with --project.");
	if (!is_image(wish->image))
		return ctx_fail(m->c, ERR_INVALID,
				"An image of Hyper-V is the name of a template disk, such as debian12.vhdx.");
	if (!wish->name.n || wish->name.n > NAME_SIZE_MAX || !str_is_line(wish->name))
		return ctx_fail(m->c, ERR_INVALID, "A name in Hyper-V has up to %d bytes.", NAME_SIZE_MAX);
	for (size_t k = 0; k < wish->tags.count; k++)
		TRY(hyperv_check_tag(m->c, &wish->tags.at[k]));
	return machine_size_parse(m->c, "Hyper-V", wish->type, &m->vcpus, &m->mib);
}

/* ---- jobs ---- */

/* Notes the job that a step has started. OK: there is none. */
static RESULT wait_for(const struct making *m, const struct hyperv_outcome *outcome)
{
	if (!outcome->job.n)
		return OK;
	task_notes_put(remote_task_notes(m->l->r), m->token, (int) REMOTE_MACHINE_ACT_CREATE, outcome->job,
		       clock_now_us());
	return ctx_fail(m->c, ERR_AGAIN, "The machine is being made.");
}

static RESULT run_step(const struct making *m, struct wsman_call *q)
{
	struct hyperv_outcome outcome;
	TRY(hyperv_invoke(q, &outcome));
	return wait_for(m, &outcome);
}

/* Looks at the job of an earlier call. A job that the host has forgotten counts as ended: the steps look for themselves. */
static RESULT follow_note(struct making *m)
{
	struct task_notes *notes = remote_task_notes(m->l->r);
	const struct task_note *note =
		task_notes_find(notes, m->token, (int) REMOTE_MACHINE_ACT_CREATE, 0, clock_now_us());
	if (!note)
		return OK;
	struct result result = hyperv_follow(m->l, str_copy(m->c->arena, str_from(note->task)));
	if (result.code == ERR_AGAIN)
		return result;
	m->has_copied = result_is_ok(result);
	if (result_is_ok(result) || result.code == ERR_NOT_FOUND || result.code == ERR_INVALID ||
	    result.code == ERR_STATE)
		task_notes_drop(notes, m->token);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(m->c);
	return OK;
}

/* ---- the machine with the token ---- */

static bool has_line(struct str notes, const char *start, struct str token)
{
	struct str rest = notes, line = STR_NONE, head = str_from(start);
	while (str_split_next(&rest, '\n', &line)) {
		line = str_trim(line);
		if (str_starts_with(line, head) &&
		    str_equal_nocase(str_trim(str_slice(line, head.n, line.n)), token))
			return true;
	}
	return false;
}

static RESULT take_settings(void *self, const struct wsman_instance *i)
{
	struct making *m = self;
	struct str notes = wsman_get(i, "Notes"), ref = hyperv_owner(m->c, wsman_get(i, "InstanceID"));
	bool is_marked = has_line(notes, HYPERV_MAKING_LINE, m->token);
	bool is_ours = is_marked || has_line(notes, HYPERV_TOKEN_LINE, m->token);
	/* a checkpoint has the notes of its machine */
	bool is_machine = str_contains(wsman_get(i, "VirtualSystemType"), STR(":System:"));
	if (!is_ours || !is_machine || !ref.n || m->ref.n)
		return OK;
	m->ref = ref;
	m->notes = notes;
	m->is_marked = is_marked;
	return OK;
}

static RESULT find_made(struct making *m)
{
	static const char *const wanted[] = {"InstanceID", "Notes", "VirtualSystemType", NULL};
	const struct wsman_query query = {HYPERV_SPACE, STR("select * from Msvm_VirtualSystemSettingData"),
					  PARTS_MAX};
	return wsman_enumerate(m->l, &query,
			       &(struct wsman_visitor){.self = m, .wanted = wanted, .take = take_settings});
}

/* ---- the disk ---- */

static RESULT copy_disk(struct making *m, struct str image)
{
	struct wsman_call q;
	struct embedded e;
	struct str settings = STR_NONE;
	const struct wsman_object service = {HYPERV_SPACE,
					     "Msvm_ImageManagementService",
					     {{"CreationClassName", STR("Msvm_ImageManagementService")},
					      {"SystemCreationClassName", STR("Msvm_ComputerSystem")}}};
	embedded_begin(&e, "Msvm_VirtualHardDiskSettingData");
	embedded_put_int(&e, "Type", "uint16", TYPE_DYNAMIC);
	embedded_put_int(&e, "Format", "uint16", FORMAT_VHDX);
	embedded_put(&e, "Path", "string", m->part);
	TRY(embedded_end(&e, m->c, &settings));
	wsman_begin(&q, m->l, "ConvertVirtualHardDisk", &service);
	wsman_put(&q, "SourcePath", image);
	wsman_put(&q, "VirtualDiskSettingData", settings);
	return run_step(m, &q);
}

/* Leaves the disk under its own name. A copy that nobody makes any more is incomplete, for all that is known. */
static RESULT make_disk(struct making *m, struct str folder)
{
	struct str image =
		str_print(m->c->arena, "%" STR_FMT "\\%" STR_FMT, STR_ARG(folder), STR_ARG(m->wish->image));
	bool has = false, is_busy = false;
	TRY(files_have(m->l, m->disk, &has));
	if (has)
		return OK;
	TRY(files_have(m->l, m->part, &has));
	if (!has) {
		TRY(files_have(m->l, image, &has));
		if (!has)
			return ctx_fail(m->c, ERR_INVALID, "The host has no image %" STR_FMT ".",
					STR_ARG(m->wish->image));
		TRY(copy_disk(m, image));
		m->has_copied = true; /* without a job */
	}
	if (!m->has_copied) {
		TRY(hyperv_has_job(m->l, "Msvm_StorageJob", &is_busy));
		if (is_busy)
			return ctx_fail(m->c, ERR_AGAIN, "The disk is being copied.");
		TRY(files_delete(m->l, m->part));
		return ctx_fail(m->c, ERR_AGAIN, "The disk is copied again.");
	}
	return files_rename(m->l, m->part, m->disk);
}

/* ---- the machine ---- */

static struct str write_notes(const struct making *m, const char *start)
{
	struct arena *a = m->c->arena;
	struct str notes = str_print(a, "%s%" STR_FMT, start, STR_ARG(m->token));
	for (size_t k = 0; k < m->wish->tags.count; k++)
		notes = str_print(a, "%" STR_FMT "\n" HYPERV_TAG_LINE "%" STR_FMT "=%" STR_FMT,
				  STR_ARG(notes), STR_ARG(m->wish->tags.at[k].key),
				  STR_ARG(m->wish->tags.at[k].value));
	return notes;
}

/* A machine of generation 2, without secure boot: a template may have any system. */
static RESULT define(const struct making *m)
{
	struct wsman_call q;
	struct embedded e;
	struct str settings = STR_NONE;
	const struct wsman_object service = hyperv_service_object();
	embedded_begin(&e, "Msvm_VirtualSystemSettingData");
	embedded_put(&e, "ElementName", "string", m->wish->name);
	embedded_put_array(&e, "Notes", write_notes(m, HYPERV_MAKING_LINE));
	embedded_put(&e, "VirtualSystemSubType", "string", STR("Microsoft:Hyper-V:SubType:2"));
	embedded_put(&e, "SecureBootEnabled", "boolean", STR("false"));
	TRY(embedded_end(&e, m->c, &settings));
	wsman_begin(&q, m->l, "DefineSystem", &service);
	wsman_put(&q, "SystemSettings", settings);
	return run_step(m, &q);
}

/* ---- its parts ---- */

/* A part of the machine: parent is the part that it belongs to, by its index. */
static const struct part_row {
	const char *class_name, *sub_type;
	int64_t type;
	int parent; /* -1: none */
} parts[] = {{"Msvm_ResourceAllocationSettingData", "Microsoft:Hyper-V:Synthetic SCSI Controller", 6, -1},
	     {"Msvm_ResourceAllocationSettingData", "Microsoft:Hyper-V:Synthetic Disk Drive", 17, 0},
	     {"Msvm_StorageAllocationSettingData", HYPERV_DISK_TYPE, 31, 1},
	     {"Msvm_SyntheticEthernetPortSettingData", "Microsoft:Hyper-V:Synthetic Ethernet Port", 10, -1},
	     {"Msvm_EthernetPortAllocationSettingData", "Microsoft:Hyper-V:Ethernet Connection", 33, 3}};
enum { PART_DISK = 2, PART_ADAPTER, PART_CONNECTION, PARTS };

struct seeking {
	struct ctx *c;
	struct str owner, sub_type, id;
};

static RESULT seek(void *self, const struct wsman_instance *i)
{
	struct seeking *s = self;
	struct str id = wsman_get(i, "InstanceID");
	bool is_it = str_equal(wsman_get(i, "ResourceSubType"), s->sub_type) &&
		     str_equal(hyperv_owner(s->c, id), s->owner);
	if (is_it && !s->id.n)
		s->id = id;
	return OK;
}

/* Id of the part; empty: the machine has none. */
static RESULT find_part(const struct making *m, const struct part_row *row, struct str *ret_id)
{
	static const char *const wanted[] = {"InstanceID", "ResourceSubType", NULL};
	struct seeking s = {.c = m->c, .owner = m->ref, .sub_type = str_from(row->sub_type)};
	const struct wsman_query query = {
		HYPERV_SPACE,
		str_print(m->c->arena, "select * from %s where InstanceID like 'Microsoft:%" STR_FMT "%%'",
			  row->class_name, STR_ARG(hyperv_upper(m->c, m->ref))),
		PARTS_MAX};
	TRY(wsman_enumerate(m->l, &query,
			    &(struct wsman_visitor){.self = &s, .wanted = wanted, .take = seek}));
	*ret_id = s.id;
	return OK;
}

/* A path of WMI, in which backslashes of ids are doubled. */
static struct str path_of(const struct making *m, const char *class_name, struct str id)
{
	struct str quoted = wsman_quote(m->c, id);
	return str_print(m->c->arena,
			 "\\\\%" STR_FMT "\\root\\virtualization\\v2:%s.InstanceID=\"%" STR_FMT "\"",
			 STR_ARG(m->host), class_name, STR_ARG(str_slice(quoted, 1, quoted.n - 1)));
}

static struct str path_of_switch(const struct making *m)
{
	return str_print(m->c->arena,
			 "\\\\%" STR_FMT "\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch."
			 "CreationClassName=\"Msvm_VirtualEthernetSwitch\",Name=\"%" STR_FMT "\"",
			 STR_ARG(m->host), STR_ARG(hyperv_upper(m->c, m->wish->subnet)));
}

static RESULT add_part(const struct making *m, size_t k, struct str parent)
{
	struct wsman_call q;
	struct embedded e;
	struct str settings = STR_NONE;
	const struct wsman_object service = hyperv_service_object();
	const struct wsman_object machine = {
		HYPERV_SPACE,
		"Msvm_VirtualSystemSettingData",
		{{"InstanceID",
		  str_print(m->c->arena, "Microsoft:%" STR_FMT, STR_ARG(hyperv_upper(m->c, m->ref)))}}};
	embedded_begin(&e, parts[k].class_name);
	embedded_put_int(&e, "ResourceType", "uint16", parts[k].type);
	embedded_put(&e, "ResourceSubType", "string", str_from(parts[k].sub_type));
	if (parent.n)
		embedded_put(&e, "Parent", "string", path_of(m, parts[parts[k].parent].class_name, parent));
	if (k == PART_DISK)
		embedded_put_array(&e, "HostResource", m->disk);
	if (k == PART_CONNECTION)
		embedded_put_array(&e, "HostResource", path_of_switch(m));
	TRY(embedded_end(&e, m->c, &settings));
	wsman_begin(&q, m->l, "AddResourceSettings", &service);
	wsman_put_object(&q, "AffectedConfiguration", &machine);
	wsman_put(&q, "ResourceSettings", settings);
	return run_step(m, &q);
}

static RESULT make_parts(const struct making *m)
{
	struct str ids[PARTS] = {0};
	size_t count = m->wish->subnet.n ? PARTS : PART_ADAPTER;
	for (size_t k = 0; k < count; k++) {
		int parent = parts[k].parent;
		TRY(find_part(m, &parts[k], &ids[k]));
		if (ids[k].n)
			continue;
		TRY(add_part(m, k, parent < 0 ? STR_NONE : ids[parent]));
		TRY(find_part(m, &parts[k], &ids[k]));
		if (!ids[k].n)
			return remote_fail_answer(m->c, "a part that was added is not there");
	}
	return OK;
}

/* ---- the last steps ---- */

static RESULT set_size(const struct making *m, const struct remote_machine *seen)
{
	struct hyperv_outcome outcome;
	if (str_equal(seen->type, m->wish->type))
		return OK;
	TRY(hyperv_set_size(m->l, m->ref, m->vcpus, m->mib, &outcome));
	return wait_for(m, &outcome);
}

static RESULT start(const struct making *m)
{
	struct wsman_call q;
	const struct wsman_object machine = hyperv_machine_object(m->c, m->ref);
	wsman_begin(&q, m->l, "RequestStateChange", &machine);
	wsman_put_int(&q, "RequestedState", STATE_ON);
	return run_step(m, &q);
}

/* The token in the notes ends the creation: listings show the machine from now on. */
static RESULT finish(const struct making *m, struct remote_machine *ret_machine)
{
	struct hyperv_outcome outcome;
	if (m->is_marked) {
		struct str kept = hyperv_strip_notes(m->c, m->notes, HYPERV_MAKING_LINE);
		struct str notes = str_print(m->c->arena, HYPERV_TOKEN_LINE "%" STR_FMT "%s%" STR_FMT,
					     STR_ARG(m->token), kept.n ? "\n" : "", STR_ARG(kept));
		TRY(hyperv_set_notes(m->l, m->ref, notes, &outcome));
		TRY(wait_for(m, &outcome));
	}
	return hyperv_get_machine(m->l, m->ref, ret_machine);
}

static RESULT build(struct making *m, struct remote_machine *ret_machine)
{
	struct remote_machine seen = {0};
	TRY(hyperv_get_machine(m->l, m->ref, &seen));
	if (m->is_marked && str_is(seen.raw_state, "Off")) {
		TRY(set_size(m, &seen));
		TRY(make_parts(m));
		TRY(start(m));
	}
	return finish(m, ret_machine);
}

static RESULT make(struct making *m, struct remote_machine *ret_machine)
{
	TRY(follow_note(m));
	TRY(find_made(m));
	if (m->ref.n)
		return build(m, ret_machine);
	TRY(make_disk(m, m->l->r->project));
	TRY(define(m));
	TRY(find_made(m));
	return m->ref.n ? build(m, ret_machine) : ctx_fail(m->c, ERR_AGAIN, "The machine is not shown yet.");
}

/* Deletes the machine, its disk and the copy after a creation that failed for good. Failures are ignored, so that the act's
 * problem stays the reason of the creation's failure. */
static void undo(struct making *m)
{
	struct wsman_call q;
	struct hyperv_outcome outcome;
	const struct problem reason = m->c->problem;
	const struct wsman_object service = hyperv_service_object();
	m->c->problem = (struct problem){0};
	if (!m->ref.n)
		IGNORE(find_made(m)); /* a job may have failed before the machine was looked for */
	if (m->ref.n && m->is_marked) {
		const struct wsman_object made = hyperv_machine_object(m->c, m->ref);
		wsman_begin(&q, m->l, "DestroySystem", &service);
		wsman_put_object(&q, "AffectedSystem", &made);
		IGNORE(hyperv_invoke(&q, &outcome));
	}
	if (!m->ref.n || m->is_marked)
		IGNORE(files_delete(m->l, m->disk));
	IGNORE(files_delete(m->l, m->part));
	m->c->problem = reason;
}

RESULT hyperv_create(struct wsman_link *l, const struct remote_new *wish, struct remote_machine *ret_machine)
{
	struct making m = {.c = l->c, .l = l, .wish = wish, .token = uuid_to_str(l->c->arena, wish->token)};
	TRY(check_wish(&m, l->r));
	m.host = l->zone;
	m.disk = files_made_disk(l->c, l->r->project, wish->token);
	m.part =
		str_print(l->c->arena, "%" STR_FMT ".part.vhdx", STR_ARG(str_slice(m.disk, 0, m.disk.n - 5)));
	struct result result = make(&m, ret_machine);
	bool is_final = result.code == ERR_INVALID || result.code == ERR_STATE || result.code == ERR_DENIED ||
			result.code == ERR_UNSUPPORTED;
	if (is_final)
		undo(&m);
	return result;
}
