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

static const char *state_name(enum instance_state state)
{
	return model_instance_states[state].ec2;
}

void ec2_write_state(struct xml *x, const char *name, enum instance_state state)
{
	xml_open(x, name);
	xml_int(x, "code", state_codes[state]);
	xml_z(x, "name", state_name(state));
	xml_close(x, name);
}

/* ---- gathering ---- */

static bool add_port(struct ec2_call *e, struct ec2_instance_item *item, const struct port *p)
{
	struct ec2_port_item port;
	return ec2_gather_port(e, p, &port) && VEC_PUSH(e->c->arena, &item->ports, port);
}

/* Collects the attached interfaces, then those that are being detached. */
static bool gather_ports(struct ec2_call *e, struct ec2_instance_item *item)
{
	const struct tables *t = ec2_tables(e);
	uuid id = item->instance->row.id;
	for (const struct port *p = port_first_by_instance(t, id); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && !add_port(e, item, p))
			return false;
	for (const struct port *p = port_first_by_seen_instance(t, id); p;
	     p = port_next_by_seen_instance(t, p))
		if (model_derive_port_state(p) == PORT_DETACHING && !add_port(e, item, p))
			return false;
	return true;
}

/* Collects the attached volumes, then those that are being detached. */
static bool gather_volumes(struct ec2_call *e, struct ec2_instance_item *item)
{
	uuid instance = item->instance->row.id;
	return result_is_ok(engine_list_disks(e->c->arena, ec2_tables(e), instance, true, &item->volumes));
}

/* Finds the dedicated host that the instance is on, or is to be on. */
static uuid dedicated_of(const struct tables *t, const struct instance *instance)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(t, instance->host);
	return dedicated ? dedicated->row.id : instance->dedicated_host;
}

enum instance_tenancy ec2_read_tenancy(struct str word)
{
	return str_is(word, "host")        ? INSTANCE_TENANCY_HOST
	       : str_is(word, "dedicated") ? INSTANCE_TENANCY_DEDICATED
					   : INSTANCE_TENANCY_DEFAULT;
}

static const void *gather_instance(struct ec2_call *e, const struct row *row)
{
	struct ec2_instance_item *item = arena_new_object(e->c->arena, struct ec2_instance_item);
	if (!item)
		return 0;
	item->item = ec2_item_of(e, KIND_INSTANCE, row);
	item->instance = instance_of(row);
	item->type = instance_type_find(ec2_tables(e), item->instance->type);
	item->zone = zone_find(ec2_tables(e), item->instance->zone);
	item->group = server_group_find(ec2_tables(e), item->instance->server_group);
	item->dedicated_host = dedicated_of(ec2_tables(e), item->instance);
	item->profile = ec2_gather_profile(e, engine_find_profile_of(ec2_tables(e), row->id));
	item->state = model_derive_instance_state(item->instance);
	return gather_ports(e, item) && gather_volumes(e, item) ? item : 0;
}

/* ---- writing ---- */

static void write_interfaces(struct ec2_call *e, struct xml *x, const struct ec2_instance_item *i)
{
	xml_open(x, "networkInterfaceSet");
	for (size_t k = 0; k < i->ports.count; k++) {
		xml_open(x, "item");
		ec2_write_port_common(e, x, &i->ports.at[k], false);
		ec2_write_attachment(e, x, i->ports.at[k].port, false);
		xml_close(x, "item");
	}
	xml_close(x, "networkInterfaceSet");
}

void ec2_write_block_devices(struct xml *x, const struct ec2_instance_item *i)
{
	xml_open(x, "blockDeviceMapping");
	for (size_t k = 0; k < i->volumes.count; k++) {
		const struct volume *v = i->volumes.at[k];
		xml_open(x, "item");
		xml_text(x, "deviceName", v->device);
		xml_open(x, "ebs");
		ec2_write_id(x, "volumeId", KIND_VOLUME, v->row.id);
		xml_z(x, "status", ec2_volume_attachment(v));
		xml_time_ms(x, "attachTime", v->attached_us);
		xml_bool(x, "deleteOnTermination", v->delete_on_termination);
		xml_close(x, "ebs");
		xml_close(x, "item");
	}
	xml_close(x, "blockDeviceMapping");
}

static const char *on_or_off(bool on, const char *yes, const char *no)
{
	return on ? yes : no;
}

void ec2_write_metadata_options(const struct ec2_call *e, struct xml *x, const char *name,
				const struct instance *i)
{
	xml_open(x, name);
	xml_z(x, "state", on_or_off(ec2_is_change(e), "pending", "applied"));
	xml_z(x, "httpTokens", on_or_off(i->metadata_tokens_required, "required", "optional"));
	xml_int(x, "httpPutResponseHopLimit", i->metadata_hop_limit);
	xml_z(x, "httpEndpoint", on_or_off(i->metadata_enabled, "enabled", "disabled"));
	xml_z(x, "httpProtocolIpv6", on_or_off(i->metadata_ipv6, "enabled", "disabled"));
	xml_z(x, "instanceMetadataTags", on_or_off(i->metadata_tags, "enabled", "disabled"));
	xml_close(x, name);
}

static const char *hostname_type(const struct instance *i)
{
	return on_or_off(i->named_by_id, "resource-name", "ip-name");
}

/* EC2 shows a preference or a target, unless both were sent. */
static const char *capacity_preference(const struct instance *i)
{
	bool is_shown = uuid_is_none(i->capacity_target) ||
			i->capacity_preference == INSTANCE_CAPACITY_PREFERENCE_CAPACITY_RESERVATIONS_ONLY;
	return is_shown ? instance_capacity_preference_words[i->capacity_preference] : NULL;
}

static void write_capacity(struct xml *x, const struct instance *i)
{
	ec2_write_id(x, "capacityReservationId", KIND_CAPACITY_RESERVATION, i->capacity_reservation);
	xml_open(x, "capacityReservationSpecification");
	if (capacity_preference(i))
		xml_z(x, "capacityReservationPreference", capacity_preference(i));
	if (!uuid_is_none(i->capacity_target)) {
		xml_open(x, "capacityReservationTarget");
		ec2_write_id(x, "capacityReservationId", KIND_CAPACITY_RESERVATION, i->capacity_target);
		xml_close(x, "capacityReservationTarget");
	}
	xml_close(x, "capacityReservationSpecification");
}

static void write_options(const struct ec2_call *e, struct xml *x, const struct ec2_instance_item *item)
{
	const struct instance *i = item->instance;
	xml_open(x, "cpuOptions");
	xml_int(x, "coreCount", i->vcpus);
	xml_int(x, "threadsPerCore", 1);
	xml_close(x, "cpuOptions");
	write_capacity(x, i);
	ec2_write_metadata_options(e, x, "metadataOptions", i);
	xml_open(x, "hibernationOptions");
	xml_bool(x, "configured", false);
	xml_close(x, "hibernationOptions");
	xml_open(x, "enclaveOptions");
	xml_bool(x, "enabled", false);
	xml_close(x, "enclaveOptions");
	xml_open(x, "privateDnsNameOptions");
	xml_z(x, "hostnameType", hostname_type(i));
	xml_bool(x, "enableResourceNameDnsARecord", i->id_name_has_a);
	xml_bool(x, "enableResourceNameDnsAAAARecord", i->id_name_has_aaaa);
	xml_close(x, "privateDnsNameOptions");
	xml_open(x, "maintenanceOptions");
	xml_z(x, "autoRecovery", instance_recovery_words[i->recovery]);
	xml_close(x, "maintenanceOptions");
}

static bool is_ending(enum instance_state state)
{
	return state == INSTANCE_STOPPING || state == INSTANCE_STOPPED || state == INSTANCE_SUSPENDING ||
	       state == INSTANCE_SUSPENDED || state == INSTANCE_SHELVED ||
	       state == INSTANCE_SHELVED_OFFLOADED || state == INSTANCE_DESTROYED ||
	       state == INSTANCE_SHUTTING_DOWN || state == INSTANCE_TERMINATED;
}

enum { TRANSITION_TEXT_SIZE = sizeof "User initiated (2026-01-31 12:00:00 GMT)" };

struct instance_reason {
	struct str code, text;
};

/* EC2's stateTransitionReason of an instance that is not to run; for a stop by a user, it includes the
 * time. */
static struct str write_transition(const struct instance *i, char out[static TRANSITION_TEXT_SIZE])
{
	char asked[CLOCK_TEXT_SIZE];
	if (!str_is(i->reason_code, "Client.UserInitiatedShutdown"))
		return i->reason_text;
	clock_write_s(i->off_since_us, asked); /* as in "2026-01-31T12:00:00Z" */
	int n = snprintf(out, TRANSITION_TEXT_SIZE, "User initiated (%.10s %.8s GMT)", asked, asked + 11);
	return (struct str){out, (size_t) n};
}

static bool tells_reason(const struct instance *i, enum instance_state state)
{
	return is_ending(state) && i->reason_code.n;
}

/* Finds the reason; running instances have none. */
static struct instance_reason reason_of(const struct instance *i, enum instance_state state)
{
	if (state == INSTANCE_PENDING)
		return (struct instance_reason){STR("pending"), STR("pending")};
	return tells_reason(i, state) ? (struct instance_reason){i->reason_code, i->reason_text}
				      : (struct instance_reason){0};
}

static void write_reason(struct xml *x, const struct ec2_instance_item *i)
{
	char text[TRANSITION_TEXT_SIZE];
	bool is_told = tells_reason(i->instance, i->state);
	xml_text(x, "reason", is_told ? write_transition(i->instance, text) : STR_NONE);
	struct instance_reason reason = reason_of(i->instance, i->state);
	if (!reason.code.n)
		return;
	xml_open(x, "stateReason");
	xml_text(x, "code", reason.code);
	xml_text(x, "message", reason.text);
	xml_close(x, "stateReason");
}

static void write_placement(struct xml *x, const struct ec2_instance_item *i)
{
	xml_open(x, "placement");
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	xml_text(x, "groupName", i->group ? i->group->name : STR_NONE);
	if (i->group)
		ec2_write_id(x, "groupId", KIND_SERVER_GROUP, i->group->row.id);
	if (i->instance->partition)
		xml_int(x, "partitionNumber", i->instance->partition);
	ec2_write_id(x, "hostId", KIND_DEDICATED_HOST, i->dedicated_host);
	if (i->instance->tenancy == INSTANCE_TENANCY_HOST)
		xml_z(x, "affinity", i->instance->host_affinity ? "host" : "default");
	xml_z(x, "tenancy", instance_tenancy_words[i->instance->tenancy]);
	xml_close(x, "placement");
}

/* Writes the primary interface's values that are shown at the instance itself. A terminated instance has
 * no interface. */
static void write_primary(struct ec2_call *e, struct xml *x, const struct ec2_instance_item *i)
{
	const struct ec2_port_item *primary = i->ports.count ? &i->ports.at[0] : 0;
	if (!primary) {
		xml_z(x, "privateDnsName", "");
		xml_z(x, "dnsName", "");
		xml_empty(x, "groupSet");
		return;
	}
	ec2_write_port_name(e, x, "privateDnsName", primary->port);
	ec2_write_public_name(e, x, "dnsName", primary->router, primary->ips.at[0].address);
	ec2_write_ip(x, "privateIpAddress", primary->ips.at[0].ip);
	if (primary->ipv6s.count)
		ec2_write_ip(x, "ipv6Address", primary->ipv6s.at[0]);
	if (primary->ips.at[0].address)
		ec2_write_ip(x, "ipAddress", primary->ips.at[0].address->ip);
	ec2_write_id(x, "subnetId", KIND_SUBNET, primary->port->subnet);
	ec2_write_id(x, "vpcId", KIND_ROUTER, primary->port->router);
	xml_bool(x, "sourceDestCheck", primary->port->source_dest_check);
	ec2_write_groups(x, primary->groups, primary->port->groups.count);
}

static const char *boot_mode(const struct instance *i)
{
	return i->boot_mode == INSTANCE_BOOT_MODE_UNSAID ? "legacy-bios"
							 : instance_boot_mode_words[i->boot_mode];
}

static void write_instance(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct ec2_instance_item *i = item;
	const struct instance *row = i->instance;
	ec2_write_id(x, "instanceId", KIND_INSTANCE, row->row.id);
	ec2_write_id(x, "imageId", KIND_IMAGE, row->image);
	ec2_write_state(x, "instanceState", i->state);
	write_primary(e, x, i);
	write_reason(x, i);
	xml_text_opt(x, "keyName", row->key_name);
	xml_int(x, "amiLaunchIndex", row->launch_index);
	xml_text_opt(x, "clientToken", row->client_token);
	xml_empty(x, "productCodes");
	if (i->type)
		xml_text(x, "instanceType", i->type->name);
	xml_time_ms(x, "launchTime", row->launched_us);
	write_placement(x, i);
	xml_open(x, "monitoring");
	xml_z(x, "state", on_or_off(row->monitoring, ec2_is_change(e) ? "pending" : "enabled", "disabled"));
	xml_close(x, "monitoring");
	xml_z(x, "architecture", i->type ? instance_type_arch_words[i->type->arch] : "x86_64");
	xml_z(x, "rootDeviceType", "ebs");
	xml_text(x, "rootDeviceName", row->root_device);
	ec2_write_block_devices(x, i);
	xml_z(x, "virtualizationType", "hvm");
	ec2_write_tags_of_made(e, x, row->tags);
	xml_z(x, "hypervisor", "xen");
	if (!uuid_is_none(row->spot_request)) {
		xml_z(x, "instanceLifecycle", "spot");
		ec2_write_id(x, "spotInstanceRequestId", KIND_SPOT_REQUEST, row->spot_request);
	}
	write_interfaces(e, x, i);
	xml_bool(x, "ebsOptimized", row->ebs_optimized);
	xml_bool(x, "enaSupport", true);
	ec2_write_profile(x, &i->profile);
	bool is_windows = row->platform == INSTANCE_PLATFORM_WINDOWS;
	if (is_windows)
		xml_z(x, "platform", "windows");
	xml_z(x, "bootMode", boot_mode(row));
	if (row->tpm)
		xml_z(x, "tpmSupport", "v2.0");
	char words[LICENCE_EC2_SIZE];
	xml_z(x, "platformDetails", licence_ec2_platform(row->licences, is_windows, words));
	xml_z(x, "usageOperation", licence_ec2_operation(row->licences, is_windows, words));
	xml_time_ms(x, "usageOperationUpdateTime",
		    row->converted_us ? row->converted_us : row->row.created_us);
	write_options(e, x, i);
}

/* ---- filters ---- */

/* Compares through one of the instance's interfaces. */
static const struct filter_join interfaces = {KIND_PORT, &ec2_interface_filters,
					      JOIN_ONE(KIND_INSTANCE, port, instance)};
static const struct filter_join further_of_interfaces = {KIND_PORT, &ec2_further_interface_filters,
							 JOIN_ONE(KIND_INSTANCE, port, instance)};

static bool fits_interface(const struct filter_run *f, const struct row *row)
{
	for (const struct port *p = port_first_by_instance(f->t, row->id); p;
	     p = port_next_by_instance(f->t, p))
		if (row_is_live(&p->row) && filter_through(f, KIND_PORT, f->filter->joined->filters,
							   f->filter->joined_filter, &p->row))
			return true;
	return false;
}

static const struct port *primary_port(const struct filter_run *f, const struct row *row)
{
	const struct port *p = port_first_by_instance(f->t, row->id);
	while (p && !row_is_live(&p->row))
		p = port_next_by_instance(f->t, p);
	return p;
}

static bool fits_dns_name(const struct filter_run *f, const struct row *row)
{
	const struct port *p = primary_port(f, row);
	const struct address *a = p ? engine_find_address_for(f->t, p->row.id, p->ip) : 0;
	char text[EC2_NAME_TEXT_SIZE];
	bool has_name = a && engine_has_hostnames(router_find(f->t, p->router));
	return filter_text(f, (struct str){text, has_name ? ec2_public_name(f->e, a->ip, text) : 0});
}

static bool fits_public_ip(const struct filter_run *f, const struct row *row)
{
	const struct port *p = primary_port(f, row);
	const struct address *a = p ? engine_find_address_for(f->t, p->row.id, p->ip) : 0;
	return a && filter_ip(f, a->ip);
}

static bool fits_device(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	struct volume_list volumes = {0};
	IGNORE(engine_list_disks(f->e->c->arena, f->t, row->id, true, &volumes)); /* on failure the answer
	                                                                           * fails later */
	for (size_t k = 0; k < volumes.count; k++) {
		const struct volume *v = volumes.at[k];
		bool fits = str_ends_with(name, STR("volume-id"))     ? filter_id(f, KIND_VOLUME, v->row.id)
			    : str_ends_with(name, STR("device-name")) ? filter_text(f, v->device)
			    : str_ends_with(name, STR("status"))      ? filter_z(f, ec2_volume_attachment(v))
			    : str_ends_with(name, STR("attach-time"))
				    ? filter_time(f, v->attached_us)
				    : filter_bool(f, v->delete_on_termination);
		if (fits)
			return true;
	}
	return false;
}

bool ec2_has_state_name(const struct filter_run *f, unsigned state)
{
	return filter_z(f, state_name(state));
}

bool ec2_has_state_code(const struct filter_run *f, unsigned state)
{
	return filter_int(f, state_codes[state]);
}

static bool fits_architecture(const struct filter_run *f, const struct row *row)
{
	const struct instance_type *type = instance_type_find(f->t, instance_of(row)->type);
	return type && filter_z(f, instance_type_arch_words[type->arch]);
}

static bool fits_reservation(const struct filter_run *f, const struct row *row)
{
	return filter_prefixed(f, "r", instance_of(row)->reservation);
}

static bool fits_launch_time(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, instance_of(row)->launched_us);
}

static bool fits_option(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	struct str name = str_from(f->filter->name);
	if (str_is(name, "monitoring-state"))
		return filter_z(f, on_or_off(i->monitoring, "enabled", "disabled"));
	if (str_ends_with(name, STR("http-tokens")))
		return filter_z(f, on_or_off(i->metadata_tokens_required, "required", "optional"));
	if (str_ends_with(name, STR("ipv6")))
		return filter_z(f, on_or_off(i->metadata_ipv6, "enabled", "disabled"));
	if (str_ends_with(name, STR("tags")))
		return filter_z(f, on_or_off(i->metadata_tags, "enabled", "disabled"));
	return filter_z(f, on_or_off(i->metadata_enabled, "enabled", "disabled"));
}

static bool fits_reason(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	char text[TRANSITION_TEXT_SIZE];
	return tells_reason(i, model_derive_instance_state(i)) && filter_text(f, write_transition(i, text));
}

static bool fits_state_reason(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	struct instance_reason reason = reason_of(i, model_derive_instance_state(i));
	bool is_code = str_is(str_from(f->filter->name), "state-reason-code");
	return reason.code.n && filter_text(f, is_code ? reason.code : reason.text);
}

/* Filter name of instances, and the name that interfaces have for it. */
#define BY_INTERFACE(name, name_there)                                                                       \
	{                                                                                                    \
		(name), .get = fits_interface, .joined = &interfaces, .joined_filter = (name_there)          \
	}
#define INTERFACE(name) BY_INTERFACE("network-interface." name, name)
#define ATTACHED(row_kind, type, member)                                                                     \
	{                                                                                                    \
		(row_kind), .joins = { JOIN_ONE(KIND_INSTANCE, type, member) }                               \
	}
#define FURTHER(member)                                                                                      \
	{                                                                                                    \
		KIND_VOLUME_ATTACHMENT, VOLUME_ATTACHMENT_INDEX_VOLUME, .joins = {                           \
			JOIN_ONE(KIND_INSTANCE, volume_attachment, member)                                   \
		}                                                                                            \
	}
/* EC2 has a name for the platform Windows only. */
static bool fits_platform(const struct filter_run *f, const struct row *row)
{
	return instance_of(row)->platform == INSTANCE_PLATFORM_WINDOWS && filter_z(f, "windows");
}

static bool fits_platform_details(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	bool is_windows = i->platform == INSTANCE_PLATFORM_WINDOWS;
	char words[LICENCE_EC2_SIZE];
	return filter_z(f, licence_ec2_platform(i->licences, is_windows, words));
}

static bool fits_usage_operation(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	bool is_windows = i->platform == INSTANCE_PLATFORM_WINDOWS;
	char words[LICENCE_EC2_SIZE];
	return filter_z(f, licence_ec2_operation(i->licences, is_windows, words));
}

static bool fits_converted(const struct filter_run *f, const struct row *row)
{
	return filter_time(f,
			   instance_of(row)->converted_us ? instance_of(row)->converted_us : row->created_us);
}

static bool fits_group_name(const struct filter_run *f, const struct row *row)
{
	const struct server_group *group = server_group_find(f->t, instance_of(row)->server_group);
	return group && filter_text(f, group->name);
}

static bool fits_tenancy(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, instance_tenancy_words[instance_of(row)->tenancy]);
}

static bool fits_affinity(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	return i->tenancy == INSTANCE_TENANCY_HOST && filter_z(f, i->host_affinity ? "host" : "default");
}

static bool fits_dedicated_host(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_DEDICATED_HOST, dedicated_of(f->t, instance_of(row)));
}

static bool fits_partition(const struct filter_run *f, const struct row *row)
{
	int64_t partition = instance_of(row)->partition;
	return partition && filter_int(f, partition);
}

static bool fits_profile(const struct filter_run *f, const struct row *row)
{
	const struct instance_profile *profile = engine_find_profile_of(f->t, row->id);
	bool is_id = str_ends_with(str_from(f->filter->name), STR(".id"));
	const struct ec2_profile_item item =
		profile ? ec2_gather_profile(f->e, profile) : (struct ec2_profile_item){0};
	return profile && filter_text(f, is_id ? item.id : item.arn);
}

static bool fits_zone_id(const struct filter_run *f, const struct row *row)
{
	const struct zone *zone = zone_find(f->t, instance_of(row)->zone);
	return zone && filter_text(f, zone->short_id);
}

static bool fits_firmware(const struct filter_run *f, const struct row *row)
{
	const struct instance *i = instance_of(row);
	bool is_current = str_starts_with(str_from(f->filter->name), STR("current-"));
	return filter_z(f, is_current ? on_or_off(model_is_uefi(i->boot_mode), "uefi", "legacy-bios")
				      : boot_mode(i));
}

static bool fits_hostname_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, hostname_type(instance_of(row)));
}

static bool fits_tpm(const struct filter_run *f, const struct row *row)
{
	return instance_of(row)->tpm && filter_z(f, "v2.0");
}

static bool fits_lifecycle(const struct filter_run *f, const struct row *row)
{
	return !uuid_is_none(instance_of(row)->spot_request) && filter_z(f, "spot");
}

#define FURTHER_OF_INTERFACE(name)                                                                           \
	{                                                                                                    \
		"network-interface." name, .get = fits_interface, .joined = &further_of_interfaces,          \
					   .joined_filter = (name)                                           \
	}
static bool fits_capacity_preference(const struct filter_run *f, const struct row *row)
{
	const char *word = capacity_preference(instance_of(row));
	return word && filter_z(f, word);
}

static const struct filter instance_filters[] = {
	{"instance-id", .is_id = true},
	{"vpc-id", .field = "router", .index = INSTANCE_INDEX_ROUTER},
	{"subnet-id", .field = "subnet", .index = INSTANCE_INDEX_SUBNET},
	{"image-id", .field = "image", .index = INSTANCE_INDEX_IMAGE},
	{"instance-state-name", .in_state = ec2_has_state_name},
	{"instance-state-code", .in_state = ec2_has_state_code},
	{"instance-type", .field = "type", .index = INSTANCE_INDEX_TYPE},
	{"architecture", .get = fits_architecture},
	{"availability-zone", .field = "zone"},
	{"reservation-id", .get = fits_reservation,
	 .access_paths = {{KIND_INSTANCE, INSTANCE_INDEX_RESERVATION, "r"}}},
	{"launch-index", .field = "launch_index"},
	{"launch-time", .get = fits_launch_time},
	{"key-name", .field = "key_name"},
	BY_INTERFACE("private-ip-address", "private-ip-address"),
	BY_INTERFACE("private-dns-name", "private-dns-name"),
	BY_INTERFACE("source-dest-check", "source-dest-check"),
	BY_INTERFACE("group-id", "group-id"),
	BY_INTERFACE("group-name", "group-name"),
	BY_INTERFACE("instance.group-id", "group-id"),
	BY_INTERFACE("instance.group-name", "group-name"),
	{"ip-address", .get = fits_public_ip, .joined = &interfaces,
	 .joined_filter = "association.public-ip"},
	{"owner-id", .get = filter_owner},
	{"monitoring-state", .get = fits_option},
	{"metadata-options.http-tokens", .get = fits_option},
	{"metadata-options.http-endpoint", .get = fits_option},
	{"metadata-options.http-put-response-hop-limit", .field = "metadata_hop_limit"},
	{"reason", .get = fits_reason},
	{"state-reason-code", .get = fits_state_reason},
	{"state-reason-message", .get = fits_state_reason},
	{"block-device-mapping.volume-id", .get = fits_device,
	 .access_paths = {ATTACHED(KIND_VOLUME, volume, instance),
			  ATTACHED(KIND_VOLUME, volume, seen_instance), FURTHER(instance),
			  FURTHER(seen_instance)}},
	{"block-device-mapping.device-name", .get = fits_device},
	{"block-device-mapping.status", .get = fits_device},
	{"block-device-mapping.attach-time", .get = fits_device},
	{"block-device-mapping.delete-on-termination", .get = fits_device},
	INTERFACE("network-interface-id"),
	INTERFACE("subnet-id"),
	INTERFACE("vpc-id"),
	INTERFACE("availability-zone"),
	INTERFACE("description"),
	INTERFACE("group-id"),
	INTERFACE("group-name"),
	INTERFACE("mac-address"),
	INTERFACE("owner-id"),
	INTERFACE("private-dns-name"),
	INTERFACE("requester-managed"),
	INTERFACE("source-dest-check"),
	INTERFACE("status"),
	INTERFACE("addresses.private-ip-address"),
	INTERFACE("addresses.primary"),
	INTERFACE("ipv6-addresses.ipv6-address"),
	BY_INTERFACE("ipv6-address", "ipv6-addresses.ipv6-address"),
	INTERFACE("addresses.association.public-ip"),
	BY_INTERFACE("network-interface.addresses.association.ip-owner-id", "addresses.association.owner-id"),
	INTERFACE("association.public-ip"),
	INTERFACE("association.ip-owner-id"),
	INTERFACE("association.allocation-id"),
	INTERFACE("association.association-id"),
	INTERFACE("attachment.attachment-id"),
	INTERFACE("attachment.attach-time"),
	INTERFACE("attachment.delete-on-termination"),
	INTERFACE("attachment.device-index"),
	INTERFACE("attachment.instance-id"),
	INTERFACE("attachment.instance-owner-id"),
	INTERFACE("attachment.status"),
	{"client-token", .field = "client_token"},
	{"dns-name", .get = fits_dns_name, .joined = &interfaces,
	 .joined_filter = "association.public-dns-name"},
	{"hibernation-options.configured", .fixed = "false"},
	{"hypervisor", .fixed = "xen"},
	{"root-device-name", .field = "root_device"},
	{"root-device-type", .fixed = "ebs"},
	{"tenancy", .get = fits_tenancy},
	{"virtualization-type", .fixed = "hvm"},
	{"affinity", .get = fits_affinity},
	{"capacity-reservation-id", .field = "capacity_reservation",
	 .index = INSTANCE_INDEX_CAPACITY_RESERVATION},
	{"host-id", .get = fits_dedicated_host,
	 .access_paths = {{KIND_DEDICATED_HOST, .joins = {JOIN_ONE(KIND_HOST, dedicated_host, host),
							  JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_HOST)}},
			  {KIND_DEDICATED_HOST,
			   .joins = {JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_DEDICATED_HOST)}}}},
	{"iam-instance-profile.arn", .get = fits_profile},
	{"instance-lifecycle", .get = fits_lifecycle},
	{"kernel-id", .get = filter_nothing},
	{"outpost-arn", .get = filter_nothing},
	{"placement-group-name", .get = fits_group_name,
	 .access_paths = {{KIND_SERVER_GROUP, SERVER_GROUP_INDEX_NAME,
			   .joins = {JOIN_EACH(KIND_INSTANCE, INSTANCE_INDEX_SERVER_GROUP)}}}},
	{"placement-partition-number", .get = fits_partition},
	{"platform", .get = fits_platform},
	{"platform-details", .get = fits_platform_details},
	{"usage-operation", .get = fits_usage_operation},
	{"usage-operation-update-time", .get = fits_converted},
	{"product-code", .get = filter_nothing},
	{"product-code.type", .get = filter_nothing},
	{"ramdisk-id", .get = filter_nothing},
	{"requester-id", .get = filter_nothing},
	INTERFACE("requester-id"),
	{"spot-instance-request-id", .field = "spot_request", .index = INSTANCE_INDEX_SPOT_REQUEST},
	{"availability-zone-id", .get = fits_zone_id},
	{"boot-mode", .get = fits_firmware},
	{"current-instance-boot-mode", .get = fits_firmware},
	{"capacity-reservation-specification.capacity-reservation-preference",
	 .get = fits_capacity_preference},
	{"ebs-optimized", .field = "ebs_optimized"},
	{"ena-support", .fixed = "true"},
	{"enclave-options.enabled", .fixed = "false"},
	{"iam-instance-profile.id", .get = fits_profile},
	{"maintenance-options.auto-recovery", .field = "recovery"},
	{"metadata-options.http-protocol-ipv4", .get = fits_option},
	{"metadata-options.http-protocol-ipv6", .get = fits_option},
	{"metadata-options.instance-metadata-tags", .get = fits_option},
	{"metadata-options.state", .fixed = "applied"},
	{"operator.managed", .fixed = "false"},
	{"private-dns-name-options.enable-resource-name-dns-a-record", .field = "id_name_has_a"},
	{"private-dns-name-options.enable-resource-name-dns-aaaa-record", .field = "id_name_has_aaaa"},
	{"private-dns-name-options.hostname-type", .get = fits_hostname_type},
	{"tpm-support", .get = fits_tpm},
	BY_INTERFACE("network-interface.private-ip-address", "private-ip-address"),
	BY_INTERFACE("network-interface.association.public-dns-name", "association.public-dns-name"),
	INTERFACE("operator.managed"),
	FURTHER_OF_INTERFACE("addresses.association.allocation-id"),
	FURTHER_OF_INTERFACE("addresses.association.association-id"),
	FURTHER_OF_INTERFACE("addresses.association.public-dns-name"),
	FURTHER_OF_INTERFACE("addresses.private-dns-name"),
	FURTHER_OF_INTERFACE("attachment.network-card-index"),
	FURTHER_OF_INTERFACE("ipv4-prefixes.ipv4-prefix"),
	FURTHER_OF_INTERFACE("ipv6-address"),
	FURTHER_OF_INTERFACE("ipv6-addresses.is-primary-ipv6"),
	FURTHER_OF_INTERFACE("ipv6-native"),
	FURTHER_OF_INTERFACE("ipv6-prefixes.ipv6-prefix"),
	FURTHER_OF_INTERFACE("public-dns-name"),
	FURTHER_OF_INTERFACE("tag-key"),
	FURTHER_OF_INTERFACE("tag-value"),
	{"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
	 .field = "capacity_target", .index = INSTANCE_INDEX_CAPACITY_TARGET},
	{"capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-"
	 "arn",
	 .get = filter_nothing},
	{"network-interface.addresses.association.carrier-ip", .get = filter_nothing},
	{"network-interface.addresses.association.customer-owned-ip", .get = filter_nothing},
	{"network-interface.association.carrier-ip", .get = filter_nothing},
	{"network-interface.association.customer-owned-ip", .get = filter_nothing},
	{"network-interface.deny-all-igw-traffic", .get = filter_nothing},
	{"network-interface.operator.principal", .get = filter_nothing},
	{"network-interface.outpost-arn", .get = filter_nothing},
	{"network-performance-options.bandwidth-weighting", .get = filter_nothing},
	{"operator.principal", .get = filter_nothing},
};

/* Ports, addresses and volumes count as parts of the instance. */
static const enum kind instance_shared[] = {
	KIND_ZONE,         KIND_INSTANCE_TYPE,  KIND_ROUTER, KIND_SECURITY_GROUP,
	KIND_SERVER_GROUP, KIND_DEDICATED_HOST, KIND_NONE};

const struct ec2_listing ec2_instance_listing = {.kind = KIND_INSTANCE,
						 .set = "instancesSet",
						 .filters = FILTERS(instance_filters),
						 .gather = gather_instance,
						 .write = write_instance,
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
		const struct instance *i =
			(const struct instance *) ((const struct ec2_item *) items[k])->row;
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
	  .doc = "The instances: all or none.")
static const struct param start_params[] = {INSTANCES, NOT_BUILT("AdditionalInfo")};
static const struct param stop_params[] = {
	INSTANCES,
	P("Force", force, .doc = "Without asking the guest."),
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
	 .answer = ec2_describe_instances, .filters = FILTERS(instance_filters),
	 .doc = "Instances of the account, by reservation; ended ones for an hour."},
	POWER("StartInstances", start_params, engine_start_instances_run, ec2_write_changes,
	      "Starts stopped instances."),
	POWER("StopInstances", stop_params, engine_stop_instances_run, ec2_write_changes,
	      "Stops instances; disks stay."),
	POWER("RebootInstances", reboot_params, engine_reboot_instances_run, 0, "Resets instances."),
	POWER("TerminateInstances", terminate_params, engine_terminate_instances_run, ec2_write_changes,
	      "Ends instances, with the disks that go with them."),
};
const struct api_actions ec2_instance_actions = API_ACTIONS(actions);
