/* SPDX-License-Identifier: Apache-2.0
 * VPCs: routers with address blocks, as in EC2. A VPC created here has a source NAT address. Its tiers are
 * guest networks.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/network/guest_network.h"
#include "engine/resolve.h"
#include "store/network.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- listVPCs ---- */

struct list_vpcs {
	struct cs_list_args list;
	struct ref zone, project;
	struct str block, text, state, offering;
};
#define P(wire, member, ...) PARAM(struct list_vpcs, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_vpcs, KIND_ROUTER),
	CS_NAME_PARAM(struct list_vpcs),
	CS_OWNER_PARAMS(struct list_vpcs),
	CS_PROJECT_PARAM(struct list_vpcs, project),
	CS_TAGS_PARAM(struct list_vpcs),
	P("cidr", block, .doc = "First CIDR block of the VPC."),
	P("displaytext", text, .doc = "Display text."),
	P("state", state, .words = "Enabled|Inactive", .doc = "State. All are Enabled."),
	P("vpcofferingid", offering, .doc = "VPC offering of the VPC."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: the resources are in every zone."),
	NOT_BUILT("supportedservices"),
	NOT_BUILT("fordisplay", .only = "true"),
	NOT_BUILT("restartrequired|showicon", .only = "false"),
};
#undef P

static RESULT prepare_list(struct cs_call *e, void *args)
{
	const struct list_vpcs *a = args;
	struct ref own;
	return a->offering.n ? cs_find_vpc_offering(e, a->offering, "vpcofferingid", &own) : OK;
}

static struct str get_block(struct api_call *e, const struct row *row)
{
	return cidr_to_str(e->c->arena, router_of(row)->blocks.at[0]);
}

static struct str get_text(struct api_call *e, const struct row *row)
{
	return router_of(row)->description.n ? router_of(row)->description : cs_get_vpc_name(e, row);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_vpcs *a = args;
	struct str offering = uuid_to_str(e->c->arena, cs_vpc_offering_id(e, router_of(row)));
	return cs_find_vpc(e, row->id) && (!a->offering.n || str_equal_nocase(a->offering, offering)) &&
	       (!a->block.n || str_equal(a->block, get_block(e, row))) &&
	       (!a->text.n || str_equal(a->text, get_text(e, row))) &&
	       (!a->state.n || str_is(a->state, "Enabled"));
}

static void write_tiers(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = subnet_first_by_router(api_tables(e), row->id);
	json_write_open_list(w, name);
	for (; s; s = subnet_next_by_router(api_tables(e), s)) {
		const struct network *tier = network_find(api_tables(e), s->network);
		if (!row_is_live(&s->row) || !tier || cs_find_subnet(e, s->network) != s)
			continue;
		json_write_open(w, NULL);
		members_write(e, w, cs_write_time, &cs_networks.members, &tier->row);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_services(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	cs_write_services(w, cs_services_of_vpc(e, router_of(row)), cs_vpc_provider, CS_OF_VPC);
}

static const struct member members[] = {
	MEMBER(struct router, "id", row.id),
	MEMBER_TEXT("name", cs_get_vpc_name),
	MEMBER_TEXT("displaytext", get_text),
	MEMBER_FIXED("state", "\"Enabled\""),
	CS_OWNER_MEMBERS(router),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone, .also = "zonename"),
	MEMBER_TEXT("cidr", get_block),
	MEMBER_WRITTEN("vpcofferingid", cs_write_vpc_offering, .also = "vpcofferingname"),
	MEMBER_AS(struct router, TIME, "created", row.created_us),
	MEMBER_WRITTEN("service", write_services),
	MEMBER_WRITTEN("network", write_tiers),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_FIXED("restartrequired|distributedvpcrouter|regionlevelvpc|redundantvpcrouter", "false"),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing vpcs =
	CS_LISTING(KIND_ROUTER, "vpc", members, .get_name = cs_get_vpc_name, .matches = matches);

/* ---- changes ---- */

struct make_vpc {
	struct router_wish wish;
	struct cs_owner owner;
	struct str offering;
	struct ref zone;
};
#define P(wire, member, ...) PARAM(struct make_vpc, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("cidr", wish.block, .flags = REQUIRED, .doc = "CIDR block, from /16 to /28."),
	P("name", wish.name, .flags = REQUIRED, .doc = "Name."),
	P("displaytext", wish.description, .flags = REQUIRED, .doc = "Display text."),
	P("vpcofferingid", offering, .flags = REQUIRED, .doc = "VPC offering."),
	P("zoneid", zone, .kind = KIND_ZONE, .flags = REQUIRED, .doc = "Ignored: VPCs are in every zone."),
	CS_FOR_PARAMS(struct make_vpc, owner),
	NOT_BUILT("asnumber|bgppeerids|cidrsize|dns1|dns2|ip6dns1|ip6dns2|networkdomain|publicmtu|"
		  "sourcenatipaddress"),
	NOT_BUILT("fordisplay|start", .only = "true"),
	NOT_BUILT("userouteripresolver", .only = "false"),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_vpc *a = args;
	const struct row *zone = NULL;
	TRY(cs_find_vpc_offering(e, a->offering, "vpcofferingid", &a->wish.offering));
	TRY(engine_find(e->c, cs_tables(e), KIND_ZONE, &a->zone, &zone));
	return cs_check_offered(e, &a->wish.offering, zone->id);
}

struct change_vpc {
	struct router_settings wish;
	enum choice cleans_up;
};
#define VPC                                                                                                  \
	PARAM(struct change_vpc, "id", wish.router, .kind = KIND_ROUTER, .flags = REQUIRED, .doc = "The VPC.")
static const struct param update_params[] = {
	VPC,
	PARAM(struct change_vpc, "name", wish.name, .doc = "New name."),
	PARAM(struct change_vpc, "displaytext", wish.description, .doc = "New display text or description."),
	NOT_BUILT("customid|publicmtu|sourcenatipaddress"),
	NOT_BUILT("fordisplay", .only = "true"),
};
static const struct param restart_params[] = {
	VPC,
	PARAM(struct change_vpc, "cleanup", cleans_up,
	      .doc = "Ignored: there are no virtual routers to recreate."),
	NOT_BUILT("livepatch|makeredundant", .only = "false"),
};

/* Refuses routers without blocks, which are not VPCs. */
static RESULT check_is_vpc(struct cs_call *e, const struct ref *ref)
{
	return cs_find_vpc(&e->core, ref->prefix) ? OK : cs_fail_id(e, KIND_ROUTER, "id", ref->text);
}

static RESULT prepare_change(struct cs_call *e, void *args)
{
	return check_is_vpc(e, &((struct change_vpc *) args)->wish.router);
}

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	return check_is_vpc(e, &((struct router_target *) args)->router);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listVPCs", "ec2:DescribeVpcs"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_vpcs, list_params), .prepare = prepare_list, .listing = &vpcs,
	 .doc = "Lists VPCs."},
	{CS_ACTION("createVPC", "ec2:CreateVpc"), .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES,
	 .args = PARAMS(struct make_vpc, create_params), .prepare = prepare_create,
	 .operation = engine_create_vpc_run, CS_SUBJECT(struct make_vpc, wish.router), .shows = &vpcs,
	 CS_JOB(MADE), .doc = "Creates a VPC with an internet gateway."},
	{CS_ACTION("updateVPC", "ec2:ModifyVpcAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct change_vpc, update_params), .prepare = prepare_change,
	 .operation = engine_update_router_run, CS_SUBJECT(struct change_vpc, wish.router.prefix),
	 .shows = &vpcs, CS_JOB(MADE), .doc = "Changes the name or display text of a VPC."},
	{CS_ACTION("restartVPC", "ec2:ModifyVpcAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct change_vpc, restart_params), .prepare = prepare_change,
	 .operation = engine_update_router_run, CS_SUBJECT(struct change_vpc, wish.router.prefix),
	 .about = KIND_ROUTER, CS_JOB(NOW), .doc = "Reconciles a VPC, and repairs differences."},
	{CS_ACTION("deleteVPC", "ec2:DeleteVpc"), .flags = API_WRITES,
	 .args = CS_ONE(struct router_target, "id", router, KIND_ROUTER, "The VPC."),
	 .prepare = prepare_delete, .operation = engine_delete_vpc_run,
	 CS_SUBJECT(struct router_target, router.prefix), .about = KIND_ROUTER, CS_JOB(GONE),
	 .doc = "Deletes a VPC without tiers, with its gateway and ACL lists, and releases its addresses."},
};
const struct api_actions cs_vpc_actions = API_ACTIONS(actions);
