/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: tickets and their files. Nobody deletes them one by one: they go with their account. */
#pragma once

OPERATION(forget_ticket, ticket_target)
RESULT forget_ticket(struct op *op, struct ticket_target *wish)
{
	for (const struct ticket_message *m = ticket_message_first_by_ticket(op->head, wish->ticket); m;
	     m = ticket_message_next_by_ticket(op->head, m))
		TRY(ticket_message_forget(op, m->row.id));
	return support_ticket_forget(op, wish->ticket);
}
static RESULT make_support_ticket(struct cloud *c, int n)
{
	struct ticket_wish wish = {.subject = numbered(c, "ticket", n), .body = STR("It does not boot.")};
	MAKE(c, &c->alice, engine_open_ticket, wish, ticket);
}
static void drop_support_ticket(struct cloud *c)
{
	struct ticket_target wish = {.ticket = made};
	cloud_ok(c, NULL, forget_ticket, &wish);
}

OPERATION(forget_file, ticket_target)
RESULT forget_file(struct op *op, struct ticket_target *wish)
{
	return ticket_attachment_forget(op, wish->ticket);
}
static RESULT make_ticket_file(struct cloud *c, int n)
{
	const struct ticket_file file = {.id = uuid_random(), .name = numbered(c, "file", n), .size = 1};
	struct ticket_set_wish wish = {.files = &file, .file_count = 1};
	struct result result = cloud_run(c, &c->alice, engine_fill_ticket_set_run, &wish);
	if (result_is_ok(result))
		made = file.id;
	return result;
}
static void drop_ticket_file(struct cloud *c)
{
	struct ticket_target wish = {.ticket = made};
	cloud_ok(c, NULL, forget_file, &wish);
}
