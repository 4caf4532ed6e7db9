/* SPDX-License-Identifier: Apache-2.0
 * listNetworks: networks with their first subnet. A network on a VPC's router is a tier; one without a
 * subnet is an L2 network. Networks that are granted to the account are listed with its own. Source of the
 * members and filters: ApiResponseHelper.createNetworkResponse() and ListNetworksCmd of 4.20.
 */
#include "api/cloudstack/network/network.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/network/network_grant.h"
#include "engine/resolve.h"
#include "model/zone.h"
#include "store/domain.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/network_acl.h"
#include "store/network_grant.h"
#include "store/network_offering.h"
#include "store/router.h"
#include "store/subnet.h"

struct list_networks {
	struct cs_list_args list;
	struct ref zone, vpc, project;
	struct str traffic_type, type, acl_type, filter, offering;
	enum choice is_system, for_vpc, can_deploy;
};
#define P(wire, member, ...) PARAM(struct list_networks, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_networks, KIND_NETWORK),
	CS_NAME_PARAM(struct list_networks),
	CS_OWNER_PARAMS(struct list_networks),
	CS_PROJECT_PARAM(struct list_networks, project),
	CS_TAGS_PARAM(struct list_networks),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone of the network."),
	P("vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC of the tiers."),
	P("forvpc", for_vpc, .doc = "Whether the network is a VPC tier."),
	P("traffictype", traffic_type, .doc = "Traffic type; only Guest."),
	P("type", type, .doc = "Guest type: Isolated, Shared or L2."),
	P("networkofferingid", offering, .doc = "Network offering of the network."),
	P("acltype", acl_type, .words = "Account|Domain", .doc = "ACL type: Account or Domain."),
	P("networkfilter", filter, .words = "Account|Domain|AccountDomain|Shared|All",
	  .doc = "Which networks to list: Account, Domain, AccountDomain (both), Shared (granted by other "
		 "accounts), or All (default)."),
	P("issystem", is_system, .doc = "System networks; there are none."),
	P("canusefordeploy", can_deploy, .doc = "Ignored: virtual machines can use every network."),
	NOT_BUILT("associatednetworkid|physicalnetworkid|supportedservices|vlan"),
	NOT_BUILT("displaynetwork", .only = "true"),
	NOT_BUILT("restartrequired|retrieveonlyresourcecount|showicon|specifyipranges", .only = "false"),
};
#undef P

enum rank { WITHOUT_ROUTER, ROUTED, TIER_OF_VPC };

static enum rank rank_of(const struct tables *t, const struct subnet *s)
{
	const struct router *router = router_find(t, s->router);
	if (!router || !row_is_live(&router->row))
		return WITHOUT_ROUTER;
	return router->blocks.count ? TIER_OF_VPC : ROUTED;
}

/* CloudStack's networks have one subnet, Neutron's any number. A further subnet created through Neutron must
 * not hide the one that makes the network a VPC's tier. */
static const struct subnet *subnet_in(const struct tables *t, uuid network)
{
	const struct subnet *found = NULL;
	for (const struct subnet *s = subnet_first_by_network(t, network); s;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row) && s->block.base.family == IP_V4 &&
		    (!found || rank_of(t, s) > rank_of(t, found)))
			found = s;
	return found;
}

const struct subnet *cs_find_subnet(struct api_call *e, uuid network)
{
	return subnet_in(api_tables(e), network);
}

/* Name of the network, else of its subnet (EC2), else its id. */
struct str cs_get_network_name(struct api_call *e, const struct row *row)
{
	const struct subnet *s = cs_find_subnet(e, row->id);
	const struct tag *tag = s ? tags_find(s->tags, STR("Name")) : NULL;
	struct str name = network_of(row)->name;
	if (!name.n && s)
		name = tag && tag->value.n ? tag->value : s->name;
	return name.n ? name : uuid_to_str(e->c->arena, row->id);
}

const struct router *cs_find_vpc(struct api_call *e, uuid router)
{
	const struct router *vpc = router_find(api_tables(e), router);
	return vpc && row_is_live(&vpc->row) && vpc->blocks.count ? vpc : NULL;
}

struct str cs_get_vpc_name(struct api_call *e, const struct row *row)
{
	const struct router *vpc = router_of(row);
	const struct tag *tag = tags_find(vpc->tags, STR("Name"));
	if (vpc->name.n)
		return vpc->name;
	return tag && tag->value.n ? tag->value : uuid_to_str(e->c->arena, row->id);
}

void cs_write_vpc(struct api_call *e, struct json_writer *w, const struct router *vpc)
{
	if (!vpc)
		return;
	json_write_text(w, "vpcid", uuid_to_str(e->c->arena, vpc->row.id));
	json_write_text(w, "vpcname", cs_get_vpc_name(e, &vpc->row));
}

static const struct router *vpc_of(struct api_call *e, const struct subnet *s)
{
	return s ? cs_find_vpc(e, s->router) : NULL;
}

struct str cs_get_acl_name(struct api_call *e, const struct row *row)
{
	const struct network_acl *acl = network_acl_of(row);
	const struct tag *tag = tags_find(acl->tags, STR("Name"));
	if (acl->name.n || acl->is_default)
		return acl->name.n ? acl->name : STR("default_allow");
	return tag && tag->value.n ? tag->value : uuid_to_str(e->c->arena, row->id);
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return network_usage(network_of(row))->ports ? STR("Implemented") : STR("Allocated");
}

/* A network without a subnet, or whose subnet names no zone, is in all of them. */
static bool is_in_zone(const struct subnet *s, const struct ref *zone)
{
	return !ref_is_given(zone) || !s || uuid_is_none(s->zone) || uuid_equal(s->zone, zone->prefix);
}

bool cs_is_shared(const struct network *network)
{
	return network->guest_type != NETWORK_GUEST_TYPE_DESCRIBED;
}

/* Shared network for the accounts of a domain; one for everybody is for the domain ROOT with its subdomains. */
bool cs_is_network_of_domain(struct api_call *e, const struct network *n)
{
	return cs_is_shared(n) && (!uuid_is_none(n->domain) ||
				   network_grant_find_by_network(api_tables(e), n->row.id, false, UUID_NONE));
}

struct cs_isolated cs_find_isolated(const struct tables *t, uuid account, uuid zone, bool with_source_nat)
{
	struct cs_isolated found = {0};
	for (const struct network *n = network_first_by_account(t, account); n;
	     n = network_next_by_account(t, n)) {
		const struct subnet *s = row_is_live(&n->row) && !external_network_find(t, n->row.id)
						 ? subnet_in(t, n->row.id)
						 : NULL;
		if (!s || cs_is_shared(n) || !(uuid_is_none(s->zone) || uuid_equal(s->zone, zone)))
			continue;
		bool is_tier = rank_of(t, s) == TIER_OF_VPC;
		if (!is_tier && with_source_nat && !cs_has_source_nat(t, s))
			continue;
		found.tiers += is_tier;
		found.count += !is_tier;
		if (!is_tier || !found.count)
			found.network = n->row.id;
	}
	return found;
}

/* True if the request includes guest networks: there are no others. */
static bool asks_for_guests(const struct list_networks *a)
{
	return (!a->traffic_type.n || str_equal_nocase(a->traffic_type, STR("Guest"))) &&
	       a->is_system != CHOICE_YES && a->can_deploy != CHOICE_NO;
}

/* True if the network is for those that acltype and networkfilter name. */
static bool is_for(struct api_call *e, const struct list_networks *a, const struct network *n)
{
	bool is_domains = cs_is_network_of_domain(e, n), is_own = uuid_equal(n->account, e->c->who->account);
	bool fits_filter = !a->filter.n || str_is(a->filter, "All") ||
			   (str_is(a->filter, "Domain")    ? is_domains
			    : str_is(a->filter, "Account") ? is_own && !is_domains
			    : str_is(a->filter, "Shared")  ? !is_own && !is_domains
							   : is_own || is_domains);
	return fits_filter && (!a->acl_type.n || str_is(a->acl_type, "Domain") == is_domains);
}

static bool sees(struct api_call *e, const struct row *row)
{
	return engine_may_use(e->c, api_tables(e), KIND_NETWORK, row);
}

/* The list of an account, domain or project that the caller names has no networks of others. */
static RESULT add_granted(struct api_call *e, struct rows *ret_rows)
{
	const struct list_networks *a = e->args;
	if (a->list.account.n || ref_is_given(&a->list.domain) || ref_is_given(&a->project))
		return OK;
	return engine_list_granted_networks(e->c, api_tables(e), ret_rows);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_networks *a = args;
	const struct subnet *s = cs_find_subnet(e, row->id);
	bool is_tier = vpc_of(e, s);
	const struct cs_offering *offering = cs_find_offering_of(e, network_of(row));
	bool is_guests = !external_network_find(api_tables(e), row->id);
	return is_guests && asks_for_guests(a) && is_for(e, a, network_of(row)) && is_in_zone(s, &a->zone) &&
	       (!a->type.n || str_equal_nocase(a->type, str_from(offering->type))) &&
	       (!a->offering.n ||
		str_equal_nocase(a->offering, uuid_to_str(e->c->arena, cs_offering_id(offering)))) &&
	       (!ref_is_given(&a->vpc) || (is_tier && uuid_equal(s->router, a->vpc.prefix))) &&
	       (a->for_vpc == CHOICE_DEFAULT || (a->for_vpc == CHOICE_YES) == is_tier);
}

static void write_subnet(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = cs_find_subnet(e, row->id);
	char text[CIDR_TEXT_SIZE], gateway[IP_TEXT_SIZE], mask[IP_TEXT_SIZE];
	if (!s)
		return;
	const struct cidr all = {{.family = IP_V4}, 0}, ones = {cidr_last(all), s->block.bits};
	json_write_z(w, name, cidr_write(s->block, text));
	json_write_z(w, "netmask", ip_write(cidr_canonical(ones).base, mask));
	if (!ip_is_none(s->gateway_ip))
		json_write_z(w, "gateway", ip_write(s->gateway_ip, gateway));
}

static void write_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = cs_find_subnet(e, row->id);
	const struct row *zone = s ? tables_find(api_tables(e), KIND_ZONE, s->zone) : NULL;
	if (!zone) {
		cs_write_any_zone(e, w, name, row);
		return;
	}
	json_write_text(w, name, uuid_to_str(e->c->arena, zone->id));
	json_write_text(w, "zonename", zone_of(zone)->name);
}

static void write_vpc(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	cs_write_vpc(e, w, vpc_of(e, cs_find_subnet(e, row->id)));
}

void cs_write_any_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct row *zone = tables_first(api_tables(e), KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	(void) row;
	while (zone && !zone_of(zone)->enabled)
		zone = tables_next(api_tables(e), KIND_ZONE, ZONE_INDEX_NAME, zone, 0);
	if (!zone)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, zone->id));
	json_write_text(w, "zonename", zone_of(zone)->name);
}

static void write_offering(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct cs_offering *o = cs_find_offering_of(e, network_of(row));
	json_write_text(w, name, uuid_to_str(e->c->arena, cs_offering_id(o)));
	json_write_z(w, "networkofferingname", o->name);
	json_write_z(w, "networkofferingdisplaytext", o->text);
	json_write_bool(w, "networkofferingconservemode", !o->own || o->own->conserves);
	json_write_z(w, "networkofferingavailability",
		     o->leads_out && !o->own && !o->egress_open ? "Required" : "Optional");
	json_write_z(w, "type", o->type);
	cs_write_services(w, o->services, o->provider, CS_OF_NETWORK);
}

static void write_acl(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = cs_find_subnet(e, row->id);
	const struct network_acl *acl = s && vpc_of(e, s) ? network_acl_find(api_tables(e), s->acl) : NULL;
	if (!acl)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, acl->row.id));
	json_write_text(w, "aclname", cs_get_acl_name(e, &acl->row));
}

/* Display text, else the name. */
static struct str get_text(struct api_call *e, const struct row *row)
{
	struct str said = network_of(row)->description;
	return said.n ? said : cs_get_network_name(e, row);
}

/* Written for isolated networks only. */
static void write_egress(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct network *network = network_of(row);
	const struct cs_offering *o = cs_find_offering_of(e, network);
	if (!o->is_vpcs && str_is(str_from(o->type), "Isolated"))
		json_write_bool(w, name, !network->has_firewall || network->egress_open);
}

/* A domain's network shows the domain, and no account. */
static void write_owner(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct network *n = network_of(row);
	const struct row *account = tables_find(api_tables(e), KIND_ACCOUNT, n->account);
	bool is_everybodys = uuid_is_none(n->domain);
	uuid id = is_everybodys ? DOMAIN_DEFAULT : n->domain;
	const struct domain *domain = cs_is_network_of_domain(e, n) ? domain_find(api_tables(e), id) : NULL;
	if (domain) {
		json_write_text(w, "domainid", uuid_to_str(e->c->arena, id));
		json_write_text(w, "domain", cs_domain_name(domain));
		json_write_bool(w, "subdomainaccess", is_everybodys || n->with_subdomains);
	} else if (account) {
		cs_write_owner(e, w, name, account);
	}
}

static struct str get_acl_type(struct api_call *e, const struct row *row)
{
	return cs_is_network_of_domain(e, network_of(row)) ? STR("Domain") : STR("Account");
}

static void write_ranges(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	json_write_bool(w, name, str_is(str_from(cs_find_offering_of(e, network_of(row))->type), "Shared"));
}

static const struct member members[] = {
	MEMBER(struct network, "id", row.id),
	MEMBER_TEXT("name", cs_get_network_name),
	MEMBER_TEXT("displaytext", get_text),
	MEMBER_WRITTEN("account", write_owner, .also = "projectid|project|domainid|domain|subdomainaccess"),
	MEMBER_FIXED("traffictype", "\"Guest\""),
	MEMBER_WRITTEN("cidr", write_subnet, .also = "netmask|gateway"),
	MEMBER_WRITTEN("zoneid", write_zone, .also = "zonename"),
	MEMBER_WRITTEN("vpcid", write_vpc, .also = "vpcname"),
	MEMBER_TEXT("state", get_state),
	MEMBER(struct network, "related", row.id),
	MEMBER_WRITTEN("networkofferingid", write_offering,
		       .also = "networkofferingname|networkofferingdisplaytext|networkofferingconservemode|"
			       "networkofferingavailability|type|service"),
	MEMBER_WRITTEN("aclid", write_acl, .also = "aclname"),
	MEMBER_FIXED("broadcastdomaintype", "\"Geneve\""),
	MEMBER_WRITTEN("egressdefaultpolicy", write_egress),
	MEMBER_TEXT("acltype", get_acl_type),
	MEMBER_AS(struct network, TIME, "created", row.created_us),
	MEMBER_FIXED("issystem|isdefault|restartrequired", "false"),
	MEMBER_WRITTEN("specifyipranges", write_ranges),
	MEMBER_FIXED("specifyvlan|strechedl2subnet|redundantrouter", "false"),
	MEMBER_FIXED("canusefordeploy|ispersistent|displaynetwork", "true"),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
const struct api_listing cs_networks =
	CS_LISTING(KIND_NETWORK, "network", members, .get_name = cs_get_network_name, .sees = sees,
		   .add = add_granted, .matches = matches);

static const struct cs_action actions[] = {
	{CS_ACTION("listNetworks", "ec2:DescribeNetworks"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_networks, params), .listing = &cs_networks,
	 .doc = "Lists guest networks."},
};
const struct api_actions cs_network_actions = API_ACTIONS(actions);
