/* SPDX-License-Identifier: Apache-2.0
 * PUT and PATCH of a virtual machine: a launch with existing interfaces, or a change of size, data disks and
 * interfaces. Clients send back the whole object that they read, so unchanged values are no change. Source:
 * Azure REST API reference, "Virtual Machines", 2022-08-01.
 */
#include "api/azure/compute/compute.h"

#include "engine/instance/instance.h"
#include "engine/instance/instance_interface.h"
#include "engine/instance/key_pair.h"
#include "engine/resolve.h"
#include "engine/scaling/scaling.h"
#include "model/state.h"
#include "model/states.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/server_group.h"
#include "store/volume.h"

#define GIB (INT64_C(1) << 30)
enum { LUN_MAX = 23, DISK_GIB_MAX = 65536 };

/* ---- what a body says ---- */

struct disk_link {
	struct str id, sku;
};
struct os_disk {
	struct str name, option, fate;
	int64_t gib;
	struct disk_link managed;
};
struct data_disk {
	int64_t lun, gib;
	struct str name, option, fate, caching;
	struct disk_link managed;
	bool goes;
};
struct data_disks {
	const struct data_disk *at;
	size_t count;
};
struct storage {
	struct az_image_reference image;
	struct os_disk os;
	struct data_disks data;
	bool has_image, has_data;
};
struct interface_properties {
	enum choice is_primary;
	struct str fate;
};
struct interfaces {
	const struct interface {
		struct str id;
		struct interface_properties properties;
	} * at;
	size_t count;
};
struct network {
	struct interfaces interfaces;
	bool has_interfaces;
};
struct hardware {
	struct str size;
};
struct link {
	struct str id;
};
struct boot_diagnostics {
	bool is_on;
};
struct diagnostics {
	struct boot_diagnostics boot;
};
struct machine_says {
	struct hardware hardware;
	struct storage storage;
	struct az_os_profile os;
	struct network network;
	struct link availability_set, near, scale_set;
	struct str user_data, license_type;
	bool has_near, has_user_data;
	struct diagnostics diagnostics;
};

static const struct param link_rows[] = {PARAM(struct link, "id", id, .doc = "Resource id.")};
static const struct params link_params = PARAMS(struct link, link_rows, .object = "SubResource");
static const struct param disk_link_rows[] = {
	PARAM(struct disk_link, "id", id, .doc = "Attach: id of the disk."),
	PARAM(struct disk_link, "storageAccountType", sku,
	      .doc = "SKU of a new disk, such as Standard_LRS or Premium_LRS."),
	NOT_BUILT("diskEncryptionSet|securityProfile"),
	NOT_BUILT("additionalDiskProperties"),
};
static const struct params disk_link_params =
	PARAMS(struct disk_link, disk_link_rows, .object = "ManagedDiskParameters");
#define FATES "Delete|Detach"
static const struct param os_disk_rows[] = {
	PARAM(struct os_disk, "name", name, .doc = "Name of the disk."),
	PARAM(struct os_disk, "createOption", option, .words = "FromImage|Attach",
	      .doc = "FromImage: a new disk from the image; Attach: an existing disk."),
	PARAM(struct os_disk, "deleteOption", fate, .words = FATES,
	      .doc = "Whether the OS disk is deleted with the virtual machine; absent: Detach."),
	PARAM(struct os_disk, "diskSizeGB", gib, .min = 1, .max = DISK_GIB_MAX,
	      .doc = "Size in GiB; absent: the size of the image."),
	PARAM_OBJECT(struct os_disk, "managedDisk", managed, disk_link_params,
		     .doc = "SKU of a new disk, or id of an existing one."),
	NOT_BUILT("vhd|image|encryptionSettings|diffDiskSettings"),
	NOT_BUILT("writeAcceleratorEnabled", .only = "false"),
	NOT_BUILT("storageFaultDomainAlignment"),
	AZ_KEPT("osType|caching"),
};
static const struct params os_disk_params = PARAMS(struct os_disk, os_disk_rows, .object = "OSDisk");
static const struct param data_disk_rows[] = {
	PARAM(struct data_disk, "lun", lun, .flags = REQUIRED, .max = LUN_MAX, .doc = "Logical unit number."),
	PARAM(struct data_disk, "name", name, .doc = "Name of the disk."),
	PARAM(struct data_disk, "createOption", option, .flags = REQUIRED, .words = "Empty|Attach",
	      .doc = "Empty: a blank disk; Attach: an existing disk."),
	PARAM(struct data_disk, "deleteOption", fate, .words = FATES,
	      .doc = "Whether the data disk is deleted with the virtual machine; absent: Detach."),
	PARAM(struct data_disk, "caching", caching, .words = "None|ReadOnly|ReadWrite",
	      .doc = "Stored and shown; has no effect."),
	PARAM(struct data_disk, "diskSizeGB", gib, .min = 1, .max = DISK_GIB_MAX,
	      .doc = "Size of a new disk in GiB."),
	PARAM(struct data_disk, "toBeDetached", goes, .doc = "Detaches the disk."),
	PARAM_OBJECT(struct data_disk, "managedDisk", managed, disk_link_params,
		     .doc = "SKU of a new disk, or id of an existing one."),
	NOT_BUILT("vhd|image|detachOption"),
	NOT_BUILT("writeAcceleratorEnabled", .only = "false"),
	NOT_BUILT("storageFaultDomainAlignment|sourceResource"),
	AZ_READ_ONLY("diskIOPSReadWrite|diskMBpsReadWrite"),
};
static const struct params data_disk_params = PARAMS(struct data_disk, data_disk_rows, .object = "DataDisk");
static const struct param storage_rows[] = {
	PARAM_OBJECT(struct storage, "imageReference", image, az_image_reference_params,
		     .given = offsetof(struct storage, has_image) + 1,
		     .doc = "Image of the virtual machine."),
	PARAM_OBJECT(struct storage, "osDisk", os, os_disk_params, .doc = "OS disk."),
	PARAM_LIST(struct storage, "dataDisks", data, data_disk_params,
		   .given = offsetof(struct storage, has_data) + 1, .max = LUN_MAX + 1, .doc = "Data disks."),
	NOT_BUILT("diskControllerType", .only = "SCSI"),
	NOT_BUILT("alignRegionalDisksToVMZone|diskApiVersion"),
};
static const struct params storage_params = PARAMS(struct storage, storage_rows, .object = "StorageProfile");
static const struct param interface_property_rows[] = {
	PARAM(struct interface_properties, "primary", is_primary,
	      .doc = "Whether the interface is the primary of several."),
	PARAM(struct interface_properties, "deleteOption", fate, .words = FATES,
	      .doc = "Whether the network interface is deleted with the virtual machine; absent: Detach."),
};
static const struct params interface_property_params =
	PARAMS(struct interface_properties, interface_property_rows,
	       .object = "NetworkInterfaceReferenceProperties");
static const struct param interface_rows[] = {
	PARAM(struct interface, "id", id, .flags = REQUIRED, .doc = "Id of the network interface."),
	PARAM_OBJECT(struct interface, "properties", properties, interface_property_params,
		     .doc = "Settings of the interface in this virtual machine."),
};
static const struct params interface_params =
	PARAMS(struct interface, interface_rows, .object = "NetworkInterfaceReference");
static const struct param network_rows[] = {
	PARAM_LIST(struct network, "networkInterfaces", interfaces, interface_params,
		   .given = offsetof(struct network, has_interfaces) + 1, .max = PORTS_OF_INSTANCE_MAX,
		   .doc = "Network interfaces."),
	NOT_BUILT("networkInterfaceConfigurations"),
	NOT_BUILT("interconnectGroupProfile"),
	AZ_READ_ONLY("networkApiVersion"),
};
static const struct params network_params = PARAMS(struct network, network_rows, .object = "NetworkProfile");
static const struct param hardware_rows[] = {
	PARAM(struct hardware, "vmSize", size, .doc = "Size of the virtual machine."),
	NOT_BUILT("vmSizeProperties|processorMode"),
};
static const struct params hardware_params =
	PARAMS(struct hardware, hardware_rows, .object = "HardwareProfile");
static const struct param boot_rows[] = {
	PARAM(struct boot_diagnostics, "enabled", is_on,
	      .doc = "Stored and shown; the serial console log is always available."),
	NOT_BUILT("storageUri"),
};
static const struct params boot_params =
	PARAMS(struct boot_diagnostics, boot_rows, .object = "BootDiagnostics");
static const struct param diagnostics_rows[] = {
	PARAM_OBJECT(struct diagnostics, "bootDiagnostics", boot, boot_params,
		     .doc = "Boot diagnostics of the serial console."),
};
static const struct params diagnostics_params =
	PARAMS(struct diagnostics, diagnostics_rows, .object = "DiagnosticsProfile");
static const struct param property_rows[] = {
	PARAM_OBJECT(struct machine_says, "hardwareProfile", hardware, hardware_params,
		     .doc = "Size of the virtual machine."),
	PARAM_OBJECT(struct machine_says, "storageProfile", storage, storage_params,
		     .doc = "Image and disks."),
	PARAM_OBJECT(struct machine_says, "osProfile", os, az_os_profile_params,
		     .doc = "Operating system settings of the guest."),
	PARAM_OBJECT(struct machine_says, "networkProfile", network, network_params,
		     .doc = "Network interfaces."),
	PARAM_OBJECT(struct machine_says, "availabilitySet", availability_set, link_params,
		     .doc = "Availability set, whose virtual machines run on different hosts."),
	PARAM_OBJECT(struct machine_says, "proximityPlacementGroup", near, link_params,
		     .given = offsetof(struct machine_says, has_near) + 1,
		     .doc = "Proximity placement group, whose virtual machines run close together; not with "
			    "an availability set."),
	PARAM_OBJECT(struct machine_says, "diagnosticsProfile", diagnostics, diagnostics_params,
		     .doc = "Settings of boot diagnostics."),
	PARAM(struct machine_says, "userData", user_data, .flags = BASE64, .max = INSTANCE_USER_DATA_MAX,
	      .given = offsetof(struct machine_says, has_user_data) + 1,
	      .doc = "User data that the guest can read, base64; empty: removes it."),
	PARAM_OBJECT(struct machine_says, "virtualMachineScaleSet", scale_set, link_params,
		     .doc = "Flexible scale set that launched the virtual machine; only the present one."),
	NOT_BUILT("host|hostGroup|capacityReservation|applicationProfile|billingProfile|"
		  "scheduledEventsProfile|securityProfile|additionalCapabilities"),
	PARAM(struct machine_says, "licenseType", license_type,
	      .words = "None|RHEL_BASE|RHEL_BYOS|SLES|SLES_BYOS|UBUNTU_PRO|Windows_Client|Windows_Server",
	      .doc = "Licence of the operating system. Values with BYOS and Windows_… use the customer's own "
		     "licence, others the region's."),
	NOT_BUILT("priority", .only = "Regular"),
	NOT_BUILT("evictionPolicy"),
	NOT_BUILT("flexProfile|scheduledEventsPolicy|extensionsTimeBudget|platformFaultDomain|"
		  "interconnectBlockProfile|resiliencyProfile"),
	AZ_READ_ONLY("provisioningState|instanceView|vmId|timeCreated"),
};
static const struct params property_params =
	PARAMS(struct machine_says, property_rows, .object = "VirtualMachineProperties");

struct data_change {
	struct volume_attaching attach; /* kind none: attach the volume that this PUT creates */
	struct volume_wish make;
	struct str name;
	bool is_new;
};
struct machine_args {
	struct strs zones;
	struct machine_says properties;
	bool is_new, is_windows; /* is_windows: set for a new machine only */
	struct instance_launch launch;
	struct az_guest_wish guest;
	struct instance_settings settings; /* size and deleteOption of disks */
	bool changes_settings;
	struct volume_fate *disk_fates;
	struct licence_conversion licence;
	bool converts;
	struct volume_detaching *leaves;
	size_t leave_count;
	struct data_change *comes;
	size_t come_count;
	struct interface_target *unplugs;
	size_t unplug_count;
	struct port_attaching *plugs;
	size_t plug_count;
	struct interface_fate {
		uuid port;
		bool goes_along;
	} * fates; /* interfaces with a deleteOption */
	size_t fate_count;
	struct az_identity_change identity;
	uuid group; /* resource group in which its disks are named */
	struct str vm, os_disk_name;
	uuid id;
};
static const struct param put_rows[] = {
	PARAM(struct machine_args, "zones", zones, .doc = "Availability zone by number."),
	PARAM_OBJECT(struct machine_args, "properties", properties, property_params,
		     .doc = "Settings of the virtual machine."),
	NOT_BUILT("plan|extendedLocation"),
	AZ_CORE_READS("identity"),
	NOT_BUILT("placement"),
	AZ_READ_ONLY("resources|managedBy"),
	AZ_RESOURCE,
};

/* ---- a new machine ---- */

static RESULT missing(struct az_call *e, const char *field)
{
	return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
			      "Required parameter '%s' is missing (null).", field);
}

static RESULT choose_type(struct az_call *e, const struct machine_says *p, struct ref *ret_type)
{
	static const char field[] = "properties.hardwareProfile.vmSize";
	if (!p->hardware.size.n)
		return missing(e, field);
	const struct instance_type *type = az_type_of_size(e, p->hardware.size);
	if (!type)
		return az_fail(e, field, "The value %" STR_FMT " provided for the VM size is not valid.",
			       STR_ARG(str_slice(p->hardware.size, 0, 64)));
	*ret_type = ref_by_id(KIND_INSTANCE_TYPE, type->row.id);
	ret_type->field = str_from(field);
	return OK;
}

static bool goes_with_machine(struct str fate)
{
	return str_is(fate, "Delete");
}

/* Finds a disk that is not attached. */
RESULT az_find_free_disk(struct az_call *e, const char *field, struct str id, const struct row **ret_disk)
{
	static const struct api_error owned = {ERR_IN_USE, 0, 409, "ConflictingUserInput"};
	TRY(az_find_id(e, field, id, AZ_DISKS, KIND_VOLUME, ret_disk));
	uuid owner = volume_of(*ret_disk)->instance;
	if (uuid_is_none(owner))
		return OK;
	e->error = &owned;
	return ctx_fail_field(
		e->c, ERR_IN_USE, str_from(field),
		"Disk '%" STR_FMT "' cannot be attached as the disk is already owned by VM '%" STR_FMT "'.",
		STR_ARG(str_slice(id, 0, 512)), STR_ARG(az_id_of(e, AZ_MACHINES, KIND_INSTANCE, owner)));
}

static RESULT take_os_disk(struct az_call *e, struct machine_args *a, struct disk_wish *disk)
{
	const struct storage *s = &a->properties.storage;
	const struct image *image = NULL;
	const struct row *row = NULL;
	*disk = (struct disk_wish){.device = INSTANCE_ROOT_DEVICE,
				   .size = s->os.gib * GIB,
				   .delete_on_termination =
					   goes_with_machine(s->os.fate) ? CHOICE_YES : CHOICE_NO,
				   .field = STR("properties.storageProfile.osDisk")};
	if (str_is(s->os.option, "Attach")) {
		TRY(az_find_free_disk(e, "properties.storageProfile.osDisk.managedDisk.id", s->os.managed.id,
				      &row));
		disk->existing = ref_by_id(KIND_VOLUME, row->id);
		return OK;
	}
	if (!s->has_image)
		return missing(e, "properties.storageProfile.imageReference");
	TRY(az_find_image(e, "properties.storageProfile.imageReference", &s->image, &image));
	a->launch.image = ref_by_id(KIND_IMAGE, image->row.id);
	a->is_windows = image->platform == IMAGE_PLATFORM_WINDOWS;
	if (image->root_device.n)
		disk->device = str_copy(e->c->arena, image->root_device);
	disk->type = az_type_of_sku(s->os.managed.sku.n ? s->os.managed.sku : STR("Premium_LRS"));
	return OK;
}

static RESULT take_data_disk(struct az_call *e, const struct data_disk *d, struct disk_wish *disk)
{
	const struct row *row = NULL;
	*disk = (struct disk_wish){.device = az_device_of(e, d->lun),
				   .size = d->gib * GIB,
				   .delete_on_termination =
					   goes_with_machine(d->fate) ? CHOICE_YES : CHOICE_NO,
				   .field = STR("properties.storageProfile.dataDisks")};
	if (str_is(d->option, "Attach")) {
		TRY(az_find_free_disk(e, "properties.storageProfile.dataDisks.managedDisk.id", d->managed.id,
				      &row));
		disk->existing = ref_by_id(KIND_VOLUME, row->id);
		return OK;
	}
	if (!d->gib)
		return missing(e, "properties.storageProfile.dataDisks.diskSizeGB");
	disk->type = az_type_of_sku(d->managed.sku.n ? d->managed.sku : STR("Premium_LRS"));
	return OK;
}

static RESULT check_luns(struct az_call *e, const struct data_disks *data)
{
	uint32_t taken = 0;
	for (size_t k = 0; k < data->count; k++) {
		uint32_t bit = UINT32_C(1) << data->at[k].lun;
		if (taken & bit)
			return az_fail(e, "properties.storageProfile.dataDisks.lun",
				       "A disk at LUN %lld already exists in the request.",
				       (long long) data->at[k].lun);
		taken |= bit;
	}
	return OK;
}

static RESULT take_disks(struct az_call *e, struct machine_args *a)
{
	const struct data_disks *data = &a->properties.storage.data;
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, data->count + 1);
	if (!disks)
		return ctx_no_memory(e->c);
	TRY(check_luns(e, data));
	TRY(take_os_disk(e, a, &disks[0]));
	for (size_t k = 0; k < data->count; k++)
		TRY(take_data_disk(e, &data->at[k], &disks[k + 1]));
	a->launch.disks = disks;
	a->launch.disk_count = data->count + 1;
	return OK;
}

/* Index of the primary interface: the one that says so, else the first. */
static size_t primary_of(const struct interfaces *list)
{
	for (size_t k = 0; k < list->count; k++)
		if (list->at[k].properties.is_primary == CHOICE_YES)
			return k;
	return 0;
}

/* Finds an interface that is free or attached to `machine` (none: must be free). */
static RESULT find_interface(struct az_call *e, struct str id, uuid machine, const struct row **ret_port)
{
	static const struct api_error in_use = {ERR_IN_USE, 0, 400, "NicInUse"};
	static const char field[] = "properties.networkProfile.networkInterfaces.id";
	TRY(az_find_id(e, field, id, AZ_INTERFACES, KIND_PORT, ret_port));
	uuid holder = engine_port_holder(port_of(*ret_port));
	if (uuid_is_none(holder) || uuid_equal(holder, machine))
		return OK;
	e->error = &in_use;
	return ctx_fail_field(e->c, ERR_IN_USE, str_from(field),
			      "Network Interface %" STR_FMT " is used by existing VM %" STR_FMT ".",
			      STR_ARG(str_slice(id, 0, 512)),
			      STR_ARG(az_id_of(e, AZ_MACHINES, KIND_INSTANCE, holder)));
}

static RESULT take_fate(struct az_call *e, struct machine_args *a, const struct interface *listed, uuid port)
{
	size_t count = a->properties.network.interfaces.count;
	if (!a->fates)
		a->fates = arena_new_array(e->c->arena, struct interface_fate, count);
	if (!a->fates)
		return ctx_no_memory(e->c);
	if (listed->properties.fate.n)
		a->fates[a->fate_count++] =
			(struct interface_fate){port, goes_with_machine(listed->properties.fate)};
	return OK;
}

static RESULT take_interfaces(struct az_call *e, struct machine_args *a)
{
	static const char field[] = "properties.networkProfile.networkInterfaces";
	const struct interfaces *list = &a->properties.network.interfaces;
	struct launch_port *ports =
		arena_new_array(e->c->arena, struct launch_port, list->count ? list->count : 1);
	size_t primary = primary_of(list), next = 1;
	if (!ports)
		return ctx_no_memory(e->c);
	if (!list->count)
		return missing(e, field);
	for (size_t k = 0; k < list->count; k++) {
		const struct row *row = NULL;
		TRY(find_interface(e, list->at[k].id, UUID_NONE, &row));
		TRY(take_fate(e, a, &list->at[k], row->id));
		ports[k == primary ? 0 : next] =
			(struct launch_port){.port = ref_by_id(KIND_PORT, row->id),
					     .device_index = k == primary ? 0 : (int64_t) next,
					     .field = str_from(field)};
		next += k != primary;
	}
	a->launch.ports = ports;
	a->launch.port_count = list->count;
	return OK;
}

/* Reads licenseType. "None" means that the region's licences apply. */
static RESULT take_license(struct az_call *e, struct machine_args *a, struct licences_wish *ret_wish)
{
	struct licence licence;
	struct str *text = arena_new_array(e->c->arena, struct str, 1);
	if (!text)
		return ctx_no_memory(e->c);
	*ret_wish = (struct licences_wish){.sets_all = true, .may_lack = true, .source = LICENCE_INCLUDED};
	if (!licence_of_azure_type(a->properties.license_type, &licence))
		return OK;
	*text = licence_write(e->c->arena, licence);
	*ret_wish = (struct licences_wish){.licences = {text, 1}};
	return OK;
}

/* Reads the server group: an availability set or a proximity placement group, not both. */
static RESULT take_group(struct az_call *e, const struct machine_says *p, struct ref *ret_group)
{
	static const char *const fields[] = {"properties.availabilitySet.id",
					     "properties.proximityPlacementGroup.id"};
	const struct row *row = NULL;
	bool is_near = p->near.id.n > 0;
	if (is_near && p->availability_set.id.n)
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, str_from(fields[1]),
			"A machine in an availability set and in a proximity placement group is not "
			"supported.");
	if (!is_near && !p->availability_set.id.n)
		return OK;
	TRY(az_find_id(e, fields[is_near], is_near ? p->near.id : p->availability_set.id,
		       is_near ? AZ_PROXIMITY_GROUPS : AZ_AVAILABILITY_SETS, KIND_SERVER_GROUP, &row));
	*ret_group = ref_by_id(KIND_SERVER_GROUP, row->id);
	ret_group->field = str_from(fields[is_near]);
	return OK;
}

static RESULT prepare_new(struct az_call *e, struct machine_args *a)
{
	const struct machine_says *p = &a->properties;
	struct instance_launch *launch = &a->launch;
	a->is_new = true;
	if (p->os.allows_extensions == CHOICE_NO)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED,
				      STR("properties.osProfile.allowExtensionOperations"),
				      "Of the parameter 'allowExtensionOperations' only true is supported.");
	launch->min_count = launch->max_count = 1;
	launch->name = e->put.name;
	launch->beyond_type = launch->accept_unplaced = true;
	launch->user_data = p->os.custom_data.n ? p->os.custom_data : p->user_data;
	TRY(choose_type(e, p, &launch->type));
	if (a->zones.count)
		TRY(az_find_zone(e, &a->zones, &launch->zone));
	TRY(take_group(e, p, &launch->server_group));
	if (p->license_type.n)
		TRY(take_license(e, a, &launch->licences));
	TRY(take_disks(e, a));
	TRY(take_interfaces(e, a));
	return az_take_os_profile(e, &p->os, a->vm, a->is_windows, launch, &a->guest);
}

/* ---- a change ---- */

/* Refuses a value that differs from the stored one. property: its name in Azure. */
static RESULT check_kept(struct az_call *e, const char *path, const char *property, struct str said)
{
	struct str before = str_from(json_string_value(json_object_get(az_said(e, e->target), path)));
	return before.n ? az_check_unchanged(e, property, said, before) : OK;
}

static RESULT check_image(struct az_call *e, const struct az_image_reference *said)
{
	const json_t *kept =
		json_object_get(az_said(e, e->target), "properties.storageProfile.imageReference");
	const struct {
		const char *name, *property;
		struct str said;
	} parts[] = {{"id", "imageReference.id", said->id},
		     {"publisher", "imageReference.publisher", said->publisher},
		     {"offer", "imageReference.offer", said->offer},
		     {"sku", "imageReference.sku", said->sku}};
	/* other faces' machines show the marketplace names, which are the same for every caller */
	for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
		if (kept || !k)
			TRY(az_check_unchanged(
				e, parts[k].property, parts[k].said,
				str_from(json_string_value(json_object_get(kept, parts[k].name)))));
	return OK;
}

struct disk_check {
	const char *property; /* "osDisk" */
	struct str name, sku;
	int64_t gib;
};

/* Refuses a change of a managed disk in the machine's body: disks are changed by their own PUT. Codes
 * and texts are from recorded answers. */
static RESULT check_disk(struct az_call *e, const struct disk_check *said, const struct volume *v)
{
	static const struct api_error no_resize = {ERR_STATE, 0, 409, "ResizeDiskError"};
	static const struct api_error no_change = {ERR_STATE, 0, 409, "PropertyChangeNotAllowed"};
	struct str machine = az_path_value(e, "vmName"), disk = az_id_of(e, AZ_DISKS, KIND_VOLUME, v->row.id);
	TRY(az_check_unchanged(e, str_print(e->c->arena, "%s.name", said->property).p, said->name,
			       az_last_word(az_name_of(e, AZ_DISKS, KIND_VOLUME, v->row.id))));
	if (said->gib && said->gib != v->size / GIB) {
		e->error = &no_resize;
		return ctx_fail_field(e->c, ERR_STATE,
				      str_print(e->c->arena, "%s.diskSizeGB", said->property),
				      "Managed disk resize via Virtual Machine '%" STR_FMT
				      "' is not allowed. Please resize disk resource at %" STR_FMT ".",
				      STR_ARG(machine), STR_ARG(disk));
	}
	if (!said->sku.n || str_equal_nocase(said->sku, az_sku_of_type(v->type)))
		return OK;
	e->error = &no_change;
	return ctx_fail_field(e->c, ERR_STATE,
			      str_print(e->c->arena, "%s.managedDisk.storageAccountType", said->property),
			      "Managed disk storage account type change through Virtual Machine '%" STR_FMT
			      "' is not allowed.",
			      STR_ARG(machine));
}

static RESULT check_os_disk(struct az_call *e, const struct os_disk *said, const struct instance *i)
{
	static const char field[] = "properties.storageProfile.osDisk.managedDisk.id";
	const struct volume *v = az_root_of(e, i);
	bool is_same =
		!said->managed.id.n ||
		(v && str_equal_nocase(said->managed.id, az_id_of(e, AZ_DISKS, KIND_VOLUME, v->row.id)));
	const struct disk_check check = {"osDisk", said->name, said->managed.sku, said->gib};
	if (is_same)
		return v ? check_disk(e, &check, v) : OK;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "The parameter '%s' is not supported on a machine that is there: its "
			      "OS disk stays. "
			      "Reimage the machine, or make another one with that disk.",
			      field);
}

/* A machine joins a scale set when the set launches it, and leaves it with its deletion. */
static RESULT check_scale_set(struct az_call *e, const struct machine_says *p)
{
	const struct scaling_member *m = engine_find_scaling_member(az_tables(e), e->target);
	struct str shown = m ? az_id_of(e, AZ_SCALE_SETS, KIND_SCALING_GROUP, m->scaling_group) : STR_NONE;
	if (p->scale_set.id.n && uuid_is_none(e->target))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("properties.virtualMachineScaleSet.id"),
			"A virtual machine cannot be added to a scale set: raise the set's capacity.");
	return az_check_unchanged(e, "virtualMachineScaleSet.id", p->scale_set.id, shown);
}

static RESULT check_group(struct az_call *e, const struct machine_says *p, const struct instance *i)
{
	const struct server_group *g = server_group_find(az_tables(e), i->server_group);
	bool is_near = g && az_is_near(g);
	struct str shown = g ? az_id_of(e, is_near ? AZ_PROXIMITY_GROUPS : AZ_AVAILABILITY_SETS,
					KIND_SERVER_GROUP, g->row.id)
			     : STR_NONE;
	TRY(az_check_unchanged(e, "availabilitySet.id", p->availability_set.id, is_near ? STR_NONE : shown));
	if (is_near && p->has_near && !p->near.id.n) /* an empty id would remove the machine from its group */
		return az_fail_change(e, "proximityPlacementGroup.id");
	return az_check_unchanged(e, "proximityPlacementGroup.id", p->near.id, is_near ? shown : STR_NONE);
}

/* Reads userData, which may change, and customData, which is fixed at creation. */
static RESULT take_user_data(struct az_call *e, struct machine_args *a, const struct instance *i)
{
	const struct machine_says *p = &a->properties;
	if (p->os.custom_data.n && !str_equal(p->os.custom_data, i->user_data))
		return az_fail_change(e, "customData");
	if (!p->has_user_data || str_equal(p->user_data, i->user_data))
		return OK;
	a->settings.set_user_data = a->changes_settings = true;
	a->settings.user_data = p->user_data;
	return OK;
}

static RESULT prepare_resize(struct az_call *e, struct machine_args *a, const struct instance *i)
{
	struct ref type = {0};
	if (!a->properties.hardware.size.n)
		return OK;
	const struct instance_type *now = instance_type_find(az_tables(e), i->type);
	const struct instance_type *wanted = az_type_of_size(e, a->properties.hardware.size);
	if (wanted && now == wanted)
		return OK;
	TRY(choose_type(e, &a->properties, &type));
	if (model_derive_instance_state(i) != INSTANCE_STOPPED)
		return ctx_fail_field(e->c, ERR_STATE, STR("properties.hardwareProfile.vmSize"),
				      "Unable to resize the VM '%" STR_FMT
				      "' while it runs. Deallocate it, resize it, and start it again.",
				      STR_ARG(az_path_value(e, "vmName")));
	a->settings.type = type;
	a->settings.beyond_type = a->changes_settings = true;
	return OK;
}

/* Notes a changed deleteOption of an attached disk. */
static void take_disk_fate(struct machine_args *a, const struct volume *v, struct str said, const char *field)
{
	if (!said.n || goes_with_machine(said) == v->delete_on_termination)
		return;
	a->disk_fates[a->settings.volume_count++] =
		(struct volume_fate){.device = v->device,
				     .volume = ref_by_id(KIND_VOLUME, v->row.id),
				     .delete_on_termination = goes_with_machine(said),
				     .field = str_from(field)};
	a->changes_settings = true;
}

static RESULT prepare_settings(struct az_call *e, struct machine_args *a, const struct instance *i)
{
	const struct storage *s = &a->properties.storage;
	const struct volume *root = az_root_of(e, i);
	a->disk_fates = arena_new_array(e->c->arena, struct volume_fate, s->data.count + 1);
	if (!a->disk_fates)
		return ctx_no_memory(e->c);
	a->settings.instance = az_target_ref(e);
	a->settings.volumes = a->disk_fates;
	if (root)
		take_disk_fate(a, root, s->os.fate, "properties.storageProfile.osDisk.deleteOption");
	return prepare_resize(e, a, i);
}

/* ---- its data disks ---- */

static const struct volume *find_at(struct az_call *e, uuid machine, int64_t lun)
{
	const struct volume *v = volume_first_by_instance(az_tables(e), machine);
	while (v && (!v->device_slot || v->is_medium || az_lun_of(v) != lun))
		v = volume_next_by_instance(az_tables(e), v);
	return v;
}

static RESULT add_disk(struct az_call *e, struct machine_args *a, const struct data_disk *d)
{
	struct data_change *change = &a->comes[a->come_count++];
	const struct row *row = NULL;
	*change = (struct data_change){.attach = {.instance = az_target_ref(e),
						  .delete_on_termination = goes_with_machine(d->fate),
						  .device = az_device_of(e, d->lun),
						  .crosses_zones = true},
				       .name = d->name};
	if (str_is(d->option, "Attach")) {
		TRY(az_find_free_disk(e, "properties.storageProfile.dataDisks.managedDisk.id", d->managed.id,
				      &row));
		change->attach.volume = ref_by_id(KIND_VOLUME, row->id);
		return OK;
	}
	change->is_new = true;
	TRY(take_data_disk(e, d, &change->make.disk));
	change->make.disk.device = STR_NONE;
	change->make.disk.delete_on_termination = CHOICE_DEFAULT;
	change->attach.is_new = true;
	change->make.instance = e->target;
	change->make.zone = ref_by_id(KIND_ZONE, instance_find(az_tables(e), e->target)->zone);
	return OK;
}

/* True if the list keeps the disk at that LUN. */
static bool stays(const struct data_disks *data, int64_t lun)
{
	for (size_t k = 0; k < data->count; k++)
		if (data->at[k].lun == lun)
			return !data->at[k].goes;
	return false;
}

static RESULT prepare_data(struct az_call *e, struct machine_args *a)
{
	const struct data_disks *data = &a->properties.storage.data;
	const struct tables *t = az_tables(e);
	struct volume_detaching *leaves =
		arena_new_array(e->c->arena, struct volume_detaching, INSTANCE_VOLUMES_MAX);
	a->comes = arena_new_array(e->c->arena, struct data_change, data->count + 1);
	if (!leaves || !a->comes)
		return ctx_no_memory(e->c);
	TRY(check_luns(e, data));
	a->leaves = leaves;
	for (const struct volume *v = volume_first_by_instance(t, e->target); v;
	     v = volume_next_by_instance(t, v))
		if (v->device_slot && !v->is_medium && row_is_live(&v->row) && !stays(data, az_lun_of(v)) &&
		    a->leave_count < INSTANCE_VOLUMES_MAX)
			leaves[a->leave_count++] = (struct volume_detaching){
				.volume = ref_by_id(KIND_VOLUME, v->row.id), .instance = az_target_ref(e)};
	for (size_t k = 0; k < data->count; k++) {
		const struct data_disk *d = &data->at[k];
		const struct volume *v = d->goes ? NULL : find_at(e, e->target, d->lun);
		if (!v) {
			if (!d->goes)
				TRY(add_disk(e, a, d));
			continue;
		}
		TRY(az_check_unchanged(e, "dataDisk.managedDisk.id", d->managed.id,
				       az_id_of(e, AZ_DISKS, KIND_VOLUME, v->row.id)));
		const struct disk_check check = {"dataDisk", d->name, d->managed.sku, d->gib};
		TRY(check_disk(e, &check, v));
		take_disk_fate(a, v, d->fate, "properties.storageProfile.dataDisks.deleteOption");
	}
	return OK;
}

/* ---- its interfaces ---- */

static RESULT fail_running(struct az_call *e)
{
	return ctx_fail_field(e->c, ERR_STATE, STR("properties.networkProfile.networkInterfaces"),
			      "Network interfaces of the VM '%" STR_FMT
			      "' can be changed while it is stopped (deallocated) only.",
			      STR_ARG(az_path_value(e, "vmName")));
}

static RESULT prepare_interfaces(struct az_call *e, struct machine_args *a, const struct instance *i)
{
	const struct interfaces *list = &a->properties.network.interfaces;
	const struct tables *t = az_tables(e);
	struct interface_target *unplugs =
		arena_new_array(e->c->arena, struct interface_target, PORTS_OF_INSTANCE_MAX);
	struct port_attaching *plugs = arena_new_array(e->c->arena, struct port_attaching, list->count + 1);
	uuid *wanted = arena_new_array(e->c->arena, uuid, list->count + 1);
	if (!unplugs || !plugs || !wanted)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < list->count; k++) {
		const struct row *row = NULL;
		TRY(find_interface(e, list->at[k].id, i->row.id, &row));
		TRY(take_fate(e, a, &list->at[k], row->id));
		wanted[k] = row->id;
		if (!uuid_equal(port_of(row)->instance, i->row.id))
			plugs[a->plug_count++] =
				(struct port_attaching){.port = ref_by_id(KIND_PORT, row->id),
							.instance = az_target_ref(e),
							.device_index = (int64_t) k,
							.beyond_type = true};
	}
	const struct uuids stay = {wanted, list->count};
	for (const struct port *p = port_first_by_instance(t, i->row.id); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && !uuids_have(&stay, p->row.id) &&
		    a->unplug_count < PORTS_OF_INSTANCE_MAX)
			unplugs[a->unplug_count++] =
				(struct interface_target){.instance = az_target_ref(e),
							  .port = ref_by_id(KIND_PORT, p->row.id),
							  .keeps_first = true};
	a->unplugs = unplugs;
	a->plugs = plugs;
	bool changes = a->plug_count || a->unplug_count;
	return changes && model_derive_instance_state(i) != INSTANCE_STOPPED ? fail_running(e) : OK;
}

static RESULT prepare_change(struct az_call *e, struct machine_args *a)
{
	const struct instance *i = instance_find(az_tables(e), e->target);
	const struct machine_says *p = &a->properties;
	a->id = e->target;
	TRY(check_kept(e, "properties.osProfile.computerName", "osProfile.computerName",
		       p->os.computer_name));
	TRY(check_kept(e, "properties.osProfile.adminUsername", "osProfile.adminUsername", p->os.admin));
	TRY(check_image(e, &p->storage.image));
	TRY(check_os_disk(e, &p->storage.os, i));
	TRY(check_group(e, p, i));
	TRY(prepare_settings(e, a, i));
	TRY(take_user_data(e, a, i));
	a->converts = p->license_type.n > 0;
	a->licence.instance = az_target_ref(e);
	if (a->converts)
		TRY(take_license(e, a, &a->licence.licences));
	if (p->storage.has_data)
		TRY(prepare_data(e, a));
	return p->network.has_interfaces ? prepare_interfaces(e, a, i) : OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct machine_args *a = args;
	a->group = e->group;
	a->vm = az_path_value(e, "vmName");
	TRY(check_scale_set(e, &a->properties));
	TRY(az_read_identity(e, &a->identity));
	return uuid_is_none(e->target) ? prepare_new(e, a) : prepare_change(e, a);
}

/* ---- on the committer ---- */

/* Names a disk that was created with the machine, in the machine's group. An existing name stays. */
static RESULT name_disk(struct op *op, const struct machine_args *a, uuid volume, struct str name,
			const char *default_form)
{
	char hex[UUID_TEXT_SIZE];
	struct str drawn = str_print(op->ctx->arena, "%" STR_FMT "_%s_%.8s", STR_ARG(a->vm), default_form,
				     uuid_write(volume, hex));
	struct arm_resource_wish wish = {.group = a->group,
					 .type = STR("Microsoft.Compute/disks"),
					 .name = name.n ? name : drawn,
					 .kind = KIND_VOLUME,
					 .target = volume};
	return engine_find_name(op->head, volume) ? OK : engine_name_resource(op, &wish);
}

static RESULT name_disks(struct op *op, const struct machine_args *a)
{
	const struct storage *s = &a->properties.storage;
	const struct volume *v = volume_first_by_instance(op->head, a->id);
	for (; v; v = volume_next_by_instance(op->head, v)) {
		size_t slot = (size_t) v->device_slot;
		if (!slot)
			TRY(name_disk(op, a, v->row.id, s->os.name, "OsDisk_1"));
		else if (slot <= s->data.count)
			TRY(name_disk(op, a, v->row.id, s->data.at[slot - 1].name, "disk"));
	}
	return OK;
}

static RESULT add(struct op *op, const struct machine_args *a, struct data_change *change)
{
	if (change->is_new) {
		TRY(engine_create_volume(op, &change->make));
		TRY(name_disk(op, a, change->make.volume, change->name, "disk"));
		change->attach.volume = ref_by_id(KIND_VOLUME, change->make.volume);
	}
	return engine_attach_volume(op, &change->attach);
}

static RESULT settle_fates(struct op *op, const struct machine_args *a)
{
	for (size_t k = 0; k < a->fate_count; k++) {
		const struct port *p = port_find(op->head, a->fates[k].port);
		if (!p || !uuid_equal(p->instance, a->id) ||
		    p->delete_on_termination == a->fates[k].goes_along)
			continue;
		struct port_settings change = {.port = ref_by_id(KIND_PORT, p->row.id),
					       .attachment = {.prefix = p->attachment, .bits = 128},
					       .delete_on_termination =
						       a->fates[k].goes_along ? CHOICE_YES : CHOICE_NO};
		TRY(engine_update_port(op, &change));
	}
	return OK;
}

static RESULT launch(struct op *op, struct machine_args *a)
{
	if (a->guest.needs_key)
		TRY(engine_create_key_pair(op, &a->guest.key));
	TRY(engine_create_instances(op, &a->launch));
	a->id = a->launch.made.at[0];
	a->guest.profile.instance = ref_by_id(KIND_INSTANCE, a->id);
	if (a->guest.has_profile)
		TRY(engine_set_azure_profile(op, &a->guest.profile));
	TRY(az_change_identity(op, a->id, &a->identity));
	TRY(settle_fates(op, a));
	return name_disks(op, a);
}

static RESULT put(struct op *op, void *args)
{
	struct machine_args *a = args;
	if (a->is_new)
		return launch(op, a);
	if (a->changes_settings)
		TRY(engine_update_instance(op, &a->settings));
	if (a->converts)
		TRY(engine_convert_licences(op, &a->licence));
	for (size_t k = 0; k < a->leave_count; k++)
		TRY(engine_detach_volume(op, &a->leaves[k]));
	for (size_t k = 0; k < a->come_count; k++)
		TRY(add(op, a, &a->comes[k]));
	for (size_t k = 0; k < a->unplug_count; k++)
		TRY(engine_unplug_interface(op, &a->unplugs[k]));
	for (size_t k = 0; k < a->plug_count; k++)
		TRY(engine_attach_port(op, &a->plugs[k]));
	TRY(settle_fates(op, a));
	return az_change_identity(op, a->id, &a->identity);
}

#define MACHINE AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}"
#define KEEPS                                                                                                \
	"zones|properties.hardwareProfile.vmSize|properties.storageProfile.imageReference|"                  \
	"properties.storageProfile.osDisk.caching|properties.storageProfile.osDisk.osType|"                  \
	"properties.storageProfile.osDisk.name|properties.storageProfile.osDisk.createOption|"               \
	"properties.osProfile.computerName|properties.osProfile.adminUsername|"                              \
	"properties.osProfile.linuxConfiguration|properties.osProfile.windowsConfiguration|"                 \
	"properties.storageProfile.dataDisks|properties.diagnosticsProfile|properties.userData"
#define FIXED                                                                                                \
	"zones:zones|properties.storageProfile.osDisk.createOption:osDisk.createOption|"                     \
	"properties.storageProfile.osDisk.osType:osDisk.osType|"                                             \
	"properties.osProfile.linuxConfiguration.ssh.publicKeys:linuxConfiguration.ssh.publicKeys|"          \
	"properties.osProfile.linuxConfiguration.disablePasswordAuthentication:"                             \
	"linuxConfiguration.disablePasswordAuthentication|"                                                  \
	"properties.osProfile.linuxConfiguration.provisionVMAgent:linuxConfiguration.provisionVMAgent|"      \
	"properties.osProfile.windowsConfiguration.provisionVMAgent:windowsConfiguration.provisionVMAgent|"  \
	"properties.osProfile.windowsConfiguration.enableAutomaticUpdates:"                                  \
	"windowsConfiguration.enableAutomaticUpdates|"                                                       \
	"properties.osProfile.windowsConfiguration.timeZone:windowsConfiguration.timeZone|"                  \
	"properties.osProfile.windowsConfiguration.winRM:windowsConfiguration.winRM|"                        \
	"properties.osProfile.allowExtensionOperations:osProfile.allowExtensionOperations"
#define CHANGE(verb, word, action, more, says)                                                               \
	{                                                                                                    \
		verb, MACHINE, .name = (word), .permit = (action), .flags = API_WRITES | (more),             \
			       .type = AZ_MACHINES, .kind = KIND_INSTANCE, .names = "vmName",                \
			       .keeps = KEEPS, .fixed = FIXED,                                               \
			       .args = PARAMS(struct machine_args, put_rows, .object = "VirtualMachine"),    \
			       .prepare = prepare, .operation = put, .returns = KIND_INSTANCE,               \
			       AZ_SUBJECT(struct machine_args, id), .shows = &az_machines,                   \
			       .outcome = ASYNC_JOB_OUTCOME_SETTLED, .doc = (says)                           \
	}
static const struct az_action actions[] = {
	CHANGE(HTTP_PUT, "VirtualMachines_CreateOrUpdate", "ec2:RunInstances", AZ_PUT,
	       "Creates or changes a virtual machine."),
	CHANGE(HTTP_PATCH, "VirtualMachines_Update", "ec2:ModifyInstanceAttribute", AZ_PATCH,
	       "Changes a virtual machine."),
};
const struct api_actions az_machine_put_actions = API_ACTIONS(actions);
