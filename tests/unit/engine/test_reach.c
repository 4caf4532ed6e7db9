/* SPDX-License-Identifier: Apache-2.0
 * Reachability analysis: every case changes one setting, which makes the destination reachable or not, and
 * checks the row named as the cause. */
#include <netinet/in.h>

#include "cloud.h"
#include "engine/balancing/load_balancer.h"
#include "engine/billing/misuse.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/firewall.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/guest_network.h"
#include "engine/network/ipv6.h"
#include "engine/network/network.h"
#include "engine/network/routing/egress_gateway.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/router_block.h"
#include "engine/reach/reach.h"
#include "engine/transit/transit.h"
#include "engine/virtual/port_policy.h"
#include "engine/vpn/vpn.h"
#include "model/id.h"
#include "model/route.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/network_acl.h"
#include "store/port.h"
#include "store/route.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/transit_gateway.h"
#include "store/vpn_tunnel.h"

enum { PORT = 443 };

/* Two machines in one subnet, one in another of the VPC, one in a VPC of its own. */
struct lab {
	struct cloud *c;
	uuid near, next, far, other; /* instances */
	uuid far_subnet, other_router, other_subnet;
};

static struct ref to(struct lab *lab, enum kind kind, uuid id)
{
	return ref_to(lab->c, kind, id);
}

static uuid launch_at(struct lab *lab, struct launch_port port)
{
	struct cloud *c = lab->c;
	struct instance_launch wish = cloud_launch(c, 1);
	wish.ports = &port;
	wish.port_count = 1;
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	uuid id = wish.made.at[0];
	cloud_see(c, id, INSTANCE_SEEN_POWER_ON);
	const struct port *made = cloud_port(c, id);
	struct port_report report = {.port = made->row.id, .gen = made->row.gen, .up = true};
	cloud_ok(c, NULL, engine_see_port, &report);
	return id;
}

static uuid launch_in(struct lab *lab, uuid subnet)
{
	return launch_at(
		lab, (struct launch_port){.subnet = to(lab, KIND_SUBNET, subnet), .public_ip = CHOICE_NO});
}

static uuid make_subnet(struct lab *lab, uuid router, const char *block)
{
	struct subnet_wish wish = {.router = to(lab, KIND_ROUTER, router), .block = cidr_of(block)};
	cloud_ok(lab->c, &lab->c->alice, engine_create_subnet, &wish);
	return wish.subnet;
}

static struct lab make_lab(void **state)
{
	struct lab lab = {.c = *state};
	struct cloud *c = lab.c;
	struct router_wish router = {.block = cidr_of("10.1.0.0/16")},
			   other = {.block = cidr_of("10.2.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	cloud_ok(c, &c->alice, engine_create_router, &other);
	uuid subnet = make_subnet(&lab, router.router, "10.1.1.0/24");
	lab.far_subnet = make_subnet(&lab, router.router, "10.1.2.0/24");
	lab.other_router = other.router;
	lab.other_subnet = make_subnet(&lab, other.router, "10.2.1.0/24");
	lab.near = launch_in(&lab, subnet);
	lab.next = launch_in(&lab, subnet);
	lab.far = launch_in(&lab, lab.far_subnet);
	lab.other = launch_in(&lab, lab.other_subnet);
	return lab;
}

/* Ends by their instances, or by addresses: rows change, ids do not. */
struct asked {
	uuid from, to;
	struct ip from_ip, to_ip;
	enum ip_family family;
	int64_t protocol, port;
};

static const struct port *port_of_instance(const struct lab *lab, uuid instance)
{
	return uuid_is_none(instance) ? NULL : cloud_port(lab->c, instance);
}

static struct reach_answer ask_at(struct lab *lab, struct asked asked)
{
	struct reach_answer answer = {0};
	struct ctx c = {0};
	const struct reach_question q = {.from = port_of_instance(lab, asked.from),
					 .to = port_of_instance(lab, asked.to),
					 .from_ip = asked.from_ip,
					 .to_ip = asked.to_ip,
					 .family = asked.family,
					 .protocol = asked.protocol ? asked.protocol : IPPROTO_TCP,
					 .port = asked.port ? asked.port : PORT};
	ctx_init(&c, lab->c->arena);
	assert_true(result_is_ok(engine_find_reach(&c, cloud_tables(lab->c), &q, &answer)));
	return answer;
}

static struct reach_answer ask(struct lab *lab, uuid from, uuid dest)
{
	struct asked q = {.from = from, .to = dest};
	if (uuid_is_none(from))
		q.from_ip = ip_of("203.0.113.7");
	if (uuid_is_none(dest))
		q.to_ip = ip_of("203.0.113.7");
	return ask_at(lab, q);
}

static void check_passes_at(struct reach_answer a, int line)
{
	if (a.verdict != REACH_PASSES)
		fail_msg("line %d: %.*s", line, (int) a.steps[a.first_bad].text.n,
			 a.steps[a.first_bad].text.p);
	assert_true(a.count > 1);
	for (size_t k = 0; k < a.count; k++)
		assert_true(a.steps[k].text.n && a.steps[k].verdict == REACH_PASSES);
}
#define check_passes(answer) check_passes_at((answer), __LINE__)

/* Stopped at that stage, on the way there or back, by a row of that kind, with something to do about it. */
static void check_stops_at(struct reach_answer a, enum reach_stage stage, bool is_reply, enum kind kind,
			   int line)
{
	if (a.verdict != REACH_STOPS)
		fail_msg("line %d: it passes", line);
	const struct reach_step *s = &a.steps[a.first_bad];
	if (s->stage != stage || s->is_reply != is_reply || s->kind != kind)
		fail_msg("line %d: stage %d, reply %d, kind %d: %.*s", line, (int) s->stage, s->is_reply,
			 (int) s->kind, (int) s->text.n, s->text.p);
}
#define check_stops(answer, stage, is_reply, kind)                                                           \
	check_stops_at((answer), (stage), (is_reply), (kind), __LINE__)

/* ---- groups ---- */

static uuid group_of(struct lab *lab, uuid instance)
{
	return cloud_port(lab->c, instance)->groups.at[0];
}

static void change_rules(struct lab *lab, uuid group, bool egress, bool adds, struct rule_wish rule)
{
	struct cloud *c = lab->c;
	struct rules_wish wish = {.group = to(lab, KIND_SECURITY_GROUP, group),
				  .direction = egress ? SECURITY_GROUP_RULE_DIRECTION_EGRESS
						      : SECURITY_GROUP_RULE_DIRECTION_INGRESS,
				  .rules = &rule,
				  .rule_count = 1};
	if (adds)
		cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	else
		cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
}

static struct rule_wish let(int64_t protocol, int64_t from, int64_t last, const char *block)
{
	return (struct rule_wish){
		.protocol = protocol, .from_port = from, .to_port = last, .peer_block = cidr_of(block)};
}

/* The default group lets its members in, and everything out. */
static void check_groups(void **state)
{
	struct lab lab = make_lab(state);
	uuid group = group_of(&lab, lab.near);
	struct rule_wish members = {.protocol = -1,
				    .from_port = -1,
				    .to_port = -1,
				    .peer_group = to(&lab, KIND_SECURITY_GROUP, group)};
	check_passes(ask(&lab, lab.near, lab.next));
	check_passes(ask(&lab, lab.near, lab.far));
	change_rules(&lab, group, false, false, members);
	struct reach_answer a = ask(&lab, lab.near, lab.next);
	check_stops(a, REACH_GROUP, false, KIND_SECURITY_GROUP);
	const struct reach_remedy *r = &a.steps[a.first_bad].remedy;
	assert_true(uuid_equal(r->group, group) && !r->is_egress && r->protocol == IPPROTO_TCP &&
		    r->from_port == PORT && r->to_port == PORT);
	static const struct {
		int64_t protocol, from, to;
		const char *block;
		bool passes;
	} rows[] = {
		{IPPROTO_TCP, 442, 442, "0.0.0.0/0", false}, {IPPROTO_TCP, 444, 500, "0.0.0.0/0", false},
		{IPPROTO_UDP, 443, 443, "0.0.0.0/0", false}, {IPPROTO_TCP, 443, 443, "10.1.2.0/24", false},
		{IPPROTO_TCP, 443, 443, "::/0", false},      {IPPROTO_TCP, 443, 443, "10.1.1.0/24", true},
		{IPPROTO_TCP, 0, 65535, "10.0.0.0/8", true}, {-1, -1, -1, "0.0.0.0/0", true},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct rule_wish rule = let(rows[k].protocol, rows[k].from, rows[k].to, rows[k].block);
		change_rules(&lab, group, false, true, rule);
		a = ask(&lab, lab.near, lab.next);
		if (rows[k].passes)
			check_passes(a);
		else
			check_stops(a, REACH_GROUP, false, KIND_SECURITY_GROUP);
		change_rules(&lab, group, false, false, rule);
	}
	change_rules(&lab, group, false, true, let(IPPROTO_TCP, r->from_port, r->to_port, "10.1.1.0/24"));
	change_rules(&lab, group, true, false, let(-1, -1, -1, "0.0.0.0/0"));
	a = ask(&lab, lab.near, lab.next);
	check_stops(a, REACH_GROUP, false, KIND_SECURITY_GROUP);
	assert_true(a.steps[a.first_bad].remedy.is_egress);
}

static void check_icmp(void **state)
{
	struct lab lab = make_lab(state);
	uuid group = group_of(&lab, lab.near);
	struct asked ping = {.from = lab.near, .to = lab.next, .protocol = IPPROTO_ICMP};
	struct rule_wish members = {.protocol = -1,
				    .from_port = -1,
				    .to_port = -1,
				    .peer_group = to(&lab, KIND_SECURITY_GROUP, group)};
	check_passes(ask_at(&lab, ping));
	change_rules(&lab, group, false, false, members);
	change_rules(&lab, group, false, true, let(IPPROTO_ICMP, 0, 0, "0.0.0.0/0"));
	check_stops(ask_at(&lab, ping), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group, false, true, let(IPPROTO_ICMP, 8, -1, "0.0.0.0/0"));
	check_passes(ask_at(&lab, ping));
	ping.protocol = IPPROTO_ESP;
	check_stops(ask_at(&lab, ping), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group, false, true, let(IPPROTO_ESP, -1, -1, "0.0.0.0/0"));
	check_passes(ask_at(&lab, ping));
}

static void check_address_groups(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid group = group_of(&lab, lab.near);
	const struct cidr blocks[] = {cidr_of("192.0.2.0/24"), cidr_of("10.1.1.0/24")};
	struct address_group_wish wish = {.name = STR("ours"), .addresses = {blocks, 2}};
	struct rule_wish members = {.protocol = -1,
				    .from_port = -1,
				    .to_port = -1,
				    .peer_group = to(&lab, KIND_SECURITY_GROUP, group)};
	cloud_ok(c, &c->alice, engine_create_address_group, &wish);
	change_rules(&lab, group, false, false, members);
	change_rules(&lab, group, false, true,
		     (struct rule_wish){.protocol = -1,
					.from_port = -1,
					.to_port = -1,
					.peer_addresses = ref_by_id(KIND_ADDRESS_GROUP, wish.group)});
	check_passes(ask(&lab, lab.near, lab.next));
	check_stops(ask(&lab, lab.far, lab.next), REACH_GROUP, false, KIND_SECURITY_GROUP);
}

/* Without port security groups are not checked. With port security and without groups, nothing passes. */
static void check_open_port(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct port_settings none = {.port = to(&lab, KIND_PORT, cloud_port(c, lab.next)->row.id),
				     .has_no_groups = true};
	cloud_ok(c, &c->alice, engine_update_port, &none);
	struct reach_answer a = ask(&lab, lab.near, lab.next);
	check_stops(a, REACH_GROUP, false, KIND_PORT);
	assert_true(uuid_is_none(a.steps[a.first_bad].remedy.group));
	none.is_open = CHOICE_YES;
	cloud_ok(c, &c->alice, engine_update_port, &none);
	check_passes(ask(&lab, lab.near, lab.next));
}

/* ---- network ACLs ---- */

static uuid acl_of(struct lab *lab, uuid router)
{
	return router_find(cloud_tables(lab->c), router)->default_acl;
}

static void put_entry(struct lab *lab, uuid acl, bool egress, int64_t number, bool allows, int64_t from,
		      int64_t last)
{
	const struct cidr all = cidr_of("0.0.0.0/0");
	struct network_acl_entry_wish wish = {.acl = to(lab, KIND_NETWORK_ACL, acl),
					      .egress = egress,
					      .number = number,
					      .allows = allows,
					      .protocol = IPPROTO_TCP,
					      .from_port = from,
					      .to_port = last,
					      .blocks = {&all, 1}};
	cloud_ok(lab->c, &lab->c->alice, engine_create_network_acl_entry, &wish);
}

static void drop_entry(struct lab *lab, uuid acl, bool egress, int64_t number)
{
	struct network_acl_entry_wish wish = {
		.acl = to(lab, KIND_NETWORK_ACL, acl), .egress = egress, .number = number};
	cloud_ok(lab->c, &lab->c->alice, engine_delete_network_acl_entry, &wish);
}

static void check_acls(void **state)
{
	struct lab lab = make_lab(state);
	uuid acl = acl_of(&lab, cloud_port(lab.c, lab.near)->router);
	put_entry(&lab, acl, false, 10, false, PORT, PORT);
	check_passes(ask(&lab, lab.near, lab.next)); /* not checked within the subnet */
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, false, KIND_NETWORK_ACL_ENTRY);
	put_entry(&lab, acl, false, 5, true, PORT, PORT);
	check_passes(ask(&lab, lab.near, lab.far));
	drop_entry(&lab, acl, false, 5);
	drop_entry(&lab, acl, false, 10);
	put_entry(&lab, acl, true, 10, false, PORT, PORT);
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, false, KIND_NETWORK_ACL_ENTRY);
	drop_entry(&lab, acl, true, 10);
	/* The answer: one of a client's ports is enough. */
	put_entry(&lab, acl, true, 10, false, 50000, 50000);
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, true, KIND_NETWORK_ACL_ENTRY);
	drop_entry(&lab, acl, true, 10);
	put_entry(&lab, acl, false, 10, false, 1024, 32768);
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, true, KIND_NETWORK_ACL_ENTRY);
	drop_entry(&lab, acl, false, 10);
	put_entry(&lab, acl, false, 10, false, 1024, 32767);
	check_passes(ask(&lab, lab.near, lab.far));
	/* Without a matching entry everything is denied. */
	drop_entry(&lab, acl, false, 100);
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, false, KIND_NETWORK_ACL);
}

/* A list that tracks connections lets answers pass. */
static void check_stateful_acl(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct subnet far = *subnet_find(cloud_tables(c), lab.far_subnet);
	struct network_acl_wish wish = {
		.router = to(&lab, KIND_ROUTER, far.router), .name = STR("tracks"), .is_stateful = true};
	cloud_ok(c, &c->alice, engine_create_network_acl, &wish);
	struct network_acl_association use = {.association =
						      ref_association(c, "aclassoc", far.acl_association),
					      .acl = to(&lab, KIND_NETWORK_ACL, wish.acl)};
	cloud_ok(c, &c->alice, engine_replace_network_acl_association, &use);
	check_stops(ask(&lab, lab.near, lab.far), REACH_ACL, false, KIND_NETWORK_ACL);
	put_entry(&lab, wish.acl, false, 1, true, PORT, PORT);
	check_passes(ask(&lab, lab.near, lab.far));
	check_stops(ask(&lab, lab.far, lab.near), REACH_ACL, false, KIND_NETWORK_ACL);
}

/* Lists that chance makes: an answer passes if each of a client's ports does, tried one by one. */
enum { CHANCE_ROUNDS = 60, CHANCE_ENTRIES = 6 };
struct chance_entry {
	bool allows;
	int64_t from, last;
};

static bool naively_passes(const struct chance_entry *entries, int64_t port)
{
	for (size_t k = 0; k < CHANCE_ENTRIES; k++)
		if (entries[k].from <= port && port <= entries[k].last)
			return entries[k].allows;
	return true; /* by the entry that the list has from the start */
}

static void check_acls_of_chance(void **state)
{
	static const int64_t ends[] = {1,     442,   443,   444,   32767, 32768,
				       32769, 45000, 60998, 60999, 61000, 65535};
	enum { ENDS = sizeof ends / sizeof ends[0] };
	struct lab lab = make_lab(state);
	uuid acl = acl_of(&lab, cloud_port(lab.c, lab.near)->router);
	uint32_t seed = 28;
	size_t passed = 0;
	for (size_t round = 0; round < CHANCE_ROUNDS; round++) {
		struct chance_entry entries[CHANCE_ENTRIES];
		for (size_t k = 0; k < CHANCE_ENTRIES; k++) {
			size_t one = (seed = seed * 1664525 + 1013904223) >> 16, other = one / ENDS;
			int64_t from = ends[one % ENDS], last = ends[other % ENDS];
			entries[k] = (struct chance_entry){(seed >> 8) % 4 != 0, from < last ? from : last,
							   from < last ? last : from};
			put_entry(&lab, acl, true, (int64_t) k + 1, entries[k].allows, entries[k].from,
				  entries[k].last);
		}
		bool there = naively_passes(entries, PORT), back = true;
		for (int64_t port = 32768; port <= 60999; port++)
			back = back && naively_passes(entries, port);
		struct reach_answer a = ask(&lab, lab.near, lab.far);
		assert_int_equal(a.verdict, there && back ? REACH_PASSES : REACH_STOPS);
		if (!(there && back))
			assert_int_equal(a.steps[a.first_bad].is_reply, there);
		passed += there && back;
		for (size_t k = 0; k < CHANCE_ENTRIES; k++)
			drop_entry(&lab, acl, true, (int64_t) k + 1);
	}
	assert_true(passed > 5 && passed < CHANCE_ROUNDS - 5); /* chance tries both */
}

/* ---- ways ---- */

static uuid main_table(struct lab *lab, uuid router)
{
	return router_find(cloud_tables(lab->c), router)->main_route_table;
}

static void add_route(struct lab *lab, uuid router, const char *block, struct ref gateway, struct ref nat,
		      struct ref peering, struct ref port)
{
	struct route_wish wish = {.route_table = to(lab, KIND_ROUTE_TABLE, main_table(lab, router)),
				  .destination = cidr_of(block),
				  .gateway = gateway,
				  .nat_gateway = nat,
				  .peering = peering,
				  .port = port};
	cloud_ok(lab->c, &lab->c->alice, engine_create_route, &wish);
}

static void check_peering(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct ref none = {0};
	uuid router = cloud_port(c, lab.near)->router;
	check_stops(ask(&lab, lab.near, lab.other), REACH_ROUTE, false, KIND_ROUTE_TABLE);
	struct peering_wish wish = {.router = to(&lab, KIND_ROUTER, router),
				    .peer_router = to(&lab, KIND_ROUTER, lab.other_router)};
	cloud_ok(c, &c->alice, engine_create_peering, &wish);
	struct ref peering = to(&lab, KIND_PEERING, wish.peering);
	struct peering_target target = {.peering = peering};
	cloud_ok(c, &c->alice, engine_accept_peering, &target);
	add_route(&lab, router, "10.2.0.0/16", none, none, peering, none);
	check_stops(ask(&lab, lab.near, lab.other), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group_of(&lab, lab.other), false, true,
		     let(IPPROTO_TCP, PORT, PORT, "10.1.0.0/16"));
	check_stops(ask(&lab, lab.near, lab.other), REACH_ROUTE, true, KIND_ROUTE_TABLE); /* no way back */
	add_route(&lab, lab.other_router, "10.1.0.0/16", none, none, peering, none);
	check_passes(ask(&lab, lab.near, lab.other));
	cloud_ok(c, &c->alice, engine_delete_peering, &target);
	check_stops(ask(&lab, lab.near, lab.other), REACH_PEERING, false, KIND_PEERING);
}

/* A router answers pings to its own address, and takes no connections. */
static void check_router_address(void **state)
{
	struct lab lab = make_lab(state);
	struct asked q = {.from = lab.near, .to_ip = ip_of("10.1.2.1"), .protocol = IPPROTO_ICMP};
	check_passes(ask_at(&lab, q));
	q.protocol = IPPROTO_TCP;
	check_stops(ask_at(&lab, q), REACH_LINK, false, KIND_SUBNET);
	q.to_ip = ip_of("10.1.2.200"); /* no interface has it */
	check_stops(ask_at(&lab, q), REACH_LINK, false, KIND_SUBNET);
}

/* Over a transit gateway: routes of the VPCs lead to it, and its route table on. */
static void check_transit(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid routers[2] = {cloud_port(c, lab.near)->router, lab.other_router};
	const struct port *ports[2] = {cloud_port(c, lab.near), cloud_port(c, lab.other)};
	struct transit_gateway_wish gateway = {.asn = TRANSIT_ASN_DEFAULT};
	struct transit_attachment_wish wishes[2];
	cloud_ok(c, &c->alice, engine_create_transit_gateway, &gateway);
	struct ref hub = to(&lab, KIND_TRANSIT_GATEWAY, gateway.gateway);
	for (size_t k = 0; k < 2; k++) {
		struct ref subnet = to(&lab, KIND_SUBNET, ports[k]->subnet);
		wishes[k] = (struct transit_attachment_wish){
			.gateway = hub, .router = to(&lab, KIND_ROUTER, routers[k]), .subnets = {&subnet, 1}};
		cloud_ok(c, &c->alice, engine_create_transit_attachment, &wishes[k]);
		struct route_wish route = {.route_table =
						   to(&lab, KIND_ROUTE_TABLE, main_table(&lab, routers[k])),
					   .destination = cidr_of(k ? "10.1.0.0/16" : "10.2.0.0/16"),
					   .transit_gateway = hub};
		cloud_ok(c, &c->alice, engine_create_route, &route);
	}
	check_stops(ask(&lab, lab.near, lab.other), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group_of(&lab, lab.other), false, true,
		     let(IPPROTO_TCP, PORT, PORT, "10.1.0.0/16"));
	check_passes(ask(&lab, lab.near, lab.other));
	uuid table = transit_gateway_find(cloud_tables(c), gateway.gateway)->association_table;
	struct transit_use use = {.route_table = to(&lab, KIND_TRANSIT_ROUTE_TABLE, table),
				  .attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, wishes[0].attachment)};
	cloud_ok(c, &c->alice, engine_disable_transit_propagation, &use); /* no way back */
	check_stops(ask(&lab, lab.near, lab.other), REACH_TRANSIT, true, KIND_TRANSIT_ROUTE_TABLE);
	cloud_ok(c, &c->alice, engine_disassociate_transit_route_table, &use);
	check_stops(ask(&lab, lab.near, lab.other), REACH_TRANSIT, false, KIND_TRANSIT_ATTACHMENT);
	struct transit_attachment_target target = {.attachment = use.attachment};
	cloud_ok(c, &c->alice, engine_delete_transit_attachment, &target);
	check_stops(ask(&lab, lab.near, lab.other), REACH_TRANSIT, false, KIND_TRANSIT_GATEWAY);
}

static uuid connect_site(struct lab *lab, struct vpn_gateway_wish *gateway)
{
	struct cloud *c = lab->c;
	struct customer_gateway_wish customer = {.ip = ip_of("203.0.113.90"), .asn = 65000};
	cloud_ok(c, &c->alice, engine_create_customer_gateway, &customer);
	struct vpn_connection_wish wish = {.customer_gateway =
						   to(lab, KIND_CUSTOMER_GATEWAY, customer.gateway),
					   .vpn_gateway = to(lab, KIND_VPN_GATEWAY, gateway->gateway)};
	for (size_t k = 0; k < VPN_TUNNELS; k++)
		wish.tunnels[k].row.id = id_new(KIND_VPN_TUNNEL);
	cloud_ok(c, &c->alice, engine_create_vpn_connection, &wish);
	return wish.connection;
}

static void report_tunnel(struct lab *lab, uuid connection, bool is_up)
{
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(cloud_tables(lab->c), connection);
	struct vpn_tunnel_report report = {n->row.id, n->row.gen, is_up};
	cloud_ok(lab->c, NULL, engine_see_vpn_tunnel, &report);
}

/* By a VPN connection the path ends at the tunnel, if one is up; a gateway without a route to the site drops the packet. */
static void check_vpn(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid router = cloud_port(c, lab.near)->router;
	struct ref table = to(&lab, KIND_ROUTE_TABLE, main_table(&lab, router));
	struct asked q = {.from = lab.near, .to_ip = ip_of("10.99.0.7")};
	struct vpn_gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_vpn_gateway, &gateway);
	struct ref by = to(&lab, KIND_VPN_GATEWAY, gateway.gateway);
	struct vpn_gateway_attachment attachment = {by, to(&lab, KIND_ROUTER, router)};
	cloud_ok(c, &c->alice, engine_attach_vpn_gateway, &attachment);
	check_stops(ask_at(&lab, q), REACH_ROUTE, false, KIND_ROUTE_TABLE);
	struct route_wish route = {
		.route_table = table, .destination = cidr_of("10.99.0.0/16"), .vpn_gateway = by};
	cloud_ok(c, &c->alice, engine_create_route, &route);
	check_stops(ask_at(&lab, q), REACH_VPN, false, KIND_ROUTE_TABLE);
	uuid connection = connect_site(&lab, &gateway);
	struct vpn_route_wish behind = {to(&lab, KIND_VPN_CONNECTION, connection), cidr_of("10.99.0.0/24")};
	cloud_ok(c, &c->alice, engine_create_vpn_route, &behind);
	check_stops(ask_at(&lab, q), REACH_VPN, false, KIND_VPN_CONNECTION);
	report_tunnel(&lab, connection, true);
	struct reach_answer answer = ask_at(&lab, q);
	assert_int_equal(answer.verdict, REACH_UNKNOWN);
	assert_int_equal(answer.steps[answer.first_bad].kind, KIND_VPN_CONNECTION);
	cloud_ok(c, &c->alice, engine_delete_route, &route);
	check_stops(ask_at(&lab, q), REACH_ROUTE, false, KIND_ROUTE_TABLE);
	struct vpn_propagation use = {by, table};
	cloud_ok(c, &c->alice, engine_enable_vpn_propagation, &use);
	assert_int_equal(ask_at(&lab, q).verdict, REACH_UNKNOWN);
	report_tunnel(&lab, connection, false);
	check_stops(ask_at(&lab, q), REACH_VPN, false, KIND_VPN_CONNECTION);
}

static uuid attach_gateway(struct lab *lab, uuid router)
{
	struct gateway_wish wish = {0};
	cloud_ok(lab->c, &lab->c->alice, engine_create_gateway, &wish);
	struct gateway_attachment use = {.gateway = to(lab, KIND_GATEWAY, wish.gateway),
					 .router = to(lab, KIND_ROUTER, router)};
	cloud_ok(lab->c, &lab->c->alice, engine_attach_gateway, &use);
	return wish.gateway;
}

static uuid give_address(struct lab *lab, uuid instance)
{
	struct address_wish wish = {0};
	if (!uuid_is_none(instance))
		wish.port = to(lab, KIND_PORT, cloud_port(lab->c, instance)->row.id);
	cloud_ok(lab->c, &lab->c->alice, engine_allocate_address, &wish);
	return wish.address;
}

static void check_internet(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct ref none = {0};
	uuid router = cloud_port(c, lab.near)->router;
	check_stops(ask(&lab, lab.near, UUID_NONE), REACH_ROUTE, false, KIND_ROUTE_TABLE);
	check_stops(ask(&lab, UUID_NONE, lab.near), REACH_TRANSLATION, false, KIND_PORT);
	uuid gateway = attach_gateway(&lab, router);
	uuid address = give_address(&lab, lab.near);
	check_stops(ask(&lab, UUID_NONE, lab.near), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group_of(&lab, lab.near), false, true, let(IPPROTO_TCP, PORT, PORT, "0.0.0.0/0"));
	check_stops(ask(&lab, UUID_NONE, lab.near), REACH_ROUTE, true, KIND_ROUTE_TABLE);
	add_route(&lab, router, "0.0.0.0/0", to(&lab, KIND_GATEWAY, gateway), none, none, none);
	check_passes(ask(&lab, UUID_NONE, lab.near));
	check_passes(ask(&lab, lab.near, UUID_NONE));
	check_stops(ask(&lab, lab.next, UUID_NONE), REACH_TRANSLATION, false, KIND_GATEWAY);
	struct reach_answer a =
		ask_at(&lab, (struct asked){.from_ip = ip_of("203.0.113.7"),
					    .to_ip = address_find(cloud_tables(c), address)->ip});
	check_passes(a);
	assert_ptr_equal(a.found, cloud_port(c, lab.near));
	/* An address of another VPC's is reached from outside, as from anywhere. */
	uuid other_gateway = attach_gateway(&lab, lab.other_router);
	give_address(&lab, lab.other);
	add_route(&lab, lab.other_router, "0.0.0.0/0", to(&lab, KIND_GATEWAY, other_gateway), none, none,
		  none);
	check_passes(ask(&lab, lab.other, lab.near));
	check_stops(ask(&lab, lab.near, lab.other), REACH_GROUP, false, KIND_SECURITY_GROUP);
	/* The entry that answers need is missing. */
	put_entry(&lab, acl_of(&lab, router), true, 10, false, 40000, 40001);
	check_stops(ask(&lab, UUID_NONE, lab.near), REACH_ACL, true, KIND_NETWORK_ACL_ENTRY);
	/* A black hole. */
	struct address_association off = {.address = to(&lab, KIND_ADDRESS, address)};
	cloud_ok(c, &c->alice, engine_disassociate_address, &off);
	struct gateway_attachment detached = {.gateway = to(&lab, KIND_GATEWAY, gateway),
					      .router = to(&lab, KIND_ROUTER, router)};
	cloud_ok(c, &c->alice, engine_detach_gateway, &detached);
	check_stops(ask(&lab, lab.near, UUID_NONE), REACH_ROUTE, false, KIND_ROUTE);
}

static void check_nat(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct ref none = {0};
	uuid router = cloud_port(c, lab.near)->router, gateway = attach_gateway(&lab, router);
	uuid address = give_address(&lab, UUID_NONE);
	struct nat_gateway_wish nat = {.subnet = to(&lab, KIND_SUBNET, lab.far_subnet),
				       .address = to(&lab, KIND_ADDRESS, address)};
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &nat);
	struct route_table_wish table = {.router = to(&lab, KIND_ROUTER, router)};
	cloud_ok(c, &c->alice, engine_create_route_table, &table);
	struct route_table_association use = {.subnet = to(&lab, KIND_SUBNET, lab.far_subnet),
					      .route_table = to(&lab, KIND_ROUTE_TABLE, table.route_table)};
	cloud_ok(c, &c->alice, engine_associate_route_table, &use);
	add_route(&lab, router, "0.0.0.0/0", none, to(&lab, KIND_NAT_GATEWAY, nat.nat_gateway), none, none);
	check_stops(ask(&lab, lab.near, UUID_NONE), REACH_ROUTE, false, KIND_ROUTE_TABLE);
	struct route_wish out = {.route_table = to(&lab, KIND_ROUTE_TABLE, table.route_table),
				 .destination = cidr_of("0.0.0.0/0"),
				 .gateway = to(&lab, KIND_GATEWAY, gateway)};
	cloud_ok(c, &c->alice, engine_create_route, &out);
	check_passes(ask(&lab, lab.near, UUID_NONE));
	check_stops(ask_at(&lab, (struct asked){.from_ip = ip_of("203.0.113.7"),
						.to_ip = address_find(cloud_tables(c), address)->ip}),
		    REACH_NAT, false, KIND_NAT_GATEWAY);
	put_entry(&lab, acl_of(&lab, router), false, 10, false, 32768, 60999);
	check_stops(ask(&lab, lab.near, UUID_NONE), REACH_ACL, true, KIND_NETWORK_ACL_ENTRY);
}

/* Forwarding inside an appliance is unknown, so the analysis ends there. An instance with source/destination
 * checks drops foreign packets. */
static void check_appliance(void **state)
{
	struct lab lab = make_lab(state);
	const struct ref none = {0};
	const struct port port = *cloud_port(lab.c, lab.far);
	add_route(&lab, port.router, "192.0.2.0/24", none, none, none, to(&lab, KIND_PORT, port.row.id));
	const struct asked q = {.from = lab.near, .to_ip = ip_of("192.0.2.9")};
	check_stops(ask_at(&lab, q), REACH_GUEST, false, KIND_PORT);
	struct port_settings open = {.port = to(&lab, KIND_PORT, port.row.id),
				     .source_dest_check = CHOICE_NO};
	cloud_ok(lab.c, &lab.c->alice, engine_update_port, &open);
	assert_int_equal(ask_at(&lab, q).verdict, REACH_UNKNOWN);
}

static void check_forwarding_and_balancer(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct ref none = {0};
	uuid router = cloud_port(c, lab.near)->router, gateway = attach_gateway(&lab, router);
	uuid address = give_address(&lab, UUID_NONE);
	add_route(&lab, router, "0.0.0.0/0", to(&lab, KIND_GATEWAY, gateway), none, none, none);
	change_rules(&lab, group_of(&lab, lab.near), false, true, let(IPPROTO_TCP, 8443, 8443, "0.0.0.0/0"));
	struct ip ip = address_find(cloud_tables(c), address)->ip;
	struct asked q = {.from_ip = ip_of("203.0.113.7"), .to_ip = ip};
	check_stops(ask_at(&lab, q), REACH_TRANSLATION, false, KIND_ADDRESS);
	struct port_forwarding_wish forward = {.address = to(&lab, KIND_ADDRESS, address),
					       .instance = to(&lab, KIND_INSTANCE, lab.near),
					       .ports = {PORT, PORT, 8443, 8443}};
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &forward);
	check_passes(ask_at(&lab, q));
	check_passes(ask(&lab, UUID_NONE, lab.near));
	struct load_balancer_wish wish = {.address = to(&lab, KIND_ADDRESS, address),
					  .name = STR("web"),
					  .public_port = 80,
					  .private_port = 8443};
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	q.port = 80;
	check_stops(ask_at(&lab, q), REACH_BALANCER, false, KIND_LOAD_BALANCER);
	const struct ref member = to(&lab, KIND_INSTANCE, lab.far);
	struct load_balancer_members members = {.balancer = ref_by_id(KIND_LOAD_BALANCER, wish.balancer),
						.instances = refs_of(c, &member, 1)};
	cloud_ok(c, &c->alice, engine_add_load_balancer_members, &members);
	check_passes(ask_at(&lab, q));
	q.from = lab.next;
	q.from_ip = (struct ip){0};
	check_passes(ask_at(&lab, q)); /* from inside, by the switch */
}

/* A guest network admits what its addresses' rules allow, and lets out what its own rules allow. */
static void check_firewall(void **state)
{
	struct lab lab = {.c = *state};
	struct cloud *c = lab.c;
	struct guest_network_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
					  .name = STR("walled"),
					  .block = cidr_of("10.7.0.0/24"),
					  .gateway_ip = ip_of("10.7.0.1"),
					  .has_router = true};
	cloud_ok(c, &c->alice, engine_create_guest_network, &wish);
	struct ref network = ref_by_id(KIND_NETWORK, wish.network);
	struct launch_port at = {.network = network, .by_firewall_alone = true};
	uuid one = launch_at(&lab, at), other = launch_at(&lab, at);
	struct address_wish address = {.for_network = network,
				       .port = to(&lab, KIND_PORT, cloud_port(c, one)->row.id)};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	check_passes(ask(&lab, other, one));
	check_stops(ask(&lab, UUID_NONE, one), REACH_FIREWALL, false, KIND_NETWORK);
	struct firewall_rule_wish in = {.address = ref_by_id(KIND_ADDRESS, address.address),
					.protocol = IPPROTO_TCP,
					.from = PORT,
					.to = PORT};
	cloud_ok(c, &c->alice, engine_create_firewall_rule, &in);
	check_passes(ask(&lab, UUID_NONE, one));
	check_stops(ask(&lab, one, UUID_NONE), REACH_FIREWALL, false, KIND_NETWORK);
	struct firewall_rule_wish out = {
		.network = network, .protocol = IPPROTO_TCP, .from = PORT, .to = PORT};
	cloud_ok(c, &c->alice, engine_create_firewall_rule, &out);
	check_passes(ask(&lab, one, UUID_NONE));
	check_passes(ask(&lab, other, UUID_NONE)); /* under the gateway's address */
}

/* ---- states ---- */

static void check_states(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	cloud_see_off(c, lab.next, INSTANCE_OFF_GUEST);
	struct reach_answer a = ask(&lab, lab.near, lab.next);
	check_stops(a, REACH_STATE, false, KIND_INSTANCE);
	assert_true(a.count > a.first_bad + 1 || a.steps[a.count - 1].stage == REACH_STATE);
	a = ask(&lab, lab.next, lab.near);
	check_stops(a, REACH_STATE, false, KIND_INSTANCE);
	assert_int_equal(a.first_bad, 0);
	assert_true(a.count > 3); /* further causes are listed, too */
	struct port_settings down = {.port = to(&lab, KIND_PORT, cloud_port(c, lab.far)->row.id),
				     .is_down = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_port, &down);
	check_stops(ask(&lab, lab.near, lab.far), REACH_STATE, false, KIND_PORT);
}

/* A network that is down, an unbound interface, a paused instance and a cut account each stop traffic. */
static void check_further_states(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct port *far = cloud_port(c, lab.far);
	struct network_settings network = {.network = to(&lab, KIND_NETWORK, far->network),
					   .is_down = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_network, &network);
	check_stops(ask(&lab, lab.near, lab.far), REACH_STATE, false, KIND_NETWORK);
	network.is_down = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_network, &network);
	check_passes(ask(&lab, lab.near, lab.far));
	struct port_report unbound = {.port = far->row.id, .gen = far->row.gen, .up = false};
	cloud_ok(c, NULL, engine_see_port, &unbound);
	check_stops(ask(&lab, lab.near, lab.far), REACH_STATE, false, KIND_PORT);
	struct ref ref = to(&lab, KIND_INSTANCE, lab.next);
	struct instances_wish pause = {.instances = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_pause_instances, &pause);
	struct instance_report paused = {.instance = lab.next,
					 .gen = cloud_instance(c, lab.next)->row.gen,
					 .reached = true,
					 .power = INSTANCE_SEEN_POWER_ON,
					 .is_paused = true};
	cloud_ok(c, NULL, engine_see_instance, &paused);
	check_stops(ask(&lab, lab.near, lab.next), REACH_STATE, false, KIND_INSTANCE);
	struct account_restriction cut = {.account = ref_by_id(KIND_ACCOUNT, c->alice.account),
					  .cut = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_restrict_account, &cut);
	check_stops(ask(&lab, lab.near, lab.next), REACH_STATE, false, KIND_ACCOUNT);
}

/* ---- policies ---- */

static uuid put_policy_before(struct lab *lab, uuid instance)
{
	struct cloud *c = lab->c;
	struct port_policy_wish wish = {.name = STR("nsg")};
	cloud_ok(c, &c->alice, engine_create_port_policy, &wish);
	struct port_guard_wish guard = {.port = to(lab, KIND_PORT, cloud_port(c, instance)->row.id),
					.policy = ref_by_id(KIND_PORT_POLICY, wish.policy)};
	cloud_ok(c, &c->alice, engine_guard_port, &guard);
	return wish.policy;
}

static void check_policies(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid policy = put_policy_before(&lab, lab.next);
	check_passes(ask(&lab, lab.near, lab.next)); /* within the virtual network */
	const struct str any = STR("*"), port = STR("443");
	struct port_policy_rule_wish rule = {.policy = ref_by_id(KIND_PORT_POLICY, policy),
					     .name = STR("no-web"),
					     .priority = 200,
					     .protocol = IPPROTO_TCP,
					     .sources = {&any, 1},
					     .source_ports = {&any, 1},
					     .destinations = {&any, 1},
					     .destination_ports = {&port, 1}};
	cloud_ok(c, &c->alice, engine_put_port_policy_rule, &rule);
	check_stops(ask(&lab, lab.near, lab.next), REACH_POLICY, false, KIND_PORT_POLICY_RULE);
	struct asked q = {.from = lab.near, .to = lab.next, .port = 80};
	check_passes(ask_at(&lab, q));
	q.protocol = IPPROTO_UDP;
	q.port = PORT;
	check_passes(ask_at(&lab, q));
	/* From outside the rule that every policy ends with denies the rest. */
	uuid router = cloud_port(c, lab.next)->router, gateway = attach_gateway(&lab, router);
	const struct ref none = {0};
	give_address(&lab, lab.next);
	add_route(&lab, router, "0.0.0.0/0", to(&lab, KIND_GATEWAY, gateway), none, none, none);
	q = (struct asked){.from_ip = ip_of("203.0.113.7"), .to = lab.next, .port = 80};
	check_stops(ask_at(&lab, q), REACH_POLICY, false, KIND_PORT_POLICY);
}

/* ---- IPv6 ---- */

static void give_ipv6(struct lab *lab, const char *block, uuid subnet, uuid instance)
{
	struct cloud *c = lab->c;
	struct ipv6_subnet_wish wish = {.subnet = to(lab, KIND_SUBNET, subnet), .block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_add_ipv6_subnet, &wish);
	struct port_assignment ips = {
		.port = to(lab, KIND_PORT, cloud_port(c, instance)->row.id), .more = 1, .is_ipv6 = true};
	cloud_ok(c, &c->alice, engine_assign_ips, &ips);
}

static void add_route6(struct lab *lab, uuid router, struct ref gateway, struct ref egress)
{
	struct route_wish wish = {.route_table = to(lab, KIND_ROUTE_TABLE, main_table(lab, router)),
				  .destination = cidr_of("::/0"),
				  .gateway = gateway,
				  .egress_gateway = egress};
	cloud_ok(lab->c, &lab->c->alice, engine_create_route, &wish);
}

static void check_ipv6(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct ref none = {0};
	const struct port *near = cloud_port(c, lab.near);
	uuid router = near->router, subnet = near->subnet, group = near->groups.at[0];
	struct external_ipv6_wish pool = {.external_network = ref_named(KIND_EXTERNAL_NETWORK, "internet"),
					  .pool = cidr_of("2001:db8::/48"),
					  .next_hop = ip_of("2001:db8:ffff::1")};
	cloud_ok(c, &c->operator, engine_set_external_ipv6, &pool);
	struct router_block_wish block = {.router = to(&lab, KIND_ROUTER, router),
					  .ipv6 = {.is_wanted = true}};
	cloud_ok(c, &c->alice, engine_add_router_block, &block);
	struct cidr own = router_find(cloud_tables(c), router)->ipv6_blocks.at[0];
	char first[CIDR_TEXT_SIZE], second[CIDR_TEXT_SIZE];
	struct cidr one = {own.base, 64}, two = {own.base, 64};
	two.base.b[7] = 1;
	give_ipv6(&lab, cidr_write(one, first), subnet, lab.near);
	give_ipv6(&lab, cidr_write(two, second), lab.far_subnet, lab.far);
	struct asked q = {.from = lab.near, .to = lab.far, .family = IP_V6};
	check_passes(ask_at(&lab, q)); /* a rule by membership is of both families */
	struct asked in = {.from_ip = ip_of("2001:db8:ffff::7"), .to = lab.near};
	check_stops(ask_at(&lab, in), REACH_ROUTE, false, KIND_SUBNET);
	uuid gateway = attach_gateway(&lab, router);
	add_route6(&lab, router, to(&lab, KIND_GATEWAY, gateway), none);
	check_stops(ask_at(&lab, in), REACH_GROUP, false, KIND_SECURITY_GROUP);
	change_rules(&lab, group, false, true, let(IPPROTO_TCP, PORT, PORT, "::/0"));
	check_passes(ask_at(&lab, in));
	struct asked out = {.from = lab.near, .to_ip = ip_of("2001:db8:ffff::7")};
	check_passes(ask_at(&lab, out));
	/* By an egress-only gateway nothing begins from outside. */
	struct egress_gateway_wish egress = {.router = to(&lab, KIND_ROUTER, router)};
	cloud_ok(c, &c->alice, engine_create_egress_gateway, &egress);
	struct route_wish wish = {.route_table = to(&lab, KIND_ROUTE_TABLE, main_table(&lab, router)),
				  .destination = cidr_of("::/0"),
				  .egress_gateway = to(&lab, KIND_EGRESS_GATEWAY, egress.gateway)};
	cloud_ok(c, &c->alice, engine_replace_route, &wish);
	check_passes(ask_at(&lab, out));
	check_stops(ask_at(&lab, in), REACH_ROUTE, false, KIND_ROUTE);
}

/* ---- invalid questions ---- */

static void check_no_question(void **state)
{
	struct lab lab = make_lab(state);
	const struct port *near = cloud_port(lab.c, lab.near);
	const struct reach_question wrong[] = {
		{.from_ip = ip_of("203.0.113.7")},
		{.from = near, .to = near},
		{.from = near, .to_ip = ip_of("2001:db8::1")},
		{.from_ip = ip_of("203.0.113.7"), .to_ip = ip_of("2001:db8::1")},
	};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		struct reach_answer answer = {0};
		struct ctx c = {0};
		ctx_init(&c, lab.c->arena);
		struct result found = engine_find_reach(&c, cloud_tables(lab.c), &wrong[k], &answer);
		assert_int_equal(found.code, ERR_INVALID);
	}
	struct ip stranger = engine_get_stranger(cloud_tables(lab.c), IP_V4);
	assert_true(ip_equal(stranger, ip_of("203.0.113.7")));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(check_groups, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_icmp, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_open_port, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_address_groups, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_acls, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_stateful_acl, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_acls_of_chance, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_peering, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_router_address, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_transit, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_vpn, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_internet, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_nat, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_firewall, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_appliance, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_forwarding_and_balancer, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_states, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_further_states, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_policies, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_ipv6, cloud_setup, cloud_teardown),
	cmocka_unit_test_setup_teardown(check_no_question, cloud_setup, cloud_teardown),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
