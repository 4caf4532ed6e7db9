/* SPDX-License-Identifier: Apache-2.0
 * ARNs of queues, topics and subscriptions. Sources: Service Authorization Reference, Amazon SQS and Amazon SNS. */
#include "engine/messaging/messaging.h"
#include "engine/region/region.h"
#include "store/account.h"

enum { ARN_PARTS = 5 };

bool engine_is_messaging_kind(enum kind kind)
{
	return kind == KIND_QUEUE || kind == KIND_QUEUE_MESSAGE || kind == KIND_TOPIC ||
	       kind == KIND_TOPIC_SUBSCRIPTION || kind == KIND_TOPIC_DELIVERY;
}

static struct str queue_name(const struct tables *t, enum kind kind, const struct row *row)
{
	const struct queue *queue = kind == KIND_QUEUE ? queue_of(row)
				    : row              ? queue_find(t, queue_message_of(row)->queue)
						       : NULL;
	return queue ? queue->name : STR("*");
}

static struct str topic_name(const struct tables *t, struct arena *a, enum kind kind, const struct row *row)
{
	if (kind == KIND_TOPIC)
		return row ? topic_of(row)->name : STR("*");
	const struct topic_subscription *s =
		kind == KIND_TOPIC_SUBSCRIPTION ? topic_subscription_of(row)
		: row ? topic_subscription_find(t, topic_delivery_of(row)->topic_subscription)
		      : NULL;
	const struct topic *topic = s ? topic_find(t, s->topic) : NULL;
	if (!topic)
		return STR("*");
	return str_print(a, "%" STR_FMT ":%" STR_FMT, STR_ARG(topic->name),
			 STR_ARG(uuid_to_str(a, s->row.id)));
}

struct str engine_write_messaging_arn(const struct tables *t, struct arena *a, struct str region,
				      struct str account_number, enum kind kind, const struct row *row)
{
	bool is_queue = kind == KIND_QUEUE || kind == KIND_QUEUE_MESSAGE;
	struct str name = is_queue ? queue_name(t, kind, row) : topic_name(t, a, kind, row);
	return str_print(a, "arn:aws:%s:%" STR_FMT ":%" STR_FMT ":%" STR_FMT, is_queue ? "sqs" : "sns",
			 STR_ARG(region), STR_ARG(account_number), STR_ARG(name));
}

bool engine_read_messaging_arn(struct str arn, const char *service, struct str region,
			       struct str account_number, struct str *ret_name)
{
	struct str parts[ARN_PARTS] = {STR_NONE}, rest = arn;
	for (size_t k = 0; k < ARN_PARTS; k++)
		if (!str_split_next(&rest, ':', &parts[k]))
			return false;
	if (!str_is(parts[0], "arn") || !str_is(parts[1], "aws") || !str_is(parts[2], service) ||
	    !str_equal(parts[3], region) || !str_equal(parts[4], account_number) || !rest.n ||
	    rest.p[0] == '*') /* begins the names of rows that are being deleted */
		return false;
	*ret_name = rest;
	return true;
}

static struct str find_arn(const struct tables *t, struct arena *a, enum kind kind, uuid owner,
			   const struct row *row)
{
	const struct account *account = account_find(t, owner);
	return engine_write_messaging_arn(t, a, engine_get_region_name(t),
					  account ? account->number : STR_NONE, kind, row);
}

struct str engine_find_queue_arn(const struct tables *t, struct arena *a, const struct queue *queue)
{
	return find_arn(t, a, KIND_QUEUE, queue->account, &queue->row);
}

struct str engine_find_topic_arn(const struct tables *t, struct arena *a, const struct topic *topic)
{
	return find_arn(t, a, KIND_TOPIC, topic->account, &topic->row);
}

static bool read_name(const struct tables *t, uuid owner, struct str arn, const char *service,
		      struct str *ret_name)
{
	const struct account *account = account_find(t, owner);
	return account &&
	       engine_read_messaging_arn(arn, service, engine_get_region_name(t), account->number, ret_name);
}

const struct queue *engine_find_queue_by_arn(const struct tables *t, uuid account, struct str arn)
{
	struct str name;
	return read_name(t, account, arn, "sqs", &name) ? queue_find_by_account(t, account, name) : NULL;
}

const struct queue *engine_find_any_queue(const struct tables *t, struct str arn, bool *ret_is_arn)
{
	struct str rest = arn, part = STR_NONE, name = STR_NONE;
	for (size_t k = 0; k < ARN_PARTS; k++)
		(void) str_split_next(&rest, ':', &part);
	*ret_is_arn = part.n && engine_read_messaging_arn(arn, "sqs", engine_get_region_name(t), part, &name);
	const struct account *account = *ret_is_arn ? account_find_by_number(t, part) : NULL;
	return account ? queue_find_by_account(t, account->row.id, name) : NULL;
}

const struct topic *engine_find_topic_by_arn(const struct tables *t, uuid account, struct str arn)
{
	struct str name;
	return read_name(t, account, arn, "sns", &name) ? topic_find_by_account(t, account, name) : NULL;
}
