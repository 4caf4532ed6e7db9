/* SPDX-License-Identifier: Apache-2.0
 * Attachments of cases, and attachment sets that wait for a communication. */
#include "api/support/internal.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "base/work_item.h"
#include "drivers/ticket_file.h"
#include "engine/quota.h"
#include "store/support_ticket.h"
#include "store/ticket_attachment.h"

struct sent_file {
	struct str name, data;
};
struct sent_files {
	struct sent_file *at;
	size_t count;
};

struct add_args {
	struct ticket_set_wish wish;
	struct disk_payer payer;
	struct str set;
	struct sent_files attachments;
};

static const struct param attachment_params[] = {
	PARAM(struct sent_file, "fileName", name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Name of the file."),
	PARAM(struct sent_file, "data", data, .flags = REQUIRED | BASE64, .min = 0,
	      .max = TICKET_SET_FILE_MAX, .doc = "Content of the file, in base64."),
};
static const struct params attachment_table = PARAMS(struct sent_file, attachment_params);

static const struct param add_params[] = {
	PARAM(struct add_args, "attachmentSetId", set, .doc = "Attachment set to add the files to."),
	PARAM_LIST(struct add_args, "attachments", attachments, attachment_table, .flags = REQUIRED, .min = 1,
		   .max = TICKET_SET_FILES_MAX, .doc = "Files; at most three in a set."),
};

static struct ticket_place place_of(const struct target_call *e)
{
	return (struct ticket_place){e->config->ticket_directory, e->config->master_key};
}

static RESULT prepare_add(struct target_call *e, void *args)
{
	struct add_args *a = args;
	struct ticket_file *files =
		arena_new_array(e->c->arena, struct ticket_file, a->attachments.count + 1);
	if (!files)
		return ctx_no_memory(e->c);
	a->wish.set = support_read_set(a->set);
	if (a->set.n && uuid_is_none(a->wish.set))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_TICKET_ATTACHMENT,
				     "Could not find attachment set with ID %" STR_FMT,
				     STR_ARG(str_slice(a->set, 0, 128)));
	TRY(engine_check_ticket_set(e->c, target_tables(e), e->c->who->account, a->wish.set,
				    a->attachments.count, clock_now_us()));
	a->payer = engine_pay_disk(target_tables(e), e->c->who->account, KIND_TICKET_ATTACHMENT);
	for (size_t k = 0; k < a->attachments.count; k++)
		files[k] = (struct ticket_file){.id = uuid_random(),
						.name = a->attachments.at[k].name,
						.media_type = ticket_file_type(a->attachments.at[k].data),
						.size = (int64_t) a->attachments.at[k].data.n};
	a->wish.files = files;
	a->wish.file_count = a->attachments.count;
	return OK;
}

static RESULT work_add(struct work_item *w)
{
	struct target_call *e = target_call_of(w->arg);
	struct add_args *a = e->args;
	struct ticket_place place = place_of(e);
	place.payer = &a->payer;
	for (size_t k = 0; k < a->attachments.count; k++) {
		struct ticket_file *file = (struct ticket_file *) &a->wish.files[k];
		TRY(ticket_file_write(e->c, &place, file->id, a->attachments.at[k].data, &file->sha256));
	}
	return OK;
}

static void undo_add(struct work_item *w)
{
	struct target_call *e = target_call_of(w->arg);
	const struct add_args *a = e->args;
	const struct ticket_place place = place_of(e);
	for (size_t k = 0; k < a->wish.file_count; k++)
		ticket_file_delete(e->c, &place, a->wish.files[k].id);
}

static RESULT answer_add(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct add_args *a = args;
	char time[CLOCK_TEXT_SIZE];
	json_write_text(
		w, "attachmentSetId",
		str_print(e->c->arena, "as-%" STR_FMT, STR_ARG(uuid_to_str(e->c->arena, a->wish.made))));
	json_write_z(w, "expiryTime", clock_write_ms(a->wish.expires_us, time));
	return OK;
}

/* ---- one file ---- */

struct get_args {
	struct str id;
	uuid file;
	struct str name, content;
};

static const struct param get_params[] = {
	PARAM(struct get_args, "attachmentId", id, .flags = REQUIRED, .doc = "Id of the attachment."),
};

static RESULT fail_absent(struct target_call *e, struct str id)
{
	IGNORE(ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_TICKET_ATTACHMENT,
			     "Could not find attachment with ID %" STR_FMT, STR_ARG(str_slice(id, 0, 128))));
	e->c->problem.field = STR("attachmentId");
	return FAIL(NOT_FOUND);
}

static RESULT prepare_get(struct target_call *e, void *args)
{
	struct get_args *a = args;
	struct str prefix = STR("attachment-");
	bool is_id = str_starts_with(a->id, prefix) &&
		     result_is_ok(uuid_parse_asked(str_slice(a->id, prefix.n, a->id.n), &a->file));
	const struct ticket_attachment *file =
		is_id ? ticket_attachment_find(target_tables(e), a->file) : NULL;
	bool is_shown = file && !file->is_private && !file->is_of_region && !uuid_is_none(file->ticket) &&
			uuid_equal(file->account, e->c->who->account);
	if (!is_shown)
		return fail_absent(e, a->id);
	a->name = str_copy(e->c->arena, file->name);
	view_close(&e->view);
	e->view = (struct view){0};
	return OK;
}

static RESULT work_get(struct work_item *w)
{
	struct target_call *e = target_call_of(w->arg);
	struct get_args *a = e->args;
	const struct ticket_place place = place_of(e);
	struct result read = ticket_file_read(e->c, &place, a->file, TICKET_FILE_MAX, &a->content);
	if (read.code != ERR_NOT_FOUND)
		return read;
	ctx_clear_problem(e->c);
	return fail_absent(e, a->id);
}

static RESULT answer_get(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct get_args *a = args;
	json_write_open(w, "attachment");
	json_write_text(w, "fileName", a->name);
	json_write_text(w, "data", str_encode_base64(e->c->arena, a->content));
	json_write_close(w);
	return OK;
}

static const struct target_action rows[] = {
	{SUPPORT_ACTION("AddAttachmentsToSet"), .flags = API_WRITES,
	 .args = PARAMS(struct add_args, add_params), .work = work_add, .undo = undo_add,
	 .operation = engine_fill_ticket_set_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Stores files for an hour, until a case or communication uses them.", .prepare = prepare_add,
	 .answer = answer_add},
	{SUPPORT_ACTION("DescribeAttachment"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct get_args, get_params), .work = work_get, .doc = "Returns an attachment.",
	 .prepare = prepare_get, .answer = answer_get},
};
const struct api_actions support_file_actions = API_ACTIONS(rows);
