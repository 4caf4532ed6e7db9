/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes guest networks. The offering decides: isolated network with its own router,
 * L2 network without one, or tier of a VPC. Source of messages: NetworkServiceImpl and VpcManagerImpl of
 * 4.18.
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
	struct str offering;
	struct ip mask;
};
#define P(wire, member, ...) PARAM(struct make_network, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .doc = "Its name."),
	P("networkofferingid", offering, .flags = REQUIRED, .doc = "What it is made by."),
	P("zoneid", wish.zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Where its machines are."),
	CS_FOR_PARAMS(struct make_network, owner),
	P("displaytext", wish.description, .doc = "A text for people."),
	P("gateway", wish.gateway_ip, .doc = "The gateway's address; 10.1.1.1."),
	P("netmask", mask, .doc = "The netmask; 255.255.255.0."),
	P("vpcid", wish.vpc, .kind = KIND_ROUTER, .doc = "The VPC whose tier it is to be."),
	P("aclid", wish.acl, .kind = KIND_NETWORK_ACL, .doc = "A tier's list; else its VPC's own."),
	NOT_BUILT("asnumber|associatednetworkid|bgppeerids|cidrsize|dns1|dns2|endip|endipv6|externalid|"
		  "ip6cidr|ip6dns1|ip6dns2|ip6gateway|isolatedpvlan|isolatedpvlantype|networkdomain|"
		  "physicalnetworkid|privatemtu|publicmtu|routerip|routeripv6|sourcenatipaddress|startip|"
		  "startipv6|subdomainaccess|tungstenvirtualrouteruuid|vlan"),
	NOT_BUILT("acltype", .only = "account"),
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

/* Reads gateway and netmask, or neither for CloudStack's default block, which networks may share. */
static RESULT choose_block(struct cs_call *e, struct make_network *a)
{
	static const struct ip gateway = {.b = {10, 1, 1, 1}, .family = IP_V4},
			       mask = {.b = {255, 255, 255, 0}, .family = IP_V4};
	bool has_gateway = !ip_is_none(a->wish.gateway_ip), has_mask = !ip_is_none(a->mask);
	if (!has_gateway && !has_mask && ref_is_given(&a->wish.vpc))
		return cs_fail(e, "gateway", "Gateway/netmask are required when create network for VPC");
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

/* A tier has no service that its VPC's offering lacks. */
static RESULT check_tier_services(struct cs_call *e, const struct make_network *a,
				  const struct cs_offering *o)
{
	const struct router *vpc = cs_find_vpc(&e->core, a->wish.vpc.prefix);
	struct str rest = str_from(o->services), service;
	while (vpc && str_split_next(&rest, '|', &service))
		if (service.n && !cs_has_service(cs_services_of_vpc(&e->core, vpc), service))
			return cs_fail(e, "networkofferingid",
				       "The service %" STR_FMT
				       " of the network offering is not one of the VPC offering's",
				       STR_ARG(service));
	return OK;
}

static RESULT check_offering(struct cs_call *e, const struct make_network *a, const struct cs_offering *o)
{
	bool is_tier = ref_is_given(&a->wish.vpc);
	if (str_is(str_from(o->type), "Shared") && !identity_is_admin(e->c->who))
		return ctx_fail_field(e->c, ERR_DENIED, STR("networkofferingid"),
				      "Only administrators make networks of the type Shared");
	if (str_is(str_from(o->type), "Shared"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("networkofferingid"),
				      "Networks of the type Shared are not supported");
	if (str_is(str_from(o->type), "L2"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("networkofferingid"),
				      "Networks of the type L2 are not supported: each NIC has an address");
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
	return choose_block(e, a);
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
	PARAM(struct change_network, "name", wish.name, .doc = "Its new name."),
	PARAM(struct change_network, "displaytext", wish.description, .doc = "Its new text."),
	PARAM(struct change_network, "networkofferingid", offering,
	      .doc = "Another offering of the same sort."),
	NOT_BUILT("customid|dns1|dns2|guestvmcidr|ip6dns1|ip6dns2|networkdomain|privatemtu|publicmtu|"
		  "sourcenatipaddress"),
	NOT_BUILT("displaynetwork", .only = "true"),
	NOT_BUILT("changecidr|forced|hideipaddressusage|updateinsequence", .only = "false"),
};
static const struct param restart_params[] = {
	NETWORK,
	PARAM(struct change_network, "cleanup", cleans_up,
	      .doc = "Whether its virtual routers are made anew: it has none."),
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
	      .doc = "Whether it goes although a part of it cannot be reached: it always does."),
};

static const struct cs_action actions[] = {
	{CS_ACTION("createNetwork", "ec2:CreateNetwork"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct make_network, create_params), .prepare = prepare_create,
	 .operation = engine_create_guest_network_run, .returns = KIND_NETWORK,
	 CS_SUBJECT(struct make_network, wish.network), .shows = &cs_networks,
	 .doc = "Makes a guest network, with what leads out of it."},
	{CS_ACTION("updateNetwork", "ec2:ModifyNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct change_network, update_params), .prepare = prepare_update,
	 .operation = engine_update_network_run, CS_SUBJECT(struct change_network, wish.network.prefix),
	 .shows = &cs_networks, CS_JOB(MADE), .doc = "Changes a guest network's name or text."},
	{CS_ACTION("restartNetwork", "ec2:ModifyNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct change_network, restart_params), .operation = engine_update_network_run,
	 CS_SUBJECT(struct change_network, wish.network.prefix), .about = KIND_NETWORK, CS_JOB(NOW),
	 .doc = "Has a guest network compared with what is there, and brought about where it differs."},
	{CS_ACTION("deleteNetwork", "ec2:DeleteNetwork"), .flags = API_WRITES,
	 .args = PARAMS(struct drop_network, delete_params), .operation = engine_delete_guest_network_run,
	 CS_SUBJECT(struct drop_network, wish.network.prefix), .about = KIND_NETWORK, CS_JOB(GONE),
	 .doc = "Deletes a guest network with what was made with it, and releases its addresses."},
};
const struct api_actions cs_guest_network_actions = API_ACTIONS(actions);
