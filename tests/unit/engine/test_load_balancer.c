/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: their ports and members, the router they belong to, and the effects of deletions. */
#include "cloud.h"
#include "engine/balancing/load_balancer.h"
#include "engine/network/address/port_forwarding.h"
#include "model/account.h"
#include "model/port.h"
#include "store/gateway.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/subnet.h"

struct lab {
	struct cloud *c;
	uuid address;
};

static struct lab make_lab(void **state)
{
	struct cloud *c = *state;
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	return (struct lab){c, address.address};
}

static struct load_balancer_wish wish_of(const struct lab *lab, int64_t port)
{
	return (struct load_balancer_wish){.address = ref_by_id(KIND_ADDRESS, lab->address),
					   .name = STR("web"),
					   .public_port = port,
					   .private_port = 8080};
}

static uuid make(const struct lab *lab, int64_t port)
{
	struct load_balancer_wish wish = wish_of(lab, port);
	cloud_ok(lab->c, &lab->c->alice, engine_create_load_balancer, &wish);
	return wish.balancer;
}

static const struct load_balancer *find(const struct lab *lab, uuid id)
{
	return load_balancer_find(cloud_tables(lab->c), id);
}

static struct load_balancer_members members_of(uuid balancer, const struct ref *instances, size_t count)
{
	return (struct load_balancer_members){.balancer = ref_by_id(KIND_LOAD_BALANCER, balancer),
					      .instances = {(struct ref *) instances, count}};
}

static void check_ports(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct load_balancer_wish wish = wish_of(&lab, 80);
	cloud_fails(c, &c->bob, engine_create_load_balancer, &wish, ERR_NOT_FOUND, KIND_ADDRESS);
	make(&lab, 80);
	cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_CONFLICT, KIND_LOAD_BALANCER);
	wish.protocol = LOAD_BALANCER_PROTOCOL_UDP;
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	for (size_t k = 0; k < 4; k++) {
		int64_t wrong[][2] = {{0, 80}, {65536, 80}, {81, 0}, {81, 65536}};
		wish.public_port = wrong[k][0];
		wish.private_port = wrong[k][1];
		cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_INVALID,
			    KIND_LOAD_BALANCER);
	}
	wish.public_port = wish.private_port = 65535;
	wish.name = STR_NONE;
	cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_INVALID, KIND_LOAD_BALANCER);
	struct ref instance = ref_by_id(KIND_INSTANCE, cloud_launch_one(c));
	struct port_forwarding_wish forwarding = {
		.address = wish.address, .instance = instance, .ports = {79, 80, 79, 80}};
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &forwarding, ERR_CONFLICT,
		    KIND_PORT_FORWARDING);
	forwarding.ports = (struct forwarded_ports){81, 81 + FORWARDED_PORTS_MAX - 3, 1, 1};
	cloud_ok(c, &c->alice, engine_create_port_forwarding, &forwarding);
	wish = wish_of(&lab, 90);
	cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_CONFLICT, KIND_LOAD_BALANCER);
	wish = wish_of(&lab, 1);
	cloud_fails(c, &c->alice, engine_create_load_balancer, &wish, ERR_QUOTA, KIND_LOAD_BALANCER);
}

static void check_members(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct ref two[] = {ref_by_id(KIND_INSTANCE, cloud_launch_one(c)),
			    ref_by_id(KIND_INSTANCE, cloud_launch_one(c))};
	uuid id = make(&lab, 80);
	assert_true(uuid_is_none(find(&lab, id)->router));
	struct load_balancer_members both = members_of(id, two, 2), first = members_of(id, two, 1);
	cloud_fails(c, &c->bob, engine_add_load_balancer_members, &both, ERR_NOT_FOUND, KIND_LOAD_BALANCER);
	cloud_fails(c, &c->alice, engine_remove_load_balancer_members, &first, ERR_STATE, KIND_LOAD_BALANCER);
	cloud_ok(c, &c->alice, engine_add_load_balancer_members, &both);
	assert_true(uuid_equal(find(&lab, id)->router, c->alice_router));
	assert_int_equal(tables_count(cloud_tables(c), KIND_LOAD_BALANCER_MEMBER), 2);
	cloud_fails(c, &c->alice, engine_add_load_balancer_members, &first, ERR_EXISTS, KIND_LOAD_BALANCER);
	cloud_ok(c, &c->alice, engine_remove_load_balancer_members, &first);
	assert_true(uuid_equal(find(&lab, id)->router, c->alice_router));
	struct load_balancer_members second = members_of(id, &two[1], 1);
	cloud_ok(c, &c->alice, engine_remove_load_balancer_members, &second);
	assert_true(uuid_is_none(find(&lab, id)->router));
	struct ref many[LOAD_BALANCER_MEMBERS_MAX + 1] = {0};
	struct load_balancer_members more = members_of(id, many, LOAD_BALANCER_MEMBERS_MAX + 1);
	cloud_fails(c, &c->alice, engine_add_load_balancer_members, &more, ERR_QUOTA, KIND_LOAD_BALANCER);
}

/* Members must be in the balancer's network, and behind the same router as all other targets of the address. */
static void check_places(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct ref instance = ref_by_id(KIND_INSTANCE, cloud_launch_one(c));
	const struct port *port = cloud_port(c, instance.prefix);
	struct load_balancer_wish wish = wish_of(&lab, 80);
	const struct subnet *other = subnet_first_by_router(cloud_tables(c), c->alice_router);
	while (uuid_equal(other->network, port->network))
		other = subnet_next_by_router(cloud_tables(c), other);
	wish.network = ref_by_id(KIND_NETWORK, other->network);
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	struct load_balancer_members member = members_of(wish.balancer, &instance, 1);
	cloud_fails(c, &c->alice, engine_add_load_balancer_members, &member, ERR_STATE, KIND_LOAD_BALANCER);
	wish.network = ref_by_id(KIND_NETWORK, port->network);
	wish.public_port = 81;
	cloud_ok(c, &c->alice, engine_create_load_balancer, &wish);
	member = members_of(wish.balancer, &instance, 1);
	cloud_ok(c, &c->alice, engine_add_load_balancer_members, &member);
	/* A forwarding of the address stays behind that router. */
	struct router_wish router = {.block = cidr_of("10.7.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct gateway_wish gateway = {0};
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attach = {.gateway = ref_by_id(KIND_GATEWAY, gateway.gateway),
					    .router = ref_by_id(KIND_ROUTER, router.router)};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attach);
	struct subnet_wish subnet = {.router = attach.router, .block = cidr_of("10.7.1.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct port_wish far = {.subnet = ref_by_id(KIND_SUBNET, subnet.subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &far);
	struct port_forwarding_wish forwarding = {
		.address = wish.address, .port = ref_by_id(KIND_PORT, far.port), .ports = {22, 22, 22, 22}};
	cloud_fails(c, &c->alice, engine_create_port_forwarding, &forwarding, ERR_STATE,
		    KIND_PORT_FORWARDING);
}

static void check_ends(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid instance = cloud_launch_one(c), id = make(&lab, 80);
	struct ref ref = ref_by_id(KIND_INSTANCE, instance);
	struct load_balancer_members member = members_of(id, &ref, 1);
	cloud_ok(c, &c->alice, engine_add_load_balancer_members, &member);
	struct address_target release = {.address = ref_by_id(KIND_ADDRESS, lab.address)};
	cloud_fails(c, &c->alice, engine_release_address, &release, ERR_IN_USE, KIND_ADDRESS);
	struct address_association association = {.address = release.address, .instance = ref};
	cloud_fails(c, &c->alice, engine_associate_address, &association, ERR_IN_USE, KIND_ADDRESS);
	struct gateway_attachment gateway = {
		.gateway = ref_by_id(KIND_GATEWAY,
				     gateway_first_by_router(cloud_tables(c), c->alice_router)->row.id),
		.router = ref_by_id(KIND_ROUTER, c->alice_router)};
	cloud_expect(c, cloud_run(c, &c->alice, engine_detach_gateway_run, &gateway), ERR_IN_USE,
		     KIND_ROUTER);
	struct str name = STR("new"), none = STR_NONE;
	struct load_balancer_change change = {.balancer = member.balancer,
					      .name = &name,
					      .sets_algorithm = true,
					      .algorithm = LOAD_BALANCER_ALGORITHM_SOURCE};
	cloud_ok(c, &c->alice, engine_change_load_balancer, &change);
	assert_true(str_is(find(&lab, id)->name, "new"));
	assert_int_equal(find(&lab, id)->algorithm, LOAD_BALANCER_ALGORITHM_SOURCE);
	change.name = &none;
	cloud_fails(c, &c->alice, engine_change_load_balancer, &change, ERR_INVALID, KIND_LOAD_BALANCER);
	struct port_assignment assign = {.port = ref_by_id(KIND_PORT, cloud_port(c, instance)->row.id),
					 .more = 1};
	cloud_ok(c, &c->alice, engine_assign_ips, &assign);
	struct port_unassignment leave = {.port = assign.port, .ips = assign.made};
	cloud_ok(c, &c->alice, engine_unassign_ips, &leave); /* another address than the member's */
	assert_int_equal(tables_count(cloud_tables(c), KIND_LOAD_BALANCER_MEMBER), 1);
	release.with_forwardings = true;
	cloud_ok(c, &c->alice, engine_release_address, &release);
	assert_null(find(&lab, id));
	assert_int_equal(tables_count(cloud_tables(c), KIND_LOAD_BALANCER_MEMBER), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_ports, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_members, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_places, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ends, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
