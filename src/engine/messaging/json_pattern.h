/* SPDX-License-Identifier: Apache-2.0
 * Patterns that JSON documents match: SNS's filter policies and EventBridge's event patterns are two dialects of them. A pattern is an
 * object that names members of the document; a list in it holds the conditions of which one must hold. Pure. Sources: Amazon SNS
 * Developer Guide, "Amazon SNS subscription filter policies"; Amazon EventBridge User Guide, "Comparison operators". */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

struct json_pattern_dialect {
	const char *field;          /* field of failures */
	const char *words;          /* before the reason of a failure */
	const char *numeric_words;  /* the same for reasons about "numeric" */
	const char *complex_words;  /* reason for a pattern that is too complex */
	const char *nested_refusal; /* whole message if the pattern has nested objects; NULL: it may */
	double number_max;          /* greatest absolute value of numbers */
	double precision;           /* steps in 1 that "numeric" distinguishes */
	int64_t combinations_max;   /* products of the lists' sizes and depths; 0: not counted */
	bool is_wide; /* EventBridge: wildcards, case-blind prefixes, lists in "anything-but", and numbers that are equal only if
			 they are written in the same form */
};

/* Checks a pattern, which is an object with members. ERR_INVALID with the dialect's field. */
RESULT json_pattern_check(struct ctx *c, const struct json_pattern_dialect *d, const json_t *pattern);
/* True if the document, an object, matches a pattern that was checked. */
bool json_pattern_matches(const struct json_pattern_dialect *d, const json_t *pattern,
			  const json_t *document);

/* Private to the two files: */
enum json_pattern_text {
	PATTERN_NO_TEXT,
	PATTERN_PREFIX,
	PATTERN_SUFFIX,
	PATTERN_CASELESS,
	PATTERN_WILDCARD
};
/* The operator about texts that the word names. */
enum json_pattern_text json_pattern_find_text(const struct json_pattern_dialect *d, const char *word);
/* The name of an object's only member, and its value; NULL: it has none or several. */
const char *json_pattern_get_word(const json_t *object, const json_t **ret_value);
