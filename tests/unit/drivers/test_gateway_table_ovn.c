/* SPDX-License-Identifier: Apache-2.0
 * A gateway's route table as northbound rows, and routes within a router's blocks. OVN prefers a connected
 * network to a route of the same prefix: so such routes go by halves of the router's subnets. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "ovn_model.h"

enum { SUBNETS = 2 };

static size_t count_ways(const struct wish *w, const char *prefix, const char *hop)
{
	size_t count = 0;
	for (size_t k = 0; k < w->rows.count; k++) {
		const json_t *columns = w->rows.at[k]->columns;
		const char *to = json_string_value(json_object_get(columns, "ip_prefix"));
		const char *over = json_string_value(json_object_get(columns, "nexthop"));
		count += to && over && strcmp(to, prefix) == 0 && strcmp(over, hop) == 0;
	}
	return count;
}

/* Plans a route of the gateway's table to this destination. other: a second route's destination, to a port
 * that does not exist, or NULL. */
static void plan(struct wish *w, struct ctx *c, const char *destination, const char *other)
{
	struct router router = {.row.id = make_id("router", 0, 0)};
	struct cidr blocks[] = {make_cidr("10.0.0.0/16")};
	struct subnet rows[SUBNETS] = {
		{.row.id = make_id("subnet", 0, 0), .block = make_cidr("10.0.0.0/24")},
		{.row.id = make_id("subnet", 0, 1), .block = make_cidr("10.0.1.0/24")}};
	struct network_subnet subnets[SUBNETS] = {{.subnet = &rows[0]}, {.subnet = &rows[1]}};
	struct port port = {.row.id = make_id("port", 0, 0), .router = router.row.id};
	struct gateway gateway = {.row.id = make_id("gateway", 0, 0),
				  .router = router.row.id,
				  .ip = make_ip("100.64.0.10"),
				  .route_table = make_id("table", 0, 0)};
	struct external_network external = {.row.id = make_id("external", 0, 0)};
	struct route way = {.row.id = make_id("route", 0, 0),
			    .table = gateway.route_table,
			    .destination = make_cidr(destination),
			    .port = port.row.id};
	struct route nowhere = way;
	nowhere.row.id = make_id("route", 0, 1);
	nowhere.destination = make_cidr(other ? other : "192.0.2.0/24");
	struct network_route routes[] = {{&way, &port, make_ip("10.0.0.9")}, {.route = &nowhere}};
	router.blocks = (struct cidrs){blocks, 1};
	struct network_router n = {.router = &router,
				   .subnets = subnets,
				   .subnet_count = SUBNETS,
				   .tables = &gateway.route_table,
				   .table_count = 1,
				   .routes = routes,
				   .route_count = other ? 2 : 1,
				   .gateway = &gateway,
				   .external = &external,
				   .gateway_chassis = STR("hv1")};
	wish_init(w, c->arena, make_id("region", 0, 0), router.row.id, NB_ROUTER);
	nb_plan_router(w, &n);
	assert_false(w->failed);
}

static void test_gateway_port(void **state)
{
	struct wish w;
	char name[NB_NAME_SIZE];
	uuid id = uuid_v5(make_id("router", 0, 0), STR("gw-lrp"));
	const char *table = NULL;
	plan(&w, *state, "10.0.1.0/24", NULL);
	for (size_t k = 0; k < w.rows.count; k++)
		if (uuid_equal(w.rows.at[k]->id, id))
			table = json_string_value(json_object_get(
				json_object_get(w.rows.at[k]->columns, "options"), "route_table"));
	assert_non_null(table);
	assert_string_equal(table, nb_write_hex("rt_", make_id("table", 0, 0), name));
	wish_free(&w);
}

static void test_halves(void **state)
{
	static const struct {
		const char *destination, *other;
		size_t of_first, of_second, discarded; /* ways of their lower halves */
	} rows[] = {
		{"10.0.1.0/24", NULL, 0, 1, 0},
		{"10.0.0.0/16", NULL, 1, 1, 0},          /* the local route's: each subnet */
		{"10.0.0.0/16", "10.0.1.0/24", 1, 0, 1}, /* but one that has its own */
		{"10.0.0.0/8", NULL, 0, 0, 0},           /* wider than the local route: behind it */
	};
	for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct wish w;
		plan(&w, *state, rows[n].destination, rows[n].other);
		assert_int_equal(count_ways(&w, rows[n].destination, "10.0.0.9"), 1);
		assert_int_equal(count_ways(&w, "10.0.0.0/25", "10.0.0.9"), rows[n].of_first);
		assert_int_equal(count_ways(&w, "10.0.0.128/25", "10.0.0.9"), rows[n].of_first);
		assert_int_equal(count_ways(&w, "10.0.1.128/25", "10.0.0.9"), rows[n].of_second);
		assert_int_equal(count_ways(&w, "10.0.1.128/25", "discard"), rows[n].discarded);
		wish_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_gateway_port),
		ctx_test(test_halves),
	};
	return cmocka_run_group_tests_name("gateway_table_ovn", tests, NULL, NULL);
}
