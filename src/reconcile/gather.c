/* SPDX-License-Identifier: Apache-2.0
 * Copies the rows that a step needs out of a view into the step's arena, so that no view is open during a
 * driver call. */
#include <netinet/in.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/ceph.h"
#include "drivers/image/image_file.h"
#include "engine/balancing/load_balancer.h"
#include "engine/network/external_network.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/ipv6.h"
#include "engine/network/network.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table.h"
#include "engine/region/region.h"
#include "engine/storage/storage_pool.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/source_nat.h"
#include "model/egress_gateway.h"
#include "model/id.h"
#include "model/peering.h"
#include "model/port_rule.h"
#include "model/secondary_ip.h"
#include "model/volume.h"
#include "reconcile/work.h"
#include "store/address.h"
#include "store/address_group.h"
#include "store/dhcp_options.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/host.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/nat_gateway.h"
#include "store/network.h"
#include "store/network_acl.h"
#include "store/network_acl_entry.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/port_policy.h"
#include "store/port_prefix.h"
#include "store/route.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"
#include "store/snapshot.h"
#include "store/storage_pool.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

#define PUSH(s, vec, value)                                                                                  \
	do {                                                                                                 \
		if (!VEC_PUSH((s)->ctx.arena, (vec), (value)))                                               \
			return ctx_no_memory(&(s)->ctx);                                                     \
	} while (0)

bool gather_network_has_ports(const struct tables *t, uuid network)
{
	const struct port *p = port_first_by_network(t, network);
	while (p && (!row_is_live(&p->row) || !uuid_is_none(p->interface_of)))
		p = port_next_by_network(t, p);
	return p != NULL;
}

/* NULL: the subnet is in no VPC, or its VPC has no DHCP options. */
static const struct dhcp_options *find_dhcp_options(const struct tables *t, const struct subnet *subnet)
{
	const struct router *router = uuid_is_none(subnet->router) ? NULL : router_find(t, subnet->router);
	return router && !uuid_is_none(router->dhcp_options) ? dhcp_options_find(t, router->dhcp_options)
							     : NULL;
}

RESULT gather_segment(struct step *s, const struct tables *t, uuid network, struct network_segment *ret_wish)
{
	VEC(const struct subnet *) subnets = {0};
	VEC(const struct dhcp_options *) options = {0};
	*ret_wish = (struct network_segment){0};
	const struct network *row = network_find(t, network);
	if (!row)
		return OK;
	for (const struct subnet *n = subnet_first_by_network(t, network); n;
	     n = subnet_next_by_network(t, n)) {
		const struct dhcp_options *effective = row_is_live(&n->row) ? find_dhcp_options(t, n) : NULL;
		if (!row_is_live(&n->row))
			continue;
		if (effective)
			effective = STEP_COPY(s, KIND_DHCP_OPTIONS, struct dhcp_options, effective);
		PUSH(s, &subnets, STEP_COPY(s, KIND_SUBNET, struct subnet, n));
		PUSH(s, &options, effective);
	}
	*ret_wish = (struct network_segment){.network = STEP_COPY(s, KIND_NETWORK, struct network, row),
					     .subnets = subnets.at,
					     .options = options.at,
					     .subnet_count = subnets.count,
					     .resolvers = s->r->resolvers,
					     .resolver_count = s->r->resolver_count,
					     .domain_name = engine_get_domain_name(t, s->ctx.arena),
					     .has_metadata = engine_serves_metadata_in(t, network),
					     .metadata_mac = model_metadata_mac(network),
					     .metadata_chassis = str_from(s->r->own_chassis)};
	return OK;
}

/* Adds the network unless it was added already. */
static RESULT add_segment(struct step *s, const struct tables *t, uuid network, struct router_rows *rows)
{
	struct network_segment segment = {0};
	for (size_t k = 0; k < rows->segments.count; k++)
		if (uuid_equal(rows->segments.at[k].network->row.id, network))
			return OK;
	TRY(gather_segment(s, t, network, &segment));
	if (!segment.network)
		return OK;
	rows->has_ports = rows->has_ports || gather_network_has_ports(t, network);
	PUSH(s, &rows->segments, segment);
	return OK;
}

/* Finds or adds the network ACL. */
static RESULT find_guard(struct step *s, const struct tables *t, uuid acl, bool has_ipv6,
			 struct router_rows *rows, const struct network_guard **ret_guard)
{
	VEC(const struct network_acl_entry *) entries = {0};
	const struct network_acl *row = network_acl_find(t, acl);
	*ret_guard = NULL;
	for (size_t k = 0; k < rows->guards.count && !*ret_guard; k++)
		if (uuid_equal(rows->guards.at[k]->acl->row.id, acl))
			*ret_guard = rows->guards.at[k];
	if (!row || *ret_guard)
		return OK;
	for (const struct network_acl_entry *n = network_acl_entry_first_by_acl(t, acl); n;
	     n = network_acl_entry_next_by_acl(t, n))
		PUSH(s, &entries, STEP_COPY(s, KIND_NETWORK_ACL_ENTRY, struct network_acl_entry, n));
	struct network_guard *guard = STEP_NEW(s, struct network_guard);
	*guard = (struct network_guard){STEP_COPY(s, KIND_NETWORK_ACL, struct network_acl, row), entries.at,
					entries.count, has_ipv6};
	*ret_guard = guard;
	PUSH(s, &rows->guards, guard);
	return OK;
}

static bool has_ipv6(const struct tables *t, const struct router *router)
{
	const struct subnet *s = subnet_first_by_router(t, router->row.id);
	while (s && !(row_is_live(&s->row) && s->block.base.family == IP_V6))
		s = subnet_next_by_router(t, s);
	return s || router->ipv6_blocks.count > 0;
}

/* Adds a subnet. Its network ACL applies to its own router only; interfaces of other routers exist in Neutron
 * alone, which has no network ACLs. */
static RESULT add_arm(struct step *s, const struct tables *t, const struct router *router,
		      const struct subnet *subnet, const struct port *port, struct router_rows *rows)
{
	const struct network *network = network_find(t, subnet->network);
	struct network_subnet arm = {.subnet = STEP_COPY(s, KIND_SUBNET, struct subnet, subnet),
				     .mtu = network ? network->mtu : 0,
				     .is_outer = engine_is_outer_subnet(t, subnet),
				     .route_table = port ? router->main_route_table
							 : engine_get_subnet_route_table(t, router, subnet)};
	if (!engine_list_translated(s->ctx.arena, t, subnet->source_nat, &arm.translated_to))
		return ctx_no_memory(&s->ctx);
	if (port)
		arm.port = STEP_COPY(s, KIND_PORT, struct port, port);
	else
		TRY(find_guard(s, t, engine_get_subnet_acl(t, router, subnet), has_ipv6(t, router), rows,
			       &arm.guard));
	PUSH(s, &rows->arms, arm);
	return add_segment(s, t, subnet->network, rows);
}

/* Adds interfaces with an address of their own. The interface at the subnet's gateway address is covered by
 * the subnet's row. */
static RESULT gather_interfaces(struct step *s, const struct tables *t, const struct router *router,
				struct router_rows *rows)
{
	for (const struct port *p = port_first_by_interface_of(t, router->row.id); p;
	     p = port_next_by_interface_of(t, p)) {
		const struct subnet *subnet = subnet_find(t, p->subnet);
		bool is_gateway = subnet && uuid_equal(subnet->router, router->row.id) &&
				  ip_equal(subnet->gateway_ip, p->ip);
		const struct port *copy = STEP_COPY(s, KIND_PORT, struct port, p);
		if (!row_is_live(&p->row)) {
			PUSH(s, &rows->deleted_interfaces, copy);
			continue;
		}
		PUSH(s, &rows->interfaces, copy);
		if (subnet && !is_gateway)
			TRY(add_arm(s, t, router, subnet, p, rows));
	}
	return OK;
}

static RESULT gather_subnets(struct step *s, const struct tables *t, const struct router *router,
			     struct router_rows *rows)
{
	for (const struct subnet *n = subnet_first_by_router(t, router->row.id); n;
	     n = subnet_next_by_router(t, n)) {
		if (row_is_live(&n->row))
			TRY(add_arm(s, t, router, n, NULL, rows));
		else
			PUSH(s, &rows->deleted_subnets, STEP_COPY(s, KIND_SUBNET, struct subnet, n));
	}
	TRY(gather_interfaces(s, t, router, rows));
	rows->wish.subnets = rows->arms.at;
	rows->wish.subnet_count = rows->arms.count;
	rows->wish.guards = rows->guards.at;
	rows->wish.guard_count = rows->guards.count;
	return OK;
}

static RESULT gather_routes(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	VEC(uuid) tables = {0};
	VEC(struct network_route) routes = {0};
	for (const struct route_table *rt = route_table_first_by_router(t, router); rt;
	     rt = route_table_next_by_router(t, rt)) {
		if (!row_is_live(&rt->row))
			continue;
		PUSH(s, &tables, rt->row.id);
		for (const struct route *route = route_first_by_table(t, rt->row.id); route;
		     route = route_next_by_table(t, route)) {
			if (!row_is_live(&route->row) || !uuid_is_none(route->vpn_gateway))
				continue; /* vpn_gather() lists routes to VPN gateways */
			const struct port *p = engine_find_hop_port(t, route);
			struct network_route wish = {.route = STEP_COPY(s, KIND_ROUTE, struct route, route)};
			if (p && row_is_live(&p->row)) {
				wish.port = STEP_COPY(s, KIND_PORT, struct port, p);
				wish.hop = engine_get_port_ip(t, p, route->destination.base.family);
			}
			PUSH(s, &routes, wish);
		}
	}
	rows->wish.tables = tables.at;
	rows->wish.table_count = tables.count;
	rows->wish.routes = routes.at;
	rows->wish.route_count = routes.count;
	return OK;
}

/* IPv6 prefixes only: IPv4 prefixes are within the network, where the port owns their addresses directly. */
static RESULT gather_prefixes(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	VEC(struct network_prefix) prefixes = {0};
	for (const struct port_prefix *p = port_prefix_first_by_router(t, router); p;
	     p = port_prefix_next_by_router(t, p)) {
		const struct port *port = row_is_live(&p->row) ? port_find(t, p->port) : NULL;
		if (!port || p->block.base.family != IP_V6)
			continue;
		struct network_prefix prefix = {p->block, STEP_COPY(s, KIND_PORT, struct port, port),
						engine_get_port_ip(t, port, IP_V6), p->subnet};
		PUSH(s, &prefixes, prefix);
	}
	rows->wish.prefixes = prefixes.at;
	rows->wish.prefix_count = prefixes.count;
	return OK;
}

/* Route tables of gateway endpoints, which lead to the API's own address. */
static RESULT gather_api_tables(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	VEC(uuid) tables = {0};
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(t, router); e;
	     e = vpc_endpoint_next_by_router(t, e))
		for (size_t k = 0; k < e->tables.count && !ip_is_none(s->r->api_ip); k++)
			PUSH(s, &tables, e->tables.at[k]);
	rows->wish.api_ip = s->r->api_ip;
	rows->wish.api_tables = tables.at;
	rows->wish.api_table_count = tables.count;
	return OK;
}

/* Uses the internet gateway's external network, if there is one. */
static RESULT gather_egress(struct step *s, const struct tables *t, struct router_rows *rows)
{
	const struct egress_gateway *g = engine_get_egress_gateway(t, rows->wish.router->row.id);
	const struct external_network *external = g ? engine_find_ipv6_outside(t, rows->wish.router) : NULL;
	if (!external)
		return OK; /* no external network yet */
	rows->wish.egress = STEP_COPY(s, KIND_EGRESS_GATEWAY, struct egress_gateway, g);
	if (!rows->wish.external)
		rows->wish.external = STEP_COPY(s, KIND_EXTERNAL_NETWORK, struct external_network, external);
	return OK;
}

static RESULT gather_gateway(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	for (const struct gateway *g = gateway_first_by_router(t, router); g;
	     g = gateway_next_by_router(t, g)) {
		const struct external_network *external = external_network_find(t, g->external_network);
		if (!row_is_live(&g->row) || !external || ip_is_none(g->ip))
			continue; /* no external address yet */
		const struct address *address = address_find(t, g->address);
		if (g->translates && address && address->ip.family == IP_V4)
			rows->wish.translated_to = address->ip;
		rows->wish.gateway = STEP_COPY(s, KIND_GATEWAY, struct gateway, g);
		struct external_network seen = *external;
		seen.next_hop = engine_get_outer_hop(t, external, g->ip);
		rows->wish.external = STEP_COPY(s, KIND_EXTERNAL_NETWORK, struct external_network, &seen);
	}
	return OK;
}

enum { GATEWAY_HOSTS_MAX = 16 };

/* Up to GATEWAY_HOSTS_MAX hosts that answer; if none answers, any hosts, so that gateways stay where they
 * are. */
static RESULT gather_hosts(struct step *s, const struct tables *t, struct host_names *names)
{
	for (int all = 0; all < 2 && names->at.count == 0; all++)
		for (const struct host *h = host_first(t); h && names->at.count < GATEWAY_HOSTS_MAX;
		     h = host_next(t, h)) {
			if (!row_is_live(&h->row) || (!all && h->seen_state != HOST_SEEN_STATE_UP))
				continue;
			struct host_name name = {h->zone, str_copy(s->ctx.arena, h->name)};
			PUSH(s, &names->at, name);
		}
	return OK;
}

/* Finds the host with the highest hash below that of the one before it; NULL: there is none. */
static const struct host_name *next_ranked(const struct host_names *hosts, uuid resource, const uuid *below,
					   uuid *ret_hash)
{
	const struct host_name *best = NULL;
	for (size_t k = 0; k < hosts->at.count; k++) {
		uuid hash = uuid_v5(resource, hosts->at.at[k].name);
		if ((below && uuid_compare(hash, *below) >= 0) ||
		    (best && uuid_compare(hash, *ret_hash) <= 0))
			continue;
		best = &hosts->at.at[k];
		*ret_hash = hash;
	}
	return best;
}

/* Ranks the hosts by rendezvous hashing, which spreads the gateways: a host that comes or goes moves no gateway between others,
 * and so breaks no connection of theirs. */
static struct str choose_chassis(struct step *s, const struct host_names *hosts, uuid router)
{
	enum { CANDIDATES_MAX = 5 }; /* OVN does not benefit from more */
	struct str list = STR_NONE;
	uuid before = UUID_NONE, hash = UUID_NONE;
	for (size_t k = 0; k < CANDIDATES_MAX; k++) {
		const struct host_name *host = next_ranked(hosts, router, k ? &before : NULL, &hash);
		if (!host)
			break;
		list = str_print(s->ctx.arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(list), k ? "," : "",
				 STR_ARG(host->name));
		before = hash;
	}
	return list;
}

/* Rendezvous hashing: when a host comes or goes, only its own gateways move. Hosts in the gateway's zone are
 * preferred. */
struct str gather_choose_host(const struct host_names *hosts, uuid resource, uuid zone)
{
	const struct host_name *best = NULL;
	uuid best_hash = UUID_NONE;
	for (size_t k = 0; k < hosts->at.count; k++) {
		const struct host_name *h = &hosts->at.at[k];
		uuid hash = uuid_v5(resource, h->name);
		bool is_nearer = best && uuid_equal(h->zone, zone) && !uuid_equal(best->zone, zone);
		bool is_farther = best && !uuid_equal(h->zone, zone) && uuid_equal(best->zone, zone);
		if (!best || is_nearer || (!is_farther && uuid_compare(hash, best_hash) > 0)) {
			best = h;
			best_hash = hash;
		}
	}
	return best ? best->name : STR_NONE;
}

static RESULT gather_further_ips(struct step *s, const struct tables *t, uuid port, struct ips *ret_ips)
{
	VEC(struct ip) ips = {0};
	for (const struct secondary_ip *i = engine_first_secondary_ip(t, port); i;
	     i = engine_next_secondary_ip(t, i))
		if (i->ip.family == IP_V4)
			PUSH(s, &ips, i->ip);
	*ret_ips = (struct ips){ips.at, ips.count};
	return OK;
}

/* Gateways being deleted are not among the desired ones. */
static RESULT gather_nats(struct step *s, const struct tables *t, const struct host_names *hosts, uuid router,
			  struct router_rows *rows)
{
	VEC(struct network_nat) nats = {0};
	for (const struct nat_gateway *n = nat_gateway_first_by_router(t, router); n;
	     n = nat_gateway_next_by_router(t, n)) {
		if (n->ended_us != 0)
			continue;
		const struct nat_gateway *copy = STEP_COPY(s, KIND_NAT_GATEWAY, struct nat_gateway, n);
		if (!row_is_live(&n->row)) {
			PUSH(s, &rows->going_nats, copy);
			continue;
		}
		const struct port *port = port_find(t, n->port);
		const struct subnet *subnet = subnet_find(t, n->subnet);
		struct str chassis = gather_choose_host(hosts, n->row.id, subnet ? subnet->zone : UUID_NONE);
		if (!port || !subnet || chassis.n == 0)
			continue;
		struct network_nat wish = {copy,
					   STEP_COPY(s, KIND_PORT, struct port, port),
					   STEP_COPY(s, KIND_SUBNET, struct subnet, subnet),
					   chassis,
					   {0}};
		TRY(gather_further_ips(s, t, port->row.id, &wish.more));
		PUSH(s, &nats, wish);
	}
	rows->wish.nats = nats.at;
	rows->wish.nat_count = nats.count;
	return OK;
}

static RESULT gather_forwardings(struct step *s, const struct tables *t, uuid router,
				 struct router_rows *rows)
{
	VEC(struct network_forwarding) forwardings = {0};
	for (const struct port_forwarding *f = port_forwarding_first_by_router(t, router);
	     f && rows->wish.gateway; f = port_forwarding_next_by_router(t, f)) {
		const struct address *address = address_find(t, f->address);
		struct network_forwarding wish = {0};
		if (!address)
			continue;
		wish.forwarding = STEP_COPY(s, KIND_PORT_FORWARDING, struct port_forwarding, f);
		wish.public_ip = address->ip;
		PUSH(s, &forwardings, wish);
	}
	rows->wish.forwardings = forwardings.at;
	rows->wish.forwarding_count = forwardings.count;
	return OK;
}

/* Members whose instance is running; OVN checks their health. */
static RESULT gather_members(struct step *s, const struct tables *t, struct network_balancer *wish)
{
	VEC(struct network_member) members = {0};
	const struct load_balancer_member *m =
		load_balancer_member_first_by_load_balancer(t, wish->balancer->row.id);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m)) {
		struct network_member member = {
			.ip = m->private_ip, .port = m->port, .asked_from = engine_get_asking_ip(t, m)};
		if (engine_member_is_on(t, m))
			PUSH(s, &members, member);
	}
	wish->members = members.at;
	wish->member_count = members.count;
	return OK;
}

/* Address that is associated with the front of a network load balancer. */
static struct ip public_ip_of(const struct tables *t, const struct load_balancer *b)
{
	const struct address *a = uuid_is_none(b->listener) ? NULL : address_find_by_port(t, b->front);
	return a ? a->ip : (struct ip){0};
}

static RESULT gather_balancers(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	VEC(struct network_balancer) balancers = {0};
	for (const struct load_balancer *b = load_balancer_first_by_router(t, router); b;
	     b = load_balancer_next_by_router(t, b)) {
		const struct address *address = address_find(t, b->address);
		const struct port *front = port_find(t, b->front);
		struct network_balancer wish = {0};
		if (!front && !(address && rows->wish.gateway))
			continue;
		wish.balancer = STEP_COPY(s, KIND_LOAD_BALANCER, struct load_balancer, b);
		wish.ip = front ? front->ip : address->ip;
		if (front && rows->wish.gateway)
			wish.public_ip = public_ip_of(t, b);
		TRY(gather_members(s, t, &wish));
		PUSH(s, &balancers, wish);
	}
	rows->wish.balancers = balancers.at;
	rows->wish.balancer_count = balancers.count;
	return OK;
}

/* Accepted peerings; those being deleted are not among the desired ones. */
static RESULT gather_peerings(struct step *s, const struct tables *t, uuid router, struct router_rows *rows)
{
	for (const struct peering *p = engine_next_peering(t, router, NULL); p;
	     p = engine_next_peering(t, router, p)) {
		if (!p->is_accepted || p->ended_us != 0)
			continue;
		const struct peering *copy = STEP_COPY(s, KIND_PEERING, struct peering, p);
		if (row_is_live(&p->row))
			PUSH(s, &rows->peerings, copy);
		else
			PUSH(s, &rows->going_peerings, copy);
	}
	rows->wish.peerings = rows->peerings.at;
	rows->wish.peering_count = rows->peerings.count;
	return OK;
}

RESULT gather_router(struct step *s, const struct tables *t, uuid router, struct router_rows *ret_rows)
{
	struct host_names hosts = {0};
	*ret_rows = (struct router_rows){0};
	const struct router *row = router_find(t, router);
	if (!row)
		return OK;
	ret_rows->wish.router = STEP_COPY(s, KIND_ROUTER, struct router, row);
	struct cidrs own = {0};
	if (row->has_system_routes && !engine_list_network_blocks(t, s->ctx.arena, router, &own))
		return ctx_no_memory(&s->ctx);
	ret_rows->wish.closed_to_others = own.at;
	ret_rows->wish.closed_to_others_count = own.count;
	TRY(gather_subnets(s, t, row, ret_rows));
	TRY(gather_routes(s, t, router, ret_rows));
	TRY(gather_prefixes(s, t, router, ret_rows));
	TRY(gather_api_tables(s, t, router, ret_rows));
	TRY(gather_peerings(s, t, router, ret_rows));
	TRY(transit_gather_ends(s, t, router, ret_rows));
	TRY(gather_gateway(s, t, router, ret_rows));
	TRY(gather_egress(s, t, ret_rows));
	TRY(gather_forwardings(s, t, router, ret_rows));
	TRY(gather_balancers(s, t, router, ret_rows));
	TRY(gather_firewalls(s, t, ret_rows));
	TRY(gather_hosts(s, t, &hosts));
	ret_rows->wish.gateway_chassis = choose_chassis(s, &hosts, router);
	TRY(gather_nats(s, t, &hosts, router, ret_rows));
	TRY(gather_endpoints(s, t, &hosts, router, ret_rows));
	TRY(vpn_gather(s, t, &hosts, router, ret_rows));
	ret_rows->wish.metadata_mac = model_metadata_mac(router);
	ret_rows->wish.metadata_chassis = str_from(s->r->own_chassis);
	return OK;
}

struct gathered_rules {
	VEC(const struct security_group_rule *) rules;
};

/* Expands a rule that names an address group into one rule for each block. The id derives from rule and
 * block, so each block's rule comes and goes independently. */
static RESULT gather_rule(struct step *s, const struct tables *t, const struct security_group_rule *rule,
			  struct gathered_rules *gathered)
{
	const struct address_group *peers = address_group_find(t, rule->peer_address_group);
	char text[CIDR_TEXT_SIZE];
	if (uuid_is_none(rule->peer_address_group))
		PUSH(s, &gathered->rules,
		     STEP_COPY(s, KIND_SECURITY_GROUP_RULE, struct security_group_rule, rule));
	for (size_t k = 0; peers && k < peers->addresses.count; k++) {
		struct cidr block = peers->addresses.at[k];
		if ((block.base.family == IP_V6) != rule->is_ipv6)
			continue;
		struct security_group_rule *one = STEP_NEW(s, struct security_group_rule);
		*one = *STEP_COPY(s, KIND_SECURITY_GROUP_RULE, struct security_group_rule, rule);
		one->row.id = uuid_v5(rule->row.id, str_from(cidr_write(block, text)));
		one->peer_address_group = UUID_NONE;
		one->peer_block = block;
		PUSH(s, &gathered->rules, one);
	}
	return OK;
}

static RESULT gather_ipv6_twin(struct step *s, const struct security_group_rule *rule,
			       struct gathered_rules *gathered)
{
	struct security_group_rule *twin = STEP_NEW(s, struct security_group_rule);
	*twin = *STEP_COPY(s, KIND_SECURITY_GROUP_RULE, struct security_group_rule, rule);
	twin->row.id = uuid_v5(rule->row.id, STR("IPv6"));
	twin->is_ipv6 = true;
	PUSH(s, &gathered->rules, twin);
	return OK;
}

RESULT gather_group(struct step *s, const struct tables *t, uuid group, struct network_group *ret_wish)
{
	*ret_wish = (struct network_group){0};
	const struct security_group *row = security_group_find(t, group);
	if (!row)
		return OK;
	ret_wish->group = STEP_COPY(s, KIND_SECURITY_GROUP, struct security_group, row);
	struct gathered_rules gathered = {0};
	for (const struct security_group_rule *r = security_group_rule_first_by_group(t, group); r;
	     r = security_group_rule_next_by_group(t, r)) {
		bool is_over = !row_is_live(&r->row) && clock_now_us() >= r->row.deleted_us + RULE_TRACKED_US;
		if (is_over || engine_is_rule_stale(t, r))
			continue;
		TRY(gather_rule(s, t, r, &gathered));
		if (engine_is_rule_of_both(row, r))
			TRY(gather_ipv6_twin(s, r, &gathered));
	}
	ret_wish->rules = gathered.rules.at;
	ret_wish->rule_count = gathered.rules.count;
	return OK;
}

/* ---- port policies ---- */

struct places {
	VEC(uuid) at;
};

/* Adds the router, or the network if it has no router. */
static RESULT add_place(struct step *s, struct places *places, uuid router, uuid network)
{
	const struct uuids list = {places->at.at, places->at.count};
	uuid place = uuid_is_none(router) ? network : router;
	if (uuids_have(&list, place) || VEC_PUSH(s->ctx.arena, &places->at, place))
		return OK;
	return ctx_no_memory(&s->ctx);
}

static RESULT find_places(struct step *s, const struct tables *t, uuid policy, struct places *places)
{
	for (const struct port *p = port_first_by_policy(t, policy); p; p = port_next_by_policy(t, p))
		if (row_is_live(&p->row))
			TRY(add_place(s, places, p->router, p->network));
	for (const struct subnet *n = subnet_first_by_policy(t, policy); n; n = subnet_next_by_policy(t, n))
		if (row_is_live(&n->row))
			TRY(add_place(s, places, n->router, n->network));
	return OK;
}

RESULT gather_port_policy(struct step *s, const struct tables *t, uuid policy,
			  struct network_policy *ret_wish)
{
	struct places found = {0};
	const struct port_policy *row = port_policy_find(t, policy);
	*ret_wish = (struct network_policy){0};
	if (!row)
		return OK;
	TRY(find_places(s, t, policy, &found));
	struct network_policy_place *places =
		arena_new_array(s->ctx.arena, struct network_policy_place, found.at.count + 1);
	if (!places)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < found.at.count; k++) {
		places[k] = (struct network_policy_place){.place = found.at.at[k]};
		for (int egress = 0; egress < 2; egress++) {
			struct port_rules rules = {0};
			TRY(engine_read_port_rules(&s->ctx, t, policy, places[k].place, egress, &rules));
			places[k].rules[egress] = rules.at;
			places[k].counts[egress] = rules.count;
		}
	}
	*ret_wish = (struct network_policy){STEP_COPY(s, KIND_PORT_POLICY, struct port_policy, row), places,
					    found.at.count};
	return OK;
}

RESULT gather_policies_of(struct step *s, const struct tables *t, const struct port *port,
			  struct uuids *ret_policies)
{
	return engine_list_policies_of(s->ctx.arena, t, port, ret_policies) ? OK : ctx_no_memory(&s->ctx);
}

/* ---- disks ---- */

bool gather_is_ceph(const struct tables *t, uuid pool)
{
	const struct storage_pool *row = uuid_is_none(pool) ? NULL : storage_pool_find(t, pool);
	return row && row->kind == STORAGE_POOL_KIND_RBD;
}

RESULT gather_place(struct step *s, const struct tables *t, uuid pool, uuid host,
		    struct disk_place *ret_place)
{
	const struct storage_pool *row = uuid_is_none(pool) ? NULL : storage_pool_find(t, pool);
	bool has_own = row && row->kind == STORAGE_POOL_KIND_RBD;
	*ret_place = (struct disk_place){.through = has_own ? pool : host};
	if (!row || has_own)
		return OK;
	ret_place->is_hidden = !engine_host_sees_pool(t, host, pool);
	ret_place->directory = str_copy(s->ctx.arena, engine_get_pool_directory(t, pool));
	return ret_place->directory.p ? OK : ctx_no_memory(&s->ctx);
}

RESULT gather_ceph(struct step *s, const struct storage_pool *pool, const struct ceph_place **ret_place)
{
	struct ceph_place *place = STEP_NEW(s, struct ceph_place);
	*ret_place = NULL;
	if (!pool || pool->kind != STORAGE_POOL_KIND_RBD)
		return OK;
	const struct storage_pool *row = STEP_COPY(s, KIND_STORAGE_POOL, struct storage_pool, pool);
	*place = (struct ceph_place){
		.id = row->row.id, .monitors = row->monitors, .pool = row->rbd_pool, .user = row->rbd_user};
	TRY(crypto_open(&s->ctx, s->r->master_key, row->name, row->rbd_key, &place->key));
	*ret_place = place;
	return OK;
}

RESULT gather_volume_base(struct step *s, const struct tables *t, const struct volume *v,
			  struct volume_base *ret_base)
{
	const struct snapshot *snapshot = snapshot_find(t, v->snapshot);
	*ret_base = (struct volume_base){0};
	if (!snapshot || ((v->is_raw || v->stands_alone) && v->reverts == v->seen_reverts))
		return OK; /* the file has no backing file */
	if (!snapshot->sha256.n && snapshot->problem.n)
		return ctx_fail(&s->ctx, ERR_IO, "what it is made from could not be kept: %" STR_FMT,
				STR_ARG(snapshot->problem));
	if (!snapshot->sha256.n)
		return ctx_fail(&s->ctx, ERR_AGAIN, "the snapshot it is made from is not kept yet");
	ret_base->sha256 = str_copy(s->ctx.arena, snapshot->sha256);
	ret_base->file_size = snapshot->file_size;
	ret_base->is_encrypted = snapshot->is_encrypted;
	return ret_base->sha256.p ? OK : ctx_no_memory(&s->ctx);
}

RESULT gather_disk_key(struct step *s, struct str sealed, const struct disk_key **ret_key)
{
	*ret_key = NULL;
	return sealed.n ? disk_key_open(&s->ctx, s->r->master_key, sealed, ret_key) : OK;
}

struct str gather_store_path(struct step *s, struct str sha256)
{
	return image_file_path(s->ctx.arena, s->r->image_directory, sha256);
}

bool gather_volume_is_in(const struct volume *v, uuid host, uuid pool)
{
	const struct {
		bool counts;
		uuid pool, host;
	} places[] = {
		{!v->moves, v->pool, v->host},
		{v->moves, v->next_pool, v->host},
		{true, v->pool, v->seen_host},
		{!uuid_is_none(v->left_host), v->left_pool, v->left_host},
	};
	for (size_t k = 0; k < sizeof places / sizeof places[0]; k++)
		if (places[k].counts && uuid_equal(places[k].pool, pool) &&
		    (!uuid_is_none(pool) || uuid_equal(places[k].host, host)))
			return true;
	return false;
}
