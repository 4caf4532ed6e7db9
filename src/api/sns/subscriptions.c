/* SPDX-License-Identifier: Apache-2.0
 * Subscriptions: subscribe, confirm, list, attributes, unsubscribe. Source: Amazon SNS API Reference. */
#include "api/core/params.h"
#include "api/sns/internal.h"
#include "base/crypto.h"
#include "base/random.h"
#include "base/uuid_asked.h"
#include "engine/acting.h"
#include "engine/resolve.h"

enum { ATTRIBUTES_MAX = 20, TOKEN_BYTES = 32, ENDPOINT_MAX = 2048 };

#define SUBSCRIPTION(T, member)                                                                              \
	PARAM(T, "SubscriptionArn", member, .flags = REQUIRED, .min = 1, .max = MESSAGING_ARN_MAX + 40,      \
	      .doc = "ARN of the subscription.")

/* ---- by ARN ---- */

/* "arn:aws:sns:REGION:ACCOUNT:TOPIC:UUID" */
static RESULT find_subscription(struct sns_call *e, struct str arn, struct ref *ret_ref)
{
	struct str rest = arn, part = STR_NONE;
	uuid id = UUID_NONE;
	size_t parts = 0;
	while (str_split_next(&rest, ':', &part))
		parts++;
	TRY(sns_check_arn(e, arn, "SubscriptionArn"));
	if (parts != 7 || !result_is_ok(uuid_parse_asked(part, &id)))
		ctx_clear_problem(e->c);
	const struct topic_subscription *s = topic_subscription_find(sns_tables(e), id);
	const struct topic *topic = s ? topic_find(sns_tables(e), s->topic) : NULL;
	/* Only the subscriber and the topic's owner may find a subscription; to other accounts it does not exist. */
	bool is_theirs = topic && (uuid_equal(s->account, e->c->who->account) ||
				   uuid_equal(topic->account, e->c->who->account));
	bool is_same = is_theirs && str_equal(sns_arn(e, KIND_TOPIC_SUBSCRIPTION, &s->row), arn);
	*ret_ref = is_same ? ref_by_id(KIND_TOPIC_SUBSCRIPTION, id)
			   : (struct ref){.kind = KIND_TOPIC_SUBSCRIPTION};
	ret_ref->text = arn;
	ret_ref->field = STR("SubscriptionArn");
	return is_same ? OK : engine_fail_not_found(e->c, KIND_TOPIC_SUBSCRIPTION, ret_ref);
}

/* ---- attributes ---- */

static RESULT read_attribute(struct sns_call *e, struct str name, struct str value, const char *field,
			     struct subscription_wish *wish)
{
	bool is_raw = false;
	if (str_is(name, "RawMessageDelivery")) {
		if (!result_is_ok(str_parse_bool(value, &is_raw)))
			return ctx_fail_field(
				e->c, ERR_INVALID, str_from(field),
				"Invalid parameter: %sRawMessageDelivery: Invalid value [%" STR_FMT
				"]. Must be true or false.",
				str_is(STR("Attributes"), field) ? "Attributes Reason: " : "",
				STR_ARG(str_cut(value, 256)));
		wish->is_raw = is_raw ? CHOICE_YES : CHOICE_NO;
		return OK;
	}
	if (str_is(name, "FilterPolicy")) {
		wish->has_filter = true;
		wish->filter = value;
		return OK;
	}
	if (str_is(name, "FilterPolicyScope")) {
		if (!str_is(value, "MessageAttributes") && !str_is(value, "MessageBody"))
			return sns_fail(e, field,
					"FilterPolicyScope: Invalid value. Must be MessageAttributes or "
					"MessageBody.");
		wish->filters_body = str_is(value, "MessageBody") ? CHOICE_YES : CHOICE_NO;
		return OK;
	}
	if (str_is(name, "RedrivePolicy")) {
		wish->has_dead_queue = true;
		return sns_read_redrive(e, value, &wish->dead_queue);
	}
	return str_is(name, "DeliveryPolicy") || str_is(name, "SubscriptionRoleArn") ||
			       str_is(name, "ReplayPolicy")
		       ? sns_refuse(e, field, name)
		       : ctx_fail_field(e->c, ERR_INVALID, str_from(field), "Invalid parameter: %s", field);
}

/* ---- subscribe ---- */

struct subscribe_args {
	struct subscribe_wish wish;
	struct str arn, protocol, endpoint;
	struct sns_entries attributes;
	bool returns_arn;
};
static const struct param subscribe_params[] = {
	SNS_TOPIC(struct subscribe_args, arn),
	PARAM(struct subscribe_args, "Protocol", protocol, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Protocol: sqs, http or https."),
	PARAM(struct subscribe_args, "Endpoint", endpoint, .flags = REQUIRED, .min = 1, .max = ENDPOINT_MAX,
	      .doc = "Endpoint: ARN of a queue, or a URL."),
	PARAM_LIST(
		struct subscribe_args, "Attributes.entry", attributes, sns_entry_params,
		.max = ATTRIBUTES_MAX,
		.doc = "Attributes: RawMessageDelivery, RedrivePolicy, FilterPolicy and FilterPolicyScope."),
	PARAM(struct subscribe_args, "ReturnSubscriptionArn", returns_arn,
	      .doc = "Whether the answer contains the ARN before the subscription is confirmed."),
};

static bool is_visible(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] <= ' ' || text.p[k] > '~')
			return false;
	return true;
}

const char *const sns_protocols[TOPIC_PROTOCOLS] = {[TOPIC_SUBSCRIPTION_PROTOCOL_SQS] = "sqs",
						    [TOPIC_SUBSCRIPTION_PROTOCOL_HTTP] = "http",
						    [TOPIC_SUBSCRIPTION_PROTOCOL_HTTPS] = "https"};

/* Protocols that SNS has and Dari does not. Numbers are checked as SNS does, before the protocol is refused. */
static RESULT refuse_protocol(struct sns_call *e, const struct subscribe_args *a)
{
	static const char *const unbuilt[] = {"email",       "email-json", "sms",
					      "application", "lambda",     "firehose"};
	if (str_is(a->protocol, "sms") && !sns_is_number(a->endpoint))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Endpoint"), "Invalid SMS endpoint: %" STR_FMT,
				      STR_ARG(str_cut(a->endpoint, 256)));
	for (size_t k = 0; k < sizeof unbuilt / sizeof *unbuilt; k++)
		if (str_is(a->protocol, unbuilt[k]))
			return sns_refuse(e, "Protocol", a->protocol);
	return ctx_fail_field(
		e->c, ERR_INVALID, STR("Protocol"),
		"Invalid parameter: Amazon SNS does not support this protocol string: %" STR_FMT,
		STR_ARG(str_cut(a->protocol, 64)));
}

bool sns_is_number(struct str text)
{
	enum { DIGITS_MAX = 15 };
	if (text.n < 2 || text.n > DIGITS_MAX + 1 || text.p[0] != '+' || text.p[1] == '0')
		return false;
	for (size_t k = 1; k < text.n; k++)
		if (text.p[k] < '0' || text.p[k] > '9')
			return false;
	return true;
}

static RESULT read_protocol(struct sns_call *e, struct subscribe_args *a)
{
	for (size_t k = 0; k < TOPIC_PROTOCOLS; k++) {
		if (!str_is(a->protocol, sns_protocols[k]))
			continue;
		a->wish.protocol = (enum topic_subscription_protocol) k;
		struct str start = str_print(e->c->arena, "%s://", sns_protocols[k]);
		bool is_url = str_starts_with(a->endpoint, start) && a->endpoint.n > start.n &&
			      is_visible(a->endpoint);
		return k == TOPIC_SUBSCRIPTION_PROTOCOL_SQS || is_url
			       ? OK
			       : sns_fail(e, "Endpoint", "it is no URL of that protocol");
	}
	return refuse_protocol(e, a);
}

static struct str digest_token(struct sns_call *e, struct str token)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(token, digest);
	return str_encode_hex(e->c->arena, digest, sizeof digest);
}

/* A token for the server, sealed for the delivery that brings it there. */
static RESULT make_token(struct sns_call *e, struct subscribe_wish *wish)
{
	uint8_t bytes[TOKEN_BYTES];
	random_bytes(bytes, sizeof bytes);
	struct str token = str_encode_hex(e->c->arena, bytes, sizeof bytes);
	wish->token = digest_token(e, token);
	return crypto_seal(e->c, e->config->master_key, TOPIC_KEY_AAD, token, &wish->sealed_token);
}

static RESULT prepare_subscribe(struct sns_call *e, void *args)
{
	struct subscribe_args *a = args;
	struct subscription_wish attributes = {0};
	for (size_t k = 0; k < a->attributes.count; k++)
		TRY(read_attribute(e, a->attributes.at[k].name, a->attributes.at[k].value, "Attributes",
				   &attributes));
	TRY(read_protocol(e, a));
	a->wish.endpoint = a->endpoint;
	a->wish.is_raw = attributes.is_raw == CHOICE_YES;
	a->wish.dead_queue = attributes.dead_queue;
	a->wish.filter = attributes.filter;
	a->wish.filters_body = attributes.filters_body == CHOICE_YES;
	TRY(make_token(e, &a->wish)); /* a queue of the account does not need it */
	return sns_find_topic(e, a->arn, "TopicArn", &a->wish.topic);
}

static RESULT answer_subscribe(struct sns_call *e, const void *args, struct xml *x)
{
	const struct subscribe_args *a = args;
	const struct row *row = NULL;
	TRY(sns_find_returned(e, a->wish.made, &row));
	xml_text(x, "SubscriptionArn",
		 a->wish.is_confirmed || a->returns_arn ? sns_arn(e, KIND_TOPIC_SUBSCRIPTION, row)
							: STR("pending confirmation"));
	return OK;
}

/* ---- confirm ---- */

struct confirm_args {
	struct subscription_wish wish;
	struct str arn, token;
	bool is_authenticated;
};
static const struct param confirm_params[] = {
	SNS_TOPIC(struct confirm_args, arn),
	PARAM(struct confirm_args, "Token", token, .flags = REQUIRED, .min = 1, .max = 256,
	      .doc = "Token of the confirmation request."),
	PARAM(struct confirm_args, "AuthenticateOnUnsubscribe", is_authenticated,
	      .doc = "Stored and shown. Only signed calls can end a subscription here."),
};

static RESULT prepare_confirm(struct sns_call *e, void *args)
{
	struct confirm_args *a = args;
	a->wish.topic = (struct ref){.kind = KIND_TOPIC, .text = a->arn, .field = STR("TopicArn")};
	a->wish.token = digest_token(e, a->token);
	a->wish.is_authenticated = a->is_authenticated ? CHOICE_YES : CHOICE_DEFAULT;
	return OK;
}

static RESULT answer_confirm(struct sns_call *e, const void *args, struct xml *x)
{
	const struct confirm_args *a = args;
	(void) e;
	xml_text(x, "SubscriptionArn",
		 str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(a->arn),
			   STR_ARG(uuid_to_str(e->c->arena, a->wish.found))));
	return OK;
}

/* ---- list ---- */

static struct str topic_arn_of(struct sns_call *e, const struct topic_subscription *s)
{
	const struct topic *topic = topic_find(sns_tables(e), s->topic);
	return sns_arn(e, KIND_TOPIC, topic ? &topic->row : NULL);
}

/* The account that has subscribed. */
static struct str subscriber_number(struct sns_call *e, const struct topic_subscription *s)
{
	return engine_account_number(sns_tables(e), s->account);
}

static void write_subscription(struct sns_call *e, struct xml *x, const struct topic_subscription *s)
{
	xml_open(x, "member");
	xml_text(x, "SubscriptionArn",
		 s->is_confirmed ? sns_arn(e, KIND_TOPIC_SUBSCRIPTION, &s->row) : STR("PendingConfirmation"));
	xml_text(x, "Owner", subscriber_number(e, s));
	xml_z(x, "Protocol", sns_protocols[s->protocol]);
	xml_text(x, "Endpoint", s->endpoint);
	xml_text(x, "TopicArn", topic_arn_of(e, s));
	xml_close(x, "member");
}

struct list_args {
	struct str arn;
	struct query_pages pages;
};
static const struct param list_params[] = {SNS_PAGE(struct list_args, pages)};
static const struct param by_topic_params[] = {SNS_TOPIC(struct list_args, arn),
					       SNS_PAGE(struct list_args, pages)};

/* In order of creation, which is that of the index; keys of pages need an order. */
static struct str key_of(struct sns_call *e, const struct topic_subscription *s)
{
	return str_print(e->c->arena, "%020lld.%" STR_FMT, (long long) s->row.created_us,
			 STR_ARG(uuid_to_str(e->c->arena, s->row.id)));
}

/* False: the topic is being deleted. */
static bool has_topic(struct sns_call *e, const struct topic_subscription *s)
{
	const struct topic *topic = topic_find(sns_tables(e), s->topic);
	return topic && !engine_is_topic_deleted(topic);
}

/* Subscriptions of the topic, whoever has subscribed; without a topic those of the account. */
static const struct topic_subscription *first_listed(struct sns_call *e, const struct topic *topic)
{
	return topic ? topic_subscription_first_by_topic(sns_tables(e), topic->row.id)
		     : topic_subscription_first_by_account(sns_tables(e), e->c->who->account);
}

static const struct topic_subscription *next_listed(struct sns_call *e, const struct topic *topic,
						    const struct topic_subscription *s)
{
	return topic ? topic_subscription_next_by_topic(sns_tables(e), s)
		     : topic_subscription_next_by_account(sns_tables(e), s);
}

static RESULT answer_list(struct sns_call *e, const void *args, struct xml *x)
{
	const struct list_args *a = args;
	const struct topic *topic = NULL;
	struct query_page page;
	if (a->arn.n)
		TRY(sns_find_topic_row(e, a->arn, "TopicArn", &topic));
	TRY(query_open_page(e->c, &a->pages, SNS_ITEMS_OF_A_PAGE, "NextToken", &page));
	xml_open(x, "Subscriptions");
	for (const struct topic_subscription *s = first_listed(e, topic); s && !page.is_cut;
	     s = next_listed(e, topic, s))
		if ((topic || has_topic(e, s)) && query_page_takes(&page, key_of(e, s)))
			write_subscription(e, x, s);
	xml_close(x, "Subscriptions");
	query_close_page(e->c, x, "NextToken", &page);
	return OK;
}

/* ---- one ---- */

struct one_args {
	struct subscription_wish wish;
	struct str arn, name, value;
};
static const struct param one_params[] = {SUBSCRIPTION(struct one_args, arn)};
static const struct param set_params[] = {
	SUBSCRIPTION(struct one_args, arn),
	PARAM(struct one_args, "AttributeName", name, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Name of the attribute: RawMessageDelivery, RedrivePolicy, FilterPolicy or "
		     "FilterPolicyScope."),
	PARAM(struct one_args, "AttributeValue", value, .max = 30720, .doc = "Value of the attribute."),
};

/* A subscription that is absent has ended already. */
static RESULT prepare_end(struct sns_call *e, void *args)
{
	struct one_args *a = args;
	struct result found = find_subscription(e, a->arn, &a->wish.subscription);
	if (found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	e->skips_operation = true;
	return OK;
}

static RESULT prepare_set(struct sns_call *e, void *args)
{
	struct one_args *a = args;
	TRY(read_attribute(e, a->name, a->value, "AttributeName", &a->wish));
	return find_subscription(e, a->arn, &a->wish.subscription);
}

static RESULT answer_one(struct sns_call *e, const void *args, struct xml *x)
{
	const struct one_args *a = args;
	struct ref ref;
	const struct topic_subscription *s = NULL;
	TRY(find_subscription(e, a->arn, &ref));
	TRY(engine_find_own_topic_subscription(e->c, sns_tables(e), &ref, &s));
	xml_open(x, "Attributes");
	sns_write_entry(x, "SubscriptionArn", sns_arn(e, KIND_TOPIC_SUBSCRIPTION, &s->row));
	sns_write_entry(x, "TopicArn", topic_arn_of(e, s));
	sns_write_entry(x, "Owner", e->c->who->account_number);
	sns_write_entry(x, "Protocol", str_from(sns_protocols[s->protocol]));
	sns_write_entry(x, "Endpoint", s->endpoint);
	sns_write_entry(x, "ConfirmationWasAuthenticated", s->is_authenticated ? STR("true") : STR("false"));
	sns_write_entry(x, "PendingConfirmation", s->is_confirmed ? STR("false") : STR("true"));
	sns_write_entry(x, "RawMessageDelivery", s->is_raw ? STR("true") : STR("false"));
	if (s->filter.n) {
		sns_write_entry(x, "FilterPolicy", s->filter);
		sns_write_entry(x, "FilterPolicyScope",
				s->filters_body ? STR("MessageBody") : STR("MessageAttributes"));
	}
	if (s->dead_queue.n)
		sns_write_entry(x, "RedrivePolicy",
				str_print(e->c->arena,
					  "{\"deadLetterTargetArn\":\"arn:aws:sqs:%" STR_FMT ":%" STR_FMT
					  ":%" STR_FMT "\"}",
					  STR_ARG(e->config->region), STR_ARG(e->c->who->account_number),
					  STR_ARG(s->dead_queue)));
	xml_close(x, "Attributes");
	return OK;
}

static const struct sns_action actions[] = {
	{SNS_ACTION("Subscribe"), .flags = API_WRITES,
	 .args = PARAMS(struct subscribe_args, subscribe_params), .prepare = prepare_subscribe,
	 .operation = engine_subscribe_run, .answer = answer_subscribe, .returns = KIND_TOPIC_SUBSCRIPTION,
	 .doc = "Subscribes a queue or an HTTP server to a topic."},
	{SNS_ACTION("ConfirmSubscription"), .flags = API_WRITES | API_OPEN,
	 .args = PARAMS(struct confirm_args, confirm_params), .prepare = prepare_confirm,
	 .operation = engine_confirm_subscription_run, .answer = answer_confirm,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Confirms a subscription by its token. Needs no signature."},
	{SNS_ACTION("Unsubscribe"), .flags = API_WRITES, .args = PARAMS(struct one_args, one_params),
	 .prepare = prepare_end, .operation = engine_unsubscribe_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a subscription."},
	{SNS_ACTION("ListSubscriptions"), .args = PARAMS(struct list_args, list_params),
	 .answer = answer_list, .doc = "Lists the subscriptions of the account."},
	{SNS_ACTION("ListSubscriptionsByTopic"), .args = PARAMS(struct list_args, by_topic_params),
	 .answer = answer_list, .doc = "Lists the subscriptions of a topic."},
	{SNS_ACTION("GetSubscriptionAttributes"), .args = PARAMS(struct one_args, one_params),
	 .answer = answer_one, .doc = "Returns the attributes of a subscription."},
	{SNS_ACTION("SetSubscriptionAttributes"), .flags = API_WRITES,
	 .args = PARAMS(struct one_args, set_params), .prepare = prepare_set,
	 .operation = engine_set_subscription_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets an attribute of a subscription."},
};
const struct api_actions sns_subscription_actions = API_ACTIONS(actions);
