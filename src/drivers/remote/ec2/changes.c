/* SPDX-License-Identifier: Apache-2.0
 * The change feed of AWS: EventBridge, or SNS, puts events of the account into a queue of SQS that the operator names. Events only
 * name what is to be read again, so that a forged one does no more than a request to refresh. Sources: Amazon SQS API
 * Reference, AWS JSON 1.0; Amazon EventBridge User Guide, "Event structure"; Amazon EC2 User Guide, "State change
 * events"; Amazon EBS User Guide, "EventBridge events"; AWS CloudTrail User Guide, "Record contents". */
#include "drivers/remote/ec2/changes.h"

#include <string.h>

#include "base/crypto.h"
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/request.h"
#include "model/sigv4_sign.h"

enum {
	MESSAGES_MAX = 10,
	DEPTH_MAX = 12,   /* deepest member of an event that is read */
	TEXTS_MAX = 2000, /* texts of an event that are read */
	RECEIPT_MAX = 4096,
	INSTANCE_DIGITS_MIN = 8,
	INSTANCE_DIGITS_MAX = 17
};

/* ---- events ---- */

#define TYPE(name) 1U << REMOTE_RESOURCE_TYPE_##name
/* Types of resources that an event is about, by a part of its `detail-type`, its `source`, or the name of the action that CloudTrail has
 * recorded. */
static const struct {
	const char *path, *part;
	unsigned types;
} hints[] = {
	{"detail-type", "EBS Volume", TYPE(VOLUME)},
	{"detail-type", "EBS Snapshot", TYPE(SNAPSHOT)},
	{"detail-type", "EC2 AMI", TYPE(IMAGE)},
	{"source", "aws.cloudformation", TYPE(STACK) | TYPE(STACK_RESOURCE)},
	{"detail/eventName", "Volume", TYPE(VOLUME)},
	{"detail/eventName", "Snapshot", TYPE(SNAPSHOT)},
	{"detail/eventName", "Image", TYPE(IMAGE)},
	{"detail/eventName", "Vpc", TYPE(NETWORK)},
	{"detail/eventName", "Subnet", TYPE(SUBNET)},
	{"detail/eventName", "SecurityGroup", TYPE(SECURITY_GROUP)},
	{"detail/eventName", "KeyPair", TYPE(KEY_PAIR)},
	{"detail/eventName", "Address", TYPE(ADDRESS)},
};

/* "i-1234567890abcdef0", alone or at the end of an ARN. Empty: neither. */
static struct str instance_in(struct str text)
{
	struct str mark = STR(":instance/"), id = text;
	const char *at = text.n > mark.n ? memmem(text.p, text.n, mark.p, mark.n) : NULL;
	if (at)
		id = str_slice(text, (size_t) (at - text.p) + mark.n, text.n);
	if (!str_starts_with(id, STR("i-")) || id.n < 2 + INSTANCE_DIGITS_MIN ||
	    id.n > 2 + INSTANCE_DIGITS_MAX)
		return STR_NONE;
	for (size_t k = 2; k < id.n; k++)
		if (!memchr("0123456789abcdef", id.p[k], 16))
			return STR_NONE;
	return id;
}

struct scan {
	struct ctx *c;
	struct remote_changes *changes;
	uint64_t event; /* digest of the event's id */
	size_t texts;
};

/* Every instance that the event names is touched, wherever its id stands: the forms of events differ. */
static RESULT scan_value(struct scan *s, const json_t *value, unsigned depth)
{
	const char *key = NULL;
	json_t *each = NULL;
	if (depth > DEPTH_MAX || s->texts > TEXTS_MAX)
		return OK;
	if (json_is_object(value))
		json_object_foreach ((json_t *) value, key, each)
			TRY(scan_value(s, each, depth + 1));
	for (size_t k = 0; k < json_array_size(value); k++)
		TRY(scan_value(s, json_array_get(value, k), depth + 1));
	if (!json_is_string(value))
		return OK;
	s->texts++;
	struct str id = instance_in((struct str){json_string_value(value), json_string_length(value)});
	return id.n ? remote_touch_machine(s->c, s->changes, id, s->event) : OK;
}

static uint64_t digest_of(struct str id)
{
	uint8_t sum[SHA256_SIZE];
	uint64_t event = 0;
	crypto_sha256(id, sum);
	memcpy(&event, sum, sizeof event);
	return event;
}

static RESULT read_event(struct ctx *c, const json_t *event, struct str message_id,
			 struct remote_changes *changes)
{
	struct str id = remote_json_text(c, event, "id");
	struct scan s = {.c = c, .changes = changes, .event = digest_of(id.n ? id : message_id)};
	for (size_t k = 0; k < sizeof hints / sizeof hints[0]; k++) {
		struct str text = remote_json_text(c, event, hints[k].path);
		if (str_contains(text, str_from(hints[k].part)))
			changes->types |= hints[k].types;
	}
	return scan_value(&s, event, 0);
}

/* SNS wraps an event unless the subscription asks for raw delivery. */
static RESULT read_body(struct ctx *c, struct str body, struct str message_id, struct remote_changes *changes)
{
	json_t *event = NULL, *inner = NULL;
	if (!result_is_ok(remote_parse_json(c, body, &event))) {
		ctx_clear_problem(c);
		return OK;
	}
	const json_t *message = json_object_get(event, "Message");
	struct str wrapped = {json_string_value(message), json_string_length(message)};
	bool is_wrapped = str_is(remote_json_text(c, event, "Type"), "Notification") && wrapped.n &&
			  result_is_ok(remote_parse_json(c, wrapped, &inner));
	ctx_clear_problem(c);
	struct result result = read_event(c, is_wrapped ? inner : event, message_id, changes);
	json_decref(inner);
	json_decref(event);
	return result;
}

RESULT ec2_read_messages(struct ctx *c, const json_t *root, struct remote_changes *ret_changes,
			 struct strs *ret_receipts)
{
	const json_t *messages = json_object_get(root, "Messages");
	struct str *receipts = arena_new_array(c->arena, struct str, MESSAGES_MAX);
	size_t count = json_array_size(messages);
	*ret_receipts = (struct strs){receipts, 0};
	if (!receipts)
		return ctx_no_memory(c);
	if (messages && (!json_is_array(messages) || count > MESSAGES_MAX)) /* absent: there is none */
		return ctx_fail(c, ERR_IO, "The answer is not usable: it is no list of messages.");
	for (size_t k = 0; k < count; k++) {
		const json_t *message = json_array_get(messages, k), *body = json_object_get(message, "Body");
		struct str receipt = remote_json_text(c, message, "ReceiptHandle");
		struct str text = {json_string_value(body), json_string_length(body)};
		if (receipt.n && receipt.n < RECEIPT_MAX)
			receipts[ret_receipts->count++] = receipt;
		if (text.n)
			TRY(read_body(c, text, remote_json_text(c, message, "MessageId"), ret_changes));
	}
	ret_changes->has_more = count > 0;
	return OK;
}

/* ---- calls ---- */

static RESULT ask(struct ctx *c, struct remote *r, const char *action, struct str body,
		  struct remote_answer *ret_http)
{
	struct remote_url url;
	struct remote_request request = {
		.url = ec2_endpoint_of(c, r, "sqs"), .body = body, .wanted_header = "x-amzn-ErrorType"};
	struct str target = str_print(c->arena, "AmazonSQS.%s", action);
	const struct sigv4_header more = {STR("x-amz-target"), target};
	TRY(remote_parse_url(c, request.url, &url));
	TRY(ec2_sign_target(c, r, "sqs", &url, &more, &request));
	TRY(remote_send(c, r, &request, ret_http));
	return ret_http->status == 200 ? OK
				       : ec2_refuse_block_call(c, r, ret_http->status,
							       buf_str(&ret_http->body), ret_http->header);
}

static RESULT ask_for_json(struct ctx *c, struct remote *r, const char *action, struct str body,
			   json_t **ret_root)
{
	struct remote_answer http = {0};
	struct result result = ask(c, r, action, body, &http);
	if (result_is_ok(result))
		result = remote_parse_json(c, buf_str(&http.body), ret_root);
	buf_done(&http.body);
	return result;
}

static RESULT receive(struct ctx *c, struct remote *r, struct remote_changes *changes, struct strs *receipts)
{
	struct remote_body b;
	struct str body = STR_NONE;
	json_t *root = NULL;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_text(&b.json, "QueueUrl", r->queue);
	json_write_int(&b.json, "MaxNumberOfMessages", MESSAGES_MAX);
	json_write_int(&b.json, "WaitTimeSeconds", 0); /* acts must not wait for a poll */
	json_write_close(&b.json);
	TRY(remote_body_end(c, &b, &body));
	TRY(ask_for_json(c, r, "ReceiveMessage", body, &root));
	struct result result = ec2_read_messages(c, root, changes, receipts);
	json_decref(root);
	return result;
}

/* A message that could not be deleted comes again, which does no harm. */
static RESULT delete_all(struct ctx *c, struct remote *r, struct strs receipts)
{
	struct remote_body b;
	struct str body = STR_NONE;
	json_t *root = NULL;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_text(&b.json, "QueueUrl", r->queue);
	json_write_open_list(&b.json, "Entries");
	for (size_t k = 0; k < receipts.count; k++) {
		json_write_open(&b.json, NULL);
		json_write_text(&b.json, "Id", str_print(c->arena, "m%zu", k));
		json_write_text(&b.json, "ReceiptHandle", receipts.at[k]);
		json_write_close(&b.json);
	}
	json_write_close_list(&b.json);
	json_write_close(&b.json);
	TRY(remote_body_end(c, &b, &body));
	TRY(ask_for_json(c, r, "DeleteMessageBatch", body, &root));
	json_decref(root);
	return OK;
}

RESULT ec2_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			struct remote_changes *ret_changes)
{
	struct strs receipts;
	(void) cursor; /* the queue keeps the place */
	TRY(receive(c, r, ret_changes, &receipts));
	return receipts.count ? delete_all(c, r, receipts) : OK;
}
