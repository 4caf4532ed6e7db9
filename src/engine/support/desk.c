/* SPDX-License-Identifier: Apache-2.0
 * Desks, and links that the operator sets by hand. reconcile/support/desk.c polls the desks. Called by:
 * daemon/commands_desk.c, api/tmf/. */
#include "engine/support/desk.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/support/ticket_internal.h"
#include "engine/tag_internal.h"
#include "store/account.h"
#include "store/desk.h"
#include "store/support_ticket.h"
#include "store/ticket_link.h"
#include "store/ticket_sending.h"

enum { TEXT_MAX = 255, URL_MAX = 1024, PRODUCTS_MAX = 32 };

const struct desk *engine_find_desk(const struct tables *t, struct str name)
{
	return name.n && name.n <= WORD_MAX ? desk_find_by_name(t, name) : NULL;
}

/* ---- desks ---- */

static bool is_url(struct str url)
{
	return url.n <= URL_MAX && str_is_line(url) &&
	       (str_starts_with(url, STR("http://")) || str_starts_with(url, STR("https://")) ||
		str_starts_with(url, STR("sim:")));
}

static RESULT check_products(struct op *op, struct strs products)
{
	bool is_fine = products.count <= PRODUCTS_MAX;
	for (size_t k = 0; k < products.count && is_fine; k++)
		is_fine =
			products.at[k].n >= 1 && products.at[k].n <= WORD_MAX && str_is_line(products.at[k]);
	return is_fine ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_DESK, STR("product"),
				     "Up to %d patterns of products are said.", PRODUCTS_MAX);
}

static bool is_short_line(struct str text)
{
	return text.n <= TEXT_MAX && str_is_line(text);
}

static RESULT check_texts(struct op *op, const struct desk_wish *wish)
{
	if (wish->url.n && !is_url(wish->url))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_DESK, STR("url"),
				   "A desk answers at a URL of http or https.");
	if (!is_short_line(wish->queue) || !is_short_line(wish->login))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_DESK, STR("queue"),
				   "A queue and a login have up to %d characters.", TEXT_MAX);
	return check_products(op, wish->products);
}

static RESULT check_desk(struct op *op, const struct desk_wish *wish, const struct desk *before)
{
	TRY(engine_check_word(op, KIND_DESK, wish->name));
	if (!before && (wish->driver < 0 || !wish->url.n))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_DESK, STR("url"),
				   "A new desk has a driver, and a URL where it answers.");
	if (wish->driver == DESK_SPEAKS_SIM)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_DESK, STR("driver"),
				   "Nothing here speaks to such a desk yet.");
	if (!before && wish->driver == DESK_SPEAKS_WEBHOOK && !wish->secret.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_DESK, STR("secret"),
				   "A webhook's events are signed: it has a secret.");
	TRY(check_texts(op, wish));
	if (wish->poll_s && (wish->poll_s < DESK_POLL_MIN_S || wish->poll_s > DESK_POLL_MAX_S))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_DESK, STR("poll-s"),
				   "A desk is asked every %d to %d seconds.", DESK_POLL_MIN_S,
				   DESK_POLL_MAX_S);
	if (!before && tables_count(op->head, KIND_DESK) >= DESKS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_DESK, STR("name"), "There are %d desks at most.",
				   DESKS_MAX);
	return OK;
}

static RESULT find_accounts(struct op *op, const struct desk_wish *wish, struct desk *next)
{
	uuid *ids = arena_new_array(op->ctx->arena, uuid, wish->accounts.count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < wish->accounts.count; k++) {
		const struct account *account = NULL;
		TRY(engine_find_account(op->ctx, op->head, &wish->accounts.at[k], &account));
		ids[k] = account->row.id;
	}
	if (wish->has_accounts)
		next->accounts = (struct uuids){ids, wish->accounts.count};
	if (ref_is_given(&wish->opens_for)) {
		const struct account *account = NULL;
		TRY(engine_find_account(op->ctx, op->head, &wish->opens_for, &account));
		next->opens_for = account->row.id;
	}
	return OK;
}

static void take_texts(const struct desk_wish *wish, struct desk *next)
{
	struct {
		struct str from, *to;
	} const texts[] = {{wish->url, &next->url},
			   {wish->queue, &next->queue},
			   {wish->login, &next->login},
			   {wish->secret, &next->secret},
			   {wish->inbound_sha256, &next->inbound_sha256}};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		if (texts[k].from.n)
			*texts[k].to = texts[k].from;
	if (wish->driver >= 0)
		next->speaks = (enum desk_speaks) wish->driver;
	if (wish->mode >= 0)
		next->mode = (enum desk_mode) wish->mode;
	if (wish->role >= 0)
		next->role = (enum desk_role) wish->role;
	if (wish->poll_s)
		next->poll_s = wish->poll_s;
	if (wish->has_products)
		next->products = wish->products;
	choice_apply(wish->off, &next->is_off);
}

RESULT engine_put_desk(struct op *op, struct desk_wish *wish)
{
	const struct desk *before = engine_find_desk(op->head, wish->name);
	TRY(engine_permit(op, "desk.put", KIND_DESK, before ? &before->row : NULL));
	TRY(check_desk(op, wish, before));
	struct desk next = before ? *before
				  : (struct desk){.row.id = wish->id,
						  .name = wish->name,
						  .poll_s = DESK_POLL_S,
						  .role = DESK_ROLE_OPERATOR};
	take_texts(wish, &next);
	TRY(find_accounts(op, wish, &next));
	if (wish->has_options)
		TRY(tag_normalize(op, wish->options, &next.options));
	next.row.gen++;
	wish->desk = next.row.id;
	TRY(desk_put(op, &next));
	return engine_log_event(op, KIND_DESK, &next.row, before ? "changed" : "created",
				"Desk %" STR_FMT " at %" STR_FMT ".", STR_ARG(next.name), STR_ARG(next.url));
}

static RESULT end_link(struct op *op, const struct ticket_link *l)
{
	const struct support_ticket *ticket = support_ticket_find(op->head, l->ticket);
	enum ticket_state before = engine_get_ticket_state(op->head, ticket, NULL);
	struct ticket_link next = *l;
	next.aim = TICKET_LINK_AIM_CLOSED;
	next.row.gen++;
	TRY(ticket_link_put(op, &next));
	TRY(ticket_clear_troubles(op, ticket->row.id));
	return ticket_settle(op, ticket->row.id, before);
}

RESULT engine_delete_desk(struct op *op, struct desk_target *wish)
{
	const struct desk *desk = engine_find_desk(op->head, wish->name);
	if (!desk)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_DESK, STR("name"),
				   "There is no desk '%" STR_FMT "'.", STR_ARG(wish->name));
	TRY(engine_permit(op, "desk.delete", KIND_DESK, &desk->row));
	for (const struct ticket_link *l = ticket_link_first_by_desk(op->head, desk->row.id); l;
	     l = ticket_link_next_by_desk(op->head, l)) {
		if (!wish->forced && l->aim == TICKET_LINK_AIM_LINKED)
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_DESK, STR("name"),
					   "Tickets are linked with the desk '%" STR_FMT "'.",
					   STR_ARG(wish->name));
		TRY(end_link(op, l));
		TRY(ticket_link_forget(op, l->row.id));
	}
	TRY(engine_log_event(op, KIND_DESK, &desk->row, "deleted", "Desk %" STR_FMT ".",
			     STR_ARG(desk->name)));
	return desk_forget(op, desk->row.id);
}

/* ---- links by the operator ---- */

static const struct ticket_link *find_link(const struct op *op, uuid ticket, uuid desk)
{
	const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket);
	while (l && !uuid_equal(l->desk, desk))
		l = ticket_link_next_by_ticket(op->head, l);
	return l;
}

static RESULT change_link(struct op *op, struct ticket_linking *wish, const struct ticket_link *l)
{
	wish->link = l->row.id;
	if (wish->ends)
		return end_link(op, l);
	if (!wish->goes_on && l->aim == TICKET_LINK_AIM_LINKED)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_TICKET_LINK, STR("desk"),
				   "The ticket is linked with the desk '%" STR_FMT "' already.",
				   STR_ARG(wish->desk));
	struct ticket_link next = *l;
	next.aim = TICKET_LINK_AIM_LINKED;
	next.is_stopped = false;
	next.is_asked = true;
	next.burst = 0;
	next.row.gen++;
	TRY(ticket_link_put(op, &next));
	return ticket_clear_troubles(op, l->ticket);
}

RESULT engine_link_ticket(struct op *op, struct ticket_linking *wish)
{
	const struct support_ticket *ticket = NULL;
	const struct desk *desk = engine_find_desk(op->head, wish->desk);
	TRY(engine_permit_support_ticket(op, &wish->ticket, "ticket.link", &ticket));
	const struct ticket_link *l = desk ? find_link(op, ticket->row.id, desk->row.id) : NULL;
	if (!desk || (!l && (wish->ends || wish->goes_on)))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_DESK, STR("desk"),
				   desk ? "The ticket is not linked with the desk '%" STR_FMT "'."
					: "There is no desk '%" STR_FMT "'.",
				   STR_ARG(wish->desk));
	if (l)
		return change_link(op, wish, l);
	enum ticket_state before = engine_get_ticket_state(op->head, ticket, NULL);
	TRY(ticket_link_with(op, ticket->row.id, desk, STR_NONE, false, &wish->link));
	return ticket_settle(op, ticket->row.id, before);
}

/* A desk that never gets the ticket's creation has no use for what follows it: ends the link. A later link
 * with that desk sends everything again. */
static RESULT drop_sending(struct op *op, const struct ticket_sending *s, const struct ticket_link *l)
{
	if (s->what == TICKET_SENDING_WHAT_CREATE) {
		TRY(end_link(op, l));
		return ticket_link_forget(op, l->row.id);
	}
	TRY(ticket_sending_forget(op, s->row.id));
	return ticket_clear_troubles(op, l->ticket);
}

RESULT engine_change_sending(struct op *op, struct sending_change *wish)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_TICKET_SENDING, &wish->sending, &row));
	const struct ticket_sending *s = ticket_sending_of(row);
	const struct ticket_link *l = ticket_link_find(op->head, s->link);
	TRY(engine_permit(op, "ticket.link", KIND_TICKET_LINK, &l->row));
	if (s->stage == TICKET_SENDING_STAGE_SENT)
		return ENGINE_FAIL(op, ERR_STATE, KIND_TICKET_SENDING, wish->sending.field,
				   "It is at its desk already.");
	struct ticket_link link = *l;
	link.tries = link.retry_us = link.failing_us = 0;
	link.problem = STR_NONE;
	TRY(ticket_link_put(op, &link));
	if (wish->drops)
		return drop_sending(op, s, ticket_link_find(op->head, link.row.id));
	struct ticket_sending next = *s;
	next.stage = TICKET_SENDING_STAGE_WAITING;
	next.problem = STR_NONE;
	TRY(ticket_sending_put(op, &next));
	return ticket_clear_troubles(op, l->ticket);
}
