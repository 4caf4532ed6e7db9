/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes, purges and deletes queues. Called by: api/sqs. Source: Amazon SQS API Reference. */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/tag_internal.h"

#define PURGE_PAUSE_US (60 * SECOND)
enum { DEFAULT_VISIBILITY_S = 30, DEFAULT_RETENTION_S = 345600 };

static bool has(unsigned given, enum queue_attribute attribute)
{
	return given & 1U << attribute;
}

static void apply(struct queue *to, const struct queue *from, unsigned given)
{
	if (has(given, QUEUE_VISIBILITY))
		to->visibility_s = from->visibility_s;
	if (has(given, QUEUE_DELAY))
		to->delay_s = from->delay_s;
	if (has(given, QUEUE_RETENTION))
		to->retention_s = from->retention_s;
	if (has(given, QUEUE_SIZE))
		to->message_bytes = from->message_bytes;
	if (has(given, QUEUE_WAIT))
		to->wait_s = from->wait_s;
	if (has(given, QUEUE_DEDUPLICATION))
		to->dedups_content = from->dedups_content;
	if (has(given, QUEUE_DEDUPLICATION_SCOPE))
		to->dedups_groups = from->dedups_groups;
	if (has(given, QUEUE_THROUGHPUT_LIMIT))
		to->limits_groups = from->limits_groups;
	if (has(given, QUEUE_DEAD)) {
		to->dead_queue = from->dead_queue;
		to->receives_max = from->receives_max;
	}
	if (has(given, QUEUE_REDRIVE_ALLOW))
		to->redrive_allow = from->redrive_allow;
	if (has(given, QUEUE_POLICY)) {
		to->policy = from->policy;
		to->policy_version = from->policy.n ? uuid_random() : UUID_NONE;
	}
}

/* Name of an attribute in which the queues differ; NULL: they differ in none. */
static const char *find_difference(const struct queue *a, const struct queue *b)
{
	return a->visibility_s != b->visibility_s               ? "VisibilityTimeout"
	       : a->delay_s != b->delay_s                       ? "DelaySeconds"
	       : a->retention_s != b->retention_s               ? "MessageRetentionPeriod"
	       : a->message_bytes != b->message_bytes           ? "MaximumMessageSize"
	       : a->wait_s != b->wait_s                         ? "ReceiveMessageWaitTimeSeconds"
	       : a->dedups_content != b->dedups_content         ? "ContentBasedDeduplication"
	       : a->dedups_groups != b->dedups_groups           ? "DeduplicationScope"
	       : a->limits_groups != b->limits_groups           ? "FifoThroughputLimit"
	       : !str_equal(a->dead_queue, b->dead_queue)       ? "RedrivePolicy"
	       : a->receives_max != b->receives_max             ? "RedrivePolicy"
	       : !str_equal(a->policy, b->policy)               ? "Policy"
	       : !str_equal(a->redrive_allow, b->redrive_allow) ? "RedriveAllowPolicy"
								: NULL;
}

/* True if the queue's redrive allow policy lets the source name it as its dead-letter queue. */
static bool allows_source(struct op *op, const struct queue *queue, const struct queue *source)
{
	struct str arn = engine_find_queue_arn(op->head, op->ctx->arena, source);
	bool allows = true;
	size_t index;
	const json_t *member;
	if (!queue->redrive_allow.n)
		return true;
	json_t *policy = json_loadb(queue->redrive_allow.p, queue->redrive_allow.n, 0, NULL);
	const char *permission = json_string_value(json_object_get(policy, "redrivePermission"));
	if (permission && !strcmp(permission, "denyAll"))
		allows = false;
	if (permission && !strcmp(permission, "byQueue")) {
		allows = false;
		json_array_foreach (json_object_get(policy, "sourceQueueArns"), index, member)
			allows |= str_is(arn, json_string_value(member));
	}
	json_decref(policy);
	return allows;
}

/* Refuses attributes of FIFO queues for a standard queue. */
static RESULT check_type(struct op *op, const struct queue *next, unsigned given)
{
	if (next->is_fifo)
		return OK;
	if (next->dedups_content)
		return ENGINE_FAIL(op, ERR_UNKNOWN, KIND_QUEUE, STR("ContentBasedDeduplication"),
				   "Unknown Attribute ContentBasedDeduplication.");
	if (has(given, QUEUE_DEDUPLICATION_SCOPE))
		return ENGINE_FAIL(
			op, ERR_UNKNOWN, KIND_QUEUE, STR("Attribute"),
			"You can specify the DeduplicationScope only when FifoQueue is set to true.");
	if (has(given, QUEUE_THROUGHPUT_LIMIT))
		return ENGINE_FAIL(
			op, ERR_UNKNOWN, KIND_QUEUE, STR("Attribute"),
			"You can specify the FifoThroughputLimit only when FifoQueue is set to true.");
	return OK;
}

/* A dead-letter queue is a queue of the account, of the same type. */
static RESULT check(struct op *op, const struct queue *next, unsigned given)
{
	TRY(check_type(op, next, given));
	if (next->limits_groups &&
	    !next->dedups_groups) /* SQS Developer Guide, "High throughput". Unverified: the sentence. */
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE, STR("Attribute"),
			"Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId "
			"needs the DeduplicationScope messageGroup.");
	if (!has(given, QUEUE_DEAD) || !next->dead_queue.n)
		return OK;
	const struct queue *dead = queue_find_by_account(op->head, next->account, next->dead_queue);
	if (!dead)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE, STR("RedrivePolicy"),
			"Value for parameter RedrivePolicy is invalid. Reason: Dead letter target does "
			"not exist.");
	if (dead->is_fifo != next->is_fifo)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE, STR("RedrivePolicy"),
			"Value for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be "
			"same type of queue as the source.");
	if (!allows_source(op, dead, next)) /* Unverified: the sentence. */
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE, STR("RedrivePolicy"),
			"Value for parameter RedrivePolicy is invalid. Reason: The RedriveAllowPolicy of the "
			"dead-letter queue does not allow this queue.");
	return OK;
}

RESULT engine_create_queue(struct op *op, struct queue_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct queue next = {.account = account,
			     .name = wish->row.name,
			     .is_fifo = wish->row.is_fifo,
			     .visibility_s = DEFAULT_VISIBILITY_S,
			     .retention_s = DEFAULT_RETENTION_S,
			     .message_bytes = QUEUE_MESSAGE_BYTES_MAX,
			     .configured_us = op->now_us};
	const struct queue *present = queue_find_by_account(op->head, next.account, next.name);
	TRY(present ? engine_permit(op, "queue.create", KIND_QUEUE, &present->row)
		    : engine_permit_new(op, "queue.create", KIND_QUEUE, &next.row));
	if (present) {
		struct queue asked = *present;
		apply(&asked, &wish->row, wish->given);
		const char *difference = find_difference(&asked, present);
		if (difference)
			return ENGINE_FAIL(
				op, ERR_EXISTS, KIND_QUEUE, STR("QueueName"),
				"A queue already exists with the same name and a different value for "
				"attribute %s",
				difference);
		wish->made = present->row.id;
		return OK;
	}
	apply(&next, &wish->row, wish->given);
	TRY(tag_normalize(op, wish->row.tags, &next.tags));
	TRY(limit_check(op, LIMIT_QUEUES, next.account, 1, STR_NONE));
	TRY(check(op, &next, wish->given));
	next.row = (struct row){.id = engine_new_id(op, KIND_QUEUE), .gen = 1};
	wish->made = next.row.id;
	return queue_put(op, &next);
}

RESULT engine_set_queue(struct op *op, struct queue_wish *wish)
{
	const struct queue *queue = NULL;
	TRY(queue_permit(op, &wish->queue, "queue.set_attributes", &queue));
	struct queue next = *queue;
	apply(&next, &wish->row, wish->given);
	TRY(check(op, &next, wish->given));
	next.configured_us = op->now_us;
	next.row.gen++;
	return queue_put(op, &next);
}

bool engine_is_queue_deleted(const struct queue *queue)
{
	return queue->name.n > 0 && queue->name.p[0] == '*';
}

RESULT queue_permit(struct op *op, const struct ref *ref, const char *permission,
		    const struct queue **ret_queue)
{
	const struct queue *named = ref->bits ? queue_find(op->head, ref->prefix) : NULL;
	const struct row *row = NULL;
	TRY(messaging_permit(op, ref, permission, named ? &named->row : NULL, &row));
	*ret_queue = queue_of(row);
	return engine_is_queue_deleted(*ret_queue) ? engine_fail_not_found(op->ctx, KIND_QUEUE, ref) : OK;
}

/* A queue of many messages frees its name at once, and goes with the last of them (engine_sweep_queue()): one change that forgets ten
 * thousand rows would hold up all others. */
RESULT engine_delete_queue(struct op *op, struct queue_target *wish)
{
	const struct queue *queue = NULL;
	bool is_empty = false;
	TRY(queue_permit(op, &wish->queue, "queue.delete", &queue));
	uuid id = queue->row.id;
	TRY(queue_empty(op, id, &is_empty));
	if (is_empty)
		return queue_forget(op, id);
	struct queue next = *queue_find(op->head, id);
	next.name = str_print(op->ctx->arena, "*%" STR_FMT, STR_ARG(uuid_to_str(op->ctx->arena, id)));
	next.dead_queue = STR_NONE;
	next.purged_number = next.last_number;
	next.row.gen++;
	return next.name.p ? queue_put(op, &next) : ctx_no_memory(op->ctx);
}

/* Hides all messages at once. engine_sweep_queue() deletes them in several changes, so that none is long. */
RESULT engine_purge_queue(struct op *op, struct queue_target *wish)
{
	const struct queue *queue = NULL;
	TRY(queue_permit(op, &wish->queue, "queue.purge", &queue));
	if (queue->purged_us && op->now_us < queue->purged_us + PURGE_PAUSE_US)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_QUEUE, STR("QueueUrl"),
				   "Only one PurgeQueue operation on %" STR_FMT
				   " is allowed every 60 seconds.",
				   STR_ARG(queue->name));
	struct queue next = *queue;
	next.purged_number = next.last_number;
	next.purged_us = op->now_us;
	next.row.gen++;
	return queue_put(op, &next);
}
