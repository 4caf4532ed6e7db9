/* SPDX-License-Identifier: Apache-2.0
 * Port policies as ACLs: for random rules and connections, a drop rule matches a new connection if and only
 * if the first matching rule denies, or no rule matches. The platform's own traffic passes. The test has its
 * own parser of the matches' small language. */
#include "../base/test_base.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/port_policy.h"
#include "model/port_rule.h"
#include "model/router.h"
#include "ovn_model.h"

enum { ROUNDS = 200, RULES_MAX = 9, PACKETS = 40 };

struct packet {
	uint32_t from, to;
	int64_t protocol, from_port, to_port;
};

/* ---- reading a match ---- */

static bool fits(struct str expression, const struct packet *p);

/* Cuts off what comes before the separator that is in no parentheses or braces; false: there is none. */
static bool cut_at(struct str *rest, const char *separator, struct str *ret_head)
{
	size_t n = strlen(separator);
	int depth = 0;
	for (size_t k = 0; k + n <= rest->n; k++) {
		depth += (rest->p[k] == '(' || rest->p[k] == '{') - (rest->p[k] == ')' || rest->p[k] == '}');
		if (depth || memcmp(rest->p + k, separator, n) != 0)
			continue;
		*ret_head = str_slice(*rest, 0, k);
		*rest = str_slice(*rest, k + n, rest->n);
		return true;
	}
	return false;
}

static int64_t value_of(struct str field, const struct packet *p)
{
	const char *word = p->protocol == IPPROTO_TCP ? "tcp" : p->protocol == IPPROTO_UDP ? "udp" : "";
	if (str_is(field, "ip.proto"))
		return p->protocol;
	if (!*word || !str_starts_with(field, str_from(word)))
		return -1;
	return str_ends_with(field, STR(".src")) ? p->from_port : p->to_port;
}

static int64_t number_of(struct str word)
{
	int64_t number = 0;
	assert_true(result_is_ok(str_parse_int(str_trim(word), &number)));
	return number;
}

static bool is_one_of(struct str set, struct str field, const struct packet *p)
{
	struct str rest = set.p[0] == '{' ? str_slice(set, 1, set.n - 1) : set, one;
	while (str_split_next(&rest, ',', &one)) {
		struct cidr block;
		struct ip ip;
		struct str word = str_trim(one);
		if (!str_starts_with(field, STR("ip4."))) {
			if (number_of(word) == value_of(field, p))
				return true;
			continue;
		}
		if (result_is_ok(ip_parse(word, &ip)))
			block = (struct cidr){ip, 32};
		else
			assert_true(result_is_ok(cidr_parse(word, &block)));
		if (cidr_contains(block, ip_from_v4(str_is(field, "ip4.src") ? p->from : p->to)))
			return true;
	}
	return false;
}

static bool fits_word(struct str word, const struct packet *p)
{
	struct str rest = word, head;
	if (word.p[0] == '(')
		return fits(str_slice(word, 1, word.n - 1), p);
	if (cut_at(&rest, " == ", &head))
		return is_one_of(rest, head, p);
	if (cut_at(&rest, " != ", &head))
		return value_of(head, p) != number_of(rest);
	if (cut_at(&rest, " >= ", &head))
		return value_of(head, p) >= number_of(rest);
	if (cut_at(&rest, " <= ", &head))
		return value_of(head, p) >= 0 && value_of(head, p) <= number_of(rest);
	assert_true(str_is(word, "ct.new") || str_is(word, "ip4") || str_is(word, "ip6"));
	return !str_is(word, "ip6");
}

static bool fits(struct str expression, const struct packet *p)
{
	struct str head;
	if (cut_at(&expression, " || ", &head))
		return fits(head, p) || fits(expression, p);
	if (cut_at(&expression, " && ", &head))
		return fits(head, p) && fits(expression, p);
	return fits_word(expression, p);
}

/* ---- random rules and connections ---- */

static int64_t one_of(const int64_t *numbers, size_t count)
{
	return numbers[(size_t) rand() % count];
}
#define ONE_OF(...) one_of((const int64_t[]){__VA_ARGS__}, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

static struct port_spans draw_addresses(struct arena *a)
{
	static const char *const blocks[] = {"10.0.0.0/8",       "10.1.0.0/16",  "10.1.2.3/32",
					     "255.255.255.0/24", "0.0.0.0/32",   "10.1.2.0/24",
					     "168.63.129.16/32", "198.51.0.0/16"};
	size_t count = (size_t) rand() % 4;
	struct port_span *at = arena_new_array(a, struct port_span, count + 1);
	for (size_t k = 0; k < count; k++)
		at[k] = port_span_of_block(make_cidr(blocks[(size_t) rand() % 8]));
	return count ? port_spans_settle(at, count) : port_all_addresses;
}

static struct port_spans draw_ports(struct arena *a, bool *has_ports)
{
	size_t count = (size_t) rand() % 3;
	struct port_span *at = arena_new_array(a, struct port_span, count + 1);
	for (size_t k = 0; k < count; k++) {
		at[k].first = (uint32_t) ONE_OF(0, 1, 22, 80, 65535);
		at[k].last = (uint32_t) ONE_OF(at[k].first, at[k].first, 65535);
	}
	if (!count)
		return port_all_ports;
	struct port_spans spans = port_spans_settle(at, count);
	*has_ports = *has_ports || spans.at[0].first || spans.at[0].last < 65535;
	return spans;
}

static struct port_rule draw_rule(struct arena *a)
{
	struct port_rule r = {.protocol = ONE_OF(-1, -1, 1, 6, 6, 17, 50, 51), .allows = rand() % 2};
	r.about.sides[PORT_FROM] = draw_addresses(a);
	r.about.sides[PORT_TO] = draw_addresses(a);
	r.about.sides[PORT_FROM_PORTS] = rand() % 4 ? port_all_ports : draw_ports(a, &r.has_ports);
	r.about.sides[PORT_TO_PORTS] = draw_ports(a, &r.has_ports);
	return r;
}

static uint32_t draw_address(void)
{
	return (uint32_t) ONE_OF(0, 1, 0x0a000000, 0x0a010203, 0x0a010204, 0x0b000000, 0xffffff00, UINT32_MAX,
				 0xa83f8110, 0xa9fea9fe, 0xc6330001);
}

static struct packet draw_packet(void)
{
	return (struct packet){.from = draw_address(),
			       .to = draw_address(),
			       .protocol = ONE_OF(1, 6, 6, 17, 47, 50, 51, 0, 255),
			       .from_port = ONE_OF(0, 1, 22, 1024, 65535),
			       .to_port = ONE_OF(0, 1, 2, 21, 22, 23, 80, 81, 65534, 65535)};
}

/* ---- rules of a single direction and protocol ---- */

static bool is_in(struct port_spans spans, int64_t number)
{
	for (size_t k = 0; k < spans.count; k++)
		if (spans.at[k].first <= number && number <= spans.at[k].last)
			return true;
	return false;
}

static bool is_about(const struct port_rule *r, const struct packet *p)
{
	bool has_ports = p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP;
	if (r->protocol >= 0 ? r->protocol != p->protocol : r->has_ports && !has_ports)
		return false;
	return is_in(r->about.sides[PORT_FROM], p->from) && is_in(r->about.sides[PORT_TO], p->to) &&
	       (!has_ports || (is_in(r->about.sides[PORT_FROM_PORTS], p->from_port) &&
			       is_in(r->about.sides[PORT_TO_PORTS], p->to_port)));
}

static bool is_let_through(const struct port_rule *rules, size_t count, bool egress, const struct packet *p)
{
	uint32_t other = egress ? p->to : p->from;
	if (other == 0xa83f8110 || other == 0xa9fea9fd || other == 0xa9fea9fe || other == UINT32_MAX)
		return true;
	for (size_t k = 0; k < count; k++)
		if (is_about(&rules[k], p))
			return rules[k].allows;
	return false;
}

/* ---- the test ---- */

static const char *text_of(const struct wish_row *row, const char *column)
{
	return json_string_value(json_object_get(row->columns, column));
}

static bool is_dropped(const struct wish *w, bool egress, const struct packet *p)
{
	for (size_t k = 0; k < w->rows.count; k++) {
		const struct wish_row *row = w->rows.at[k];
		if (strcmp(row->table, "ACL") != 0 || strcmp(text_of(row, "action"), "drop") != 0 ||
		    strcmp(text_of(row, "direction"), egress ? "from-lport" : "to-lport") != 0)
			continue;
		struct str match = str_from(text_of(row, "match")), group;
		assert_true(cut_at(&match, " && ", &group));
		assert_true(str_starts_with(group, egress ? STR("inport == @pp_") : STR("outport == @pp_")));
		if (fits(match, p))
			return true;
	}
	return false;
}

static void check_round(struct ctx *c)
{
	struct port_rule rules[2][RULES_MAX];
	struct port_policy policy = {.row.id = {{2}}};
	struct network_policy_place place = {.place = {{3}}, .rules = {rules[0], rules[1]}};
	const struct network_policy wish = {&policy, &place, 1};
	struct wish w;
	for (int egress = 0; egress < 2; egress++) {
		place.counts[egress] = (size_t) rand() % (RULES_MAX + 1);
		for (size_t k = 0; k < place.counts[egress]; k++)
			rules[egress][k] = draw_rule(c->arena);
	}
	wish_init(&w, c->arena, (uuid){{1}}, policy.row.id, NB_POLICY);
	nb_plan_policy(&w, &wish);
	assert_false(w.failed);
	for (size_t k = 0; k < PACKETS; k++) {
		struct packet p = draw_packet();
		for (int egress = 0; egress < 2; egress++)
			if (is_dropped(&w, egress, &p) ==
			    is_let_through(rules[egress], place.counts[egress], egress, &p))
				fail_msg("%s: %08x to %08x, protocol %d, ports %d to %d",
					 egress ? "out" : "in", p.from, p.to, (int) p.protocol,
					 (int) p.from_port, (int) p.to_port);
	}
	wish_free(&w);
}

static void test_rounds(void **state)
{
	(void) state;
	srand(1);
	for (int k = 0; k < ROUNDS; k++) {
		AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 64 << 20);
		struct ctx c;
		ctx_init(&c, a);
		check_round(&c);
	}
}

/* The rules that every policy ends with are few ACLs, whatever the protocol. */
static void test_defaults_are_few(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 64 << 20);
	struct ctx c;
	ctx_init(&c, a);
	struct port_span own = port_span_of_block(make_cidr("10.0.0.0/16"));
	struct port_rule in[] = {
		{.about = {{{&own, 1}, {&own, 1}, port_all_ports, port_all_ports}},
		 .protocol = -1,
		 .allows = true},
		{.about = {{port_all_addresses, port_all_addresses, port_all_ports, port_all_ports}},
		 .protocol = -1}};
	struct port_policy policy = {.row.id = {{2}}};
	struct network_policy_place place = {.place = {{3}}, .rules = {in, in}, .counts = {2, 2}};
	struct wish w;
	wish_init(&w, c.arena, (uuid){{1}}, policy.row.id, NB_POLICY);
	nb_plan_policy(&w, &(struct network_policy){&policy, &place, 1});
	assert_true(w.rows.count <=
		    1 + 2 + 2 * 3); /* the group, DHCP, and each way what is denied and IPv6 */
	wish_free(&w);
}

/* From outside of the router's virtual network nothing new comes to a closed port. */
static void test_closed(void **state)
{
	(void) state;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 1 << 20);
	struct ctx c;
	ctx_init(&c, a);
	const struct cidr own[] = {make_cidr("10.0.0.0/16"), make_cidr("10.9.0.0/16")};
	struct router router = {.row.id = {{3}}};
	const struct network_router wish = {
		.router = &router, .closed_to_others = own, .closed_to_others_count = 2};
	struct wish w;
	wish_init(&w, c.arena, (uuid){{1}}, router.row.id, NB_ROUTER);
	nb_plan_closed(&w, &wish);
	const struct packet outside = {0xc6330001, 0x0a000004, 6, 1024, 22},
			    inside = {0x0a090004, 0x0a000004, 6, 1, 22},
			    platform = {0xa83f8110, 0x0a000004, 6, 1, 22};
	assert_true(is_dropped(&w, false, &outside));
	assert_false(is_dropped(&w, false, &inside));
	assert_false(is_dropped(&w, false, &platform));
	assert_false(is_dropped(&w, true, &outside));
	wish_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounds),
					   cmocka_unit_test(test_defaults_are_few),
					   cmocka_unit_test(test_closed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
