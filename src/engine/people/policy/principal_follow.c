/* SPDX-License-Identifier: Apache-2.0
 * Follows users and roles in the policies that name them. AWS keeps a principal's unique id in place of its ARN: a renamed user
 * keeps what policies gave it, and one who comes later under the name of somebody deleted gets nothing. Policies are
 * kept here as they were set, so they are rewritten when a principal changes. A policy that names somebody deleted shows the unique id, as in
 * AWS. Source: IAM User Guide, "AWS JSON policy elements: Principal". */
#include <string.h>

#include "engine/people/policy/policy_internal.h"
#include "model/iam_name.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/queue.h"
#include "store/topic.h"

/* Bytes that the columns of the schema hold. */
enum { TRUST_MAX = 131072, QUEUE_POLICY_MAX = 20480, TOPIC_POLICY_MAX = 30720 };

struct renaming {
	struct op *op;
	struct str from, to,
		id; /* texts of JSON, with their quotes; id: in place of `to` where that has no room */
};

static size_t count_of(struct str text, struct str wanted)
{
	size_t count = 0;
	const char *found = NULL;
	for (struct str rest = text; (found = memmem(rest.p, rest.n, wanted.p, wanted.n)); count++)
		rest = str_slice(rest, (size_t) (found - rest.p) + wanted.n, rest.n);
	return count;
}

/* Joins once: the policies of all accounts are rewritten in one commit, and a policy may name a principal hundreds of times. */
static struct str replace(struct arena *a, struct str text, struct str from, struct str to)
{
	size_t count = 0;
	const char *found = NULL;
	struct str *parts = arena_new_array(a, struct str, 2 * count_of(text, from) + 1);
	if (!parts)
		return STR_NONE;
	while ((found = memmem(text.p, text.n, from.p, from.n))) {
		size_t at = (size_t) (found - text.p);
		parts[count++] = str_slice(text, 0, at);
		parts[count++] = to;
		text = str_slice(text, at + from.n, text.n);
	}
	parts[count++] = text;
	return str_join(a, parts, count);
}

/* The policy after the change; false: it does not name the principal. */
static bool rewrite(const struct renaming *r, struct str policy, size_t most, struct str *ret_policy)
{
	struct arena *a = r->op->ctx->arena;
	if (!str_contains(policy, r->from))
		return false;
	*ret_policy = replace(a, policy, r->from, r->to);
	if (ret_policy->n > most)
		*ret_policy = replace(a, policy, r->from, r->id);
	return true;
}

static RESULT rename_in_roles(const struct renaming *r)
{
	const struct iam_role *role = iam_role_first(r->op->head), *next_role = NULL;
	for (; role; role = next_role) {
		struct iam_role next = *role;
		next_role = iam_role_next(r->op->head, role);
		if (!rewrite(r, role->trust, TRUST_MAX, &next.trust))
			continue;
		next.row.gen++;
		TRY(iam_role_put(r->op, &next));
	}
	return OK;
}

static RESULT rename_in_queues(const struct renaming *r)
{
	const struct queue *queue = queue_first(r->op->head), *next_queue = NULL;
	for (; queue; queue = next_queue) {
		struct queue next = *queue;
		next_queue = queue_next(r->op->head, queue);
		if (!rewrite(r, queue->policy, QUEUE_POLICY_MAX, &next.policy))
			continue;
		next.policy_version = uuid_random();
		next.row.gen++;
		TRY(queue_put(r->op, &next));
	}
	return OK;
}

static RESULT rename_in_topics(const struct renaming *r)
{
	const struct topic *topic = topic_first(r->op->head), *next_topic = NULL;
	for (; topic; topic = next_topic) {
		struct topic next = *topic;
		next_topic = topic_next(r->op->head, topic);
		if (!rewrite(r, topic->policy, TOPIC_POLICY_MAX, &next.policy))
			continue;
		next.policy_version = uuid_random();
		next.row.gen++;
		TRY(topic_put(r->op, &next));
	}
	return OK;
}

RESULT policy_follow_principal(struct op *op, uuid account_id, enum kind kind, const struct row *before,
			       const struct row *after)
{
	struct arena *a = op->ctx->arena;
	const struct account *account = account_find(op->head, account_id);
	if (!account)
		return OK; /* a domain's user has no ARN */
	struct str from = iam_arn_to_text(a, account->number, kind, before);
	struct str id = iam_id_to_text(a, kind, before->id);
	struct str to = after ? iam_arn_to_text(a, account->number, kind, after) : id;
	if (str_equal(from, to))
		return OK;
	const struct renaming r = {op, str_print(a, "\"%" STR_FMT "\"", STR_ARG(from)),
				   str_print(a, "\"%" STR_FMT "\"", STR_ARG(to)),
				   str_print(a, "\"%" STR_FMT "\"", STR_ARG(id))};
	if (!r.from.p || !r.to.p || !r.id.p)
		return ctx_no_memory(op->ctx);
	TRY(rename_in_roles(&r));
	TRY(rename_in_queues(&r));
	TRY(rename_in_topics(&r));
	return arena_is_full(a) ? ctx_no_memory(op->ctx) : OK;
}
