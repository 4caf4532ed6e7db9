/* SPDX-License-Identifier: Apache-2.0
 * Policies of queues, as far as Dari enforces them: which services may send to the queue, and for which ARNs. Users and roles of the
 * account are decided by their own policies. A policy that says more is refused by name. Source: Amazon SQS Developer Guide, "Basic
 * examples of Amazon SQS policies". */
#include <jansson.h>
#include <string.h>

#include "api/sqs/internal.h"
#include "base/vec.h"

enum { STATEMENTS_MAX = 50, SENDERS_MAX = 50, SENDERS_BYTES = 20480 /* the schema says so, too */ };

struct reading {
	struct sqs_call *e;
	struct str arn; /* the queue's ARN */
	VEC(struct str) senders;
};

static RESULT refuse(struct reading *r, const char *words)
{
	return ctx_fail_field(r->e->c, ERR_UNSUPPORTED, STR("Attribute"),
			      "The attribute Policy is supported for services that send to the queue: %s",
			      words);
}

/* A text, or a list of texts: calls each for all. */
static bool each_text(const json_t *value, bool (*fits)(const char *text, void *arg), void *arg)
{
	size_t index;
	const json_t *member;
	if (json_is_string(value))
		return fits(json_string_value(value), arg);
	if (!json_is_array(value) || !json_array_size(value))
		return false;
	json_array_foreach ((json_t *) value, index, member)
		if (!json_is_string(member) || !fits(json_string_value(member), arg))
			return false;
	return true;
}

static bool is_send(const char *text, void *arg)
{
	(void) arg;
	return str_equal_nocase(str_from(text), STR("sqs:SendMessage")) ||
	       str_equal_nocase(str_from(text), STR("sqs:*"));
}

static bool is_service(const char *text, void *arg)
{
	(void) arg;
	return strcmp(text, "sns.amazonaws.com") == 0 || strcmp(text, "events.amazonaws.com") == 0 ||
	       strcmp(text, "sqs.amazonaws.com") == 0;
}

/* The queue itself, by its ARN or a pattern. */
static bool is_resource(const char *text, void *arg)
{
	const struct reading *r = arg;
	return str_matches(r->arn, str_from(text));
}

struct adding {
	struct reading *r;
	struct str source;
	bool has_room;
};

static bool add_service(const char *text, void *arg)
{
	struct adding *adding = arg;
	struct arena *a = adding->r->e->c->arena;
	struct str service = str_copy(a, str_from(text));
	adding->has_room = service.p && VEC_PUSH(a, &adding->r->senders, service) &&
			   VEC_PUSH(a, &adding->r->senders, adding->source);
	return adding->has_room;
}

/* "*": no condition. */
static RESULT read_source(struct reading *r, const json_t *condition, struct str *ret_source)
{
	static const char *const operators[] = {"ArnEquals", "ArnLike", "StringEquals", "StringLike"};
	*ret_source = STR("*");
	if (!condition)
		return OK;
	if (json_object_size(condition) != 1)
		return refuse(r, "a condition has one operator.");
	for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) {
		const json_t *keys = json_object_get(condition, operators[k]);
		const json_t *arn = json_object_get(keys, "aws:SourceArn");
		if (!json_is_string(arn))
			arn = json_object_get(keys, "AWS:SourceArn");
		if (!json_is_string(arn) || json_object_size(keys) != 1)
			continue;
		*ret_source = str_copy(r->e->c->arena, str_from(json_string_value(arn)));
		if (strcmp(operators[k], "StringEquals") == 0 && strpbrk(json_string_value(arn), "*?"))
			return refuse(r, "StringEquals has no pattern; ArnLike and StringLike do.");
		return ret_source->p ? OK : ctx_no_memory(r->e->c);
	}
	return refuse(
		r, "a condition is ArnEquals, ArnLike, StringEquals or StringLike of aws:SourceArn with one "
		   "value.");
}

static bool is_anybody(const json_t *principal)
{
	const json_t *who = json_is_object(principal) ? json_object_get(principal, "AWS") : principal;
	return json_is_string(who) && strcmp(json_string_value(who), "*") == 0;
}

/* Other members, NotResource among them, would narrow what the statement allows. */
static RESULT check_members(struct reading *r, const json_t *statement)
{
	static const char *const known[] = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"};
	const json_t *resource = json_object_get(statement, "Resource");
	size_t count = 0;
	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		count += json_object_get(statement, known[k]) != NULL;
	if (count != json_object_size(statement))
		return refuse(r, "a statement has Sid, Effect, Principal, Action, Resource and Condition.");
	return !resource || each_text(resource, is_resource, r)
		       ? OK
		       : refuse(r, "the resource is the queue's ARN.");
}

/* Bounded, because a list may name a service often, and each with a long ARN. */
static RESULT check_senders(struct reading *r)
{
	size_t bytes = 0;
	for (size_t k = 0; k < r->senders.count; k++)
		bytes += r->senders.at[k].n;
	return r->senders.count <= 2 * SENDERS_MAX && bytes <= SENDERS_BYTES
		       ? OK
		       : refuse(r, "it has too many senders.");
}

static RESULT read_statement(struct reading *r, const json_t *statement)
{
	const json_t *principal = json_object_get(statement, "Principal");
	const json_t *service = json_object_get(principal, "Service");
	const char *effect = json_string_value(json_object_get(statement, "Effect"));
	struct adding adding = {.r = r};
	if (!effect || strcmp(effect, "Allow") != 0)
		return refuse(r, "the effect is Allow.");
	if (!each_text(json_object_get(statement, "Action"), is_send, NULL))
		return refuse(r, "the action is sqs:SendMessage.");
	TRY(check_members(r, statement));
	TRY(read_source(r, json_object_get(statement, "Condition"), &adding.source));
	if (is_anybody(principal) && !str_is(adding.source, "*")) {
		if (!add_service("sns.amazonaws.com", &adding) ||
		    !add_service("events.amazonaws.com", &adding))
			return ctx_no_memory(r->e->c);
		return OK;
	}
	if (!json_is_object(principal) || json_object_size(principal) != 1 ||
	    !each_text(service, is_service, NULL))
		return refuse(r, "the principal is the service sns.amazonaws.com or events.amazonaws.com, or "
				 "\"*\" with "
				 "a condition about aws:SourceArn.");
	return each_text(service, add_service, &adding) ? OK : ctx_no_memory(r->e->c);
}

static RESULT read_policy(struct reading *r, const json_t *policy)
{
	const json_t *statements = json_object_get(policy, "Statement"), *statement;
	size_t index;
	if (json_is_object(statements))
		return read_statement(r, statements);
	if (!json_is_array(statements) || json_array_size(statements) > STATEMENTS_MAX)
		return ctx_fail_field(r->e->c, ERR_INVALID, STR("Attribute"),
				      "Invalid value for the parameter Policy.");
	json_array_foreach ((json_t *) statements, index, statement)
		TRY(read_statement(r, statement));
	return OK;
}

RESULT sqs_read_policy(struct sqs_call *e, struct str queue, struct str text, struct strs *ret_senders)
{
	struct reading r = {.e = e,
			    .arn = str_print(e->c->arena, "arn:aws:sqs:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
					     STR_ARG(e->config->region), STR_ARG(e->c->who->account_number),
					     STR_ARG(queue))};
	json_t *policy = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = read_policy(&r, policy);
	if (result_is_ok(result))
		result = check_senders(&r);
	json_decref(policy);
	*ret_senders = (struct strs){r.senders.at, r.senders.count};
	return result;
}
