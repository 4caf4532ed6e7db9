/* SPDX-License-Identifier: Apache-2.0
 * listVirtualMachines: the instances of the caller's account. */
#include "api/cloudstack/core/action.h"
#include "model/account.h"
#include "model/domain.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/instance_type.h"
#include "model/network.h"
#include "model/port.h"
#include "model/security_group.h"
#include "model/state.h"
#include "model/states.h"
#include "model/subnet.h"
#include "model/zone.h"

struct list_machines {
	struct cs_list_args list;
	struct ref zone, template, offering, project;
	struct str state, key_name, hypervisor;
};
#define P(wire, member, ...) PARAM(struct list_machines, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_machines, KIND_INSTANCE),
	CS_NAME_PARAM(struct list_machines),
	CS_IDS_PARAM(struct list_machines, KIND_INSTANCE),
	CS_OWNER_PARAMS(struct list_machines),
	CS_PROJECT_PARAM(struct list_machines, project),
	CS_TAGS_PARAM(struct list_machines),
	P("zoneid", zone, .kind = KIND_ZONE, .fits = FITS(instance, zone), .doc = "In this zone."),
	P("templateid", template, .kind = KIND_IMAGE, .fits = FITS(instance, image),
	  .doc = "Made from this template."),
	P("serviceofferingid", offering, .kind = KIND_INSTANCE_TYPE, .fits = FITS(instance, type),
	  .doc = "Of this size."),
	P("state", state, .doc = "In this state; Present: not destroyed."),
	P("keypair", key_name, .fits = FITS(instance, key_name), .doc = "With this key pair."),
	P("hypervisor", hypervisor, .doc = "KVM is the only one."),
	NOT_BUILT("affinitygroupid|arch|autoscalevmgroupid|backupofferingid|clusterid|extensionid|"
		  "forvirtualnetwork|groupid|haenable|hostid|isoid|networkid|podid|securitygroupid|storageid|"
		  "userid|userdataid|vpcid|isvnf|leased|gpuenabled"),
};

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(model_instance_states[model_derive_instance_state(instance_of(row))].cloudstack);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_machines *a = args;
	return (!a->hypervisor.n || str_equal_nocase(a->hypervisor, STR("KVM"))) &&
	       (!a->state.n || str_is(a->state, "Present") || str_equal(a->state, get_state(e, row)));
}

static const struct member nic_members[] = {
	MEMBER(struct port, "id", row.id),
	MEMBER(struct port, "networkid", network),
	MEMBER(struct network, "networkname", name, .path = {JOIN_ONE(KIND_NETWORK, port, network)},
	       .is_optional = true),
	MEMBER(struct subnet, "gateway", gateway_ip, .path = {JOIN_ONE(KIND_SUBNET, port, subnet)}),
	MEMBER_AS(struct subnet, NETMASK, "netmask", block, .path = {JOIN_ONE(KIND_SUBNET, port, subnet)}),
	MEMBER(struct port, "ipaddress", ip),
	MEMBER_AS(struct port, ZERO, "isdefault", device_index),
	MEMBER(struct port, "macaddress", mac),
	MEMBER_FIXED("type", "\"Isolated\""),
	MEMBER_FIXED("traffictype", "\"Guest\""),
	MEMBER_AS(struct port, DIGITS, "deviceid", device_index),
};
static const struct members nic = MEMBERS(nic_members);

static const struct member group_members[] = {
	MEMBER(struct security_group, "id", row.id),
	MEMBER(struct security_group, "name", name),
};
static const struct members group = MEMBERS(group_members);

CS_WRITE_TAGS(write_tags, KIND_INSTANCE)

static const struct member members[] = {
	MEMBER(struct instance, "id", row.id),
	MEMBER_TEXT("name", api_list_name),
	MEMBER_TEXT("displayname", api_list_name),
	CS_OWNER_MEMBERS(instance),
	MEMBER_AS(struct instance, TIME, "created", row.created_us),
	MEMBER_TEXT("state", get_state),
	MEMBER_FIXED("haenable", "false"),
	MEMBER(struct instance, "zoneid", zone),
	MEMBER(struct zone, "zonename", name, .path = {JOIN_ONE(KIND_ZONE, instance, zone)}),
	MEMBER(struct instance, "templateid", image),
	MEMBER(struct image, "templatename", name, .path = {JOIN_ONE(KIND_IMAGE, instance, image)}),
	MEMBER_FIXED("passwordenabled", "false"),
	MEMBER(struct instance, "serviceofferingid", type),
	MEMBER(struct instance_type, "serviceofferingname", name,
	       .path = {JOIN_ONE(KIND_INSTANCE_TYPE, instance, type)}),
	MEMBER(struct instance, "cpunumber", vcpus),
	MEMBER_FIXED("cpuspeed", CS_CPU_SPEED_MHZ),
	MEMBER(struct instance, "memory", memory, .shift = 20),
	MEMBER_FIXED("rootdeviceid", "0"),
	MEMBER_FIXED("rootdevicetype", "\"ROOT\""),
	/* those of the first interface, which all of a machine's have in CloudStack */
	MEMBER_REFS(struct port, "securitygroup", group, KIND_SECURITY_GROUP, groups,
		    .path = {JOIN_EACH(KIND_PORT, PORT_INDEX_INSTANCE)}),
	MEMBER_EACH("nic", nic, KIND_PORT, PORT_INDEX_INSTANCE),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER(struct instance, "keypair", key_name, .is_optional = true),
	MEMBER_FIXED("isdynamicallyscalable", "false"),
	MEMBER_WRITTEN("tags", write_tags),
};

static const struct api_listing machines = {KIND_INSTANCE, offsetof(struct instance, name), "virtualmachine",
					    .matches = matches, .members = MEMBERS(members)};
static const struct cs_action actions[] = {{
	.name = "listVirtualMachines",
	.permit = "ec2:DescribeInstances",
	.flags = CS_OF_ACCOUNT,
	.args = PARAMS(struct list_machines, params),
	.listing = &machines,
	.doc = "Virtual machines.",
}};
const struct api_actions cs_machine_actions = API_ACTIONS(actions);
