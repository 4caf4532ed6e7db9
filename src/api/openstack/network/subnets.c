/* SPDX-License-Identifier: Apache-2.0
 * Subnets. */
#include "api/openstack/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/subnet.h"
#include "model/subnet.h"

static void write_pools(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = subnet_of(row);
	struct ip plain[] = {ip_add(s->block.base, 4), cidr_last(s->block)};
	plain[1].b[s->block.base.family == IP_V6 ? 15 : 3]--;
	struct ips pools = s->pools.count ? s->pools : (struct ips){plain, 2};
	(void) e;
	json_write_open_list(w, name);
	for (size_t k = 0; k + 1 < pools.count; k += 2) {
		json_write_open(w, NULL);
		os_write_ip(w, "start", pools.at[k]);
		os_write_ip(w, "end", pools.at[k + 1]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_routes(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct subnet *s = subnet_of(row);
	(void) e;
	json_write_open_list(w, name);
	for (size_t k = 0; k < s->host_route_blocks.count && k < s->host_route_hops.count; k++) {
		json_write_open(w, NULL);
		os_write_cidr(w, "destination", s->host_route_blocks.at[k]);
		os_write_ip(w, "nexthop", s->host_route_hops.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Indexed by either of the row's two mode enums, which have the same values. */
static const char *const ipv6_modes[] = {[SUBNET_IPV6_RA_MODE_SLAAC] = "slaac",
					 [SUBNET_IPV6_RA_MODE_DHCPV6_STATEFUL] = "dhcpv6-stateful",
					 [SUBNET_IPV6_RA_MODE_DHCPV6_STATELESS] = "dhcpv6-stateless"};
enum { IPV6_MODES = sizeof ipv6_modes / sizeof ipv6_modes[0] };
_Static_assert((int) SUBNET_IPV6_RA_MODE_SLAAC == (int) SUBNET_IPV6_ADDRESS_MODE_SLAAC &&
		       (int) SUBNET_IPV6_RA_MODE_DHCPV6_STATELESS ==
			       (int) SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS,
	       "two enums of one list");

static size_t read_ipv6_mode(struct str word)
{
	size_t mode = IPV6_MODES - 1;
	while (mode && !str_is(word, ipv6_modes[mode]))
		mode--;
	return mode;
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(subnet, s, returned, function, expression)
GETTER(int64_t, get_version, s->block.base.family)
GETTER(struct strs, list_dns, os_list_ips(e->c->arena, s->dns_servers))
/* True if the subnet's network is shared with the caller. Subnets do not show this. */
GETTER(bool, is_shared, engine_is_network_granted(api_tables(e), s->network, e->c->who->account))
#undef GETTER

#define MODE(wire, field) ATTRIBUTE_AS(ENUM, subnet, wire, field, .words = ipv6_modes, .filter = (wire))
static const struct attribute subnet_rows[] = {
	ATTRIBUTE(subnet, "id", row.id, .filter = "id"),
	OS_SHOWN_NAME,
	OS_FIELD(subnet, "network_id", network),
	OS_MADE(INT, number, "ip_version", get_version),
	OS_FIELD(subnet, "cidr", block),
	OS_FIELD(subnet, "gateway_ip", gateway_ip),
	OS_FIELD(subnet, "enable_dhcp", no_dhcp, .flags = ATTRIBUTE_NOT),
	ATTRIBUTE_MADE(TEXTS, texts, "dns_nameservers", list_dns),
	ATTRIBUTE_WRITTEN("allocation_pools", write_pools),
	ATTRIBUTE_WRITTEN("host_routes", write_routes),
	MODE("ipv6_address_mode", ipv6_address_mode),
	MODE("ipv6_ra_mode", ipv6_ra_mode),
	OS_FIELD(subnet, "subnetpool_id", subnet_pool),
	OS_FIXED("segment_id", "null"),
	ATTRIBUTE_CONST("service_types", "[]"),
	ATTRIBUTE_CONST("dns_publish_fixed_ip", "false", .filter = "dns_publish_fixed_ip"),
	ATTRIBUTE_MADE(BOOL, truth, "shared", is_shared, .flags = ATTRIBUTE_HIDDEN, .filter = "shared"),
	OS_STANDARD_ROWS(subnet),
};
#undef MODE
static const struct attributes subnet_members = ATTRIBUTES(subnet_rows);

const struct os_listing os_subnets = {
	.kind = KIND_SUBNET,
	.items = "subnets",
	.links = "subnets_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.add = os_add_other_subnets,
	.attributes = &subnet_members,
};

/* ---- show ---- */

struct os_subnet_target {
	struct subnet_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_subnet_target, "subnet_id", wish.subnet, .kind = KIND_SUBNET, .doc = "The subnet."),
};

/* ---- lists within ---- */

struct os_pool {
	struct ip start, end;
};
static const struct param pool_rows[] = {
	OS_BODY(struct os_pool, "start", start, .flags = REQUIRED, .doc = "First address of the range."),
	OS_BODY(struct os_pool, "end", end, .flags = REQUIRED, .doc = "Last address of the range."),
};
static const struct params pool_params = OS_PARAMS(struct os_pool, pool_rows);

struct os_host_route {
	struct cidr destination;
	struct ip nexthop;
};
static const struct param host_route_rows[] = {
	OS_BODY(struct os_host_route, "destination", destination, .flags = REQUIRED,
		.doc = "Destination block."),
	OS_BODY(struct os_host_route, "nexthop", nexthop, .flags = REQUIRED,
		.doc = "Address of the next hop."),
};
static const struct params host_route_params = OS_PARAMS(struct os_host_route, host_route_rows);

/* Lists that create and update share. */
struct os_subnet_lists {
	struct {
		const struct os_pool *at;
		size_t count;
	} pools;
	struct {
		const struct os_host_route *at;
		size_t count;
	} routes;
	struct strs dns;
	bool has_pools, has_routes, has_dns;
};
#define SUBNET_LISTS(T)                                                                                      \
	OS_BODY_LIST(T, "allocation_pools", lists.pools, pool_params, .flags = NULLABLE,                     \
		     .max = SUBNET_POOLS_MAX, .given = OS_GIVEN(T, lists.has_pools),                         \
		     .doc = "Ranges from which addresses are assigned automatically."),                      \
		OS_BODY_LIST(T, "host_routes", lists.routes, host_route_params, .flags = NULLABLE,           \
			     .max = SUBNET_ROUTES_MAX, .given = OS_GIVEN(T, lists.has_routes),               \
			     .doc = "Host routes that guests receive by DHCP."),                             \
		OS_BODY(T, "dns_nameservers", lists.dns, .flags = NULLABLE,                                  \
			.given = OS_GIVEN(T, lists.has_dns),                                                 \
			.doc = "DNS servers that guests receive by DHCP.")
#define SUBNET_UNBUILT                                                                                       \
	OS_UNBUILT("segment_id"), OS_UNBUILT("service_types", .only = "[]"),                                 \
		OS_UNBUILT("dns_publish_fixed_ip", .only = "false")

/* The lists in the engine's form. */
struct engine_lists {
	struct ips pools, dns, hops;
	struct cidrs blocks;
};

static RESULT read_lists(struct os_call *e, const struct os_subnet_lists *lists,
			 struct engine_lists *ret_lists)
{
	struct ip *pools = arena_new_array(e->c->arena, struct ip, 2 * lists->pools.count + 1);
	struct ip *dns = arena_new_array(e->c->arena, struct ip, lists->dns.count + 1);
	struct ip *hops = arena_new_array(e->c->arena, struct ip, lists->routes.count + 1);
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, lists->routes.count + 1);
	if (!pools || !dns || !hops || !blocks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < lists->pools.count; k++) {
		pools[2 * k] = lists->pools.at[k].start;
		pools[2 * k + 1] = lists->pools.at[k].end;
	}
	for (size_t k = 0; k < lists->dns.count; k++)
		if (ip_parse(lists->dns.at[k], &dns[k]).code)
			return ctx_fail_field(e->c, ERR_INVALID, STR("dns_nameservers"),
					      "Invalid input for dns_nameservers. Reason: '%" STR_FMT
					      "' is not a valid nameserver.",
					      STR_ARG(lists->dns.at[k]));
	for (size_t k = 0; k < lists->routes.count; k++) {
		blocks[k] = lists->routes.at[k].destination;
		hops[k] = lists->routes.at[k].nexthop;
	}
	*ret_lists = (struct engine_lists){{pools, 2 * lists->pools.count},
					   {dns, lists->dns.count},
					   {hops, lists->routes.count},
					   {blocks, lists->routes.count}};
	return OK;
}

/* ---- create ---- */

struct os_create_subnet {
	struct network_subnet_wish wish;
	int64_t ip_version;
	struct str ra_mode, address_mode;
	bool has_gateway;
	struct os_subnet_lists lists;
};
#define IPV6_WORDS "dhcpv6-stateful|dhcpv6-stateless|slaac"
static const struct param create_params[] = {
	OS_BODY(struct os_create_subnet, "network_id", wish.network, .flags = REQUIRED, .kind = KIND_NETWORK,
		.doc = "The network."),
	OS_BODY(struct os_create_subnet, "cidr", wish.block, .flags = NULLABLE,
		.doc = "Address block; absent: allocated from the pool."),
	OS_BODY(struct os_create_subnet, "subnetpool_id", wish.pool, .flags = NULLABLE,
		.kind = KIND_SUBNET_POOL, .doc = "Subnet pool to allocate from."),
	OS_BODY(struct os_create_subnet, "use_default_subnetpool", wish.wants_default_pool,
		.doc = "Allocates from the region's default pool."),
	OS_BODY(struct os_create_subnet, "prefixlen", wish.bits, .flags = NULLABLE, .min = 1, .max = 128,
		.doc = "Prefix length to allocate; absent: the pool's default."),
	OS_BODY(struct os_create_subnet, "ip_version", ip_version, .absent = "4", .min = 4, .max = 6,
		.doc = "IP version: 4 or 6."),
	OS_BODY(struct os_create_subnet, "ipv6_ra_mode", ra_mode, .words = IPV6_WORDS,
		.doc = "Router advertisement mode; absent: none are sent."),
	OS_BODY(struct os_create_subnet, "ipv6_address_mode", address_mode, .words = IPV6_WORDS,
		.doc = "Address mode of the guests; absent: addresses are not assigned by Neutron."),
	OS_BODY(struct os_create_subnet, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_subnet, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_create_subnet, "gateway_ip", wish.gateway_ip, .flags = NULLABLE,
		.given = OS_GIVEN(struct os_create_subnet, has_gateway),
		.doc = "Gateway address; null: none; absent: the first address."),
	OS_BODY(struct os_create_subnet, "enable_dhcp", wish.no_dhcp, .flags = OPPOSITE,
		.doc = "Whether DHCP is enabled."),
	SUBNET_LISTS(struct os_create_subnet),
	OS_PROJECT(struct os_create_subnet, wish.account),
	SUBNET_UNBUILT,
};

static RESULT check_version(struct os_call *e, const struct os_create_subnet *a)
{
	if (a->ip_version == 5)
		return ctx_fail_field(e->c, ERR_INVALID, STR("ip_version"),
				      "Invalid input for ip_version. Reason: '5' is not in [4, 6].");
	char text[CIDR_TEXT_SIZE];
	if (cidr_is_none(a->wish.block) || a->wish.block.base.family == a->ip_version)
		return OK;
	return ctx_fail_field(e->c, ERR_RANGE, STR("cidr"),
			      "Invalid input for operation: cidr '%s' does not match the ip_version '%d'.",
			      cidr_write(a->wish.block, text), (int) a->ip_version);
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_subnet *a = args;
	struct engine_lists lists;
	TRY(check_version(e, a));
	TRY(read_lists(e, &a->lists, &lists));
	a->wish.is_ipv6 = a->ip_version == 6;
	a->wish.ipv6_ra_mode = (enum subnet_ipv6_ra_mode) read_ipv6_mode(a->ra_mode);
	a->wish.ipv6_address_mode = (enum subnet_ipv6_address_mode) read_ipv6_mode(a->address_mode);
	a->wish.no_gateway = a->has_gateway && ip_is_none(a->wish.gateway_ip);
	a->wish.pools = lists.pools;
	a->wish.dns_servers = lists.dns;
	a->wish.host_route_blocks = lists.blocks;
	a->wish.host_route_hops = lists.hops;
	return OK;
}

/* ---- change ---- */

struct os_update_subnet {
	struct subnet_settings wish;
	struct os_subnet_lists lists;
	struct engine_lists read;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_subnet, "subnet_id", wish.subnet, .kind = KIND_SUBNET, .doc = "The subnet."),
	OS_BODY(struct os_update_subnet, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_subnet, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_update_subnet, "gateway_ip", wish.gateway_ip, .flags = NULLABLE,
		.doc = "Gateway address; null: none."),
	OS_BODY(struct os_update_subnet, "enable_dhcp", wish.no_dhcp, .flags = OPPOSITE,
		.doc = "Whether DHCP is enabled."),
	SUBNET_LISTS(struct os_update_subnet),
	SUBNET_UNBUILT,
	OS_UNBUILT("ipv6_address_mode"),
	OS_UNBUILT("ipv6_ra_mode"),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_subnet *a = args;
	TRY(read_lists(e, &a->lists, &a->read));
	a->wish.pools = a->lists.has_pools ? &a->read.pools : NULL;
	a->wish.dns_servers = a->lists.has_dns ? &a->read.dns : NULL;
	a->wish.host_route_blocks = a->lists.has_routes ? &a->read.blocks : NULL;
	a->wish.host_route_hops = a->lists.has_routes ? &a->read.hops : NULL;
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/subnets", .permit = "get_subnet", .list = &os_subnets, .doc = "Lists subnets."},
	{HTTP_POST, "/v2.0/subnets", .permit = "create_subnet", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_subnet, create_params), .wrap = "subnet", .item = "subnet",
	 .prepare = prepare_create, .operation = engine_add_subnet_run,
	 OS_SHOWS(os_subnets, struct os_create_subnet, wish.subnet), .returns = KIND_SUBNET,
	 .doc = "Creates a subnet on a network."},
	{HTTP_GET, "/v2.0/subnets/{subnet_id}", .permit = "get_subnet",
	 .args = OS_PARAMS(struct os_subnet_target, target_params), .item = "subnet",
	 OS_SHOWS(os_subnets, struct os_subnet_target, wish.subnet), .doc = "Shows one subnet."},
	{HTTP_PUT, "/v2.0/subnets/{subnet_id}", .permit = "update_subnet", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_subnet, update_params), .wrap = "subnet", .item = "subnet",
	 .prepare = prepare_update, .operation = engine_update_subnet_run,
	 OS_SHOWS(os_subnets, struct os_update_subnet, wish.subnet), .returns = KIND_SUBNET,
	 .doc = "Changes a subnet."},
	{HTTP_DELETE, "/v2.0/subnets/{subnet_id}", .permit = "delete_subnet", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_subnet_target, target_params),
	 .operation = engine_delete_subnet_run, .doc = "Deletes a subnet."},
};
const struct os_actions os_subnet_actions = OS_ACTIONS(OS_NETWORK, actions);
