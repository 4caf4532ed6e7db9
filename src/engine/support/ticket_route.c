/* SPDX-License-Identifier: Apache-2.0
 * Chooses the desk for a ticket: by the product of its resources, and by the operator's own responsibility.
 * An operator's desk, if there is one, gets every ticket, and involves the vendor by putting it on hold. */
#include "engine/instance/instance.h"
#include "engine/licence/licence.h"
#include "engine/resolve.h"
#include "engine/support/ticket_internal.h"
#include "model/ticket_sending.h"
#include "store/condition.h"
#include "store/desk.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/volume.h"

/* ---- subject matter ---- */

enum { EC2_ID_DIGITS = 2 + 17 };

/* Words in image names that identify vendors' products. */
static const struct product_word {
	const char *word, *product;
} product_words[] = {{"windows server", "windows-server"},
		     {"windows", "windows"},
		     {"rhel", "rhel"},
		     {"red hat", "rhel"},
		     {"redhat", "rhel"},
		     {"sles", "sles"},
		     {"suse", "sles"},
		     {"ubuntu", "ubuntu"},
		     {"oracle", "oracle"}};

static struct str find_word(struct op *op, struct str text)
{
	struct str small = str_lower(op->ctx->arena, text);
	for (size_t k = 0; k < sizeof product_words / sizeof product_words[0]; k++)
		if (str_contains(small, str_from(product_words[k].word)))
			return str_from(product_words[k].product);
	return STR_NONE;
}

/* Uses the licences and the image's properties, or else the image's name. */
static struct str guess_product(struct op *op, const struct instance *instance)
{
	struct software software = {0};
	const struct image *image =
		uuid_is_none(instance->image) ? NULL : image_find(op->head, instance->image);
	if (engine_find_software(op->head, instance, &software))
		return software.product;
	if (!image)
		return STR_NONE;
	struct str product = find_word(op, image->family);
	return product.n ? product : find_word(op, image->name);
}

/* True if the instance or its host has a condition that only the operator can fix. */
static bool is_operators_trouble(const struct op *op, const struct instance *i)
{
	static const char *const names[] = {"HostDown",      "Fencing",     "FenceFailed",
					    "NotReconciled", "DiskMissing", "HeldForRoom"};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str name = str_from(names[k]);
		if (condition_find_by_subject(op->head, i->row.id, name) ||
		    (!uuid_is_none(i->host) && condition_find_by_subject(op->head, i->host, name)))
			return true;
	}
	return false;
}

static const struct instance *find_instance(struct op *op, uuid account, struct str text)
{
	struct ref ref;
	uuid id;
	const struct row *row = NULL;
	if (result_is_ok(uuid_parse(text, &id)))
		row = tables_find(op->head, KIND_INSTANCE, id);
	else if (result_is_ok(id_parse_ec2(text, KIND_INSTANCE, &ref)))
		row = tables_find_prefix(op->head, KIND_INSTANCE, ref.prefix, ref.bits);
	const struct instance *i = instance_of(row);
	return i && uuid_equal(i->account, account) ? i : NULL;
}

static enum kind find_kind(const struct tables *t, struct str text, struct ref *ret_ref)
{
	enum kind kind = KIND_NONE + 1;
	uuid id;
	if (!result_is_ok(uuid_parse(text, &id))) {
		kind = id_kind_of_ec2(text);
		return kind != KIND_NONE && result_is_ok(id_parse_ec2(text, kind, ret_ref)) ? kind
											    : KIND_NONE;
	}
	while (kind < KIND_COUNT && !(model_kinds[kind].account_offset && tables_find(t, kind, id)))
		kind++;
	*ret_ref = ref_by_id(kind, id);
	return kind < KIND_COUNT ? kind : KIND_NONE;
}

RESULT engine_find_ticket_resource(struct ctx *c, const struct tables *t, uuid account, struct str text,
				   enum kind *ret_kind, const struct row **ret_row)
{
	struct ref ref = {0};
	const struct row *row = NULL;
	enum kind kind = find_kind(t, text, &ref);
	ref.text = text;
	ref.field = STR("resources");
	struct result found = kind == KIND_NONE ? FAIL(NOT_FOUND) : engine_find_own(c, t, kind, &ref, &row);
	if (result_is_ok(found) && !uuid_equal(engine_get_owner(kind, row), account))
		found = FAIL(NOT_FOUND);
	if (found.code == ERR_NOT_FOUND) {
		ctx_clear_problem(c); /* the kind of another account's resource stays hidden */
		return engine_fail_not_found(c, KIND_NONE, &ref);
	}
	TRY(found);
	*ret_kind = kind;
	*ret_row = row;
	return OK;
}

static bool has_id(const struct strs *ids, struct str id)
{
	for (size_t k = 0; k < ids->count; k++)
		if (str_equal(ids->at[k], id))
			return true;
	return false;
}

/* Length of an id ("i-" and 17 digits, not followed by a letter or digit); 0: none starts here. */
static size_t measure_id(struct str text, size_t at)
{
	size_t n = 2;
	if (at + 2 > text.n || memcmp(text.p + at, "i-", 2) != 0 ||
	    (at > 0 && str_is_alphanumeric(text.p[at - 1])))
		return 0;
	while (at + n < text.n && str_is_alphanumeric(text.p[at + n]))
		n++;
	return n == EC2_ID_DIGITS ? n : 0;
}

RESULT ticket_find_named(struct op *op, uuid account, struct strs texts, struct strs *ret_ids)
{
	struct str *ids = arena_new_array(op->ctx->arena, struct str, TICKET_RESOURCES_MAX);
	if (!ids)
		return ctx_no_memory(op->ctx);
	*ret_ids = (struct strs){ids, 0};
	for (size_t k = 0; k < texts.count; k++)
		for (size_t at = 0; at < texts.at[k].n && ret_ids->count < TICKET_RESOURCES_MAX; at++) {
			size_t n = measure_id(texts.at[k], at);
			struct str id = str_slice(texts.at[k], at, at + n);
			if (n && !has_id(ret_ids, id) && find_instance(op, account, id))
				ids[ret_ids->count++] = id;
		}
	return OK;
}

RESULT ticket_find_product(struct op *op, struct support_ticket *ticket, bool *ret_is_operators)
{
	*ret_is_operators = false;
	for (size_t k = 0; k < ticket->resources.count; k++) {
		const struct instance *i = find_instance(op, ticket->account, ticket->resources.at[k]);
		if (i && !ticket->product.n)
			ticket->product = guess_product(op, i);
		if (i && is_operators_trouble(op, i))
			*ret_is_operators = true;
	}
	return OK;
}

/* ---- desk ---- */

bool ticket_fits_desk(const struct desk *desk, const struct support_ticket *ticket)
{
	if (desk->is_off || (desk->accounts.count && !uuids_have(&desk->accounts, ticket->account)))
		return false;
	if (!desk->products.count)
		return desk->role == DESK_ROLE_OPERATOR;
	for (size_t k = 0; k < desk->products.count; k++)
		if (ticket->product.n && str_matches(ticket->product, desk->products.at[k]))
			return true;
	return false;
}

static const struct desk *find_taker(const struct op *op, const struct support_ticket *ticket,
				     enum desk_role role)
{
	for (const struct desk *d = desk_first(op->head); d; d = desk_next(op->head, d))
		if (d->role == role && ticket_fits_desk(d, ticket))
			return d;
	return NULL;
}

/* Billing and account questions, and the operator's own trouble, never go to a vendor. */
static const struct desk *find_vendor(const struct op *op, const struct support_ticket *ticket,
				      bool is_operators)
{
	return is_operators || ticket->about != SUPPORT_TICKET_ABOUT_TECHNICAL
		       ? NULL
		       : find_taker(op, ticket, DESK_ROLE_VENDOR);
}

static bool is_linked(const struct op *op, uuid ticket, uuid desk)
{
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l))
		if (uuid_equal(l->desk, desk))
			return true;
	return false;
}

RESULT ticket_route(struct op *op, struct support_ticket *ticket)
{
	bool is_operators = false;
	uuid link;
	TRY(ticket_find_product(op, ticket, &is_operators));
	const struct desk *operators = find_taker(op, ticket, DESK_ROLE_OPERATOR);
	const struct desk *vendor = find_vendor(op, ticket, is_operators);
	const struct desk *desk = operators ? operators : vendor;
	struct str product = ticket->product.n ? ticket->product : STR("no product");
	ticket->route = str_print(op->ctx->arena, "%" STR_FMT ": %" STR_FMT "%s", STR_ARG(product),
				  STR_ARG(desk ? desk->name : STR("the operator's commands")),
				  is_operators ? ", for what it is about has trouble that is the operator's"
				  : operators && vendor ? ", which asks the vendor's by holding it"
							: "");
	TRY(support_ticket_put(op, ticket));
	if (!desk || is_linked(op, ticket->row.id, desk->row.id))
		return OK;
	return ticket_link_with(op, ticket->row.id, desk, STR_NONE, false, &link);
}

RESULT ticket_link_vendor(struct op *op, uuid id)
{
	struct support_ticket ticket = *support_ticket_find(op->head, id);
	bool is_operators = false;
	uuid link;
	TRY(ticket_find_product(op, &ticket, &is_operators));
	const struct desk *vendor = find_vendor(op, &ticket, is_operators);
	if (!vendor || is_linked(op, id, vendor->row.id))
		return OK;
	return ticket_link_with(op, id, vendor, STR_NONE, false, &link);
}

/* ---- links ---- */

/* Queues everything said so far. The first message creates the ticket at the desk. */
static RESULT tell_so_far(struct op *op, const struct ticket_link *link, const struct desk *desk)
{
	bool is_first = true;
	for (const struct ticket_message *m = ticket_message_first_by_ticket(op->head, link->ticket); m;
	     m = ticket_message_next_by_ticket(op->head, m)) {
		struct ticket_sending sending = {.what = is_first ? TICKET_SENDING_WHAT_CREATE
								  : TICKET_SENDING_WHAT_MESSAGE,
						 .message = m->row.id};
		if (m->is_private || m->said_by == TICKET_MESSAGE_SAID_BY_SYSTEM)
			continue;
		TRY(ticket_send(op, link, &sending));
		is_first = false;
	}
	for (const struct ticket_attachment *a = ticket_attachment_first_by_ticket(op->head, link->ticket); a;
	     a = ticket_attachment_next_by_ticket(op->head, a)) {
		struct ticket_sending sending = {.what = TICKET_SENDING_WHAT_ATTACHMENT,
						 .attachment = a->row.id};
		if (!a->is_private || desk->role == DESK_ROLE_OPERATOR)
			TRY(ticket_send(op, link, &sending));
	}
	return OK;
}

RESULT ticket_link_with(struct op *op, uuid ticket, const struct desk *desk, struct str foreign_id,
			bool is_theirs, uuid *ret_link)
{
	const struct support_ticket *t = support_ticket_find(op->head, ticket);
	size_t count = 0;
	for (const struct ticket_link *l = ticket_link_first_by_ticket(op->head, ticket); l;
	     l = ticket_link_next_by_ticket(op->head, l))
		count++;
	if (count >= TICKET_LINKS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_TICKET_LINK, "A ticket is at up to %d desks.",
				     TICKET_LINKS_MAX);
	struct ticket_link link = {.row.id = engine_new_id(op, KIND_TICKET_LINK),
				   .row.gen = 1,
				   .account = t->account,
				   .ticket = ticket,
				   .desk = desk->row.id,
				   .is_theirs = is_theirs,
				   .foreign_id = foreign_id,
				   .state_us = op->now_us,
				   .severity = (enum ticket_link_severity) t->severity};
	TRY(ticket_link_put(op, &link));
	*ret_link = link.row.id;
	TRY(engine_log_event(op, KIND_SUPPORT_TICKET, &t->row, "linked", "With desk %" STR_FMT ".",
			     STR_ARG(desk->name)));
	return is_theirs ? OK : tell_so_far(op, &link, desk);
}
