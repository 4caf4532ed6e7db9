/* SPDX-License-Identifier: Apache-2.0
 * Subnets, zones and security groups of Classic Load Balancers. A zone stands for its default subnet. */
#include "api/elb/classic/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/account.h"
#include "store/elastic_load_balancer.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/zone.h"

/* ---- what is shown ---- */

static const struct subnet *front_subnet(struct elb_call *e, const struct elastic_load_balancer *b, size_t k)
{
	const struct port *front = port_find(elb_tables(e), b->fronts.at[k]);
	return front ? subnet_find(elb_tables(e), front->subnet) : NULL;
}

static void write_zones(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "AvailabilityZones");
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct subnet *subnet = front_subnet(e, b, k);
		const struct zone *zone = subnet ? zone_find(elb_tables(e), subnet->zone) : NULL;
		if (zone)
			xml_text(x, "member", zone->name);
	}
	xml_close(x, "AvailabilityZones");
}

void classic_write_places(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b,
			  bool has_zones, bool has_subnets)
{
	if (has_zones)
		write_zones(e, x, b);
	if (!has_subnets)
		return;
	xml_open(x, "Subnets");
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct subnet *subnet = front_subnet(e, b, k);
		if (subnet)
			xml_text(x, "member", id_to_ec2(e->c->arena, KIND_SUBNET, subnet->row.id));
	}
	xml_close(x, "Subnets");
}

void classic_write_groups(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	const struct port *front = b->fronts.count ? port_find(elb_tables(e), b->fronts.at[0]) : NULL;
	classic_write_ids(e, x, "SecurityGroups", KIND_SECURITY_GROUP,
			  front ? &front->groups : &(const struct uuids){0});
}

/* ---- zones ---- */

static const struct subnet *find_default(struct elb_call *e, uuid zone)
{
	const struct account *account = account_find(elb_tables(e), e->c->who->account);
	const struct subnet *s = account && !uuid_is_none(account->default_router)
					 ? subnet_first_by_router(elb_tables(e), account->default_router)
					 : NULL;
	while (s && !(row_is_live(&s->row) && s->is_default && uuid_equal(s->zone, zone)))
		s = subnet_next_by_router(elb_tables(e), s);
	return s;
}

RESULT classic_find_zones(struct elb_call *e, const struct strs *zones, struct refs *ret_subnets)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, zones->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < zones->count; k++) {
		const struct zone *zone = zone_find_by_name(elb_tables(e), zones->at[k]);
		const struct subnet *subnet = zone ? find_default(e, zone->row.id) : NULL;
		if (!subnet)
			return ctx_fail_field(e->c, ERR_INVALID, STR("AvailabilityZones"),
					      zone ? "The default VPC has no default subnet in '%" STR_FMT "'"
						   : "Availability Zone '%" STR_FMT "' does not exist",
					      STR_ARG(zones->at[k]));
		at[k] = ref_by_id(KIND_SUBNET, subnet->row.id);
		at[k].field = STR("AvailabilityZones");
	}
	*ret_subnets = (struct refs){at, zones->count};
	return OK;
}

/* The subnets of the load balancer that are in the zones. */
static RESULT find_attached(struct elb_call *e, const struct ref *balancer, const struct strs *zones,
			    struct refs *ret_subnets)
{
	const struct elastic_load_balancer *b = classic_row(e, balancer);
	struct ref *at = arena_new_array(e->c->arena, struct ref, b->fronts.count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct subnet *subnet = front_subnet(e, b, k);
		const struct zone *zone = subnet ? zone_find(elb_tables(e), subnet->zone) : NULL;
		for (size_t n = 0; zone && n < zones->count; n++)
			if (str_equal(zone->name, zones->at[n])) {
				at[count++] = ref_by_id(KIND_SUBNET, subnet->row.id);
				break;
			}
	}
	*ret_subnets = (struct refs){at, count};
	return OK;
}

/* ---- actions ---- */

struct places_args {
	struct balancer_subnets_change wish;
	struct str name;
	struct strs zones;
};
static const struct param subnets_params[] = {
	CLASSIC_NAME(struct places_args, name),
	PARAM(struct places_args, "Subnets.member", wish.subnets, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "Subnets, one in each zone."),
};
static const struct param zones_params[] = {
	CLASSIC_NAME(struct places_args, name),
	PARAM(struct places_args, "AvailabilityZones.member", zones, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Zones, whose default subnets are used."),
};

static RESULT prepare_subnets(struct elb_call *e, void *args)
{
	struct places_args *a = args;
	return classic_find(e, a->name, &a->wish.balancer);
}

static RESULT prepare_enable(struct elb_call *e, void *args)
{
	struct places_args *a = args;
	a->wish.is_by_zone = true;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	return classic_find_zones(e, &a->zones, &a->wish.subnets);
}

static RESULT prepare_disable(struct elb_call *e, void *args)
{
	struct places_args *a = args;
	a->wish.is_by_zone = true;
	TRY(classic_find(e, a->name, &a->wish.balancer));
	return find_attached(e, &a->wish.balancer, &a->zones, &a->wish.subnets);
}

static RESULT show_places(struct elb_call *e, const void *args, struct xml *x)
{
	const struct places_args *a = args;
	const struct row *row = NULL;
	TRY(elb_find_returned(e, a->wish.balancer.prefix, &row));
	classic_write_places(e, x, elastic_load_balancer_of(row), a->wish.is_by_zone, !a->wish.is_by_zone);
	return OK;
}

struct groups_args {
	struct elastic_load_balancer_groups wish;
	struct str name;
};
static const struct param groups_params[] = {
	CLASSIC_NAME(struct groups_args, name),
	PARAM(struct groups_args, "SecurityGroups.member", wish.groups, .flags = REQUIRED,
	      .kind = KIND_SECURITY_GROUP, .doc = "Security groups of the load balancer."),
};

static RESULT prepare_groups(struct elb_call *e, void *args)
{
	struct groups_args *a = args;
	a->wish.is_classic = true;
	return classic_find(e, a->name, &a->wish.balancer);
}

static RESULT show_groups(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct groups_args *) args)->wish.balancer.prefix, &row));
	classic_write_groups(e, x, elastic_load_balancer_of(row));
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("AttachLoadBalancerToSubnets"), .flags = API_WRITES,
	 .args = PARAMS(struct places_args, subnets_params), .prepare = prepare_subnets,
	 .operation = engine_attach_balancer_subnets_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_places, .doc = "Adds subnets to a load balancer."},
	{ELB_ACTION("DetachLoadBalancerFromSubnets"), .flags = API_WRITES,
	 .args = PARAMS(struct places_args, subnets_params), .prepare = prepare_subnets,
	 .operation = engine_detach_balancer_subnets_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_places, .doc = "Removes subnets from a load balancer."},
	{ELB_ACTION("EnableAvailabilityZonesForLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct places_args, zones_params), .prepare = prepare_enable,
	 .operation = engine_attach_balancer_subnets_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_places, .doc = "Adds the default subnets of zones to a load balancer."},
	{ELB_ACTION("DisableAvailabilityZonesForLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct places_args, zones_params), .prepare = prepare_disable,
	 .operation = engine_detach_balancer_subnets_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_places, .doc = "Removes the subnets of zones from a load balancer."},
	{ELB_ACTION("ApplySecurityGroupsToLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct groups_args, groups_params), .prepare = prepare_groups,
	 .operation = engine_set_elastic_load_balancer_groups_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_groups, .doc = "Replaces the security groups of a load balancer."},
};
const struct api_actions classic_place_actions = API_ACTIONS(actions);
