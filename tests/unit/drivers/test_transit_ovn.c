/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways as northbound rows: the two ends of links, the tables of the gateway's ports, and routes at both
 * ends. A second look at the same wish finds nothing to do. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"
#include "ovn_model.h"

enum { VPCS = 2, ROUTES = 4 };

struct lab {
	struct ctx *ctx;
	struct model model;
	struct transit_gateway gateway;
	struct router routers[VPCS];
	struct transit_attachment rows[VPCS];
	const struct transit_attachment *attachments[VPCS];
	struct network_transit_route routes[ROUTES];
	size_t op_count; /* operations that the last apply sent */
};

static void apply(struct lab *lab, struct wish *wish)
{
	struct ovsdb_cache cache;
	json_t *ops = NULL;
	assert_false(wish->failed);
	model_load(&lab->model, &cache);
	assert_ok(wish_diff(lab->ctx, wish, &cache, &ops));
	lab->op_count = json_array_size(ops);
	if (ops)
		model_commit(&lab->model, ops);
	json_decref(ops);
	ovsdb_cache_done(&cache);
	wish_free(wish);
}

static void apply_gateway(struct lab *lab)
{
	struct wish wish;
	const struct network_transit n = {&lab->gateway, lab->attachments, VPCS, lab->routes, ROUTES};
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), lab->gateway.row.id, NB_TRANSIT);
	nb_plan_transit(&wish, &n);
	apply(lab, &wish);
}

/* A VPC with one route to the gateway, of this destination. */
static void apply_vpc(struct lab *lab, size_t n, const char *destination)
{
	struct wish wish;
	uuid table = make_id("table", n, 0);
	struct route route = {.row.id = make_id("route", n, 0),
			      .table = table,
			      .destination = make_cidr(destination),
			      .transit_gateway = lab->gateway.row.id};
	const struct network_route routes[] = {{.route = &route}};
	const struct network_router router = {.router = &lab->routers[n],
					      .tables = &table,
					      .table_count = 1,
					      .routes = routes,
					      .route_count = 1,
					      .attachments = &lab->attachments[n],
					      .attachment_count = 1};
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), lab->routers[n].row.id, NB_ROUTER);
	nb_plan_router(&wish, &router);
	apply(lab, &wish);
}

static void init_lab(void **state, struct lab *lab)
{
	*lab = (struct lab){.ctx = *state, .gateway.row.id = make_id("gateway", 0, 0)};
	for (size_t k = 0; k < VPCS; k++) {
		lab->routers[k].row.id = make_id("router", k, 0);
		lab->rows[k] = (struct transit_attachment){.row.id = make_id("attachment", k, 0),
							   .gateway = lab->gateway.row.id,
							   .router = lab->routers[k].row.id,
							   .link = (int64_t) k};
		lab->attachments[k] = &lab->rows[k];
	}
	lab->rows[0].table = make_id("transit table", 0, 0);
	const struct network_transit_route routes[ROUTES] = {
		{lab->rows[0].table, make_cidr("10.1.0.0/16"), &lab->rows[0]},
		{lab->rows[0].table, make_cidr("10.2.0.0/16"), &lab->rows[1]},
		{lab->rows[0].table, make_cidr("10.3.0.0/16"), NULL},
		{lab->rows[0].table, make_cidr("2001:db8::/56"), &lab->rows[1]},
	};
	memcpy(lab->routes, routes, sizeof routes);
	model_init(&lab->model, &nb_schema);
}

/* Writes where the router leads the prefix: its next hop and port; "": no route, or no port. */
static const char *find_way(const struct lab *lab, const char *prefix, const char *column)
{
	const char *id;
	const json_t *row;
	json_object_foreach ((json_t *) json_object_get(lab->model.tables, "Logical_Router_Static_Route"), id,
			     row) {
		const char *to = json_string_value(json_object_get(row, "ip_prefix"));
		const char *value = json_string_value(json_object_get(row, column));
		if (to && strcmp(to, prefix) == 0)
			return value ? value : "";
	}
	return "";
}

/* Route table of the gateway's port to that VPC. */
static const char *find_table(const struct lab *lab, size_t n)
{
	const json_t *port = model_find(&lab->model, "Logical_Router_Port",
					uuid_v5(lab->rows[n].row.id, STR("gateway-lrp")));
	const char *table =
		json_string_value(json_object_get(json_object_get(port, "options"), "route_table"));
	return table ? table : "";
}

static void test_gateway(void **state)
{
	struct lab lab;
	char name[NB_NAME_SIZE];
	init_lab(state, &lab);
	apply_gateway(&lab);
	assert_true(lab.op_count > 0);
	assert_string_equal(find_way(&lab, "10.1.0.0/16", "nexthop"), "169.254.224.0");
	assert_string_equal(find_way(&lab, "10.2.0.0/16", "nexthop"), "169.254.224.2");
	assert_string_equal(find_way(&lab, "10.2.0.0/16", "output_port"),
			    nb_write_name("tg-", lab.rows[1].row.id, name));
	assert_string_equal(find_way(&lab, "10.3.0.0/16", "nexthop"), "discard");
	assert_string_equal(find_way(&lab, "2001:db8::/56", "nexthop"), "discard"); /* without ipv6_support */
	assert_string_equal(find_table(&lab, 0), nb_write_hex("rt_", lab.rows[0].table, name));
	/* not associated: a table of its own, in which no route is */
	assert_string_equal(find_table(&lab, 1), nb_write_hex("rt_", lab.rows[1].row.id, name));
	apply_gateway(&lab);
	assert_int_equal(lab.op_count, 0);
	lab.rows[1].ipv6_support = true;
	apply_gateway(&lab);
	assert_true(strncmp(find_way(&lab, "2001:db8::/56", "nexthop"), "fe80::", 6) == 0);
	struct wish none;
	wish_init(&none, lab.ctx->arena, make_id("region", 0, 0), lab.gateway.row.id, NB_TRANSIT);
	apply(&lab, &none);
	assert_int_equal(model_count(&lab.model, "Logical_Router"), 0);
	assert_int_equal(model_count(&lab.model, "Logical_Router_Static_Route"), 0);
	model_done(&lab.model);
}

static void test_vpc(void **state)
{
	struct lab lab;
	char name[NB_NAME_SIZE];
	init_lab(state, &lab);
	apply_vpc(&lab, 0, "10.0.0.0/8");
	assert_string_equal(find_way(&lab, "10.0.0.0/8", "nexthop"), "169.254.224.1");
	assert_string_equal(find_way(&lab, "10.0.0.0/8", "output_port"),
			    nb_write_name("tv-", lab.rows[0].row.id, name));
	uuid port = uuid_v5(lab.rows[0].row.id, STR("vpc-lrp"));
	const json_t *row = model_find(&lab.model, "Logical_Router_Port", port);
	assert_string_equal(json_string_value(json_object_get(row, "peer")),
			    nb_write_name("tg-", lab.rows[0].row.id, name));
	assert_int_equal(json_object_size(json_object_get(row, "options")), 0);
	apply_vpc(&lab, 0, "2001:db8::/32");
	assert_string_equal(find_way(&lab, "2001:db8::/32", "nexthop"), "discard");
	lab.rows[0].gateway = make_id("gateway", 1, 0); /* attached elsewhere */
	apply_vpc(&lab, 0, "10.0.0.0/8");
	assert_string_equal(find_way(&lab, "10.0.0.0/8", "nexthop"), "discard");
	model_done(&lab.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_gateway),
		ctx_test(test_vpc),
	};
	return cmocka_run_group_tests_name("transit_ovn", tests, NULL, NULL);
}
