/* SPDX-License-Identifier: Apache-2.0
 * Private to api/sqs/: declares actions and calls; finds queues by URL; attributes and messages. */
#pragma once

#include "api/core/dispatch.h"
#include "api/query/forms.h"
#include "api/query/message_attributes.h"
#include "api/query/pages.h"
#include "api/query/request.h"
#include "api/sqs/sqs.h"
#include "base/xml.h"
#include "engine/messaging/messaging.h"

struct sqs_call {
	API_CALL_BASE;
	enum query_form form;
};
struct sqs_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct sqs_call *e, void *args);
	/* NULL: no result */
	RESULT (*answer)(struct sqs_call *e, const void *args, struct forms_writer *w);
};
#define SQS_ACTION(word) .name = (word), .permit = "sqs:" word

API_DEFINE_FACE(sqs)

extern const struct api_actions sqs_queue_actions, sqs_message_actions, sqs_batch_actions,
	sqs_permission_actions;
extern const struct api_groups sqs_action_groups;

/* ---- errors.c ---- */

#define SQS_VERSION "2012-11-05"
#define SQS_NAMESPACE STR("http://queue.amazonaws.com/doc/" SQS_VERSION "/")
extern const struct api_errors sqs_errors;
/* The shape of the service's model that has that code of the query protocol. */
const char *sqs_shape_of(const char *code);
/* Fails with one of the codes that batches have. */
RESULT sqs_fail_batch(struct sqs_call *e, const char *code, const char *words);

/* SQS has a sentence of its own for a message that is too long. */
enum { SQS_BODY_READ_MAX = 3 * QUEUE_MESSAGE_BYTES_MAX };

/* ---- queues.c ---- */

#define SQS_QUEUE(T, member)                                                                                 \
	PARAM(T, "QueueUrl", member, .min = 1, .max = 1024,                                                  \
	      .doc = "URL of the queue; absent: the path of the request.")

/* Finds a queue by its URL, or by the request's path, in the caller's account or in another one whose queue policy admits
 * the caller. ERR_NOT_FOUND. */
RESULT sqs_find_queue(struct sqs_call *e, struct str url, struct ref *ret_ref);
/* The same, as a row. */
RESULT sqs_find_queue_row(struct sqs_call *e, struct str url, const struct queue **ret_queue);

/* The owner's account number. */
struct str sqs_owner_number(struct sqs_call *e, const struct queue *queue);

/* ---- attributes.c ---- */

struct sqs_pair {
	struct str name, value;
};
struct sqs_pairs {
	struct sqs_pair *at;
	size_t count;
};
extern const struct params sqs_pair_params;
/* Reads attributes into a wish, which has the queue's name. is_new: FifoQueue is allowed. ERR_UNKNOWN, ERR_INVALID, ERR_UNSUPPORTED with the field
 * "Attribute". */
RESULT sqs_read_attributes(struct sqs_call *e, const struct sqs_pairs *pairs, bool is_new,
			   struct queue_wish *wish);
/* Writes the attributes that the names ask for, as a map. */
RESULT sqs_write_attributes(struct sqs_call *e, struct forms_writer *w, const struct queue *queue,
			    const struct strs *names);

/* ---- policy.c ---- */

/* Checks a new policy of the queue with that name. ERR_INVALID. */
RESULT sqs_check_policy(struct sqs_call *e, struct str queue, struct str policy);

/* ---- messages.c ---- */

/* "5d41402abc4b2a76b9719d911017c592" */
struct str sqs_digest_body(struct sqs_call *e, struct str body);
struct str sqs_digest_attributes(struct sqs_call *e, const struct strs *attributes);
/* "ZGFy…": message and receipt. */
struct str sqs_write_handle(struct sqs_call *e, const struct queue_message *m);
bool sqs_read_handle(struct sqs_call *e, struct str text, struct handle_wish *ret_handle);
/* AWSTraceHeader of the message system attributes; unchanged if there is none. ERR_INVALID with the field. */
RESULT sqs_read_trace(struct sqs_call *e, const struct message_attributes *system, struct str *ret_trace);
/* MessageId, digests and SequenceNumber of a sent message. digest_name: "MD5OfMessageBody". */
void sqs_write_sent(struct sqs_call *e, struct forms_writer *w, const struct message_wish *m, bool is_fifo);
