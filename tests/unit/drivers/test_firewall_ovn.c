/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks as ACLs: what is dropped inwards is just what no opening lets in, and what is decided outwards
 * is decided behind the load balancers. tests/real/network_ovn shows what OVN makes of them. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/firewall_rule.h"
#include "ovn_model.h"

enum { ICMP = 1, TCP = 6, UDP = 17, OPENINGS_MAX = 8 };

#define OTHERS "ip.proto == {0, 2, 3, 4, 5, 7,"

struct lab {
	struct wish w;
	struct network network;
	struct subnet subnets[3];
	struct network_subnet arms[3];
	struct network_opening openings[OPENINGS_MAX];
	struct ip own;
	struct network_firewall firewall;
	struct router router;
	struct network_router wish;
	struct port interface;
};

static void begin(struct lab *lab)
{
	memset(lab, 0, sizeof *lab);
	lab->network.row.id = make_id("network", 0, 0);
	for (size_t k = 0; k < 3; k++) {
		lab->subnets[k] = (struct subnet){.row.id = make_id("subnet", k, 0),
						  .network = make_id("network", k == 2, 0),
						  .block = make_cidr(k ? "10.1.9.0/24" : "10.1.1.0/24")};
		lab->arms[k].subnet = &lab->subnets[k];
	}
	lab->interface.row.id = make_id("port", 0, 0);
	lab->arms[1].port = &lab->interface; /* by an interface of its own */
	lab->router.row.id = make_id("router", 0, 0);
	lab->firewall = (struct network_firewall){.network = &lab->network, .openings = lab->openings};
	lab->wish = (struct network_router){.router = &lab->router,
					    .subnets = lab->arms,
					    .subnet_count = 3,
					    .firewalls = &lab->firewall,
					    .firewall_count = 1};
}

static void open_to(struct lab *lab, const char *source, const char *ip, int64_t protocol, int64_t from,
		    int64_t to)
{
	lab->openings[lab->firewall.opening_count++] =
		(struct network_opening){make_cidr(source), make_ip(ip), protocol, from, to};
}

static void plan(struct lab *lab, struct ctx *c)
{
	wish_init(&lab->w, c->arena, make_id("region", 0, 0), lab->router.row.id, NB_ROUTER);
	nb_plan_firewalls(&lab->w, &lab->wish);
	assert_false(lab->w.failed);
}

static const char *text_of(const struct wish_row *row, const char *column)
{
	return json_string_value(json_object_get(row->columns, column));
}

/* The part of the match behind its source ports. */
static const char *inward_of(const struct wish_row *row)
{
	char head[256], own[NB_NAME_SIZE], other[NB_NAME_SIZE];
	snprintf(head, sizeof head, "inport == {\"%s\", \"%s\"} && ct.new && ip4",
		 nb_write_name("sp-", make_id("subnet", 0, 0), own),
		 nb_write_name("sp-", make_id("port", 0, 0), other));
	assert_int_equal(strncmp(text_of(row, "match"), head, strlen(head)), 0);
	return text_of(row, "match") + strlen(head);
}

/* Just these are dropped inwards, in any order; the last is NULL. */
static void check_dropped(const struct lab *lab, const char *const *wanted)
{
	size_t count = 0, found = 0;
	for (; wanted[count]; count++)
		for (size_t k = 0; k < lab->w.rows.count; k++) {
			const struct wish_row *row = lab->w.rows.at[k];
			if (strcmp(text_of(row, "direction"), "to-lport") != 0)
				continue;
			const char *match = inward_of(row);
			bool is_it = strstr(wanted[count], OTHERS)
					     ? strncmp(match, wanted[count], strlen(wanted[count])) == 0
					     : strcmp(match, wanted[count]) == 0;
			found += is_it;
		}
	size_t inward = 0;
	for (size_t k = 0; k < lab->w.rows.count; k++) {
		const struct wish_row *row = lab->w.rows.at[k];
		bool is_inward = strcmp(text_of(row, "direction"), "to-lport") == 0;
		inward += is_inward;
		assert_true(uuid_equal(row->edges->parent, lab->network.row.id));
		assert_null(row->edges->next);
		if (is_inward && found != count)
			print_error("\"%s\"\n", inward_of(row));
	}
	assert_int_equal(found, count);
	assert_int_equal(inward, count);
}

static void test_closed(void **state)
{
	struct lab lab;
	begin(&lab);
	plan(&lab, *state);
	check_dropped(&lab, (const char *[]){"", NULL});
	assert_int_equal(lab.w.rows.count, 3); /* and outwards what is inside, and the rest */
	wish_free(&lab.w);
}

static void test_ports(void **state)
{
	struct lab lab;
	begin(&lab);
	open_to(&lab, "0.0.0.0/0", "10.1.1.5", TCP, 22, 22);
	open_to(&lab, "192.0.2.9/31", "10.1.1.5", TCP, 20, 80);
	open_to(&lab, "0.0.0.0/0", "10.1.1.5", UDP, -1, -1);
	plan(&lab, *state);
	check_dropped(
		&lab,
		(const char *[]){
			" && ip4.dst == {0.0.0.0/5, 8.0.0.0/7, 10.0.0.0/16, 10.1.0.0/24, 10.1.1.0/30, "
			"10.1.1.4/32, "
			"10.1.1.6/31, 10.1.1.8/29, 10.1.1.16/28, 10.1.1.32/27, 10.1.1.64/26, 10.1.1.128/25, "
			"10.1.2.0/23, 10.1.4.0/22, 10.1.8.0/21, 10.1.16.0/20, 10.1.32.0/19, 10.1.64.0/18, "
			"10.1.128.0/17, 10.2.0.0/15, 10.4.0.0/14, 10.8.0.0/13, 10.16.0.0/12, 10.32.0.0/11, "
			"10.64.0.0/10, 10.128.0.0/9, 11.0.0.0/8, 12.0.0.0/6, 16.0.0.0/4, 32.0.0.0/3, "
			"64.0.0.0/2, 128.0.0.0/1}",
			" && ip4.dst == 10.1.1.5 && icmp4",
			" && ip4.dst == 10.1.1.5 && (0 <= tcp.dst <= 19 || 81 <= tcp.dst <= 65535)",
			" && ip4.dst == 10.1.1.5 && ip4.src == {0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/23, "
			"192.0.2.0/29, "
			"192.0.2.10/31, 192.0.2.12/30, 192.0.2.16/28, 192.0.2.32/27, 192.0.2.64/26, "
			"192.0.2.128/25, 192.0.3.0/24, 192.0.4.0/22, 192.0.8.0/21, 192.0.16.0/20, "
			"192.0.32.0/19, 192.0.64.0/18, 192.0.128.0/17, 192.1.0.0/16, 192.2.0.0/15, "
			"192.4.0.0/14, 192.8.0.0/13, 192.16.0.0/12, 192.32.0.0/11, 192.64.0.0/10, "
			"192.128.0.0/9, 193.0.0.0/8, 194.0.0.0/7, 196.0.0.0/6, 200.0.0.0/5, 208.0.0.0/4, "
			"224.0.0.0/3} && (20 <= tcp.dst <= 21 || 23 <= tcp.dst <= 80)",
			" && ip4.dst == {10.1.1.5/32} && " OTHERS,
			NULL,
		});
	wish_free(&lab.w);
}

/* Sources of several openings are merged, including overlapping ones. */
static void test_sources(void **state)
{
	struct lab lab;
	begin(&lab);
	open_to(&lab, "0.0.0.0/1", "255.255.255.255", TCP, 1, 65535);
	open_to(&lab, "64.0.0.0/2", "255.255.255.255", TCP, 5, 5);
	open_to(&lab, "128.0.0.0/1", "255.255.255.255", TCP, 7, 7);
	open_to(&lab, "128.0.0.0/1", "0.0.0.0", UDP, 65535, 65535);
	plan(&lab, *state);
	check_dropped(&lab, (const char *[]){
				    " && ip4.dst == {0.0.0.1/32, 0.0.0.2/31, 0.0.0.4/30, 0.0.0.8/29, "
				    "0.0.0.16/28, 0.0.0.32/27, 0.0.0.64/26, "
				    "0.0.0.128/25, 0.0.1.0/24, 0.0.2.0/23, 0.0.4.0/22, 0.0.8.0/21, "
				    "0.0.16.0/20, 0.0.32.0/19, 0.0.64.0/18, "
				    "0.0.128.0/17, 0.1.0.0/16, 0.2.0.0/15, 0.4.0.0/14, 0.8.0.0/13, "
				    "0.16.0.0/12, 0.32.0.0/11, 0.64.0.0/10, "
				    "0.128.0.0/9, 1.0.0.0/8, 2.0.0.0/7, 4.0.0.0/6, 8.0.0.0/5, 16.0.0.0/4, "
				    "32.0.0.0/3, 64.0.0.0/2, "
				    "128.0.0.0/2, 192.0.0.0/3, 224.0.0.0/4, 240.0.0.0/5, 248.0.0.0/6, "
				    "252.0.0.0/7, 254.0.0.0/8, "
				    "255.0.0.0/9, 255.128.0.0/10, 255.192.0.0/11, 255.224.0.0/12, "
				    "255.240.0.0/13, 255.248.0.0/14, "
				    "255.252.0.0/15, 255.254.0.0/16, 255.255.0.0/17, 255.255.128.0/18, "
				    "255.255.192.0/19, 255.255.224.0/20, "
				    "255.255.240.0/21, 255.255.248.0/22, 255.255.252.0/23, 255.255.254.0/24, "
				    "255.255.255.0/25, "
				    "255.255.255.128/26, 255.255.255.192/27, 255.255.255.224/28, "
				    "255.255.255.240/29, 255.255.255.248/30, "
				    "255.255.255.252/31, 255.255.255.254/32}",
				    " && ip4.dst == 255.255.255.255 && icmp4",
				    " && ip4.dst == 255.255.255.255 && udp",
				    " && ip4.dst == 255.255.255.255 && (tcp.dst == 0)",
				    " && ip4.dst == 255.255.255.255 && ip4.src == {128.0.0.0/1} && (1 <= "
				    "tcp.dst <= 6 || 8 <= tcp.dst <= 65535)",
				    " && ip4.dst == 0.0.0.0 && icmp4",
				    " && ip4.dst == 0.0.0.0 && tcp",
				    " && ip4.dst == 0.0.0.0 && (0 <= udp.dst <= 65534)",
				    " && ip4.dst == 0.0.0.0 && ip4.src == {0.0.0.0/1} && (udp.dst == 65535)",
				    " && ip4.dst == {0.0.0.0/32, 255.255.255.255/32} && " OTHERS,
				    NULL,
			    });
	wish_free(&lab.w);
}

/* The one row that is about ICMP, behind its address. */
static const char *icmp_of(const struct lab *lab)
{
	static const char head[] = " && ip4.dst == 10.1.1.5 && (";
	for (size_t k = 0; k < lab->w.rows.count; k++)
		if (strstr(text_of(lab->w.rows.at[k], "match"), "icmp4"))
			return inward_of(lab->w.rows.at[k]) + strlen(head);
	return NULL;
}

static void check_icmp(struct ctx *c, int64_t type, int64_t code, const char *begins, const char *ends)
{
	struct lab lab;
	begin(&lab);
	open_to(&lab, "0.0.0.0/0", "10.1.1.5", ICMP, type, code);
	plan(&lab, c);
	const char *match = icmp_of(&lab);
	if (!begins) {
		assert_null(match);
	} else {
		assert_int_equal(strncmp(match, begins, strlen(begins)), 0);
		assert_string_equal(match + strlen(match) - strlen(ends), ends);
	}
	wish_free(&lab.w);
}

static void test_icmp(void **state)
{
	check_icmp(*state, -1, -1, NULL, "");
	check_icmp(*state, 1, -1, "icmp4.type == {0, 2, 3, ", ", 254, 255})");
	check_icmp(*state, 255, -1, "icmp4.type == {0, 1, ", ", 253, 254})");
	check_icmp(*state, 0, 0, "icmp4.type == {1, 2, ", ", 254, 255}))");
	check_icmp(*state, 3, 1, "icmp4.type == {0, 1, 2, 4, 5, ", ", 254, 255}))");
	check_icmp(*state, 3, 255, "icmp4.type == {0, 1, 2, 4, 5, ", ", 253, 254}))");
}

/* ---- outwards ---- */

static const struct wish_row *find_outward(const struct lab *lab, int64_t priority, size_t number)
{
	for (size_t k = 0; k < lab->w.rows.count; k++) {
		const struct wish_row *row = lab->w.rows.at[k];
		if (strcmp(text_of(row, "direction"), "from-lport") == 0 &&
		    json_integer_value(json_object_get(row->columns, "priority")) == priority && !number--)
			return row;
	}
	return NULL;
}

static void check_outward(const struct lab *lab, int64_t priority, size_t number, const char *match,
			  const char *action)
{
	const struct wish_row *row = find_outward(lab, priority, number);
	assert_non_null(row);
	assert_string_equal(text_of(row, "match"), match);
	assert_string_equal(text_of(row, "action"), action);
	assert_string_equal(json_string_value(json_object_get(json_object_get(row->columns, "options"),
							      "apply-after-lb")),
			    "true");
}

static void check_ways_out(struct ctx *c, bool is_open)
{
	struct lab lab;
	struct cidr sources[] = {make_cidr("10.1.1.9/25"), make_cidr("10.1.1.200/32")},
		    anywhere = make_cidr("0.0.0.0/0"), there = make_cidr("192.0.2.0/24");
	struct firewall_rule rows[] = {
		{.row.id = make_id("rule", 0, 0),
		 .protocol = TCP,
		 .from_port = 80,
		 .to_port = 90,
		 .sources = {sources, 2},
		 .destinations = {&there, 1}},
		{.row.id = make_id("rule", 1, 0),
		 .protocol = -1,
		 .from_port = -1,
		 .to_port = -1,
		 .sources = {&anywhere, 1}},
		{.row.id = make_id("rule", 2, 0),
		 .protocol = ICMP,
		 .from_port = 8,
		 .to_port = -1,
		 .sources = {sources, 1},
		 .destinations = {&anywhere, 1}},
	};
	const struct firewall_rule *rules[] = {&rows[0], &rows[1], &rows[2]};
	begin(&lab);
	lab.network.egress_open = is_open;
	lab.own = make_ip("203.0.113.9");
	lab.firewall.own_ips = (struct ips){&lab.own, 1};
	lab.firewall.rules = rules;
	lab.firewall.rule_count = 3;
	plan(&lab, c);
	const char *action = is_open ? "drop" : "allow-related";
	check_outward(&lab, 1003, 0,
		      "ct.new && ip4 && ip4.dst == {169.254.169.253, 169.254.169.254, 168.63.129.16, "
		      "255.255.255.255, "
		      "224.0.0.0/4, 10.1.1.0/24, 10.1.9.0/24, 203.0.113.9}",
		      "allow-related");
	check_outward(&lab, 1002, 0,
		      "ct.new && ip4 && ip4.src == {10.1.1.0/25, 10.1.1.200/32} && ip4.dst == {192.0.2.0/24} "
		      "&& tcp && 80 "
		      "<= tcp.dst <= 90",
		      action);
	check_outward(&lab, 1002, 1, "ct.new && ip4", action);
	check_outward(&lab, 1002, 2, "ct.new && ip4 && ip4.src == {10.1.1.0/25} && icmp4 && icmp4.type == 8",
		      action);
	if (is_open)
		assert_null(find_outward(&lab, 1001, 0));
	else
		check_outward(&lab, 1001, 0, "ct.new && ip4", "drop");
	wish_free(&lab.w);
}

static void test_ways_out(void **state)
{
	check_ways_out(*state, false);
	check_ways_out(*state, true);
}

static void test_none(void **state)
{
	struct lab lab;
	begin(&lab);
	lab.wish.firewall_count = 0;
	plan(&lab, *state);
	assert_int_equal(lab.w.rows.count, 0);
	wish_free(&lab.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_closed), ctx_test(test_ports),    ctx_test(test_sources),
		ctx_test(test_icmp),   ctx_test(test_ways_out), ctx_test(test_none),
	};
	return cmocka_run_group_tests_name("firewall_ovn", tests, NULL, NULL);
}
