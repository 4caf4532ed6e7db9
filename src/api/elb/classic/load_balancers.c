/* SPDX-License-Identifier: Apache-2.0
 * Classic Load Balancers: creation, deletion and the list. */
#include "api/elb/classic/internal.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/elastic_load_balancer.h"
#include "store/port.h"
#include "store/security_group.h"

/* ---- creation and deletion ---- */

struct create_args {
	struct elastic_load_balancer_wish wish;
	struct classic_listener_args listeners;
	struct refs subnets;
	struct strs zones;
	struct str scheme;
};
static const struct param create_params[] = {
	PARAM(struct create_args, "LoadBalancerName", wish.name, .flags = REQUIRED, .min = 1,
	      .max = BALANCING_NAME_MAX, .doc = "Name; unique in the account. Letters, digits and hyphens."),
	CLASSIC_LISTENERS(struct create_args, listeners),
	PARAM(struct create_args, "AvailabilityZones.member", zones, .min = 1, .max = 255,
	      .doc = "Zones, whose default subnets are used."),
	PARAM(struct create_args, "Subnets.member", subnets, .kind = KIND_SUBNET,
	      .doc = "Subnets, one in each zone."),
	PARAM(struct create_args, "SecurityGroups.member", wish.groups, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security groups; absent: the VPC's default group."),
	PARAM(struct create_args, "Scheme", scheme, .words = "internet-facing|internal",
	      .absent = "internet-facing",
	      .doc = "Scheme: internet-facing load balancers have public addresses."),
	ELB_TAGS(struct create_args, wish.tags),
};

static RESULT choose_subnets(struct elb_call *e, const struct create_args *a,
			     struct balancer_subnets *ret_subnets)
{
	struct refs subnets = a->subnets;
	if (!a->subnets.count == !a->zones.count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Subnets"),
				      a->zones.count
					      ? "Only one of SubnetIds or AvailabilityZones may be specified"
					      : "Either AvailabilityZones or SubnetIds must be specified");
	if (a->zones.count)
		TRY(classic_find_zones(e, &a->zones, &subnets));
	struct balancer_subnet *at = arena_new_array(e->c->arena, struct balancer_subnet, subnets.count);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < subnets.count; k++)
		at[k] = (struct balancer_subnet){.subnet = subnets.at[k]};
	*ret_subnets = (struct balancer_subnets){at, subnets.count};
	return OK;
}

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	struct classic_listener *at = NULL;
	TRY(elb_check_name(e, a->wish.name, false));
	TRY(elb_check_tags(e, a->wish.tags));
	TRY(classic_read_listeners(e, &a->listeners, &at));
	a->wish.is_classic = true;
	a->wish.is_internal = str_is(a->scheme, "internal");
	a->wish.listeners = at;
	a->wish.listener_count = a->listeners.count;
	return choose_subnets(e, a, &a->wish.subnets);
}

static RESULT show_new(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct create_args *) args)->wish.balancer, &row));
	xml_text(x, "DNSName",
		 engine_write_balancer_dns_name(elb_tables(e), e->c->arena, elastic_load_balancer_of(row)));
	return OK;
}

struct delete_args {
	struct elastic_load_balancer_target wish;
	struct str name;
};
static const struct param delete_params[] = {CLASSIC_NAME(struct delete_args, name)};

/* Deleting a load balancer that does not exist succeeds. */
static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	struct result found = classic_find(e, a->name, &a->wish.balancer);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	a->wish.balancer = (struct ref){0};
	return OK;
}

/* ---- the list ---- */

/* The first security group, which other groups name as a source. */
static void write_source_group(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	const struct tables *t = elb_tables(e);
	const struct port *front = b->fronts.count ? port_find(t, b->fronts.at[0]) : NULL;
	const struct security_group *group =
		front && front->groups.count ? security_group_find(t, front->groups.at[0]) : NULL;
	if (!group)
		return;
	xml_open(x, "SourceSecurityGroup");
	xml_text(x, "OwnerAlias", e->c->who->account_number);
	xml_text(x, "GroupName", group->name);
	xml_close(x, "SourceSecurityGroup");
}

static void write_balancer(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	struct str dns_name = engine_write_balancer_dns_name(elb_tables(e), e->c->arena, b);
	xml_open(x, "member");
	xml_text(x, "LoadBalancerName", b->name);
	xml_text(x, "DNSName", dns_name);
	if (!b->is_internal)
		xml_text(x, "CanonicalHostedZoneName", dns_name);
	xml_text(x, "CanonicalHostedZoneNameID",
		 engine_write_balancer_zone_id(elb_tables(e), e->c->arena, b));
	classic_write_listeners(e, x, b);
	classic_write_policies(e, x, b);
	classic_write_places(e, x, b, true, true);
	xml_text(x, "VPCId", id_to_ec2(e->c->arena, KIND_ROUTER, b->router));
	classic_write_instances(e, x, b);
	classic_write_check(e, x, b);
	write_source_group(e, x, b);
	classic_write_groups(e, x, b);
	xml_time_ms(x, "CreatedTime", b->row.created_us);
	xml_z(x, "Scheme", b->is_internal ? "internal" : "internet-facing");
	xml_close(x, "member");
}

struct list_args {
	struct strs names;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LoadBalancerNames.member", names, .min = 1, .max = 255,
	      .doc = "Load balancers by their names."),
	ELB_PAGES(struct list_args, pages),
};

/* Every load balancer that the call names must exist. */
static RESULT prepare_list(struct elb_call *e, void *args)
{
	const struct list_args *a = args;
	struct ref ref;
	for (size_t k = 0; k < a->names.count; k++)
		TRY(classic_find(e, a->names.at[k], &ref));
	return OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = elb_tables(e);
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "LoadBalancerDescriptions");
	for (const struct elastic_load_balancer *b =
		     elastic_load_balancer_first_by_account(t, e->c->who->account);
	     b && !page.is_cut; b = elastic_load_balancer_next_by_account(t, b)) {
		if (b->type != ELASTIC_LOAD_BALANCER_TYPE_CLASSIC || !request_asks_for(a->names, b->name) ||
		    !query_page_takes(&page, b->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_ELASTIC_LOAD_BALANCER, &b->row));
		write_balancer(e, x, b);
	}
	xml_close(x, "LoadBalancerDescriptions");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_elastic_load_balancer_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_new, .doc = "Creates a Classic Load Balancer."},
	{ELB_ACTION("DescribeLoadBalancers"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists the account's Classic Load Balancers."},
	{ELB_ACTION("DeleteLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_elastic_load_balancer_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a Classic Load Balancer."},
};
const struct api_actions classic_balancer_actions = API_ACTIONS(actions);
