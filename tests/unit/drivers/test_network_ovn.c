/* SPDX-License-Identifier: Apache-2.0
 * OVN's plans and the diff engine against a miniature database: a known world row by row (golden),
 * the matches of rules, and random changes, after each of which a second look finds nothing to do
 * and the database equals one built from nothing.
 *     test_network_ovn GOLDEN [accept]       accept: rewrite GOLDEN */
#include "../base/test_base.h"

#include <string.h>

#include "base/random.h"
#include "drivers/ovn/nb.h"
#include "ovn_model.h"

enum {
	ROUTERS = 2,
	SUBNETS = 4,
	GROUPS = 3,
	RULES = 4,
	PORTS = 6,
	ADDRESSES = 3,
	ROUTES = 2,
	FORWARDINGS = 2
};

/* All resources of a small cloud, with switches for their existence. */
struct world {
	struct router routers[ROUTERS];
	struct gateway gateways[ROUTERS];
	bool attached[ROUTERS];
	struct network networks[ROUTERS][SUBNETS];
	struct subnet subnets[ROUTERS][SUBNETS];
	bool has_subnet[ROUTERS][SUBNETS]; /* the first two always */
	struct route routes[ROUTERS][ROUTES];
	bool has_route[ROUTERS][ROUTES];
	struct nat_gateway nats[ROUTERS];
	struct port nat_ports[ROUTERS];
	struct ip nat_ips[ROUTERS][2]; /* further ones */
	size_t nat_ip_count[ROUTERS];
	bool has_nat[ROUTERS];
	struct port_forwarding forwardings[ROUTERS][FORWARDINGS];
	size_t forwarding_count[ROUTERS];
	struct peering peering; /* between the first and the second router */
	bool has_peering[ROUTERS];
	struct security_group groups[GROUPS];
	struct security_group_rule rules[GROUPS][RULES];
	bool has_rule[GROUPS][RULES];
	struct port ports[PORTS];
	bool has_port[PORTS], named[PORTS];
	struct ip secondaries[PORTS][2];
	size_t secondary_count[PORTS];
	struct str chassis[PORTS];
	uuid memberships[PORTS][GROUPS];
	struct address addresses[ADDRESSES];
	bool has_address[ADDRESSES];
	struct external_network external;
	struct cidr blocks[2];
	uuid region;
};

static const char *golden_path;
static bool golden_accept;

static void init_router(struct world *w, size_t r)
{
	w->routers[r] = (struct router){.row.id = make_id("router", r, 0),
					.dns_support = true,
					.dns_hostnames = true,
					.blocks = {w->blocks, 2}};
	w->gateways[r] = (struct gateway){.row.id = make_id("gateway", r, 0), .ip = make_ip("100.64.0.10")};
	w->gateways[r].ip = ip_add(w->gateways[r].ip, r);
	for (size_t s = 0; s < SUBNETS; s++) {
		struct subnet *subnet = &w->subnets[r][s];
		subnet->row.id = make_id("subnet", r, s);
		subnet->network = make_id("network", r, s);
		w->networks[r][s] = (struct network){.row.id = subnet->network, .mtu = 1442};
		subnet->router = w->routers[r].row.id;
		subnet->block = make_cidr(s == 3 ? "192.168.9.0/24" : "10.0.0.0/24");
		subnet->block.base.b[2] = (uint8_t) (subnet->block.base.b[2] + (s == 3 ? 0 : s));
		subnet->gateway_ip = ip_add(subnet->block.base, 1);
		subnet->gateway_mac = (struct mac){{2, 0, 0, 0, (uint8_t) r, (uint8_t) s}};
		subnet->route_table = make_id("table", r, s % 2);
		w->has_subnet[r][s] = s < 2;
	}
	w->nats[r].row.id = make_id("nat", r, 0);
	w->nat_ports[r] =
		(struct port){.row.id = make_id("nat port", r, 0), .mac = {{2, 2, 0, 0, 0, (uint8_t) r}}};
	w->nat_ports[r].ip = ip_add(w->subnets[r][1].block.base, 5);
	w->nat_ips[r][0] = ip_add(w->nat_ports[r].ip, 1);
	w->nat_ips[r][1] = ip_add(w->nat_ports[r].ip, 2);
	make_forwardings(r, w->forwardings[r]);
	w->forwarding_count[r] = FORWARDINGS;
	for (size_t k = 0; k < ROUTES; k++) {
		w->routes[r][k] = (struct route){.row.id = make_id("route", r, k),
						 .table = make_id("table", r, k),
						 .destination = make_cidr("0.0.0.0/0")};
		if (k == 0)
			w->routes[r][k].gateway = w->gateways[r].row.id;
		else
			w->routes[r][k].port = make_id("port", r, 0);
	}
}

static void init_group(struct world *w, size_t g)
{
	static const int64_t protocols[RULES] = {6, 17, 1, -1};
	w->groups[g].row.id = make_id("group", g, 0);
	for (size_t k = 0; k < RULES; k++) {
		struct security_group_rule *rule = &w->rules[g][k];
		*rule = (struct security_group_rule){.row.id = make_id("rule", g, k),
						     .group = w->groups[g].row.id,
						     .protocol = protocols[k],
						     .from_port = k == 0 ? 80 : -1,
						     .to_port = k == 0 ? 81 : -1};
		rule->direction =
			k == 3 ? SECURITY_GROUP_RULE_DIRECTION_EGRESS : SECURITY_GROUP_RULE_DIRECTION_INGRESS;
		if (k == 0)
			rule->peer_group = make_id("group", (g + 1) % GROUPS, 0);
		else
			rule->peer_block = make_cidr("0.0.0.0/0");
		w->has_rule[g][k] = k != 2;
	}
}

static void init_port(struct world *w, size_t p)
{
	size_t r = p % ROUTERS, s = p / ROUTERS % 2;
	struct port *port = &w->ports[p];
	*port = (struct port){.row.id = make_id("port", r, p / ROUTERS),
			      .router = w->routers[r].row.id,
			      .network = w->subnets[r][s].network,
			      .subnet = w->subnets[r][s].row.id,
			      .mac = {{2, 1, 0, 0, 0, (uint8_t) p}},
			      .source_dest_check = p != 1};
	port->ip = ip_add(w->subnets[r][s].block.base, 10 + p);
	w->memberships[p][0] = w->groups[p % GROUPS].row.id;
	port->groups = (struct uuids){w->memberships[p], p == 5 ? 0 : 1};
	w->chassis[p] = p == 4 ? STR_NONE : STR("hv1");
	w->has_port[p] = w->named[p] = true;
	for (size_t k = 0; k < 2; k++)
		w->secondaries[p][k] = ip_add(w->ports[p].ip, 100 * (k + 1));
}

static void init_world(struct world *w)
{
	*w = (struct world){.region = make_id("region", 0, 0)};
	w->external = (struct external_network){.row.id = make_id("external", 0, 0),
						.physical_network = STR("physnet1"),
						.next_hop = make_ip("100.64.0.1")};
	w->blocks[0] = make_cidr("10.0.0.0/16");
	w->blocks[1] = make_cidr("fd00::/64");
	for (size_t r = 0; r < ROUTERS; r++)
		init_router(w, r);
	for (size_t g = 0; g < GROUPS; g++)
		init_group(w, g);
	for (size_t p = 0; p < PORTS; p++)
		init_port(w, p);
	w->attached[0] = w->has_nat[0] = w->has_peering[0] = w->has_peering[1] = true;
	w->peering = (struct peering){.row.id = make_id("peering", 0, 0),
				      .router = w->routers[0].row.id,
				      .peer_router = w->routers[1].row.id,
				      .link = 3};
	w->routes[1][1].peering = w->peering.row.id;
	w->has_route[1][1] = true;
	w->has_route[0][0] = w->has_route[0][1] = w->has_route[1][0] = true;
	for (size_t a = 0; a < ADDRESSES; a++)
		w->addresses[a] =
			(struct address){.row.id = make_id("address", a, 0), .ip = make_ip("203.0.113.1")};
	for (size_t a = 0; a < ADDRESSES; a++)
		w->addresses[a].ip = ip_add(w->addresses[a].ip, a);
	w->has_address[0] = true;
}

/* ---- a wish to the database ---- */

struct lab {
	struct ctx *ctx;
	struct model model;
	const struct world *world;
	size_t op_count; /* operations of the last commit */
};

static void commit_wish(struct lab *lab, struct wish *wish)
{
	struct ovsdb_cache cache;
	char id[UUID_TEXT_SIZE];
	json_t *ops = NULL;
	model_load(&lab->model, &cache);
	nb_plan_forget_names(wish,
			     ovsdb_cache_row(&cache, "Logical_Switch_Port", uuid_write(wish->scope, id)));
	assert_ok(wish_diff(lab->ctx, wish, &cache, &ops));
	lab->op_count = json_array_size(ops);
	if (ops)
		model_commit(&lab->model, ops);
	json_decref(ops);
	ovsdb_cache_done(&cache);
	wish_free(wish);
}

static void plan_world_router(struct lab *lab, size_t r, struct wish *wish)
{
	const struct world *w = lab->world;
	struct network_subnet subnets[SUBNETS];
	struct network_route routes[ROUTES];
	const struct peering *peering = &w->peering;
	struct network_nat nat = {&w->nats[r],
				  &w->nat_ports[r],
				  &w->subnets[r][1],
				  STR("hv2"),
				  {w->nat_ips[r], w->nat_ip_count[r]}};
	struct ip ip = make_ip("198.51.100.7");
	struct network_forwarding forwardings[] = {{&w->forwardings[r][0], ip}, {&w->forwardings[r][1], ip}};
	uuid tables[] = {make_id("table", r, 0), make_id("table", r, 1)};
	struct network_router n = {.router = &w->routers[r],
				   .subnets = subnets,
				   .tables = tables,
				   .table_count = 2,
				   .routes = routes,
				   .nats = &nat,
				   .nat_count = w->has_nat[r],
				   .forwardings = forwardings,
				   .forwarding_count = w->forwarding_count[r],
				   .peerings = &peering,
				   .peering_count = w->has_peering[r],
				   .metadata_mac = {{2, 0xa9, 0, 0, 0, (uint8_t) r}},
				   .metadata_chassis = STR("ctl"),
				   .gateway_chassis = STR("hv1, hv2")};
	for (size_t s = 0; s < SUBNETS; s++)
		if (w->has_subnet[r][s])
			subnets[n.subnet_count++] = (struct network_subnet){&w->subnets[r][s], NULL,
									    w->subnets[r][s].route_table};
	for (size_t k = 0; k < ROUTES; k++)
		if (w->has_route[r][k])
			routes[n.route_count++] = (struct network_route){
				&w->routes[r][k], uuid_is_none(w->routes[r][k].port) ? NULL : &w->ports[r],
				w->ports[r].ip};
	if (w->attached[r]) {
		n.gateway = &w->gateways[r];
		n.external = &w->external;
	}
	wish_init(wish, lab->ctx->arena, w->region, w->routers[r].row.id, NB_ROUTER);
	nb_plan_router(wish, &n);
}

static void plan_world_network(struct lab *lab, size_t r, size_t s, struct wish *wish)
{
	const struct world *w = lab->world;
	const struct subnet *subnet = &w->subnets[r][s];
	struct network_segment n = {.network = &w->networks[r][s],
				    .subnets = &subnet,
				    .subnet_count = 1,
				    .domain_name = STR("ec2.internal")};
	wish_init(wish, lab->ctx->arena, w->region, w->networks[r][s].row.id, NB_NETWORK);
	nb_plan_network(wish, &n);
}

/* With its networks: those that it is in before it, those that it is in no more after it. */
static void apply_router(struct lab *lab, size_t r)
{
	struct wish wish;
	size_t ops = 0;
	for (size_t s = 0; s < SUBNETS; s++) {
		if (!lab->world->has_subnet[r][s])
			continue;
		plan_world_network(lab, r, s, &wish);
		commit_wish(lab, &wish);
		ops += lab->op_count;
	}
	plan_world_router(lab, r, &wish);
	commit_wish(lab, &wish);
	ops += lab->op_count;
	for (size_t s = 0; s < SUBNETS; s++) {
		if (lab->world->has_subnet[r][s])
			continue;
		wish_init(&wish, lab->ctx->arena, lab->world->region, lab->world->networks[r][s].row.id,
			  NB_NETWORK);
		commit_wish(lab, &wish);
		ops += lab->op_count;
	}
	lab->op_count = ops;
}

static void apply_group(struct lab *lab, size_t g)
{
	struct wish wish;
	const struct security_group_rule *rules[RULES];
	struct network_group n = {.group = &lab->world->groups[g], .rules = rules};
	for (size_t k = 0; k < RULES; k++)
		if (lab->world->has_rule[g][k])
			rules[n.rule_count++] = &lab->world->rules[g][k];
	wish_init(&wish, lab->ctx->arena, lab->world->region, n.group->row.id, NB_GROUP);
	nb_plan_group(&wish, &n);
	commit_wish(lab, &wish);
}

static void apply_port(struct lab *lab, size_t p)
{
	const struct world *w = lab->world;
	struct wish wish;
	struct network_port n = {.port = &w->ports[p],
				 .subnet = &w->subnets[p % ROUTERS][p / ROUTERS % 2],
				 .chassis = w->chassis[p],
				 .secondaries = {w->secondaries[p], w->secondary_count[p]},
				 .domain_name = STR("EC2.internal"), /* the keys must be in small letters */
				 .has_names = w->named[p]};
	wish_init(&wish, lab->ctx->arena, w->region, w->ports[p].row.id, NB_PORT);
	if (w->has_port[p])
		nb_plan_port(&wish, &n);
	commit_wish(lab, &wish);
}

static void apply_address(struct lab *lab, size_t a)
{
	const struct world *w = lab->world;
	struct wish wish;
	struct network_address n = {&w->addresses[a], w->routers[a % ROUTERS].row.id, &w->ports[a]};
	wish_init(&wish, lab->ctx->arena, w->region, w->addresses[a].row.id, NB_ADDRESS);
	if (w->has_address[a])
		nb_plan_address(&wish, &n);
	commit_wish(lab, &wish);
}

static size_t apply_all(struct lab *lab)
{
	size_t ops = 0;
	for (size_t r = 0; r < ROUTERS; r++, ops += lab->op_count)
		apply_router(lab, r);
	for (size_t g = 0; g < GROUPS; g++, ops += lab->op_count)
		apply_group(lab, g);
	for (size_t p = 0; p < PORTS; p++, ops += lab->op_count)
		apply_port(lab, p);
	for (size_t a = 0; a < ADDRESSES; a++, ops += lab->op_count)
		apply_address(lab, a);
	return ops;
}

static struct lab make_lab(void **state, const struct world *w)
{
	struct lab lab = {.ctx = *state, .world = w};
	model_init(&lab.model, &nb_schema);
	return lab;
}

/* ---- tests ---- */

static void test_known_world(void **state)
{
	static struct world w;
	init_world(&w);
	w.secondary_count[1] = 2;
	struct lab lab = make_lab(state, &w);
	apply_all(&lab);
	json_error_t error;
	if (golden_accept)
		assert_int_equal(
			json_dump_file(lab.model.tables, golden_path, JSON_INDENT(1) | JSON_SORT_KEYS), 0);
	json_t *golden = json_load_file(golden_path, 0, &error);
	assert_non_null(golden);
	const char *table;
	json_t *rows;
	json_object_foreach (golden, table, rows) {
		if (json_equal(rows, json_object_get(lab.model.tables, table)))
			continue;
		char *text =
			json_dumps(json_object_get(lab.model.tables, table), JSON_INDENT(1) | JSON_SORT_KEYS);
		print_error("%s differs; it is now\n%s\n", table, text);
		free(text);
		fail();
	}
	json_decref(golden);
	model_done(&lab.model);
}

static void test_second_time_does_nothing(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	assert_true(apply_all(&lab) > 100);
	assert_int_equal(apply_all(&lab), 0);
	model_done(&lab.model);
}

static void add_stranger(struct model *m, const char *region)
{
	json_t *ids =
		region ? json_pack("{s:s,s:s}", "dari-region", region, "dari-scope", region) : json_object();
	char id[UUID_TEXT_SIZE];
	uuid_write(uuid_v5(make_id("stranger", 0, 0), str_from(region ? region : "")), id);
	json_object_set_new(json_object_get(m->tables, "Logical_Switch"), id,
			    json_pack("{s:s,s:o}", "name", "theirs", "external_ids", ids));
	json_object_set_new(json_object_get(m->tables, "Port_Group"), id,
			    json_pack("{s:s,s:{}}", "name", id, "external_ids"));
}

static void test_all_goes_but_strangers(void **state)
{
	static struct world w, none;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	add_stranger(&lab.model, NULL);
	add_stranger(&lab.model, "11111111-1111-1111-1111-111111111111");
	apply_all(&lab);
	none = w;
	memset(none.has_port, 0, sizeof none.has_port);
	memset(none.has_address, 0, sizeof none.has_address);
	lab.world = &none;
	for (size_t k = 0; k < PORTS; k++)
		apply_port(&lab, k);
	for (size_t k = 0; k < ADDRESSES; k++)
		apply_address(&lab, k);
	char dns[UUID_TEXT_SIZE];
	const json_t *row = json_object_get(json_object_get(lab.model.tables, "DNS"),
					    uuid_write(nb_dns_id(w.routers[0].row.id), dns));
	assert_int_equal(json_object_size(json_object_get(row, "records")), 0);
	for (size_t k = 0; k < ROUTERS + GROUPS; k++) {
		struct wish wish;
		wish_init(&wish, lab.ctx->arena, w.region,
			  k < ROUTERS ? w.routers[k].row.id : w.groups[k - ROUTERS].row.id, "");
		commit_wish(&lab, &wish);
	}
	for (size_t k = 0; k < ROUTERS * SUBNETS; k++) {
		struct wish wish;
		uuid network = w.networks[k / SUBNETS][k % SUBNETS].row.id;
		wish_init(&wish, lab.ctx->arena, w.region, network, NB_NETWORK);
		commit_wish(&lab, &wish);
	}
	/* what is shared stays: the driver sweeps it when unused */
	assert_int_equal(model_count(&lab.model, "Logical_Switch"), 3);
	assert_int_equal(model_count(&lab.model, "Logical_Switch_Port"), 1);
	assert_int_equal(model_count(&lab.model, "Port_Group"), 3);
	assert_int_equal(model_count(&lab.model, "ACL"), 4);
	static const char *const empty[] = {"Logical_Router",
					    "Logical_Router_Port",
					    "Logical_Router_Static_Route",
					    "DHCP_Options",
					    "DNS",
					    "NAT",
					    "Gateway_Chassis"};
	for (size_t k = 0; k < sizeof empty / sizeof empty[0]; k++)
		assert_int_equal(model_count(&lab.model, empty[k]), 0);
	model_done(&lab.model);
}

static void toggle(bool *b)
{
	*b = !*b;
}

static void change_world(struct world *w)
{
	size_t r = random_below(ROUTERS), p = random_below(PORTS), g = random_below(GROUPS);
	switch (random_below(12)) {
	case 0:
		toggle(&w->attached[r]);
		break;
	case 1:
		toggle(&w->has_subnet[r][2 + random_below(2)]);
		break;
	case 2:
		toggle(&w->has_route[r][random_below(ROUTES)]);
		break;
	case 3:
		toggle(&w->has_rule[g][random_below(RULES)]);
		break;
	case 4:
		toggle(&w->has_port[p]);
		break;
	case 5:
		toggle(&w->named[p]);
		w->secondary_count[p] = random_below(3);
		break;
	case 6:
		w->chassis[p] = random_below(2) ? STR("hv2") : STR_NONE;
		toggle(&w->ports[p].source_dest_check);
		break;
	case 7:
		w->ports[p].groups.count = random_below(GROUPS + 1);
		for (size_t k = 0; k < GROUPS; k++)
			w->memberships[p][k] = w->groups[(g + k) % GROUPS].row.id;
		break;
	case 8:
		toggle(&w->has_address[random_below(ADDRESSES)]);
		break;
	case 9:
		toggle(random_below(2) ? &w->has_nat[r] : &w->has_peering[r]);
		w->nat_ip_count[r] = random_below(3);
		break;
	case 10:
		w->forwarding_count[r] = random_below(3);
		break;
	default:
		toggle(&w->routers[r].dns_support);
		w->subnets[r][0].route_table = make_id("table", r, random_below(2));
		break;
	}
}

static void check_equal_models(const struct lab *a, const struct lab *b)
{
	static const char *const tables[] = {"Logical_Router",
					     "Logical_Router_Port",
					     "Logical_Router_Static_Route",
					     "DHCP_Options",
					     "DNS",
					     "NAT",
					     "Load_Balancer",
					     "Gateway_Chassis"};
	model_check_has(&a->model, &b->model);
	for (size_t k = 0; k < sizeof tables / sizeof tables[0]; k++) /* without shared rows */
		assert_int_equal(model_count(&a->model, tables[k]), model_count(&b->model, tables[k]));
}

static void test_random_changes_converge(void **state)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		static struct world w;
		struct ctx *c = *state;
		random_set_seed(seed);
		init_world(&w);
		struct lab lab = make_lab(state, &w), fresh = make_lab(state, &w);
		for (int round = 0; round < 8; round++) {
			arena_reset(c->arena);
			for (uint64_t k = random_below(6); k > 0; k--)
				change_world(&w);
			apply_all(&lab);
			arena_reset(c->arena);
			assert_int_equal(apply_all(&lab), 0);
		}
		apply_all(&fresh);
		check_equal_models(&lab, &fresh);
		model_done(&lab.model);
		model_done(&fresh.model);
	}
	random_set_seed(0);
}

static struct result diff_only(struct lab *lab, struct wish *wish, json_t **ret_ops)
{
	struct ovsdb_cache cache;
	model_load(&lab->model, &cache);
	struct result r = wish_diff(lab->ctx, wish, &cache, ret_ops);
	ovsdb_cache_done(&cache);
	wish_free(wish);
	return r;
}

static void test_what_is_missing_is_waited_for(void **state)
{
	static struct world w;
	json_t *ops = NULL;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	struct wish wish;
	struct network_port n = {.port = &w.ports[0], .subnet = &w.subnets[0][0], .chassis = STR("hv1")};
	wish_init(&wish, lab.ctx->arena, w.region, w.ports[0].row.id, NB_PORT);
	nb_plan_port(&wish, &n);
	assert_err(diff_only(&lab, &wish, &ops), AGAIN);
	apply_router(&lab, 0);
	ctx_clear_problem(lab.ctx);
	wish_init(&wish, lab.ctx->arena, w.region, w.ports[0].row.id, NB_PORT);
	nb_plan_port(&wish, &n);
	assert_err(diff_only(&lab, &wish, &ops), AGAIN); /* its group */
	assert_null(ops);
	ctx_clear_problem(lab.ctx);
	struct network_address a = {&w.addresses[0], w.routers[1].row.id, &w.ports[0]};
	wish_init(&wish, lab.ctx->arena, w.region, w.addresses[0].row.id, NB_ADDRESS);
	nb_plan_address(&wish, &a);
	assert_err(diff_only(&lab, &wish, &ops), AGAIN);
	model_done(&lab.model);
}

/* Whether a network can be removed now. */
static struct result try_remove_network(struct lab *lab, size_t r, size_t s)
{
	struct wish wish;
	json_t *ops = NULL;
	wish_init(&wish, lab->ctx->arena, lab->world->region, lab->world->networks[r][s].row.id, NB_NETWORK);
	struct result result = diff_only(lab, &wish, &ops);
	json_decref(ops);
	ctx_clear_problem(lab->ctx);
	return result;
}

/* A network stays as long as a router or a port is in it. */
static void test_ports_keep_their_switch(void **state)
{
	static struct world w, less;
	struct wish wish;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	apply_all(&lab);
	assert_err(try_remove_network(&lab, 0, 0), AGAIN);
	less = w;
	lab.world = &less;
	for (size_t k = 0; k < PORTS; k += ROUTERS) {
		less.has_port[k] = false;
		apply_port(&lab, k);
	}
	assert_err(try_remove_network(&lab, 0, 0), AGAIN); /* the router */
	less.has_subnet[0][0] = false;
	plan_world_router(&lab, 0, &wish);
	commit_wish(&lab, &wish);
	assert_ok(try_remove_network(&lab, 0, 0));
	apply_router(&lab, 0);
	char id[UUID_TEXT_SIZE];
	assert_null(json_object_get(json_object_get(lab.model.tables, "Logical_Switch"),
				    uuid_write(w.networks[0][0].row.id, id)));
	apply_router(&lab, 0);
	assert_int_equal(lab.op_count, 0);
	model_done(&lab.model);
}

static const json_t *dhcp_of(struct lab *lab, const struct subnet *subnet)
{
	char id[UUID_TEXT_SIZE];
	uuid_write(uuid_v5(subnet->row.id, STR("dhcp")), id);
	const json_t *row = json_object_get(json_object_get(lab->model.tables, "DHCP_Options"), id);
	return json_object_get(row, "options");
}

static const char *option_of(struct lab *lab, const struct subnet *subnet, const char *option)
{
	return json_string_value(json_object_get(dhcp_of(lab, subnet), option));
}

static void commit_network(struct lab *lab, const struct world *w, const struct network_segment *n)
{
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, w->region, n->network->row.id, NB_NETWORK);
	nb_plan_network(&wish, n);
	commit_wish(lab, &wish);
}

static void test_resolvers(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	const struct subnet *subnet = &w.subnets[0][0];
	struct ip resolvers[] = {make_ip("192.0.2.1"), make_ip("192.0.2.2")};
	struct network_segment n = {
		.network = &w.networks[0][0], .subnets = &subnet, .subnet_count = 1, .resolvers = resolvers};
	static const char *const expected[] = {"169.254.169.253", "{169.254.169.253, 192.0.2.1}",
					       "{169.254.169.253, 192.0.2.1, 192.0.2.2}"};
	for (; n.resolver_count < 3; n.resolver_count++) {
		commit_network(&lab, &w, &n);
		assert_string_equal(option_of(&lab, subnet, "dns_server"), expected[n.resolver_count]);
	}
	w.subnets[0][0].dns_servers = (struct ips){&resolvers[1], 1};
	n.resolver_count = 1;
	commit_network(&lab, &w, &n);
	assert_string_equal(option_of(&lab, subnet, "dns_server"), "192.0.2.2");
	model_done(&lab.model);
}

/* DHCP options of a VPC's set, and the defaults for absent ones; a subnet's own resolvers take precedence. */
static void test_dhcp_options(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	const struct subnet *subnet = &w.subnets[0][0];
	struct ip region = make_ip("192.0.2.1"), ips[] = {make_ip("192.0.2.53"), make_ip("192.0.2.54")};
	struct dhcp_options set = {.dns_servers = {ips, 2},
				   .domain_name = STR("corp.example lab.example"),
				   .ntp_servers = {ips, 1},
				   .netbios_name_servers = {ips, 2},
				   .netbios_node_type = 2};
	const struct dhcp_options *sets[] = {&set};
	struct network_segment n = {.network = &w.networks[0][0],
				    .subnets = &subnet,
				    .options = sets,
				    .subnet_count = 1,
				    .resolvers = &region,
				    .resolver_count = 1,
				    .domain_name = STR("ec2.internal")};
	commit_network(&lab, &w, &n);
	assert_string_equal(option_of(&lab, subnet, "dns_server"), "{192.0.2.53, 192.0.2.54}");
	assert_string_equal(option_of(&lab, subnet, "domain_name"), "\"corp.example lab.example\"");
	assert_string_equal(option_of(&lab, subnet, "ntp_server"), "192.0.2.53");
	assert_string_equal(option_of(&lab, subnet, "netbios_name_server"), "{192.0.2.53, 192.0.2.54}");
	assert_string_equal(option_of(&lab, subnet, "netbios_node_type"), "2");
	w.subnets[0][0].dns_servers = (struct ips){&region, 1};
	commit_network(&lab, &w, &n);
	assert_string_equal(option_of(&lab, subnet, "dns_server"), "192.0.2.1");
	w.subnets[0][0].dns_servers.count = 0;
	set = (struct dhcp_options){.provided_dns = true};
	commit_network(&lab, &w, &n);
	assert_string_equal(option_of(&lab, subnet, "dns_server"), "{169.254.169.253, 192.0.2.1}");
	assert_null(option_of(&lab, subnet, "domain_name"));
	assert_null(option_of(&lab, subnet, "ntp_server"));
	set.provided_dns = false;
	commit_network(&lab, &w, &n);
	assert_null(option_of(&lab, subnet, "dns_server"));
	sets[0] = NULL;
	commit_network(&lab, &w, &n);
	assert_string_equal(option_of(&lab, subnet, "domain_name"), "\"ec2.internal\"");
	model_done(&lab.model);
}

/* Two subnets on one switch without a router: guests get their own subnet's options. */
static void test_a_network_without_router(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	struct subnet *first = &w.subnets[0][0], *second = &w.subnets[0][1];
	const struct subnet *both[] = {first, second};
	struct network_segment n = {.network = &w.networks[0][0], .subnets = both, .subnet_count = 2};
	struct cidr block = make_cidr("192.0.2.0/24");
	struct ip hop = make_ip("10.0.0.9");
	first->router = second->router = UUID_NONE;
	first->host_route_blocks = (struct cidrs){&block, 1};
	first->host_route_hops = (struct ips){&hop, 1};
	second->gateway_ip = (struct ip){0};
	commit_network(&lab, &w, &n);
	assert_int_equal(model_count(&lab.model, "Logical_Switch"), 1);
	assert_int_equal(model_count(&lab.model, "DHCP_Options"), 2);
	assert_string_equal(option_of(&lab, first, "classless_static_route"),
			    "{192.0.2.0/24,10.0.0.9, 0.0.0.0/0,10.0.0.1}");
	assert_string_equal(option_of(&lab, first, "router"), "10.0.0.1");
	assert_null(option_of(&lab, first, "dns_server"));
	assert_null(option_of(&lab, second, "router"));
	assert_null(option_of(&lab, second, "classless_static_route"));
	second->no_dhcp = true;
	commit_network(&lab, &w, &n);
	assert_int_equal(model_count(&lab.model, "DHCP_Options"), 1);
	model_done(&lab.model);
}

static size_t count_keys(struct lab *lab, const char *table, uuid row, const char *column)
{
	char id[UUID_TEXT_SIZE];
	uuid_write(row, id);
	return json_object_size(
		json_object_get(json_object_get(json_object_get(lab->model.tables, table), id), column));
}

/* A port without port security is in no group. Allowed address pairs are added to a port's own addresses. A
 * port without an address exists nevertheless. */
static void test_kinds_of_ports(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	struct str pair = STR("02:00:00:00:00:01 10.0.0.0/24");
	w.ports[0].is_open = true;
	w.ports[0].groups.count = 0;
	w.ports[2].allowed_pairs = (struct strs){&pair, 1};
	w.ports[4].ip = (struct ip){0};
	apply_all(&lab);
	assert_int_equal(count_keys(&lab, "Logical_Switch_Port", w.ports[0].row.id, "addresses"), 2);
	assert_int_equal(count_keys(&lab, "Logical_Switch_Port", w.ports[0].row.id, "port_security"), 0);
	assert_int_equal(count_keys(&lab, "Port_Group", w.region, "ports"), PORTS - 1);
	assert_int_equal(count_keys(&lab, "Logical_Switch_Port", w.ports[2].row.id, "port_security"), 2);
	assert_int_equal(count_keys(&lab, "Logical_Switch_Port", w.ports[4].row.id, "addresses"), 1);
	model_done(&lab.model);
}

/* A gateway that translates, an interface beside the gateway's address, a route over an address. */
static void test_a_router_with_interfaces(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	apply_all(&lab);
	struct port arm = {.row.id = make_id("arm", 0, 0), .mac = {{2, 9}}, .ip = make_ip("10.0.0.77")};
	struct route route = {.row.id = make_id("route", 9, 9),
			      .table = make_id("table", 1, 0),
			      .destination = make_cidr("192.0.2.0/24"),
			      .next_hop = make_ip("10.0.0.99")};
	struct network_subnet subnets[] = {{&w.subnets[0][0], &arm, make_id("table", 1, 0)}};
	struct network_route routes[] = {{&route, NULL}};
	struct network_router n = {.router = &w.routers[1],
				   .subnets = subnets,
				   .subnet_count = 1,
				   .routes = routes,
				   .route_count = 1,
				   .gateway = &w.gateways[1],
				   .external = &w.external,
				   .translated_to = make_ip("203.0.113.77"),
				   .gateway_chassis = STR("hv1")};
	struct wish wish;
	wish_init(&wish, lab.ctx->arena, w.region, w.routers[1].row.id, NB_ROUTER);
	nb_plan_router(&wish, &n);
	commit_wish(&lab, &wish);
	const json_t *nat =
		model_find(&lab.model, "NAT", uuid_v5(w.routers[1].row.id, STR("snat:10.0.0.0/24")));
	assert_string_equal(json_string_value(json_object_get(nat, "external_ip")), "203.0.113.77");
	const json_t *way = model_find(&lab.model, "Logical_Router_Static_Route", route.row.id);
	assert_string_equal(json_string_value(json_object_get(way, "nexthop")), "10.0.0.99");
	char name[NB_NAME_SIZE];
	assert_string_equal(json_string_value(json_object_get(way, "output_port")),
			    nb_write_name("rp-", arm.row.id, name));
	model_done(&lab.model);
}

/* Like OVN, uses the row with the longest block that contains the source. */
static struct ip translate(const struct lab *lab, struct ip source)
{
	struct ip found = {0};
	const char *id;
	json_t *row, *rows = json_object_get(lab->model.tables, "NAT");
	int longest = -1;
	json_object_foreach (rows, id, row) {
		const char *text = json_string_value(json_object_get(row, "logical_ip"));
		struct cidr block = strchr(text, '/') ? make_cidr(text) : (struct cidr){0};
		if (!cidr_contains(block, source) || block.bits <= longest)
			continue;
		longest = block.bits;
		found = make_ip(json_string_value(json_object_get(row, "external_ip")));
	}
	return found;
}

/* Each has a share of a subnet: who comes takes from the others, and moves nothing that they keep. */
static void test_a_nat_gateways_shares(void **state)
{
	static struct world w;
	struct ip before[256] = {0};
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	apply_all(&lab);
	for (size_t count = 0, share = 0; count <= 2; share = 0, count++) {
		struct ip newest = count ? w.nat_ips[0][count - 1] : w.nat_ports[0].ip;
		w.nat_ip_count[0] = count;
		apply_router(&lab, 0);
		for (size_t k = 0; k < 256; k++) {
			struct ip now = translate(&lab, ip_add(w.subnets[0][0].block.base, k));
			assert_true(ip_equal(now, newest) || (count && ip_equal(now, before[k])));
			share += ip_equal(now, newest);
			before[k] = now;
		}
		assert_in_range(share, 16, count ? 192 : 256);
	}
	model_done(&lab.model);
}

static void test_another_regions_row_is_not_taken(void **state)
{
	static struct world w, theirs;
	json_t *ops = NULL;
	init_world(&w);
	theirs = w;
	theirs.region = make_id("region", 1, 0);
	struct lab lab = make_lab(state, &theirs);
	apply_router(&lab, 0);
	lab.world = &w;
	struct wish wish;
	plan_world_router(&lab, 0, &wish);
	assert_err(diff_only(&lab, &wish, &ops), CONFLICT);
	/* and it does not go either */
	size_t rows = model_count(&lab.model, "Logical_Switch");
	wish_init(&wish, lab.ctx->arena, w.region, w.routers[0].row.id, NB_ROUTER);
	ctx_clear_problem(lab.ctx);
	assert_ok(diff_only(&lab, &wish, &ops));
	assert_null(ops);
	assert_true(rows > 0);
	model_done(&lab.model);
}

static void test_other_marks_are_kept(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	apply_group(&lab, 0);
	char id[UUID_TEXT_SIZE];
	json_t *row = json_object_get(json_object_get(lab.model.tables, "Port_Group"),
				      uuid_write(w.groups[0].row.id, id));
	json_object_set_new(json_object_get(row, "external_ids"), "note", json_string("by hand"));
	apply_group(&lab, 0);
	assert_int_equal(lab.op_count, 0);
	json_object_set_new(json_object_get(row, "external_ids"), "dari-kind", json_string("wrong"));
	json_object_set_new(json_object_get(row, "external_ids"), "dari-old", json_string("x"));
	apply_group(&lab, 0);
	assert_int_equal(lab.op_count, 1);
	assert_string_equal(ovsdb_row_mark(row, "note"), "by hand");
	assert_string_equal(ovsdb_row_mark(row, "dari-kind"), "group");
	assert_null(ovsdb_row_mark(row, "dari-old"));
	model_done(&lab.model);
}

static void test_one_rule_is_two_operations(void **state)
{
	static struct world w;
	init_world(&w);
	struct lab lab = make_lab(state, &w);
	apply_group(&lab, 0);
	w.has_rule[0][2] = true;
	apply_group(&lab, 0);
	assert_int_equal(lab.op_count, 2); /* the ACL, and the group's set */
	w.has_rule[0][2] = false;
	apply_group(&lab, 0);
	assert_int_equal(lab.op_count, 1); /* out of the set: collected */
	model_done(&lab.model);
}

static void test_rule_matches(void **state)
{
	struct ctx *c = *state;
#define IN "outport == @sg_00000000000000000000000000000000 && "
#define OUT "inport == @sg_00000000000000000000000000000000 && "
	static const struct {
		bool out;
		int64_t protocol, from, to;
		const char *block; /* NULL: by group */
		const char *match;
	} cases[] = {
		{false, 6, 22, 22, "0.0.0.0/0", IN "ip4 && tcp && tcp.dst == 22"},
		{false, 6, 80, 90, "10.0.0.0/8",
		 IN "ip4 && ip4.src == 10.0.0.0/8 && tcp && 80 <= tcp.dst <= 90"},
		{false, 6, 0, 65535, "10.9.8.7/8", IN "ip4 && ip4.src == 10.0.0.0/8 && tcp"},
		{false, 6, 0, 0, "1.2.3.4/32", IN "ip4 && ip4.src == 1.2.3.4/32 && tcp && tcp.dst == 0"},
		{true, 17, -1, -1, "0.0.0.0/0", OUT "ip4 && udp"},
		{true, 17, 53, 53, "::/0", OUT "ip6 && udp && udp.dst == 53"},
		{true, -1, -1, -1, "fd00::1/64", OUT "ip6 && ip6.dst == fd00::/64"},
		{false, -1, -1, -1, "0.0.0.0/0", IN "ip4"},
		{false, 1, -1, -1, "0.0.0.0/0", IN "ip4 && icmp4"},
		{false, 1, 8, -1, "0.0.0.0/0", IN "ip4 && icmp4 && icmp4.type == 8"},
		{false, 1, 3, 4, "0.0.0.0/0", IN "ip4 && icmp4 && icmp4.type == 3 && icmp4.code == 4"},
		{false, 58, -1, -1, "::/0", IN "ip6 && icmp6"},
		{false, 47, -1, -1, "0.0.0.0/0", IN "ip4 && ip.proto == 47"},
		{false, 0, -1, -1, "0.0.0.0/0", IN "ip4 && ip.proto == 0"},
		{false, 6, 22, 22, NULL,
		 IN "ip4 && ip4.src == $sg_01000000000000000000000000000000_ip4 && tcp && tcp.dst == 22"},
		{true, -1, -1, -1, NULL, OUT "ip4 && ip4.dst == $sg_01000000000000000000000000000000_ip4"},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct security_group_rule rule = {
			.protocol = cases[k].protocol, .from_port = cases[k].from, .to_port = cases[k].to};
		rule.direction = cases[k].out ? SECURITY_GROUP_RULE_DIRECTION_EGRESS
					      : SECURITY_GROUP_RULE_DIRECTION_INGRESS;
		if (cases[k].block)
			rule.peer_block = make_cidr(cases[k].block);
		else
			rule.peer_group = (uuid){{1}};
		assert_str(nb_write_rule_match(c->arena, &rule), cases[k].match);
	}
	struct security_group_rule revoked = {.row.deleted_us = 1,
					      .protocol = 6,
					      .from_port = 22,
					      .to_port = 22,
					      .peer_block = make_cidr("0.0.0.0/0")};
	assert_str(nb_write_rule_match(c->arena, &revoked), IN "ip4 && tcp && tcp.dst == 22 && ct.est");
	struct security_group_rule nobody = {.protocol = -1, .from_port = -1, .to_port = -1};
	assert_str(nb_write_rule_match(c->arena, &nobody), "");
}

static void test_out_of_memory_is_told(void **state)
{
	static struct world w;
	json_t *ops = NULL;
	(void) state;
	init_world(&w);
	for (size_t cap = 100; cap < 20000; cap += 700) {
		struct arena *arena = arena_new(64, cap);
		struct ctx c;
		ctx_init(&c, arena);
		struct lab lab = {.ctx = &c, .world = &w};
		struct wish wish;
		model_init(&lab.model, &nb_schema);
		plan_world_network(&lab, 0, 0, &wish);
		struct result r = diff_only(&lab, &wish, &ops);
		assert_true(!r.code || r.code == ERR_NO_MEMORY || r.code == ERR_TOO_LARGE);
		assert_int_equal(!r.code, ops != NULL);
		json_decref(ops);
		ops = NULL;
		model_done(&lab.model);
		arena_free(arena);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_known_world),
		ctx_test(test_second_time_does_nothing),
		ctx_test(test_all_goes_but_strangers),
		ctx_test(test_random_changes_converge),
		ctx_test(test_what_is_missing_is_waited_for),
		ctx_test(test_ports_keep_their_switch),
		ctx_test(test_resolvers),
		ctx_test(test_dhcp_options),
		ctx_test(test_a_network_without_router),
		ctx_test(test_kinds_of_ports),
		ctx_test(test_a_router_with_interfaces),
		ctx_test(test_a_nat_gateways_shares),
		ctx_test(test_another_regions_row_is_not_taken),
		ctx_test(test_other_marks_are_kept),
		ctx_test(test_one_rule_is_two_operations),
		ctx_test(test_rule_matches),
		ctx_test(test_out_of_memory_is_told),
	};
	if (argc < 2)
		return 2;
	golden_path = argv[1];
	golden_accept = argc > 2;
	return cmocka_run_group_tests_name("network_ovn", tests, NULL, NULL);
}
