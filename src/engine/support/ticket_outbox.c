/* SPDX-License-Identifier: Apache-2.0
 * Messages and files of tickets, and the outbox of items for the desks. Items are written in the change that
 * causes them, so that a crash loses none. reconcile/support/ticket_link.c sends them. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/quota_internal.h"
#include "engine/support/ticket_internal.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_sending.h"

/* ---- sending ---- */

RESULT ticket_send(struct op *op, const struct ticket_link *link, struct ticket_sending *sending)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, link->ticket);
	if (link->aim != TICKET_LINK_AIM_LINKED || !ticket)
		return OK;
	struct support_ticket next = *ticket;
	sending->row.id = engine_new_id(op, KIND_TICKET_SENDING);
	sending->row.gen = 1;
	sending->link = link->row.id;
	sending->number = ++next.last_sending;
	TRY(support_ticket_put(op, &next));
	return ticket_sending_put(op, sending);
}

/* Queues the item for all linked desks except the one it came from. */
static RESULT tell_everywhere(struct op *op, uuid ticket, uuid but, const struct ticket_sending *what)
{
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l)) {
		struct ticket_sending sending = *what;
		if (!uuid_equal(l->row.id, but))
			TRY(ticket_send(op, l, &sending));
	}
	return OK;
}

static bool has_refused(const struct op *op, uuid link)
{
	for (const struct ticket_sending *s = ticket_sending_first_by_link(op->head, link); s;
	     s = ticket_sending_next_by_link(op->head, s))
		if (s->stage == TICKET_SENDING_STAGE_DEAD)
			return true;
	return false;
}

RESULT ticket_clear_troubles(struct op *op, uuid ticket)
{
	struct {
		bool lasts;
		struct str name;
	} each[] = {{false, STR(DESK_UNREACHABLE)}, {false, STR(DESK_REFUSED)}, {false, STR(DESK_ECHOES)}};
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l)) {
		if (l->aim != TICKET_LINK_AIM_LINKED)
			continue;
		each[0].lasts = each[0].lasts || l->failing_us;
		each[1].lasts = each[1].lasts || has_refused(op, l->row.id);
		each[2].lasts = each[2].lasts || l->is_stopped;
	}
	for (size_t k = 0; k < sizeof each / sizeof each[0]; k++)
		if (!each[k].lasts)
			TRY(condition_clear(op, ticket, each[k].name));
	return OK;
}

/* ---- messages ---- */

RESULT ticket_add_message(struct op *op, uuid ticket, const struct ticket_words *words, uuid *ret_message)
{
	struct support_ticket next = *support_ticket_find(op->head, ticket);
	if (next.last_message >= TICKET_MESSAGES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_TICKET_MESSAGE,
				     "A ticket has up to %d messages.", TICKET_MESSAGES_MAX);
	struct ticket_message message = {.row.id = engine_new_id(op, KIND_TICKET_MESSAGE),
					 .row.gen = 1,
					 .account = next.account,
					 .ticket = ticket,
					 .number = ++next.last_message,
					 .said_by = words->said_by,
					 .author = words->author,
					 .user = words->user,
					 .is_private = words->is_private,
					 .body = words->body,
					 .link = words->link,
					 .origin = words->origin,
					 .told_us = words->told_us};
	const struct ticket_sending sending = {.what = TICKET_SENDING_WHAT_MESSAGE,
					       .message = message.row.id};
	bool is_told = !words->is_private && words->said_by != TICKET_MESSAGE_SAID_BY_SYSTEM;
	if (!words->is_private)
		next.row.gen++; /* the customer sees the message */
	TRY(support_ticket_put(op, &next));
	TRY(ticket_message_put(op, &message));
	*ret_message = message.row.id;
	return is_told ? tell_everywhere(op, ticket, words->link, &sending) : OK;
}

RESULT ticket_send_file(struct op *op, const struct ticket_attachment *file)
{
	const struct ticket_sending sending = {.what = TICKET_SENDING_WHAT_ATTACHMENT,
					       .attachment = file->row.id};
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, file->ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l)) {
		const struct desk *desk = desk_find(op->head, l->desk);
		struct ticket_sending each = sending;
		bool may = desk && (!file->is_private || desk->role == DESK_ROLE_OPERATOR);
		if (may && !uuid_equal(l->row.id, file->link))
			TRY(ticket_send(op, l, &each));
	}
	return OK;
}

/* ---- files ---- */

static RESULT check_file(struct op *op, const struct ticket_file *file, int64_t most)
{
	if (file->name.n < 1 || file->name.n > 255 || !str_is_line(file->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_TICKET_ATTACHMENT, STR("fileName"),
				   "A file's name has 1 to 255 characters.");
	if (file->size <= most)
		return OK;
	return ENGINE_FAIL(op, ERR_TOO_LARGE, KIND_TICKET_ATTACHMENT, STR("data"),
			   "A file has up to %" PRId64 " bytes.", most);
}

static struct ticket_attachment row_of_file(const struct ticket_file *file, uuid account)
{
	return (struct ticket_attachment){.row.id = file->id,
					  .row.gen = 1,
					  .account = account,
					  .name = file->name,
					  .media_type = file->media_type,
					  .size = file->size,
					  .sha256 = file->sha256};
}

/* Counts the set's files; 0: the account has no such set. */
static size_t count_set(const struct tables *t, uuid account, uuid set, int64_t *ret_expires_us)
{
	size_t count = 0;
	for (const struct ticket_attachment *a = ticket_attachment_first_by_set(t, set); a;
	     a = ticket_attachment_next_by_set(t, a))
		if (uuid_equal(a->account, account) && uuid_is_none(a->ticket)) {
			*ret_expires_us = a->expires_us;
			count++;
		}
	return count;
}

static RESULT fail_set(struct ctx *c, enum err err, const char *words)
{
	return engine_fail_with(c, STR("attachmentSetId"),
				ctx_fail_kind(c, err, KIND_TICKET_ATTACHMENT, "%s", words));
}

static RESULT find_set(struct ctx *c, const struct tables *t, uuid account, uuid set, int64_t now_us,
		       size_t *ret_count, int64_t *ret_expires_us)
{
	*ret_count = uuid_is_none(set) ? 0 : count_set(t, account, set, ret_expires_us);
	if (!*ret_count)
		return fail_set(c, ERR_NOT_FOUND, "There is no set of attachments with that id.");
	if (now_us >= *ret_expires_us)
		return fail_set(c, ERR_EXPIRED, "The set of attachments has expired.");
	return OK;
}

/* ret_expires_us: set for an existing set. */
static RESULT check_set(struct ctx *c, const struct tables *t, uuid account, uuid set, size_t more,
			int64_t now_us, int64_t *ret_expires_us)
{
	size_t count = 0;
	if (!uuid_is_none(set))
		TRY(find_set(c, t, account, set, now_us, &count, ret_expires_us));
	if (count + more <= TICKET_SET_FILES_MAX)
		return OK;
	return engine_fail_with(c, STR("attachments"),
				ctx_fail_kind(c, ERR_TOO_LARGE, KIND_TICKET_ATTACHMENT,
					      "A set has up to %d attachments.", TICKET_SET_FILES_MAX));
}

RESULT engine_check_ticket_set(struct ctx *c, const struct tables *t, uuid account, uuid set, size_t more,
			       int64_t now_us)
{
	int64_t expires_us = 0;
	return check_set(c, t, account, set, more, now_us, &expires_us);
}

RESULT engine_fill_ticket_set(struct op *op, struct ticket_set_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "ticket.attach", KIND_TICKET_ATTACHMENT, NULL));
	wish->made = uuid_is_none(wish->set) ? uuid_random() : wish->set;
	wish->expires_us = op->now_us + TICKET_SET_US;
	TRY(check_set(op->ctx, op->head, account, wish->set, wish->file_count, op->now_us,
		      &wish->expires_us));
	TRY(limit_check(op, LIMIT_TICKET_ATTACHMENTS, account, (int64_t) wish->file_count, STR_NONE));
	for (size_t k = 0; k < wish->file_count; k++) {
		struct ticket_attachment row = row_of_file(&wish->files[k], account);
		TRY(check_file(op, &wish->files[k], TICKET_SET_FILE_MAX));
		TRY(quota_check_disk(op, account, wish->files[k].size, KIND_TICKET_ATTACHMENT));
		row.set = wish->made;
		row.expires_us = wish->expires_us;
		TRY(ticket_attachment_put(op, &row));
	}
	return OK;
}

/* Adds to the ticket's bytes. ERR_TOO_LARGE. */
static RESULT take_room(struct op *op, uuid ticket, int64_t size)
{
	struct support_ticket next = *support_ticket_find(op->head, ticket);
	next.attached_size += size;
	if (next.attached_size > TICKET_FILES_MAX)
		return ENGINE_FAIL(op, ERR_TOO_LARGE, KIND_SUPPORT_TICKET, STR("attachments"),
				   "A ticket's files have up to %d bytes together.", TICKET_FILES_MAX);
	return support_ticket_put(op, &next);
}

RESULT ticket_take_set(struct op *op, uuid ticket, uuid message, uuid set)
{
	int64_t expires_us = 0;
	size_t count = 0;
	uuid account = support_ticket_find(op->head, ticket)->account;
	TRY(find_set(op->ctx, op->head, account, set, op->now_us, &count, &expires_us));
	for (const struct ticket_attachment *a = ticket_attachment_first_by_set(op->head, set); a;
	     a = ticket_attachment_next_by_set(op->head, a)) {
		struct ticket_attachment next = *a;
		if (!uuid_equal(a->account, account) || !uuid_is_none(a->ticket))
			continue;
		TRY(take_room(op, ticket, a->size));
		next.ticket = ticket;
		next.message = message;
		next.expires_us = 0;
		TRY(ticket_attachment_put(op, &next));
		TRY(ticket_send_file(op, &next));
	}
	return OK;
}

static RESULT attach(struct op *op, const struct support_ticket *ticket, const struct ticket_file *file,
		     bool is_private, bool is_of_region)
{
	struct ticket_attachment row = row_of_file(file, ticket->account);
	TRY(check_file(op, file, TICKET_FILE_MAX));
	TRY(limit_check(op, LIMIT_TICKET_ATTACHMENTS, ticket->account, 1, STR_NONE));
	if (!is_of_region)
		TRY(quota_check_disk(op, ticket->account, file->size, KIND_TICKET_ATTACHMENT));
	TRY(take_room(op, ticket->row.id, file->size));
	row.ticket = ticket->row.id;
	row.is_private = is_private;
	row.is_of_region = is_of_region;
	TRY(ticket_attachment_put(op, &row));
	return ticket_send_file(op, &row);
}

RESULT engine_check_ticket_takes_files(struct ctx *c, const struct tables *t,
				       const struct support_ticket *ticket, struct str field)
{
	if (!ticket_is_over(engine_get_ticket_state(t, ticket, NULL)))
		return OK;
	return engine_fail_with(c, field,
				ctx_fail_kind(c, ERR_STATE, KIND_SUPPORT_TICKET,
					      "The ticket is over: say something in it first."));
}

RESULT engine_attach_to_ticket(struct op *op, struct ticket_attaching *wish)
{
	const struct support_ticket *ticket = NULL;
	TRY(engine_find_own_support_ticket(op->ctx, op->head, &wish->ticket, &ticket));
	TRY(engine_permit(op, "ticket.attach", KIND_TICKET_ATTACHMENT, NULL));
	if (wish->is_private)
		TRY(engine_permit(op, "ticket.work", KIND_SUPPORT_TICKET, &ticket->row));
	TRY(engine_check_ticket_takes_files(op->ctx, op->head, ticket, wish->ticket.field));
	return attach(op, ticket, &wish->file, wish->is_private, false);
}

RESULT engine_see_ticket_facts(struct op *op, struct ticket_facts *wish)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, wish->ticket);
	if (!ticket || ticket->facts_us || ticket_is_over(engine_get_ticket_state(op->head, ticket, NULL)))
		return OK; /* a file would reopen it at a desk like RT */
	struct support_ticket next = *ticket;
	next.facts_us = op->now_us;
	TRY(support_ticket_put(op, &next));
	for (size_t k = 0; k < wish->file_count; k++)
		TRY(attach(op, support_ticket_find(op->head, wish->ticket), &wish->files[k], false, true));
	return OK;
}

RESULT engine_sweep_ticket_sets(struct op *op, struct ticket_sweep *wish)
{
	struct ticket_attachment probe = {.expires_us = 1};
	for (const struct row *row = tables_seek(op->head, KIND_TICKET_ATTACHMENT,
						 TICKET_ATTACHMENT_INDEX_EXPIRES, &probe.row, 1);
	     row;
	     row = tables_next(op->head, KIND_TICKET_ATTACHMENT, TICKET_ATTACHMENT_INDEX_EXPIRES, row, 0)) {
		const struct ticket_attachment *a = ticket_attachment_of(row);
		if (a->expires_us > op->now_us)
			break;
		TRY(ticket_attachment_forget(op, a->row.id));
		wish->count++;
	}
	return OK;
}

/* ---- after a change ---- */

const struct ticket_sending *ticket_find_waiting_state(const struct op *op, uuid link)
{
	const struct ticket_sending *last = NULL, *s = ticket_sending_first_by_link(op->head, link);
	for (; s; s = ticket_sending_next_by_link(op->head, s))
		if (s->stage == TICKET_SENDING_STAGE_WAITING && s->what == TICKET_SENDING_WHAT_STATE)
			last = s;
	return last;
}

static RESULT tell_state(struct op *op, const struct ticket_link *l, bool ends)
{
	struct ticket_sending sending = {.what = TICKET_SENDING_WHAT_STATE,
					 .value = ends ? STR("resolved") : STR("working")};
	return ticket_send(op, l, &sending);
}

/* Queues a state for the desk only if it differs from what the desk has, or will have after its queue. */
static RESULT have_follow(struct op *op, const struct ticket_link *l, bool ends)
{
	const struct ticket_sending *waits = ticket_find_waiting_state(op, l->row.id);
	bool ends_there =
		waits ? str_is(waits->value, "resolved") : ticket_is_over((enum ticket_state) l->state);
	return ends_there == ends ? OK : tell_state(op, l, ends);
}

/* True if the item is newer than the last state queued for the desk, or was sent since the desk's state was
 * last seen. */
static bool is_message_behind(const struct ticket_link *l, const struct ticket_sending *state,
			      const struct ticket_sending *s)
{
	if (s->what == TICKET_SENDING_WHAT_STATE || s->what == TICKET_SENDING_WHAT_SEVERITY)
		return false;
	if (s->stage == TICKET_SENDING_STAGE_WAITING)
		return !state || s->number > state->number;
	return !state && s->stage == TICKET_SENDING_STAGE_SENT && s->sent_us > l->state_us;
}

static bool has_message_behind(const struct op *op, const struct ticket_link *l)
{
	const struct ticket_sending *state = ticket_find_waiting_state(op, l->row.id);
	const struct ticket_sending *s = ticket_sending_first_by_link(op->head, l->row.id);
	while (s && !is_message_behind(l, state, s))
		s = ticket_sending_next_by_link(op->head, s);
	return s != NULL;
}

RESULT ticket_end_behind_messages(struct op *op, uuid ticket, bool *ret_is_told)
{
	*ret_is_told = false;
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l)) {
		if (!has_message_behind(op, l))
			continue;
		TRY(tell_state(op, l, true));
		*ret_is_told = true;
	}
	return OK;
}

RESULT ticket_settle(struct op *op, uuid id, enum ticket_state before)
{
	struct support_ticket next = *support_ticket_find(op->head, id);
	enum ticket_state after = engine_get_ticket_state(op->head, &next, NULL);
	bool was_over = ticket_is_over(before), is_over_now = ticket_is_over(after);
	if (before == after)
		return OK;
	next.state_us = op->now_us;
	next.resolved_us = is_over_now ? (next.resolved_us ? next.resolved_us : op->now_us) : 0;
	if (after == TICKET_CLOSED || after == TICKET_CANCELLED)
		next.closed_us = op->now_us;
	next.row.gen++;
	TRY(support_ticket_put(op, &next));
	TRY(engine_log_event(op, KIND_SUPPORT_TICKET, &next.row, "state", "It was %s, and is %s.",
			     ticket_state_words[before], ticket_state_words[after]));
	if (was_over == is_over_now)
		return OK;
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, id); l;
	     l = ticket_link_next_by_ticket(op->head, l))
		TRY(have_follow(op, l, is_over_now));
	return OK;
}
