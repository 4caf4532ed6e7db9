/* SPDX-License-Identifier: Apache-2.0
 * Load balancers. Sources: API Reference of Elastic Load Balancing; User Guides for Network and Application Load
 * Balancers. */
#include "api/elb/internal.h"
#include "base/clock.h"
#include "engine/network/port/port.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "model/id.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/subnet.h"
#include "store/zone.h"

/* ---- parameters ---- */

struct subnet_args {
	struct refs subnets;
	struct balancer_subnets mappings;
};
static const struct param mapping_params[] = {
	PARAM(struct balancer_subnet, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "Subnet."),
	PARAM(struct balancer_subnet, "AllocationId", address, .kind = KIND_ADDRESS,
	      .doc = "Elastic address of an internet-facing load balancer."),
	PARAM(struct balancer_subnet, "PrivateIPv4Address", private_ip,
	      .doc = "Private address of the load balancer in the subnet."),
	PARAM(struct balancer_subnet, "IPv6Address", ipv6, .flags = IPV6,
	      .doc = "IPv6 address of a dualstack load balancer in the subnet."),
	NOT_BUILT("SourceNatIpv6Prefix"),
};
static const struct params mapping_table = PARAMS(struct balancer_subnet, mapping_params);

#define SUBNETS(T, member)                                                                                   \
	PARAM(T, "Subnets.member", member.subnets, .kind = KIND_SUBNET, .max = BALANCER_FRONTS_MAX,          \
	      .doc = "Subnets, one in each zone."),                                                          \
		PARAM_LIST(T, "SubnetMappings.member", member.mappings, mapping_table,                       \
			   .max = BALANCER_FRONTS_MAX, .doc = "Subnets with addresses, one in each zone.")

/* Reads the subnets from the list that the call has, Subnets or SubnetMappings. */
static RESULT choose_subnets(struct elb_call *e, const struct subnet_args *a,
			     struct balancer_subnets *ret_subnets)
{
	if (!a->subnets.count == !a->mappings.count)
		return ctx_fail_field(e->c, a->subnets.count ? ERR_INVALID : ERR_MISSING, STR("Subnets"),
				      a->subnets.count
					      ? "You must specify either subnets or subnet mappings, not both"
					      : "At least one subnet must be specified");
	*ret_subnets = a->mappings;
	if (a->mappings.count)
		return OK;
	struct balancer_subnet *at = arena_new_array(e->c->arena, struct balancer_subnet, a->subnets.count);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->subnets.count; k++)
		at[k] = (struct balancer_subnet){.subnet = a->subnets.at[k]};
	*ret_subnets = (struct balancer_subnets){at, a->subnets.count};
	return OK;
}

#define IP_TYPES "ipv4|dualstack|dualstack-without-public-ipv4"

/* Accepts the IP address types that are built. */
static RESULT read_ip_type(struct elb_call *e, struct str type, bool *ret_is_dualstack)
{
	*ret_is_dualstack = str_is(type, "dualstack");
	return *ret_is_dualstack || str_is(type, "ipv4")
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("IpAddressType"),
					"The IP address type '%" STR_FMT
					"' is not supported in this region: only 'ipv4' and 'dualstack' are",
					STR_ARG(type));
}

struct create_args {
	struct elastic_load_balancer_wish wish;
	struct subnet_args subnets;
	struct str scheme, type, ip_type;
};
static const struct param create_params[] = {
	ELB_NAME(struct create_args, wish.name),
	SUBNETS(struct create_args, subnets),
	PARAM(struct create_args, "Scheme", scheme, .words = "internet-facing|internal",
	      .absent = "internet-facing",
	      .doc = "Scheme: internet-facing load balancers have public addresses."),
	PARAM(struct create_args, "Type", type, .words = "application|network|gateway",
	      .absent = "application", .doc = "Type: `network` or `application`."),
	ELB_TAGS(struct create_args, wish.tags),
	PARAM(struct create_args, "IpAddressType", ip_type, .words = IP_TYPES, .absent = "ipv4",
	      .doc = "IP address type: `ipv4` or `dualstack`."),
	NOT_BUILT("EnablePrefixForIpv6SourceNat", .only = "off"),
	PARAM(struct create_args, "SecurityGroups.member", wish.groups, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security groups."),
	NOT_BUILT("CustomerOwnedIpv4Pool|IpamPools|MinimumLoadBalancerCapacity"),
};

static RESULT prepare_create(struct elb_call *e, void *args)
{
	struct create_args *a = args;
	if (str_is(a->type, "gateway"))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("Type"),
			"Load balancers of type 'gateway' are not supported in this region: only "
			"'network' and 'application' are");
	a->wish.is_application = str_is(a->type, "application");
	TRY(read_ip_type(e, a->ip_type, &a->wish.is_dualstack));
	TRY(elb_check_name(e, a->wish.name, false));
	if (str_starts_with(a->wish.name, STR("internal-")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Name"),
				      "The load balancer name '%" STR_FMT "' cannot begin with 'internal-'",
				      STR_ARG(a->wish.name));
	TRY(elb_check_tags(e, a->wish.tags));
	a->wish.is_internal = str_is(a->scheme, "internal");
	return choose_subnets(e, &a->subnets, &a->wish.subnets);
}

struct subnets_args {
	struct elastic_load_balancer_subnets wish;
	struct subnet_args subnets;
	struct str arn, ip_type;
};
static const struct param subnets_params[] = {
	ELB_ARN(struct subnets_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	SUBNETS(struct subnets_args, subnets),
	PARAM(struct subnets_args, "IpAddressType", ip_type, .words = IP_TYPES,
	      .doc = "New IP address type: `ipv4` or `dualstack`."),
	NOT_BUILT("EnablePrefixForIpv6SourceNat", .only = "off"),
};

static RESULT prepare_subnets(struct elb_call *e, void *args)
{
	struct subnets_args *a = args;
	bool is_dualstack = false;
	if (a->ip_type.n) {
		TRY(read_ip_type(e, a->ip_type, &is_dualstack));
		a->wish.is_dualstack = is_dualstack ? CHOICE_YES : CHOICE_NO;
	}
	TRY(choose_subnets(e, &a->subnets, &a->wish.subnets));
	return elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer);
}

struct delete_args {
	struct elastic_load_balancer_target wish;
	struct str arn;
};
static const struct param delete_params[] = {
	ELB_ARN(struct delete_args, "LoadBalancerArn", arn, .doc = "The load balancer.")};

/* Deleting a load balancer that does not exist succeeds. */
static RESULT prepare_delete(struct elb_call *e, void *args)
{
	struct delete_args *a = args;
	struct result found =
		elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	a->wish.balancer = (struct ref){0};
	return OK;
}

/* ---- what is shown ---- */

static void write_address(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b,
			  const struct port *front)
{
	char text[IP_TEXT_SIZE];
	const struct tables *t = elb_tables(e);
	const struct address *a = address_find_by_port(t, front->row.id);
	xml_open(x, "LoadBalancerAddresses");
	xml_open(x, "member");
	if (a)
		xml_z(x, "IpAddress", ip_write(a->ip, text));
	if (a && a->is_elastic)
		xml_text(x, "AllocationId", id_to_ec2(e->c->arena, KIND_ADDRESS, a->row.id));
	if (b->is_internal)
		xml_z(x, "PrivateIPv4Address", ip_write(front->ip, text));
	if (b->is_dualstack && b->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK)
		xml_z(x, "IPv6Address", ip_write(engine_get_port_ip(t, front, IP_V6), text));
	xml_close(x, "member");
	xml_close(x, "LoadBalancerAddresses");
}

static void write_ip_type(struct xml *x, const struct elastic_load_balancer *b)
{
	xml_z(x, "IpAddressType", b->is_dualstack ? "dualstack" : "ipv4");
}

static void write_zones(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	const struct tables *t = elb_tables(e);
	xml_open(x, "AvailabilityZones");
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct port *front = port_find(t, b->fronts.at[k]);
		const struct subnet *subnet = front ? subnet_find(t, front->subnet) : NULL;
		const struct zone *zone = subnet ? zone_find(t, subnet->zone) : NULL;
		if (!subnet)
			continue;
		xml_open(x, "member");
		if (zone)
			xml_text(x, "ZoneName", zone->name);
		xml_text(x, "SubnetId", id_to_ec2(e->c->arena, KIND_SUBNET, subnet->row.id));
		write_address(e, x, b, front);
		xml_close(x, "member");
	}
	xml_close(x, "AvailabilityZones");
}

/* A load balancer is active once the network knows all of its fronts, and its proxy runs. */
static bool is_active(const struct tables *t, const struct elastic_load_balancer *b)
{
	const struct proxy *proxy = engine_get_proxy(t, b->row.id);
	if (b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION && (!proxy || !proxy->seen_gen))
		return false;
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct port *front = port_find(t, b->fronts.at[k]);
		if (!front || front->seen_gen == 0)
			return false;
	}
	return true;
}

/* All fronts have the same groups. Shows no list for a network load balancer without groups. */
static void write_groups(struct elb_call *e, struct xml *x, const char *list,
			 const struct elastic_load_balancer *b)
{
	const struct port *front = b->fronts.count ? port_find(elb_tables(e), b->fronts.at[0]) : NULL;
	if (b->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK && !(front && front->groups.count))
		return;
	xml_open(x, list);
	for (size_t k = 0; front && k < front->groups.count; k++)
		xml_text(x, "member", id_to_ec2(e->c->arena, KIND_SECURITY_GROUP, front->groups.at[k]));
	xml_close(x, list);
}

static void write_balancer(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b)
{
	xml_open(x, "member");
	xml_text(x, "LoadBalancerArn", elb_arn(e, KIND_ELASTIC_LOAD_BALANCER, &b->row));
	xml_text(x, "DNSName", engine_write_balancer_dns_name(elb_tables(e), e->c->arena, b));
	xml_text(x, "CanonicalHostedZoneId", engine_write_balancer_zone_id(elb_tables(e), e->c->arena, b));
	xml_time_ms(x, "CreatedTime", b->row.created_us);
	xml_text(x, "LoadBalancerName", b->name);
	xml_z(x, "Scheme", b->is_internal ? "internal" : "internet-facing");
	xml_text(x, "VpcId", id_to_ec2(e->c->arena, KIND_ROUTER, b->router));
	xml_open(x, "State");
	xml_z(x, "Code", is_active(elb_tables(e), b) ? "active" : "provisioning");
	xml_close(x, "State");
	xml_z(x, "Type", elastic_load_balancer_type_words[b->type]);
	write_groups(e, x, "SecurityGroups", b);
	write_zones(e, x, b);
	write_ip_type(x, b);
	xml_close(x, "member");
}

static RESULT show_new(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct create_args *) args)->wish.balancer, &row));
	xml_open(x, "LoadBalancers");
	write_balancer(e, x, elastic_load_balancer_of(row));
	xml_close(x, "LoadBalancers");
	return OK;
}

static RESULT show_subnets(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(elb_find_returned(e, ((const struct subnets_args *) args)->wish.balancer.prefix, &row));
	write_zones(e, x, elastic_load_balancer_of(row));
	write_ip_type(x, elastic_load_balancer_of(row));
	return OK;
}

/* ---- DescribeLoadBalancers ---- */

struct list_args {
	struct strs arns, names;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "LoadBalancerArns.member", arns, .min = 1, .max = ELB_ARN_MAX,
	      .doc = "Load balancers by their ARNs, up to 20."),
	PARAM(struct list_args, "Names.member", names, .min = 1, .max = BALANCING_NAME_MAX,
	      .doc = "Load balancers by their names."),
	ELB_PAGES(struct list_args, pages),
};

/* Every load balancer that the call names must exist. */
/* Classic Load Balancers and those of Octavia have APIs of their own. */
static bool is_listed(const struct elastic_load_balancer *b)
{
	return b->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION ||
	       b->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK;
}

static RESULT prepare_list(struct elb_call *e, void *args)
{
	struct list_args *a = args;
	struct ref ref;
	if (a->arns.count > ELB_LIST_MAX || a->names.count > ELB_LIST_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("LoadBalancerArns"),
				      "Up to %d load balancers can be described at a time", ELB_LIST_MAX);
	if (a->arns.count && a->names.count)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("Names"),
			"Load balancer names and load balancer ARNs cannot be specified at the same time");
	for (size_t k = 0; k < a->arns.count; k++)
		TRY(elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arns.at[k], "LoadBalancerArns", &ref));
	for (size_t k = 0; k < a->names.count; k++) {
		ref = (struct ref){
			.kind = KIND_ELASTIC_LOAD_BALANCER, .text = a->names.at[k], .field = STR("Names")};
		const struct elastic_load_balancer *b = elastic_load_balancer_find_by_account(
			elb_tables(e), e->c->who->account, a->names.at[k]);
		if (!b || !is_listed(b))
			return engine_fail_not_found(e->c, KIND_ELASTIC_LOAD_BALANCER, &ref);
	}
	return OK;
}

static RESULT answer_list(struct elb_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct tables *t = elb_tables(e);
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "LoadBalancers");
	for (const struct elastic_load_balancer *b =
		     elastic_load_balancer_first_by_account(t, e->c->who->account);
	     b && !page.is_cut; b = elastic_load_balancer_next_by_account(t, b)) {
		if (!is_listed(b) || !request_asks_for(a->names, b->name) ||
		    !request_asks_for(a->arns, a->arns.count ? elb_arn(e, KIND_ELASTIC_LOAD_BALANCER, &b->row)
							     : STR_NONE) ||
		    !query_page_takes(&page, b->name))
			continue;
		TRY(engine_check_found(e->c, t, KIND_ELASTIC_LOAD_BALANCER, &b->row));
		write_balancer(e, x, b);
	}
	xml_close(x, "LoadBalancers");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

/* ---- security groups and kinds of addresses ---- */

struct groups_args {
	struct elastic_load_balancer_groups wish;
	struct str arn;
};
static const struct param groups_params[] = {
	ELB_ARN(struct groups_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	PARAM(struct groups_args, "SecurityGroups.member", wish.groups, .flags = REQUIRED,
	      .kind = KIND_SECURITY_GROUP, .doc = "Security groups."),
	NOT_BUILT("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
};
struct type_args {
	struct elastic_load_balancer_ip_type wish;
	struct str arn, type;
};
static const struct param type_params[] = {
	ELB_ARN(struct type_args, "LoadBalancerArn", arn, .doc = "The load balancer."),
	PARAM(struct type_args, "IpAddressType", type, .flags = REQUIRED, .words = IP_TYPES,
	      .doc = "IP address type: `ipv4` or `dualstack`."),
};

static RESULT prepare_groups(struct elb_call *e, void *args)
{
	struct groups_args *a = args;
	return elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer);
}

static RESULT show_groups(struct elb_call *e, const void *args, struct xml *x)
{
	const struct groups_args *a = args;
	const struct row *row = NULL;
	TRY(elb_find_returned(e, a->wish.balancer.prefix, &row));
	write_groups(e, x, "SecurityGroupIds", elastic_load_balancer_of(row));
	return OK;
}

static RESULT prepare_type(struct elb_call *e, void *args)
{
	struct type_args *a = args;
	TRY(read_ip_type(e, a->type, &a->wish.is_dualstack));
	return elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->wish.balancer);
}

static RESULT show_type(struct elb_call *e, const void *args, struct xml *x)
{
	const struct type_args *a = args;
	const struct row *row = NULL;
	TRY(elb_find_returned(e, a->wish.balancer.prefix, &row));
	write_ip_type(x, elastic_load_balancer_of(row));
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("CreateLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_elastic_load_balancer_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_new, .doc = "Creates a load balancer."},
	{ELB_ACTION("DescribeLoadBalancers"), .args = PARAMS(struct list_args, list_params),
	 .prepare = prepare_list, .answer = answer_list, .doc = "Lists the account's load balancers."},
	{ELB_ACTION("SetSubnets"), .flags = API_WRITES, .args = PARAMS(struct subnets_args, subnets_params),
	 .prepare = prepare_subnets, .operation = engine_set_elastic_load_balancer_subnets_run,
	 .returns = KIND_ELASTIC_LOAD_BALANCER, .answer = show_subnets,
	 .doc = "Replaces the subnets of a load balancer."},
	{ELB_ACTION("SetSecurityGroups"), .flags = API_WRITES,
	 .args = PARAMS(struct groups_args, groups_params), .prepare = prepare_groups,
	 .operation = engine_set_elastic_load_balancer_groups_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 .answer = show_groups, .doc = "Replaces the security groups of a load balancer."},
	{ELB_ACTION("SetIpAddressType"), .flags = API_WRITES, .args = PARAMS(struct type_args, type_params),
	 .prepare = prepare_type, .operation = engine_set_elastic_load_balancer_ip_type_run,
	 .returns = KIND_ELASTIC_LOAD_BALANCER, .answer = show_type,
	 .doc = "Gives the subnets' interfaces IPv6 addresses, or takes them away."},
	{ELB_ACTION("DeleteLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct delete_args, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_elastic_load_balancer_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a load balancer with its listeners."},
};
const struct api_actions elb_load_balancer_actions = API_ACTIONS(actions);
