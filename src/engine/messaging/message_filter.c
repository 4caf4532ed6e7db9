/* SPDX-License-Identifier: Apache-2.0
 * Filter policies of subscriptions: which messages a topic passes on. A policy and a message are JSON documents; message attributes
 * are made one, so that one matcher serves both scopes. Called by: topic.c, topic_subscription.c. Source: Amazon SNS Developer Guide,
 * "Amazon SNS subscription filter policies". */
#include <jansson.h>
#include <string.h>

#include "engine/messaging/json_pattern.h"
#include "engine/messaging/messaging_internal.h"

enum { KEYS_MAX = 5, COMBINATIONS_MAX = 150 };
#define WORDS "Invalid parameter: FilterPolicy: "

/* By scope: of message attributes, which are flat, and of the body. SNS compares five digits behind the point. */
#define DIALECT(refusal)                                                                                     \
	{                                                                                                    \
		.field = "FilterPolicy", .words = WORDS,                                                     \
		.numeric_words = "Invalid parameter: Attributes Reason: FilterPolicy: ",                     \
		.complex_words = "Filter policy is too complex", .nested_refusal = (refusal),                \
		.number_max = 1e9, .precision = 1e5, .combinations_max = COMBINATIONS_MAX                    \
	}
static const struct json_pattern_dialect dialects[FILTER_SCOPES] = {
	DIALECT("Invalid parameter: Filter policy scope MessageAttributes does not support nested filter "
		"policy"),
	DIALECT(NULL)};

/* ---- check ---- */

static RESULT fail(struct ctx *c, const char *words)
{
	return ctx_fail_field(c, ERR_INVALID, STR("FilterPolicy"), WORDS "%s", words);
}

static json_t *read_document(struct str text, size_t flags)
{
	return json_loadb(text.p ? text.p : "", text.n, flags | JSON_REJECT_DUPLICATES, NULL);
}

RESULT engine_check_filter(struct ctx *c, struct str policy, bool is_body, bool *ret_is_none)
{
	json_t *document = policy.n ? read_document(policy, 0) : NULL;
	struct result result = OK;
	*ret_is_none = !policy.n || (json_is_object(document) && !json_object_size(document));
	if (!*ret_is_none)
		result = !json_is_object(document) ? fail(c, "failed to parse JSON.")
			 : json_object_size(document) > KEYS_MAX
				 ? fail(c, "Filter policy can not have more than 5 keys")
				 : json_pattern_check(c, &dialects[is_body], document);
	json_decref(document);
	return result;
}

/* ---- messages ---- */

static bool is_type(struct str type, const char *word)
{
	size_t n = strlen(word);
	return str_starts_with(type, str_from(word)) && (type.n == n || type.p[n] == '.');
}

/* NULL: a binary attribute, which no policy is about. */
static json_t *read_attribute(struct str type, struct str value)
{
	json_t *read = NULL;
	if (str_is(type, "String.Array") ||
	    is_type(type, "Number")) /* SNS reads a number in place of an array, too */
		read = read_document(value, JSON_DECODE_ANY);
	if (json_is_array(read) || json_is_number(read))
		return read;
	json_decref(read);
	return is_type(type, "Binary") ? NULL : json_stringn_nocheck(value.p ? value.p : "", value.n);
}

static json_t *read_attributes(const struct strs *attributes)
{
	json_t *document = json_object();
	for (size_t k = 0; k + ATTRIBUTE_TEXTS <= attributes->count; k += ATTRIBUTE_TEXTS) {
		const struct str *at = &attributes->at[k];
		json_t *value = read_attribute(at[ATTRIBUTE_TYPE], at[ATTRIBUTE_VALUE]);
		if (value)
			json_object_setn_new_nocheck(document, at[ATTRIBUTE_NAME].p, at[ATTRIBUTE_NAME].n,
						     value);
	}
	return document;
}

bool message_filter_admits(struct filter_message *m, struct str policy, bool is_body)
{
	if (!policy.n)
		return true;
	if (!m->is_read[is_body])
		m->documents[is_body] = is_body ? read_document(m->body, 0) : read_attributes(&m->attributes);
	m->is_read[is_body] = true;
	json_t *level = read_document(policy, 0);
	const json_t *document = m->documents[is_body];
	bool admits = json_is_object(document) && json_pattern_matches(&dialects[is_body], level, document);
	json_decref(level);
	return admits;
}

void message_filter_close(struct filter_message *m)
{
	for (size_t k = 0; k < FILTER_SCOPES; k++)
		json_decref(m->documents[k]);
}
