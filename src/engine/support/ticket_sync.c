/* SPDX-License-Identifier: Apache-2.0
 * Accepts items from desks once, and never our own ones. The owning desk sets the state; other desks' states
 * become messages. Called by: reconcile/support/desk.c, reconcile/support/ticket_link.c, api/tmf/. */
#include "engine/support/ticket_sync.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/support/ticket_internal.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_seen.h"
#include "store/ticket_sending.h"

/* More messages per minute from one desk come from a machine. */
enum { BURST_MAX = 20, CHANGED_MAX = 10000 };
#define SKEW_MAX_S 60
#define CLOCK_SKEWED "DeskClockSkewed"

/* ---- desks ---- */

static RESULT judge_skew(struct op *op, const struct desk *desk)
{
	bool is_far = desk->skew_s > SKEW_MAX_S || desk->skew_s < -SKEW_MAX_S;
	if (!is_far)
		return condition_clear(op, desk->row.id, STR(CLOCK_SKEWED));
	return condition_set(
		op, KIND_DESK, desk->row.id, CLOCK_SKEWED,
		str_print(op->ctx->arena, "Its clock is %" PRId64 " s ahead of ours.", desk->skew_s),
		"Set the clocks; nothing is decided by them, but people read its times.");
}

static RESULT judge_answer(struct op *op, const struct desk *desk, struct str problem)
{
	if (!problem.n)
		return condition_clear(op, desk->row.id, STR(DESK_UNREACHABLE));
	return condition_set(op, KIND_DESK, desk->row.id, DESK_UNREACHABLE, problem,
			     "Messages wait here and are sent once the desk answers.");
}

static RESULT ask_link(struct op *op, const struct ticket_link *l)
{
	struct ticket_link next = *l;
	next.is_asked = true;
	return l->is_asked || l->aim != TICKET_LINK_AIM_LINKED || !l->foreign_id.n
		       ? OK
		       : ticket_link_put(op, &next);
}

static RESULT ask_changed(struct op *op, const struct desk_report *wish)
{
	for (size_t k = 0; k < wish->changed.count && k < CHANGED_MAX; k++) {
		const struct ticket_link *l =
			ticket_link_find_by_desk(op->head, wish->desk, wish->changed.at[k]);
		if (l)
			TRY(ask_link(op, l));
	}
	for (const struct ticket_link *l = wish->asks_all ? ticket_link_first_by_desk(op->head, wish->desk)
							  : NULL;
	     l; l = ticket_link_next_by_desk(op->head, l)) {
		const struct support_ticket *ticket = support_ticket_find(op->head, l->ticket);
		if (ticket && !ticket->closed_us)
			TRY(ask_link(op, l));
	}
	return OK;
}

/* The desk answers again: resets its links' retry delays. */
static RESULT hurry_links(struct op *op, uuid desk)
{
	for (const struct ticket_link *l = ticket_link_first_by_desk(op->head, desk); l;
	     l = ticket_link_next_by_desk(op->head, l)) {
		struct ticket_link next = *l;
		next.tries = next.retry_us = 0;
		if (l->retry_us)
			TRY(ticket_link_put(op, &next));
	}
	return OK;
}

RESULT engine_see_desk(struct op *op, struct desk_report *wish)
{
	const struct desk *desk = desk_find(op->head, wish->desk);
	if (!desk)
		return OK;
	struct desk next = *desk;
	enum desk_state state = wish->problem.n ? DESK_STATE_FAILING : DESK_STATE_OK;
	next.polled_us = op->now_us;
	if (state != desk->state)
		next.since_us = op->now_us;
	next.state = state;
	next.problem = str_cut(wish->problem, 1024);
	if (wish->cursor.n)
		next.cursor = wish->cursor;
	if (wish->has_skew)
		next.skew_s = wish->skew_s;
	bool is_news = state != desk->state || !str_equal(next.cursor, desk->cursor) ||
		       next.skew_s != desk->skew_s || !str_equal(next.problem, desk->problem);
	if (is_news)
		TRY(desk_put(op, &next));
	if (desk->state == DESK_STATE_FAILING && state == DESK_STATE_OK)
		TRY(hurry_links(op, wish->desk));
	TRY(judge_answer(op, &next, next.problem));
	TRY(judge_skew(op, &next));
	return ask_changed(op, wish);
}

RESULT engine_wake_link(struct op *op, struct link_wake *wish)
{
	const struct ticket_link *l = ticket_link_find_by_desk(op->head, wish->desk, wish->foreign_id);
	return l ? ask_link(op, l) : OK;
}

/* ---- links ---- */

RESULT engine_see_link_made(struct op *op, struct link_made *wish)
{
	const struct ticket_link *l = ticket_link_find(op->head, wish->link);
	if (!l || l->foreign_id.n)
		return OK;
	struct arena *a = op->ctx->arena;
	struct ticket_link next = *l;
	next.foreign_id = wish->foreign_id;
	next.foreign_number = str_clean(a, wish->foreign_number, true);
	next.foreign_url = str_clean(a, wish->foreign_url, true);
	next.is_asked = true;
	TRY(ticket_link_put(op, &next));
	const struct support_ticket *ticket = support_ticket_find(op->head, l->ticket);
	const struct desk *desk = desk_find(op->head, l->desk);
	return engine_log_event(op, KIND_SUPPORT_TICKET, &ticket->row, "at desk",
				"At %" STR_FMT " it is %" STR_FMT ".", STR_ARG(desk->name),
				STR_ARG(next.foreign_number.n ? next.foreign_number : next.foreign_id));
}

/* The item was accepted before, or we sent it. */
static bool is_known(const struct op *op, uuid link, struct str origin)
{
	if (ticket_seen_find_by_origin(op->head, link, origin))
		return true;
	const struct ticket_sending *s = ticket_sending_first_by_link(op->head, link);
	for (; s; s = ticket_sending_next_by_link(op->head, s))
		if (s->origin.n && str_equal(s->origin, origin))
			return true;
	return false;
}

static RESULT note_seen(struct op *op, uuid link, struct str origin)
{
	const struct ticket_seen seen = {
		.row.id = engine_new_id(op, KIND_TICKET_SEEN), .row.gen = 1, .link = link, .origin = origin};
	return ticket_seen_put(op, &seen);
}

static RESULT stop_link(struct op *op, struct ticket_link *link, const struct desk *desk)
{
	link->is_stopped = true;
	TRY(ticket_link_put(op, link));
	return condition_set(op, KIND_SUPPORT_TICKET, link->ticket, DESK_ECHOES,
			     str_print(op->ctx->arena,
				       "More than %d messages came from desk %" STR_FMT
				       " in a minute: nothing crosses.",
				       BURST_MAX, STR_ARG(desk->name)),
			     "See what answers itself there, then: dari ticket link TICKET DESK --goes-on.");
}

/* Counts a message of this minute. *ret_stops: over the limit. */
static RESULT count_burst(struct op *op, uuid id, const struct desk *desk, bool *ret_stops)
{
	struct ticket_link next = *ticket_link_find(op->head, id);
	if (op->now_us >= next.burst_us + MINUTE) {
		next.burst_us = op->now_us;
		next.burst = 0;
	}
	next.burst++;
	*ret_stops = next.burst > BURST_MAX;
	return *ret_stops ? stop_link(op, &next, desk) : ticket_link_put(op, &next);
}

static RESULT take_file(struct op *op, const struct ticket_link *l, uuid message,
			const struct desk_item *item)
{
	struct support_ticket ticket = *support_ticket_find(op->head, l->ticket);
	const struct ticket_file *f = &item->file;
	struct ticket_attachment row = {.row.id = f->id,
					.row.gen = 1,
					.account = l->account,
					.ticket = l->ticket,
					.message = message,
					.name = str_clean(op->ctx->arena, f->name, true),
					.media_type = f->media_type,
					.size = f->size,
					.sha256 = f->sha256,
					.link = l->row.id,
					.origin = item->origin};
	ticket.attached_size += f->size;
	if (ticket.attached_size > TICKET_FILES_MAX)
		return OK; /* the message names the file */
	TRY(support_ticket_put(op, &ticket));
	TRY(ticket_attachment_put(op, &row));
	return ticket_send_file(op, &row);
}

static RESULT take_item(struct op *op, const struct ticket_link *l, const struct desk *desk,
			const struct desk_item *item, bool *ret_has_said)
{
	uuid message = UUID_NONE;
	struct arena *a = op->ctx->arena;
	bool stops = false;
	if (l->is_stopped || is_known(op, l->row.id, item->origin))
		return OK;
	if (item->is_private || (!item->body.n && !item->has_file))
		return note_seen(op, l->row.id, item->origin);
	TRY(count_burst(op, l->row.id, desk, &stops)); /* also bounds what a full ticket notes as seen */
	if (stops)
		return OK; /* not noted as seen: read again once the link is resumed */
	TRY(note_seen(op, l->row.id, item->origin));
	if (support_ticket_find(op->head, l->ticket)->last_message >= TICKET_MESSAGES_MAX)
		return OK;
	const struct ticket_words words = {
		.said_by = TICKET_MESSAGE_SAID_BY_DESK,
		.author = item->author.n ? str_clean(a, str_cut(item->author, 255), true) : desk->name,
		.body = item->body.n ? str_clean(a, str_cut(item->body, TICKET_BODY_MAX), false)
				     : str_print(a, "(file %" STR_FMT ")", STR_ARG(item->file.name)),
		.link = l->row.id,
		.origin = item->origin,
		.told_us = item->told_us};
	if (item->body.n || !item->has_file)
		TRY(ticket_add_message(op, l->ticket, &words, &message));
	*ret_has_said = true;
	return item->has_file ? take_file(op, l, message, item) : OK;
}

/* A system message: visible here, and not sent to any desk. */
static RESULT note(struct op *op, uuid ticket, const char *format, struct str name)
{
	uuid message;
	const struct ticket_words words = {.said_by = TICKET_MESSAGE_SAID_BY_SYSTEM,
					   .author = STR("Dari"),
					   .body = str_print(op->ctx->arena, format, STR_ARG(name))};
	return support_ticket_find(op->head, ticket)->last_message < TICKET_MESSAGES_MAX
		       ? ticket_add_message(op, ticket, &words, &message)
		       : OK;
}

/* The customer resolved the ticket and the desk followed; the desk now reopens it. Before the desk has
 * received the end, its state means nothing: a message of ours may have reopened it, as in RT. */
static RESULT follow_desk_back(struct op *op, const struct ticket_link *before, enum ticket_state state)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, before->ticket);
	bool is_told = !ticket_find_waiting_state(op, before->row.id);
	if (ticket->wish == SUPPORT_TICKET_WISH_RESOLVED && before->state >= TICKET_LINK_STATE_RESOLVED &&
	    !ticket_is_over(state) && is_told)
		return ticket_reopen(op, ticket->row.id);
	return OK;
}

/* A desk with one word for both states: stalled means waiting for the vendor if one is involved, or else for
 * the customer. */
static RESULT weigh_state(struct op *op, const struct ticket_link *l, const struct desk *desk,
			  enum ticket_state *state)
{
	if (*state != TICKET_HELD || desk->role != DESK_ROLE_OPERATOR)
		return OK;
	TRY(ticket_link_vendor(op, l->ticket));
	struct ticket_ball ball;
	const struct support_ticket *ticket = support_ticket_find(op->head, l->ticket);
	(void) engine_get_ticket_state(op->head, ticket, &ball);
	if (!ball.vendor)
		*state = TICKET_WAITING;
	return OK;
}

/* A customer's wish that still waits in the outbox is later than the desk's state, so the state is dated
 * before that wish. Otherwise a customer who reopens a ticket while the desk resolves it would see it
 * resolved again. */
static void set_state(const struct op *op, struct ticket_link *link, enum ticket_link_state state)
{
	const struct ticket_sending *waits = ticket_find_waiting_state(op, link->row.id);
	link->state = state;
	link->state_us = waits ? waits->row.created_us : op->now_us;
}

static RESULT take_state(struct op *op, const struct link_report *wish, const struct desk *desk)
{
	const struct ticket_link *l = ticket_link_find(op->head, wish->link);
	struct ticket_ball ball;
	enum ticket_state state = wish->state;
	TRY(weigh_state(op, l, desk, &state));
	l = ticket_link_find(op->head, wish->link);
	if ((enum ticket_state) l->state == state)
		return OK;
	TRY(follow_desk_back(op, l, state));
	struct ticket_link next = *l;
	set_state(op, &next, (enum ticket_link_state) state);
	TRY(ticket_link_put(op, &next));
	const struct support_ticket *ticket = support_ticket_find(op->head, l->ticket);
	enum ticket_state now = engine_get_ticket_state(op->head, ticket, &ball);
	bool counts = ball.owner && uuid_equal(ball.owner->row.id, l->row.id);
	counts = counts || (ball.owner && ball.owner->state == TICKET_LINK_STATE_HELD && ball.vendor &&
			    uuid_equal(ball.vendor->row.id, l->row.id));
	if (!counts && ticket_is_over(state) && !ticket_is_over(now))
		return note(op, l->ticket, "Desk %" STR_FMT " asks to have it resolved.", desk->name);
	return OK;
}

static RESULT take_versions(struct op *op, const struct link_report *wish)
{
	struct ticket_link next = *ticket_link_find(op->head, wish->link);
	if (wish->foreign_state.n)
		next.foreign_state = str_clean(op->ctx->arena, wish->foreign_state, true);
	next.foreign_version = wish->foreign_version.n ? wish->foreign_version : next.foreign_version;
	if (wish->read_to.n && !next.is_stopped)
		next.read_to = wish->read_to;
	if (wish->has_severity)
		next.severity = wish->severity;
	if (wish->has_document && !str_equal(next.document, wish->document_was))
		return ctx_fail(op->ctx, ERR_CONFLICT, "The trouble ticket has changed meanwhile.");
	if (wish->has_document) {
		next.document = wish->document;
		next.row.gen++;
	}
	if (wish->is_current && !next.is_stopped)
		next.is_asked = false;
	return ticket_link_put(op, &next);
}

/* A message that crosses a resolution wins: the ticket is reopened. */
static RESULT judge_conflict(struct op *op, uuid id, const struct link_report *wish, const struct desk *desk,
			     bool has_said, enum ticket_state before)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, id);
	bool speaks_after = has_said && ticket_is_over(before) &&
			    (before == TICKET_RESOLVED || before == TICKET_REJECTED) &&
			    !(wish->has_state && ticket_is_over(wish->state)) &&
			    ticket->wish == SUPPORT_TICKET_WISH_RESOLVED;
	if (!speaks_after)
		return OK;
	TRY(ticket_reopen(op, id));
	return note(op, id, "Desk %" STR_FMT " wrote after it was resolved: it is reopened.", desk->name);
}

RESULT engine_see_link(struct op *op, struct link_report *wish)
{
	const struct ticket_link *l = ticket_link_find(op->head, wish->link);
	const struct desk *desk = l ? desk_find(op->head, l->desk) : NULL;
	bool has_said = false;
	if (!desk || l->aim != TICKET_LINK_AIM_LINKED)
		return OK;
	/* The face found the link by the desk that signed in; a desk speaks about its own links only. */
	engine_need_no_permission(op);
	uuid id = l->ticket;
	enum ticket_state before = engine_get_ticket_state(op->head, support_ticket_find(op->head, id), NULL);
	for (size_t k = 0; k < wish->item_count; k++)
		TRY(take_item(op, ticket_link_find(op->head, wish->link), desk, &wish->items[k], &has_said));
	if (wish->has_state)
		TRY(take_state(op, wish, desk));
	TRY(take_versions(op, wish));
	TRY(judge_conflict(op, id, wish, desk, has_said, before));
	return ticket_settle(op, id, before);
}

/* ---- sendings ---- */

static const struct ticket_sending *first_sending(const struct tables *t, uuid link,
						  enum ticket_sending_stage stage)
{
	const struct ticket_sending probe = {.link = link, .stage = stage};
	return ticket_sending_of(
		tables_first(t, KIND_TICKET_SENDING, TICKET_SENDING_INDEX_LINK, &probe.row, 2));
}

const struct ticket_sending *engine_next_sending(const struct tables *t, uuid link)
{
	/* A refused creation blocks the link, because the desk would refuse all later items, too. */
	const struct ticket_sending *dead = first_sending(t, link, TICKET_SENDING_STAGE_DEAD);
	if (dead && dead->what == TICKET_SENDING_WHAT_CREATE)
		return NULL;
	return first_sending(t, link, TICKET_SENDING_STAGE_WAITING);
}

static RESULT see_sent(struct op *op, const struct sending_report *wish, const struct ticket_sending *s,
		       struct ticket_link *link)
{
	struct ticket_sending next = *s;
	next.stage = TICKET_SENDING_STAGE_SENT;
	next.origin = wish->origin;
	next.sent_us = op->now_us;
	next.removed = wish->removed;
	link->tries = link->retry_us = link->failing_us = 0;
	link->problem = STR_NONE;
	TRY(ticket_sending_put(op, &next));
	if (next.what == TICKET_SENDING_WHAT_STATE) {
		/* Records the state so that the desk's next one is recognized as a change. */
		bool ends = str_is(next.value, ticket_state_words[TICKET_RESOLVED]);
		if (ticket_is_over((enum ticket_state) link->state) != ends)
			set_state(op, link, ends ? TICKET_LINK_STATE_RESOLVED : TICKET_LINK_STATE_WORKING);
		link->is_asked = true;
	}
	TRY(ticket_link_put(op, link));
	return ticket_clear_troubles(op, link->ticket);
}

static RESULT see_refused(struct op *op, const struct sending_report *wish, const struct ticket_sending *s,
			  struct ticket_link *link, const struct desk *desk)
{
	struct ticket_sending next = *s;
	next.stage = TICKET_SENDING_STAGE_DEAD;
	next.problem = str_cut(wish->problem, 1024);
	link->tries = link->retry_us = link->failing_us = 0;
	link->problem = next.problem;
	TRY(ticket_link_put(op, link));
	TRY(ticket_sending_put(op, &next));
	return condition_set(op, KIND_SUPPORT_TICKET, link->ticket, DESK_REFUSED,
			     str_print(op->ctx->arena, "Desk %" STR_FMT " does not take its %s: %" STR_FMT,
				       STR_ARG(desk->name), ticket_sending_what_words[s->what],
				       STR_ARG(next.problem)),
			     "dari ticket retry has it tried again, dari ticket drop gives it up.");
}

RESULT engine_see_sending(struct op *op, struct sending_report *wish)
{
	const struct ticket_sending *s = ticket_sending_find(op->head, wish->sending);
	const struct ticket_link *l = s ? ticket_link_find(op->head, s->link) : NULL;
	const struct desk *desk = l ? desk_find(op->head, l->desk) : NULL;
	if (!desk || s->stage != TICKET_SENDING_STAGE_WAITING)
		return OK;
	struct ticket_link link = *l;
	if (wish->is_sent)
		return see_sent(op, wish, s, &link);
	if (wish->is_final)
		return see_refused(op, wish, s, &link, desk);
	link.tries++;
	link.retry_us = wish->retry_us;
	link.problem = str_cut(wish->problem, 1024);
	link.failing_us = link.failing_us ? link.failing_us : op->now_us;
	TRY(ticket_link_put(op, &link));
	return condition_set(op, KIND_SUPPORT_TICKET, link.ticket, DESK_UNREACHABLE,
			     str_print(op->ctx->arena, "Desk %" STR_FMT ": %" STR_FMT, STR_ARG(desk->name),
				       STR_ARG(link.problem)),
			     "Messages wait here and are sent once the desk answers.");
}
