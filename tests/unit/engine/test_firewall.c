/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks: valid rules, rules created and deleted together with other objects, and rules
 * that follow an address. */
#include "cloud.h"
#include "engine/balancing/load_balancer.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/filter/firewall.h"
#include "engine/network/guest_network.h"
#include "model/account.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/gateway.h"
#include "store/load_balancer.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"

enum { ALL = -1, ICMP = 1, TCP = 6, UDP = 17 };

struct lab {
	struct cloud *c;
	uuid network, address, port;
};

static uuid make_network(struct cloud *c, const char *block, bool egress_open)
{
	struct guest_network_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
					  .name = STR("walled"),
					  .block = cidr_of(block),
					  .gateway_ip = ip_add(cidr_of(block).base, 1),
					  .has_router = true,
					  .egress_open = egress_open};
	cloud_ok(c, &c->alice, engine_create_guest_network, &wish);
	return wish.network;
}

static uuid make_port(struct cloud *c, uuid network)
{
	const struct subnet *s = subnet_first_by_network(cloud_tables(c), network);
	struct port_wish wish = {.subnet = ref_by_id(KIND_SUBNET, s->row.id)};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	return wish.port;
}

static struct lab make_lab(void **state)
{
	struct cloud *c = *state;
	struct lab lab = {.c = c, .network = make_network(c, "10.7.0.0/24", false)};
	struct address_wish address = {.for_network = ref_by_id(KIND_NETWORK, lab.network)};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	lab.address = address.address;
	lab.port = make_port(c, lab.network);
	return lab;
}

/* A rule's parameters, with up to three sources and one destination. */
struct asked {
	int64_t protocol, from, to;
	const char *sources[3];
	const char *destination;
};

static struct firewall_rule_wish wish_of(const struct lab *lab, const struct asked *a,
					 struct cidr blocks[static 4])
{
	struct firewall_rule_wish wish = {.protocol = a->protocol, .from = a->from, .to = a->to};
	size_t count = 0;
	for (; count < 3 && a->sources[count]; count++)
		blocks[count] = cidr_of(a->sources[count]);
	wish.sources = (struct cidrs){blocks, count};
	if (a->destination)
		blocks[3] = cidr_of(a->destination);
	wish.destinations = (struct cidrs){&blocks[3], a->destination != NULL};
	wish.address = ref_by_id(KIND_ADDRESS, lab->address);
	return wish;
}

static void make(const struct lab *lab, struct asked asked, bool is_outward, enum err err)
{
	struct cidr blocks[4];
	struct firewall_rule_wish wish = wish_of(lab, &asked, blocks);
	if (is_outward) {
		wish.address = (struct ref){0};
		wish.network = ref_by_id(KIND_NETWORK, lab->network);
	}
	cloud_expect(lab->c, cloud_run(lab->c, &lab->c->alice, engine_create_firewall_rule_run, &wish), err,
		     err ? KIND_FIREWALL_RULE : KIND_NONE);
}

static size_t count(const struct lab *lab)
{
	return tables_count(cloud_tables(lab->c), KIND_FIREWALL_RULE);
}

static void check_inward(void **state)
{
	static const struct {
		struct asked asked;
		enum err err;
	} cases[] = {
		{{TCP, 80, 90, {"0.0.0.0/0"}}, ERR_NONE},
		{{TCP, 80, 80, {"0.0.0.0/0"}}, ERR_CONFLICT},
		{{TCP, 90, 95, {"0.0.0.0/0"}}, ERR_CONFLICT},
		{{TCP, 91, 95, {"0.0.0.0/0"}}, ERR_NONE},
		{{TCP, 79, 79, {"0.0.0.0/0"}}, ERR_NONE},
		{{TCP, 70, 100, {0}}, ERR_CONFLICT}, /* no source is from anywhere */
		{{UDP, 80, 90, {"0.0.0.0/0"}}, ERR_NONE},
		{{TCP, 80, 90, {"192.0.2.0/24", "10.0.0.0/8"}}, ERR_NONE},
		{{TCP, 85, 85, {"10.0.0.0/8", "172.16.0.0/12"}}, ERR_CONFLICT},
		{{TCP, 85, 85, {"172.16.0.0/12"}}, ERR_NONE},
		{{TCP, -1, -1, {"172.16.0.0/12"}}, ERR_NONE},
		{{TCP, -1, -1, {"172.16.0.0/12"}}, ERR_CONFLICT},
		{{ICMP, 8, 0, {"0.0.0.0/0"}}, ERR_NONE},
		{{ICMP, 8, 0, {"0.0.0.0/0"}}, ERR_EXISTS},
		{{ICMP, 8, -1, {"0.0.0.0/0"}}, ERR_NONE},
		{{ICMP, -1, -1, {"0.0.0.0/0"}}, ERR_NONE},
		{{ICMP, 256, -1, {0}}, ERR_INVALID},
		{{ICMP, 255, 256, {0}}, ERR_INVALID},
		{{ICMP, -2, -1, {0}}, ERR_INVALID},
		{{ICMP, -1, -2, {0}}, ERR_INVALID},
		{{ICMP, 255, 255, {0}}, ERR_NONE},
		{{TCP, 0, 5, {0}}, ERR_INVALID},
		{{TCP, 5, 65536, {0}}, ERR_INVALID},
		{{TCP, 6, 5, {0}}, ERR_INVALID},
		{{TCP, -1, 5, {0}}, ERR_INVALID},
		{{TCP, 65535, 65535, {0}}, ERR_NONE},
		{{ALL, -1, -1, {0}}, ERR_INVALID},
		{{47, -1, -1, {0}}, ERR_INVALID},
		{{UDP, 1, 1, {"2001:db8::/32"}}, ERR_UNSUPPORTED},
		{{UDP, 1, 1, {"0.0.0.0/0"}, "10.0.0.0/8"}, ERR_INVALID},
	};
	struct lab lab = make_lab(state);
	size_t made = 0;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		make(&lab, cases[k].asked, false, cases[k].err);
		made += !cases[k].err;
		assert_int_equal(count(&lab), made);
	}
	struct cidr blocks[4];
	struct firewall_rule_wish wish = wish_of(&lab, &(struct asked){UDP, 1, 1, {0}}, blocks);
	cloud_fails(lab.c, &lab.c->bob, engine_create_firewall_rule, &wish, ERR_NOT_FOUND, KIND_ADDRESS);
}

static void check_outward(void **state)
{
	static const struct {
		struct asked asked;
		enum err err;
	} cases[] = {
		{{ALL, -1, -1, {0}}, ERR_NONE},
		{{ALL, -1, -1, {"10.7.0.0/24"}}, ERR_CONFLICT}, /* no source is all of the network */
		{{ALL, -1, -1, {"0.0.0.0/0"}}, ERR_NONE},
		{{ALL, -1, -1, {"10.7.0.128/25"}}, ERR_NONE},
		{{TCP, 80, 80, {"10.7.0.0/24"}, "192.0.2.0/24"}, ERR_NONE},
		{{TCP, 80, 80, {"10.7.0.0/24"}, "192.0.2.0/24"}, ERR_CONFLICT},
		{{TCP, 80, 80, {"10.7.0.0/24"}, "192.0.3.0/24"}, ERR_NONE},
		{{TCP, 80, 80, {"10.7.0.0/24"}}, ERR_NONE},
		{{TCP, 80, 80, {"10.7.0.0/23"}}, ERR_RANGE},
		{{TCP, 80, 80, {"10.8.0.1/32"}}, ERR_RANGE},
		{{ICMP, 8, -1, {"10.7.0.1/32"}}, ERR_NONE},
		{{47, -1, -1, {0}}, ERR_INVALID},
		{{ALL, 1, 1, {0}, "10.0.0.0/8"}, ERR_NONE},
	};
	struct lab lab = make_lab(state);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		make(&lab, cases[k].asked, true, cases[k].err);
	make(&lab, (struct asked){TCP, 80, 80, {"10.7.0.0/24"}}, false,
	     ERR_NONE); /* an ingress rule of the address does not conflict */
	const struct firewall_rule *rule = firewall_rule_first_by_network(cloud_tables(lab.c), lab.network);
	while (rule->direction != FIREWALL_RULE_DIRECTION_EGRESS)
		rule = firewall_rule_next_by_network(cloud_tables(lab.c), rule);
	struct firewall_rule_target target = {ref_by_id(KIND_FIREWALL_RULE, rule->row.id)};
	cloud_fails(lab.c, &lab.c->bob, engine_delete_firewall_rule, &target, ERR_NOT_FOUND,
		    KIND_FIREWALL_RULE);
	cloud_ok(lab.c, &lab.c->alice, engine_change_firewall_rule, &target);
	cloud_ok(lab.c, &lab.c->alice, engine_delete_firewall_rule, &target);
	cloud_fails(lab.c, &lab.c->alice, engine_change_firewall_rule, &target, ERR_NOT_FOUND,
		    KIND_FIREWALL_RULE);
}

static void check_limits(void **state)
{
	struct lab lab = make_lab(state);
	struct cidr many[FIREWALL_SOURCES_MAX + 1];
	struct firewall_rule_wish wish = {.address = ref_by_id(KIND_ADDRESS, lab.address), .protocol = TCP};
	lab.c->skips_dumps = true;
	for (size_t k = 0; k <= FIREWALL_SOURCES_MAX; k++)
		many[k] = (struct cidr){ip_from_v4((uint32_t) k << 8), 24};
	wish.sources = (struct cidrs){many, FIREWALL_SOURCES_MAX + 1};
	wish.from = wish.to = 1;
	cloud_fails(lab.c, &lab.c->alice, engine_create_firewall_rule, &wish, ERR_QUOTA, KIND_FIREWALL_RULE);
	wish.sources.count = FIREWALL_SOURCES_MAX;
	for (; wish.from <= FIREWALL_BLOCKS_MAX / FIREWALL_SOURCES_MAX; wish.to = ++wish.from)
		cloud_ok(lab.c, &lab.c->alice, engine_create_firewall_rule, &wish);
	wish.sources.count = 1;
	cloud_fails(lab.c, &lab.c->alice, engine_create_firewall_rule, &wish, ERR_QUOTA, KIND_FIREWALL_RULE);
	const struct firewall_rule *rule = firewall_rule_first_by_address(cloud_tables(lab.c), lab.address);
	for (int k = 0; k < 2; k++, rule = firewall_rule_first_by_address(cloud_tables(lab.c), lab.address)) {
		struct firewall_rule_target target = {ref_by_id(KIND_FIREWALL_RULE, rule->row.id)};
		cloud_ok(lab.c, &lab.c->alice, engine_delete_firewall_rule, &target);
	}
	for (size_t k = count(&lab); k < FIREWALL_RULES_MAX; k++, wish.to = ++wish.from)
		cloud_ok(lab.c, &lab.c->alice, engine_create_firewall_rule, &wish);
	cloud_fails(lab.c, &lab.c->alice, engine_create_firewall_rule, &wish, ERR_QUOTA, KIND_FIREWALL_RULE);
}

static struct port_forwarding_wish forwarding_of(const struct lab *lab, int64_t port)
{
	return (struct port_forwarding_wish){.address = ref_by_id(KIND_ADDRESS, lab->address),
					     .port = ref_by_id(KIND_PORT, lab->port),
					     .ports = {port, port, 22, 22},
					     .opens_firewall = true};
}

/* A port forwarding creates a firewall rule that opens its ports to everybody, unless a rule exists, and
 * deletes the rule with itself. */
static void check_opened(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct port_forwarding_wish wish = forwarding_of(&lab, 22);
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	assert_int_equal(count(&lab), 1);
	const struct firewall_rule *rule = firewall_rule_first_by_related(cloud_tables(c), wish.forwarding);
	assert_true(rule && rule->protocol == TCP && rule->from_port == 22 && rule->to_port == 22);
	assert_true(uuid_equal(rule->network, lab.network) && rule->sources.at[0].bits == 0);
	uuid made = rule->row.id;
	struct port_forwarding_change change = {.forwarding =
							ref_by_id(KIND_PORT_FORWARDING, wish.forwarding),
						.ports = {.private_first = 23, .private_last = 23}};
	cloud_ok(c, &c->alice, engine_change_port_forwarding, &change);
	assert_non_null(firewall_rule_find(cloud_tables(c), made)); /* it is of public ports */
	change.ports = (struct forwarded_ports){.public_first = 30, .public_last = 30};
	cloud_ok(c, &c->alice, engine_change_port_forwarding, &change);
	rule = firewall_rule_first_by_related(cloud_tables(c), wish.forwarding);
	assert_true(count(&lab) == 1 && rule->from_port == 30 && rule->to_port == 30);
	struct port_forwarding_target end = {.forwarding = ref_by_id(KIND_PORT_FORWARDING, wish.forwarding)};
	cloud_ok(c, &c->alice, engine_delete_port_forwarding, &end);
	assert_int_equal(count(&lab), 0);
	make(&lab, (struct asked){TCP, 23, 23, {"10.0.0.0/8"}}, false, ERR_NONE);
	make(&lab, (struct asked){TCP, 24, 25, {"0.0.0.0/0"}}, false, ERR_NONE);
	wish = forwarding_of(&lab, 23); /* one of those ports is there, whatever its sources */
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	assert_int_equal(count(&lab), 2);
	wish = forwarding_of(&lab, 24);
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_CONFLICT, KIND_FIREWALL_RULE);
	wish.opens_firewall = false;
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	struct load_balancer_wish balancer = {.address = wish.address,
					      .name = STR("web"),
					      .protocol = LOAD_BALANCER_PROTOCOL_UDP,
					      .public_port = 80,
					      .private_port = 80,
					      .opens_firewall = true};
	cloud_ok(c, &c->alice, engine_create_load_balancer, &balancer);
	assert_int_equal(count(&lab), 3);
	assert_int_equal(firewall_rule_first_by_related(cloud_tables(c), balancer.balancer)->protocol, UDP);
	struct load_balancer_target target = {ref_by_id(KIND_LOAD_BALANCER, balancer.balancer)};
	cloud_ok(c, &c->alice, engine_delete_load_balancer, &target);
	assert_int_equal(count(&lab), 2);
	struct address_target release = {.address = wish.address, .with_forwardings = true};
	cloud_ok(c, &c->alice, engine_release_address, &release);
	assert_int_equal(count(&lab), 0);
}

/* In networks without a firewall no rule is created, and none can be. */
static void check_elsewhere(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct address_wish loose = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &loose);
	lab.address = loose.address;
	make(&lab, (struct asked){TCP, 1, 1, {0}}, false, ERR_STATE); /* it is no network's */
	uuid vpcs = subnet_first_by_router(cloud_tables(c), c->alice_router)->network;
	lab.port = make_port(c, vpcs);
	struct port_forwarding_wish wish = forwarding_of(&lab, 22);
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	assert_int_equal(count(&lab), 0);
	make(&lab, (struct asked){TCP, 1, 1, {0}}, false, ERR_STATE);
	lab.network = vpcs;
	make(&lab, (struct asked){TCP, 1, 1, {0}}, true, ERR_STATE);
	struct cidr source = cidr_of("10.0.0.0/8");
	struct load_balancer_wish balancer = {.address = wish.address,
					      .network = ref_by_id(KIND_NETWORK, vpcs),
					      .name = STR("web"),
					      .public_port = 80,
					      .private_port = 80,
					      .sources = {&source, 1}};
	cloud_fails(c, &c->alice, engine_create_load_balancer, &balancer, ERR_STATE, KIND_LOAD_BALANCER);
}

static void check_sources_of_a_balancer(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct cidr sources[] = {cidr_of("10.0.0.0/8"), cidr_of("2001:db8::/32")};
	struct load_balancer_wish wish = {.address = ref_by_id(KIND_ADDRESS, lab.address),
					  .name = STR("web"),
					  .public_port = 80,
					  .private_port = 80,
					  .sources = {sources, 2}};
	cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_UNSUPPORTED, KIND_LOAD_BALANCER);
	wish.sources.count = 1;
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	const struct load_balancer *b = load_balancer_find(cloud_tables(c), wish.balancer);
	assert_true(b->sources.count == 1 && cidr_equal(b->sources.at[0], sources[0]));
	struct load_balancer_change change = {.balancer = ref_by_id(KIND_LOAD_BALANCER, wish.balancer),
					      .sets_sources = true,
					      .sources = {sources, 2}};
	cloud_fails(c, &c->alice, engine_change_load_balancer, &change, ERR_UNSUPPORTED, KIND_LOAD_BALANCER);
	change.sources.count = 0;
	cloud_ok(c, &c->alice, engine_change_load_balancer, &change);
	assert_int_equal(load_balancer_find(cloud_tables(c), wish.balancer)->sources.count, 0);
}

/* Rules go with their address into another network with a firewall, end with static NAT, and with their network. */
static void check_follows(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid other = make_network(c, "10.8.0.0/24", true), there = make_port(c, other);
	assert_true(network_find(cloud_tables(c), other)->egress_open);
	assert_false(network_find(cloud_tables(c), lab.network)->egress_open);
	make(&lab, (struct asked){TCP, 80, 80, {0}}, false, ERR_NONE);
	struct address_association wish = {.address = ref_by_id(KIND_ADDRESS, lab.address),
					   .port = ref_by_id(KIND_PORT, lab.port)};
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
	assert_non_null(firewall_rule_first_by_network(cloud_tables(c), lab.network));
	wish.port = ref_by_id(KIND_PORT, there);
	cloud_ok(c, &c->alice, engine_associate_address, &wish);
	assert_null(firewall_rule_first_by_network(cloud_tables(c), lab.network));
	assert_non_null(firewall_rule_first_by_network(cloud_tables(c), other));
	struct address_association end = {.address = wish.address};
	cloud_ok(c, &c->alice, engine_disassociate_address, &end);
	assert_int_equal(count(&lab), 0);
	make(&lab, (struct asked){TCP, 80, 80, {0}}, false, ERR_NONE);
	make(&lab, (struct asked){ALL, -1, -1, {0}}, true, ERR_NONE);
	struct port_target port = {ref_by_id(KIND_PORT, lab.port)};
	cloud_ok(c, &c->alice, engine_delete_port, &port);
	struct guest_network_target target = {ref_by_id(KIND_NETWORK, lab.network)};
	cloud_ok(c, &c->alice, engine_delete_guest_network, &target);
	assert_int_equal(count(&lab), 0);
}

/* The address that the network reaches out under has rules, too, until another one takes its place. */
static void check_way_out(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	const struct subnet *s = subnet_first_by_network(cloud_tables(c), lab.network);
	const struct gateway *g = gateway_first_by_router(cloud_tables(c), s->router);
	struct ip free_ip = ip_of("198.51.100.10");
	while (address_first_by_public(cloud_tables(c), free_ip))
		free_ip = ip_add(free_ip, 1);
	lab.address = g->address;
	make(&lab, (struct asked){TCP, 80, 80, {0}}, false, ERR_NONE);
	assert_non_null(firewall_rule_first_by_network(cloud_tables(c), lab.network));
	struct router_gateway_wish wish = {.router = ref_by_id(KIND_ROUTER, s->router),
					   .external_network =
						   ref_by_id(KIND_EXTERNAL_NETWORK, c->external_network),
					   .translates = CHOICE_YES,
					   .ip = free_ip};
	cloud_ok(c, &c->alice, engine_set_router_gateway, &wish);
	assert_int_equal(count(&lab), 0);
}

/* The only group of a new port that is to be by the firewall alone, if one stands before it. */
static const struct security_group *group_in(struct cloud *c, uuid network, bool by_firewall_alone)
{
	const struct subnet *s = subnet_first_by_network(cloud_tables(c), network);
	struct port_wish wish = {.subnet = ref_by_id(KIND_SUBNET, s->row.id),
				 .by_firewall_alone = by_firewall_alone};
	cloud_ok(c, &c->alice, engine_create_port, &wish);
	const struct port *port = port_find(cloud_tables(c), wish.port);
	assert_int_equal(port->groups.count, 1);
	assert_false(port->is_open);
	return security_group_find(cloud_tables(c), port->groups.at[0]);
}

static uuid make_tier(struct cloud *c)
{
	const struct cidr block = cidr_of("10.9.0.0/16");
	struct router_wish vpc = {.block = block};
	cloud_ok(c, &c->alice, engine_create_vpc, &vpc);
	struct guest_network_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
					  .name = STR("tier"),
					  .block = cidr_of("10.9.1.0/24"),
					  .vpc = ref_by_id(KIND_ROUTER, vpc.router)};
	cloud_ok(c, &c->alice, engine_create_guest_network, &wish);
	return wish.network;
}

/* In networks with a firewall or ACL, ports without explicit groups are in one allow-all group per account.
 * All of them share it, its rules cannot be changed, and it exists as long as a port uses it. */
static void check_by_firewall_alone(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid vpcs = subnet_first_by_router(cloud_tables(c), c->alice_router)->network;
	uuid own_default = router_find(cloud_tables(c), c->alice_router)->default_group;
	assert_true(uuid_equal(group_in(c, vpcs, true)->row.id, own_default));
	assert_true(group_in(c, lab.network, false)->is_default);
	const struct security_group *open = group_in(c, lab.network, true);
	assert_true(open->lets_all && !open->is_default && uuid_is_none(open->router));
	uuid id = open->row.id;
	uuid tier = make_tier(c);
	assert_true(uuid_equal(group_in(c, tier, true)->row.id, id));
	struct subnet_settings public = {
		.subnet = ref_by_id(KIND_SUBNET, subnet_first_by_network(cloud_tables(c), tier)->row.id),
		.public_on_launch = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_update_subnet, &public);
	assert_false(group_in(c, tier, true)->lets_all);
	assert_true(uuid_equal(group_in(c, lab.network, true)->row.id, id));
	size_t inward = 0, all = 0;
	const struct security_group_rule *r = security_group_rule_first_by_group(cloud_tables(c), id);
	uuid first = r->row.id;
	for (; r; r = security_group_rule_next_by_group(cloud_tables(c), r), all++) {
		assert_true(r->protocol == -1 && r->peer_block.bits == 0 && !cidr_is_none(r->peer_block));
		inward += r->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS;
	}
	assert_true(inward == 2 && all == 4);
	struct rule_wish rule = {.protocol = TCP,
				 .from_port = 1,
				 .to_port = 1,
				 .peer_block = cidr_of("10.0.0.0/8"),
				 .rule = ref_by_id(KIND_SECURITY_GROUP_RULE, first)};
	struct rules_wish rules = {
		.group = ref_by_id(KIND_SECURITY_GROUP, id), .rules = &rule, .rule_count = 1};
	cloud_fails(c, &c->alice, engine_authorize_rules, &rules, ERR_PROTECTED, KIND_SECURITY_GROUP_RULE);
	cloud_fails(c, &c->alice, engine_modify_rules, &rules, ERR_PROTECTED, KIND_SECURITY_GROUP_RULE);
	rules.rule_ids = (struct refs){&rule.rule, 1};
	cloud_fails(c, &c->alice, engine_revoke_rules, &rules, ERR_PROTECTED, KIND_SECURITY_GROUP_RULE);
	struct security_group_target target = {.group = rules.group};
	cloud_fails(c, &c->alice, engine_delete_security_group, &target, ERR_IN_USE, KIND_SECURITY_GROUP);
	const struct port *port = port_first_by_account(cloud_tables(c), c->alice.account), *next = NULL;
	for (; port; port = next) {
		next = port_next_by_account(cloud_tables(c), port);
		struct port_target unused = {ref_by_id(KIND_PORT, port->row.id)};
		if (port->groups.count && uuid_equal(port->groups.at[0], id))
			cloud_ok(c, &c->alice, engine_delete_port, &unused);
	}
	cloud_ok(c, &c->alice, engine_delete_security_group, &target);
	assert_false(uuid_equal(group_in(c, lab.network, true)->row.id, id)); /* created again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_inward, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_outward, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_limits, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_opened, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_elsewhere, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_sources_of_a_balancer, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_way_out, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_follows, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_by_firewall_alone, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
