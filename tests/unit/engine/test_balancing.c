/* SPDX-License-Identifier: Apache-2.0
 * Network load balancers: their fronts and addresses, the rows of load_balancer that follow listeners and targets, health,
 * and the effects of deletions. */
#include "cloud.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/load_balancer.h"
#include "engine/virtual/balancer_set.h"
#include "model/account.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

struct lab {
	struct cloud *c;
	struct balancer_subnet subnets[2];
	uuid instance;
};

static struct lab make_lab(void **state)
{
	struct cloud *c = *state;
	struct lab lab = {.c = c, .instance = cloud_launch_one(c)};
	uuid here = cloud_port(c, lab.instance)->subnet;
	lab.subnets[0].subnet = ref_by_id(KIND_SUBNET, here);
	for (const struct subnet *s = subnet_first_by_router(cloud_tables(c), c->alice_router); s;
	     s = subnet_next_by_router(cloud_tables(c), s))
		if (!uuid_equal(s->row.id, here))
			lab.subnets[1].subnet = ref_by_id(KIND_SUBNET, s->row.id);
	cloud_see(c, lab.instance, INSTANCE_SEEN_POWER_ON);
	return lab;
}

static struct elastic_load_balancer_wish wish_of(struct lab *lab, bool is_internal, size_t subnets)
{
	return (struct elastic_load_balancer_wish){
		.name = STR("web"), .is_internal = is_internal, .subnets = {lab->subnets, subnets}};
}

static uuid make(struct lab *lab, bool is_internal, size_t subnets)
{
	struct elastic_load_balancer_wish wish = wish_of(lab, is_internal, subnets);
	cloud_ok(lab->c, &lab->c->alice, engine_create_elastic_load_balancer, &wish);
	return wish.balancer;
}

static struct target_group_wish group_wish(struct lab *lab)
{
	return (struct target_group_wish){.name = STR("web"),
					  .router = ref_by_id(KIND_ROUTER, lab->c->alice_router),
					  .port = 8080,
					  .interval_s = 10,
					  .timeout_s = 5,
					  .healthy_threshold = 3,
					  .unhealthy_threshold = 2};
}

static uuid make_group(struct lab *lab)
{
	struct target_group_wish wish = group_wish(lab);
	cloud_ok(lab->c, &lab->c->alice, engine_create_target_group, &wish);
	return wish.target_group;
}

static struct listener_wish listener_wish(uuid balancer, uuid group)
{
	return (struct listener_wish){
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, balancer),
		.action = {.groups = {{ref_by_id(KIND_TARGET_GROUP, group), 1}}, .group_count = 1},
		.port = 80};
}

static uuid make_listener(struct lab *lab, uuid balancer, uuid group)
{
	struct listener_wish wish = listener_wish(balancer, group);
	cloud_ok(lab->c, &lab->c->alice, engine_create_listener, &wish);
	return wish.listener;
}

static struct targets_wish targets_of(struct lab *lab, uuid group, struct balancing_target *one)
{
	*one = (struct balancing_target){.instance = ref_by_id(KIND_INSTANCE, lab->instance)};
	return (struct targets_wish){.target_group = ref_by_id(KIND_TARGET_GROUP, group),
				     .targets = {one, 1}};
}

static void register_target(struct lab *lab, uuid group)
{
	struct balancing_target one;
	struct targets_wish wish = targets_of(lab, group, &one);
	cloud_ok(lab->c, &lab->c->alice, engine_register_targets, &wish);
}

static size_t count_rows(const struct lab *lab, uuid listener, size_t *ret_members)
{
	const struct tables *t = cloud_tables(lab->c);
	size_t count = 0;
	*ret_members = 0;
	for (const struct load_balancer *b = load_balancer_first_by_listener(t, listener); b;
	     b = load_balancer_next_by_listener(t, b)) {
		count++;
		for (const struct load_balancer_member *m =
			     load_balancer_member_first_by_load_balancer(t, b->row.id);
		     m; m = load_balancer_member_next_by_load_balancer(t, m))
			++*ret_members;
	}
	return count;
}

static enum target_state state_of(const struct lab *lab, uuid group)
{
	const struct tables *t = cloud_tables(lab->c);
	return engine_get_target_condition(t, target_group_find(t, group),
					   target_first_by_target_group(t, group))
		.state;
}

static void delete_balancer(struct lab *lab, uuid id)
{
	struct elastic_load_balancer_target wish = {.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, id)};
	cloud_ok(lab->c, &lab->c->alice, engine_delete_elastic_load_balancer, &wish);
}

static void check_fronts(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct elastic_load_balancer_wish wish = wish_of(&lab, true, 2);
	cloud_fails(c, &c->bob, engine_create_elastic_load_balancer, &wish, ERR_NOT_FOUND, KIND_SUBNET);
	uuid id = make(&lab, true, 2);
	const struct elastic_load_balancer *b = elastic_load_balancer_find(cloud_tables(c), id);
	assert_int_equal(b->fronts.count, 2);
	const struct port *front = port_find(cloud_tables(c), b->fronts.at[0]);
	assert_true(engine_is_front(cloud_tables(c), front));
	assert_null(address_first_by_port(cloud_tables(c), front->row.id));
	struct port_target port = {.port = ref_by_id(KIND_PORT, front->row.id)};
	cloud_fails(c, &c->alice, engine_delete_port, &port, ERR_PROTECTED, KIND_PORT);
	cloud_ok(c, &c->alice, engine_create_elastic_load_balancer, &wish); /* the same settings */
	assert_true(uuid_equal(wish.balancer, id));
	wish.subnets.count = 1;
	cloud_fails(c, &c->alice, engine_create_elastic_load_balancer, &wish, ERR_EXISTS,
		    KIND_ELASTIC_LOAD_BALANCER);
	wish = wish_of(&lab, true, 2);
	wish.name = STR("twice");
	lab.subnets[1] = lab.subnets[0];
	cloud_fails(c, &c->alice, engine_create_elastic_load_balancer, &wish, ERR_COMBINATION,
		    KIND_ELASTIC_LOAD_BALANCER);
	uuid first = b->fronts.at[0];
	delete_balancer(&lab, id);
	assert_false(row_is_live(&port_find(cloud_tables(c), first)->row));
}

static void check_public(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct address_wish address = {0};
	cloud_ok(c, &c->alice, engine_allocate_address, &address);
	lab.subnets[0].address = ref_by_id(KIND_ADDRESS, address.address);
	struct elastic_load_balancer_wish wish = wish_of(&lab, true, 1);
	cloud_fails(c, &c->alice, engine_create_elastic_load_balancer, &wish, ERR_COMBINATION,
		    KIND_ELASTIC_LOAD_BALANCER);
	uuid id = make(&lab, false, 2);
	const struct elastic_load_balancer *b = elastic_load_balancer_find(cloud_tables(c), id);
	assert_true(uuid_equal(address_find(cloud_tables(c), address.address)->port, b->fronts.at[0]));
	assert_false(address_first_by_port(cloud_tables(c), b->fronts.at[1])->is_elastic);
	wish = wish_of(&lab, false, 1);
	wish.name = STR("other");
	cloud_fails(c, &c->alice, engine_create_elastic_load_balancer, &wish, ERR_IN_USE, KIND_ADDRESS);
	delete_balancer(&lab, id);
	assert_true(uuid_is_none(address_find(cloud_tables(c), address.address)->port));
}

static void check_listeners(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	size_t members = 0;
	uuid balancer = make(&lab, true, 2), group = make_group(&lab),
	     listener = make_listener(&lab, balancer, group);
	struct listener_wish wish = listener_wish(balancer, group);
	cloud_fails(c, &c->alice, engine_create_listener, &wish, ERR_EXISTS, KIND_LISTENER);
	wish.port = 81;
	wish.protocol = BALANCING_UDP;
	cloud_fails(c, &c->alice, engine_create_listener, &wish, ERR_COMBINATION, KIND_LISTENER);
	struct target_group_target target = {.target_group = ref_by_id(KIND_TARGET_GROUP, group)};
	cloud_fails(c, &c->alice, engine_delete_target_group, &target, ERR_IN_USE, KIND_TARGET_GROUP);
	register_target(&lab, group);
	assert_int_equal(count_rows(&lab, listener, &members), 2);
	assert_int_equal(members, 1); /* the front of the target's zone */
	struct elastic_load_balancer_change cross = {
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, balancer), .crosses_zones = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_set_elastic_load_balancer, &cross);
	count_rows(&lab, listener, &members);
	assert_int_equal(members, 2);
	const struct load_balancer *row = load_balancer_first_by_listener(cloud_tables(c), listener);
	assert_int_equal(row->private_port, 8080);
	assert_int_equal(row->ask_interval, 10);
	assert_int_equal(row->ask_successes, 3);
	struct load_balancer_target rule = {ref_by_id(KIND_LOAD_BALANCER, row->row.id)};
	cloud_fails(c, &c->alice, engine_delete_load_balancer, &rule, ERR_NOT_FOUND, KIND_LOAD_BALANCER);
	struct elastic_load_balancer_subnets one = {
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, balancer), .subnets = {lab.subnets, 1}};
	cloud_ok(c, &c->alice, engine_set_elastic_load_balancer_subnets, &one);
	assert_int_equal(count_rows(&lab, listener, &members), 1);
	delete_balancer(&lab, balancer);
	assert_null(listener_find(cloud_tables(c), listener));
	assert_int_equal(count_rows(&lab, listener, &members), 0);
	cloud_ok(c, &c->alice, engine_delete_target_group, &target);
}

/* The number of fronts, each of which must admit everybody to the proxy, or be the router's. */
static size_t count_fronts(const struct lab *lab, uuid balancer, bool is_proxied)
{
	const struct tables *t = cloud_tables(lab->c);
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, balancer);
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct port *front = port_find(t, b->fronts.at[k]);
		assert_int_equal(front->is_open, is_proxied);
		assert_int_equal(front->source_dest_check, is_proxied);
	}
	return b->fronts.count;
}

/* A network load balancer without security groups whose targets need a proxy: fronts in subnets that come later are open, too. */
static void check_proxied_fronts(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct target_group_wish asked = group_wish(&lab);
	asked.check_port = 81;
	cloud_ok(c, &c->alice, engine_create_target_group, &asked);
	uuid balancer = make(&lab, true, 1);
	assert_int_equal(count_fronts(&lab, balancer, false), 1);
	uuid listener = make_listener(&lab, balancer, asked.target_group);
	assert_int_equal(count_fronts(&lab, balancer, true), 1);
	struct elastic_load_balancer_subnets both = {
		.balancer = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, balancer), .subnets = {lab.subnets, 2}};
	cloud_ok(c, &c->alice, engine_set_elastic_load_balancer_subnets, &both);
	assert_int_equal(count_fronts(&lab, balancer, true), 2);
	struct listener_target target = {.listener = ref_by_id(KIND_LISTENER, listener)};
	cloud_ok(c, &c->alice, engine_delete_listener, &target);
	assert_int_equal(count_fronts(&lab, balancer, false), 2);
}

/* Rows of one protocol that choose members by the client's address. */
static size_t count_sticky(const struct lab *lab, uuid listener, enum load_balancer_protocol protocol)
{
	const struct tables *t = cloud_tables(lab->c);
	size_t count = 0;
	const struct load_balancer *row = load_balancer_first_by_listener(t, listener);
	for (; row; row = load_balancer_next_by_listener(t, row))
		count += row->protocol == protocol && row->algorithm == LOAD_BALANCER_ALGORITHM_SOURCE;
	return count;
}

/* A listener of TCP_UDP has a row of each protocol at each front. Only TCP's is checked, and stickiness is of both. */
static void check_both_protocols(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	size_t members = 0;
	struct target_group_wish asked = group_wish(&lab);
	asked.protocol = BALANCING_TCP_UDP;
	cloud_ok(c, &c->alice, engine_create_target_group, &asked);
	uuid balancer = make(&lab, true, 2);
	struct listener_wish wish = listener_wish(balancer, asked.target_group);
	cloud_fails(c, &c->alice, engine_create_listener, &wish, ERR_COMBINATION, KIND_LISTENER);
	wish.protocol = BALANCING_TCP_UDP;
	cloud_ok(c, &c->alice, engine_create_listener, &wish);
	register_target(&lab, asked.target_group);
	assert_int_equal(count_rows(&lab, wish.listener, &members), 4);
	assert_int_equal(members, 2);
	assert_true(engine_is_checked_group(cloud_tables(c),
					    target_group_find(cloud_tables(c), asked.target_group)));
	const struct load_balancer *row = load_balancer_first_by_listener(cloud_tables(c), wish.listener);
	for (; row; row = load_balancer_next_by_listener(cloud_tables(c), row))
		assert_int_equal(row->is_unasked, row->protocol == LOAD_BALANCER_PROTOCOL_UDP);
	assert_int_equal(count_sticky(&lab, wish.listener, LOAD_BALANCER_PROTOCOL_TCP), 0);
	struct target_group_change stay = {.target_group = ref_by_id(KIND_TARGET_GROUP, asked.target_group),
					   .is_sticky = CHOICE_YES};
	cloud_ok(c, &c->alice, engine_set_target_group, &stay);
	assert_int_equal(count_sticky(&lab, wish.listener, LOAD_BALANCER_PROTOCOL_TCP), 2);
	assert_int_equal(count_sticky(&lab, wish.listener, LOAD_BALANCER_PROTOCOL_UDP), 2);
	stay.is_sticky = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_set_target_group, &stay);
	assert_int_equal(count_sticky(&lab, wish.listener, LOAD_BALANCER_PROTOCOL_UDP), 0);
	delete_balancer(&lab, balancer);
	assert_null(load_balancer_first_by_listener(cloud_tables(c), wish.listener));
}

static void check_targets(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	uuid balancer = make(&lab, true, 1), group = make_group(&lab);
	struct balancing_target one;
	struct targets_wish wish = targets_of(&lab, group, &one);
	cloud_fails(c, &c->bob, engine_register_targets, &wish, ERR_NOT_FOUND, KIND_TARGET_GROUP);
	one.instance = (struct ref){0};
	one.ip = ip_of("172.31.0.9");
	cloud_fails(c, &c->alice, engine_register_targets, &wish, ERR_INVALID, KIND_TARGET);
	register_target(&lab, group);
	assert_int_equal(state_of(&lab, group), TARGET_UNUSED);
	make_listener(&lab, balancer, group);
	assert_int_equal(state_of(&lab, group), TARGET_INITIAL);
	const struct target *target = target_first_by_target_group(cloud_tables(c), group);
	struct target_probe probe = {target->row.id, true};
	struct target_probes probes = {&probe, 1};
	cloud_ok(c, NULL, engine_see_targets, &probes);
	assert_int_equal(state_of(&lab, group), TARGET_HEALTHY);
	probe.is_healthy = false;
	cloud_ok(c, NULL, engine_see_targets, &probes);
	assert_int_equal(state_of(&lab, group), TARGET_UNHEALTHY);
	cloud_see(c, lab.instance, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(state_of(&lab, group), TARGET_UNUSED);
	wish = targets_of(&lab, group, &one);
	cloud_ok(c, &c->alice, engine_deregister_targets, &wish);
	assert_int_equal(state_of(&lab, group), TARGET_DRAINING);
	struct target_end end = {target->row.id};
	cloud_ok(c, NULL, engine_end_target, &end);
	assert_non_null(target_first_by_target_group(cloud_tables(c), group)); /* too early */
	cloud_see(c, lab.instance, INSTANCE_SEEN_POWER_ON);
	register_target(&lab, group);
	assert_int_equal(state_of(&lab, group), TARGET_INITIAL);
}

static void check_protection(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct ref ref = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, make(&lab, true, 1));
	struct elastic_load_balancer_change change = {.balancer = ref, .is_protected = CHOICE_YES};
	struct elastic_load_balancer_target target = {.balancer = ref};
	cloud_ok(c, &c->alice, engine_set_elastic_load_balancer, &change);
	cloud_fails(c, &c->alice, engine_delete_elastic_load_balancer, &target, ERR_PROTECTED,
		    KIND_ELASTIC_LOAD_BALANCER);
	target.is_forced = true;
	cloud_ok(c, &c->alice, engine_delete_elastic_load_balancer, &target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_fronts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_public, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_listeners, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_proxied_fronts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_both_protocols, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_targets, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_protection, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
