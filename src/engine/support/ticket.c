/* SPDX-License-Identifier: Apache-2.0
 * Tickets: open, message, resolve, reopen. The outbox (ticket_outbox.c) makes the desks follow. Called by:
 * api/support/, api/tmf/, daemon/commands_ticket.c. */
#include "engine/support/ticket.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/region/region.h"
#include "engine/support/ticket_internal.h"
#include "engine/support/ticket_sync.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_sending.h"
#include "store/user.h"

enum { CODE_MAX = 100, LANGUAGE_MAX = 2, COPY_MAX = 255, RESOURCE_MAX = 128, AUTHOR_MAX = 255 };

/* ---- state ---- */

/* The owner is the first link with an operator's desk, or else with a vendor's; and the vendor's link that
 * the owner may be waiting for. */
static struct ticket_ball find_ball(const struct tables *t, uuid ticket)
{
	struct ticket_ball ball = {0};
	const struct ticket_link *first_vendor = NULL;
	for (const struct ticket_link *l = ticket_link_first_by_ticket(t, ticket); l;
	     l = ticket_link_next_by_ticket(t, l)) {
		const struct desk *desk = desk_find(t, l->desk);
		if (l->aim != TICKET_LINK_AIM_LINKED || !desk)
			continue;
		if (desk->role == DESK_ROLE_OPERATOR && !ball.owner)
			ball.owner = l;
		else if (desk->role == DESK_ROLE_VENDOR && !first_vendor)
			first_vendor = l;
	}
	ball.is_operators = ball.owner != NULL;
	ball.vendor = ball.owner ? first_vendor : NULL;
	if (!ball.owner)
		ball.owner = first_vendor;
	return ball;
}

enum ticket_state engine_get_ticket_state(const struct tables *t, const struct support_ticket *ticket,
					  struct ticket_ball *ret_ball)
{
	struct ticket_ball ball = find_ball(t, ticket->row.id);
	if (ret_ball)
		*ret_ball = ball;
	return ticket_derive_state(ticket, &ball);
}

bool engine_is_ticket_answered(const struct tables *t, const struct support_ticket *ticket)
{
	struct ticket_ball ball = find_ball(t, ticket->row.id);
	int64_t since_us = ball.owner ? ball.owner->state_us : ticket->state_us;
	const struct ticket_message *last = NULL;
	for (const struct ticket_message *m = ticket_message_first_by_ticket(t, ticket->row.id); m;
	     m = ticket_message_next_by_ticket(t, m))
		if (!m->is_private && m->said_by != TICKET_MESSAGE_SAID_BY_SYSTEM)
			last = m;
	return last && last->said_by == TICKET_MESSAGE_SAID_BY_CUSTOMER && last->row.created_us > since_us;
}

/* ---- checks ---- */

static size_t count_characters(struct str text)
{
	size_t count = 0;
	for (size_t n = 0; n < text.n; n++)
		count += ((unsigned char) text.p[n] & 0xc0) != 0x80;
	return count;
}

static RESULT check_body(struct op *op, struct str body)
{
	if (body.n >= 1 && body.n <= TICKET_BODY_MAX && str_is_xml_text(body))
		return OK;
	if (body.n < 1 || body.n > TICKET_BODY_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_TICKET_MESSAGE, STR("communicationBody"),
				   "What is said has 1 to %d bytes of text.", TICKET_BODY_MAX);
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_TICKET_MESSAGE, STR("communicationBody"),
		"What is said has a control character: of those a text has tabs and ends of lines alone.");
}

static RESULT check_texts(struct op *op, struct strs texts, size_t most, size_t each, const char *field)
{
	bool is_fine = texts.count <= most;
	for (size_t k = 0; k < texts.count && is_fine; k++)
		is_fine = texts.at[k].n >= 1 && texts.at[k].n <= each && str_is_line(texts.at[k]);
	return is_fine ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_SUPPORT_TICKET, str_from(field),
				     "Up to %zu of them are named, with up to %zu characters each.", most,
				     each);
}

/* Resources named by a desk are not checked: they may be known only there, and the facts leave them out. */
static RESULT check_resources(struct op *op, const struct ticket_wish *wish, uuid account)
{
	TRY(check_texts(op, wish->resources, TICKET_RESOURCES_MAX, RESOURCE_MAX, "resources"));
	for (size_t k = 0; k < wish->resources.count && op->ctx->who && uuid_is_none(wish->desk); k++) {
		enum kind kind;
		const struct row *row;
		TRY(engine_find_ticket_resource(op->ctx, op->head, account, wish->resources.at[k], &kind,
						&row));
	}
	return OK;
}

static RESULT check_wish(struct op *op, const struct ticket_wish *wish)
{
	if (!wish->subject.n || count_characters(wish->subject) > TICKET_SUBJECT_MAX ||
	    !str_is_line(wish->subject))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_SUPPORT_TICKET, STR("subject"),
			"A subject is a line of 1 to %d characters, none of them a control character.",
			TICKET_SUBJECT_MAX);
	TRY(check_body(op, wish->body));
	const struct strs codes = {(const struct str[]){wish->service, wish->category}, 2};
	for (size_t k = 0; k < codes.count; k++)
		if (codes.at[k].n > CODE_MAX || !str_is_line(codes.at[k]))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_SUPPORT_TICKET,
					   k ? STR("categoryCode") : STR("serviceCode"),
					   "A code has up to %d characters.", CODE_MAX);
	if (wish->language.n > LANGUAGE_MAX || !str_is_line(wish->language))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUPPORT_TICKET, STR("language"),
				   "A language is named by its ISO 639-1 code.");
	return check_texts(op, wish->copies, TICKET_COPIES_MAX, COPY_MAX, "ccEmailAddresses");
}

/* "Kim", or a name for the operator. */
static struct str name_caller(struct op *op)
{
	const struct identity *who = op->ctx->who;
	if (!who)
		return STR("Dari");
	return who->is_operator ? STR("Support") : str_cut(who->user_name, AUTHOR_MAX);
}

/* In another account's ticket an administrator speaks for the operator. */
static bool is_of_operator(const struct identity *who, uuid account)
{
	return who && (who->is_operator || !uuid_equal(who->account, account));
}

static struct ticket_words words_of_caller(struct op *op, uuid account, struct str body, bool is_private)
{
	const struct identity *who = op->ctx->who;
	bool is_operator = is_of_operator(who, account);
	return (struct ticket_words){.said_by = is_operator ? TICKET_MESSAGE_SAID_BY_OPERATOR
							    : TICKET_MESSAGE_SAID_BY_CUSTOMER,
				     .author = name_caller(op),
				     .body = body,
				     .is_private = is_private,
				     .user = who && !is_operator ? who->user : UUID_NONE};
}

/* ---- open ---- */

static RESULT make_ticket(struct op *op, struct ticket_wish *wish, uuid account, uuid follows,
			  struct support_ticket *ret_ticket)
{
	*ret_ticket = (struct support_ticket){
		.row.id = engine_new_id(op, KIND_SUPPORT_TICKET),
		.row.gen = 1,
		.account = account,
		.opened_by = op->ctx->who && !is_of_operator(op->ctx->who, account) ? op->ctx->who->user
										    : UUID_NONE,
		.subject = wish->subject,
		.about = wish->about,
		.severity = wish->severity,
		.service = wish->service,
		.category = wish->category,
		.language = wish->language.n ? wish->language : STR("en"),
		.copies = wish->copies,
		.shares_address = wish->shares_address,
		.resources = wish->resources,
		.wish_us = op->now_us,
		.state_us = op->now_us,
		.follows = follows,
		.facts_us = wish->resources.count ? 0 : op->now_us,
	};
	TRY(limit_check(op, LIMIT_SUPPORT_TICKETS, account, 1, STR_NONE));
	TRY(engine_draw_number(op, STR("tickets.last_number"), &ret_ticket->number));
	wish->ticket = ret_ticket->row.id;
	return OK;
}

/* A ticket opened by a desk is linked with that desk at first. */
static RESULT link_new(struct op *op, struct support_ticket *ticket, const struct ticket_wish *wish,
		       uuid *ret_link)
{
	const struct desk *desk = uuid_is_none(wish->desk) ? NULL : desk_find(op->head, wish->desk);
	*ret_link = UUID_NONE;
	if (!desk)
		return OK;
	return ticket_link_with(op, ticket->row.id, desk, wish->foreign_id, true, ret_link);
}

static RESULT open_ticket(struct op *op, struct ticket_wish *wish, uuid account, uuid follows,
			  uuid *ret_message)
{
	struct support_ticket ticket;
	uuid link = UUID_NONE;
	const struct strs texts = {(const struct str[]){wish->subject, wish->body}, 2};
	if (!wish->resources.count)
		TRY(ticket_find_named(op, account, texts, &wish->resources));
	TRY(make_ticket(op, wish, account, follows, &ticket));
	TRY(support_ticket_put(op, &ticket));
	TRY(link_new(op, &ticket, wish, &link));
	struct ticket_words words = words_of_caller(op, account, wish->body, false);
	words.link = link;
	if (!uuid_is_none(wish->desk)) {
		words.said_by = TICKET_MESSAGE_SAID_BY_DESK;
		words.author = wish->author;
	}
	TRY(ticket_add_message(op, ticket.row.id, &words, ret_message));
	if (wish->has_set)
		TRY(ticket_take_set(op, ticket.row.id, *ret_message, wish->set));
	if (wish->said && !uuid_is_none(link)) {
		wish->said->link = link;
		TRY(engine_see_link(op, wish->said));
	}
	ticket = *support_ticket_find(op->head, ticket.row.id);
	TRY(ticket_route(op, &ticket));
	return engine_log_event(op, KIND_SUPPORT_TICKET, &ticket.row, "opened",
				"Ticket %" PRId64 ": %" STR_FMT, ticket.number, STR_ARG(ticket.subject));
}

RESULT engine_open_ticket(struct op *op, struct ticket_wish *wish)
{
	uuid account = UUID_NONE;
	uuid message = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->owner, &account));
	TRY(engine_permit(op, "ticket.open", KIND_SUPPORT_TICKET, NULL));
	TRY(check_wish(op, wish));
	TRY(check_resources(op, wish, account));
	return open_ticket(op, wish, account, UUID_NONE, &message);
}

/* ---- messages ---- */

RESULT ticket_reopen(struct op *op, uuid id)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, id);
	struct support_ticket next = *ticket;
	next.wish = SUPPORT_TICKET_WISH_OPEN;
	next.wish_us = next.reopened_us = op->now_us;
	next.row.gen++;
	TRY(support_ticket_put(op, &next));
	return engine_log_event(op, KIND_SUPPORT_TICKET, &next.row, "reopened", "Ticket %" PRId64 ".",
				next.number);
}

static bool may_reopen(const struct op *op, const struct support_ticket *ticket, enum ticket_state state)
{
	return (state == TICKET_RESOLVED || state == TICKET_REJECTED) &&
	       op->now_us < ticket->state_us + TICKET_REOPEN_US;
}

/* A closed ticket stays closed: the message opens a follow-up. */
static RESULT open_following(struct op *op, const struct support_ticket *before, struct ticket_saying *wish)
{
	struct ticket_wish next = {.subject = before->subject,
				   .body = wish->body,
				   .about = before->about,
				   .severity = before->severity,
				   .service = before->service,
				   .category = before->category,
				   .language = before->language,
				   .copies = before->copies,
				   .resources = before->resources,
				   .shares_address = before->shares_address,
				   .set = wish->set,
				   .has_set = wish->has_set};
	TRY(engine_permit(op, "ticket.open", KIND_SUPPORT_TICKET, NULL));
	TRY(open_ticket(op, &next, before->account, before->row.id, &wish->message));
	wish->said_in = next.ticket;
	return OK;
}

RESULT engine_say_in_ticket(struct op *op, struct ticket_saying *wish)
{
	const struct support_ticket *ticket = NULL;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.say", &ticket));
	TRY(check_body(op, wish->body));
	if (wish->is_private)
		TRY(engine_permit(op, "ticket.work", KIND_SUPPORT_TICKET, &ticket->row));
	enum ticket_state state = engine_get_ticket_state(op->head, ticket, NULL);
	bool reopens = !wish->is_private && may_reopen(op, ticket, state);
	if (!wish->is_private && ticket_is_over(state) && !reopens)
		return open_following(op, ticket, wish);
	const struct ticket_words words = words_of_caller(op, ticket->account, wish->body, wish->is_private);
	wish->said_in = ticket->row.id;
	TRY(ticket_add_message(op, ticket->row.id, &words, &wish->message));
	if (wish->has_set)
		TRY(ticket_take_set(op, ticket->row.id, wish->message, wish->set));
	if (reopens)
		TRY(ticket_reopen(op, ticket->row.id));
	return ticket_settle(op, wish->said_in, state);
}

/* ---- the customer's wish ---- */

static RESULT check_change(struct op *op, const struct support_ticket *ticket,
			   const struct ticket_change *wish)
{
	bool is_final = wish->before == TICKET_CLOSED || wish->before == TICKET_CANCELLED;
	bool may_open = wish->wish != SUPPORT_TICKET_WISH_OPEN || !ticket_is_over(wish->before) ||
			may_reopen(op, ticket, wish->before);
	bool may_cancel = wish->wish != SUPPORT_TICKET_WISH_CANCELLED || !ticket_is_over(wish->before);
	if (!is_final && may_open && may_cancel)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SUPPORT_TICKET, wish->ticket.field,
			   "The ticket is %s, and cannot be %s any more.", ticket_state_words[wish->before],
			   wish->wish == SUPPORT_TICKET_WISH_OPEN ? "reopened"
								  : support_ticket_wish_words[wish->wish]);
}

/* The ticket is resolved already: only repeats the end at desks that messages may have reopened it at. */
static RESULT keep_resolved(struct op *op, uuid id)
{
	bool is_told = false;
	TRY(ticket_end_behind_messages(op, id, &is_told));
	struct support_ticket next = *support_ticket_find(op->head, id);
	next.wish = SUPPORT_TICKET_WISH_RESOLVED;
	next.wish_us = op->now_us;
	next.row.gen++;
	return is_told ? support_ticket_put(op, &next) : OK;
}

RESULT engine_change_ticket(struct op *op, struct ticket_change *wish)
{
	const struct support_ticket *ticket = NULL;
	struct ticket_ball ball;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.resolve", &ticket));
	wish->before = wish->after = engine_get_ticket_state(op->head, ticket, &ball);
	wish->was_reopened = ticket_is_reopened(ticket, &ball);
	wish->was_answered = engine_is_ticket_answered(op->head, ticket);
	if (wish->before == TICKET_RESOLVED && wish->wish == SUPPORT_TICKET_WISH_RESOLVED)
		return keep_resolved(op, ticket->row.id);
	TRY(check_change(op, ticket, wish));
	if (wish->wish == SUPPORT_TICKET_WISH_OPEN) {
		if (!ticket_is_over(wish->before))
			return OK;
		TRY(ticket_reopen(op, ticket->row.id));
	} else {
		struct support_ticket next = *ticket;
		next.wish = wish->wish;
		next.wish_us = op->now_us;
		next.row.gen++;
		TRY(support_ticket_put(op, &next));
		TRY(engine_log_event(op, KIND_SUPPORT_TICKET, &next.row,
				     support_ticket_wish_words[wish->wish], "Ticket %" PRId64 ".",
				     next.number));
	}
	TRY(ticket_settle(op, ticket->row.id, wish->before));
	ticket = support_ticket_find(op->head, ticket->row.id);
	wish->after = engine_get_ticket_state(op->head, ticket, NULL);
	return OK;
}

static RESULT check_open(struct op *op, const struct support_ticket *ticket, const struct ref *ref)
{
	enum ticket_state state = engine_get_ticket_state(op->head, ticket, NULL);
	return ticket_is_over(state) ? ENGINE_FAIL(op, ERR_STATE, KIND_SUPPORT_TICKET, ref->field,
						   "The ticket is %s.", ticket_state_words[state])
				     : OK;
}

RESULT engine_rate_ticket(struct op *op, struct ticket_rating *wish)
{
	const struct support_ticket *ticket = NULL;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.rate", &ticket));
	TRY(check_open(op, ticket, &wish->ticket));
	if (ticket->severity == wish->severity)
		return OK;
	struct support_ticket next = *ticket;
	next.severity = wish->severity;
	next.row.gen++;
	TRY(support_ticket_put(op, &next));
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, next.row.id); l;
	     l = ticket_link_next_by_ticket(op->head, l)) {
		const struct desk *desk = desk_find(op->head, l->desk);
		struct ticket_sending sending = {
			.what = TICKET_SENDING_WHAT_SEVERITY,
			.value = str_from(support_ticket_severity_words[wish->severity])};
		if (desk && desk->mode == DESK_MODE_MIRROR)
			TRY(ticket_send(op, l, &sending));
	}
	return engine_log_event(op, KIND_SUPPORT_TICKET, &next.row, "severity", "Its severity is %s.",
				support_ticket_severity_words[wish->severity]);
}

/* ---- for the operator ---- */

RESULT engine_work_on_ticket(struct op *op, struct ticket_work *wish)
{
	const struct support_ticket *ticket = NULL;
	struct ticket_ball ball;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.work", &ticket));
	enum ticket_state before = engine_get_ticket_state(op->head, ticket, &ball);
	if (ball.owner)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SUPPORT_TICKET, wish->ticket.field,
				   "A desk has the ticket, and its state there counts.");
	if (before == TICKET_CLOSED || before == TICKET_CANCELLED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SUPPORT_TICKET, wish->ticket.field,
				   "The ticket is %s.", ticket_state_words[before]);
	struct support_ticket next = *ticket;
	next.operator_state = wish->state;
	next.state_us = op->now_us;
	if (before == TICKET_RESOLVED)
		next.wish = SUPPORT_TICKET_WISH_OPEN;
	next.row.gen++;
	TRY(support_ticket_put(op, &next));
	TRY(engine_log_event(op, KIND_SUPPORT_TICKET, &next.row, "state", "The operator has it as %s.",
			     support_ticket_operator_state_words[wish->state]));
	return ticket_settle(op, next.row.id, before);
}

RESULT engine_redact_ticket(struct op *op, struct ticket_redaction *wish)
{
	const struct support_ticket *ticket = NULL;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.redact", &ticket));
	const struct ticket_message *m =
		ticket_message_find_by_ticket(op->head, ticket->row.id, wish->number);
	if (!m)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_TICKET_MESSAGE, STR("message"),
				   "The ticket has no message %" PRId64 ".", wish->number);
	TRY(check_body(op, wish->body));
	struct ticket_message next = *m;
	next.body = wish->body;
	next.redacted_us = op->now_us;
	TRY(ticket_message_put(op, &next));
	if (m->is_private)
		return OK; /* the customer can read the ticket's history */
	return engine_log_event(op, KIND_SUPPORT_TICKET, &ticket->row, "redacted", "Message %" PRId64 ".",
				wish->number);
}

RESULT engine_refresh_ticket_facts(struct op *op, struct ticket_refresh *wish)
{
	const struct support_ticket *ticket = NULL;
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.work", &ticket));
	TRY(check_open(op, ticket, &wish->ticket));
	struct support_ticket next = *ticket;
	next.facts_us = 0;
	next.row.gen++;
	return support_ticket_put(op, &next);
}

/* ---- for the reconciler ---- */

int64_t engine_get_ticket_close_us(const struct tables *t, const struct support_ticket *ticket)
{
	enum ticket_state state = engine_get_ticket_state(t, ticket, NULL);
	int64_t after_s = engine_get_number(t, SETTING_TICKET_CLOSE_S, TICKET_CLOSE_S);
	bool closes = (state == TICKET_RESOLVED || state == TICKET_REJECTED) && after_s > 0;
	return closes ? ticket->state_us + after_s * SECOND : 0;
}

RESULT engine_close_ticket_in_time(struct op *op, struct ticket_target *wish)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, wish->ticket);
	int64_t due_us = ticket ? engine_get_ticket_close_us(op->head, ticket) : 0;
	if (!due_us || op->now_us < due_us)
		return OK;
	enum ticket_state before = engine_get_ticket_state(op->head, ticket, NULL);
	struct support_ticket next = *ticket;
	next.wish = SUPPORT_TICKET_WISH_CLOSED;
	next.wish_us = op->now_us;
	next.row.gen++;
	TRY(support_ticket_put(op, &next));
	return ticket_settle(op, next.row.id, before);
}
