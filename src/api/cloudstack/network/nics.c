/* SPDX-License-Identifier: Apache-2.0
 * NICs: ports of virtual machines. Number 0 is the default NIC. A NIC created here is deleted when it is
 * detached or with its machine.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "engine/instance/instance_interface.h"
#include "engine/network/address/address.h"
#include "engine/resolve.h"
#include "model/network.h"
#include "model/port.h"
#include "model/subnet.h"
#include "store/address.h"
#include "store/secondary_ip.h"

/* ---- what is shown ---- */

static struct str get_network_name(struct api_call *e, const struct row *network)
{
	return cs_get_network_name(e, network);
}

static void write_secondary_ips(struct api_call *e, struct json_writer *w, const char *name,
				const struct row *row)
{
	const struct secondary_ip *s = engine_first_secondary_ip(api_tables(e), row->id);
	char text[IP_TEXT_SIZE];
	json_write_open_list(w, name);
	for (; s; s = engine_next_secondary_ip(api_tables(e), s)) {
		json_write_open(w, NULL);
		json_write_text(w, "id", uuid_to_str(e->c->arena, s->row.id));
		json_write_z(w, "ipaddress", ip_write(s->ip, text));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_public_ip(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct address *a = engine_find_address_for(api_tables(e), row->id, port_of(row)->ip);
	if (!a)
		return;
	json_write_z(w, name, ip_write(a->ip, text));
	json_write_text(w, "publicipid", uuid_to_str(e->c->arena, a->row.id));
}

static struct str get_type(struct api_call *e, const struct row *network)
{
	return str_from(cs_find_offering_of(e, network_of(network))->type);
}

static void write_vpc(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	cs_write_vpc(e, w, cs_find_vpc(e, port_of(row)->router));
}

static const struct member members[] = {
	MEMBER(struct port, "id", row.id),
	MEMBER(struct port, "networkid", network),
	MEMBER_TEXT_OF("networkname", get_network_name, JOIN_ONE(KIND_NETWORK, port, network)),
	MEMBER(struct subnet, "gateway", gateway_ip, .path = {JOIN_ONE(KIND_SUBNET, port, subnet)}),
	MEMBER_AS(struct subnet, NETMASK, "netmask", block, .path = {JOIN_ONE(KIND_SUBNET, port, subnet)}),
	MEMBER(struct port, "ipaddress", ip),
	MEMBER_AS(struct port, ZERO, "isdefault", device_index),
	MEMBER(struct port, "macaddress", mac),
	MEMBER_TEXT_OF("type", get_type, JOIN_ONE(KIND_NETWORK, port, network)),
	MEMBER_FIXED("traffictype", "\"Guest\""),
	MEMBER_AS(struct port, DIGITS, "deviceid", device_index),
	MEMBER(struct port, "virtualmachineid", instance),
	MEMBER(struct network, "mtu", mtu, .path = {JOIN_ONE(KIND_NETWORK, port, network)}),
	MEMBER_WRITTEN("vpcid", write_vpc, .also = "vpcname"),
	MEMBER_WRITTEN("publicip", write_public_ip, .also = "publicipid"),
	MEMBER_WRITTEN("secondaryip", write_secondary_ips),
};
const struct members cs_nic = MEMBERS(members);

/* ---- listNics ---- */

struct list_nics {
	struct cs_list_args list;
	struct ref machine, nic, network;
};
#define P(wire, member, ...) PARAM(struct list_nics, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	P("virtualmachineid", machine, .kind = KIND_INSTANCE, .flags = REQUIRED, .fits = FITS(port, instance),
	  .doc = "Virtual machine."),
	CS_PAGE_PARAMS(struct list_nics),
	P("nicid", nic, .kind = KIND_PORT, .fits = FITS(port, row.id), .doc = "NIC by id."),
	P("networkid", network, .kind = KIND_NETWORK, .fits = FITS(port, network),
	  .doc = "Network of the NIC."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare_list(struct cs_call *e, void *args)
{
	const struct instance *machine = NULL;
	struct ref *ref = &((struct list_nics *) args)->machine;
	ref->field = STR("virtualmachineid"); /* the name for messages, whatever its spelling */
	return engine_find_own_instance(e->c, cs_tables(e), ref, &machine);
}

static const struct api_listing nics = CS_LISTING(KIND_PORT, "nic", members, .is_all = true);

/* ---- in and out ---- */

static const struct param add_params[] = {
	PARAM(struct interface_wish, "networkid", network, .kind = KIND_NETWORK, .flags = REQUIRED,
	      .doc = "Network of the new NIC."),
	PARAM(struct interface_wish, "virtualmachineid", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "The virtual machine."),
	PARAM(struct interface_wish, "ipaddress", ip, .doc = "IP address; absent: any free one."),
	NOT_BUILT("dhcpoptions|macaddress"),
};

static const struct param remove_params[] = {
	PARAM(struct interface_target, "nicid", port, .kind = KIND_PORT, .flags = REQUIRED,
	      .doc = "The NIC."),
	PARAM(struct interface_target, "virtualmachineid", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "The virtual machine."),
};

static const struct param choose_params[] = {
	PARAM(struct interface_choice, "nicid", port, .kind = KIND_PORT, .flags = REQUIRED,
	      .doc = "The NIC."),
	PARAM(struct interface_choice, "virtualmachineid", instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "The virtual machine."),
};

/* ---- secondary addresses ---- */

static const struct member ip_members[] = {
	MEMBER(struct secondary_ip, "id", row.id),
	MEMBER(struct secondary_ip, "ipaddress", ip),
	MEMBER(struct secondary_ip, "nicid", port),
	MEMBER(struct port, "networkid", network, .path = {JOIN_ONE(KIND_PORT, secondary_ip, port)}),
	MEMBER(struct port, "virtualmachineid", instance, .path = {JOIN_ONE(KIND_PORT, secondary_ip, port)}),
};
static const struct api_listing secondary_ips = CS_LISTING(KIND_SECONDARY_IP, "nicsecondaryip", ip_members);

struct add_ip {
	struct port_assignment wish;
	struct ip ip;
	uuid made;
};
static const struct param add_ip_params[] = {
	PARAM(struct add_ip, "nicid", wish.port, .kind = KIND_PORT, .flags = REQUIRED, .doc = "The NIC."),
	PARAM(struct add_ip, "ipaddress", ip,
	      .doc = "Secondary address; absent: any free one of the subnet."),
};

static RESULT prepare_add_ip(struct cs_call *e, void *args)
{
	struct add_ip *a = args;
	(void) e;
	a->wish.field = STR("ipaddress");
	a->wish.are_new = true;
	if (ip_is_none(a->ip))
		a->wish.more = 1;
	else
		a->wish.ips = (struct ips){&a->ip, 1};
	return OK;
}

static RESULT add_ip(struct op *op, void *args)
{
	struct add_ip *a = args;
	TRY(engine_assign_ips(op, &a->wish));
	const struct secondary_ip *s =
		secondary_ip_find_by_port(op->head, a->wish.assigned_to, a->wish.made.at[0]);
	a->made = s->row.id;
	return OK;
}

struct remove_ip {
	struct port_unassignment wish;
	struct ref secondary;
	struct ip ip;
};

static RESULT prepare_remove_ip(struct cs_call *e, void *args)
{
	struct remove_ip *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, cs_tables(e), KIND_SECONDARY_IP, &a->secondary, &row));
	a->ip = secondary_ip_of(row)->ip;
	a->wish.port = cs_ref_of(e->c, KIND_PORT, secondary_ip_of(row)->port, "id");
	a->wish.ips = (struct ips){&a->ip, 1};
	a->wish.is_ipv6 = a->ip.family == IP_V6;
	a->wish.field = STR("id");
	return OK;
}

/* ---- the commands ---- */

static const struct cs_action actions[] = {
	{CS_ACTION("listNics", "ec2:DescribeNetworkInterfaces"),
	 .args = PARAMS(struct list_nics, list_params), .prepare = prepare_list, .listing = &nics,
	 .doc = "Lists the NICs of a virtual machine."},
	{CS_ACTION("addNicToVirtualMachine", "ec2:AttachNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct interface_wish, add_params),
	 .sets = {API_SETS(struct interface_wish, is_only),
		  API_SETS(struct interface_wish, by_firewall_alone),
		  API_SETS(struct interface_wish, may_lack_ip)},
	 .operation = engine_plug_interface_run, CS_SUBJECT(struct interface_wish, instance.prefix),
	 .shows = &cs_machines, CS_JOB(SETTLED), .doc = "Adds a NIC to a virtual machine."},
	{CS_ACTION("removeNicFromVirtualMachine", "ec2:DetachNetworkInterface"), .flags = API_WRITES,
	 .args = PARAMS(struct interface_target, remove_params),
	 .sets = {API_SETS(struct interface_target, keeps_first)}, .operation = engine_unplug_interface_run,
	 CS_SUBJECT(struct interface_target, instance.prefix), .shows = &cs_machines, CS_JOB(SETTLED),
	 .doc = "Removes a NIC, except the default one, from a virtual machine."},
	{CS_ACTION("updateDefaultNicForVirtualMachine", "ec2:ModifyNetworkInterfaceAttribute"),
	 .flags = API_WRITES, .args = PARAMS(struct interface_choice, choose_params),
	 .operation = engine_put_interface_first_run, CS_SUBJECT(struct interface_choice, instance.prefix),
	 .shows = &cs_machines, CS_JOB(SETTLED),
	 .doc = "Makes a NIC the default one: it swaps device numbers with the present default NIC."},
	{CS_ACTION("addIpToNic", "ec2:AssignPrivateIpAddresses"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct add_ip, add_ip_params), .prepare = prepare_add_ip, .operation = add_ip,
	 CS_SUBJECT(struct add_ip, made), .shows = &secondary_ips, CS_JOB(MADE),
	 .doc = "Adds a secondary address to a NIC."},
	{CS_ACTION("removeIpFromNic", "ec2:UnassignPrivateIpAddresses"), .flags = API_WRITES,
	 .args = CS_ONE(struct remove_ip, "id", secondary, KIND_SECONDARY_IP, "The secondary address."),
	 .prepare = prepare_remove_ip, .operation = engine_unassign_ips_run, CS_JOB(NOW),
	 .doc = "Removes a secondary address from a NIC."},
};
const struct api_actions cs_nic_actions = API_ACTIONS(actions);
