/* SPDX-License-Identifier: Apache-2.0
 * Instances' attributes: DescribeInstanceAttribute, ModifyInstanceAttribute, ResetInstanceAttribute,
 * ModifyInstanceMetadataOptions, ModifyPrivateDnsNameOptions, MonitorInstances, UnmonitorInstances. */
#include "api/ec2/compute/instances.h"
#include "api/ec2/core/write.h"
#include "engine/instance/instance.h"
#include "model/instance.h"
#include "model/port.h"
#include "store/instance_type.h"

#define ATTRIBUTE_NAMES                                                                                      \
	"instanceType|kernel|ramdisk|userData|disableApiTermination|instanceInitiatedShutdownBehavior|"      \
	"rootDeviceName|blockDeviceMapping|productCodes|sourceDestCheck|groupSet|ebsOptimized|"              \
	"sriovNetSupport|enaSupport|enclaveOptions|disableApiStop"

/* ---- describe one ---- */

struct ec2_instance_attribute {
	struct ref instance;
	struct str attribute;
};
#define P(wire, member, ...) PARAM(struct ec2_instance_attribute, wire, member, __VA_ARGS__)
static const struct param describe_attribute_params[] = {
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("Attribute", attribute, .flags = REQUIRED, .words = ATTRIBUTE_NAMES, UNKNOWN_ATTRIBUTE,
	  .doc = "Name of the attribute."),
};
#undef P

typedef void attribute_writer(struct ec2_call *e, struct xml *x, const struct instance *i);

#define WRITER(name) static void name(struct ec2_call *e, struct xml *x, const struct instance *i)
#define BOOLEAN(name, member)                                                                                \
	WRITER(name)                                                                                         \
	{                                                                                                    \
		(void) e;                                                                                    \
		xml_bool(x, "value", i->member);                                                             \
	}

BOOLEAN(write_protect_terminate, protect_terminate)
BOOLEAN(write_protect_stop, protect_stop)
BOOLEAN(write_ebs_optimized, ebs_optimized)

WRITER(write_type)
{
	const struct instance_type *type = instance_type_find(ec2_tables(e), i->type);
	xml_text(x, "value", type ? type->name : STR_NONE);
}

WRITER(write_user_data)
{
	ec2_audit(e);
	if (i->user_data.n)
		xml_text(x, "value", str_encode_base64(e->c->arena, i->user_data));
}

WRITER(write_shutdown)
{
	(void) e;
	xml_z(x, "value", i->shutdown_terminates ? "terminate" : "stop");
}

WRITER(write_root_device)
{
	(void) e;
	xml_text(x, "value", i->root_device);
}

WRITER(write_check)
{
	const struct ec2_ports ports = ec2_list_ports(e->c->arena, ec2_tables(e), i->row.id);
	xml_bool(x, "value", ports.count && ports.at[0]->source_dest_check);
}

WRITER(write_ena)
{
	(void) e;
	(void) i;
	xml_bool(x, "value", true); /* as DescribeInstances shows it */
}

WRITER(write_enclave)
{
	(void) e;
	(void) i;
	xml_bool(x, "enabled", false);
}

/* Writes an empty element, for attributes that no instance has here. */
WRITER(write_none)
{
	(void) e;
	(void) x;
	(void) i;
}

static const struct instance_attribute {
	const char *name;
	attribute_writer *write; /* called within the element of that name */
} attributes[] = {
	{"instanceType", write_type},
	{"kernel", write_none},
	{"ramdisk", write_none},
	{"userData", write_user_data},
	{"disableApiTermination", write_protect_terminate},
	{"disableApiStop", write_protect_stop},
	{"instanceInitiatedShutdownBehavior", write_shutdown},
	{"rootDeviceName", write_root_device},
	{"productCodes", write_none},
	{"sourceDestCheck", write_check},
	{"ebsOptimized", write_ebs_optimized},
	{"sriovNetSupport", write_none},
	{"enaSupport", write_ena},
	{"enclaveOptions", write_enclave},
};

static void write_attribute(struct ec2_call *e, struct xml *x, struct str name, const struct instance *i)
{
	const struct ec2_ports ports = ec2_list_ports(e->c->arena, ec2_tables(e), i->row.id);
	static const struct port none;
	if (str_is(name, "blockDeviceMapping"))
		ec2_write_members(e, x, &ec2_instance_devices, &i->row);
	if (str_is(name, "groupSet"))
		ec2_write_members(e, x, &ec2_interface_groups, ports.count ? &ports.at[0]->row : &none.row);
	for (size_t k = 0; k < sizeof attributes / sizeof attributes[0]; k++) {
		if (!str_is(name, attributes[k].name))
			continue;
		xml_open(x, attributes[k].name);
		attributes[k].write(e, x, i);
		xml_close(x, attributes[k].name);
	}
}

static RESULT ec2_describe_instance_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_instance_attribute *a = args;
	const struct instance *instance = 0;
	TRY(engine_find_instance(e->c, ec2_tables(e), &a->instance, &instance));
	ec2_write_id(x, "instanceId", KIND_INSTANCE, instance->row.id);
	write_attribute(e, x, a->attribute, instance);
	return OK;
}

/* ---- modify ---- */

struct ec2_mapping_change {
	struct volume_fate fate;
	bool says_fate;
};
#define P(wire, member, ...) PARAM(struct ec2_mapping_change, wire, member, __VA_ARGS__)
static const struct param mapping_change_rows[] = {
	P("DeviceName", fate.device, .flags = REQUIRED, .min = 1, .max = 64,
	  .field = offsetof(struct ec2_mapping_change, fate.field) + 1, .doc = "Device name of the volume."),
	P("Ebs.DeleteOnTermination", fate.delete_on_termination,
	  .given = offsetof(struct ec2_mapping_change, says_fate) + 1,
	  .doc = "Whether the volume is deleted with the instance."),
	P("Ebs.VolumeId", fate.volume, .kind = KIND_VOLUME, .doc = "The volume expected at that device."),
	NOT_BUILT("NoDevice|VirtualName"),
};
#undef P
static const struct params mapping_change_params = PARAMS(struct ec2_mapping_change, mapping_change_rows);

struct ec2_modify_instance {
	struct instance_settings wish;
	struct str attribute, value;
	bool has_value;
	enum choice ena_support;
	struct {
		const struct ec2_mapping_change *at;
		size_t count;
	} mappings;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_instance, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("Attribute", attribute, .words = ATTRIBUTE_NAMES, UNKNOWN_ATTRIBUTE,
	  .doc = "Attribute that Value sets. Without it, exactly one of the members below:"),
	P("Value", value, .max = EC2_USER_DATA_MAX * 2,
	  .given = offsetof(struct ec2_modify_instance, has_value) + 1, .doc = "New value of the attribute."),
	P("DisableApiTermination.Value", wish.protect_terminate,
	  .doc = "Whether TerminateInstances is refused."),
	P("DisableApiStop.Value", wish.protect_stop, .doc = "Whether StopInstances is refused."),
	P("InstanceInitiatedShutdownBehavior.Value", wish.shutdown_terminates, .yes = "terminate",
	  .no = "stop", .doc = "Whether a shutdown from within the guest stops or terminates the instance."),
	P("InstanceType.Value", wish.type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .max = 255,
	  .doc = "New instance type; the instance must be stopped."),
	P("UserData.Value", wish.user_data, .flags = BASE64, .max = EC2_USER_DATA_MAX,
	  .given = offsetof(struct ec2_modify_instance, wish.set_user_data) + 1,
	  .doc = "New user data, base64, up to 16 KiB; the instance must be stopped."),
	P("EbsOptimized.Value", wish.ebs_optimized, .doc = "Stored and shown; the instance must be stopped."),
	P("SourceDestCheck.Value", wish.source_dest_check,
	  .doc = "Source and destination check of the instance's only network interface."),
	P("GroupId", wish.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups of the instance's only network interface."),
	PARAM_LIST(struct ec2_modify_instance, "BlockDeviceMapping", mappings, mapping_change_params,
		   .max = 40, .doc = "Volumes whose DeleteOnTermination changes."),
	P("EnaSupport.Value", ena_support, .doc = "Only true is accepted."),
	NOT_BUILT("Kernel|Ramdisk|SriovNetSupport"),
	NOT_BUILT("EnclaveOptions.Enabled", .only = "false"),
};
#undef P

static RESULT fail_value(struct ec2_call *e, const struct ec2_modify_instance *a, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("Value"),
			      "Value (%" STR_FMT ") for parameter value is invalid. %s",
			      STR_ARG(str_slice(a->value, 0, 256)), why);
}

static RESULT read_choice(struct ec2_call *e, const struct ec2_modify_instance *a, enum choice *ret)
{
	bool value = false;
	if (!result_is_ok(str_parse_bool(a->value, &value)))
		return fail_value(e, a, "It must be true or false.");
	*ret = value ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static RESULT read_shutdown(struct ec2_call *e, struct ec2_modify_instance *a)
{
	bool terminates = str_is(a->value, "terminate");
	if (!terminates && !str_is(a->value, "stop"))
		return fail_value(e, a, "It must be terminate or stop.");
	a->wish.shutdown_terminates = terminates ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static RESULT read_user_data(struct ec2_call *e, struct ec2_modify_instance *a)
{
	struct result decoded = str_decode_base64(e->c->arena, a->value, &a->wish.user_data);
	if (arena_is_full(e->c->arena))
		return ctx_no_memory(e->c);
	a->wish.set_user_data = true;
	return result_is_ok(decoded) ? OK : fail_value(e, a, "It must be base64.");
}

/* Handles Attribute and Value, which set the same as one of the typed members. */
static RESULT read_value(struct ec2_call *e, struct ec2_modify_instance *a)
{
	struct instance_settings *wish = &a->wish;
	if (str_is(a->attribute, "disableApiTermination"))
		return read_choice(e, a, &wish->protect_terminate);
	if (str_is(a->attribute, "disableApiStop"))
		return read_choice(e, a, &wish->protect_stop);
	if (str_is(a->attribute, "ebsOptimized"))
		return read_choice(e, a, &wish->ebs_optimized);
	if (str_is(a->attribute, "sourceDestCheck"))
		return read_choice(e, a, &wish->source_dest_check);
	if (str_is(a->attribute, "instanceInitiatedShutdownBehavior"))
		return read_shutdown(e, a);
	if (str_is(a->attribute, "userData"))
		return read_user_data(e, a);
	if (str_is(a->attribute, "instanceType")) {
		wish->type = (struct ref){
			.kind = KIND_INSTANCE_TYPE, .text = a->value, .field = STR("InstanceType.Value")};
		return OK;
	}
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Attribute"),
			      "The attribute '%" STR_FMT "' cannot be modified so", STR_ARG(a->attribute));
}

/* In EC2 a call changes only one attribute. */
static RESULT check_one(struct ec2_call *e, const struct ec2_modify_instance *a)
{
	const struct instance_settings *w = &a->wish;
	int count = (w->protect_terminate != CHOICE_DEFAULT) + (w->protect_stop != CHOICE_DEFAULT) +
		    (w->shutdown_terminates != CHOICE_DEFAULT) + (w->type.kind != KIND_NONE) +
		    w->set_user_data + (w->ebs_optimized != CHOICE_DEFAULT) +
		    (w->source_dest_check != CHOICE_DEFAULT) + (a->ena_support != CHOICE_DEFAULT) +
		    (w->groups.count > 0) + (a->mappings.count > 0);
	if (count == 1)
		return OK;
	return ctx_fail_field(e->c, ERR_COMBINATION, STR("Attribute"), "%s",
			      count ? "Fields for multiple attribute types specified"
				    : "No attributes specified.");
}

static RESULT take_mappings(struct ec2_call *e, struct ec2_modify_instance *a)
{
	struct volume_fate *fates = arena_new_array(e->c->arena, struct volume_fate, a->mappings.count + 1);
	if (!fates)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->mappings.count; k++) {
		fates[k] = a->mappings.at[k].fate;
		if (!a->mappings.at[k].says_fate)
			return ctx_fail_field(
				e->c, ERR_MISSING, fates[k].field,
				"The request must contain Ebs.DeleteOnTermination for each device");
	}
	a->wish.volumes = fates;
	a->wish.volume_count = a->mappings.count;
	return OK;
}

/* Lists have their own parameters, so that Attribute only repeats the list's name. */
static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_instance *a = args;
	if (a->wish.type.kind != KIND_NONE)
		a->wish.type.field = STR("InstanceType.Value");
	if (a->has_value && str_is_empty(a->attribute))
		return ctx_fail_field(e->c, ERR_MISSING, STR("Attribute"),
				      "The request must contain the parameter attribute");
	bool names_list = str_is(a->attribute, "blockDeviceMapping") || str_is(a->attribute, "groupSet");
	if (a->attribute.n && !names_list && !a->has_value)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Value"),
				      "The request must contain the parameter value");
	if (a->attribute.n && a->has_value)
		TRY(read_value(e, a));
	TRY(check_one(e, a));
	if (a->ena_support == CHOICE_NO)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("EnaSupport"),
				      "The parameter EnaSupport is supported with the value 'true' only");
	return take_mappings(e, a);
}

/* ---- reset ---- */

struct ec2_reset_instance {
	struct instance_settings wish;
	struct str attribute;
};
#define P(wire, member, ...) PARAM(struct ec2_reset_instance, wire, member, __VA_ARGS__)
static const struct param reset_params[] = {
	P("InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("Attribute", attribute, .flags = REQUIRED, .words = ATTRIBUTE_NAMES, UNKNOWN_ATTRIBUTE,
	  .doc = "Only sourceDestCheck, of the instance's only network interface."),
};
#undef P

static RESULT prepare_reset(struct ec2_call *e, void *args)
{
	struct ec2_reset_instance *a = args;
	if (!str_is(a->attribute, "sourceDestCheck"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Attribute"),
				      "The attribute '%" STR_FMT "' cannot be reset", STR_ARG(a->attribute));
	a->wish.source_dest_check = CHOICE_YES;
	return OK;
}

/* ---- metadata options ---- */

#define P(wire, member, ...) PARAM(struct instance_settings, wire, member, __VA_ARGS__)
static const struct param metadata_params[] = {
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("HttpTokens", metadata_tokens_required, .yes = "required", .no = "optional",
	  .doc = "Whether instance metadata requires a session token (IMDSv2)."),
	P("HttpEndpoint", metadata_enabled, .yes = "enabled", .no = "disabled",
	  .doc = "Whether the instance metadata service is enabled."),
	P("HttpPutResponseHopLimit", metadata_hop_limit, .min = 1, .max = 64,
	  .doc = "Maximum number of hops (IP TTL) of an answer with a session token."),
	P("InstanceMetadataTags", metadata_tags, .yes = "enabled", .no = "disabled",
	  .doc = "Whether instance metadata shows the instance's tags."),
	P("HttpProtocolIpv6", metadata_ipv6, .yes = "enabled", .no = "disabled",
	  .doc = "Whether the metadata service answers on fd00:ec2::254 as well."),
};
#undef P

static RESULT ec2_write_options(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct instance_settings *wish = args;
	const struct instance *instance = 0;
	TRY(engine_find_instance(e->c, ec2_tables(e), &wish->instance, &instance));
	ec2_write_id(x, "instanceId", KIND_INSTANCE, instance->row.id);
	xml_open(x, "instanceMetadataOptions");
	ec2_write_members(e, x, &ec2_metadata_members, &instance->row);
	xml_close(x, "instanceMetadataOptions");
	return OK;
}

/* ---- names ---- */

/* From memory of EC2's User Guide: the host name's type changes only while the instance is stopped. */

#define P(wire, member, ...) PARAM(struct instance_names_wish, wire, member, __VA_ARGS__)
static const struct param names_params[] = {
	P("InstanceId", instance, .flags = REQUIRED, .kind = KIND_INSTANCE, .doc = "The instance."),
	P("PrivateDnsHostnameType", named_by_id, .yes = "resource-name", .no = "ip-name",
	  .doc = "Whether the host name is formed from the IPv4 address or the instance id; the instance "
		 "must be stopped."),
	P("EnableResourceNameDnsARecord", id_name_has_a,
	  .doc = "Whether the host name formed from the instance id has an A record."),
	P("EnableResourceNameDnsAAAARecord", id_name_has_aaaa,
	  .doc = "Whether the host name formed from the instance id has an AAAA record."),
};
#undef P

/* ---- monitor ---- */

static const struct param monitor_params[] = {
	PARAM(struct instances_wish, "InstanceId", instances, .flags = REQUIRED, .kind = KIND_INSTANCE,
	      .doc = "Instances to change. Fails if one of them cannot be changed."),
	NOT_BUILT("MetricCategoryId"),
};

static RESULT write_monitoring(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct instances_wish *wish = args;
	xml_open(x, "instancesSet");
	for (size_t k = 0; k < wish->change_count; k++) {
		xml_open(x, "item");
		ec2_write_id(x, "instanceId", KIND_INSTANCE, wish->changes[k].id);
		xml_open(x, "monitoring");
		xml_z(x, "state", ec2_state_in_answer(e, NULL));
		xml_close(x, "monitoring");
		xml_close(x, "item");
	}
	xml_close(x, "instancesSet");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeInstanceAttribute"),
	 .args = PARAMS(struct ec2_instance_attribute, describe_attribute_params),
	 .answer = ec2_describe_instance_attribute, .doc = "Returns one attribute of an instance."},
	{EC2_ACTION("ModifyInstanceAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_instance, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_instance_run, .doc = "Changes one attribute of an instance."},
	{EC2_ACTION("ResetInstanceAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_reset_instance, reset_params), .prepare = prepare_reset,
	 .operation = engine_update_instance_run,
	 .doc = "Enables the source and destination check of an instance again."},
	{EC2_ACTION("ModifyInstanceMetadataOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_settings, metadata_params), .operation = engine_update_instance_run,
	 .answer = ec2_write_options, .doc = "Changes the instance metadata options of an instance."},
	{EC2_ACTION("ModifyPrivateDnsNameOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_names_wish, names_params),
	 .operation = engine_update_instance_names_run,
	 .doc = "Changes the private DNS name options of an instance."},
	{EC2_ACTION("MonitorInstances"), .flags = API_WRITES,
	 .args = PARAMS(struct instances_wish, monitor_params), .operation = engine_monitor_instances_run,
	 .answer = write_monitoring, .state_in_answer = "pending",
	 .doc = "Enables detailed monitoring, which is stored and shown only."},
	{EC2_ACTION("UnmonitorInstances"), .flags = API_WRITES,
	 .args = PARAMS(struct instances_wish, monitor_params), .operation = engine_unmonitor_instances_run,
	 .answer = write_monitoring, .state_in_answer = "disabling", .doc = "Disables detailed monitoring."},
};
const struct api_actions ec2_instance_attribute_actions = API_ACTIONS(actions);
