/* SPDX-License-Identifier: Apache-2.0
 * Targets of rules: which queues and topics a rule sends events to. Called by: api/events. Source: Amazon EventBridge API Reference,
 * PutTargets and RemoveTargets. */
#include <jansson.h>

#include "engine/events/events_internal.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/people/policy/iam_role.h"

#define MISSING_CODE "ResourceNotFoundException"

static RESULT fail(struct op *op, const char *field, const char *words, struct str value)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_EVENT_TARGET, str_from(field), "%s%" STR_FMT, words,
			   STR_ARG(str_cut(value, 400)));
}

/* ---- checks ---- */

static bool is_json(struct str text)
{
	json_t *document = json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY, NULL);
	bool is_read = document != NULL;
	json_decref(document);
	return is_read;
}

static RESULT check_input(struct op *op, const struct event_target *next)
{
	int count = (next->input.n > 0) + (next->input_path.n > 0) + (next->template.n > 0);
	if (count > 1)
		return fail(op, "Targets",
			    "Only one of Input, InputPath, or InputTransformer must be provided for target ",
			    next->name);
	if (next->input.n && !is_json(next->input))
		return fail(op, "Targets",
			    "Parameter Input is not valid. Reason: it is not JSON, for target ", next->name);
	if (next->input_path.n && !event_is_path(next->input_path))
		return fail(op, "Targets", "Parameter InputPath is not valid. Reason: Invalid JSONPath ",
			    next->input_path);
	for (size_t k = 1; k < next->paths.count; k += 2)
		if (!event_is_path(next->paths.at[k]))
			return fail(op, "Targets",
				    "Invalid InputPathsMap for target. Reason: Invalid JSONPath ",
				    next->paths.at[k]);
	return OK;
}

/* The caller must be allowed to send there, because a rule sends as the region. */
static RESULT check_arn(struct op *op, const struct event_target *next, bool *ret_is_there)
{
	const struct topic *topic = engine_find_topic_by_arn(op->head, next->account, next->arn);
	const struct queue *queue = engine_find_queue_by_arn(op->head, next->account, next->arn);
	*ret_is_there = topic || queue;
	if (next->message_group.n && (!queue || !queue->is_fifo))
		return fail(op, "Targets", "SqsParameters are valid for FIFO queues alone: ", next->arn);
	if (topic)
		return engine_permit_beside_on(op, "topic.publish", KIND_TOPIC, &topic->row);
	if (!queue)
		return OK;
	if (queue->is_fifo && !next->message_group.n)
		return fail(op, "Targets",
			    "Parameter(s) SqsParameters must be specified for target: ", next->name);
	if (queue->is_fifo && !queue->dedups_content)
		return fail(op, "Targets", "The FIFO queue needs content-based deduplication: ", next->arn);
	return engine_permit_beside_on(op, "queue.send", KIND_QUEUE, &queue->row);
}

static RESULT check_dead_queue(struct op *op, const struct event_target *next)
{
	const struct queue *dead =
		next->dead_queue.n ? queue_find_by_account(op->head, next->account, next->dead_queue) : NULL;
	if (!next->dead_queue.n)
		return OK;
	if (!dead || dead->is_fifo)
		return fail(op, "Targets",
			    "The DeadLetterConfig needs a standard queue of the account in this region: ",
			    next->dead_queue);
	return engine_permit_beside_on(op, "queue.send", KIND_QUEUE, &dead->row);
}

/* ---- put ---- */

static RESULT put_one(struct op *op, const struct event_rule *rule, struct event_target_wish *wish)
{
	const struct event_target *present =
		event_target_find_by_event_rule(op->head, rule->row.id, wish->row.name);
	struct event_target next = wish->row;
	bool is_there = false;
	next.account = rule->account;
	next.event_rule = rule->row.id;
	TRY(check_input(op, &next));
	TRY(check_arn(op, &next, &is_there));
	TRY(check_dead_queue(op, &next));
	if (next.role.n)
		TRY(iam_role_permit_pass(op, next.account, next.role, STR(EVENTS_PRINCIPAL),
					 KIND_EVENT_TARGET, STR("Targets")));
	if (!is_there) {
		wish->code = MISSING_CODE;
		wish->message = str_print(op->ctx->arena, "The target %" STR_FMT " does not exist.",
					  STR_ARG(str_cut(next.arn, 400)));
		return wish->message.p ? OK : ctx_no_memory(op->ctx);
	}
	if (present) {
		next.row = present->row;
		next.lost = present->lost;
	} else {
		TRY(limit_check(op, LIMIT_EVENT_TARGETS, rule->row.id, 1, STR_NONE));
		next.row = (struct row){.id = engine_new_id(op, KIND_EVENT_TARGET)};
	}
	next.row.gen++;
	return event_target_put(op, &next);
}

RESULT engine_put_event_targets(struct op *op, struct event_targets_wish *wish)
{
	const struct event_rule *rule = NULL;
	TRY(engine_permit_event_rule(op, &wish->rule, "event_target.put", &rule));
	uuid id = rule->row.id;
	for (size_t k = 0; k < wish->count; k++)
		if (!wish->at[k].code)
			TRY(put_one(op, event_rule_find(op->head, id), &wish->at[k]));
	return OK;
}

RESULT engine_remove_event_targets(struct op *op, struct event_targets_wish *wish)
{
	const struct event_rule *rule = NULL;
	TRY(engine_permit_event_rule(op, &wish->rule, "event_target.remove", &rule));
	uuid id = rule->row.id;
	for (size_t k = 0; k < wish->count; k++) {
		const struct event_target *target =
			event_target_find_by_event_rule(op->head, id, wish->at[k].row.name);
		if (target) {
			TRY(event_target_forget(op, target->row.id));
			continue;
		}
		wish->at[k].code = MISSING_CODE;
		wish->at[k].message = str_print(op->ctx->arena, "Target %" STR_FMT " does not exist.",
						STR_ARG(wish->at[k].row.name));
		if (!wish->at[k].message.p)
			return ctx_no_memory(op->ctx);
	}
	return OK;
}
