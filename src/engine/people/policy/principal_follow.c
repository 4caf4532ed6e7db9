/* SPDX-License-Identifier: Apache-2.0
 * Rewrites the policies that name a user or role as Principal when its ARN changes or it is deleted. AWS keeps a principal's unique id in
 * place of its ARN: a renamed user keeps what policies gave it, and a later user of a deleted one's name gets nothing.
 * Dari keeps policies as they were set, with the ARN. A policy that names a deleted user or role shows the unique id, as in AWS. Source: IAM User Guide, "AWS JSON policy elements: Principal". */
#include <jansson.h>

#include "engine/acting.h"
#include "engine/people/policy/policy_internal.h"
#include "model/iam_name.h"
#include "store/iam_role.h"
#include "store/queue.h"
#include "store/topic.h"

struct renaming {
	struct op *op;
	struct str from; /* ARN */
	struct str to;   /* in JSON, with quotes */
	struct str id;   /* in JSON, with quotes: in place of `to` where that has no room */
};

/* ---- principals in the text of a policy ---- */

/* Size of the JSON string at that place, with its quotes. */
static size_t string_size(struct str text, size_t at)
{
	size_t k = at + 1;
	while (k < text.n && text.p[k] != '"')
		k += text.p[k] == '\\' ? 2 : 1;
	return (k < text.n ? k + 1 : text.n) - at;
}

/* True if the JSON string has that value. Some writers of JSON escape slashes. */
static bool has_value(struct str string, struct str value)
{
	json_error_t error;
	if (str_find_char(string, '\\', 0) == string.n)
		return str_equal(str_slice(string, 1, string.n - 1), value);
	json_t *json = json_loadb(string.p, string.n, JSON_DECODE_ANY, &error);
	const char *text = json_string_value(json);
	bool has_it = text && str_is(value, text);
	json_decref(json);
	return has_it;
}

static bool is_key(struct str text, size_t behind)
{
	while (behind < text.n && (text.p[behind] == ' ' || text.p[behind] == '\n' ||
				   text.p[behind] == '\t' || text.p[behind] == '\r'))
		behind++;
	return behind < text.n && text.p[behind] == ':';
}

/* A place in a policy. Conditions may name principals, too, but AWS leaves those as they were set: a Deny by aws:PrincipalArn
 * holds for who comes later under the name. */
struct place {
	size_t depth, inside; /* depth of the value of Principal or NotPrincipal; 0: elsewhere */
	bool is_next;         /* that value begins next */
};

/* Moves past a string. True: the string is a principal. */
static bool pass_string(struct place *p, struct str text, size_t at, size_t size)
{
	struct str string = str_slice(text, at, at + size);
	if (is_key(text, at + size)) {
		p->is_next = !p->inside && (str_equal_nocase(string, STR("\"Principal\"")) ||
					    str_equal_nocase(string, STR("\"NotPrincipal\"")));
		return false;
	}
	bool is_principal = p->inside || p->is_next;
	p->is_next = false;
	return is_principal;
}

static void pass_bracket(struct place *p, char ch)
{
	if (ch == '{' || ch == '[') {
		p->depth++;
		if (p->is_next)
			p->inside = p->depth;
		p->is_next = false;
	} else if (ch == '}' || ch == ']') {
		if (p->inside == p->depth)
			p->inside = 0;
		p->depth -= p->depth > 0;
	}
}

/* Cuts the text at the strings of Principal that are `from`, and puts `to` between the pieces. Returns how many there are.
 * parts NULL: only counts. */
static size_t cut(struct str text, struct str from, struct str to, struct str *parts)
{
	struct place place = {0};
	size_t count = 0, begin = 0, size = 1;
	for (size_t k = 0; k < text.n; k += size) {
		size = text.p[k] == '"' ? string_size(text, k) : 1;
		if (text.p[k] != '"') {
			pass_bracket(&place, text.p[k]);
			continue;
		}
		if (!pass_string(&place, text, k, size) || !has_value(str_slice(text, k, k + size), from))
			continue;
		if (parts) {
			parts[2 * count] = str_slice(text, begin, k);
			parts[2 * count + 1] = to;
		}
		begin = k + size;
		count++;
	}
	if (parts)
		parts[2 * count] = str_slice(text, begin, text.n);
	return count;
}

/* Rewrites the policy of a row to be put. False: it does not name the principal. Joins once: one commit rewrites the policies of all
 * accounts, and a policy may name a principal hundreds of times. */
static bool rewrite(const struct renaming *r, enum kind kind, const struct row *next, struct str *policy)
{
	struct arena *a = r->op->ctx->arena;
	struct str text = *policy;
	size_t count = cut(text, r->from, r->to, NULL);
	struct str *parts = count ? arena_new_array(a, struct str, 2 * count + 1) : NULL;
	if (!parts) /* policy_follow_principal() sees that the arena is full */
		return false;
	(void) cut(text, r->from, r->to, parts);
	*policy = str_join(a, parts, 2 * count + 1);
	if (row_find_too_large(&model_kinds[kind], next)) {
		(void) cut(text, r->from, r->id, parts);
		*policy = str_join(a, parts, 2 * count + 1);
	}
	return true;
}

/* ---- rows ---- */

static RESULT rename_in_roles(const struct renaming *r)
{
	const struct iam_role *role = iam_role_first(r->op->head), *next_role = NULL;
	for (; role; role = next_role) {
		struct iam_role next = *role;
		next_role = iam_role_next(r->op->head, role);
		if (!rewrite(r, KIND_IAM_ROLE, &next.row, &next.trust))
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
		if (!rewrite(r, KIND_QUEUE, &next.row, &next.policy))
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
		if (!rewrite(r, KIND_TOPIC, &next.row, &next.policy))
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
	struct str number = engine_account_number(op->head, account_id);
	if (!number.n)
		return OK; /* a domain's user has no ARN */
	struct str from = iam_arn_to_text(a, number, kind, before);
	struct str id = iam_id_to_text(a, kind, before->id);
	struct str to = after ? iam_arn_to_text(a, number, kind, after) : id;
	if (str_equal(from, to))
		return OK;
	const struct renaming r = {op, from, str_print(a, "\"%" STR_FMT "\"", STR_ARG(to)),
				   str_print(a, "\"%" STR_FMT "\"", STR_ARG(id))};
	if (!r.from.p || !r.to.p || !r.id.p)
		return ctx_no_memory(op->ctx);
	TRY(rename_in_roles(&r));
	TRY(rename_in_queues(&r));
	TRY(rename_in_topics(&r));
	return arena_is_full(a) ? ctx_no_memory(op->ctx) : OK;
}
