/* SPDX-License-Identifier: Apache-2.0
 * Checks patterns of JSON documents when they are set, so that matching cannot fail. The reasons are those that AWS's services give,
 * which share one implementation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "engine/messaging/json_pattern.h"

enum { DEPTH_MAX = 16, RANGE = 4, WILDCARDS_MAX = 100 };

struct checking {
	struct ctx *c;
	const struct json_pattern_dialect *d;
	int64_t combinations;
	size_t wildcards;
};

static RESULT fail(const struct checking *k, const char *words, const char *word)
{
	return ctx_fail_field(k->c, ERR_INVALID, str_from(k->d->field), "%s%s%s", k->d->words, words, word);
}

static RESULT fail_numeric(const struct checking *k, const char *words, const char *word)
{
	return ctx_fail_field(k->c, ERR_INVALID, str_from(k->d->field), "%s%s%s", k->d->numeric_words, words,
			      word);
}

/* ---- numbers ---- */

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
	if (json_is_number(value) && fabs(json_number_value(value)) > k->d->number_max)
		return fail(k, "Match value must be between ",
			    k->d->is_wide ? "-5.0E9 and 5.0E9" : "-1.0E9 and 1.0E9");
	return json_is_string(value) || json_is_number(value) || json_is_boolean(value) || json_is_null(value)
		       ? OK
		       : fail(k, "Match value must be String, number, true, false, or null", "");
}

/* ---- texts ---- */

/* A star stands for any characters, and "\*" for itself. */
static RESULT check_wildcard(struct checking *k, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1] != '*' && p[1] != '\\')
			return fail(k, "Invalid escape character at pos ", "");
		if (*p == '\\') {
			p++;
			continue;
		}
		if (*p != '*')
			continue;
		if (p[1] == '*')
			return fail(k, "Consecutive wildcard characters at pos ", "");
		if (++k->wildcards > WILDCARDS_MAX)
			return fail(k,
				    "Rule is too complex - try using fewer wildcard characters or fewer "
				    "repeating character sequences after a wildcard character",
				    "");
	}
	return OK;
}

static RESULT check_text(struct checking *k, const char *word, const json_t *value)
{
	enum json_pattern_text kind = json_pattern_find_text(k->d, word);
	bool may_be_caseless = k->d->is_wide && (kind == PATTERN_PREFIX || kind == PATTERN_SUFFIX);
	const json_t *inner = NULL;
	if (may_be_caseless && json_is_object(value)) {
		const char *name = json_pattern_get_word(value, &inner);
		if (!name || strcmp(name, "equals-ignore-case") != 0)
			return fail(k, word, " match pattern must be a string");
		value = inner;
	}
	if (!json_is_string(value))
		return fail(k, word, " match pattern must be a string");
	return kind == PATTERN_WILDCARD ? check_wildcard(k, json_string_value(value)) : OK;
}

/* ---- conditions ---- */

static RESULT check_anything_but_text(struct checking *k, const char *word, const json_t *value)
{
	size_t index;
	const json_t *member;
	if (!k->d->is_wide || !json_is_array(value))
		return check_text(k, word, value);
	if (!json_array_size(value))
		return fail(k, "Empty arrays are not allowed", "");
	json_array_foreach ((json_t *) value, index, member)
		TRY(check_text(k, word, member));
	return OK;
}

static RESULT check_anything_but(struct checking *k, const json_t *value)
{
	const json_t *inner = NULL;
	size_t index;
	const json_t *member;
	if (json_is_object(value)) {
		const char *word = json_pattern_get_word(value, &inner);
		return word && json_pattern_find_text(k->d, word)
			       ? check_anything_but_text(k, word, inner)
			       : fail(k, "Unsupported anything-but pattern: ", word ? word : "");
	}
	if (!json_is_array(value))
		return check_scalar(k, value);
	if (!json_array_size(value))
		return fail(k, "Empty arrays are not allowed", "");
	json_array_foreach ((json_t *) value, index, member) {
		TRY(check_scalar(k, member));
		if (k->d->is_wide && json_is_string(member) != json_is_string(json_array_get(value, 0)))
			return fail(k,
				    "Inside anything but list, either all values are number or string, "
				    "mixed type is not supported",
				    "");
	}
	return OK;
}

static RESULT check_condition(struct checking *k, const json_t *condition)
{
	const json_t *value = NULL;
	struct cidr block;
	if (!json_is_object(condition))
		return check_scalar(k, condition);
	const char *word = json_pattern_get_word(condition, &value);
	if (!word)
		return fail(k, "Only one key allowed in match expression", "");
	if (json_pattern_find_text(k->d, word))
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

/* ---- levels ---- */

/* Each list counts as often as it is deep, as SNS has it. */
static RESULT count_list(struct checking *k, const json_t *list, int64_t depth)
{
	if (!k->d->combinations_max)
		return OK;
	k->combinations *= (int64_t) json_array_size(list) * depth;
	return k->combinations <= k->d->combinations_max ? OK : fail(k, k->d->complex_words, "");
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

static RESULT check_list(struct checking *k, const char *key, const json_t *value, int64_t depth)
{
	size_t index;
	const json_t *condition;
	if (k->d->is_wide && !json_is_array(value)) {
		char text[128];
		snprintf(text, sizeof text, "\"%.60s\" must be an object or an array", key);
		return fail(k, text, "");
	}
	if (k->d->is_wide && !json_array_size(value))
		return fail(k, "Empty arrays are not allowed", "");
	if (!json_array_size(value))
		return fail(k, "Match value must be a non-empty array: ", strlen(key) < 64 ? key : "");
	TRY(count_list(k, value, depth));
	json_array_foreach ((json_t *) value, index, condition)
		TRY(check_condition(k, condition));
	return OK;
}

static RESULT check_level(struct checking *k, const json_t *level, int64_t depth)
{
	const char *key;
	json_t *value;
	if (depth > DEPTH_MAX)
		return fail(k, k->d->complex_words, "");
	if (k->d->is_wide && !json_object_size(level))
		return fail(k, "Empty objects are not allowed", "");
	json_object_foreach ((json_t *) level, key, value) {
		if (!strcmp(key, "$or"))
			TRY(check_or(k, value, depth));
		else if (!json_is_object(value))
			TRY(check_list(k, key, value, depth));
		else if (k->d->nested_refusal)
			return ctx_fail_field(k->c, ERR_INVALID, str_from(k->d->field), "%s",
					      k->d->nested_refusal);
		else
			TRY(check_level(k, value, depth + 1));
	}
	return OK;
}

RESULT json_pattern_check(struct ctx *c, const struct json_pattern_dialect *d, const json_t *pattern)
{
	struct checking k = {.c = c, .d = d, .combinations = 1};
	return check_level(&k, pattern, 1);
}
