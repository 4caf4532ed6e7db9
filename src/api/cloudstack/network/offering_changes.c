/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes network offerings. Networks with a subnet always have Dhcp, Dns and UserData.
 * Source of messages: ConfigurationManagerImpl's createNetworkOffering and deleteNetworkOffering, and
 * NetworkOrchestrator.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "engine/network/network_offering.h"
#include "store/network_offering.h"

static const struct param provider_rows[] = {
	PARAM(struct cs_service_provider, "service", service, .doc = "Name of the service."),
	PARAM(struct cs_service_provider, "provider", provider, .doc = "Provider."),
};
const struct params cs_provider_params = PARAMS(struct cs_service_provider, provider_rows);

struct capability {
	struct str service, type, value;
};
static const struct param capability_rows[] = {
	PARAM(struct capability, "service", service, .doc = "Name of the service."),
	PARAM(struct capability, "capabilitytype", type, .doc = "Capability of the service."),
	PARAM(struct capability, "capabilityvalue", value, .doc = "Value of the capability."),
};
static const struct params capability_params = PARAMS(struct capability, capability_rows);

struct make_offering {
	struct network_offering_wish wish;
	struct str type, traffic_type;
	struct strs services;
	struct {
		const struct cs_service_provider *at;
		size_t count;
	} providers;
	struct {
		const struct capability *at;
		size_t count;
	} capabilities;
	enum choice for_vpc, ranges;
};
#define P(wire, member, ...) PARAM(struct make_offering, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .doc = "Name; need not be unique."),
	P("displaytext", wish.description, .flags = REQUIRED, .max = 4096, .doc = "Display text."),
	P("guestiptype", type, .flags = REQUIRED, .doc = "Guest type: Isolated, Shared or L2."),
	P("traffictype", traffic_type, .flags = REQUIRED, .doc = "Traffic type; only Guest."),
	P("supportedservices", services, .max = CS_NAMED_MAX,
	  .doc = "Services. Isolated: Dhcp and any of Dns, UserData, SourceNat, StaticNat, PortForwarding, "
		 "Lb, NetworkACL and Vpn. Shared: Dhcp, Dns, UserData and SecurityGroup. L2: UserData at "
		 "most."),
	PARAM_LIST(struct make_offering, "serviceproviderlist", providers, cs_provider_params,
		   .max = CS_NAMED_MAX,
		   .doc = "Provider of each service: VirtualRouter, VpcVirtualRouter for VPCs, "
			  "SecurityGroupProvider for SecurityGroup, ConfigDrive for L2."),
	PARAM_LIST(struct make_offering, "servicecapabilitylist", capabilities, capability_params,
		   .max = CS_NAMED_MAX,
		   .doc = "Capabilities of the services. Only the values that listSupportedNetworkServices "
			  "shows are accepted."),
	P("forvpc", for_vpc, .doc = "Whether the offering is for VPC tiers."),
	P("conservemode", wish.conserves, .absent = "true",
	  .doc = "Ignored: an address may always serve several services."),
	P("egressdefaultpolicy", wish.egress_open, .absent = "true",
	  .doc = "Default egress policy: true allows all."),
	P("ispersistent", wish.persistent,
	  .doc = "Ignored: networks always exist before their first machine."),
	P("specifyipranges", ranges, .doc = "Networks specify their address range (Shared only)."),
	P("enable", wish.enabled, .doc = "Enables the offering at once; absent: Disabled."),
	CS_MAKES_OFFERED_PARAMS(struct make_offering, wish.offered),
	NOT_BUILT("details|maxconnections|networkrate|provider|routingmode|serviceofferingid"),
	P("tags", wish.physical_tags,
	  .doc = "Ignored: tags of physical networks; each zone has one physical network."),
	NOT_BUILT("availability", .only = "Optional"),
	NOT_BUILT("internetprotocol", .only = "IPv4"),
	NOT_BUILT("networkmode", .only = "NATTED"),
	NOT_BUILT("fornsx|fortungsten|keepaliveenabled|nsxsupportlb|nsxsupportsinternallb|specifyasnumber|"
		  "specifyvlan",
		  .only = "false"),
};
#undef P

/* Capabilities of services: the only values that are accepted. */
static const struct {
	const char *service, *type, *value;
} capabilities[] = {
	{"SourceNat", "SupportedSourceNatTypes", "peraccount"},
	{"SourceNat", "RedundantRouter", "false"},
	{"StaticNat", "ElasticIp", "false"},
	{"StaticNat", "AssociatePublicIP", "false"},
	{"Lb", "SupportedLBIsolation", "dedicated"},
	{"Lb", "ElasticLb", "false"},
	{"Lb", "LbSchemes", "Public"},
};

static RESULT check_sort(struct cs_call *e, struct make_offering *a)
{
	if (!str_equal_nocase(a->traffic_type, STR("Guest")))
		return cs_fail(e, "traffictype",
			       "Only traffic type Guest is supported in the current release; traffictype is "
			       "%" STR_FMT,
			       STR_ARG(a->traffic_type));
	bool is_shared = str_equal_nocase(a->type, STR("Shared")),
	     is_l2 = str_equal_nocase(a->type, STR("L2"));
	if (!is_shared && !is_l2 && !str_equal_nocase(a->type, STR("Isolated")))
		return cs_fail(e, "guestiptype",
			       "Invalid \"type\" parameter is given; can have Shared and Isolated values");
	if (is_shared && a->ranges != CHOICE_YES)
		return cs_fail(e, "specifyipranges",
			       "SpecifyIpRanges should always be true for Shared network offerings");
	if (!is_shared && a->ranges == CHOICE_YES)
		return cs_fail(
			e, "specifyipranges",
			"SpecifyIpRanges can only be true for Shared network offerings and Isolated with no "
			"SourceNat service");
	a->wish.guest_type = is_shared ? NETWORK_OFFERING_GUEST_TYPE_SHARED
			     : is_l2   ? NETWORK_OFFERING_GUEST_TYPE_L2
				       : NETWORK_OFFERING_GUEST_TYPE_ISOLATED;
	return OK;
}

/* Services that networks of the type cannot have. */
static RESULT check_service(struct cs_call *e, const struct make_offering *a, struct str service)
{
	bool is_group = str_equal_nocase(service, STR("SecurityGroup"));
	bool is_plain = str_equal_nocase(service, STR("Dhcp")) || str_equal_nocase(service, STR("Dns")) ||
			str_equal_nocase(service, STR("UserData"));
	if (a->wish.guest_type == NETWORK_OFFERING_GUEST_TYPE_L2)
		return str_equal_nocase(service, STR("UserData"))
			       ? OK
			       : cs_fail(e, "supportedservices",
					 "For L2 networks, only UserData service is allowed");
	if (a->wish.guest_type == NETWORK_OFFERING_GUEST_TYPE_SHARED)
		return is_group || is_plain
			       ? OK
			       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("supportedservices"),
						"The service %" STR_FMT
						" is not supported in networks of the type Shared",
						STR_ARG(service));
	return !is_group ? OK
			 : cs_fail(e, "supportedservices",
				   "Security group service is supported for network offerings with guest ip "
				   "type Shared");
}

static RESULT take_services(struct cs_call *e, struct make_offering *a)
{
	bool has_dhcp = a->wish.guest_type == NETWORK_OFFERING_GUEST_TYPE_L2;
	for (size_t n = 0; n < a->services.count; n++) {
		size_t k = 0;
		while (k < CS_SERVICES && !str_equal_nocase(a->services.at[n], str_from(cs_services[k].name)))
			k++;
		if (k == CS_SERVICES)
			return cs_fail(e, "supportedservices", "Invalid service %" STR_FMT,
				       STR_ARG(a->services.at[n]));
		TRY(check_service(e, a, a->services.at[n]));
		if (cs_services[k].wish)
			((char *) &a->wish)[cs_services[k].wish - 1] = true;
		has_dhcp = has_dhcp || !cs_services[k].wish;
	}
	return has_dhcp ? OK
			: cs_fail(e, "supportedservices",
				  "The service Dhcp is missing in supportedservices: every network has it");
}

static struct str provider_of(const struct make_offering *a, struct str service)
{
	if (str_equal_nocase(service, STR("SecurityGroup")))
		return STR("SecurityGroupProvider");
	if (a->wish.guest_type == NETWORK_OFFERING_GUEST_TYPE_L2)
		return str_from(cs_l2_provider);
	return a->wish.for_vpc ? str_from(cs_vpc_provider) : STR("VirtualRouter");
}

static RESULT check_providers(struct cs_call *e, struct make_offering *a)
{
	bool is_of_vpc = a->wish.network_acl;
	for (size_t k = 0; k < a->providers.count; k++)
		is_of_vpc =
			is_of_vpc || str_equal_nocase(a->providers.at[k].provider, str_from(cs_vpc_provider));
	a->wish.for_vpc = a->for_vpc == CHOICE_DEFAULT ? is_of_vpc : a->for_vpc == CHOICE_YES;
	for (size_t k = 0; k < a->providers.count; k++) {
		const struct cs_service_provider *p = &a->providers.at[k];
		bool is_there = false;
		for (size_t n = 0; n < a->services.count; n++)
			is_there = is_there || str_equal_nocase(a->services.at[n], p->service);
		if (!is_there)
			return cs_fail(e, "serviceproviderlist",
				       "Service %" STR_FMT
				       " is not enabled for the network offering, can't add "
				       "a provider to it",
				       STR_ARG(p->service));
		if (!str_equal_nocase(p->provider, provider_of(a, p->service)))
			return cs_fail(e, "serviceproviderlist", "Invalid service provider: %" STR_FMT,
				       STR_ARG(p->provider));
	}
	return OK;
}

static RESULT check_capabilities(struct cs_call *e, const struct make_offering *a)
{
	for (size_t n = 0; n < a->capabilities.count; n++) {
		const struct capability *c = &a->capabilities.at[n];
		bool is_so = false;
		for (size_t k = 0; k < sizeof capabilities / sizeof *capabilities; k++)
			is_so = is_so || (str_equal_nocase(c->service, str_from(capabilities[k].service)) &&
					  str_equal_nocase(c->type, str_from(capabilities[k].type)) &&
					  str_equal_nocase(c->value, str_from(capabilities[k].value)));
		if (!is_so)
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("servicecapabilitylist"),
					      "The capability %" STR_FMT " %" STR_FMT
					      " of the service %" STR_FMT
					      " in servicecapabilitylist is not supported",
					      STR_ARG(c->type), STR_ARG(c->value), STR_ARG(c->service));
	}
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_offering *a = args;
	TRY(check_sort(e, a));
	TRY(take_services(e, a));
	TRY(check_providers(e, a));
	return check_capabilities(e, a);
}

/* ---- changes ---- */

struct change_offering {
	struct network_offering_settings wish;
	struct cs_offered offered;
	struct str id, state;
};
static const struct param update_params[] = {
	PARAM(struct change_offering, "id", id, .flags = REQUIRED, .doc = "The offering."),
	PARAM(struct change_offering, "name", wish.name, .doc = "New name."),
	PARAM(struct change_offering, "displaytext", wish.description, .max = 4096,
	      .doc = "New display text."),
	PARAM(struct change_offering, "state", state, .words = "Enabled|Disabled",
	      .doc = "Enabled: networks can be created from it."),
	CS_CHANGES_OFFERED_PARAMS(struct change_offering, offered),
	NOT_BUILT("maxconnections|sortkey|tags"),
	NOT_BUILT("availability", .only = "Optional"),
	NOT_BUILT("keepaliveenabled", .only = "false"),
};

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_offering *a = args;
	const struct cs_offering *offering = NULL;
	TRY(cs_find_offering(e, a->id, "id", &offering));
	if (!offering->own)
		return ctx_fail_field(e->c, ERR_PROTECTED, STR("id"),
				      "Default network offering can't be changed");
	a->wish.offering = cs_ref_of(e->c, KIND_NETWORK_OFFERING, cs_offering_id(offering), "id");
	if (a->state.n)
		a->wish.enabled = str_is(a->state, "Enabled") ? CHOICE_YES : CHOICE_NO;
	return cs_take_offered(e, &a->offered, "network offering", &a->wish.offered);
}

struct drop_offering {
	struct network_offering_target wish;
	struct str id;
};
static const struct param delete_params[] = {
	PARAM(struct drop_offering, "id", id, .flags = REQUIRED, .doc = "Offering that no network uses."),
};

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct drop_offering *a = args;
	const struct cs_offering *offering = NULL;
	TRY(cs_find_offering(e, a->id, "id", &offering));
	if (!offering->own)
		return ctx_fail_field(e->c, ERR_PROTECTED, STR("id"),
				      "Default network offering can't be deleted");
	a->wish.offering = cs_ref_of(e->c, KIND_NETWORK_OFFERING, cs_offering_id(offering), "id");
	return OK;
}

/* ---- what they answer ---- */

static RESULT show(struct cs_call *e, uuid id, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(cs_find_returned(e, id, &row));
	json_write_open(w, "networkoffering");
	cs_write_offering(e, w, cs_own_offering(&e->core, network_offering_of(row)));
	json_write_close(w);
	return OK;
}

static RESULT show_made(struct cs_call *e, const void *args, struct json_writer *w)
{
	return show(e, ((const struct make_offering *) args)->wish.offering, w);
}

static RESULT show_changed(struct cs_call *e, const void *args, struct json_writer *w)
{
	return show(e, ((const struct change_offering *) args)->wish.offering.prefix, w);
}

#define SAYS                                                                                                 \
	"id|name|displaytext|created|traffictype|guestiptype|serviceofferingid|availability|state|"          \
	"internetprotocol|isdefault|tags|conservemode|specifyvlan|specifyipranges|forvpc|ispersistent|"      \
	"egressdefaultpolicy|supportsstrechedl2subnet|supportspublicaccess|service"
#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("createNetworkOffering", "ec2:CreateNetworkOffering"), CHANGES,
	 .args = PARAMS(struct make_offering, create_params), .prepare = prepare_create,
	 .operation = engine_create_network_offering_run, .returns = KIND_NETWORK_OFFERING,
	 .answer = show_made, .says = SAYS, .doc = "Creates a network offering."},
	{CS_ACTION("updateNetworkOffering", "ec2:ModifyNetworkOffering"), CHANGES,
	 .args = PARAMS(struct change_offering, update_params), .prepare = prepare_update,
	 .operation = engine_update_network_offering_run, .returns = KIND_NETWORK_OFFERING,
	 .answer = show_changed, .says = SAYS, .doc = "Changes or enables a network offering."},
	{CS_ACTION("deleteNetworkOffering", "ec2:DeleteNetworkOffering"), CHANGES,
	 .args = PARAMS(struct drop_offering, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_network_offering_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a network offering that no network uses."},
};
const struct api_actions cs_network_offering_change_actions = API_ACTIONS(actions);
