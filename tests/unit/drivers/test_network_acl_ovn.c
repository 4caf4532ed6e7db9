/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs in OVN: the rows for an ACL's entries, their order, and ACLs that need no rows. */
#include "../base/test_base.h"
#include "model/network_acl.h"
#include "model/network_acl_entry.h"
#include "model/router.h"
#include "model/subnet.h"

#include "drivers/ovn/nb.h"

static const uuid list_id = {{0xac, 1}}, router_id = {{0x40, 1}}, subnet_id = {{0x5b, 1}};

static struct network_acl_entry entry(bool egress, int64_t number, bool allows, int64_t protocol,
				      int64_t from, int64_t to, const char *block)
{
	struct network_acl_entry made = {.egress = egress,
					 .number = number,
					 .allows = allows,
					 .protocol = protocol,
					 .from_port = from,
					 .to_port = to};
	static struct cidr blocks[64];
	static size_t used = 0;
	struct cidr *own = &blocks[used++ % (sizeof blocks / sizeof *blocks)];
	assert_ok(cidr_parse(str_from(block), own));
	made.blocks = (struct cidrs){own, 1};
	return made;
}

/* Plans one subnet of a router with this ACL. */
static void plan_list_of(struct ctx *c, const struct network_acl *acl, bool has_ipv6,
			 const struct network_acl_entry *entries, size_t count, struct wish *ret_wish)
{
	static const struct router router = {.row.id = {{0x40, 1}}};
	static struct subnet subnet = {.row.id = {{0x5b, 1}}, .gateway_mac = {{2, 0, 0, 0, 0, 9}}};
	const struct network_acl_entry *at[8];
	assert_true(count <= sizeof at / sizeof *at);
	for (size_t k = 0; k < count; k++)
		at[k] = &entries[k];
	const struct network_guard guard = {acl, at, count, has_ipv6}, *guards = &guard;
	const struct network_subnet arm = {.subnet = &subnet, .guard = &guard};
	const struct network_router wish = {
		.router = &router, .subnets = &arm, .subnet_count = 1, .guards = &guards, .guard_count = 1};
	assert_ok(cidr_parse(STR("10.0.1.0/24"), &subnet.block));
	wish_init(ret_wish, c->arena, (uuid){{1}}, router_id, NB_ROUTER);
	nb_plan_router(ret_wish, &wish);
	assert_false(ret_wish->failed);
}

static void plan_list(struct ctx *c, bool is_stateful, const struct network_acl_entry *entries, size_t count,
		      struct wish *ret_wish)
{
	const struct network_acl acl = {.row.id = list_id, .is_stateful = is_stateful};
	plan_list_of(c, &acl, false, entries, count, ret_wish);
}

static void plan(struct ctx *c, const struct network_acl_entry *entries, size_t count, struct wish *ret_wish)
{
	plan_list(c, false, entries, count, ret_wish);
}

static size_t count_rows(const struct wish *w, const char *table)
{
	size_t count = 0;
	for (size_t k = 0; k < w->rows.count; k++)
		count += strcmp(w->rows.at[k]->table, table) == 0;
	return count;
}

static void check_row(const struct wish *w, const char *table, const char *role, int priority,
		      const char *action, const char *match)
{
	for (size_t k = 0; k < w->rows.count; k++) {
		const struct wish_row *row = w->rows.at[k];
		if (strcmp(row->table, table) != 0 || !uuid_equal(row->id, uuid_v5(list_id, str_from(role))))
			continue;
		assert_int_equal(json_integer_value(json_object_get(row->columns, "priority")), priority);
		assert_string_equal(json_string_value(json_object_get(row->columns, "action")), action);
		assert_string_equal(json_string_value(json_object_get(row->columns, "match")), match);
		return;
	}
	fail_msg("no row %s of %s", role, table);
}

static bool has_joined(const struct wish *w)
{
	for (size_t k = 0; k < w->rows.count; k++)
		for (const struct wish_edge *e = w->rows.at[k]->edges; e; e = e->next)
			if (strcmp(e->table, "Port_Group") == 0 && strcmp(e->column, "ports") == 0)
				return uuid_equal(e->parent, list_id) &&
				       uuid_equal(w->rows.at[k]->id, uuid_v5(subnet_id, STR("sp")));
	return false;
}

#define IN "inport == @nacl_ac010000000000000000000000000000 && "
#define OUT "inport == {\"rp-5b010000-0000-0000-0000-000000000000\"} && "
#define PLATFORM "{169.254.169.253, 169.254.169.254, 168.63.129.16}"

static void test_entries(void **state)
{
	struct wish w;
	const struct network_acl_entry entries[] = {
		entry(false, 1, false, 6, 22, 22, "0.0.0.0/0"),
		entry(false, 32766, true, 1, 8, -1, "10.9.0.0/16"),
		entry(true, 7, true, 17, 1024, 65535, "192.0.2.0/24"),
		entry(true, 8, true, 47, -1, -1, "0.0.0.0/0"),
	};
	plan(*state, entries, 4, &w);
	assert_int_equal(count_rows(&w, "ACL"), 4);
	check_row(&w, "ACL", "in-platform", 32767, "allow-stateless", IN "ip4 && ip4.src == " PLATFORM);
	check_row(&w, "ACL", "in:1", 32766, "drop", IN "ip4 && tcp && tcp.dst == 22");
	check_row(&w, "ACL", "in:32766", 32765, "allow-stateless",
		  IN "ip4 && ip4.src == 10.9.0.0/16 && icmp4 && icmp4.type == 8");
	check_row(&w, "ACL", "in-rest", 1, "drop", IN "ip");
	assert_true(has_joined(&w));
	assert_int_equal(count_rows(&w, "Logical_Router_Policy"), 4);
	check_row(&w, "Logical_Router_Policy", "out-platform", 32767, "allow",
		  OUT "ip4 && ip4.dst == " PLATFORM);
	check_row(&w, "Logical_Router_Policy", "out:7", 32766, "allow",
		  OUT "ip4 && ip4.dst == 192.0.2.0/24 && udp && 1024 <= udp.dst <= 65535");
	check_row(&w, "Logical_Router_Policy", "out:8", 32765, "allow", OUT "ip4 && ip.proto == 47");
	check_row(&w, "Logical_Router_Policy", "out-rest", 1, "drop", OUT "ip");
	wish_free(&w);
}

/* An entry for all ends a list: what allows the rest needs no row, and what it follows is all that counts. */
static void test_what_is_open(void **state)
{
	struct wish w;
	const struct network_acl_entry open[] = {
		entry(false, 90, true, 6, 22, 22, "0.0.0.0/0"),
		entry(false, 100, true, -1, -1, -1, "0.0.0.0/0"),
		entry(false, 110, false, -1, -1, -1, "10.0.0.0/8"),
		entry(true, 90, false, 6, 25, 25, "0.0.0.0/0"),
		entry(true, 100, true, -1, -1, -1, "0.0.0.0/0"),
	};
	plan(*state, open, 5, &w);
	assert_int_equal(count_rows(&w, "Port_Group") + count_rows(&w, "ACL"), 0);
	assert_false(has_joined(&w));
	assert_int_equal(count_rows(&w, "Logical_Router_Policy"), 2);
	check_row(&w, "Logical_Router_Policy", "out:90", 32766, "drop", OUT "ip4 && tcp && tcp.dst == 25");
	wish_free(&w);
}

static void test_an_empty_list(void **state)
{
	struct wish w;
	plan(*state, NULL, 0, &w);
	assert_int_equal(count_rows(&w, "ACL"), 2);
	assert_int_equal(count_rows(&w, "Logical_Router_Policy"), 2);
	check_row(&w, "ACL", "in-rest", 1, "drop", IN "ip");
	check_row(&w, "Logical_Router_Policy", "out-rest", 1, "drop", OUT "ip");
	wish_free(&w);
}

/* ---- lists that track connections ---- */

static const char *text_of(const struct wish_row *row, const char *column)
{
	return json_string_value(json_object_get(row->columns, column));
}

static bool has_drop(const struct wish *w, const char *match)
{
	for (size_t k = 0; k < w->rows.count; k++) {
		const struct wish_row *row = w->rows.at[k];
		bool is_drop = strcmp(row->table, "ACL") == 0 && strcmp(text_of(row, "action"), "drop") == 0;
		if (is_drop && strcmp(text_of(row, "match"), match) == 0)
			return true;
	}
	return false;
}

#define NEW IN "ct.new && ip4"
#define WAY_OUT "eth.dst == {02:00:00:00:00:09} && ct.new && "
/* Packets that the ACL denies are dropped, in the order of its entries, and no others are. */
static void test_stateful(void **state)
{
	struct wish w;
	const struct network_acl_entry entries[] = {
		entry(false, 1, false, 6, 22, 22, "10.0.0.0/8"),
		entry(false, 2, true, 6, 22, 80, "0.0.0.0/0"),
		entry(false, 3, true, 47, -1, -1, "0.0.0.0/0"),
		entry(false, 4, true, 1, 8, -1, "0.0.0.0/0"),
		entry(true, 1, true, 17, 53, 53, "0.0.0.0/0"),
	};
	plan_list(*state, true, entries, 5, &w);
	assert_true(has_joined(&w));
	assert_int_equal(count_rows(&w, "Port_Group"), 1);
	assert_int_equal(count_rows(&w, "Logical_Router_Policy"), 0);
	assert_true(has_drop(&w, NEW " && ip4.src == {10.0.0.0/8} && (tcp.dst == 22)"));
	for (size_t k = 0; k < w.rows.count; k++) {
		const char *match = text_of(w.rows.at[k], "match");
		bool is_inward = match && strncmp(match, NEW, strlen(NEW)) == 0;
		assert_false(is_inward && (strstr(match, "proto == 47") || strstr(match, "23 <= tcp.dst")));
	}
	check_row(&w, "ACL", "out:1", 1099, "allow-related", WAY_OUT "ip4 && udp && udp.dst == 53");
	check_row(&w, "ACL", "out-rest", 1001, "drop", WAY_OUT "ip4");
	wish_free(&w);
}

/* The default denial of one IP version does not affect the other, and IPv6 answers are matched separately. */
static void test_stateful_ipv6(void **state)
{
	struct wish w;
	const struct network_acl_entry entries[] = {
		entry(false, 1, true, 6, 22, 22, "::/0"),
		entry(false, 2, true, -1, -1, -1, "0.0.0.0/0"),
		entry(true, 2, true, -1, -1, -1, "0.0.0.0/0"),
	};
	plan_list_of(*state, &(struct network_acl){.row.id = list_id, .is_stateful = true}, true, entries, 3,
		     &w);
	check_row(&w, "ACL", "in-answers-tcp", 32767, "allow-stateless",
		  IN "ip6 && tcp && (tcp.flags[4] == 1 || tcp.flags[2] == 1)");
	check_row(&w, "ACL", "in:1", 32766, "allow-stateless", IN "ip6 && tcp && tcp.dst == 22");
	check_row(&w, "ACL", "in-rest", 1, "drop", IN "ip6");
	check_row(&w, "Logical_Router_Policy", "out-rest", 1, "drop", OUT "ip6");
	assert_int_equal(count_rows(&w, "Port_Group"), 1);
	for (size_t k = 0; k < w.rows.count; k++)
		assert_false(strcmp(w.rows.at[k]->table, "ACL") == 0 &&
			     strstr(text_of(w.rows.at[k], "match"), "ct.new") != NULL);
	wish_free(&w);
}

static void test_stateful_open(void **state)
{
	struct wish w;
	const struct network_acl_entry entries[] = {
		entry(false, 1, true, -1, -1, -1, "0.0.0.0/0"),
		entry(true, 1, true, -1, -1, -1, "0.0.0.0/0"),
	};
	plan_list(*state, true, entries, 2, &w);
	assert_int_equal(count_rows(&w, "ACL") + count_rows(&w, "Port_Group"), 0);
	wish_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_entries),  ctx_test(test_what_is_open),  ctx_test(test_an_empty_list),
		ctx_test(test_stateful), ctx_test(test_stateful_ipv6), ctx_test(test_stateful_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
