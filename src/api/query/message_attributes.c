/* SPDX-License-Identifier: Apache-2.0
 * Implements message_attributes.h. */
#include "api/query/message_attributes.h"

#include <stdlib.h>

/* Tables of a service: its largest message is the largest value. */
#define TABLES(prefix, most)                                                                                 \
	static const struct param prefix##_value_rows[] = {                                                  \
		PARAM(struct message_value, "DataType", type, .flags = REQUIRED, .min = 1, .max = 256,       \
		      .doc = "Data type: String, Number or Binary, optionally followed by a dot and a "      \
			     "label."),                                                                      \
		PARAM(struct message_value, "StringValue", text, .max = (most),                              \
		      .doc = "Value of type String or Number."),                                             \
		PARAM(struct message_value, "BinaryValue", binary, .max = (most),                            \
		      .doc = "Value of type Binary, in base64."),                                            \
		NOT_BUILT("StringListValue|BinaryListValue"),                                                \
	};                                                                                                   \
	static const struct params prefix##_value_table = PARAMS(struct message_value, prefix##_value_rows); \
	static const struct param prefix##_rows[] = {                                                        \
		PARAM(struct message_attribute, "Name", name, .flags = REQUIRED, .min = 1, .max = 256,       \
		      .doc = "Name."),                                                                       \
		PARAM_OBJECT(struct message_attribute, "Value", value, prefix##_value_table,                 \
			     .doc = "Type and value."),                                                      \
	};                                                                                                   \
	const struct params prefix##_attribute_params = PARAMS(struct message_attribute, prefix##_rows);

TABLES(queue, QUEUE_MESSAGE_BYTES_MAX)
TABLES(topic, TOPIC_MESSAGE_BYTES_MAX)
#undef TABLES

static int compare_names(const void *a, const void *b)
{
	return str_compare(((const struct message_attribute *) a)->name,
			   ((const struct message_attribute *) b)->name);
}

bool message_attribute_is(struct str type, const char *base)
{
	struct str b = str_from(base);
	return str_starts_with(type, b) && (type.n == b.n || type.p[b.n] == '.');
}

static RESULT fail_attribute(struct ctx *c, const char *field, const struct message_attribute *a,
			     const char *words)
{
	return ctx_fail_field(c, ERR_INVALID, str_from(field), "The message attribute '%" STR_FMT "' %s",
			      STR_ARG(str_cut(a->name, 256)), words);
}

/* SQS and SNS word this differently; SNS calls the list MessageAttributes. */
static RESULT fail_empty(struct ctx *c, const char *field, const struct message_attribute *a)
{
	struct str name = str_cut(a->name, 256), type = str_cut(a->value.type, 256);
	if (str_is(STR("MessageAttributes"), field))
		return ctx_fail_field(c, ERR_INVALID, str_from(field),
				      "The message attribute '%" STR_FMT
				      "' must contain non-empty message attribute value for message "
				      "attribute type '%" STR_FMT "'.",
				      STR_ARG(name), STR_ARG(type));
	return ctx_fail_field(c, ERR_INVALID, str_from(field),
			      "Message (user) attribute '%" STR_FMT
			      "' must contain a non-empty value of type '%" STR_FMT "'.",
			      STR_ARG(name), STR_ARG(type));
}

static bool is_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '_' && name.p[k] != '-' &&
		    name.p[k] != '.')
			return false;
	return true;
}

static RESULT check_attribute(struct ctx *c, const char *field, const struct message_attribute *a)
{
	struct str bytes;
	bool is_binary = message_attribute_is(a->value.type, "Binary");
	if (!is_name(a->name))
		return ctx_fail_field(
			c, ERR_INVALID, str_from(field),
			"The message attribute name '%" STR_FMT
			"' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), "
			"hyphen (-), and period (.) characters.",
			STR_ARG(str_cut(a->name, 256)));
	if (!is_binary && !message_attribute_is(a->value.type, "String") &&
	    !message_attribute_is(a->value.type, "Number"))
		return fail_attribute(c, field, a,
				      "has an invalid message attribute type, the set of supported type "
				      "prefixes is Binary, Number, and String.");
	if (!(is_binary ? a->value.binary : a->value.text).n)
		return fail_empty(c, field, a);
	if (is_binary && !result_is_ok(str_decode_base64(c->arena, a->value.binary, &bytes)))
		return fail_attribute(c, field, a, "is not in Base64.");
	return OK;
}

RESULT message_attributes_read(struct ctx *c, const struct message_attributes *attributes, const char *field,
			       struct strs *ret_texts)
{
	struct str *texts = arena_new_array(c->arena, struct str, attributes->count * ATTRIBUTE_TEXTS + 1);
	if (!texts)
		return ctx_no_memory(c);
	if (attributes->count > MESSAGE_ATTRIBUTES_MAX)
		return ctx_fail_field(c, ERR_INVALID, str_from(field),
				      "Number of message attributes [%zu] exceeds the allowed maximum [%d].",
				      attributes->count, MESSAGE_ATTRIBUTES_MAX);
	if (attributes->count > 1)
		qsort(attributes->at, attributes->count, sizeof *attributes->at, compare_names);
	for (size_t k = 0; k < attributes->count; k++) {
		const struct message_attribute *a = &attributes->at[k];
		TRY(check_attribute(c, field, a));
		if (k && str_equal(a->name, attributes->at[k - 1].name))
			return fail_attribute(c, field, a, "is there twice.");
		texts[k * ATTRIBUTE_TEXTS + ATTRIBUTE_NAME] = a->name;
		texts[k * ATTRIBUTE_TEXTS + ATTRIBUTE_TYPE] = a->value.type;
		texts[k * ATTRIBUTE_TEXTS + ATTRIBUTE_VALUE] =
			message_attribute_is(a->value.type, "Binary") ? a->value.binary : a->value.text;
	}
	*ret_texts = (struct strs){texts, attributes->count * ATTRIBUTE_TEXTS};
	return OK;
}

size_t message_attributes_size(const struct strs *texts)
{
	size_t size = 0;
	for (size_t k = 0; k < texts->count; k++)
		size += texts->at[k].n;
	return size;
}
