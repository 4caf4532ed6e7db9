/* SPDX-License-Identifier: Apache-2.0
 * Network offerings: built-in tables with CloudStack's default names, and the operator's rows. A
 * network made from an offering remembers it; others show the offering that describes them. Sources:
 * NetworkOffering, ConfigurationServer and VpcManagerImpl of 4.18; KubernetesClusterManagerImpl for the
 * offering for Kubernetes, the only built-in one that allows all egress.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "base/letters.h"
#include "base/uuid_asked.h"
#include "engine/network/network_offering.h"
#include "engine/resolve.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/network_offering.h"
#include "store/subnet.h"

#define SHARED_SERVICES "Dhcp|Dns|UserData"
#define ROUTED_SERVICES SHARED_SERVICES "|SourceNat|StaticNat|PortForwarding|Lb"
#define ISOLATED_SERVICES ROUTED_SERVICES "|Firewall"
const char cs_vpc_services[] = ROUTED_SERVICES "|NetworkACL|Vpn", cs_vpc_provider[] = "VpcVirtualRouter",
	   cs_l2_provider[] = "ConfigDrive";

enum {
	OFFERING_SOURCE_NAT,
	OFFERING_ISOLATED,
	OFFERING_VPC,
	OFFERING_L2,
	OFFERING_VPC_NO_LB,
	OFFERING_OPEN,
	OFFERING_SHARED_WITH_GROUPS,
	OFFERING_SHARED,
	OFFERING_SHARED_WITHOUT_DHCP
};
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
				.services = SHARED_SERVICES "|SourceNat|StaticNat|PortForwarding|NetworkACL"},
	[OFFERING_OPEN] = {"DefaultNetworkOfferingforKubernetesService",
			   "Network Offering used for CloudStack Kubernetes service", "Isolated",
			   .leads_out = true, .egress_open = true, .provider = "VirtualRouter",
			   .services = ISOLATED_SERVICES},
	[OFFERING_SHARED_WITH_GROUPS] = {"DefaultSharedNetworkOfferingWithSGService",
					 "Offering for Shared Security group enabled networks", "Shared",
					 .guest_type = NETWORK_GUEST_TYPE_SHARED_WITH_GROUPS,
					 .provider = "VirtualRouter",
					 .services = SHARED_SERVICES "|SecurityGroup"},
	[OFFERING_SHARED] = {"DefaultSharedNetworkOffering", "Offering for Shared networks", "Shared",
			     .guest_type = NETWORK_GUEST_TYPE_SHARED, .provider = "VirtualRouter",
			     .services = SHARED_SERVICES},
	[OFFERING_SHARED_WITHOUT_DHCP] = {"QuickCloudNoServices", "Offering for QuickCloud with no services",
					  "Shared", .guest_type = NETWORK_GUEST_TYPE_SHARED, .provider = "",
					  .services = ""},
};
enum { OFFERINGS = sizeof offerings / sizeof offerings[0] };

/* Id derived from the name, so it is the same in every region. */
uuid cs_id_of_name(const char *kind, const char *name)
{
	uuid of_kind = uuid_v5(DOMAIN_DEFAULT, str_from(kind));
	return uuid_v5(of_kind, str_from(name));
}

uuid cs_offering_id(const struct cs_offering *offering)
{
	return offering->own ? offering->own->row.id : cs_id_of_name("network offering", offering->name);
}

#define SERVICE(name, field)                                                                                 \
	{                                                                                                    \
		name, offsetof(struct network_offering, field) + 1,                                          \
			offsetof(struct network_offering_wish, field) + 1                                    \
	}
const struct cs_service cs_services[CS_SERVICES] = {
	{"Dhcp", 0, 0},
	SERVICE("Dns", dns),
	SERVICE("UserData", user_data),
	SERVICE("SourceNat", source_nat),
	SERVICE("StaticNat", static_nat),
	SERVICE("PortForwarding", port_forwarding),
	SERVICE("Lb", load_balancing),
	SERVICE("NetworkACL", network_acl),
	SERVICE("Firewall", firewall),
	SERVICE("SecurityGroup", security_groups),
	SERVICE("Vpn", vpn),
};

static const char *const type_words[] = {[NETWORK_OFFERING_GUEST_TYPE_ISOLATED] = "Isolated",
					 [NETWORK_OFFERING_GUEST_TYPE_SHARED] = "Shared",
					 [NETWORK_OFFERING_GUEST_TYPE_L2] = "L2"};

/* An L2 network has no DHCP server, and its user data are on the config drive. */
static const char *provider_of(const struct network_offering *row)
{
	if (row->guest_type == NETWORK_OFFERING_GUEST_TYPE_L2)
		return cs_l2_provider;
	return row->for_vpc || row->of_vpc ? cs_vpc_provider : "VirtualRouter";
}

static bool has_service(const struct network_offering *row, size_t k)
{
	return cs_services[k].row ? ((const char *) row)[cs_services[k].row - 1]
				  : row->guest_type != NETWORK_OFFERING_GUEST_TYPE_L2;
}

const struct cs_offering *cs_own_offering(struct api_call *e, const struct network_offering *row)
{
	struct arena *a = e->c->arena;
	struct cs_offering *o = arena_new_object(a, struct cs_offering);
	struct str text = row->description.n ? row->description : row->name, services = STR("");
	for (size_t k = 0; k < CS_SERVICES; k++)
		if (has_service(row, k))
			services = str_print(a, "%" STR_FMT "%s%s", STR_ARG(services), services.n ? "|" : "",
					     cs_services[k].name);
	if (!o) /* no memory: the answer fails */
		return &offerings[OFFERING_ISOLATED];
	*o = (struct cs_offering){.name = str_to_z(a, row->name),
				  .text = str_to_z(a, text),
				  .type = type_words[row->guest_type],
				  .guest_type = row->guest_type != NETWORK_OFFERING_GUEST_TYPE_SHARED
							? NETWORK_GUEST_TYPE_DESCRIBED
						: row->security_groups ? NETWORK_GUEST_TYPE_SHARED_WITH_GROUPS
								       : NETWORK_GUEST_TYPE_SHARED,
				  .is_vpcs = row->for_vpc,
				  .leads_out = row->source_nat && !row->for_vpc,
				  .egress_open = row->egress_open,
				  .provider = provider_of(row),
				  .services = str_to_z(a, services),
				  .own = row};
	return o;
}

static bool has_id(struct str text, uuid id)
{
	uuid read;
	return result_is_ok(uuid_parse_asked(text, &read)) && uuid_equal(read, id);
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
	uuid own = UUID_NONE;
	const struct network_offering *row =
		result_is_ok(uuid_parse_asked(id, &own)) ? network_offering_find(cs_tables(e), own) : NULL;
	if (!row || row->of_vpc)
		return cs_fail_id(e, KIND_NONE, field, id);
	*ret_offering = cs_own_offering(&e->core, row);
	return OK;
}

bool cs_has_source_nat(const struct tables *t, const struct subnet *s)
{
	const struct gateway *g = uuid_is_none(s->router) ? NULL : gateway_first_by_router(t, s->router);
	while (g && !(row_is_live(&g->row) && g->translates))
		g = gateway_next_by_router(t, g);
	return g;
}

const struct cs_offering *cs_find_offering_of(struct api_call *e, const struct network *network)
{
	const struct network_offering *own = network_offering_find(api_tables(e), network->offering);
	const struct subnet *subnet = cs_find_subnet(e, network->row.id);
	if (own)
		return cs_own_offering(e, own);
	if (cs_is_shared(network))
		return &offerings[subnet && subnet->no_dhcp ? OFFERING_SHARED_WITHOUT_DHCP
				  : network->guest_type == NETWORK_GUEST_TYPE_SHARED
					  ? OFFERING_SHARED
					  : OFFERING_SHARED_WITH_GROUPS];
	if (!subnet)
		return &offerings[OFFERING_L2];
	if (cs_find_vpc(e, subnet->router))
		return &offerings[OFFERING_VPC];
	bool is_out = cs_has_source_nat(api_tables(e), subnet);
	bool is_open = network->has_firewall && network->egress_open;
	return &offerings[!is_out ? OFFERING_ISOLATED : is_open ? OFFERING_OPEN : OFFERING_SOURCE_NAT];
}

/* ---- services ---- */

bool cs_has_service(const char *services, struct str service)
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

/* Capabilities of the firewall only. It does not count traffic, unlike CloudStack's. */
static void write_capabilities(struct json_writer *w, bool is_firewall)
{
	static const struct {
		const char *name, *value;
	} rows[] = {{"SupportedProtocols", "tcp,udp,icmp"},
		    {"SupportedEgressProtocols", "tcp,udp,icmp, all"},
		    {"SupportedTrafficDirection", "ingress, egress"},
		    {"MultipleIps", "true"}};
	json_write_open_list(w, "capability");
	for (size_t k = 0; is_firewall && k < sizeof rows / sizeof rows[0]; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "name", rows[k].name);
		json_write_z(w, "value", rows[k].value);
		json_write_bool(w, "canchooseservicecapability", false);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void cs_write_services(struct json_writer *w, const char *services, const char *provider,
		       enum cs_services_of of)
{
	struct str rest = str_from(services), name;
	json_write_open_list(w, "service");
	while (str_split_next(&rest, '|', &name)) {
		bool is_group = str_is(name, "SecurityGroup");
		if (!name.n || (of == CS_OF_NETWORK && str_is(name, "Vpn"))) /* the VPC has it */
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", name);
		write_providers(w, is_group ? "SecurityGroupProvider" : provider);
		write_capabilities(w, of == CS_OF_NETWORK && str_is(name, "Firewall"));
		json_write_close(w);
	}
	json_write_close_list(w);
}

bool cs_has_services(const char *services, const struct strs *wanted)
{
	for (size_t k = 0; k < wanted->count; k++)
		if (!cs_has_service(services, wanted->at[k]))
			return false;
	return true;
}

/* ---- listNetworkOfferings ---- */

struct list_offerings {
	struct cs_list_args list;
	struct str id, text, type, traffic_type, state, availability;
	struct strs services;
	struct ref zone, domain, network;
	enum choice for_vpc, is_default, leads_out, specifies_vlan, specifies_ranges;
};
#define P(wire, member, ...) PARAM(struct list_offerings, wire, member, __VA_ARGS__)
static const struct param offering_params[] = {
	CS_PAGE_PARAMS(struct list_offerings),
	P("id", id, .doc = "Offering by id."),
	CS_NAME_PARAM(struct list_offerings),
	P("displaytext", text, .doc = "Display text."),
	P("guestiptype", type, .words = "Isolated|Shared|L2", .doc = "Guest type: Isolated, Shared or L2."),
	P("traffictype", traffic_type, .doc = "Traffic type; only Guest."),
	P("state", state, .words = "Enabled|Disabled|Inactive", .doc = "State."),
	P("availability", availability, .words = "Required|Optional|Unavailable",
	  .doc = "Availability. Required is the offering with source NAT."),
	P("supportedservices", services, .max = 20, .doc = "Services that the offering must support."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone that offers it."),
	P("domainid", domain, .kind = KIND_DOMAIN, .doc = "Domain that may use it."),
	P("forvpc", for_vpc, .doc = "Whether the offering is for VPC tiers."),
	P("isdefault", is_default, .doc = "Whether the offering is built in."),
	P("sourcenatsupported", leads_out, .doc = "Whether the offering supports source NAT."),
	P("specifyvlan", specifies_vlan, .doc = "Offerings that specify a VLAN; there are none."),
	P("specifyipranges", specifies_ranges,
	  .doc = "Whether networks of the offering specify their address range."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Offerings that this network can change to."),
	NOT_BUILT("routingmode|tags"),
	NOT_BUILT("istagged", .only = "false"),
};
#undef P

static bool fits(enum choice choice, bool is)
{
	return choice == CHOICE_DEFAULT || (choice == CHOICE_YES) == is;
}

static const char *availability_of(const struct cs_offering *o)
{
	return o == &offerings[OFFERING_SOURCE_NAT] ? "Required" : "Optional";
}

static const char *state_of(const struct cs_offering *o)
{
	return !o->own || o->own->enabled ? "Enabled" : "Disabled";
}

/* An absent filter matches everything. */
static bool is_text(struct str asked, const char *text)
{
	return !asked.n || str_equal_nocase(asked, str_from(text));
}

bool cs_offering_may_follow(const struct cs_offering *present, const struct cs_offering *next)
{
	struct str rest = str_from(present->services), service;
	bool fits = next->is_vpcs == present->is_vpcs && next->leads_out == present->leads_out &&
		    strcmp(next->type, present->type) == 0;
	while (str_split_next(&rest, '|', &service))
		fits = fits && (!service.n || cs_has_service(next->services, service));
	return fits;
}

/* Another enabled offering, as in CloudStack. */
static bool may_follow(const struct cs_offering *present, const struct cs_offering *o)
{
	return !present || (!uuid_equal(cs_offering_id(present), cs_offering_id(o)) &&
			    str_is(str_from(state_of(o)), "Enabled") && cs_offering_may_follow(present, o));
}

/* Finds the offering of the named network, which the caller must see; NULL: none named. */
static RESULT find_present(struct cs_call *e, const struct list_offerings *a,
			   const struct cs_offering **ret_present)
{
	const struct network *network = NULL;
	*ret_present = NULL;
	if (!ref_is_given(&a->network))
		return OK;
	TRY(engine_find_network(e->c, cs_tables(e), &a->network, &network));
	*ret_present = cs_find_offering_of(&e->core, network);
	return OK;
}

/* True if the offering matches the request. Built-in offerings are available everywhere. */
static bool is_offered(struct cs_call *e, const struct list_offerings *a, const struct cs_offering *o)
{
	if (a->id.n && !has_id(a->id, cs_offering_id(o)))
		return false;
	return !o->own || (engine_is_offered(e->c, &o->own->domains) &&
			   cs_fits_offered(&o->own->row, &a->zone, &a->domain));
}

static bool offering_matches(struct cs_call *e, const struct list_offerings *a, const struct cs_offering *o)
{
	struct arena *arena = e->c->arena;
	bool is_shared = str_is(str_from(o->type), "Shared");
	bool has_words =
		is_text(a->list.name, o->name) && is_text(a->text, o->text) && is_text(a->type, o->type) &&
		is_text(a->state, state_of(o)) && is_text(a->traffic_type, "Guest") &&
		is_text(a->availability, availability_of(o)) &&
		str_contains(str_lower_all(arena, str_from(o->name)), str_lower_all(arena, a->list.keyword));
	bool has_traits = fits(a->for_vpc, o->is_vpcs) && fits(a->is_default, !o->own) &&
			  fits(a->specifies_vlan, false) && fits(a->specifies_ranges, is_shared) &&
			  fits(a->leads_out, cs_has_service(o->services, STR("SourceNat")));
	return has_words && has_traits && is_offered(e, a, o) && cs_has_services(o->services, &a->services);
}

void cs_write_offering(struct cs_call *e, struct json_writer *w, const void *offering)
{
	const struct cs_offering *o = offering;
	bool is_shared = str_is(str_from(o->type), "Shared");
	json_write_text(w, "id", uuid_to_str(e->c->arena, cs_offering_id(o)));
	json_write_z(w, "name", o->name);
	json_write_z(w, "displaytext", o->text);
	if (o->own)
		cs_write_time(w, "created", o->own->row.created_us);
	json_write_z(w, "traffictype", "Guest");
	json_write_z(w, "guestiptype", o->type);
	/* of the virtual routers, which do not exist: Libcloud fails without this member */
	json_write_text(w, "serviceofferingid",
			uuid_to_str(e->c->arena, cs_id_of_name("service offering", "virtual router")));
	json_write_z(w, "availability", availability_of(o));
	json_write_z(w, "state", state_of(o));
	json_write_z(w, "internetprotocol", "IPv4");
	json_write_bool(w, "isdefault", !o->own);
	json_write_bool(w, "conservemode", !o->own || o->own->conserves);
	json_write_bool(w, "specifyvlan", false);
	json_write_bool(w, "specifyipranges", is_shared);
	json_write_bool(w, "forvpc", o->is_vpcs);
	json_write_bool(w, "ispersistent", o->own && o->own->persistent);
	json_write_bool(w, "egressdefaultpolicy", o->egress_open);
	json_write_bool(w, "supportsstrechedl2subnet", false);
	json_write_bool(w, "supportspublicaccess", false);
	if (o->own)
		cs_write_offered(&e->core, w, "domainid", &o->own->row);
	if (o->own && o->own->physical_tags.n)
		json_write_text(w, "tags", o->own->physical_tags);
	cs_write_services(w, o->services, o->provider, CS_OF_OFFERING);
}

RESULT cs_end_offerings(struct cs_call *e, struct result failure, struct str id)
{
	uuid own = UUID_NONE;
	return result_is_ok(uuid_parse_asked(id, &own)) ? cs_end_list(e, failure, KIND_NETWORK_OFFERING, own)
							: failure;
}

/* Built-in offerings first, then the operator's by name. */
static RESULT list_network_offerings(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_offerings *a = args;
	const struct tables *t = cs_tables(e);
	const struct cs_offering *one = NULL, *present = NULL;
	size_t count = 0, own = tables_count(t, KIND_NETWORK_OFFERING);
	const void **items = arena_new_array(e->c->arena, const void *, OFFERINGS + own);
	if (!items)
		return ctx_no_memory(e->c);
	struct result found = a->id.n ? cs_find_offering(e, a->id, "id", &one) : OK;
	if (!result_is_ok(found))
		return cs_end_offerings(e, found, a->id);
	TRY(find_present(e, a, &present));
	for (size_t k = 0; k < OFFERINGS; k++)
		if (offering_matches(e, a, &offerings[k]) && may_follow(present, &offerings[k]))
			items[count++] = &offerings[k];
	const struct row *row = tables_first(t, KIND_NETWORK_OFFERING, NETWORK_OFFERING_INDEX_NAME, NULL, 0);
	for (; row; row = tables_next(t, KIND_NETWORK_OFFERING, NETWORK_OFFERING_INDEX_NAME, row, 0)) {
		const struct cs_offering *o = cs_own_offering(&e->core, network_offering_of(row));
		if (!o->own->of_vpc && offering_matches(e, a, o) && may_follow(present, o))
			items[count++] = o;
	}
	return cs_write_items(e, w, &a->list, "networkoffering", items, count, cs_write_offering);
}

/* ---- services and who provides them ---- */

static const struct {
	const char *name, *providers;
} services[] = {
	{"Dhcp", "VirtualRouter|VpcVirtualRouter"},
	{"Dns", "VirtualRouter|VpcVirtualRouter"},
	{"UserData", "VirtualRouter|VpcVirtualRouter|ConfigDrive"},
	{"SourceNat", "VirtualRouter|VpcVirtualRouter"},
	{"StaticNat", "VirtualRouter|VpcVirtualRouter"},
	{"PortForwarding", "VirtualRouter|VpcVirtualRouter"},
	{"Lb", "VirtualRouter|VpcVirtualRouter"},
	{"NetworkACL", "VpcVirtualRouter"},
	{"Firewall", "VirtualRouter"},
	{"SecurityGroup", "SecurityGroupProvider"},
};
static const char *const providers[] = {"VirtualRouter", "VpcVirtualRouter", cs_l2_provider,
					"SecurityGroupProvider"};

struct list_services {
	struct cs_list_args list;
	struct str provider, service;
};
static const struct param service_params[] = {
	CS_PAGE_PARAMS(struct list_services),
	PARAM(struct list_services, "provider", provider, .doc = "Provider of the service."),
	PARAM(struct list_services, "service", list.name, .doc = "Name of the service."),
};

static struct str service_name(size_t k)
{
	return str_from(services[k].name);
}

static bool service_matches(struct cs_call *e, const void *args, size_t k)
{
	const struct list_services *a = args;
	(void) e;
	return !a->provider.n || cs_has_service(services[k].providers, a->provider);
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
	      .doc = "Ignored: providers are the same in each physical network."),
	PARAM(struct list_providers, "state", state, .words = "Enabled|Disabled",
	      .doc = "State. All are Enabled."),
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
	json_write_text(w, "id", uuid_to_str(e->c->arena, cs_id_of_name("network provider", providers[k])));
	json_write_z(w, "name", providers[k]);
	if (ref_is_given(&a->physical))
		json_write_text(w, "physicalnetworkid", uuid_to_str(e->c->arena, a->physical.prefix));
	json_write_z(w, "state", "Enabled");
	json_write_bool(w, "canenableindividualservice", false);
	json_write_open_list(w, "servicelist");
	for (size_t n = 0; n < sizeof services / sizeof services[0]; n++)
		if (cs_has_service(services[n].providers, str_from(providers[k])))
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
	{CS_ACTION("listNetworkOfferings", "ec2:DescribeNetworks"),
	 .args = PARAMS(struct list_offerings, offering_params), .answer = list_network_offerings,
	 .says = "id|name|displaytext|created|traffictype|guestiptype|serviceofferingid|availability|state|"
		 "internetprotocol|isdefault|"
		 "conservemode|specifyvlan|specifyipranges|forvpc|ispersistent|egressdefaultpolicy|"
		 "supportsstrechedl2subnet|supportspublicaccess|domainid|" CS_OFFERED_ALSO "|service",
	 .doc = "Lists network offerings."},
	{CS_ACTION("listSupportedNetworkServices", "ec2:DescribeNetworks"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_services, service_params), .answer = list_services,
	 .says = "name|provider|capability", .doc = "Lists network services and their capabilities."},
	{CS_ACTION("listNetworkServiceProviders", "ec2:DescribeNetworks"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_providers, provider_params), .answer = list_providers,
	 .says = "id|name|physicalnetworkid|state|canenableindividualservice|servicelist",
	 .doc = "Lists network service providers."},
};
const struct api_actions cs_network_offering_actions = API_ACTIONS(actions);
