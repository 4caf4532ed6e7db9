/* SPDX-License-Identifier: Apache-2.0
 * Sends, receives and deletes messages of queues. A receive raises visible_us, so that the message is hidden until then. Called by:
 * api/sqs, and deliveries of topics. Source: Amazon SQS Developer Guide. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/uuid.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "model/iam_name.h"
#include "store/user.h"

enum {
	SWEEP_MAX = 200,    /* messages that one change forgets */
	DEAD_MAX = 100,     /* messages that one receive moves to the dead-letter queue */
	GROUP_SLOTS = 4096, /* a power of two */
	BLOCKED_MAX =
		3000, /* groups of a FIFO queue with a message in flight, behind which no more is received */
	CATCH_BYTES = 4 << 20 /* limit of a receive, which writes each of its messages anew */
};
#define NEVER_US (INT64_MAX / 4) /* visible_us of deleted messages */

/* ---- send ---- */

static size_t size_of(const struct message_wish *m)
{
	size_t size = m->body.n;
	for (size_t k = 0; k < m->attributes.count; k++)
		size += m->attributes.at[k].n;
	return size;
}

static struct str digest_body(struct op *op, struct str body)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(body, digest);
	return str_encode_hex(op->ctx->arena, digest, sizeof digest);
}

/* ERR_INVALID with the field. */
static RESULT check_fifo(struct op *op, const struct queue *queue, struct message_wish *m)
{
	if (!queue->is_fifo) {
		if (!m->deduplication.n)
			return OK;
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE_MESSAGE, STR("MessageDeduplicationId"),
			"The request include parameter that is not valid for this queue type. Reason: "
			"MessageDeduplicationId is only valid for FIFO queues.");
	}
	if (!m->message_group.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_QUEUE_MESSAGE, STR("MessageGroupId"),
				   "The request must contain the parameter MessageGroupId.");
	if (m->delay_s > 0)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_QUEUE_MESSAGE, STR("DelaySeconds"),
			"Value %lld for parameter DelaySeconds is invalid. Reason: The request include "
			"parameter that is not valid for this queue type.",
			(long long) m->delay_s);
	if (!m->deduplication.n && !queue->dedups_content)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_QUEUE_MESSAGE, STR("MessageDeduplicationId"),
				   "The queue should either have ContentBasedDeduplication enabled or "
				   "MessageDeduplicationId provided explicitly");
	if (!m->deduplication.n)
		m->deduplication = digest_body(op, m->body);
	return m->deduplication.p ? OK : ctx_no_memory(op->ctx);
}

/* The message that a deduplication ID was used for within five minutes, in the queue or, if that is its scope, in the group. */
static const struct queue_message *find_duplicate(struct op *op, const struct queue *queue,
						  const struct message_wish *wish)
{
	const struct queue_message key = {.queue = queue->row.id, .deduplication = wish->deduplication};
	for (const struct row *row = tables_first(op->head, KIND_QUEUE_MESSAGE,
						  QUEUE_MESSAGE_INDEX_DEDUPLICATION, &key.row, 2);
	     row; row = tables_next(op->head, KIND_QUEUE_MESSAGE, QUEUE_MESSAGE_INDEX_DEDUPLICATION, row, 2))
		if (queue_message_of(row)->sent_us > op->now_us - QUEUE_DEDUPLICATION_US &&
		    (!queue->dedups_groups ||
		     str_equal(queue_message_of(row)->message_group, wish->message_group)))
			return queue_message_of(row);
	return NULL;
}

RESULT queue_add_message(struct op *op, uuid id, struct message_wish *m, struct str sender)
{
	const struct queue *queue = queue_find(op->head, id);
	if (!queue || engine_is_queue_deleted(queue))
		return engine_fail_gone(op->ctx, KIND_QUEUE, id);
	if (size_of(m) > (size_t) queue->message_bytes)
		return ENGINE_FAIL(
			op, ERR_TOO_LARGE, KIND_QUEUE_MESSAGE, STR("MessageBody"),
			"One or more parameters are invalid. Reason: Message must be shorter than %lld "
			"bytes.",
			(long long) queue->message_bytes);
	TRY(check_fifo(op, queue, m));
	const struct queue_message *duplicate = queue->is_fifo ? find_duplicate(op, queue, m) : NULL;
	if (duplicate) {
		m->message = duplicate->row.id;
		m->number = duplicate->number;
		return OK;
	}
	TRY(limit_check(op, LIMIT_QUEUE_MESSAGES, id, 1, STR_NONE));
	struct queue next = *queue;
	next.last_number++;
	int64_t delay_s = m->delay_s >= 0 && !queue->is_fifo ? m->delay_s : queue->delay_s;
	struct queue_message made = {.row = {.id = engine_new_id(op, KIND_QUEUE_MESSAGE), .gen = 1},
				     .account = queue->account,
				     .queue = id,
				     .body = m->body,
				     .attributes = m->attributes,
				     .message_group = m->message_group,
				     .deduplication = m->deduplication,
				     .trace = m->trace,
				     .sender = sender,
				     .number = next.last_number,
				     .sent_us = op->now_us,
				     .visible_us = op->now_us + delay_s * SECOND};
	m->message = made.row.id;
	m->number = made.number;
	TRY(queue_put(op, &next));
	return queue_message_put(op, &made);
}

RESULT engine_send_messages(struct op *op, struct send_wish *wish)
{
	const struct queue *queue = NULL;
	TRY(queue_permit(op, &wish->queue, "queue.send", &queue));
	uuid id = queue->row.id;
	const struct identity *who = op->ctx->who;
	struct str sender = who ? iam_caller_id(op->ctx->arena, who) : STR_NONE;
	for (size_t k = 0; k < wish->count; k++) {
		if (wish->at[k].refusal)
			continue;
		struct result added = queue_add_message(op, id, &wish->at[k], sender);
		if (result_is_ok(added))
			continue;
		if (!wish->is_batch || !engine_is_refusal(added.code))
			return added;
		wish->at[k].refused = added.code;
		wish->at[k].refusal = str_to_z(op->ctx->arena, op->ctx->problem.message);
		if (!wish->at[k].refusal)
			return ctx_no_memory(op->ctx);
		ctx_clear_problem(op->ctx);
	}
	return OK;
}

/* ---- receive ---- */

static bool is_over(const struct queue *queue, const struct queue_message *m, int64_t now_us)
{
	return m->number <= queue->purged_number || m->sent_us + queue->retention_s * SECOND <= now_us;
}

static bool is_waste(const struct queue *queue, const struct queue_message *m, int64_t now_us)
{
	if (m->is_gone)
		return m->sent_us + QUEUE_DEDUPLICATION_US <= now_us;
	return is_over(queue, m, now_us);
}

/* Messages that one receive may return or move, found before any is changed: a change moves them in the index. */
struct catch
{
	const struct queue_message *at[MESSAGE_BATCH_MAX + DEAD_MAX];
	size_t count, bytes;
	size_t wanted; /* messages that are received, beside those that are moved */
};

static bool is_dead(const struct queue *queue, const struct queue_message *m)
{
	return queue->dead_queue.n && m->receives >= queue->receives_max;
}

/* False: enough. Each message is written anew, so bytes count, too. */
static bool take(struct catch *caught, const struct queue *queue, const struct queue_message *m)
{
	if (caught->count == sizeof caught->at / sizeof *caught->at || !caught->wanted ||
	    (caught->count && caught->bytes + m->body.n > CATCH_BYTES))
		return false;
	caught->at[caught->count++] = m;
	caught->bytes += m->body.n;
	caught->wanted -= !is_dead(queue, m);
	return true;
}

static void catch_any(struct op *op, const struct queue *queue, struct catch *caught)
{
	for (const struct queue_message *m = queue_message_first_by_queue(op->head, queue->row.id);
	     m && m->visible_us <= op->now_us; m = queue_message_next_by_queue(op->head, m))
		if (!is_over(queue, m, op->now_us) && !take(caught, queue, m))
			return;
}

/* Groups with a hidden message: a hash table with open addressing. */
struct groups {
	struct str at[GROUP_SLOTS];
	size_t count;
};

/* The group's place, or the free one where it belongs. */
static struct str *find_group(struct groups *groups, struct str group)
{
	uint64_t hash = 0;
	for (size_t k = 0; k < group.n; k++)
		hash = hash_add(hash, (unsigned char) group.p[k]);
	size_t slot = hash % GROUP_SLOTS;
	while (groups->at[slot].n && !str_equal(groups->at[slot], group))
		slot = (slot + 1) % GROUP_SLOTS;
	return &groups->at[slot];
}

/* The first message after the given one that may be received, in order of numbers; NULL: none. A group with a hidden message waits for
 * that message. Deleted messages and purged ones are passed by without a limit: a queue's limit bounds them. Lowers *next_us to when a
 * hidden message appears. */
static const struct queue_message *next_in_order(const struct tables *t, const struct queue *queue,
						 const struct queue_message *after, int64_t now_us,
						 struct groups *blocked, int64_t *next_us)
{
	const struct queue_message *m = after ? queue_message_next_by_number(t, after)
					      : queue_message_first_by_number(t, queue->row.id);
	for (; m && blocked->count < BLOCKED_MAX; m = queue_message_next_by_number(t, m)) {
		if (m->is_gone || is_over(queue, m, now_us))
			continue;
		struct str *group = find_group(blocked, m->message_group);
		if (group->n)
			continue;
		if (m->visible_us <= now_us)
			return m;
		*group = m->message_group;
		blocked->count++;
		if (m->visible_us < *next_us)
			*next_us = m->visible_us;
	}
	return NULL;
}

static RESULT catch_in_order(struct op *op, const struct queue *queue, struct catch *caught)
{
	struct groups *blocked = heap_new(struct groups);
	int64_t next_us = INT64_MAX;
	if (!blocked)
		return ctx_no_memory(op->ctx);
	const struct queue_message *m = NULL;
	do
		m = next_in_order(op->head, queue, m, op->now_us, blocked, &next_us);
	while (m && take(caught, queue, m));
	heap_free(blocked);
	return OK;
}

static RESULT move_dead(struct op *op, const struct queue *queue, const struct queue_message *m)
{
	const struct queue *dead = queue_find_by_account(op->head, queue->account, queue->dead_queue);
	struct queue_message next = *m;
	if (!dead || !result_is_ok(limit_check(op, LIMIT_QUEUE_MESSAGES, dead->row.id, 1, STR_NONE))) {
		ctx_clear_problem(op->ctx);
		next.visible_us = op->now_us + queue->visibility_s * SECOND; /* tried again then */
		next.receipt = UUID_NONE;                                    /* so that no consumer gets it */
		return queue_message_put(op, &next);
	}
	struct queue after = *dead;
	next.number = ++after.last_number;
	next.queue = dead->row.id;
	next.visible_us = op->now_us;
	next.dead_from = queue->name;
	TRY(queue_put(op, &after));
	return queue_message_put(op, &next);
}

RESULT engine_receive_messages(struct op *op, struct receive_wish *wish)
{
	const struct queue *queue = NULL;
	struct catch *caught = arena_new_object(op->ctx->arena, struct catch);
	TRY(queue_permit(op, &wish->queue, "queue.receive", &queue));
	if (!caught)
		return ctx_no_memory(op->ctx);
	caught->count = caught->bytes = 0;
	caught->wanted = (size_t) wish->count;
	wish->found = queue->row.id;
	if (queue->is_fifo)
		TRY(catch_in_order(op, queue, caught));
	else
		catch_any(op, queue, caught);
	int64_t hidden_s = wish->visibility_s < 0 ? queue->visibility_s : wish->visibility_s;
	for (size_t k = 0; k < caught->count; k++) {
		struct queue_message next = *caught->at[k];
		if (is_dead(queue, &next)) {
			TRY(move_dead(op, queue, &next));
			continue;
		}
		next.receives++;
		next.receipt = uuid_random();
		next.visible_us = op->now_us + hidden_s * SECOND;
		if (!next.received_us)
			next.received_us = op->now_us;
		TRY(queue_message_put(op, &next));
	}
	return OK;
}

static bool has_message_in_order(const struct tables *t, const struct queue *queue, int64_t now_us,
				 int64_t *next_us)
{
	struct groups *blocked = heap_new(struct groups);
	if (!blocked)
		return true; /* the receive says so */
	bool has = next_in_order(t, queue, NULL, now_us, blocked, next_us);
	heap_free(blocked);
	return has;
}

bool engine_has_message(const struct tables *t, const struct queue *queue, int64_t now_us,
			int64_t *ret_next_us)
{
	*ret_next_us = INT64_MAX;
	if (queue->is_fifo)
		return has_message_in_order(t, queue, now_us, ret_next_us);
	for (const struct queue_message *m = queue_message_first_by_queue(t, queue->row.id); m;
	     m = queue_message_next_by_queue(t, m)) {
		if (m->visible_us > now_us) {
			*ret_next_us = m->visible_us;
			return false;
		}
		if (!is_over(queue, m, now_us))
			return true;
	}
	return false;
}

/* ---- by receipt handles ---- */

/* NULL: a message that is gone, was never received or, in a FIFO queue, was received anew since. In standard queues the handles of
 * earlier receives stay valid, as in SQS. */
static const struct queue_message *find_held(struct op *op, uuid id, const struct handle_wish *handle)
{
	const struct queue_message *m = queue_message_find(op->head, handle->message);
	if (!m || !uuid_equal(m->queue, id) || m->is_gone)
		return NULL;
	const struct queue *queue = queue_find(op->head, id);
	bool is_earlier = m->receives && queue && !queue->is_fifo;
	return is_earlier || uuid_equal(m->receipt, handle->receipt) ? m : NULL;
}

/* The row of a FIFO message remains while its deduplication ID counts. */
static RESULT delete_one(struct op *op, const struct queue_message *m)
{
	if (!m->deduplication.n || m->sent_us + QUEUE_DEDUPLICATION_US <= op->now_us)
		return queue_message_forget(op, m->row.id);
	struct queue_message next = *m;
	next.is_gone = true;
	next.body = STR_NONE;
	next.attributes = (struct strs){0};
	next.visible_us = NEVER_US;
	return queue_message_put(op, &next);
}

RESULT engine_delete_messages(struct op *op, struct handles_wish *wish)
{
	const struct queue *queue = NULL;
	TRY(queue_permit(op, &wish->queue, "queue.delete_message", &queue));
	uuid id = queue->row.id;
	for (size_t k = 0; k < wish->count; k++) {
		const struct queue_message *m = wish->at[k].refusal ? NULL : find_held(op, id, &wish->at[k]);
		if (m)
			TRY(delete_one(op, m));
	}
	return OK;
}

RESULT engine_change_visibility(struct op *op, struct handles_wish *wish)
{
	const struct queue *queue = NULL;
	TRY(queue_permit(op, &wish->queue, "queue.change_visibility", &queue));
	uuid id = queue->row.id;
	for (size_t k = 0; k < wish->count; k++) {
		struct handle_wish *handle = &wish->at[k];
		const struct queue_message *m = handle->refusal ? NULL : find_held(op, id, handle);
		if (handle->refusal)
			continue;
		if (!m || m->visible_us <= op->now_us) {
			handle->refusal = "MessageNotInflight";
			continue;
		}
		struct queue_message next = *m;
		next.visible_us = op->now_us + handle->visibility_s * SECOND;
		TRY(queue_message_put(op, &next));
	}
	return OK;
}

/* ---- figures, and what is left ---- */

struct queue_figures engine_count_messages(const struct tables *t, const struct queue *queue, int64_t now_us)
{
	struct queue_figures f = {0};
	for (const struct queue_message *m = queue_message_first_by_queue(t, queue->row.id); m;
	     m = queue_message_next_by_queue(t, m)) {
		if (m->is_gone || is_over(queue, m, now_us))
			continue;
		if (m->visible_us <= now_us)
			f.visible++;
		else if (m->receives)
			f.hidden++;
		else
			f.delayed++;
	}
	return f;
}

bool engine_has_queue_waste(const struct tables *t, const struct queue *queue, int64_t now_us)
{
	if (engine_is_queue_deleted(queue))
		return true;
	for (const struct queue_message *m = queue_message_first_by_number(t, queue->row.id); m;
	     m = queue_message_next_by_number(t, m)) {
		if (is_waste(queue, m, now_us))
			return true;
		if (!queue->is_fifo && !m->dead_from.n)
			return false; /* later ones were sent later */
	}
	return false;
}

RESULT queue_empty(struct op *op, uuid queue, bool *ret_is_empty)
{
	const struct queue_message *m = NULL;
	for (size_t count = 0; (m = queue_message_first_by_number(op->head, queue)) && count < SWEEP_MAX;
	     count++)
		TRY(queue_message_forget(op, m->row.id));
	*ret_is_empty = !m;
	return OK;
}

static RESULT sweep_deleted(struct op *op, uuid queue)
{
	bool is_empty = false;
	TRY(queue_empty(op, queue, &is_empty));
	return is_empty ? queue_forget(op, queue) : OK;
}

RESULT engine_sweep_queue(struct op *op, struct queue_sweep *wish)
{
	const struct queue *queue = queue_find(op->head, wish->queue);
	size_t count = 0;
	if (!queue)
		return OK;
	if (engine_is_queue_deleted(queue))
		return sweep_deleted(op, wish->queue);
	for (const struct queue_message *m = queue_message_first_by_number(op->head, wish->queue), *next;
	     m && count < SWEEP_MAX; m = next) {
		next = queue_message_next_by_number(op->head, m);
		if (is_waste(queue, m, op->now_us)) {
			TRY(queue_message_forget(op, m->row.id));
			count++;
		} else if (!queue->is_fifo && !m->dead_from.n) {
			return OK;
		}
	}
	return OK;
}
