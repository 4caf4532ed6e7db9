/* SPDX-License-Identifier: Apache-2.0
 * Steps of links between a ticket and a desk: send queued changes in order, one a step, and read news. A step
 * may be repeated after a crash: a driver looks for an object before it creates it, and news is applied once
 * (engine/support/ticket_sync.c). Outgoing text is redacted first. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/ticket_file.h"
#include "engine/quota.h"
#include "engine/support/ticket_sync.h"
#include "model/redact.h"
#include "reconcile/support/desk.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/desk.h"
#include "store/host.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_link.h"
#include "store/ticket_message.h"
#include "store/ticket_sending.h"
#include "store/user.h"

enum { NAMES_MAX = 2000, EXACT_MAX = 500, ITEMS_MAX = 200 };
#define GIVE_UP_US (72 * HOUR)
#define FILE_ARENA_CAP ((size_t) 160 << 20)

struct link_rows {
	const struct ticket_link *link; /* NULL: nothing to do */
	const struct support_ticket *ticket;
	const struct desk *desk;
	const struct ticket_sending *sending; /* NULL: nothing queued */
	const struct ticket_message *message;
	const struct ticket_attachment *file;
	struct str account_number, email;
	struct redact_rules rules;
};

/* ---- gather ---- */

/* Host part of a URI, for example "10.0.0.7" of "qemu+tls://root@10.0.0.7:16514/system"; empty: none. */
static struct str address_in(struct str uri)
{
	const char *sign = memmem(uri.p ? uri.p : "", uri.n, "://", 3);
	if (!sign)
		return STR_NONE;
	struct str rest = str_slice(uri, (size_t) (sign + 3 - uri.p), uri.n);
	size_t at = str_find_char(rest, '@', 0), end = 0;
	if (at < str_find_char(rest, '/', 0))
		rest = str_slice(rest, at + 1, rest.n);
	while (end < rest.n && !strchr("/?:", rest.p[end]))
		end++;
	return str_slice(rest, 0, end);
}

/* Names and addresses of the operator's hosts, replaced by pseudonyms in text sent to a vendor. */
static RESULT gather_names(struct step *s, const struct tables *t, struct link_rows *rows)
{
	VEC(struct redact_name) names = {0};
	uint8_t key[SHA256_SIZE];
	crypto_hmac_sha256(s->r->master_key, MASTER_KEY_SIZE, STR("ticket-names"), key);
	for (const struct host *h = host_first(t); h && names.count < NAMES_MAX; h = host_next(t, h)) {
		struct str name = str_copy(s->ctx.arena, h->name), uri = str_copy(s->ctx.arena, h->uri);
		struct str stands = redact_pseudonym(s->ctx.arena, key, sizeof key, "host", name);
		struct redact_name each = {name, stands}, at = {address_in(uri), stands};
		if (!VEC_PUSH(s->ctx.arena, &names, each) ||
		    (at.name.n && !VEC_PUSH(s->ctx.arena, &names, at)))
			return ctx_no_memory(&s->ctx);
	}
	rows->rules.names = names.at;
	rows->rules.name_count = names.count;
	return OK;
}

/* Secrets of the account that redaction must match literally: access key ids, also imported ones of any form,
 * and password hashes. */
static RESULT gather_exact(struct step *s, const struct tables *t, uuid account, struct link_rows *rows)
{
	VEC(struct str) exact = {0};
	for (const struct access_key *k = access_key_first_by_account(t, account);
	     k && exact.count < EXACT_MAX; k = access_key_next_by_account(t, k))
		if (!VEC_PUSH(s->ctx.arena, &exact, str_copy(s->ctx.arena, k->key_id)))
			return ctx_no_memory(&s->ctx);
	for (const struct user *u = user_first_by_owner(t, account); u && exact.count < EXACT_MAX;
	     u = user_next_by_owner(t, u))
		if (u->password_hash.n &&
		    !VEC_PUSH(s->ctx.arena, &exact, str_copy(s->ctx.arena, u->password_hash)))
			return ctx_no_memory(&s->ctx);
	rows->rules.exact = (struct strs){exact.at, exact.count};
	return OK;
}

static RESULT gather_sending(struct step *s, const struct tables *t, struct link_rows *rows)
{
	const struct ticket_sending *next = engine_next_sending(t, s->id);
	if (!next)
		return OK;
	rows->sending = STEP_COPY(s, KIND_TICKET_SENDING, struct ticket_sending, next);
	const struct ticket_message *m =
		uuid_is_none(next->message) ? NULL : ticket_message_find(t, next->message);
	const struct ticket_attachment *a =
		uuid_is_none(next->attachment) ? NULL : ticket_attachment_find(t, next->attachment);
	if (m)
		rows->message = STEP_COPY(s, KIND_TICKET_MESSAGE, struct ticket_message, m);
	if (a)
		rows->file = STEP_COPY(s, KIND_TICKET_ATTACHMENT, struct ticket_attachment, a);
	return OK;
}

static RESULT gather(struct step *s, struct link_rows *rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct tables *t = view.tables;
	const struct ticket_link *l = ticket_link_find(t, s->id);
	const struct desk *desk = l ? desk_find(t, l->desk) : NULL;
	const struct support_ticket *ticket = l ? support_ticket_find(t, l->ticket) : NULL;
	if (!desk || !ticket || desk->is_off || l->is_stopped || l->aim != TICKET_LINK_AIM_LINKED)
		return OK;
	const struct account *account = account_find(t, l->account);
	const struct user *opener = uuid_is_none(ticket->opened_by) ? NULL : user_find(t, ticket->opened_by);
	rows->link = STEP_COPY(s, KIND_TICKET_LINK, struct ticket_link, l);
	rows->ticket = STEP_COPY(s, KIND_SUPPORT_TICKET, struct support_ticket, ticket);
	rows->desk = STEP_COPY(s, KIND_DESK, struct desk, desk);
	bool knows_customer = desk->role == DESK_ROLE_OPERATOR;
	if (knows_customer && account)
		rows->account_number = str_copy(s->ctx.arena, account->number);
	if ((knows_customer || ticket->shares_address) && opener)
		rows->email = str_copy(s->ctx.arena, opener->email);
	TRY(gather_exact(s, t, l->account, rows));
	if (!knows_customer)
		TRY(gather_names(s, t, rows));
	return gather_sending(s, t, rows);
}

/* ---- outgoing changes ---- */

static RESULT clean(struct step *s, const struct link_rows *rows, struct str text, struct str *ret_text,
		    size_t *count)
{
	size_t removed = 0;
	if (!result_is_ok(redact_text(s->ctx.arena, text, &rows->rules, ret_text, &removed)))
		return ctx_no_memory(&s->ctx);
	*count += removed;
	return OK;
}

/* Role instead of name of people of the customer, except for the operator's own desk. */
static struct str name_author(struct step *s, const struct link_rows *rows, const struct ticket_message *m)
{
	if (rows->desk->role == DESK_ROLE_OPERATOR)
		return m->author;
	switch (m->said_by) {
	case TICKET_MESSAGE_SAID_BY_CUSTOMER:
		return STR("Customer");
	case TICKET_MESSAGE_SAID_BY_OPERATOR:
		return STR("Operator");
	case TICKET_MESSAGE_SAID_BY_DESK:
		return str_copy(s->ctx.arena, m->author);
	case TICKET_MESSAGE_SAID_BY_SYSTEM:
		break;
	}
	return STR("Dari");
}

static struct str join_texts(struct step *s, struct strs texts)
{
	struct str all = STR_NONE;
	for (size_t k = 0; k < texts.count; k++)
		all = str_print(s->ctx.arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(all), k ? ", " : "",
				STR_ARG(texts.at[k]));
	return all;
}

struct sent {
	struct str origin;
	size_t removed;
	struct link_made *made; /* set when the ticket was created at the desk */
};

static RESULT make(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		   struct desk_place *place, struct sent *ret)
{
	struct desk_made made = {0};
	struct desk_ticket ticket = {
		.id = id_to_ec2(s->ctx.arena, KIND_SUPPORT_TICKET, rows->ticket->row.id),
		.number = str_print(s->ctx.arena, "%" PRId64, rows->ticket->number),
		.author = rows->message ? name_author(s, rows, rows->message) : STR_NONE,
		.product = rows->ticket->product,
		.resources = join_texts(s, rows->ticket->resources),
		.account = rows->account_number,
		.requestor = rows->email,
		.severity = (enum ticket_link_severity) rows->ticket->severity,
	};
	TRY(clean(s, rows, rows->ticket->subject, &ticket.subject, &ret->removed));
	TRY(clean(s, rows, rows->message ? rows->message->body : STR_NONE, &ticket.body, &ret->removed));
	TRY(driver->make(&s->ctx, place, &ticket, &made));
	ret->made = STEP_NEW(s, struct link_made);
	*ret->made = (struct link_made){s->id, made.id, made.number, made.url};
	return OK;
}

static RESULT say(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		  struct desk_place *place, struct sent *ret)
{
	struct desk_message message = {
		.id = rows->sending->row.id,
		.ticket = id_to_ec2(s->ctx.arena, KIND_SUPPORT_TICKET, rows->ticket->row.id)};
	if (!rows->message)
		return OK;
	message.author = name_author(s, rows, rows->message);
	TRY(clean(s, rows, rows->message->body, &message.body, &ret->removed));
	return driver->say(&s->ctx, place, rows->link->foreign_id, &message, &ret->origin);
}

/* Announces a file that exceeds the desk's limit, in place of sending it. */
static RESULT tell_of_file(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
			   struct desk_place *place, struct sent *ret)
{
	const struct desk_message message = {
		.id = rows->sending->row.id,
		.ticket = id_to_ec2(s->ctx.arena, KIND_SUPPORT_TICKET, rows->ticket->row.id),
		.author = STR("Dari"),
		.body = str_print(s->ctx.arena,
				  "The file %" STR_FMT " (%" PRId64 " bytes, SHA-256 %" STR_FMT
				  ") is too large for this desk. It is in ticket %" PRId64
				  " at the operator's.",
				  STR_ARG(rows->file->name), rows->file->size, STR_ARG(rows->file->sha256),
				  rows->ticket->number)};
	return driver->say(&s->ctx, place, rows->link->foreign_id, &message, &ret->origin);
}

static RESULT send_file(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
			struct desk_place *place, struct ctx *large, struct sent *ret)
{
	const struct ticket_place files = {str_from(s->r->ticket_directory), s->r->master_key};
	struct str content = STR_NONE, origin = STR_NONE;
	TRY(ticket_file_read(large, &files, rows->file->row.id, TICKET_FILE_MAX, &content));
	if (redact_looks_into(rows->file->media_type, rows->file->size) &&
	    !result_is_ok(redact_text(large->arena, content, &rows->rules, &content, &ret->removed)))
		return ctx_no_memory(large);
	const struct desk_file file = {
		.id = rows->sending->row.id,
		.ticket = id_to_ec2(s->ctx.arena, KIND_SUPPORT_TICKET, rows->ticket->row.id),
		.name = rows->file->name,
		.media_type = rows->file->media_type,
		.sha256 = rows->file->sha256,
		.content = content};
	TRY(driver->attach(large, place, rows->link->foreign_id, &file, &origin));
	ret->origin = str_copy(s->ctx.arena, origin);
	return OK;
}

static RESULT attach(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		     struct desk_place *place, struct sent *ret)
{
	struct ctx large;
	if (!rows->file)
		return OK;
	if (rows->file->size > driver->file_max)
		return tell_of_file(s, rows, driver, place, ret);
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, FILE_ARENA_CAP);
	if (!arena)
		return ctx_no_memory(&s->ctx);
	ctx_init(&large, arena);
	struct result result = send_file(s, rows, driver, place, &large, ret);
	if (!result_is_ok(result) && result.code != ERR_NO_MEMORY)
		return ctx_fail(&s->ctx, result.code, "%" STR_FMT, STR_ARG(large.problem.message));
	return result;
}

static bool find_word(struct str word, const char *const *words, int count, int *ret)
{
	for (*ret = 0; *ret < count; (*ret)++)
		if (str_is(word, words[*ret]))
			return true;
	return false;
}

static RESULT change(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		     struct desk_place *place)
{
	int k = 0;
	struct str id = rows->link->foreign_id;
	if (rows->sending->what == TICKET_SENDING_WHAT_STATE)
		return find_word(rows->sending->value, ticket_state_words, TICKET_STATES, &k)
			       ? driver->move(&s->ctx, place, id, (enum ticket_state) k)
			       : OK;
	bool is_known = find_word(rows->sending->value, support_ticket_severity_words,
				  SUPPORT_TICKET_SEVERITY_CRITICAL + 1, &k);
	return is_known && driver->has_severity
		       ? driver->rate(&s->ctx, place, id, (enum ticket_link_severity) k)
		       : OK;
}

static RESULT send_one(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		       struct desk_place *place, struct sent *ret)
{
	if (rows->sending->what == TICKET_SENDING_WHAT_CREATE)
		return make(s, rows, driver, place, ret);
	if (!rows->link->foreign_id.n)
		return ctx_fail(&s->ctx, ERR_INVALID, "the ticket is not at the desk");
	switch (rows->sending->what) {
	case TICKET_SENDING_WHAT_MESSAGE:
		return say(s, rows, driver, place, ret);
	case TICKET_SENDING_WHAT_ATTACHMENT:
		return attach(s, rows, driver, place, ret);
	case TICKET_SENDING_WHAT_CREATE:
	case TICKET_SENDING_WHAT_STATE:
	case TICKET_SENDING_WHAT_SEVERITY:
		break;
	}
	return change(s, rows, driver, place);
}

static RESULT step_send(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
			struct desk_place *place)
{
	struct sent sent = {.removed = 0};
	struct result result = send_one(s, rows, driver, place, &sent);
	int64_t now_us = clock_now_us();
	if (result.code == ERR_NO_MEMORY)
		return result;
	struct sending_report *report = STEP_NEW(s, struct sending_report);
	*report = (struct sending_report){.sending = rows->sending->row.id,
					  .is_sent = result_is_ok(result),
					  .origin = sent.origin,
					  .removed = (int64_t) sent.removed,
					  .problem = s->ctx.problem.message};
	if (!report->is_sent) {
		bool is_old = rows->link->failing_us && now_us > rows->link->failing_us + GIVE_UP_US;
		report->is_final = is_old || !desk_may_help_later(result.code);
		report->retry_us = desk_next_try_us(rows->link->tries, place->wait_us);
		step_again_at(s, report->retry_us);
	} else {
		step_again(s);
	}
	ctx_clear_problem(&s->ctx);
	if (sent.made)
		step_report(s, engine_see_link_made_run, sent.made);
	step_report(s, engine_see_sending_run, report);
	return OK;
}

/* ---- incoming news ---- */

static RESULT take_file(struct step *s, const struct desk_driver *driver, struct desk_place *place,
			const struct link_rows *rows, const struct desk_news *news, struct desk_item *item)
{
	struct disk_payer payer = {0};
	const struct ticket_place files = {str_from(s->r->ticket_directory), s->r->master_key, &payer};
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, FILE_ARENA_CAP);
	struct ctx large;
	struct str content = news->content, sha256 = STR_NONE;
	uuid id = uuid_v5(rows->link->row.id, news->origin); /* stable across repeated reads */
	if (!arena)
		return ctx_no_memory(&s->ctx);
	ctx_init(&large, arena);
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		payer = engine_pay_disk(view.tables, rows->link->account, KIND_TICKET_ATTACHMENT);
	}
	struct result result =
		content.p ? OK
			  : driver->fetch(&large, place, rows->link->foreign_id, news->file_id, &content);
	if (result_is_ok(result) && content.n > TICKET_FILE_MAX)
		result = FAIL(TOO_LARGE);
	if (result_is_ok(result))
		result = ticket_file_write(&large, &files, id, content, &sha256);
	if (desk_may_help_later(result.code) || result.code == ERR_NO_MEMORY)
		return ctx_fail(&s->ctx, result.code, "%" STR_FMT, STR_ARG(large.problem.message));
	if (!result_is_ok(result)) {
		item->body = str_print(s->ctx.arena, "(The file %" STR_FMT " cannot be kept here.)",
				       STR_ARG(news->file_name));
		return OK;
	}
	item->has_file = true;
	item->file = (struct ticket_file){.id = id,
					  .name = str_cut(news->file_name, 255),
					  .media_type = str_copy(s->ctx.arena, ticket_file_type(content)),
					  .sha256 = str_copy(s->ctx.arena, sha256),
					  .size = (int64_t) content.n};
	return OK;
}

static RESULT take_news(struct step *s, const struct desk_driver *driver, struct desk_place *place,
			const struct link_rows *rows, const struct desk_view *seen,
			struct link_report *report)
{
	struct desk_item *items = arena_new_array(s->ctx.arena, struct desk_item, seen->news_count + 1);
	if (!items)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < seen->news_count && k < ITEMS_MAX; k++) {
		const struct desk_news *n = &seen->news[k];
		items[k] = (struct desk_item){.origin = n->origin,
					      .author = n->author,
					      .body = n->body,
					      .told_us = n->told_us,
					      .is_private = n->is_private};
		if (n->file_name.n && !n->is_private)
			TRY(take_file(s, driver, place, rows, n, &items[k]));
		report->item_count = k + 1;
	}
	report->items = items;
	return OK;
}

static RESULT look(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		   struct desk_place *place)
{
	struct desk_view seen = {0};
	struct link_report *report = STEP_NEW(s, struct link_report);
	TRY(driver->look(&s->ctx, place, rows->link->foreign_id, rows->link->read_to, &seen));
	*report = (struct link_report){.link = s->id,
				       .has_state = seen.is_state_known,
				       .state = seen.means,
				       .foreign_state = seen.state,
				       .foreign_version = seen.version,
				       .read_to = seen.read_to,
				       .has_severity = seen.has_severity,
				       .severity = seen.severity,
				       .is_current = seen.news_count <= ITEMS_MAX};
	TRY(take_news(s, driver, place, rows, &seen, report));
	step_report(s, engine_see_link_run, report);
	step_again(s);
	return OK;
}

/* The ticket was deleted at the desk: reports that, and reads nothing more until something is sent. */
static RESULT step_look(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
			struct desk_place *place)
{
	struct result result = look(s, rows, driver, place);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(&s->ctx);
	struct link_report *report = STEP_NEW(s, struct link_report);
	*report = (struct link_report){.link = s->id, .foreign_state = STR("(gone)"), .is_current = true};
	step_report(s, engine_see_link_run, report);
	step_again(s);
	return OK;
}

/* ---- the step ---- */

static RESULT run(struct step *s, const struct link_rows *rows, const struct desk_driver *driver,
		  struct desk_place *place)
{
	int64_t now_us = clock_now_us();
	bool waits = rows->sending && now_us < rows->link->retry_us;
	bool is_due = rows->sending && !waits;
	if (rows->link->is_asked && rows->link->foreign_id.n) {
		struct result looked = step_look(s, rows, driver, place);
		if (result_is_ok(looked) || looked.code == ERR_NO_MEMORY || !is_due)
			return looked;
		ctx_clear_problem(&s->ctx); /* sending will fail the same way and report it */
	}
	if (is_due)
		return step_send(s, rows, driver, place);
	if (waits)
		step_again_at(s, rows->link->retry_us);
	return OK;
}

static RESULT step_link(struct step *s)
{
	struct link_rows rows = {0};
	struct desk_place place;
	TRY(gather(s, &rows));
	if (!rows.link || (!rows.sending && !rows.link->is_asked))
		return OK;
	const struct desk_driver *driver = desk_find_driver(s->r, rows.desk);
	if (!driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "nothing here speaks what the desk does");
	TRY(desk_open_place(s, rows.desk, &place));
	struct result result = run(s, &rows, driver, &place);
	desk_close_place(&place);
	return result;
}

static void wake_link(struct reconciler *r, const struct row *row)
{
	const struct ticket_link *l = ticket_link_of(row);
	work_wake(r, lane_desks(r, l->desk), KIND_TICKET_LINK, row->id, WAKE_WISH);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct ticket_link *was = ticket_link_of(before), *is = ticket_link_of(after);
	(void) t;
	if (!was || was->row.gen != is->row.gen || (is->is_asked && !was->is_asked) ||
	    (was->retry_us && !is->retry_us))
		wake_link(r, after);
}

const struct resource reconcile_ticket_link = {
	.step = step_link, .is_swept = true, .wake = wake_link, .wake_changed = wake_changed};

static void wake_for_sending(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after)
{
	const struct ticket_sending *s = ticket_sending_of(after);
	const struct ticket_link *l = ticket_link_find(t, s->link);
	(void) before;
	if (l && s->stage == TICKET_SENDING_STAGE_WAITING)
		wake_link(r, &l->row);
}

const struct resource reconcile_ticket_sending = {.wake_changed = wake_for_sending};
