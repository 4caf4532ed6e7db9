/* SPDX-License-Identifier: Apache-2.0
 * Routes of tickets: the instances that it names, the product that runs on them, and the desks that take
 * it. Also the rules of tickets that no desk drives. */
#include "desks.h"

#include <string.h>

/* ---- the subject matter ---- */

static uuid launch_image(struct cloud *c, const char *name, enum image_platform platform)
{
	struct image_import image = {.name = str_from(name),
				     .is_public = true,
				     .platform = platform,
				     .virtual_size = 2 * GIB,
				     .file_size = GIB / 2,
				     .sha256 = str_from(name)};
	RUN(c, &c->operator, engine_import_image, &image);
	struct instance_launch wish = cloud_launch(c, 1);
	wish.image = ref_to(c, KIND_IMAGE, image.image);
	RUN(c, &c->alice, engine_create_instances, &wish);
	return wish.made.at[0];
}

static struct str ec2_id(struct cloud *c, uuid instance)
{
	return id_to_ec2(c->arena, KIND_INSTANCE, instance);
}

static uuid open_about(struct cloud *c, uuid instance, enum support_ticket_about about)
{
	struct str id = ec2_id(c, instance);
	struct ticket_wish wish = {.subject = STR("It hangs"),
				   .body = STR("It does not boot."),
				   .about = about,
				   .resources = {&id, 1}};
	RUN(c, &c->alice, engine_open_ticket, &wish);
	return wish.ticket;
}

static void the_name_of_an_image_tells_the_product(void **state)
{
	static const struct {
		const char *image, *product;
		enum image_platform platform;
	} cases[] = {{"RHEL 9 golden", "rhel", IMAGE_PLATFORM_LINUX},
		     {"Red Hat 8", "rhel", IMAGE_PLATFORM_LINUX},
		     {"SUSE 15", "sles", IMAGE_PLATFORM_LINUX},
		     {"our Ubuntu", "ubuntu", IMAGE_PLATFORM_LINUX},
		     {"Oracle 9", "oracle", IMAGE_PLATFORM_LINUX},
		     {"Windows Server 2022", "windows-server", IMAGE_PLATFORM_LINUX},
		     {"w2k22", "windows-server", IMAGE_PLATFORM_WINDOWS},
		     {"windows 11", "windows", IMAGE_PLATFORM_LINUX},
		     {"mine", "", IMAGE_PLATFORM_LINUX}};
	struct cloud *c = *state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		uuid ticket = open_about(c, launch_image(c, cases[k].image, cases[k].platform),
					 SUPPORT_TICKET_ABOUT_TECHNICAL);
		struct str product = ticket_at(c, ticket)->product;
		assert_string_equal(str_to_z(c->arena, product), cases[k].product);
	}
}

static void a_ticket_is_about_the_own_instances_that_its_text_names(void **state)
{
	struct cloud *c = *state;
	uuid mine = cloud_launch_one(c), other = cloud_launch_one(c);
	struct instance_launch launch = cloud_launch(c, 1);
	RUN(c, &c->bob, engine_create_instances, &launch);
	struct str id = ec2_id(c, mine), second = ec2_id(c, other), bobs = ec2_id(c, launch.made.at[0]);
	struct ticket_wish wish = {.subject = str_print(c->arena, "%" STR_FMT " hangs", STR_ARG(id)),
				   .body = str_print(c->arena,
						     "Also %" STR_FMT ", %" STR_FMT "; neither x%" STR_FMT
						     ", %" STR_FMT "0 nor i-12, i- nor i",
						     STR_ARG(id), STR_ARG(bobs), STR_ARG(second),
						     STR_ARG(second))};
	RUN(c, &c->alice, engine_open_ticket, &wish);
	const struct support_ticket *ticket = ticket_at(c, wish.ticket);
	assert_int_equal(ticket->resources.count, 1);
	assert_true(str_equal(ticket->resources.at[0], id));
	wish = (struct ticket_wish){
		.subject = STR("Two"),
		.body = str_print(c->arena, "(%" STR_FMT ")/%" STR_FMT, STR_ARG(id), STR_ARG(second))};
	RUN(c, &c->alice, engine_open_ticket, &wish);
	assert_int_equal(ticket_at(c, wish.ticket)->resources.count, 2);
}

static void a_ticket_names_no_resource_of_another_account(void **state)
{
	struct cloud *c = *state;
	char uuid_text[UUID_TEXT_SIZE];
	uuid mine = cloud_launch_one(c), volume = cloud_make_volume(c, GIB);
	struct instance_launch launch = cloud_launch(c, 1);
	RUN(c, &c->bob, engine_create_instances, &launch);
	struct str bobs[] = {ec2_id(c, launch.made.at[0]),
			     str_copy(c->arena, str_from(uuid_write(launch.made.at[0], uuid_text))),
			     str_copy(c->arena, str_from(uuid_write(id_new(KIND_INSTANCE), uuid_text))),
			     STR("i-0123456789abcdef0"), STR("nothing")};
	struct ticket_wish wish = {.subject = STR("It hangs"), .body = STR("It does not boot.")};
	for (size_t k = 0; k < 5; k++) {
		wish.resources = (struct strs){&bobs[k], 1};
		cloud_fails(c, &c->alice, engine_open_ticket, &wish, ERR_NOT_FOUND, KIND_NONE);
	}
	struct str own[] = {str_copy(c->arena, str_from(uuid_write(mine, uuid_text))),
			    str_copy(c->arena, str_from(uuid_write(volume, uuid_text)))};
	wish.resources = (struct strs){own, 2};
	RUN(c, &c->alice, engine_open_ticket, &wish);
}

/* ---- desks ---- */

static void hold(struct cloud *c, uuid ticket, uuid desk)
{
	send_all(c, link_at(c, ticket, desk)->row.id, str_to_z(c->arena, uuid_to_str(c->arena, ticket)));
	see_state(c, link_at(c, ticket, desk)->row.id, TICKET_HELD);
}

static void a_ticket_on_hold_is_told_to_the_vendor_of_its_product(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), sles = make_vendors_desk(c, "suse", "sles*"),
	     rhel = make_vendors_desk(c, "redhat", "rhel*");
	uuid ticket =
		open_about(c, launch_image(c, "rhel", IMAGE_PLATFORM_LINUX), SUPPORT_TICKET_ABOUT_TECHNICAL);
	assert_true(str_is(ticket_at(c, ticket)->route, "rhel: desk, which asks the vendor's by holding it"));
	assert_null(link_at(c, ticket, rhel));
	hold(c, ticket, desk);
	assert_non_null(link_at(c, ticket, rhel));
	assert_null(link_at(c, ticket, sles));
	assert_int_equal(ticket_state_at(c, ticket), TICKET_HELD);
	see_state(c, link_at(c, ticket, desk)->row.id, TICKET_WORKING);
	hold(c, ticket, desk); /* it is linked with the vendor's desk already */
	assert_int_equal(count_sendings(c, link_at(c, ticket, rhel)->row.id, TICKET_SENDING_STAGE_WAITING),
			 1);
	uuid plain = open_about(c, cloud_launch_one(c), SUPPORT_TICKET_ABOUT_TECHNICAL);
	assert_true(str_is(ticket_at(c, plain)->route, "no product: desk"));
}

static void a_vendors_desk_owns_a_ticket_where_the_operator_has_none(void **state)
{
	struct cloud *c = *state;
	uuid rhel = make_vendors_desk(c, "redhat", "rhel*"),
	     instance = launch_image(c, "rhel", IMAGE_PLATFORM_LINUX);
	uuid ticket = open_about(c, instance, SUPPORT_TICKET_ABOUT_TECHNICAL);
	assert_true(str_is(ticket_at(c, ticket)->route, "rhel: redhat"));
	see_state(c, link_at(c, ticket, rhel)->row.id, TICKET_RESOLVED);
	assert_int_equal(ticket_state_at(c, ticket), TICKET_RESOLVED);
	uuid billing = open_about(c, instance, SUPPORT_TICKET_ABOUT_BILLING);
	assert_null(link_at(c, billing, rhel));
	assert_true(str_is(ticket_at(c, billing)->route, "rhel: the operator's commands"));
}

static void a_desk_takes_only_tickets_of_its_accounts_and_none_while_it_is_off(void **state)
{
	struct cloud *c = *state;
	struct ref bob = ref_by_id(KIND_ACCOUNT, c->bob.account);
	uuid desk = make_operators_desk(c, "desk");
	struct desk_wish change = {
		.name = STR("desk"), .driver = -1, .mode = -1, .role = -1, .off = CHOICE_YES};
	RUN(c, &c->operator, engine_put_desk, &change);
	assert_null(link_at(c, open_ticket(c, "one"), desk));
	change.off = CHOICE_NO;
	change.has_accounts = true;
	change.accounts = refs_of(c, &bob, 1);
	RUN(c, &c->operator, engine_put_desk, &change);
	assert_null(link_at(c, open_ticket(c, "two"), desk));
	change.accounts = (struct refs){0};
	RUN(c, &c->operator, engine_put_desk, &change);
	assert_non_null(link_at(c, open_ticket(c, "three"), desk));
}

static void trouble_of_the_operators_is_told_to_no_vendor(void **state)
{
	struct cloud *c = *state;
	uuid desk = make_operators_desk(c, "desk"), rhel = make_vendors_desk(c, "redhat", "rhel*"),
	     instance = launch_image(c, "rhel", IMAGE_PLATFORM_LINUX);
	const uuid subjects[] = {instance, cloud_instance(c, instance)->host};
	static const char *const names[] = {"DiskMissing", "HostDown"};
	for (size_t k = 0; k < 2; k++) {
		struct condition_wish trouble = {.kind = k ? KIND_HOST : KIND_INSTANCE,
						 .subject = subjects[k],
						 .name = str_from(names[k]),
						 .message = STR("It is down.")};
		RUN(c, NULL, engine_set_condition, &trouble);
		uuid ticket = open_about(c, instance, SUPPORT_TICKET_ABOUT_TECHNICAL);
		assert_true(str_is(ticket_at(c, ticket)->route,
				   "rhel: desk, for what it is about has trouble that is the operator's"));
		hold(c, ticket, desk);
		assert_null(link_at(c, ticket, rhel));
		assert_int_equal(ticket_state_at(c, ticket), TICKET_WAITING);
		RUN(c, NULL, engine_clear_condition, &trouble);
	}
}

static void a_desk_linked_later_is_told_what_it_may_see(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	(void) make_vendors_desk(c, "redhat", "rhel*");
	struct ticket_saying note = {
		.ticket = ticket_ref(ticket), .body = STR("They do not pay."), .is_private = true};
	struct ticket_attaching files[] = {
		{ticket_ref(ticket),
		 {.id = id_new(KIND_TICKET_ATTACHMENT), .name = STR("a.txt"), .size = 1},
		 false},
		{ticket_ref(ticket),
		 {.id = id_new(KIND_TICKET_ATTACHMENT), .name = STR("b.txt"), .size = 1},
		 true}};
	RUN(c, &c->operator, engine_say_in_ticket, &note);
	for (size_t k = 0; k < 2; k++)
		RUN(c, &c->operator, engine_attach_to_ticket, &files[k]);
	struct ticket_linking wish = {.ticket = ticket_ref(ticket), .desk = STR("redhat")};
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_int_equal(count_sendings(c, wish.link, TICKET_SENDING_STAGE_WAITING),
			 2); /* the ticket, a.txt */
	(void) make_operators_desk(c, "desk");
	wish.desk = STR("desk");
	RUN(c, &c->operator, engine_link_ticket, &wish);
	assert_int_equal(count_sendings(c, wish.link, TICKET_SENDING_STAGE_WAITING), 3);
}

static void a_ticket_is_at_eight_desks_at_most(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	struct ticket_linking wish = {.ticket = ticket_ref(ticket)};
	for (int k = 0; k <= TICKET_LINKS_MAX; k++) {
		wish.desk = str_print(c->arena, "desk-%d", k);
		(void) make_operators_desk(c, str_to_z(c->arena, wish.desk));
		if (k < TICKET_LINKS_MAX)
			RUN(c, &c->operator, engine_link_ticket, &wish);
	}
	cloud_fails(c, &c->operator, engine_link_ticket, &wish, ERR_QUOTA, KIND_TICKET_LINK);
}

/* ---- tickets ---- */

static void a_severity_is_sent_to_desks_that_mirror_it(void **state)
{
	struct cloud *c = *state;
	struct desk_wish follows = desk_named("follows", DESK_ROLE_VENDOR);
	follows.mode = DESK_MODE_COLLABORATE;
	uuid desk = make_operators_desk(c, "desk"), ticket = open_at(c, desk, "one");
	RUN(c, &c->operator, engine_put_desk, &follows);
	struct ticket_linking link = {.ticket = ticket_ref(ticket), .desk = STR("follows")};
	RUN(c, &c->operator, engine_link_ticket, &link);
	send_all(c, link.link, "theirs");
	struct ticket_rating rate = {ticket_ref(ticket), SUPPORT_TICKET_SEVERITY_URGENT};
	RUN(c, &c->alice, engine_rate_ticket, &rate);
	RUN(c, &c->alice, engine_rate_ticket, &rate); /* that is no change */
	const struct ticket_sending *s =
		engine_next_sending(cloud_tables(c), link_at(c, ticket, desk)->row.id);
	assert_true(s->what == TICKET_SENDING_WHAT_SEVERITY && str_is(s->value, "urgent"));
	assert_int_equal(count_sendings(c, s->link, TICKET_SENDING_STAGE_WAITING), 1);
	assert_null(engine_next_sending(cloud_tables(c), link.link));
	struct ticket_change resolve = {.ticket = ticket_ref(ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(c, &c->alice, engine_change_ticket, &resolve);
	rate.severity = SUPPORT_TICKET_SEVERITY_LOW;
	cloud_fails(c, &c->alice, engine_rate_ticket, &rate, ERR_STATE, KIND_SUPPORT_TICKET);
}

static void the_operator_works_on_tickets_that_no_desk_owns(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	struct ticket_work work = {ticket_ref(ticket), SUPPORT_TICKET_OPERATOR_STATE_WORKING};
	struct ticket_change change = {.ticket = ticket_ref(ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	cloud_fails(c, &c->alice, engine_work_on_ticket, &work, ERR_DENIED, KIND_SUPPORT_TICKET);
	RUN(c, &c->alice, engine_change_ticket, &change);
	RUN(c, &c->operator, engine_work_on_ticket, &work); /* reopens it */
	assert_int_equal(ticket_state_at(c, ticket), TICKET_WORKING);
	change.wish = SUPPORT_TICKET_WISH_CANCELLED;
	RUN(c, &c->alice, engine_change_ticket, &change);
	cloud_fails(c, &c->operator, engine_work_on_ticket, &work, ERR_STATE, KIND_SUPPORT_TICKET);
	change.wish = SUPPORT_TICKET_WISH_OPEN;
	cloud_fails(c, &c->alice, engine_change_ticket, &change, ERR_STATE, KIND_SUPPORT_TICKET);
	work.ticket = ticket_ref(open_at(c, make_operators_desk(c, "desk"), "two"));
	cloud_fails(c, &c->operator, engine_work_on_ticket, &work, ERR_STATE, KIND_SUPPORT_TICKET);
}

static void a_resolved_ticket_closes_in_time_and_is_followed_by_another(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	struct ticket_target close = {ticket};
	struct ticket_change change = {.ticket = ticket_ref(ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(c, NULL, engine_close_ticket_in_time, &close); /* it is not resolved */
	RUN(c, &c->alice, engine_change_ticket, &change);
	assert_int_equal(engine_get_ticket_close_us(cloud_tables(c), ticket_at(c, ticket)),
			 ticket_at(c, ticket)->state_us + TICKET_CLOSE_S * SECOND);
	RUN(c, NULL, engine_close_ticket_in_time, &close);
	assert_int_equal(ticket_state_at(c, ticket), TICKET_RESOLVED);
	clock_set_us(clock_now_us() + TICKET_CLOSE_S * SECOND);
	RUN(c, NULL, engine_close_ticket_in_time, &close);
	assert_int_equal(ticket_state_at(c, ticket), TICKET_CLOSED);
	close.ticket = id_new(KIND_SUPPORT_TICKET);
	RUN(c, NULL, engine_close_ticket_in_time, &close);
	struct ticket_saying say = {.ticket = ticket_ref(ticket), .body = STR("It hangs again.")};
	RUN(c, &c->alice, engine_say_in_ticket, &say);
	const struct support_ticket *next = ticket_at(c, say.said_in);
	assert_true(uuid_equal(next->follows, ticket) && str_is(next->subject, "one"));
	assert_int_equal(ticket_at(c, ticket)->last_message, 1);
}

static void a_resolved_ticket_is_reopened_for_two_weeks(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	struct ticket_change change = {.ticket = ticket_ref(ticket), .wish = SUPPORT_TICKET_WISH_RESOLVED};
	RUN(c, &c->alice, engine_change_ticket, &change);
	struct ticket_change open = {.ticket = ticket_ref(ticket), .wish = SUPPORT_TICKET_WISH_OPEN};
	clock_set_us(ticket_at(c, ticket)->state_us + TICKET_REOPEN_US - SECOND);
	RUN(c, &c->alice, engine_change_ticket, &open);
	assert_int_equal(ticket_state_at(c, ticket), TICKET_NEW);
	RUN(c, &c->alice, engine_change_ticket, &change);
	clock_set_us(ticket_at(c, ticket)->state_us + TICKET_REOPEN_US);
	cloud_fails(c, &c->alice, engine_change_ticket, &open, ERR_STATE, KIND_SUPPORT_TICKET);
}

static void a_redaction_replaces_the_text_and_tells_of_no_private_note(void **state)
{
	struct cloud *c = *state;
	uuid ticket = open_ticket(c, "one");
	struct ticket_saying note = {
		.ticket = ticket_ref(ticket), .body = STR("key: abc"), .is_private = true};
	struct ticket_redaction redact = {ticket_ref(ticket), 3, STR("[removed]")};
	RUN(c, &c->operator, engine_say_in_ticket, &note);
	cloud_fails(c, &c->operator, engine_redact_ticket, &redact, ERR_NOT_FOUND, KIND_TICKET_MESSAGE);
	size_t events = c->event_count;
	redact.number = 2;
	cloud_fails(c, &c->alice, engine_redact_ticket, &redact, ERR_DENIED, KIND_SUPPORT_TICKET);
	RUN(c, &c->operator, engine_redact_ticket, &redact);
	assert_int_equal(c->event_count, events);
	redact.number = 1;
	RUN(c, &c->operator, engine_redact_ticket, &redact);
	assert_int_equal(c->event_count, events + 1);
	assert_true(str_is(ticket_message_find_by_ticket(cloud_tables(c), ticket, 1)->body, "[removed]"));
	redact.body = STR_NONE;
	cloud_fails(c, &c->operator, engine_redact_ticket, &redact, ERR_INVALID, KIND_TICKET_MESSAGE);
}

static void texts_of_a_ticket_have_limits(void **state)
{
	struct cloud *c = *state;
	static char text[TICKET_BODY_MAX + 1];
	struct str many[TICKET_COPIES_MAX + 1];
	memset(text, 'x', sizeof text);
	for (size_t k = 0; k <= TICKET_COPIES_MAX; k++)
		many[k] = STR("kim@example.org");
	struct ticket_wish fine = {.subject = STR("one"), .body = STR("two")};
	struct ticket_wish wrong[] = {fine, fine, fine, fine, fine, fine, fine, fine, fine};
	static const char *const fields[] = {"subject",           "subject",          "communicationBody",
					     "communicationBody", "serviceCode",      "categoryCode",
					     "language",          "ccEmailAddresses", "ccEmailAddresses"};
	wrong[0].subject = (struct str){text, TICKET_SUBJECT_MAX + 1};
	wrong[1].subject = STR("a\nb");
	wrong[2].body = (struct str){text, TICKET_BODY_MAX + 1};
	wrong[3].body = STR("bell\a");
	wrong[4].service = (struct str){text, 101};
	wrong[5].category = STR("a\nb");
	wrong[6].language = STR("eng");
	wrong[7].copies = (struct strs){many, TICKET_COPIES_MAX + 1};
	wrong[8].copies = (struct strs){&(struct str){text, 256}, 1};
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
		enum kind kind = k == 2 || k == 3 ? KIND_TICKET_MESSAGE : KIND_SUPPORT_TICKET;
		cloud_fails(c, &c->alice, engine_open_ticket, &wrong[k], ERR_INVALID, kind);
		assert_string_equal(str_to_z(c->arena, c->c.problem.field), fields[k]);
	}
	fine.subject = STR("ä");
	fine.copies = (struct strs){many, TICKET_COPIES_MAX};
	RUN(c, &c->alice, engine_open_ticket, &fine);
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, cloud_setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(the_name_of_an_image_tells_the_product),
		in_a_cloud(a_ticket_is_about_the_own_instances_that_its_text_names),
		in_a_cloud(a_ticket_names_no_resource_of_another_account),
		in_a_cloud(a_ticket_on_hold_is_told_to_the_vendor_of_its_product),
		in_a_cloud(a_vendors_desk_owns_a_ticket_where_the_operator_has_none),
		in_a_cloud(a_desk_takes_only_tickets_of_its_accounts_and_none_while_it_is_off),
		in_a_cloud(trouble_of_the_operators_is_told_to_no_vendor),
		in_a_cloud(a_desk_linked_later_is_told_what_it_may_see),
		in_a_cloud(a_ticket_is_at_eight_desks_at_most),
		in_a_cloud(a_severity_is_sent_to_desks_that_mirror_it),
		in_a_cloud(the_operator_works_on_tickets_that_no_desk_owns),
		in_a_cloud(a_resolved_ticket_closes_in_time_and_is_followed_by_another),
		in_a_cloud(a_resolved_ticket_is_reopened_for_two_weeks),
		in_a_cloud(a_redaction_replaces_the_text_and_tells_of_no_private_note),
		in_a_cloud(texts_of_a_ticket_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
