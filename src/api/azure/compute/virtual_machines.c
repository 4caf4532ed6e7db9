/* SPDX-License-Identifier: Apache-2.0
 * Virtual machines: shown with disks, interfaces and instanceView; started, stopped, restarted and deleted.
 * A stopped machine costs nothing here, whoever stopped it, so it is always deallocated. Source: Azure REST
 * API reference, "Virtual Machines", 2022-08-01; "States and billing status of Azure Virtual Machines".
 */
#include "api/azure/compute/compute.h"

#include <stdlib.h>

#include "engine/instance/instance.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/resolve.h"
#include "engine/scaling/scaling.h"
#include "model/licence.h"
#include "model/state.h"
#include "model/zone.h"
#include "store/arm_resource.h"
#include "store/azure_guest.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/server_group.h"
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
	if (state == INSTANCE_PENDING && i->row.gen == 1)
		return &creating;
	return of[state].power ? &of[state] : &off;
}

/* Provisioning state: a running machine's guest may not be ready yet. */
static const char *guest_state_of(struct az_call *e, const struct instance *i)
{
	return strcmp(state_of(i)->power, "running") == 0 ? az_guest_state(e, i) : NULL;
}

const char *az_machine_state(struct az_call *e, const struct instance *i)
{
	const char *guest = guest_state_of(e, i);
	return guest ? guest : state_of(i)->provisioning;
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

void az_write_machine_view(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct shown_state *s = state_of(i);
	const char *provisioning = az_machine_state(e, i);
	struct str word = str_lower(e->c->arena, str_from(provisioning));
	const char *words = str_is(word, "succeeded") ? "Provisioning succeeded" : provisioning;
	json_write_z(w, "computerName", i->hostname.n ? str_to_z(e->c->arena, i->hostname) : NULL);
	json_write_z(w, "hyperVGeneration", i->boot_mode == INSTANCE_BOOT_MODE_UEFI ? "V2" : "V1");
	az_write_agent(e, w, i);
	json_write_open_list(w, "disks");
	json_write_close_list(w);
	json_write_open_list(w, "statuses");
	const char *guest = guest_state_of(e, i);
	if (guest && strcmp(guest, "Failed") == 0)
		az_write_guest_failure(e, w, i);
	else
		write_status(w, str_print(e->c->arena, "ProvisioningState/%" STR_FMT, STR_ARG(word)), words,
			     i->row.updated_us);
	write_status(w, str_print(e->c->arena, "PowerState/%s", s->power), s->words, 0);
	if (json_is_true(json_object_get(az_said(e, i->row.id), AZ_GENERALIZED)))
		write_status(w, STR("OSState/generalized"), "VM generalized", 0);
	json_write_close_list(w);
}

/* ---- parts of the object ---- */

const struct volume *az_root_of(struct az_call *e, const struct instance *i)
{
	const struct volume *v = volume_first_by_instance(az_tables(e), i->row.id);
	while (v && v->device_slot != 0)
		v = volume_next_by_instance(az_tables(e), v);
	return v;
}

/* Finds the data disk at that LUN in the body of the last PUT that listed data disks. NULL: there is none. */
static const json_t *find_said_disk(struct az_call *e, const struct instance *i, int64_t lun)
{
	const json_t *list = json_object_get(az_said(e, i->row.id), "properties.storageProfile.dataDisks");
	const json_t *said = NULL;
	for (size_t k = 0; !said && k < json_array_size(list); k++)
		if (json_integer_value(json_object_get(json_array_get(list, k), "lun")) == lun)
			said = json_array_get(list, k);
	return said;
}

static void write_disk(struct az_call *e, struct json_writer *w, const char *name, const struct instance *i,
		       const struct volume *v, const char *how)
{
	const json_t *said = v->device_slot ? find_said_disk(e, i, az_lun_of(v)) : NULL;
	const char *option = json_string_value(json_object_get(said, "createOption"));
	const char *caching = json_string_value(json_object_get(said, "caching"));
	json_write_open(w, name);
	if (v->device_slot)
		json_write_int(w, "lun", az_lun_of(v));
	json_write_text(w, "name", az_name_of(e, AZ_DISKS, KIND_VOLUME, v->row.id));
	if (v->device_slot) {
		json_write_z(w, "createOption", option ? option : how);
		json_write_z(w, "caching", caching ? caching : "None");
	} else {
		az_write_said(e, w, i->row.id, "properties.storageProfile.osDisk.createOption",
			      "createOption", how);
		az_write_said(e, w, i->row.id, "properties.storageProfile.osDisk.caching", "caching",
			      "ReadWrite");
		json_write_z(w, "osType", i->platform == INSTANCE_PLATFORM_WINDOWS ? "Windows" : "Linux");
	}
	json_write_open(w, "managedDisk");
	json_write_text(w, "id", az_id_of(e, AZ_DISKS, KIND_VOLUME, v->row.id));
	json_write_text(w, "storageAccountType", az_sku_of_type(v->type));
	json_write_close(w);
	json_write_int(w, "diskSizeGB", v->size >> 30);
	json_write_z(w, "deleteOption", v->delete_on_termination ? "Delete" : "Detach");
	if (v->device_slot)
		json_write_bool(w, "toBeDetached", false);
	json_write_close(w);
}

/* Writes imageReference as the PUT said it, else the image's marketplace names. */
static void write_image(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	const struct image *image = image_find(az_tables(e), i->image);
	if (json_object_get(az_said(e, i->row.id), "properties.storageProfile.imageReference")) {
		az_write_said(e, w, i->row.id, "properties.storageProfile.imageReference", "imageReference",
			      NULL);
		return;
	}
	if (!image || !row_is_live(&image->row))
		return;
	struct az_image_names names = az_image_names_of(e, image);
	json_write_open(w, "imageReference");
	json_write_text(w, "publisher", names.publisher);
	json_write_text(w, "offer", names.offer);
	json_write_text(w, "sku", names.sku);
	json_write_text(w, "version", names.version);
	json_write_text(w, "exactVersion", names.version);
	json_write_close(w);
}

void az_write_storage(struct az_call *e, struct json_writer *w, const struct instance *i,
		      const struct uuids *but)
{
	const struct tables *t = az_tables(e);
	const struct volume *root = az_root_of(e, i);
	write_image(e, w, i);
	if (root)
		write_disk(e, w, "osDisk", i, root, "FromImage");
	json_write_open_list(w, "dataDisks");
	for (const struct volume *v = volume_first_by_instance(t, i->row.id); v;
	     v = volume_next_by_instance(t, v))
		if (v != root && row_is_live(&v->row) && !v->is_medium &&
		    !(but && uuids_have(but, v->row.id)))
			write_disk(e, w, NULL, i, v, "Attach");
	json_write_close_list(w);
}

static void write_storage(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	json_write_open(w, "storageProfile");
	az_write_storage(e, w, i, NULL);
	json_write_close(w);
}

#define OS "properties.osProfile."
#define WINDOWS "windowsConfiguration"
#define LINUX "linuxConfiguration"

/* Writes osProfile as the PUT said it, else the defaults. */
static void write_system(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	bool is_windows = i->platform == INSTANCE_PLATFORM_WINDOWS;
	const char *path = is_windows ? OS WINDOWS : OS LINUX;
	if (json_object_get(az_said(e, i->row.id), path)) {
		az_write_said(e, w, i->row.id, path, is_windows ? WINDOWS : LINUX, NULL);
		return;
	}
	json_write_open(w, is_windows ? WINDOWS : LINUX);
	if (is_windows)
		json_write_bool(w, "enableAutomaticUpdates", true);
	else
		json_write_bool(w, "disablePasswordAuthentication", !i->admin_password.n);
	json_write_bool(w, "provisionVMAgent", i->personality == INSTANCE_PERSONALITY_AZURE);
	json_write_close(w);
}

struct str az_computer_name(struct az_call *e, const struct instance *i)
{
	const struct azure_guest *guest = engine_find_azure_guest(az_tables(e), i->row.id);
	return guest && guest->computer_name.n ? guest->computer_name
	       : i->hostname.n                 ? i->hostname
					       : az_name_of(e, AZ_MACHINES, KIND_INSTANCE, i->row.id);
}

static void write_os(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	struct str name = az_computer_name(e, i);
	uuid id = i->row.id;
	json_write_open(w, "osProfile");
	az_write_said(e, w, id, OS "computerName", "computerName", str_to_z(e->c->arena, name));
	az_write_said(e, w, id, OS "adminUsername", "adminUsername", NULL);
	write_system(e, w, i);
	json_write_open_list(w, "secrets");
	json_write_close_list(w);
	json_write_bool(w, "allowExtensionOperations", i->personality == INSTANCE_PERSONALITY_AZURE);
	json_write_close(w);
}

void az_write_machine_interfaces(struct az_call *e, struct json_writer *w, const struct instance *i)
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

/* Writes vmSize as the PUT said it, if that name still means the machine's type. */
static void write_size(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	static const char path[] = "properties.hardwareProfile.vmSize";
	struct str said = str_from(json_string_value(json_object_get(az_said(e, i->row.id), path)));
	const struct instance_type *type = instance_type_find(az_tables(e), i->type);
	bool is_same = said.n && type && az_type_of_size(e, said) == type;
	json_write_text(w, "vmSize", is_same ? said : type ? type->name : STR(""));
}

/* A machine's row has one text for userData and customData. The answer never contains customData. */
static bool shows_user_data(struct az_call *e, const struct instance *i)
{
	const json_t *said = az_said(e, i->row.id);
	return i->user_data.n && (!said || json_object_get(said, "properties.userData"));
}

/* The scaling group that has the machine; NULL: none. */
static const struct scaling_group *set_with(struct az_call *e, const struct instance *i)
{
	const struct scaling_member *m = engine_find_scaling_member(az_tables(e), i->row.id);
	return m ? scaling_group_find(az_tables(e), m->scaling_group) : NULL;
}

static void write_properties(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct instance *i = instance_of(row);
	az_write_identity(e, w, row->id);
	json_write_open(w, name);
	json_write_text(w, "vmId", uuid_to_str(e->c->arena, row->id));
	json_write_open(w, "hardwareProfile");
	write_size(e, w, i);
	json_write_close(w);
	const struct server_group *g = server_group_find(az_tables(e), i->server_group);
	if (g && az_is_near(g))
		az_write_ref(e, w, "proximityPlacementGroup", AZ_PROXIMITY_GROUPS, KIND_SERVER_GROUP,
			     g->row.id);
	else if (g)
		az_write_ref(e, w, "availabilitySet", AZ_AVAILABILITY_SETS, KIND_SERVER_GROUP, g->row.id);
	const struct scaling_group *set = set_with(e, i);
	if (set && set->mode == SCALING_GROUP_MODE_FLEXIBLE)
		az_write_ref(e, w, "virtualMachineScaleSet", AZ_SCALE_SETS, KIND_SCALING_GROUP, set->row.id);
	write_storage(e, w, i);
	write_os(e, w, i);
	az_write_machine_interfaces(e, w, i);
	az_write_said(e, w, row->id, "properties.diagnosticsProfile", "diagnosticsProfile", NULL);
	if (*licence_azure_type(i->licences))
		json_write_z(w, "licenseType", licence_azure_type(i->licences));
	if (str_equal_nocase(az_query_value(e, "$expand"), STR("userData")) && shows_user_data(e, i))
		json_write_text(w, "userData", str_encode_base64(e->c->arena, i->user_data));
	json_write_z(w, "provisioningState", az_machine_state(e, i));
	az_write_time(w, "timeCreated", row->created_us);
	if (wants_view(e)) {
		json_write_open(w, "instanceView");
		az_write_machine_view(e, w, i);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_extensions(struct api_call *core, struct json_writer *w, const char *name,
			     const struct row *row)
{
	(void) name;
	az_write_extensions(az_call_of(core), w, instance_of(row));
}

static const struct member members[] = {
	AZ_HEAD_OF(AZ_MACHINES, KIND_INSTANCE),
	MEMBER_WRITTEN("resources", write_extensions),
	AZ_ZONES(struct instance),
	MEMBER_WRITTEN("properties", write_properties, .also = "identity"),
};
/* Hides terminated machines, and those of uniform scale sets, which the set lists. */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct scaling_group *set = set_with(az_call_of(e), instance_of(row));
	(void) args;
	return (!set || set->mode != SCALING_GROUP_MODE_UNIFORM) &&
	       model_derive_instance_state(instance_of(row)) != INSTANCE_TERMINATED &&
	       az_is_in_group(az_call_of(e), row);
}
const struct api_listing az_machines = {
	.kind = KIND_INSTANCE, .item = "value", .matches = matches, .members = MEMBERS(members)};

/* ---- calls about one ---- */

struct machine_args {
	struct instances_wish wish; /* first member: passed to the operation */
	struct ref ref;
};

static RESULT prepare(struct az_call *e, void *args)
{
	struct machine_args *a = args;
	a->ref = az_target_ref(e);
	a->ref.field = STR("vmName");
	a->wish.instances = (struct refs){&a->ref, 1};
	return OK;
}

/* Reads ?skipShutdown=true: power off without asking the guest. */
static RESULT prepare_off(struct az_call *e, void *args)
{
	struct machine_args *a = args;
	a->wish.force = str_equal_nocase(az_query_value(e, "skipShutdown"), STR("true"));
	return prepare(e, args);
}

/* Refuses ?hibernate=true, which would save the guest's memory. Guessed wording. */
static RESULT prepare_deallocate(struct az_call *e, void *args)
{
	struct str hibernate = az_query_value(e, "hibernate");
	if (hibernate.n && !str_equal_nocase(hibernate, STR("false")))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("hibernate"),
				      "The Hibernate operation cannot be performed on the VM '%" STR_FMT
				      "': hibernation is not enabled for it.",
				      STR_ARG(az_path_value(e, "vmName")));
	return prepare(e, args);
}

/* Marks the machine as generalized, so that its disks may become an image. Starting it again is not
 * prevented. */
static RESULT prepare_generalize(struct az_call *e, void *args)
{
	struct arm_resource_wish *wish = args;
	const struct instance *i = instance_find(az_tables(e), e->target);
	const struct arm_resource *name = engine_find_name(az_tables(e), e->target);
	const json_t *said = az_said(e, e->target);
	if (model_derive_instance_state(i) != INSTANCE_STOPPED)
		return ctx_fail(e->c, ERR_STATE,
				"The VM '%" STR_FMT
				"' must be stopped or deallocated before it is generalized.",
				STR_ARG(az_path_value(e, "vmName")));
	json_t *next = said ? json_deep_copy(said) : json_object();
	(void) json_object_set_new(next, AZ_GENERALIZED, json_true());
	char *text = json_dumps(next, JSON_COMPACT);
	json_decref(next);
	*wish = (struct arm_resource_wish){.group = e->group,
					   .type = name ? str_copy(e->c->arena, name->type)
							: STR("Microsoft.Compute/virtualMachines"),
					   .name = az_path_value(e, "vmName"),
					   .kind = KIND_INSTANCE,
					   .target = e->target,
					   .definition = str_copy(e->c->arena, str_from(text))};
	free(text);
	return OK;
}

static RESULT generalize(struct op *op, void *wish)
{
	const struct arm_resource_wish *name = wish;
	const struct instance *instance = NULL;
	const struct ref ref = ref_by_id(KIND_INSTANCE, name->target);
	TRY(engine_find_own_instance(op->ctx, op->head, &ref, &instance));
	TRY(engine_permit(op, "instance.update", KIND_INSTANCE, &instance->row));
	return engine_name_resource(op, wish);
}

/* ---- to another host, and made anew ---- */

static const struct param reimage_rows[] = {
	PASSED_OVER("tempDisk",
		    "There is no temporary disk: it is as good as made anew (REST reference, Reimage)."),
	NOT_BUILT("exactVersion|osProfile"),
};
static const struct params reimage_shape =
	AZ_SHAPE(reimage_rows, .object = "VirtualMachineReimageParameters");

/* Reads {tempDisk}, which has no effect. Recreates the OS disk from its image. */
static RESULT prepare_reimage(struct az_call *e, void *args)
{
	struct instance_rebuilding *wish = args;
	const struct instance *i = instance_find(az_tables(e), e->target);
	const struct image *image = image_find(az_tables(e), i->image);
	if (!image || !row_is_live(&image->row))
		return ctx_fail(e->c, ERR_STATE,
				"The VM '%" STR_FMT
				"' cannot be reimaged: the image that it was made of is gone.",
				STR_ARG(az_path_value(e, "vmName")));
	wish->instance = az_target_ref(e);
	wish->image = ref_by_id(KIND_IMAGE, image->row.id);
	return OK;
}

/* Refuses capture into a storage account: there are none. Guessed wording. */
static RESULT refuse_capture(struct az_call *e, void *args)
{
	(void) args;
	return ctx_fail(e->c, ERR_UNSUPPORTED,
			"Operation 'capture' is not allowed on VM '%" STR_FMT
			"' since it has managed disks. Create an image of the VM instead.",
			STR_ARG(az_path_value(e, "vmName")));
}

/* Refuses simulateEviction. Guessed code and message. */
static RESULT refuse_eviction(struct az_call *e, void *args)
{
	(void) args;
	return ctx_fail(e->c, ERR_UNSUPPORTED,
			"Operation 'simulateEviction' is not allowed on VM '%" STR_FMT
			"' since its priority is not 'Spot': there are no spot VMs.",
			STR_ARG(az_path_value(e, "vmName")));
}

static RESULT refuse_patches(struct az_call *e, void *args)
{
	(void) args;
	return ctx_fail(e->c, ERR_UNSUPPORTED,
			"Patches of the VM '%" STR_FMT
			"' are neither assessed nor installed here: use the package manager of its guest.",
			STR_ARG(az_path_value(e, "vmName")));
}

static RESULT show_view(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	az_write_machine_view(e, w, instance_find(az_tables(e), e->target));
	return OK;
}

#define MACHINES AZ_COMPUTE "/virtualMachines"
#define MACHINE AZ_GROUP MACHINES "/{vmName}"
#define ONE(verb, where, word, action, ...)                                                                  \
	{                                                                                                    \
		verb, where, .name = (word), .permit = (action), .type = AZ_MACHINES, .kind = KIND_INSTANCE, \
			     .names = "vmName", __VA_ARGS__                                                  \
	}
union any_args {
	struct machine_args machine;
	struct arm_resource_wish name;
	struct instance_migrating move;
	struct instance_rebuilding rebuild;
};
#define CHANGE(verb, where, word, action, ...)                                                               \
	ONE(verb, where, word, action, .flags = API_WRITES, .returns = API_RETURNS_NOTHING_STORED,           \
	    .args = {0, 0, sizeof(union any_args)}, __VA_ARGS__)
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION MACHINES, .name = "VirtualMachines_ListAll",
	 .permit = "ec2:DescribeInstances", .type = AZ_MACHINES, .listing = &az_machines,
	 .query = "$expand=instanceView|statusOnly=true,false",
	 .doc = "Lists the subscription's virtual machines."},
	{HTTP_GET, AZ_GROUP MACHINES, .name = "VirtualMachines_List", .permit = "ec2:DescribeInstances",
	 .type = AZ_MACHINES, .listing = &az_machines, .query = "$expand=instanceView",
	 .doc = "Lists a resource group's virtual machines."},
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/virtualMachines",
	 .name = "VirtualMachines_ListByLocation", .permit = "ec2:DescribeInstances", .type = AZ_MACHINES,
	 .listing = &az_machines,
	 .doc = "Lists the subscription's virtual machines in a location, which is the region."},
	ONE(HTTP_GET, MACHINE, "VirtualMachines_Get", "ec2:DescribeInstances", .shows = &az_machines,
	    .query = "$expand=instanceView,userData", .doc = "Gets one virtual machine."),
	ONE(HTTP_GET, MACHINE "/instanceView", "VirtualMachines_InstanceView", "ec2:DescribeInstances",
	    .answer = show_view, .doc = "Gets the instance view of a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/start", "VirtualMachines_Start", "ec2:StartInstances", .prepare = prepare,
	       .operation = engine_start_instances_run, .outcome = ASYNC_JOB_OUTCOME_SETTLED,
	       .doc = "Starts a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/powerOff", "VirtualMachines_PowerOff", "ec2:StopInstances",
	       .prepare = prepare_off, .operation = engine_stop_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .query = "skipShutdown",
	       .doc = "Powers off a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/deallocate", "VirtualMachines_Deallocate", "ec2:StopInstances",
	       .query = "hibernate", .prepare = prepare_deallocate, .operation = engine_stop_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = "Stops and deallocates a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/restart", "VirtualMachines_Restart", "ec2:RebootInstances",
	       .prepare = prepare, .operation = engine_reboot_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = "Restarts a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/reapply", "VirtualMachines_Reapply", "ec2:ReapplyInstance",
	       .prepare = prepare, .operation = engine_reapply_instances_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED,
	       .doc = "Reapplies the wanted state of a virtual machine."),
	CHANGE(HTTP_POST, MACHINE "/redeploy", "VirtualMachines_Redeploy", "ec2:RedeployInstance",
	       AZ_TARGET(struct instance_migrating, instance), .operation = engine_redeploy_instance_run,
	       .outcome = ASYNC_JOB_OUTCOME_MOVED,
	       .doc = "Redeploys a running virtual machine to another host by live migration."),
	CHANGE(HTTP_POST, MACHINE "/reimage", "VirtualMachines_Reimage", "ec2:CreateReplaceRootVolumeTask",
	       .shape = &reimage_shape, .prepare = prepare_reimage, .operation = engine_rebuild_instance_run,
	       .outcome = ASYNC_JOB_OUTCOME_SETTLED,
	       .doc = "Reimages a virtual machine: its OS disk is created again from the image."),
	ONE(HTTP_POST, MACHINE "/capture", "VirtualMachines_Capture", "ec2:CreateImage", .reads_body = true,
	    .prepare = refuse_capture,
	    .doc = "Refused: captures go to a storage account, which is not implemented.",
	    .never = "there are no storage accounts"),
	ONE(HTTP_POST, MACHINE "/simulateEviction", "VirtualMachines_SimulateEviction", "ec2:StopInstances",
	    .reads_body = true, .prepare = refuse_eviction,
	    .doc = "Refused: spot virtual machines are not implemented.",
	    .never = "there are no spot machines"),
	ONE(HTTP_POST, MACHINE "/assessPatches", "VirtualMachines_AssessPatches",
	    "ec2:ModifyInstanceAttribute", .reads_body = true, .prepare = refuse_patches,
	    .doc = "Refused: the region does not patch guests.", .never = "the region does not patch guests"),
	ONE(HTTP_POST, MACHINE "/installPatches", "VirtualMachines_InstallPatches",
	    "ec2:ModifyInstanceAttribute", .reads_body = true, .prepare = refuse_patches,
	    .doc = "Refused: the region does not patch guests.", .never = "the region does not patch guests"),
	CHANGE(HTTP_POST, MACHINE "/generalize", "VirtualMachines_Generalize", "ec2:ModifyInstanceAttribute",
	       .prepare = prepare_generalize, .operation = generalize,
	       .doc = "Marks a virtual machine as generalized, so that an image can be created from it."),
	CHANGE(HTTP_DELETE, MACHINE, "VirtualMachines_Delete", "ec2:TerminateInstances", .prepare = prepare,
	       .operation = engine_terminate_instances_run, .outcome = ASYNC_JOB_OUTCOME_GONE,
	       .query = "forceDeletion", .doc = "Deletes a virtual machine."),
};
const struct api_actions az_machine_actions = API_ACTIONS(actions);
