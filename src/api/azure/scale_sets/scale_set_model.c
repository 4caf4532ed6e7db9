/* SPDX-License-Identifier: Apache-2.0
 * Models of scale sets: sku.name and virtualMachineProfile, stored as JSON in a launch configuration and read again at each launch.
 * customData stays in the stored profile, the password is sealed beside it; answers contain neither. Source: Azure REST API reference,
 * "Virtual Machine Scale Sets", 2022-08-01. */
#include "api/azure/scale_sets/scale_sets.h"

#include <stdlib.h>

#include "api/azure/scale_sets/later_set.h"
#include "api/core/face.h"
#include "api/core/guest_password.h"
#include "base/clock.h"
#include "engine/instance/instance.h"
#include "engine/instance/launch/fleet.h"
#include "engine/people/asker.h"
#include "engine/virtual/port_policy.h"
#include "store/image.h"
#include "store/instance_type.h"
#include "store/launch_configuration.h"
#include "store/subnet.h"
#include "store/zone.h"

#define GIB (INT64_C(1) << 30)
enum { SET_LUN_MAX = 23, SET_DISK_GIB_MAX = 65536, SET_PORTS_MAX = 8, SET_MODEL_MAX = 65536 };
#define PROFILE "properties.virtualMachineProfile."
#define FIRST_NUMBER "000000"

/* ---- tables ---- */

static const struct param sku_rows[] = {
	PARAM(struct set_sku, "name", name, .doc = "Size of the machines."),
	PARAM(struct set_sku, "tier", tier, .doc = "Stored and shown; has no effect."),
	PARAM(struct set_sku, "capacity", capacity, .max = SCALING_SIZE_MAX,
	      .given = offsetof(struct set_sku, has_capacity) + 1, .doc = "Number of machines."),
};
const struct params set_sku_params = PARAMS(struct set_sku, sku_rows, .object = "Sku");
static const struct param os_rows[] = {
	PARAM(struct set_os, "computerNamePrefix", prefix, .max = 58,
	      .doc = "Prefix of the machines' host names; absent: the name of the set."),
	PARAM(struct set_os, "adminUsername", admin, .max = 64, .doc = "Name of the administrator."),
	PARAM(struct set_os, "adminPassword", password, .max = 123, .doc = "Password of the administrator."),
	PARAM(struct set_os, "customData", custom_data, .flags = BASE64, .max = INSTANCE_USER_DATA_MAX,
	      .doc = "Custom data for the first boot, base64."),
	PARAM(struct set_os, "allowExtensionOperations", allows_extensions,
	      .doc = "Must be true: the guests may take extensions."),
	PARAM_OBJECT(struct set_os, "linuxConfiguration", linux_os, az_linux_os_params,
		     .doc = "Settings of a Linux guest."),
	PARAM_OBJECT(struct set_os, "windowsConfiguration", windows, az_windows_os_params,
		     .doc = "Settings of a Windows guest."),
	NOT_BUILT("secrets", .only = "[]"),
	NOT_BUILT("requireGuestProvisionSignal", .only = "true"),
};
static const struct params os_params =
	PARAMS(struct set_os, os_rows, .object = "VirtualMachineScaleSetOSProfile");
static const struct param disk_sku_rows[] = {
	PARAM(struct set_disk_sku, "storageAccountType", sku,
	      .doc = "SKU of the disk, such as Standard_LRS or Premium_LRS."),
	NOT_BUILT("diskEncryptionSet|securityProfile"),
};
static const struct params disk_sku_params =
	PARAMS(struct set_disk_sku, disk_sku_rows, .object = "VirtualMachineScaleSetManagedDiskParameters");
static const struct param disk_rows[] = {
	PARAM(struct set_disk, "createOption", option, .words = "FromImage",
	      .doc = "FromImage: a new disk from the image."),
	PARAM(struct set_disk, "deleteOption", fate, .words = "Delete|Detach",
	      .doc = "Whether the OS disk is deleted with its machine; absent: Delete."),
	PARAM(struct set_disk, "diskSizeGB", gib, .min = 1, .max = SET_DISK_GIB_MAX,
	      .doc = "Size in GiB; absent: the size of the image."),
	PARAM_OBJECT(struct set_disk, "managedDisk", managed, disk_sku_params, .doc = "SKU of the disk."),
	NOT_BUILT("name|image|vhdContainers|diffDiskSettings"),
	NOT_BUILT("writeAcceleratorEnabled", .only = "false"),
	AZ_KEPT("osType|caching"),
};
static const struct params disk_params =
	PARAMS(struct set_disk, disk_rows, .object = "VirtualMachineScaleSetOSDisk");
static const struct param data_rows[] = {
	PARAM(struct set_data_disk, "lun", lun, .flags = REQUIRED, .max = SET_LUN_MAX,
	      .doc = "Logical unit number."),
	PARAM(struct set_data_disk, "createOption", option, .flags = REQUIRED, .words = "Empty",
	      .doc = "Empty: a blank disk."),
	PARAM(struct set_data_disk, "deleteOption", fate, .words = "Delete|Detach",
	      .doc = "Whether the data disk is deleted with its machine; absent: Delete."),
	PARAM(struct set_data_disk, "diskSizeGB", gib, .flags = REQUIRED, .min = 1, .max = SET_DISK_GIB_MAX,
	      .doc = "Size in GiB."),
	PARAM_OBJECT(struct set_data_disk, "managedDisk", managed, disk_sku_params,
		     .doc = "SKU of the disk."),
	NOT_BUILT("name|diskIOPSReadWrite|diskMBpsReadWrite"),
	NOT_BUILT("writeAcceleratorEnabled", .only = "false"),
	AZ_KEPT("caching"),
};
static const struct params data_params =
	PARAMS(struct set_data_disk, data_rows, .object = "VirtualMachineScaleSetDataDisk");
static const struct param storage_rows[] = {
	PARAM_OBJECT(struct set_storage, "imageReference", image, az_image_reference_params,
		     .given = offsetof(struct set_storage, has_image) + 1, .doc = "Image of the machines."),
	PARAM_OBJECT(struct set_storage, "osDisk", os, disk_params, .doc = "OS disk."),
	PARAM_LIST(struct set_storage, "dataDisks", data, data_params, .max = SET_LUN_MAX + 1,
		   .doc = "Data disks."),
	NOT_BUILT("diskControllerType", .only = "SCSI"),
};
static const struct params storage_params =
	PARAMS(struct set_storage, storage_rows, .object = "VirtualMachineScaleSetStorageProfile");
static const struct param config_says_rows[] = {
	PARAM_OBJECT(struct set_config_says, "subnet", subnet, az_link_params, .doc = "Subnet."),
	PARAM(struct set_config_says, "primary", is_primary,
	      .doc = "Whether the configuration is the primary one; it must be."),
	PARAM_LIST(struct set_config_says, "loadBalancerBackendAddressPools", pools, az_link_params,
		   .max = 32, .doc = "Load balancer backend pools that include the interface."),
	PARAM_LIST(struct set_config_says, "applicationSecurityGroups", sets, az_link_params,
		   .max = PORT_SETS_OF_PORT_MAX,
		   .doc = "Application security groups that include the interface."),
	NOT_BUILT("privateIPAddressVersion", .only = "IPv4"),
	NOT_BUILT("loadBalancerInboundNatPools|applicationGatewayBackendAddressPools", .only = "[]"),
	NOT_BUILT("publicIPAddressConfiguration"),
};
static const struct params config_says_params =
	PARAMS(struct set_config_says, config_says_rows,
	       .object = "VirtualMachineScaleSetIPConfigurationProperties");
static const struct param config_rows[] = {
	PARAM(struct set_config, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct set_config, "properties", properties, config_says_params,
		     .doc = "Subnet and pools of the configuration."),
	AZ_READ_ONLY("id"),
};
static const struct params config_params =
	PARAMS(struct set_config, config_rows, .object = "VirtualMachineScaleSetIPConfiguration");
static const struct param dns_rows[] = {NOT_BUILT("dnsServers", .only = "[]")};
static const struct params dns_params =
	AZ_SHAPE(dns_rows, .object = "VirtualMachineScaleSetNetworkConfigurationDnsSettings");
static const struct param interface_says_rows[] = {
	PARAM(struct set_interface_says, "primary", is_primary,
	      .doc = "Whether the interface is the primary of several."),
	PARAM(struct set_interface_says, "deleteOption", fate, .words = "Delete|Detach",
	      .doc = "Whether the network interface is deleted with its machine; absent: Delete."),
	PARAM_OBJECT(struct set_interface_says, "networkSecurityGroup", policy, az_link_params,
		     .doc = "Network security group of the interface."),
	PARAM_LIST(struct set_interface_says, "ipConfigurations", configs, config_params, .max = 1,
		   .doc = "IP configuration, as a list of one."),
	AZ_SHAPE_OBJECT("dnsSettings", dns_params),
	NOT_BUILT("enableAcceleratedNetworking|enableIPForwarding|enableFpga|disableTcpStateTracking",
		  .only = "false"),
	NOT_BUILT("auxiliaryMode|auxiliarySku", .only = "None"),
};
static const struct params interface_says_params =
	PARAMS(struct set_interface_says, interface_says_rows,
	       .object = "VirtualMachineScaleSetNetworkConfigurationProperties");
static const struct param interface_rows[] = {
	PARAM(struct set_interface, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct set_interface, "properties", properties, interface_says_params,
		     .doc = "Settings of the interface."),
	AZ_READ_ONLY("id"),
};
static const struct params interface_params =
	PARAMS(struct set_interface, interface_rows, .object = "VirtualMachineScaleSetNetworkConfiguration");
static const struct param network_rows[] = {
	PARAM_LIST(struct set_network, "networkInterfaceConfigurations", interfaces, interface_params,
		   .max = SET_PORTS_MAX, .doc = "Network interfaces of each machine."),
	NOT_BUILT("healthProbe"),
	AZ_READ_ONLY("networkApiVersion"),
};
static const struct params network_params =
	PARAMS(struct set_network, network_rows, .object = "VirtualMachineScaleSetNetworkProfile");
static const struct param profile_rows[] = {
	PARAM_OBJECT(struct set_profile, "osProfile", os, os_params,
		     .doc = "Operating system settings of the guests."),
	PARAM_OBJECT(struct set_profile, "storageProfile", storage, storage_params,
		     .doc = "Image and disks."),
	PARAM_OBJECT(struct set_profile, "networkProfile", network, network_params,
		     .doc = "Network interfaces."),
	PARAM(struct set_profile, "userData", user_data, .flags = BASE64, .max = INSTANCE_USER_DATA_MAX,
	      .doc = "User data that the guests can read, base64."),
	NOT_BUILT("priority", .only = "Regular"),
	NOT_BUILT("evictionPolicy|billingProfile|licenseType|extensionProfile|scheduledEventsProfile"),
	NOT_BUILT("securityProfile|diagnosticsProfile|hardwareProfile|capacityReservation|applicationProfile|"
		  "serviceArtifactReference|securityPostureReference"),
	AZ_READ_ONLY("timeCreated"),
};
const struct params set_profile_params =
	PARAMS(struct set_profile, profile_rows, .object = "VirtualMachineScaleSetVMProfile");

/* The stored model. */
struct model {
	struct set_sku sku;
	struct set_profile profile;
	struct str password; /* sealed */
};
static const struct param model_rows[] = {
	PARAM_OBJECT(struct model, "sku", sku, set_sku_params, .doc = "Size."),
	PARAM_OBJECT(struct model, "profile", profile, set_profile_params, .doc = "virtualMachineProfile."),
	PARAM(struct model, "password", password, .flags = BASE64, .max = 4096, .doc = "Sealed password."),
};
static const struct params model_params = PARAMS(struct model, model_rows);

/* ---- merging ---- */

/* Nulls mean absent. */
static void prune_nulls(json_t *json)
{
	const char *name;
	json_t *value;
	void *rest;
	for (size_t k = 0; k < json_array_size(json); k++)
		prune_nulls(json_array_get(json, k));
	json_object_foreach_safe(json, rest, name, value)
	{
		if (json_is_null(value))
			(void) json_object_del(json, name);
		else
			prune_nulls(value);
	}
}

/* Objects merge, other values replace. The depth is bounded by the reader of the request. */
static int merge(json_t *into, const json_t *from)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *) from, name, value) {
		json_t *present = json_object_get(into, name);
		int failed = json_is_object(present) && json_is_object(value)
				     ? merge(present, value)
				     : json_object_set_new(into, name, json_deep_copy(value));
		if (failed)
			return failed;
	}
	return 0;
}

/* Moves the password out of the profile, and seals it. */
static RESULT seal_password(struct az_call *e, json_t *model)
{
	json_t *os = json_object_get(json_object_get(model, "profile"), "osProfile");
	struct str password = str_from(json_string_value(json_object_get(os, "adminPassword")));
	struct str sealed = STR_NONE;
	if (!password.n)
		return OK;
	TRY(api_seal_guest_password(&e->core, e->c->who->account, password, &sealed));
	(void) json_object_del(os, "adminPassword");
	sealed = str_encode_base64(e->c->arena, sealed);
	return json_object_set_new(model, "password", json_stringn(sealed.p, sealed.n)) == 0
		       ? OK
		       : ctx_no_memory(e->c);
}

/* Returns the members of the body that belong to a model: {"sku": {"name": …}, "profile": …}. */
static json_t *said_model(const json_t *body)
{
	json_t *model = json_object();
	const json_t *size = json_object_get(json_object_get(body, "sku"), "name");
	json_t *profile = json_object_get(json_object_get(body, "properties"), "virtualMachineProfile");
	if (json_is_string(size)) {
		json_t *sku = json_object();
		(void) json_object_set(sku, "name", (json_t *) size);
		(void) json_object_set_new(model, "sku", sku);
	}
	if (json_is_object(profile))
		(void) json_object_set_new(model, "profile", json_deep_copy(profile));
	prune_nulls(model);
	return model;
}

static json_t *load(struct str text)
{
	json_t *json = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
	return json ? json : json_object();
}

static RESULT dump(struct az_call *e, const json_t *json, struct str *ret_text)
{
	char *text = json_dumps(json, JSON_COMPACT);
	if (!text)
		return ctx_no_memory(e->c);
	*ret_text = str_copy(e->c->arena, str_from(text));
	free(text);
	if (ret_text->n > SET_MODEL_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("properties.virtualMachineProfile"),
				      "The model of a scale set has up to %d bytes.", SET_MODEL_MAX);
	return ret_text->p ? OK : ctx_no_memory(e->c);
}

static RESULT merge_into(struct az_call *e, json_t *model, struct str *ret_model)
{
	json_t *said = said_model(e->body), *before = json_deep_copy(model);
	struct result result = said && before ? seal_password(e, said) : ctx_no_memory(e->c);
	if (result_is_ok(result) && merge(model, said) != 0)
		result = ctx_no_memory(e->c);
	if (result_is_ok(result) && !json_equal(model, before))
		result = dump(e, model, ret_model);
	json_decref(said);
	json_decref(before);
	return result;
}

RESULT scale_set_merge_model(struct az_call *e, const struct launch_configuration *present,
			     struct str *ret_model)
{
	json_t *model = load(present ? present->data : STR_NONE);
	*ret_model = STR_NONE;
	struct result result = merge_into(e, model, ret_model);
	json_decref(model);
	return result;
}

/* ---- reading ---- */

static RESULT missing(struct az_call *e, const char *field)
{
	return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
			      "Required parameter '%s' is missing (null).", field);
}

static RESULT read(struct az_call *e, struct str text, struct model *ret_model)
{
	json_t *json = load(text);
	const struct params_request request = {.dialect = &az_dialect, .body = document_of_json(json)};
	struct result result = params_fill(e->c, &model_params, &request, ret_model);
	json_decref(json);
	return result;
}

static bool stays(struct str fate)
{
	return str_is(fate, "Detach");
}

static struct str type_of(const struct set_disk_sku *managed)
{
	return az_type_of_sku(managed->sku.n ? managed->sku : STR("Premium_LRS"));
}

static RESULT take_disks(struct az_call *e, const struct set_storage *s, struct instance_launch *launch,
			 bool *ret_windows)
{
	const struct image *image = NULL;
	struct disk_wish *disks = arena_new_array(e->c->arena, struct disk_wish, s->data.count + 1);
	if (!disks)
		return ctx_no_memory(e->c);
	if (!s->has_image)
		return missing(e, PROFILE "storageProfile.imageReference");
	TRY(az_find_image(e, PROFILE "storageProfile.imageReference", &s->image, &image));
	*ret_windows = image->platform == IMAGE_PLATFORM_WINDOWS;
	launch->image = ref_by_id(KIND_IMAGE, image->row.id);
	disks[0] =
		(struct disk_wish){.device = image->root_device.n ? str_copy(e->c->arena, image->root_device)
								  : INSTANCE_ROOT_DEVICE,
				   .size = s->os.gib * GIB,
				   .type = type_of(&s->os.managed),
				   .delete_on_termination = stays(s->os.fate) ? CHOICE_NO : CHOICE_YES,
				   .field = STR(PROFILE "storageProfile.osDisk")};
	for (size_t k = 0; k < s->data.count; k++) {
		const struct set_data_disk *d = &s->data.at[k];
		for (size_t j = 0; j < k; j++)
			if (s->data.at[j].lun == d->lun)
				return az_fail(e, PROFILE "storageProfile.dataDisks.lun",
					       "A disk at LUN %lld already exists in the request.",
					       (long long) d->lun);
		disks[k + 1] =
			(struct disk_wish){.device = az_device_of(e, d->lun),
					   .size = d->gib * GIB,
					   .type = type_of(&d->managed),
					   .delete_on_termination = stays(d->fate) ? CHOICE_NO : CHOICE_YES,
					   .field = STR(PROFILE "storageProfile.dataDisks")};
	}
	launch->disks = disks;
	launch->disk_count = s->data.count + 1;
	return OK;
}

#define CONFIGS PROFILE "networkProfile.networkInterfaceConfigurations"

static RESULT take_interface(struct az_call *e, const struct set_interface *i, struct launch_port *port,
			     struct scale_set_port *of_set)
{
	const struct set_interface_says *says = &i->properties;
	if (!says->configs.count)
		return missing(e, CONFIGS ".ipConfigurations");
	const struct set_config_says *config = &says->configs.at[0].properties;
	struct balanced_pool *pools =
		arena_new_array(e->c->arena, struct balanced_pool, config->pools.count + 1);
	if (!pools)
		return ctx_no_memory(e->c);
	if (!config->subnet.id.n)
		return missing(e, CONFIGS ".ipConfigurations.subnet");
	TRY(az_follow(e, CONFIGS ".ipConfigurations.subnet.id", &config->subnet, AZ_SUBNETS, KIND_SUBNET,
		      &port->subnet));
	TRY(az_follow(e, CONFIGS ".networkSecurityGroup.id", &says->policy, AZ_SECURITY_GROUPS,
		      KIND_PORT_POLICY, &of_set->policy));
	TRY(az_follow_all(e, CONFIGS ".ipConfigurations.applicationSecurityGroups.id", &config->sets,
			  AZ_APPLICATION_GROUPS, KIND_PORT_SET, &of_set->sets));
	for (size_t k = 0; k < config->pools.count; k++)
		TRY(az_find_pool(e, CONFIGS ".ipConfigurations.loadBalancerBackendAddressPools.id",
				 config->pools.at[k].id, &pools[k]));
	of_set->pools = pools;
	of_set->pool_count = config->pools.count;
	port->by_firewall_alone = true;
	port->delete_on_termination = stays(says->fate) ? CHOICE_NO : CHOICE_YES;
	port->field = STR(CONFIGS);
	return OK;
}

static size_t primary_of(const struct set_interfaces *list)
{
	for (size_t k = 0; k < list->count; k++)
		if (list->at[k].properties.is_primary == CHOICE_YES)
			return k;
	return 0;
}

static RESULT take_interfaces(struct az_call *e, const struct set_interfaces *list,
			      struct instance_launch *launch, struct scale_set_launch *set)
{
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, list->count + 1);
	struct scale_set_port *of_set = arena_new_array(e->c->arena, struct scale_set_port, list->count + 1);
	size_t primary = primary_of(list), next = 1;
	if (!ports || !of_set)
		return ctx_no_memory(e->c);
	if (!list->count)
		return missing(e, CONFIGS);
	for (size_t k = 0; k < list->count; k++) {
		size_t at = k == primary ? 0 : next++;
		TRY(take_interface(e, &list->at[k], &ports[at], &of_set[at]));
		ports[at].device_index = (int64_t) at;
	}
	launch->ports = ports;
	launch->port_count = set->port_count = list->count;
	set->ports = of_set;
	return OK;
}

static RESULT take_os(struct az_call *e, const struct model *m, struct str set_name, bool is_windows,
		      struct instance_launch *launch, struct scale_set_launch *set)
{
	const struct set_os *os = &m->profile.os;
	struct az_guest_wish guest = {0};
	set->computer_prefix = os->prefix.n ? os->prefix : set_name;
	const struct az_os_profile of_machine = {
		.computer_name =
			str_print(e->c->arena, "%" STR_FMT FIRST_NUMBER, STR_ARG(set->computer_prefix)),
		.admin = os->admin,
		.password = m->password,
		.password_is_sealed = true,
		.custom_data = os->custom_data,
		.linux_os = os->linux_os,
		.windows = os->windows};
	if (os->allows_extensions == CHOICE_NO)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED,
				      STR(PROFILE "osProfile.allowExtensionOperations"),
				      "Of the parameter 'allowExtensionOperations' only true is supported.");
	launch->user_data = os->custom_data.n ? os->custom_data : m->profile.user_data;
	TRY(az_take_os_profile(e, &of_machine, set_name, is_windows, launch, &guest));
	set->has_key = os->linux_os.ssh.keys.count > 0;
	set->key = guest.key;
	set->has_profile = guest.has_profile;
	set->profile = guest.profile;
	return OK;
}

/* Members of a machine's PUT, by which a flexible set's machines are shown. */
static RESULT define(struct az_call *e, struct str text, struct scale_set_launch *set)
{
	json_t *model = load(text), *said = json_object();
	const json_t *profile = json_object_get(model, "profile"),
		     *os = json_object_get(profile, "osProfile");
	const struct {
		const char *path;
		json_t *value;
	} members[] = {
		{"properties.hardwareProfile.vmSize", json_object_get(json_object_get(model, "sku"), "name")},
		{"properties.storageProfile.imageReference",
		 json_object_get(json_object_get(profile, "storageProfile"), "imageReference")},
		{"properties.osProfile.adminUsername", json_object_get(os, "adminUsername")},
		{"properties.osProfile.linuxConfiguration", json_object_get(os, "linuxConfiguration")},
		{"properties.osProfile.windowsConfiguration", json_object_get(os, "windowsConfiguration")},
	};
	for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
		if (members[k].value)
			(void) json_object_set(said, members[k].path, members[k].value);
	struct result result = dump(e, said, &set->definition);
	json_decref(said);
	json_decref(model);
	return result;
}

/* Builds the launch that all zones share. */
static RESULT take_launch(struct az_call *e, struct str text, struct str set_name,
			  struct instance_launch *launch, struct scale_set_launch *set)
{
	static const char field[] = "sku.name";
	struct model m = {0};
	bool is_windows = false;
	TRY(read(e, text, &m));
	if (!m.sku.name.n)
		return missing(e, field);
	const struct instance_type *type = az_type_of_size(e, m.sku.name);
	if (!type)
		return az_fail(e, field, "The value %" STR_FMT " provided for the VM size is not valid.",
			       STR_ARG(str_slice(m.sku.name, 0, 64)));
	*launch = (struct instance_launch){.min_count = 1, .max_count = 1, .beyond_type = true};
	launch->type = ref_by_id(KIND_INSTANCE_TYPE, type->row.id);
	launch->type.text = str_copy(e->c->arena, type->name);
	launch->type.field = str_from(field);
	TRY(take_disks(e, &m.profile.storage, launch, &is_windows));
	TRY(take_interfaces(e, &m.profile.network.interfaces, launch, set));
	TRY(take_os(e, &m, set_name, is_windows, launch, set));
	return define(e, text, set);
}

RESULT scale_set_read_model(struct az_call *e, struct str model, struct uuids zones, struct str set_name,
			    struct fleet_override **ret_launches, size_t *ret_count)
{
	struct instance_launch launch;
	struct scale_set_launch *set = arena_new_object(e->c->arena, struct scale_set_launch);
	*ret_launches = arena_new_array(e->c->arena, struct fleet_override, zones.count + 1);
	if (!set || !*ret_launches)
		return ctx_no_memory(e->c);
	*set = (struct scale_set_launch){0};
	TRY(take_launch(e, model, set_name, &launch, set));
	for (size_t k = 0; k < zones.count; k++) {
		launch.zone = ref_by_id(KIND_ZONE, zones.at[k]);
		launch.zone.field = STR("zones");
		(*ret_launches)[k] = (struct fleet_override){.launch = launch, .set = set, .capacity = 1};
	}
	*ret_count = zones.count;
	return OK;
}

/* ---- zones ---- */

/* The zone that the subnet of the primary interface is restricted to; none: it is not. */
static RESULT zone_of_subnet(struct az_call *e, struct str text, uuid *ret_zone)
{
	struct model m = {0};
	struct ref ref = {0};
	*ret_zone = UUID_NONE;
	TRY(read(e, text, &m));
	const struct set_interfaces *list = &m.profile.network.interfaces;
	if (!list->count || !list->at[primary_of(list)].properties.configs.count)
		return OK;
	TRY(az_follow(e, CONFIGS ".ipConfigurations.subnet.id",
		      &list->at[primary_of(list)].properties.configs.at[0].properties.subnet, AZ_SUBNETS,
		      KIND_SUBNET, &ref));
	const struct subnet *subnet = ref_is_given(&ref) ? subnet_find(az_tables(e), ref.prefix) : NULL;
	*ret_zone = subnet ? subnet->zone : UUID_NONE;
	return OK;
}

RESULT scale_set_find_zones(struct az_call *e, struct str model, const struct strs *said,
			    struct uuids *ret_zones)
{
	uuid *at =
		arena_new_array(e->c->arena, uuid, tables_count(az_tables(e), KIND_ZONE) + said->count + 1);
	uuid only = UUID_NONE;
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < said->count; k++) {
		struct ref zone;
		const struct strs one = {&said->at[k], 1};
		TRY(az_find_zone(e, &one, &zone));
		if (!uuids_have(&(struct uuids){at, count}, zone.prefix))
			at[count++] = zone.prefix;
	}
	if (!count)
		TRY(zone_of_subnet(e, model, &only));
	if (!uuid_is_none(only))
		at[count++] = only;
	for (const struct zone *z = count ? NULL : zone_first(az_tables(e)); z;
	     z = zone_next(az_tables(e), z))
		at[count++] = z->row.id;
	*ret_zones = (struct uuids){at, count};
	return OK;
}

/* ---- answers ---- */

void scale_set_write_model(struct az_call *e, struct json_writer *w, const struct launch_configuration *model,
			   const char *member)
{
	json_t *json = load(model ? model->data : STR_NONE);
	json_t *profile = json_object_get(json, "profile");
	(void) json_object_del(json_object_get(profile, "osProfile"), "customData");
	if (!str_equal_nocase(az_query_value(e, "$expand"), STR("userData")))
		(void) json_object_del(profile, "userData");
	char *text = profile ? json_dumps(profile, JSON_COMPACT) : NULL;
	if (text)
		json_write_raw(w, member, str_from(text));
	free(text);
	json_decref(json);
}

struct str scale_set_size_of(struct az_call *e, const struct launch_configuration *model)
{
	json_t *json = load(model ? model->data : STR_NONE);
	struct str size =
		str_copy(e->c->arena,
			 str_from(json_string_value(json_object_get(json_object_get(json, "sku"), "name"))));
	json_decref(json);
	return size;
}

bool scale_set_follows_images(struct az_call *e, const struct launch_configuration *model)
{
	struct model m = {0};
	bool is_read = model && result_is_ok(read(e, model->data, &m));
	return is_read && !m.profile.storage.image.id.n &&
	       str_equal_nocase(m.profile.storage.image.version, STR("latest"));
}

/* ---- later ---- */

/* A call that nobody sent: the parts of one that the model's reader needs. */
struct later_call {
	struct api_config config;
	struct az_call e;
};

static RESULT add_tags(struct az_call *e, const struct scaling_group *set, struct fleet_override *launches,
		       size_t count)
{
	struct tag *at = arena_new_array(e->c->arena, struct tag, set->tags.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < set->tags.count; k++)
		at[k] = set->tags.at[k];
	for (size_t k = 0; k < count; k++)
		launches[k].launch.instance_tags = (struct tags){at, set->tags.count};
	return OK;
}

static RESULT read_set(struct az_call *e, const struct scaling_group *set,
		       struct fleet_override **ret_launches, size_t *ret_count)
{
	const struct launch_configuration *model = engine_find_scale_set_model(az_tables(e), set);
	if (!model || !e->c->who)
		return ctx_fail(e->c, ERR_NOT_FOUND, "The model of the scale set is gone.");
	struct str name = az_name_of(e, AZ_SCALE_SETS, KIND_SCALING_GROUP, set->row.id);
	TRY(scale_set_read_model(e, model->data, set->zones, name, ret_launches, ret_count));
	return add_tags(e, set, *ret_launches, *ret_count);
}

RESULT azure_read_later_set(struct ctx *c, const struct later_launch *later, const struct scaling_group *set,
			    struct fleet_override **ret_launches, size_t *ret_count)
{
	struct later_call *call = arena_new_object(c->arena, struct later_call);
	const struct asker asker = ASKER_OF(set);
	const struct asker_work work = {later->guard, "instance.create", clock_now_us()};
	const struct identity *who = c->who;
	struct guard *guard = c->guard;
	if (!call)
		return ctx_no_memory(c);
	call->config.store = later->store;
	call->e.c = c;
	call->e.config = &call->config;
	call->e.protocol = &azure_protocol;
	call->e.errors = azure_protocol.errors;
	view_open(later->store, &call->e.view);
	struct result result = asker_act(c, call->e.view.tables, &asker, &work);
	if (result_is_ok(result))
		result = read_set(&call->e, set, ret_launches, ret_count);
	view_close(&call->e.view);
	c->who = who;
	c->guard = guard;
	return result;
}
