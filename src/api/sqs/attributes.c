/* SPDX-License-Identifier: Apache-2.0
 * Attributes of queues. Source: Amazon SQS API Reference, SetQueueAttributes and GetQueueAttributes. */
#include <jansson.h>

#include "api/core/params.h"
#include "api/sqs/internal.h"
#include "base/clock.h"

enum { SOURCES_MAX = 10, REDRIVE_ALLOW_MAX = 2048 };

static const struct param pair_rows[] = {
	PARAM(struct sqs_pair, "Name", name, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Name."),
	PARAM(struct sqs_pair, "Value", value, .max = 20480, .doc = "Value."),
};
const struct params sqs_pair_params = PARAMS(struct sqs_pair, pair_rows);

static RESULT fail_value(struct sqs_call *e, struct str name)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("Attribute"),
			      "Invalid value for the parameter %" STR_FMT ".", STR_ARG(name));
}

static const struct {
	const char *name;
	enum queue_attribute attribute;
	size_t offset; /* in struct queue */
	int64_t least, most;
} numbers[] = {
	{"VisibilityTimeout", QUEUE_VISIBILITY, offsetof(struct queue, visibility_s), 0, 43200},
	{"DelaySeconds", QUEUE_DELAY, offsetof(struct queue, delay_s), 0, 900},
	{"MessageRetentionPeriod", QUEUE_RETENTION, offsetof(struct queue, retention_s), 60, 1209600},
	{"MaximumMessageSize", QUEUE_SIZE, offsetof(struct queue, message_bytes), 1024,
	 QUEUE_MESSAGE_BYTES_MAX},
	{"ReceiveMessageWaitTimeSeconds", QUEUE_WAIT, offsetof(struct queue, wait_s), 0, 20},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static int64_t *number_at(struct queue *queue, size_t k)
{
	return (int64_t *) (void *) ((char *) queue + numbers[k].offset);
}

static RESULT read_redrive(struct sqs_call *e, struct str value, struct queue_wish *wish)
{
	int64_t most = 0;
	struct str arn = STR_NONE, name = STR_NONE;
	json_t *policy = json_loadb(value.p ? value.p : "", value.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *receives = json_object_get(policy, "maxReceiveCount");
	const json_t *target = json_object_get(policy, "deadLetterTargetArn");
	if (json_is_integer(receives))
		most = json_integer_value(receives);
	else if (json_is_string(receives))
		IGNORE(str_parse_int(str_from(json_string_value(receives)), &most));
	if (json_is_string(target))
		arn = str_copy(e->c->arena, str_from(json_string_value(target)));
	json_decref(policy);
	wish->given |= 1U << QUEUE_DEAD;
	wish->row.dead_queue = STR_NONE;
	wish->row.receives_max = 0;
	if (!value.n)
		return OK;
	if (most < 1 || most > 1000 ||
	    !engine_read_messaging_arn(arn, "sqs", e->config->region, e->c->who->account_number, &name))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("RedrivePolicy"),
			"Value %" STR_FMT " for parameter RedrivePolicy is invalid. Reason: It needs "
			"maxReceiveCount from 1 to 1000, and deadLetterTargetArn of a queue of the account.",
			STR_ARG(str_cut(value, 512)));
	wish->row.dead_queue = name;
	wish->row.receives_max = most;
	return OK;
}

static bool is_permission(const json_t *word)
{
	const char *text = json_string_value(word);
	return text && (str_is(STR("allowAll"), text) || str_is(STR("denyAll"), text) ||
			str_is(STR("byQueue"), text));
}

/* Sources are ARNs of queues of the account, up to ten, and belong to byQueue alone. */
static bool has_sources(struct sqs_call *e, const json_t *policy)
{
	const json_t *sources = json_object_get(policy, "sourceQueueArns");
	struct str name;
	size_t index;
	const json_t *arn;
	if (str_is(STR("byQueue"), json_string_value(json_object_get(policy, "redrivePermission"))) !=
	    (json_array_size(sources) > 0))
		return false;
	json_array_foreach ((json_t *) sources, index, arn)
		if (!engine_read_messaging_arn(str_from(json_string_value(arn)), "sqs", e->config->region,
					       e->c->who->account_number, &name))
			return false;
	return json_array_size(sources) <= SOURCES_MAX;
}

static RESULT read_redrive_allow(struct sqs_call *e, struct str value, struct queue_wish *wish)
{
	wish->given |= 1U << QUEUE_REDRIVE_ALLOW;
	wish->row.redrive_allow = value;
	if (!value.n)
		return OK;
	json_t *policy = json_loadb(value.p, value.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_whole = is_permission(json_object_get(policy, "redrivePermission")) &&
			has_sources(e, policy) && value.n <= REDRIVE_ALLOW_MAX;
	json_decref(policy);
	return is_whole ? OK
			: ctx_fail_field(
				  e->c, ERR_INVALID, STR("RedriveAllowPolicy"),
				  "Value %" STR_FMT " for parameter RedriveAllowPolicy is invalid. "
				  "Reason: It needs redrivePermission allowAll, denyAll or byQueue, and "
				  "for byQueue up to ten sourceQueueArns of queues of the account.",
				  STR_ARG(str_cut(value, 512)));
}

/* Attributes with one value that is so already. */
static bool is_given_already(struct str name, struct str value)
{
	return (str_is(name, "SqsManagedSseEnabled") && str_is(value, "false")) ||
	       (str_is(name, "KmsMasterKeyId") && !value.n);
}

static bool is_unbuilt(struct str name)
{
	static const char *const unbuilt[] = {"SqsManagedSseEnabled", "KmsMasterKeyId",
					      "KmsDataKeyReusePeriodSeconds"};
	for (size_t k = 0; k < sizeof unbuilt / sizeof *unbuilt; k++)
		if (str_is(name, unbuilt[k]))
			return true;
	return false;
}

static RESULT read_number(struct sqs_call *e, size_t k, struct str value, struct queue_wish *wish)
{
	int64_t *number = number_at(&wish->row, k);
	if (!result_is_ok(str_parse_int(value, number)) || *number < numbers[k].least ||
	    *number > numbers[k].most)
		return fail_value(e, str_from(numbers[k].name));
	wish->given |= 1U << numbers[k].attribute;
	return OK;
}

/* The second word, or the first, which is the default. */
static RESULT read_choice(struct sqs_call *e, struct str name, struct str value, const char *first,
			  const char *second, bool *ret_is_second)
{
	if (!str_is(value, first) && !str_is(value, second))
		return fail_value(e, name);
	*ret_is_second = str_is(value, second);
	return OK;
}

/* Attributes of FIFO queues. *ret_is_one: the name is one of theirs. */
static RESULT read_fifo(struct sqs_call *e, struct str name, struct str value, struct queue_wish *wish,
			bool *ret_is_one)
{
	*ret_is_one = true;
	if (str_is(name, "ContentBasedDeduplication")) {
		wish->given |= 1U << QUEUE_DEDUPLICATION;
		return result_is_ok(str_parse_bool(value, &wish->row.dedups_content)) ? OK
										      : fail_value(e, name);
	}
	if (str_is(name, "DeduplicationScope")) {
		wish->given |= 1U << QUEUE_DEDUPLICATION_SCOPE;
		return read_choice(e, name, value, "queue", "messageGroup", &wish->row.dedups_groups);
	}
	if (str_is(name, "FifoThroughputLimit")) {
		wish->given |= 1U << QUEUE_THROUGHPUT_LIMIT;
		return read_choice(e, name, value, "perQueue", "perMessageGroupId", &wish->row.limits_groups);
	}
	*ret_is_one = false;
	return OK;
}

static RESULT read_one(struct sqs_call *e, struct str name, struct str value, bool is_new,
		       struct queue_wish *wish)
{
	for (size_t k = 0; k < NUMBERS; k++)
		if (str_is(name, numbers[k].name))
			return read_number(e, k, value, wish);
	if (str_is(name, "RedrivePolicy"))
		return read_redrive(e, value, wish);
	if (str_is(name, "RedriveAllowPolicy"))
		return read_redrive_allow(e, value, wish);
	if (str_is(name, "Policy")) {
		wish->row.policy = value;
		wish->given |= 1U << QUEUE_POLICY;
		return value.n ? sqs_check_policy(e, wish->row.name, value) : OK;
	}
	bool is_read = false;
	TRY(read_fifo(e, name, value, wish, &is_read));
	if (is_read)
		return OK;
	if (str_is(name, "FifoQueue") && is_new)
		return result_is_ok(str_parse_bool(value, &wish->row.is_fifo)) && wish->row.is_fifo
			       ? OK
			       : ctx_fail_field(e->c, ERR_UNKNOWN, STR("Attribute"),
						"Unknown Attribute FifoQueue.");
	if (is_given_already(name, value))
		return OK;
	if (is_unbuilt(name))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Attribute"),
				      "The attribute %" STR_FMT " is not supported in this region.",
				      STR_ARG(name));
	return ctx_fail_field(e->c, ERR_UNKNOWN, STR("Attribute"), "Unknown Attribute %" STR_FMT ".",
			      STR_ARG(str_cut(name, 128)));
}

RESULT sqs_read_attributes(struct sqs_call *e, const struct sqs_pairs *pairs, bool is_new,
			   struct queue_wish *wish)
{
	for (size_t k = 0; k < pairs->count; k++)
		TRY(read_one(e, pairs->at[k].name, pairs->at[k].value, is_new, wish));
	return OK;
}

/* ---- answers ---- */

struct attributes_writer {
	struct sqs_call *e;
	struct forms_writer *w;
	const struct strs *names;
};

static bool is_asked(const struct attributes_writer *a, const char *name)
{
	for (size_t k = 0; k < a->names->count; k++)
		if (str_is(a->names->at[k], "All") || str_is(a->names->at[k], name))
			return true;
	return false;
}

static void write_text(const struct attributes_writer *a, const char *name, struct str value)
{
	if (value.n && is_asked(a, name))
		forms_map_text(a->w, str_from(name), value);
}

static void write_number(const struct attributes_writer *a, const char *name, int64_t value)
{
	write_text(a, name, str_print(a->e->c->arena, "%lld", (long long) value));
}

static void write_counts(const struct attributes_writer *a, const struct queue *queue)
{
	if (!is_asked(a, "ApproximateNumberOfMessages") &&
	    !is_asked(a, "ApproximateNumberOfMessagesDelayed") &&
	    !is_asked(a, "ApproximateNumberOfMessagesNotVisible"))
		return;
	struct queue_figures f = engine_count_messages(sqs_tables(a->e), queue, clock_now_us());
	write_number(a, "ApproximateNumberOfMessages", f.visible);
	write_number(a, "ApproximateNumberOfMessagesNotVisible", f.hidden);
	write_number(a, "ApproximateNumberOfMessagesDelayed", f.delayed);
}

static const char *const known[] = {"All",
				    "Policy",
				    "VisibilityTimeout",
				    "MaximumMessageSize",
				    "MessageRetentionPeriod",
				    "ApproximateNumberOfMessages",
				    "ApproximateNumberOfMessagesNotVisible",
				    "CreatedTimestamp",
				    "LastModifiedTimestamp",
				    "QueueArn",
				    "ApproximateNumberOfMessagesDelayed",
				    "DelaySeconds",
				    "ReceiveMessageWaitTimeSeconds",
				    "RedrivePolicy",
				    "FifoQueue",
				    "ContentBasedDeduplication",
				    "KmsMasterKeyId",
				    "KmsDataKeyReusePeriodSeconds",
				    "DeduplicationScope",
				    "FifoThroughputLimit",
				    "RedriveAllowPolicy",
				    "SqsManagedSseEnabled"};

static RESULT check_names(struct sqs_call *e, const struct strs *names)
{
	for (size_t k = 0; k < names->count; k++) {
		bool is_known = false;
		for (size_t n = 0; n < sizeof known / sizeof *known && !is_known; n++)
			is_known = str_is(names->at[k], known[n]);
		if (!is_known)
			return ctx_fail_field(e->c, ERR_UNKNOWN, STR("AttributeName"),
					      "Unknown Attribute %" STR_FMT ".",
					      STR_ARG(str_cut(names->at[k], 128)));
	}
	return OK;
}

RESULT sqs_write_attributes(struct sqs_call *e, struct forms_writer *w, const struct queue *queue,
			    const struct strs *names)
{
	const struct attributes_writer a = {e, w, names};
	TRY(check_names(e, names));
	forms_open_map(w, "Attributes", "Attribute", "Name");
	write_text(&a, "QueueArn",
		   engine_write_messaging_arn(sqs_tables(e), e->c->arena, e->config->region,
					      sqs_owner_number(e, queue), KIND_QUEUE, &queue->row));
	write_counts(&a, queue);
	write_number(&a, "CreatedTimestamp", queue->row.created_us / SECOND);
	write_number(&a, "LastModifiedTimestamp", queue->configured_us / SECOND);
	for (size_t k = 0; k < NUMBERS; k++)
		write_number(&a, numbers[k].name, *number_at((struct queue *) (uintptr_t) queue, k));
	write_text(&a, "Policy", queue->policy);
	write_text(&a, "RedriveAllowPolicy", queue->redrive_allow);
	if (queue->dead_queue.n)
		write_text(&a, "RedrivePolicy",
			   str_print(e->c->arena,
				     "{\"deadLetterTargetArn\":\"arn:aws:sqs:%" STR_FMT ":%" STR_FMT
				     ":%" STR_FMT "\",\"maxReceiveCount\":%lld}",
				     STR_ARG(e->config->region), STR_ARG(sqs_owner_number(e, queue)),
				     STR_ARG(queue->dead_queue), (long long) queue->receives_max));
	write_text(&a, "SqsManagedSseEnabled", STR("false"));
	if (queue->is_fifo) {
		write_text(&a, "FifoQueue", STR("true"));
		write_text(&a, "ContentBasedDeduplication",
			   queue->dedups_content ? STR("true") : STR("false"));
		write_text(&a, "DeduplicationScope",
			   queue->dedups_groups ? STR("messageGroup") : STR("queue"));
		write_text(&a, "FifoThroughputLimit",
			   queue->limits_groups ? STR("perMessageGroupId") : STR("perQueue"));
	}
	forms_close(w);
	return OK;
}
