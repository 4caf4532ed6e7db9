/* SPDX-License-Identifier: Apache-2.0
 * The instance document in Azure's words. All scalars are texts. Members of later versions also appear in
 * earlier ones, whose clients ignore them. Source: "Azure Instance Metadata Service", table of the endpoint
 * "instance"; what cloud-init and waagent read.
 */
#include "api/metadata/azure.h"

#include <inttypes.h>

#include "engine/instance/azure_guest.h"
#include "model/address.h"
#include "model/azure_guest.h"
#include "model/id.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/instance_type.h"
#include "model/licence.h"
#include "model/port.h"
#include "model/subnet.h"
#include "model/volume.h"
#include "model/zone.h"

#define USER "azureuser"

json_t *azure_json_of(struct str text)
{
	return json_stringn(text.p ? text.p : "", text.n);
}

static void set(json_t *object, const char *name, json_t *value)
{
	(void) json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, struct str text)
{
	set(object, name, azure_json_of(text));
}

static void set_z(json_t *object, const char *name, const char *text)
{
	set(object, name, json_string(text));
}

static void set_bool(json_t *object, const char *name, bool value)
{
	set_z(object, name, value ? "true" : "false");
}

static json_t *add(json_t *object, const char *name)
{
	json_t *part = json_object();
	set(object, name, part);
	return part;
}

/* ---- names ---- */

static struct str id_of(const struct imds_facts *s, const char *type, struct str group, struct str name)
{
	return str_print(s->arena,
			 "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT
			 "/providers/Microsoft.Compute/%s/%" STR_FMT,
			 STR_ARG(uuid_to_str(s->arena, s->instance->account)), STR_ARG(group), type,
			 STR_ARG(name));
}

/* "koreacentral": small letters and digits of the region's name. */
static struct str location_of(const struct imds_facts *s)
{
	char *p = arena_alloc(s->arena, s->region.n + 1);
	size_t n = 0;
	for (size_t k = 0; p && k < s->region.n; k++)
		if (str_is_alphanumeric(s->region.p[k]))
			p[n++] = s->region.p[k];
	return p ? str_lower(s->arena, (struct str){p, n}) : STR_NONE;
}

static struct str tag_of(const struct tags *tags, const char *key)
{
	for (size_t k = 0; k < tags->count; k++)
		if (str_equal_nocase(tags->at[k].key, str_from(key)))
			return tags->at[k].value;
	return STR_NONE;
}

/* ---- compute ---- */

/* Writes the marketplace names from the image's tags. */
static void set_origin(const struct imds_facts *s, json_t *object)
{
	static const char *const keys[] = {"publisher", "offer", "sku", "version"};
	const struct tags none = {0};
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
		set_text(object, keys[k], tag_of(s->image ? &s->image->tags : &none, keys[k]));
}

static const char *os_of(const struct imds_facts *s)
{
	return s->instance->platform == INSTANCE_PLATFORM_WINDOWS ? "Windows" : "Linux";
}

static json_t *json_of_disk(const struct imds_facts *s, const struct volume *v, const char *how)
{
	json_t *disk = json_object(), *managed = add(disk, "managedDisk");
	struct str name = id_to_text(s->arena, KIND_VOLUME, v->row.id);
	set_text(disk, "name", name);
	set_z(disk, "caching", "None");
	set_z(disk, "createOption", how);
	set_text(disk, "diskSizeGB", str_print(s->arena, "%" PRId64, v->size >> 30));
	set_z(add(disk, "image"), "uri", "");
	set_z(add(disk, "vhd"), "uri", "");
	set_text(managed, "id", id_of(s, "disks", STR("dari-default"), name));
	set_z(managed, "storageAccountType", "Premium_LRS");
	set_z(disk, "writeAcceleratorEnabled", "false");
	return disk;
}

static void add_storage(const struct imds_facts *s, json_t *compute)
{
	json_t *storage = add(compute, "storageProfile"), *disks = json_array(), *origin;
	set(storage, "dataDisks", disks);
	for (size_t k = 0; k < s->volume_count; k++) {
		json_t *disk = json_of_disk(s, s->volumes[k], "Attach");
		set_text(disk, "lun", str_print(s->arena, "%" PRId64, s->volumes[k]->device_slot - 1));
		(void) json_array_append_new(disks, disk);
	}
	origin = add(storage, "imageReference");
	set_z(origin, "id", "");
	set_origin(s, origin);
	if (s->root) {
		json_t *disk = json_of_disk(s, s->root, "FromImage");
		set_z(disk, "osType", os_of(s));
		set_z(add(disk, "encryptionSettings"), "enabled", "false");
		set(storage, "osDisk", disk);
	}
	set_z(add(storage, "resourceDisk"), "size", "0");
}

struct str azure_user_name(const struct imds_facts *s)
{
	return s->azure && s->azure->admin_username.n ? s->azure->admin_username : STR(USER);
}

struct str azure_computer_name(const struct imds_facts *s)
{
	const struct azure_guest *g = s->azure;
	struct str name = g && g->computer_name.n ? g->computer_name : imds_openstack_host_name(s);
	if (s->instance->platform != INSTANCE_PLATFORM_WINDOWS)
		return name;
	name = str_slice(name, 0, AZURE_WINDOWS_NAME_MAX);
	while (name.n && name.p[name.n - 1] == '-')
		name.n--;
	return name;
}

static void add_key(json_t *keys, struct str key, struct str path)
{
	json_t *item = json_object();
	set_text(item, "keyData", str_trim(key));
	set_text(item, "path", path);
	(void) json_array_append_new(keys, item);
}

/* Writes osProfile: its own key, else that of the key pair. */
static void add_os(const struct imds_facts *s, json_t *compute)
{
	const struct azure_guest *g = s->azure;
	struct str user = azure_user_name(s);
	json_t *profile = add(compute, "osProfile"), *keys = json_array();
	set_text(profile, "adminUsername", user);
	set_text(profile, "computerName", azure_computer_name(s));
	set_bool(profile, "disablePasswordAuthentication", !(g && g->allows_password));
	set(compute, "publicKeys", keys);
	for (size_t k = 0; g && k < g->admin_keys.count && k < g->admin_key_paths.count; k++)
		add_key(keys, g->admin_keys.at[k], g->admin_key_paths.at[k]);
	if (!json_array_size(keys) && s->instance->public_key.n)
		add_key(keys, s->instance->public_key,
			str_print(s->arena, "/home/%" STR_FMT "/.ssh/authorized_keys", STR_ARG(user)));
}

static void add_tags(const struct imds_facts *s, json_t *compute)
{
	const struct tags all = s->instance->tags;
	json_t *list = json_array();
	struct str text = STR_NONE;
	for (size_t k = 0; k < all.count; k++) {
		json_t *item = json_object();
		set_text(item, "name", all.at[k].key);
		set_text(item, "value", all.at[k].value);
		(void) json_array_append_new(list, item);
		text = str_print(s->arena, "%" STR_FMT "%s%" STR_FMT ":%" STR_FMT, STR_ARG(text),
				 k ? ";" : "", STR_ARG(all.at[k].key), STR_ARG(all.at[k].value));
	}
	set_text(compute, "tags", text);
	set(compute, "tagsList", list);
}

static const char *const unused[] = {"evictionPolicy",   "placementGroupId",       "priority",
				     "vmScaleSetName",   "platformSubFaultDomain", "customData",
				     "isVmInStandbyPool"};
static void add_unused(json_t *compute)
{
	json_t *plan = add(compute, "plan");
	for (size_t k = 0; k < sizeof unused / sizeof unused[0]; k++)
		set_z(compute, unused[k], "");
	set_z(plan, "name", "");
	set_z(plan, "product", "");
	set_z(plan, "publisher", "");
	set_z(compute, "platformFaultDomain", "0");
	set_z(compute, "platformUpdateDomain", "0");
	set_z(compute, "isHostCompatibilityLayerVm", "false");
	set_z(add(compute, "host"), "id", "");
	set_z(add(compute, "hostGroup"), "id", "");
	set_z(add(compute, "virtualMachineScaleSet"), "id", "");
	set_z(add(compute, "additionalCapabilities"), "hibernationEnabled", "false");
}

static void add_security(const struct imds_facts *s, json_t *compute)
{
	json_t *security = add(compute, "securityProfile");
	set_bool(security, "secureBootEnabled", s->instance->secure_boot);
	set_bool(security, "virtualTpmEnabled", s->instance->tpm);
	set_z(security, "encryptionAtHost", "false");
	set_z(security, "securityType", s->instance->secure_boot && s->instance->tpm ? "TrustedLaunch" : "");
}

static json_t *json_of_compute(const struct imds_facts *s)
{
	const struct instance *i = s->instance;
	json_t *compute = json_object();
	set_z(compute, "azEnvironment", "AzureStackCloud"); /* clients' name of a private cloud */
	set_text(compute, "location", location_of(s));
	set_text(compute, "name", s->azure_name);
	set_text(compute, "vmId", uuid_to_str(s->arena, i->row.id));
	set_text(compute, "subscriptionId", uuid_to_str(s->arena, i->account));
	set_text(compute, "resourceGroupName", s->azure_group);
	set_text(compute, "resourceId", id_of(s, "virtualMachines", s->azure_group, s->azure_name));
	set_z(compute, "provider", "Microsoft.Compute");
	set_z(compute, "osType", os_of(s));
	set_text(compute, "vmSize", s->type ? s->type->name : STR_NONE);
	set_text(compute, "zone", s->zone_number);
	set_z(compute, "licenseType", licence_azure_type(i->licences));
	set_text(compute, "userData", str_encode_base64(s->arena, i->user_data));
	set_origin(s, compute);
	add_os(s, compute);
	add_storage(s, compute);
	add_security(s, compute);
	add_tags(s, compute);
	add_unused(compute);
	return compute;
}

/* ---- network ---- */

static struct str ip_text(const struct imds_facts *s, struct ip ip)
{
	return ip_to_str(s->arena, ip);
}

static struct str public_of(const struct imds_facts *s, const struct imds_nic *nic, struct ip ip)
{
	for (size_t k = 0; k < nic->address_count; k++)
		if (ip_equal(nic->addresses[k]->private_ip, ip))
			return ip_text(s, nic->addresses[k]->ip);
	return STR_NONE;
}

static json_t *json_of_nic(const struct imds_facts *s, const struct imds_nic *nic)
{
	char mac[2 * sizeof nic->port->mac + 1];
	json_t *item = json_object(), *v4 = add(item, "ipv4"), *v6 = add(item, "ipv6");
	json_t *v4s = json_array(), *v6s = json_array(), *subnets = json_array();
	set(v4, "ipAddress", v4s);
	set(v4, "subnet", subnets);
	set(v6, "ipAddress", v6s);
	for (size_t k = 0; k < nic->ips.count; k++) {
		json_t *ip = json_object();
		set_text(ip, "privateIpAddress", ip_text(s, nic->ips.at[k]));
		set_text(ip, "publicIpAddress", public_of(s, nic, nic->ips.at[k]));
		(void) json_array_append_new(v4s, ip);
	}
	for (size_t k = 0; k < nic->ipv6s.count; k++) {
		json_t *ip = json_object();
		set_text(ip, "privateIpAddress", ip_text(s, nic->ipv6s.at[k]));
		(void) json_array_append_new(v6s, ip);
	}
	if (nic->subnet) {
		json_t *subnet = json_object();
		set_text(subnet, "address", ip_text(s, nic->subnet->block.base));
		set_text(subnet, "prefix", str_print(s->arena, "%d", nic->subnet->block.bits));
		(void) json_array_append_new(subnets, subnet);
	}
	for (size_t k = 0; k < sizeof nic->port->mac; k++)
		(void) snprintf(mac + 2 * k, 3, "%02X", nic->port->mac.b[k]);
	set_z(item, "macAddress", mac);
	return item;
}

json_t *azure_make_document(const struct imds_facts *s, bool is_extended)
{
	json_t *document = json_object(), *nics = json_array();
	set(document, "compute", json_of_compute(s));
	set(add(document, "network"), "interface", nics);
	for (size_t k = 0; k < s->nic_count; k++)
		(void) json_array_append_new(nics, json_of_nic(s, &s->nics[k]));
	if (is_extended) /* for pools of standby machines, which do not exist here */
		set_z(add(add(document, "extended"), "compute"), "ppsType", "None");
	return document;
}
