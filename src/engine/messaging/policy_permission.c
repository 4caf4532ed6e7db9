/* SPDX-License-Identifier: Apache-2.0
 * AddPermission and RemovePermission of queues and topics: statements of the policy that name accounts. The policy is read and written in
 * one change, so that two calls do not undo each other. Called by: api/sqs, api/sns. Sources: Amazon SQS API Reference and Amazon SNS
 * API Reference, AddPermission and RemovePermission. */
#include <jansson.h>
#include <stdlib.h>

#include "base/uuid.h"
#include "engine/messaging/messaging_internal.h"
#include "store/account.h"

enum { QUEUE_POLICY_BYTES = 8192, QUEUE_STATEMENTS = 20, TOPIC_POLICY_BYTES = 30720, TOPIC_STATEMENTS = 100 };

/* The policy that is edited. */
struct editing {
	enum kind kind;
	struct str arn, text, first; /* first: the policy in place of an absent one */
	size_t bytes, statements;
};

static RESULT fail_label(struct op *op, const struct editing *e, struct str label, const char *queue_why,
			 const char *topic_words)
{
	if (e->kind == KIND_TOPIC)
		return ENGINE_FAIL(op, ERR_INVALID, e->kind, STR("Label"), "Invalid parameter: %s",
				   topic_words);
	return ENGINE_FAIL(op, ERR_INVALID, e->kind, STR("Label"),
			   "Value %" STR_FMT " for parameter Label is invalid. Reason: %s", STR_ARG(label),
			   queue_why);
}

/* A policy has a list of statements, or one without a list. The result is a new reference. */
static json_t *list_statements(const json_t *policy)
{
	json_t *statements = json_object_get(policy, "Statement");
	if (json_is_array(statements))
		return json_copy(statements);
	json_t *list = json_array();
	if (statements)
		(void) json_array_append(list, statements);
	return list;
}

static json_int_t find_label(const json_t *statements, struct str label)
{
	for (size_t k = 0; k < json_array_size(statements); k++) {
		const json_t *id = json_object_get(json_array_get(statements, k), "Sid");
		if (str_equal(label, (struct str){json_string_value(id), json_string_length(id)}))
			return (json_int_t) k;
	}
	return -1;
}

static RESULT fail_account(struct op *op, const struct editing *e, struct str number)
{
	if (e->kind == KIND_TOPIC)
		return ENGINE_FAIL(op, ERR_INVALID, e->kind, STR("AWSAccountId"),
				   "Invalid parameter: Policy Error: PrincipalNotFound");
	return ENGINE_FAIL(op, ERR_INVALID, e->kind, STR("AWSAccountId"),
			   "Value %" STR_FMT
			   " for parameter PrincipalId is invalid. Reason: Unable to verify.",
			   STR_ARG(number));
}

/* A failure leaves the statement to the caller, who ends it. */
static RESULT write_statement(struct op *op, const struct editing *e, const struct permission_wish *wish,
			      json_t **ret_statement)
{
	const char *vendor = e->kind == KIND_QUEUE ? "SQS" : "SNS";
	json_t *accounts = json_array(), *actions = json_array();
	json_t *principal = json_pack("{s:o}", "AWS", accounts);
	*ret_statement =
		json_pack("{s:s%, s:s, s:o, s:o, s:s%}", "Sid", wish->label.p, wish->label.n, "Effect",
			  "Allow", "Principal", principal, "Action", actions, "Resource", e->arn.p, e->arn.n);
	for (size_t k = 0; k < wish->accounts.count; k++) {
		struct str number = wish->accounts.at[k];
		if (!account_find_by_number(op->head, number))
			return fail_account(op, e, number);
		(void) json_array_append_new(
			accounts, json_sprintf("arn:aws:iam::%.*s:root", (int) number.n, number.p));
	}
	for (size_t k = 0; k < wish->actions.count; k++)
		(void) json_array_append_new(
			actions,
			json_sprintf("%s:%.*s", vendor, (int) wish->actions.at[k].n, wish->actions.at[k].p));
	return *ret_statement ? OK : ctx_no_memory(op->ctx);
}

static RESULT change_statements(struct op *op, const struct editing *e, const struct permission_wish *wish,
				bool is_removed, json_t *statements)
{
	json_int_t at = find_label(statements, wish->label);
	json_t *made = NULL;
	if (is_removed && at < 0)
		return fail_label(op, e, wish->label, "can't find label on existing policy.", "Label");
	if (is_removed)
		return json_array_remove(statements, (size_t) at) ? ctx_no_memory(op->ctx) : OK;
	if (at >= 0)
		return fail_label(op, e, wish->label, "Already exists.", "Statement already exists");
	if (json_array_size(statements) >= e->statements)
		return ENGINE_FAIL(op, ERR_QUOTA, e->kind, STR("Label"), "A policy has up to %zu statements.",
				   e->statements);
	struct result result = write_statement(op, e, wish, &made);
	if (result_is_ok(result) && json_array_append(statements, made))
		result = ctx_no_memory(op->ctx);
	json_decref(made);
	return result;
}

/* *ret_text: the new policy; empty: it has no statements left. */
static RESULT edit(struct op *op, const struct editing *e, const struct permission_wish *wish,
		   bool is_removed, struct str *ret_text)
{
	struct str before = e->text.n ? e->text : e->first;
	json_t *policy = json_loadb(before.p, before.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *statements = policy ? list_statements(policy) : NULL;
	struct result result =
		statements ? change_statements(op, e, wish, is_removed, statements) : ctx_no_memory(op->ctx);
	*ret_text = STR_NONE;
	if (result_is_ok(result) && json_array_size(statements)) {
		(void) json_object_set(policy, "Statement", statements);
		char *text = json_dumps(policy, JSON_COMPACT);
		*ret_text = text ? str_copy(op->ctx->arena, str_from(text)) : STR_NONE;
		free(text);
		result = ret_text->p ? OK : ctx_no_memory(op->ctx);
	}
	json_decref(statements);
	json_decref(policy);
	if (result_is_ok(result) && ret_text->n > e->bytes)
		return ENGINE_FAIL(op, ERR_QUOTA, e->kind, STR("Label"), "A policy has up to %zu bytes.",
				   e->bytes);
	return result;
}

static RESULT edit_queue(struct op *op, struct permission_wish *wish, const char *permission, bool is_removed)
{
	const struct queue *queue = NULL;
	struct str text = STR_NONE;
	TRY(queue_permit(op, &wish->subject, permission, &queue));
	struct str arn = engine_find_queue_arn(op->head, op->ctx->arena, queue);
	const struct editing e = {KIND_QUEUE,
				  arn,
				  queue->policy,
				  str_print(op->ctx->arena,
					    "{\"Version\":\"2012-10-17\",\"Id\":\"%" STR_FMT
					    "/SQSDefaultPolicy\",\"Statement\":[]}",
					    STR_ARG(arn)),
				  QUEUE_POLICY_BYTES,
				  QUEUE_STATEMENTS};
	TRY(edit(op, &e, wish, is_removed, &text));
	struct queue next = *queue;
	next.policy = text;
	next.policy_version = text.n ? uuid_random() : UUID_NONE;
	next.configured_us = op->now_us;
	next.row.gen++;
	return queue_put(op, &next);
}

/* A topic without a policy of its own shows the standard one, and keeps it beside the new statement. */
static RESULT edit_topic(struct op *op, struct permission_wish *wish, const char *permission, bool is_removed)
{
	const struct topic *topic = NULL;
	struct str text = STR_NONE;
	TRY(topic_permit(op, &wish->subject, permission, &topic));
	const struct account *account = account_find(op->head, topic->account);
	struct str arn = engine_find_topic_arn(op->head, op->ctx->arena, topic);
	const struct editing e = {
		KIND_TOPIC,
		arn,
		topic->policy,
		engine_write_topic_policy(op->ctx->arena, arn, account ? account->number : STR_NONE),
		TOPIC_POLICY_BYTES,
		TOPIC_STATEMENTS};
	TRY(edit(op, &e, wish, is_removed, &text));
	if (!text.n) /* an empty policy would stand for the standard one, which lets services in */
		return ENGINE_FAIL(op, ERR_INVALID, KIND_TOPIC, STR("Label"),
				   "Invalid parameter: Label Reason: the policy needs a statement");
	struct topic next = *topic;
	next.policy = text;
	next.policy_version = uuid_random();
	next.row.gen++;
	return topic_put(op, &next);
}

RESULT engine_add_queue_permission(struct op *op, struct permission_wish *wish)
{
	return edit_queue(op, wish, "queue.add_permission", false);
}

RESULT engine_remove_queue_permission(struct op *op, struct permission_wish *wish)
{
	return edit_queue(op, wish, "queue.remove_permission", true);
}

RESULT engine_add_topic_permission(struct op *op, struct permission_wish *wish)
{
	return edit_topic(op, wish, "topic.add_permission", false);
}

RESULT engine_remove_topic_permission(struct op *op, struct permission_wish *wish)
{
	return edit_topic(op, wish, "topic.remove_permission", true);
}
