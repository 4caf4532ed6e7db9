/* SPDX-License-Identifier: Apache-2.0
 * Network offerings created by the operator: validation, their effect on networks, and their deletion. */
#include "cloud.h"
#include "engine/network/address/address.h"
#include "engine/network/guest_network.h"
#include "engine/network/network.h"
#include "engine/network/network_offering.h"
#include "engine/network/port/port.h"
#include "store/network.h"
#include "store/network_offering.h"
#include "store/subnet.h"
#include "store/zone.h"

static struct network_offering_wish wish_of(const char *name)
{
	return (struct network_offering_wish){.name = str_from(name), .enabled = true};
}

static void check_create(void **state)
{
	struct cloud *c = *state;
	struct network_offering_wish wish = wish_of("own");
	cloud_fails(c, &c->alice, engine_create_network_offering, &wish, ERR_DENIED, KIND_NETWORK_OFFERING);
	cloud_ok(c, &c->operator, engine_create_network_offering, &wish);
	assert_true(network_offering_find(cloud_tables(c), wish.offering)->enabled);
	cloud_ok(c, &c->operator, engine_create_network_offering, &wish); /* names may repeat */
	wish = wish_of("");
	cloud_fails(c, &c->operator, engine_create_network_offering, &wish, ERR_INVALID,
		    KIND_NETWORK_OFFERING);
}

static void check_combinations(void **state)
{
	struct cloud *c = *state;
	static const struct {
		struct network_offering_wish wish;
		bool is_fine;
	} rows[] = {
		{{.static_nat = true}, false},
		{{.port_forwarding = true}, false},
		{{.load_balancing = true}, false},
		{{.load_balancing = true, .source_nat = true}, true},
		{{.for_vpc = true}, false},
		{{.network_acl = true, .source_nat = true}, false},
		{{.network_acl = true, .source_nat = true, .for_vpc = true}, true},
	};
	for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
		struct network_offering_wish wish = rows[n].wish;
		wish.name = str_print(c->arena, "n%zu", n);
		if (rows[n].is_fine)
			cloud_ok(c, &c->operator, engine_create_network_offering, &wish);
		else
			cloud_fails(c, &c->operator, engine_create_network_offering, &wish, ERR_COMBINATION,
				    KIND_NETWORK_OFFERING);
	}
}

static struct guest_network_wish network_by(struct cloud *c, uuid offering)
{
	return (struct guest_network_wish){.zone = ref_to(c, KIND_ZONE, zone_first(cloud_tables(c))->row.id),
					   .name = STR("n"),
					   .block = cidr_of("10.1.1.0/24"),
					   .offering = ref_to(c, KIND_NETWORK_OFFERING, offering)};
}

/* A network is created with an offering, remembers it, and keeps it from deletion. */
static void check_network(void **state)
{
	struct cloud *c = *state;
	struct network_offering_wish wish = wish_of("own");
	cloud_ok(c, &c->operator, engine_create_network_offering, &wish);
	struct network_offering_settings off = {.offering = ref_to(c, KIND_NETWORK_OFFERING, wish.offering),
						.enabled = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_network_offering, &off, ERR_DENIED, KIND_NETWORK_OFFERING);
	cloud_ok(c, &c->operator, engine_update_network_offering, &off);
	struct guest_network_wish network = network_by(c, wish.offering);
	cloud_fails(c, &c->alice, engine_create_guest_network, &network, ERR_STATE, KIND_NETWORK_OFFERING);
	struct str name = STR("other");
	struct network_offering_settings on = {
		.offering = off.offering, .name = &name, .enabled = CHOICE_YES};
	cloud_ok(c, &c->operator, engine_update_network_offering, &on);
	cloud_ok(c, &c->alice, engine_create_guest_network, &network);
	assert_true(uuid_equal(network_find(cloud_tables(c), network.network)->offering, wish.offering));
	struct network_offering_target target = {off.offering};
	cloud_fails(c, &c->alice, engine_delete_network_offering, &target, ERR_DENIED, KIND_NETWORK_OFFERING);
	cloud_fails(c, &c->operator, engine_delete_network_offering, &target, ERR_IN_USE,
		    KIND_NETWORK_OFFERING);
	struct network_settings change = {.network = ref_to(c, KIND_NETWORK, network.network),
					  .set_offering = true};
	cloud_ok(c, &c->alice, engine_update_network, &change);
	assert_true(uuid_is_none(network_find(cloud_tables(c), network.network)->offering));
	change.offering = off.offering;
	cloud_ok(c, &c->alice, engine_update_network, &change);
	struct guest_network_target gone = {change.network};
	cloud_ok(c, &c->alice, engine_delete_guest_network, &gone);
	cloud_ok(c, &c->operator, engine_delete_network_offering, &target);
	assert_null(network_offering_find(cloud_tables(c), wish.offering));
}

/* In all APIs, an address can only be associated with a port if the network's offering has that service. */
static void check_services(void **state)
{
	struct cloud *c = *state;
	struct network_offering_wish wish = wish_of("own");
	wish.source_nat = true;
	cloud_ok(c, &c->operator, engine_create_network_offering, &wish);
	struct guest_network_wish network = network_by(c, wish.offering);
	cloud_ok(c, &c->alice, engine_create_guest_network, &network);
	const struct subnet *subnet = subnet_first_by_network(cloud_tables(c), network.network);
	struct port_wish port = {.subnet = ref_to(c, KIND_SUBNET, subnet->row.id)};
	cloud_ok(c, &c->alice, engine_create_port, &port);
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	struct address_association association = {.address = ref_to(c, KIND_ADDRESS, address.address),
						  .port = ref_to(c, KIND_PORT, port.port)};
	cloud_fails(c, &c->alice, engine_associate_address, &association, ERR_UNSUPPORTED,
		    KIND_NETWORK_OFFERING);
	struct network_settings change = {.network = ref_to(c, KIND_NETWORK, network.network),
					  .set_offering = true};
	cloud_ok(c, &c->alice, engine_update_network, &change);
	cloud_ok(c, &c->alice, engine_associate_address, &association);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_create, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_combinations, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_network, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_services, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
