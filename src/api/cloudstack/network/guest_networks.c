/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes guest networks. The offering decides: isolated network with its own router or
 * without one, shared network whose gateway is outside, L2 network without a subnet, or tier of a VPC. Source
 * of messages: NetworkServiceImpl, NetworkOrchestrator and VpcManagerImpl of 4.20.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "engine/network/guest_network.h"
#include "engine/network/network.h"
#include "engine/resolve.h"
#include "model/network.h"
#include "model/subnet.h"

struct make_network {
	struct guest_network_wish wish;
	struct cs_owner owner;
	struct str offering, acl_type, vlan;
	struct ip mask, start, end, range[2];
	enum choice subdomains;
};
#define P(wire, member, ...) PARAM(struct make_network, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .doc = "Name."),
	P("networkofferingid", offering, .flags = REQUIRED, .doc = "Network offering."),
	P("zoneid", wish.zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Zone."),
	CS_FOR_PARAMS(struct make_network, owner),
	P("displaytext", wish.description, .doc = "Display text."),
	P("gateway", wish.gateway_ip, .doc = "IP address of the gateway; default: 10.1.1.1."),
	P("netmask", mask, .doc = "Netmask; default: 255.255.255.0."),
	P("vpcid", wish.vpc, .kind = KIND_ROUTER, .doc = "VPC of the new tier."),
	P("aclid", wish.acl, .kind = KIND_NETWORK_ACL,
	  .doc = "Network ACL of a tier; absent: the default one of the VPC."),
	P("startip", start, .doc = "First guest address of a shared network."),
	P("endip", end, .doc = "Last guest address; default: startip."),
	P("acltype", acl_type,
	  .doc = "Who may use the network: account, or for a shared network domain. Shared networks of "
		 "administrators default to domain."),
	P("subdomainaccess", subdomains, .doc = "Allows accounts of subdomains to use the network."),
	P("vlan", vlan, .doc = "Refused: no offering has specifyvlan."),
	NOT_BUILT("asnumber|associatednetworkid|bgppeerids|cidrsize|dns1|dns2|endipv6|externalid|ip6cidr|"
		  "ip6dns1|ip6dns2|ip6gateway|isolatedpvlan|isolatedpvlantype|networkdomain|"
		  "physicalnetworkid|privatemtu|publicmtu|routerip|routeripv6|sourcenatipaddress|"
		  "startipv6|tungstenvirtualrouteruuid"),
	NOT_BUILT("displaynetwork", .only = "true"),
	NOT_BUILT("bypassvlanoverlapcheck|hideipaddressusage", .only = "false"),
};
#undef P

/* Counts the mask's leading ones; false: not a mask. */
static bool read_mask(struct ip mask, uint8_t *ret_bits)
{
	uint32_t ones = mask.family == IP_V4 ? ip_to_v4(mask) : 1, rest = ~ones;
	if (mask.family != IP_V4 || (rest & (rest + 1)))
		return false;
	*ret_bits = (uint8_t) __builtin_popcount(ones);
	return true;
}

static bool is_shared(const struct make_network *a)
{
	return a->wish.guest_type != NETWORK_GUEST_TYPE_DESCRIBED;
}

/* Reads gateway and netmask, or neither for CloudStack's default block, which networks may share. */
static RESULT choose_block(struct cs_call *e, struct make_network *a)
{
	static const struct ip gateway = {.b = {10, 1, 1, 1}, .family = IP_V4},
			       mask = {.b = {255, 255, 255, 0}, .family = IP_V4};
	bool has_gateway = !ip_is_none(a->wish.gateway_ip), has_mask = !ip_is_none(a->mask);
	if (!has_gateway && !has_mask && ref_is_given(&a->wish.vpc))
		return cs_fail(e, "gateway", "Gateway/netmask are required when create network for VPC");
	if (!has_gateway && !has_mask && is_shared(a))
		return cs_fail(
			e, "gateway",
			"StartIp/endIp/gateway/netmask are required when create network of type Shared");
	if (has_gateway != has_mask)
		return cs_fail(e, has_gateway ? "netmask" : "gateway",
			       "gateway and netmask must be specified together");
	if (!has_gateway) {
		a->wish.gateway_ip = gateway;
		a->mask = mask;
	}
	struct cidr block = {.base = a->wish.gateway_ip};
	if (!read_mask(a->mask, &block.bits))
		return cs_fail(e, "netmask", "Invalid netmask");
	a->wish.block = cidr_canonical(block);
	return OK;
}

/* The engine checks that the range is in the block, and leaves out the gateway. */
static RESULT choose_range(struct cs_call *e, struct make_network *a)
{
	if (ip_is_none(a->start) && ip_is_none(a->end) && !is_shared(a))
		return OK;
	if (!is_shared(a))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, ip_is_none(a->start) ? STR("endip") : STR("startip"),
			"Ranges of addresses are supported in networks of the type Shared only");
	if (ip_is_none(a->start))
		return cs_fail(e, "startip", "Either IPv4 or IPv6 start and end address are mandatory");
	a->range[0] = a->start;
	a->range[1] = ip_is_none(a->end) ? a->start : a->end;
	if (a->range[0].family != IP_V4 || a->range[1].family != IP_V4)
		return cs_fail(e, "startip", "Invalid format for the startIp parameter");
	if (ip_compare(a->range[0], a->range[1]) > 0)
		return cs_fail(e, "endip", "Invalid range of addresses: startip is above endip");
	a->wish.pools = (struct ips){a->range, 2};
	return OK;
}

static RESULT check_for_account(struct cs_call *e, const struct make_network *a)
{
	if (a->subdomains != CHOICE_DEFAULT)
		return cs_fail(e, "subdomainaccess",
			       "Parameter subDomainAccess can be specified only with aclType=Domain");
	if (ref_is_given(&a->owner.domain) && !a->owner.account.n && !ref_is_given(&a->owner.project))
		return cs_fail(e, "account", "AccountName and domainId must be specified together");
	return OK;
}

static RESULT open_to_domain(struct cs_call *e, struct make_network *a)
{
	bool has_domain = ref_is_given(&a->owner.domain);
	if (!identity_is_admin(e->c->who))
		return ctx_fail_field(e->c, ERR_DENIED, STR("acltype"),
				      "Only admin can create networks with aclType=Domain");
	if (!is_shared(a))
		return cs_fail(e, "acltype", "Only Shared networks can have aclType=Domain");
	a->wish.domain =
		has_domain ? a->owner.domain : cs_ref_of(e->c, KIND_DOMAIN, DOMAIN_DEFAULT, "domainid");
	a->wish.with_subdomains = !has_domain || a->subdomains != CHOICE_NO;
	return OK;
}

/* Chooses who may use the network: its account, or the accounts of a domain. Administrators' shared networks
 * are for the domain ROOT with all below, unless they say otherwise. */
static RESULT choose_access(struct cs_call *e, struct make_network *a)
{
	if (!a->acl_type.n)
		return is_shared(a) && identity_is_admin(e->c->who) ? open_to_domain(e, a)
								    : check_for_account(e, a);
	if (str_equal_nocase(a->acl_type, STR("Domain")))
		return open_to_domain(e, a);
	if (str_equal_nocase(a->acl_type, STR("Account")))
		return check_for_account(e, a);
	return cs_fail(e, "acltype",
		       "Incorrect aclType specified. Check the API documentation for supported types");
}

static RESULT check_l2(struct cs_call *e, const struct make_network *a)
{
	bool has_address = !ip_is_none(a->wish.gateway_ip) || !ip_is_none(a->mask) || !ip_is_none(a->start) ||
			   !ip_is_none(a->end);
	return has_address ? cs_fail(e, "gateway",
				     "Networks of the type L2 have no gateway, netmask or range "
				     "of addresses")
			   : OK;
}

/* A tier has no service that its VPC's offering lacks. */
static RESULT check_tier_services(struct cs_call *e, const struct make_network *a,
				  const struct cs_offering *o)
{
	const struct router *vpc = cs_find_vpc(&e->core, a->wish.vpc.prefix);
	struct str rest = str_from(o->services), service;
	while (vpc && str_split_next(&rest, '|', &service))
		if (service.n && !str_is(service, "Vpn") &&
		    !cs_has_service(cs_services_of_vpc(&e->core, vpc), service))
			return cs_fail(e, "networkofferingid",
				       "The service %" STR_FMT
				       " of the network offering is not one of the VPC offering's",
				       STR_ARG(service));
	return OK;
}

static RESULT check_offering(struct cs_call *e, const struct make_network *a, const struct cs_offering *o)
{
	bool is_tier = ref_is_given(&a->wish.vpc);
	if (a->vlan.n)
		return cs_fail(e, "vlan",
			       "Cannot specify vlanId when create a network from network offering with "
			       "specifyvlan=false");
	if (is_tier != o->is_vpcs)
		return cs_fail(e, "networkofferingid",
			       is_tier ? "The network offering can't be used for VPC networks"
				       : "Network offering can be used for VPC networks only");
	if (is_tier)
		TRY(check_tier_services(e, a, o));
	if (ref_is_given(&a->wish.acl) && !is_tier)
		return cs_fail(e, "aclid", "Cannot apply NetworkACL. Network is not part of a VPC");
	return OK;
}

/* Reference to the offering; kind none for built-in ones, which need not be remembered. */
static struct ref own_ref(struct cs_call *e, const struct cs_offering *o)
{
	return o->own ? cs_ref_of(e->c, KIND_NETWORK_OFFERING, cs_offering_id(o), "networkofferingid")
		      : (struct ref){.kind = KIND_NONE};
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_network *a = args;
	const struct cs_offering *offering = NULL;
	TRY(cs_find_offering(e, a->offering, "networkofferingid", &offering));
	TRY(check_offering(e, a, offering));
	a->wish.has_router = offering->leads_out;
	a->wish.offering = own_ref(e, offering);
	TRY(cs_check_offered(e, &a->wish.offering, a->wish.zone.prefix));
	a->wish.egress_open = offering->egress_open;
	a->wish.guest_type = offering->guest_type;
	a->wish.is_l2 = str_is(str_from(offering->type), "L2");
	a->wish.no_dhcp = is_shared(a) && !cs_has_service(offering->services, STR("Dhcp"));
	TRY(choose_access(e, a));
	if (a->wish.is_l2)
		return check_l2(e, a);
	TRY(choose_block(e, a));
	return choose_range(e, a);
}

/* ---- the others ---- */

struct change_network {
	struct network_settings wish;
	struct str offering;
	enum choice cleans_up;
};
#define NETWORK                                                                                              \
	PARAM(struct change_network, "id", wish.network, .kind = KIND_NETWORK, .flags = REQUIRED,            \
	      .doc = "The network.")
static const struct param update_params[] = {
	NETWORK,
	PARAM(struct change_network, "name", wish.name, .doc = "New name."),
	PARAM(struct change_network, "displaytext", wish.description,
	      .doc = "New display text or description."),
	PARAM(struct change_network, "networkofferingid", offering,
	      .doc = "New network offering of the same type."),
	NOT_BUILT("customid|dns1|dns2|guestvmcidr|ip6dns1|ip6dns2|networkdomain|privatemtu|publicmtu|"
		  "sourcenatipaddress"),
	NOT_BUILT("displaynetwork", .only = "true"),
	NOT_BUILT("changecidr|forced|hideipaddressusage|updateinsequence", .only = "false"),
};
static const struct param restart_params[] = {
	NETWORK,
	PARAM(struct change_network, "cleanup", cleans_up,
	      .doc = "Ignored: there are no virtual routers to recreate."),
	NOT_BUILT("livepatch|makeredundant", .only = "false"),
};

/* The engine checks the operator's offerings again; it does not know the built-in ones. */
static RESULT choose_offering(struct cs_call *e, struct change_network *a)
{
	const struct row *row = tables_find(cs_tables(e), KIND_NETWORK, a->wish.network.prefix);
	const struct cs_offering *next = NULL,
				 *present = row ? cs_find_offering_of(&e->core, network_of(row)) : NULL;
	TRY(cs_find_offering(e, a->offering, "networkofferingid", &next));
	if (present && !cs_offering_may_follow(present, next))
		return cs_fail(e, "networkofferingid",
			       "Can't upgrade from network offering %" STR_FMT " to %" STR_FMT
			       ": it has not all services of the present one",
			       STR_ARG(uuid_to_str(e->c->arena, cs_offering_id(present))),
			       STR_ARG(a->offering));
	a->wish.set_offering = true;
	a->wish.offering = own_ref(e, next);
	const struct subnet *s = row ? cs_find_subnet(&e->core, row->id) : NULL;
	return cs_check_offered(e, &a->wish.offering, s ? s->zone : UUID_NONE);
}

/* An isolated network has a router before it has machines; a shared or L2 network has nothing to restart then.
 * Source of the message: NetworkServiceImpl.restartNetwork(). */
static RESULT prepare_restart(struct cs_call *e, void *args)
{
	const struct change_network *a = args;
	const struct network *network = NULL;
	TRY(engine_find_own_network(e->c, cs_tables(e), &a->wish.network, &network));
	bool has_router = !cs_is_shared(network) && cs_find_subnet(&e->core, network->row.id);
	return has_router || network_usage(network)->ports
		       ? OK
		       : cs_fail(e, "id",
				 "Network is not in the right state to be restarted. Correct states are: "
				 "Implemented, Setup");
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_network *a = args;
	return a->offering.n ? choose_offering(e, a) : OK;
}

struct drop_network {
	struct guest_network_target wish;
	enum choice is_forced;
};
static const struct param delete_params[] = {
	PARAM(struct drop_network, "id", wish.network, .kind = KIND_NETWORK, .flags = REQUIRED,
	      .doc = "The network."),
	PARAM(struct drop_network, "forced", is_forced,
	      .doc = "Ignored: networks are deleted even if a part cannot be reached."),
};

static const struct cs_action actions[] = {
	{CS_ACTION("createNetwork", "ec2:CreateNetwork"), .flags = API_WRITES | CS_OF_ACCOUNT | CS_OF_DOMAIN,
	 .args = PARAMS(struct make_network, create_params), .prepare = prepare_create,
	 .operation = engine_create_guest_network_run, .returns = KIND_NETWORK,
	 CS_SUBJECT(struct make_network, wish.network), .shows = &cs_networks,
	 .doc = "Creates a guest network."},
	{CS_ACTION("updateNetwork", "ec2:ModifyNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct change_network, update_params), .prepare = prepare_update,
	 .operation = engine_update_network_run, CS_SUBJECT(struct change_network, wish.network.prefix),
	 .shows = &cs_networks, CS_JOB(MADE), .doc = "Changes the name or display text of a guest network."},
	{CS_ACTION("restartNetwork", "ec2:ModifyNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct change_network, restart_params), .prepare = prepare_restart,
	 .operation = engine_update_network_run, CS_SUBJECT(struct change_network, wish.network.prefix),
	 .about = KIND_NETWORK, CS_JOB(NOW), .doc = "Reconciles a guest network, and repairs differences."},
	{CS_ACTION("deleteNetwork", "ec2:DeleteNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct drop_network, delete_params), .operation = engine_delete_guest_network_run,
	 CS_SUBJECT(struct drop_network, wish.network.prefix), .about = KIND_NETWORK, CS_JOB(GONE),
	 .doc = "Deletes a guest network and releases its addresses."},
};
const struct api_actions cs_guest_network_actions = API_ACTIONS(actions);
