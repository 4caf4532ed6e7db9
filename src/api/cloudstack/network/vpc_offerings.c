/* SPDX-License-Identifier: Apache-2.0
 * VPC offerings: the one that CloudStack is installed with, and the operator's rows. A VPC remembers the
 * offering that it was made by; the offering's services are those that its tiers may have. SourceNat and
 * NetworkACL are always among them. Source: VpcManagerImpl of 4.22; the message about a tier's services is
 * our own.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "base/letters.h"
#include "base/uuid_asked.h"
#include "engine/network/network_offering.h"
#include "store/network_offering.h"
#include "store/router.h"

static const char default_name[] = "Default VPC offering";

static uuid default_id(void)
{
	return cs_id_of_name("VPC offering", default_name);
}

/* NULL: no VPC offering of the operator's has this id. */
static const struct network_offering *find_own(const struct tables *t, uuid id)
{
	const struct network_offering *row = network_offering_find(t, id);
	return row && row->of_vpc ? row : NULL;
}

RESULT cs_find_vpc_offering(struct cs_call *e, struct str id, const char *field, struct ref *ret_own)
{
	uuid read = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse_asked(id, &read));
	*ret_own = (struct ref){.kind = KIND_NONE};
	if (is_id && uuid_equal(read, default_id()))
		return OK;
	if (!is_id || !find_own(cs_tables(e), read))
		return cs_fail_id(e, KIND_NONE, field, id);
	*ret_own = cs_ref_of(e->c, KIND_NETWORK_OFFERING, read, field);
	return OK;
}

uuid cs_vpc_offering_id(struct api_call *e, const struct router *vpc)
{
	const struct network_offering *own = find_own(api_tables(e), vpc->offering);
	return own ? own->row.id : default_id();
}

const char *cs_services_of_vpc(struct api_call *e, const struct router *vpc)
{
	const struct network_offering *own = find_own(api_tables(e), vpc->offering);
	return own ? cs_own_offering(e, own)->services : cs_vpc_services;
}

void cs_write_vpc_offering(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct network_offering *own = find_own(api_tables(e), router_of(row)->offering);
	json_write_text(w, name, uuid_to_str(e->c->arena, cs_vpc_offering_id(e, router_of(row))));
	json_write_text(w, "vpcofferingname", own ? own->name : str_from(default_name));
}

/* Writes the members of an offering's object; own NULL: the default one. */
static void write_offering(struct api_call *e, struct json_writer *w, const struct network_offering *own)
{
	struct str text = own && own->description.n ? own->description : own ? own->name : STR_NONE;
	json_write_text(w, "id", uuid_to_str(e->c->arena, own ? own->row.id : default_id()));
	json_write_text(w, "name", own ? own->name : str_from(default_name));
	json_write_text(w, "displaytext", own ? text : str_from(default_name));
	if (own)
		cs_write_time(w, "created", own->row.created_us);
	json_write_z(w, "state", !own || own->enabled ? "Enabled" : "Disabled");
	json_write_z(w, "internetprotocol", "IPv4");
	json_write_bool(w, "isdefault", !own);
	json_write_bool(w, "distributedvpcrouter", false);
	json_write_bool(w, "supportsregionLevelvpc", false);
	if (own)
		cs_write_offered(e, w, "domainid", &own->row);
	cs_write_services(w, own ? cs_own_offering(e, own)->services : cs_vpc_services, cs_vpc_provider,
			  CS_OF_OFFERING);
}

/* ---- listVPCOfferings ---- */

struct list_vpc_offerings {
	struct cs_list_args list;
	struct str id, text, state;
	struct strs services;
	struct ref zone, domain, own;
	enum choice is_default;
};
#define P(wire, member, ...) PARAM(struct list_vpc_offerings, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_vpc_offerings),
	P("id", id, .doc = "Offering by id."),
	CS_NAME_PARAM(struct list_vpc_offerings),
	P("displaytext", text, .doc = "Display text."),
	P("state", state, .words = "Enabled|Disabled", .doc = "State."),
	P("supportedservices", services, .max = 20, .doc = "Services that the offering must support."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone that offers it."),
	P("domainid", domain, .kind = KIND_DOMAIN, .doc = "Domain that may use it."),
	P("isdefault", is_default, .doc = "Whether the offering is built in."),
};
#undef P

/* Names and texts are found by a part of them, as in CloudStack. */
static bool has_part(struct cs_call *e, struct str text, struct str part)
{
	struct arena *a = e->c->arena;
	return !part.n || str_contains(str_lower_all(a, text), str_lower_all(a, part));
}

static bool has_words(struct cs_call *e, const struct list_vpc_offerings *a,
		      const struct network_offering *own)
{
	struct str name = own ? own->name : str_from(default_name);
	struct str text = own && own->description.n ? own->description : name;
	return has_part(e, name, a->list.name) && has_part(e, text, a->text) &&
	       (has_part(e, name, a->list.keyword) || has_part(e, text, a->list.keyword));
}

static bool is_offered(struct cs_call *e, const struct list_vpc_offerings *a,
		       const struct network_offering *own)
{
	return !own ||
	       (engine_is_offered(e->c, &own->domains) && cs_fits_offered(&own->row, &a->zone, &a->domain));
}

static bool matches(struct cs_call *e, const struct list_vpc_offerings *a, const struct network_offering *own)
{
	bool is_enabled = !own || own->enabled;
	const char *services = own ? cs_own_offering(&e->core, own)->services : cs_vpc_services;
	return has_words(e, a, own) && is_offered(e, a, own) &&
	       (!a->state.n || str_is(a->state, "Enabled") == is_enabled) &&
	       (a->is_default == CHOICE_DEFAULT || (a->is_default == CHOICE_YES) == !own) &&
	       cs_has_services(services, &a->services);
}

static void write_listed(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct network_offering *own = item;
	write_offering(&e->core, w, own->of_vpc ? own : NULL);
}

static RESULT list_vpc_offerings(struct cs_call *e, const void *args, struct json_writer *w)
{
	static const struct network_offering installed = {.name = {"", 0}}; /* stands for the default one */
	const struct list_vpc_offerings *a = args;
	const struct tables *t = cs_tables(e);
	struct ref own = {.kind = KIND_NONE};
	size_t count = 0;
	const void **items =
		arena_new_array(e->c->arena, const void *, 1 + tables_count(t, KIND_NETWORK_OFFERING));
	if (!items)
		return ctx_no_memory(e->c);
	struct result found = a->id.n ? cs_find_vpc_offering(e, a->id, "id", &own) : OK;
	if (!result_is_ok(found))
		return cs_end_offerings(e, found, a->id);
	if (!ref_is_given(&own) && matches(e, a, NULL))
		items[count++] = &installed;
	const struct row *row = tables_first(t, KIND_NETWORK_OFFERING, NETWORK_OFFERING_INDEX_NAME, NULL, 0);
	for (; row; row = tables_next(t, KIND_NETWORK_OFFERING, NETWORK_OFFERING_INDEX_NAME, row, 0)) {
		bool is_asked = !a->id.n || uuid_equal(own.prefix, row->id);
		if (network_offering_of(row)->of_vpc && is_asked && matches(e, a, network_offering_of(row)))
			items[count++] = network_offering_of(row);
	}
	return cs_write_items(e, w, &a->list, "vpcoffering", items, count, write_listed);
}

/* ---- createVPCOffering ---- */

static void write_members(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	write_offering(e, w, network_offering_of(row));
}

#define SAYS                                                                                                 \
	"name|displaytext|created|state|internetprotocol|isdefault|distributedvpcrouter|"                    \
	"supportsregionLevelvpc|domainid|" CS_OFFERED_ALSO "|service"
static const struct member members[] = {MEMBER_WRITTEN("id", write_members, .also = SAYS)};
static const struct api_listing shown = CS_LISTING(KIND_NETWORK_OFFERING, "vpcoffering", members);

struct make_vpc_offering {
	struct network_offering_wish wish;
	struct strs services;
	struct {
		const struct cs_service_provider *at;
		size_t count;
	} providers;
};
#define P(wire, member, ...) PARAM(struct make_vpc_offering, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .doc = "Name; need not be unique."),
	P("displaytext", wish.description, .max = 4096, .doc = "Display text; absent: the name."),
	P("supportedservices", services, .flags = REQUIRED, .max = CS_NAMED_MAX,
	  .doc = "Services: Dhcp and any of Dns, UserData, SourceNat, StaticNat, PortForwarding, Lb, "
		 "NetworkACL and Vpn."),
	PARAM_LIST(struct make_vpc_offering, "serviceproviderlist", providers, cs_provider_params,
		   .max = CS_NAMED_MAX, .doc = "Provider of each service; only VpcVirtualRouter."),
	P("enable", wish.enabled, .doc = "Enables the offering at once; absent: Disabled."),
	CS_MAKES_OFFERED_PARAMS(struct make_vpc_offering, wish.offered),
	NOT_BUILT("provider|routingmode|servicecapabilitylist|serviceofferingid"),
	NOT_BUILT("internetprotocol", .only = "IPv4"),
	NOT_BUILT("networkmode", .only = "NATTED"),
	NOT_BUILT("fornsx|nsxsupportlb|specifyasnumber", .only = "false"),
};
#undef P

static RESULT take_services(struct cs_call *e, struct make_vpc_offering *a)
{
	bool has_dhcp = false;
	for (size_t n = 0; n < a->services.count; n++) {
		size_t k = 0;
		while (k < CS_SERVICES && !str_equal_nocase(a->services.at[n], str_from(cs_services[k].name)))
			k++;
		if (k == CS_SERVICES ||
		    cs_services[k].wish == offsetof(struct network_offering_wish, firewall) + 1 ||
		    cs_services[k].wish == offsetof(struct network_offering_wish, security_groups) + 1)
			return cs_fail(e, "supportedservices", "Service %" STR_FMT " is not supported in VPC",
				       STR_ARG(a->services.at[n]));
		if (cs_services[k].wish)
			((char *) &a->wish)[cs_services[k].wish - 1] = true;
		has_dhcp = has_dhcp || !cs_services[k].wish;
	}
	a->wish.source_nat = a->wish.network_acl = true;
	return has_dhcp ? OK
			: cs_fail(e, "supportedservices",
				  "The service Dhcp is missing in supportedservices: every VPC has it");
}

static RESULT check_providers(struct cs_call *e, const struct make_vpc_offering *a)
{
	for (size_t k = 0; k < a->providers.count; k++) {
		const struct cs_service_provider *p = &a->providers.at[k];
		bool is_there = str_equal_nocase(p->service, STR("SourceNat")) ||
				str_equal_nocase(p->service, STR("NetworkACL"));
		for (size_t n = 0; n < a->services.count; n++)
			is_there = is_there || str_equal_nocase(a->services.at[n], p->service);
		if (!is_there)
			return cs_fail(e, "serviceproviderlist",
				       "Service %" STR_FMT " is not enabled for the network offering, can't "
				       "add a provider to it",
				       STR_ARG(p->service));
		if (!str_equal_nocase(p->provider, str_from(cs_vpc_provider)))
			return cs_fail(e, "serviceproviderlist", "Invalid service provider: %" STR_FMT,
				       STR_ARG(p->provider));
	}
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_vpc_offering *a = args;
	TRY(take_services(e, a));
	TRY(check_providers(e, a));
	a->wish.of_vpc = true;
	return OK;
}

/* ---- updateVPCOffering, deleteVPCOffering ---- */

struct change_vpc_offering {
	struct network_offering_settings wish;
	struct cs_offered offered;
	struct str id, state;
};
static const struct param update_params[] = {
	PARAM(struct change_vpc_offering, "id", id, .flags = REQUIRED, .doc = "The offering."),
	PARAM(struct change_vpc_offering, "name", wish.name, .doc = "New name."),
	PARAM(struct change_vpc_offering, "displaytext", wish.description, .max = 4096,
	      .doc = "New display text."),
	PARAM(struct change_vpc_offering, "state", state, .words = "Enabled|Disabled",
	      .doc = "Enabled: VPCs can be created from it."),
	CS_CHANGES_OFFERED_PARAMS(struct change_vpc_offering, offered),
	NOT_BUILT("sortkey"),
};

/* The default offering has no row that a change could be written to. */
static RESULT find_changeable(struct cs_call *e, struct str id, const char *problem, struct ref *ret_own)
{
	TRY(cs_find_vpc_offering(e, id, "id", ret_own));
	return ref_is_given(ret_own) ? OK : ctx_fail_field(e->c, ERR_PROTECTED, STR("id"), "%s", problem);
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_vpc_offering *a = args;
	TRY(find_changeable(e, a->id, "Default network offering can't be changed", &a->wish.offering));
	if (a->state.n)
		a->wish.enabled = str_is(a->state, "Enabled") ? CHOICE_YES : CHOICE_NO;
	return cs_take_offered(e, &a->offered, "VPC offering", &a->wish.offered);
}

struct drop_vpc_offering {
	struct network_offering_target wish;
	struct str id;
};
static const struct param delete_params[] = {
	PARAM(struct drop_vpc_offering, "id", id, .flags = REQUIRED, .doc = "Offering that no VPC uses."),
};

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct drop_vpc_offering *a = args;
	return find_changeable(e, a->id, "Default network offering can't be deleted", &a->wish.offering);
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("listVPCOfferings", "ec2:DescribeVpcs"),
	 .args = PARAMS(struct list_vpc_offerings, list_params), .answer = list_vpc_offerings,
	 .says = "id|" SAYS, .doc = "Lists VPC offerings."},
	{CS_ACTION("createVPCOffering", "ec2:CreateNetworkOffering"),
	 .flags = API_WRITES | CS_ADMIN | CS_MAKES, .args = PARAMS(struct make_vpc_offering, create_params),
	 .prepare = prepare_create, .operation = engine_create_network_offering_run,
	 CS_SUBJECT(struct make_vpc_offering, wish.offering), .shows = &shown, CS_JOB(NOW),
	 .doc = "Creates a VPC offering."},
	{CS_ACTION("updateVPCOffering", "ec2:ModifyNetworkOffering"), CHANGES,
	 .args = PARAMS(struct change_vpc_offering, update_params), .prepare = prepare_update,
	 .operation = engine_update_network_offering_run,
	 CS_SUBJECT(struct change_vpc_offering, wish.offering.prefix), .shows = &shown, CS_JOB(NOW),
	 .doc = "Changes or enables a VPC offering."},
	{CS_ACTION("deleteVPCOffering", "ec2:DeleteNetworkOffering"), CHANGES,
	 .args = PARAMS(struct drop_vpc_offering, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_network_offering_run, CS_JOB(NOW),
	 .doc = "Deletes a VPC offering that no VPC uses."},
};
const struct api_actions cs_vpc_offering_actions = API_ACTIONS(actions);
