/* SPDX-License-Identifier: Apache-2.0
 * Policies of queues and topics: for callers, in their own account and across accounts, and for services that send for one of
 * their resources. Sources: IAM User Guide, "Cross-account policy evaluation logic"; Amazon SQS Developer Guide, "Amazon SQS API
 * permissions" (the actions that cross accounts); Amazon SNS Developer Guide, "Amazon SNS API permissions". */
#include <inttypes.h>
#include <string.h>

#include "auth/guard/guard_internal.h"
#include "base/clock.h"
#include "engine/messaging/messaging.h"
#include "engine/resolve.h"
#include "store/account.h"

/* Actions that a policy may open to other accounts. */
static const char *const shareable[] = {
	"queue.change_visibility",
	"queue.delete_message",
	"queue.get",
	"queue.get_attributes",
	"queue.list_sources",
	"queue.purge",
	"queue.receive",
	"queue.send",
	"topic.add_permission",
	"topic.delete",
	"topic.get_attributes",
	"topic.list_subscriptions",
	"topic.list_tags",
	"topic.publish",
	"topic.remove_permission",
	"topic.set_attributes",
	"topic.subscribe",
};
/* Actions by which the account's root user repairs a policy that denies everybody: it does not hold for them (IAM User Guide, "Tasks
 * that require root user credentials", which names SQS. Unverified for SNS). */
static const char *const repairing[] = {
	"queue.add_permission", "queue.get_attributes", "queue.remove_permission", "queue.set_attributes",
	"topic.add_permission", "topic.get_attributes", "topic.remove_permission", "topic.set_attributes",
};

static bool is_listed(int permission, const char *const *list, size_t count)
{
	for (size_t k = 0; k < count && permission != PERMISSION_NONE; k++)
		if (strcmp(model_permissions[permission].name, list[k]) == 0)
			return true;
	return false;
}
#define IS_LISTED(permission, list) is_listed(permission, list, sizeof(list) / sizeof *(list))

/* The services' own actions alone: a permission for every kind of row, such as that of tags, would let a caller without
 * rights past the first check. */
bool guard_is_of_resource(int permission)
{
	if (permission == PERMISSION_NONE || !(permission_is_decided_on(permission, KIND_QUEUE) ||
					       permission_is_decided_on(permission, KIND_TOPIC)))
		return false;
	struct str action = str_from(model_permissions[permission].action);
	return str_starts_with(action, STR("sqs:")) || str_starts_with(action, STR("sns:"));
}

static struct str read_policy(enum kind kind, const struct row *row, uuid *ret_version)
{
	const struct queue *queue = kind == KIND_QUEUE ? queue_of(row) : NULL;
	const struct topic *topic = kind == KIND_TOPIC ? topic_of(row) : NULL;
	*ret_version = queue ? queue->policy_version : topic ? topic->policy_version : UUID_NONE;
	return queue ? queue->policy : topic ? topic->policy : STR_NONE;
}

RESULT guard_read_resource(const struct guard_state *s, struct ctx *c, int permission,
			   struct guard_subject *subject)
{
	const struct identity *who = s->call->ctx.who;
	uuid version = UUID_NONE;
	if (!subject->row || !guard_is_of_resource(permission) ||
	    (subject->kind != KIND_QUEUE && subject->kind != KIND_TOPIC))
		return OK;
	subject->is_foreign = !uuid_equal(engine_get_owner(subject->kind, subject->row), who->account);
	if (who->is_owner && !subject->is_foreign && IS_LISTED(permission, repairing))
		return OK;
	struct str policy = read_policy(subject->kind, subject->row, &version);
	return policy.n ? guard_take_resource(s->guards, c, version, policy, &subject->resource) : OK;
}

bool guard_is_shared(const struct guard_state *s, const struct guard_subject *subject,
		     const struct policy_question *q)
{
	struct str principals[GUARD_PRINCIPALS_MAX];
	struct policy_question of_resource = *q;
	struct resource_verdict verdict = {.effect = POLICY_SILENT};
	if (!subject->resource || !IS_LISTED(s->permission, shareable))
		return false;
	of_resource.principals =
		(struct strs){principals, guard_list_principals(s->call->ctx.who, q->arena, principals)};
	policy_ask_resource(subject->resource, &of_resource, &verdict);
	return verdict.effect == POLICY_ALLOWS;
}

/* ---- services ---- */

struct service_question {
	const struct service_sender *sender;
	struct str account_number, owner_number, region; /* the sender's, the resource's */
};

static struct str source_arn(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->source;
}
static struct str source_account(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->account_number;
}
static struct str source_owner(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->is_owner_known ? s->account_number : STR_NONE;
}
static struct str resource_account(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->owner_number;
}
static struct str principal_arn(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->role;
}
static struct str principal_account(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->role.n ? s->account_number : STR_NONE;
}
static struct str service_name(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->role.n ? STR_NONE : str_from(s->sender->service);
}
static struct str is_service(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->sender->role.n ? STR("false") : STR("true");
}
/* The message does not leave the region's process. */
static struct str always(const struct service_question *s, struct arena *a)
{
	(void) s, (void) a;
	return STR("true");
}
static struct str never(const struct service_question *s, struct arena *a)
{
	(void) s, (void) a;
	return STR("false");
}
static struct str region(const struct service_question *s, struct arena *a)
{
	(void) a;
	return s->region;
}
static struct str current_time(const struct service_question *s, struct arena *a)
{
	char text[CLOCK_TEXT_SIZE];
	(void) s;
	return str_copy(a, str_from(clock_write_s(clock_now_us(), text)));
}
static struct str epoch_time(const struct service_question *s, struct arena *a)
{
	(void) s;
	return str_print(a, "%" PRId64, clock_now_us() / SECOND);
}

/* Keys of a service's request. It comes from no address, and by no user. */
static const struct {
	const char *key;
	struct str (*write)(const struct service_question *s, struct arena *a);
} service_keys[] = {
	{"aws:sourcearn", source_arn},
	{"aws:sourceaccount", source_account},
	{"aws:sourceowner", source_owner},
	{"aws:resourceaccount", resource_account},
	{"aws:principalarn", principal_arn},
	{"aws:principalaccount", principal_account},
	{"aws:principalservicename", service_name},
	{"aws:principalisawsservice", is_service},
	{"aws:securetransport", always},
	{"aws:viaawsservice", never},
	{"aws:requestedregion", region},
	{"aws:currenttime", current_time},
	{"aws:epochtime", epoch_time},
};

/* Empty: the request has no such key. */
static struct str find_text(const struct service_question *s, struct arena *a, struct str key)
{
	for (size_t k = 0; k < sizeof service_keys / sizeof *service_keys; k++)
		if (str_is(key, service_keys[k].key))
			return service_keys[k].write(s, a);
	return STR_NONE;
}

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	struct str *at = arena_new_object(q->arena, struct str);
	if (!at)
		return POLICY_NOT_YET;
	*at = find_text(q->request, q->arena, key);
	*ret_values = (struct strs){at, 1};
	return at->n ? POLICY_PRESENT : POLICY_ABSENT;
}

/* Without a policy of its own a topic takes messages that come for its owner's resources, and a queue none. */
static bool is_standard(enum kind kind, const struct service_sender *sender, bool is_own)
{
	return is_own && (sender->role.n || (kind == KIND_TOPIC && sender->is_owner_known));
}

static struct guards *guards_of(struct service_judge *judge)
{
	return (struct guards *) (void *) ((char *) judge - offsetof(struct guards, judge));
}

static RESULT admit(struct service_judge *judge, struct ctx *c, const struct tables *t, enum kind kind,
		    const struct row *row, const struct service_sender *sender, bool *ret_is_admitted)
{
	struct guards *g = guards_of(judge);
	uuid version = UUID_NONE, owner = engine_get_owner(kind, row);
	struct str policy = read_policy(kind, row, &version);
	const struct policy_code *code = NULL;
	const struct account *from = account_find(t, sender->account), *to = account_find(t, owner);
	bool is_own = uuid_equal(owner, sender->account);
	if (!from || !to || !policy.n) {
		*ret_is_admitted = from && to && is_standard(kind, sender, is_own);
		return OK;
	}
	TRY(guard_take_resource(g, c, version, policy, &code));
	int permission = permission_find(kind == KIND_QUEUE ? STR("queue.send") : STR("topic.publish"));
	const struct service_question s = {sender, from->number, to->number, str_from(g->region)};
	struct str names[] = {str_print(c->arena, "AWS:%" STR_FMT, STR_ARG(from->number)),
			      str_print(c->arena, "AWS:%" STR_FMT, STR_ARG(sender->role))};
	struct str service = str_print(c->arena, "Service:%s", sender->service);
	const struct policy_question q = {
		.action = str_from(model_permissions[permission].action),
		.permission = permission,
		.resource =
			engine_write_messaging_arn(t, c->arena, str_from(g->region), to->number, kind, row),
		.principals = sender->role.n ? (struct strs){names, 2} : (struct strs){&service, 1},
		.is_service = !sender->role.n,
		.find = find_key,
		.request = &s,
		.arena = c->arena};
	struct resource_verdict verdict = {.effect = POLICY_SILENT};
	policy_ask_resource(code, &q, &verdict);
	*ret_is_admitted = verdict.effect == POLICY_ALLOWS ||
			   (verdict.effect == POLICY_SILENT && sender->role.n && is_own);
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}

const struct service_judge guard_service_judge = {.admit = admit, .trusts = guard_ask_service_later};
