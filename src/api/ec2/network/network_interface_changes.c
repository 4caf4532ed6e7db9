/* SPDX-License-Identifier: Apache-2.0
 * Attaches and detaches network interfaces: AttachNetworkInterface, DetachNetworkInterface; and changes
 * their attributes: ModifyNetworkInterfaceAttribute, DescribeNetworkInterfaceAttribute,
 * ResetNetworkInterfaceAttribute, AssignPrivateIpAddresses, UnassignPrivateIpAddresses. */
#include "api/ec2/core/write.h"
#include "api/ec2/network/network_interfaces.h"
#include "engine/network/port/port.h"
#include "model/port.h"

/* ---- attach and detach ---- */

#define P(wire, member, ...) PARAM(struct port_attaching, wire, member, __VA_ARGS__)
static const struct param attach_params[] = {
	P("NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT, .doc = "The network interface."),
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("DeviceIndex", device_index, .flags = REQUIRED, .min = 0, .max = PORT_DEVICE_INDEX_MAX,
	  .doc = "Device index in the instance; 0 is the primary interface."),
	NOT_BUILT("NetworkCardIndex", .only = "0"),
	NOT_BUILT("EnaSrdSpecification|EnaQueueCount"),
};
#undef P

static RESULT ec2_attach_interface(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct port_attaching *wish = args;
	(void) e;
	ec2_write_prefixed(x, "attachmentId", "eni-attach", wish->attachment);
	xml_int(x, "networkCardIndex", 0);
	return OK;
}

#define P(wire, member, ...) PARAM(struct port_detaching, wire, member, __VA_ARGS__)
static const struct param detach_params[] = {
	P("AttachmentId", attachment, .flags = REQUIRED, .prefix = "eni-attach", .doc = "The attachment."),
	P("Force", force, .doc = "Detaches at once, without the guest's consent."),
};
#undef P

/* ---- modify and reset ---- */

struct ec2_modify_interface {
	struct port_settings wish;
	bool has_delete;
	struct str reset; /* SourceDestCheck of ResetNetworkInterfaceAttribute */
};
#define P(wire, member, ...) PARAM(struct ec2_modify_interface, wire, member, __VA_ARGS__)
#define INTERFACE                                                                                            \
	P("NetworkInterfaceId", wish.port, .flags = REQUIRED, .kind = KIND_PORT,                             \
	  .doc = "The network interface.")
static const struct param modify_params[] = {
	INTERFACE,
	P("Description.Value", wish.description, .max = 255,
	  .given = offsetof(struct ec2_modify_interface, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("SecurityGroupId", wish.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "New security groups of the interface."),
	P("SourceDestCheck.Value", wish.source_dest_check,
	  .doc = "Whether the interface may send and receive only under its own addresses."),
	P("Attachment.AttachmentId", wish.attachment, .prefix = "eni-attach",
	  .doc = "Attachment whose setting changes."),
	P("Attachment.DeleteOnTermination", wish.delete_on_termination,
	  .doc = "Whether the interface is deleted with its instance."),
	NOT_BUILT("Attachment.DefaultEnaQueueCount|Attachment.EnaQueueCount|EnaSrdSpecification"),
	NOT_BUILT("EnablePrimaryIpv6", .only = "false"),
	NOT_BUILT("ConnectionTrackingSpecification|AssociatePublicIpAddress|AssociatedSubnetId"),
};
static const struct param reset_params[] = {
	INTERFACE,
	P("SourceDestCheck", reset, .flags = REQUIRED, .max = 255,
	  .doc = "Resets the source and destination check to true; the value is ignored."),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	const struct port_settings *wish = &((const struct ec2_modify_interface *) args)->wish;
	bool has_attachment = wish->attachment.bits || wish->delete_on_termination != CHOICE_DEFAULT;
	int count = wish->set_description + (wish->groups.count > 0) +
		    (wish->source_dest_check != CHOICE_DEFAULT) + has_attachment;
	if (count == 0)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("NetworkInterfaceId"),
				      "No attributes specified.");
	if (count > 1)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("NetworkInterfaceId"),
				      "Fields for multiple attribute types specified");
	if (has_attachment && (!wish->attachment.bits || wish->delete_on_termination == CHOICE_DEFAULT))
		return ctx_fail_field(e->c, ERR_MISSING, STR("Attachment"),
				      "The request must contain both Attachment.AttachmentId and "
				      "Attachment.DeleteOnTermination");
	return OK;
}

static RESULT prepare_reset(struct ec2_call *e, void *args)
{
	(void) e;
	((struct ec2_modify_interface *) args)->wish.source_dest_check = CHOICE_YES;
	return OK;
}

/* ---- describe one attribute ---- */

struct ec2_describe_interface_attribute {
	struct ref port;
	struct str attribute;
};
#define P(wire, member, ...) PARAM(struct ec2_describe_interface_attribute, wire, member, __VA_ARGS__)
static const struct param describe_attribute_params[] = {
	P("NetworkInterfaceId", port, .flags = REQUIRED, .kind = KIND_PORT, .doc = "The network interface."),
	P("Attribute", attribute, .flags = REQUIRED,
	  .words = "description|groupSet|sourceDestCheck|attachment", UNKNOWN_ATTRIBUTE,
	  .doc = "Name of the attribute."),
};
#undef P

static RESULT ec2_describe_interface_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_interface_attribute *a = args;
	const struct port *port = 0;
	TRY(engine_find_port(e->c, ec2_tables(e), &a->port, &port));
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, port->row.id);
	if (str_is(a->attribute, "attachment")) {
		ec2_write_members(e, x, &ec2_interface_attachment, &port->row);
	} else if (str_is(a->attribute, "groupSet")) {
		ec2_write_members(e, x, &ec2_interface_groups, &port->row);
	} else if (str_is(a->attribute, "description")) {
		xml_open(x, "description");
		xml_text(x, "value", port->description);
		xml_close(x, "description");
	} else {
		xml_open(x, "sourceDestCheck");
		xml_bool(x, "value", port->source_dest_check);
		xml_close(x, "sourceDestCheck");
	}
	return OK;
}

/* ---- secondary addresses and prefixes ---- */

struct ec2_assign_ips {
	struct port_assignment wish;
	struct strs prefixes;
};
#define P(wire, member, ...) PARAM(struct ec2_assign_ips, wire, member, __VA_ARGS__)
static const struct param assign_params[] = {
	P("NetworkInterfaceId", wish.port, .flags = REQUIRED, .kind = KIND_PORT,
	  .doc = "The network interface."),
	P("PrivateIpAddress", wish.ips, .doc = "Secondary addresses to assign, from the subnet."),
	P("SecondaryPrivateIpAddressCount", wish.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of free addresses to assign automatically, instead of naming them."),
	P("AllowReassignment", wish.take,
	  .doc = "Whether secondary addresses of other interfaces may be reassigned."),
	P("Ipv4PrefixCount", wish.prefixes.more, .min = 0, .max = PORT_IPS_MAX - 1,
	  .doc = "Number of free /28 prefixes to assign automatically."),
	P("Ipv4Prefix", prefixes, .max = 64, .doc = "Prefixes to assign, instead of a number."),
};
#undef P
struct ec2_unassign_ips {
	struct port_unassignment wish;
	struct strs prefixes;
};
#define P(wire, member, ...) PARAM(struct ec2_unassign_ips, wire, member, __VA_ARGS__)
static const struct param unassign_params[] = {
	P("NetworkInterfaceId", wish.port, .flags = REQUIRED, .kind = KIND_PORT,
	  .doc = "The network interface."),
	P("PrivateIpAddress", wish.ips, .doc = "Secondary addresses to unassign."),
	P("Ipv4Prefix", prefixes, .max = 64, .doc = "Prefixes to unassign."),
};
#undef P

static RESULT prepare_assign(struct ec2_call *e, void *args)
{
	struct ec2_assign_ips *a = args;
	struct port_assignment *wish = &a->wish;
	wish->field = STR("PrivateIpAddress");
	wish->prefixes.field = a->prefixes.count ? STR("Ipv4Prefix") : STR("Ipv4PrefixCount");
	int count = (wish->ips.count > 0) + (wish->more > 0) + (a->prefixes.count > 0) +
		    (wish->prefixes.more > 0);
	if (count != 1)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("PrivateIpAddress"),
				      "You must specify either the number of secondary addresses, "
				      "SecondaryPrivateIpAddressCount, or PrivateIpAddress, or "
				      "Ipv4PrefixCount, or Ipv4Prefix");
	return ec2_read_prefixes(e, a->prefixes, STR("Ipv4Prefix"), IP_V4, &wish->prefixes.named);
}

static RESULT prepare_unassign(struct ec2_call *e, void *args)
{
	struct ec2_unassign_ips *a = args;
	a->wish.field = STR("PrivateIpAddress");
	a->wish.prefix_field = STR("Ipv4Prefix");
	if (a->wish.ips.count == 0 && a->prefixes.count == 0)
		return ctx_fail_field(e->c, ERR_MISSING, STR("PrivateIpAddress"),
				      "The request must contain the parameter privateIpAddress");
	return ec2_read_prefixes(e, a->prefixes, STR("Ipv4Prefix"), IP_V4, &a->wish.prefixes);
}

static RESULT ec2_write_assigned(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct port_assignment *wish = &((const struct ec2_assign_ips *) args)->wish;
	(void) e;
	ec2_write_id(x, "networkInterfaceId", KIND_PORT, wish->assigned_to);
	xml_open(x, "assignedPrivateIpAddressesSet");
	for (size_t k = 0; k < wish->made.count; k++) {
		xml_open(x, "item");
		ec2_write_ip(x, "privateIpAddress", wish->made.at[k]);
		xml_close(x, "item");
	}
	xml_close(x, "assignedPrivateIpAddressesSet");
	if (wish->made_prefixes.count)
		xml_open(x, "assignedIpv4PrefixSet");
	for (size_t k = 0; k < wish->made_prefixes.count; k++) {
		xml_open(x, "item");
		ec2_write_cidr(x, "ipv4Prefix", wish->made_prefixes.at[k]);
		xml_close(x, "item");
	}
	if (wish->made_prefixes.count)
		xml_close(x, "assignedIpv4PrefixSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("AttachNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct port_attaching, attach_params), .operation = engine_attach_port_run,
	 .answer = ec2_attach_interface,
	 .doc = "Attaches a network interface to an instance, running or stopped."},
	{EC2_ACTION("DetachNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct port_detaching, detach_params), .operation = engine_detach_port_run,
	 .doc = "Detaches a network interface, except the primary one."},
	{EC2_ACTION("ModifyNetworkInterfaceAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_interface, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_port_run, .doc = "Changes one attribute of a network interface."},
	{EC2_ACTION("ResetNetworkInterfaceAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_interface, reset_params), .prepare = prepare_reset,
	 .operation = engine_update_port_run,
	 .doc = "Enables the source and destination check of a network interface again."},
	{EC2_ACTION("DescribeNetworkInterfaceAttribute"),
	 .args = PARAMS(struct ec2_describe_interface_attribute, describe_attribute_params),
	 .answer = ec2_describe_interface_attribute, .doc = "Returns one attribute of a network interface."},
	{EC2_ACTION("AssignPrivateIpAddresses"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_assign_ips, assign_params), .prepare = prepare_assign,
	 .operation = engine_assign_ips_run, .answer = ec2_write_assigned,
	 .doc = "Assigns secondary addresses or prefixes to a network interface."},
	{EC2_ACTION("UnassignPrivateIpAddresses"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_unassign_ips, unassign_params), .prepare = prepare_unassign,
	 .operation = engine_unassign_ips_run,
	 .doc = "Unassigns secondary addresses or prefixes from a network interface."},
};
const struct api_actions ec2_interface_change_actions = API_ACTIONS(actions);
