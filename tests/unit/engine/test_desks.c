/* SPDX-License-Identifier: Apache-2.0
 * Desks: what the operator may say of one, links with tickets, items that a desk refused, and what the
 * reconciler reports of a desk. */
#include "desks.h"

#include <string.h>

/* ---- desks ---- */

static void expect_refused(struct cloud *c, struct desk_wish wish, enum err err, const char *field)
{
	cloud_fails(c, &c->operator, engine_put_desk, &wish, err, KIND_DESK);
	assert_true(str_is(c->c.problem.field, field));
}

static void a_desk_says_where_and_how_it_is_spoken_to(void **state)
{
	struct cloud *c = *state;
	struct desk_wish wish = desk_named("desk", DESK_ROLE_OPERATOR);
	cloud_fails(c, &c->alice, engine_put_desk, &wish, ERR_DENIED, KIND_DESK);
	wish.driver = -1;
	expect_refused(c, wish, ERR_MISSING, "url");
	wish.driver = DESK_SPEAKS_RT;
	wish.url = STR_NONE;
	expect_refused(c, wish, ERR_MISSING, "url");
	wish.url = STR("ftp://desk.example");
	expect_refused(c, wish, ERR_INVALID, "url");
	wish.url = STR("http://desk\nexample");
	expect_refused(c, wish, ERR_INVALID, "url");
	wish.url = STR("https://desk.example");
	wish.driver = DESK_SPEAKS_SIM;
	expect_refused(c, wish, ERR_UNSUPPORTED, "driver");
	wish.driver = DESK_SPEAKS_WEBHOOK;
	expect_refused(c, wish, ERR_MISSING, "secret");
	wish.secret = STR("sealed");
	RUN(c, &c->operator, engine_put_desk, &wish);
}

static void texts_numbers_and_products_of_a_desk_have_limits(void **state)
{
	struct cloud *c = *state;
	static char text[2000];
	struct str products[33];
	struct desk_wish fine = desk_named("desk", DESK_ROLE_OPERATOR), wish = fine;
	memset(text, 'x', sizeof text);
	memcpy(text, "http://", 7);
	wish.url = (struct str){text, 1025};
	expect_refused(c, wish, ERR_INVALID, "url");
	wish = fine;
	wish.queue = (struct str){text, 256};
	expect_refused(c, wish, ERR_INVALID, "queue");
	wish = fine;
	wish.login = STR("a\nb");
	expect_refused(c, wish, ERR_INVALID, "queue");
	wish = fine;
	wish.poll_s = -1;
	expect_refused(c, wish, ERR_INVALID, "poll-s");
	wish.poll_s = DESK_POLL_MAX_S + 1;
	expect_refused(c, wish, ERR_INVALID, "poll-s");
	wish = fine;
	for (size_t k = 0; k < 33; k++)
		products[k] = STR("rhel*");
	wish.has_products = true;
	wish.products = (struct strs){products, 33};
	expect_refused(c, wish, ERR_INVALID, "product");
	wish.products.count = 32;
	products[31] = STR_NONE;
	expect_refused(c, wish, ERR_INVALID, "product");
	products[31] = STR("a\tb\n");
	expect_refused(c, wish, ERR_INVALID, "product");
	products[31] = STR("sles");
	wish.poll_s = DESK_POLL_MAX_S;
	RUN(c, &c->operator, engine_put_desk, &wish);
}

static void a_change_of_a_desk_keeps_what_it_does_not_name(void **state)
{
	struct cloud *c = *state;
	struct ref alice = ref_by_id(KIND_ACCOUNT, c->alice.account),
		   nobody = ref_by_id(KIND_ACCOUNT, id_new(KIND_ACCOUNT));
	struct str product = STR("rhel*");
	struct desk_wish wish = desk_named("desk", DESK_ROLE_VENDOR);
	wish.queue = STR("cloud");
	wish.poll_s = 7;
	wish.has_products = wish.has_accounts = true;
	wish.products = (struct strs){&product, 1};
	wish.accounts = refs_of(c, &alice, 1);
	wish.opens_for = alice;
	RUN(c, &c->operator, engine_put_desk, &wish);
	struct desk_wish change = {.name = STR("desk"),
				   .login = STR("dari"),
				   .driver = -1,
				   .mode = -1,
				   .role = -1,
				   .off = CHOICE_YES};
	RUN(c, &c->operator, engine_put_desk, &change);
	const struct desk *desk = desk_find(cloud_tables(c), wish.desk);
	assert_true(uuid_equal(change.desk, wish.desk));
	assert_true(desk->is_off && str_is(desk->login, "dari") && str_is(desk->queue, "cloud"));
	assert_true(desk->role == DESK_ROLE_VENDOR && desk->speaks == DESK_SPEAKS_RT && desk->poll_s == 7);
	assert_true(desk->products.count == 1 && desk->accounts.count == 1);
	assert_true(uuid_equal(desk->opens_for, c->alice.account));
	change.has_accounts = true;
	change.accounts = refs_of(c, &nobody, 1);
	cloud_fails(c, &c->operator, engine_put_desk, &change, ERR_NOT_FOUND, KIND_ACCOUNT);
	change.has_accounts = false;
	change.accounts = (struct refs){0};
	change.opens_for = nobody;
	cloud_fails(c, &c->operator, engine_put_desk, &change, ERR_NOT_FOUND, KIND_ACCOUNT);
}

static void there_are_a_hundred_desks_at_most(void **state)
{
	struct cloud *c = *state;
	c->skips_dumps = true;
	for (int k = 0; k < DESKS_MAX; k++)
		make_operators_desk(c, str_to_z(c->arena, str_print(c->arena, "desk-%d", k)));
	expect_refused(c, desk_named("one-more", DESK_ROLE_OPERATOR), ERR_QUOTA, "name");
	make_operators_desk(c, "desk-7"); /* a change */
}

static void a_desk_that_has_tickets_goes_only_by_force_and_leaves_nothing(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid link = link_at(c, ticket, desk)->row.id;
	const struct desk_item item = item_of("a", "Which kernel?");
	struct desk_report report = {.desk = desk, .problem = STR("no route")};
	struct desk_target target = {.name = STR("nothing")};
	see_items(c, link, &item, 1);
	say_in(c, ticket, "It hangs.");
	fail_next(c, link);
	RUN(c, NULL, engine_see_desk, &report);
	assert_non_null(cloud_condition(c, desk, DESK_UNREACHABLE));
	assert_non_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
	cloud_fails(c, &c->operator, engine_delete_desk, &target, ERR_NOT_FOUND, KIND_DESK);
	target.name = STR("desk");
	cloud_fails(c, &c->alice, engine_delete_desk, &target, ERR_DENIED, KIND_DESK);
	cloud_fails(c, &c->operator, engine_delete_desk, &target, ERR_IN_USE, KIND_DESK);
	target.forced = true;
	RUN(c, &c->operator, engine_delete_desk, &target);
	const struct tables *t = cloud_tables(c);
	assert_null(desk_find(t, desk));
	assert_null(ticket_link_find(t, link));
	assert_null(ticket_sending_first_by_link(t, link));
	assert_null(cloud_condition(c, desk, DESK_UNREACHABLE));
	assert_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
	assert_int_equal(ticket_at(c, ticket)->last_message, 3);
}

static void a_desk_whose_links_have_ended_goes_without_force(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	struct ticket_linking end = {.ticket = ticket_ref(ticket), .desk = STR("desk"), .ends = true};
	struct desk_target target = {.name = STR("desk")};
	RUN(c, &c->operator, engine_link_ticket, &end);
	RUN(c, &c->operator, engine_delete_desk, &target);
	assert_null(link_at(c, ticket, desk));
}

/* ---- links by hand ---- */

static void a_ticket_is_linked_once_with_a_desk_that_exists(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one"), desk = make_operators_desk(c, "desk");
	struct ticket_linking wish = {.ticket = ticket_ref(ticket), .desk = STR("nothing")};
	cloud_fails(c, &c->operator, engine_link_ticket, &wish, ERR_NOT_FOUND, KIND_DESK);
	wish.desk = STR("desk");
	cloud_fails(c, &c->alice, engine_link_ticket, &wish, ERR_DENIED, KIND_SUPPORT_TICKET);
	wish.ends = true;
	cloud_fails(c, &c->operator, engine_link_ticket, &wish, ERR_NOT_FOUND, KIND_DESK);
	wish.ends = false;
	wish.goes_on = true;
	cloud_fails(c, &c->operator, engine_link_ticket, &wish, ERR_NOT_FOUND, KIND_DESK);
	wish.goes_on = false;
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_int_equal(count_sendings(c, wish.link, TICKET_SENDING_STAGE_WAITING), 1);
	assert_true(uuid_equal(link_at(c, ticket, desk)->row.id, wish.link));
	cloud_fails(c, &c->operator, engine_link_ticket, &wish, ERR_EXISTS, KIND_TICKET_LINK);
}

static void an_ended_link_carries_nothing_until_it_is_linked_again(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid link = link_at(c, ticket, desk)->row.id;
	const struct desk_item item = item_of("a", "Which kernel?");
	struct ticket_linking wish = {.ticket = ticket_ref(ticket), .desk = STR("desk"), .ends = true};
	struct link_wake wake = {.desk = desk, .foreign_id = STR("one")};
	see_items(c, link, NULL, 0);
	say_in(c, ticket, "It hangs.");
	fail_next(c, link);
	assert_non_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_null(cloud_condition(c, ticket, DESK_UNREACHABLE)); /* nothing is to be there any more */
	say_in(c, ticket, "It still hangs.");
	see_items(c, link, &item, 1);
	RUN(c, NULL, engine_wake_link, &wake);
	assert_int_equal(count_sendings(c, link, TICKET_SENDING_STAGE_WAITING), 1);
	assert_int_equal(ticket_at(c, ticket)->last_message, 3);
	assert_false(link_at(c, ticket, desk)->is_asked);
	wish.ends = false;
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_true(link_at(c, ticket, desk)->is_asked);
	see_items(c, link, &item, 1);
	assert_int_equal(ticket_at(c, ticket)->last_message, 4);
}

/* ---- items that a desk refused ---- */

static void a_refused_item_is_tried_again_or_dropped(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid link = link_at(c, ticket, desk)->row.id;
	uuid sent = ticket_sending_first_by_link(cloud_tables(c), link)->row.id;
	struct sending_change change = {.sending = ref_by_id(KIND_TICKET_SENDING, sent)};
	cloud_fails(c, &c->operator, engine_change_sending, &change, ERR_STATE, KIND_TICKET_SENDING);
	say_in(c, ticket, "first");
	say_in(c, ticket, "second");
	uuid first = refuse_next(c, link), second = refuse_next(c, link);
	assert_int_equal(count_sendings(c, link, TICKET_SENDING_STAGE_DEAD), 2);
	assert_non_null(cloud_condition(c, ticket, DESK_REFUSED));
	change.sending = ref_by_id(KIND_TICKET_SENDING, first);
	cloud_fails(c, &c->alice, engine_change_sending, &change, ERR_DENIED, KIND_TICKET_LINK);
	RUN(c, &c->operator, engine_change_sending, &change);
	assert_int_equal(count_sendings(c, link, TICKET_SENDING_STAGE_WAITING), 1);
	assert_non_null(cloud_condition(c, ticket, DESK_REFUSED)); /* the second still is */
	change = (struct sending_change){ref_by_id(KIND_TICKET_SENDING, second), true};
	RUN(c, &c->operator, engine_change_sending, &change);
	assert_null(cloud_condition(c, ticket, DESK_REFUSED));
	send_all(c, link, "one");
	assert_int_equal(count_sendings(c, link, TICKET_SENDING_STAGE_SENT), 2);
}

static void a_dropped_item_that_waited_leaves_no_condition(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid link = link_at(c, ticket, desk)->row.id;
	say_in(c, ticket, "first");
	fail_next(c, link);
	int64_t since_us = link_at(c, ticket, desk)->failing_us;
	fail_next(c, link);
	assert_int_equal(link_at(c, ticket, desk)->failing_us, since_us); /* since the first failure */
	assert_int_equal(link_at(c, ticket, desk)->tries, 2);
	struct sending_change drop = {
		ref_by_id(KIND_TICKET_SENDING, engine_next_sending(cloud_tables(c), link)->row.id), true};
	RUN(c, &c->operator, engine_change_sending, &drop);
	assert_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
	assert_int_equal(link_at(c, ticket, desk)->failing_us, 0);
}

static void a_desk_that_answers_does_not_clear_the_condition_of_another(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid other = make_vendors_desk(c, "vendor", "rhel");
	struct ticket_linking wish = {.ticket = ticket_ref(ticket), .desk = STR("vendor")};
	RUN(c, &c->operator, engine_link_ticket, &wish);
	fail_next(c, wish.link);
	say_in(c, ticket, "first");
	send_all(c, link_at(c, ticket, desk)->row.id, "one");
	assert_non_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
	send_all(c, link_at(c, ticket, other)->row.id, "theirs");
	assert_null(cloud_condition(c, ticket, DESK_UNREACHABLE));
}

static void a_dropped_creation_ends_the_link_and_a_later_one_creates_again(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_ticket(c, "one");
	uuid link = link_at(c, ticket, desk)->row.id, creation = refuse_next(c, link);
	say_in(c, ticket, "behind it");
	assert_null(engine_next_sending(cloud_tables(c), link));
	struct sending_change drop = {ref_by_id(KIND_TICKET_SENDING, creation), true};
	RUN(c, &c->operator, engine_change_sending, &drop);
	assert_null(link_at(c, ticket, desk));
	assert_null(ticket_sending_first_by_link(cloud_tables(c), link));
	assert_null(cloud_condition(c, ticket, DESK_REFUSED));
	struct ticket_linking wish = {.ticket = ticket_ref(ticket), .desk = STR("desk")};
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_int_equal(engine_next_sending(cloud_tables(c), wish.link)->what, TICKET_SENDING_WHAT_CREATE);
	assert_int_equal(count_sendings(c, wish.link, TICKET_SENDING_STAGE_WAITING), 2);
}

/* ---- polls ---- */

static void a_desk_that_answers_again_is_sent_everything_at_once(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	uuid link = link_at(c, ticket, desk)->row.id;
	struct desk_report report = {.desk = desk, .problem = STR("no route"), .cursor = STR("c1")};
	say_in(c, ticket, "first");
	fail_next(c, link);
	RUN(c, NULL, engine_see_desk, &report);
	assert_int_equal(desk_find(cloud_tables(c), desk)->state, DESK_STATE_FAILING);
	assert_true(link_at(c, ticket, desk)->retry_us > 0);
	report = (struct desk_report){.desk = desk};
	RUN(c, NULL, engine_see_desk, &report);
	assert_int_equal(desk_find(cloud_tables(c), desk)->state, DESK_STATE_OK);
	assert_true(str_is(desk_find(cloud_tables(c), desk)->cursor, "c1")); /* none is no change */
	assert_int_equal(link_at(c, ticket, desk)->retry_us, 0);
	assert_int_equal(link_at(c, ticket, desk)->tries, 0);
	assert_null(cloud_condition(c, desk, DESK_UNREACHABLE));
	report.desk = id_new(KIND_DESK);
	RUN(c, NULL, engine_see_desk, &report); /* a desk that is gone */
}

static void a_clock_that_is_a_minute_off_is_a_condition(void **state)
{
	struct cloud *c = *state;
	struct desk_report report = {.desk = make_operators_desk(c, "desk"), .has_skew = true};
	static const int64_t skews[] = {60, 61, -60, -61};
	for (size_t k = 0; k < 4; k++) {
		report.skew_s = skews[k];
		RUN(c, NULL, engine_see_desk, &report);
		assert_int_equal(cloud_condition(c, report.desk, "DeskClockSkewed") != NULL, k % 2);
	}
	report.has_skew = false;
	report.skew_s = 0;
	RUN(c, NULL, engine_see_desk, &report); /* the poll did not tell */
	assert_non_null(cloud_condition(c, report.desk, "DeskClockSkewed"));
}

static void a_poll_asks_for_changed_tickets_or_for_all_that_are_not_closed(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk");
	uuid one = open_at(c, desk, "one"), two = open_at(c, desk, "two"), new = open_ticket(c, "new");
	struct str ids[] = {STR("two"), STR("nothing")};
	struct desk_report report = {.desk = desk, .changed = {ids, 2}};
	see_items(c, link_at(c, one, desk)->row.id, NULL, 0);
	see_items(c, link_at(c, two, desk)->row.id, NULL, 0);
	assert_false(link_at(c, one, desk)->is_asked || link_at(c, two, desk)->is_asked);
	RUN(c, NULL, engine_see_desk, &report);
	assert_false(link_at(c, one, desk)->is_asked);
	assert_true(link_at(c, two, desk)->is_asked);
	struct ticket_change close = {.ticket = ticket_ref(two), .wish = SUPPORT_TICKET_WISH_CLOSED};
	RUN(c, &c->alice, engine_change_ticket, &close);
	see_items(c, link_at(c, two, desk)->row.id, NULL, 0);
	report = (struct desk_report){.desk = desk, .asks_all = true};
	RUN(c, NULL, engine_see_desk, &report);
	assert_true(link_at(c, one, desk)->is_asked);
	assert_false(link_at(c, two, desk)->is_asked);
	assert_false(link_at(c, new, desk)->is_asked); /* not at the desk yet */
	struct link_wake wake = {.desk = desk, .foreign_id = STR("two")};
	RUN(c, NULL, engine_wake_link, &wake);
	assert_true(link_at(c, two, desk)->is_asked);
	wake.foreign_id = STR("nothing");
	RUN(c, NULL, engine_wake_link, &wake);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(a_desk_says_where_and_how_it_is_spoken_to),
		in_a_cloud(texts_numbers_and_products_of_a_desk_have_limits),
		in_a_cloud(a_change_of_a_desk_keeps_what_it_does_not_name),
		in_a_cloud(there_are_a_hundred_desks_at_most),
		in_a_cloud(a_desk_that_has_tickets_goes_only_by_force_and_leaves_nothing),
		in_a_cloud(a_desk_whose_links_have_ended_goes_without_force),
		in_a_cloud(a_ticket_is_linked_once_with_a_desk_that_exists),
		in_a_cloud(an_ended_link_carries_nothing_until_it_is_linked_again),
		in_a_cloud(a_refused_item_is_tried_again_or_dropped),
		in_a_cloud(a_dropped_item_that_waited_leaves_no_condition),
		in_a_cloud(a_desk_that_answers_does_not_clear_the_condition_of_another),
		in_a_cloud(a_dropped_creation_ends_the_link_and_a_later_one_creates_again),
		in_a_cloud(a_desk_that_answers_again_is_sent_everything_at_once),
		in_a_cloud(a_clock_that_is_a_minute_off_is_a_condition),
		in_a_cloud(a_poll_asks_for_changed_tickets_or_for_all_that_are_not_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
