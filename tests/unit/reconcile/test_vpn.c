/* SPDX-License-Identifier: Apache-2.0
 * VPN connections: each tunnel has a daemon while its gateway is attached, the VPC's router leads routes to a tunnel that is up, and
 * nothing is left of a deleted connection. Killed anywhere in between, too. */
#include "../cloud/applied.h"
#include "../cloud/cloud.h"

#include "drivers/sim/vpn.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/subnet.h"
#include "engine/tombstone.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpnaas.h"
#include "model/id.h"
#include "store/router.h"
#include "store/vpn_tunnel.h"

enum { SEEDS = 50 };

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr = {0};
	assert_true(result_is_ok(cidr_parse(str_from(text), &cidr)));
	return cidr;
}

struct site {
	uuid gateway, customer, router, table, connection;
	uuid tunnels[VPN_TUNNELS];
};

static struct vpn_gateway_attachment attachment_of(struct cloud *c, const struct site *site)
{
	return (struct vpn_gateway_attachment){.gateway = cloud_ref(c, KIND_VPN_GATEWAY, site->gateway),
					       .router = cloud_ref(c, KIND_ROUTER, site->router)};
}

static void make_gateway(struct cloud *c, struct site *site)
{
	struct vpn_gateway_wish gateway = {0};
	struct customer_gateway_wish customer = {.ip = ip_from_v4(0xc0000202), .asn = 65000};
	struct router_wish vpc = {.block = cidr_of("10.8.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &vpc);
	cloud_ok(c, &c->alice, engine_create_vpn_gateway, &gateway);
	cloud_ok(c, &c->alice, engine_create_customer_gateway, &customer);
	*site = (struct site){.gateway = gateway.gateway, .customer = customer.gateway, .router = vpc.router};
	struct vpn_gateway_attachment attachment = attachment_of(c, site);
	cloud_ok(c, &c->alice, engine_attach_vpn_gateway, &attachment);
}

/* A VPC, and a connection whose routes are propagated to its main table. Nothing of it has been implemented yet. */
static struct site make_site(struct cloud *c)
{
	struct site site = {0};
	make_gateway(c, &site);
	struct vpn_connection_wish wish = {.customer_gateway =
						   cloud_ref(c, KIND_CUSTOMER_GATEWAY, site.customer),
					   .vpn_gateway = cloud_ref(c, KIND_VPN_GATEWAY, site.gateway)};
	for (size_t k = 0; k < VPN_TUNNELS; k++) {
		struct vpn_tunnel *n = &wish.tunnels[k];
		n->row.id = site.tunnels[k] = id_new(KIND_VPN_TUNNEL);
		n->key = cloud_seal(c, (struct str){(const char *) n->row.id.b, sizeof n->row.id.b},
				    STR("key_of_12345"));
	}
	cloud_ok(c, &c->alice, engine_create_vpn_connection, &wish);
	site.connection = wish.connection;
	struct vpn_route_wish route = {.connection = cloud_ref(c, KIND_VPN_CONNECTION, wish.connection),
				       .destination = cidr_of("10.99.0.0/24")};
	cloud_ok(c, &c->alice, engine_create_vpn_route, &route);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	site.table = router_find(view.tables, site.router)->main_route_table;
	view_close(&view);
	struct vpn_propagation use = {.gateway = cloud_ref(c, KIND_VPN_GATEWAY, site.gateway),
				      .route_table = cloud_ref(c, KIND_ROUTE_TABLE, site.table)};
	cloud_ok(c, &c->alice, engine_enable_vpn_propagation, &use);
	return site;
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

/* True if the VPC's router was last brought to a state with this text. */
static bool is_applied(struct cloud *c, struct str text)
{
	struct str all = applied_read(c->arena);
	return memmem(all.p, all.n, text.p, text.n) != NULL;
}

static bool has_tunnel(struct cloud *c, uuid tunnel)
{
	return is_applied(
		c, str_print(c->arena, " tunnel %" STR_FMT " ", STR_ARG(uuid_to_str(c->arena, tunnel))));
}

static bool leads_by(struct cloud *c, const struct site *site, uuid tunnel)
{
	return is_applied(c, str_print(c->arena, " vpn route 10.99.0.0/24 in %" STR_FMT " by %" STR_FMT,
				       STR_ARG(uuid_to_str(c->arena, site->table)),
				       STR_ARG(uuid_to_str(c->arena, tunnel))));
}

static bool is_up(struct cloud *c, uuid tunnel)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct vpn_tunnel *n = vpn_tunnel_find(view.tables, tunnel);
	return n && n->is_up;
}

static void set_up(struct cloud *c, uuid tunnel, bool up)
{
	sim_vpn_set_up(tunnel, up);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US); /* a tick looks at tunnels */
	cloud_settle(c);
	assert_int_equal(is_up(c, tunnel), up);
}

static void check_daemons(struct cloud *c, const struct site *site, bool run)
{
	for (size_t k = 0; k < VPN_TUNNELS; k++) {
		assert_int_equal(sim_vpn_has(site->tunnels[k]), run);
		assert_int_equal(has_tunnel(c, site->tunnels[k]), run);
	}
}

static void delete_site(struct cloud *c, const struct site *site, uint64_t kill_after)
{
	struct vpn_connection_target connection = {
		.connection = cloud_ref(c, KIND_VPN_CONNECTION, site->connection)};
	struct vpn_gateway_target gateway = {.gateway = cloud_ref(c, KIND_VPN_GATEWAY, site->gateway),
					     .is_forced = true};
	struct customer_gateway_target customer = {
		.gateway = cloud_ref(c, KIND_CUSTOMER_GATEWAY, site->customer)};
	struct router_target router = {.router = cloud_ref(c, KIND_ROUTER, site->router)};
	cloud_ok(c, &c->alice, engine_delete_vpn_connection, &connection);
	cloud_ok(c, &c->alice, engine_delete_vpn_gateway, &gateway);
	cloud_ok(c, &c->alice, engine_delete_customer_gateway, &customer);
	settle_with_kill(c, kill_after);
	check_daemons(c, site, false);
	assert_int_equal(cloud_count(c, KIND_VPN_TUNNEL), 0);
	cloud_ok(c, &c->alice, engine_delete_router, &router);
	cloud_step_for(c, ENDED_LISTED_US + 4 * CLOUD_QUIET_US);
	assert_int_equal(cloud_count(c, KIND_VPN_CONNECTION), 0);
	assert_int_equal(cloud_count(c, KIND_VPN_GATEWAY), 0);
	assert_int_equal(cloud_count(c, KIND_CUSTOMER_GATEWAY), 0);
}

static void tell_life(struct cloud *c, uint64_t kill_after)
{
	size_t addresses = cloud_count(c, KIND_ADDRESS);
	struct site site = make_site(c);
	settle_with_kill(c, kill_after);
	check_daemons(c, &site, true);
	set_up(c, site.tunnels[1], true);
	assert_true(leads_by(c, &site, site.tunnels[1]));
	set_up(c, site.tunnels[0], true);
	set_up(c, site.tunnels[1], false);
	assert_true(leads_by(c, &site, site.tunnels[0]));
	struct vpn_gateway_attachment attachment = attachment_of(c, &site);
	cloud_ok(c, &c->alice, engine_detach_vpn_gateway, &attachment);
	settle_with_kill(c, kill_after);
	check_daemons(c, &site, false);
	assert_false(is_up(c, site.tunnels[0]));
	cloud_ok(c, &c->alice, engine_attach_vpn_gateway, &attachment);
	settle_with_kill(c, kill_after);
	check_daemons(c, &site, true);
	assert_false(leads_by(c, &site, site.tunnels[0])); /* the propagation ended with the attachment */
	delete_site(c, &site, kill_after);
	assert_int_equal(cloud_count(c, KIND_ADDRESS), addresses);
}

static void life(struct cloud *c)
{
	tell_life(c, 0);
}
TEST_STORY(life, 2)

static void life_killed(struct cloud *c)
{
	tell_life(c, 1 + c->seed / 1000 % 20);
}
TEST_STORY(life_killed, 2)

/* A tunnel's daemon that has ended is started again without a change of its row. */
static void starts_again(struct cloud *c)
{
	struct site site = make_site(c);
	struct ctx ctx = {0};
	struct vpn_handle vpns = {0};
	cloud_settle(c);
	ctx_init(&ctx, c->arena);
	assert_true(result_is_ok(vpn_sim_open(&ctx, &vpns)));
	assert_true(result_is_ok(vpns.driver->remove(vpns.self, &ctx, site.tunnels[0])));
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	check_daemons(c, &site, true);
	delete_site(c, &site, 0);
}
TEST_STORY(starts_again, 2)

/* ---- services (Neutron) ---- */

struct branch {
	uuid router, service, ike, esp;
	uuid connections[2];
};

static uuid connect_site(struct cloud *c, const struct branch *b, const char *peer, const char *block)
{
	struct str address = str_from(peer), to = str_from(block), key;
	struct strs blocks = {&to, 1};
	struct ipsec_connection_wish wish = {.service = cloud_ref(c, KIND_VPN_SERVICE, b->service),
					     .ike_policy = cloud_ref(c, KIND_IKE_POLICY, b->ike),
					     .ipsec_policy = cloud_ref(c, KIND_IPSEC_POLICY, b->esp),
					     .set = {.peer_address = &address,
						     .peer_id = &address,
						     .peer_cidrs = &blocks,
						     .key = &key,
						     .key_row = id_new(KIND_VPN_TUNNEL)}};
	key = cloud_seal(c, (struct str){(const char *) wish.set.key_row.b, sizeof wish.set.key_row.b},
			 STR("key_of_12345"));
	cloud_ok(c, &c->alice, engine_create_ipsec_connection, &wish);
	return wish.made;
}

static struct branch make_branch(struct cloud *c)
{
	struct branch b = {0};
	struct router_wish vpc = {.block = cidr_of("10.9.0.0/16")};
	struct gateway_wish gateway = {0};
	struct vpn_policy_wish ike = {0}, esp = {0};
	cloud_ok(c, &c->alice, engine_create_router, &vpc);
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	struct gateway_attachment attachment = {.gateway = cloud_ref(c, KIND_GATEWAY, gateway.gateway),
						.router = cloud_ref(c, KIND_ROUTER, vpc.router)};
	struct subnet_wish subnet = {.router = cloud_ref(c, KIND_ROUTER, vpc.router),
				     .block = cidr_of("10.9.1.0/24")};
	cloud_ok(c, &c->alice, engine_attach_gateway, &attachment);
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	cloud_ok(c, &c->alice, engine_create_ike_policy, &ike);
	cloud_ok(c, &c->alice, engine_create_ipsec_policy, &esp);
	struct vpn_service_wish service = {.router = cloud_ref(c, KIND_ROUTER, vpc.router),
					   .subnet = cloud_ref(c, KIND_SUBNET, subnet.subnet)};
	cloud_ok(c, &c->alice, engine_create_vpn_service, &service);
	b = (struct branch){vpc.router, service.service, ike.made, esp.made, {{{0}}}};
	b.connections[0] = connect_site(c, &b, "192.0.2.2", "10.99.0.0/24");
	b.connections[1] = connect_site(c, &b, "192.0.2.3", "10.98.0.0/24");
	return b;
}

static void disconnect_site(struct cloud *c, uuid connection)
{
	struct ipsec_connection_target target = {cloud_ref(c, KIND_VPN_CONNECTION, connection)};
	cloud_ok(c, &c->alice, engine_delete_ipsec_connection, &target);
}

static uuid tunnel_of(struct cloud *c, uuid connection)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return engine_get_ipsec_tunnel(view.tables, connection);
}

/* Connections of a service share a daemon, which ends with the last of them. The service takes its gateway and its address along. */
static void tell_service(struct cloud *c, uint64_t kill_after)
{
	struct branch b = make_branch(c);
	struct vpn_service_target target = {cloud_ref(c, KIND_VPN_SERVICE, b.service)};
	struct vpn_service_settings off = {.service = target.service, .is_down = CHOICE_YES};
	settle_with_kill(c, kill_after);
	assert_true(sim_vpn_has(b.service) && has_tunnel(c, b.service));
	sim_vpn_set_up(b.service, true);
	cloud_step_for(c, 2 * CLOUD_HOST_INTERVAL_US);
	cloud_settle(c);
	for (size_t k = 0; k < 2; k++)
		assert_true(is_up(c, tunnel_of(c, b.connections[k])));
	disconnect_site(c, b.connections[0]);
	settle_with_kill(c, kill_after);
	assert_true(sim_vpn_has(b.service));
	cloud_ok(c, &c->alice, engine_update_vpn_service, &off);
	settle_with_kill(c, kill_after);
	assert_false(sim_vpn_has(b.service) || has_tunnel(c, b.service));
	off.is_down = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_vpn_service, &off);
	settle_with_kill(c, kill_after);
	assert_true(sim_vpn_has(b.service));
	disconnect_site(c, b.connections[1]);
	settle_with_kill(c, kill_after);
	assert_false(sim_vpn_has(b.service));
	assert_int_equal(cloud_count(c, KIND_VPN_TUNNEL), 0);
	cloud_ok(c, &c->alice, engine_delete_vpn_service, &target);
	cloud_step_for(c, ENDED_LISTED_US + 4 * CLOUD_QUIET_US);
	assert_int_equal(cloud_count(c, KIND_VPN_GATEWAY), 0);
	assert_int_equal(cloud_count(c, KIND_CUSTOMER_GATEWAY), 0);
}

static void service(struct cloud *c)
{
	tell_service(c, 0);
}
TEST_STORY(service, 2)

static void service_killed(struct cloud *c)
{
	tell_service(c, 1 + c->seed / 1000 % 20);
}
TEST_STORY(service_killed, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),           cmocka_unit_test(test_life_killed),
		cmocka_unit_test(test_starts_again),   cmocka_unit_test(test_service),
		cmocka_unit_test(test_service_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
