/* SPDX-License-Identifier: Apache-2.0
 * Ports of networks: which MAC addresses, subnets and address pairs they may have, what only an administrator or the
 * network's owner chooses, a router's addresses, and reports of the reconciler. */
#include "cloud.h"
#include "store/port.h"
#include "store/subnet.h"

#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/routing/router_interface.h"

struct scene {
	struct cloud *c;
	struct ref network, subnet, other, elsewhere; /* elsewhere: subnet of the other network */
};

static struct ref ref_of(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

static struct ref add_network(struct cloud *c, const char *block, struct ref *ret_subnet)
{
	struct network_wish network = {.name = str_from(block)};
	cloud_ok(c, &c->alice, engine_create_network, &network);
	struct network_subnet_wish subnet = {.network = ref_of(KIND_NETWORK, network.network),
					     .block = cidr_of(block)};
	cloud_ok(c, &c->alice, engine_add_subnet, &subnet);
	*ret_subnet = ref_of(KIND_SUBNET, subnet.subnet);
	return ref_of(KIND_NETWORK, network.network);
}

static struct scene begin(struct cloud *c)
{
	struct scene s = {.c = c};
	s.network = add_network(c, "10.0.1.0/24", &s.subnet);
	s.other = add_network(c, "10.0.2.0/24", &s.elsewhere);
	return s;
}

static const struct port *port_now(struct cloud *c, uuid id)
{
	return port_find(cloud_tables(c), id);
}

static uuid add(struct scene *s, struct mac mac)
{
	struct network_port_wish wish = {.network = s->network, .mac = mac};
	cloud_ok(s->c, &s->c->alice, engine_add_port, &wish);
	return wish.port;
}

static void check_macs(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct mac own = {{0x02, 0, 0, 0, 0, 7}}, group = {{0x01, 0, 0x5e, 0, 0, 1}};
	struct network_port_wish wish = {.network = s.network, .mac = group};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_INVALID, KIND_PORT);
	uuid first = add(&s, own);
	assert_memory_equal(port_now(c, first)->mac.b, own.b, sizeof own.b);
	wish.mac = own;
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_CONFLICT, KIND_PORT);
	wish.network = s.other; /* switches of all networks share one table of addresses */
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_CONFLICT, KIND_PORT);
	struct port_target target = {.port = ref_of(KIND_PORT, first)};
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	(void) add(&s, own);
}

static void check_fixed(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct port_fixed_wish at = {.subnet = s.elsewhere};
	struct network_port_wish wish = {.network = s.network,
					 .fixed = {.is_given = true, .at = &at, .count = 1}};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_INVALID, KIND_SUBNET);
	at = (struct port_fixed_wish){.ip = ip_of("10.0.2.9")};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_RANGE, KIND_PORT);
	at.ip = ip_of("10.0.1.9");
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	assert_true(ip_equal(port_now(c, wish.port)->ip, at.ip));
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_EXISTS, KIND_PORT);
	wish.fixed.count = 0; /* a port without any address */
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	assert_true(ip_is_none(port_now(c, wish.port)->ip));
}

static void check_pairs(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct port_pair pairs[2] = {{.block = cidr_of("10.9.0.1/32")}, {.block = cidr_of("10.9.0.0/16")}};
	struct network_port_wish wish = {.network = s.network, .pairs = {pairs, 2}};
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	const struct port *port = port_now(c, wish.port);
	char mac[MAC_TEXT_SIZE];
	assert_int_equal(port->allowed_pairs.count, 2);
	assert_true(str_equal(port->allowed_pairs.at[0],
			      str_print(c->arena, "%s 10.9.0.1", mac_write(port->mac, mac))));
	assert_true(str_ends_with(port->allowed_pairs.at[1], STR(" 10.9.0.0/16")));
	pairs[1].block = cidr_of("10.9.0.1/32");
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_INVALID, KIND_PORT);
	pairs[1].mac = (struct mac){{0x02, 0, 0, 0, 0, 9}}; /* of another MAC it is another pair */
	cloud_ok(c, &c->alice, engine_add_port, &wish);
}

/* Without port security nothing looks at pairs and groups. */
static void check_open(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct port_pair pair = {.block = cidr_of("10.9.0.1/32")};
	struct port_pairs none = {0};
	struct network_port_wish wish = {.network = s.network, .pairs = {&pair, 1}, .is_open = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_COMBINATION, KIND_PORT);
	wish.is_open = CHOICE_DEFAULT;
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	struct port_settings open = {.port = ref_of(KIND_PORT, wish.port), .is_open = CHOICE_YES};
	cloud_fails(c, &c->alice, engine_update_port, &open, ERR_COMBINATION, KIND_PORT);
	open.pairs = &none;
	cloud_fails(c, &c->alice, engine_update_port, &open, ERR_IN_USE, KIND_PORT);
	open.has_no_groups = true;
	cloud_ok(c, &c->alice, engine_update_port, &open);
	assert_true(port_now(c, wish.port)->is_open && port_now(c, wish.port)->groups.count == 0);
}

/* In a shared network another account gets ports, while addresses and port security stay the owner's. */
static void check_network_of_another(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct network_grant_wish grant = {.network = s.network,
					   .target = ref_of(KIND_ACCOUNT, c->bob.account)};
	cloud_ok(c, &c->alice, engine_grant_network, &grant);
	struct network_port_wish plain = {.network = s.network}, wish = plain;
	struct port_fixed_wish at = {.ip = ip_of("10.0.1.9")};
	struct port_pair pair = {.block = cidr_of("10.9.0.1/32")};
	cloud_ok(c, &c->bob, engine_add_port, &plain);
	wish.fixed = (struct port_fixed_wishes){.is_given = true, .at = &at, .count = 1};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_DENIED, KIND_PORT);
	wish = (struct network_port_wish){.network = s.network, .mac = {{0x02, 0, 0, 0, 0, 1}}};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_DENIED, KIND_PORT);
	wish = (struct network_port_wish){.network = s.network, .is_open = CHOICE_YES};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_DENIED, KIND_PORT);
	wish = (struct network_port_wish){.network = s.network, .pairs = {&pair, 1}};
	cloud_fails(c, &c->bob, engine_add_port, &wish, ERR_DENIED, KIND_PORT);
	struct port_settings spoof = {.port = ref_of(KIND_PORT, plain.port), .source_dest_check = CHOICE_NO};
	cloud_fails(c, &c->bob, engine_update_port, &spoof, ERR_DENIED, KIND_PORT);
	/* the network's owner may remove such a port, and only where the call says so */
	struct port_target target = {.port = ref_of(KIND_PORT, plain.port)};
	cloud_fails(c, &c->alice, engine_delete_port, &target, ERR_NOT_FOUND, KIND_PORT);
	target.by_network = true;
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	assert_false(row_is_live(&port_now(c, plain.port)->row));
}

static void check_binding(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct str host = STR("h1");
	struct network_port_wish wish = {.network = s.network, .binding_host = host};
	cloud_fails(c, &c->alice, engine_add_port, &wish, ERR_DENIED, KIND_PORT);
	wish.binding_host = STR_NONE;
	cloud_ok(c, &c->alice, engine_add_port, &wish);
	struct port_settings bind = {.port = ref_of(KIND_PORT, wish.port), .binding_host = &host};
	cloud_fails(c, &c->alice, engine_update_port, &bind, ERR_DENIED, KIND_PORT);
	cloud_ok(c, &c->operator, engine_update_port, &bind);
	assert_true(str_equal(port_now(c, wish.port)->binding_host, host));
}

/* A change may repeat what a router's port is, as clients do that send everything back. */
static void check_port_of_router(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	struct router_wish router = {.name = STR("r"), .has_no_block = true};
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct router_interface_wish interface = {.router = ref_of(KIND_ROUTER, router.router),
						  .subnet = s.subnet};
	cloud_ok(c, &c->alice, engine_add_router_interface, &interface);
	const struct subnet *subnet = subnet_find(cloud_tables(c), s.subnet.prefix);
	struct port_fixed_wish at = {.subnet = s.subnet, .ip = subnet->gateway_ip};
	struct port_settings wish = {
		.port = ref_of(KIND_PORT, engine_get_gateway_port(cloud_tables(c), subnet)),
		.fixed = {.is_given = true, .at = &at, .count = 1}};
	const struct str name = STR("mine");
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	cloud_fails(c, &c->bob, engine_update_port, &wish, ERR_NOT_FOUND, KIND_PORT);
	at.ip = ip_of("10.0.1.77");
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_PROTECTED, KIND_PORT);
	at = (struct port_fixed_wish){.subnet = s.elsewhere};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_PROTECTED, KIND_PORT);
	wish.fixed = (struct port_fixed_wishes){0};
	wish.name = &name;
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_PROTECTED, KIND_PORT);
}

/* An instance stands for its port only while it has exactly one. */
static void check_port_of_instance(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 1);
	launch.no_ports = true;
	launch.zone = ref_named(KIND_ZONE, "xy-west-2a");
	cloud_ok(c, &c->alice, engine_create_instances, &launch);
	uuid one = cloud_launch_one(c);
	struct port_settings wish = {.instance = ref_to(c, KIND_INSTANCE, launch.made.at[0]),
				     .source_dest_check = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_STATE, KIND_INSTANCE);
	wish.instance = ref_to(c, KIND_INSTANCE, one);
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	assert_false(cloud_port(c, one)->source_dest_check);
	struct port_wish more = {.subnet = ref_to(c, KIND_SUBNET, cloud_port(c, one)->subnet)};
	cloud_ok(c, &c->alice, engine_create_port, &more);
	struct port_attaching attach = {
		.port = ref_to(c, KIND_PORT, more.port), .instance = wish.instance, .device_index = 1};
	cloud_ok(c, &c->alice, engine_attach_port, &attach);
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_CONFLICT, KIND_INSTANCE);
}

/* delete_on_termination belongs to the present attachment; a call that names an earlier one is refused. */
static void check_attachment(void **state)
{
	struct cloud *c = *state;
	uuid id = cloud_launch_one(c);
	const struct port *port = cloud_port(c, id);
	struct port_settings wish = {.port = ref_to(c, KIND_PORT, port->row.id),
				     .attachment = ref_association(c, "eni-attach", port->row.id),
				     .delete_on_termination = CHOICE_NO};
	cloud_fails(c, &c->alice, engine_update_port, &wish, ERR_NOT_FOUND, KIND_NONE);
	assert_true(port->delete_on_termination);
	wish.attachment = ref_association(c, "eni-attach", port->attachment);
	cloud_ok(c, &c->alice, engine_update_port, &wish);
	assert_false(cloud_port(c, id)->delete_on_termination);
}

static void check_reports(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	uuid id = add(&s, (struct mac){{0}});
	struct port_report report = {.port = id, .gen = 5, .up = true};
	cloud_ok(c, NULL, engine_see_port, &report);
	report = (struct port_report){.port = id, .gen = 3};
	cloud_ok(c, NULL, engine_see_port, &report); /* an older look */
	assert_int_equal(port_now(c, id)->seen_gen, 5);
	assert_false(port_now(c, id)->seen_up);
	cloud_fails(c, NULL, engine_forget_port, &report, ERR_STATE, KIND_PORT);
	struct port_target target = {.port = ref_of(KIND_PORT, id)};
	cloud_ok(c, &c->alice, engine_delete_port, &target);
	cloud_ok(c, NULL, engine_forget_port, &report);
	assert_null(port_now(c, id));
	cloud_ok(c, NULL, engine_forget_port, &report);
	cloud_ok(c, NULL, engine_see_port, &report);
	assert_null(port_now(c, id));
}

/* An administrator changes the MAC address of a port that no instance has. */
static void check_new_mac(void **state)
{
	struct cloud *c = *state;
	struct scene s = begin(c);
	const struct mac mac = {{0x12, 0x34, 0x56, 0x78, 0xbe, 0x6d}}, taken = {{0x02, 0, 0, 0, 0, 8}};
	uuid port = add(&s, (struct mac){0});
	add(&s, taken);
	struct port_settings change = {.port = {.kind = KIND_PORT, .prefix = port, .bits = 128}, .mac = mac};
	cloud_fails(c, &c->alice, engine_update_port, &change, ERR_DENIED, KIND_PORT);
	cloud_ok(c, &c->operator, engine_update_port, &change);
	assert_memory_equal(port_now(c, port)->mac.b, mac.b, sizeof mac.b);
	change.mac = taken;
	cloud_fails(c, &c->operator, engine_update_port, &change, ERR_CONFLICT, KIND_PORT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, cloud_setup, cloud_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check_macs),       TEST(check_new_mac),        TEST(check_fixed),
		TEST(check_pairs),      TEST(check_open),           TEST(check_network_of_another),
		TEST(check_binding),    TEST(check_port_of_router), TEST(check_port_of_instance),
		TEST(check_attachment), TEST(check_reports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
