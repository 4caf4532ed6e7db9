/* SPDX-License-Identifier: Apache-2.0
 * Messages one by one: send, receive, delete, visibility. A receive that waits for a message is parked. Source: Amazon SQS API
 * Reference; Developer Guide, "Calculating the MD5 message digest for message attributes". */
#include "api/core/params.h"
#include "api/sqs/internal.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "reconcile/messaging/queue_waits.h"

enum { MD5_SIZE = 16, VISIBILITY_MAX_S = 43200, DELAY_MAX_S = 900, WAIT_MAX_S = 20, HANDLE_BYTES = 32 };

/* ---- digests ---- */

static struct str digest(struct sqs_call *e, struct str bytes)
{
	uint8_t md5[MD5_SIZE];
	crypto_md5(bytes, md5);
	return str_encode_hex(e->c->arena, md5, sizeof md5);
}

struct str sqs_digest_body(struct sqs_call *e, struct str body)
{
	return digest(e, body);
}

static void add_sized(struct buf *out, struct str text)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(out, (char) (text.n >> shift & 0xff));
	buf_add_str(out, text);
}

struct str sqs_digest_attributes(struct sqs_call *e, const struct strs *attributes)
{
	struct buf out;
	if (!attributes->count)
		return STR_NONE;
	buf_init(&out, 4 * QUEUE_MESSAGE_BYTES_MAX);
	for (size_t k = 0; k < attributes->count; k += ATTRIBUTE_TEXTS) {
		struct str value = attributes->at[k + ATTRIBUTE_VALUE], bytes = value;
		bool is_binary = message_attribute_is(attributes->at[k + ATTRIBUTE_TYPE], "Binary");
		if (is_binary)
			IGNORE(str_decode_base64(e->c->arena, value, &bytes));
		add_sized(&out, attributes->at[k + ATTRIBUTE_NAME]);
		add_sized(&out, attributes->at[k + ATTRIBUTE_TYPE]);
		buf_add_char(&out, is_binary ? 2 : 1);
		add_sized(&out, bytes);
	}
	struct str text = digest(e, buf_str(&out));
	buf_done(&out);
	return text;
}

/* ---- send ---- */

struct send_args {
	struct send_wish wish;
	struct message_wish message;
	struct str url;
	struct message_attributes attributes, system;
	bool has_delay;
	bool is_fifo;
};
static const struct param send_params[] = {
	SQS_QUEUE(struct send_args, url),
	PARAM(struct send_args, "MessageBody", message.body, .flags = REQUIRED, .min = 1,
	      .max = SQS_BODY_READ_MAX, .doc = "Text of the message."),
	PARAM(struct send_args, "DelaySeconds", message.delay_s, .max = DELAY_MAX_S,
	      .given = offsetof(struct send_args, has_delay) + 1,
	      .doc = "Seconds until the message can be received."),
	PARAM(struct send_args, "MessageGroupId", message.message_group, .min = 1, .max = 128,
	      .doc = "Message group, whose messages stay in order."),
	PARAM(struct send_args, "MessageDeduplicationId", message.deduplication, .min = 1, .max = 128,
	      .doc = "Deduplication id of a message in a FIFO queue, which is accepted once within five "
		     "minutes."),
	PARAM_LIST(struct send_args, "MessageAttribute", attributes, queue_attribute_params,
		   .doc = "Message attributes."),
	PARAM_LIST(struct send_args, "MessageSystemAttribute", system, queue_attribute_params,
		   .doc = "System attribute AWSTraceHeader: trace header of X-Ray."),
};

RESULT sqs_read_trace(struct sqs_call *e, const struct message_attributes *system, struct str *ret_trace)
{
	for (size_t k = 0; k < system->count; k++) {
		const struct message_attribute *a = &system->at[k];
		if (!str_is(a->name, "AWSTraceHeader"))
			return ctx_fail_field(e->c, ERR_INVALID, STR("MessageSystemAttribute"),
					      "Message system attribute name '%" STR_FMT "' is invalid.",
					      STR_ARG(str_cut(a->name, 256)));
		if (!str_is(a->value.type, "String") || !a->value.text.n ||
		    a->value.text.n > MESSAGE_TRACE_MAX)
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("MessageSystemAttribute"),
				"The message system attribute 'AWSTraceHeader' must be a String "
				"of 1 to %d bytes.",
				MESSAGE_TRACE_MAX);
		*ret_trace = a->value.text;
	}
	return OK;
}

static RESULT prepare_send(struct sqs_call *e, void *args)
{
	struct send_args *a = args;
	const struct queue *queue = NULL;
	if (!a->has_delay)
		a->message.delay_s = -1;
	TRY(message_attributes_read(e->c, &a->attributes, "MessageAttribute", &a->message.attributes));
	TRY(sqs_read_trace(e, &a->system, &a->message.trace));
	TRY(sqs_find_queue_row(e, a->url, &queue));
	a->is_fifo = queue->is_fifo;
	a->wish.at = &a->message;
	a->wish.count = 1;
	return sqs_find_queue(e, a->url, &a->wish.queue);
}

void sqs_write_sent(struct sqs_call *e, struct forms_writer *w, const struct message_wish *m, bool is_fifo)
{
	struct str attributes = sqs_digest_attributes(e, &m->attributes);
	forms_text(w, "MessageId", uuid_to_str(e->c->arena, m->message));
	forms_text(w, "MD5OfMessageBody", sqs_digest_body(e, m->body));
	if (attributes.n)
		forms_text(w, "MD5OfMessageAttributes", attributes);
	if (is_fifo)
		forms_text(w, "SequenceNumber", str_print(e->c->arena, "%020lld", (long long) m->number));
}

static RESULT answer_send(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct send_args *a = args;
	sqs_write_sent(e, w, &a->message, a->is_fifo);
	return OK;
}

/* ---- receive ---- */

struct receive_args {
	struct receive_wish wish;
	struct str url;
	struct strs names, system_names, attribute_names;
	int64_t wait_s;
	bool has_count, has_visibility, has_wait;
	uuid queue;
	int64_t until_us;
	struct api_threads waiting;
};
static const struct param receive_params[] = {
	SQS_QUEUE(struct receive_args, url),
	PARAM(struct receive_args, "MaxNumberOfMessages", wish.count, .min = INT32_MIN, .max = INT32_MAX,
	      .given = offsetof(struct receive_args, has_count) + 1,
	      .doc = "Maximum number of messages; absent: 1."),
	PARAM(struct receive_args, "VisibilityTimeout", wish.visibility_s, .max = VISIBILITY_MAX_S,
	      .given = offsetof(struct receive_args, has_visibility) + 1,
	      .doc = "Seconds for which the messages are hidden; absent: the queue's setting."),
	PARAM(struct receive_args, "WaitTimeSeconds", wait_s, .min = INT32_MIN, .max = INT32_MAX,
	      .given = offsetof(struct receive_args, has_wait) + 1,
	      .doc = "Seconds to wait for a message; absent: the queue's setting."),
	PARAM(struct receive_args, "AttributeName", names, .min = 1, .max = 128,
	      .doc = "System attributes to show, or All."),
	PARAM(struct receive_args, "MessageSystemAttributeName", system_names, .min = 1, .max = 128,
	      .doc = "System attributes to show, or All, by their newer name."),
	PARAM(struct receive_args, "MessageAttributeName", attribute_names, .min = 1, .max = 256,
	      .doc = "Message attributes to show: names, prefixes followed by .*, or All."),
	NOT_BUILT("ReceiveRequestAttemptId", .doc = "Idempotency token of a receive."),
};

/* Takes the call over until a message may be there (struct api_threads). */
static void start_wait(void *self, struct work_item *item)
{
	struct sqs_call *e = self;
	const struct receive_args *a = e->args;
	reconciler_wait_for_message(e->config->reconciler, a->queue, a->until_us, item);
}

static RESULT nothing_to_run(struct work_item *item)
{
	(void) item;
	return OK;
}

static RESULT check_bounds(struct sqs_call *e, const struct receive_args *a)
{
	if (a->has_count && (a->wish.count < 1 || a->wish.count > MESSAGE_BATCH_MAX))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("MaxNumberOfMessages"),
			"Value %lld for parameter MaxNumberOfMessages is invalid. Reason: Must be "
			"between 1 and %d, if provided.",
			(long long) a->wish.count, MESSAGE_BATCH_MAX);
	if (a->has_wait && (a->wait_s < 0 || a->wait_s > WAIT_MAX_S))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("WaitTimeSeconds"),
			"Value %lld for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 "
			"and <= %d, if provided.",
			(long long) a->wait_s, WAIT_MAX_S);
	return OK;
}

static RESULT prepare_receive(struct sqs_call *e, void *args)
{
	struct receive_args *a = args;
	const struct queue *queue = NULL;
	int64_t next_us = 0, now_us = clock_now_us();
	TRY(check_bounds(e, a));
	TRY(sqs_find_queue_row(e, a->url, &queue));
	if (!a->has_count)
		a->wish.count = 1;
	if (!a->has_visibility)
		a->wish.visibility_s = -1;
	if (!a->has_wait)
		a->wait_s = queue->wait_s;
	a->queue = queue->row.id;
	a->until_us = now_us + a->wait_s * SECOND;
	e->skips_work = !a->wait_s || !e->config->reconciler ||
			engine_has_message(sqs_tables(e), queue, now_us, &next_us);
	a->waiting = (struct api_threads){start_wait, e};
	e->threads = &a->waiting;
	return sqs_find_queue(e, a->url, &a->wish.queue);
}

static bool is_listed(const struct strs *names, struct str name)
{
	for (size_t k = 0; k < names->count; k++) {
		struct str asked = names->at[k];
		if (str_is(asked, "All") || str_equal(asked, name))
			return true;
		if (str_ends_with(asked, STR(".*")) &&
		    str_starts_with(name, str_slice(asked, 0, asked.n - 2)))
			return true;
	}
	return false;
}

struct shown {
	const struct receive_args *args;
	struct forms_writer *w;
	bool is_open;
};

static void show(struct shown *s, const char *name, struct str value)
{
	bool is_asked = is_listed(&s->args->names, str_from(name)) ||
			is_listed(&s->args->system_names, str_from(name));
	if (!value.n || !is_asked)
		return;
	if (!s->is_open)
		forms_open_map(s->w, "Attributes", "Attribute", "Name");
	s->is_open = true;
	forms_map_text(s->w, str_from(name), value);
}

static struct str number_text(struct sqs_call *e, int64_t number)
{
	return str_print(e->c->arena, "%lld", (long long) number);
}

static void write_system(struct sqs_call *e, struct forms_writer *w, const struct receive_args *a,
			 const struct queue_message *m)
{
	struct shown s = {.args = a, .w = w};
	show(&s, "SenderId", m->sender);
	show(&s, "SentTimestamp", number_text(e, m->sent_us / MILLISECOND));
	show(&s, "ApproximateReceiveCount", number_text(e, m->receives));
	show(&s, "ApproximateFirstReceiveTimestamp", number_text(e, m->received_us / MILLISECOND));
	show(&s, "AWSTraceHeader", m->trace);
	show(&s, "MessageGroupId", m->message_group);
	show(&s, "MessageDeduplicationId", m->deduplication);
	if (m->deduplication.n)
		show(&s, "SequenceNumber", str_print(e->c->arena, "%020lld", (long long) m->number));
	if (m->dead_from.n)
		show(&s, "DeadLetterQueueSourceArn",
		     str_print(e->c->arena, "arn:aws:sqs:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
			       STR_ARG(e->config->region), STR_ARG(e->c->who->account_number),
			       STR_ARG(m->dead_from)));
	if (s.is_open)
		forms_close(w);
}

/* The attributes that were asked for, as they are stored. */
static RESULT choose_attributes(struct sqs_call *e, const struct receive_args *a,
				const struct queue_message *m, struct strs *ret)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, m->attributes.count + 1);
	size_t count = 0;
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k + ATTRIBUTE_TEXTS <= m->attributes.count; k += ATTRIBUTE_TEXTS)
		if (is_listed(&a->attribute_names, m->attributes.at[k]))
			for (size_t n = 0; n < ATTRIBUTE_TEXTS; n++)
				texts[count++] = m->attributes.at[k + n];
	*ret = (struct strs){texts, count};
	return OK;
}

static void write_attributes(struct forms_writer *w, const struct strs *attributes)
{
	forms_open_map(w, "MessageAttributes", "MessageAttribute", "Name");
	for (size_t k = 0; k < attributes->count; k += ATTRIBUTE_TEXTS) {
		bool is_binary = message_attribute_is(attributes->at[k + ATTRIBUTE_TYPE], "Binary");
		forms_open_value(w, attributes->at[k + ATTRIBUTE_NAME]);
		forms_text(w, is_binary ? "BinaryValue" : "StringValue", attributes->at[k + ATTRIBUTE_VALUE]);
		forms_text(w, "DataType", attributes->at[k + ATTRIBUTE_TYPE]);
		forms_close_value(w);
	}
	forms_close(w);
}

static RESULT write_message(struct sqs_call *e, struct forms_writer *w, const struct receive_args *a,
			    const struct queue_message *m)
{
	struct strs attributes;
	TRY(choose_attributes(e, a, m, &attributes));
	forms_open(w, NULL);
	forms_text(w, "MessageId", uuid_to_str(e->c->arena, m->row.id));
	forms_text(w, "ReceiptHandle", sqs_write_handle(e, m));
	forms_text(w, "MD5OfBody", sqs_digest_body(e, m->body));
	forms_text(w, "Body", m->body);
	write_system(e, w, a, m);
	if (attributes.count) {
		forms_text(w, "MD5OfMessageAttributes", sqs_digest_attributes(e, &attributes));
		write_attributes(w, &attributes);
	}
	forms_close(w);
	return OK;
}

/* Rows that the change put into another queue are dead letters. */
static RESULT answer_receive(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct receive_args *a = args;
	bool is_open = false;
	for (size_t k = 0; k < e->change.returned.count; k++) {
		const struct queue_message *m = queue_message_of(e->change.returned.at[k]);
		if (!uuid_equal(m->queue, a->wish.found) || !m->receives || uuid_is_none(m->receipt))
			continue;
		if (!is_open)
			forms_open_flat_list(w, "Messages", "Message");
		is_open = true;
		TRY(write_message(e, w, a, m));
	}
	if (is_open)
		forms_close(w);
	return OK;
}

/* ---- receipt handles ---- */

struct str sqs_write_handle(struct sqs_call *e, const struct queue_message *m)
{
	char bytes[HANDLE_BYTES];
	memcpy(bytes, m->row.id.b, sizeof m->row.id.b);
	memcpy(bytes + sizeof m->row.id.b, m->receipt.b, sizeof m->receipt.b);
	return str_encode_base64url(e->c->arena, (struct str){bytes, sizeof bytes});
}

bool sqs_read_handle(struct sqs_call *e, struct str text, struct handle_wish *ret_handle)
{
	struct str bytes = STR_NONE;
	if (!result_is_ok(str_decode_base64url(e->c->arena, text, &bytes)) || bytes.n != HANDLE_BYTES) {
		ctx_clear_problem(e->c);
		return false;
	}
	memcpy(ret_handle->message.b, bytes.p, sizeof ret_handle->message.b);
	memcpy(ret_handle->receipt.b, bytes.p + sizeof ret_handle->message.b, sizeof ret_handle->receipt.b);
	return true;
}

struct handle_args {
	struct handles_wish wish;
	struct handle_wish handle;
	struct str url, text;
};
#define HANDLE                                                                                               \
	SQS_QUEUE(struct handle_args, url),                                                                  \
		PARAM(struct handle_args, "ReceiptHandle", text, .flags = REQUIRED, .min = 1, .max = 1024,   \
		      .doc = "Receipt handle from ReceiveMessage.")
static const struct param delete_params[] = {HANDLE};
static const struct param change_params[] = {
	HANDLE, PARAM(struct handle_args, "VisibilityTimeout", handle.visibility_s, .flags = REQUIRED,
		      .max = VISIBILITY_MAX_S, .doc = "Seconds from now for which the message is hidden.")};

static RESULT prepare_handle(struct sqs_call *e, void *args)
{
	struct handle_args *a = args;
	a->wish.at = &a->handle;
	a->wish.count = 1;
	TRY(sqs_find_queue(e, a->url, &a->wish.queue));
	return sqs_read_handle(e, a->text, &a->handle)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("ReceiptHandle"),
					"The input receipt handle is invalid.");
}

static RESULT change_one(struct op *op, void *args)
{
	struct handle_args *a = args;
	TRY(engine_change_visibility(op, &a->wish));
	if (!a->handle.refusal)
		return OK;
	return ctx_fail_field(op->ctx, ERR_STATE, STR("ReceiptHandle"),
			      "Value %" STR_FMT
			      " for parameter ReceiptHandle is invalid. Reason: Message does not "
			      "exist or is not available for visibility timeout change.",
			      STR_ARG(str_cut(a->text, 256)));
}

static const struct sqs_action actions[] = {
	{SQS_ACTION("SendMessage"), .flags = API_WRITES, .args = PARAMS(struct send_args, send_params),
	 .prepare = prepare_send, .operation = engine_send_messages_run, .answer = answer_send,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Sends a message."},
	{SQS_ACTION("ReceiveMessage"), .flags = API_WRITES,
	 .args = PARAMS(struct receive_args, receive_params), .prepare = prepare_receive,
	 .work = nothing_to_run, .operation = engine_receive_messages_run, .answer = answer_receive,
	 .returns = KIND_QUEUE_MESSAGE, .doc = "Receives messages and hides them from other consumers."},
	{SQS_ACTION("DeleteMessage"), .flags = API_WRITES, .args = PARAMS(struct handle_args, delete_params),
	 .prepare = prepare_handle, .operation = engine_delete_messages_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a received message."},
	{SQS_ACTION("ChangeMessageVisibility"), .flags = API_WRITES,
	 .args = PARAMS(struct handle_args, change_params), .prepare = prepare_handle,
	 .operation = change_one, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes the visibility timeout of a received message."},
};
const struct api_actions sqs_message_actions = API_ACTIONS(actions);
