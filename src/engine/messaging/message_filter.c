/* SPDX-License-Identifier: Apache-2.0
 * Filter policies of subscriptions: which messages a topic passes on. A policy and a message are JSON documents; message attributes
 * are made one, so that one matcher serves both scopes. Called by: topic.c, topic_subscription.c. Source: Amazon SNS Developer Guide,
 * "Amazon SNS subscription filter policies". */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/ip.h"
#include "engine/messaging/messaging_internal.h"

enum { KEYS_MAX = 5, COMBINATIONS_MAX = 150, DEPTH_MAX = 16, NUMBER_MAX = 1000000000, RANGE = 4 };
#define PRECISION 1e5 /* SNS compares five digits behind the point */

/* ---- check ---- */

struct checking {
	struct ctx *c;
	bool is_body;
	int64_t combinations;
};

static RESULT fail(const struct checking *k, const char *words, const char *word)
{
	return ctx_fail_field(k->c, ERR_INVALID, STR("FilterPolicy"), "Invalid parameter: FilterPolicy: %s%s",
			      words, word);
}

static RESULT fail_numeric(const struct checking *k, const char *words, const char *word)
{
	return ctx_fail_field(k->c, ERR_INVALID, STR("FilterPolicy"),
			      "Invalid parameter: Attributes Reason: FilterPolicy: %s%s", words, word);
}

static bool is_comparison(const char *word)
{
	static const char *const words[] = {"=", "<", "<=", ">", ">="};
	for (size_t n = 0; n < sizeof words / sizeof *words; n++)
		if (!strcmp(word, words[n]))
			return true;
	return false;
}

/* An operator and its number, at `at` of the list. */
static RESULT check_pair(const struct checking *k, const json_t *list, size_t at)
{
	const json_t *word = json_array_get(list, at), *number = json_array_get(list, at + 1);
	char text[32] = "]";
	if (json_is_number(word))
		snprintf(text, sizeof text, "%g", json_number_value(word));
	if (!json_is_string(word))
		return fail_numeric(k, "Invalid member in numeric match: ", text);
	if (!is_comparison(json_string_value(word)))
		return fail_numeric(k, "Unrecognized numeric range operator: ",
				    json_string_length(word) < 32 ? json_string_value(word) : "");
	if (json_is_number(number))
		return OK;
	snprintf(text, sizeof text, "%s must be numeric", json_string_value(word));
	return fail_numeric(k, "Value of ", text);
}

/* Accepts one comparison, or a range from a lower to an upper bound. */
static RESULT check_numeric(const struct checking *k, const json_t *list)
{
	if (!json_is_array(list))
		return fail_numeric(k, "Value of numeric must be an array", "");
	TRY(check_pair(k, list, 0));
	if (json_array_size(list) == 2)
		return OK;
	if (json_string_value(json_array_get(list, 0))[0] != '>')
		return fail_numeric(k, "Too many elements in numeric expression", "");
	TRY(check_pair(k, list, 2));
	const char *upper = json_string_value(json_array_get(list, 2));
	if (upper[0] != '<')
		return fail_numeric(k, "Bad numeric range operator: ", upper);
	if (json_array_size(list) > RANGE)
		return fail_numeric(k, "Too many elements in numeric expression", "");
	return json_number_value(json_array_get(list, 1)) < json_number_value(json_array_get(list, 3))
		       ? OK
		       : fail_numeric(k, "Bottom must be less than top", "");
}

static RESULT check_scalar(const struct checking *k, const json_t *value)
{
	if (json_is_number(value) && fabs(json_number_value(value)) > NUMBER_MAX)
		return fail(k, "Match value must be between -1.0E9 and 1.0E9", "");
	return json_is_string(value) || json_is_number(value) || json_is_boolean(value) || json_is_null(value)
		       ? OK
		       : fail(k, "Match value must be String, number, true, false, or null", "");
}

static bool is_text_match(const char *word)
{
	return !strcmp(word, "prefix") || !strcmp(word, "suffix") || !strcmp(word, "equals-ignore-case");
}

static RESULT check_text(const struct checking *k, const char *word, const json_t *value)
{
	return json_is_string(value) ? OK : fail(k, word, " match pattern must be a string");
}

/* The one member of an object; NULL: it has none or several. */
static const char *get_word(const json_t *object, const json_t **ret_value)
{
	void *iterator = json_object_iter((json_t *) object);
	if (json_object_size(object) != 1)
		return NULL;
	*ret_value = json_object_iter_value(iterator);
	return json_object_iter_key(iterator);
}

static RESULT check_anything_but(const struct checking *k, const json_t *value)
{
	const json_t *inner = NULL;
	size_t index;
	const json_t *member;
	if (json_is_object(value)) {
		const char *word = get_word(value, &inner);
		return word && is_text_match(word)
			       ? check_text(k, word, inner)
			       : fail(k, "Unsupported anything-but pattern: ", word ? word : "");
	}
	if (!json_is_array(value))
		return check_scalar(k, value);
	if (!json_array_size(value))
		return fail(k, "Empty arrays are not allowed", "");
	json_array_foreach ((json_t *) value, index, member)
		TRY(check_scalar(k, member));
	return OK;
}

static RESULT check_condition(const struct checking *k, const json_t *condition)
{
	const json_t *value = NULL;
	struct cidr block;
	if (!json_is_object(condition))
		return check_scalar(k, condition);
	const char *word = get_word(condition, &value);
	if (!word)
		return fail(k, "Only one key allowed in match expression", "");
	if (is_text_match(word))
		return check_text(k, word, value);
	if (!strcmp(word, "exists"))
		return json_is_boolean(value)
			       ? OK
			       : fail(k, "exists match pattern must be either true or false.", "");
	if (!strcmp(word, "numeric"))
		return check_numeric(k, value);
	if (!strcmp(word, "anything-but"))
		return check_anything_but(k, value);
	if (strcmp(word, "cidr") != 0)
		return fail(k, "Unrecognized match type ", strlen(word) < 64 ? word : "");
	bool is_block =
		json_is_string(value) && result_is_ok(cidr_parse(str_from(json_string_value(value)), &block));
	return is_block ? OK : fail(k, "cidr match pattern must be a block of addresses", "");
}

/* Each list counts as often as it is deep, as SNS has it. */
static RESULT count_list(struct checking *k, const json_t *list, int64_t depth)
{
	k->combinations *= (int64_t) json_array_size(list) * depth;
	return k->combinations <= COMBINATIONS_MAX ? OK : fail(k, "Filter policy is too complex", "");
}

static RESULT check_level(struct checking *k, const json_t *level, int64_t depth);

static RESULT check_or(struct checking *k, const json_t *choices, int64_t depth)
{
	size_t index;
	const json_t *choice;
	if (!json_is_array(choices) || json_array_size(choices) < 2)
		return fail(k, "$or must be an array of two or more objects", "");
	json_array_foreach ((json_t *) choices, index, choice) {
		if (!json_is_object(choice) || !json_object_size(choice))
			return fail(k, "$or must be an array of two or more objects", "");
		TRY(check_level(k, choice, depth));
	}
	return OK;
}

static RESULT check_level(struct checking *k, const json_t *level, int64_t depth)
{
	const char *key;
	json_t *value;
	size_t index;
	const json_t *condition;
	if (depth > DEPTH_MAX)
		return fail(k, "Filter policy is too complex", "");
	json_object_foreach ((json_t *) level, key, value) {
		if (!strcmp(key, "$or")) {
			TRY(check_or(k, value, depth));
		} else if (json_is_object(value)) {
			if (!k->is_body)
				return ctx_fail_field(
					k->c, ERR_INVALID, STR("FilterPolicy"),
					"Invalid parameter: Filter policy scope "
					"MessageAttributes does not support nested filter policy");
			TRY(check_level(k, value, depth + 1));
		} else {
			if (!json_array_size(value))
				return fail(k, "Match value must be a non-empty array: ",
					    strlen(key) < 64 ? key : "");
			TRY(count_list(k, value, depth));
			json_array_foreach (value, index, condition)
				TRY(check_condition(k, condition));
		}
	}
	return OK;
}

static json_t *read_document(struct str text, size_t flags)
{
	return json_loadb(text.p ? text.p : "", text.n, flags | JSON_REJECT_DUPLICATES, NULL);
}

RESULT engine_check_filter(struct ctx *c, struct str policy, bool is_body, bool *ret_is_none)
{
	struct checking k = {.c = c, .is_body = is_body, .combinations = 1};
	json_t *document = policy.n ? read_document(policy, 0) : NULL;
	struct result result = OK;
	*ret_is_none = !policy.n || (json_is_object(document) && !json_object_size(document));
	if (!*ret_is_none)
		result = !json_is_object(document) ? fail(&k, "failed to parse JSON.", "")
			 : json_object_size(document) > KEYS_MAX
				 ? fail(&k, "Filter policy can not have more than 5 keys", "")
				 : check_level(&k, document, 1);
	json_decref(document);
	return result;
}

/* ---- match ---- */

static bool is_same_number(double a, double b)
{
	if (fabs(a) > NUMBER_MAX || fabs(b) > NUMBER_MAX)
		return a == b;
	return llround(a * PRECISION) == llround(b * PRECISION);
}

static bool compares(const char *word, double value, double bound)
{
	bool is_same = is_same_number(value, bound);
	return strchr(word, '=') && is_same ? true
	       : word[0] == '<'             ? value < bound && !is_same
	       : word[0] == '>'             ? value > bound && !is_same
					    : false;
}

static bool is_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return is_same_number(json_number_value(a), json_number_value(b));
	return json_equal((json_t *) a, (json_t *) b);
}

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static bool matches_text(const char *word, const json_t *pattern, const json_t *value)
{
	if (!json_is_string(value))
		return false;
	return !strcmp(word, "prefix")   ? str_starts_with(text_of(value), text_of(pattern))
	       : !strcmp(word, "suffix") ? str_ends_with(text_of(value), text_of(pattern))
					 : str_equal_nocase(text_of(value), text_of(pattern));
}

static bool matches_numeric(const json_t *list, const json_t *value)
{
	for (size_t at = 0; at + 1 < json_array_size(list); at += 2)
		if (!json_is_number(value) ||
		    !compares(json_string_value(json_array_get(list, at)), json_number_value(value),
			      json_number_value(json_array_get(list, at + 1))))
			return false;
	return true;
}

static bool is_anything_but(const json_t *pattern, const json_t *value)
{
	const json_t *inner = NULL;
	size_t index;
	const json_t *member;
	if (json_is_object(pattern)) {
		const char *word = get_word(pattern, &inner);
		return word && !matches_text(word, inner, value);
	}
	if (!json_is_array(pattern))
		return !is_equal(pattern, value);
	json_array_foreach ((json_t *) pattern, index, member)
		if (is_equal(member, value))
			return false;
	return true;
}

static bool matches_block(const json_t *pattern, const json_t *value)
{
	struct cidr block;
	struct ip address;
	return json_is_string(value) && result_is_ok(cidr_parse(text_of(pattern), &block)) &&
	       result_is_ok(ip_parse(text_of(value), &address)) && cidr_contains(block, address);
}

static bool matches_scalar(const json_t *condition, const json_t *value)
{
	const json_t *pattern = NULL;
	if (!json_is_object(condition))
		return is_equal(condition, value);
	const char *word = get_word(condition, &pattern);
	if (!word)
		return false;
	if (is_text_match(word))
		return matches_text(word, pattern, value);
	if (!strcmp(word, "numeric"))
		return matches_numeric(pattern, value);
	return !strcmp(word, "cidr") ? matches_block(pattern, value) : is_anything_but(pattern, value);
}

/* A list has what one of its elements has. */
static bool matches_condition(const json_t *condition, const json_t *value)
{
	size_t index;
	const json_t *element;
	const json_t *exists = json_object_get(condition, "exists");
	if (exists)
		return json_is_true(exists) == (value && !json_is_object(value));
	if (!value || json_is_object(value))
		return false;
	if (!json_is_array(value))
		return matches_scalar(condition, value);
	json_array_foreach ((json_t *) value, index, element)
		if (!json_is_object(element) && matches_scalar(condition, element))
			return true;
	return false;
}

static bool matches_any(const json_t *conditions, const json_t *value)
{
	size_t index;
	const json_t *condition;
	json_array_foreach ((json_t *) conditions, index, condition)
		if (matches_condition(condition, value))
			return true;
	return false;
}

static bool matches_level(const json_t *level, const json_t *document);

/* In a list of objects, one of them has all that the policy wants of it. */
static bool matches_part(const json_t *level, const json_t *part)
{
	size_t index;
	const json_t *element;
	if (!json_is_array(part))
		return matches_level(level, json_is_object(part) ? part : NULL);
	json_array_foreach ((json_t *) part, index, element)
		if (json_is_object(element) && matches_level(level, element))
			return true;
	return false;
}

static bool matches_or(const json_t *choices, const json_t *document)
{
	size_t index;
	const json_t *choice;
	json_array_foreach ((json_t *) choices, index, choice)
		if (matches_level(choice, document))
			return true;
	return false;
}

/* document NULL: the part is absent, and only conditions about absence match. */
static bool matches_level(const json_t *level, const json_t *document)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) level, key, value) {
		const json_t *part = json_object_get(document, key);
		bool matches = !strcmp(key, "$or")     ? matches_or(value, document)
			       : json_is_object(value) ? matches_part(value, part)
						       : matches_any(value, part);
		if (!matches)
			return false;
	}
	return true;
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
	bool admits = json_is_object(document) && matches_level(level, document);
	json_decref(level);
	return admits;
}

void message_filter_close(struct filter_message *m)
{
	for (size_t k = 0; k < FILTER_SCOPES; k++)
		json_decref(m->documents[k]);
}
