/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: parts of queues and topics. Everything here runs inside an operation, and asks for no permission. */
#pragma once

#include "engine/internal.h"
#include "engine/messaging/messaging.h"
#include "engine/messaging/service_sender.h"

/* Adds a message to a queue. sender: SenderId. ERR_QUOTA: the queue is full. */
RESULT queue_add_message(struct op *op, uuid queue, struct message_wish *message, struct str sender);
/* Finds a queue of the caller's, and checks permission. ERR_NOT_FOUND: also one that is deleted already. */
RESULT queue_permit(struct op *op, const struct ref *ref, const char *permission,
		    const struct queue **ret_queue);
/* The same for topics. */
RESULT topic_permit(struct op *op, const struct ref *ref, const char *permission,
		    const struct topic **ret_topic);
/* Forgets up to 200 messages of the queue. */
RESULT queue_empty(struct op *op, uuid queue, bool *ret_is_empty);
/* Permits the call's action on a row that the ref names, also on another account's by its policy. row: NULL, or the row of the ref's id. */
RESULT messaging_permit(struct op *op, const struct ref *ref, const char *permission, const struct row *row,
			const struct row **ret_row);
/* A message as filter policies see it. Documents are read once, for all subscriptions: attributes, then the body. */
enum { FILTER_SCOPES = 2 };
struct filter_message {
	struct str body;
	struct strs attributes;
	struct json_t *documents[FILTER_SCOPES];
	bool is_read[FILTER_SCOPES];
};
/* True if the policy, which engine_check_filter() has checked, lets the message through. Empty: it does. */
bool message_filter_admits(struct filter_message *m, struct str policy, bool is_body);
/* Frees the documents. */
void message_filter_close(struct filter_message *m);
/* ---- topic_fifo.c ---- */

/* Gives the message its id and, in a FIFO topic, its sequence number. *ret_is_new false: its deduplication ID still counts, and the
 * message has the id and number of the first one. ERR_INVALID, ERR_MISSING, ERR_QUOTA. */
RESULT topic_take_message(struct op *op, uuid topic, struct published_message *message, bool *ret_is_new);
/* Forgets up to 200 records of deduplication IDs: those that no longer count, or of all. */
RESULT topic_forget_records(struct op *op, uuid topic, bool of_all, bool *ret_is_empty);

/* ---- topic.c ---- */

/* Writes a delivery for each confirmed subscription of the topic. */
RESULT topic_publish(struct op *op, uuid topic, struct published_message *message);
