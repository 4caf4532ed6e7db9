/* SPDX-License-Identifier: Apache-2.0
 * FIFO topics: message groups, sequence numbers, and deduplication IDs. An ID counts for five minutes, also after the message was
 * passed on, so it has a record of its own: a row of kind topic_delivery without a subscription. Called by: topic.c. Source: Amazon
 * SNS Developer Guide, "Message deduplication for FIFO topics". */
#include "base/crypto.h"
#include "base/uuid.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"

enum { SWEEP_MAX = 200 /* records that one change forgets */ };

static RESULT fail_publish(struct op *op, enum err err, const char *field, const char *words)
{
	return ENGINE_FAIL(op, err, KIND_TOPIC, str_from(field), "Invalid parameter: %s", words);
}

/* Completes the deduplication ID. */
static RESULT check(struct op *op, const struct topic *topic, struct published_message *m)
{
	uint8_t digest[SHA256_SIZE];
	if (!topic->is_fifo)
		return !m->deduplication.n
			       ? OK
			       : fail_publish(op, ERR_INVALID, "MessageDeduplicationId",
					      "MessageDeduplicationId Reason: The request includes "
					      "MessageDeduplicationId parameter that is not valid for "
					      "this topic type");
	if (!m->message_group.n)
		return fail_publish(op, ERR_MISSING, "MessageGroupId",
				    "The MessageGroupId parameter is required for FIFO topics");
	if (m->deduplication.n)
		return OK;
	if (!topic->dedups_content)
		return fail_publish(op, ERR_INVALID, "MessageDeduplicationId",
				    "The topic should either have ContentBasedDeduplication enabled or "
				    "MessageDeduplicationId provided explicitly");
	crypto_sha256(m->body, digest);
	m->deduplication = str_encode_hex(op->ctx->arena, digest, sizeof digest);
	return m->deduplication.p ? OK : ctx_no_memory(op->ctx);
}

static bool counts(const struct topic_delivery *record, int64_t now_us)
{
	return record->at_us > now_us - QUEUE_DEDUPLICATION_US;
}

/* The record of the message's deduplication ID, in the topic or, if that is its scope, in the group. */
static const struct topic_delivery *find_record(struct op *op, const struct topic *topic,
						const struct published_message *m)
{
	const struct topic_delivery key = {.topic = topic->row.id, .deduplication = m->deduplication};
	for (const struct row *row = tables_first(op->head, KIND_TOPIC_DELIVERY,
						  TOPIC_DELIVERY_INDEX_DEDUPLICATION, &key.row, 2);
	     row;
	     row = tables_next(op->head, KIND_TOPIC_DELIVERY, TOPIC_DELIVERY_INDEX_DEDUPLICATION, row, 2)) {
		const struct topic_delivery *record = topic_delivery_of(row);
		if (counts(record, op->now_us) &&
		    (!topic->dedups_groups || str_equal(record->message_group, m->message_group)))
			return record;
	}
	return NULL;
}

RESULT topic_take_message(struct op *op, uuid id, struct published_message *m, bool *ret_is_new)
{
	const struct topic *topic = topic_find(op->head, id);
	*ret_is_new = true;
	TRY(check(op, topic, m));
	m->message = uuid_random();
	m->sequence = 0;
	if (!topic->is_fifo)
		return OK;
	const struct topic_delivery *record = find_record(op, topic, m);
	if (record) {
		m->message = record->message_id;
		m->sequence = record->sequence;
		*ret_is_new = false;
		return OK;
	}
	TRY(limit_check(op, LIMIT_TOPIC_RECORDS, id, 1, STR_NONE));
	struct topic next = *topic;
	m->sequence = ++next.last_number;
	const struct topic_delivery made = {.row = {.id = engine_new_id(op, KIND_TOPIC_DELIVERY), .gen = 1},
					    .account = topic->account,
					    .topic = id,
					    .type = TOPIC_DELIVERY_TYPE_RECORD,
					    .message_id = m->message,
					    .at_us = op->now_us,
					    .message_group = m->message_group,
					    .deduplication = m->deduplication,
					    .sequence = m->sequence};
	TRY(topic_put(op, &next));
	return topic_delivery_put(op, &made);
}

bool engine_has_topic_waste(const struct tables *t, const struct topic *topic, int64_t now_us,
			    int64_t *ret_next_us)
{
	const struct topic_delivery *oldest = topic_delivery_first_by_topic(t, topic->row.id);
	*ret_next_us = oldest ? oldest->at_us + QUEUE_DEDUPLICATION_US : 0;
	return oldest && !counts(oldest, now_us);
}

RESULT topic_forget_records(struct op *op, uuid topic, bool of_all, bool *ret_is_empty)
{
	const struct topic_delivery *record = NULL;
	size_t count = 0;
	while ((record = topic_delivery_first_by_topic(op->head, topic)) && count++ < SWEEP_MAX &&
	       (of_all || !counts(record, op->now_us)))
		TRY(topic_delivery_forget(op, record->row.id));
	*ret_is_empty = !record;
	return OK;
}
