/* SPDX-License-Identifier: Apache-2.0
 * Targets of rules: queues and topics of the account. Other kinds are refused, each with an entry of its own. Source: Amazon EventBridge
 * API Reference, PutTargets, RemoveTargets and ListTargetsByRule. */
#include "api/events/internal.h"
#include "engine/messaging/messaging.h"
#include "engine/resolve.h"

/* ---- PutTargets ---- */

struct target_args {
	struct event_target row;
	struct str dead_arn;
	struct tags paths;
	int64_t retries, age_s; /* below zero: absent */
};

static const struct param transformer_rows[] = {
	PARAM(struct target_args, "InputPathsMap", paths, .max = EVENT_PATHS_MAX,
	      .doc = "Variables, and the JSONPaths of their values."),
	PARAM(struct target_args, "InputTemplate", row.template, .flags = REQUIRED, .min = 1, .max = 8192,
	      .doc = "Template of the text."),
};
static const struct params transformer_table = PARAMS(struct target_args, transformer_rows);
static const struct param sqs_rows[] = {PARAM(struct target_args, "MessageGroupId", row.message_group,
					      .max = 128, .doc = "Message group ID.")};
static const struct params sqs_table = PARAMS(struct target_args, sqs_rows);
static const struct param dead_rows[] = {PARAM(struct target_args, "Arn", dead_arn, .min = 1,
					       .max = EVENTS_ARN_MAX, .doc = "ARN of the queue.")};
static const struct params dead_table = PARAMS(struct target_args, dead_rows);
static const struct param retry_rows[] = {
	PARAM(struct target_args, "MaximumRetryAttempts", retries, .max = EVENT_RETRIES_MAX, .absent = "185",
	      .given = offsetof(struct target_args, row.has_retries) + 1, .doc = "Number of retries."),
	PARAM(struct target_args, "MaximumEventAgeInSeconds", age_s, .min = EVENT_AGE_MIN_S,
	      .max = EVENT_AGE_MAX_S, .absent = "86400",
	      .given = offsetof(struct target_args, row.has_retries) + 1, .doc = "Seconds of retries."),
};
static const struct params retry_table = PARAMS(struct target_args, retry_rows);

/* The tables of objects within fill the same struct. */
#define WITHIN(name, table, text)                                                                            \
	{                                                                                                    \
		.wire = (name), .type = PARAM_STRUCT, .sub = &(table), .doc = (text)                         \
	}
static const struct param target_rows[] = {
	PARAM(struct target_args, "Id", row.name, .flags = REQUIRED, .min = 1, .max = EVENT_NAME_MAX,
	      .doc = "Target ID."),
	PARAM(struct target_args, "Arn", row.arn, .flags = REQUIRED, .min = 1, .max = EVENTS_ARN_MAX,
	      .doc = "ARN of a queue or topic of the account."),
	PARAM(struct target_args, "RoleArn", row.role, .min = 1, .max = EVENTS_ARN_MAX,
	      .doc = "Role of the account, which the caller may pass. Stored and shown only."),
	PARAM(struct target_args, "Input", row.input, .max = 8192,
	      .doc = "JSON that is sent in place of the event."),
	PARAM(struct target_args, "InputPath", row.input_path, .max = 256,
	      .doc = "JSONPath of the part of the event that is sent."),
	WITHIN("InputTransformer", transformer_table, "Template of the text that is sent."),
	WITHIN("SqsParameters", sqs_table, "Message group of a FIFO queue."),
	WITHIN("DeadLetterConfig", dead_table, "Queue for events that cannot be delivered."),
	WITHIN("RetryPolicy", retry_table, "When a delivery is given up."),
	NOT_BUILT("KinesisParameters|RunCommandParameters|EcsParameters|BatchParameters|HttpParameters|"
		  "RedshiftDataParameters|SageMakerPipelineParameters|AppSyncParameters",
		  .doc = "Other kinds of targets."),
};
static const struct params target_table = PARAMS(struct target_args, target_rows);

struct put_args {
	struct event_targets_wish wish;
	struct str rule, bus;
	struct {
		struct target_args *at;
		size_t count;
	} targets;
};
static const struct param put_params[] = {
	EVENTS_RULE_PARAM(struct put_args, "Rule", rule), EVENTS_BUS_PARAM(struct put_args),
	PARAM_LIST(struct put_args, "Targets", targets, target_table, .flags = REQUIRED, .min = 1,
		   .max = EVENT_TARGETS_OF_CALL, .doc = "Targets.")};

static RESULT check_variable(struct target_call *e, struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '_' && name.p[k] != '-')
			return target_fail_member(e->c, "inputPathsMap", name,
						  "satisfy regular expression pattern: [A-Za-z0-9\\_\\-]+");
	return OK;
}

static RESULT take_paths(struct target_call *e, const struct target_args *t, struct event_target *row)
{
	struct str *texts = arena_new_array(e->c->arena, struct str, 2 * t->paths.count + 1);
	if (!texts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < t->paths.count; k++) {
		TRY(check_variable(e, t->paths.at[k].key));
		texts[2 * k] = t->paths.at[k].key;
		texts[2 * k + 1] = t->paths.at[k].value;
	}
	row->paths = (struct strs){texts, 2 * t->paths.count};
	return OK;
}

static RESULT take_target(struct target_call *e, const struct target_args *t, struct event_target_wish *wish)
{
	bool is_known = str_starts_with(t->row.arn, STR("arn:aws:sqs:")) ||
			str_starts_with(t->row.arn, STR("arn:aws:sns:"));
	TRY(events_check_name(e, "id", t->row.name));
	wish->row = t->row;
	wish->row.retries_max = t->retries;
	wish->row.age_max_s = t->age_s;
	TRY(take_paths(e, t, &wish->row));
	if (t->dead_arn.n && !engine_read_messaging_arn(t->dead_arn, "sqs", e->config->region,
							e->c->who->account_number, &wish->row.dead_queue))
		return events_fail(
			e, "Targets",
			"The DeadLetterConfig needs a standard queue of the account in this region: ",
			t->dead_arn);
	if (is_known)
		return OK;
	wish->code = "ValidationException";
	wish->message =
		str_print(e->c->arena, "Targets in this region are SQS queues and SNS topics: %" STR_FMT,
			  STR_ARG(str_cut(t->row.arn, 400)));
	return wish->message.p ? OK : ctx_no_memory(e->c);
}

static RESULT prepare_put(struct target_call *e, void *args)
{
	struct put_args *a = args;
	TRY(events_check_bus(e, a->bus));
	TRY(target_check_count(e->c, "targets", a->targets.count, EVENT_TARGETS_OF_CALL));
	a->wish.at = arena_new_array(e->c->arena, struct event_target_wish, a->targets.count + 1);
	a->wish.count = a->targets.count;
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->targets.count; k++) {
		a->wish.at[k] = (struct event_target_wish){0};
		TRY(take_target(e, &a->targets.at[k], &a->wish.at[k]));
	}
	return events_find_rule(e, a->rule, "Rule", &a->wish.rule);
}

static RESULT write_failures(const struct event_targets_wish *wish, struct json_writer *w)
{
	int64_t count = 0;
	for (size_t k = 0; k < wish->count; k++)
		count += wish->at[k].code != NULL;
	json_write_int(w, "FailedEntryCount", count);
	json_write_open_list(w, "FailedEntries");
	for (size_t k = 0; k < wish->count; k++) {
		if (!wish->at[k].code)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "TargetId", wish->at[k].row.name);
		json_write_z(w, "ErrorCode", wish->at[k].code);
		json_write_text(w, "ErrorMessage", wish->at[k].message);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static RESULT answer_put(struct target_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	return write_failures(&((const struct put_args *) args)->wish, w);
}

/* ---- RemoveTargets ---- */

struct remove_args {
	struct event_targets_wish wish;
	struct str rule, bus;
	struct strs ids;
	bool is_forced;
};
static const struct param remove_params[] = {
	EVENTS_RULE_PARAM(struct remove_args, "Rule", rule), EVENTS_BUS_PARAM(struct remove_args),
	PARAM(struct remove_args, "Ids", ids, .flags = REQUIRED, .min = 1, .max = EVENT_NAME_MAX,
	      .doc = "Target IDs."),
	PARAM(struct remove_args, "Force", is_forced,
	      .doc = "For managed rules, of which there are none: changes nothing.")};

static RESULT prepare_remove(struct target_call *e, void *args)
{
	struct remove_args *a = args;
	TRY(events_check_bus(e, a->bus));
	TRY(target_check_count(e->c, "ids", a->ids.count, EVENT_TARGETS_OF_CALL));
	a->wish.at = arena_new_array(e->c->arena, struct event_target_wish, a->ids.count + 1);
	a->wish.count = a->ids.count;
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count; k++)
		a->wish.at[k] = (struct event_target_wish){.row.name = a->ids.at[k]};
	return events_find_rule(e, a->rule, "Rule", &a->wish.rule);
}

static RESULT answer_remove(struct target_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	return write_failures(&((const struct remove_args *) args)->wish, w);
}

/* ---- ListTargetsByRule ---- */

struct list_args {
	struct ref target;
	struct events_page page;
	struct str rule, bus;
};
static const struct param list_params[] = {EVENTS_RULE_PARAM(struct list_args, "Rule", rule),
					   EVENTS_BUS_PARAM(struct list_args),
					   EVENTS_PAGE_PARAMS(struct list_args)};

static RESULT prepare_list(struct target_call *e, void *args)
{
	struct list_args *a = args;
	TRY(events_check_bus(e, a->bus));
	TRY(events_read_page(e, &a->page));
	return events_find_rule(e, a->rule, "Rule", &a->target);
}

static void write_input(struct json_writer *w, const struct event_target *t)
{
	if (t->input.n)
		json_write_text(w, "Input", t->input);
	if (t->input_path.n)
		json_write_text(w, "InputPath", t->input_path);
	if (!t->template.n)
		return;
	json_write_open(w, "InputTransformer");
	json_write_open(w, "InputPathsMap");
	for (size_t k = 0; k + 1 < t->paths.count; k += 2) {
		json_write_key(w, t->paths.at[k]);
		json_write_text(w, NULL, t->paths.at[k + 1]);
	}
	json_write_close(w);
	json_write_text(w, "InputTemplate", t->template);
	json_write_close(w);
}

static void write_target(struct target_call *e, struct json_writer *w, const struct event_target *t)
{
	json_write_open(w, NULL);
	json_write_text(w, "Id", t->name);
	json_write_text(w, "Arn", t->arn);
	if (t->role.n)
		json_write_text(w, "RoleArn", t->role);
	write_input(w, t);
	if (t->message_group.n) {
		json_write_open(w, "SqsParameters");
		json_write_text(w, "MessageGroupId", t->message_group);
		json_write_close(w);
	}
	if (t->dead_queue.n) {
		json_write_open(w, "DeadLetterConfig");
		json_write_text(w, "Arn",
				str_print(e->c->arena, "arn:aws:sqs:%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
					  STR_ARG(e->config->region), STR_ARG(e->c->who->account_number),
					  STR_ARG(t->dead_queue)));
		json_write_close(w);
	}
	if (t->has_retries) {
		json_write_open(w, "RetryPolicy");
		json_write_int(w, "MaximumRetryAttempts", t->retries_max);
		json_write_int(w, "MaximumEventAgeInSeconds", t->age_max_s);
		json_write_close(w);
	}
	json_write_close(w);
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct event_rule *rule = NULL;
	const struct event_target *last = NULL;
	int64_t count = 0;
	bool has_more = false;
	TRY(engine_find_own_event_rule(e->c, target_tables(e), &a->target, &rule));
	json_write_open_list(w, "Targets");
	for (const struct event_target *t = event_target_first_by_event_rule(target_tables(e), rule->row.id);
	     t && !has_more; t = event_target_next_by_event_rule(target_tables(e), t)) {
		if (a->page.behind.n && str_compare(t->name, a->page.behind) <= 0)
			continue;
		has_more = count++ == a->page.limit;
		if (has_more)
			continue;
		last = t;
		write_target(e, w, t);
	}
	json_write_close_list(w);
	if (has_more)
		events_write_token(e, w, last->name);
	return OK;
}

static const struct target_action rows[] = {
	{EVENTS_ACTION("PutTargets"), .flags = API_WRITES, .args = PARAMS(struct put_args, put_params),
	 .operation = engine_put_event_targets_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Adds targets to a rule, or replaces them.", .prepare = prepare_put, .answer = answer_put},
	{EVENTS_ACTION("RemoveTargets"), .flags = API_WRITES,
	 .args = PARAMS(struct remove_args, remove_params), .operation = engine_remove_event_targets_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes targets from a rule.",
	 .prepare = prepare_remove, .answer = answer_remove},
	{EVENTS_ACTION("ListTargetsByRule"), .args = PARAMS(struct list_args, list_params),
	 .doc = "Lists the targets of a rule.", .prepare = prepare_list, .answer = answer_list},
};
const struct api_actions events_target_actions = API_ACTIONS(rows);
