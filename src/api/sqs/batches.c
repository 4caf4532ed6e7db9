/* SPDX-License-Identifier: Apache-2.0
 * Batches of messages: each entry succeeds or fails by itself. Source: Amazon SQS API Reference. */
#include "api/core/params.h"
#include "api/sqs/internal.h"

#define SEND_ENTRY "SendMessageBatchRequestEntry"
#define DELETE_ENTRY "DeleteMessageBatchRequestEntry"
#define CHANGE_ENTRY "ChangeMessageVisibilityBatchRequestEntry"
enum { ENTRIES_MAX = 100, ID_MAX = 80, VISIBILITY_MAX_S = 43200, DELAY_MAX_S = 900 };

static bool is_id(struct str id)
{
	for (size_t k = 0; k < id.n; k++)
		if (!str_is_alphanumeric(id.p[k]) && id.p[k] != '-' && id.p[k] != '_')
			return false;
	return id.n > 0 && id.n <= ID_MAX;
}

/* ids: one of each entry, which SQS calls `entry`. */
static RESULT check_ids(struct sqs_call *e, const struct strs *ids, const char *entry)
{
	if (!ids->count)
		return sqs_fail_batch(
			e, "EmptyBatchRequest",
			str_to_z(e->c->arena,
				 str_print(e->c->arena, "There should be at least one %s in the request.",
					   entry)));
	if (ids->count > MESSAGE_BATCH_MAX)
		return sqs_fail_batch(
			e, "TooManyEntriesInBatchRequest",
			str_to_z(e->c->arena, str_print(e->c->arena,
							"Maximum number of entries per request are 10. You "
							"have sent %zu.",
							ids->count)));
	for (size_t k = 0; k < ids->count; k++) {
		if (!is_id(ids->at[k]))
			return sqs_fail_batch(
				e, "InvalidBatchEntryId",
				"A batch entry id can only contain alphanumeric characters, hyphens and "
				"underscores. It can be at most 80 letters long.");
		for (size_t n = 0; n < k; n++)
			if (str_equal(ids->at[k], ids->at[n]))
				return sqs_fail_batch(
					e, "BatchEntryIdsNotDistinct",
					str_to_z(e->c->arena,
						 str_print(e->c->arena, "Id %" STR_FMT " repeated.",
							   STR_ARG(ids->at[k]))));
	}
	return OK;
}

static void write_failed(struct forms_writer *w, struct str id, const char *code, const char *message)
{
	forms_open(w, NULL);
	forms_text(w, "Id", id);
	forms_text(w, "Code", str_from(code));
	forms_text(w, "Message", str_from(message));
	forms_bool(w, "SenderFault", true);
	forms_close(w);
}

/* ---- send ---- */

struct send_entry {
	struct str id, body, message_group, deduplication;
	int64_t delay_s;
	bool has_delay;
	struct message_attributes attributes, system;
};
static const struct param send_rows[] = {
	PARAM(struct send_entry, "Id", id, .max = 256, .doc = "Id of the entry in the answer."),
	PARAM(struct send_entry, "MessageBody", body, .flags = REQUIRED, .min = 1, .max = SQS_BODY_READ_MAX,
	      .doc = "Text of the message."),
	PARAM(struct send_entry, "DelaySeconds", delay_s, .min = INT32_MIN, .max = INT32_MAX,
	      .given = offsetof(struct send_entry, has_delay) + 1,
	      .doc = "Seconds until the message can be received."),
	PARAM(struct send_entry, "MessageGroupId", message_group, .min = 1, .max = 128,
	      .doc = "Message group, whose messages stay in order."),
	PARAM(struct send_entry, "MessageDeduplicationId", deduplication, .min = 1, .max = 128,
	      .doc = "Deduplication id of a message in a FIFO queue, which is accepted once within five "
		     "minutes."),
	PARAM_LIST(struct send_entry, "MessageAttribute", attributes, queue_attribute_params,
		   .doc = "Message attributes."),
	PARAM_LIST(struct send_entry, "MessageSystemAttribute", system, queue_attribute_params,
		   .doc = "System attribute AWSTraceHeader: trace header of X-Ray."),
};
static const struct params send_table = PARAMS(struct send_entry, send_rows);

struct send_args {
	struct send_wish wish;
	struct str url;
	struct {
		struct send_entry *at;
		size_t count;
	} entries;
	bool is_fifo;
};
static const struct param send_params[] = {
	SQS_QUEUE(struct send_args, url),
	PARAM_LIST(struct send_args, SEND_ENTRY, entries, send_table, .max = ENTRIES_MAX,
		   .doc = "Up to ten entries."),
};

/* Messages of a FIFO queue that lack what it needs are refused together, as in SQS. */
static RESULT check_fifo(struct sqs_call *e, const struct send_args *a, const struct queue *queue)
{
	for (size_t k = 0; k < a->entries.count && queue->is_fifo; k++) {
		const struct send_entry *entry = &a->entries.at[k];
		if (!entry->message_group.n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("MessageGroupId"),
					      "The request must contain the parameter MessageGroupId.");
		if (!entry->deduplication.n && !queue->dedups_content)
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("MessageDeduplicationId"),
				"The queue should either have ContentBasedDeduplication enabled or "
				"MessageDeduplicationId provided explicitly");
	}
	return OK;
}

/* A delay beyond the bounds refuses its entry alone. */
static RESULT check_delay(struct sqs_call *e, const struct send_entry *entry, struct message_wish *m)
{
	if (!entry->has_delay || (entry->delay_s >= 0 && entry->delay_s <= DELAY_MAX_S))
		return OK;
	m->refused = ERR_INVALID;
	m->refusal =
		str_to_z(e->c->arena, str_print(e->c->arena,
						"Value %lld for parameter DelaySeconds is invalid. Reason: "
						"DelaySeconds must be >= 0 and <= %d.",
						(long long) entry->delay_s, DELAY_MAX_S));
	return m->refusal ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_send(struct sqs_call *e, void *args)
{
	struct send_args *a = args;
	const struct queue *queue = NULL;
	size_t bytes = 0;
	struct str *ids = arena_new_array(e->c->arena, struct str, a->entries.count + 1);
	a->wish.at = arena_new_array(e->c->arena, struct message_wish, a->entries.count + 1);
	if (!ids || !a->wish.at)
		return ctx_no_memory(e->c);
	TRY(sqs_find_queue_row(e, a->url, &queue));
	a->is_fifo = queue->is_fifo;
	a->wish.count = a->entries.count;
	a->wish.is_batch = true;
	for (size_t k = 0; k < a->entries.count; k++) {
		const struct send_entry *entry = &a->entries.at[k];
		struct message_wish *m = &a->wish.at[k];
		ids[k] = entry->id;
		*m = (struct message_wish){.body = entry->body,
					   .message_group = entry->message_group,
					   .deduplication = entry->deduplication,
					   .delay_s = entry->has_delay ? entry->delay_s : -1};
		TRY(check_delay(e, entry, m));
		TRY(message_attributes_read(e->c, &entry->attributes, "MessageAttribute", &m->attributes));
		TRY(sqs_read_trace(e, &entry->system, &m->trace));
		bytes += m->body.n + message_attributes_size(&m->attributes);
	}
	TRY(check_ids(e, &(struct strs){ids, a->entries.count}, SEND_ENTRY));
	TRY(check_fifo(e, a, queue));
	if (bytes > QUEUE_MESSAGE_BYTES_MAX)
		return sqs_fail_batch(
			e, "BatchRequestTooLong",
			str_to_z(e->c->arena,
				 str_print(e->c->arena,
					   "Batch requests cannot be longer than %d bytes. You have sent "
					   "%zu bytes.",
					   QUEUE_MESSAGE_BYTES_MAX, bytes)));
	return sqs_find_queue(e, a->url, &a->wish.queue);
}

static const char *code_of(enum err refused)
{
	return refused == ERR_QUOTA     ? "OverLimit"
	       : refused == ERR_MISSING ? "MissingParameter"
					: "InvalidParameterValue";
}

static RESULT answer_send(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct send_args *a = args;
	forms_open_flat_list(w, "Successful", "SendMessageBatchResultEntry");
	for (size_t k = 0; k < a->wish.count; k++) {
		if (a->wish.at[k].refusal)
			continue;
		forms_open(w, NULL);
		forms_text(w, "Id", a->entries.at[k].id);
		sqs_write_sent(e, w, &a->wish.at[k], a->is_fifo);
		forms_close(w);
	}
	forms_close(w);
	forms_open_flat_list(w, "Failed", "BatchResultErrorEntry");
	for (size_t k = 0; k < a->wish.count; k++)
		if (a->wish.at[k].refusal)
			write_failed(w, a->entries.at[k].id, code_of(a->wish.at[k].refused),
				     a->wish.at[k].refusal);
	forms_close(w);
	return OK;
}

/* ---- by receipt handles ---- */

struct handle_entry {
	struct str id, text;
	int64_t visibility_s;
};
#define HANDLE_ROWS                                                                                          \
	PARAM(struct handle_entry, "Id", id, .max = 256, .doc = "Id of the entry in the answer."),           \
		PARAM(struct handle_entry, "ReceiptHandle", text, .flags = REQUIRED, .min = 1, .max = 1024,  \
		      .doc = "Receipt handle from ReceiveMessage.")
static const struct param delete_rows[] = {HANDLE_ROWS};
static const struct params delete_table = PARAMS(struct handle_entry, delete_rows);
static const struct param change_rows[] = {
	HANDLE_ROWS, PARAM(struct handle_entry, "VisibilityTimeout", visibility_s, .max = VISIBILITY_MAX_S,
			   .doc = "Seconds from now for which the message is hidden.")};
static const struct params change_table = PARAMS(struct handle_entry, change_rows);

struct handles_args {
	struct handles_wish wish;
	struct str url;
	struct {
		struct handle_entry *at;
		size_t count;
	} entries;
};
static const struct param delete_params[] = {
	SQS_QUEUE(struct handles_args, url),
	PARAM_LIST(struct handles_args, DELETE_ENTRY, entries, delete_table, .max = ENTRIES_MAX,
		   .doc = "Up to ten entries."),
};
static const struct param change_params[] = {
	SQS_QUEUE(struct handles_args, url),
	PARAM_LIST(struct handles_args, CHANGE_ENTRY, entries, change_table, .max = ENTRIES_MAX,
		   .doc = "Up to ten entries."),
};

static RESULT prepare_handles(struct sqs_call *e, struct handles_args *a, const char *entry_name)
{
	struct str *ids = arena_new_array(e->c->arena, struct str, a->entries.count + 1);
	a->wish.at = arena_new_array(e->c->arena, struct handle_wish, a->entries.count + 1);
	if (!ids || !a->wish.at)
		return ctx_no_memory(e->c);
	a->wish.count = a->entries.count;
	for (size_t k = 0; k < a->entries.count; k++) {
		const struct handle_entry *entry = &a->entries.at[k];
		ids[k] = entry->id;
		a->wish.at[k] = (struct handle_wish){.visibility_s = entry->visibility_s};
		if (!sqs_read_handle(e, entry->text, &a->wish.at[k]))
			a->wish.at[k].refusal = "ReceiptHandleIsInvalid";
	}
	TRY(check_ids(e, &(struct strs){ids, a->entries.count}, entry_name));
	return sqs_find_queue(e, a->url, &a->wish.queue);
}

static RESULT prepare_delete(struct sqs_call *e, void *args)
{
	return prepare_handles(e, args, DELETE_ENTRY);
}

static RESULT prepare_change(struct sqs_call *e, void *args)
{
	return prepare_handles(e, args, CHANGE_ENTRY);
}

static const char *why_not(struct sqs_call *e, const char *refusal, struct str handle)
{
	if (!str_is(STR("ReceiptHandleIsInvalid"), refusal))
		return "The message is not in flight.";
	return str_to_z(e->c->arena,
			str_print(e->c->arena,
				  "The input receipt handle \"%" STR_FMT "\" is not a valid receipt handle.",
				  STR_ARG(str_cut(handle, 256))));
}

static void write_handles(struct sqs_call *e, const struct handles_args *a, struct forms_writer *w,
			  const char *element)
{
	forms_open_flat_list(w, "Successful", element);
	for (size_t k = 0; k < a->wish.count; k++) {
		if (a->wish.at[k].refusal)
			continue;
		forms_open(w, NULL);
		forms_text(w, "Id", a->entries.at[k].id);
		forms_close(w);
	}
	forms_close(w);
	forms_open_flat_list(w, "Failed", "BatchResultErrorEntry");
	for (size_t k = 0; k < a->wish.count; k++)
		if (a->wish.at[k].refusal)
			write_failed(w, a->entries.at[k].id, a->wish.at[k].refusal,
				     why_not(e, a->wish.at[k].refusal, a->entries.at[k].text));
	forms_close(w);
}

static RESULT answer_delete(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	write_handles(e, args, w, "DeleteMessageBatchResultEntry");
	return OK;
}

static RESULT answer_change(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	write_handles(e, args, w, "ChangeMessageVisibilityBatchResultEntry");
	return OK;
}

/* The permission of a batch is that of the single call. */
static const struct sqs_action actions[] = {
	{.name = "SendMessageBatch",
	 .permit = "sqs:SendMessage",
	 .flags = API_WRITES,
	 .args = PARAMS(struct send_args, send_params),
	 .prepare = prepare_send,
	 .operation = engine_send_messages_run,
	 .answer = answer_send,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sends up to ten messages."},
	{.name = "DeleteMessageBatch",
	 .permit = "sqs:DeleteMessage",
	 .flags = API_WRITES,
	 .args = PARAMS(struct handles_args, delete_params),
	 .prepare = prepare_delete,
	 .operation = engine_delete_messages_run,
	 .answer = answer_delete,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes up to ten messages."},
	{.name = "ChangeMessageVisibilityBatch",
	 .permit = "sqs:ChangeMessageVisibility",
	 .flags = API_WRITES,
	 .args = PARAMS(struct handles_args, change_params),
	 .prepare = prepare_change,
	 .operation = engine_change_visibility_run,
	 .answer = answer_change,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes the visibility timeout of up to ten messages."},
};
const struct api_actions sqs_batch_actions = API_ACTIONS(actions);
