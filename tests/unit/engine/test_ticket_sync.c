/* SPDX-License-Identifier: Apache-2.0
 * Reports of a desk about a ticket: messages, files, states and documents, each taken once. The owning desk
 * sets the state; test_tickets.c plays the exchange of states in every order. */
#include "desks.h"

struct linked {
	struct cloud *c;
	uuid desk, ticket, link;
};

static struct linked begin(void **state)
{
	struct linked s = {.c = *state, .desk = make_operators_desk(*state, "desk")};
	s.ticket = open_at(s.c, s.desk, "one");
	s.link = link_at(s.c, s.ticket, s.desk)->row.id;
	see_items(s.c, s.link, NULL, 0);
	return s;
}

static int64_t messages_of(const struct linked *s)
{
	return ticket_at(s->c, s->ticket)->last_message;
}

static const struct ticket_message *last_of(const struct linked *s)
{
	return ticket_message_find_by_ticket(cloud_tables(s->c), s->ticket, messages_of(s));
}

static void see_one(const struct linked *s, struct desk_item item)
{
	see_items(s->c, s->link, &item, 1);
}

/* ---- messages ---- */

static void an_item_of_a_desk_is_taken_once(void **state)
{
	struct linked s = begin(state);
	const struct desk_item items[] = {item_of("a", "Which kernel?"), item_of("a", "Which kernel?"),
					  item_of("b", "And since when?")};
	see_items(s.c, s.link, items, 3);
	assert_int_equal(messages_of(&s), 3);
	see_items(s.c, s.link, items, 3);
	assert_int_equal(messages_of(&s), 3);
	assert_true(str_is(last_of(&s)->body, "And since when?") && str_is(last_of(&s)->author, "kim"));
	assert_int_equal(last_of(&s)->said_by, TICKET_MESSAGE_SAID_BY_DESK);
	assert_int_equal(count_sendings(s.c, s.link, TICKET_SENDING_STAGE_WAITING), 0); /* nor back */
}

static void an_item_that_we_sent_is_not_taken(void **state)
{
	struct linked s = begin(state);
	say_in(s.c, s.ticket, "It hangs.");
	send_all(s.c, s.link, "ours");
	see_one(&s, item_of("ours-1", "It hangs."));
	assert_int_equal(messages_of(&s), 2);
}

static void a_private_or_an_empty_item_is_passed_over_for_good(void **state)
{
	struct linked s = begin(state);
	struct desk_item item = item_of("a", "They do not pay.");
	item.is_private = true;
	see_one(&s, item);
	see_one(&s, item_of("b", ""));
	assert_int_equal(messages_of(&s), 1);
	see_one(&s, item_of("a", "They do not pay."));
	see_one(&s, item_of("b", "x"));
	assert_int_equal(messages_of(&s), 1);
}

static void a_message_without_an_author_is_the_desks(void **state)
{
	struct linked s = begin(state);
	struct desk_item item = item_of("a", "Which kernel?");
	item.author = STR_NONE;
	see_one(&s, item);
	assert_true(str_is(last_of(&s)->author, "desk"));
}

/* RT's attachments have any bytes; what steers a terminal would reach whoever reads the ticket there. */
static void words_of_a_desk_have_no_control_characters(void **state)
{
	struct linked s = begin(state);
	struct desk_item item = item_of("a", "caf\xE9\n\x1B]0;x\x07");
	item.author = STR("k\nim\x1B");
	see_one(&s, item);
	assert_true(str_is(last_of(&s)->body, "caf?\n?]0;x?") && str_is(last_of(&s)->author, "k?im?"));
}

static void a_full_ticket_notes_no_more_of_a_desk_than_others(void **state)
{
	struct linked s = begin(state);
	for (int64_t n = messages_of(&s); n < TICKET_MESSAGES_MAX; n++)
		say_in(s.c, s.ticket, "It hangs.");
	for (int n = 0; n < 30; n++)
		see_one(&s, item_of(str_print(s.c->arena, "i-%d", n).p, "Again."));
	assert_true(link_at(s.c, s.ticket, s.desk)->is_stopped);
	assert_int_equal(messages_of(&s), TICKET_MESSAGES_MAX);
}

static void what_one_desk_says_is_sent_to_the_others(void **state)
{
	struct linked s = begin(state);
	(void) make_vendors_desk(s.c, "vendor", "rhel");
	struct ticket_linking wish = {.ticket = ticket_ref(s.ticket), .desk = STR("vendor")};
	RUN(s.c, &s.c->operator, engine_link_ticket, &wish);
	send_all(s.c, wish.link, "theirs");
	see_one(&s, item_of("a", "Which kernel?"));
	assert_int_equal(count_sendings(s.c, wish.link, TICKET_SENDING_STAGE_WAITING), 1);
	assert_int_equal(count_sendings(s.c, s.link, TICKET_SENDING_STAGE_WAITING), 0);
}

static void more_than_twenty_in_a_minute_stop_the_link_and_none_is_lost(void **state)
{
	struct linked s = begin(state);
	struct desk_item items[25];
	for (int k = 0; k < 25; k++)
		items[k] = item_of(str_to_z(s.c->arena, str_print(s.c->arena, "auto-%d", k)), "Again.");
	see_items(s.c, s.link, items, 20);
	assert_false(link_at(s.c, s.ticket, s.desk)->is_stopped);
	see_items(s.c, s.link, items, 25);
	assert_int_equal(messages_of(&s), 21);
	const struct ticket_link *l = link_at(s.c, s.ticket, s.desk);
	assert_true(l->is_stopped && str_is(l->read_to, "auto-19"));
	assert_non_null(cloud_condition(s.c, s.ticket, DESK_ECHOES));
	clock_set_us(clock_now_us() + HOUR);
	see_items(s.c, s.link, items, 25);
	assert_int_equal(messages_of(&s), 21); /* time does not resume it */
	struct ticket_linking resume = {.ticket = ticket_ref(s.ticket), .desk = STR("desk"), .goes_on = true};
	RUN(s.c, &s.c->operator, engine_link_ticket, &resume);
	assert_null(cloud_condition(s.c, s.ticket, DESK_ECHOES));
	assert_true(link_at(s.c, s.ticket, s.desk)->is_asked);
	see_items(s.c, s.link, items, 25);
	assert_int_equal(messages_of(&s), 26);
	l = link_at(s.c, s.ticket, s.desk);
	assert_true(!l->is_stopped && !l->is_asked && str_is(l->read_to, "auto-24"));
}

static void twenty_messages_each_minute_do_not_stop_the_link(void **state)
{
	struct linked s = begin(state);
	for (int k = 0; k < 40; k++) {
		if (k == 20)
			clock_set_us(clock_now_us() + MINUTE);
		see_one(&s, item_of(str_to_z(s.c->arena, str_print(s.c->arena, "m-%d", k)), "Again."));
	}
	assert_int_equal(messages_of(&s), 41);
	assert_false(link_at(s.c, s.ticket, s.desk)->is_stopped);
}

/* ---- files ---- */

static struct desk_item file_item(const char *origin, const char *body, int64_t size)
{
	struct desk_item item = item_of(origin, body);
	item.has_file = true;
	item.file = (struct ticket_file){
		.id = id_new(KIND_TICKET_ATTACHMENT), .name = STR("log.txt"), .size = size};
	return item;
}

static void a_file_of_a_desk_is_kept_with_its_message_and_sent_to_the_others(void **state)
{
	struct linked s = begin(state);
	(void) make_vendors_desk(s.c, "vendor", "rhel");
	struct ticket_linking wish = {.ticket = ticket_ref(s.ticket), .desk = STR("vendor")};
	RUN(s.c, &s.c->operator, engine_link_ticket, &wish);
	send_all(s.c, wish.link, "theirs");
	struct desk_item with = file_item("a", "See this.", 7), alone = file_item("b", "", 5);
	see_one(&s, with);
	const struct ticket_attachment *a = ticket_attachment_find(cloud_tables(s.c), with.file.id);
	assert_true(a && uuid_equal(a->message, last_of(&s)->row.id));
	see_one(&s, alone);
	a = ticket_attachment_find(cloud_tables(s.c), alone.file.id);
	assert_true(a && uuid_is_none(a->message));
	assert_int_equal(messages_of(&s), 2);
	assert_int_equal(ticket_at(s.c, s.ticket)->attached_size, 12);
	assert_int_equal(count_sendings(s.c, wish.link, TICKET_SENDING_STAGE_WAITING), 3);
	assert_int_equal(count_sendings(s.c, s.link, TICKET_SENDING_STAGE_WAITING), 0);
}

static void files_of_desks_have_no_more_room_than_others(void **state)
{
	struct linked s = begin(state);
	struct desk_item fits = file_item("a", "", TICKET_FILES_MAX), more = file_item("b", "And this.", 1);
	see_one(&s, fits);
	see_one(&s, more);
	assert_non_null(ticket_attachment_find(cloud_tables(s.c), fits.file.id));
	assert_null(ticket_attachment_find(cloud_tables(s.c), more.file.id));
	assert_true(str_is(last_of(&s)->body, "And this."));
	assert_int_equal(ticket_at(s.c, s.ticket)->attached_size, TICKET_FILES_MAX);
}

/* ---- states ---- */

static void a_message_of_a_desk_that_crosses_the_end_opens_the_ticket(void **state)
{
	struct linked s = begin(state);
	struct ticket_change resolve = {.ticket = ticket_ref(s.ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(s.c, &s.c->alice, engine_change_ticket, &resolve);
	const struct desk_item item = item_of("a", "One more question.");
	struct link_report report = {
		.link = s.link, .items = &item, .item_count = 1, .has_state = true, .state = TICKET_RESOLVED};
	RUN(s.c, NULL, engine_see_link, &report);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_RESOLVED); /* the desk ends it, too */
	see_one(&s, item_of("b", "And another."));
	assert_int_equal(last_of(&s)->said_by, TICKET_MESSAGE_SAID_BY_SYSTEM);
	assert_int_equal(ticket_at(s.c, s.ticket)->wish, SUPPORT_TICKET_WISH_OPEN);
}

static void a_message_of_a_desk_does_not_open_what_is_closed(void **state)
{
	struct linked s = begin(state);
	struct ticket_change close = {.ticket = ticket_ref(s.ticket), .wish = SUPPORT_TICKET_WISH_CLOSED};
	RUN(s.c, &s.c->alice, engine_change_ticket, &close);
	see_one(&s, item_of("a", "One more question."));
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_CLOSED);
	assert_int_equal(messages_of(&s), 2);
}

static void a_vendor_that_is_done_ends_only_what_its_owner_holds_for_it(void **state)
{
	struct linked s = begin(state);
	(void) make_vendors_desk(s.c, "vendor", "rhel");
	struct ticket_linking wish = {.ticket = ticket_ref(s.ticket), .desk = STR("vendor")};
	RUN(s.c, &s.c->operator, engine_link_ticket, &wish);
	send_all(s.c, wish.link, "theirs");
	see_state(s.c, s.link, TICKET_WORKING);
	see_state(s.c, wish.link, TICKET_RESOLVED);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_WORKING);
	assert_true(str_is(last_of(&s)->body, "Desk vendor asks to have it resolved."));
	assert_int_equal(count_sendings(s.c, s.link, TICKET_SENDING_STAGE_WAITING),
			 0); /* the note stays here */
	see_state(s.c, wish.link, TICKET_WORKING);
	see_state(s.c, s.link, TICKET_HELD);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_HELD);
	int64_t before = messages_of(&s);
	see_state(s.c, wish.link, TICKET_RESOLVED);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_RESOLVED);
	assert_int_equal(messages_of(&s), before);
}

static void a_ticket_on_hold_waits_for_its_customer_where_there_is_no_vendor(void **state)
{
	struct linked s = begin(state);
	see_state(s.c, s.link, TICKET_HELD);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_WAITING);
}

static void a_desk_that_opens_again_what_it_ended_opens_it_here(void **state)
{
	struct linked s = begin(state);
	struct ticket_change resolve = {.ticket = ticket_ref(s.ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(s.c, &s.c->alice, engine_change_ticket, &resolve);
	see_state(s.c, s.link, TICKET_WAITING); /* the desk does not know of the end yet */
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_RESOLVED);
	send_all(s.c, s.link, "end");
	see_state(s.c, s.link, TICKET_RESOLVED);
	see_state(s.c, s.link, TICKET_WORKING);
	assert_int_equal(ticket_state_at(s.c, s.ticket), TICKET_WORKING);
}

/* ---- what else a report has ---- */

static void a_report_changes_what_it_has_alone(void **state)
{
	struct linked s = begin(state);
	struct link_report report = {.link = s.link,
				     .foreign_state = STR("stalled"),
				     .foreign_version = STR("7"),
				     .has_severity = true,
				     .severity = TICKET_LINK_SEVERITY_URGENT,
				     .read_to = STR("m7")};
	struct ticket_linking ask = {.ticket = ticket_ref(s.ticket), .desk = STR("desk"), .goes_on = true};
	RUN(s.c, &s.c->operator, engine_link_ticket, &ask);
	RUN(s.c, NULL, engine_see_link, &report);
	assert_true(link_at(s.c, s.ticket, s.desk)->is_asked); /* that was not all */
	report = (struct link_report){.link = s.link, .is_current = true};
	RUN(s.c, NULL, engine_see_link, &report);
	const struct ticket_link *l = link_at(s.c, s.ticket, s.desk);
	assert_true(str_is(l->foreign_state, "stalled") && str_is(l->foreign_version, "7"));
	assert_true(str_is(l->read_to, "m7") && l->severity == TICKET_LINK_SEVERITY_URGENT && !l->is_asked);
	assert_int_equal(ticket_at(s.c, s.ticket)->severity, SUPPORT_TICKET_SEVERITY_LOW);
}

static void a_document_replaces_only_the_one_that_was_read(void **state)
{
	struct linked s = begin(state);
	struct link_report report = {.link = s.link, .has_document = true, .document = STR("{\"a\":1}")};
	RUN(s.c, NULL, engine_see_link, &report);
	report.document = STR("{\"a\":2}");
	cloud_fails(s.c, NULL, engine_see_link, &report, ERR_CONFLICT, KIND_NONE);
	report.document_was = STR("{\"a\":1}");
	int64_t gen = link_at(s.c, s.ticket, s.desk)->row.gen;
	RUN(s.c, NULL, engine_see_link, &report);
	assert_true(str_is(link_at(s.c, s.ticket, s.desk)->document, "{\"a\":2}"));
	assert_int_equal(link_at(s.c, s.ticket, s.desk)->row.gen, gen + 1);
}

static void reports_that_come_too_late_change_nothing(void **state)
{
	struct linked s = begin(state);
	uuid sent = ticket_sending_first_by_link(cloud_tables(s.c), s.link)->row.id;
	struct sending_report report = {.sending = sent, .problem = STR("400"), .is_final = true};
	struct link_made made = {s.link, STR("two"), STR_NONE, STR_NONE};
	struct link_report gone = {.link = id_new(KIND_TICKET_LINK), .has_state = true};
	RUN(s.c, NULL, engine_see_sending, &report);
	assert_int_equal(ticket_sending_find(cloud_tables(s.c), sent)->stage, TICKET_SENDING_STAGE_SENT);
	RUN(s.c, NULL, engine_see_link_made, &made);
	assert_true(str_is(link_at(s.c, s.ticket, s.desk)->foreign_id, "one"));
	made.link = report.sending = gone.link;
	RUN(s.c, NULL, engine_see_link_made, &made);
	RUN(s.c, NULL, engine_see_sending, &report);
	RUN(s.c, NULL, engine_see_link, &gone);
}

static void a_desk_opens_a_ticket_with_what_it_says_of_it(void **state)
{
	struct linked s = begin(state);
	const struct desk_item item = item_of("a", "It began at noon.");
	struct link_report said = {
		.items = &item, .item_count = 1, .has_state = true, .state = TICKET_WORKING};
	struct ticket_wish wish = {.subject = STR("Theirs"),
				   .body = STR("It does not boot."),
				   .author = STR("lee"),
				   .desk = s.desk,
				   .foreign_id = STR("77"),
				   .said = &said};
	RUN(s.c, &s.c->alice, engine_open_ticket, &wish);
	const struct ticket_link *l = link_at(s.c, wish.ticket, s.desk);
	assert_true(l->is_theirs && str_is(l->foreign_id, "77") && l->state == TICKET_LINK_STATE_WORKING);
	assert_null(engine_next_sending(cloud_tables(s.c), l->row.id)); /* the desk has it all */
	const struct ticket_message *m = ticket_message_find_by_ticket(cloud_tables(s.c), wish.ticket, 1);
	assert_true(m->said_by == TICKET_MESSAGE_SAID_BY_DESK && str_is(m->author, "lee"));
	assert_int_equal(ticket_at(s.c, wish.ticket)->last_message, 2);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(an_item_of_a_desk_is_taken_once),
		in_a_cloud(an_item_that_we_sent_is_not_taken),
		in_a_cloud(a_private_or_an_empty_item_is_passed_over_for_good),
		in_a_cloud(a_message_without_an_author_is_the_desks),
		in_a_cloud(words_of_a_desk_have_no_control_characters),
		in_a_cloud(a_full_ticket_notes_no_more_of_a_desk_than_others),
		in_a_cloud(what_one_desk_says_is_sent_to_the_others),
		in_a_cloud(more_than_twenty_in_a_minute_stop_the_link_and_none_is_lost),
		in_a_cloud(twenty_messages_each_minute_do_not_stop_the_link),
		in_a_cloud(a_file_of_a_desk_is_kept_with_its_message_and_sent_to_the_others),
		in_a_cloud(files_of_desks_have_no_more_room_than_others),
		in_a_cloud(a_message_of_a_desk_that_crosses_the_end_opens_the_ticket),
		in_a_cloud(a_message_of_a_desk_does_not_open_what_is_closed),
		in_a_cloud(a_vendor_that_is_done_ends_only_what_its_owner_holds_for_it),
		in_a_cloud(a_ticket_on_hold_waits_for_its_customer_where_there_is_no_vendor),
		in_a_cloud(a_desk_that_opens_again_what_it_ended_opens_it_here),
		in_a_cloud(a_report_changes_what_it_has_alone),
		in_a_cloud(a_document_replaces_only_the_one_that_was_read),
		in_a_cloud(reports_that_come_too_late_change_nothing),
		in_a_cloud(a_desk_opens_a_ticket_with_what_it_says_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
