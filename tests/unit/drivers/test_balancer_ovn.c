/* SPDX-License-Identifier: Apache-2.0
 * Load balancers as northbound rows: one row for each balancer with members, referenced once by the router
 * and once by each switch. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/load_balancer.h"
#include "ovn_model.h"

enum { SUBNETS = 3, BALANCERS = 3 };

/* All as in says, where that is given. */
static void plan(struct wish *w, struct ctx *c, bool has_gateway, const struct load_balancer *in)
{
	struct router router = {.row.id = make_id("router", 0, 0)};
	struct subnet rows[SUBNETS] = {{.network = make_id("network", 0, 0)},
				       {.network = make_id("network", 0, 1)},
				       {.network = make_id("network", 0, 0)}};
	struct network_subnet subnets[SUBNETS];
	struct gateway gateway = {.row.id = make_id("gateway", 0, 0), .ip = make_ip("100.64.0.10")};
	struct external_network external = {.row.id = make_id("external", 0, 0)};
	struct network_member members[] = {{.ip = make_ip("10.0.0.10"),
					    .port = make_id("port", 0, 0),
					    .asked_from = make_ip("10.0.0.3")},
					   {.ip = make_ip("10.0.1.10"), .port = make_id("port", 0, 1)}};
	struct load_balancer balancers[BALANCERS];
	struct network_balancer wishes[BALANCERS];
	for (size_t k = 0; k < SUBNETS; k++)
		subnets[k] = (struct network_subnet){.subnet = &rows[k]};
	for (size_t k = 0; k < BALANCERS; k++) {
		balancers[k] = (struct load_balancer){
			.row.id = make_id("balancer", k, 0),
			.protocol = k == 1 ? LOAD_BALANCER_PROTOCOL_UDP : LOAD_BALANCER_PROTOCOL_TCP,
			.algorithm =
				k == 1 ? LOAD_BALANCER_ALGORITHM_SOURCE : LOAD_BALANCER_ALGORITHM_ROUNDROBIN,
			.public_port = 80,
			.private_port = 8080};
		if (in) {
			balancers[k].front = in->front;
			balancers[k].is_unasked = in->is_unasked;
			balancers[k].ask_interval = in->ask_interval;
			balancers[k].ask_failures = in->ask_failures;
		}
		wishes[k] = (struct network_balancer){&balancers[k], make_ip("198.51.100.7"), members,
						      k == 2 ? 0 : 2 - k};
	}
	struct network_router n = {.router = &router,
				   .subnets = subnets,
				   .subnet_count = SUBNETS,
				   .gateway = has_gateway ? &gateway : NULL,
				   .external = has_gateway ? &external : NULL,
				   .balancers = wishes,
				   .balancer_count = BALANCERS,
				   .gateway_chassis = STR("hv1")};
	wish_init(w, c->arena, make_id("region", 0, 0), router.row.id, NB_ROUTER);
	nb_plan_forwardings(w, &n);
	assert_false(w->failed);
}

static void check_row(const struct wish_row *row, size_t number, const char *protocol, const char *targets)
{
	size_t edges = 0;
	const json_t *fields = json_object_get(row->columns, "selection_fields");
	assert_true(uuid_equal(row->id, make_id("balancer", number, 0)));
	assert_string_equal(json_string_value(json_object_get(row->columns, "protocol")), protocol);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(row->columns, "vips"), "198.51.100.7:80")),
		targets);
	assert_int_equal(json_object_size(fields), number);
	assert_int_equal(json_object_get(fields, "ip_src") != NULL, number);
	for (const struct wish_edge *edge = row->edges; edge; edge = edge->next)
		edges++;
	assert_int_equal(edges, 3); /* the router and two switches */
}

static void test_rows(void **state)
{
	struct wish w;
	plan(&w, *state, true, NULL);
	assert_int_equal(w.rows.count, 3); /* the third balancer has no members */
	check_row(w.rows.at[0], 0, "tcp", "10.0.0.10:8080,10.0.1.10:8080");
	check_row(w.rows.at[2], 1, "udp", "10.0.0.10:8080");
	wish_free(&w);
}

/* Health checks: only for TCP, and only for members with a source address for the checks. */
static void test_who_is_asked(void **state)
{
	struct wish w;
	char asked[UUID_TEXT_SIZE + 16];
	plan(&w, *state, true, NULL);
	const json_t *tcp = json_object_get(w.rows.at[0]->columns, "ip_port_mappings"),
		     *udp = json_object_get(w.rows.at[2]->columns, "ip_port_mappings");
	char port[UUID_TEXT_SIZE];
	snprintf(asked, sizeof asked, "%s:10.0.0.3", uuid_write(make_id("port", 0, 0), port));
	assert_int_equal(json_object_size(tcp), 1);
	assert_string_equal(json_string_value(json_object_get(tcp, "10.0.0.10")), asked);
	assert_int_equal(json_object_size(udp), 0);
	const struct wish_row *check = w.rows.at[1];
	assert_string_equal(check->table, "Load_Balancer_Health_Check");
	assert_string_equal(json_string_value(json_object_get(check->columns, "vip")), "198.51.100.7:80");
	assert_string_equal(check->edges->column, "health_check");
	assert_true(uuid_equal(check->edges->parent, make_id("balancer", 0, 0)));
	wish_free(&w);
}

static void test_without_a_way_in(void **state)
{
	struct wish w;
	plan(&w, *state, false, NULL);
	assert_int_equal(w.rows.count, 0);
	wish_free(&w);
}

static const char *option(const struct wish_row *check, const char *name)
{
	return json_string_value(json_object_get(json_object_get(check->columns, "options"), name));
}

static void test_how_they_are_asked(void **state)
{
	struct wish w;
	const struct load_balancer often = {.ask_interval = 15, .ask_failures = 4};
	plan(&w, *state, true, NULL);
	assert_string_equal(option(w.rows.at[1], "interval"), "2");
	assert_string_equal(option(w.rows.at[1], "failure_count"), "3");
	wish_free(&w);
	plan(&w, *state, true, &often);
	assert_string_equal(option(w.rows.at[1], "interval"), "15");
	assert_string_equal(option(w.rows.at[1], "failure_count"), "4");
	wish_free(&w);
}

static void test_unasked(void **state)
{
	struct wish w;
	const struct load_balancer never = {.is_unasked = true};
	plan(&w, *state, true, &never);
	assert_int_equal(w.rows.count, 2);
	check_row(w.rows.at[0], 0, "tcp", "10.0.0.10:8080,10.0.1.10:8080");
	assert_int_equal(json_object_size(json_object_get(w.rows.at[0]->columns, "ip_port_mappings")), 0);
	wish_free(&w);
}

/* A balancer with a private frontend exists without a gateway, too. */
static void test_private(void **state)
{
	struct wish w;
	const struct load_balancer private = {.front = make_id("port", 7, 0)};
	plan(&w, *state, false, &private);
	assert_int_equal(w.rows.count, 3);
	check_row(w.rows.at[0], 0, "tcp", "10.0.0.10:8080,10.0.1.10:8080");
	wish_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_rows),
		ctx_test(test_who_is_asked),
		ctx_test(test_without_a_way_in),
		ctx_test(test_how_they_are_asked),
		ctx_test(test_unasked),
		ctx_test(test_private),
	};
	return cmocka_run_group_tests_name("balancer_ovn", tests, NULL, NULL);
}
