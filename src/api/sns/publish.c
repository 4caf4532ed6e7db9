/* SPDX-License-Identifier: Apache-2.0
 * Publishes messages to topics. Source: Amazon SNS API Reference. */
#include <jansson.h>

#include "api/core/params.h"
#include "api/query/message_attributes.h"
#include "api/sns/internal.h"

enum { ENTRIES_MAX = 100, ID_MAX = 80, SUBJECT_READ_MAX = 4096 };

/* SNS has a sentence of its own for a message that is too long. */
enum { MESSAGE_READ_MAX = 2 * TOPIC_MESSAGE_BYTES_MAX };

#define MESSAGE(T, member, attributes, structure)                                                            \
	PARAM(T, "Message", member.body, .flags = REQUIRED | MAY_BE_EMPTY, .max = MESSAGE_READ_MAX,          \
	      .doc = "Text of the message."),                                                                \
		PARAM(T, "Subject", member.subject, .max = SUBJECT_READ_MAX,                                 \
		      .doc = "Subject of the message, of up to 100 characters."),                            \
		PARAM(T, "MessageGroupId", member.message_group, .min = 1, .max = 128,                       \
		      .doc = "Message group, whose messages a FIFO topic passes on in order."),              \
		PARAM(T, "MessageDeduplicationId", member.deduplication, .min = 1, .max = 128,               \
		      .doc = "Deduplication id of a message in a FIFO topic, which is passed on once "       \
			     "within "                                                                       \
			     "five minutes."),                                                               \
		PARAM(T, "MessageStructure", structure, .min = 1, .max = 64,                                 \
		      .doc = "json: Message has a text for each protocol."),                                 \
		PARAM_LIST(T, "MessageAttributes.entry", attributes, topic_attribute_params,                 \
			   .doc = "Message attributes.")

static RESULT fail_structure(struct sns_call *e, const char *words)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("MessageStructure"),
			      "Invalid parameter: Message Structure - %s", words);
}

/* The text of a protocol, in the arena; empty: there is none. */
static struct str text_for(struct sns_call *e, const json_t *document, const char *protocol)
{
	const json_t *text = json_object_get(document, protocol);
	return json_is_string(text) ? str_copy(e->c->arena, (struct str){json_string_value(text),
									 json_string_length(text)})
				    : STR_NONE;
}

/* Takes a message apart that has a text for each protocol. */
static RESULT take_structure(struct sns_call *e, struct str structure, struct published_message *m)
{
	if (!structure.n)
		return OK;
	if (!str_is(structure, "json"))
		return fail_structure(e, "the only structure is json");
	json_t *document = json_loadb(m->body.p, m->body.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_object = json_is_object(document);
	m->body = text_for(e, document, "default");
	for (size_t k = 0; k < TOPIC_PROTOCOLS; k++)
		m->bodies[k] = text_for(e, document, sns_protocols[k]);
	json_decref(document);
	if (!is_object)
		return fail_structure(e, "JSON message body failed to parse");
	return m->body.n ? OK : fail_structure(e, "No default entry in JSON message body");
}

/* A subject is one line of ASCII, which begins with a letter, digit or punctuation. */
static RESULT check_message(struct sns_call *e, const struct message_attributes *attributes,
			    struct str structure, struct published_message *m)
{
	size_t size = m->body.n;
	if (!m->body.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Message"), "Invalid parameter: Empty message");
	if (m->subject.p && (!m->subject.n || m->subject.n > TOPIC_SUBJECT_MAX))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Subject"), "Invalid parameter: Subject");
	for (size_t k = 0; k < m->subject.n; k++)
		if (m->subject.p[k] < ' ' || m->subject.p[k] > '~' || (!k && m->subject.p[k] == ' '))
			return ctx_fail_field(e->c, ERR_INVALID, STR("Subject"),
					      "Invalid parameter: Subject");
	TRY(message_attributes_read(e->c, attributes, "MessageAttributes", &m->attributes));
	return size + message_attributes_size(&m->attributes) <= TOPIC_MESSAGE_BYTES_MAX
		       ? take_structure(e, structure, m)
		       : ctx_fail_field(e->c, ERR_INVALID, STR("Message"),
					"Invalid parameter: Message too long");
}

struct publish_args {
	struct publish_wish wish;
	struct published_message message;
	struct message_attributes attributes;
	struct str topic, target, number, structure;
};
static const struct param publish_params[] = {
	PARAM(struct publish_args, "TopicArn", topic, .min = 1, .max = MESSAGING_ARN_MAX,
	      .doc = "ARN of the topic."),
	PARAM(struct publish_args, "TargetArn", target, .min = 1, .max = MESSAGING_ARN_MAX,
	      .doc = "ARN of the topic, by another name."),
	MESSAGE(struct publish_args, message, attributes, structure),
	PARAM(struct publish_args, "PhoneNumber", number, .max = 256,
	      .doc = "Phone number; text messages are not supported."),
};

static RESULT prepare_publish(struct sns_call *e, void *args)
{
	struct publish_args *a = args;
	if (a->number.n && !sns_is_number(a->number))
		return ctx_fail_field(e->c, ERR_INVALID, STR("PhoneNumber"),
				      "Invalid parameter: PhoneNumber Reason: %" STR_FMT
				      " is not valid to publish to",
				      STR_ARG(a->number));
	if (a->number.n)
		return sns_refuse(e, "PhoneNumber", STR("A text message"));
	if ((a->topic.n > 0) + (a->target.n > 0) != 1)
		return ctx_fail_field(
			e->c, ERR_COMBINATION, STR("TopicArn"),
			"Invalid parameter: TopicArn or TargetArn Reason: one of them is required");
	TRY(check_message(e, &a->attributes, a->structure, &a->message));
	a->wish.at = &a->message;
	a->wish.count = 1;
	return sns_find_topic(e, a->topic.n ? a->topic : a->target, "TopicArn", &a->wish.topic);
}

static void write_published(struct sns_call *e, const struct published_message *m, struct xml *x)
{
	xml_text(x, "MessageId", uuid_to_str(e->c->arena, m->message));
	if (m->sequence)
		xml_text(x, "SequenceNumber", str_print(e->c->arena, "%020lld", (long long) m->sequence));
}

static RESULT answer_publish(struct sns_call *e, const void *args, struct xml *x)
{
	const struct publish_args *a = args;
	write_published(e, &a->message, x);
	return OK;
}

/* ---- batches ---- */

struct batch_entry {
	struct str id, structure;
	struct published_message message;
	struct message_attributes attributes;
};
static const struct param entry_rows[] = {
	PARAM(struct batch_entry, "Id", id, .flags = REQUIRED, .max = 256,
	      .doc = "Id of the entry in the answer."),
	MESSAGE(struct batch_entry, message, attributes, structure),
};
static const struct params entry_table = PARAMS(struct batch_entry, entry_rows);

struct batch_args {
	struct publish_wish wish;
	struct str topic;
	struct {
		struct batch_entry *at;
		size_t count;
	} entries;
};
static const struct param batch_params[] = {
	SNS_TOPIC(struct batch_args, topic),
	PARAM_LIST(struct batch_args, "PublishBatchRequestEntries.member", entries, entry_table,
		   .flags = REQUIRED, .max = ENTRIES_MAX, .doc = "Up to ten messages."),
};

static const struct api_error batch_errors[] = {
	{ERR_INVALID, 0, 400, "TooManyEntriesInBatchRequest"},
	{ERR_INVALID, 0, 400, "BatchEntryIdsNotDistinct"},
	{ERR_INVALID, 0, 400, "InvalidBatchEntryId"},
	{ERR_INVALID, 0, 400, "BatchRequestTooLong"},
};
enum batch_fault { TOO_MANY, NOT_DISTINCT, INVALID_ID, TOO_LONG };

static RESULT fail_batch(struct sns_call *e, enum batch_fault fault, const char *words)
{
	e->error = &batch_errors[fault];
	return ctx_fail(e->c, ERR_INVALID, "%s", words);
}

static RESULT check_id(struct sns_call *e, struct str id)
{
	bool is_plain = id.n > 0;
	for (size_t k = 0; k < id.n; k++)
		is_plain = is_plain && (str_is_alphanumeric(id.p[k]) || id.p[k] == '-' || id.p[k] == '_');
	if (is_plain && id.n <= ID_MAX)
		return OK;
	e->error = &batch_errors[INVALID_ID];
	return ctx_fail(e->c, ERR_INVALID, "The Id of a batch entry in the batch request %s: %" STR_FMT,
			is_plain ? "is too long" : "contains an impermissible character", STR_ARG(id));
}

static RESULT check_entries(struct sns_call *e, const struct batch_args *a)
{
	if (a->entries.count > MESSAGE_BATCH_MAX)
		return fail_batch(e, TOO_MANY, "The batch request contains more entries than permissible.");
	for (size_t k = 0; k < a->entries.count; k++) {
		TRY(check_id(e, a->entries.at[k].id));
		for (size_t n = 0; n < k; n++)
			if (str_equal(a->entries.at[k].id, a->entries.at[n].id))
				return fail_batch(
					e, NOT_DISTINCT,
					"Two or more batch entries in the request have the same Id.");
	}
	return OK;
}

static RESULT prepare_batch(struct sns_call *e, void *args)
{
	struct batch_args *a = args;
	size_t bytes = 0;
	TRY(check_entries(e, a));
	a->wish.at = arena_new_array(e->c->arena, struct published_message, a->entries.count + 1);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	a->wish.count = a->entries.count;
	for (size_t k = 0; k < a->entries.count; k++) {
		struct batch_entry *entry = &a->entries.at[k];
		bytes += entry->message.body.n;
		if (bytes > TOPIC_MESSAGE_BYTES_MAX)
			break;
		TRY(check_message(e, &entry->attributes, entry->structure, &entry->message));
		a->wish.at[k] = entry->message;
		bytes += message_attributes_size(&entry->message.attributes);
	}
	if (bytes > TOPIC_MESSAGE_BYTES_MAX)
		return fail_batch(e, TOO_LONG,
				  "The length of all the messages put together is more than the limit.");
	return sns_find_topic(e, a->topic, "TopicArn", &a->wish.topic);
}

static RESULT answer_batch(struct sns_call *e, const void *args, struct xml *x)
{
	const struct batch_args *a = args;
	xml_open(x, "Successful");
	for (size_t k = 0; k < a->wish.count; k++) {
		xml_open(x, "member");
		xml_text(x, "Id", a->entries.at[k].id);
		write_published(e, &a->wish.at[k], x);
		xml_close(x, "member");
	}
	xml_close(x, "Successful");
	xml_open(x, "Failed");
	xml_close(x, "Failed");
	return OK;
}

/* The permission of a batch is that of the single call. */
static const struct sns_action actions[] = {
	{SNS_ACTION("Publish"), .flags = API_WRITES, .args = PARAMS(struct publish_args, publish_params),
	 .prepare = prepare_publish, .operation = engine_publish_run, .answer = answer_publish,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Publishes a message to a topic."},
	{.name = "PublishBatch",
	 .permit = "sns:Publish",
	 .flags = API_WRITES,
	 .args = PARAMS(struct batch_args, batch_params),
	 .prepare = prepare_batch,
	 .operation = engine_publish_run,
	 .answer = answer_batch,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Publishes up to ten messages."},
};
const struct api_actions sns_publish_actions = API_ACTIONS(actions);
