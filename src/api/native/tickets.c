/* SPDX-License-Identifier: Apache-2.0
 * Support tickets: opening, messages, files, and changes of state by the customer and the operator. The
 * engine has the rules (engine/support/ticket.h).
 */
#include "api/native/write.h"

#include "base/work_item.h"
#include "drivers/ticket_file.h"
#include "engine/quota.h"
#include "engine/support/ticket.h"
#include "store/ticket_attachment.h"
#include "store/ticket_message.h"

/* Size of one file; its base64 form fits into a body (API_BODY_CAP_SIZE). */
enum { FILE_MAX = 700 * 1024 };

#define SEVERITIES "low|normal|high|urgent|critical"
#define SUBJECTS "technical|billing|quota|account"
#define OPERATOR_STATES "new|working|waiting|held|resolved|rejected"

/* Checks the body here, because the engine's error names AWS Support's parameter. */
static RESULT check_body(struct native_call *e, struct str body)
{
	if (body.n >= 1 && body.n <= TICKET_BODY_MAX && str_is_xml_text(body))
		return OK;
	if (body.n >= 1 && body.n <= TICKET_BODY_MAX)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("body"),
			"body has a control character: of those a text has tabs and ends of lines alone.");
	return ctx_fail_field(e->c, body.n > TICKET_BODY_MAX ? ERR_TOO_LARGE : ERR_INVALID, STR("body"),
			      "body must have 1 to %d bytes of text.", TICKET_BODY_MAX);
}

/* ---- opening ---- */

struct open_args {
	struct ticket_wish wish;
	struct str about, severity;
};
#define O(name, member, ...) PARAM(struct open_args, name, member, __VA_ARGS__)
static const struct param open_params[] = {
	O("subject", wish.subject, .min = 1, .max = TICKET_SUBJECT_MAX, .flags = REQUIRED,
	  .doc = "Subject, one line."),
	O("body", wish.body, .min = 1, .max = TICKET_BODY_MAX, .flags = REQUIRED,
	  .doc = "Description of the problem."),
	O("about", about, .words = SUBJECTS, .absent = "technical", .doc = "Category."),
	O("severity", severity, .words = SEVERITIES, .absent = "normal", .doc = "Severity."),
	O("resources", wish.resources, .max = 128,
	  .doc = "Ids of affected resources. The region attaches facts about them."),
	O("language", wish.language, .min = 2, .max = 2, .absent = "en",
	  .doc = "Language of the texts (ISO 639-1)."),
	O("copies", wish.copies, .max = 255,
	  .doc = "E-mail addresses for copies: stored and shown, but no mail is sent."),
	O("shares_address", wish.shares_address,
	  .doc = "Whether the support desks of vendors may see these addresses."),
	O("account", wish.owner, .kind = KIND_ACCOUNT, .flags = BY_NAME,
	  .doc = "Owning account; absent: the caller's. Only administrators may name another."),
};

/* Checks the addresses here for the same reason as check_body(). */
static RESULT check_copies(struct native_call *e, struct strs copies)
{
	bool is_fine = copies.count <= TICKET_COPIES_MAX;
	for (size_t k = 0; k < copies.count && is_fine; k++)
		is_fine = copies.at[k].n >= 1 && copies.at[k].n <= 255 && str_is_line(copies.at[k]);
	return is_fine ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("copies"),
					"copies must be up to %d addresses of 255 bytes.", TICKET_COPIES_MAX);
}

static RESULT prepare_open(struct native_call *e, void *args)
{
	struct open_args *a = args;
	a->wish.about =
		(enum support_ticket_about) native_place_of_word(support_ticket_about_words, a->about);
	a->wish.severity = (enum support_ticket_severity) native_place_of_word(support_ticket_severity_words,
									       a->severity);
	a->wish.service = STR("general-info"); /* AWS Support's default */
	a->wish.category = STR("other");
	if (!str_is_line(a->wish.subject))
		return ctx_fail_field(e->c, ERR_INVALID, STR("subject"), "subject must be one line.");
	TRY(check_copies(e, a->wish.copies));
	return check_body(e, a->wish.body);
}

/* ---- saying ---- */

struct say_args {
	struct ticket_saying wish;
};
static const struct param say_params[] = {
	PARAM(struct say_args, "body", wish.body, .min = 1, .max = TICKET_BODY_MAX, .flags = REQUIRED,
	      .doc = "Text of the message. It reopens a resolved ticket; on a closed ticket it opens a new "
		     "one."),
	PARAM(struct say_args, "is_private", wish.is_private,
	      .doc = "Note for the operator only, hidden from customers and support desks; for "
		     "administrators."),
};

static RESULT check_private(struct native_call *e, bool is_private)
{
	if (!is_private || native_is_admin(e))
		return OK;
	return ctx_fail_field(e->c, ERR_DENIED, STR("is_private"),
			      "Only administrators of the region write notes that customers do not see.");
}

static RESULT prepare_say(struct native_call *e, void *args)
{
	struct say_args *a = args;
	TRY(check_private(e, a->wish.is_private));
	return check_body(e, a->wish.body);
}

/* ---- files ---- */

struct attach_args {
	struct ticket_attaching wish;
	struct disk_payer payer;
	struct str data;
};
static const struct param attach_params[] = {
	PARAM(struct attach_args, "name", wish.file.name, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Name of the file."),
	PARAM(struct attach_args, "data", data, .min = 0, .max = FILE_MAX, .flags = REQUIRED | BASE64,
	      .doc = "Content in base64, up to 700 KiB. Use dari ticket attach for larger files."),
	PARAM(struct attach_args, "is_private", wish.is_private,
	      .doc = "Whether only the operator and the operator's support desk see the file; for "
		     "administrators."),
};

static struct ticket_place place_of(const struct native_call *e)
{
	return (struct ticket_place){e->config->ticket_directory, e->config->master_key};
}

static RESULT prepare_attach(struct native_call *e, void *args)
{
	struct attach_args *a = args;
	const struct row *row = NULL;
	TRY(check_private(e, a->wish.is_private));
	TRY(native_find_row(e, KIND_SUPPORT_TICKET, &e->target, &row));
	TRY(engine_check_ticket_takes_files(e->c, native_tables(e), support_ticket_of(row), e->target.field));
	if (!str_is_line(a->wish.file.name))
		return ctx_fail_field(e->c, ERR_INVALID, STR("name"), "name must be one line.");
	a->payer = engine_pay_disk(native_tables(e), support_ticket_of(row)->account, KIND_TICKET_ATTACHMENT);
	a->wish.file.id = uuid_random();
	a->wish.file.media_type = ticket_file_type(a->data);
	a->wish.file.size = (int64_t) a->data.n;
	return OK;
}

static RESULT work_attach(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct attach_args *a = e->args;
	struct ticket_place place = place_of(e);
	place.payer = &a->payer;
	return ticket_file_write(e->c, &place, a->wish.file.id, a->data, &a->wish.file.sha256);
}

static void undo_attach(struct work_item *w)
{
	struct native_call *e = w->arg;
	const struct attach_args *a = e->args;
	const struct ticket_place place = place_of(e);
	ticket_file_delete(e->c, &place, a->wish.file.id);
}

struct content_args {
	uuid file;
	struct str name, media_type, content;
};

static RESULT prepare_content(struct native_call *e, void *args)
{
	struct content_args *a = args;
	TRY(native_prepare_row(e, NULL));
	const struct ticket_attachment *file = ticket_attachment_find(native_tables(e), e->target.prefix);
	if (!file)
		return engine_fail_gone(e->c, KIND_TICKET_ATTACHMENT, e->target.prefix);
	a->file = file->row.id;
	a->name = str_copy(e->c->arena, file->name);
	a->media_type = str_copy(e->c->arena, file->media_type);
	view_close(&e->view); /* a view must not stay open while a lane works */
	e->view = (struct view){0};
	return OK;
}

static RESULT work_content(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct content_args *a = e->args;
	const struct ticket_place place = place_of(e);
	struct result read = ticket_file_read(e->c, &place, a->file, TICKET_FILE_MAX, &a->content);
	if (read.code != ERR_NOT_FOUND)
		return read;
	ctx_clear_problem(e->c);
	return engine_fail_gone(e->c, KIND_TICKET_ATTACHMENT, a->file);
}

static RESULT answer_content(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct content_args *a = args;
	json_write_text(w, "name", a->name);
	json_write_text(w, "media_type", a->media_type);
	json_write_int(w, "size", (int64_t) a->content.n);
	json_write_text(w, "data", str_encode_base64(e->c->arena, a->content));
	return OK;
}

/* ---- what its customer wants ---- */

static RESULT want(void *args, enum support_ticket_wish wish)
{
	((struct ticket_change *) args)->wish = wish;
	return OK;
}

static RESULT prepare_resolve(struct native_call *e, void *args)
{
	(void) e;
	return want(args, SUPPORT_TICKET_WISH_RESOLVED);
}

static RESULT prepare_close(struct native_call *e, void *args)
{
	(void) e;
	return want(args, SUPPORT_TICKET_WISH_CLOSED);
}

static RESULT prepare_cancel(struct native_call *e, void *args)
{
	(void) e;
	return want(args, SUPPORT_TICKET_WISH_CANCELLED);
}

static RESULT prepare_reopen(struct native_call *e, void *args)
{
	(void) e;
	return want(args, SUPPORT_TICKET_WISH_OPEN);
}

struct rate_args {
	struct ticket_rating wish;
	struct str severity;
};
static const struct param rate_params[] = {
	PARAM(struct rate_args, "severity", severity, .words = SEVERITIES, .flags = REQUIRED,
	      .doc = "Severity."),
};

static RESULT prepare_rate(struct native_call *e, void *args)
{
	struct rate_args *a = args;
	(void) e;
	a->wish.severity = (enum support_ticket_severity) native_place_of_word(support_ticket_severity_words,
									       a->severity);
	return OK;
}

/* ---- the operator's ---- */

struct work_args {
	struct ticket_work wish;
	struct str state;
};
static const struct param work_params[] = {
	PARAM(struct work_args, "state", state, .words = OPERATOR_STATES, .flags = REQUIRED,
	      .doc = "New status, for a ticket without a support desk."),
};

static RESULT prepare_work(struct native_call *e, void *args)
{
	struct work_args *a = args;
	(void) e;
	a->wish.state = (enum support_ticket_operator_state) native_place_of_word(
		support_ticket_operator_state_words, a->state);
	return OK;
}

struct redact_args {
	struct ticket_redaction wish;
	struct ref message;
};
static const struct param redact_params[] = {
	PARAM(struct redact_args, "body", wish.body, .min = 1, .max = TICKET_BODY_MAX, .absent = "[removed]",
	      .doc = "Replacement text."),
};

/* Finds the message's ticket and number. */
static RESULT prepare_redact(struct native_call *e, void *args)
{
	struct redact_args *a = args;
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_TICKET_MESSAGE, &a->message, &row));
	a->wish.ticket = ref_by_id(KIND_SUPPORT_TICKET, ticket_message_of(row)->ticket);
	a->wish.number = ticket_message_of(row)->number;
	return check_body(e, a->wish.body);
}

#define TICKET_VERB(word, does, text)                                                                        \
	CHANGE(POST, "/tickets/{id}/" word, "support:ResolveCase", SUPPORT_TICKET,                           \
	       .args = {.size = sizeof(struct ticket_change)}, .target = NATIVE_AT(ticket_change, ticket),   \
	       .prepare = (does), .operation = engine_change_ticket_run, .doc = (text))

static const struct native_action actions[] = {
	CREATE("/tickets", "support:CreateCase", SUPPORT_TICKET,
	       .args = PARAMS(struct open_args, open_params), .prepare = prepare_open,
	       .operation = engine_open_ticket_run,
	       .doc = "Opens a support ticket and routes it to the support desks in charge."),
	CHANGE(PATCH, "/tickets/{id}", "support:UpdateCaseSeverity", SUPPORT_TICKET,
	       .args = PARAMS(struct rate_args, rate_params), .target = NATIVE_AT(rate_args, wish.ticket),
	       .prepare = prepare_rate, .operation = engine_rate_ticket_run,
	       .doc = "Changes the severity of an open ticket."),
	CHANGE_OF(POST, "/tickets/{id}/say", "support:AddCommunicationToCase", SUPPORT_TICKET,
		  KIND_TICKET_MESSAGE, .args = PARAMS(struct say_args, say_params),
		  .target = NATIVE_AT(say_args, wish.ticket), .prepare = prepare_say,
		  .operation = engine_say_in_ticket_run,
		  .doc = "Adds a message, which is sent to all support desks of the ticket."),
	CHANGE_OF(POST, "/tickets/{id}/attach", "support:AddAttachmentsToSet", SUPPORT_TICKET,
		  KIND_TICKET_ATTACHMENT, .args = PARAMS(struct attach_args, attach_params),
		  .target = NATIVE_AT(attach_args, wish.ticket), .prepare = prepare_attach,
		  .work = work_attach, .undo = undo_attach, .operation = engine_attach_to_ticket_run,
		  .doc = "Attaches a file, which is sent to all support desks of the ticket."),
	TICKET_VERB("resolve", prepare_resolve, "Resolves a ticket, here and at its support desks."),
	TICKET_VERB("close", prepare_close, "Closes a ticket, which cannot be reopened."),
	TICKET_VERB("cancel", prepare_cancel, "Cancels a ticket."),
	TICKET_VERB("reopen", prepare_reopen, "Reopens a ticket within 14 days of its resolution."),
	ADMIN_CHANGE(POST, "/tickets/{id}/work", "support:WorkOnCase", SUPPORT_TICKET,
		     .args = PARAMS(struct work_args, work_params),
		     .target = NATIVE_AT(work_args, wish.ticket), .prepare = prepare_work,
		     .operation = engine_work_on_ticket_run,
		     .doc = "Changes the status of a ticket that no support desk handles."),
	ADMIN_CHANGE(POST, "/ticket-messages/{id}/redact", "support:RedactCommunication", TICKET_MESSAGE,
		     .args = PARAMS(struct redact_args, redact_params),
		     .target = NATIVE_AT(redact_args, message), .prepare = prepare_redact,
		     .operation = engine_redact_ticket_run,
		     .doc = "Redacts a message here. Copies at support desks stay."),
	{HTTP_GET, "/ticket-attachments/{id}/content", .permit = "support:DescribeAttachment",
	 .flags = API_CHANGES_BY_TIME, .kind = KIND_TICKET_ATTACHMENT,
	 .args = {.size = sizeof(struct content_args)}, .prepare = prepare_content, .work = work_content,
	 .answer = answer_content, .doc = "Returns a file in base64."},
};
const struct api_actions native_tickets_actions = API_ACTIONS(actions);
