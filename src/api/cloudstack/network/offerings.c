/* SPDX-License-Identifier: Apache-2.0
 * Network offerings, VPC offerings and what they are made of: tables, with the names that CloudStack is installed with. A network does
 * not remember its offering: it has the one that describes it. Egress is open by default in all of them, for there is
 * no firewall that could close it. Sources: NetworkOffering, ConfigurationServer and VpcManagerImpl of 4.18. */
#include "api/cloudstack/network/network.h"
#include "engine/resolve.h"
#include "store/gateway.h"
#include "store/subnet.h"

#define SHARED_SERVICES "Dhcp|Dns|UserData"
#define ISOLATED_SERVICES "Dhcp|Dns|UserData|SourceNat|StaticNat|PortForwarding"
const char cs_vpc_services[] = "Dhcp|Dns|UserData|SourceNat|StaticNat|PortForwarding|NetworkACL",
	   cs_vpc_provider[] = "VpcVirtualRouter";

enum { OFFERING_SOURCE_NAT, OFFERING_ISOLATED, OFFERING_VPC, OFFERING_L2, OFFERING_VPC_NO_LB };
static const struct cs_offering offerings[] = {
	[OFFERING_SOURCE_NAT] = {"DefaultIsolatedNetworkOfferingWithSourceNatService",
				 "Offering for Isolated networks with Source Nat service enabled", "Isolated",
				 .leads_out = true, .provider = "VirtualRouter",
				 .services = ISOLATED_SERVICES},
	[OFFERING_ISOLATED] = {"DefaultIsolatedNetworkOffering",
			       "Offering for Isolated networks with no Source Nat service", "Isolated",
			       .provider = "VirtualRouter", .services = SHARED_SERVICES},
	[OFFERING_VPC] = {"DefaultIsolatedNetworkOfferingForVpcNetworks",
			  "Offering for Isolated Vpc networks with Source Nat service enabled", "Isolated",
			  .is_vpcs = true, .provider = cs_vpc_provider, .services = cs_vpc_services},
	[OFFERING_L2] = {"DefaultL2NetworkOffering", "Offering for L2 networks", "L2", .provider = "",
			 .services = ""},
	[OFFERING_VPC_NO_LB] = {"DefaultIsolatedNetworkOfferingForVpcNetworksNoLB",
				"Offering for Isolated Vpc networks with Source Nat service enabled and LB "
				"service disabled",
				"Isolated", .is_vpcs = true, .provider = cs_vpc_provider,
				.services = cs_vpc_services},
	{"DefaultSharedNetworkOfferingWithSGService", "Offering for Shared Security group enabled networks",
	 "Shared", .provider = "VirtualRouter", .services = SHARED_SERVICES "|SecurityGroup"},
	{"DefaultSharedNetworkOffering", "Offering for Shared networks", "Shared",
	 .provider = "VirtualRouter", .services = SHARED_SERVICES},
	{"QuickCloudNoServices", "Offering for QuickCloud with no services", "Shared", .provider = "",
	 .services = ""},
};
enum { OFFERINGS = sizeof offerings / sizeof offerings[0] };

/* The same in every region, as those of services are. */
static uuid id_of_name(const char *kind, const char *name)
{
	uuid of_kind = uuid_v5(DOMAIN_DEFAULT, str_from(kind));
	return uuid_v5(of_kind, str_from(name));
}

uuid cs_offering_id(const struct cs_offering *offering)
{
	return id_of_name("network offering", offering->name);
}

static bool has_id(struct str text, uuid id)
{
	uuid read;
	return result_is_ok(uuid_parse(text, &read)) && uuid_equal(read, id);
}

RESULT cs_find_offering(struct cs_call *e, struct str id, const char *field,
			const struct cs_offering **ret_offering)
{
	for (size_t k = 0; k < OFFERINGS; k++) {
		if (!has_id(id, cs_offering_id(&offerings[k])))
			continue;
		*ret_offering = &offerings[k];
		return OK;
	}
	return cs_fail_id(e, KIND_NONE, field, id);
}

static bool leads_out(struct api_call *e, uuid router)
{
	const struct gateway *g = gateway_first_by_router(api_tables(e), router);
	while (g && !(row_is_live(&g->row) && g->translates))
		g = gateway_next_by_router(api_tables(e), g);
	return g;
}

const struct cs_offering *cs_find_offering_of(struct api_call *e, const struct subnet *subnet)
{
	if (!subnet)
		return &offerings[OFFERING_L2];
	if (cs_find_vpc(e, subnet->router))
		return &offerings[OFFERING_VPC];
	bool is_out = !uuid_is_none(subnet->router) && leads_out(e, subnet->router);
	return &offerings[is_out ? OFFERING_SOURCE_NAT : OFFERING_ISOLATED];
}

/* ---- services ---- */

static bool has_service(const char *services, struct str service)
{
	struct str rest = str_from(services), one;
	while (str_split_next(&rest, '|', &one))
		if (one.n && str_equal_nocase(one, service))
			return true;
	return false;
}

static void write_providers(struct json_writer *w, const char *provider)
{
	json_write_open_list(w, "provider");
	json_write_open(w, NULL);
	json_write_z(w, "name", provider);
	json_write_close(w);
	json_write_close_list(w);
}

void cs_write_services(struct json_writer *w, const char *services, const char *provider)
{
	struct str rest = str_from(services), name;
	json_write_open_list(w, "service");
	while (str_split_next(&rest, '|', &name)) {
		bool is_group = str_is(name, "SecurityGroup");
		if (!name.n)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", name);
		write_providers(w, is_group ? "SecurityGroupProvider" : provider);
		json_write_open_list(w, "capability");
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static bool has_all(const char *services, const struct strs *wanted)
{
	for (size_t k = 0; k < wanted->count; k++)
		if (!has_service(services, wanted->at[k]))
			return false;
	return true;
}

/* ---- listNetworkOfferings ---- */

struct list_offerings {
	struct cs_list_args list;
	struct str id, text, type, traffic_type, state, availability;
	struct strs services;
	struct ref zone, domain;
	enum choice for_vpc, is_default, leads_out, specifies_vlan, specifies_ranges;
};
#define P(wire, member, ...) PARAM(struct list_offerings, wire, member, __VA_ARGS__)
static const struct param offering_params[] = {
	CS_PAGE_PARAMS(struct list_offerings),
	P("id", id, .doc = "The one with this id."),
	CS_NAME_PARAM(struct list_offerings),
	P("displaytext", text, .doc = "With this text."),
	P("guestiptype", type, .words = "Isolated|Shared|L2", .doc = "Of networks of this type."),
	P("traffictype", traffic_type, .doc = "Guest is the only one."),
	P("state", state, .words = "Enabled|Disabled|Inactive", .doc = "All are Enabled."),
	P("availability", availability, .words = "Required|Optional|Unavailable",
	  .doc = "Required is the one with source NAT."),
	P("supportedservices", services, .max = 20, .doc = "With all of these services."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "They are in every zone."),
	P("domainid", domain, .kind = KIND_DOMAIN, .doc = "They are every domain's."),
	P("forvpc", for_vpc, .doc = "Whether of a VPC's tiers."),
	P("isdefault", is_default, .doc = "All come with the cloud."),
	P("sourcenatsupported", leads_out, .doc = "Whether with source NAT."),
	P("specifyvlan", specifies_vlan, .doc = "Of networks that name a VLAN: there are none."),
	P("specifyipranges", specifies_ranges, .doc = "Of networks that name ranges of addresses."),
	NOT_BUILT("networkid|routingmode|tags"),
	NOT_BUILT("istagged", .only = "false"),
};
#undef P

static bool fits(enum choice choice, bool is)
{
	return choice == CHOICE_DEFAULT || (choice == CHOICE_YES) == is;
}

static struct str offering_name(size_t k)
{
	return str_from(offerings[k].name);
}

static const char *availability_of(size_t k)
{
	return k == OFFERING_SOURCE_NAT ? "Required" : "Optional";
}

/* A text that is asked for is this one; none is: any is. */
static bool is_text(struct str asked, const char *text)
{
	return !asked.n || str_equal_nocase(asked, str_from(text));
}

static bool offering_matches(struct cs_call *e, const void *args, size_t k)
{
	const struct list_offerings *a = args;
	const struct cs_offering *o = &offerings[k];
	bool is_shared = str_is(str_from(o->type), "Shared");
	(void) e;
	bool has_words = is_text(a->text, o->text) && is_text(a->type, o->type) &&
			 is_text(a->state, "Enabled") && is_text(a->traffic_type, "Guest") &&
			 is_text(a->availability, availability_of(k));
	bool has_traits = fits(a->for_vpc, o->is_vpcs) && fits(a->is_default, true) &&
			  fits(a->specifies_vlan, is_shared) && fits(a->specifies_ranges, is_shared) &&
			  fits(a->leads_out, has_service(o->services, STR("SourceNat")));
	return has_words && has_traits && has_all(o->services, &a->services) &&
	       (!a->id.n || has_id(a->id, cs_offering_id(o)));
}

static void write_offering(struct cs_call *e, struct json_writer *w, size_t k)
{
	const struct cs_offering *o = &offerings[k];
	bool is_shared = str_is(str_from(o->type), "Shared");
	json_write_text(w, "id", uuid_to_str(e->c->arena, cs_offering_id(o)));
	json_write_z(w, "name", o->name);
	json_write_z(w, "displaytext", o->text);
	json_write_z(w, "traffictype", "Guest");
	json_write_z(w, "guestiptype", o->type);
	/* that of the virtual routers, of which there are none: Libcloud fails where it is missing */
	json_write_text(w, "serviceofferingid",
			uuid_to_str(e->c->arena, id_of_name("service offering", "virtual router")));
	json_write_z(w, "availability", availability_of(k));
	json_write_z(w, "state", "Enabled");
	json_write_z(w, "internetprotocol", "IPv4");
	json_write_bool(w, "isdefault", true);
	json_write_bool(w, "conservemode", true);
	json_write_bool(w, "specifyvlan", is_shared);
	json_write_bool(w, "specifyipranges", is_shared);
	json_write_bool(w, "forvpc", o->is_vpcs);
	json_write_bool(w, "ispersistent", false);
	json_write_bool(w, "egressdefaultpolicy", true);
	json_write_bool(w, "supportsstrechedl2subnet", false);
	json_write_bool(w, "supportspublicaccess", false);
	cs_write_services(w, o->services, o->provider);
}

static RESULT list_network_offerings(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct cs_fixed_list list = {"networkoffering", OFFERINGS, offering_name,
						  offering_matches, write_offering};
	const struct list_offerings *a = args;
	const struct cs_offering *one = NULL;
	if (a->id.n)
		TRY(cs_find_offering(e, a->id, "id", &one));
	return cs_write_fixed_list(e, w, &list);
}

/* ---- VPC offerings ---- */

static const char vpc_offering[] = "Default VPC offering";

RESULT cs_check_vpc_offering(struct cs_call *e, struct str id, const char *field)
{
	return has_id(id, id_of_name("VPC offering", vpc_offering)) ? OK
								    : cs_fail_id(e, KIND_NONE, field, id);
}

void cs_write_vpc_offering(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) row;
	json_write_text(w, name, uuid_to_str(e->c->arena, id_of_name("VPC offering", vpc_offering)));
	json_write_z(w, "vpcofferingname", vpc_offering);
}

struct list_vpc_offerings {
	struct cs_list_args list;
	struct str id, text, state;
	struct strs services;
	struct ref zone;
	enum choice is_default;
};
#define P(wire, member, ...) PARAM(struct list_vpc_offerings, wire, member, __VA_ARGS__)
static const struct param vpc_offering_params[] = {
	CS_PAGE_PARAMS(struct list_vpc_offerings),
	P("id", id, .doc = "The one with this id."),
	CS_NAME_PARAM(struct list_vpc_offerings),
	P("displaytext", text, .doc = "With this text."),
	P("state", state, .words = "Enabled|Disabled", .doc = "It is Enabled."),
	P("supportedservices", services, .max = 20, .doc = "With all of these services."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "It is in every zone."),
	P("isdefault", is_default, .doc = "It comes with the cloud."),
	NOT_BUILT("domainid"),
};
#undef P

static struct str vpc_offering_name(size_t k)
{
	(void) k;
	return str_from(vpc_offering);
}

static bool vpc_offering_matches(struct cs_call *e, const void *args, size_t k)
{
	const struct list_vpc_offerings *a = args;
	(void) e;
	(void) k;
	return is_text(a->text, vpc_offering) && is_text(a->state, "Enabled") && fits(a->is_default, true) &&
	       has_all(cs_vpc_services, &a->services);
}

static void write_vpc_offering(struct cs_call *e, struct json_writer *w, size_t k)
{
	(void) k;
	json_write_text(w, "id", uuid_to_str(e->c->arena, id_of_name("VPC offering", vpc_offering)));
	json_write_z(w, "name", vpc_offering);
	json_write_z(w, "displaytext", vpc_offering);
	json_write_z(w, "state", "Enabled");
	json_write_z(w, "internetprotocol", "IPv4");
	json_write_bool(w, "isdefault", true);
	json_write_bool(w, "distributedvpcrouter", false);
	json_write_bool(w, "supportsregionLevelvpc", false);
	cs_write_services(w, cs_vpc_services, cs_vpc_provider);
}

static RESULT list_vpc_offerings(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct cs_fixed_list list = {"vpcoffering", 1, vpc_offering_name, vpc_offering_matches,
						  write_vpc_offering};
	const struct list_vpc_offerings *a = args;
	if (a->id.n)
		TRY(cs_check_vpc_offering(e, a->id, "id"));
	return cs_write_fixed_list(e, w, &list);
}

/* ---- services and who provides them ---- */

static const struct {
	const char *name, *providers;
} services[] = {
	{"Dhcp", "VirtualRouter|VpcVirtualRouter"},
	{"Dns", "VirtualRouter|VpcVirtualRouter"},
	{"UserData", "VirtualRouter|VpcVirtualRouter"},
	{"SourceNat", "VirtualRouter|VpcVirtualRouter"},
	{"StaticNat", "VirtualRouter|VpcVirtualRouter"},
	{"PortForwarding", "VirtualRouter|VpcVirtualRouter"},
	{"NetworkACL", "VpcVirtualRouter"},
	{"SecurityGroup", "SecurityGroupProvider"},
};
static const char *const providers[] = {"VirtualRouter", "VpcVirtualRouter", "SecurityGroupProvider"};

struct list_services {
	struct cs_list_args list;
	struct str provider, service;
};
static const struct param service_params[] = {
	CS_PAGE_PARAMS(struct list_services),
	PARAM(struct list_services, "provider", provider, .doc = "Provided by this one."),
	PARAM(struct list_services, "service", list.name, .doc = "This one."),
};

static struct str service_name(size_t k)
{
	return str_from(services[k].name);
}

static bool service_matches(struct cs_call *e, const void *args, size_t k)
{
	const struct list_services *a = args;
	(void) e;
	return !a->provider.n || has_service(services[k].providers, a->provider);
}

static void write_service(struct cs_call *e, struct json_writer *w, size_t k)
{
	struct str rest = str_from(services[k].providers), name;
	(void) e;
	json_write_z(w, "name", services[k].name);
	json_write_open_list(w, "provider");
	while (str_split_next(&rest, '|', &name)) {
		json_write_open(w, NULL);
		json_write_text(w, "name", name);
		json_write_z(w, "state", "Enabled");
		json_write_bool(w, "canenableindividualservice", false);
		json_write_close(w);
	}
	json_write_close_list(w);
	json_write_open_list(w, "capability");
	json_write_close_list(w);
}

static RESULT list_services(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct cs_fixed_list list = {"networkservice", sizeof services / sizeof services[0],
						  service_name, service_matches, write_service};
	(void) args;
	return cs_write_fixed_list(e, w, &list);
}

struct list_providers {
	struct cs_list_args list;
	struct ref physical;
	struct str state;
};
static const struct param provider_params[] = {
	CS_PAGE_PARAMS(struct list_providers),
	CS_NAME_PARAM(struct list_providers),
	PARAM(struct list_providers, "physicalnetworkid", physical, .kind = KIND_EXTERNAL_NETWORK,
	      .doc = "Of this physical network: they are all of each."),
	PARAM(struct list_providers, "state", state, .words = "Enabled|Disabled", .doc = "All are Enabled."),
};

static struct str provider_name(size_t k)
{
	return str_from(providers[k]);
}

static bool provider_matches(struct cs_call *e, const void *args, size_t k)
{
	const struct list_providers *a = args;
	(void) e;
	(void) k;
	return is_text(a->state, "Enabled");
}

static void write_provider(struct cs_call *e, struct json_writer *w, size_t k)
{
	const struct list_providers *a = e->args;
	json_write_text(w, "id", uuid_to_str(e->c->arena, id_of_name("network provider", providers[k])));
	json_write_z(w, "name", providers[k]);
	if (ref_is_given(&a->physical))
		json_write_text(w, "physicalnetworkid", uuid_to_str(e->c->arena, a->physical.prefix));
	json_write_z(w, "state", "Enabled");
	json_write_bool(w, "canenableindividualservice", false);
	json_write_open_list(w, "servicelist");
	for (size_t n = 0; n < sizeof services / sizeof services[0]; n++)
		if (has_service(services[n].providers, str_from(providers[k])))
			json_write_text(w, NULL, str_from(services[n].name));
	json_write_close_list(w);
}

static RESULT list_providers(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct cs_fixed_list list = {"networkserviceprovider",
						  sizeof providers / sizeof providers[0], provider_name,
						  provider_matches, write_provider};
	(void) args;
	return cs_write_fixed_list(e, w, &list);
}

static const struct cs_action actions[] = {
	{.name = "listNetworkOfferings",
	 .permit = "ec2:DescribeNetworks",
	 .args = PARAMS(struct list_offerings, offering_params),
	 .answer = list_network_offerings,
	 .says = "id|name|displaytext|traffictype|guestiptype|serviceofferingid|availability|state|"
		 "internetprotocol|isdefault|"
		 "conservemode|specifyvlan|specifyipranges|forvpc|ispersistent|egressdefaultpolicy|"
		 "supportsstrechedl2subnet|supportspublicaccess|service",
	 .doc = "What guest networks are made by."},
	{.name = "listVPCOfferings",
	 .permit = "ec2:DescribeVpcs",
	 .args = PARAMS(struct list_vpc_offerings, vpc_offering_params),
	 .answer = list_vpc_offerings,
	 .says = "id|name|displaytext|state|internetprotocol|isdefault|distributedvpcrouter|"
		 "supportsregionLevelvpc|service",
	 .doc = "What VPCs are made by."},
	{.name = "listSupportedNetworkServices",
	 .permit = "ec2:DescribeNetworks",
	 .flags = CS_ADMIN,
	 .args = PARAMS(struct list_services, service_params),
	 .answer = list_services,
	 .says = "name|provider|capability",
	 .doc = "What offerings are made of."},
	{.name = "listNetworkServiceProviders",
	 .permit = "ec2:DescribeNetworks",
	 .flags = CS_ADMIN,
	 .args = PARAMS(struct list_providers, provider_params),
	 .answer = list_providers,
	 .says = "id|name|physicalnetworkid|state|canenableindividualservice|servicelist",
	 .doc = "Who provides that."},
};
const struct api_actions cs_network_offering_actions = API_ACTIONS(actions);
