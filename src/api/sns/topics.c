/* SPDX-License-Identifier: Apache-2.0
 * Topics: create, find, list, attributes, tags, delete. Source: Amazon SNS API Reference. */
#include <jansson.h>

#include "api/core/params.h"
#include "api/sns/internal.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/account.h"

enum { TAGS_MAX = 50, TAGS_READ_MAX = 200, ATTRIBUTES_MAX = 20, ARN_ACCOUNT_PARTS = 5 };

/* ---- by ARN ---- */

/* The owner's account number; row NULL: the caller's. */
struct str sns_owner_number(struct sns_call *e, enum kind kind, const struct row *row)
{
	if (kind ==
	    KIND_TOPIC_SUBSCRIPTION) { /* its ARN is the topic's, whose owner may be another account */
		const struct topic *topic = topic_find(sns_tables(e), topic_subscription_of(row)->topic);
		kind = KIND_TOPIC;
		row = topic ? &topic->row : NULL;
	}
	if (!row || uuid_equal(topic_of(row)->account, e->c->who->account))
		return e->c->who->account_number;
	const struct account *account = account_find(sns_tables(e), topic_of(row)->account);
	return account ? account->number : STR_NONE;
}

struct str sns_arn(struct sns_call *e, enum kind kind, const struct row *row)
{
	return engine_write_messaging_arn(sns_tables(e), e->c->arena, e->config->region,
					  sns_owner_number(e, kind, row), kind, row);
}

/* A topic of any account of the region; NULL: there is none. */
static const struct topic *find_by_arn(struct sns_call *e, struct str arn, struct str *ret_name)
{
	struct str rest = arn, part = STR_NONE;
	for (size_t k = 0; k < ARN_ACCOUNT_PARTS; k++)
		(void) str_split_next(&rest, ':', &part);
	const struct account *account = account_find_by_number(sns_tables(e), part);
	if (!account || !engine_read_messaging_arn(arn, "sns", e->config->region, part, ret_name))
		return NULL;
	const struct topic *topic = topic_find_by_account(sns_tables(e), account->row.id, *ret_name);
	return topic && !engine_is_topic_deleted(topic) ? topic : NULL;
}

RESULT sns_find_topic(struct sns_call *e, struct str arn, const char *field, struct ref *ret_ref)
{
	struct str name = STR_NONE;
	struct str start = str_print(e->c->arena, "arn:aws:sns:%" STR_FMT ":", STR_ARG(e->config->region));
	TRY(sns_check_arn(e, arn, field));
	if (!str_starts_with(arn, start))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid parameter: %s", field);
	const struct topic *topic = find_by_arn(e, arn, &name);
	*ret_ref = topic ? ref_by_id(KIND_TOPIC, topic->row.id) : (struct ref){.kind = KIND_TOPIC};
	ret_ref->text = name;
	ret_ref->field = str_from(field);
	if (!topic)
		return engine_fail_not_found(e->c, KIND_TOPIC, ret_ref);
	return engine_is_foreign(e->c, KIND_TOPIC, &topic->row)
		       ? engine_check_shared(e->c, sns_tables(e), ret_ref, &topic->row)
		       : OK;
}

RESULT sns_find_topic_row(struct sns_call *e, struct str arn, const char *field,
			  const struct topic **ret_topic)
{
	struct ref ref;
	TRY(sns_find_topic(e, arn, field, &ref));
	const struct topic *topic = topic_find(sns_tables(e), ref.prefix);
	if (!engine_is_foreign(e->c, KIND_TOPIC, &topic->row))
		return engine_find_own_topic(e->c, sns_tables(e), &ref, ret_topic);
	*ret_topic = topic;
	return OK;
}

/* ---- entries ---- */

static const struct param entry_rows[] = {
	PARAM(struct sns_entry, "key", name, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Name."),
	PARAM(struct sns_entry, "value", value, .max = 30720, .doc = "Value."),
};
const struct params sns_entry_params = PARAMS(struct sns_entry, entry_rows);

void sns_write_entry(struct xml *x, const char *key, struct str value)
{
	xml_open(x, "entry");
	xml_z(x, "key", key);
	xml_text(x, "value", value);
	xml_close(x, "entry");
}

RESULT sns_read_redrive(struct sns_call *e, struct str policy, struct str *ret_queue)
{
	*ret_queue = STR_NONE;
	if (!policy.n)
		return OK;
	json_t *document = json_loadb(policy.p, policy.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *target = json_object_get(document, "deadLetterTargetArn");
	struct str arn = json_is_string(target) ? str_copy(e->c->arena, str_from(json_string_value(target)))
						: STR_NONE;
	bool is_whole = json_object_size(document) == 1;
	json_decref(document);
	if (is_whole &&
	    engine_read_messaging_arn(arn, "sqs", e->config->region, e->c->who->account_number, ret_queue))
		return OK;
	return sns_fail(e, "RedrivePolicy",
			"it has one member, deadLetterTargetArn, of a queue of the account");
}

/* ---- attributes ---- */

enum { DISPLAY_NAME_MAX = 100 };

/* Attributes that SNS has and Dari does not; any other name is an error in SNS, too. */
static RESULT refuse_attribute(struct sns_call *e, struct str name, const char *field)
{
	static const char *const unbuilt[] = {"DeliveryPolicy", "KmsMasterKeyId", "TracingConfig",
					      "DataProtectionPolicy", "ArchivePolicy"};
	bool is_known =
		str_ends_with(name, STR("FeedbackRoleArn")) || str_ends_with(name, STR("FeedbackSampleRate"));
	for (size_t k = 0; k < sizeof unbuilt / sizeof *unbuilt; k++)
		is_known |= str_is(name, unbuilt[k]);
	return is_known ? sns_refuse(e, field, name)
			: ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid parameter: %s", field);
}

static RESULT read_plain_attribute(struct sns_call *e, struct str name, struct str value, const char *field,
				   struct topic_wish *wish)
{
	if (str_is(name, "DisplayName")) {
		if (value.n > DISPLAY_NAME_MAX)
			return sns_fail(e, field, "DisplayName has up to 100 characters.");
		wish->row.display_name = value;
		wish->has_display_name = true;
		return OK;
	}
	if (str_is(name, "SignatureVersion")) {
		if (!str_is(value, "1") && !str_is(value, "2"))
			return sns_fail(e, field, "SignatureVersion is 1 or 2.");
		wish->row.signature_version = value.p[0] - '0';
		wish->has_signature_version = true;
		return OK;
	}
	if (str_is(name, "ContentBasedDeduplication")) {
		wish->has_dedups_content = true;
		return result_is_ok(str_parse_bool(value, &wish->row.dedups_content))
			       ? OK
			       : sns_fail(e, field, "ContentBasedDeduplication is true or false.");
	}
	if (str_is(name, "FifoThroughputScope")) {
		if (!str_is(value, "Topic") && !str_is(value, "MessageGroup"))
			return sns_fail(e, field, "FifoThroughputScope is Topic or MessageGroup.");
		wish->row.dedups_groups = str_is(value, "MessageGroup");
		wish->has_dedups_groups = true;
		return OK;
	}
	if ((str_is(name, "KmsMasterKeyId") && !value.n) ||
	    (str_is(name, "TracingConfig") && str_is(value, "PassThrough")))
		return OK; /* it is so already */
	return refuse_attribute(e, name, field);
}

/* sns_check_policy() needs the topic's ARN, so the caller checks the policy. */
static RESULT read_attribute(struct sns_call *e, struct str name, struct str value, const char *field,
			     struct topic_wish *wish)
{
	if (!str_is(name, "Policy"))
		return read_plain_attribute(e, name, value, field, wish);
	wish->has_policy = true;
	wish->row.policy = value;
	return OK;
}

/* FifoTopic is an attribute of a new topic alone. */
static RESULT read_new_attribute(struct sns_call *e, const struct sns_entry *entry, struct topic_wish *wish)
{
	if (!str_is(entry->name, "FifoTopic"))
		return read_attribute(e, entry->name, entry->value, "Attributes", wish);
	return result_is_ok(str_parse_bool(entry->value, &wish->row.is_fifo))
		       ? OK
		       : sns_fail(e, "Attributes", "FifoTopic is true or false.");
}

/* ---- create ---- */

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .max = TAG_VALUE_MAX, .doc = "Tag value."),
};
static const struct params tag_table = PARAMS(struct tag, tag_rows);

struct create_args {
	struct topic_wish wish;
	struct str name;
	struct sns_entries attributes;
	struct {
		struct tag *at;
		size_t count;
	} tags;
};
static const struct param create_params[] = {
	PARAM(struct create_args, "Name", name, .flags = REQUIRED | MAY_BE_EMPTY, .max = 1024,
	      .doc = "Name: 1 to 256 letters, digits, '-' and '_'. That of a FIFO topic ends with .fifo."),
	PARAM_LIST(struct create_args, "Attributes.entry", attributes, sns_entry_params,
		   .max = ATTRIBUTES_MAX,
		   .doc = "Attributes: DisplayName, Policy, SignatureVersion, FifoTopic, "
			  "ContentBasedDeduplication and "
			  "FifoThroughputScope."),
	PARAM_LIST(struct create_args, "Tags.member", tags, tag_table, .max = TAGS_MAX, .doc = "Tags."),
	NOT_BUILT("DataProtectionPolicy"),
};

#define FIFO_SUFFIX ".fifo"

static bool is_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '_')
			return false;
	return name.n > 0;
}

static RESULT prepare_create(struct sns_call *e, void *args)
{
	struct create_args *a = args;
	struct str stem = a->name;
	for (size_t k = 0; k < a->attributes.count; k++)
		TRY(read_new_attribute(e, &a->attributes.at[k], &a->wish));
	if (a->wish.row.is_fifo && str_ends_with(stem, STR(FIFO_SUFFIX)))
		stem.n -= STR(FIFO_SUFFIX).n;
	else if (a->wish.row.is_fifo)
		stem.n = 0; /* no name of a FIFO topic */
	if (!is_name(stem) || a->name.n > TOPIC_NAME_MAX)
		return ctx_fail_field(e->c, ERR_INVALID, STR("Name"), "Invalid parameter: Topic Name");
	a->wish.row.name = a->name;
	a->wish.row.tags = (struct tags){a->tags.at, a->tags.count};
	return a->wish.has_policy
		       ? sns_check_policy(e, e->c->who->account_number, a->name, a->wish.row.policy)
		       : OK;
}

static RESULT answer_create(struct sns_call *e, const void *args, struct xml *x)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(sns_find_returned(e, a->wish.made, &row));
	xml_text(x, "TopicArn", sns_arn(e, KIND_TOPIC, row));
	return OK;
}

/* ---- by ARN ---- */

struct topic_args {
	struct topic_target wish;
	struct str arn;
};
static const struct param topic_params[] = {SNS_TOPIC(struct topic_args, arn)};

/* A topic that is absent is deleted already. */
static RESULT prepare_delete(struct sns_call *e, void *args)
{
	struct topic_args *a = args;
	struct result found = sns_find_topic(e, a->arn, "TopicArn", &a->wish.topic);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	e->skips_operation = true;
	return OK;
}

struct set_args {
	struct topic_wish wish;
	struct str arn, name, value;
};
static const struct param set_params[] = {
	SNS_TOPIC(struct set_args, arn),
	PARAM(struct set_args, "AttributeName", name, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Name of the attribute: DisplayName, Policy, SignatureVersion, "
		     "ContentBasedDeduplication or "
		     "FifoThroughputScope."),
	PARAM(struct set_args, "AttributeValue", value, .max = 30720, .doc = "Value of the attribute."),
};

static RESULT prepare_set(struct sns_call *e, void *args)
{
	struct set_args *a = args;
	const struct topic *topic = NULL;
	TRY(read_attribute(e, a->name, a->value, "AttributeName", &a->wish));
	TRY(sns_find_topic(e, a->arn, "TopicArn", &a->wish.topic));
	topic = topic_find(sns_tables(e), a->wish.topic.prefix);
	return a->wish.has_policy ? sns_check_policy(e, sns_owner_number(e, KIND_TOPIC, &topic->row),
						     topic->name, a->wish.row.policy)
				  : OK;
}

static struct str number_text(struct sns_call *e, int64_t number)
{
	return str_print(e->c->arena, "%lld", (long long) number);
}

#define DELIVERY_POLICY                                                                                      \
	"{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":20,\"maxDelayTarget\":20,"             \
	"\"numRetries\":3,\"numMaxDelayRetries\":0,\"numNoDelayRetries\":0,\"numMinDelayRetries\":0,"        \
	"\"backoffFunction\":\"linear\"},\"disableSubscriptionOverrides\":false,"                            \
	"\"defaultRequestPolicy\":{\"headerContentType\":\"text/plain; charset=UTF-8\"}}}"

static RESULT answer_attributes(struct sns_call *e, const void *args, struct xml *x)
{
	const struct topic_args *a = args;
	const struct topic *topic = NULL;
	int64_t confirmed = 0, pending = 0;
	TRY(sns_find_topic_row(e, a->arn, "TopicArn", &topic));
	for (const struct topic_subscription *s =
		     topic_subscription_first_by_topic(sns_tables(e), topic->row.id);
	     s; s = topic_subscription_next_by_topic(sns_tables(e), s))
		*(s->is_confirmed ? &confirmed : &pending) += 1;
	struct str arn = sns_arn(e, KIND_TOPIC, &topic->row);
	xml_open(x, "Attributes");
	sns_write_entry(x, "TopicArn", arn);
	struct str number = sns_owner_number(e, KIND_TOPIC, &topic->row);
	sns_write_entry(x, "Owner", number);
	sns_write_entry(x, "DisplayName", topic->display_name);
	sns_write_entry(x, "Policy",
			topic->policy.n ? topic->policy
					: engine_write_topic_policy(e->c->arena, arn, number));
	sns_write_entry(x, "EffectiveDeliveryPolicy", STR(DELIVERY_POLICY));
	sns_write_entry(x, "SubscriptionsConfirmed", number_text(e, confirmed));
	sns_write_entry(x, "SubscriptionsPending", number_text(e, pending));
	sns_write_entry(x, "SubscriptionsDeleted", STR("0"));
	if (topic->is_fifo) {
		sns_write_entry(x, "FifoTopic", STR("true"));
		sns_write_entry(x, "ContentBasedDeduplication",
				topic->dedups_content ? STR("true") : STR("false"));
	}
	if (topic->dedups_groups)
		sns_write_entry(x, "FifoThroughputScope", STR("MessageGroup"));
	if (topic->signature_version)
		sns_write_entry(x, "SignatureVersion", number_text(e, topic->signature_version));
	xml_close(x, "Attributes");
	return OK;
}

struct list_args {
	struct query_pages pages;
};
static const struct param list_params[] = {SNS_PAGE(struct list_args, pages)};

static RESULT answer_list(struct sns_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, SNS_ITEMS_OF_A_PAGE, "NextToken", &page));
	xml_open(x, "Topics");
	for (const struct topic *topic = topic_first_by_account(sns_tables(e), e->c->who->account);
	     topic && !page.is_cut; topic = topic_next_by_account(sns_tables(e), topic)) {
		if (engine_is_topic_deleted(topic) || !query_page_takes(&page, topic->name))
			continue;
		xml_open(x, "member");
		xml_text(x, "TopicArn", sns_arn(e, KIND_TOPIC, &topic->row));
		xml_close(x, "member");
	}
	xml_close(x, "Topics");
	query_close_page(e->c, x, "NextToken", &page);
	return OK;
}

/* ---- tags ---- */

struct tag_args {
	struct entity_tags wish;
	struct str arn;
};
#define RESOURCE                                                                                             \
	PARAM(struct tag_args, "ResourceArn", arn, .flags = REQUIRED, .min = 1, .max = MESSAGING_ARN_MAX,    \
	      .doc = "ARN of the topic.")
static const struct param tag_params[] = {RESOURCE, PARAM_LIST(struct tag_args, "Tags.member", wish.tags,
							       tag_table, .flags = REQUIRED,
							       .max = TAGS_READ_MAX, .doc = "Tags to set.")};
static const struct param untag_params[] = {RESOURCE, PARAM(struct tag_args, "TagKeys.member", wish.keys,
							    .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX,
							    .doc = "Tags to remove.")};
static const struct param tags_params[] = {RESOURCE};

static RESULT prepare_tags(struct sns_call *e, void *args)
{
	struct tag_args *a = args;
	TRY(sns_find_topic(e, a->arn, "ResourceArn", &a->wish.entity));
	return a->wish.tags.count <= TAGS_MAX
		       ? OK
		       : ctx_fail(e->c, ERR_QUOTA,
				  "Could not complete request: tag quota of per resource exceeded");
}

static RESULT answer_tags(struct sns_call *e, const void *args, struct xml *x)
{
	const struct tag_args *a = args;
	const struct topic *topic = NULL;
	TRY(sns_find_topic_row(e, a->arn, "ResourceArn", &topic));
	xml_open(x, "Tags");
	for (size_t k = 0; k < topic->tags.count; k++) {
		xml_open(x, "member");
		xml_text(x, "Key", topic->tags.at[k].key);
		xml_text(x, "Value", topic->tags.at[k].value);
		xml_close(x, "member");
	}
	xml_close(x, "Tags");
	return OK;
}

static RESULT answer_nothing(struct sns_call *e, const void *args, struct xml *x)
{
	(void) e, (void) args, (void) x;
	return OK;
}

static const struct sns_action actions[] = {
	{SNS_ACTION("CreateTopic"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .prepare = prepare_create, .operation = engine_create_topic_run, .answer = answer_create,
	 .returns = KIND_TOPIC, .doc = "Creates a topic, or returns the one of that name."},
	{SNS_ACTION("DeleteTopic"), .flags = API_WRITES, .args = PARAMS(struct topic_args, topic_params),
	 .prepare = prepare_delete, .operation = engine_delete_topic_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a topic with its subscriptions."},
	{SNS_ACTION("ListTopics"), .args = PARAMS(struct list_args, list_params), .answer = answer_list,
	 .doc = "Lists the topics of the account."},
	{SNS_ACTION("GetTopicAttributes"), .args = PARAMS(struct topic_args, topic_params),
	 .answer = answer_attributes, .doc = "Returns the attributes of a topic."},
	{SNS_ACTION("SetTopicAttributes"), .flags = API_WRITES, .args = PARAMS(struct set_args, set_params),
	 .prepare = prepare_set, .operation = engine_set_topic_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets an attribute of a topic."},
	{SNS_ACTION("TagResource"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .prepare = prepare_tags, .operation = engine_tag_entity_run, .answer = answer_nothing,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Sets tags on a topic."},
	{SNS_ACTION("UntagResource"), .flags = API_WRITES, .args = PARAMS(struct tag_args, untag_params),
	 .prepare = prepare_tags, .operation = engine_untag_entity_run, .answer = answer_nothing,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes tags from a topic."},
	{SNS_ACTION("ListTagsForResource"), .args = PARAMS(struct tag_args, tags_params),
	 .answer = answer_tags, .doc = "Lists the tags of a topic."},
};
const struct api_actions sns_topic_actions = API_ACTIONS(actions);
