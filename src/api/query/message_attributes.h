/* SPDX-License-Identifier: Apache-2.0
 * Message attributes of SQS and SNS: name, type and value. Source: Amazon SQS Developer Guide, "Amazon SQS message attributes". Any
 * thread. */
#pragma once

#include "api/core/params.h"
#include "engine/messaging/messaging.h"

struct message_value {
	struct str type, text, binary;
};
struct message_attribute {
	struct str name;
	struct message_value value;
};
struct message_attributes {
	struct message_attribute *at;
	size_t count;
};
extern const struct params queue_attribute_params,
	topic_attribute_params; /* filling struct message_attribute */

/* True if a type is "String", or "String.label". */
bool message_attribute_is(struct str type, const char *base);
/* Bytes that the attributes add to a message. */
size_t message_attributes_size(const struct strs *texts);
/* Attributes as rows keep them, sorted by name. ERR_INVALID with the field. */
RESULT message_attributes_read(struct ctx *c, const struct message_attributes *attributes, const char *field,
			       struct strs *ret_texts);
