/* SPDX-License-Identifier: Apache-2.0
 * AddPermission and RemovePermission: statements of a queue's policy. Source: Amazon SQS API Reference. */
#include "api/core/params.h"
#include "api/sqs/internal.h"

enum { ACTIONS_MAX = 7, PRINCIPALS_MAX = 50, LABEL_MAX = 80 };

struct permission_args {
	struct permission_wish wish;
	struct str url;
};
#define LABEL                                                                                                \
	PARAM(struct permission_args, "Label", wish.label, .flags = REQUIRED, .min = 1, .max = 1024,         \
	      .doc = "Sid of the statement: up to 80 letters, digits, '-' and '_'.")
static const struct param add_params[] = {
	SQS_QUEUE(struct permission_args, url),
	LABEL,
	PARAM(struct permission_args, "AWSAccountId", wish.accounts, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Account numbers."),
	PARAM(struct permission_args, "ActionName", wish.actions, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Names of actions, without sqs:, or *."),
};
static const struct param remove_params[] = {SQS_QUEUE(struct permission_args, url), LABEL};

static RESULT fail(struct sqs_call *e, const char *field, struct str value, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "Value %" STR_FMT " for parameter %s is invalid. Reason: %s",
			      STR_ARG(str_cut(value, 128)), field, why);
}

static RESULT check_label(struct sqs_call *e, struct str label)
{
	bool is_plain = label.n <= LABEL_MAX;
	for (size_t k = 0; k < label.n; k++)
		is_plain = is_plain &&
			   (str_is_alphanumeric(label.p[k]) || label.p[k] == '-' || label.p[k] == '_');
	return is_plain ? OK
			: fail(e, "Label", label,
			       "It can only include alphanumeric characters, hyphens, or underscores, 1 to "
			       "80 in "
			       "length.");
}

static bool is_action(struct str name)
{
	static const char *const names[] = {
		"*",           "ChangeMessageVisibility",    "DeleteMessage", "GetQueueAttributes",
		"GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",    "ReceiveMessage",
		"SendMessage"};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (str_is(name, names[k]))
			return true;
	return false;
}

static RESULT prepare_add(struct sqs_call *e, void *args)
{
	struct permission_args *a = args;
	TRY(check_label(e, a->wish.label));
	if (a->wish.actions.count > ACTIONS_MAX || a->wish.accounts.count > PRINCIPALS_MAX)
		return ctx_fail(e->c, ERR_QUOTA, "%zu %s: a statement has up to %d.",
				a->wish.actions.count > ACTIONS_MAX ? a->wish.actions.count
								    : a->wish.accounts.count,
				a->wish.actions.count > ACTIONS_MAX ? "actions" : "principals",
				a->wish.actions.count > ACTIONS_MAX ? ACTIONS_MAX : PRINCIPALS_MAX);
	for (size_t k = 0; k < a->wish.actions.count; k++)
		if (!is_action(a->wish.actions.at[k]))
			return fail(e, "ActionName", a->wish.actions.at[k],
				    "Only the queue's owner is allowed to invoke this action.");
	return sqs_find_queue(e, a->url, &a->wish.subject);
}

static RESULT prepare_remove(struct sqs_call *e, void *args)
{
	struct permission_args *a = args;
	TRY(check_label(e, a->wish.label));
	return sqs_find_queue(e, a->url, &a->wish.subject);
}

static const struct sqs_action actions[] = {
	{SQS_ACTION("AddPermission"), .flags = API_WRITES, .args = PARAMS(struct permission_args, add_params),
	 .prepare = prepare_add, .operation = engine_add_queue_permission_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Adds a statement for accounts to a queue's policy."},
	{SQS_ACTION("RemovePermission"), .flags = API_WRITES,
	 .args = PARAMS(struct permission_args, remove_params), .prepare = prepare_remove,
	 .operation = engine_remove_queue_permission_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes a statement from a queue's policy."},
};
const struct api_actions sqs_permission_actions = API_ACTIONS(actions);
