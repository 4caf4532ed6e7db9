/* SPDX-License-Identifier: Apache-2.0
 * listVirtualMachines: the instances of the caller's account. */
#include "api/cloudstack/internal.h"
#include "engine/instance/instance.h"
#include "model/state.h"
#include "model/states.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/image.h"
#include "store/instance_type.h"
#include "store/network.h"
#include "store/port.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/zone.h"

struct list_machines {
	struct cloudstack_list_args list;
	struct ref zone, template, offering;
	struct str state, key_name, hypervisor;
	enum choice lists_all, is_recursive;
};
static const struct param params[] = {
	CLOUDSTACK_LIST_PARAMS(struct list_machines, KIND_INSTANCE),
	PARAM(struct list_machines, "zoneid", zone, .kind = KIND_ZONE, .doc = "In this zone."),
	PARAM(struct list_machines, "templateid", template, .kind = KIND_IMAGE,
	      .doc = "Made from this template."),
	PARAM(struct list_machines, "serviceofferingid", offering, .kind = KIND_INSTANCE_TYPE,
	      .doc = "Of this size."),
	PARAM(struct list_machines, "state", state, .doc = "In this state; Present: not destroyed."),
	PARAM(struct list_machines, "keypair", key_name, .doc = "With this key pair."),
	PARAM(struct list_machines, "hypervisor", hypervisor, .doc = "KVM is the only one."),
	PARAM(struct list_machines, "listall", lists_all, .doc = "Of a user: the account's own either way."),
	PARAM(struct list_machines, "isrecursive", is_recursive,
	      .doc = "Makes no difference without domains below."),
	NOT_BUILT("account"),
	NOT_BUILT("domainid"),
	NOT_BUILT("projectid"),
	NOT_BUILT("affinitygroupid"),
	NOT_BUILT("arch"),
	NOT_BUILT("autoscalevmgroupid"),
	NOT_BUILT("backupofferingid"),
	NOT_BUILT("clusterid"),
	NOT_BUILT("extensionid"),
	NOT_BUILT("forvirtualnetwork"),
	NOT_BUILT("groupid"),
	NOT_BUILT("haenable"),
	NOT_BUILT("hostid"),
	NOT_BUILT("isoid"),
	NOT_BUILT("networkid"),
	NOT_BUILT("podid"),
	NOT_BUILT("securitygroupid"),
	NOT_BUILT("storageid"),
	NOT_BUILT("tags"),
	NOT_BUILT("userid"),
	NOT_BUILT("userdataid"),
	NOT_BUILT("vpcid"),
	NOT_BUILT("isvnf"),
	NOT_BUILT("leased"),
	NOT_BUILT("gpuenabled"),
};

static struct str state_of(const struct instance *i)
{
	return str_from(model_instance_states[model_derive_instance_state(i)].cloudstack);
}

static struct str get_name(struct cloudstack_call *e, const struct row *row)
{
	struct str name = instance_of(row)->name;
	return name.n ? name : uuid_to_str(e->c->arena, row->id);
}

static bool is_one(const struct ref *ref, uuid id)
{
	return !ref_is_given(ref) || uuid_equal(ref->prefix, id);
}

static bool matches(struct cloudstack_call *e, const void *args, const struct row *row)
{
	const struct list_machines *a = args;
	const struct instance *i = instance_of(row);
	(void) e;
	return is_one(&a->zone, i->zone) && is_one(&a->template, i->image) && is_one(&a->offering, i->type) &&
	       (!a->key_name.n || str_equal(a->key_name, i->key_name)) &&
	       (!a->hypervisor.n || str_equal_nocase(a->hypervisor, STR("KVM"))) &&
	       (!a->state.n || str_is(a->state, "Present") || str_equal(a->state, state_of(i)));
}

/* ---- what is shown ---- */

static void write_owner(struct cloudstack_call *e, struct json_writer *w, uuid id)
{
	const struct tables *t = cloudstack_tables(e);
	const struct account *account = account_find(t, id);
	const struct domain *domain = account ? domain_find(t, account->domain) : NULL;
	if (account)
		json_write_text(w, "account", account->name);
	if (domain) {
		cloudstack_write_id(e, w, "domainid", domain->row.id);
		json_write_text(w, "domain", domain->name);
	}
}

static void write_groups(struct cloudstack_call *e, struct json_writer *w, const struct instance *i)
{
	const struct tables *t = cloudstack_tables(e);
	const struct port *p = port_first_by_instance(t, i->row.id);
	json_write_open_list(w, "securitygroup");
	for (size_t k = 0; p && k < p->groups.count; k++) {
		const struct security_group *group = security_group_find(t, p->groups.at[k]);
		json_write_open(w, NULL);
		cloudstack_write_id(e, w, "id", p->groups.at[k]);
		if (group)
			json_write_text(w, "name", group->name);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_nic(struct cloudstack_call *e, struct json_writer *w, const struct port *p)
{
	const struct tables *t = cloudstack_tables(e);
	const struct network *network = network_find(t, p->network);
	const struct subnet *subnet = subnet_find(t, p->subnet);
	char text[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	json_write_open(w, NULL);
	cloudstack_write_id(e, w, "id", p->row.id);
	cloudstack_write_id(e, w, "networkid", p->network);
	if (network && network->name.n)
		json_write_text(w, "networkname", network->name);
	if (subnet && subnet->block.base.family == IP_V4) {
		const struct cidr all = {{.family = IP_V4}, 0}, ones = {cidr_last(all), subnet->block.bits};
		json_write_z(w, "gateway", ip_write(subnet->gateway_ip, text));
		json_write_z(w, "netmask", ip_write(cidr_canonical(ones).base, text));
	}
	json_write_z(w, "ipaddress", ip_write(p->ip, text));
	json_write_bool(w, "isdefault", p->device_index == 0);
	json_write_z(w, "macaddress", mac_write(p->mac, mac));
	json_write_z(w, "type", "Isolated");
	json_write_z(w, "traffictype", "Guest");
	json_write_text(w, "deviceid", str_print(e->c->arena, "%d", (int) p->device_index));
	json_write_close(w);
}

static void write_nics(struct cloudstack_call *e, struct json_writer *w, const struct instance *i)
{
	const struct tables *t = cloudstack_tables(e);
	json_write_open_list(w, "nic");
	for (const struct port *p = port_first_by_instance(t, i->row.id); p; p = port_next_by_instance(t, p))
		if (row_is_live(&p->row))
			write_nic(e, w, p);
	json_write_close_list(w);
}

static void write_machine(struct cloudstack_call *e, struct json_writer *w, const struct row *row)
{
	const struct tables *t = cloudstack_tables(e);
	const struct instance *i = instance_of(row);
	const struct zone *zone = zone_find(t, i->zone);
	const struct image *image = image_find(t, i->image);
	const struct instance_type *type = instance_type_find(t, i->type);
	struct str name = get_name(e, row);
	cloudstack_write_id(e, w, "id", row->id);
	json_write_text(w, "name", name);
	json_write_text(w, "displayname", name);
	write_owner(e, w, i->account);
	cloudstack_write_time(e, w, "created", row->created_us);
	json_write_text(w, "state", state_of(i));
	json_write_bool(w, "haenable", false);
	cloudstack_write_id(e, w, "zoneid", i->zone);
	if (zone)
		json_write_text(w, "zonename", zone->name);
	cloudstack_write_id(e, w, "templateid", i->image);
	if (image)
		json_write_text(w, "templatename", image->name);
	json_write_bool(w, "passwordenabled", false);
	cloudstack_write_id(e, w, "serviceofferingid", i->type);
	if (type)
		json_write_text(w, "serviceofferingname", type->name);
	json_write_int(w, "cpunumber", i->vcpus);
	json_write_int(w, "cpuspeed", CLOUDSTACK_CPU_SPEED_MHZ);
	json_write_int(w, "memory", i->memory >> 20);
	json_write_int(w, "rootdeviceid", 0);
	json_write_z(w, "rootdevicetype", "ROOT");
	write_groups(e, w, i);
	write_nics(e, w, i);
	json_write_z(w, "hypervisor", "KVM");
	if (i->key_name.n)
		json_write_text(w, "keypair", i->key_name);
	json_write_bool(w, "isdynamicallyscalable", false);
}

static const struct cloudstack_listing machines = {.kind = KIND_INSTANCE,
						   .account_index = INSTANCE_INDEX_ACCOUNT,
						   .item = "virtualmachine",
						   .get_name = get_name,
						   .matches = matches,
						   .write = write_machine};
const struct cloudstack_action cloudstack_machine_actions[1] = {{
	.name = "listVirtualMachines",
	.permit = "ec2:DescribeInstances",
	.args = PARAMS(struct list_machines, params),
	.list = &machines,
	.doc = "Virtual machines.",
}};
