/* SPDX-License-Identifier: Apache-2.0
 * RunInstances: EC2's many ways to say the same become one engine launch.
 * What happens next: engine/instance_launch.c. */
#include "api/ec2/instances.h"
#include "api/ec2/volumes.h"
#include "api/ec2/write.h"
#include "engine/instance.h"
#include "engine/server_group.h"

/* ---- parameters ---- */

struct ec2_launch_interface {
	struct launch_port port;
	struct ec2_private_ips private_ips;
};
#define P(wire, member, ...) PARAM(struct ec2_launch_interface, wire, member, __VA_ARGS__)
static const struct param launch_interface_rows[] = {
	P("DeviceIndex", port.device_index, .flags = REQUIRED, .min = 0, .max = PORT_DEVICE_INDEX_MAX,
	  .field = offsetof(struct ec2_launch_interface, port.field) + 1,
	  .doc = "Its number in the instance; 0 is the primary one."),
	P("NetworkInterfaceId", port.port, .kind = KIND_PORT, .doc = "One that is there, in no instance."),
	P("SubnetId", port.subnet, .kind = KIND_SUBNET,
	  .doc = "Of a new one; absent: the primary one's, and for that a default subnet."),
	P("Description", port.description, .max = 255, .doc = "Free text."),
	P("SecurityGroupId", port.groups, .kind = KIND_SECURITY_GROUP, .doc = "Its groups."),
	P("PrivateIpAddress", port.ips.primary, .doc = "Its address."),
	PARAM_LIST(struct ec2_launch_interface, "PrivateIpAddresses", private_ips, ec2_private_ip_params,
		   .max = PORT_IPS_MAX, .doc = "Its addresses, the primary one and secondary ones."),
	P("SecondaryPrivateIpAddressCount", port.ips.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "As many secondary addresses that are free."),
	P("AssociatePublicIpAddress", port.public_ip,
	  .doc = "Whether the only one gets a public address; else as the subnet says."),
	P("DeleteOnTermination", port.delete_on_termination,
	  .doc = "Whether it goes with its instance: a new one does."),
	NOT_BUILT("NetworkCardIndex", .only = "0"),
	NOT_BUILT("InterfaceType", .only = "interface"),
	NOT_BUILT("Ipv6AddressCount", .only = "0"),
	NOT_BUILT("Ipv4PrefixCount", .only = "0"),
	NOT_BUILT("Ipv6PrefixCount", .only = "0"),
	NOT_BUILT("AssociateCarrierIpAddress", .only = "false"),
	NOT_BUILT("PrimaryIpv6", .only = "false"),
	NOT_BUILT("EnaSrdSpecification"),
	NOT_BUILT("ConnectionTrackingSpecification"),
	NOT_BUILT("EnaQueueCount"),
	NOT_BUILT("Ipv6Addresses"),
	NOT_BUILT("Ipv4Prefix"),
	NOT_BUILT("Ipv6Prefix"),
};
#undef P
static const struct params launch_interface_params =
	PARAMS(struct ec2_launch_interface, launch_interface_rows);

struct ec2_run_instances {
	struct instance_launch launch;
	struct launch_port primary; /* as said without NetworkInterface */
	struct refs group_ids, group_names;
	struct ref zone_id;
	struct str group_name;
	enum choice shutdown_terminates;
	struct ec2_mappings mappings;
	struct {
		const struct ec2_launch_interface *at;
		size_t count;
	} interfaces;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_run_instances, wire, member, __VA_ARGS__)
static const struct param run_instances_params[] = {
	P("ImageId", launch.image, .flags = REQUIRED, .kind = KIND_IMAGE, .doc = "Image to start from."),
	P("InstanceType", launch.type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .absent = "m1.small",
	  .doc = "Size; DescribeInstanceTypes lists them."),
	P("MinCount", launch.min_count, .flags = REQUIRED, .min = 1, .max = INSTANCE_LAUNCH_MAX,
	  .doc = "If fewer fit, nothing starts."),
	P("MaxCount", launch.max_count, .flags = REQUIRED, .min = 1, .max = INSTANCE_LAUNCH_MAX,
	  .doc = "As many as fit, up to this."),
	P("KeyName", launch.key_pair, .flags = BY_NAME, .kind = KIND_KEY_PAIR, .max = 255,
	  .doc = "Key pair whose public key the guest gets."),
	P("SubnetId", primary.subnet, .kind = KIND_SUBNET, .doc = "Absent: a default subnet."),
	P("SecurityGroupId", group_ids, .kind = KIND_SECURITY_GROUP,
	  .doc = "Groups; none: the VPC's default one."),
	P("SecurityGroup", group_names, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP, .max = 255,
	  .doc = "Groups by name."),
	P("PrivateIpAddress", primary.ips.primary, .doc = "The primary address, of one instance."),
	PARAM_LIST(struct ec2_run_instances, "NetworkInterface", interfaces, launch_interface_params,
		   .max = 16,
		   .doc = "The interfaces, instead of SubnetId, SecurityGroupId and PrivateIpAddress."),
	PARAM_LIST(struct ec2_run_instances, "BlockDeviceMapping", mappings, ec2_mapping_params, .max = 40,
		   .doc = "Disks: other than the image says, or besides."),
	P("UserData", launch.user_data, .flags = BASE64, .max = INSTANCE_USER_DATA_MAX,
	  .doc = "Up to 16 KiB, base64."),
	P("Placement.AvailabilityZone", launch.zone, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Zone by name."),
	P("Placement.AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Or zone by id."),
	P("Placement.GroupName", group_name, .max = 255, .doc = "Placement group by name."),
	P("Placement.GroupId", launch.server_group, .kind = KIND_SERVER_GROUP, .doc = "Or by id."),
	P("Placement.PartitionNumber", launch.partition, .min = 1, .max = SERVER_GROUP_PARTITIONS_MAX,
	  .doc = "Its part of a partition group; absent: that with the fewest instances."),
	P("Monitoring.Enabled", launch.monitoring, .doc = "Kept and shown."),
	P("EbsOptimized", launch.ebs_optimized, .doc = "Kept and shown."),
	P("CreditSpecification.CpuCredits", launch.unlimited_credits, .yes = "unlimited", .no = "standard",
	  .doc = "Kept and shown."),
	P("DisableApiTermination", launch.protect_terminate, .doc = "TerminateInstances is refused."),
	P("DisableApiStop", launch.protect_stop, .doc = "StopInstances is refused."),
	P("InstanceInitiatedShutdownBehavior", shutdown_terminates, .yes = "terminate", .no = "stop",
	  .doc = "What a shutdown from within means."),
	P("MetadataOptions.HttpTokens", launch.metadata_tokens_required, .yes = "required", .no = "optional",
	  .doc = "Whether metadata needs a session token."),
	P("MetadataOptions.HttpEndpoint", launch.metadata_enabled, .yes = "enabled", .no = "disabled",
	  .doc = "Whether there is metadata."),
	P("MetadataOptions.HttpPutResponseHopLimit", launch.metadata_hop_limit, .min = 1, .max = 64,
	  .doc = "How far a token's answer goes."),
	P("MetadataOptions.InstanceMetadataTags", launch.metadata_tags, .yes = "enabled", .no = "disabled",
	  .doc = "Whether tags are shown in the metadata."),
	P("ClientToken", launch.client_token, .max = 64, .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_run_instances, tag_specs),
	NOT_BUILT("MetadataOptions.HttpProtocolIpv6", .only = "disabled"),
	NOT_BUILT("Placement.Tenancy", .only = "default"),
	NOT_BUILT("Placement.Affinity", .only = "default"),
	NOT_BUILT("Placement.HostId"),
	NOT_BUILT("Placement.HostResourceGroupArn"),
	NOT_BUILT("Placement.SpreadDomain"),
	NOT_BUILT("CapacityReservationSpecification.CapacityReservationPreference", .only = "open"),
	NOT_BUILT("CapacityReservationSpecification.CapacityReservationTarget"),
	NOT_BUILT("HibernationOptions.Configured", .only = "false"),
	NOT_BUILT("EnclaveOptions.Enabled", .only = "false"),
	NOT_BUILT("MaintenanceOptions.AutoRecovery", .only = "default"),
	NOT_BUILT("PrivateDnsNameOptions.HostnameType", .only = "ip-name"),
	NOT_BUILT("PrivateDnsNameOptions.EnableResourceNameDnsARecord", .only = "false"),
	NOT_BUILT("PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", .only = "false"),
	NOT_BUILT("Ipv6AddressCount", .only = "0"),
	NOT_BUILT("Ipv6Address"),
	NOT_BUILT("KernelId"),
	NOT_BUILT("RamdiskId"),
	NOT_BUILT("AdditionalInfo"),
	NOT_BUILT("IamInstanceProfile"),
	NOT_BUILT("ElasticGpuSpecification"),
	NOT_BUILT("ElasticInferenceAccelerator"),
	NOT_BUILT("LaunchTemplate"),
	NOT_BUILT("InstanceMarketOptions"),
	NOT_BUILT("CpuOptions"),
	NOT_BUILT("LicenseSpecification"),
	NOT_BUILT("SecondaryInterface"),
	NOT_BUILT("Operator"),
	NOT_BUILT("NetworkPerformanceOptions.BandwidthWeighting", .only = "default"),
	NOT_BUILT("EnablePrimaryIpv6", .only = "false"),
};
#undef P

/* ---- from parameters to a launch ---- */

static RESULT join_refs(struct ec2_call *e, const struct refs *one, const struct refs *other,
			struct refs *ret_refs)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, one->count + other->count);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < one->count + other->count; k++)
		refs[k] = k < one->count ? one->at[k] : other->at[k - one->count];
	*ret_refs = (struct refs){refs, one->count + other->count};
	return OK;
}

static RESULT take_interfaces(struct ec2_call *e, struct ec2_run_instances *a)
{
	TRY(join_refs(e, &a->group_ids, &a->group_names, &a->primary.groups));
	a->launch.ports = &a->primary;
	a->launch.port_count = 1;
	if (!a->interfaces.count)
		return OK;
	if (a->primary.subnet.kind != KIND_NONE || a->primary.groups.count ||
	    !ip_is_none(a->primary.ips.primary))
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("NetworkInterface"),
			"Network interfaces and an instance-level subnet, security groups or private "
			"address may not be specified on the same request");
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, a->interfaces.count);
	if (!ports)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->interfaces.count; k++) {
		const struct ec2_launch_interface *i = &a->interfaces.at[k];
		ports[k] = i->port;
		TRY(ec2_take_private_ips(e, &i->private_ips, &ports[k].ips));
	}
	a->launch.ports = ports;
	a->launch.port_count = a->interfaces.count;
	return OK;
}

static RESULT take_all_tags(struct ec2_call *e, struct ec2_run_instances *a)
{
	static const char types[] = "instance|volume|network-interface";
	TRY(ec2_take_tags(e, &a->tag_specs, "instance", types, &a->launch.instance_tags));
	TRY(ec2_take_tags(e, &a->tag_specs, "volume", types, &a->launch.volume_tags));
	return ec2_take_tags(e, &a->tag_specs, "network-interface", types, &a->launch.port_tags);
}

/* An empty name is none, as tools send it. */
static RESULT take_group(struct ec2_call *e, struct ec2_run_instances *a)
{
	struct ref *group = &a->launch.server_group;
	if (str_is_empty(a->group_name))
		return OK;
	if (group->kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Placement.GroupId"),
				      "The parameters GroupName and GroupId may not be specified together");
	*group = (struct ref){
		.kind = KIND_SERVER_GROUP, .text = a->group_name, .field = STR("Placement.GroupName")};
	return OK;
}

static RESULT prepare_run(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_run_instances *a = args;
	TRY(ec2_take_mappings(e, &a->mappings, &a->launch.disks, &a->launch.disk_count));
	TRY(take_interfaces(e, a));
	TRY(take_all_tags(e, a));
	TRY(take_group(e, a));
	if (a->launch.zone.kind == KIND_NONE)
		a->launch.zone = a->zone_id;
	a->launch.shutdown_terminates = a->shutdown_terminates == CHOICE_YES;
	a->launch.digest = params_digest(e->c, &e->pairs, not_in_digest);
	return OK;
}

/* ---- the answer ---- */

/* As they are now, which for a repeated call may be later than its launch. */
static RESULT ec2_run_instances(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_run_instances *a = args;
	const struct tables *t = ec2_walk(e);
	VEC(const struct row *) rows = {0};
	const void **items = 0;
	for (size_t k = 0; k < a->launch.made.count; k++) {
		const struct instance *instance = instance_find(t, a->launch.made.at[k]);
		if (instance && !VEC_PUSH(e->c->arena, &rows, &instance->row))
			return ctx_no_memory(e->c);
	}
	TRY(ec2_gather(e, &ec2_instance_listing, rows.at, rows.count, &items));
	ec2_write_prefixed(x, "reservationId", "r", a->launch.reservation);
	xml_text(x, "ownerId", e->owner);
	xml_empty(x, "groupSet");
	ec2_write_items(e, &ec2_instance_listing, items, rows.count, x);
	return OK;
}

static const struct ec2_action actions[] = {
	{"RunInstances", "ec2:RunInstances", WRITES, PARAMS(struct ec2_run_instances, run_instances_params),
	 prepare_run, engine_create_instances_run, .answer = ec2_run_instances,
	 .doc = "Starts new instances."},
};
const struct ec2_actions ec2_run_actions = ACTIONS(actions);
