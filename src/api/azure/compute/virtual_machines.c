/* SPDX-License-Identifier: Apache-2.0
 * Virtual machines: shown with their disks, interfaces and what runs (instanceView); started, stopped, restarted and deleted.
 * Source: Azure REST API reference, "Virtual Machines", 2022-08-01; states as "States and billing status of Azure Virtual
 * Machines" has them. A machine that is off costs nothing here, whoever stopped it: it is deallocated. */
#include "api/azure/core/action.h"

#include "engine/instance/instance.h"
#include "engine/resolve.h"
#include "model/state.h"
#include "model/zone.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/volume.h"
#include "store/zone.h"

/* ---- states ---- */

struct shown_state {
	const char *provisioning, *power, *words;
};
static const struct shown_state *state_of(const struct instance *i)
{
	static const struct shown_state creating = {"Creating", "starting", "VM starting"};
	static const struct shown_state off = {"Succeeded", "deallocated", "VM deallocated"};
	static const struct shown_state of[INSTANCE_STATE_COUNT] = {
		[INSTANCE_PENDING] = {"Updating", "starting", "VM starting"},
		[INSTANCE_RUNNING] = {"Succeeded", "running", "VM running"},
		[INSTANCE_RESCUED] = {"Succeeded", "running", "VM running"},
		[INSTANCE_PAUSED] = {"Succeeded", "running", "VM running"},
		[INSTANCE_STOPPING] = {"Updating", "deallocating", "VM deallocating"},
		[INSTANCE_SUSPENDING] = {"Updating", "deallocating", "VM deallocating"},
		[INSTANCE_SHUTTING_DOWN] = {"Deleting", "deallocating", "VM deallocating"},
		[INSTANCE_TERMINATED] = {"Deleting", "deallocated", "VM deallocated"},
		[INSTANCE_ERROR] = {"Failed", "unknown", "VM status unknown"},
	};
	enum instance_state state = model_derive_instance_state(i);
	if (state == INSTANCE_PENDING && !i->launched_us)
		return &creating;
	return of[state].power ? &of[state] : &off;
}

static void write_status(struct json_writer *w, struct str code, const char *words, int64_t time_us)
{
	json_write_open(w, NULL);
	json_write_text(w, "code", code);
	json_write_z(w, "level", "Info");
	json_write_z(w, "displayStatus", words);
	az_write_time(w, "time", time_us);
	json_write_close(w);
}

static void write_view(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct shown_state *s = state_of(i);
	struct str word = str_lower(e->c->arena, str_from(s->provisioning));
	const char *words = str_is(word, "succeeded") ? "Provisioning succeeded" : s->provisioning;
	json_write_z(w, "computerName", i->hostname.n ? str_to_z(e->c->arena, i->hostname) : NULL);
	json_write_z(w, "hyperVGeneration", i->boot_mode == INSTANCE_BOOT_MODE_UEFI ? "V2" : "V1");
	json_write_open_list(w, "disks");
	json_write_close_list(w);
	json_write_open_list(w, "statuses");
	write_status(w, str_print(e->c->arena, "ProvisioningState/%" STR_FMT, STR_ARG(word)), words,
		     i->row.updated_us);
	write_status(w, str_print(e->c->arena, "PowerState/%s", s->power), s->words, 0);
	json_write_close_list(w);
}

/* ---- parts of the object ---- */

static const struct volume *root_of(struct az_call *e, const struct instance *i)
{
	const struct volume *v = volume_first_by_instance(az_tables(e), i->row.id);
	while (v && v->device_slot != 0)
		v = volume_next_by_instance(az_tables(e), v);
	return v;
}

static void write_disk(struct az_call *e, struct json_writer *w, const char *name, const struct volume *v,
		       const char *how)
{
	json_write_open(w, name);
	if (v->device_slot)
		json_write_int(w, "lun", v->device_slot - 1);
	json_write_text(w, "name", az_name_of(e, KIND_VOLUME, v->row.id));
	json_write_z(w, "createOption", how);
	json_write_z(w, "caching", "None");
	json_write_open(w, "managedDisk");
	json_write_text(w, "id", az_id_of(e, AZ_DISKS, KIND_VOLUME, v->row.id));
	json_write_z(w, "storageAccountType", "Premium_LRS");
	json_write_close(w);
	json_write_int(w, "diskSizeGB", v->size >> 30);
	json_write_z(w, "deleteOption", v->delete_on_termination ? "Delete" : "Detach");
	if (v->device_slot)
		json_write_bool(w, "toBeDetached", false);
	json_write_close(w);
}

static void write_storage(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct tables *t = az_tables(e);
	const struct volume *root = root_of(e, i);
	json_write_open(w, "storageProfile");
	if (root)
		write_disk(e, w, "osDisk", root, "FromImage");
	json_write_open_list(w, "dataDisks");
	for (const struct volume *v = volume_first_by_instance(t, i->row.id); v;
	     v = volume_next_by_instance(t, v))
		if (v != root && row_is_live(&v->row) && !v->is_medium)
			write_disk(e, w, NULL, v, "Attach");
	json_write_close_list(w);
	json_write_close(w);
}

static void write_os(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	json_write_open(w, "osProfile");
	json_write_text(w, "computerName",
			i->hostname.n ? i->hostname : az_name_of(e, KIND_INSTANCE, i->row.id));
	if (i->platform == INSTANCE_PLATFORM_LINUX) {
		json_write_open(w, "linuxConfiguration");
		json_write_bool(w, "disablePasswordAuthentication", !i->admin_password.n);
		json_write_bool(w, "provisionVMAgent", false);
		json_write_close(w);
	}
	json_write_open_list(w, "secrets");
	json_write_close_list(w);
	json_write_bool(w, "allowExtensionOperations", false);
	json_write_close(w);
}

static void write_interfaces(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct tables *t = az_tables(e);
	json_write_open(w, "networkProfile");
	json_write_open_list(w, "networkInterfaces");
	for (const struct port *p = port_first_by_instance(t, i->row.id); p;
	     p = port_next_by_instance(t, p)) {
		if (!row_is_live(&p->row))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "id", az_id_of(e, AZ_INTERFACES, KIND_PORT, p->row.id));
		json_write_open(w, "properties");
		json_write_bool(w, "primary", p->device_index == 0);
		json_write_z(w, "deleteOption", p->delete_on_termination ? "Delete" : "Detach");
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static bool wants_view(const struct az_call *e)
{
	return str_equal_nocase(az_query_value(e, "$expand"), STR("instanceView")) ||
	       str_equal_nocase(az_query_value(e, "statusOnly"), STR("true"));
}

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct instance *i = instance_of(row);
	const struct instance_type *type = instance_type_find(az_tables(e), i->type);
	json_write_open(w, name);
	json_write_text(w, "vmId", uuid_to_str(e->c->arena, row->id));
	json_write_open(w, "hardwareProfile");
	json_write_text(w, "vmSize", type ? type->name : STR(""));
	json_write_close(w);
	write_storage(e, w, i);
	write_os(e, w, i);
	write_interfaces(e, w, i);
	json_write_z(w, "provisioningState", state_of(i)->provisioning);
	az_write_time(w, "timeCreated", row->created_us);
	if (wants_view(e)) {
		json_write_open(w, "instanceView");
		write_view(e, w, i);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_head(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	az_write_head(az_call_of(core), w, AZ_MACHINES, KIND_INSTANCE, row);
}

static const struct member members[] = {
	MEMBER_WRITTEN("id", write_head, .also = "name|type|location|tags"),
	MEMBER_WRITTEN("properties", write_properties),
};
/* One that has ended is no resource any more. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	(void) args;
	return model_derive_instance_state(instance_of(row)) != INSTANCE_TERMINATED;
}
static const struct api_listing machines = {
	.kind = KIND_INSTANCE, .item = "value", .matches = matches, .members = MEMBERS(members)};

/* ---- calls about one ---- */

struct machine_args {
	struct instances_wish wish; /* first: the operation reads it */
	struct ref ref;
	uuid id;
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct machine_args *a = args;
	const struct row *row = NULL;
	TRY(az_find_named(e, KIND_INSTANCE, "vmName", &row));
	a->id = row->id;
	a->ref = ref_by_id(KIND_INSTANCE, row->id);
	a->ref.field = STR("vmName");
	a->ref.text = az_path_value(e, "vmName");
	a->wish.instances = (struct refs){&a->ref, 1};
	return OK;
}

/* ?skipShutdown=true: without asking the guest. */
static RESULT prepare_off(struct az_call *e, void *args)
{
	struct machine_args *a = args;
	a->wish.force = str_equal_nocase(az_query_value(e, "skipShutdown"), STR("true"));
	return prepare(e, args);
}

/* What is not there is deleted already. */
static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct result found = prepare(e, args);
	if (found.code != ERR_NOT_FOUND || e->error == &az_no_group)
		return found;
	ctx_clear_problem(e->c);
	e->skips_operation = true;
	e->status = 204;
	return OK;
}

static RESULT show_view(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct machine_args *a = args;
	write_view(e, w, instance_find(az_tables(e), a->id));
	return OK;
}

#define MACHINES AZ_COMPUTE "/virtualMachines"
#define MACHINE AZ_GROUP MACHINES "/{vmName}"
#define ONE(verb, where, word, action, ...)                                                                  \
	{                                                                                                    \
		verb, where, .name = (word), .permit = (action), .type = AZ_MACHINES,                        \
			     .args = {0, 0, sizeof(struct machine_args)},                                    \
			     AZ_SUBJECT(struct machine_args, id), __VA_ARGS__                                \
	}
#define CHANGE(verb, where, word, action, ...)                                                               \
	ONE(verb, where, word, action, .flags = API_WRITES, .returns = API_RETURNS_NOTHING_STORED,           \
	    __VA_ARGS__)
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION MACHINES, .name = "VirtualMachines_ListAll",
	 .permit = "ec2:DescribeInstances", .type = AZ_MACHINES, .listing = &machines,
	 .doc = "The subscription's virtual machines."},
	{HTTP_GET, AZ_GROUP MACHINES, .name = "VirtualMachines_List", .permit = "ec2:DescribeInstances",
	 .type = AZ_MACHINES, .listing = &machines, .doc = "A group's virtual machines."},
	ONE(HTTP_GET, MACHINE, "VirtualMachines_Get", "ec2:DescribeInstances", .prepare = prepare,
	    .shows = &machines, .doc = "One virtual machine."),
	ONE(HTTP_GET, MACHINE "/instanceView", "VirtualMachines_InstanceView", "ec2:DescribeInstances",
	    .prepare = prepare, .answer = show_view, .doc = "What runs of it."),
	CHANGE(HTTP_POST, MACHINE "/start", "VirtualMachines_Start", "ec2:StartInstances", .prepare = prepare,
	       .operation = engine_start_instances_run, .outcome = ASYNC_JOB_OUTCOME_SETTLED,
	       .doc = "Starts a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/powerOff", "VirtualMachines_PowerOff", "ec2:StopInstances",
	       .prepare = prepare_off, .operation = engine_stop_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = "Stops a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/deallocate", "VirtualMachines_Deallocate", "ec2:StopInstances",
	       .prepare = prepare, .operation = engine_stop_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = "Stops a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/restart", "VirtualMachines_Restart", "ec2:RebootInstances",
	       .prepare = prepare, .operation = engine_reboot_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = "Restarts a virtual machine."),
	CHANGE(HTTP_DELETE, MACHINE, "VirtualMachines_Delete", "ec2:TerminateInstances",
	       .prepare = prepare_delete, .operation = engine_terminate_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_GONE, .doc = "Deletes a virtual machine."),
};
const struct api_actions az_machine_actions = API_ACTIONS(actions);
