/* SPDX-License-Identifier: Apache-2.0
 * CreateCase, AddCommunicationToCase and ResolveCase. The id of a case contains the first 64 bits of its ticket's
 * id. */
#include <inttypes.h>

#include "api/support/internal.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "model/ticket_link.h"
#include "store/account.h"
#include "store/support_ticket.h"

/* ---- ids, states and times ---- */

struct str support_case_id(struct target_call *e, const struct tables *t, const struct support_ticket *ticket)
{
	const struct account *account = account_find(t, ticket->account);
	struct str number = account ? account->number : STR("000000000000");
	int64_t year = clock_date_of(ticket->row.created_us / (24 * HOUR)).year;
	return str_print(e->c->arena, "case-%" STR_FMT "-%04" PRId64 "-%" STR_FMT, STR_ARG(number), year,
			 STR_ARG(str_encode_hex(e->c->arena, ticket->row.id.b, 8)));
}

RESULT support_read_case_id(struct target_call *e, struct str text, struct ref *ret_ref)
{
	struct str rest = text, word = STR_NONE, number = STR_NONE, year = STR_NONE;
	int64_t value;
	*ret_ref =
		(struct ref){.kind = KIND_SUPPORT_TICKET, .bits = 64, .text = text, .field = STR("caseId")};
	bool is_id = str_split_next(&rest, '-', &word) && str_is(word, "case") &&
		     str_split_next(&rest, '-', &number) && str_split_next(&rest, '-', &year) &&
		     year.n == 4 && result_is_ok(str_parse_int(year, &value)) && rest.n == 16 &&
		     result_is_ok(str_decode_hex(rest, ret_ref->prefix.b, 8)) &&
		     str_equal(number, e->c->who->account_number);
	if (is_id)
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SUPPORT_TICKET,
			     "Could not find case with ID %" STR_FMT, STR_ARG(str_slice(text, 0, 128)));
}

static const char *const status_words[TICKET_STATES] = {
	[TICKET_NEW] = "opened",
	[TICKET_WORKING] = "work-in-progress",
	[TICKET_WAITING] = "pending-customer-action",
	[TICKET_HELD] = "work-in-progress",
	[TICKET_RESOLVED] = "resolved",
	[TICKET_CLOSED] = "resolved",
	[TICKET_REJECTED] = "resolved",
	[TICKET_CANCELLED] = "resolved",
};

static struct str word_state(enum ticket_state state, bool is_reopened, bool is_answered, bool is_assigned)
{
	if (is_reopened && !ticket_is_over(state))
		return STR("reopened");
	if (state == TICKET_WAITING && is_answered)
		return STR("customer-action-completed");
	return state == TICKET_NEW && !is_assigned ? STR("unassigned") : str_from(status_words[state]);
}

struct str support_status(const struct tables *t, const struct support_ticket *ticket)
{
	struct ticket_ball ball;
	enum ticket_state state = engine_get_ticket_state(t, ticket, &ball);
	return word_state(state, ticket_is_reopened(ticket, &ball), engine_is_ticket_answered(t, ticket),
			  ball.owner && ball.owner->foreign_id.n);
}

RESULT support_read_time(struct target_call *e, const char *field, struct str text, int64_t *ret_us)
{
	if (!text.n || result_is_ok(clock_parse(text, ret_us)))
		return OK;
	return target_fail_member(e->c, field, text, "be a time of ISO 8601");
}

RESULT support_read_token(struct target_call *e, struct str text, int64_t *ret_number)
{
	struct str plain = STR_NONE;
	*ret_number = INT64_MAX;
	if (!text.n)
		return OK;
	if (result_is_ok(str_decode_base64url(e->c->arena, text, &plain)) &&
	    str_starts_with(plain, STR("before ")) &&
	    result_is_ok(str_parse_int(str_slice(plain, 7, plain.n), ret_number)))
		return OK;
	return target_fail_member(e->c, "nextToken", text, "be a token of an answer");
}

void support_write_token(struct target_call *e, struct json_writer *w, int64_t number)
{
	struct str plain = str_print(e->c->arena, "before %" PRId64, number);
	json_write_text(w, "nextToken", str_encode_base64url(e->c->arena, plain));
}

uuid support_read_set(struct str text)
{
	uuid id = UUID_NONE;
	return str_starts_with(text, STR("as-")) &&
			       result_is_ok(uuid_parse_asked(str_slice(text, 3, text.n), &id))
		       ? id
		       : UUID_NONE;
}

/* ---- opening ---- */

struct create_args {
	struct ticket_wish wish;
	struct str severity, issue, set;
};

static const struct param create_params[] = {
	PARAM(struct create_args, "subject", wish.subject, .flags = REQUIRED, .min = 1,
	      .max = TICKET_SUBJECT_MAX, .doc = "Subject of the case."),
	PARAM(struct create_args, "communicationBody", wish.body, .flags = REQUIRED, .min = 1,
	      .max = SUPPORT_BODY_MAX, .doc = "First communication of the case."),
	PARAM(struct create_args, "serviceCode", wish.service, .absent = "general-info", .max = 128,
	      .doc = "Service code, from DescribeServices."),
	PARAM(struct create_args, "categoryCode", wish.category, .absent = "other", .max = 128,
	      .doc = "Category code, from DescribeServices."),
	PARAM(struct create_args, "severityCode", severity, .absent = "low",
	      .words = "low|normal|high|urgent|critical", .doc = "Severity."),
	PARAM(struct create_args, "ccEmailAddresses", wish.copies, .max = 255,
	      .doc = "Addresses for copies: stored and shown, but no mail is sent."),
	PARAM(struct create_args, "language", wish.language, .absent = "en", .min = 2, .max = 2,
	      .doc = "Language of the texts."),
	PARAM(struct create_args, "issueType", issue, .absent = "technical",
	      .words = "technical|customer-service", .doc = "Type of the issue."),
	PARAM(struct create_args, "attachmentSetId", set, .doc = "Attachment set for the communication."),
};

/* Codes are numbered as the engine's severities. */
static enum support_ticket_severity read_severity(struct str code)
{
	for (int k = SUPPORT_TICKET_SEVERITY_LOW; k <= SUPPORT_TICKET_SEVERITY_CRITICAL; k++)
		if (str_is(code, support_ticket_severity_words[k]))
			return (enum support_ticket_severity) k;
	return SUPPORT_TICKET_SEVERITY_LOW;
}

static RESULT prepare_create(struct target_call *e, void *args)
{
	struct create_args *a = args;
	if (!support_has_service(a->wish.service))
		return target_fail_member(e->c, "serviceCode", a->wish.service,
					  "be a service's code, as DescribeServices lists them");
	if (!support_has_category(a->wish.service, a->wish.category))
		return target_fail_member(e->c, "categoryCode", a->wish.category,
					  "be a category's code of that service");
	a->wish.severity = read_severity(a->severity);
	if (str_is(a->issue, "customer-service"))
		a->wish.about = str_is(a->wish.service, "billing") ? SUPPORT_TICKET_ABOUT_BILLING
								   : SUPPORT_TICKET_ABOUT_ACCOUNT;
	a->wish.has_set = a->set.n > 0;
	a->wish.set = support_read_set(a->set);
	return OK;
}

static RESULT answer_create(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(target_find_returned(e, a->wish.ticket, &row));
	json_write_text(w, "caseId", support_case_id(e, target_tables(e), support_ticket_of(row)));
	return OK;
}

/* ---- saying ---- */

struct say_args {
	struct ticket_saying wish;
	struct str id, set;
	struct strs copies;
};

static const struct param say_params[] = {
	PARAM(struct say_args, "caseId", id, .doc = "Id of the case."),
	PARAM(struct say_args, "communicationBody", wish.body, .flags = REQUIRED, .min = 1,
	      .max = SUPPORT_BODY_MAX, .doc = "Text of the communication."),
	PARAM(struct say_args, "ccEmailAddresses", copies, .max = 255, .doc = "Accepted; no mail is sent."),
	PARAM(struct say_args, "attachmentSetId", set, .doc = "Attachment set for the communication."),
};

static RESULT require_id(struct target_call *e, struct str id)
{
	return id.n ? OK
		    : ctx_fail_field(e->c, ERR_MISSING, STR("caseId"),
				     "1 validation error detected: Value at 'caseId' failed to satisfy "
				     "constraint: Member must not be null");
}

static RESULT prepare_say(struct target_call *e, void *args)
{
	struct say_args *a = args;
	TRY(require_id(e, a->id));
	a->wish.has_set = a->set.n > 0;
	a->wish.set = support_read_set(a->set);
	return support_read_case_id(e, a->id, &a->wish.ticket);
}

static RESULT answer_say(struct target_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_bool(w, "result", true);
	return OK;
}

/* ---- resolving ---- */

struct resolve_args {
	struct ticket_change wish;
	struct str id;
};

static const struct param resolve_params[] = {
	PARAM(struct resolve_args, "caseId", id, .doc = "Id of the case."),
};

static RESULT prepare_resolve(struct target_call *e, void *args)
{
	struct resolve_args *a = args;
	TRY(require_id(e, a->id));
	a->wish.wish = SUPPORT_TICKET_WISH_RESOLVED;
	return support_read_case_id(e, a->id, &a->wish.ticket);
}

static RESULT answer_resolve(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct resolve_args *a = args;
	(void) e;
	json_write_text(w, "initialCaseStatus",
			word_state(a->wish.before, a->wish.was_reopened, a->wish.was_answered, true));
	json_write_z(w, "finalCaseStatus", status_words[a->wish.after]);
	return OK;
}

static const struct target_action rows[] = {
	{SUPPORT_ACTION("CreateCase"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .operation = engine_open_ticket_run, .returns = KIND_SUPPORT_TICKET,
	 .doc = "Opens a case and routes it to the support desks in charge.", .prepare = prepare_create,
	 .answer = answer_create},
	{SUPPORT_ACTION("AddCommunicationToCase"), .flags = API_WRITES,
	 .args = PARAMS(struct say_args, say_params), .operation = engine_say_in_ticket_run,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Adds a communication to a case. A resolved case is reopened.", .prepare = prepare_say,
	 .answer = answer_say},
	{SUPPORT_ACTION("ResolveCase"), .flags = API_WRITES,
	 .args = PARAMS(struct resolve_args, resolve_params), .operation = engine_change_ticket_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Resolves a case, also at its support desks.",
	 .prepare = prepare_resolve, .answer = answer_resolve},
};
const struct api_actions support_case_actions = API_ACTIONS(rows);
