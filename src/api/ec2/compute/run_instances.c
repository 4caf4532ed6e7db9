/* SPDX-License-Identifier: Apache-2.0
 * RunInstances: turns EC2's parameters, which have several forms for the same thing, into one engine
 * launch. The launch itself: engine/instance/launch/instance_launch.c. */
#include "api/ec2/compute/capacity_reservations.h"
#include "api/ec2/compute/instances.h"
#include "api/ec2/compute/launch_template_data.h"
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "engine/instance/instance.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/placement/server_group.h"
#include "model/address.h"
#include "model/launch_template.h"
#include "model/launch_template_version.h"
#include "model/port.h"

/* ---- parameters ---- */

struct ec2_launch_interface {
	struct launch_port port;
	struct ec2_private_ips private_ips;
	struct ec2_ipv6_addresses ipv6_addresses;
	struct ec2_prefix_lists prefixes;
};
#define P(wire, member, ...) PARAM(struct ec2_launch_interface, wire, member, __VA_ARGS__)
static const struct param launch_interface_rows[] = {
	P("DeviceIndex", port.device_index, .flags = REQUIRED, .min = 0, .max = PORT_DEVICE_INDEX_MAX,
	  .field = offsetof(struct ec2_launch_interface, port.field) + 1,
	  .doc = "Device index in the instance; 0 is the primary interface."),
	P("NetworkInterfaceId", port.port, .kind = KIND_PORT,
	  .doc = "Existing network interface that is not attached."),
	P("SubnetId", port.subnet, .kind = KIND_SUBNET,
	  .doc = "Subnet of a new interface; absent: that of the primary interface, or else a default "
		 "subnet."),
	P("Description", port.description, .max = 255, .doc = "Description: free text."),
	P("SecurityGroupId", port.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups of the interface."),
	P("PrivateIpAddress", port.ips.primary, .doc = "Primary private address."),
	PARAM_LIST(struct ec2_launch_interface, "PrivateIpAddresses", private_ips, ec2_private_ip_params,
		   .max = PORT_IPS_MAX, .doc = "Primary and secondary private addresses of the interface."),
	P("SecondaryPrivateIpAddressCount", port.ips.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of secondary addresses to assign automatically."),
	P("AssociatePublicIpAddress", port.public_ip,
	  .doc = "Whether a single interface gets a public address; absent: the subnet's setting."),
	P("DeleteOnTermination", port.delete_on_termination,
	  .doc = "Whether the interface is deleted with its instance; a new interface is by default."),
	EC2_IPV6_ADDRESSES(struct ec2_launch_interface, "Ipv6Addresses", ipv6_addresses, port.ips),
	EC2_LAUNCH_INTERFACE_UNBUILT,
	EC2_PREFIXES(struct ec2_launch_interface, prefixes, port.ips),
	NOT_BUILT("PrimaryIpv6", .only = "false"),
	NOT_BUILT("EnaSrdSpecification|ConnectionTrackingSpecification|EnaQueueCount"),
};
#undef P
static const struct params launch_interface_params =
	PARAMS(struct ec2_launch_interface, launch_interface_rows);

struct ec2_run_instances {
	struct instance_launch launch;
	struct launch_port primary; /* from parameters outside NetworkInterface */
	struct refs group_ids, group_names;
	struct ref zone_id;
	struct str group_name;
	struct ref profile_arn;
	struct ref template_id, template_name;
	struct str template_version, tenancy, affinity;
	enum choice shutdown_terminates;
	struct ec2_spot_options spot;
	struct ec2_capacity_options capacity;
	struct ec2_mappings mappings;
	struct ec2_ipv6_addresses ipv6_addresses;
	struct {
		const struct ec2_launch_interface *at;
		size_t count;
	} interfaces;
	struct ec2_tag_specs tag_specs, template_tags;
	bool is_fleets; /* launch of a fleet: SubnetId applies to the primary interface, where the template
	                 * has interfaces */
};
#define P(wire, member, ...) PARAM(struct ec2_run_instances, wire, member, __VA_ARGS__)
static const struct param run_instances_params[] = {
	P("ImageId", launch.image, .kind = KIND_IMAGE,
	  .doc = "Image to boot from; required unless the launch template names one."),
	P("LaunchTemplate.LaunchTemplateId", template_id, .kind = KIND_LAUNCH_TEMPLATE,
	  .doc = "Launch template, by id, that provides the values missing from the request."),
	P("LaunchTemplate.LaunchTemplateName", template_name, .flags = BY_NAME, .kind = KIND_LAUNCH_TEMPLATE,
	  .max = LAUNCH_TEMPLATE_NAME_MAX, .doc = "Launch template by name, instead of its id."),
	P("LaunchTemplate.Version", template_version, .max = 32,
	  .doc = "Version number, $Latest or $Default; absent: the default version."),
	P("InstanceType", launch.type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .absent = "m1.small",
	  .doc = "Instance type; DescribeInstanceTypes lists them."),
	P("MinCount", launch.min_count, .flags = REQUIRED, .min = 1, .max = INSTANCE_LAUNCH_MAX,
	  .doc = "Minimum number of instances. If fewer fit, none is launched."),
	P("MaxCount", launch.max_count, .flags = REQUIRED, .min = 1, .max = INSTANCE_LAUNCH_MAX,
	  .doc = "Maximum number of instances. As many as fit are launched."),
	P("KeyName", launch.key_pair, .flags = BY_NAME, .kind = KIND_KEY_PAIR, .max = 255,
	  .doc = "Key pair whose public key the guest receives."),
	EC2_PROFILE(struct ec2_run_instances, profile_arn, launch.instance_profile),
	P("SubnetId", primary.subnet, .kind = KIND_SUBNET, .doc = "Subnet; absent: a default subnet."),
	P("SecurityGroupId", group_ids, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups by id; absent: the VPC's default group."),
	P("SecurityGroup", group_names, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP, .max = 255,
	  .doc = "Security groups by name."),
	P("PrivateIpAddress", primary.ips.primary,
	  .doc = "Primary private address, if a single instance is launched."),
	EC2_IPV6_ADDRESSES(struct ec2_run_instances, "Ipv6Address", ipv6_addresses, primary.ips),
	PARAM_LIST(struct ec2_run_instances, "NetworkInterface", interfaces, launch_interface_params,
		   .max = 16,
		   .doc = "Network interfaces, instead of SubnetId, SecurityGroupId and PrivateIpAddress."),
	PARAM_LIST(struct ec2_run_instances, "BlockDeviceMapping", mappings, ec2_mapping_params, .max = 40,
		   .doc = "Disks that differ from the image's or are added to them."),
	P("UserData", launch.user_data, .flags = BASE64, .max = EC2_USER_DATA_MAX,
	  .doc = "User data, base64, up to 16 KiB."),
	P("Placement.AvailabilityZone", launch.zone, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by name."),
	P("Placement.AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by id, instead of its name."),
	P("Placement.GroupName", group_name, .max = 255, .doc = "Placement group by name."),
	P("Placement.GroupId", launch.server_group, .kind = KIND_SERVER_GROUP,
	  .doc = "Placement group by id, instead of its name."),
	P("Placement.PartitionNumber", launch.partition, .min = 1, .max = SERVER_GROUP_PARTITIONS_MAX,
	  .doc = "Partition in a partition group; absent: the one with the fewest instances."),
	P("Placement.Tenancy", tenancy, .words = "default|dedicated|host", .absent = "default",
	  .doc = "default: shared hosts; dedicated: hosts with instances of this account alone; host: "
		 "dedicated hosts."),
	P("Placement.HostId", launch.dedicated_host, .kind = KIND_DEDICATED_HOST,
	  .doc = "Dedicated host; absent: any host of the account with auto-placement."),
	P("Placement.Affinity", affinity, .words = "default|host", .absent = "default",
	  .doc = "host: the instance restarts on the same dedicated host."),
	P("Monitoring.Enabled", launch.monitoring, .doc = "Stored and shown; has no effect."),
	P("EbsOptimized", launch.ebs_optimized, .doc = "Stored and shown; has no effect."),
	P("CreditSpecification.CpuCredits", launch.unlimited_credits, .yes = "unlimited", .no = "standard",
	  .doc = "Stored and shown; has no effect."),
	P("DisableApiTermination", launch.protect_terminate, .doc = "Whether TerminateInstances is refused."),
	P("DisableApiStop", launch.protect_stop, .doc = "Whether StopInstances is refused."),
	P("InstanceInitiatedShutdownBehavior", shutdown_terminates, .yes = "terminate", .no = "stop",
	  .doc = "Whether a shutdown from within the guest stops or terminates the instance."),
	P("MetadataOptions.HttpTokens", launch.metadata_tokens_required, .yes = "required", .no = "optional",
	  .doc = "Whether instance metadata requires a session token (IMDSv2)."),
	P("MetadataOptions.HttpEndpoint", launch.metadata_enabled, .yes = "enabled", .no = "disabled",
	  .doc = "Whether the instance metadata service is enabled."),
	P("MetadataOptions.HttpPutResponseHopLimit", launch.metadata_hop_limit, .min = 1, .max = 64,
	  .doc = "Maximum number of hops (IP TTL) of an answer with a session token."),
	P("MetadataOptions.InstanceMetadataTags", launch.metadata_tags, .yes = "enabled", .no = "disabled",
	  .doc = "Whether instance metadata shows the instance's tags."),
	P("MetadataOptions.HttpProtocolIpv6", launch.metadata_ipv6, .yes = "enabled", .no = "disabled",
	  .doc = "Whether the metadata service answers on fd00:ec2::254 as well."),
	P("PrivateDnsNameOptions.HostnameType", launch.named_by_id, .yes = "resource-name", .no = "ip-name",
	  .doc = "Whether the host name is formed from the instance id; absent: the subnet's setting."),
	P("PrivateDnsNameOptions.EnableResourceNameDnsARecord", launch.id_name_has_a,
	  .doc = "Whether the host name formed from the instance id has an A record; absent: the subnet's "
		 "setting."),
	P("PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", launch.id_name_has_aaaa,
	  .doc = "Whether the host name formed from the instance id has an AAAA record."),
	P("ClientToken", launch.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_run_instances, tag_specs),
	EC2_SPOT_OPTIONS(struct ec2_run_instances, spot),
	NOT_BUILT("Placement.HostResourceGroupArn|Placement.SpreadDomain"),
	EC2_CAPACITY_OPTIONS(struct ec2_run_instances, capacity),
	NOT_BUILT("HibernationOptions.Configured|EnclaveOptions.Enabled", .only = "false"),
	P("MaintenanceOptions.AutoRecovery", launch.recovers, .yes = "default", .no = "disabled",
	  .doc = "default: the instance is restarted on another host that sees its disks if its host is "
		 "lost."),
	NOT_BUILT("KernelId|RamdiskId|AdditionalInfo|ElasticGpuSpecification|ElasticInferenceAccelerator|"
		  "CpuOptions|LicenseSpecification|SecondaryInterface|Operator|"
		  "Monitoring.MetricCategoryId"),
	NOT_BUILT("NetworkPerformanceOptions.BandwidthWeighting", .only = "default"),
	NOT_BUILT("EnablePrimaryIpv6", .only = "false"),
};
#undef P

static const struct params run_params = PARAMS(struct ec2_run_instances, run_instances_params);

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

/* First parameter given for the instance's single interface, which a list of interfaces excludes; NULL:
 * there is none. */
static const char *name_instance_level(const struct launch_port *primary, bool is_fleets)
{
	if (primary->subnet.kind != KIND_NONE && !is_fleets)
		return "subnet ID";
	if (primary->groups.count)
		return "security groups";
	if (!ip_is_none(primary->ips.primary))
		return "private IP address";
	return primary->ips.ipv6s.count || primary->ips.ipv6_is_said ? "IPv6 address" : NULL;
}

static RESULT take_interfaces(struct ec2_call *e, struct ec2_run_instances *a)
{
	if (a->group_names.count && a->primary.subnet.kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("SecurityGroup"),
				      "The parameter groupName cannot be used with the parameter subnet");
	TRY(join_refs(e, &a->group_ids, &a->group_names, &a->primary.groups));
	TRY(ec2_take_ipv6_addresses(e, &a->ipv6_addresses, &a->primary.ips));
	a->launch.ports = &a->primary;
	a->launch.port_count = 1;
	if (!a->interfaces.count)
		return OK;
	const char *instance_level = name_instance_level(&a->primary, a->is_fleets);
	if (instance_level)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("NetworkInterface"),
				      "Network interfaces and an instance-level %s may not be specified on "
				      "the same request",
				      instance_level);
	struct launch_port *ports = arena_new_array(e->c->arena, struct launch_port, a->interfaces.count);
	if (!ports)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->interfaces.count; k++) {
		const struct ec2_launch_interface *i = &a->interfaces.at[k];
		ports[k] = i->port;
		TRY(ec2_take_private_ips(e, &i->private_ips, &ports[k].ips));
		TRY(ec2_take_ipv6_addresses(e, &i->ipv6_addresses, &ports[k].ips));
		TRY(ec2_take_prefixes(e, &i->prefixes, &ports[k].ips));
		bool is_anywhere = ports[k].subnet.kind == KIND_NONE && ports[k].port.kind == KIND_NONE;
		if (a->is_fleets && ports[k].device_index == 0 && is_anywhere)
			ports[k].subnet = a->primary.subnet;
	}
	a->launch.ports = ports;
	a->launch.port_count = a->interfaces.count;
	return OK;
}

static bool has_key(struct tags tags, struct str key)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(tags.at[k].key, key))
			return true;
	return false;
}

/* Tags of the request, plus those of the template with other keys. */
static RESULT take_tags(struct ec2_call *e, const struct ec2_run_instances *a, const char *type,
			struct tags *ret_tags)
{
	/* A request's own form says nothing of the market. */
	bool is_spot = a->spot.market.n || a->is_fleets;
	const char *types = is_spot ? "instance|volume|network-interface|spot-instances-request"
				    : "instance|volume|network-interface";
	struct tags own, more;
	TRY(ec2_take_tags(e, &a->tag_specs, type, types, &own));
	TRY(ec2_take_tags(e, &a->template_tags, type,
			  "instance|volume|network-interface|spot-instances-request", &more));
	struct tag *tags = arena_new_array(e->c->arena, struct tag, own.count + more.count + 1);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(e->c);
	for (; count < own.count; count++)
		tags[count] = own.at[count];
	for (size_t k = 0; k < more.count; k++)
		if (!has_key(own, more.at[k].key))
			tags[count++] = more.at[k];
	*ret_tags = (struct tags){tags, count};
	return OK;
}

static RESULT take_all_tags(struct ec2_call *e, struct ec2_run_instances *a)
{
	TRY(take_tags(e, a, "instance", &a->launch.instance_tags));
	TRY(take_tags(e, a, "volume", &a->launch.volume_tags));
	if (a->launch.spot.is_spot)
		TRY(take_tags(e, a, "spot-instances-request", &a->launch.spot.tags));
	return take_tags(e, a, "network-interface", &a->launch.port_tags);
}

/* Tools send an empty name when they mean none. */
static RESULT take_group(struct ec2_call *e, struct ec2_run_instances *a)
{
	struct ref *group = &a->launch.server_group;
	if (str_is_empty(a->group_name))
		return OK;
	if (group->kind != KIND_NONE)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("Placement.GroupId"),
				      "The parameters groupName and groupId may not be specified together");
	*group = (struct ref){
		.kind = KIND_SERVER_GROUP, .text = a->group_name, .field = STR("Placement.GroupName")};
	return OK;
}

/* ---- by a launch template ---- */

struct ec2_template_tags {
	struct ec2_tag_specs tag_specs;
};
static const struct param template_tags_rows[] = {
	TAG_SPECIFICATIONS(struct ec2_template_tags, tag_specs),
};
static const struct params template_tags_params = PARAMS(struct ec2_template_tags, template_tags_rows);

static bool is_of_tags(const struct pair *pair)
{
	return str_starts_with(pair->name, STR("TagSpecification."));
}

static bool is_no_parameter(const struct pair *pair)
{
	return str_is(pair->name, "Action") || str_is(pair->name, "Version") ||
	       str_is(pair->name, "DryRun") || str_starts_with(pair->name, STR("LaunchTemplate."));
}

static RESULT leave_out(struct ec2_call *e, const struct pairs *pairs,
			bool (*is_out)(const struct pair *pair), struct pairs *ret_in, struct pairs *ret_out)
{
	struct pair *in = arena_new_array(e->c->arena, struct pair, pairs->count + 1);
	struct pair *out = arena_new_array(e->c->arena, struct pair, pairs->count + 1);
	*ret_in = (struct pairs){in, 0};
	*ret_out = (struct pairs){out, 0};
	if (!in || !out)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < pairs->count; k++)
		if (is_out(&pairs->at[k]))
			out[ret_out->count++] = pairs->at[k];
		else
			in[ret_in->count++] = pairs->at[k];
	return OK;
}

static RESULT find_version(struct ec2_call *e, const struct ec2_run_instances *a,
			   const struct launch_template_version **ret_version)
{
	const struct launch_template *template = 0;
	struct ref ref;
	TRY(request_choose(e->c, &a->template_id, "LaunchTemplate.LaunchTemplateId", &a->template_name,
			   "LaunchTemplate.LaunchTemplateName", &ref));
	TRY(engine_find_own_launch_template(e->c, ec2_tables(e), &ref, &template));
	return engine_find_launch_template_version(e->c, ec2_tables(e), template, a->template_version,
						   STR("LaunchTemplate.Version"), ret_version);
}

/* Reads the request again, with the template's parameters where it has none of its own. Tags are merged. */
static RESULT use_template(struct ec2_call *e, const struct pairs *said, struct ec2_run_instances *a)
{
	const struct launch_template_version *version = 0;
	struct pairs data, base, tags, asked, rest, merged;
	struct ec2_template_tags read = {0};
	struct str form;
	TRY(find_version(e, a, &version));
	uuid id = version->row.id;
	TRY(ec2_read_launch_data(e, version->data, &data));
	TRY(leave_out(e, &data, is_of_tags, &base, &tags));
	TRY(request_read(e->c, &request_ec2_dialect, &template_tags_params, 0, &tags, &read));
	TRY(leave_out(e, said, is_no_parameter, &asked, &rest));
	TRY(ec2_merge_launch_data(e, &asked, &base, &form));
	TRY(ec2_read_launch_data(e, form, &merged));
	*a = (struct ec2_run_instances){.is_fleets = a->is_fleets};
	TRY(request_read(e->c, &request_ec2_dialect, &run_params, 0, &merged, a));
	a->template_tags = read.tag_specs;
	a->launch.template_version = id;
	return OK;
}

static RESULT check_image(struct ec2_call *e, const struct ec2_run_instances *a)
{
	if (a->launch.image.kind != KIND_NONE)
		return OK;
	return ctx_fail_field(e->c, ERR_MISSING, STR("ImageId"),
			      "The request must contain the parameter ImageId");
}

static RESULT take_spot(struct ec2_call *e, const struct pairs *said, struct ec2_run_instances *a)
{
	static const char options[] = "InstanceMarketOptions.SpotOptions.";
	const struct ec2_spot_options *o = &a->spot;
	bool has_terms = o->max_price.n || o->type.n || o->behavior.n || o->until.n;
	if (!o->market.n && has_terms)
		return ctx_fail_field(
			e->c, ERR_MISSING, STR("InstanceMarketOptions.MarketType"),
			"The request must contain the parameter InstanceMarketOptions.MarketType");
	if (!o->market.n)
		return OK;
	if (!str_is(o->market, "spot"))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("InstanceMarketOptions.MarketType"),
			"The parameter InstanceMarketOptions.MarketType is supported as spot only");
	TRY(ec2_take_spot(e, o, options, &a->launch.spot));
	a->launch.spot.from_launch = true;
	return ec2_keep_spot_form(e, said, "", &a->launch.spot.form);
}

/* said: the parameters that `a` was read from. */
static RESULT take_launch(struct ec2_call *e, const struct pairs *said, struct ec2_run_instances *a)
{
	if (a->template_id.kind != KIND_NONE || a->template_name.kind != KIND_NONE || a->template_version.n)
		TRY(use_template(e, said, a));
	TRY(check_image(e, a));
	TRY(ec2_take_mappings(e, &a->mappings, &a->launch.disks, &a->launch.disk_count));
	TRY(take_interfaces(e, a));
	TRY(take_spot(e, said, a));
	TRY(ec2_take_capacity(e, &a->capacity, &a->launch.capacity_preference, &a->launch.capacity_target));
	TRY(take_all_tags(e, a));
	TRY(take_group(e, a));
	a->launch.tenancy = ec2_read_tenancy(a->tenancy);
	a->launch.host_affinity = str_is(a->affinity, "host");
	if (a->profile_arn.kind != KIND_NONE || a->launch.instance_profile.kind != KIND_NONE)
		ec2_audit(e); /* the launch hands a role to the instance */
	if (a->profile_arn.kind != KIND_NONE)
		TRY(request_choose(e->c, &a->profile_arn, "IamInstanceProfile.Arn",
				   &a->launch.instance_profile, "IamInstanceProfile.Name",
				   &a->launch.instance_profile));
	if (a->launch.zone.kind == KIND_NONE)
		a->launch.zone = a->zone_id;
	a->launch.shutdown_terminates = a->shutdown_terminates == CHOICE_YES;
	return OK;
}

RESULT ec2_read_launch(struct ec2_call *e, const struct pairs *said, struct instance_launch *ret_launch)
{
	struct ec2_run_instances *a = arena_new_object(e->c->arena, struct ec2_run_instances);
	if (!a)
		return ctx_no_memory(e->c);
	TRY(request_read(e->c, &request_ec2_dialect, &run_params, 0, said, a));
	a->is_fleets = true;
	TRY(take_launch(e, said, a));
	*ret_launch = a->launch;
	return OK;
}

static RESULT prepare_run(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_run_instances *a = args;
	TRY(take_launch(e, &e->pairs, a));
	a->launch.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return OK;
}

/* ---- the answer ---- */

/* The instances as the call left them; those of a repeated call, in their present state. */
static RESULT ec2_run_instances(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_run_instances *a = args;
	const struct rows rows = e->change.returned;
	const void **items = 0;
	e->is_launch = !a->launch.replayed;
	TRY(ec2_gather(e, &ec2_instance_listing, rows.at, rows.count, &items));
	ec2_write_prefixed(x, "reservationId", "r", a->launch.reservation);
	xml_text(x, "ownerId", e->owner);
	xml_empty(x, "groupSet");
	ec2_write_items(e, &ec2_instance_listing, items, rows.count, x);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("RunInstances"), .flags = API_WRITES, .returns = KIND_INSTANCE,
	 .args = PARAMS(struct ec2_run_instances, run_instances_params), .prepare = prepare_run,
	 .operation = engine_create_instances_run, .answer = ec2_run_instances, .doc = "Launches instances."},
};
const struct api_actions ec2_run_actions = API_ACTIONS(actions);
