/* SPDX-License-Identifier: Apache-2.0
 * Rules of transit gateways: defaults, associations, propagations, and which route of a table counts. */
#include "cloud.h"

#include "engine/network/routing/route_table.h"
#include "engine/transit/transit.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/transit_route.h"
#include "store/transit_route_table.h"

enum { VPCS = 3 };

struct lab {
	struct cloud *c;
	uuid gateway, table; /* the default table */
	uuid vpcs[VPCS], subnets[VPCS], attachments[VPCS];
};

static struct ref to(const struct lab *lab, enum kind kind, uuid id)
{
	return ref_to(lab->c, kind, id);
}

static void add_vpc(struct lab *lab, size_t n, const char *block, const char *subnet)
{
	struct router_wish vpc = {.block = cidr_of(block)};
	cloud_ok(lab->c, &lab->c->alice, engine_create_router, &vpc);
	struct subnet_wish wish = {.router = to(lab, KIND_ROUTER, vpc.router), .block = cidr_of(subnet)};
	cloud_ok(lab->c, &lab->c->alice, engine_create_subnet, &wish);
	lab->vpcs[n] = vpc.router;
	lab->subnets[n] = wish.subnet;
}

static struct transit_attachment_wish to_attach(const struct lab *lab, struct ref *subnet, size_t n)
{
	*subnet = to(lab, KIND_SUBNET, lab->subnets[n]);
	return (struct transit_attachment_wish){.gateway = to(lab, KIND_TRANSIT_GATEWAY, lab->gateway),
						.router = to(lab, KIND_ROUTER, lab->vpcs[n]),
						.subnets = refs_of(lab->c, subnet, 1)};
}

static void attach(struct lab *lab, size_t n)
{
	struct ref subnet;
	struct transit_attachment_wish wish = to_attach(lab, &subnet, n);
	clock_advance_us(SECOND); /* propagations of equal blocks go by age */
	cloud_ok(lab->c, &lab->c->alice, engine_create_transit_attachment, &wish);
	lab->attachments[n] = wish.attachment;
}

static struct lab make_lab(void **state)
{
	struct lab lab = {.c = *state};
	struct transit_gateway_wish wish = {.asn = TRANSIT_ASN_DEFAULT};
	cloud_ok(lab.c, &lab.c->alice, engine_create_transit_gateway, &wish);
	lab.gateway = wish.gateway;
	lab.table = transit_gateway_find(cloud_tables(lab.c), wish.gateway)->association_table;
	add_vpc(&lab, 0, "10.1.0.0/16", "10.1.1.0/24");
	add_vpc(&lab, 1, "10.2.0.0/16", "10.2.1.0/24");
	add_vpc(&lab, 2, "10.2.0.0/16", "10.2.1.0/24"); /* the blocks of the second */
	attach(&lab, 0);
	attach(&lab, 1);
	return lab;
}

/* The attachment that the table leads to; none: no route, or a black hole. */
static uuid look_up(const struct lab *lab, uuid table, const char *ip, bool *ret_is_blackhole)
{
	struct transit_ways ways = {0};
	assert_true(engine_list_transit_ways(lab->c->arena, cloud_tables(lab->c), table, &ways));
	const struct transit_way *way = engine_find_transit_way(&ways, ip_of(ip));
	*ret_is_blackhole = way && way->is_blackhole;
	return way && way->attachment ? way->attachment->row.id : UUID_NONE;
}

static void check_leads(const struct lab *lab, const char *ip, uuid attachment)
{
	bool is_blackhole = false;
	assert_true(uuid_equal(look_up(lab, lab->table, ip, &is_blackhole), attachment));
	assert_false(is_blackhole);
}

static void check_drops(const struct lab *lab, const char *ip)
{
	bool is_blackhole = false;
	assert_true(uuid_is_none(look_up(lab, lab->table, ip, &is_blackhole)));
	assert_true(is_blackhole);
}

static struct transit_route_wish route_to(const struct lab *lab, const char *block, uuid attachment)
{
	struct transit_route_wish wish = {.route_table = to(lab, KIND_TRANSIT_ROUTE_TABLE, lab->table),
					  .destination = cidr_of(block),
					  .is_blackhole = uuid_is_none(attachment)};
	if (!wish.is_blackhole)
		wish.attachment = to(lab, KIND_TRANSIT_ATTACHMENT, attachment);
	return wish;
}

static void check_routes(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	check_leads(&lab, "10.1.9.9", lab.attachments[0]);
	check_leads(&lab, "10.2.9.9", lab.attachments[1]);
	check_leads(&lab, "10.3.0.1", UUID_NONE);
	struct transit_route_wish wide = route_to(&lab, "10.0.0.0/8", UUID_NONE);
	cloud_ok(c, &c->alice, engine_create_transit_route, &wide);
	cloud_fails(c, &c->alice, engine_create_transit_route, &wide, ERR_EXISTS, KIND_TRANSIT_ROUTE);
	check_drops(&lab, "10.3.0.1");
	check_leads(&lab, "10.1.9.9", lab.attachments[0]); /* more specific */
	struct transit_route_wish same = route_to(&lab, "10.1.0.0/16", lab.attachments[1]);
	cloud_fails(c, &c->alice, engine_replace_transit_route, &same, ERR_NOT_FOUND, KIND_TRANSIT_ROUTE);
	cloud_ok(c, &c->alice, engine_create_transit_route, &same);
	check_leads(&lab, "10.1.9.9", lab.attachments[1]); /* static before propagated */
	struct transit_attachment_target gone = {
		.attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, lab.attachments[1])};
	cloud_ok(c, &c->alice, engine_delete_transit_attachment, &gone);
	check_drops(&lab, "10.1.9.9"); /* its target has gone */
	cloud_fails(c, &c->alice, engine_replace_transit_route, &same, ERR_STATE, KIND_TRANSIT_ATTACHMENT);
	cloud_ok(c, &c->alice, engine_delete_transit_route, &same);
	check_leads(&lab, "10.1.9.9", lab.attachments[0]);
	same.is_blackhole = true;
	cloud_fails(c, &c->alice, engine_create_transit_route, &same, ERR_COMBINATION, KIND_TRANSIT_ROUTE);
	same = route_to(&lab, "10.1.0.0/16", UUID_NONE);
	same.is_blackhole = false;
	cloud_fails(c, &c->alice, engine_create_transit_route, &same, ERR_MISSING, KIND_TRANSIT_ROUTE);
}

/* The oldest attachment counts if several propagate the same block. */
static void check_overlap(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	attach(&lab, 2);
	check_leads(&lab, "10.2.9.9", lab.attachments[1]);
	struct transit_attachment_target gone = {
		.attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, lab.attachments[1])};
	cloud_ok(c, &c->alice, engine_delete_transit_attachment, &gone);
	check_leads(&lab, "10.2.9.9", lab.attachments[2]);
	struct ref subnet;
	struct transit_attachment_wish again = to_attach(&lab, &subnet, 2);
	cloud_fails(c, &c->alice, engine_create_transit_attachment, &again, ERR_EXISTS,
		    KIND_TRANSIT_ATTACHMENT);
	const struct transit_attachment *first = transit_attachment_find(cloud_tables(c), lab.attachments[0]),
					*third = transit_attachment_find(cloud_tables(c), lab.attachments[2]);
	assert_int_not_equal(first->link, third->link);
}

static void check_uses(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct transit_route_table_wish made = {.gateway = to(&lab, KIND_TRANSIT_GATEWAY, lab.gateway)};
	cloud_ok(c, &c->alice, engine_create_transit_route_table, &made);
	struct transit_use use = {.route_table = to(&lab, KIND_TRANSIT_ROUTE_TABLE, made.route_table),
				  .attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, lab.attachments[0])};
	struct transit_use was = use;
	was.route_table = to(&lab, KIND_TRANSIT_ROUTE_TABLE, lab.table);
	cloud_fails(c, &c->alice, engine_associate_transit_route_table, &use, ERR_CONFLICT,
		    KIND_TRANSIT_ATTACHMENT);
	cloud_fails(c, &c->alice, engine_disassociate_transit_route_table, &use, ERR_NOT_FOUND,
		    KIND_TRANSIT_ATTACHMENT);
	cloud_ok(c, &c->alice, engine_disassociate_transit_route_table, &was);
	cloud_ok(c, &c->alice, engine_associate_transit_route_table, &use);
	cloud_fails(c, &c->alice, engine_disable_transit_propagation, &use, ERR_NOT_FOUND,
		    KIND_TRANSIT_ATTACHMENT);
	cloud_ok(c, &c->alice, engine_enable_transit_propagation, &use);
	cloud_fails(c, &c->alice, engine_enable_transit_propagation, &use, ERR_EXISTS,
		    KIND_TRANSIT_ROUTE_TABLE);
	bool is_blackhole = false;
	assert_true(
		uuid_equal(look_up(&lab, made.route_table, "10.1.9.9", &is_blackhole), lab.attachments[0]));
	struct transit_route_table_target target = {.route_table = use.route_table};
	cloud_fails(c, &c->alice, engine_delete_transit_route_table, &target, ERR_STATE,
		    KIND_TRANSIT_ROUTE_TABLE);
	cloud_ok(c, &c->alice, engine_disassociate_transit_route_table, &use);
	cloud_ok(c, &c->alice, engine_delete_transit_route_table, &target); /* with the propagation */
	assert_int_equal(transit_attachment_find(cloud_tables(c), lab.attachments[0])->propagates_to.count,
			 1);
	target.route_table = was.route_table;
	cloud_fails(c, &c->alice, engine_delete_transit_route_table, &target, ERR_STATE,
		    KIND_TRANSIT_ROUTE_TABLE); /* a default one */
}

static void check_two_gateways(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct transit_gateway_wish other = {.asn = TRANSIT_ASN_FIRST_32, .associates = CHOICE_NO};
	cloud_ok(c, &c->alice, engine_create_transit_gateway, &other);
	const struct transit_gateway *g = transit_gateway_find(cloud_tables(c), other.gateway);
	assert_true(uuid_is_none(g->association_table));
	struct transit_use use = {.route_table = to(&lab, KIND_TRANSIT_ROUTE_TABLE, g->propagation_table),
				  .attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, lab.attachments[0])};
	cloud_fails(c, &c->alice, engine_enable_transit_propagation, &use, ERR_INVALID,
		    KIND_TRANSIT_ROUTE_TABLE);
	struct transit_gateway_target target = {.gateway = to(&lab, KIND_TRANSIT_GATEWAY, lab.gateway)};
	cloud_fails(c, &c->alice, engine_delete_transit_gateway, &target, ERR_STATE, KIND_TRANSIT_GATEWAY);
	cloud_fails(c, &c->bob, engine_delete_transit_gateway, &target, ERR_NOT_FOUND, KIND_TRANSIT_GATEWAY);
	target.gateway = to(&lab, KIND_TRANSIT_GATEWAY, other.gateway);
	cloud_ok(c, &c->alice, engine_delete_transit_gateway, &target);
	cloud_ok(c, &c->alice, engine_delete_transit_gateway, &target);
	other.asn = 65535;
	cloud_fails(c, &c->alice, engine_create_transit_gateway, &other, ERR_INVALID, KIND_TRANSIT_GATEWAY);
}

/* An attached VPC's subnets stay, and its routes lead over its own gateways only. */
static void check_vpc(void **state)
{
	struct lab lab = make_lab(state);
	struct cloud *c = lab.c;
	struct subnet_target subnet = {.subnet = to(&lab, KIND_SUBNET, lab.subnets[0])};
	cloud_fails(c, &c->alice, engine_delete_subnet, &subnet, ERR_IN_USE, KIND_SUBNET);
	struct route_wish route = {.route_table =
					   to(&lab, KIND_ROUTE_TABLE,
					      router_find(cloud_tables(c), lab.vpcs[2])->main_route_table),
				   .destination = cidr_of("10.0.0.0/8"),
				   .transit_gateway = to(&lab, KIND_TRANSIT_GATEWAY, lab.gateway)};
	cloud_fails(c, &c->alice, engine_create_route, &route, ERR_NOT_FOUND, KIND_TRANSIT_GATEWAY);
	attach(&lab, 2);
	cloud_ok(c, &c->alice, engine_create_route, &route);
	struct transit_attachment_settings settings = {
		.attachment = to(&lab, KIND_TRANSIT_ATTACHMENT, lab.attachments[0]),
		.removed = refs_of(c, &subnet.subnet, 1)};
	cloud_fails(c, &c->alice, engine_update_transit_attachment, &settings, ERR_MISSING,
		    KIND_TRANSIT_ATTACHMENT);
	settings.removed = (struct refs){0};
	settings.added = refs_of(c, &subnet.subnet, 1);
	cloud_fails(c, &c->alice, engine_update_transit_attachment, &settings, ERR_COMBINATION,
		    KIND_TRANSIT_ATTACHMENT);
	assert_true(engine_resolves_over_transit(cloud_tables(c), lab.vpcs[0], lab.vpcs[1]));
	settings.added = (struct refs){0};
	settings.dns_support = CHOICE_NO;
	cloud_ok(c, &c->alice, engine_update_transit_attachment, &settings);
	assert_false(engine_resolves_over_transit(cloud_tables(c), lab.vpcs[0], lab.vpcs[1]));
	struct transit_attachment_target target = {.attachment = settings.attachment};
	cloud_fails(c, &c->alice, engine_answer_transit_attachment, &target, ERR_STATE,
		    KIND_TRANSIT_ATTACHMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_routes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_overlap, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_uses, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_two_gateways, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_vpc, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
