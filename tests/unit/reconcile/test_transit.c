/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways: an attachment is available when both routers have it, and deleted when both have removed it; a
 * gateway is gone from the network before it is shown as deleted. Killed anywhere in between, too. */
#include "../cloud/applied.h"
#include "../cloud/cloud.h"

#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router_block.h"
#include "engine/transit/transit.h"
#include "model/states.h"
#include "store/router.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"

enum { SEEDS = 50 };

static struct cidr cidr_of(const char *text)
{
	struct cidr cidr = {0};
	assert_true(result_is_ok(cidr_parse(str_from(text), &cidr)));
	return cidr;
}

static enum transit_gateway_state gateway_state(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return model_derive_transit_gateway_state(transit_gateway_find(view.tables, id));
}

static enum transit_attachment_state attachment_state(struct cloud *c, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return model_derive_transit_attachment_state(transit_attachment_find(view.tables, id));
}

struct hub {
	uuid gateway, router, subnet, attachment;
};

/* A gateway, and a VPC that is attached to it while the network is away. */
static struct hub make_hub(struct cloud *c)
{
	struct hub hub = {0};
	struct transit_gateway_wish gateway = {.asn = TRANSIT_ASN_DEFAULT};
	network_sim_cut(true);
	cloud_ok(c, &c->alice, engine_create_transit_gateway, &gateway);
	struct router_wish vpc = {.block = cidr_of("10.8.0.0/16")};
	cloud_ok(c, &c->alice, engine_create_router, &vpc);
	struct subnet_wish subnet = {.router = cloud_ref(c, KIND_ROUTER, vpc.router),
				     .block = cidr_of("10.8.1.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	struct ref of = cloud_ref(c, KIND_SUBNET, subnet.subnet);
	struct transit_attachment_wish wish = {.gateway = cloud_ref(c, KIND_TRANSIT_GATEWAY, gateway.gateway),
					       .router = cloud_ref(c, KIND_ROUTER, vpc.router),
					       .subnets = {&of, 1}};
	cloud_ok(c, &c->alice, engine_create_transit_attachment, &wish);
	hub = (struct hub){gateway.gateway, vpc.router, subnet.subnet, wish.attachment};
	assert_int_equal(gateway_state(c, hub.gateway), TRANSIT_GATEWAY_PENDING);
	assert_int_equal(attachment_state(c, hub.attachment), TRANSIT_ATTACHMENT_PENDING);
	network_sim_cut(false);
	return hub;
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

static void tell_life(struct cloud *c, uint64_t kill_after)
{
	struct hub hub = make_hub(c);
	settle_with_kill(c, kill_after);
	assert_int_equal(gateway_state(c, hub.gateway), TRANSIT_GATEWAY_AVAILABLE);
	assert_int_equal(attachment_state(c, hub.attachment), TRANSIT_ATTACHMENT_AVAILABLE);
	assert_true(network_sim_has(NETWORK_ITEM_TRANSIT_GATEWAY, hub.gateway));
	assert_true(kill_after || cloud_audit(c, 0) == 0);
	struct transit_attachment_target detach = {
		.attachment = cloud_ref(c, KIND_TRANSIT_ATTACHMENT, hub.attachment)};
	struct transit_gateway_target gone = {.gateway = cloud_ref(c, KIND_TRANSIT_GATEWAY, hub.gateway)};
	struct subnet_target subnet = {.subnet = cloud_ref(c, KIND_SUBNET, hub.subnet)};
	struct router_target router = {.router = cloud_ref(c, KIND_ROUTER, hub.router)};
	cloud_ok(c, &c->alice, engine_delete_transit_attachment, &detach);
	assert_int_equal(attachment_state(c, hub.attachment), TRANSIT_ATTACHMENT_DELETING);
	cloud_ok(c, &c->alice, engine_delete_transit_gateway, &gone); /* which does not wait for it */
	assert_int_equal(gateway_state(c, hub.gateway), TRANSIT_GATEWAY_DELETING);
	settle_with_kill(c, kill_after);
	assert_int_equal(attachment_state(c, hub.attachment), TRANSIT_ATTACHMENT_DELETED);
	assert_int_equal(gateway_state(c, hub.gateway), TRANSIT_GATEWAY_DELETED);
	assert_false(network_sim_has(NETWORK_ITEM_TRANSIT_GATEWAY, hub.gateway));
	cloud_ok(c, &c->alice, engine_delete_subnet, &subnet);
	cloud_ok(c, &c->alice, engine_delete_router, &router);
	cloud_step_for(c, TRANSIT_VISIBLE_US + 4 * (CLOUD_RESYNC_US + CLOUD_HOST_INTERVAL_US));
	assert_int_equal(cloud_count(c, KIND_TRANSIT_ATTACHMENT), 0);
	assert_int_equal(cloud_count(c, KIND_TRANSIT_GATEWAY), 0);
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

/* True if the gateway was last brought to a state with this text. */
static bool is_applied(struct cloud *c, const char *text)
{
	struct str all = applied_read(c->arena);
	return memmem(all.p, all.n, text, strlen(text)) != NULL;
}

/* A VPC's new block, a route and a propagation that ends reach the gateway. */
static void follows(struct cloud *c)
{
	struct hub hub = make_hub(c);
	cloud_settle(c);
	assert_true(is_applied(c, " route 10.8.0.0/16 in "));
	struct router_block_wish more = {.router = cloud_ref(c, KIND_ROUTER, hub.router),
					 .block = cidr_of("10.9.0.0/16")};
	cloud_ok(c, &c->alice, engine_add_router_block, &more);
	cloud_settle(c);
	assert_true(is_applied(c, " route 10.9.0.0/16 in "));
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	uuid table = transit_gateway_find(view.tables, hub.gateway)->association_table;
	view_close(&view);
	struct transit_route_wish hole = {.route_table = cloud_ref(c, KIND_TRANSIT_ROUTE_TABLE, table),
					  .destination = cidr_of("10.77.0.0/16"),
					  .is_blackhole = true};
	cloud_ok(c, &c->alice, engine_create_transit_route, &hole);
	cloud_settle(c);
	assert_true(is_applied(c, " route 10.77.0.0/16 in "));
	cloud_ok(c, &c->alice, engine_delete_transit_route, &hole);
	struct transit_use use = {.route_table = hole.route_table,
				  .attachment = cloud_ref(c, KIND_TRANSIT_ATTACHMENT, hub.attachment)};
	cloud_ok(c, &c->alice, engine_disable_transit_propagation, &use);
	cloud_settle(c);
	assert_false(is_applied(c, " route 10.8.0.0/16 in "));
	assert_false(is_applied(c, " route 10.77.0.0/16 in "));
}
TEST_STORY(follows, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_life_killed),
		cmocka_unit_test(test_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
