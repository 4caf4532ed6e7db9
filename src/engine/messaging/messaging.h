/* SPDX-License-Identifier: Apache-2.0
 * Queues of messages (SQS) and topics (SNS). A topic writes one delivery for each confirmed subscription, in the change that
 * publishes; reconcile/messaging/ takes deliveries to queues and servers, so that the committer signs and sends nothing. Messages of a
 * queue are rows: a receive hides a message until a time, and changes its receipt. */
#pragma once

#include "engine/operation.h"
#include "store/queue.h"
#include "store/queue_message.h"
#include "store/topic.h"
#include "store/topic_delivery.h"
#include "store/topic_subscription.h"

enum {
	QUEUE_NAME_MAX = 80,
	TOPIC_NAME_MAX = 256,
	TOPIC_SUBJECT_MAX = 100,
	TOPIC_PROTOCOLS = 3,
	QUEUE_MESSAGE_BYTES_MAX = 1048576, /* since August 2025; 262,144 before */
	TOPIC_MESSAGE_BYTES_MAX = 262144,
	MESSAGE_TRACE_MAX = 1024,
	MESSAGE_ATTRIBUTES_MAX = 10,
	MESSAGE_BATCH_MAX = 10,
	MESSAGING_ARN_MAX = 1600
};
/* A deduplication ID counts for so long. */
#define QUEUE_DEDUPLICATION_US (5 * MINUTE)

/* Texts of an attribute in queue_message.attributes. */
enum { ATTRIBUTE_NAME, ATTRIBUTE_TYPE, ATTRIBUTE_VALUE, ATTRIBUTE_TEXTS };

/* ---- ARNs ---- */

/* True for queues, topics, and what they contain. */
bool engine_is_messaging_kind(enum kind kind);
/* "arn:aws:sqs:us-east-1:111122223333:jobs". row NULL: the ARN of all rows of the kind. */
struct str engine_write_messaging_arn(const struct tables *t, struct arena *a, struct str region,
				      struct str account_number, enum kind kind, const struct row *row);
/* Splits "arn:aws:SERVICE:REGION:ACCOUNT:NAME". False: another ARN. *ret_name is not empty. */
bool engine_read_messaging_arn(struct str arn, const char *service, struct str region,
			       struct str account_number, struct str *ret_name);
/* The row's own ARN, with the region's name and the owner's number. */
struct str engine_find_queue_arn(const struct tables *t, struct arena *a, const struct queue *queue);
struct str engine_find_topic_arn(const struct tables *t, struct arena *a, const struct topic *topic);
/* A queue of any account by its ARN; NULL: there is none. *ret_is_arn: it names a queue of this region, present or not. */
const struct queue *engine_find_any_queue(const struct tables *t, struct str arn, bool *ret_is_arn);
/* A queue or topic of the account by its ARN; NULL: there is none. */
const struct queue *engine_find_queue_by_arn(const struct tables *t, uuid account, struct str arn);
const struct topic *engine_find_topic_by_arn(const struct tables *t, uuid account, struct str arn);

/* ---- queues ---- */

enum queue_attribute {
	QUEUE_VISIBILITY,
	QUEUE_DELAY,
	QUEUE_RETENTION,
	QUEUE_SIZE,
	QUEUE_WAIT,
	QUEUE_DEDUPLICATION,
	QUEUE_DEAD,
	QUEUE_REDRIVE_ALLOW,
	QUEUE_POLICY,
	QUEUE_DEDUPLICATION_SCOPE,
	QUEUE_THROUGHPUT_LIMIT,
	QUEUE_ATTRIBUTES
};
struct queue_wish {
	struct queue
		row; /* name, is_fifo, tags and given attributes of a new queue; given attributes to set */
	struct ref queue; /* of engine_set_queue */
	unsigned given;   /* bits of enum queue_attribute */
	/* outputs: */
	uuid made;
};
/* Finds a queue with that name and those attributes, or creates it. ERR_EXISTS: it has others. ERR_QUOTA. ERR_INVALID. */
OPERATION(engine_create_queue, queue_wish)
OPERATION(engine_set_queue, queue_wish)

struct queue_target {
	struct ref queue;
};
OPERATION(engine_delete_queue, queue_target)
/* True for a queue that is deleted, while its last messages go. Its name begins with "*", which no other queue's name has. */
bool engine_is_queue_deleted(const struct queue *queue);
/* ERR_CONFLICT: purged within the last minute. */
OPERATION(engine_purge_queue, queue_target)

struct message_wish {
	struct str body, message_group, deduplication;
	struct str trace; /* AWSTraceHeader */
	struct strs attributes;
	int64_t delay_s; /* below zero: the queue's */
	const char
		*refusal; /* by the face, or an output: why a message of a batch is not sent; NULL: it is */
	enum err refused; /* the same as a code */
	/* outputs: */
	uuid message;
	int64_t number;
};
struct send_wish {
	struct ref queue;
	struct message_wish *at;
	size_t count;
	bool is_batch; /* a message that is refused does not stop the others */
};
/* ERR_INVALID with the field: what FIFO queues need is missing, or what they lack is there. ERR_QUOTA: the queue is full.
 * ERR_TOO_LARGE: longer than the queue takes. */
OPERATION(engine_send_messages, send_wish)

struct receive_wish {
	struct ref queue;
	int64_t count, visibility_s; /* visibility_s below zero: the queue's */
	/* output: the queue that is received from; messages are those of its rows that the change puts */
	uuid found;
};
OPERATION(engine_receive_messages, receive_wish)
/* True if a message may be received at that time. *ret_next_us: when one that is hidden appears; INT64_MAX: none does. */
bool engine_has_message(const struct tables *t, const struct queue *queue, int64_t now_us,
			int64_t *ret_next_us);

struct handle_wish {
	uuid message, receipt;
	int64_t visibility_s;
	const char *refusal; /* set by the face, or an output; NULL: done */
};
struct handles_wish {
	struct ref queue;
	struct handle_wish *at;
	size_t count;
};
OPERATION(engine_delete_messages, handles_wish)
OPERATION(engine_change_visibility, handles_wish)

struct queue_figures {
	int64_t visible, hidden, delayed;
};
/* Messages that may be received, that are received, and that are delayed. */
struct queue_figures engine_count_messages(const struct tables *t, const struct queue *queue, int64_t now_us);

/* Forgets some messages whose time has passed. */
struct queue_sweep {
	uuid queue;
};
SYSTEM_OPERATION(engine_sweep_queue, queue_sweep)
bool engine_has_queue_waste(const struct tables *t, const struct queue *queue, int64_t now_us);

/* ---- statements of policies ---- */

struct permission_wish {
	struct ref subject; /* a queue or a topic */
	struct str label;   /* Sid of the statement */
	struct strs accounts, actions;
};
/* ERR_INVALID: the label is in use, or absent, or an account does not exist. ERR_QUOTA: the policy would be too long. */
OPERATION(engine_add_queue_permission, permission_wish)
OPERATION(engine_remove_queue_permission, permission_wish)
OPERATION(engine_add_topic_permission, permission_wish)
OPERATION(engine_remove_topic_permission, permission_wish)

/* ---- topics ---- */

struct topic_wish {
	struct topic row; /* name, tags, and given attributes */
	struct ref topic; /* of engine_set_topic */
	bool has_display_name, has_signature_version, has_dedups_content, has_dedups_groups, has_policy;
	/* output: */
	uuid made;
};
/* The policy that a topic has until another one is set: it admits services that publish for a resource of the owner. */
struct str engine_write_topic_policy(struct arena *a, struct str arn, struct str account_number);
/* Finds the topic with that name, or creates it. ERR_EXISTS: it has other tags. ERR_QUOTA. */
OPERATION(engine_create_topic, topic_wish)
OPERATION(engine_set_topic, topic_wish)

struct topic_target {
	struct ref topic;
};
/* With its subscriptions. */
OPERATION(engine_delete_topic, topic_target)
/* True for a topic that is deleted, while its last messages go. Its name begins with "*", which no other topic's name has. */
bool engine_is_topic_deleted(const struct topic *topic);
/* Forgets some of a deleted topic's messages, and at last the topic; of another topic some records that no longer count. */
struct topic_sweep {
	uuid topic;
};
SYSTEM_OPERATION(engine_sweep_topic, topic_sweep)

struct published_message {
	struct str subject, body;
	struct str bodies[TOPIC_PROTOCOLS]; /* by enum topic_subscription_protocol; empty: body */
	struct strs attributes;
	struct str message_group, deduplication;
	const char *refusal; /* set by the face: why this message of a batch is not published */
	/* outputs: */
	uuid message;
	int64_t sequence; /* number of the message in a FIFO topic; else 0 */
};
struct publish_wish {
	struct ref topic;
	struct published_message *at;
	size_t count;
};
/* ERR_INVALID: a FIFO topic needs a message group and a deduplication ID, another topic takes no deduplication ID. ERR_QUOTA. */
OPERATION(engine_publish, publish_wish)
/* True for a topic with records that no longer count. *ret_next_us: when the next one does not; 0: there is none. */
bool engine_has_topic_waste(const struct tables *t, const struct topic *topic, int64_t now_us,
			    int64_t *ret_next_us);

struct subscribe_wish {
	struct ref topic;
	enum topic_subscription_protocol protocol;
	struct str endpoint, dead_queue, filter;
	bool is_raw, filters_body;
	struct str token, sealed_token; /* of http and https: digest, and the token itself */
	/* outputs: */
	uuid made;
	bool is_confirmed;
};
/* Finds the subscription of that endpoint, or creates it. A queue of the account is confirmed at once, also one that does not exist
 * yet; a queue of another account confirms like a server. ERR_INVALID; ERR_QUOTA. */
OPERATION(engine_subscribe, subscribe_wish)

struct subscription_wish {
	struct ref subscription;
	struct str dead_queue, token; /* token: digest, of engine_confirm_subscription */
	struct ref topic;             /* of engine_confirm_subscription */
	enum choice is_raw, is_authenticated;
	bool has_dead_queue, has_filter;
	struct str filter;
	enum choice filters_body;
	/* output: */
	uuid found;
};
OPERATION(engine_set_subscription, subscription_wish)
OPERATION(engine_unsubscribe, subscription_wish)
/* By whoever has the token. ERR_NOT_FOUND. */
OPERATION(engine_confirm_subscription, subscription_wish)

/* Checks a filter policy, of message attributes or of the body. ERR_INVALID in SNS's words. *ret_is_none: it lets all messages
 * through, as an absent one does. */
RESULT engine_check_filter(struct ctx *c, struct str policy, bool is_body, bool *ret_is_none);

/* ---- the key that signs messages ---- */

struct topic_key {
	struct str sealed,
		cert_pem; /* empty: there is none yet. In hex; sealed under the master key with TOPIC_KEY_AAD */
};
#define TOPIC_KEY_AAD STR("sns.key")
struct topic_key engine_get_topic_key(const struct tables *t);
/* Keeps a key, unless there is one already. */
SYSTEM_OPERATION(engine_put_topic_key, topic_key)

/* ---- deliveries ---- */

/* The next delivery that is due; NULL: none. *ret_again_us: when the next is due; 0: none waits. */
const struct topic_delivery *engine_next_topic_delivery(const struct tables *t, uuid subscription,
							int64_t now_us, int64_t *ret_again_us);
struct topic_report {
	uuid delivery;
	struct str body; /* for a queue: the text to put there */
	struct strs attributes;
	bool is_taken, is_final;
	struct str problem;
	int64_t retry_us;
	int64_t now_us;
};
/* Notes that an endpoint has taken a delivery, or why not. A delivery that is given up goes to the subscription's dead-letter queue. */
SYSTEM_OPERATION(engine_see_topic_delivery, topic_report)
/* Puts a delivery into its queue. */
SYSTEM_OPERATION(engine_deliver_to_queue, topic_report)
