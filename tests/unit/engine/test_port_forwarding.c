/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings: allowed ports and targets, and their deletion with the objects that they depend on. */
#include "cloud.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/routing/nat_gateway.h"
#include "engine/network/routing/router_interface.h"
#include "model/account.h"
#include "model/port.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/nat_gateway.h"
#include "store/port_forwarding.h"
#include "store/subnet.h"

struct lab {
	struct cloud *c;
	uuid address, port;
};

static struct lab make_lab(void **state)
{
	struct cloud *c = *state;
	struct address_wish address = {0};
	struct port_wish port = {
		.subnet = ref_by_id(KIND_SUBNET,
				    subnet_first_by_router(cloud_tables(c), c->alice_router)->row.id)};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	cloud_ok(c, &c->alice, engine_create_port, &port);
	return (struct lab){c, address.address, port.port};
}

static struct port_forwarding_wish wish_of(const struct lab *lab, int64_t public, int64_t private)
{
	return (struct port_forwarding_wish){.address = ref_by_id(KIND_ADDRESS, lab->address),
					     .port = ref_by_id(KIND_PORT, lab->port),
					     .ports = {public, public, private, private}};
}

static uuid forward(const struct lab *lab, int64_t public, int64_t private)
{
	struct port_forwarding_wish wish = wish_of(lab, public, private);
	cloud_ok(lab->c, &lab->c->alice, engine_create_port_forwarding, &wish);
	return wish.forwarding;
}

static const struct port_forwarding *find(const struct lab *lab, uuid id)
{
	return port_forwarding_find(cloud_tables(lab->c), id);
}

static void check_ports(void **state)
{
	static const struct {
		struct forwarded_ports ports;
		enum port_forwarding_protocol protocol;
		enum err err;
	} cases[] = {
		{{80, 80, 80, 80}, PORT_FORWARDING_PROTOCOL_TCP, ERR_NONE},
		{{80, 80, 81, 81}, PORT_FORWARDING_PROTOCOL_TCP, ERR_CONFLICT},
		{{79, 81, 81, 81}, PORT_FORWARDING_PROTOCOL_TCP, ERR_CONFLICT},
		{{79, 80, 81, 81}, PORT_FORWARDING_PROTOCOL_TCP, ERR_CONFLICT},
		{{80, 81, 81, 81}, PORT_FORWARDING_PROTOCOL_TCP, ERR_CONFLICT},
		{{80, 80, 80, 80}, PORT_FORWARDING_PROTOCOL_UDP, ERR_NONE},
		{{81, 83, 81, 83}, PORT_FORWARDING_PROTOCOL_TCP, ERR_NONE},
		{{90, 92, 90, 91}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{90, 91, 90, 92}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{92, 90, 90, 90}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{90, 90, 92, 90}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{0, 0, 90, 90}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{90, 90, 0, 0}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{65535, 65536, 90, 91}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{90, 90, 65536, 65536}, PORT_FORWARDING_PROTOCOL_TCP, ERR_INVALID},
		{{65535, 65535, 65535, 65535}, PORT_FORWARDING_PROTOCOL_TCP, ERR_NONE},
		/* six are forwarded already */
		{{1000, 1000 + FORWARDED_PORTS_MAX - 6, 1, 1}, PORT_FORWARDING_PROTOCOL_TCP, ERR_QUOTA},
		{{1000, 1000 + FORWARDED_PORTS_MAX - 7, 1, 1}, PORT_FORWARDING_PROTOCOL_TCP, ERR_NONE},
	};
	struct lab lab = make_lab(state);
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct port_forwarding_wish wish = wish_of(&lab, 1, 1);
		wish.ports = cases[k].ports;
		wish.protocol = cases[k].protocol;
		cloud_expect(lab.c, cloud_run(lab.c, &lab.c->alice, engine_create_port_forwarding_run, &wish),
			     cases[k].err, cases[k].err ? KIND_PORT_FORWARDING : KIND_NONE);
	}
}

static void check_target(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct port_forwarding_wish wish = wish_of(&lab, 22, 22);
	cloud_fails(c, &c->bob, engine_create_port_forwarding, &wish, ERR_NOT_FOUND, KIND_ADDRESS);
	wish.private_ip = ip_of("10.9.9.9");
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_RANGE, KIND_PORT_FORWARDING);
	wish.private_ip = (struct ip){0};
	wish.instance = ref_by_id(KIND_INSTANCE, cloud_launch_one(c));
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_COMBINATION,
		    KIND_PORT_FORWARDING);
	wish.port = (struct ref){0};
	wish.network = ref_by_id(KIND_NETWORK, uuid_random());
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_NOT_FOUND, KIND_NETWORK);
	wish.network = (struct ref){0};
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	const struct port *port = cloud_port(c, wish.instance.prefix);
	const struct port_forwarding *f = find(&lab, wish.forwarding);
	assert_true(uuid_equal(f->port, port->row.id));
	assert_true(ip_equal(f->private_ip, port->ip));
	assert_true(uuid_equal(f->router, c->alice_router));
	assert_true(uuid_equal(f->account, c->alice.account));
}

/* Neutron's alone: no other forwarding leads to the ports, and the interface has no address of its own. */
static void check_alone(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	forward(&lab, 22, 22);
	struct port_forwarding_wish wish = wish_of(&lab, 23, 22);
	wish.is_alone = true;
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_EXISTS, KIND_PORT_FORWARDING);
	wish.protocol = PORT_FORWARDING_PROTOCOL_UDP;
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	forward(&lab, 24, 22);
	struct address_wish own = {.port = ref_by_id(KIND_PORT, lab.port)};
	cloud_ok(c, &c->alice, engine_allocate_address, &own);
	wish.ports = (struct forwarded_ports){25, 25, 25, 25};
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_IN_USE, KIND_PORT_FORWARDING);
	forward(&lab, 25, 25);
	assert_int_equal(tables_count(cloud_tables(c), KIND_PORT_FORWARDING), 4);
}

/* An address stands for a port, or its ports are forwarded. */
static void check_either(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid id = forward(&lab, 22, 22);
	struct address_association association = {.address = ref_by_id(KIND_ADDRESS, lab.address),
						  .port = ref_by_id(KIND_PORT, lab.port)};
	cloud_fails(c, &c->alice, engine_associate_address, &association, ERR_IN_USE, KIND_ADDRESS);
	struct nat_gateway_wish nat = {
		.subnet = ref_by_id(KIND_SUBNET,
				    subnet_first_by_router(cloud_tables(c), c->alice_router)->row.id),
		.address = association.address};
	cloud_ok(c, &c->alice, engine_create_nat_gateway, &nat); /* which fails by itself */
	assert_true(nat_gateway_find(cloud_tables(c), nat.nat_gateway)->failure_code.n > 0);
	struct address_target release = {.address = association.address, .with_association = true};
	cloud_fails(c, &c->alice, engine_release_address, &release, ERR_IN_USE, KIND_ADDRESS);
	struct port_forwarding_target target = {.forwarding = ref_by_id(KIND_PORT_FORWARDING, id)};
	cloud_fails(c, &c->bob, engine_delete_port_forwarding, &target, ERR_NOT_FOUND, KIND_PORT_FORWARDING);
	cloud_ok(c, &c->alice, engine_delete_port_forwarding, &target);
	cloud_ok(c, &c->alice, engine_associate_address, &association);
	struct port_forwarding_wish again = wish_of(&lab, 22, 22);
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &again, ERR_CONFLICT, KIND_ADDRESS);
	cloud_ok(c, &c->alice, engine_disassociate_address, &association);
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &again);
	release.with_forwardings = true;
	cloud_ok(c, &c->alice, engine_release_address, &release);
	assert_null(find(&lab, again.forwarding));
}

/* A forwarding keeps its router's gateway from being detached, and is deleted with the network interface. */
static void check_way(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid id = forward(&lab, 22, 22);
	struct gateway_attachment gateway = {
		.gateway = ref_by_id(KIND_GATEWAY,
				     gateway_first_by_router(cloud_tables(c), c->alice_router)->row.id),
		.router = ref_by_id(KIND_ROUTER, c->alice_router)};
	cloud_expect(c, cloud_run(c, &c->alice, engine_detach_gateway_run, &gateway), ERR_IN_USE,
		     KIND_ROUTER);
	struct port_target port = {.port = ref_by_id(KIND_PORT, lab.port)};
	cloud_ok(c, &c->alice, engine_delete_port, &port);
	assert_null(find(&lab, id));
	cloud_ok(c, &c->alice, engine_detach_gateway, &gateway);
	struct lab next = make_lab(state);
	struct port_forwarding_wish wish = wish_of(&next, 22, 22);
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &wish, ERR_STATE, KIND_PORT_FORWARDING);
}

static void check_one_router(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid id = forward(&lab, 22, 22);
	struct router_wish router = {.block = cidr_of("10.7.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attach = {.gateway = ref_by_id(KIND_GATEWAY, gateway.gateway),
					    .router = ref_by_id(KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
	struct subnet_wish subnet = {.router = attach.router, .block = cidr_of("10.7.1.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct port_wish port = {.subnet = ref_by_id(KIND_SUBNET, subnet.subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	struct port_forwarding_wish other = wish_of(&lab, 23, 23);
	other.port = ref_by_id(KIND_PORT, port.port);
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &other, ERR_STATE, KIND_PORT_FORWARDING);
	struct port_forwarding_change change = {.forwarding = ref_by_id(KIND_PORT_FORWARDING, id),
						.port = other.port}; /* the only one may move */
	cloud_ok(c, &c->alice, engine_change_port_forwarding, &change);
	assert_true(uuid_equal(find(&lab, id)->router, router.router));
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &other);
}

static void check_change(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct str words = STR("for people");
	uuid id = forward(&lab, 22, 22);
	forward(&lab, 80, 80);
	struct port_forwarding_change change = {.forwarding = ref_by_id(KIND_PORT_FORWARDING, id),
						.ports = {.public_first = 80, .public_last = 80}};
	cloud_fails(c, &c->bob, engine_change_port_forwarding, &change, ERR_NOT_FOUND, KIND_PORT_FORWARDING);
	cloud_fails(c, &c->alice, engine_change_port_forwarding, &change, ERR_CONFLICT, KIND_PORT_FORWARDING);
	change.ports.public_last = 0;
	cloud_fails(c, &c->alice, engine_change_port_forwarding, &change, ERR_INVALID, KIND_PORT_FORWARDING);
	change.ports = (struct forwarded_ports){.private_first = 80, .private_last = 80};
	change.is_alone = true;
	cloud_fails(c, &c->alice, engine_change_port_forwarding, &change, ERR_EXISTS, KIND_PORT_FORWARDING);
	change.sets_protocol = true;
	change.protocol = PORT_FORWARDING_PROTOCOL_UDP;
	change.description = &words;
	cloud_ok(c, &c->alice, engine_change_port_forwarding, &change);
	const struct port_forwarding *f = find(&lab, id);
	assert_int_equal(f->public_first, 22);
	assert_int_equal(f->private_first, 80);
	assert_int_equal(f->protocol, PORT_FORWARDING_PROTOCOL_UDP);
	assert_true(str_equal(f->description, words));
	struct address_wish another = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &another);
	change.address = ref_by_id(KIND_ADDRESS, another.address);
	cloud_fails(c, &c->alice, engine_change_port_forwarding, &change, ERR_NOT_FOUND,
		    KIND_PORT_FORWARDING);
}

/* Forwardings to a secondary address are deleted when the address leaves its port, even if it moves to
 * another port. */
static void check_secondary(void **state)
{
	struct lab lab = make_lab(state), other = make_lab(state);
	struct cloud *c = lab.c;
	struct port_assignment assign = {.port = ref_by_id(KIND_PORT, lab.port), .more = 1};
	cloud_ok(c, &c->alice, engine_assign_ips, &assign);
	struct ip ip = assign.made.at[0];
	struct port_forwarding_wish wish = wish_of(&lab, 22, 22);
	wish.private_ip = ip;
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &wish);
	uuid first = forward(&lab, 23, 23);
	struct port_assignment take = {
		.port = ref_by_id(KIND_PORT, other.port), .ips = {&ip, 1}, .take = true};
	cloud_ok(c, &c->alice, engine_assign_ips, &take);
	assert_true(uuid_equal(find(&lab, wish.forwarding)->port, other.port));
	assert_true(uuid_equal(find(&lab, first)->port, lab.port));
	struct port_unassignment leave = {.port = take.port, .ips = {&ip, 1}};
	cloud_ok(c, &c->alice, engine_unassign_ips, &leave);
	assert_null(find(&lab, wish.forwarding));
	assert_non_null(find(&lab, first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_target, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_alone, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_either, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_way, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_one_router, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_change, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_secondary, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
