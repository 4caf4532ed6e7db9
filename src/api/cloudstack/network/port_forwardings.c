/* SPDX-License-Identifier: Apache-2.0
 * Port forwarding rules of public addresses. In an isolated network each is created with a firewall rule,
 * unless `openfirewall` is false. `cidrlist` is refused as in 4.18; since 4.20 it works in VPCs only.
 * Source: API reference, and messages of the rules manager.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/filter/firewall.h"
#include "engine/resolve.h"
#include "model/address.h"
#include "model/port_forwarding.h"
#include "store/instance.h"
#include "store/port.h"

enum { PORT_LAST = 65535 };

/* ---- listPortForwardingRules ---- */

struct list_rules {
	struct cs_list_args list;
	struct ref address, network, project;
};
#define P(wire, member, ...) PARAM(struct list_rules, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_rules, KIND_PORT_FORWARDING),
	CS_OWNER_PARAMS(struct list_rules),
	CS_PROJECT_PARAM(struct list_rules, project),
	CS_TAGS_PARAM(struct list_rules),
	P("ipaddressid", address, .kind = KIND_ADDRESS, .fits = FITS(port_forwarding, address),
	  .doc = "Public address."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Network of the rule."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static const struct port *port_of_rule(struct api_call *e, const struct row *row)
{
	return port_find(api_tables(e), port_forwarding_of(row)->port);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_rules *a = args;
	const struct port *port = port_of_rule(e, row);
	return !ref_is_given(&a->network) || (port && uuid_equal(port->network, a->network.prefix));
}

static struct str get_protocol(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(port_forwarding_protocol_words[port_forwarding_of(row)->protocol]);
}

static void write_machine(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct port *port = port_of_rule(e, row);
	cs_write_machine(e, w, name, port ? instance_find(api_tables(e), port->instance) : NULL);
}

static const struct member members[] = {
	MEMBER(struct port_forwarding, "id", row.id),
	MEMBER_TEXT("protocol", get_protocol),
	MEMBER_AS(struct port_forwarding, DIGITS, "publicport", public_first),
	MEMBER_AS(struct port_forwarding, DIGITS, "publicendport", public_last),
	MEMBER_AS(struct port_forwarding, DIGITS, "privateport", private_first),
	MEMBER_AS(struct port_forwarding, DIGITS, "privateendport", private_last),
	MEMBER(struct port_forwarding, "ipaddressid", address),
	MEMBER(struct address, "ipaddress", ip, .path = {JOIN_ONE(KIND_ADDRESS, port_forwarding, address)}),
	MEMBER_WRITTEN("virtualmachineid", write_machine,
		       .also = "virtualmachinename|virtualmachinedisplayname"),
	MEMBER(struct port_forwarding, "vmguestip", private_ip),
	MEMBER(struct port, "networkid", network, .path = {JOIN_ONE(KIND_PORT, port_forwarding, port)}),
	MEMBER_FIXED("cidrlist", "\"\""),
	MEMBER_FIXED("state", "\"Active\""),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing rules =
	CS_LISTING(KIND_PORT_FORWARDING, "portforwardingrule", members, .matches = matches);

/* ---- changes ---- */

#define PORT(T, wire, member, flag, text)                                                                    \
	PARAM(T, wire, member, .min = 1, .max = PORT_LAST, .flags = (flag), .doc = (text))

struct make_rule {
	struct port_forwarding_wish wish;
	struct str protocol;
	enum choice opens;
};
#define P(wire, member, ...) PARAM(struct make_rule, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("ipaddressid", wish.address, .kind = KIND_ADDRESS, .flags = REQUIRED, .doc = "The public address."),
	P("protocol", protocol, .flags = REQUIRED, .doc = "Protocol: tcp or udp."),
	PORT(struct make_rule, "publicport", wish.ports.public_first, REQUIRED,
	     "First port of the public address."),
	PORT(struct make_rule, "publicendport", wish.ports.public_last, 0,
	     "Last port of the public address; absent: the first one."),
	PORT(struct make_rule, "privateport", wish.ports.private_first, REQUIRED,
	     "First port of the virtual machine."),
	PORT(struct make_rule, "privateendport", wish.ports.private_last, 0,
	     "Last port of the virtual machine."),
	P("virtualmachineid", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "Virtual machine that the rule leads to."),
	P("networkid", wish.network, .kind = KIND_NETWORK,
	  .doc = "Network of the NIC; needed if the virtual machine has several NICs."),
	P("vmguestip", wish.private_ip, .doc = "Address of the NIC; absent: its first one."),
	P("openfirewall", opens,
	  .doc = "Also creates a firewall rule (default, except for a VPC's address)."),
	NOT_BUILT("cidrlist"),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static bool has_several_nics(const struct tables *t, uuid machine)
{
	size_t count = 0;
	for (const struct port *p = port_first_by_instance(t, machine); p; p = port_next_by_instance(t, p))
		count += row_is_live(&p->row);
	return count > 1;
}

/* Chooses the machine's NIC in the address's network. For other addresses CloudStack requires a network;
 * here it is required only if there is a choice. Source: CreatePortForwardingRuleCmd, 4.18. */
static RESULT choose_network(struct cs_call *e, struct make_rule *a)
{
	const struct address *address = NULL;
	const struct instance *machine = NULL;
	TRY(engine_find_own_address(e->c, cs_tables(e), &a->wish.address, &address));
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &machine));
	uuid behind = address->is_elastic ? UUID_NONE : engine_get_address_network(cs_tables(e), address);
	if (!ref_is_given(&a->wish.network) && !uuid_is_none(behind))
		a->wish.network = cs_ref_of(e->c, KIND_NETWORK, behind, "networkid");
	bool is_said = ref_is_given(&a->wish.network) || !uuid_is_none(address->for_network);
	if (is_said || !has_several_nics(cs_tables(e), machine->row.id))
		return OK;
	return cs_fail(e, "networkid",
		       "Unable to create port forwarding rule for the ipAddress id=%" STR_FMT
		       " as ip is not associated with any network and no networkId is passed in",
		       STR_ARG(a->wish.address.text));
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_rule *a = args;
	struct forwarded_ports *ports = &a->wish.ports;
	bool is_udp = str_equal_nocase(a->protocol, STR("udp"));
	if (!is_udp && !str_equal_nocase(a->protocol, STR("tcp")))
		return cs_fail(e, "protocol",
			       "The protocol %" STR_FMT " of a port forwarding rule is neither tcp nor udp",
			       STR_ARG(a->protocol));
	a->wish.protocol = is_udp ? PORT_FORWARDING_PROTOCOL_UDP : PORT_FORWARDING_PROTOCOL_TCP;
	ports->public_last = ports->public_last ? ports->public_last : ports->public_first;
	ports->private_last = ports->private_last ? ports->private_last : ports->private_first;
	a->wish.is_even = true;
	TRY(choose_network(e, a));
	a->wish.may_be_source_nat = true;
	return cs_read_opens(e, a->opens, &a->wish.address, &a->wish.opens_firewall);
}

#define P(wire, member, ...) PARAM(struct port_forwarding_change, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	P("id", forwarding, .kind = KIND_PORT_FORWARDING, .flags = REQUIRED, .doc = "The rule."),
	PORT(struct port_forwarding_change, "privateport", ports.private_first, 0,
	     "New first port of the virtual machine."),
	PORT(struct port_forwarding_change, "privateendport", ports.private_last, 0,
	     "New last port of the virtual machine."),
	P("virtualmachineid", instance, .kind = KIND_INSTANCE,
	  .doc = "Virtual machine that the rule leads to."),
	P("vmguestip", private_ip, .doc = "New address of the NIC."),
	NOT_BUILT("cidrlist|customid"),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct port_forwarding_change *a = args;
	(void) e;
	if (!a->ports.private_last)
		a->ports.private_last = a->ports.private_first;
	a->is_even = true;
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listPortForwardingRules", "ec2:DescribePortForwardings"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_rules, list_params), .listing = &rules,
	 .doc = "Lists port forwarding rules."},
	{CS_ACTION("createPortForwardingRule", "ec2:CreatePortForwarding"), .flags = API_WRITES | CS_MAKES,
	 .args = PARAMS(struct make_rule, create_params), .prepare = prepare_create,
	 .operation = engine_create_port_forwarding_run, CS_SUBJECT(struct make_rule, wish.forwarding),
	 .shows = &rules, CS_JOB(NOW), .doc = "Forwards ports of a public address to a virtual machine."},
	{CS_ACTION("updatePortForwardingRule", "ec2:ModifyPortForwarding"), .flags = API_WRITES,
	 .args = PARAMS(struct port_forwarding_change, update_params), .prepare = prepare_update,
	 .operation = engine_change_port_forwarding_run,
	 CS_SUBJECT(struct port_forwarding_change, forwarding.prefix), .shows = &rules, CS_JOB(NOW),
	 .doc = "Changes the target of a port forwarding rule."},
	{CS_ACTION("deletePortForwardingRule", "ec2:DeletePortForwarding"), .flags = API_WRITES,
	 .args = CS_ONE(struct port_forwarding_target, "id", forwarding, KIND_PORT_FORWARDING, "The rule."),
	 .operation = engine_delete_port_forwarding_run, CS_JOB(NOW),
	 .doc = "Deletes a port forwarding rule."},
};
const struct api_actions cs_port_forwarding_actions = API_ACTIONS(actions);
