/* SPDX-License-Identifier: Apache-2.0
 * Networks, addresses, images and tokens: objects are created in the network when a port needs them, and
 * removed before their row is. */
#include "../cloud/applied.h"
#include "../cloud/cloud.h"
#include "model/states.h"
#include "store/nat_gateway.h"
#include "store/network.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/zone.h"

#include "base/file.h"
#include "engine/balancing/load_balancer.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/firewall.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/guest_network.h"
#include "engine/network/network.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router_interface.h"

enum { SEEDS = 50 };

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr = {0};
	assert_true(result_is_ok(cidr_parse(str_from(text), &cidr)));
	return cidr;
}

struct vpc {
	uuid router, subnet, group, port;
};

static struct vpc make_vpc(struct cloud *c)
{
	struct router_wish router = {.block = cidr_of("10.0.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct ref ref = cloud_ref(c, KIND_ROUTER, router.router);
	struct subnet_wish subnet = {.router = ref, .block = cidr_of("10.0.1.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct security_group_wish group = {.router = ref, .name = STR("web"), .description = STR("w")};
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	return (struct vpc){router.router, subnet.subnet, group.group, UUID_NONE};
}

static void add_port(struct cloud *c, struct vpc *v)
{
	struct ref group = cloud_ref(c, KIND_SECURITY_GROUP, v->group);
	struct port_wish port = {.subnet = cloud_ref(c, KIND_SUBNET, v->subnet), .groups = {&group, 1}};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	v->port = port.port;
}

static void remove_port(struct cloud *c, struct vpc *v)
{
	struct port_target port = {.port = cloud_ref(c, KIND_PORT, v->port)};
	cloud_ok(c, &c->alice, engine_delete_port, &port);
}

static void remove_rest(struct cloud *c, const struct vpc *v)
{
	struct subnet_target subnet = {.subnet = cloud_ref(c, KIND_SUBNET, v->subnet)};
	struct security_group_target group = {.group = cloud_ref(c, KIND_SECURITY_GROUP, v->group)};
	struct router_target router = {.router = cloud_ref(c, KIND_ROUTER, v->router)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &subnet);
	cloud_ok(c, &c->alice, engine_delete_security_group, &group);
	cloud_ok(c, &c->alice, engine_delete_router, &router);
}

/* All of it deleted at once, while the network still holds everything. */
static void vpc_life(struct cloud *c)
{
	size_t subnets = cloud_count(c, KIND_SUBNET), networks = cloud_count(c, KIND_NETWORK);
	struct vpc v = make_vpc(c);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_ROUTER, v.router)); /* not needed yet */
	add_port(c, &v);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, v.router));
	assert_true(network_sim_has(NETWORK_ITEM_PORT, v.port));
	remove_port(c, &v);
	remove_rest(c, &v);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ROUTER), 1);
	assert_int_equal(cloud_count(c, KIND_SUBNET), subnets);
	assert_int_equal(cloud_count(c, KIND_NETWORK), networks);
	assert_int_equal(cloud_count(c, KIND_SECURITY_GROUP), 1);
	assert_int_equal(cloud_count(c, KIND_PORT), 0);
}
TEST_STORY(vpc_life, 1)

/* The same with the network away in between. */
static void vpc_life_cut(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	cloud_settle(c);
	network_sim_cut(true);
	remove_port(c, &v);
	remove_rest(c, &v);
	cloud_step_for(c, MINUTE);
	assert_int_equal(cloud_count(c, KIND_PORT), 1); /* its address is not free yet */
	network_sim_cut(false);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_PORT), 0);
}
TEST_STORY(vpc_life_cut, 1)

static uuid find_network(struct cloud *c, uuid subnet)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return subnet_find(view.tables, subnet)->network;
}

/* A subnet goes from a router that stays in the network. */
static void subnet_goes(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	struct subnet_wish subnet = {.router = cloud_ref(c, KIND_ROUTER, v.router),
				     .block = cidr_of("10.0.2.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	cloud_settle(c);
	uuid network = find_network(c, subnet.subnet);
	assert_true(network_sim_has(NETWORK_ITEM_NETWORK, network));
	struct subnet_target target = {.subnet = cloud_ref(c, KIND_SUBNET, subnet.subnet)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &target);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_NETWORK, network));
	assert_true(network_sim_has(NETWORK_ITEM_PORT, v.port));
	remove_port(c, &v);
	remove_rest(c, &v);
}
TEST_STORY(subnet_goes, 1)

/* A way out, a route over it and one over a port that goes. */
static void routes(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attachment = {.gateway = cloud_ref(c, KIND_GATEWAY, gateway.gateway),
						.router = cloud_ref(c, KIND_ROUTER, v.router)};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	struct route_table_wish table = {.router = attachment.router};
	cloud_ok(c, &c->alice, engine_create_route_table, &table);
	struct route_wish route = {.route_table = cloud_ref(c, KIND_ROUTE_TABLE, table.route_table),
				   .destination = cidr_of("0.0.0.0/0"),
				   .gateway = attachment.gateway};
	cloud_ok(c, &c->alice, engine_create_route, &route);
	route.destination = cidr_of("192.168.0.0/16");
	route.gateway = (struct ref){0};
	route.port = cloud_ref(c, KIND_PORT, v.port);
	cloud_ok(c, &c->alice, engine_create_route, &route);
	cloud_settle(c);
	remove_port(c, &v);
	cloud_settle(c);
	struct route_table_target target = {.route_table = route.route_table};
	cloud_ok(c, &c->alice, engine_delete_route_table, &target);
	cloud_ok(c, &c->alice, engine_detach_gateway, &attachment);
	remove_rest(c, &v);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ROUTER), 1);
}
TEST_STORY(routes, 1)

/* An elastic address on an instance takes the automatic one's place, and outlives it. */
static void addresses(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	assert_int_equal(cloud_count(c, KIND_ADDRESS), 1);
	struct address_wish wish = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &wish);
	struct address_association association = {.address = cloud_ref(c, KIND_ADDRESS, wish.address),
						  .instance = cloud_ref(c, KIND_INSTANCE, id)};
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ADDRESS), 1);
	assert_true(network_sim_has(NETWORK_ITEM_ADDRESS, wish.address));
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_ADDRESS, wish.address));
	struct address_target target = {.address = association.address};
	cloud_ok(c, &c->alice, engine_release_address, &target);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_ADDRESS), 0);
}
TEST_STORY(addresses, 1)

/* The network has it that a router forwards the ports. */
static bool is_reported_forwarded(struct cloud *c, const char *ports)
{
	struct str reported = applied_read(c->arena), line;
	while (str_split_next(&reported, '\n', &line))
		if (str_starts_with(line, STR("router ")) && str_contains(line, str_from(ports)))
			return true;
	return false;
}

static bool is_port_told(struct cloud *c, uuid port, const char *what)
{
	char id[UUID_TEXT_SIZE];
	struct str reported = applied_read(c->arena), line;
	struct str head = str_print(c->arena, "port %s ", uuid_write(port, id));
	while (str_split_next(&reported, '\n', &line))
		if (str_starts_with(line, head) && str_contains(line, str_from(what)))
			return true;
	return false;
}

/* Changes of the subnet's options reach ports with DHCP options of their own, too. */
static void own_dhcp(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	struct ip resolver = {0};
	assert_true(result_is_ok(ip_parse(STR("192.0.2.53"), &resolver)));
	const struct ips resolvers = {&resolver, 1};
	struct port_dhcp_word boot = {.version = 4, .name = STR("bootfile-name"), .value = STR("pxelinux.0")};
	add_port(c, &v);
	cloud_settle(c);
	struct port_settings own = {.port = cloud_ref(c, KIND_PORT, v.port), .dhcp = {&boot, 1}};
	cloud_ok(c, &c->alice, engine_update_port, &own);
	cloud_settle(c);
	assert_true(is_port_told(c, v.port, "option bootfile-name=pxelinux.0"));
	assert_false(is_port_told(c, v.port, "names by 192.0.2.53"));
	struct subnet_settings subnet = {.subnet = cloud_ref(c, KIND_SUBNET, v.subnet),
					 .dns_servers = &resolvers};
	cloud_ok(c, &c->alice, engine_update_subnet, &subnet);
	cloud_settle(c);
	assert_true(is_port_told(c, v.port, "names by 192.0.2.53"));
	boot.ends = true;
	cloud_ok(c, &c->alice, engine_update_port, &own);
	cloud_settle(c);
	assert_false(is_port_told(c, v.port, "names by") || is_port_told(c, v.port, "option"));
	remove_port(c, &v);
	remove_rest(c, &v);
	cloud_settle(c);
}
TEST_STORY(own_dhcp, 1)

/* A forwarded port is its router's, which hears of it, of its change, and of its end with the instance. */
static void forwarded_port(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct port_forwarding_wish wish = {.address = cloud_ref(c, KIND_ADDRESS, address.address),
					    .instance = cloud_ref(c, KIND_INSTANCE, id),
					    .ports = {2222, 2222, 22, 22}};
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " tcp 2222 to 2222"));
	struct port_forwarding_change change = {
		.forwarding = {.kind = KIND_PORT_FORWARDING, .prefix = wish.forwarding, .bits = 128},
		.ports = {.public_last = 2223}};
	cloud_ok(c, &c->alice, engine_change_port_forwarding, &change);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " tcp 2222 to 2223"));
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_PORT_FORWARDING), 0);
	assert_false(is_reported_forwarded(c, " tcp 2222"));
}
TEST_STORY(forwarded_port, 1)

/* A load balancer is its members' router's, from the first to the last one; it leads to those that are on. */
static void balanced_port(struct cloud *c)
{
	uuid id = cloud_launch_running(c);
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct load_balancer_wish wish = {.address = cloud_ref(c, KIND_ADDRESS, address.address),
					  .name = STR("web"),
					  .public_port = 80,
					  .private_port = 8080};
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	cloud_settle(c);
	assert_false(is_reported_forwarded(c, " balances "));
	struct ref instance = cloud_ref(c, KIND_INSTANCE, id);
	struct load_balancer_members members = {
		.balancer = {.kind = KIND_LOAD_BALANCER, .prefix = wish.balancer, .bits = 128},
		.instances = {&instance, 1}};
	cloud_ok(c, &c->alice, engine_add_load_balancer_members, &members);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " 80 by 0 to "));
	struct load_balancer_change change = {.balancer = members.balancer,
					      .sets_algorithm = true,
					      .algorithm = LOAD_BALANCER_ALGORITHM_SOURCE};
	cloud_ok(c, &c->alice, engine_change_load_balancer, &change);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " 80 by 1 to "));
	assert_true(is_reported_forwarded(c, " asked from "));
	cloud_stop(c, id);
	cloud_settle(c);
	assert_false(is_reported_forwarded(c, " 80 by 1 to "));
	cloud_start(c, id);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " 80 by 1 to "));
	cloud_terminate(c, id);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_LOAD_BALANCER_MEMBER), 0);
	assert_int_equal(cloud_count(c, KIND_LOAD_BALANCER), 1);
	assert_false(is_reported_forwarded(c, " balances "));
}
TEST_STORY(balanced_port, 1)

/* A guest network's firewall is its router's, which hears of each rule, and of what its address leads to. */
static void walled_network(struct cloud *c)
{
	struct guest_network_wish walled = {.name = STR("walled"),
					    .block = cidr_of("10.7.0.0/24"),
					    .gateway_ip = cidr_of("10.7.0.1/32").base,
					    .has_router = true};
	struct port_wish port = {0};
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		walled.zone = cloud_ref(c, KIND_ZONE, zone_first(view.tables)->row.id);
	}
	cloud_ok(c, &c->alice, engine_create_guest_network, &walled);
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		port.subnet = cloud_ref(c, KIND_SUBNET,
					subnet_first_by_network(view.tables, walled.network)->row.id);
	}
	port.ips.primary = cidr_of("10.7.0.9/32").base;
	cloud_ok(c, &c->alice, engine_create_port, &port);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " firewall "));
	assert_false(is_reported_forwarded(c, " lets "));
	struct address_wish address = {.for_network = cloud_ref(c, KIND_NETWORK, walled.network)};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct cidr everybody = cidr_of("0.0.0.0/0");
	struct firewall_rule_wish rule = {.address = cloud_ref(c, KIND_ADDRESS, address.address),
					  .protocol = 6,
					  .from = 80,
					  .to = 90,
					  .sources = {&everybody, 1}};
	cloud_ok(c, &c->alice, engine_create_firewall_rule, &rule);
	cloud_settle(c);
	assert_false(is_reported_forwarded(c, " lets ")); /* no target yet */
	struct port_forwarding_wish forwarding = {.address = rule.address,
						  .port = cloud_ref(c, KIND_PORT, port.port),
						  .ports = {85, 99, 1085, 1099}};
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &forwarding);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " lets 0.0.0.0/0 to 10.7.0.9 6 1085:1090"));
	struct port_forwarding_target end = {
		.forwarding = cloud_ref(c, KIND_PORT_FORWARDING, forwarding.forwarding)};
	cloud_ok(c, &c->alice, engine_delete_port_forwarding, &end);
	cloud_settle(c);
	assert_false(is_reported_forwarded(c, " lets "));
	struct address_association association = {.address = rule.address, .port = forwarding.port};
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " lets 0.0.0.0/0 to 10.7.0.9 6 80:90 own "));
	struct firewall_rule_wish out = {
		.network = address.for_network, .protocol = -1, .from = -1, .to = -1};
	cloud_ok(c, &c->alice, engine_create_firewall_rule, &out);
	cloud_settle(c);
	assert_true(is_reported_forwarded(c, " outwards -1 -1:-1 from 10.7.0.0/24"));
	struct firewall_rule_target gone = {cloud_ref(c, KIND_FIREWALL_RULE, out.rule)};
	cloud_ok(c, &c->alice, engine_delete_firewall_rule, &gone);
	struct address_association left = {.address = rule.address};
	cloud_ok(c, &c->alice, engine_disassociate_address, &left);
	cloud_settle(c);
	assert_false(is_reported_forwarded(c, " lets "));
	assert_false(is_reported_forwarded(c, " outwards "));
	assert_int_equal(cloud_count(c, KIND_FIREWALL_RULE), 0);
}
TEST_STORY(walled_network, 1)

static struct nat_gateway nat_of(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct nat_gateway *n = nat_gateway_find(view.tables, id);
	return n ? *n : (struct nat_gateway){0};
}

static enum nat_gateway_state nat_state(struct cloud *c, uuid id)
{
	struct nat_gateway n = nat_of(c, id);
	return model_derive_nat_gateway_state(&n);
}

static uuid make_nat(struct cloud *c, uuid subnet, uuid address)
{
	struct nat_gateway_wish wish = {.subnet = cloud_ref(c, KIND_SUBNET, subnet)};
	if (!uuid_is_none(address))
		wish.address = cloud_ref(c, KIND_ADDRESS, address);
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &wish);
	return wish.nat_gateway;
}

static void settle_with_kill(struct cloud *c, uint64_t kill_after)
{
	c->kill_at = kill_after ? c->steps + kill_after : 0;
	(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
	if (cloud_was_killed(c))
		cloud_restart(c);
	c->kill_at = 0;
	cloud_step_for(c, SECOND); /* everything is looked at */
	cloud_settle(c);
}

/* A public NAT gateway is there when the network has it, and frees its address when that is rid of it;
 * killed anywhere in between, too. */
static void tell_nat_gateway(struct cloud *c, uint64_t kill_after)
{
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	uuid subnet = UUID_NONE;
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		subnet = subnet_first_by_account(view.tables, c->alice.account)->row.id;
	}
	uuid nat = make_nat(c, subnet, address.address), port = nat_of(c, nat).port;
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_PENDING);
	settle_with_kill(c, kill_after);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_AVAILABLE);
	assert_true(network_sim_has(NETWORK_ITEM_PORT, port));
	assert_true(network_sim_has(NETWORK_ITEM_ADDRESS, address.address));
	assert_true(kill_after || cloud_audit(c, 0) == 0);

	struct nat_gateway_target target = {.nat_gateway = cloud_ref(c, KIND_NAT_GATEWAY, nat)};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_DELETING);
	settle_with_kill(c, kill_after);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_DELETED);
	assert_false(network_sim_has(NETWORK_ITEM_PORT, port));
	assert_int_equal(cloud_count(c, KIND_PORT), 0);
	struct address_target release = {.address = cloud_ref(c, KIND_ADDRESS, address.address)};
	cloud_ok(c, &c->alice, engine_release_address, &release);
}

static void nat_gateway(struct cloud *c)
{
	tell_nat_gateway(c, 0);
	assert_int_equal(cloud_count(c, KIND_NAT_GATEWAY), 1);
	cloud_step_for(c, NAT_GATEWAY_VISIBLE_US + 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(cloud_count(c, KIND_NAT_GATEWAY), 0);
}
TEST_STORY(nat_gateway, 2)

static void nat_gateway_killed(struct cloud *c)
{
	tell_nat_gateway(c, 1 + c->seed / 1000 % 25);
}
TEST_STORY(nat_gateway_killed, 2)

/* While the network cannot be reached, its objects are reported neither present nor absent. */
static void nat_gateway_cut(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	network_sim_cut(true);
	uuid nat = make_nat(c, v.subnet, UUID_NONE);
	cloud_step_for(c, MINUTE);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_PENDING);
	network_sim_cut(false);
	cloud_settle(c);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_AVAILABLE);
	network_sim_cut(true);
	struct nat_gateway_target target = {.nat_gateway = cloud_ref(c, KIND_NAT_GATEWAY, nat)};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	cloud_step_for(c, MINUTE);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_DELETING);
	assert_int_equal(cloud_count(c, KIND_PORT), 1); /* its address is not free yet */
	network_sim_cut(false);
	cloud_settle(c);
	assert_int_equal(nat_state(c, nat), NAT_GATEWAY_DELETED);
	remove_rest(c, &v);
}
TEST_STORY(nat_gateway_cut, 1)

static struct peering find_peering(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct peering *p = peering_find(view.tables, id);
	return p ? *p : (struct peering){0};
}

static enum peering_state peering_state(struct cloud *c, uuid id)
{
	struct peering p = find_peering(c, id);
	return model_derive_peering_state(&p);
}

static uuid ask_for_peering(struct cloud *c, uuid *ret_peer)
{
	struct router_wish one = {.block = cidr_of("10.8.0.0/16")}, other = {.block = cidr_of("10.9.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &one);
	cloud_ok(c, &c->alice, engine_create_router, &other);
	struct peering_wish wish = {.router = cloud_ref(c, KIND_ROUTER, one.router),
				    .peer_router = cloud_ref(c, KIND_ROUTER, other.router)};
	cloud_ok(c, &c->alice, engine_create_peering, &wish);
	*ret_peer = other.router;
	return wish.peering;
}

/* A peering is active when both routers have it, and ended when both have removed it, even if the process is
 * killed in between. */
static void tell_peering(struct cloud *c, uint64_t kill_after)
{
	uuid peer, id = ask_for_peering(c, &peer);
	struct peering_target target = {.peering = cloud_ref(c, KIND_PEERING, id)};
	assert_int_equal(peering_state(c, id), PEERING_PENDING);
	network_sim_cut(true);
	cloud_ok(c, &c->alice, engine_accept_peering, &target);
	assert_int_equal(peering_state(c, id), PEERING_PROVISIONING);
	network_sim_cut(false);
	settle_with_kill(c, kill_after);
	assert_int_equal(peering_state(c, id), PEERING_ACTIVE);
	cloud_ok(c, &c->alice, engine_delete_peering, &target);
	assert_int_equal(peering_state(c, id), PEERING_DELETING);
	struct router_target router = {.router = cloud_ref(c, KIND_ROUTER, peer)};
	cloud_ok(c, &c->alice, engine_delete_router, &router); /* which does not wait for it */
	settle_with_kill(c, kill_after);
	assert_int_equal(peering_state(c, id), PEERING_DELETED);
	assert_true(find_peering(c, id).ended_us != 0);
	cloud_step_for(c, 2 * HOUR + 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(cloud_count(c, KIND_PEERING), 0);
}

static void peering(struct cloud *c)
{
	tell_peering(c, 0);
}
TEST_STORY(peering, 2)

static void peering_killed(struct cloud *c)
{
	tell_peering(c, 1 + c->seed / 1000 % 20);
}
TEST_STORY(peering_killed, 2)

/* Peerings of a router with itself fail. They hide none of its others, in whatever order their ids are. */
static void peering_beside_failed(struct cloud *c)
{
	uuid peer, id = ask_for_peering(c, &peer);
	uuid own = find_peering(c, id).router;
	for (int n = 0; n < 8; n++) {
		struct peering_wish wish = {.router = cloud_ref(c, KIND_ROUTER, own),
					    .peer_router = cloud_ref(c, KIND_ROUTER, own)};
		cloud_ok(c, &c->alice, engine_create_peering, &wish);
		assert_int_equal(peering_state(c, wish.peering), PEERING_FAILED);
	}
	struct peering_target target = {.peering = cloud_ref(c, KIND_PEERING, id)};
	cloud_ok(c, &c->alice, engine_accept_peering, &target);
	cloud_settle(c);
	assert_int_equal(peering_state(c, id), PEERING_ACTIVE);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	size_t count = 0;
	for (const struct peering *p = engine_next_peering(view.tables, own, NULL); p && count < 100;
	     p = engine_next_peering(view.tables, own, p))
		count++;
	assert_int_equal(count, 9);
}
TEST_STORY(peering_beside_failed, 1)

/* The request is not accepted in time. */
static void peering_expires(struct cloud *c)
{
	uuid peer, id = ask_for_peering(c, &peer);
	cloud_step_for(c, PEERING_EXPIRES_US + 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(peering_state(c, id), PEERING_EXPIRED);
}
TEST_STORY(peering_expires, 1)

static size_t count_all(struct cloud *c, enum kind kind)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return tables_count(view.tables, kind);
}

/* A revoked rule is in the network until nobody can mean its connections any more. */
static void revoked_rule(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	const struct rule_wish rule = {6, 80, 80, cidr_of("0.0.0.0/0")};
	struct rules_wish wish = {
		.group = cloud_ref(c, KIND_SECURITY_GROUP, v.group), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	cloud_settle(c);
	size_t count = count_all(c, KIND_SECURITY_GROUP_RULE);
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	cloud_settle(c);
	assert_int_equal(count_all(c, KIND_SECURITY_GROUP_RULE), count);
	cloud_restart(c);
	cloud_step_for(c, RULE_TRACKED_US - CLOUD_RESYNC_US);
	assert_int_equal(count_all(c, KIND_SECURITY_GROUP_RULE), count);
	cloud_step_for(c, 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(count_all(c, KIND_SECURITY_GROUP_RULE), count - 1);
	remove_port(c, &v);
	remove_rest(c, &v);
}
TEST_STORY(revoked_rule, 1)

/* The network has a rule of the group by the other's members. */
static bool is_reported_of_peer(struct cloud *c, uuid group, uuid peer)
{
	char id[UUID_TEXT_SIZE];
	struct str reported = applied_read(c->arena), line;
	struct str head = str_print(c->arena, "group %s ", uuid_write(group, id));
	struct str by = str_print(c->arena, " group %s", uuid_write(peer, id));
	while (str_split_next(&reported, '\n', &line))
		if (str_starts_with(line, head) && str_contains(line, by))
			return true;
	return false;
}

/* A port of another VPC is in the group like its own; rules there that name it come and go with that. */
static void associated_group(struct cloud *c)
{
	struct vpc v = make_vpc(c), w = make_vpc(c), guest = {w.router, w.subnet, v.group, UUID_NONE};
	struct security_group_association_wish both = {.group = cloud_ref(c, KIND_SECURITY_GROUP, v.group),
						       .router = cloud_ref(c, KIND_ROUTER, w.router)};
	const struct rule_wish rule = {.protocol = -1, .peer_group = both.group};
	struct rules_wish rules = {
		.group = cloud_ref(c, KIND_SECURITY_GROUP, w.group), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_associate_security_group, &both);
	cloud_ok(c, &c->alice, engine_authorize_rules, &rules);
	add_port(c, &w);
	add_port(c, &guest);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_GROUP, v.group));
	assert_true(network_sim_has(NETWORK_ITEM_PORT, guest.port));
	remove_port(c, &guest);
	cloud_settle(c);
	assert_true(is_reported_of_peer(c, w.group, v.group));
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &both);
	cloud_settle(c);
	assert_false(is_reported_of_peer(c, w.group, v.group));
	cloud_ok(c, &c->alice, engine_associate_security_group, &both);
	cloud_settle(c);
	assert_true(is_reported_of_peer(c, w.group, v.group));
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &both);
	cloud_ok(c, &c->alice, engine_revoke_rules, &rules);
	remove_port(c, &w);
	remove_rest(c, &w);
	remove_rest(c, &v);
}
TEST_STORY(associated_group, 1)

static void change_addresses(struct cloud *c, uuid group, const char *block, bool removes)
{
	const struct cidr blocks[] = {cidr_of(block)};
	struct address_group_change wish = {.group = cloud_ref(c, KIND_ADDRESS_GROUP, group),
					    .addresses = {blocks, 1},
					    .removes = removes};
	cloud_ok(c, &c->alice, engine_change_address_group, &wish);
	cloud_settle(c);
}

/* Rules that refer to an address group follow the group's changes. */
static void address_group(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	struct address_group_wish group = {.name = STR("office")};
	cloud_ok(c, &c->alice, engine_create_address_group, &group);
	const struct rule_wish rule = {.protocol = 6,
				       .from_port = 80,
				       .to_port = 80,
				       .peer_addresses = cloud_ref(c, KIND_ADDRESS_GROUP, group.group)};
	struct rules_wish wish = {
		.group = cloud_ref(c, KIND_SECURITY_GROUP, v.group), .rules = &rule, .rule_count = 1};
	cloud_ok(c, &c->alice, engine_authorize_rules, &wish);
	change_addresses(c, group.group, "192.0.2.0/24", false);
	change_addresses(c, group.group, "198.51.100.0/24", false);
	change_addresses(c, group.group, "2001:db8::/64", false); /* not the rule's family */
	change_addresses(c, group.group, "192.0.2.0/24", true);
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
	struct address_group_target target = {cloud_ref(c, KIND_ADDRESS_GROUP, group.group)};
	cloud_ok(c, &c->alice, engine_delete_address_group, &target);
	remove_port(c, &v);
	remove_rest(c, &v);
}
TEST_STORY(address_group, 1)

/* The first port of a router makes it. Whatever fails then, once, the router is made. */
static void test_first_port_fails(void **state)
{
	(void) state;
	bool has_failed = true;
	for (uint64_t n = 0; has_failed; n++) {
		struct cloud *c = cloud_new(1, 1);
		struct vpc v = make_vpc(c);
		cloud_settle(c);
		add_port(c, &v);
		fault_arm(FAULT_ALLOC | FAULT_DRIVER, n, false);
		cloud_settle(c);
		has_failed = fault_has_fired();
		cloud_check(c);
		assert_true(network_sim_has(NETWORK_ITEM_ROUTER, v.router));
		cloud_done(c);
	}
}

/* Everything there is lost, of more rows than are looked at in one go: the next look makes all of
 * it anew. */
static void test_network_emptied(void **state)
{
	(void) state;
	enum { PORTS = 1100 };
	struct cloud *c = cloud_new(1, 1);
	(void) cloud_launch_running(c);
	struct vpc v = make_vpc(c);
	struct subnet_wish subnet = {.router = cloud_ref(c, KIND_ROUTER, v.router),
				     .block = cidr_of("10.0.16.0/20")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	v.subnet = subnet.subnet;
	for (int k = 0; k < PORTS; k++)
		add_port(c, &v);
	cloud_settle(c);
	assert_int_equal(network_sim_count(NETWORK_ITEM_PORT), PORTS + 1);
	network_sim_reset();
	cloud_step_for(c, CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	assert_int_equal(network_sim_count(NETWORK_ITEM_PORT), PORTS + 1);
	cloud_done(c);
}

/* ---- images and tokens ---- */

/* The image goes when the last instance from it is forgotten. */
static void test_image(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	uuid id = cloud_launch_running(c);
	struct image_target target = {.image = cloud_ref(c, KIND_IMAGE, c->image)};
	cloud_ok(c, NULL, engine_delete_image, &target);
	cloud_step_for(c, 10 * MINUTE);
	assert_int_equal(cloud_count(c, KIND_IMAGE), 1);
	cloud_terminate(c, id);
	cloud_settle(c);
	cloud_step_for(c, INSTANCE_VISIBLE_US + 2 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(cloud_count(c, KIND_INSTANCE), 0);
	assert_int_equal(cloud_count(c, KIND_IMAGE), 0);
	cloud_done(c);
}

static void test_tokens(void **state)
{
	(void) state;
	struct cloud *c = cloud_new(1, 1);
	struct instance_launch wish = cloud_launch_wish(c, 1);
	wish.client_token = STR("t");
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	cloud_settle(c);
	assert_int_equal(cloud_count(c, KIND_CLIENT_TOKEN), 1);
	cloud_step_for(c, 24 * HOUR - CLOUD_RESYNC_US);
	assert_int_equal(cloud_count(c, KIND_CLIENT_TOKEN), 1);
	cloud_step_for(c, 2 * CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US);
	assert_int_equal(cloud_count(c, KIND_CLIENT_TOKEN), 0);
	cloud_done(c);
}

/* An unassigned secondary address is free once the network has removed it, and all addresses once the port is
 * removed, even if the process is killed in between. */
static void tell_secondary_ips(struct cloud *c, uint64_t kill_after)
{
	struct vpc v = make_vpc(c);
	struct port_wish port = {.subnet = cloud_ref(c, KIND_SUBNET, v.subnet), .ips.more = 2};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	cloud_settle(c);
	struct port_assignment more = {.port = cloud_ref(c, KIND_PORT, port.port), .more = 1};
	cloud_ok(c, &c->alice, engine_assign_ips, &more);
	settle_with_kill(c, kill_after);
	assert_int_equal(cloud_count(c, KIND_SECONDARY_IP), 3);
	struct port_unassignment less = {.port = more.port, .ips = more.made};
	cloud_ok(c, &c->alice, engine_unassign_ips, &less);
	assert_int_equal(cloud_count(c, KIND_SECONDARY_IP), 3); /* the network has it still */
	settle_with_kill(c, kill_after);
	assert_int_equal(cloud_count(c, KIND_SECONDARY_IP), 2);
	struct port_target target = {.port = more.port};
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	settle_with_kill(c, kill_after);
	assert_int_equal(cloud_count(c, KIND_SECONDARY_IP), 0);
	remove_rest(c, &v);
	cloud_settle(c);
}

static void secondary_ips(struct cloud *c)
{
	tell_secondary_ips(c, 0);
}
TEST_STORY(secondary_ips, 1)

static void secondary_ips_killed(struct cloud *c)
{
	tell_secondary_ips(c, 1 + c->seed / 1000 % 12);
}
TEST_STORY(secondary_ips_killed, 1)

/* A network by itself, then on two routers, with a gateway; each step is in the network, and at the end
 * nothing. */
static void network_life(struct cloud *c)
{
	struct network_wish network = {.name = STR("n")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct ref on = cloud_ref(c, KIND_NETWORK, network.network);
	struct network_subnet_wish subnet = {.network = on, .block = cidr_of("10.5.0.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_NETWORK, network.network)); /* not needed yet */
	struct network_port_wish port = {.network = on}, arm = {.network = on};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_PORT, port.port));
	cloud_check(c);
	struct router_wish first = {.has_no_block = true}, second = {.has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &first);
	cloud_ok(c, &c->alice, engine_create_router, &second);
	struct router_interface_wish interfaces[] = {
		{.router = cloud_ref(c, KIND_ROUTER, first.router),
		 .subnet = cloud_ref(c, KIND_SUBNET, subnet.subnet)},
		{.router = cloud_ref(c, KIND_ROUTER, second.router)},
	};
	cloud_ok(c, &c->alice, engine_add_port, &arm);
	interfaces[1].port = cloud_ref(c, KIND_PORT, arm.port);
	cloud_ok(c, &c->alice, engine_add_router_interface, &interfaces[0]);
	cloud_ok(c, &c->alice, engine_add_router_interface, &interfaces[1]);
	struct router_gateway_wish gateway = {
		.router = interfaces[0].router,
		.external_network = cloud_ref(c, KIND_EXTERNAL_NETWORK, c->external_network)};
	cloud_ok(c, &c->alice, engine_set_router_gateway, &gateway);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, first.router));
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, second.router));
	for (size_t k = 0; k < 2; k++) {
		struct router_target target = {.router = interfaces[k].router, .with_gateway = true};
		cloud_ok(c, &c->alice, engine_remove_router_interface, &interfaces[k]);
		cloud_ok(c, &c->alice, engine_delete_router, &target);
	}
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_ROUTER, first.router));
	assert_true(network_sim_has(NETWORK_ITEM_NETWORK, network.network));
	struct port_target gone = {.port = cloud_ref(c, KIND_PORT, port.port)};
	struct network_target target = {.network = on};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	cloud_ok(c, &c->alice, engine_delete_network, &target);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_NETWORK, network.network));
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	assert_null(network_find(view.tables, network.network));
	assert_null(router_find(view.tables, first.router));
	assert_null(subnet_find(view.tables, subnet.subnet));
}
TEST_STORY(network_life, 2)

/* A network that only a router was in goes when its subnet leaves the router, which has ports elsewhere. */
static void subnet_leaves_router(struct cloud *c)
{
	struct vpc v = make_vpc(c);
	add_port(c, &v);
	struct network_wish network = {.name = STR("n")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = cloud_ref(c, KIND_NETWORK, network.network),
					     .block = cidr_of("10.5.0.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	struct router_interface_wish interface = {.router = cloud_ref(c, KIND_ROUTER, v.router),
						  .subnet = cloud_ref(c, KIND_SUBNET, subnet.subnet)};
	cloud_ok(c, &c->alice, engine_add_router_interface, &interface);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_NETWORK, network.network));
	cloud_ok(c, &c->alice, engine_remove_router_interface, &interface);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_NETWORK, network.network));
	cloud_check(c);
}
TEST_STORY(subnet_leaves_router, 1)

static uuid add_subnet(struct cloud *c, uuid network, const char *block)
{
	struct network_subnet_wish subnet = {.network = cloud_ref(c, KIND_NETWORK, network),
					     .block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	return subnet.subnet;
}

/* A router at the subnet's gateway address. */
static uuid add_router(struct cloud *c, uuid subnet)
{
	struct router_wish router = {.has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct router_interface_wish interface = {.router = cloud_ref(c, KIND_ROUTER, router.router),
						  .subnet = cloud_ref(c, KIND_SUBNET, subnet)};
	cloud_ok(c, &c->alice, engine_add_router_interface, &interface);
	return router.router;
}

/* Routers stand for the ports of all that is in their networks: those of a subnet on no router, and the NAT
 * gateway of another. */
static void routers_of_others(struct cloud *c)
{
	struct network_wish network = {.name = STR("n")};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	uuid first = add_router(c, add_subnet(c, network.network, "10.5.0.0/24"));
	uuid beside = add_subnet(c, network.network, "10.6.0.0/24");
	const struct port_fixed_wish fixed = {.subnet = cloud_ref(c, KIND_SUBNET, beside)};
	struct network_port_wish port = {.network = cloud_ref(c, KIND_NETWORK, network.network),
					 .fixed = {.is_given = true, .at = &fixed, .count = 1}};
	cloud_ok(c, &c->alice, engine_add_port, &port);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, first));
	struct port_target gone = {.port = cloud_ref(c, KIND_PORT, port.port)};
	cloud_ok(c, &c->alice, engine_delete_port, &gone);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_ROUTER, first));

	uuid second = add_router(c, beside);
	cloud_settle(c);
	uuid nat = make_nat(c, beside, UUID_NONE);
	cloud_settle(c);
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, first));
	assert_true(network_sim_has(NETWORK_ITEM_ROUTER, second));
	struct nat_gateway_target target = {.nat_gateway = cloud_ref(c, KIND_NAT_GATEWAY, nat)};
	cloud_ok(c, &c->alice, engine_delete_nat_gateway, &target);
	cloud_settle(c);
	assert_false(network_sim_has(NETWORK_ITEM_ROUTER, first));
}
TEST_STORY(routers_of_others, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vpc_life),
		cmocka_unit_test(test_vpc_life_cut),
		cmocka_unit_test(test_subnet_goes),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_own_dhcp),
		cmocka_unit_test(test_forwarded_port),
		cmocka_unit_test(test_balanced_port),
		cmocka_unit_test(test_walled_network),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_nat_gateway),
		cmocka_unit_test(test_nat_gateway_killed),
		cmocka_unit_test(test_nat_gateway_cut),
		cmocka_unit_test(test_peering),
		cmocka_unit_test(test_peering_killed),
		cmocka_unit_test(test_peering_beside_failed),
		cmocka_unit_test(test_peering_expires),
		cmocka_unit_test(test_revoked_rule),
		cmocka_unit_test(test_associated_group),
		cmocka_unit_test(test_address_group),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_first_port_fails),
		cmocka_unit_test(test_network_emptied),
		cmocka_unit_test(test_network_life),
		cmocka_unit_test(test_routers_of_others),
		cmocka_unit_test(test_secondary_ips),
		cmocka_unit_test(test_secondary_ips_killed),
		cmocka_unit_test(test_subnet_leaves_router),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
