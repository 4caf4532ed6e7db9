/* SPDX-License-Identifier: Apache-2.0
 * Instances: gathers and writes them; DescribeInstances, and the actions that start, stop, reboot and
 * terminate them. Launching: run_instances.c. */
#include "api/ec2/compute/instances.h"

#include <stdlib.h>

#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "engine/instance/instance.h"
#include "engine/instance/profile_association.h"
#include "engine/network/address/address.h"
#include "engine/network/routing/router.h"
#include "engine/region/dedicated_host.h"
#include "model/address.h"
#include "model/boot_mode.h"
#include "model/dedicated_host.h"
#include "model/instance.h"
#include "model/instance_profile.h"
#include "model/licence.h"
#include "model/states.h"
#include "model/volume_attachment.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/router.h"
#include "store/server_group.h"
#include "store/volume.h"
#include "store/zone.h"

/* ---- states ---- */

static const int state_codes[INSTANCE_STATE_COUNT] = {
	[INSTANCE_PENDING] = 0,     [INSTANCE_RUNNING] = 16,    [INSTANCE_SHUTTING_DOWN] = 32,
	[INSTANCE_TERMINATED] = 48, [INSTANCE_STOPPING] = 64,   [INSTANCE_STOPPED] = 80,
	[INSTANCE_PAUSED] = 16,     [INSTANCE_SUSPENDING] = 64, [INSTANCE_SUSPENDED] = 80,
	[INSTANCE_RESCUED] = 16,    [INSTANCE_SHELVED] = 80,    [INSTANCE_SHELVED_OFFLOADED] = 80,
	[INSTANCE_ERROR] = 0,       [INSTANCE_DESTROYED] = 80,
};

void ec2_write_state(struct xml *x, const char *name, enum instance_state state)
{
	xml_open(x, name);
	xml_int(x, "code", state_codes[state]);
	xml_z(x, "name", model_instance_states[state].ec2);
	xml_close(x, name);
}

/* ---- interfaces and disks ---- */

struct ec2_ports ec2_list_ports(struct arena *a, const struct tables *t, uuid instance)
{
	VEC(const struct port *) ports = {0};
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row))
			(void) VEC_PUSH(a, &ports, p);
	for (const struct port *p = port_first_by_seen_instance(t, instance); p;
	     p = port_next_by_seen_instance(t, p))
		if (model_derive_port_state(p) == PORT_DETACHING)
			(void) VEC_PUSH(a, &ports, p);
	return (struct ec2_ports){ports.at, ports.count};
}

static struct attribute_rows list_interfaces(struct api_call *e, const struct row *row)
{
	const struct ec2_ports ports = ec2_list_ports(e->c->arena, api_tables(e), row->id);
	return (struct attribute_rows){ports.at, ports.count};
}

static const void *find_primary(struct api_call *e, const struct row *row)
{
	const struct port *p = port_first_by_instance(api_tables(e), row->id);
	while (p && !row_is_live(&p->row))
		p = port_next_by_instance(api_tables(e), p);
	if (p)
		return p;
	const struct ec2_ports leaving = ec2_list_ports(e->c->arena, api_tables(e), row->id);
	return leaving.count ? leaving.at[0] : NULL;
}

/* A terminated instance has no interface. */
static const void *find_without_primary(struct api_call *e, const struct row *row)
{
	return find_primary(e, row) ? NULL : row;
}

/* The root disk comes first. EC2 lists no disks in the answer of a launch. */
static struct attribute_rows list_volumes(struct api_call *e, const struct row *row)
{
	struct volume_list volumes = {0};
	if (!ec2_is_change(ec2_call_of(e)))
		IGNORE(engine_list_disks(e->c->arena, api_tables(e), row->id, true, &volumes));
	return (struct attribute_rows){volumes.at, volumes.count};
}

ATTRIBUTE_GETTER(volume, v, const char *, get_disk_status, ec2_volume_attachment(v))

#define DEVICE(name) .filter = "block-device-mapping." name
#define FURTHER(member)                                                                                      \
	{                                                                                                    \
		KIND_VOLUME_ATTACHMENT, VOLUME_ATTACHMENT_INDEX_VOLUME, .joins = {                           \
			JOIN_ONE(KIND_INSTANCE, volume_attachment, member)                                   \
		}                                                                                            \
	}
static const struct attribute disk_rows[] = {
	ATTRIBUTE_OWN_ID(
		volume, "volumeId", KIND_VOLUME, DEVICE("volume-id"),
		ATTRIBUTE_PATHS({KIND_VOLUME, .joins = {JOIN_ONE(KIND_INSTANCE, volume, instance)}},
				{KIND_VOLUME, .joins = {JOIN_ONE(KIND_INSTANCE, volume, seen_instance)}},
				FURTHER(instance), FURTHER(seen_instance))),
	ATTRIBUTE_MADE(WORD, word, "status", get_disk_status, DEVICE("status")),
	ATTRIBUTE_AS(TIME, volume, "attachTime", attached_us, DEVICE("attach-time")),
	ATTRIBUTE(volume, "deleteOnTermination", delete_on_termination, DEVICE("delete-on-termination")),
};
static const struct attributes disk_members = ATTRIBUTES(disk_rows);
static const struct attribute device_rows[] = {
	ATTRIBUTE(volume, "deviceName", device, DEVICE("device-name")),
	ATTRIBUTE_WITHIN("ebs", disk_members, .flags = ATTRIBUTE_FILTERS_WITHIN),
};
static const struct attributes device_members = ATTRIBUTES(device_rows);
#define DEVICES                                                                                              \
	ATTRIBUTE_ROWS("blockDeviceMapping", device_members, list_volumes, .flags = ATTRIBUTE_FILTERS_WITHIN)
static const struct attribute devices_rows[] = {DEVICES};
const struct attributes ec2_instance_devices = ATTRIBUTES(devices_rows);

/* ---- reasons ---- */

static bool is_ending(enum instance_state state)
{
	return state == INSTANCE_STOPPING || state == INSTANCE_STOPPED || state == INSTANCE_SUSPENDING ||
	       state == INSTANCE_SUSPENDED || state == INSTANCE_SHELVED ||
	       state == INSTANCE_SHELVED_OFFLOADED || state == INSTANCE_DESTROYED ||
	       state == INSTANCE_SHUTTING_DOWN || state == INSTANCE_TERMINATED;
}

static bool tells_reason(const struct instance *i)
{
	return i->reason_code.n && is_ending(model_derive_instance_state(i));
}

/* EC2's stateTransitionReason of an instance that is not to run; for a stop by a user, it includes the
 * time. */
static struct str get_transition(struct api_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	char asked[CLOCK_TEXT_SIZE];
	if (!tells_reason(i))
		return STR_NONE;
	if (!str_is(i->reason_code, "Client.UserInitiatedShutdown"))
		return i->reason_text;
	clock_write_s(i->off_since_us, asked); /* as in "2026-01-31T12:00:00Z" */
	return str_print(e->c->arena, "User initiated (%.10s %.8s GMT)", asked, asked + 11);
}

struct shown_reason {
	struct row row; /* no row of the store */
	struct str code, text;
};

/* Running instances have none. */
static const void *find_reason(struct api_call *e, const struct row *row)
{
	static const struct shown_reason pending = {.code = STR("pending"), .text = STR("pending")};
	const struct instance *i = instance_of(row);
	if (model_derive_instance_state(i) == INSTANCE_PENDING)
		return &pending;
	struct shown_reason *reason =
		tells_reason(i) ? arena_new_object(e->c->arena, struct shown_reason) : NULL;
	if (reason)
		*reason = (struct shown_reason){.code = i->reason_code, .text = i->reason_text};
	return reason;
}

static const struct attribute reason_rows[] = {
	ATTRIBUTE(shown_reason, "code", code, .filter = "state-reason-code"),
	ATTRIBUTE(shown_reason, "message", text, .filter = "state-reason-message"),
};
static const struct attributes reason_members = ATTRIBUTES(reason_rows);

/* ---- options ---- */

static const char *const optional_words[] = {"optional", "required"};
static const char *const enabled_words[] = {"disabled", "enabled"};
static const char *const name_words[] = {"ip-name", "resource-name"};
static const char *const version_words[] = {NULL, "v2.0"};
static const char *const platform_words[] = {
	[INSTANCE_PLATFORM_LINUX] = NULL, [INSTANCE_PLATFORM_WINDOWS] = "windows"};
static const char *const boot_words[] = {[INSTANCE_BOOT_MODE_UNSAID] = "legacy-bios",
					 [INSTANCE_BOOT_MODE_LEGACY_BIOS] = "legacy-bios",
					 [INSTANCE_BOOT_MODE_UEFI] = "uefi",
					 [INSTANCE_BOOT_MODE_UEFI_PREFERRED] = "uefi-preferred"};
static const char *const firmware_words[] = {[INSTANCE_BOOT_MODE_UNSAID] = "legacy-bios",
					     [INSTANCE_BOOT_MODE_LEGACY_BIOS] = "legacy-bios",
					     [INSTANCE_BOOT_MODE_UEFI] = "uefi",
					     [INSTANCE_BOOT_MODE_UEFI_PREFERRED] = "uefi"};

/* EC2 shows a preference or a target, unless both were sent. */
static const char *capacity_preference(const struct instance *i)
{
	bool is_shown = uuid_is_none(i->capacity_target) ||
			i->capacity_preference == INSTANCE_CAPACITY_PREFERENCE_CAPACITY_RESERVATIONS_ONLY;
	return is_shown ? instance_capacity_preference_words[i->capacity_preference] : NULL;
}

/* The dedicated host that the instance is on, or is to be on. */
static uuid find_dedicated(struct api_call *e, const struct row *row)
{
	const struct instance *i = instance_of(row);
	const struct dedicated_host *dedicated = engine_find_dedicated(api_tables(e), i->host);
	return dedicated ? dedicated->row.id : i->dedicated_host;
}

static const void *find_profile(struct api_call *e, const struct row *row)
{
	return ec2_show_profile(ec2_call_of(e), engine_find_profile_of(api_tables(e), row->id));
}

enum instance_tenancy ec2_read_tenancy(struct str word)
{
	return str_is(word, "host")        ? INSTANCE_TENANCY_HOST
	       : str_is(word, "dedicated") ? INSTANCE_TENANCY_DEDICATED
					   : INSTANCE_TENANCY_DEFAULT;
}

static bool is_windows(const struct instance *i)
{
	return i->platform == INSTANCE_PLATFORM_WINDOWS;
}

ATTRIBUTE_GETTER(instance, i, int64_t, get_state_code, state_codes[model_derive_instance_state(i)])
ATTRIBUTE_GETTER(instance, i, const char *, get_affinity,
		 i->tenancy != INSTANCE_TENANCY_HOST ? NULL
		 : i->host_affinity                  ? "host"
						     : "default")
ATTRIBUTE_GETTER(instance, i, const char *, get_monitoring,
		 !i->monitoring           ? "disabled"
		 : ec2_style.is_change(e) ? "pending"
					  : "enabled")
ATTRIBUTE_GETTER(instance, i, const char *, get_options_state, ec2_style.is_change(e) ? "pending" : "applied")
ATTRIBUTE_GETTER(instance, i, const char *, get_lifecycle, uuid_is_none(i->spot_request) ? NULL : "spot")
ATTRIBUTE_GETTER(instance, i, struct str, get_platform, ec2_platform_details(e, i->licences, is_windows(i)))
ATTRIBUTE_GETTER(instance, i, struct str, get_operation, ec2_usage_operation(e, i->licences, is_windows(i)))
ATTRIBUTE_GETTER(instance, i, int64_t, get_converted, i->converted_us ? i->converted_us : i->row.created_us)
ATTRIBUTE_GETTER(instance, i, const char *, get_preference, capacity_preference(i))
ATTRIBUTE_GETTER(instance, i, const void *, find_target, uuid_is_none(i->capacity_target) ? NULL : row)

static const struct attribute state_rows[] = {
	ATTRIBUTE_MADE(INT, number, "code", get_state_code),
	ATTRIBUTE_STATE_OF("name", KIND_INSTANCE, .filter = "instance-state-name"),
};
const struct attributes ec2_instance_state_members = ATTRIBUTES(state_rows);
static const struct attribute placement_rows[] = {
	ATTRIBUTE_OF(instance, zone, KIND_ZONE, zone, "availabilityZone", name,
		     .filter = "availability-zone"),
	ATTRIBUTE_OF(instance, server_group, KIND_SERVER_GROUP, server_group, "groupName", name,
		     .flags = ATTRIBUTE_EMPTY_NONE, .filter = "placement-group-name",
		     ATTRIBUTE_PATHS({KIND_SERVER_GROUP, SERVER_GROUP_INDEX_NAME,
				      .joins = {JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_SERVER_GROUP)}})),
	ATTRIBUTE_OF(instance, server_group, KIND_SERVER_GROUP, server_group, "groupId", row.id,
		     .kind = KIND_SERVER_GROUP),
	ATTRIBUTE(instance, "partitionNumber", partition, .flags = ATTRIBUTE_OMIT_NONE,
		  .filter = "placement-partition-number"),
	ATTRIBUTE_MADE(ID, id, "hostId", find_dedicated, .kind = KIND_DEDICATED_HOST, .filter = "host-id",
		       ATTRIBUTE_PATHS({KIND_DEDICATED_HOST,
					.joins = {JOIN_ONE(KIND_HOST, dedicated_host, host),
						  JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_HOST)}},
				       {KIND_DEDICATED_HOST,
					.joins = {JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_DEDICATED_HOST)}})),
	ATTRIBUTE_MADE(WORD, word, "affinity", get_affinity, .filter = "affinity"),
	ATTRIBUTE_AS(ENUM, instance, "tenancy", tenancy, .words = instance_tenancy_words,
		     .filter = "tenancy"),
};
static const struct attributes placement_members = ATTRIBUTES(placement_rows);
static const struct attribute monitoring_rows[] = {
	ATTRIBUTE_MADE(WORD, word, "state", get_monitoring, .filter = "monitoring-state"),
};
static const struct attributes monitoring_members = ATTRIBUTES(monitoring_rows);
static const struct attribute no_primary_rows[] = {
	ATTRIBUTE_CONST("privateDnsName", ""),
	ATTRIBUTE_CONST("dnsName", ""),
	EC2_EMPTY_SET("groupSet"),
};
static const struct attributes no_primary_members = ATTRIBUTES(no_primary_rows);
static const struct attribute cpu_rows[] = {
	ATTRIBUTE(instance, "coreCount", vcpus),
	ATTRIBUTE_CONST("threadsPerCore", "1"),
};
static const struct attributes cpu_members = ATTRIBUTES(cpu_rows);
#define CAPACITY(name) .filter = "capacity-reservation-specification.capacity-reservation-" name
static const struct attribute target_rows[] = {
	ATTRIBUTE_REF(instance, "capacityReservationId", capacity_target, KIND_CAPACITY_RESERVATION,
		      CAPACITY("target.capacity-reservation-id"),
		      ATTRIBUTE_PATHS({KIND_INSTANCE, INSTANCE_INDEX_CAPACITY_TARGET})),
};
static const struct attributes target_members = ATTRIBUTES(target_rows);
static const struct attribute capacity_rows[] = {
	ATTRIBUTE_MADE(WORD, word, "capacityReservationPreference", get_preference, CAPACITY("preference")),
	ATTRIBUTE_WITHIN_OF("capacityReservationTarget", target_members, find_target,
			    .flags = ATTRIBUTE_FILTERS_WITHIN),
};
static const struct attributes capacity_members = ATTRIBUTES(capacity_rows);
#define METADATA(name) .filter = "metadata-options." name
static const struct attribute metadata_rows[] = {
	ATTRIBUTE_MADE(WORD, word, "state", get_options_state, METADATA("state")),
	ATTRIBUTE(instance, "httpTokens", metadata_tokens_required, .words = optional_words,
		  METADATA("http-tokens")),
	ATTRIBUTE(instance, "httpPutResponseHopLimit", metadata_hop_limit,
		  METADATA("http-put-response-hop-limit")),
	ATTRIBUTE(instance, "httpEndpoint", metadata_enabled, .words = enabled_words,
		  METADATA("http-endpoint")),
	ATTRIBUTE(instance, "httpProtocolIpv6", metadata_ipv6, .words = enabled_words,
		  METADATA("http-protocol-ipv6")),
	ATTRIBUTE(instance, "instanceMetadataTags", metadata_tags, .words = enabled_words,
		  METADATA("instance-metadata-tags")),
	ATTRIBUTE(instance, "", metadata_enabled, .flags = ATTRIBUTE_HIDDEN, .words = enabled_words,
		  METADATA("http-protocol-ipv4")),
};
const struct attributes ec2_metadata_members = ATTRIBUTES(metadata_rows);
static const struct attribute hibernation_rows[] = {
	ATTRIBUTE_CONST("configured", "false", .filter = "hibernation-options.configured"),
};
static const struct attributes hibernation_members = ATTRIBUTES(hibernation_rows);
static const struct attribute enclave_rows[] = {
	ATTRIBUTE_CONST("enabled", "false", .filter = "enclave-options.enabled"),
};
static const struct attributes enclave_members = ATTRIBUTES(enclave_rows);
#define NAME_OPTION(name) .filter = "private-dns-name-options." name
static const struct attribute name_option_rows[] = {
	ATTRIBUTE(instance, "hostnameType", named_by_id, .words = name_words, NAME_OPTION("hostname-type")),
	ATTRIBUTE(instance, "enableResourceNameDnsARecord", id_name_has_a,
		  NAME_OPTION("enable-resource-name-dns-a-record")),
	ATTRIBUTE(instance, "enableResourceNameDnsAAAARecord", id_name_has_aaaa,
		  NAME_OPTION("enable-resource-name-dns-aaaa-record")),
};
static const struct attributes name_option_members = ATTRIBUTES(name_option_rows);
static const struct attribute maintenance_rows[] = {
	ATTRIBUTE_AS(ENUM, instance, "autoRecovery", recovery, .words = instance_recovery_words,
		     .filter = "maintenance-options.auto-recovery"),
};
static const struct attributes maintenance_members = ATTRIBUTES(maintenance_rows);

/* ---- instances ---- */

#define OBJECT(name, table) ATTRIBUTE_WITHIN(name, table, .flags = ATTRIBUTE_FILTERS_WITHIN)
static const struct attribute instance_rows[] = {
	ATTRIBUTE_OWN_ID(instance, "instanceId", KIND_INSTANCE, .filter = "instance-id"),
	ATTRIBUTE_REF(instance, "imageId", image, KIND_IMAGE, .filter = "image-id",
		      .index = INSTANCE_INDEX_IMAGE),
	OBJECT("instanceState", ec2_instance_state_members),
	ATTRIBUTE_INLINE(ec2_primary_interface_members, find_primary, .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_INLINE(no_primary_members, find_without_primary),
	ATTRIBUTE_MADE(TEXT, text, "reason", get_transition, .filter = "reason"),
	ATTRIBUTE_WITHIN_OF("stateReason", reason_members, find_reason, .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(instance, "keyName", key_name, .flags = ATTRIBUTE_OMIT_NONE, .filter = "key-name"),
	ATTRIBUTE(instance, "amiLaunchIndex", launch_index, .filter = "launch-index"),
	ATTRIBUTE(instance, "clientToken", client_token, .flags = ATTRIBUTE_OMIT_NONE,
		  .filter = "client-token"),
	EC2_EMPTY_SET("productCodes"),
	ATTRIBUTE_OF(instance, type, KIND_INSTANCE_TYPE, instance_type, "instanceType", name,
		     .filter = "instance-type", ATTRIBUTE_PATHS({KIND_INSTANCE, INSTANCE_INDEX_TYPE})),
	ATTRIBUTE_AS(TIME, instance, "launchTime", launched_us, .filter = "launch-time"),
	OBJECT("placement", placement_members),
	OBJECT("monitoring", monitoring_members),
	ATTRIBUTE_AS(ENUM, instance_type, "architecture", arch,
		     .via = JOIN_ONE(KIND_INSTANCE_TYPE, instance, type), .words = instance_type_arch_words,
		     .none = "x86_64", .filter = "architecture"),
	ATTRIBUTE_CONST("rootDeviceType", "ebs", .filter = "root-device-type"),
	ATTRIBUTE(instance, "rootDeviceName", root_device, .filter = "root-device-name"),
	DEVICES,
	ATTRIBUTE_CONST("virtualizationType", "hvm", .filter = "virtualization-type"),
	ATTRIBUTE(instance, "tagSet", tags, .flags = ATTRIBUTE_OMIT_NONE_IN_READS),
	ATTRIBUTE_CONST("hypervisor", "xen", .filter = "hypervisor"),
	ATTRIBUTE_MADE(WORD, word, "instanceLifecycle", get_lifecycle, .filter = "instance-lifecycle"),
	ATTRIBUTE_REF(instance, "spotInstanceRequestId", spot_request, KIND_SPOT_REQUEST,
		      .filter = "spot-instance-request-id", .index = INSTANCE_INDEX_SPOT_REQUEST),
	ATTRIBUTE_ROWS("networkInterfaceSet", ec2_instance_interface_members, list_interfaces,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(instance, "ebsOptimized", ebs_optimized, .filter = "ebs-optimized"),
	ATTRIBUTE_CONST("enaSupport", "true", .filter = "ena-support"),
	ATTRIBUTE_WITHIN_OF("iamInstanceProfile", ec2_profile_members, find_profile,
			    .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_AS(ENUM, instance, "platform", platform, .words = platform_words, .filter = "platform"),
	ATTRIBUTE_AS(ENUM, instance, "bootMode", boot_mode, .words = boot_words, .filter = "boot-mode"),
	ATTRIBUTE(instance, "tpmSupport", tpm, .words = version_words, .filter = "tpm-support"),
	ATTRIBUTE_MADE(TEXT, text, "platformDetails", get_platform, .filter = "platform-details"),
	ATTRIBUTE_MADE(TEXT, text, "usageOperation", get_operation, .filter = "usage-operation"),
	ATTRIBUTE_MADE(TIME, number, "usageOperationUpdateTime", get_converted,
		       .filter = "usage-operation-update-time"),
	ATTRIBUTE_WITHIN("cpuOptions", cpu_members),
	ATTRIBUTE_REF(instance, "capacityReservationId", capacity_reservation, KIND_CAPACITY_RESERVATION,
		      .filter = "capacity-reservation-id", .index = INSTANCE_INDEX_CAPACITY_RESERVATION),
	OBJECT("capacityReservationSpecification", capacity_members),
	OBJECT("metadataOptions", ec2_metadata_members),
	OBJECT("hibernationOptions", hibernation_members),
	OBJECT("enclaveOptions", enclave_members),
	OBJECT("privateDnsNameOptions", name_option_members),
	OBJECT("maintenanceOptions", maintenance_members),
	/* Filters alone: the VPC of a terminated instance, too, and whatever any of the interfaces has. */
	ATTRIBUTE_REF(instance, "", router, KIND_ROUTER, .flags = ATTRIBUTE_HIDDEN, .filter = "vpc-id",
		      .index = INSTANCE_INDEX_ROUTER),
	ATTRIBUTE_REF(instance, "", subnet, KIND_SUBNET, .flags = ATTRIBUTE_HIDDEN, .filter = "subnet-id",
		      .index = INSTANCE_INDEX_SUBNET),
	ATTRIBUTE_ROWS("", ec2_any_interface_members, list_interfaces,
		       .flags = ATTRIBUTE_HIDDEN | ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE_PREFIXED(instance, "", reservation, "r", .flags = ATTRIBUTE_HIDDEN,
			   .filter = "reservation-id",
			   ATTRIBUTE_PATHS({KIND_INSTANCE, INSTANCE_INDEX_RESERVATION, "r"})),
	EC2_OWNER("", .flags = ATTRIBUTE_HIDDEN, .filter = "owner-id"),
	ATTRIBUTE_OF(instance, zone, KIND_ZONE, zone, "", short_id, .flags = ATTRIBUTE_HIDDEN,
		     .filter = "availability-zone-id"),
	ATTRIBUTE_AS(ENUM, instance, "", boot_mode, .flags = ATTRIBUTE_HIDDEN, .words = firmware_words,
		     .filter = "current-instance-boot-mode"),
	ATTRIBUTE_CONST("", "false", .flags = ATTRIBUTE_HIDDEN, .filter = "operator.managed"),
	ATTRIBUTE_NOTHING("kernel-id"),
	ATTRIBUTE_NOTHING("outpost-arn"),
	ATTRIBUTE_NOTHING("product-code"),
	ATTRIBUTE_NOTHING("product-code.type"),
	ATTRIBUTE_NOTHING("ramdisk-id"),
	ATTRIBUTE_NOTHING("requester-id"),
	ATTRIBUTE_NOTHING("operator.principal"),
	ATTRIBUTE_NOTHING("capacity-reservation-specification.capacity-reservation-target.capacity-"
			  "reservation-resource-group-arn"),
	ATTRIBUTE_NOTHING("network-interface.addresses.association.carrier-ip"),
	ATTRIBUTE_NOTHING("network-interface.addresses.association.customer-owned-ip"),
	ATTRIBUTE_NOTHING("network-interface.association.carrier-ip"),
	ATTRIBUTE_NOTHING("network-interface.association.customer-owned-ip"),
	ATTRIBUTE_NOTHING("network-interface.deny-all-igw-traffic"),
	ATTRIBUTE_NOTHING("network-interface.operator.principal"),
	ATTRIBUTE_NOTHING("network-interface.outpost-arn"),
	ATTRIBUTE_NOTHING("network-performance-options.bandwidth-weighting"),
};
static const struct attributes instance_members = ATTRIBUTES(instance_rows);

bool ec2_has_state_code(const struct filter_run *f, unsigned state)
{
	return filter_int(f, state_codes[state]);
}

static bool fits_group(const struct filter_run *f, const struct row *row)
{
	for (const struct port *p = port_first_by_instance(f->t, row->id); p;
	     p = port_next_by_instance(f->t, p))
		for (size_t k = 0; row_is_live(&p->row) && k < p->groups.count; k++)
			if (filter_id(f, KIND_SECURITY_GROUP, p->groups.at[k]))
				return true;
	return false;
}

/* The groups of interfaces have an index of their own kind. */
static const struct filter_join interfaces = {KIND_PORT, &ec2_interface_filters,
					      JOIN_ONE(KIND_INSTANCE, port, instance)};
#define BY_GROUP .get = fits_group, .joined = &interfaces, .joined_filter = "group-id"
static const struct filter instance_filters[] = {
	{"instance-state-code", .in_state = ec2_has_state_code},
	{"group-id", BY_GROUP},
	{"instance.group-id", BY_GROUP},
	{"network-interface.group-id", BY_GROUP},
};

/* Ports, addresses and volumes count as parts of the instance. */
static const enum kind instance_shared[] = {
	KIND_ZONE,         KIND_INSTANCE_TYPE,  KIND_ROUTER, KIND_SECURITY_GROUP,
	KIND_SERVER_GROUP, KIND_DEDICATED_HOST, KIND_NONE};

const struct ec2_listing ec2_instance_listing = {.kind = KIND_INSTANCE,
						 .set = "instancesSet",
						 .filters = FILTERS_AND(instance_filters, instance_members),
						 .attributes = &instance_members,
						 .shared = instance_shared};

/* ---- describe ---- */

struct ec2_describe_instances {
	struct ec2_query query;
};
static const struct param describe_instances_params[] = {
	QUERY_IDS(struct ec2_describe_instances, "InstanceId", KIND_INSTANCE, "Instances by id."),
	NO_MANAGED_RESOURCES,
	QUERY_FILTERS(struct ec2_describe_instances),
	QUERY_PAGES(struct ec2_describe_instances, 5, 1000),
};

/* Sort key of an item. Keys are stored side by side, because thousands of rows do not fit into the
 * processor's cache. */
struct reserved {
	int64_t created_us; /* equal for all instances of a reservation, which one change creates */
	uuid reservation;
	int64_t launch_index;
	const void *item;
};

static int compare_reserved(const void *a, const void *b)
{
	const struct reserved *x = a, *y = b;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	int order = uuid_compare(x->reservation, y->reservation);
	return order ? order : (x->launch_index > y->launch_index) - (x->launch_index < y->launch_index);
}

/* Sorts by the creation of reservations; NULL: out of memory. */
static const struct reserved *order_items(struct ec2_call *e, const void **items, size_t count)
{
	struct reserved *all = arena_new_array(e->c->arena, struct reserved, count);
	for (size_t k = 0; all && k < count; k++) {
		const struct instance *i = instance_of(*(const struct row *const *) items[k]);
		all[k] = (struct reserved){i->row.created_us, i->reservation, i->launch_index, items[k]};
	}
	if (all && count)
		qsort(all, count, sizeof *all, compare_reserved);
	for (size_t k = 0; all && k < count; k++)
		items[k] = all[k].item;
	return all;
}

static void write_reservation(struct ec2_call *e, struct xml *x, uuid reservation, const void *const *items,
			      size_t count)
{
	xml_open(x, "item");
	ec2_write_prefixed(x, "reservationId", "r", reservation);
	xml_text(x, "ownerId", e->owner);
	xml_empty(x, "groupSet");
	ec2_write_items(e, &ec2_instance_listing, items, count, x);
	xml_close(x, "item");
}

static RESULT ec2_describe_instances(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_instances *a = args;
	struct ec2_page page;
	const void **items = 0;
	TRY(ec2_select(e, &ec2_instance_listing, &a->query, &page));
	TRY(ec2_gather(e, &ec2_instance_listing, page.rows, page.count, &items));
	const struct reserved *all = order_items(e, items, page.count);
	if (!all)
		return ctx_no_memory(e->c);
	xml_open(x, "reservationSet");
	for (size_t from = 0, to; from < page.count; from = to) {
		for (to = from + 1; to < page.count; to++)
			if (!uuid_equal(all[from].reservation, all[to].reservation))
				break;
		write_reservation(e, x, all[from].reservation, items + from, to - from);
	}
	xml_close(x, "reservationSet");
	xml_text_opt(x, "nextToken", page.next_token);
	return OK;
}

/* ---- power ---- */

#define P(wire, member, ...) PARAM(struct instances_wish, wire, member, __VA_ARGS__)
#define INSTANCES                                                                                            \
	P("InstanceId", instances, .flags = REQUIRED, .kind = KIND_INSTANCE,                                 \
	  .doc = "Instances to change. Fails if one of them cannot be changed.")
static const struct param start_params[] = {INSTANCES, NOT_BUILT("AdditionalInfo")};
static const struct param stop_params[] = {
	INSTANCES,
	P("Force", force, .doc = "Stops the instance without asking its guest."),
	NOT_BUILT("Hibernate|SkipOsShutdown", .only = "false"),
};
static const struct param reboot_params[] = {INSTANCES};
static const struct param terminate_params[] = {
	INSTANCES,
	NOT_BUILT("Force|SkipOsShutdown", .only = "false"),
};
#undef P

static RESULT ec2_write_changes(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct instances_wish *wish = args;
	(void) e;
	xml_open(x, "instancesSet");
	for (size_t k = 0; k < wish->change_count; k++) {
		const struct instance_change *change = &wish->changes[k];
		xml_open(x, "item");
		ec2_write_id(x, "instanceId", KIND_INSTANCE, change->id);
		ec2_write_state(x, "currentState", change->after);
		ec2_write_state(x, "previousState", change->before);
		xml_close(x, "item");
	}
	xml_close(x, "instancesSet");
	return OK;
}

#define POWER(word, rows, run, write, words)                                                                 \
	{                                                                                                    \
		EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct instances_wish, rows),          \
				  .operation = run, .answer = (write), .doc = words                          \
	}
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstances"),
	 .args = PARAMS(struct ec2_describe_instances, describe_instances_params),
	 .answer = ec2_describe_instances, .items = &ec2_instance_listing,
	 .doc = "Lists the account's instances by reservation. Terminated ones stay listed for an hour."},
	POWER("StartInstances", start_params, engine_start_instances_run, ec2_write_changes,
	      "Starts stopped instances."),
	POWER("StopInstances", stop_params, engine_stop_instances_run, ec2_write_changes,
	      "Stops instances. Their volumes stay."),
	POWER("RebootInstances", reboot_params, engine_reboot_instances_run, 0, "Reboots instances."),
	POWER("TerminateInstances", terminate_params, engine_terminate_instances_run, ec2_write_changes,
	      "Terminates instances, with the volumes that are deleted with them."),
};
const struct api_actions ec2_instance_actions = API_ACTIONS(actions);
