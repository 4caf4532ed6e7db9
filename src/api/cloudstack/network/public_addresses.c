/* SPDX-License-Identifier: Apache-2.0
 * Public addresses and static NAT. Users' addresses are EC2's elastic addresses. Source NAT addresses of
 * routers and automatic addresses of running machines (system) are shown, but cannot be changed. Source of
 * messages: NetworkServiceImpl, IpAddressManagerImpl, RulesManagerImpl and AssociateIPAddrCmd of 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/network/address/address.h"
#include "engine/network/port/port.h"
#include "engine/resolve.h"
#include "model/external_network.h"
#include "model/zone.h"
#include "store/account.h"
#include "store/address.h"
#include "store/domain.h"
#include "store/gateway.h"
#include "store/instance.h"
#include "store/network.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- what an address is for ---- */

/* Gateway that uses the address for source NAT; NULL: none. */
static const struct gateway *find_source_nat(struct api_call *e, const struct address *a)
{
	const struct gateway *g = a->is_elastic ? NULL : gateway_first_by_account(api_tables(e), a->account);
	while (g && !(row_is_live(&g->row) && uuid_equal(g->address, a->row.id)))
		g = gateway_next_by_account(api_tables(e), g);
	return g;
}

/* Port with static NAT to the address; NULL: none. */
static const struct port *find_port(struct api_call *e, const struct address *a)
{
	const struct port *port = uuid_is_none(a->port) ? NULL : port_find(api_tables(e), a->port);
	return port && row_is_live(&port->row) && !uuid_is_none(port->instance) ? port : NULL;
}

/* First network on a router that is not a VPC. */
static uuid find_isolated(struct api_call *e, uuid router)
{
	const struct subnet *s = cs_find_vpc(e, router) ? NULL : subnet_find_by_router(api_tables(e), router);
	return s ? s->network : UUID_NONE;
}

struct purpose {
	uuid network, vpc;
};

/* Network of the address: from static NAT or port forwarding, else the router, else what it was
 * allocated for. */
static struct purpose find_purpose(struct api_call *e, const struct row *row)
{
	const struct address *a = address_of(row);
	const struct port_forwarding *f = port_forwarding_first_by_address(api_tables(e), row->id);
	const struct port *port = f ? port_find(api_tables(e), f->port) : find_port(e, a);
	const struct gateway *g = find_source_nat(e, a);
	const struct subnet *s = cs_find_subnet(e, a->for_network);
	uuid router = port ? port->router : g ? g->router : s ? s->router : a->for_router;
	const struct router *vpc = cs_find_vpc(e, router);
	struct purpose purpose = {.vpc = vpc ? vpc->row.id : UUID_NONE};
	purpose.network = port ? port->network : g ? find_isolated(e, g->router) : a->for_network;
	return purpose;
}

RESULT cs_read_opens(struct cs_call *e, enum choice asked, const struct ref *address, bool *ret_opens)
{
	const struct address *a = NULL;
	TRY(engine_find_own_address(e->c, cs_tables(e), address, &a));
	const struct subnet *s = cs_find_subnet(&e->core, a->for_network);
	const struct gateway *g = find_source_nat(&e->core, a);
	bool is_vpcs = cs_find_vpc(&e->core, g ? g->router : s ? s->router : a->for_router);
	*ret_opens = asked == CHOICE_DEFAULT ? !is_vpcs : asked == CHOICE_YES;
	return is_vpcs && *ret_opens ? cs_fail(e, "openfirewall",
					       "Can't have openFirewall=true when IP address belongs to VPC")
				     : OK;
}

static bool is_static_nat(struct api_call *e, const struct address *a)
{
	return find_port(e, a) != NULL;
}

/* ---- what is shown ---- */

static void write_purpose(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct purpose purpose = find_purpose(e, row);
	const struct network *network = network_find(api_tables(e), purpose.network);
	if (network && row_is_live(&network->row)) {
		json_write_text(w, name, uuid_to_str(e->c->arena, network->row.id));
		json_write_text(w, "associatednetworkname", cs_get_network_name(e, &network->row));
	}
	cs_write_vpc(e, w, cs_find_vpc(e, purpose.vpc));
}

static void write_machine(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct address *a = address_of(row);
	const struct port *port = find_port(e, a);
	const struct instance *i = port ? instance_find(api_tables(e), port->instance) : NULL;
	if (!i)
		return;
	cs_write_machine(e, w, name, i);
	json_write_z(w, "virtualmachinetype", "User");
	json_write_z(w, "vmipaddress", ip_write(a->private_ip, text));
}

static void write_uses(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct address *a = address_of(row);
	bool is_source = find_source_nat(e, a);
	json_write_bool(w, name, is_source);
	json_write_bool(w, "isstaticnat", is_static_nat(e, a));
	json_write_bool(w, "issystem", !a->is_elastic && !is_source);
	if (!a->is_elastic && !is_source && !uuid_is_none(a->port))
		json_write_z(w, "purpose", "StaticNat");
}

#define EXTERNAL .path = {JOIN_ONE(KIND_EXTERNAL_NETWORK, address, external_network)}
static const struct member members[] = {
	MEMBER(struct address, "id", row.id),
	MEMBER(struct address, "ipaddress", ip),
	MEMBER_AS(struct address, TIME, "allocated", row.created_us),
	CS_OWNER_MEMBERS(address),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone, .also = "zonename"),
	MEMBER_WRITTEN("issourcenat", write_uses, .also = "isstaticnat|issystem|purpose"),
	MEMBER_WRITTEN("virtualmachineid", write_machine,
		       .also = "virtualmachinename|virtualmachinedisplayname|virtualmachinetype|vmipaddress"),
	MEMBER_WRITTEN("associatednetworkid", write_purpose, .also = "associatednetworkname|vpcid|vpcname"),
	MEMBER(struct address, "networkid", external_network),
	MEMBER(struct external_network, "networkname", name, EXTERNAL),
	MEMBER(struct address, "physicalnetworkid", external_network),
	MEMBER_FIXED("state", "\"Allocated\""),
	MEMBER_FIXED("forvirtualnetwork|fordisplay", "true"),
	MEMBER_FIXED("isportable|forsystemvms", "false"),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};

/* ---- listPublicIpAddresses ---- */

struct list_addresses {
	struct cs_list_args list;
	struct ref zone, network, associated, physical, vpc, project;
	struct ip ip;
	struct str state;
	enum choice is_source_nat, is_static_nat;
};
#define P(wire, member, ...) PARAM(struct list_addresses, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_addresses, KIND_ADDRESS),
	CS_OWNER_PARAMS(struct list_addresses),
	CS_PROJECT_PARAM(struct list_addresses, project),
	CS_TAGS_PARAM(struct list_addresses),
	P("ipaddress", ip, .doc = "Public address by its IP address."),
	P("associatednetworkid", associated, .kind = KIND_NETWORK, .doc = "Guest network."),
	P("vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC."),
	P("issourcenat", is_source_nat, .doc = "Whether the address is a source NAT address."),
	P("isstaticnat", is_static_nat, .doc = "Whether the address is a static NAT address."),
	P("state", state, .words = "Allocated|Allocating|Releasing|Reserved|Free",
	  .doc = "State. All addresses are Allocated."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: the resources are in every zone."),
	P("networkid", network, .kind = KIND_EXTERNAL_NETWORK, .fits = FITS(address, external_network),
	  .doc = "Public network of the range or address."),
	P("physicalnetworkid", physical, .kind = KIND_EXTERNAL_NETWORK,
	  .fits = FITS(address, external_network), .doc = "Physical network of the range or address."),
	NOT_BUILT("forloadbalancing|vlanid"),
	NOT_BUILT("allocatedonly|fordisplay|forvirtualnetwork", .only = "true"),
	NOT_BUILT("forprovider|forsystemvms|retrieveonlyresourcecount", .only = "false"),
};
#undef P

static bool fits_choice(enum choice choice, bool is)
{
	return choice == CHOICE_DEFAULT || (choice == CHOICE_YES) == is;
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_addresses *a = args;
	const struct address *address = address_of(row);
	const struct purpose purpose = find_purpose(e, row);
	return (ip_is_none(a->ip) || ip_equal(a->ip, address->ip)) &&
	       (!a->state.n || str_is(a->state, "Allocated")) &&
	       fits_choice(a->is_source_nat, find_source_nat(e, address)) &&
	       fits_choice(a->is_static_nat, is_static_nat(e, address)) &&
	       (!ref_is_given(&a->associated) || uuid_equal(a->associated.prefix, purpose.network)) &&
	       (!ref_is_given(&a->vpc) || uuid_equal(a->vpc.prefix, purpose.vpc));
}

static struct str get_ip(struct api_call *e, const struct row *row)
{
	return ip_to_str(e->c->arena, address_of(row)->ip);
}

static const struct api_listing addresses =
	CS_LISTING(KIND_ADDRESS, "publicipaddress", members, .get_name = get_ip, .matches = matches);

/* ---- taken and given back ---- */

struct associate_args {
	struct address_wish wish;
	struct cs_owner owner;
	struct ref zone;
};
#define P(wire, member, ...) PARAM(struct associate_args, wire, member, __VA_ARGS__)
static const struct param associate_params[] = {
	CS_FOR_PARAMS(struct associate_args, owner),
	P("networkid", wish.for_network, .kind = KIND_NETWORK, .doc = "Guest network."),
	P("vpcid", wish.for_router, .kind = KIND_ROUTER, .doc = "VPC."),
	P("zoneid", zone, .kind = KIND_ZONE,
	  .doc = "Zone; without a network, the account's only isolated network there gets the address."),
	P("ipaddress", wish.ip, .doc = "Address to acquire; absent: any."),
	NOT_BUILT("regionid"),
	NOT_BUILT("fordisplay", .only = "true"),
	NOT_BUILT("isportable", .only = "false"),
};
#undef P

/* Chooses the account's only isolated network in the zone. Without one CloudStack refuses; here an
 * account with VPC tiers only may use the address there. CloudStack also counts tiers and networks
 * without source NAT. Source: AssociateIPAddrCmd.getNetworkId(), 4.18. */
static RESULT choose_network(struct cs_call *e, const struct row *zone, struct associate_args *a)
{
	struct cs_isolated networks = cs_find_isolated(cs_tables(e), e->c->who->account, zone->id, true);
	const struct account *account = account_find(cs_tables(e), e->c->who->account);
	const struct domain *domain = account ? domain_find(cs_tables(e), account->domain) : NULL;
	if (networks.count > 1)
		return cs_fail(e, "networkid", "Account has more than one isolated network in the zone");
	if (networks.count == 1)
		a->wish.for_network = cs_ref_of(e->c, KIND_NETWORK, networks.network, "networkid");
	if (networks.count || networks.tiers || !domain)
		return OK;
	return cs_fail(e, "networkid",
		       "Account name=%" STR_FMT " domain=%" STR_FMT
		       " doesn't have virtual networks in zone=%" STR_FMT,
		       STR_ARG(account->name), STR_ARG(cs_domain_name(domain)), STR_ARG(zone_of(zone)->name));
}

static RESULT prepare_associate(struct cs_call *e, void *args)
{
	struct associate_args *a = args;
	const struct row *zone = NULL;
	if (ref_is_given(&a->zone))
		TRY(engine_find(e->c, cs_tables(e), KIND_ZONE, &a->zone, &zone));
	if (!zone && !ref_is_given(&a->wish.for_network) && !ref_is_given(&a->wish.for_router))
		return cs_fail(e, "zoneid",
			       "Unable to figure out zone to assign IP to. Please specify either zoneId, or "
			       "networkId, or vpcId in the call");
	if (ref_is_given(&a->wish.for_router)) /* with a VPC the network is ignored, as in CloudStack */
		a->wish.for_network = (struct ref){0};
	return ref_is_given(&a->wish.for_network) || ref_is_given(&a->wish.for_router)
		       ? OK
		       : choose_network(e, zone, a);
}

/* Finds an address that the user allocated. */
static RESULT find_own(struct cs_call *e, const struct ref *ref, const struct address **ret_address)
{
	TRY(engine_find_own_address(e->c, cs_tables(e), ref, ret_address));
	if (find_source_nat(&e->core, *ret_address))
		return ctx_fail_field(e->c, ERR_PROTECTED, ref->field,
				      "IP address is used for source nat purposes and can not be "
				      "disassociated.");
	if (!(*ret_address)->is_elastic)
		return ctx_fail_field(e->c, ERR_PROTECTED, ref->field,
				      "The system IP address with specified id can't be changed");
	return OK;
}

static const struct param release_params[] = {
	PARAM(struct address_target, "id", address, .kind = KIND_ADDRESS, .flags = REQUIRED,
	      .doc = "The address."),
	NOT_BUILT("ipaddress"),
};

static RESULT prepare_release(struct cs_call *e, void *args)
{
	struct address_target *a = args;
	const struct address *address = NULL;
	a->with_association = a->with_forwardings = true;
	return find_own(e, &a->address, &address);
}

static const struct param update_params[] = {
	PARAM(struct address_change, "id", address, .kind = KIND_ADDRESS, .flags = REQUIRED,
	      .doc = "The address."),
	NOT_BUILT("customid"),
	NOT_BUILT("fordisplay", .only = "true"),
};

/* ---- static NAT ---- */

struct enable_args {
	struct address_association wish;
	struct ref machine, network;
};
static const struct param enable_params[] = {
	PARAM(struct enable_args, "ipaddressid", wish.address, .kind = KIND_ADDRESS, .flags = REQUIRED,
	      .doc = "The address."),
	PARAM(struct enable_args, "virtualmachineid", machine, .kind = KIND_INSTANCE, .flags = REQUIRED,
	      .doc = "Virtual machine that gets the address."),
	PARAM(struct enable_args, "networkid", network, .kind = KIND_NETWORK,
	      .doc = "Network of the NIC; absent: the address's network, or the default NIC."),
	PARAM(struct enable_args, "vmguestip", wish.private_ip, .doc = "Address of the NIC."),
};

/* The machine's NIC in the network; none given: its default NIC. */
static const struct port *find_nic(struct cs_call *e, uuid machine, uuid network)
{
	const struct port *p = port_first_by_instance(cs_tables(e), machine);
	while (p && !(row_is_live(&p->row) &&
		      (uuid_is_none(network) ? p->device_index == 0 : uuid_equal(p->network, network))))
		p = port_next_by_instance(cs_tables(e), p);
	return p;
}

static RESULT prepare_enable(struct cs_call *e, void *args)
{
	struct enable_args *a = args;
	const struct address *address = NULL;
	const struct instance *machine = NULL;
	TRY(find_own(e, &a->wish.address, &address));
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->machine, &machine));
	if (!row_is_live(&machine->row)) /* its ports remain until its host has removed it */
		return engine_fail_not_found(e->c, KIND_INSTANCE, &a->machine);
	bool says_network = ref_is_given(&a->network);
	const struct port *nic =
		find_nic(e, machine->row.id, says_network ? a->network.prefix : address->for_network);
	if (!nic && !says_network)
		nic = find_nic(e, machine->row.id, UUID_NONE);
	if (!nic)
		return cs_fail(e, says_network ? "networkid" : "virtualmachineid",
			       "Vm doesn't belong to the network with specified id");
	a->wish.port = cs_ref_of(e->c, KIND_PORT, nic->row.id, "virtualmachineid");
	a->wish.allow_reassociation = CHOICE_NO;
	return OK;
}

static RESULT prepare_disable(struct cs_call *e, void *args)
{
	struct address_association *a = args;
	const struct address *address = NULL;
	TRY(find_own(e, &a->address, &address));
	return is_static_nat(&e->core, address)
		       ? OK
		       : cs_fail(e, "ipaddressid",
				 "Specified IP address id is not associated with any vm Id");
}

/* ---- the commands ---- */

static const struct cs_action actions[] = {
	{CS_ACTION("listPublicIpAddresses", "ec2:DescribeAddresses"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_addresses, list_params), .listing = &addresses,
	 .doc = "Lists public addresses."},
	{CS_ACTION("associateIpAddress", "ec2:AllocateAddress"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES,
	 .args = PARAMS(struct associate_args, associate_params), .prepare = prepare_associate,
	 .operation = engine_allocate_address_run, CS_SUBJECT(struct associate_args, wish.address),
	 .shows = &addresses, .item = "ipaddress", CS_JOB(MADE), .doc = "Acquires a public address."},
	{CS_ACTION("disassociateIpAddress", "ec2:ReleaseAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct address_target, release_params), .prepare = prepare_release,
	 .operation = engine_release_address_run, CS_SUBJECT(struct address_target, address.prefix),
	 .about = KIND_ADDRESS, CS_JOB(GONE),
	 .doc = "Releases a public address with its port forwarding rules and static NAT."},
	{CS_ACTION("updateIpAddress", "ec2:ModifyAddressAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct address_change, update_params), .operation = engine_change_address_run,
	 CS_SUBJECT(struct address_change, address.prefix), .shows = &addresses, .item = "ipaddress",
	 CS_JOB(MADE), .doc = "Changes nothing: no property of an address can be changed by this command."},
	{CS_ACTION("enableStaticNat", "ec2:AssociateAddress"), .flags = API_WRITES,
	 .args = PARAMS(struct enable_args, enable_params), .prepare = prepare_enable,
	 .operation = engine_associate_address_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Enables static NAT of a public address to a virtual machine."},
	{CS_ACTION("disableStaticNat", "ec2:DisassociateAddress"), .flags = API_WRITES,
	 .args = CS_ONE(struct address_association, "ipaddressid", address, KIND_ADDRESS, "The address."),
	 .prepare = prepare_disable, .operation = engine_disassociate_address_run, CS_JOB(NOW),
	 .doc = "Disables static NAT of a public address."},
};
const struct api_actions cs_public_address_actions = API_ACTIONS(actions);
