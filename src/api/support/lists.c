/* SPDX-License-Identifier: Apache-2.0
 * Lists of cases, and of the communications of one, newest first. The default page size is guessed. */
#include <inttypes.h>

#include "api/support/internal.h"
#include "base/clock.h"
#include "base/vec.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_message.h"
#include "store/user.h"

enum { RECENT_MESSAGES = 5, IDS_MAX = 100 };

/* ---- what was said ---- */

static bool is_shown(const struct ticket_message *m)
{
	return !m->is_private;
}

static void write_files(struct target_call *e, struct json_writer *w, const struct ticket_message *m)
{
	const struct tables *t = target_tables(e);
	bool is_open = false;
	for (const struct ticket_attachment *a = ticket_attachment_first_by_ticket(t, m->ticket); a;
	     a = ticket_attachment_next_by_ticket(t, a)) {
		bool is_its = uuid_equal(a->message, m->row.id) ||
			      (m->number == 1 && uuid_is_none(a->message)); /* attached by itself */
		if (!is_its || a->is_private || a->is_of_region)
			continue;
		if (!is_open)
			json_write_open_list(w, "attachmentSet");
		is_open = true;
		json_write_open(w, NULL);
		json_write_text(w, "attachmentId",
				str_print(e->c->arena, "attachment-%" STR_FMT,
					  STR_ARG(uuid_to_str(e->c->arena, a->row.id))));
		json_write_text(w, "fileName", a->name);
		json_write_close(w);
	}
	if (is_open)
		json_write_close_list(w);
}

static struct str name_author(const struct ticket_message *m)
{
	return m->author.n ? m->author : STR("Support");
}

static void write_message(struct target_call *e, struct json_writer *w, struct str case_id,
			  const struct ticket_message *m)
{
	char time[CLOCK_TEXT_SIZE];
	json_write_open(w, NULL);
	json_write_text(w, "caseId", case_id);
	json_write_text(w, "body", m->body);
	json_write_text(w, "submittedBy", name_author(m));
	json_write_z(w, "timeCreated", clock_write_ms(m->row.created_us, time));
	write_files(e, w, m);
	json_write_close(w);
}

struct span {
	int64_t before_number, after_us, before_us;
	size_t limit;
};

typedef VEC(const struct ticket_message *) message_list;

static RESULT gather_messages(struct target_call *e, uuid ticket, const struct span *span, message_list *ret)
{
	const struct tables *t = target_tables(e);
	for (const struct ticket_message *m = ticket_message_first_by_ticket(t, ticket); m;
	     m = ticket_message_next_by_ticket(t, m)) {
		bool is_within = m->number < span->before_number && m->row.created_us >= span->after_us &&
				 (!span->before_us || m->row.created_us <= span->before_us);
		if (is_shown(m) && is_within && !VEC_PUSH(e->c->arena, ret, m))
			return ctx_no_memory(e->c);
	}
	return OK;
}

/* The list, and the token of what is behind it. */
static RESULT write_messages(struct target_call *e, struct json_writer *w,
			     const struct support_ticket *ticket, const struct span *span)
{
	message_list all = {0};
	struct str case_id = support_case_id(e, target_tables(e), ticket);
	size_t shown = 0;
	TRY(gather_messages(e, ticket->row.id, span, &all));
	json_write_open_list(w, "communications");
	for (; shown < all.count && shown < span->limit; shown++)
		write_message(e, w, case_id, all.at[all.count - 1 - shown]);
	json_write_close_list(w);
	if (shown < all.count)
		support_write_token(e, w, all.at[all.count - shown]->number);
	return OK;
}

struct said_args {
	struct str id, after, before, token;
	int64_t max;
	struct ref ticket;
	struct span span;
};

static const struct param said_params[] = {
	PARAM(struct said_args, "caseId", id, .flags = REQUIRED, .doc = "Id of the case."),
	PARAM(struct said_args, "beforeTime", before, .doc = "Latest time."),
	PARAM(struct said_args, "afterTime", after, .doc = "Earliest time."),
	PARAM(struct said_args, "nextToken", token,
	      .doc = "Token of the next page, from the previous answer."),
	PARAM(struct said_args, "maxResults", max, .min = 10, .max = 100, .absent = "10",
	      .doc = "Maximum number of results in one page."),
};

static RESULT read_span(struct target_call *e, struct str after, struct str before, struct str token,
			int64_t max, struct span *ret_span)
{
	TRY(support_read_time(e, "afterTime", after, &ret_span->after_us));
	TRY(support_read_time(e, "beforeTime", before, &ret_span->before_us));
	TRY(support_read_token(e, token, &ret_span->before_number));
	ret_span->limit = (size_t) max;
	return OK;
}

static RESULT prepare_said(struct target_call *e, void *args)
{
	struct said_args *a = args;
	TRY(read_span(e, a->after, a->before, a->token, a->max, &a->span));
	return support_read_case_id(e, a->id, &a->ticket);
}

static RESULT answer_said(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct said_args *a = args;
	const struct support_ticket *ticket = NULL;
	TRY(engine_find_support_ticket(e->c, target_tables(e), &a->ticket, &ticket));
	return write_messages(e, w, ticket, &a->span);
}

/* ---- cases ---- */

struct list_args {
	struct strs ids;
	struct str display_id, after, before, token, language;
	enum choice resolved, said;
	int64_t max;
	struct refs tickets;
	struct span span;
};

static const struct param list_params[] = {
	PARAM(struct list_args, "caseIdList", ids, .max = IDS_MAX, .doc = "Cases by id."),
	PARAM(struct list_args, "displayId", display_id, .doc = "Case by its display id."),
	PARAM(struct list_args, "afterTime", after, .doc = "Earliest opening time."),
	PARAM(struct list_args, "beforeTime", before, .doc = "Latest opening time."),
	PARAM(struct list_args, "includeResolvedCases", resolved, .doc = "Includes resolved cases."),
	PARAM(struct list_args, "nextToken", token,
	      .doc = "Token of the next page, from the previous answer."),
	PARAM(struct list_args, "maxResults", max, .min = 10, .max = 100, .absent = "10",
	      .doc = "Maximum number of results in one page."),
	PARAM(struct list_args, "language", language, .min = 2, .max = 2, .doc = "Language of the cases."),
	PARAM(struct list_args, "includeCommunications", said,
	      .doc = "Includes the latest communications; absent: true."),
};

static RESULT prepare_list(struct target_call *e, void *args)
{
	struct list_args *a = args;
	struct ref *refs = arena_new_array(e->c->arena, struct ref, a->ids.count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count; k++)
		TRY(support_read_case_id(e, a->ids.at[k], &refs[k]));
	a->tickets = (struct refs){refs, a->ids.count};
	return read_span(e, a->after, a->before, a->token, a->max, &a->span);
}

static RESULT check_ids(struct target_call *e, const struct list_args *a)
{
	const struct support_ticket *ticket = NULL;
	for (size_t k = 0; k < a->tickets.count; k++)
		TRY(engine_find_support_ticket(e->c, target_tables(e), &a->tickets.at[k], &ticket));
	return OK;
}

static bool is_named(const struct list_args *a, const struct support_ticket *ticket)
{
	for (size_t k = 0; k < a->tickets.count; k++)
		if (id_has_prefix(ticket->row.id, a->tickets.at[k].prefix, 64))
			return true;
	return !a->tickets.count;
}

static struct str display_id(struct target_call *e, const struct support_ticket *ticket)
{
	return str_print(e->c->arena, "%010" PRId64, ticket->number);
}

static bool fits(struct target_call *e, const struct list_args *a, const struct support_ticket *ticket)
{
	enum ticket_state state = engine_get_ticket_state(target_tables(e), ticket, NULL);
	bool is_asked_for = a->tickets.count || a->display_id.n;
	return is_named(a, ticket) && (!a->display_id.n || str_equal(a->display_id, display_id(e, ticket))) &&
	       (!a->language.n || str_equal(a->language, ticket->language)) &&
	       (a->resolved == CHOICE_YES || is_asked_for || !ticket_is_over(state)) &&
	       ticket->number < a->span.before_number && ticket->row.created_us >= a->span.after_us &&
	       (!a->span.before_us || ticket->row.created_us <= a->span.before_us);
}

static struct str name_opener(const struct tables *t, const struct support_ticket *ticket)
{
	const struct user *user = uuid_is_none(ticket->opened_by) ? NULL : user_find(t, ticket->opened_by);
	return user ? (user->email.n ? user->email : user->name) : STR("Support");
}

static RESULT write_case(struct target_call *e, struct json_writer *w, const struct support_ticket *ticket,
			 bool with_messages)
{
	const struct tables *t = target_tables(e);
	char time[CLOCK_TEXT_SIZE];
	json_write_open(w, NULL);
	json_write_text(w, "caseId", support_case_id(e, t, ticket));
	json_write_text(w, "displayId", display_id(e, ticket));
	json_write_text(w, "subject", ticket->subject);
	json_write_text(w, "status", support_status(t, ticket));
	json_write_text(w, "serviceCode", ticket->service.n ? ticket->service : STR("general-info"));
	json_write_text(w, "categoryCode", ticket->category.n ? ticket->category : STR("other"));
	json_write_z(w, "severityCode", support_ticket_severity_words[ticket->severity]);
	json_write_text(w, "submittedBy", name_opener(t, ticket));
	json_write_z(w, "timeCreated", clock_write_ms(ticket->row.created_us, time));
	if (with_messages) {
		const struct span span = {.before_number = INT64_MAX, .limit = RECENT_MESSAGES};
		json_write_open(w, "recentCommunications");
		TRY(write_messages(e, w, ticket, &span));
		json_write_close(w);
	}
	json_write_open_list(w, "ccEmailAddresses");
	for (size_t k = 0; k < ticket->copies.count; k++)
		json_write_text(w, NULL, ticket->copies.at[k]);
	json_write_close_list(w);
	json_write_text(w, "language", ticket->language);
	json_write_close(w);
	return OK;
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	VEC(const struct support_ticket *) all = {0};
	size_t shown = 0;
	TRY(check_ids(e, a));
	const struct tables *t = target_tables(e);
	for (const struct support_ticket *k = support_ticket_first_by_account(t, e->c->who->account); k;
	     k = support_ticket_next_by_account(t, k))
		if (fits(e, a, k) && !VEC_PUSH(e->c->arena, &all, k))
			return ctx_no_memory(e->c);
	json_write_open_list(w, "cases");
	for (; shown < all.count && shown < a->span.limit; shown++)
		TRY(write_case(e, w, all.at[all.count - 1 - shown], a->said != CHOICE_NO));
	json_write_close_list(w);
	if (shown < all.count)
		support_write_token(e, w, all.at[all.count - shown]->number);
	return OK;
}

static const struct target_action rows[] = {
	{SUPPORT_ACTION("DescribeCases"), .args = PARAMS(struct list_args, list_params),
	 .doc = "Lists the account's cases, newest first.", .prepare = prepare_list, .answer = answer_list},
	{SUPPORT_ACTION("DescribeCommunications"), .args = PARAMS(struct said_args, said_params),
	 .doc = "Lists the communications of a case, newest first.", .prepare = prepare_said,
	 .answer = answer_said},
};
const struct api_actions support_list_actions = API_ACTIONS(rows);
