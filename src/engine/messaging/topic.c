/* SPDX-License-Identifier: Apache-2.0
 * Creates, changes and deletes topics, and publishes. Called by: api/sns, and actions of alarms. Source: Amazon SNS API Reference. */
#include "base/clock.h"
#include "base/uuid.h"
#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/messaging/messaging_internal.h"
#include "engine/tag_internal.h"

enum { SWEEP_MAX = 200 /* deliveries that one change forgets */ };

static bool has_same_tags(const struct tags *a, const struct tags *b)
{
	for (size_t k = 0; k < a->count; k++) {
		const struct tag *other = tags_find(*b, a->at[k].key);
		if (!other || !str_equal(other->value, a->at[k].value))
			return false;
	}
	return true;
}

static void apply(struct topic *to, const struct topic_wish *wish)
{
	if (wish->has_display_name)
		to->display_name = wish->row.display_name;
	if (wish->has_signature_version)
		to->signature_version = wish->row.signature_version;
	if (wish->has_dedups_content)
		to->dedups_content = wish->row.dedups_content;
	if (wish->has_dedups_groups)
		to->dedups_groups = wish->row.dedups_groups;
	if (wish->has_policy) {
		to->policy = wish->row.policy;
		to->policy_version = uuid_random();
	}
}

struct str engine_write_topic_policy(struct arena *a, struct str arn, struct str account_number)
{
	return str_print(
		a,
		"{\"Version\":\"2008-10-17\",\"Id\":\"__default_policy_ID\",\"Statement\":[{\"Sid\":"
		"\"__default_statement_ID\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\"},\"Action\":["
		"\"SNS:GetTopicAttributes\",\"SNS:SetTopicAttributes\",\"SNS:AddPermission\","
		"\"SNS:RemovePermission\",\"SNS:DeleteTopic\",\"SNS:Subscribe\","
		"\"SNS:ListSubscriptionsByTopic\",\"SNS:Publish\"],\"Resource\":\"%" STR_FMT
		"\",\"Condition\":{\"StringEquals\":{\"AWS:SourceOwner\":\"%" STR_FMT "\"}}}]}",
		STR_ARG(arn), STR_ARG(account_number));
}

bool engine_is_topic_deleted(const struct topic *topic)
{
	return topic->name.n > 0 && topic->name.p[0] == '*';
}

RESULT topic_permit(struct op *op, const struct ref *ref, const char *permission,
		    const struct topic **ret_topic)
{
	const struct topic *named = ref->bits ? topic_find(op->head, ref->prefix) : NULL;
	const struct row *row = NULL;
	TRY(messaging_permit(op, ref, permission, named ? &named->row : NULL, &row));
	*ret_topic = topic_of(row);
	return engine_is_topic_deleted(*ret_topic) ? engine_fail_not_found(op->ctx, KIND_TOPIC, ref) : OK;
}

static bool has_same_attributes(const struct topic *a, const struct topic *b)
{
	return str_equal(a->display_name, b->display_name) && a->signature_version == b->signature_version &&
	       a->dedups_content == b->dedups_content && a->dedups_groups == b->dedups_groups &&
	       str_equal(a->policy, b->policy);
}

/* Unverified: the words behind "Reason:". */
static RESULT check_type(struct op *op, const struct topic *topic)
{
	if (topic->is_fifo || (!topic->dedups_content && !topic->dedups_groups))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_TOPIC, STR("Attributes"),
			   "Invalid parameter: Attributes Reason: %s can only be set for FIFO topics",
			   topic->dedups_content ? "ContentBasedDeduplication" : "FifoThroughputScope");
}

RESULT engine_create_topic(struct op *op, struct topic_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct topic next = {.account = account, .name = wish->row.name, .is_fifo = wish->row.is_fifo};
	const struct topic *present = topic_find_by_account(op->head, next.account, next.name);
	TRY(present ? engine_permit(op, "topic.create", KIND_TOPIC, &present->row)
		    : engine_permit_new(op, "topic.create", KIND_TOPIC, &next.row));
	TRY(tag_normalize(op, wish->row.tags, &next.tags));
	if (present && !has_same_tags(&next.tags, &present->tags))
		return ENGINE_FAIL(
			op, ERR_EXISTS, KIND_TOPIC, STR("Tags"),
			"Invalid parameter: Tags Reason: Topic already exists with different tags");
	if (present) {
		struct topic asked = *present;
		apply(&asked, wish);
		if (!has_same_attributes(&asked, present))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_TOPIC, STR("Attributes"),
					   "Invalid parameter: Attributes Reason: Topic already exists with "
					   "different attributes");
		wish->made = present->row.id;
		return OK;
	}
	apply(&next, wish);
	TRY(check_type(op, &next));
	TRY(limit_check(op, LIMIT_TOPICS, next.account, 1, STR_NONE));
	next.row = (struct row){.id = engine_new_id(op, KIND_TOPIC), .gen = 1};
	wish->made = next.row.id;
	return topic_put(op, &next);
}

RESULT engine_set_topic(struct op *op, struct topic_wish *wish)
{
	const struct topic *topic = NULL;
	TRY(topic_permit(op, &wish->topic, "topic.set_attributes", &topic));
	struct topic next = *topic;
	apply(&next, wish);
	TRY(check_type(op, &next));
	next.row.gen++;
	return topic_put(op, &next);
}

/* Forgets some deliveries, then subscriptions without any, then records, then the topic. */
static RESULT sweep(struct op *op, uuid topic, bool *ret_is_gone)
{
	const struct topic_subscription *s = NULL;
	size_t left = SWEEP_MAX;
	while ((s = topic_subscription_first_by_topic(op->head, topic))) {
		const struct topic_delivery *d = NULL;
		uuid id = s->row.id;
		for (; (d = topic_delivery_first_by_topic_subscription(op->head, id)) && left; left--)
			TRY(topic_delivery_forget(op, d->row.id));
		if (d)
			return OK;
		TRY(topic_subscription_forget(op, id));
	}
	TRY(topic_forget_records(op, topic, true, ret_is_gone));
	return *ret_is_gone ? topic_forget(op, topic) : OK;
}

/* A topic with many waiting messages frees its name at once, and goes with the last of them (engine_sweep_topic()). */
RESULT engine_delete_topic(struct op *op, struct topic_target *wish)
{
	const struct topic *topic = NULL;
	TRY(topic_permit(op, &wish->topic, "topic.delete", &topic));
	uuid id = topic->row.id;
	bool is_gone = false;
	TRY(sweep(op, id, &is_gone));
	if (is_gone)
		return OK;
	struct topic next = *topic_find(op->head, id);
	next.name = str_print(op->ctx->arena, "*%" STR_FMT, STR_ARG(uuid_to_str(op->ctx->arena, id)));
	next.row.gen++;
	return next.name.p ? topic_put(op, &next) : ctx_no_memory(op->ctx);
}

RESULT engine_sweep_topic(struct op *op, struct topic_sweep *wish)
{
	const struct topic *topic = topic_find(op->head, wish->topic);
	bool is_gone = false;
	if (!topic)
		return OK;
	return engine_is_topic_deleted(topic) ? sweep(op, wish->topic, &is_gone)
					      : topic_forget_records(op, wish->topic, false, &is_gone);
}

/* ---- publish ---- */

/* A subscription with too many waiting messages loses this one. */
static RESULT deliver_to(struct op *op, const struct topic_subscription *s, const struct published_message *m)
{
	struct topic_subscription next = *s;
	if (!result_is_ok(limit_check(op, LIMIT_TOPIC_DELIVERIES, s->row.id, 1, STR_NONE))) {
		ctx_clear_problem(op->ctx);
		next.lost++;
		return topic_subscription_put(op, &next);
	}
	struct topic_delivery made = {.row = {.id = engine_new_id(op, KIND_TOPIC_DELIVERY), .gen = 1},
				      .account = s->account,
				      .topic_subscription = s->row.id,
				      .number = ++next.last_number,
				      .type = TOPIC_DELIVERY_TYPE_NOTIFICATION,
				      .message_id = m->message,
				      .at_us = op->now_us,
				      .subject = m->subject,
				      .body = m->bodies[s->protocol].n ? m->bodies[s->protocol] : m->body,
				      .attributes = m->attributes,
				      .message_group = m->message_group,
				      .deduplication = m->deduplication,
				      .sequence = m->sequence};
	TRY(topic_subscription_put(op, &next));
	return topic_delivery_put(op, &made);
}

RESULT topic_publish(struct op *op, uuid topic, struct published_message *m)
{
	struct filter_message filtered = {.body = m->body, .attributes = m->attributes};
	struct result result = OK;
	bool is_new = true;
	TRY(topic_take_message(op, topic, m, &is_new));
	if (!is_new)
		return OK;
	for (const struct topic_subscription *s = topic_subscription_first_by_topic(op->head, topic);
	     s && result_is_ok(result); s = topic_subscription_next_by_topic(op->head, s))
		if (s->is_confirmed && message_filter_admits(&filtered, s->filter, s->filters_body))
			result = deliver_to(op, s, m);
	message_filter_close(&filtered);
	return result;
}

RESULT engine_publish(struct op *op, struct publish_wish *wish)
{
	const struct topic *topic = NULL;
	TRY(topic_permit(op, &wish->topic, "topic.publish", &topic));
	uuid id = topic->row.id;
	for (size_t k = 0; k < wish->count; k++)
		if (!wish->at[k].refusal)
			TRY(topic_publish(op, id, &wish->at[k]));
	return OK;
}
